/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_INPUTTEXT_H
#define SFT_INPUTTEXT_H
/* What a system was asked: a column, or what the messages of a chat record say that are not the assistant's, a line break
 * between them. */
#include "rec.h"
#include "words.h"

struct inputs;

/* COLUMN (borrowed), or NULL: messages where there are, else the column input, prompt, question or text. */
struct inputs *inputs_new(const char *column);
void inputs_free(struct inputs *in);            /* NULL is fine */

struct input {
	struct text text;               /* p NULL: the record has none */
	bool chat;                      /* there are messages */
	uint64_t turns;                 /* messages of the user */
};

/* Of R; the text is borrowed until the next call, or R's.  SFT_BADDATA where the column that was asked for is missing and where
 * messages are no messages. */
int inputs_read(struct inputs *in, const struct rec *r, struct input *out, struct err *e);

#endif
