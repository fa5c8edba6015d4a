/* SPDX-License-Identifier: Apache-2.0 */
#include "perplexity.h"

#include <math.h>
#include <string.h>

#include "chatids.h"
#include "genrecord.h"
#include "oddvalues.h"
#include "outfile.h"
#include "pack.h"
#include "progress.h"

enum { PASS_TOKENS = 1024 };

struct job {
	const struct perplexity_opts *o;
	struct tool *t;
	struct loaded l;
	struct chatids *c;
	struct recin *in;
	struct outfile *logprobs;
	struct json_parser *parser;
	struct arena arena;
	struct tok_ids ids;
	struct buf mask;                /* [ids.n] */
	struct pack pack;
	struct buf counted;             /* a byte for each output of the pass: does it count */
	uint32_t *length;               /* outputs of each sequence of the pass: its tokens - 1 */
	double *bytes;                  /* of the text of those tokens that count; NaN: not known */
	uint32_t *outputs;              /* that the model gives: those that count, with --token-logprobs all */
	size_t nseq, cap;
	struct tok_ids said;
	struct buf text;
	float *logp;
	size_t logp_cap;
	struct pplstats *sum;
};

/* --- sequences --- */

static int from_ids(struct job *j, const struct json *record, struct err *e)
{
	const struct json *ids = json_get(record, "ids"), *mask = json_get(record, "mask");
	int64_t v, on = 1;

	if (ids == NULL || ids->type != JSON_ARR || ids->n == 0)
		return err_set(e, SFT_BADDATA, "no ids (expected a list of token ids under \"ids\")");
	if (mask && mask->type != JSON_NULL && (mask->type != JSON_ARR || mask->n != ids->n))
		return err_set(e, SFT_BADDATA, "mask has no value for each id (%zu ids)", ids->n);
	for (size_t i = 0; i < ids->n; i++) {
		if (!json_int(&ids->item[i], &v) || v < 0 || v > INT32_MAX)
			return err_set(e, SFT_BADDATA, "id %zu is no token id", i + 1);
		if (mask && mask->type == JSON_ARR && (!json_int(&mask->item[i], &on) || on < 0 || on > 1))
			return err_set(e, SFT_BADDATA, "mask %zu is neither 0 nor 1", i + 1);
		ARRAY_ROOM(j->ids.id, j->ids.n, j->ids.cap);
		j->ids.id[j->ids.n++] = (uint32_t)v;
		buf_ch(&j->mask, (char)on);
	}
	return 0;
}

static int from_text(struct job *j, const struct rec *r, struct err *e)
{
	int at = rec_column(r->names, "text"), rc;

	if (at < 0)
		return err_set(e, SFT_BADDATA, "neither messages nor text (expected chat records, a column text, --from text or --from ids)");
	rc = chatids_text(j->c, r->f[at].p, r->f[at].n, &j->ids, e);
	for (size_t i = 0; i < j->ids.n; i++)
		buf_ch(&j->mask, 1);
	return rc;
}

static int read_sequence(struct job *j, const struct rec *r, struct err *e)
{
	const struct json *record;
	uint32_t vocab = model_config(j->l.m)->vocab;
	int rc;

	arena_reset(&j->arena);
	j->ids.n = j->mask.n = 0;
	if ((rc = genrecord_json(r, j->parser, &j->arena, &record, e)) != 0)
		return rc;
	if (j->o->from_ids)
		rc = from_ids(j, record, e);
	else if (j->o->from_text || json_get(record, "messages") == NULL)
		rc = from_text(j, r, e);
	else
		rc = chatids_whole(j->c, record, (enum chat_train)j->o->train, &j->ids, &j->mask, e);
	for (size_t i = 0; i < j->ids.n && rc == 0; i++)
		if (j->ids.id[i] >= vocab)
			rc = err_set(e, SFT_BADDATA, "token id %u (the model's vocabulary has %u)", j->ids.id[i], vocab);
	return rc;
}

/* --- passes --- */

static int write_logprobs(struct job *j, struct err *e)
{
	struct buf b = {0};
	struct jw w;
	size_t at = 0;
	int rc;

	for (size_t s = 0; s < j->nseq; s++) {
		jw_init(&w, &b);
		jw_arr(&w);
		if (j->length[s] != UINT32_MAX)
			jw_null(&w);
		for (uint32_t i = 0; j->length[s] != UINT32_MAX && i < j->length[s]; i++)
			jw_double(&w, j->logp[at++]);
		jw_arr_end(&w);
		buf_ch(&b, '\n');
	}
	rc = out_write(j->logprobs, b.p, b.n, e);
	buf_free(&b);
	return rc;
}

static int flush(struct job *j, struct err *e)
{
	struct batch b;
	int rc = 0;

	pack_batch(&j->pack, &b);
	if (b.nout > j->logp_cap) {
		j->logp_cap = b.nout;
		j->logp = mem_grow(j->logp, j->logp_cap, sizeof *j->logp);
	}
	if (b.n)
		rc = model_logp(j->l.m, &b, NULL, NULL, j->logp, e);
	for (size_t s = 0, at = 0; s < j->nseq && rc == 0; s++) {
		double nll = 0, tokens = 0;

		for (uint32_t i = 0; i < j->outputs[s]; i++, at++)
			if (j->counted.p[at]) {
				nll -= j->logp[at];
				tokens++;
			}
		ppl_add(j->sum, nll, tokens, j->bytes[s], NAN);
	}
	if (rc == 0 && j->logprobs)
		rc = write_logprobs(j, e);
	pack_reset(&j->pack);
	j->counted.n = j->nseq = 0;
	return rc;
}

