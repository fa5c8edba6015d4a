/* SPDX-License-Identifier: Apache-2.0 */
/* lib/base: options, files that are whole or not there, the ordered pipeline, arenas, maps. */
#include <dirent.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hash.h"
#include "mem.h"
#include "opt.h"
#include "outfile.h"
#include "rng.h"
#include "strmap.h"
#include "test.h"
#include "threads.h"

static struct err e;

/* --- options --- */

static bool flag, other;
static int64_t whole;
static double real;
static uint64_t size;
static int choice;
static const char *text;
static struct opt_list list;

static const struct opt options[] = {
	OPT_FLAG('f', "flag", &flag, ""), OPT_FLAG('g', "no-good", &other, ""), OPT_INT('n', "whole", &whole, "N", "", -5, 10), OPT_REAL(0, "real", &real, "X", "", 0, 1),
	OPT_SIZE(0, "size", &size, "SIZE", ""), OPT_CHOICE(0, "choice", &choice, "red|green|blue", ""), OPT_STR('t', "text", &text, "TEXT", ""), OPT_LIST('l', "list", &list, "X", ""), OPT_END
};
static const struct opt *const tables[] = { options, NULL };

static int parse(const char *line, int *n)
{
	static char words[200], *argv[20];
	int argc = 0;

	snprintf(words, sizeof words, "x %s", line);
	for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
		argv[argc++] = w;
	argv[argc] = NULL;
	return opt_parse(argc, argv, tables, n, &e);
}

static void options_are_parsed_whole(void)
{
	static const struct { const char *line, *msg; } wrong[] = {
		{ "-n 11", "--whole: 11 is out of range (expected -5 to 10)" }, { "-n 1x", "--whole: '1x' is not a whole number" }, { "--whole=", "--whole: '' is not a whole number" },
		{ "--real nan", "--real: 'nan' is not a number" }, { "--real 2", "--real: 2 is out of range (expected 0 to 1)" }, { "--size 3Q", "--size: '3Q' is not a size (expected a number with K, M, G or T)" },
		{ "--choice gren", "--choice: 'gren' is none of red|green|blue" }, { "--text", "--text needs a value (TEXT)" }, { "-ft", "-t needs a value (TEXT)" },
		{ "--flag=1", "--flag takes no value" }, { "--txet a", "unknown option --txet (did you mean --text?)" }, { "-z", "unknown option -z (-h lists them)" }, { "--no-text", "unknown option --no-text (did you mean --text?)" } };
	int n;

	CHECK(parse("-fn -3 a --real=0.5 --size 3M --choice blue -tx -l 1 -l2 -- -f", &n) == 0);
	CHECK(flag && whole == -3 && real == 0.5 && size == 3u << 20 && choice == 2 && n == 2 && list.n == 2);
	CHECK_STR(text, "x");
	CHECK_STR(list.v[1], "2");
	CHECK(parse("--no-flag --no-good", &n) == 0 && !flag && other);
	CHECK(parse("-", &n) == 0 && n == 1);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		CHECK(parse(wrong[i].line, &n) == SFT_USAGE);
		CHECK_STR(e.msg, wrong[i].msg);
	}
	CHECK(opt_set(tables, "whole", "7", &e) == 0 && whole == 7);
	CHECK(opt_set(tables, "flag", "true", &e) == 0 && flag);
	mem_free(list.v);
}

/* --- files --- */

static int files_here(void)
{
	DIR *d = opendir(".");
	int n = 0;

	for (struct dirent *f; (f = readdir(d)) != NULL; )
		n += f->d_name[0] != '.' || strstr(f->d_name, ".tmp") != NULL;
	closedir(d);
	return n;
}

static bool holds(const char *path, const char *want)
{
	char got[100] = "";
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(got, 1, 99, f) : 0;

	if (f)
		fclose(f);
	return n == strlen(want) && strcmp(got, want) == 0;
}

static void a_file_is_whole_or_not_there(void)
{
	struct outfile *f;
	int before = files_here();

	CHECK(out_open(&f, "whole.txt", &e) == 0 && out_write(f, "hello", 5, &e) == 0);
	CHECK(files_here() == before);
	CHECK(out_patch(f, 1, "a", 1, &e) == 0 && out_tell(f) == 5);
	CHECK(out_close(f, true, &e) == 0 && holds("whole.txt", "hallo") && files_here() == before + 1);
	CHECK(out_open(&f, "whole.txt", &e) == 0 && out_write(f, "x", 1, &e) == 0);
	out_abandon(f);
	CHECK(holds("whole.txt", "hallo") && files_here() == before + 1);
	CHECK(out_whole("whole.txt", "new", 3, false, &e) == 0 && holds("whole.txt", "new") && files_here() == before + 1);
	CHECK(out_whole("no/such/folder", "new", 3, false, &e) == SFT_SYSTEM);
	CHECK(out_mkdirs("one/two/three", &e) == 0 && out_mkdirs("one/two", &e) == 0);
	CHECK(out_whole("one/two", "x", 1, false, &e) == SFT_SYSTEM);
	CHECK(out_open(&f, "/dev/full", &e) == 0 && out_write(f, "x", 1, &e) == 0 && out_close(f, false, &e) == SFT_SYSTEM);
	CHECK_STR(e.msg, "/dev/full: No space left on device");
	rmdir("one/two/three");
	rmdir("one/two");
	rmdir("one");
	unlink("whole.txt");
}

