/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes of latent attention (DeepSeek V2, V3) and of mixtures of experts (DeepSeek, Mixtral, Qwen2-MoE), as their config.json files name them. */
#include <string.h>

#include "configparts.h"

bool config_is_moe(const struct model_config *c, uint32_t layer)
{
	return c->experts && layer >= c->first_dense && (layer + 1) % c->moe_step == 0 && !(c->dense[layer / 64] >> layer % 64 & 1);
}

int config_latent(struct model_config *c, const struct json *j, struct err *e)
{
	uint32_t nope = 0;
	bool pairs = true;
	int rc;

	if ((rc = config_may(j, "q_lora_rank", 1, 1 << 17, &c->q_rank, e)) != 0 || (rc = config_need(j, "kv_lora_rank", 1 << 17, &c->kv_rank, e)) != 0 ||
	    (rc = config_need(j, "qk_nope_head_dim", 512, &nope, e)) != 0 || (rc = config_need(j, "qk_rope_head_dim", 512, &c->rotated, e)) != 0 ||
	    (rc = config_need(j, "v_head_dim", 1024, &c->v_dim, e)) != 0 || (rc = json_get_bool(j, "rope_interleave", &pairs, e)) != 0)
		return rc;
	c->head_dim = nope + c->rotated;
	c->kv_heads = c->heads;                                   /* each head has keys and values of its own, made from the latent */
	c->rope_pairs = pairs;
	return 0;
}

/* How a family's router works, and what it calls things. */
struct router {
	const char *family, *experts, *width;
	bool sigmoid, pair, norm;
};

static const struct router routers[] = {
	{ "deepseek_v3", "n_routed_experts",  "moe_intermediate_size", true,  true,  true },
	{ "deepseek_v2", "n_routed_experts",  "moe_intermediate_size", false, false, false },
	{ "mixtral",     "num_local_experts", "intermediate_size",     false, false, true },
	{ "qwen2_moe",   "num_experts",       "moe_intermediate_size", false, false, false },
};

static int deepseek(struct model_config *c, const struct json *j, struct err *e)
{
	uint32_t shared = 0;
	const char *method = NULL;
	int rc;

	if ((rc = config_may(j, "n_shared_experts", 0, 64, &shared, e)) != 0 || (rc = config_may(j, "first_k_dense_replace", 0, 1024, &c->first_dense, e)) != 0 ||
	    (rc = config_may(j, "num_nextn_predict_layers", 0, 64, &c->further, e)) != 0 ||
	    (rc = config_may(j, "moe_layer_freq", 1, 1024, &c->moe_step, e)) != 0 || (rc = config_may(j, "n_group", 1, 1024, &c->groups, e)) != 0 ||
	    (rc = config_may(j, "topk_group", 1, 1024, &c->topg, e)) != 0 || (rc = json_get_double(j, "routed_scaling_factor", &c->route_scale, e)) != 0 ||
	    (rc = json_get_str(j, "topk_method", &method, e)) != 0)
		return rc;
	c->shared_ffn = shared * c->expert_ffn;
	if (method && strcmp(method, "greedy") == 0)              /* V2 looks at all groups then */
		c->topg = c->groups;
	if (strcmp(c->family, "deepseek_v2") == 0)
		c->route_norm = false;                            /* never, whatever the file says: the reference's own rule */
	else
		c->route_bias = true;
	return 0;
}

static int qwen(struct model_config *c, const struct json *j, struct err *e)
{
	const struct json *only = json_get(j, "mlp_only_layers");
	int rc;

	c->shared_gate = true;
	if ((rc = config_need(j, "shared_expert_intermediate_size", 1 << 20, &c->shared_ffn, e)) != 0 ||
	    (rc = config_may(j, "decoder_sparse_step", 1, 1024, &c->moe_step, e)) != 0)
		return rc;
	for (size_t i = 0; only && only->type == JSON_ARR && i < only->n; i++) {
		int64_t l;

		if (!json_int(&only->item[i], &l) || l < 0 || l >= c->layers)
			return err_set(e, SFT_BADDATA, "'mlp_only_layers' names a layer that is not there (expected 0 to %u)", c->layers - 1);
		c->dense[l / 64] |= UINT64_C(1) << l % 64;
	}
	return 0;
}

int config_experts(struct model_config *c, const struct json *j, struct err *e)
{
	const struct router *r = routers;
	int rc;

	while (strcmp(r->family, c->family) != 0)
		r++;
	c->moe_step = c->groups = c->topg = 1;
	c->route_sigmoid = r->sigmoid;
	c->route_pair = r->pair;
	c->route_norm = r->norm;
	c->top = 2;
	if ((rc = config_need(j, r->experts, 4096, &c->experts, e)) != 0 || (rc = config_need(j, r->width, 1 << 20, &c->expert_ffn, e)) != 0 ||
	    (rc = config_may(j, "num_experts_per_tok", 1, 4096, &c->top, e)) != 0 || (rc = json_get_bool(j, "norm_topk_prob", &c->route_norm, e)) != 0)
		return rc;
	if (strncmp(c->family, "deepseek", 8) == 0)
		rc = deepseek(c, j, e);
	else if (strcmp(c->family, "qwen2_moe") == 0)
		rc = qwen(c, j, e);
	return rc != 0 ? rc : config_check_experts(c, e);
}

int config_check_experts(const struct model_config *c, struct err *e)
{
	if (c->top > c->experts || c->experts % c->groups != 0 || c->topg > c->groups || c->top > c->experts / c->groups * c->topg)
		return err_set(e, SFT_BADDATA, "%u experts of which %u are taken, in %u groups of which %u are looked at (expected groups of one size, and enough experts in them)",
		               c->experts, c->top, c->groups, c->topg);
	return 0;
}
