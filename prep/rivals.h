/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_RIVALS_H
#define SFT_RIVALS_H
/* Which tokens would go on to another term than the one that an answer says: `tokenize --terms`.
 *
 * Where a message says the term T of a dictionary, each rival V of T is put in its place, the text is tokenised again, and the first
 * token that differs is a rival token of the position where it does, provided that this position is trained and its token holds a
 * byte of T.  lib/text/termrivals.h says what rivals are; sft-shard(5), "Rivals", has the definition. */
#include <stdint.h>

#include "chat.h"
#include "json.h"
#include "opt.h"
#include "shard.h"
#include "termrivals.h"
#include "tok.h"

struct rivals;

/* The dictionaries FILES (termset.h).  SFT_BADDATA as termset_read() and termset_ready() have it.  Threads may share the result. */
int  rivals_open(struct rivals **out, const struct opt_list *files, struct err *e);
void rivals_close(struct rivals *r);                    /* NULL is fine */
uint64_t rivals_hash(const struct rivals *r);           /* of terms, variants and classes; never 0 */

/* What a thread works with; zeroed it is ready. */
struct rivals_work {
	struct termscan scan;
	struct tok_ids base, ids;
	struct buf text;
	struct tok_span *span;
	size_t spans_cap;
	uint64_t *found;               /* position << 32 | id */
	size_t nfound, found_cap;
	struct termrival_list rivals;
};
void rivals_work_release(struct rivals_work *w);

/* The rivals of TEXT, whose tokens are IDS (with offsets) and SEQ (its ids and mask set), into seq->rivals; what it points to lives in A.
 * Texts of up to 8 KiB are tokenised as a whole for each rival; in longer ones the text around the term, as much of it as gives
 * the tokens that the whole gives.  SFT_BADDATA: a rival that the tokenizer cannot express. */
int rivals_find(const struct rivals *r, struct rivals_work *w, const struct tok *t, struct tok_scratch *s, const struct chat_text *text,
                const struct tok_ids *ids, struct arena *a, struct shard_seq *seq, struct err *e);

/* [[position,[id,...]],...], as `shard cat` prints it, into seq->rivals (the rest of SEQ is set; ids are at most MAX).  SFT_BADDATA where it is
 * not what struct shard_rivals says. */
int rivals_read(const struct json *list, uint32_t max, struct arena *a, struct shard_seq *seq, struct err *e);

/* SEQ without its first FROM tokens: what stood there is gone.  (seq->n is that of what stays; a shorter N cuts the end.) */
void rivals_cut(struct shard_seq *seq, uint32_t from, struct arena *a);

#endif
