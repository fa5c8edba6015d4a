/* SPDX-License-Identifier: Apache-2.0 */
/* The vocabulary, stretches of text, and the trie. */
#include <string.h>

#include "hash.h"
#include "tokimpl.h"

/* The N (1 to 16) bytes at P as two numbers, which differ where the bytes do. */
static inline void two_words(const char *p, size_t n, uint64_t w[2])
{
	uint32_t a, b;

	if (n >= 8) {
		memcpy(&w[0], p, 8);
		memcpy(&w[1], p + n - 8, 8);
	} else if (n >= 4) {
		memcpy(&a, p, 4);
		memcpy(&b, p + n - 4, 4);
		w[0] = a;
		w[1] = b;
	} else {
		w[0] = (uint8_t)p[0];
		w[1] = (uint64_t)(uint8_t)p[n / 2] << 8 | (uint8_t)p[n - 1];
	}
}

/* Most tokens are short: a product of their bytes is quicker than a call.  Neither factor is 0: no UTF-8 looks like these constants. */
static inline uint64_t text_hash(const char *p, size_t n)
{
	uint64_t w[2];
	unsigned __int128 m;

	if (n - 1 >= 16)
		return hash64(p, n, 0);
	two_words(p, n, w);
	m = (unsigned __int128)(w[0] ^ 0x9E3779B97F4A7C15u ^ (uint64_t)n << 56) * (w[1] ^ 0xC2B2AE3D27D4EB4Fu);
	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline bool same_text(const struct vocab *v, uint32_t id, const char *text, size_t n)
{
	uint64_t a[2], b[2];

	if (v->len[id] != n)
		return false;
	if (n - 1 >= 16)
		return memcmp(v->text[id], text, n) == 0;
	two_words(v->text[id], n, a);
	two_words(text, n, b);
	return a[0] == b[0] && a[1] == b[1];
}

/* The slot of TEXT, whose hash is H, or the free one where it belongs. */
static struct vocab_slot *place(const struct vocab *v, const char *text, size_t n, uint64_t h)
{
	uint32_t i = (uint32_t)h & v->mask, tag = (uint32_t)(h >> 32);

	for (; v->slot[i].id; i = (i + 1) & v->mask)
		if (v->slot[i].tag == tag && same_text(v, v->slot[i].id - 1, text, n))
			break;
	return &v->slot[i];
}

void vocab_reserve(struct vocab *v, uint32_t n)
{
	struct vocab old = *v;
	size_t slots = 64;

	while (slots / 4 * 3 < n)
		slots *= 2;
	if (v->slot && slots <= (size_t)v->mask + 1)
		return;
	if ((v->slot = mem_try(slots * sizeof *v->slot)) == NULL)       /* in huge pages */
		v->slot = mem_new(slots * sizeof *v->slot);             /* or this is the end */
	v->mask = (uint32_t)(slots - 1);
	for (size_t i = 0; old.slot && i <= old.mask; i++)
		if (old.slot[i].id) {
			uint32_t id = old.slot[i].id - 1;

			*place(v, v->text[id], v->len[id], text_hash(v->text[id], v->len[id])) = old.slot[i];
		}
	mem_free(old.slot);
}

/* Room for ids below CAP: texts, and lengths behind them, in huge pages. */
bool vocab_room(struct vocab *v, uint32_t cap)
{
	const char **text = mem_try(cap * (sizeof *v->text + sizeof *v->len));
	uint32_t *len = (uint32_t *)(text + cap);

	if (text == NULL)
		return false;
	if (v->n) {
		memcpy(text, v->text, v->n * sizeof *text);
		memcpy(len, v->len, v->n * sizeof *len);
	}
	mem_free(v->text);
	v->text = text;
	v->len = len;
	v->cap = cap;
	return true;
}

static void more_ids(struct vocab *v, uint32_t id)
{
	uint32_t cap = v->cap ? v->cap : 256;

	while (cap <= id)
		cap *= 2;
	if (!vocab_room(v, cap))
		mem_grow(NULL, SIZE_MAX, 2);    /* this is the end */
}

void vocab_name(struct vocab *v, const char *text, size_t n, uint32_t id)
{
	if (id >= v->cap)
		more_ids(v, id);
	for (; v->n <= id; v->n++) {
		v->text[v->n] = NULL;
		v->len[v->n] = 0;
	}
	v->text[id] = text;
	v->len[id] = (uint32_t)n;
}

void vocab_names(struct vocab *v, const struct vocab *of)
{
	if (v->text == NULL && of->n)
		vocab_room(v, of->n + 256);
	for (uint32_t id = of->n; id-- > 0; )
		if (of->text[id])
			vocab_name(v, of->text[id], of->len[id], id);
}

void vocab_lend(struct vocab *v, const char *text, size_t n, uint32_t id)
{
	uint64_t h = text_hash(text, n);
	struct vocab_slot *s;

	if (v->slot == NULL || v->count >= v->mask / 4 * 3)
		vocab_reserve(v, 2 * v->count + 32);
	s = place(v, text, n, h);
	v->count += s->id == 0;
	*s = (struct vocab_slot){ (uint32_t)(h >> 32), id + 1 };
	vocab_name(v, text, n, id);
}

bool vocab_index(struct vocab *v)
{
	enum { AHEAD = 16 };            /* a slot is asked for that many ids before it is looked at */
	uint64_t hash[AHEAD] = {0};
	uint32_t n = 0;

	for (uint32_t id = 0; id < v->n; id++)
		n += v->text[id] != NULL;
	vocab_reserve(v, n);
	for (uint32_t next = 0; next < v->n + AHEAD; next++) {
		uint32_t id = next - AHEAD;
		uint64_t *h = &hash[next % AHEAD];

		if (next >= AHEAD && v->text[id]) {
			struct vocab_slot *s = place(v, v->text[id], v->len[id], *h);

			if (s->id)
				return false;
			*s = (struct vocab_slot){ (uint32_t)(*h >> 32), id + 1 };
			v->count++;
		}
		if (next < v->n && v->text[next]) {
			*h = text_hash(v->text[next], v->len[next]);
			__builtin_prefetch(&v->slot[(uint32_t)*h & v->mask]);
		}
	}
	return true;
}

void vocab_put(struct vocab *v, const char *text, size_t n, uint32_t id)
{
	vocab_lend(v, arena_str(&v->copies, text, n), n, id);
}

int64_t vocab_id(const struct vocab *v, const char *text, size_t n)
{
	const struct vocab_slot *s = v->slot ? place(v, text, n, text_hash(text, n)) : NULL;

	if (s && s->id)
		return s->id - 1;
	return v->base ? vocab_id(v->base, text, n) : -1;
}

void vocab_find(const struct vocab *v, struct vocab_query *q, size_t n)
{
	/* What a look waits for is memory, three times over: all are asked for before one is read. */
	for (size_t i = 0; v->slot && i < n; i++) {
		q[i].hash = text_hash(q[i].text, q[i].n);
		__builtin_prefetch(&v->slot[(uint32_t)q[i].hash & v->mask]);
	}
	for (size_t i = 0; v->slot && i < n; i++) {
		uint32_t id = v->slot[(uint32_t)q[i].hash & v->mask].id;

		__builtin_prefetch(&v->text[id ? id - 1 : 0]);
		__builtin_prefetch(&v->len[id ? id - 1 : 0]);
	}
	for (size_t i = 0; v->slot && i < n; i++) {
		uint32_t id = v->slot[(uint32_t)q[i].hash & v->mask].id;

		if (id)
			__builtin_prefetch(v->text[id - 1]);
	}
	for (size_t i = 0; i < n; i++) {
		const struct vocab_slot *s = v->slot ? place(v, q[i].text, q[i].n, q[i].hash) : NULL;

		q[i].id = s && s->id ? (int64_t)s->id - 1 : -1;
	}
}

void vocab_free(struct vocab *v)
{
	mem_free(v->text);
	mem_free(v->slot);
	arena_release(&v->copies);
}

void pieces_add(struct pieces *out, const struct piece *p, size_t start, size_t end)
{
	struct piece *q;

	if (start >= end)
		return;
	ARRAY_ROOM(out->v, out->n, out->cap);
	q = &out->v[out->n++];
	*q = (struct piece){ p->p + start, end - start, NULL, NULL, p->orig + start, -1 };
	if (p->from) {
		q->from = p->from + start;
		q->to = p->to + start;
	}
}

/* --- trie --- */

#define ONES 0x0101010101010101u

static uint32_t edge_slot(const struct trie *t, uint64_t key)
{
	uint32_t i = (uint32_t)((key * 0x9E3779B97F4A7C15u) >> 32) & t->mask;

	while (t->edge[i] != UINT64_MAX && t->edge[i] != key)
		i = (i + 1) & t->mask;
	return i;
}

static void more_edges(struct trie *t)
{
	struct trie old = *t;

	t->mask = old.edge ? 2 * old.mask + 1 : 63;
	t->edge = mem_new(((size_t)t->mask + 1) * sizeof *t->edge);
	t->target = mem_new(((size_t)t->mask + 1) * sizeof *t->target);
	memset(t->edge, 0xff, ((size_t)t->mask + 1) * sizeof *t->edge);
	for (size_t i = 0; old.edge && i <= old.mask; i++)
		if (old.edge[i] != UINT64_MAX) {
			uint32_t k = edge_slot(t, old.edge[i]);

			t->edge[k] = old.edge[i];
			t->target[k] = old.target[i];
		}
	mem_free(old.edge);
	mem_free(old.target);
}

static uint32_t new_node(struct trie *t)
{
	ARRAY_ROOM(t->value, t->nnodes, t->values_cap);
	t->value[t->nnodes] = -1;
	return t->nnodes++;
}

void trie_put(struct trie *t, const char *text, size_t n, int32_t value)
{
	uint32_t node = 0;

	if (n == 0)
		return;
	if (t->nnodes == 0)
		new_node(t);
	if (!t->start[(uint8_t)text[0]]) {
		if (t->nfirst < 4)
			t->first[t->nfirst] = (uint8_t)text[0] * ONES;
		t->nfirst++;
	}
	t->start[(uint8_t)text[0]] = 1;
	for (size_t i = 0; i < n; i++) {
		uint32_t k;

		if (2 * (t->nedges + 1) > t->mask || t->edge == NULL)
			more_edges(t);
		k = edge_slot(t, (uint64_t)node << 8 | (uint8_t)text[i]);
		if (t->edge[k] == UINT64_MAX) {
			t->edge[k] = (uint64_t)node << 8 | (uint8_t)text[i];
			t->target[k] = new_node(t);
			t->nedges++;
		}
		node = t->target[k];
	}
	if (t->value[node] < 0)
		t->value[node] = value;
}

uint32_t trie_step(const struct trie *t, uint32_t node, uint8_t byte)
{
	uint32_t k = edge_slot(t, (uint64_t)node << 8 | byte);

	return t->edge[k] == UINT64_MAX ? 0 : t->target[k];
}

const char *trie_seek(const struct trie *t, const char *p, const char *end)
{
	for (uint64_t w, found; t->nfirst <= 4 && end - p >= 8; p += 8) {
		memcpy(&w, p, 8);
		found = 0;
		for (unsigned k = 0; k < t->nfirst; k++) {      /* a byte that is equal becomes zero, and zero bytes lend a high bit */
			uint64_t x = w ^ t->first[k];

			found |= (x - ONES) & ~x & (ONES << 7);
		}
		if (found)
			break;
	}
	while (p < end && !t->start[(uint8_t)*p])
		p++;
	return p;
}

void trie_free(struct trie *t)
{
	mem_free(t->edge);
	mem_free(t->target);
	mem_free(t->value);
	*t = (struct trie){0};
}
