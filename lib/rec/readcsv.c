/* SPDX-License-Identifier: Apache-2.0 */
/* CSV, TSV and plain lines. */
#include <stdio.h>
#include <string.h>

#include "recin.h"

enum { MAX_COLUMNS = 1 << 20 };         /* every row takes memory for as many cells */

/* Scan the row at the window's start, with more text as it is needed.  CSV_MORE: it is longer than --max-record. */
static int scan(struct recin *r, struct csv_row *row, enum csv_result *result, struct err *e)
{
	struct window *w = &r->in.w;
	int rc;

	for (;;) {
		*result = csv_scan(&r->in.dialect, window_text(w), window_size(w), w->last, row);
		if (*result == CSV_ROW && row->bytes <= r->o.max_record)
			return 0;
		if (*result == CSV_UNCLOSED && row->bytes <= r->o.max_record)
			return 0;
		if (window_size(w) > r->o.max_record) {
			*result = CSV_MORE;
			return 0;
		}
		if ((rc = window_more(w, e)) != 0)
			return rc;
	}
}

/* --- header --- */

static int header_fault(struct recin *r, const char *what, struct err *e)
{
	return err_set(e, SFT_BADDATA, "%s:%llu: %s", r->in.shown, (unsigned long long)r->in.line, what);
}

/* Scan the first row that is not blank, its cells allocated; *ROW.n is 0 at the end of the file. */
static int first_row(struct recin *r, struct csv_row *row, struct err *e)
{
	struct window *w = &r->in.w;
	enum csv_result result;
	int rc;

	for (;;) {
		*row = (struct csv_row){0};
		if (window_size(w) == 0 && (w->last || (rc = window_more(w, e)) != 0 || window_size(w) == 0))
			return w->last ? 0 : rc;
		if ((rc = scan(r, row, &result, e)) != 0)
			return rc;
		if (result == CSV_MORE)
			return header_fault(r, "the header is longer than --max-record", e);
		if (result == CSV_UNCLOSED)
			return header_fault(r, "a quote in the header is never closed", e);
		if (!row->blank || row->bytes > 2 || !strchr("\r\n", window_text(w)[0]))
			break;
		window_take(w, row->bytes);
		r->in.line++;
	}
	if (row->n > MAX_COLUMNS)
		return header_fault(r, "more than 1048576 columns", e);
	if (!window_utf8(w, row->bytes))
		return header_fault(r, "undecodable bytes in the header (see --encoding)", e);
	r->in.cells = mem_grow(NULL, row->n + 1, sizeof *r->in.cells);
	row->cell = r->in.cells;
	row->max = row->n;
	csv_scan(&r->in.dialect, window_text(w), window_size(w), w->last, row);
	return 0;
}

static int header_names(struct recin *r, struct csv_row *row, struct err *e)
{
	struct name *list;
	const char *twice;

	csv_unescape(&r->in.dialect, row);
	if (row->n > 1 && row->cell[row->n - 1].n == 0 && row->cell[row->n - 1].p[-1] == r->in.dialect.delimiter) {
		r->in.trailing = true;           /* lines end in a delimiter: the last cell has no name and no content */
		row->n--;
	}
	list = mem_grow(NULL, row->n, sizeof *list);
	for (uint32_t i = 0; i < row->n; i++) {
		list[i] = (struct name){ row->cell[i].p, row->cell[i].n };
		if (memchr(list[i].p, '\0', list[i].n)) {
			mem_free(list);
			return header_fault(r, "NUL in a column name", e);
		}
	}
	r->in.names = names_get(&r->sets, list, row->n);
	mem_free(list);
	if ((twice = names_twice(r->in.names)) != NULL)
		return err_set(e, SFT_BADDATA, "%s:%llu: two columns are called '%.100s'", r->in.shown, (unsigned long long)r->in.line, twice);
	window_take(&r->in.w, row->bytes);
	r->in.line += row->lines + 1;
	return 0;
}

static void numbered_names(struct recin *r, uint32_t n)
{
	struct name *list = mem_grow(NULL, n, sizeof *list);
	char (*text)[16] = mem_grow(NULL, n, sizeof *text);

	for (uint32_t i = 0; i < n; i++) {
		list[i].n = (size_t)snprintf(text[i], sizeof text[i], "c%u", i + 1);
		list[i].p = text[i];
	}
	r->in.names = names_get(&r->sets, list, n);
	mem_free(list);
	mem_free(text);
}

