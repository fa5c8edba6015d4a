/* SPDX-License-Identifier: Apache-2.0 */
#include "recshard.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chatids.h"
#include "hash.h"
#include "mapfile.h"
#include "mem.h"
#include "outfile.h"
#include "tool.h"
#include "vocabhash.h"

extern char **environ;

enum { MAX_ARGS = 24 };

struct args {
	const char *v[MAX_ARGS];
	int n;
	char number[2][24];
};

static void arg(struct args *a, const char *name, const char *value)
{
	if (value) {
		a->v[a->n++] = name;
		a->v[a->n++] = value;
	}
}

static const char *number(char text[24], int64_t v)
{
	snprintf(text, 24, "%lld", (long long)v);
	return v > 0 ? text : NULL;
}

/* The command line but for the program, the output and the input. */
static void set_args(struct args *a, const struct recshard_opts *o)
{
	arg(a, "--chat-template", o->template);
	arg(a, "--on-long", o->on_long);
	arg(a, "--train-on", o->train_on);
	arg(a, "--max-len", number(a->number[0], o->max_len));
	arg(a, "--pack", number(a->number[1], o->pack));
}

/* Of everything that the shard follows from. */
static int key_of(const struct recshard_opts *o, const struct args *a, const char *file, uint64_t *key, struct err *e)
{
	struct hash_state *h;
	struct chatids *c;
	struct mapfile m;
	uint64_t of_model[2];
	int rc;

	if (!vocab_there(o->model))
		return err_set(e, SFT_BADDATA, "%s: not a token shard (and no tokenizer with the model to make one of chat records)", file);
	if ((rc = mapfile_open(&m, file, e)) != 0)
		return rc;
	if ((rc = chatids_open(&c, o->model, o->template, e)) == 0) {
		of_model[0] = tok_hash(chatids_tok(c));
		of_model[1] = chatids_template_hash(c);
		chatids_close(c);
		h = hash_open(0);
		hash_add(h, SFT_VERSION, sizeof SFT_VERSION);
		hash_add(h, of_model, sizeof of_model);
		for (int i = 0; i < a->n; i++)
			hash_add(h, a->v[i], strlen(a->v[i]) + 1);
		hash_add(h, m.p, m.n);
		*key = hash_close(h);
	}
	mapfile_close(&m);
	return rc;
}

/* sft-tokenize beside this program, else of the PATH. */
static void find_tokenize(char out[512])
{
	ssize_t n = readlink("/proc/self/exe", out, 480);
	char *slash;

	out[n > 0 ? n : 0] = 0;
	if ((slash = strrchr(out, '/')) != NULL) {
		snprintf(slash + 1, 512 - (size_t)(slash + 1 - out), "sft-tokenize");
		if (access(out, X_OK) == 0)
			return;
	}
	snprintf(out, 512, "sft-tokenize");
}

static int run(struct args *a, struct err *e)
{
	char program[512];
	int status, rc;
	pid_t pid;

	find_tokenize(program);
	a->v[a->n] = NULL;
	a->v[0] = "sft-tokenize";
	if ((errno = posix_spawnp(&pid, program, NULL, NULL, (char *const *)(void *)a->v, environ)) != 0)
		return err_sys(e, program);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, program);
	rc = WIFEXITED(status) ? WEXITSTATUS(status) : SFT_SYSTEM;
	return rc == 0 ? 0 : err_set(e, rc == SFT_USAGE || rc == SFT_BADDATA ? rc : SFT_SYSTEM, "sft-tokenize could not make a shard of it");
}

int recshard_get(const struct recshard_opts *o, const char *file, char **path, struct err *e)
{
	struct args a = { .n = 1 }, all;
	struct buf dir = {0}, b = {0};
	uint64_t key = 0;
	int rc;

	*path = NULL;
	if (o->cache == NULL)
		return err_set(e, SFT_SYSTEM, "%s: no folder for the cache (expected $SFT_HOME, $XDG_CACHE_HOME or $HOME)", file);
	a.v[0] = "";
	set_args(&a, o);
	if ((rc = key_of(o, &a, file, &key, e)) != 0)
		return rc;
	buf_fmt(&dir, "%s/shards", o->cache);
	buf_fmt(&b, "%s/%016llx.shard", dir.p, (unsigned long long)key);
	if (access(b.p, F_OK) != 0) {
		all = a;
		arg(&all, "-m", o->model);
		arg(&all, "-o", b.p);
		all.v[all.n++] = "--";
		all.v[all.n++] = file;
		if ((rc = out_mkdirs(dir.p, e)) == 0 && (rc = run(&all, e)) != 0)
			err_in(e, "%s", file);
	}
	buf_free(&dir);
	*path = b.p;
	return rc;
}
