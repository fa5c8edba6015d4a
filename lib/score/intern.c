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

static uint64_t bytes(const char *p, size_t n)
{
	uint64_t x = 0;

	memcpy(&x, p, n);
	return x;
}

/* W's a and b. */
static inline struct intern_slot key_of(struct text w)
{
	struct intern_slot k = { .word = w };

	if (w.n > 16) {
		k.a = hash64(w.p, w.n, 0);
	} else if (w.n >= 8) {
		k.a = bytes(w.p, 8);
		k.b = bytes(w.p + w.n - 8, 8);
	} else if (w.n >= 4) {
		k.a = bytes(w.p, 4);
		k.b = bytes(w.p + w.n - 4, 4);
	} else if (w.n) {
		k.a = (unsigned char)w.p[0];
		k.b = (uint64_t)(unsigned char)w.p[w.n / 2] << 8 | (unsigned char)w.p[w.n - 1];
	}
	return k;
}

static inline bool same(const struct intern_slot *x, const struct intern_slot *k)
{
	return x->a == k->a && x->b == k->b && x->word.n == k->word.n && (k->word.n <= 16 || memcmp(x->word.p, k->word.p, k->word.n) == 0);
}

static inline struct intern_slot *probe(const struct intern *t, const struct intern_slot *k)
{
	uint64_t h = (k->a ^ (k->b << 29 | k->b >> 35) ^ k->word.n) * 0x9e3779b97f4a7c15u;
	size_t i = (h ^ h >> 32) & (t->nslots - 1);

	while (t->slot[i].epoch == t->epoch && !same(&t->slot[i], k))
		i = (i + 1) & (t->nslots - 1);
	return &t->slot[i];
}

uint32_t intern_put(struct intern *t, struct text w)
{
	struct intern_slot k = key_of(w), *s = probe(t, &k);

	if (s->epoch != t->epoch) {
		k.epoch = t->epoch;
		k.id = t->n++;
		*s = k;
	}
	return s->id;
}

uint32_t intern_find(const struct intern *t, struct text w)
{
	struct intern_slot k = key_of(w);
	const struct intern_slot *s = probe(t, &k);

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
