/* SPDX-License-Identifier: Apache-2.0 */
/* LoRA adapters written as PEFT reads them. */
#include <stdio.h>
#include <string.h>

#include "adapter.h"
#include "heads.h"
#include "mem.h"
#include "outfile.h"
#include "safetensors.h"
#include "strmap.h"
#include "targets.h"

/* --- adapter_config.json --- */

static void put_number(struct jw *w, double v)
{
	if (v == (double)(int64_t)v)
		jw_int(w, (int64_t)v);
	else
		jw_double(w, v);
}

static void put_nulls(struct jw *w, const char *const *keys)
{
	for (; *keys; keys++) {
		jw_key(w, *keys);
		jw_null(w);
	}
}

static void put_bool(struct jw *w, const char *key, bool v)
{
	jw_key(w, key);
	jw_bool(w, v);
}

static bool is_leaf(const struct model_config *c, size_t place, const char *leaf)
{
	char module[96];

	targets_module(c, place, module);
	return strcmp(strrchr(module, '.') + 1, leaf) == 0;
}

/* Does every linear layer outside the routed experts that is called LEAF carry an adapter. */
static bool whole_leaf(const struct lora *l, const struct model_config *c, const char *leaf)
{
	for (size_t i = 0; i < place_count(c); i++)
		if (targets_can(c, i) && place_at(c, i).p < P_EGATE && l->site[i].rank == 0 && is_leaf(c, i, leaf))
			return false;
	return true;
}

/* PEFT 0.21 with transformers 5 turns the names gate_proj, up_proj and down_proj of target_modules into the fused experts of these families, and drops
 * the dense and shared ones.  As parameters they are taken for what they are (plain LoRA only). */
static bool retargeted(const struct lora *l, const struct model_config *c, size_t place)
{
	enum param p = place_at(c, place).p;

	return c->experts && strcmp(c->family, "mixtral") != 0 && p > P_NORM2 && p < P_EGATE && !l->dora && l->dropout == 0;
}

/* A leaf where all of that name are adapted, else the paths of the modules. */
static void put_modules(struct jw *w, const struct lora *l, const struct model_config *c)
{
	struct strmap said = {0};
	char module[96];
	bool added;

	jw_key(w, "target_modules");
	jw_arr(w);
	for (size_t i = 0; i < place_count(c); i++) {
		const char *name = module;

		if (l->site[i].rank == 0 || retargeted(l, c, i) || (l->fused && place_at(c, i).p >= P_EGATE))
			continue;
		targets_module(c, i, module);
		if (place_at(c, i).p < P_EGATE && whole_leaf(l, c, strrchr(module, '.') + 1))
			name = strrchr(module, '.') + 1;
		strmap_put(&said, name, strlen(name), 0, &added);
		if (added)
			jw_str(w, name);
	}
	jw_arr_end(w);
	strmap_free(&said);
}

static void put_fused(struct jw *w, const struct lora *l, const struct model_config *c, enum param p, const char *name)
{
	bool all = true, any = false;
	char path[112];

	for (uint32_t i = 0; i < c->layers; i++) {
		bool has = config_is_moe(c, i) && l->site[place_index(c, p, i, 0)].rank > 0;

		any |= has;
		all &= has || !config_is_moe(c, i);
	}
	if (any && all)
		jw_str(w, name);
	for (uint32_t i = 0; any && !all && i < c->layers; i++)
		if (config_is_moe(c, i) && l->site[place_index(c, p, i, 0)].rank > 0) {
			snprintf(path, sizeof path, "layers.%u.%s", i, name);
			jw_str(w, path);
		}
}

static void put_parameters(struct jw *w, const struct lora *l, const struct model_config *c)
{
	char module[112];

	jw_key(w, "target_parameters");
	jw_arr(w);
	for (size_t i = 0; i < place_count(c); i++)
		if (l->site[i].rank && retargeted(l, c, i)) {
			targets_module(c, i, module);
			strcat(module, ".weight");
			jw_str(w, module);
		}
	if (l->fused) {
		put_fused(w, l, c, P_EGATE, "mlp.experts.gate_up_proj");
		put_fused(w, l, c, P_EDOWN, "mlp.experts.down_proj");
	}
	jw_arr_end(w);
}

/* rank_pattern (WHAT 'r') or alpha_pattern: the modules whose number is another than the adapter's. */
static void put_pattern(struct jw *w, const struct lora *l, const struct model_config *c, char what)
{
	char module[96];

	jw_obj(w);
	for (size_t i = 0; i < place_count(c); i++) {
		const struct lora_site *s = &l->site[i];
		struct place at = place_at(c, i);

		if (s->rank == 0 || (what == 'r' ? s->rank == l->rank : s->alpha == l->alpha))
			continue;
		if (l->fused && at.p >= P_EGATE && (at.expert > 0 || at.p == P_EUP))
			continue;
		targets_module(c, i, module);
		if (l->fused && at.p >= P_EGATE)
			snprintf(module, sizeof module, "model.layers.%u.mlp.experts.%s", at.layer, at.p == P_EGATE ? "gate_up_proj" : "down_proj");
		jw_key(w, module);
		if (what == 'r')
			jw_uint(w, s->rank);
		else
			put_number(w, s->alpha);
	}
	jw_obj_end(w);
}

