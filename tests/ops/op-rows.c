/* SPDX-License-Identifier: Apache-2.0 */
/* What works row by row or value by value, every backend against ref. */
#include "rng.h"
#include "trial.h"

static const enum dtype act[2] = { DT_F32, DT_BF16 };
static const uint32_t sizes[][2] = { { 1, 1 }, { 3, 17 }, { 5, 24 }, { 17, 64 }, { 40, 577 }, { 2, 9000 }, { 300, 33 }, { 0, 5 } };
enum { NSIZES = sizeof sizes / sizeof *sizes };

/* One argument pack serves all: T rows of N values. */
struct args {
	uint32_t t, n;
	enum dtype xt, yt;
	void *x, *y, *z;
	float *w, *r;
	uint32_t *idx;
	size_t ld;
	int what;
	bool flag;
	size_t part;                   /* where the second output begins in OUT, in values */
};

static struct args make(uint32_t t, uint32_t n, enum dtype xt, enum dtype yt)
{
	struct args a = { .t = t, .n = n, .xt = xt, .yt = yt, .ld = n + 3 };

	a.x = trial_values(t * a.ld, xt, 3);
	a.y = trial_values(t * a.ld, yt, 2);
	a.z = trial_values(t * a.ld, yt, 1);
	a.w = trial_values(n, DT_F32, 1);
	a.r = trial_values(t, DT_F32, 1);
	a.idx = trial_new((t + 1) * sizeof *a.idx);
	for (uint32_t i = 0; i < t; i++)
		a.idx[i] = (i * 7 + 3) % t;
	return a;
}

static void drop(struct args *a)
{
	trial_free(a->x);
	trial_free(a->y);
	trial_free(a->z);
	trial_free(a->w);
	trial_free(a->r);
	trial_free(a->idx);
}

static char *second(const struct args *a, void *out, enum dtype t)
{
	return (char *)out + a->part * trial_size(t);
}

/* --- norms --- */

static void run_norm(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;

	kern_rmsnorm(k, a->t, a->n, a->x, a->ld, a->xt, a->w, 1e-5f, out, a->ld, a->yt, a->r, a->flag ? second(a, out, a->yt) : NULL);
}

static void run_rstd(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;

	kern_rmsnorm(k, a->t, a->n, a->x, a->ld, a->xt, a->w, 1e-5f, a->z, a->ld, a->yt, out, NULL);
}

static void run_again(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;

	kern_rmsnorm_again(k, a->t, a->n, a->x, a->r, a->w, out, a->xt);
}

/* OUT: dx then gw, f32. */
static void run_norm_dx(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;

	kern_rmsnorm_dx(k, a->t, a->n, a->x, a->ld, a->xt, a->r, a->w, a->y, a->ld, a->yt, out, a->ld, false,
	                a->flag ? (float *)(void *)second(a, out, DT_F32) : NULL);
}

/* In place of dy. */
static void run_norm_set(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;
	float *gw = trial_new(a->n * sizeof *gw + 1);

	kern_rmsnorm_dx(k, a->t, a->n, a->x, a->ld, a->xt, a->r, a->w, out, a->ld, a->xt, out, a->ld, true, gw);
	trial_free(gw);
}

static void norms(void)
{
	for (int v = 0; v < 4; v++)
		for (int i = 0; i < NSIZES; i++) {
			struct args a = make(sizes[i][0], sizes[i][1], act[v & 1], act[v >> 1]);
			size_t n = a.t * a.ld + (size_t)a.t * a.n;
			void *nans = trial_nans(n, DT_F32), *vals = trial_values(n + a.n, DT_F32, 1), *dys = trial_values(n, a.xt, 1);

			a.flag = v & 2;
			a.part = a.t * a.ld;
			trial("rmsnorm", run_norm, &a, nans, n, a.yt, trial_tol(a.yt, 2e-6));
			trial("rmsnorm", run_rstd, &a, nans, a.t, DT_F32, 2e-6);
			trial("rmsnorm", run_again, &a, nans, (size_t)a.t * a.n, a.xt, trial_tol(a.xt, 1e-6));
			trial("rmsnorm", run_norm_dx, &a, vals, a.part + a.n, DT_F32, 2e-6);
			trial("rmsnorm", run_norm_set, &a, dys, a.t * a.ld, a.xt, trial_tol(a.xt, 1e-6));
			trial_free(nans);
			trial_free(vals);
			trial_free(dys);
			drop(&a);
		}
	trial_lines("rmsnorm");
}

