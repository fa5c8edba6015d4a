/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SOURCE_H
#define SFT_SOURCE_H
/* The bytes of a file or of standard input, unpacked where they are gzip or zstd (seen by content).  source.c is the door to
 * zlib and zstd for reading. */
#include <stddef.h>
#include <stdint.h>
#include "err.h"

struct source;

/* PATH "-": standard input.  SFT_SYSTEM if it cannot be opened (a folder: SFT_BADDATA). */
int  source_open(struct source **s, const char *path, struct err *e);
/* Up to N bytes into TO; *GOT is 0 at the end only.  SFT_BADDATA where packed data is damaged or cut off. */
int  source_read(struct source *s, void *to, size_t n, size_t *got, struct err *e);
uint64_t source_bytes(const struct source *s);      /* read from the file so far, packed */
uint64_t source_size(const struct source *s);       /* of the file; 0: not known */
void source_close(struct source *s);                /* NULL is fine */

#endif
