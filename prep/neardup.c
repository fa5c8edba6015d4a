/* SPDX-License-Identifier: Apache-2.0 */
#include "neardup.h"

#include <string.h>

#include "mem.h"
#include "nearband.h"

/* Parts of the memory allowed: signatures, entries, and each of the two sorts. */
enum { SIGS = 2, ENTRIES = 8, SORTS = 8 };

/* State of a record: why it is out, and that an equal text, or one of its key, is in and came before it (or after it). */
enum { OUT = 3, TWIN = 4, KEYED = 8 };

#define NONE UINT32_MAX

const char *const neardup_reasons[FATES] = {
	NULL, "duplicate", "near duplicate", "also in --against", "shares an n-gram with --against", "near --against"
};

struct entry {
	uint64_t at;                   /* place in the texts: the text, then the name */
	uint32_t text, id, chars, pad;
	struct hash128 key;
};

/* For the sorts: what has the same hash is the same. */
struct same {
	struct hash128 h;
	uint64_t num;
};

void neardup_init(struct neardup *d, const struct neardup_how *how, uint64_t memory, const char *scratch_dir)
{
	memset(d, 0, sizeof *d);
	d->how = *how;
	d->memory = memory;
	d->dir = scratch_dir;
	d->sig = scratch_new(scratch_dir);
	d->entry = scratch_new(scratch_dir);
	d->texts = scratch_new(scratch_dir);
	scratch_limit(d->sig, memory / SIGS);
	scratch_limit(d->entry, memory / ENTRIES);
	d->same_text = extsort_new(sizeof(struct same), 0, memory / SORTS, scratch_dir);
	d->same_key = extsort_new(sizeof(struct same), 0, memory / SORTS, scratch_dir);
	d->loaded = NONE;
}

void neardup_release(struct neardup *d)
{
	mem_free(d->parent);
	mem_free(d->state);
	mem_free(d->stays);
	mem_free(d->one.h);
	mem_free(d->other.h);
	mem_free(d->buf);
	scratch_free(d->sig);
	scratch_free(d->entry);
	scratch_free(d->texts);
	extsort_free(d->same_text);
	extsort_free(d->same_key);
}

static int put_same(struct extsort *s, struct hash128 h, uint32_t num, struct err *e)
{
	const struct same same = { h, num };

	return extsort_put(s, &same, e);
}

static int put_text(struct neardup *d, const struct neardup_item *r, struct err *e)
{
	int rc;

	if ((rc = scratch_write(d->texts, r->text, r->n, e)) != 0 || (rc = scratch_write(d->sig, r->sig, MINHASH_N, e)) != 0)
		return rc;
	return put_same(d->same_text, hash128(r->text, r->n, 0), d->n, e);
}

int neardup_add(struct neardup *d, const struct neardup_item *r, struct err *e)
{
	struct entry at = { scratch_size(d->texts), (uint32_t)r->n, (uint32_t)r->nid, r->chars, 0, r->key };
	int rc;

	if (d->n >= NONE - 1 || r->n > UINT32_MAX || r->nid > UINT32_MAX)
		return err_set(e, SFT_SYSTEM, "more than %u texts, or one over 4 GiB", NONE - 1);
	if (d->n == d->cap) {
		d->cap = d->cap < 1024 ? 1024 : d->cap > NONE / 3 * 2 ? NONE : d->cap + d->cap / 2;
		d->parent = mem_grow(d->parent, d->cap, sizeof *d->parent);
		d->state = mem_grow(d->state, d->cap, sizeof *d->state);
	}
	d->parent[d->n] = d->n;
	d->state[d->n] = (uint8_t)r->out;
	if (d->how.texts && (rc = put_text(d, r, e)) != 0)
		return rc;
	if (d->how.keys && (rc = put_same(d->same_key, r->key, d->n, e)) != 0)
		return rc;
	d->n++;
	if ((rc = scratch_write(d->texts, r->id, r->nid, e)) != 0)
		return rc;
	return scratch_write(d->entry, &at, sizeof at, e);
}

void neardup_against(struct neardup *d)
{
	d->against = d->n;
}

/* --- states --- */

enum neardup_out neardup_out(const struct neardup *d, uint32_t i)
{
	return (enum neardup_out)(d->state[i] & OUT);
}

