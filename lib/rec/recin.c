/* SPDX-License-Identifier: Apache-2.0 */
/* The record reader: files one after the other, formats told apart, bad records dealt with. */
#include "recin.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH_BYTES = 1 << 20, BATCH_ENOUGH = 1 << 17 };   /* at most; so many will do where no more are at hand */

/* --- bad records --- */

enum got input_bad(struct input *in, const char *reason, size_t n, const char *fmt, ...)
{
	va_list ap;

	in->bad = (struct bad){ .reason = reason, .text = window_text(&in->w), .n = n, .line = in->line };
	va_start(ap, fmt);
	vsnprintf(in->bad.what, sizeof in->bad.what, fmt, ap);
	va_end(ap);
	return GOT_BAD;
}

int input_too_long(struct recin *r, enum got *got, struct err *e)
{
	enum { SHOWN = 1 << 16 };
	struct window *w = &r->in.w;
	size_t n = 0;
	int rc;

	*got = input_bad(&r->in, "record too long", 0, "a record of more than %llu bytes, or a quote that is never closed (--max-record)",
	                 (unsigned long long)r->o.max_record);
	if (r->o.on_bad == 0)
		return 0;
	while (n < window_size(w) && window_text(w)[n] != '\n' && window_text(w)[n] != '\r')
		n++;
	r->in.bad.n = n < SHOWN ? n : SHOWN;
	r->long_line.n = 0;
	buf_add(&r->long_line, window_text(w), r->in.bad.n);         /* the window may have to move on */
	r->in.bad.text = r->long_line.p;
	while (n == window_size(w)) {
		window_take(w, n);
		if (w->last)
			return 0;
		if ((rc = window_more(w, e)) != 0)
			return rc;
		for (n = 0; n < window_size(w) && window_text(w)[n] != '\n' && window_text(w)[n] != '\r'; )
			n++;
	}
	n += window_text(w)[n] == '\r' && n + 1 < window_size(w) && window_text(w)[n + 1] == '\n';
	window_take(w, n + 1);
	r->in.line++;
	return 0;
}

static int bad_record(struct recin *r, struct err *e)
{
	const struct bad *b = &r->in.bad;
	uint64_t num = atomic_fetch_add_explicit(&r->count, 1, memory_order_relaxed);

	r->in.records++;
	if (r->o.on_bad == 0)
		return err_set(e, SFT_BADDATA, "%s:%llu: record %llu: %s", r->in.shown, (unsigned long long)b->line, (unsigned long long)r->in.records, b->what);
	return reject_bad(&r->rejects, r->in.file, b->line, num, b->reason, b->text, b->n, r->ahead, e);
}

/* --- files --- */

static bool name_ends(const char *path, const char *end)
{
	static const char *const packed[] = { "", ".gz", ".zst" };
	size_t n = strlen(path), m = strlen(end);

	for (size_t i = 0; i < sizeof packed / sizeof *packed; i++) {
		size_t p = strlen(packed[i]);
		if (n > m + p && strcmp(path + n - p, packed[i]) == 0 && strncmp(path + n - p - m, end, m) == 0)
			return true;
	}
	return false;
}

static enum rec_format sniff(const char *file, const char *text, size_t n)
{
	if (name_ends(file, ".tsv"))
		return REC_TSV;
	if (name_ends(file, ".csv"))
		return REC_CSV;
	while (n && (*text == ' ' || *text == '\t' || *text == '\r' || *text == '\n'))
		text++, n--;
	return n && *text == '{' ? REC_JSONL : n && *text == '[' ? REC_JSON : REC_CSV;
}

static int skip_lines(struct recin *r, struct err *e)
{
	struct window *w = &r->in.w;
	int rc;

	for (int64_t i = 0; i < r->o.skip_lines; i++) {
		size_t n = 0;

		while (n + 1 >= window_size(w) || (window_text(w)[n] != '\n' && window_text(w)[n] != '\r')) {
			if (n + 1 < window_size(w)) {
				n++;
				continue;
			}
			if (w->last)
				break;
			if ((rc = window_more(w, e)) != 0)
				return rc;
		}
		if (n + 1 < window_size(w) && window_text(w)[n] == '\r' && window_text(w)[n + 1] == '\n')
			n++;
		window_take(w, n < window_size(w) ? n + 1 : n);
		r->in.line++;
	}
	return 0;
}

