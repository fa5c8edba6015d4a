/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gguf.h"
#include "mem.h"
#include "test.h"

enum { U8, I8, U16, I16, U32, I32, F32, BOOL, STR, ARR, U64, I64, F64 };

/* --- a GGUF file being written, field by field, so that each can be wrong --- */

static void u32(struct buf *b, uint32_t v) { buf_add(b, &v, 4); }
static void u64(struct buf *b, uint64_t v) { buf_add(b, &v, 8); }
static void f32(struct buf *b, float v) { buf_add(b, &v, 4); }
static void str(struct buf *b, const char *s) { u64(b, strlen(s)); buf_str(b, s); }
static void key(struct buf *b, const char *k, uint32_t type) { str(b, k); u32(b, type); }
static void arr(struct buf *b, const char *k, uint32_t type, uint64_t n) { key(b, k, ARR); u32(b, type); u64(b, n); }

static void head(struct buf *b, uint32_t version, uint64_t tensors, uint64_t kvs)
{
	buf_free(b);
	buf_str(b, "GGUF");
	u32(b, version);
	u64(b, tensors);
	u64(b, kvs);
}

static void info(struct buf *b, const char *name, unsigned nd, const uint64_t *dim, uint32_t type, uint64_t off)
{
	str(b, name);
	u32(b, nd);
	for (unsigned i = 0; i < nd; i++)
		u64(b, dim[i]);
	u32(b, type);
	u64(b, off);
}

static void data(struct buf *b, size_t n)
{
	while (b->n % 32)
		buf_ch(b, 0);
	for (size_t i = 0; i < n; i++)
		buf_ch(b, (char)i);
}

static void whole(struct buf *b)
{
	const uint64_t q[] = { 64, 2 }, v[] = { 3 };

	head(b, 3, 3, 9);
	key(b, "general.architecture", STR), str(b, "llama");
	key(b, "a.u8", U8), buf_ch(b, (char)200);
	key(b, "a.i16", I16), buf_add(b, "\xfe\xff", 2);
	key(b, "a.f32", F32), f32(b, 0.5f);
	key(b, "a.bool", BOOL), buf_ch(b, 1);
	arr(b, "tokens", STR, 3), str(b, "x"), str(b, ""), str(b, "yz");
	arr(b, "types", I8, 3), buf_add(b, "\1\377\3", 3);
	arr(b, "scores", F32, 2), f32(b, 1.5f), f32(b, -2.f);
	arr(b, "wide", U64, 1), u64(b, 1u << 31);
	info(b, "blk.0.attn_q.weight", 2, q, 3, 0);            /* Q4_1: 80 bytes, padded to 96 */
	info(b, "norm", 1, v, 0, 96);
	info(b, "scalar", 0, NULL, 0, 128);
	data(b, 132);
}

static char *refusal(const struct buf *b)
{
	static char msg[1100];
	struct err e = {0};
	struct gguf *g;
	int rc = gguf_bytes(&g, b->p, b->n, &e);

	snprintf(msg, sizeof msg, "%d %s", rc, rc ? e.msg : "accepted");
	gguf_close(g);
	return msg;
}
#define REFUSED(b, text) do { const char *m_ = refusal(b); if (strncmp(m_, "3 ", 2) || !strstr(m_, text)) { \
	printf("# %s\n", m_); CHECK(!"refused with: " text); } } while (0)

/* --- tests --- */

static void reads_whole(void)
{
	struct buf b = {0};
	struct err e = {0};
	struct gguf *g;
	const struct tensor *t;

	whole(&b);
	CHECK(gguf_bytes(&g, b.p, b.n, &e) == 0);
	CHECK(gguf_count(g) == 3);
	t = gguf_find(g, "blk.0.attn_q.weight");
	CHECK(t && t->type == DT_Q4_1 && t->ndim == 2 && t->dim[0] == 2 && t->dim[1] == 64 && t->bytes == 80 && t->count == 128);
	CHECK(t && ((const char *)t->data)[1] == 1);
	t = gguf_find(g, "norm");
	CHECK(t && t->bytes == 12 && ((const char *)t->data)[0] == 96);
	t = gguf_at(g, 2);
	CHECK(strcmp(t->name, "scalar") == 0 && t->ndim == 0 && t->count == 1 && t->bytes == 4);
	CHECK(gguf_find(g, "nor") == NULL);
	gguf_close(g);
	buf_free(&b);
}

