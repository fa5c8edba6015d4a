/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_MEM_H
#define SFT_MEM_H
/* Memory, in three kinds.
 *
 * 1. Small things (names, tables, lines): mem_new() and friends never return NULL.  When
 *    the system has none left they write one line and end the process with status 4.
 *    This is the only place in the library that ends a process; files being written are
 *    nameless or under a temporary name then, so nothing short is left behind.
 * 2. Large things whose size comes from input or options (models, activations, tables):
 *    mem_try(), which returns NULL, and the caller says what it wanted the memory for.
 *    A size read from a file is checked against the file before it gets here.
 * 3. Things of one record or one batch: an arena, reset as a whole. */
#include <stddef.h>
#include <stdint.h>

void *mem_new(size_t n);                       /* zeroed */
void *mem_grow(void *p, size_t n, size_t size);/* realloc to n * size, overflow checked */
char *mem_str(const char *s);                  /* strdup */
char *mem_strn(const char *s, size_t n);       /* copy of N bytes, NUL added */
void *mem_try(size_t n);                       /* 64-byte aligned, zeroed; NULL if there is none */
/* Memory of HAD bytes from this function (P NULL: none yet) made N bytes, N >= HAD: 16-byte aligned, what is new zeroed.  Large memory is
 * moved by the system's tables, not copied, so there are never two of it.  NULL if there is none; P is then as it was. */
void *mem_more(void *p, size_t had, size_t n);
void  mem_free(void *p);                       /* any of the above; NULL is fine */

/* An arena: allocation by bumping a pointer, freed all at once.  Not for threads to share. */
struct arena {
	struct arena_block *head;              /* newest block */
	char *p, *end;                         /* free part of it */
	size_t total;                          /* bytes of all blocks */
};

void  arena_init(struct arena *a);
void *arena_get(struct arena *a, size_t n);    /* 16-byte aligned, not zeroed; never NULL */
char *arena_str(struct arena *a, const char *s, size_t n);  /* copy, NUL added */
void  arena_trim(struct arena *a, void *p, size_t n);      /* P, the last allocation, keeps its first N bytes; the rest is free again */
void  arena_reset(struct arena *a);            /* all allocations end; one block is kept */
/* Back to what it was when *A was copied to MARK: what was allocated since then ends. */
void  arena_rewind(struct arena *a, const struct arena *mark);
void  arena_release(struct arena *a);          /* memory back; the arena may be used again */

/* A byte buffer that grows.  `struct buf b = {0}` is empty and ready.  b.p is NUL-terminated
 * whenever it is not NULL. */
struct buf {
	char  *p;
	size_t n, cap;
};

void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_ch(struct buf *b, char c);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *buf_room(struct buf *b, size_t n);       /* space for N more bytes at the end; then b->n += used */
void buf_free(struct buf *b);                  /* empty again, memory back */

/* Grow array P of COUNT used and *CAP allocated elements so that one more fits. */
#define ARRAY_ROOM(p, count, cap) do { \
	if ((count) == (cap)) { \
		(cap) = (cap) ? (cap) * 2 : 16; \
		(p) = mem_grow((p), (cap), sizeof *(p)); \
	} \
} while (0)

#endif
