/* SPDX-License-Identifier: Apache-2.0 */
/* Compliance: the share of answers that keep all rules of their class. */
#include "compliance.h"

#include <stdio.h>
#include <string.h>

#include "hash.h"
#include "metric_class.h"
#include "strmap.h"

enum { COMPLIANT, REQUIRED_MET, FORBIDDEN_FREE, HAS_RULES, WIDTH };

/* --- rules --- */

int compliance_add(struct compliance_rules *r, struct text class, struct text what, struct text pattern, struct text name, struct err *e)
{
	struct compliance_rule x = { .name = name.n ? name : pattern };
	int rc;

	if (what.n == 9 && memcmp(what.p, "forbidden", 9) == 0)
		x.forbidden = true;
	else if (what.n != 8 || memcmp(what.p, "required", 8) != 0)
		return err_set(e, SFT_BADDATA, "rule '%.*s' (expected required or forbidden)", (int)what.n, what.p);
	if (pattern.n == 0)
		return err_set(e, SFT_BADDATA, "an empty pattern (expected a PCRE2 pattern)");
	if ((rc = pattern_new(&x.pattern, pattern.p, pattern.n, 0, e)) != 0)
		return rc == SFT_USAGE ? err_set(e, SFT_BADDATA, "%s", e->msg) : rc;
	x.class = (struct text){ arena_str(&r->arena, class.p ? class.p : "", class.n), class.n };
	x.name = (struct text){ arena_str(&r->arena, x.name.p, x.name.n), x.name.n };
	r->hash = hash64(class.p, class.n, r->hash + x.forbidden + 1);
	r->hash = hash64(pattern.p, pattern.n, r->hash);
	ARRAY_ROOM(r->rule, r->n, r->cap);
	r->rule[r->n++] = x;
	return 0;
}

void compliance_free(struct compliance_rules *r)
{
	for (size_t k = 0; k < r->n; k++)
		pattern_free(r->rule[k].pattern);
	mem_free(r->rule);
	arena_release(&r->arena);
	memset(r, 0, sizeof *r);
}

/* --- the metric --- */

struct rule_tally {
	uint64_t n, broken;
	bool now;                       /* broken by the item added last */
};

struct own {
	struct strmap name;             /* class -> place in c[] */
	struct compliance_class *c;
	size_t cap;
	struct rule_tally *rule;
	struct matcher *matcher;
};

static int open_(struct metric *m, struct err *e)
{
	static const char *const names[] = { "compliance", "required_met", "forbidden_free" };
	struct own *o = m->own;

	(void)e;
	m->names = names;
	m->nvalues = 3;
	m->width = WIDTH;
	o->rule = mem_new((m->o->rules->n + 1) * sizeof *o->rule);
	o->matcher = matcher_new();
	return 0;
}

static int check(struct metric *m, const struct compliance_rule *r, struct rule_tally *t, struct text hyp, struct err *e)
{
	struct own *o = m->own;
	bool found;
	int rc;

	if ((rc = pattern_find(r->pattern, o->matcher, hyp.p ? hyp.p : "", hyp.n, 0, &found, e)) != 0)
		return err_in(e, "rule '%.*s'", (int)r->name.n, r->name.p);
	t->n++;
	t->now = found == r->forbidden;
	t->broken += t->now;
	m->row[HAS_RULES] = 1;
	if (t->now)
		m->row[r->forbidden ? FORBIDDEN_FREE : REQUIRED_MET] = 0;
	return 0;
}

static int add(struct metric *m, struct text hyp, const struct text *ref, size_t nref, struct err *e)
{
	const struct compliance_rules *rules = m->o->rules;
	struct own *o = m->own;
	struct strmap_entry *x;
	bool added;
	int rc;

	(void)ref;
	(void)nref;
	m->row[REQUIRED_MET] = m->row[FORBIDDEN_FREE] = 1;
	m->row[HAS_RULES] = 0;
	for (size_t k = 0; k < rules->n; k++) {
		o->rule[k].now = false;
		if (rules->rule[k].class.n && !text_equal(rules->rule[k].class, m->class))
			continue;
		if ((rc = check(m, &rules->rule[k], &o->rule[k], hyp, e)) != 0)
			return rc;
	}
	m->row[COMPLIANT] = m->row[REQUIRED_MET] * m->row[FORBIDDEN_FREE];
	x = strmap_put(&o->name, m->class.p ? m->class.p : "", m->class.n, o->name.n, &added);
	if (added) {
		ARRAY_ROOM(o->c, x->value, o->cap);
		o->c[x->value] = (struct compliance_class){ { x->key, x->n }, 0, 0 };
	}
	o->c[x->value].n++;
	o->c[x->value].compliant += m->row[COMPLIANT] > 0;
	return 0;
}

