/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic of a token, and a model of how long steps take.
 *
 * Products run at a stated share of the device's peak, or take as long as reading their weights where that is longer; what moves
 * values in memory comes on top, so nothing is assumed to overlap. */
#include <math.h>
#include <string.h>

#include "kern.h"
#include "plan.h"

/* --- FLOPs --- */

/* Share of the tokens that pass a matrix: a routed expert sees those that choose it. */
static double passing(const struct model_config *c, struct place at) { return at.p >= P_EGATE ? (double)c->top / c->experts : 1; }

/* Keys that a token of a row sees on average over its positions and the layers, a trained prefix and sliding windows counted. */
static double seen(const struct plan *p)
{
	const struct model_config *c = &p->w->cfg;
	double all = ((double)p->o->length + 1) / 2, sum = 0;

	for (uint32_t l = 0; l < c->layers; l++) {
		uint32_t window = config_window(c, l);

		sum += window && all > window ? window : all;
	}
	return sum / c->layers + (p->lora ? p->lora->prefix : 0);
}

static int32_t first_trained(const struct plan *p)
{
	int32_t first = (int32_t)p->w->cfg.layers;

	if (p->lora == NULL)
		return -1;
	if (p->lora->prefix)
		return 0;
	for (size_t i = 0; i < place_count(&p->w->cfg); i++)
		if (p->lora->site[i].rank && (int32_t)place_at(&p->w->cfg, i).layer < first)
			first = (int32_t)place_at(&p->w->cfg, i).layer;
	return first;
}

/* One matrix of a layer: there, again, back. */
static void count_matrix(struct plan *p, size_t i, int32_t first)
{
	const struct model_config *c = &p->w->cfg;
	const struct weight *w = &p->w->w[i];
	struct place at = place_at(c, i);
	struct plan_flops *f = &p->flops;
	double values = (double)w->rows * w->cols * passing(c, at), side = 0;
	bool behind = (int32_t)at.layer >= first, lowest = (int32_t)at.layer == first;
	bool entry = at.p == P_WQ || at.p == P_WK || at.p == P_WV || at.p == P_QA || at.p == P_KVA;

	f->active += values;
	f->layers += 2 * values;
	if (p->lora && p->lora->site && p->lora->site[i].rank)
		side = (double)p->lora->site[i].rank * (w->rows + w->cols) * passing(c, at);
	f->adapters += 2 * side * (p->o->checkpointing && behind ? 4 : 3);
	f->trained += side;
	if (side > 0 && p->lora->dora) { /* the product before it was scaled again, and once a pass A W^T and A A^T */
		f->again += 2 * values;
		f->adapters += 2.0 * p->lora->site[i].rank * w->rows * passing(c, at);
		f->adapters += 2.0 * p->lora->site[i].rank * w->cols * (w->rows + p->lora->site[i].rank) / p->of.pass.tokens;
	}
	if (behind && p->o->checkpointing)
		f->again += 2 * values;
	if (behind && !(lowest && entry && p->lora)) /* nothing is trained below the lowest adapters */
		f->back += 2 * values;
	if (p->lora == NULL)
		f->weights += 2 * values;
}

static void count_attention(struct plan *p, int32_t first)
{
	const struct model_config *c = &p->w->cfg;
	double pairs = seen(p) * c->heads, there = 2 * pairs * (c->head_dim + c->v_dim),
	       back = 2 * pairs * (3.0 * c->head_dim + 2.0 * c->v_dim);
	uint32_t behind = c->layers - (first > 0 ? (uint32_t)first : 0);

	p->flops.attention = c->layers * there + behind * (back + (p->o->checkpointing ? there : 0));
}

