/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_REPEXAMPLE_H
#define SFT_REPEXAMPLE_H
/* One item of a report: the question, the reference and the answers of the systems beside each other, differences marked. */
#include "textdiff.h"

enum { EXAMPLE_SYSTEMS = 8, EXAMPLE_CHARS = 2000 };

struct example_text {
	struct text text; /* its first characters; p NULL: there is none */
	size_t left;      /* characters that were cut off */
};

struct example {
	struct text id;
	struct example_text input, reference;
	size_t more_references;
	struct {
		struct example_text text;
		bool there, right;
	} answer[EXAMPLE_SYSTEMS];
	int outcome;
};

struct example_view {
	const char *name[EXAMPLE_SYSTEMS];
	size_t n; /* systems */
	bool references;
	struct textdiff *diff;
};

/* At most EXAMPLE_CHARS characters of T, copied into A. */
struct example_text example_clip(struct arena *a, struct text t);
void example_write(struct buf *to, const struct example_view *v, const struct example *x);

#endif
