/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_LOGPROBS_H
#define SFT_LOGPROBS_H
/* Log-probabilities that a model has logged, in three shapes:
 *
 *   a token a record:     seq, token (its text; may be missing), logprob; the tokens of a sequence in a row
 *   a sequence a record:  logprobs, a list; text, or tokens, a list of texts (both may be missing)
 *   a sequence a line:    a JSON array of numbers, as `eval perplexity --token-logprobs` writes
 *
 * Natural logarithms.  null (or an empty field) is a token that does not count, such as the first of a sequence; "-inf" is a
 * probability of 0. */
#include "pplstats.h"
#include "rec.h"
#include "tool.h"

/* LINES: the third shape; else which of the others is seen by the columns.  SFT_BADDATA "FILE:LINE: ..." for what is no log-probability,
 * a sequence that comes back, nothing that counts. */
int logprobs_read(struct pplstats *p, const struct rec_opts *o, bool lines, const char *const *files, size_t n, struct tool *t, struct err *e);

#endif
