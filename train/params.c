/* SPDX-License-Identifier: Apache-2.0 */
/* The table of parameters and its places. */
#include <stdio.h>
#include <string.h>

#include "weights.h"

const struct param_info param_table[P_COUNT] = {
	[P_EMBED]    = { "model.embed_tokens.weight",       "token_embd.weight",  false, NULL },
	[P_NORM_OUT] = { "model.norm.weight",               "output_norm.weight", false, NULL },
	[P_HEAD]     = { "lm_head.weight",                  "output.weight",      false, NULL },
	[P_NORM1]    = { "input_layernorm.weight",          "attn_norm.weight",   false, NULL },
	[P_WQ]       = { "self_attn.q_proj.weight",         "attn_q.weight",      true,  "q_proj" },
	[P_WK]       = { "self_attn.k_proj.weight",         "attn_k.weight",      true,  "k_proj" },
	[P_WV]       = { "self_attn.v_proj.weight",         "attn_v.weight",      true,  "v_proj" },
	[P_WO]       = { "self_attn.o_proj.weight",         "attn_output.weight", true,  "o_proj" },
	[P_BQ]       = { "self_attn.q_proj.bias",           "attn_q.bias",        false, NULL },
	[P_BK]       = { "self_attn.k_proj.bias",           "attn_k.bias",        false, NULL },
	[P_BV]       = { "self_attn.v_proj.bias",           "attn_v.bias",        false, NULL },
	[P_QNORM]    = { "self_attn.q_norm.weight",         "attn_q_norm.weight", false, NULL },
	[P_KNORM]    = { "self_attn.k_norm.weight",         "attn_k_norm.weight", false, NULL },
	[P_QA]       = { "self_attn.q_a_proj.weight",       "attn_q_a.weight",    true,  "q_a_proj" },
	[P_QANORM]   = { "self_attn.q_a_layernorm.weight",  "attn_q_a_norm.weight", false, NULL },
	[P_QB]       = { "self_attn.q_b_proj.weight",       "attn_q_b.weight",    true,  "q_b_proj" },
	[P_KVA]      = { "self_attn.kv_a_proj_with_mqa.weight", "attn_kv_a_mqa.weight", true, "kv_a_proj_with_mqa" },
	[P_KVANORM]  = { "self_attn.kv_a_layernorm.weight", "attn_kv_a_norm.weight", false, NULL },
	[P_KVB]      = { "self_attn.kv_b_proj.weight",      "attn_kv_b.weight",   true,  "kv_b_proj" },
	[P_NORM2]    = { "post_attention_layernorm.weight", "ffn_norm.weight",    false, NULL },
	[P_GATE]     = { "mlp.gate_proj.weight",            "ffn_gate.weight",    true,  "gate_proj" },
	[P_UP]       = { "mlp.up_proj.weight",              "ffn_up.weight",      true,  "up_proj" },
	[P_DOWN]     = { "mlp.down_proj.weight",            "ffn_down.weight",    true,  "down_proj" },
	[P_ROUTER]   = { "mlp.gate.weight",                 "ffn_gate_inp.weight", false, NULL },
	[P_RBIAS]    = { "mlp.gate.e_score_correction_bias", "exp_probs_b.bias",  false, NULL },
	[P_SHGATE]   = { "mlp.shared_expert_gate.weight",   "ffn_gate_inp_shexp.weight", false, NULL },
	[P_SGATE]    = { "mlp.shared_experts.gate_proj.weight", "ffn_gate_shexp.weight", true, "gate_proj" },
	[P_SUP]      = { "mlp.shared_experts.up_proj.weight", "ffn_up_shexp.weight", true, "up_proj" },
	[P_SDOWN]    = { "mlp.shared_experts.down_proj.weight", "ffn_down_shexp.weight", true, "down_proj" },
	[P_EGATE]    = { "mlp.experts.%u.gate_proj.weight", "ffn_gate_exps.weight", false, NULL },
	[P_EUP]      = { "mlp.experts.%u.up_proj.weight",   "ffn_up_exps.weight", false, NULL },
	[P_EDOWN]    = { "mlp.experts.%u.down_proj.weight", "ffn_down_exps.weight", false, NULL },
};

struct shape {
	bool has;
	uint32_t rows, cols;
};

static struct shape of_attention(const struct model_config *c, enum param p)
{
	uint32_t h = c->hidden, q = c->heads * c->head_dim, k = c->kv_heads * c->head_dim, v = c->kv_heads * c->v_dim;
	bool mla = c->kv_rank > 0, two = mla && c->q_rank > 0;
	uint32_t kvb = c->heads * (c->head_dim - c->rotated + c->v_dim);
	const struct shape all[P_COUNT] = {
		[P_NORM1] = { true, 1, h },
		[P_WQ] = { !two, q, h }, [P_WK] = { !mla, k, h }, [P_WV] = { !mla, v, h }, [P_WO] = { true, h, c->heads * c->v_dim },
		[P_BQ] = { c->qkv_bias, 1, q }, [P_BK] = { c->qkv_bias, 1, k }, [P_BV] = { c->qkv_bias, 1, v },
		[P_QNORM] = { c->qk_norm, 1, c->head_dim }, [P_KNORM] = { c->qk_norm, 1, c->head_dim },
		[P_QA] = { two, c->q_rank, h }, [P_QANORM] = { two, 1, c->q_rank }, [P_QB] = { two, q, c->q_rank },
		[P_KVA] = { mla, c->kv_rank + c->rotated, h }, [P_KVANORM] = { mla, 1, c->kv_rank }, [P_KVB] = { mla, kvb, c->kv_rank },
	};

