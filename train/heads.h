/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_HEADS_H
#define SFT_HEADS_H
/* LoRA limited to some heads of the attention.
 *
 * PEFT cannot say so, so an adapter keeps its matrices whole and what belongs to other heads stays 0: rows of B for q, k, v (latent attention: of q_b and of
 * kv_b), columns of A for o.  Heads are those of queries; the keys and values of a group of them are trained where any of the group is named, and other heads
 * of the group then see the change.  Matrices that have no heads carry no adapter. */
#include <stdbool.h>
#include "adapter.h"
#include "config.h"
#include "mem.h"

/* Does the matrix have heads. */
bool heads_has(enum param p);

/* Keeps L, laid out, to HEADS [c->heads], which becomes L's: lists the runs of the block that are of other heads in L->frozen. */
void heads_limit(struct lora *l, const struct model_config *c, bool *heads);

/* "0-3,7": for the metadata of an adapter's file; and back, SFT_BADDATA for what is no such list of heads below N. */
void heads_text(struct buf *b, const bool *heads, uint32_t n);
int  heads_read(bool *heads, uint32_t n, const char *text, struct err *e);

/* P, a block of host memory, is 0 in all runs of other heads. */
bool heads_zero(const struct lora *l, const float *p);

#endif
