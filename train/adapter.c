/* SPDX-License-Identifier: Apache-2.0 */
#include "adapter.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "heads.h"
#include "mem.h"
#include "targets.h"

/* Linear layers that read the same input, in the order of the block. */
static const enum param groups[][6] = {
	{ P_WQ, P_WK, P_WV, P_QA, P_KVA, P_COUNT }, { P_QB, P_COUNT }, { P_KVB, P_COUNT }, { P_WO, P_COUNT },
	{ P_GATE, P_UP, P_COUNT }, { P_DOWN, P_COUNT }, { P_SGATE, P_SUP, P_COUNT }, { P_SDOWN, P_COUNT }
}, of_expert[][6] = { { P_EGATE, P_EUP, P_COUNT }, { P_EDOWN, P_COUNT } };

/* --- layout --- */

static struct lora_row *add_row(struct lora *l, size_t place, enum lora_part part, uint32_t rows, uint32_t cols)
{
	struct lora_row *r;

	l->row = mem_grow(l->row, l->nrows + 1, sizeof *l->row);
	r = &l->row[l->nrows++];
	*r = (struct lora_row){ .rows = rows, .cols = cols, .offset = l->count, .place = place, .part = part };
	l->count += (size_t)rows * cols;
	return r;
}

static void add_part(struct lora *l, const struct model_config *c, size_t place, enum lora_part part)
{
	static const char *const leaf[] = { "lora_A.weight", "lora_B.weight", "lora_magnitude_vector" };
	struct place at = place_at(c, place);
	struct lora_site *s = &l->site[place];
	size_t *const offset[] = { &s->a, &s->b, &s->m };
	uint32_t rows, cols;
	struct lora_row *r;
	char module[96];

	if (s->rank == 0 || !param_shape(c, at.p, at.layer, &rows, &cols))
		return;
	if (part == LORA_A)
		r = add_row(l, place, part, s->rank, cols);
	else
		r = add_row(l, place, part, part == LORA_B ? rows : 1, part == LORA_B ? s->rank : rows);
	targets_module(c, place, module);
	snprintf(r->name, sizeof r->name, "base_model.model.%s.%s", module, leaf[part]);
	*offset[part] = r->offset;
}

static void add_group(struct lora *l, const struct model_config *c, const enum param *group, uint32_t layer, uint32_t expert)
{
	for (int part = LORA_A; part <= (l->dora ? LORA_M : LORA_B); part++)
		for (const enum param *p = group; *p != P_COUNT; p++)
			add_part(l, c, place_index(c, *p, layer, expert), (enum lora_part)part);
}

/* All experts' A, then all their B, of the gate and up (one matrix, gate first) or of the down.  NAME: what stands before lora_A. */
static void add_fused(struct lora *l, const struct model_config *c, enum param p, uint32_t layer, const char *name)
{
	uint32_t n = c->experts, two = p == P_EGATE, rows = 0, cols = 0, rank = l->site[place_index(c, p, layer, 0)].rank;
	size_t a = l->count, b;
	struct lora_row *r;

	param_shape(c, p, layer, &rows, &cols);
	r = add_row(l, place_index(c, p, layer, 0), LORA_A, n * rank, cols);
	snprintf(r->name, sizeof r->name, "base_model.model.model.layers.%u.mlp.experts.%slora_A.weight", layer, name);
	b = l->count;
	r = add_row(l, place_index(c, p, layer, 0), LORA_B, (1 + two) * rows, n * rank);
	snprintf(r->name, sizeof r->name, "base_model.model.model.layers.%u.mlp.experts.%slora_B.weight", layer, name);
	r->experts = n;
	for (uint32_t x = 0; x < n; x++)
		for (uint32_t i = 0; i <= two; i++) {
			struct lora_site *s = &l->site[place_index(c, (enum param)(p + i), layer, x)];

			s->a = a + (size_t)x * rank * cols;
			s->b = b + ((size_t)x * (1 + two) + i) * rows * rank;
		}
}

