/* SPDX-License-Identifier: Apache-2.0 */
#include "acmatch.h"

#include <stdlib.h>

#include "mem.h"

/* Nodes lie breadth first, so the children of one are neighbours, sorted by their code points. */
struct node {
	uint32_t c;                    /* on the edge from its parent */
	uint32_t child, nchildren;
	uint32_t fail;                 /* the longest proper suffix of its path that is a path too */
	uint32_t out;                  /* itself if a word ends here, else the next such node along fail; 0: none */
	uint32_t word;                 /* + 1; 0: none */
};

struct acmatch {
	struct node *node;
	uint32_t n;
	uint32_t *length;              /* of the words */
	uint32_t root[0x10000];        /* child of the root, 0: none */
};

/* While building: words sorted by their reversed text; a node stands for those from lo to hi - 1. */
struct range {
	uint32_t lo, hi, depth;
};

struct build {
	const uint32_t *text, *end;
	uint32_t *order;
	struct range *range;           /* by node */
	struct acmatch *a;
	size_t cap;
};

static const uint32_t *word_at(const struct build *b, uint32_t i, uint32_t *n)
{
	uint32_t from = i ? b->end[i - 1] : 0;

	*n = b->end[i] - from;
	return b->text + from;
}

static int by_reversed(const void *x, const void *y, void *ctx)
{
	const struct build *b = ctx;
	uint32_t nx, ny;
	const uint32_t *p = word_at(b, *(const uint32_t *)x, &nx), *q = word_at(b, *(const uint32_t *)y, &ny);

	while (nx && ny) {
		uint32_t c = p[--nx], d = q[--ny];

		if (c != d)
			return c < d ? -1 : 1;
	}
	return (nx > 0) - (ny > 0);
}

static void add_node(struct build *b, uint32_t c, struct range r)
{
	struct acmatch *a = b->a;

	if (a->n == b->cap) {
		b->cap = b->cap ? 2 * b->cap : 256;
		a->node = mem_grow(a->node, b->cap, sizeof *a->node);
		b->range = mem_grow(b->range, b->cap, sizeof *b->range);
	}
	b->range[a->n] = r;
	a->node[a->n++] = (struct node){ .c = c };
}

static uint32_t child_of(const struct acmatch *a, uint32_t at, uint32_t c)
{
	uint32_t lo, hi;

	if (at == 0 && c < 0x10000)
		return a->root[c];
	lo = a->node[at].child;
	hi = lo + a->node[at].nchildren;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (a->node[mid].c == c)
			return mid;
		if (a->node[mid].c < c)
			lo = mid + 1;
		else
			hi = mid;
	}
	return 0;
}

/* The children of node AT, and the word that ends there. */
static void spread(struct build *b, uint32_t at)
{
	struct range r = b->range[at];
	uint32_t i = r.lo, n;

	word_at(b, b->order[i], &n);
	if (n == r.depth)
		b->a->node[at].word = b->order[i++] + 1;
	b->a->node[at].child = b->a->n;
	while (i < r.hi) {
		const uint32_t *w = word_at(b, b->order[i], &n);
		uint32_t c = w[n - 1 - r.depth], from = i;

		for (; i < r.hi; i++) {
			w = word_at(b, b->order[i], &n);
			if (w[n - 1 - r.depth] != c)
				break;
		}
		add_node(b, c, (struct range){ from, i, r.depth + 1 });
		b->a->node[at].nchildren++;
	}
}

static void link_children(struct acmatch *a, uint32_t at)
{
	struct node *p = &a->node[at];

	p->out = p->word ? at : a->node[p->fail].out;
	for (uint32_t k = p->child; k < p->child + p->nchildren; k++)
		a->node[k].fail = at == 0 ? 0 : acmatch_step(a, p->fail, a->node[k].c);
}

struct acmatch *acmatch_new(const uint32_t *text, const uint32_t *end, uint32_t n)
{
	struct acmatch *a = mem_new(sizeof *a);
	struct build b = { .text = text, .end = end, .a = a };

	b.order = mem_grow(NULL, (size_t)n + 1, sizeof *b.order);
	a->length = mem_grow(NULL, (size_t)n + 1, sizeof *a->length);
	for (uint32_t i = 0; i < n; i++) {
		b.order[i] = i;
		word_at(&b, i, &a->length[i]);
	}
	qsort_r(b.order, n, sizeof *b.order, by_reversed, &b);
	add_node(&b, 0, (struct range){ 0, n, 0 });
	for (uint32_t at = 0; n && at < a->n; at++)
		spread(&b, at);
	for (uint32_t k = a->node[0].child; k < a->node[0].child + a->node[0].nchildren; k++)
		if (a->node[k].c < 0x10000)
			a->root[a->node[k].c] = k;
	for (uint32_t at = 0; at < a->n; at++)
		link_children(a, at);
	mem_free(b.order);
	mem_free(b.range);
	return a;
}

void acmatch_free(struct acmatch *a)
{
	if (a == NULL)
		return;
	mem_free(a->node);
	mem_free(a->length);
	mem_free(a);
}

uint32_t acmatch_step(const struct acmatch *a, uint32_t state, uint32_t c)
{
	uint32_t k;

	while ((k = child_of(a, state, c)) == 0 && state)
		state = a->node[state].fail;
	return k;
}

uint32_t acmatch_first(const struct acmatch *a, uint32_t state)
{
	return a->node[state].out;
}

uint32_t acmatch_next(const struct acmatch *a, uint32_t k)
{
	return a->node[a->node[k].fail].out;
}

uint32_t acmatch_word(const struct acmatch *a, uint32_t k)
{
	return a->node[k].word - 1;
}

uint32_t acmatch_length(const struct acmatch *a, uint32_t i)
{
	return a->length[i];
}
