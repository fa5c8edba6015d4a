/* SPDX-License-Identifier: Apache-2.0 */
/* Dictionaries, and finding terms: by hand, and against the plain definition. */
#include <stdlib.h>

#include "rng.h"
#include "termset.h"

#include "test.h"

static struct unicode *u;

static int parse(struct termset **s, const char *dict, size_t n, struct err *e)
{
	int rc;

	*s = termset_new(u);
	if ((rc = termset_parse(*s, "d", dict, n, e)) == 0)
		rc = termset_ready(*s, e);
	return rc;
}

/* TEXT with each hit as [term/variant]; or the message. */
static const char *found(const char *dict, const char *text)
{
	static struct buf b;
	struct termset *s;
	struct termscan w = {0};
	struct err e = {0};
	size_t from = 0, n;

	b.n = 0;
	buf_str(&b, "");
	if (parse(&s, dict, strlen(dict), &e) != 0) {
		buf_str(&b, e.msg);
	} else {
		n = termset_scan(s, &w, text, strlen(text));
		for (size_t i = 0; i < n; i++) {
			buf_add(&b, text + from, w.hit[i].at - from);
			buf_fmt(&b, "[%s/%u]", termset_get(s, w.hit[i].term)->form.text, w.hit[i].variant);
			from = w.hit[i].at + w.hit[i].n;
		}
		buf_str(&b, text + from);
	}
	termscan_release(&w);
	termset_free(s);
	return b.p;
}

static void finding(void)
{
	CHECK_STR(found("发热\t发烧|高烧\n", "他发烧，又发热。"), "他[发热/1]，又[发热/0]。");
	CHECK_STR(found("糖尿病\n2型糖尿病\n糖尿\n", "得了2型糖尿病和糖尿病"), "得了[2型糖尿病/0]和[糖尿病/0]");
	CHECK_STR(found("ab c\nc d e f\nd\n", "ab c d e"), "[ab c/0] [d/0] e");
	CHECK_STR(found("ab\nabcd\nbcx\n", "中abcx ab"), "中abcx [ab/0]");
	CHECK_STR(found("CT\tcat scan\n", "做CT检查，FACT，ｃｔ，Cat  scan, CAT SCAN."), "做[CT/0]检查，FACT，[CT/0]，Cat  scan, [CT/1].");
	CHECK_STR(found("CT\tct\n", "CT ct Ct"), "[CT/0] [CT/1] [CT/1]");
	CHECK_STR(found("ガム\n", "ｶﾞﾑ ガム"), "[ガム/0] [ガム/0]");
	CHECK_STR(found("σοφος\n", "ΣΟΦΟΣ σοφός σοφος σοφοσ"), "[σοφος/0] σοφός [σοφος/0] [σοφος/0]");
	CHECK_STR(found("हि\n", "हि हिन्दी"), "[हि/0] हिन्दी");
	CHECK_STR(found("아스피린\n", "아스피린을"), "[아스피린/0]을");
	CHECK_STR(found("B12\n", "B12, B123, 维生素B12"), "[B12/0], B123, 维生素[B12/0]");
	CHECK_STR(found("", "x"), "x");
	CHECK_STR(found("x\n", ""), "");
}

static void reading(void)
{
	CHECK_STR(found("# note\n\n发展 \t 1934814\n", "发展"), "[发展/0]");
	CHECK_STR(found("\xEF\xBB\xBFx\ty | z\t c\r\n", "y z x"), "[x/1] [x/2] [x/0]");
	CHECK_STR(found("a\tb\na\tc\tk", "a b c"), "[a/0] [a/1] [a/2]");
	CHECK_STR(found("高烧\t77\n发热\t高烧\n", "高烧"), "[发热/1]");
	CHECK_STR(found("CT\nct\n", "ct"), "[CT/0]");
	CHECK_STR(found("a\tx\nb\tX\n", "x"), "d:2: 'X' is a variant of two terms, the other is 'a' (d:1)");
	CHECK_STR(found("a\tb\nb\tc\n", "x"), "d:2: 'b' has variants, and stands for 'a' (d:1)");
	CHECK_STR(found("a\tb||c\n", "x"), "d:1: a variant is empty");
	CHECK_STR(found("ok\n\tb\n", "x"), "d:2: the term is empty");
	CHECK_STR(found("a\tb\tc\td\n", "x"), "d:1: more than three fields (expected term, variants, class)");
	CHECK_STR(found("a\tb\tc\na\t\td\n", "x"), "d:2: the term has another class already");
	CHECK_STR(found("a\t99999999999999999999\n", "x"), "d:1: the frequency is too large");
	CHECK_STR(found("\xC4\xE3\n", "x"), "d:1: not UTF-8 (expected a dictionary in UTF-8)");
}

