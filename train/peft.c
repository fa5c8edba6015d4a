/* SPDX-License-Identifier: Apache-2.0 */
/* LoRA adapters read from where PEFT keeps them: a folder with adapter_config.json and adapter_model.safetensors. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "adapter.h"
#include "heads.h"
#include "mem.h"
#include "pattern.h"
#include "safetensors.h"
#include "strmap.h"
#include "targets.h"

/* --- adapter_config.json --- */

static bool says_nothing(const struct json *v)
{
	if (v == NULL || v->type == JSON_NULL)
		return true;
	if (v->type == JSON_BOOL)
		return !v->b;
	return (v->type == JSON_ARR || v->type == JSON_OBJ) && v->n == 0;
}

/* Keys that make an adapter another thing than A and B on whole linear layers. */
static int refuse_variants(const struct json *j, struct err *e)
{
	static const char *const keys[] = {
		"use_qalora", "use_bdlora", "lora_bias", "fan_in_fan_out", "modules_to_save", "layer_replication", "trainable_token_indices",
		"alora_invocation_tokens", "kasa_config", "velora_config"
	};
	const struct json *bias = json_get(j, "bias"), *init = json_get(j, "init_lora_weights");

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (!says_nothing(json_get(j, keys[i])))
			return err_set(e, SFT_BADDATA, "'%s' is set (expected plain LoRA on whole linear layers)", keys[i]);
	if (bias && !json_is(bias, "none"))
		return err_set(e, SFT_BADDATA, "'bias' is not none (expected frozen biases)");
	if (init && init->type == JSON_STR && strcmp(init->s, "gaussian") != 0)
		return err_set(e, SFT_BADDATA, "'init_lora_weights' is '%.40s' (expected true: such an adapter goes with changed base weights)", init->s);
	return 0;
}

static int read_numbers(struct lora *l, const struct json *j, struct err *e)
{
	int64_t r = 8;
	int rc;

	l->alpha = 8;
	if ((rc = json_get_int(j, "r", 1, 65536, &r, e)) != 0 || (rc = json_get_double(j, "lora_alpha", &l->alpha, e)) != 0 ||
	    (rc = json_get_double(j, "lora_dropout", &l->dropout, e)) != 0 || (rc = json_get_bool(j, "use_rslora", &l->rslora, e)) != 0 ||
	    (rc = json_get_bool(j, "use_dora", &l->dora, e)) != 0)
		return rc;
	l->rank = (uint32_t)r;
	if (!(l->alpha > 0 && l->alpha < 1e9))
		return err_set(e, SFT_BADDATA, "'lora_alpha' is %g (expected above 0)", l->alpha);
	if (!(l->dropout >= 0 && l->dropout < 1))
		return err_set(e, SFT_BADDATA, "'lora_dropout' is %g (expected 0 to 1)", l->dropout);
	return 0;
}

static int read_config(struct lora *l, const struct json *j, struct err *e)
{
	const char *type = NULL, *base = NULL;
	int rc;

	if (j->type != JSON_OBJ)
		return err_set(e, SFT_BADDATA, "is no object");
	if ((rc = json_get_str(j, "peft_type", &type, e)) != 0)
		return rc;
	if (type == NULL || strcmp(type, "LORA") != 0)
		return err_set(e, SFT_BADDATA, "'peft_type' is %s%.40s%s (expected LORA or PREFIX_TUNING)", type ? "'" : "", type ? type : "missing", type ? "'" : "");
	if ((rc = refuse_variants(j, e)) != 0 || (rc = read_numbers(l, j, e)) != 0 || (rc = json_get_str(j, "base_model_name_or_path", &base, e)) != 0)
		return rc;
	snprintf(l->base_name, sizeof l->base_name, "%s", base ? base : "");
	return 0;
}

/* --- rank_pattern and alpha_pattern --- */

struct patterns {
	struct pattern **key;
	double *value;
	size_t n;
	struct matcher *matcher;
};

