/* SPDX-License-Identifier: Apache-2.0 */
/* Records written and read back: formats, packing, rejects, stats, damage. */
#include "rec.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "outfile.h"
#include "rng.h"
#include "test.h"

static struct rec_opts o;
static struct tool t;
static struct err e;

static void file(const char *path, const void *text, size_t n)
{
	CHECK(out_whole(path, text, n, false, &e) == 0);
}

/* The bytes of PATH; valid until the next call. */
static const char *slurp(const char *path, size_t *n)
{
	static char *p;
	FILE *f = fopen(path, "rb");

	mem_free(p);
	p = mem_new(1 << 22);
	*n = f ? fread(p, 1, (1 << 22) - 1, f) : 0;
	if (f)
		fclose(f);
	return p;
}

/* FROM to TO, record by record, or in batches of three through the two stages of a parallel tool. */
static int copy(const char *from, const char *to, bool batch)
{
	struct recin *in = NULL;
	struct recout *out = NULL;
	struct rec *r, three[3];
	struct arena a = {0};
	struct buf b = {0};
	size_t n;
	int rc;

	e = (struct err){0};
	if ((rc = rec_open(&in, &from, 1, &o, &t, &e)) == 0)
		rc = rec_create(&out, to, rec_format(in), &o, &t, &e);
	while (rc == 0 && !batch && (rc = rec_read(in, &r, &e)) == 0 && r)
		rc = rec_write(out, r, &e);
	while (rc == 0 && batch && (rc = rec_read_batch(in, &a, three, 3, &n, &e)) == 0 && n) {
		b.n = 0;
		for (size_t i = 0; i < n && rc == 0; i++)
			rc = rec_format_record(out, three + i, &b, &e);
		if (rc == 0)
			rc = rec_put(out, three[0].names, b.p, b.n, n, &e);
		arena_reset(&a);
	}
	if (rc == 0)
		rc = rec_header(out, rec_names(in), &e);
	arena_release(&a);
	buf_free(&b);
	if (rc != 0) {
		rec_abandon(in);
		rec_drop(out);
		return rc;
	}
	rc = rec_close(in, &e);
	return rc ? rc : rec_finish(out, &e);
}

static void same_bytes(const char *path, const char *want, size_t n)
{
	size_t got;
	const char *p = slurp(path, &got);

	CHECK_STR(p, want);
	CHECK(got == n && memcmp(p, want, n) == 0);
}

static const char csv[] = "id,text,\"a,b\"\n1,plain,x\n2,\"two\nlines, and \"\"quotes\"\"\",\n,\"\r\", y \n";
static const char jsonl[] = "{\"id\":\"1\",\"text\":\"plain\",\"a,b\":\"x\"}\n{\"id\":\"2\",\"text\":\"two\\nlines, and \\\"quotes\\\"\",\"a,b\":\"\"}\n{\"id\":\"\",\"text\":\"\\r\",\"a,b\":\" y \"}\n";
static const char mixed[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"n\":1.50}\n{\"messages\":[],\"n\":null,\"tools\":[1, 2]}\n{}\n{\"messages\":[],\"n\":true}\n";

static void every_format_reads_back(void)
{
	static const char *const ends[] = { "csv", "tsv", "jsonl", "json", "rec", "csv.gz", "jsonl.zst", "rec.gz", "rec.zst", "tsv.zst", "ndjson" };
	char path[40];

	file("in.csv", csv, sizeof csv - 1);
	for (int batch = 0; batch < 2; batch++)
		for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
			snprintf(path, sizeof path, "out.%s", ends[i]);
			CHECK(copy("in.csv", path, batch) == 0);
			CHECK(copy(path, "back.jsonl", !batch) == 0);
			same_bytes("back.jsonl", jsonl, sizeof jsonl - 1);
			CHECK(copy(path, "back.csv", batch) == 0);
			same_bytes("back.csv", csv, sizeof csv - 1);
			unlink(path);
		}
}