	return all[p];
}

static struct shape of_mlp(const struct model_config *c, enum param p, uint32_t layer)
{
	uint32_t h = c->hidden, f = c->ffn, s = c->shared_ffn, x = c->expert_ffn;
	bool moe = config_is_moe(c, layer), shared = moe && s > 0;
	const struct shape all[P_COUNT] = {
		[P_NORM2] = { true, 1, h },
		[P_GATE] = { !moe, f, h }, [P_UP] = { !moe, f, h }, [P_DOWN] = { !moe, h, f },
		[P_ROUTER] = { moe, c->experts, h }, [P_RBIAS] = { moe && c->route_bias, 1, c->experts }, [P_SHGATE] = { moe && c->shared_gate, 1, h },
		[P_SGATE] = { shared, s, h }, [P_SUP] = { shared, s, h }, [P_SDOWN] = { shared, h, s },
		[P_EGATE] = { moe, x, h }, [P_EUP] = { moe, x, h }, [P_EDOWN] = { moe, h, x },
	};

	return all[p];
}

bool param_shape(const struct model_config *c, enum param p, uint32_t layer, uint32_t *rows, uint32_t *cols)
{
	struct shape s = { true, c->vocab, c->hidden };

	if (p == P_NORM_OUT)
		s.rows = 1;
	else if (p == P_HEAD)
		s.has = !c->tied;
	else if (p >= P_NORM2)
		s = of_mlp(c, p, layer);
	else if (p >= P_LAYER)
		s = of_attention(c, p);
	*rows = s.rows;
	*cols = s.cols;
	return s.has;
}

bool param_is_vector(enum param p)
{
	return !param_table[p].linear && p != P_EMBED && p != P_HEAD && p != P_ROUTER && p != P_SHGATE && p < P_EGATE;
}

bool param_paired(const struct model_config *c, enum param p)
{
	return (p == P_WQ || p == P_WK) && (strcmp(c->family, "llama") == 0 || strcmp(c->family, "mistral") == 0 || strcmp(c->family, "mixtral") == 0);
}

bool param_adaptable(const struct model_config *c, enum param p)
{
	uint32_t rows, cols;

	for (uint32_t layer = 0; param_table[p].linear && layer < c->layers; layer++)
		if (param_shape(c, p, layer, &rows, &cols))
			return true;
	return false;
}

/* --- names --- */

/* Mixtral has words of its own for a mixture's tensors, Qwen2-MoE a singular. */
static const char *family_name(const struct model_config *c, enum param p)
{
	static const char *const mixtral[] = { "block_sparse_moe.experts.%u.w1.weight", "block_sparse_moe.experts.%u.w3.weight", "block_sparse_moe.experts.%u.w2.weight" };
	static const char *const qwen[] = { "mlp.shared_expert.gate_proj.weight", "mlp.shared_expert.up_proj.weight", "mlp.shared_expert.down_proj.weight" };

	if (strcmp(c->family, "mixtral") == 0 && p == P_ROUTER)
		return "block_sparse_moe.gate.weight";
	if (strcmp(c->family, "mixtral") == 0 && p >= P_EGATE)
		return mixtral[p - P_EGATE];
	if (strcmp(c->family, "qwen2_moe") == 0 && p >= P_SGATE && p <= P_SDOWN)
		return qwen[p - P_SGATE];
	return param_table[p].hf;
}

void param_hf_name(const struct model_config *c, enum param p, uint32_t layer, uint32_t expert, char out[96])
{
	const char *name = family_name(c, p), *number = strstr(name, "%u");

	if (p < P_LAYER)
		snprintf(out, 96, "%s", name);
	else if (number)
		snprintf(out, 96, "model.layers.%u.%.*s%u%s", layer, (int)(number - name), name, expert, number + 2);
	else
		snprintf(out, 96, "model.layers.%u.%s", layer, name);
}

void param_gguf_name(enum param p, uint32_t layer, char out[96])
{
	if (p < P_LAYER)
		snprintf(out, 96, "%s", param_table[p].gguf);
	else
		snprintf(out, 96, "blk.%u.%s", layer, param_table[p].gguf);
}

/* --- places --- */

enum { PLAIN = P_EGATE - P_LAYER, OF_EXPERT = P_COUNT - P_EGATE };

static size_t of_layer(const struct model_config *c)
{
	return PLAIN + (size_t)c->experts * OF_EXPERT;
}

size_t place_count(const struct model_config *c)
{
	return P_LAYER + c->layers * of_layer(c);
}

size_t place_index(const struct model_config *c, enum param p, uint32_t layer, uint32_t expert)
{
	size_t first = P_LAYER + layer * of_layer(c);

	if (p < P_LAYER)
		return (size_t)p;
	return p < P_EGATE ? first + (size_t)(p - P_LAYER) : first + PLAIN + (size_t)expert * OF_EXPERT + (size_t)(p - P_EGATE);
}

struct place place_at(const struct model_config *c, size_t i)
{
	size_t in = i < P_LAYER ? 0 : (i - P_LAYER) % of_layer(c);
	uint32_t layer = i < P_LAYER ? 0 : (uint32_t)((i - P_LAYER) / of_layer(c));

	if (i < P_LAYER)
		return (struct place){ (enum param)i, 0, 0 };
	if (in < PLAIN)
		return (struct place){ (enum param)(P_LAYER + in), layer, 0 };
	in -= PLAIN;
	return (struct place){ (enum param)(P_EGATE + in % OF_EXPERT), layer, (uint32_t)(in / OF_EXPERT) };
}
