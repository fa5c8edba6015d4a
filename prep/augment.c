/* SPDX-License-Identifier: Apache-2.0 */
#include "augment.h"

#include <string.h>

#include "strmap.h"

const char *const augment_names[AUG_KINDS] = {
	"entities", "numbers", "dialect", "synonyms", "homophones", "keyboard", "punctuation", "case", "width"
};

static augment_method *const methods[AUG_KINDS] = {
	augment_entities, augment_numbers, augment_dialect, augment_forms, augment_forms, augment_keyboard, augment_punctuation,
	augment_case, augment_width
};

static const char *const added[] = { "source", "augmented" };

void augment_init(struct augment *g)
{
	memset(g, 0, sizeof *g);
	g->rate = 0.3;
	g->copies = 1;
	g->u = unicode_open();
	keyset_init(&g->held, false);
	addcols_init(&g->cols, added, 2);
}

static void release_work(struct augwork *w)
{
	termscan_release(&w->scan);
	buf_free(&w->a);
	buf_free(&w->b);
	buf_free(&w->done);
	keyer_release(&w->whole);
	keyer_release(&w->group);
	mem_free(w->col);
	mem_free(w->role);
	chattexts_release(&w->chat);
	mem_free(w->last.at);
}

void augment_release(struct augment *g)
{
	for (int i = 0; i < g->nwork; i++)
		release_work(&g->work[i]);
	mem_free(g->work);
	for (int k = 0; k < AUG_KINDS; k++)
		termset_free(g->dict[k]);
	mem_free(g->entity);
	mem_free(g->entity_at);
	mem_free(g->entity_class);
	mem_free(g->class);
	mem_free(g->columns.v);
	mem_free(g->only_values.v);
	strmap_free(&g->weak);
	mem_free(g->group.v);
	keyset_release(&g->held);
	addcols_release(&g->cols);
	unicode_close(g->u);
}

int augment_dict(struct augment *g, enum augment_kind k, const char *file, struct err *e)
{
	g->use[k] = true;
	if (g->dict[k] == NULL)
		g->dict[k] = termset_new(g->u);
	return termset_read(g->dict[k], file, e);
}

int augment_hold_out(struct augment *g, const char *file, const struct rec_opts *o, const struct tool *t, struct err *e)
{
	struct rec_opts other = *o;
	struct hash128 key;
	struct recin *in;
	struct keyer k;
	struct rec *r;
	bool new;
	int rc;

	other.rejects = other.stats = NULL;
	other.from = REC_AUTO;
	if ((rc = rec_open(&in, &file, 1, &other, t, e)) != 0)
		return rc;
	keyer_init(&k, &g->group, false);
	while ((rc = rec_read(in, &r, e)) == 0 && r)
		if ((rc = keyer_128(&k, r, &key, e)) != 0) {
			err_at(e, in, r);
			break;
		} else if ((rc = keyset_add(&g->held, key, &new, NULL, e)) != 0) {
			break;
		}
	keyer_release(&k);
	if (rc == 0)
		return rec_close(in, e);
	rec_abandon(in);
	return rc;
}

/* Entities class by class. */
static void sort_entities(struct augment *g)
{
	const struct termset *s = g->dict[AUG_ENTITIES];
	uint32_t n = termset_count(s), at = 0;
	struct strmap classes = {0};

	g->entity = mem_new(((size_t)n + 1) * sizeof *g->entity);
	g->entity_at = mem_new(((size_t)n + 1) * sizeof *g->entity_at);
	g->entity_class = mem_new(((size_t)n + 1) * sizeof *g->entity_class);
	g->class = mem_new(((size_t)n + 1) * sizeof *g->class);
	for (uint32_t i = 0; i < n; i++) {
		const char *class = termset_get(s, i)->class;

		g->entity_class[i] = (uint32_t)strmap_put(&classes, class, strlen(class), classes.n, NULL)->value;
		g->class[g->entity_class[i]].n += !termset_get(s, i)->variant_only;
	}
	for (uint32_t c = 0; c < classes.n; c++) {
		g->class[c].first = at;
		at += g->class[c].n;
		g->class[c].n = 0;
	}
	for (uint32_t i = 0; i < n; i++) {
		struct augment_class *c = &g->class[g->entity_class[i]];

		g->entity_at[i] = UINT32_MAX;
		if (termset_get(s, i)->variant_only)
			continue;
		g->entity_at[i] = c->first + c->n++;
		g->entity[g->entity_at[i]] = i;
	}
	strmap_free(&classes);
}

