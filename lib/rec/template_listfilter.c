/* SPDX-License-Identifier: Apache-2.0 */
/* Filters on sequences.  Those that are generators in Jinja give one here, too: it is true, has no length, and is spent by its first use. */
#include <string.h>
#include "template_value.h"

static bool flag(struct value v)
{
	return v.type != V_ABSENT && v_true(v);
}

/* --- attributes of items: "a.b", "0", 3 --- */

static struct value part_of(struct tctx *c, struct value item, const struct str *path, size_t from, size_t to)
{
	__int128 i;
	bool digits = to > from;

	for (size_t k = from; k < to; k++)
		digits &= path->p[k] >= '0' && path->p[k] <= '9';
	if (digits && py_parse_int(path->p + from, to - from, 10, &i))
		return v_getitem(c, item, v_int(i));
	return v_getitem(c, item, v_str(str_slice(c, path, from, to)));
}

static struct value dotted(struct tctx *c, struct value item, const struct str *path, size_t from, size_t to, struct value deflt)
{
	const struct str *dot = str_lit(c, ".");

	for (;;) {
		size_t end = str_find(c, path, dot, from, to);
		item = part_of(c, item, path, from, end == T_NOARG ? to : end);
		if (item.type == V_UNDEF && deflt.type != V_ABSENT && deflt.type != V_NONE)
			item = deflt;
		if (end == T_NOARG)
			return item;
		from = end + 1;
	}
}

/* ITEM itself where there is no attribute. */
static struct value attr_of(struct tctx *c, struct value item, struct value attr, struct value deflt)
{
	if (attr.type == V_ABSENT || attr.type == V_NONE)
		return item;
	if (attr.type == V_STR)
		return dotted(c, item, attr.s, 0, attr.s->n, deflt);
	return v_getitem(c, item, attr);
}

static struct value absent(void)
{
	return (struct value){ .type = V_ABSENT };
}

static struct value lowered(struct tctx *c, struct value v, bool case_sensitive)
{
	return v.type == V_STR && !case_sensitive ? v_str(str_case(c, v.s, CASE_LOWER)) : v;
}

/* --- sorting: stable, by keys worked out once --- */

struct keyed {
	struct value key, item;
};

static void merge_sort(struct tctx *c, struct keyed *v, struct keyed *tmp, size_t n, bool reverse)
{
	size_t half = n / 2, a = 0, b = half, k = 0;

	if (n < 2)
		return;
	merge_sort(c, v, tmp, half, reverse);
	merge_sort(c, v + half, tmp, n - half, reverse);
	while (a < half && b < n) {
		bool second = reverse ? v_compare(c, v[a].key, v[b].key, "<") < 0 : v_compare(c, v[b].key, v[a].key, "<") < 0;
		tmp[k++] = second ? v[b++] : v[a++];
	}
	while (a < half)
		tmp[k++] = v[a++];
	while (b < n)
		tmp[k++] = v[b++];
	memcpy(v, tmp, n * sizeof *v);
}

static struct keyed *keys_of(struct tctx *c, const struct vlist *l)
{
	return t_get(c, l->n * sizeof(struct keyed) + 1);
}

static struct value sorted(struct tctx *c, struct keyed *k, size_t n, bool reverse)
{
	struct value out = v_list(c, V_LIST, n);

	merge_sort(c, k, t_get(c, n * sizeof *k + 1), n, reverse);
	for (size_t i = 0; i < n; i++)
		list_add(c, out.l, k[i].item);
	return out;
}

/* A list of keys, by no attribute, one, or "a,b": two undefined ones are equal then, as in Jinja. */
static struct value sort_key(struct tctx *c, struct value item, struct value attr, bool case_sensitive)
{
	struct value list = v_list(c, V_LIST, 1);
	size_t from = 0;
	const struct str *comma = str_lit(c, ",");

	if (attr.type != V_STR) {
		list_add(c, list.l, lowered(c, attr_of(c, item, attr, absent()), case_sensitive));
		return list;
	}
	for (;;) {
		size_t end = str_find(c, attr.s, comma, from, attr.s->n);
		list_add(c, list.l, lowered(c, dotted(c, item, attr.s, from, end == T_NOARG ? attr.s->n : end, absent()), case_sensitive));
		if (end == T_NOARG)
			return list;
		from = end + 1;
	}
}

/* A: reverse, case_sensitive, attribute. */
static struct value f_sort(struct tctx *c, struct value self, struct value *a)
{
	struct vlist *l = v_iter(c, self);
	struct keyed *k = keys_of(c, l);

	for (size_t i = 0; i < l->n; i++)
		k[i] = (struct keyed){ sort_key(c, l->v[i], a[2], flag(a[1])), l->v[i] };
	return sorted(c, k, l->n, flag(a[0]));
}

