/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TERMS_H
#define SFT_TERMS_H
/* What sft-terms does with records: rewrite variants to terms, mark wrong answers, count.
 *
 * A run has one struct terms, shared by the threads, and one struct termwork for each of them. */
#include "addcols.h"
#include "chattexts.h"
#include "keycols.h"
#include "nearterms.h"
#include "recpipe.h"
#include "termset.h"

struct termwork;

enum term_fault { FAULT_VARIANT, FAULT_CONFUSABLE, FAULT_NEAR, FAULT_CONTRADICTION, TERM_FAULTS };
extern const char *const term_fault_names[TERM_FAULTS];

struct terms {
	struct unicode *u;
	struct termset *set;
	struct nearterms *near;        /* check: NULL where neither kind is looked for */
	struct wordlist columns;          /* replace, count */
	bool missing_ok;               /* records may lack columns */
	const char *question, *answer; /* check; question may be NULL */
	struct addcols cols;           /* check: what is added */
	const char *contradict;        /* check: classes, by commas, whose terms exclude each other; NULL: all */
	uint32_t *class;               /* by term: number of such a class; 0: none */
	uint32_t nclasses;             /* with 0 */
	uint32_t *base;                /* by term: its first form (the term itself, then its variants) */
	uint32_t nforms;
	struct termwork *work;
	int nwork;
};

/* What the question of a record asks for in one class. */
struct asked {
	uint64_t record;               /* for which this stands */
	uint32_t term;                 /* the first that it names */
	bool answered;                 /* the answer has one of those that it names */
	size_t other;                  /* first hit of that class in the answer */
};

/* Counters of one thread; termwork 0 holds the sums after terms_sum(). */
struct termwork {
	struct termscan scan, question;
	struct nearscan near;
	const struct names *names;     /* for which col stands */
	uint32_t *col;
	const char **role;             /* by column: of its messages; NULL: all */
	size_t ncols;
	struct chattexts chat;
	struct addcols_last last;
	struct buf text;
	uint64_t *form;                /* found, by form */
	uint64_t *records;             /* by term: records that hold it */
	uint64_t *stamp;               /* by term: the last record that did (check: whose question did) */
	struct asked *asked;           /* by class */
	uint64_t seen;                 /* records */
	uint64_t marked;               /* that were changed, hold a term, or are at fault */
	uint64_t fault[TERM_FAULTS];
};

void terms_init(struct terms *t);
void terms_release(struct terms *t);
/* Reads the dictionaries. */
int  terms_read(struct terms *t, const struct opt_list *files, struct err *e);
/* After reading: room for N threads. */
void terms_ready(struct terms *t, int n);
void terms_sum(struct terms *t);

/* For struct recpipe; CTX is a struct terms. */
int terms_replace(void *ctx, int thread, struct rec *r, struct recpipe_out *to, struct err *e);
int terms_check(void *ctx, int thread, struct rec *r, struct recpipe_out *to, struct err *e);
int terms_count(void *ctx, int thread, struct rec *r, struct recpipe_out *to, struct err *e);

/* Found over all, of which variants. */
void terms_found(const struct terms *t, uint32_t term, uint64_t *all, uint64_t *variants);

/* The members of --stats behind terms_replace() and terms_check(). */
void terms_replace_json(const struct terms *t, struct jw *w);
void terms_check_json(const struct terms *t, struct jw *w);
/* What terms_count() counted: a table of the classes and of the TOP commonest terms, or one JSON object. */
void terms_table(const struct terms *t, uint64_t top, struct buf *out);
void terms_json(const struct terms *t, uint64_t top, struct buf *out);

#endif
