/* SPDX-License-Identifier: Apache-2.0 */
/* The record reader on good and bad files of every text format. */
#include "rec.h"

#include <stdlib.h>
#include <unistd.h>

#include "test.h"

static struct rec_opts o;
static struct tool t;
static struct err e;

static void file(const char *path, const void *text, size_t n)
{
	FILE *f = fopen(path, "wb");

	if (n)
		fwrite(text, 1, n, f);
	fclose(f);
}

static void put_field(struct buf *b, const struct field *f)
{
	buf_str(b, f->type == FIELD_JSON ? "<" : "[");
	buf_add(b, f->p, f->n);
	buf_str(b, f->type == FIELD_JSON ? ">" : "]");
}

static void put_rec(struct buf *b, const struct rec *r)
{
	buf_fmt(b, "%llu:", (unsigned long long)r->line);
	for (uint32_t i = 0; i < r->names->n; i++) {
		buf_fmt(b, "%s=", r->names->name[i]);
		put_field(b, r->f + i);
	}
	buf_ch(b, '\n');
}

/* All records of FILES, in words; or the error.  BATCH: by rec_read_batch(), two at a time. */
static const char *read_files(const char *const *files, size_t n, bool batch)
{
	static struct buf b;
	struct arena a = {0};
	struct recin *in;
	struct rec *r, two[2];
	size_t got;
	int rc;

	b.n = 0;
	buf_str(&b, "");
	e = (struct err){0};
	if (rec_open(&in, files, n, &o, &t, &e) != 0)
		return e.msg;
	if (!batch) {
		while ((rc = rec_read(in, &r, &e)) == 0 && r)
			put_rec(&b, r);
	} else {
		while ((rc = rec_read_batch(in, &a, two, 2, &got, &e)) == 0 && got) {
			for (size_t i = 0; i < got; i++)
				put_rec(&b, two + i);
			arena_reset(&a);
		}
	}
	arena_release(&a);
	if (rc != 0) {
		rec_abandon(in);
		return e.msg;
	}
	CHECK(rec_close(in, &e) == 0);
	return b.p;
}

static const char *read_text(const char *path, const char *text, size_t n)
{
	const char *const files[] = { path };
	char *single;
	const char *batch;

	file(path, text, n);
	single = mem_str(read_files(files, 1, false));
	batch = read_files(files, 1, true);
	CHECK_STR(batch, single);                /* two ways to the same records */
	mem_free(single);
	unlink(path);
	return batch;
}

#define CSV(text) read_text("t.csv", text, sizeof text - 1)
#define JSONL(text) read_text("t.jsonl", text, sizeof text - 1)
#define JSONA(text) read_text("t.json", text, sizeof text - 1)

static void csv_as_the_world_writes_it(void)
{
	CHECK_STR(CSV("a,b\n1,2\n3,4"), "2:a=[1]b=[2]\n3:a=[3]b=[4]\n");
	CHECK_STR(CSV("a,b\r\n1,2\r\n\r\n3,4\r\n"), "2:a=[1]b=[2]\n4:a=[3]b=[4]\n");
	CHECK_STR(CSV("a,b\r1,2\r\r3,4\r"), "2:a=[1]b=[2]\n4:a=[3]b=[4]\n");
	CHECK_STR(CSV("\xef\xbb\xbf\n\na,b\n \n1,\n"), "5:a=[1]b=[]\n");
	CHECK_STR(CSV("a,b\n\"x\ny\",\"\"\"q\"\"\"\n\"\",z\n"), "2:a=[x\ny]b=[\"q\"]\n4:a=[]b=[z]\n");
	CHECK_STR(CSV("a,b\nb\"c\"d, \"x\"\n"), "2:a=[b\"c\"d]b=[ \"x\"]\n");
	CHECK_STR(CSV("a,b\n\"x\"y\"z\",2\n"), "2:a=[xy\"z\"]b=[2]\n");
	CHECK_STR(CSV("a;b\n1;\"2;3\"\n"), "2:a=[1]b=[2;3]\n");
	CHECK_STR(CSV("a\tb,c\td\n1\t2\t3\n"), "2:a=[1]b,c=[2]d=[3]\n");
	CHECK_STR(CSV("a|b\n1|2\n"), "2:a=[1]b=[2]\n");
	CHECK_STR(CSV("a,b,\n1,2,\n3,4\n"), "2:a=[1]b=[2]\n3:a=[3]b=[4]\n");
	CHECK_STR(CSV("a\n1\n\"\"\n\n2\n"), "2:a=[1]\n3:a=[]\n5:a=[2]\n");
	CHECK_STR(CSV("a,b\n"), "");
	CHECK_STR(CSV("a,b"), "");
	CHECK_STR(CSV("\"a\"\"x\",b\n1,2\n"), "2:a\"x=[1]b=[2]\n");
	CHECK_STR(CSV(",b\n1,2\n"), "2:=[1]b=[2]\n");
}

