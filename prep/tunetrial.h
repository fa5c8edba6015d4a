/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TUNETRIAL_H
#define SFT_TUNETRIAL_H
/* A trial as commands, and as a folder: DIR/trials/0001/ with trial.json (its choices, its commands, what came out at each rung), run/ of
 * sft train, and answers.jsonl with their figures.json where answers are measured.
 *
 * trial.json is written before a trial begins and after each of its rungs, whole or not at all: the folders are what a search goes on from. */
#include "json.h"
#include "tunespace.h"

struct trial_rung {
	bool   failed;                 /* the loss, or the measure, is no number: the search goes on without it */
	double value;                  /* of the metric, with the weighted diversity where there is one */
	double quality, diversity;     /* its parts; NaN: none */
	double steps, tokens, trained; /* done by then; 0 where nothing is trained */
	double seconds, other;         /* of training by its log and of the other commands; of these alone */
};

struct trial {
	size_t number;                 /* from 1 */
	const struct tune_choice *choice;   /* [ndim] */
	size_t known;
	struct trial_rung rung[TUNE_RUNGS];
};

/* Command lines of `sft`, one after the other. */
struct trial_commands {
	struct strings *line;
	size_t n, cap;
};

/* Lower is better. */
double trial_cost(const struct tune_space *s, const struct trial_rung *r);
/* "DIR/trials/0001", in the arena. */
const char *trial_folder(struct tune_space *s, const struct trial *t);
/* Training T to rung RUNG and measuring it, everything in FOLDER but augmented data, which go to DATA; TO_END: a run of its own, from the start to the
 * last rung. */
void trial_commands(struct tune_space *s, const struct trial *t, size_t rung, const char *folder, const char *data, bool to_end, struct trial_commands *out);
void trial_commands_free(struct trial_commands *c);
/* A JSON array of them, each an array of words that begins with "sft". */
void trial_commands_json(const struct trial_commands *c, struct jw *w);
/* What the folder knows of T: T->known and its rungs; 0 of them where there is none.  SFT_BADDATA where it holds other choices. */
int  trial_load(struct tune_space *s, struct trial *t, struct err *e);
/* trial.json. */
int  trial_save(struct tune_space *s, const struct trial *t, struct err *e);
/* The next rung of T from its log and figures; FAILED: its training ended with a loss that is no number; OTHER: seconds of the commands beside training. */
int  trial_measure(struct tune_space *s, struct trial *t, size_t rung, bool failed, double other, struct err *e);
/* Does its log hold a step: has training begun? */
bool trial_begun(struct tune_space *s, const struct trial *t);

#endif
