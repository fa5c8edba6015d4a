/* SPDX-License-Identifier: Apache-2.0 */
/* BM25 over an inverted index in memory. */
#include "similar.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "minhash.h"
#include "strmap.h"
#include "unicode.h"

#define K1 1.2
#define B 0.75
#define NEAR 0.8
#define AHEAD 32                       /* texts found at a time: more than are asked for, mostly */

/* A term in a text of the pool. */
struct posting {
	uint32_t text;
	float weight;                  /* what it adds to the score; before similar_ready(): how often it is there */
};

/* Hashes of shingles, sorted. */
struct shingles {
	uint64_t *h;
	size_t n, cap;
};

/* The pool, which nothing changes once it is ready. */
struct pool {
	struct unicode *unicode;
	struct strmap terms;           /* term -> its number */
	/* while texts are added: postings in the order of the texts, with the term of each */
	struct posting *put;
	uint32_t *term;
	size_t nput, put_cap, term_cap;
	uint32_t *length;              /* of each text, in terms */
	size_t n, length_cap;
	/* then by term: those of term T are posting[first[T]..first[T + 1]] */
	struct posting *posting;
	size_t *first;
};

struct similar {
	struct pool pool;              /* with SHARED another's */
	bool shared;
	struct buf low, folded;        /* the text at hand */
	uint32_t *list;                /* its terms, sorted, as often as they are there */
	size_t nlist, list_cap;
	/* a search */
	double *score;                 /* of each text; 0: shares no term */
	uint32_t next[AHEAD];          /* the best texts with a score that are still to come, in order */
	size_t at, nnext;
	bool more;                     /* there are others behind those */
	uint32_t *touched;             /* texts with a score */
	size_t ntouched;
	uint32_t rest;                 /* texts before this one that have no score have come */
	struct shingles own, other;
};

struct similar *similar_new(void)
{
	struct similar *s = mem_new(sizeof *s);

	s->pool.unicode = unicode_open();
	return s;
}

static void pool_release(struct pool *p)
{
	unicode_close(p->unicode);
	strmap_free(&p->terms);
	mem_free(p->put);
	mem_free(p->term);
	mem_free(p->length);
	mem_free(p->posting);
	mem_free(p->first);
}

void similar_free(struct similar *s)
{
	if (s == NULL)
		return;
	if (!s->shared)
		pool_release(&s->pool);
	buf_free(&s->low);
	buf_free(&s->folded);
	mem_free(s->list);
	mem_free(s->score);
	mem_free(s->touched);
	mem_free(s->own.h);
	mem_free(s->other.h);
	mem_free(s);
}

/* --- terms --- */

/* TEXT in lower case, blanks joined, in s->folded. */
static void fold(struct similar *s, const char *text, size_t n)
{
	s->low.n = s->folded.n = 0;
	s->low.n = unicode_lower(s->pool.unicode, text, n, buf_room(&s->low, UNICODE_LOWER_ROOM(n)));
	s->folded.n = unicode_squeeze(s->pool.unicode, s->low.p, s->low.n, buf_room(&s->folded, UNICODE_ROOM(s->low.n)));
}

/* The shingles of the folded text, as sft-dedup takes them. */
static void find_shingles(struct similar *s, struct shingles *to)
{
	static const struct shingling how = { 5, false };

	to->n = shingle_hashes(&how, s->folded.p, s->folded.n, &to->h, &to->cap);
	to->n = shingle_set(&to->h, to->n, &to->cap);
}

/* Scripts written without spaces between words: Thai to Tibetan, Burmese, Khmer, and the ideographs, kana and Hangul. */
static bool spaceless(uint32_t c)
{
	return (c >= 0x0E00 && c < 0x1000) || (c >= 0x1000 && c < 0x10A0) || (c >= 0x1780 && c < 0x1800) || (c >= 0x2E80 && c < 0xA000) ||
	       (c >= 0xAC00 && c < 0xD7B0) || (c >= 0xF900 && c < 0xFB00) || (c >= 0x20000 && c < 0x40000);
}

