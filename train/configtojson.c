/* SPDX-License-Identifier: Apache-2.0 */
/* config.c and configmoe.c the other way: config.json of a model that came from a GGUF file. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "configout.h"
#include "configparts.h"
#include "json.h"

static void size(struct jw *w, const char *key, uint32_t v) { jw_key(w, key); jw_uint(w, v); }
static void real(struct jw *w, const char *key, double v) { jw_key(w, key); jw_double(w, v); }
static void flag(struct jw *w, const char *key, bool v) { jw_key(w, key); jw_bool(w, v); }
static void text(struct jw *w, const char *key, const char *v) { jw_key(w, key); jw_str(w, v); }

static void token(struct jw *w, const char *key, int32_t id)
{
	jw_key(w, key);
	if (id < 0)
		jw_null(w);
	else
		jw_int(w, id);
}

/* The window of architecture `llama` is Mistral's. */
static const char *family(const struct model_config *c)
{
	return strcmp(c->family, "llama") == 0 && c->window ? "mistral" : c->family;
}

static const char *class_of(const char *family)
{
	static const char *const classes[][2] = {
		{ "llama", "LlamaForCausalLM" }, { "mistral", "MistralForCausalLM" }, { "mixtral", "MixtralForCausalLM" }, { "qwen2", "Qwen2ForCausalLM" },
		{ "qwen2_moe", "Qwen2MoeForCausalLM" }, { "qwen3", "Qwen3ForCausalLM" }, { "deepseek_v2", "DeepseekV2ForCausalLM" }, { "deepseek_v3", "DeepseekV3ForCausalLM" }
	};
	size_t i = 0;

	while (strcmp(classes[i][0], family) != 0)
		i++;
	return classes[i][1];
}

/* --- rope --- */

/* Are C's divisors those that its llama3 scaling makes. */
static bool says_divisors(const struct model_config *c, const float *divisor)
{
	for (uint32_t i = 0; i < c->rotated / 2; i++)
		if (!(c->rope_low > 0 && c->rope_high > c->rope_low) ||
		    fabs(config_rope_frequency(c, i) / (pow(c->rope_theta, -2.0 * i / c->rotated) / (double)divisor[i]) - 1) > 1e-6)
			return false;
	return true;
}

/* What models have: 1 to 4 over a power of two. */
static bool usual_line(struct model_config *c, const float *divisor)
{
	c->rope_low = 1;
	c->rope_high = 4;
	for (c->rope_original = 16; c->rope_original <= 1 << 24; c->rope_original *= 2)
		if (says_divisors(c, divisor))
			return true;
	return false;
}

/* The numbers of llama3 scaling from a line: share of the frequency f that stays, over f, is SLOPE * f + AT0.  The line says high / low and
 * original / low; low is taken near 1 so that `original` is whole. */
static void set_line(struct model_config *c, double slope, double at0)
{
	double wide;

	c->rope_original = (uint32_t)lround(fmin(fmax(-2 * M_PI * slope / at0, 1), 1 << 28));
	wide = c->rope_original / (2 * M_PI * slope);
	c->rope_low = -at0 * wide;
	c->rope_high = (1 - at0) * wide;
}

/* The numbers of llama3 scaling behind a file's divisors: 1 for the high frequencies, `factor` for the low ones, and those between say the line.
 * Where there is only one, or none, many lines do. */