static struct value pairs(struct tctx *c, const struct vmap *m, enum vtype type)
{
	struct value out = v_list(c, type, m->n);

	for (size_t i = 0; i < m->n; i++) {
		struct value pair = v_list(c, V_TUPLE, 2);
		list_add(c, pair.l, m->e[i].k);
		list_add(c, pair.l, m->e[i].v);
		list_add(c, out.l, pair);
	}
	return out;
}

/* A: case_sensitive, by, reverse. */
static struct value f_dictsort(struct tctx *c, struct value self, struct value *a)
{
	struct vlist *l;
	struct keyed *k;
	int by = 0;

	if (self.type == V_UNDEF)
		t_undefined(c, self.u);
	if (self.type != V_MAP)
		t_raise(c, "'%s' object has no attribute 'items'", v_type(self));
	if (a[1].type == V_STR && str_is(a[1].s, "value"))
		by = 1;
	else if (a[1].type != V_ABSENT && !(a[1].type == V_STR && str_is(a[1].s, "key")))
		t_raise(c, "You can only sort by either \"key\" or \"value\"");
	l = pairs(c, self.m, V_LIST).l;
	k = keys_of(c, l);
	for (size_t i = 0; i < l->n; i++)
		k[i] = (struct keyed){ lowered(c, l->v[i].l->v[by], flag(a[0])), l->v[i] };
	return sorted(c, k, l->n, flag(a[2]));
}

/* A: attribute, default, case_sensitive. */
static struct value f_groupby(struct tctx *c, struct value self, struct value *a)
{
	struct vlist *l = v_iter(c, self);
	struct keyed *k = keys_of(c, l);
	struct value order, out = v_list(c, V_LIST, 0), group = absent(), last = absent();

	for (size_t i = 0; i < l->n; i++)
		k[i] = (struct keyed){ lowered(c, attr_of(c, l->v[i], a[0], a[1]), flag(a[2])), l->v[i] };
	order = sorted(c, k, l->n, false);
	for (size_t i = 0; i < order.l->n; i++) {
		struct value real = attr_of(c, order.l->v[i], a[0], a[1]);
		if (last.type == V_ABSENT || !v_equal(c, last, k[i].key)) {
			struct value pair = v_list(c, V_TUPLE, 2);
			group = v_list(c, V_LIST, 0);
			pair.l->group = true;
			list_add(c, pair.l, real);
			list_add(c, pair.l, group);
			list_add(c, out.l, pair);
			last = k[i].key;
		}
		list_add(c, group.l, order.l->v[i]);
	}
	return out;
}

/* A: case_sensitive, attribute. */
static struct value f_unique(struct tctx *c, struct value self, struct value *a)
{
	struct vlist *l = v_iter(c, self);
	struct value seen = v_map(c), out = v_list(c, V_GEN, 0);

	for (size_t i = 0; i < l->n; i++) {
		struct value k = lowered(c, attr_of(c, l->v[i], a[1], absent()), flag(a[0]));
		if (map_find(c, seen.m, k) != NULL)
			continue;
		map_put(c, seen.m, k, v_none());
		list_add(c, out.l, l->v[i]);
	}
	return out;
}

static struct value extreme(struct tctx *c, struct value self, struct value *a, const char *op)
{
	struct vlist *l = v_iter(c, self);
	struct value best, key;

	if (l->n == 0)
		return v_undef_hint(c, "No aggregated item, sequence was empty.");
	best = l->v[0];
	key = lowered(c, attr_of(c, best, a[1], absent()), flag(a[0]));
	for (size_t i = 1; i < l->n; i++) {
		struct value k = lowered(c, attr_of(c, l->v[i], a[1], absent()), flag(a[0]));
		int d = v_compare(c, k, key, op);
		if (d != 2 && (*op == '<' ? d < 0 : d > 0)) {
			best = l->v[i];
			key = k;
		}
	}
	return best;
}

static struct value f_min(struct tctx *c, struct value self, struct value *a)
{
	return extreme(c, self, a, "<");
}

static struct value f_max(struct tctx *c, struct value self, struct value *a)
{
	return extreme(c, self, a, ">");
}

/* A: attribute, start. */
static struct value f_sum(struct tctx *c, struct value self, struct value *a)
{
	struct vlist *l = v_iter(c, self);
	struct value sum = a[1].type == V_ABSENT ? v_int(0) : a[1];

	if (sum.type == V_STR)
		t_raise(c, "sum() can't sum strings [use ''.join(seq) instead]");
	for (size_t i = 0; i < l->n; i++)
		sum = op_binary(c, '+', sum, attr_of(c, l->v[i], a[0], absent()));
	return sum;
}

/* A: d, attribute. */
static struct value f_join(struct tctx *c, struct value self, struct value *a)
{
	struct vlist *l = v_iter(c, self);
	const struct str *sep = a[0].type == V_ABSENT ? str_lit(c, "") : v_text(c, a[0]);
	struct sb b = {0};

