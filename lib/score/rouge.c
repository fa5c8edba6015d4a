/* SPDX-License-Identifier: Apache-2.0 */
#include "rouge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct prf prf_of(double hits, size_t hyp, size_t ref)
{
	struct prf x = { 0, 0, 0 };

	x.p = hits / (double)(hyp ? hyp : 1);
	x.r = hits / (double)(ref ? ref : 1);
	if (x.p + x.r > 0)
		x.f = 2 * x.p * x.r / (x.p + x.r);
	return x;
}

static void keep_better(struct prf *best, struct prf x, bool first)
{
	if (first || x.f > best->f)
		*best = x;
}

/* --- ROUGE-Lsum --- */

static void end_sentence(struct sentences *t)
{
	ARRAY_ROOM(t->end, t->n, t->cap);
	t->end[t->n++] = t->ids.n;
}

static void add_id(struct sentences *t, uint32_t id)
{
	size_t n = t->ids.n;

	if (n == t->ids.cap)
		ids_room(&t->ids, n + 1);
	t->ids.n = n;
	t->ids.v[t->ids.n++] = id;
}

/* Next LF-separated part of TEXT from *AT that is not empty. */
static bool next_line(struct text t, size_t *at, struct text *line)
{
	while (*at < t.n) {
		const char *p = t.p + *at, *lf = memchr(p, '\n', t.n - *at);
		size_t n = lf ? (size_t)(lf - p) : t.n - *at;

		*at += n + 1;
		if (n) {
			*line = (struct text){ p, n };
			return true;
		}
	}
	return false;
}

/* The answer's sentences, numbered.  Each line is tokenised in the same buffer, so its words are copied to s->sum_text. */
static int read_hyp(struct rouge_scratch *s, const struct rouge_opts *o, struct text hyp, struct err *e)
{
	struct text line;
	int rc;

	s->sum_hyp.n = s->sum_hyp.ids.n = 0;
	s->sum_text.n = 0;
	buf_room(&s->sum_text, hyp.n * 3 + 64);         /* lower-casing at most triples a text: no move later */
	intern_begin(&s->sum_intern, hyp.n);
	for (size_t at = 0; next_line(hyp, &at, &line);) {
		if ((rc = words_rouge(&s->sum_words, o->tokenizer, o->stem, line, e)) != 0)
			return rc;
		for (size_t i = 0; i < s->sum_words.n; i++) {
			struct text w = s->sum_words.w[i], copy = { s->sum_text.p + s->sum_text.n, w.n };

			buf_add(&s->sum_text, w.p, w.n);
			add_id(&s->sum_hyp, intern_put(&s->sum_intern, copy));
		}
		end_sentence(&s->sum_hyp);
	}
	return 0;
}

static int read_ref(struct rouge_scratch *s, const struct rouge_opts *o, struct text ref, struct err *e)
{
	struct text line;
	int rc;

	s->sum_ref.n = s->sum_ref.ids.n = 0;
	for (size_t at = 0; next_line(ref, &at, &line);) {
		if ((rc = words_rouge(&s->sum_words, o->tokenizer, o->stem, line, e)) != 0)
			return rc;
		for (size_t i = 0; i < s->sum_words.n; i++)
			add_id(&s->sum_ref, intern_find(&s->sum_intern, s->sum_words.w[i]));
		end_sentence(&s->sum_ref);
	}
	return 0;
}

/* Occurrences of each word of the answer: in the answer, and (upper half) in the reference. */
static void count_words(struct rouge_scratch *s)
{
	size_t n = s->sum_intern.n;

	if (2 * n > s->count_cap) {
		s->count_cap = 2 * n;
		s->count = mem_grow(s->count, s->count_cap, sizeof *s->count);
	}
	if (n)
		memset(s->count, 0, 2 * n * sizeof *s->count);
	for (size_t i = 0; i < s->sum_hyp.ids.n; i++)
		s->count[s->sum_hyp.ids.v[i]]++;
	for (size_t i = 0; i < s->sum_ref.ids.n; i++)
		if (s->sum_ref.ids.v[i] != INTERN_NONE)
			s->count[n + s->sum_ref.ids.v[i]]++;
}

static int lsum(struct rouge_scratch *s, const struct rouge_opts *o, struct text ref, struct prf *out, struct err *e)
{
	const struct sentences *h = &s->sum_hyp, *r = &s->sum_ref;
	size_t n = s->sum_intern.n, hits = 0, from = 0;
	int rc = read_ref(s, o, ref, e);

	*out = (struct prf){ 0, 0, 0 };
	if (rc || h->ids.n == 0 || r->ids.n == 0)
		return rc;
	count_words(s);
	if (r->ids.n > s->hit_cap) {
		s->hit_cap = r->ids.n;
		s->hit = mem_grow(s->hit, s->hit_cap, sizeof *s->hit);
	}
	memset(s->hit, 0, r->ids.n * sizeof *s->hit);
	for (size_t k = 0; k < r->n; from = r->end[k++]) {
		struct ids rows = { r->ids.v + from, r->end[k] - from, 0 };

		for (size_t c = 0, start = 0; c < h->n; start = h->end[c++])
			lcs_mark(&s->lcs, &rows, h->ids.v + start, h->end[c] - start, (uint32_t)n, s->hit + from);
		for (size_t i = from; i < r->end[k]; i++) {
			uint32_t id = r->ids.v[i];

			if (s->hit[i] && s->count[id] && s->count[n + id]) {
				s->count[id]--;
				s->count[n + id]--;
				hits++;
			}
		}
	}
	*out = prf_of((double)hits, h->ids.n, r->ids.n);
	return 0;
}