/* Bytes of the text of the tokens that count. */
static int bytes_of(struct job *j, double *bytes, struct err *e)
{
	int rc;

	*bytes = NAN;
	if (j->c == NULL)
		return 0;
	j->said.n = j->text.n = 0;
	for (size_t i = 1; i < j->ids.n; i++)
		if (j->mask.p[i]) {
			ARRAY_ROOM(j->said.id, j->said.n, j->said.cap);
			j->said.id[j->said.n++] = j->ids.id[i];
		}
	rc = tok_decode(chatids_tok(j->c), j->said.id, j->said.n, TOK_SKIP_SPECIAL, &j->text, e);
	*bytes = (double)j->text.n;
	return rc;
}

static int add_sequence(struct job *j, struct err *e)
{
	uint32_t n = (uint32_t)j->ids.n;
	const uint8_t *mask = (const uint8_t *)j->mask.p;
	int rc;

	if (j->pack.n && j->pack.n + n > PASS_TOKENS && (rc = flush(j, e)) != 0)
		return rc;
	if (j->nseq == j->cap) {
		j->cap = j->cap ? j->cap * 2 : 16;
		j->length = mem_grow(j->length, j->cap, sizeof *j->length);
		j->outputs = mem_grow(j->outputs, j->cap, sizeof *j->outputs);
		j->bytes = mem_grow(j->bytes, j->cap, sizeof *j->bytes);
	}
	if ((rc = bytes_of(j, &j->bytes[j->nseq], e)) != 0)
		return rc;
	j->outputs[j->nseq] = 0;
	for (uint32_t i = 1; i < n; i++)
		j->outputs[j->nseq] += mask[i] || j->logprobs;
	j->length[j->nseq++] = n ? n - 1 : UINT32_MAX;
	if (n == 0)
		return 0;
	pack_add(&j->pack, j->ids.id, j->logprobs ? NULL : mask, n, 1, 0);
	for (uint32_t i = 1; i < n; i++)
		if (mask[i] || j->logprobs)
			buf_ch(&j->counted, (char)mask[i]);
	return 0;
}

static int read_all(struct job *j, struct err *e)
{
	struct progress bar;
	struct rec *r;
	int rc;

	progress_open(&bar, j->t->name, "records", 0, tool_progress(j->t));
	while ((rc = rec_read(j->in, &r, e)) == 0 && r) {
		if ((rc = read_sequence(j, r, e)) == SFT_BADDATA && j->o->rec.on_bad == 1) {
			if ((rc = rec_reject(j->in, r, "no usable sequence", e)) != 0)
				break;
			continue;
		}
		if (rc != 0)
			err_in(e, "%s:%llu", r->file, (unsigned long long)r->line);
		if (rc != 0 || (rc = add_sequence(j, e)) != 0)
			break;
		progress_at(&bar, rec_count(j->in), rec_share(j->in), NULL);
	}
	progress_close(&bar);
	return rc ? rc : flush(j, e);
}

static int set_up(struct job *j, const char *const *files, size_t n, struct err *e)
{
	const struct perplexity_opts *o = j->o;
	struct rec_opts in = o->rec;
	int rc;

	if (o->from_ids)
		in.from = REC_AUTO;
	if ((rc = loaded_open(&j->l, &o->use, (int)j->t->threads, e)) != 0)
		return rc;
	odd_values_warn(j->l.w, j->l.pool, j->t);
	if ((!o->from_ids && (rc = chatids_open(&j->c, o->use.model, o->template, e)) != 0) ||
	    (rc = rec_open(&j->in, files, n, &in, j->t, e)) != 0)
		return rc;
	return o->logprobs ? out_open(&j->logprobs, o->logprobs, e) : 0;
}

static int finish(struct job *j, struct err *e)
{
	struct outfile *f = j->logprobs;
	int rc = 0;

	j->logprobs = NULL;
	if (f)
		rc = out_close(f, false, e);
	if (rc == 0)
		rc = rec_stats(j->in, NULL, &j->o->rec, j->t, NULL, NULL, e);
	if (rc == 0) {
		rc = rec_close(j->in, e);
		j->in = NULL;
	}
	if (rc == 0 && ppl_tokens(j->sum) == 0)
		rc = err_set(e, SFT_BADDATA, "no token to predict (expected sequences of two or more, with one that counts)");
	return rc;
}

int perplexity_run(const struct perplexity_opts *o, struct tool *t, const char *const *files, size_t n, struct pplstats *out, struct err *e)
{
	struct job j = { .o = o, .t = t, .sum = out };
	int rc;

	*out = (struct pplstats){0};
	arena_init(&j.arena);
	j.parser = json_parser_new();
	if ((rc = set_up(&j, files, n, e)) == 0 && (rc = read_all(&j, e)) == 0)
		rc = finish(&j, e);
	out_abandon(j.logprobs);
	rec_abandon(j.in);
	chatids_close(j.c);
	loaded_close(&j.l);
	json_parser_free(j.parser);
	arena_release(&j.arena);
	tok_ids_free(&j.ids);
	buf_free(&j.mask);
	buf_free(&j.counted);
	pack_free(&j.pack);
	mem_free(j.length);
	mem_free(j.outputs);
	mem_free(j.bytes);
	tok_ids_free(&j.said);
	buf_free(&j.text);
	mem_free(j.logp);
	return rc;
}
