/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_HFEXPORT_H
#define SFT_HFEXPORT_H
/* A model as a Hugging Face folder: config.json, weights as safetensors, and what else the folder it came from has (tokenizer, chat
 * template, generation settings).  What transformers loads, and weights_open(). */
#include <stdbool.h>
#include <stdint.h>
#include "err.h"
#include "threads.h"
#include "weights.h"

/* The values that differ from those of the file, asked for in bands of rows: no matrix is ever whole in memory. */
struct hf_values {
	const void *ctx;
	/* Does PLACE (as in place_at()) have values of its own; where not, the file's are taken, bit by bit if the type stays. */
	bool (*changed)(const void *ctx, size_t place);
	/* Rows FIRST..FIRST+N-1 of PLACE into OUT [N, cols].  Called by several threads at once. */
	void (*rows)(const void *ctx, size_t place, uint32_t first, uint32_t n, float *out);
};

struct hf_opts {
	enum dtype type;               /* DT_F32, DT_F16, DT_BF16; DT_NONE: each tensor keeps its own */
	uint64_t shard_bytes;          /* a file of weights has at most these, or one tensor; 0: 5e9, as transformers had it for long */
	struct pool *pool;             /* borrowed */
};

/* Write W with V (NULL: the values of the file) to DIR, made if missing.  Each file is there whole or not at all, synced; config.json
 * comes last, so that a folder made anew is no model before it is whole.  Values are rounded once, to nearest even; one that the type
 * cannot hold (f16 ends at 65504) is SFT_BADDATA and names the tensor.  W from a GGUF file, or DIR being W's own folder: SFT_USAGE. */
int hf_export(const struct weights *w, const struct hf_values *v, const struct hf_opts *o, const char *dir, struct err *e);

#endif