/* --- rotary positions: in place in OUT --- */

static void run_rope(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;
	uint32_t heads = a->n / 20;

	kern_rope(k, a->t, heads, 20, a->what, out, a->ld, a->xt, a->w, a->idx, a->flag, a->part);
}

static void ropes(void)
{
	for (int v = 0; v < 8; v++)
		for (int i = 3; i < NSIZES; i++) {
			struct args a = make(sizes[i][0], sizes[i][1], act[v & 1], act[v & 1]);

			trial_free(a.w);
			a.w = trial_values((a.t + 1) * 20, DT_F32, 1);
			a.what = i & 1 ? 10 : 7;
			a.flag = v & 2;
			a.part = v >> 2;
			trial("rope", run_rope, &a, a.x, a.t * a.ld, a.xt, trial_tol(a.xt, 1e-6));
			drop(&a);
		}
	trial_lines("rope");
}

/* --- rivals; OUT: their loss, then gradients --- */

struct rival_args {
	struct args a;
	uint32_t *row, *first, *id, m;
};

static void run_rivals(struct kern *k, void *ctx, void *out)
{
	struct rival_args *r = ctx;
	struct args *a = &r->a;
	size_t loss = (r->m * sizeof(float) + 63) / 64 * 64;

	kern_rivals(k, &(struct kern_rivals){ .m = r->m, .n = a->n, .row = r->row, .first = r->first, .id = r->id, .logits = a->x, .ldl = a->ld, .weight = a->r,
		.loss = (float *)out, .dlogits = a->flag ? NULL : (char *)out + loss, .ldd = a->ld, .dt = a->xt });
}

static void rivals(void)
{
	for (int v = 0; v < 4; v++)
		for (int i = 0; i < NSIZES; i++) {
			struct rival_args r = { .a = make(sizes[i][0], sizes[i][1], DT_F32, DT_F32) };
			uint32_t t = r.a.t, n = r.a.n;
			size_t loss = (t * sizeof(float) + 63) / 64 * 16, size = loss + t * r.a.ld;
			float *init = trial_values(size, DT_F32, 1);

			r.a.flag = v & 1;
			r.row = trial_new((t + 1) * sizeof *r.row);
			r.first = trial_new((t + 2) * sizeof *r.first);
			r.id = trial_new(((size_t)t * 4 + 4) * sizeof *r.id);
			r.first[0] = 0;
			for (uint32_t j = 0; j < t && n > 4; j += 2) {               /* every other row; 1 to 4 ids, ascending, the first and the last among them */
				uint32_t *id = r.id + r.first[r.m], k = 0;

				for (uint32_t x = j % 3 ? 1 : 0; x < n && k < 4; x += n / 3)
					id[k++] = x;
				if (j % 4 == 0)
					id[k - 1] = n - 1;
				r.row[r.m] = j;
				r.first[r.m + 1] = r.first[r.m] + k;
				r.m++;
			}
			if (v & 2)                                                   /* rivals that are nearly certain */
				for (uint32_t j = 0; j < r.m; j++)
					((float *)r.a.x)[r.row[j] * r.a.ld + r.id[r.first[j]]] += 25;
			trial("rivals", run_rivals, &r, init, size, DT_F32, 3e-6);
			trial_free(init);
			trial_free(r.row);
			trial_free(r.first);
			trial_free(r.id);
			drop(&r.a);
		}
	trial_lines("rivals");
}

/* --- optimisers; OUT: values, then state --- */

