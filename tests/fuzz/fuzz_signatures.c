/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures and verdicts of shards: any bytes are read or refused.  The checksums are made right first, else nothing would get
 * past them. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hash.h"
#include "mem.h"
#include "nearsig.h"
#include "outfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 56, BLOCK = 16, FATES_HEAD = 24 };

static void put_crc(uint8_t *to, uint32_t crc)
{
	memcpy(to, &crc, sizeof crc);
}

/* As sft-signatures(5) has them. */
static void mend(uint8_t *p, size_t n)
{
	if (n >= FATES_HEAD + 4 && memcmp(p, "SFTdrp", 6) == 0) {
		uint64_t records = n - FATES_HEAD - 4;

		memcpy(p + 8, &records, sizeof records);
		put_crc(p + n - 4, crc32c(0, p, n - 4));
	}
	if (n < HEAD || memcmp(p, "SFTsig", 6) != 0)
		return;
	put_crc(p + HEAD - 4, crc32c(0, p, HEAD - 4));
	for (size_t at = HEAD; at + BLOCK <= n; ) {
		uint64_t len;

		memcpy(&len, p + at, sizeof len);
		if (len > n - at - BLOCK)
			return;
		put_crc(p + at + 12, crc32c(crc32c(0, p + at, 12), p + at + BLOCK, len));
		at += BLOCK + len;
	}
}

static void read_all(const char *path)
{
	struct neardup_item r;
	struct nearsig *s;
	bool more = true;
	uint8_t *fate;
	uint64_t records, digest, bytes = 0;

	if (nearsig_open(&s, path, NULL) == 0) {
		while (nearsig_next(s, &r, &more, NULL) == 0 && more)
			bytes += hash64(r.text, r.n, 0) + hash64(r.id, r.nid, 0) + (r.sig ? r.sig[MINHASH_N - 1] : 0);
		nearsig_close(s);
	}
	if (nearsig_get_fates(path, &fate, &records, &digest, NULL) == 0) {
		bytes += hash64(fate, records, 0);
		mem_free(fate);
	}
	memcpy(&digest, &bytes, sizeof bytes);        /* all of it is wanted */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = mem_new(size + 1);
	char path[64];

	snprintf(path, sizeof path, "/tmp/fuzz-%ld.sig", (long)getpid());
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
