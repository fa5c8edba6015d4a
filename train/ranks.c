/* SPDX-License-Identifier: Apache-2.0 */
#include "ranks.h"

#include <dlfcn.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"
#include "rankdoor.h"

struct ranks {
	const struct rank_door *door;
	unsigned rank, size;
	size_t  *bytes;            /* [2 * size] */
	int64_t *word;             /* [size] */
	bool     agreed;           /* all know that the run has failed */
};

/* NAME in the folder of this program, for the caller to free; NULL where that cannot be found. */
static char *beside_us(const char *name)
{
	struct buf b = {0};
	char here[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", here, sizeof here - 1);
	char *slash;

	if (n <= 0)
		return NULL;
	here[n] = '\0';
	if ((slash = strrchr(here, '/')) == NULL)
		return NULL;
	*slash = '\0';
	buf_fmt(&b, "%s/%s", here, name);
	return b.p;
}

/* The library stays open until the process ends: MPI cannot be taken out of one. */
static int open_door(const struct rank_door **door, struct err *e)
{
	static const char name[] = "sft-mpi.so";
	char *path = beside_us(name);
	void *so = NULL;
	int rc = 0;

	if (path == NULL || access(path, R_OK) != 0)
		rc = err_set(e, SFT_SYSTEM, "started as one of several ranks, but there is no %s (expected a build on a machine that has MPI: libopenmpi-dev)",
		             path ? path : name);
	else if ((so = dlopen(path, RTLD_NOW | RTLD_GLOBAL)) == NULL)      /* global: MPI's own plug-ins look for its names */
		rc = err_set(e, SFT_SYSTEM, "started as one of several ranks, but MPI does not load: %s", dlerror());
	else if ((*door = dlsym(so, RANK_DOOR)) == NULL || (*door)->version != RANK_DOOR_VERSION)
		rc = err_set(e, SFT_SYSTEM, "%s: of another version than this program", path);
	mem_free(path);
	return rc;
}

int ranks_open(struct ranks **out, struct err *e)
{
	const struct rank_door *door = NULL;
	struct ranks *r;
	int rc = open_door(&door, e);

	*out = NULL;
	if (rc != 0)
		return rc;
	r = mem_new(sizeof *r);
	r->door = door;
	door->open(&r->rank, &r->size);
	r->bytes = mem_new(2 * (size_t)r->size * sizeof *r->bytes);
	r->word = mem_new((size_t)r->size * sizeof *r->word);
	*out = r;
	return 0;
}

void ranks_close(struct ranks *r, int rc)
{
	if (r == NULL)
		return;
	if (rc == 0 || r->agreed)
		r->door->close();
	else
		r->door->abort(rc);
	mem_free(r->bytes);
	mem_free(r->word);
	mem_free(r);
}

unsigned ranks_rank(const struct ranks *r)
{
	return r ? r->rank : 0;
}

unsigned ranks_size(const struct ranks *r)
{
	return r ? r->size : 1;
}

void ranks_share(const struct ranks *r, unsigned i, uint64_t total, uint64_t *first, uint64_t *end)
{
	*first = total * i / ranks_size(r);
	*end = total * (i + 1) / ranks_size(r);
}

/* A word of each rank. */
static const int64_t *words(struct ranks *r, int64_t mine)
{
	r->word[r->rank] = mine;
	ranks_gather(r, r->word, r->size, sizeof mine);
	return r->word;
}

bool ranks_any(struct ranks *r, bool flag)
{
	const int64_t *w;
	bool any = false;

	if (r == NULL)
		return flag;
	w = words(r, flag);
	for (unsigned i = 0; i < r->size; i++)
		any |= w[i] != 0;
	return any;
}

int ranks_agree(struct ranks *r, int rc, struct err *e)
{
	const int64_t *w;
	unsigned i = 0;

	if (r == NULL)
		return rc;
	w = words(r, rc);
	while (i < r->size && w[i] == 0)
		i++;
	if (i == r->size)
		return 0;
	r->agreed = true;
	if (i == r->rank && i > 0)
		err_in(e, "rank %u", i);
	else if (i != r->rank && e)
		e->msg[0] = '\0';
	return (int)w[i];
}

int ranks_alike(struct ranks *r, uint64_t print, struct err *e)
{
	int rc = 0;

	if (r == NULL)
		return 0;
	if (words(r, (int64_t)print)[0] != (int64_t)print)
		rc = err_set(e, SFT_USAGE, "other settings, data, checkpoint or kind of processor than rank 0 has (expected the same on all ranks)");
	return ranks_agree(r, rc, e);
}

void ranks_gather(struct ranks *r, void *all, uint64_t total, size_t size)
{
	if (r == NULL)
		return;
	for (unsigned i = 0; i < r->size; i++) {
		uint64_t first, end;

		ranks_share(r, i, total, &first, &end);
		r->bytes[i] = (end - first) * size;
	}
	r->door->gather(all, r->bytes);
}

void ranks_swap(struct ranks *r, const float *send, const size_t *nsend, float *recv, const size_t *nrecv)
{
	if (r == NULL) {
		memcpy(recv, send, nsend[0] * sizeof *send);
		return;
	}
	for (unsigned i = 0; i < r->size; i++) {
		r->bytes[i] = nsend[i] * sizeof *send;
		r->bytes[r->size + i] = nrecv[i] * sizeof *recv;
	}
	r->door->swap(send, r->bytes, recv, r->bytes + r->size);
}
