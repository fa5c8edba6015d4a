/* SPDX-License-Identifier: Apache-2.0 */
/* Calibration of choices: does the system know how sure it may be?
 *
 * The scores of an item's choices are logarithms of weights; their softmax gives probabilities.  The confidence is that of the
 * likeliest choice.  Items fall into 15 bins of confidence of equal width, closed on the right (M. P. Naeini et al., AAAI 2015;
 * C. Guo et al., ICML 2017): ece is the mean over items of |accuracy - confidence| of their bin, mce its largest.  brier is the
 * squared difference between the probabilities and what happened, summed over choices and halved where there are two
 * (scikit-learn's scale; G. W. Brier, Monthly Weather Review 78, 1950); log_loss the negative logarithm of the right choice's
 * probability, which is held at 2^-52 or more. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "metric_class.h"
#include "resample.h"

enum { BINS = 15, CONFIDENCE = 0, RIGHT, BRIER, LOSS, WIDTH };

struct bin {
	double n, confidence, right;
};

struct bins {
	struct bin bin[BINS];
	double brier, loss;
};

struct own {
	struct answer answer;
	double *p; /* probabilities of the choices of an item */
	size_t cap;
	struct bins all;
};

static const char *lacks(const struct metric_opts *o)
{
	return o->scores ? NULL : "calibration needs the scores of choices (expected predictions of sft generate --choices)";
}

static int open_(struct metric *m, struct err *e)
{
	static const char *const names[] = { "ece", "mce", "brier", "log_loss" };

	(void)e;
	m->names = names;
	m->nvalues = sizeof names / sizeof *names;
	m->width = WIDTH;
	return 0;
}

/* Softmax; the index of the likeliest choice, the first of equals. */
static size_t probabilities(struct own *a, const struct choice_score *s, size_t n)
{
	size_t best = 0;
	double sum = 0;

	if (n > a->cap) {
		a->cap = n;
		a->p = mem_grow(a->p, n, sizeof *a->p);
	}
	for (size_t k = 1; k < n; k++)
		best = s[k].score > s[best].score ? k : best;
	for (size_t k = 0; k < n; k++)
		sum += a->p[k] = exp(s[k].score - s[best].score);
	for (size_t k = 0; k < n; k++)
		a->p[k] /= sum;
	return best;
}

static void put(struct bins *b, const double *row, double times)
{
	/* 1e-9: a confidence at the edge of two bins belongs to the left one, whatever the softmax rounded */
	int k = (int)ceil(row[CONFIDENCE] * BINS - 1e-9) - 1;
	struct bin *x = &b->bin[k < 0 ? 0 : k >= BINS ? BINS - 1 : k];

	x->n += times;
	x->confidence += times * row[CONFIDENCE];
	x->right += times * row[RIGHT];
	b->brier += times * row[BRIER];
	b->loss += times * row[LOSS];
}

static int add(struct metric *m, struct text hyp, const struct text *ref, size_t nref, struct err *e)
{
	struct own *a = m->own;
	double gold = 0, brier = 0;
	size_t best;
	int rc;

	if (m->nscores == 0)
		return err_set(e, SFT_BADDATA, "no scores of choices (expected those of sft generate --choices)");
	best = probabilities(a, m->scores, m->nscores);
	for (size_t k = 0; k < m->nscores; k++) {
		if ((rc = answer_judge(&a->answer, &m->o->match, m->scores[k].choice, ref, nref, e)) != 0)
			return rc;
		brier += (a->p[k] - a->answer.right) * (a->p[k] - a->answer.right);
		gold += a->answer.right ? a->p[k] : 0;
	}
	if ((rc = answer_judge(&a->answer, &m->o->match, hyp, ref, nref, e)) != 0)
		return rc;
	m->row[CONFIDENCE] = a->p[best];
	m->row[RIGHT] = a->answer.right;
	m->row[BRIER] = m->nscores == 2 ? brier / 2 : brier;
	m->row[LOSS] = -log(gold > DBL_EPSILON ? gold : DBL_EPSILON);
	put(&a->all, m->row, 1);
	return 0;
}

