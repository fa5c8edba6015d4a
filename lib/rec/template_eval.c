/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions: the walk over their tree. */
#include <string.h>
#include "json.h"
#include "template_ast.h"

void deeper(struct tctx *c)
{
	if (++c->depth > T_EVAL_MAX)
		t_raise(c, "expressions or calls nested too deep (limit: %d levels)", T_EVAL_MAX);
	t_step(c, 1);
}

/* --- variables --- */

struct value *scope_find(struct scope *s, int id)
{
	for (; s != NULL; s = s->up)
		for (int i = s->n - 1; i >= 0; i--)
			if (s->b[i].id == id)
				return &s->b[i].v;
	return NULL;
}

void scope_set(struct tctx *c, struct scope *s, int id, struct value v)
{
	for (int i = 0; i < s->n; i++)
		if (s->b[i].id == id) {
			s->b[i].v = v;
			return;
		}
	if (s->n == s->cap) {
		int cap = s->cap ? s->cap * 2 : 4;
		struct binding *b = t_get(c, (size_t)cap * sizeof *b);
		if (s->n)
			memcpy(b, s->b, (size_t)s->n * sizeof *b);
		s->b = b;
		s->cap = cap;
	}
	s->b[s->n++] = (struct binding){ id, v };
}

struct scope *scope_new(struct tctx *c, struct scope *up)
{
	struct scope *s = t_get(c, sizeof *s);

	memset(s, 0, sizeof *s);
	s->up = up;
	return s;
}

static struct value from_json(struct tctx *c, const struct json *j, int32_t msg);

static struct value json_number(struct tctx *c, const struct json *j)
{
	__int128 i;
	double f;

	if (memchr(j->s, '.', j->n) || memchr(j->s, 'e', j->n) || memchr(j->s, 'E', j->n)) {
		if (!py_parse_float(j->s, j->n, &f))
			t_raise(c, "a number of the record cannot be read");
		return v_float(f);
	}
	if (!py_parse_int(j->s, j->n, 10, &i))
		t_raise(c, "a number of the record is too large (limit: 127 bits)");
	return v_int(i);
}

static struct value json_str(struct tctx *c, const char *p, size_t n, int32_t msg)
{
	struct str *s = t_get(c, sizeof *s);

	*s = (struct str){ .p = p, .n = n, .ncp = T_NOARG, .msg = n ? msg : T_OWN };
	return v_str(s);
}

/* A role that is a plain word is the template's own (it makes up tokens like <|user|> with it); any other is what a message says. */
static bool plain_word(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!((p[i] | 32) >= 'a' && (p[i] | 32) <= 'z') && !(p[i] >= '0' && p[i] <= '9') && p[i] != '_' && p[i] != '-')
			return false;
	return n > 0 && n <= 32;
}

static struct value message(struct tctx *c, const struct json *j, int32_t msg)
{
	struct value v = from_json(c, j, msg), *role;

	if (v.type != V_MAP || (role = map_name(c, v.m, "role")) == NULL || role->type != V_STR)
		return v;
	if (plain_word(role->s->p, role->s->n))
		*role = json_str(c, role->s->p, role->s->n, T_OWN);
	return v;
}

static struct value from_json(struct tctx *c, const struct json *j, int32_t msg)
{
	struct value v;

	switch (j->type) {
	case JSON_NULL: return v_none();
	case JSON_BOOL: return v_bool(j->b);
	case JSON_NUM: return json_number(c, j);
	case JSON_STR: return json_str(c, j->s, j->n, msg);
	case JSON_ARR:
		v = v_list(c, V_LIST, j->n);
		for (size_t i = 0; i < j->n; i++)
			list_add(c, v.l, from_json(c, &j->item[i], msg));
		return v;
	default:
		v = v_map(c);
		for (size_t i = 0; i < j->n; i++)
			map_put(c, v.m, json_str(c, j->member[i].key, j->member[i].nkey, msg), from_json(c, &j->member[i].value, msg));
		return v;
	}
}

static struct value variable(struct tctx *c, const struct str *name)
{
	const struct json *j = json_get(c->vars, name->p);
	const struct func *f;
	struct value v;

