/* SPDX-License-Identifier: Apache-2.0 */
#include "xform.h"

#include <string.h>

#include "utf8.h"

void xform_begin(struct xform *x, struct tok_scratch *s, const struct piece *src)
{
	*x = (struct xform){ .arena = &s->arena, .src = src, .track = s->align };
}

/* Room for N more bytes. */
static void room(struct xform *x, size_t n)
{
	size_t cap = x->cap ? x->cap : x->src->n + 64;
	char *p = x->p;
	uint32_t *from = x->from, *to = x->to;

	if (x->n + n <= x->cap)
		return;
	while (cap < x->n + n || cap == x->cap)
		cap += cap / 2 + 64;
	x->p = arena_get(x->arena, cap);
	if (x->n)
		memcpy(x->p, p, x->n);
	if (x->track) {
		x->from = arena_get(x->arena, cap * sizeof *from);
		x->to = arena_get(x->arena, cap * sizeof *to);
		if (x->n) {
			memcpy(x->from, from, x->n * sizeof *from);
			memcpy(x->to, to, x->n * sizeof *to);
		}
	}
	x->cap = cap;
}

/* What byte I of the source stands for. */
static void stands_for(const struct piece *src, size_t i, uint32_t *from, uint32_t *to)
{
	if (src->n == 0) {
		*from = *to = (uint32_t)src->orig;
		return;
	}
	if (i >= src->n)
		i = src->n - 1;
	if (src->from) {
		*from = src->from[i];
		*to = src->to[i];
		return;
	}
	while (i > 0 && ((unsigned char)src->p[i] & 0xC0) == 0x80)
		i--;
	*from = (uint32_t)(src->orig + i);
	*to = (uint32_t)(*from + utf8_size(src->p + i));
}

void xform_skip(struct xform *x, size_t n)
{
	x->at = n < x->src->n - x->at ? x->at + n : x->src->n;
}

void xform_put(struct xform *x, uint32_t c, int64_t change)
{
	size_t n;

	room(x, 4);
	n = utf8_put(x->p + x->n, c);
	if (x->track) {
		uint32_t from, to;

		if (change > 0 && x->at == 0)
			from = to = (uint32_t)x->src->orig;
		else
			stands_for(x->src, change > 0 ? x->at - 1 : x->at, &from, &to);
		for (size_t i = 0; i < n; i++) {
			x->from[x->n + i] = from;
			x->to[x->n + i] = to;
		}
	}
	x->n += n;
	for (; change <= 0 && x->at < x->src->n; change++) {
		xform_skip(x, utf8_size(x->src->p + x->at));
		if (change == 0)
			break;
	}
}

void xform_copy(struct xform *x, size_t n)
{
	if (n == 0)
		return;
	room(x, n);
	memcpy(x->p + x->n, x->src->p + x->at, n);
	for (size_t i = 0; x->track && i < n; i++)
		stands_for(x->src, x->at + i, &x->from[x->n + i], &x->to[x->n + i]);
	x->n += n;
	x->at += n;
}

void xform_end(struct xform *x, struct piece *out)
{
	struct piece r = { x->p, x->n, x->from, x->to, x->src->orig, -1 };

	if (r.p == NULL)
		r.p = "";
	*out = r;
}
