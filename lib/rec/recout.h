/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RECOUT_H
#define SFT_RECOUT_H
/* Inside the record writer: what the formats share.  For lib/rec only. */
#include <stdatomic.h>

#include "names.h"
#include "rec.h"
#include "sink.h"

struct recout {
	struct rec_opts o;
	const struct tool *t;
	struct sink *sink;
	const char *shown;              /* for messages */
	enum rec_format format, text;   /* TEXT: what a `rec` remembers */
	bool later;                     /* records are kept as raw and formatted by rec_put(): rec, and CSV with --union */
	bool begun;                     /* something was written */
	uint64_t records;
	/* CSV: the header, settled by the first record that any thread formats, and names known to be the same */
	const struct names *_Atomic header, *_Atomic same;
	struct buf line;
	struct field *cells;
	size_t cells_cap;
	/* rec: the block being filled */
	const struct names *names;
	struct buf lens, data;
	size_t gap;                     /* bytes of DATA before the records' own */
	uint32_t block_records;
};

/* A raw record in a buffer: const struct names *, u32 length | json << 31 per field, the bytes of the fields. */
int raw_put(struct buf *buf, const struct rec *r, struct err *e);
/* The raw record at P: its size; names and place of the lengths and the data. */
size_t raw_get(const char *p, const struct names **names, const char **lens, const char **data);

/* CSV or TSV of R in the columns of HEADER; its names must be those of the header. */
void writecsv_row(struct buf *buf, char delimiter, const struct field *f, uint32_t n);
void writecsv_header(struct buf *buf, char delimiter, const struct names *names);

int writerec_begin(struct recout *out, struct err *e);
int writerec_names(struct recout *out, const struct names *names, struct err *e);
int writerec_put(struct recout *out, const char *raw, size_t n, struct err *e);
int writerec_records(struct recout *out, const struct rec *r, size_t n, struct err *e);
int writerec_end(struct recout *out, struct err *e);

#endif
