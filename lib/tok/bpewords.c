/* SPDX-License-Identifier: Apache-2.0 */
/* Stretches of bytes cut into words without lists of pieces: where every step of the pre-tokenizer keeps both what it finds and what is
 * between, each step walks through what the one before hands down, and the words of the last go to the model at once. */
#include "tokimpl.h"
#include "utf8.h"

bool bpe_bytes_known(const struct tok *t, const struct pieces *v)
{
	for (size_t k = 0; k < v->n; k++)
		for (size_t i = 0; v->v[k].id < 0 && i < v->v[k].n; i++)
			if (t->byte_sym[(uint8_t)v->v[k].p[i]] == UINT32_MAX)
				return false;
	return true;
}

/* The first match of PRE in [P, END): it begins at *P (moved there), its end is returned; NULL: none, *P is END. */
static inline const char *find(const struct pre *pre, const char **p, const char *end)
{
	while (*p < end) {
		const char *q = *p, *stop;

		if (pre->is) {
			if (pre->is(utf8_get(&q)))
				return q;
			*p = q;
			continue;
		}
		if (pre->seek && (*p = pre->seek(q, end)) == end)
			break;
		if ((stop = pre->scan(*p, end)) != NULL)
			return stop;
		utf8_get(p);
	}
	return NULL;
}

static void step(const struct tok *t, struct tok_scratch *s, const struct piece *p, size_t level, const char *from, const char *to, struct tok_ids *out)
{
	const char *done = from, *stop;

	if (level + 1 == t->npre) {             /* the step to bytes */
		bpe_word(t, s, p, (size_t)(from - p->p), (size_t)(to - p->p), out);
		return;
	}
	while ((stop = find(&t->pre[level], &from, to)) != NULL) {
		if (done < from)
			step(t, s, p, level + 1, done, from, out);
		step(t, s, p, level + 1, from, stop, out);
		done = from = stop;
	}
	if (done < to)
		step(t, s, p, level + 1, done, to, out);
}

/* Most pre-tokenizers cut with one scanner that matches everywhere, or nearly. */
static void one_step(const struct tok *t, struct tok_scratch *s, const struct piece *p, struct tok_ids *out)
{
	scan_fn *scan = t->pre[0].scan;
	const char *next;

	for (const char *w = p->p, *end = w + p->n; w < end; w = next) {
		if ((next = scan(w, end)) == NULL) {
			step(t, s, p, 0, w, end, out);
			return;
		}
		bpe_word(t, s, p, (size_t)(w - p->p), (size_t)(next - p->p), out);
	}
}

void bpe_stretch(const struct tok *t, struct tok_scratch *s, const struct piece *p, struct tok_ids *out)
{
	if (t->npre == 2 && t->pre[0].scan)
		one_step(t, s, p, out);
	else
		step(t, s, p, 0, p->p, p->p + p->n, out);
}
