/* SPDX-License-Identifier: Apache-2.0 */
/* The definition of what DoRA needs beside the common operations (arXiv 2402.09353; the norm is a constant on the way back, as PEFT has it). */
#include <math.h>

#include "mem.h"
#include "ops.h"

void ref_dora_norm(struct kern *k, uint32_t out, uint32_t r, float scale, const float *w2, const float *wa, const float *b, const float *aat, float *norm)
{
	(void)k;
	for (size_t o = 0; o < out; o++) {
		double cross = 0, own = 0;

		for (size_t i = 0; i < r; i++) {
			double row = 0;

			cross += (double)wa[i * out + o] * b[o * r + i];
			for (size_t j = 0; j < r; j++)
				row += (double)aat[i * r + j] * b[o * r + j];
			own += row * b[o * r + i];
		}
		norm[o] = (float)sqrt(w2[o] + 2 * (double)scale * cross + (double)scale * scale * own);
	}
}

void ref_dora_scale(struct kern *k, uint32_t t, uint32_t n, const float *src, const float *mag, const float *norm, const float *bias,
                    void *y, size_t ldy, enum dtype yt, bool add)
{
	(void)k;
	for (size_t i = 0; i < t; i++)
		for (size_t c = 0; c < n; c++) {
			double v = (double)src[i * n + c] * mag[c] / norm[c] + (bias ? bias[c] : 0);

			if (add)
				v += act_get(y, yt, i * ldy + c);
			act_put(y, yt, i * ldy + c, (float)v);
		}
}

void ref_dora_scale_dx(struct kern *k, uint32_t t, uint32_t n, enum dtype xt, const void *dy, const float *src, const float *mag, const float *norm,
                       void *dsrc, float *gmag)
{
	double *sum = mem_new(n * sizeof *sum);

	(void)k;
	for (size_t i = 0; i < t; i++)
		for (size_t c = 0; c < n; c++) {
			double d = act_get(dy, xt, i * n + c);

			sum[c] += d * src[i * n + c] / norm[c];
			act_put(dsrc, xt, i * n + c, (float)(d * mag[c] / norm[c]));
		}
	for (size_t c = 0; c < n; c++)
		gmag[c] = (float)(gmag[c] + sum[c]);
	mem_free(sum);
}
