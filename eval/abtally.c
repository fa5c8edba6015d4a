/* SPDX-License-Identifier: Apache-2.0 */
#include "abtally.h"

#include <math.h>
#include <string.h>

#include "bradley.h"
#include "csvline.h"
#include "stats.h"
#include "textable.h"

static const char no_solution[] = "no finite solution: some system cannot be reached from another along wins and ties";

/* --- figures --- */

struct pair {
	size_t a, b;
	double wins, losses, ties, n;   /* of A */
	double rate, lo, hi;            /* without ties; NaN where there is nothing else */
	double half, of_all, p;
};

static struct pair pair_of(const struct ab_tally *t, size_t a, size_t b)
{
	const struct ab_votes *v = t->v;
	struct pair x = { a, b, v->wins[a * t->n + b], v->wins[b * t->n + a], v->tied[a * t->n + b], 0, NAN, NAN, NAN, NAN, NAN, NAN };

	x.n = x.wins + x.losses + x.ties;
	if (x.wins + x.losses > 0) {
		x.rate = x.wins / (x.wins + x.losses);
		stats_wilson(x.wins, x.wins + x.losses, &x.lo, &x.hi);
		x.p = stats_mcnemar((uint64_t)x.wins, (uint64_t)x.losses);
	}
	if (x.n > 0) {
		x.half = (x.wins + x.ties / 2) / x.n;
		x.of_all = x.wins / x.n;
	}
	return x;
}

/* Of all votes on system I: the share won, ties as half. */
static double win_rate(const struct ab_tally *t, size_t i)
{
	double won = 0, n = 0;

	for (size_t j = 0; j < t->n; j++) {
		struct pair x = pair_of(t, i, j);

		won += x.wins + x.ties / 2;
		n += x.n;
	}
	return n > 0 ? won / n : NAN;
}

static void put_order(struct ab_tally *t)
{
	for (uint32_t i = 0; i < t->n; i++) {
		double mine = t->finite ? t->strength[i] : win_rate(t, i);
		uint32_t at = i;

		for (; at > 0 && (t->finite ? t->strength[t->order[at - 1]] : win_rate(t, t->order[at - 1])) < mine; at--)
			t->order[at] = t->order[at - 1];
		t->order[at] = i;
	}
}

void ab_tally(struct ab_tally *t, const struct ab_votes *v)
{
	size_t n = v->system.n;
	double *wins = mem_new(n * n * sizeof *wins);
	struct ratings r;

	*t = (struct ab_tally){ .v = v, .n = n };
	t->strength = mem_new(n * sizeof *t->strength);
	t->se = mem_new(n * sizeof *t->se);
	t->order = mem_new(n * sizeof *t->order);
	for (size_t k = 0; k < n * n; k++)
		wins[k] = v->wins[k] + v->tied[k] / 2;
	t->finite = bradley_terry(n, wins, t->strength, t->se, &t->nll);
	mem_free(wins);
	put_order(t);
	ab_ratings(v, &r);
	t->shared = r.items > 0;
	if (t->shared) {
		t->percent = agree_percent(&r, NULL);
		t->alpha = agree_alpha(&r, NULL, LEVEL_NOMINAL);
	}
	ratings_release(&r);
}

void ab_tally_free(struct ab_tally *t)
{
	mem_free(t->strength);
	mem_free(t->se);
	mem_free(t->order);
	memset(t, 0, sizeof *t);
}

static const char *name(const struct ab_tally *t, size_t system)
{
	return t->v->system.e[system].key;
}

static double elo(double strength)
{
	return 1000 + 400 / log(10) * strength;
}

/* --- JSON --- */

static void number(struct jw *w, const char *key, double v)
{
	jw_key(w, key);
	jw_double(w, v);
}

static void count(struct jw *w, const char *key, double v)
{
	jw_key(w, key);
	jw_uint(w, (uint64_t)v);
}

static void range(struct jw *w, const char *key, double lo, double hi)
{
	jw_key(w, key);
	jw_arr(w);
	jw_double(w, lo);
	jw_double(w, hi);
	jw_arr_end(w);
}

