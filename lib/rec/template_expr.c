/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of expressions: recursive descent with Jinja 3.1's own precedence.  From loose to tight:
 *   x if y else z | or | and | not | == != < > <= >= in, not in | + - | ~ | * / // % | ** | unary - + | . [] () | filters, is
 * so that -1 ** 2 is 1 and 1 ~ 2 + 3 is an error, as there. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "template_ast.h"

void parse_fail(struct parser *p, const char *fmt, ...)
{
	char msg[500];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	p->c->line = p->at->line;
	t_raise(p->c, "%s", msg);
}

/* A token as Jinja's messages call it. */
const char *token_text(struct parser *p, const struct token *t)
{
	size_t n = t->n < 100 ? t->n : 100;
	char *s;

	switch (t->kind) {
	case TK_DATA: return "template data";
	case TK_VAR: return "begin of print statement";
	case TK_VAR_END: return "end of print statement";
	case TK_BLOCK: return "begin of statement block";
	case TK_BLOCK_END: return "end of statement block";
	case TK_EOF: return "end of template";
	default: break;
	}
	s = arena_get(&p->t->a, n + 1);
	memcpy(s, t->p, n);
	s[n] = 0;
	return s;
}

struct node *node_new(struct parser *p, enum node_kind kind)
{
	struct node *n = arena_get(&p->t->a, sizeof *n);

	memset(n, 0, sizeof *n);
	n->kind = kind;
	n->line = p->at->line;
	return n;
}

