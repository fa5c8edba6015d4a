/* SPDX-License-Identifier: Apache-2.0 */
/* The vocabulary, stretches of text, and the trie. */
#include <string.h>

#include "tokimpl.h"

void vocab_put(struct vocab *v, const char *text, size_t n, uint32_t id)
{
	struct strmap_entry *m = strmap_put(&v->map, text, n, id, NULL);


	m->value = id;
	if (id >= v->cap) {
		uint32_t cap = v->cap ? v->cap : 256;

		while (cap <= id)
			cap *= 2;
		v->text = mem_grow(v->text, cap, sizeof *v->text);
		v->len = mem_grow(v->len, cap, sizeof *v->len);
		memset(v->text + v->cap, 0, (cap - v->cap) * sizeof *v->text);
		memset(v->len + v->cap, 0, (cap - v->cap) * sizeof *v->len);
		v->cap = cap;
	}
	v->text[id] = m->key;
	v->len[id] = (uint32_t)n;
	if (id >= v->n)
		v->n = id + 1;
}

int64_t vocab_id(const struct vocab *v, const char *text, size_t n)
{
	const struct strmap_entry *m = strmap_find(&v->map, text, n);

	return m ? (int64_t)m->value : -1;
}

void vocab_free(struct vocab *v)
{
	strmap_free(&v->map);
	mem_free(v->text);
	mem_free(v->len);
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
