/* SPDX-License-Identifier: Apache-2.0 */
#include "encoding.h"

#include "json.h"
#include "rng.h"
#include "test.h"

/* Bytes of the same few sentences, as iconv gives them. */
static const char zh_utf8[] = "\xe7\xbc\x96\xe5\x8f\xb7,\xe5\x86\x85\xe5\xae\xb9\n1,\xe4\xbd\xa0\xe5\xa5\xbd\xef\xbc\x8c\xe6\x88\x91\xe6\x9c\x80\xe8\xbf\x91\xe5\xa4\xb4\xe7\x97\x9b\xe3\x80\x82\n";
static const char zh_gbk[] = "\xb1\xe0\xba\xc5,\xc4\xda\xc8\xdd\n1,\xc4\xe3\xba\xc3\xa3\xac\xce\xd2\xd7\xee\xbd\xfc\xcd\xb7\xcd\xb4\xa1\xa3\n";
static const char tw_big5[] = "\xa7\x41\xa6\x6e\xa1\x41\xa7\xda\xb3\xcc\xaa\xf1\xc0\x59\xb5\x68\xa1\x43";
static const char tw_utf8[] = "\xe4\xbd\xa0\xe5\xa5\xbd\xef\xbc\x8c\xe6\x88\x91\xe6\x9c\x80\xe8\xbf\x91\xe9\xa0\xad\xe7\x97\x9b\xe3\x80\x82";
static const char ja_sjis[] = "\x82\xb1\x82\xf1\x82\xc9\x82\xbf\x82\xcd\x81\x41\x93\xaa\x82\xaa\x92\xc9\x82\xa2\x82\xc5\x82\xb7\x81\x42";
static const char ja_utf8[] = "\xe3\x81\x93\xe3\x82\x93\xe3\x81\xab\xe3\x81\xa1\xe3\x81\xaf\xe3\x80\x81\xe9\xa0\xad\xe3\x81\x8c\xe7\x97\x9b\xe3\x81\x84\xe3\x81\xa7\xe3\x81\x99\xe3\x80\x82";
static const char ko_euckr[] = "\xbe\xc8\xb3\xe7\xc7\xcf\xbc\xbc\xbf\xe4, \xb8\xd3\xb8\xae\xb0\xa1 \xbe\xc6\xc7\xc1\xb0\xed";
static const char ko_utf8[] = "\xec\x95\x88\xeb\x85\x95\xed\x95\x98\xec\x84\xb8\xec\x9a\x94, \xeb\xa8\xb8\xeb\xa6\xac\xea\xb0\x80 \xec\x95\x84\xed\x94\x84\xea\xb3\xa0";

#define DETECT(text) encoding_detect(text, sizeof text - 1, true)

static void found_by_content(void)
{
	CHECK_STR(DETECT("id,text\n"), "UTF-8");
	CHECK_STR(DETECT(""), "UTF-8");
	CHECK_STR(encoding_detect(zh_utf8, sizeof zh_utf8 - 1, true), "UTF-8");
	CHECK_STR(encoding_detect(zh_gbk, sizeof zh_gbk - 1, true), "GB18030");
	CHECK_STR(encoding_detect(tw_big5, sizeof tw_big5 - 1, true), "Big5");
	CHECK_STR(encoding_detect(ja_sjis, sizeof ja_sjis - 1, true), "Shift_JIS");
	CHECK_STR(encoding_detect(ko_euckr, sizeof ko_euckr - 1, true), "EUC-KR");
	CHECK_STR(DETECT("caf\xe9,th\xe9\nno\xebl,\xe0\n"), "windows-1252");
	CHECK_STR(DETECT("Gr\xfc\xdf Gott"), "windows-1252");
	CHECK_STR(DETECT("\xef\xbb\xbf" "caf\xe9"), "UTF-8");
	CHECK_STR(DETECT("\xff\xfe" "a\0"), "UTF-16LE");
	CHECK_STR(DETECT("\xfe\xff\0a"), "UTF-16BE");
	CHECK_STR(DETECT("\xff\xfe\0\0a\0\0\0"), "UTF-32LE");
	CHECK_STR(DETECT("a\0,\0b\0\n\0"), "UTF-16LE");
	CHECK_STR(DETECT("\0a\0,\0b\0\n"), "UTF-16BE");
	/* 编号,内容\n1,你好 with few zero bytes */
	CHECK_STR(DETECT("\x16\x7f\xf7\x53,\0\x85\x51\xb9\x5b\n\0" "1\0,\0`O}Y"), "UTF-16LE");
	/* some NULs do not make it UTF-16 */
	CHECK_STR(DETECT("id,text\n1,a\0b\n2,some more text\n3,and more\n4,c\0d\n"), "UTF-8");
}

static void utf8_with_some_faults_stays_utf8(void)
{
	struct buf b = {0};

	for (int i = 0; i < 90; i++)
		buf_str(&b, "\xc3\xa9 ");
	for (int i = 0; i < 10; i++)
		buf_str(&b, "\xe9 ");
	CHECK_STR(encoding_detect(b.p, b.n, true), "UTF-8");
	buf_str(&b, "\xe9 ");
	CHECK_STR(encoding_detect(b.p, b.n, true), "windows-1252");
	b.n = 0;
	buf_str(&b, "\xe4\xb8");                 /* cut off by the end of what was read, which is not all */
	CHECK_STR(encoding_detect(b.p, b.n, false), "UTF-8");
	buf_free(&b);
}

