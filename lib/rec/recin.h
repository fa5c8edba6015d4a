/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RECIN_H
#define SFT_RECIN_H
/* Inside the record reader: what the readers of the formats share.  For lib/rec only. */
#include <stdatomic.h>

#include "csvscan.h"
#include "names.h"
#include "rec.h"
#include "reject.h"
#include "window.h"

enum got { GOT_RECORD, GOT_END, GOT_BAD };

/* A bad record; TEXT is borrowed until the next read. */
struct bad {
	const char *reason;             /* short and constant: the key in --stats */
	char what[200];                 /* for the error message */
	const char *text;
	size_t n;
	uint64_t line;
};

/* One open file. */
struct input {
	struct window w;
	const char *file, *shown;       /* "-", "standard input" */
	enum rec_format format;         /* how it is read */
	enum rec_format text;           /* the text format that `rec` came from, else the same */
	uint64_t line;                  /* of the window's first byte, 1-based */
	uint64_t records;               /* read so far, bad ones too */
	const struct names *names;      /* of the next record, where they are known before it is read */
	struct bad bad;
	/* CSV */
	struct csv_dialect dialect;
	bool trailing;                  /* lines end in a delimiter */
	struct field *cells;
	/* JSON array */
	bool begun, ended;
	/* rec */
	uint32_t left;                  /* records left in the block */
	size_t block;                   /* bytes of it in the window, which begins with it */
	size_t lens, data;              /* places in it of the next record's lengths and bytes */
	bool mark;                      /* the end mark was seen */
};

struct recin {
	struct rec_opts o;
	const struct tool *t;
	const char **file;
	size_t nfiles, at;
	bool open, ahead;               /* a file is open; the caller reads batches */
	struct arena *lend;             /* of the batch that is being read */
	struct input in;
	struct namesets sets;
	const struct names *first;      /* names of the first file: those that follow must agree */
	const char *first_shown;
	const struct names *unite;      /* --union: all columns of all files */
	uint32_t *map;                  /* column of the open file -> column of unite */
	const char *encoding;           /* of the first file; "mixed" where others differ */
	enum rec_format text;           /* of the first file */
	struct json_parser *parser;
	struct arena arena;             /* of the record rec_read() lends */
	struct buf long_line;           /* what is shown of a record that is too long */
	struct name *keys;              /* scratch: the names of a JSON record */
	size_t keys_cap;
	struct rec cur;
	struct rejects rejects;
	atomic_uint_fast64_t count, bytes, used;
	uint64_t closed_bytes;          /* of the files that are done */
	uint64_t size;                  /* of all files; 0: not known */
};

/* Each reader opens a file whose window is decoded (rec: raw), then gives records until GOT_END.  OPEN may read the header.
 * The record points into the window, and to what A was asked for.  A bad record is GOT_BAD with status 0 and in->bad filled; a fault
 * that ends reading is a status; so is WINDOW_LATER, after which a reader must be able to go on as if it had not been called. */
int readcsv_open(struct recin *r, struct err *e);
int readcsv_next(struct recin *r, struct arena *a, struct rec *rec, enum got *got, struct err *e);
int readjson_next(struct recin *r, struct arena *a, struct rec *rec, enum got *got, struct err *e);
int readjsonl_next(struct recin *r, struct arena *a, struct rec *rec, enum got *got, struct err *e);
int readtext_next(struct recin *r, struct arena *a, struct rec *rec, enum got *got, struct err *e);
int readrec_open(struct recin *r, struct err *e);
int readrec_next(struct recin *r, struct arena *a, struct rec *rec, enum got *got, struct err *e);

/* The one field of plain lines. */
extern const struct name text_name;

/* Fill in->bad: N bytes of the window from its start are the bad record. */
enum got input_bad(struct input *in, const char *reason, size_t n, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The record at the window's start is longer than --max-record: give up its first line (which may have to be read to its end),
 * as a bad record. */
int input_too_long(struct recin *r, enum got *got, struct err *e);

/* CSV options of O, for a file whose text begins at TEXT: --delimiter auto looks at the first line. */
int dialect_choose(const struct rec_opts *o, bool tsv, const char *text, size_t n, struct csv_dialect *d, struct err *e);

/* First bytes of a `rec` file. */
#define REC_MAGIC "\x89SFTREC\n"
enum { REC_MAGIC_LEN = 8, REC_VERSION = 1 };

#endif
