/* SPDX-License-Identifier: Apache-2.0 */
/* What one record says: its text, its words, its tokens, and what is counted of them. */
#include <string.h>

#include "describe.h"

/* --- scripts --- */

static unsigned script_number(struct scripts *s, const char *name)
{
	if (strcmp(name, "Common") == 0 || strcmp(name, "Inherited") == 0 || strcmp(name, "Unknown") == 0)
		return 0;
	for (unsigned k = 1; k < s->n; k++)
		if (strcmp(s->name[k], name) == 0)
			return k;
	if (s->n == SCRIPTS_MAX)
		return 0;
	s->name[s->n] = name;
	return s->n++;
}

void scripts_open(struct scripts *s)
{
	s->name[0] = "Common";
	s->n = 1;
	for (uint32_t c = 0; c < 0x10000; c++)
		s->of[c] = c >= 0xD800 && c < 0xE000 ? 0 : (uint8_t)script_number(s, unicode_script(c));
	for (uint32_t c = 0x10000; c < 0x20000; c += 16)       /* those that have no character below */
		script_number(s, unicode_script(c));
}

unsigned scripts_of(const struct scripts *s, uint32_t c)
{
	const char *name;

	if (c < 0x10000)
		return s->of[c];
	name = unicode_script(c);
	for (unsigned k = 1; k < s->n; k++)
		if (strcmp(s->name[k], name) == 0)
			return k;
	return 0;
}

/* --- counters --- */

void sums_open(struct sums *s, struct termset *const dict[DICTS])
{
	for (int k = 0; k < DICTS; k++)
		if (dict[k]) {
			s->dict[k].hits = mem_new(((size_t)termset_count(dict[k]) + 1) * sizeof *s->dict[k].hits);
			s->dict[k].variants = mem_new(((size_t)termset_count(dict[k]) + 1) * sizeof *s->dict[k].variants);
		}
}

void sums_add(struct sums *to, const struct sums *s, struct termset *const dict[DICTS])
{
	for (int k = 0; k < LANG_MAX; k++)
		to->language[k] += s->language[k];
	for (int k = 0; k < SCRIPTS_MAX; k++)
		to->script[k] += s->script[k];
	for (int k = 0; k < DICTS; k++) {
		to->dict[k].records += s->dict[k].records;
		for (uint32_t i = 0; dict[k] && i < termset_count(dict[k]); i++) {
			to->dict[k].hits[i] += s->dict[k].hits[i];
			to->dict[k].variants[i] += s->dict[k].variants[i];
		}
	}
}

void sums_release(struct sums *s)
{
	for (int k = 0; k < DICTS; k++) {
		mem_free(s->dict[k].hits);
		mem_free(s->dict[k].variants);
	}
	*s = (struct sums){0};
}

void sums_clear(struct sums *s, struct termset *const dict[DICTS])
{
	sums_release(s);
	sums_open(s, dict);
}

void describe_work_open(struct describe *d, struct describe_work *w)
{
	if (d->tokenizer)
		tokenize_work_open(&d->tokenize, &w->tokenize);
	sums_open(&w->sums, d->dict);
}

void describe_work_close(struct describe *d, struct describe_work *w)
{
	if (d->tokenizer)
		tokenize_work_close(&w->tokenize);
	langwork_release(&w->lang);
	chattexts_release(&w->chat);
	textwords_release(&w->words);
	termscan_release(&w->scan);
	shard_buf_free(&w->shard);
	buf_free(&w->raw);
	mem_free(w->hash);
	mem_free(w->col);
	mem_free(w->role);
	sums_release(&w->sums);
}

/* --- columns --- */

static uint32_t optional(const struct names *names, const char *name)
{
	int at = name ? rec_column(names, name) : -1;

	return at < 0 ? NO_COLUMN : (uint32_t)at;
}

