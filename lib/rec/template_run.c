/* SPDX-License-Identifier: Apache-2.0 */
/* Statements, and template_render(). */
#include <string.h>
#include "json.h"
#include "template.h"
#include "template_ast.h"

void assign(struct tctx *c, const struct node *target, struct value v, struct scope *s)
{
	struct value ns;
	struct vlist *l;

	if (target->kind == N_NAME) {
		scope_set(c, s, target->id, v);
		return;
	}
	if (target->kind == N_ATTR) {
		ns = eval(c, target->a, s);
		if (ns.type != V_NS)
			t_raise(c, "cannot assign attribute on non-namespace object");
		map_put(c, ns.m, v_str(target->name), v);
		return;
	}
	l = v_iter(c, v);
	if (l->n > (size_t)target->kids.n)
		t_raise(c, "too many values to unpack (expected %d)", target->kids.n);
	if (l->n < (size_t)target->kids.n)
		t_raise(c, "not enough values to unpack (expected %d, got %zu)", target->kids.n, l->n);
	for (int i = 0; i < target->kids.n; i++)
		assign(c, target->kids.v[i], l->v[i], s);
}

/* The body's output as a string. */
static const struct str *capture(struct tctx *c, const struct nodes *body, struct scope *s, enum flow *flow)
{
	struct sb text = {0}, *out = c->out;

	c->out = &text;
	*flow = run(c, body, s);
	c->out = out;
	return sb_str(c, &text);
}

/* A scope that a macro or caller remembers is not used again for the next item of a loop. */
static struct value closure(struct tctx *c, const struct node *n, struct scope *s)
{
	struct macro *m = t_get(c, sizeof *m);

	*m = (struct macro){ .node = n, .scope = s };
	for (; s != NULL && !s->kept; s = s->up)
		s->kept = true;
	return (struct value){ .type = V_MACRO, .macro = m };
}

static struct vlist *loop_items(struct tctx *c, const struct node *n, struct value iter, struct scope *s)
{
	struct vlist *all = v_iter(c, iter);
	struct value some;

	if (n->c == NULL)
		return all;
	some = v_list(c, V_LIST, 0);
	for (size_t i = 0; i < all->n; i++) {
		struct scope *inner = scope_new(c, s);
		assign(c, n->a, all->v[i], inner);
		if (v_true(eval(c, n->c, inner)))
			list_add(c, some.l, all->v[i]);
	}
	return some.l;
}

void run_for(struct tctx *c, const struct node *n, struct value iter, struct scope *s, int depth)
{
	struct loop *l = t_get(c, sizeof *l);
	struct value loop = { .type = V_LOOP, .loop = l };
	struct scope *inner = NULL;
	bool whole = false;            /* as in Jinja: else is for loops in which no body came to its end */

	*l = (struct loop){ .node = n, .items = loop_items(c, n, iter, s), .depth = depth, .outer = s };
	l->changed.type = V_ABSENT;
	deeper(c);
	for (; l->at < l->items->n; l->at++) {
		if (inner == NULL || inner->kept)
			inner = scope_new(c, s);
		inner->n = 0;
		scope_set(c, inner, ID_LOOP, loop);
		assign(c, n->a, l->items->v[l->at], inner);
		enum flow flow = run(c, &n->body, inner);
		whole |= flow == FLOW_ON;
		if (flow == FLOW_BREAK)
			break;
	}
	if (!whole)
		run(c, &n->other, scope_new(c, s));
	c->depth--;
}

static enum flow run_if(struct tctx *c, const struct node *n, struct scope *s)
{
	for (int i = 0; i < n->kids.n; i++) {
		const struct node *branch = n->kids.v[i];
		if (branch->a == NULL || v_true(eval(c, branch->a, s)))
			return run(c, &branch->body, s);
	}
	return FLOW_ON;
}

/* Filters of a block are a chain whose innermost input (a NULL) is the text. */
static struct value filter_chain(struct tctx *c, const struct node *f, struct value text, struct scope *s)
{
	struct args args;

	if (f == NULL)
		return text;
	deeper(c);
	text = filter_chain(c, f->a, text, s);
	eval_args(c, &f->kids, s, &args);
	c->line = f->line;
	if (f->v.func == NULL)
		t_raise(c, "No filter named '%.*s'.", (int)(f->name->n & 255), f->name->p);
	text = call_func(c, f->v.func, text, &args);
	c->depth--;
	return text;
}

static void run_call(struct tctx *c, const struct node *n, struct scope *s)
{
	struct value f = eval(c, n->a->a, s);
	struct args args;
	struct kwarg *kw;

	eval_args(c, &n->a->kids, s, &args);
	kw = t_get(c, (args.nkw + 1) * sizeof *kw);
	if (args.nkw)
		memcpy(kw, args.kw, args.nkw * sizeof *kw);
	kw[args.nkw++] = (struct kwarg){ c->t->names[ID_CALLER], closure(c, n, s) };
	args.kw = kw;
	c->line = n->line;
	v_write(c, c->out, v_call(c, f, &args));
}

static void run_with(struct tctx *c, const struct node *n, struct scope *s, enum flow *flow)
{
	struct scope *inner = scope_new(c, s);

	for (int i = 0; i < n->kids.n; i++)
		assign(c, n->kids.v[i]->a, eval(c, n->kids.v[i]->b, s), inner);
	*flow = run(c, &n->body, inner);
}

