/* SPDX-License-Identifier: Apache-2.0 */
#include "terms.h"

#include <string.h>

static const char *const added[] = { "term_faults", "term_issues" };

void terms_init(struct terms *t)
{
	memset(t, 0, sizeof *t);
	t->u = unicode_open();
	t->set = termset_new(t->u);
	addcols_init(&t->cols, added, 2);
}

static void release_work(struct termwork *w)
{
	termscan_release(&w->scan);
	termscan_release(&w->question);
	nearscan_release(&w->near);
	chattexts_release(&w->chat);
	mem_free(w->col);
	mem_free(w->role);
	mem_free(w->last.at);
	buf_free(&w->text);
	mem_free(w->form);
	mem_free(w->records);
	mem_free(w->stamp);
	mem_free(w->asked);
}

void terms_release(struct terms *t)
{
	for (int i = 0; i < t->nwork; i++)
		release_work(&t->work[i]);
	mem_free(t->work);
	mem_free(t->base);
	mem_free(t->class);
	mem_free(t->columns.v);
	addcols_release(&t->cols);
	nearterms_free(t->near);
	termset_free(t->set);
	unicode_close(t->u);
}

int terms_read(struct terms *t, const struct opt_list *files, struct err *e)
{
	int rc;

	for (size_t i = 0; i < files->n; i++)
		if ((rc = termset_read(t->set, files->v[i], e)) != 0)
			return rc;
	return termset_ready(t->set, e);
}

static bool exclusive(const struct wordlist *list, const char *class)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], class) == 0)
			return true;
	return list->n == 0;
}

static void number_classes(struct terms *t)
{
	struct strmap seen = {0};
	struct wordlist list = {0};
	struct arena a;

	arena_init(&a);
	if (t->contradict)
		wordlist_split(&list, t->contradict, &a);
	t->class = mem_grow(NULL, (size_t)termset_count(t->set) + 1, sizeof *t->class);
	strmap_put(&seen, "", 0, 0, NULL);
	for (uint32_t i = 0; i < termset_count(t->set); i++) {
		const char *class = termset_get(t->set, i)->class;

		if (!exclusive(&list, class))
			class = "";
		t->class[i] = (uint32_t)strmap_put(&seen, class, strlen(class), seen.n, NULL)->value;
	}
	t->nclasses = (uint32_t)seen.n;
	mem_free(list.v);
	arena_release(&a);
	strmap_free(&seen);
}

void terms_ready(struct terms *t, int n)
{
	uint32_t count = termset_count(t->set);

	t->base = mem_grow(NULL, (size_t)count + 1, sizeof *t->base);
	for (uint32_t i = 0; i < count; i++) {
		t->base[i] = t->nforms;
		t->nforms += 1 + termset_get(t->set, i)->nvariants;
	}
	number_classes(t);
	t->work = mem_new((size_t)n * sizeof *t->work);
	t->nwork = n;
	for (int i = 0; i < n; i++) {
		struct termwork *w = &t->work[i];

		w->form = mem_new(((size_t)t->nforms + 1) * sizeof *w->form);
		w->records = mem_new(((size_t)count + 1) * sizeof *w->records);
		w->stamp = mem_new(((size_t)count + 1) * sizeof *w->stamp);
		w->asked = mem_new(t->nclasses * sizeof *w->asked);
	}
}

void terms_sum(struct terms *t)
{
	struct termwork *sum = &t->work[0];

	for (int i = 1; i < t->nwork; i++) {
		const struct termwork *w = &t->work[i];

		for (uint32_t k = 0; k < t->nforms; k++)
			sum->form[k] += w->form[k];
		for (uint32_t k = 0; k < termset_count(t->set); k++)
			sum->records[k] += w->records[k];
		for (int k = 0; k < TERM_FAULTS; k++)
			sum->fault[k] += w->fault[k];
		sum->seen += w->seen;
		sum->marked += w->marked;
	}
}

void terms_found(const struct terms *t, uint32_t term, uint64_t *all, uint64_t *variants)
{
	const uint64_t *form = t->work[0].form + t->base[term];

	*variants = 0;
	for (uint32_t k = 1; k <= termset_get(t->set, term)->nvariants; k++)
		*variants += form[k];
	*all = *variants + form[0];
}