static void patterns_free(struct patterns *p)
{
	for (size_t i = 0; i < p->n; i++)
		pattern_free(p->key[i]);
	mem_free(p->key);
	mem_free(p->value);
	matcher_free(p->matcher);
}

/* Member NAME of J, an object of numbers: a key names modules that it matches, as a regular expression, from a dot or the start to the end. */
static int patterns_read(struct patterns *p, const struct json *j, const char *name, double most, struct err *e)
{
	const struct json *list = json_get(j, name);
	struct buf text = {0};
	int rc = 0;

	memset(p, 0, sizeof *p);
	p->matcher = matcher_new();
	if (says_nothing(list))
		return 0;
	if (list->type != JSON_OBJ)
		return err_set(e, SFT_BADDATA, "'%s' is no object", name);
	p->key = mem_new(list->n * sizeof *p->key);
	p->value = mem_new(list->n * sizeof *p->value);
	for (size_t i = 0; rc == 0 && i < list->n; i++) {
		const struct json_member *m = &list->member[i];

		text.n = 0;
		buf_fmt(&text, "\\A(?:.*\\.)?(?:%s)\\z", m->key);
		p->value[i] = json_double(&m->value);
		if (!(p->value[i] > 0 && p->value[i] <= most))
			rc = err_set(e, SFT_BADDATA, "'%s' gives '%.60s' %.*s (expected above 0)", name, m->key, (int)(m->value.nraw > 40 ? 40 : m->value.nraw), m->value.raw);
		else if (pattern_new(&p->key[i], text.p, text.n, 0, e) != 0)
			rc = err_set(e, SFT_BADDATA, "'%s' has '%.60s', which is no regular expression", name, m->key);
		else
			p->n++;
	}
	buf_free(&text);
	return rc;
}

/* The first pattern that matches decides. */
static int patterns_find(const struct patterns *p, const char *module, double *value, struct err *e)
{
	bool found = false;
	int rc = 0;

	for (size_t i = 0; rc == 0 && !found && i < p->n; i++)
		if ((rc = pattern_find(p->key[i], p->matcher, module, strlen(module), 0, &found, e)) == 0 && found)
			*value = p->value[i];
	return rc;
}

/* --- which matrices are adapted: what the tensors' names say --- */

struct peft {
	struct lora *l;
	const struct model_config *c;
	struct patterns rank, alpha;
	struct strmap place;               /* path of a module -> place */
	size_t sites;
};

static void list_places(struct peft *f)
{
	char module[96];

	for (size_t i = 0; i < place_count(f->c); i++)
		if (targets_can(f->c, i)) {
			targets_module(f->c, i, module);
			strmap_put(&f->place, module, strlen(module), i, NULL);
		}
}

static int add_site(struct peft *f, size_t place, const char *module, struct err *e)
{
	struct lora_site *s = &f->l->site[place];
	double rank = f->l->rank;
	int rc;

	s->alpha = f->l->alpha;
	if ((rc = patterns_find(&f->rank, module, &rank, e)) != 0 || (rc = patterns_find(&f->alpha, module, &s->alpha, e)) != 0)
		return rc;
	if (rank != (double)(uint32_t)rank)
		return err_set(e, SFT_BADDATA, "'rank_pattern' gives %s rank %g (expected a whole number)", module, rank);
	s->rank = (uint32_t)rank;
	f->sites++;
	return 0;
}

/* All experts of LAYER: their gates and ups (P_EGATE), or their downs. */
static int add_fused_sites(struct peft *f, uint32_t layer, enum param p, struct err *e)
{
	int rc = 0;
	char module[96];

	snprintf(module, sizeof module, "model.layers.%u.mlp.experts.%s", layer, p == P_EGATE ? "gate_up_proj" : "down_proj");
	for (uint32_t x = 0; rc == 0 && x < f->c->experts; x++) {
		rc = add_site(f, place_index(f->c, p, layer, x), module, e);
		if (rc == 0 && p == P_EGATE)
			rc = add_site(f, place_index(f->c, P_EUP, layer, x), module, e);
	}
	f->l->fused = true;
	return rc;
}

