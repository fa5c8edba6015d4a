/* SPDX-License-Identifier: Apache-2.0 */
#include "weights.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "gguf.h"
#include "json.h"
#include "kvsplit.h"
#include "mem.h"
#include "safetensors.h"
#include "strmap.h"

/* --- finding and checking the tensors of a file --- */

struct source {
	struct gguf *g;                /* one of the two */
	struct safetensors *s;
	void **copy;                   /* memory for what cannot stay where it lies */
	size_t ncopies, capcopies;
};

/* What does not fit, in one line: the first few by name, the others counted. */
struct misfits {
	char   text[600];
	size_t n;
};

enum { MISFITS_NAMED = 4 };

static void misfit(struct misfits *m, const char *what, const char *name, const char *detail)
{
	size_t at = strlen(m->text);

	if (m->n++ < MISFITS_NAMED)
		snprintf(m->text + at, sizeof m->text - at, "%s%s '%.100s'%s", at ? "; " : "", what, name, detail);
}

/* Matrix AT of an expert out of T, which holds those of all experts one below the other; PARTS: matrices of an expert, of which this is number PART. */
static const struct tensor *slice(const struct weights *w, const struct tensor *t, struct place at, uint32_t parts, uint32_t part, struct tensor *one)
{
	uint32_t rows, cols;

	param_shape(&w->cfg, at.p, at.layer, &rows, &cols);
	if (t->ndim != 3 || t->dim[0] != w->cfg.experts || t->dim[1] != (uint64_t)parts * rows || t->dim[2] != cols || cols % dtype_block(t->type))
		return t;                                  /* misshapen, and named so */
	*one = (struct tensor){ .name = t->name, .type = t->type, .ndim = 2, .dim = { rows, cols }, .count = (uint64_t)rows * cols };
	one->bytes = (size_t)(one->count / dtype_block(t->type) * dtype_bytes(t->type));
	one->data = (const char *)t->data + ((size_t)at.expert * parts + part) * one->bytes;
	return one;
}

/* Experts as transformers 5 holds them: "mlp.experts.gate_up_proj" [experts, 2 * width, hidden], gates first, and "mlp.experts.down_proj". */
static const struct tensor *find_fused(const struct weights *w, const struct source *s, struct place at, char name[96], struct tensor *one)
{
	const struct tensor *t;
	char fused[96];

	snprintf(fused, sizeof fused, "model.layers.%u.mlp.experts.%s", at.layer, at.p == P_EDOWN ? "down_proj" : "gate_up_proj");
	if ((t = st_find(s->s, fused)) == NULL)
		return NULL;
	strcpy(name, fused);
	return slice(w, t, at, at.p == P_EDOWN ? 1 : 2, at.p == P_EUP, one);
}

static const struct tensor *source_find(const struct weights *w, const struct source *s, struct place at, char name[96], struct tensor *one)
{
	const struct tensor *t;

	if (s->g) {
		param_gguf_name(at.p, at.layer, name);
		t = gguf_find(s->g, name);
		return t && at.p >= P_EGATE ? slice(w, t, at, 1, 0, one) : t;
	}
	param_hf_name(&w->cfg, at.p, at.layer, at.expert, name);
	t = st_find(s->s, name);
	return t == NULL && at.p >= P_EGATE ? find_fused(w, s, at, name, one) : t;
}

static bool fits(const struct tensor *t, enum param p, uint32_t rows, uint32_t cols)
{
	if (p == P_SHGATE && t->ndim == 1)                        /* GGUF: one row is a vector */
		return t->dim[0] == cols;
	return param_is_vector(p) ? t->ndim == 1 && t->dim[0] == cols : t->ndim == 2 && t->dim[0] == rows && t->dim[1] == cols;
}

/* Does the type have values that can be widened. */
static bool has_values(enum dtype t)
{
	return dtype_to_f32(t, "", NULL, 0) != 0;
}

/* The scales of an FP8 matrix stand beside it; they are looked at here, taken by prepare_fp8(). */
static void find_scale(struct weights *w, const struct source *s, const char *name, struct weight *to, struct misfits *bad)
{
	uint32_t block = w->cfg.fp8_block;
	char scale[112], detail[112];
	const struct tensor *t;

	snprintf(scale, sizeof scale, "%s_scale_inv", name);
	if (block == 0 || s->s == NULL || (t = st_find(s->s, scale)) == NULL) {
		misfit(bad, "missing", scale, block ? "" : " (and no 'weight_block_size' in config.json)");
		return;
	}
	to->block = block;
	if (t->ndim != 2 || t->dim[0] != (to->rows + block - 1) / block || t->dim[1] != (to->cols + block - 1) / block) {
		snprintf(detail, sizeof detail, " (expected [%u, %u], blocks of %u)", (to->rows + block - 1) / block, (to->cols + block - 1) / block, block);
		misfit(bad, "misshapen", scale, detail);
	} else if (t->type != DT_F32 && t->type != DT_BF16 && t->type != DT_F8_E8M0) {
		misfit(bad, "unreadable", scale, " (expected F32, BF16 or F8_E8M0)");
	}
}

