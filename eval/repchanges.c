/* SPDX-License-Identifier: Apache-2.0 */
/* What training changed: the update's norm by layer and matrix, and the part of each attention head. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "changesout.h"
#include "figures.h"
#include "report.h"
#include "svgheat.h"

/* A table of numbers with names: NaN where there is none. */
struct table {
	struct heat_name *row, *col;
	size_t nrows, ncols;
	double *v, *shade;
	char (*label)[24];              /* what the names of rows, then of columns point to */
};

int report_changes_of(struct report *r, const char *path, const struct json **doc, struct err *e)
{
	struct pool *pool = pool_open((int)r->t->threads);
	struct changes c;
	struct buf text = { 0 };
	char *kept;
	int rc = changes_measure(&c, path, r->o->model, pool, e);

	pool_close(pool);
	if (rc)
		return rc;
	changes_json(&c, &text);
	changes_free(&c);
	kept = arena_str(&r->arena, text.p, text.n);
	buf_free(&text);
	return json_parse(r->parser, &r->arena, kept, strlen(kept), doc, e);
}

/* --- tables --- */

static void table_room(struct table *t, size_t rows, size_t cols)
{
	*t = (struct table){ .row = mem_new((rows + 1) * sizeof *t->row), .col = mem_new((cols + 1) * sizeof *t->col) };
	t->v = mem_grow(NULL, rows * cols + 1, sizeof *t->v);
	t->shade = mem_grow(NULL, rows * cols + 1, sizeof *t->shade);
	t->label = mem_new((rows + cols + 1) * sizeof *t->label);
	for (size_t k = 0; k < rows * cols; k++)
		t->v[k] = NAN;
}

static void table_free(struct table *t)
{
	mem_free(t->row);
	mem_free(t->col);
	mem_free(t->v);
	mem_free(t->shade);
	mem_free(t->label);
}

static struct heat_name numbered(struct table *t, size_t at, size_t k)
{
	snprintf(t->label[at], sizeof *t->label, "%zu", k);
	return (struct heat_name){ t->label[at], strlen(t->label[at]) };
}

/* The darkest is the largest. */
static void put_shades(struct table *t)
{
	double most = 0;

	for (size_t k = 0; k < t->nrows * t->ncols; k++)
		most = t->v[k] > most ? t->v[k] : most;
	for (size_t k = 0; k < t->nrows * t->ncols; k++)
		t->shade[k] = most > 0 ? t->v[k] / most : 0;
}

static size_t layers_of(const struct json *doc)
{
	double v = figures_number(doc, "layers");

	return v >= 1 && v <= 4096 ? (size_t)v : 0;
}

static size_t column_of(struct table *t, const struct json *name, size_t most)
{
	size_t k = 0;

	while (k < t->ncols && (t->col[k].n != name->n || memcmp(t->col[k].p, name->s, name->n) != 0))
		k++;
	if (k == t->ncols && k < most)
		t->col[t->ncols++] = (struct heat_name){ name->s, name->n };
	return k;
}

/* Norms by layer and matrix; the last row, where there is any, is the model's own. */
static void matrices(struct table *t, const struct json *doc)
{
	enum { MOST = 32 };
	const struct json *list = figures_list(doc, "matrices");
	size_t layers = layers_of(doc);
	bool own = false;

	table_room(t, layers + 1, MOST);
	for (size_t i = 0; i < list->n; i++) {
		const struct json *x = &list->item[i];
		double layer = figures_number(x, "layer"), norm = figures_number(x, "norm");
		size_t at = isnan(layer) ? layers : (size_t)fmin(fmax(layer, 0), (double)layers), k = column_of(t, figures_text(x, "matrix"), MOST);
		double *to = &t->v[at * MOST + k];

		if (k < MOST)
			*to = sqrt((isnan(*to) ? 0 : *to * *to) + norm * norm);
		own |= at == layers;
	}
	t->nrows = layers + own;
	for (size_t i = 0; i < t->nrows; i++) {
		memmove(t->v + i * t->ncols, t->v + i * MOST, t->ncols * sizeof *t->v);
		t->row[i] = i < layers ? numbered(t, i, i) : (struct heat_name){ "model", 5 };
	}
	put_shades(t);
}

