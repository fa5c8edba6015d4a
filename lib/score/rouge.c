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

/* What is asked for, and of what. */
struct plan {
	unsigned max;                   /* the longest n-gram */
	bool lines, sums, lengths;      /* a text has several lines; Lsum of these; an LCS of whole texts */
	bool brief;                     /* the answer is in s->brief */
};

static struct plan plan_of(const struct rouge_opts *o, struct text hyp, const struct text *ref, size_t nref)
{
	struct plan p = { .max = highest_order(o), .lines = has_lf(hyp) };

	for (size_t r = 0; r < nref; r++)
		p.lines |= has_lf(ref[r]);
	for (unsigned k = 0; k < o->ntypes; k++) {
		p.sums |= o->type[k] == ROUGE_LSUM && p.lines;
		p.lengths |= o->type[k] == ROUGE_L || (o->type[k] == ROUGE_LSUM && !p.lines);
	}
	return p;
}

static int read_answer(struct rouge_scratch *s, const struct rouge_opts *o, struct text hyp, struct plan *p, struct err *e)
{
	int rc;

	if (p->sums && (rc = read_hyp(s, o, hyp, e)) != 0)
		return rc;
	if (p->max == 0 && !p->lengths)
		return 0;
	if ((rc = words_rouge(&s->words, o->tokenizer, o->stem, hyp, e)) != 0)
		return rc;
	if ((p->brief = shortseg_answer(&s->brief, &s->words)))
		return 0;
	put_words(&s->intern, &s->words, &s->hyp);
	if (p->max)
		grams_answer(&s->grams, s->hyp.v, s->hyp.n, p->max);
	return 0;
}

/* The matches of one reference: n-grams by order, words in common. */
static int match(struct rouge_scratch *s, const struct rouge_opts *o, struct text ref, const struct plan *p, uint64_t *grams, size_t *common,
                 size_t *nref, struct err *e)
{
	struct words *w = &s->sum_words;                /* free to use but while Lsum reads */
	uint64_t taken[9] = { 0 };
	int rc;

	if (p->max == 0 && !p->lengths)
		return 0;
	if ((rc = words_rouge(w, o->tokenizer, o->stem, ref, e)) != 0)
		return rc;
	*nref = w->n;
	if (p->brief) {
		shortseg_reference(&s->brief, w);
		shortseg_grams(&s->brief, p->max, taken);
		for (unsigned k = 0; k < p->max; k++)
			grams[k] = (uint64_t)__builtin_popcountll(taken[k]);
		*common = p->lengths ? shortseg_lcs(&s->brief) : 0;
		return 0;
	}
	find_words(&s->intern, w, &s->ref);
	if (p->lengths)
		*common = lcs_length(&s->lcs, &s->ref, s->hyp.v, s->hyp.n, s->intern.n);
	if (p->max) {
		grams_forget(&s->grams);
		grams_reference(&s->grams, s->ref.v, s->ref.n, grams);
	}
	return 0;
}

int rouge_segment(struct rouge_scratch *s, const struct rouge_opts *o, struct text hyp, const struct text *ref, size_t nref,
                  struct prf *out, struct err *e)
{
	struct plan p = plan_of(o, hyp, ref, nref);
	int rc = read_answer(s, o, hyp, &p, e);

	for (size_t r = 0; rc == 0 && r < nref; r++) {
		size_t common = 0, nhyp = s->words.n, nr = 0;
		uint64_t grams[9] = { 0 };

		rc = match(s, o, ref[r], &p, grams, &common, &nr, e);
		for (unsigned k = 0; rc == 0 && k < o->ntypes; k++) {
			unsigned t = o->type[k];
			struct prf x;

			if (t == ROUGE_LSUM && p.lines)
				rc = lsum(s, o, ref[r], &x, e);
			else if (t >= ROUGE_L)          /* of two single lines, Lsum is L: an LCS never uses a word twice */
				x = prf_of((double)common, nhyp, nr);
			else
				x = prf_of((double)grams[t - 1], grams_total(nhyp, t), grams_total(nr, t));
			if (rc == 0)
				keep_better(&out[k], x, r == 0);
		}
	}
	return rc;
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
	shortseg_free(&s->brief);
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
