/* SPDX-License-Identifier: Apache-2.0 */
#include "ratingtable.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "opt.h"

/* A rating as it was read; label is the number of its text in order of appearance. */
struct rating_entry {
	uint32_t item, rater, label, line;      /* line: its lower half */
};

/* Entries from FIRST on that are of one file, and have one upper half of the line. */
struct rating_run {
	size_t first;
	const char *file;
	uint64_t line;
};

void rating_table_init(struct rating_table *r)
{
	memset(r, 0, sizeof *r);
}

void rating_table_free(struct rating_table *r)
{
	ratings_release(&r->t);
	kinds_release(&r->kinds);
	mem_free(r->rows);
	mem_free(r->first);
	mem_free(r->category);
	mem_free(r->value);
	mem_free(r->place);
	mem_free(r->v);
	mem_free(r->run);
	strmap_free(&r->item);
	strmap_free(&r->rater);
	strmap_free(&r->label);
	memset(r, 0, sizeof *r);
}

/* --- gathering --- */

/* Labels and names are short: most differ in their last byte, or have no other. */
static inline bool is_name(const struct strmap *m, uint64_t i, struct text name)
{
	const struct strmap_entry *x = &m->e[i];

	return i < m->n && x->n == name.n && (name.n == 0 || (x->key[name.n - 1] == name.p[name.n - 1] && (name.n == 1 || memcmp(x->key, name.p, name.n - 1) == 0)));
}

/* Ratings of an item often come together, and so do the raters of neighbours in one order. */
static uint32_t number_of(struct strmap *m, struct text name, uint64_t guess)
{
	if (name.p == NULL)
		name.p = "";
	return is_name(m, guess, name) ? (uint32_t)guess : (uint32_t)strmap_put(m, name.p, name.n, m->n, NULL)->value;
}

uint32_t rating_item(struct rating_table *r, struct text name)
{
	uint32_t item = number_of(&r->item, name, r->v ? r->v[r->n - 1].item : 0);

	r->items = (uint32_t)r->item.n;
	return item;
}

uint32_t rating_rater(struct rating_table *r, struct text name)
{
	uint64_t last = r->v ? r->v[r->n - 1].rater : 0;

	return number_of(&r->rater, name, is_name(&r->rater, last, name) ? last : last + 1 < r->rater.n ? last + 1 : 0);
}

uint32_t rating_next_item(struct rating_table *r)
{
	return r->items++;
}

uint32_t rating_label(struct rating_table *r, struct text t, const char *file, uint64_t line)
{
	uint32_t *memo = &r->memo[(t.n * 7 + 5u * (unsigned char)t.p[0] + 6u * (unsigned char)t.p[t.n - 1]) % 64];
	bool added;

	if (*memo && is_name(&r->label, *memo - 1, t))
		return *memo - 1;
	*memo = (uint32_t)strmap_put(&r->label, t.p, t.n, r->label.n, &added)->value + 1;
	if (added) {
		size_t n = r->label.n - 1;

		ARRAY_ROOM(r->first, n, r->first_cap);
		r->first[n] = (struct rating_place){ file, line };
	}
	return *memo - 1;
}

/* --- rows of wide tables --- */

enum { MEMO_BITS = 12, MEMO_RATERS = 8, MEMO_LABELS = 255 };

/* Rows of a few raters and labels, a byte a cell; most rows of a large table are like one that came before. */
struct rating_memo {
	uint64_t key;
	uint32_t kind;                  /* + 1; 0: free */
};

static bool short_row(const struct rating *row, size_t n, uint64_t *key)
{
	*key = 0;
	for (size_t k = 0; k < n; k++) {
		if (row[k].rater >= MEMO_RATERS || row[k].cat >= MEMO_LABELS)
			return false;
		*key |= (uint64_t)(row[k].cat + 1) << 8 * row[k].rater;
	}
	return true;
}

void rating_row(struct rating_table *r, const struct rating *row, size_t n)
{
	struct rating_memo *m;
	uint64_t key;

	r->n += n;
	if (!short_row(row, n, &key)) {
		kinds_add(&r->kinds, row, n);
		return;
	}
	if (r->rows == NULL)
		r->rows = mem_new(sizeof *r->rows << MEMO_BITS);
	m = &r->rows[key * 0x9e3779b97f4a7c15u >> (64 - MEMO_BITS)];
	if (m->kind && m->key == key)
		kinds_again(&r->kinds, m->kind - 1);
	else
		*m = (struct rating_memo){ key, kinds_add(&r->kinds, row, n) + 1 };
}

