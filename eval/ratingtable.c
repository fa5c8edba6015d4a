/* SPDX-License-Identifier: Apache-2.0 */
#include "ratingtable.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A rating as it was read; label is the number of its text in order of appearance. */
struct entry {
	uint32_t item, rater, label, place;
	const char *file;
	uint64_t line;
};

struct reading {
	struct rating_table *r;
	const struct rating_opts *o;
	struct entry *v;
	size_t n, cap;
	const struct names *names;      /* the columns below are theirs */
	uint32_t item_col, rater_col, label_col, *wide;
	int wide_item;
	size_t nwide;
	struct arena arena;
};

static bool absent(const struct field *f)
{
	return f->n == 0 || (f->type == FIELD_JSON && f->n == 4 && memcmp(f->p, "null", 4) == 0);
}

static void add(struct reading *d, const struct rec *rec, uint32_t item, uint32_t rater, const struct field *f)
{
	struct strmap_entry *label = strmap_put(&d->r->label, f->p, f->n, d->r->label.n, NULL);

	ARRAY_ROOM(d->v, d->n, d->cap);
	d->v[d->n] = (struct entry){ item, rater, (uint32_t)label->value, (uint32_t)d->n, rec->file, rec->line };
	d->n++;
}

static uint32_t number_of(struct strmap *m, const char *p, size_t n)
{
	return (uint32_t)strmap_put(m, p ? p : "", n, m->n, NULL)->value;
}

/* --- wide --- */

static int wide_columns(struct reading *d, const struct names *names, struct err *e)
{
	int rc;

	if (d->names == names)
		return 0;
	if ((rc = rec_need_list(names, d->o->raters, &d->wide, &d->nwide, &d->arena, e)) != 0)
		return rc;
	if (d->nwide < 2)
		return err_set(e, SFT_USAGE, "--raters names one column (agreement needs two raters)");
	for (size_t k = 0; k < d->nwide; k++)
		if (number_of(&d->r->rater, names->name[d->wide[k]], names->len[d->wide[k]]) != k)
			return err_set(e, SFT_USAGE, "--raters: '%s' stands there twice", names->name[d->wide[k]]);
	d->wide_item = -1;
	if (d->o->item) {
		if ((rc = rec_need(names, d->o->item, &d->item_col, e)) != 0)
			return rc;
		d->wide_item = (int)d->item_col;
	}
	d->names = names;
	return 0;
}

static int wide_record(struct reading *d, const struct rec *rec, struct err *e)
{
	uint32_t item = (uint32_t)d->r->item.n;
	char num[24];
	bool added;
	int rc = wide_columns(d, rec->names, e);

	if (rc)
		return rc;
	if (d->wide_item >= 0) {
		const struct field *f = &rec->f[d->wide_item];
		strmap_put(&d->r->item, f->p ? f->p : "", f->n, item, &added);
		if (!added)
			return err_set(e, SFT_BADDATA, "item '%.*s' stands in two records (expected one record an item in a wide table)", (int)f->n, f->p);
	} else {
		int n = snprintf(num, sizeof num, "%llu", (unsigned long long)rec->num);
		strmap_put(&d->r->item, num, (size_t)n, item, NULL);
	}
	for (size_t k = 0; k < d->nwide; k++)
		if (!absent(&rec->f[d->wide[k]]))
			add(d, rec, item, (uint32_t)k, &rec->f[d->wide[k]]);
	return 0;
}

/* --- long --- */

static int long_record(struct reading *d, const struct rec *rec, struct err *e)
{
	const struct field *item, *rater;
	int rc;

	if (d->names != rec->names) {
		if ((rc = rec_need(rec->names, d->o->item, &d->item_col, e)) != 0 || (rc = rec_need(rec->names, d->o->label, &d->label_col, e)) != 0)
			return rc;
		if (d->o->rater && (rc = rec_need(rec->names, d->o->rater, &d->rater_col, e)) != 0)
			return rc;
		d->names = rec->names;
	}
	item = &rec->f[d->item_col];
	if (absent(item))
		return err_set(e, SFT_BADDATA, "'%s' is empty (expected the name of an item)", d->o->item);
	rater = d->o->rater ? &rec->f[d->rater_col] : NULL;
	if (rater && absent(rater))
		return err_set(e, SFT_BADDATA, "'%s' is empty (expected the name of a rater)", d->o->rater);
	uint32_t i = number_of(&d->r->item, item->p, item->n), k = rater ? number_of(&d->r->rater, rater->p, rater->n) : 0;
	if (!absent(&rec->f[d->label_col]))
		add(d, rec, i, k, &rec->f[d->label_col]);
	return 0;
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

/* The categories that were given: every label must be one of them. */
static int given_labels(struct rating_table *r, const struct reading *d, uint32_t *map, struct err *e)
{
	const struct rating_opts *o = d->o;
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
	for (size_t i = 0; i < d->n; i++) {
		struct text name = { r->label.e[d->v[i].label].key, r->label.e[d->v[i].label].n };
		size_t k = 0;
		double v;

		while (k < o->ncategories && !text_equal(o->categories[k], name) && !(numbers && number(name, &v) && v == r->value[k]))
			k++;
		if (k == o->ncategories)
			return err_set(e, SFT_BADDATA, "%s:%llu: label '%.*s' is not among the categories", d->v[i].file,
			               (unsigned long long)d->v[i].line, (int)name.n, name.p);
		map[d->v[i].label] = (uint32_t)k;
	}
	return 0;
}

/* --- from entries to items --- */

static int by_item(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->item != y->item)
		return x->item < y->item ? -1 : 1;
	if (x->rater != y->rater)
		return x->rater < y->rater ? -1 : 1;
	return (x->place > y->place) - (x->place < y->place);
}

