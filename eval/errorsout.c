/* SPDX-License-Identifier: Apache-2.0 */
#include "errorsout.h"

#include <math.h>
#include <string.h>

#include "csvline.h"
#include "stats.h"
#include "textable.h"

static double rate(uint64_t wrong, uint64_t n)
{
	return n ? (double)wrong / (double)n : NAN;
}

void errors_name(const struct error_table *t, const struct error_slice *x, struct buf *to)
{
	const char *dim = slicer_dim(t->s, x->dim);

	if (slicer_is_pattern(t->s, x->dim)) {
		buf_str(to, dim);
		return;
	}
	if (strcmp(dim, "slice") != 0 && slicer_dims(t->s) > 1) {
		buf_str(to, dim);
		buf_ch(to, '=');
	}
	buf_add(to, x->value, x->nvalue);
}

/* --- JSON --- */

static void optional(struct jw *w, const char *key, const char *text)
{
	if (text == NULL)
		return;
	jw_key(w, key);
	jw_str(w, text);
}

static void examples_json(const struct error_slice *x, struct jw *w)
{
	jw_key(w, "examples");
	jw_arr(w);
	for (size_t k = 0; k < x->nexamples; k++) {
		const struct error_example *ex = &x->example[k];

		jw_obj(w);
		jw_key(w, "id");
		if (ex->id)
			jw_str(w, ex->id);
		else
			jw_uint(w, ex->num);
		optional(w, "input", ex->input);
		optional(w, "reference", ex->reference);
		optional(w, "prediction", ex->prediction);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

static void slice_json(const struct error_table *t, const struct error_slice *x, struct buf *name, struct jw *w)
{
	double lo, hi;

	name->n = 0;
	errors_name(t, x, name);
	stats_wilson((double)x->wrong, (double)x->n, &lo, &hi);
	jw_obj(w);
	jw_key(w, "slice");
	jw_strn(w, name->p, name->n);
	jw_key(w, "by");
	jw_str(w, slicer_dim(t->s, x->dim));
	if (!slicer_is_pattern(t->s, x->dim)) {
		jw_key(w, "value");
		jw_strn(w, x->value, x->nvalue);
	}
	jw_key(w, "n");
	jw_uint(w, x->n);
	jw_key(w, "errors");
	jw_uint(w, x->wrong);
	jw_key(w, "error_rate");
	jw_double(w, rate(x->wrong, x->n));
	jw_key(w, "error_rate_ci");
	jw_arr(w);
	jw_double(w, lo);
	jw_double(w, hi);
	jw_arr_end(w);
	jw_key(w, "excess");
	jw_double(w, x->excess);
	jw_key(w, "p_value");
	jw_double(w, x->p);
	jw_key(w, "p_holm");
	jw_double(w, x->p_holm);
	if (isnan(x->p)) {
		jw_key(w, "reason");
		jw_str(w, "fewer items than --min-items: not tested");
	}
	examples_json(x, w);
	jw_obj_end(w);
}

void errors_json(const struct error_table *t, const struct errors_view *v, struct buf *out)
{
	struct buf name = { 0 };
	struct jw w;

	jw_init(&w, out);
	jw_obj(&w);
	tool_schema_json(&w, "sft.errors/1");
	jw_key(&w, "failure");
	jw_str(&w, v->failure);
	jw_key(&w, "n");
	jw_uint(&w, t->n);
	jw_key(&w, "errors");
	jw_uint(&w, t->wrong);
	jw_key(&w, "error_rate");
	jw_double(&w, rate(t->wrong, t->n));
	jw_key(&w, "slices");
	jw_arr(&w);
	for (size_t k = 0; k < t->nslices; k++)
		slice_json(t, &t->slice[k], &name, &w);
	jw_arr_end(&w);
	jw_key(&w, "skipped");
	jw_arr(&w);
	for (size_t k = 0; k < t->nskips; k++) {
		jw_obj(&w);
		jw_key(&w, "by");
		jw_str(&w, slicer_dim(t->s, t->skip[k].dim));
		jw_key(&w, "reason");
		jw_str(&w, t->skip[k].reason);
		jw_obj_end(&w);
	}
	jw_arr_end(&w);
	jw_obj_end(&w);
	buf_ch(out, '\n');
	buf_free(&name);
}

/* --- CSV --- */

void errors_csv(const struct error_table *t, struct buf *out)
{
	static const char *const head[] = { "slice", "by", "value", "n", "errors", "error_rate", "low", "high", "excess", "p_value", "p_holm" };
	struct csvline c = { out, false };
	struct buf name = { 0 };
	double lo, hi;

	csv_head(&c, head, sizeof head / sizeof *head);
	for (size_t k = 0; k < t->nslices; k++) {
		const struct error_slice *x = &t->slice[k];

		name.n = 0;
		errors_name(t, x, &name);
		stats_wilson((double)x->wrong, (double)x->n, &lo, &hi);
		csv_text(&c, name.p, name.n);
		csv_str(&c, slicer_dim(t->s, x->dim));
		csv_text(&c, x->value, x->nvalue);
		csv_uint(&c, x->n);
		csv_uint(&c, x->wrong);
		csv_real(&c, rate(x->wrong, x->n));
		csv_real(&c, lo);
		csv_real(&c, hi);
		csv_real(&c, x->excess);
		csv_real(&c, x->p);
		csv_real(&c, x->p_holm);
		csv_end(&c);
	}
	buf_free(&name);
}

/* --- text --- */

static void p_cell(struct textable *t, double p)
{
	if (p < 0.0001)
		textable_cell(t, "<0.0001");
	else
		textable_number(t, "%.4f", p);
}

static void slices_text(const struct error_table *t, size_t top, struct buf *out)
{
	static const char *const head[] = { "slice", "n", "wrong", "rate", "95%", "excess", "p", "p (Holm)" };
	struct textable x = { 0 };
	struct buf name = { 0 };
	double lo, hi;

	for (size_t k = 0; k < sizeof head / sizeof *head; k++)
		textable_head(&x, head[k], k != 0);
	for (size_t k = 0; k < t->nslices && k < top; k++) {
		const struct error_slice *s = &t->slice[k];

		name.n = 0;
		errors_name(t, s, &name);
		stats_wilson((double)s->wrong, (double)s->n, &lo, &hi);
		textable_cell(&x, "%s", name.p);
		textable_cell(&x, "%llu", (unsigned long long)s->n);
		textable_cell(&x, "%llu", (unsigned long long)s->wrong);
		textable_cell(&x, "%.1f%%", 100 * rate(s->wrong, s->n));
		textable_cell(&x, "%.1f..%.1f%%", 100 * lo, 100 * hi);
		textable_cell(&x, "%+.1f", s->excess);
		p_cell(&x, s->p);
		p_cell(&x, s->p_holm);
		textable_row(&x);
	}
	textable_print(&x, out);
	if (t->nslices > top)
		buf_fmt(out, "... and %zu more (--top, --json)\n", t->nslices - top);
	textable_free(&x);
	buf_free(&name);
}

/* Examples of the slices shown that fail more often than the average. */
static void examples_text(const struct error_table *t, size_t top, struct buf *out)
{
	struct textable x = { 0 };
	struct buf name = { 0 };

	textable_head(&x, "failures in", false);
	textable_head(&x, "item", false);
	textable_head(&x, "input", false);
	textable_head(&x, "reference", false);
	textable_head(&x, "prediction", false);
	for (size_t k = 0; k < t->nslices && k < top && t->slice[k].excess > 0; k++)
		for (size_t i = 0; i < t->slice[k].nexamples; i++) {
			const struct error_example *ex = &t->slice[k].example[i];

			name.n = 0;
			errors_name(t, &t->slice[k], &name);
			textable_cell(&x, "%s", i ? "" : name.p);
			if (ex->id)
				textable_cell(&x, "%.40s", ex->id);
			else
				textable_cell(&x, "%llu", (unsigned long long)ex->num);
			textable_clip(&x, ex->input ? ex->input : "", 48);
			textable_clip(&x, ex->reference, 32);
			textable_clip(&x, ex->prediction, 32);
			textable_row(&x);
		}
	if (x.ncells > x.ncols) {
		buf_ch(out, '\n');
		textable_print(&x, out);
	}
	textable_free(&x);
	buf_free(&name);
}

void errors_text(const struct error_table *t, const struct errors_view *v, struct buf *out)
{
	buf_fmt(out, "%llu of %llu items wrong, %.1f%% (", (unsigned long long)t->wrong, (unsigned long long)t->n, 100 * rate(t->wrong, t->n));
	buf_str(out, v->failure);
	buf_str(out, ")\n");
	for (size_t k = 0; k < t->nskips; k++) {
		buf_str(out, "not sliced by ");
		buf_str(out, slicer_dim(t->s, t->skip[k].dim));
		buf_fmt(out, ": %s\n", t->skip[k].reason);
	}
	if (t->nslices == 0)
		return;
	buf_ch(out, '\n');
	slices_text(t, v->top, out);
	examples_text(t, v->top, out);
}