void neardup_put_out(struct neardup *d, uint32_t i, enum neardup_out why)
{
	d->state[i] = (uint8_t)((d->state[i] & ~OUT) | (int)why);
}

bool neardup_is_twin(const struct neardup *d, uint32_t i)
{
	return d->state[i] & TWIN;
}

bool neardup_idle(const struct neardup *d, uint32_t i)
{
	return d->state[i] & (OUT | TWIN);
}

uint32_t neardup_group(struct neardup *d, uint32_t i)
{
	while (d->parent[i] != i) {
		d->parent[i] = d->parent[d->parent[i]];
		i = d->parent[i];
	}
	return i;
}

void neardup_unite(struct neardup *d, uint32_t a, uint32_t b)
{
	a = neardup_group(d, a);
	b = neardup_group(d, b);
	if (a < b)
		d->parent[b] = a;
	else
		d->parent[a] = b;
}

/* --- what is equal --- */

/* Records of one hash, in the order of their numbers: the first of all, and the first that is in (or NONE). */
struct alike {
	uint64_t lo;
	uint32_t first, rep;
};

typedef void see_alike(struct neardup *d, struct alike *a, uint32_t i);

static void key_in_against(struct neardup *d, struct alike *a, uint32_t i)
{
	if (i >= d->against && a->first < d->against)
		neardup_put_out(d, i, NEARDUP_KEY);
}

/* The first of equal texts stands for the others, which go into its group. */
static void find_twin(struct neardup *d, struct alike *a, uint32_t i)
{
	if (i >= d->against && a->first < d->against && neardup_out(d, i) == NEARDUP_IN)
		neardup_put_out(d, i, NEARDUP_SIMILAR);
	if (neardup_out(d, i))
		return;
	if (a->rep == NONE) {
		a->rep = i;
		return;
	}
	d->state[i] |= TWIN;
	d->parent[i] = a->rep;
}

static void unite_key(struct neardup *d, struct alike *a, uint32_t i)
{
	if (i < d->against || neardup_out(d, i))
		return;
	if (a->rep == NONE) {
		a->rep = i;
		return;
	}
	d->state[i] |= KEYED;
	d->state[a->rep] |= KEYED;
	neardup_unite(d, a->rep, i);
}

/* Calls SEE for every record, hash by hash.  S sorts by one half of the hash; two hashes that agree in it hardly ever differ in the
 * other, so a list of those does. */
static int each_alike(struct neardup *d, struct extsort *s, see_alike *see, struct err *e)
{
	struct alike *list = NULL;
	size_t n = 0, cap = 0;
	uint64_t hi = 0;
	int rc = extsort_rewind(s, e);
	const void *p;

	while (rc == 0 && (rc = extsort_get(s, &p, e)) == 0 && p) {
		struct same at;
		size_t k = 0;

		memcpy(&at, p, sizeof at);
		if (at.h.hi != hi)
			n = 0;
		hi = at.h.hi;
		while (k < n && list[k].lo != at.h.lo)
			k++;
		if (k == n) {
			ARRAY_ROOM(list, n, cap);
			list[n++] = (struct alike){ at.h.lo, (uint32_t)at.num, NONE };
		}
		see(d, &list[k], (uint32_t)at.num);
	}
	mem_free(list);
	return rc;
}

/* Twins share the fate of the text that stands for them. */
static void inherit(struct neardup *d)
{
	for (uint32_t i = d->against; i < d->n; i++)
		if (neardup_is_twin(d, i) && neardup_out(d, d->parent[i])) {
			neardup_put_out(d, i, neardup_out(d, d->parent[i]));
			d->parent[i] = i;
		}
}

int neardup_compare(struct neardup *d, struct err *e)
{
	int rc;

	if ((rc = scratch_rewind(d->sig, e)) != 0 || (rc = scratch_rewind(d->entry, e)) != 0 || (rc = scratch_rewind(d->texts, e)) != 0 ||
	    (d->against && (rc = each_alike(d, d->same_key, key_in_against, e)) != 0) ||
	    (rc = each_alike(d, d->same_text, find_twin, e)) != 0)
		return rc;
	extsort_free(d->same_text);
	d->same_text = NULL;
	if (d->against && d->how.texts && (rc = nearband_compare(d, e)) != 0)
		return rc;
	inherit(d);
	return 0;
}

