/* SPDX-License-Identifier: Apache-2.0 */
/* The definition of dropout and of noise. */
#include "ops.h"

void ref_dropout(struct kern *k, const struct kern_drop *a, enum dtype xt, const void *x, void *y)
{
	(void)k;
	for (uint32_t i = 0; i < a->t; i++)
		for (uint32_t c = 0; c < a->n; c++) {
			size_t at = (size_t)i * a->n + c;
			bool kept = noise_bits(noise_row(a, i), c) >= noise_limit(a->p);

			act_put(y, xt, at, kept ? act_get(x, xt, at) * (1 / (1 - a->p)) : 0);
		}
}

void ref_dropout_dx(struct kern *k, const struct kern_drop *a, const float *src, void *dst, enum dtype dt)
{
	(void)k;
	for (uint32_t i = 0; i < a->t; i++)
		for (uint32_t c = 0; c < a->n; c++) {
			size_t at = (size_t)i * a->n + c;

			if (noise_bits(noise_row(a, i), c) >= noise_limit(a->p))
				act_put(dst, dt, at, act_get(dst, dt, at) + src[at] * (1 / (1 - a->p)));
		}
}

void ref_noise(struct kern *k, const struct kern_drop *a, const float *mag, float *x)
{
	(void)k;
	for (uint32_t i = 0; i < a->t; i++)
		for (uint32_t c = 0; c < a->n; c++)
			x[(size_t)i * a->n + c] += mag[i] * ((float)(int32_t)noise_bits(noise_row(a, i), c) * 0x1p-31f);
}