/* MODULE as PEFT names wrapped parameters: "model.layers.1.mlp.experts", ".base_layer" inside.  Where there is one wrapping only, A's width says
 * which matrices it is for. */
static int add_if_fused(struct peft *f, const char *module, size_t n, const struct safetensors *s, const struct tensor *a, struct err *e)
{
	char whole[112], inner[160];
	unsigned layer = 0;
	bool two;

	if (n >= sizeof whole)
		return 0;
	snprintf(whole, sizeof whole, "%.*s", (int)n, module);
	if (sscanf(whole, "model.layers.%u.mlp.experts", &layer) != 1 || layer >= f->c->layers || !config_is_moe(f->c, layer))
		return 0;
	snprintf(inner, sizeof inner, "model.layers.%u.mlp.experts.base_layer", layer);
	if (strcmp(whole, inner) == 0)
		return add_fused_sites(f, layer, P_EGATE, e);
	inner[strlen(inner) - strlen(".base_layer")] = '\0';
	if (strcmp(whole, inner) != 0)
		return 0;
	snprintf(inner, sizeof inner, "base_model.model.model.layers.%u.mlp.experts.base_layer.lora_A.weight", layer);
	two = st_find(s, inner) != NULL;
	return add_fused_sites(f, layer, two || a->ndim != 2 || a->dim[1] != f->c->hidden ? P_EDOWN : P_EGATE, e);
}

static int add_sites(struct peft *f, const struct safetensors *s, struct err *e)
{
	static const char before[] = "base_model.model.", after[] = ".lora_A.weight";
	const struct strmap_entry *at;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < st_count(s); i++) {
		const char *name = st_at(s, i)->name, *module = name + strlen(before);
		size_t n = strlen(name), past = n - strlen(after);

		if (n < sizeof before + sizeof after || memcmp(name, before, strlen(before)) != 0 || strcmp(name + past, after) != 0)
			continue;
		n = past - strlen(before);
		if ((at = strmap_find(&f->place, module, n)) != NULL)
			rc = add_site(f, at->value, at->key, e);
		else
			rc = add_if_fused(f, module, n, s, st_at(s, i), e);
	}
	if (rc == 0 && f->sites == 0)
		rc = err_set(e, SFT_BADDATA, "adapter_model.safetensors: no tensors of a LoRA adapter (names ending in q_proj.lora_A.weight and the like)");
	return rc;
}

/* Entries of target_modules that name a linear layer of ours name one that is there ("q_proj", "self_attn.q_proj").  A name that only other families
 * have adapts nothing. */
static int check_targets(const struct peft *f, const struct json *list, struct err *e)
{
	for (size_t i = 0; list && list->type == JSON_ARR && i < list->n; i++) {
		const char *name = list->item[i].type == JSON_STR ? list->item[i].s : "", *leaf = strrchr(name, '.');
		bool known = false, here = false, there = false;

		leaf = leaf ? leaf + 1 : name;
		for (int p = 0; p < P_COUNT; p++)
			known |= param_table[p].leaf && strcmp(param_table[p].leaf, leaf) == 0;
		for (size_t k = 0; k < f->place.n; k++) {
			const char *end = strrchr(f->place.e[k].key, '.') + 1;

			if (strcmp(end, leaf) == 0) {
				here = true;
				there |= f->l->site[f->place.e[k].value].rank > 0;
			}
		}
		if ((!known && !here) || (here && !there))
			return err_set(e, SFT_BADDATA, "adapter_config.json: 'target_modules' names '%.60s', %s", name,
			               here ? "but adapter_model.safetensors has no tensors for it" : "which is no linear layer of this model's blocks");
	}
	return 0;
}

/* --- tensors --- */

static int check_finite(const struct lora_row *r, const float *p, size_t n, struct err *e)
{
	size_t bad = 0;

	for (size_t i = 0; i < n; i++)
		bad += !isfinite(p[i]);
	return bad ? err_set(e, SFT_BADDATA, "tensor '%s' holds %zu values that are infinite or no numbers", r->name, bad) : 0;
}