/* TEXT through the decoder in pieces of STEP bytes. */
static void decode(const char *name, const char *text, size_t n, size_t step, struct buf *out)
{
	struct decoder *d;

	out->n = 0;
	CHECK(decoder_open(&d, name, NULL) == 0 && d != NULL);
	if (d == NULL)
		return;
	for (size_t at = 0; at < n; at += step)
		decoder_add(d, text + at, n - at < step ? n - at : step, false, out);
	decoder_add(d, "", 0, true, out);
	decoder_close(d);
}

static void converted_in_pieces_of_any_size(void)
{
	static const struct { const char *name, *text; size_t n; const char *utf8; } cases[] = {
		{ "GBK", zh_gbk, sizeof zh_gbk - 1, zh_utf8 }, { "GB18030", zh_gbk, sizeof zh_gbk - 1, zh_utf8 },
		{ "Big5", tw_big5, sizeof tw_big5 - 1, tw_utf8 }, { "Shift_JIS", ja_sjis, sizeof ja_sjis - 1, ja_utf8 },
		{ "EUC-KR", ko_euckr, sizeof ko_euckr - 1, ko_utf8 },
		{ "UTF-16LE", "a\0\x3d\xd8\0\xde", 6, "a\xf0\x9f\x98\x80" }, { "UTF-16BE", "\xd8\x3d\xde\0\0z", 6, "\xf0\x9f\x98\x80z" },
		{ "windows-1252", "\x80\x93\xe9", 3, "\xe2\x82\xac\xe2\x80\x9c\xc3\xa9" }, { "latin1", "\xe9", 1, "\xc3\xa9" },
	};
	struct buf out = {0};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (size_t step = 1; step <= cases[i].n; step++) {
			decode(cases[i].name, cases[i].text, cases[i].n, step, &out);
			CHECK_STR(out.p, cases[i].utf8);
		}
	buf_free(&out);
}

static void what_cannot_be_decoded_is_marked(void)
{
	static const struct { const char *name, *text; size_t n; const char *want; } cases[] = {
		{ "GB18030", "a\xff" "b", 3, "a\xff" "b" }, { "GBK", "ab\xc4", 3, "ab\xff" }, { "UTF-16LE", "a\0\x3d\xd8z\0", 6, "a\xffz" },
		{ "UTF-16LE", "a\0b", 3, "a\xff" }, { "UTF-16BE", "\xde\0\0a", 4, "\xff" "a" }, { "Shift_JIS", "a\x82", 2, "a\xff" }, { "EUC-KR", "\xff\xff" "a", 3, NULL },
	};
	struct buf out = {0};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (size_t step = 1; step <= cases[i].n; step++) {
			decode(cases[i].name, cases[i].text, cases[i].n, step, &out);
			CHECK(!json_utf8(out.p, out.n));
			if (cases[i].want)
				CHECK_STR(out.p, cases[i].want);
		}
	buf_free(&out);
}

static void names_of_encodings(void)
{
	struct decoder *d = NULL;
	struct err e = {0};

	CHECK(decoder_open(&d, "utf8", &e) == 0 && d == NULL);
	CHECK(decoder_open(&d, "US-ASCII", &e) == 0 && d == NULL);
	CHECK(decoder_open(&d, "klingon", &e) == SFT_USAGE && d == NULL);
	CHECK_STR(e.msg, "unknown encoding 'klingon' (expected auto or a name as UTF-8, GB18030, Big5, Shift_JIS, windows-1252)");
	CHECK(decoder_open(&d, "", &e) == SFT_USAGE);
}

/* Any bytes in any encoding: no crash, and nothing but UTF-8 and marks comes out. */
static void any_bytes(void)
{
	static const char *const names[] = { "GB18030", "Big5", "Shift_JIS", "EUC-KR", "UTF-16LE", "UTF-16", "UTF-32", "UTF-7", "ISO-2022-JP", "HZ", "windows-1252", "SCSU" };
	struct buf out = {0};
	struct rng r;
	char text[200];

	rng_init(&r, 3, 3);
	for (int i = 0; i < 2000; i++) {
		for (size_t k = 0; k < sizeof text; k++)
			text[k] = (char)(rng_below(&r, 3) ? rng_u64(&r) : rng_below(&r, 128));
		decode(names[i % 12], text, sizeof text, 1 + rng_below(&r, 60), &out);
		for (size_t k = 0; k < out.n; k++)
			if (out.p[k] == ENCODING_BAD)
				out.p[k] = '?';
		CHECK(json_utf8(out.p ? out.p : "", out.n));
		encoding_detect(text, rng_below(&r, 200), rng_below(&r, 2));
	}
	buf_free(&out);
}

static void length_of_utf8(void)
{
	CHECK(utf8_prefix("ab\xc3\xa9\xff", 5) == 4 && utf8_prefix("", 0) == 0 && utf8_prefix("\xed\xa0\x80", 3) == 0);
	CHECK(utf8_length("\xf4\x8f\xbf\xbf", 4) == 4 && utf8_length("\xf4\x90\x80\x80", 4) == 0 && utf8_length("\xc0\x80", 2) == 0);
}

int main(void)
{
	TEST(found_by_content);
	TEST(utf8_with_some_faults_stays_utf8);
	TEST(converted_in_pieces_of_any_size);
	TEST(what_cannot_be_decoded_is_marked);
	TEST(names_of_encodings);
	TEST(any_bytes);
	TEST(length_of_utf8);
	return test_end();
}