/* As the reference has it, the span begins where the root output stood, also inside a macro or a set block. */
static void run_generation(struct tctx *c, const struct node *n, struct scope *s, enum flow *flow)
{
	const struct str *text = capture(c, &n->body, scope_new(c, s), flow);

	if (c->ngen == c->gencap) {
		size_t cap = c->gencap ? c->gencap * 2 : 8;
		struct genspan *g = t_get(c, cap * sizeof *g);
		if (c->ngen)
			memcpy(g, c->gen, c->ngen * sizeof *g);
		c->gen = g;
		c->gencap = cap;
	}
	c->entered = true;
	c->gen[c->ngen++] = (struct genspan){ c->root.n, str_ncp(c, text) };
	sb_strv(c, c->out, text);
}

static enum flow run_node(struct tctx *c, const struct node *n, struct scope *s)
{
	enum flow flow = FLOW_ON;
	const struct str *text;

	switch (n->kind) {
	case N_DATA: sb_strv(c, c->out, n->v.s); break;
	case N_PRINT:
		v_write(c, c->out, eval(c, n->a, s));
		for (int i = 0; i < n->kids.n; i++)
			v_write(c, c->out, eval(c, n->kids.v[i], s));
		break;
	case N_IF: return run_if(c, n, s);
	case N_FOR: run_for(c, n, eval(c, n->b, s), s, 0); break;
	case N_SET: assign(c, n->a, eval(c, n->b, s), s); break;
	case N_SETBLOCK:
		text = capture(c, &n->body, scope_new(c, s), &flow);
		assign(c, n->a, filter_chain(c, n->b, v_str(text), s), s);
		break;
	case N_FILTERBLOCK:
		text = capture(c, &n->body, scope_new(c, s), &flow);
		v_write(c, c->out, filter_chain(c, n->a, v_str(text), s));
		break;
	case N_MACRO: scope_set(c, s, n->id, closure(c, n, s)); break;
	case N_CALLBLOCK: run_call(c, n, s); break;
	case N_WITH: run_with(c, n, s, &flow); break;
	case N_GENERATION: run_generation(c, n, s, &flow); break;
	case N_SCOPE: flow = run(c, &n->body, scope_new(c, s)); break;
	case N_BREAK: return FLOW_BREAK;
	case N_CONTINUE: return FLOW_CONTINUE;
	default: t_raise(c, "not a statement");
	}
	return flow;
}

enum flow run(struct tctx *c, const struct nodes *body, struct scope *s)
{
	enum flow flow = FLOW_ON;

	deeper(c);
	for (int i = 0; i < body->n && flow == FLOW_ON; i++) {
		t_step(c, 1);
		c->line = body->v[i]->line;
		flow = run_node(c, body->v[i], s);
	}
	c->depth--;
	return flow;
}

/* --- the spans of the output --- */

/* The end of a generation span: NCP code points behind START. */
static size_t gen_end(const struct sb *root, const struct genspan *g)
{
	size_t at = g->start, left = g->ncp;

	while (at < root->n && left > 0) {
		at++;
		while (at < root->n && ((unsigned char)root->p[at] & 0xc0) == 0x80)
			at++;
		left--;
	}
	return at;
}

static void add_span(struct template_out *out, size_t start, size_t end, int msg, bool generation)
{
	struct template_span *last = out->nspans ? &out->span[out->nspans - 1] : NULL;

	if (end <= start)
		return;
	if (last && last->message == msg && last->generation == generation) {
		last->end = end;
		return;
	}
	ARRAY_ROOM(out->span, out->nspans, out->cap);
	out->span[out->nspans++] = (struct template_span){ start, end, msg, generation };
}

/* Cut the runs of the output where generation begins and ends.  Spans come in the order of their start, mostly apart;
 * where they overlap (blocks inside macros), FAR is how far they reach. */
static void spans(struct tctx *c, struct template_out *out)
{
	size_t g = 0, at = 0, far = 0;

	for (size_t r = 0; r < c->root.nruns; r++) {
		size_t end = c->root.runs[r].end;
		int msg = c->root.runs[r].msg;

		while (at < end) {
			size_t next = end;
			while (g < c->ngen && c->gen[g].start <= at) {
				size_t e = gen_end(&c->root, &c->gen[g++]);
				far = e > far ? e : far;
			}
			if (g < c->ngen && c->gen[g].start < next)
				next = c->gen[g].start;
			if (far > at && far < next)
				next = far;
			add_span(out, at, next, msg, far > at);
			at = next;
		}
	}
}

static void give(struct tctx *c, struct template_out *out)
{
	out->text.n = 0;
	if (c->root.n)
		buf_add(&out->text, c->root.p, c->root.n);
	else
		buf_str(&out->text, "");
	spans(c, out);
	out->has_generation = c->entered;
}

int template_render(const struct template *t, const struct json *vars, const char *now, struct template_out *out, struct err *e)
{
	return template_render_data(t, vars, NULL, now, out, e);
}

int template_render_data(const struct template *t, const struct json *vars, const struct json *data, const char *now, struct template_out *out, struct err *e)
{
	struct tctx *c = mem_new(sizeof *c);
	int rc = 0;

	c->t = t;
	c->vars = vars;
	c->data = data;
	c->now = now;
	c->e = e;
	c->out = &c->root;
	c->line = 1;
	out->nspans = 0;
	out->has_generation = out->raised = false;
	if (setjmp(c->fail) == 0) {
		c->global = t_get(c, (size_t)t->nnames * sizeof *c->global);
		for (int i = 0; i < t->nnames; i++)
			c->global[i].type = V_ABSENT;
		run(c, &t->body, scope_new(c, NULL));
		give(c, out);
	} else {
		rc = err_in(e, "%s:%d", t->name, c->line);
	}
	out->raised = c->raised;
	arena_release(&c->a);
	mem_free(c);
	return rc;
}

void template_out_free(struct template_out *o)
{
	buf_free(&o->text);
	mem_free(o->span);
	memset(o, 0, sizeof *o);
}
