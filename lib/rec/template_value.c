/* SPDX-License-Identifier: Apache-2.0 */
/* Values: making them, Python's truth, equality, order, length and iteration, and dicts. */
#include <math.h>
#include <string.h>
#include "hash.h"
#include "template_value.h"

struct value v_str(const struct str *s)
{
	return (struct value){ .type = V_STR, .s = s };
}

struct value v_lit(struct tctx *c, const char *s)
{
	return v_str(str_lit(c, s));
}

struct value v_int(__int128 i)
{
	return (struct value){ .type = V_INT, .i = i };
}

struct value v_float(double f)
{
	return (struct value){ .type = V_FLOAT, .f = f };
}

struct value v_bool(bool b)
{
	return (struct value){ .type = V_BOOL, .b = b };
}

struct value v_none(void)
{
	return (struct value){ .type = V_NONE };
}

struct value v_list(struct tctx *c, enum vtype t, size_t cap)
{
	struct vlist *l = t_get(c, sizeof *l);

	memset(l, 0, sizeof *l);
	if (cap) {
		if (cap > T_LIVE_MAX / sizeof *l->v)
			t_raise(c, "the template makes too much data (limit: %zu MiB)", T_LIVE_MAX >> 20);
		l->v = t_get(c, cap * sizeof *l->v);
		l->cap = cap;
	}
	return (struct value){ .type = (uint8_t)t, .l = l };
}

void list_add(struct tctx *c, struct vlist *l, struct value v)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 8;
		struct value *p = t_get(c, cap * sizeof *p);
		if (l->n)
			memcpy(p, l->v, l->n * sizeof *p);
		l->v = p;
		l->cap = cap;
	}
	l->v[l->n++] = v;
	t_step(c, 1);
}

static struct value undef(struct tctx *c, struct undef u)
{
	struct undef *p = t_get(c, sizeof *p);

	*p = u;
	return (struct value){ .type = V_UNDEF, .u = p };
}

struct value v_undef_name(struct tctx *c, const struct str *name)
{
	return undef(c, (struct undef){ .why = UNDEF_NAME, .name = name });
}

struct value v_undef_hint(struct tctx *c, const char *hint)
{
	return undef(c, (struct undef){ .why = UNDEF_HINT, .obj = hint });
}

static const char *object_name(struct value v)
{
	switch (v.type) {
	case V_NONE: return "None";
	case V_STR: return v.s->safe ? "Markup object" : "str object";
	case V_INT: return "int object";
	case V_FLOAT: return "float object";
	case V_BOOL: return "bool object";
	case V_LIST: return "list object";
	case V_TUPLE: return "tuple object";
	case V_MAP: return "dict object";
	case V_RANGE: return "range object";
	case V_GEN: return "generator object";
	case V_NS: return "jinja2.utils.Namespace object";
	case V_MACRO: return "jinja2.runtime.Macro object";
	case V_LOOP: return "jinja2.runtime.LoopContext object";
	default: return "object";
	}
}

struct value v_undef_attr(struct tctx *c, struct value obj, const struct str *name)
{
	if (method_unsafe(obj.type, name))
		return undef(c, (struct undef){ .why = UNDEF_UNSAFE, .obj = v_type(obj), .name = name });
	return undef(c, (struct undef){ .why = UNDEF_ATTR, .obj = object_name(obj), .name = name });
}

struct value v_undef_element(struct tctx *c, struct value obj, struct value key)
{
	return undef(c, (struct undef){ .why = UNDEF_ELEMENT, .obj = object_name(obj), .name = v_repr(c, key) });
}

