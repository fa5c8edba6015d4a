/* SPDX-License-Identifier: Apache-2.0 */
/* One record: rendered, tokenised, masked, cut to length. */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tokenize.h"

void tokenize_work_open(const struct tokenize *z, struct tokenize_work *w)
{
	*w = (struct tokenize_work){ .parser = json_parser_new() };
	if (z->tok)
		w->scratch = tok_scratch_new(z->tok);
}

void tokenize_work_close(struct tokenize_work *w)
{
	tok_scratch_free(w->scratch);
	json_parser_free(w->parser);
	tok_ids_free(&w->ids);
	chat_text_free(&w->text);
	rivals_work_release(&w->rivals);
	buf_free(&w->out);
}

/* Field NAME, or NULL where the record has none or it is null. */
static const struct field *field(const struct rec *r, const char *name)
{
	int at = rec_column(r->names, name);

	if (at < 0 || (r->f[at].type == FIELD_JSON && r->f[at].n == 4 && memcmp(r->f[at].p, "null", 4) == 0))
		return NULL;
	return &r->f[at];
}

/* --- ids that come as JSON --- */

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

/* "[1, 2, 3]" into ids; at most MAX each. */
static int read_numbers(const struct field *f, const char *name, uint64_t max, struct tok_ids *out, struct err *e)
{
	const char *p = skip_blanks(f->p, f->p + f->n), *end = f->p + f->n;

	out->n = 0;
	if (p == end || *p != '[')
		return err_set(e, SFT_BADDATA, "'%s' is no list of numbers", name);
	for (p = skip_blanks(p + 1, end); p < end && *p != ']'; ) {
		uint64_t v = 0;
		const char *digits = p;

		while (p < end && *p >= '0' && *p <= '9' && p - digits < 12)
			v = v * 10 + (uint64_t)(*p++ - '0');
		if (p == digits || v > max) {
			while (p < end && p - digits < 20 && !strchr(",] \t\r\n", *p))
				p++;
			return err_set(e, SFT_BADDATA, "'%s': number %zu is '%.*s' (expected 0 to %llu)", name, out->n, (int)(p - digits), digits,
			               (unsigned long long)max);
		}
		if (out->n == out->cap) {
			out->cap = out->cap ? 2 * out->cap : 256;
			out->id = mem_grow(out->id, out->cap, sizeof *out->id);
		}
		out->id[out->n++] = (uint32_t)v;
		p = skip_blanks(p, end);
		if (p < end && *p == ',' && (p = skip_blanks(p + 1, end)) < end && *p != ']')
			continue;
		if (p == end || *p != ']' || p[-1] == ',')
			return err_set(e, SFT_BADDATA, "'%s' is no list of numbers", name);
	}
	return p < end ? 0 : err_set(e, SFT_BADDATA, "'%s' is not closed", name);
}

static uint64_t largest_id(const struct tokenize *z)
{
	return z->tok ? tok_vocab_size(z->tok) - 1 : UINT32_MAX;
}

static int read_mask(struct tokenize_work *w, const struct field *mask, uint8_t *m, uint32_t n, struct err *e)
{
	int rc;

	if ((rc = read_numbers(mask, "mask", 1, &w->ids, e)) != 0)
		return rc;
	if (w->ids.n != n)
		return err_set(e, SFT_BADDATA, "%zu values in 'mask' (expected one for each of the %u ids)", w->ids.n, n);
	for (uint32_t i = 0; i < n; i++)
		m[i] = (uint8_t)w->ids.id[i];
	return 0;
}

