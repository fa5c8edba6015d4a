/* SPDX-License-Identifier: Apache-2.0 */
#include "nearterms.h"

#include <stdlib.h>
#include <string.h>

#include "acmatch.h"
#include "strmap.h"

/* Texts of code points, each once, and what they stand for. */
struct pool {
	struct strmap seen;            /* bytes of the code points -> number */
	uint32_t *text, *end;
	size_t n, cap, ends_cap;
	uint32_t count;
};

/* Half a term: the left one comes first. */
struct half {
	uint32_t pattern, term;
	bool right;
};

struct nearterms {
	const struct termset *s;
	const struct unicode *u;
	uint32_t *like;                /* NULL: no look-alikes */
	struct acmatch *alike, *halves;
	uint32_t *alike_term;          /* by pattern */
	struct half *half;             /* sorted by pattern */
	uint32_t *first;               /* by pattern: its first half; one more at the end */
	uint32_t *text, *end;          /* of all terms, folded */
};

static uint32_t pool_put(struct pool *p, const uint32_t *c, size_t n)
{
	bool added;
	struct strmap_entry *entry = strmap_put(&p->seen, (const char *)c, n * sizeof *c, p->count, &added);

	if (!added)
		return (uint32_t)entry->value;
	for (size_t i = 0; i < n; i++) {
		ARRAY_ROOM(p->text, p->n, p->cap);
		p->text[p->n++] = c[i];
	}
	ARRAY_ROOM(p->end, p->count, p->ends_cap);
	p->end[p->count] = (uint32_t)p->n;
	return p->count++;
}

static void pool_release(struct pool *p)
{
	strmap_free(&p->seen);
	mem_free(p->text);
	mem_free(p->end);
}

static const uint32_t *term_text(const struct nearterms *n, uint32_t term, uint32_t *len)
{
	uint32_t from = term ? n->end[term - 1] : 0;

	*len = n->end[term] - from;
	return n->text + from;
}

static void fold_terms(struct nearterms *n)
{
	struct termscan w = {0};
	size_t used = 0, cap = 0;

	n->end = mem_grow(NULL, (size_t)termset_count(n->s) + 1, sizeof *n->end);
	for (uint32_t t = 0; t < termset_count(n->s); t++) {
		const struct term_form *f = &termset_get(n->s, t)->form;

		termscan_fold(&w, n->u, NULL, f->text, f->n);
		for (size_t i = 0; i < w.n; i++) {
			ARRAY_ROOM(n->text, used, cap);
			n->text[used++] = w.ch[i].c;
		}
		n->end[t] = (uint32_t)used;
	}
	termscan_release(&w);
}

/* Letters of a term, those of scripts without blanks twice. */
static uint32_t letters_of(const struct nearterms *n, uint32_t term)
{
	uint32_t len, k = 0;
	const uint32_t *c = term_text(n, term, &len);

	for (uint32_t i = 0; i < len; i++)
		if (unicode_class(n->u, c[i]) & UNI_WORD)
			k += termscan_spaced(n->u, c[i]) ? 1 : 2;
	return k;
}

/* --- look-alikes --- */

static int single(const struct unicode *u, const struct term_form *f, uint32_t *c, struct err *e)
{
	struct termscan w = {0};

	termscan_fold(&w, u, NULL, f->text, f->n);
	*c = w.ch[0].c;
	if (w.n == 1 && *c < 0x10000) {
		termscan_release(&w);
		return 0;
	}
	termscan_release(&w);
	return err_set(e, SFT_BADDATA, "%s:%llu: '%.60s' (expected one character, up to U+FFFF)", f->file, (unsigned long long)f->line, f->text);
}

