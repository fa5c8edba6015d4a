/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TUNESPACE_H
#define SFT_TUNESPACE_H
/* What is searched (the file of sft-tune(1)): checked as a whole before anything is run. */
#include <stdbool.h>
#include <stdint.h>
#include "runplan.h"
#include "tunesearch.h"

enum tune_target { TO_TRAIN, TO_WEIGHT, TO_AUGMENT, TO_GENERATE };

/* What a choice of tune_space.dim is for. */
struct tune_option {
	enum tune_target to;
	const char *key;               /* long option, without dashes */
	size_t source;                 /* TO_WEIGHT, TO_AUGMENT: whose */
	bool flag;                     /* its words are true and false */
	size_t line;
	const struct yaml *when;       /* conditions as they stand in the file, or NULL */
};

struct tune_source {
	const char *name, *file;
	const char *weight;            /* NULL: searched */
	bool augmented;
};

/* A measure of the validation data: a value that `sft eval` gives, or the loss. */
struct tune_measure {
	const char *name;              /* "rougeL"; "val_loss" */
	const char *metric;            /* "rouge"; NULL: the validation loss */
	bool lower;                    /* is better */
};

struct tune_space {
	struct run_plan p;             /* the file, the arena, the tools: for messages and commands */
	struct yaml doc;
	const char *model, *adapter, *seed;
	struct strings val;
	struct tune_source *source;    /* 0: nothing is trained */
	size_t   nsource;
	struct strings train;          /* words of options that are not searched */
	const char *method;            /* "lora", "full", "prefix"; NULL: searched */
	const char *prompts;           /* chat records to answer; NULL: nothing is generated */
	struct tune_measure metric, diversity;   /* diversity.name NULL: none */
	double   diversity_weight;
	struct tune_dim *dim;
	struct tune_option *option;    /* [ndim] */
	size_t   ndim, cap, capo;
	struct tune_opts search;
	double   runs, seconds, tokens;   /* the budget; 0: no bound */
};

/* S->p.a, path, dir and e are the caller's; the rest is zeroed before.  SFT_BADDATA "SPACE:LINE: what". */
int  space_read(struct tune_space *s);
void space_release(struct tune_space *s);
/* What a search of S depends on but its budget, as a hash: another one is another search. */
uint64_t space_key(const struct tune_space *s);
/* The value of choice I as words of a command line, behind OUT. */
void space_words(struct tune_space *s, size_t i, const char *text, struct strings *out);

/* --- for tunespace.c: choices (tunevalue.c) --- */

/* One more choice, NAME, of V: a value, a list of them, a range. */
int  value_take(struct tune_space *s, const char *name, struct tune_option o, const struct yaml *v);
/* The method that alone has option KEY of train; NULL: all have. */
const char *value_method(const char *key);
/* Conditions to places; choices come after those that they depend on. */
int  value_order(struct tune_space *s);
/* Would the tools take every value? */
int  value_check(struct tune_space *s);

#endif
