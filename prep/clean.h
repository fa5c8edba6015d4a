/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_CLEAN_H
#define SFT_CLEAN_H
/* Cleaning: a chain of steps that every record goes through, in the order in which the steps were given.
 *
 * What a step can do is a table (cleantext.c, cleanfilter.c, cleanquality.c, cleanlang.c, cleanpii.c, cleanshape.c); what a step means for a set of column names is
 * worked out once per set (a plan).  Applying needs no lock and no allocation but from the arena of the batch. */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "chattexts.h"
#include "keycols.h"
#include "lang.h"
#include "err.h"
#include "gramtable.h"
#include "hans.h"
#include "mem.h"
#include "opt.h"
#include "pattern.h"
#include "pii.h"
#include "rec.h"
#include "termset.h"
#include "textwords.h"
#include "unicode.h"

enum verdict { CLEAN_SAME, CLEAN_CHANGED, CLEAN_DROP, CLEAN_BAD };

struct clean;
struct step;

/* What one thread works with. */
struct work {
	struct arena *arena;                  /* of the batch: new texts live here */
	struct matcher *matcher;
	struct buf scratch;
	struct pii pii;
	struct textwords words;
	struct gramtable grams;
	struct termscan scan;
	struct chattexts chat;
	struct langwork lang;
	uint64_t language[LANG_MAX];          /* records that --lang looked at, by language */
	const char *why;                      /* reason of CLEAN_DROP: constant */
	struct err e;                         /* of CLEAN_BAD */
	const struct plan *plan;              /* the one used last */
};

/* A step for one set of names. */
struct bound {
	const uint32_t *col;                  /* columns it looks at; NO_COLUMN: a key that this JSON record lacks */
	const char **role;                    /* of the messages in each of them; NULL: all */
	size_t n;
	const struct names *after;            /* names of the record behind this step */
};

/* What a step does with a text F, which it may point elsewhere; anything but CLEAN_SAME and CLEAN_CHANGED ends the record.  TO: of the
 * caller. */
typedef enum verdict visit_text(const struct step *s, struct work *w, struct field *f, void *to);

/* Where a step gets its columns from: the text before its ':', its whole value, or --columns. */
enum step_columns { COLUMNS_VALUE, COLUMNS_COLON, COLUMNS_DEFAULT, COLUMNS_NONE };

struct step_kind {
	const char *name;                     /* of the option */
	const char *arg;                      /* NULL: takes no value */
	const char *help;
	enum step_columns columns;
	/* Reads VALUE (what is behind the colon for COLUMNS_COLON); may be NULL. */
	int (*parse)(struct clean *c, struct step *s, const char *value, struct err *e);
	/* One of these.  One text to another, into UNICODE_LOWER_ROOM(n) bytes; one text to another, in the arena; a record. */
	size_t (*map)(const struct step *s, const char *text, size_t n, char *out);
	visit_text *change;
	enum verdict (*apply)(const struct step *s, const struct bound *b, struct work *w, struct rec *r);
	/* Works out b->after where the step changes the names; may be NULL.  Called under the lock. */
	int (*bind)(struct clean *c, const struct step *s, const struct names *in, struct bound *b, struct err *e);
	bool missing_ok;                      /* a JSON key that is not there is null to it */
	bool whole;                           /* its columns are columns: it knows of no roles */
	int choice;                           /* which of the kinds that share a function */
};

struct step {
	const struct step_kind *kind;
	const struct clean *clean;
	const char *value;                    /* as given, or NULL */
	struct wordlist columns;                 /* names of the columns it looks at; none: all */
	const char *why;                      /* reason of a step that drops by record */
	struct pattern *pattern;
	struct replacement *replacement;
	int64_t number;
	double share;
	struct termset *terms;
	bool *languages;                      /* lang: by number, those that stay */
	const char **reason;                  /* lang: by number, for those that do not */
	int choice;
	struct wordlist renamed;                 /* rename: the new names of columns */
	bool *seen;                           /* by column: some record had it */
};

