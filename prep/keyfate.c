/* SPDX-License-Identifier: Apache-2.0 */
#include "keyfate.h"

#include <string.h>

#include "extsort.h"
#include "keyset.h"
#include "mem.h"

/* What an entry says beside the number of a record. */
#define AGAINST UINT64_MAX
#define WRITTEN (UINT64_MAX - 1)
#define OUT     (1ull << 62)

struct entry {
	struct hash128 h;
	uint64_t num, chars;
};

struct keyfate {
	struct extsort *sort;
};

/* --- fates --- */

static const enum neardup_fate fate_of[4] = { FATE_KEPT, FATE_DUPLICATE, FATE_AGAINST, FATE_GRAM };

void fates_set(struct fates *f, uint64_t num, enum neardup_fate fate)
{
	size_t at = (size_t)(num / 4);
	unsigned shift = 2 * (num % 4), code = 0;

	while (at >= f->cap) {
		size_t cap = f->cap ? f->cap * 2 : 1024;

		f->v = mem_grow(f->v, cap, 1);
		memset(f->v + f->cap, 0, cap - f->cap);
		f->cap = cap;
	}
	while (fate_of[code] != fate && code < 3)
		code++;
	f->v[at] = (uint8_t)((f->v[at] & ~(3u << shift)) | code << shift);
}

enum neardup_fate fates_get(const struct fates *f, uint64_t num)
{
	size_t at = (size_t)(num / 4);

	return at < f->cap ? fate_of[f->v[at] >> 2 * (num % 4) & 3] : FATE_KEPT;
}

void fates_release(struct fates *f)
{
	mem_free(f->v);
	*f = (struct fates){0};
}

/* --- keys --- */

struct keyfate *keyfate_new(uint64_t memory, const char *dir)
{
	struct keyfate *k = mem_new(sizeof *k);

	k->sort = extsort_new(sizeof(struct entry), 0, memory, dir);
	return k;
}

void keyfate_free(struct keyfate *k)
{
	if (k == NULL)
		return;
	extsort_free(k->sort);
	mem_free(k);
}

static int put(struct keyfate *k, struct hash128 h, uint64_t num, uint64_t chars, struct err *e)
{
	const struct entry at = { keyset_key(h), num, chars };

	return extsort_put(k->sort, &at, e);
}

int keyfate_against(struct keyfate *k, struct hash128 h, struct err *e)
{
	return put(k, h, AGAINST, 0, e);
}

int keyfate_written(struct keyfate *k, struct hash128 h, struct err *e)
{
	return put(k, h, WRITTEN, 0, e);
}

int keyfate_put(struct keyfate *k, struct hash128 h, uint64_t num, uint64_t chars, bool out, struct err *e)
{
	return put(k, h, out ? num | OUT : num, chars, e);
}

/* The records of one key so far. */
struct judged {
	uint64_t lo;
	bool against, any;
	uint64_t stays, chars;         /* which record, or WRITTEN */
};

static void judge(struct judged *j, const struct entry *at, enum dedup_keep keep, struct fates *f)
{
	if (at->num == AGAINST) {
		j->against = true;
	} else if (at->num == WRITTEN) {
		j->any = true;
		j->stays = WRITTEN;
	} else if (j->against) {
		fates_set(f, at->num & ~OUT, FATE_AGAINST);
	} else if (at->num & OUT) {
		return;
	} else if (j->any && (keep == KEEP_FIRST || (keep == KEEP_LONGEST && at->chars <= j->chars))) {
		fates_set(f, at->num, FATE_DUPLICATE);
	} else {
		if (j->any)
			fates_set(f, j->stays, FATE_DUPLICATE);
		fates_set(f, at->num, FATE_KEPT);
		*j = (struct judged){ j->lo, false, true, at->num, at->chars };
	}
}

/* The sort is by one half of the hash; two hashes that agree in it hardly ever differ in the other, so a list of those does. */
int keyfate_decide(struct keyfate *k, enum dedup_keep keep, struct fates *f, struct err *e)
{
	struct judged *list = NULL;
	size_t n = 0, cap = 0;
	uint64_t hi = 0;
	const void *p;
	int rc = extsort_rewind(k->sort, e);

	while (rc == 0 && (rc = extsort_get(k->sort, &p, e)) == 0 && p) {
		struct entry at;
		size_t i = 0;

		memcpy(&at, p, sizeof at);
		if (at.h.hi != hi)
			n = 0;
		hi = at.h.hi;
		while (i < n && list[i].lo != at.h.lo)
			i++;
		if (i == n) {
			ARRAY_ROOM(list, n, cap);
			list[n++] = (struct judged){ .lo = at.h.lo };
		}
		judge(&list[i], &at, keep, f);
	}
	mem_free(list);
	return rc;
}
