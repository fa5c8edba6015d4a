/* SPDX-License-Identifier: Apache-2.0 */
#include "hflarge.h"

#include <endian.h>

#include "json.h"
#include "utf8.h"

enum { USUAL_ENTRY = 64,        /* with all that belongs to it: a guess, for room in huge pages */
       LEAST_ENTRY = 6,         /* bytes of a file that a token takes at least: "a":0, */
       BATCH = 32 };            /* pairs whose tokens are looked for together */

/* Where we are.  Strings without escapes are lent by the text; others, and those that are kept, lie in the pool. */
struct scan {
	const char *p, *end;
	char *pool;             /* as large as the text: what is unescaped is never longer */
};

struct str {
	const char *p;
	size_t n;
};

/* --- the words of JSON --- */

#define ONES 0x0101010101010101u

static inline uint64_t load8(const char *p)
{
	uint64_t w;

	memcpy(&w, p, 8);
	return le64toh(w);
}

static inline void blanks(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t')) {
		s->p++;
		while (s->end - s->p >= 8) {    /* an indented file is blanks for the most part */
			uint64_t other = load8(s->p) ^ ONES * ' ';

			s->p += other ? __builtin_ctzll(other) / 8 : 8;
			if (other)
				break;
		}
	}
}

/* C, and blanks around it. */
static inline bool take(struct scan *s, char c)
{
	blanks(s);
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	blanks(s);
	return true;
}

/* A bit for each of 8 bytes that is a quote, a backslash or a control character; those above the lowest may be wrong. */
static inline unsigned specials(uint64_t w)
{
	uint64_t q = w ^ ONES * '"', b = w ^ ONES * '\\';
	uint64_t found = (((q - ONES) & ~q) | ((b - ONES) & ~b) | ((w - ONES * 0x20) & ~w)) & ONES << 7;

	return (unsigned)((found >> 7) * 0x0102040810204080u >> 56);
}

/* The first quote, backslash or control character from P on, or END.  Most strings end within 16 bytes: no branch depends on where. */
static inline const char *plain_end(const char *p, const char *end)
{
	for (; end - p >= 16; p += 16) {
		unsigned found = specials(load8(p)) | specials(load8(p + 8)) << 8;

		if (found)
			return p + __builtin_ctz(found);
	}
	while (p < end && *p != '"' && *p != '\\' && (uint8_t)*p >= 0x20)
		p++;
	return p;
}

