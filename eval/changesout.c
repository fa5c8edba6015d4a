/* SPDX-License-Identifier: Apache-2.0 */
#include "changesout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "csvline.h"
#include "json.h"
#include "textable.h"
#include "tool.h"

enum { TOP = 10 };

static void key_str(struct jw *w, const char *key, const char *v)   { jw_key(w, key); jw_str(w, v); }
static void key_real(struct jw *w, const char *key, double v)       { jw_key(w, key); jw_double(w, v); }
static void key_uint(struct jw *w, const char *key, uint64_t v)     { jw_key(w, key); jw_uint(w, v); }

static double share(const struct changes *c, double square)
{
	return c->square > 0 ? square / c->square : 0;
}

static void matrix_json(const struct changes *c, const struct change *x, struct jw *w)
{
	jw_obj(w);
	jw_key(w, "layer");
	if (x->layer == UINT32_MAX)
		jw_null(w);
	else
		jw_uint(w, x->layer);
	key_str(w, "matrix", x->name);
	if (x->p >= P_EGATE)
		key_uint(w, "expert", x->expert);
	key_real(w, "norm", sqrt(x->square));
	key_real(w, "share", share(c, x->square));
	if (x->nheads) {
		jw_key(w, "heads");
		jw_arr(w);
		for (uint32_t h = 0; h < x->nheads; h++)
			jw_double(w, sqrt(x->head[h]));
		jw_arr_end(w);
	}
	jw_obj_end(w);
}

void changes_json(const struct changes *c, struct buf *out)
{
	struct jw w;

	jw_init(&w, out);
	jw_obj(&w);
	tool_schema_json(&w, "sft.changes/1");
	key_str(&w, "path", c->path);
	key_str(&w, "base", c->base);
	key_str(&w, "method", c->method);
	key_uint(&w, "layers", c->layers);
	key_uint(&w, "heads", c->heads);
	key_uint(&w, "kv_heads", c->kv_heads);
	key_real(&w, "norm", sqrt(c->square));
	key_real(&w, "share_in_heads", share(c, c->in_heads));
	jw_key(&w, "matrices");
	jw_arr(&w);
	for (size_t k = 0; k < c->n; k++)
		matrix_json(c, &c->v[k], &w);
	jw_arr_end(&w);
	jw_key(&w, "head_share");               /* [layer][head], of what is in heads */
	jw_arr(&w);
	for (uint32_t l = 0; l < c->layers; l++) {
		jw_arr(&w);
		for (uint32_t h = 0; h < c->heads; h++)
			jw_double(&w, c->in_heads > 0 ? c->head[(size_t)l * c->heads + h] / c->in_heads : 0);
		jw_arr_end(&w);
	}
	jw_arr_end(&w);
	jw_obj_end(&w);
	buf_ch(out, '\n');
}

/* --- the table --- */

/* Squares by layer (the last row: of the model as a whole) and kind of matrix, experts together; -1 where there is none. */
struct grid {
	enum param kind[P_COUNT];       /* in the order of the changes */
	const char *name[P_COUNT];
	size_t n;
	double (*square)[P_COUNT];
};

static void grid_init(struct grid *g, const struct changes *c)
{
	memset(g, 0, sizeof *g);
	g->square = mem_grow(NULL, c->layers + 1, sizeof *g->square);
	for (size_t i = 0; i <= c->layers; i++)
		for (int k = 0; k < P_COUNT; k++)
			g->square[i][k] = -1;
	for (size_t i = 0; i < c->n; i++) {
		const struct change *x = &c->v[i];
		double *to = &g->square[x->layer == UINT32_MAX ? c->layers : x->layer][x->p];
		size_t k = 0;

		*to = (*to < 0 ? 0 : *to) + x->square;
		while (k < g->n && g->kind[k] != x->p)
			k++;
		g->kind[k] = x->p;
		g->name[k] = x->name;
		g->n += k == g->n;
	}
}

