/* SPDX-License-Identifier: Apache-2.0 */
/* Finite differences of what latent attention, mixtures of experts, DoRA and dropout need beside the operations of ref-derivatives.c, and of rows that
 * are taken out and put back. */
#include "derive.h"

enum { T = 6, N = 5 };

/* --- latent attention: kv, then the shared key --- */

static const struct kern_mla mla_shape = { .t = T, .heads = 3, .nope = 4, .rope = 2, .dv = 5, .xt = DT_F32 };
enum { KV = T * 3 * (4 + 5), KEY = T * 3 * (4 + 2), VALUE = T * 3 * 5 };

static double loss_mla(struct probe *p)
{
	float key[KEY], v[VALUE];

	kern_mla_keys(trial_ref, &mla_shape, p->x, p->x + KV, 2, key, v);
	return dot(key, p->c, KEY) + dot(v, p->c + KEY, VALUE);
}

static void mla_keys(void)
{
	struct probe *p = fresh();

	p->n = KV + T * 2;
	kern_mla_keys_dx(trial_ref, &mla_shape, p->c, p->c + KEY, p->grad, p->grad + KV, 2);
	FITS(p, loss_mla);
	mem_free(p);
}

/* --- choice of experts: logits far enough apart that a difference flips no choice --- */

static double loss_route(struct probe *p)
{
	const struct kern_route *a = (const struct kern_route *)(const void *)p->extra;
	float scores[T * 8], weight[T * 3];
	uint32_t expert[T * 3];

	memcpy(scores, p->x, sizeof scores);
	kern_route(trial_ref, a, scores, expert, weight);
	return dot(weight, p->c, T * 3);
}

static void route(void)
{
	static const float bias[8] = { 0.01f, -0.02f, 0.005f, 0, 0.01f, -0.01f, 0.015f, 0 };
	static const float apart[8] = { 0, 3, 6, 2, 4, 7, 1, 5 };           /* in pairs too, by sum and by maximum */
	struct probe *p = fresh();

	p->n = T * 8;
	for (uint32_t i = 0; i < T; i++)
		for (uint32_t e = 0; e < 8; e++)
			p->x[i * 8 + e] = 0.4f * apart[(e + 2 * i) % 8] - 1.5f + 0.05f * trial_rnd();
	for (int v = 0; v < 16; v++) {
		struct kern_route a = { .t = T, .experts = 8, .top = 3, .groups = v & 1 ? 4 : 1, .topg = v & 1 ? 2 : 1, .sigmoid = v & 2, .norm = v & 4, .pair = v & 8,
			.scale = 2.5f, .bias = v & 2 ? bias : NULL };
		float scores[T * 8], weight[T * 3];
		uint32_t expert[T * 3];

		memcpy(p->extra, &a, sizeof a);
		memcpy(scores, p->x, sizeof scores);
		kern_route(trial_ref, &a, scores, expert, weight);
		kern_route_dx(trial_ref, &a, scores, expert, p->c, p->grad);
		FITS(p, loss_route);
	}
	mem_free(p);
}

/* --- answers put together: y [T * 2, N], then the weights [T, 2] --- */

static double loss_combine(struct probe *p)
{
	float x[T * N] = {0};

	kern_combine(trial_ref, T, N, 2, DT_F32, p->x, p->idx, p->x + T * 2 * N, x);
	return dot(x, p->c, T * N);
}

static void combine(void)
{
	struct probe *p = fresh();

	p->n = T * 2 * N + T * 2;
	for (uint32_t i = 0; i < T * 2; i++)
		p->idx[i] = i * 5 % (T * 2);
	kern_combine_dx(trial_ref, T, N, 2, DT_F32, p->c, p->x, p->idx, p->x + T * 2 * N, p->grad, p->grad + T * 2 * N);
	FITS(p, loss_combine);
	mem_free(p);
}

/* Tokens sorted by expert, and what comes back to them. */
static double loss_gather(struct probe *p)
{
	float y[T * 2 * N];
	uint32_t token[T * 2];

	for (uint32_t i = 0; i < T * 2; i++)
		token[p->idx[i]] = i / 2;
	kern_rows_gather(trial_ref, T * 2, N, DT_F32, p->x, N, token, y);
	return dot(y, p->c, T * 2 * N);
}

static void gather(void)
{
	struct probe *p = fresh();

	p->n = T * N;
	for (uint32_t i = 0; i < T * 2; i++)
		p->idx[i] = i * 7 % (T * 2);
	memset(p->grad, 0, sizeof p->grad);
	kern_combine_add(trial_ref, T, N, 2, p->c, p->idx, p->grad);
	FITS(p, loss_gather);
	mem_free(p);
}

/* --- gate of a shared expert: y, then z --- */

static double loss_gated(struct probe *p)
{
	float x[T * N] = {0};

	kern_gated(trial_ref, T, N, DT_F32, p->x + T * N, p->x, x);
	return dot(x, p->c, T * N);
}

