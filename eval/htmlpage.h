/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_HTMLPAGE_H
#define SFT_HTMLPAGE_H
/* One self-contained HTML page: style, data and script stand in the file, and its content security policy forbids it every
 * request.  Everything is appended to a buffer.
 *
 *     html_begin(&page, "Votes", style);
 *     buf_str(&page, "<main><h1>");
 *     html_text(&page, title, strlen(title));
 *     buf_str(&page, "</h1></main>");
 *     html_data(&page, "data", json.p, json.n);
 *     html_end(&page, sheet_js);
 *
 * page.css, which every page has, holds the colours as variables, for light and dark rooms and for paper:
 *   --bg --fg --soft (a panel) --line --muted --accent --on-accent --good --bad --warn, and --s1 ... --s6 for series of a chart
 * (told apart by people who see few colours); .no-print and .only-print; .skip (a link seen on focus only); .hidden (for screen
 * readers alone). */
#include "mem.h"

/* N bytes of UTF-8 as content of an element or of a quoted attribute: & < > " ' are escaped; control characters other than tab
 * and line ends, which a page cannot hold, become U+FFFD. */
void html_text(struct buf *out, const char *p, size_t n);

/* All up to and with <body>.  TITLE is text.  STYLE: CSS behind that of page.css; NULL: none. */
void html_begin(struct buf *out, const char *title, const char *style);

/* N bytes of JSON as <script type="application/json" id="ID">, for JSON.parse(document.getElementById(ID).textContent).  Nothing in
 * it can end the element: < and > are written as \u003c and \u003e, which only strings have. */
void html_data(struct buf *out, const char *id, const char *json, size_t n);

/* SCRIPT (JavaScript that has no "</script"; NULL: none) and the end of the page. */
void html_end(struct buf *out, const char *script);

/* The files of eval/pages, as they stand there. */
extern const char page_css[], report_css[], sheet_html[], sheet_css[], sheet_js[];

#endif
