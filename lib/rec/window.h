/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_WINDOW_H
#define SFT_WINDOW_H
/* A window that slides over a text: the reader takes records from its front, bytes of the source come in at its end, as UTF-8
 * whatever the file's encoding.  It grows only where one record is longer than it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "encoding.h"
#include "err.h"
#include "mem.h"
#include "source.h"

enum { WINDOW_FIRST = 1 << 20, WINDOW_PAD = 64 };
enum { WINDOW_LATER = -1 };            /* not a status of err.h: there would be more, but it is not fetched now */

struct window {
	struct source *src;
	struct decoder *dec;           /* NULL: the bytes are the text */
	struct buf raw, text;          /* with DEC: what was read; what was decoded and does not fit in yet */
	size_t text_at;
	const char *encoding;
	char *own;                     /* the window's own memory */
	size_t own_cap;
	struct arena *lent;            /* BUF lies in it, and what was taken stays there; NULL: BUF is OWN */
	bool hold;                     /* give WINDOW_LATER rather than fetch: the batch has enough */
	char *buf;
	size_t cap, start, end;        /* the text at hand is buf[start..end); WINDOW_PAD bytes behind it may be read */
	size_t valid;                  /* buf[..valid) is known to be UTF-8 */
	uint64_t taken;                /* bytes of text taken so far */
	bool last;                     /* the source has no more */
	bool binary;                   /* not text: nothing is checked */
};

/* Open PATH ("-": standard input) and read its first MiB, not yet decoded.  PEEK bytes may then be looked at. */
int  window_open(struct window *w, const char *path, struct err *e);
/* Decide the encoding (NAME "auto": by the first MiB), decode what was read and drop a BOM. */
int  window_decode(struct window *w, const char *name, struct err *e);
/* More text at the end; w->last is set where there is no more.  Pointers into the text at hand move; those to what was taken
 * stay good if the window is lent.  The window grows where it is full. */
int  window_more(struct window *w, struct err *e);
/* The same, but no more than N bytes (at least 1). */
int  window_some(struct window *w, size_t n, struct err *e);
/* Let the text at hand, and what comes, lie in A, so that records taken from it need no copy; until window_home(). */
void window_lend(struct window *w, struct arena *a);
/* What is still to be taken goes back to the window's own memory. */
void window_home(struct window *w);
/* Is the text from buf[start] on, N bytes, UTF-8?  Costs nothing where all of a read was. */
bool window_utf8(const struct window *w, size_t n);
void window_close(struct window *w);

static inline char *window_text(const struct window *w)  { return w->buf + w->start; }
static inline size_t window_size(const struct window *w) { return w->end - w->start; }
static inline void window_take(struct window *w, size_t n)
{
	w->start += n;
	w->taken += n;
}

#endif