/* {"ids", "mask", "rivals"}: without a mask all tokens are trained. */
static int from_ids(const struct tokenize *z, struct tokenize_work *w, const struct rec *r, struct arena *a, struct shard_seq *seq, struct err *e)
{
	const struct field *ids = field(r, "ids"), *mask = field(r, "mask"), *rivals = field(r, "rivals");
	const struct json *list;
	uint32_t *copy;
	uint8_t *m;
	int rc;

	if (ids == NULL)
		return err_set(e, SFT_BADDATA, "no 'ids' (expected {\"ids\":[...],\"mask\":[...]})");
	if ((rc = read_numbers(ids, "ids", largest_id(z), &w->ids, e)) != 0)
		return rc;
	seq->n = (uint32_t)w->ids.n;
	seq->ids = copy = arena_get(a, (w->ids.n + 1) * sizeof *copy);
	memcpy(copy, w->ids.id, w->ids.n * sizeof *copy);
	seq->mask = m = arena_get(a, w->ids.n + 1);
	memset(m, 1, w->ids.n);
	if (mask && (rc = read_mask(w, mask, m, seq->n, e)) != 0)
		return rc;
	if (rivals == NULL)
		return 0;
	rc = field_json(rivals, w->parser, a, &list, e);
	return rc ? rc : rivals_read(list, (uint32_t)largest_id(z), a, seq, e);
}

/* --- chats --- */

/* The record as a JSON object. */
static int as_json(struct tokenize_work *w, const struct rec *r, struct arena *a, struct json *out, struct err *e)
{
	struct json_member *m = arena_get(a, (r->names->n + 1) * sizeof *m);

	memset(out, 0, sizeof *out);
	out->type = JSON_OBJ;
	out->n = r->names->n;
	out->member = m;
	for (uint32_t i = 0; i < r->names->n; i++) {
		const struct json *v;
		int rc = field_json(&r->f[i], w->parser, a, &v, e);

		if (rc)
			return rc;
		m[i] = (struct json_member){ r->names->name[i], r->names->len[i], *v };
	}
	return 0;
}

/* A token is trained where a byte of it is. */
static void mask_of(const struct chat_text *text, const struct tok_ids *ids, uint8_t *mask)
{
	size_t k = 0;

	for (size_t i = 0; i < ids->n; i++) {
		mask[i] = 0;
		while (k > 0 && text->span[k - 1].end > ids->start[i])
			k--;
		while (k < text->nspans && text->span[k].end <= ids->start[i])
			k++;
		for (size_t s = k; s < text->nspans && text->span[s].start < ids->end[i]; s++)
			mask[i] |= text->span[s].trained;
	}
}

static int from_chat(const struct tokenize *z, struct tokenize_work *w, const struct rec *r, struct arena *a, struct shard_seq *seq, struct err *e)
{
	struct tok_span *span;
	struct json obj;
	uint32_t *copy;
	uint8_t *mask;
	int rc;

	if (z->chat == NULL)
		return err_set(e, z->chat_error.code, "%s", z->chat_error.msg);
	w->text.text.n = w->text.nspans = 0;
	if ((rc = as_json(w, r, a, &obj, e)) != 0 ||
	    (rc = chat_render(z->chat, &obj, false, (enum chat_train)z->o->train_on, a, &w->text, e)) != 0)
		return rc;
	span = arena_get(a, (w->text.nspans + 1) * sizeof *span);
	for (size_t i = 0; i < w->text.nspans; i++)
		span[i] = (struct tok_span){ w->text.span[i].start, w->text.span[i].end, w->text.span[i].content };
	w->ids.n = 0;
	rc = tok_encode_chat(z->tok, w->scratch, w->text.text.p ? w->text.text.p : "", w->text.text.n, span, w->text.nspans, &w->ids, e);
	if (rc)
		return rc;
	seq->n = (uint32_t)w->ids.n;
	seq->ids = copy = arena_get(a, (w->ids.n + 1) * sizeof *copy);
	seq->mask = mask = arena_get(a, w->ids.n + 1);
	if (w->ids.n)
		memcpy(copy, w->ids.id, w->ids.n * sizeof *copy);
	mask_of(&w->text, &w->ids, mask);
	return z->rivals ? rivals_find(z->rivals, &w->rivals, z->tok, w->scratch, &w->text, &w->ids, a, seq, e) : 0;
}

/* --- plain text --- */

