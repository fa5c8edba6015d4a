/* SPDX-License-Identifier: Apache-2.0 */
/* The record writer. */
#include "recout.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recfmt.h"

/* --- which format --- */

static enum rec_format by_name(const char *path)
{
	static const struct { const char *end; enum rec_format format; } ends[] = {
		{ ".csv", REC_CSV }, { ".tsv", REC_TSV }, { ".jsonl", REC_JSONL }, { ".ndjson", REC_JSONL }, { ".json", REC_JSON }, { ".rec", REC_REC } };
	size_t n = strlen(path);

	if (n > 3 && strcmp(path + n - 3, ".gz") == 0)
		n -= 3;
	else if (n > 4 && strcmp(path + n - 4, ".zst") == 0)
		n -= 4;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		size_t m = strlen(ends[i].end);
		if (n > m && strncmp(path + n - m, ends[i].end, m) == 0)
			return ends[i].format;
	}
	return REC_AUTO;
}

static bool is_pipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

static enum rec_format choose(const char *path, bool standard, enum rec_format fallback, const struct rec_opts *o, const struct tool *t)
{
	enum rec_format f = (enum rec_format)o->to;

	if (f == REC_AUTO && !standard)
		f = by_name(path);
	if (f == REC_AUTO && standard && t && t->env.sft_pipe && strcmp(t->env.sft_pipe, "rec") == 0 && is_pipe(STDOUT_FILENO))
		f = REC_REC;
	return f == REC_AUTO ? fallback : f;
}

int rec_create(struct recout **out, const char *path, enum rec_format fallback, const struct rec_opts *o, const struct tool *t, struct err *e)
{
	struct recout *w = mem_new(sizeof *w);
	bool standard;
	int rc = 0;

	*out = NULL;
	w->o = *o;
	w->t = t;
	if (path == NULL)
		path = o->output;
	standard = path == NULL || strcmp(path, "-") == 0;
	w->shown = standard ? "standard output" : path;
	w->text = fallback;
	if (fallback == REC_TEXT || fallback == REC_AUTO || fallback == REC_REC)
		fallback = w->text = REC_JSONL;
	w->format = choose(path, standard, fallback, o, t);
	w->later = w->format == REC_REC || (o->unite && (w->format == REC_CSV || w->format == REC_TSV));
	if (w->format == REC_REC && standard && isatty(STDOUT_FILENO))
		rc = err_set(e, SFT_USAGE, "rec is binary and does not go to a terminal (expected -o FILE, a pipe or another --to)");
	if (rc == 0)
		rc = sink_open(&w->sink, path, e);
	if (rc == 0 && w->format == REC_REC)
		rc = writerec_begin(w, e);
	if (rc != 0)
		rec_drop(w);
	else
		*out = w;
	return rc;
}

enum rec_format rec_out_format(const struct recout *out)
{
	return out->format;
}

/* --- formatting --- */

static void put_object(struct buf *buf, const struct rec *r)
{
	buf_ch(buf, '{');
	for (uint32_t i = 0; i < r->names->n; i++) {
		if (i)
			buf_ch(buf, ',');
		json_quote(buf, r->names->name[i], r->names->len[i]);
		buf_ch(buf, ':');
		if (r->f[i].type == FIELD_JSON)
			buf_add(buf, r->f[i].p, r->f[i].n);
		else
			json_quote(buf, r->f[i].p, r->f[i].n);
	}
	buf_ch(buf, '}');
}

/* Is NAMES the header?  The first to come settles it. */
static int settle_header(struct recout *out, const struct names *names, struct err *e)
{
	const struct names *header = NULL;

	if (atomic_load_explicit(&out->header, memory_order_acquire) == names
	    || atomic_load_explicit(&out->same, memory_order_relaxed) == names)
		return 0;
	if (atomic_compare_exchange_strong(&out->header, &header, names))
		return 0;
	if (!names_same(header, names))
		return names_differ(header, names, "in the header", e);
	atomic_store_explicit(&out->same, names, memory_order_relaxed);
	return 0;
}

static char delimiter(const struct recout *out)
{
	return out->format == REC_TSV ? '\t' : ',';
}

int rec_format_record(struct recout *out, const struct rec *r, struct buf *buf, struct err *e)
{
	int rc;

	if (out->later)
		return raw_put(buf, r, e);
	if (out->format == REC_JSONL) {
		put_object(buf, r);
		buf_ch(buf, '\n');
		return 0;
	}
	if (out->format == REC_JSON) {
		buf_str(buf, ",\n");
		put_object(buf, r);
		return 0;
	}
	if ((rc = settle_header(out, r->names, e)) != 0)
		return r->file ? err_in(e, "%s:%llu", r->file, (unsigned long long)r->line) : rc;
	writecsv_row(buf, delimiter(out), r->f, r->names->n);
	return 0;
}

/* --- writing --- */

