/* SPDX-License-Identifier: Apache-2.0 */
/* Calls: arguments bound to parameters, macros, and the functions every template has. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "template_ast.h"

#define PARAMS_MAX 8

const struct func *func_find(const struct func *table, const char *name, size_t n)
{
	for (; table->name != NULL; table++)
		if (strlen(table->name) == n && memcmp(table->name, name, n) == 0)
			return table;
	return NULL;
}

/* The place of keyword NAME among the parameters, or -1. */
static int param_at(const char *params, const struct str *name)
{
	int i = 0;

	for (const char *p = params; *p; i++) {
		size_t n;
		p += *p == '!';
		n = strcspn(p, " ");
		if (n == name->n && memcmp(p, name->p, n) == 0)
			return i;
		p += n;
		p += strspn(p, " ");
	}
	return -1;
}

static int param_count(const char *params)
{
	int n = *params != 0;

	for (; *params; params++)
		n += *params == ' ';
	return n;
}

static void need_params(struct tctx *c, const struct func *f, const struct value *a)
{
	const char *p = f->params;

	for (int i = 0; *p; i++) {
		size_t n = strcspn(p, " ");
		if (*p == '!' && a[i].type == V_ABSENT)
			t_raise(c, "%s() missing 1 required positional argument: '%.*s'", f->name, (int)n - 1, p + 1);
		p += n;
		p += strspn(p, " ");
	}
}

struct value call_func(struct tctx *c, const struct func *f, struct value self, const struct args *args)
{
	struct value a[PARAMS_MAX];
	int n;

	if (f->params == NULL)
		return f->raw(c, self, args);
	n = param_count(f->params);
	for (int i = 0; i < PARAMS_MAX; i++)
		a[i].type = V_ABSENT;
	if (args->npos > (size_t)n)
		t_raise(c, "%s() takes at most %d argument%s (%zu given)", f->name, n, n == 1 ? "" : "s", args->npos);
	for (size_t i = 0; i < args->npos; i++)
		a[i] = args->pos[i];
	for (size_t i = 0; i < args->nkw; i++) {
		int at = param_at(f->params, args->kw[i].name);
		if (at < 0)
			t_raise(c, "%s() got an unexpected keyword argument '%.*s'", f->name, (int)(args->kw[i].name->n & 255), args->kw[i].name->p);
		if (a[at].type != V_ABSENT)
			t_raise(c, "%s() got multiple values for argument '%.*s'", f->name, (int)(args->kw[i].name->n & 255), args->kw[i].name->p);
		a[at] = args->kw[i].v;
	}
	need_params(c, f, a);
	return f->bound(c, self, a);
}

static struct value join_next(struct tctx *c, struct cycler *j)
{
	return v_str(j->at++ == 0 ? str_lit(c, "") : j->sep);
}

struct value v_call(struct tctx *c, struct value f, const struct args *a)
{
	switch (f.type) {
	case V_METHOD: return call_func(c, f.method->f, f.method->self, a);
	case V_FUNC: return call_func(c, f.func, f, a);
	case V_MACRO: return call_macro(c, f.macro, a);
	case V_LOOP: return call_loop(c, f.loop, a);
	case V_JOINER: return join_next(c, f.cycler);
	case V_UNDEF: t_undefined(c, f.u);
	default: t_raise(c, "'%s' object is not callable", v_type(f));
	}
}

/* --- macros --- */

static void bind_extra(struct tctx *c, const struct node *n, const struct args *a, struct scope *s)
{
	struct value rest = v_list(c, V_TUPLE, 0), kwargs = v_map(c);
	size_t nparams = (size_t)n->kids.n;

	if (a->npos > nparams && !n->uses_varargs)
		t_raise(c, "macro '%.100s' takes not more than %zu argument(s)", n->name->p, nparams);
	for (size_t i = nparams; i < a->npos; i++)
		list_add(c, rest.l, a->pos[i]);
	for (size_t i = 0; i < a->nkw; i++) {
		const struct str *name = a->kw[i].name;
		bool known = str_is(name, "caller") && n->uses_caller;

		for (int k = 0; k < n->kids.n && !known; k++)
			known = str_eq(n->kids.v[k]->name, name);
		if (known)
			continue;
		if (!n->uses_kwargs)
			t_raise(c, "macro '%.100s' takes no keyword argument '%.*s'", n->name->p, (int)(name->n & 255), name->p);
		map_put(c, kwargs.m, v_str(name), a->kw[i].v);
	}
	if (n->uses_varargs)
		scope_set(c, s, ID_VARARGS, rest);
	if (n->uses_kwargs)
		scope_set(c, s, ID_KWARGS, kwargs);
}

