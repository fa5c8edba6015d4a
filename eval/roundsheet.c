/* SPDX-License-Identifier: Apache-2.0 */
#include "roundsheet.h"

#include <string.h>

#include "csvline.h"
#include "rng.h"

void round_orders(const struct round *r, uint64_t seed, struct round_orders *o)
{
	size_t *next = mem_new(((size_t)r->nraters + 1) * sizeof *next);

	o->begin = mem_new(((size_t)r->nraters + 1) * sizeof *o->begin);
	for (uint32_t i = 0; i < r->nitems; i++)
		for (uint32_t k = 0; k < r->item[i].nraters; k++)
			o->begin[r->item[i].rater[k] + 1]++;
	for (uint32_t k = 0; k < r->nraters; k++)
		next[k + 1] = o->begin[k + 1] += o->begin[k];
	o->order = mem_grow(NULL, o->begin[r->nraters] + 1, sizeof *o->order);
	for (uint32_t i = 0; i < r->nitems; i++)
		for (uint32_t k = 0; k < r->item[i].nraters; k++)
			o->order[next[r->item[i].rater[k]]++] = i;
	for (uint32_t k = 0; k < r->nraters; k++) {
		uint32_t *v = o->order + o->begin[k];
		struct rng g;

		rng_init(&g, seed, 0x726f756e64u + k);
		for (size_t n = o->begin[k + 1] - o->begin[k]; n > 1; n--) {
			size_t j = (size_t)rng_below(&g, n);
			uint32_t x = v[n - 1];

			v[n - 1] = v[j];
			v[j] = x;
		}
	}
	mem_free(next);
}

void round_orders_free(struct round_orders *o)
{
	mem_free(o->begin);
	mem_free(o->order);
}

void round_sheet_csv(const struct round *r, const struct round_orders *o, uint32_t k, struct buf *out)
{
	struct csvline c = { out, false };

	csv_str(&c, "rater");
	csv_str(&c, "item");
	for (uint32_t s = 0; s < r->nshow; s++)
		csv_str(&c, r->show[s]);
	csv_str(&c, "label");
	csv_str(&c, "note");
	csv_end(&c);
	for (size_t at = o->begin[k]; at < o->begin[k + 1]; at++) {
		const struct round_item *x = &r->item[o->order[at]];

		csv_text(&c, r->rater[k].p, r->rater[k].n);
		csv_text(&c, x->name.p, x->name.n);
		for (uint32_t s = 0; s < r->nshow; s++)
			csv_text(&c, x->show[s].p, x->show[s].n);
		csv_str(&c, "");
		csv_str(&c, "");
		csv_end(&c);
	}
}

/* --- pages --- */

static void begin_row(struct jw *w, const struct round *r, const struct round_item *x)
{
	jw_obj(w);
	jw_key(w, "id");
	jw_strn(w, x->name.p, x->name.n);
	jw_key(w, "parts");
	jw_arr(w);
	for (uint32_t s = 0; s < r->nshow; s++)
		sheet_part(w, r->show[s], x->show[s]);
	jw_arr_end(w);
}

struct page {
	const struct round *r;
	const uint32_t *order;
	const struct round_notes *notes;
	const struct gold *g;
	const struct rating_table *t;
};

static void label_row(void *ctx, size_t i, struct jw *w)
{
	const struct page *p = ctx;

	begin_row(w, p->r, &p->r->item[p->order[i]]);
	jw_obj_end(w);
}

void round_sheet_page(const struct round *r, const struct round_orders *o, uint32_t k, struct buf *out)
{
	struct page p = { .r = r, .order = o->order + o->begin[k] };
	const struct sheet s = { .title = r->title, .guidelines = r->guidelines, .who = r->rater[k].p, .who_column = "rater", .id_column = "item",
	                         .answer_column = "label", .choice = r->label, .nchoices = r->nlabels, .rows = o->begin[k + 1] - o->begin[k],
	                         .row = label_row, .ctx = &p };

	sheet_page(&s, out);
}

static void settle_row(void *ctx, size_t i, struct jw *w)
{
	const struct page *p = ctx;
	uint32_t item = p->order[i];
	const struct ratings *t = &p->t->t;
	const struct gold_item *g = &p->g->v[item];

	begin_row(w, p->r, &p->r->item[item]);
	jw_key(w, "sides");
	jw_arr(w);
	for (size_t k = t->start[item]; k < t->start[item + 1]; k++)
		sheet_part(w, p->r->rater[t->r[k].rater].p, p->t->category[t->r[k].cat]);
	if (p->notes->notes[item].n)
		sheet_part(w, "notes", p->notes->notes[item]);
	jw_arr_end(w);
	if (g->how == GOLD_RESOLVED) {
		jw_key(w, "label");
		jw_strn(w, g->label.p, g->label.n);
		jw_key(w, "note");
		jw_strn(w, g->note.p, g->note.n);
	}
	jw_obj_end(w);
}

void round_settle_page(const struct round_notes *notes, const struct gold *g, const struct rating_table *t, struct buf *out)
{
	const struct round *r = notes->r;
	uint32_t *order = mem_grow(NULL, (size_t)r->nitems + 1, sizeof *order);
	struct page p = { r, order, notes, g, t };
	struct buf title = { 0 };
	struct sheet s = { .guidelines = r->guidelines, .file = "disagreements", .id_column = "item", .answer_column = "resolved", .choice = r->label,
	                   .nchoices = r->nlabels, .row = settle_row, .ctx = &p };

	for (uint32_t i = 0; i < r->nitems; i++)
		if (gold_open(g, t, i))
			order[s.rows++] = i;
	buf_fmt(&title, "%s: to settle", r->title);
	s.title = title.p;
	sheet_page(&s, out);
	buf_free(&title);
	mem_free(order);
}

/* --- columns --- */

static struct text shown(void *ctx, uint32_t item, size_t column)
{
	const struct round_notes *n = ctx;

	return column < n->r->nshow ? n->r->item[item].show[column] : n->notes[item];
}

void round_columns(struct round *r, struct round_notes *notes, struct gold_columns *cols)
{
	const char **name = arena_get(&r->arena, ((size_t)r->nshow + 1) * sizeof *name);

	for (uint32_t k = 0; k < r->nshow; k++)
		name[k] = r->show[k];
	name[r->nshow] = "notes";
	*cols = (struct gold_columns){ name, (size_t)r->nshow + 1, shown, notes };
}
