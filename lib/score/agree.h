/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_AGREE_H
#define SFT_AGREE_H
/* Agreement of raters.
 *
 *   Cohen 1960 (kappa), 1968 (weighted); Fleiss 1971; Scott 1955 (pi); Krippendorff 2011, "Computing Krippendorff's
 *   alpha-reliability"; Gwet, "Handbook of inter-rater reliability", 4th ed. 2014 (AC1, AC2, with missing ratings).
 *
 * Every function takes a sample of the items: item i counts weight[i] times (a whole number, 0 for not at all), or once where WEIGHT
 * is NULL. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rating {
	uint32_t rater, cat;
};

/* Item i has ratings r[start[i]..start[i+1]-1], each rater at most once (unless `anonymous`), in ascending order. */
struct ratings {
	uint32_t items, raters, ncat;
	size_t *start;
	struct rating *r;
	const double *value;            /* of each category, where all are numbers; else NULL */
	bool ordered;                   /* categories stand in an order that means something */
	bool fixed;                     /* the list of categories was given: those not used count for the places of the others */
	bool anonymous;                 /* nobody said who rated: raters are places in an item */
};

/* The different kinds of item, so that a million items cost what a few hundred kinds do: items are alike where the same raters gave the same
 * ratings (anonymous: where each category was given equally often).  The coefficients of (t, many) are those of the items.
 * `struct kinds k = {0}`. */
struct kinds {
	struct ratings t;               /* one item of each kind, in the order of their first ones; what else T says is the caller's to fill in */
	double *many;                   /* items of each kind */
	uint32_t *kind;                 /* of each item */
	uint32_t items;
	uint32_t *slot;                 /* kind + 1, 0 free */
	uint64_t *hash;                 /* of each kind */
	size_t nslots, nr, cap_r, cap, items_cap;
};
/* The next item has these ratings, in the order of raters; its kind. */
uint32_t kinds_add(struct kinds *k, const struct rating *r, size_t n);
/* The next item is of KIND, which was given before. */
void kinds_again(struct kinds *k, uint32_t kind);
void kinds_release(struct kinds *k);
/* All items of T. */
void agree_collapse(const struct ratings *t, struct kinds *k);
void ratings_release(struct ratings *t);        /* start and r */

/* A coefficient; where it is undefined, V is NaN and REASON (constant text) says why. */
struct coef {
	double v;
	const char *reason;
};

enum agree_level { LEVEL_NOMINAL, LEVEL_ORDINAL, LEVEL_INTERVAL, LEVEL_RATIO };
enum agree_weight { WEIGHT_NONE, WEIGHT_LINEAR, WEIGHT_QUADRATIC, WEIGHT_ORDINAL };

/* Shares of agreement: over all pairs of ratings of one item; as the mean over items rated at least twice; of such items
 * where all ratings are equal. */
struct agree_percent {
	struct coef pooled_pairs, mean_of_items, all_raters_equal;
};
struct agree_percent agree_percent(const struct ratings *t, const double *weight);

/* Two raters on the items that both rated; linear and quadratic weights by the place of a category among those that
 * these two used on these items (as scikit-learn), or in the list where it is fixed. */
struct cohen {
	uint32_t a, b;
	uint64_t n;
	double agreement;               /* NaN where n is 0 */
	struct coef kappa[3];           /* enum agree_weight */
};
/* All pairs a < b, OUT has raters * (raters - 1) / 2.  False where that takes too much memory (64 Mi cells). */
bool agree_cohen(const struct ratings *t, const double *weight, struct cohen *out);
bool agree_cohen_fits(const struct ratings *t);

/* Every rated item must have the same number of ratings, not necessarily by the same raters. */
struct coef agree_fleiss(const struct ratings *t, const double *weight);
/* Two raters; the items that both rated. */
struct coef agree_scott(const struct ratings *t, const double *weight);
/* Missing ratings allowed. */
struct coef agree_alpha(const struct ratings *t, const double *weight, enum agree_level level);
/* AC1 without weights, AC2 with; linear and quadratic weights by the values of numbers, else by place.  Missing allowed. */
struct coef agree_gwet(const struct ratings *t, const double *weight, enum agree_weight how);

#endif
