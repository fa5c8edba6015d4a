/* SPDX-License-Identifier: Apache-2.0 */
#include "encoding.h"
#include "utf8.h"

#include <string.h>

#include <unicode/ucnv.h>
#include <unicode/ucsdet.h>

/* --- UTF-8 --- */

size_t utf8_length(const char *text, size_t n)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

	if (len == 0 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

size_t utf8_prefix(const char *text, size_t n)
{
	size_t i = 0, len;

	while (i < n && (len = utf8_length(text + i, n - i)) > 0)
		i += len;
	return i;
}

/* Is a sequence that began at TEXT cut off by the end of the N bytes? */
static bool utf8_cut(const char *text, size_t n)
{
	static const char tail[3] = { '\x80', '\x80', '\x80' };
	char seq[4];

	if (n == 0 || n > 3)
		return false;
	for (size_t more = 1; n + more <= 4; more++) {
		memcpy(seq, text, n);
		memcpy(seq + n, tail, more);
		if (utf8_length(seq, n + more) == n + more)
			return true;
	}
	/* the second byte decides for E0, ED, F0, F4; 80 above may be the wrong one */
	return n == 1 && strchr("\xe0\xed\xf0\xf4", text[0]) != NULL && text[0];
}

/* --- detection --- */

static const char *by_bom(const unsigned char *s, size_t n)
{
	if (n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
		return "UTF-8";
	if (n >= 4 && memcmp(s, "\xff\xfe\0\0", 4) == 0)
		return "UTF-32LE";
	if (n >= 4 && memcmp(s, "\0\0\xfe\xff", 4) == 0)
		return "UTF-32BE";
	if (n >= 2 && memcmp(s, "\xff\xfe", 2) == 0)
		return "UTF-16LE";
	if (n >= 2 && memcmp(s, "\xfe\xff", 2) == 0)
		return "UTF-16BE";
	if (n >= 4 && memcmp(s, "\x84\x31\x95\x33", 4) == 0)
		return "GB18030";
	return NULL;
}

/* Are the 16-bit units of TEXT, high byte at HIGH (0 or 1), well-formed UTF-16? */
static bool utf16_valid(const unsigned char *s, size_t n, int high)
{
	bool lead = false;

	for (size_t i = 0; i + 1 < n; i += 2) {
		unsigned kind = s[i + (size_t)high] & 0xfc;

		if (lead != (kind == 0xdc))
			return false;
		lead = kind == 0xd8;
	}
	return true;
}

/* UTF-16 by its zero bytes: most on the high side (U+4E00, U+3000 and their like have one on the low side).
 * SURE: so many that nothing else explains them. */
static const char *by_zeros(const unsigned char *s, size_t n, bool sure)
{
	size_t zeros[2] = { 0, 0 }, all;
	int high;

	for (size_t i = 0; i + 1 < n; i += 2) {
		zeros[0] += s[i] == 0;
		zeros[1] += s[i + 1] == 0;
	}
	high = zeros[1] > zeros[0];
	all = zeros[0] + zeros[1];
	if (all < 2 || zeros[!high] * 4 > all || !utf16_valid(s, n, high))
		return NULL;
	if (sure && all * 10 < n)                            /* a fifth of the units */
		return NULL;
	return high ? "UTF-16LE" : "UTF-16BE";
}

/* At least 90% of the sequences outside ASCII are valid UTF-8. */
static bool looks_utf8(const char *s, size_t n, bool all)
{
	size_t good = 0, bad = 0, len;

	for (size_t i = 0; i < n; i += len) {
		if ((len = utf8_length(s + i, n - i)) == 0) {
			if (!all && utf8_cut(s + i, n - i))
				break;
			bad++;
			for (len = 1; i + len < n && (s[i + len] & 0x80) && utf8_length(s + i + len, n - i - len) == 0; )
				len++;                       /* a broken run counts once */
		} else {
			good += len > 1;
		}
	}
	return good >= 9 * bad;
}

/* Bytes over 7F of a double-byte text stand side by side; accented letters in Latin text stand alone. */
static bool looks_double_byte(const unsigned char *s, size_t n)
{
	size_t high = 0, paired = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] < 0x80)
			continue;
		high++;
		paired += (i > 0 && s[i - 1] >= 0x80) || (i + 1 < n && s[i + 1] >= 0x80);
	}
	return paired * 2 >= high;
}

