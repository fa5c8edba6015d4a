/* SPDX-License-Identifier: Apache-2.0 */
#include "ter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SHIFT_SIZE = 10, MAX_SHIFT_DIST = 50, BEAM_WIDTH = 25, MAX_CANDIDATES = 1000, FAR = 1000000000 };
/* How a cell of the table was reached: a word kept, replaced, taken out of the answer, put in from the reference. */
enum { KEEP = ' ', REPLACE = 's', TAKE = 'd', PUT = 'i' };

/* One row of the table: the cells [lo, hi) within the beam; the others are FAR. */
struct band {
	int32_t *d;
	char *op;               /* NULL: not wanted */
	size_t lo, hi;
};

/* The cells of row I that the beam covers: sacreBLEU's pseudo-diagonal, give or take s->beam; the last row goes to the end. */
static struct band band(const struct ter_scratch *s, size_t i)
{
	size_t nr = s->ref.n, diagonal = (size_t)floor((double)i * s->ratio);
	struct band b = { s->cost + i * s->stride, s->op + i * s->stride, 0, nr + 1 };

	if (i == 0) {
		b.d = s->first;
		return b;
	}
	if (diagonal > s->beam)
		b.lo = diagonal - s->beam;
	if (i < s->hyp.n && diagonal + s->beam < b.hi)
		b.hi = diagonal + s->beam;
	return b;
}

static int table_room(struct ter_scratch *s, struct err *e)
{
	size_t nh = s->hyp.n, nr = s->ref.n, cells;

	s->ratio = nh ? (double)nr / (double)nh : 1;
	s->beam = BEAM_WIDTH < s->ratio / 2 ? (size_t)ceil(s->ratio / 2 + BEAM_WIDTH) : BEAM_WIDTH;
	s->stride = 2 * s->beam + 3;
	if (__builtin_mul_overflow(nh + 3, s->stride, &cells) || cells > SIZE_MAX / 8)
		return err_set(e, SFT_SYSTEM, "ter: a segment of %zu words is too long", nh);
	if (cells > s->cost_cap) {
		mem_free(s->cost);
		mem_free(s->op);
		s->cost_cap = 0;
		s->cost = mem_try(cells * sizeof *s->cost);
		s->op = mem_try(cells);
		if (s->cost == NULL || s->op == NULL)
			return err_set(e, SFT_SYSTEM, "ter: no memory for a segment of %zu words against %zu", nh, nr);
		s->cost_cap = cells;
	}
	if (nr + nh + 2 > s->align_cap) {
		s->align_cap = nr + nh + 2;
		s->first = mem_grow(s->first, s->align_cap, sizeof *s->first);
		s->align = mem_grow(s->align, s->align_cap, sizeof *s->align);
		s->hyp_err = mem_grow(s->hyp_err, s->align_cap, sizeof *s->hyp_err);
		s->ref_err = mem_grow(s->ref_err, s->align_cap, sizeof *s->ref_err);
	}
	for (size_t j = 0; j <= nr; j++)
		s->first[j] = (int32_t)j;
	return 0;
}

static inline int32_t cell(const struct band *b, size_t j)
{
	return j >= b->lo && j < b->hi ? b->d[j - b->lo] : FAR;
}

/* The row of WORD below UP.  Ties prefer keep or replace, then take, then put. */
static void fill(const struct ter_scratch *s, uint32_t word, const struct band *up, struct band *b)
{
	int32_t left = FAR, corner = b->lo ? cell(up, b->lo - 1) : FAR, above;

	for (size_t j = b->lo; j < b->hi; j++, corner = above) {
		int32_t best = FAR;
		char op = TAKE;

		above = cell(up, j);
		if (j > 0) {
			bool same = word == s->ref.v[j - 1];
			if (corner + !same < best) {
				best = corner + !same;
				op = same ? KEEP : REPLACE;
			}
		}
		if (above + 1 < best) {
			best = above + 1;
			op = TAKE;
		}
		if (j > 0 && left + 1 < best) {
			best = left + 1;
			op = PUT;
		}
		left = b->d[j - b->lo] = best;
		if (b->op)
			b->op[j - b->lo] = op;
	}
}

/* Levenshtein distance of the answer and the reference within the beam; the table stays for align(). */
static int32_t distance(struct ter_scratch *s)
{
	struct band up = band(s, 0), now;

	for (size_t i = 1; i <= s->hyp.n; i++, up = now) {
		now = band(s, i);
		fill(s, s->hyp.v[i - 1], &up, &now);
	}
	return cell(&up, s->ref.n);
}

