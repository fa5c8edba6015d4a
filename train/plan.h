/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_PLAN_H
#define SFT_PLAN_H
/* What a run would take, from a model's configuration and the options of training: memory, arithmetic, time, disk.  Nothing is
 * loaded.  Memory comes from need.h, that is from the code that allocates; time is a model with stated assumptions. */
#include <stdbool.h>
#include <stdint.h>
#include "err.h"
#include "need.h"
#include "targets.h"

/* --- devices: plandevice.c --- */

struct device {
	const char *name; /* "a100" */
	double memory;    /* bytes of one */
	double bf16, f32; /* FLOP/s of dense products with f32 sums; f32: TF32 on GPUs */
	double bandwidth; /* bytes/s of its memory */
	double link;      /* bytes/s to a neighbour in the same machine, one way */
	bool gpu;
	double efficiency; /* share of the peak that products reach */
};
/* SFT_USAGE that names the nearest, and all, where NAME is none.  "cpu" measures this machine with THREADS threads. */
int device_find(struct device *d, const char *name, int threads, enum dtype act, struct err *e);
bool device_fast_bf16(const char *name, int threads); /* what --dtype auto takes */

/* --- the question --- */

enum plan_method { PLAN_LORA, PLAN_FULL, PLAN_PREFIX };

struct plan_opts {
	const char *model; /* folder, config.json or GGUF file */
	const char *base;  /* --base: type of the frozen matrices; NULL: the file's */
	int method;        /* enum plan_method */
	int64_t prefix_len, rank;
	double alpha, dropout;
	const char *targets;
	bool rslora, dora, checkpointing;
	int optim; /* enum optim_kind */
	int dtype; /* 0 auto, 1 f32, 2 bf16 */
	int64_t batch, accumulate, micro_tokens;
	int64_t length, longest; /* tokens of a row; of the longest, 0: all are alike */
	int64_t rows;            /* 0: unknown, and so are epochs */
	double trained, epochs;  /* share of tokens that the loss counts */
	int64_t steps;           /* 0: by epochs */
	const char *device;
	int64_t devices, split;   /* split 0: the fewest devices that hold the model */
	double efficiency, price; /* 0: the device's; per device and hour, 0: not asked */
	int threads;
};

/* --- the answer --- */

/* FLOPs of a token, a multiply-add being two. */
struct plan_flops {
	double active, trained; /* parameters that multiply a token; trained ones among them or beside them */
	double rule;            /* 4N + 6n + 6TDL (all weights: 6N + 6TDL) */
	double layers, again, back, weights, adapters, attention,
	    head;   /* what is computed: forward, recomputed, to the inputs, to weights... */
	double sum; /* of those */
};

struct plan_time {
	double products, weights, values, optimiser,
	    links;     /* seconds of a step: arithmetic, reading weights where that takes longer, moving activations... */
	double bubble; /* factor: stages that wait for each other, 1 and more */
	double step, epoch, run;         /* seconds; 0: unknown */
	double tokens_per_s, peak_share; /* of all devices; by the rule's FLOPs */
	double steps, steps_epoch;
};

struct plan_disk {
	double state;  /* a checkpoint, of which two stay */
	double result; /* best/, and as much again last/ */
	double total;
};

enum { PLAN_NOTES = 32 };

struct plan {
	const struct plan_opts *o;
	struct device device;
	struct weights *w;
	struct lora *lora; /* NULL: full */
	enum dtype act;
	uint64_t parameters, trained;
	struct need_of of;
	struct need need;          /* of one whole copy of the model */
	uint32_t split, copies;    /* devices that hold a copy together; copies */
	double passes;             /* of a step and copy */
	struct need share;         /* of the fullest device */
	double device_bytes, room; /* what that is, and what there is */
	const char *limit;         /* what bounds ROOM */
	bool fits, streams;        /* streams: fits, but weights are read from the disk again and again */
	struct plan_flops flops;
	struct plan_time time;
	struct plan_disk disk;
	char advice[PLAN_NOTES][160], assumed[PLAN_NOTES][240];
	unsigned nadvice, nassumed;
};

void plan_opts_init(struct plan_opts *o);
/* SFT_USAGE, SFT_BADDATA (the model).  On any return plan_free() frees. */
int plan_reckon(struct plan *p, const struct plan_opts *o, struct err *e);
void plan_free(struct plan *p);

/* planmem.c: what the fullest device holds when the model is split over SPLIT devices. */
void plan_share(const struct plan *p, const struct need_of *of, uint32_t split, struct need *out);
double plan_device_bytes(const struct plan *p, const struct need *n);
/* Whether it fits, and what would make it fit. */
void plan_judge(struct plan *p);
/* plantime.c */
void plan_count(struct plan *p);
void plan_clock(struct plan *p);
double plan_link(const struct plan *p);
/* Adds to what is assumed or advised. */
void plan_assume(struct plan *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* planshow.c: a table for people, one JSON object for programs (sft.plan/1).  Appended to OUT. */
void plan_table(const struct plan *p, bool verbose, struct buf *out);
void plan_json(const struct plan *p, struct buf *out);

#endif