static void csv_options(void)
{
	o.quote = "'";
	CHECK_STR(CSV("a,b\n'x,''y',\"z\n"), "2:a=[x,'y]b=[\"z]\n");
	o.quote = "none";
	CHECK_STR(CSV("a,b\n\"x,y\"\n"), "2:a=[\"x]b=[y\"]\n");
	rec_opts_init(&o);
	o.escape = "\\";
	CHECK_STR(CSV("a,b\n\"x\\\"y\",p\\,q\n\"\\\\\",\"\"\"\"\n"), "2:a=[x\"y]b=[p,q]\n3:a=[\\]b=[\"]\n");
	rec_opts_init(&o);
	o.skip_lines = 2;
	CHECK_STR(CSV("junk \"\r\nmore\na,b\n1,2\n"), "4:a=[1]b=[2]\n");
	rec_opts_init(&o);
	o.no_header = true;
	CHECK_STR(CSV("x,y\n1,2\n"), "1:c1=[x]c2=[y]\n2:c1=[1]c2=[2]\n");
	rec_opts_init(&o);
	o.delimiter = "\x1f";
	CHECK_STR(CSV("a\x1f" "b\n1,2\x1f" "3\n"), "2:a=[1,2]b=[3]\n");
	o.delimiter = "xy";
	CHECK_STR(CSV("a\n"), "--delimiter 'xy' (expected one ASCII character, tab or auto)");
	CHECK(e.code == SFT_USAGE);
	rec_opts_init(&o);
}

static void csv_bad_records(void)
{
	CHECK_STR(CSV("a,b\n1,2\n3\n"), "t.csv:3: record 2: 1 field (expected 2)");
	CHECK_STR(CSV("a,b\n1,2,3\n"), "t.csv:2: record 1: 3 fields (expected 2)");
	CHECK_STR(CSV("a,b\n\"x\ny\",2\n\"open,2\n3,4\n"), "t.csv:4: record 2: a quote is never closed");
	o.encoding = "UTF-8";
	CHECK_STR(CSV("a,b\n1,\xff\n"), "t.csv:2: record 1: undecodable bytes (expected UTF-8)");
	CHECK_STR(CSV("a,b,\n1,2,3\n"), "t.csv:2: record 1: field 3 has no column (the header ends in a delimiter)");
	CHECK_STR(CSV(""), "t.csv: empty (expected records)");
	CHECK_STR(CSV("\n\n"), "t.csv: empty (expected a header)");
	CHECK_STR(CSV("a,b,a\n"), "t.csv:1: two columns are called 'a'");
	CHECK_STR(CSV("\"a,b\n1,2\n"), "t.csv:1: a quote in the header is never closed");
	CHECK_STR(CSV("a\0,b\n"), "t.csv:1: NUL in a column name");
	CHECK(e.code == SFT_BADDATA);
	rec_opts_init(&o);
	CHECK_STR(CSV("a,b\n\xc3\xa9\xc3\xa9\xc3\xa9,\xc3\xa9\xc3\xa9\xc3\xa9\n\xc3\xa9\xc3\xa9\xc3\xa9,\xe9\n"), "t.csv:3: record 2: undecodable bytes (expected UTF-8)");
	o.on_bad = 1;
	o.encoding = "UTF-8";
	t.quiet = true;
	CHECK_STR(CSV("a,b\n1\n2,3\n4,5,6\n\xff,1\n7,8\n\"9\n"), "3:a=[2]b=[3]\n6:a=[7]b=[8]\n");
	rec_opts_init(&o);
}

