/* SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

#include <string.h>

#include "porter.h"
#include "unicode.h"
#include "wordbreak.h"

/* Of the 8 bytes in X, the top bit of those from LO to HI (ASCII); the bytes lie as they do in memory, lowest first. */
static inline uint64_t within8(uint64_t x, unsigned lo, unsigned hi)
{
	const uint64_t ones = 0x0101010101010101u, top = ones << 7;
	uint64_t low = x & ~top, from = low + ones * (0x80 - lo), past = low + ones * (0x7f - hi);

	return from & ~past & ~x & top;
}

/* --- code points --- */

uint32_t text_next(struct text t, size_t *at)
{
	const unsigned char *s = (const unsigned char *)t.p + *at;
	size_t left = t.n - *at, len;
	uint32_t cp;

	if (s[0] < 0x80) {
		*at += 1;
		return s[0];
	}
	len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	cp = s[0] & (0x7fu >> len);
	if (s[0] < 0xc2 || s[0] > 0xf4 || left < len)
		goto bad;
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			goto bad;
		cp = cp << 6 | (s[i] & 0x3f);
	}
	*at += len;
	return cp;
bad:
	*at += 1;
	return 0xfffd;
}

bool text_is_space(uint32_t c)
{
	if (c < 0x80)
		return (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x20);
	return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
	       c == 0x202f || c == 0x205f || c == 0x3000;
}

struct text text_rstrip(struct text t)
{
	while (t.n) {
		size_t at = t.n - 1, end;

		while (at && ((unsigned char)t.p[at] & 0xc0) == 0x80)
			at--;
		end = at;
		if (!text_is_space(text_next(t, &end)))
			break;
		t.n = at;
	}
	return t;
}

struct text text_strip(struct text t)
{
	size_t at = 0, next = 0;

	t = text_rstrip(t);
	while (at < t.n && text_is_space(text_next(t, &next)))
		at = next;
	return (struct text){ t.p + at, t.n - at };
}

