/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ERR_H
#define SFT_ERR_H
/* Errors: a status goes up, a message goes with it.
 *
 * Library code never prints and never exits.  It returns one of the statuses below
 * (they are the exit statuses of every tool) and fills the caller's struct err with
 * one line that says what is wrong and, in brackets, what was expected.
 *
 * The one failure that is not reported this way is a small allocation that fails:
 * see mem.h. */

enum {
	SFT_OK      = 0,  /* done */
	SFT_GATE    = 1,  /* a gate that was asked for is not met */
	SFT_USAGE   = 2,  /* wrong options */
	SFT_BADDATA = 3,  /* bad input */
	SFT_SYSTEM  = 4   /* disk, memory, device */
};

/* Caller-owned; no set-up needed beyond `struct err e = {0}`. */
struct err {
	int  code;        /* the status that was set last */
	char msg[1024];   /* one line, no newline, control characters escaped */
};

/* Set message and code; returns CODE, so that `return err_set(e, ...)` reads well.
 * E may be NULL (the message is then lost).  A message too long is cut with "...". */
int err_set(struct err *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Put "WHERE: " before the message, as one unwinds; returns e->code. */
int err_in(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* SFT_SYSTEM with "WHAT: strerror(errno)". */
int err_sys(struct err *e, const char *what);

#endif