/* kv_b in two tensors: TO is a place for f32 values, which prepare() fills.  False where the file has not both. */
static bool find_kv_pair(struct weights *w, const struct source *s, uint32_t layer, struct weight *to, struct misfits *bad)
{
	struct kv_pair pair;
	uint32_t rows, cols;

	if (!kv_split_find(&pair, &w->cfg, s->g, layer))
		return false;
	param_shape(&w->cfg, P_KVB, layer, &rows, &cols);
	*to = (struct weight){ .p = pair.k->data, .type = DT_F32, .rows = rows, .cols = cols };
	if (!kv_split_fits(&pair, &w->cfg))
		misfit(bad, "misshapen", pair.k->name, " (or the values beside it; expected [heads, rank, nope] and [heads, values, rank])");
	return true;
}

static void find_weight(struct weights *w, struct source *s, size_t place, struct misfits *bad)
{
	struct place at = place_at(&w->cfg, place);
	struct weight *to = &w->w[place];
	const struct tensor *t;
	struct tensor one;
	uint32_t rows, cols;
	char name[96], detail[160];

	if (!param_shape(&w->cfg, at.p, at.layer, &rows, &cols))
		return;
	if ((t = source_find(w, s, at, name, &one)) == NULL && at.p == P_KVB && s->g && find_kv_pair(w, s, at.layer, to, bad))
		return;
	if (t == NULL) {
		misfit(bad, "missing", name, "");
		return;
	}
	if (!fits(t, at.p, rows, cols)) {
		if (param_is_vector(at.p))
			snprintf(detail, sizeof detail, " (expected [%u])", cols);
		else
			snprintf(detail, sizeof detail, " (has %u dimensions, [%llu, %llu]; expected [%u, %u])", t->ndim,
			         (unsigned long long)(t->ndim ? t->dim[0] : 0), (unsigned long long)(t->ndim > 1 ? t->dim[1] : 0), rows, cols);
		misfit(bad, "misshapen", name, detail);
	} else if (!has_values(t->type)) {
		snprintf(detail, sizeof detail, " of type %s (expected F32, F16, BF16, F8_E4M3 or a quantised type)", dtype_name(t->type));
		misfit(bad, "unreadable", name, detail);
	}
	*to = (struct weight){ .p = t->data, .type = t->type, .rows = rows, .cols = cols };
	if (t->type == DT_F8_E4M3)
		find_scale(w, s, name, to, bad);
}

static bool is_kv_part(const struct weights *w, const struct source *s, const char *name)
{
	struct kv_pair pair;
	unsigned layer;

	return s->g && sscanf(name, "blk.%u.attn_", &layer) == 1 && layer < w->cfg.layers && kv_split_find(&pair, &w->cfg, s->g, layer) &&
	       (strcmp(name, pair.k->name) == 0 || strcmp(name, pair.v->name) == 0);
}

static bool known(const struct weights *w, const struct strmap *names, const char *name)
{
	static const char *const harmless[] = { "rope_freqs.weight", "lm_head.weight" };   /* the head of a tied model is the embedding */
	size_t n = strlen(name), k = strlen(".rotary_emb.inv_freq"), s = strlen("_scale_inv");

	if (strmap_find(names, name, n) || (w->cfg.tied && strcmp(name, harmless[1]) == 0))
		return true;
	if (n > s && w->cfg.fp8_block && strcmp(name + n - s, "_scale_inv") == 0 && strmap_find(names, name, n - s))
		return true;
	return w->from_gguf ? strcmp(name, harmless[0]) == 0 : n > k && strcmp(name + n - k, ".rotary_emb.inv_freq") == 0;
}

/* Is it of a layer behind the last: those that predict further tokens. */
static bool predicts_further(const struct weights *w, const char *name)
{
	unsigned layer;

	return w->cfg.further && sscanf(name, "model.layers.%u.", &layer) == 1 && layer >= w->cfg.layers && layer < w->cfg.layers + w->cfg.further;
}