static void types_and_kinds_survive(void)
{
	static const char *const ends[] = { "jsonl", "json", "rec", "rec.zst" };
	char path[40];

	file("in.jsonl", mixed, sizeof mixed - 1);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		snprintf(path, sizeof path, "out.%s", ends[i]);
		CHECK(copy("in.jsonl", path, i % 2) == 0);
		CHECK(copy(path, "back.jsonl", i % 2 == 0) == 0);
		same_bytes("back.jsonl", mixed, sizeof mixed - 1);
		unlink(path);
	}
	/* rec remembers what it came from */
	CHECK(copy("in.jsonl", "out.rec", false) == 0);
	CHECK(copy("out.rec", "back", false) == 0);
	same_bytes("back", mixed, sizeof mixed - 1);
	CHECK(copy("in.csv", "out.rec", false) == 0);
	CHECK(copy("out.rec", "back", false) == 0);
	same_bytes("back", csv, sizeof csv - 1);
}

static void csv_refuses_other_columns(void)
{
	file("in.jsonl", "{\"a\":1,\"b\":null}\n{\"a\":2}\n", 25);
	CHECK(copy("in.jsonl", "out.csv", false) == SFT_BADDATA);
	CHECK_STR(e.msg, "in.jsonl:2: column 'b' is missing (expected as in the header; --union allows it)");
	CHECK(access("out.csv", F_OK) != 0);
	o.unite = true;
	CHECK(copy("in.jsonl", "out.csv", false) == 0);
	same_bytes("out.csv", "a,b\n1,\n2,\n", 10);
	CHECK(copy("in.jsonl", "out.csv", true) == 0);
	same_bytes("out.csv", "a,b\n1,\n2,\n", 10);
	file("in.jsonl", "{\"a\":1}\n{\"a\":2,\"c\":3}\n", 22);
	CHECK(copy("in.jsonl", "out.csv", false) == SFT_BADDATA);
	CHECK_STR(e.msg, "out.csv: field 'c' is not in the header that is written (expected --to jsonl for records of many kinds)");
	rec_opts_init(&o);
}

static void empty_tables(void)
{
	static const char *const ends[] = { "csv", "rec", "tsv", "csv.gz" };
	char path[40];

	file("in.csv", "a,b\n", 4);
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "out.%s", ends[i]);
		CHECK(copy("in.csv", path, false) == 0);
		CHECK(copy(path, "back.csv", true) == 0);
		same_bytes("back.csv", "a,b\n", 4);
	}
	CHECK(copy("in.csv", "out.json", false) == 0);
	same_bytes("out.json", "[]\n", 3);
	CHECK(copy("out.json", "back.jsonl", false) == 0);
	same_bytes("back.jsonl", "", 0);
}

/* Names that would lead a guessing reader astray. */
static void awkward_names(void)
{
	static const char *const names[] = { "a;b;c", "{x", "[x", " ", "", "\xef\xbb\xbfx", "a\tb", "x|y", "\"", "a\rb", "\xe4\xb8\xad" };
	struct buf in = {0};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		for (int more = 0; more < 2; more++) {
			in.n = 0;
			buf_str(&in, "{");
			json_quote(&in, names[i], strlen(names[i]));
			buf_str(&in, more ? ":\"1;2\",\"z\":\"\"}\n" : ":\"1;2\"}\n");
			file("in.jsonl", in.p, in.n);
			o.to = REC_CSV;
			CHECK(copy("in.jsonl", "out", false) == 0);
			o.to = REC_JSONL;
			CHECK(copy("out", "back", false) == 0);
			same_bytes("back", in.p, in.n);
		}
	buf_free(&in);
	rec_opts_init(&o);
}

static void rejects_are_in_order(void)
{
	static const char text[] = "a,b\n1,x\n2\n3,\xff\n4,drop\n5,drop\n6,\"y\ny\",1\n7,z\n";
	static const char want[] =
		"{\"file\":\"in.csv\",\"line\":3,\"reason\":\"wrong number of fields\",\"record\":\"2\"}\n"
		"{\"file\":\"in.csv\",\"line\":4,\"reason\":\"undecodable bytes\",\"record\":\"3,\xef\xbf\xbd\"}\n"
		"{\"file\":\"in.csv\",\"line\":5,\"reason\":\"dull\",\"record\":{\"a\":\"4\",\"b\":\"drop\"}}\n"
		"{\"file\":\"in.csv\",\"line\":6,\"reason\":\"dull\",\"record\":{\"a\":\"5\",\"b\":\"drop\"}}\n"
		"{\"file\":\"in.csv\",\"line\":7,\"reason\":\"wrong number of fields\",\"record\":\"6,\\\"y\\ny\\\",1\"}\n";
	static const char *const from = "in.csv";
	struct recin *in;
	struct rec two[2];
	struct arena a = {0};
	size_t n;
	int rc;

	file("in.csv", text, sizeof text - 1);
	o.on_bad = 1;
	o.encoding = "UTF-8";
	o.rejects = "rej.jsonl";
	CHECK(rec_open(&in, &from, 1, &o, &t, &e) == 0);
	while ((rc = rec_read_batch(in, &a, two, 2, &n, &e)) == 0 && n) {
		for (size_t i = 0; i < n; i++)
			if (two[i].f[1].n == 4)
				CHECK(rec_reject(in, two + i, "dull", &e) == 0);
		arena_reset(&a);
	}
	CHECK(rc == 0 && rec_count(in) == 7);
	CHECK(rec_close(in, &e) == 0);
	same_bytes("rej.jsonl", want, sizeof want - 1);
	arena_release(&a);
	rec_opts_init(&o);
	unlink("rej.jsonl");
}

