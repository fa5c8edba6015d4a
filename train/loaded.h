/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_LOADED_H
#define SFT_LOADED_H
/* A model made ready for use: threads, device, base weights, perhaps an adapter, and the options by which every tool that uses a model
 * names them. */
#include <stdint.h>
#include "adapter.h"
#include "err.h"
#include "kern.h"
#include "model.h"
#include "opt.h"
#include "weights.h"

struct loaded_opts {
	const char *model;          /* -m */
	const char *adapter;        /* -a: a PEFT folder, or NULL */
	const char *device;         /* --device */
	int dtype;                  /* --dtype: 0 what the machine is best at, 1 f32, 2 bf16 */
};

/* Fills TABLE with -m, --dtype, --device, and with ADAPTER also -a; MODEL is the default of -m ($SFT_MODEL, may be NULL). */
const struct opt *loaded_options(struct loaded_opts *o, const char *model, bool adapter, struct opt table[6]);

struct loaded {
	struct pool    *pool;
	struct kern    *k;
	struct weights *w;
	struct lora    *lora;       /* NULL: none */
	float          *values;     /* of lora (mem_free) */
	enum dtype      act;
	struct model   *m;
};

/* Device and base weights.  THREADS as pool_open() takes it. */
int  loaded_base(struct loaded *l, const struct loaded_opts *o, int threads, struct err *e);
/* The adapter in DIR, instead of one there may be. */
int  loaded_adapter(struct loaded *l, const char *dir, struct err *e);
/* The model over both.  O->act is filled in. */
int  loaded_model(struct loaded *l, const struct model_opts *o, struct err *e);
/* All three, for forward passes only. */
int  loaded_open(struct loaded *l, const struct loaded_opts *o, int threads, struct err *e);
void loaded_close(struct loaded *l);

#endif
