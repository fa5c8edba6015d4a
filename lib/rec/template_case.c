/* SPDX-License-Identifier: Apache-2.0 */
/* Letters in upper and lower case, and the classes that str.isalpha() and its kin ask for. */
#include <string.h>
#include "template_value.h"
#include "unicode.h"

/* The mapping of one code point, appended with the origin of the character that it stands for. */
static void put_case(struct tctx *c, struct sb *b, const struct str *s, size_t at, uint32_t cp, enum cased how)
{
	const char *end = s->p + s->n;
	int32_t msg = str_origin(s, at);
	struct buf tmp = {0};
	char to[8];

	if (how == CASE_LOWER) {
		if (cp == 0x130) {
			sb_add(c, b, "i\xcc\x87", 3, msg);
			return;
		}
		cp = cp != 0x3a3 ? unicode_lower_of(cp) : unicode_final_sigma(s->p, s->p + at, end) ? 0x3c2 : 0x3c3;
		sb_add(c, b, to, (size_t)cp_put(to, cp), msg);
		return;
	}
	unicode_case(NULL, how == CASE_UPPER ? UNICODE_UPPER : how == CASE_FOLD ? UNICODE_FOLD : UNICODE_TITLE, to,
	             (size_t)cp_put(to, cp), &tmp);
	char copy[32];                /* sb_add() may leave by an error: nothing of malloc's is held then */
	size_t n = tmp.n < sizeof copy ? tmp.n : sizeof copy;
	memcpy(copy, tmp.p, n);
	buf_free(&tmp);
	sb_add(c, b, copy, n, msg);
}

static enum cased one_case(enum cased how, bool inside, uint32_t cp)
{
	switch (how) {
	case CASE_TITLE: return inside ? CASE_LOWER : CASE_TITLE;
	case CASE_CAPITAL: return inside ? CASE_LOWER : CASE_TITLE;
	case CASE_SWAP: return cp_is(cp, CC_UPPER) ? CASE_LOWER : CASE_UPPER;
	default: return how;
	}
}

const struct str *str_case(struct tctx *c, const struct str *s, enum cased how)
{
	struct sb b = {0};
	bool inside = false;
	int len;

	t_step(c, s->n / 16);
	for (size_t i = 0; i < s->n; i += (size_t)len) {
		uint32_t cp = cp_get(s->p + i, s->p + s->n, &len);
		enum cased k = one_case(how, inside, cp);

		if (cp < 128) {
			char ch = (char)cp;
			bool up = cp >= 'A' && cp <= 'Z', low = cp >= 'a' && cp <= 'z';
			if ((up && (k == CASE_LOWER || k == CASE_FOLD)) || (low && (k == CASE_UPPER || k == CASE_TITLE)))
				ch ^= 0x20;
			sb_add(c, &b, &ch, 1, str_origin(s, i));
		} else {
			put_case(c, &b, s, i, cp, k);
		}
		inside = how == CASE_CAPITAL || (cp < 128 ? (cp | 32) >= 'a' && (cp | 32) <= 'z' : unicode_cased(cp));
	}
	return str_safe(c, sb_str(c, &b), s->safe);
}

/* Digits that are not decimal: superscripts, subscripts, circled and the like (Numeric_Type=Digit). */
static bool other_digit(uint32_t cp)
{
	static const uint32_t span[][2] = {
		{ 0xb2, 0xb3 }, { 0xb9, 0xb9 }, { 0x1369, 0x1371 }, { 0x19da, 0x19da }, { 0x2070, 0x2070 }, { 0x2074, 0x2079 }, { 0x2080, 0x2089 },
		{ 0x2460, 0x2468 }, { 0x2474, 0x247c }, { 0x2488, 0x2490 }, { 0x24ea, 0x24ea }, { 0x24f5, 0x24fd }, { 0x24ff, 0x24ff },
		{ 0x2776, 0x277e }, { 0x2780, 0x2788 }, { 0x278a, 0x2792 }, { 0x10a40, 0x10a43 }, { 0x10e60, 0x10e68 },
		{ 0x11052, 0x1105a }, { 0x1f100, 0x1f10a },
	};

	for (size_t i = 0; i < sizeof span / sizeof *span; i++)
		if (cp >= span[i][0] && cp <= span[i][1])
			return true;
	return false;
}

/* Ideographs that are numerals. */
static bool han_number(uint32_t cp)
{
	static const uint32_t han[] = {
		0x3007, 0x4e00, 0x4e03, 0x4e07, 0x4e09, 0x4e24, 0x4e5d, 0x4e8c, 0x4e94, 0x4ebf, 0x4edf, 0x516b, 0x516d, 0x5146, 0x5341, 0x5343,
		0x5344, 0x5345, 0x534c, 0x53c1, 0x53c3, 0x56db, 0x58f1, 0x58f9, 0x5efe, 0x5eff, 0x5f0c, 0x62fe, 0x634c, 0x67d2, 0x6f06,
		0x7396, 0x767e, 0x8086, 0x842c, 0x8cb3, 0x8d30, 0x9621, 0x9646, 0x964c, 0x9678, 0
	};

	for (int i = 0; han[i]; i++)
		if (cp == han[i])
			return true;
	return false;
}

bool cp_is(uint32_t cp, enum cclass k)
{
	const char *cat;

	if (cp < 128 && (k == CC_IDENT || k == CC_WORD || k == CC_IDSTART))
		return ((cp | 32) >= 'a' && (cp | 32) <= 'z') || cp == '_' || (cp >= '0' && cp <= '9' && k != CC_IDSTART);
	cat = unicode_category(cp);
	switch (k) {
	case CC_ALPHA: return cat[0] == 'L';
	case CC_DECIMAL: return cat[0] == 'N' && cat[1] == 'd';
	case CC_DIGIT: return (cat[0] == 'N' && cat[1] == 'd') || other_digit(cp);
	case CC_NUMERIC: return cat[0] == 'N' || han_number(cp);
	case CC_UPPER: return cat[0] == 'L' && cat[1] == 'u';
	case CC_TITLE: return cat[0] == 'L' && cat[1] == 't';
	case CC_LOWER: return (cat[0] == 'L' && cat[1] == 'l') || (unicode_cased(cp) && cat[1] != 'u' && cat[1] != 't');
	case CC_PRINT: return cp == ' ' || !(cat[0] == 'C' || cat[0] == 'Z');
	case CC_WORD: return (unicode_class_of(cp) & UNI_WORD) != 0;
	case CC_IDSTART: return cat[0] == 'L' || (cat[0] == 'N' && cat[1] == 'l');
	case CC_IDENT: return cat[0] == 'L' || cat[0] == 'N' || (cat[0] == 'M' && cat[1] != 'e') || (cat[0] == 'P' && cat[1] == 'c');
	}
	return false;
}