int neardup_join(struct neardup *d, neardup_pair *pair, void *ctx, struct err *e)
{
	int rc;

	if ((rc = each_alike(d, d->same_key, unite_key, e)) != 0)
		return rc;
	extsort_free(d->same_key);
	d->same_key = NULL;
	return d->how.texts ? nearband_join(d, pair, ctx, e) : 0;
}

/* --- what stays --- */

static int entry_at(struct neardup *d, uint32_t i, struct entry *at, struct err *e)
{
	return scratch_at(d->entry, (uint64_t)i * sizeof *at, sizeof *at, at, e);
}

int neardup_choose(struct neardup *d, enum dedup_keep keep, struct err *e)
{
	uint32_t *chars = keep == KEEP_LONGEST ? mem_grow(NULL, (size_t)d->n + 1, sizeof *chars) : NULL;
	int rc = 0;

	if (keep == KEEP_FIRST)
		return 0;
	d->stays = mem_grow(NULL, (size_t)d->n + 1, sizeof *d->stays);
	for (uint32_t i = d->against; i < d->n && rc == 0; i++) {
		struct entry at = { 0 };
		uint32_t g;

		if (neardup_out(d, i))
			continue;
		g = neardup_group(d, i);
		if (chars && (rc = entry_at(d, i, &at, e)) != 0)
			break;
		if (g != i && chars && at.chars <= chars[g])
			continue;
		d->stays[g] = i;
		if (chars)
			chars[g] = at.chars;
	}
	mem_free(chars);
	return rc;
}

enum neardup_fate neardup_fate(struct neardup *d, uint32_t i)
{
	static const enum neardup_fate out[] = { FATE_KEPT, FATE_AGAINST, FATE_GRAM, FATE_NEAR_AGAINST };
	uint32_t g;

	if (neardup_out(d, i))
		return out[neardup_out(d, i)];
	g = neardup_group(d, i);
	if ((d->stays ? d->stays[g] : g) == i)
		return FATE_KEPT;
	return d->state[i] & KEYED ? FATE_DUPLICATE : FATE_NEAR;
}

/* --- comparing --- */

static int load(struct neardup *d, uint64_t at, size_t n, struct err *e)
{
	if (n >= d->room) {
		d->room = (n + 1) * 2;
		d->buf = mem_grow(d->buf, d->room, 1);
	}
	return scratch_at(d->texts, at, n, d->buf, e);
}

int neardup_get(struct neardup *d, uint32_t i, struct neardup_item *r, struct err *e)
{
	struct entry at;
	const void *sig = NULL;
	int rc;

	if ((rc = entry_at(d, i, &at, e)) != 0 || (rc = load(d, at.at, (size_t)at.text + at.id, e)) != 0)
		return rc;
	if (d->how.texts && (rc = scratch_view(d->sig, (uint64_t)i * MINHASH_N, MINHASH_N, d->sig_room, &sig, e)) != 0)
		return rc;
	*r = (struct neardup_item){ d->buf, at.text, sig, at.key, d->buf + at.text, at.id, at.chars, neardup_out(d, i) };
	return 0;
}

/* The shingles of text I into one of the two sets. */
#define LOAD_SET(d, set, i, e) load_set(d, i, &(d)->set.h, &(d)->set.n, &(d)->set.cap, e)

static int load_set(struct neardup *d, uint32_t i, uint64_t **h, size_t *n, size_t *cap, struct err *e)
{
	struct entry at;
	int rc;

	if ((rc = entry_at(d, i, &at, e)) != 0 || (rc = load(d, at.at, at.text, e)) != 0)
		return rc;
	*n = shingle_hashes(&d->how.shingles, d->buf, at.text, h, cap);
	*n = shingle_set(h, *n, cap);
	return 0;
}

int neardup_jaccard(struct neardup *d, uint32_t a, uint32_t b, double *out, struct err *e)
{
	int rc;

	if (d->loaded != b) {
		d->loaded = NONE;
		if ((rc = LOAD_SET(d, one, b, e)) != 0)
			return rc;
		d->loaded = b;
	}
	if ((rc = LOAD_SET(d, other, a, e)) != 0)
		return rc;
	*out = shingle_jaccard(d->one.h, d->one.n, d->other.h, d->other.n);
	return 0;
}
