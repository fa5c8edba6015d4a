/* SPDX-License-Identifier: Apache-2.0 */
#include "configparts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- families --- */

static const struct family families[] = {
	{ "llama",       false, false, 0,   0,    false, false },
	{ "mistral",     false, false, 0,   4096, false, false },
	{ "mixtral",     false, false, 0,   0,    false, true },
	{ "qwen2",       true,  false, 0,   4096,    false, false },
	{ "qwen2_moe",   true,  false, 0,   4096,    false, true },
	{ "qwen3",       false, true,  128, 4096,    false, false },
	{ "deepseek_v2", false, false, 0,   0,    true,  true },
	{ "deepseek_v3", false, false, 0,   0,    true,  true },
};

const struct family *config_family(const char *name, size_t n, struct err *e)
{
	for (size_t i = 0; i < sizeof families / sizeof *families; i++)
		if (strlen(families[i].name) == n && memcmp(families[i].name, name, n) == 0)
			return &families[i];
	err_set(e, SFT_BADDATA, "architecture '%.*s' is not supported (expected llama, mistral, mixtral, qwen2, qwen2_moe, qwen3, deepseek_v2 or deepseek_v3)", (int)(n > 60 ? 60 : n), name);
	return NULL;
}

void config_begin(struct model_config *c, const struct family *f)
{
	memset(c, 0, sizeof *c);
	strcpy(c->family, f->name);
	c->qkv_bias = f->qkv_bias;
	c->qk_norm = f->qk_norm;
	c->rms_eps = 1e-6f;
	c->rope_theta = 10000;
	c->rope_factor = c->rope_attention = c->attn_factor = c->route_scale = 1;
	c->rope_low = c->rope_high = 1;
	c->rope_beta_fast = 32;
	c->rope_beta_slow = 1;
	c->bos = c->eos = -1;
}

int config_check(const struct model_config *c, struct err *e)
{
	if (c->kv_heads > c->heads || c->heads % c->kv_heads != 0)
		return err_set(e, SFT_BADDATA, "%u heads share %u key/value heads (expected a divisor)", c->heads, c->kv_heads);
	if (c->head_dim < 2 || c->head_dim > 1024 || c->rotated % 2 != 0 || (c->kv_rank == 0 && c->head_dim % 2 != 0))
		return err_set(e, SFT_BADDATA, "heads of %u values (expected an even number of 2 to 1024)", c->head_dim);
	if (!(c->rms_eps >= 0 && c->rms_eps < 1))
		return err_set(e, SFT_BADDATA, "epsilon of the norms is %g (expected 0 to 1)", (double)c->rms_eps);
	if (!(c->rope_theta > 0 && c->rope_theta < 1e15))
		return err_set(e, SFT_BADDATA, "base of the rotary positions is %g (expected above 0, below 1e15)", c->rope_theta);
	if (!(c->rope_factor >= 1 && c->rope_factor < 1e6))
		return err_set(e, SFT_BADDATA, "factor of the rope scaling is %g (expected 1 to 1e6)", c->rope_factor);
	if (c->rope == ROPE_LLAMA3 && !(c->rope_low > 0 && c->rope_high > c->rope_low && c->rope_original > 0))
		return err_set(e, SFT_BADDATA, "llama3 rope scaling from %g to %g over %u positions (expected 0 < low_freq_factor < high_freq_factor, and the original positions)",
		               c->rope_low, c->rope_high, c->rope_original);
	if (c->rope == ROPE_YARN && !(c->rope_beta_slow > 0 && c->rope_beta_fast > c->rope_beta_slow && c->rope_theta > 1 && c->rope_original > 0))
		return err_set(e, SFT_BADDATA, "yarn rope scaling with beta_fast %g and beta_slow %g (expected 0 < beta_slow < beta_fast)", c->rope_beta_fast, c->rope_beta_slow);
	if (!(c->rope_attention > 0 && c->rope_attention < 100))
		return err_set(e, SFT_BADDATA, "attention factor of the rope scaling is %g (expected above 0, below 100)", c->rope_attention);
	return 0;
}

