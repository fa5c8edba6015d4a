/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_REJECT_H
#define SFT_REJECT_H
/* What was bad or dropped: counted by reason, and written to --rejects in the order of the input.
 *
 * Bad records are met by the reader, which may be batches ahead of the stage that drops records, on another thread.  They
 * wait here until that stage has passed them, so that the file is the same for every -j. */
#include <pthread.h>

#include "outfile.h"
#include "rec.h"

struct reject_count {
	char *reason;
	uint64_t n;
};

struct rejects {
	pthread_mutex_t lock;
	struct outfile *out;            /* NULL: no --rejects */
	struct reject_count *count;
	size_t ncounts, counts_cap;
	rec_mask *mask;                 /* NULL: none */
	void *mask_ctx;
	struct buf masked;
	struct buf line;
	struct buf waiting;             /* lines of bad records; the entries say where */
	struct reject_wait { uint64_t num; size_t end; } *wait;
	size_t nwaits, waits_cap, wait_at;
};

int  reject_open(struct rejects *r, const char *path, struct err *e);
/* A record that was dropped. */
int  reject_record(struct rejects *r, const struct rec *rec, const char *reason, struct err *e);
/* A bad record: TEXT as it stood (bytes that are no UTF-8 are written as U+FFFD).  WAIT: the caller reads ahead. */
int  reject_bad(struct rejects *r, const char *file, uint64_t line, uint64_t num, const char *reason, const char *text, size_t n, bool wait, struct err *e);
/* Members "rejected": {reason: count}. */
void reject_json(const struct rejects *r, struct jw *w);
int reject_settle(struct rejects *r, struct err *e);      /* the file is whole and in place; nothing more may be rejected */
int  reject_close(struct rejects *r, struct err *e);    /* whole */
void reject_abandon(struct rejects *r);

#endif