const struct name text_name = { "text", 4 };

static int open_text(struct recin *r, struct err *e)
{
	struct input *in = &r->in;
	int rc;

	if ((rc = window_decode(&in->w, r->o.encoding ? r->o.encoding : "auto", e)) != 0 || (rc = skip_lines(r, e)) != 0)
		return rc;
	in->format = r->o.from != REC_AUTO ? (enum rec_format)r->o.from : sniff(in->file, window_text(&in->w), window_size(&in->w));
	in->text = in->format;
	if (window_size(&in->w) == 0 && in->format != REC_TEXT)
		return err_set(e, SFT_BADDATA, "%s: empty (expected records)", in->shown);
	if (strcmp(in->w.encoding, "windows-1252") == 0 && (r->o.encoding == NULL || strcmp(r->o.encoding, "auto") == 0))
		tool_warn(r->t, "%s: no sign of its encoding; read as windows-1252 (--encoding says otherwise)", in->shown);
	if (in->format == REC_CSV || in->format == REC_TSV)
		return readcsv_open(r, e);
	if (in->format == REC_TEXT)
		in->names = names_get(&r->sets, &text_name, 1);
	return 0;
}

static void close_file(struct recin *r)
{
	if (r->in.w.src)
		r->closed_bytes += source_bytes(r->in.w.src);
	window_close(&r->in.w);
	mem_free(r->in.cells);
	mem_free(r->map);
	r->map = NULL;
	memset(&r->in, 0, sizeof r->in);
	r->open = false;
}

static int open_file(struct recin *r, struct err *e)
{
	struct input *in = &r->in;
	bool magic;
	int rc;

	memset(in, 0, sizeof *in);
	in->file = r->file[r->at];
	in->shown = strcmp(in->file, "-") == 0 ? "standard input" : in->file;
	in->line = 1;
	if ((rc = window_open(&in->w, in->file, e)) != 0)
		return rc;
	r->open = true;
	magic = window_size(&in->w) >= REC_MAGIC_LEN && memcmp(window_text(&in->w), REC_MAGIC, REC_MAGIC_LEN) == 0;
	if (r->o.from == REC_REC && !magic)
		return err_set(e, SFT_BADDATA, "%s: no rec file (expected its magic)", in->shown);
	if (magic && (r->o.from == REC_REC || r->o.from == REC_AUTO)) {
		in->format = REC_REC;
		in->w.encoding = "UTF-8";
		return readrec_open(r, e);
	}
	return open_text(r, e);
}

static bool named(const struct input *in)
{
	return in->names && (in->text == REC_CSV || in->text == REC_TSV || in->text == REC_TEXT);
}

/* The columns of a file that was just opened, against those before it. */
static int settle_columns(struct recin *r, struct err *e)
{
	char against[300];

	if (r->encoding == NULL)
		r->encoding = r->in.w.encoding;
	else if (strcmp(r->encoding, r->in.w.encoding) != 0)
		r->encoding = "mixed";
	if (r->text == REC_AUTO)
		r->text = r->in.text;
	if (!named(&r->in))
		return 0;
	if (r->unite) {
		r->map = mem_grow(NULL, r->in.names->n, sizeof *r->map);
		for (uint32_t i = 0; i < r->in.names->n; i++)
			r->map[i] = (uint32_t)rec_column(r->unite, r->in.names->name[i]);
		return 0;
	}
	if (r->first == NULL) {
		r->first = r->in.names;
		r->first_shown = r->in.shown;
	} else if (!names_same(r->first, r->in.names)) {
		snprintf(against, sizeof against, "in %s", r->first_shown);
		names_differ(r->first, r->in.names, against, e);
		return err_in(e, "%s:1", r->in.shown);
	}
	return 0;
}

/* --union: the columns of all files, by their headers. */
static int unite_headers(struct recin *r, struct err *e)
{
	struct name *list = NULL;
	size_t n = 0, cap = 0;
	struct strmap seen = {0};
	int rc = 0;

	for (r->at = 0; r->at < r->nfiles && rc == 0; r->at++) {
		if (strcmp(r->file[r->at], "-") == 0)
			rc = err_set(e, SFT_USAGE, "--union needs files by name (not standard input)");
		else if ((rc = open_file(r, e)) == 0 && named(&r->in))
			for (uint32_t i = 0; i < r->in.names->n; i++) {
				bool added;

				strmap_put(&seen, r->in.names->name[i], r->in.names->len[i], 0, &added);
				if (added) {
					ARRAY_ROOM(list, n, cap);
					list[n++] = (struct name){ r->in.names->name[i], r->in.names->len[i] };
				}
			}
		close_file(r);
	}
	if (rc == 0 && n)
		r->unite = names_get(&r->sets, list, n);
	r->at = 0;
	r->closed_bytes = 0;
	mem_free(list);
	strmap_free(&seen);
	return rc;
}

