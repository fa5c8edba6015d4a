/* SPDX-License-Identifier: Apache-2.0 */
#include "pplstats.h"

#include <math.h>
#include <string.h>

#include "csvline.h"
#include "json.h"
#include "resample.h"
#include "stats.h"
#include "textable.h"

enum { NLL, TOKENS, BYTES, WORDS, SEQUENCE, WIDTH };     /* SEQUENCE: the perplexity of the sequence alone */
enum { NVALUES = 7 };
static const char *const names[NVALUES] = { "perplexity", "mean_nll", "bits_per_token", "bits_per_byte", "perplexity_byte", "perplexity_word",
	                                    "mean_of_sequence_perplexity" };

void ppl_add(struct pplstats *p, double nll, double tokens, double bytes, double words)
{
	double *row;

	if (p->n == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 256;
		p->rows = mem_grow(p->rows, p->cap, WIDTH * sizeof *p->rows);
	}
	if (p->sum == NULL)
		p->sum = mem_new(WIDTH * sizeof *p->sum);
	p->no_bytes |= isnan(bytes);
	p->no_words |= isnan(words);
	row = p->rows + p->n++ * WIDTH;
	row[NLL] = nll;
	row[TOKENS] = tokens;
	row[BYTES] = isnan(bytes) ? 0 : bytes;
	row[WORDS] = isnan(words) ? 0 : words;
	row[SEQUENCE] = tokens > 0 ? exp(nll / tokens) : 0;
	for (int k = 0; k < WIDTH; k++)
		p->sum[k] += row[k];
}

double ppl_words(struct text t)
{
	double n = 0;
	bool in = false;

	for (size_t at = 0; at < t.n;) {
		bool space = text_is_space(text_next(t, &at));

		n += !space && !in;
		in = !space;
	}
	return n;
}

uint64_t ppl_tokens(const struct pplstats *p)
{
	return p->sum ? (uint64_t)p->sum[TOKENS] : 0;
}

void ppl_free(struct pplstats *p)
{
	mem_free(p->rows);
	mem_free(p->sum);
	memset(p, 0, sizeof *p);
}

/* From sums over N sequences. */
static void values(const struct pplstats *p, const double *s, double n, double out[NVALUES])
{
	double bytes = p->no_bytes || s[BYTES] == 0 ? NAN : s[BYTES], words = p->no_words || s[WORDS] == 0 ? NAN : s[WORDS];

	out[0] = exp(s[NLL] / s[TOKENS]);
	out[1] = s[NLL] / s[TOKENS];
	out[2] = s[NLL] / s[TOKENS] / log(2);
	out[3] = s[NLL] / bytes / log(2);
	out[4] = exp(s[NLL] / bytes);
	out[5] = exp(s[NLL] / words);
	out[6] = s[SEQUENCE] / n;
}

struct sampling {
	const struct pplstats *p;
	struct resample_rows *rows;
	double *samples;
};

static void sample(void *ctx, const uint8_t *times, size_t first, size_t lanes)
{
	const struct sampling *s = ctx;
	double sums[WIDTH * RESAMPLE_LANES], one[WIDTH];

	resample_sums(s->rows, times, sums);
	for (size_t l = 0; l < lanes; l++) {
		for (int k = 0; k < WIDTH; k++)
			one[k] = sums[k * RESAMPLE_LANES + (int)l];
		values(s->p, one, (double)s->p->n, s->samples + (first + l) * NVALUES);
	}
}

/* Percentile intervals at 95%; NaN without RESAMPLES. */
static void intervals(const struct pplstats *p, uint64_t resamples, uint64_t seed, double lo[NVALUES], double hi[NVALUES])
{
	double *samples = mem_grow(NULL, resamples * NVALUES + 1, sizeof *samples);
	struct sampling s = { p, resample_rows_new(p->rows, NULL, p->n, WIDTH), samples };

	if (resamples)
		resample(seed, (uint32_t)p->n, resamples, 1, sample, &s);
	for (size_t v = 0; v < NVALUES; v++) {
		lo[v] = hi[v] = NAN;
		if (resamples)
			stats_interval(samples, resamples, NVALUES, v, &lo[v], &hi[v]);
	}
	mem_free(samples);
	resample_rows_free(s.rows);
}