bool text_equal(struct text a, struct text b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* One code point from outside ASCII in lower case, as str.lower() has it. */
static size_t lower_wide(char *to, const char *at, uint32_t c, struct text t)
{
	if (c == 0x130)                         /* I with a dot: i and a combining dot */
		return memcpy(to, "i\xcc\x87", 3), 3;
	if (c == 0x3a3)
		return utf8_put(to, unicode_final_sigma(t.p, at, t.p + t.n) ? 0x3c2 : 0x3c3);
	return utf8_put(to, unicode_lower_of(c));
}

void text_lower(struct buf *to, struct text t)
{
	char *out;

	to->n = 0;
	out = buf_room(to, UNICODE_LOWER_ROOM(t.n));
	for (size_t at = 0; at < t.n;) {
		size_t ascii = utf8_ascii(t.p + at, t.n - at);
		const char *p = t.p + at;

		for (size_t i = 0; i < ascii; i++)              /* a loop for vector units */
			out[i] = (char)(p[i] | (p[i] >= 'A' && p[i] <= 'Z' ? 0x20 : 0));
		out += ascii;
		at += ascii;
		if (at < t.n) {
			p += ascii;
			out += lower_wide(out, p, text_next(t, &at), t);
		}
	}
	to->n = (size_t)(out - to->p);
	*out = '\0';
}

static void begin(struct words *w, struct text t)
{
	w->n = 0;
	w->end = t.p + t.n;
}

static void put(struct words *w, const char *p, size_t n)
{
	ARRAY_ROOM(w->w, w->n, w->cap);
	w->w[w->n++] = (struct text){ p, n };
}

void words_free(struct words *w)
{
	mem_free(w->w);
	buf_free(&w->low);
	buf_free(&w->clean);
	wordbreak_close(w->breaks);
	memset(w, 0, sizeof *w);
}

void words_split(struct words *w, struct text t)
{
	size_t at = 0, start = 0, next;

	begin(w, t);
	while (at < t.n) {
		next = at;
		if (text_is_space(text_next(t, &next))) {
			if (at > start)
				put(w, t.p + start, at - start);
			start = next;
		}
		at = next;
	}
	if (at > start)
		put(w, t.p + start, at - start);
}

/* --- the passes of 13a, zh and intl, at once ---
 *
 * 13a and zh run (1) PUNCT -> " PUNCT ", (2) ([^0-9])([.,]) -> "\1 \2 ", (3) ([.,])([^0-9]) -> " \1 \2",
 * (4) ([0-9])(-) -> "\1 \2 ".  The matches of one pass do not overlap, so in (2) a [.,] that was the second half of a
 * match cannot be the first half of the next.  Hence m2(i), "pass 2 cuts around the [.,] at i", holds iff there is a
 * character before it, no digit, and that one is not a [.,] with m2 itself.  In (3), a [.,] without m2 is never taken as
 * the second half of a match (the character before it is a digit, or a [.,] with m2, which has a blank after it), so it
 * is cut iff m2(i), or a character follows that is no digit.  (4) cuts around '-' iff a digit stands before it.
 * What is cut is a word of its own.  intl is the same with \p{P} for [.,] and \p{N} for digits, and \p{S} for PUNCT. */

enum class { OTHER, SPACE, ALONE, POINT, DASH, DIGIT, WIDE };    /* WIDE: no ASCII, ask class_wide() */

static const uint8_t class_13a[256] = {
	[9 ... 13] = SPACE, [28 ... 32] = SPACE, [33 ... 38] = ALONE, [40 ... 43] = ALONE, [','] = POINT, ['-'] = DASH, ['.'] = POINT,
	['/'] = ALONE, ['0' ... '9'] = DIGIT, [58 ... 64] = ALONE, [91 ... 96] = ALONE, [123 ... 126] = ALONE, [128 ... 255] = WIDE,
};
/* \p{P} is POINT here, \p{S} ($ + < = > ^ ` | ~) is ALONE. */
static const uint8_t class_intl[256] = {
	[9 ... 13] = SPACE, [28 ... 32] = SPACE, [33 ... 35] = POINT, ['$'] = ALONE, [37 ... 42] = POINT, ['+'] = ALONE,
	[44 ... 47] = POINT, ['0' ... '9'] = DIGIT, [58 ... 59] = POINT, [60 ... 62] = ALONE, [63 ... 64] = POINT,
	[91 ... 93] = POINT, ['^'] = ALONE, ['_'] = POINT, ['`'] = ALONE, ['{'] = POINT, ['|'] = ALONE, ['}'] = POINT, ['~'] = ALONE,
	[128 ... 255] = WIDE,
};

/* Exactly what sacreBLEU's tokenizer zh takes for Chinese; 2001-2A6D comes from two mistyped ranges there (its issue 298). */
static const uint16_t zh_range[][2] = {
	{ 0x2001, 0x2a6d }, { 0x2e80, 0x2fdf }, { 0x2ff0, 0x303f }, { 0x3100, 0x312f }, { 0x31a0, 0x31ef },
	{ 0x3200, 0x4db5 }, { 0x4e00, 0x9fbb }, { 0xf900, 0xfa2d }, { 0xfa30, 0xfa6a }, { 0xfa70, 0xfad9 },
	{ 0xfe10, 0xfe1f }, { 0xfe30, 0xfe4f }, { 0xff00, 0xffef }, { 0xffff, 0 },
};
/* What Tercom's tokenizer takes apart with "Asian support", and what it calls punctuation there. */
static const uint16_t ter_range[][2] = {
	{ 0x2e80, 0x2eff }, { 0x3001, 0x3002 }, { 0x3008, 0x3011 }, { 0x3014, 0x301f }, { 0x30fb, 0x30fb }, { 0x31c0, 0x31ef },
	{ 0x3200, 0x4dbf }, { 0x4e00, 0x9fff }, { 0xf900, 0xfaff }, { 0xfe30, 0xfe4f }, { 0xff01, 0xff02 }, { 0xff08, 0xff09 },
	{ 0xff0c, 0xff0c }, { 0xff0e, 0xff0e }, { 0xff1a, 0xff1b }, { 0xff1f, 0xff1f }, { 0xff61, 0xff65 }, { 0xffff, 0 },
};
static const uint16_t ter_marks[][2] = {
	{ 0x3001, 0x3002 }, { 0x3008, 0x3011 }, { 0x3014, 0x301f }, { 0x30fb, 0x30fb }, { 0xff01, 0xff02 }, { 0xff08, 0xff09 },
	{ 0xff0c, 0xff0c }, { 0xff0e, 0xff0e }, { 0xff1a, 0xff1b }, { 0xff1f, 0xff1f }, { 0xff61, 0xff65 }, { 0xffff, 0 },
};

static bool in_ranges(const uint16_t (*range)[2], uint32_t c)
{
	for (; c < 0xffff && c >= (*range)[0]; range++)
		if (c <= (*range)[1])
			return true;
	return false;
}

enum { CUT_TER = BLEU_NONE + 1, CUT_TER_ASIAN };     /* more ways to cut: 13a with the possessive 's apart */

static enum class class_wide(int tok, uint32_t c)
{
	if (text_is_space(c))                   /* zh sets some of them apart, and then split() drops them */
		return SPACE;
	if ((tok == BLEU_ZH && in_ranges(zh_range, c)) || (tok == CUT_TER_ASIAN && in_ranges(ter_range, c)))
		return ALONE;
	if (tok == BLEU_INTL)
		switch (unicode_category(c)[0]) {
		case 'P': return POINT;
		case 'N': return DIGIT;
		case 'S': return ALONE;
		}
	return OTHER;
}

/* The class of the character at AT, and where the next one is. */
static inline enum class class_at(int tok, const uint8_t *ascii, struct text t, size_t at, size_t *next)
{
	enum class c = (enum class)ascii[(unsigned char)t.p[at]];

	*next = at + 1;
	if (c != WIDE)
		return c;
	*next = at;
	return class_wide(tok, text_next(t, next));
}

/* Tercom's "'s " -> " 's ", run after PUNCT has got its blanks: is the ' before AT one of these? */
static bool possessive(struct text t, size_t at)
{
	if (t.p[at - 1] != '\'' || at >= t.n || t.p[at] != 's')
		return false;
	return at + 1 == t.n || t.p[at + 1] == ' ' || class_13a[(unsigned char)t.p[at + 1]] == ALONE;
}

/* Where the run of ASCII letters ends that AT is in; letters are OTHER to every tokenizer. */
static inline size_t skip_letters(struct text t, size_t at)
{
	for (uint64_t x; at + 8 <= t.n; at += 8) {
		memcpy(&x, t.p + at, 8);
		x = within8(x | 0x2020202020202020u, 'a', 'z') ^ 0x8080808080808080u;
		if (x)
			return at + (size_t)(__builtin_ctzll(x) >> 3);
	}
	while (at < t.n && (t.p[at] | 0x20) >= 'a' && (t.p[at] | 0x20) <= 'z')
		at++;
	return at;
}

static void cut(struct words *w, int tok, struct text t, bool padded)
{
	const uint8_t *ascii = tok == BLEU_INTL ? class_intl : class_13a;
	enum class prev = SPACE, c, after;
	bool before = padded, prev_m2 = false, m2;   /* before: there is a character before this one */
	size_t at = 0, start = 0, next, peek;

	begin(w, t);
	for (; at < t.n; at = next, prev = c, before = true) {
		bool alone;

		c = class_at(tok, ascii, t, at, &next);
		if (c == OTHER && tok >= CUT_TER && possessive(t, next)) {
			if (at > start)
				put(w, t.p + start, at - start);
			start = at;
		}
		if (c == OTHER && tok < CUT_TER)
			next = skip_letters(t, next);
		if (c == OTHER || c == DIGIT)
			continue;
		m2 = c == POINT && before && prev != DIGIT && !(prev == POINT && prev_m2);
		alone = c == ALONE || m2 || (c == DASH && prev == DIGIT);
		if (c == POINT && !m2) {
			after = next < t.n ? class_at(tok, ascii, t, next, &peek) : padded ? SPACE : DIGIT;
			alone = after != DIGIT;
		}
		prev_m2 = m2;
		if (!alone && c != SPACE)
			continue;
		if (at > start)
			put(w, t.p + start, at - start);
		if (alone)
			put(w, t.p + at, next - at);
		start = next;
	}
	if (at > start)
		put(w, t.p + start, at - start);
}

/* FROM -> TO everywhere in B. */
static void replace_all(struct buf *b, const char *from, const char *to)
{
	size_t nf = strlen(from), nt = strlen(to), out = 0;

	for (size_t i = 0; i < b->n;) {
		if (b->n - i >= nf && memcmp(b->p + i, from, nf) == 0) {
			memcpy(b->p + out, to, nt);         /* never longer than FROM */
			out += nt;
			i += nf;
		} else {
			b->p[out++] = b->p[i++];
		}
	}
	b->n = out;
	b->p[out] = '\0';
}

/* What 13a and Tercom do before their passes, one replacement after the other. */
static struct text unescape(struct words *w, struct text t, bool ter)
{
	static const char *const pair[][2] = {
		{ "<skipped>", "" }, { "-\n", "" }, { "\n-", "" }, { "\n", " " },
		{ "&quot;", "\"" }, { "&amp;", "&" }, { "&lt;", "<" }, { "&gt;", ">" },
	};

	if (t.n == 0 || (!memchr(t.p, '&', t.n) && !memchr(t.p, '\n', t.n) && !memmem(t.p, t.n, "<skipped>", 9)))
		return t;
	w->clean.n = 0;
	buf_add(&w->clean, t.p, t.n);
	for (size_t i = 0; i < sizeof pair / sizeof *pair; i++)
		if (i > 2 || (i == 2) == ter)
			replace_all(&w->clean, pair[i][0], pair[i][1]);
	return (struct text){ w->clean.p, w->clean.n };
}

static void each_char(struct words *w, struct text t)
{
	begin(w, t);
	for (size_t at = 0, next = 0; at < t.n; at = next)
		if (!text_is_space(text_next(t, &next)))
			put(w, t.p + at, next - at);
}

void words_bleu(struct words *w, enum bleu_tokenizer tok, bool lowercase, struct text t)
{
	if (lowercase) {
		text_lower(&w->low, t);
		t = (struct text){ w->low.p, w->low.n };
	}
	t = text_rstrip(t);
	switch (tok) {
	case BLEU_13A:  cut(w, tok, unescape(w, t, false), true); break;
	case BLEU_ZH:   cut(w, tok, text_strip(t), false); break;
	case BLEU_INTL: cut(w, tok, t, false); break;
	case BLEU_CHAR: each_char(w, t); break;
	case BLEU_NONE: words_split(w, t); break;
	}
}

/* --- TER --- */

/* The words without punctuation, copied to w->clean; words that were nothing else go. */
static void drop_marks(struct words *w, bool asian)
{
	struct buf out = { 0 };
	size_t kept = 0, total = 0;

	for (size_t i = 0; i < w->n; i++)
		total += w->w[i].n;
	buf_room(&out, total);                  /* so that it never moves */
	for (size_t i = 0; i < w->n; i++) {
		struct text t = w->w[i];
		size_t from = out.n, next;

		for (size_t at = 0; at < t.n; at = next) {
			uint32_t c;

			next = at;
			c = text_next(t, &next);
			if (!(c < 0x80 ? c && strchr(".,?:;!\"()", (int)c) : asian && in_ranges(ter_marks, c)))
				buf_add(&out, t.p + at, next - at);
		}
		if (out.n > from)
			w->w[kept++] = (struct text){ out.p + from, out.n - from };
	}
	w->n = kept;
	w->end = out.p + out.n;
	buf_free(&w->clean);
	w->clean = out;
}

void words_ter(struct words *w, const struct ter_words *o, struct text t)
{
	t = text_rstrip(t);
	if (!o->case_sensitive) {
		text_lower(&w->low, t);
		t = (struct text){ w->low.p, w->low.n };
	}
	if (o->normalized)
		cut(w, o->asian_support ? CUT_TER_ASIAN : CUT_TER, unescape(w, t, true), true);
	else
		words_split(w, t);
	if (o->no_punct)
		drop_marks(w, o->asian_support);
}

/* --- ROUGE --- */

static bool alnum(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Bit i: is byte i of the 64 at P of these? */
static inline uint64_t alnum64(const char *p)
{
	uint64_t mask = 0, x;

	for (int i = 0; i < 8; i++) {
		memcpy(&x, p + 8 * i, 8);
		x = within8(x, 'a', 'z') | within8(x, '0', '9');
		mask |= ((x >> 7) * 0x0102040810204080u >> 56) << 8 * i;       /* the lowest bits of 8 bytes, side by side */
	}
	return mask;
}

static inline void put_run(struct words *w, char *p, size_t n, bool stem)
{
	if (stem && n > 3)
		n = porter_stem(p, n);          /* our own buffer; a stem is never longer */
	if (n)
		put(w, p, n);
}

/* The runs of a-z and 0-9 in T, 64 bytes at a time: a run begins and ends where a bit is not like the one before it. */
static void alnum_runs(struct words *w, struct text t, bool stem)
{
	uint64_t inside = 0;
	size_t start = 0;
	char last[64];

	begin(w, t);
	for (size_t at = 0; at < t.n; at += 64) {
		const char *p = t.p + at;
		uint64_t mask, edges;

		if (t.n - at < 64) {
			memset(last, 0, sizeof last);
			p = memcpy(last, p, t.n - at);
		}
		mask = alnum64(p);
		for (edges = mask ^ (mask << 1 | inside); edges; edges &= edges - 1) {
			size_t edge = at + (size_t)__builtin_ctzll(edges);

			if (inside)
				put_run(w, (char *)t.p + start, edge - start, stem);
			else
				start = edge;
			inside ^= 1;
		}
	}
	if (inside)
		put_run(w, (char *)t.p + start, t.n - start, stem);
}

static bool ideograph(uint32_t c)
{
	return (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x4e00 && c <= 0x9fff) || (c >= 0xf900 && c <= 0xfaff) ||
	       (c >= 0x20000 && c <= 0x323af);
}

/* The same runs, and every ideograph by itself. */
static void cjk_mixed(struct words *w, struct text t)
{
	size_t at = 0, next;

	begin(w, t);
	while (at < t.n) {
		next = at;
		if (alnum((unsigned char)t.p[at])) {
			while (next < t.n && alnum((unsigned char)t.p[next]))
				next++;
			put(w, t.p + at, next - at);
		} else if (ideograph(text_next(t, &next))) {
			put(w, t.p + at, next - at);
		}
		at = next;
	}
}

int words_rouge(struct words *w, enum rouge_tokenizer tok, bool stem, struct text t, struct err *e)
{
	text_lower(&w->low, t);
	t = (struct text){ w->low.p, w->low.n };
	if (tok == ROUGE_ICU)
		return words_icu(w, t, e);
	if (tok == ROUGE_CHAR)
		each_char(w, t);
	else if (tok == ROUGE_CJK)
		cjk_mixed(w, t);
	else
		alnum_runs(w, t, stem);
	return 0;
}

int words_icu(struct words *w, struct text t, struct err *e)
{
	const struct wordspan *v;
	size_t n;
	int rc;

	begin(w, t);
	if (w->breaks == NULL && (rc = wordbreak_open(&w->breaks, e)) != 0)
		return rc;
	if ((rc = wordbreak_words(w->breaks, t.p, t.n, &v, &n, e)) != 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		put(w, t.p + v[i].at, v[i].n);
	return 0;
}