	for (size_t i = 0; i < l->n; i++) {
		if (i)
			sb_strv(c, &b, sep);
		v_write(c, &b, attr_of(c, l->v[i], a[1], absent()));
	}
	return v_str(sb_str(c, &b));
}

static struct value f_length(struct tctx *c, struct value self, struct value *a)
{
	(void)a;
	return v_int((__int128)v_len(c, self));
}

static struct value f_first(struct tctx *c, struct value self, struct value *a)
{
	struct vlist *l;
	int len;

	(void)a;
	if (self.type == V_STR && self.s->n) {
		cp_get(self.s->p, self.s->p + self.s->n, &len);
		return v_str(str_slice(c, self.s, 0, (size_t)len));
	}
	l = v_iter(c, self);
	return l->n ? l->v[0] : v_undef_hint(c, "No first item, sequence was empty.");
}

static struct value f_last(struct tctx *c, struct value self, struct value *a)
{
	struct vlist *l;

	(void)a;
	if (self.type == V_GEN)
		t_raise(c, "'generator' object is not reversible");
	if (self.type == V_STR && self.s->n)
		return v_getitem(c, self, v_int(-1));
	l = v_iter(c, self);
	return l->n ? l->v[l->n - 1] : v_undef_hint(c, "No last item, sequence was empty.");
}

static struct value copy_as(struct tctx *c, const struct vlist *l, enum vtype type)
{
	struct value out = v_list(c, type, l->n);

	for (size_t i = 0; i < l->n; i++)
		list_add(c, out.l, l->v[i]);
	return out;
}

static struct value f_list(struct tctx *c, struct value self, struct value *a)
{
	(void)a;
	return copy_as(c, v_iter(c, self), V_LIST);
}

static struct value f_reverse(struct tctx *c, struct value self, struct value *a)
{
	struct value none = absent(), out;
	struct vlist *l;

	(void)a;
	if (self.type == V_STR)
		return v_slice(c, self, none, none, v_int(-1));
	if (!v_iterable(self))
		t_raise(c, "argument must be iterable");
	l = v_iter(c, self);
	out = v_list(c, self.type == V_GEN ? V_LIST : V_GEN, l->n);
	for (size_t i = l->n; i-- > 0;)
		list_add(c, out.l, l->v[i]);
	return out;
}

static struct value f_items(struct tctx *c, struct value self, struct value *a)
{
	(void)a;
	if (self.type == V_UNDEF)
		return v_list(c, V_GEN, 0);
	if (self.type != V_MAP)
		t_raise(c, "Can only get item pairs from a mapping.");
	return pairs(c, self.m, V_GEN);
}

/* A: linecount, fill_with. */
static struct value f_batch(struct tctx *c, struct value self, struct value *a)
{
	struct vlist *l = v_iter(c, self);
	int64_t n = v_index(c, a[0], "batch()");
	struct value out = v_list(c, V_GEN, 0), row = absent();

	for (size_t i = 0; i < l->n; i++) {
		if (row.type == V_ABSENT || (int64_t)row.l->n == n) {
			row = v_list(c, V_LIST, 0);
			list_add(c, out.l, row);
		}
		list_add(c, row.l, l->v[i]);
	}
	if (row.type != V_ABSENT && a[1].type != V_ABSENT && a[1].type != V_NONE)
		while ((int64_t)row.l->n < n)
			list_add(c, row.l, a[1]);
	return out;
}

/* A: slices, fill_with. */
static struct value f_slice(struct tctx *c, struct value self, struct value *a)
{
	struct vlist *l = v_iter(c, self);
	int64_t n = v_index(c, a[0], "slice()");
	struct value out = v_list(c, V_GEN, 0);
	size_t at = 0;

	if (n == 0)
		t_raise(c, "integer division or modulo by zero");
	for (int64_t i = 0; i < n; i++) {
		size_t take = l->n / (size_t)n + ((size_t)i < l->n % (size_t)n);
		struct value row = v_list(c, V_LIST, take);
		for (; take > 0; take--)
			list_add(c, row.l, l->v[at++]);
		if (a[1].type != V_ABSENT && a[1].type != V_NONE && (size_t)i >= l->n % (size_t)n)
			list_add(c, row.l, a[1]);
		list_add(c, out.l, row);
	}
	return out;
}

static struct value f_attr(struct tctx *c, struct value self, struct value *a)
{
	struct value v = absent();
	const struct str *name = v_text(c, a[0]);

	if (self.type == V_UNDEF)
		t_undefined(c, self.u);
	if (self.type != V_MAP || method_find(V_MAP, name) != NULL)
		v = v_getattr(c, self, name);
	return v.type != V_ABSENT ? v : v_undef_attr(c, self, name);
}

