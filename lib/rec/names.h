/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_NAMES_H
#define SFT_NAMES_H
/* Lists of column names, each kept once: records with the same names point to the same struct. */
#include "rec.h"
#include "strmap.h"

struct namesets {
	struct arena arena;
	struct strmap seen;            /* names joined -> struct names * */
	struct buf key;
	const struct names *last;
};

struct name {
	const char *p;
	size_t n;
};

/* The set of N names, found or made; lives until namesets_free(). */
const struct names *names_get(struct namesets *s, const struct name *list, size_t n);
void namesets_free(struct namesets *s);

/* Same names in the same order? */
bool names_same(const struct names *a, const struct names *b);
/* The first name that stands twice, or NULL. */
const char *names_twice(const struct names *names);
/* SFT_BADDATA saying where B differs from A first; AGAINST says what A is ("the header", "in a.csv"). */
int names_differ(const struct names *a, const struct names *b, const char *against, struct err *e);

#endif
