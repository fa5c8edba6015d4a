/* SPDX-License-Identifier: Apache-2.0 */
/* Methods of dicts, lists, loops, cyclers and numbers, and which methods there are for what. */
#include <math.h>
#include <string.h>
#include "template_value.h"

/* --- dicts --- */

static struct value m_get(struct tctx *c, struct value self, struct value *a)
{
	struct value *v = map_find(c, self.m, a[0]);

	return v != NULL ? *v : a[1].type == V_ABSENT ? v_none() : a[1];
}

static struct value view(struct tctx *c, const struct vmap *m, enum vtype type)
{
	struct value out = v_list(c, type, m->n);

	for (size_t i = 0; i < m->n; i++) {
		if (type != V_ITEMS) {
			list_add(c, out.l, type == V_KEYS ? m->e[i].k : m->e[i].v);
			continue;
		}
		struct value pair = v_list(c, V_TUPLE, 2);
		list_add(c, pair.l, m->e[i].k);
		list_add(c, pair.l, m->e[i].v);
		list_add(c, out.l, pair);
	}
	return out;
}

static struct value m_keys(struct tctx *c, struct value self, struct value *a)
{
	(void)a;
	return view(c, self.m, V_KEYS);
}

static struct value m_values(struct tctx *c, struct value self, struct value *a)
{
	(void)a;
	return view(c, self.m, V_VALUES);
}

static struct value m_items(struct tctx *c, struct value self, struct value *a)
{
	(void)a;
	return view(c, self.m, V_ITEMS);
}

static struct value m_copy(struct tctx *c, struct value self, struct value *a)
{
	struct value m = v_map(c);

	(void)a;
	for (size_t i = 0; i < self.m->n; i++)
		map_put(c, m.m, self.m->e[i].k, self.m->e[i].v);
	return m;
}

const struct func map_methods[] = {
	{ "get", "!key default", m_get, NULL },
	{ "items", "", m_items, NULL },
	{ "keys", "", m_keys, NULL },
	{ "values", "", m_values, NULL },
	{ "copy", "", m_copy, NULL },
	{ NULL, NULL, NULL, NULL }
};

/* --- lists --- */

static struct value l_index(struct tctx *c, struct value self, struct value *a)
{
	int64_t n = (int64_t)self.l->n, i = a[1].type == V_ABSENT ? 0 : v_index(c, a[1], "index()"), j = a[2].type == V_ABSENT ? n : v_index(c, a[2], "index()");

	i = i < 0 ? (i + n < 0 ? 0 : i + n) : i;
	j = j < 0 ? j + n : j > n ? n : j;
	for (; i < j; i++)
		if (v_equal(c, self.l->v[i], a[0]))
			return v_int(i);
	t_raise(c, "the value is not in the %s", v_type(self));
}

static struct value l_count(struct tctx *c, struct value self, struct value *a)
{
	__int128 n = 0;

	for (size_t i = 0; i < self.l->n; i++)
		n += v_equal(c, self.l->v[i], a[0]);
	return v_int(n);
}

static struct value l_copy(struct tctx *c, struct value self, struct value *a)
{
	struct value out = v_list(c, V_LIST, self.l->n);

	(void)a;
	for (size_t i = 0; i < self.l->n; i++)
		list_add(c, out.l, self.l->v[i]);
	return out;
}

const struct func list_methods[] = {
	{ "index", "!value start stop", l_index, NULL },
	{ "count", "!value", l_count, NULL },
	{ "copy", "", l_copy, NULL },
	{ NULL, NULL, NULL, NULL }
};

/* --- loops and cyclers --- */

static struct value loop_cycle(struct tctx *c, struct value self, const struct args *a)
{
	if (a->npos == 0)
		t_raise(c, "no items for cycling given");
	return a->pos[self.loop->at % a->npos];
}

static struct value loop_changed(struct tctx *c, struct value self, const struct args *a)
{
	struct value now = v_list(c, V_TUPLE, a->npos);

	for (size_t i = 0; i < a->npos; i++)
		list_add(c, now.l, a->pos[i]);
	if (self.loop->changed.type != V_ABSENT && v_equal(c, self.loop->changed, now))
		return v_bool(false);
	self.loop->changed = now;
	return v_bool(true);
}

static struct value cycler_next(struct tctx *c, struct value self, struct value *a)
{
	struct cycler *y = self.cycler;
	struct value v = y->items->v[y->at];

	(void)c; (void)a;
	y->at = (y->at + 1) % y->items->n;
	return v;
}

static struct value cycler_reset(struct tctx *c, struct value self, struct value *a)
{
	(void)c; (void)a;
	self.cycler->at = 0;
	return v_none();
}

static struct value float_is_integer(struct tctx *c, struct value self, struct value *a)
{
	(void)c; (void)a;
	return v_bool(self.type == V_INT || (isfinite(self.f) && self.f == floor(self.f)));
}

const struct func *method_find(enum vtype t, const struct str *name)
{
	static const struct func loop_methods[] = {
		{ "cycle", NULL, NULL, loop_cycle }, { "changed", NULL, NULL, loop_changed }, { NULL, NULL, NULL, NULL }
	};
	static const struct func cycler_methods[] = {
		{ "next", "", cycler_next, NULL }, { "reset", "", cycler_reset, NULL }, { NULL, NULL, NULL, NULL }
	};
	static const struct func number_methods[] = { { "is_integer", "", float_is_integer, NULL }, { NULL, NULL, NULL, NULL } };
	const struct func *f;

	switch (t) {
	case V_STR: return func_find(str_methods, name->p, name->n);
	case V_MAP: return func_find(map_methods, name->p, name->n);
	case V_LIST: return func_find(list_methods, name->p, name->n);
	case V_TUPLE: case V_RANGE:
		f = func_find(list_methods, name->p, name->n);
		return f != NULL && strcmp(f->name, "copy") != 0 ? f : NULL;
	case V_LOOP: return func_find(loop_methods, name->p, name->n);
	case V_CYCLER: return func_find(cycler_methods, name->p, name->n);
	case V_FLOAT: case V_INT: return func_find(number_methods, name->p, name->n);
	default: return NULL;
	}
}

bool method_unsafe(enum vtype t, const struct str *name)
{
	static const char *const of_map[] = { "clear", "pop", "popitem", "setdefault", "update", NULL };
	static const char *const of_list[] = { "append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort", NULL };
	const char *const *list = t == V_MAP ? of_map : t == V_LIST ? of_list : NULL;

	if (name->n > 4 && memcmp(name->p, "__", 2) == 0 && memcmp(name->p + name->n - 2, "__", 2) == 0)
		return true;
	for (int i = 0; list && list[i]; i++)
		if (str_is(name, list[i]))
			return true;
	return false;
}
