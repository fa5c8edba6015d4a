/* SPDX-License-Identifier: Apache-2.0 */
#include "paired.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hash.h"
#include "resample.h"
#include "stats.h"

static int side_open(struct side *s, const struct paired *p, const struct metric_opts *o, struct err *e)
{
	int rc;

	s->m = mem_new((p->nmetrics + 1) * sizeof *s->m);
	s->item = mem_new((p->nmetrics + 1) * sizeof *s->item);
	for (size_t k = 0; k < p->nmetrics; k++)
		if ((rc = metric_open(&s->m[k], p->name[k], o, true, e)) != 0)
			return rc;
	return 0;
}

int paired_open(struct paired *p, const char *const *metric, size_t n, const struct metric_opts *o, uint64_t resamples, uint64_t seed,
                struct err *e)
{
	int rc;

	memset(p, 0, sizeof *p);
	p->name = metric;
	p->nmetrics = n;
	p->resamples = resamples;
	p->seed = seed;
	if ((rc = side_open(&p->a, p, o, e)) != 0)
		return rc;
	return side_open(&p->b, p, o, e);
}

static void side_close(struct side *s, size_t n)
{
	for (size_t k = 0; s->m && k < n; k++) {
		metric_close(s->m[k]);
		mem_free(s->item[k]);
	}
	mem_free(s->m);
	mem_free(s->item);
	mem_free(s->hash);
}

void paired_close(struct paired *p)
{
	side_close(&p->a, p->nmetrics);
	side_close(&p->b, p->nmetrics);
	strmap_free(&p->id);
	mem_free(p->of_b);
	mem_free(p->diff);
	memset(p, 0, sizeof *p);
}

static int side_add(struct side *s, const struct paired *p, const struct item *it, struct err *e)
{
	double v[METRIC_MAX_VALUES];
	uint64_t h = 0;
	int rc;

	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 256;
		s->hash = mem_grow(s->hash, s->cap, sizeof *s->hash);
		for (size_t k = 0; k < p->nmetrics; k++)
			s->item[k] = mem_grow(s->item[k], s->cap, sizeof *s->item[k]);
	}
	for (size_t r = 0; r < it->nref; r++)
		h = hash64(it->ref[r].p, it->ref[r].n, h + 1);
	s->hash[s->n] = h;
	for (size_t k = 0; k < p->nmetrics; k++) {
		metric_set_class(s->m[k], it->class);
		metric_set_scores(s->m[k], it->score, it->nscores);
		if ((rc = metric_add(s->m[k], it->hyp, it->ref, it->nref, e)) != 0)
			return rc;
		metric_item(s->m[k], v);
		s->item[k][s->n] = v[0];
	}
	s->n++;
	return 0;
}

/* The id of an item, or its number where items have none. */
static struct text key_of(const struct item *it, bool by_id, char num[24])
{
	if (by_id)
		return it->id;
	snprintf(num, 24, "%llu", (unsigned long long)it->num);
	return (struct text){ num, strlen(num) };
}

int paired_add_a(struct paired *p, const struct item *it, struct err *e)
{
	char num[24];
	struct text key;
	bool added;

	if (p->a.n == 0)
		p->by_id = it->id.p != NULL;
	if (p->by_id && it->id.p == NULL)
		return err_set(e, SFT_BADDATA, "this item has no id, those before it have (expected ids on all or none)");
	key = key_of(it, p->by_id, num);
	strmap_put(&p->id, key.p, key.n, p->id.n, &added);
	return added ? side_add(&p->a, p, it, e) : err_set(e, SFT_BADDATA, "id '%.*s' stands there twice", (int)key.n, key.p);
}

int paired_end_a(struct paired *p, const char *path, struct err *e)
{
	p->a.path = path;
	if (p->a.n == 0)
		return err_set(e, SFT_BADDATA, "%s: no items (expected at least one)", path);
	if (p->a.n >= UINT32_MAX)
		return err_set(e, SFT_BADDATA, "%s: more than 4294967294 items", path);
	p->of_b = mem_grow(NULL, p->a.n, sizeof *p->of_b);
	memset(p->of_b, 0xff, p->a.n * sizeof *p->of_b);
	return 0;
}