static int read_alike(struct nearterms *n, const struct termset *alike, struct err *e)
{
	int rc;

	n->like = mem_grow(NULL, 0x10000, sizeof *n->like);
	for (uint32_t c = 0; c < 0x10000; c++)
		n->like[c] = c;
	for (uint32_t t = 0; t < termset_count(alike); t++) {
		const struct term *term = termset_get(alike, t);
		uint32_t to, from;

		if ((rc = single(n->u, &term->form, &to, e)) != 0)
			return rc;
		for (uint32_t i = 0; i < term->nvariants; i++) {
			if ((rc = single(n->u, &term->variant[i], &from, e)) != 0)
				return rc;
			n->like[from] = to;
		}
	}
	return 0;
}

static uint32_t like(const struct nearterms *n, uint32_t c)
{
	return c < 0x10000 ? n->like[c] : c;
}

enum { ALIKE_LETTERS = 4 };            /* shorter terms look like too many words */

static void build_alike(struct nearterms *n)
{
	struct pool p = {0};
	uint32_t key[TERM_MAX];

	n->alike_term = mem_grow(NULL, (size_t)termset_count(n->s) + 1, sizeof *n->alike_term);
	for (uint32_t t = 0; t < termset_count(n->s); t++) {
		uint32_t len, before = p.count;
		const uint32_t *c = term_text(n, t, &len);

		if (termset_get(n->s, t)->variant_only || letters_of(n, t) < ALIKE_LETTERS)
			continue;
		for (uint32_t i = 0; i < len; i++)
			key[i] = like(n, c[i]);
		if (pool_put(&p, key, len) == before)
			n->alike_term[before] = t;
	}
	n->alike = acmatch_new(p.text, p.end, p.count);
	pool_release(&p);
}

/* --- halves --- */

static int by_pattern(const void *x, const void *y)
{
	const struct half *a = x, *b = y;

	if (a->pattern != b->pattern)
		return a->pattern < b->pattern ? -1 : 1;
	return (a->term > b->term) - (a->term < b->term);
}

/* Shorter ones have too many neighbours; of longer ones, that only differ late, comparing takes too long. */
enum { SHORTEST = 4, LONGEST = 64 };

static void build_halves(struct nearterms *n, uint32_t letters)
{
	struct pool p = {0};
	size_t count = 0, cap = 0;

	for (uint32_t t = 0; t < termset_count(n->s); t++) {
		uint32_t len;
		const uint32_t *c = term_text(n, t, &len);

		if (len < SHORTEST || len > LONGEST || termset_get(n->s, t)->variant_only || letters_of(n, t) < letters)
			continue;
		for (int right = 0; right < 2; right++) {
			ARRAY_ROOM(n->half, count, cap);
			n->half[count++] = (struct half){ pool_put(&p, right ? c + len / 2 : c, right ? len - len / 2 : len / 2), t, right };
		}
	}
	if (count)
		qsort(n->half, count, sizeof *n->half, by_pattern);
	n->first = mem_grow(NULL, (size_t)p.count + 1, sizeof *n->first);
	for (uint32_t i = 0, k = 0; i <= p.count; i++) {
		while (k < count && n->half[k].pattern < i)
			k++;
		n->first[i] = k;
	}
	n->halves = acmatch_new(p.text, p.end, p.count);
	pool_release(&p);
}

int nearterms_new(struct nearterms **out, const struct termset *s, uint32_t letters, const struct termset *alike, struct err *e)
{
	struct nearterms *n = mem_new(sizeof *n);
	int rc = 0;

	*out = NULL;
	n->s = s;
	n->u = termset_unicode(s);
	fold_terms(n);
	if (alike && (rc = read_alike(n, alike, e)) == 0)
		build_alike(n);
	if (rc == 0 && letters)
		build_halves(n, letters);
	if (rc == 0)
		*out = n;
	else
		nearterms_free(n);
	return rc;
}

void nearterms_free(struct nearterms *n)
{
	if (n == NULL)
		return;
	acmatch_free(n->alike);
	acmatch_free(n->halves);
	mem_free(n->like);
	mem_free(n->alike_term);
	mem_free(n->half);
	mem_free(n->first);
	mem_free(n->text);
	mem_free(n->end);
	mem_free(n);
}