/* Source: arXiv 2309.00071; transformers for the two mscales. */
double config_yarn_m(double factor, double scale)
{
	return factor <= 1 ? 1 : 0.1 * scale * log(factor) + 1;
}

/* --- config.json --- */

int config_need(const struct json *j, const char *key, int64_t max, uint32_t *out, struct err *e)
{
	int64_t v = 0;
	int rc;

	if ((rc = json_get_int(j, key, 1, max, &v, e)) != 0)
		return rc;
	if (v == 0)
		return err_set(e, SFT_BADDATA, "'%s' is missing (expected 1 to %" PRId64 ")", key, max);
	*out = (uint32_t)v;
	return 0;
}

int config_may(const struct json *j, const char *key, int64_t min, int64_t max, uint32_t *out, struct err *e)
{
	int64_t v = *out;
	int rc = json_get_int(j, key, min, max, &v, e);

	*out = (uint32_t)v;
	return rc;
}

static bool is_there(const struct json *j, const char *key)
{
	const struct json *v = json_get(j, key);

	return v && v->type != JSON_NULL;
}

/* Switches and values of which the forward pass knows one. */
static int refuse_unknown(const struct json *j, struct err *e)
{
	static const char *const off[] = { "attention_bias", "mlp_bias" };
	const struct json *act = json_get(j, "hidden_act");
	double partial = 1;
	int rc;

	for (size_t i = 0; i < sizeof off / sizeof *off; i++) {
		bool on = false;

		if ((rc = json_get_bool(j, off[i], &on, e)) != 0)
			return rc;
		if (on)
			return err_set(e, SFT_BADDATA, "'%s' is true (expected false: such models are not supported)", off[i]);
	}
	if (act && !json_is(act, "silu") && !json_is(act, "swish"))
		return err_set(e, SFT_BADDATA, "'hidden_act' is '%.40s' (expected silu)", act->type == JSON_STR ? act->s : "no text");
	if ((rc = json_get_double(j, "partial_rotary_factor", &partial, e)) != 0)
		return rc;
	if (partial != 1)
		return err_set(e, SFT_BADDATA, "'partial_rotary_factor' is %g (expected 1)", partial);
	return 0;
}

/* DeepSeek's FP8: E4M3 with a scale for each square block. */
static int json_fp8(struct model_config *c, const struct json *j, struct err *e)
{
	const struct json *q = json_get(j, "quantization_config"), *size = json_get(q, "weight_block_size"), *fmt = json_get(q, "fmt");
	int64_t rows = 0, cols = 0;

	if (!is_there(j, "quantization_config"))
		return 0;
	if (!json_is(json_get(q, "quant_method"), "fp8") || (fmt && fmt->type != JSON_NULL && !json_is(fmt, "e4m3")))
		return err_set(e, SFT_BADDATA, "'quantization_config' is not FP8 in E4M3 (expected plain F32, F16 or BF16 weights, FP8 with scales of blocks, or a GGUF file)");
	if (size == NULL || size->type != JSON_ARR || size->n != 2 || !json_int(&size->item[0], &rows) || !json_int(&size->item[1], &cols) || rows != cols ||
	    rows < 1 || rows > 1 << 16)
		return err_set(e, SFT_BADDATA, "'weight_block_size' is no pair of one size (expected [128, 128] or the like)");
	c->fp8_block = (uint32_t)rows;
	return 0;
}

