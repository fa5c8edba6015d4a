/* SPDX-License-Identifier: Apache-2.0 */
#include "clean.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const struct step_kind *const tables[] = { clean_filter_kinds, clean_lang_kinds, clean_quality_kinds, clean_text_kinds, clean_pii_kinds, clean_shape_kinds, NULL };

void clean_init(struct clean *c)
{
	memset(c, 0, sizeof *c);
	arena_init(&c->arena);
	pthread_mutex_init(&c->lock, NULL);
	c->columns = "all";
	c->null_values = "empty";
}

void clean_release(struct clean *c)
{
	for (size_t i = 0; i < c->n; i++) {
		pattern_free(c->step[i].pattern);
		replacement_free(c->step[i].replacement);
		termset_free(c->step[i].terms);
		mem_free(c->step[i].columns.v);
		mem_free(c->step[i].renamed.v);
		mem_free(c->step[i].seen);
	}
	mem_free(c->nulls.v);
	unicode_close(c->unicode);
	hans_close(c->hans);
	lang_close(c->lang);
	arena_release(&c->arena);
	pthread_mutex_destroy(&c->lock);
}

/* --- options --- */

static void set_columns(struct clean *c, struct step *s, const char *list)
{
	if (strcmp(list, "all") != 0)
		wordlist_split(&s->columns, list, &c->arena);
	s->seen = mem_new(s->columns.n + 1);
}

/* VALUE is "COL,...:/...": the columns are before the first colon that a pattern follows. */
static int split_colon(struct clean *c, struct step *s, const char **value, struct err *e)
{
	const char *colon = strchr(*value, ':');

	while (colon && (!ispunct((unsigned char)colon[1]) || colon[1] == '\\'))   /* it is part of a name */
		colon = strchr(colon + 1, ':');
	if (colon == NULL || colon == *value)
		return err_set(e, SFT_USAGE, "'%s' (expected %s)", *value, s->kind->arg);
	set_columns(c, s, arena_str(&c->arena, *value, (size_t)(colon - *value)));
	*value = colon + 1;
	return 0;
}

const char *clean_reason(struct clean *c, const char *what, const char *value)
{
	struct buf b = {0};
	const char *s;

	buf_fmt(&b, "%s %s", what, value);
	s = arena_str(&c->arena, b.p, b.n);
	buf_free(&b);
	return s;
}

static int add_step(struct clean *c, const struct step_kind *k, const char *value, struct err *e)
{
	struct step *s = &c->step[c->n];
	int rc = 0;

	if (c->n == CLEAN_MAX_STEPS)
		return err_set(e, SFT_USAGE, "more than %d steps", CLEAN_MAX_STEPS);
	*s = (struct step){ .kind = k, .clean = c, .value = value };
	c->n++;
	if (k->columns == COLUMNS_COLON)
		rc = split_colon(c, s, &value, e);
	else
		set_columns(c, s, k->columns == COLUMNS_VALUE ? value : k->columns == COLUMNS_DEFAULT ? c->columns : "all");
	return rc == 0 && k->parse ? k->parse(c, s, value, e) : rc;
}

static int option_called(void *to, const char *value, struct err *e)
{
	struct step_option *o = to;

	return add_step(o->clean, o->kind, value, e);
}

static int columns_called(void *to, const char *value, struct err *e)
{
	struct clean *c = to;

	(void)e;
	c->columns = value;
	return 0;
}

const struct opt *clean_options(struct clean *c, struct opt *table)
{
	struct opt *o = table;
	size_t n = 0;

	*o++ = (struct opt)OPT_HEAD("Steps, run in the order given");
	for (size_t t = 0; tables[t]; t++)
		for (const struct step_kind *k = tables[t]; k->name; k++, n++) {
			c->option[n] = (struct step_option){ c, k };
			*o++ = (struct opt)OPT_CALL(0, k->name, &c->option[n], k->arg, k->help, option_called);
		}
	*o++ = (struct opt)OPT_HEAD("For the steps");
	*o++ = (struct opt)OPT_CALL(0, "columns", c, "COL,...|all", "where the later steps that name no column look [all]", columns_called);
	*o++ = (struct opt)OPT_STR(0, "null-values", &c->null_values, "LIST", "empty, pandas or words, by commas: what is null [empty]");
	*o = (struct opt)OPT_END;
	return table;
}

