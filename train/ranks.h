/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RANKS_H
#define SFT_RANKS_H
/* The processes ("ranks") of a data-parallel run.  Each holds the whole model and the whole data and computes a share of every step.
 *
 * NULL stands for a run of one process, and every function here takes it: nothing is exchanged then.  With several, all of them call the
 * functions below in the same order.  MPI, which starts them and carries what they exchange, is loaded only when it is asked for: it
 * lives in sft-mpi.so beside the programs (rankdoor.h), and nothing else is linked with it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"

struct ranks;

/* The processes that were started together with this one.  SFT_SYSTEM where sft-mpi.so is missing or does not load. */
int  ranks_open(struct ranks **r, struct err *e);
/* The end, with the exit status RC of this process: one that fails where the others do not know of it ends them too. */
void ranks_close(struct ranks *r, int rc);

unsigned ranks_rank(const struct ranks *r);      /* 0 .. ranks_size() - 1 */
unsigned ranks_size(const struct ranks *r);

/* What rank I of TOTAL pieces of work has: *FIRST .. *END - 1. */
void ranks_share(const struct ranks *r, unsigned i, uint64_t total, uint64_t *first, uint64_t *end);

/* Is FLAG set on any rank: the same answer on all. */
bool ranks_any(struct ranks *r, bool flag);

/* 0 where RC is 0 on all ranks.  Else the status of the first that failed, on all ranks, and only that one keeps its message ("rank 1: ..." but for
 * rank 0): a run prints one line. */
int  ranks_agree(struct ranks *r, int rc, struct err *e);

/* SFT_USAGE, as ranks_agree() has it, unless PRINT (a hash of what must be alike) is that of rank 0 on all of them. */
int  ranks_alike(struct ranks *r, uint64_t print, struct err *e);

/* ALL: TOTAL things of SIZE bytes.  Each rank brings its share of them, as ranks_share() has it; afterwards all have all.  Below 2 GiB. */
void ranks_gather(struct ranks *r, void *all, uint64_t total, size_t size);

/* SEND: NSEND[i] values for each rank i, in their order; RECV: NRECV[i] values from each.  Below 2^29 values in all. */
void ranks_swap(struct ranks *r, const float *send, const size_t *nsend, float *recv, const size_t *nrecv);

#endif