void rating_add(struct rating_table *r, uint32_t item, uint32_t rater, struct text label, const char *file, uint64_t line)
{
	const struct rating_run *last = r->nruns ? &r->run[r->nruns - 1] : NULL;
	uint64_t high = line & ~(uint64_t)UINT32_MAX;

	if (last == NULL || last->file != file || last->line != high) {
		ARRAY_ROOM(r->run, r->nruns, r->runs_cap);
		r->run[r->nruns++] = (struct rating_run){ r->n, file, high };
	}
	if (r->n) {
		const struct rating_entry *before = &r->v[r->n - 1];

		r->unsorted |= item < before->item || (item == before->item && rater <= before->rater);
	}
	ARRAY_ROOM(r->v, r->n, r->cap);
	r->v[r->n++] = (struct rating_entry){ item, rater, rating_label(r, label, file, line), (uint32_t)line };
}

/* FILE:LINE of entry X before a message. */
static int at_entry(const struct rating_table *r, const struct rating_entry *x, struct err *e)
{
	size_t k = r->nruns - 1;

	while (r->run[k].first > (size_t)(x - r->v))
		k--;
	return err_in(e, "%s:%llu", r->run[k].file, (unsigned long long)(r->run[k].line | x->line));
}

/* --- categories --- */

/* A decimal number, nothing before or after it. */
static bool number(struct text s, double *v)
{
	char tmp[64], *end;

	if (s.n == 0 || s.n >= sizeof tmp || !(isdigit((unsigned char)s.p[0]) || (s.n > 1 && strchr("+-.", s.p[0]))))
		return false;
	memcpy(tmp, s.p, s.n);
	tmp[s.n] = '\0';
	if (strlen(tmp) != s.n || strpbrk(tmp, "xXpPnN"))
		return false;
	*v = strtod(tmp, &end);
	return *end == '\0' && isfinite(*v);
}

struct category {
	struct text name;
	double v;
	uint32_t label;
	bool numbers;
};