static void score(const struct metric *m, const double *sum, size_t n, double *out)
{
	(void)m;
	for (size_t v = 0; v < 3; v++)
		out[v] = n ? sum[v] / (double)n : 0;
}

static void item(struct metric *m, double *out)
{
	memcpy(out, m->row, 3 * sizeof *out);
}

const struct compliance_class *compliance_classes(const struct metric *m, size_t *n)
{
	const struct own *o = m->own;

	if (m->c != &metric_compliance)
		return NULL;
	*n = o->name.n;
	return o->c;
}

void compliance_tally(const struct metric *m, size_t k, uint64_t *n, uint64_t *broken)
{
	const struct own *o = m->own;

	*n = o->rule[k].n;
	*broken = o->rule[k].broken;
}

static void classes_json(const struct own *o, struct jw *w)
{
	jw_key(w, "per_class");
	jw_arr(w);
	for (size_t k = 0; k < o->name.n; k++) {
		jw_obj(w);
		jw_key(w, "class");
		jw_strn(w, o->c[k].name.p, o->c[k].name.n);
		jw_key(w, "n");
		jw_uint(w, o->c[k].n);
		jw_key(w, "compliant");
		jw_uint(w, o->c[k].compliant);
		jw_key(w, "compliance");
		jw_double(w, (double)o->c[k].compliant / (double)o->c[k].n);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

static void rules_json(const struct metric *m, struct jw *w)
{
	const struct own *o = m->own;

	jw_key(w, "rules");
	jw_arr(w);
	for (size_t k = 0; k < m->o->rules->n; k++) {
		const struct compliance_rule *r = &m->o->rules->rule[k];

		jw_obj(w);
		jw_key(w, "name");
		jw_strn(w, r->name.p, r->name.n);
		jw_key(w, "class");
		if (r->class.n)
			jw_strn(w, r->class.p, r->class.n);
		else
			jw_null(w);
		jw_key(w, "rule");
		jw_str(w, r->forbidden ? "forbidden" : "required");
		jw_key(w, "n");
		jw_uint(w, o->rule[k].n);
		jw_key(w, "broken");
		jw_uint(w, o->rule[k].broken);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

static void json(struct metric *m, struct jw *w)
{
	double v[3];

	score(m, m->sum, m->n, v);
	jw_key(w, "n");
	jw_uint(w, m->n);
	jw_key(w, "without_rules");
	jw_uint(w, m->n - (uint64_t)m->sum[HAS_RULES]);
	for (size_t k = 0; k < 3; k++) {
		jw_key(w, m->names[k]);
		jw_double(w, v[k]);
	}
	classes_json(m->own, w);
	rules_json(m, w);
}

static void item_json(struct metric *m, struct jw *w)
{
	const struct own *o = m->own;

	jw_obj(w);
	jw_key(w, "compliant");
	jw_bool(w, m->row[COMPLIANT] > 0);
	jw_key(w, "broken");
	jw_arr(w);
	for (size_t k = 0; k < m->o->rules->n; k++)
		if (o->rule[k].now)
			jw_strn(w, m->o->rules->rule[k].name.p, m->o->rules->rule[k].name.n);
	jw_arr_end(w);
	jw_obj_end(w);
}

static void signature(const struct metric *m, struct buf *to)
{
	buf_fmt(to, "rules:%zu %08x", m->o->rules->n, (unsigned)(m->o->rules->hash >> 32));
}

static bool share(const struct metric *m, size_t v, double *k)
{
	*k = m->sum[v];
	return true;
}

static const char *lacks(const struct metric_opts *o)
{
	return o->rules ? NULL : "compliance needs rules (expected --rules FILE)";
}

static void close_(struct metric *m)
{
	struct own *o = m->own;

	strmap_free(&o->name);
	mem_free(o->c);
	mem_free(o->rule);
	matcher_free(o->matcher);
}

const struct metric_class metric_compliance = {
	.name = "compliance", .version = "1", .size = sizeof(struct own), .no_reference = true, .lacks = lacks, .open = open_, .add = add, .score = score, .item = item,
	.json = json, .item_json = item_json, .signature = signature, .share = share, .close = close_,
};
