/* SPDX-License-Identifier: Apache-2.0 */
/* A model's configuration from the metadata of a GGUF file.  Keys and what they mean: llama.cpp's converter and loader (docs: formats). */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "configparts.h"

struct meta {
	const struct gguf *g;
	const char *arch;
	char key[128];
};

/* "llama.block_count"; valid until the next call. */
static const char *key_of(struct meta *m, const char *leaf)
{
	snprintf(m->key, sizeof m->key, "%s.%s", m->arch, leaf);
	return m->key;
}

static int meta_size(struct meta *m, const char *leaf, uint64_t max, uint32_t *out, struct err *e)
{
	const char *key = key_of(m, leaf);
	uint64_t v;
	int rc;

	if (!gguf_has(m->g, key) && *out != 0)
		return 0;                                      /* the default stands */
	if ((rc = gguf_u64(m->g, key, &v, e)) != 0)
		return rc;
	if (v == 0 || v > max)
		return err_set(e, SFT_BADDATA, "key '%s' is %" PRIu64 " (expected 1 to %" PRIu64 ")", key, v, max);
	*out = (uint32_t)v;
	return 0;
}

static int meta_real(struct meta *m, const char *leaf, double *out, struct err *e)
{
	const char *key = key_of(m, leaf);

	return gguf_has(m->g, key) ? gguf_f64(m->g, key, out, e) : 0;
}

/* A number whose absence means 0, as 0 itself does. */
static int meta_count(struct meta *m, const char *leaf, uint32_t *out, struct err *e)
{
	const char *key = key_of(m, leaf);
	uint64_t v = 0;
	int rc = gguf_has(m->g, key) ? gguf_u64(m->g, key, &v, e) : 0;

	if (rc == 0 && v > 1 << 28)
		return err_set(e, SFT_BADDATA, "key '%s' is %" PRIu64 " (expected 0 to %d)", key, v, 1 << 28);
	*out = (uint32_t)v;
	return rc;
}

/* Width of keys and values, and how many of a head's values are rotated. */
static int meta_heads(struct model_config *c, struct meta *m, struct err *e)
{
	uint32_t value_dim, rotated;
	int rc;

	c->kv_heads = c->heads;
	c->head_dim = c->hidden % c->heads == 0 ? c->hidden / c->heads : 0;
	if ((rc = meta_size(m, "attention.head_count_kv", 1024, &c->kv_heads, e)) != 0 || (rc = meta_size(m, "attention.key_length", 1024, &c->head_dim, e)) != 0)
		return rc;
	value_dim = rotated = c->head_dim;
	if ((rc = meta_size(m, "attention.value_length", 1024, &value_dim, e)) != 0 || (rc = meta_size(m, "rope.dimension_count", 1024, &rotated, e)) != 0)
		return rc;
	c->v_dim = c->rotated = c->head_dim;
	if (value_dim != c->head_dim || rotated != c->head_dim)
		return err_set(e, SFT_BADDATA, "heads have %u key, %u value and %u rotated values (expected the same number)", c->head_dim, value_dim, rotated);
	return 0;
}

/* deepseek2: latent attention.  Newer files state the widths of the shared latent as key and value length, and those of the heads apart. */
static int meta_latent(struct model_config *c, struct meta *m, struct err *e)
{
	bool apart = gguf_has(m->g, key_of(m, "attention.key_length_mla"));
	int rc;

	c->rope_pairs = true;
	c->kv_heads = c->heads;
	if ((rc = meta_size(m, "attention.kv_lora_rank", 1 << 17, &c->kv_rank, e)) != 0 || (rc = meta_count(m, "attention.q_lora_rank", &c->q_rank, e)) != 0 ||
	    (rc = meta_size(m, apart ? "attention.key_length_mla" : "attention.key_length", 1024, &c->head_dim, e)) != 0 ||
	    (rc = meta_size(m, apart ? "attention.value_length_mla" : "attention.value_length", 1024, &c->v_dim, e)) != 0)
		return rc;
	if ((rc = meta_size(m, "rope.dimension_count", 1024, &c->rotated, e)) != 0)
		return rc;
	return c->rotated < c->head_dim ? 0 : err_set(e, SFT_BADDATA, "heads have %u key values of which %u are rotated (expected fewer)", c->head_dim, c->rotated);
}