/* --- all types --- */

static unsigned highest_order(const struct rouge_opts *o)
{
	unsigned max = 0;

	for (unsigned k = 0; k < o->ntypes; k++)
		if (o->type[k] <= 9 && o->type[k] > max)
			max = o->type[k];
	return max;
}

static bool has_lf(struct text t)
{
	return t.n && memchr(t.p, '\n', t.n);
}

int rouge_segment(struct rouge_scratch *s, const struct rouge_opts *o, struct text hyp, const struct text *ref, size_t nref,
                  struct prf *out, struct err *e)
{
	unsigned max = highest_order(o);
	bool sums = false, lengths = false, lines = has_lf(hyp);
	struct words *other = &s->sum_words;            /* free to use but while Lsum reads */
	int rc;

	for (size_t r = 0; r < nref; r++)
		lines |= has_lf(ref[r]);
	for (unsigned k = 0; k < o->ntypes; k++) {
		sums |= o->type[k] == ROUGE_LSUM && lines;
		lengths |= o->type[k] == ROUGE_L || (o->type[k] == ROUGE_LSUM && !lines);
	}
	if (sums && (rc = read_hyp(s, o, hyp, e)) != 0)
		return rc;
	if (max || lengths) {
		if ((rc = words_rouge(&s->words, o->tokenizer, o->stem, hyp, e)) != 0)
			return rc;
		put_words(&s->intern, &s->words, &s->hyp);
		if (max)
			grams_answer(&s->grams, s->hyp.v, s->hyp.n, max);
	}
	for (size_t r = 0; r < nref; r++) {
		uint64_t match[9] = { 0 };
		size_t common = 0;

		if (max || lengths) {
			if ((rc = words_rouge(other, o->tokenizer, o->stem, ref[r], e)) != 0)
				return rc;
			find_words(&s->intern, other, &s->ref);
		}
		if (lengths)
			common = lcs_length(&s->lcs, &s->ref, s->hyp.v, s->hyp.n, s->intern.n);
		if (max) {
			grams_forget(&s->grams);
			grams_reference(&s->grams, s->ref.v, s->ref.n, match);
		}
		for (unsigned k = 0; k < o->ntypes; k++) {
			unsigned t = o->type[k];
			struct prf x;

			if (t == ROUGE_LSUM && lines) {
				if ((rc = lsum(s, o, ref[r], &x, e)) != 0)
					return rc;
			} else if (t >= ROUGE_L) {        /* of two single lines, Lsum is L: an LCS never uses a word twice */
				x = prf_of((double)common, s->hyp.n, s->ref.n);
			} else {
				x = prf_of((double)match[t - 1], grams_total(s->hyp.n, t), grams_total(s->ref.n, t));
			}
			keep_better(&out[k], x, r == 0);
		}
	}
	return 0;
}

void rouge_type_name(unsigned type, char name[16])
{
	if (type <= 9)
		snprintf(name, 16, "rouge%u", type);
	else
		snprintf(name, 16, "%s", type == ROUGE_L ? "rougeL" : "rougeLsum");
}

int rouge_parse_types(const char *list, struct rouge_opts *o, struct err *e)
{
	o->ntypes = 0;
	for (const char *p = list; *p;) {
		size_t n = strcspn(p, ",");
		unsigned type = 0;
		char name[16];

		for (unsigned t = 1; t <= ROUGE_LSUM && type == 0; t++) {
			rouge_type_name(t, name);
			if (strlen(name) == n && memcmp(name, p, n) == 0)
				type = t;
		}
		for (unsigned k = 0; k < o->ntypes; k++)
			if (type && o->type[k] == type)
				return err_set(e, SFT_USAGE, "--rouge-types: '%.*s' stands there twice", (int)n, p);
		if (type == 0)
			return err_set(e, SFT_USAGE, "--rouge-types: no type '%.*s' (expected rouge1 to rouge9, rougeL, rougeLsum)", (int)n, p);
		o->type[o->ntypes++] = type;
		p += n + (p[n] == ',');
	}
	return o->ntypes ? 0 : err_set(e, SFT_USAGE, "--rouge-types: the list is empty (expected rouge1, rougeL, ...)");
}

void rouge_signature(const struct rouge_opts *o, struct buf *to)
{
	static const char *const tok[] = { "default", "char", "cjk-mixed", "icu" };

	buf_fmt(to, "tok:%s|stem:%s", tok[o->tokenizer], o->stem ? "porter" : "no");
}

void rouge_scratch_free(struct rouge_scratch *s)
{
	words_free(&s->words);
	words_free(&s->sum_words);
	buf_free(&s->sum_text);
	mem_free(s->hyp.v);
	mem_free(s->ref.v);
	mem_free(s->sum_hyp.ids.v);
	mem_free(s->sum_hyp.end);
	mem_free(s->sum_ref.ids.v);
	mem_free(s->sum_ref.end);
	intern_free(&s->intern);
	intern_free(&s->sum_intern);
	grams_free(&s->grams);
	lcs_free(&s->lcs);
	mem_free(s->count);
	mem_free(s->hit);
	memset(s, 0, sizeof *s);
}
