/* SPDX-License-Identifier: Apache-2.0 */
/* LoRA adapters as PEFT keeps them: a folder with adapter_config.json and adapter_model.safetensors. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "adapter.h"
#include "mem.h"
#include "outfile.h"
#include "safetensors.h"

/* --- adapter_config.json --- */

static bool says_nothing(const struct json *v)
{
	if (v == NULL || v->type == JSON_NULL)
		return true;
	if (v->type == JSON_BOOL)
		return !v->b;
	return (v->type == JSON_ARR || v->type == JSON_OBJ) && v->n == 0;
}

/* Keys that make an adapter another thing than A and B of one rank on whole linear layers. */
static int refuse_variants(const struct json *j, struct err *e)
{
	static const char *const keys[] = {
		"use_qalora", "use_bdlora", "lora_bias", "fan_in_fan_out", "rank_pattern", "alpha_pattern", "modules_to_save", "target_parameters",
		"layers_to_transform", "layer_replication", "trainable_token_indices", "alora_invocation_tokens", "kasa_config", "velora_config"
	};
	const struct json *bias = json_get(j, "bias"), *init = json_get(j, "init_lora_weights");

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (!says_nothing(json_get(j, keys[i])))
			return err_set(e, SFT_BADDATA, "'%s' is set (expected plain LoRA: one rank, whole linear layers)", keys[i]);
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

/* --- tensors --- */

/* Is MODULE ("...layers.0.self_attn.q_proj") the linear layer P: does it end in the path that the table has for P. */
static bool is_module(const struct model_config *c, const char *module, size_t n, enum param p)
{
	char hf[96];
	const char *path;
	size_t k;

	param_hf_name(c, p, 0, 0, hf);
	path = strstr(hf, ".0.") + 2;                             /* ".self_attn.q_proj.weight" */
	k = strlen(path) - strlen(".weight");
	return n > k && memcmp(module + n - k, path, k) == 0;
}

/* Which linear layers the file adapts, by the names of its tensors. */
static void find_targets(const struct model_config *c, const struct safetensors *s, bool target[P_COUNT])
{
	for (size_t i = 0; i < st_count(s); i++) {
		const char *name = st_at(s, i)->name, *end = strstr(name, ".lora_");

		for (int p = P_LAYER; end && p < P_COUNT; p++)
			if (param_table[p].linear && is_module(c, name, (size_t)(end - name), (enum param)p))
				target[p] = true;
	}
}

/* Entries of target_modules that name a linear layer of ours name one that is there ("q_proj", "self_attn.q_proj"). */
static int check_targets(const struct lora *l, const struct model_config *c, const struct json *list, struct err *e)
{
	for (size_t i = 0; list && list->type == JSON_ARR && i < list->n; i++) {
		const char *name = list->item[i].type == JSON_STR ? list->item[i].s : "", *leaf = strrchr(name, '.');
		bool known = false, here = false, there = false;

		leaf = leaf ? leaf + 1 : name;
		for (int p = 0; p < P_COUNT; p++) {
			if (param_table[p].leaf == NULL || strcmp(param_table[p].leaf, leaf) != 0)
				continue;
			known = true;
			here |= param_adaptable(c, (enum param)p);
			there |= l->target[p];
		}
		if (!known || (here && !there))                   /* a name that only other families have adapts nothing */
			return err_set(e, SFT_BADDATA, "'target_modules' names '%.60s', %s", name,
			               known ? "but adapter_model.safetensors has no tensors for it" : "which is no linear layer of this model's blocks");
	}
	return 0;
}

static int check_finite(const struct lora_row *r, const float *p, size_t n, struct err *e)
{
	size_t bad = 0;

	for (size_t i = 0; i < n; i++)
		bad += !isfinite(p[i]);
	return bad ? err_set(e, SFT_BADDATA, "tensor '%s' holds %zu values that are infinite or no numbers", r->name, bad) : 0;
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
	dtype_to_f32(t->type, t->data, p + r->offset, t->count);
	return check_finite(r, p + r->offset, t->count, e);
}

static int find_stranger(const struct lora *l, const struct safetensors *s, struct err *e)
{
	for (size_t i = 0; i < st_count(s); i++) {
		size_t k = 0;

		while (k < l->nrows && strcmp(l->row[k].name, st_at(s, i)->name) != 0)
			k++;
		if (k == l->nrows)
			return err_set(e, SFT_BADDATA, "tensor '%.200s' does not belong to a LoRA adapter of this model", st_at(s, i)->name);
	}
	return 0;
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

/* The targets as lora_new wants them. */
static void list_targets(const bool target[P_COUNT], struct buf *b)
{
	for (int p = 0; p < P_COUNT; p++)
		if (target[p])                                    /* a leaf named twice is taken twice, which changes nothing */
			buf_fmt(b, "%s%s", b->n ? "," : "", param_table[p].leaf);
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

/* The adapter that the configuration and the names of the tensors describe, without its values. */
static int describe(struct lora **out, const struct model_config *c, const struct json *j, const struct safetensors *s, struct err *e)
{
	struct lora head = {0};
	struct buf names = {0};
	int rc;

	if (json_is(json_get(j, "peft_type"), "PREFIX_TUNING")) {
		rc = prefix_read_config(&head.prefix, c, j, e);
		return rc != 0 ? err_in(e, "adapter_config.json") : prefix_new(out, c, head.prefix, e);
	}
	if ((rc = read_config(&head, j, e)) != 0)
		return err_in(e, "adapter_config.json");
	find_targets(c, s, head.target);
	list_targets(head.target, &names);
	if (names.n == 0)
		rc = err_set(e, SFT_BADDATA, "adapter_model.safetensors: no tensors of a LoRA adapter (names ending in q_proj.lora_A.weight and the like)");
	else
		rc = lora_new(out, c, &(struct lora_opts){ head.rank, head.alpha, head.rslora, head.dora, names.p }, e);
	buf_free(&names);
	if (rc != 0)
		return rc;
	(*out)->dropout = head.dropout;
	memcpy((*out)->base_name, head.base_name, sizeof head.base_name);
	return check_targets(*out, c, json_get(j, "target_modules"), e) != 0 ? err_in(e, "adapter_config.json") : 0;
}

static int build(struct lora **out, float **p, const struct model_config *c, const struct json *j, const struct safetensors *s, struct err *e)
{
	struct lora *l = NULL;
	int rc = describe(&l, c, j, s, e);

	if (rc == 0 && (rc = read_tensors(l, s, p, e)) != 0)
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

/* --- writing --- */

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

static void put_targets(struct jw *w, const struct lora *l)
{
	jw_key(w, "target_modules");
	jw_arr(w);
	for (int p = 0; p < P_COUNT; p++) {
		int before = 0;                                   /* two kinds of layers may share a leaf: named once */

		while (before < p && !(l->target[before] && strcmp(param_table[before].leaf, param_table[p].leaf ? param_table[p].leaf : "") == 0))
			before++;
		if (l->target[p] && before == p)
			jw_str(w, param_table[p].leaf);
	}
	jw_arr_end(w);
}

/* The keys that PEFT reads, in its alphabetical order. */
static void put_config(struct buf *b, const struct lora *l)
{
	static const char *const nulls1[] = { "layers_pattern", "layers_to_transform", NULL }, *const nulls2[] = { "modules_to_save", NULL };
	static const char *const nulls3[] = { "revision", NULL };
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w);
	jw_key(&w, "alpha_pattern"), jw_obj(&w), jw_obj_end(&w);
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
	jw_key(&w, "rank_pattern"), jw_obj(&w), jw_obj_end(&w);
	put_nulls(&w, nulls3);
	put_targets(&w, l);
	jw_key(&w, "task_type"), jw_str(&w, "CAUSAL_LM");
	put_bool(&w, "use_dora", l->dora);
	put_bool(&w, "use_rslora", l->rslora);
	jw_obj_end(&w);
	buf_ch(b, '\n');
}

static int write_tensors(const struct lora *l, const float *p, const char *path, struct err *e)
{
	struct tensor *t = mem_grow(NULL, l->nrows, sizeof *t);
	int rc;

	for (size_t i = 0; i < l->nrows; i++) {
		const struct lora_row *r = &l->row[i];
		size_t n = (size_t)r->rows * r->cols;

		t[i] = (struct tensor){ .name = r->name, .type = DT_F32, .ndim = 2, .dim = { r->rows, r->cols }, .data = p + r->offset,
		                        .bytes = n * sizeof *p, .count = n };
		if (r->part == LORA_M) {
			t[i].ndim = 1;
			t[i].dim[0] = r->cols;
		}
	}
	rc = st_write(path, t, l->nrows, NULL, e);
	mem_free(t);
	return rc;
}

int lora_save(const struct lora *l, const float *p, const char *dir, struct err *e)
{
	struct buf path = {0}, config = {0};
	int rc;

	if ((rc = out_mkdirs(dir, e)) != 0)
		return rc;
	buf_fmt(&path, "%s/adapter_model.safetensors", dir);
	rc = write_tensors(l, p, path.p, e);
	path.n = 0;
	buf_fmt(&path, "%s/adapter_config.json", dir);
	if (l->prefix)
		prefix_put_config(&config, l);
	else
		put_config(&config, l);
	if (rc == 0)
		rc = out_whole(path.p, config.p, config.n, true, e);
	buf_free(&path);
	buf_free(&config);
	return rc;
}
