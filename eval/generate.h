/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_GENERATE_H
#define SFT_GENERATE_H
/* Chat records in, predictions out: a record's last assistant message is taken out, an answer of the model's own put beside it. */
#include <stdbool.h>
#include <stdint.h>
#include "decode.h"
#include "err.h"
#include "loaded.h"
#include "rec.h"
#include "tool.h"

struct generate_opts {
	struct loaded_opts use;
	struct rec_opts rec;
	const char *template;           /* --chat-template, NULL: the model's */
	bool    from_ids;               /* records have "ids" in place of "messages" */
	int64_t max_tokens;
	struct { double temperature, top_p, min_p, repeat_penalty; int64_t top_k; } sample;
	struct opt_list stop;           /* texts */
	bool    no_stop;                /* neither stop tokens nor texts end an answer */
	int64_t logprobs;               /* alternatives of each token, -1: no "logprobs" */
	bool    ids;                    /* "prediction_ids" too */
	const char *choices;            /* "@FILE": a choice a line; else a column with a list of them; NULL: generate */
	int     norm;                   /* enum choice_norm (genchoice.h) */
	bool    choices_best;           /* the best choice alone, without the scores of all */
};

void generate_opts_init(struct generate_opts *o);

/* FILES as rec_open() takes them. */
int generate_run(const struct generate_opts *o, struct tool *t, const char *const *files, size_t n, struct err *e);

#endif
