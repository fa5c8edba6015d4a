/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_LINEFILE_H
#define SFT_LINEFILE_H
/* Plain lines for --hyp and --ref: only LF ends a line; CR, VT, FF, U+0085, U+2028 and the like are characters of it.
 * A byte order mark at the beginning is dropped. */
#include <stdbool.h>
#include <stdint.h>
#include "err.h"
#include "words.h"

struct linefile;

int  linefile_open(struct linefile **f, const char *path, struct err *e);     /* "-": standard input */
/* The next line without its LF, borrowed until the next call; *MORE false at the end.  SFT_BADDATA with FILE:LINE where
 * it is not UTF-8. */
int  linefile_next(struct linefile *f, struct text *line, bool *more, struct err *e);
uint64_t linefile_lines(const struct linefile *f);    /* read so far */
const char *linefile_path(const struct linefile *f);
void linefile_close(struct linefile *f);              /* NULL is fine */

#endif
