/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_PROGRESS_H
#define SFT_PROGRESS_H
/* The progress line on standard error: rewritten in place ten times a second on a terminal, else
 * one plain line a minute.  Costs a clock read per call to progress_at(). */
#include <stdbool.h>
#include <stdint.h>

enum progress_mode { PROGRESS_AUTO, PROGRESS_ON, PROGRESS_OFF };

struct progress {
	const char *tool;     /* "sft-clean" */
	const char *unit;     /* "records", "tokens" */
	uint64_t    total;    /* 0: unknown */
	enum progress_mode mode;
	bool        terminal, drawn;
	double      start, last;
};

void progress_open(struct progress *p, const char *tool, const char *unit, uint64_t total, enum progress_mode mode);
/* DONE of total units; SHARE in 0..1 is what is done of the whole where that is known better
 * than by units (bytes read), else negative; NOTE (may be NULL) stands at the end of the line. */
void progress_at(struct progress *p, uint64_t done, double share, const char *note);
void progress_close(struct progress *p);   /* clears the line on a terminal */

/* Seconds of a clock that never goes back. */
double clock_seconds(void);

/* Peak resident set of this process in bytes. */
uint64_t rss_peak_bytes(void);

#endif
