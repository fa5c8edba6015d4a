/* SPDX-License-Identifier: Apache-2.0 */
/* Predictions, side by side: which items are shown, and how. */
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "hash.h"
#include "htmlpage.h"
#include "inputtext.h"
#include "pairs.h"
#include "report.h"
#include "repexample.h"
#include "strmap.h"

enum { MAX_SYSTEMS = 8 };

/* What became of an item between the first system and the last. */
enum outcome { REGRESSION, GAIN, WRONG, RIGHT, DIFFERENT, ALIKE, NOUTCOMES };

struct state {          /* of an item */
	uint64_t first; /* hash of the first system's answer */
	bool first_right, last_right, differs, both;
};

struct examples {
	struct report *r;
	const struct report_input *in[MAX_SYSTEMS];
	size_t n; /* systems */
	bool by_id, references;
	struct strmap id; /* of the first system's items, in order */
	struct state *state;
	size_t cap;
	size_t count[NOUTCOMES], shown[NOUTCOMES];
	size_t strangers; /* answers to items that the first system does not have */
	struct example *ex;
	uint32_t *slot; /* of an item: its example + 1; 0: not shown */
	size_t nex;
};

/* --- reading, twice --- */

typedef int visit(struct examples *x, size_t system, size_t item, const struct item *it, struct answer *answer, struct err *e);

/* The number of an item; SIZE_MAX where the first system does not have it. */
static int place(struct examples *x, size_t system, bool grow, const struct item *it, size_t *at, struct err *e)
{
	char number[24];
	struct text key = it->id;
	struct strmap_entry *m;
	bool added = false;

	if (!x->by_id || key.p == NULL) {
		key.n = (size_t)snprintf(number, sizeof number, "%llu", (unsigned long long)it->num + 1);
		key.p = number;
	}
	m = system == 0 && grow ? strmap_put(&x->id, key.p, key.n, x->id.n, &added) : strmap_find(&x->id, key.p, key.n);
	if (system == 0 && grow && !added)
		return err_set(e, SFT_BADDATA, "a second item '%.*s' (expected each id once)", key.n < 100 ? (int)key.n : 100,
			       key.p);
	*at = m ? (size_t)m->value : SIZE_MAX;
	return 0;
}

static int each(struct examples *x, size_t system, bool grow, visit *fn, struct err *e)
{
	struct report *r = x->r;
	struct eval_opts o = r->o->eval;
	struct answer answer = { 0 };
	struct pairs *p;
	struct item it;
	size_t at = SIZE_MAX;
	bool more;
	int rc;

	o.no_reference = !x->references;
	o.m.scores = false;
	if ((rc = pairs_records(&p, &x->in[system]->path, 1, &o, NULL, r->t, e)) != 0)
		return rc;
	if ((rc = pairs_next(p, &it, &more, e)) == 0)
		rc = eval_opts_match(&r->o->eval, pairs_table(p), e);
	while (rc == 0 && more) {
		if ((rc = place(x, system, grow, &it, &at, e)) == 0)
			rc = fn(x, system, at, &it, &answer, e);
		if (rc)
			rc = err_in(e, "%s:%llu", it.file, (unsigned long long)it.line);
		else
			rc = pairs_next(p, &it, &more, e);
	}
	answer_free(&answer);
	if (rc == 0)
		return pairs_close(p, r->t, e);
	pairs_abandon(p);
	return rc;
}

/* First pass: right or wrong, alike or not. */
static int look(struct examples *x, size_t system, size_t at, const struct item *it, struct answer *answer, struct err *e)
{
	uint64_t hash = hash64(it->hyp.p, it->hyp.n, 0);
	struct state *s;
	int rc;

	if (at == SIZE_MAX) {
		x->strangers++;
		return 0;
	}
	if (system == 0 && at == x->id.n - 1) {
		ARRAY_ROOM(x->state, at, x->cap);
		x->state[at] = (struct state){ .first = hash, .both = x->n == 1 };
	}
	s = &x->state[at];
	s->differs |= s->first != hash;
	s->both |= system == x->n - 1;
	if (it->nref == 0)
		return 0;
	if ((rc = answer_judge(answer, &x->r->o->eval.m.match, it->hyp, it->ref, it->nref, e)) != 0)
		return rc;
	if (system == 0)
		s->first_right = answer->right;
	if (system == x->n - 1)
		s->last_right = answer->right;
	return 0;
}

