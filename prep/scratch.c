/* SPDX-License-Identifier: Apache-2.0 */
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"

enum { MEMORY = 4 << 20, CHUNK = 256 << 10, DIRECT = 64 << 10 };   /* DIRECT: so many bytes are written from where they are */

struct scratch {
	const char *dir;
	uint64_t memory;               /* bytes that stay in the buffer */
	int fd;                        /* -1: all of it is in the buffer */
	struct buf buf;                /* writing: bytes not yet in the file; reading: a window of it */
	uint64_t size;                 /* bytes written in all */
	uint64_t at;                   /* next byte to read */
	uint64_t window;               /* place in the stream of buf.p[0] */
	int reading;
};

struct scratch *scratch_new(const char *dir)
{
	struct scratch *s = mem_new(sizeof *s);

	s->dir = dir;
	s->memory = MEMORY;
	s->fd = -1;
	return s;
}

void scratch_limit(struct scratch *s, uint64_t memory)
{
	s->memory = memory;
}

/* A file without a name; where the file system has none, one that is removed at once. */
static int open_file(struct scratch *s, struct err *e)
{
	char path[4096];

	s->fd = open(s->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (s->fd >= 0)
		return 0;
	snprintf(path, sizeof path, "%s/sft-XXXXXX", s->dir);
	if ((s->fd = mkostemp(path, O_CLOEXEC)) < 0)
		return err_sys(e, s->dir);
	unlink(path);
	return 0;
}

static int write_all(struct scratch *s, const char *p, size_t n, struct err *e)
{
	while (n) {
		ssize_t k = write(s->fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_sys(e, s->dir);
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

static int flush(struct scratch *s, struct err *e)
{
	int rc;

	if (s->fd < 0 && (rc = open_file(s, e)) != 0)
		return rc;
	rc = write_all(s, s->buf.p, s->buf.n, e);
	if (s->buf.cap > 2 * CHUNK)
		buf_free(&s->buf);
	s->buf.n = 0;
	return rc;
}

int scratch_write(struct scratch *s, const void *p, size_t n, struct err *e)
{
	int rc;

	s->size += n;
	if (s->buf.n && (s->fd < 0 ? s->buf.n + n > s->memory : n >= DIRECT || s->buf.n + n > CHUNK) && (rc = flush(s, e)) != 0)
		return rc;
	if (s->fd >= 0 && n >= DIRECT)
		return write_all(s, p, n, e);
	if (n)
		buf_add(&s->buf, p, n);
	return 0;
}

int scratch_rewind(struct scratch *s, struct err *e)
{
	int rc;

	if (s->fd >= 0 && !s->reading) {
		if ((rc = flush(s, e)) != 0)
			return rc;
		buf_free(&s->buf);                               /* the window may be smaller */
	}
	s->reading = 1;
	if (s->fd >= 0)
		s->buf.n = 0;
	s->at = s->window = 0;
	return 0;
}

/* Make the window begin at s->at and hold at least N bytes. */
static int fill(struct scratch *s, size_t n, struct err *e)
{
	size_t want = n > CHUNK ? n : CHUNK, have = (size_t)(s->window + s->buf.n - s->at);

	if (want > s->size - s->at)
		want = (size_t)(s->size - s->at);
	if (have)
		memmove(s->buf.p, s->buf.p + (s->at - s->window), have);
	s->buf.n = have;
	s->window = s->at;
	buf_room(&s->buf, want - have);
	while (s->buf.n < want) {
		ssize_t k = pread(s->fd, s->buf.p + s->buf.n, want - s->buf.n, (off_t)(s->window + s->buf.n));

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k < 0 ? err_sys(e, s->dir) : err_set(e, SFT_SYSTEM, "%s: a temporary file has become shorter", s->dir);
		s->buf.n += (size_t)k;
	}
	return 0;
}

int scratch_read(struct scratch *s, size_t n, const void **p, struct err *e)
{
	int rc;

	if (n > s->size - s->at)
		return err_set(e, SFT_SYSTEM, "%s: a temporary file ends too early", s->dir);
	if (s->at + n > s->window + s->buf.n && (rc = fill(s, n, e)) != 0)
		return rc;
	*p = s->buf.p ? s->buf.p + (s->at - s->window) : "";
	s->at += n;
	return 0;
}

int scratch_at(struct scratch *s, uint64_t at, size_t n, void *to, struct err *e)
{
	char *p = to;

	if (at > s->size || n > s->size - at)
		return err_set(e, SFT_SYSTEM, "%s: a temporary file ends too early", s->dir);
	if (s->fd < 0) {
		if (n)
			memcpy(p, s->buf.p + at, n);
		return 0;
	}
	while (n) {
		ssize_t k = pread(s->fd, p, n, (off_t)at);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k < 0 ? err_sys(e, s->dir) : err_set(e, SFT_SYSTEM, "%s: a temporary file has become shorter", s->dir);
		p += k;
		at += (uint64_t)k;
		n -= (size_t)k;
	}
	return 0;
}

int scratch_view(struct scratch *s, uint64_t at, size_t n, void *to, const void **p, struct err *e)
{
	*p = to;
	if (s->fd >= 0 || at > s->size || n > s->size - at)
		return scratch_at(s, at, n, to, e);
	*p = s->buf.p + at;
	return 0;
}

void scratch_done(struct scratch *s, uint64_t at, size_t n)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), from = (at + page - 1) / page * page, to = (at + n) / page * page;

	if (s->fd >= 0 && from < to)                             /* a failure costs room, nothing else */
		(void)fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)(to - from));
}

uint64_t scratch_size(const struct scratch *s)
{
	return s->size;
}

uint64_t scratch_left(const struct scratch *s)
{
	return s->size - s->at;
}

void scratch_free(struct scratch *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		close(s->fd);
	buf_free(&s->buf);
	mem_free(s);
}
