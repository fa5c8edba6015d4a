/* SPDX-License-Identifier: Apache-2.0 */
#include "unicode.h"

#include <stdlib.h>
#include <string.h>

#include "unimap.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

/* --- properties --- */

/* Python's str.isspace(): bidirectional class WS, B or S, or category Zs (CPython, Tools/unicode/makeunicodedata.py). */
static bool is_space(UChar32 c, int category)
{
	UCharDirection d = u_charDirection(c);

	return d == U_WHITE_SPACE_NEUTRAL || d == U_BLOCK_SEPARATOR || d == U_SEGMENT_SEPARATOR || category == U_SPACE_SEPARATOR;
}

static bool stays(UChar32 c, UProperty quick_check)
{
	return u_getIntPropertyValue(c, quick_check) == UNORM_YES;
}

unsigned unicode_class_of(uint32_t code)
{
	UChar32 c = (UChar32)code;
	int category = u_charType(c);
	unsigned k = 0;

	if (c == '_' || (U_MASK(category) & U_GC_L_MASK) || u_getIntPropertyValue(c, UCHAR_NUMERIC_TYPE) != U_NT_NONE)
		k |= UNI_WORD;
	if (is_space(c, category))
		k |= UNI_SPACE;
	if (U_MASK(category) & U_GC_M_MASK)
		k |= UNI_MARK;
	if (u_tolower(c) == c)
		k |= UNI_SAME_LOWER;
	if (u_getCombiningClass(c) == 0) {
		k |= stays(c, UCHAR_NFC_QUICK_CHECK) ? UNI_NFC : 0;
		k |= stays(c, UCHAR_NFD_QUICK_CHECK) ? UNI_NFD : 0;
		k |= stays(c, UCHAR_NFKC_QUICK_CHECK) ? UNI_NFKC : 0;
		k |= stays(c, UCHAR_NFKD_QUICK_CHECK) ? UNI_NFKD : 0;
	}
	return k;
}

uint32_t unicode_lower_of(uint32_t c)
{
	return (uint32_t)u_tolower((UChar32)c);
}

bool unicode_cased(uint32_t c)
{
	return u_hasBinaryProperty((UChar32)c, UCHAR_CASED);
}

bool unicode_case_ignorable(uint32_t c)
{
	return u_hasBinaryProperty((UChar32)c, UCHAR_CASE_IGNORABLE);
}

const char *unicode_category(uint32_t c)
{
	static const char names[][3] = {
		"Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Me", "Mc", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf", "Co", "Cs",
		"Pd", "Ps", "Pe", "Pc", "Po", "Sm", "Sc", "Sk", "So", "Pi", "Pf"
	};
	int k = u_charType((UChar32)c);

	return names[k >= 0 && k < (int)(sizeof names / sizeof *names) ? k : 0];
}

const char *unicode_script(uint32_t c)
{
	UErrorCode status = U_ZERO_ERROR;
	UScriptCode script = uscript_getScript((UChar32)c, &status);
	const char *name = U_SUCCESS(status) ? uscript_getName(script) : NULL;

	return name ? name : "Unknown";
}

/* --- normal forms --- */

static const UNormalizer2 *normalizer(enum unicode_form form)
{
	UErrorCode status = U_ZERO_ERROR;

	switch (form) {
	case UNICODE_NFC:
		return unorm2_getNFCInstance(&status);
	case UNICODE_NFD:
		return unorm2_getNFDInstance(&status);
	case UNICODE_NFKC:
		return unorm2_getNFKCInstance(&status);
	default:
		return unorm2_getNFKDInstance(&status);
	}
}

uint32_t unicode_compose(uint32_t a, uint32_t b)
{
	const UNormalizer2 *nfc = normalizer(UNICODE_NFC);
	UChar32 c = nfc ? unorm2_composePair(nfc, (UChar32)a, (UChar32)b) : -1;

	return c < 0 ? 0 : (uint32_t)c;
}

