/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_FUZZ_RECORDS_H
#define SFT_FUZZ_RECORDS_H
/* Any bytes as a file of records, for the entries of the formats: what is read one by one and in batches must be the same, and
 * must be UTF-8; what is written of it must read back. */
#define _GNU_SOURCE 1
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hash.h"
#include "rec.h"
#include "recout.h"

struct seen {
	uint64_t hash, records;
	int rc;
};

/* BYTES as an open file without a name. */
static inline int fuzz_file(const void *bytes, size_t n, char path[40])
{
	int fd = memfd_create("fuzz", 0);

	if (fd < 0 || (n && write(fd, bytes, n) != (ssize_t)n))
		abort();
	snprintf(path, 40, "/proc/self/fd/%d", fd);
	return fd;
}

static inline void fuzz_see(struct seen *s, const struct rec *r)
{
	for (uint32_t i = 0; i < r->names->n; i++) {
		const struct field *f = r->f + i;

		if (!json_utf8(f->p, f->n) || !json_utf8(r->names->name[i], r->names->len[i]))
			abort();
		s->hash = hash64(r->names->name[i], r->names->len[i], s->hash);
		s->hash = hash64(f->p, f->n, s->hash + (f->type == FIELD_JSON));
	}
	s->hash = hash64(&r->line, sizeof r->line, s->hash);
	s->records++;
}

/* CSV: the rows in BACK, if it is not NULL. */
static inline struct seen fuzz_read(const char *path, const struct rec_opts *o, bool batch, struct buf *back)
{
	struct seen s = {0};
	struct tool t = { .name = "fuzz", .quiet = true };
	struct err e = {0};
	struct recin *in;
	struct rec *r, some[5];
	struct arena a = {0};
	size_t n;

	if ((s.rc = rec_open(&in, &path, 1, o, &t, &e)) != 0)
		return s;
	if (back && rec_names(in))
		writecsv_header(back, ',', rec_names(in));
	while (!batch && (s.rc = rec_read(in, &r, &e)) == 0 && r) {
		fuzz_see(&s, r);
		if (back)
			writecsv_row(back, ',', r->f, r->names->n);
	}
	while (batch && (s.rc = rec_read_batch(in, &a, some, 5, &n, &e)) == 0 && n) {
		for (size_t i = 0; i < n; i++)
			fuzz_see(&s, some + i);
		arena_reset(&a);
	}
	if (s.rc != 0 && e.msg[0] == '\0')
		abort();
	arena_release(&a);
	rec_abandon(in);
	return s;
}

static inline void fuzz_records(const uint8_t *data, size_t size, enum rec_format from)
{
	struct rec_opts o;
	struct buf back = {0};
	struct seen one, many;
	char path[40];
	int fd = fuzz_file(data, size, path);

	rec_opts_init(&o);
	o.from = (int)from;
	o.on_bad = 1;
	o.max_record = 2000;
	one = fuzz_read(path, &o, false, from == REC_CSV ? &back : NULL);
	many = fuzz_read(path, &o, true, NULL);
	if (one.rc != many.rc || (one.rc == 0 && (one.hash != many.hash || one.records != many.records)))
		abort();
	close(fd);
	if (from == REC_CSV && one.rc == 0) {
		fd = fuzz_file(back.p, back.n, path);
		o.on_bad = 0;                            /* nothing bad in what we write, and all of it comes back */
		o.max_record = 1 << 20;
		o.encoding = "UTF-8";
		many = fuzz_read(path, &o, false, NULL);
		if (many.rc != 0 || many.records != one.records)
			abort();
		close(fd);
	}
	buf_free(&back);
}

#endif
