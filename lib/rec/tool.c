/* SPDX-License-Identifier: Apache-2.0 */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flatyaml.h"
#include "threads.h"
#include "toolman.h"

enum { MAX_TABLES = 6 };

/* --- the process --- */

/* Standard streams that are closed would be given to the first files opened, and messages would land in them. */
static void stand_open(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);   /* the wrong way: its use still fails */
}

void tool_env(struct tool_env *env)
{
	const char *tmp = getenv("TMPDIR"), *rank = getenv("OMPI_COMM_WORLD_RANK");

	*env = (struct tool_env){
		.home = getenv("HOME"), .xdg_cache = getenv("XDG_CACHE_HOME"), .sft_home = getenv("SFT_HOME"),
		.sft_model = getenv("SFT_MODEL"), .sft_pipe = getenv("SFT_PIPE"), .no_color = getenv("NO_COLOR"),
		.tmp = tmp && *tmp ? tmp : "/tmp",
		.rank = rank ? rank : getenv("PMIX_RANK"),
	};
}

char *tool_cache(const struct tool_env *env)
{
	struct buf b = {0};

	if (env->sft_home && *env->sft_home)
		buf_str(&b, env->sft_home);
	else if (env->xdg_cache && *env->xdg_cache)
		buf_fmt(&b, "%s/sft", env->xdg_cache);
	else if (env->home && *env->home)
		buf_fmt(&b, "%s/.cache/sft", env->home);
	return b.p;
}

/* --- options --- */

static void common_options(struct tool *t)
{
	const struct opt table[] = {
		OPT_HEAD("Common to all tools"),
		OPT_INT('j', "jobs", &t->threads, "N", "worker threads [the cores there are]", 1, 1024),
		OPT_INT(0, "seed", &t->seed, "N", "seed of everything random [0]", 0, 0x1p53),
		OPT_STR(0, "recipe", &t->recipe, "FILE", "YAML file of long options; the command line wins"),
		OPT_FLAG(0, "progress", &t->progress_on, "a progress line [on a terminal]"),
		OPT_FLAG(0, "no-progress", &t->progress_off, "no progress line"),
		OPT_FLAG('q', "quiet", &t->quiet, "errors only"),
		OPT_FLAG('v', "verbose", &t->verbose, "say more"),
		OPT_CHOICE(0, "color", &t->color, "auto|always|never", "colours [auto]"),
		OPT_FLAG('h', NULL, &t->help, "this text"),
		OPT_FLAG(0, "help", &t->manual, "the manual page"),
		OPT_FLAG(0, "version", &t->version, "the version"),
		OPT_END
	};

	_Static_assert(sizeof table <= sizeof t->common, "room for the common options");
	memcpy(t->common, table, sizeof table);
}

/* The file of the last --recipe. */
static int find_recipe(void *ctx, const struct opt *o, const char *value, bool negated, struct err *e)
{
	struct tool *t = ctx;

	(void)negated;
	(void)e;
	if (o->to == &t->recipe)
		t->recipe = value;
	return 0;
}

static int read_recipe(struct tool *t)
{
	static const char *const not_here[] = { "recipe", "help", "version" };
	struct yaml_pair *pair;
	int rc;

	if ((rc = yaml_pairs(&t->arena, t->recipe, &pair, &t->nsteps, &t->e)) != 0)
		return rc;
	t->step = pair;
	for (size_t i = 0; i < t->nsteps; i++) {
		for (size_t k = 0; k < sizeof not_here / sizeof *not_here; k++)
			if (strcmp(pair[i].key, not_here[k]) == 0)
				return err_set(&t->e, SFT_USAGE, "%s:%zu: '%s' has no place in a recipe", t->recipe, pair[i].line, pair[i].key);
		if ((rc = opt_set(t->all, pair[i].key, pair[i].value, &t->e)) != 0)
			return err_in(&t->e, "%s:%zu", t->recipe, pair[i].line);
	}
	return 0;
}

static int parse(struct tool *t, int argc, char **argv)
{
	int rc;

	if ((rc = opt_each(argc, argv, t->all, find_recipe, t, &t->e)) != 0)
		return rc;
	if (t->recipe && (rc = read_recipe(t)) != 0)
		return rc;
	if ((rc = opt_parse(argc, argv, t->all, &t->noperands, &t->e)) != 0)
		return rc;
	t->operands = argv;
	return 0;
}

