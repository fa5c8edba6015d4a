/* SPDX-License-Identifier: Apache-2.0 */
/* With an argument this program is the other half of tests/text/unicode.test: it maps lines of standard input. */
#include "unicode.h"
#include "unimap.h"

#include <stdlib.h>

#include "test.h"

static struct unicode *u;

static const char *lower(const char *s)
{
	static char out[4096];

	out[unicode_lower(u, s, strlen(s), out)] = '\0';
	return out;
}

static const char *kept(const char *s, unsigned classes)
{
	static char out[4096];

	out[unicode_keep(u, classes, s, strlen(s), out)] = '\0';
	return out;
}

static const char *squeezed(const char *s)
{
	static char out[4096];

	out[unicode_squeeze(u, s, strlen(s), out)] = '\0';
	return out;
}

static const char *folded(const char *s)
{
	static char out[4096];

	out[unicode_fold_width(u, s, strlen(s), out)] = '\0';
	return out;
}

static const char *normal(enum unicode_form form, const char *s)
{
	static struct buf out;
	static struct err e;
	bool changed;

	out.n = 0;
	if (unicode_normalize(u, form, s, strlen(s), &out, &changed, &e) != 0)
		return e.msg;
	return changed ? out.p : s;
}

static const char *cased(enum unicode_case how, const char *s)
{
	static struct buf out;

	buf_free(&out);
	unicode_case(u, how, s, strlen(s), &out);
	return out.p;
}

static void lowering(void)
{
	CHECK_STR(lower("HELLO World, A LONG LINE OF ASCII with Z[@`{"), "hello world, a long line of ascii with z[@`{");
	CHECK_STR(lower("ÀÉÎ ПРИВЕТ 你好 ǅ"), "àéî привет 你好 ǆ");
	CHECK_STR(lower("ΟΔΟΣ ΟΔΟΣ, Σ ΑΣΑ Α'Σ ΑΣ'Α"), "οδος οδος, σ ασα α'ς ασ'α");   /* ' is case-ignorable */
	CHECK_STR(lower("İstanbul"), "i̇stanbul");
	CHECK_STR(lower("ȺK"), "ⱥk");
	CHECK_STR(lower("\U00010400"), "\U00010428");
	CHECK_STR(lower(""), "");
}

static void keeping(void)
{
	CHECK_STR(kept("a-b_c! d,é(ü)²½", UNI_WORD | UNI_SPACE), "ab_c déü²½");
	CHECK_STR(kept("हिन्दी!", UNI_WORD | UNI_SPACE), "हनद");
	CHECK_STR(kept("हिन्दी!", UNI_WORD | UNI_SPACE | UNI_MARK), "हिन्दी");
	CHECK_STR(kept("你好，世界。\xE3\x80\x80x\U0001F600y", UNI_WORD | UNI_SPACE), "你好世界\xE3\x80\x80xy");
}

static void spaces(void)
{
	CHECK_STR(squeezed("  a \t\n b\xE3\x80\x80\xC2\xA0""c  "), "a b c");
	CHECK_STR(squeezed(" \n "), "");
	CHECK_STR(squeezed("a"), "a");
}

static void widths(void)
{
	CHECK_STR(folded("ＡＢＣ１２３！\xE3\x80\x80￥"), "ABC123! ¥");
	CHECK_STR(folded("ｶﾞｷﾞｸ ﾊﾟﾋ ﾝ゛ｱﾞ"), "ガギク パヒ ン゛ア\xE3\x82\x99");
	CHECK_STR(folded("①Ⅳﬁ日本"), "①Ⅳﬁ日本");          /* NFKC would change these */
	CHECK_STR(folded("ﾞ"), "\xE3\x82\x99");
}

static void forms(void)
{
	CHECK_STR(normal(UNICODE_NFC, "e\xCC\x81 a"), "é a");
	CHECK_STR(normal(UNICODE_NFD, "é"), "e\xCC\x81");
	CHECK_STR(normal(UNICODE_NFKC, "ﬁ①Ａ"), "fi1A");
	CHECK_STR(normal(UNICODE_NFC, "q\xCC\x87\xCC\xA3"), "q\xCC\xA3\xCC\x87");
	CHECK_STR(normal(UNICODE_NFKC, "ﷺ"), "صلى الله عليه وسلم");
	CHECK_STR(normal(UNICODE_NFC, "plain 你好"), "plain 你好");
}

static void other_case(void)
{
	CHECK_STR(cased(UNICODE_UPPER, "straße ﬁ"), "STRASSE FI");
	CHECK_STR(cased(UNICODE_TITLE, "hELLO wORLD's ΑΣ"), "Hello World'S Ας");
	CHECK_STR(cased(UNICODE_CAPITALIZE, "ΑΣ ÉCOLE"), "Ας école");
	CHECK_STR(cased(UNICODE_FOLD, "Straße İ"), "strasse i̇");
}

static void properties(void)
{
	CHECK_STR(unicode_category('A'), "Lu");
	CHECK_STR(unicode_category(0x4E00), "Lo");
	CHECK_STR(unicode_category(0xAB), "Pi");
	CHECK_STR(unicode_category(0xE000), "Co");
	CHECK_STR(unicode_script(0x4E00), "Han");
	CHECK_STR(unicode_script('A'), "Latin");
}

