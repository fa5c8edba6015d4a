/* SPDX-License-Identifier: Apache-2.0 */
#include "sliced.h"

#include <string.h>

int sliced_open(struct sliced *s, const char *by, const char *const *metric, size_t n, const struct metric_opts *o, uint64_t resamples,
                uint64_t seed, struct err *e)
{
	memset(s, 0, sizeof *s);
	s->by = by;
	return paired_open(&s->all, metric, n, o, resamples, seed, e);
}

/* The slice of an item of A, opened when it comes first. */
static int slice_of(struct sliced *s, const struct item *it, const struct metric_opts *o, uint32_t *at, struct err *e)
{
	struct text value = it->group.p ? it->group : (struct text){ "", 0 };
	bool added;
	struct strmap_entry *x = strmap_put(&s->name, value.p, value.n, s->name.n, &added);

	*at = (uint32_t)x->value;
	if (!added)
		return 0;
	ARRAY_ROOM(s->slice, x->value, s->slices_cap);
	return paired_open(&s->slice[x->value], s->all.name, s->all.nmetrics, o, s->all.resamples, s->all.seed, e);
}

static int take_a(struct sliced *s, const struct item *it, const struct metric_opts *o, struct err *e)
{
	uint32_t at;
	int rc = paired_add_a(&s->all, it, e);

	if (rc || s->by == NULL)
		return rc;
	if ((rc = slice_of(s, it, o, &at, e)) != 0)
		return rc;
	ARRAY_ROOM(s->slice_of, s->n, s->cap);
	s->slice_of[s->n++] = at;
	return paired_add_a(&s->slice[at], it, e);
}

int sliced_read_a(struct sliced *s, struct pairs *in, const char *path, const struct metric_opts *o, struct err *e)
{
	struct item it;
	bool more;
	int rc;

	while ((rc = pairs_next(in, &it, &more, e)) == 0 && more)
		if ((rc = take_a(s, &it, o, e)) != 0)
			return err_in(e, "%s:%llu", it.file, (unsigned long long)it.line);
	if (rc == 0)
		rc = paired_end_a(&s->all, path, e);
	if (rc == 0 && s->name.n == 1 && s->name.e[0].n == 0)
		rc = err_set(e, SFT_BADDATA, "%s: no record has a value in column '%s' (--by)", path, s->by);
	for (size_t k = 0; k < s->name.n && rc == 0; k++)
		rc = paired_end_a(&s->slice[k], path, e);
	return rc;
}

int sliced_read_b(struct sliced *s, struct pairs *in, const char *path, struct err *e)
{
	struct item it;
	bool more;
	int rc;

	s->all.b.path = path;
	while ((rc = pairs_next(in, &it, &more, e)) == 0 && more) {
		if ((rc = paired_add_b(&s->all, &it, path, e)) == 0 && s->by)
			rc = paired_add_b(&s->slice[s->slice_of[paired_place(&s->all)]], &it, path, e);
		if (rc)
			return err_in(e, "%s:%llu", it.file, (unsigned long long)it.line);
	}
	return rc ? rc : paired_end_b(&s->all, e);
}

void sliced_compute(struct sliced *s)
{
	paired_compute(&s->all);
	for (size_t k = 0; k < s->name.n; k++)
		paired_compute(&s->slice[k]);
}

void sliced_correct(struct sliced *c, size_t n)
{
	struct paired **p = NULL;
	size_t k = 0, cap = 0;

	for (size_t b = 0; b < n; b++) {
		ARRAY_ROOM(p, k, cap);
		p[k++] = &c[b].all;
		c[b].all.several = n > 1;
	}
	paired_holm(p, k);
	k = 0;
	for (size_t b = 0; b < n; b++)
		for (size_t i = 0; i < c[b].name.n; i++) {
			ARRAY_ROOM(p, k, cap);
			p[k++] = &c[b].slice[i];
			c[b].slice[i].several = true;
		}
	paired_holm(p, k);
	mem_free(p);
}

void sliced_close(struct sliced *s)
{
	paired_close(&s->all);
	for (size_t k = 0; k < s->name.n && k < s->slices_cap; k++)
		paired_close(&s->slice[k]);
	mem_free(s->slice);
	mem_free(s->slice_of);
	strmap_free(&s->name);
	memset(s, 0, sizeof *s);
}
