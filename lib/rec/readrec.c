/* SPDX-License-Identifier: Apache-2.0 */
/* The suite's own binary records: man page sft-rec(5) has the layout. */
#include <string.h>

#include "encoding.h"
#include "hash.h"
#include "recfmt.h"
#include "recin.h"

static int fault(const struct recin *r, const char *what, struct err *e)
{
	return err_set(e, SFT_BADDATA, "%s: %s", r->in.shown, what);
}

/* N bytes at the window's start, or fewer at the end of the file.  No more than a head is read beyond them, so that a block mostly
 * begins where nothing has to be moved. */
static int need(struct recin *r, size_t n, struct err *e)
{
	struct window *w = &r->in.w;
	int rc;

	while (window_size(w) < n && !w->last)
		if ((rc = window_some(w, n - window_size(w) + RECFMT_HEAD, e)) != 0)
			return rc;
	return 0;
}

/* A block whose head HEAD is known: its N bytes in the window behind the head, checked. */
static int whole_block(struct recin *r, const struct recfmt_head *h, struct err *e)
{
	struct window *w = &r->in.w;
	const char *p;
	int rc;

	if (h->bytes > r->o.max_record + RECFMT_BLOCK)
		return fault(r, "a block is longer than --max-record", e);
	if ((rc = need(r, RECFMT_HEAD + h->bytes, e)) != 0)
		return rc;
	if (window_size(w) < RECFMT_HEAD + h->bytes)
		return fault(r, "cut off in the middle (the tool before this one failed, or the file is short)", e);
	p = window_text(w);
	if (recfmt_sum(p, p + RECFMT_HEAD, h->bytes) != h->sum)
		return fault(r, "damaged (a checksum does not fit)", e);
	return 0;
}

static int take_names(struct recin *r, const struct recfmt_head *h, struct err *e)
{
	const unsigned char *p = (const unsigned char *)window_text(&r->in.w) + RECFMT_HEAD, *end = p + h->bytes;
	uint32_t n = h->records;
	struct name *list;
	int rc = 0;

	if (n > h->bytes / 4)
		return fault(r, "damaged (more names than bytes)", e);
	list = mem_grow(NULL, n, sizeof *list);
	for (uint32_t i = 0; i < n && rc == 0; i++) {
		uint32_t len = end - p >= 4 ? recfmt_u32(p) : UINT32_MAX;

		if (end - p < 4 || len > (size_t)(end - p) - 4 || memchr(p + 4, '\0', len) || !json_utf8((const char *)p + 4, len)) {
			rc = fault(r, "damaged (a name)", e);
			break;
		}
		list[i] = (struct name){ (const char *)p + 4, len };
		p += 4 + len;
	}
	if (rc == 0 && p != end)
		rc = fault(r, "damaged (names)", e);
	if (rc == 0) {
		r->in.names = names_get(&r->sets, list, n);
		if (names_twice(r->in.names))
			rc = fault(r, "damaged (a name stands twice)", e);
	}
	mem_free(list);
	return rc;
}

/* Field lengths against the bytes there are, and UTF-8: what is read later is safe then. */
static int take_records(struct recin *r, const struct recfmt_head *h, struct err *e)
{
	struct input *in = &r->in;
	const char *lens = window_text(&in->w) + RECFMT_HEAD, *data;
	uint64_t cells, at = 0, size;

	if (in->names == NULL)
		return fault(r, "damaged (records before their names)", e);
	cells = (uint64_t)h->records * in->names->n;
	if (cells > h->bytes / 4)
		return fault(r, "damaged (more fields than bytes)", e);
	data = lens + 4 * cells;
	size = h->bytes - 4 * cells;
	for (uint64_t i = 0; i < cells; i++) {
		uint64_t len = recfmt_u32(lens + 4 * i) & RECFMT_LEN;

		if (len > size - at || (len && ((unsigned char)data[at] & 0xc0) == 0x80))
			return fault(r, "damaged (a field)", e);
		at += len;
	}
	if (at != size || !json_utf8(data, size))
		return fault(r, "damaged (fields)", e);
	in->left = h->records;
	in->block = RECFMT_HEAD + h->bytes;
	in->lens = RECFMT_HEAD;
	in->data = RECFMT_HEAD + 4 * cells;
	return 0;
}

