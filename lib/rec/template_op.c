/* SPDX-License-Identifier: Apache-2.0 */
/* Operators, subscripts and attributes, with Python's results and messages. */
#include <math.h>
#include <string.h>
#include "template_ast.h"

static const char *op_name(int op)
{
	switch (op) {
	case '+': return "+";
	case '-': return "-";
	case '*': return "*";
	case '/': return "/";
	case '%': return "%";
	case OP2('/', '/'): return "//";
	default: return "** or pow()";
	}
}

static _Noreturn void unsupported(struct tctx *c, int op, struct value a, struct value b)
{
	t_raise(c, "unsupported operand type(s) for %s: '%s' and '%s'", op_name(op), v_type(a), v_type(b));
}

static struct value int_pow(struct tctx *c, __int128 a, __int128 n)
{
	__int128 r = 1;

	if (a == 0 || a == 1 || a == -1)
		return v_int(n == 0 ? 1 : a == -1 && n % 2 == 0 ? 1 : a);
	for (; n > 0; n--)
		if (__builtin_mul_overflow(r, a, &r))
			t_raise(c, "a whole number grows too large (limit: 127 bits)");
	return v_int(r);
}

static __int128 floor_div(__int128 a, __int128 b)
{
	__int128 q = a / b;

	return q - (a % b != 0 && (a < 0) != (b < 0));
}

static struct value int_op(struct tctx *c, int op, __int128 a, __int128 b)
{
	const __int128 least = (__int128)((unsigned __int128)1 << 127);
	__int128 r = 0;
	bool over = false;

	if (b == 0 && (op == '/' || op == '%' || op == OP2('/', '/')))
		t_raise(c, op == '/' ? "division by zero" : op == '%' ? "integer modulo by zero" : "integer division or modulo by zero");
	switch (op) {
	case '+': over = __builtin_add_overflow(a, b, &r); break;
	case '-': over = __builtin_sub_overflow(a, b, &r); break;
	case '*': over = __builtin_mul_overflow(a, b, &r); break;
	case '/': return v_float((double)a / (double)b);
	case OP2('/', '/'):
		over = a == least && b == -1;
		r = over ? 0 : floor_div(a, b);
		break;
	case '%': r = b == -1 ? 0 : a - floor_div(a, b) * b; break;
	default:
		if (b >= 0)
			return int_pow(c, a, b);
		if (a == 0)
			t_raise(c, "zero to a negative power");
		return v_float(pow((double)a, (double)b));
	}
	if (over)
		t_raise(c, "a whole number grows too large (limit: 127 bits)");
	return v_int(r);
}

static struct value float_op(struct tctx *c, int op, double a, double b)
{
	double m;

	if (b == 0 && (op == '/' || op == '%' || op == OP2('/', '/')))
		t_raise(c, "%s", op == '/' ? "float division by zero" : op == '%' ? "float modulo" : "float floor division by zero");
	switch (op) {
	case '+': return v_float(a + b);
	case '-': return v_float(a - b);
	case '*': return v_float(a * b);
	case '/': return v_float(a / b);
	case OP2('/', '/'): case '%':
		m = fmod(a, b);
		if (m != 0 && (m < 0) != (b < 0))
			m += b;
		else if (m == 0)
			m = copysign(0, b);
		return v_float(op == '%' ? m : floor((a - m) / b + 0.5));
	default:
		if (a == 0 && b < 0)
			t_raise(c, "zero to a negative power");
		if (a < 0 && isfinite(a) && b != floor(b))
			t_raise(c, "a negative number to a fractional power");
		m = pow(a, b);
		if (isinf(m) && isfinite(a) && isfinite(b))
			t_raise(c, "Numerical result out of range");
		return v_float(m);
	}
}

static struct value repeat(struct tctx *c, struct value seq, __int128 times)
{
	struct sb b = {0};
	struct value out;
	size_t n = times < 0 ? 0 : times > (__int128)T_TEXT_MAX ? T_TEXT_MAX + 1 : (size_t)times;