void nodes_add(struct parser *p, struct nodes *l, struct node *n)
{
	if (l->n == l->cap) {
		int cap = l->cap ? l->cap * 2 : 4;
		struct node **v = arena_get(&p->t->a, (size_t)cap * sizeof *v);
		if (l->n)
			memcpy(v, l->v, (size_t)l->n * sizeof *v);
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = n;
}

static const struct str *const_str(struct parser *p, const char *s, size_t n)
{
	struct str *t = arena_get(&p->t->a, sizeof *t);

	*t = (struct str){ .p = s, .n = n, .ncp = T_NOARG, .msg = T_OWN };
	t->ncp = str_ncp(p->c, t);     /* now: threads share it */
	return t;
}

int name_id(struct parser *p, const char *s, size_t n)
{
	struct template *t = p->t;
	struct strmap_entry *e = strmap_find(&t->ids, s, n);

	if (e != NULL)
		return (int)e->value;
	if (t->nnames == t->capnames) {
		int cap = t->capnames ? t->capnames * 2 : 32;
		const struct str **v = arena_get(&t->a, (size_t)cap * sizeof *v);
		if (t->nnames)
			memcpy(v, t->names, (size_t)t->nnames * sizeof *v);
		t->names = v;
		t->capnames = cap;
	}
	t->names[t->nnames] = const_str(p, arena_str(&t->a, s, n), n);
	strmap_put(&t->ids, s, n, (uint64_t)t->nnames, NULL);
	return t->nnames++;
}

void parse_enter(struct parser *p)
{
	if (++p->depth > T_PARSE_MAX)
		parse_fail(p, "nested too deep (at most %d levels)", T_PARSE_MAX);
}

void parse_leave(struct parser *p)
{
	p->depth--;
}

bool at_op(const struct parser *p, int op)
{
	return p->at->kind == TK_OP && p->at->op == op;
}

bool at_name(const struct parser *p, const char *name)
{
	return p->at->kind == TK_NAME && p->at->n == strlen(name) && memcmp(p->at->p, name, p->at->n) == 0;
}

bool skip_op(struct parser *p, int op)
{
	if (!at_op(p, op))
		return false;
	p->at++;
	return true;
}

bool skip_name(struct parser *p, const char *name)
{
	if (!at_name(p, name))
		return false;
	p->at++;
	return true;
}

void expect_op(struct parser *p, int op)
{
	if (!skip_op(p, op))
		parse_fail(p, "expected token '%c%s', got '%s'", op & 255, op >> 8 ? "=" : "", token_text(p, p->at));
}

const struct token *expect_name(struct parser *p)
{
	if (p->at->kind != TK_NAME)
		parse_fail(p, "expected token 'name', got '%s'", token_text(p, p->at));
	return p->at++;
}

static struct node *binary(struct parser *p, enum node_kind kind, int op, struct node *a, struct node *b)
{
	struct node *n = node_new(p, kind);

	n->op = op;
	n->a = a;
	n->b = b;
	n->line = a->line;
	return n;
}

static void note_use(struct parser *p, int id)
{
	if (p->macro == NULL)
		return;
	p->macro->uses_caller |= id == ID_CALLER;
	p->macro->uses_varargs |= id == ID_VARARGS;
	p->macro->uses_kwargs |= id == ID_KWARGS;
}

static bool constant(struct parser *p, struct value *v)
{
	if (at_name(p, "true") || at_name(p, "True"))
		*v = v_bool(true);
	else if (at_name(p, "false") || at_name(p, "False"))
		*v = v_bool(false);
	else if (at_name(p, "none") || at_name(p, "None"))
		*v = v_none();
	else
		return false;
	return true;
}

static struct node *name_or_const(struct parser *p)
{
	struct node *n = node_new(p, N_NAME);

	if (constant(p, &n->v)) {
		n->kind = N_CONST;
	} else {
		n->id = name_id(p, p->at->p, p->at->n);
		n->name = p->t->names[n->id];
		note_use(p, n->id);
	}
	p->at++;
	return n;
}

static struct node *strings(struct parser *p)
{
	struct node *n = node_new(p, N_CONST);
	const struct token *t;
	size_t len = 0;
	char *s;

	for (t = p->at; t->kind == TK_STR; t++)
		len += t->n;
	s = arena_get(&p->t->a, len + 1);
	for (len = 0; p->at->kind == TK_STR; p->at++) {
		memcpy(s + len, p->at->p, p->at->n);
		len += p->at->n;
	}
	n->v = v_str(const_str(p, s, len));
	return n;
}

/* [a, b] or {k: v}; the opening bracket is read. */
static struct node *display(struct parser *p, enum node_kind kind, int close)
{
	struct node *n = node_new(p, kind);

	while (!at_op(p, close)) {
		if (n->kids.n) {
			expect_op(p, ',');
			if (at_op(p, close))
				break;
		}
		nodes_add(p, &n->kids, parse_expression(p));
		if (kind == N_DICT) {
			expect_op(p, ':');
			nodes_add(p, &n->kids, parse_expression(p));
		}
	}
	expect_op(p, close);
	return n;
}

static struct node *primary(struct parser *p)
{
	struct node *n;

	parse_enter(p);
	if (p->at->kind == TK_NAME) {
		n = name_or_const(p);
	} else if (p->at->kind == TK_STR) {
		n = strings(p);
	} else if (p->at->kind == TK_INT || p->at->kind == TK_FLOAT) {
		n = node_new(p, N_CONST);
		n->v = p->at->v;
		p->at++;
	} else if (skip_op(p, '(')) {
		if (at_op(p, ')'))
			n = node_new(p, N_TUPLE);
		else
			n = parse_tuple(p, true, NULL);
		expect_op(p, ')');
	} else if (skip_op(p, '[')) {
		n = display(p, N_LIST, ']');
	} else if (skip_op(p, '{')) {
		n = display(p, N_DICT, '}');
	} else {
		parse_fail(p, "unexpected '%s'", token_text(p, p->at));
	}
	parse_leave(p);
	return n;
}

static bool subscript_ends(const struct parser *p)
{
	return at_op(p, ']') || at_op(p, ',');
}

/* One index or slice between brackets. */
static struct node *subscribed(struct parser *p)
{
	struct node *part[3] = { NULL, NULL, NULL }, *n;

	if (!at_op(p, ':')) {
		part[0] = parse_expression(p);
		if (!at_op(p, ':'))
			return part[0];
	}
	for (int i = 1; i < 3 && skip_op(p, ':'); i++)
		if (!at_op(p, ':') && !subscript_ends(p))
			part[i] = parse_expression(p);
	n = node_new(p, N_SLICE);
	for (int i = 0; i < 3; i++)
		nodes_add(p, &n->kids, part[i]);
	return n;
}

static struct node *item(struct parser *p, struct node *a)
{
	struct node *first = NULL, *tuple = NULL;

	while (!at_op(p, ']')) {
		if (first != NULL || tuple != NULL)
			expect_op(p, ',');
		struct node *s = subscribed(p);
		if (first != NULL && tuple == NULL) {
			tuple = node_new(p, N_TUPLE);
			nodes_add(p, &tuple->kids, first);
		}
		if (tuple != NULL)
			nodes_add(p, &tuple->kids, s);
		else
			first = s;
	}
	expect_op(p, ']');
	if (tuple != NULL || first == NULL)
		return binary(p, N_ITEM, 0, a, tuple != NULL ? tuple : node_new(p, N_TUPLE));
	if (first->kind != N_SLICE)
		return binary(p, N_ITEM, 0, a, first);
	first->a = a;
	return first;
}

static struct node *attribute(struct parser *p, struct node *a)
{
	struct node *n = binary(p, N_ATTR, 0, a, NULL);

	if (p->at->kind == TK_NAME) {
		n->name = const_str(p, p->at->p, p->at->n);
	} else if (p->at->kind == TK_INT) {
		n->kind = N_ITEM;
		n->b = node_new(p, N_CONST);
		n->b->v = p->at->v;
	} else {
		parse_fail(p, "expected name or number");
	}
	p->at++;
	return n;
}

void parse_args(struct parser *p, struct nodes *out)
{
	expect_op(p, '(');
	for (bool first = true; !at_op(p, ')'); first = false) {
		struct node *n;

		if (!first) {
			expect_op(p, ',');
			if (at_op(p, ')'))
				break;
		}
		if (at_op(p, '*') || at_op(p, OP2('*', '*'))) {
			n = node_new(p, at_op(p, '*') ? N_STAR : N_STARSTAR);
			p->at++;
			n->a = parse_expression(p);
		} else if (p->at->kind == TK_NAME && p->at[1].kind == TK_OP && p->at[1].op == '=') {
			n = node_new(p, N_KEYWORD);
			n->name = const_str(p, p->at->p, p->at->n);
			p->at += 2;
			n->a = parse_expression(p);
		} else {
			if (out->n && out->v[out->n - 1]->kind != N_STAR && (out->v[out->n - 1]->kind == N_KEYWORD || out->v[out->n - 1]->kind == N_STARSTAR))
				parse_fail(p, "invalid syntax for function call expression");
			n = parse_expression(p);
		}
		nodes_add(p, out, n);
	}
	expect_op(p, ')');
}

static struct node *call(struct parser *p, struct node *a)
{
	struct node *n = binary(p, N_CALL, 0, a, NULL);

	parse_args(p, &n->kids);
	return n;
}

static struct node *postfix(struct parser *p, struct node *n)
{
	for (int links = 0;; links++) {
		if (links > T_PARSE_MAX)
			parse_fail(p, "nested too deep (at most %d levels)", T_PARSE_MAX);
		if (skip_op(p, '.'))
			n = attribute(p, n);
		else if (skip_op(p, '['))
			n = item(p, n);
		else if (at_op(p, '('))
			n = call(p, n);
		else
			return n;
	}
}

static const struct str *dotted_name(struct parser *p)
{
	const struct token *t = expect_name(p);
	struct buf b = {0};
	const struct str *s;

	if (!at_op(p, '.'))
		return const_str(p, t->p, t->n);
	buf_add(&b, t->p, t->n);
	while (at_op(p, '.') && p->at[1].kind == TK_NAME) {
		p->at++;
		buf_ch(&b, '.');
		buf_add(&b, p->at->p, p->at->n);
		p->at++;
	}
	s = const_str(p, arena_str(&p->t->a, b.p, b.n), b.n);
	buf_free(&b);
	return s;
}

/* The name just read is no filter (or test): an error at the end of the tag, unless it stands in an inline if. */
static void note_unknown(struct parser *p, bool is_test)
{
	if (p->soft || p->unknown != NULL)
		return;
	p->unknown = p->at - 1;
	p->unknown_test = is_test;
}

struct node *parse_filters(struct parser *p, struct node *in, bool begun)
{
	for (int links = 0; begun || skip_op(p, '|'); begun = false) {
		struct node *n = node_new(p, N_FILTER);

		if (++links > T_PARSE_MAX)
			parse_fail(p, "nested too deep (at most %d levels)", T_PARSE_MAX);
		n->a = in;
		n->name = dotted_name(p);
		n->v = (struct value){ .type = V_FUNC, .func = filter_find(n->name->p, n->name->n) };
		if (n->v.func == NULL)
			note_unknown(p, false);
		if (at_op(p, '('))
			parse_args(p, &n->kids);
		in = n;
	}
	return in;
}

static bool test_argument(const struct parser *p)
{
	enum token_kind k = p->at->kind;

	if (k == TK_NAME)
		return !at_name(p, "else") && !at_name(p, "or") && !at_name(p, "and");
	return k == TK_STR || k == TK_INT || k == TK_FLOAT || at_op(p, '(') || at_op(p, '[') || at_op(p, '{');
}

static struct node *test(struct parser *p, struct node *a)
{
	struct node *n = binary(p, N_TEST, 0, a, NULL);

	n->op = skip_name(p, "not");
	n->name = dotted_name(p);
	n->v = (struct value){ .type = V_FUNC, .func = test_find(n->name->p, n->name->n) };
	if (n->v.func == NULL)
		note_unknown(p, true);
	if (at_op(p, '(')) {
		parse_args(p, &n->kids);
	} else if (test_argument(p)) {
		if (at_name(p, "is"))
			parse_fail(p, "You cannot chain multiple tests with is");
		nodes_add(p, &n->kids, postfix(p, primary(p)));
	}
	return n;
}

static struct node *filter_expr(struct parser *p, struct node *n)
{
	for (int links = 0;; links++) {
		if (links > T_PARSE_MAX)
			parse_fail(p, "nested too deep (at most %d levels)", T_PARSE_MAX);
		if (at_op(p, '|'))
			n = parse_filters(p, n, false);
		else if (skip_name(p, "is"))
			n = test(p, n);
		else if (at_op(p, '('))
			n = call(p, n);
		else
			return n;
	}
}

static struct node *unary(struct parser *p, bool filters)
{
	struct node *n;

	parse_enter(p);
	if (at_op(p, '-') || at_op(p, '+')) {
		n = node_new(p, N_UNARY);
		n->op = p->at->op;
		p->at++;
		n->a = unary(p, false);
	} else {
		n = primary(p);
	}
	n = postfix(p, n);
	if (filters)
		n = filter_expr(p, n);
	parse_leave(p);
	return n;
}

static struct node *power(struct parser *p)
{
	struct node *n = unary(p, true);

	while (skip_op(p, OP2('*', '*')))
		n = binary(p, N_BINARY, OP2('*', '*'), n, unary(p, true));
	return n;
}

static struct node *product(struct parser *p)
{
	struct node *n = power(p);

	while (at_op(p, '*') || at_op(p, '/') || at_op(p, OP2('/', '/')) || at_op(p, '%')) {
		int op = p->at->op;
		p->at++;
		n = binary(p, N_BINARY, op, n, power(p));
	}
	return n;
}

static struct node *concat(struct parser *p)
{
	struct node *first = product(p), *n;

	if (!at_op(p, '~'))
		return first;
	n = node_new(p, N_CONCAT);
	nodes_add(p, &n->kids, first);
	while (skip_op(p, '~'))
		nodes_add(p, &n->kids, product(p));
	return n;
}

static struct node *sum(struct parser *p)
{
	struct node *n = concat(p);

	while (at_op(p, '+') || at_op(p, '-')) {
		int op = p->at->op;
		p->at++;
		n = binary(p, N_BINARY, op, n, concat(p));
	}
	return n;
}

static int compare_op(struct parser *p)
{
	static const int ops[] = { OP2('=', '='), OP2('!', '='), '<', '>', OP2('<', '='), OP2('>', '=') };

	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		if (skip_op(p, ops[i]))
			return ops[i];
	if (skip_name(p, "in"))
		return OP_IN;
	if (at_name(p, "not") && p->at[1].kind == TK_NAME && p->at[1].n == 2 && memcmp(p->at[1].p, "in", 2) == 0) {
		p->at += 2;
		return OP_NOT_IN;
	}
	return 0;
}

static struct node *comparison(struct parser *p)
{
	struct node *n = sum(p), *cmp = NULL;
	int op;

	while ((op = compare_op(p)) != 0) {
		if (cmp == NULL)
			cmp = binary(p, N_COMPARE, 0, n, NULL);
		nodes_add(p, &cmp->kids, binary(p, N_UNARY, op, sum(p), NULL));
	}
	return cmp ? cmp : n;
}

static struct node *negation(struct parser *p)
{
	struct node *n;

	if (!at_name(p, "not"))
		return comparison(p);
	parse_enter(p);
	n = node_new(p, N_NOT);
	p->at++;
	n->a = negation(p);
	parse_leave(p);
	return n;
}

static struct node *parse_and(struct parser *p)
{
	struct node *n = negation(p);

	while (skip_name(p, "and"))
		n = binary(p, N_AND, 0, n, negation(p));
	return n;
}

struct node *parse_or(struct parser *p)
{
	struct node *n = parse_and(p);

	while (skip_name(p, "or"))
		n = binary(p, N_OR, 0, n, parse_and(p));
	return n;
}

struct node *parse_expression(struct parser *p)
{
	struct node *n;
	bool soft = p->soft;
	const struct token *unknown = p->unknown;

	parse_enter(p);
	n = parse_or(p);
	while (skip_name(p, "if")) {
		p->unknown = unknown;
		p->soft = true;
		struct node *cond = binary(p, N_IF_EXPR, 0, n, parse_or(p));
		if (skip_name(p, "else"))
			cond->c = parse_expression(p);
		p->soft = soft;
		n = cond;
	}
	parse_leave(p);
	return n;
}

static bool tuple_ends(const struct parser *p, const char *end)
{
	return p->at->kind == TK_VAR_END || p->at->kind == TK_BLOCK_END || at_op(p, ')') || (end && at_name(p, end));
}

struct node *parse_tuple(struct parser *p, bool condexpr, const char *end)
{
	struct node *n = NULL, *tuple = NULL;

	for (;;) {
		if (n != NULL)
			expect_op(p, ',');
		if (tuple_ends(p, end))
			break;
		n = condexpr ? parse_expression(p) : parse_or(p);
		if (tuple != NULL || at_op(p, ',')) {
			if (tuple == NULL)
				tuple = node_new(p, N_TUPLE);
			nodes_add(p, &tuple->kids, n);
		}
		if (!at_op(p, ','))
			break;
	}
	if (n == NULL)
		parse_fail(p, "Expected an expression, got '%s'", token_text(p, p->at));
	return tuple != NULL ? tuple : n;
}

/* One name, ns.attr, or a tuple in brackets. */
static struct node *one_target(struct parser *p)
{
	struct node *n;

	if (skip_op(p, '(')) {
		parse_enter(p);
		n = parse_target(p, NULL);
		parse_leave(p);
		expect_op(p, ')');
		return n;
	}
	n = name_or_const(p);
	if (n->kind != N_NAME)
		parse_fail(p, "can't assign to 'const'");
	if (skip_op(p, '.')) {
		const struct token *t = expect_name(p);
		n = binary(p, N_ATTR, 0, n, NULL);
		n->name = const_str(p, t->p, t->n);
	}
	return n;
}

struct node *parse_target(struct parser *p, const char *end)
{
	struct node *n = NULL, *tuple = NULL;

	for (;;) {
		if (n != NULL)
			expect_op(p, ',');
		if (n != NULL && tuple_ends(p, end))
			break;
		if (p->at->kind != TK_NAME && !at_op(p, '('))
			parse_fail(p, "expected a name to assign to, got '%s'", token_text(p, p->at));
		n = one_target(p);
		if (tuple != NULL || at_op(p, ',')) {
			if (tuple == NULL)
				tuple = node_new(p, N_TUPLE);
			nodes_add(p, &tuple->kids, n);
		}
		if (!at_op(p, ','))
			break;
	}
	return tuple != NULL ? tuple : n;
}