static void find_extra(struct weights *w, const struct source *s, struct misfits *bad)
{
	struct strmap names = {0};
	size_t n = s->g ? gguf_count(s->g) : st_count(s->s);
	uint32_t rows, cols;
	struct tensor one;
	char name[96];

	for (size_t i = 0; i < place_count(&w->cfg); i++) {
		struct place at = place_at(&w->cfg, i);

		if (!param_shape(&w->cfg, at.p, at.layer, &rows, &cols))
			continue;
		source_find(w, s, at, name, &one);
		strmap_put(&names, name, strlen(name), 1, NULL);
	}
	for (size_t i = 0; i < n; i++) {
		const struct tensor *t = s->g ? gguf_at(s->g, i) : st_at(s->s, i);

		if (predicts_further(w, t->name))
			w->mtp++;
		else if (!known(w, &names, t->name) && !is_kv_part(w, s, t->name))
			misfit(bad, "extra", t->name, "");
	}
	strmap_free(&names);
}

static int find_all(struct weights *w, struct source *s, struct err *e)
{
	struct misfits bad = {0};

	for (size_t i = 0; i < place_count(&w->cfg); i++)
		find_weight(w, s, i, &bad);
	find_extra(w, s, &bad);
	if (bad.n == 0)
		return 0;
	if (bad.n > MISFITS_NAMED)
		return err_set(e, SFT_BADDATA, "tensors do not fit the configuration: %s; and %zu more", bad.text, bad.n - MISFITS_NAMED);
	return err_set(e, SFT_BADDATA, "tensors do not fit the configuration: %s", bad.text);
}

/* --- what cannot be used where it lies --- */

static void *take_copy(struct source *s, size_t bytes, struct err *e)
{
	void *p = mem_try(bytes);

	if (p == NULL) {
		err_set(e, SFT_SYSTEM, "no memory for a weight of %zu bytes", bytes);
		return NULL;
	}
	ARRAY_ROOM(s->copy, s->ncopies, s->capcopies);
	return s->copy[s->ncopies++] = p;
}

static size_t row_bytes(const struct weight *w)
{
	return w->cols / dtype_block(w->type) * dtype_bytes(w->type);
}

/* GGUF's `llama` keeps the rows of q and k so that rotated pairs are neighbours: in each head of D rows, row 2i is ours i and row
 * 2i + 1 is ours i + D/2.  Whole rows move, quantised or not. */
static int restore_rows(struct source *s, struct weight *w, uint32_t head_dim, struct err *e)
{
	size_t n = row_bytes(w);
	uint8_t *to = take_copy(s, n * w->rows, e);

	if (to == NULL)
		return SFT_SYSTEM;
	for (uint32_t r = 0; r < w->rows; r++) {
		uint32_t in = r % head_dim, from = r - in + (in < head_dim / 2 ? 2 * in : 2 * (in - head_dim / 2) + 1);

		memcpy(to + r * n, (const uint8_t *)w->p + from * n, n);
	}
	w->p = to;
	w->copied = true;
	return 0;
}

static int widen_vector(struct source *s, struct weight *w, struct err *e)
{
	float *to = take_copy(s, w->cols * sizeof *to, e);

	if (to == NULL)
		return SFT_SYSTEM;
	dtype_to_f32(w->type, w->p, to, w->cols);
	w->f32 = to;
	return 0;
}

/* Files may place plain values at any byte; kernels may not read them there. */
static int align_plain(struct source *s, struct weight *w, struct err *e)
{
	size_t bytes = row_bytes(w) * w->rows;
	void *to;

	if (dtype_block(w->type) != 1 || (uintptr_t)w->p % dtype_bytes(w->type) == 0)
		return 0;
	if ((to = take_copy(s, bytes, e)) == NULL)
		return SFT_SYSTEM;
	w->p = memcpy(to, w->p, bytes);
	w->copied = true;
	return 0;
}

static int join_kv(const struct weights *w, struct source *s, const struct kv_pair *pair, struct weight *to, struct err *e)
{
	float *p = take_copy(s, (size_t)to->rows * to->cols * sizeof *p, e);

	if (p == NULL)
		return SFT_SYSTEM;
	kv_split_join(pair, &w->cfg, p);
	to->p = p;
	to->copied = true;
	return 0;
}

/* NaN is the one code that kernels do not tell apart. */
static int check_fp8(const struct weight *w, const char *name, struct err *e)
{
	const uint8_t *p = w->p;
	size_t n = (size_t)w->rows * w->cols, bad = 0;

	for (size_t i = 0; i < n; i++)
		bad += (p[i] & 0x7f) == 0x7f;
	return bad ? err_set(e, SFT_BADDATA, "tensor '%s' holds %zu values that are no numbers", name, bad) : 0;
}

