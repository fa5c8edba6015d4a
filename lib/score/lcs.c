/* SPDX-License-Identifier: Apache-2.0 */
#include "lcs.h"

#include <string.h>

#include "mem.h"

enum { WHOLE = 1 << 15 };       /* words of a table that lcs_mark() keeps as it is */

static void room(struct lcs *l, size_t nrows, uint32_t nsymbols)
{
	if (nsymbols > l->match_cap) {
		size_t cap = nsymbols + nsymbols / 2 + 64;

		l->match = mem_grow(l->match, cap, sizeof *l->match);
		memset(l->match + l->match_cap, 0, (cap - l->match_cap) * sizeof *l->match);
		l->match_cap = cap;
	}
	if (nrows > l->carry_cap) {
		l->carry_cap = nrows + nrows / 2 + 64;
		l->carry = mem_grow(l->carry, l->carry_cap, 1);
	}
}

static uint64_t *words(uint64_t **p, size_t *cap, size_t n)
{
	if (n > *cap) {
		*cap = n + n / 2;
		*p = mem_grow(*p, *cap, sizeof **p);
	}
	return *p;
}

/* Enter the N <= 64 columns of a block into l->match, or take them out. */
static void put_block(struct lcs *l, const uint32_t *cols, size_t n)
{
	for (size_t j = 0; j < n; j++)
		l->match[cols[j]] |= 1ull << j;
}

static void clear_block(struct lcs *l, const uint32_t *cols, size_t n)
{
	for (size_t j = 0; j < n; j++)
		l->match[cols[j]] = 0;
}

/* The row after V for a symbol that stands at M: V' = (V + (V & M)) | (V & ~M). */
static inline uint64_t step(uint64_t v, uint64_t m, uint8_t *carry)
{
	uint64_t sum, in = *carry;
	unsigned c = __builtin_add_overflow(v, v & m, &sum);

	c |= __builtin_add_overflow(sum, in, &sum);
	*carry = (uint8_t)c;
	return sum | (v & ~m);
}

size_t lcs_length(struct lcs *l, const struct ids *rows, const uint32_t *cols, size_t ncols, uint32_t nsymbols)
{
	size_t grown = 0;

	room(l, rows->n, nsymbols);
	if (ncols > 64)
		memset(l->carry, 0, rows->n);
	for (size_t at = 0; at < ncols; at += 64) {
		size_t n = ncols - at < 64 ? ncols - at : 64;
		uint64_t v = UINT64_MAX, sum;

		put_block(l, cols + at, n);
		if (ncols <= 64) {
			for (size_t i = 0; i < rows->n; i++)
				if (rows->v[i] < nsymbols) {
					sum = v + (v & l->match[rows->v[i]]);
					v = sum | (v & ~l->match[rows->v[i]]);
				}
		} else {
			for (size_t i = 0; i < rows->n; i++)
				if (rows->v[i] < nsymbols)
					v = step(v, l->match[rows->v[i]], &l->carry[i]);
		}
		clear_block(l, cols + at, n);
		grown += (size_t)__builtin_popcountll(~v & (UINT64_MAX >> (64 - n)));
	}
	return grown;
}

/* --- the path --- */

/* Columns among the first N where the row grew: the value of the table there. */
static size_t value(const uint64_t *v, size_t n)
{
	size_t sum = 0, k;

	for (k = 0; k < n / 64; k++)
		sum += (size_t)__builtin_popcountll(~v[k]);
	if (n % 64)
		sum += (size_t)__builtin_popcountll(~v[k] & ((1ull << (n % 64)) - 1));
	return sum;
}

/* A table of the rows FROM..TO below the row TOP (width words), of which every EVERY-th is kept in OUT, the first of them TOP. */
static void table(struct lcs *l, const struct ids *rows, size_t from, size_t to, const uint32_t *cols, size_t ncols, uint32_t nsymbols,
                  const uint64_t *top, size_t every, uint64_t *out)
{
	size_t width = (ncols + 63) / 64;

	memset(l->carry, 0, to - from);
	for (size_t k = 0; k < width; k++) {
		size_t n = ncols - 64 * k < 64 ? ncols - 64 * k : 64, left = 0;
		uint64_t v = top ? top[k] : UINT64_MAX, *o = out + k;

		put_block(l, cols + 64 * k, n);
		for (size_t i = from; i <= to; i++) {
			if (left == 0) {
				*o = v;
				o += width;
				left = every;
			}
			left--;
			if (i < to && rows->v[i] < nsymbols)
				v = step(v, l->match[rows->v[i]], &l->carry[i - from]);
		}
		clear_block(l, cols + 64 * k, n);
	}
}

static size_t square_root(size_t n)
{
	size_t r = 1;

	while (r * r < n)
		r++;
	return r;
}

void lcs_mark(struct lcs *l, const struct ids *rows, const uint32_t *cols, size_t ncols, uint32_t nsymbols, bool *hit)
{
	size_t width = (ncols + 63) / 64, i = rows->n, j = ncols, every, first = SIZE_MAX;

	if (ncols == 0 || rows->n == 0)
		return;
	room(l, rows->n, nsymbols);
	every = width * (rows->n + 1) <= WHOLE ? rows->n : square_root(rows->n);
	words(&l->kept, &l->kept_cap, (rows->n / every + 1) * width);
	words(&l->rows, &l->rows_cap, (every + 1) * width);
	table(l, rows, 0, every < rows->n ? rows->n : 0, cols, ncols, nsymbols, NULL, every, l->kept);
	while (i > 0 && j > 0) {
		const uint64_t *v;
		size_t above;

		if ((i - 1) / every * every != first) {         /* the rows from the one kept before I down to the next */
			size_t to;

			first = (i - 1) / every * every;
			to = rows->n - first < every ? rows->n : first + every;
			table(l, rows, first, to, cols, ncols, nsymbols, l->kept + first / every * width, 1, l->rows);
		}
		v = l->rows + (i - first) * width;
		above = value(v - width, j);                    /* t[i-1][j]; T is t[i][j-1] below */
		for (size_t t = value(v, j - 1); j > 0; j--) {
			if (rows->v[i - 1] == cols[j - 1]) {
				hit[i - 1] = true;
				j--;
				break;
			}
			if (t <= above)
				break;
			above -= ~(v - width)[(j - 1) / 64] >> ((j - 1) % 64) & 1;
			if (j > 1)
				t -= ~v[(j - 2) / 64] >> ((j - 2) % 64) & 1;
		}
		i--;
	}
}

void lcs_free(struct lcs *l)
{
	mem_free(l->match);
	mem_free(l->carry);
	mem_free(l->kept);
	mem_free(l->rows);
	memset(l, 0, sizeof *l);
}
