/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_OPT_H
#define SFT_OPT_H
/* Command-line options as data: parsing, `-h`, the recipe file and the test against the man
 * page all read the same tables.
 *
 * A tool has several tables (its own, those of records, those common to all).  `--name value`,
 * `--name=value`, `-o value`, `-ovalue` and bundled flags (`-qv`) are understood; `--` ends the
 * options; flags have a `--no-name` form.  A mistyped name gets the nearest valid one in the message. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "err.h"

enum opt_kind {
	OPT_K_END, OPT_K_FLAG, OPT_K_STR, OPT_K_INT, OPT_K_REAL, OPT_K_SIZE, OPT_K_CHOICE, OPT_K_LIST, OPT_K_CALL, OPT_K_HEAD
};

/* Strings collected from a repeatable option.  Borrowed from argv or the recipe. */
struct opt_list {
	const char **v;
	size_t n, cap;
};

struct opt {
	enum opt_kind kind;
	char          letter;     /* 0: none */
	const char   *name;       /* long name, without dashes */
	void         *to;         /* where the value goes (bool, const char *, int64_t, double, uint64_t, int, opt_list) */
	const char   *arg;        /* what the value is called in the usage; for CHOICE "a|b|c" */
	const char   *help;       /* one line; the default in brackets at its end */
	double        min, max;   /* range of numbers, inclusive */
	int         (*call)(void *to, const char *value, struct err *e);  /* OPT_CALL: in the order of the command line */
};

#define OPT_HEAD(text)                      { .kind = OPT_K_HEAD, .help = (text) }
#define OPT_FLAG(l, n, to, help)            { OPT_K_FLAG, l, n, to, NULL, help, 0, 0, NULL }      /* bool */
#define OPT_STR(l, n, to, arg, help)        { OPT_K_STR, l, n, to, arg, help, 0, 0, NULL }        /* const char * */
#define OPT_INT(l, n, to, arg, help, lo, hi)  { OPT_K_INT, l, n, to, arg, help, lo, hi, NULL }    /* int64_t */
#define OPT_REAL(l, n, to, arg, help, lo, hi) { OPT_K_REAL, l, n, to, arg, help, lo, hi, NULL }   /* double */
#define OPT_SIZE(l, n, to, arg, help)       { OPT_K_SIZE, l, n, to, arg, help, 0, 0, NULL }       /* uint64_t bytes; K M G T are powers of 1024 */
#define OPT_CHOICE(l, n, to, words, help)   { OPT_K_CHOICE, l, n, to, words, help, 0, 0, NULL }   /* int: place in "a|b|c" */
#define OPT_LIST(l, n, to, arg, help)       { OPT_K_LIST, l, n, to, arg, help, 0, 0, NULL }       /* struct opt_list, repeatable */
#define OPT_CALL(l, n, to, arg, help, fn)   { OPT_K_CALL, l, n, to, arg, help, 0, 0, fn }         /* arg NULL: no value */
#define OPT_END                             { .kind = OPT_K_END }

/* Parse ARGV[1..] against TABLES (NULL-terminated list of tables).  Operands are moved, in order, to the
 * front of argv (argv[0..*noperands-1] afterwards).  SFT_USAGE with a message on any fault. */
int opt_parse(int argc, char **argv, const struct opt *const *tables, int *noperands, struct err *e);

/* Call FN for each option given on the command line, in order, without setting anything; VALUE is NULL for those that take
 * none, NEGATED for --no-NAME.  Faults as in opt_parse; a status of FN that is not 0 ends the walk and is returned. */
typedef int opt_given(void *ctx, const struct opt *o, const char *value, bool negated, struct err *e);
int opt_each(int argc, char **argv, const struct opt *const *tables, opt_given *fn, void *ctx, struct err *e);

/* The option of that long name, or NULL. */
const struct opt *opt_find(const struct opt *const *tables, const char *name);

/* Set one option by its long name, as a recipe file does; VALUE NULL or "true"/"false" for flags. */
int opt_set(const struct opt *const *tables, const char *name, const char *value, struct err *e);

/* The one-screen usage of `-h`. */
void opt_usage(FILE *f, const char *synopsis, const char *about, const struct opt *const *tables);

/* A whole number or real, nothing after it, in a range: as above, for values inside other texts. */
int opt_number(const char *text, double min, double max, double *out, struct err *e);
/* A number, or one that moves: "0.5" or "0.5-0.1". */
int opt_span(const char *text, double min, double max, double *from, double *to, struct err *e);

/* The word of WORDS[0..n-1] nearest to NAME by edit distance, or NULL if none is near. */
const char *opt_nearest(const char *name, const char *const *words, size_t n);

#endif