int paired_add_b(struct paired *p, const struct item *it, const char *path, struct err *e)
{
	struct strmap_entry *x;
	char num[24];
	struct text key;

	p->b.path = path;
	if (p->by_id && it->id.p == NULL)
		return err_set(e, SFT_BADDATA, "this item has no id, those of %s have", p->a.path);
	key = key_of(it, p->by_id, num);
	x = strmap_find(&p->id, key.p, key.n);
	if (x == NULL)
		return p->by_id ? err_set(e, SFT_BADDATA, "id '%.*s' is not in %s", (int)key.n, key.p, p->a.path)
		                : err_set(e, SFT_BADDATA, "%s has %zu items only", p->a.path, p->a.n);
	if (p->of_b[x->value] != UINT32_MAX)
		return err_set(e, SFT_BADDATA, "id '%.*s' stands there twice", (int)key.n, key.p);
	p->place = x->value;
	p->of_b[x->value] = (uint32_t)p->b.n;
	return side_add(&p->b, p, it, e);
}

size_t paired_place(const struct paired *p)
{
	return p->place;
}

int paired_end_b(struct paired *p, struct err *e)
{
	if (p->b.n == 0)
		return err_set(e, SFT_BADDATA, "%s: no items (expected at least one)", p->b.path);
	for (size_t i = 0; i < p->a.n; i++) {
		if (p->of_b[i] == UINT32_MAX)
			return err_set(e, SFT_BADDATA, "%s: lacks item '%s' of %s (%zu items against %zu)", p->b.path, p->id.e[i].key, p->a.path, p->b.n, p->a.n);
		if (p->a.hash[i] != p->b.hash[p->of_b[i]])
			return err_set(e, SFT_BADDATA, "%s: item '%s' has another reference than in %s", p->b.path, p->id.e[i].key, p->a.path);
	}
	return 0;
}

/* Cohen's d_z from the sums of N differences and of their squares about the first one, SHIFT. */
static double effect_size(double n, double sum, double squares, double shift)
{
	double mean = n > 0 ? sum / n : NAN, variance = n > 1 ? (squares - n * mean * mean) / (n - 1) : NAN;

	return variance > 0 ? (mean + shift) / sqrt(variance) : NAN;
}

void paired_contest(const struct paired *p, size_t k, struct contest *c)
{
	double spread, sum = 0, squares = 0, shift = 0, n = 0, sign = metric_lower_is_better(p->a.m[k]) ? -1 : 1;

	memset(c, 0, sizeof *c);
	for (size_t i = 0; i < p->a.n; i++) {
		double d = sign * (p->b.item[k][p->of_b[i]] - p->a.item[k][i]);

		c->win += d > 0;
		c->loss += d < 0;
		c->tie += !(d > 0) && !(d < 0);
		if (isnan(d))
			continue;
		shift = n++ == 0 ? d : shift;
		sum += d - shift;
		squares += (d - shift) * (d - shift);
	}
	c->net = ((double)c->win - (double)c->loss) / (double)p->a.n;
	c->effect = effect_size(n, sum, squares, shift);
	c->p = stats_mcnemar(c->win, c->loss);
	c->odds = c->odds_lo = c->odds_hi = NAN;
	if (c->win == 0 || c->loss == 0)
		return;
	c->odds = (double)c->win / (double)c->loss;
	spread = STATS_Z95 * sqrt(1 / (double)c->win + 1 / (double)c->loss);    /* of its logarithm */
	c->odds_lo = c->odds * exp(-spread);
	c->odds_hi = c->odds * exp(spread);
}

struct sampling {
	struct metric_draws *side[2];
	size_t nv;
	double *samples;                /* [resample][side][value] */
	double *one;                    /* room for the lanes of a side */
};

static void sample(void *ctx, const uint8_t *times, size_t first, size_t lanes)
{
	struct sampling *s = ctx;

	for (size_t side = 0; side < 2; side++) {
		metric_draws_score(s->side[side], times, lanes, s->one);
		for (size_t l = 0; l < lanes; l++)
			memcpy(s->samples + ((first + l) * 2 + side) * s->nv, s->one + l * s->nv, s->nv * sizeof *s->one);
	}
}

/* The interval of one side: Wilson's for a share of items, else that of the resamples. */
static void side_interval(const struct side *s, const struct paired *p, size_t k, const double *samples, size_t nv, size_t v, size_t off,
                          double *lo, double *hi)
{
	double share;

	if (metric_share(s->m[k], v, &share))
		stats_wilson(share, (double)s->n, lo, hi);
	else
		stats_interval(samples, p->resamples, 2 * nv, off + v, lo, hi);
}

