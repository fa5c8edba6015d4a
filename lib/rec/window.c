/* SPDX-License-Identifier: Apache-2.0 */
#include "window.h"

#include <string.h>

#include "json.h"

enum { CHUNK = 1 << 18 };

/* The text at hand is at TO now, where CAP bytes are. */
static void move(struct window *w, char *to, size_t cap)
{
	memmove(to, w->buf + w->start, w->end - w->start);
	w->end -= w->start;
	w->valid = w->valid > w->start ? w->valid - w->start : 0;
	w->start = 0;
	w->buf = to;
	w->cap = cap;
}

/* Room for N bytes behind the end: what is used up makes way first, unless others point to it. */
static void make_room(struct window *w, size_t n)
{
	size_t need = w->end - w->start + n + WINDOW_PAD;

	if (w->cap - w->end >= n + WINDOW_PAD)
		return;
	if (w->lent) {
		move(w, arena_get(w->lent, need), need);
		return;
	}
	if (w->start)
		move(w, w->buf, w->cap);
	if (w->cap < need) {
		w->cap = w->own_cap = need * 2;
		w->buf = w->own = mem_grow(w->own, w->cap, 1);
	}
}

void window_lend(struct window *w, struct arena *a)
{
	size_t cap = w->end - w->start + (w->last ? 0 : CHUNK) + WINDOW_PAD;

	w->lent = a;
	move(w, arena_get(a, cap), cap);
}

void window_home(struct window *w)
{
	size_t need = w->end - w->start + WINDOW_PAD;

	if (need > w->own_cap) {
		w->own_cap = need;
		mem_free(w->own);
		w->own = mem_grow(NULL, need, 1);
	}
	move(w, w->own, w->own_cap);
	w->lent = NULL;
	w->hold = false;
}

/* Check what came in; a sequence cut at the end waits for the rest. */
static void check(struct window *w)
{
	size_t from = w->valid > w->start ? w->valid : w->start, to = w->end;

	for (int i = 0; !w->last && i < 3 && to > from && ((unsigned char)w->buf[to - 1] & 0xc0) == 0x80; i++)
		to--;
	if (!w->last && to > from && ((unsigned char)w->buf[to - 1] & 0xc0) == 0xc0)
		to--;
	if (to > from && json_utf8(w->buf + from, to - from))
		w->valid = to;
}

static int read_plain(struct window *w, size_t want, struct err *e)
{
	size_t got;
	int rc;

	make_room(w, want);
	if ((rc = source_read(w->src, w->buf + w->end, want, &got, e)) != 0)
		return rc;
	w->end += got;
	w->last = got == 0;
	return 0;
}

int window_open(struct window *w, const char *path, struct err *e)
{
	int rc;

	memset(w, 0, sizeof *w);
	w->encoding = "binary";
	if ((rc = source_open(&w->src, path, e)) != 0)
		return rc;
	w->cap = w->own_cap = WINDOW_FIRST + CHUNK + WINDOW_PAD;
	w->buf = w->own = mem_grow(NULL, w->cap, 1);
	while (rc == 0 && !w->last && w->end < WINDOW_FIRST)
		rc = read_plain(w, WINDOW_FIRST - w->end, e);
	if (rc != 0)
		window_close(w);
	return rc;
}

/* Decode until there is text or the end. */
static int read_decoded(struct window *w, struct err *e)
{
	size_t got, n;
	int rc;
	bool end = false;

	while (w->text_at == w->text.n && !end) {
		w->text.n = w->text_at = 0;
		w->raw.n = 0;
		if ((rc = source_read(w->src, buf_room(&w->raw, CHUNK), CHUNK, &got, e)) != 0)
			return rc;
		end = got == 0;
		decoder_add(w->dec, w->raw.p, got, end, &w->text);
	}
	n = w->text.n - w->text_at;
	if (n > CHUNK)
		n = CHUNK;
	make_room(w, n);
	if (n)
		memcpy(w->buf + w->end, w->text.p + w->text_at, n);
	w->end += n;
	w->text_at += n;
	w->last = n == 0;
	return 0;
}

int window_decode(struct window *w, const char *name, struct err *e)
{
	bool whole = w->last;
	int rc;

	w->encoding = strcmp(name, "auto") == 0 ? encoding_detect(w->buf, w->end, whole) : name;
	if ((rc = decoder_open(&w->dec, w->encoding, e)) != 0)
		return rc;
	if (w->dec) {
		decoder_add(w->dec, w->buf, w->end, whole, &w->text);
		w->start = w->end = 0;
		w->last = false;
		if (whole) {                     /* the decoder is done: its output is all */
			make_room(w, w->text.n);
			memcpy(w->buf, w->text.p ? w->text.p : "", w->text.n);
			w->end = w->text.n;
			w->text_at = w->text.n;
			w->last = true;
		} else if ((rc = read_decoded(w, e)) != 0) {
			return rc;
		}
	}
	check(w);
	if (window_size(w) >= 3 && memcmp(window_text(w), "\xef\xbb\xbf", 3) == 0)
		window_take(w, 3);
	return 0;
}

int window_more(struct window *w, struct err *e)
{
	size_t size = window_size(w), room = w->cap - w->end;

	/* A pipe gives little at a time: what room there is gets filled before there is more of it, which doubles.  (A window that is lent
	 * leaves its old room behind.) */
	if (room > WINDOW_PAD + CHUNK / 4)
		return window_some(w, room - WINDOW_PAD, e);
	return window_some(w, size > CHUNK ? size : CHUNK, e);
}

int window_some(struct window *w, size_t want, struct err *e)
{
	int rc;

	if (w->last)
		return 0;
	if (w->hold)
		return WINDOW_LATER;
	rc = w->dec ? read_decoded(w, e) : read_plain(w, want, e);
	if (!w->binary)
		check(w);
	return rc;
}

bool window_utf8(const struct window *w, size_t n)
{
	return w->start + n <= w->valid || json_utf8(w->buf + w->start, n);
}

void window_close(struct window *w)
{
	source_close(w->src);
	decoder_close(w->dec);
	buf_free(&w->raw);
	buf_free(&w->text);
	mem_free(w->own);
	memset(w, 0, sizeof *w);
}