int readcsv_open(struct recin *r, struct err *e)
{
	struct csv_row row;
	int rc;

	if ((rc = dialect_choose(&r->o, r->in.format == REC_TSV, window_text(&r->in.w), window_size(&r->in.w), &r->in.dialect, e)) != 0)
		return rc;
	if (r->in.format == REC_CSV && r->in.dialect.delimiter == '\t')
		r->in.format = r->in.text = REC_TSV;
	if ((rc = first_row(r, &row, e)) != 0)
		return rc;
	if (row.n == 0)
		return err_set(e, SFT_BADDATA, "%s: empty (expected a header)", r->in.shown);
	if (r->o.no_header)
		numbered_names(r, row.n);
	else if ((rc = header_names(r, &row, e)) != 0)
		return rc;
	return 0;
}

/* --- rows --- */

/* What is wrong with the row, if anything. */
static bool good_row(struct recin *r, const struct csv_row *row, enum csv_result result, enum got *got)
{
	struct input *in = &r->in;
	uint32_t want = in->names->n;

	if (result == CSV_UNCLOSED)
		*got = input_bad(in, "unclosed quote", row->bytes, "a quote is never closed");
	else if (!window_utf8(&in->w, row->bytes))
		*got = input_bad(in, "undecodable bytes", row->bytes, "undecodable bytes (expected %s)", in->w.encoding);
	else if (in->trailing && row->n == want + 1 && row->cell[want].n)
		*got = input_bad(in, "wrong number of fields", row->bytes, "field %u has no column (the header ends in a delimiter)", want + 1);
	else if (row->n != want && !(in->trailing && row->n == want + 1))
		*got = input_bad(in, "wrong number of fields", row->bytes, "%u field%s (expected %u)", row->n, row->n == 1 ? "" : "s", want);
	else
		return true;
	return false;
}

int readcsv_next(struct recin *r, struct arena *a, struct rec *rec, enum got *got, struct err *e)
{
	struct input *in = &r->in;
	struct window *w = &in->w;
	struct csv_row row = { .max = in->names->n + 1 };
	enum csv_result result;
	int rc;

	row.cell = arena_get(a, row.max * sizeof *row.cell);
	for (;;) {
		if (window_size(w) == 0) {
			if (!w->last && (rc = window_more(w, e)) != 0)
				return rc;
			if (window_size(w) > 0)
				continue;
			if (w->last) {
				*got = GOT_END;
				return 0;
			}
		}
		if ((rc = scan(r, &row, &result, e)) != 0)
			return rc;
		if (!(row.blank && result == CSV_ROW && (in->names->n > 1 || row.cell[0].n == 0)))
			break;
		window_take(w, row.bytes);
		in->line++;
	}
	if (result == CSV_MORE)
		return input_too_long(r, got, e);
	rec->line = in->line;
	if (good_row(r, &row, result, got)) {
		row.n = in->names->n;
		if (row.escaped)
			csv_unescape(&in->dialect, &row);
		rec->names = in->names;
		rec->f = row.cell;
		*got = GOT_RECORD;
	}
	window_take(w, row.bytes);
	in->line += row.lines + 1;
	return 0;
}

/* --- plain lines --- */

int readtext_next(struct recin *r, struct arena *a, struct rec *rec, enum got *got, struct err *e)
{
	struct window *w = &r->in.w;
	const char *lf;
	size_t n, line, seen = 0;
	int rc;

	while ((lf = memchr(window_text(w) + seen, '\n', window_size(w) - seen)) == NULL && !w->last) {
		seen = window_size(w);
		if (window_size(w) > r->o.max_record)
			return input_too_long(r, got, e);
		if ((rc = window_more(w, e)) != 0)
			return rc;
	}
	*got = GOT_END;
	if (window_size(w) == 0)
		return 0;
	line = n = lf ? (size_t)(lf - window_text(w)) : window_size(w);
	if (n > r->o.max_record)
		return input_too_long(r, got, e);
	if (lf)
		line++;
	if (n && window_text(w)[n - 1] == '\r')
		n--;
	if (!window_utf8(w, line)) {
		*got = input_bad(&r->in, "undecodable bytes", line, "undecodable bytes (expected %s)", w->encoding);
	} else {
		rec->names = r->in.names;
		rec->f = arena_get(a, sizeof *rec->f);
		*rec->f = (struct field){ window_text(w), n, FIELD_TEXT };
		rec->line = r->in.line;
		*got = GOT_RECORD;
	}
	window_take(w, line);
	r->in.line++;
	return 0;
}