/* The file's columns, rank by rank of all experts, to matrices of their own. */
static void part_experts(const struct lora_row *r, const struct tensor *t, float *p)
{
	uint32_t n = r->experts, rank = r->cols / n;
	float *row = mem_grow(NULL, r->cols, sizeof *row);

	for (uint32_t i = 0; i < r->rows; i++) {
		dtype_to_f32(t->type, (const char *)t->data + (size_t)i * r->cols * dtype_bytes(t->type), row, r->cols);
		for (uint32_t k = 0; k < r->cols; k++)
			p[((size_t)(k % n) * r->rows + i) * rank + k / n] = row[k];
	}
	mem_free(row);
}

static int read_row(const struct lora_row *r, const struct safetensors *s, float *p, struct err *e)
{
	const struct tensor *t = st_find(s, r->name);

	if (t == NULL)
		return err_set(e, SFT_BADDATA, "tensor '%s' is missing", r->name);
	if (r->part == LORA_M && (t->ndim != 1 || t->dim[0] != r->cols))
		return err_set(e, SFT_BADDATA, "tensor '%s' has %llu values (expected [%u])", r->name, (unsigned long long)t->count, r->cols);
	if (r->part != LORA_M && (t->ndim != 2 || t->dim[0] != r->rows || t->dim[1] != r->cols))
		return err_set(e, SFT_BADDATA, "tensor '%s' is [%llu, %llu] (expected [%u, %u])", r->name, (unsigned long long)(t->ndim > 0 ? t->dim[0] : 1),
		               (unsigned long long)(t->ndim > 1 ? t->dim[1] : 1), r->rows, r->cols);
	if (t->type != DT_F32 && t->type != DT_F16 && t->type != DT_BF16)
		return err_set(e, SFT_BADDATA, "tensor '%s' is %s (expected F32, F16 or BF16)", r->name, dtype_name(t->type));
	if (r->experts)
		part_experts(r, t, p + r->offset);
	else
		dtype_to_f32(t->type, t->data, p + r->offset, t->count);
	return check_finite(r, p + r->offset, t->count, e);
}

static int find_stranger(const struct lora *l, const struct safetensors *s, struct err *e)
{
	struct strmap ours = {0};
	int rc = 0;

	for (size_t k = 0; k < l->nrows; k++)
		strmap_put(&ours, l->row[k].name, strlen(l->row[k].name), k, NULL);
	for (size_t i = 0; rc == 0 && i < st_count(s); i++)
		if (strmap_find(&ours, st_at(s, i)->name, strlen(st_at(s, i)->name)) == NULL)
			rc = err_set(e, SFT_BADDATA, "tensor '%.200s' does not belong to a LoRA adapter of this model", st_at(s, i)->name);
	strmap_free(&ours);
	return rc;
}

static int read_tensors(const struct lora *l, const struct safetensors *s, float **out, struct err *e)
{
	int rc;

	if (st_count(s) != l->nrows && (rc = find_stranger(l, s, e)) != 0)
		return rc;
	for (size_t i = 0; i < l->nrows; i++) {                /* memory only for what the file holds */
		if (st_find(s, l->row[i].name) == NULL)
			return err_set(e, SFT_BADDATA, "tensor '%s' is missing", l->row[i].name);
	}
	if ((*out = mem_try(l->count * sizeof **out)) == NULL)
		return err_set(e, SFT_SYSTEM, "no memory for the adapter's %zu values", l->count);
	for (size_t i = 0; i < l->nrows; i++)
		if ((rc = read_row(&l->row[i], s, *out, e)) != 0)
			return rc;
	return 0;
}