int tool_begin(struct tool *t, const char *name, const char *synopsis, const char *about,
               const struct opt *const *tables, int argc, char **argv)
{
	int n = 0, rc;

	stand_open();
	signal(SIGPIPE, SIG_DFL);
	memset(t, 0, sizeof *t);
	t->name = name;
	t->start = clock_seconds();
	t->threads = threads_available();
	t->tables = tables;
	tool_env(&t->env);
	t->argc = argc;
	t->argv = mem_grow(NULL, (size_t)argc + 1, sizeof *t->argv);
	memcpy(t->argv, argv, ((size_t)argc + 1) * sizeof *t->argv);
	common_options(t);
	for (; n < MAX_TABLES && tables[n]; n++)
		t->all[n] = tables[n];
	t->all[n] = t->common;
	if ((rc = parse(t, argc, argv)) != 0)
		return rc;
	if (t->help)
		opt_usage(stdout, synopsis, about, t->all);
	else if (t->manual && !toolman_show(name))
		opt_usage(stdout, synopsis, about, t->all);
	else if (t->version)
		printf("%s %s\n", name, SFT_VERSION);
	return t->help || t->manual || t->version ? TOOL_DONE : 0;
}

static void release(struct tool *t)
{
	for (const struct opt *const *table = t->all; *table; table++)
		for (const struct opt *o = *table; o->kind != OPT_K_END; o++)
			if (o->kind == OPT_K_LIST) {
				struct opt_list *l = o->to;
				mem_free(l->v);
				*l = (struct opt_list){0};
			}
	mem_free(t->argv);
	arena_release(&t->arena);
}

int tool_end(struct tool *t, int rc)
{
	if (rc == TOOL_DONE)
		rc = 0;
	if (rc != 0 && t->e.msg[0])
		fprintf(stderr, "%s: %s\n", t->name, t->e.msg);
	if ((ferror(stdout) || fflush(stdout) != 0) && rc == 0) {
		err_sys(&t->e, "standard output");
		fprintf(stderr, "%s: %s\n", t->name, t->e.msg);
		rc = SFT_SYSTEM;
	}
	release(t);
	return rc;
}

/* --- messages --- */

static void say(const struct tool *t, const char *fmt, va_list ap)
{
	struct err line = {0};
	char text[900];

	vsnprintf(text, sizeof text, fmt, ap);
	err_set(&line, 0, "%s", text);
	fprintf(stderr, "%s: %s\n", t->name, line.msg);
}

void tool_warn(const struct tool *t, const char *fmt, ...)
{
	va_list ap;

	if (t == NULL || t->quiet)
		return;
	va_start(ap, fmt);
	say(t, fmt, ap);
	va_end(ap);
}

void tool_note(const struct tool *t, const char *fmt, ...)
{
	va_list ap;

	if (t == NULL || t->quiet || !t->verbose)
		return;
	va_start(ap, fmt);
	say(t, fmt, ap);
	va_end(ap);
}

enum progress_mode tool_progress(const struct tool *t)
{
	if (t->progress_off || (t->quiet && !t->progress_on))
		return PROGRESS_OFF;
	return t->progress_on ? PROGRESS_ON : PROGRESS_AUTO;
}

bool tool_color(const struct tool *t, int fd)
{
	if (t->color != 0)
		return t->color == 1;
	return isatty(fd) && !(t->env.no_color && *t->env.no_color);
}

/* --- records of the run --- */

void tool_schema_json(struct jw *w, const char *schema)
{
	jw_key(w, "schema");
	jw_str(w, schema);
	jw_key(w, "version");
	jw_str(w, SFT_VERSION);
}

void tool_json(const struct tool *t, struct jw *w)
{
	jw_key(w, "tool");
	jw_str(w, t->name);
	jw_key(w, "version");
	jw_str(w, SFT_VERSION);
	jw_key(w, "command");
	jw_arr(w);
	jw_str(w, t->name);
	for (int i = 1; i < t->argc; i++)
		jw_str(w, t->argv[i]);
	jw_arr_end(w);
	jw_key(w, "seed");
	jw_int(w, t->seed);
}

