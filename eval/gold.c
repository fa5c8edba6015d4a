/* SPDX-License-Identifier: Apache-2.0 */
#include "gold.h"

#include <stdio.h>
#include <string.h>

#include "fieldtext.h"

const char *const gold_how_name[GOLD_HOWS] = { "none", "single", "unanimous", "majority", "tie", "resolved" };

void gold_init(struct gold *g, const struct rating_table *r)
{
	memset(g, 0, sizeof *g);
	arena_init(&g->arena);
	g->v = mem_new(((size_t)r->t.items + 1) * sizeof *g->v);
}

void gold_free(struct gold *g)
{
	mem_free(g->v);
	arena_release(&g->arena);
	memset(g, 0, sizeof *g);
}

/* --- what was settled --- */

struct settled {
	struct gold *g;
	const struct rating_table *r;
	struct strmap number;           /* items without names, by their number */
};

static const struct text *category_of(const struct rating_table *r, struct text label, struct err *e)
{
	const char **names, *near;
	char *wanted;

	for (uint32_t k = 0; k < r->t.ncat; k++)
		if (text_equal(r->category[k], label))
			return &r->category[k];
	names = mem_grow(NULL, r->t.ncat, sizeof *names);
	for (uint32_t k = 0; k < r->t.ncat; k++)
		names[k] = r->category[k].p;
	wanted = mem_strn(label.p, label.n);
	near = label.n > 2 ? opt_nearest(wanted, names, r->t.ncat) : NULL;
	if (near)
		err_set(e, SFT_BADDATA, "resolved label '%s' is not among the labels (did you mean '%s'?)", wanted, near);
	else
		err_set(e, SFT_BADDATA, "resolved label '%s' is not among the labels (expected one that was given, or --categories)", wanted);
	mem_free(names);
	mem_free(wanted);
	return NULL;
}

static int settle(struct settled *s, const struct rec *rec, struct err *e)
{
	struct gold *g = s->g;
	uint32_t item_col, label_col;
	const struct strmap_entry *x;
	const struct text *label;
	struct text item, given, note;
	int rc;

	if ((rc = rec_need(rec->names, "item", &item_col, e)) != 0 || (rc = rec_need(rec->names, "resolved", &label_col, e)) != 0)
		return rc;
	item = field_text(rec, (int)item_col);
	given = field_text(rec, (int)label_col);
	if ((x = strmap_find(s->r->item.n ? &s->r->item : &s->number, item.p, item.n)) == NULL)
		return err_set(e, SFT_BADDATA, "item '%.*s' is not among the items rated", (int)item.n, item.p);
	if (given.n == 0)
		return 0;
	if ((label = category_of(s->r, given, e)) == NULL)
		return SFT_BADDATA;
	if (g->v[x->value].how == GOLD_RESOLVED)
		return err_set(e, SFT_BADDATA, "item '%.*s' is settled twice", (int)item.n, item.p);
	note = field_text(rec, rec_column(rec->names, "note"));
	g->v[x->value] = (struct gold_item){ .how = GOLD_RESOLVED, .label = *label, .note = { arena_str(&g->arena, note.p, note.n), note.n } };
	g->resolved++;
	return 0;
}

int gold_read(struct gold *g, const struct rating_table *r, const char *path, const struct tool *t, struct err *e)
{
	struct settled s = { .g = g, .r = r };
	struct rec_opts plain;
	struct recin *in;
	struct rec *rec;
	char tmp[24];
	int rc;

	rec_opts_init(&plain);
	for (uint32_t i = 0; r->item.n == 0 && i < r->t.items; i++) {
		struct text name = rating_item_name(r, i, tmp);
		strmap_put(&s.number, name.p, name.n, i, NULL);
	}
	if ((rc = rec_open(&in, &path, 1, &plain, t, e)) == 0) {
		while ((rc = rec_read(in, &rec, e)) == 0 && rec)
			if ((rc = settle(&s, rec, e)) != 0) {
				err_in(e, "%s:%llu", rec->file, (unsigned long long)rec->line);
				break;
			}
		if (rc == 0)
			rc = rec_close(in, e);
		else
			rec_abandon(in);
	}
	strmap_free(&s.number);
	return rc;
}

/* --- deciding --- */

