/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RULEFILE_H
#define SFT_RULEFILE_H
/* The rule file of the metric "compliance": records (CSV, TSV, JSONL...), one rule each, with the columns
 *
 *   rule      required or forbidden
 *   pattern   PCRE2; (?i) in front for any case
 *   class     of the answers it holds for; empty, null or no such column: of all
 *   name      in reports; empty: the pattern */
#include "compliance.h"
#include "tool.h"

/* SFT_BADDATA with FILE:LINE for a rule that is none, and for a file without rules. */
int rulefile_read(struct compliance_rules *r, const char *path, const struct tool *t, struct err *e);

#endif