static bool in_form(const struct unicode *u, unsigned cls, const char *s, size_t n)
{
	const char *end = s + n;

	for (;;) {
		s += utf8_ascii(s, (size_t)(end - s));
		if (s >= end)
			return true;
		if ((unicode_class(u, utf8_get(&s)) & cls) == 0)
			return false;
	}
}

/* UTF-16 text in memory of its own. */
struct wide {
	UChar *p;
	int32_t n;
};

static bool widen(struct wide *w, const char *s, size_t n)
{
	UErrorCode status = U_ZERO_ERROR;

	w->p = mem_grow(NULL, n + 1, sizeof *w->p);
	u_strFromUTF8(w->p, (int32_t)n + 1, &w->n, s, (int32_t)n, &status);
	return U_SUCCESS(status);
}

static void append(struct buf *out, const struct wide *w)
{
	UErrorCode status = U_ZERO_ERROR;
	int32_t got = 0, room = w->n * 3 + 1;
	char *to = buf_room(out, (size_t)room);

	u_strToUTF8(to, room, &got, w->p, w->n, &status);
	if (U_SUCCESS(status)) {
		out->n += (size_t)got;
		out->p[out->n] = '\0';
	}
}

static bool normalize_wide(const UNormalizer2 *how, const struct wide *from, struct wide *to)
{
	UErrorCode status = U_ZERO_ERROR;
	int32_t room = from->n + from->n / 2 + 64;

	to->p = mem_grow(NULL, (size_t)room, sizeof *to->p);
	to->n = unorm2_normalize(how, from->p, from->n, to->p, room, &status);
	if (status == U_BUFFER_OVERFLOW_ERROR) {           /* U+FDFA alone becomes 18 characters */
		status = U_ZERO_ERROR;
		room = to->n + 1;
		to->p = mem_grow(to->p, (size_t)room, sizeof *to->p);
		to->n = unorm2_normalize(how, from->p, from->n, to->p, room, &status);
	}
	return U_SUCCESS(status);
}

int unicode_normalize(const struct unicode *u, enum unicode_form form, const char *s, size_t n, struct buf *out, bool *changed, struct err *e)
{
	static const unsigned cls[] = { UNI_NFC, UNI_NFD, UNI_NFKC, UNI_NFKD };
	const UNormalizer2 *how = normalizer(form);
	struct wide from = {0}, to = {0};
	int rc = 0;

	*changed = false;
	if (in_form(u, cls[form], s, n))
		return 0;
	if (n > (256u << 20))
		return err_set(e, SFT_BADDATA, "a text of %zu bytes is too long to normalise (at most 256 MiB)", n);
	if (how == NULL || !widen(&from, s, n) || !normalize_wide(how, &from, &to))
		rc = err_set(e, SFT_BADDATA, "the text cannot be normalised (expected valid UTF-8)");
	else if (to.n != from.n || memcmp(to.p, from.p, (size_t)to.n * sizeof *to.p) != 0)
		*changed = true;
	if (*changed)
		append(out, &to);
	mem_free(from.p);
	mem_free(to.p);
	return rc;
}

/* --- case, by single characters as Python maps them --- */

/* C mapped by ICU's function for whole strings: up to 3 characters. */
static void map_one(enum unicode_case how, uint32_t c, struct buf *out)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar from[2], to[16];
	int32_t n = 0;
	struct wide w = { to, 0 };

	U16_APPEND_UNSAFE(from, n, (UChar32)c);
	if (how == UNICODE_UPPER)
		w.n = u_strToUpper(to, 16, from, n, "", &status);
	else if (how == UNICODE_FOLD)
		w.n = u_strFoldCase(to, 16, from, n, U_FOLD_CASE_DEFAULT, &status);
	else if (u_strToUpper(to, 16, from, n, "", &status) > n)   /* a ligature: of several letters only the first is a capital */
		w.n = u_strToTitle(to, 16, from, n, NULL, "", &status);
	else
		U16_APPEND_UNSAFE(to, w.n, u_totitle((UChar32)c));
	if (U_SUCCESS(status))
		append(out, &w);
}

