/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TEMPLATE_AST_H
#define SFT_TEMPLATE_AST_H
/* A template as parsed: tokens, then a tree of nodes, all in the template's arena and never changed after template_open(),
 * so that threads share it. */
#include "strmap.h"
#include "template_value.h"

enum token_kind {
	TK_DATA, TK_VAR, TK_VAR_END, TK_BLOCK, TK_BLOCK_END, TK_NAME, TK_STR, TK_INT, TK_FLOAT, TK_OP, TK_EOF
};

struct token {
	enum token_kind kind;
	int op;                           /* TK_OP: the characters, as OP2() */
	int line;
	const char *p;                    /* TK_DATA, TK_NAME; TK_STR: unescaped */
	size_t n;
	struct value v;                   /* TK_INT, TK_FLOAT */
};

#define OP2(a, b) ((a) | (b) << 8)

enum node_kind {
	/* expressions */
	N_CONST, N_NAME, N_LIST, N_TUPLE, N_DICT, N_ATTR, N_ITEM, N_SLICE, N_CALL, N_FILTER, N_TEST, N_UNARY, N_BINARY, N_CONCAT,
	N_AND, N_OR, N_NOT, N_COMPARE, N_IF_EXPR,
	N_KEYWORD, N_STAR, N_STARSTAR,    /* arguments of calls; N_KEYWORD also a parameter with its default */
	/* statements */
	N_DATA, N_PRINT, N_FOR, N_IF, N_SET, N_SETBLOCK, N_MACRO, N_CALLBLOCK, N_FILTERBLOCK, N_WITH, N_GENERATION, N_SCOPE, N_BREAK, N_CONTINUE
};

enum { OP_IN = 256 * 256, OP_NOT_IN };

struct nodes {
	struct node **v;
	int n, cap;
};

/* What the fields hold, by kind:
 *   N_CONST v | N_NAME id, name | N_LIST N_TUPLE kids | N_DICT kids: key, value, ... | N_ATTR a.name | N_ITEM a[b]
 *   N_SLICE a[kids] (three, NULL where left out) | N_CALL a(kids) | N_FILTER a|name(kids), v.func the filter (NULL: none of that name), a NULL: the block's text
 *   N_TEST a is name(kids), v.func, op 1: negated | N_UNARY op a | N_BINARY a op b | N_CONCAT kids | N_AND N_OR a b | N_NOT a
 *   N_COMPARE a, kids with op each: N_UNARY(op, operand) | N_IF_EXPR a if b else c (c NULL)
 *   N_KEYWORD name=a (id the name) | N_STAR a | N_STARSTAR a
 *   N_DATA v | N_PRINT a, kids | N_FOR target a, iter b, test c, body, other; op 1: recursive
 *   N_IF kids: N_SCOPE-like branches {a: test or NULL, body} | N_SET a = b | N_SETBLOCK a, filter b (or NULL), body
 *   N_MACRO id, name, kids: N_KEYWORD parameters (a: default or NULL), body | N_CALLBLOCK kids: parameters, call a, body
 *   N_FILTERBLOCK filter a, body | N_WITH kids: N_BINARY(target, value), body | N_GENERATION body | N_SCOPE body */
struct node {
	enum node_kind kind;
	int op, id, line;
	bool uses_caller, uses_varargs, uses_kwargs;   /* N_MACRO, N_CALLBLOCK: names its body reads */
	const struct str *name;
	struct value v;
	struct node *a, *b, *c;
	struct nodes kids, body, other;
};

struct template {
	struct arena a;
	char *name;
	struct token *tok;
	size_t ntok, captok;
	const struct str **names;         /* variable names by id */
	int nnames, capnames;
	struct strmap ids;
	struct nodes body;
};

/* The state of parsing.  Errors leave by t_raise() on C. */
struct parser {
	struct template *t;
	struct tctx *c;
	const struct token *at;
	int depth;
	bool soft;                        /* inside {% if %}: unknown filters and tests are errors only when they run */
	const struct token *unknown;      /* the first unknown filter or test of this tag; NULL: none */
	bool unknown_test;
	int loops;                        /* {% break %} is allowed */
	struct node *macro;               /* the innermost macro or call block */
};

void template_lex(struct tctx *c, struct template *t, const char *src, size_t n);
/* Data, prints and statements until a block tag named in ENDS (NULL-terminated; NULL: the end of the template); the parser then stands at that name. */
void parse_body(struct parser *p, struct nodes *out, const char *const *ends, const char *what);
struct node *parse_expression(struct parser *p);
struct node *parse_or(struct parser *p);               /* no inline if */
/* An expression, or several with commas: a tuple.  CONDEXPR: inline if is allowed.  Ends at END (a name), too. */
struct node *parse_tuple(struct parser *p, bool condexpr, const char *end);
struct node *parse_target(struct parser *p, const char *end);
struct node *parse_filters(struct parser *p, struct node *in, bool begun);
void parse_args(struct parser *p, struct nodes *out);
struct node *node_new(struct parser *p, enum node_kind kind);
void nodes_add(struct parser *p, struct nodes *l, struct node *n);
int  name_id(struct parser *p, const char *s, size_t n);
_Noreturn void parse_fail(struct parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *token_text(struct parser *p, const struct token *t);
bool at_op(const struct parser *p, int op);
bool at_name(const struct parser *p, const char *name);
bool skip_op(struct parser *p, int op);
bool skip_name(struct parser *p, const char *name);
void expect_op(struct parser *p, int op);
const struct token *expect_name(struct parser *p);
void parse_enter(struct parser *p);                    /* counts nesting; parse_leave takes it back */
void parse_leave(struct parser *p);

/* Evaluation (template_eval.c, template_run.c). */
struct value eval(struct tctx *c, const struct node *n, struct scope *s);
void eval_args(struct tctx *c, const struct nodes *kids, struct scope *s, struct args *out);
void assign(struct tctx *c, const struct node *target, struct value v, struct scope *s);
struct value *scope_find(struct scope *s, int id);
void scope_set(struct tctx *c, struct scope *s, int id, struct value v);
struct scope *scope_new(struct tctx *c, struct scope *up);
enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE };
enum flow run(struct tctx *c, const struct nodes *body, struct scope *s);
void run_for(struct tctx *c, const struct node *n, struct value iter, struct scope *s, int depth);
void deeper(struct tctx *c);                           /* c->depth + 1, checked; the caller takes it back */

/* Ids every template has. */
enum { ID_LOOP, ID_CALLER, ID_VARARGS, ID_KWARGS, ID_FIXED };

#endif