static int json_sizes(struct model_config *c, const struct family *f, const struct json *j, struct err *e)
{
	double eps = (double)c->rms_eps;
	int rc;

	if ((rc = config_need(j, "num_hidden_layers", 1024, &c->layers, e)) != 0 || (rc = config_need(j, "hidden_size", 1 << 17, &c->hidden, e)) != 0 ||
	    (rc = config_need(j, "num_attention_heads", 1024, &c->heads, e)) != 0 || (rc = config_need(j, "intermediate_size", 1 << 20, &c->ffn, e)) != 0 ||
	    (rc = config_need(j, "vocab_size", 1 << 22, &c->vocab, e)) != 0)
		return rc;
	c->kv_heads = c->heads;
	c->max_positions = 2048;
	c->head_dim = json_get(j, "head_dim") == NULL ? f->head_dim : 0;
	if ((rc = config_may(j, "num_key_value_heads", 1, 1024, &c->kv_heads, e)) != 0 || (rc = config_may(j, "head_dim", 2, 1024, &c->head_dim, e)) != 0 ||
	    (rc = config_may(j, "max_position_embeddings", 1, 1 << 28, &c->max_positions, e)) != 0 || (rc = json_get_double(j, "rms_norm_eps", &eps, e)) != 0 ||
	    (rc = json_get_bool(j, "tie_word_embeddings", &c->tied, e)) != 0)
		return rc;
	c->rms_eps = (float)eps;
	if (c->head_dim == 0 && c->hidden % c->heads != 0)
		return err_set(e, SFT_BADDATA, "'hidden_size' %u is no multiple of 'num_attention_heads' %u (expected so, or a 'head_dim')", c->hidden, c->heads);
	if (c->head_dim == 0)
		c->head_dim = c->hidden / c->heads;
	c->v_dim = c->rotated = c->head_dim;
	if (f->latent && (rc = config_latent(c, j, e)) != 0)
		return rc;
	return f->experts ? config_experts(c, j, e) : 0;
}

uint32_t config_window(const struct model_config *c, uint32_t layer)
{
	return c->unlimited[layer / 64] >> layer % 64 & 1 ? 0 : c->window;
}

/* Which layers see all in spite of the window; *N: how many do not. */
static int windowed_layers(struct model_config *c, const struct json *j, uint32_t *n, struct err *e)
{
	const struct json *types = json_get(j, "layer_types");
	bool listed = types && types->type == JSON_ARR, qwen = strncmp(c->family, "qwen", 4) == 0;
	uint32_t first = 28;                                      /* Qwen: the layers from max_window_layers on have the window */
	int rc;

	if (listed && types->n != c->layers)
		return err_set(e, SFT_BADDATA, "'layer_types' has %zu entries (expected %u, one a layer)", types->n, c->layers);
	if (!listed && qwen && (rc = config_may(j, "max_window_layers", 0, 1 << 20, &first, e)) != 0)
		return rc;
	*n = 0;
	for (uint32_t i = 0; i < c->layers; i++) {
		bool full = qwen && i < first;

		if (listed && !(full = json_is(&types->item[i], "full_attention")) && !json_is(&types->item[i], "sliding_attention"))
			return err_set(e, SFT_BADDATA, "'layer_types' %u is not known (expected full_attention or sliding_attention)", i);
		if (full)
			c->unlimited[i / 64] |= UINT64_C(1) << i % 64;
		else
			++*n;
	}
	return 0;
}

static int json_window(struct model_config *c, const struct family *f, const struct json *j, struct err *e)
{
	bool use = strcmp(f->name, "mistral") == 0 || strcmp(f->name, "mixtral") == 0;
	uint32_t n = 0;
	int rc;

	if (strcmp(f->name, "llama") == 0 || f->latent)
		return 0;
	c->window = json_get(j, "sliding_window") == NULL ? f->window : 0;
	if ((rc = config_may(j, "sliding_window", 0, 1 << 28, &c->window, e)) != 0 || (rc = json_get_bool(j, "use_sliding_window", &use, e)) != 0 ||
	    (rc = windowed_layers(c, j, &n, e)) != 0)
		return rc;
	if (!use || n == 0)
		c->window = 0;
	if (c->window == 0)
		memset(c->unlimited, 0, sizeof c->unlimited);
	return 0;
}