static int csv_header(struct recout *out, const struct names *names, struct err *e)
{
	out->begun = true;
	out->line.n = 0;
	writecsv_header(&out->line, delimiter(out), names);
	return sink_write(out->sink, out->line.p, out->line.n, e);
}

/* --union: a row in the header's columns, from a raw record. */
static int united_row(struct recout *out, const struct names *names, const char *lens, const char *data, struct err *e)
{
	const struct names *header = atomic_load(&out->header);

	if (header->n > out->cells_cap) {
		out->cells_cap = header->n;
		out->cells = mem_grow(out->cells, out->cells_cap, sizeof *out->cells);
	}
	for (uint32_t i = 0; i < header->n; i++)
		out->cells[i] = (struct field){ "", 0, FIELD_TEXT };
	for (uint32_t i = 0; i < names->n; i++) {
		uint32_t len = recfmt_u32(lens + 4 * (size_t)i);
		int at = names == header ? (int)i : rec_column(header, names->name[i]);

		if (at < 0)
			return err_set(e, SFT_BADDATA, "%s: field '%.100s' is not in the header that is written (expected --to jsonl for records of many kinds)",
			               out->shown, names->name[i]);
		out->cells[at] = (struct field){ data, len & RECFMT_LEN, len & RECFMT_JSON ? FIELD_JSON : FIELD_TEXT };
		data += len & RECFMT_LEN;
	}
	writecsv_row(&out->line, delimiter(out), out->cells, header->n);
	return 0;
}

static int put_united(struct recout *out, const char *raw, size_t n, struct err *e)
{
	int rc;

	out->line.n = 0;
	for (const char *end = raw + n; raw < end; ) {
		const struct names *names;
		const char *lens, *data;
		size_t size = raw_get(raw, &names, &lens, &data);

		if ((rc = united_row(out, names, lens, data, e)) != 0)
			return rc;
		raw += size;
	}
	return sink_write(out->sink, out->line.p, out->line.n, e);
}

int rec_header(struct recout *out, const struct names *names, struct err *e)
{
	int rc;

	if (names == NULL)
		return 0;
	if (out->format == REC_REC)
		return out->names ? 0 : writerec_names(out, names, e);
	if ((out->format != REC_CSV && out->format != REC_TSV) || out->begun)
		return 0;
	if (!out->later && (rc = settle_header(out, names, e)) != 0)
		return rc;
	if (out->later)
		atomic_store(&out->header, names);
	return csv_header(out, names, e);
}

int rec_put(struct recout *out, const struct names *names, const void *bytes, size_t n, uint64_t records, struct err *e)
{
	const char *p = bytes;
	int rc;

	if (records == 0)
		return 0;
	out->records += records;
	if (out->format == REC_REC)
		return writerec_put(out, p, n, e);
	if ((rc = rec_header(out, names, e)) != 0)
		return rc;
	if (out->later)
		return put_united(out, p, n, e);
	if (out->format == REC_JSON && !out->begun) {
		if ((rc = sink_write(out->sink, "[\n", 2, e)) != 0)
			return rc;
		p += 2;                              /* no comma before the first */
		n -= 2;
	}
	out->begun = true;
	return sink_write(out->sink, p, n, e);
}

bool rec_takes_records(const struct recout *out)
{
	return out->format == REC_REC;
}

int rec_put_records(struct recout *out, const struct rec *r, size_t n, struct err *e)
{
	out->records += n;
	return writerec_records(out, r, n, e);
}

int rec_write(struct recout *out, const struct rec *r, struct err *e)
{
	struct buf b = out->line;
	int rc;

	if (rec_takes_records(out))
		return rec_put_records(out, r, 1, e);
	memset(&out->line, 0, sizeof out->line);             /* rec_put() may need it */
	b.n = 0;
	if ((rc = rec_format_record(out, r, &b, e)) == 0)
		rc = rec_put(out, r->names, b.p, b.n, 1, e);
	buf_free(&out->line);
	out->line = b;
	return rc;
}

uint64_t rec_written(const struct recout *out)
{
	return out->records;
}

static void free_all(struct recout *out)
{
	buf_free(&out->line);
	buf_free(&out->lens);
	buf_free(&out->data);
	mem_free(out->cells);
	mem_free(out);
}

int rec_finish(struct recout *out, struct err *e)
{
	struct sink *sink = out->sink;
	int rc = 0;

	if (out->format == REC_JSON)
		rc = out->begun ? sink_write(sink, "\n]\n", 3, e) : sink_write(sink, "[]\n", 3, e);
	else if (out->format == REC_REC)
		rc = writerec_end(out, e);
	if (rc == 0)
		rc = sink_close(sink, e);
	else
		sink_abandon(sink);
	free_all(out);
	return rc;
}

void rec_drop(struct recout *out)
{
	if (out == NULL)
		return;
	sink_abandon(out->sink);
	free_all(out);
}