/* Second pass: the texts of what is shown. */
static int keep(struct examples *x, size_t system, size_t at, const struct item *it, struct answer *answer, struct err *e)
{
	struct example *ex;
	struct inputs *in;
	struct input input;
	int rc = 0;

	if (at == SIZE_MAX || x->slot[at] == 0)
		return 0;
	ex = &x->ex[x->slot[at] - 1];
	if (system == 0) {
		ex->id = (struct text){ x->id.e[at].key, x->id.e[at].n };
		if (it->nref)
			ex->reference = example_clip(&x->r->arena, it->ref[0]);
		ex->more_references = it->nref ? it->nref - 1 : 0;
		in = inputs_new(x->r->o->input);
		if ((rc = inputs_read(in, it->rec, &input, e)) == 0 && input.text.p)
			ex->input = example_clip(&x->r->arena, input.text);
		inputs_free(in);
	}
	ex->answer[system].text = example_clip(&x->r->arena, it->hyp);
	ex->answer[system].there = true;
	if (rc || it->nref == 0)
		return rc;
	rc = answer_judge(answer, &x->r->o->eval.m.match, it->hyp, it->ref, it->nref, e);
	ex->answer[system].right = answer->right;
	return rc;
}

/* --- which items --- */

static enum outcome outcome_of(const struct examples *x, size_t i)
{
	const struct state *s = &x->state[i];

	if (!x->references)
		return x->n == 1 || s->differs ? DIFFERENT : ALIKE;
	if (s->first_right && !s->last_right)
		return REGRESSION;
	if (!s->first_right && s->last_right)
		return GAIN;
	return s->last_right ? RIGHT : WRONG;
}

/* How many of each outcome: a share for each, and what one leaves over goes to the next; first what needs looking at. */
static void shares(struct examples *x)
{
	static const int share[NOUTCOMES] = { 40, 20, 30, 10, 80, 20 };
	size_t left = (size_t)x->r->o->examples, most = left;

	for (int k = 0; k < NOUTCOMES; k++) {
		size_t n = x->references && x->n == 1 ? (k == WRONG ? most * 8 / 10 : most - most * 8 / 10)
						      : most * (size_t)share[k] / 100;

		x->shown[k] = n < x->count[k] ? n : x->count[k];
		x->shown[k] = x->shown[k] < left ? x->shown[k] : left;
		left -= x->shown[k];
	}
	for (int k = 0; k < NOUTCOMES; k++) {
		size_t more = x->count[k] - x->shown[k];

		more = more < left ? more : left;
		x->shown[k] += more;
		left -= more;
	}
}

/* From each outcome items at equal distances, so that all of the file is seen. */
static void choose(struct examples *x)
{
	size_t seen[NOUTCOMES] = { 0 }, taken[NOUTCOMES] = { 0 };

	for (size_t i = 0; i < x->id.n; i++)
		if (x->state[i].both)
			x->count[outcome_of(x, i)]++;
	shares(x);
	for (int k = 0; k < NOUTCOMES; k++)
		x->nex += x->shown[k];
	x->slot = mem_new((x->id.n + 1) * sizeof *x->slot);
	x->ex = mem_new((x->nex + 1) * sizeof *x->ex);
	for (size_t i = 0, n = 0; i < x->id.n; i++) {
		enum outcome k = outcome_of(x, i);

		if (!x->state[i].both || taken[k] == x->shown[k] || seen[k]++ * x->shown[k] < taken[k] * x->count[k])
			continue;
		taken[k]++;
		x->ex[n].outcome = (int)k;
		x->slot[i] = (uint32_t)++n;
	}
}

/* --- the section --- */