static int needed(const struct names *names, const char *name, uint32_t *at, struct err *e)
{
	*at = NO_COLUMN;
	return name ? rec_need(names, name, at, e) : 0;
}

/* Where the columns of such records are.  Without --columns the text is in all but those that say something else of it. */
static int find_columns(const struct describe *d, struct describe_work *w, const struct names *names, struct err *e)
{
	size_t room = (d->columns.n > names->n ? d->columns.n : names->n) + 1, n = 0;
	int rc;

	if (w->names == names)
		return 0;
	w->names = NULL;
	w->col = mem_grow(w->col, room, sizeof *w->col);
	w->role = mem_grow(w->role, room, sizeof *w->role);
	if ((rc = columns_find(&d->columns, names, d->rec->unite, w->col, w->role, &w->ncols, e)) != 0 ||
	    (rc = needed(names, d->o->label, &w->label, e)) != 0 || (rc = needed(names, d->o->answer, &w->answer, e)) != 0)
		return rc;
	w->slice = optional(names, d->o->slice);
	w->source = optional(names, d->o->source);
	w->messages = optional(names, "messages");
	for (size_t i = 0; d->columns.n == 0 && i < w->ncols; i++)
		if (w->col[i] != w->label && w->col[i] != w->slice && w->col[i] != w->source && strcmp(names->name[w->col[i]], "id") != 0)
			w->col[n++] = w->col[i];
	w->ncols = d->columns.n ? w->ncols : n;
	w->names = names;
	return 0;
}

/* --- a text --- */

/* One text of the record: what is counted of it as it stands. */
static void look(const struct describe *d, struct describe_work *w, const char *s, size_t n, bool found[DICTS])
{
	lang_add(d->lang, &w->lang, s, n);
	for (const char *p = s; p < s + n; )
		w->sums.script[scripts_of(&d->scripts, utf8_get(&p))]++;
	for (int k = 0; k < DICTS; k++) {
		size_t hits = d->dict[k] ? termset_scan(d->dict[k], &w->scan, s, n) : 0;

		for (size_t i = 0; i < hits; i++) {
			const struct termhit *h = &w->scan.hit[i];
			bool listed = termset_get(d->dict[k], h->term)->nvariants == 0;

			w->sums.dict[k].hits[h->term]++;
			w->sums.dict[k].variants[h->term] += h->variant > 0;
			found[k] |= k == DICT_TERMS || h->variant > 0 || listed;
		}
	}
	if (w->raw.n)
		buf_ch(&w->raw, '\n');
	buf_add(&w->raw, s, n);
}

/* The text in w->raw: language, words, what it is compared by. */
static void finish(const struct describe *d, struct describe_work *w, const bool found[DICTS], struct arena *a, struct fact *f)
{
	static const struct shingling how = { .size = 5 };
	char *low = arena_get(a, UNICODE_LOWER_ROOM(w->raw.n)), *text;
	size_t n = unicode_lower(d->unicode, w->raw.p ? w->raw.p : "", w->raw.n, low), shingles;

	f->has_text = true;
	f->chars = w->raw.n ? utf8_count(w->raw.p, w->raw.n) : 0;
	w->sums.language[lang_end(d->lang, &w->lang)]++;
	for (int k = 0; k < DICTS; k++)
		w->sums.dict[k].records += found[k];
	text = arena_get(a, UNICODE_ROOM(n));
	f->n = unicode_squeeze(d->unicode, low, n, text);
	f->text = text;
	f->key = hash64(text, f->n, 0);
	f->nwords = textwords_split(&w->words, d->unicode, text, f->n);
	f->word = arena_get(a, (f->nwords + 1) * sizeof *f->word);
	for (size_t i = 0; i < f->nwords; i++)
		f->word[i] = hash128(text + w->words.v[i].at, w->words.v[i].n, 0);
	if (d->o->no_near)
		return;
	shingles = shingle_hashes(&how, text, f->n, &w->hash, &w->hash_cap);
	minhash_sign(d->minhash, w->hash, shingles, f->sig);
}

