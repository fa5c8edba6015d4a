/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RNG_H
#define SFT_RNG_H
/* Random numbers that are the same on every machine and for every thread count.
 *
 * xoshiro256** (Blackman and Vigna 2018), seeded through splitmix64.  STREAM keeps uses apart:
 * the shuffle of epoch 3 and the initial values of an adapter never share numbers. */
#include <stdint.h>

struct rng {
	uint64_t s[4];
};

void     rng_init(struct rng *r, uint64_t seed, uint64_t stream);
uint64_t rng_u64(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t n);   /* uniform in 0..n-1, without bias; n >= 1 */
double   rng_unit(struct rng *r);                /* uniform in [0, 1), 53 bits */
double   rng_normal(struct rng *r);              /* mean 0, variance 1 */

/* Fisher-Yates on the numbers 0..n-1. */
void rng_permutation(struct rng *r, uint32_t *out, uint32_t n);

/* A good 64-bit mix of X (the finaliser of splitmix64): a stateless random number. */
uint64_t rng_mix(uint64_t x);

#endif
