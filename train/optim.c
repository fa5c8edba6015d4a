/* SPDX-License-Identifier: Apache-2.0 */
#include "optim.h"

#include <math.h>
#include <string.h>

#include "mem.h"

/* --- parts --- */

static size_t size_of(const struct optim_part *p)
{
	return (size_t)p->rows * p->cols;
}

struct optim_part *optim_parts_adapter(const struct lora *l, double ratio, size_t *n)
{
	struct optim_part *part = mem_new(l->nrows * sizeof *part);

	*n = l->nrows;
	for (size_t i = 0; i < l->nrows; i++) {
		const struct lora_row *r = &l->row[i];

		part[i] = (struct optim_part){ r->offset, r->rows, r->cols, r->part == LORA_B ? ratio : 1 };
		if (r->experts) {                         /* as it lies in the block: the experts' matrices one below the other */
			part[i].rows *= r->experts;
			part[i].cols /= r->experts;
		}
	}
	return part;
}

/* As the model lays them out: place by place, but biases of routers, which nothing changes. */
struct optim_part *optim_parts_full(const struct model_config *c, size_t *n)
{
	struct optim_part *part = mem_new(place_count(c) * sizeof *part);
	size_t at = 0;

	*n = 0;
	for (size_t i = 0; i < place_count(c); i++) {
		struct place p = place_at(c, i);
		uint32_t rows, cols;

		if (p.p == P_RBIAS || !param_shape(c, p.p, p.layer, &rows, &cols))
			continue;
		part[(*n)++] = (struct optim_part){ at, rows, cols, 1 };
		at += (size_t)rows * cols;
	}
	return part;
}

/* Neighbours of one rate are one run where shapes do not matter. */
static void join(struct optim *o)
{
	size_t n = 0;

	for (size_t i = 1; i < o->nparts; i++) {
		struct optim_part *last = &o->part[n], *p = &o->part[i];

		if (last->rate == p->rate && last->rows == 1 && p->rows == 1 && (uint64_t)last->cols + p->cols <= UINT32_MAX)
			last->cols += p->cols;
		else
			o->part[++n] = *p;
	}
	o->nparts = o->nparts ? n + 1 : 0;
}

void optim_measure(const struct optim_part *part, size_t n, enum optim_kind kind, size_t state[2])
{
	state[0] = state[1] = 0;
	for (size_t i = 0; i < n; i++)
		state[0] += kind != OPTIM_ADAFACTOR ? size_of(&part[i]) : (part[i].rows > 1 ? part[i].rows : 0) + (size_t)part[i].cols;
	if (kind == OPTIM_ADAMW)
		state[1] = state[0];
}

/* Copies the parts; those whose shapes do not matter lie flat.  Counts values. */
static void take_parts(struct optim *o, const struct optim_part *part, size_t n)
{
	o->part = mem_grow(NULL, n, sizeof *o->part);
	o->nparts = n;
	if (n)
		memcpy(o->part, part, n * sizeof *part);
	for (size_t i = 0; i < n; i++) {
		struct optim_part *p = &o->part[i];

		o->n += size_of(p);
		if (o->o.kind != OPTIM_ADAFACTOR && size_of(p) <= UINT32_MAX)
			*p = (struct optim_part){ p->offset, 1, (uint32_t)size_of(p), p->rate };
	}
	if (o->o.kind != OPTIM_ADAFACTOR)
		join(o);
}

int optim_init(struct optim *o, struct kern *k, const struct optim_part *part, size_t n, const struct optim_opts *how, struct err *e)
{
	memset(o, 0, sizeof *o);
	o->k = k;
	o->o = *how;
	optim_measure(part, n, how->kind, o->nstate);
	take_parts(o, part, n);
	for (int i = 0; i < 2; i++)
		if (o->nstate[i] && ((o->state[i] = kern_alloc(k, o->nstate[i] * sizeof(float))) == NULL ||
		                     (o->host[i] = kern_apart(k) ? mem_try(o->nstate[i] * sizeof(float)) : o->state[i]) == NULL)) {
			size_t all = o->nstate[0] + o->nstate[1];

			optim_release(o);
			return err_set(e, SFT_SYSTEM, "no memory for the %.0f MiB that the optimiser keeps", (double)all * sizeof(float) / (1 << 20));
		}
	return 0;
}

void optim_release(struct optim *o)
{
	if (o->k == NULL)
		return;
	for (int i = 0; i < 2; i++) {
		if (o->host[i] != o->state[i])
			mem_free(o->host[i]);
		if (o->state[i])
			kern_free(o->k, o->state[i]);
	}
	mem_free(o->part);
	memset(o, 0, sizeof *o);
}

void optim_fetch(struct optim *o)
{
	for (int i = 0; i < 2; i++)
		if (o->host[i] != o->state[i])
			kern_get(o->k, o->host[i], o->state[i], o->nstate[i] * sizeof(float));
}

void optim_store(struct optim *o)
{
	for (int i = 0; i < 2; i++)
		if (o->host[i] != o->state[i])
			kern_put(o->k, o->state[i], o->host[i], o->nstate[i] * sizeof(float));
}

/* --- steps --- */

double optim_norm(const struct optim *o, const float *g)
{
	return sqrt(kern_sumsq(o->k, o->n, g));
}

static void adamw(struct optim *o, const struct optim_part *q, double lr, double gscale, float *p, const float *g)
{
	struct kern_adamw a = { .lr = lr, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .decay = o->o.decay, .gscale = gscale };

	a.c1 = 1 - pow(a.beta1, (double)o->t);
	a.c2 = 1 - pow(a.beta2, (double)o->t);
	kern_adamw(o->k, size_of(q), &a, p, g, o->state[0] + q->offset, o->state[1] + q->offset);
}

static void adafactor(struct optim *o, const struct optim_part *q, double lr, double gscale, float *p, const float *g, float *state)
{
	struct kern_adafactor a = { .lr = lr, .beta2 = 1 - pow((double)o->t, -0.8), .eps = 1e-30, .threshold = 1, .decay = o->o.decay, .gscale = gscale };

	kern_adafactor(o->k, q->rows, q->cols, &a, p, g, state, q->rows > 1 ? state + q->rows : state);
}

static void step_part(struct optim *o, const struct optim_part *q, double lr, double gscale, float *p, const float *g, float *state)
{
	size_t n = size_of(q);

	if (o->o.kind == OPTIM_ADAMW)
		adamw(o, q, lr, gscale, p, g);
	else if (o->o.kind == OPTIM_SGD)
		kern_sgd(o->k, n, &(struct kern_sgd){ lr, 0.9, o->o.decay, gscale, o->t == 1 }, p, g, state);
	else if (o->o.kind == OPTIM_LION)
		kern_lion(o->k, n, &(struct kern_lion){ lr, 0.9, 0.99, o->o.decay, gscale }, p, g, state);
	else
		adafactor(o, q, lr, gscale, p, g, state);
}

void optim_step(struct optim *o, double lr, double norm, float *p, const float *g)
{
	double gscale = o->o.clip > 0 && norm + 1e-6 > o->o.clip ? o->o.clip / (norm + 1e-6) : 1;
	float *state = o->state[0];

	o->t++;
	for (size_t i = 0; i < o->nparts; i++) {
		const struct optim_part *q = &o->part[i];

		step_part(o, q, lr * q->rate, gscale, p + q->offset, g + q->offset, state);
		state += o->o.kind == OPTIM_ADAFACTOR ? (q->rows > 1 ? q->rows : 0) + (size_t)q->cols : size_of(q);
	}
}
