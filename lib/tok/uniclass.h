/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_UNICLASS_H
#define SFT_UNICLASS_H
/* Classes of characters as the reference tokenizers see them (unigen.py says where each comes from). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "unitab.h"

/* General categories, in the order of the tables. */
enum uni_cat {
	UC_CN, UC_CC, UC_CF, UC_CO, UC_CS, UC_LL, UC_LM, UC_LO, UC_LT, UC_LU, UC_MC, UC_ME, UC_MN, UC_ND, UC_NL, UC_NO,
	UC_PC, UC_PD, UC_PE, UC_PF, UC_PI, UC_PO, UC_PS, UC_SC, UC_SK, UC_SM, UC_SO, UC_ZL, UC_ZP, UC_ZS
};
enum { UC_CAT = 0x1f, UC_SPACE = 0x20, UC_WORD = 0x40, UC_NFCQ = 0x80 };

/* Category and flags: white space, \w of the pattern engine, "may change or be changed under NFC". */
static inline unsigned uni_of(uint32_t c)
{
	return uni_stage2[uni_stage1[c >> 8]][c & 0xff];
}

#define UC_BIT(u) (1u << ((u) & UC_CAT))
enum {
	UC_L = 1 << UC_LL | 1 << UC_LM | 1 << UC_LO | 1 << UC_LT | 1 << UC_LU,
	UC_M = 1 << UC_MC | 1 << UC_ME | 1 << UC_MN,
	UC_N = 1 << UC_ND | 1 << UC_NL | 1 << UC_NO,
	UC_P = 1 << UC_PC | 1 << UC_PD | 1 << UC_PE | 1 << UC_PF | 1 << UC_PI | 1 << UC_PO | 1 << UC_PS,
	UC_S = 1 << UC_SC | 1 << UC_SK | 1 << UC_SM | 1 << UC_SO
};
static inline bool uni_is(uint32_t c, unsigned cats) { return UC_BIT(uni_of(c)) & cats; }
static inline bool uni_space(uint32_t c) { return uni_of(c) & UC_SPACE; }

/* \w of the word patterns of Whitespace and of added tokens (Unicode's: joiners too, superscripts not). */
bool uni_word(uint32_t c);
bool uni_in(const struct uni_range *set, unsigned n, uint32_t c);    /* C in a sorted set */
#define UC_IN(set, c) uni_in(set, set##_n, c)
unsigned uni_script(uint32_t c);                                     /* group of scripts that UnicodeScripts keeps together */
/* Lower case of C; U+0130 gives two code points. */
unsigned uni_to_lower(uint32_t c, uint32_t out[2]);

#endif
