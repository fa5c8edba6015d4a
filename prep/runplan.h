/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RUNPLAN_H
#define SFT_RUNPLAN_H
/* A recipe (sft-recipe(5)) as a list of command lines.
 *
 * Everything that can be known without running anything is checked here: keys, options (against the tools' own), weights, files,
 * the order of the stages. */
#include <stdbool.h>
#include <stddef.h>
#include "err.h"
#include "mem.h"
#include "runtools.h"
#include "yamltree.h"

struct strings {
	const char **v;
	size_t n, cap;
};

struct run_step {
	const char *name;              /* "bank/2-clean", "target/train" */
	struct strings argv;           /* of `sft`: the tool, its options, its files */
	struct strings in, out;        /* files and folders that it reads and makes */
	const char *folder;            /* train: the run folder, which it can go on with */
};

struct run_plan {
	struct arena *a;
	const char *path, *dir;        /* the recipe; where everything goes */
	struct tools tools;
	struct run_step *step;
	size_t n, cap;
	const char *model, *seed;
	const struct yaml *doc;
	struct err *e;
};

/* Train, val and test of a source; NULL where there is none. */
enum { TRAIN, VAL, TEST, PARTS };

struct run_source {
	const char *name;
	const char *weight;
	const char *part[PARTS];       /* records as they are after the steps so far */
	bool whole;                    /* not split: part[TRAIN] is all there is */
	const char *shard[PARTS];
};

struct run_sources {
	struct run_source *v;
	size_t n;
};

/* P->a, path, dir and e are the caller's; the rest is zeroed before.  SFT_BADDATA "RECIPE:LINE: what". */
int  plan_make(struct run_plan *p);
void plan_release(struct run_plan *p);
/* STEP as a line of shell; words behind a command that stands there. */
void plan_print_words(const struct strings *words, struct buf *out);
void plan_print(const struct run_step *s, struct buf *out);

/* --- for runstages.c --- */

void strings_add(struct strings *s, const char *text);
/* "DIR/..." in the arena. */
const char *plan_text(struct run_plan *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int  plan_wrong(const struct run_plan *p, const struct yaml *at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* An error for KEY, which is not one of WORDS (NULL at the end). */
int  plan_unknown(const struct run_plan *p, const struct yaml *at, const char *key, const char *const *words);
/* One more step: `sft TOOL`; valid until the next one is made. */
struct run_step *plan_step(struct run_plan *p, const char *name, const char *tool);
void step_option(struct run_step *s, const char *name, const char *value);
void step_input(struct run_step *s, const char *path);     /* an operand that is read */
void step_output(struct run_step *s, const char *path);    /* -o PATH, which is made */
/* The options of mapping V (NULL: none) but those in SKIP (NULL at the end; NULL: none). */
int  step_options(struct run_plan *p, struct run_step *s, const struct yaml *v, const char *const *skip);

/* A weight, over 0; *OUT stays where V is NULL. */
int  plan_weight(const struct run_plan *p, const struct yaml *v, const char **out);
int  plan_name(const struct run_plan *p, const struct yaml *at, const char *name);    /* names become folders */
/* V is the name of a file or folder that can be read; WHAT names it in the message. */
int  plan_file(const struct run_plan *p, const struct yaml *v, const char *what);
/* The ending of the records in PATH, without what packs them: "jsonl"; "csv" where it has none that is known. */
const char *plan_ending(const char *path);
bool plan_listed(const char *const *words, const char *word);
/* Stages, measurement, report (runstages.c). */
int  plan_stages(struct run_plan *p, struct run_sources *s);

#endif