/* --- finding --- */

void nearscan_release(struct nearscan *w)
{
	mem_free(w->hit);
	*w = (struct nearscan){0};
}

static void add_hit(struct nearscan *w, const struct termscan *t, size_t from, size_t to, uint32_t term, bool alike)
{
	ARRAY_ROOM(w->hit, w->nhits, w->cap);
	w->hit[w->nhits++] = (struct nearhit){ t->ch[from].at, t->ch[to].at - t->ch[from].at, term, alike };
}

/* Does T hold C[0..len-1] at FROM? */
static bool stands_at(const struct termscan *t, size_t from, const uint32_t *c, size_t len)
{
	if (from > t->n || len > t->n - from)
		return false;
	for (size_t i = 0; i < len; i++)
		if (t->ch[from + i].c != c[i])
			return false;
	return true;
}

static void find_alike(const struct nearterms *n, struct nearscan *w, const struct termscan *t)
{
	uint32_t state = 0;

	for (size_t i = t->n; i-- > 0; ) {
		state = acmatch_step(n->alike, state, like(n, t->ch[i].c));
		for (uint32_t k = acmatch_first(n->alike, state); k; k = acmatch_next(n->alike, k)) {
			uint32_t term = n->alike_term[acmatch_word(n->alike, k)], len;
			const uint32_t *c = term_text(n, term, &len);

			if (!termscan_whole(t, n->u, i, i + len))
				continue;
			if (!stands_at(t, i, c, len))
				add_hit(w, t, i, i + len, term, true);
			break;
		}
	}
}

/* May C be a slip? */
static bool letter(const struct nearterms *n, uint32_t c)
{
	return (unicode_class(n->u, c) & (UNI_WORD | UNI_MARK)) && !(c >= '0' && c <= '9');
}

/* C[0..len-1] is to be looked for in T with one edit, its one end being at a place that is known. */
struct edit {
	const struct nearterms *n;
	const struct termscan *t;
	const uint32_t *c;
	uint32_t len;
};

static bool letter_at(const struct edit *e, size_t i)
{
	return i < e->t->n && letter(e->n, e->t->ch[i].c);
}

static bool whole(const struct edit *e, size_t from, size_t to)
{
	return termscan_whole(e->t, e->n->u, from, to);
}

/* The text from FROM on begins with the first LEFT of E: where what is whole and one edit off ends; 0 if nothing does. */
static size_t edited_after(const struct edit *e, size_t from, uint32_t left)
{
	uint32_t p = left, rest;
	size_t at, to;

	while (p < e->len && from + p < e->t->n && e->t->ch[from + p].c == e->c[p])
		p++;
	at = from + p;
	rest = e->len - p;
	if (rest == 0)                 /* the term, or with a letter more at the end another form of it: "pills" */
		return 0;
	to = at + rest;
	if (letter(e->n, e->c[p])) {
		if (letter_at(e, at) && stands_at(e->t, at + 1, e->c + p + 1, rest - 1) && whole(e, from, to))
			return to;
		if (stands_at(e->t, at, e->c + p + 1, rest - 1) && whole(e, from, to - 1))
			return to - 1;
	}
	return letter_at(e, at) && stands_at(e->t, at + 1, e->c + p, rest) && whole(e, from, to + 1) ? to + 1 : 0;
}

/* The text before TO ends with all but the first LEFT of E: where what is whole and one edit off begins; SIZE_MAX if nothing does. */
static size_t edited_before(const struct edit *e, size_t to, uint32_t left)
{
	size_t end = to - (e->len - left), at;
	uint32_t q = left;             /* what of it is not found yet */

	while (q > 0 && end > 0 && e->t->ch[end - 1].c == e->c[q - 1]) {
		q--;
		end--;
	}
	at = end - 1;
	if (q == 0)
		return end > 0 && letter_at(e, at) && !whole(e, end, to) && whole(e, at, to) ? at : SIZE_MAX;
	if (letter(e->n, e->c[q - 1])) {
		if (end >= q && letter_at(e, at) && stands_at(e->t, end - q, e->c, q - 1) && whole(e, end - q, to))
			return end - q;
		if (end >= q - 1 && stands_at(e->t, end - q + 1, e->c, q - 1) && whole(e, end - q + 1, to))
			return end - q + 1;
	}
	return end > q && letter_at(e, at) && stands_at(e->t, end - q - 1, e->c, q) && whole(e, end - q - 1, to) ? end - q - 1 : SIZE_MAX;
}

