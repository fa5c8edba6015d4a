/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_WORDCACHE_H
#define SFT_WORDCACHE_H
/* Short words and their ids: those a thread met lately, so that most words of a text need no merging.
 *
 * A word is known by its bytes themselves (no two words are taken for one another).  A cache line holds two words, the newer one
 * first; a third that falls there takes the place of the older.  The bytes are compared as two numbers, and the line is asked for
 * well before it is read (bpemodel.c), because most of the time of a look is waiting for memory. */
#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { WORD_MAX = 15, WORD_IDS = 4, WORD_LINES = 1 << 16 }; /* bytes of a word, ids of a word, lines (4 MiB) */

/* The bytes as little-endian numbers, zero behind them; the last byte: how many (4 bits), WORD_PART, how many ids (3 bits). */
struct word_key {
	uint64_t lo, hi;
};
#define WORD_PART ((uint64_t)1 << 60)
enum { WORD_IDS_SHIFT = 61, WORD_N_SHIFT = 56 };

struct word_slot {
	struct word_key key;
	uint32_t id[WORD_IDS];
};

/* The key of the N (1 to WORD_MAX) bytes at P, which lie in [TEXT, END). */
static inline struct word_key word_key(const char *p, size_t n, const char *text, const char *end)
{
	char copy[16] = {0};
	unsigned shift = 8 * (16 - (unsigned)n);
	unsigned __int128 v;
	uint64_t w[2];

	if (end - p >= 16) { /* what is behind the word is shifted out */
		memcpy(w, p, 16);
		v = (unsigned __int128)le64toh(w[1]) << 64 | le64toh(w[0]);
		v = v << shift >> shift;
	} else if (p + n - text >= 16) { /* what is before it */
		memcpy(w, p + n - 16, 16);
		v = (unsigned __int128)le64toh(w[1]) << 64 | le64toh(w[0]);
		v >>= shift;
	} else {
		memcpy(copy, p, n);
		memcpy(w, copy, 16);
		v = (unsigned __int128)le64toh(w[1]) << 64 | le64toh(w[0]);
	}
	return (struct word_key){(uint64_t)v, (uint64_t)(v >> 64) | (uint64_t)n << WORD_N_SHIFT};
}

static inline bool word_ascii(struct word_key k) { return !((k.lo | k.hi) & 0x8080808080808080u); }

/* Where the two slots of K are in a cache of 2 * WORD_LINES. */
static inline size_t word_place(struct word_key k)
{
	unsigned __int128 m = (unsigned __int128)(k.lo ^ 0x9E3779B97F4A7C15u) * (k.hi ^ 0xC2B2AE3D27D4EB4Fu);

	return 2 * (((uint64_t)m ^ (uint64_t)(m >> 64)) & (WORD_LINES - 1));
}

static inline bool word_is(const struct word_slot *s, struct word_key k)
{
	return s->key.lo == k.lo && (s->key.hi ^ k.hi) << (64 - WORD_IDS_SHIFT) == 0;
}

/* The slot of K among the two at LINE, or NULL. */
static inline const struct word_slot *word_find(const struct word_slot *line, struct word_key k)
{
	return word_is(line, k) ? line : word_is(line + 1, k) ? line + 1 : NULL;
}

static inline unsigned word_nids(const struct word_slot *s) { return (unsigned)(s->key.hi >> WORD_IDS_SHIFT); }

/* A free slot at LINE for K, which has NIDS (1 to WORD_IDS) ids: for the caller to fill. */
static inline uint32_t *word_put(struct word_slot *line, struct word_key k, unsigned nids)
{
	line[1] = line[0];
	line->key = (struct word_key){k.lo, k.hi | (uint64_t)nids << WORD_IDS_SHIFT};
	return line->id;
}

#endif
