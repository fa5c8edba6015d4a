/* SPDX-License-Identifier: Apache-2.0 */
/* Token shards: what goes in comes out; every flipped bit and every cut is found; the pack plan holds every sequence once. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hash.h"
#include "mem.h"
#include "outfile.h"
#include "rng.h"
#include "shard.h"
#include "shardfmt.h"

static const char INFO[] = "{\"tool\":\"test\"}";

/* Sequence I of the test: lengths 1..40, ids of all widths, masks and names in all combinations. */
static struct shard_seq made(uint64_t i, uint32_t *ids, uint8_t *mask, char name[32])
{
	struct shard_seq s = { .n = 1 + (uint32_t)(hash64(&i, 8, 1) % 40), .weight = i % 3 ? 1.0f : 0.5f + (float)i, .slice = "", .source = "" };
	static const uint32_t top[] = { 0xff, 0xffff, 0xffffff, 0xffffffff };

	for (uint32_t t = 0; t < s.n; t++) {
		uint64_t k[2] = { i - (t < 5 && i % 2), t };  /* odd ones share five ids with their predecessor */

		ids[t] = (uint32_t)hash64(k, 16, 0) & top[i / 2 % 4];
		mask[t] = i % 5 == 0 ? 0 : i % 5 == 1 ? 1 : (hash64(k, 16, 2) & 7) < i % 5;
	}
	snprintf(name, 32, "id-%llu", (unsigned long long)i);
	s.id = i % 7 ? name : "";
	s.slice = i % 4 == 1 ? "slice" : "";
	s.source = i % 4 == 2 ? "quelle \xc3\xbc" : "";
	s.ids = ids;
	s.mask = mask;
	return s;
}

/* Room for the rivals of a sequence of 40 tokens. */
struct rivals_room {
	uint32_t at[40], first[41], id[80];
};

/* Every third sequence has rivals at some of its trained positions: one or two ids, of all widths. */
static void add_rivals(struct shard_seq *s, uint64_t i, struct rivals_room *r)
{
	uint32_t n = 0, k = 0;

	for (uint32_t t = 1; i % 3 == 0 && t < s->n; t++) {
		uint32_t one = (uint32_t)hash64(&t, 4, i) >> (8 * (t % 4)), two = one + 1 + t % 200;

		if (!s->mask[t] || t % 3 == 1 || one == s->ids[t] || two == s->ids[t] || two < one)
			continue;
		r->at[n] = t;
		r->first[n++] = k;
		r->id[k++] = one;
		if (t % 2)
			r->id[k++] = two;
	}
	r->first[n] = k;
	s->rivals = (struct shard_rivals){ n, r->at, r->first, r->id };
}

static int write_shard(const char *path, uint64_t count, uint32_t pack, struct err *e)
{
	struct shard_out *o;
	uint32_t ids[40];
	uint8_t mask[40];
	char name[32];
	struct rivals_room room;
	int rc = shard_create(&o, path, 77, INFO, e);

	for (uint64_t i = 0; rc == 0 && i < count; i++) {
		struct shard_seq s = made(i, ids, mask, name);

		add_rivals(&s, i, &room);
		if ((rc = shard_put(o, &s, e)) != 0)
			shard_drop(o);
	}
	return rc ? rc : shard_finish(o, pack, e);
}

static void round_trip(void)
{
	struct err e = {0};
	struct shard *s = NULL;
	struct shard_buf buf = {0};
	struct shard_seq got;
	uint32_t ids[40], max_len = 0;
	uint8_t mask[40];
	char name[32];
	uint64_t tokens = 0, n = 30000, with = 0;
	struct rivals_room room;

	CHECK(write_shard("a.shard", n, 0, &e) == 0);
	CHECK(shard_is("a.shard") && !shard_is("missing"));
	CHECK(shard_open(&s, "a.shard", &e) == 0);
	if (s == NULL)
		return;
	CHECK(shard_count(s) == n && shard_rows(s) == 0 && shard_vocab_hash(s) == 77);
	CHECK_STR(shard_info_json(s), INFO);
	for (uint64_t i = 0; i < n; i++) {
		struct shard_seq want = made(i, ids, mask, name);
		uint32_t trained = 0;

		for (uint32_t t = 1; t < want.n; t++)
			trained += mask[t];
		CHECK(shard_get(s, i, &buf, &got, &e) == 0);
		CHECK(got.n == want.n && got.n == shard_len(s, i) && got.weight == want.weight && got.trained == trained);
		CHECK(memcmp(got.ids, ids, want.n * sizeof *ids) == 0 && memcmp(got.mask, mask, want.n) == 0);
		add_rivals(&want, i, &room);
		with += want.rivals.n > 0;
		CHECK(got.rivals.n == want.rivals.n);
		if (got.rivals.n == want.rivals.n && got.rivals.n) {
			CHECK(memcmp(got.rivals.at, room.at, got.rivals.n * sizeof *room.at) == 0);
			CHECK(memcmp(got.rivals.first, room.first, (got.rivals.n + 1) * sizeof *room.first) == 0);
			CHECK(memcmp(got.rivals.id, room.id, room.first[got.rivals.n] * sizeof *room.id) == 0);
		}
		CHECK_STR(got.id, want.id);
		CHECK_STR(got.slice, want.slice);
		CHECK_STR(got.source, want.source);
		if (i % 2)
			CHECK(shard_shared(s, i) >= (want.n < shard_len(s, i - 1) ? want.n < 5 ? want.n : 5 : shard_len(s, i - 1) < 5 ? shard_len(s, i - 1) : 5));
		tokens += want.n;
		max_len = want.n > max_len ? want.n : max_len;
	}
	CHECK(shard_tokens(s) == tokens && shard_max_len(s) == max_len);
	CHECK(with > 1000 && shard_with_rivals(s) == with);
	CHECK(shard_verify(s, &e) == 0);
	shard_buf_free(&buf);
	shard_close(s);
}

