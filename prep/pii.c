/* SPDX-License-Identifier: Apache-2.0 */
#include "pii.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "piicheck.h"
#include "utf8.h"

const char *const pii_names[PII_KINDS] = { "card", "id", "phone", "email", "iban" };
static const char *const masks[PII_KINDS] = { "[CARD]", "[ID]", "[PHONE]", "[EMAIL]", "[IBAN]" };

/* A text being searched. */
struct search {
	const char *text;
	size_t n;
	size_t edge;                   /* a word may begin here whatever is before it: behind an escape such as \n */
};

struct found {
	size_t from, to;
	enum pii_kind kind;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Bytes of the digit at I, ASCII or full-width (U+FF10 ...); 0: there is none. */
static size_t digit_at(const struct search *s, size_t i)
{
	const char *p = s->text + i;

	if (i >= s->n)
		return 0;
	if (is_digit(*p))
		return 1;
	return s->n - i >= 3 && p[0] == '\xEF' && p[1] == '\xBC' && (unsigned char)p[2] >= 0x90 && (unsigned char)p[2] <= 0x99 ? 3 : 0;
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Neither in a word nor behind a decimal point. */
static bool may_begin(const struct search *s, size_t i)
{
	const char *p = s->text + i;

	if (i == 0 || i == s->edge)
		return true;
	if (is_letter(p[-1]) || is_digit(p[-1]) || p[-1] == '_' || (i >= 3 && digit_at(s, i - 3) == 3))
		return false;
	return !(p[-1] == '.' && i >= 2 && (is_digit(p[-2]) || (i >= 4 && digit_at(s, i - 4) == 3)));
}

static bool may_end(const struct search *s, size_t i)
{
	const char *p = s->text + i;

	if (i >= s->n)
		return true;
	return !(is_letter(*p) || *p == '_' || digit_at(s, i) || (*p == '.' && digit_at(s, i + 1)));
}

/* --- addresses --- */

static bool local_part(char c)
{
	return is_letter(c) || is_digit(c) || (c && strchr("._%+-'", c));
}

/* Where the domain at I ends; I: it is none. */
static size_t domain_end(const struct search *s, size_t i)
{
	size_t end = i, label = i;

	for (size_t k = i; ; k++) {
		char c = k < s->n ? s->text[k] : '\0';

		if (is_letter(c) || is_digit(c) || (c == '-' && k > label))
			continue;
		if (k - label >= 2 && label > i && is_letter(s->text[label]) && s->text[k - 1] != '-')
			end = k;
		if (c != '.' || k == label)
			return end;
		label = k + 1;
	}
}

/* The first address whose @ is at FROM or later and that begins there or later. */
static bool next_email(const struct search *s, size_t from, struct found *f)
{
	const char *at = s->text + from;

	for (size_t i = from; i < s->n && (at = memchr(s->text + i, '@', s->n - i)) != NULL; i = (size_t)(at - s->text) + 1) {
		size_t begin = (size_t)(at - s->text), end = domain_end(s, begin + 1);

		if (end == begin + 1)
			continue;
		while (begin > i && local_part(s->text[begin - 1]))
			begin--;
		while (begin < (size_t)(at - s->text) && strchr(".'-", s->text[begin]))
			begin++;
		if (begin == (size_t)(at - s->text))
			continue;
		*f = (struct found){ begin, end, PII_EMAIL };
		return true;
	}
	return false;
}

/* --- numbers --- */

/* What may stand between two groups of digits at I: ) then a blank, dash or dot then (.  Bytes; 0: nothing. */
static size_t separator(const struct search *s, size_t i, struct digits *g, char *sep)
{
	size_t at = i;

	*sep = ' ';
	if (at < s->n && s->text[at] == ')')
		at++;
	if (at < s->n && s->text[at] && strchr(" -.", s->text[at])) {
		*sep = s->text[at++];
	} else if (s->n - at >= 2 && memcmp(s->text + at, "\xC2\xA0", 2) == 0) {
		at += 2;
	}
	if (at < s->n && s->text[at] == '(')
		at++;
	if (!digit_at(s, at))
		return 0;
	if (memchr(s->text + i, '(', at - i) || memchr(s->text + i, ')', at - i))
		g->paren |= 1u << g->groups;
	return at - i;
}

/* The groups of digits from I on, as many as there is room for; END[k]: behind group k. */
static void read_digits(const struct search *s, size_t i, struct digits *g, size_t end[PII_GROUPS])
{
	memset(g, 0, sizeof *g);
	while (g->groups < PII_GROUPS) {
		unsigned before = g->n;

		for (size_t len; (len = digit_at(s, i)) != 0; i += len) {
			if (g->n == PII_DIGITS) {
				g->n = before;
				g->d[before] = '\0';
				g->paren &= (1u << g->groups) - 1;
				return;
			}
			g->d[g->n++] = len == 1 ? s->text[i] : (char)('0' + (s->text[i + 2] & 15));
		}
		g->len[g->groups] = g->n - before;
		end[g->groups++] = i;
		if (g->groups < PII_GROUPS)
			i += separator(s, i, g, &g->sep[g->groups]);
		if (!digit_at(s, i))
			return;
	}
}

static void drop_group(struct digits *g)
{
	g->groups--;
	g->n -= g->len[g->groups];
	g->d[g->n] = '\0';
	g->paren &= (1u << g->groups) - 1;
}

static bool classify(const struct digits *g, char before, char dash, enum pii_kind *kind)
{
	if (before == '+' || before == '(') {
		*kind = PII_PHONE;
		return before == '+' ? pii_e164(g) : pii_area_code(g);
	}
	if (pii_resident(g, '\0'))
		*kind = PII_ID;
	else if (pii_card(g))
		*kind = PII_CARD;
	else if (pii_phone(g, dash == '-'))
		*kind = PII_PHONE;
	else
		return false;
	return true;
}

/* A number that begins at I, with a digit, + or (: the longest that is one. */
static bool number_at(const struct search *s, size_t i, struct found *f)
{
	char before = digit_at(s, i) ? '\0' : s->text[i];
	size_t end[PII_GROUPS];
	struct digits g;

	read_digits(s, i + (before != '\0'), &g, end);
	for (; g.groups; drop_group(&g)) {
		size_t to = end[g.groups - 1];
		bool x = to < s->n && (s->text[to] == 'X' || s->text[to] == 'x');

		if (!before && x && may_end(s, to + 1) && pii_resident(&g, 'X')) {
			*f = (struct found){ i, to + 1, PII_ID };
			return true;
		}
		if (may_end(s, to) && classify(&g, before, i ? s->text[i - 1] : '\0', &f->kind)) {
			f->from = i;
			f->to = to;
			return true;
		}
	}
	return false;
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

/* An IBAN that begins at I, with blanks or dashes between its groups or without. */
static bool iban_at(const struct search *s, size_t i, struct found *f)
{
	char c[40];
	unsigned n = 0, want;

	if (s->n - i < 15 || !is_letter(s->text[i + 1]) || !is_digit(s->text[i + 2]))
		return false;
	c[0] = upper(s->text[i]);
	c[1] = upper(s->text[i + 1]);
	want = pii_iban_length(c);
	f->from = i;
	for (; n < want && i < s->n; i++) {
		if (is_letter(s->text[i]) || is_digit(s->text[i]))
			c[n++] = upper(s->text[i]);
		else if ((s->text[i] != ' ' && s->text[i] != '-') || n % 4 || n < 4)
			return false;
	}
	f->to = i;
	f->kind = PII_IBAN;
	return want && n == want && may_end(s, i) && is_digit(c[3]) && pii_iban(c, n);
}

/* Bytes of an escape of JSON or C at I, which is a backslash: what follows it begins a word. */
static size_t escape(const struct search *s, size_t i)
{
	const char *p = s->text + i;

	if (s->n - i >= 6 && p[1] == 'u' && is_hex(p[2]) && is_hex(p[3]) && is_hex(p[4]) && is_hex(p[5]))
		return 6;
	return s->n - i >= 2 && p[1] && strchr("nrtbf", p[1]) ? 2 : 1;
}

/* The first number that begins in [FROM, TO). */
static bool next_number(struct search *s, size_t from, size_t to, struct found *f)
{
	for (size_t i = from, n; i < to; ) {
		char c = s->text[i];

		if (is_letter(c)) {
			if (may_begin(s, i) && iban_at(s, i, f) && f->to <= to)
				return true;
			while (i < to && (is_letter(s->text[i]) || is_digit(s->text[i])))
				i++;
		} else if ((n = digit_at(s, i)) != 0 || c == '+' || c == '(') {
			if (may_begin(s, i) && (n || digit_at(s, i + 1)) && number_at(s, i, f) && f->to <= to)
				return true;
			for (i += n ? n : 1; n && i < to && (n = digit_at(s, i)) != 0; )
				i += n;
		} else if (c == '\\') {
			i += escape(s, i);
			s->edge = i;
		} else {
			i++;
		}
	}
	return false;
}

/* --- texts --- */

/* Six digits and no @ are nothing that we look for. */
static bool hopeless(const char *text, size_t n)
{
	size_t digits = 0;

	for (size_t i = 0; i < n; i++)
		digits += (unsigned char)(text[i] - '0') < 10 || text[i] == '\xEF';
	return digits < 7 && memchr(text, '@', n) == NULL;
}

static void put(struct buf *out, const struct search *s, size_t *done, const struct found *f, uint64_t *count)
{
	buf_add(out, s->text + *done, f->from - *done);
	buf_str(out, masks[f->kind]);
	*done = f->to;
	count[f->kind]++;
}

void pii_release(struct pii *w)
{
	buf_free(&w->plain);
	buf_free(&w->masked);
}

bool pii_mask(struct pii *w, const char *text, size_t n, struct buf *out)
{
	struct search s = { text, n, 0 };
	struct found email, number;
	size_t done = 0, from = 0;
	bool any = false, more = true;

	if (n == 0 || hopeless(text, n))
		return false;
	while (more) {
		more = next_email(&s, from, &email);
		while (next_number(&s, from, more ? email.from : n, &number)) {
			put(out, &s, &done, &number, w->count);
			from = number.to;
			any = true;
		}
		if (more) {
			put(out, &s, &done, &email, w->count);
			from = email.to;
			any = true;
		}
	}
	if (any)
		buf_add(out, text + done, n - done);
	return any;
}

/* --- JSON --- */

/* The string whose escapes S..END holds (valid), without them. */
static void unescape(const char *s, const char *end, struct buf *out)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";

	out->n = 0;
	while (s < end) {
		const char *stop = memchr(s, '\\', (size_t)(end - s)), *k;
		char hex[5] = "";
		unsigned long c, low = 0;

		buf_add(out, s, (size_t)((stop ? stop : end) - s));
		if (stop == NULL)
			return;
		s = stop + 2;
		if (stop[1] != 'u') {
			buf_ch(out, (k = strchr(from, stop[1])) != NULL ? to[k - from] : stop[1]);
			continue;
		}
		memcpy(hex, s, 4);
		c = strtoul(hex, NULL, 16);
		s += 4;
		if (c >= 0xD800 && c < 0xDC00 && end - s >= 6) {
			memcpy(hex, s + 2, 4);
			low = strtoul(hex, NULL, 16);
			c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
			s += 6;
		}
		out->n += utf8_put(buf_room(out, 4), (uint32_t)c);
	}
}

/* The end of the JSON string at S, which is behind its opening quote: its closing quote. */
static const char *string_end(const char *s, const char *end)
{
	while (s < end && *s != '"')
		s += *s == '\\' ? 2 : 1;
	return s < end ? s : end;
}

static bool is_key(const char *behind, const char *end)
{
	while (behind < end && strchr(" \t\r\n", *behind))
		behind++;
	return behind < end && *behind == ':';
}

static void put_string(struct buf *out, const char *s, size_t n)
{
	struct jw w;

	jw_init(&w, out);
	jw_strn(&w, s, n);
}

static bool number_char(char c)
{
	return is_digit(c) || (c && strchr("-+.eE", c));
}

bool pii_mask_json(struct pii *w, const char *json, size_t n, struct buf *out)
{
	const char *end = json + n, *done = json, *s = json, *stop;
	bool any = false;

	if (n == 0 || hopeless(json, n))
		return false;
	while (s < end) {
		const char *token = s;
		bool hit;

		w->masked.n = 0;
		if (*s == '"') {
			stop = string_end(s + 1, end);
			s = stop < end ? stop + 1 : end;
			if (is_key(s, end))
				continue;
			unescape(token + 1, stop, &w->plain);
			hit = pii_mask(w, w->plain.p ? w->plain.p : "", w->plain.n, &w->masked);
		} else if (number_char(*s)) {
			while (s < end && number_char(*s))
				s++;
			hit = pii_mask(w, token, (size_t)(s - token), &w->masked);
		} else {
			s++;
			continue;
		}
		if (!hit)
			continue;
		buf_add(out, done, (size_t)(token - done));
		put_string(out, w->masked.p, w->masked.n);
		done = s;
		any = true;
	}
	if (any)
		buf_add(out, done, (size_t)(end - done));
	return any;
}