/* The same for s->shifted, which begins with the FROM first words of the answer: their rows stand in the table. */
static int32_t trial(struct ter_scratch *s, size_t from)
{
	struct band up = band(s, from), now;

	for (size_t i = from + 1; i <= s->hyp.n; i++, up = now) {
		now = band(s, i);
		now.d = s->cost + (s->hyp.n + 1 + (i & 1)) * s->stride;    /* two rows beyond the table, in turn */
		now.op = NULL;
		fill(s, s->shifted.v[i - 1], &up, &now);
	}
	return cell(&up, s->ref.n);
}

/* Walk the table back from its end: where each word of the reference stands in the answer, and which words are wrong,
 * as counts before each position. */
static void align(struct ter_scratch *s)
{
	size_t nh = s->hyp.n, nr = s->ref.n, i = nh, j = nr;

	memset(s->hyp_err, 0, (nh + 1) * sizeof *s->hyp_err);
	memset(s->ref_err, 0, (nr + 1) * sizeof *s->ref_err);
	while (i > 0 || j > 0) {
		struct band b = band(s, i);
		char op = i == 0 ? PUT : j == 0 ? TAKE : j >= b.lo && j < b.hi ? b.op[j - b.lo] : REPLACE;

		if (op == TAKE) {
			s->hyp_err[i--] = 1;
			continue;
		}
		s->align[--j] = (int32_t)i - 1;
		s->ref_err[j + 1] = op != KEEP;
		if (op != PUT)
			s->hyp_err[i--] = op != KEEP;
	}
	for (size_t k = 1; k <= nh; k++)
		s->hyp_err[k] += s->hyp_err[k - 1];
	for (size_t k = 1; k <= nr; k++)
		s->ref_err[k] += s->ref_err[k - 1];
}

/* WORDS with [START, START + LEN) moved to TARGET; the first position that changed. */
static size_t move(const uint32_t *words, size_t n, size_t start, size_t len, size_t target, uint32_t *to)
{
	size_t out = 0, first = target < start ? target : start;

	if (target < start) {
		memcpy(to, words, target * sizeof *to);
		memcpy(to + target, words + start, len * sizeof *to);
		memcpy(to + target + len, words + target, (start - target) * sizeof *to);
		out = start + len;
	} else {
		size_t end = target > start + len ? target : len + target < n ? len + target : n;   /* within the block: past it */

		memcpy(to, words, start * sizeof *to);
		memcpy(to + start, words + start + len, (end - start - len) * sizeof *to);
		memcpy(to + end - len, words + start, len * sizeof *to);
		out = end;
	}
	memcpy(to + out, words + out, (n - out) * sizeof *to);
	return first;
}

struct shift {
	int32_t gain;
	size_t len, start, target;
	bool any;
};

/* Larger gain, then longer, then from further left, then to further left. */
static bool better(const struct shift *a, const struct shift *b)
{
	if (!b->any || a->gain != b->gain)
		return !b->any || a->gain > b->gain;
	if (a->len != b->len)
		return a->len > b->len;
	if (a->start != b->start)
		return a->start < b->start;
	return a->target < b->target;
}

/* Try to move LEN words at START to where the reference has them, at AT: before it, or after any word of it. */
static void try_moves(struct ter_scratch *s, size_t start, size_t at, size_t len, int32_t before,
                      struct shift *best, unsigned *tried)
{
	int64_t last = -1;

	for (size_t k = 0; k <= len; k++) {             /* after word AT + K - 1 of the reference */
		int64_t target = at + k == 0 ? 0 : s->align[at + k - 1] + 1;
		struct shift c = { 0, len, start, (size_t)target, true };

		if (target == last)
			continue;
		last = target;
		c.gain = before - trial(s, move(s->hyp.v, s->hyp.n, start, len, c.target, s->shifted.v));
		++*tried;
		if (better(&c, best)) {
			*best = c;
			memcpy(s->best.v, s->shifted.v, s->hyp.n * sizeof *s->best.v);
		}
	}
}

