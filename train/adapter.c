/* SPDX-License-Identifier: Apache-2.0 */
#include "adapter.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"

/* Linear layers that read the same input, in the order of the block. */
static const enum param groups[][6] = {
	{ P_WQ, P_WK, P_WV, P_QA, P_KVA, P_COUNT }, { P_QB, P_COUNT }, { P_KVB, P_COUNT }, { P_WO, P_COUNT },
	{ P_GATE, P_UP, P_COUNT }, { P_DOWN, P_COUNT }, { P_SGATE, P_SUP, P_COUNT }, { P_SDOWN, P_COUNT }
};

/* --- targets --- */

static int add_target(struct lora *l, const struct model_config *c, const char *name, size_t n, struct err *e)
{
	struct buf known = {0};
	bool found = false;

	for (int p = 0; p < P_COUNT; p++) {
		const char *leaf = param_table[p].leaf;

		if (!param_adaptable(c, (enum param)p))
			continue;
		if (strlen(leaf) == n && memcmp(leaf, name, n) == 0)
			found = l->target[p] = true;              /* several may be called so: gate_proj of dense layers and of shared experts */
		if (known.n == 0 || strstr(known.p, leaf) == NULL)
			buf_fmt(&known, "%s%s", known.n ? ", " : "", leaf);
	}
	if (!found)
		err_set(e, SFT_USAGE, "no linear layer is called '%.*s' (expected all, attention, or some of %s)", (int)(n > 60 ? 60 : n), name, known.p);
	buf_free(&known);
	return found ? 0 : SFT_USAGE;
}

static int parse_targets(struct lora *l, const struct model_config *c, const char *targets, struct err *e)
{
	bool all = strcmp(targets, "all") == 0, attention = strcmp(targets, "attention") == 0;
	int rc = 0;

	for (int p = 0; p < P_COUNT; p++)
		l->target[p] = param_adaptable(c, (enum param)p) && (all || (attention && p < P_NORM2));
	if (all || attention)
		return 0;
	for (const char *s = targets; rc == 0; s++) {
		size_t n = strcspn(s, ",");

		rc = add_target(l, c, s, n, e);
		s += n;
		if (*s == '\0')
			break;
	}
	return rc;
}

/* --- layout --- */

static void add_row(struct lora *l, const struct model_config *c, enum param p, uint32_t layer, enum lora_part part, uint32_t rows, uint32_t cols)
{
	static const char *const leaf[] = { "lora_A.weight", "lora_B.weight", "lora_magnitude_vector" };
	size_t *const at[] = { l->at_a, l->at_b, l->at_m };
	struct lora_row *r = &l->row[l->nrows++];
	char hf[96];

	param_hf_name(c, p, layer, 0, hf);
	hf[strlen(hf) - strlen(".weight")] = '\0';
	snprintf(r->name, sizeof r->name, "base_model.model.%s.%s", hf, leaf[part]);
	r->rows = rows;
	r->cols = cols;
	r->offset = l->count;
	r->param = p;
	r->layer = layer;
	r->part = part;
	l->count += (size_t)rows * cols;
	at[part][(size_t)layer * P_COUNT + p] = r->offset;
}

static void lay_out(struct lora *l, const struct model_config *c)
{
	size_t n = (size_t)c->layers * P_COUNT;
	uint32_t rows, cols;

	l->layers = c->layers;
	l->row = mem_grow(NULL, 3 * n, sizeof *l->row);
	l->at_a = mem_grow(NULL, n, sizeof *l->at_a);
	l->at_b = mem_grow(NULL, n, sizeof *l->at_b);
	l->at_m = mem_grow(NULL, n, sizeof *l->at_m);
	for (size_t i = 0; i < n; i++)
		l->at_a[i] = l->at_b[i] = l->at_m[i] = SIZE_MAX;
	for (uint32_t layer = 0; layer < c->layers; layer++)
		for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
			for (int part = LORA_A; part <= (l->dora ? LORA_M : LORA_B); part++)
				for (const enum param *p = groups[g]; *p != P_COUNT; p++) {
					if (!l->target[*p] || !param_shape(c, *p, layer, &rows, &cols))
						continue;
					if (part == LORA_A)
						add_row(l, c, *p, layer, LORA_A, l->rank, cols);
					else if (part == LORA_B)
						add_row(l, c, *p, layer, LORA_B, rows, l->rank);
					else
						add_row(l, c, *p, layer, LORA_M, 1, rows);
				}
}

static void set_scale(struct lora *l)
{
	l->scale = (float)(l->alpha / (l->rslora ? sqrt((double)l->rank) : (double)l->rank));
}

int lora_new(struct lora **out, const struct model_config *c, const struct lora_opts *o, struct err *e)
{
	struct lora *l = mem_new(sizeof *l);
	int rc;

	*out = NULL;
	if ((rc = parse_targets(l, c, o->targets, e)) != 0) {
		lora_free(l);
		return rc;
	}
	l->rank = o->rank;
	l->alpha = o->alpha;
	l->rslora = o->rslora;
	l->dora = o->dora;
	set_scale(l);
	lay_out(l, c);
	*out = l;
	return 0;
}

void lora_free(struct lora *l)
{
	if (l == NULL)
		return;
	mem_free(l->row);
	mem_free(l->at_a);
	mem_free(l->at_b);
	mem_free(l->at_m);
	mem_free(l);
}

static void init_a(const struct lora_row *r, size_t row, uint64_t seed, float *p)
{
	double bound = 1 / sqrt((double)r->cols);
	struct rng rng;

	rng_init(&rng, seed, UINT64_C(0x6c6f7261) << 32 | row);           /* "lora": no other use draws these numbers */
	for (size_t k = 0; k < (size_t)r->rows * r->cols; k++)
		p[k] = (float)((2 * rng_unit(&rng) - 1) * bound);
}

static void init_prefix(const struct lora_row *r, uint64_t seed, float *p)
{
	struct rng rng;

	rng_init(&rng, seed, UINT64_C(0x70726566) << 32);                 /* "pref" */
	for (size_t k = 0; k < (size_t)r->rows * r->cols; k++)
		p[k] = (float)(0.1 * rng_normal(&rng));
}

/* Norms of the rows of W. */
static void init_m(const struct weight *w, float *p)
{
	float *row = mem_grow(NULL, w->cols, sizeof *row);
	size_t bytes = (size_t)w->cols / dtype_block(w->type) * dtype_bytes(w->type);

	for (uint32_t i = 0; i < w->rows; i++) {
		double sum = 0;

		dtype_to_f32(w->type, (const char *)w->p + i * bytes, row, w->cols);
		for (uint32_t k = 0; k < w->cols; k++)
			sum += (double)row[k] * row[k];
		p[i] = (float)sqrt(sum);
	}
	mem_free(row);
}

void lora_init(const struct lora *l, const struct weights *w, uint64_t seed, float *p)
{
	for (size_t i = 0; i < l->nrows; i++) {
		const struct lora_row *r = &l->row[i];

		if (r->part == LORA_PREFIX)
			init_prefix(r, seed, p);
		else if (r->part == LORA_A)
			init_a(r, i, seed, p + r->offset);
		else if (r->part == LORA_M)
			init_m(weights_at(w, r->param, r->layer), p + r->offset);
		else
			memset(p + r->offset, 0, (size_t)r->rows * r->cols * sizeof *p);
	}
}
