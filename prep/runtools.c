/* SPDX-License-Identifier: Apache-2.0 */
#include "runtools.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "opt.h"

extern char **environ;

const char *tools_path(struct arena *a, const char *tool)
{
	char here[PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", here, sizeof here - 1);
	size_t word = strcspn(tool, " ");
	struct buf b = {0};
	const char *path;

	if (n > 0) {
		here[n] = '\0';
		if ((slash = strrchr(here, '/')) != NULL) {
			buf_add(&b, here, (size_t)(slash + 1 - here));
			buf_fmt(&b, "sft-%.*s", (int)word, tool);
		}
	}
	if (b.n == 0 || access(b.p, X_OK) != 0) {
		b.n = 0;
		buf_fmt(&b, "sft-%.*s", (int)word, tool);
	}
	path = arena_str(a, b.p, b.n);
	buf_free(&b);
	return path;
}

/* "  -o, --output FILE   help": the option of that line, if it has one. */
static void take_line(struct tools *t, struct tooltable *to, const char *line, size_t n)
{
	const char *end = line + n, *p = line, *name, *arg;
	char letter = 0;

	while (p < end && *p == ' ')
		p++;
	if (p == line || p == end || *p != '-')
		return;
	if (end - p > 4 && p[1] != '-' && p[2] == ',') {
		letter = p[1];
		p += 4;
	}
	if (end - p < 3 || p[0] != '-' || p[1] != '-')
		return;
	name = p += 2;
	while (p < end && *p != ' ')
		p++;
	ARRAY_ROOM(to->opt, to->n, to->cap);
	to->opt[to->n] = (struct toolopt){ arena_str(t->a, name, (size_t)(p - name)), NULL, letter };
	if (end - p > 1 && p[1] != ' ') {
		arg = ++p;
		while (p < end && *p != ' ')
			p++;
		to->opt[to->n].arg = arena_str(t->a, arg, (size_t)(p - arg));
	}
	to->n++;
}

/* Runs PATH with ARGV and takes what it writes to FD, standard output or error; its exit status in *STATUS.  The other one is not shown. */
static int ask(const char *path, char *const *argv, int from, struct buf *out, int *status, struct err *e)
{
	posix_spawn_file_actions_t act;
	int fd[2], rc, raw;
	ssize_t n;
	pid_t pid;

	if (pipe(fd) != 0)
		return err_sys(e, "pipe");
	posix_spawn_file_actions_init(&act);
	posix_spawn_file_actions_addopen(&act, from == STDERR_FILENO ? STDOUT_FILENO : STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&act, fd[1], from);
	posix_spawn_file_actions_addclose(&act, fd[0]);
	posix_spawn_file_actions_addclose(&act, fd[1]);
	rc = posix_spawnp(&pid, path, &act, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&act);
	close(fd[1]);
	while (rc == 0 && ((n = read(fd[0], buf_room(out, 1 << 14), 1 << 14)) > 0 || (n < 0 && errno == EINTR)))
		out->n += n > 0 ? (size_t)n : 0;
	buf_add(out, "", 0);
	close(fd[0]);
	if (rc)
		return err_set(e, SFT_SYSTEM, "%s: %s", path, strerror(rc));
	while (waitpid(pid, &raw, 0) < 0 && errno == EINTR)
		;
	*status = WIFEXITED(raw) ? WEXITSTATUS(raw) : SFT_SYSTEM;
	return 0;
}

int tools_check(struct tools *t, const char *tool, const char *const *words, struct err *e)
{
	const char *path = tools_path(t->a, tool), *text;
	struct buf said = {0};
	char **argv;
	size_t n = 0;
	int rc, status;

	while (words[n])
		n++;
	argv = mem_new((n + 3) * sizeof *argv);
	argv[0] = (char *)path;
	memcpy(argv + 1, words, n * sizeof *argv);
	argv[n + 1] = "-h";
	rc = ask(path, argv, STDERR_FILENO, &said, &status, e);
	if (rc == 0 && status != 0) {
		text = said.n ? strstr(said.p, ": ") : NULL;       /* behind its name */
		rc = err_set(e, SFT_USAGE, "%.*s", text ? (int)strcspn(text + 2, "\n") : 0, text ? text + 2 : "");
	}
	mem_free(argv);
	buf_free(&said);
	return rc;
}

/* What `sft-TOOL [COMMAND] -h` prints. */
static int ask_help(struct tools *t, const char *tool, struct buf *out, struct err *e)
{
	const char *path = tools_path(t->a, tool), *space = strchr(tool, ' ');
	char *argv[] = { (char *)path, (char *)(space ? space + 1 : "-h"), space ? "-h" : NULL, NULL };
	int status, rc = ask(path, argv, STDOUT_FILENO, out, &status, e);

	return rc == 0 && status != 0 ? err_set(e, SFT_USAGE, "no tool '%s'", tool) : rc;
}

int tools_options(struct tools *t, const char *tool, const struct tooltable **out, struct err *e)
{
	struct buf text = {0};
	struct tooltable *to;
	int rc;

	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->table[i]->tool, tool) == 0) {
			*out = t->table[i];
			return 0;
		}
	if ((rc = ask_help(t, tool, &text, e)) == 0) {
		to = mem_new(sizeof *to);
		to->tool = arena_str(t->a, tool, strlen(tool));
		for (size_t from = 0, n; from < text.n; from += n + 1) {
			n = strcspn(text.p + from, "\n");
			take_line(t, to, text.p + from, n);
		}
		ARRAY_ROOM(t->table, t->n, t->cap);
		t->table[t->n++] = to;
		*out = to;
	}
	buf_free(&text);
	return rc;
}

const struct toolopt *tools_find(const struct tooltable *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->opt[i].name, name) == 0)
			return &t->opt[i];
	return NULL;
}

const char *tools_nearest(const struct tooltable *t, const char *name)
{
	const char **words = mem_new((t->n + 1) * sizeof *words), *near;

	for (size_t i = 0; i < t->n; i++)
		words[i] = t->opt[i].name;
	near = opt_nearest(name, words, t->n);
	mem_free(words);
	return near;
}

void tools_release(struct tools *t)
{
	for (size_t i = 0; i < t->n; i++) {
		mem_free(t->table[i]->opt);
		mem_free(t->table[i]);
	}
	mem_free(t->table);
}