/* Percent of what lies in heads, by layer and head. */
static void shares(struct table *t, const struct json *doc)
{
	const struct json *list = figures_list(doc, "head_share");
	size_t heads = list->n && list->item[0].type == JSON_ARR ? list->item[0].n : 0;

	table_room(t, list->n, heads);
	t->nrows = heads ? list->n : 0;
	t->ncols = heads;
	for (size_t i = 0; i < t->nrows; i++) {
		t->row[i] = numbered(t, i, i);
		for (size_t h = 0; h < heads && list->item[i].type == JSON_ARR && h < list->item[i].n; h++)
			t->v[i * heads + h] = 100 * json_double(&list->item[i].item[h]);
	}
	for (size_t h = 0; h < heads; h++)
		t->col[h] = numbered(t, t->nrows + h, h);
	put_shades(t);
}

/* --- drawing --- */

static void draw(struct page *p, const struct table *t, const char *title, const char *cols, const char *desc)
{
	struct heat_chart c = { .title = title, .rows = "Layer", .cols = cols, .desc = desc, .name = t->row, .n = t->nrows, .col = t->col,
				.ncols = t->ncols, .v = t->v, .shade = t->shade, .pairs = true, .places = -1 };

	page_figure(p, "%s", title);
	c.id = p->id;
	svg_heat(&p->body, &c);
	page_figure_end(p);
	page_details(p, "Table: %s", title);
	page_table(p, title);
	page_head(p, "Layer", false);
	for (size_t k = 0; k < t->ncols; k++) {
		struct buf name = { 0 };

		buf_add(&name, t->col[k].p, t->col[k].n);
		page_head(p, name.p, true);
		buf_free(&name);
	}
	for (size_t i = 0; i < t->nrows; i++) {
		page_row(p);
		page_cell_text(p, t->row[i].p, t->row[i].n);
		for (size_t k = 0; k < t->ncols; k++)
			if (isnan(t->v[i * t->ncols + k]))
				page_cell(p, true, "-");
			else
				page_cell(p, true, "%.3g", t->v[i * t->ncols + k]);
	}
	page_table_end(p);
	page_details_end(p);
}

static void one(struct report *r, const struct report_input *x, const struct json *doc, bool several)
{
	struct page *p = &r->page;
	double norm = figures_number(doc, "norm"), in_heads = figures_number(doc, "share_in_heads");
	const struct json *method = figures_text(doc, "method");
	struct table t;

	if (several)
		page_subheading(p, "%s", x->name);
	page_para(p, "muted", "%.*s: the norm of the whole update is %.4g; %.1f%% of its square lies in attention heads.", (int)(method->n < 20 ? method->n : 20),
		  method->s, norm, 100 * in_heads);
	matrices(&t, doc);
	if (t.nrows && t.ncols)
		draw(p, &t, "Norm of the update by layer and matrix", "Matrix", "A square for each matrix; the darker, the larger its update. The numbers stand in "
		     "the table below.");
	table_free(&t);
	shares(&t, doc);
	if (in_heads > 0 && t.nrows)
		draw(p, &t, "Share of each attention head in the update, percent", "Head", "A square for each head of each layer; the darker, the larger its part in "
		     "the update of the attention. The numbers stand in the table below.");
	table_free(&t);
}

void report_changes(struct report *r)
{
	size_t n = 0;

	for (size_t k = 0; k < r->n; k++)
		n += r->in[k].changes != NULL || r->in[k].why != NULL || r->in[k].kind == INPUT_CHANGES;
	if (n == 0)
		return;
	page_section(&r->page, "changes", "What training changed");
	for (size_t k = 0; k < r->n; k++) {
		const struct report_input *x = &r->in[k];

		if (x->why)
			page_para(&r->page, "muted", "%s: not shown, since %s", x->name, x->why);
		else if (x->changes || x->kind == INPUT_CHANGES)
			one(r, x, x->changes ? x->changes : x->doc, n > 1);
	}
}
