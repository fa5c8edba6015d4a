/* SPDX-License-Identifier: Apache-2.0 */
#include "neardup.h"

#include <string.h>

#include "hash.h"
#include "mem.h"

void neardup_init(struct neardup *d, struct shingling how, double threshold, const char *scratch_dir)
{
	memset(d, 0, sizeof *d);
	d->how = how;
	d->threshold = threshold;
	d->texts = scratch_new(scratch_dir);
	d->loaded = UINT32_MAX;
	keyset_init(&d->seen, true);
}

void neardup_release(struct neardup *d)
{
	mem_free(d->sig);
	mem_free(d->where);
	mem_free(d->parent);
	mem_free(d->out);
	mem_free(d->one.h);
	mem_free(d->other.h);
	mem_free(d->buf);
	mem_free(d->first);
	keyset_release(&d->seen);
	scratch_free(d->texts);
}

/* Text I, which is new, goes into the group of an equal one before it. */
static int add_twin(struct neardup *d, uint32_t i, const char *text, size_t n, struct err *e)
{
	uint32_t k;
	bool added;
	int rc;

	if ((rc = keyset_add(&d->seen, hash128(text, n, 0), &added, &k, e)) != 0)
		return rc;
	d->where[i].twin = !added;
	if (added) {
		ARRAY_ROOM(d->first, k, d->first_cap);
		d->first[k] = i;
	}
	d->parent[i] = d->first[k];
	return 0;
}

int neardup_add(struct neardup *d, const char *text, size_t n, const uint32_t *sig, const char *id, size_t nid, struct err *e)
{
	int rc;

	if (d->n >= UINT32_MAX - 1 || n > UINT32_MAX || nid > INT32_MAX)
		return err_set(e, SFT_SYSTEM, "more than %u texts, or one over 4 GiB", UINT32_MAX - 1);
	if (d->n == d->cap) {
		d->cap = d->cap ? d->cap + d->cap / 2 : 1024;
		d->sig = mem_grow(d->sig, d->cap, MINHASH_N * sizeof *d->sig);
		d->where = mem_grow(d->where, d->cap, sizeof *d->where);
		d->parent = mem_grow(d->parent, d->cap, sizeof *d->parent);
		d->out = mem_grow(d->out, d->cap, sizeof *d->out);
	}
	memcpy(d->sig + d->n * MINHASH_N, sig, MINHASH_N * sizeof *sig);
	d->where[d->n].at = scratch_size(d->texts);
	d->where[d->n].text = (uint32_t)n;
	d->where[d->n].id = (uint32_t)nid & INT32_MAX;
	d->out[d->n] = NEARDUP_IN;
	if ((rc = add_twin(d, (uint32_t)d->n, text, n, e)) != 0)
		return rc;
	d->n++;
	if ((rc = scratch_write(d->texts, text, n, e)) != 0)
		return rc;
	return scratch_write(d->texts, id, nid, e);
}

void neardup_against(struct neardup *d)
{
	d->against = (uint32_t)d->n;
	for (size_t i = 0; i < d->n; i++)
		d->out[i] = NEARDUP_SIMILAR;
}

void neardup_exclude(struct neardup *d)
{
	d->out[d->n - 1] = NEARDUP_OTHER;
}

/* --- groups: the root of a group is its first text --- */

uint32_t neardup_group(struct neardup *d, uint32_t i)
{
	while (d->parent[i] != i) {
		d->parent[i] = d->parent[d->parent[i]];
		i = d->parent[i];
	}
	return i;
}

static void unite(struct neardup *d, uint32_t a, uint32_t b)
{
	a = neardup_group(d, a);
	b = neardup_group(d, b);
	if (a < b)
		d->parent[b] = a;
	else
		d->parent[a] = b;
}

/* --- comparing --- */

static int load(struct neardup *d, uint64_t at, size_t n, struct err *e)
{
	if (n > d->room) {
		d->room = n * 2;
		d->buf = mem_grow(d->buf, d->room, 1);
	}
	return scratch_at(d->texts, at, n, d->buf, e);
}

int neardup_id(struct neardup *d, uint32_t i, const char **id, size_t *n, struct err *e)
{
	int rc = load(d, d->where[i].at + d->where[i].text, d->where[i].id, e);

	*id = d->buf ? d->buf : "";
	*n = d->where[i].id;
	return rc;
}

static int jaccard(struct neardup *d, uint32_t a, uint32_t b, double *out, struct err *e)
{
	int rc;

	if (d->loaded != b) {
		d->loaded = UINT32_MAX;
		if ((rc = load(d, d->where[b].at, d->where[b].text, e)) != 0)
			return rc;
		d->one.n = shingle_set(d->one.h, shingle_hashes(&d->how, d->buf ? d->buf : "", d->where[b].text, &d->one.h, &d->one.cap));
		d->loaded = b;
	}
	if ((rc = load(d, d->where[a].at, d->where[a].text, e)) != 0)
		return rc;
	d->other.n = shingle_hashes(&d->how, d->buf ? d->buf : "", d->where[a].text, &d->other.h, &d->other.cap);
	d->other.n = shingle_set(d->other.h, d->other.n);
	*out = shingle_jaccard(d->one.h, d->one.n, d->other.h, d->other.n);
	return 0;
}

/* A signature's own estimate, which a hopeless pair does not get past: 5 standard deviations below the threshold. */
static bool hopeful(const struct neardup *d, const uint32_t *a, const uint32_t *b)
{
	unsigned same = 0;

	for (int k = 0; k < MINHASH_N; k++)
		same += a[k] == b[k];
	return same >= MINHASH_N * d->threshold - 5 * 0.5 * 11.32;   /* sqrt(128 x 1/4) at most */
}

