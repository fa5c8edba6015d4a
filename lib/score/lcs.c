/* SPDX-License-Identifier: Apache-2.0 */
#include "lcs.h"

#include <string.h>

#include "mem.h"

/* Bit j of match[symbol]: column j holds it. */
static size_t columns(struct lcs *l, const uint32_t *cols, size_t n, uint32_t nsymbols)
{
	size_t width = (n + 63) / 64, need = width * nsymbols;

	if (need > l->match_cap) {
		l->match_cap = need + need / 2;
		l->match = mem_grow(l->match, l->match_cap, sizeof *l->match);
	}
	if (need)
		memset(l->match, 0, need * sizeof *l->match);
	for (size_t j = 0; j < n; j++)
		l->match[cols[j] * width + j / 64] |= 1ull << (j % 64);
	return width;
}

/* The row after V for a symbol with match bits M: V' = (V + (V & M)) | (V & ~M). */
static void step(const uint64_t *v, const uint64_t *m, uint64_t *to, size_t width)
{
	unsigned carry = 0;

	for (size_t k = 0; k < width; k++) {
		uint64_t u = v[k] & m[k], sum;
		unsigned c = __builtin_add_overflow(v[k], u, &sum);

		c |= __builtin_add_overflow(sum, (uint64_t)carry, &sum);
		to[k] = sum | (v[k] & ~m[k]);
		carry = c;
	}
}

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

static uint64_t *rows_room(struct lcs *l, size_t words)
{
	if (words > l->rows_cap) {
		l->rows_cap = words + words / 2;
		l->rows = mem_grow(l->rows, l->rows_cap, sizeof *l->rows);
	}
	return l->rows;
}

size_t lcs_length(struct lcs *l, const struct ids *rows, const uint32_t *cols, size_t ncols, uint32_t nsymbols)
{
	size_t width;
	uint64_t *v;

	if (ncols == 0 || rows->n == 0)
		return 0;
	width = columns(l, cols, ncols, nsymbols);
	v = rows_room(l, width);
	memset(v, 0xff, width * sizeof *v);
	for (size_t i = 0; i < rows->n; i++)
		if (rows->v[i] < nsymbols)
			step(v, l->match + rows->v[i] * width, v, width);
	return value(v, ncols);
}

void lcs_mark(struct lcs *l, const struct ids *rows, const uint32_t *cols, size_t ncols, uint32_t nsymbols, bool *hit)
{
	size_t width, i = rows->n, j = ncols;
	uint64_t *v;

	if (ncols == 0 || rows->n == 0)
		return;
	width = columns(l, cols, ncols, nsymbols);
	v = rows_room(l, width * (rows->n + 1));
	memset(v, 0xff, width * sizeof *v);
	for (size_t r = 0; r < rows->n; r++) {
		const uint64_t *up = v + r * width;
		uint64_t *to = v + (r + 1) * width;

		if (rows->v[r] < nsymbols)
			step(up, l->match + rows->v[r] * width, to, width);
		else
			memcpy(to, up, width * sizeof *to);
	}
	while (i > 0 && j > 0) {
		if (rows->v[i - 1] == cols[j - 1]) {
			hit[--i] = true;
			j--;
		} else if (value(v + i * width, j - 1) > value(v + (i - 1) * width, j)) {
			j--;
		} else {
			i--;
		}
	}
}

void lcs_free(struct lcs *l)
{
	mem_free(l->match);
	mem_free(l->rows);
	memset(l, 0, sizeof *l);
}