void plan_count(struct plan *p)
{
	const struct model_config *c = &p->w->cfg;
	struct plan_flops *f = &p->flops;
	double head = (double)c->vocab * c->hidden, own, width = (double)c->heads * c->head_dim;
	int32_t first = first_trained(p);

	*f = (struct plan_flops){0};
	for (size_t i = P_LAYER; i < place_count(c); i++) {
		struct place at = place_at(c, i);

		if (p->w->w[i].rows && (param_table[at.p].linear || at.p >= P_EGATE || at.p == P_ROUTER))
			count_matrix(p, i, first);
	}
	count_attention(p, first);
	f->active += head;
	f->head = 2 * head * p->o->trained * (p->lora ? 2 : 3);
	own = p->lora ? 4 * f->active + 6 * f->trained : 6 * f->active;
	if (p->lora == NULL)
		f->trained = f->active;
	f->rule = own + 6.0 * (double)p->o->length * width * c->layers;
	f->sum = f->layers + f->again + f->back + f->weights + f->adapters + f->attention + f->head;
}

/* --- time --- */

/* Bytes that pass values move: what layers keep is written and read, and so are its gradients; logits likewise. */
static double moved(const struct plan *p)
{
	const struct acts_size *a = &p->need.model.acts;
	double layers = p->o->checkpointing ? (double)a->layer * p->w->cfg.layers : (double)a->layers;
	double logits = (double)p->of.pass.nout * p->w->cfg.vocab * (8 + (p->act == DT_F32 ? 8 : 4));

	return layers * (p->o->checkpointing ? 8 : 6) + 2 * (double)a->inputs + logits;
}

/* What AdamW and the others read and write for a value, gradient and clearing it among that. */
static double optimiser_bytes(const struct plan *p)
{
	static const double of[] = {32, 24, 24, 20};

	return of[p->o->optim] * (double)p->trained;
}

/* More than eight devices are in several machines: bytes/s between those, one way. */
double plan_link(const struct plan *p)
{
	const double between = 25e9;

	return p->o->devices > 8 && p->device.link > between ? between : p->device.link;
}

/* A step of all copies: rows of each are passed one after the other. */
static void clock_step(struct plan *p)
{
	const struct device *d = &p->device;
	struct plan_time *t = &p->time;
	double tokens = (double)(p->o->batch * p->o->accumulate) * (double)p->o->length,
	       peak = p->act == DT_F32 ? d->f32 : d->bf16;
	double reads = p->o->checkpointing ? 3 : 2, split = p->split, values = 4 * (double)p->trained / split;
	double link = plan_link(p);

	t->products = tokens * p->flops.sum / (peak * d->efficiency) / split;
	t->weights = p->passes * reads * (double)p->need.base.mapped / d->bandwidth / split;
	t->weights = t->weights > t->products ? t->weights - t->products : 0;
	t->values = p->passes * moved(p) / d->bandwidth / split;
	t->optimiser = optimiser_bytes(p) / d->bandwidth / split;
	t->links = p->copies > 1 ? 2.0 * (p->copies - 1) / p->copies * values / link : 0;
	if (p->split > 1)
		t->links += 2 * tokens * p->w->cfg.hidden * 4 / link;
	t->bubble = (p->passes + split - 1) / p->passes;
	t->step = (t->products + t->weights + t->values) * t->bubble + t->optimiser + t->links;
	t->tokens_per_s = tokens * p->copies / t->step;
	t->peak_share = t->tokens_per_s * p->flops.rule / (peak * (double)p->o->devices);
}

void plan_clock(struct plan *p)
{
	struct plan_time *t = &p->time;
	double rows = (double)(p->o->batch * p->o->accumulate) * p->copies;

	*t = (struct plan_time){0};
	clock_step(p);
	t->steps = (double)p->o->steps;
	if (p->o->rows > 0) {
		t->steps_epoch = ceil((double)p->o->rows / rows);
		t->epoch = t->steps_epoch * t->step;
		if (t->steps == 0)
			t->steps = ceil(p->o->epochs * t->steps_epoch);
	}
	t->run = t->steps * t->step;
}