/* --- map, select and their kin --- */

static struct args rest_of(const struct args *a, size_t from)
{
	struct args rest = *a;

	rest.pos += from;
	rest.npos -= from;
	return rest;
}

static struct value keyword(const struct args *a, const char *name)
{
	for (size_t i = 0; i < a->nkw; i++)
		if (str_is(a->kw[i].name, name))
			return a->kw[i].v;
	return absent();
}

static struct value f_map(struct tctx *c, struct value self, const struct args *a)
{
	struct vlist *l;
	struct value out = v_list(c, V_GEN, 0), attr = keyword(a, "attribute"), deflt = keyword(a, "default");
	struct args rest;

	if (!v_true(self))
		return out;
	l = v_iter(c, self);
	if (a->npos == 0 && attr.type != V_ABSENT) {
		for (size_t i = 0; i < l->n; i++)
			list_add(c, out.l, attr_of(c, l->v[i], attr, deflt));
		return out;
	}
	if (a->npos == 0 || a->pos[0].type != V_STR)
		t_raise(c, "map requires a filter argument");
	rest = rest_of(a, 1);
	for (size_t i = 0; i < l->n; i++)
		list_add(c, out.l, filter_call(c, a->pos[0].s, l->v[i], &rest));
	return out;
}

/* Items whose attribute (BY_ATTR: the first argument) passes the test that follows, or is true where none does. */
static struct value choose(struct tctx *c, struct value self, const struct args *a, bool by_attr, bool want)
{
	struct vlist *l;
	struct value out = v_list(c, V_GEN, 0);
	size_t at = by_attr ? 1 : 0;
	struct args rest;

	if (!v_true(self))
		return out;
	l = v_iter(c, self);
	if (by_attr && a->npos == 0)
		t_raise(c, "Missing parameter for attribute name");
	if (a->npos > at && a->pos[at].type != V_STR)
		t_raise(c, "No test named '%s'.", v_type(a->pos[at]));
	rest = rest_of(a, a->npos > at ? at + 1 : at);
	for (size_t i = 0; i < l->n; i++) {
		struct value v = by_attr ? attr_of(c, l->v[i], a->pos[0], absent()) : l->v[i];
		bool yes = a->npos > at ? test_call(c, a->pos[at].s, v, &rest) : v_true(v);
		if (yes == want)
			list_add(c, out.l, l->v[i]);
	}
	return out;
}

static struct value f_select(struct tctx *c, struct value self, const struct args *a)
{
	return choose(c, self, a, false, true);
}

static struct value f_reject(struct tctx *c, struct value self, const struct args *a)
{
	return choose(c, self, a, false, false);
}

static struct value f_selectattr(struct tctx *c, struct value self, const struct args *a)
{
	return choose(c, self, a, true, true);
}

static struct value f_rejectattr(struct tctx *c, struct value self, const struct args *a)
{
	return choose(c, self, a, true, false);
}

const struct func list_filters[] = {
	{ "length", "", f_length, NULL },
	{ "count", "", f_length, NULL },
	{ "list", "", f_list, NULL },
	{ "join", "d attribute", f_join, NULL },
	{ "first", "", f_first, NULL },
	{ "last", "", f_last, NULL },
	{ "map", NULL, NULL, f_map },
	{ "select", NULL, NULL, f_select },
	{ "reject", NULL, NULL, f_reject },
	{ "selectattr", NULL, NULL, f_selectattr },
	{ "rejectattr", NULL, NULL, f_rejectattr },
	{ "items", "", f_items, NULL },
	{ "dictsort", "case_sensitive by reverse", f_dictsort, NULL },
	{ "sort", "reverse case_sensitive attribute", f_sort, NULL },
	{ "reverse", "", f_reverse, NULL },
	{ "unique", "case_sensitive attribute", f_unique, NULL },
	{ "groupby", "!attribute default case_sensitive", f_groupby, NULL },
	{ "min", "case_sensitive attribute", f_min, NULL },
	{ "max", "case_sensitive attribute", f_max, NULL },
	{ "sum", "attribute start", f_sum, NULL },
	{ "batch", "!linecount fill_with", f_batch, NULL },
	{ "slice", "!slices fill_with", f_slice, NULL },
	{ "attr", "!name", f_attr, NULL },
	{ NULL, NULL, NULL, NULL }
};

const struct func *filter_find(const char *name, size_t n)
{
	const struct func *f = func_find(text_filters, name, n);

	return f ? f : func_find(list_filters, name, n);
}

struct value filter_call(struct tctx *c, const struct str *name, struct value in, const struct args *a)
{
	const struct func *f = filter_find(name->p, name->n);

	if (f == NULL)
		t_raise(c, "No filter named '%.*s'.", (int)(name->n & 255), name->p);
	t_step(c, 1);
	return call_func(c, f, in, a);
}