/* The term P[0..n-1], a new one only while texts are ADDED. */
static void add_term(struct similar *s, const char *p, size_t n, bool added)
{
	const struct strmap_entry *e = added ? strmap_put(&s->pool.terms, p, n, s->pool.terms.n, NULL) : strmap_find(&s->pool.terms, p, n);

	if (e == NULL)
		return;
	ARRAY_ROOM(s->list, s->nlist, s->list_cap);
	s->list[s->nlist++] = (uint32_t)e->value;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static bool in_word(const struct similar *s, uint32_t c)
{
	return unicode_class(s->pool.unicode, c) & (UNI_WORD | UNI_MARK);
}

/* The terms of the folded text. */
static void find_terms(struct similar *s, bool added)
{
	const char *p = s->folded.p, *end = p + s->folded.n, *before = NULL;   /* BEFORE: the spaceless character right before P */

	s->nlist = 0;
	while (p < end) {
		const char *from = p;
		uint32_t c = utf8_get(&p);

		if (!in_word(s, c)) {
			before = NULL;
		} else if (spaceless(c)) {
			add_term(s, from, (size_t)(p - from), added);
			if (before)
				add_term(s, before, (size_t)(p - before), added);
			before = from;
		} else {
			for (const char *q = p; q < end; p = q) {
				c = utf8_get(&q);
				if (!in_word(s, c) || spaceless(c))
					break;
			}
			add_term(s, from, (size_t)(p - from), added);
			before = NULL;
		}
	}
	if (s->nlist)
		qsort(s->list, s->nlist, sizeof *s->list, by_number);
}

/* How often the term at I of the list is there. */
static size_t times(const struct similar *s, size_t i)
{
	size_t end = i + 1;

	while (end < s->nlist && s->list[end] == s->list[i])
		end++;
	return end - i;
}

/* --- the index --- */

void similar_add(struct similar *s, const char *text, size_t n)
{
	fold(s, text, n);
	find_terms(s, true);
	for (size_t i = 0, k; i < s->nlist; i += k) {
		k = times(s, i);
		ARRAY_ROOM(s->pool.term, s->pool.nput, s->pool.term_cap);
		ARRAY_ROOM(s->pool.put, s->pool.nput, s->pool.put_cap);
		s->pool.term[s->pool.nput] = s->list[i];
		s->pool.put[s->pool.nput++] = (struct posting){ (uint32_t)s->pool.n, (float)k };
	}
	ARRAY_ROOM(s->pool.length, s->pool.n, s->pool.length_cap);
	s->pool.length[s->pool.n++] = (uint32_t)s->nlist;
}

/* Put the postings in the order of their terms; those of a term stay in the order of the texts. */
static void sort_postings(struct similar *s)
{
	size_t nterms = s->pool.terms.n, *next = mem_new((nterms + 1) * sizeof *next);

	s->pool.first = mem_new((nterms + 2) * sizeof *s->pool.first);
	s->pool.posting = mem_grow(NULL, s->pool.nput + 1, sizeof *s->pool.posting);
	for (size_t i = 0; i < s->pool.nput; i++)
		s->pool.first[s->pool.term[i] + 1]++;
	for (size_t t = 0; t < nterms; t++)
		s->pool.first[t + 1] += s->pool.first[t];
	memcpy(next, s->pool.first, nterms * sizeof *next);
	for (size_t i = 0; i < s->pool.nput; i++)
		s->pool.posting[next[s->pool.term[i]]++] = s->pool.put[i];
	mem_free(next);
	mem_free(s->pool.put);
	mem_free(s->pool.term);
	s->pool.put = NULL;
	s->pool.term = NULL;
}

static void make_room(struct similar *s)
{
	s->score = mem_new((s->pool.n + 1) * sizeof *s->score);
	s->touched = mem_new((s->pool.n + 1) * sizeof *s->touched);
}

void similar_ready(struct similar *s)
{
	double total = 0, n = (double)s->pool.n;

	sort_postings(s);
	for (size_t i = 0; i < s->pool.n; i++)
		total += s->pool.length[i];
	for (size_t t = 0; t < s->pool.terms.n; t++) {
		double have = (double)(s->pool.first[t + 1] - s->pool.first[t]), idf = log(1 + (n - have + 0.5) / (have + 0.5));
		for (size_t i = s->pool.first[t]; i < s->pool.first[t + 1]; i++) {
			struct posting *p = &s->pool.posting[i];
			double tf = p->weight, length = s->pool.length[p->text] * n / total;
			p->weight = (float)(idf * tf * (K1 + 1) / (tf + K1 * (1 - B + B * length)));
		}
	}
	make_room(s);
}

struct similar *similar_share(const struct similar *s)
{
	struct similar *to = mem_new(sizeof *to);

	to->pool = s->pool;
	to->shared = true;
	make_room(to);
	return to;
}

/* --- searching --- */

static bool better(const struct similar *s, uint32_t a, uint32_t b)
{
	return s->score[a] != s->score[b] ? s->score[a] > s->score[b] : a < b;
}

/* The best AHEAD texts that come after the last that was found. */
static void look_ahead(struct similar *s)
{
	uint32_t last = s->nnext ? s->next[s->nnext - 1] : UINT32_MAX, *best = s->next;
	size_t n = 0;

	s->more = false;
	for (size_t i = 0; i < s->ntouched; i++) {
		uint32_t text = s->touched[i];
		size_t at;
		if (n == AHEAD && !better(s, text, best[n - 1])) {
			s->more = true;
			continue;
		}
		if (last != UINT32_MAX && !better(s, last, text))
			continue;
		s->more |= n == AHEAD;
		for (at = n < AHEAD ? n++ : n - 1; at > 0 && better(s, text, best[at - 1]); at--)
			best[at] = best[at - 1];
		best[at] = text;
	}
	s->nnext = n;
	s->at = 0;
}

void similar_rank(struct similar *s, const char *text, size_t n)
{
	for (size_t i = 0; i < s->ntouched; i++)
		s->score[s->touched[i]] = 0;
	s->ntouched = s->rest = 0;
	fold(s, text, n);
	find_terms(s, false);
	for (size_t i = 0, k; i < s->nlist; i += k) {
		uint32_t t = s->list[i];
		k = times(s, i);
		for (size_t at = s->pool.first[t]; at < s->pool.first[t + 1]; at++) {
			const struct posting *p = &s->pool.posting[at];
			if (s->score[p->text] == 0)
				s->touched[s->ntouched++] = p->text;
			s->score[p->text] += (double)k * p->weight;
		}
	}
	s->nnext = 0;
	look_ahead(s);
	find_shingles(s, &s->own);
}

bool similar_next(struct similar *s, uint32_t *i)
{
	if (s->at == s->nnext && s->more)
		look_ahead(s);
	if (s->at < s->nnext) {
		*i = s->next[s->at++];
		return true;
	}
	while (s->rest < s->pool.n && s->score[s->rest] != 0)
		s->rest++;
	*i = s->rest;
	return s->rest++ < s->pool.n;
}

bool similar_near(struct similar *s, const char *other, size_t n)
{
	fold(s, other, n);
	find_shingles(s, &s->other);
	return shingle_jaccard(s->own.h, s->own.n, s->other.h, s->other.n) >= NEAR;
}
