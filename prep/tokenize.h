/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TOKENIZE_H
#define SFT_TOKENIZE_H
/* Chat records to token ids with a loss mask: into a shard, as text, or for the eye; and ids back to text. */
#include <stdbool.h>
#include <stdint.h>

#include "chat.h"
#include "rec.h"
#include "rivals.h"
#include "shard.h"
#include "tok.h"
#include "tool.h"

enum { LONG_DROP, LONG_LEFT, LONG_RIGHT, LONG_STOP };
enum tokenize_job { JOB_SHARD, JOB_IDS, JOB_SHOW, JOB_DECODE };

struct tokenize_opts {
	const char *model, *chat_template;
	int64_t max_len;            /* 0: the model's context */
	int64_t pack;               /* 0: no plan */
	int on_long, train_on;      /* LONG_..., enum chat_train */
	int sort;                   /* 1: by prefix */
	struct opt_list terms;      /* dictionaries; n 0: none */
	bool if_changed;
	bool ids, decode, show;
	bool parse_special, add_special, skip_special;
	bool from_ids;              /* records are {"ids", "mask"} */
	enum tokenize_job job;
	bool color;                 /* of JOB_SHOW */
};

/* A tokenizer, a template and what is to be done; read-only while running, threads share it. */
struct tokenize {
	const struct tokenize_opts *o;
	struct tok *tok;            /* NULL: ids from elsewhere */
	struct chat_template *chat; /* NULL until a record needs one: then chat_error says why there is none */
	struct err chat_error;
	struct rivals *rivals;      /* NULL: no --terms */
	uint64_t max_len;           /* 0: no limit */
};

struct tokenize_totals {
	uint64_t sequences, tokens, trained, truncated, longest;
	uint64_t term_positions;    /* that have rivals */
	bool unchanged;             /* the shard that is there is the one that would be made: nothing was done */
};

int  tokenize_open(struct tokenize *z, const struct tokenize_opts *o, struct err *e);
void tokenize_close(struct tokenize *z);

/* The records of FILES[0..n-1] as one stream, to PATH (NULL or "-": standard output; a shard needs a name). */
int tokenize_files(const struct tokenize *z, const char *const *files, size_t n, const char *path, const struct rec_opts *r,
                   const struct tool *t, struct tokenize_totals *totals, struct err *e);

/* --- one record (tokenizerec.c) --- */

/* What a thread needs. */
struct tokenize_work {
	struct tok_scratch *scratch;
	struct json_parser *parser;
	struct tok_ids ids;
	struct chat_text text;
	struct rivals_work rivals;
	struct buf out;
};

/* A record, tokenised: all of it in the batch's arena. */
struct sequence {
	struct shard_seq seq;       /* JOB_SHARD, JOB_SHOW */
	const char *text;           /* JOB_DECODE: the text; JOB_IDS, JOB_SHOW: the line that is printed */
	size_t ntext;
	const char *why;            /* dropped: reason; NULL: kept */
	bool truncated;
};

void tokenize_work_open(const struct tokenize *z, struct tokenize_work *w);
void tokenize_work_close(struct tokenize_work *w);
int  tokenize_record(const struct tokenize *z, struct tokenize_work *w, const struct rec *r, struct arena *a, struct sequence *out, struct err *e);

/* tokenizesort.c: where the unsorted shard goes that becomes PATH (for mem_free); and that shard FROM, which is gone after this, sorted
 * by ids as shard TO. */
char *tokenize_sort_path(const char *path);
int  tokenize_sort(const char *from, const char *to, uint32_t pack, struct err *e);

/* tokenizeshow.c: the sequence for the eye, appended to OUT. */
int tokenize_show(const struct tokenize *z, const struct shard_seq *seq, uint64_t number, struct buf *out, struct err *e);

#endif