static const struct value *keyword(const struct args *a, const struct str *name)
{
	for (size_t i = 0; i < a->nkw; i++)
		if (str_eq(a->kw[i].name, name))
			return &a->kw[i].v;
	return NULL;
}

static void bind_params(struct tctx *c, const struct node *n, const struct args *a, struct scope *s)
{
	const struct value *caller = keyword(a, c->t->names[ID_CALLER]);

	for (int i = 0; i < n->kids.n; i++) {
		const struct node *p = n->kids.v[i];
		const struct value *kw = keyword(a, p->name);

		if ((size_t)i < a->npos && kw != NULL)
			t_raise(c, "macro '%.100s' got multiple values for argument '%.100s'", n->name->p, p->name->p);
		if ((size_t)i < a->npos)
			scope_set(c, s, p->id, a->pos[i]);
		else if (kw != NULL)
			scope_set(c, s, p->id, *kw);
		else if (p->a != NULL)
			scope_set(c, s, p->id, eval(c, p->a, s));
		else
			scope_set(c, s, p->id, v_undef_hint(c, "a parameter of a macro was not provided"));
	}
	if (n->uses_caller && keyword(a, c->t->names[ID_CALLER]) == NULL && n->kind == N_MACRO)
		scope_set(c, s, ID_CALLER, v_undef_hint(c, "No caller defined"));
	else if (n->uses_caller && caller != NULL)
		scope_set(c, s, ID_CALLER, *caller);
	bind_extra(c, n, a, s);
}

struct value call_macro(struct tctx *c, struct macro *m, const struct args *a)
{
	struct scope *s = scope_new(c, m->scope);
	struct sb text = {0}, *out = c->out;
	int line = c->line;

	if (++c->calls > T_CALL_MAX)
		t_raise(c, "macros call each other too deep (at most %d levels)", T_CALL_MAX);
	deeper(c);
	c->out = &text;
	bind_params(c, m->node, a, s);
	run(c, &m->node->body, s);
	c->out = out;
	c->depth--;
	c->calls--;
	c->line = line;
	return v_str(sb_str(c, &text));
}

struct value call_loop(struct tctx *c, struct loop *l, const struct args *a)
{
	struct sb text = {0}, *out = c->out;

	if (!l->node->op)
		t_raise(c, "The loop must have the 'recursive' marker to be called recursively.");
	if (a->npos != 1 || a->nkw)
		t_raise(c, "loop() takes one argument");
	if (++c->calls > T_CALL_MAX)
		t_raise(c, "loops call each other too deep (at most %d levels)", T_CALL_MAX);
	c->out = &text;
	run_for(c, l->node, a->pos[0], l->outer, l->depth + 1);
	c->out = out;
	c->calls--;
	return v_str(sb_str(c, &text));
}

/* --- global functions --- */

static struct value g_range(struct tctx *c, struct value self, struct value *a)
{
	int64_t start = 0, stop = v_index(c, a[0], "range()"), step = 1;
	struct value out;
	__int128 n;

	(void)self;
	if (a[1].type != V_ABSENT) {
		start = stop;
		stop = v_index(c, a[1], "range()");
	}
	if (a[2].type != V_ABSENT)
		step = v_index(c, a[2], "range()");
	if (step == 0)
		t_raise(c, "range() arg 3 must not be zero");
	n = step > 0 ? ((__int128)stop - start + step - 1) / step : ((__int128)start - stop - step - 1) / -(__int128)step;
	if (n > T_RANGE_MAX)
		t_raise(c, "Range too big. The sandbox blocks ranges larger than MAX_RANGE (%d).", T_RANGE_MAX);
	out = v_list(c, V_RANGE, n > 0 ? (size_t)n : 0);
	for (__int128 i = 0; i < n; i++)
		list_add(c, out.l, v_int(start + i * step));
	out.l->start = start;
	out.l->stop = stop;
	out.l->step = step;
	return out;
}

static struct value g_dict(struct tctx *c, struct value self, const struct args *a)
{
	struct value m = v_map(c);