static void values(const struct bins *b, double n, double *out)
{
	double ece = 0, mce = 0;

	for (size_t k = 0; k < BINS; k++) {
		double gap = fabs(b->bin[k].right - b->bin[k].confidence);

		ece += gap;
		if (b->bin[k].n > 0 && gap / b->bin[k].n > mce)
			mce = gap / b->bin[k].n;
	}
	out[0] = n > 0 ? ece / n : 0;
	out[1] = mce;
	out[2] = n > 0 ? b->brier / n : 0;
	out[3] = n > 0 ? b->loss / n : 0;
}

static void sample(struct metric *m, const uint32_t *pick, size_t n, double *out)
{
	struct bins b = { 0 };

	for (size_t i = 0; pick && i < n; i++)
		put(&b, m->rows + WIDTH * (size_t)pick[i], 1);
	values(pick ? &b : &((struct own *)m->own)->all, (double)n, out);
}

static void resample_(struct metric *m, const uint8_t *times, const uint32_t *item, size_t n, size_t lanes, double *out)
{
	struct bins b[RESAMPLE_LANES] = { 0 };

	for (size_t i = 0; i < n; i++, times += RESAMPLE_LANES)
		for (size_t l = 0; l < lanes; l++)
			if (times[l])
				put(&b[l], m->rows + WIDTH * (item ? item[i] : i), times[l]);
	for (size_t l = 0; l < lanes; l++)
		values(&b[l], (double)n, out + l * m->nvalues);
}

static void item(struct metric *m, double *out)
{
	out[0] = out[1] = fabs(m->row[RIGHT] - m->row[CONFIDENCE]);
	out[2] = m->row[BRIER];
	out[3] = m->row[LOSS];
}

static void number(struct jw *w, const char *key, double v)
{
	jw_key(w, key);
	jw_number(w, v);
}

static void item_json(struct metric *m, struct jw *w)
{
	jw_obj(w);
	number(w, "confidence", m->row[CONFIDENCE]);
	jw_key(w, "right");
	jw_bool(w, m->row[RIGHT] != 0);
	number(w, "brier", m->row[BRIER]);
	number(w, "log_loss", m->row[LOSS]);
	jw_obj_end(w);
}

static void bin_json(const struct bin *b, size_t k, struct jw *w)
{
	jw_obj(w);
	number(w, "from", (double)k / BINS);
	number(w, "to", (double)(k + 1) / BINS);
	number(w, "n", b->n);
	jw_key(w, "confidence");
	jw_double(w, b->n > 0 ? b->confidence / b->n : NAN);
	jw_key(w, "accuracy");
	jw_double(w, b->n > 0 ? b->right / b->n : NAN);
	jw_obj_end(w);
}

static void json(struct metric *m, struct jw *w)
{
	const struct bins *b = &((struct own *)m->own)->all;
	double v[4], confidence = 0, right = 0, n = (double)m->n;

	values(b, n, v);
	for (size_t k = 0; k < BINS; k++) {
		confidence += b->bin[k].confidence;
		right += b->bin[k].right;
	}
	number(w, "n", n);
	for (size_t k = 0; k < m->nvalues; k++) {
		jw_key(w, m->names[k]);
		jw_double(w, v[k]);
	}
	jw_key(w, "mean_accuracy");
	jw_double(w, right / n);
	jw_key(w, "mean_confidence");
	jw_double(w, confidence / n);
	jw_key(w, "bins");
	jw_arr(w);
	for (size_t k = 0; k < BINS; k++)
		bin_json(&b->bin[k], k, w);
	jw_arr_end(w);
}

static void signature(const struct metric *m, struct buf *to)
{
	buf_fmt(to, "match:%s|bins:%d", m->o->match.name, BINS);
}

static void close_(struct metric *m)
{
	struct own *a = m->own;

	answer_free(&a->answer);
	mem_free(a->p);
}

const struct metric_class metric_calibration = {
	.name = "calibration",
	.version = "1",
	.size = sizeof(struct own),
	.lower_is_better = true,
	.scores = true,
	.lacks = lacks,
	.open = open_,
	.add = add,
	.sample = sample,
	.resample = resample_,
	.item = item,
	.json = json,
	.item_json = item_json,
	.signature = signature,
	.close = close_,
};
