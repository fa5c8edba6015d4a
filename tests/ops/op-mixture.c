/* SPDX-License-Identifier: Apache-2.0 */
/* What mixtures of experts, latent attention and DoRA need beside the common operations, every backend against ref. */
#include "trial.h"

static const enum dtype act[2] = { DT_F32, DT_BF16 };
static const uint32_t sizes[][2] = { { 1, 1 }, { 3, 17 }, { 5, 24 }, { 17, 64 }, { 33, 129 }, { 2, 1027 }, { 0, 5 } };
enum { NSIZES = sizeof sizes / sizeof *sizes };

/* T rows of N values; TOP slots a row. */
struct args {
	uint32_t t, n, top;
	enum dtype xt;
	void *x, *y;                   /* [t * top, n] act type */
	float *w, *z, *d;              /* [t * top] weights; [t * n] numbers */
	uint32_t *slot;                /* [t * top] each slot once, not in order */
	int what;
};

static struct args make(uint32_t t, uint32_t n, uint32_t top, enum dtype xt)
{
	struct args a = { .t = t, .n = n, .top = top, .xt = xt };
	uint32_t s = t * top;

	a.x = trial_values((size_t)s * n, xt, 1);
	a.y = trial_values((size_t)s * n, xt, 1);
	a.w = trial_values(s + n, DT_F32, 1);
	a.z = trial_values((size_t)s * n + n, DT_F32, 1);
	a.d = trial_values((size_t)s * n + n, DT_F32, 1);
	a.slot = trial_new((s + 1) * sizeof *a.slot);
	for (uint32_t i = 0; i < s; i++)
		a.slot[i] = s - 1 - i;
	for (uint32_t i = 0; i + 2 < s; i += 3) {
		uint32_t x = a.slot[i];

		a.slot[i] = a.slot[i + 2];
		a.slot[i + 2] = x;
	}
	return a;
}

static void drop(struct args *a)
{
	trial_free(a->x);
	trial_free(a->y);
	trial_free(a->w);
	trial_free(a->z);
	trial_free(a->d);
	trial_free(a->slot);
}

/* --- experts' answers; OUT: f32 x, or dy and behind it dweight --- */

static void run_combine(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;

	if (a->what == 0)
		kern_combine(k, a->t, a->n, a->top, a->xt, a->y, a->slot, a->w, out);
	else
		kern_combine_add(k, a->t, a->n, a->top, a->z, a->slot, out);
}

static void run_combine_dx(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;
	float *dw = trial_new(a->t * a->top * sizeof *dw);

	kern_combine_dx(k, a->t, a->n, a->top, a->xt, a->d, a->y, a->slot, a->w, out, dw);
	trial_free(dw);
}

static void run_dweight(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;
	void *dy = trial_new((size_t)a->t * a->top * a->n * sizeof(float));

	kern_combine_dx(k, a->t, a->n, a->top, a->xt, a->d, a->y, a->slot, a->w, dy, out);
	trial_free(dy);
}

static void run_gather(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;

	kern_rows_gather(k, a->t * a->top, a->n, a->xt, a->x, a->n, a->slot, out);
}

static void combines(void)
{
	for (int v = 0; v < 4; v++)
		for (int i = 0; i < NSIZES; i++) {
			struct args a = make(sizes[i][0], sizes[i][1], v < 2 ? 2 : 3, act[v & 1]);
			size_t n = (size_t)a.t * a.n, all = n * a.top;
			void *vals = trial_values(n, DT_F32, 1), *nans = trial_nans(all + 1, DT_F32);

			for (a.what = 0; a.what < 2; a.what++)
				trial("combine", run_combine, &a, vals, n, DT_F32, 1e-6);
			trial("combine", run_combine_dx, &a, nans, all, a.xt, trial_tol(a.xt, 1e-6));
			trial("combine", run_dweight, &a, nans, a.t * a.top, DT_F32, 3e-6);
			trial("combine", run_gather, &a, nans, all, a.xt, 0);
			trial_free(vals);
			trial_free(nans);
			drop(&a);
		}
	trial_lines("combine");
}

/* --- a shared expert's gate --- */

static void run_gated(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;

	kern_gated(k, a->t, a->n, a->xt, a->w, a->y, out);
}

/* WHAT 0: OUT is dy; 1: dz. */
static void run_gated_dx(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;
	void *other = trial_new(((size_t)a->t * a->n + 1) * sizeof(float));

	kern_gated_dx(k, a->t, a->n, a->xt, a->w, a->y, a->d, a->what ? other : out, a->what ? out : other);
	trial_free(other);
}

