/* SPDX-License-Identifier: Apache-2.0 */
#include "sink.h"

#include <string.h>

#include <zlib.h>
#include <zstd.h>

#include "mem.h"
#include "outfile.h"

enum { PACKED = 1 << 17, ZSTD_LEVEL = 3, GZIP_LEVEL = 6 };

struct sink {
	struct outfile *out;
	bool gzip;
	z_stream z;
	ZSTD_CStream *zstd;
	char packed[PACKED];
};

static bool ends(const char *path, const char *end)
{
	size_t n = strlen(path), m = strlen(end);

	return n > m && strcmp(path + n - m, end) == 0;
}

static void sink_free(struct sink *s)
{
	if (s->gzip)
		deflateEnd(&s->z);
	ZSTD_freeCStream(s->zstd);
	mem_free(s);
}

int sink_open(struct sink **out, const char *path, struct err *e)
{
	struct sink *s = mem_new(sizeof *s);
	int rc = 0;

	*out = NULL;
	if (path && ends(path, ".gz")) {
		s->gzip = deflateInit2(&s->z, GZIP_LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
		if (!s->gzip)
			rc = err_set(e, SFT_SYSTEM, "%s: zlib has no memory", path);
	} else if (path && ends(path, ".zst")) {
		s->zstd = ZSTD_createCStream();
		if (s->zstd == NULL || ZSTD_isError(ZSTD_CCtx_setParameter(s->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL))
		    || ZSTD_isError(ZSTD_CCtx_setParameter(s->zstd, ZSTD_c_checksumFlag, 1)))
			rc = err_set(e, SFT_SYSTEM, "%s: zstd has no memory", path);
	}
	if (rc == 0)
		rc = out_open(&s->out, path, e);
	if (rc != 0)
		sink_free(s);
	else
		*out = s;
	return rc;
}

static int write_gzip(struct sink *s, const void *p, size_t n, bool end, struct err *e)
{
	const char *from = p;
	int z, rc;

	do {
		size_t part = n < 1u << 30 ? n : 1u << 30;

		s->z.next_in = (unsigned char *)(uintptr_t)from;
		s->z.avail_in = (uInt)part;
		do {
			s->z.next_out = (unsigned char *)s->packed;
			s->z.avail_out = PACKED;
			z = deflate(&s->z, end ? Z_FINISH : Z_NO_FLUSH);
			if ((rc = out_write(s->out, s->packed, PACKED - s->z.avail_out, e)) != 0)
				return rc;
		} while (s->z.avail_out == 0 || (end && z == Z_OK));
		from += part;
		n -= part;
	} while (n > 0);
	return 0;
}

static int write_zstd(struct sink *s, const void *p, size_t n, bool end, struct err *e)
{
	ZSTD_inBuffer in = { p, n, 0 };
	size_t left;
	int rc;

	do {
		ZSTD_outBuffer out = { s->packed, PACKED, 0 };

		left = ZSTD_compressStream2(s->zstd, &out, &in, end ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return err_set(e, SFT_SYSTEM, "zstd: %s", ZSTD_getErrorName(left));
		if ((rc = out_write(s->out, s->packed, out.pos, e)) != 0)
			return rc;
	} while (in.pos < in.size || (end && left > 0));
	return 0;
}

int sink_write(struct sink *s, const void *p, size_t n, struct err *e)
{
	if (n == 0)
		return 0;
	if (s->gzip)
		return write_gzip(s, p, n, false, e);
	return s->zstd ? write_zstd(s, p, n, false, e) : out_write(s->out, p, n, e);
}

int sink_close(struct sink *s, struct err *e)
{
	int rc = 0;

	if (s->gzip)
		rc = write_gzip(s, "", 0, true, e);
	else if (s->zstd)
		rc = write_zstd(s, "", 0, true, e);
	if (rc != 0)
		out_abandon(s->out);
	else
		rc = out_close(s->out, false, e);
	sink_free(s);
	return rc;
}

void sink_abandon(struct sink *s)
{
	if (s == NULL)
		return;
	out_abandon(s->out);
	sink_free(s);
}
