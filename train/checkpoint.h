/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_CHECKPOINT_H
#define SFT_CHECKPOINT_H
/* The state of a run between two steps: all that the bits of the steps to come depend on.
 *
 * RUN/state/step-N.safetensors holds the trained values and the optimiser's state as f32 tensors, and the rest as JSON in the file's own
 * metadata: one file, synced and renamed, so that a process killed at any moment leaves the last whole one. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cursor.h"
#include "err.h"

struct checkpoint {
	uint64_t step;              /* steps done */
	struct cursor_place place;  /* rows that come next */
	bool     has_best;
	double   best;              /* the best validation loss, or value of the metric */
	uint64_t stale;             /* evaluations since then */
	size_t   nsource;           /* sources of validation data whose losses before training are kept; 0: none */
	double  *source;            /* [nsource] those losses, the caller's room */
	bool     finished;          /* nothing is left to do: all steps done, or stopped early */
	uint64_t log_length;        /* runlog_sync */
	double   seconds;           /* of training so far */
	const char *settings;       /* JSON object: what a run that goes on must have alike */
	size_t   n;                 /* trained values */
	float   *p;                 /* [n] host memory, as the two below */
	float   *state[2];          /* [nstate] what the optimiser keeps */
	size_t   nstate[2];         /* 0: nothing */
};

/* Write RUN/state/step-N.safetensors; then all but the newest two go.  C->p, state, settings are borrowed. */
int checkpoint_save(const char *run, const struct checkpoint *c, struct err *e);

/* The newest whole checkpoint of RUN into C, whose p and state are filled (room for C->n and C->nstate values; C->settings is the caller's,
 * to compare with).  *FOUND: is there one.  A checkpoint of another number of values, or of other settings: SFT_USAGE that names the first
 * that differs.  A file that is not whole is passed over. */
int checkpoint_load(const char *run, struct checkpoint *c, bool *found, struct err *e);

#endif
