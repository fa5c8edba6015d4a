/* SPDX-License-Identifier: Apache-2.0 */
/* --sort prefix: a shard written in the order of the data is written again in that of its ids. */
#include <string.h>
#include <unistd.h>

#include "mem.h"
#include "tokenize.h"

char *tokenize_sort_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t dir = slash ? (size_t)(slash + 1 - path) : 0;
	struct buf b = {0};

	buf_add(&b, path, dir);
	buf_fmt(&b, ".%s.%ld.unsorted", path + dir, (long)getpid());
	return b.p;
}

static int write_sorted(const struct shard *s, const char *to, uint32_t pack, struct err *e)
{
	uint32_t *order = mem_new((shard_count(s) + 1) * sizeof *order);
	struct shard_buf buf = {0};
	struct shard_out *out = NULL;
	struct shard_seq seq;
	int rc = shard_order(s, order, e);

	if (rc == 0)
		rc = shard_create(&out, to, shard_vocab_hash(s), shard_info_json(s), e);
	for (uint64_t i = 0; rc == 0 && i < shard_count(s); i++)
		if ((rc = shard_get(s, order[i], &buf, &seq, e)) == 0)
			rc = shard_put(out, &seq, e);
	if (rc == 0)
		rc = shard_finish(out, pack, e);
	else
		shard_drop(out);
	shard_buf_free(&buf);
	mem_free(order);
	return rc;
}

int tokenize_sort(const char *from, const char *to, uint32_t pack, struct err *e)
{
	struct shard *s;
	int rc = shard_open(&s, from, e);

	unlink(from);                  /* the mapping keeps it: whatever happens now, nothing is left */
	if (rc)
		return rc;
	rc = write_sorted(s, to, pack, e);
	shard_close(s);
	return rc;
}
