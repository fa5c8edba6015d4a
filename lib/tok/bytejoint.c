/* SPDX-License-Identifier: Apache-2.0 */
/* Where words of bytes may be cut in two, and which of their characters may be taken whole.
 *
 * A merge that reaches over the place between two characters makes a token that holds the end of the first, or all of it, beside the
 * beginning of the second, or all of it.  Where no token does, both sides merge by themselves, and clauses of Chinese become short
 * words, which the cache knows.
 *
 * A character of which no token holds a part beside something else merges by itself until it is whole.  If that makes one token,
 * merging may as well begin with it, where every merge comes later in the list than those that make its two sides: then merges
 * happen in the order of the list, and what the character takes part in has its turn after the character is whole. */
#include "tokimpl.h"
#include "utf8.h"

static uint32_t pack(const uint8_t *p, size_t n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

static bool inside(uint8_t b)           /* a byte that is not a character's first */
{
	return (b & 0xC0) == 0x80;
}

static size_t length(uint8_t first)
{
	return first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

/* --- what the vocabulary says --- */

/* Parts of characters that stand beside something else in a token: a filter of their bytes. */
enum { PART_BITS = 18 };
struct parts {
	uint64_t bit[1 << (PART_BITS - 6)];
};

static uint32_t part_bit(const uint8_t *p, size_t n)
{
	return (pack(p, n) * 4 + (uint32_t)n) * 0x9E3779B9u >> (32 - PART_BITS);
}

static void part_put(struct parts *s, const uint8_t *p, size_t n)
{
	uint32_t b = part_bit(p, n);

	s->bit[b / 64] |= (uint64_t)1 << b % 64;
}

static bool part_has(const struct parts *s, const uint8_t *p, size_t n)
{
	uint32_t b = part_bit(p, n);

	return s->bit[b / 64] >> b % 64 & 1;
}

/* The joint before byte I of a token: whole characters, or as much of them as the token has. */
static void add_joint(struct tok *t, struct parts *s, const uint8_t *p, size_t n, size_t i)
{
	size_t l = i - 1, left, right, whole = length(p[i]);
	uint32_t bit;
	uint16_t kind;

	if (p[l] < 0x80 && p[i] < 0x80)
		return;                /* such places are never cut */
	while (l > 0 && i - l < 4 && inside(p[l]))
		l--;
	left = i - l;
	right = whole < n - i ? whole : n - i;
	bit = joint_bit(pack(p + l, left), pack(p + i, right));
	t->joint[bit / 64] |= (uint64_t)1 << bit % 64;
	kind = (uint16_t)(1u << ((inside(p[l]) ? left & 3 : 0) * 4 + (right < whole ? right : 0)));
	t->joint_left[p[i - 1]] |= kind;
	t->joint_right[p[i]] |= kind;
	if (inside(p[l]))
		part_put(s, p + l, left);
	if (right < whole)
		part_put(s, p + i, right);
}

/* Does every merge come later than all that make its sides? */
static bool in_order(const struct tok *t)
{
	uint32_t *made = mem_new(t->vocab.n * sizeof *made + 1);        /* by id: 1 + the highest rank that makes it */
	bool is = true;

	for (size_t k = 0; k < t->nmerges; k++) {
		const struct bpe_merge *m = &t->merge_list[k];

		if (made[m->into] <= m->rank)
			made[m->into] = m->rank + 1;
	}
	for (size_t k = 0; is && k < t->nmerges; k++) {
		const struct bpe_merge *m = &t->merge_list[k];

		is = made[m->left] <= m->rank && made[m->right] <= m->rank;
	}
	mem_free(made);
	return is;
}

/* Does the character of N bytes at P become token ID before anything else can happen to it? */
static bool whole_first(const struct tok *t, struct bpe_room *r, const struct parts *s, const uint8_t *p, size_t n, uint32_t id)
{
	for (size_t k = 1; k < n; k++)
		if (part_has(s, p, k) || part_has(s, p + k, n - k))
			return false;
	r->n = 0;
	for (size_t k = 0; k < n; k++)
		bpe_add(r, t->byte_sym[p[k]], 1);
	bpe_merge_all(&t->merges, r);
	return r->n == 1 && r->sym[0].id == id;
}

/* CANDIDATE[0..n-1]: tokens that are one character of two or three bytes. */
static void find_whole(struct tok *t, const struct parts *s, const uint32_t *candidate, size_t n)
{
	struct bpe_room r = {0};

	t->char_id = mem_grow(NULL, 0x10000, sizeof *t->char_id);
	memset(t->char_id, 0xff, 0x10000 * sizeof *t->char_id);
	for (size_t i = 0; i < n; i++) {
		char text[8];
		const char *c = text;
		size_t len = 0;

		bpe_raw(t, candidate[i], text, &len);
		if (utf8_valid(text, len, NULL) && whole_first(t, &r, s, (const uint8_t *)text, len, candidate[i]))
			t->char_id[utf8_get(&c)] = candidate[i];
	}
	bpe_room_free(&r);
}

/* Bytes that a token stands for where it is ASCII, perhaps behind a blank: such have no joints.  0: another token. */
static size_t ascii_raw(const char *text, size_t n)
{
	size_t blank = n > 2 && memcmp(text, "\u0120", 2) == 0 ? 2 : 0;

	return utf8_ascii(text + blank, n - blank) == n - blank ? n - blank / 2 : 0;
}

void byte_joints_find(struct tok *t)
{
	struct parts *s = mem_new(sizeof *s);
	uint32_t *candidate = mem_grow(NULL, (size_t)t->vocab.n + 1, sizeof *candidate);
	size_t ncandidates = 0;
	struct buf b = {0};

	t->joint = mem_new((size_t)1 << (JOINT_BITS - 3));
	for (uint32_t id = 0; id < t->vocab.n; id++) {
		const uint8_t *p;
		size_t n;

		if (t->vocab.text[id] == NULL)
			continue;
		if ((n = ascii_raw(t->vocab.text[id], t->vocab.len[id])) > 0) {
			t->id_len[id] = (uint32_t)n;
			continue;
		}
		b.n = 0;
		if (!bpe_raw(t, id, buf_room(&b, t->vocab.len[id] + 1), &n))
			continue;
		p = (const uint8_t *)b.p;
		t->id_len[id] = (uint32_t)n;
		if ((n == 2 || n == 3) && !inside(p[0]) && length(p[0]) == n)
			candidate[ncandidates++] = id;
		for (size_t i = 1; i < n; i++)
			if (!inside(p[i]))
				add_joint(t, s, p, n, i);
	}
	if (in_order(t))
		find_whole(t, s, candidate, ncandidates);
	buf_free(&b);
	mem_free(candidate);
	mem_free(s);
}

/* --- cutting --- */

/* May a merge reach over the place between the characters LEFT of K bytes and RIGHT of M bytes? */
static inline bool joined(const struct tok *t, uint32_t left, size_t k, uint32_t right, size_t m)
{
	for (unsigned kinds = t->joint_left[left & 0xff] & t->joint_right[right >> 8 * (m - 1)]; kinds; kinds &= kinds - 1) {
		unsigned kind = (unsigned)__builtin_ctz(kinds), suffix = kind / 4, prefix = kind % 4;
		uint32_t bit;

		if ((suffix && suffix >= k) || (prefix && prefix >= m))
			continue;
		bit = joint_bit(suffix ? left & ((1u << 8 * suffix) - 1) : left, prefix ? right >> 8 * (m - prefix) : right);
		if (t->joint[bit / 64] >> bit % 64 & 1)
			return true;
	}
	return false;
}

size_t byte_joints_next(const struct tok *t, const char *text, size_t at, size_t n)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t k = length(p[at]), m;
	uint32_t a = pack(p + at, k), b;

	for (at += k; at < n; at += m, k = m, a = b) {
		m = length(p[at]);
		b = pack(p + at, m);
		if ((m > 1 || k > 1) && !joined(t, a, k, b, m))
			return at;
	}
	return n;
}
