/* SPDX-License-Identifier: Apache-2.0 */
#include "csvscan.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* How a cell must be unescaped; stands in field.type until csv_unescape(). */
enum { CELL_PLAIN = FIELD_TEXT, CELL_QUOTED = 16, CELL_ESCAPED, CELL_MIXED };

/* --- search: the first of three or four bytes in [s, end), else end --- */

#ifdef __SSE2__
struct finder {
	__m128i a, b, c, d;
	char set[4];
	csv_find *far;
};

static struct finder finder(char a, char b, char c, char d, csv_find *far)
{
	return (struct finder){ _mm_set1_epi8(a), _mm_set1_epi8(b), _mm_set1_epi8(c), _mm_set1_epi8(d), { a, b, c, d }, far };
}

static inline const char *find(const struct finder *f, const char *s, const char *end)
{
	for (; s < end; s += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)s);
		__m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, f->a), _mm_cmpeq_epi8(v, f->b)),
		                           _mm_or_si128(_mm_cmpeq_epi8(v, f->c), _mm_cmpeq_epi8(v, f->d)));
		int mask = _mm_movemask_epi8(hit);
		if (mask) {
			s += __builtin_ctz((unsigned)mask);
			break;
		}
		if (f->far)
			return s + 16 < end ? f->far(s + 16, end, f->set) : end;
	}
	return s < end ? s : end;
}
#else
struct finder {
	char a, b, c, d;
};

static struct finder finder(char a, char b, char c, char d, csv_find *far)
{
	(void)far;
	return (struct finder){ a, b, c, d };
}

static inline const char *find(const struct finder *f, const char *s, const char *end)
{
	while (s < end && *s != f->a && *s != f->b && *s != f->c && *s != f->d)
		s++;
	return s;
}
#endif

size_t csv_count_lines(const char *text, size_t n)
{
	size_t lf = 0, cr = 0;

	for (size_t i = 0; i < n; i++)
		lf += text[i] == '\n';
	if (memchr(text, '\r', n))
		for (size_t i = 0; i < n; i++)
			cr += text[i] == '\r' && (i + 1 == n || text[i + 1] != '\n');
	return lf + cr;
}

static bool all_blank(const char *s, size_t n)
{
	while (n && (*s == ' ' || *s == '\t'))
		s++, n--;
	return n == 0;
}

/* --- cells --- */

struct scan {
	const struct csv_dialect *d;
	const char *end;
	bool all;
	struct finder plain, quoted;
	struct csv_row *row;
};

/* End of an unquoted cell: at its delimiter, line end, or the end of the text. */
static inline const char *plain_end(const struct scan *c, const char *s, int *kind)
{
	for (s = find(&c->plain, s, c->end); s < c->end && *s == (char)c->d->escape && c->d->escape >= 0; s = find(&c->plain, s, c->end)) {
		*kind = *kind == CELL_PLAIN ? CELL_ESCAPED : *kind;
		c->row->lines += s + 1 < c->end && (s[1] == '\n' || s[1] == '\r');
		s += 2;
		if (s >= c->end)
			return c->end;
	}
	return s;
}

static inline bool is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

/* The closing quote of a cell of which the text from *AT on is not seen yet; NULL if it is not there, and *AT is where to go on with more text.
 * *LINES: line ends before it, CRLF being one. */
static const char *closing_quote(const struct scan *c, const char **at, int *kind, size_t *lines)
{
	char quote = (char)c->d->quote;

	for (const char *s = *at; ; ) {
		s = find(&c->quoted, s, c->end);
		*at = s < c->end ? s : c->end;
		if (s >= c->end || (s + 1 == c->end && !c->all && *s == '\r' && *s != quote))       /* the CR of a CRLF? */
			return NULL;
		if (is_line_end(*s) && *s != quote && (c->d->escape < 0 || *s != (char)c->d->escape)) {
			*lines += *s == '\n' || s + 1 == c->end || s[1] != '\n';
			s++;
			continue;
		}
		if (*s != quote)                                     /* an escape; what a line end behind it does is seen above */
			s += s + 1 < c->end && is_line_end(s[1]) ? 1 : 2;
		else if (s + 1 < c->end && s[1] == quote)
			s += 2;
		else
			return s;
		*kind = CELL_QUOTED;
		if (s > c->end)
			return NULL;
	}
}

static inline bool ends_cell(const struct scan *c, const char *s)
{
	return s == c->end || *s == c->d->delimiter || *s == '\n' || *s == '\r';
}

static inline void put(struct csv_row *row, const char *p, size_t n, int kind)
{
	if (row->n < row->max)
		row->cell[row->n] = (struct field){ p, n, (enum field_type)kind };
	row->n++;
	row->escaped |= kind != CELL_PLAIN;
}