/* COUNT [ncat] is zero before and after. */
static void decide_item(struct gold_item *x, const struct rating_table *r, uint32_t item, uint32_t *count)
{
	const struct rating *v = r->t.r + r->t.start[item];
	size_t n = r->t.start[item + 1] - r->t.start[item];
	uint32_t most = 0, leads = 0, settled = 0;
	bool resolved = x->how == GOLD_RESOLVED;

	for (size_t k = 0; k < n; k++)
		count[v[k].cat]++;
	for (size_t k = 0; k < n; k++) {
		uint32_t c = count[v[k].cat];

		if (resolved && text_equal(r->category[v[k].cat], x->label))
			settled = c;
		if (c > most) {
			most = c;
			leads = 0;
			x->majority = r->category[v[k].cat];
		}
		leads += c == most;             /* once for each rating of a leading category */
	}
	for (size_t k = 0; k < n; k++)
		count[v[k].cat] = 0;
	if (leads > most)
		x->majority = (struct text){ "", 0 };
	x->of = (uint32_t)n;
	x->votes = resolved ? settled : leads > most ? 0 : most;
	if (resolved)
		return;
	x->label = x->majority;
	x->how = n == 0 ? GOLD_NONE : leads > most ? GOLD_TIE : n == 1 ? GOLD_SINGLE : most == n ? GOLD_UNANIMOUS : GOLD_MAJORITY;
}

static bool split(const struct rating_table *r, uint32_t item)
{
	const struct ratings *t = &r->t;

	for (size_t k = t->start[item] + 1; k < t->start[item + 1]; k++)
		if (t->r[k].cat != t->r[t->start[item]].cat)
			return true;
	return false;
}

void gold_decide(struct gold *g, const struct rating_table *r)
{
	uint32_t *count = mem_new(((size_t)r->t.ncat + 1) * sizeof *count);

	for (uint32_t i = 0; i < r->t.items; i++) {
		decide_item(&g->v[i], r, i, count);
		g->count[g->v[i].how]++;
		g->split += split(r, i);
	}
	mem_free(count);
}

bool gold_open(const struct gold *g, const struct rating_table *r, uint32_t i)
{
	return g->v[i].how == GOLD_RESOLVED || split(r, i);
}

/* --- writing --- */

struct table {
	const struct gold *g;
	const struct rating_table *r;
	const struct gold_columns *cols;
	bool list;                      /* of disagreements; else the gold */
	struct names names;
	struct rec rec;
	struct arena arena;
};

static void column(struct table *x, struct strmap *seen, struct text name, bool *twice)
{
	struct names *to = &x->names;
	bool added;

	strmap_put(seen, name.p, name.n, 0, &added);
	*twice |= !added;
	to->name[to->n] = arena_str(&x->arena, name.p, name.n);
	to->len[to->n++] = (uint32_t)name.n;
}

static void words(struct table *x, struct strmap *seen, const char *const *word, size_t n, bool *twice)
{
	for (size_t k = 0; k < n; k++)
		column(x, seen, (struct text){ word[k], strlen(word[k]) }, twice);
}

static int columns(struct table *x, struct err *e)
{
	static const char *const item[] = { "item" }, *const decided[] = { "label", "how", "votes", "of" }, *const open[] = { "majority", "resolved" },
	                  *const note[] = { "note" };
	size_t ncols = x->cols ? x->cols->n : 0, n = x->r->t.raters + ncols + 8;
	struct strmap seen = { 0 };
	bool twice = false;
	char tmp[24];

	x->names.name = arena_get(&x->arena, n * sizeof *x->names.name);
	x->names.len = arena_get(&x->arena, n * sizeof *x->names.len);
	x->rec.f = arena_get(&x->arena, n * sizeof *x->rec.f);
	x->rec.names = &x->names;
	words(x, &seen, item, 1, &twice);
	for (size_t k = 0; k < ncols; k++)
		column(x, &seen, (struct text){ x->cols->name[k], strlen(x->cols->name[k]) }, &twice);
	if (!x->list)
		words(x, &seen, decided, 4, &twice);
	for (uint32_t k = 0; k < x->r->t.raters; k++)
		column(x, &seen, rating_rater_name(x->r, k, tmp), &twice);
	if (x->list)
		words(x, &seen, open, 2, &twice);
	words(x, &seen, note, 1, &twice);
	strmap_free(&seen);
	return twice ? err_set(e, SFT_USAGE, "a rater is called as another column of the table (item, label, how, votes, of, majority, resolved, note)") : 0;
}

