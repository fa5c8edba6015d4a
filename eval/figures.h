/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_FIGURES_H
#define SFT_FIGURES_H
/* The values that stand in the JSON of `sft eval --json`, wherever each metric keeps its own, with their intervals. */
#include <stdbool.h>
#include <stddef.h>
#include "json.h"
#include "mem.h"

enum figure_scale {
	FIGURE_UNIT,    /* at most 1: shares, coefficients */
	FIGURE_PERCENT, /* of 100, and beyond for error rates */
	FIGURE_FREE     /* any number: perplexity, lengths */
};

struct figure {
	const char *metric; /* "accuracy"; borrowed from the document */
	const char *name;   /* "macro_f1"; in the arena or the document */
	double v, lo, hi;   /* NaN: not there */
	enum figure_scale scale;
	bool lower; /* lower is better */
};

/* Those of the object METRICS (member of name "metrics"), in its order, kappa left out; *N of them, in A.  What is no number is
 * no figure. */
struct figure *figures_read(const struct json *metrics, struct arena *a, size_t *n);
/* The one of that name among F[0..n-1], or NULL. */
const struct figure *figures_find(const struct figure *f, size_t n, const char *name);
bool figures_lower(const char *name); /* is less better for a value of that name? */
enum figure_scale figures_scale(const char *name);
/* "Macro F1" for "macro_f1". */
void figures_title(const char *name, char to[64]);
/* "0.0123", "< 0.0001", "-". */
void figures_p(double p, char to[16]);
int figures_places(const struct figure *f); /* digits behind the point that are worth showing */

/* V of member KEY of OBJ as a number; NaN where there is none. */
double figures_number(const struct json *obj, const char *key);
/* Member KEY as a pair of numbers, LO and HI; NaN where there is none. */
void figures_range(const struct json *obj, const char *key, double *lo, double *hi);

/* Member KEY as a text, "?" where there is none; as a list, empty where there is none.  Never NULL. */
const struct json *figures_text(const struct json *obj, const char *key);
const struct json *figures_list(const struct json *obj, const char *key);

#endif
