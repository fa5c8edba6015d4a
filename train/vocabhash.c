/* SPDX-License-Identifier: Apache-2.0 */
#include "vocabhash.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"
#include "tok.h"

static bool there(const char *dir, const char *name)
{
	struct buf b = {0};
	bool yes;

	buf_fmt(&b, "%s/%s", dir, name);
	yes = access(b.p, F_OK) == 0;
	buf_free(&b);
	return yes;
}

bool vocab_there(const char *path)
{
	struct stat st;

	return stat(path, &st) != 0 || !S_ISDIR(st.st_mode) || there(path, "tokenizer.json") || there(path, "tokenizer.model");
}

int vocab_hash(const char *path, uint64_t *hash, struct err *e)
{
	struct tok *t;
	int rc;

	*hash = 0;
	if (!vocab_there(path))
		return 0;
	if ((rc = tok_open(&t, path, e)) != 0)
		return rc;
	*hash = tok_hash(t);
	tok_close(t);
	return 0;
}