void t_undefined(struct tctx *c, const struct undef *u)
{
	const char *name = u->name ? u->name->p : "";
	int n = u->name ? (int)(u->name->n < 200 ? u->name->n : 200) : 0;

	switch (u->why) {
	case UNDEF_NAME: t_raise(c, "'%.*s' is undefined", n, name);
	case UNDEF_ATTR: t_raise(c, "'%s' has no attribute '%.*s'", u->obj, n, name);
	case UNDEF_UNSAFE: t_raise(c, "access to attribute '%.*s' of '%s' object is unsafe.", n, name, u->obj);
	case UNDEF_ELEMENT: t_raise(c, "%s has no element %.*s", u->obj, n, name);
	default: t_raise(c, "%s", u->obj);
	}
}

const char *v_type(struct value v)
{
	static const char *const names[] = {
		[V_ABSENT] = "Undefined", [V_UNDEF] = "Undefined", [V_NONE] = "NoneType", [V_BOOL] = "bool", [V_INT] = "int", [V_FLOAT] = "float",
		[V_STR] = "str", [V_LIST] = "list", [V_TUPLE] = "tuple", [V_RANGE] = "range", [V_KEYS] = "dict_keys",
		[V_VALUES] = "dict_values", [V_ITEMS] = "dict_items", [V_GEN] = "generator", [V_MAP] = "dict", [V_NS] = "Namespace",
		[V_MACRO] = "Macro", [V_METHOD] = "builtin_function_or_method", [V_FUNC] = "function", [V_LOOP] = "LoopContext",
		[V_CYCLER] = "Cycler", [V_JOINER] = "Joiner",
	};

	return v.type == V_STR && v.s->safe ? "Markup" : names[v.type];
}

bool v_seq(struct value v)
{
	return v.type >= V_LIST && v.type <= V_GEN;
}

bool v_true(struct value v)
{
	switch (v.type) {
	case V_ABSENT: case V_UNDEF: case V_NONE: return false;
	case V_BOOL: return v.b;
	case V_INT: return v.i != 0;
	case V_FLOAT: return v.f != 0;
	case V_STR: return v.s->n != 0;
	case V_MAP: return v.m->n != 0;
	case V_LIST: case V_TUPLE: case V_RANGE: case V_KEYS: case V_VALUES: case V_ITEMS: return v.l->n != 0;
	default: return true;
	}
}

bool v_integer(struct value v, __int128 *i)
{
	if (v.type == V_INT)
		*i = v.i;
	else if (v.type == V_BOOL)
		*i = v.b;
	else
		return false;
	return true;
}

bool v_number(struct value v, double *f)
{
	__int128 i;

	if (v.type == V_FLOAT)
		*f = v.f;
	else if (v_integer(v, &i))
		*f = (double)i;
	else
		return false;
	return true;
}

int64_t v_index(struct tctx *c, struct value v, const char *what)
{
	__int128 i;

	if (v.type == V_UNDEF)
		t_undefined(c, v.u);
	if (!v_integer(v, &i))
		t_raise(c, "%s: '%s' object cannot be interpreted as an integer", what, v_type(v));
	return i > INT64_MAX ? INT64_MAX : i < INT64_MIN ? INT64_MIN : (int64_t)i;
}

/* --- equality and order --- */

static bool lists_equal(struct tctx *c, const struct vlist *a, const struct vlist *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!v_equal(c, a->v[i], b->v[i]))
			return false;
	return true;
}

static bool maps_equal(struct tctx *c, const struct vmap *a, const struct vmap *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		struct value *v = map_find(c, b, a->e[i].k);
		if (v == NULL || !v_equal(c, a->e[i].v, *v))
			return false;
	}
	return true;
}

void t_nest(struct tctx *c)
{
	if (++c->depth > T_EVAL_MAX + T_DATA_MAX)
		t_raise(c, "lists or maps nested too deep");
}

