/* SPDX-License-Identifier: Apache-2.0 */
#include "ggufexport.h"

#include <stdio.h>
#include <string.h>

#include "configout.h"
#include "ggufout.h"
#include "ggufput.h"
#include "kvsplit.h"
#include "mem.h"
#include "strmap.h"

struct export {
	struct weightout to;
	const struct weights *w;
	struct gguf *g;
	enum dtype type;
	struct strmap places;          /* name in the file -> place; what the forward pass does not use has none */
	struct tensor *t;              /* as they will be written */
};

static const struct strmap_entry *place_of(const struct export *x, size_t i)
{
	const char *name = gguf_at(x->g, i)->name;

	return strmap_find(&x->places, name, strlen(name));
}

/* --- what is written --- */

static void find_places(struct export *x)
{
	char name[96];

	for (size_t i = 0; i < place_count(&x->w->cfg); i++) {
		struct place at = place_at(&x->w->cfg, i);

		if (x->w->w[i].p == NULL)
			continue;
		param_gguf_name(at.p, at.layer, name);
		strmap_put(&x->places, name, strlen(name), i, NULL);
	}
}

static enum dtype type_of(const struct export *x, size_t place)
{
	const struct weight *w = &x->w->w[place];
	bool plain = w->type == DT_F32 || w->type == DT_F16 || w->type == DT_BF16;

	if (param_is_vector(place_at(&x->w->cfg, place).p))
		return w->type;
	if (x->type == DT_NONE)
		return plain || !weightout_changed(&x->to, place) ? w->type : DT_Q8_0;
	return x->type == DT_Q8_0 && w->cols % 32 ? DT_F16 : x->type;
}

/* The layer whose kv_b tensor I is a half of, with *PAIR; -1: it is something else. */
static int kv_layer(const struct export *x, size_t i, struct kv_pair *pair)
{
	unsigned layer;

	if (sscanf(gguf_at(x->g, i)->name, "blk.%u.attn_", &layer) != 1 || layer >= x->w->cfg.layers || !kv_split_find(pair, &x->w->cfg, x->g, layer))
		return -1;
	return pair->k == gguf_at(x->g, i) || pair->v == gguf_at(x->g, i) ? (int)layer : -1;
}

/* Of a half of kv_b that changes. */
static enum dtype half_type(const struct export *x, const struct tensor *t)
{
	bool plain = t->type == DT_F32 || t->type == DT_F16 || t->type == DT_BF16;
	enum dtype want = x->type != DT_NONE ? x->type : plain ? t->type : DT_Q8_0;

	return want == DT_Q8_0 && t->dim[2] % 32 ? DT_F16 : want;
}

static void list_tensors(struct export *x)
{
	size_t n = gguf_count(x->g);

	x->t = mem_grow(NULL, n, sizeof *x->t);
	for (size_t i = 0; i < n; i++) {
		const struct strmap_entry *p = place_of(x, i);
		struct tensor *t = &x->t[i];

		struct kv_pair pair;
		int layer = p ? -1 : kv_layer(x, i, &pair);

		*t = *gguf_at(x->g, i);
		if (p == NULL && (layer < 0 || !weightout_changed(&x->to, place_index(&x->w->cfg, P_KVB, (uint32_t)layer, 0))))
			continue;
		t->type = p ? type_of(x, p->value) : half_type(x, t);
		t->bytes = t->count / dtype_block(t->type) * dtype_bytes(t->type);
	}
}

static void list_metadata(const struct export *x, struct gguf_meta *m)
{
	bool quantised = false;
	const void *raw;
	size_t n;

	for (size_t i = 0; i < gguf_keys(x->g); i++)
		if (x->type != DT_NONE && strcmp(gguf_key_at(x->g, i, &raw, &n), "general.file_type") == 0)
			gguf_meta_u32(m, "general.file_type", gguf_file_type(x->type));
		else
			gguf_meta_copy(m, x->g, i);
	for (size_t i = 0; i < gguf_count(x->g); i++)
		quantised = quantised || dtype_block(x->t[i].type) > 1;
	if (quantised && !gguf_has(x->g, "general.quantization_version"))
		gguf_meta_u32(m, "general.quantization_version", 2);
}

/* A tensor that is no place of ours: as it stands, unless it is half of a kv_b that changes. */
static int put_other(struct export *x, size_t i, struct outfile *f, struct err *e)
{
	struct kv_pair pair;
	int layer = kv_layer(x, i, &pair);
	size_t place = layer < 0 ? 0 : place_index(&x->w->cfg, P_KVB, (uint32_t)layer, 0);

	if (layer < 0 || !weightout_changed(&x->to, place))
		return out_write(f, x->t[i].data, x->t[i].bytes, e);
	return gguf_put_kv_half(&x->to, place, pair.k == gguf_at(x->g, i), &x->t[i], f, e);
}

/* gguf_fill */
static int put_tensor(void *ctx, size_t i, struct outfile *f, struct err *e)
{
	struct export *x = ctx;
	const struct strmap_entry *at = place_of(x, i);
	struct weight_form form = { .name = x->t[i].name, .type = x->t[i].type };
	enum param p;

	if (at == NULL)
		return put_other(x, i, f, e);
	p = place_at(&x->w->cfg, at->value).p;
	if (param_paired(&x->w->cfg, p))
		form.pairs = x->w->cfg.head_dim;
	return p >= P_EGATE ? gguf_put_experts(&x->to, at->value, &form, f, e) : weightout_put(&x->to, at->value, &form, f, e);
}

