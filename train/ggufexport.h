/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_GGUFEXPORT_H
#define SFT_GGUFEXPORT_H
/* A model, or an adapter alone, as a GGUF file: what llama.cpp and its kin load. */
#include "adapter.h"
#include "err.h"
#include "threads.h"
#include "tok.h"
#include "weightout.h"
#include "weights.h"

/* Write W, which came from a GGUF file, with V (NULL: the values of the file) to PATH, whole or not at all, synced.  All metadata are taken over
 * byte for byte (but general.file_type, which says TYPE), and so are the tensors that neither change nor get another type.
 * TYPE: DT_F32, DT_F16, DT_BF16, DT_Q8_0 for every matrix (in Q8_0, F16 where a row is no multiple of 32); vectors keep theirs.  DT_NONE: each
 * tensor keeps its own, but one that changes and had a smaller quantised type becomes Q8_0.
 * PATH being W's own file: SFT_USAGE. */
int gguf_export(const struct weights *w, const struct weight_values *v, enum dtype type, struct pool *pool, const char *path, struct err *e);

/* Write W, which came from a folder, with V (NULL: the values of the folder) and the vocabulary of T (NULL: none) to PATH, whole or not at all, synced, in
 * the layout of today's llama.cpp: q and k of architecture `llama` with rotated pairs side by side, the experts of a layer in one tensor, kv_b of latent
 * attention in two, norms, biases and routers in f32.  TYPE as above for the other tensors; DT_NONE: as the folder has them, FP8 as bf16.
 * SFT_BADDATA: what a GGUF file cannot say of the model or of the tokenizer. */
int gguf_make(const struct weights *w, const struct weight_values *v, const struct tok *t, enum dtype type, struct pool *pool, const char *path, struct err *e);

/* Write the LoRA adapter L with values P of a model W (of either kind) to PATH for llama.cpp's --lora: DT_F32, DT_F16 or DT_BF16.  DoRA,
 * a prefix, and adapters of DeepSeek models, whose attention llama.cpp computes without looking for one: SFT_USAGE. */
int gguf_lora_export(const struct weights *w, const struct lora *l, const float *p, enum dtype type, const char *path, struct err *e);

#endif
