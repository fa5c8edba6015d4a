/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RUNTOOLS_H
#define SFT_RUNTOOLS_H
/* The tools that a recipe's steps run, and the options that each of them knows.
 *
 * The options are those that the tool's own -h prints, so that nothing is listed twice.  Tools are looked for beside this
 * program and then in PATH, as sft does. */
#include <stdbool.h>
#include <stddef.h>
#include "err.h"
#include "mem.h"
#include "strmap.h"

struct toolopt {
	const char *name;              /* without dashes */
	const char *arg;               /* what its value is called; NULL: a flag */
	char letter;                   /* 0: none */
};

struct tooltable {
	const char *tool;              /* "clean", "terms replace" */
	struct toolopt *opt;
	size_t n, cap;
};

struct tools {
	struct arena *a;               /* of all that is kept */
	struct tooltable **table;
	size_t n, cap;
};

/* The path of TOOL ("clean"), in the arena; the bare name sft-TOOL where it is not beside this program. */
const char *tools_path(struct arena *a, const char *tool);
/* The options of TOOL, which may have a command behind it ("terms replace"); asked for once.  SFT_SYSTEM where it cannot be run. */
int  tools_options(struct tools *t, const char *tool, const struct tooltable **out, struct err *e);
/* The option NAME, or NULL. */
const struct toolopt *tools_find(const struct tooltable *t, const char *name);
/* The nearest name of an option, or NULL. */
const char *tools_nearest(const struct tooltable *t, const char *name);
/* Would TOOL take the options WORDS (NULL at the end)?  It is asked, with -h behind them.  SFT_USAGE with its own words where not. */
int  tools_check(struct tools *t, const char *tool, const char *const *words, struct err *e);
void tools_release(struct tools *t);

#endif
