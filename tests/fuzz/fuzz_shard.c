/* SPDX-License-Identifier: Apache-2.0 */
/* Token shards: any bytes open or are refused; what opened can be read to the end.  The checksums are made right first,
 * else nothing would get past them. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hash.h"
#include "mem.h"
#include "outfile.h"
#include "shard.h"
#include "shardfmt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mend(uint8_t *p, size_t n)
{
	struct shard_tail t;
	struct shard_head h;

	if (n < sizeof t + sizeof h)
		return;
	memcpy(&t, p + n - sizeof t, sizeof t);
	memcpy(&h, p, sizeof h);
	t.length = n;
	if (h.ninfo <= n - sizeof h)
		t.crc_head = crc32c(0, p, sizeof h + h.ninfo);
	for (uint64_t b = 0, at = (t.tables + 7) / 8 * 8; b < t.nblocks && at < n - sizeof t && at + sizeof(struct shard_block) <= n - sizeof t;
	     b++, at += sizeof(struct shard_block)) {
		struct shard_block k;

		memcpy(&k, p + at, sizeof k);
		if (k.at <= n && k.n <= n - k.at)
			k.crc = crc32c(0, p + k.at, k.n);
		memcpy(p + at, &k, sizeof k);
	}
	if (t.tables <= n - sizeof t)
		t.crc_tables = crc32c(0, p + t.tables, n - sizeof t - t.tables);
	t.crc = crc32c(0, &t, offsetof(struct shard_tail, crc));
	memcpy(p + n - sizeof t, &t, sizeof t);
}

static void read_all(const char *path)
{
	struct shard *s;
	struct shard_buf buf = {0};
	struct shard_seq seq;

	if (shard_open(&s, path, NULL) != 0)
		return;
	for (uint64_t i = 0; i < shard_count(s); i++)
		if (shard_get(s, i, &buf, &seq, NULL) == 0 && seq.rivals.n &&
		    (seq.rivals.at[seq.rivals.n - 1] >= seq.n || seq.rivals.first[seq.rivals.n] != buf.n_id))
			abort();       /* what was read is what shard.h says */
	shard_verify(s, NULL);
	shard_buf_free(&buf);
	shard_close(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = mem_new(size + 1);
	char path[64];

	snprintf(path, sizeof path, "/tmp/fuzz-%ld.shard", (long)getpid());
	if (size)
		memcpy(copy, data, size);
	for (int mended = 0; mended < 2; mended++) {
		if (out_whole(path, copy, size, false, NULL) == 0)
			read_all(path);
		mend(copy, size);
	}
	unlink(path);
	mem_free(copy);
	return 0;
}
