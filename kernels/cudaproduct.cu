/* SPDX-License-Identifier: Apache-2.0 */
/* The matrix products, through cuBLAS.  Weights that are not of the operands' type become tiles of it, TILE_VALUES at most at a time.  A LoRA side product
 * comes first and the large product is added to it, so that a bf16 result is rounded after the large one. */
#include "cudatile.h"

enum { TILE_VALUES = 1 << 25, BIAS_PARTS = 3 };

static size_t up256(size_t n) { return (n + 255) / 256 * 256; }

static bool as_it_lies(const struct kmat *w, enum dtype xt)
{
	return w->type == xt && w->scale == NULL;
}

/* cuBLAS has no bf16 results of f32 operands: those are made in f32 and then rounded. */
static bool rounds_after(enum dtype xt, enum dtype yt)
{
	return xt == DT_F32 && yt == DT_BF16;
}

struct grid_round {
	const float *src;
	uint32_t n;
	uint16_t *dst; size_t ldd;
	template <int V> __device__ void at(uint32_t i, uint32_t c) const
	{
		float f[V];

		pack_get<V>(src + (size_t)i * n + c, f);
		pack_put<V>(dst + i * ldd + c, f);
	}
};

static void round_rows(struct kern *k, uint32_t t, uint32_t n, const void *src, void *dst, size_t ldd)
{
	cuda_grid(k, t, n, cuda_wide(src, n) && cuda_wide(dst, ldd), grid_round{ (const float *)src, n, (uint16_t *)dst, ldd });
}

/* --- y = x w^T --- */

/* The side product's operands, a bias among them: [u 1 0] and [scale b, bias, 0].  A bias of bf16 operands stands in three columns whose sum is it to
 * 24 bits, so all is one product. */
struct side {
	uint32_t r, parts, width;      /* columns of u, of the bias, of all (bf16: a multiple of 8) */
};

static struct side side_of(const struct kern_linear *a)
{
	struct side s = { a->r, a->bias ? a->xt == DT_BF16 ? (uint32_t)BIAS_PARTS : 1 : 0, 0 };

	s.width = s.r + s.parts;
	if (a->xt == DT_BF16)
		s.width = (s.width + PACK - 1) / PACK * PACK;
	return s;
}

template <typename T> __global__ void __launch_bounds__(FLAT_THREADS) k_side_u(side s, uint32_t t, const T *u, size_t ldu, T *out)
{
	size_t at = (size_t)blockIdx.x * FLAT_THREADS + threadIdx.x;
	uint32_t i = (uint32_t)(at / s.width), c = (uint32_t)(at % s.width);

	if (i < t)
		out[at] = c < s.r ? u[i * ldu + c] : f_act<T>(c < s.r + s.parts ? 1 : 0);
}

template <typename T>
__global__ void __launch_bounds__(FLAT_THREADS) k_side_b(side s, uint32_t rows, const float *b, float scale, const float *bias, T *out)
{
	size_t at = (size_t)blockIdx.x * FLAT_THREADS + threadIdx.x;
	uint32_t j = (uint32_t)(at / s.width), c = (uint32_t)(at % s.width);
	float v = 0;

	if (j >= rows)
		return;
	if (c < s.r) {
		v = scale * b[(size_t)j * s.r + c];
	} else if (c < s.r + s.parts) {
		v = bias[j];
		for (; c > s.r; c--)                   /* what the columns before left */
			v -= act_f<T>(f_act<T>(v));
	}
	out[at] = f_act<T>(v);
}

/* y (= or +=) the side product; ROOM as side_room() says. */
static size_t side_room(const struct side *s, const struct kern_linear *a)
{
	return up256((size_t)a->t * s->width * act_size(a->xt)) + up256((size_t)a->w.rows * s->width * act_size(a->xt));
}

static void side_product(struct kern *k, const struct side *s, const struct kern_linear *a, char *room)
{
	void *u = room, *b = room + up256((size_t)a->t * s->width * act_size(a->xt));
	cudaStream_t q = cuda_of(k)->stream;

	CUDA_ACT(a->xt, T,
		LAUNCH((k_side_u<T>), cuda_blocks((size_t)a->t * s->width, FLAT_THREADS), FLAT_THREADS, 0, q, *s, a->t, (const T *)a->u, a->ldu, (T *)u);
		LAUNCH((k_side_b<T>), cuda_blocks((size_t)a->w.rows * s->width, FLAT_THREADS), FLAT_THREADS, 0, q, *s, a->w.rows, a->b, a->scale, a->bias, (T *)b);
	);
	cuda_gemm(k, false, true, a->t, a->w.rows, s->width, 1, u, s->width, b, s->width, a->xt, a->add ? 1 : 0, a->y, a->ldy, a->yt);
}

