/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ERRORSOUT_H
#define SFT_ERRORSOUT_H
/* A ranked table of failures as JSON ("schema":"sft.errors/1", what mix --weak reads), as CSV, as text for people. */
#include "errortable.h"

struct errors_view {
	const char *failure;            /* what a failure is: "accuracy, match:strip" */
	size_t top;                     /* slices that the text shows */
};

/* The name of a slice: where it is by the column "slice", or there is one dimension only, the value as it is, so that mix finds it
 * in that column; else DIMENSION=VALUE; of a pattern the pattern. */
void errors_name(const struct error_table *t, const struct error_slice *x, struct buf *to);
void errors_json(const struct error_table *t, const struct errors_view *v, struct buf *out);
void errors_csv(const struct error_table *t, struct buf *out);
void errors_text(const struct error_table *t, const struct errors_view *v, struct buf *out);

#endif
