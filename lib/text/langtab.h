/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_LANGTAB_H
#define SFT_LANGTAB_H
/* The generated table of languages that share a script with others (langgen.py); lang.h is the way to it. */

enum lang_group { LANG_LATIN, LANG_CYRILLIC, LANG_ARABIC, LANG_DEVANAGARI, LANG_GROUPS };

struct lang_known {
	const char *code;              /* ISO 639-1 */
	enum lang_group group;
	int prior;                     /* how much is written in it, as a weight */
};
extern const struct lang_known lang_known[];
extern const unsigned lang_known_n;

/* Lines "FEATURE LwLw...\n": for each language L that the feature tells something for, its weight w, in steps of 0.25 nats over what a feature
 * that is missing counts for.  Both are letters of A-Z, a-z, 0-9 in this order, from 0; a FEATURE is 2 or 3 characters, of which the
 * first or last may be a blank, or '<' and a word. */
extern const char lang_features[];

#endif
