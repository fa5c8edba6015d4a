/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TERMSET_PRIV_H
#define SFT_TERMSET_PRIV_H
/* Between termdict.c (reading) and termset.c (finding). */
#include "acmatch.h"
#include "strmap.h"
#include "termset.h"

/* A folded text that stands for a term. */
struct term_pattern {
	uint32_t term;
	uint32_t variant;              /* as in termhit */
	uint32_t respelt;              /* variant that differs from the term in case or width alone; 0: none */
};

struct termset {
	const struct unicode *u;
	struct arena arena;
	struct term *term;
	uint32_t n;
	size_t cap;
	struct strmap by_text;         /* term as written -> its number */
	struct term_pattern *pattern;
	uint32_t npatterns;
	size_t patterns_cap;
	struct acmatch *match;
};

#endif