static void metadata_by_type(void)
{
	struct buf b = {0};
	struct err e = {0};
	struct gguf *g;
	uint64_t u;
	double d;
	bool yes;
	const char *s;
	size_t n;
	const int32_t *v;
	const float *f;

	whole(&b);
	CHECK(gguf_bytes(&g, b.p, b.n, &e) == 0);
	CHECK(gguf_str(g, "general.architecture", &s, &n, &e) == 0 && n == 5 && memcmp(s, "llama", 5) == 0);
	CHECK(gguf_u64(g, "a.u8", &u, &e) == 0 && u == 200);
	CHECK(gguf_u64(g, "a.i16", &u, &e) == 3 && strstr(e.msg, "-2"));
	CHECK(gguf_f64(g, "a.i16", &d, &e) == 0 && d == -2);
	CHECK(gguf_f64(g, "a.f32", &d, &e) == 0 && d == 0.5);
	CHECK(gguf_bool(g, "a.bool", &yes, &e) == 0 && yes);
	CHECK(gguf_strs(g, "tokens", &n, &e) == 0 && n == 3);
	gguf_strs_at(g, "tokens", 2, &s, &n);
	CHECK(n == 2 && memcmp(s, "yz", 2) == 0);
	gguf_strs_at(g, "tokens", 1, &s, &n);
	CHECK(n == 0);
	CHECK(gguf_ints(g, "types", &v, &n, &e) == 0 && n == 3 && v[0] == 1 && v[1] == -1 && v[2] == 3);
	CHECK(gguf_f32s(g, "scores", &f, &n, &e) == 0 && n == 2 && f[1] == -2.f);
	CHECK(gguf_ints(g, "wide", &v, &n, &e) == 3 && strstr(e.msg, "out of range"));
	CHECK(gguf_has(g, "wide") && !gguf_has(g, "wid"));
	/* one type in place of another is an error, never a default */
	CHECK(gguf_u64(g, "a.f32", &u, &e) == 3 && strstr(e.msg, "of type f32 (expected an integer)"));
	CHECK(gguf_u64(g, "gone", &u, &e) == 3 && strstr(e.msg, "'gone' is missing"));
	CHECK(gguf_f32s(g, "types", &f, &n, &e) == 3 && strstr(e.msg, "an array of i8"));
	CHECK(gguf_ints(g, "a.u8", &v, &n, &e) == 3 && gguf_strs(g, "general.architecture", &n, &e) == 3);
	CHECK(gguf_str(g, "tokens", &s, &n, &e) == 3 && gguf_bool(g, "a.u8", &yes, &e) == 3 && gguf_f64(g, "scores", &d, &e) == 3);
	gguf_close(g);
	buf_free(&b);
}

static void cut_at_every_length(void)
{
	struct buf b = {0};

	whole(&b);
	for (size_t n = 0; n < b.n; n++) {
		char *copy = malloc(n + 1);                /* exactly so large: a read beyond it is seen by the sanitizer */
		struct err e = {0};
		struct gguf *g;

		memcpy(copy, b.p, n);
		copy = realloc(copy, n ? n : 1);
		CHECK(gguf_bytes(&g, copy, n, &e) == SFT_BADDATA && e.msg[0] && g == NULL);
		free(copy);
	}
	buf_free(&b);
}