static void validity(void)
{
	static const char *bad[] = { "\x80", "a\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE4\xBD", "\xC3(" };
	size_t at;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK(!utf8_valid(bad[i], strlen(bad[i]), NULL));
	CHECK(utf8_valid("añ日\U0001F600", 10, NULL));
	CHECK(!utf8_valid("0123456789\xff", 11, &at) && at == 10);
	CHECK(utf8_count("añ日\U0001F600", 10) == 4);
}

/* Every line of standard input (U+000A excepted), mapped. */
static int filter(const char *how)
{
	char *line = NULL, *out = NULL;
	size_t cap = 0;
	ssize_t n;

	while ((n = getline(&line, &cap, stdin)) > 0) {
		struct buf b = {0};
		size_t k = (size_t)n - 1;

		out = mem_grow(out, UNICODE_LOWER_ROOM(k), 1);
		if (strcmp(how, "lower") == 0)
			k = unicode_lower(u, line, k, out);
		else if (strcmp(how, "strip") == 0)
			k = unicode_keep(u, UNI_WORD | UNI_SPACE, line, k, out);
		else if (strcmp(how, "squeeze") == 0)
			k = unicode_squeeze(u, line, k, out);
		else {
			bool changed = true;
			struct err e = {0};
			if (strcmp(how, "nfc") == 0 || strcmp(how, "nfkc") == 0)
				unicode_normalize(u, how[2] == 'c' ? UNICODE_NFC : UNICODE_NFKC, line, k, &b, &changed, &e);
			else
				unicode_case(u, strcmp(how, "upper") == 0 ? UNICODE_UPPER : strcmp(how, "title") == 0 ? UNICODE_TITLE : UNICODE_FOLD, line, k, &b);
			fwrite(changed ? b.p : line, 1, changed ? b.n : k, stdout);
			k = 0;
		}
		fwrite(out, 1, k, stdout);
		putchar('\n');
		buf_free(&b);
	}
	free(line);
	mem_free(out);
	return fflush(stdout) != 0;
}

enum { exact = UNI_WORD | UNI_SPACE };

/* About N bytes of whole characters, of a kind that ROUND says; how many. */
static size_t some_text(char *to, size_t n, int round)
{
	static const uint32_t from[] = { 0, 0x80, 0x370, 0x4E00, 0x3000, 0xAC00, 0xFF00, 0x1E00, 0x2000, 0x10400, 0x1F600, 0x130 };
	size_t at = 0;

	while (at + 4 < n) {
		uint32_t base = from[rand() % (round % 3 ? 4 : 12)];

		at += utf8_put(to + at, rand() % 3 ? (uint32_t)rand() % 128 : base + (uint32_t)rand() % (base == 0x130 ? 1 : base < 0x800 ? 0x80 : 0x100));
	}
	while (at < n)
		to[at++] = (char)(rand() % 128);
	return at;
}

/* The loops for this machine write what the plain ones write, whatever the length and place of the text. */
static void loops(void)
{
	static char text[400], a[700], b[700];
	size_t na, nb;

	for (int round = 0; round < 3000; round++) {
		size_t n = (size_t)(rand() % 300), at = (size_t)(rand() % 64);

		n = some_text(text + at, n, round);
		for (int what = 0; what < 3; what++) {
			memset(a, 1, sizeof a);
			memset(b, 1, sizeof b);
			na = what ? u->keep(u, what == 1 ? exact : exact | UNI_MARK, text + at, n, a) : u->lower(u, text + at, n, a);
			nb = what ? unimap_keep_plain(u, what == 1 ? exact : exact | UNI_MARK, text + at, n, b) : unimap_lower_plain(u, text + at, n, b);
			CHECK(na == nb && memcmp(a, b, na) == 0 && a[na + 64] == 1 && b[nb + 64] == 1);
		}
	}
}

/* The same for every code point, among others that are kept and left alone. */
static void loops_everywhere(void)
{
	static char text[400], a[700], b[700];

	for (uint32_t c = 0x80; c < 0x110000; c++) {
		size_t n = 0, na;

		if (c >= 0xD800 && c < 0xE000)
			continue;
		for (uint32_t i = 0; i < c % 61; i++)
			text[n++] = 'x';
		n += utf8_put(text + n, 0x65E5);
		n += utf8_put(text + n, c);
		n += utf8_put(text + n, 'A');
		na = u->lower(u, text, n, a);
		CHECK(na == unimap_lower_plain(u, text, n, b) && memcmp(a, b, na) == 0);
		na = u->keep(u, exact, text, n, a);
		CHECK(na == unimap_keep_plain(u, exact, text, n, b) && memcmp(a, b, na) == 0);
		na = u->keep(u, exact | UNI_MARK, text, n, a);
		CHECK(na == unimap_keep_plain(u, exact | UNI_MARK, text, n, b) && memcmp(a, b, na) == 0);
	}
}

int main(int argc, char **argv)
{
	int rc = 0;

	u = unicode_open();
	if (argc > 1) {
		rc = filter(argv[1]);
	} else {
		TEST(lowering);
		TEST(keeping);
		TEST(spaces);
		TEST(widths);
		TEST(forms);
		TEST(other_case);
		TEST(properties);
		TEST(validity);
		TEST(loops);
		TEST(loops_everywhere);
		rc = test_end();
	}
	unicode_close(u);
	return rc;
}