static int take_end(struct recin *r, const struct recfmt_head *h, struct err *e)
{
	int rc;

	if (h->bytes != 8 || recfmt_u64(window_text(&r->in.w) + RECFMT_HEAD) != r->in.records)
		return fault(r, "damaged (the number of records does not fit the end mark)", e);
	if ((rc = need(r, RECFMT_HEAD + 8 + 1, e)) != 0)
		return rc;
	window_take(&r->in.w, RECFMT_HEAD + 8);
	r->in.mark = true;
	return window_size(&r->in.w) ? fault(r, "bytes behind the end mark", e) : 0;
}

/* Up to the next block with records; r->in.mark at the end. */
static int next_block(struct recin *r, struct err *e)
{
	struct recfmt_head h;
	int rc;

	window_take(&r->in.w, r->in.block);
	r->in.block = 0;
	while (!r->in.left && !r->in.mark) {
		if ((rc = need(r, RECFMT_HEAD, e)) != 0)
			return rc;
		if (window_size(&r->in.w) < RECFMT_HEAD)
			return fault(r, "no end mark (the tool before this one failed, or the file is short)", e);
		recfmt_head_get(window_text(&r->in.w), &h);
		if (h.kind != RECFMT_NAMES && h.kind != RECFMT_RECORDS && h.kind != RECFMT_END)
			return fault(r, "damaged (a block of no known kind)", e);
		if ((rc = whole_block(r, &h, e)) != 0)
			return rc;
		if (h.kind == RECFMT_RECORDS) {
			if ((rc = take_records(r, &h, e)) != 0)
				return rc;
			if (h.records == 0)
				window_take(&r->in.w, RECFMT_HEAD + h.bytes);
		} else if (h.kind == RECFMT_NAMES) {
			if ((rc = take_names(r, &h, e)) != 0)
				return rc;
			window_take(&r->in.w, RECFMT_HEAD + h.bytes);
		} else if ((rc = take_end(r, &h, e)) != 0) {
			return rc;
		}
	}
	return 0;
}

int readrec_open(struct recin *r, struct err *e)
{
	struct input *in = &r->in;
	const unsigned char *p = (const unsigned char *)window_text(&in->w);
	uint32_t text;

	if (window_size(&in->w) < RECFMT_FILE)
		return fault(r, "cut off (expected a rec file)", e);
	if (recfmt_u32(p + 8) != REC_VERSION)
		return err_set(e, SFT_BADDATA, "%s: rec version %u (expected %d)", in->shown, recfmt_u32(p + 8), REC_VERSION);
	text = recfmt_u32(p + 12);
	if (text != REC_CSV && text != REC_TSV && text != REC_JSONL && text != REC_JSON && text != REC_TEXT)
		return fault(r, "damaged (text format)", e);
	in->text = (enum rec_format)text;
	in->w.binary = true;
	window_take(&in->w, RECFMT_FILE);
	return next_block(r, e);
}

/* JSON from a stranger's file is written on as it is: it must be JSON, and stand in one line. */
static bool good_json(struct recin *r, struct arena *a, const struct field *f)
{
	const struct json *v;

	return !memchr(f->p, '\n', f->n) && !memchr(f->p, '\r', f->n)
	    && json_parse(r->parser, a, f->p, f->n, &v, NULL) == 0 && v->type != JSON_STR;
}

int readrec_next(struct recin *r, struct arena *a, struct rec *rec, enum got *got, struct err *e)
{
	struct input *in = &r->in;
	const char *lens, *data;
	uint32_t n;
	int rc;

	if (!in->left && !in->mark && (rc = next_block(r, e)) != 0)
		return rc;
	*got = GOT_END;
	if (in->mark && !in->left)
		return 0;
	n = in->names->n;
	lens = window_text(&in->w) + in->lens;
	data = window_text(&in->w) + in->data;
	rec->f = arena_get(a, n * sizeof *rec->f);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t len = recfmt_u32(lens + 4 * (size_t)i);

		rec->f[i] = (struct field){ data, len & RECFMT_LEN, len & RECFMT_JSON ? FIELD_JSON : FIELD_TEXT };
		data += len & RECFMT_LEN;
		if (len & RECFMT_JSON && !good_json(r, a, rec->f + i))
			return fault(r, "damaged (a JSON field)", e);
	}
	in->lens += 4 * (size_t)n;
	in->data = (size_t)(data - window_text(&in->w));
	in->left--;
	rec->names = in->names;
	rec->line = in->line++;
	*got = GOT_RECORD;
	return 0;
}
