/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_NEARBAND_H
#define SFT_NEARBAND_H
/* The search of neardup.h for similar texts: locality-sensitive hashing of their signatures (Indyk and Motwani 1998; Leskovec,
 * Rajaraman and Ullman, Mining of Massive Datasets, 3.4).
 *
 * Band by band, the hash of that part of each signature is sorted, and texts that agree in it are compared: first by their whole
 * signatures, then, where these leave hope, by their shingles.  Memory: a quarter of what D allows for the sort, and 4 bytes for
 * each text of the longest run. */
#include "neardup.h"

/* What is similar to a text to compare with is put out. */
int nearband_compare(struct neardup *d, struct err *e);
/* Unites what is similar; PAIR as in neardup_join(). */
int nearband_join(struct neardup *d, neardup_pair *pair, void *ctx, struct err *e);

#endif
