/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RANKDOOR_H
#define SFT_RANKDOOR_H
/* What a message-passing library gives to ranks.c: the table that sft-mpi.so (mpidoor.c) has under the name RANK_DOOR.  Nothing else includes this.
 *
 * Sizes are in bytes, one for each rank; parts lie one after the other without gaps, less than 2 GiB in all.  A failure ends the process, and
 * with it the run. */
#include <stddef.h>

#define RANK_DOOR "sft_rank_door"
enum { RANK_DOOR_VERSION = 1 };

struct rank_door {
	int  version;                                        /* RANK_DOOR_VERSION */
	void (*open)(unsigned *rank, unsigned *size);
	void (*gather)(void *all, const size_t *bytes);      /* ranks_gather() */
	void (*swap)(const void *send, const size_t *nsend, void *recv, const size_t *nrecv);
	void (*close)(void);                                 /* waits for the others */
	void (*abort)(int status);                           /* ends all of them */
};

#endif
