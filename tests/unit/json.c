/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "rng.h"
#include "test.h"

static struct arena arena;
static struct json_parser *parser;
static struct err e;

static const struct json *parse(const char *text)
{
	const struct json *v;

	e.msg[0] = '\0';
	return json_parse(parser, &arena, text, strlen(text), &v, &e) == 0 ? v : NULL;
}

/* TEXT goes in, and comes out of the writer as WANT. */
static const char *rewritten(const char *text)
{
	static struct buf b;
	struct jw w;
	const struct json *v = parse(text);

	if (v == NULL)
		return e.msg;
	b.n = 0;
	jw_init(&w, &b);
	jw_value(&w, v);
	return b.p;
}

static void reads_and_writes(void)
{
	CHECK_STR(rewritten("{\"a\": [1, -2.50, 1e400, true,false , null, {}], \"b\":{ \"c\" :\"d\"}}"),
	          "{\"a\":[1,-2.50,1e400,true,false,null,{}],\"b\":{\"c\":\"d\"}}");
	CHECK_STR(rewritten(" [ ] "), "[]");
	CHECK_STR(rewritten("{}"), "{}");
	CHECK_STR(rewritten(" 12345678901234567890123 "), "12345678901234567890123");
	CHECK_STR(rewritten("\"x\""), "\"x\"");
	CHECK_STR(rewritten("null\n"), "null");
	CHECK_STR(rewritten("\"\\u0041\\ud83d\\ude00\\n\\/\\u001f\\\"\\\\\""), "\"A\xf0\x9f\x98\x80\\n/\\u001f\\\"\\\\\"");
	CHECK_STR(rewritten("[\"\xe2\x80\xa8\"]"), "[\"\xe2\x80\xa8\"]");
	CHECK_STR(rewritten("[[[[1],2],3],[4]]"), "[[[[1],2],3],[4]]");
}

static void faults_name_the_byte(void)
{
	static const struct { const char *text, *msg; } cases[] = {
		{ "", "byte 0: empty (expected JSON)" },
		{ "  ", "byte 2: empty (expected JSON)" },
		{ "{\"a\":1} x", "byte 8: text after the JSON value" },
		{ "[1] [2]", "byte 4: text after the JSON value" },
		{ "[\"\\ud800\"]", "byte 2: lone surrogate (expected a pair)" },
		{ "[\"\\udc00\"]", "byte 2: lone surrogate (expected a pair)" },
		{ "[\"\\ud800\\u0041\"]", "byte 2: lone surrogate (expected a pair)" },
		{ "[\"\\u12g4\"]", "byte 2: \\u needs four hexadecimal digits" },
		{ "[\"\\x\"]", "byte 2: unknown escape" },
		{ "{\"a\":1,\"b\":2,\"a\":3}", "byte 0: key 'a' stands twice in one object" },
		{ "[01]", "byte 1: not a JSON number" },
		{ "[1.]", "byte 1: not a JSON number" },
		{ "[-]", "byte 1: not a JSON number" },
		{ "[1e]", "byte 1: not a JSON number" },
		{ "[+1]", "byte 1: not a JSON value" },
		{ "[NaN]", "byte 1: not a JSON value" },
		{ "[truex]", "byte 1: not a JSON value" },
		{ "nul", "byte 0: not a JSON value" },
		{ "[\"a\xff\"]", "byte 3: invalid UTF-8" },
		{ "[\"a\xed\xa0\x80\"]", "byte 3: invalid UTF-8" },
		{ "[\"a\nb\"]", "byte 3: control character in a string (expected an escape)" },
		{ "[1, \"abc]", "byte 4: string is not closed" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CHECK(parse(cases[i].text) == NULL);
		CHECK_STR(e.msg, cases[i].msg);
		CHECK(e.code == SFT_BADDATA);
	}
	static const char *const broken[] = { "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{a:1}", "[1 2]", "{\"a\":1 \"b\":2}", "[1}", "{\"a\":1]", "[", "{", "]", "}",
		"[1", "{\"a\":1", "{\"a\":1,}", "[[]", ",", ":", "{1:2}", "\"a\"\"b\"", "[\"a\"\"b\"]", "{\"a\":1}}", "[1]]", "'a'", "[\"a\" : 1]" };
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		if (parse(broken[i]) != NULL)
			CHECK_STR(broken[i], "refused");
		CHECK(strncmp(e.msg, "byte ", 5) == 0);
	}
}

