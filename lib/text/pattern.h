/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_PATTERN_H
#define SFT_PATTERN_H
/* Regular expressions.  pattern.c is the door to PCRE2; nothing else includes it.
 *
 * Syntax is PCRE2's, always in UTF mode with Unicode properties (\w, \d, \s, \b and POSIX classes know all scripts);
 * \C and callouts are refused.  Patterns are compiled by the JIT where there is one.  Every search is bounded: one that
 * needs more than 100,000 steps ends with SFT_BADDATA and names the limit, so a hostile pattern or text costs
 * milliseconds. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "mem.h"

enum {
	PATTERN_CASELESS = 1,
	PATTERN_MULTILINE = 2,      /* ^ and $ match at line breaks too */
	PATTERN_DOTALL = 4          /* . matches a line break */
};

struct pattern;                     /* compiled; read-only: threads may share it */
struct matcher;                     /* the state of searching; one per thread, usable with any pattern */

/* Compile the N bytes of REGEX.  SFT_USAGE with "pattern, byte N: what" where it is malformed. */
int  pattern_new(struct pattern **out, const char *regex, size_t n, unsigned flags, struct err *e);
void pattern_free(struct pattern *p);           /* NULL is fine */
uint32_t pattern_groups(const struct pattern *p);   /* capturing groups, without the whole match */

struct matcher *matcher_new(void);
void matcher_free(struct matcher *m);           /* NULL is fine */

/* Search TEXT (N bytes of valid UTF-8: it is not checked again) from byte FROM, a character boundary.  The text before
 * FROM is seen by \b and lookbehind.  *FOUND says whether there is a match; its place is had from matcher_span(). */
int pattern_find(const struct pattern *p, struct matcher *m, const char *text, size_t n, size_t from, bool *found, struct err *e);

/* The match after the one that pattern_find() or pattern_next() found last in the same text: as Perl and Python go on,
 * an empty match is not found twice at one place. */
int pattern_next(const struct pattern *p, struct matcher *m, const char *text, size_t n, bool *found, struct err *e);

/* Bytes [*START, *END) of GROUP (0: the whole match) of the last match.  False where the group took no part. */
bool matcher_span(const struct matcher *m, uint32_t group, size_t *start, size_t *end);

/* --- replacing --- */

/* A replacement text, parsed once: $0 (or $&) the match, $1 ... $99 or ${1}, ${name} groups, $$ a dollar; \n \t \r \\ and
 * \ before punctuation.  SFT_USAGE where it names a group that P does not have. */
struct replacement;
int  replacement_new(struct replacement **out, const struct pattern *p, const char *text, size_t n, struct err *e);
void replacement_free(struct replacement *r);   /* NULL is fine */

/* TEXT with every match replaced, appended to OUT; *COUNT matches.  Where *COUNT is 0 nothing is appended. */
int pattern_replace(const struct pattern *p, struct matcher *m, const struct replacement *r, const char *text, size_t n,
                    struct buf *out, uint64_t *count, struct err *e);

/* Parts of "/PATTERN/REPLACEMENT/FLAGS" (PARTS 2) or "/PATTERN/FLAGS" (PARTS 1).  Any ASCII punctuation but \ may stand
 * for /; inside a part it is written with \ before it.  Flags: i (caseless), m (multiline), s (dotall).  The parts are
 * copied into A, the backslash before the delimiter taken off. */
struct pattern_parts {
	const char *pattern, *replacement;
	size_t npattern, nreplacement;
	unsigned flags;
};
int pattern_split(const char *text, int parts, struct arena *a, struct pattern_parts *out, struct err *e);

#endif