static int meta_deepseek(struct model_config *c, struct meta *m, struct err *e)
{
	uint32_t shared = 0, gating = 1;
	bool norm = false;
	int rc;

	if ((rc = meta_count(m, "leading_dense_block_count", &c->first_dense, e)) != 0 || (rc = meta_count(m, "expert_shared_count", &shared, e)) != 0 ||
	    (rc = meta_real(m, "expert_weights_scale", &c->route_scale, e)) != 0 || (rc = meta_size(m, "expert_gating_func", 2, &gating, e)) != 0 ||
	    (rc = meta_size(m, "expert_group_count", 1024, &c->groups, e)) != 0 || (rc = meta_size(m, "expert_group_used_count", 1024, &c->topg, e)) != 0)
		return rc;
	if (gguf_has(m->g, key_of(m, "expert_weights_norm")) && (rc = gguf_bool(m->g, m->key, &norm, e)) != 0)
		return rc;
	if (shared > 64)
		return err_set(e, SFT_BADDATA, "key '%s' is %u (expected 0 to 64)", key_of(m, "expert_shared_count"), shared);
	c->shared_ffn = shared * c->expert_ffn;
	c->route_sigmoid = c->route_pair = c->route_bias = gating == 2;
	c->route_norm = norm;
	strcpy(c->family, gating == 2 ? "deepseek_v3" : "deepseek_v2");
	if (gating != 2)
		c->topg = c->groups;
	return 0;
}

/* The mixture of an architecture that has one; plain `llama` with experts is Mixtral. */
static int meta_experts(struct model_config *c, struct meta *m, struct err *e)
{
	bool deepseek = strcmp(m->arch, "deepseek2") == 0, qwen = strcmp(m->arch, "qwen2moe") == 0;
	int rc;

	if ((rc = meta_count(m, "expert_count", &c->experts, e)) != 0 || c->experts == 0)
		return rc;
	if (!deepseek && !qwen && strcmp(m->arch, "llama") != 0)
		return err_set(e, SFT_BADDATA, "a mixture of %u experts in architecture '%s' is not supported (expected llama, qwen2moe or deepseek2)", c->experts, m->arch);
	if (c->experts > 4096)
		return err_set(e, SFT_BADDATA, "key '%s' is %u (expected 1 to 4096)", key_of(m, "expert_count"), c->experts);
	c->moe_step = c->groups = c->topg = 1;
	c->top = 0;
	c->expert_ffn = deepseek || qwen ? 0 : c->ffn;
	if ((rc = meta_size(m, "expert_used_count", 4096, &c->top, e)) != 0 || (rc = meta_size(m, "expert_feed_forward_length", 1 << 20, &c->expert_ffn, e)) != 0)
		return rc;
	if (qwen) {
		c->shared_gate = true;
		rc = meta_size(m, "expert_shared_feed_forward_length", 1 << 20, &c->shared_ffn, e);
	} else if (deepseek) {
		rc = meta_deepseek(c, m, e);
	} else {
		strcpy(c->family, "mixtral");
		c->route_norm = true;
	}
	return rc != 0 ? rc : config_check_experts(c, e);
}

static int meta_sizes(struct model_config *c, struct meta *m, struct err *e)
{
	const struct tensor *embed = gguf_find(m->g, "token_embd.weight");
	double eps = (double)c->rms_eps;
	uint32_t vocab;
	int rc;

	if (embed == NULL || embed->ndim != 2 || embed->dim[0] > 1 << 22)
		return err_set(e, SFT_BADDATA, "no tensor 'token_embd.weight' of two dimensions (expected a whole model)");
	c->vocab = vocab = (uint32_t)embed->dim[0];
	c->tied = gguf_find(m->g, "output.weight") == NULL;
	if ((rc = meta_size(m, "block_count", 1024, &c->layers, e)) != 0 || (rc = meta_size(m, "embedding_length", 1 << 17, &c->hidden, e)) != 0 ||
	    (rc = meta_size(m, "attention.head_count", 1024, &c->heads, e)) != 0 || (rc = meta_size(m, "feed_forward_length", 1 << 20, &c->ffn, e)) != 0 ||
	    (rc = meta_size(m, "context_length", 1 << 28, &c->max_positions, e)) != 0 || (rc = meta_size(m, "vocab_size", 1 << 22, &vocab, e)) != 0 ||
	    (rc = meta_real(m, "attention.layer_norm_rms_epsilon", &eps, e)) != 0)
		return rc;
	c->rms_eps = (float)eps;
	if (vocab != c->vocab)
		return err_set(e, SFT_BADDATA, "key '%s.vocab_size' is %u (expected %u, the rows of token_embd.weight)", m->arch, vocab, c->vocab);
	if ((rc = strcmp(m->arch, "deepseek2") == 0 ? meta_latent(c, m, e) : meta_heads(c, m, e)) != 0)
		return rc;
	return meta_experts(c, m, e);
}

static int meta_divisors(struct model_config *c, const struct gguf *g, struct err *e)
{
	const struct tensor *t = gguf_find(g, "rope_freqs.weight");

	if (t == NULL)
		return 0;
	if (t->type != DT_F32 || t->ndim != 1 || t->count != c->head_dim / 2 || (uintptr_t)t->data % sizeof(float) != 0)
		return err_set(e, SFT_BADDATA, "tensor 'rope_freqs.weight' is no aligned vector of %u F32 values", c->head_dim / 2);
	c->rope_divisor = t->data;
	for (uint32_t i = 0; i < c->head_dim / 2; i++)
		if (!(c->rope_divisor[i] > 0 && c->rope_divisor[i] < 1e9f))
			return err_set(e, SFT_BADDATA, "tensor 'rope_freqs.weight' holds %g (expected divisors above 0)", (double)c->rope_divisor[i]);
	return 0;
}