static void run_optimiser(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;
	size_t n = (size_t)a->t * a->n;
	float *p = out, *s = p + n;

	if (a->what == 0)
		kern_sgd(k, n, &(struct kern_sgd){ 0.1, 0.9, 0.02, 0.5, a->flag }, p, a->w, s);
	else if (a->what == 1)
		kern_lion(k, n, &(struct kern_lion){ 0.1, 0.9, 0.99, 0.02, 0.5 }, p, a->w, s);
	else
		kern_adafactor(k, a->t, a->n, &(struct kern_adafactor){ 0.1, 0.7, 1e-30, a->flag ? 1 : 1e-2, 0.02, 0.5 }, p, a->w, s, s + (a->t > 1 ? a->t : 0));
}

static void optimisers(void)
{
	for (int v = 0; v < 6; v++)
		for (int i = 0; i < NSIZES; i++) {
			struct args a = make(sizes[i][0], sizes[i][1], DT_F32, DT_F32);
			size_t n = (size_t)a.t * a.n;
			float *init = trial_values(2 * n + a.t + a.n, DT_F32, 1);

			for (size_t j = n; j < 2 * n + a.t + a.n; j++)
				init[j] = fabsf(init[j]) + 0.1f;                  /* means of squares */
			trial_free(a.w);
			a.w = trial_values(n, DT_F32, 1);
			a.what = v / 2;
			a.flag = v & 1;
			trial("optimisers", run_optimiser, &a, init, 2 * n + a.t + a.n, DT_F32, 2e-6);
			trial_free(init);
			drop(&a);
		}
	trial_lines("optimisers");
}

/* --- dropout and noise --- */

static struct kern_drop drawn(const struct args *a, uint64_t *key)
{
	for (uint32_t i = 0; i <= a->t; i++)
		key[i] = rng_mix(i + 77);
	return (struct kern_drop){ .t = a->t, .n = a->n, .key = key, .row = a->flag ? a->idx : NULL, .salt = a->part, .p = 0.3f };
}

static void run_dropout(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;
	uint64_t *key = trial_new((a->t + 1) * sizeof *key);
	struct kern_drop d = drawn(a, key);

	kern_dropout(k, &d, a->xt, a->x, out);
	trial_free(key);
}

static void run_dropout_dx(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;
	uint64_t *key = trial_new((a->t + 1) * sizeof *key);
	struct kern_drop d = drawn(a, key);

	kern_dropout_dx(k, &d, a->w, out, a->xt);
	trial_free(key);
}

static void run_noise(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;
	uint64_t *key = trial_new((a->t + 1) * sizeof *key);
	struct kern_drop d = drawn(a, key);

	kern_noise(k, &d, a->r, out);
	trial_free(key);
}

/* The share that is dropped, and that kept values are scaled by its inverse. */
static void dropped_share(void)
{
	enum { N = 4096 };
	uint64_t key = 5;
	struct kern_drop d = { .t = 1, .n = N, .key = &key, .p = 0.3f };
	float *x = trial_new((N) * sizeof *x);
	uint32_t zeros = 0;

	for (int i = 0; i < N; i++)
		x[i] = 7;
	kern_dropout(trial_ref, &d, DT_F32, x, x);
	for (int i = 0; i < N; i++) {
		zeros += x[i] == 0;
		CHECK(x[i] == 0 || fabsf(x[i] - 10) < 1e-5f);
	}
	CHECK(fabs(zeros / (double)N - 0.3) < 0.03);
	trial_free(x);
}

static void noises(void)
{
	for (int v = 0; v < 4; v++)
		for (int i = 0; i < NSIZES; i++) {
			struct args a = make(sizes[i][0], sizes[i][1], act[v & 1], act[v & 1]);
			size_t n = (size_t)a.t * a.n;
			void *nans = trial_nans(n, DT_F32), *vals = trial_values(n, DT_F32, 1), *acts = trial_values(n, a.xt, 1);

			trial_free(a.w);
			a.w = trial_values(n, DT_F32, 1);
			a.flag = v & 2;
			a.part = (size_t)v;
			trial("dropout", run_dropout, &a, nans, n, a.xt, trial_tol(a.xt, 1e-7));
			trial("dropout", run_dropout_dx, &a, acts, n, a.xt, trial_tol(a.xt, 1e-7));
			trial("dropout", run_noise, &a, vals, n, DT_F32, 1e-7);
			trial_free(nans);
			trial_free(vals);
			trial_free(acts);
			drop(&a);
		}
	trial_lines("dropout");
}

