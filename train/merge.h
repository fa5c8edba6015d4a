/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_MERGE_H
#define SFT_MERGE_H
/* A model with an adapter folded in, or as it is, written in another form. */
#include "dtype.h"
#include "err.h"
#include "tool.h"

struct merge_opts {
	const char *model;             /* a Hugging Face folder */
	const char *adapter;           /* PEFT folder; NULL: the model as it is */
	const char *out;               /* folder to write */
	enum dtype type;               /* DT_F32, DT_F16, DT_BF16; DT_NONE: each tensor keeps its own */
};

/* Memory: the adapter and a band of one matrix.  A prefix cannot be folded in: SFT_USAGE. */
int merge_run(const struct merge_opts *o, const struct tool *t, struct err *e);

#endif
