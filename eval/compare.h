/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_COMPARE_H
#define SFT_COMPARE_H
#include "paired.h"

/* The object of `sft eval compare --json` for one A against N systems, computed: p[0..n-1] share A. */
void compare_json(const struct paired *p, size_t n, struct buf *out);

#endif
