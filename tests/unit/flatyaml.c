/* SPDX-License-Identifier: Apache-2.0 */
#include "flatyaml.h"

#include "test.h"

static struct arena arena;
static struct err e;
static struct yaml_pair *pair;
static size_t n;

static int read_text(const char *text)
{
	e.msg[0] = '\0';
	return yaml_pairs_text(&arena, "r.yaml", text, strlen(text), &pair, &n, &e);
}

static void pairs_in_order(void)
{
	CHECK(read_text("# a recipe\ndrop-null: text, id\nreplace:\n  - 'text:/a/b/'\n  - \"text:/\\\\s+/ /\"\nquiet: True\nval: 0.1\nx: \"\"\n") == 0);
	CHECK(n == 6);
	CHECK_STR(pair[0].key, "drop-null");
	CHECK_STR(pair[0].value, "text, id");
	CHECK(pair[0].line == 2);
	CHECK_STR(pair[1].key, "replace");
	CHECK_STR(pair[1].value, "text:/a/b/");
	CHECK_STR(pair[2].key, "replace");
	CHECK_STR(pair[2].value, "text:/\\s+/ /");
	CHECK(pair[2].line == 5);
	CHECK_STR(pair[3].value, "true");
	CHECK_STR(pair[4].value, "0.1");
	CHECK_STR(pair[5].value, "");
	CHECK(read_text("") == 0 && n == 0);
	CHECK(read_text("{a: 1, b: [2, 3]}") == 0 && n == 3);
}

static void what_a_recipe_is_not(void)
{
	static const struct { const char *text, *msg; } cases[] = {
		{ "a: 1\na: 2\n", "r.yaml:2: 'a' is given twice" },
		{ "a:\n", "r.yaml:1: 'a' has no value" },
		{ "a: ~\n", "r.yaml:1: 'a' has no value" },
		{ "a:\n  b: 1\n", "r.yaml:2: nested mapping (expected a flat list of options)" },
		{ "- a\n- b\n", "r.yaml:1: a list where none is expected" },
		{ "just text\n", "r.yaml:1: not a mapping (expected lines 'option: value')" },
		{ "a: &x 1\nb: *x\n", "r.yaml:1: anchors and tags have no use in a recipe" },
		{ "a: !!python/object:x 1\n", "r.yaml:1: anchors and tags have no use in a recipe" },
		{ "a: 1\n---\nb: 1\n", "r.yaml:2: a second document (expected one)" },
		{ "a: [[1]]\n", "r.yaml:1: a list where none is expected" },
		{ "a: [{b: 1}]\n", "r.yaml:1: nested mapping (expected a flat list of options)" },
		{ "a: \"x\\0y\"\n", "r.yaml:1: NUL in a scalar" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CHECK(read_text(cases[i].text) == SFT_BADDATA);
		CHECK_STR(e.msg, cases[i].msg);
	}
	CHECK(read_text("a: [1, 2\n") == SFT_BADDATA && strncmp(e.msg, "r.yaml:", 7) == 0);
	CHECK(read_text("a: \xff\n") == SFT_BADDATA);
	CHECK(yaml_pairs(&arena, "no.yaml", &pair, &n, &e) == SFT_SYSTEM);
	CHECK_STR(e.msg, "no.yaml: No such file or directory");
}

int main(void)
{
	TEST(pairs_in_order);
	TEST(what_a_recipe_is_not);
	arena_release(&arena);
	return test_end();
}