/* Whatever one byte becomes, the file is read or refused; nothing else happens. */
static void every_byte_changed(void)
{
	static const unsigned char to[] = { 0, 1, 9, 0x7f, 0x80, 0xff };
	struct buf b = {0};
	int refused = 0;

	whole(&b);
	for (size_t i = 0; i < b.n; i++)
		for (size_t k = 0; k < sizeof to; k++) {
			char was = b.p[i];

			b.p[i] = (char)to[k];
			refused += refusal(&b)[0] == '3';
			b.p[i] = was;
		}
	CHECK(refused > 200);
	buf_free(&b);
}

static void refuses_heads(void)
{
	struct buf b = {0};

	head(&b, 3, 0, 0);
	CHECK(refusal(&b)[0] == '0');
	head(&b, 2, 0, 0);
	CHECK(refusal(&b)[0] == '0');
	head(&b, 1, 0, 0);
	REFUSED(&b, "version 1 (expected 2 or 3)");
	head(&b, 4, 0, 0);
	REFUSED(&b, "version 4");
	head(&b, 3u << 24, 0, 0);
	REFUSED(&b, "big-endian");
	head(&b, 3, UINT64_MAX, 0);
	REFUSED(&b, "number of tensors");
	head(&b, 3, 0, UINT64_MAX / 8);
	REFUSED(&b, "number of keys");
	b.p[0] = 'g';
	REFUSED(&b, "magic");
	buf_free(&b);
}

static void refuses_metadata(void)
{
	struct buf b = {0};
	static char big[66000];

	head(&b, 3, 0, 1), key(&b, "", U8), buf_ch(&b, 1), data(&b, 0);
	REFUSED(&b, "expected a length of 1 to");
	memset(big, 'k', 65536);
	head(&b, 3, 0, 1), key(&b, big, U8), buf_ch(&b, 1);
	REFUSED(&b, "key 65536");
	head(&b, 3, 0, 1), u64(&b, 3), buf_add(&b, "a\0b", 3), u32(&b, U8), buf_ch(&b, 1);
	REFUSED(&b, "NUL");
	head(&b, 3, 0, 1), u64(&b, UINT64_MAX), u64(&b, 0);
	REFUSED(&b, "key");
	head(&b, 3, 0, 2), key(&b, "a", U8), buf_ch(&b, 1), key(&b, "a", U8), buf_ch(&b, 2);
	REFUSED(&b, "'a' appears twice");
	head(&b, 3, 0, 1), key(&b, "a", 13), u64(&b, 0);
	REFUSED(&b, "type 13");
	head(&b, 3, 0, 1), key(&b, "a", BOOL), buf_ch(&b, 2), u64(&b, 0);
	REFUSED(&b, "bool with value 2");
	head(&b, 3, 0, 1), arr(&b, "a", ARR, 1), u64(&b, 0);
	REFUSED(&b, "array of arrays");
	head(&b, 3, 0, 1), arr(&b, "a", U64, UINT64_MAX / 8 + 2), u64(&b, 0);
	REFUSED(&b, "elements in array");
	head(&b, 3, 0, 1), arr(&b, "a", STR, 1u << 20), u64(&b, 0);
	REFUSED(&b, "strings in array");
	head(&b, 3, 0, 1), arr(&b, "a", STR, 2), u64(&b, UINT64_MAX), u64(&b, 0);
	REFUSED(&b, "string needs 18446744073709551615 bytes");
	buf_free(&b);
}

static void refuses_alignment(void)
{
	struct buf b = {0};
	const uint32_t bad[] = { 0, 3, 48, 1u << 17, 1u << 31 };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		head(&b, 3, 0, 1), key(&b, "general.alignment", U32), u32(&b, bad[i]);
		REFUSED(&b, "power of two");
	}
	head(&b, 3, 0, 1), key(&b, "general.alignment", U64), u64(&b, 32);
	REFUSED(&b, "expected u32");
	head(&b, 3, 0, 1), key(&b, "general.alignment", U32), u32(&b, 65536);
	CHECK(refusal(&b)[0] == '0');
	buf_free(&b);
}

