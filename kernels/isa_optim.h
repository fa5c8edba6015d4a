/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ISA_OPTIM_H
#define SFT_ISA_OPTIM_H
/* The optimisers. */
#include "isa_rows.h"

/* --- AdamW --- */

struct adam {
	size_t n;
	float *p, *m, *v;
	const float *g;
	float keep, b1, nb1, b2, nb2, gscale, step, ic2, eps;   /* step: lr / c1; ic2: 1 / c2 */
};

static void adamw_task(void *ctx, uint32_t task, int thread)
{
	const struct adam *a = ctx;
	size_t past = (task + 1) * (size_t)SPAN < a->n ? (task + 1) * (size_t)SPAN : a->n;

	(void)thread;
	for (size_t i = task * (size_t)SPAN; i < past; i += VW) {
		unsigned c = lanes(past - i);
		vf g = vf_get(a->g + i, c) * vf_set(a->gscale);
		vf m = vf_fma(vf_get(a->m + i, c), vf_set(a->b1), g * vf_set(a->nb1));
		vf v = vf_fma(vf_get(a->v + i, c), vf_set(a->b2), g * g * vf_set(a->nb2));
		vf d = vf_sqrt(v * vf_set(a->ic2)) + vf_set(a->eps);

		vf_put(a->m + i, m, c);
		vf_put(a->v + i, v, c);
		vf_put(a->p + i, vf_get(a->p + i, c) * vf_set(a->keep) - vf_set(a->step) * m / d, c);
	}
}

static void adamw(struct kern *k, size_t n, const struct kern_adamw *w, float *p, const float *g, float *m, float *v)
{
	struct adam a = { n, p, m, v, g, (float)(1 - (double)w->lr * w->decay), w->beta1, (float)(1 - (double)w->beta1), w->beta2,
		(float)(1 - (double)w->beta2), w->gscale, (float)(w->lr / w->c1), (float)(1 / w->c2), w->eps };

	pool_run(k->pool, adamw_task, &a, tasks_of(n, SPAN));
}

/* --- SGD and Lion --- */

struct momentum {
	size_t n;
	float *p, *m;
	const float *g;
	float gscale, decay, keep, b1, nb1, b2, nb2, lr;   /* keep: 1 - lr * decay */
};

static void sgd_task(void *ctx, uint32_t task, int thread)
{
	const struct momentum *a = ctx;
	size_t past = (task + 1) * (size_t)SPAN < a->n ? (task + 1) * (size_t)SPAN : a->n;

	(void)thread;
	for (size_t i = task * (size_t)SPAN; i < past; i += VW) {
		unsigned c = lanes(past - i);
		vf p = vf_get(a->p + i, c), d = vf_fma(p, vf_set(a->decay), vf_get(a->g + i, c) * vf_set(a->gscale));

		if (a->b1 != 0)
			d = vf_fma(vf_get(a->m + i, c), vf_set(a->b1), d);
		vf_put(a->m + i, d, c);
		vf_put(a->p + i, p - vf_set(a->lr) * d, c);
	}
}

static void sgd(struct kern *k, size_t n, const struct kern_sgd *w, float *p, const float *g, float *m)
{
	struct momentum a = { .n = n, .p = p, .m = m, .g = g, .gscale = (float)w->gscale, .decay = (float)w->decay,
		.b1 = w->first ? 0 : (float)w->momentum, .lr = (float)w->lr };

	pool_run(k->pool, sgd_task, &a, tasks_of(n, SPAN));
}

static void lion_task(void *ctx, uint32_t task, int thread)
{
	const struct momentum *a = ctx;
	size_t past = (task + 1) * (size_t)SPAN < a->n ? (task + 1) * (size_t)SPAN : a->n;

	(void)thread;
	for (size_t i = task * (size_t)SPAN; i < past; i++) {
		float g = a->g[i] * a->gscale, c = a->b1 * a->m[i] + a->nb1 * g;

		a->p[i] = a->p[i] * a->keep - (c > 0 ? a->lr : c < 0 ? -a->lr : 0);
		a->m[i] = a->b2 * a->m[i] + a->nb2 * g;
	}
}

static void lion(struct kern *k, size_t n, const struct kern_lion *w, float *p, const float *g, float *m)
{
	struct momentum a = { .n = n, .p = p, .m = m, .g = g, .gscale = (float)w->gscale, .keep = (float)(1 - w->lr * w->decay), .b1 = (float)w->beta1,
		.nb1 = (float)(1 - w->beta1), .b2 = (float)w->beta2, .nb2 = (float)(1 - w->beta2), .lr = (float)w->lr };

	pool_run(k->pool, lion_task, &a, tasks_of(n, SPAN));
}

/* --- Adafactor --- */

