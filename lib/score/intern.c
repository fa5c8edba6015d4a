/* SPDX-License-Identifier: Apache-2.0 */
#include "intern.h"

#include <string.h>

#include "hash.h"

void intern_begin(struct intern *t, size_t n)
{
	if (t->nslots < 2 * n + 16) {
		size_t want = t->nslots ? t->nslots : 64;

		while (want < 2 * n + 16)
			want *= 2;
		mem_free(t->slot);
		t->slot = mem_new(want * sizeof *t->slot);
		t->nslots = want;
		t->epoch = 0;
	}
	if (++t->epoch == 0) {
		memset(t->slot, 0, t->nslots * sizeof *t->slot);
		t->epoch = 1;
	}
	t->n = 0;
}

static struct intern_slot *probe(const struct intern *t, struct text w, uint64_t h)
{
	size_t i = h & (t->nslots - 1);

	while (t->slot[i].epoch == t->epoch && !(t->slot[i].hash == h && text_equal(t->slot[i].word, w)))
		i = (i + 1) & (t->nslots - 1);
	return &t->slot[i];
}

uint32_t intern_put(struct intern *t, struct text w)
{
	uint64_t h = hash64(w.p, w.n, 0);
	struct intern_slot *s = probe(t, w, h);

	if (s->epoch != t->epoch)
		*s = (struct intern_slot){ h, t->epoch, t->n++, w };
	return s->id;
}

uint32_t intern_find(const struct intern *t, struct text w)
{
	const struct intern_slot *s = probe(t, w, hash64(w.p, w.n, 0));

	return s->epoch == t->epoch ? s->id : INTERN_NONE;
}

void intern_free(struct intern *t)
{
	mem_free(t->slot);
	memset(t, 0, sizeof *t);
}

uint32_t *ids_room(struct ids *to, size_t n)
{
	if (to->cap < n) {
		to->cap = n + n / 2 + 16;
		to->v = mem_grow(to->v, to->cap, sizeof *to->v);
	}
	to->n = n;
	return to->v;
}

void put_words(struct intern *t, const struct words *w, struct ids *to)
{
	uint32_t *v = ids_room(to, w->n);

	intern_begin(t, w->n);
	for (size_t i = 0; i < w->n; i++)
		v[i] = intern_put(t, w->w[i]);
}

void find_words(const struct intern *t, const struct words *w, struct ids *to)
{
	uint32_t *v = ids_room(to, w->n);

	for (size_t i = 0; i < w->n; i++)
		v[i] = intern_find(t, w->w[i]);
}