/* --- swiglu --- */

static void run_swiglu(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;

	kern_swiglu(k, a->t * a->ld, a->xt, a->x, a->y, out);
}

static void run_swiglu_dx(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;
	size_t n = a->t * a->ld, s = trial_size(a->xt);
	char *o = out;

	if (a->flag) {                 /* du takes the place of dy */
		memcpy(o + n * s, a->z, n * s);
		kern_swiglu_dx(k, n, a->xt, a->x, a->y, o + n * s, o, o + n * s, NULL);
		memset(o + 2 * n * s, 0, n * s);
	} else {
		kern_swiglu_dx(k, n, a->xt, a->x, a->y, a->z, o, o + n * s, o + 2 * n * s);
	}
}

static void swiglus(void)
{
	for (int v = 0; v < 4; v++)
		for (int i = 0; i < NSIZES; i++) {
			struct args a = make(sizes[i][0], sizes[i][1], act[v & 1], act[v & 1]);
			size_t n = a.t * a.ld;
			void *nans = trial_nans(3 * n, DT_F32);

			a.flag = v & 2;
			for (size_t j = 0; j < n; j += 5)               /* far out too */
				if (a.xt == DT_F32)
					((float *)a.x)[j] *= 40;
			trial("swiglu", run_swiglu, &a, nans, n, a.xt, trial_tol(a.xt, 1e-6));
			trial("swiglu", run_swiglu_dx, &a, nans, 3 * n, a.xt, trial_tol(a.xt, 1e-6));
			trial_free(nans);
			drop(&a);
		}
	trial_lines("swiglu");
}

/* --- rows by index --- */

static void run_rows(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;

	switch (a->what) {
	case 0: kern_rows_get(k, a->t, a->n, a->x, a->idx, out, a->yt); break;
	case 1: kern_rows_put(k, a->t, a->n, a->x, a->idx, out, a->flag); break;
	case 2: kern_embed_dx(k, a->t, a->n, a->x, a->idx, out); break;
	case 3: kern_rows_copy(k, a->t, a->n, a->xt, a->x, a->ld, a->idx, out, a->n + 1); break;
	case 4: kern_embed(k, a->t, (struct kmat){ .p = a->x, .type = a->xt, .rows = a->t, .cols = a->n }, a->idx, out); break;
	}
}

static void rows(void)
{
	for (int what = 0; what < 5; what++)
		for (int v = 0; v < 2; v++)
			for (int i = 0; i < NSIZES; i++) {
				struct args a = make(sizes[i][0], sizes[i][1], what >= 3 ? act[v] : DT_F32, DT_F32);
				size_t n = (size_t)a.t * (a.n + 1);
				void *vals = trial_values(n, DT_F32, 1), *nans = trial_nans(n, DT_F32);

				a.what = what;
				a.flag = v;
				a.yt = what == 0 ? act[v] : what == 3 ? a.xt : DT_F32;
				if (what == 2 && a.t > 1)
					a.idx[1] = a.idx[0];
				trial("rows", run_rows, &a, what == 1 || what == 2 ? vals : nans, n, a.yt, 0);
				trial_free(vals);
				trial_free(nans);
				drop(&a);
			}
	trial_lines("rows");
}

/* --- cross-entropy: OUT f32, the losses and then the gradient; or the bf16 gradient alone --- */