	if (seq.type == V_STR) {
		sb_fill(c, &b, seq.s, n);
		return v_str(str_safe(c, sb_str(c, &b), seq.s->safe));
	}
	out = v_list(c, seq.type, 0);
	for (; n > 0 && seq.l->n > 0; n--)
		for (size_t i = 0; i < seq.l->n; i++)
			list_add(c, out.l, seq.l->v[i]);
	return out;
}

static struct value plus(struct tctx *c, struct value a, struct value b)
{
	struct value out;

	if (a.type == V_STR && b.type == V_STR) {
		if (a.s->safe == b.s->safe)
			return v_str(str_concat(c, a.s, b.s));
		return v_str(str_concat(c, str_escape(c, a.s), str_escape(c, b.s)));
	}
	if (a.type == V_STR)
		t_raise(c, "can only concatenate str (not \"%s\") to str", v_type(b));
	if ((a.type != V_LIST && a.type != V_TUPLE))
		unsupported(c, '+', a, b);
	if (a.type != b.type)
		t_raise(c, "can only concatenate %s (not \"%s\") to %s", v_type(a), v_type(b), v_type(a));
	out = v_list(c, a.type, a.l->n + b.l->n);
	for (size_t i = 0; i < a.l->n; i++)
		list_add(c, out.l, a.l->v[i]);
	for (size_t i = 0; i < b.l->n; i++)
		list_add(c, out.l, b.l->v[i]);
	return out;
}

static bool repeats(struct value v)
{
	return v.type == V_STR || v.type == V_LIST || v.type == V_TUPLE;
}

struct value op_binary(struct tctx *c, int op, struct value a, struct value b)
{
	double x, y;
	__int128 i, j;

	if (a.type == V_STR && op == '%')
		return format_percent(c, a.s, b);
	if (a.type == V_UNDEF)
		t_undefined(c, a.u);
	if (b.type == V_UNDEF)
		t_undefined(c, b.u);
	if (v_integer(a, &i) && v_integer(b, &j))
		return int_op(c, op, i, j);
	if (v_number(a, &x) && v_number(b, &y))
		return float_op(c, op, x, y);
	if (op == '+')
		return plus(c, a, b);
	if (op == '*' && repeats(a) && v_integer(b, &j))
		return repeat(c, a, j);
	if (op == '*' && repeats(b) && v_integer(a, &i))
		return repeat(c, b, i);
	if (op == '*' && repeats(a))
		t_raise(c, "can't multiply sequence by non-int of type '%s'", v_type(b));
	unsupported(c, op, a, b);
}

struct value op_unary(struct tctx *c, int op, struct value a)
{
	__int128 i;

	if (a.type == V_UNDEF)
		t_undefined(c, a.u);
	if (a.type == V_FLOAT)
		return v_float(op == '-' ? -a.f : a.f);
	if (!v_integer(a, &i))
		t_raise(c, "bad operand type for unary %c: '%s'", op, v_type(a));
	return op == '-' ? int_op(c, '-', 0, i) : v_int(i);
}

bool op_in(struct tctx *c, struct value a, struct value b)
{
	struct vlist *l;

	if (b.type == V_STR) {
		if (a.type != V_STR)
			t_raise(c, "'in <string>' requires string as left operand, not %s", v_type(a));
		return str_find(c, b.s, a.s, 0, b.s->n) != T_NOARG;
	}
	if (b.type == V_MAP)
		return map_find(c, b.m, a) != NULL;
	if (!v_iterable(b))
		t_raise(c, "argument of type '%s' is not iterable", v_type(b));
	l = v_iter(c, b);
	for (size_t i = 0; i < l->n; i++)
		if (v_equal(c, l->v[i], a))
			return true;
	return false;
}

bool op_compare(struct tctx *c, int op, struct value a, struct value b)
{
	char text[3] = { (char)(op & 255), (char)(op >> 8 & 255), 0 };
	int d;

	switch (op) {
	case OP2('=', '='): return v_equal(c, a, b);
	case OP2('!', '='): return !v_equal(c, a, b);
	case OP_IN: return op_in(c, a, b);
	case OP_NOT_IN: return !op_in(c, a, b);
	default: break;
	}
	d = v_compare(c, a, b, text);
	if (d == 2 && (a.type == V_FLOAT || b.type == V_FLOAT))
		return false;
	return op == '<' ? d < 0 : op == '>' ? d > 0 : op == OP2('<', '=') ? d <= 0 : d >= 0;
}

