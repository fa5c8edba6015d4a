/* SPDX-License-Identifier: Apache-2.0 */
/* A Hugging Face folder's model as a GGUF file: tensors by llama.cpp's names and in its layout, keys, vocabulary. */
#include <stdio.h>
#include <string.h>

#include "configout.h"
#include "ggufexport.h"
#include "ggufput.h"
#include "mem.h"
#include "tokout.h"

/* What one tensor of the file holds. */
enum part { WEIGHT, EXPERTS, KEYS, VALUES, DIVISORS };

struct item {
	enum part part;
	size_t    place;               /* of the weight; EXPERTS: of the first one's */
	char      name[96];
};

struct make {
	struct weightout to;
	const struct weights *w;
	enum dtype type;               /* DT_NONE: as the folder has it */
	struct item *item;
	struct tensor *t;              /* of each */
	size_t n, cap;
	float *divisor;
};

/* llama.cpp computes with norms, biases and routers in f32 only. */
static enum dtype type_of(const struct make *x, size_t place, uint64_t cols)
{
	enum param p = place_at(&x->w->cfg, place).p;
	enum dtype is = x->w->w[place].type, type = x->type != DT_NONE ? x->type : is == DT_F8_E4M3 ? DT_BF16 : is;

	if (param_is_vector(p) || p == P_ROUTER || p == P_SHGATE)
		return DT_F32;
	return type == DT_Q8_0 && cols % 32 ? DT_F16 : type;
}

static void add(struct make *x, enum part part, size_t place, const char *name, enum dtype type, unsigned ndim, uint64_t a, uint64_t b, uint64_t c)
{
	struct item *i;

	if (x->n == x->cap) {
		x->cap = x->cap ? 2 * x->cap : 256;
		x->item = mem_grow(x->item, x->cap, sizeof *x->item);
		x->t = mem_grow(x->t, x->cap, sizeof *x->t);
	}
	i = &x->item[x->n];
	*i = (struct item){ .part = part, .place = place };
	snprintf(i->name, sizeof i->name, "%s", name);
	x->t[x->n] = (struct tensor){ .type = type, .ndim = ndim, .dim = { a, b, c }, .count = a * (ndim > 1 ? b : 1) * (ndim > 2 ? c : 1) };
	x->t[x->n].bytes = x->t[x->n].count / dtype_block(type) * dtype_bytes(type);
	x->n++;
}

static void add_kv(struct make *x, size_t place, uint32_t layer)
{
	const struct model_config *c = &x->w->cfg;
	uint32_t nope = c->head_dim - c->rotated;
	char name[96];

	snprintf(name, sizeof name, "blk.%u.attn_k_b.weight", layer);
	add(x, KEYS, place, name, type_of(x, place, nope), 3, c->heads, c->kv_rank, nope);
	snprintf(name, sizeof name, "blk.%u.attn_v_b.weight", layer);
	add(x, VALUES, place, name, type_of(x, place, c->kv_rank), 3, c->heads, c->v_dim, c->kv_rank);
}

static void add_weight(struct make *x, size_t place)
{
	const struct weight *w = &x->w->w[place];
	struct place at = place_at(&x->w->cfg, place);
	enum dtype type = type_of(x, place, w->cols);
	char name[96];

	if (w->p == NULL || at.expert)
		return;
	param_gguf_name(at.p, at.layer, name);
	if (at.p == P_KVB)
		add_kv(x, place, at.layer);
	else if (at.p >= P_EGATE)
		add(x, EXPERTS, place, name, type, 3, x->w->cfg.experts, w->rows, w->cols);
	else if (w->rows == 1)
		add(x, WEIGHT, place, name, type, 1, w->cols, 0, 0);
	else
		add(x, WEIGHT, place, name, type, 2, w->rows, w->cols, 0);
}

static void list_tensors(struct make *x)
{
	uint32_t half = x->w->cfg.rotated / 2;

	for (size_t i = 0; i < place_count(&x->w->cfg); i++)
		add_weight(x, i);
	x->divisor = mem_grow(NULL, half, sizeof *x->divisor);
	if (config_rope_divisors(&x->w->cfg, x->divisor))
		add(x, DIVISORS, 0, "rope_freqs.weight", DT_F32, 1, half, 0, 0);
	for (size_t i = 0; i < x->n; i++)
		x->t[i].name = x->item[i].name;
}

/* gguf_fill */
static int put_tensor(void *ctx, size_t i, struct outfile *f, struct err *e)
{
	struct make *x = ctx;
	const struct item *at = &x->item[i];
	struct weight_form form = { .name = at->name, .type = x->t[i].type };

	if (at->part == DIVISORS)
		return out_write(f, x->divisor, x->t[i].bytes, e);
	if (at->part == KEYS || at->part == VALUES)
		return gguf_put_kv_half(&x->to, at->place, at->part == KEYS, &x->t[i], f, e);
	if (at->part == EXPERTS)
		return gguf_put_experts(&x->to, at->place, &form, f, e);
	if (param_paired(&x->w->cfg, place_at(&x->w->cfg, at->place).p))
		form.pairs = x->w->cfg.head_dim;
	return weightout_put(&x->to, at->place, &form, f, e);
}

static int metadata(const struct make *x, const struct tok *t, struct gguf_meta *m, struct err *e)
{
	enum dtype type = x->type != DT_NONE ? x->type : x->t[0].type;
	int rc;

	if ((rc = config_to_gguf(&x->w->cfg, m, e)) != 0)
		return err_in(e, "%s", x->w->path);
	gguf_meta_u32(m, "general.file_type", gguf_file_type(type));
	if (type == DT_Q8_0)
		gguf_meta_u32(m, "general.quantization_version", 2);
	if (t && (rc = tok_to_gguf(t, x->w->cfg.vocab, m, e)) != 0)
		return err_in(e, "%s: the tokenizer", x->w->path);
	return 0;
}

int gguf_make(const struct weights *w, const struct weight_values *v, const struct tok *t, enum dtype type, struct pool *pool, const char *path, struct err *e)
{
	struct make x = { .w = w, .type = type };
	struct gguf_meta m = {0};
	int rc;

	if ((rc = weightout_open(&x.to, w, v, pool, e)) != 0)
		return rc;
	list_tensors(&x);
	if ((rc = metadata(&x, t, &m, e)) == 0)
		rc = gguf_write(path, &m, x.t, x.n, put_tensor, &x, e);
	gguf_meta_free(&m);
	mem_free(x.item);
	mem_free(x.t);
	mem_free(x.divisor);
	weightout_release(&x.to);
	return rc;
}
