/* SPDX-License-Identifier: Apache-2.0 */
/* Methods that need no dictionary: keys missed, numbers, punctuation, case, width. */
#include <string.h>

#include "augment.h"

static bool letter(unsigned char c)
{
	return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static bool chance(struct augwork *w, double p)
{
	return rng_unit(&w->rng) < p;
}

/* --- the keyboard --- */

/* The keys around each letter of a US keyboard. */
static const char *const around[26] = {
	"qwsz", "vghn", "xdfv", "serfcx", "wsdr", "drtgvc", "ftyhbv", "gyujnb", "ujko", "huikmn", "jiolm", "kop", "njk",
	"bhjm", "iklp", "ol", "wa", "edft", "awedxz", "rfgy", "yhji", "cfgb", "qase", "zsdc", "tghu", "asx",
};

/* One slip at S: a neighbouring key, a letter left out, twice, or changed with the next.  Bytes of S that it took. */
static size_t slip(struct augwork *w, const char *s, size_t left, struct buf *out)
{
	const char *keys = around[(s[0] | 32) - 'a'];
	uint64_t kind = rng_below(&w->rng, 4);

	if (kind == 1)
		return 1;
	if (kind == 2) {
		buf_ch(out, s[0]);
	} else if (kind == 3 && left > 1 && letter((unsigned char)s[1]) && s[1] != s[0]) {
		buf_ch(out, s[1]);
		buf_ch(out, s[0]);
		return 2;
	} else {
		char key = keys[rng_below(&w->rng, strlen(keys))];

		buf_ch(out, s[0] & 32 ? key : (char)(key & ~32));
		return 1;
	}
	buf_ch(out, s[0]);
	return 1;
}

bool augment_keyboard(const struct augment *g, enum augment_kind k, struct augwork *w, const char *s, size_t n, struct buf *out)
{
	bool changed = false;

	(void)k;
	for (size_t i = 0; i < n; ) {
		if (letter((unsigned char)s[i]) && chance(w, g->keyboard)) {
			i += slip(w, s + i, n - i, out);
			changed = true;
		} else {
			buf_ch(out, s[i++]);
		}
	}
	return changed;
}

/* --- numbers --- */

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* N other digits for those at S, the same for the same ones all over a copy; a first digit stays 0 or not 0. */
static bool other_number(const struct augment *g, const struct augwork *w, const char *s, size_t n, struct buf *out)
{
	uint64_t h = hash64(s, n, w->copy);
	size_t before = out->n;

	if ((double)(h >> 11) * 0x1p-53 >= g->rate) {
		buf_add(out, s, n);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		h = rng_mix(h);
		if (i == 0 && n > 1)
			buf_ch(out, s[0] == '0' ? '0' : (char)('1' + h % 9));
		else
			buf_ch(out, (char)('0' + h % 10));
	}
	if (memcmp(out->p + before, s, n) == 0)
		out->p[out->n - 1] = s[n - 1] == '9' ? '0' : (char)(s[n - 1] + 1);
	return true;
}

/* Runs of ASCII digits that are no part of a word ("B12"). */
bool augment_numbers(const struct augment *g, enum augment_kind k, struct augwork *w, const char *s, size_t n, struct buf *out)
{
	bool changed = false;

	(void)k;
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i; end < n && digit(s[end]); end++)
			;
		if (end == i)
			buf_ch(out, s[end++]);
		else if ((i && letter((unsigned char)s[i - 1])) || (end < n && letter((unsigned char)s[end])))
			buf_add(out, s + i, end - i);
		else
			changed |= other_number(g, w, s + i, end - i, out);
	}
	return changed;
}

/* --- punctuation --- */

static const struct { const char *wide, *narrow; } signs[] = {
	{ "，", "," }, { "。", "." }, { "？", "?" }, { "！", "!" }, { "：", ":" }, { "；", ";" }, { "（", "(" }, { "）", ")" },
};
enum { SIGNS = sizeof signs / sizeof *signs };

/* Place of a Chinese sign at S, or SIGNS. */
static size_t wide_at(const char *s, size_t left)
{
	size_t i = 0;

	while (i < SIGNS && (left < 3 || memcmp(s, signs[i].wide, 3) != 0))
		i++;
	return i;
}

static bool narrow_signs(const char *s, size_t n, struct buf *out)
{
	bool changed = false;

	for (size_t i = 0; i < n; ) {
		size_t k = wide_at(s + i, n - i);

		if (k == SIGNS) {
			buf_ch(out, s[i++]);
			continue;
		}
		buf_str(out, signs[k].narrow);
		i += 3;
		changed = true;
	}
	return changed;
}

/* Where the signs at the end of S begin. */
static size_t body(const char *s, size_t n)
{
	for (;;) {
		if (n && strchr(".?!,;:", s[n - 1]) && s[n - 1])
			n--;
		else if (n >= 3 && wide_at(s + n - 3, 3) < 6)
			n -= 3;
		else
			return n;
	}
}

/* One of: Chinese signs as ASCII; no signs at the end; the last one twice. */
bool augment_punctuation(const struct augment *g, enum augment_kind k, struct augwork *w, const char *s, size_t n, struct buf *out)
{
	size_t end = body(s, n), last;
	uint64_t how = rng_below(&w->rng, 3);

	(void)g;
	(void)k;
	if (how == 0)
		return narrow_signs(s, n, out);
	if (how == 1 || end == n) {
		buf_add(out, s, end ? end : n);
		return end && end < n;
	}
	last = (unsigned char)s[n - 1] < 0x80 ? 1 : 3;
	buf_add(out, s, n);
	buf_add(out, s + n - last, last);
	return true;
}

/* --- case and width --- */

static bool differs(const struct buf *out, size_t before, const char *s, size_t n)
{
	return out->n - before != n || (n && memcmp(out->p + before, s, n) != 0);
}

bool augment_case(const struct augment *g, enum augment_kind k, struct augwork *w, const char *s, size_t n, struct buf *out)
{
	size_t before = out->n;

	(void)k;
	switch (rng_below(&w->rng, 3)) {
	case 0:
		out->n += unicode_lower(g->u, s, n, buf_room(out, UNICODE_LOWER_ROOM(n)));
		break;
	case 1:
		unicode_case(g->u, UNICODE_UPPER, s, n, out);
		break;
	default:
		unicode_case(g->u, UNICODE_TITLE, s, n, out);
	}
	return differs(out, before, s, n);
}

/* Full-width forms to the usual ones where there are some, else ASCII letters and digits to full-width ones. */
bool augment_width(const struct augment *g, enum augment_kind k, struct augwork *w, const char *s, size_t n, struct buf *out)
{
	size_t before = out->n;

	(void)k;
	(void)w;
	out->n += unicode_fold_width(g->u, s, n, buf_room(out, UNICODE_ROOM(n)));
	if (differs(out, before, s, n))
		return true;
	out->n = before;
	for (size_t i = 0; i < n; i++) {
		if (letter((unsigned char)s[i]) || digit(s[i]))
			out->n += utf8_put(buf_room(out, 4), (uint32_t)s[i] + 0xFEE0);
		else
			buf_ch(out, s[i]);
	}
	return differs(out, before, s, n);
}
