/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TOOL_H
#define SFT_TOOL_H
/* What every program does alike: options, -h, --help, --version, the recipe file, one-line errors, exit.
 *
 *   int main(int argc, char **argv)
 *   {
 *           struct tool t;
 *           ...
 *           if ((rc = tool_begin(&t, "sft-clean", SYNOPSIS, ABOUT, tables, argc, argv)) != 0)
 *                   return tool_end(&t, rc);       // usage error, or -h and the like done (rc TOOL_DONE)
 *           rc = clean(...., &t.e);
 *           return tool_end(&t, rc);               // prints "sft-clean: message", checks standard output
 *   }
 */
#include <stdbool.h>
#include <stdint.h>
#include "err.h"
#include "json.h"
#include "opt.h"
#include "progress.h"

#define SFT_VERSION "0.1.0"

enum { TOOL_DONE = -1 };        /* -h, --help or --version was asked for and is done */

/* What tools look up in the environment; NULL where it is not set.  Read once, by tool_begin: libraries read none. */
struct tool_env {
	const char *home, *xdg_cache, *sft_home, *sft_model, *sft_pipe, *no_color;
	const char *tmp;            /* $TMPDIR, else "/tmp" */
	const char *rank;           /* set by what starts the processes of a parallel run (mpirun, srun --mpi=pmix); else NULL */
};
void tool_env(struct tool_env *env);

/* $SFT_HOME, else $XDG_CACHE_HOME/sft, else $HOME/.cache/sft, for the caller to free; NULL where none of them is set. */
char *tool_cache(const struct tool_env *env);

struct tool {
	const char *name;           /* "sft-clean" */
	bool quiet, verbose, progress_on, progress_off;
	int  color;                 /* 0 auto, 1 always, 2 never */
	int64_t threads;            /* -j; filled with the cores there are */
	int64_t seed;               /* --seed, default 0 */
	const char *recipe;
	bool help, manual, version;
	char **operands;            /* FILE... */
	int noperands;
	int argc;                   /* the command line as it was given (a copy), for the record of the run */
	char **argv;
	const struct opt *const *tables;
	struct opt common[16];
	const struct opt *all[8];
	double start;               /* clock_seconds() at tool_begin */
	struct tool_env env;
	struct arena arena;         /* for what lives as long as the run */
	const struct yaml_pair *step;   /* options of the recipe */
	size_t nsteps;
	struct err e;
};

/* TABLES: NULL-terminated, at most 6; the common options are added after them.  Options of --recipe FILE are set before
 * those of the command line. */
int tool_begin(struct tool *t, const char *name, const char *synopsis, const char *about,
               const struct opt *const *tables, int argc, char **argv);
/* Prints the message of t->e where RC is an error, checks that standard output took everything, frees what tool_begin made.
 * The exit status: 0 for TOOL_DONE, else RC, or SFT_SYSTEM where RC is 0 and standard output failed. */
int tool_end(struct tool *t, int rc);

/* "sft-clean: text" on standard error, unless -q.  The text is escaped as errors are. */
void tool_warn(const struct tool *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same with -v only. */
void tool_note(const struct tool *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
enum progress_mode tool_progress(const struct tool *t);
/* Colours on FD? (terminal, NO_COLOR, --color) */
bool tool_color(const struct tool *t, int fd);

/* What an object that a tool writes as a whole begins with, in an object that is open: "schema" and this "version". */
void tool_schema_json(struct jw *w, const char *schema);
/* Members "tool", "version", "command" (list), "seed" for run folders, shards and stats. */
void tool_json(const struct tool *t, struct jw *w);

/* An object of the options that were given (recipe and command line): numbers as numbers, flags as true or false,
 * repeatable ones as lists. */
void tool_options_json(const struct tool *t, struct jw *w);

/* TEXT itself, or where it begins with @ the content of that file (in the arena, a last newline taken off).
 * The file must be UTF-8 without NUL and at most 16 MiB (else SFT_BADDATA). */
int tool_text_or_file(struct arena *a, const char *text, const char **out, struct err *e);

#endif
