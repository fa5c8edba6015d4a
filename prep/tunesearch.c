/* SPDX-License-Identifier: Apache-2.0 */
#include "tunesearch.h"

#include <math.h>
#include <string.h>

void tune_opts_init(struct tune_opts *o)
{
	*o = (struct tune_opts){ .kind = TUNE_RANDOM, .round = 4, .nrungs = 1, .rung = { 1 }, .keep = 3, .rate = 1, .entropy = 0.25 };
}

void search_open(struct tune_search *s, const struct tune_opts *o)
{
	*s = (struct tune_search){ .o = *o };
	arena_init(&s->arena);
	if (o->kind == TUNE_POLICY)
		s->policy = policy_new(&s->o);
}

void search_close(struct tune_search *s)
{
	policy_free(s->policy);
	mem_free(s->trial);
	arena_release(&s->arena);
}

/* --- new trials --- */

static bool same(const struct tune_search *s, const struct tune_choice *a, const struct tune_choice *b)
{
	for (size_t i = 0; i < s->o.ndim; i++)
		if (a[i].level != b[i].level || (a[i].text && strcmp(a[i].text, b[i].text) != 0))
			return false;
	return true;
}

static bool tried(const struct tune_search *s, const struct tune_choice *c)
{
	for (size_t i = 0; i < s->n; i++)
		if (same(s, s->trial[i].choice, c))
			return true;
	return false;
}

/* Choices that no trial has; a narrow policy that finds none in FEW draws gives way to chance. */
static bool draw(struct tune_search *s, struct tune_choice *c)
{
	enum { FEW = 50, MANY = 2000 };
	const struct arena mark = s->arena;
	struct rng r;

	rng_init(&r, s->o.seed, s->n);
	for (int k = 0; k < MANY; k++) {
		for (size_t i = 0; i < s->o.ndim; i++) {
			const double *p = s->policy && k < FEW ? policy_levels(s->policy, i) : NULL;

			c[i] = (struct tune_choice){ -1, NULL };
			if (dim_active(s->o.dim, i, c))
				c[i] = dim_draw(&s->arena, &s->o.dim[i], &r, p);
		}
		if (!tried(s, c))
			return true;
		arena_rewind(&s->arena, &mark);
	}
	return false;
}

static bool new_trial(struct tune_search *s, struct tune_job *job)
{
	struct tune_choice *c;

	if (s->exhausted)
		return false;
	c = arena_get(&s->arena, s->o.ndim * sizeof *c);
	if (!draw(s, c)) {
		s->exhausted = true;
		return false;
	}
	ARRAY_ROOM(s->trial, s->n, s->cap);
	s->trial[s->n] = (struct tune_trial){ .choice = c };
	*job = (struct tune_job){ s->n++, s->o.kind == TUNE_ASHA ? 0 : s->o.nrungs - 1 };
	return true;
}

/* --- successive halving --- */

/* Is trial A ahead of B at rung K: lower, or as low and earlier. */
static bool ahead(const struct tune_search *s, size_t a, size_t b, size_t k)
{
	double va = s->trial[a].value[k], vb = s->trial[b].value[k];

	return !isnan(va) && (isnan(vb) || va < vb || (va == vb && a < b));
}

/* The best trial that reached rung K and is not on its way further, if it is among the best 1 in KEEP of those that reached it. */
static bool promotable(const struct tune_search *s, size_t k, size_t *best)
{
	size_t reached = 0, before = 0;
	bool found = false;

	for (size_t i = 0; i < s->n; i++) {
		const struct tune_trial *t = &s->trial[i];

		reached += t->known > k;
		if (t->known > k && t->asked == k + 1 && !isnan(t->value[k]) && (!found || ahead(s, i, *best, k))) {
			*best = i;
			found = true;
		}
	}
	for (size_t i = 0; found && i < s->n; i++)
		before += s->trial[i].known > k && ahead(s, i, *best, k);
	return found && before < reached / s->o.keep;
}

static bool next_of_halving(struct tune_search *s, struct tune_job *job)
{
	for (size_t k = s->o.nrungs - 1; k-- > 0;)
		if (promotable(s, k, &job->trial)) {
			job->rung = k + 1;
			return true;
		}
	return new_trial(s, job);
}

/* --- rounds --- */

size_t search_round(struct tune_search *s, struct tune_job job[TUNE_ROUND])
{
	size_t n = 0;

	if (s->policy)
		policy_learn(s->policy, s);
	while (n < s->o.round && (s->o.kind == TUNE_ASHA ? next_of_halving(s, &job[n]) : new_trial(s, &job[n]))) {
		s->trial[job[n].trial].asked = job[n].rung + 1;
		n++;
	}
	return n;
}

void search_tell(struct tune_search *s, const struct tune_job *job, double value)
{
	struct tune_trial *t = &s->trial[job->trial];

	t->value[job->rung] = value;
	t->known = job->rung + 1;
}

double search_cost(const struct tune_search *s, const struct tune_job *job)
{
	double whole = s->o.rung[s->o.nrungs - 1];

	if (s->o.kind != TUNE_ASHA)
		return 1;
	return (s->o.rung[job->rung] - (job->rung ? s->o.rung[job->rung - 1] : 0)) / whole;
}

size_t search_best(const struct tune_search *s)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < s->n; i++) {
		const struct tune_trial *t = &s->trial[i], *b = best == SIZE_MAX ? NULL : &s->trial[best];

		if (t->known == 0 || isnan(t->value[t->known - 1]))
			continue;
		if (b == NULL || t->known > b->known || (t->known == b->known && t->value[t->known - 1] < b->value[b->known - 1]))
			best = i;
	}
	return best;
}
