/* SPDX-License-Identifier: Apache-2.0 */
/* The likeliest of given answers, without scoring them all.
 *
 * The choices form a tree of tokens.  A score is a sum of log-probabilities, none above 0: what a path has so far bounds everything below it.
 * The path with the highest bound is followed first, and the search is over when a whole choice has more than every bound that is
 * left: the result is that of scoring all of them.  A model that is sure is done after a pass or two; where it is not, what is left is
 * scored together, as choices.c does, for then nearly all paths would have to be followed. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decodecache.h"
#include "mem.h"

/* Paths that a pass follows (a pass of few tokens costs little more than one of one); such passes before all that is left is scored. */
enum { FOLLOW = 4, PASSES = 2 };

/* The choices order[lo .. hi-1], which begin with the same DEPTH tokens. */
struct path {
	uint32_t lo, hi, depth;
	double sum, bound;              /* of those tokens; the most that a choice among them can have */
};

struct search {
	struct decoder *d;
	const uint32_t *prompt;
	uint32_t n;
	struct decode_choice *c;
	const double *divisor;
	uint32_t *order;                /* choices as their ids sort */
	struct path *open;              /* [nopen]: at most one for each choice */
	uint32_t nopen;
	struct path now[FOLLOW];        /* under way in the pass */
	struct path *late;              /* [nlate] single choices under way in a pass of what is left */
	uint32_t nlate;
	uint32_t upto[FOLLOW], nnow;    /* tokens of the path that are in the pass, of which each from the path's depth on is predicted */
	uint32_t best;
	double score;                   /* of the best, divided; -INFINITY: none yet */
};

static int by_ids(const void *x, const void *y, void *ctx)
{
	const struct decode_choice *c = ctx, *a = &c[*(const uint32_t *)x], *b = &c[*(const uint32_t *)y];

	for (uint32_t i = 0; i < a->n && i < b->n; i++)
		if (a->ids[i] != b->ids[i])
			return a->ids[i] < b->ids[i] ? -1 : 1;
	return a->n != b->n ? (a->n < b->n ? -1 : 1) : (*(const uint32_t *)x > *(const uint32_t *)y) - (*(const uint32_t *)x < *(const uint32_t *)y);
}

static double divisor(const struct search *s, uint32_t i)
{
	return s->divisor ? s->divisor[i] : 1;
}

static const struct decode_choice *at(const struct search *s, uint32_t i)
{
	return &s->c[s->order[i]];
}

/* Choice ORDER[I] has been scored to its end. */
static void whole(struct search *s, uint32_t i, double sum)
{
	uint32_t k = s->order[i];
	double score = sum / divisor(s, k);

	s->c[k].score = sum;
	if (score > s->score || (score == s->score && k < s->best)) {
		s->score = score;
		s->best = k;
	}
}

/* The choices LO .. HI-1, of whose first DEPTH tokens SUM is known.  Those that end there come first, as they sort. */
static void put(struct search *s, uint32_t lo, uint32_t hi, uint32_t depth, double sum)
{
	double most = 0;

	for (; lo < hi && at(s, lo)->n == depth; lo++)
		whole(s, lo, sum);
	if (lo == hi)
		return;
	for (uint32_t i = lo; i < hi; i++)
		most = fmax(most, divisor(s, s->order[i]));
	s->open[s->nopen++] = (struct path){ lo, hi, depth, sum, sum / most };
}

/* A path with the highest bound, if one can still be as good as the best choice. */
static bool take(struct search *s, struct path *p)
{
	uint32_t k = UINT32_MAX;

	for (uint32_t i = 0; i < s->nopen; i++)
		if (s->open[i].bound >= s->score && (k == UINT32_MAX || s->open[i].bound > s->open[k].bound))
			k = i;
	if (k == UINT32_MAX)
		return false;
	*p = s->open[k];
	s->open[k] = s->open[--s->nopen];
	return true;
}

/* Tokens of P to compute: those that all its choices have in common, but for the last token of a choice, which is only predicted; at most
 * ROOM of them not known yet. */
static uint32_t common(const struct search *s, const struct path *p, uint32_t room)
{
	const struct decode_choice *a = at(s, p->lo), *b = at(s, p->hi - 1);
	uint32_t n = p->depth;

	while (n < a->n && n < b->n && a->ids[n] == b->ids[n])
		n++;
	if (p->hi - p->lo == 1)
		n = a->n - 1;
	return n - p->depth < room ? n : p->depth + room - 1;
}

/* The next paths into the pass; the tokens of each from its first one on, for few are known and rows of the cache must lie together. */
static bool fill(struct search *s)
{
	uint32_t row = s->n;

	pass_reset(s->d);
	for (s->nnow = 0; s->nnow < FOLLOW && s->d->nout < DECODE_TOGETHER && take(s, &s->now[s->nnow]); s->nnow++) {
		struct path *p = &s->now[s->nnow];
		uint32_t first = s->d->n, n = common(s, p, DECODE_TOGETHER - s->d->nout);

		s->upto[s->nnow] = n;
		pass_tokens(s->d, at(s, p->lo)->ids, n, s->n, row, s->n, row);
		for (uint32_t i = p->depth - 1; i < n; i++)
			pass_out(s->d, first + i, 0);
		row += n;
	}
	return s->nnow > 0;
}

