/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_REC_H
#define SFT_REC_H
/* Records: the one reader and the one writer of the suite.
 *
 * A record is a row: named fields in order.  CSV, TSV, JSONL, JSON arrays and the suite's own `rec` are read alike, by
 * name or from a pipe, plain or compressed (gzip, zstd: by content), in any encoding ICU knows; what comes out is UTF-8.
 * docs: cli.md "Common to all tools". */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "json.h"
#include "mem.h"
#include "opt.h"
#include "tool.h"

enum rec_format { REC_AUTO, REC_CSV, REC_TSV, REC_JSONL, REC_JSON, REC_REC, REC_TEXT };

/* The column names of records.  Records that follow each other with the same names share one struct, so that a pointer
 * compare says whether a column must be looked up anew.  Lives as long as the stream. */
struct names {
	uint32_t n;
	const char **name;          /* UTF-8, NUL-terminated */
	uint32_t *len;
};

enum field_type { FIELD_TEXT, FIELD_JSON };  /* JSON: a value that is not a string (number, null, list...), as JSON text */

struct field {
	const char *p;              /* UTF-8, not NUL-terminated */
	size_t n;
	enum field_type type;
};

/* Borrowed: valid until the next rec_read() on the stream, or until the arena of its batch is reset. */
struct rec {
	const struct names *names;
	struct field *f;            /* names->n fields; a step may point them elsewhere (its batch arena) */
	uint64_t num;               /* 0-based number in the stream */
	uint64_t line;              /* 1-based line of its file where it starts */
	const char *file;           /* as named by the user; "-" for standard input */
};

/* Options of reading and writing; OPTIONS_REC() gives their table. */
struct rec_opts {
	int from, to;               /* enum rec_format */
	const char *delimiter, *quote, *escape, *encoding;
	int64_t skip_lines;
	bool no_header, unite;
	int on_bad;                 /* 0 stop, 1 skip */
	const char *rejects, *stats, *output;
	uint64_t max_record;        /* bytes, default 64 MiB; a CSV quote that is never closed runs to this at most */
};
void rec_opts_init(struct rec_opts *o);
/* Fills TABLE (room for 20) with the options over O. */
const struct opt *rec_opts_table(struct rec_opts *o, struct opt table[20]);

/* --- reading --- */
struct recin;

/* FILES[0..n-1] as one stream ("-": standard input; N = 0: standard input). */
int rec_open(struct recin **in, const char *const *files, size_t n, const struct rec_opts *o, const struct tool *t, struct err *e);
/* The next record; *R = NULL at the end.  A bad record goes to the rejects (--on-bad skip) or ends with SFT_BADDATA and
 * "FILE:LINE: what" (stop, the default). */
int rec_read(struct recin *in, struct rec **r, struct err *e);
/* Up to MAX records into caller-held storage, fewer where they are long (about 1 MiB a batch): everything they point to, but names
 * and file, lives in ARENA, which the caller resets.  For omap_run(): each item is a batch.  *N = 0 at the end. */
int rec_read_batch(struct recin *in, struct arena *arena, struct rec *out, size_t max, size_t *n, struct err *e);
/* Count R as dropped for REASON (a short constant text, the key in --stats) and write it to --rejects.  Thread-safe
 * only from one thread at a time (call it in the write stage).  R->p text as it is given: mask before. */
int rec_reject(struct recin *in, const struct rec *r, const char *reason, struct err *e);
/* What goes to --rejects from now on goes through MASK first (NULL: no more), bad records as they stood (JSON false) as well as the
 * fields of dropped ones: it appends TEXT without what must not be seen to OUT, or returns false where that is nothing.  Called by
 * one thread at a time.  Call it before the first record is read. */
typedef bool rec_mask(void *ctx, const char *text, size_t n, bool json, struct buf *out);
void rec_mask_rejects(struct recin *in, rec_mask *mask, void *ctx);
/* The columns, known before a record is read: of the header (CSV, TSV, rec of these, `text` of plain lines), or of all files with --union; NULL where
 * records name their own fields (JSONL, JSON). */
