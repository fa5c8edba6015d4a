/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_AUGMENT_H
#define SFT_AUGMENT_H
/* Augmentation: changed copies of records, marked as such.
 *
 * A copy goes through the methods in the order of enum augment_kind.  What happens to it depends on the seed, the record's
 * own text and the copy's number alone: not on where the record stands, nor on the threads.  Within one copy a name or a
 * number is replaced by the same one wherever it stands. */
#include "addcols.h"
#include "chattexts.h"
#include "keycols.h"
#include "keyset.h"
#include "recpipe.h"
#include "rng.h"
#include "strmap.h"
#include "termset.h"

enum augment_kind {
	AUG_ENTITIES, AUG_NUMBERS, AUG_DIALECT, AUG_SYNONYMS, AUG_HOMOPHONES, AUG_KEYBOARD, AUG_PUNCTUATION, AUG_CASE, AUG_WIDTH, AUG_KINDS
};
extern const char *const augment_names[AUG_KINDS];

/* Entities of one class, one behind the other in struct augment. */
struct augment_class {
	uint32_t first, n;
};

struct augwork;

struct augment {
	bool use[AUG_KINDS];
	double rate;                   /* share of the places that are changed: words, names, numbers */
	double keyboard;               /* share of the letters */
	struct unicode *u;
	struct termset *dict[AUG_KINDS];   /* of entities, dialect, synonyms, homophones */
	uint32_t *entity;              /* terms, class by class */
	uint32_t *entity_at;           /* by term: its place in there; UINT32_MAX for what is only a variant */
	uint32_t *entity_class;        /* by term */
	struct augment_class *class;
	struct wordlist columns;
	const char *id;                /* column of ids, or NULL */
	int64_t copies;
	bool only_new;
	const char *only_column;       /* NULL, or: records with other values than these are left alone */
	struct wordlist only_values;
	const char *weak_column;       /* NULL, or: records whose value is not in weak are left alone */
	struct strmap weak;
	struct wordlist group;            /* held-out keys are of these columns */
	struct keyset held;
	bool missing_ok;
	uint64_t seed;
	struct addcols cols;           /* source, augmented */
	struct augwork *work;
	int nwork;
};

struct augwork {
	struct rng rng;                /* of this copy */
	uint64_t copy;                 /* seed of what must be the same all over a copy */
	struct termscan scan;
	struct buf a, b, done;
	struct keyer whole, group;
	const struct names *names;
	uint32_t *col;
	const char **role;             /* by column: of its messages; NULL: the user */
	size_t ncols;
	struct chattexts chat;
	struct addcols_last last;
	uint64_t seen, guarded, made, same;
	uint64_t used[AUG_KINDS];      /* copies that it changed */
};

void augment_init(struct augment *g);
void augment_release(struct augment *g);
/* Dictionary FILE of method K, one of those that have one. */
int  augment_dict(struct augment *g, enum augment_kind k, const char *file, struct err *e);
/* Records with the keys of FILE's records are never augmented. */
int  augment_hold_out(struct augment *g, const char *file, const struct rec_opts *o, const struct tool *t, struct err *e);
/* After all of these: room for N threads. */
int  augment_ready(struct augment *g, int n, struct err *e);
/* For struct recpipe; CTX is a struct augment. */
int  augment_record(void *ctx, int thread, struct rec *r, struct recpipe_out *to, struct err *e);
/* The sums of all threads, in work[0]. */
void augment_sum(struct augment *g);

/* The methods: S, changed or not, appended to OUT; true if it is another text.  W's random numbers must be set. */
typedef bool augment_method(const struct augment *g, enum augment_kind k, struct augwork *w, const char *s, size_t n, struct buf *out);
augment_method augment_entities, augment_numbers, augment_dialect, augment_forms;
augment_method augment_keyboard, augment_punctuation, augment_case, augment_width;
void augwork_seed(struct augwork *w, uint64_t seed, uint64_t record, uint64_t copy);

#endif
