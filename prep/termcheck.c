/* SPDX-License-Identifier: Apache-2.0 */
/* terms check: what is wrong with the terms of an answer. */
#include <string.h>

#include "terms.h"

const char *const term_fault_names[TERM_FAULTS] = { "variant", "confusable", "near", "contradiction" };

/* The list of one record, as it is written. */
struct issues {
	struct jw w;
	struct termwork *work;
	const struct termset *set;
	const char *answer;
	uint64_t n;
};

/* FOUND: bytes of the answer; meant is TERM. */
static void add_issue(struct issues *l, enum term_fault kind, size_t at, size_t n, uint32_t term)
{
	jw_obj(&l->w);
	jw_key(&l->w, "kind");
	jw_str(&l->w, term_fault_names[kind]);
	jw_key(&l->w, "found");
	jw_strn(&l->w, l->answer + at, n);
	jw_key(&l->w, "term");
	jw_str(&l->w, termset_get(l->set, term)->form.text);
	jw_key(&l->w, "at");
	jw_uint(&l->w, utf8_count(l->answer, at));
	jw_obj_end(&l->w);
	l->n++;
	l->work->fault[kind]++;
}

static void variants(struct issues *l)
{
	const struct termscan *s = &l->work->scan;

	for (size_t i = 0; i < s->nhits; i++)
		if (s->hit[i].variant)
			add_issue(l, FAULT_VARIANT, s->hit[i].at, s->hit[i].n, s->hit[i].term);
}

static void misspelt(const struct terms *t, struct issues *l)
{
	struct nearscan *s = &l->work->near;
	size_t n = t->near ? nearterms_find(t->near, s, &l->work->scan) : 0;

	for (size_t i = 0; i < n; i++)
		add_issue(l, s->hit[i].alike ? FAULT_CONFUSABLE : FAULT_NEAR, s->hit[i].at, s->hit[i].n, s->hit[i].term);
}

/* What the question asks for, by class. */
static void note_asked(const struct terms *t, struct termwork *w)
{
	for (size_t i = 0; i < w->question.nhits; i++) {
		uint32_t term = w->question.hit[i].term;
		struct asked *a = &w->asked[t->class[term]];

		if (a->record != w->seen)
			*a = (struct asked){ .record = w->seen, .term = term, .other = SIZE_MAX };
		w->stamp[term] = w->seen;
	}
}

/* Is one a kind of the other, by its name ("diabetes", "type 2 diabetes")? */
static bool related(const struct term_form *a, const struct term_form *b)
{
	return memmem(a->text, a->n, b->text, b->n) || memmem(b->text, b->n, a->text, a->n);
}

/* A class of which the question names terms, and the answer others only: the first of these is named. */
static void contradictions(const struct terms *t, struct issues *l)
{
	struct termwork *w = l->work;

	note_asked(t, w);
	for (size_t i = 0; i < w->scan.nhits; i++) {
		uint32_t term = w->scan.hit[i].term;
		struct asked *a = &w->asked[t->class[term]];

		if (t->class[term] == 0 || a->record != w->seen)
			continue;
		a->answered |= w->stamp[term] == w->seen || related(&termset_get(t->set, term)->form, &termset_get(t->set, a->term)->form);
		if (a->other == SIZE_MAX)
			a->other = i;
	}
	for (size_t i = 0; i < w->scan.nhits; i++) {
		const struct termhit *h = &w->scan.hit[i];
		const struct asked *a = &w->asked[t->class[h->term]];

		if (t->class[h->term] && a->record == w->seen && !a->answered && a->other == i)
			add_issue(l, FAULT_CONTRADICTION, h->at, h->n, a->term);
	}
}

/* What COLUMN says: itself, or the last of its messages of ROLE, or an empty text. */
static int text_of(const struct terms *t, struct termwork *w, const struct rec *r, const char *column, const char *role, struct arena *a,
                   struct field *f, struct err *e)
{
	int at = rec_column(r->names, column);
	uint32_t unused;

	*f = (struct field){ "", 0, FIELD_TEXT };
	if (at < 0)
		return t->missing_ok ? 0 : rec_need(r->names, column, &unused, e);
	if (r->f[at].type == FIELD_TEXT)
		*f = r->f[at];
	else if (chattexts_get(&w->chat, &r->f[at], role, a) && w->chat.n)
		*f = w->chat.text[w->chat.n - 1];
	return 0;
}

int terms_check(void *ctx, int thread, struct rec *r, struct recpipe_out *to, struct err *e)
{
	struct terms *t = ctx;
	struct termwork *w = &t->work[thread];
	struct issues l = { .work = w, .set = t->set };
	struct arena *a = recpipe_arena(to);
	struct field answer, question = { "", 0, FIELD_TEXT }, more[2];
	struct rec out;
	struct buf number = {0};
	int rc;

	if ((rc = text_of(t, w, r, t->answer, "assistant", a, &answer, e)) != 0 ||
	    (t->question && (rc = text_of(t, w, r, t->question, "user", a, &question, e)) != 0))
		return rc;
	w->seen++;
	w->text.n = 0;
	jw_init(&l.w, &w->text);
	jw_arr(&l.w);
	l.answer = answer.p;
	termset_scan(t->set, &w->scan, answer.p, answer.n);
	variants(&l);
	misspelt(t, &l);
	if (t->question) {
		termset_scan(t->set, &w->question, question.p, question.n);
		contradictions(t, &l);
	}
	jw_arr_end(&l.w);
	w->marked += l.n > 0;
	buf_fmt(&number, "%llu", (unsigned long long)l.n);
	more[0] = (struct field){ arena_str(a, number.p, number.n), number.n, FIELD_JSON };
	more[1] = (struct field){ arena_str(a, w->text.p, w->text.n), w->text.n, FIELD_JSON };
	buf_free(&number);
	addcols_set(&t->cols, &w->last, r, more, a, &out);
	return recpipe_put(to, &out, e);
}