static void row(const struct changes *c, const struct grid *g, uint32_t layer, struct textable *t)
{
	double all = 0;

	for (size_t k = 0; k < g->n; k++)
		all += fmax(g->square[layer][g->kind[k]], 0);
	if (all == 0)
		return;
	if (layer == c->layers)
		textable_cell(t, "model");
	else
		textable_cell(t, "%u", layer);
	for (size_t k = 0; k < g->n; k++) {
		double v = g->square[layer][g->kind[k]];

		textable_number(t, "%.4g", v < 0 ? NAN : sqrt(v));
	}
	textable_cell(t, "%.4g", sqrt(all));
	textable_cell(t, "%.1f%%", 100 * share(c, all));
	textable_row(t);
}

struct ranked {
	size_t at;
	double square;
};

static int most_first(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->square != y->square)
		return x->square < y->square ? 1 : -1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static void heads_text(const struct changes *c, struct buf *out)
{
	size_t n = (size_t)c->layers * c->heads;
	struct ranked *r = mem_new((n + 1) * sizeof *r);
	struct textable t = { 0 };

	for (size_t i = 0; i < n; i++)
		r[i] = (struct ranked){ i, c->head[i] };
	qsort(r, n, sizeof *r, most_first);
	textable_head(&t, "layer", true);
	textable_head(&t, "head", true);
	textable_head(&t, "share", true);
	for (size_t i = 0; i < n && i < TOP && r[i].square > 0; i++) {
		textable_cell(&t, "%zu", r[i].at / c->heads);
		textable_cell(&t, "%zu", r[i].at % c->heads);
		textable_cell(&t, "%.2f%%", 100 * r[i].square / c->in_heads);
		textable_row(&t);
	}
	buf_fmt(out, "\nattention heads with the largest parts of what lies in heads (1 of %zu evenly: %.2f%%)\n", n, 100.0 / (double)n);
	textable_print(&t, out);
	textable_free(&t);
	mem_free(r);
}

void changes_text(const struct changes *c, struct buf *out)
{
	struct textable t = { 0 };      /* no model has more kinds of matrices than it has columns */
	struct grid g;

	buf_fmt(out, "%s: norm of the update %.4g, %.1f%% of its square in attention heads\n\n", c->method, sqrt(c->square), 100 * share(c, c->in_heads));
	grid_init(&g, c);
	textable_head(&t, "layer", true);
	for (size_t k = 0; k < g.n; k++)
		textable_head(&t, g.name[k], true);
	textable_head(&t, "norm", true);
	textable_head(&t, "share", true);
	for (uint32_t l = 0; l <= c->layers; l++)
		row(c, &g, l, &t);
	mem_free(g.square);
	textable_print(&t, out);
	textable_free(&t);
	if (c->in_heads > 0)
		heads_text(c, out);
}

/* --- CSV --- */

static void csv_row(const struct changes *c, const struct change *x, uint32_t head, struct csvline *l)
{
	double square = head == UINT32_MAX ? x->square : x->head[head];

	if (x->layer == UINT32_MAX)
		csv_str(l, NULL);
	else
		csv_uint(l, x->layer);
	csv_str(l, x->name);
	if (x->p >= P_EGATE)
		csv_uint(l, x->expert);
	else
		csv_str(l, NULL);
	if (head == UINT32_MAX)
		csv_str(l, NULL);
	else
		csv_uint(l, head);
	csv_real(l, sqrt(square));
	csv_real(l, share(c, square));
	csv_end(l);
}

void changes_csv(const struct changes *c, struct buf *out)
{
	static const char *const head[] = { "layer", "matrix", "expert", "head", "norm", "share" };
	struct csvline l = { out, false };

	csv_head(&l, head, sizeof head / sizeof *head);
	for (size_t k = 0; k < c->n; k++) {
		csv_row(c, &c->v[k], UINT32_MAX, &l);
		for (uint32_t h = 0; h < c->v[k].nheads; h++)
			csv_row(c, &c->v[k], h, &l);
	}
}