static int llama3_of_divisors(const struct model_config *c, struct model_config *to, struct err *e)
{
	double most = 1, x[2] = {0}, y[2] = {0}, above = 1;      /* above: the last frequency that stays */
	uint32_t half = c->rotated / 2, n = 0;

	for (uint32_t i = 0; i < half; i++)
		most = fmax(most, (double)c->rope_divisor[i]);
	for (uint32_t i = 0; i < half; i++) {
		double d = (double)c->rope_divisor[i], f = pow(c->rope_theta, -2.0 * i / c->rotated);

		if (d < 1 + 1e-5)
			above = f;
		if (d < 1 + 1e-5 || d > most * (1 - 1e-5))
			continue;
		x[n > 0] = f;
		y[n > 0] = (1 / d - 1 / most) / (1 - 1 / most);
		n++;
	}
	*to = *c;
	to->rope = ROPE_LLAMA3;
	to->rope_divisor = NULL;
	to->rope_factor = most;
	if (usual_line(to, c->rope_divisor))
		return 0;
	if (n == 0) {                          /* the last that stays is where the line ends */
		x[0] = above;
		y[0] = 1;
	}
	if (n < 2) {                           /* the lowest share, 0, is reached just above the next one */
		x[1] = x[0] * pow(c->rope_theta, -1.9 / c->rotated);
		y[1] = 0;
	}
	set_line(to, (y[0] - y[1]) / (x[0] - x[1]), y[0] - (y[0] - y[1]) / (x[0] - x[1]) * x[0]);
	if (!says_divisors(to, c->rope_divisor))
		return err_set(e, SFT_BADDATA, "the divisors of 'rope_freqs.weight' are no llama3 scaling (config.json cannot say others)");
	return 0;
}

static const char *rope_type(enum rope_kind k)
{
	return k == ROPE_LINEAR ? "linear" : k == ROPE_LLAMA3 ? "llama3" : k == ROPE_YARN ? "yarn" : "default";
}

static void scaling(struct jw *w, const struct model_config *c)
{
	text(w, "rope_type", rope_type(c->rope));
	real(w, "rope_theta", c->rope_theta);
	if (c->rope == ROPE_PLAIN)
		return;
	real(w, "factor", c->rope_factor);
	if (c->rope == ROPE_LINEAR)
		return;
	size(w, "original_max_position_embeddings", c->rope_original);
	if (c->rope == ROPE_LLAMA3) {
		real(w, "low_freq_factor", c->rope_low);
		real(w, "high_freq_factor", c->rope_high);
		return;
	}
	real(w, "beta_fast", c->rope_beta_fast);
	real(w, "beta_slow", c->rope_beta_slow);
	if (c->kv_rank && c->rope_factor > 1) {                   /* both mscales are the one that the file has */
		double scale = (sqrt(c->attn_factor) - 1) / (0.1 * log(c->rope_factor));

		real(w, "mscale", scale);
		real(w, "mscale_all_dim", scale);
	} else if (fabs(c->rope_attention / config_yarn_m(c->rope_factor, 1) - 1) > 1e-9) {
		real(w, "attention_factor", c->rope_attention);
	}
}

/* Both layouts: transformers 5 reads rope_parameters, older ones rope_scaling and rope_theta. */
static int rope(struct jw *w, const struct model_config *c, struct err *e)
{
	static const char *const keys[] = { "rope_parameters", "rope_scaling" };
	struct model_config llama3;
	int rc;

	if (c->rope_divisor) {
		if ((rc = llama3_of_divisors(c, &llama3, e)) != 0)
			return rc;
		c = &llama3;
	}
	real(w, "rope_theta", c->rope_theta);
	for (size_t i = 0; i < (c->rope == ROPE_PLAIN ? 1 : 2); i++) {
		jw_key(w, keys[i]);
		jw_obj(w);
		scaling(w, c);
		jw_obj_end(w);
	}
	return 0;
}

/* --- attention and mixtures --- */

