/* SPDX-License-Identifier: Apache-2.0 */
#include "absheet.h"

#include <stdio.h>
#include <string.h>

#include "csvline.h"
#include "fieldtext.h"
#include "inputtext.h"
#include "rng.h"
#include "sheetpage.h"

void ab_init(struct ab_sheet *s)
{
	memset(s, 0, sizeof *s);
	arena_init(&s->arena);
}

void ab_release(struct ab_sheet *s)
{
	for (size_t k = 0; k < s->nsystems; k++)
		mem_free(s->system[k].answer);
	mem_free(s->input);
	strmap_free(&s->id);
	arena_release(&s->arena);
	memset(s, 0, sizeof *s);
}

/* --- reading --- */

static struct text keep(struct ab_sheet *s, struct text t)
{
	return (struct text){ t.p ? arena_str(&s->arena, t.p, t.n) : NULL, t.n };
}

/* The place of IT among the items; the first system makes one. */
static int place(struct ab_sheet *s, const struct item *it, bool first, size_t *at, struct err *e)
{
	struct text key = it->id;
	struct strmap_entry *x;
	char num[24];
	bool added = false;

	if (first && it->num == 0)
		s->by_id = it->id.p != NULL;
	if (s->by_id && it->id.p == NULL)
		return err_set(e, SFT_BADDATA, "this item has no id, others have (expected ids on all or none)");
	if (!s->by_id) {
		snprintf(num, sizeof num, "%llu", (unsigned long long)it->num);
		key = (struct text){ num, strlen(num) };
	}
	x = first ? strmap_put(&s->id, key.p, key.n, s->id.n, &added) : strmap_find(&s->id, key.p, key.n);
	if (x == NULL)
		return err_set(e, SFT_BADDATA, "item '%.*s' is not in %s", (int)key.n, key.p, s->system[0].path);
	*at = (size_t)x->value;
	if (first && !added)
		return err_set(e, SFT_BADDATA, "id '%.*s' stands there twice", (int)key.n, key.p);
	return 0;
}

static int add_item(struct ab_sheet *s, struct ab_system *sys, bool first, struct inputs *inputs, const struct item *it, struct err *e)
{
	struct input input;
	size_t at = 0;
	int rc;

	if ((rc = place(s, it, first, &at, e)) != 0)
		return rc;
	if (first && at == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 256;
		sys->answer = mem_grow(sys->answer, s->cap, sizeof *sys->answer);
		s->input = mem_grow(s->input, s->cap, sizeof *s->input);
	}
	if (!first && sys->answer[at].p)
		return err_set(e, SFT_BADDATA, "item '%s' stands there twice", s->id.e[at].key);
	sys->answer[at] = keep(s, it->hyp.p ? it->hyp : (struct text){ "", 0 });
	if (!first)
		return 0;
	if ((rc = inputs_read(inputs, it->rec, &input, e)) != 0)
		return rc;
	s->input[s->n++] = keep(s, input.text);
	return 0;
}

int ab_read(struct ab_sheet *s, struct pairs *in, const char *path, const char *input, struct err *e)
{
	struct ab_system *sys = &s->system[s->nsystems];
	bool first = s->nsystems++ == 0, more;
	struct inputs *inputs = inputs_new(input);
	struct text stem = file_stem(path);
	struct item it;
	int rc;

	*sys = (struct ab_system){ arena_str(&s->arena, stem.p, stem.n), path, first ? NULL : mem_new((s->n + 1) * sizeof *sys->answer) };
	for (size_t k = 0; k + 1 < s->nsystems; k++)
		if (strcmp(s->system[k].name, sys->name) == 0) {        /* two of one name: whole paths tell them apart */
			sys->name = path;
			s->system[k].name = s->system[k].path;
		}
	while ((rc = pairs_next(in, &it, &more, e)) == 0 && more)
		if ((rc = add_item(s, sys, first, inputs, &it, e)) != 0) {
			err_in(e, "%s:%llu", it.file, (unsigned long long)it.line);
			break;
		}
	for (size_t k = 0; rc == 0 && !first && k < s->n; k++)
		if (sys->answer[k].p == NULL)
			rc = err_set(e, SFT_BADDATA, "%s: lacks item '%s' of %s", path, s->id.e[k].key, s->system[0].path);
	inputs_free(inputs);
	return rc;
}

/* --- rows --- */