int augment_ready(struct augment *g, int n, struct err *e)
{
	static const struct wordlist all = {0};
	int rc = 0;

	for (int k = 0; k < AUG_KINDS && rc == 0; k++)
		if (g->dict[k])
			rc = termset_ready(g->dict[k], e);
	if (rc == 0 && g->dict[AUG_ENTITIES])
		sort_entities(g);
	g->work = mem_new((size_t)n * sizeof *g->work);
	g->nwork = n;
	for (int i = 0; i < n; i++) {
		keyer_init(&g->work[i].whole, &all, g->missing_ok);
		keyer_init(&g->work[i].group, &g->group, g->missing_ok);
	}
	return rc;
}

void augment_sum(struct augment *g)
{
	struct augwork *sum = &g->work[0];

	for (int i = 1; i < g->nwork; i++) {
		const struct augwork *w = &g->work[i];

		sum->seen += w->seen;
		sum->guarded += w->guarded;
		sum->made += w->made;
		sum->same += w->same;
		for (int k = 0; k < AUG_KINDS; k++)
			sum->used[k] += w->used[k];
	}
}

void augwork_seed(struct augwork *w, uint64_t seed, uint64_t record, uint64_t copy)
{
	w->copy = rng_mix(rng_mix(record ^ rng_mix(seed)) + copy);
	rng_init(&w->rng, w->copy, copy);
}

/* --- a record --- */

/* Is R one that must stay as it is? */
static int guarded(const struct augment *g, struct augwork *w, const struct rec *r, bool *yes, struct err *e)
{
	struct hash128 key;
	uint32_t at;
	int rc;

	*yes = false;
	if (g->only_column) {
		const struct field *f;

		if ((rc = rec_need(r->names, g->only_column, &at, e)) != 0)
			return rc;
		f = &r->f[at];
		*yes = true;
		for (size_t i = 0; i < g->only_values.n; i++)
			if (strlen(g->only_values.v[i]) == f->n && memcmp(g->only_values.v[i], f->p, f->n) == 0)
				*yes = false;
	}
	if (!*yes && g->weak_column) {
		if ((rc = rec_need(r->names, g->weak_column, &at, e)) != 0)
			return rc;
		*yes = strmap_find(&g->weak, r->f[at].p ? r->f[at].p : "", r->f[at].n) == NULL;
	}
	if (*yes || g->held.n == 0)
		return 0;
	if ((rc = keyer_128(&w->group, r, &key, e)) == 0)
		*yes = keyset_has(&g->held, key);
	return rc;
}

/* The text F through all methods; USED has those that changed it set. */
static bool change_text(const struct augment *g, struct augwork *w, struct field *f, bool *used, struct arena *a)
{
	bool any = false;

	w->a.n = 0;
	buf_add(&w->a, f->p, f->n);
	for (int k = 0; k < AUG_KINDS; k++) {
		struct buf was = w->a;

		if (!g->use[k])
			continue;
		w->b.n = 0;
		if (!methods[k](g, (enum augment_kind)k, w, w->a.p ? w->a.p : "", w->a.n, &w->b))
			continue;
		w->a = w->b;
		w->b = was;
		used[k] = any = true;
	}
	any = any && (w->a.n != f->n || memcmp(w->a.p, f->p, f->n) != 0);
	if (any) {
		f->p = arena_str(a, w->a.p, w->a.n);
		f->n = w->a.n;
	}
	return any;
}

/* F, a text or a list of messages: without a role those of the user alone, the answers being what is to be learnt. */
static bool change_field(const struct augment *g, struct augwork *w, struct field *f, const char *role, bool *used, struct arena *a)
{
	bool any = false;

	if (f->type == FIELD_TEXT)
		return change_text(g, w, f, used, a);
	chattexts_get(&w->chat, f, role ? role : "user", a);
	for (size_t i = 0; i < w->chat.n; i++)
		any |= change_text(g, w, &w->chat.text[i], used, a);
	if (any)
		chattexts_put(&w->chat, f, a);
	return any;
}

