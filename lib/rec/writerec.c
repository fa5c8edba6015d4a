/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of `rec` (recfmt.h), filled from raw records. */
#include <string.h>

#include "recfmt.h"
#include "recin.h"
#include "recout.h"

enum { LENS = RECFMT_BLOCK / 4 };      /* bytes that lengths have in a block, or more where one record has */

/* Bytes of all fields into *BYTES. */
static int measure(const struct rec *r, size_t *bytes, struct err *e)
{
	*bytes = 0;
	for (uint32_t i = 0; i < r->names->n; i++) {
		if (r->f[i].n > RECFMT_LEN)
			return err_set(e, SFT_BADDATA, "field '%.100s' has %zu bytes (expected less than 2 GiB)", r->names->name[i], r->f[i].n);
		*bytes += r->f[i].n;
	}
	return 0;
}

/* The lengths of R's fields, 4 bytes each; the place behind them. */
static char *put_lens(char *to, const struct rec *r)
{
	for (uint32_t i = 0; i < r->names->n; i++, to += 4)
		recfmt_put32(to, (uint32_t)r->f[i].n | (r->f[i].type == FIELD_JSON ? RECFMT_JSON : 0));
	return to;
}

int raw_put(struct buf *buf, const struct rec *r, struct err *e)
{
	uint32_t n = r->names->n;
	size_t bytes;
	char *to;
	int rc;

	if ((rc = measure(r, &bytes, e)) != 0)
		return rc;
	to = buf_room(buf, sizeof r->names + 4 * (size_t)n + bytes);
	memcpy(to, &r->names, sizeof r->names);
	to = put_lens(to + sizeof r->names, r);
	for (uint32_t i = 0; i < n; i++) {
		if (r->f[i].n)
			memcpy(to, r->f[i].p, r->f[i].n);
		to += r->f[i].n;
	}
	buf->n = (size_t)(to - buf->p);
	return 0;
}

size_t raw_get(const char *p, const struct names **names, const char **lens, const char **data)
{
	size_t bytes = 0;

	memcpy(names, p, sizeof *names);
	*lens = p + sizeof *names;
	*data = *lens + 4 * (size_t)(*names)->n;
	for (uint32_t i = 0; i < (*names)->n; i++)
		bytes += recfmt_u32(*lens + 4 * (size_t)i) & RECFMT_LEN;
	return (size_t)(*data - p) + bytes;
}

static int block(struct recout *out, uint32_t kind, uint32_t records, const void *bytes, size_t n, struct err *e)
{
	char head[RECFMT_HEAD];
	int rc;

	recfmt_head_put(head, kind, records, bytes, n);
	if ((rc = sink_write(out->sink, head, sizeof head, e)) != 0)
		return rc;
	return sink_write(out->sink, bytes, n, e);
}

/* The block is put together where its data lies: before it is a gap for the lengths and the head. */
static int flush(struct recout *out, struct err *e)
{
	size_t bytes = out->lens.n + out->data.n - out->gap;
	char *p = out->data.p + out->gap - out->lens.n;
	int rc;

	if (out->block_records == 0)
		return 0;
	memcpy(p, out->lens.p, out->lens.n);
	recfmt_head_put(p - RECFMT_HEAD, RECFMT_RECORDS, out->block_records, p, bytes);
	rc = sink_write(out->sink, p - RECFMT_HEAD, RECFMT_HEAD + bytes, e);
	out->lens.n = 0;
	out->data.n = out->gap;
	out->block_records = 0;
	return rc;
}

/* An empty block with a gap for LENS bytes of lengths. */
static void begin_block(struct recout *out, size_t lens)
{
	out->gap = RECFMT_HEAD + lens;
	out->data.n = 0;
	buf_room(&out->data, out->gap);
	out->data.n = out->gap;
}

static bool fits(const struct recout *out, size_t lens, size_t data)
{
	return out->lens.n + lens <= out->gap - RECFMT_HEAD && out->lens.n + lens + out->data.n - out->gap + data <= RECFMT_BLOCK;
}

