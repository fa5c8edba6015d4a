/* SPDX-License-Identifier: Apache-2.0 */
/* configgguf.c the other way.  Keys and what they mean: llama.cpp's converter and loader (docs: formats). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "configout.h"
#include "configparts.h"

const char *config_gguf_name(const struct model_config *c)
{
	if (strcmp(c->family, "mistral") == 0 || strcmp(c->family, "mixtral") == 0)
		return "llama";
	if (strncmp(c->family, "deepseek", 8) == 0)
		return "deepseek2";
	return strcmp(c->family, "qwen2_moe") == 0 ? "qwen2moe" : c->family;
}

struct keys {
	struct gguf_meta *m;
	const char *arch;
	char key[128];
};

static const char *key_of(struct keys *k, const char *leaf)
{
	snprintf(k->key, sizeof k->key, "%s.%s", k->arch, leaf);
	return k->key;
}

static void size(struct keys *k, const char *leaf, uint32_t v) { gguf_meta_u32(k->m, key_of(k, leaf), v); }
static void real(struct keys *k, const char *leaf, double v) { gguf_meta_f32(k->m, key_of(k, leaf), (float)v); }

static int heads(const struct model_config *c, struct keys *k, struct err *e)
{
	for (uint32_t l = 0; l < c->layers; l++)
		if (config_window(c, l) != c->window)
			return err_set(e, SFT_BADDATA, "some of its layers have a sliding window and some have none (a GGUF file of architecture %s cannot say so)", k->arch);
	size(k, "attention.head_count_kv", c->kv_heads);
	size(k, "attention.key_length", c->head_dim);
	size(k, "attention.value_length", c->head_dim);
	size(k, "rope.dimension_count", c->head_dim);
	if (c->window)
		size(k, "attention.sliding_window", c->window);
	return 0;
}

/* The shared latent is what all heads read: one key and value of its width; those of the heads stand apart. */
static int latent(const struct model_config *c, struct keys *k, struct err *e)
{
	if (!c->rope_pairs)
		return err_set(e, SFT_BADDATA, "rotated values of latent attention lie half a head apart (llama.cpp's deepseek2 has them side by side)");
	size(k, "attention.head_count_kv", 1);
	size(k, "attention.kv_lora_rank", c->kv_rank);
	if (c->q_rank)
		size(k, "attention.q_lora_rank", c->q_rank);
	size(k, "attention.key_length", c->kv_rank + c->rotated);
	size(k, "attention.value_length", c->kv_rank);
	size(k, "attention.key_length_mla", c->head_dim);
	size(k, "attention.value_length_mla", c->v_dim);
	size(k, "rope.dimension_count", c->rotated);
	return 0;
}

/* What the architecture settles by itself, and no key can change. */
static int check_mixture(const struct model_config *c, struct err *e)
{
	bool deepseek = c->kv_rank, mixtral = strcmp(c->family, "mixtral") == 0, other = false;

	for (size_t i = 0; i < sizeof c->dense / sizeof *c->dense; i++)
		other = other || c->dense[i];
	if (c->moe_step != 1 || other || (!deepseek && c->first_dense))
		return err_set(e, SFT_BADDATA, "its dense layers are not the first ones (a GGUF file of architecture %s cannot say so)", config_gguf_name(c));
	if (!deepseek && c->route_norm != mixtral)
		return err_set(e, SFT_BADDATA, "its router %s (llama.cpp's %s does not)", mixtral ? "leaves the weights of the chosen experts as they are" : "brings the weights of the chosen experts to 1",
		               config_gguf_name(c));
	if (deepseek && !c->route_sigmoid && c->topg != c->groups)
		return err_set(e, SFT_BADDATA, "its softmax router looks at %u of %u groups of experts (llama.cpp's deepseek2 looks at all)", c->topg, c->groups);
	if (deepseek && c->expert_ffn && c->shared_ffn % c->expert_ffn)
		return err_set(e, SFT_BADDATA, "its shared expert is no multiple of the others (a GGUF file of architecture deepseek2 cannot say so)");
	return 0;
}