static int put_marked(struct augment *g, struct augwork *w, const struct rec *r, const char *how, struct recpipe_out *to, struct err *e)
{
	int at = rec_column(r->names, "source");
	struct field more[2] = { at >= 0 ? r->f[at] : (struct field){ r->file, strlen(r->file), FIELD_TEXT }, { how, strlen(how), FIELD_TEXT } };
	struct rec out;

	addcols_set(&g->cols, &w->last, r, more, recpipe_arena(to), &out);
	return recpipe_put(to, &out, e);
}

/* The id of copy I: that of the record, "-a" and the number from 1. */
static int copy_id(const struct augment *g, struct rec *r, int64_t i, struct arena *a, struct err *e)
{
	struct buf b = {0};
	uint32_t at;
	int rc;

	if (g->id == NULL)
		return 0;
	if ((rc = rec_need(r->names, g->id, &at, e)) != 0)
		return rc;
	buf_add(&b, r->f[at].p, r->f[at].n);
	buf_fmt(&b, "-a%lld", (long long)i);
	r->f[at] = (struct field){ arena_str(a, b.p, b.n), b.n, FIELD_TEXT };
	buf_free(&b);
	return 0;
}

static const char *list_used(const bool *used, struct arena *a)
{
	char text[200] = "";

	for (int k = 0; k < AUG_KINDS; k++)
		if (used[k]) {
			strcat(text, *text ? "+" : "");
			strcat(text, augment_names[k]);
		}
	return arena_str(a, text, strlen(text));
}

/* Did an earlier copy of this record come to the same text?  They are few: all are compared. */
static bool seen_before(struct augwork *w, const struct rec *r)
{
	uint64_t h = 0;

	for (size_t i = 0; i < w->ncols; i++)
		if (w->col[i] != NO_COLUMN)
			h = hash64(r->f[w->col[i]].p, r->f[w->col[i]].n, h + 1);
	for (size_t i = 0; i < w->done.n; i += sizeof h)
		if (memcmp(w->done.p + i, &h, sizeof h) == 0)
			return true;
	buf_add(&w->done, &h, sizeof h);
	return false;
}

static int copy(struct augment *g, struct augwork *w, const struct rec *r, uint64_t key, int64_t i, struct recpipe_out *to, struct err *e)
{
	struct arena *a = recpipe_arena(to);
	bool used[AUG_KINDS] = { false }, any = false;
	struct rec c = *r;
	int rc;

	augwork_seed(w, g->seed, key, (uint64_t)i);
	c.f = arena_get(a, r->names->n * sizeof *c.f);
	memcpy(c.f, r->f, r->names->n * sizeof *c.f);
	for (size_t k = 0; k < w->ncols; k++)
		if (w->col[k] != NO_COLUMN)
			any |= change_field(g, w, &c.f[w->col[k]], w->role[k], used, a);
	if (!any || seen_before(w, &c)) {
		w->same++;
		return 0;
	}
	for (int k = 0; k < AUG_KINDS; k++)
		w->used[k] += used[k];
	w->made++;
	if ((rc = copy_id(g, &c, i, a, e)) != 0)
		return rc;
	return put_marked(g, w, &c, list_used(used, a), to, e);
}

static int find_columns(const struct augment *g, struct augwork *w, const struct names *names, struct err *e)
{
	size_t room = g->columns.n > names->n ? g->columns.n : names->n;
	int rc;

	if (w->names == names)
		return 0;
	w->names = NULL;
	w->col = mem_grow(w->col, room + 1, sizeof *w->col);
	w->role = mem_grow(w->role, room + 1, sizeof *w->role);
	if ((rc = columns_find(&g->columns, names, g->missing_ok, w->col, w->role, &w->ncols, e)) == 0)
		w->names = names;
	return rc;
}

int augment_record(void *ctx, int thread, struct rec *r, struct recpipe_out *to, struct err *e)
{
	struct augment *g = ctx;
	struct augwork *w = &g->work[thread];
	uint64_t key;
	bool held;
	int rc;

	if ((rc = find_columns(g, w, r->names, e)) != 0 || (rc = guarded(g, w, r, &held, e)) != 0 ||
	    (rc = keyer_64(&w->whole, r, 0, &key, e)) != 0)
		return rc;
	w->seen++;
	w->guarded += held;
	w->done.n = 0;
	seen_before(w, r);
	if (!g->only_new && (rc = put_marked(g, w, r, "", to, e)) != 0)
		return rc;
	for (int64_t i = 1; i <= g->copies && !held; i++)
		if ((rc = copy(g, w, r, key, i, to, e)) != 0)
			return rc;
	return 0;
}
