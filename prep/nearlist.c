/* SPDX-License-Identifier: Apache-2.0 */
#include "nearlist.h"

#include <stdio.h>
#include <string.h>

static const char *const pair_columns[] = { "a", "b", "jaccard" }, *const cluster_columns[] = { "id", "cluster" };
static const uint32_t pair_lengths[] = { 1, 1, 7 }, cluster_lengths[] = { 2, 7 };
static const struct names pair_names = { 3, (const char **)pair_columns, (uint32_t *)pair_lengths };
static const struct names cluster_names = { 2, (const char **)cluster_columns, (uint32_t *)cluster_lengths };

enum { SORT = 8 };                     /* the part of the memory allowed that pairs are sorted in */

struct found {
	uint64_t ab;                   /* a << 32 | b */
	double jaccard;
};

static int open_one(struct recout **out, const char *path, const struct rec_opts *o, const struct tool *t, struct err *e)
{
	struct rec_opts plain = *o;

	plain.to = REC_AUTO;
	plain.unite = false;
	return path ? rec_create(out, path, REC_CSV, &plain, t, e) : 0;
}

int nearlist_open(struct nearlist *l, struct neardup *d, bool named, const char *clusters, const char *pairs, const struct rec_opts *o,
                  const struct tool *t, struct err *e)
{
	int rc;

	*l = (struct nearlist){ .d = d, .named = named };
	l->found = extsort_new(sizeof(struct found), 0, d->memory / SORT, d->dir);
	if ((rc = open_one(&l->clusters, clusters, o, t, e)) == 0)
		rc = open_one(&l->pairs, pairs, o, t, e);
	return rc;
}

static int put_pair(void *ctx, uint32_t a, uint32_t b, double jaccard, struct err *e)
{
	struct nearlist *l = ctx;
	const struct found f = { (uint64_t)a << 32 | b, jaccard };

	return extsort_put(l->found, &f, e);
}

neardup_pair *nearlist_pair(const struct nearlist *l)
{
	return l->pairs ? put_pair : NULL;
}

uint64_t nearlist_pair_count(const struct nearlist *l)
{
	return extsort_count(l->found);
}

/* What record I is called, as a field: NUMBER has room for a number, an id is borrowed until the next call. */
static int name_field(struct nearlist *l, uint32_t i, char number[16], struct field *f, struct err *e)
{
	struct neardup_item r;
	int rc;

	if (!l->named) {
		*f = (struct field){ number, (size_t)snprintf(number, 16, "%u", i - l->d->against), FIELD_JSON };
		return 0;
	}
	if ((rc = neardup_get(l->d, i, &r, e)) == 0)
		*f = (struct field){ r.id, r.nid, FIELD_TEXT };
	return rc;
}

/* The names of A and B into F[0..1]. */
static int two_names(struct nearlist *l, uint32_t a, uint32_t b, char na[16], char nb[16], struct field *f, struct err *e)
{
	int rc;

	if ((rc = name_field(l, a, na, &f[0], e)) != 0)
		return rc;
	l->name.n = 0;
	buf_add(&l->name, f[0].p, f[0].n);
	f[0].p = l->name.p;
	return name_field(l, b, nb, &f[1], e);
}

int nearlist_write_pairs(struct nearlist *l, struct err *e)
{
	const void *p;
	int rc;

	if (l->pairs == NULL)
		return 0;
	if ((rc = extsort_rewind(l->found, e)) != 0)
		return rc;
	while ((rc = extsort_get(l->found, &p, e)) == 0 && p) {
		char na[16], nb[16], number[32];
		struct found at;
		struct field f[3];
		struct rec r = { .names = &pair_names, .f = f };

		memcpy(&at, p, sizeof at);
		f[2] = (struct field){ number, json_double_text(number, at.jaccard), FIELD_JSON };
		if ((rc = two_names(l, (uint32_t)(at.ab >> 32), (uint32_t)at.ab, na, nb, f, e)) != 0 || (rc = rec_write(l->pairs, &r, e)) != 0)
			return rc;
	}
	return rc ? rc : rec_header(l->pairs, &pair_names, e);
}

int nearlist_cluster(struct nearlist *l, uint32_t i, struct err *e)
{
	char ni[16], nc[16];
	struct field f[2];
	struct rec r = { .names = &cluster_names, .f = f };
	int rc;

	if (l->clusters == NULL || neardup_out(l->d, i))
		return 0;
	if ((rc = two_names(l, i, neardup_group(l->d, i), ni, nc, f, e)) != 0)
		return rc;
	return rec_write(l->clusters, &r, e);
}

static int finish(struct recout **out, int rc, struct err *e)
{
	struct recout *list = *out;

	*out = NULL;
	if (list == NULL || rc) {
		rec_drop(list);
		return rc;
	}
	return rec_finish(list, e);
}

int nearlist_close(struct nearlist *l, int rc, struct err *e)
{
	if (rc == 0 && l->clusters)
		rc = rec_header(l->clusters, &cluster_names, e);
	rc = finish(&l->pairs, rc, e);
	rc = finish(&l->clusters, rc, e);
	extsort_free(l->found);
	buf_free(&l->name);
	return rc;
}
