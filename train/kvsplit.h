/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_KVSPLIT_H
#define SFT_KVSPLIT_H
/* Newer GGUF files hold kv_b of latent attention in two: per head the nope keys, transposed ("attn_k_b" [heads, kv_rank, nope]), and the values
 * ("attn_v_b" [heads, v_dim, kv_rank]). */
#include <stdbool.h>
#include "config.h"
#include "gguf.h"

/* The two tensors of LAYER; false where the file has not both. */
struct kv_pair {
	const struct tensor *k, *v;
};
bool kv_split_find(struct kv_pair *p, const struct model_config *c, const struct gguf *g, uint32_t layer);
/* Have they the shapes that the configuration asks for, and values. */
bool kv_split_fits(const struct kv_pair *p, const struct model_config *c);
/* Joined as Hugging Face has it into OUT [heads * (nope + v_dim), kv_rank]: per head the keys' rows, then the values'. */
void kv_split_join(const struct kv_pair *p, const struct model_config *c, float *out);
/* And back: the KEYS' half or the values' of KVB. */
void kv_split_half(const struct model_config *c, const float *kvb, bool keys, float *out);

#endif