static int mixture(const struct model_config *c, struct keys *k, struct err *e)
{
	int rc = check_mixture(c, e);

	if (rc)
		return rc;
	size(k, "expert_count", c->experts);
	size(k, "expert_used_count", c->top);
	if (strcmp(c->family, "mixtral") != 0)
		size(k, "expert_feed_forward_length", c->expert_ffn);
	if (c->shared_gate)
		size(k, "expert_shared_feed_forward_length", c->shared_ffn);
	if (!c->kv_rank)
		return 0;
	size(k, "leading_dense_block_count", c->first_dense);
	size(k, "expert_shared_count", c->shared_ffn / c->expert_ffn);
	real(k, "expert_weights_scale", c->route_scale);
	gguf_meta_bool(k->m, key_of(k, "expert_weights_norm"), c->route_norm);
	size(k, "expert_gating_func", c->route_sigmoid ? 2 : 1);
	if (c->route_sigmoid) {
		size(k, "expert_group_count", c->groups);
		size(k, "expert_group_used_count", c->topg);
	}
	return 0;
}

/* See meta_latent_yarn(): one number stands for both mscales. */
static int latent_yarn(const struct model_config *c, struct keys *k, struct err *e)
{
	if (fabs(c->rope_attention - 1) > 1e-6)
		return err_set(e, SFT_BADDATA, "'mscale' and 'mscale_all_dim' of its rope scaling differ (a GGUF file of architecture deepseek2 has one)");
	real(k, "rope.scaling.yarn_log_multiplier", c->rope_factor > 1 ? (sqrt(c->attn_factor) - 1) / log(c->rope_factor) : 0);
	return 0;
}

static int rope(const struct model_config *c, struct keys *k, struct err *e)
{
	real(k, "rope.freq_base", c->rope_theta);
	if (c->rope == ROPE_PLAIN || c->rope == ROPE_LLAMA3)           /* llama3: a tensor of divisors */
		return 0;
	gguf_meta_str(k->m, key_of(k, "rope.scaling.type"), c->rope == ROPE_YARN ? "yarn" : "linear");
	real(k, "rope.scaling.factor", c->rope_factor);
	if (c->rope == ROPE_LINEAR)
		return 0;
	size(k, "rope.scaling.original_context_length", c->rope_original);
	if (c->rope_beta_fast != 32)
		real(k, "rope.scaling.yarn_beta_fast", c->rope_beta_fast);
	if (c->rope_beta_slow != 1)
		real(k, "rope.scaling.yarn_beta_slow", c->rope_beta_slow);
	if (c->kv_rank)
		return latent_yarn(c, k, e);
	if (fabs(c->rope_attention / config_yarn_m(c->rope_factor, 1) - 1) > 1e-9)
		real(k, "rope.scaling.attn_factor", c->rope_attention / config_yarn_m(c->rope_factor, 1));
	return 0;
}

int config_to_gguf(const struct model_config *c, struct gguf_meta *m, struct err *e)
{
	struct keys k = { .m = m, .arch = config_gguf_name(c) };
	int rc = 0;

	gguf_meta_str(m, "general.type", "model");
	gguf_meta_str(m, "general.architecture", k.arch);
	size(&k, "block_count", c->layers);
	size(&k, "context_length", c->max_positions);
	size(&k, "embedding_length", c->hidden);
	size(&k, "feed_forward_length", c->ffn);
	size(&k, "attention.head_count", c->heads);
	size(&k, "vocab_size", c->vocab);
	real(&k, "attention.layer_norm_rms_epsilon", (double)c->rms_eps);
	if (c->kv_rank)
		rc = latent(c, &k, e);
	else
		rc = heads(c, &k, e);
	if (rc == 0 && c->experts)
		rc = mixture(c, &k, e);
	return rc ? rc : rope(c, &k, e);
}

bool config_rope_divisors(const struct model_config *c, float *out)
{
	if (c->rope != ROPE_LLAMA3 && c->rope_divisor == NULL)
		return false;
	for (uint32_t i = 0; i < c->rotated / 2; i++)
		out[i] = (float)(pow(c->rope_theta, -2.0 * i / c->rotated) / config_rope_frequency(c, i));
	return true;
}