static void pair_json(const struct ab_tally *t, const struct pair *x, struct jw *w)
{
	jw_obj(w);
	jw_key(w, "a");
	jw_str(w, name(t, x->a));
	jw_key(w, "b");
	jw_str(w, name(t, x->b));
	count(w, "n", x->n);
	count(w, "win", x->wins);
	count(w, "tie", x->ties);
	count(w, "loss", x->losses);
	number(w, "win_rate_without_ties", x->rate);
	if (isnan(x->rate)) {
		jw_key(w, "reason");
		jw_str(w, x->n > 0 ? "only ties" : "no votes on this pair");
	} else {
		range(w, "ci95_wilson_without_ties", x->lo, x->hi);
	}
	number(w, "win_rate_ties_half", x->half);
	number(w, "win_rate_of_all", x->of_all);
	number(w, "sign_test_p", x->p);
	jw_obj_end(w);
}

static void strengths_json(const struct ab_tally *t, struct jw *w)
{
	jw_key(w, "bradley_terry");
	jw_obj(w);
	jw_key(w, "finite_solution");
	jw_bool(w, t->finite);
	if (!t->finite) {
		jw_key(w, "reason");
		jw_str(w, no_solution);
	} else {
		number(w, "neg_log_likelihood", t->nll);
	}
	jw_key(w, "systems");
	jw_arr(w);
	for (size_t k = 0; k < t->n; k++) {
		uint32_t i = t->order[k];

		jw_obj(w);
		jw_key(w, "name");
		jw_str(w, name(t, i));
		number(w, "win_rate", win_rate(t, i));
		if (t->finite) {
			number(w, "log_strength", t->strength[i]);
			number(w, "se_log_strength", t->se[i]);
			range(w, "ci95_log_strength", t->strength[i] - STATS_Z95 * t->se[i], t->strength[i] + STATS_Z95 * t->se[i]);
			number(w, "elo_scale", elo(t->strength[i]));
		}
		jw_obj_end(w);
	}
	jw_arr_end(w);
	jw_obj_end(w);
}

static void agreement_json(const struct ab_tally *t, struct jw *w)
{
	jw_key(w, "agreement");
	if (!t->shared) {
		jw_null(w);
		return;
	}
	jw_obj(w);
	number(w, "pooled_pairs", t->percent.pooled_pairs.v);
	number(w, "all_voters_equal", t->percent.all_raters_equal.v);
	number(w, "krippendorff_alpha", t->alpha.v);
	if (t->alpha.reason) {
		jw_key(w, "reason");
		jw_str(w, t->alpha.reason);
	}
	jw_obj_end(w);
}

void ab_tally_json(const struct ab_tally *t, struct buf *out)
{
	struct jw w;

	jw_init(&w, out);
	jw_obj(&w);
	tool_schema_json(&w, "sft.ab/1");
	count(&w, "votes", (double)t->v->n);
	count(&w, "not_voted", (double)t->v->empty);
	count(&w, "voters", t->v->named ? (double)t->v->voter.n : 1);
	count(&w, "left", (double)t->v->left);
	count(&w, "right", (double)t->v->right);
	count(&w, "tie", (double)t->v->ties);
	number(&w, "left_right_p", stats_mcnemar(t->v->left, t->v->right));
	jw_key(&w, "pairs");
	jw_arr(&w);
	for (size_t a = 0; a < t->n; a++)
		for (size_t b = a + 1; b < t->n; b++) {
			struct pair x = pair_of(t, a, b);

			pair_json(t, &x, &w);
		}
	jw_arr_end(&w);
	strengths_json(t, &w);
	agreement_json(t, &w);
	jw_obj_end(&w);
	buf_ch(out, '\n');
}

/* --- CSV --- */

