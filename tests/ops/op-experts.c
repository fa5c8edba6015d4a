/* SPDX-License-Identifier: Apache-2.0 */
/* What mixtures of experts, latent attention and DoRA need beside the common operations: every backend against ref. */
#include "trial.h"

static const enum dtype act[2] = { DT_F32, DT_BF16 };
/* tokens, values of a row, rows of a token (or rank) */
static const uint32_t sizes[][3] = { { 1, 1, 1 }, { 3, 17, 2 }, { 5, 24, 1 }, { 17, 64, 4 }, { 40, 577, 2 }, { 2, 9000, 3 }, { 300, 33, 6 }, { 0, 5, 2 } };
enum { NSIZES = sizeof sizes / sizeof *sizes };

struct args {
	uint32_t t, n, top;
	enum dtype xt;
	void *x, *y;                   /* [t * top + 1, n] act type */
	float *d, *w, *col[4];         /* [t, n]; [t * top]; [n] */
	uint32_t *idx;                 /* [t * top], each slot once */
	bool flag;
	struct kern_mla mla;
	struct kern_route route;
};

static struct args make(const uint32_t *size, enum dtype xt)
{
	struct args a = { .t = size[0], .n = size[1], .top = size[2], .xt = xt };
	size_t rows = (size_t)a.t * a.top;

	a.x = trial_values((rows + 1) * a.n, xt, 2);
	a.y = trial_values((rows + 1) * a.n, xt, 1);
	a.d = trial_values((rows + 1) * a.n, DT_F32, 1);
	a.w = trial_values(rows + 1, DT_F32, 2);
	for (int i = 0; i < 4; i++)
		a.col[i] = trial_values(a.n, DT_F32, 1);
	a.idx = mem_try((rows + 1) * sizeof *a.idx);
	for (size_t i = 0; i < rows; i++)
		a.idx[i] = (uint32_t)(rows - 1 - i);
	return a;
}

static void drop(struct args *a)
{
	mem_free(a->x);
	mem_free(a->y);
	mem_free(a->d);
	mem_free(a->w);
	for (int i = 0; i < 4; i++)
		mem_free(a->col[i]);
	mem_free(a->idx);
}

/* --- rows --- */

static void run_gather(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;

	kern_rows_gather(k, a->t * a->top, a->n, a->xt, a->x, a->n, a->idx, out);
}

static void run_copy(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;

	kern_rows_copy(k, a->t * a->top, a->n, a->xt, a->x, a->n, a->idx, out, a->n + 5);
}

/* --- answers put together --- */

static void run_combine(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;

	kern_combine(k, a->t, a->n, a->top, a->xt, a->x, a->idx, a->w, out);
}

static void run_combine_add(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;

	kern_combine_add(k, a->t, a->n, a->top, a->d, a->idx, out);
}

static void run_combine_dy(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;
	float *dw = mem_try((a->t * a->top + 1) * sizeof *dw);

	kern_combine_dx(k, a->t, a->n, a->top, a->xt, a->d, a->y, a->idx, a->w, out, dw);
	mem_free(dw);
}

static void run_combine_dw(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;
	void *dy = mem_try(((size_t)a->t * a->top + 1) * a->n * trial_size(a->xt));

	kern_combine_dx(k, a->t, a->n, a->top, a->xt, a->d, a->y, a->idx, a->w, dy, out);
	mem_free(dy);
}

static void run_gated(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;

	kern_gated(k, a->t, a->n, a->xt, a->w, a->y, out);
}

static void run_gated_dy(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;
	float *dz = mem_try((a->t + 1) * sizeof *dz);

	kern_gated_dx(k, a->t, a->n, a->xt, a->w, a->y, a->d, out, dz);
	mem_free(dz);
}

static void run_gated_dz(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;
	void *dy = mem_try(((size_t)a->t + 1) * a->n * trial_size(a->xt));

	kern_gated_dx(k, a->t, a->n, a->xt, a->w, a->y, a->d, dy, out);
	mem_free(dy);
}

/* --- DoRA; TOP is the rank --- */

static void run_dora_norm(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;

	kern_dora_norm(k, a->n, a->top, 0.5f, a->col[0], a->d, a->d, a->w, out);
}