static int open_files(const char *dir, struct arena *a, const struct json **config, struct safetensors **s, struct err *e)
{
	char path[PATH_MAX];
	int rc;

	if (snprintf(path, sizeof path, "%s/adapter_model.safetensors", dir) >= (int)sizeof path)
		return err_set(e, SFT_BADDATA, "%.60s...: the name is too long", dir);
	snprintf(path, sizeof path, "%s/adapter_config.json", dir);
	if ((rc = json_file(a, path, config, e)) != 0)
		return rc;
	snprintf(path, sizeof path, "%s/adapter_model.safetensors", dir);
	if (access(path, F_OK) == 0)
		return st_open(s, path, e);
	snprintf(path, sizeof path, "%s/adapter_model.bin", dir);
	if (access(path, F_OK) == 0)
		return err_set(e, SFT_BADDATA, "%s: pickled tensors are not read (convert them to adapter_model.safetensors)", path);
	return err_set(e, SFT_BADDATA, "%s: no adapter_model.safetensors", dir);
}

/* F->l as the configuration J and the names of the tensors describe it, without its values. */
static int describe_lora(struct peft *f, const struct json *j, const struct safetensors *s, struct err *e)
{
	int rc;

	if ((rc = read_config(f->l, j, e)) != 0 || (rc = patterns_read(&f->rank, j, "rank_pattern", 65536, e)) != 0 ||
	    (rc = patterns_read(&f->alpha, j, "alpha_pattern", 1e9, e)) != 0)
		return err_in(e, "adapter_config.json");
	list_places(f);
	if ((rc = add_sites(f, s, e)) != 0 || (rc = check_targets(f, json_get(j, "target_modules"), e)) != 0)
		return rc;
	if (f->l->fused && f->l->dora)
		return err_set(e, SFT_BADDATA, "adapter_config.json: 'use_dora' with fused experts (expected plain LoRA, or an adapter for each expert's matrices)");
	lora_lay_out(f->l, f->c);
	return 0;
}

static int describe(struct lora **out, const struct model_config *c, const struct json *j, const struct safetensors *s, struct err *e)
{
	struct peft f = { .c = c };
	uint32_t prefix = 0;
	int rc;

	if (json_is(json_get(j, "peft_type"), "PREFIX_TUNING")) {
		rc = prefix_read_config(&prefix, c, j, e);
		return rc != 0 ? err_in(e, "adapter_config.json") : prefix_new(out, c, prefix, e);
	}
	*out = f.l = lora_blank(c);
	rc = describe_lora(&f, j, s, e);
	patterns_free(&f.rank);
	patterns_free(&f.alpha);
	strmap_free(&f.place);
	return rc;
}

/* The heads that an adapter of this suite is limited to stand in its file's metadata, which PEFT does not look at. */
static int read_heads(struct lora *l, const struct model_config *c, const struct safetensors *s, const float *p, struct err *e)
{
	const char *text = st_meta(s, "sft.heads");
	bool *heads;
	int rc;

	if (text == NULL || l->prefix)
		return 0;
	heads = mem_new(c->heads * sizeof *heads);
	if ((rc = heads_read(heads, c->heads, text, e)) != 0) {
		mem_free(heads);
		return rc;
	}
	heads_limit(l, c, heads);
	return heads_zero(l, p) ? 0 : err_set(e, SFT_BADDATA, "a value outside of heads %.60s is not 0", text);
}

static int build(struct lora **out, float **p, const struct model_config *c, const struct json *j, const struct safetensors *s, struct err *e)
{
	struct lora *l = NULL;
	int rc = describe(&l, c, j, s, e);

	if (rc == 0 && ((rc = read_tensors(l, s, p, e)) != 0 || (rc = read_heads(l, c, s, *p, e)) != 0))
		err_in(e, "adapter_model.safetensors");
	if (rc != 0)
		lora_free(l);
	else
		*out = l;
	return rc;
}

int lora_load(struct lora **out, float **p, const struct model_config *c, const char *dir, struct err *e)
{
	struct safetensors *s = NULL;
	const struct json *j;
	struct arena a;
	int rc;

	*out = NULL;
	*p = NULL;
	arena_init(&a);
	if ((rc = open_files(dir, &a, &j, &s, e)) == 0 && (rc = build(out, p, c, j, s, e)) != 0) {
		err_in(e, "%s", dir);
		mem_free(*p);
		*p = NULL;
	}
	st_close(s);
	arena_release(&a);
	return rc;
}
