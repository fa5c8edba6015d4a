/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RESAMPLEISA_H
#define SFT_RESAMPLEISA_H
/* The two inner loops of the bootstrap, and what AVX-512 makes of them; for resample.c and resamplesum.c. */
#include <stddef.h>
#include <stdint.h>

#include "resample.h"

enum { RESAMPLE_CUTS = 14 };

struct resample_draw {
	uint32_t rng[4][RESAMPLE_LANES];        /* xoshiro128++ (Blackman and Vigna 2021), a generator a lane */
	uint32_t cut[RESAMPLE_CUTS];            /* a number is over k where the 32 random bits are at least cut[k] */
	uint32_t sum[RESAMPLE_LANES];           /* of what was drawn */
};

/* A row of counts for each of N items. */
void resample_poisson_avx512(struct resample_draw *d, uint32_t n, uint8_t *times);

/* ACC[digit * RESAMPLE_LANES + lane] += sums of whole numbers: word[g * NDIGITS + digit] holds a byte, 0 to 127, of each of items 4 g to 4 g + 3. */
void resample_digits_avx512(const uint8_t *times, const uint32_t *word, size_t groups, size_t ndigits, int32_t *acc);

#endif
