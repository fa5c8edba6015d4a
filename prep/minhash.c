/* SPDX-License-Identifier: Apache-2.0 */
#include "minhash.h"

#include <math.h>
#include <string.h>

#include "hash.h"
#include "mem.h"
#include "rng.h"
#include "utf8.h"

/* --- shingles --- */

/* The place behind the character, or the word and its space, at S. */
static const char *step(const struct shingling *how, const char *s, const char *end)
{
	const char *space;

	if (!how->words)
		return s + utf8_size(s);
	space = memchr(s, ' ', (size_t)(end - s));
	return space ? space + 1 : end;
}

static uint64_t get64(const char *s)
{
	uint64_t x;

	memcpy(&x, s, sizeof x);
	return x;
}

static uint32_t get32(const char *s)
{
	uint32_t x;

	memcpy(&x, s, sizeof x);
	return x;
}

/* Most shingles have no more than 16 bytes: the two ends of those, multiplied (as wyhash does, Wang Yi 2019). */
static inline uint64_t shingle_hash(const char *s, size_t n)
{
	uint64_t a, b;
	unsigned __int128 m;

	if (n > 16)
		return hash64(s, n, 0);
	if (n >= 8) {
		a = get64(s);
		b = get64(s + n - 8);
	} else if (n >= 4) {
		a = get32(s);
		b = get32(s + n - 4);
	} else {
		a = n ? (uint64_t)(unsigned char)s[0] << 16 | (uint64_t)(unsigned char)s[n / 2] << 8 | (unsigned char)s[n - 1] : 0;
		b = 0;
	}
	m = (unsigned __int128)(a ^ 0xA0761D6478BD642Fu) * (b ^ 0xE7037ED1A0B428DBu ^ n);
	m = (unsigned __int128)((uint64_t)m ^ (uint64_t)(m >> 64) ^ 0x8EBC6AF09C88C6E3u) * (0x589965CC75374CC3u ^ n);
	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

size_t shingle_hashes(const struct shingling *how, const char *text, size_t n, uint64_t **h, size_t *cap)
{
	const char *s = text, *ahead = text, *end = text + n;
	size_t k = 0;

	for (unsigned i = 0; i < how->size && ahead < end; i++)
		ahead = step(how, ahead, end);
	for (;;) {
		size_t len = (size_t)(ahead - s);

		if (how->words && len && s[len - 1] == ' ')
			len--;
		ARRAY_ROOM(*h, k, *cap);
		(*h)[k++] = shingle_hash(s, len);
		if (ahead >= end)
			return k;
		s = step(how, s, end);
		ahead = step(how, ahead, end);
	}
}

/* N hashes at H in order, by way of N more behind them.  The upper half of the bits decides between a few. */
static void sort_hashes(uint64_t *h, size_t n)
{
	enum { VALUES = 256, MANY = 4096 };
	uint64_t *from = h, *to = h + n, *was;

	for (unsigned shift = n > MANY ? 0 : 32; shift < 64; shift += 8) {
		size_t place[VALUES] = {0}, at = 0;

		for (size_t i = 0; i < n; i++)
			place[from[i] >> shift & (VALUES - 1)]++;
		for (int v = 0; v < VALUES; v++) {
			size_t count = place[v];

			place[v] = at;
			at += count;
		}
		for (size_t i = 0; i < n; i++)
			to[place[from[i] >> shift & (VALUES - 1)]++] = from[i];
		was = from;
		from = to;
		to = was;
	}
}

/* What the passes over the upper half have left out of order is next to its place. */
static void insert(uint64_t *h, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		uint64_t x = h[i];
		size_t at = i;

		for (; at > 0 && h[at - 1] > x; at--)
			h[at] = h[at - 1];
		h[at] = x;
	}
}

size_t shingle_set(uint64_t **hashes, size_t n, size_t *cap)
{
	enum { FEW = 24 };
	size_t k = 0;
	uint64_t *h;

	if (n > FEW && *cap < 2 * n) {
		*cap = 3 * n;
		*hashes = mem_grow(*hashes, *cap, sizeof **hashes);
	}
	h = *hashes;
	if (n > FEW)                                   /* an even number of passes: they end where they began */
		sort_hashes(h, n);
	insert(h, n);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || h[i] != h[i - 1])
			h[k++] = h[i];
	return k;
}

double shingle_jaccard(const uint64_t *a, size_t na, const uint64_t *b, size_t nb)
{
	size_t both = 0, i = 0, j = 0;

	while (i < na && j < nb) {
		both += a[i] == b[j];
		if (a[i] <= b[j]) {
			j += a[i] == b[j];
			i++;
		} else {
			j++;
		}
	}
	return na + nb ? (double)both / (double)(na + nb - both) : 1;
}

/* --- signatures --- */

struct minhash {
	uint32_t add[MINHASH_N], times[MINHASH_N];
	void (*least)(const uint64_t *h, size_t n, const struct minhash *m, uint32_t *sig);
};

/* The whole cost of signing: all permutations of one hash in a row, which the compiler makes vectors of. */
static inline __attribute__((always_inline)) void least(const uint64_t *h, size_t n, const struct minhash *m, uint32_t *sig)
{
	memset(sig, 0xff, MINHASH_N * sizeof *sig);
	for (size_t i = 0; i < n; i++) {
		uint32_t x = (uint32_t)h[i];

		for (int k = 0; k < MINHASH_N; k++) {
			uint32_t y = (x ^ m->add[k]) * m->times[k];

			sig[k] = y < sig[k] ? y : sig[k];
		}
	}
}

static void least_any(const uint64_t *h, size_t n, const struct minhash *m, uint32_t *sig)
{
	least(h, n, m, sig);
}

#if defined(__x86_64__)
__attribute__((target("avx512f"), noinline))
static void least_avx512(const uint64_t *h, size_t n, const struct minhash *m, uint32_t *sig)
{
	least(h, n, m, sig);
}

__attribute__((target("avx2"), noinline))
static void least_avx2(const uint64_t *h, size_t n, const struct minhash *m, uint32_t *sig)
{
	least(h, n, m, sig);
}
#endif

/* x -> (x xor add) * times, with TIMES odd, is a permutation of the 32-bit numbers. */
struct minhash *minhash_new(void)
{
	struct minhash *m = mem_new(sizeof *m);

	for (uint32_t k = 0; k < MINHASH_N; k++) {
		uint64_t r = rng_mix(k + 1);

		m->add[k] = (uint32_t)r;
		m->times[k] = (uint32_t)(r >> 32) | 1;
	}
	m->least = least_any;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2"))
		m->least = least_avx2;
	if (__builtin_cpu_supports("avx512f"))
		m->least = least_avx512;
#endif
	return m;
}

void minhash_free(struct minhash *m)
{
	mem_free(m);
}

/* The low bits of a least number depend on the low bits of one hash alone, whatever K is: a product mixes them with the others. */
void minhash_sign(const struct minhash *m, const uint64_t *h, size_t n, uint8_t sig[MINHASH_N])
{
	uint32_t all[MINHASH_N];

	m->least(h, n, m, all);
	for (int k = 0; k < MINHASH_N; k++)
		sig[k] = (uint8_t)(all[k] * 0x9E3779B1u >> 24);
}

void minhash_bands(double threshold, unsigned *bands, unsigned *rows)
{
	for (*rows = 16; *rows > 1; --*rows) {
		*bands = MINHASH_N / *rows;
		if (pow(1 - pow(threshold, *rows), *bands) <= 0.002)
			return;
	}
	*bands = MINHASH_N;
}
