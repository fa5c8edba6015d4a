/* SPDX-License-Identifier: Apache-2.0 */
/* The optimisers, clipping within: gscale is a factor of the gradient.  In f32, but for the signs of Lion; 1 - beta is taken on the host, in double. */
#include "cudapack.h"

struct flat_adamw {
	float rest1, rest2, gscale, shrink, rate, root, eps;   /* 1 - beta1, 1 - beta2, lr * decay, lr / c1, 1 / sqrt(c2) */
	float *p, *m, *v;
	const float *g;
	template <int V> __device__ void at(size_t i) const
	{
		float pv[V], gv[V], mv[V], vv[V];

		pack_get<V>(p + i, pv);
		pack_get<V>(g + i, gv);
		pack_get<V>(m + i, mv);
		pack_get<V>(v + i, vv);
#pragma unroll
		for (int j = 0; j < V; j++) {
			float d = gv[j] * gscale;

			mv[j] += rest1 * (d - mv[j]);
			vv[j] += rest2 * (d * d - vv[j]);
			pv[j] -= shrink * pv[j];
			pv[j] -= rate * mv[j] / (sqrtf(vv[j]) * root + eps);
		}
		pack_put<V>(p + i, pv);
		pack_put<V>(m + i, mv);
		pack_put<V>(v + i, vv);
	}
};

void cuda_adamw(struct kern *k, size_t n, const struct kern_adamw *a, float *p, const float *g, float *m, float *v)
{
	bool wide = cuda_wide(p) && cuda_wide(g) && cuda_wide(m) && cuda_wide(v);

	cuda_flat(k, n, wide, flat_adamw{ (float)(1 - a->beta1), (float)(1 - a->beta2), (float)a->gscale, (float)(a->lr * a->decay), (float)(a->lr / a->c1),
	                                  (float)(1 / sqrt(a->c2)), (float)a->eps, p, m, v, g });
}

struct flat_sgd {
	float gscale, decay, momentum, lr;
	bool first;
	float *p, *m;
	const float *g;
	template <int V> __device__ void at(size_t i) const
	{
		float pv[V], gv[V], mv[V];

		pack_get<V>(p + i, pv);
		pack_get<V>(g + i, gv);
		pack_get<V>(m + i, mv);
#pragma unroll
		for (int j = 0; j < V; j++) {
			float d = gv[j] * gscale + decay * pv[j];

			mv[j] = first ? d : momentum * mv[j] + d;
			pv[j] -= lr * mv[j];
		}
		pack_put<V>(p + i, pv);
		pack_put<V>(m + i, mv);
	}
};

void cuda_sgd(struct kern *k, size_t n, const struct kern_sgd *a, float *p, const float *g, float *m)
{
	cuda_flat(k, n, cuda_wide(p) && cuda_wide(g) && cuda_wide(m),
	          flat_sgd{ (float)a->gscale, (float)a->decay, (float)a->momentum, (float)a->lr, a->first, p, m, g });
}

struct flat_lion {
	double gscale, beta1, rest1;
	float rest2, shrink, lr;
	float *p, *m;
	const float *g;
	template <int V> __device__ void at(size_t i) const
	{
		float pv[V], gv[V], mv[V];

		pack_get<V>(p + i, pv);
		pack_get<V>(g + i, gv);
		pack_get<V>(m + i, mv);
#pragma unroll
		for (int j = 0; j < V; j++) {
			double d = gscale * gv[j], c = beta1 * mv[j] + rest1 * d;

			pv[j] = pv[j] - shrink * pv[j] - lr * (float)((c > 0) - (c < 0));
			mv[j] += rest2 * ((float)d - mv[j]);
		}
		pack_put<V>(p + i, pv);
		pack_put<V>(m + i, mv);
	}
};

void cuda_lion(struct kern *k, size_t n, const struct kern_lion *a, float *p, const float *g, float *m)
{
	cuda_flat(k, n, cuda_wide(p) && cuda_wide(g) && cuda_wide(m),
	          flat_lion{ a->gscale, a->beta1, 1 - a->beta1, (float)(1 - a->beta2), (float)(a->lr * a->decay), (float)a->lr, p, m, g });
}

/* --- Adafactor: means of the squares by row and by column, then how large the step would be, then the step --- */

struct factor {
	uint32_t rows, cols;
	float gscale, eps, beta2, rest2, shrink, lr, threshold;
	float *p, *row, *col;
	const float *g;
	double *total;                 /* [2]: the mean of the rows' means; the squares of the step */
	__device__ float step(uint32_t i, uint32_t j) const
	{
		float u = g[(size_t)i * cols + j] * gscale / sqrtf(col[j]);

		return rows > 1 ? u / sqrtf(row[i] / (float)total[0]) : u;
	}
};

