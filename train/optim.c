/* SPDX-License-Identifier: Apache-2.0 */
#include "optim.h"

#include <math.h>
#include <string.h>

static const double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;

int optim_init(struct optim *o, struct kern *k, size_t n, double decay, double clip, struct err *e)
{
	memset(o, 0, sizeof *o);
	o->k = k;
	o->n = n;
	o->decay = decay;
	o->clip = clip;
	o->m = kern_alloc(k, n * sizeof *o->m);
	o->v = kern_alloc(k, n * sizeof *o->v);
	if (o->m == NULL || o->v == NULL) {
		optim_release(o);
		return err_set(e, SFT_SYSTEM, "no memory for the moments of %zu trained values (%.0f MiB)", n,
		               (double)n * 2 * sizeof(float) / (1 << 20));
	}
	return 0;
}

void optim_release(struct optim *o)
{
	if (o->k == NULL)
		return;
	if (o->m)
		kern_free(o->k, o->m);
	if (o->v)
		kern_free(o->k, o->v);
	memset(o, 0, sizeof *o);
}

double optim_norm(const struct optim *o, const float *g)
{
	return sqrt(kern_sumsq(o->k, o->n, g));
}

void optim_step(struct optim *o, double lr, double norm, float *p, const float *g)
{
	struct kern_adamw a = {
		.lr = lr, .beta1 = beta1, .beta2 = beta2, .eps = eps, .decay = o->decay, .gscale = 1
	};

	o->t++;
	a.c1 = 1 - pow(beta1, (double)o->t);
	a.c2 = 1 - pow(beta2, (double)o->t);
	if (o->clip > 0 && norm + 1e-6 > o->clip)
		a.gscale = o->clip / (norm + 1e-6);
	kern_adamw(o->k, o->n, &a, p, g, o->m, o->v);
}
