/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_NEED_H
#define SFT_NEED_H
/* What a training run takes of memory, before anything is allocated: for sft-plan's table and for sft-train, which refuses a run
 * that cannot fit.  All figures are bytes and come from the code that allocates. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "adapter.h"
#include "model.h"
#include "optim.h"
#include "weights.h"

struct need_of {
	const struct weights *w; /* may be hollow */
	const struct lora *lora; /* NULL: all weights are trained */
	struct model_opts model;
	enum optim_kind optim;
	struct pass_size pass;
	uint32_t sequences; /* of the pass */
	unsigned parts;     /* blocks like the gradient that wait for their neighbours (gradsum_parts()) */
	int threads;
};

struct need {
	struct weights_size base; /* mapped: pages of the file, which the system can take back and read again */
	size_t optimiser;         /* its state */
	size_t sums;              /* gradients of micro-steps that wait to be added up */
	struct model_size model;  /* trained values, gradients, tables, activations */
	size_t room;              /* working memory of the operations */
	bool apart;               /* the device has memory of its own */
	size_t program;           /* code, libraries, buffers of batches, what reading the tokenizer leaves behind */
};

/* The largest pass when rows of at most ROW tokens, sequences of at most SEQUENCE, come BATCH together in passes of at most MICRO
 * tokens. */
uint32_t need_tokens(uint64_t batch, uint32_t row, uint32_t sequence, uint64_t micro);
/* The same where all rows are single sequences of ROW tokens: as many whole ones as fit. */
uint32_t need_rows(uint64_t batch, uint32_t row, uint64_t micro);

void need_measure(struct need *n, const struct need_of *of);
size_t need_own(const struct need *n);   /* of the machine, all but the mapped weights: what must be there */
size_t need_device(const struct need *n);/* of a device with memory of its own, weights and all; else 0 */
size_t need_total(const struct need *n); /* need_own() with the mapped weights: the peak of the resident set where memory is plenty */

/* What would fit into ROOM bytes of own memory (a device's, where it has its own): words such as "--checkpointing (1.2 GB)", or that nothing here does.  OF is what
 * did not; ROW: the longest sequence, below which passes cannot be split. */
void need_advice(const struct need_of *of, size_t room, uint32_t row, char *out, size_t n);

#endif