struct given {
	const struct opt **opt;
	const char **value;
	size_t n, cap, vcap;
};

static int add_given(void *ctx, const struct opt *o, const char *value, bool negated, struct err *e)
{
	struct given *g = ctx;
	size_t n = g->n;

	(void)negated;
	(void)e;
	ARRAY_ROOM(g->opt, n, g->cap);
	ARRAY_ROOM(g->value, n, g->vcap);
	g->opt[n] = o;
	g->value[n] = value;
	g->n = n + 1;
	return 0;
}

/* Word number I of "a|b|c". */
static void choice_json(struct jw *w, const char *words, int i)
{
	for (; i > 0; i--)
		words += strcspn(words, "|") + 1;
	jw_strn(w, words, strcspn(words, "|"));
}

static void option_json(struct jw *w, const struct given *g, size_t i)
{
	const struct opt *o = g->opt[i];

	jw_key(w, o->name);
	switch (o->kind) {
	case OPT_K_FLAG:
		jw_bool(w, *(const bool *)o->to);
		break;
	case OPT_K_INT:
		jw_int(w, *(const int64_t *)o->to);
		break;
	case OPT_K_REAL:
		jw_double(w, *(const double *)o->to);
		break;
	case OPT_K_SIZE:
		jw_uint(w, *(const uint64_t *)o->to);
		break;
	case OPT_K_CHOICE:
		choice_json(w, o->arg, *(const int *)o->to);
		break;
	case OPT_K_STR:
		jw_str(w, *(const char *const *)o->to);
		break;
	default:
		if (o->arg == NULL) {
			jw_bool(w, true);
			break;
		}
		jw_arr(w);
		for (size_t k = i; k < g->n; k++)
			if (g->opt[k] == o)
				jw_str(w, g->value[k]);
		jw_arr_end(w);
	}
}

void tool_options_json(const struct tool *t, struct jw *w)
{
	struct given g = {0};

	for (size_t i = 0; i < t->nsteps; i++) {
		const char *name = t->step[i].key;
		const struct opt *o = opt_find(t->all, name);

		if (o == NULL && strncmp(name, "no-", 3) == 0)
			o = opt_find(t->all, name + 3);
		if (o)
			add_given(&g, o, t->step[i].value, false, NULL);
	}
	opt_each(t->argc, t->argv, t->all, add_given, &g, NULL);
	jw_obj(w);
	for (size_t i = 0; i < g.n; i++) {
		bool before = g.opt[i]->name == NULL;

		for (size_t k = 0; k < i && !before; k++)
			before = g.opt[k] == g.opt[i];
		if (!before)
			option_json(w, &g, i);
	}
	jw_obj_end(w);
	mem_free(g.opt);
	mem_free(g.value);
}

/* --- text or file --- */

int tool_text_or_file(struct arena *a, const char *text, const char **out, struct err *e)
{
	enum { MAX_BYTES = 16 << 20 };
	const char *path = text + 1;
	struct buf b = {0};
	ssize_t r = 0;
	int fd, rc = 0;

	if (text[0] != '@') {
		*out = text;
		return 0;
	}
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return err_sys(e, path);
	while (b.n <= MAX_BYTES && ((r = read(fd, buf_room(&b, 1 << 16), 1 << 16)) > 0 || (r < 0 && errno == EINTR)))
		b.n += r > 0 ? (size_t)r : 0;
	if (r < 0)
		rc = err_sys(e, path);
	else if (b.n > MAX_BYTES)
		rc = err_set(e, SFT_BADDATA, "%s: more than 16 MiB (expected a text)", path);
	else if (b.n && (memchr(b.p, '\0', b.n) || !json_utf8(b.p, b.n)))
		rc = err_set(e, SFT_BADDATA, "%s: not UTF-8 text", path);
	if (b.n && b.p[b.n - 1] == '\n')
		b.n--;
	if (rc == 0)
		*out = arena_str(a, b.n ? b.p : "", b.n);
	close(fd);
	buf_free(&b);
	return rc;
}