/* Let the block have room for a record of LENS + DATA bytes; a record longer than a block has one of its own. */
static int make_room(struct recout *out, size_t lens, size_t data, struct err *e)
{
	int rc;

	if (fits(out, lens, data))
		return 0;
	if ((rc = flush(out, e)) == 0 && lens > out->gap - RECFMT_HEAD)
		begin_block(out, lens);
	return rc;
}

int writerec_begin(struct recout *out, struct err *e)
{
	char head[RECFMT_FILE];

	out->begun = true;
	begin_block(out, LENS);
	memcpy(head, REC_MAGIC, REC_MAGIC_LEN);
	recfmt_put32(head + 8, REC_VERSION);
	recfmt_put32(head + 12, (uint32_t)out->text);
	return sink_write(out->sink, head, sizeof head, e);
}

int writerec_names(struct recout *out, const struct names *names, struct err *e)
{
	struct buf b = {0};
	char len[4];
	int rc;

	if (out->names && names_same(out->names, names)) {
		out->names = names;
		return 0;
	}
	if ((rc = flush(out, e)) != 0)
		return rc;
	for (uint32_t i = 0; i < names->n; i++) {
		recfmt_put32(len, names->len[i]);
		buf_add(&b, len, 4);
		buf_add(&b, names->name[i], names->len[i]);
	}
	rc = block(out, RECFMT_NAMES, names->n, b.p ? b.p : "", b.n, e);
	buf_free(&b);
	out->names = names;
	return rc;
}

int writerec_put(struct recout *out, const char *raw, size_t n, struct err *e)
{
	int rc;

	for (const char *end = raw + n; raw < end; ) {
		const struct names *names;
		const char *lens, *data;
		size_t size = raw_get(raw, &names, &lens, &data);

		if (names != out->names && (rc = writerec_names(out, names, e)) != 0)
			return rc;
		if ((rc = make_room(out, (size_t)(data - lens), (size_t)(raw + size - data), e)) != 0)
			return rc;
		buf_add(&out->lens, lens, (size_t)(data - lens));
		buf_add(&out->data, data, (size_t)(raw + size - data));
		if (++out->block_records == UINT32_MAX && (rc = flush(out, e)) != 0)
			return rc;
		raw += size;
	}
	return 0;
}

/* Bytes that follow each other in memory and are to be copied. */
struct run {
	const char *p;
	size_t n;
};

static void copy_run(struct recout *out, struct run *run)
{
	if (run->n)
		buf_add(&out->data, run->p, run->n);
	run->n = 0;
}

/* The fields of R, which the block has room for: where they lie behind those of RUN they make it longer. */
static void add_fields(struct recout *out, const struct rec *r, struct run *run)
{
	for (uint32_t i = 0; i < r->names->n; i++) {
		const struct field *f = &r->f[i];

		if (f->n == 0)
			continue;
		if (run->n && f->p == run->p + run->n) {
			run->n += f->n;
			continue;
		}
		copy_run(out, run);
		*run = (struct run){ f->p, f->n };
	}
}

int writerec_records(struct recout *out, const struct rec *r, size_t n, struct err *e)
{
	struct run run = { NULL, 0 };
	int rc = 0;

	for (const struct rec *end = r + n; r < end && rc == 0; r++) {
		size_t lens = 4 * (size_t)r->names->n, bytes;

		if ((rc = measure(r, &bytes, e)) != 0)
			break;
		if (r->names != out->names || !fits(out, lens, run.n + bytes)) {
			copy_run(out, &run);
			if ((r->names != out->names && (rc = writerec_names(out, r->names, e)) != 0) || (rc = make_room(out, lens, bytes, e)) != 0)
				break;
		}
		put_lens(buf_room(&out->lens, lens), r);
		out->lens.n += lens;
		add_fields(out, r, &run);
		if (++out->block_records == UINT32_MAX) {
			copy_run(out, &run);
			rc = flush(out, e);
		}
	}
	copy_run(out, &run);
	return rc;
}

int writerec_end(struct recout *out, struct err *e)
{
	char total[8];
	int rc;

	if ((rc = flush(out, e)) != 0)
		return rc;
	recfmt_put64(total, out->records);
	return block(out, RECFMT_END, 0, total, sizeof total, e);
}
