/* SPDX-License-Identifier: Apache-2.0 */
#include "kvsplit.h"

#include <stdio.h>
#include <string.h>

#include "mem.h"

static uint32_t nope(const struct model_config *c)
{
	return c->head_dim - c->rotated;
}

bool kv_split_find(struct kv_pair *p, const struct model_config *c, const struct gguf *g, uint32_t layer)
{
	char name[64];

	if (c->kv_rank == 0)
		return false;
	snprintf(name, sizeof name, "blk.%u.attn_k_b.weight", layer);
	p->k = gguf_find(g, name);
	snprintf(name, sizeof name, "blk.%u.attn_v_b.weight", layer);
	p->v = gguf_find(g, name);
	return p->k && p->v;
}

static bool shaped(const struct tensor *t, uint32_t a, uint32_t b, uint32_t c)
{
	return t->ndim == 3 && t->dim[0] == a && t->dim[1] == b && t->dim[2] == c && c % dtype_block(t->type) == 0 && dtype_to_f32(t->type, "", NULL, 0) != 0;
}

bool kv_split_fits(const struct kv_pair *p, const struct model_config *c)
{
	return shaped(p->k, c->heads, c->kv_rank, nope(c)) && shaped(p->v, c->heads, c->v_dim, c->kv_rank);
}

void kv_split_join(const struct kv_pair *p, const struct model_config *c, float *out)
{
	uint32_t n = nope(c), rank = c->kv_rank;
	float *k = mem_grow(NULL, (size_t)rank * n, sizeof *k);
	size_t kbytes = (size_t)rank * n / dtype_block(p->k->type) * dtype_bytes(p->k->type);
	size_t vbytes = (size_t)c->v_dim * rank / dtype_block(p->v->type) * dtype_bytes(p->v->type);

	for (uint32_t h = 0; h < c->heads; h++) {
		dtype_to_f32(p->k->type, (const char *)p->k->data + h * kbytes, k, (size_t)rank * n);
		for (uint32_t i = 0; i < n; i++)
			for (uint32_t r = 0; r < rank; r++)
				out[(size_t)i * rank + r] = k[(size_t)r * n + i];
		out += (size_t)n * rank;
		dtype_to_f32(p->v->type, (const char *)p->v->data + h * vbytes, out, (size_t)c->v_dim * rank);
		out += (size_t)c->v_dim * rank;
	}
	mem_free(k);
}

void kv_split_half(const struct model_config *c, const float *kvb, bool keys, float *out)
{
	uint32_t n = nope(c), rank = c->kv_rank;

	for (uint32_t h = 0; h < c->heads; h++, kvb += (size_t)(n + c->v_dim) * rank) {
		for (uint32_t i = 0; keys && i < n; i++)
			for (uint32_t r = 0; r < rank; r++)
				out[((size_t)h * rank + r) * n + i] = kvb[(size_t)i * rank + r];
		if (!keys)
			memcpy(out + (size_t)h * c->v_dim * rank, kvb + (size_t)n * rank, (size_t)c->v_dim * rank * sizeof *out);
	}
}
