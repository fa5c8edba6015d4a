/* SPDX-License-Identifier: Apache-2.0 */
#include "roundmerged.h"

#include <math.h>
#include <string.h>

#include "fieldtext.h"

void round_labels_init(struct round_labels *l, struct round *r)
{
	*l = (struct round_labels){ .r = r, .note = mem_new(((size_t)r->nitems + 1) * sizeof *l->note) };
}

void round_labels_free(struct round_labels *l)
{
	for (uint32_t i = 0; l->note && i < l->r->nitems; i++)
		buf_free(&l->note[i]);
	mem_free(l->note);
	mem_free(l->v);
	memset(l, 0, sizeof *l);
}

struct columns {
	const struct names *names;
	uint32_t item, label;
	int rater, note;
};

static int find_columns(struct columns *c, const struct names *names, struct err *e)
{
	int rc;

	if (c->names == names)
		return 0;
	if ((rc = rec_need(names, "item", &c->item, e)) != 0 || (rc = rec_need(names, "label", &c->label, e)) != 0)
		return rc;
	c->rater = rec_column(names, "rater");
	c->note = rec_column(names, "note");
	c->names = names;
	return 0;
}

/* The number of NAME in M; an unknown one with the nearest of those that are. */
static int number_of(const struct strmap *m, struct text name, const char *what, uint32_t *out, struct err *e)
{
	const struct strmap_entry *x = strmap_find(m, name.p, name.n);
	const char **known, *near;
	char *wanted;

	if (x) {
		*out = (uint32_t)x->value;
		return 0;
	}
	known = mem_grow(NULL, m->n + 1, sizeof *known);
	for (size_t k = 0; k < m->n; k++)
		known[k] = m->e[k].key;
	wanted = mem_strn(name.p, name.n);
	near = name.n > 2 && m->n < 1000 ? opt_nearest(wanted, known, m->n) : NULL;
	if (near)
		err_set(e, SFT_BADDATA, "%s '%s' is not of this round (did you mean '%s'?)", what, wanted, near);
	else
		err_set(e, SFT_BADDATA, "%s '%s' is not of this round", what, wanted);
	mem_free(known);
	mem_free(wanted);
	return SFT_BADDATA;
}

static bool was_given(const struct round_item *x, uint32_t rater)
{
	for (uint32_t k = 0; k < x->nraters; k++)
		if (x->rater[k] == rater)
			return true;
	return false;
}

static int add_record(struct round_labels *l, struct columns *c, const struct rec *rec, const char *path, struct err *e)
{
	struct round *r = l->r;
	struct round_label x = { .file = path, .line = rec->line };
	struct text who, label, note;
	int rc;

	if ((rc = find_columns(c, rec->names, e)) != 0)
		return rc;
	who = field_text(rec, c->rater);
	label = field_text(rec, (int)c->label);
	note = field_text(rec, c->note);
	if ((rc = number_of(&r->rater_of, who.n ? who : file_stem(path), "rater", &x.rater, e)) != 0 ||
	    (rc = number_of(&r->item_of, field_text(rec, (int)c->item), "item", &x.item, e)) != 0)
		return rc;
	if (!was_given(&r->item[x.item], x.rater))
		return err_set(e, SFT_BADDATA, "item '%s' was not given to '%s'", r->item[x.item].name.p, r->rater[x.rater].p);
	if (note.n)
		buf_fmt(&l->note[x.item], "%s%s: %.*s", l->note[x.item].n ? "; " : "", r->rater[x.rater].p, (int)note.n, note.p);
	if (label.n == 0)
		return 0;
	if ((rc = number_of(&r->label_of, label, "label", &x.label, e)) != 0)
		return rc;
	ARRAY_ROOM(l->v, l->n, l->cap);
	l->v[l->n++] = x;
	return 0;
}

int round_labels_read(struct round_labels *l, const char *path, const struct rec_opts *o, const struct tool *t, struct err *e)
{
	struct columns c = { 0 };
	struct recin *in;
	struct rec *rec;
	int rc = rec_open(&in, &path, 1, o, t, e);

	if (rc)
		return rc;
	while ((rc = rec_read(in, &rec, e)) == 0 && rec)
		if ((rc = add_record(l, &c, rec, path, e)) != 0) {
			err_in(e, "%s:%llu", path, (unsigned long long)rec->line);
			break;
		}
	if (rc) {
		rec_abandon(in);
		return rc;
	}
	return rec_close(in, e);
}

struct text *round_labels_notes(const struct round_labels *l, struct arena *a)
{
	struct text *out = mem_new(((size_t)l->r->nitems + 1) * sizeof *out);

	for (uint32_t i = 0; i < l->r->nitems; i++)
		out[i] = (struct text){ arena_str(a, l->note[i].p ? l->note[i].p : "", l->note[i].n), l->note[i].n };
	return out;
}

/* --- for the history --- */

static void number(struct jw *w, const char *key, double v)
{
	jw_key(w, key);
	jw_double(w, v);
}

static void count(struct jw *w, const char *key, uint64_t v)
{
	jw_key(w, key);
	jw_uint(w, v);
}

void round_merge_json(const struct rating_table *t, const struct kappa_figures *f, const struct kappa_shown *s, const struct gold *g, uint64_t lacks,
                      struct buf *out)
{
	const char *name;
	struct coef gate = kappa_gate_value(t, f, s, &name);
	struct jw w;

	jw_init(&w, out);
	jw_obj(&w);
	count(&w, "items", t->t.items);
	count(&w, "raters", t->t.raters);
	count(&w, "ratings", t->t.start[t->t.items]);
	count(&w, "missing", lacks);
	number(&w, "percent_agreement", f->percent.pooled_pairs.v);
	number(&w, "light", f->light.v);
	number(&w, "fleiss", f->fleiss.v);
	number(&w, "krippendorff", f->alpha[s->level].v);
	number(&w, "gwet_ac1", f->gwet[WEIGHT_NONE].v);
	jw_key(&w, "coefficient");
	jw_str(&w, name);
	number(&w, "value", gate.v);
	if (gate.reason) {
		jw_key(&w, "reason");
		jw_str(&w, gate.reason);
	}
	if (!isnan(s->min)) {
		number(&w, "min", s->min);
		jw_key(&w, "met");
		jw_bool(&w, gate.v >= s->min);
	}
	gold_json(g, &w);
	jw_obj_end(&w);
}
