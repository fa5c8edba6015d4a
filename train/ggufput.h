/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_GGUFPUT_H
#define SFT_GGUFPUT_H
/* Tensors of a GGUF file that are not one matrix of ours as it is: for ggufexport.c and ggufmake.c. */
#include "tensors.h"
#include "weightout.h"

/* The matrices of all experts one below the other; FIRST: the first one's place. */
int gguf_put_experts(struct weightout *o, size_t first, const struct weight_form *form, struct outfile *f, struct err *e);
/* T, the KEYS' half of the kv_b at PLACE (see kvsplit.h) or the values', from the whole: in memory, with the half. */
int gguf_put_kv_half(struct weightout *o, size_t place, bool keys, const struct tensor *t, struct outfile *f, struct err *e);
/* llama.cpp's numbers of general.file_type. */
uint32_t gguf_file_type(enum dtype t);

#endif
