/* SPDX-License-Identifier: Apache-2.0 */
#include "nearband.h"

#include <math.h>
#include <string.h>

#include "hash.h"
#include "mem.h"

enum { SORT = 4, AT_ONCE = 512 };

/* A text that finds this many of its own group in one run has found its place: thousands of texts of one mould would
 * otherwise cost the square of their number. */
enum { OWN_MAX = 1000 };

struct search {
	struct neardup *d;
	unsigned bands, rows, band;
	double hope;                   /* numbers in which two signatures must agree */
	struct extsort *sort;          /* hash of the band << 32 | number of the text */
	uint32_t *run;                 /* texts of one hash, ascending */
	size_t n, cap;
	neardup_pair *pair;
	void *ctx;
};

/* --- two texts --- */

/* A signature's own estimate, which a hopeless pair does not get past: 5 standard deviations below the threshold. */
static double hope(double threshold)
{
	return MINHASH_N * threshold - 5 * sqrt(MINHASH_N * threshold * (1 - threshold));
}

static unsigned agreement(const uint8_t *a, const uint8_t *b)
{
	unsigned same = 0;

	for (int k = 0; k < MINHASH_N; k++)
		same += a[k] == b[k];
	return same;
}

/* Did an earlier band bring this pair? */
static bool seen_before(const struct search *s, const uint8_t *a, const uint8_t *b)
{
	for (unsigned band = 0; band < s->band; band++)
		if (memcmp(a + band * s->rows, b + band * s->rows, s->rows) == 0)
			return true;
	return false;
}

static int signature(struct neardup *d, uint32_t i, uint8_t room[MINHASH_N], const uint8_t **sig, struct err *e)
{
	const void *p;
	int rc = scratch_view(d->sig, (uint64_t)i * MINHASH_N, MINHASH_N, room, &p, e);

	*sig = p;
	return rc;
}

/* *J: the similarity of two texts of a run, or -1 where they are no candidates or were looked at before. */
static int similarity(struct search *s, uint32_t a, const uint8_t *sb, uint32_t b, double *j, struct err *e)
{
	uint8_t room[MINHASH_N];
	const uint8_t *sa;
	size_t at = (size_t)s->band * s->rows;
	int rc;

	*j = -1;
	if ((rc = signature(s->d, a, room, &sa, e)) != 0)
		return rc;
	if (memcmp(sa + at, sb + at, s->rows) != 0 || agreement(sa, sb) < s->hope || seen_before(s, sa, sb))
		return 0;
	return neardup_jaccard(s->d, a, b, j, e);
}

/* --- a run --- */

static int join_pair(struct search *s, uint32_t a, const uint8_t *sb, uint32_t b, struct err *e)
{
	double j;
	int rc;

	if ((rc = similarity(s, a, sb, b, &j, e)) != 0 || j < s->d->how.threshold)
		return rc;
	neardup_unite(s->d, a, b);
	return s->pair ? s->pair(s->ctx, a, b, j, e) : 0;
}

/* All pairs of the run, each text with those before it, the nearest first. */
static int join_run(struct search *s, struct err *e)
{
	for (size_t k = 1; k < s->n; k++) {
		uint8_t room[MINHASH_N];
		const uint8_t *sig;
		uint32_t b = s->run[k];
		unsigned own = 0;
		int rc;

		if ((rc = signature(s->d, b, room, &sig, e)) != 0)
			return rc;
		for (size_t i = k; i-- > 0 && own < OWN_MAX; ) {
			if (s->pair == NULL && neardup_group(s->d, s->run[i]) == neardup_group(s->d, b))
				own++;
			else if ((rc = join_pair(s, s->run[i], sig, b, e)) != 0)
				return rc;
		}
	}
	return 0;
}

/* The texts of the run with those of it to compare with, which come first. */
static int compare_run(struct search *s, struct err *e)
{
	size_t others = 0;

	while (others < s->n && s->run[others] < s->d->against)
		others++;
	for (size_t k = others; k < s->n && others; k++) {
		uint8_t room[MINHASH_N];
		const uint8_t *sig;
		uint32_t b = s->run[k];
		int rc;

		if ((rc = signature(s->d, b, room, &sig, e)) != 0)
			return rc;
		for (size_t i = others; i-- > 0 && neardup_out(s->d, b) == NEARDUP_IN; ) {
			double j;

			if ((rc = similarity(s, s->run[i], sig, b, &j, e)) != 0)
				return rc;
			if (j >= s->d->how.threshold)
				neardup_put_out(s->d, b, NEARDUP_SIMILAR);
		}
	}
	return 0;
}

/* --- a band --- */

typedef bool skip_text(const struct search *s, uint32_t i);

static bool not_joined(const struct search *s, uint32_t i)
{
	return i < s->d->against || (s->pair ? neardup_out(s->d, i) != NEARDUP_IN : neardup_idle(s->d, i));
}

static bool not_compared(const struct search *s, uint32_t i)
{
	return neardup_idle(s->d, i);
}

static int sort_band(struct search *s, skip_text *skip, struct err *e)
{
	uint8_t room[AT_ONCE * MINHASH_N];
	const uint8_t *sig = room;
	int rc;

	extsort_reset(s->sort);
	for (uint32_t i = 0; i < s->d->n; i++, sig += MINHASH_N) {
		uint64_t key;

		if (i % AT_ONCE == 0) {
			size_t n = s->d->n - i < AT_ONCE ? s->d->n - i : AT_ONCE;
			const void *p;

			if ((rc = scratch_view(s->d->sig, (uint64_t)i * MINHASH_N, n * MINHASH_N, room, &p, e)) != 0)
				return rc;
			sig = p;
		}
		if (skip(s, i))
			continue;
		key = hash64(sig + (size_t)s->band * s->rows, s->rows, s->band) >> 32 << 32 | i;
		if ((rc = extsort_put(s->sort, &key, e)) != 0)
			return rc;
	}
	return extsort_rewind(s->sort, e);
}

typedef int search_run(struct search *s, struct err *e);

static int each_run(struct search *s, search_run *run, struct err *e)
{
	uint64_t hash = 0;
	const void *p;
	int rc;

	s->n = 0;
	while ((rc = extsort_get(s->sort, &p, e)) == 0 && p) {
		uint64_t key;

		memcpy(&key, p, sizeof key);
		if (key >> 32 != hash) {
			if (s->n > 1 && (rc = run(s, e)) != 0)
				return rc;
			s->n = 0;
		}
		hash = key >> 32;
		ARRAY_ROOM(s->run, s->n, s->cap);
		s->run[s->n++] = (uint32_t)key;
	}
	return rc == 0 && s->n > 1 ? run(s, e) : rc;
}

static int search(struct search *s, skip_text *skip, search_run *run, struct err *e)
{
	int rc = 0;

	s->hope = hope(s->d->how.threshold);
	s->sort = extsort_new(sizeof(uint64_t), 32, s->d->memory / SORT, s->d->dir);
	minhash_bands(s->d->how.threshold, &s->bands, &s->rows);
	for (; rc == 0 && s->band < s->bands; s->band++)
		if ((rc = sort_band(s, skip, e)) == 0)
			rc = each_run(s, run, e);
	extsort_free(s->sort);
	mem_free(s->run);
	return rc;
}

int nearband_compare(struct neardup *d, struct err *e)
{
	struct search s = { .d = d };

	return search(&s, not_compared, compare_run, e);
}

int nearband_join(struct neardup *d, neardup_pair *pair, void *ctx, struct err *e)
{
	struct search s = { .d = d, .pair = pair, .ctx = ctx };

	return search(&s, not_joined, join_run, e);
}
