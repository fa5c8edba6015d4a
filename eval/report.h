/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_REPORT_H
#define SFT_REPORT_H
/* sft report: figures, runs and predictions on one page.
 *
 * Inputs are read once, in order, and each is what its content says: a JSON object by its "schema", a log or predictions by their
 * columns, a folder as a run.  Then every section draws what there is for it.  Memory holds the metric objects, thinned curves,
 * the id of each item where predictions are shown, and the examples. */
#include "evalopts.h"
#include "json.h"
#include "reportpage.h"
#include "runjoin.h"
#include "tool.h"

struct report_opts {
	struct eval_opts eval; /* columns, rule of a right answer, intervals, reading; -o */
	const char *title, *by, *input, *model;
	const char *log; /* where the joined log of stages goes; NULL: nowhere */
	struct opt_list metrics, names;
	int64_t examples;
	int diff; /* 0 words, 1 characters */
	bool date, stages; /* stages: runs are stages of one, in their order */
};

enum input_kind {
	INPUT_METRICS,
	INPUT_COMPARE,
	INPUT_ERRORS,
	INPUT_VOTES,
	INPUT_ROUNDS,
	INPUT_STATS,
	INPUT_SHARD,
	INPUT_DESCRIBE,
	INPUT_TUNE,
	INPUT_RUN,
	INPUT_PREDICTIONS,
	INPUT_CHANGES
};

struct report_input {
	enum input_kind kind;
	const char *path, *name;      /* as it was given; as it is shown */
	const struct json *doc;       /* the object; of a run its config.json, or NULL */
	struct run_log *log;          /* of a run */
	const struct json *changes;   /* of a run: what it changed; NULL: not known, and WHY (NULL: it left no model yet) */
	const char *why;
	bool references, scores, ids; /* predictions: their first record has these */
};

struct report {
	struct report_opts *o;
	struct tool *t;
	struct report_input *in;
	size_t n, cap;
	struct arena arena;
	struct json_parser *parser;
	struct page page;
	struct run_join join; /* with stages: the runs so far */
	const char *folder;   /* the run whose log is being read; NULL: a log alone is */
};

/* Read FILES, write the page to o->eval.rec.output.  SFT_BADDATA for what cannot be told or read. */
int report_run(struct report_opts *o, struct tool *t, const char *const *files, size_t n);

/* One more input (reportin.c). */
int report_take(struct report *r, const char *path, struct err *e);
/* What the model or adapter in PATH changed, as a document (repchanges.c). */
int report_changes_of(struct report *r, const char *path, const struct json **doc, struct err *e);
/* Score the predictions, where no metrics or comparison are given for them (reportscore.c): adds inputs. */
int report_score(struct report *r, struct err *e);

/* The N-th input of a kind, from 0; NULL beyond the last. */
const struct report_input *report_nth(const struct report *r, enum input_kind kind, size_t n);
size_t report_count(const struct report *r, enum input_kind kind);

/* --- sections: nothing where there is nothing to show --- */
void report_metrics(struct report *r);
void report_slices(struct report *r);
void report_calibration(struct report *r);
void report_confusion(struct report *r);
void report_compare(struct report *r);
void report_errors(struct report *r);
void report_agreement(struct report *r);
void report_rounds(struct report *r);
void report_votes(struct report *r);
void report_runs(struct report *r);
void report_changes(struct report *r);
int report_examples(struct report *r, struct err *e);
void report_describe(struct report *r);
void report_tune(struct report *r);
void report_data(struct report *r);

#endif