/* PEFT wraps the experts once for each matrix: the outer wrapping has the plain name. */
static void add_experts(struct lora *l, const struct model_config *c, uint32_t layer)
{
	bool in = l->site[place_index(c, P_EGATE, layer, 0)].rank > 0, down = l->site[place_index(c, P_EDOWN, layer, 0)].rank > 0;

	if (l->fused) {
		if (in)
			add_fused(l, c, P_EGATE, layer, down ? "base_layer." : "");
		if (down)
			add_fused(l, c, P_EDOWN, layer, "");
		return;
	}
	for (uint32_t x = 0; x < c->experts; x++)
		for (size_t g = 0; g < sizeof of_expert / sizeof *of_expert; g++)
			add_group(l, c, of_expert[g], layer, x);
}

struct lora *lora_blank(const struct model_config *c)
{
	struct lora *l = mem_new(sizeof *l);

	l->layers = c->layers;
	l->site = mem_new(place_count(c) * sizeof *l->site);
	return l;
}

void lora_lay_out(struct lora *l, const struct model_config *c)
{
	for (size_t i = 0; i < place_count(c); i++) {
		struct lora_site *s = &l->site[i];

		s->a = s->b = s->m = SIZE_MAX;
		if (s->rank)
			s->scale = (float)(s->alpha / (l->rslora ? sqrt((double)s->rank) : (double)s->rank));
	}
	for (uint32_t layer = 0; layer < c->layers; layer++) {
		for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
			add_group(l, c, groups[g], layer, 0);
		if (config_is_moe(c, layer))
			add_experts(l, c, layer);
	}
}

int lora_new(struct lora **out, const struct model_config *c, const struct lora_opts *o, struct err *e)
{
	bool *chosen = mem_new(place_count(c) * sizeof *chosen), *heads = mem_new(c->heads * sizeof *heads), fused = false, limited = false;
	struct lora *l = NULL;
	int rc;

	*out = NULL;
	if ((rc = targets_parse(chosen, &fused, heads, &limited, c, o->targets, e)) == 0 && limited && o->dora)
		rc = err_set(e, SFT_USAGE, "--targets heads= with --dora (the magnitudes of o_proj belong to no head)");
	if (rc == 0) {
		l = lora_blank(c);
		l->rank = o->rank;
		l->alpha = o->alpha;
		l->dropout = o->dropout;
		l->rslora = o->rslora;
		l->dora = o->dora;
		l->fused = fused && !o->dora;             /* a magnitude belongs to a matrix of its own */
		for (size_t i = 0; i < place_count(c); i++)
			if (chosen[i]) {
				l->site[i].rank = o->rank;
				l->site[i].alpha = o->alpha;
			}
		lora_lay_out(l, c);
		if (limited)
			heads_limit(l, c, heads);
		*out = l;
	}
	if (rc != 0 || !limited)
		mem_free(heads);
	mem_free(chosen);
	return rc;
}

void lora_free(struct lora *l)
{
	if (l == NULL)
		return;
	mem_free(l->heads);
	mem_free(l->frozen);
	mem_free(l->row);
	mem_free(l->site);
	mem_free(l);
}

size_t lora_trained(const struct lora *l)
{
	size_t n = l->count;

	for (size_t i = 0; i < l->nfrozen; i++)
		n -= l->frozen[i].n;
	return n;
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
	struct kmat mat = weight_mat(w);

	for (uint32_t i = 0; i < w->rows; i++) {
		double sum = 0;

		kmat_values(&mat, i, 0, w->cols, row);
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
			init_m(&w->w[r->place], p + r->offset);
		else
			memset(p + r->offset, 0, (size_t)r->rows * r->cols * sizeof *p);
	}
	for (size_t i = 0; i < l->nfrozen; i++)
		memset(p + l->frozen[i].first, 0, l->frozen[i].n * sizeof *p);
}
