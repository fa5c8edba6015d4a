/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RUNSTATE_H
#define SFT_RUNSTATE_H
/* What a pipeline has done: DIR/state.json, written anew after each step, whole or not at all.
 *
 * A step is done as long as its command line, the content of what it reads and the content of what it made are those recorded.
 * Contents are hashed (XXH3, 64 bits); the hash of a file is kept with its size and time of change and not computed again while
 * these are the same.  That of a folder is of the names and contents of its files. */
#include <stdbool.h>
#include <stdint.h>
#include "err.h"
#include "runplan.h"
#include "strmap.h"

struct run_state {
	const char *path;
	struct arena *a;
	struct strmap steps;           /* name -> struct done * */
	struct strmap files;           /* path -> struct file_hash * */
};

/* PATH need not be there.  One that is no state (SFT_BADDATA) is not overwritten. */
int  state_read(struct run_state *s, struct arena *a, const char *path, struct err *e);
int  state_write(struct run_state *s, struct err *e);
void state_release(struct run_state *s);

/* What STEP stands for now.  SFT_SYSTEM where something that it reads is not there. */
int  state_key(struct run_state *s, const struct run_step *step, uint64_t *key, struct err *e);
/* Was it done with KEY, and is what it made still that? */
bool state_done(struct run_state *s, const struct run_step *step, uint64_t key);
/* Did a run with KEY begin and not end?  Has any begun? */
bool state_begun(const struct run_state *s, const struct run_step *step, uint64_t key);
bool state_known(const struct run_state *s, const struct run_step *step);
/* Recorded: begins, is done (SFT_SYSTEM where what it should have made is not there). */
int  state_begin(struct run_state *s, const struct run_step *step, uint64_t key, struct err *e);
int  state_finish(struct run_state *s, const struct run_step *step, uint64_t key, struct err *e);

#endif