static void refuses_tensors(void)
{
	struct buf b = {0};
	const uint64_t one[] = { 1 }, zero[] = { 0 }, odd[] = { 33 }, ok[] = { 8 };
	const uint64_t wrap[] = { UINT64_C(1) << 32, UINT64_C(1) << 32 }, bytes[] = { UINT64_C(1) << 62 };
	const uint64_t five[] = { 1, 1, 1, 1, 1 };
	char name[80];

	head(&b, 3, 1, 0), info(&b, "t", 5, five, 0, 0), data(&b, 32);
	REFUSED(&b, "dimensions 5");
	head(&b, 3, 1, 0), info(&b, "t", 1, zero, 0, 0), data(&b, 32);
	REFUSED(&b, "dimension 0");
	head(&b, 3, 1, 0), info(&b, "t", 2, wrap, 0, 0), data(&b, 32);
	REFUSED(&b, "2^63");
	head(&b, 3, 1, 0), info(&b, "t", 1, bytes, 0, 0), data(&b, 32);
	REFUSED(&b, "below 2^64 bytes");
	head(&b, 3, 1, 0), info(&b, "t", 1, odd, 2, 0), data(&b, 64);
	REFUSED(&b, "multiple of the type's block");
	for (uint32_t type = 0; type < 130; type++) {              /* holes and types of our own */
		if (strchr("\2\3\6\7\10\12\13\14\15\16\30\31\32\33\34\36\1", (int)type) || type == 0)
			continue;
		head(&b, 3, 1, 0), info(&b, "t", 1, one, type, 0), data(&b, 64);
		REFUSED(&b, "tensor type");
	}
	head(&b, 3, 1, 0), info(&b, "t", 1, one, UINT32_MAX, 0), data(&b, 64);
	REFUSED(&b, "tensor type");
	head(&b, 3, 1, 0), info(&b, "", 1, one, 0, 0), data(&b, 64);
	REFUSED(&b, "name of a tensor 0");
	memset(name, 'n', 64), name[64] = '\0';
	head(&b, 3, 1, 0), info(&b, name, 1, one, 0, 0), data(&b, 64);
	REFUSED(&b, "name of a tensor 64");
	head(&b, 3, 2, 0), info(&b, "t", 1, one, 0, 0), info(&b, "t", 1, one, 0, 32), data(&b, 64);
	REFUSED(&b, "'t' appears twice");
	head(&b, 3, 2, 0), info(&b, "t", 1, ok, 0, 0), info(&b, "u", 1, ok, 0, 0), data(&b, 64);   /* overlap */
	REFUSED(&b, "'u' has offset 0 (expected 32");
	head(&b, 3, 2, 0), info(&b, "t", 1, ok, 0, 0), info(&b, "u", 1, ok, 0, 64), data(&b, 96);  /* gap */
	REFUSED(&b, "'u' has offset 64 (expected 32");
	head(&b, 3, 1, 0), info(&b, "t", 1, ok, 0, UINT64_MAX - 7), data(&b, 96);
	REFUSED(&b, "has offset");
	head(&b, 3, 1, 0), info(&b, "t", 1, ok, 0, 0), data(&b, 31);
	REFUSED(&b, "cut short");
	buf_free(&b);
}

static void opens_by_name(void)
{
	struct err e = {0};
	struct gguf *g;

	CHECK(gguf_open(&g, "/nonexistent/x.gguf", &e) == SFT_SYSTEM && g == NULL);
	CHECK(gguf_open(&g, "/dev/null", &e) == SFT_BADDATA);
	CHECK(gguf_open(&g, "/", &e) == SFT_BADDATA || e.code == SFT_SYSTEM);
	CHECK(!gguf_is("/dev/null"));
}

int main(void)
{
	TEST(reads_whole);
	TEST(metadata_by_type);
	TEST(cut_at_every_length);
	TEST(every_byte_changed);
	TEST(refuses_heads);
	TEST(refuses_metadata);
	TEST(refuses_alignment);
	TEST(refuses_tensors);
	TEST(opens_by_name);
	return test_end();
}
