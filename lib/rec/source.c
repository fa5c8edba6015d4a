/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "mem.h"

enum { RAW = 1 << 17 };

enum packing { PLAIN, GZIP, ZSTD };

struct source {
	int fd;
	const char *path;               /* for messages; "standard input" */
	uint64_t bytes, size;
	enum packing packing;
	bool ended;                     /* the file has no more bytes */
	bool open_frame;                /* a gzip member or zstd frame has begun and not ended */
	z_stream z;
	ZSTD_DStream *zstd;
	size_t from, n;                 /* unused part of raw */
	unsigned char raw[RAW];
};

/* Read more of the file behind what is left in raw. */
static int fetch(struct source *s, struct err *e)
{
	ssize_t r;

	memmove(s->raw, s->raw + s->from, s->n - s->from);
	s->n -= s->from;
	s->from = 0;
	while ((r = read(s->fd, s->raw + s->n, RAW - s->n)) < 0 && errno == EINTR)
		;
	if (r < 0)
		return err_sys(e, s->path);
	s->ended = r == 0;
	s->n += (size_t)r;
	s->bytes += (uint64_t)r;
	return 0;
}

static int start_packing(struct source *s, struct err *e)
{
	static const unsigned char gzip[] = { 0x1f, 0x8b, 8 }, zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };
	int rc;

	while (s->n < 4 && !s->ended)
		if ((rc = fetch(s, e)) != 0)
			return rc;
	if (s->n >= 3 && memcmp(s->raw, gzip, 3) == 0) {
		s->packing = GZIP;
		if (inflateInit2(&s->z, 15 + 16) != Z_OK)
			return err_set(e, SFT_SYSTEM, "%s: zlib has no memory", s->path);
	} else if (s->n >= 4 && memcmp(s->raw, zstd, 4) == 0) {
		s->packing = ZSTD;
		if ((s->zstd = ZSTD_createDStream()) == NULL)
			return err_set(e, SFT_SYSTEM, "%s: zstd has no memory", s->path);
	}
	s->open_frame = s->packing != PLAIN;
	return 0;
}

int source_open(struct source **out, const char *path, struct err *e)
{
	struct source *s = mem_new(sizeof *s);
	bool standard = strcmp(path, "-") == 0;
	struct stat st;
	int rc = 0;

	*out = NULL;
	s->path = standard ? "standard input" : path;
	s->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0 || fstat(s->fd, &st) != 0)
		rc = err_sys(e, s->path);
	else if (S_ISDIR(st.st_mode))
		rc = err_set(e, SFT_BADDATA, "%s: is a folder (expected a file)", s->path);
	else if (S_ISREG(st.st_mode))
		s->size = (uint64_t)st.st_size;
	if (rc == 0)
		rc = start_packing(s, e);
	if (rc != 0)
		source_close(s);
	else
		*out = s;
	return rc;
}

static int read_plain(struct source *s, void *to, size_t n, size_t *got, struct err *e)
{
	ssize_t r;

	if (s->from < s->n) {
		*got = s->n - s->from < n ? s->n - s->from : n;
		memcpy(to, s->raw + s->from, *got);
		s->from += *got;
		return 0;
	}
	while ((r = read(s->fd, to, n)) < 0 && errno == EINTR)
		;
	if (r < 0)
		return err_sys(e, s->path);
	s->bytes += (uint64_t)r;
	*got = (size_t)r;
	return 0;
}

/* Behind a whole gzip member: another one, zeros that pad a tape, or nothing. */
static int next_member(struct source *s, struct err *e)
{
	while (s->from < s->n && s->raw[s->from] == 0)
		s->from++;
	if (s->from == s->n)
		return 0;
	if (s->raw[s->from] != 0x1f)
		return err_set(e, SFT_BADDATA, "%s: bytes behind the gzip data", s->path);
	inflateReset(&s->z);
	s->open_frame = true;
	return 0;
}

static int step_gzip(struct source *s, void *to, size_t n, size_t *got, struct err *e)
{
	int rc, z;

	if (!s->open_frame && (rc = next_member(s, e)) != 0)
		return rc;
	if (!s->open_frame)
		return 0;
	s->z.next_in = s->raw + s->from;
	s->z.avail_in = (uInt)(s->n - s->from);
	s->z.next_out = to;
	s->z.avail_out = (uInt)(n < 1u << 30 ? n : 1u << 30);
	z = inflate(&s->z, Z_NO_FLUSH);
	*got = (size_t)((char *)s->z.next_out - (char *)to);
	s->from = s->n - s->z.avail_in;
	if (z == Z_STREAM_END)
		s->open_frame = false;
	else if (z != Z_OK && z != Z_BUF_ERROR)
		return err_set(e, SFT_BADDATA, "%s: damaged gzip data (%s)", s->path, s->z.msg ? s->z.msg : "zlib");
	return 0;
}

static int step_zstd(struct source *s, void *to, size_t n, size_t *got, struct err *e)
{
	ZSTD_inBuffer in = { s->raw + s->from, s->n - s->from, 0 };
	ZSTD_outBuffer out = { to, n, 0 };
	size_t z = ZSTD_decompressStream(s->zstd, &out, &in);

	if (ZSTD_isError(z))
		return err_set(e, SFT_BADDATA, "%s: damaged zstd data (%s)", s->path, ZSTD_getErrorName(z));
	s->from += in.pos;
	*got = out.pos;
	if (in.pos || out.pos)
		s->open_frame = z != 0;
	return 0;
}

int source_read(struct source *s, void *to, size_t n, size_t *got, struct err *e)
{
	int rc = 0;

	*got = 0;
	if (s->packing == PLAIN)
		return read_plain(s, to, n, got, e);
	for (;;) {
		/* Output may be pending even where no input is left: ask before reading on. */
		size_t before = s->from;

		rc = s->packing == GZIP ? step_gzip(s, to, n, got, e) : step_zstd(s, to, n, got, e);
		if (rc != 0 || *got > 0)
			return rc;
		if (s->from < s->n && s->from != before)
			continue;
		if (s->ended)
			break;
		if ((rc = fetch(s, e)) != 0)
			return rc;
	}
	if (s->open_frame)
		return err_set(e, SFT_BADDATA, "%s: cut off (the packed data has no end)", s->path);
	return 0;
}

uint64_t source_bytes(const struct source *s)
{
	return s->bytes;
}

uint64_t source_size(const struct source *s)
{
	return s->size;
}

void source_close(struct source *s)
{
	if (s == NULL)
		return;
	if (s->packing == GZIP)
		inflateEnd(&s->z);
	ZSTD_freeDStream(s->zstd);
	if (s->fd > STDIN_FILENO)
		close(s->fd);
	mem_free(s);
}
