/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RUNNEW_H
#define SFT_RUNNEW_H
/* A first recipe for a table: which column is asked and which is answered is guessed from its first records. */
#include "tool.h"

/* The recipe for table PATH and MODEL, with comments, into OUT.  SFT_BADDATA where it has fewer than two columns or two records. */
int runnew_write(const char *path, const char *model, const struct tool *t, struct buf *out, struct err *e);

#endif
