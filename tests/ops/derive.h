/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_DERIVE_H
#define SFT_DERIVE_H
/* Backward operations of `ref` against its forward ones: central differences of a random linear function of the outputs. */
#include <math.h>
#include <stdlib.h>
#include "trial.h"

enum { MAX = 4096 };

/* LOSS of the values X; GRAD fills the gradient that the backward operation gives. */
struct probe {
	size_t n;
	float x[MAX], c[MAX], grad[MAX];        /* values, the function's factors, gradients */
	uint32_t idx[64];
	struct kern_seg seg[3];
	struct kern_attn a;
	float w[MAX], extra[MAX];
	uint32_t t, m;
	bool flag;
};

typedef double loss_fn(struct probe *p);

static inline double dot(const float *a, const float *b, size_t n)
{
	double s = 0;

	for (size_t i = 0; i < n; i++)
		s += (double)a[i] * b[i];
	return s;
}

static inline void fill(float *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = trial_rnd();
}

/* Every value's difference quotient against its gradient, in relative L2; f32 outputs allow about 1e-3. */
static inline double against(struct probe *p, loss_fn *loss)
{
	double d = 0, s = 0;

	for (size_t i = 0; i < p->n; i++) {
		float x = p->x[i], h = 1.0f / 64, up = x + h, down = x - h;
		double a, b, q;

		p->x[i] = up;
		a = loss(p);
		p->x[i] = down;
		b = loss(p);
		p->x[i] = x;
		q = (a - b) / ((double)up - down);
		d += (q - p->grad[i]) * (q - p->grad[i]);
		s += q * q;
	}
	return sqrt(d / s);
}

#define FITS(p, loss) CHECK(against(p, loss) < 2e-3)

static inline struct probe *fresh(void)
{
	struct probe *p = mem_new(sizeof *p);

	fill(p->x, MAX);
	fill(p->c, MAX);
	fill(p->w, MAX);
	return p;
}

#endif