bool v_equal(struct tctx *c, struct value a, struct value b)
{
	double x, y;
	__int128 i, j;
	bool same;

	t_step(c, 1);
	if (v_integer(a, &i) && v_integer(b, &j))
		return i == j;
	if (v_number(a, &x) && v_number(b, &y))
		return x == y;
	if (a.type != b.type)
		return false;
	switch (a.type) {
	case V_UNDEF: case V_NONE: return true;
	case V_STR:
		t_step(c, a.s->n == b.s->n ? a.s->n / 256 : 0);
		return str_eq(a.s, b.s);
	case V_LIST: case V_TUPLE: case V_RANGE: case V_KEYS: case V_ITEMS:
		t_nest(c);
		same = lists_equal(c, a.l, b.l);
		c->depth--;
		return same;
	case V_MAP:
		t_nest(c);
		same = maps_equal(c, a.m, b.m);
		c->depth--;
		return same;
	case V_METHOD:
		return a.method == b.method;
	default:
		return a.l == b.l;
	}
}

static int lists_compare(struct tctx *c, const struct vlist *a, const struct vlist *b, const char *op)
{
	for (size_t i = 0; i < a->n && i < b->n; i++)
		if (!v_equal(c, a->v[i], b->v[i]))
			return v_compare(c, a->v[i], b->v[i], op);
	return (a->n > b->n) - (a->n < b->n);
}

int v_compare(struct tctx *c, struct value a, struct value b, const char *op)
{
	double x, y;
	__int128 i, j;
	int d;

	t_step(c, 1);
	if (a.type == V_UNDEF)
		t_undefined(c, a.u);
	if (b.type == V_UNDEF)
		t_undefined(c, b.u);
	if (v_integer(a, &i) && v_integer(b, &j))
		return (i > j) - (i < j);
	if (v_number(a, &x) && v_number(b, &y))
		return isnan(x) || isnan(y) ? 2 : (x > y) - (x < y);
	if (a.type == V_STR && b.type == V_STR) {
		size_t n = a.s->n < b.s->n ? a.s->n : b.s->n;
		t_step(c, n / 256);
		d = memcmp(a.s->p, b.s->p, n);       /* the order of UTF-8 is that of code points */
		return d ? d : (a.s->n > b.s->n) - (a.s->n < b.s->n);
	}
	if (a.type == b.type && (a.type == V_LIST || a.type == V_TUPLE)) {
		t_nest(c);
		d = lists_compare(c, a.l, b.l, op);
		c->depth--;
		return d;
	}
	t_raise(c, "'%s' not supported between instances of '%s' and '%s'", op, v_type(a), v_type(b));
}

size_t v_len(struct tctx *c, struct value v)
{
	if (v.type == V_STR)
		return str_ncp(c, v.s);
	if (v.type == V_MAP)
		return v.m->n;
	if (v.type == V_UNDEF)
		return v.u->why == UNDEF_UNSAFE ? (t_undefined(c, v.u), 0) : 0;
	if (v.type == V_LOOP || (v_seq(v) && v.type != V_GEN))
		return v.l->n;
	t_raise(c, "object of type '%s' has no len()", v_type(v));
}

bool v_iterable(struct value v)
{
	return v_seq(v) || v.type == V_STR || v.type == V_MAP || v.type == V_UNDEF || v.type == V_LOOP;
}

static struct vlist *characters(struct tctx *c, const struct str *s)
{
	struct value l = v_list(c, V_LIST, str_ncp(c, s));
	int len;

	for (size_t i = 0; i < s->n; i += (size_t)len) {
		cp_get(s->p + i, s->p + s->n, &len);
		list_add(c, l.l, v_str(str_safe(c, str_slice(c, s, i, i + (size_t)len), false)));
	}
	return l.l;
}

struct vlist *v_iter(struct tctx *c, struct value v)
{
	static const struct vlist none;
	struct value keys;

	if (v.type == V_GEN) {
		if (v.l->spent)
			return (struct vlist *)&none;
		v.l->spent = true;
		return v.l;
	}
	if (v_seq(v))
		return v.l;
	if (v.type == V_STR)
		return characters(c, v.s);
	if (v.type == V_UNDEF) {
		if (v.u->why == UNDEF_UNSAFE)
			t_undefined(c, v.u);
		return (struct vlist *)&none;
	}
	if (v.type != V_MAP)
		t_raise(c, "'%s' object is not iterable", v_type(v));
	keys = v_list(c, V_LIST, v.m->n);
	for (size_t i = 0; i < v.m->n; i++)
		list_add(c, keys.l, v.m->e[i].k);
	return keys.l;
}

