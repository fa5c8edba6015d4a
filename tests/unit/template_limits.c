/* SPDX-License-Identifier: Apache-2.0 */
/* Templates from strangers stay within their limits, and the spans of the output say who wrote what. */
#include <stdlib.h>
#include "json.h"
#include "template.h"
#include "test.h"

static const char vars_text[] = "{\"s\":\"abc\",\"l\":[1,2,3],\"tools\":[{\"name\":\"t<|x|>\"}],\"messages\":[{\"role\":\"user\",\"content\":\"Hello W\\u00f6rld\"},"
	"{\"role\":\"assistant\",\"content\":\" a,b \",\"k\":{\"v\":[\"deep\"]}},{\"role\":\"<|r|>\",\"content\":\"\"}]}";

/* The output, or "error: message"; with SPANS the stretches as message numbers: 0{...} (- own, d data, * generation). */
static const char *rendered(const char *src, size_t n, bool spans, struct buf *b)
{
	struct template *t = NULL;
	struct template_out o = {0};
	struct err e = {0};
	struct arena a = {0};
	struct json_parser *p = json_parser_new();
	const struct json *vars;

	b->n = 0;
	buf_str(b, "");
	if (json_parse(p, &a, vars_text, sizeof vars_text - 1, &vars, &e) != 0 || template_open(&t, "t", src, n, &e) != 0 || template_render(t, vars, NULL, &o, &e) != 0) {
		buf_fmt(b, "error: %s", e.msg);
	} else if (!spans) {
		buf_add(b, o.text.p, o.text.n < 200 ? o.text.n : 200);
	} else {
		for (size_t i = 0; i < o.nspans; i++) {
			buf_str(b, o.span[i].generation ? "*" : "");
			if (o.span[i].message >= 0)
				buf_fmt(b, "%d", o.span[i].message);
			buf_fmt(b, "%s{%.*s}", o.span[i].message >= 0 ? "" : o.span[i].message == TEMPLATE_DATA ? "d" : "-",
			        (int)(o.span[i].end - o.span[i].start), o.text.p + o.span[i].start);
		}
	}
	template_out_free(&o);
	template_close(t);
	json_parser_free(p);
	arena_release(&a);
	return b->p;
}

static void fails(const char *src, const char *why)
{
	struct buf b = {0};

	rendered(src, strlen(src), false, &b);
	CHECK(strncmp(b.p, "error: t:", 9) == 0);
	CHECK(strstr(b.p, why) != NULL);
	if (strstr(b.p, why) == NULL)
		printf("# %.100s: %s\n", src, b.p);
	buf_free(&b);
}

/* N times REPEAT between HEAD and TAIL. */
static void fails_long(const char *head, const char *repeat, size_t n, const char *mid, const char *close, const char *tail, const char *why)
{
	struct buf b = {0};

	buf_str(&b, head);
	for (size_t i = 0; i < n; i++)
		buf_str(&b, repeat);
	buf_str(&b, mid);
	for (size_t i = 0; i < n; i++)
		buf_str(&b, close);
	buf_str(&b, tail);
	fails(b.p, why);
	buf_free(&b);
}