static void gates(void)
{
	for (int v = 0; v < 2; v++)
		for (int i = 0; i < NSIZES; i++) {
			struct args a = make(sizes[i][0], sizes[i][1], 1, act[v]);
			size_t n = (size_t)a.t * a.n;
			void *vals = trial_values(n, DT_F32, 1), *nans = trial_nans(n + a.t, DT_F32);

			trial("gated", run_gated, &a, vals, n, DT_F32, 1e-6);
			trial("gated", run_gated_dx, &a, nans, n, a.xt, trial_tol(a.xt, 1e-6));
			a.what = 1;
			trial("gated", run_gated_dx, &a, nans, a.t, DT_F32, 3e-6);
			trial_free(vals);
			trial_free(nans);
			drop(&a);
		}
	trial_lines("gated");
}

/* --- DoRA; t outputs of rank n, then t rows of n values --- */

static void run_dora_norm(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;

	kern_dora_norm(k, a->t, a->n, 0.5f, a->w, a->z, a->d, a->x, out);
}

static void run_dora_scale(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;

	kern_dora_scale(k, a->t, a->n, a->d, a->w, a->z, a->what & 1 ? a->z + 1 : NULL, out, a->n + 2, a->xt, a->what & 2);
}

/* OUT: dy becomes dsrc in its place, or the magnitudes' gradient. */
static void run_dora_scale_dx(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;
	float *g = trial_new((a->n + 1) * sizeof *g);
	char *dy = trial_new((size_t)a->t * a->n * 4 + 4);

	memcpy(dy, a->x, (size_t)a->t * a->n * trial_size(a->xt));
	kern_dora_scale_dx(k, a->t, a->n, a->xt, a->what ? dy : out, a->d, a->w, a->z, a->what ? dy : out, a->what ? out : g);
	trial_free(g);
	trial_free(dy);
}

static void doras(void)
{
	for (int i = 0; i < NSIZES - 1; i++) {
		struct args a = { .t = sizes[i][1], .n = sizes[i][0] > 17 ? 8 : sizes[i][0] };
		void *nans = trial_nans(a.t, DT_F32);

		a.w = trial_values(a.t, DT_F32, 1);
		a.z = trial_values((size_t)a.n * a.t, DT_F32, 0.1f);
		a.d = trial_values((size_t)a.n * a.t, DT_F32, 0.1f);
		a.x = trial_values((size_t)a.n * a.n, DT_F32, 0.1f);
		for (uint32_t j = 0; j < a.t; j++)
			a.w[j] = 3 + a.w[j];
		trial("dora", run_dora_norm, &a, nans, a.t, DT_F32, 1e-6);
		trial_free(nans);
		drop(&a);
	}
	for (int v = 0; v < 2; v++)
		for (int i = 0; i < NSIZES; i++) {
			struct args a = make(sizes[i][0], sizes[i][1], 1, act[v]);
			size_t n = (size_t)a.t * (a.n + 2);
			void *vals = trial_values(n, DT_F32, 1), *acts = trial_values((size_t)a.t * a.n + 1, a.xt, 1);

			for (uint32_t j = 0; j < a.n + 1; j++)
				a.z[j] = 1.5f + a.z[j];
			for (a.what = 0; a.what < (a.xt == DT_F32 ? 4 : 2); a.what++)
				trial("dora", run_dora_scale, &a, vals, n, a.xt, trial_tol(a.xt, 1e-6));
			a.what = 0;
			trial("dora", run_dora_scale_dx, &a, acts, (size_t)a.t * a.n, a.xt, trial_tol(a.xt, 1e-6));
			a.what = 1;
			trial("dora", run_dora_scale_dx, &a, vals, a.n, DT_F32, 3e-6);
			trial_free(vals);
			trial_free(acts);
			drop(&a);
		}
	trial_lines("dora");
}

/* --- latent attention; x: kv or dkey, y: dvalue --- */

struct mla_args {
	struct kern_mla a;
	void *kv, *kr, *dkey, *dvalue;
	size_t parts;                  /* values of the first output */
};

static void run_mla(struct kern *k, void *ctx, void *out)
{
	struct mla_args *m = ctx;

	kern_mla_keys(k, &m->a, m->kv, m->kr, m->a.rope + 3, out, (char *)out + m->parts * trial_size(m->a.xt));
}

static void run_mla_dx(struct kern *k, void *ctx, void *out)
{
	struct mla_args *m = ctx;
	const struct kern_mla *a = &m->a;

	kern_mla_keys_dx(k, a, m->dkey, m->dvalue, out, (char *)out + (size_t)a->t * a->heads * (a->nope + a->dv) * trial_size(a->xt), a->rope + 3);
}

