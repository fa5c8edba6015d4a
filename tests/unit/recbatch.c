/* SPDX-License-Identifier: Apache-2.0 */
/* Batches are the records that are read one by one, whatever the format, the lengths and the pieces in which a pipe gives them: what they
 * point to lies in the window's memory, which must not have moved. */
#define _GNU_SOURCE 1
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hash.h"
#include "rec.h"
#include "rng.h"
#include "test.h"

enum { COLUMNS = 3, MOST = 2048 };

static struct rec_opts o;
static struct tool t;
static struct err e;

struct seen {
	uint64_t hash, records, rejects;
	int rc;
};

static void see(struct seen *s, const struct rec *r)
{
	for (uint32_t i = 0; i < r->names->n; i++)
		s->hash = hash64(r->f[i].p, r->f[i].n, s->hash + r->f[i].type + r->names->len[i]);
	s->hash += r->line + r->num;
	s->records++;
}

static struct seen one_by_one(const char *path)
{
	struct seen s = {0};
	struct recin *in;
	struct rec *r;

	if ((s.rc = rec_open(&in, &path, 1, &o, &t, &e)) != 0)
		return s;
	while ((s.rc = rec_read(in, &r, &e)) == 0 && r)
		see(&s, r);
	s.rejects = rec_count(in) - s.records;
	rec_abandon(in);
	return s;
}

/* Looked at only when the batch is whole. */
static struct seen in_batches(const char *path, size_t max)
{
	static struct rec rec[MOST];
	struct seen s = {0};
	struct arena a = {0};
	struct recin *in;
	size_t n;

	if ((s.rc = rec_open(&in, &path, 1, &o, &t, &e)) != 0)
		return s;
	while ((s.rc = rec_read_batch(in, &a, rec, max, &n, &e)) == 0 && n) {
		for (size_t i = 0; i < n; i++)
			see(&s, rec + i);
		arena_reset(&a);
	}
	s.rejects = rec_count(in) - s.records;
	arena_release(&a);
	rec_abandon(in);
	return s;
}

/* --- records --- */

/* Mostly short, some longer than what is read at once. */
static size_t some_length(struct rng *g)
{
	return rng_below(g, 200) == 0 ? rng_below(g, 600000) : rng_below(g, rng_below(g, 10) ? 120 : 3000);
}

static void text(struct buf *b, struct rng *g, size_t n)
{
	static const char *const bits[] = { "a", "word ", "\n", "\"", ",", "\xe6\x97\xa5", "\xc3\xa9", "\xf0\x9f\x98\x80", "\t", "\r\n", "[]", "\\" };

	for (size_t from = b->n; b->n - from < n; )
		buf_str(b, bits[rng_below(g, 3) ? rng_below(g, 2) : rng_below(g, sizeof bits / sizeof *bits)]);
}

/* Records written by the suite's own writer, with bytes that make records bad here and there (but not in rec, which has none). */
static void make(struct buf *file, enum rec_format format, uint64_t seed)
{
	static const char *const name[COLUMNS] = { "id", "text", "more" };
	static const uint32_t len[COLUMNS] = { 2, 4, 4 };
	const struct names names = { COLUMNS, (const char **)name, (uint32_t *)len };
	static const char path[] = "recbatch.tmp";
	struct field f[COLUMNS];
	struct rec r = { &names, f, 0, 0, "-" };
	struct recout *out;
	struct rng g;
	struct rec_opts to = o;
	FILE *in;

	rng_init(&g, seed, 0);
	to.to = (int)(format == REC_TEXT ? REC_CSV : format);
	CHECK(rec_create(&out, path, format, &to, &t, &e) == 0);
	for (int i = 0; i < 1500; i++) {
		struct buf b[COLUMNS] = {{0}};

		for (int k = 0; k < COLUMNS; k++) {
			text(&b[k], &g, k == 1 ? some_length(&g) : rng_below(&g, 12));
			f[k] = (struct field){ b[k].p ? b[k].p : "", b[k].n, FIELD_TEXT };
		}
		if (format != REC_CSV && rng_below(&g, 4) == 0)
			f[2] = (struct field){ "[1,{\"a\":null}]", 14, FIELD_JSON };
		CHECK(rec_write(out, &r, &e) == 0);
		for (int k = 0; k < COLUMNS; k++)
			buf_free(&b[k]);
	}
	CHECK(rec_finish(out, &e) == 0);
	in = fopen(path, "rb");
	for (size_t k = 1; in && k; file->n += k)
		k = fread(buf_room(file, 1 << 20), 1, 1 << 20, in);
	CHECK(in && fclose(in) == 0 && unlink(path) == 0);
	for (size_t i = 200; format != REC_REC && format != REC_JSON && i < file->n; i += 1 + rng_below(&g, 400000))
		file->p[i] = "\xff,\"{"[rng_below(&g, 4)];
}

/* FILE through a pipe in pieces of any size; the path to read it by is put into PATH. */
static pid_t feed(const struct buf *file, uint64_t seed, char path[40], int *end)
{
	int fd[2];
	pid_t pid;
	struct rng g;

	CHECK(pipe(fd) == 0);
	if ((pid = fork()) == 0) {
		close(fd[0]);
		rng_init(&g, seed, 0);
		for (size_t at = 0, n; at < file->n; at += n) {
			n = 1 + rng_below(&g, rng_below(&g, 2) ? 1000 : 200000);
			if (n > file->n - at)
				n = file->n - at;
			if (write(fd[1], file->p + at, n) != (ssize_t)n)
				_exit(1);
		}
		_exit(0);
	}
	close(fd[1]);
	*end = fd[0];
	snprintf(path, 40, "/dev/fd/%d", fd[0]);
	return pid;
}

static void same(struct seen want, struct seen got)
{
	CHECK(got.rc == want.rc && got.records == want.records && got.rejects == want.rejects && got.hash == want.hash);
}

static void compare(enum rec_format format, uint64_t seed)
{
	static const size_t max[] = { 7, MOST };
	struct buf file = {0};
	struct seen want;
	char path[40];
	int fd;

	make(&file, format, seed);
	fd = memfd_create("file", 0);
	CHECK(write(fd, file.p, file.n) == (ssize_t)file.n);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	o.from = (int)format;
	o.on_bad = 1;
	want = one_by_one(path);
	CHECK(want.rc == 0 && want.records > 500);
	for (size_t i = 0; i < sizeof max / sizeof *max; i++) {
		int status, end;
		pid_t pid;

		same(want, in_batches(path, max[i]));
		pid = feed(&file, seed + i, path, &end);
		same(want, in_batches(path, max[i]));
		close(end);
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	}
	close(fd);
	buf_free(&file);
	o.from = REC_AUTO;
}

static void batches_of_csv(void) { compare(REC_CSV, 1); }
static void batches_of_jsonl(void) { compare(REC_JSONL, 2); }
static void batches_of_json(void) { compare(REC_JSON, 3); }
static void batches_of_rec(void) { compare(REC_REC, 4); }
static void batches_of_lines(void) { compare(REC_TEXT, 5); }

int main(void)
{
	rec_opts_init(&o);
	t.name = "test";
	t.quiet = true;
	TEST(batches_of_csv);
	TEST(batches_of_jsonl);
	TEST(batches_of_json);
	TEST(batches_of_rec);
	TEST(batches_of_lines);
	return test_end();
}