struct step_option {                          /* what an option's callback is given */
	struct clean *clean;
	const struct step_kind *kind;
};

struct plan {
	const struct names *in, *out;
	struct bound *step;
	struct plan *next;
};

enum { CLEAN_MAX_STEPS = 256, CLEAN_MAX_OPTIONS = 40 };

struct clean {
	struct step step[CLEAN_MAX_STEPS];
	size_t n;
	const char *columns;                  /* --columns, for the steps that follow */
	const char *null_values;
	struct wordlist nulls;
	size_t longest_null;                  /* bytes of the longest of them */
	bool masks;                           /* --mask-pii: rejects are masked too, whole */
	bool missing_ok;                      /* --union: records may lack columns */
	struct unicode *unicode;
	struct hans *hans;                    /* --to-simplified */
	struct lang *lang;                    /* --lang */
	struct arena arena;                   /* lives as long as this */
	pthread_mutex_t lock;                 /* of plan and arena, once records are read */
	struct plan *plan;
	struct step_option option[CLEAN_MAX_OPTIONS];
};

void clean_init(struct clean *c);
void clean_release(struct clean *c);

/* Fills TABLE (room for CLEAN_MAX_OPTIONS) with the options that add steps to C. */
const struct opt *clean_options(struct clean *c, struct opt *table);
/* Add a step by its option's name, as the command line does. */
int clean_add(struct clean *c, const char *name, const char *value, struct err *e);
/* After the options, before the first record. */
int clean_ready(struct clean *c, struct err *e);

/* The plan for records with NAMES; JSON says whether the records come from JSON, where keys may be missing.  Thread-safe. */
int clean_plan(struct clean *c, const struct names *names, bool json, const struct plan **out, struct err *e);

struct tally {
	uint64_t changed, dropped;
};
/* All steps on R.  TALLY has one entry per step.  CLEAN_DROP: w->why; CLEAN_BAD: w->e. */
enum verdict clean_apply(const struct clean *c, const struct plan *p, struct work *w, struct rec *r, struct tally *tally);

/* Visits the texts of the columns: those that are text, and the messages' contents of those that are lists of messages (see chattexts.h);
 * OTHER: other JSON values too, as they are written.  Messages that were changed are written anew. */
enum verdict each_text(const struct step *s, const struct bound *b, struct work *w, struct rec *r, bool other, visit_text *visit, void *to);

/* After the last record: SFT_BADDATA where a step named a column that no record had. */
int clean_check_seen(const struct clean *c, const struct names *last, struct err *e);

void work_init(struct work *w);
void work_release(struct work *w);

/* Names with the text of LIST[0..n-1], kept in C; equal names are one pointer.  SFT_USAGE where two are the same. */
int clean_names(struct clean *c, const char *const *list, size_t n, const struct names **out, struct err *e);

/* "WHAT VALUE" in C's arena: the reason of a step that drops. */
const char *clean_reason(struct clean *c, const char *what, const char *value);

/* --- the tables, each ended by a kind without a name --- */
extern const struct step_kind clean_text_kinds[], clean_filter_kinds[], clean_shape_kinds[], clean_pii_kinds[], clean_quality_kinds[], clean_lang_kinds[];

/* --- the whole tool --- */
struct clean_totals {
	struct tally step[CLEAN_MAX_STEPS];
	uint64_t pii[PII_KINDS];
	uint64_t language[LANG_MAX];
};
/* Reads, maps on T->threads threads and writes in order; the same bytes for every number of threads.  Memory: a batch for
 * each thread and one more, a batch being at most CLEAN_BATCH records. */
enum { CLEAN_BATCH = 2048 };
int clean_run(struct clean *c, struct recin *in, struct recout *out, const struct rec_opts *o, const struct tool *t,
              struct clean_totals *totals, struct err *e);

#endif
