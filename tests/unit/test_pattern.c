/* SPDX-License-Identifier: Apache-2.0 */
#include "pattern.h"

#include "test.h"

static struct pattern *compiled(const char *regex, unsigned flags)
{
	struct pattern *p;
	struct err e = {0};

	if (pattern_new(&p, regex, strlen(regex), flags, &e) != 0)
		printf("# %s\n", e.msg);
	return p;
}

/* TEXT with REGEX replaced by REPL, in a buffer that the next call reuses. */
static const char *replaced(const char *regex, unsigned flags, const char *repl, const char *text, uint64_t *count)
{
	static struct buf out;
	struct pattern *p = compiled(regex, flags);
	struct matcher *m = matcher_new();
	struct replacement *r = NULL;
	struct err e = {0};
	int rc;

	out.n = 0;
	rc = p ? replacement_new(&r, p, repl, strlen(repl), &e) : SFT_USAGE;
	if (rc == 0)
		rc = pattern_replace(p, m, r, text, strlen(text), &out, count, &e);
	if (rc) {
		buf_free(&out);
		buf_str(&out, e.msg);
	} else if (*count == 0) {
		buf_str(&out, text);
	}
	replacement_free(r);
	matcher_free(m);
	pattern_free(p);
	return out.p;
}

static void replacing(void)
{
	uint64_t n;

	CHECK_STR(replaced("(\\w+) (\\w+)", 0, "$2 ${1}!", "hello world", &n), "world hello!");
	CHECK_STR(replaced("(?<year>\\d{4})", 0, "<${year}$$>", "in 2024, 2025", &n), "in <2024$>, <2025$>");
	CHECK(n == 2);
	CHECK_STR(replaced("b*", 0, "-", "abc", &n), "-a--c-");        /* as Python's re.sub */
	CHECK_STR(replaced("", 0, "|", "日本", &n), "|日|本|");         /* whole characters */
	CHECK_STR(replaced("\\s+", 0, "\\n", "a \t\xE3\x80\x80z", &n), "a\nz");  /* an ideographic space is \s */
	CHECK_STR(replaced("É", PATTERN_CASELESS, "e", "éÉ", &n), "ee");
	CHECK_STR(replaced("(x)|y", 0, "[$1]", "xy", &n), "[x][]");
	CHECK_STR(replaced("a", 0, "$10", "b", &n), "replacement: no group $1 (the pattern has 0)");
	CHECK_STR(replaced("(a)", 0, "$10", "a", &n), "a0");
	CHECK_STR(replaced("a", 0, "$", "a", &n), "replacement: '$' at the end (a dollar is written $$)");
	CHECK_STR(replaced("a", 0, "${nope}", "a", &n), "replacement: no group named 'nope'");
}

static void refusing(void)
{
	struct pattern *p;
	struct err e = {0};

	CHECK(pattern_new(&p, "a(b", 3, 0, &e) == SFT_USAGE && p == NULL);
	CHECK_STR(e.msg, "pattern, byte 4: missing closing parenthesis");
	CHECK(pattern_new(&p, "\\C", 2, 0, &e) == SFT_USAGE);
	CHECK(pattern_new(&p, "\xff", 1, 0, &e) == SFT_USAGE);
}

static void limits(void)
{
	char text[64];
	uint64_t n;

	memset(text, 'a', 40);
	strcpy(text + 40, "!");
	CHECK_STR(replaced("(a+)+$", 0, "", text, &n),
	          "the pattern needs more than 100000 steps on this text (write it so that it backtracks less)");
}

static void walking(void)
{
	struct pattern *p = compiled("\\b(\\p{L}+)|(\\d)", 0);
	struct matcher *m = matcher_new();
	const char *text = "añb 7 日本";
	size_t a = 0, b = 0, n = strlen(text);
	bool found;
	struct err e = {0};

	CHECK(pattern_groups(p) == 2);
	CHECK(pattern_find(p, m, text, n, 0, &found, &e) == 0 && found);
	CHECK(matcher_span(m, 1, &a, &b) && a == 0 && b == 4);
	CHECK(!matcher_span(m, 2, &a, &b) && !matcher_span(m, 50, &a, &b));
	CHECK(pattern_next(p, m, text, n, &found, &e) == 0 && found);
	CHECK(matcher_span(m, 2, &a, &b) && a == 5 && b == 6 && !matcher_span(m, 1, &a, &b));
	CHECK(pattern_next(p, m, text, n, &found, &e) == 0 && found && matcher_span(m, 0, &a, &b) && a == 7 && b == n);
	CHECK(pattern_next(p, m, text, n, &found, &e) == 0 && !found);
	CHECK(pattern_find(p, m, "", 0, 0, &found, &e) == 0 && !found);
	matcher_free(m);
	pattern_free(p);
}

static void splitting(void)
{
	struct arena a;
	struct pattern_parts q;
	struct err e = {0};

	arena_init(&a);
	CHECK(pattern_split("/a\\/b\\d/x/i", 2, &a, &q, &e) == 0);
	CHECK_STR(q.pattern, "a/b\\d");
	CHECK_STR(q.replacement, "x");
	CHECK(q.flags == PATTERN_CASELESS);
	CHECK(pattern_split("|http://||", 2, &a, &q, &e) == 0 && q.npattern == 7 && q.nreplacement == 0);
	CHECK(pattern_split("/a/", 2, &a, &q, &e) == SFT_USAGE);
	CHECK(pattern_split("/a", 1, &a, &q, &e) == SFT_USAGE);
	CHECK(pattern_split("abc", 1, &a, &q, &e) == SFT_USAGE);
	CHECK(pattern_split("", 1, &a, &q, &e) == SFT_USAGE);
	CHECK(pattern_split("/a/q", 1, &a, &q, &e) == SFT_USAGE);
	CHECK(pattern_split("/a\\", 1, &a, &q, &e) == SFT_USAGE);
	arena_release(&a);
}

int main(void)
{
	TEST(replacing);
	TEST(refusing);
	TEST(limits);
	TEST(walking);
	TEST(splitting);
	return test_end();
}