int clean_add(struct clean *c, const char *name, const char *value, struct err *e)
{
	for (size_t t = 0; tables[t]; t++)
		for (const struct step_kind *k = tables[t]; k->name; k++)
			if (strcmp(k->name, name) == 0)
				return add_step(c, k, value, e);
	return err_set(e, SFT_USAGE, "no step '%s'", name);
}

/* What pandas reads as missing unless told otherwise (pandas.read_csv, na_values). */
static const char pandas[] = ",#N/A,#N/A N/A,#NA,-1.#IND,-1.#QNAN,-NaN,-nan,1.#IND,1.#QNAN,<NA>,N/A,NA,NULL,NaN,None,n/a,nan,null";

int clean_ready(struct clean *c, struct err *e)
{
	struct wordlist given = {0};

	(void)e;
	wordlist_split(&given, c->null_values, &c->arena);
	for (size_t i = 0; i < given.n; i++) {
		if (strcmp(given.v[i], "pandas") == 0) {
			wordlist_split(&c->nulls, pandas, &c->arena);
			continue;
		}
		wordlist_add(&c->nulls, strcmp(given.v[i], "empty") == 0 ? "" : given.v[i]);
	}
	mem_free(given.v);
	for (size_t i = 0; i < c->nulls.n; i++)
		if (strlen(c->nulls.v[i]) > c->longest_null)
			c->longest_null = strlen(c->nulls.v[i]);
	for (size_t i = 0; i < c->n && c->unicode == NULL; i++)
		if (c->step[i].kind->map)
			c->unicode = unicode_open();
	return 0;
}

/* --- plans --- */

static bool same_names(const struct names *a, const char *const *list, size_t n)
{
	if (a->n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(a->name[i], list[i]) != 0)
			return false;
	return true;
}

