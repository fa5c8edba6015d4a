/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_STRMAP_H
#define SFT_STRMAP_H
/* A hash map from byte strings to 64-bit values.  Keys are copied into the map's arena.
 * Open addressing, at most half full; iteration is in the order of insertion. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "mem.h"

struct strmap_entry {
	const char *key;      /* NUL-terminated copy */
	size_t      n;
	uint64_t    value;
	uint64_t    hash;
};

/* `struct strmap m = {0}` is empty and ready.  m.e[0..m.n-1] are the entries. */
struct strmap {
	struct strmap_entry *e;
	size_t n, cap;
	uint32_t *slot;       /* entry number + 1, 0 free */
	size_t nslots;
	struct arena arena;
};

/* The entry of KEY, or NULL. */
struct strmap_entry *strmap_find(const struct strmap *m, const char *key, size_t n);
/* The entry of KEY, made with VALUE if it was not there (*ADDED says so; may be NULL).
 * Valid until the next strmap_put. */
struct strmap_entry *strmap_put(struct strmap *m, const char *key, size_t n, uint64_t value, bool *added);
void strmap_free(struct strmap *m);

#endif
