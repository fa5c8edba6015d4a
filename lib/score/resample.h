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

enum { RESAMPLE_LANES = 16, RESAMPLE_MOST = INT8_MAX };

/* B resamples of N >= 1 items, up to RESAMPLE_LANES a call: item i comes times[i * RESAMPLE_LANES + lane] times (at most RESAMPLE_MOST)
 * in resample FIRST + lane, lane < LANES (the others are to be ignored).  TAKE is called by NTHREADS threads at once, each FIRST once; with one,
 * in ascending order.  Memory: 16 bytes an item and thread. */
void resample(uint64_t seed, uint32_t n, size_t b, int nthreads, void (*take)(void *ctx, const uint8_t *times, size_t first, size_t lanes), void *ctx);

/* The numbers of N items, WIDTH each, made ready to be summed over many resamples.  ITEM names the row of each item; NULL: row i.  ROWS and
 * ITEM are borrowed.  Counts (whole numbers from 0 to 2^28) are kept as bytes too, 7 bits in each, since sums of bytes are many times faster. */
struct resample_rows;
struct resample_rows *resample_rows_new(const double *rows, const uint32_t *item, size_t n, size_t width);
void resample_rows_free(struct resample_rows *r);       /* NULL is fine */

/* sum[k * RESAMPLE_LANES + lane] = sum over items of times x rows[item][k], k < WIDTH.  The order of additions is fixed, or their result
 * exact: the same bits whatever the vector unit.  Several threads may do so at once. */
void resample_sums(const struct resample_rows *r, const uint8_t *times, double *sum);

#endif
