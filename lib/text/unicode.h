/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_UNICODE_H
#define SFT_UNICODE_H
/* Properties, case and normal forms.  unicode.c is the door to ICU's properties and normalisers; nothing else includes
 * those.  All text is valid UTF-8 and may hold NULs.
 *
 * Where Python has an opinion, ours is Python's: lower case is str.lower(), word and space characters are those of
 * `re` (\w is str.isalnum() or '_', \s is str.isspace()), on every code point that both Unicode versions assign. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "mem.h"
#include "utf8.h"

/* Classes of a code point. */
enum {
	UNI_WORD = 1,          /* letters, whatever has a numeric value, '_' */
	UNI_SPACE = 2,         /* str.isspace() */
	UNI_MARK = 4,          /* combining: Mn, Mc, Me */
	UNI_NFC = 8,           /* text of these alone is in the normal form (combining class 0, quick check yes) */
	UNI_NFD = 16,
	UNI_NFKC = 32,
	UNI_NFKD = 64,
	UNI_SAME_LOWER = 128   /* its lower case is itself */
};

/* Tables for the basic plane; opening takes a few milliseconds.  Read-only afterwards: threads may share it. */
struct unicode {
	uint8_t  cls[0x10000];     /* classes */
	uint16_t low[0x10000];     /* lower case, one to one (U+0130 and U+03A3 are seen to by unicode_lower) */
	uint16_t narrow[0x100];    /* U+FF00...: what the full-width or half-width form stands for */
	/* Of the characters of three bytes, a bit for each 64 that share the first two (bit 64 * first + second, of their free bits): all 64 are
	 * their own lower case; all are word or space characters; or these or marks. */
	uint8_t  same_lower[128], kept[2][128];
	size_t (*lower)(const struct unicode *u, const char *s, size_t n, char *out);       /* for this machine; see unimap.h */
	size_t (*keep)(const struct unicode *u, unsigned classes, const char *s, size_t n, char *out);
};
struct unicode *unicode_open(void);
void unicode_close(struct unicode *u);                /* NULL is fine */

unsigned unicode_class_of(uint32_t c);                /* from ICU, any code point */
uint32_t unicode_lower_of(uint32_t c);
static inline unsigned unicode_class(const struct unicode *u, uint32_t c)
{
	return c < 0x10000 ? u->cls[c] : unicode_class_of(c);
}
bool unicode_cased(uint32_t c);
bool unicode_case_ignorable(uint32_t c);
/* Is the capital sigma at AT in TEXT..END the last letter of a word: \p{cased}\p{case-ignorable}* before it and not
 * \p{case-ignorable}*\p{cased} behind (Unicode 3.13, Final_Sigma)? */
bool unicode_final_sigma(const char *text, const char *at, const char *end);
const char *unicode_category(uint32_t c);             /* "Lu" */
const char *unicode_script(uint32_t c);               /* "Han", "Latin", "Common" */
uint32_t unicode_compose(uint32_t a, uint32_t b);     /* the primary composite of A and B, or 0 */

/* The following write into OUT and return the bytes written.  OUT does not overlap S and has the room that is named. */

#define UNICODE_ROOM(n) ((n) + 64)
#define UNICODE_LOWER_ROOM(n) ((n) + (n) / 2 + 64)

/* str.lower(): full mapping, final sigma, U+0130.  Room: UNICODE_LOWER_ROOM(n). */
size_t unicode_lower(const struct unicode *u, const char *s, size_t n, char *out);
/* The characters of a class in CLASSES alone.  Room: UNICODE_ROOM(n). */
size_t unicode_keep(const struct unicode *u, unsigned classes, const char *s, size_t n, char *out);
/* ' '.join(s.split()).  Room: UNICODE_ROOM(n). */
size_t unicode_squeeze(const struct unicode *u, const char *s, size_t n, char *out);
/* Full-width Latin, digits, signs and the ideographic space to ASCII, half-width kana and Hangul to the usual forms,
 * with their sound marks composed: what has a <wide> or <narrow> decomposition, and nothing else.  Room: UNICODE_ROOM(n). */
size_t unicode_fold_width(const struct unicode *u, const char *s, size_t n, char *out);

enum unicode_form { UNICODE_NFC, UNICODE_NFD, UNICODE_NFKC, UNICODE_NFKD };
/* S in a normal form, appended to OUT; *CHANGED false and nothing appended where it is in that form already.
 * SFT_BADDATA for a text over 256 MiB. */
int unicode_normalize(const struct unicode *u, enum unicode_form form, const char *s, size_t n, struct buf *out, bool *changed, struct err *e);

/* str.upper(), str.title(), str.capitalize(), str.casefold(): appended to OUT. */
enum unicode_case { UNICODE_UPPER, UNICODE_TITLE, UNICODE_CAPITALIZE, UNICODE_FOLD };
void unicode_case(const struct unicode *u, enum unicode_case how, const char *s, size_t n, struct buf *out);

#endif
