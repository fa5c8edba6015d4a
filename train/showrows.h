/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SHOWROWS_H
#define SFT_SHOWROWS_H
/* What the model is about to learn, for the eye. */
#include "data.h"
#include "tool.h"

/* With -v: the first sequences of the first file of D as notes, each with its length and its text; what the loss counts stands between « and ».  MODEL
 * gives the tokenizer; without one the ids are shown.  Long texts lose their middle. */
int show_rows(const struct data *d, const char *model, const struct tool *t, struct err *e);

#endif
