/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_PIICHECK_H
#define SFT_PIICHECK_H
/* Is a row of digits a card number, a resident ID, a phone number, an IBAN?  Pure functions. */
#include <stdbool.h>
#include <stddef.h>

enum { PII_DIGITS = 24, PII_GROUPS = 8 };

/* Digits as they stand in a text, in groups. */
struct digits {
	char d[PII_DIGITS + 1];        /* '0'-'9', all groups joined */
	unsigned n, groups;
	unsigned len[PII_GROUPS];      /* digits of each group */
	char sep[PII_GROUPS];          /* before group i > 0: ' ', '-' or '.' */
	unsigned paren;                /* bit i: there is a parenthesis before group i > 0 */
};

/* A payment card: ISO/IEC 7812 length, the range of an issuer (Visa, Mastercard, American Express, UnionPay, JCB, Discover,
 * Diners, Maestro, Mir, the ICBC's 9558), groups of four or more but for the last, Luhn's sum. */
bool pii_card(const struct digits *g);
/* A resident ID of the PRC (GB 11643-1999): 18 digits of which the last may be an X (LAST 'X'; G then has 17), a province, a date of
 * birth, and the sum of ISO 7064 MOD 11-2. */
bool pii_resident(const struct digits *g, char last);
/* A phone number without a + before it: Chinese mobile (bare or with 86), area code with 0 and groups, North American 3-3-4, or 11 or 12
 * digits that begin with 0 (DASH: there is a - before them, which makes them a part of something else). */
bool pii_phone(const struct digits *g, bool dash);
/* The digits behind a +: E.164. */
bool pii_e164(const struct digits *g);
/* Digits whose first group stands in parentheses: (010) 6234 5678. */
bool pii_area_code(const struct digits *g);
/* Letters and digits of an IBAN of the country that C[0..1] names (upper case); 0: there is none. */
unsigned pii_iban_length(const char c[2]);
/* The N letters (upper case) and digits of S: ISO 7064 MOD 97-10. */
bool pii_iban(const char *s, unsigned n);

#endif
