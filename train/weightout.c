/* SPDX-License-Identifier: Apache-2.0 */
#include "weightout.h"

#include <stdatomic.h>
#include <string.h>

#include "mem.h"

enum { BAND = 1 << 20, TASK = 1 << 15 };           /* values in memory at a time; values of one task */

int weightout_open(struct weightout *o, const struct weights *w, const struct weight_values *v, struct pool *pool, struct err *e)
{
	size_t widest = BAND;

	for (size_t i = 0; i < place_count(&w->cfg); i++)
		widest = w->w[i].cols > widest ? w->w[i].cols : widest;
	*o = (struct weightout){ .w = w, .v = v, .pool = pool, .f32 = mem_try(widest * sizeof(float)), .out = mem_try(widest * sizeof(float)) };
	if (o->f32 && o->out)
		return 0;
	weightout_release(o);
	return err_set(e, SFT_SYSTEM, "no memory for a band of %zu values", widest);
}

void weightout_release(struct weightout *o)
{
	mem_free(o->f32);
	mem_free(o->out);
	memset(o, 0, sizeof *o);
}

bool weightout_changed(const struct weightout *o, size_t place)
{
	return o->v && o->v->changed(o->v->ctx, place);
}

void weightout_rows(const struct weightout *o, size_t place, uint32_t first, uint32_t n, float *out)
{
	const struct kmat mat = weight_mat(&o->w->w[place]);

	if (weightout_changed(o, place))
		o->v->rows(o->v->ctx, place, first, n, out);
	else
		for (uint32_t i = 0; i < n; i++)
			kmat_values(&mat, first + i, 0, mat.cols, out + (size_t)i * mat.cols);
}

struct band {
	const struct weightout *o;
	const struct weight *w;
	const struct weight_form *form;
	size_t   place, bytes;         /* bytes of a row of the file */
	bool     same;                 /* rows are moved, not converted */
	uint32_t first, n, step;       /* rows of the band, rows of a task */
	atomic_bool lost;              /* some value does not fit the type */
};

static size_t row_bytes(const struct weight *w, enum dtype type)
{
	return (size_t)w->cols / dtype_block(type) * dtype_bytes(type);
}

/* Rotated pairs, ours half a head apart, are neighbours there. */
uint32_t weight_pair_row(uint32_t d, uint32_t r)
{
	uint32_t in = d ? r % d : 0;

	return r - in + in / 2 + (in % 2 ? d / 2 : 0);
}

static void convert(struct band *b, uint32_t at, uint32_t n)
{
	float *f32 = b->o->f32 + (size_t)at * b->w->cols;

	if (!b->form->pairs)
		weightout_rows(b->o, b->place, b->first + at, n, f32);
	for (uint32_t i = 0; b->form->pairs && i < n; i++)
		weightout_rows(b->o, b->place, weight_pair_row(b->form->pairs, b->first + at + i), 1, f32 + (size_t)i * b->w->cols);
	if (dtype_from_f32(b->form->type, f32, (char *)b->o->out + at * b->bytes, (size_t)n * b->w->cols) < 0)
		b->lost = true;
}

static void task(void *ctx, uint32_t i, int thread)
{
	struct band *b = ctx;
	uint32_t at = i * b->step, n = b->n - at < b->step ? b->n - at : b->step;

	(void)thread;
	if (!b->same)
		convert(b, at, n);
	for (uint32_t k = at; b->same && k < at + n; k++)
		memcpy((char *)b->o->out + k * b->bytes, (const char *)b->w->p + weight_pair_row(b->form->pairs, b->first + k) * b->bytes, b->bytes);
}

int weightout_put(struct weightout *o, size_t place, const struct weight_form *form, struct outfile *f, struct err *e)
{
	const struct weight *w = &o->w->w[place];
	uint32_t rows = w->cols >= BAND ? 1 : BAND / w->cols;
	struct band b = { .o = o, .w = w, .form = form, .place = place, .bytes = row_bytes(w, form->type), .step = w->cols >= TASK ? 1 : TASK / w->cols };
	int rc = 0;

	b.same = !weightout_changed(o, place) && form->type == w->type;
	if (b.same && !form->pairs)
		return out_write(f, w->p, b.bytes * w->rows, e);
	for (; rc == 0 && b.first < w->rows; b.first += b.n) {
		b.n = w->rows - b.first < rows ? w->rows - b.first : rows;
		pool_run(o->pool, task, &b, (b.n + b.step - 1) / b.step);
		if (b.lost)
			return err_set(e, SFT_BADDATA, "tensor '%s' has values that %s cannot hold (expected a type with a wider range: bf16 or f32)",
			               form->name, dtype_name(form->type));
		rc = out_write(f, o->out, b.n * b.bytes, e);
	}
	return rc;
}