static void lower_one(const struct unicode *u, uint32_t c, const char *text, const char *at, const char *end, struct buf *out)
{
	char *to = buf_room(out, UNICODE_LOWER_ROOM(4));

	if (c == 0x3A3)
		out->n += utf8_put(to, unicode_final_sigma(text, at, end) ? 0x3C2 : 0x3C3);
	else
		out->n += unicode_lower(u, at, utf8_size(at), to);
	out->p[out->n] = '\0';
}

/* str.title() and str.capitalize(): the head of a word (of the text) in title case, the rest lowered. */
static void heads(const struct unicode *u, enum unicode_case how, const char *text, size_t n, struct buf *out)
{
	const char *s = text, *end = text + n;
	bool inside = false;

	while (s < end) {
		const char *at = s;
		uint32_t c = utf8_get(&s);

		if (inside)
			lower_one(u, c, text, at, end, out);
		else
			map_one(UNICODE_TITLE, c, out);
		inside = how == UNICODE_CAPITALIZE || unicode_cased(c);
	}
}

void unicode_case(const struct unicode *u, enum unicode_case how, const char *s, size_t n, struct buf *out)
{
	const char *end = s + n;
	unsigned char first = how == UNICODE_UPPER ? 'a' : 'A';

	if (how == UNICODE_TITLE || how == UNICODE_CAPITALIZE) {
		heads(u, how, s, n, out);
		return;
	}
	while (s < end) {
		if ((unsigned char)*s >= 0x80) {
			map_one(how, utf8_get(&s), out);
			continue;
		}
		buf_ch(out, (char)((unsigned char)(*s - first) < 26 ? *s ^ 0x20 : *s));
		s++;
	}
}

/* --- tables --- */

static uint16_t narrow_of(UChar32 c)
{
	int kind = u_getIntPropertyValue(c, UCHAR_DECOMPOSITION_TYPE);
	UErrorCode status = U_ZERO_ERROR;
	const UNormalizer2 *nfkc = normalizer(UNICODE_NFKC);
	UChar to[4];

	if ((kind != U_DT_WIDE && kind != U_DT_NARROW) || nfkc == NULL)
		return (uint16_t)c;
	if (unorm2_getRawDecomposition(nfkc, c, to, 4, &status) != 1 || U_FAILURE(status))
		return (uint16_t)c;
	return to[0];
}

static void choose_loops(struct unicode *u)
{
	u->lower = unimap_lower_plain;
	u->keep = unimap_keep_plain;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi")
	    && __builtin_cpu_supports("avx512vbmi2")) {
		u->lower = unimap_lower_avx512;
		u->keep = unimap_keep_avx512;
	}
#endif
}

/* The bits of those 64 characters in a row that all are of one of CLASSES. */
static void note_rows(const struct unicode *u, unsigned classes, uint8_t bits[128])
{
	for (uint32_t row = 0; row < 1024; row++) {
		bool all = true;

		for (uint32_t c = 64 * row; c < 64 * row + 64; c++)
			all &= (u->cls[c] & classes) != 0;
		bits[row / 8] |= (uint8_t)(all << row % 8);
	}
}

struct unicode *unicode_open(void)
{
	struct unicode *u = mem_new(sizeof *u);

	choose_loops(u);
	for (uint32_t c = 0; c < 0x10000; c++) {
		u->cls[c] = (uint8_t)unicode_class_of(c);
		u->low[c] = (uint16_t)unicode_lower_of(c);
	}
	note_rows(u, UNI_SAME_LOWER, u->same_lower);
	note_rows(u, UNI_WORD | UNI_SPACE, u->kept[0]);
	note_rows(u, UNI_WORD | UNI_SPACE | UNI_MARK, u->kept[1]);
	for (uint32_t i = 0; i < 0x100; i++)
		u->narrow[i] = narrow_of((UChar32)(0xFF00 + i));
	return u;
}

void unicode_close(struct unicode *u)
{
	mem_free(u);
}
