/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_LCS_H
#define SFT_LCS_H
/* The longest common subsequence, 64 columns at a time.
 *
 * Hyyro, "Bit-parallel LCS-length computation revisited", AWOCA 2004: of row i of the table, only the columns where it does
 * not grow are kept, as bits.  A block of 64 columns is carried through all rows before the next one is begun, so that it needs of
 * the one before a bit a row.
 *
 * Time O(rows x columns / 64).  Memory: lcs_length() rows + symbols; lcs_mark() besides sqrt(rows) x columns / 32 bytes. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "intern.h"

struct lcs {                    /* `struct lcs l = {0}` */
	uint64_t *match;        /* per symbol: where it stands in the block; zero between blocks */
	uint8_t *carry;         /* per row: into the next block */
	uint64_t *kept, *rows;  /* lcs_mark(): rows to begin from; the rows since one of them */
	size_t match_cap, carry_cap, kept_cap, rows_cap;
};

/* Length for ROWS (symbols not below NSYMBOLS match nothing) and COLS (all below NSYMBOLS). */
size_t lcs_length(struct lcs *l, const struct ids *rows, const uint32_t *cols, size_t ncols, uint32_t nsymbols);

/* Set hit[i] for the rows of the one longest common subsequence that rouge_score's backtracking finds: from the end, it
 * takes a match where there is one, else goes to the column before if t[i][j-1] > t[i-1][j], else to the row before. */
void lcs_mark(struct lcs *l, const struct ids *rows, const uint32_t *cols, size_t ncols, uint32_t nsymbols, bool *hit);
void lcs_free(struct lcs *l);

#endif
