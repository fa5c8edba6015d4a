/* SPDX-License-Identifier: Apache-2.0 */
#include "chrf.h"

#include <string.h>

static bool ascii_punct(unsigned char c)
{
	return c > 0x20 && c < 0x7f && !(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static void chars_of(const struct chrf_opts *o, struct text t, struct ids *to)
{
	uint32_t *v = ids_room(to, t.n);
	size_t n = 0;

	for (size_t at = 0; at < t.n;) {
		uint32_t c = text_next(t, &at);
		if (o->whitespace || !text_is_space(c))
			v[n++] = c;
	}
	to->n = n;
}

/* Words with one ASCII punctuation mark taken off their end, else off their beginning, as a word of its own. */
static void words_of(struct words *w, struct text t)
{
	size_t n, marks = 0;

	words_split(w, t);
	n = w->n;
	for (size_t i = 0; i < n; i++) {                /* count, then spread from the back */
		const struct text x = w->w[i];
		marks += x.n > 1 && (ascii_punct((unsigned char)x.p[x.n - 1]) || ascii_punct((unsigned char)x.p[0]));
	}
	while (w->cap < n + marks) {
		w->cap = w->cap ? w->cap * 2 : 16;
		w->w = mem_grow(w->w, w->cap, sizeof *w->w);
	}
	w->n = n + marks;
	for (size_t i = n, out = w->n; i-- > 0;) {
		const struct text x = w->w[i];

		if (x.n > 1 && ascii_punct((unsigned char)x.p[x.n - 1])) {
			w->w[--out] = (struct text){ x.p + x.n - 1, 1 };
			w->w[--out] = (struct text){ x.p, x.n - 1 };
		} else if (x.n > 1 && ascii_punct((unsigned char)x.p[0])) {
			w->w[--out] = (struct text){ x.p + 1, x.n - 1 };
			w->w[--out] = (struct text){ x.p, 1 };
		} else {
			w->w[--out] = x;
		}
	}
}

static struct text prepare(const struct chrf_opts *o, struct buf *low, struct text t)
{
	if (!o->lowercase)
		return t;
	text_lower(low, t);
	return (struct text){ low->p, low->n };
}

static void set_order(struct chrf_stats *st, unsigned i, uint64_t hyp, uint64_t ref, uint64_t match)
{
	st->hyp[i] = ref ? (double)hyp : 0;
	st->ref[i] = (double)ref;
	st->match[i] = (double)match;
}

static void against(struct chrf_scratch *s, const struct chrf_opts *o, struct text ref, struct chrf_stats *st)
{
	uint64_t match[CHRF_MAX_ORDER] = { 0 };

	ref = prepare(o, &s->ref_low, ref);
	chars_of(o, ref, &s->ref_chars);
	grams_forget(&s->chars);
	grams_reference(&s->chars, s->ref_chars.v, s->ref_chars.n, match);
	for (unsigned i = 0; i < o->char_order; i++)
		set_order(st, i, grams_total(s->hyp_chars.n, i + 1), grams_total(s->ref_chars.n, i + 1), match[i]);
	if (o->word_order == 0)
		return;
	memset(match, 0, sizeof match);
	words_of(&s->ref_words, ref);
	find_words(&s->intern, &s->ref_words, &s->ref_ids);
	grams_forget(&s->words);
	grams_reference(&s->words, s->ref_ids.v, s->ref_ids.n, match);
	for (unsigned i = 0; i < o->word_order; i++)
		set_order(st, o->char_order + i, grams_total(s->hyp_ids.n, i + 1), grams_total(s->ref_ids.n, i + 1), match[i]);
}

void chrf_segment(struct chrf_scratch *s, const struct chrf_opts *o, struct text hyp, const struct text *ref, size_t nref,
                  struct chrf_stats *out)
{
	struct chrf_stats st = { { 0 }, { 0 }, { 0 } };
	double best = -1, f;

	hyp = prepare(o, &s->hyp_low, hyp);
	chars_of(o, hyp, &s->hyp_chars);
	grams_answer(&s->chars, s->hyp_chars.v, s->hyp_chars.n, o->char_order);
	if (o->word_order) {
		words_of(&s->hyp_words, hyp);
		put_words(&s->intern, &s->hyp_words, &s->hyp_ids);
		grams_answer(&s->words, s->hyp_ids.v, s->hyp_ids.n, o->word_order);
	}
	for (size_t r = 0; r < nref; r++) {
		against(s, o, ref[r], &st);
		f = chrf_from_stats(o, &st);
		if (f > best) {
			best = f;
			*out = st;
		}
	}
}

double chrf_from_stats(const struct chrf_opts *o, const struct chrf_stats *sum)
{
	unsigned order = o->char_order + o->word_order, effective = 0;
	double factor = o->beta * o->beta, eps = 1e-16, each = 0, prec = 0, rec = 0;

	for (unsigned i = 0; i < order; i++) {
		double p = sum->hyp[i] > 0 ? sum->match[i] / sum->hyp[i] : eps;
		double r = sum->ref[i] > 0 ? sum->match[i] / sum->ref[i] : eps;
		double denom = factor * p + r;

		each += denom > 0 ? (1 + factor) * p * r / denom : eps;
		if (sum->hyp[i] > 0 && sum->ref[i] > 0) {
			prec += p;
			rec += r;
			effective++;
		}
	}
	if (o->eps_smoothing)
		return 100 * each / order;
	if (effective == 0 || prec + rec == 0)
		return 0;
	prec /= effective;
	rec /= effective;
	return 100 * ((1 + factor) * prec * rec / (factor * prec + rec));
}

void chrf_name(const struct chrf_opts *o, struct buf *to)
{
	buf_fmt(to, "chrF%.15g", o->beta);
	for (unsigned i = 0; i < o->word_order; i++)
		buf_ch(to, '+');
}

void chrf_signature(const struct chrf_opts *o, struct buf *to)
{
	buf_fmt(to, "case:%s|eff:%s|nc:%u|nw:%u|space:%s", o->lowercase ? "lc" : "mixed", o->eps_smoothing ? "no" : "yes",
	        o->char_order, o->word_order, o->whitespace ? "yes" : "no");
}

void chrf_scratch_free(struct chrf_scratch *s)
{
	words_free(&s->hyp_words);
	words_free(&s->ref_words);
	buf_free(&s->hyp_low);
	buf_free(&s->ref_low);
	mem_free(s->hyp_chars.v);
	mem_free(s->ref_chars.v);
	mem_free(s->hyp_ids.v);
	mem_free(s->ref_ids.v);
	intern_free(&s->intern);
	grams_free(&s->chars);
	grams_free(&s->words);
	memset(s, 0, sizeof *s);
}
