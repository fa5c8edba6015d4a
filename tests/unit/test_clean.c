/* SPDX-License-Identifier: Apache-2.0 */
#include "clean.h"
#include "striphtml.h"

#include "test.h"

/* --- HTML --- */

static const char *text_of(const char *html)
{
	static char out[4096];

	out[striphtml(html, strlen(html), out)] = '\0';
	return out;
}

static void html(void)
{
	CHECK_STR(text_of("<p>Hello <b>you</b></p><p class=\"a>b\">there</p>"), "Hello you\nthere\n");
	CHECK_STR(text_of("a<br/>b<BR>c"), "a\nb\nc");
	CHECK_STR(text_of("<td>1</td><td>2</td>"), "1 2 ");
	CHECK_STR(text_of("a < b and c > d, <3, x<y>z"), "a < b and c > d, <3, xz");
	CHECK_STR(text_of("&lt;&amp;&gt; &eacute;&#233;&#xE9;&#128; &nbsp;| &bogus; &amp &notit; &nGt; &"), "<&> ééé€ \xC2\xA0| &bogus; & ¬it; ≫\u20D2 &");
	CHECK_STR(text_of("&#0;&#xD800;&#1114112;&#99999999999;&#;&#x;&#65a;&#1;|"), "\uFFFD\uFFFD\uFFFD\uFFFD&#;&#x;Aa;|");
	CHECK_STR(text_of("x<!-- <b> -->y<!DOCTYPE html><?xml version=\"1.0\"?>z<![CDATA[<1>]]>"), "xyz<1>");
	CHECK_STR(text_of("<style>p {}</style>a<script type='x'>if (a<b) '</b>'</script >b"), "ab");
	CHECK_STR(text_of("open <b and <!-- open"), "open <b and <!-- open");
	CHECK_STR(text_of("<a title=\"open>x</a>y"), "xy");
	CHECK_STR(text_of("<script>never closed"), "");
	CHECK_STR(text_of("&amp;lt;"), "&lt;");            /* once only */
	CHECK_STR(text_of(""), "");
}

/* --- the chain --- */

static const char *const column[] = { "id", "text", "n" };
static const uint32_t column_len[] = { 2, 4, 1 };
static const struct names names = { 3, (const char **)column, (uint32_t *)column_len };

/* The step NAME VALUE on {"id":"7","text":TEXT,"n":JSON}: the values behind it joined by '|', or what went wrong. */
static const char *cleaned(const char *name, const char *value, const char *text)
{
	static struct buf out;
	static struct clean c;
	struct field f[3] = { { "7", 1, FIELD_TEXT }, { text, strlen(text), FIELD_TEXT }, { "null", 4, FIELD_JSON } };
	struct rec r = { .names = &names, .f = f, .file = "-" };
	const struct plan *p;
	struct tally tally[1] = {{0}};
	struct arena a;
	struct work w;
	struct err e = {0};
	enum verdict v = CLEAN_BAD;

	out.n = 0;
	arena_init(&a);
	work_init(&w);
	w.arena = &a;
	clean_init(&c);
	if (clean_add(&c, name, value, &e) || clean_ready(&c, &e) || clean_plan(&c, &names, false, &p, &e))
		buf_str(&out, e.msg);
	else if ((v = clean_apply(&c, p, &w, &r, tally)) == CLEAN_DROP)
		buf_fmt(&out, "dropped: %s", w.why);
	else if (v == CLEAN_BAD)
		buf_str(&out, w.e.msg);
	else
		for (uint32_t i = 0; i < r.names->n; i++)
			buf_fmt(&out, "%s%s=%.*s", i ? "|" : "", r.names->name[i], (int)r.f[i].n, r.f[i].p);
	CHECK(tally[0].changed == (v == CLEAN_CHANGED) && tally[0].dropped == (v == CLEAN_DROP));
	clean_release(&c);
	work_release(&w);
	arena_release(&a);
	return out.p;
}

