/* SPDX-License-Identifier: Apache-2.0 */
/* The door to simdjson: its On-Demand front end walks the text and checks structure and UTF-8; the tree, numbers
 * as text, escapes, and what simdjson leaves open (lone surrogates, duplicate keys, number grammar) are ours. */
#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

extern "C" {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"   /* struct hash128 and its function share a name, as C allows */
#include "hash.h"
#pragma GCC diagnostic pop
#include "json.h"
#include "utf8.h"
}

namespace od = simdjson::ondemand;

enum { MAX_DEPTH = 512, FEW_KEYS = 16 };

struct json_parser {
	od::parser od;
	char *copy = nullptr;                 /* padded copy of the document, as simdjson needs it */
	size_t cap = 0;
	const char *text = nullptr;           /* the copy */
	struct json *items = nullptr;         /* stack of values whose container is still open */
	size_t nitems = 0, items_cap = 0;
	struct json_member *members = nullptr;
	size_t nmembers = 0, members_cap = 0;
	uint32_t *slots = nullptr;            /* hash table for the keys of one large object */
	size_t nslots = 0;
	/* of the document at hand */
	struct arena *arena = nullptr;
	const char *given = nullptr;          /* the caller's text */
	size_t n = 0;
	char *pool = nullptr;                 /* unescaped strings and numbers; never longer than the text + 2, and 8 more */
	struct err *e = nullptr;
	int rc = 0;
};

static bool fail(struct json_parser *p, size_t off, const char *what)
{
	if (p->rc == 0)
		p->rc = err_set(p->e, SFT_BADDATA, "byte %zu: %s", off, what);
	return false;
}