static int by_order(const void *a, const void *b)
{
	const struct category *x = a, *y = b;
	int c;

	if (x->numbers && x->v != y->v)
		return x->v < y->v ? -1 : 1;
	c = memcmp(x->name.p, y->name.p, x->name.n < y->name.n ? x->name.n : y->name.n);
	return c ? c : (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

/* The categories in order, and map[label] the place of each label.  Numbers that are equal are one category. */
static void order_labels(struct rating_table *r, uint32_t *map)
{
	size_t n = r->label.n;
	struct category *c = mem_new((n + 1) * sizeof *c);
	bool numbers = n > 0;

	for (size_t i = 0; i < n; i++) {
		c[i] = (struct category){ { r->label.e[i].key, r->label.e[i].n }, 0, (uint32_t)i, false };
		numbers = numbers && number(c[i].name, &c[i].v);
	}
	for (size_t i = 0; i < n; i++)
		c[i].numbers = numbers;
	qsort(c, n, sizeof *c, by_order);
	r->category = mem_new((n + 1) * sizeof *r->category);
	r->value = mem_new((n + 1) * sizeof *r->value);
	for (size_t i = 0; i < n; i++) {
		if (numbers && r->t.ncat && r->value[r->t.ncat - 1] == c[i].v) {
			r->merged = true;
		} else {
			r->category[r->t.ncat] = c[i].name;
			r->value[r->t.ncat++] = c[i].v;
		}
		map[c[i].label] = r->t.ncat - 1;
	}
	r->t.value = numbers ? r->value : NULL;
	r->t.ordered = numbers;
	mem_free(c);
}

static int not_a_category(const struct rating_table *r, uint32_t label, const struct rating_rule *o, struct err *e)
{
	const struct rating_place *x = &r->first[label];
	const char **names = mem_grow(NULL, o->ncategories, sizeof *names), *near;

	for (size_t k = 0; k < o->ncategories; k++)
		names[k] = o->categories[k].p;
	near = r->label.e[label].n > 2 ? opt_nearest(r->label.e[label].key, names, o->ncategories) : NULL;
	mem_free(names);
	if (near)
		err_set(e, SFT_BADDATA, "label '%s' is not among the categories (did you mean '%s'?)", r->label.e[label].key, near);
	else
		err_set(e, SFT_BADDATA, "label '%s' is not among the categories", r->label.e[label].key);
	return err_in(e, "%s:%llu", x->file, (unsigned long long)x->line);
}

/* The categories that were given: every label must be one of them. */
static int given_labels(struct rating_table *r, const struct rating_rule *o, uint32_t *map, struct err *e)
{
	bool numbers = true;

	r->category = mem_new(o->ncategories * sizeof *r->category);
	r->value = mem_new(o->ncategories * sizeof *r->value);
	for (size_t k = 0; k < o->ncategories; k++) {
		r->category[k] = o->categories[k];
		numbers = numbers && number(o->categories[k], &r->value[k]);
	}
	r->t.ncat = (uint32_t)o->ncategories;
	r->t.value = numbers ? r->value : NULL;
	r->t.ordered = r->t.fixed = true;
	for (size_t i = 0; i < r->label.n; i++) {
		struct text name = { r->label.e[i].key, r->label.e[i].n };
		size_t k = 0;
		double v;

		while (k < o->ncategories && !text_equal(o->categories[k], name) && !(numbers && number(name, &v) && v == r->value[k]))
			k++;
		if (k == o->ncategories)
			return not_a_category(r, (uint32_t)i, o, e);
		map[i] = (uint32_t)k;
	}
	return 0;
}

/* --- from entries to items --- */

static int again(const struct rating_table *r, const struct rating_entry *x, struct err *e)
{
	char tmp[24];
	struct text item = rating_item_name(r, x->item, tmp);

	err_set(e, SFT_BADDATA, "rater '%s' rates item '%.*s' again (see --repeat first|last)", r->rater.e[x->rater].key, (int)item.n, item.p);
	return at_entry(r, x, e);
}

/* The entries AT[0..n-1] of one item, in the order in which they came, by rater: few, so by insertion. */
static void by_rater(const struct rating_table *r, uint32_t *at, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		uint32_t x = at[i];
		size_t k = i;

		for (; k > 0 && r->v[at[k - 1]].rater > r->v[x].rater; k--)
			at[k] = at[k - 1];
		at[k] = x;
	}
}

/* One item's entries to ratings at *OUT, a second rating by the same rater by the rule. */
static int put_item(struct rating_table *r, const struct rating_rule *o, const uint32_t *map, const uint32_t *at, size_t n, size_t *out, struct err *e)
{
	struct ratings *t = &r->t;
	size_t first = *out;

	for (size_t i = 0; i < n; i++) {
		const struct rating_entry *x = &r->v[at[i]];

		if (!o->anonymous && *out > first && t->r[*out - 1].rater == x->rater) {
			r->repeats++;
			if (o->repeat == REPEAT_ERROR)
				return again(r, x, e);
			if (o->repeat == REPEAT_FIRST)
				continue;
			--*out;
		}
		r->place[*out] = at[i];
		t->r[*out] = (struct rating){ o->anonymous ? (uint32_t)(*out - first) : x->rater, map[x->label] };
		++*out;
	}
	if (o->anonymous && *out - first > t->raters)
		t->raters = (uint32_t)(*out - first);
	return 0;
}

/* Entries into T, by item and rater. */
static int build(struct rating_table *r, const struct rating_rule *o, const uint32_t *map, struct err *e)
{
	struct ratings *t = &r->t;
	uint32_t *at = mem_grow(NULL, r->n + 1, sizeof *at);
	size_t *end = mem_new(((size_t)r->items + 2) * sizeof *end), out = 0;
	int rc = 0;

	for (size_t i = 0; i < r->n; i++)
		end[r->v[i].item + 1]++;
	for (size_t i = 0; i < r->items; i++)
		end[i + 1] += end[i];
	for (size_t i = 0; i < r->n; i++)       /* end[i] moves from the beginning of item i to its end */
		at[end[r->v[i].item]++] = (uint32_t)i;
	t->items = r->items;
	t->anonymous = o->anonymous;
	t->raters = o->anonymous ? 0 : (uint32_t)r->rater.n;
	t->start = mem_new(((size_t)t->items + 2) * sizeof *t->start);
	t->r = mem_grow(NULL, r->n + 1, sizeof *t->r);
	r->place = mem_grow(NULL, r->n + 1, sizeof *r->place);
	for (size_t i = 0, begin = 0; rc == 0 && i < r->items; begin = end[i++]) {
		if (!o->anonymous)
			by_rater(r, at + begin, end[i] - begin);
		rc = put_item(r, o, map, at + begin, end[i] - begin, &out, e);
		t->start[i + 1] = out;
	}
	mem_free(at);
	mem_free(end);
	return rc;
}

/* The same where entries stand in order and none is of one item and rater with another: ratings take the place of the entries, each of which
 * has been read when it is overwritten. */
static void build_in_place(struct rating_table *r, const uint32_t *map)
{
	struct ratings *t = &r->t;
	uint32_t item = 0;

	_Static_assert(sizeof *t->r <= sizeof *r->v, "ratings fit into entries");
	t->items = r->items;
	t->raters = (uint32_t)r->rater.n;
	t->start = mem_new(((size_t)t->items + 2) * sizeof *t->start);
	t->r = (struct rating *)(void *)r->v;
	for (size_t k = 0; k < r->n; k++) {
		struct rating_entry x;

		memcpy(&x, (const char *)r->v + k * sizeof x, sizeof x);
		while (item < x.item)
			t->start[++item] = k;
		memcpy((char *)t->r + k * sizeof *t->r, &(struct rating){ x.rater, map[x.label] }, sizeof *t->r);
	}
	while (item < t->items)
		t->start[++item] = r->n;
	r->v = NULL;
	t->r = mem_grow(t->r, r->n + 1, sizeof *t->r);
}

/* Are two labels one category? */
static bool merges(const uint32_t *map, size_t labels, uint32_t ncat)
{
	bool *used = mem_new((size_t)ncat + 1), twice = false;

	for (size_t i = 0; i < labels; i++) {
		twice |= used[map[i]];
		used[map[i]] = true;
	}
	mem_free(used);
	return twice;
}

void rating_expand(struct rating_table *r)
{
	const struct kinds *k = &r->kinds;
	size_t out = 0;

	if (k->items == 0 || r->t.r)
		return;
	r->t.start = mem_new(((size_t)k->items + 2) * sizeof *r->t.start);
	r->t.r = mem_grow(NULL, r->n + 1, sizeof *r->t.r);
	for (uint32_t i = 0; i < k->items; i++) {
		size_t from = k->t.start[k->kind[i]], n = k->t.start[k->kind[i] + 1] - from;

		if (n)
			memcpy(r->t.r + out, k->t.r + from, n * sizeof *r->t.r);
		r->t.start[i + 1] = out += n;
	}
}

/* Rows of labels to rows of categories.  Where labels become one, different rows may have become alike: they are told apart anew from the
 * ratings. */
static void build_rows(struct rating_table *r, const uint32_t *map)
{
	struct ratings *t = &r->t, *k = &r->kinds.t;

	t->items = r->items;
	t->raters = (uint32_t)r->rater.n;
	for (size_t i = 0; i < k->start[k->items]; i++)
		k->r[i].cat = map[k->r[i].cat];
	if (merges(map, r->label.n, t->ncat)) {
		rating_expand(r);
		kinds_release(&r->kinds);
		return;
	}
	k->raters = t->raters;
	k->ncat = t->ncat;
	k->value = t->value;
	k->ordered = t->ordered;
	k->fixed = t->fixed;
}

int rating_finish(struct rating_table *r, const struct rating_rule *o, struct err *e)
{
	uint32_t *map = mem_new((r->label.n + 1) * sizeof *map);
	int rc = 0;

	if (r->n == 0)
		rc = err_set(e, SFT_BADDATA, "no ratings in the input (expected at least one)");
	else if (o->categories)
		rc = given_labels(r, o, map, e);
	else
		order_labels(r, map);
	if (rc == 0 && r->kinds.items)
		build_rows(r, map);
	else if (rc == 0 && !r->unsorted && !o->anonymous)
		build_in_place(r, map);
	else if (rc == 0)
		rc = build(r, o, map, e);
	if (rc == 0 && r->t.raters < 2)
		rc = err_set(e, SFT_BADDATA, "one rater only (agreement needs two ratings of an item)");
	mem_free(map);
	mem_free(r->v);
	r->v = NULL;
	mem_free(r->rows);
	r->rows = NULL;
	return rc;
}

/* --- names --- */

struct text rating_item_name(const struct rating_table *r, uint32_t i, char tmp[24])
{
	if (r->item.n)
		return (struct text){ r->item.e[i].key, r->item.e[i].n };
	return (struct text){ tmp, (size_t)snprintf(tmp, 24, "%u", i) };
}

struct text rating_rater_name(const struct rating_table *r, uint32_t i, char tmp[24])
{
	if (!r->t.anonymous)
		return (struct text){ r->rater.e[i].key, r->rater.e[i].n };
	return (struct text){ tmp, (size_t)snprintf(tmp, 24, "r%u", i + 1) };
}
