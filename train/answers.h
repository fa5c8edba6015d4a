/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ANSWERS_H
#define SFT_ANSWERS_H
/* What a model in training answers to its validation data: for the metric that decides when to stop, and for samples to look at.
 *
 * A row is a shard's sequence.  Its reference is its last run of trained tokens, its prompt all that stands before: what the model
 * is trained on is what it is asked.  Answers are the likeliest tokens (greedy), up to an end of turn, at most twice the tokens of the longest
 * reference of those that are answered together, and 16. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "data.h"
#include "err.h"
#include "model.h"

struct answers;

/* MODEL: the folder or GGUF file whose tokenizer the data has.  M and VAL are borrowed.  METRIC: a metric of `eval` that needs an answer and a
 * reference only, or one of its values (rougeL); NULL: none.  SFT_USAGE: no such metric, no tokenizer; SFT_BADDATA: no row of VAL has anything before its
 * last answer. */
int  answers_open(struct answers **a, const char *model, struct model *m, const struct data *val, const char *metric, struct err *e);
void answers_close(struct answers *a);      /* NULL is fine */

/* The metric over all rows, with the weights as they are. */
int  answers_score(struct answers *a, double *value, struct err *e);
bool answers_lower_is_better(const struct answers *a);

/* The first COUNT rows, one by one to SEE: texts are the callee's until it returns. */
typedef void answers_see(void *ctx, const char *prompt, const char *reference, const char *answer);
int  answers_show(struct answers *a, uint32_t count, answers_see *see, void *ctx, struct err *e);

#endif