static void a_killed_writer_leaves_nothing(void)
{
	int before = files_here(), status;
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		struct outfile *f;
		static char block[1 << 20];

		if (out_open(&f, "killed.txt", &e) == 0 && out_write(f, block, sizeof block, &e) == 0)
			abort();
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	CHECK(access("killed.txt", F_OK) != 0 && files_here() == before);
}

/* --- the ordered pipeline --- */

struct line {
	uint64_t read, written, sum, stop_read, stop_write;
	bool disorder;
};

struct item {
	uint64_t number, value;
};

static int line_read(void *ctx, void *item)
{
	struct line *l = ctx;

	if (l->read == l->stop_read)
		return -7;
	if (l->read == 3000)
		return 0;
	((struct item *)item)->number = l->read++;
	return 1;
}

static void line_map(void *ctx, void *item, int thread)
{
	struct item *i = item;

	(void)ctx;
	(void)thread;
	i->value = rng_mix(i->number);
	for (uint64_t spin = i->value % 50; spin > 0; spin--)
		i->value = rng_mix(i->value);
}

static int line_write(void *ctx, void *item)
{
	struct line *l = ctx;
	struct item *i = item;

	l->disorder |= i->number != l->written;
	if (l->written++ == l->stop_write)
		return -8;
	l->sum = l->sum * 31 + i->value;
	return 0;
}

static void a_pipeline_keeps_the_order(void)
{
	static const struct omap proto = { NULL, line_read, line_map, line_write };
	struct item store[11];
	void *items[11];
	uint64_t want = 0;

	for (int i = 0; i < 11; i++)
		items[i] = store + i;
	for (int threads = 1; threads <= 5; threads++) {
		struct line l = { .stop_read = UINT64_MAX, .stop_write = UINT64_MAX };
		struct omap m = proto;

		m.ctx = &l;
		CHECK(omap_run(&m, items, 2 * threads + 1, threads) == 0);
		CHECK(!l.disorder && l.written == 3000);
		CHECK(threads == 1 || l.sum == want);
		want = l.sum;
		l = (struct line){ .stop_read = 500, .stop_write = UINT64_MAX };
		CHECK(omap_run(&m, items, threads + 1, threads) == -7 && !l.disorder && l.written == 500);
		l = (struct line){ .stop_read = UINT64_MAX, .stop_write = 500 };
		CHECK(omap_run(&m, items, threads + 1, threads) == -8 && !l.disorder && l.written == 501);
	}
}

/* --- memory --- */

static void arenas_rewind(void)
{
	struct arena a = {0}, mark;
	char *first = arena_str(&a, "first", 5), *last;

	mark = a;
	for (int i = 0; i < 100; i++)
		memset(arena_get(&a, 100000), 0xaa, 100000);
	arena_rewind(&a, &mark);
	CHECK_STR(first, "first");
	last = arena_str(&a, "last", 4);
	CHECK_STR(last, "last");
	CHECK_STR(first, "first");
	CHECK(a.total <= 64 * 1024);
	arena_release(&a);
}

static void maps_find_what_was_put(void)
{
	struct strmap m = {0};
	char key[20];
	bool added;

	for (uint64_t i = 0; i < 20000; i++) {
		int n = snprintf(key, sizeof key, "k%llu", (unsigned long long)i % 10000);

		strmap_put(&m, key, (size_t)n, i, &added);
		CHECK(added == (i < 10000));
	}
	CHECK(m.n == 10000 && strmap_find(&m, "k777", 4)->value == 777 && strmap_find(&m, "k10000", 6) == NULL && strmap_find(&m, "k7", 1) == NULL);
	CHECK_STR(m.e[5].key, "k5");
	strmap_free(&m);
	CHECK(crc32c(0, "123456789", 9) == 0xE3069283u);
}

int main(void)
{
	TEST(options_are_parsed_whole);
	TEST(a_file_is_whole_or_not_there);
	TEST(a_killed_writer_leaves_nothing);
	TEST(a_pipeline_keeps_the_order);
	TEST(arenas_rewind);
	TEST(maps_find_what_was_put);
	return test_end();
}