static uint64_t total_size(const struct recin *r)
{
	uint64_t all = 0;
	struct stat st;

	for (size_t i = 0; i < r->nfiles; i++) {
		int rc = strcmp(r->file[i], "-") == 0 ? fstat(STDIN_FILENO, &st) : stat(r->file[i], &st);
		if (rc != 0 || !S_ISREG(st.st_mode))
			return 0;
		all += (uint64_t)st.st_size;
	}
	return all;
}

int rec_open(struct recin **out, const char *const *files, size_t n, const struct rec_opts *o, const struct tool *t, struct err *e)
{
	static const char *const standard[] = { "-" };
	struct recin *r = mem_new(sizeof *r);
	int rc;

	*out = NULL;
	r->o = *o;
	r->t = t;
	r->nfiles = n ? n : 1;
	r->file = mem_grow(NULL, r->nfiles, sizeof *r->file);
	memcpy(r->file, n ? files : standard, r->nfiles * sizeof *r->file);
	r->parser = json_parser_new();
	r->size = total_size(r);
	rc = reject_open(&r->rejects, o->rejects, e);
	if (rc == 0 && o->unite && n > 1)
		rc = unite_headers(r, e);
	if (rc == 0 && (rc = open_file(r, e)) == 0)
		rc = settle_columns(r, e);
	if (rc != 0)
		rec_abandon(r);
	else
		*out = r;
	return rc;
}

/* --- records --- */

static int read_one(struct recin *r, struct arena *a, struct rec *rec, enum got *got, struct err *e)
{
	switch (r->in.format) {
	case REC_JSONL:
		return readjsonl_next(r, a, rec, got, e);
	case REC_JSON:
		return readjson_next(r, a, rec, got, e);
	case REC_REC:
		return readrec_next(r, a, rec, got, e);
	case REC_TEXT:
		return readtext_next(r, a, rec, got, e);
	default:
		return readcsv_next(r, a, rec, got, e);
	}
}

/* The fields of REC under the united columns; empty where the file has none. */
static void spread(const struct recin *r, struct arena *a, struct rec *rec)
{
	struct field *f = arena_get(a, r->unite->n * sizeof *f);

	for (uint32_t i = 0; i < r->unite->n; i++)
		f[i] = (struct field){ "", 0, FIELD_TEXT };
	for (uint32_t i = 0; i < rec->names->n; i++)
		f[r->map[i]] = rec->f[i];
	rec->f = f;
	rec->names = r->unite;
}

/* Where reading is, for figures and the progress line: bytes of the file read, and of these what the records so far took up (text waits in the
 * window; a packed file's bytes are shared out over its text). */
static void note_place(struct recin *r)
{
	const struct window *w = &r->in.w;
	uint64_t bytes = source_bytes(w->src), text = w->taken + window_size(w);
	double used = text ? (double)bytes * (double)w->taken / (double)text : 0;

	atomic_store_explicit(&r->bytes, r->closed_bytes + bytes, memory_order_relaxed);
	atomic_store_explicit(&r->used, r->closed_bytes + (uint64_t)used, memory_order_relaxed);
}

/* The next good record into REC; *MORE is false at the end of the last file. */
static int next(struct recin *r, struct arena *a, struct rec *rec, bool *more, struct err *e)
{
	const char *text;
	enum got got;
	int rc;

	for (*more = false; ; ) {
		struct arena mark = *a;

		if (!r->open) {
			if (r->at == r->nfiles)
				return 0;
			if ((rc = open_file(r, e)) != 0 || (rc = settle_columns(r, e)) != 0)
				return rc;
			if (r->lend)
				window_lend(&r->in.w, r->lend);
			mark = *a;
		}
		text = r->in.w.buf;
		if ((rc = read_one(r, a, rec, &got, e)) != 0)
			return rc;
		if (got == GOT_RECORD)
			break;
		if (got == GOT_BAD) {
			if ((rc = bad_record(r, e)) != 0)
				return rc;
			if (r->in.w.buf == text)                 /* else the window may lie there now */
				arena_rewind(a, &mark);
			continue;
		}
		note_place(r);
		close_file(r);
		r->at++;
	}
	r->in.records++;
	rec->num = atomic_fetch_add_explicit(&r->count, 1, memory_order_relaxed);
	rec->file = r->in.file;
	if (r->map)
		spread(r, a, rec);
	*more = true;
	return 0;
}

