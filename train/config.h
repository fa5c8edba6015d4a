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
	char     family[32];           /* HF model_type: "llama", "qwen2", "qwen3", "mistral" */
	uint32_t layers, hidden, heads, kv_heads, head_dim, ffn, vocab;
	uint32_t max_positions;
	float    rms_eps;
	bool     tied;                 /* the head is the embedding */
	bool     qkv_bias;
	bool     qk_norm;              /* Qwen3: RMS norm of each q and k head */
	uint32_t window;               /* sliding window, 0: none */
	double   rope_theta;
	enum rope_kind rope;
	double   rope_factor, rope_low, rope_high;      /* factor; llama3: low_freq_factor, high_freq_factor */
	double   rope_beta_fast, rope_beta_slow, rope_attention;  /* yarn; rope_attention: factor of cosines and sines, 1 for the others */
	uint32_t rope_original;        /* original_max_position_embeddings */
	const float *rope_divisor;     /* [head_dim / 2] divisors of the frequencies (GGUF's rope_freqs.weight), borrowed from the file; NULL: none */
	int32_t  bos, eos;             /* -1: none */
};

/* Both layouts of config.json (transformers 4 and 5).  An architecture we do not know, a missing or impossible size: SFT_BADDATA
 * that names the key and what was found. */
int config_from_json(struct model_config *c, const struct json *j, struct err *e);
int config_from_gguf(struct model_config *c, const struct gguf *g, struct err *e);

/* cs [positions, head_dim]: cosines then sines (kern_rope's table) of positions 0.. */
void config_rope_table(const struct model_config *c, uint32_t positions, float *cs);

#endif