static void latents(void)
{
	static const struct kern_mla shapes[] = { { 1, 1, 1, 1, 1, DT_F32 }, { 5, 3, 7, 4, 9, DT_F32 }, { 19, 4, 16, 8, 24, DT_F32 }, { 3, 2, 128, 64, 128, DT_F32 } };

	for (int v = 0; v < 2; v++)
		for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
			struct mla_args m = { .a = shapes[i] };
			size_t rows = (size_t)m.a.t * m.a.heads, kr = (size_t)m.a.t * (m.a.rope + 3);
			void *nans;

			m.a.xt = act[v];
			m.parts = rows * (m.a.nope + m.a.rope);
			m.kv = trial_values(rows * (m.a.nope + m.a.dv), m.a.xt, 1);
			m.kr = trial_values(kr, m.a.xt, 1);
			m.dkey = trial_values(m.parts, m.a.xt, 1);
			m.dvalue = trial_values(rows * m.a.dv, m.a.xt, 1);
			nans = trial_nans(m.parts + rows * m.a.dv + kr, DT_F32);
			trial("mla_keys", run_mla, &m, nans, m.parts + rows * m.a.dv, m.a.xt, 0);
			trial("mla_keys", run_mla_dx, &m, nans, rows * (m.a.nope + m.a.dv) + kr, m.a.xt, trial_tol(m.a.xt, 1e-6));
			trial_free(m.kv);
			trial_free(m.kr);
			trial_free(m.dkey);
			trial_free(m.dvalue);
			trial_free(nans);
		}
	trial_lines("mla_keys");
}

/* --- choice of experts; OUT: scores, weights, and the choice as f32 --- */

struct route_args {
	struct kern_route r;
	float *logits, *dw;
};

static void run_route(struct kern *k, void *ctx, void *out)
{
	struct route_args *a = ctx;
	size_t n = (size_t)a->r.t * a->r.experts, s = (size_t)a->r.t * a->r.top;
	uint32_t *expert = trial_new(s * sizeof *expert + 4);
	float *o = out;

	memcpy(o, a->logits, n * sizeof *o);
	kern_route(k, &a->r, o, expert, o + n);
	kern_wait(k);
	for (size_t i = 0; i < s; i++)
		o[n + s + i] = (float)expert[i];
	trial_free(expert);
}

static void run_route_dx(struct kern *k, void *ctx, void *out)
{
	struct route_args *a = ctx;
	size_t n = (size_t)a->r.t * a->r.experts, s = (size_t)a->r.t * a->r.top;
	uint32_t *expert = trial_new(s * sizeof *expert + 4);
	float *scores = trial_new(n * sizeof *scores + 4), *w = trial_new(s * sizeof *w + 4);

	memcpy(scores, a->logits, n * sizeof *scores);
	kern_route(k, &a->r, scores, expert, w);
	kern_route_dx(k, &a->r, scores, expert, a->dw, out);
	trial_free(expert);
	trial_free(scores);
	trial_free(w);
}

static void routes(void)
{
	/* t, experts, top, groups, topg, sigmoid, pair, norm */
	static const struct kern_route shapes[] = { { .t = 1, .experts = 2, .top = 1, .groups = 1, .topg = 1, .scale = 1 },
		{ .t = 7, .experts = 8, .top = 2, .groups = 1, .topg = 1, .norm = true, .scale = 1 },
		{ .t = 33, .experts = 60, .top = 4, .groups = 1, .topg = 1, .scale = 2.5f },
		{ .t = 20, .experts = 64, .top = 6, .groups = 8, .topg = 3, .sigmoid = true, .pair = true, .norm = true, .scale = 2.5f },
		{ .t = 5, .experts = 256, .top = 8, .groups = 8, .topg = 4, .sigmoid = true, .pair = true, .norm = true, .scale = 2.5f },
		{ .t = 9, .experts = 16, .top = 3, .groups = 4, .topg = 2, .scale = 16 }, { .t = 0, .experts = 4, .top = 2, .groups = 1, .topg = 1, .scale = 1 } };

	for (int bias = 0; bias < 2; bias++)
		for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
			struct route_args a = { .r = shapes[i] };
			size_t n = (size_t)a.r.t * a.r.experts, s = (size_t)a.r.t * a.r.top;
			float *b = trial_values(a.r.experts, DT_F32, 0.3f), *nans = trial_nans(n + 2 * s + 1, DT_F32);

			a.r.bias = bias ? b : NULL;
			a.logits = trial_values(n, DT_F32, 3);
			for (uint32_t e = 0; e + 1 < a.r.experts && a.r.t; e += 3)       /* equal scores: the first counts */
				a.logits[e + 1] = a.logits[e];
			a.dw = trial_values(s, DT_F32, 1);
			trial("route", run_route, &a, nans, n + 2 * s, DT_F32, 1e-6);
			trial("route", run_route_dx, &a, nans, n, DT_F32, 3e-6);
			trial_free(b);
			trial_free(nans);
			trial_free(a.logits);
			trial_free(a.dw);
		}
	trial_lines("route");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} all[] = { { "combine", combines }, { "gated", gates }, { "dora", doras }, { "mla_keys", latents }, { "route", routes } };

	trial_open(argc, argv);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (trial_wants(all[i].name))
			all[i].run();
	trial_close();
	return test_end();
}
