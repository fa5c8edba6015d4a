/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RUNEXEC_H
#define SFT_RUNEXEC_H
/* The steps of a plan as processes, one after the other. */
#include <stdint.h>
#include "runplan.h"
#include "tool.h"

struct run_counts {
	uint64_t ran, unchanged;
};

/* Prints each command to standard output and runs it, unless nothing that it depends on has changed.  Stops at the first that
 * fails: its exit status, with the step's name in E.  A training run that was cut off goes on from its checkpoint. */
int plan_run(struct run_plan *p, const struct tool *t, struct run_counts *counts, struct err *e);

#endif
