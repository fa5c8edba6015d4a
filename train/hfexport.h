/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_HFEXPORT_H
#define SFT_HFEXPORT_H
/* A model as a Hugging Face folder: config.json, weights as safetensors, and what else the folder it came from has (tokenizer, chat
 * template, generation settings).  What transformers loads, and weights_open(). */
#include <stdint.h>
#include "err.h"
#include "threads.h"
#include "weightout.h"
#include "weights.h"

struct hf_opts {
	enum dtype type;               /* DT_F32, DT_F16, DT_BF16; DT_NONE: each tensor keeps its own */
	uint64_t shard_bytes;          /* a file of weights has at most these, or one tensor; 0: 5e9, as transformers had it for long */
	struct pool *pool;             /* borrowed */
};

/* Write W with V (NULL: the values of the file) to DIR, made if missing.  Each file is there whole or not at all, synced; config.json
 * comes last, so that a folder made anew is no model before it is whole.  DIR being W's own folder: SFT_USAGE.
 * W from a GGUF file: quantised tensors become f32 where TYPE says nothing; config.json, tokenizer (if the file has one) and the tokens that end a turn are
 * written from its metadata, and what such a folder cannot say of them is SFT_BADDATA. */
int hf_export(const struct weights *w, const struct weight_values *v, const struct hf_opts *o, const char *dir, struct err *e);

#endif
