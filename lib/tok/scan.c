/* SPDX-License-Identifier: Apache-2.0 */
/* Hand-written scanners for the patterns that tokenizers are mostly split with.  Each says in a comment which pattern it is;
 * at every place it gives what the reference's pattern engine matches there. */
#include <string.h>

#include "tokimpl.h"
#include "uniclass.h"
#include "utf8.h"

/* What the patterns tell apart. */
enum { OTHER, LETTER, NUMBER, SPACE };

static const uint8_t by_cat[32] = {
	[UC_LL] = LETTER, [UC_LM] = LETTER, [UC_LO] = LETTER, [UC_LT] = LETTER, [UC_LU] = LETTER,
	[UC_ND] = NUMBER, [UC_NL] = NUMBER, [UC_NO] = NUMBER
};

/* Class of the character at *P, which is moved behind it. */
static inline unsigned class_at(const char **p)
{
	unsigned char b = (unsigned char)**p;
	unsigned u;

	if (b < 0x80) {
		++*p;
		if ((unsigned char)((b | 0x20) - 'a') < 26)
			return LETTER;
		if ((unsigned char)(b - '0') < 10)
			return NUMBER;
		return b == ' ' || (b >= 9 && b <= 13) ? SPACE : OTHER;
	}
	u = uni_of(utf8_get(p));
	return u & UC_SPACE ? SPACE : by_cat[u & UC_CAT];
}

static inline const char *run(const char *p, const char *end, unsigned class)
{
	for (const char *q = p; q < end && class_at(&q) == class; p = q)
		;
	return p;
}

static inline bool newline(char c)
{
	return c == '\n' || c == '\r';
}

/* \s+(?!\S)|\s+ at P, where there is a blank. */
static const char *blanks(const char *p, const char *end)
{
	const char *stop = run(p, end, SPACE), *last = stop;

	if (stop == end)
		return stop;
	utf8_before(&last);
	return last > p ? last : stop;
}

/* \s*[\r\n]+ at P, where there is a blank; else \s+(?!\S)|\s+. */
static const char *lines(const char *p, const char *end)
{
	const char *stop = run(p, end, SPACE);

	for (const char *q = stop; q > p; q--)
		if (newline(q[-1]))
			return q;
	return blanks(p, end);
}

/* 's|'t|'re|'ve|'m|'ll|'d behind the apostrophe at P, in small letters or, CASELESS, any; NULL: none.  U+017F is a small s. */
static const char *contraction(const char *p, const char *end, bool caseless)
{
	unsigned char a, b;
	unsigned fold = caseless ? 0x20 : 0;

	if (end - p < 2)
		return NULL;
	a = (unsigned char)p[1];
	if (a < 0x80)
		a |= (unsigned char)fold;
	if (a == 's' || a == 't' || a == 'm' || a == 'd')
		return p + 2;
	if (end - p < 3)
		return NULL;
	b = (unsigned char)p[2];
	if (caseless && a == 0xC5 && b == 0xBF)
		return p + 3;
	if (b < 0x80)
		b |= (unsigned char)fold;
	if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l'))
		return p + 3;
	return NULL;
}

/* GPT-2: 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ */
static const char *scan_gpt2(const char *p, const char *end)
{
	const char *q = p, *c;
	unsigned class;

	if (*p == '\'' && (c = contraction(p, end, false)) != NULL)
		return c;
	class = class_at(&q);
	if (*p == ' ' && q < end) {
		c = q;
		class = class_at(&c);
		if (class != SPACE)
			return run(c, end, class);
	}
	return class == SPACE ? blanks(p, end) : run(q, end, class);
}

/* Numeric characters of the Digits step: those of a newer Unicode too. */
static inline bool digit_step(const char *p)
{
	const char *q = p;
	uint32_t c;
	unsigned u;

	if ((unsigned char)*p < 0x80)
		return *p >= '0' && *p <= '9';
	c = utf8_get(&q);
	u = uni_of(c);
	return by_cat[u & UC_CAT] == NUMBER || ((u & UC_CAT) == UC_CN && UC_IN(uni_digit, c));
}

