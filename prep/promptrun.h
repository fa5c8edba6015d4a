/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_PROMPTRUN_H
#define SFT_PROMPTRUN_H
/* The pipeline of sft-prompt: records, or the dialogues of a table of turns, are read in batches, made on N threads, and written in the order
 * read, whatever N is.
 *
 * Memory: N + 1 batches of at most PROMPT_BATCH records and about 1 MiB (or one longer record) with what is made of them, and one record in the
 * making for each thread. */
#include "prompt.h"
#include "turns.h"

enum { PROMPT_BATCH = 256 };

struct promptrun {
	const struct prompt *p;
	struct recin *in;
	struct turns *turns;            /* ready: the records are its dialogues; NULL: those of IN */
	struct recout *out;
	const struct tool *t;
	bool skip;                      /* bad records are rejected, not the end; where texts are rendered {"id","error"} stands in their place */
	uint64_t fewer;                 /* to which are added the records that got fewer examples than they should */
};

int prompt_run(struct promptrun *r, struct err *e);

#endif