static int count_tokens(const struct describe *d, struct describe_work *w, struct rec *r, struct arena *a, struct fact *f, struct err *e)
{
	struct sequence s = {0};
	int rc;

	f->has_tokens = true;
	if (w->messages != NO_COLUMN) {
		if ((rc = tokenize_record(&d->tokenize, &w->tokenize, r, a, &s, e)) != 0)
			return rc;
		f->tokens = s.seq.n;
		for (uint32_t i = 1; i < s.seq.n; i++)
			f->trained += s.seq.mask[i];
		return 0;
	}
	w->tokenize.ids.n = 0;
	rc = tok_encode(d->tokenize.tok, w->tokenize.scratch, w->raw.p ? w->raw.p : "", w->raw.n, 0, &w->tokenize.ids, e);
	f->tokens = w->tokenize.ids.n;
	return rc;
}

/* The last message, where it is an assistant's. */
static void answer_of_chat(struct describe_work *w, const struct rec *r, struct arena *a, struct fact *f)
{
	if (chattexts_get(&w->chat, &r->f[w->messages], "assistant", a) && w->chat.n)
		f->answer = w->chat.text[w->chat.n - 1];
}

static void take(uint32_t at, const struct rec *r, struct field *to)
{
	if (at != NO_COLUMN && !(r->f[at].type == FIELD_JSON && r->f[at].n == 4 && memcmp(r->f[at].p, "null", 4) == 0))
		*to = r->f[at];
}

int describe_record(struct describe *d, struct describe_work *w, struct rec *r, struct arena *a, struct fact *f, struct err *e)
{
	bool found[DICTS] = { false };
	int rc;

	if ((rc = find_columns(d, w, r->names, e)) != 0)
		return rc;
	w->raw.n = 0;
	lang_begin(&w->lang);
	for (size_t i = 0; i < w->ncols; i++) {
		const struct field *c = w->col[i] == NO_COLUMN ? NULL : &r->f[w->col[i]];

		if (c && chattexts_get(&w->chat, c, w->role[i], a))
			for (size_t k = 0; k < w->chat.n; k++)
				look(d, w, w->chat.text[k].p, w->chat.text[k].n, found);
		else if (c && c->type == FIELD_TEXT)
			look(d, w, c->p, c->n, found);
	}
	finish(d, w, found, a, f);
	take(w->label, r, &f->label);
	take(w->slice, r, &f->slice);
	take(w->source, r, &f->source);
	if (w->answer != NO_COLUMN)
		f->answer = r->f[w->answer];
	else if (w->messages != NO_COLUMN)
		answer_of_chat(w, r, a, f);
	return d->tokenizer ? count_tokens(d, w, r, a, f, e) : 0;
}

static struct field text_field(const char *s)
{
	return (struct field){ *s ? s : NULL, strlen(s), FIELD_TEXT };
}

int describe_sequence(struct describe *d, struct describe_work *w, const struct shard_seq *seq, struct arena *a, struct fact *f, struct err *e)
{
	bool found[DICTS] = { false };
	struct buf text = {0};
	int rc = 0;

	f->has_tokens = true;
	f->tokens = seq->n;
	f->trained = seq->trained;
	f->slice = text_field(arena_str(a, seq->slice, strlen(seq->slice)));
	f->source = text_field(arena_str(a, seq->source, strlen(seq->source)));
	f->key = hash64(seq->ids, seq->n * sizeof *seq->ids, 0);
	if (!d->tokenizer)
		return 0;
	w->raw.n = 0;
	lang_begin(&w->lang);
	if ((rc = tok_decode(d->tokenize.tok, seq->ids, seq->n, TOK_SKIP_SPECIAL, &text, e)) == 0) {
		look(d, w, text.p ? text.p : "", text.n, found);
		finish(d, w, found, a, f);
	}
	buf_free(&text);
	return rc;
}
