/* SPDX-License-Identifier: Apache-2.0 */
#include "reportpage.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "htmlpage.h"
#include "svg.h"
#include "tool.h"
#include "utf8.h"
#include "words.h"

void page_free(struct page *p)
{
	buf_free(&p->body);
	buf_free(&p->contents);
	buf_free(&p->summary);
	buf_free(&p->tmp);
}

/* --- text --- */

/* Does C change how others are read, or have no picture: controls, marks and overrides of direction, other invisible formats. */
static bool is_hidden(uint32_t c)
{
	return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200b || c == 0x200e ||
	       c == 0x200f || c == 0x2028 || c == 0x2029 || (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
	       c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

void page_text(struct buf *to, const char *text, size_t n)
{
	struct text t = { text, n };
	size_t from = 0;

	buf_str(to, "<bdi>");
	for (size_t at = 0, next = 0; at < n; at = next) {
		uint32_t c = text_next(t, &next);
		bool bad = c == 0xfffd && next == at + 1;

		if (!bad && !is_hidden(c))
			continue;
		html_text(to, text + from, at - from);
		if (bad)
			buf_str(to, "\xef\xbf\xbd");
		else
			buf_fmt(to, "<span class=\"code\">U+%04X</span>", c);
		from = next;
	}
	html_text(to, text + from, n - from);
	buf_str(to, "</bdi>");
}

void page_mend(struct buf *b)
{
	struct text t = { b->p, b->n };
	struct buf good = { 0 };

	if (utf8_valid(b->p, b->n, NULL))
		return;
	for (size_t at = 0, next = 0; at < t.n; at = next) {
		uint32_t c = text_next(t, &next);
		char to[4];

		buf_add(&good, to, utf8_put(to, c));
	}
	buf_free(b);
	*b = good;
}

/* FMT and what follows as one text in p->tmp. */
static void put_args(struct page *p, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	p->tmp.n = 0;
	vsnprintf(buf_room(&p->tmp, (size_t)n + 1), (size_t)n + 1, fmt, again);
	p->tmp.n = (size_t)n;
	va_end(again);
	page_mend(&p->tmp);
}

/* <TAG class="CLASS">text</TAG>, where OPEN is "tag class=..." and CLOSE "tag". */
#define PUT_ELEMENT(p, to, open, close, fmt)                                                                                     \
	do {                                                                                                                     \
		va_list ap_;                                                                                                     \
		va_start(ap_, fmt);                                                                                              \
		put_args(p, fmt, ap_);                                                                                           \
		va_end(ap_);                                                                                                     \
		buf_fmt(to, "<%s>", open);                                                                                       \
		page_text(to, (p)->tmp.p, (p)->tmp.n);                                                                           \
		buf_fmt(to, "</%s>\n", close);                                                                                   \
	} while (0)

/* --- sections --- */

static void section_end(struct page *p)
{
	if (p->open)
		buf_str(&p->body, "</section>\n");
	p->open = false;
}

void page_section(struct page *p, const char *id, const char *heading)
{
	section_end(p);
	buf_fmt(&p->body, "<section id=\"%s\" aria-labelledby=\"%s-h\" tabindex=\"-1\">\n<h2 id=\"%s-h\">%s</h2>\n", id, id, id,
		heading);
	buf_fmt(&p->contents, "<li><a href=\"#%s\">%s</a></li>\n", id, heading);
	p->open = true;
}

void page_subheading(struct page *p, const char *fmt, ...)
{
	PUT_ELEMENT(p, &p->body, "h3", "h3", fmt);
}

void page_para(struct page *p, const char *class, const char *fmt, ...)
{
	char open[64];

	snprintf(open, sizeof open, "p class=\"%s\"", class);
	PUT_ELEMENT(p, &p->body, open, "p", fmt);
}

void page_say(struct page *p, enum verdict v, const char *fmt, ...)
{
	static const char *const open[] = {
		"<li class=\"note\"><span class=\"sign\" aria-hidden=\"true\">\xe2\x80\xa2</span>",
		"<li class=\"good\"><span class=\"sign\" aria-hidden=\"true\">\xe2\x96\xb2</span><span class=\"hidden\">Good: "
		"</span>",
		"<li class=\"bad\"><span class=\"sign\" aria-hidden=\"true\">\xe2\x96\xbc</span><span class=\"hidden\">Bad: "
		"</span>",
	};

	buf_str(&p->summary, open[v]);
	PUT_ELEMENT(p, &p->summary, "span", "span", fmt);
	buf_str(&p->summary, "</li>\n");
}

/* --- pictures --- */

void page_figure(struct page *p, const char *fmt, ...)
{
	snprintf(p->id, sizeof p->id, "f%u", ++p->figures);
	buf_str(&p->body, "<figure>\n");
	PUT_ELEMENT(p, &p->body, "figcaption", "figcaption", fmt);
	buf_str(&p->body, "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Figure: ");
	html_text(&p->body, p->tmp.p, p->tmp.n);
	buf_str(&p->body, "\">\n");
}

void page_figure_end(struct page *p)
{
	buf_str(&p->body, "</div>\n</figure>\n");
}

void page_legend(struct page *p, const char *const *name, size_t n)
{
	struct svg s = { &p->body, 14, 14 };
	char class[16];

	if (n < 2)
		return;
	buf_str(&p->body, "<ul class=\"legend\">\n");
	for (size_t k = 0; k < n; k++) {
		buf_str(&p->body, "<li><svg aria-hidden=\"true\" width=\"14\" height=\"14\">");
		snprintf(class, sizeof class, "dot c%zu", k % 6);
		svg_mark(&s, class, (unsigned)k, 7, 7, 5, NULL);
		buf_str(&p->body, "</svg>");
		page_text(&p->body, name[k], strlen(name[k]));
		buf_str(&p->body, "</li>\n");
	}
	buf_str(&p->body, "</ul>\n");
}

void page_details(struct page *p, const char *fmt, ...)
{
	buf_str(&p->body, "<details>\n");
	PUT_ELEMENT(p, &p->body, "summary", "summary", fmt);
}

void page_details_end(struct page *p)
{
	buf_str(&p->body, "</details>\n");
}

/* --- tables --- */

void page_table(struct page *p, const char *caption)
{
	buf_str(&p->body, "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table: ");
	html_text(&p->body, caption, strlen(caption));
	buf_str(&p->body, "\"><table><caption class=\"hidden\">");
	html_text(&p->body, caption, strlen(caption));
	buf_str(&p->body, "</caption>\n<thead><tr>");
	p->heads = true;
}

void page_head(struct page *p, const char *name, bool number)
{
	buf_fmt(&p->body, "<th scope=\"col\"%s>", number ? " class=\"number\"" : "");
	page_text(&p->body, name, strlen(name));
	buf_str(&p->body, "</th>");
}

void page_row(struct page *p)
{
	buf_str(&p->body, p->heads ? "</tr></thead>\n<tbody>\n<tr>" : "</tr>\n<tr>");
	p->heads = false;
	p->first = true;
}

static const char *cell_open(struct page *p, bool number)
{
	bool first = p->first;

	p->first = false;
	if (first)
		return "th scope=\"row\"";
	return number ? "td class=\"number\"" : "td";
}

void page_cell(struct page *p, bool number, const char *fmt, ...)
{
	const char *open = cell_open(p, number);

	PUT_ELEMENT(p, &p->body, open, open[1] == 'h' ? "th" : "td", fmt);
}

void page_cell_text(struct page *p, const char *text, size_t n)
{
	const char *open = cell_open(p, false), *end = text;

	for (size_t k = 0; k < PAGE_CELL && end < text + n; k++)
		end += utf8_size(end);
	buf_fmt(&p->body, "<%s>", open);
	page_text(&p->body, text, (size_t)(end - text));
	if (end < text + n)
		buf_fmt(&p->body, " <span class=\"muted\">\xe2\x80\xa6 and %zu more characters</span>",
			utf8_count(end, (size_t)(text + n - end)));
	buf_fmt(&p->body, "</%s>", open[1] == 'h' ? "th" : "td");
}

void page_cell_json(struct page *p, const struct json *v)
{
	if (v == NULL)
		page_cell_text(p, "", 0);
	else if (v->type == JSON_STR)
		page_cell_text(p, v->s, v->n);
	else
		page_cell_text(p, v->raw, v->nraw);
}

void page_number(struct page *p, int places, double v)
{
	if (isfinite(v))
		page_cell(p, true, "%.*f", places, v);
	else
		page_cell(p, true, "-");
}

void page_table_end(struct page *p)
{
	buf_str(&p->body, p->heads ? "</tr></thead></table></div>\n" : "</tr>\n</tbody></table></div>\n");
}

/* --- commands --- */

/* A word of a command line as a shell would take it. */
static void shell_word(struct buf *to, const struct json *w)
{
	const char *s = w->type == JSON_STR ? w->s : w->raw;
	size_t n = w->type == JSON_STR ? w->n : w->nraw,
	       plain = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,@%+");

	if (n && plain >= n) {
		buf_add(to, s, n);
		return;
	}
	buf_ch(to, '\'');
	for (size_t i = 0; i < n; i++)
		if (s[i] == '\'')
			buf_str(to, "'\\''");
		else
			buf_ch(to, s[i]);
	buf_ch(to, '\'');
}

void page_commands(struct page *p, const struct json *list)
{
	struct buf line = { 0 };

	for (size_t k = 0; k < list->n; k++) {
		const struct json *c = &list->item[k];

		line.n = 0;
		for (size_t i = 0; c->type == JSON_ARR && i < c->n; i++) {
			if (i)
				buf_ch(&line, ' ');
			shell_word(&line, &c->item[i]);
		}
		buf_str(&p->body, "<pre><code>");
		page_text(&p->body, line.p ? line.p : "", line.n);
		buf_str(&p->body, "</code></pre>\n");
	}
	buf_free(&line);
}

/* --- the document --- */

void page_write(const struct page *p, const struct page_about *a, struct buf *out)
{
	struct buf title = { 0 };

	buf_str(&title, a->title);
	page_mend(&title);
	html_begin(out, title.p, report_css);
	buf_str(out, "<a class=\"skip\" href=\"#main\">To the report</a>\n<header>\n<h1>");
	page_text(out, title.p, title.n);
	buf_str(out, "</h1>\n");
	buf_free(&title);
	if (a->subtitle) {
		buf_str(out, "<p class=\"muted\">");
		page_text(out, a->subtitle, strlen(a->subtitle));
		buf_str(out, "</p>\n");
	}
	buf_str(out, "</header>\n<nav aria-label=\"Contents\" class=\"no-print\">\n<ul>\n");
	buf_add(out, p->contents.p, p->contents.n);
	buf_str(out, "</ul>\n</nav>\n<main id=\"main\" tabindex=\"-1\">\n");
	if (p->summary.n) {
		buf_str(out, "<section id=\"summary\" aria-labelledby=\"summary-h\">\n<h2 id=\"summary-h\">In short</h2>\n<ul "
			     "class=\"summary\">\n");
		buf_add(out, p->summary.p, p->summary.n);
		buf_str(out, "</ul>\n</section>\n");
	}
	buf_add(out, p->body.p, p->body.n);
	buf_str(out, p->open ? "</section>\n</main>\n" : "</main>\n");
	buf_str(out, "<footer class=\"muted\">sft report " SFT_VERSION "</footer>\n");
	html_end(out, NULL);
}