static void hostile(void)
{
	struct termset *s;
	struct err e = {0};
	char *long_term = mem_new(4000);

	memset(long_term, 'a', 3999);
	CHECK(parse(&s, long_term, 3999, &e) == SFT_BADDATA && strstr(e.msg, "expected at most 1024"));
	termset_free(s);
	CHECK(parse(&s, "a\0b\n", 4, &e) == SFT_BADDATA && strstr(e.msg, "NUL"));
	termset_free(s);
	s = termset_new(u);
	CHECK(termset_read(s, "not-there", &e) == SFT_SYSTEM && strstr(e.msg, "not-there"));
	termset_free(s);
	mem_free(long_term);
}

/* --- against the definition --- */

static bool same_at(const struct termscan *w, size_t i, const struct termscan *term)
{
	for (size_t k = 0; k < term->n; k++)
		if (i + k >= w->n || w->ch[i + k].c != term->ch[k].c)
			return false;
	return termscan_whole(w, u, i, i + term->n);
}

static void random_text(struct rng *r, struct buf *b, size_t most)
{
	static const char *const alphabet[] = { "a", "B", " ", "病", "糖", "é", "ａ" };

	b->n = 0;
	for (uint64_t n = 1 + rng_below(r, most); n > 0; n--)
		buf_str(b, alphabet[rng_below(r, 7)]);
}

/* All hits of S in B, found by trying every term at every place. */
static bool as_defined(const struct termset *s, const struct buf *b, struct termscan *fast)
{
	struct termscan slow = {0}, term = {0};
	size_t hits = termset_scan(s, fast, b->p, b->n), k = 0;
	bool ok = true;

	termscan_fold(&slow, u, NULL, b->p, b->n);
	for (size_t i = 0; i < slow.n; ) {
		size_t longest = 0;

		for (uint32_t t = 0; t < termset_count(s); t++) {
			const struct term_form *f = &termset_get(s, t)->form;

			termscan_fold(&term, u, NULL, f->text, f->n);
			if (term.n > longest && same_at(&slow, i, &term))
				longest = term.n;
		}
		if (longest) {
			ok = ok && k < hits && fast->hit[k].at == slow.ch[i].at && fast->hit[k].n == slow.ch[i + longest].at - slow.ch[i].at;
			k++;
		}
		i += longest ? longest : 1;
	}
	termscan_release(&slow);
	termscan_release(&term);
	return ok && k == hits;
}

static void against_definition(void)
{
	struct termscan w = {0};
	struct buf b = {0}, dict = {0};
	struct err e = {0};
	struct rng r;
	bool ok = true;

	rng_init(&r, 5, 0);
	for (int round = 0; round < 300 && ok; round++) {
		struct termset *s;

		dict.n = 0;
		for (uint64_t n = 1 + rng_below(&r, 12); n > 0; n--) {
			random_text(&r, &b, 5);
			buf_str(&b, "病");                     /* not blank */
			if (rng_below(&r, 2))
				b.n -= 3;
			if (strspn(b.p, " ") == b.n || b.n == 0)
				continue;
			buf_add(&dict, b.p, b.n);
			buf_ch(&dict, '\n');
		}
		ok = parse(&s, dict.p ? dict.p : "", dict.n, &e) == 0;
		for (int i = 0; i < 20 && ok; i++) {
			random_text(&r, &b, 40);
			ok = as_defined(s, &b, &w);
		}
		termset_free(s);
	}
	CHECK(ok);
	termscan_release(&w);
	buf_free(&b);
	buf_free(&dict);
}

int main(void)
{
	u = unicode_open();
	TEST(finding);
	TEST(reading);
	TEST(hostile);
	TEST(against_definition);
	unicode_close(u);
	return test_end();
}