static void a_quote_swallows_no_more_than_max_record(void)
{
	struct buf b = {0};
	const char *got;

	buf_str(&b, "a,b\n\"open,1\n");
	for (int i = 0; i < 200000; i++)
		buf_fmt(&b, "%d,%d\n", i, i);
	o.max_record = 1000;
	CHECK_STR(read_text("t.csv", b.p, b.n), "t.csv:2: record 1: a record of more than 1000 bytes, or a quote that is never closed (--max-record)");
	o.on_bad = 1;
	got = read_text("t.csv", b.p, b.n);
	CHECK(strncmp(got, "3:a=[0]b=[0]\n4:a=[1]b=[1]\n", 26) == 0);
	CHECK(strstr(got, "200002:a=[199999]b=[199999]\n") != NULL);
	b.n = 0;
	buf_str(&b, "a,b\nx,");
	for (int i = 0; i < 3000000; i++)
		buf_ch(&b, 'y');
	buf_str(&b, "\n1,2\n");
	CHECK_STR(read_text("t.csv", b.p, b.n), "3:a=[1]b=[2]\n");
	buf_free(&b);
	rec_opts_init(&o);
}

/* Rows longer than the window and than a read, and rows that lie across their ends. */
static void long_records(void)
{
	struct buf b = {0};
	const char *got;
	size_t rows = 0, quotes = 0, want_rows = 0, want_quotes = 0;

	buf_str(&b, "a,b\n");
	for (size_t n = 1; n < 6000000; n = n * 3 + 1) {
		buf_ch(&b, '"');
		for (size_t i = 0; i < n; i++)
			buf_str(&b, i % 100 == 99 ? "\"\"\n" : "\xe4\xb8\xad");
		buf_str(&b, "\",x\n");
		want_quotes += n / 100;
		want_rows++;
	}
	got = read_text("t.csv", b.p, b.n);
	CHECK(strncmp(got, "2:a=[\xe4\xb8\xad]b=[x]\n3:a=[", 19) == 0);
	for (const char *s = got; (s = strstr(s, "b=[x]\n")) != NULL; s++)
		rows++;
	for (const char *s = got; *s; s++)
		quotes += *s == '"';
	CHECK(rows == want_rows);
	CHECK(quotes == want_quotes);
	buf_free(&b);
}

static void jsonl_keeps_types(void)
{
	CHECK_STR(JSONL("{\"a\":\"x\",\"n\":1.50,\"l\":[1, 2],\"z\":null}\n\n{\"a\":\"\\u4e2d\"}\n"), "1:a=[x]n=<1.50>l=<[1, 2]>z=<null>\n3:a=[\xe4\xb8\xad]\n");
	CHECK_STR(JSONL(" {\"a\":\"x\"}\r\n{}"), "1:a=[x]\n2:\n");
	CHECK_STR(JSONL("{\"a\":1}\n[1]\n"), "t.jsonl:2: record 2: not a JSON object (expected {\"name\": value, ...})");
	CHECK_STR(JSONL("{\"a\":1}\n{\"a\":1\n"), "t.jsonl:2: record 2: byte 6: not JSON (expected a value, a comma or a bracket)");
	CHECK_STR(JSONL("{\"a\":1,\"a\":2}\n"), "t.jsonl:1: record 1: byte 0: key 'a' stands twice in one object");
	o.encoding = "UTF-8";
	CHECK_STR(JSONL("{\"a\":\"\xff\"}\n"), "t.jsonl:1: record 1: undecodable bytes (expected UTF-8)");
	CHECK_STR(JSONL("{\"a\\u0000\":\"\"}\n"), "t.jsonl:1: record 1: NUL in a name");
	o.on_bad = 1;
	CHECK_STR(JSONL("{\"a\":1}\nx\n{\"a\":2}\n"), "1:a=<1>\n3:a=<2>\n");
	rec_opts_init(&o);
}

static void json_arrays(void)
{
	CHECK_STR(JSONA("[{\"a\":\"x\"},\n {\"a\":[\"]\\\"}\",\n1]}\n]\n"), "1:a=[x]\n2:a=<[\"]\\\"}\",1]>\n");
	CHECK_STR(JSONA("[]"), "");
	CHECK_STR(JSONA("[{\"a\":1}"), "t.json:1: the array is not closed (expected ])");
	CHECK_STR(JSONA("[{\"a\":1} {\"a\":2}]"), "t.json:1: no comma between two values");
	CHECK_STR(JSONA("[{\"a\":1},]"), "t.json:1: a comma without a value behind it");
	CHECK_STR(JSONA("[,{\"a\":1}]"), "t.json:1: a comma without a value before it");
	CHECK_STR(JSONA("[{\"a\":1}]\nx"), "t.json:2: text behind the array");
	CHECK_STR(JSONA("[{\"a\":1},\n{\"a\":"), "t.json:2: the array is cut off inside a value");
	CHECK_STR(JSONA("[{\"a\":1},\n3]"), "t.json:2: record 2: not a JSON object (expected {\"name\": value, ...})");
	o.on_bad = 1;
	CHECK_STR(JSONA("[3, {\"a\":1}, {\"a\" 2}, \"x\", {\"a\":2}]"), "1:a=<1>\n1:a=<2>\n");
	rec_opts_init(&o);
}

