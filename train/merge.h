/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_MERGE_H
#define SFT_MERGE_H
/* A model with an adapter folded in, or as it is, written in another form. */
#include "dtype.h"
#include "err.h"
#include "tool.h"

/* MERGE_SAME: the form of the model.  MERGE_GGUF_LORA: the adapter alone. */
enum merge_to { MERGE_SAME = -1, MERGE_HF, MERGE_GGUF, MERGE_GGUF_LORA };

struct merge_opts {
	const char *model;             /* a Hugging Face folder or a GGUF file */
	const char *adapter;           /* PEFT folder; NULL: the model as it is */
	const char *out;               /* folder or file to write */
	int to;                        /* enum merge_to */
	enum dtype type;               /* DT_F32, DT_F16, DT_BF16, for a GGUF file DT_Q8_0; DT_NONE: see hfexport.h, ggufexport.h */
};

/* Memory: the adapter and a band of one matrix.  A prefix cannot be folded in: SFT_USAGE.  What the other form cannot say: SFT_BADDATA. */
int merge_run(const struct merge_opts *o, const struct tool *t, struct err *e);

#endif
