/* SPDX-License-Identifier: Apache-2.0 */
#include "tool.h"

#include <stdlib.h>
#include <unistd.h>

#include "test.h"

static bool flag;
static const char *text;
static int64_t count;
static struct opt_list list;
static char calls[200];

static int called(void *to, const char *value, struct err *e)
{
	(void)e;
	strcat(to, value);
	strcat(to, ";");
	return 0;
}

static const struct opt own[] = {
	OPT_HEAD("Own"),
	OPT_FLAG('f', "flag", &flag, "a flag"),
	OPT_STR('t', "text", &text, "TEXT", "a text"),
	OPT_INT('n', "count", &count, "N", "a number", 0, 9),
	OPT_LIST('l', "list", &list, "X", "a list"),
	OPT_CALL('c', "call", calls, "X", "a call", called),
	OPT_END
};
static const struct opt *const tables[] = { own, NULL };

static struct tool t;

static int begin(const char *line)
{
	static char words[500], *argv[40];
	int argc = 0;

	flag = false;
	text = NULL;
	count = 0;
	calls[0] = '\0';
	snprintf(words, sizeof words, "%s", line);
	for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
		argv[argc++] = w;
	argv[argc] = NULL;
	return tool_begin(&t, "sft-x", "sft x [options] [FILE...]", "Does x.", tables, argc, argv);
}

static void write_file(const char *path, const char *s)
{
	FILE *f = fopen(path, "w");

	fputs(s, f);
	fclose(f);
}

static void options_and_operands(void)
{
	CHECK(begin("sft-x -fn 3 a --text=b -l 1 -- -q") == 0);
	CHECK(flag && count == 3 && list.n == 1 && t.noperands == 2 && !t.quiet && t.threads >= 1 && t.seed == 0);
	CHECK_STR(text, "b");
	CHECK_STR(t.operands[0], "a");
	CHECK_STR(t.operands[1], "-q");
	CHECK_STR(t.argv[4], "--text=b");
	CHECK(tool_end(&t, 0) == 0);
	CHECK(begin("sft-x --flog") == SFT_USAGE);
	CHECK_STR(t.e.msg, "unknown option --flog (did you mean --flag?)");
	t.e.msg[0] = '\0';
	CHECK(tool_end(&t, SFT_USAGE) == SFT_USAGE);
	CHECK(begin("sft-x -j 0") == SFT_USAGE);
	CHECK_STR(t.e.msg, "--jobs: 0 is out of range (expected 1 to 1024)");
	t.e.msg[0] = '\0';
	CHECK(tool_end(&t, SFT_USAGE) == SFT_USAGE);
}

static void command_line_wins_over_recipe(void)
{
	write_file("r.yaml", "text: from recipe\ncount: 5\nlist: [a, b]\ncall: [x, y]\nno-flag: true\nseed: 7\n");
	CHECK(begin("sft-x --count 6 --recipe r.yaml -c z") == 0);
	CHECK_STR(text, "from recipe");
	CHECK(count == 6 && t.seed == 7 && list.n == 2 && !flag);
	CHECK_STR(calls, "x;y;z;");
	CHECK(tool_end(&t, 0) == 0);
}

static void recipe_faults_name_the_line(void)
{
	static const struct { const char *recipe, *msg; int rc; } cases[] = {
		{ "flag: true\ncuont: 5\n", "r.yaml:2: unknown option --cuont (did you mean --count?)", SFT_USAGE },
		{ "count: many\n", "r.yaml:1: --count: 'many' is not a whole number", SFT_USAGE },
		{ "flag: 3\n", "r.yaml:1: --flag takes true or false", SFT_USAGE },
		{ "recipe: s.yaml\n", "r.yaml:1: 'recipe' has no place in a recipe", SFT_USAGE },
		{ "a: {b: c}\n", "r.yaml:1: nested mapping (expected a flat list of options)", SFT_BADDATA },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		write_file("r.yaml", cases[i].recipe);
		CHECK(begin("sft-x --recipe=r.yaml") == cases[i].rc);
		CHECK_STR(t.e.msg, cases[i].msg);
		t.e.msg[0] = '\0';
		tool_end(&t, 0);
	}
	unlink("r.yaml");
}

static void options_for_the_record(void)
{
	struct buf b = {0};
	struct jw w;

	write_file("r.yaml", "text: a\"b\nlist: [1, 2]\n");
	CHECK(begin("sft-x -f --count 4 -l 3 -c x --recipe r.yaml -c y --color never -q file") == 0);
	jw_init(&w, &b);
	tool_options_json(&t, &w);
	CHECK_STR(b.p, "{\"text\":\"a\\\"b\",\"list\":[\"1\",\"2\",\"3\"],\"flag\":true,\"count\":4,\"call\":[\"x\",\"y\"],\"recipe\":\"r.yaml\",\"color\":\"never\",\"quiet\":true}");
	b.n = 0;
	jw_init(&w, &b);
	jw_obj(&w);
	tool_json(&t, &w);
	jw_obj_end(&w);
	CHECK(strncmp(b.p, "{\"tool\":\"sft-x\",\"version\":\"" SFT_VERSION "\",\"command\":[\"sft-x\",\"-f\",", 56) == 0);
	CHECK(strstr(b.p, ",\"seed\":0}") != NULL);
	buf_free(&b);
	CHECK(tool_end(&t, 0) == 0);
	unlink("r.yaml");
}

static void text_or_file(void)
{
	struct arena a = {0};
	struct err e;
	const char *out;

	CHECK(tool_text_or_file(&a, "plain", &out, &e) == 0);
	CHECK_STR(out, "plain");
	write_file("t.txt", "two\nlines\n");
	CHECK(tool_text_or_file(&a, "@t.txt", &out, &e) == 0);
	CHECK_STR(out, "two\nlines");
	write_file("t.txt", "bad \xff");
	CHECK(tool_text_or_file(&a, "@t.txt", &out, &e) == SFT_BADDATA);
	CHECK_STR(e.msg, "t.txt: not UTF-8 text");
	CHECK(tool_text_or_file(&a, "@none", &out, &e) == SFT_SYSTEM);
	unlink("t.txt");
	arena_release(&a);
}

static void cache_folder(void)
{
	struct tool_env env = { .home = "/h" };
	char *s;

	CHECK_STR(s = tool_cache(&env), "/h/.cache/sft");
	mem_free(s);
	env.xdg_cache = "/x";
	CHECK_STR(s = tool_cache(&env), "/x/sft");
	mem_free(s);
	env.sft_home = "/s";
	CHECK_STR(s = tool_cache(&env), "/s");
	mem_free(s);
	env = (struct tool_env){0};
	CHECK(tool_cache(&env) == NULL);
}

static void color_follows_option_then_environment(void)
{
	CHECK(begin("sft-x --color always") == 0);
	CHECK(tool_color(&t, 1));
	tool_end(&t, 0);
	CHECK(begin("sft-x --color never") == 0);
	CHECK(!tool_color(&t, 1));
	tool_end(&t, 0);
	CHECK(begin("sft-x --no-progress") == 0);
	CHECK(tool_progress(&t) == PROGRESS_OFF);
	tool_end(&t, 0);
	CHECK(begin("sft-x -q --progress") == 0);
	CHECK(tool_progress(&t) == PROGRESS_ON);
	tool_end(&t, 0);
}

int main(void)
{
	TEST(options_and_operands);
	TEST(command_line_wins_over_recipe);
	TEST(recipe_faults_name_the_line);
	TEST(options_for_the_record);
	TEST(text_or_file);
	TEST(cache_folder);
	TEST(color_follows_option_then_environment);
	return test_end();
}