/* --- columns of a record --- */

static int find_columns(const struct terms *t, struct termwork *w, const struct wordlist *words, const struct names *names, struct err *e)
{
	size_t room = words->n > names->n ? words->n : names->n;
	int rc;

	if (w->names == names)
		return 0;
	w->names = NULL;
	w->col = mem_grow(w->col, room + 1, sizeof *w->col);
	w->role = mem_grow(w->role, room + 1, sizeof *w->role);
	if ((rc = columns_find(words, names, t->missing_ok, w->col, w->role, &w->ncols, e)) == 0)
		w->names = names;
	return rc;
}

/* --- replace --- */

/* True if the text F holds variants: it is rewritten. */
static bool rewrite_text(const struct terms *t, struct termwork *w, struct field *f, struct arena *a)
{
	size_t hits = termset_scan(t->set, &w->scan, f->p, f->n), from = 0;

	w->text.n = 0;
	for (size_t i = 0; i < hits; i++) {
		const struct termhit *h = &w->scan.hit[i];
		const struct term_form *form = &termset_get(t->set, h->term)->form;

		w->form[t->base[h->term] + h->variant]++;
		if (h->variant == 0)
			continue;
		buf_add(&w->text, f->p + from, h->at - from);
		buf_add(&w->text, form->text, form->n);
		from = h->at + h->n;
	}
	if (from == 0)
		return false;
	buf_add(&w->text, f->p + from, f->n - from);
	f->p = arena_str(a, w->text.p, w->text.n);
	f->n = w->text.n;
	return true;
}

static bool rewrite(const struct terms *t, struct termwork *w, struct field *f, const char *role, struct arena *a)
{
	bool any = false;

	if (f->type == FIELD_TEXT)
		return rewrite_text(t, w, f, a);
	if (!chattexts_get(&w->chat, f, role, a))
		return false;
	for (size_t i = 0; i < w->chat.n; i++)
		any |= rewrite_text(t, w, &w->chat.text[i], a);
	if (any)
		chattexts_put(&w->chat, f, a);
	return any;
}

int terms_replace(void *ctx, int thread, struct rec *r, struct recpipe_out *to, struct err *e)
{
	const struct terms *t = ctx;
	struct termwork *w = &t->work[thread];
	bool changed = false;
	int rc;

	if ((rc = find_columns(t, w, &t->columns, r->names, e)) != 0)
		return rc;
	for (size_t i = 0; i < w->ncols; i++)
		if (w->col[i] != NO_COLUMN)
			changed |= rewrite(t, w, &r->f[w->col[i]], w->role[i], recpipe_arena(to));
	w->seen++;
	w->marked += changed;
	return recpipe_put(to, r, e);
}

/* --- count --- */

/* True if F holds terms. */
static bool count_text(const struct terms *t, struct termwork *w, const struct field *f)
{
	size_t hits = termset_scan(t->set, &w->scan, f->p, f->n);

	for (size_t k = 0; k < hits; k++) {
		const struct termhit *h = &w->scan.hit[k];

		w->form[t->base[h->term] + h->variant]++;
		if (w->stamp[h->term] != w->seen)
			w->records[h->term]++;
		w->stamp[h->term] = w->seen;
	}
	return hits > 0;
}

int terms_count(void *ctx, int thread, struct rec *r, struct recpipe_out *to, struct err *e)
{
	const struct terms *t = ctx;
	struct termwork *w = &t->work[thread];
	bool any = false;
	int rc;

	if ((rc = find_columns(t, w, &t->columns, r->names, e)) != 0)
		return rc;
	w->seen++;
	for (size_t i = 0; i < w->ncols; i++) {
		const struct field *f = w->col[i] == NO_COLUMN ? NULL : &r->f[w->col[i]];

		if (f == NULL)
			continue;
		if (!chattexts_get(&w->chat, f, w->role[i], recpipe_arena(to)))
			any |= count_text(t, w, f);
		for (size_t k = 0; k < w->chat.n; k++)
			any |= count_text(t, w, &w->chat.text[k]);
	}
	w->marked += any;
	return 0;
}
