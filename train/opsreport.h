/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_OPSREPORT_H
#define SFT_OPSREPORT_H
/* What the operations of a device have cost, for people. */
#include "kern.h"
#include "mem.h"

/* Floating-point operations since kern_profile_start(). */
double ops_flops(const struct kern *k);

/* A table appended to OUT: a line for each operation with its calls, seconds, share of TOTAL seconds, GFLOP/s, share of PEAK (FLOP/s; 0: unknown) and GB/s,
 * the costliest first; then what lies between the operations, and all together. */
void ops_table(const struct kern *k, double total, double peak, struct buf *out);

#endif