/* --- attributes --- */

static struct value loop_attr(struct tctx *c, struct loop *l, const struct str *name)
{
	size_t n = l->items->n;

	if (str_is(name, "index")) return v_int((__int128)l->at + 1);
	if (str_is(name, "index0")) return v_int((__int128)l->at);
	if (str_is(name, "revindex")) return v_int((__int128)(n - l->at));
	if (str_is(name, "revindex0")) return v_int((__int128)(n - l->at) - 1);
	if (str_is(name, "first")) return v_bool(l->at == 0);
	if (str_is(name, "last")) return v_bool(l->at + 1 == n);
	if (str_is(name, "length")) return v_int((__int128)n);
	if (str_is(name, "depth")) return v_int(l->depth + 1);
	if (str_is(name, "depth0")) return v_int(l->depth);
	if (str_is(name, "previtem"))
		return l->at > 0 ? l->items->v[l->at - 1] : v_undef_hint(c, "there is no previous item");
	if (str_is(name, "nextitem"))
		return l->at + 1 < n ? l->items->v[l->at + 1] : v_undef_hint(c, "there is no next item");
	return (struct value){ .type = V_ABSENT };
}

static struct value macro_attr(const struct macro *m, const struct str *name)
{
	if (str_is(name, "name")) return v_str(m->node->name);
	if (str_is(name, "caller")) return v_bool(m->node->uses_caller);
	if (str_is(name, "catch_varargs")) return v_bool(m->node->uses_varargs);
	if (str_is(name, "catch_kwargs")) return v_bool(m->node->uses_kwargs);
	return (struct value){ .type = V_ABSENT };
}

/* What Python's getattr() finds; V_ABSENT: nothing. */
static struct value own_attr(struct tctx *c, struct value obj, const struct str *name)
{
	struct value none = { .type = V_ABSENT }, *v;
	const struct func *f;

	if (obj.type == V_LOOP && (none = loop_attr(c, obj.loop, name)).type != V_ABSENT)
		return none;
	if (obj.type == V_MACRO)
		return macro_attr(obj.macro, name);
	if (obj.type == V_NS)
		return (v = map_find(c, obj.m, v_str(name))) != NULL ? *v : none;
	if (obj.type == V_CYCLER && str_is(name, "current"))
		return obj.cycler->items->v[obj.cycler->at];
	if (obj.type == V_TUPLE && obj.l->group && (str_is(name, "grouper") || str_is(name, "list")))
		return obj.l->v[str_is(name, "list")];
	if ((f = method_find(obj.type, name)) != NULL) {
		struct method *m = t_get(c, sizeof *m);
		*m = (struct method){ obj, f };
		return (struct value){ .type = V_METHOD, .method = m };
	}
	return none;
}

static bool is_dunder(const struct str *name)
{
	return name->n > 4 && memcmp(name->p, "__", 2) == 0 && memcmp(name->p + name->n - 2, "__", 2) == 0;
}

struct value v_getattr(struct tctx *c, struct value obj, const struct str *name)
{
	struct value v;

	if (obj.type == V_UNDEF)
		t_undefined(c, obj.u);
	v = own_attr(c, obj, name);
	if (v.type != V_ABSENT)
		return v;
	if (obj.type == V_MAP && !is_dunder(name) && !method_unsafe(V_MAP, name)) {
		struct value *item = map_find(c, obj.m, v_str(name));
		if (item != NULL)
			return *item;
	}
	return v_undef_attr(c, obj, name);
}

/* --- subscripts --- */

static struct value element(struct tctx *c, struct value obj, struct value key)
{
	int64_t i = v_index(c, key, "index"), n = (int64_t)v_len(c, obj);
	size_t at;

	if (i < 0)
		i += n;
	if (i < 0 || i >= n)
		return v_undef_element(c, obj, key);
	if (obj.type != V_STR)
		return obj.l->v[i];
	at = str_at(c, obj.s, (size_t)i);
	return v_str(str_slice(c, obj.s, at, str_at(c, obj.s, (size_t)i + 1)));
}

