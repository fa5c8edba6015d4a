/* SPDX-License-Identifier: Apache-2.0 */
/* Extended grapheme clusters (Unicode Standard Annex 29), their classes derived from general categories.  Only clusters
 * of less than 6 bytes matter here (charsmap.h), so emoji sequences need no table of pictographs.  The reference has the clusters of
 * Unicode 17, whose new marks of two and three bytes stand here beside the tables of Unicode 16. */
#include "charsmap.h"
#include "uniclass.h"
#include "utf8.h"

enum brk { B_OTHER, B_CR, B_LF, B_CONTROL, B_EXTEND, B_ZWJ, B_SPACING, B_PREPEND, B_L, B_V, B_T, B_LV, B_LVT, B_FLAG };

static bool prepends(uint32_t c)
{
	return (c >= 0x600 && c <= 0x605) || c == 0x6DD || c == 0x70F || c == 0x890 || c == 0x891 || c == 0x8E2 || c == 0xD4E ||
	       c == 0x110BD || c == 0x110CD || c == 0x111C2 || c == 0x111C3 || c == 0x113D1 || c == 0x1193F || c == 0x11941 ||
	       (c >= 0x11A84 && c <= 0x11A89) || c == 0x11D46 || c == 0x11F02;
}

/* Spacing marks that extend (Other_Grapheme_Extend). */
static bool spacing_extends(uint32_t c)
{
	static const uint32_t list[] = { 0x9BE, 0x9D7, 0xB3E, 0xB57, 0xBBE, 0xBD7, 0xCC0, 0xCC2, 0xCC7, 0xCC8, 0xCCA, 0xCCB, 0xCD5, 0xCD6,
		0xD3E, 0xD57, 0xDCF, 0xDDF, 0x1715, 0x1734, 0x1B35, 0x1B3B, 0x1B3D, 0x1B43, 0x1B44, 0x1BAA, 0x1BF2, 0x1BF3, 0x302E, 0x302F,
		0xA953, 0xA9C0, 0x111C0, 0x11235, 0x1133E, 0x1134D, 0x11357, 0x114B0, 0x114BD, 0x115AF, 0x116B6, 0x11930, 0x1193D };

	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (list[i] == c)
			return true;
	return false;
}

/* Spacing marks that stand alone all the same: the exceptions of the annex's table. */
static bool stands_alone(uint32_t c)
{
	return c == 0x102B || c == 0x102C || c == 0x1038 || (c >= 0x1062 && c <= 0x1064) || (c >= 0x1067 && c <= 0x106D) || c == 0x1083 ||
	       (c >= 0x1087 && c <= 0x108C) || c == 0x108F || (c >= 0x109A && c <= 0x109C) || c == 0x1A61 || c == 0x1A63 || c == 0x1A64 ||
	       c == 0xAA7B || c == 0xAA7D || c == 0x11720 || c == 0x11721;
}

static bool extends_since_17(uint32_t c)
{
	return (c >= 0x1ACF && c <= 0x1ADD) || (c >= 0x1AE0 && c <= 0x1AEB);
}

static enum brk hangul(uint32_t c)
{
	if ((c >= 0x1100 && c <= 0x115F) || (c >= 0xA960 && c <= 0xA97C))
		return B_L;
	if ((c >= 0x1160 && c <= 0x11A7) || (c >= 0xD7B0 && c <= 0xD7C6))
		return B_V;
	if ((c >= 0x11A8 && c <= 0x11FF) || (c >= 0xD7CB && c <= 0xD7FB))
		return B_T;
	if (c >= 0xAC00 && c <= 0xD7A3)
		return (c - 0xAC00) % 28 ? B_LVT : B_LV;
	return B_OTHER;
}

static enum brk break_of(uint32_t c)
{
	if (c < 0x300)
		return c == '\r' ? B_CR : c == '\n' ? B_LF : c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD ? B_CONTROL : B_OTHER;
	if (c == 0x200D)
		return B_ZWJ;
	if (c == 0x200C || c == 0xFF9E || c == 0xFF9F || (c >= 0x1F3FB && c <= 0x1F3FF) || (c >= 0xE0020 && c <= 0xE007F))
		return B_EXTEND;
	if (c >= 0x1F1E6 && c <= 0x1F1FF)
		return B_FLAG;
	if (prepends(c))
		return B_PREPEND;
	switch (uni_of(c) & UC_CAT) {
	case UC_MN: case UC_ME: return B_EXTEND;
	case UC_MC: return spacing_extends(c) ? B_EXTEND : stands_alone(c) ? B_OTHER : B_SPACING;
	case UC_CN: if (extends_since_17(c)) return B_EXTEND; break;
	case UC_CC: case UC_CF: case UC_ZL: case UC_ZP: return B_CONTROL;
	}
	return c == 0xE33 || c == 0xEB3 ? B_SPACING : hangul(c);
}

/* Do A and B, side by side, belong together? */
static bool joined(enum brk a, enum brk b)
{
	if (a == B_CR)
		return b == B_LF;
	if (a == B_LF || a == B_CONTROL || b == B_CR || b == B_LF || b == B_CONTROL)
		return false;
	if (b == B_EXTEND || b == B_ZWJ || b == B_SPACING || a == B_PREPEND)
		return true;
	if (a == B_L)
		return b == B_L || b == B_V || b == B_LV || b == B_LVT;
	if (a == B_LV || a == B_V)
		return b == B_V || b == B_T;
	return (a == B_LVT || a == B_T) && b == B_T;
}

const char *grapheme_end(const char *p, const char *end)
{
	enum brk a = break_of(utf8_get(&p));
	bool flag = a == B_FLAG;       /* one regional indicator is open */

	while (p < end) {
		const char *q = p;
		enum brk b = break_of(utf8_get(&q));

		if (flag && b == B_FLAG && a == B_FLAG)
			flag = false;          /* the second of a pair */
		else if (!joined(a, b))
			break;
		a = b;
		p = q;
	}
	return p;
}
