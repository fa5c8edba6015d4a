/* SPDX-License-Identifier: Apache-2.0 */
/* MPI behind the table of rankdoor.h: the only file that knows it, built as sft-mpi.so where MPI is installed. */
#include "rankdoor.h"

#include <mpi.h>
#include <stdlib.h>

static unsigned size(void)
{
	int n;

	MPI_Comm_size(MPI_COMM_WORLD, &n);
	return (unsigned)n;
}

static void door_open(unsigned *rank, unsigned *n)
{
	int i, given;

	MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &given);
	MPI_Comm_rank(MPI_COMM_WORLD, &i);
	*rank = (unsigned)i;
	*n = size();
}

/* BYTES as counts and places; one block of memory holds both. */
static int *layout(const size_t *bytes, unsigned n)
{
	int *count = calloc(2 * (size_t)n, sizeof *count), *place = count + n;

	if (count == NULL)
		MPI_Abort(MPI_COMM_WORLD, 4);
	for (unsigned i = 0; i < n; i++) {
		count[i] = (int)bytes[i];
		place[i] = i ? place[i - 1] + count[i - 1] : 0;
	}
	return count;
}

static void door_gather(void *all, const size_t *bytes)
{
	unsigned n = size();
	int *count = layout(bytes, n);

	MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all, count, count + n, MPI_BYTE, MPI_COMM_WORLD);
	free(count);
}

static void door_swap(const void *send, const size_t *nsend, void *recv, const size_t *nrecv)
{
	unsigned n = size();
	int *out = layout(nsend, n), *in = layout(nrecv, n);

	MPI_Alltoallv(send, out, out + n, MPI_BYTE, recv, in, in + n, MPI_BYTE, MPI_COMM_WORLD);
	free(out);
	free(in);
}

static void door_close(void)
{
	MPI_Finalize();
}

static void door_abort(int status)
{
	MPI_Abort(MPI_COMM_WORLD, status);
}

extern const struct rank_door sft_rank_door;
const struct rank_door sft_rank_door = { RANK_DOOR_VERSION, door_open, door_gather, door_swap, door_close, door_abort };
