/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays on CUDA, value by value: each thread takes 4 values (128 bits) at a time where both arrays are aligned to that. */
#include "cudakern.h"

enum { THREADS = 256 };

static __global__ void __launch_bounds__(THREADS) k_add(size_t n, const float *__restrict__ x, float *__restrict__ y, bool wide)
{
	size_t i = (size_t)blockIdx.x * THREADS + threadIdx.x, n4 = wide ? n / 4 : 0;

	if (i < n4) {
		float4 a = reinterpret_cast<const float4 *>(x)[i], b = reinterpret_cast<float4 *>(y)[i];

		b.x += a.x; b.y += a.y; b.z += a.z; b.w += a.w;
		reinterpret_cast<float4 *>(y)[i] = b;
	} else if (4 * n4 + (i - n4) < n) {
		y[4 * n4 + (i - n4)] += x[4 * n4 + (i - n4)];
	}
}

void cuda_add(struct kern *k, size_t n, const float *x, float *y)
{
	bool wide = (((uintptr_t)x | (uintptr_t)y) & 15) == 0;

	if (n)
		LAUNCH(k_add, cuda_blocks(wide ? n / 4 + n % 4 : n, THREADS), THREADS, 0, cuda_of(k)->stream, n, x, y, wide);
}

static __global__ void __launch_bounds__(THREADS) k_scale(size_t n, float s, float *x, bool wide)
{
	size_t i = (size_t)blockIdx.x * THREADS + threadIdx.x, n4 = wide ? n / 4 : 0;

	if (i < n4) {
		float4 a = reinterpret_cast<float4 *>(x)[i];

		a.x *= s; a.y *= s; a.z *= s; a.w *= s;
		reinterpret_cast<float4 *>(x)[i] = a;
	} else if (4 * n4 + (i - n4) < n) {
		x[4 * n4 + (i - n4)] *= s;
	}
}

void cuda_scale(struct kern *k, size_t n, float s, float *x)
{
	bool wide = ((uintptr_t)x & 15) == 0;

	if (n)
		LAUNCH(k_scale, cuda_blocks(wide ? n / 4 + n % 4 : n, THREADS), THREADS, 0, cuda_of(k)->stream, n, s, x, wide);
}
