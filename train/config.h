/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_CONFIG_H
#define SFT_CONFIG_H
/* What a model is: the sizes and switches that its config.json or GGUF metadata states, checked.  A family is a description: the
 * forward pass has no copy for each. */
#include <stdbool.h>
#include <stdint.h>
#include "err.h"
#include "gguf.h"
#include "json.h"

enum rope_kind { ROPE_PLAIN, ROPE_LINEAR, ROPE_LLAMA3, ROPE_YARN };

struct model_config {
	char     family[32];           /* HF model_type: "llama", "qwen2", "qwen3", "mistral", "mixtral", "qwen2_moe", "deepseek_v2", "deepseek_v3" */
	uint32_t layers, hidden, heads, kv_heads, vocab;
	uint32_t head_dim;             /* values of a query or key head */
	uint32_t v_dim;                /* values of a value head */
	uint32_t rotated;              /* the values of a head that carry its position: its last ones with MLA, else all */
	uint32_t ffn;                  /* width of a dense layer */
	uint32_t max_positions;
	float    rms_eps;
	bool     tied;                 /* the head is the embedding */
	bool     qkv_bias;
	bool     qk_norm;              /* Qwen3: RMS norm of each q and k head */
	uint32_t window;               /* sliding window, 0: none... */
	uint64_t unlimited[16];        /* ...but for these layers, which see all: a bit a layer */
	double   rope_theta;
	enum rope_kind rope;
	double   rope_factor, rope_low, rope_high;      /* factor; llama3: low_freq_factor, high_freq_factor */
	double   rope_beta_fast, rope_beta_slow, rope_attention;  /* yarn; rope_attention: factor of cosines and sines, 1 for the others */
	uint32_t rope_original;        /* original_max_position_embeddings */
	const float *rope_divisor;     /* [rotated / 2] divisors of the frequencies (GGUF's rope_freqs.weight), borrowed from the file; NULL: none */
	bool     rope_pairs;           /* rotated values are neighbours, not half a head apart */
	double   attn_factor;          /* of the softmax scale head_dim^-0.5 */
	int32_t  bos, eos;             /* -1: none */

	uint32_t fp8_block;            /* rows and columns of an FP8 block that has a scale of its own; 0: no such weights */
	uint32_t further;              /* layers behind the last that predict further tokens (DeepSeek V3's MTP); nothing here uses them */

	/* latent attention (MLA); kv_rank 0: ordinary attention */
	uint32_t q_rank;               /* 0: q comes straight from the input */
	uint32_t kv_rank;

	/* mixture of experts; experts 0: dense */
	uint32_t experts, top, expert_ffn;
	uint32_t shared_ffn;           /* width of the expert that all tokens take, 0: none */
	bool     shared_gate;          /* with a gate of its own */
	uint32_t first_dense, moe_step;/* layers l >= first_dense with (l + 1) % moe_step = 0 are mixtures... */
	uint64_t dense[16];            /* ...but for these: a bit a layer */
	uint32_t groups, topg;         /* experts in groups, of which topg are looked at */
	bool     route_sigmoid, route_pair, route_bias, route_norm;   /* kern_route's */
	double   route_scale;
};

/* Is LAYER a mixture of experts. */
bool config_is_moe(const struct model_config *c, uint32_t layer);

/* The sliding window of LAYER, 0: none. */
uint32_t config_window(const struct model_config *c, uint32_t layer);

/* Both layouts of config.json (transformers 4 and 5).  An architecture we do not know, a missing or impossible size: SFT_BADDATA
 * that names the key and what was found. */
int config_from_json(struct model_config *c, const struct json *j, struct err *e);
int config_from_gguf(struct model_config *c, const struct gguf *g, struct err *e);

/* cs [positions, rotated]: cosines then sines (kern_rope's table) of positions 0.. */
void config_rope_table(const struct model_config *c, uint32_t positions, float *cs);

#endif