static void depth_has_a_limit(void)
{
	char text[2 * 600 + 1];

	for (int deep = 512; deep <= 600; deep += 88) {
		memset(text, '[', (size_t)deep);
		memset(text + deep, ']', (size_t)deep);
		text[2 * deep] = '\0';
		CHECK((parse(text) != NULL) == (deep == 512));
	}
	CHECK_STR(e.msg, "byte 512: deeper than 512 levels");
}

/* Commas stand where they belong at any depth. */
static void deep_values_are_written(void)
{
	struct buf b = {0};

	for (int i = 0; i < 200; i++)
		buf_str(&b, "[1,{\"a\":");
	buf_str(&b, "null");
	for (int i = 0; i < 200; i++)
		buf_str(&b, ",\"b\":[]},2]");
	CHECK_STR(rewritten(b.p), b.p);
	buf_free(&b);
}

static void raw_is_the_text_as_it_stood(void)
{
	const char *text = " {\"a\" : [1 , {\"b\":2 } ] , \"c\":\"\\u0041\" }\n";
	const struct json *v = parse(text), *a, *c;

	CHECK(v != NULL);
	a = json_get(v, "a");
	c = json_get(v, "c");
	CHECK(v->raw == text + 1 && v->nraw == strlen(text) - 2);
	CHECK(a->nraw == 15 && memcmp(a->raw, "[1 , {\"b\":2 } ]", 15) == 0);
	CHECK(a->item[1].nraw == 8 && memcmp(a->item[1].raw, "{\"b\":2 }", 8) == 0);
	CHECK(c->nraw == 8 && c->n == 1 && c->s[0] == 'A');
}

static void large_objects_are_checked_for_duplicates(void)
{
	struct buf b = {0};

	buf_ch(&b, '{');
	for (int i = 0; i < 50000; i++)
		buf_fmt(&b, "\"key%d\":%d,", i, i);
	buf_str(&b, "\"last\":1}");
	CHECK(parse(b.p) != NULL);
	b.n -= strlen("\"last\":1}");
	buf_str(&b, "\"key777\":1}");
	CHECK(parse(b.p) == NULL);
	CHECK_STR(e.msg, "byte 0: key 'key777' stands twice in one object");
	buf_free(&b);
}

static void typed_members(void)
{
	const struct json *v = parse("{\"i\":5,\"f\":5.0,\"big\":9223372036854775808,\"d\":0.25,\"s\":\"t\",\"b\":true,\"n\":null,\"z\":\"a\\u0000b\"}");
	int64_t i = 7;
	double d = 7;
	bool b = false;
	const char *s = "was";

	CHECK(json_get_int(v, "i", 0, 9, &i, &e) == 0 && i == 5);
	CHECK(json_get_int(v, "none", 0, 9, &i, &e) == 0 && i == 5);
	CHECK(json_get_int(v, "n", 0, 9, &i, &e) == 0 && i == 5);
	CHECK(json_get_int(v, "f", 0, 9, &i, &e) == 0 && i == 5);
	CHECK(json_get_int(v, "i", 6, 9, &i, &e) == SFT_BADDATA);
	CHECK_STR(e.msg, "'i' is 5 (expected 6 to 9)");
	CHECK(json_get_int(v, "big", 0, 9, &i, &e) == SFT_BADDATA);
	CHECK(json_get_int(v, "d", 0, 9, &i, &e) == SFT_BADDATA);
	CHECK_STR(e.msg, "'d' is 0.25 (expected a whole number)");
	CHECK(json_get_double(v, "d", &d, &e) == 0 && d == 0.25);
	CHECK(json_get_double(v, "s", &d, &e) == SFT_BADDATA);
	CHECK(json_get_bool(v, "b", &b, &e) == 0 && b);
	CHECK(json_get_bool(v, "i", &b, &e) == SFT_BADDATA);
	CHECK(json_get_str(v, "s", &s, &e) == 0);
	CHECK_STR(s, "t");
	CHECK(json_get_str(v, "i", &s, &e) == SFT_BADDATA);
	CHECK(json_get_str(v, "z", &s, &e) == SFT_BADDATA);
	CHECK(json_is(json_get(v, "s"), "t") && !json_is(json_get(v, "s"), "tt"));
	CHECK(isnan(json_double(json_get(v, "s"))));
}

