/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_DESCRIBE_H
#define SFT_DESCRIBE_H
/* What is in files of records, chat records or token shards, and what in them would ruin a run.
 *
 * Each file is a part of the data (train, val, test), read once, on N threads; what they share is counted after the last.
 * The text of a record is that of its columns (or messages) joined; compared it is in lower case with blanks joined.
 *
 * Memory: batches, the tallies of tally.h for each file, a table of distinct words of at most a quarter of `memory`, and what is
 * sorted or compared (hashes, signatures, texts), which goes to files without a name where it outgrows `memory`; 5 bytes of
 * each record stay (neardup.h). */
#include "chattexts.h"
#include "keycols.h"
#include "keyset.h"
#include "lang.h"
#include "minhash.h"
#include "neardup.h"
#include "rec.h"
#include "tally.h"
#include "termset.h"
#include "textwords.h"
#include "tokenize.h"

struct describe_opts {
	const char *columns, *label, *answer, *slice, *source, *model, *chat_template;
	struct opt_list terms, dialect;
	int64_t max_len;               /* tokens; 0: the model's context, no limit without one */
	int64_t min_label;             /* labels with fewer records are warned of */
	uint64_t memory;
	double threshold;              /* of near-duplicates */
	bool no_near, json, strict;
};

enum { SCRIPTS_MAX = 256 };

/* The scripts of characters as numbers; 0 is what several scripts share. */
struct scripts {
	uint8_t of[0x10000];
	const char *name[SCRIPTS_MAX];
	unsigned n;
};

/* Dictionaries that were asked for. */
enum { DICT_TERMS, DICT_DIALECT, DICTS };

/* What was found of one. */
struct dict_found {
	uint64_t *hits, *variants;     /* by term; NULL: no such dictionary */
	uint64_t records;              /* that hold one that counts */
};

/* Counters whose order does not matter: one a thread, then summed into the part. */
struct sums {
	uint64_t language[LANG_MAX], script[SCRIPTS_MAX];
	struct dict_found dict[DICTS];
};

struct curve_point {
	uint64_t words, types;
};

struct describe_part {
	const char *path, *name;       /* as given; as shown: different for each */
	bool shard;
	uint64_t records, trained;     /* trained: tokens */
	struct lengths chars, words, tokens, answers;   /* of a record; answers: characters */
	bool has_text, has_tokens, has_answers, has_label;
	uint64_t over_limit, empty_answers, empty_texts;
	struct tally label, slice, source;
	struct sums sums;
	/* words in order of appearance: distinct ones after 1, 2, 5, 10... words */
	struct curve_point *curve;
	size_t ncurve, curve_cap;
	struct keyset types;           /* released after the part */
	uint64_t types_seen;
	bool types_full;               /* the table had no more room: the curve ends there */
	/* the answer that leads the majority vote of Boyer and Moore: the only one that can be that of most records */
	struct buf lead;
	uint64_t lead_votes;
};

struct describe_warning {
	const char *kind;              /* constant */
	const struct describe_part *part;
	char *text;
};

struct describe {
	const struct describe_opts *o;
	struct tool *t;
	const struct rec_opts *rec;
	struct unicode *unicode;
	struct lang *lang;
	struct scripts scripts;
	struct minhash *minhash;
	struct termset *dict[DICTS];
	struct tokenize_opts tokenize_opts;
	struct tokenize tokenize;      /* with a model */
	bool tokenizer;
	uint64_t max_len;              /* 0: none */
	struct wordlist columns;
	struct describe_part *part;
	unsigned nparts;
	uint32_t *near_end;            /* by part: number in `near` of the first record behind it */
	struct neardup near;
	struct shared texts, similar, answers;
	struct describe_warning *warning;
	size_t nwarnings, warnings_cap;
	struct arena arena;
};

/* Reads FILES[0..n-1] (none: standard input) into D, zeroed before; for describe_release(), also where it fails. */
int  describe_run(struct describe *d, const struct describe_opts *o, const struct rec_opts *r, struct tool *t, const char *const *files, size_t n);
void describe_release(struct describe *d);

/* --- one record (describerec.c) --- */

/* What a thread works with. */
struct describe_work {
	struct tokenize_work tokenize;
	struct langwork lang;
	struct chattexts chat;
	struct textwords words;
	struct termscan scan;
	struct buf raw;
	struct shard_buf shard;
	uint64_t *hash;
	size_t hash_cap;
	struct sums sums;
	const struct names *names;     /* for which the columns stand */
	uint32_t *col, label, slice, source, answer, messages;
	const char **role;
	size_t ncols;
};

/* What is to be put in order: all of it in the arena of its batch. */
struct fact {
	const char *text;              /* to compare; N bytes */
	size_t n;
	uint8_t sig[MINHASH_N];
	uint64_t key, chars, tokens, trained;
	struct hash128 *word;          /* nwords, as they come */
	size_t nwords;
	struct field label, slice, source, answer;      /* p NULL: none */
	bool has_text, has_tokens;
};

void describe_work_open(struct describe *d, struct describe_work *w);
void describe_work_close(struct describe *d, struct describe_work *w);
int  describe_record(struct describe *d, struct describe_work *w, struct rec *r, struct arena *a, struct fact *out, struct err *e);
int  describe_sequence(struct describe *d, struct describe_work *w, const struct shard_seq *seq, struct arena *a, struct fact *out, struct err *e);
/* In order, by one thread: F is a record of part P. */
int  describe_put(struct describe *d, unsigned p, const struct fact *f, struct err *e);

void scripts_open(struct scripts *s);
unsigned scripts_of(const struct scripts *s, uint32_t c);

void sums_open(struct sums *s, struct termset *const dict[DICTS]);
void sums_add(struct sums *to, const struct sums *s, struct termset *const dict[DICTS]);
void sums_clear(struct sums *s, struct termset *const dict[DICTS]);
void sums_release(struct sums *s);

/* --- what comes of it --- */

/* Of the dictionary KIND in P: terms that count, of these met, times found, of these as variants. */
void describe_coverage(const struct describe *d, const struct describe_part *p, int kind, uint64_t *terms, uint64_t *met, uint64_t *found, uint64_t *variants);
/* Fills d->warning. */
void describe_warn(struct describe *d);
void describe_table(const struct describe *d, struct buf *out);
void describe_json(const struct describe *d, struct buf *out);

#endif