static int hex4(const char *p)
{
	int v = 0;

	for (int i = 0; i < 4; i++) {
		char c = p[i];
		int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

/* The escape at *P into *TO.  Surrogates are not plain. */
static bool unescape(const char **p, const char *end, char **to)
{
	static const char from[] = "\"\\/bfnrt", what[] = "\"\\/\b\f\n\r\t";
	const char *f;
	int c;

	if (end - *p < 6)
		return false;
	if ((*p)[1] == 'u') {
		if ((c = hex4(*p + 2)) < 0 || (c >= 0xD800 && c < 0xE000))
			return false;
		*to += utf8_put(*to, (uint32_t)c);
		*p += 6;
		return true;
	}
	if ((*p)[1] == '\0' || (f = strchr(from, (*p)[1])) == NULL)
		return false;
	*(*to)++ = what[f - from];
	*p += 2;
	return true;
}

/* The rest of a string that begins at START and has an escape at P: into the pool. */
static bool take_escaped(struct scan *s, const char *start, const char *p, struct str *out)
{
	char *to = s->pool;

	for (;;) {
		memcpy(to, start, (size_t)(p - start));
		to += p - start;
		if (p == s->end || (*p != '"' && *p != '\\'))
			return false;
		if (*p == '"')
			break;
		if (!unescape(&p, s->end, &to))
			return false;
		start = p;
		p = plain_end(p, s->end);
	}
	*out = (struct str){ s->pool, (size_t)(to - s->pool) };
	*to = '\0';
	s->pool = to + 1;
	s->p = p + 1;
	return true;
}

static inline bool take_string(struct scan *s, struct str *out)
{
	const char *start = s->p + 1, *p;

	if (s->p == s->end || *s->p != '"')
		return false;
	p = plain_end(start, s->end);
	if (p == s->end || *p != '"')
		return take_escaped(s, start, p, out);
	*out = (struct str){ start, (size_t)(p - start) };
	s->p = p + 1;
	return true;
}

/* A string that stays, with a NUL behind it. */
static inline bool keep_string(struct scan *s, struct str *out)
{
	const char *pool = s->pool;

	if (!take_string(s, out))
		return false;
	if (s->pool == pool) {
		if (s->end - out->p >= 16)
			memcpy(s->pool, out->p, 16);
		if (out->n > 16 || s->end - out->p < 16)
			memcpy(s->pool, out->p, out->n);
		s->pool[out->n] = '\0';
		out->p = pool;
		s->pool += out->n + 1;
	}
	return true;
}

static inline bool take_id(struct scan *s, uint32_t *id)
{
	const char *start = s->p;
	uint32_t v = 0;

	for (; s->p < s->end && *s->p >= '0' && *s->p <= '9' && s->p - start < 9; s->p++)
		v = v * 10 + (uint32_t)(*s->p - '0');
	*id = v;
	return s->p > start && s->p < s->end && (*start != '0' || s->p == start + 1);   /* what follows must be a comma or a bracket */
}

/* Any other value, passed over: what it says is the tree's business. */
static bool skip_value(struct scan *s)
{
	struct str unused;
	size_t depth = 0;

	for (char *pool = s->pool; s->p < s->end; s->pool = pool) {
		char c = *s->p;

		if (depth == 0 && (c == ',' || c == '}'))
			return true;
		if (c == '"') {
			if (!take_string(s, &unused))
				return false;
			continue;
		}
		depth += c == '[' || c == '{';
		if ((c == ']' || c == '}') && depth-- == 0)
			return false;
		s->p++;
	}
	return false;
}

/* --- the vocabulary --- */

static bool read_vocab(struct scan *s, struct tok *t)
{
	const char *start = s->p;
	size_t left = (size_t)(s->end - s->p), most = left / LEAST_ENTRY + 64;
	struct str text;
	uint32_t id, n = 0;

	if (most > 1u << 26 || !take(s, '{') || !vocab_room(&t->vocab, (uint32_t)(left / USUAL_ENTRY + 64)))
		return false;
	do {
		if (!keep_string(s, &text) || !take(s, ':') || !take_id(s, &id))
			return false;
		if (id >= most || text.n > UINT32_MAX / 2 || (id < t->vocab.n && t->vocab.text[id]))
			return false;
		vocab_name(&t->vocab, text.p, text.n, id);
		n++;
	} while (take(s, ','));
	if (!take(s, '}') || !json_utf8(start, (size_t)(s->p - start)))
		return false;
	return t->vocab.n <= 16 * (uint64_t)n + (1 << 20) && vocab_index(&t->vocab);
}

/* --- merges --- */

/* One pair, "a b" or ["a", "b"]. */
static inline bool take_pair(struct scan *s, struct vocab_query q[2])
{
	struct str a, b;
	const char *blank;

	if (*s->p == '[') {
		if (!take(s, '[') || !take_string(s, &a) || !take(s, ',') || !take_string(s, &b) || !take(s, ']'))
			return false;
	} else {
		if (!take_string(s, &a) || (blank = memchr(a.p, ' ', a.n)) == NULL)
			return false;
		b = (struct str){ blank + 1, (size_t)(a.p + a.n - blank - 1) };
		a.n = (size_t)(blank - a.p);
		if (memchr(b.p, ' ', b.n))
			return false;
	}
	q[0] = (struct vocab_query){ a.p, a.n, 0, -1 };
	q[1] = (struct vocab_query){ b.p, b.n, 0, -1 };
	return true;
}

/* N pairs, whose tokens are Q, to the list.  What they make is not known yet: that depends on the prefix of tokens inside words. */
static bool add_pairs(struct tok *t, struct vocab_query *q, size_t n, size_t *cap)
{
	vocab_find(&t->vocab, q, 2 * n);
	for (size_t i = 0; i < n; i++) {
		if (q[2 * i].id < 0 || q[2 * i + 1].id < 0)
			return false;
		if (t->nmerges == *cap) {
			size_t more = *cap ? 2 * *cap : t->vocab.count + t->vocab.count / 4 + 16;

			struct bpe_merge *list = mem_more(t->merge_list, *cap * sizeof *list, more * sizeof *list);

			if (list == NULL)
				return false;
			t->merge_list = list;
			*cap = more;
		}
		t->merge_list[t->nmerges] = (struct bpe_merge){ (uint32_t)q[2 * i].id, (uint32_t)q[2 * i + 1].id, (uint32_t)t->nmerges, 0 };
		t->nmerges++;
	}
	return true;
}

static bool read_merges(struct scan *s, struct tok *t)
{
	struct vocab_query q[2 * BATCH];
	size_t n = 0, cap = 0;
	char *pool = s->pool;

	if (!take(s, '['))
		return false;
	do {
		if (s->p == s->end || t->nmerges > UINT32_MAX / 2 || !take_pair(s, q + 2 * n))
			return false;
		if (++n == BATCH) {
			if (!add_pairs(t, q, n, &cap))
				return false;
			n = 0;
			s->pool = pool;
		}
	} while (take(s, ','));
	return add_pairs(t, q, n, &cap) && take(s, ']');
}

/* --- the document --- */

static bool is(const struct str *key, const char *word)
{
	return key->n == strlen(word) && memcmp(key->p, word, key->n) == 0;
}

/* The text so far, from *DONE on, and an empty container in the place of one that was read. */
static void cut(struct hf_large *l, const char **done, const char *from, const char *to, const char *empty)
{
	buf_add(&l->rest, *done, (size_t)(from - *done));
	buf_str(&l->rest, empty);
	*done = to;
}

/* Member "model"; merges that stand before the vocabulary are not plain. */
static bool read_model(struct scan *s, struct tok *t, struct hf_large *l, const char **done)
{
	struct str key;

	if (!take(s, '{'))
		return false;
	do {
		const char *from;

		if (!take_string(s, &key) || !take(s, ':'))
			return false;
		from = s->p;
		if (is(&key, "vocab") && from < s->end && *from == '{' && !l->vocab) {
			if (!read_vocab(s, t))
				return false;
			l->vocab = true;
			cut(l, done, from, s->p, "{}");
		} else if (is(&key, "merges") && l->vocab && !l->merges) {
			if (!read_merges(s, t))
				return false;
			l->merges = true;
			cut(l, done, from, s->p, "[]");
		} else if (!skip_value(s)) {
			return false;
		}
	} while (take(s, ','));
	return l->vocab && take(s, '}');
}

static bool read_all(struct scan *s, struct tok *t, struct hf_large *l, const char *text)
{
	const char *done = text;
	struct str key;

	if (!take(s, '{'))
		return false;
	do {
		if (!take_string(s, &key) || !take(s, ':'))
			return false;
		if (!(is(&key, "model") && !l->vocab ? read_model(s, t, l, &done) : skip_value(s)))
			return false;
	} while (take(s, ','));
	buf_add(&l->rest, done, (size_t)(s->end - done));       /* what is wrong from here on the tree finds */
	return l->vocab;
}

bool hf_large_read(struct tok *t, struct hf_large *l, const char *text, size_t n)
{
	char *pool = arena_get(&t->arena, n + 16);
	struct scan s = { text, text + n, pool };

	*l = (struct hf_large){0};
	if (read_all(&s, t, l, text)) {
		arena_trim(&t->arena, pool, (size_t)(s.pool - pool));
		return true;
	}
	arena_trim(&t->arena, pool, 0);
	hf_large_drop(t, l);
	return false;
}

void hf_large_drop(struct tok *t, struct hf_large *l)
{
	vocab_free(&t->vocab);
	t->vocab = (struct vocab){0};
	mem_free(t->merge_list);
	t->merge_list = NULL;
	t->nmerges = 0;
	buf_free(&l->rest);
	*l = (struct hf_large){0};
}
