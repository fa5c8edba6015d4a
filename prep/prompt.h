/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_PROMPT_H
#define SFT_PROMPT_H
/* Records of any shape made into chat records, or into the text that a chat template makes of them.
 *
 * The system message is --system, else the record's own, else the task; a task that is not the system message opens the first
 * user message.  Examples stand before the input, as lines "input: ..." and "output: ...", the input then likewise with "output:"
 * left open, so that the answer begins where those of the examples do.  Whatever is the same for all records (task, fixed
 * examples) comes first: training and scoring compute it once. */
#include <stdbool.h>
#include <stdint.h>
#include "chat.h"
#include "names.h"
#include "rec.h"
#include "shots.h"
#include "talk.h"
#include "template.h"

struct prompt_opts {
	const char *task, *system;          /* texts; NULL: none */
	const char *input, *output, *slice; /* columns */
	const char *template, *vars, *shots;/* files */
	int shape;                          /* enum shape: SHAPE_AUTO or what --from says */
	int64_t k;                          /* examples for each record; -1: not given (3) */
	int select;                         /* enum select */
	bool render;
	const char *chat_template;
	uint64_t seed;
};

struct prompt {
	const struct prompt_opts *o;
	struct template *tmpl;
	const struct json *vars;            /* object, or NULL */
	struct shots shots;
	struct chat_template *chat;
	struct arena a;
};

/* What a thread needs to make records. */
struct prompt_work {
	const struct prompt *p;
	struct namesets sets;               /* names of the records made */
	struct json_parser *parser;
	struct similar *similar;            /* for --select similar, else NULL */
	uint32_t *pick;
	uint64_t fewer;                     /* records that got fewer than k examples */
};

/* RO, T: for reading the file of examples.  SFT_USAGE where options do not go together. */
int  prompt_open(struct prompt *p, const struct prompt_opts *o, const struct rec_opts *ro, const struct tool *t, struct err *e);
void prompt_close(struct prompt *p);

void prompt_work_open(struct prompt_work *w, const struct prompt *p);
void prompt_work_close(struct prompt_work *w);

/* The record that R becomes; it lives in A, its names in W.  What is wrong with R is SFT_BADDATA with a reason in F. */
int prompt_record(struct prompt_work *w, const struct rec *r, struct arena *a, struct rec *out, struct fault *f);
/* What stands for R in its place when it cannot be rendered: {"id","error"}. */
void prompt_error(struct prompt_work *w, const struct rec *r, const char *msg, struct arena *a, struct rec *out);

/* The fields of R as a JSON object in A (promptrec.c). */
int  record_json(struct prompt_work *w, const struct rec *r, struct arena *a, struct json *out, struct fault *f);
/* T and what travels along of OBJ as record OUT. */
int  record_chat(struct prompt_work *w, const struct rec *r, const struct json *obj, enum shape shape, const struct talk *t, struct arena *a, struct rec *out, struct fault *f);
/* A record of one member (and the id of OBJ, if it has one). */
void record_one(struct prompt_work *w, const struct rec *r, const struct json *obj, const char *key, struct field value, struct arena *a, struct rec *out);
/* A value as text: strings, numbers and booleans; null is empty.  False for lists and maps. */
bool value_text(const struct json *v, struct json *out);

#endif
