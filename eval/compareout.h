/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_COMPAREOUT_H
#define SFT_COMPAREOUT_H
/* Comparisons of one system, A, with N others, C[0..n-1], as one JSON object, as a table, as CSV. */
#include "sliced.h"

void compare_json(const struct sliced *c, size_t n, struct buf *out);
void compare_table(const struct sliced *c, size_t n, struct buf *out);
/* A line for each system, slice and value; the slice is empty for all items. */
void compare_csv(const struct sliced *c, size_t n, struct buf *out);

#endif