/* --- dicts --- */

struct value v_map(struct tctx *c)
{
	struct vmap *m = t_get(c, sizeof *m);

	memset(m, 0, sizeof *m);
	return (struct value){ .type = V_MAP, .m = m };
}

/* Equal keys have equal hashes: 1, 1.0 and true are one key. */
static uint64_t key_hash(struct tctx *c, struct value k)
{
	uint64_t h = 0;
	double f;

	if (v_number(k, &f))
		return f == 0 ? 7 : hash64(&f, sizeof f, 1);
	switch (k.type) {
	case V_STR:
		return hash64(k.s->p, k.s->n, 2);
	case V_UNDEF: case V_NONE:
		return k.type;
	case V_TUPLE:
		t_nest(c);
		for (size_t i = 0; i < k.l->n; i++)
			h = h * 31 + key_hash(c, k.l->v[i]);
		c->depth--;
		return h;
	case V_LIST: case V_MAP: case V_KEYS: case V_VALUES: case V_ITEMS:
		t_raise(c, "unhashable type: '%s'", v_type(k));
	default:
		return hash64(&k.l, sizeof k.l, 3);
	}
}

static uint32_t *map_slot(struct tctx *c, const struct vmap *m, struct value k, uint64_t h)
{
	size_t i = h & (m->nslots - 1);

	while (m->slot[i] != 0 && !v_equal(c, m->e[m->slot[i] - 1].k, k))
		i = (i + 1) & (m->nslots - 1);
	return &m->slot[i];
}

struct value *map_find(struct tctx *c, const struct vmap *m, struct value k)
{
	uint64_t h = 0;

	if (k.type != V_STR || m->slot != NULL)
		h = key_hash(c, k);
	if (m->slot != NULL) {
		uint32_t at = *map_slot(c, m, k, h);
		return at ? &m->e[at - 1].v : NULL;
	}
	for (size_t i = 0; i < m->n; i++)
		if (k.type == V_STR ? m->e[i].k.type == V_STR && str_eq(m->e[i].k.s, k.s) : v_equal(c, m->e[i].k, k))
			return &m->e[i].v;
	return NULL;
}

static void map_grow(struct tctx *c, struct vmap *m)
{
	size_t cap = m->cap ? m->cap * 2 : 4;
	struct pair *e = t_get(c, cap * sizeof *e);

	if (m->n)
		memcpy(e, m->e, m->n * sizeof *e);
	m->e = e;
	m->cap = cap;
	if (cap <= 8)
		return;
	m->nslots = cap * 2;
	m->slot = t_get(c, m->nslots * sizeof *m->slot);
	memset(m->slot, 0, m->nslots * sizeof *m->slot);
	for (size_t i = 0; i < m->n; i++)
		*map_slot(c, m, m->e[i].k, key_hash(c, m->e[i].k)) = (uint32_t)i + 1;
}

void map_put(struct tctx *c, struct vmap *m, struct value k, struct value v)
{
	struct value *old = map_find(c, m, k);

	if (old != NULL) {
		*old = v;
		return;
	}
	if (m->n == m->cap)
		map_grow(c, m);
	m->e[m->n++] = (struct pair){ k, v };
	if (m->slot != NULL)
		*map_slot(c, m, k, key_hash(c, k)) = (uint32_t)m->n;
	t_step(c, 1);
}

struct value *map_name(struct tctx *c, const struct vmap *m, const char *k)
{
	struct str s = { .p = k, .n = strlen(k), .ncp = T_NOARG, .msg = T_OWN };

	return map_find(c, m, v_str(&s));
}