static void shuffle(struct ab_row *row, size_t n, struct rng *r)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = (size_t)rng_below(r, i);
		struct ab_row t = row[i - 1];

		row[i - 1] = row[j];
		row[j] = t;
	}
}

struct ab_row *ab_rows(const struct ab_sheet *s, uint64_t seed, uint64_t items, bool one, size_t *n)
{
	size_t npairs = s->nsystems * (s->nsystems - 1) / 2, k = items && items < s->n ? (size_t)items : s->n;
	uint32_t *order = mem_grow(NULL, s->n + 1, sizeof *order);
	struct ab_row *row = mem_grow(NULL, k * (one ? 1 : npairs) + 1, sizeof *row);
	struct rng r;

	rng_init(&r, seed, 0x61627368);
	rng_permutation(&r, order, (uint32_t)s->n);
	*n = 0;
	for (size_t a = 0, pair = 0; a < s->nsystems; a++)
		for (size_t b = a + 1; b < s->nsystems; b++, pair++) {
			bool swap = rng_below(&r, 2);

			for (size_t i = one ? pair : 0; i < k; i += one ? npairs : 1, swap = !swap)
				row[(*n)++] = (struct ab_row){ order[i], (uint16_t)(swap ? b : a), (uint16_t)(swap ? a : b) };
		}
	shuffle(row, *n, &r);
	mem_free(order);
	return row;
}

void ab_sheet_csv(const struct ab_sheet *s, const struct ab_row *row, size_t n, struct buf *out)
{
	static const char *const head[] = { "row", "input", "left", "right", "winner", "note" };
	struct csvline c = { out, false };

	csv_head(&c, head, sizeof head / sizeof *head);
	for (size_t k = 0; k < n; k++) {
		const struct text *left = &s->system[row[k].left].answer[row[k].item], *right = &s->system[row[k].right].answer[row[k].item];
		const struct text *input = &s->input[row[k].item];

		csv_uint(&c, k + 1);
		csv_text(&c, input->p ? input->p : "", input->n);
		csv_text(&c, left->p, left->n);
		csv_text(&c, right->p, right->n);
		csv_str(&c, "");
		csv_str(&c, "");
		csv_end(&c);
	}
}

struct page {
	const struct ab_sheet *s;
	const struct ab_row *row;
};

static void page_row(void *ctx, size_t i, struct jw *w)
{
	const struct page *p = ctx;
	const struct ab_row *r = &p->row[i];
	char num[24];

	snprintf(num, sizeof num, "%zu", i + 1);
	jw_obj(w);
	jw_key(w, "id");
	jw_str(w, num);
	jw_key(w, "parts");
	jw_arr(w);
	if (p->s->input[r->item].p)
		sheet_part(w, "input", p->s->input[r->item]);
	jw_arr_end(w);
	jw_key(w, "sides");
	jw_arr(w);
	sheet_part(w, "left", p->s->system[r->left].answer[r->item]);
	sheet_part(w, "right", p->s->system[r->right].answer[r->item]);
	jw_arr_end(w);
	jw_obj_end(w);
}

void ab_sheet_page(const struct ab_sheet *s, const struct ab_row *row, size_t n, const char *title, const char *guidelines, struct buf *out)
{
	static const struct sheet_choice choice[] = { { { "left", 4 }, { NULL, 0 }, '1' }, { { "tie", 3 }, { NULL, 0 }, '2' },
	                                              { { "right", 5 }, { NULL, 0 }, '3' } };
	struct page p = { s, row };
	const struct sheet page = { .title = title, .guidelines = guidelines, .who_column = "voter", .id_column = "row", .answer_column = "winner",
	                            .choice = choice, .nchoices = 3, .rows = n, .row = page_row, .ctx = &p };

	sheet_page(&page, out);
}

void ab_key_csv(const struct ab_sheet *s, const struct ab_row *row, size_t n, struct buf *out)
{
	static const char *const head[] = { "row", "id", "left", "right" };
	struct csvline c = { out, false };

	csv_head(&c, head, sizeof head / sizeof *head);
	for (size_t k = 0; k < n; k++) {
		const struct strmap_entry *id = &s->id.e[row[k].item];

		csv_uint(&c, k + 1);
		csv_text(&c, id->key, id->n);
		csv_str(&c, s->system[row[k].left].name);
		csv_str(&c, s->system[row[k].right].name);
		csv_end(&c);
	}
}
