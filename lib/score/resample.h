/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RESAMPLE_H
#define SFT_RESAMPLE_H
/* The bootstrap (Efron 1979) of anything that is a function of sums over items: many resamples at a time.
 *
 * A resample of N items with replacement is how often each item comes, which is multinomial.  Drawn here item by item: a number of a
 * Poisson distribution whose mean is a little under 1, for RESAMPLE_LANES resamples at once; then what a resample lacks to N is
 * drawn evenly.  (Poisson counts given their sum are multinomial, and one more even draw leaves them so.  Where the sum is over
 * N already, which is rare, draws are taken back evenly.)  Probabilities are kept to 2^-32.
 *
 * Resample b depends on the seed, N and b alone: two systems asked with one seed see the same resamples (Koehn 2004), on every
 * machine. */
#include <stddef.h>
#include <stdint.h>

enum { RESAMPLE_LANES = 16 };

/* B resamples of N >= 1 items, up to RESAMPLE_LANES a call: item i comes times[i * RESAMPLE_LANES + lane] times in resample
 * FIRST + lane, lane < LANES (the others are to be ignored).  TAKE is called by NTHREADS threads at once, each FIRST once; with one,
 * in ascending order.  Memory: 16 bytes an item and thread. */
void resample(uint64_t seed, uint32_t n, size_t b, int nthreads, void (*take)(void *ctx, const uint8_t *times, size_t first, size_t lanes), void *ctx);

/* sum[k * RESAMPLE_LANES + lane] = sum over items of times x rows[item][k], k < WIDTH.  ITEM names the row of each of the N items; NULL: row i.
 * The order of additions is fixed: the same bits whatever the vector unit. */
void resample_sums(const uint8_t *times, const uint32_t *item, size_t n, const double *rows, size_t width, double *sum);

#endif
