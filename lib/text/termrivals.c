/* SPDX-License-Identifier: Apache-2.0 */
#include "termrivals.h"

#include <stdlib.h>
#include <string.h>

/* A term as its folded characters, in the order of classes and of those. */
struct folded {
	const char *class;
	uint32_t term, n;
	const uint32_t *c;
};

struct termrivals {
	const struct termset *set;
	struct arena arena;
	struct folded *by_text;        /* terms that have a class, sorted */
	uint32_t n;
	uint32_t *place;               /* by term: where it stands there; UINT32_MAX: no class */
};

static int compare(const void *pa, const void *pb)
{
	const struct folded *a = pa, *b = pb;
	int d = strcmp(a->class, b->class);

	for (uint32_t i = 0; d == 0 && i < a->n && i < b->n; i++)
		d = (a->c[i] > b->c[i]) - (a->c[i] < b->c[i]);
	if (d == 0)
		d = (a->n > b->n) - (a->n < b->n);
	return d ? d : (a->term > b->term) - (a->term < b->term);
}

struct termrivals *termrivals_new(const struct termset *set)
{
	struct termrivals *r = mem_new(sizeof *r);
	uint32_t count = termset_count(set);
	struct termscan w = {0};

	r->set = set;
	arena_init(&r->arena);
	r->by_text = mem_new((count + 1) * sizeof *r->by_text);
	r->place = mem_grow(NULL, (size_t)count + 1, sizeof *r->place);
	for (uint32_t t = 0; t < count; t++) {
		const struct term *term = termset_get(set, t);
		uint32_t *c;

		r->place[t] = UINT32_MAX;
		if (*term->class == '\0' || term->variant_only)
			continue;
		termscan_fold(&w, termset_unicode(set), NULL, term->form.text, term->form.n);
		c = arena_get(&r->arena, (w.n + 1) * sizeof *c);
		for (size_t i = 0; i < w.n; i++)
			c[i] = w.ch[i].c;
		r->by_text[r->n++] = (struct folded){ term->class, t, (uint32_t)w.n, c };
	}
	termscan_release(&w);
	qsort(r->by_text, r->n, sizeof *r->by_text, compare);
	for (uint32_t i = 0; i < r->n; i++)
		r->place[r->by_text[i].term] = i;
	return r;
}

void termrivals_free(struct termrivals *r)
{
	if (r == NULL)
		return;
	mem_free(r->by_text);
	mem_free(r->place);
	arena_release(&r->arena);
	mem_free(r);
}

void termrival_list_release(struct termrival_list *l)
{
	mem_free(l->form);
	memset(l, 0, sizeof *l);
}

static void add(struct termrival_list *l, const struct term_form *form)
{
	ARRAY_ROOM(l->form, l->n, l->cap);
	l->form[l->n++] = form;
}

/* How many characters they begin with alike. */
static uint32_t common(const struct folded *a, const struct folded *b)
{
	uint32_t n = 0;

	while (n < a->n && n < b->n && a->c[n] == b->c[n])
		n++;
	return strcmp(a->class, b->class) == 0 ? n : 0;
}

void termrivals_of(const struct termrivals *r, uint32_t term, struct termrival_list *l)
{
	const struct term *t = termset_get(r->set, term);
	uint32_t at = r->place[term];
	const struct folded *f;

	l->n = 0;
	for (uint32_t v = 0; v < t->nvariants; v++)
		add(l, &t->variant[v]);
	if (at == UINT32_MAX)
		return;
	f = &r->by_text[at];
	/* terms of the class that begin with its first half stand about it */
	for (uint32_t i = at; i-- > 0 && 2 * common(f, &r->by_text[i]) >= f->n; )
		add(l, &termset_get(r->set, r->by_text[i].term)->form);
	for (uint32_t i = at + 1; i < r->n && 2 * common(f, &r->by_text[i]) >= f->n; i++)
		add(l, &termset_get(r->set, r->by_text[i].term)->form);
}
