/* SPDX-License-Identifier: Apache-2.0 */
/* Differences between texts: what is marked, and that nothing is lost. */
#include <stdlib.h>

#include "textdiff.h"

#include "test.h"

static struct buf b;

/* The spans of a side, those that are not in the other text in brackets. */
static void show(const struct diff_side *s)
{
	for (size_t k = 0; k < s->n; k++) {
		buf_str(&b, s->span[k].same ? "" : "[");
		buf_add(&b, s->span[k].text.p, s->span[k].text.n);
		buf_str(&b, s->span[k].same ? "" : "]");
	}
}

static const char *diff(bool by_char, const char *a, const char *c)
{
	struct textdiff *d = textdiff_new(by_char);
	const struct diff_side *of_a, *of_c;

	textdiff(d, (struct text){ a, strlen(a) }, (struct text){ c, strlen(c) }, &of_a, &of_c);
	b.n = 0;
	show(of_a);
	buf_str(&b, " | ");
	show(of_c);
	textdiff_free(d);
	return b.p;
}

static void words_are_marked(void)
{
	CHECK_STR(diff(false, "the cat sat on the mat", "the dog sat on a mat"),
		  "the [cat] sat on [the] mat | the [dog] sat on [a] mat");
	CHECK_STR(diff(false, "card not working", "card linking"), "card [not working] | card [linking]");
	CHECK_STR(diff(false, "Yes, 5.50!", "Yes, 5.75!"), "Yes, 5.[50]! | Yes, 5.[75]!");
	CHECK_STR(diff(false, "same", "same"), "same | same");
	CHECK_STR(diff(false, "", "a b"), " | [a b]");
	CHECK_STR(diff(false, "", ""), " | ");
}

static void scripts_without_blanks_go_by_character(void)
{
	CHECK_STR(diff(false, "\xe8\xb4\xb7\xe6\xac\xbe\xe5\x88\xa9\xe7\x8e\x87",
		       "\xe8\xb4\xb7\xe6\xac\xbe\xe9\xa3\x8e\xe9\x99\xa9"),
		  "\xe8\xb4\xb7\xe6\xac\xbe[\xe5\x88\xa9\xe7\x8e\x87] | \xe8\xb4\xb7\xe6\xac\xbe[\xe9\xa3\x8e\xe9\x99\xa9]");
	CHECK_STR(diff(false, "caf\xc3\xa9 noir", "cafe noir"), "[caf\xc3\xa9] noir | [cafe] noir");
	CHECK_STR(diff(false, "cafe\xcc\x81", "cafe\xcc\x81"), "cafe\xcc\x81 | cafe\xcc\x81");
}

static void characters_are_marked(void)
{
	CHECK_STR(diff(true, "kitten", "sitting"), "[k]itt[e]n | [s]itt[i]n[g]");
	CHECK_STR(diff(true, "e\xcc\x81", "e"), "[e\xcc\x81] | [e]"); /* a mark stays with its letter */
}

static void nothing_is_lost(void)
{
	static const char *const parts[] = { "a", "b", " ", "\n", "\xe4\xbd\xa0", "\xe0\xb8\x81", "9", ",", "\xcc\x81", "word" };
	struct textdiff *d = textdiff_new(false);
	const struct diff_side *s[2];
	char text[2][256];

	for (int k = 0; k < 3000; k++) {
		size_t same[2] = { 0 };

		for (int t = 0; t < 2; t++) {
			text[t][0] = '\0';
			for (int n = rand() % 25; n > 0; n--)
				strcat(text[t], parts[rand() % 10]);
		}
		textdiff(d, (struct text){ text[0], strlen(text[0]) }, (struct text){ text[1], strlen(text[1]) }, &s[0], &s[1]);
		for (int t = 0; t < 2; t++) {
			b.n = 0;
			buf_str(&b, "");
			for (size_t i = 0; i < s[t]->n; i++) {
				buf_add(&b, s[t]->span[i].text.p, s[t]->span[i].text.n);
				same[t] += s[t]->span[i].same;
				CHECK(i == 0 || s[t]->span[i].same != s[t]->span[i - 1].same);
			}
			CHECK(b.n == strlen(text[t]) && (b.n == 0 || memcmp(b.p, text[t], b.n) == 0));
		}
		CHECK(strcmp(text[0], text[1]) != 0 || (same[0] == same[1] && s[0]->n <= 1));
	}
	textdiff_free(d);
}

int main(void)
{
	TEST(words_are_marked);
	TEST(scripts_without_blanks_go_by_character);
	TEST(characters_are_marked);
	TEST(nothing_is_lost);
	buf_free(&b);
	return test_end();
}
