/* SPDX-License-Identifier: Apache-2.0 */
/* Where words of bytes may be cut in two.  A merge that reaches over the place between two characters makes a token that holds the end of
 * the first, or all of it, beside the beginning of the second, or all of it.  Where no token does, both sides merge by
 * themselves, and clauses of Chinese become short words, which the cache knows. */
#include "tokimpl.h"

enum { BITS = 21 };

static uint32_t pack(const uint8_t *p, size_t n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

static uint32_t bit_of(uint32_t left, uint32_t right)
{
	return (uint32_t)(((((uint64_t)left << 32) | right) * 0x9E3779B97F4A7C15u) >> (64 - BITS));
}

static bool inside(uint8_t b)           /* a byte that is not a character's first */
{
	return (b & 0xC0) == 0x80;
}

static size_t length(uint8_t first)
{
	return first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

/* The joint before byte I of a token: whole characters, or as much of them as the token has. */
static void add_joint(struct tok *t, const uint8_t *p, size_t n, size_t i)
{
	size_t l = i - 1, left, right, whole = length(p[i]);
	uint32_t bit;

	if (p[l] < 0x80 && p[i] < 0x80)
		return;                /* such places are never cut */
	while (l > 0 && i - l < 4 && inside(p[l]))
		l--;
	left = i - l;
	right = whole < n - i ? whole : n - i;
	bit = bit_of(pack(p + l, left), pack(p + i, right));
	t->joint[bit / 64] |= (uint64_t)1 << bit % 64;
	t->joint_kinds |= (uint16_t)(1u << ((inside(p[l]) ? left & 3 : 0) * 4 + (right < whole ? right : 0)));
}

void byte_joints_find(struct tok *t)
{
	struct buf b = {0};

	t->joint = mem_new((size_t)1 << (BITS - 3));
	for (uint32_t id = 0; id < t->vocab.n; id++) {
		const uint8_t *p;
		size_t n;

		b.n = 0;
		if (t->vocab.text[id] == NULL || !bpe_raw(t, id, buf_room(&b, t->vocab.len[id] + 1), &n))
			continue;
		p = (const uint8_t *)b.p;
		for (size_t i = 1; i < n; i++)
			if (!inside(p[i]))
				add_joint(t, p, n, i);
	}
	buf_free(&b);
}

size_t byte_joints_next(const struct tok *t, const char *text, size_t at, size_t n)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t k = length(p[at]), m;
	uint32_t a = pack(p + at, k);

	for (at += k; at < n; at += m, k = m) {
		uint32_t b;
		bool joined = false;

		m = length(p[at]);
		if (m == 1 && k == 1) {
			a = p[at];
			continue;
		}
		b = pack(p + at, m);
		for (unsigned kinds = t->joint_kinds; kinds && !joined; kinds &= kinds - 1) {
			unsigned kind = (unsigned)__builtin_ctz(kinds), suffix = kind / 4, prefix = kind % 4;
			uint32_t bit;

			if ((suffix && suffix >= k) || (prefix && prefix >= m))
				continue;
			bit = bit_of(suffix ? a & ((1u << 8 * suffix) - 1) : a, prefix ? b >> 8 * (m - prefix) : b);
			joined = t->joint[bit / 64] >> bit % 64 & 1;
		}
		if (!joined)
			return at;
		a = b;
	}
	return n;
}
