/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_CUDADOOR_H
#define SFT_CUDADOOR_H
/* What sft-cuda.so and sft-emu.so give to cuda.c: a table under the name CUDA_DOOR. */
#include <stddef.h>

struct kern;

#define CUDA_DOOR "sft_cuda_door"

struct cuda_door {
	size_t size, ops;              /* sizeof(struct kern_ops), OP_COUNT: of the same build as the program */
	/* HOW: what stands behind "cuda:" or "emu:" in the device's name ("" if nothing).  Fills K's table and state; otherwise nonzero, and MSG says what
	 * is wrong in a line. */
	int (*open)(struct kern *k, const char *how, char *msg, size_t room);
	int (*count)(void);            /* devices there are; 0: none, or no driver */
};

#endif
