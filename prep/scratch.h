/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SCRATCH_H
#define SFT_SCRATCH_H
/* A stream of bytes that is written once and then read from its beginning, as often as wanted: what a tool must see twice
 * while its memory stays bounded.  Up to 4 MiB (or what scratch_limit() says) are kept in memory; what is longer goes to a file
 * without a name in DIR, which is gone when the process ends, however it ends. */
#include <stddef.h>
#include <stdint.h>
#include "err.h"

struct scratch;

struct scratch *scratch_new(const char *dir);             /* DIR is borrowed */
void scratch_limit(struct scratch *s, uint64_t memory);   /* bytes that stay in memory; before the first is written */
int  scratch_write(struct scratch *s, const void *p, size_t n, struct err *e);
/* End of writing, or back to the beginning. */
int  scratch_rewind(struct scratch *s, struct err *e);
/* The next N bytes, all of them: *P is valid until the next call.  SFT_SYSTEM if there are not as many. */
int  scratch_read(struct scratch *s, size_t n, const void **p, struct err *e);
/* N bytes from place AT, into TO.  After scratch_rewind() only. */
int  scratch_at(struct scratch *s, uint64_t at, size_t n, void *to, struct err *e);
/* The same without a copy where they are in memory: *P is there, or TO. */
int  scratch_view(struct scratch *s, uint64_t at, size_t n, void *to, const void **p, struct err *e);
/* N bytes from place AT will not be read again: their room is given back, where the file system can.  After scratch_rewind() only; several
 * threads at once, as they may call scratch_at() and scratch_view(). */
void scratch_done(struct scratch *s, uint64_t at, size_t n);
uint64_t scratch_size(const struct scratch *s);
uint64_t scratch_left(const struct scratch *s);           /* bytes not yet read */
void scratch_free(struct scratch *s);                     /* NULL is fine */

#endif