static void gated(void)
{
	struct probe *p = fresh();

	p->n = T * N + T;
	kern_gated_dx(trial_ref, T, N, DT_F32, p->x + T * N, p->x, p->c, p->grad, p->grad + T * N);
	FITS(p, loss_gated);
	mem_free(p);
}

/* --- DoRA: the product, then the magnitudes; norms are constants --- */

static double loss_dora(struct probe *p)
{
	float y[T * N];

	kern_dora_scale(trial_ref, T, N, p->x, p->x + T * N, p->extra, p->w, y, N, DT_F32, false);
	return dot(y, p->c, T * N);
}

static void dora(void)
{
	struct probe *p = fresh();

	p->n = T * N + N;
	for (uint32_t i = 0; i < N; i++)
		p->extra[i] = 0.5f + (float)i;
	memset(p->grad, 0, sizeof p->grad);
	kern_dora_scale_dx(trial_ref, T, N, DT_F32, p->c, p->x, p->x + T * N, p->extra, p->grad, p->grad + T * N);
	FITS(p, loss_dora);
	mem_free(p);
}

/* The norm itself against the matrix it is the norm of. */
static void dora_norm(void)
{
	enum { OUT = 4, IN = 6, R = 2 };
	float w[OUT * IN], a[R * IN], b[OUT * R], w2[OUT], wa[R * OUT], aat[R * R], norm[OUT];

	fill(w, OUT * IN), fill(a, R * IN), fill(b, OUT * R);
	for (int o = 0; o < OUT; o++) {
		w2[o] = (float)dot(w + o * IN, w + o * IN, IN);
		for (int r = 0; r < R; r++)
			wa[r * OUT + o] = (float)dot(a + r * IN, w + o * IN, IN);
	}
	for (int r = 0; r < R * R; r++)
		aat[r] = (float)dot(a + r / R * IN, a + r % R * IN, IN);
	kern_dora_norm(trial_ref, OUT, R, 1.5f, w2, wa, b, aat, norm);
	for (int o = 0; o < OUT; o++) {
		double sum = 0;

		for (int k = 0; k < IN; k++) {
			double v = w[o * IN + k];

			for (int r = 0; r < R; r++)
				v += 1.5 * b[o * R + r] * a[r * IN + k];
			sum += v * v;
		}
		CHECK(fabs(norm[o] - sqrt(sum)) < 1e-5);
	}
}

/* --- dropout: the same values on the way back --- */

static const uint64_t drop_key[T] = { 11, 5, 11, 8, 1, 77 };
static const uint32_t drop_row[T] = { 3, 1, 0, 2, 5, 4 };
static const struct kern_drop drop_shape = { .t = T, .n = 30, .key = drop_key, .row = drop_row, .salt = 9, .p = 0.4f };

static double loss_dropout(struct probe *p)
{
	float y[T * 30];

	kern_dropout(trial_ref, &drop_shape, DT_F32, p->x, y);
	return dot(y, p->c, T * 30);
}

static void dropout(void)
{
	struct probe *p = fresh();

	p->n = T * 30;
	memset(p->grad, 0, sizeof p->grad);
	kern_dropout_dx(trial_ref, &drop_shape, p->c, p->grad, DT_F32);
	FITS(p, loss_dropout);
	mem_free(p);
}

/* Noise is added and has no part in any gradient; its values follow from key and size. */
static double loss_noise(struct probe *p)
{
	float y[T * 30];

	memcpy(y, p->x, sizeof y);
	kern_noise(trial_ref, &drop_shape, p->w, y);
	return dot(y, p->c, T * 30);
}

static void noise(void)
{
	struct probe *p = fresh();

	p->n = T * 30;
	memcpy(p->grad, p->c, p->n * sizeof *p->c);
	FITS(p, loss_noise);
	mem_free(p);
}

/* --- rows taken out, and put back --- */

static double loss_rows(struct probe *p)
{
	float y[4 * N];

	kern_rows_get(trial_ref, 4, N, p->x, p->idx, y, DT_F32);
	return dot(y, p->c, 4 * N);
}

static void rows(void)
{
	struct probe *p = fresh();

	p->n = T * N;
	for (uint32_t i = 0; i < 4; i++)
		p->idx[i] = i * 2 % 5;                  /* not all of them, none twice */
	memset(p->grad, 0, sizeof p->grad);
	kern_rows_put(trial_ref, 4, N, p->c, p->idx, p->grad, true);
	FITS(p, loss_rows);
	mem_free(p);
}

int main(void)
{
	trial_open(1, NULL);
	TEST(mla_keys);
	TEST(route);
	TEST(combine);
	TEST(gather);
	TEST(gated);
	TEST(dora);
	TEST(dora_norm);
	TEST(dropout);
	TEST(noise);
	TEST(rows);
	trial_close();
	return test_end();
}