/* The keys that PEFT reads, in its alphabetical order. */
static void put_config(struct buf *b, const struct lora *l, const struct model_config *c)
{
	static const char *const nulls1[] = { "layers_pattern", "layers_to_transform", NULL }, *const nulls2[] = { "modules_to_save", NULL };
	static const char *const nulls3[] = { "revision", NULL };
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w);
	jw_key(&w, "alpha_pattern"), put_pattern(&w, l, c, 'a');
	jw_key(&w, "base_model_name_or_path");
	if (l->base_name[0])
		jw_str(&w, l->base_name);
	else
		jw_null(&w);
	jw_key(&w, "bias"), jw_str(&w, "none");
	put_bool(&w, "fan_in_fan_out", false);
	put_bool(&w, "inference_mode", true);
	put_bool(&w, "init_lora_weights", true);
	put_nulls(&w, nulls1);
	jw_key(&w, "lora_alpha"), put_number(&w, l->alpha);
	jw_key(&w, "lora_dropout"), jw_double(&w, l->dropout);
	put_nulls(&w, nulls2);
	jw_key(&w, "peft_type"), jw_str(&w, "LORA");
	jw_key(&w, "r"), jw_uint(&w, l->rank);
	jw_key(&w, "rank_pattern"), put_pattern(&w, l, c, 'r');
	put_nulls(&w, nulls3);
	put_modules(&w, l, c);
	put_parameters(&w, l, c);
	jw_key(&w, "task_type"), jw_str(&w, "CAUSAL_LM");
	put_bool(&w, "use_dora", l->dora);
	put_bool(&w, "use_rslora", l->rslora);
	jw_obj_end(&w);
	buf_ch(b, '\n');
}

/* --- tensors --- */

/* B of fused experts as the file has it: [rows, rank * experts]. */
static float *join_experts(const struct lora_row *r, const float *p)
{
	uint32_t n = r->experts, rank = r->cols / n;
	float *out = mem_grow(NULL, (size_t)r->rows * r->cols, sizeof *out);

	for (uint32_t i = 0; i < r->rows; i++)
		for (uint32_t k = 0; k < r->cols; k++)
			out[(size_t)i * r->cols + k] = p[((size_t)(k % n) * r->rows + i) * rank + k / n];
	return out;
}

static int write_tensors(const struct lora *l, const struct model_config *c, const float *p, const char *path, struct err *e)
{
	struct tensor *t = mem_grow(NULL, l->nrows, sizeof *t);
	float **joined = mem_new(l->nrows * sizeof *joined);
	struct buf heads = {0};
	const char *meta[] = { "format", "pt", "sft.heads", NULL, NULL };
	int rc;

	for (size_t i = 0; i < l->nrows; i++) {
		const struct lora_row *r = &l->row[i];
		size_t n = (size_t)r->rows * r->cols;

		if (r->experts)
			joined[i] = join_experts(r, p + r->offset);
		t[i] = (struct tensor){ .name = r->name, .type = DT_F32, .ndim = 2, .dim = { r->rows, r->cols }, .data = joined[i] ? joined[i] : p + r->offset,
		                        .bytes = n * sizeof *p, .count = n };
		if (r->part == LORA_M) {
			t[i].ndim = 1;
			t[i].dim[0] = r->cols;
		}
	}
	if (l->heads) {
		heads_text(&heads, l->heads, c->heads);
		meta[3] = heads.p;
	}
	rc = st_write(path, t, l->nrows, l->heads ? meta : NULL, e);
	buf_free(&heads);
	for (size_t i = 0; i < l->nrows; i++)
		mem_free(joined[i]);
	mem_free(joined);
	mem_free(t);
	return rc;
}

int lora_save(const struct lora *l, const struct model_config *c, const float *p, const char *dir, struct err *e)
{
	struct buf path = {0}, config = {0};
	int rc;

	if ((rc = out_mkdirs(dir, e)) != 0)
		return rc;
	buf_fmt(&path, "%s/adapter_model.safetensors", dir);
	rc = write_tensors(l, c, p, path.p, e);
	path.n = 0;
	buf_fmt(&path, "%s/adapter_config.json", dir);
	if (l->prefix)
		prefix_put_config(&config, l);
	else
		put_config(&config, l, c);
	if (rc == 0)
		rc = out_whole(path.p, config.p, config.n, true, e);
	buf_free(&path);
	buf_free(&config);
	return rc;
}