	(void)self;
	if (a->npos > 1)
		t_raise(c, "dict expected at most 1 argument, got %zu", a->npos);
	if (a->npos == 1 && a->pos[0].type == V_MAP) {
		for (size_t i = 0; i < a->pos[0].m->n; i++)
			map_put(c, m.m, a->pos[0].m->e[i].k, a->pos[0].m->e[i].v);
	} else if (a->npos == 1) {
		struct vlist *l = v_iter(c, a->pos[0]);
		for (size_t i = 0; i < l->n; i++) {
			struct vlist *pair = v_iter(c, l->v[i]);
			if (pair->n != 2)
				t_raise(c, "dictionary update sequence element #%zu has length %zu; 2 is required", i, pair->n);
			map_put(c, m.m, pair->v[0], pair->v[1]);
		}
	}
	for (size_t i = 0; i < a->nkw; i++)
		map_put(c, m.m, v_str(a->kw[i].name), a->kw[i].v);
	return m;
}

static struct value g_namespace(struct tctx *c, struct value self, const struct args *a)
{
	struct value m = g_dict(c, self, a);

	m.type = V_NS;
	return m;
}

static struct value g_cycler(struct tctx *c, struct value self, const struct args *a)
{
	struct cycler *y = t_get(c, sizeof *y);
	struct value items = v_list(c, V_LIST, a->npos);

	(void)self;
	if (a->npos == 0)
		t_raise(c, "at least one item has to be provided");
	for (size_t i = 0; i < a->npos; i++)
		list_add(c, items.l, a->pos[i]);
	*y = (struct cycler){ .items = items.l };
	return (struct value){ .type = V_CYCLER, .cycler = y };
}

static struct value g_joiner(struct tctx *c, struct value self, struct value *a)
{
	struct cycler *y = t_get(c, sizeof *y);

	(void)self;
	*y = (struct cycler){ .sep = a[0].type == V_ABSENT ? str_lit(c, ", ") : v_text(c, a[0]) };
	return (struct value){ .type = V_JOINER, .cycler = y };
}

static struct value g_raise(struct tctx *c, struct value self, struct value *a)
{
	const struct str *s = v_text(c, a[0]);

	(void)self;
	c->raised = true;
	t_raise(c, "%.*s", (int)(s->n < 900 ? s->n : 900), s->p);
}

static void parse_now(struct tctx *c, struct tm *tm)
{
	time_t t = time(NULL);

	memset(tm, 0, sizeof *tm);
	if (c->now == NULL) {
		localtime_r(&t, tm);
		return;
	}
	if (sscanf(c->now, "%4d-%2d-%2d%*1[T ]%2d:%2d:%2d", &tm->tm_year, &tm->tm_mon, &tm->tm_mday, &tm->tm_hour, &tm->tm_min, &tm->tm_sec) < 3 ||
	    tm->tm_year < 1 || tm->tm_mon < 1 || tm->tm_mon > 12 || tm->tm_mday < 1 || tm->tm_mday > 31)
		t_raise(c, "the time 'now' is '%.40s' (expected YYYY-MM-DD HH:MM:SS)", c->now);
	tm->tm_year -= 1900;
	tm->tm_mon--;
	tm->tm_isdst = -1;
	timegm(tm);                    /* fills in the day of the week and of the year */
}

static struct value g_strftime(struct tctx *c, struct value self, struct value *a)
{
	const struct str *fmt = v_text(c, a[0]);
	struct sb b = {0};
	struct tm tm;
	char code[4], text[256];

	(void)self;
	parse_now(c, &tm);
	for (size_t i = 0; i < fmt->n; i++) {
		size_t from = i;
		if (fmt->p[i] != '%' || i + 1 >= fmt->n) {
			sb_sub(c, &b, fmt, i, i + 1);
			continue;
		}
		i++;
		if (strchr("-_0^#", fmt->p[i]) && i + 1 < fmt->n)
			i++;
		memcpy(code, fmt->p + from, i - from + 1);
		code[i - from + 1] = 0;
		if (fmt->p[i] == 'f')
			sb_lit(c, &b, "000000");
		else if (fmt->p[i] != 'Z' && fmt->p[i] != 'z')
			sb_add(c, &b, text, strftime(text, sizeof text, code, &tm), T_OWN);
	}
	return v_str(sb_str(c, &b));
}

const struct func *global_find(const struct str *name)
{
	static const struct func table[] = {
		{ "range", "!start stop step", g_range, NULL },
		{ "dict", NULL, NULL, g_dict },
		{ "namespace", NULL, NULL, g_namespace },
		{ "cycler", NULL, NULL, g_cycler },
		{ "joiner", "sep", g_joiner, NULL },
		{ "raise_exception", "!message", g_raise, NULL },
		{ "strftime_now", "!format", g_strftime, NULL },
		{ NULL, NULL, NULL, NULL }
	};

	return func_find(table, name->p, name->n);
}