/* Sorted entries into T, a second rating by the same rater by the rule. */
static int build(struct rating_table *r, struct reading *d, const uint32_t *map, struct err *e)
{
	struct ratings *t = &r->t;
	size_t out = 0, widest = 0;

	qsort(d->v, d->n, sizeof *d->v, by_item);
	t->items = (uint32_t)r->item.n;
	t->start = mem_new(((size_t)t->items + 2) * sizeof *t->start);
	t->r = mem_new((d->n + 1) * sizeof *t->r);
	for (size_t i = 0, item = 0; i <= d->n; i++) {
		const struct entry *x = &d->v[i];

		while (item < (i < d->n ? x->item : t->items))
			t->start[++item] = out;
		if (i == d->n)
			break;
		if (!t->anonymous && i && x[-1].item == x->item && x[-1].rater == x->rater) {
			r->repeats++;
			if (d->o->repeat == REPEAT_ERROR)
				return err_set(e, SFT_BADDATA, "%s:%llu: rater '%s' rates item '%s' again (see --repeat first|last)", x->file,
				               (unsigned long long)x->line, r->rater.e[x->rater].key, r->item.e[x->item].key);
			if (d->o->repeat == REPEAT_LAST)
				t->r[out - 1].cat = map[x->label];
			continue;
		}
		t->r[out++] = (struct rating){ t->anonymous ? (uint32_t)(out - t->start[item]) : x->rater, map[x->label] };
		if (out - t->start[item] > widest)
			widest = out - t->start[item];
	}
	t->raters = t->anonymous ? (uint32_t)widest : (uint32_t)r->rater.n;
	return 0;
}

static int finish(struct rating_table *r, struct reading *d, struct err *e)
{
	uint32_t *map = mem_new((r->label.n + 1) * sizeof *map);
	int rc = 0;

	if (d->n == 0)
		rc = err_set(e, SFT_BADDATA, "no ratings in the input (expected at least one)");
	else if (d->o->categories)
		rc = given_labels(r, d, map, e);
	else
		order_labels(r, map);
	if (rc == 0)
		rc = build(r, d, map, e);
	if (rc == 0 && r->t.raters < 2)
		rc = err_set(e, SFT_BADDATA, "one rater only (agreement needs two ratings of an item)");
	mem_free(map);
	return rc;
}

int rating_table_read(struct rating_table *r, struct recin *in, const struct rating_opts *o, struct err *e)
{
	struct reading d = { .r = r, .o = o };
	struct rec *rec;
	int rc;

	memset(r, 0, sizeof *r);
	if (o->raters ? o->label || o->rater : !o->item || !o->label)
		return err_set(e, SFT_USAGE, "name the columns: --item, --rater and --label of a long table, or --raters COL,... of a wide one");
	r->t.anonymous = !o->raters && !o->rater;
	arena_init(&d.arena);
	while ((rc = rec_read(in, &rec, e)) == 0 && rec) {
		rc = o->raters ? wide_record(&d, rec, e) : long_record(&d, rec, e);
		if (rc) {
			rc = rc == SFT_BADDATA ? err_in(e, "%s:%llu", rec->file, (unsigned long long)rec->line) : rc;
			break;
		}
	}
	if (rc == 0)
		rc = finish(r, &d, e);
	mem_free(d.v);
	arena_release(&d.arena);
	return rc;
}

void rating_table_free(struct rating_table *r)
{
	mem_free(r->t.start);
	mem_free(r->t.r);
	mem_free(r->category);
	mem_free(r->value);
	strmap_free(&r->item);
	strmap_free(&r->rater);
	strmap_free(&r->label);
	memset(r, 0, sizeof *r);
}