/* Digits one by one, then GPT-2 on what is between them: starcoder, smollm.  A digit ends the text before it. */
static const char *scan_digits_gpt2(const char *p, const char *end)
{
	const char *q = p, *c, *stop;
	unsigned class;

	if (digit_step(p)) {
		utf8_get(&q);
		return q;
	}
	if (*p == '\'' && (c = contraction(p, end, false)) != NULL)
		return c;
	class = class_at(&q);
	if (*p == ' ' && q < end && !digit_step(q)) {
		c = q;
		class = class_at(&c);
		q = c;
	}
	if (class == SPACE) {
		stop = run(p, end, SPACE);
		return stop < end && digit_step(stop) ? stop : blanks(p, end);
	}
	if (class == LETTER)
		return run(q, end, LETTER);
	while (q < end && !digit_step(q)) {
		c = q;
		if (class_at(&c) != OTHER)
			break;
		q = c;
	}
	return q;
}

/* (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,most}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+ */
static inline const char *scan_cl100k(const char *p, const char *end, unsigned most)
{
	const char *q = p, *c, *after;
	unsigned class, next;

	if (*p == '\'' && (c = contraction(p, end, true)) != NULL)
		return c;
	class = class_at(&q);
	if (class == LETTER)
		return run(q, end, LETTER);
	if (class == NUMBER) {
		for (unsigned n = 1; n < most && q < end; n++) {
			c = q;
			if (class_at(&c) != NUMBER)
				break;
			q = c;
		}
		return q;
	}
	after = q;
	next = q < end ? class_at(&after) : SPACE;
	if (next == LETTER && !newline(*p))
		return run(after, end, LETTER);
	if (class == OTHER || (*p == ' ' && next == OTHER)) {
		q = run(q, end, OTHER);
		while (q < end && newline(*q))
			q++;
		return q;
	}
	return lines(p, end);
}

static const char *scan_qwen2(const char *p, const char *end) { return scan_cl100k(p, end, 1); }
static const char *scan_llama3(const char *p, const char *end) { return scan_cl100k(p, end, 3); }

/* --- o200k: words by case ---
 * X?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+C?|X?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*C?|
 * \p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+   with X = [^\r\n\p{L}\p{N}], C = (?i:'s|'t|'re|'ve|'m|'ll|'d) */

enum { CAPITAL = 1 << UC_LU | 1 << UC_LT, BOTH = 1 << UC_LM | 1 << UC_LO | UC_M, SMALL = 1 << UC_LL };

static inline unsigned bit_at(const char **p)
{
	return UC_BIT(uni_of(utf8_get(p)));
}

static const char *run_of(const char *p, const char *end, unsigned cats)
{
	for (const char *q = p; q < end && (bit_at(&q) & cats); p = q)
		;
	return p;
}

/* Capitals, then at least one small letter (or a letter that is both). */
static const char *small_word(const char *p, const char *end)
{
	const char *last_both = NULL, *q = p;

	while (q < end) {
		unsigned bit = bit_at(&q);

		if (!(bit & (CAPITAL | BOTH)))
			break;
		p = q;
		if (bit & BOTH)
			last_both = p;
	}
	q = run_of(p, end, SMALL | BOTH);
	return q > p ? q : last_both;
}

static const char *capital_word(const char *p, const char *end)
{
	const char *q = run_of(p, end, CAPITAL | BOTH);

	return q > p ? run_of(q, end, SMALL | BOTH) : NULL;
}

static const char *with_contraction(const char *p, const char *end)
{
	const char *c = p < end && *p == '\'' ? contraction(p, end, true) : NULL;

	return c ? c : p;
}

static inline const char *scan_by_case(const char *p, const char *end, unsigned most, bool contractions)
{
	const char *q = p, *x, *w;
	unsigned class = class_at(&q), next;

	x = class != LETTER && class != NUMBER && !newline(*p) ? q : NULL;
	if ((x && (w = small_word(x, end)) != NULL) || (w = small_word(p, end)) != NULL ||
	    (x && (w = capital_word(x, end)) != NULL) || (w = capital_word(p, end)) != NULL)
		return contractions ? with_contraction(w, end) : w;
	if (class == NUMBER) {
		for (x = q; --most && q < end && class_at(&x) == NUMBER; )
			q = x;
		return q;
	}
	x = q;
	next = q < end ? class_at(&x) : SPACE;
	if (class == OTHER || (*p == ' ' && next == OTHER)) {
		q = run(q, end, OTHER);
		while (q < end && (newline(*q) || *q == '/'))
			q++;
		return q;
	}
	return lines(p, end);
}