/* With ROOM for TILE bytes of weights, EACH rows at a time, and for what the side product takes. */
static void linear_tiles(struct kern *k, const struct kern_linear *a, const struct side *s, char *room, size_t tile, uint32_t each)
{
	uint32_t rows = a->w.rows, cols = a->w.cols;
	bool begun = a->add || s->width > 0;
	size_t ys = act_size(a->yt);

	if (s->width > 0)
		side_product(k, s, a, room + tile);
	for (uint32_t row = 0; row < rows; row += each) {
		uint32_t n = rows - row < each ? rows - row : each;
		const void *w = room;

		if (tile)
			cuda_tile(k, &a->w, row, n, 0, cols, a->xt, room, cols);
		else
			w = a->w.p;
		cuda_gemm(k, false, true, a->t, n, cols, 1, a->x, a->ldx, w, cols, a->xt, begun ? 1 : 0, (char *)a->y + row * ys, a->ldy, a->yt);
	}
}

void cuda_linear(struct kern *k, const struct kern_linear *a)
{
	struct side s = side_of(a);
	struct kern_linear to = *a;
	uint32_t rows = a->w.rows, cols = a->w.cols, each = rows;
	size_t tile = 0, whole = 0;
	char *room;

	if (a->t == 0 || rows == 0)
		return;
	if (a->t <= SMALL_ROWS) {
		cuda_linear_small(k, a);
		return;
	}
	if (!as_it_lies(&a->w, a->xt)) {
		each = cols > TILE_VALUES / 256 ? 256 : TILE_VALUES / (cols + 1) / 64 * 64;
		each = each < rows ? each : rows;
		tile = up256((size_t)each * cols * act_size(a->xt));
	}
	if (rounds_after(a->xt, a->yt))
		whole = up256((size_t)a->t * rows * sizeof(float));
	room = (char *)cuda_scratch(k, whole + tile + side_room(&s, a) + 1);
	if (whole) {
		to.y = room;
		to.ldy = rows;
		to.yt = DT_F32;
	}
	linear_tiles(k, &to, &s, room + whole, tile, each);
	if (whole)
		round_rows(k, a->t, rows, room, a->y, a->ldy);
}

/* --- dx = dy w: tiles are of columns, so that each value of dx is finished at once --- */

static void dx_tiles(struct kern *k, const struct kern_linear_dx *a, char *room, size_t tile, uint32_t each, bool begun)
{
	uint32_t rows = a->w.rows, cols = a->w.cols;
	size_t ds = act_size(a->yt);

	for (uint32_t col = 0; col < cols; col += each) {
		uint32_t n = cols - col < each ? cols - col : each;
		const void *w = room;

		if (tile)
			cuda_tile(k, &a->w, 0, rows, col, n, a->xt, room, n);
		else
			w = a->w.p;
		cuda_gemm(k, false, false, a->t, n, rows, a->alpha, a->dy, a->lddy, w, n, a->xt, begun ? 1 : 0, (char *)a->dx + col * ds, a->lddx, a->yt);
	}
}

void cuda_linear_dx(struct kern *k, const struct kern_linear_dx *a)
{
	struct kern_linear_dx to = *a;
	uint32_t rows = a->w.rows, cols = a->w.cols, each = cols;
	size_t tile = 0, whole = 0, la = 0;
	const void *side = a->a;
	char *room;

	if (a->t == 0 || cols == 0)
		return;
	if (!as_it_lies(&a->w, a->xt)) {
		each = TILE_VALUES / (rows + 1) / 256 * 256;
		each = each < 256 ? 256 : each;
		each = each < cols ? each : cols;
		tile = up256((size_t)rows * each * act_size(a->xt));
	}
	if (a->r > 0 && a->xt == DT_BF16)
		la = up256((size_t)a->r * cols * 2);
	if (rounds_after(a->xt, a->yt))
		whole = up256((size_t)a->t * cols * sizeof(float));
	room = (char *)cuda_scratch(k, whole + la + tile + 1);
	if (whole) {
		to.dx = room;
		to.lddx = cols;
		to.yt = DT_F32;
	}
	if (la) {
		side = room + whole;
		cuda_cast(k, (size_t)a->r * cols, a->a, DT_F32, room + whole, DT_BF16);
	}
	if (a->r > 0)
		cuda_gemm(k, false, false, a->t, cols, a->r, 1, a->du, a->lddu, side, cols, a->xt, a->add ? 1 : 0, to.dx, to.lddx, to.yt);
	dx_tiles(k, &to, room + whole + la, tile, each, a->add || a->r > 0);
	if (whole)
		round_rows(k, a->t, cols, room, a->dx, a->lddx);
}

void cuda_outer(struct kern *k, uint32_t t, uint32_t m, uint32_t n, float alpha, enum dtype xt, const void *p, size_t ldp, const void *q, size_t ldq,
                float *g, size_t ldg)
{
	if (t > 0)
		cuda_gemm(k, true, false, m, n, t, alpha, p, ldp, q, ldq, xt, 1, g, ldg, DT_F32);
}