void ab_tally_csv(const struct ab_tally *t, struct buf *out)
{
	static const char *const head[] = { "a", "b", "n", "win", "tie", "loss", "win_rate_without_ties", "low", "high", "win_rate_ties_half",
	                                    "win_rate_of_all", "sign_test_p" };
	struct csvline c = { out, false };

	csv_head(&c, head, sizeof head / sizeof *head);
	for (size_t a = 0; a < t->n; a++)
		for (size_t b = a + 1; b < t->n; b++) {
			struct pair x = pair_of(t, a, b);
			const double counts[] = { x.n, x.wins, x.ties, x.losses }, cells[] = { x.rate, x.lo, x.hi, x.half, x.of_all, x.p };

			csv_str(&c, name(t, a));
			csv_str(&c, name(t, b));
			for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
				csv_uint(&c, (uint64_t)counts[k]);
			for (size_t k = 0; k < sizeof cells / sizeof *cells; k++)
				csv_real(&c, cells[k]);
			csv_end(&c);
		}
}

/* --- text --- */

static void pairs_text(const struct ab_tally *t, struct buf *out)
{
	static const char *const head[] = { "A", "B", "n", "A wins", "ties", "B wins", "A without ties", "95%", "ties half", "sign test p" };
	struct textable x = { 0 };

	for (size_t k = 0; k < sizeof head / sizeof *head; k++)
		textable_head(&x, head[k], k > 1);
	for (size_t i = 0; i < t->n; i++)
		for (size_t j = i + 1; j < t->n; j++) {
			struct pair p = pair_of(t, t->order[i], t->order[j]);

			textable_cell(&x, "%s", name(t, p.a));
			textable_cell(&x, "%s", name(t, p.b));
			textable_cell(&x, "%.0f", p.n);
			textable_cell(&x, "%.0f", p.wins);
			textable_cell(&x, "%.0f", p.ties);
			textable_cell(&x, "%.0f", p.losses);
			textable_number(&x, "%.4f", p.rate);
			if (isnan(p.rate))
				textable_cell(&x, "-");
			else
				textable_cell(&x, "%.4f..%.4f", p.lo, p.hi);
			textable_number(&x, "%.4f", p.half);
			if (p.p < 0.0001)
				textable_cell(&x, "<0.0001");
			else
				textable_number(&x, "%.4f", p.p);
			textable_row(&x);
		}
	textable_print(&x, out);
	textable_free(&x);
}

static void strengths_text(const struct ab_tally *t, struct buf *out)
{
	static const char *const head[] = { "Bradley-Terry", "strength", "95%", "Elo", "win rate" };
	struct textable x = { 0 };

	for (size_t k = 0; k < sizeof head / sizeof *head; k++)
		textable_head(&x, head[k], k > 0);
	for (size_t k = 0; k < t->n; k++) {
		uint32_t i = t->order[k];

		textable_cell(&x, "%s", name(t, i));
		if (t->finite) {
			textable_cell(&x, "%+.3f", t->strength[i]);
			textable_cell(&x, "%+.3f..%+.3f", t->strength[i] - STATS_Z95 * t->se[i], t->strength[i] + STATS_Z95 * t->se[i]);
			textable_cell(&x, "%.0f", elo(t->strength[i]));
		} else {
			for (int dash = 0; dash < 3; dash++)
				textable_cell(&x, "-");
		}
		textable_number(&x, "%.4f", win_rate(t, i));
		textable_row(&x);
	}
	textable_print(&x, out);
	textable_free(&x);
	if (!t->finite)
		buf_fmt(out, "%s\n", no_solution);
}

void ab_tally_text(const struct ab_tally *t, struct buf *out)
{
	const struct ab_votes *v = t->v;

	buf_fmt(out, "%zu votes of %zu voters, %llu rows without a vote; left won %llu, right %llu, ties %llu (sign test of the sides: p %.4f)\n\n",
	        v->n, v->named ? v->voter.n : 1, (unsigned long long)v->empty, (unsigned long long)v->left, (unsigned long long)v->right,
	        (unsigned long long)v->ties, stats_mcnemar(v->left, v->right));
	pairs_text(t, out);
	if (t->n > 2) {
		buf_ch(out, '\n');
		strengths_text(t, out);
	}
	if (!t->shared)
		return;
	buf_fmt(out, "\nvoters agree on %.1f%% of pairs of votes; Krippendorff's alpha ", 100 * t->percent.pooled_pairs.v);
	if (isnan(t->alpha.v))
		buf_fmt(out, "undefined: %s\n", t->alpha.reason);
	else
		buf_fmt(out, "%.4f\n", t->alpha.v);
}
