/* SPDX-License-Identifier: Apache-2.0 */
#include "piicheck.h"

#include <stdlib.h>
#include <string.h>

/* Number of the first N digits of D. */
static unsigned lead(const char *d, unsigned n)
{
	unsigned v = 0;

	while (n--)
		v = v * 10 + (unsigned)(*d++ - '0');
	return v;
}

/* One separator throughout, from group FROM on. */
static bool uniform(const struct digits *g, unsigned from)
{
	for (unsigned i = from + 1; i < g->groups; i++)
		if (g->sep[i] != g->sep[from])
			return false;
	return true;
}

/* --- cards --- */

static const struct {
	unsigned digits, from, to;     /* of the range */
	unsigned min, max;             /* digits of the number */
} issuers[] = {
	{ 1, 4, 4, 16, 16 }, { 1, 4, 4, 13, 13 }, { 1, 4, 4, 19, 19 },               /* Visa */
	{ 2, 51, 55, 16, 16 }, { 4, 2221, 2720, 16, 16 },                            /* Mastercard */
	{ 2, 34, 34, 15, 15 }, { 2, 37, 37, 15, 15 },                                /* American Express */
	{ 2, 62, 62, 16, 19 }, { 4, 9558, 9558, 19, 19 },                            /* UnionPay, ICBC */
	{ 4, 3528, 3589, 16, 19 },                                                   /* JCB */
	{ 4, 6011, 6011, 16, 19 }, { 3, 644, 659, 16, 19 },                          /* Discover, RuPay */
	{ 3, 300, 305, 14, 19 }, { 4, 3095, 3095, 14, 19 }, { 2, 36, 36, 14, 19 }, { 2, 38, 39, 14, 19 },   /* Diners */
	{ 2, 50, 50, 12, 19 }, { 2, 56, 58, 12, 19 }, { 2, 60, 61, 12, 19 }, { 2, 63, 69, 12, 19 },         /* Maestro */
	{ 4, 2200, 2204, 16, 19 }                                                    /* Mir */
};

static bool issued(const struct digits *g)
{
	for (size_t i = 0; i < sizeof issuers / sizeof *issuers; i++) {
		unsigned v = lead(g->d, issuers[i].digits);

		if (g->n >= issuers[i].min && g->n <= issuers[i].max && v >= issuers[i].from && v <= issuers[i].to)
			return true;
	}
	return false;
}

static bool luhn(const char *d, unsigned n)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned v = (unsigned)(d[n - 1 - i] - '0') << (i & 1);

		sum += v > 9 ? v - 9 : v;
	}
	return sum % 10 == 0;
}

bool pii_card(const struct digits *g)
{
	if (g->n < 12 || g->n > 19 || g->paren || !uniform(g, 1) || (g->groups > 1 && g->sep[1] == '.'))
		return false;
	for (unsigned i = 0; i + 1 < g->groups; i++)
		if (g->len[i] < 4)
			return false;
	return issued(g) && luhn(g->d, g->n);
}

/* --- resident IDs --- */

static bool province(unsigned p)
{
	static const unsigned char last[10] = { 0, 5, 3, 7, 6, 4, 5, 1, 3, 1 };   /* 11-15, 21-23, 31-37, 41-46, 50-54, 61-65, 71, 81-83, 91 */

	return p / 10 && p % 10 <= last[p / 10] && (p % 10 || p == 50);
}

static bool date(const char *d)
{
	static const unsigned char days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	unsigned year = lead(d, 4), month = lead(d + 4, 2), day = lead(d + 6, 2);

	return year >= 1880 && year < 2100 && month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1];
}

bool pii_resident(const struct digits *g, char last)
{
	unsigned sum = 0;

	if (g->n != (last ? 17 : 18) || g->paren || (g->groups > 1 && (g->len[0] != 6 || g->groups > 4 || g->sep[1] == '.')) || !uniform(g, 1))
		return false;
	if (!province(lead(g->d, 2)) || !date(g->d + 6))
		return false;
	for (unsigned i = 0; i < 17; i++)
		sum = (sum + (unsigned)(g->d[i] - '0')) * 2 % 11;
	return (sum + (last ? 10 : (unsigned)(g->d[17] - '0'))) % 11 == 1;
}

/* --- phones --- */

static bool mobile(const char *d, unsigned n)
{
	return n == 11 && d[0] == '1' && d[1] >= '3';
}

static bool chinese_mobile(const struct digits *g)
{
	unsigned code = strncmp(g->d, "0086", 4) == 0 ? 4 : strncmp(g->d, "86", 2) == 0 ? 2 : 0, first = code && g->len[0] == code;

	for (unsigned i = first; g->groups > first + 1 && i < g->groups; i++)
		if (g->len[i] < 3)
			return false;
	return mobile(g->d + code, g->n - code) && uniform(g, first + 1);
}

/* 3-3-4 with none of the first two groups below 200, after an optional 1. */
static bool north_american(const struct digits *g)
{
	unsigned i = g->groups == 4 && g->len[0] == 1 && g->d[0] == '1';
	const char *d = g->d + i;

	return g->groups == i + 3 && g->len[i] == 3 && g->len[i + 1] == 3 && g->len[i + 2] == 4 && d[0] >= '2' && d[3] >= '2' && uniform(g, 1);
}

static bool trunk(const struct digits *g)
{
	return g->d[0] == '0' && g->d[1] > '0' && g->n >= 10 && g->n <= 12 && g->groups > 1 && g->len[0] >= 3 && g->len[g->groups - 1] >= 4 &&
	       g->sep[1] != '.' && uniform(g, 2);
}

bool pii_phone(const struct digits *g, bool dash)
{
	if (g->paren)
		return false;
	if (g->groups == 1 && g->d[0] == '0' && g->d[1] > '0' && (g->n == 11 || g->n == 12))
		return !dash;
	return chinese_mobile(g) || trunk(g) || north_american(g);
}

bool pii_e164(const struct digits *g)
{
	if (g->groups == 2 && g->sep[1] == '.')
		return false;
	return g->d[0] > '0' && g->n >= 9 && g->n <= 15 + (g->paren != 0) && (g->paren || uniform(g, 2));
}

bool pii_area_code(const struct digits *g)
{
	return g->paren == 2 && g->len[0] >= 3 && g->len[0] <= 4 && g->n >= 10 && g->n <= 12 && g->len[g->groups - 1] >= 4 && uniform(g, 2);
}

/* --- IBAN (ISO 13616; lengths: SWIFT's IBAN registry, release 99) --- */

unsigned pii_iban_length(const char c[2])
{
	static const char lengths[] =
		"AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27"
		"GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19"
		"MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24"
		"TR26UA29VA22VG24XK20YE30";

	for (const char *s = lengths; *s; s += 4)
		if (s[0] == c[0] && s[1] == c[1])
			return lead(s + 2, 2);
	return 0;
}

bool pii_iban(const char *s, unsigned n)
{
	unsigned rest = 0;

	for (unsigned i = 0; i < n; i++) {
		char c = s[(i + 4) % n];

		rest = c >= 'A' ? (rest * 100 + (unsigned)(c - 'A') + 10) % 97 : (rest * 10 + (unsigned)(c - '0')) % 97;
	}
	return rest == 1;
}