static void put(struct table *x, uint32_t *at, struct text t)
{
	x->rec.f[(*at)++] = (struct field){ t.p ? t.p : "", t.n, FIELD_TEXT };
}

static void put_count(struct table *x, uint32_t *at, uint32_t v, char tmp[16])
{
	size_t n = (size_t)snprintf(tmp, 16, "%u", v);

	x->rec.f[(*at)++] = (struct field){ tmp, n, FIELD_JSON };
}

static int write_row(struct table *x, struct recout *out, uint32_t item, struct err *e)
{
	const struct gold_item *g = &x->g->v[item];
	const struct ratings *t = &x->r->t;
	char tmp[24], votes[16], of[16];
	uint32_t at = 0, raters;

	put(x, &at, rating_item_name(x->r, item, tmp));
	for (size_t k = 0; x->cols && k < x->cols->n; k++)
		put(x, &at, x->cols->cell(x->cols->ctx, item, k));
	if (!x->list) {
		put(x, &at, g->label);
		put(x, &at, (struct text){ gold_how_name[g->how], strlen(gold_how_name[g->how]) });
		put_count(x, &at, g->votes, votes);
		put_count(x, &at, g->of, of);
	}
	raters = at;
	while (at < raters + t->raters)
		put(x, &at, (struct text){ "", 0 });
	for (size_t k = t->start[item]; k < t->start[item + 1]; k++)
		x->rec.f[raters + t->r[k].rater] = (struct field){ x->r->category[t->r[k].cat].p, x->r->category[t->r[k].cat].n, FIELD_TEXT };
	if (x->list) {
		put(x, &at, g->majority);
		put(x, &at, g->how == GOLD_RESOLVED ? g->label : (struct text){ "", 0 });
	}
	put(x, &at, g->note);
	x->rec.num = item;
	return rec_write(out, &x->rec, e);
}

static int write_table(struct table *x, const char *path, const struct rec_opts *o, struct tool *t)
{
	struct rec_opts plain = *o;
	struct recout *out;
	int rc;

	plain.to = REC_AUTO;                    /* --to is of the tool's own output */
	arena_init(&x->arena);
	if ((rc = columns(x, &t->e)) == 0 && (rc = rec_create(&out, path, REC_CSV, &plain, t, &t->e)) == 0) {
		rc = rec_header(out, &x->names, &t->e);
		for (uint32_t i = 0; rc == 0 && i < x->r->t.items; i++)
			if (!x->list || gold_open(x->g, x->r, i))
				rc = write_row(x, out, i, &t->e);
		if (rc == 0)
			rc = rec_finish(out, &t->e);
		else
			rec_drop(out);
	}
	arena_release(&x->arena);
	return rc;
}

int gold_write(const struct gold *g, const struct rating_table *r, const struct gold_columns *cols, const char *path, const struct rec_opts *o,
               struct tool *t)
{
	struct table x = { .g = g, .r = r, .cols = cols };

	return write_table(&x, path, o, t);
}

int gold_write_list(const struct gold *g, const struct rating_table *r, const struct gold_columns *cols, const char *path, const struct rec_opts *o,
                    struct tool *t)
{
	struct table x = { .g = g, .r = r, .cols = cols, .list = true };

	return write_table(&x, path, o, t);
}

/* --- in short --- */

void gold_json(const struct gold *g, struct jw *w)
{
	for (int k = 0; k < GOLD_HOWS; k++) {
		jw_key(w, gold_how_name[k]);
		jw_uint(w, g->count[k]);
	}
	jw_key(w, "disagreements");
	jw_uint(w, g->split);
}

void gold_text(const struct gold *g, struct buf *out)
{
	buf_fmt(out, "%llu items not rated alike; gold:", (unsigned long long)g->split);
	for (int k = GOLD_HOWS - 1; k >= 0; k--)
		if (g->count[k])
			buf_fmt(out, " %llu %s,", (unsigned long long)g->count[k], gold_how_name[k]);
	if (out->p[out->n - 1] == ',')
		out->p[--out->n] = '\0';
	buf_ch(out, '\n');
}
