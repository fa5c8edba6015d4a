/* SPDX-License-Identifier: Apache-2.0 */
#include "keyset.h"

#include <string.h>

#include "mem.h"

enum { FIRST = 64 };

_Static_assert(sizeof(struct keyset_line) == 64, "a line of the set is a cache line");

void keyset_init(struct keyset *k, bool numbered)
{
	memset(k, 0, sizeof *k);
	k->lines = FIRST;
	k->line = mem_new(FIRST * sizeof *k->line);
	k->number = numbered ? mem_new(FIRST * KEYSET_LINE * sizeof *k->number) : NULL;
}

void keyset_release(struct keyset *k)
{
	mem_free(k->line);
	mem_free(k->number);
	memset(k, 0, sizeof *k);
}

struct hash128 keyset_key(struct hash128 h)
{
	h.lo = (uint32_t)h.lo;
	return h;
}

/* Slot I of line L: is H in it? */
static inline bool is_at(const struct keyset_line *l, uint32_t i, struct hash128 h)
{
	return l->lo[i] == (uint32_t)h.lo && l->mid[i] == (uint32_t)h.hi && l->hi[i] == (uint32_t)(h.hi >> 32);
}

/* Where H is, or else (*FOUND false) would go. */
static inline size_t find(const struct keyset_line *line, size_t lines, struct hash128 h, bool *found)
{
	for (size_t at = h.hi & (lines - 1); ; at = (at + 1) & (lines - 1)) {
		const struct keyset_line *l = &line[at];
		unsigned like = 0;

		for (uint32_t i = 0; i < KEYSET_LINE; i++)
			like |= (unsigned)(l->lo[i] == (uint32_t)h.lo) << i;
		for (like &= (1u << l->n) - 1; like; like &= like - 1)
			if (is_at(l, (uint32_t)__builtin_ctz(like), h)) {
				*found = true;
				return at * KEYSET_LINE + (size_t)__builtin_ctz(like);
			}
		if (l->n < KEYSET_LINE) {
			*found = false;
			return at * KEYSET_LINE + l->n;
		}
	}
}

/* H into the free slot AT. */
static void put(struct keyset_line *line, size_t at, struct hash128 h)
{
	struct keyset_line *l = &line[at / KEYSET_LINE];
	size_t i = at % KEYSET_LINE;

	l->lo[i] = (uint32_t)h.lo;
	l->mid[i] = (uint32_t)h.hi;
	l->hi[i] = (uint32_t)(h.hi >> 32);
	l->n++;
}

size_t keyset_slots(const struct keyset *k)
{
	return k->lines * KEYSET_LINE;
}

bool keyset_at(const struct keyset *k, size_t at, struct hash128 *h)
{
	const struct keyset_line *l = &k->line[at / KEYSET_LINE];
	size_t i = at % KEYSET_LINE;

	*h = (struct hash128){ .hi = (uint64_t)l->hi[i] << 32 | l->mid[i], .lo = l->lo[i] };
	return i < l->n;
}

/* Twice the lines: a new table, in huge pages where it is large, as keys are looked up all over it. */
static int grow(struct keyset *k, struct err *e)
{
	size_t lines = 2 * k->lines, slots = keyset_slots(k);
	struct keyset_line *line = mem_try(lines * sizeof *line);
	uint32_t *number = k->number ? mem_try(2 * slots * sizeof *number) : NULL;
	struct hash128 h;
	bool found;

	if (line == NULL || (k->number && number == NULL)) {
		mem_free(line);
		mem_free(number);
		return err_set(e, SFT_SYSTEM, "no memory for more than %zu keys", k->n);
	}
	for (size_t i = 0; i < slots; i++) {
		size_t at;

		if (!keyset_at(k, i, &h))
			continue;
		at = find(line, lines, h, &found);
		put(line, at, h);
		if (number)
			number[at] = k->number[i];
	}
	mem_free(k->line);
	mem_free(k->number);
	k->line = line;
	k->number = number;
	k->lines = lines;
	return 0;
}

static bool full(const struct keyset *k)
{
	return k->n >= keyset_slots(k) / 8 * 7;
}

uint64_t keyset_bytes(const struct keyset *k)
{
	return (uint64_t)k->lines * (sizeof *k->line + (k->number ? KEYSET_LINE * sizeof *k->number : 0));
}

uint64_t keyset_growth(const struct keyset *k)
{
	return full(k) ? 3 * keyset_bytes(k) : keyset_bytes(k);
}

int keyset_add(struct keyset *k, struct hash128 h, bool *added, uint32_t *number, struct err *e)
{
	bool found;
	size_t at = find(k->line, k->lines, h, &found);
	int rc;

	*added = !found;
	if (!found) {
		if (k->n >= UINT32_MAX)
			return err_set(e, SFT_SYSTEM, "more than %u keys", UINT32_MAX);
		if (full(k)) {
			if ((rc = grow(k, e)) != 0)
				return rc;
			at = find(k->line, k->lines, h, &found);
		}
		put(k->line, at, h);
		if (k->number)
			k->number[at] = (uint32_t)k->n;
		k->n++;
	}
	if (number)
		*number = k->number[at];
	return 0;
}

bool keyset_has(const struct keyset *k, struct hash128 h)
{
	bool found;

	find(k->line, k->lines, h, &found);
	return found;
}