static void budgets(void)
{
	fails("{{ 'a' * 100000000 }}", "too much text");
	fails("{{ ('a' * 60000000)|upper|lower|upper|lower|upper|lower|length }}", "too much data");
	fails("{% set t = 'a' * 1000000 %}{% for i in range(100) %}{{ t }}{% endfor %}", "too much text");
	fails("{{ 'x'|center(100000000) }}", "width is too large");
	fails("{{ 'x\ny'|indent(10000000) }}", "width is too large");
	fails("{{ '%1000000000d'|format(1) }}", "width is too large");
	fails("{{ '{:999999999}'.format(1) }}", "width is too large");
	fails("{{ 'x'.zfill(99999999999999999999) }}", "width is too large");
	fails("{{ [0] * 100000000 }}", "limit");
	fails("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "limit");
	fails("{% set t = 'y' * 60000000 %}{% for i in range(99) %}{{ 'x' in t }}{% endfor %}", "too long");
	fails("{% set ns = namespace(l=[0]) %}{% for i in range(99999) %}{% set ns.l = ns.l + ns.l %}{% endfor %}", "limit");
	fails("{{ range(200000) }}", "Range too big");
	fails("{{ 2 ** 99999999999 }}", "too large");
	fails("{{ 7 ** 7 ** 7 ** 7 }}", "too large");
	fails("{{ 1/0 }}", "division by zero");
	fails("{{ 5 % 0 }}", "modulo by zero");
	fails("{{ (-170141183460469231731687303715884105727 - 1) // -1 }}", "too large");
	fails("{{ l|slice(0)|list }}", "by zero");
	fails("{{ 170141183460469231731687303715884105728 }}", "too large");
	fails("{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}", "too deep");
	fails("{% for x in l recursive %}{{ loop(l) }}{% endfor %}", "too deep");
	fails("{% set ns = namespace(l=[]) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}", "too deep");
	fails("{% set ns = namespace(l=[], m=[]) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}{% set ns.m = [ns.m] %}{% endfor %}{{ ns.l == ns.m }}", "too deep");
	fails("{% set ns = namespace(l=[]) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l|tojson }}", "too deep");
	fails("{{ 'a' ~ '\xff' }}", "UTF-8");
}

static void nesting(void)
{
	fails_long("{{ ", "(", 100000, "1", ")", " }}", "too deep");
	fails_long("{{ ", "[", 250, "1", "]", " }}", "too deep");
	fails_long("{{ ", "not ", 5000, "1", "", " }}", "too deep");
	fails_long("{{ ", "-", 5000, "1", "", " }}", "too deep");
	fails_long("", "{% if 1 %}", 5000, "x", "{% endif %}", "", "too deep");
	fails_long("", "{% for x in l %}", 300, "x", "{% endfor %}", "", "too deep");
	fails_long("{{ 1", " if 1 else 1", 5000, "", "", " }}", "too deep");
	fails_long("{{ s", ".a", 5000, "", "", " }}", "too deep");
	fails_long("{{ s", "|upper", 5000, "", "", " }}", "too deep");
	fails_long("{{ 1", " + 1", 100000, "", "", " }}", "too deep");
}

static void no_way_out(void)
{
	struct buf b = {0};

	const char *src = "{{ ''.__class__ }}{{ l.__init__ }}{{ s|attr('__class__') }}{{ (s.__class__) is defined }}";

	CHECK_STR(rendered(src, strlen(src), false, &b), "False");
	fails("{{ ''.__class__.__mro__ }}", "unsafe");
	fails("{{ l.append(1) }}", "unsafe");
	fails("{{ '{0.__class__}'.format(1) }}", "attributes");
	fails("{% include 'x' %}", "unknown tag");
	fails("{% import 'x' as y %}", "unknown tag");
	buf_free(&b);
}

static const char *spans(const char *src, struct buf *b)
{
	return rendered(src, strlen(src), true, b);
}

static void who_wrote_what(void)
{
	struct buf b = {0};

	CHECK_STR(spans("<|{{ messages[0].role }}|>{{ messages[0].content }}", &b), "-{<|user|>}0{Hello W\u00f6rld}");
	CHECK_STR(spans("{{ messages[2].role }}{{ messages[2]['role'][2:3] }}", &b), "2{<|r|>r}");
	CHECK_STR(spans("{{ ('[' + messages[0].content[:3] ~ messages[1].content|trim + ']')[1:-1]|upper }}", &b), "0{HEL}1{A,B}");
	CHECK_STR(spans("{{ messages[1].content.split(',')|map('trim')|join('+') }}", &b), "1{a}-{+}1{b}");
	CHECK_STR(spans("{{ messages[1]|tojson }}", &b), "-{{\"}1{role}-{\": \"assistant\", \"}1{content}-{\": \"}1{ a,b }-{\", \"}1{k}-{\": {\"}1{v}-{\": [\"}1{deep}-{\"]}}}");
	CHECK_STR(spans("{{ messages[0].content|replace('l', '<')|escape }}", &b), "0{He}-{&lt;&lt;}0{o W\u00f6r}-{&lt;}0{d}");
	CHECK_STR(spans("{{ '%s=%d' % (messages[0].content[::-1], messages|length) }}", &b), "0{dlr\u00f6W olleH}-{=3}");
	CHECK_STR(spans("{{ tools[0].name }}{{ tools|tojson }}", &b), "d{t<|x|>}-{[{\"}d{name}-{\": \"}d{t<|x|>}-{\"}]}");
	CHECK_STR(spans("{% set x %}a{{ messages[0].content }}{% endset %}{{ x|indent(2, true)|reverse|reverse }}", &b), "-{  a}0{Hello W\u00f6rld}");
	CHECK_STR(spans("{% macro f(m) %}({{ m.content }}){% endmacro %}{{ f(messages[0])|title }}{{ s }}", &b), "-{(}0{Hello W\u00f6rld}-{)abc}");
	CHECK_STR(spans("{% for c in messages[1].content %}{{ c }}{{ loop.index }}{% endfor %}", &b), "1{ }-{1}1{a}-{2}1{,}-{3}1{b}-{4}1{ }-{5}");
	CHECK_STR(spans("{% set ns = namespace(t='') %}{% for m in messages %}{% set ns.t = ns.t + m.content + ';' %}{% endfor %}{{ ns.t }}", &b), "0{Hello W\u00f6rld}-{;}1{ a,b }-{;;}");
	CHECK_STR(spans("x{% generation %}{{ messages[0].content }}!{% endgeneration %}y", &b), "-{x}*0{Hello W\u00f6rld}*-{!}-{y}");
	buf_free(&b);
}

/* x = x + y in a loop must not copy x each time: 20 MB in 20,000 steps would be 200 GB. */
static void appending(void)
{
	struct buf b = {0};
	const char *src = "{% set ns = namespace(t='') %}{% for i in range(20000) %}{% set ns.t = ns.t + 'x' * 1000 %}{% endfor %}{{ ns.t|length }}";

	CHECK_STR(rendered(src, strlen(src), false, &b), "20000000");
	/* two strings that share a beginning do not overwrite each other */
	src = "{% set a = s + '1' %}{% set b = a + '2' %}{% set c = a + '3' %}{% set d = b + '4' %}{{ a }} {{ b }} {{ c }} {{ d }}";
	CHECK_STR(rendered(src, strlen(src), false, &b), "abc1 abc12 abc13 abc124");
	buf_free(&b);
}

int main(void)
{
	TEST(budgets);
	TEST(nesting);
	TEST(no_way_out);
	TEST(who_wrote_what);
	TEST(appending);
	return test_end();
}
