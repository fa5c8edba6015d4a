/* SPDX-License-Identifier: Apache-2.0 */
#include "nearjoin.h"

#include <string.h>

#include "nearlist.h"
#include "nearsig.h"

/* A shard and its stretch of the whole. */
struct part {
	struct nearsig_about about;
	uint32_t first;
};

struct join {
	struct near *o;
	const char *const *path;
	size_t k;
	struct part *part;
	struct neardup dup;
};

/* --- reading --- */

static int made_alike(const struct join *j, size_t i, struct err *e)
{
	const struct nearsig_about *a = &j->part[0].about, *b = &j->part[i].about;
	const char *what = NULL;

	if (a->how.texts != b->how.texts || a->how.keys != b->how.keys || a->rules != b->rules)
		what = "other columns";
	else if (a->how.shingles.size != b->how.shingles.size || a->how.shingles.words != b->how.shingles.words)
		what = "other shingles";
	else if (a->how.threshold != b->how.threshold)
		what = "another threshold";
	else if (a->ids != b->ids)
		what = "ids or none";
	return what == NULL ? 0 : err_set(e, SFT_BADDATA, "%s: made with %s than %s (expected the same options for all shards)", j->path[i], what, j->path[0]);
}

static int read_part(struct join *j, size_t i, struct err *e)
{
	struct neardup_item r;
	struct nearsig *s;
	bool more;
	int rc;

	if ((rc = nearsig_open(&s, j->path[i], e)) != 0)
		return rc;
	j->part[i].about = *nearsig_about(s);
	if (i == 0)
		neardup_init(&j->dup, &j->part[0].about.how, j->o->memory, j->o->scratch_dir);
	j->part[i].first = j->dup.n;
	if ((rc = made_alike(j, i, e)) == 0)
		while ((rc = nearsig_next(s, &r, &more, e)) == 0 && more && (rc = neardup_add(&j->dup, &r, e)) == 0)
			;
	nearsig_close(s);
	return rc;
}

/* --- writing --- */

/* A byte for each record of a part, and its clusters. */
static int judge(struct join *j, const struct part *p, uint8_t *fate, struct nearlist *lists, struct err *e)
{
	int rc = 0;

	for (uint32_t i = 0; i < p->about.records && rc == 0; i++) {
		enum neardup_fate f = neardup_fate(&j->dup, p->first + i);

		fate[i] = (uint8_t)f;
		j->o->fate[f]++;
		rc = nearlist_cluster(lists, p->first + i, e);
	}
	return rc;
}

static int write_parts(struct join *j, char *const *to, struct nearlist *lists, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < j->k && rc == 0; i++) {
		uint8_t *fate = mem_try(j->part[i].about.records + 1);

		if (fate == NULL)
			return err_set(e, SFT_SYSTEM, "%s: no memory for %llu verdicts", to[i], (unsigned long long)j->part[i].about.records);
		if ((rc = judge(j, &j->part[i], fate, lists, e)) == 0)
			rc = nearsig_put_fates(to[i], &j->part[i].about, fate, e);
		mem_free(fate);
	}
	return rc;
}

static int groups(struct join *j, char *const *to, struct nearlist *lists, struct err *e)
{
	int rc;

	if ((rc = neardup_compare(&j->dup, e)) != 0 || (rc = neardup_join(&j->dup, nearlist_pair(lists), lists, e)) != 0 ||
	    (rc = neardup_choose(&j->dup, j->o->keep, e)) != 0 || (rc = nearlist_write_pairs(lists, e)) != 0)
		return rc;
	rc = write_parts(j, to, lists, e);
	j->o->records = j->dup.n;
	j->o->groups = j->o->fate[FATE_KEPT];
	j->o->pair_count = nearlist_pair_count(lists);
	return rc;
}

static int join_parts(struct join *j, char *const *to, const struct rec_opts *o, const struct tool *t, struct err *e)
{
	struct nearlist lists;
	int rc = 0;

	for (size_t i = 0; i < j->k && rc == 0; i++)
		rc = read_part(j, i, e);
	if (rc)
		return rc;
	rc = nearlist_open(&lists, &j->dup, j->part[0].about.ids, j->o->clusters, j->o->pairs, o, t, e);
	if (rc == 0)
		rc = groups(j, to, &lists, e);
	j->o->how = j->dup.how;
	return nearlist_close(&lists, rc, e);
}

int near_join(struct near *n, const char *const *paths, size_t k, const char *dir, const struct rec_opts *o, const struct tool *t, struct err *e)
{
	struct join j = { .o = n, .path = paths, .k = k };
	char **to;
	int rc;

	e->code = 0;
	if ((rc = out_places(dir, paths, k, "drop", &to, e)) != 0)
		return rc;
	j.part = mem_new(k * sizeof *j.part);
	rc = join_parts(&j, to, o, t, e);
	neardup_release(&j.dup);
	mem_free(j.part);
	out_places_free(to, k);
	return rc;
}

/* --- a shard --- */

static int another_shard(const char *path, struct err *e)
{
	return err_set(e, SFT_BADDATA, "%s: made for other records (expected the shard that was signed, unchanged)", path);
}

static int drop_records(struct near *n, const char *path, const uint8_t *fate, uint64_t records, uint64_t digest, struct recin *in,
                        struct recout *out, struct keyer *whole, struct err *e)
{
	uint64_t seen = 0, all = 0, h;
	struct rec *r;
	int rc;

	while ((rc = rec_read(in, &r, e)) == 0 && r) {
		if (seen == records)
			return another_shard(path, e);
		if ((rc = keyer_64(whole, r, 0, &h, e)) != 0)
			return rc;
		all = nearsig_digest(all, h);
		n->fate[fate[seen]]++;
		rc = fate[seen] == FATE_KEPT ? rec_write(out, r, e) : rec_reject(in, r, neardup_reasons[fate[seen]], e);
		if (rc)
			return rc;
		seen++;
	}
	return rc || (seen == records && all == digest) ? rc : another_shard(path, e);
}

int near_drop(struct near *n, const char *path, struct recin *in, struct recout *out, const struct rec_opts *o, struct err *e)
{
	static const struct wordlist all = {0};
	uint64_t records, digest;
	struct keyer whole;
	uint8_t *fate;
	int rc;

	if ((rc = nearsig_get_fates(path, &fate, &records, &digest, e)) != 0)
		return rc;
	keyer_init(&whole, &all, o->unite);
	rc = drop_records(n, path, fate, records, digest, in, out, &whole, e);
	keyer_release(&whole);
	mem_free(fate);
	n->records = records;
	n->groups = n->fate[FATE_KEPT];
	return rc == 0 && rec_written(out) == 0 ? rec_header(out, rec_names(in), e) : rc;
}