static void steps(void)
{
	CHECK_STR(cleaned("lower", "text", "ÄB"), "id=7|text=äb|n=null");
	CHECK_STR(cleaned("lower", "all", "x"), "id=7|text=x|n=null");
	CHECK_STR(cleaned("strip-symbols-exact", "text", "a-b: हि"), "id=7|text=ab ह|n=null");
	CHECK_STR(cleaned("strip-symbols", "text", "a-b: हि"), "id=7|text=ab हि|n=null");
	CHECK_STR(cleaned("normalize", "nfkc", "ﬁ"), "id=7|text=fi|n=null");
	CHECK_STR(cleaned("normalize", "nfd", "x"), "'nfd' is none of nfc|nfkc");
	CHECK_STR(cleaned("fold-width", NULL, "Ａ"), "id=7|text=A|n=null");
	CHECK_STR(cleaned("squeeze-space", NULL, " a  b "), "id=7|text=a b|n=null");
	CHECK_STR(cleaned("strip-html", NULL, "<i>a</i>"), "id=7|text=a|n=null");
	CHECK_STR(cleaned("replace", "text:/(\\d+)/<$1>/", "a12b3"), "id=7|text=a<12>b<3>|n=null");
	CHECK_STR(cleaned("replace", "text:|/|-|", "a/b"), "id=7|text=a-b|n=null");
	CHECK_STR(cleaned("replace", "text:|https?://\\S+|<link>|", "see http://a.b"), "id=7|text=see <link>|n=null");
	CHECK_STR(cleaned("select", "n,id", "x"), "n=null|id=7");
	CHECK_STR(cleaned("rename", "text=words,id=key", "x"), "key=7|words=x|n=null");
}

static void drops(void)
{
	CHECK_STR(cleaned("drop-null", "text", ""), "dropped: null");
	CHECK_STR(cleaned("drop-null", "text", " "), "id=7|text= |n=null");
	CHECK_STR(cleaned("drop-null", "all", "x"), "dropped: null");
	CHECK_STR(cleaned("keep", "text:/^A/i", "apple"), "id=7|text=apple|n=null");
	CHECK_STR(cleaned("keep", "text:/^A/", "apple"), "dropped: keep text:/^A/");
	CHECK_STR(cleaned("drop", "id,text:/7/", "x"), "dropped: drop id,text:/7/");
	CHECK_STR(cleaned("min-chars", "4", "日本"), "dropped: min-chars 4");
	CHECK_STR(cleaned("min-chars", "3", "日本"), "id=7|text=日本|n=null");
	CHECK_STR(cleaned("max-chars", "2", "日本"), "dropped: max-chars 2");
	CHECK_STR(cleaned("drop", "text:/(a+)+$/", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"),
	          "--drop: the pattern needs more than 100000 steps on this text (write it so that it backtracks less)");
}

static void refused(void)
{
	CHECK_STR(cleaned("replace", "text", "x"), "'text' (expected COL:/PATTERN/TEXT/)");
	CHECK_STR(cleaned("replace", "text:/a/", "x"), "no closing '/' (expected /PATTERN/...)");
	CHECK_STR(cleaned("keep", "text:/(/", "x"), "pattern, byte 2: missing closing parenthesis");
	CHECK_STR(cleaned("rename", "text", "x"), "'text' (expected OLD=NEW)");
	CHECK_STR(cleaned("rename", "text=id", "x"), "--rename: two columns of one name, 'id'");
	CHECK_STR(cleaned("min-chars", "-1", "x"), "-1 is out of range (expected 0 to 1000000000000)");
	CHECK_STR(cleaned("nope", "x", "x"), "no step 'nope'");
	CHECK(strstr(cleaned("lower", "txt", "x"), "--lower: no column 'txt' (did you mean 'text'?)") != NULL);
}

int main(void)
{
	TEST(html);
	TEST(steps);
	TEST(drops);
	TEST(refused);
	return test_end();
}