	if (j == NULL && (j = json_get(c->data, name->p)) != NULL)
		return from_json(c, j, T_DATA);
	if (j == NULL) {
		f = global_find(name);
		return f ? (struct value){ .type = V_FUNC, .func = f } : v_undef_name(c, name);
	}
	if (j->type != JSON_ARR || !str_is(name, "messages"))
		return from_json(c, j, str_is(name, "messages") || str_is(name, "tools") || str_is(name, "documents") ? T_DATA : T_OWN);
	v = v_list(c, V_LIST, j->n);
	for (size_t i = 0; i < j->n; i++)
		list_add(c, v.l, message(c, &j->item[i], (int32_t)i));
	return v;
}

static struct value name_value(struct tctx *c, const struct node *n, struct scope *s)
{
	struct value *v = scope_find(s, n->id);

	if (v != NULL)
		return *v;
	if (c->global[n->id].type == V_ABSENT)
		c->global[n->id] = variable(c, n->name);
	return c->global[n->id];
}

/* --- compound expressions --- */

static void add_star(struct tctx *c, struct value list, struct args *out, size_t *cap)
{
	struct vlist *l = v_iter(c, list);

	if (out->npos + l->n > *cap) {
		struct value *v = t_get(c, (out->npos + l->n + *cap) * sizeof *v);
		if (out->npos)
			memcpy(v, out->pos, out->npos * sizeof *v);
		*cap += out->npos + l->n;
		out->pos = v;
	}
	for (size_t i = 0; i < l->n; i++)
		out->pos[out->npos++] = l->v[i];
}

static void add_starstar(struct tctx *c, struct value map, struct args *out, size_t room)
{
	struct kwarg *kw;

	if (map.type != V_MAP)
		t_raise(c, "argument after ** must be a mapping, not %s", v_type(map));
	kw = t_get(c, (out->nkw + map.m->n + room) * sizeof *kw);
	if (out->nkw)
		memcpy(kw, out->kw, out->nkw * sizeof *kw);
	out->kw = kw;
	for (size_t i = 0; i < map.m->n; i++) {
		if (map.m->e[i].k.type != V_STR)
			t_raise(c, "keywords must be strings");
		out->kw[out->nkw++] = (struct kwarg){ map.m->e[i].k.s, map.m->e[i].v };
	}
}

void eval_args(struct tctx *c, const struct nodes *kids, struct scope *s, struct args *out)
{
	size_t cap = (size_t)kids->n;

	memset(out, 0, sizeof *out);
	if (cap == 0)
		return;
	out->pos = t_get(c, cap * sizeof *out->pos);
	out->kw = t_get(c, cap * sizeof *out->kw);
	for (int i = 0; i < kids->n; i++) {
		const struct node *k = kids->v[i];
		size_t left = (size_t)(kids->n - i);
		struct value v;

		deeper(c);
		v = eval(c, k->kind == N_KEYWORD || k->kind == N_STAR || k->kind == N_STARSTAR ? k->a : k, s);
		c->depth--;
		if (k->kind == N_KEYWORD)
			out->kw[out->nkw++] = (struct kwarg){ k->name, v };
		else if (k->kind == N_STAR)
			add_star(c, v, out, &cap);
		else if (k->kind == N_STARSTAR)
			add_starstar(c, v, out, left);
		else
			out->pos[out->npos++] = v;
	}
}

static struct value eval_list(struct tctx *c, const struct node *n, struct scope *s)
{
	struct value v = v_list(c, n->kind == N_LIST ? V_LIST : V_TUPLE, (size_t)n->kids.n);

	for (int i = 0; i < n->kids.n; i++)
		list_add(c, v.l, eval(c, n->kids.v[i], s));
	return v;
}

static struct value eval_dict(struct tctx *c, const struct node *n, struct scope *s)
{
	struct value m = v_map(c);

	for (int i = 0; i < n->kids.n; i += 2) {
		struct value k = eval(c, n->kids.v[i], s);
		map_put(c, m.m, k, eval(c, n->kids.v[i + 1], s));
	}
	return m;
}

static struct value eval_concat(struct tctx *c, const struct node *n, struct scope *s)
{
	const struct str *t = str_safe(c, v_text(c, eval(c, n->kids.v[0], s)), false);