static int prepare_fp8(struct weights *w, struct source *s, size_t place, struct err *e)
{
	struct weight *to = &w->w[place];
	struct place at = place_at(&w->cfg, place);
	const struct tensor *t;
	char name[112];
	float *scale;
	int rc;

	param_hf_name(&w->cfg, at.p, at.layer, at.expert, name);
	if ((rc = check_fp8(to, name, e)) != 0)
		return rc;
	strcat(name, "_scale_inv");
	t = st_find(s->s, name);
	if ((scale = take_copy(s, t->count * sizeof *scale, e)) == NULL)
		return SFT_SYSTEM;
	dtype_to_f32(t->type, t->data, scale, t->count);
	for (size_t i = 0; i < t->count; i++)
		if (!(scale[i] >= 0 && scale[i] < INFINITY))
			return err_set(e, SFT_BADDATA, "tensor '%s' holds %g (expected scales of 0 or more)", name, (double)scale[i]);
	to->scale = scale;
	return 0;
}

static int prepare(struct weights *w, struct source *s, struct err *e)
{
	struct kv_pair pair;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < place_count(&w->cfg); i++) {
		enum param p = place_at(&w->cfg, i).p;
		struct weight *to = &w->w[i];

		if (to->p == NULL)
			continue;
		if (s->g && p == P_KVB && kv_split_find(&pair, &w->cfg, s->g, place_at(&w->cfg, i).layer))
			rc = join_kv(w, s, &pair, to, e);
		else if (s->g && param_paired(&w->cfg, p))
			rc = restore_rows(s, to, w->cfg.head_dim, e);
		else
			rc = align_plain(s, to, e);
		if (rc == 0 && param_is_vector(p))
			rc = widen_vector(s, to, e);
		if (rc == 0 && to->type == DT_F8_E4M3)
			rc = prepare_fp8(w, s, i, e);
	}
	return rc;
}

/* --- opening --- */

static int open_gguf(struct weights *w, struct source *s, const char *path, struct err *e)
{
	int rc;

	if ((rc = gguf_open(&s->g, path, e)) != 0)
		return rc;
	w->from_gguf = true;
	return config_from_gguf(&w->cfg, s->g, e) != 0 ? err_in(e, "%s", path) : 0;
}

static int open_folder(struct weights *w, struct source *s, const char *path, struct err *e)
{
	char file[PATH_MAX];
	struct arena a;
	const struct json *j;
	int rc;

	if (snprintf(file, sizeof file, "%s/config.json", path) >= (int)sizeof file)
		return err_set(e, SFT_BADDATA, "%.60s...: the name is too long", path);
	arena_init(&a);
	if ((rc = json_file(&a, file, &j, e)) == 0 && (rc = config_from_json(&w->cfg, j, e)) != 0)
		err_in(e, "%s", file);
	arena_release(&a);
	return rc != 0 ? rc : st_open_dir(&s->s, path, e);
}

int weights_open(struct weights **out, const char *path, struct err *e)
{
	struct weights *w = mem_new(sizeof *w);
	struct source *s = w->own = mem_new(sizeof *s);
	struct stat st;
	int rc;

	*out = NULL;
	w->path = mem_str(path);
	if (stat(path, &st) != 0)
		rc = err_sys(e, path);
	else if (S_ISDIR(st.st_mode))
		rc = open_folder(w, s, path, e);
	else if (gguf_is(path))
		rc = open_gguf(w, s, path, e);
	else
		rc = err_set(e, SFT_BADDATA, "%s: is no model (expected a folder with config.json and safetensors, or a GGUF file)", path);
	if (rc == 0) {
		w->w = mem_new(place_count(&w->cfg) * sizeof *w->w);
		if ((rc = find_all(w, s, e)) != 0 || (rc = prepare(w, s, e)) != 0)
			err_in(e, "%s", path);
	}
	if (rc != 0)
		weights_close(w);
	else
		*out = w;
	return rc;
}

void weights_close(struct weights *w)
{
	struct source *s;

	if (w == NULL)
		return;
	s = w->own;
	for (size_t i = 0; s && i < s->ncopies; i++)
		mem_free(s->copy[i]);
	if (s) {
		mem_free(s->copy);
		gguf_close(s->g);
		st_close(s->s);
	}
	mem_free(s);
	mem_free(w->w);
	mem_free(w->path);
	mem_free(w);
}

const struct weight *weights_at(const struct weights *w, enum param p, uint32_t layer)
{
	return weights_expert(w, p, layer, 0);
}

const struct weight *weights_expert(const struct weights *w, enum param p, uint32_t layer, uint32_t expert)
{
	const struct weight *x = &w->w[place_index(&w->cfg, p, layer, expert)];

	return x->rows ? x : NULL;
}

uint64_t weights_parameters(const struct weights *w)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < place_count(&w->cfg); i++)
		sum += (uint64_t)w->w[i].rows * w->w[i].cols;
	return sum;
}
