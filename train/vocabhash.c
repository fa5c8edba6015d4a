/* SPDX-License-Identifier: Apache-2.0 */
#include "vocabhash.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gguf.h"
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

/* A file that cannot be read counts as one that has: what is wrong is said where it is used. */
static bool in_gguf(const char *path)
{
	struct gguf *g;
	bool yes = true;

	if (gguf_open(&g, path, NULL) == 0) {
		yes = gguf_has(g, "tokenizer.ggml.model");
		gguf_close(g);
	}
	return yes;
}

bool vocab_there(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return !gguf_is(path) || in_gguf(path);
	return there(path, "tokenizer.json") || there(path, "tokenizer.model");
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