static void figures(void)
{
	static char *argv[] = { "sft-x", "--seed", "3", NULL };
	static const struct opt *const tables[] = { NULL };
	static const char *const from = "in.csv";
	const struct json *v;
	struct tool run;
	struct recin *in;
	struct recout *out;
	struct rec *r;
	struct arena a = {0};
	int64_t i = 0;

	file("in.csv", "a\n1\n2\n", 6);
	CHECK(tool_begin(&run, "sft-x", "", "", tables, 3, argv) == 0);
	o.stats = "stats.json";
	CHECK(rec_open(&in, &from, 1, &o, &run, &e) == 0);
	CHECK(rec_create(&out, "out.csv", rec_format(in), &o, &run, &e) == 0);
	CHECK(rec_share(in) >= 0);
	CHECK(rec_read(in, &r, &e) == 0 && r && rec_write(out, r, &e) == 0);
	CHECK(rec_read(in, &r, &e) == 0 && r && rec_reject(in, r, "second", &e) == 0);
	CHECK(rec_read(in, &r, &e) == 0 && r == NULL);
	CHECK(rec_share(in) == 1);
	CHECK(rec_stats(in, out, &o, &run, NULL, NULL, &e) == 0);
	CHECK(rec_close(in, &e) == 0 && rec_finish(out, &e) == 0);
	CHECK(json_file(&a, "stats.json", &v, &e) == 0);
	CHECK(json_is(json_get(v, "schema"), "sft.stats/1") && json_is(json_get(v, "tool"), "sft-x"));
	CHECK(json_int(json_get(v, "seed"), &i) && i == 3);
	CHECK(json_int(json_get(json_get(v, "options"), "seed"), &i) && i == 3);
	CHECK(json_int(json_get(json_get(v, "input"), "records"), &i) && i == 2);
	CHECK(json_int(json_get(json_get(v, "input"), "bytes"), &i) && i == 6);
	CHECK(json_is(json_get(json_get(v, "input"), "encoding"), "UTF-8"));
	CHECK(json_int(json_get(json_get(v, "output"), "records"), &i) && i == 1);
	CHECK(json_int(json_get(json_get(v, "rejected"), "second"), &i) && i == 1);
	CHECK(json_get(v, "seconds")->type == JSON_NUM);
	arena_release(&a);
	tool_end(&run, 0);
	rec_opts_init(&o);
	unlink("stats.json");
}

/* A rec file cut anywhere, or with any bit turned, is refused, and nothing is written from it. */
static void damaged_rec(void)
{
	char bytes[2000];
	size_t n;

	file("in.csv", csv, sizeof csv - 1);
	CHECK(copy("in.csv", "out.rec", false) == 0);
	memcpy(bytes, slurp("out.rec", &n), sizeof bytes);
	CHECK(n < sizeof bytes);
	o.from = REC_REC;
	for (size_t cut = 1; cut < n; cut++) {
		file("cut.rec", bytes, cut);
		CHECK(copy("cut.rec", "never.csv", cut % 2) == SFT_BADDATA);
		CHECK(strncmp(e.msg, "cut.rec: ", 9) == 0);
	}
	for (size_t i = 0; i < n; i++) {
		bytes[i] ^= (char)(1 << i % 8);
		file("cut.rec", bytes, n);
		if (i != 12)                             /* the text format may be another that there is */
			CHECK(copy("cut.rec", "never.csv", i % 2) == SFT_BADDATA);
		bytes[i] ^= (char)(1 << i % 8);
	}
	bytes[n] = 'x';
	file("cut.rec", bytes, n + 1);
	CHECK(copy("cut.rec", "never.csv", false) == SFT_BADDATA);
	CHECK_STR(e.msg, "cut.rec: bytes behind the end mark");
	CHECK(access("never.csv", F_OK) != 0);
	rec_opts_init(&o);
	unlink("cut.rec");
}

