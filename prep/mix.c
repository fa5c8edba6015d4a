/* SPDX-License-Identifier: Apache-2.0 */
/* What is mixed, and how much of it. */
#include "mix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "weakslices.h"

static const char *const label[] = { "source" };

void mix_init(struct mix *m, const char *scratch_dir)
{
	memset(m, 0, sizeof *m);
	m->scratch_dir = scratch_dir;
	m->limit = 4;
	arena_init(&m->arena);
	addcols_init(&m->cols, label, 1);
	addcols_init(&m->plain, NULL, 0);
}

void mix_release(struct mix *m)
{
	mem_free(m->source);
	mem_free(m->slice);
	mem_free(m->stratum);
	strmap_free(&m->by_slice);
	addcols_release(&m->cols);
	addcols_release(&m->plain);
	arena_release(&m->arena);
}

int mix_add(struct mix *m, const char *operand, struct err *e)
{
	const char *colon = strrchr(operand, ':');
	struct mix_source s = { .file = operand, .weight = 1 };

	if (colon && colon != operand && opt_number(colon + 1, -INFINITY, INFINITY, &s.weight, NULL) == 0) {
		if (!(s.weight > 0 && s.weight <= 1e9))
			return err_set(e, SFT_USAGE, "'%s': the weight is %g (expected FILE:WEIGHT, over 0 and up to 1e9)", operand, s.weight);
		s.file = arena_str(&m->arena, operand, (size_t)(colon - operand));
	}
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->source[i].file, s.file) == 0)
			return err_set(e, SFT_USAGE, "%s is named twice", s.file);
	m->source = mem_grow(m->source, m->n + 1, sizeof *m->source);
	m->source[m->n++] = s;
	return 0;
}

/* --- weak slices --- */

int mix_weak(struct mix *m, const char *path, struct err *e)
{
	struct weak_slices w;
	int rc = weak_read(&w, path, &m->arena, e);

	if (rc)
		return rc;
	m->slice = mem_grow(m->slice, w.n, sizeof *m->slice);
	for (size_t i = 0; i < w.n; i++) {
		double f = w.errors > 0 ? w.v[i].rate * w.all / w.errors : 1;

		strmap_put(&m->by_slice, w.v[i].name, strlen(w.v[i].name), i, NULL);
		m->slice[i] = (struct mix_slice){ .name = w.v[i].name, .factor = f < 1 ? 1 : f > m->limit ? m->limit : f };
	}
	m->nslices = w.n;
	return 0;
}

/* --- numbers --- */

struct rest {
	double part;
	size_t i;
};

/* The largest remainder first, of equal ones the first source. */
static int by_part(const void *x, const void *y)
{
	const struct rest *a = x, *b = y;

	if (a->part != b->part)
		return a->part > b->part ? -1 : 1;
	return (a->i > b->i) - (a->i < b->i);
}

void mix_share(uint64_t total, const double *weight, size_t n, uint64_t *out)
{
	struct rest *rest = mem_new((n + 1) * sizeof *rest);
	uint64_t given = 0;
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += weight[i];
	for (size_t i = 0; i < n; i++) {
		double exact = sum > 0 ? (double)total * (weight[i] / sum) : 0;
		uint64_t whole = (uint64_t)exact;

		if (whole > total - given)                 /* rounding */
			whole = total - given;
		out[i] = whole;
		given += whole;
		rest[i] = (struct rest){ exact - (double)whole, i };
	}
	qsort(rest, n, sizeof *rest, by_part);
	for (size_t k = 0; sum > 0 && given < total; k = (k + 1) % n)
		if (weight[rest[k].i] > 0) {
			out[rest[k].i]++;
			given++;
		}
	mem_free(rest);
}

/* So many that no source has to go round. */
static uint64_t natural_total(const struct mix *m)
{
	double sum = 0, most = INFINITY;

	for (size_t i = 0; i < m->n; i++)
		sum += m->source[i].weight;
	for (size_t i = 0; i < m->n; i++)
		most = fmin(most, (double)m->source[i].n * (sum / m->source[i].weight));
	return (uint64_t)(most * (1 + 0x1p-50));
}

static void plan_strata(struct mix *m, struct mix_source *s)
{
	double *weight = mem_new(s->nstrata * sizeof *weight);
	uint64_t *draw = mem_new(s->nstrata * sizeof *draw), start = 0;

	for (uint32_t i = 0; i < s->nstrata; i++)
		weight[i] = (double)m->stratum[s->stratum + i].n * m->stratum[s->stratum + i].factor;
	mix_share(s->draw, weight, s->nstrata, draw);
	for (uint32_t i = 0; i < s->nstrata; i++) {
		struct mix_stratum *t = &m->stratum[s->stratum + i];

		t->draw = draw[i];
		t->start = start;
		start += draw[i];
	}
	mem_free(weight);
	mem_free(draw);
}

int mix_plan(struct mix *m, struct err *e)
{
	double *weight = mem_new(m->n * sizeof *weight);
	uint64_t *draw = mem_new(m->n * sizeof *draw), start = 0;
	int rc = 0;

	for (size_t i = 0; i < m->n; i++)
		weight[i] = m->source[i].weight;
	if (m->total == 0)
		m->total = natural_total(m);
	mix_share(m->total, weight, m->n, draw);
	for (size_t i = 0; i < m->n && rc == 0; i++) {
		struct mix_source *s = &m->source[i];

		s->draw = draw[i];
		s->start = start;
		start += draw[i];
		if (s->draw && s->n == 0)
			rc = err_set(e, SFT_BADDATA, "%s: no records (expected some, as %llu are to be drawn)", s->file, (unsigned long long)s->draw);
		else
			plan_strata(m, s);
	}
	mem_free(weight);
	mem_free(draw);
	return rc;
}
