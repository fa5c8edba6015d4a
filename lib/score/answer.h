/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ANSWER_H
#define SFT_ANSWER_H
/* When is an answer right?  Both sides are reduced by a rule, then compared byte for byte.
 *
 *   exact        as they stand
 *   strip        without white space at both ends
 *   normalized   NFKC (so width does not count), lower case, without punctuation and symbols, without the English
 *                articles a, an, the, blanks joined: SQuAD's rule (Rajpurkar et al. 2016) for all scripts
 *   contains     right where the stripped reference stands in the answer
 *   regex:RE     the first group (else the whole) of the first match of RE in the answer; the reference likewise where
 *                RE matches it; an answer without a match is wrong */
#include <stdbool.h>
#include "err.h"
#include "pattern.h"
#include "unicode.h"
#include "words.h"

enum match_how { MATCH_EXACT, MATCH_STRIP, MATCH_NORMALIZED, MATCH_CONTAINS, MATCH_REGEX };

struct match_rule {
	enum match_how how;
	const char *name;               /* as it was given, for the signature */
	struct pattern *regex;
};

/* "strip", "regex:[0-9]+", ...; NAME is borrowed.  SFT_USAGE with the valid words, or what is wrong with the pattern. */
int  match_rule_parse(struct match_rule *r, const char *name, struct err *e);
void match_rule_free(struct match_rule *r);

struct answer {                         /* scratch, and the outcome of the last answer_judge() */
	struct text gold, pred;         /* the labels that were compared; borrowed until the next call */
	bool right;
	struct buf gold_buf, pred_buf, tmp;
	struct matcher *matcher;
	struct unicode *unicode;
};

/* Judge HYP against the references: right where one of them matches; gold is that one, else the first. */
int  answer_judge(struct answer *a, const struct match_rule *r, struct text hyp, const struct text *ref, size_t nref, struct err *e);
void answer_free(struct answer *a);

#endif
