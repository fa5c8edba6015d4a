/* SPDX-License-Identifier: Apache-2.0 */
#include "scoring.h"

#include <math.h>
#include <string.h>

static int open_all(const struct scoring *s, struct scored *x, bool keep, struct err *e)
{
	int rc;

	x->m = mem_new((s->nmetrics + 1) * sizeof *x->m);
	for (size_t k = 0; k < s->nmetrics; k++)
		if ((rc = metric_open(&x->m[k], s->name[k], s->o, keep, e)) != 0)
			return rc;
	return 0;
}

static void close_all(const struct scoring *s, struct scored *x)
{
	for (size_t k = 0; x->m && k < s->nmetrics; k++)
		metric_close(x->m[k]);
	mem_free(x->m);
}

int scoring_open(struct scoring *s, const char *const *name, size_t n, const struct metric_opts *o, const char *by,
                 uint64_t resamples, uint64_t seed, struct err *e)
{
	memset(s, 0, sizeof *s);
	s->o = o;
	s->name = name;
	s->nmetrics = n;
	s->keep = resamples > 0;
	s->resamples = resamples;
	s->seed = seed;
	s->by = by;
	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; i < k; i++)
			if (strcmp(name[i], name[k]) == 0)
				return err_set(e, SFT_USAGE, "'%s' is asked for twice", name[k]);
	return open_all(s, &s->all, s->keep, e);
}

void scoring_close(struct scoring *s)
{
	close_all(s, &s->all);
	for (size_t g = 0; g < s->group_name.n; g++)
		close_all(s, &s->group[g]);
	for (int k = 0; k < s->nmeasure; k++)
		close_all(s, &s->measure[k]);
	mem_free(s->measure);
	strmap_free(&s->group_name);
	mem_free(s->group);
	memset(s, 0, sizeof *s);
}

int scoring_threads(struct scoring *s, int n, struct err *e)
{
	int rc;

	s->measure = mem_new((size_t)n * sizeof *s->measure);
	for (; s->nmeasure < n; s->nmeasure++)
		if ((rc = open_all(s, &s->measure[s->nmeasure], false, e)) != 0) {
			s->nmeasure++;
			return rc;
		}
	for (size_t k = 0; k < s->nmetrics; k++)
		s->width += metric_apart(s->all.m[k]) ? metric_width(s->all.m[k]) : 0;
	return 0;
}

size_t scoring_width(const struct scoring *s)
{
	return s->width;
}

int scoring_measure(const struct scoring *s, int thread, const struct item *it, double *row, struct err *e)
{
	int rc;

	for (size_t k = 0; k < s->nmetrics; k++) {
		struct metric *m = s->measure[thread].m[k];

		if (!metric_apart(m))
			continue;
		if ((rc = metric_measure(m, it->hyp, it->ref, it->nref, row, e)) != 0)
			return rc;
		row += metric_width(m);
	}
	return 0;
}

static int add_to(const struct scoring *s, struct scored *x, const struct item *it, const double *row, struct err *e)
{
	int rc;

	for (size_t k = 0; k < s->nmetrics; k++) {
		if (metric_apart(x->m[k])) {
			metric_take(x->m[k], row, it->nref);
			row += metric_width(x->m[k]);
			continue;
		}
		metric_set_class(x->m[k], it->class);
		metric_set_scores(x->m[k], it->score, it->nscores);
		if ((rc = metric_add(x->m[k], it->hyp, it->ref, it->nref, e)) != 0)
			return rc;
	}
	return 0;
}

int scoring_add(struct scoring *s, const struct item *it, const double *row, struct err *e)
{
	struct text g = it->group.p ? it->group : (struct text){ "", 0 };
	size_t count = s->group_name.n;
	struct strmap_entry *x;
	bool added;
	int rc;

	if (s->by) {
		x = strmap_put(&s->group_name, g.p, g.n, count, &added);
		if (added) {
			ARRAY_ROOM(s->group, count, s->groups_cap);
			if ((rc = open_all(s, &s->group[count], s->keep, e)) != 0)
				return rc;
		}
		if ((rc = add_to(s, &s->group[x->value], it, row, e)) != 0)
			return rc;
	}
	s->n++;
	return add_to(s, &s->all, it, row, e);
}

void scoring_item(struct scoring *s, const struct item *it, struct buf *line)
{
	struct jw w;

	jw_init(&w, line);
	jw_obj(&w);
	jw_key(&w, "id");
	if (it->id.p)
		jw_strn(&w, it->id.p, it->id.n);
	else
		jw_uint(&w, it->num);
	for (size_t k = 0; k < s->nmetrics; k++) {
		jw_key(&w, s->name[k]);
		metric_item_json(s->all.m[k], &w);
	}
	jw_obj_end(&w);
	buf_ch(line, '\n');
}

int scoring_gate(struct scoring *s, const char *gate, struct err *e)
{
	const char *eq = strchr(gate, '='), *const *names;
	double want, values[METRIC_MAX_VALUES];
	int rc;

	if (eq == NULL)
		return err_set(e, SFT_USAGE, "--fail-under %s: expected METRIC=VALUE", gate);
	if ((rc = opt_number(eq + 1, -1e18, 1e18, &want, e)) != 0)
		return err_in(e, "--fail-under %s", gate);
	for (size_t k = 0; k < s->nmetrics; k++) {
		struct metric *m = s->all.m[k];
		size_t n = metric_values(m, &names);

		for (size_t v = 0; v < n; v++) {
			if (strlen(names[v]) != (size_t)(eq - gate) || memcmp(names[v], gate, (size_t)(eq - gate)) != 0)
				continue;
			if (s->n == 0)
				return 0;               /* asked before there are items, for the name alone */
			metric_score(m, NULL, 0, values);
			if (metric_lower_is_better(m) ? values[v] <= want : values[v] >= want)
				return 0;
			return err_set(e, SFT_GATE, "%s is %.6g (expected at %s %.6g)", names[v], values[v],
			               metric_lower_is_better(m) ? "most" : "least", want);
		}
	}
	return err_set(e, SFT_USAGE, "--fail-under %s: no such value among the metrics asked for", gate);
}