static void damaged_packing(void)
{
	static const char *const ends[] = { "csv.gz", "csv.zst" };
	char path[40], bytes[2000];
	size_t n;

	for (size_t k = 0; k < 2; k++) {
		snprintf(path, sizeof path, "out.%s", ends[k]);
		CHECK(copy("in.csv", path, false) == 0);
		memcpy(bytes, slurp(path, &n), sizeof bytes);
		for (size_t cut = 20; cut < n; cut++) {
			file(path, bytes, cut);
			CHECK(copy(path, "never.csv", false) == SFT_BADDATA);
			CHECK(strncmp(e.msg, path, strlen(path)) == 0);
		}
		memcpy(bytes + n, bytes, n);             /* two members: one stream */
		file(path, bytes, 2 * n);
		o.no_header = true;
		CHECK(copy(path, "back.csv", false) == 0);
		rec_opts_init(&o);
		bytes[n] = 'x';
		file(path, bytes, n + 1);
		CHECK(copy(path, "never.csv", false) == SFT_BADDATA);
		bytes[n / 2] ^= 0x55;
		file(path, bytes, n);
		CHECK(copy(path, "never.csv", false) == SFT_BADDATA);
		CHECK(access("never.csv", F_OK) != 0);
		unlink(path);
	}
}

static void no_folder_no_full_disk(void)
{
	CHECK(copy(".", "never.csv", false) == SFT_BADDATA);
	CHECK_STR(e.msg, ".: is a folder (expected a file)");
	CHECK(copy("in.csv", "/dev/full", false) == SFT_SYSTEM);
	CHECK(strstr(e.msg, "No space left") != NULL);
	CHECK(copy("in.csv", "no/such/out.csv", false) == SFT_SYSTEM);
	o.rejects = "no/such/rej";
	CHECK(copy("in.csv", "never.csv", false) == SFT_SYSTEM);
	rec_opts_init(&o);
	CHECK(access("never.csv", F_OK) != 0);
}

/* csv-spectrum: the twelve files give the records of their JSON. */
static void spectrum(void)
{
	const char *data = getenv("DATA");
	char from[500], want[500];
	struct dirent *d;
	DIR *dir;
	int files = 0;

	snprintf(want, sizeof want, "%s/csv_spectrum/json", data ? data : "tests/data");
	if ((dir = opendir(want)) == NULL) {
		CHECK(!"tests/data is there");
		return;
	}
	while ((d = readdir(dir)) != NULL) {
		size_t n = strlen(d->d_name);
		char *first;

		if (n < 6 || strncmp(d->d_name, "location", 8) == 0)     /* that one does not agree with itself */
			continue;
		snprintf(from, sizeof from, "%s/csv_spectrum/csvs/%.*s.csv", data ? data : "tests/data", (int)n - 5, d->d_name);
		snprintf(want, sizeof want, "%s/csv_spectrum/json/%s", data ? data : "tests/data", d->d_name);
		CHECK(copy(from, "got.jsonl", files % 2) == 0);
		o.to = REC_JSONL;
		o.from = REC_AUTO;
		first = mem_str(slurp("got.jsonl", &n));
		CHECK(copy(want, "want.jsonl", false) == 0);
		CHECK_STR(slurp("want.jsonl", &n), first);
		mem_free(first);
		rec_opts_init(&o);
		files++;
	}
	closedir(dir);
	CHECK(files == 11);
}

int main(void)
{
	t.name = "test";
	rec_opts_init(&o);
	TEST(every_format_reads_back);
	TEST(types_and_kinds_survive);
	TEST(csv_refuses_other_columns);
	TEST(empty_tables);
	TEST(awkward_names);
	TEST(rejects_are_in_order);
	TEST(figures);
	TEST(damaged_rec);
	TEST(damaged_packing);
	TEST(no_folder_no_full_disk);
	TEST(spectrum);
	return test_end();
}