/* What follows the first N tokens of the choices LO .. HI-1, as LOGITS have it. */
static void branch(struct search *s, const struct path *p, uint32_t n, double sum, const float *logits)
{
	double all = sampler_logsum(logits, s->d->sampler.vocab);
	uint32_t lo = p->lo, hi;

	for (; lo < p->hi && at(s, lo)->n == n; lo++)
		whole(s, lo, sum);
	for (; lo < p->hi; lo = hi) {
		uint32_t id = at(s, lo)->ids[n];

		for (hi = lo + 1; hi < p->hi && at(s, hi)->ids[n] == id; hi++)
			;
		put(s, lo, hi, n + 1, sum + (logits[id] - all));
	}
}

/* The logits of the pass. */
static void follow(struct search *s)
{
	uint32_t vocab = s->d->sampler.vocab;
	const float *logits = s->d->logits;

	for (uint32_t k = 0; k < s->nnow; k++) {
		struct path *p = &s->now[k];
		double sum = p->sum;

		for (uint32_t i = p->depth; i < s->upto[k]; i++, logits += vocab)
			sum += logits[at(s, p->lo)->ids[i]] - sampler_logsum(logits, vocab);
		branch(s, p, s->upto[k], sum, logits);
		logits += vocab;
	}
}

/* The choices of the pass of what is left, from the log-probabilities of their tokens. */
static int late(struct search *s, struct err *e)
{
	const float *logp;
	int rc = pass_run(s->d, NULL, e);

	if (rc != 0)
		return rc;
	logp = s->d->logp;
	for (uint32_t k = 0; k < s->nlate; k++) {
		double sum = s->late[k].sum;

		for (uint32_t i = s->late[k].depth; i < at(s, s->late[k].lo)->n; i++)
			sum += *logp++;
		whole(s, s->late[k].lo, sum);
	}
	s->nlate = 0;
	pass_reset(s->d);
	return 0;
}

/* Scores all choices that can still be the best. */
static int rest(struct search *s, struct err *e)
{
	struct path p;
	int rc = 0;

	pass_reset(s->d);
	while (rc == 0 && take(s, &p))
		for (uint32_t i = p.lo; i < p.hi && rc == 0; i++) {
			const struct decode_choice *c = at(s, i);
			uint32_t first = s->d->n;

			if (first && first + c->n > PASS_TOKENS && (rc = late(s, e)) != 0)
				break;
			first = s->d->n;
			pass_tokens(s->d, c->ids, c->n - 1, s->n, s->n + first, s->n, s->n + first);
			for (uint32_t k = p.depth; k < c->n; k++)
				pass_out(s->d, first + k - 1, c->ids[k]);
			s->late[s->nlate++] = (struct path){ .lo = i, .hi = i + 1, .depth = p.depth, .sum = p.sum };
		}
	return rc == 0 && s->nlate ? late(s, e) : rc;
}

/* The prompt, whose last token says what the choices begin with. */
static int begin(struct search *s, uint32_t nc, uint64_t rows, struct err *e)
{
	struct decoder *d = s->d;
	uint32_t from;
	int rc;

	if ((rc = decoder_rows(d, s->n + rows, e)) != 0)
		return rc;
	from = decoder_cached(d, s->prompt, s->n - 1);
	from = s->n - from > PASS_TOKENS ? s->n - PASS_TOKENS : from;
	if ((rc = decoder_prefix(d, s->prompt, from, e)) != 0)
		return rc;
	pass_reset(d);
	pass_tokens(d, s->prompt + from, s->n - from, from, from, 0, 0);
	pass_out(d, d->n - 1, 0);
	if ((rc = pass_run(d, d->logits, e)) != 0)
		return rc;
	decoder_hold(d, s->prompt, s->n);
	branch(s, &(struct path){ .lo = 0, .hi = nc }, 0, 0, d->logits);
	return 0;
}

int decode_best(struct decoder *d, const uint32_t *prompt, uint32_t n, struct decode_choice *c, uint32_t nc, const double *divide, uint32_t *best,
                struct err *e)
{
	struct search s = { .d = d, .prompt = prompt, .n = n, .c = c, .divisor = divide, .score = -INFINITY };
	uint64_t longest = 0, rows;
	int rc;

	s.order = mem_grow(NULL, nc, sizeof *s.order);
	s.open = mem_grow(NULL, nc, sizeof *s.open);
	s.late = mem_grow(NULL, nc, sizeof *s.late);
	for (uint32_t i = 0; i < nc; i++) {
		s.order[i] = i;
		longest = c[i].n > longest ? c[i].n : longest;
	}
	qsort_r(s.order, nc, sizeof *s.order, by_ids, c);
	rows = PASS_TOKENS > FOLLOW * longest ? PASS_TOKENS : FOLLOW * longest;
	rc = begin(&s, nc, rows, e);
	for (int i = 0; i < PASSES && rc == 0 && fill(&s); i++)
		if ((rc = pass_run(d, d->logits, e)) == 0)
			follow(&s);
	if (rc == 0)
		rc = rest(&s, e);
	*best = s.best;
	mem_free(s.order);
	mem_free(s.open);
	mem_free(s.late);
	return rc;
}
