/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hash.h"
#include "json.h"
#include "mem.h"
#include "runlog.h"
#include "tbevents.h"
#include "test.h"

static char dir[] = "runlog.XXXXXX";

static struct buf slurp(const char *path)
{
	struct buf b = {0};
	FILE *f = fopen(path, "rb");
	size_t k;

	while (f && (k = fread(buf_room(&b, 4096), 1, 4096, f)) > 0)
		b.n += k;
	if (f)
		fclose(f);
	buf_ch(&b, 0);
	b.n--;
	return b;
}

static struct buf read_log(void)
{
	char path[128];

	snprintf(path, sizeof path, "%s/log.jsonl", dir);
	return slurp(path);
}

/* Member KEY of line LINE as a number; NaN where there is none. */
static double number(const struct buf *log, int line, const char *key)
{
	struct json_parser *p = json_parser_new();
	const struct json *j = NULL;
	const char *at = log->p, *end;
	double v = NAN;
	struct arena a;

	arena_init(&a);
	for (; at && line > 0; line--)
		at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL;
	if (at && (end = strchr(at, '\n')) && json_parse(p, &a, at, (size_t)(end - at), &j, NULL) == 0 && json_get(j, key))
		v = json_double(json_get(j, key));
	arena_release(&a);
	json_parser_free(p);
	return v;
}

static void step(struct runlog *l, uint64_t s)
{
	CHECK(runlog_step(l, &(struct runlog_step){ .step = s, .epoch = 0.1 * (double)s, .loss = 1.0 / (double)s, .grad_norm = 2, .lr = 1e-3,
		.tokens = 100, .trained = 40, .tokens_per_s = 1234.5678, .rss = 1 << 20, .seconds = 0.25 }, NULL) == 0);
}

static void lines(void)
{
	struct runlog *l = NULL;
	struct buf log;
	uint64_t length;

	CHECK(runlog_create(&l, dir, NULL) == 0);
	step(l, 1);
	step(l, 2);
	CHECK(runlog_eval(l, &(struct runlog_eval){ .step = 2, .loss = log1p(1), .best = true }, NULL) == 0);
	CHECK(runlog_sync(l, &length, NULL) == 0);
	log = read_log();
	CHECK(log.n == length);
	CHECK(number(&log, 0, "step") == 1 && number(&log, 0, "loss") == 1 && number(&log, 1, "loss") == 0.5);
	CHECK(number(&log, 1, "epoch") == 0.2 && number(&log, 1, "trained_tokens") == 40 && number(&log, 1, "tokens") == 100);
	CHECK(number(&log, 1, "rss_bytes") == 1 << 20 && number(&log, 1, "lr") == 1e-3 && number(&log, 1, "seconds") == 0.25);
	CHECK(number(&log, 2, "step") == 2 && fabs(number(&log, 2, "val_perplexity") - 2) < 1e-12);
	CHECK(strstr(log.p, "\"best\":true}\n") != NULL);
	buf_free(&log);
	/* killed in the middle of step 4's line, with the state of step 2 */
	step(l, 3);
	CHECK(runlog_close(l, NULL) == 0);
	CHECK(runlog_resume(&l, dir, length, 2, NULL) == 0);
	step(l, 3);
	CHECK(runlog_close(l, NULL) == 0);
	log = read_log();
	CHECK(number(&log, 3, "resumed") == 2 && number(&log, 4, "step") == 3 && isnan(number(&log, 5, "step")));
	buf_free(&log);
	/* a log that is shorter than the state says is no reason to stop */
	CHECK(runlog_resume(&l, dir, 1 << 20, 3, NULL) == 0);
	CHECK(runlog_close(l, NULL) == 0);
}

static uint32_t u32(const char *p) { uint32_t v; memcpy(&v, p, 4); return v; }

static uint32_t masked(const char *p, size_t n)
{
	uint32_t c = crc32c(0, p, n);

	return (c >> 15 | c << 17) + 0xa282ead8u;
}

/* Checks the frames of an event file; the number of records, the payload of record I in *PAYLOAD (length in *N). */
static int records(const struct buf *b, int i, const char **payload, size_t *n)
{
	size_t at = 0;
	int count = 0;

	while (at + 16 <= b->n) {
		uint64_t len;

		memcpy(&len, b->p + at, 8);
		CHECK(u32(b->p + at + 8) == masked(b->p + at, 8));
		if (len > b->n - at - 16)
			break;
		CHECK(u32(b->p + at + 12 + len) == masked(b->p + at + 12, len));
		if (count++ == i) {
			*payload = b->p + at + 12;
			*n = len;
		}
		at += 16 + len;
	}
	CHECK(at == b->n);
	return count;
}

static void events(void)
{
	static const char scalar[] = "\x10\x07\x2a\x0a\x0a\x08\x0a\x01x\x15\x00\x00\x00\x3f";
	static const char start[] = "\x10\x05\x3a\x02\x08\x01";
	char sub[64], path[512] = "";
	struct tbevents *t = NULL;
	const char *p = NULL;
	struct dirent *d;
	size_t n = 0;
	struct buf b;
	DIR *f;

	snprintf(sub, sizeof sub, "%s/tb", dir);
	CHECK(mkdir(sub, 0777) == 0);
	CHECK(tb_open(&t, sub, 5, NULL) == 0);
	CHECK(tb_scalars(t, 7, &(struct tb_scalar){ "x", 0.5 }, 1, NULL) == 0);
	CHECK(tb_close(t, NULL) == 0);
	for (f = opendir(sub); (d = readdir(f)) != NULL; )
		if (strstr(d->d_name, "tfevents"))
			snprintf(path, sizeof path, "%s/%s", sub, d->d_name);
	closedir(f);
	b = slurp(path);
	CHECK(records(&b, 0, &p, &n) == 3 && n == 24 && p[0] == 9 && memcmp(p + 9, "\x1a\x0d" "brain.Event:2", 15) == 0);
	records(&b, 1, &p, &n);
	CHECK(n == 9 + sizeof start - 1 && memcmp(p + 9, start, sizeof start - 1) == 0);
	records(&b, 2, &p, &n);
	CHECK(n == 9 + sizeof scalar - 1 && memcmp(p + 9, scalar, sizeof scalar - 1) == 0);
	buf_free(&b);
}

static void no_folder(void)
{
	struct runlog *l = NULL;
	struct err e = {0};

	CHECK(runlog_create(&l, "no/such/folder", &e) == SFT_SYSTEM && l == NULL && strstr(e.msg, "log.jsonl"));
}

int main(void)
{
	char cmd[64];

	if (mkdtemp(dir) == NULL)
		return 1;
	TEST(lines);
	TEST(events);
	TEST(no_folder);
	snprintf(cmd, sizeof cmd, "rm -r %s", dir);
	return system(cmd) != 0 || test_end();
}
