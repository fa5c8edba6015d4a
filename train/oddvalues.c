/* SPDX-License-Identifier: Apache-2.0 */
#include "oddvalues.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "mem.h"

static uint64_t count(const float *v, size_t n)
{
	uint64_t odd = 0;

	for (size_t i = 0; i < n; i++)
		odd += !isfinite(v[i]);
	return odd;
}

enum { TASK = 1 << 16 };               /* values of one task */

struct scan {
	struct kmat m;
	uint32_t step;                 /* rows of one task */
	float *room;                   /* a row for each thread */
	_Atomic uint64_t odd;
};

static void scan_rows(void *ctx, uint32_t task, int thread)
{
	struct scan *s = ctx;
	float *row = s->room + (size_t)thread * s->m.cols;
	uint64_t odd = 0;

	for (uint32_t r = task * s->step; r < s->m.rows && r / s->step == task; r++) {
		kmat_values(&s->m, r, 0, s->m.cols, row);
		odd += count(row, s->m.cols);
	}
	s->odd += odd;
}

static uint64_t in_matrix(const struct weight *w, struct pool *pool)
{
	struct scan s = { .m = weight_mat(w), .step = w->cols >= TASK ? 1 : TASK / w->cols };

	s.room = mem_grow(NULL, (size_t)pool_size(pool) * w->cols, sizeof *s.room);
	pool_run(pool, scan_rows, &s, (w->rows + s.step - 1) / s.step);
	mem_free(s.room);
	return s.odd;
}

void odd_values(const struct weights *w, bool all, struct pool *pool, struct odd_values *o)
{
	memset(o, 0, sizeof *o);
	for (size_t i = 0; i < place_count(&w->cfg); i++) {
		const struct weight *x = &w->w[i];
		struct place at = place_at(&w->cfg, i);
		uint64_t n = x->p == NULL ? 0 : x->f32 ? count(x->f32, x->cols) : all ? in_matrix(x, pool) : 0;

		if (n && o->n == 0) {
			if (w->from_gguf)
				param_gguf_name(at.p, at.layer, o->first);
			else
				param_hf_name(&w->cfg, at.p, at.layer, at.expert, o->first);
		}
		o->n += n;
	}
}

void odd_values_warn(const struct weights *w, struct pool *pool, const struct tool *t)
{
	struct odd_values o;

	odd_values(w, t->verbose, pool, &o);
	if (o.n)
		tool_warn(t, "%s: %llu weights are NaN or infinite, the first in '%s'", w->path, (unsigned long long)o.n, o.first);
	else
		tool_note(t, "%s: no weight is NaN or infinite", w->path);
}