static const char *scan_o200k(const char *p, const char *end) { return scan_by_case(p, end, 3, true); }
/* Tekken: the same without contractions, digits one by one. */
static const char *scan_tekken(const char *p, const char *end) { return scan_by_case(p, end, 1, false); }

/* --- DeepSeek-V3 --- */

/* \p{N}{1,3} */
static const char *scan_numbers3(const char *p, const char *end)
{
	const char *start = p, *q = p;

	for (int n = 0; n < 3 && q < end && class_at(&q) == NUMBER; n++)
		p = q;
	return p > start ? p : NULL;
}

static const char *seek_number(const char *p, const char *end)
{
	while (p < end) {
		const char *q = p;

		if (class_at(&q) == NUMBER)
			break;
		p = q;
	}
	return p;
}

/* [一-龥぀-ゟ゠-ヿ]+ */
static const char *scan_cjk(const char *p, const char *end)
{
	const char *start = p;

	for (const char *q = p; q < end && (unsigned char)*q >= 0xE3; p = q) {
		uint32_t c = utf8_get(&q);

		if (!((c >= 0x4E00 && c <= 0x9FA5) || (c >= 0x3040 && c <= 0x30FF)))
			break;
	}
	return p > start ? p : NULL;
}

/* Where a character from U+3000 to U+9FFF begins: the lead bytes E3 to E9. */
static const char *seek_cjk(const char *p, const char *end)
{
	while (p < end && (unsigned char)(*p - 0xE3) > 6)
		p++;
	return p;
}

static bool punct_or_symbol(unsigned bit) { return bit & (UC_P | UC_S); }

/* [!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+ */
static const char *scan_deepseek(const char *p, const char *end)
{
	const char *q = p, *r, *s;
	unsigned bit = bit_at(&q);

	if ((unsigned char)*p < 0x80 && punct_or_symbol(bit)) {
		for (r = q; r < end && (unsigned char)((*r | 0x20) - 'a') < 26; r++)
			;
		if (r > q)
			return r;
	}
	if (!newline(*p) && !(bit & (UC_L | UC_P | UC_S)) && (r = run_of(q, end, UC_L | UC_M)) > q)
		return r;
	if ((r = run_of(p, end, UC_L | UC_M)) > p)
		return r;
	s = *p == ' ' ? q : p;
	if ((r = run_of(s, end, UC_P | UC_S)) > s) {
		while (r < end && newline(*r))
			r++;
		return r;
	}
	q = p;
	return class_at(&q) == SPACE ? lines(p, end) : NULL;
}

/* \w+|[^\w\s]+ */
const char *scan_words(const char *p, const char *end)
{
	const char *q = p;
	uint32_t c = utf8_get(&q);
	bool word = uni_word(c);

	if (!word && uni_space(c))
		return NULL;
	for (p = q; q < end; p = q) {
		c = utf8_get(&q);
		if (uni_word(c) != word || (!word && uni_space(c)))
			break;
	}
	return p;
}

/* --- finding them --- */

static const struct {
	const char *regex;
	scan_fn *scan;
} known[] = {
	{ "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", scan_gpt2 },
	{ "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
	  scan_qwen2 },
	{ "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
	  scan_llama3 },
	{ "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
	  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
	  "\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+", scan_o200k },
	{ "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|"
	  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|"
	  "\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+", scan_tekken },
	{ "\\p{N}{1,3}", scan_numbers3 },
	{ "[一-龥぀-ゟ゠-ヿ]+", scan_cjk },
	{ "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|"
	  "\\s*[\r\n]+|\\s+(?!\\S)|\\s+", scan_deepseek },
};

scan_fn *scan_known(const char *regex, size_t n)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strlen(known[i].regex) == n && memcmp(known[i].regex, regex, n) == 0)
			return known[i].scan;
	return NULL;
}

/* The scanner for Digits (one by one) followed by the pattern REGEX: the two steps in one. */
scan_fn *scan_after_digits(scan_fn *then)
{
	return then == scan_gpt2 ? scan_digits_gpt2 : NULL;
}

/* Patterns that do not match everywhere. */
scan_fn *scan_seek(scan_fn *scan)
{
	return scan == scan_numbers3 ? seek_number : scan == scan_cjk ? seek_cjk : NULL;
}