	for (int i = 1; i < n->kids.n; i++)
		t = str_concat(c, t, str_safe(c, v_text(c, eval(c, n->kids.v[i], s)), false));
	return v_str(t);
}

static struct value eval_compare(struct tctx *c, const struct node *n, struct scope *s)
{
	struct value a = eval(c, n->a, s);

	for (int i = 0; i < n->kids.n; i++) {
		struct value b = eval(c, n->kids.v[i]->a, s);
		if (!op_compare(c, n->kids.v[i]->op, a, b))
			return v_bool(false);
		a = b;
	}
	return v_bool(true);
}

static struct value eval_call(struct tctx *c, const struct node *n, struct scope *s)
{
	struct value f = eval(c, n->a, s);
	struct args args;

	eval_args(c, &n->kids, s, &args);
	c->line = n->line;
	return v_call(c, f, &args);
}

static struct value eval_filter(struct tctx *c, const struct node *n, struct scope *s)
{
	struct value in = eval(c, n->a, s);
	struct args args;

	eval_args(c, &n->kids, s, &args);
	c->line = n->line;
	if (n->v.func == NULL)
		t_raise(c, "No filter named '%.*s'.", (int)(n->name->n & 255), n->name->p);
	return call_func(c, n->v.func, in, &args);
}

static struct value eval_test(struct tctx *c, const struct node *n, struct scope *s)
{
	struct value in = eval(c, n->a, s);
	struct args args;

	eval_args(c, &n->kids, s, &args);
	c->line = n->line;
	if (n->v.func == NULL)
		t_raise(c, "No test named '%.*s'.", (int)(n->name->n & 255), n->name->p);
	return v_bool(v_true(call_func(c, n->v.func, in, &args)) != (n->op != 0));
}

static struct value eval_slice(struct tctx *c, const struct node *n, struct scope *s)
{
	struct value obj = eval(c, n->a, s), part[3];

	for (int i = 0; i < 3; i++) {
		part[i].type = V_ABSENT;
		if (n->kids.v[i] != NULL)
			part[i] = eval(c, n->kids.v[i], s);
	}
	return v_slice(c, obj, part[0], part[1], part[2]);
}

static struct value eval_if(struct tctx *c, const struct node *n, struct scope *s)
{
	if (v_true(eval(c, n->b, s)))
		return eval(c, n->a, s);
	if (n->c != NULL)
		return eval(c, n->c, s);
	return v_undef_hint(c, "the inline if-expression evaluated to false and no else section was defined.");
}

static struct value eval_node(struct tctx *c, const struct node *n, struct scope *s)
{
	struct value a;

	switch (n->kind) {
	case N_CONST: return n->v;
	case N_NAME: return name_value(c, n, s);
	case N_LIST: case N_TUPLE: return eval_list(c, n, s);
	case N_DICT: return eval_dict(c, n, s);
	case N_CONCAT: return eval_concat(c, n, s);
	case N_COMPARE: return eval_compare(c, n, s);
	case N_CALL: return eval_call(c, n, s);
	case N_FILTER: return eval_filter(c, n, s);
	case N_TEST: return eval_test(c, n, s);
	case N_SLICE: return eval_slice(c, n, s);
	case N_IF_EXPR: return eval_if(c, n, s);
	case N_NOT: return v_bool(!v_true(eval(c, n->a, s)));
	case N_AND:
		a = eval(c, n->a, s);
		return v_true(a) ? eval(c, n->b, s) : a;
	case N_OR:
		a = eval(c, n->a, s);
		return v_true(a) ? a : eval(c, n->b, s);
	case N_ATTR: return v_getattr(c, eval(c, n->a, s), n->name);
	case N_ITEM:
		a = eval(c, n->a, s);
		return v_getitem(c, a, eval(c, n->b, s));
	case N_UNARY: return op_unary(c, n->op, eval(c, n->a, s));
	case N_BINARY:
		a = eval(c, n->a, s);
		return op_binary(c, n->op, a, eval(c, n->b, s));
	default: t_raise(c, "not an expression");
	}
}

struct value eval(struct tctx *c, const struct node *n, struct scope *s)
{
	struct value v;

	if (n->kind == N_CONST)
		return n->v;
	deeper(c);
	c->line = n->line;
	v = eval_node(c, n, s);
	c->depth--;
	return v;
}