static void empty_shard(void)
{
	struct err e = {0};
	struct shard *s = NULL;

	CHECK(write_shard("none.shard", 0, 64, &e) == 0);
	CHECK(shard_open(&s, "none.shard", &e) == 0 && shard_count(s) == 0 && shard_rows(s) == 0 && shard_verify(s, &e) == 0);
	shard_close(s);
}

static void plan(void)
{
	struct err e = {0};
	struct shard *s = NULL;
	uint64_t n = 5000, seen = 0, tokens = 0;

	CHECK(write_shard("p.shard", n, 64, &e) == 0);
	CHECK(shard_open(&s, "p.shard", &e) == 0);
	if (s == NULL)
		return;
	for (uint64_t r = 0; r < shard_rows(s); r++) {
		const uint32_t *seq;
		uint32_t k, sum = 0;

		shard_row(s, r, &seq, &k);
		for (uint32_t i = 0; i < k; i++)
			sum += shard_len(s, seq[i]);
		CHECK(k > 0 && sum <= 64);
		seen += k;
		tokens += sum;
	}
	CHECK(seen == n && tokens == shard_tokens(s) && shard_pack(s) == 64);
	/* Lengths 1..40 in rows of 64 fit nearly without loss. */
	CHECK(shard_rows(s) <= shard_tokens(s) / 64 * 102 / 100 + 1);
	shard_close(s);
	CHECK(write_shard("q.shard", n, 20, &e) == SFT_BADDATA);
	CHECK(strstr(e.msg, "packed row") != NULL && access("q.shard", F_OK) != 0);
}

/* All of the file PATH. */
static char *whole(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	char *p;

	if (f == NULL || fstat(fileno(f), &st))
		abort();
	*n = (size_t)st.st_size;
	p = mem_new(*n + 1);
	if (fread(p, 1, *n, f) != *n)
		abort();
	fclose(f);
	return p;
}

/* 0 where BYTES as a file open, verify and read well. */
static int judge(const char *bytes, size_t n)
{
	struct err e = {0};
	struct shard *s = NULL;
	struct shard_buf buf = {0};
	struct shard_seq seq;
	int rc;

	if (out_whole("x.shard", bytes, n, false, &e))
		abort();
	rc = shard_open(&s, "x.shard", &e);
	for (uint64_t i = 0; rc == 0 && i < shard_count(s); i++)
		shard_get(s, i, &buf, &seq, &e);       /* must not crash, whatever is in it */
	if (rc == 0)
		rc = shard_verify(s, &e);
	shard_buf_free(&buf);
	shard_close(s);
	return rc;
}

static void every_bit(void)
{
	struct err e = {0};
	size_t n, missed = 0;
	char *p;

	CHECK(write_shard("b.shard", 7, 64, &e) == 0);
	p = whole("b.shard", &n);
	CHECK(judge(p, n) == 0);
	for (size_t bit = 0; bit < 8 * n; bit++) {
		p[bit / 8] ^= (char)(1 << bit % 8);
		missed += judge(p, n) != SFT_BADDATA;
		p[bit / 8] ^= (char)(1 << bit % 8);
	}
	CHECK(missed == 0);
	for (size_t cut = 0; cut < n; cut++)
		missed += judge(p, cut) != SFT_BADDATA;
	CHECK(missed == 0);
	mem_free(p);
}

