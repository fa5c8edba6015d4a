/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SURROGATE_H
#define SFT_SURROGATE_H
/* A grid of really measured runs (tests/data/tune) as something to search: every combination is there, so nothing is guessed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tunesearch.h"

enum { SURROGATE_RUNGS = 3 };

struct surrogate {
	struct arena a;
	struct tune_dim dim[16];
	size_t ndim;
	int (*level)[16];              /* [n]: of each run, -1: it has no such setting */
	double (*loss)[SURROGATE_RUNGS];   /* lowest validation loss up to each rung; NaN: it diverged */
	double rung[SURROGATE_RUNGS];
	size_t n, cap, lcap;
	double best;                   /* the lowest at the last rung */
};

static int surrogate_word(struct surrogate *s, size_t i, const char *word)
{
	struct tune_dim *d = &s->dim[i];

	if (*word == '\0')
		return -1;
	for (size_t k = 0; k < d->levels; k++)
		if (strcmp(d->word[k], word) == 0)
			return (int)k;
	d->word[d->levels++] = arena_str(&s->a, word, strlen(word));
	return (int)d->levels - 1;
}

static void surrogate_head(struct surrogate *s, char *line)
{
	size_t rungs = 0;

	for (char *f; (f = strsep(&line, ",\n")) && *f;)
		if (strncmp(f, "loss_", 5) == 0) {
			s->rung[rungs++] = atof(f + 5);
		} else {
			s->dim[s->ndim] = (struct tune_dim){ .name = arena_str(&s->a, f, strlen(f)), .word = arena_get(&s->a, DIM_LEVELS * sizeof(char *)) };
			s->ndim++;
		}
}

static void surrogate_row(struct surrogate *s, char *line)
{
	ARRAY_ROOM(s->level, s->n, s->cap);
	ARRAY_ROOM(s->loss, s->n, s->lcap);
	for (size_t i = 0; i < s->ndim; i++)
		s->level[s->n][i] = surrogate_word(s, i, strsep(&line, ",\n"));
	for (size_t k = 0; k < SURROGATE_RUNGS; k++) {
		const char *f = strsep(&line, ",\n");

		s->loss[s->n][k] = *f ? atof(f) : NAN;
	}
	s->best = fmin(s->n ? s->best : INFINITY, s->loss[s->n][SURROGATE_RUNGS - 1]);
	s->n++;
}

/* Settings that only some levels of the first one have depend on it. */
static void surrogate_conditions(struct surrogate *s)
{
	for (size_t i = 1; i < s->ndim; i++) {
		uint64_t with = 0;

		for (size_t r = 0; r < s->n; r++)
			with |= s->level[r][i] >= 0 ? UINT64_C(1) << s->level[r][0] : 0;
		if (with == (UINT64_C(1) << s->dim[0].levels) - 1)
			continue;
		s->dim[i].when[0] = (struct dim_when){ 0, with };
		s->dim[i].nwhen = 1;
	}
}

/* The grid of PATH; 0 where it cannot be read. */
static int surrogate_open(struct surrogate *s, const char *path)
{
	FILE *f = fopen(path, "r");
	char line[512];

	memset(s, 0, sizeof *s);
	arena_init(&s->a);
	if (f == NULL)
		return 0;
	if (fgets(line, sizeof line, f))
		surrogate_head(s, line);
	while (fgets(line, sizeof line, f))
		surrogate_row(s, line);
	fclose(f);
	surrogate_conditions(s);
	return s->n > 0;
}

static void surrogate_close(struct surrogate *s)
{
	mem_free(s->level);
	mem_free(s->loss);
	arena_release(&s->a);
}

static const double *surrogate_loss(const struct surrogate *s, const struct tune_choice *c)
{
	for (size_t r = 0; r < s->n; r++) {
		size_t i = 0;

		while (i < s->ndim && s->level[r][i] == c[i].level)
			i++;
		if (i == s->ndim)
			return s->loss[r];
	}
	abort();
}

/* How much worse the best that a search of BUDGET whole runs found is than the best there is, both trained to the end. */
static double surrogate_regret(const struct surrogate *s, struct tune_opts o, double budget)
{
	struct tune_search search;
	struct tune_job job[TUNE_ROUND];
	double spent = 0, loss;
	bool more = true;
	size_t n, best;

	o.dim = s->dim;
	o.ndim = s->ndim;
	o.nrungs = o.kind == TUNE_ASHA ? SURROGATE_RUNGS : 1;
	for (size_t k = 0; k < o.nrungs; k++)
		o.rung[k] = s->rung[SURROGATE_RUNGS - o.nrungs + k];
	search_open(&search, &o);
	while (more && (n = search_round(&search, job)) > 0)
		for (size_t k = 0; k < n && more; k++) {
			const double *at = surrogate_loss(s, search.trial[job[k].trial].choice);
			double cost = search_cost(&search, &job[k]);

			if ((more = spent + cost <= budget + 1e-9)) {
				search_tell(&search, &job[k], at[SURROGATE_RUNGS - o.nrungs + job[k].rung]);
				spent += cost;
			}
		}
	best = search_best(&search);
	loss = best == SIZE_MAX ? INFINITY : surrogate_loss(s, search.trial[best].choice)[SURROGATE_RUNGS - 1];
	search_close(&search);
	return (isnan(loss) ? INFINITY : loss) - s->best;
}

static int surrogate_less(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The regrets of seeds 0..SEEDS-1, sorted. */
static void surrogate_regrets(const struct surrogate *s, struct tune_opts o, double budget, double *out, size_t seeds)
{
	for (size_t k = 0; k < seeds; k++) {
		o.seed = k;
		out[k] = surrogate_regret(s, o, budget);
	}
	qsort(out, seeds, sizeof *out, surrogate_less);
}

#endif