static void run_dora_scale(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;

	kern_dora_scale(k, a->t, a->n, a->d, a->col[1], a->col[2], a->flag ? a->col[3] : NULL, out, a->n + 3, a->flag ? DT_F32 : a->xt, a->flag);
}

static void run_dora_dsrc(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;
	float *gmag = mem_try((a->n + 1) * sizeof *gmag);

	kern_dora_scale_dx(k, a->t, a->n, a->xt, a->x, a->d, a->col[1], a->col[2], out, gmag);
	mem_free(gmag);
}

/* In place of dy, as training does it. */
static void run_dora_gmag(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;
	size_t bytes = (size_t)a->t * a->n * trial_size(a->xt);
	void *dy = mem_try(bytes + 1);

	memcpy(dy, a->x, bytes);
	kern_dora_scale_dx(k, a->t, a->n, a->xt, dy, a->d, a->col[1], a->col[2], dy, out);
	mem_free(dy);
}

static void both(const struct args *a)
{
	size_t all = (size_t)a->t * a->top * a->n, own = (size_t)a->t * a->n, rows = (size_t)a->t * a->top;
	void *nans = trial_nans(all + rows * 5 + own + 3 * a->t + a->n + 1, DT_F32), *vals = trial_values(own + 3 * a->t + a->n, DT_F32, 1);
	struct args c = *a;

	trial("experts", run_gather, &c, nans, all, a->xt, 0);
	trial("experts", run_copy, &c, nans, rows * (a->n + 5), a->xt, 0);
	trial("experts", run_combine, &c, vals, own, DT_F32, 2e-6);
	trial("experts", run_combine_add, &c, vals, own, DT_F32, 2e-6);
	trial("experts", run_combine_dy, &c, nans, all, a->xt, trial_tol(a->xt, 1e-6));
	trial("experts", run_combine_dw, &c, nans, rows, DT_F32, 3e-6);
	trial("experts", run_gated, &c, vals, own, DT_F32, 1e-6);
	trial("experts", run_gated_dy, &c, nans, own, a->xt, trial_tol(a->xt, 1e-6));
	trial("experts", run_gated_dz, &c, nans, a->t, DT_F32, 3e-6);
	trial("experts", run_dora_scale, &c, nans, a->t * (a->n + 3), a->xt, trial_tol(a->xt, 1e-6));
	c.flag = true;
	trial("experts", run_dora_scale, &c, vals, own + 3 * a->t, DT_F32, 2e-6);
	trial("experts", run_dora_dsrc, &c, nans, own, a->xt, trial_tol(a->xt, 1e-6));
	trial("experts", run_dora_gmag, &c, vals, a->n, DT_F32, 3e-6);
	mem_free(nans);
	mem_free(vals);
}

static void rows(void)
{
	for (int v = 0; v < 2; v++)
		for (int i = 0; i < NSIZES; i++) {
			struct args a = make(sizes[i], act[v]);

			for (uint32_t c = 0; c < a.n; c++) {                   /* norms and squares are above 0, and the latter outweigh the rest */
				a.col[2][c] = 1.5f + a.col[2][c];
				a.col[0][c] = 40 + a.col[0][c];
			}
			both(&a);
			if (a.t >= 1) {
				void *nans = trial_nans(a.n, DT_F32);
				struct args d = make((const uint32_t[]){ 2 * a.top, a.n, a.top }, act[v]);

				memcpy(d.col[0], a.col[0], a.n * sizeof *d.col[0]);
				trial("experts", run_dora_norm, &d, nans, a.n, DT_F32, 1e-6);
				mem_free(nans);
				drop(&d);
			}
			drop(&a);
		}
	trial_lines("experts");
}

/* --- latent attention --- */

static void run_mla(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;
	size_t keys = (size_t)a->t * a->mla.heads * (a->mla.nope + a->mla.rope);

	kern_mla_keys(k, &a->mla, a->x, a->y, a->n, out, (char *)out + keys * trial_size(a->xt));
}

static void run_mla_dkv(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;
	size_t kv = (size_t)a->t * a->mla.heads * (a->mla.nope + a->mla.dv);

	kern_mla_keys_dx(k, &a->mla, a->x, a->y, out, (char *)out + kv * trial_size(a->xt), a->n);
}

