/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TRAIN_H
#define SFT_TRAIN_H
/* A run: a model, data and settings in; RUN/ out, with its log, its checkpoints, and best/ and last/: adapters, or models where all is trained. */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include "err.h"
#include "loaded.h"
#include "ranks.h"
#include "recshard.h"
#include "tool.h"

enum train_method { TRAIN_LORA, TRAIN_FULL, TRAIN_PREFIX };

struct train_opts {
	struct loaded_opts use;             /* use.adapter: go on from this one */
	struct opt_list data, val;          /* FILE[:WEIGHT[-WEIGHT]], at least one; validation, may be none */
	struct recshard_opts records;       /* how chat records among them are tokenised (model is use.model) */
	const char *out;                    /* RUN */
	int     order;                      /* enum cursor_order */
	int     method;                     /* enum train_method */
	int64_t prefix_len;                 /* virtual tokens; 0: 16 */
	int64_t rank;                       /* of a new adapter; 0: 8.  With use.adapter it must be 0, and so must alpha, targets, rslora, dora */
	double  alpha, dropout;             /* alpha 0: 16 */
	const char *targets;                /* NULL: "all"; targets_parse() has the language */
	bool    rslora, dora;
	double  epochs;                     /* 0: 3, where steps is 0 */
	int64_t steps;
	int64_t until;                      /* a pause: the run stops after this step, as if asked to; 0: none */
	int64_t batch, accumulate, micro_tokens;
	double  lr;                         /* below 0: 2e-4 for LoRA, 1e-2 for a prefix, 2e-5 for all weights */
	int     schedule;                   /* enum schedule_kind */
	int     optim;                      /* enum optim_kind */
	double  loraplus;                   /* rate of the Bs over that of the As; 0: 1 */
	double  warmup, decay, clip, smoothing, neftune, term_weight;
	bool    checkpointing, resume;
	bool    apart;                      /* common beginnings are computed anew for each row */
	int64_t eval_every, patience, save_every;   /* eval_every, save_every 0: chosen */
	double  max_forgetting;             /* share by which a validation file's loss may rise above what it was before training; 0: any */
	const char *metric;                 /* what best/ and patience go by; NULL: the validation loss */
	int64_t sample_every;               /* 0: never */
	bool    profile;                    /* say at the end what the operations took */
	struct ranks *ranks;                /* NULL: this process alone */
};

void train_opts_init(struct train_opts *o);

/* *STOP, set by a signal handler, makes the run finish its step, write a checkpoint and return with *STOPPED; the rest is then for
 * --resume.  Messages go to T.
 *
 * With several ranks all of them call this with the same options; the first alone writes to RUN and reports, and a signal to any stops all.  `accumulate`
 * counts the micro-steps of each. */
int train_run(const struct train_opts *o, const struct tool *t, const volatile sig_atomic_t *stop, bool *stopped, struct err *e);

#endif
