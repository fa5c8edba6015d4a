/* SPDX-License-Identifier: Apache-2.0 */
/* Tests: what stands after `is`. */
#include <string.h>
#include "template_ast.h"

#define TEST(name, expr) \
	static struct value name(struct tctx *c, struct value v, struct value *a) \
	{ \
		(void)c; (void)a; \
		return v_bool(expr); \
	}

TEST(is_defined, v.type != V_UNDEF)
TEST(is_undefined, v.type == V_UNDEF)
TEST(is_none, v.type == V_NONE)
TEST(is_boolean, v.type == V_BOOL)
TEST(is_true, v.type == V_BOOL && v.b)
TEST(is_false, v.type == V_BOOL && !v.b)
TEST(is_integer, v.type == V_INT)
TEST(is_float, v.type == V_FLOAT)
TEST(is_number, v.type == V_INT || v.type == V_FLOAT || v.type == V_BOOL)
TEST(is_string, v.type == V_STR)
TEST(is_mapping, v.type == V_MAP)
TEST(is_iterable, v_iterable(v))
TEST(is_sequence, (v_seq(v) && (v.type == V_LIST || v.type == V_TUPLE || v.type == V_RANGE)) || v.type == V_STR || v.type == V_MAP || v.type == V_UNDEF)
TEST(is_callable, v.type >= V_MACRO && v.type != V_CYCLER ? true : v.type == V_UNDEF)
TEST(is_escaped, v.type == V_STR && v.s->safe)
TEST(is_eq, op_compare(c, OP2('=', '='), v, a[0]))
TEST(is_ne, op_compare(c, OP2('!', '='), v, a[0]))
TEST(is_lt, op_compare(c, '<', v, a[0]))
TEST(is_le, op_compare(c, OP2('<', '='), v, a[0]))
TEST(is_gt, op_compare(c, '>', v, a[0]))
TEST(is_ge, op_compare(c, OP2('>', '='), v, a[0]))
TEST(is_in, op_in(c, v, a[0]))
TEST(is_odd, v_equal(c, op_binary(c, '%', v, v_int(2)), v_int(1)))
TEST(is_even, v_equal(c, op_binary(c, '%', v, v_int(2)), v_int(0)))
TEST(is_divisible, v_equal(c, op_binary(c, '%', v, a[0]), v_int(0)))
TEST(is_filter, v.type == V_STR && filter_find(v.s->p, v.s->n) != NULL)
TEST(is_test, v.type == V_STR && test_find(v.s->p, v.s->n) != NULL)

static struct value is_sameas(struct tctx *c, struct value v, struct value *a)
{
	if (v.type != a[0].type)
		return v_bool(false);
	if (v_seq(v) || v.type == V_MAP || v.type == V_NS)
		return v_bool(v.l == a[0].l);
	return v_bool(v_equal(c, v, a[0]));
}

static struct value letters(struct tctx *c, struct value v, const char *method)
{
	struct args none = {0};

	return call_func(c, func_find(str_methods, method, strlen(method)), v_str(v_text(c, v)), &none);
}

static struct value is_lower(struct tctx *c, struct value v, struct value *a)
{
	(void)a;
	return letters(c, v, "islower");
}

static struct value is_upper(struct tctx *c, struct value v, struct value *a)
{
	(void)a;
	return letters(c, v, "isupper");
}

static const struct func tests[] = {
	{ "defined", "", is_defined, NULL },
	{ "undefined", "", is_undefined, NULL },
	{ "none", "", is_none, NULL },
	{ "boolean", "", is_boolean, NULL },
	{ "true", "", is_true, NULL },
	{ "false", "", is_false, NULL },
	{ "integer", "", is_integer, NULL },
	{ "float", "", is_float, NULL },
	{ "number", "", is_number, NULL },
	{ "string", "", is_string, NULL },
	{ "mapping", "", is_mapping, NULL },
	{ "iterable", "", is_iterable, NULL },
	{ "sequence", "", is_sequence, NULL },
	{ "callable", "", is_callable, NULL },
	{ "escaped", "", is_escaped, NULL },
	{ "eq", "!b", is_eq, NULL },
	{ "==", "!b", is_eq, NULL },
	{ "equalto", "!b", is_eq, NULL },
	{ "ne", "!b", is_ne, NULL },
	{ "!=", "!b", is_ne, NULL },
	{ "lt", "!b", is_lt, NULL },
	{ "<", "!b", is_lt, NULL },
	{ "lessthan", "!b", is_lt, NULL },
	{ "le", "!b", is_le, NULL },
	{ "<=", "!b", is_le, NULL },
	{ "gt", "!b", is_gt, NULL },
	{ ">", "!b", is_gt, NULL },
	{ "greaterthan", "!b", is_gt, NULL },
	{ "ge", "!b", is_ge, NULL },
	{ ">=", "!b", is_ge, NULL },
	{ "in", "!seq", is_in, NULL },
	{ "sameas", "!other", is_sameas, NULL },
	{ "odd", "", is_odd, NULL },
	{ "even", "", is_even, NULL },
	{ "divisibleby", "!num", is_divisible, NULL },
	{ "lower", "", is_lower, NULL },
	{ "upper", "", is_upper, NULL },
	{ "filter", "", is_filter, NULL },
	{ "test", "", is_test, NULL },
	{ NULL, NULL, NULL, NULL }
};

const struct func *test_find(const char *name, size_t n)
{
	return func_find(tests, name, n);
}

bool test_call(struct tctx *c, const struct str *name, struct value in, const struct args *a)
{
	const struct func *f = test_find(name->p, name->n);

	if (f == NULL)
		t_raise(c, "No test named '%.*s'.", (int)(name->n & 255), name->p);
	t_step(c, 1);
	return v_true(call_func(c, f, in, a));
}
