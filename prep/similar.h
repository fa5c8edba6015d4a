/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SIMILAR_H
#define SFT_SIMILAR_H
/* The texts of a pool that are most like a given one, by BM25 (Robertson and Zaragoza 2009, k1 1.2, b 0.75; the weight of a term is
 * that of Lucene, ln(1 + (N - n + 0.5) / (n + 0.5)), which is never negative).
 *
 * Terms are words in lower case; of scripts written without spaces, characters and pairs of them.  Memory: 8 bytes for each
 * different term of a text.  The cost of a search is that of the pool's texts that share a term, times these terms.
 * The order depends on nothing but the texts.  Threads share a pool, each with a searcher of its own. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct similar;

struct similar *similar_new(void);
void similar_free(struct similar *s);                               /* NULL is fine */
/* The next text of the pool, numbered from 0; valid UTF-8.  Nothing of it is kept but its terms. */
void similar_add(struct similar *s, const char *text, size_t n);
void similar_ready(struct similar *s);                              /* after the last */
/* Another searcher over the pool of S, which is ready and must live longer. */
struct similar *similar_share(const struct similar *s);

/* Rank the pool by likeness to TEXT. */
void similar_rank(struct similar *s, const char *text, size_t n);
/* The next best text in *I: of equal ones the first added, those that share no term last.  False at the end. */
bool similar_next(struct similar *s, uint32_t *i);
/* Is OTHER a near duplicate of the text last ranked by: lower-cased, blanks joined, is the Jaccard similarity of their sets of
 * 5 characters at least 0.8, as sft-dedup has it? */
bool similar_near(struct similar *s, const char *other, size_t n);

#endif