static void look_around(const struct nearterms *n, struct nearscan *w, const struct termscan *t, size_t at, const struct half *h)
{
	struct edit e = { .n = n, .t = t };
	size_t from = at, to;

	e.c = term_text(n, h->term, &e.len);
	if (h->right) {
		to = at + e.len - e.len / 2;
		from = edited_before(&e, to, e.len / 2);
	} else {
		to = edited_after(&e, from, e.len / 2);
	}
	if (from != SIZE_MAX && to != 0)
		add_hit(w, t, from, to, h->term, false);
}

static void find_edited(const struct nearterms *n, struct nearscan *w, const struct termscan *t)
{
	uint32_t state = 0;

	for (size_t i = t->n; i-- > 0; ) {
		state = acmatch_step(n->halves, state, t->ch[i].c);
		for (uint32_t k = acmatch_first(n->halves, state); k; k = acmatch_next(n->halves, k)) {
			uint32_t p = acmatch_word(n->halves, k);

			for (uint32_t h = n->first[p]; h < n->first[p + 1]; h++)
				look_around(n, w, t, i, &n->half[h]);
		}
	}
}

/* Leftmost first; of these look-alikes, then the longest, then in the order of the dictionary. */
static int by_place(const void *x, const void *y)
{
	const struct nearhit *a = x, *b = y;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if (a->alike != b->alike)
		return a->alike ? -1 : 1;
	if (a->n != b->n)
		return a->n > b->n ? -1 : 1;
	return (a->term > b->term) - (a->term < b->term);
}

/* Bytes of H that the terms found do not cover.  *NEXT: the first of these that may matter to what follows H.  0, too, where H
 * lies across one that is as long. */
static size_t uncovered(const struct nearhit *h, const struct termscan *t, size_t *next)
{
	size_t end = h->at + h->n, left = h->n;

	while (*next < t->nhits && t->hit[*next].at + t->hit[*next].n <= h->at)
		++*next;
	for (size_t i = *next; i < t->nhits && t->hit[i].at < end; i++) {
		const struct termhit *k = &t->hit[i];
		size_t from = k->at > h->at ? k->at : h->at, to = k->at + k->n < end ? k->at + k->n : end;

		if (k->n >= h->n)
			return 0;
		left -= to - from;
	}
	return left;
}

/* Words that are known one by one, and one character at most, are no slip: "type of diabetes", "gastric ulcer". */
static bool known(const struct nearhit *h, const struct termscan *t, size_t *next)
{
	enum { CHARACTER = 3 };        /* bytes, of Chinese */
	size_t left = uncovered(h, t, next);

	return left == 0 || (!h->alike && left <= CHARACTER);
}

size_t nearterms_find(const struct nearterms *n, struct nearscan *w, const struct termscan *t)
{
	size_t kept = 0, next = 0, end = 0;

	w->nhits = 0;
	if (n->alike)
		find_alike(n, w, t);
	if (n->halves)
		find_edited(n, w, t);
	if (w->nhits)
		qsort(w->hit, w->nhits, sizeof *w->hit, by_place);
	for (size_t i = 0; i < w->nhits; i++) {
		const struct nearhit h = w->hit[i];

		if (h.at < end || known(&h, t, &next))
			continue;
		end = h.at + h.n;
		w->hit[kept++] = h;
	}
	return w->nhits = kept;
}