/* For a metric that has no resamples: intervals and the test by the jackknife, of each side and of the difference. */
static void jackknife(const struct paired *p, size_t k, size_t nv, struct difference *out)
{
	size_t n = p->a.n;
	double *a = mem_grow(NULL, n * nv, sizeof *a), *b = mem_grow(NULL, n * nv, sizeof *b), *diff = mem_grow(NULL, n, sizeof *diff);
	double va[METRIC_MAX_VALUES], vb[METRIC_MAX_VALUES];

	metric_score(p->a.m[k], NULL, 0, va);
	metric_score(p->b.m[k], NULL, 0, vb);
	metric_without(p->a.m[k], a);
	metric_without(p->b.m[k], b);
	for (size_t v = 0; v < nv; v++) {
		double ea = STATS_Z95 * stats_jackknife(a + v, n, nv), eb = STATS_Z95 * stats_jackknife(b + v, n, nv), e;
		struct difference *d = &out[v];

		for (size_t i = 0; i < n; i++)
			diff[i] = b[p->of_b[i] * nv + v] - a[i * nv + v];
		e = stats_jackknife(diff, n, 1);
		*d = (struct difference){ va[v], vb[v], va[v] - ea, va[v] + ea, vb[v] - eb, vb[v] + eb, vb[v] - va[v], 0, 0, NAN, NAN };
		d->lo = d->diff - STATS_Z95 * e;
		d->hi = d->diff + STATS_Z95 * e;
		if (d->diff == 0)
			d->p = 1;
		else if (e > 0)
			d->p = erfc(fabs(d->diff) / e / sqrt(2));     /* two sides of a normal distribution */
	}
	mem_free(a);
	mem_free(b);
	mem_free(diff);
}

static void differences(const struct paired *p, size_t k, struct difference *out)
{
	const char *const *names;
	size_t nv = metric_values(p->a.m[k], &names), b = p->resamples;
	double *samples = mem_grow(NULL, b * 2 * nv, sizeof *samples), *diff = mem_grow(NULL, b, sizeof *diff);
	double va[METRIC_MAX_VALUES], vb[METRIC_MAX_VALUES], share;
	struct sampling s = { { metric_draws_open(p->a.m[k], NULL, 0), metric_draws_open(p->b.m[k], p->of_b, p->a.n) }, nv, samples,
		              mem_grow(NULL, RESAMPLE_LANES * nv, sizeof *s.one) };
	struct contest c;

	metric_score(p->a.m[k], NULL, 0, va);
	metric_score(p->b.m[k], NULL, 0, vb);
	resample(p->seed, (uint32_t)p->a.n, b, 1, sample, &s);
	for (size_t v = 0; v < nv; v++) {
		struct difference *d = &out[v];

		*d = (struct difference){ .a = va[v], .b = vb[v], .diff = vb[v] - va[v] };
		side_interval(&p->a, p, k, samples, nv, v, 0, &d->a_lo, &d->a_hi);
		side_interval(&p->b, p, k, samples, nv, v, nv, &d->b_lo, &d->b_hi);
		for (size_t i = 0; i < b; i++)
			diff[i] = samples[i * 2 * nv + nv + v] - samples[i * 2 * nv + v];
		stats_interval(diff, b, 1, 0, &d->lo, &d->hi);
		d->p = stats_paired_p(diff, b, d->diff);
		if (v == 0 && metric_share(p->a.m[k], v, &share)) {      /* the value that items are compared by */
			paired_contest(p, k, &c);
			d->p = c.p;
		}
	}
	metric_draws_close(s.side[0]);
	metric_draws_close(s.side[1]);
	mem_free(s.one);
	mem_free(samples);
	mem_free(diff);
}

void paired_compute(struct paired *p)
{
	p->diff = mem_new(p->nmetrics * METRIC_MAX_VALUES * sizeof *p->diff);
	for (size_t k = 0; k < p->nmetrics; k++) {
		const char *const *names;
		size_t nv = metric_values(p->a.m[k], &names);

		if (metric_without(p->a.m[k], NULL))
			jackknife(p, k, nv, p->diff + k * METRIC_MAX_VALUES);
		else
			differences(p, k, p->diff + k * METRIC_MAX_VALUES);
	}
	for (size_t k = 0; k < p->nmetrics * METRIC_MAX_VALUES; k++)
		p->diff[k].p_holm = p->diff[k].p;
}

const struct difference *paired_of(const struct paired *p, size_t k)
{
	return p->diff + k * METRIC_MAX_VALUES;
}

void paired_holm(struct paired *const *p, size_t n)
{
	double *v = mem_grow(NULL, n + 1, sizeof *v);

	for (size_t k = 0; n && k < p[0]->nmetrics * METRIC_MAX_VALUES; k++) {
		for (size_t b = 0; b < n; b++)
			v[b] = p[b]->diff[k].p;
		stats_holm(v, n);
		for (size_t b = 0; b < n; b++)
			p[b]->diff[k].p_holm = v[b];
	}
	mem_free(v);
}
