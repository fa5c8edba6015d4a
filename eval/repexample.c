/* SPDX-License-Identifier: Apache-2.0 */
#include "repexample.h"

#include <string.h>

#include "reportpage.h"
#include "utf8.h"

struct example_text example_clip(struct arena *a, struct text t)
{
	size_t chars = utf8_count(t.p, t.n), n = 0;

	for (size_t k = 0; k < EXAMPLE_CHARS && n < t.n; k++)
		n += utf8_size(t.p + n);
	return (struct example_text){ { arena_str(a, t.p, n), n }, chars > EXAMPLE_CHARS ? chars - EXAMPLE_CHARS : 0 };
}

static void left(struct buf *to, const struct example_text *t)
{
	if (t->left)
		buf_fmt(to, " <span class=\"muted\">\xe2\x80\xa6 and %zu more characters</span>", t->left);
	else if (t->text.n == 0)
		buf_str(to, "<span class=\"muted\">(empty)</span>");
}

/* TAG: "ins" or "del", for what stands in this text alone. */
static void marked(struct buf *to, const struct diff_side *s, const char *tag)
{
	for (size_t k = 0; k < s->n; k++) {
		if (!s->span[k].same)
			buf_fmt(to, "<%s>", tag);
		page_text(to, s->span[k].text.p, s->span[k].text.n);
		if (!s->span[k].same)
			buf_fmt(to, "</%s>", tag);
	}
}

static void column(struct buf *to, const char *title, const char *sign)
{
	buf_str(to, "<div><dt>");
	page_text(to, title, strlen(title));
	buf_fmt(to, "%s</dt><dd>", sign);
}

static void answer(struct buf *to, const struct example_view *v, const struct example *x, size_t k,
		   const struct example_text *base)
{
	static const char *const sign[] = { " <span class=\"bad\">\xe2\x9c\x97 wrong</span>",
					    " <span class=\"good\">\xe2\x9c\x93 right</span>" };
	const struct diff_side *of_base, *of_answer;

	column(to, v->name[k], v->references && x->answer[k].there ? sign[x->answer[k].right] : "");
	if (!x->answer[k].there) {
		buf_str(to, "<span class=\"muted\">(no answer)</span>");
	} else if (base == &x->answer[k].text) {
		page_text(to, base->text.p, base->text.n);
		left(to, base);
	} else {
		textdiff(v->diff, base->text, x->answer[k].text.text, &of_base, &of_answer);
		marked(to, of_answer, "ins");
		left(to, &x->answer[k].text);
	}
	buf_str(to, "</dd></div>\n");
}

/* The reference, with what the last answer lacks. */
static void reference(struct buf *to, const struct example_view *v, const struct example *x)
{
	const struct example_text *last = &x->answer[v->n - 1].text;
	const struct diff_side *of_reference, *of_answer;

	column(to, "Reference", "");
	if (x->answer[v->n - 1].there) {
		textdiff(v->diff, x->reference.text, last->text, &of_reference, &of_answer);
		marked(to, of_reference, "del");
	} else {
		page_text(to, x->reference.text.p, x->reference.text.n);
	}
	left(to, &x->reference);
	if (x->more_references)
		buf_fmt(to, " <span class=\"muted\">(the first of %zu)</span>", x->more_references + 1);
	buf_str(to, "</dd></div>\n");
}

void example_write(struct buf *to, const struct example_view *v, const struct example *x)
{
	const struct example_text *base = v->references ? &x->reference : &x->answer[0].text;

	buf_str(to, "<article class=\"example\">\n<h4>");
	page_text(to, x->id.p, x->id.n);
	buf_str(to, "</h4>\n");
	if (x->input.text.p) {
		buf_str(to, "<p class=\"question\">");
		page_text(to, x->input.text.p, x->input.text.n);
		left(to, &x->input);
		buf_str(to, "</p>\n");
	}
	buf_str(to, "<dl class=\"answers\">\n");
	if (v->references)
		reference(to, v, x);
	for (size_t k = 0; k < v->n; k++)
		answer(to, v, x, k, base);
	buf_str(to, "</dl>\n</article>\n");
}