static int from_text(const struct tokenize *z, struct tokenize_work *w, const struct field *text, struct arena *a, struct shard_seq *seq, struct err *e)
{
	unsigned flags = (z->o->parse_special ? TOK_SPECIAL : 0) | (z->o->add_special ? TOK_ADD : 0);
	uint8_t *mask;
	int rc;

	if (text->type != FIELD_TEXT)
		return err_set(e, SFT_BADDATA, "'text' is no text");
	w->ids.n = 0;
	if ((rc = tok_encode(z->tok, w->scratch, text->p, text->n, flags, &w->ids, e)) != 0)
		return rc;
	seq->n = (uint32_t)w->ids.n;
	seq->ids = w->ids.id;          /* printed at once: no copy */
	if (z->o->job == JOB_SHOW) {
		seq->mask = mask = arena_get(a, w->ids.n + 1);
		memset(mask, 0, w->ids.n);
	}
	return 0;
}

/* Two decimal digits of each number below 100, as they stand in memory. */
#define TEN(d) d "0" d "1" d "2" d "3" d "4" d "5" d "6" d "7" d "8" d "9"
static const char hundred[] = TEN("0") TEN("1") TEN("2") TEN("3") TEN("4") TEN("5") TEN("6") TEN("7") TEN("8") TEN("9");
enum { ID_TEXT = 12 };          /* the longest id, a comma and a NUL */

static inline uint64_t two_digits(uint32_t v)
{
	uint16_t w;

	memcpy(&w, hundred + 2 * v, 2);
	return le16toh(w);
}

/* V and a comma written at P, which has room for ID_TEXT; what is behind them. */
static inline char *put_id(char *p, uint32_t v)
{
	unsigned n = 1 + (v >= 10) + (v >= 100) + (v >= 1000) + (v >= 10000) + (v >= 100000);
	uint64_t w;

	if (v >= 1000000)
		return p + sprintf(p, "%u,", v);
	w = two_digits(v / 10000) | two_digits(v / 100 % 100) << 16 | two_digits(v % 100) << 32 | (uint64_t)',' << 48;
	w = htole64(w >> 8 * (6 - n));         /* leading zeros out */
	memcpy(p, &w, 8);
	return p + n + 1;
}

/* "[1,2,3]\n" in A; *N: its length. */
static const char *ids_text(struct arena *a, const uint32_t *ids, uint32_t count, size_t *n)
{
	char *text = arena_get(a, (size_t)count * ID_TEXT + 8), *p = text;

	*p++ = '[';
	for (uint32_t i = 0; i < count; i++)
		p = put_id(p, ids[i]);
	p -= count > 0;                /* the bracket takes the place of the last comma */
	*p++ = ']';
	*p++ = '\n';
	*n = (size_t)(p - text);
	arena_trim(a, text, *n);
	return text;
}

/* --- length --- */

/* Over the limit: dropped, cut or refused.  A sequence of which nothing is trained any more is dropped. */
static int fit(const struct tokenize *z, struct arena *a, struct sequence *s, struct err *e)
{
	struct shard_seq *q = &s->seq;
	bool any = z->o->from_ids;

	if (q->n == 0) {
		s->why = "no tokens";
		return 0;
	}
	if (z->max_len && q->n > z->max_len) {
		uint32_t more = q->n - (uint32_t)z->max_len;

		if (z->o->on_long == LONG_STOP)
			return err_set(e, SFT_BADDATA, "%u tokens (expected at most %llu: --max-len)", q->n, (unsigned long long)z->max_len);
		if (z->o->on_long == LONG_DROP) {
			s->why = "too long";
			return 0;
		}
		if (z->o->on_long == LONG_LEFT) {
			q->ids += more;
			q->mask += more;
		}
		q->n -= more;
		rivals_cut(q, z->o->on_long == LONG_LEFT ? more : 0, a);
		s->truncated = true;
	}
	for (uint32_t i = 1; !any && i < q->n; i++)
		any = q->mask[i];
	if (!any)
		s->why = "nothing to train on";
	return 0;
}

