/* SPDX-License-Identifier: Apache-2.0 */
#include "bleu.h"

#include <math.h>
#include <string.h>

static void match_brief(struct bleu_scratch *s, const struct bleu_opts *o, uint64_t *taken)
{
	_Static_assert((int)BLEU_MAX_ORDER <= (int)SHORTSEG_ORDERS, "a set for every order");
	shortseg_reference(&s->brief, &s->other);
	shortseg_grams(&s->brief, o->max_order, taken);
}

static void match_long(struct bleu_scratch *s, uint64_t *match)
{
	find_words(&s->intern, &s->other, &s->ref);
	grams_reference(&s->grams, s->ref.v, s->ref.n, match);
}

void bleu_segment(struct bleu_scratch *s, const struct bleu_opts *o, struct text hyp, const struct text *ref, size_t nref,
                  struct bleu_stats *out)
{
	uint64_t match[BLEU_MAX_ORDER] = { 0 }, taken[BLEU_MAX_ORDER] = { 0 };
	size_t closest = 0, best = SIZE_MAX, nhyp;
	bool brief;

	words_bleu(&s->words, o->tokenize, o->lowercase, hyp);
	nhyp = s->words.n;
	brief = shortseg_answer(&s->brief, &s->words);
	if (!brief) {
		put_words(&s->intern, &s->words, &s->hyp);
		grams_answer(&s->grams, s->hyp.v, s->hyp.n, o->max_order);
	}
	for (size_t r = 0; r < nref; r++) {
		size_t n, diff;

		words_bleu(&s->other, o->tokenize, o->lowercase, ref[r]);
		if (brief)
			match_brief(s, o, taken);
		else
			match_long(s, match);
		n = s->other.n;
		diff = n > nhyp ? n - nhyp : nhyp - n;
		if (diff < best || (diff == best && n < closest)) {
			best = diff;
			closest = n;
		}
	}
	out->sys_len = (double)nhyp;
	out->ref_len = (double)closest;
	for (unsigned k = 0; k < o->max_order; k++) {
		out->correct[k] = (double)(brief ? (uint64_t)__builtin_popcountll(taken[k]) : match[k]);
		out->total[k] = (double)grams_total(nhyp, k + 1);
	}
}

static double smooth_value(const struct bleu_opts *o)
{
	return o->smooth_value >= 0 ? o->smooth_value : o->smooth == SMOOTH_FLOOR ? 0.1 : 1;
}

/* Smoothed precisions; returns the number of orders that count. */
static unsigned precisions(const struct bleu_opts *o, bool effective, struct bleu_score *b)
{
	double halves = 1, k = smooth_value(o);
	unsigned order = o->max_order;

	for (unsigned n = 0; n < o->max_order; n++) {
		if (o->smooth == SMOOTH_ADD_K && n > 0) {
			b->counts[n] += k;
			b->totals[n] += k;
		}
		if (b->totals[n] == 0)
			break;
		if (effective)
			order = n + 1;
		if (b->counts[n] != 0) {
			b->precisions[n] = 100 * b->counts[n] / b->totals[n];
		} else if (o->smooth == SMOOTH_EXP) {
			halves *= 2;
			b->precisions[n] = 100 / (halves * b->totals[n]);
		} else if (o->smooth == SMOOTH_FLOOR) {
			b->precisions[n] = 100 * k / b->totals[n];
		}
	}
	return order;
}

void bleu_from_stats(const struct bleu_opts *o, bool effective, const struct bleu_stats *sum, struct bleu_score *b)
{
	double logs = 0;
	bool any = false;
	unsigned order;

	memset(b, 0, sizeof *b);
	b->sys_len = sum->sys_len;
	b->ref_len = sum->ref_len;
	b->ratio = b->ref_len > 0 ? b->sys_len / b->ref_len : 0;
	b->bp = b->sys_len >= b->ref_len ? 1 : b->sys_len > 0 ? exp(1 - b->ref_len / b->sys_len) : 0;
	for (unsigned n = 0; n < o->max_order; n++) {
		b->counts[n] = sum->correct[n];
		b->totals[n] = sum->total[n];
		any |= b->counts[n] != 0;
	}
	if (!any)
		return;                         /* nothing matches: 0 whatever the smoothing */
	order = precisions(o, effective, b);
	for (unsigned n = 0; n < order; n++)
		logs += b->precisions[n] > 0 ? log(b->precisions[n]) : -9999999999.;
	b->score = b->bp * exp(logs / order);
}

void bleu_signature(const struct bleu_opts *o, struct buf *to)
{
	static const char *const tok[] = { "13a", "zh", "char", "intl", "none" };
	static const char *const smooth[] = { "exp", "floor", "add-k", "none" };

	buf_fmt(to, "case:%s|eff:%s|tok:%s|smooth:%s", o->lowercase ? "lc" : "mixed", o->effective_order ? "yes" : "no",
	        tok[o->tokenize], smooth[o->smooth]);
	if (o->smooth == SMOOTH_FLOOR || o->smooth == SMOOTH_ADD_K)
		buf_fmt(to, "[%.2f]", smooth_value(o));
}

void bleu_scratch_free(struct bleu_scratch *s)
{
	words_free(&s->words);
	words_free(&s->other);
	shortseg_free(&s->brief);
	mem_free(s->hyp.v);
	mem_free(s->ref.v);
	intern_free(&s->intern);
	grams_free(&s->grams);
	memset(s, 0, sizeof *s);
}
