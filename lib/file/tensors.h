/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TENSORS_H
#define SFT_TENSORS_H
/* Named tensors of a file or a folder, whatever the format: what GGUF and safetensors have in common. */
#include <stddef.h>
#include <stdint.h>
#include "dtype.h"

enum { TENSOR_DIMS = 8 };

/* Borrowed from the open file.  Row-major: dim[ndim-1] is innermost (GGUF's order is turned round on reading). */
struct tensor {
	const char *name;
	enum dtype  type;
	unsigned    ndim;               /* 0: a scalar */
	uint64_t    dim[TENSOR_DIMS];
	const void *data;               /* maybe unaligned; `bytes` of them are inside the mapping (checked at opening) */
	size_t      bytes;
	uint64_t    count;              /* product of dims */
};

#endif
