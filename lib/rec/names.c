/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <string.h>

static bool is_last(const struct names *l, const struct name *list, size_t n)
{
	if (l == NULL || l->n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (l->len[i] != list[i].n || memcmp(l->name[i], list[i].p, list[i].n) != 0)
			return false;
	return true;
}

const struct names *names_get(struct namesets *s, const struct name *list, size_t n)
{
	struct strmap_entry *entry;
	struct names *made;
	bool added;

	if (is_last(s->last, list, n))
		return s->last;
	s->key.n = 0;
	for (size_t i = 0; i < n; i++) {
		uint32_t len = (uint32_t)list[i].n;
		buf_add(&s->key, &len, sizeof len);
		buf_add(&s->key, list[i].p, len);
	}
	entry = strmap_put(&s->seen, s->key.p ? s->key.p : "", s->key.n, 0, &added);
	if (added) {
		made = arena_get(&s->arena, sizeof *made);
		made->n = (uint32_t)n;
		made->name = arena_get(&s->arena, n * sizeof *made->name);
		made->len = arena_get(&s->arena, n * sizeof *made->len);
		for (size_t i = 0; i < n; i++) {
			made->name[i] = arena_str(&s->arena, list[i].p, list[i].n);
			made->len[i] = (uint32_t)list[i].n;
		}
		entry->value = (uint64_t)(uintptr_t)made;
	}
	return s->last = (const struct names *)(uintptr_t)entry->value;
}

void namesets_free(struct namesets *s)
{
	arena_release(&s->arena);
	strmap_free(&s->seen);
	buf_free(&s->key);
	s->last = NULL;
}

bool names_same(const struct names *a, const struct names *b)
{
	if (a == b)
		return true;
	if (a == NULL || b == NULL || a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (a->len[i] != b->len[i] || memcmp(a->name[i], b->name[i], a->len[i]) != 0)
			return false;
	return true;
}

const char *names_twice(const struct names *names)
{
	struct strmap seen = {0};
	const char *twice = NULL;

	for (uint32_t i = 0; i < names->n && twice == NULL; i++) {
		bool added;

		strmap_put(&seen, names->name[i], names->len[i], 0, &added);
		if (!added)
			twice = names->name[i];
	}
	strmap_free(&seen);
	return twice;
}

int names_differ(const struct names *a, const struct names *b, const char *against, struct err *e)
{
	for (uint32_t i = 0; i < a->n && i < b->n; i++)
		if (a->len[i] != b->len[i] || memcmp(a->name[i], b->name[i], a->len[i]) != 0)
			return err_set(e, SFT_BADDATA, "column %u is '%.100s' (expected '%.100s' as %s; --union allows it)",
			               i + 1, b->name[i], a->name[i], against);
	if (a->n > b->n)
		return err_set(e, SFT_BADDATA, "column '%.100s' is missing (expected as %s; --union allows it)", a->name[b->n], against);
	return err_set(e, SFT_BADDATA, "column '%.100s' is new (expected as %s; --union allows it)", b->name[a->n], against);
}