static void plain_lines(void)
{
	o.from = REC_TEXT;
	o.encoding = "UTF-8";
	CHECK_STR(read_text("t.txt", "a\n\n b\r\nc", 8), "1:text=[a]\n2:text=[]\n3:text=[ b]\n4:text=[c]\n");
	CHECK_STR(read_text("t.txt", "", 0), "");
	CHECK_STR(read_text("t.txt", "a\n\xff\n", 4), "t.txt:2: record 2: undecodable bytes (expected UTF-8)");
	rec_opts_init(&o);
}

static void several_files_are_one_stream(void)
{
	const char *const files[] = { "1.csv", "2.csv" };

	file("1.csv", "a,b\n1,2\n", 8);
	file("2.csv", "a,b\n3,4\n", 8);
	CHECK_STR(read_files(files, 2, false), "2:a=[1]b=[2]\n2:a=[3]b=[4]\n");
	file("2.csv", "a,c\n3,4\n", 8);
	CHECK_STR(read_files(files, 2, false), "2.csv:1: column 2 is 'c' (expected 'b' as in 1.csv; --union allows it)");
	file("2.csv", "a\n3\n", 4);
	CHECK_STR(read_files(files, 2, false), "2.csv:1: column 'b' is missing (expected as in 1.csv; --union allows it)");
	file("2.csv", "c,a\n3,4\n", 8);
	o.unite = true;
	CHECK_STR(read_files(files, 2, false), "2:a=[1]b=[2]c=[]\n2:a=[4]b=[]c=[3]\n");
	CHECK_STR(read_files(files, 2, true), "2:a=[1]b=[2]c=[]\n2:a=[4]b=[]c=[3]\n");
	rec_opts_init(&o);
	unlink("2.csv");
	CHECK_STR(read_files(files, 2, false), "2.csv: No such file or directory");
	CHECK(e.code == SFT_SYSTEM);
	unlink("1.csv");
}

static void columns_by_name(void)
{
	const char *name[] = { "id", "text", "a,b" };
	uint32_t len[] = { 2, 4, 3 }, at = 9, *list;
	struct names names = { 3, name, len };
	struct arena a = {0};
	size_t n;

	CHECK(rec_column(&names, "text") == 1 && rec_column(&names, "tex") == -1);
	CHECK(rec_need(&names, "text", &at, &e) == 0 && at == 1);
	CHECK(rec_need(&names, "txt", &at, &e) == SFT_BADDATA);
	CHECK_STR(e.msg, "no column 'txt' (did you mean 'text'?)");
	CHECK(rec_need(&names, "conversation", &at, &e) == SFT_BADDATA);
	CHECK_STR(e.msg, "no column 'conversation' (the first is 'id')");
	CHECK(rec_need_list(&names, "text,a\\,b", &list, &n, &a, &e) == 0 && n == 2 && list[0] == 1 && list[1] == 2);
	CHECK(rec_need_list(&names, "all", &list, &n, &a, &e) == 0 && n == 3 && list[2] == 2);
	CHECK(rec_need_list(&names, "text,idd", &list, &n, &a, &e) == SFT_BADDATA);
	CHECK_STR(e.msg, "no column 'idd' (did you mean 'id'?)");
	arena_release(&a);
}

int main(void)
{
	t.name = "test";
	rec_opts_init(&o);
	TEST(csv_as_the_world_writes_it);
	TEST(csv_options);
	TEST(csv_bad_records);
	TEST(a_quote_swallows_no_more_than_max_record);
	TEST(long_records);
	TEST(jsonl_keeps_types);
	TEST(json_arrays);
	TEST(plain_lines);
	TEST(several_files_are_one_stream);
	TEST(columns_by_name);
	return test_end();
}