static void run_xent(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;
	float *loss = trial_new(a->t * sizeof *loss + 1);
	float smooth = a->what & 1 ? 0.1f : 0;

	if (a->yt == DT_BF16) {
		kern_xent(k, a->t, a->n, a->x, a->ld, a->idx, a->r, smooth, out, a->ld, DT_BF16, loss);
	} else if (a->what & 2) {
		kern_xent(k, a->t, a->n, a->x, a->ld, a->idx, NULL, smooth, NULL, 0, DT_F32, out);
	} else {                       /* in place */
		memcpy((float *)out + a->t, a->x, a->t * a->ld * sizeof(float));
		kern_xent(k, a->t, a->n, (float *)out + a->t, a->ld, a->idx, a->r, smooth, (float *)out + a->t, a->ld, DT_F32, out);
	}
	trial_free(loss);
}

static void xents(void)
{
	for (int v = 0; v < 6; v++)
		for (int i = 0; i < NSIZES; i++) {
			struct args a = make(sizes[i][0], sizes[i][1], DT_F32, DT_F32);
			size_t n = a.t * (a.ld + 1);
			void *nans = trial_nans(n, DT_F32);

			a.what = v % 4;
			a.yt = act[v / 4];
			for (uint32_t j = 0; j < a.t; j++)
				a.idx[j] = j * 31 % a.n;
			for (size_t j = 0; j < a.t * a.ld; j++)
				((float *)a.x)[j] *= 4;
			trial("xent", run_xent, &a, nans, a.yt == DT_BF16 ? a.t * a.ld : n, a.yt, trial_tol(a.yt, 2e-6));
			trial_free(nans);
			drop(&a);
		}
	trial_lines("xent");
}

/* --- arrays --- */

static void run_flat(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;
	size_t n = a->t * a->ld;

	switch (a->what) {
	case 0: kern_cast(k, n, a->x, a->xt, out, a->yt); break;
	case 1: kern_add(k, n, a->x, out); break;
	case 2: kern_scale(k, n, 0.37f, out); break;
	case 3: ((float *)out)[0] = (float)kern_sumsq(k, n, a->x); break;
	}
}

static void flats(int what, const char *name)
{
	for (int v = 0; v < (what ? 1 : 4); v++)
		for (int i = 0; i < NSIZES; i++) {
			struct args a = make(sizes[i][0], sizes[i][1], act[v & 1], act[v & 1]);
			size_t n = a.t * a.ld;
			void *vals = trial_values(n + 1, DT_F32, 1);

			a.what = what;
			a.yt = act[v >> 1];
			trial(name, run_flat, &a, vals, n ? n : 1, a.yt, what == 3 ? 1e-6 : 0);
			trial_free(vals);
			drop(&a);
		}
	trial_lines(name);
}

static void casts(void) { flats(0, "cast"); }
static void adds(void) { flats(1, "add"); }
static void scales(void) { flats(2, "scale"); }
static void sums(void) { flats(3, "sumsq"); }

/* OUT: p, m, v. */
static void run_adamw(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;
	struct kern_adamw w = { 1e-3f, 0.9f, 0.999f, 1e-8f, 0.1f, 0.5f, 1 - 0.729, 1 - 0.997 };
	size_t n = a->t * a->ld;
	float *p = out;

	for (size_t i = 0; i < n; i++)
		p[2 * n + i] = fabsf(p[2 * n + i]);
	kern_adamw(k, n, &w, p, a->x, p + n, p + 2 * n);
}

static void adamws(void)
{
	for (int i = 0; i < NSIZES; i++) {
		struct args a = make(sizes[i][0], sizes[i][1], DT_F32, DT_F32);
		size_t n = 3 * a.t * a.ld;
		void *vals = trial_values(n, DT_F32, 1);

		trial("adamw", run_adamw, &a, vals, n, DT_F32, 3e-7);
		trial_free(vals);
		drop(&a);
	}
	trial_lines("adamw");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} all[] = { { "rmsnorm", norms }, { "rope", ropes }, { "dropout", noises }, { "optimisers", optimisers }, { "rivals", rivals }, { "swiglu", swiglus },
		{ "rows", rows }, { "xent", xents }, { "cast", casts }, { "add", adds }, { "scale", scales }, { "sumsq", sums }, { "adamw", adamws } };

	trial_open(argc, argv);
	TEST(dropped_share);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (trial_wants(all[i].name))
			all[i].run();
	trial_close();
	return test_end();
}
