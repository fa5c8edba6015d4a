/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of statements, and template_open(). */
#include <string.h>
#include "template.h"
#include "template_ast.h"
#include "utf8.h"

static void end_block(struct parser *p)
{
	if (p->at->kind != TK_BLOCK_END)
		parse_fail(p, "expected token 'end of statement block', got '%s'", token_text(p, p->at));
	p->at++;
}

/* An unknown filter or test that no inline if makes conditional. */
static void check_unknown(struct parser *p)
{
	if (p->unknown == NULL)
		return;
	p->at = p->unknown;
	parse_fail(p, "No %s named '%s'.", p->unknown_test ? "test" : "filter", token_text(p, p->at));
}

/* The body up to {% ENDNAME %}, and that tag. */
static void body_to(struct parser *p, struct nodes *out, const char *end, const char *what)
{
	const char *ends[] = { end, NULL };

	parse_body(p, out, ends, what);
	p->at++;
}

/* The same, in a scope of its own, where unknown filters are errors at once. */
static void inner_body(struct parser *p, struct nodes *out, const char *end, const char *what)
{
	bool soft = p->soft;

	p->soft = false;
	end_block(p);
	body_to(p, out, end, what);
	p->soft = soft;
}

static struct node *parse_for(struct parser *p)
{
	static const char *const ends[] = { "endfor", "else", NULL };
	struct node *n = node_new(p, N_FOR);
	bool soft = p->soft;

	n->a = parse_target(p, "in");
	if (!skip_name(p, "in"))
		parse_fail(p, "expected token 'in', got '%s'", token_text(p, p->at));
	n->b = parse_tuple(p, false, "recursive");
	if (skip_name(p, "if"))
		n->c = parse_expression(p);
	n->op = skip_name(p, "recursive");
	p->soft = false;
	end_block(p);
	p->loops++;
	parse_body(p, &n->body, ends, "for");
	p->loops--;
	if (skip_name(p, "else")) {
		end_block(p);
		body_to(p, &n->other, "endfor", "for");
	} else {
		p->at++;
	}
	p->soft = soft;
	return n;
}

static struct node *parse_if(struct parser *p)
{
	static const char *const ends[] = { "elif", "else", "endif", NULL };
	struct node *n = node_new(p, N_IF), *branch;
	bool soft = p->soft;

	p->soft = true;
	for (bool more = true; more;) {
		branch = node_new(p, N_SCOPE);
		branch->a = parse_tuple(p, false, NULL);
		end_block(p);
		parse_body(p, &branch->body, ends, "if");
		nodes_add(p, &n->kids, branch);
		more = skip_name(p, "elif");
	}
	if (skip_name(p, "else")) {
		branch = node_new(p, N_SCOPE);
		end_block(p);
		body_to(p, &branch->body, "endif", "if");
		nodes_add(p, &n->kids, branch);
	} else {
		p->at++;
	}
	p->soft = soft;
	return n;
}

static struct node *parse_set(struct parser *p)
{
	struct node *n = node_new(p, N_SET);

	n->a = parse_target(p, NULL);
	if (skip_op(p, '=')) {
		n->b = parse_tuple(p, true, NULL);
		return n;
	}
	n->kind = N_SETBLOCK;
	n->b = parse_filters(p, NULL, false);
	inner_body(p, &n->body, "endset", "set");
	return n;
}

/* (a, b=1): N_KEYWORD nodes. */
static void signature(struct parser *p, struct nodes *out)
{
	bool defaults = false;

	expect_op(p, '(');
	while (!at_op(p, ')')) {
		struct node *n;

		if (out->n)
			expect_op(p, ',');
		const struct token *t = expect_name(p);
		n = node_new(p, N_KEYWORD);
		n->id = name_id(p, t->p, t->n);
		n->name = p->t->names[n->id];
		if (skip_op(p, '=')) {
			n->a = parse_expression(p);
			defaults = true;
		} else if (defaults) {
			parse_fail(p, "non-default argument follows default argument");
		}
		nodes_add(p, out, n);
	}
	expect_op(p, ')');
}

/* Body of a macro or caller: its own loops, its own special names. */
static void macro_body(struct parser *p, struct node *n, const char *end, const char *what)
{
	struct node *outer = p->macro;
	int loops = p->loops;

	p->macro = n;
	p->loops = 0;
	inner_body(p, &n->body, end, what);
	p->loops = loops;
	p->macro = outer;
}

static struct node *parse_macro(struct parser *p)
{
	struct node *n = node_new(p, N_MACRO);
	const struct token *t = expect_name(p);

	n->id = name_id(p, t->p, t->n);
	n->name = p->t->names[n->id];
	signature(p, &n->kids);
	macro_body(p, n, "endmacro", "macro");
	return n;
}

static struct node *parse_call(struct parser *p)
{
	struct node *n = node_new(p, N_CALLBLOCK);

	if (at_op(p, '('))
		signature(p, &n->kids);
	n->a = parse_expression(p);
	if (n->a->kind != N_CALL)
		parse_fail(p, "expected call");
	n->id = ID_CALLER;
	n->name = p->t->names[ID_CALLER];
	macro_body(p, n, "endcall", "call");
	return n;
}

static struct node *parse_filter_block(struct parser *p)
{
	struct node *n = node_new(p, N_FILTERBLOCK);

	n->a = parse_filters(p, NULL, true);
	inner_body(p, &n->body, "endfilter", "filter");
	return n;
}

static struct node *parse_with(struct parser *p)
{
	struct node *n = node_new(p, N_WITH);