int gguf_export(const struct weights *w, const struct weight_values *v, enum dtype type, struct pool *pool, const char *path, struct err *e)
{
	struct export x = { .w = w, .type = type };
	struct gguf_meta m = {0};
	int rc;

	if (out_same(w->path, path))
		return err_set(e, SFT_USAGE, "%s: the file of the model itself (expected another one to write to)", path);
	if ((rc = gguf_open(&x.g, w->path, e)) != 0 || (rc = weightout_open(&x.to, w, v, pool, e)) != 0) {
		gguf_close(x.g);
		return rc;
	}
	find_places(&x);
	list_tensors(&x);
	list_metadata(&x, &m);
	rc = gguf_write(path, &m, x.t, gguf_count(x.g), put_tensor, &x, e);
	gguf_meta_free(&m);
	strmap_free(&x.places);
	mem_free(x.t);
	weightout_release(&x.to);
	gguf_close(x.g);
	return rc;
}

/* --- an adapter --- */

static const struct lora_site *first_site(const struct lora *l)
{
	return &l->site[l->row[0].place];
}

struct lora_export {
	const struct weights *w;
	const struct lora *l;
	const float *p;
	enum dtype type;
};

/* What llama.cpp, which knows one alpha, has to be helped with: the scale of this matrix over alpha / rank. */
static float factor(const struct lora *l, const struct lora_row *r)
{
	const struct lora_site *s = &l->site[r->place];

	return r->part == LORA_B ? (float)((double)s->scale * s->rank / ((double)first_site(l)->scale * first_site(l)->rank)) : 1;
}

/* gguf_fill: row I of the adapter.  The rows of B are those of the matrix it changes, and lie as they do. */
static int put_row(void *ctx, size_t i, struct outfile *f, struct err *e)
{
	const struct lora_export *x = ctx;
	const struct lora_row *r = &x->l->row[i];
	uint32_t d = r->part == LORA_B && param_paired(&x->w->cfg, place_at(&x->w->cfg, r->place).p) ? x->w->cfg.head_dim : 0;
	float by = factor(x->l, r), *row = mem_grow(NULL, r->cols, sizeof *row);
	char *out = mem_grow(NULL, r->cols, sizeof(float));
	int rc = 0;

	for (uint32_t k = 0; rc == 0 && k < r->rows; k++) {
		const float *from = x->p + r->offset + (size_t)weight_pair_row(d, k) * r->cols;

		for (uint32_t j = 0; j < r->cols; j++)
			row[j] = by * from[j];
		if (dtype_from_f32(x->type, row, out, r->cols) < 0)
			rc = err_set(e, SFT_BADDATA, "tensor '%s' has values that %s cannot hold (expected a type with a wider range: bf16 or f32)", r->name, dtype_name(x->type));
		else
			rc = out_write(f, out, (size_t)r->cols * dtype_bytes(x->type), e);
	}
	mem_free(row);
	mem_free(out);
	return rc;
}

static int check_lora(const struct weights *w, const struct lora *l, struct err *e)
{
	if (l->prefix)
		return err_set(e, SFT_USAGE, "a prefix cannot be written as a GGUF adapter (expected LoRA)");
	if (l->dora)
		return err_set(e, SFT_USAGE, "DoRA cannot be written as a GGUF adapter, which has no magnitudes (expected LoRA, or a merged model: --to gguf)");
	if (w->cfg.kv_rank)
		return err_set(e, SFT_USAGE, "an adapter of %s cannot be written for llama.cpp, which would leave it out of the attention (expected a merged model: --to hf)", w->cfg.family);
	for (size_t i = 0; i < l->nrows; i++)
		if (place_at(&w->cfg, l->row[i].place).p >= P_EGATE)
			return err_set(e, SFT_USAGE, "an adapter of routed experts cannot be written as a GGUF adapter (expected a merged model: --to hf or --to gguf)");
	return 0;
}

int gguf_lora_export(const struct weights *w, const struct lora *l, const float *p, enum dtype type, const char *path, struct err *e)
{
	struct lora_export x = { w, l, p, type == DT_NONE ? DT_F32 : type };
	char (*name)[112], base[96];
	struct gguf_meta m = {0};
	struct tensor *t;
	int rc;

	if ((rc = check_lora(w, l, e)) != 0)
		return rc;
	t = mem_new(l->nrows * sizeof *t);
	name = mem_new(l->nrows * sizeof *name);
	gguf_meta_str(&m, "general.type", "adapter");
	gguf_meta_str(&m, "general.architecture", config_gguf_name(&w->cfg));
	gguf_meta_u32(&m, "general.file_type", gguf_file_type(x.type));
	gguf_meta_str(&m, "adapter.type", "lora");
	gguf_meta_f32(&m, "adapter.lora.alpha", (float)((double)first_site(l)->scale * first_site(l)->rank));     /* it computes alpha / rank; rsLoRA's scale is another */
	for (size_t i = 0; i < l->nrows; i++) {
		const struct lora_row *r = &l->row[i];

		struct place at = place_at(&w->cfg, r->place);

		param_gguf_name(at.p, at.layer, base);
		snprintf(name[i], sizeof *name, "%s.lora_%c", base, r->part == LORA_A ? 'a' : 'b');
		t[i] = (struct tensor){ .name = name[i], .type = x.type, .ndim = 2, .dim = { r->rows, r->cols }, .count = (uint64_t)r->rows * r->cols };
		t[i].bytes = t[i].count * dtype_bytes(x.type);
	}
	rc = gguf_write(path, &m, t, l->nrows, put_row, &x, e);
	gguf_meta_free(&m);
	mem_free(name);
	mem_free(t);
	return rc;
}
