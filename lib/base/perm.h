/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_PERM_H
#define SFT_PERM_H
/* A seeded permutation of 0..n-1 that needs no table: a Feistel network over the next power of four, walked until it is
 * back in range (Black and Rogaway 2002).  For shuffling what does not fit in memory; not for secrets. */
#include <stdint.h>

struct perm {
	uint64_t n;
	unsigned half;             /* bits of each half */
	uint64_t key[6];
};

void     perm_init(struct perm *p, uint64_t n, uint64_t seed, uint64_t stream);
uint64_t perm_at(const struct perm *p, uint64_t i);      /* I < n; about two rounds of the network */

#endif