/* Files that lie, with checksums made right again: an error or a shard, never a crash. */
static void lies(void)
{
	struct err e = {0};
	struct rng r;
	size_t n;
	char *p, *q;

	CHECK(write_shard("l.shard", 9, 64, &e) == 0);
	p = whole("l.shard", &n);
	q = mem_new(n);
	rng_init(&r, 5, 0);
	for (int round = 0; round < 3000; round++) {
		struct shard_tail t;
		struct shard_block *b;

		memcpy(q, p, n);
		for (int k = 0; k <= round % 3; k++)
			q[sizeof(struct shard_head) + rng_below(&r, (uint32_t)(n - sizeof(struct shard_head) - 8))] = (char)rng_below(&r, 256);
		memcpy(&t, q + n - sizeof t, sizeof t);
		if (t.tables > n - sizeof t || (t.tables + 7) / 8 * 8 + sizeof *b > n - sizeof t)
			continue;
		b = (void *)(q + (t.tables + 7) / 8 * 8);
		if (b->at <= n && b->n <= n - b->at)
			b->crc = crc32c(0, q + b->at, b->n);
		t.crc_head = crc32c(0, q, sizeof(struct shard_head) + strlen(INFO));
		t.crc_tables = crc32c(0, q + t.tables, n - sizeof t - t.tables);
		t.crc = crc32c(0, &t, offsetof(struct shard_tail, crc));
		memcpy(q + n - sizeof t, &t, sizeof t);
		judge(q, n);
	}
	CHECK(1);
	mem_free(p);
	mem_free(q);
}

static void refused(void)
{
	struct err e = {0};
	struct shard_out *o = NULL;
	uint32_t ids[2] = { 1, 2 };
	uint8_t mask[2] = { 0, 2 };
	struct shard_seq s = { .ids = ids, .mask = mask, .n = 0, .weight = 1, .id = "", .slice = "", .source = "" };

	CHECK(shard_create(&o, "r.shard", 0, "{}", &e) == 0);
	CHECK(shard_put(o, &s, &e) == SFT_BADDATA);
	s.n = 2;
	CHECK(shard_put(o, &s, &e) == SFT_BADDATA);
	mask[1] = 1;
	s.weight = -1;
	CHECK(shard_put(o, &s, &e) == SFT_BADDATA);
	s.weight = 1;
	CHECK(shard_put(o, &s, &e) == 0);
	for (int k = 0; k < 6; k++) {
		static const uint32_t at[][2] = { { 0, 1 }, { 1, 1 }, { 2, 3 }, { 1, 2 }, { 1, 2 }, { 1, 2 } };
		static const uint32_t first[][3] = { { 0, 1, 2 }, { 0, 1, 2 }, { 0, 1, 2 }, { 0, 0, 1 }, { 0, 2, 3 }, { 0, 1, 2 } };
		static const uint32_t id[][3] = { { 9, 9 }, { 8, 9 }, { 9, 9 }, { 9, 9 }, { 9, 9, 9 }, { 2, 9 } };

		s.rivals = (struct shard_rivals){ 1 + (k < 2), at[k], first[k], id[k] };
		CHECK(shard_put(o, &s, &e) == SFT_BADDATA);
	}
	shard_drop(o);
	CHECK(access("r.shard", F_OK) != 0);
}

/* A shard of version 1 is one of version 2 that has no rivals. */
static void version_1(void)
{
	struct err e = {0};
	struct shard_out *o = NULL;
	uint32_t ids[3] = { 5, 6, 7 }, at = 1, first[] = { 0, 1 }, id = 9;
	uint8_t mask[3] = { 0, 1, 1 };
	struct shard_seq s = { .ids = ids, .mask = mask, .n = 3, .weight = 1, .id = "a", .slice = "", .source = "" };

	for (int rivals = 0; rivals < 2; rivals++) {
		struct shard_head *h;
		struct shard_tail *t;
		size_t n;
		char *p;

		s.rivals = (struct shard_rivals){ (uint32_t)rivals, &at, first, &id };
		CHECK(shard_create(&o, "v.shard", 0, "{}", &e) == 0 && shard_put(o, &s, &e) == 0 && shard_finish(o, 0, &e) == 0);
		p = whole("v.shard", &n);
		h = (void *)p;
		t = (void *)(p + n - sizeof *t);
		CHECK(h->version == 2 && t->rivals == (uint32_t)rivals && judge(p, n) == 0);
		for (int tail = 0; tail < 2; tail++) {
			h->version = 1;
			t->rivals = tail ? 0 : t->rivals;
			t->crc_head = crc32c(0, p, sizeof *h + 2);
			t->crc = crc32c(0, t, offsetof(struct shard_tail, crc));
			CHECK(judge(p, n) == (rivals ? SFT_BADDATA : 0));
		}
		mem_free(p);
	}
}

int main(void)
{
	TEST(version_1);
	TEST(round_trip);
	TEST(empty_shard);
	TEST(plan);
	TEST(every_bit);
	TEST(lies);
	TEST(refused);
	return test_end();
}
