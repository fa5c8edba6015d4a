/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_UNITAB_H
#define SFT_UNITAB_H
/* The generated Unicode tables (unigen.py); uniclass.h and uninorm.h are the ways to them. */
#include <stdint.h>

struct uni_range { uint32_t first, last; };              /* inclusive; uni_lower: a character and its lower case */
struct uni_map { uint32_t c; uint16_t at, n; };          /* N code points at uni_decomp_text[AT] */
struct uni_pair { uint32_t a, b, c; };                   /* A followed by B composes to C */
struct uni_ccc { uint32_t first, last; uint8_t ccc; };
struct uni_start { uint32_t first; uint16_t value; };    /* from FIRST to the next entry */

extern const uint8_t uni_stage1[0x1100];
extern const uint8_t uni_stage2[][256];
extern const uint32_t uni_decomp_text[];
extern const struct uni_map uni_decomp[], uni_compat[];
extern const struct uni_pair uni_compose[];
extern const struct uni_ccc uni_ccc_runs[];
extern const struct uni_start uni_script_group[];
extern const struct uni_range uni_lower[], uni_punct[], uni_digit[], uni_accent[], uni_bert_accent[], uni_bert_control[], uni_han[];
extern const unsigned uni_decomp_n, uni_compat_n, uni_compose_n, uni_ccc_n, uni_script_group_n, uni_lower_n, uni_punct_n, uni_digit_n,
	uni_accent_n, uni_bert_accent_n, uni_bert_control_n, uni_han_n;

#endif
