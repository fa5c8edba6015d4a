/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SINK_H
#define SFT_SINK_H
/* Where output goes: a file that is there whole or not at all (outfile.h), packed where its name ends in .gz or .zst.
 * sink.c is the door to zlib and zstd for writing.  The bytes of a packed file hold no time and no name. */
#include <stdbool.h>
#include <stddef.h>
#include "err.h"

struct sink;

int  sink_open(struct sink **s, const char *path, struct err *e);    /* NULL or "-": standard output */
int  sink_write(struct sink *s, const void *p, size_t n, struct err *e);
int  sink_close(struct sink *s, struct err *e);                      /* S is gone, also on failure */
void sink_abandon(struct sink *s);                                   /* NULL is fine */

#endif