static const char *title_of(const struct examples *x, int outcome)
{
	static const char *const two[] = { "Right before, wrong now", "Wrong before, right now", "Wrong before and now",
					   "Right before and now",    "Different answers",       "The same answer" };
	static const char *const one[] = { "", "", "Wrong", "Right", "Answers", "" };

	return (x->n > 1 ? two : one)[outcome];
}

static void draw(struct examples *x)
{
	struct page *p = &x->r->page;
	struct example_view v = { .n = x->n, .references = x->references };
	struct textdiff *diff = textdiff_new(x->r->o->diff == 1);

	for (size_t k = 0; k < x->n; k++)
		v.name[k] = x->in[k]->name;
	v.diff = diff;
	for (int k = 0; k < NOUTCOMES; k++) {
		if (x->shown[k] == 0)
			continue;
		page_subheading(p, "%s (%zu of %zu)", title_of(x, k), x->shown[k], x->count[k]);
		for (size_t i = 0; i < x->nex; i++)
			if (x->ex[i].outcome == k)
				example_write(&p->body, &v, &x->ex[i]);
	}
	textdiff_free(diff);
}

/* What the marks mean. */
static void key(struct examples *x)
{
	struct buf *b = &x->r->page.body;

	if (x->references)
		buf_str(b, "<p class=\"muted\"><ins>Underlined</ins>: not in the reference. <del>Struck out</del>: in the "
			   "reference, but not in the last answer.</p>\n");
	else if (x->n > 1)
		buf_fmt(b, "<p class=\"muted\"><ins>Underlined</ins>: not in the first answer.</p>\n");
}

/* Lines that all questions begin with, such as a system's instruction, are said once. */
static void take_common(struct examples *x)
{
	struct text first = x->nex ? x->ex[0].input.text : (struct text){ NULL, 0 };
	size_t n = first.n;

	for (size_t i = 0; i < x->nex; i++) {
		struct text t = x->ex[i].input.text;
		size_t k = 0;

		while (k < n && k < t.n && t.p[k] == first.p[k])
			k++;
		n = k;
	}
	while (n > 0 && first.p[n - 1] != '\n')
		n--;
	if (n == 0 || x->nex < 2)
		return;
	page_details(&x->r->page, "All questions begin alike");
	buf_str(&x->r->page.body, "<pre>");
	page_text(&x->r->page.body, first.p, n - 1);
	buf_str(&x->r->page.body, "</pre>\n");
	page_details_end(&x->r->page);
	for (size_t i = 0; i < x->nex; i++) {
		x->ex[i].input.text.p += n;
		x->ex[i].input.text.n -= n;
	}
}

static int read_all(struct examples *x, struct err *e)
{
	int rc = 0;

	for (size_t k = 0; k < x->n && rc == 0; k++)
		rc = each(x, k, true, look, e);
	if (rc == 0)
		choose(x);
	for (size_t k = 0; k < x->n && rc == 0; k++)
		rc = each(x, k, false, keep, e);
	return rc;
}

int report_examples(struct report *r, struct err *e)
{
	struct examples x = { .r = r, .n = report_count(r, INPUT_PREDICTIONS), .by_id = true, .references = true };
	int rc;

	if (x.n == 0 || r->o->examples == 0)
		return 0;
	if (x.n > MAX_SYSTEMS)
		return err_set(e, SFT_USAGE, "%zu files of predictions (expected at most %d to be shown side by side)", x.n,
			       MAX_SYSTEMS);
	for (size_t k = 0; k < x.n; k++) {
		x.in[k] = report_nth(r, INPUT_PREDICTIONS, k);
		x.by_id &= x.in[k]->ids;
		x.references &= x.in[k]->references;
	}
	if ((rc = read_all(&x, e)) == 0) {
		page_section(&r->page, "examples", "Examples");
		key(&x);
		if (x.strangers)
			page_para(&r->page, "bad", "%zu answers are to items that %s does not have; they are left out.",
				  x.strangers, x.in[0]->name);
		take_common(&x);
		draw(&x);
	}
	strmap_free(&x.id);
	mem_free(x.state);
	mem_free(x.slot);
	mem_free(x.ex);
	return rc;
}
