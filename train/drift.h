/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_DRIFT_H
#define SFT_DRIFT_H
/* A source of data whose weight moves over a run: which of its rows come when.
 *
 * Time is counted in epochs.  The weight goes in a straight line from what it is at 0 to what it is at the horizon, and stays there.  Up to
 * time x a source has given the integral of its weight up to x, times its rows; row number k (from 0) is due when that is k + 1/2.  So at any
 * moment each source has given what the schedule says, to half a row. */
#include <stdint.h>

struct drift {
	double from, to;                /* weights; equal: it does not move */
	double horizon;                 /* > 0 */
	double n;                       /* rows of the source */
};

/* How many rows were due by time X (whole, rounded). */
uint64_t drift_due(const struct drift *d, double x);
/* When row K is due; infinity where it never is. */
double drift_when(const struct drift *d, uint64_t k);

#endif
