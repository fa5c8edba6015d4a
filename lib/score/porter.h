/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_PORTER_H
#define SFT_PORTER_H
/* The Porter stemmer with NLTK's extensions, which is what rouge_score uses.
 *
 * M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980, pp. 130-137; the extensions are those of
 * nltk.stem.porter.PorterStemmer in its default mode (NLTK_EXTENSIONS). */
#include <stddef.h>

/* Stem the N bytes of lower-case ASCII at WORD in place; the new length.  A stem is at most as long as its word. */
size_t porter_stem(char *word, size_t n);

#endif