static void latent(void)
{
	static const struct kern_mla shape[] = { { 1, 1, 1, 2, 1, 0 }, { 7, 3, 5, 6, 9, 0 }, { 33, 4, 16, 8, 16, 0 }, { 260, 16, 12, 20, 11, 0 }, { 0, 2, 2, 2, 2, 0 } };

	for (int v = 0; v < 2; v++)
		for (size_t i = 0; i < sizeof shape / sizeof *shape; i++) {
			struct args a = { .t = shape[i].t, .n = shape[i].rope + 3, .xt = act[v], .mla = shape[i] };
			size_t n = (size_t)a.t * (a.mla.heads * (a.mla.nope + a.mla.rope + a.mla.dv) + a.n);
			void *nans = trial_nans(n, DT_F32);

			a.mla.xt = a.xt;
			a.x = trial_values(n, a.xt, 1);
			a.y = trial_values(n, a.xt, 1);
			trial("mla_keys", run_mla, &a, nans, (size_t)a.t * a.mla.heads * (a.mla.nope + a.mla.rope + a.mla.dv), a.xt, 0);
			trial("mla_keys", run_mla_dkv, &a, nans, n - (size_t)a.t * a.mla.heads * a.mla.rope, a.xt, trial_tol(a.xt, 1e-6));
			mem_free(nans);
			mem_free(a.x);
			mem_free(a.y);
		}
	trial_lines("mla_keys");
}

/* --- choice; OUT: scores, experts (as floats), weights --- */

static void run_route(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;
	size_t scores = (size_t)a->t * a->route.experts, chosen = (size_t)a->t * a->route.top;
	uint32_t *who = mem_try((chosen + 1) * sizeof *who);
	float *o = out;

	memcpy(o, a->d, scores * sizeof *o);
	kern_route(k, &a->route, o, who, o + scores);
	for (size_t i = 0; i < chosen; i++)
		o[scores + chosen + i] = (float)who[i];
	mem_free(who);
}

static void run_route_dx(struct kern *k, void *ctx, void *out)
{
	struct args *a = ctx;

	kern_route_dx(k, &a->route, a->col[0], a->idx, a->w, out);
}

static void routes(void)
{
	static const struct kern_route shape[] = {                     /* t, experts, top, groups, topg, sigmoid, pair, norm, scale */
		{ 1, 2, 1, 1, 1, false, false, false, 1, NULL }, { 40, 8, 2, 1, 1, false, false, true, 1, NULL }, { 300, 60, 6, 1, 1, false, false, false, 2.5f, NULL },
		{ 90, 64, 8, 8, 3, true, true, true, 2.5f, NULL }, { 33, 20, 3, 4, 2, false, false, true, 1, NULL }, { 0, 4, 2, 1, 1, true, false, true, 1, NULL } };

	for (size_t i = 0; i < sizeof shape / sizeof *shape; i++) {
		struct args a = { .t = shape[i].t, .route = shape[i] };
		size_t scores = (size_t)a.t * a.route.experts, chosen = (size_t)a.t * a.route.top;
		void *nans = trial_nans(scores + 2 * chosen, DT_F32);
		float *bias = trial_values(a.route.experts, DT_F32, 0.3f);

		a.route.bias = a.route.sigmoid ? bias : NULL;
		a.d = trial_values(scores, DT_F32, 3);
		a.w = trial_values(chosen, DT_F32, 1);
		a.col[0] = mem_try(scores * sizeof(float) + 1);
		a.idx = mem_try(chosen * sizeof *a.idx + 1);
		trial("route", run_route, &a, nans, scores + 2 * chosen, DT_F32, 2e-6);
		memcpy(a.col[0], a.d, scores * sizeof(float));
		kern_route(trial_ref, &a.route, a.col[0], a.idx, (float *)nans);
		trial("route", run_route_dx, &a, a.d, scores, DT_F32, 1e-6);
		mem_free(nans);
		mem_free(bias);
		mem_free(a.d);
		mem_free(a.w);
		mem_free(a.col[0]);
		mem_free(a.idx);
	}
	trial_lines("route");
}

int main(int argc, char **argv)
{
	trial_open(argc, argv);
	rows();
	latent();
	routes();
	trial_close();
	return test_end();
}