struct tally {
	size_t good, bad, usual;
};

/* Characters frequent in running Chinese, Japanese or Korean: what is read in the wrong encoding has few of them. */
static bool usual(UChar32 c)
{
	static const UChar chinese[] = u"的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运這個們來為國說時會對於後過發開從實軍無與長機經現當沒動業將兩間問並應戰頭體見產話內員論處義條氣題爾變總電數報結務場計資許統區隊決馬則聽達強難權設記類據邊張該規萬覺術領確傳師觀讓識帶導爭運";

	if ((c >= 0x3041 && c <= 0x30fe) || (c >= 0xac00 && c <= 0xd7a3) || c == 0x3001 || c == 0x3002 || c == 0xff0c || c == 0xff1f)
		return true;
	if (c < 0x4e00 || c > 0x9fff)
		return false;
	for (size_t i = 0; chinese[i]; i++)
		if (chinese[i] == (UChar)c)
			return true;
	return false;
}

static void tally_text(const char *name, const char *text, size_t n, bool all, struct tally *t)
{
	struct decoder *d;
	struct buf out = {0};
	size_t len;

	*t = (struct tally){ 0, 1, 0 };                      /* nothing good: not this one */
	if (decoder_open(&d, name, NULL) != 0)
		return;
	t->bad = 0;
	decoder_add(d, text, n < 1 << 16 ? n : 1 << 16, all && n <= 1 << 16, &out);
	for (size_t i = 0; i < out.n; i += len) {
		const unsigned char *s = (const unsigned char *)out.p + i;

		if ((len = utf8_length(out.p + i, out.n - i)) == 0) {
			t->bad++;
			len = 1;
		} else if (len > 1) {
			UChar32 c = len == 3 ? (s[0] & 15) << 12 | (s[1] & 63) << 6 | (s[2] & 63) : 0;

			if (c >= 0xe000 && c <= 0xf8ff)              /* private use: bytes that mean nothing here */
				t->bad++;
			else
				t->good++;
			t->usual += c && usual(c);
		}
	}
	decoder_close(d);
	buf_free(&out);
}

/* ICU's confidence, 0 to 100, that TEXT is in encoding NAME. */
static int icu_confidence(const char *name, const char *text, size_t n)
{
	UErrorCode u = U_ZERO_ERROR;
	UCharsetDetector *det = ucsdet_open(&u);
	int32_t count = 0;
	const UCharsetMatch **match;
	int best = 0;

	ucsdet_setText(det, text, (int32_t)(n < 1 << 16 ? n : 1 << 16), &u);
	match = ucsdet_detectAll(det, &count, &u);
	for (int32_t i = 0; U_SUCCESS(u) && i < count; i++) {
		const char *is = ucsdet_getName(match[i], &u);
		int32_t sure = ucsdet_getConfidence(match[i], &u);

		if (U_SUCCESS(u) && is && strcmp(is, name) == 0 && sure > best)
			best = sure;
	}
	ucsdet_close(det);
	return best;
}

static const char *by_statistics(const char *text, size_t n, bool all)
{
	static const char *const names[] = { "GB18030", "Big5", "Shift_JIS", "EUC-KR" };
	const char *best = NULL;
	double top = 0;

	if (!looks_double_byte((const unsigned char *)text, n))
		return NULL;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct tally t;
		double score;

		tally_text(names[i], text, n, all, &t);
		if (t.bad * 20 > t.good || (t.good < 3 && t.usual == 0))
			continue;
		score = icu_confidence(names[i], text, n) / 100.0 + 3.0 * (double)t.usual / (double)t.good - 5.0 * (double)t.bad / (double)t.good;
		if (best == NULL || score > top) {
			best = names[i];
			top = score;
		}
	}
	return best;
}