static bool hashable(struct value v)
{
	if (v.type != V_TUPLE)
		return v.type != V_LIST && v.type != V_MAP && v.type != V_NS;
	for (size_t i = 0; i < v.l->n; i++)
		if (v.l->v[i].type == V_TUPLE || !hashable(v.l->v[i]))
			return false;
	return true;
}

struct value v_getitem(struct tctx *c, struct value obj, struct value key)
{
	__int128 i;
	struct value v, *item;

	if (obj.type == V_UNDEF)
		t_undefined(c, obj.u);
	if (obj.type == V_MAP && hashable(key) && (item = map_find(c, obj.m, key)) != NULL)
		return *item;
	if ((obj.type == V_STR || obj.type == V_LIST || obj.type == V_TUPLE || obj.type == V_RANGE) && v_integer(key, &i))
		return element(c, obj, key);
	if (key.type != V_STR)
		return v_undef_element(c, obj, key);
	v = own_attr(c, obj, key.s);
	return v.type != V_ABSENT ? v : v_undef_attr(c, obj, key.s);
}

/* A bound of a slice: VALUE, or DEFLT where it was left out; negative ones count from the end. */
static int64_t bound(struct tctx *c, struct value v, int64_t deflt, int64_t lo, int64_t hi, int64_t n)
{
	int64_t i;

	if (v.type == V_ABSENT || v.type == V_NONE)
		return deflt;
	i = v_index(c, v, "slice indices must be integers or None");
	if (i < 0)
		i += n;
	return i < lo ? lo : i > hi ? hi : i;
}

static struct value slice_str(struct tctx *c, const struct str *s, int64_t a, int64_t b, int64_t step)
{
	struct sb out = {0};

	if (step == 1) {
		size_t from = str_at(c, s, (size_t)a);
		return v_str(b <= a ? str_slice(c, s, from, from) : str_slice(c, s, from, str_at(c, s, (size_t)b)));
	}
	if (str_ncp(c, s) == s->n) {
		for (int64_t i = a; step > 0 ? i < b : i > b; i += step)
			sb_sub(c, &out, s, (size_t)i, (size_t)i + 1);
	} else {
		struct vlist *chars = v_iter(c, v_str(s));
		for (int64_t i = a; step > 0 ? i < b : i > b; i += step)
			sb_strv(c, &out, chars->v[i].s);
	}
	t_step(c, out.n / 8);
	return v_str(str_safe(c, sb_str(c, &out), s->safe));
}

struct value v_slice(struct tctx *c, struct value obj, struct value from, struct value to, struct value step)
{
	int64_t n, a, b, by = 1;
	struct value out;

	if (obj.type == V_UNDEF)
		t_undefined(c, obj.u);
	if (obj.type != V_STR && obj.type != V_LIST && obj.type != V_TUPLE && obj.type != V_RANGE)
		t_raise(c, "'%s' object is not subscriptable", v_type(obj));
	n = (int64_t)v_len(c, obj);
	if (step.type != V_ABSENT && step.type != V_NONE)
		by = v_index(c, step, "slice indices must be integers or None");
	if (by == 0)
		t_raise(c, "slice step cannot be zero");
	by = by > n + 1 ? n + 1 : by < -n - 1 ? -n - 1 : by;
	a = bound(c, from, by > 0 ? 0 : n - 1, by > 0 ? 0 : -1, by > 0 ? n : n - 1, n);
	b = bound(c, to, by > 0 ? n : -1, by > 0 ? 0 : -1, by > 0 ? n : n - 1, n);
	if (obj.type == V_STR)
		return slice_str(c, obj.s, a, b, by);
	out = v_list(c, obj.type, 0);
	for (int64_t i = a; by > 0 ? i < b : i > b; i += by)
		list_add(c, out.l, obj.l->v[i]);
	if (obj.type == V_RANGE) {
		out.l->step = obj.l->step * by;
		out.l->start = obj.l->start + a * obj.l->step;
		out.l->stop = obj.l->start + b * obj.l->step;
	}
	return out;
}
