/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RUNJOIN_H
#define SFT_RUNJOIN_H
/* The logs of stages of training, in order, as one: steps and seconds are counted through, and each line says its stage.  What comes of it
 * is a log itself, which runread.h reads. */
#include "outfile.h"
#include "runread.h"

struct run_join {
	struct run_log log;        /* of all so far */
	struct run_base base;      /* what the stage at hand is added to */
	struct outfile *out;       /* its lines; NULL: not wanted */
	struct buf line;
};

/* PATH: where the lines go; NULL: nowhere. */
int run_join_open(struct run_join *j, const char *path, struct err *e);
/* The stage NAME (borrowed until the next) begins. */
void run_join_stage(struct run_join *j, const char *name);
int run_join_add(struct run_join *j, const struct rec *r, struct err *e);
/* The lines are renamed into place. */
int run_join_close(struct run_join *j, struct err *e);
void run_join_abandon(struct run_join *j);

#endif