const char *encoding_detect(const char *text, size_t n, bool all)
{
	const unsigned char *s = (const unsigned char *)text;
	const char *name;

	if ((name = by_bom(s, n)) != NULL || (name = by_zeros(s, n, true)) != NULL)
		return name;
	if (looks_utf8(text, n, all))
		return "UTF-8";
	if ((name = by_zeros(s, n, false)) != NULL || (name = by_statistics(text, n, all)) != NULL)
		return name;
	return "windows-1252";
}

/* --- conversion --- */

struct decoder {
	UConverter *cnv;
	UChar wide[4096];
	UChar lead;                     /* a high surrogate at the end of the last piece */
};

enum { BAD_UNIT = 0xdfff };             /* a low surrogate alone: no converter gives it */

static void U_CALLCONV mark_bad(const void *context, UConverterToUnicodeArgs *args, const char *bytes, int32_t n,
                                UConverterCallbackReason reason, UErrorCode *u)
{
	static const UChar bad[] = { BAD_UNIT };

	(void)context;
	(void)bytes;
	(void)n;
	if (reason > UCNV_IRREGULAR)
		return;
	*u = U_ZERO_ERROR;
	ucnv_cbToUWriteUChars(args, bad, 1, 0, u);
}

int decoder_open(struct decoder **out, const char *name, struct err *e)
{
	UErrorCode u = U_ZERO_ERROR;
	struct decoder *d;
	UConverterType type;

	*out = NULL;
	d = mem_new(sizeof *d);
	d->cnv = ucnv_open(name, &u);
	if (U_FAILURE(u) || *name == '\0') {
		decoder_close(d);
		return err_set(e, SFT_USAGE, "unknown encoding '%s' (expected auto or a name as UTF-8, GB18030, Big5, Shift_JIS, windows-1252)", name);
	}
	type = ucnv_getType(d->cnv);
	if (type == UCNV_UTF8 || type == UCNV_US_ASCII) {
		decoder_close(d);
		return 0;
	}
	ucnv_setToUCallBack(d->cnv, mark_bad, NULL, NULL, NULL, &u);
	*out = d;
	return 0;
}

void decoder_close(struct decoder *d)
{
	if (d == NULL)
		return;
	if (d->cnv)
		ucnv_close(d->cnv);
	mem_free(d);
}

static void add_wide(struct decoder *d, const UChar *w, size_t n, struct buf *out)
{
	char *start = buf_room(out, 3 * n + 4), *to = start;

	for (size_t i = 0; i < n; i++) {
		UChar c = w[i];

		if (d->lead && (c & 0xfc00) == 0xdc00) {
			to += utf8_put(to, (uint32_t)(0x10000 + ((d->lead - 0xd800) << 10) + (c - 0xdc00)));
			d->lead = 0;
			continue;
		}
		if (d->lead) {
			*to++ = ENCODING_BAD;
			d->lead = 0;
		}
		if ((c & 0xfc00) == 0xd800)
			d->lead = c;
		else if ((c & 0xfc00) == 0xdc00)
			*to++ = ENCODING_BAD;
		else
			to += utf8_put(to, (uint32_t)c);
	}
	out->n += (size_t)(to - start);
	out->p[out->n] = '\0';
}

void decoder_add(struct decoder *d, const char *text, size_t n, bool last, struct buf *out)
{
	const char *from = text, *end = text + n;
	UErrorCode u;

	do {
		UChar *to = d->wide;

		u = U_ZERO_ERROR;
		ucnv_toUnicode(d->cnv, &to, d->wide + sizeof d->wide / sizeof *d->wide, &from, end, NULL, last, &u);
		add_wide(d, d->wide, (size_t)(to - d->wide), out);
		if (U_FAILURE(u) && u != U_BUFFER_OVERFLOW_ERROR) {      /* cut at the end of the text, or worse */
			buf_ch(out, ENCODING_BAD);
			if (from < end && last)
				from = end;
		}
	} while (u == U_BUFFER_OVERFLOW_ERROR);
	if (last && d->lead) {
		buf_ch(out, ENCODING_BAD);
		d->lead = 0;
	}
}
