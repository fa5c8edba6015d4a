/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_LIKELIER_H
#define SFT_LIKELIER_H
/* Does a model prefer the terms that answers use to what could be taken for them?  Nothing is generated: an answer is given to the model up to a
 * term, and the term, each of its rivals (termrivals.h) and the few characters that follow are scored in its place. */
#include <stdint.h>
#include "err.h"
#include "loaded.h"
#include "rec.h"
#include "termset.h"
#include "tool.h"

struct likelier_opts {
	struct loaded_opts use;
	struct rec_opts rec;            /* output and to are not used */
	const char *template;           /* --chat-template, NULL: the model's */
	const struct termset *terms;
	const char *items;              /* --items FILE: a line for each place where a term stands */
};

struct likelier_count {
	uint64_t places, right;         /* where a term with rivals stands; where it is likelier than each of them */
	uint64_t pairs, won;            /* of a term and a rival; where the term is likelier */
	double margin;                  /* sum over places: log-probability of the term less that of its likeliest rival */
};

struct likelier {
	uint64_t records;
	struct likelier_count all;
	struct likelier_count *term;    /* [termset_count]; likelier_free */
};

/* The chat records of FILES; their last assistant messages are the answers.  SFT_BADDATA where one has none. */
int  likelier_run(const struct likelier_opts *o, struct tool *t, const char *const *files, size_t n, struct likelier *out, struct err *e);
void likelier_free(struct likelier *l);

#endif