static int json_yarn(struct model_config *c, const struct json *r, struct err *e)
{
	double m = 0, all = 0;
	bool truncate = true;
	int rc;

	if ((rc = json_get_double(r, "beta_fast", &c->rope_beta_fast, e)) != 0 || (rc = json_get_double(r, "beta_slow", &c->rope_beta_slow, e)) != 0 ||
	    (rc = json_get_double(r, "mscale", &m, e)) != 0 || (rc = json_get_double(r, "mscale_all_dim", &all, e)) != 0 ||
	    (rc = json_get_bool(r, "truncate", &truncate, e)) != 0)
		return rc;
	if (!truncate)
		return err_set(e, SFT_BADDATA, "'truncate' is false (expected true: other yarn scaling is not supported)");
	c->rope_attention = m != 0 && all != 0 ? config_yarn_m(c->rope_factor, m) / config_yarn_m(c->rope_factor, all) : config_yarn_m(c->rope_factor, 1);
	if (c->kv_rank && all != 0)                               /* DeepSeek's softmax takes the square of the other one */
		c->attn_factor = config_yarn_m(c->rope_factor, all) * config_yarn_m(c->rope_factor, all);
	return json_get_double(r, "attention_factor", &c->rope_attention, e);
}

/* R: rope_parameters (transformers 5) or rope_scaling (before). */
static int json_scaling(struct model_config *c, const struct json *r, struct err *e)
{
	static const struct { const char *name; enum rope_kind kind; } kinds[] = {
		{ "default", ROPE_PLAIN }, { "linear", ROPE_LINEAR }, { "llama3", ROPE_LLAMA3 }, { "yarn", ROPE_YARN }
	};
	const char *type = "default";
	size_t k = 0;
	int rc;

	if ((rc = json_get_str(r, "type", &type, e)) != 0 || (rc = json_get_str(r, "rope_type", &type, e)) != 0)
		return rc;
	while (k < sizeof kinds / sizeof *kinds && strcmp(kinds[k].name, type) != 0)
		k++;
	if (k == sizeof kinds / sizeof *kinds)
		return err_set(e, SFT_BADDATA, "rope scaling '%.40s' is not supported (expected default, linear, llama3 or yarn)", type);
	c->rope = kinds[k].kind;
	if ((rc = json_get_double(r, "rope_theta", &c->rope_theta, e)) != 0 || c->rope == ROPE_PLAIN)
		return rc;
	if (!is_there(r, "factor"))
		return err_set(e, SFT_BADDATA, "'factor' of the rope scaling is missing (expected a number)");
	c->rope_original = c->max_positions;
	if ((rc = json_get_double(r, "factor", &c->rope_factor, e)) != 0 || (rc = json_get_double(r, "low_freq_factor", &c->rope_low, e)) != 0 ||
	    (rc = json_get_double(r, "high_freq_factor", &c->rope_high, e)) != 0 ||
	    (rc = config_may(r, "original_max_position_embeddings", 1, 1 << 28, &c->rope_original, e)) != 0)
		return rc;
	return c->rope == ROPE_YARN ? json_yarn(c, r, e) : 0;
}

static int json_rope(struct model_config *c, const struct json *j, struct err *e)
{
	static const char *const keys[] = { "rope_scaling", "rope_parameters" };
	int rc = json_get_double(j, "rope_theta", &c->rope_theta, e);

	for (int i = 0; rc == 0 && i < 2; i++) {
		if (!is_there(j, keys[i]))
			continue;
		if (json_get(j, keys[i])->type != JSON_OBJ)
			return err_set(e, SFT_BADDATA, "'%s' is no object", keys[i]);
		if ((rc = json_scaling(c, json_get(j, keys[i]), e)) != 0)
			rc = err_in(e, "'%s'", keys[i]);
	}
	return rc;
}