/* deepseek2: both mscales are alike, so cosines stay as they are, and the softmax takes the square; the file has 0.1 * mscale_all_dim. */
static int meta_latent_yarn(struct model_config *c, struct meta *m, struct err *e)
{
	double log_mul = 0, scale;
	int rc = meta_real(m, "rope.scaling.yarn_log_multiplier", &log_mul, e);

	scale = 1 + log_mul * log(c->rope_factor);
	c->attn_factor = scale * scale;
	return rc;
}

static int meta_rope(struct model_config *c, struct meta *m, struct err *e)
{
	const char *type = "none";
	double attention = 1;
	size_t n = 4;
	int rc;

	if ((rc = meta_real(m, "rope.freq_base", &c->rope_theta, e)) != 0)
		return rc;
	if (gguf_has(m->g, key_of(m, "rope.scaling.type")) && (rc = gguf_str(m->g, m->key, &type, &n, e)) != 0)
		return rc;
	if (n == 6 && memcmp(type, "linear", 6) == 0)
		c->rope = ROPE_LINEAR;
	else if (n == 4 && memcmp(type, "yarn", 4) == 0)
		c->rope = ROPE_YARN;
	else if (n != 4 || memcmp(type, "none", 4) != 0)
		return err_set(e, SFT_BADDATA, "rope scaling '%.*s' is not supported (expected none, linear or yarn)", (int)(n > 40 ? 40 : n), type);
	if (c->rope == ROPE_PLAIN)
		return meta_divisors(c, m->g, e);
	c->rope_original = c->max_positions;
	if ((rc = meta_real(m, "rope.scaling.factor", &c->rope_factor, e)) != 0 ||
	    (rc = meta_real(m, "rope.scaling.yarn_beta_fast", &c->rope_beta_fast, e)) != 0 ||
	    (rc = meta_real(m, "rope.scaling.yarn_beta_slow", &c->rope_beta_slow, e)) != 0 ||
	    (rc = meta_size(m, "rope.scaling.original_context_length", 1 << 28, &c->rope_original, e)) != 0 ||
	    (rc = meta_real(m, "rope.scaling.attn_factor", &attention, e)) != 0)
		return rc;
	if (c->rope == ROPE_YARN && c->kv_rank)
		return meta_latent_yarn(c, m, e);
	if (c->rope == ROPE_YARN)
		c->rope_attention = attention * config_yarn_m(c->rope_factor, 1);
	return 0;
}

static int meta_token(const struct model_config *c, const struct gguf *g, const char *key, int32_t *out, struct err *e)
{
	uint64_t id;
	int rc;

	if (!gguf_has(g, key))
		return 0;
	if ((rc = gguf_u64(g, key, &id, e)) != 0)
		return rc;
	if (id >= c->vocab)
		return err_set(e, SFT_BADDATA, "key '%s' is %" PRIu64 " (expected 0 to %u)", key, id, c->vocab - 1);
	*out = (int32_t)id;
	return 0;
}

int config_from_gguf(struct model_config *c, const struct gguf *g, struct err *e)
{
	static const char *const archs[][2] = {          /* the family that has its switches: a file's numbers may make it another */
		{ "llama", "llama" }, { "qwen2", "qwen2" }, { "qwen2moe", "qwen2_moe" }, { "qwen3", "qwen3" }, { "deepseek2", "deepseek_v2" }
	};
	struct meta m = { .g = g };
	const char *arch;
	size_t n, k = 0;
	int rc;

	if ((rc = gguf_str(g, "general.architecture", &arch, &n, e)) != 0)
		return rc;
	while (k < sizeof archs / sizeof *archs && !(strlen(archs[k][0]) == n && memcmp(archs[k][0], arch, n) == 0))
		k++;
	if (k == sizeof archs / sizeof *archs)
		return err_set(e, SFT_BADDATA, "architecture '%.*s' is not supported (expected llama, qwen2, qwen2moe, qwen3 or deepseek2)", (int)(n > 60 ? 60 : n), arch);
	config_begin(c, config_family(archs[k][1], strlen(archs[k][1]), NULL));
	m.arch = archs[k][0];
	if ((rc = meta_sizes(c, &m, e)) != 0 || (rc = meta_rope(c, &m, e)) != 0 ||
	    (rc = meta_token(c, g, "tokenizer.ggml.bos_token_id", &c->bos, e)) != 0 ||
	    (rc = meta_token(c, g, "tokenizer.ggml.eos_token_id", &c->eos, e)) != 0)
		return rc;
	if ((rc = meta_count(&m, "attention.sliding_window", &c->window, e)) != 0)
		return rc;
	return config_check(c, e);
}