static void attention(struct jw *w, const struct model_config *c)
{
	bool qwen = strncmp(c->family, "qwen", 4) == 0;

	size(w, "num_attention_heads", c->heads);
	size(w, "num_key_value_heads", c->kv_heads);
	if (c->kv_rank) {
		jw_key(w, "q_lora_rank");
		if (c->q_rank)
			jw_uint(w, c->q_rank);
		else
			jw_null(w);
		size(w, "kv_lora_rank", c->kv_rank);
		size(w, "qk_nope_head_dim", c->head_dim - c->rotated);
		size(w, "qk_rope_head_dim", c->rotated);
		size(w, "v_head_dim", c->v_dim);
		return;
	}
	size(w, "head_dim", c->head_dim);
	if (qwen) {
		flag(w, "use_sliding_window", c->window > 0);
		size(w, "max_window_layers", c->window ? 0 : c->layers);
	}
	if (qwen || strncmp(c->family, "mi", 2) == 0 || c->window) {
		jw_key(w, "sliding_window");
		if (c->window)
			jw_uint(w, c->window);
		else
			jw_null(w);
	}
}

static int mixture(struct jw *w, const struct model_config *c, struct err *e)
{
	bool mixtral = strcmp(c->family, "mixtral") == 0;

	size(w, mixtral ? "num_local_experts" : c->kv_rank ? "n_routed_experts" : "num_experts", c->experts);
	size(w, "num_experts_per_tok", c->top);
	if (mixtral)
		return 0;
	size(w, "moe_intermediate_size", c->expert_ffn);
	flag(w, "norm_topk_prob", c->route_norm);
	if (!c->kv_rank) {
		size(w, "shared_expert_intermediate_size", c->shared_ffn);
		size(w, "decoder_sparse_step", 1);
		return 0;
	}
	if (!c->route_sigmoid && c->route_norm)
		return err_set(e, SFT_BADDATA, "its softmax router brings the weights of the chosen experts to 1 (transformers' deepseek_v2 does not)");
	size(w, "n_shared_experts", c->shared_ffn / c->expert_ffn);
	size(w, "first_k_dense_replace", c->first_dense);
	size(w, "moe_layer_freq", 1);
	size(w, "n_group", c->groups);
	size(w, "topk_group", c->topg);
	real(w, "routed_scaling_factor", c->route_scale);
	text(w, "scoring_func", c->route_sigmoid ? "sigmoid" : "softmax");
	text(w, "topk_method", c->route_sigmoid ? "noaux_tc" : "greedy");
	return 0;
}

/* The double of the shortest decimal that reads back as V: 1e-06, not 9.999999974752427e-07. */
static double shortest(float v)
{
	char s[40];

	for (int digits = 1; digits < 10; digits++) {
		snprintf(s, sizeof s, "%.*g", digits, (double)v);
		if (strtof(s, NULL) == v)
			break;
	}
	return strtod(s, NULL);
}

int config_to_json(const struct model_config *c, enum dtype type, struct buf *out, struct err *e)
{
	const char *f = family(c);
	struct jw w;
	int rc;

	jw_init(&w, out);
	jw_obj(&w);
	jw_key(&w, "architectures");
	jw_arr(&w);
	jw_str(&w, class_of(f));
	jw_arr_end(&w);
	text(&w, "model_type", f);
	size(&w, "num_hidden_layers", c->layers);
	size(&w, "hidden_size", c->hidden);
	size(&w, "intermediate_size", c->ffn);
	size(&w, "vocab_size", c->vocab);
	size(&w, "max_position_embeddings", c->max_positions);
	real(&w, "rms_norm_eps", shortest(c->rms_eps));
	text(&w, "hidden_act", "silu");
	flag(&w, "tie_word_embeddings", c->tied);
	if (!c->qkv_bias)
		flag(&w, "attention_bias", false);
	attention(&w, c);
	if ((rc = c->experts ? mixture(&w, c, e) : 0) != 0 || (rc = rope(&w, c, e)) != 0)
		return rc;
	token(&w, "bos_token_id", c->bos);
	token(&w, "eos_token_id", c->eos);
	text(&w, "torch_dtype", type == DT_F32 ? "float32" : type == DT_F16 ? "float16" : "bfloat16");
	jw_obj_end(&w);
	buf_ch(out, '\n');
	return 0;
}