/* The squares of one row. */
static __global__ void __launch_bounds__(FLAT_THREADS) k_factor_row(factor f)
{
	__shared__ double room[WARP + 1];
	const float *g = f.g + (size_t)blockIdx.x * f.cols;
	double sum = 0;

	for (uint32_t j = threadIdx.x; j < f.cols; j += FLAT_THREADS) {
		float d = g[j] * f.gscale;

		sum += (double)(d * d + f.eps);
	}
	sum = block_sum(sum, room);
	if (threadIdx.x == 0)
		f.row[blockIdx.x] = (float)(f.beta2 * f.row[blockIdx.x] + f.rest2 * (sum / f.cols));
}

static __global__ void __launch_bounds__(FLAT_THREADS) k_factor_mean(factor f)
{
	__shared__ double room[WARP + 1];
	double sum = 0;

	for (uint32_t i = threadIdx.x; i < f.rows; i += FLAT_THREADS)
		sum += f.row[i];
	sum = block_sum(sum, room);
	if (threadIdx.x == 0)
		f.total[0] = sum / f.rows;
}

struct factor_squares {
	factor f;
	template <int V> __device__ void value(uint32_t i, uint32_t c, float *out) const
	{
		pack_get<V>(f.g + (size_t)i * f.cols + c, out);
#pragma unroll
		for (int v = 0; v < V; v++)
			out[v] = out[v] * f.gscale * (out[v] * f.gscale) + f.eps;
	}
};
struct factor_col {
	factor f;
	__device__ void put(uint32_t c, double sum) const { f.col[c] = (float)(f.beta2 * f.col[c] + f.rest2 * (sum / f.rows)); }
};

/* The squares of the step of one row into part[row]. */
static __global__ void __launch_bounds__(FLAT_THREADS) k_factor_step(factor f, double *part)
{
	__shared__ double room[WARP + 1];
	double sum = 0;

	for (uint32_t j = threadIdx.x; j < f.cols; j += FLAT_THREADS) {
		double u = f.step(blockIdx.x, j);

		sum += u * u;
	}
	sum = block_sum(sum, room);
	if (threadIdx.x == 0)
		part[blockIdx.x] = sum;
}

static __global__ void __launch_bounds__(FLAT_THREADS) k_factor_total(factor f, const double *part)
{
	__shared__ double room[WARP + 1];
	double sum = 0;

	for (uint32_t i = threadIdx.x; i < f.rows; i += FLAT_THREADS)
		sum += part[i];
	sum = block_sum(sum, room);
	if (threadIdx.x == 0)
		f.total[1] = sum;
}

static __global__ void __launch_bounds__(FLAT_THREADS) k_factor_apply(factor f)
{
	double rms = sqrt(f.total[1] / ((double)f.rows * f.cols)) / f.threshold;
	float rate = f.lr / (float)(rms > 1 ? rms : 1), *p = f.p + (size_t)blockIdx.x * f.cols;

	for (uint32_t j = threadIdx.x; j < f.cols; j += FLAT_THREADS)
		p[j] = p[j] - f.shrink * p[j] - rate * f.step(blockIdx.x, j);
}

void cuda_adafactor(struct kern *k, uint32_t rows, uint32_t cols, const struct kern_adafactor *a, float *p, const float *g, float *row, float *col)
{
	cudaStream_t s = cuda_of(k)->stream;
	size_t sums = cuda_cols_room(rows, cols);
	factor f = { rows, cols, (float)a->gscale, (float)a->eps, (float)a->beta2, (float)(1 - a->beta2), (float)(a->lr * a->decay), (float)a->lr,
		     (float)a->threshold, p, row, col, g, NULL };
	char *room;
	double *part;

	if (rows == 0 || cols == 0)
		return;
	sums = (sums + 255) / 256 * 256;
	room = (char *)cuda_scratch(k, sums + ((size_t)rows + 2) * sizeof(double));
	f.total = (double *)(room + sums);
	part = f.total + 2;
	if (rows > 1) {
		LAUNCH(k_factor_row, rows, FLAT_THREADS, 0, s, f);
		LAUNCH(k_factor_mean, 1, FLAT_THREADS, 0, s, f);
	}
	cuda_cols(k, rows, cols, cuda_wide(g, cols), factor_squares{ f }, factor_col{ f }, (float *)room);
	LAUNCH(k_factor_step, rows, FLAT_THREADS, 0, s, f, part);
	LAUNCH(k_factor_total, 1, FLAT_THREADS, 0, s, f, (const double *)part);
	LAUNCH(k_factor_apply, rows, FLAT_THREADS, 0, s, f);
}