static void writer_puts_commas(void)
{
	struct buf b = {0};
	struct jw w;

	jw_init(&w, &b);
	w.python = true;
	jw_obj(&w);
	jw_key(&w, "a");
	jw_arr(&w);
	jw_int(&w, -1);
	jw_uint(&w, UINT64_MAX);
	jw_double(&w, 0.1);
	jw_double(&w, NAN);
	jw_arr_end(&w);
	jw_key(&w, "b");
	jw_obj(&w);
	jw_obj_end(&w);
	jw_key(&w, "c");
	jw_str(&w, "\x01\"");
	jw_obj_end(&w);
	CHECK_STR(b.p, "{\"a\": [-1, 18446744073709551615, 0.1, null], \"b\": {}, \"c\": \"\\u0001\\\"\"}");
	buf_free(&b);
}

static void doubles_as_python_writes_them(void)
{
	static const struct { double v; const char *text; } cases[] = {
		{ 0, "0.0" }, { -0.0, "-0.0" }, { 1, "1.0" }, { 0.1, "0.1" }, { 1e15, "1000000000000000.0" }, { 1e16, "1e+16" }, { 123456789012345680.0, "1.2345678901234568e+17" },
		{ 0.0001, "0.0001" }, { 0.00001, "1e-05" }, { 5e-324, "5e-324" }, { 1.7976931348623157e308, "1.7976931348623157e+308" }, { 2.0 / 3, "0.6666666666666666" },
		{ 1e22, "1e+22" }, { 9007199254740993.0, "9007199254740992.0" }, { -1.5e-7, "-1.5e-07" }, { 100, "100.0" }, { 12.5, "12.5" } };
	char text[32];
	struct rng r;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CHECK(json_double_text(text, cases[i].v) == strlen(cases[i].text));
		CHECK_STR(text, cases[i].text);
	}
	rng_init(&r, 1, 1);
	for (int i = 0; i < 20000; i++) {
		uint64_t bits = rng_u64(&r);
		double v;

		memcpy(&v, &bits, 8);
		if (!isfinite(v))
			continue;
		CHECK(json_double_text(text, v) < 32);
		CHECK(strtod(text, NULL) == v);
	}
}

/* Every byte at every place of a word of 8: what is quoted reads back. */
static void quoting_reads_back(void)
{
	for (int c = 0; c < 128; c++)
		for (size_t at = 0; at < 19; at++) {
			char text[20] = "abcdefghijklmnopqrs";
			struct buf b = {0};
			const struct json *v;

			text[at] = (char)c;
			json_quote(&b, text, 19);
			CHECK(json_parse(parser, &arena, b.p, b.n, &v, &e) == 0);
			CHECK(v && v->n == 19 && memcmp(v->s, text, 19) == 0);
			buf_free(&b);
		}
}

static void files(void)
{
	const struct json *v;
	FILE *f = fopen("t.json", "w");

	fputs("{\"a\":1}\n", f);
	fclose(f);
	CHECK(json_file(&arena, "t.json", &v, &e) == 0 && json_get(v, "a"));
	CHECK(json_file(&arena, "no.json", &v, &e) == SFT_SYSTEM);
	CHECK_STR(e.msg, "no.json: No such file or directory");
	f = fopen("t.json", "w");
	fputs("{\"a\":", f);
	fclose(f);
	CHECK(json_file(&arena, "t.json", &v, &e) == SFT_BADDATA);
	CHECK(strncmp(e.msg, "t.json: byte ", 13) == 0);
	unlink("t.json");
}

int main(void)
{
	parser = json_parser_new();
	TEST(reads_and_writes);
	TEST(faults_name_the_byte);
	TEST(depth_has_a_limit);
	TEST(deep_values_are_written);
	TEST(raw_is_the_text_as_it_stood);
	TEST(large_objects_are_checked_for_duplicates);
	TEST(typed_members);
	TEST(writer_puts_commas);
	TEST(doubles_as_python_writes_them);
	TEST(quoting_reads_back);
	TEST(files);
	json_parser_free(parser);
	arena_release(&arena);
	return test_end();
}