	while (p->at->kind != TK_BLOCK_END) {
		struct node *pair;

		if (n->kids.n)
			expect_op(p, ',');
		pair = node_new(p, N_BINARY);
		pair->a = parse_target(p, NULL);
		expect_op(p, '=');
		pair->b = parse_expression(p);
		nodes_add(p, &n->kids, pair);
	}
	inner_body(p, &n->body, "endwith", "with");
	return n;
}

static struct node *parse_block(struct parser *p)
{
	struct node *n = node_new(p, N_SCOPE);

	expect_name(p);
	if (!skip_name(p, "scoped"))
		skip_name(p, "required");
	end_block(p);
	static const char *const ends[] = { "endblock", NULL };
	parse_body(p, &n->body, ends, "block");
	p->at++;
	if (p->at->kind == TK_NAME)
		p->at++;
	return n;
}

static struct node *parse_generation(struct parser *p)
{
	struct node *n = node_new(p, N_GENERATION);

	inner_body(p, &n->body, "endgeneration", "generation");
	return n;
}

static struct node *parse_print(struct parser *p)
{
	struct node *n = node_new(p, N_PRINT);

	n->a = parse_expression(p);
	while (p->at->kind != TK_BLOCK_END) {
		expect_op(p, ',');
		nodes_add(p, &n->kids, parse_expression(p));
	}
	return n;
}

static struct node *parse_jump(struct parser *p, enum node_kind kind)
{
	if (p->loops == 0)
		parse_fail(p, "'%s' outside of a loop", kind == N_BREAK ? "break" : "continue");
	return node_new(p, kind);
}

static struct node *statement(struct parser *p)
{
	static const struct { const char *name; struct node *(*parse)(struct parser *); } table[] = {
		{ "for", parse_for }, { "if", parse_if }, { "set", parse_set }, { "macro", parse_macro }, { "call", parse_call },
		{ "filter", parse_filter_block }, { "with", parse_with }, { "block", parse_block },
		{ "generation", parse_generation }, { "print", parse_print },
	};

	if (p->at->kind != TK_NAME)
		parse_fail(p, "tag name expected");
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (skip_name(p, table[i].name))
			return table[i].parse(p);
	if (skip_name(p, "break"))
		return parse_jump(p, N_BREAK);
	if (skip_name(p, "continue"))
		return parse_jump(p, N_CONTINUE);
	parse_fail(p, "Encountered unknown tag '%s'.", token_text(p, p->at));
}

static struct node *data_node(struct parser *p)
{
	struct node *n = node_new(p, N_DATA);
	struct str *s = arena_get(&p->t->a, sizeof *s);

	*s = (struct str){ .p = p->at->p, .n = p->at->n, .ncp = T_NOARG, .msg = T_OWN };
	n->v = v_str(s);
	p->at++;
	return n;
}

static void body_ended(struct parser *p, const char *const *ends, const char *what)
{
	struct buf b = {0};
	const char *tags;

	if (ends == NULL)
		return;
	for (int i = 0; ends[i]; i++)
		buf_fmt(&b, "%s'%s'", i ? " or " : "", ends[i]);
	tags = arena_str(&p->t->a, b.p, b.n);
	buf_free(&b);
	parse_fail(p, "Unexpected end of template. Jinja was looking for the following tags: %s. "
	           "The innermost block that needs to be closed is '%s'.", tags, what);
}

void parse_body(struct parser *p, struct nodes *out, const char *const *ends, const char *what)
{
	struct node *n;

	parse_enter(p);
	for (;;) {
		if (p->at->kind == TK_EOF) {
			body_ended(p, ends, what);
			break;
		}
		if (p->at->kind == TK_DATA) {
			nodes_add(p, out, data_node(p));
			continue;
		}
		if (p->at->kind == TK_VAR) {
			p->at++;
			n = node_new(p, N_PRINT);
			n->a = parse_tuple(p, true, NULL);
			check_unknown(p);
			if (p->at->kind != TK_VAR_END)
				parse_fail(p, "expected token 'end of print statement', got '%s'", token_text(p, p->at));
			p->at++;
			nodes_add(p, out, n);
			continue;
		}
		p->at++;                       /* TK_BLOCK: the lexer gives nothing else here */
		for (int i = 0; ends && ends[i]; i++)
			if (at_name(p, ends[i])) {
				parse_leave(p);
				return;
			}
		nodes_add(p, out, statement(p));
		check_unknown(p);
		end_block(p);
	}
	parse_leave(p);
}

static void fixed_names(struct parser *p)
{
	static const char *const fixed[ID_FIXED] = { "loop", "caller", "varargs", "kwargs" };

	for (int i = 0; i < ID_FIXED; i++)
		name_id(p, fixed[i], strlen(fixed[i]));
}

int template_open(struct template **out, const char *name, const char *source, size_t n, struct err *e)
{
	struct template *t = mem_new(sizeof *t);
	struct tctx *c = mem_new(sizeof *c);
	struct parser p = { .t = t, .c = c };
	int rc = 0;

	c->e = e;
	c->line = 1;
	t->name = mem_str(name);
	*out = t;
	if (setjmp(c->fail) == 0) {
		size_t bad;
		if (!utf8_valid(source, n, &bad))
			t_raise(c, "byte %zu is not UTF-8", bad);
		template_lex(c, t, source, n);
		p.at = t->tok;
		fixed_names(&p);
		parse_body(&p, &t->body, NULL, NULL);
	} else {
		rc = err_in(e, "%s:%d", t->name, c->line);
		template_close(t);
		*out = NULL;
	}
	arena_release(&c->a);
	mem_free(c);
	return rc;
}

void template_close(struct template *t)
{
	if (t == NULL)
		return;
	strmap_free(&t->ids);
	arena_release(&t->a);
	mem_free(t->name);
	mem_free(t);
}
