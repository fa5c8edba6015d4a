/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TERMSET_H
#define SFT_TERMSET_H
/* Term dictionaries: which term is meant by what stands in a text.
 *
 * A dictionary is UTF-8, a line an entry, fields apart by tabs, blanks around them dropped:
 *
 *     term <tab> variant|variant... <tab> class
 *
 * The second and third field may be missing; a second field of digits only is a document frequency (THUOCL).  Empty lines
 * and lines that begin with "# " are skipped.  A term that comes again (in another file, too) gets what is new in its line.
 *
 * Texts are compared with case and width folded (single characters: full-width Latin, half-width kana, U+3000, final
 * sigma), nothing else: normalise first where texts may be decomposed.  A term of a script that separates words by blanks
 * matches whole words only ("CT" not in "FACT"); Chinese, Japanese, Korean, Thai and their like match anywhere.
 *
 * Time O(length of the text), for any number of terms. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "mem.h"
#include "unicode.h"

/* No term and no variant is longer, in bytes; no dictionary file either. */
enum { TERM_MAX = 1024, TERMSET_MAX_FILE = 256 << 20 };

struct term_form {
	const char *text;              /* NUL-terminated, without NULs inside */
	size_t n;
	const char *file;              /* where it stood first */
	uint64_t line;
};

struct term {
	struct term_form form;         /* as it should be written */
	const char *class;             /* "" where none was given */
	uint64_t frequency;            /* 0: none was given */
	struct term_form *variant;
	uint32_t nvariants, cap;
	bool variant_only;             /* listed bare, but a variant of another term: never found as itself */
};

struct termset;

/* U is borrowed.  Files are added, then termset_ready() is called once; afterwards threads may share the set. */
struct termset *termset_new(const struct unicode *u);
/* SFT_BADDATA "FILE:LINE: what" for what is no dictionary; SFT_SYSTEM where PATH cannot be read. */
int  termset_read(struct termset *s, const char *path, struct err *e);
/* The same from memory; NAME stands for the file in messages. */
int  termset_parse(struct termset *s, const char *name, const char *text, size_t n, struct err *e);
/* One text must mean one term: SFT_BADDATA where a variant belongs to two terms, or is a term that has variants itself.  A
 * bare term (no variants) that is some other term's variant gives way to it. */
int  termset_ready(struct termset *s, struct err *e);
void termset_free(struct termset *s);                   /* NULL is fine */

uint32_t termset_count(const struct termset *s);
const struct term *termset_get(const struct termset *s, uint32_t i);
const struct unicode *termset_unicode(const struct termset *s);

/* --- finding --- */

struct termhit {
	size_t at, n;                  /* bytes of the text */
	uint32_t term;
	uint32_t variant;              /* 0: the term itself, in any case and width; k: variant[k - 1] */
};

/* A folded text: what a thread works with.  Zeroed it is ready; memory: 16 bytes a character of the longest text. */
struct termchar {
	size_t at;                     /* its first byte in the text */
	uint32_t c;                    /* folded */
	uint32_t begins;               /* pattern that begins here + 1, or 0 */
};
struct termscan {
	struct termchar *ch;           /* n, and one more at the end of the text */
	size_t n, cap;
	struct termhit *hit;
	size_t nhits, hits_cap;
};
void termscan_release(struct termscan *w);

/* The terms in TEXT (valid UTF-8): the leftmost, of these the longest, then what follows it.  w->hit[0 .. result - 1], in
 * order, valid until the next call. */
size_t termset_scan(const struct termset *s, struct termscan *w, const char *text, size_t n);

/* TEXT folded into w->ch, each character replaced by LIKE[c] where LIKE (65536 code points) is not NULL. */
void termscan_fold(struct termscan *w, const struct unicode *u, const uint32_t *like, const char *text, size_t n);
/* May a word begin and end at FROM and TO (places in w->ch)?  False inside of words of scripts with blanks. */
bool termscan_whole(const struct termscan *w, const struct unicode *u, size_t from, size_t to);
/* Does C belong to such a word? */
bool termscan_spaced(const struct unicode *u, uint32_t c);

#endif
