/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_COMPLIANCE_H
#define SFT_COMPLIANCE_H
/* Rules that answers must keep: patterns that have to be found in an answer, and patterns that must not be.
 *
 * A rule holds for the answers of one class, or of all.  An answer complies where it has a match of every required pattern of
 * its class and of none that is forbidden. */
#include <stdbool.h>
#include <stdint.h>
#include "err.h"
#include "pattern.h"
#include "words.h"

struct compliance_rule {
	struct text class;              /* of the answers it holds for; empty: of all */
	struct text name;               /* in reports; the pattern where it has none */
	bool forbidden;
	struct pattern *pattern;
};

struct compliance_rules {               /* `struct compliance_rules r = {0}` is empty */
	struct compliance_rule *rule;
	size_t n, cap;
	uint64_t hash;                  /* of all rules, for signatures */
	struct arena arena;
};

/* Add a rule: WHAT is "required" or "forbidden"; NAME may be empty.  The texts are copied.  SFT_BADDATA for another word, a pattern
 * that is malformed or empty. */
int  compliance_add(struct compliance_rules *r, struct text class, struct text what, struct text pattern, struct text name, struct err *e);
void compliance_free(struct compliance_rules *r);

/* What the metric "compliance" found, for reports. */
struct compliance_class {
	struct text name;
	uint64_t n, compliant;
};
struct metric;
/* Classes in the order in which they came; *N of them, borrowed.  NULL for another metric. */
const struct compliance_class *compliance_classes(const struct metric *m, size_t *n);
/* Answers that rule K held for, and those among them that broke it. */
void compliance_tally(const struct metric *m, size_t k, uint64_t *n, uint64_t *broken);

#endif
