/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_FORMATTED_H
#define SFT_FORMATTED_H
/* What a thread has made of a batch: records in the output's format, one behind the other, until they are written in order. */
#include <stddef.h>
#include <stdint.h>
#include "mem.h"
#include "err.h"
#include "rec.h"

/* All zero is empty. */
struct formatted {
	struct buf text;
	struct formatted_run *run;     /* records that follow each other with the same names */
	size_t n, cap;
};

void formatted_clear(struct formatted *f);
void formatted_free(struct formatted *f);
/* R, whose names stay until F is written; as rec_format_record(). */
int  formatted_add(struct formatted *f, struct recout *out, const struct rec *r, struct err *e);
/* All of F to OUT; as rec_put(). */
int  formatted_put(const struct formatted *f, struct recout *out, struct err *e);

#endif