static bool fail_at(struct json_parser *p, const char *at, const char *what)
{
	return fail(p, at >= p->text && at <= p->text + p->n ? (size_t)(at - p->text) : 0, what);
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* --- where simdjson gives no place: found again by hand --- */

/* Length of the UTF-8 sequence at S of at most N bytes, 0 if it is none. */
static size_t utf8_len(const unsigned char *s, size_t n)
{
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

static void fail_strings(struct json_parser *p)
{
	const unsigned char *s = (const unsigned char *)p->text;
	size_t opened = 0;
	bool in = false;

	for (size_t i = 0, len; i < p->n; i += len) {
		if ((len = utf8_len(s + i, p->n - i)) == 0) {
			fail(p, i, "invalid UTF-8");
			return;
		}
		if (in && s[i] < 0x20) {
			fail(p, i, "control character in a string (expected an escape)");
			return;
		}
		if (in && s[i] == '\\' && i + 1 < p->n && s[i + 1] < 0x80)
			len = 2;
		else if (s[i] == '"') {
			in = !in;
			opened = i;
		}
	}
	if (in)
		fail(p, opened, "string is not closed");
}

static bool fail_simdjson(struct json_parser *p, simdjson::error_code code, const char *at)
{
	switch (code) {
	case simdjson::UTF8_ERROR:
	case simdjson::UNESCAPED_CHARS:
	case simdjson::UNCLOSED_STRING:
		fail_strings(p);
		return p->rc ? false : fail_at(p, at, simdjson::error_message(code));
	case simdjson::EMPTY:
		return fail(p, p->n, "empty (expected JSON)");
	case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
		return fail_at(p, at, "[ or { is not closed");
	case simdjson::MEMALLOC:
	case simdjson::CAPACITY:
		p->rc = err_set(p->e, SFT_SYSTEM, "a JSON text of %zu bytes is too long", p->n);
		return false;
	default:
		return fail_at(p, at, "not JSON (expected a value, a comma or a bracket)");
	}
}

/* --- scalars --- */

static int hex4(const char *s)
{
	int v = 0;

	for (int i = 0; i < 4; i++) {
		char c = s[i];
		int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

/* \uXXXX at S (behind the u), a surrogate pair as one; NULL on a fault.  The text is padded: reading on is safe. */
static const char *unescape_u(struct json_parser *p, const char *s, char **to)
{
	int c = hex4(s), low;
	const char *at = s - 2;

	if (c < 0) {
		fail_at(p, at, "\\u needs four hexadecimal digits");
		return nullptr;
	}
	s += 4;
	if (c >= 0xd800 && c < 0xe000) {
		if (c >= 0xdc00 || s[0] != '\\' || s[1] != 'u' || (low = hex4(s + 2)) < 0xdc00 || low > 0xdfff) {
			fail_at(p, at, "lone surrogate (expected a pair)");
			return nullptr;
		}
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		s += 6;
	}
	*to += utf8_put(*to, (uint32_t)c);
	return s;
}

/* Bytes from S on that stand for themselves, to *TO; the quote or backslash behind them, or END.  Eight at a time: the text is padded, and
 * what the pool gets too much the next write takes back. */
static inline const char *copy_plain(const char *s, const char *end, char **to)
{
	const uint64_t ones = 0x0101010101010101u;

	for (uint64_t w, q, b, found; s < end; s += 8, *to += 8) {
		memcpy(&w, s, 8);
		memcpy(*to, &w, 8);
		q = w ^ ones * '"';
		b = w ^ ones * '\\';
		found = ((q - ones) & ~q) | ((b - ones) & ~b);
		if ((found & ones << 7) == 0)
			continue;
		while (*s != '"' && *s != '\\') {
			s++;
			++*to;
		}
		break;
	}
	return s < end ? s : end;
}

/* The string that opens at S: into the pool; its end (behind the closing quote), or NULL. */
static const char *take_string(struct json_parser *p, const char *s, const char **out, size_t *n)
{
	const char *end = p->text + p->n;
	char *start = p->pool, *to = start;

	for (s++; ; ) {
		s = copy_plain(s, end, &to);
		if (s >= end) {
			fail_at(p, s, "string is not closed");
			return nullptr;
		}
		if (*s == '"')
			break;
		static const char from[] = "\"\\/bfnrt", what[] = "\"\\/\b\f\n\r\t";
		const char *f = s[1] ? strchr(from, s[1]) : nullptr;
		if (s[1] == 'u') {
			if ((s = unescape_u(p, s + 2, &to)) == nullptr)
				return nullptr;
		} else if (f) {
			*to++ = what[f - from];
			s += 2;
		} else {
			fail_at(p, s, "unknown escape");
			return nullptr;
		}
	}
	*to = '\0';
	*out = start;
	*n = (size_t)(to - start);
	p->pool = to + 1;
	return s + 1;
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* End of the JSON number at S, or NULL. */
static const char *number_end(const char *s)
{
	if (*s == '-')
		s++;
	if (!digit(*s))
		return nullptr;
	if (*s == '0')
		s++;
	else
		while (digit(*s))
			s++;
	if (*s == '.') {
		if (!digit(*++s))
			return nullptr;
		while (digit(*s))
			s++;
	}
	if (*s == 'e' || *s == 'E') {
		s++;
		if (*s == '+' || *s == '-')
			s++;
		if (!digit(*s))
			return nullptr;
		while (digit(*s))
			s++;
	}
	return s;
}

static bool ends_token(const struct json_parser *p, const char *s)
{
	return s == p->text + p->n || blank(*s) || *s == ',' || *s == ']' || *s == '}' || *s == ':';
}

static const char *take_word(struct json_parser *p, const char *s, struct json *v)
{
	static const struct { const char *word; size_t n; enum json_type type; bool b; } words[] = {
		{ "true", 4, JSON_BOOL, true }, { "false", 5, JSON_BOOL, false }, { "null", 4, JSON_NULL, false } };

	for (const auto &w : words)
		if ((size_t)(p->text + p->n - s) >= w.n && memcmp(s, w.word, w.n) == 0 && ends_token(p, s + w.n)) {
			v->type = w.type;
			v->b = w.b;
			return s + w.n;
		}
	fail_at(p, s, "not a JSON value");
	return nullptr;
}

static const char *take_number(struct json_parser *p, const char *s, struct json *v)
{
	const char *end = number_end(s);

	if (end == nullptr || !ends_token(p, end)) {
		fail_at(p, s, "not a JSON number");
		return nullptr;
	}
	v->type = JSON_NUM;
	v->n = (size_t)(end - s);
	v->s = p->pool;
	memcpy(p->pool, s, v->n);
	p->pool[v->n] = '\0';
	p->pool += v->n + 1;
	return end;
}

/* --- containers --- */

static bool same_key(const struct json_member *a, const struct json_member *b)
{
	return a->nkey == b->nkey && memcmp(a->key, b->key, a->nkey) == 0;
}

/* Of N members none has the key of another; else the later of the two. */
static const struct json_member *duplicate(struct json_parser *p, const struct json_member *m, size_t n)
{
	size_t want = 64;

	if (n <= FEW_KEYS) {
		for (size_t i = 1; i < n; i++)
			for (size_t j = 0; j < i; j++)
				if (same_key(m + i, m + j))
					return m + i;
		return nullptr;
	}
	while (want < n * 2)
		want *= 2;
	if (want > p->nslots) {
		p->slots = (uint32_t *)mem_grow(p->slots, want, sizeof *p->slots);
		p->nslots = want;
	}
	memset(p->slots, 0, want * sizeof *p->slots);
	for (size_t i = 0; i < n; i++) {
		size_t at = hash64(m[i].key, m[i].nkey, 0) & (want - 1);

		for (; p->slots[at]; at = (at + 1) & (want - 1))
			if (same_key(m + i, m + p->slots[at] - 1))
				return m + i;
		p->slots[at] = (uint32_t)i + 1;
	}
	return nullptr;
}

/* Behind the bracket that closes a container whose last element ended at S. */
static const char *behind_bracket(const char *s)
{
	while (blank(*s))
		s++;
	return s + 1;
}

/* V onto the stack P of *N elements. */
template <typename T> static void push(T *&p, size_t &n, size_t &cap, const T &v)
{
	if (n == cap) {
		cap = cap ? cap * 2 : 64;
		p = (T *)mem_grow(p, cap, sizeof *p);
	}
	p[n++] = v;
}

static const char *take_value(struct json_parser *p, od::value value, struct json *v, int depth);
static const char *take_scalar(struct json_parser *p, const char *s, struct json *v);

static const char *take_array(struct json_parser *p, od::value &value, const char *s, struct json *v, int depth)
{
	size_t base = p->nitems;
	const char *end = s + 1;
	od::array array;
	simdjson::error_code code = value.get_array().get(array);

	if (code) {
		fail_simdjson(p, code, s);
		return nullptr;
	}
	for (auto &&element : array) {
		od::value child;
		struct json item;

		if ((code = std::move(element).get(child)) != simdjson::SUCCESS) {
			fail_simdjson(p, code, end);
			return nullptr;
		}
		if ((end = take_value(p, child, &item, depth + 1)) == nullptr)
			return nullptr;
		push(p->items, p->nitems, p->items_cap, item);
	}
	v->type = JSON_ARR;
	v->n = p->nitems - base;
	v->item = nullptr;
	if (v->n) {
		struct json *to = (struct json *)arena_get(p->arena, v->n * sizeof *to);
		memcpy(to, p->items + base, v->n * sizeof *to);
		v->item = to;
	}
	p->nitems = base;
	return behind_bracket(end);
}

static bool keep_members(struct json_parser *p, size_t base, const char *s, struct json *v)
{
	const struct json_member *twice;

	v->type = JSON_OBJ;
	v->n = p->nmembers - base;
	v->member = nullptr;
	if (v->n) {
		struct json_member *to = (struct json_member *)arena_get(p->arena, v->n * sizeof *to);
		memcpy(to, p->members + base, v->n * sizeof *to);
		v->member = to;
	}
	p->nmembers = base;
	if ((twice = duplicate(p, v->member, v->n)) != nullptr) {
		p->rc = err_set(p->e, SFT_BADDATA, "byte %zu: key '%.100s' stands twice in one object", (size_t)(s - p->text), twice->key);
		return false;
	}
	return true;
}

static const char *take_object(struct json_parser *p, od::value &value, const char *s, struct json *v, int depth)
{
	size_t base = p->nmembers;
	const char *end = s + 1;
	od::object object;
	simdjson::error_code code = value.get_object().get(object);

	if (code) {
		fail_simdjson(p, code, s);
		return nullptr;
	}
	for (auto &&element : object) {
		od::field field;
		struct json_member m;

		if ((code = std::move(element).get(field)) != simdjson::SUCCESS) {
			fail_simdjson(p, code, end);
			return nullptr;
		}
		if (take_string(p, field.key().raw() - 1, &m.key, &m.nkey) == nullptr)
			return nullptr;
		if ((end = take_value(p, field.value(), &m.value, depth + 1)) == nullptr)
			return nullptr;
		push(p->members, p->nmembers, p->members_cap, m);
	}
	return keep_members(p, base, s, v) ? behind_bracket(end) : nullptr;
}

/* A scalar leaves the iterator where it was: skipping it is simdjson's part of the work. */
static const char *take_scalar(struct json_parser *p, const char *s, struct json *v)
{
	const char *end;

	if (*s != '"')
		return *s == '-' || digit(*s) ? take_number(p, s, v) : take_word(p, s, v);
	v->type = JSON_STR;
	if ((end = take_string(p, s, &v->s, &v->n)) != nullptr && !ends_token(p, end)) {
		fail_at(p, end, "not JSON (expected a comma or a bracket)");
		return nullptr;
	}
	return end;
}

static const char *take_value(struct json_parser *p, od::value value, struct json *v, int depth)
{
	const char *s = value.raw_json_token().data(), *end;

	memset(v, 0, sizeof *v);
	if (depth > MAX_DEPTH) {
		fail_at(p, s, "deeper than 512 levels");
		return nullptr;
	}
	if (*s == '[')
		end = take_array(p, value, s, v, depth);
	else if (*s == '{')
		end = take_object(p, value, s, v, depth);
	else
		end = take_scalar(p, s, v);
	if (end != nullptr) {
		v->raw = p->given + (s - p->text);
		v->nraw = (size_t)(end - s);
	}
	return end;
}

/* --- documents --- */

struct json_parser *json_parser_new(void)
{
	struct json_parser *p = new (std::nothrow) json_parser;

	return p ? p : (struct json_parser *)mem_grow(nullptr, SIZE_MAX, 2);   /* ends the process as mem_new does */
}

void json_parser_free(struct json_parser *p)
{
	if (p == nullptr)
		return;
	mem_free(p->copy);
	mem_free(p->items);
	mem_free(p->members);
	mem_free(p->slots);
	delete p;
}

static void pad(struct json_parser *p, const char *text, size_t n)
{
	if (n + simdjson::SIMDJSON_PADDING > p->cap) {
		p->cap = (n + simdjson::SIMDJSON_PADDING) * 5 / 4;
		p->copy = (char *)mem_grow(p->copy, p->cap, 1);
	}
	if (n)
		memcpy(p->copy, text, n);
	memset(p->copy + n, 0, simdjson::SIMDJSON_PADDING);
	p->text = p->copy;
}

static void begin(struct json_parser *p, struct arena *a, const char *text, size_t n, struct err *e)
{
	p->arena = a;
	p->given = text;
	p->n = n;
	p->pool = (char *)arena_get(a, n + 2 + 8);
	p->nitems = p->nmembers = 0;
	p->e = e;
	p->rc = 0;
}

int json_parse(struct json_parser *p, struct arena *a, const char *text, size_t n, const struct json **out, struct err *e)
{
	struct json *v;
	const char *end = nullptr, *s;
	od::document doc;
	simdjson::error_code code;

	*out = nullptr;
	pad(p, text, n);
	begin(p, a, text, n, e);
	if ((code = p->od.iterate(p->text, n, n + simdjson::SIMDJSON_PADDING).get(doc)) != simdjson::SUCCESS) {
		fail_simdjson(p, code, p->text);
		return p->rc;
	}
	for (s = p->text; blank(*s); s++)
		;
	v = (struct json *)arena_get(a, sizeof *v);
	if (*s == '[' || *s == '{') {
		od::value root;
		if ((code = doc.get_value().get(root)) != simdjson::SUCCESS)
			fail_simdjson(p, code, s);
		else
			end = take_value(p, root, v, 1);
	} else {
		memset(v, 0, sizeof *v);
		if ((end = take_scalar(p, s, v)) != nullptr) {
			v->raw = text + (s - p->text);
			v->nraw = (size_t)(end - s);
		}
	}
	if (end == nullptr)
		return p->rc;
	while (end < p->text + n && blank(*end))
		end++;
	if (end != p->text + n) {
		fail_at(p, end, "text after the JSON value");
		return p->rc;
	}
	*out = v;
	return 0;
}

bool json_utf8(const char *text, size_t n)
{
	return simdjson::validate_utf8(text, n);
}

/* --- numbers --- */

double json_double(const struct json *v)
{
	return v && v->type == JSON_NUM ? strtod(v->s, nullptr) : NAN;
}

size_t json_double_text(char out[32], double v)
{
	char sci[40], digits[20];
	char *end = std::to_chars(sci, sci + sizeof sci, v, std::chars_format::scientific).ptr;
	char *e = (char *)memchr(sci, 'e', (size_t)(end - sci)), *to = out;
	int exp, n = 0;

	if (e == nullptr) {                              /* nan, inf */
		memcpy(out, sci, (size_t)(end - sci));
		out[end - sci] = '\0';
		return (size_t)(end - sci);
	}
	*end = '\0';
	exp = atoi(e + 1);
	for (char *s = sci; s < e; s++)
		if (digit(*s))
			digits[n++] = *s;
	if (sci[0] == '-')
		*to++ = '-';
	if (exp < -4 || exp >= 16) {                     /* as Python's repr: 1e-05, 1.5e+16 */
		*to++ = digits[0];
		if (n > 1) {
			*to++ = '.';
			memcpy(to, digits + 1, (size_t)n - 1);
			to += n - 1;
		}
		to += snprintf(to, 8, "e%c%02d", exp < 0 ? '-' : '+', abs(exp));
	} else if (exp < 0) {
		*to++ = '0';
		*to++ = '.';
		for (int i = exp + 1; i < 0; i++)
			*to++ = '0';
		memcpy(to, digits, (size_t)n);
		to += n;
	} else {
		for (int i = 0; i <= exp; i++)
			*to++ = i < n ? digits[i] : '0';
		*to++ = '.';
		if (n <= exp + 1)
			*to++ = '0';
		for (int i = exp + 1; i < n; i++)
			*to++ = digits[i];
	}
	*to = '\0';
	return (size_t)(to - out);
}