/* id, slice, source: text, or a number as it is written. */
static const char *label(const struct rec *r, const char *name, struct arena *a)
{
	const struct field *f = field(r, name);
	const char *nul = f ? memchr(f->p, 0, f->n) : NULL;

	return f ? arena_str(a, f->p, nul ? (size_t)(nul - f->p) : f->n) : "";
}

static int labels(const struct rec *r, struct arena *a, struct shard_seq *seq, struct err *e)
{
	const struct field *weight = field(r, "weight");
	double w;

	seq->id = label(r, "id", a);
	seq->slice = label(r, "slice", a);
	seq->source = label(r, "source", a);
	seq->weight = 1.0f;
	if (weight == NULL)
		return 0;
	if (opt_number(arena_str(a, weight->p, weight->n), 0, 1e30, &w, NULL) != 0)
		return err_set(e, SFT_BADDATA, "'weight' is '%.*s' (expected a number from 0 on)", (int)(weight->n < 40 ? weight->n : 40), weight->p);
	seq->weight = (float)w;
	return 0;
}

/* --- the record --- */

static int decode(const struct tokenize *z, struct tokenize_work *w, const struct rec *r, struct arena *a, struct sequence *out, struct err *e)
{
	const struct field *ids = field(r, "ids");
	struct jw jw;
	struct buf line = {0};
	int rc;

	if (ids == NULL)
		return err_set(e, SFT_BADDATA, "no 'ids' (expected {\"ids\":[...]})");
	w->out.n = 0;
	if ((rc = read_numbers(ids, "ids", largest_id(z), &w->ids, e)) != 0 ||
	    (rc = tok_decode(z->tok, w->ids.id, w->ids.n, z->o->skip_special ? TOK_SKIP_SPECIAL : 0, &w->out, e)) != 0)
		return rc;
	jw_init(&jw, &line);
	jw_obj(&jw);
	jw_key(&jw, "text");
	jw_strn(&jw, w->out.p ? w->out.p : "", w->out.n);
	jw_obj_end(&jw);
	buf_ch(&line, '\n');
	out->text = arena_str(a, line.p, line.n);
	out->ntext = line.n;
	buf_free(&line);
	return 0;
}

static int get_tokens(const struct tokenize *z, struct tokenize_work *w, const struct rec *r, struct arena *a, struct shard_seq *seq, struct err *e)
{
	const struct field *text;

	if (z->o->from_ids)
		return from_ids(z, w, r, a, seq, e);
	if (field(r, "messages"))
		return from_chat(z, w, r, a, seq, e);
	text = field(r, "text");
	if (text && z->o->job != JOB_SHARD)
		return from_text(z, w, text, a, seq, e);
	return err_set(e, SFT_BADDATA, z->o->job == JOB_SHARD ? "no 'messages' (expected a chat record; sft-prompt makes them)"
	                                                       : "no 'text' and no 'messages'");
}

int tokenize_record(const struct tokenize *z, struct tokenize_work *w, const struct rec *r, struct arena *a, struct sequence *out, struct err *e)
{
	int rc;

	*out = (struct sequence){ .seq = { .weight = 1, .id = "", .slice = "", .source = "" } };
	if (z->o->job == JOB_DECODE)
		return decode(z, w, r, a, out, e);
	if ((rc = get_tokens(z, w, r, a, &out->seq, e)) != 0)
		return rc;
	if (z->o->job == JOB_SHARD) {
		rc = labels(r, a, &out->seq, e);
		return rc ? rc : fit(z, a, out, e);
	}
	if (z->o->job == JOB_IDS) {
		out->text = ids_text(a, out->seq.ids, out->seq.n, &out->ntext);
		return 0;
	}
	w->out.n = 0;
	if ((rc = tokenize_show(z, &out->seq, r->num, &w->out, e)) != 0)
		return rc;
	out->text = arena_str(a, w->out.p, w->out.n);
	out->ntext = w->out.n;
	return 0;
}
