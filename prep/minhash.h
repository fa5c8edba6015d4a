/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_MINHASH_H
#define SFT_MINHASH_H
/* Sets of shingles, their Jaccard similarity, and MinHash signatures that estimate it (Broder 1997). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MINHASH_N = 128 };            /* numbers of a signature */

struct shingling {
	unsigned size;                 /* characters or words of a shingle */
	bool words;
};

/* Hashes of the shingles of TEXT (valid UTF-8, words separated by single spaces); a text shorter than a shingle is one.
 * Grows *H (CAP elements).  Returns how many, at least 1; a shingle that comes twice is there twice. */
size_t shingle_hashes(const struct shingling *how, const char *text, size_t n, uint64_t **h, size_t *cap);
/* Sorted, each once; returns how many.  *H may be moved, as it may grow (CAP elements). */
size_t shingle_set(uint64_t **h, size_t n, size_t *cap);
/* |A and B| / |A or B| of two sets as shingle_set() leaves them. */
double shingle_jaccard(const uint64_t *a, size_t na, const uint64_t *b, size_t nb);

/* Number K of a signature is 8 bits of a hash of the least that a fixed permutation, the K-th, gives to any of the hashes: two
 * texts agree in it with a probability of J + (1 - J) / 256, J being their Jaccard similarity (b-bit minwise hashing, Li and
 * Koenig 2010).  A quarter of the memory, and what agrees by chance is found out where texts are compared. */
struct minhash;
struct minhash *minhash_new(void);
void minhash_free(struct minhash *m);
void minhash_sign(const struct minhash *m, const uint64_t *h, size_t n, uint8_t sig[MINHASH_N]);

/* Bands of ROWS numbers each.  Texts that agree in all numbers of a band are candidates; at similarity S that happens with
 * 1 - (1 - S^rows)^bands.  Picks the most rows with which a pair at THRESHOLD is missed at most 2 times in 1000. */
void minhash_bands(double threshold, unsigned *bands, unsigned *rows);

#endif
