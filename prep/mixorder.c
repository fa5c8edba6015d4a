/* SPDX-License-Identifier: Apache-2.0 */
/* The orders of a mix.  Both random ones are computed draw by draw: nothing is shuffled in memory. */
#include "mix.h"
#include "perm.h"
#include "rng.h"

/* Streams of random numbers: the whole mix, the draws of a source, the rounds of a stratum. */
enum { STREAM_ALL = 0, STREAM_SOURCE = 1, STREAM_ROUND = 1 << 20 };

struct mix_walk {
	const struct mix *m;
	uint64_t at;                   /* draws so far */
	struct perm all;
	uint64_t *drawn;               /* of each source */
	double *from, *to;             /* progressive: where the draws of each source begin and end, from 0 to 1 */
};

/* Each source is spread from the middle of the one before it to the middle of the one behind it. */
static void spread(struct mix_walk *w)
{
	const struct mix *m = w->m;
	double before = 0, all = m->total ? (double)m->total : 1;

	for (size_t i = 0; i < m->n; i++) {
		const struct mix_source *s = &m->source[i];
		double middle = ((double)s->start + (double)s->draw / 2) / all;

		w->from[i] = i ? before : 0;
		w->to[i] = 1;
		if (i)
			w->to[i - 1] = middle;
		before = middle;
	}
}

struct mix_walk *mix_walk_new(const struct mix *m)
{
	struct mix_walk *w = mem_new(sizeof *w);

	w->m = m;
	perm_init(&w->all, m->total, m->seed, STREAM_ALL);
	w->drawn = mem_new((m->n + 1) * sizeof *w->drawn);
	w->from = mem_new((m->n + 1) * sizeof *w->from);
	w->to = mem_new((m->n + 1) * sizeof *w->to);
	spread(w);
	return w;
}

void mix_walk_free(struct mix_walk *w)
{
	if (w == NULL)
		return;
	mem_free(w->drawn);
	mem_free(w->from);
	mem_free(w->to);
	mem_free(w);
}

/* The source whose draw number X is. */
static uint32_t source_of(const struct mix *m, uint64_t x)
{
	uint32_t lo = 0, hi = (uint32_t)m->n;

	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (m->source[mid].start <= x)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

/* The source whose next draw has its place first, its draws lying evenly from `from` to `to`. */
static uint32_t next_by_place(const struct mix_walk *w)
{
	const struct mix *m = w->m;
	uint32_t best = UINT32_MAX;
	double first = 0;

	for (uint32_t i = 0; i < m->n; i++) {
		double place = w->from[i] + (w->to[i] - w->from[i]) * ((double)w->drawn[i] + 0.5) / (double)m->source[i].draw;

		if (w->drawn[i] < m->source[i].draw && (best == UINT32_MAX || place < first)) {
			best = i;
			first = place;
		}
	}
	return best;
}

void mix_walk_next(struct mix_walk *w, uint32_t *source, uint64_t *k)
{
	const struct mix *m = w->m;
	uint64_t x;

	if (m->order == MIX_PROGRESSIVE) {
		*source = next_by_place(w);
		*k = w->drawn[*source]++;
	} else {
		x = perm_at(&w->all, w->at);
		*source = source_of(m, x);
		*k = x - m->source[*source].start;
	}
	w->at++;
}

/* The stratum of source S that gives its draw K. */
static uint32_t stratum_of_draw(const struct mix *m, const struct mix_source *s, uint64_t k)
{
	uint32_t lo = s->stratum, hi = s->stratum + s->nstrata;

	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (m->stratum[mid].start <= k)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

void mix_draw(const struct mix *m, uint32_t source, uint64_t k, uint32_t *stratum, uint64_t *record)
{
	const struct mix_source *s = &m->source[source];
	const struct mix_stratum *t;
	struct perm p;
	uint32_t i;

	perm_init(&p, s->draw, m->seed, STREAM_SOURCE + source);
	k = perm_at(&p, k);
	i = stratum_of_draw(m, s, k);
	t = &m->stratum[i];
	k -= t->start;
	perm_init(&p, t->n, m->seed, rng_mix(STREAM_ROUND + i) + k / t->n);
	*stratum = i;
	*record = perm_at(&p, k % t->n);
}