const struct names *rec_names(const struct recin *in);
/* The encoding that was found or given, as ICU names it; "mixed" where files differ. */
const char *rec_encoding(const struct recin *in);
enum rec_format rec_format(const struct recin *in);   /* text format of the input (what `rec` came from, too) */
uint64_t rec_count(const struct recin *in);           /* records read so far */
uint64_t rec_bytes(const struct recin *in);           /* input bytes read so far */
double   rec_share(const struct recin *in);           /* share of the input read, or -1 */
/* Ends reading.  Prints the count of each reject reason on standard error unless --rejects or -q. */
/* The rejects are whole and in place.  After the last record and before rec_finish(), so that the output is there only if they are. */
int rec_settle(struct recin *in, struct err *e);
int rec_close(struct recin *in, struct err *e);
void rec_abandon(struct recin *in);                   /* after an error; NULL is fine */

/* Column NAME of R's names, or -1. */
int rec_column(const struct names *names, const char *name);
/* The same, with an error that lists the nearest name: "no column 'txt' (did you mean 'text'?)". */
int rec_need(const struct names *names, const char *name, uint32_t *at, struct err *e);
/* Split "a,b,c" (a comma in a name is written \,) at commas; calls rec_need for each; "all" is every column. */
int rec_need_list(const struct names *names, const char *list, uint32_t **at, size_t *n, struct arena *a, struct err *e);
/* Field F as a JSON value: a string for FIELD_TEXT. */
int field_json(const struct field *f, struct json_parser *p, struct arena *a, const struct json **out, struct err *e);

/* --- writing --- */
struct recout;

/* PATH NULL: o->output, or standard output.  FORMAT as cli.md says: --to, else the ending of the path, else `rec` into a pipe
 * where SFT_PIPE=rec, else FALLBACK (rec_format() of the input; lines of text become JSONL).  A name that ends in .gz or .zst
 * is packed.  SFT_USAGE where binary would go to a terminal. */
int rec_create(struct recout **out, const char *path, enum rec_format fallback, const struct rec_opts *o, const struct tool *t, struct err *e);
enum rec_format rec_out_format(const struct recout *out);
/* CSV and TSV: the first record's names are the header; another set of names is an error (SFT_BADDATA) unless --union, which
 * leaves cells empty but still refuses a field that the header lacks. */
int rec_write(struct recout *out, const struct rec *r, struct err *e);
/* The header of a CSV (the names of a rec) that may have no records.  Does nothing where one was written, and for JSON;
 * NAMES may be NULL. */
int rec_header(struct recout *out, const struct names *names, struct err *e);
/* Append a record, formatted, to BUF (map stage, any thread); BUF is for rec_put() only (write stage), in order.
 * r->names must live until then. */
int rec_format_record(struct recout *out, const struct rec *r, struct buf *buf, struct err *e);
/* N BYTES of RECORDS formatted records.  NAMES: those of the first of them (for the header). */
int rec_put(struct recout *out, const struct names *names, const void *bytes, size_t n, uint64_t records, struct err *e);
/* Is OUT a `rec`?  Its records need no formatting on many threads: rec_put_records() (write stage) takes R[0..N-1] from where they lie, which
 * is a copy less. */
bool rec_takes_records(const struct recout *out);
int rec_put_records(struct recout *out, const struct rec *r, size_t n, struct err *e);
uint64_t rec_written(const struct recout *out);
int rec_finish(struct recout *out, struct err *e);    /* whole: flush, check, rename; OUT is gone, also on failure */
void rec_drop(struct recout *out);                    /* after an error: no file is left; NULL is fine */

/* Call before rec_close() and rec_finish().  Nothing without --stats; OUT may be NULL (a tool that writes no records), and
 * IN (one that reads none: its own figures say what it read).
 * --stats FILE: tool, version, seed, options, seconds, input, output, rejected; MORE (may be NULL) adds the tool's own. */
int rec_stats(const struct recin *in, const struct recout *out, const struct rec_opts *o, const struct tool *t,
              void (*more)(struct jw *w, void *ctx), void *ctx, struct err *e);

#endif
