/* SPDX-License-Identifier: Apache-2.0 */
/* Predictions given without their figures are scored here, by the code of `sft eval`; what comes out is read back as if it had
 * been given. */
#include <string.h>

#include "compareout.h"
#include "figures.h"
#include "report.h"
#include "scorerun.h"

static bool have_figures(struct report *r)
{
	const struct report_input *in;
	size_t n = 0;

	for (size_t k = 0; n == 0 && (in = report_nth(r, INPUT_METRICS, k)) != NULL; k++)
		figures_read(json_get(in->doc, "metrics"), &r->arena, &n);
	return n > 0;
}

/* --metric a,b --metric c, or what suits the file IN (NULL: any); *N names in the arena. */
static const char **metrics_of(struct report *r, const struct report_input *in, size_t *n)
{
	const struct opt_list *given = &r->o->metrics;
	const char **name;
	size_t most = 2;

	for (size_t k = 0; k < given->n; k++)
		most += strlen(given->v[k]);
	name = arena_get(&r->arena, most * sizeof *name);
	*n = 0;
	for (size_t k = 0; k < given->n; k++)
		for (const char *p = given->v[k]; *p; p += *p == ',') {
			size_t len = strcspn(p, ",");

			name[(*n)++] = arena_str(&r->arena, p, len);
			p += len;
		}
	if (*n == 0) {
		name[(*n)++] = "accuracy";
		if (in && in->scores)
			name[(*n)++] = "calibration";
	}
	r->o->eval.m.scores = false;
	for (size_t k = 0; k < *n; k++)
		r->o->eval.m.scores |= metric_with_scores(name[k]);
	return name;
}

/* TEXT as one more input. */
static int add(struct report *r, enum input_kind kind, const struct report_input *from, struct buf *text, struct err *e)
{
	const struct json *doc;
	char *kept;
	struct report_input x = { .kind = kind, .path = from->path, .name = from->name };
	int rc;

	page_mend(text);
	kept = arena_str(&r->arena, text->p, text->n);
	if ((rc = json_parse(r->parser, &r->arena, kept, text->n, &doc, e)) != 0)
		return rc;
	x.doc = doc;
	ARRAY_ROOM(r->in, r->n, r->cap);
	r->in[r->n++] = x;
	return 0;
}

static int items(struct report *r, struct pairs *p, struct scoring *s, const char *const *name, size_t n, struct err *e)
{
	int rc = eval_opts_match(&r->o->eval, pairs_table(p), e);

	if (rc == 0)
		rc = scoring_open(s, name, n, &r->o->eval.m, r->o->by, (uint64_t)r->o->eval.resamples, (uint64_t)r->t->seed, e);
	return rc ? rc : scorerun(s, p, NULL, (int)r->t->threads, e);
}

static int score(struct report *r, size_t at, struct err *e)
{
	const struct report_input *in = &r->in[at];
	struct scoring s = { 0 };
	struct buf text = { 0 };
	struct pairs *p;
	size_t n;
	const char *const *name = metrics_of(r, in, &n);
	int rc = pairs_records(&p, &in->path, 1, &r->o->eval, r->o->by, r->t, e);

	if (rc)
		return rc;
	if ((rc = items(r, p, &s, name, n, e)) == 0)
		rc = pairs_close(p, r->t, e);
	else
		pairs_abandon(p);
	if (rc == 0 && r->o->by && s.group_name.n == 1 && s.group_name.e[0].n == 0)
		rc = err_set(e, SFT_BADDATA, "%s: no record has a value in column '%s' (--by)", in->path, r->o->by);
	if (rc == 0) {
		scoring_json(&s, &text);
		rc = add(r, INPUT_METRICS, in, &text, e);
	}
	scoring_close(&s);
	buf_free(&text);
	return rc;
}

/* --- the first file against each other one --- */

static int read_side(struct report *r, struct sliced *c, const char *path, bool first, struct err *e)
{
	const char *const *name;
	struct pairs *in;
	size_t n;
	int rc;

	name = metrics_of(r, NULL, &n);
	if ((rc = pairs_records(&in, &path, 1, &r->o->eval, NULL, r->t, e)) != 0)
		return rc;
	if (first && (rc = eval_opts_match(&r->o->eval, pairs_table(in), e)) == 0)
		rc = sliced_open(c, NULL, name, n, &r->o->eval.m, (uint64_t)r->o->eval.resamples, (uint64_t)r->t->seed, e);
	if (rc == 0)
		rc = first ? sliced_read_a(c, in, path, &r->o->eval.m, e) : sliced_read_b(c, in, path, e);
	if (rc == 0)
		return pairs_close(in, r->t, e);
	pairs_abandon(in);
	return rc;
}

static int compare(struct report *r, size_t n, struct err *e)
{
	struct sliced *c = mem_new(n * sizeof *c);
	struct report_input a = *report_nth(r, INPUT_PREDICTIONS, 0);
	struct buf text = { 0 };
	int rc = 0;

	for (size_t b = 0; b + 1 < n && rc == 0; b++) {
		if ((rc = read_side(r, &c[b], a.path, true, e)) != 0 ||
		    (rc = read_side(r, &c[b], report_nth(r, INPUT_PREDICTIONS, b + 1)->path, false, e)) != 0)
			break;
		sliced_compute(&c[b]);
	}
	if (rc == 0) {
		sliced_correct(c, n - 1);
		compare_json(c, n - 1, &text);
		rc = add(r, INPUT_COMPARE, &a, &text, e);
	}
	for (size_t b = 0; b + 1 < n; b++)
		sliced_close(&c[b]);
	mem_free(c);
	buf_free(&text);
	return rc;
}

int report_score(struct report *r, struct err *e)
{
	size_t given = r->n, n = report_count(r, INPUT_PREDICTIONS);
	bool references = n > 0;
	int rc = eval_opts_finish(&r->o->eval, r->t, e);

	for (size_t k = 0; k < n; k++)
		references &= report_nth(r, INPUT_PREDICTIONS, k)->references;
	if (rc || !references || have_figures(r))
		return rc;
	for (size_t k = 0; k < given && rc == 0; k++)
		if (r->in[k].kind == INPUT_PREDICTIONS)
			rc = score(r, k, e);
	if (rc == 0 && n > 1 && report_count(r, INPUT_COMPARE) == 0)
		rc = compare(r, n, e);
	return rc;
}