static void number(struct jw *w, const char *key, double v)
{
	jw_key(w, key);
	jw_double(w, v);
}

static const char *reason(const struct pplstats *p)
{
	return isinf(p->sum[NLL]) ? "a token has probability 0" : p->no_bytes || p->sum[BYTES] == 0 ? "the text of the tokens is not known" : NULL;
}

void ppl_json(const struct pplstats *p, uint64_t resamples, uint64_t seed, struct jw *w)
{
	double v[NVALUES], lo[NVALUES], hi[NVALUES];

	values(p, p->sum, (double)p->n, v);
	intervals(p, resamples, seed, lo, hi);
	for (int k = 0; k < NVALUES; k++)
		number(w, names[k], v[k]);
	number(w, "nll", p->sum[NLL]);
	jw_key(w, "tokens");
	jw_uint(w, (uint64_t)p->sum[TOKENS]);
	jw_key(w, "bytes");
	if (p->no_bytes)
		jw_null(w);
	else
		jw_uint(w, (uint64_t)p->sum[BYTES]);
	if (reason(p)) {
		jw_key(w, "reason");
		jw_str(w, reason(p));
	}
	if (resamples == 0)
		return;
	jw_key(w, "ci");
	jw_obj(w);
	number(w, "level", 0.95);
	jw_key(w, "resamples");
	jw_uint(w, resamples);
	for (int k = 0; k < NVALUES; k++) {
		jw_key(w, names[k]);
		jw_arr(w);
		jw_double(w, lo[k]);
		jw_double(w, hi[k]);
		jw_arr_end(w);
	}
	jw_key(w, "method");
	jw_str(w, "bootstrap over sequences (percentile)");
	jw_obj_end(w);
}

void ppl_text(const struct pplstats *p, uint64_t resamples, uint64_t seed, struct buf *out)
{
	double v[NVALUES], lo[NVALUES], hi[NVALUES];
	struct textable t = { 0 };

	values(p, p->sum, (double)p->n, v);
	intervals(p, resamples, seed, lo, hi);
	textable_head(&t, "metric", false);
	textable_head(&t, "value", true);
	if (resamples) {
		textable_head(&t, "low", true);
		textable_head(&t, "high", true);
	}
	for (int k = 0; k < NVALUES; k++) {
		const char *form = k == 0 || k >= 4 ? "%.4f" : "%.6f";

		textable_cell(&t, "%s", names[k]);
		textable_number(&t, form, v[k]);
		if (resamples) {
			textable_number(&t, form, lo[k]);
			textable_number(&t, form, hi[k]);
		}
		textable_row(&t);
	}
	textable_print(&t, out);
	textable_free(&t);
	buf_fmt(out, "\n%zu sequences, %.0f tokens that count", p->n, p->sum[TOKENS]);
	if (!p->no_bytes)
		buf_fmt(out, ", %.0f bytes", p->sum[BYTES]);
	buf_fmt(out, "%s%s\n", reason(p) ? "; " : "", reason(p) ? reason(p) : "");
}

void ppl_csv(const struct pplstats *p, uint64_t resamples, uint64_t seed, struct buf *out)
{
	static const char *const head[] = { "group", "metric", "value", "low", "high", "n" };
	double v[NVALUES], lo[NVALUES], hi[NVALUES];
	struct csvline c = { out, false };

	values(p, p->sum, (double)p->n, v);
	intervals(p, resamples, seed, lo, hi);
	csv_head(&c, head, sizeof head / sizeof *head);
	for (int k = 0; k < NVALUES; k++) {
		csv_str(&c, "");
		csv_str(&c, names[k]);
		csv_real(&c, v[k]);
		csv_real(&c, lo[k]);
		csv_real(&c, hi[k]);
		csv_uint(&c, p->n);
		csv_end(&c);
	}
}
