/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RECFMT_H
#define SFT_RECFMT_H
/* Layout of a `rec` file, little-endian (man page sft-rec(5)):
 *
 *     file    magic "\x89SFTREC\n", u32 version 1, u32 text format (enum rec_format)
 *     block*  u32 kind, u32 records, u64 bytes, u64 sum, then BYTES bytes
 *               names    (1) records = number of names; each u32 length, bytes
 *               records  (2) records x names u32: length | json << 31; then the bytes of all fields, one after the other
 *               end mark (3) u64 number of records in the file; nothing stands behind it
 *
 * sum is XXH3-64 of the payload, seeded with XXH3-64 of the 16 bytes before it. */
#include <stdint.h>
#include <string.h>

#include "hash.h"

enum { RECFMT_FILE = 16, RECFMT_HEAD = 24, RECFMT_BLOCK = 1 << 18 };
enum { RECFMT_NAMES = 1, RECFMT_RECORDS = 2, RECFMT_END = 3 };
#define RECFMT_JSON 0x80000000u
#define RECFMT_LEN  0x7fffffffu

struct recfmt_head {
	uint32_t kind, records;
	uint64_t bytes, sum;
};

static inline uint32_t recfmt_u32(const void *p)
{
	const unsigned char *s = p;

	return (uint32_t)s[0] | (uint32_t)s[1] << 8 | (uint32_t)s[2] << 16 | (uint32_t)s[3] << 24;
}

static inline uint64_t recfmt_u64(const void *p)
{
	return recfmt_u32(p) | (uint64_t)recfmt_u32((const char *)p + 4) << 32;
}

static inline void recfmt_put32(void *p, uint32_t v)
{
	unsigned char *s = p;

	for (int i = 0; i < 4; i++)
		s[i] = (unsigned char)(v >> 8 * i);
}

static inline void recfmt_put64(void *p, uint64_t v)
{
	recfmt_put32(p, (uint32_t)v);
	recfmt_put32((char *)p + 4, (uint32_t)(v >> 32));
}

static inline uint64_t recfmt_sum(const void *head, const void *bytes, size_t n)
{
	return hash64(bytes, n, hash64(head, 16, 0));
}

static inline void recfmt_head_get(const void *p, struct recfmt_head *h)
{
	const char *s = p;

	*h = (struct recfmt_head){ recfmt_u32(s), recfmt_u32(s + 4), recfmt_u64(s + 8), recfmt_u64(s + 16) };
}

/* The head of a block, its sum included, into P[0..RECFMT_HEAD). */
static inline void recfmt_head_put(void *p, uint32_t kind, uint32_t records, const void *bytes, uint64_t n)
{
	char *s = p;

	recfmt_put32(s, kind);
	recfmt_put32(s + 4, records);
	recfmt_put64(s + 8, n);
	recfmt_put64(s + 16, recfmt_sum(s, bytes, n));
}

#endif
