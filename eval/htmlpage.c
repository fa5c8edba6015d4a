/* SPDX-License-Identifier: Apache-2.0 */
#include "htmlpage.h"

#include <string.h>

/* The Makefile writes each file of eval/pages as a C string. */
const char page_css[] =
#include "page.css.inc"
	;
const char report_css[] =
#include "report.css.inc"
	;
const char sheet_html[] =
#include "sheet.html.inc"
	;
const char sheet_css[] =
#include "sheet.css.inc"
	;
const char sheet_js[] =
#include "sheet.js.inc"
	;

static const char *entity(unsigned char c)
{
	switch (c) {
	case '&':  return "&amp;";
	case '<':  return "&lt;";
	case '>':  return "&gt;";
	case '"':  return "&quot;";
	case '\'': return "&#39;";
	case '\t':
	case '\n':
	case '\r': return NULL;
	default:   return c < ' ' || c == 0x7f ? "\xef\xbf\xbd" : NULL;
	}
}

void html_text(struct buf *out, const char *p, size_t n)
{
	size_t from = 0;

	for (size_t i = 0; i < n; i++) {
		const char *as = entity((unsigned char)p[i]);

		if (as == NULL)
			continue;
		buf_add(out, p + from, i - from);
		buf_str(out, as);
		from = i + 1;
	}
	buf_add(out, p + from, n - from);
}

void html_begin(struct buf *out, const char *title, const char *style)
{
	buf_str(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
	             "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n<title>");
	html_text(out, title, strlen(title));
	buf_str(out, "</title>\n<style>\n");
	buf_str(out, page_css);
	buf_str(out, style ? style : "");
	buf_str(out, "</style>\n</head>\n<body>\n");
}

void html_data(struct buf *out, const char *id, const char *json, size_t n)
{
	size_t from = 0;

	buf_fmt(out, "<script type=\"application/json\" id=\"%s\">", id);
	for (size_t i = 0; i < n; i++)
		if (json[i] == '<' || json[i] == '>') {
			buf_add(out, json + from, i - from);
			buf_str(out, json[i] == '<' ? "\\u003c" : "\\u003e");
			from = i + 1;
		}
	buf_add(out, json + from, n - from);
	buf_str(out, "</script>\n");
}

void html_end(struct buf *out, const char *script)
{
	if (script) {
		buf_str(out, "<script>\n");
		buf_str(out, script);
		buf_str(out, "</script>\n");
	}
	buf_str(out, "</body>\n</html>\n");
}