static bool listed(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

int clean_names(struct clean *c, const char *const *list, size_t n, const struct names **out, struct err *e)
{
	struct names *made;

	for (size_t i = 1; i < n; i++)
		if (listed(list, i, list[i]))
			return err_set(e, SFT_USAGE, "two columns of one name, '%s'", list[i]);
	for (const struct plan *p = c->plan; p; p = p->next)
		for (size_t i = 0; i < c->n; i++)
			if (same_names(p->step[i].after, list, n)) {
				*out = p->step[i].after;
				return 0;
			}
	made = arena_get(&c->arena, sizeof *made);
	made->n = (uint32_t)n;
	made->name = arena_get(&c->arena, n * sizeof *made->name);
	made->len = arena_get(&c->arena, n * sizeof *made->len);
	for (size_t i = 0; i < n; i++) {
		made->len[i] = (uint32_t)strlen(list[i]);
		made->name[i] = arena_str(&c->arena, list[i], made->len[i]);
	}
	*out = made;
	return 0;
}

static int bind_columns(struct clean *c, const struct step *s, const struct names *in, bool missing_ok, struct bound *b, struct err *e)
{
	size_t room = (s->columns.n > in->n ? s->columns.n : in->n) + 1;
	uint32_t *col = arena_get(&c->arena, room * sizeof *col);
	int rc;

	b->role = s->kind->whole ? NULL : arena_get(&c->arena, room * sizeof *b->role);
	rc = columns_find(&s->columns, in, missing_ok, col, b->role, &b->n, e);

	for (size_t i = 0; rc == 0 && i < s->columns.n; i++)
		s->seen[i] |= col[i] != NO_COLUMN;
	b->col = col;
	return rc;
}

static int make_plan(struct clean *c, const struct names *names, bool json, struct plan **out, struct err *e)
{
	struct plan *p = arena_get(&c->arena, sizeof *p);
	int rc;

	*out = p;
	p->in = names;
	p->step = arena_get(&c->arena, (c->n + 1) * sizeof *p->step);
	for (size_t i = 0; i < c->n; i++) {
		const struct step *s = &c->step[i];
		bool missing_ok = c->missing_ok || (json && s->kind->missing_ok);

		p->step[i].after = names;
		if ((rc = bind_columns(c, s, names, missing_ok, &p->step[i], e)) != 0 ||
		    (s->kind->bind && (rc = s->kind->bind(c, s, names, &p->step[i], e)) != 0))
			return err_in(e, "--%s", s->kind->name);
		names = p->step[i].after;
	}
	p->out = names;
	return 0;
}

int clean_plan(struct clean *c, const struct names *names, bool json, const struct plan **out, struct err *e)
{
	struct plan *p;
	int rc = 0;

	pthread_mutex_lock(&c->lock);
	for (p = c->plan; p; p = p->next)
		if (p->in == names)
			break;
	if (p == NULL && (rc = make_plan(c, names, json, &p, e)) == 0) {
		p->next = c->plan;
		c->plan = p;
	}
	pthread_mutex_unlock(&c->lock);
	*out = p;
	return rc;
}

int clean_check_seen(const struct clean *c, const struct names *last, struct err *e)
{
	uint32_t at;

	for (size_t i = 0; i < c->n; i++)
		for (size_t k = 0; k < c->step[i].columns.n; k++)
			if (!c->step[i].seen[k] && rec_need(last, c->step[i].columns.v[k], &at, e) != 0)
				return err_in(e, "--%s", c->step[i].kind->name);
	return 0;
}

/* --- applying --- */

void work_init(struct work *w)
{
	memset(w, 0, sizeof *w);
	w->matcher = matcher_new();
}

void work_release(struct work *w)
{
	matcher_free(w->matcher);
	buf_free(&w->scratch);
	pii_release(&w->pii);
	textwords_release(&w->words);
	gramtable_release(&w->grams);
	termscan_release(&w->scan);
	chattexts_release(&w->chat);
	langwork_release(&w->lang);
}

static enum verdict each_message(const struct step *s, const char *role, struct work *w, struct field *f, bool other, visit_text *visit, void *to)
{
	enum verdict all = CLEAN_SAME;

	if (!chattexts_get(&w->chat, f, role, w->arena))
		return other ? visit(s, w, f, to) : CLEAN_SAME;
	for (size_t i = 0; i < w->chat.n; i++) {
		enum verdict v = visit(s, w, &w->chat.text[i], to);

		if (v != CLEAN_SAME)
			all = v;
		if (v > CLEAN_CHANGED)
			return v;
	}
	if (all == CLEAN_CHANGED)
		chattexts_put(&w->chat, f, w->arena);
	return all;
}

enum verdict each_text(const struct step *s, const struct bound *b, struct work *w, struct rec *r, bool other, visit_text *visit, void *to)
{
	enum verdict all = CLEAN_SAME;

	for (size_t i = 0; i < b->n; i++) {
		struct field *f = b->col[i] == NO_COLUMN ? NULL : &r->f[b->col[i]];
		enum verdict v;

		if (f == NULL)
			continue;
		v = f->type == FIELD_TEXT ? visit(s, w, f, to) : each_message(s, b->role[i], w, f, other, visit, to);
		if (v != CLEAN_SAME)
			all = v;
		if (v > CLEAN_CHANGED)
			break;
	}
	return all;
}

static enum verdict map_text(const struct step *s, struct work *w, struct field *f, void *to)
{
	char *out;
	size_t n;

	(void)to;
	if (f->n == 0)
		return CLEAN_SAME;
	out = arena_get(w->arena, UNICODE_LOWER_ROOM(f->n));
	n = s->kind->map(s, f->p, f->n, out);
	if (n == f->n && memcmp(out, f->p, n) == 0) {
		arena_trim(w->arena, out, 0);
		return CLEAN_SAME;
	}
	arena_trim(w->arena, out, n);
	f->p = out;
	f->n = n;
	return CLEAN_CHANGED;
}

static enum verdict apply(const struct step *s, const struct bound *b, struct work *w, struct rec *r)
{
	if (s->kind->map)
		return each_text(s, b, w, r, false, map_text, NULL);
	if (s->kind->change)
		return each_text(s, b, w, r, false, s->kind->change, NULL);
	return s->kind->apply(s, b, w, r);
}

enum verdict clean_apply(const struct clean *c, const struct plan *p, struct work *w, struct rec *r, struct tally *tally)
{
	enum verdict all = CLEAN_SAME;

	for (size_t i = 0; i < c->n; i++) {
		const struct step *s = &c->step[i];
		enum verdict v = apply(s, &p->step[i], w, r);

		r->names = p->step[i].after;
		switch (v) {
		case CLEAN_SAME:
			break;
		case CLEAN_CHANGED:
			tally[i].changed++;
			all = v;
			break;
		case CLEAN_DROP:
			tally[i].dropped++;
			return v;
		case CLEAN_BAD:
			err_in(&w->e, "--%s", s->kind->name);
			return v;
		}
	}
	return all;
}
