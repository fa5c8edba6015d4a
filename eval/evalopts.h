/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_EVALOPTS_H
#define SFT_EVALOPTS_H
/* Options of everything that scores predictions against references: sft eval METRIC... and sft eval compare. */
#include "compliance.h"
#include "metric.h"
#include "opt.h"
#include "rec.h"
#include "termset.h"

struct eval_opts {
	int tokenize, smooth, rouge_tokenizer;
	int64_t max_order, char_order, word_order, resamples;
	double smooth_value, beta;
	bool lowercase, effective_order, chrf_whitespace, chrf_eps, stemmer;
	struct ter_words ter;
	const char *rouge_types, *match, *categories;
	const char *reference, *prediction, *id, *class;     /* columns */
	const char *rules_file;
	struct opt_list dicts;
	bool no_reference;                           /* nothing looks at references: the column may be missing */
	bool ci, json, csv;
	struct rec_opts rec;

	struct metric_opts m;                        /* what follows from them: eval_opts_finish() */
	struct compliance_rules rules;
	struct unicode *unicode;                     /* of dictionaries; NULL without */
	struct termset *terms;
	struct arena arena;                          /* the category list */
};

void eval_opts_init(struct eval_opts *o);
void eval_opts_release(struct eval_opts *o);

enum { EVAL_OPTS = 40 };
/* Fill TABLE with the options over O. */
const struct opt *eval_opts_table(struct eval_opts *o, struct opt table[EVAL_OPTS]);

/* Check them and set o->m, all but the rule of --match.  SFT_USAGE, or SFT_BADDATA for the files of --categories, --rules and --dict. */
int eval_opts_finish(struct eval_opts *o, const struct tool *t, struct err *e);
/* The dictionaries FILES as one set, NULL where there are none; freed by the caller, before eval_opts_release(). */
int  eval_opts_terms(struct eval_opts *o, const struct opt_list *files, struct termset **out, struct err *e);
/* The rule of --match, or where none was given: exact on label TABLES, strip on predictions. */
int eval_opts_match(struct eval_opts *o, bool table, struct err *e);

/* Lines of FILE as texts in A; the last LF ends the last line.  SFT_SYSTEM, SFT_BADDATA where it is not UTF-8. */
int eval_lines(const char *file, struct arena *a, struct text **line, size_t *n, struct err *e);

#endif
