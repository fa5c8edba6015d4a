/* SPDX-License-Identifier: Apache-2.0 */
#include "hash.h"

#include <string.h>
#include <xxhash.h>
#if defined(__x86_64__)
#include <xxh_x86dispatch.h>           /* the same functions, for the machine that runs */
#endif

#include "mem.h"

uint64_t hash64(const void *p, size_t n, uint64_t seed)
{
	return XXH3_64bits_withSeed(p, n, seed);
}

struct hash128 hash128(const void *p, size_t n, uint64_t seed)
{
	XXH128_hash_t h = XXH3_128bits_withSeed(p, n, seed);

	return (struct hash128){ h.high64, h.low64 };
}

struct hash_state {
	XXH3_state_t *x;
};

struct hash_state *hash_open(uint64_t seed)
{
	struct hash_state *h = mem_new(sizeof *h);

	h->x = XXH3_createState();
	XXH3_64bits_reset_withSeed(h->x, seed);
	return h;
}

void hash_add(struct hash_state *h, const void *p, size_t n)
{
	XXH3_64bits_update(h->x, p, n);
}

uint64_t hash_close(struct hash_state *h)
{
	uint64_t v = XXH3_64bits_digest(h->x);

	XXH3_freeState(h->x);
	mem_free(h);
	return v;
}

/* Table of one byte; slicing by 8 would need 8 KiB built at run time, and the SSE 4.2
 * instruction below is what runs on every machine that tunes models. */
static uint32_t crc_byte(uint32_t c, unsigned char b)
{
	c ^= b;
	for (int k = 0; k < 8; k++)
		c = c & 1 ? 0x82F63B78u ^ (c >> 1) : c >> 1;
	return c;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2")))
static uint32_t crc_sse42(uint32_t c, const unsigned char *p, size_t n)
{
	uint64_t c64 = c, w;

	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&w, p, 8);
		c64 = __builtin_ia32_crc32di(c64, w);
	}
	c = (uint32_t)c64;
	for (; n; n--, p++)
		c = __builtin_ia32_crc32qi(c, *p);
	return c;
}
#endif

uint32_t crc32c(uint32_t crc, const void *data, size_t n)
{
	const unsigned char *p = data;
	uint32_t c = ~crc;

#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2"))
		return ~crc_sse42(c, p, n);
#endif
	for (; n; n--, p++)
		c = crc_byte(c, *p);
	return ~c;
}