/* The quoted cell whose opening quote is at OPEN, its text seen up to AT: its end behind the closing quote; NULL if that is not there. */
static const char *quoted_cell(const struct scan *c, const char *open, const char *at)
{
	int kind = at == open + 1 ? CELL_PLAIN : c->row->part.kind;
	size_t lines = at == open + 1 ? 0 : c->row->part.lines;
	const char *close = closing_quote(c, &at, &kind, &lines), *s;

	if (close == NULL || (close + 1 == c->end && !c->all)) {        /* the first half of a doubled one? */
		c->row->part.at = (size_t)(at - open);
		c->row->part.kind = kind;
		c->row->part.lines = lines;
		return NULL;
	}
	c->row->lines += lines;
	s = close + 1;
	if (ends_cell(c, s)) {
		put(c->row, open + 1, (size_t)(close - open - 1), kind);
	} else {
		kind = CELL_MIXED;
		s = plain_end(c, s, &kind);
		put(c->row, open, (size_t)(s - open), kind);
	}
	return s;
}

/* The row's text ends in the cell at FROM, of which the bytes before AT are seen. */
static enum csv_result stop(struct csv_row *row, const char *text, const char *from, const char *at)
{
	row->part.text = text;
	row->part.cell = (size_t)(from - text);
	row->part.at = (size_t)(at - from);
	return CSV_MORE;
}

/* The cells found so far, where the text lies at TO now. */
static void moved(struct csv_row *row, const char *to)
{
	for (uint32_t i = 0; i < row->n && i < row->max; i++)
		row->cell[i].p = to + ((uintptr_t)row->cell[i].p - (uintptr_t)row->part.text);
}

enum csv_result csv_scan(const struct csv_dialect *d, const char *text, size_t n, bool all, struct csv_row *row)
{
	char escape = d->escape >= 0 ? (char)d->escape : d->delimiter, quote = (char)d->quote;
	struct scan c = { d, text + n, all, finder(d->delimiter, '\n', '\r', escape, d->far),
	                  finder(quote, '\n', '\r', d->escape >= 0 ? escape : quote, d->far), row };
	const char *s = text, *seen = NULL;

	if (row->part.text) {
		moved(row, text);
		s += row->part.cell;
		seen = row->part.at ? s + row->part.at : NULL;
		row->part.text = NULL;
	} else {
		row->n = 0;
		row->lines = 0;
		row->escaped = row->blank = false;
	}
	for (;; s++, seen = NULL) {
		const char *from = s;
		size_t lines = row->lines;
		int kind = CELL_PLAIN;

		if (d->quote >= 0 && s < c.end && *s == quote) {
			if ((s = quoted_cell(&c, from, seen ? seen : from + 1)) == NULL) {
				row->bytes = n;
				return all ? CSV_UNCLOSED : stop(row, text, from, from + row->part.at);
			}
			kind = CELL_MIXED;
		} else {
			s = plain_end(&c, seen ? seen : from, &kind);
			put(row, from, (size_t)(s - from), kind);
			row->blank = row->n == 1 && all_blank(from, (size_t)(s - from));
		}
		if (s == c.end) {
			if (all)
				break;
			row->n--;
			row->lines = lines;
			return stop(row, text, from, kind == CELL_PLAIN ? s : from + (kind == CELL_MIXED));
		}
		if (*s != d->delimiter)
			break;
		row->blank = false;
	}
	if (s < c.end && *s++ == '\r') {
		if (s == c.end && !all)
			return CSV_MORE;
		if (s < c.end && *s == '\n')
			s++;
	}
	row->bytes = (size_t)(s - text);
	return CSV_ROW;
}

/* --- unescaping, in place --- */

static size_t unescape_cell(const struct csv_dialect *d, char *p, size_t n, int kind)
{
	bool quoted = kind != CELL_ESCAPED;
	size_t i = kind == CELL_MIXED, to = 0;

	while (i < n) {
		char c = p[i++];

		if (d->escape >= 0 && c == (char)d->escape) {
			if (i < n)
				p[to++] = p[i++];
		} else if (quoted && c == (char)d->quote) {
			if (i < n && p[i] == (char)d->quote)
				p[to++] = p[i++];
			else
				quoted = false;                      /* text behind the closing quote follows */
		} else {
			p[to++] = c;
		}
	}
	return to;
}

void csv_unescape(const struct csv_dialect *d, struct csv_row *row)
{
	for (uint32_t i = 0; i < row->n && i < row->max; i++) {
		struct field *f = row->cell + i;

		if ((int)f->type != CELL_PLAIN)
			f->n = unescape_cell(d, (char *)f->p, f->n, (int)f->type);
		f->type = FIELD_TEXT;
	}
}