/* A text that finds this many of its own group in one slot has found its place: thousands of texts of one mould would
 * otherwise cost the square of their number. */
enum { OWN_MAX = 1000 };

struct search {
	unsigned bands, rows, band;
	neardup_pair *pair;
	void *ctx;
};

/* Did an earlier band bring this pair? */
static bool seen_before(const struct search *s, const uint32_t *a, const uint32_t *b)
{
	for (unsigned band = 0; band < s->band; band++)
		if (memcmp(a + band * s->rows, b + band * s->rows, s->rows * sizeof *a) == 0)
			return true;
	return false;
}

/* *J: the similarity of a candidate, or -1 where it is none or was looked at before. */
static int candidate(struct neardup *d, const struct search *s, uint32_t a, uint32_t b, double *j, struct err *e)
{
	const uint32_t *sa = d->sig + (size_t)a * MINHASH_N, *sb = d->sig + (size_t)b * MINHASH_N;
	size_t at = (size_t)s->band * s->rows;

	*j = -1;
	if (memcmp(sa + at, sb + at, s->rows * sizeof *sa) != 0 || !hopeful(d, sa, sb) || seen_before(s, sa, sb))
		return 0;
	return jaccard(d, a, b, j, e);
}

static int join_pair(struct neardup *d, const struct search *s, uint32_t a, uint32_t b, struct err *e)
{
	double j;
	int rc;

	if ((rc = candidate(d, s, a, b, &j, e)) != 0 || j < d->threshold)
		return rc;
	unite(d, a, b);
	return s->pair ? s->pair(s->ctx, a, b, j, e) : 0;
}

/* The chains of a band: the texts of a slot, the newest first (numbers + 1, 0 none). */
struct chains {
	uint32_t *head, *next;
	size_t slots;
};

static size_t slot_of(const struct neardup *d, const struct search *s, const struct chains *c, uint32_t i)
{
	const uint32_t *sig = d->sig + (size_t)i * MINHASH_N + (size_t)s->band * s->rows;

	return hash64(sig, s->rows * sizeof *sig, s->band) & (c->slots - 1);
}

static void chain(struct chains *c, size_t slot, uint32_t i)
{
	c->next[i] = c->head[slot];
	c->head[slot] = i + 1;
}

/* All pairs that agree in one band. */
static int join_band(struct neardup *d, const struct search *s, struct chains *c, struct err *e)
{
	for (uint32_t i = d->against; i < d->n; i++) {
		size_t slot;
		int rc;

		if (d->out[i] || (s->pair == NULL && d->where[i].twin))
			continue;
		slot = slot_of(d, s, c, i);
		for (uint32_t j = c->head[slot], own = 0; j && own < OWN_MAX; j = c->next[j - 1]) {
			if (s->pair == NULL && neardup_group(d, j - 1) == neardup_group(d, i))
				own++;
			else if ((rc = join_pair(d, s, j - 1, i, e)) != 0)
				return rc;
		}
		chain(c, slot, i);
	}
	return 0;
}

/* What agrees in one band with a text to compare with, and is similar to it, is out. */
static int compare_band(struct neardup *d, const struct search *s, struct chains *c, struct err *e)
{
	for (uint32_t i = 0; i < d->n; i++) {
		size_t slot;

		if (d->where[i].twin || (i >= d->against && d->out[i]))
			continue;
		slot = slot_of(d, s, c, i);
		if (i < d->against) {
			chain(c, slot, i);
			continue;
		}
		for (uint32_t j = c->head[slot]; j && !d->out[i]; j = c->next[j - 1]) {
			double similar;
			int rc;

			if ((rc = candidate(d, s, j - 1, i, &similar, e)) != 0)
				return rc;
			if (similar >= d->threshold)
				d->out[i] = NEARDUP_SIMILAR;
		}
	}
	return 0;
}

typedef int search_band(struct neardup *d, const struct search *s, struct chains *c, struct err *e);

static int search_bands(struct neardup *d, struct search *s, search_band *band, struct err *e)
{
	struct chains c = { .slots = 1024 };
	int rc = scratch_rewind(d->texts, e);

	while (c.slots < 2 * d->n)
		c.slots *= 2;
	c.head = mem_try(c.slots * sizeof *c.head);
	c.next = mem_try((d->n + 1) * sizeof *c.next);
	if (c.head == NULL || c.next == NULL)
		rc = err_set(e, SFT_SYSTEM, "no memory for the search among %zu texts", d->n);
	minhash_bands(d->threshold, &s->bands, &s->rows);
	for (; rc == 0 && s->band < s->bands; s->band++) {
		memset(c.head, 0, c.slots * sizeof *c.head);
		rc = band(d, s, &c, e);
	}
	mem_free(c.head);
	mem_free(c.next);
	return rc;
}

int neardup_compare(struct neardup *d, struct err *e)
{
	struct search s = {0};
	int rc;

	if (d->against == 0)
		return 0;
	if ((rc = search_bands(d, &s, compare_band, e)) != 0)
		return rc;
	for (size_t i = d->against; i < d->n; i++)     /* its parent is still the equal text before it */
		if (d->where[i].twin && d->out[i] == NEARDUP_IN)
			d->out[i] = d->out[d->parent[i]];
	return 0;
}

int neardup_join(struct neardup *d, neardup_pair *pair, void *ctx, struct err *e)
{
	struct search s = { .pair = pair, .ctx = ctx };

	return search_bands(d, &s, join_band, e);
}
