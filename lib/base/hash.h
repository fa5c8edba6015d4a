/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_HASH_H
#define SFT_HASH_H
/* Hashes (xxHash 3; the door to libxxhash) and CRC-32C (Castagnoli, as in TFRecord and iSCSI). */
#include <stddef.h>
#include <stdint.h>

struct hash128 {
	uint64_t hi, lo;
};

uint64_t       hash64(const void *p, size_t n, uint64_t seed);      /* XXH3, 64 bits */
struct hash128 hash128(const void *p, size_t n, uint64_t seed);     /* XXH3, 128 bits */

/* Streaming XXH3 of 64 bits. */
struct hash_state;
struct hash_state *hash_open(uint64_t seed);
void               hash_add(struct hash_state *h, const void *p, size_t n);
uint64_t           hash_close(struct hash_state *h);                /* value, and frees H */

/* CRC-32C of N bytes, going on from CRC (0 to begin).  crc32c(0, "123456789", 9) = 0xE3069283. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);

#endif