/* A token id, or the first of several; -1 where there is none. */
static int json_token(const struct model_config *c, const struct json *j, const char *key, int32_t *out, struct err *e)
{
	const struct json *v = json_get(j, key);
	int64_t id;

	if (v && v->type == JSON_ARR)
		v = v->n ? &v->item[0] : NULL;
	*out = -1;
	if (v == NULL || v->type == JSON_NULL)
		return 0;
	if (!json_int(v, &id) || id >= c->vocab)
		return err_set(e, SFT_BADDATA, "'%s' is no token id (expected 0 to %u)", key, c->vocab - 1);
	*out = id < 0 ? -1 : (int32_t)id;
	return 0;
}

int config_from_json(struct model_config *c, const struct json *j, struct err *e)
{
	const struct family *f;
	const char *type = NULL;
	int rc;

	if (j == NULL || j->type != JSON_OBJ)
		return err_set(e, SFT_BADDATA, "is no object (expected a model's config.json)");
	if ((rc = json_get_str(j, "model_type", &type, e)) != 0)
		return rc;
	if (type == NULL)
		return err_set(e, SFT_BADDATA, "'model_type' is missing (expected llama, qwen2 or the like)");
	if ((f = config_family(type, strlen(type), e)) == NULL)
		return SFT_BADDATA;
	config_begin(c, f);
	if ((rc = refuse_unknown(j, e)) != 0 || (rc = json_sizes(c, f, j, e)) != 0 || (rc = json_fp8(c, j, e)) != 0 || (rc = json_window(c, f, j, e)) != 0 ||
	    (rc = json_rope(c, j, e)) != 0 || (rc = json_token(c, j, "bos_token_id", &c->bos, e)) != 0 ||
	    (rc = json_token(c, j, "eos_token_id", &c->eos, e)) != 0)
		return rc;
	return config_check(c, e);
}

/* --- rotary positions --- */

/* Formulas: llama3 as in Meta's release and transformers, yarn as in arXiv 2309.00071. */
double config_rope_frequency(const struct model_config *c, uint32_t i)
{
	double d = c->rotated, f = pow(c->rope_theta, -2.0 * i / d), L = c->rope_original;

	if (c->rope == ROPE_LINEAR)
		return f / c->rope_factor;
	if (c->rope == ROPE_LLAMA3) {
		double turns = L * f / (2 * M_PI);             /* of this pair over the original context */
		double s = (turns - c->rope_low) / (c->rope_high - c->rope_low);

		s = s < 0 ? 0 : s > 1 ? 1 : s;
		return (1 - s) * f / c->rope_factor + s * f;
	}
	if (c->rope == ROPE_YARN) {
		double per = d / (2 * log(c->rope_theta));
		double lo = floor(per * log(L / (2 * M_PI * c->rope_beta_fast))), hi = ceil(per * log(L / (2 * M_PI * c->rope_beta_slow)));
		double r;

		lo = lo < 0 ? 0 : lo;
		hi = hi > d - 1 ? d - 1 : hi;
		r = (i - lo) / (hi == lo ? 0.001 : hi - lo);
		r = r < 0 ? 0 : r > 1 ? 1 : r;
		return f * (r / c->rope_factor + 1 - r);
	}
	return c->rope_divisor ? f / (double)c->rope_divisor[i] : f;
}

void config_rope_table(const struct model_config *c, uint32_t positions, float *cs)
{
	uint32_t half = c->rotated / 2;

	for (uint32_t i = 0; i < half; i++) {
		double f = config_rope_frequency(c, i);

		for (uint32_t p = 0; p < positions; p++) {
			cs[(size_t)p * c->rotated + i] = (float)(c->rope_attention * cos(p * f));
			cs[(size_t)p * c->rotated + half + i] = (float)(c->rope_attention * sin(p * f));
		}
	}
}