struct factored {
	uint32_t rows, cols, per;      /* per: rows of a task */
	const struct kern_adafactor *a;
	float *p, *row, *col, *by;     /* by [cols]: 1 / sqrt(col) */
	const float *g;
	double *sum;                   /* [rows] */
	double mean, shrink;
	bool apply;
};

/* Row means, rows of a task. */
static void factor_rows_task(void *ctx, uint32_t task, int thread)
{
	const struct factored *f = ctx;
	uint32_t past = (task + 1) * f->per < f->rows ? (task + 1) * f->per : f->rows;
	double s = f->a->gscale * f->a->gscale;

	(void)thread;
	for (uint32_t i = task * f->per; i < past; i++) {
		double sq = s * square_sum(f->g, DT_F32, (size_t)i * f->cols, f->cols) / f->cols + f->a->eps;

		f->row[i] = (float)(f->a->beta2 * f->row[i] + (1 - f->a->beta2) * sq);
	}
}

/* Column means, COLS columns: sums of 256 rows in f32, those in double. */
static void factor_cols_task(void *ctx, uint32_t task, int thread)
{
	const struct factored *f = ctx;
	uint32_t j0 = task * COLS, n = f->cols - j0 < COLS ? f->cols - j0 : COLS;
	double total[COLS] = {0};
	float part[COLS];

	(void)thread;
	for (uint32_t i0 = 0; i0 < f->rows; i0 += 256) {
		memset(part, 0, sizeof part);
		for (uint32_t i = i0; i < f->rows && i < i0 + 256; i++) {
			const float *g = f->g + (size_t)i * f->cols + j0;

			for (uint32_t j = 0; j < n; j++)
				part[j] += g[j] * g[j];
		}
		for (uint32_t j = 0; j < n; j++)
			total[j] += (double)part[j];
	}
	for (uint32_t j = 0; j < n; j++) {
		double sq = f->a->gscale * f->a->gscale * total[j] / f->rows + f->a->eps;

		f->col[j0 + j] = (float)(f->a->beta2 * f->col[j0 + j] + (1 - f->a->beta2) * sq);
		f->by[j0 + j] = (float)(1 / sqrt((double)f->col[j0 + j]));
	}
}

/* The squares of the update, or the update itself. */
static void factor_update_task(void *ctx, uint32_t task, int thread)
{
	const struct factored *f = ctx;
	uint32_t past = (task + 1) * f->per < f->rows ? (task + 1) * f->per : f->rows;
	vf keep = vf_set((float)(1 - f->a->lr * f->a->decay));

	(void)thread;
	for (uint32_t i = task * f->per; i < past; i++) {
		size_t at = (size_t)i * f->cols;
		double by_row = f->a->gscale * (f->rows > 1 ? 1 / sqrt(f->row[i] / f->mean) : 1);
		vf scale = vf_set((float)(f->apply ? by_row * f->a->lr / f->shrink : by_row)), sum = vf_set(0);

		for (uint32_t j = 0; j < f->cols; j += VW) {
			unsigned c = lanes(f->cols - j);
			vf u = vf_get(f->g + at + j, c) * vf_get(f->by + j, c) * scale;

			if (f->apply)
				vf_put(f->p + at + j, vf_get(f->p + at + j, c) * keep - u, c);
			else
				sum = vf_fma(u, u, sum);
		}
		if (!f->apply)
			f->sum[i] = (double)vf_hsum(sum);
	}
}

static void adafactor(struct kern *k, uint32_t rows, uint32_t cols, const struct kern_adafactor *a, float *p, const float *g, float *row, float *col)
{
	struct factored f = { .rows = rows, .cols = cols, .per = rows_per_task(cols), .a = a, .p = p, .g = g, .row = row, .col = col };
	double squares = 0;

	if (rows == 0 || cols == 0)
		return;
	f.sum = kern_scratch(k, rows * sizeof *f.sum + cols * sizeof *f.by);
	f.by = (float *)(f.sum + rows);
	if (rows > 1)
		pool_run(k->pool, factor_rows_task, &f, tasks_of(rows, f.per));
	pool_run(k->pool, factor_cols_task, &f, tasks_of(cols, COLS));
	for (uint32_t i = 0; rows > 1 && i < rows; i++)
		f.mean += (double)row[i] / rows;
	pool_run(k->pool, factor_update_task, &f, tasks_of(rows, f.per));
	for (uint32_t i = 0; i < rows; i++)
		squares += f.sum[i];
	f.shrink = sqrt(squares / ((double)rows * cols)) / a->threshold;
	f.shrink = f.shrink > 1 ? f.shrink : 1;
	f.apply = true;
	pool_run(k->pool, factor_update_task, &f, tasks_of(rows, f.per));
}

#endif