/* The best move of words that the answer has in a wrong place; stops when enough were tried. */
static void find_shift(struct ter_scratch *s, int32_t before, struct shift *best, unsigned *tried)
{
	size_t nh = s->hyp.n, nr = s->ref.n;

	for (size_t h = 0; h < nh; h++)
		for (size_t r = h > MAX_SHIFT_DIST ? h - MAX_SHIFT_DIST : 0; r < nr && r <= h + MAX_SHIFT_DIST; r++)
			for (size_t len = 0; len < MAX_SHIFT_SIZE && h + len < nh && r + len < nr && s->hyp.v[h + len] == s->ref.v[r + len];) {
				len++;
				if (s->hyp_err[h + len] == s->hyp_err[h] || s->ref_err[r + len] == s->ref_err[r])
					continue;
				if (s->align[r] >= (int32_t)h && s->align[r] < (int32_t)(h + len))
					continue;
				try_moves(s, h, r, len, before, best, tried);
				if (*tried >= MAX_CANDIDATES)
					return;
			}
}

static int edits(struct ter_scratch *s, double *out, struct err *e)
{
	unsigned tried = 0, shifts = 0;
	int32_t cost;
	int rc;

	if (s->ref.n == 0) {
		*out = (double)s->hyp.n;
		return 0;
	}
	if ((rc = table_room(s, e)) != 0)
		return rc;
	ids_room(&s->shifted, s->hyp.n);
	ids_room(&s->best, s->hyp.n);
	cost = distance(s);
	for (;;) {
		struct shift best = { 0 };

		align(s);
		find_shift(s, cost, &best, &tried);
		if (tried >= MAX_CANDIDATES || !best.any || best.gain <= 0)
			break;
		shifts++;
		memcpy(s->hyp.v, s->best.v, s->hyp.n * sizeof *s->hyp.v);
		cost = distance(s);
	}
	*out = shifts + cost;
	return 0;
}

/* sacreBLEU tokenises a reference twice (once when it is cached, once when its words are taken), and normalising what is
 * normalised can cut again: "it's," gives "it's" and ",", and then "it", "'s" and ",". */
static void reference_words(struct ter_scratch *s, const struct ter_words *o, struct text ref)
{
	words_ter(&s->ref_words, o, ref);
	if (!o->normalized)
		return;
	s->again.n = 0;
	for (size_t i = 0; i < s->ref_words.n; i++) {
		if (i)
			buf_ch(&s->again, ' ');
		buf_add(&s->again, s->ref_words.w[i].p, s->ref_words.w[i].n);
	}
	words_ter(&s->ref_words, o, (struct text){ s->again.p, s->again.n });
}

int ter_segment(struct ter_scratch *s, const struct ter_words *o, struct text hyp, const struct text *ref, size_t nref,
                struct ter_stats *out, struct err *e)
{
	double least = INFINITY, lengths = 0, now;
	int rc;

	words_ter(&s->hyp_words, o, hyp);
	for (size_t r = 0; r < nref; r++) {
		put_words(&s->intern, &s->hyp_words, &s->hyp);          /* anew: shifts change it */
		reference_words(s, o, ref[r]);
		find_words(&s->intern, &s->ref_words, &s->ref);
		if ((rc = edits(s, &now, e)) != 0)
			return rc;
		lengths += (double)s->ref.n;
		if (now < least)
			least = now;
	}
	out->edits = least;
	out->ref_len = lengths / (double)nref;
	return 0;
}

double ter_from_stats(const struct ter_stats *sum)
{
	if (sum->ref_len > 0)
		return 100 * (sum->edits / sum->ref_len);
	return sum->edits > 0 ? 100 : 0;        /* nothing was wanted */
}

void ter_signature(const struct ter_words *o, struct buf *to)
{
	buf_fmt(to, "case:%s|tok:tercom|norm:%s|punct:%s|asian:%s", o->case_sensitive ? "mixed" : "lc", o->normalized ? "yes" : "no",
	        o->no_punct ? "no" : "yes", o->asian_support ? "yes" : "no");
}

void ter_scratch_free(struct ter_scratch *s)
{
	words_free(&s->hyp_words);
	words_free(&s->ref_words);
	buf_free(&s->again);
	mem_free(s->hyp.v);
	mem_free(s->ref.v);
	mem_free(s->shifted.v);
	mem_free(s->best.v);
	intern_free(&s->intern);
	mem_free(s->cost);
	mem_free(s->op);
	mem_free(s->first);
	mem_free(s->align);
	mem_free(s->hyp_err);
	mem_free(s->ref_err);
	memset(s, 0, sizeof *s);
}