int rec_read(struct recin *r, struct rec **out, struct err *e)
{
	bool more;
	int rc;

	*out = NULL;
	arena_reset(&r->arena);
	if ((rc = next(r, &r->arena, &r->cur, &more, e)) != 0)
		return rc;
	if (more) {
		note_place(r);
		*out = &r->cur;
	}
	return 0;
}

/* Bytes of the open file's text that records were made of. */
static uint64_t place(const struct recin *r)
{
	return r->in.w.taken + (r->in.format == REC_REC ? r->in.data : 0);
}

static int read_batch(struct recin *r, struct arena *a, struct rec *out, size_t max, size_t *n, struct err *e)
{
	size_t bytes = 0;
	bool more = true;
	int rc = 0;

	while (*n < max && bytes < BATCH_BYTES) {
		uint64_t before = place(r);

		r->in.w.hold = *n && bytes >= BATCH_ENOUGH;
		if ((rc = next(r, a, out + *n, &more, e)) != 0 || !more)
			break;
		++*n;
		bytes += place(r) > before ? place(r) - before : 0;
	}
	return rc == WINDOW_LATER ? 0 : rc;
}

int rec_read_batch(struct recin *r, struct arena *a, struct rec *out, size_t max, size_t *n, struct err *e)
{
	int rc;

	r->ahead = true;
	r->lend = a;
	arena_reset(&r->arena);
	*n = 0;
	if (r->open)
		window_lend(&r->in.w, a);
	rc = read_batch(r, a, out, max, n, e);
	r->lend = NULL;
	if (r->open) {
		note_place(r);
		window_home(&r->in.w);
	}
	return rc;
}

int rec_reject(struct recin *r, const struct rec *rec, const char *reason, struct err *e)
{
	return reject_record(&r->rejects, rec, reason, e);
}

void rec_mask_rejects(struct recin *r, rec_mask *mask, void *ctx)
{
	r->rejects.mask = mask;
	r->rejects.mask_ctx = ctx;
}

/* --- figures, and the end --- */

const struct names *rec_names(const struct recin *r)
{
	return r->unite ? r->unite : r->first;
}

const char *rec_encoding(const struct recin *r)
{
	return r->encoding;
}

enum rec_format rec_format(const struct recin *r)
{
	return r->text;
}

uint64_t rec_count(const struct recin *r)
{
	return atomic_load_explicit(&r->count, memory_order_relaxed);
}

uint64_t rec_bytes(const struct recin *r)
{
	return atomic_load_explicit(&r->bytes, memory_order_relaxed);
}

double rec_share(const struct recin *r)
{
	return r->size ? (double)atomic_load_explicit(&r->used, memory_order_relaxed) / (double)r->size : -1;
}

static void free_all(struct recin *r)
{
	if (r->open)
		close_file(r);
	namesets_free(&r->sets);
	json_parser_free(r->parser);
	buf_free(&r->long_line);
	arena_release(&r->arena);
	mem_free(r->keys);
	mem_free(r->file);
	mem_free(r);
}

int rec_settle(struct recin *r, struct err *e)
{
	return reject_settle(&r->rejects, e);
}

int rec_close(struct recin *r, struct err *e)
{
	int rc;

	if (r->o.rejects == NULL)
		for (size_t i = 0; i < r->rejects.ncounts; i++)
			tool_warn(r->t, "%llu record%s dropped: %s", (unsigned long long)r->rejects.count[i].n,
			          r->rejects.count[i].n == 1 ? "" : "s", r->rejects.count[i].reason);
	rc = reject_close(&r->rejects, e);
	free_all(r);
	return rc;
}

void rec_abandon(struct recin *r)
{
	if (r == NULL)
		return;
	reject_abandon(&r->rejects);
	free_all(r);
}
