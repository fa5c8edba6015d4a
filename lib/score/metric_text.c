/* SPDX-License-Identifier: Apache-2.0 */
/* BLEU, chrF, TER and ROUGE as metrics. */
#include <string.h>

#include "metric_class.h"

/* --- BLEU: answer length, reference length, matches and n-grams per order --- */

static void bleu_unpack(const struct metric *m, const double *v, struct bleu_stats *st)
{
	unsigned n = m->o->bleu.max_order;

	st->sys_len = v[0];
	st->ref_len = v[1];
	memcpy(st->correct, v + 2, n * sizeof *v);
	memcpy(st->total, v + 2 + n, n * sizeof *v);
}

static int bleu_open(struct metric *m, struct err *e)
{
	static const char *const names[] = { "bleu" };

	(void)e;
	m->names = names;
	m->nvalues = 1;
	m->width = 2 + 2 * (size_t)m->o->bleu.max_order;
	return 0;
}

static int bleu_add(struct metric *m, struct text hyp, const struct text *ref, size_t nref, struct err *e)
{
	unsigned n = m->o->bleu.max_order;
	struct bleu_stats st;

	(void)e;
	bleu_segment(m->own, &m->o->bleu, hyp, ref, nref, &st);
	m->row[0] = st.sys_len;
	m->row[1] = st.ref_len;
	memcpy(m->row + 2, st.correct, n * sizeof *m->row);
	memcpy(m->row + 2 + n, st.total, n * sizeof *m->row);
	return 0;
}

static void bleu_score_of(const struct metric *m, const double *sum, bool sentence, struct bleu_score *b)
{
	struct bleu_stats st;

	bleu_unpack(m, sum, &st);
	bleu_from_stats(&m->o->bleu, sentence || m->o->bleu.effective_order, &st, b);
}

static void bleu_score(const struct metric *m, const double *sum, size_t n, double *out)
{
	struct bleu_score b;

	(void)n;
	bleu_score_of(m, sum, false, &b);
	out[0] = b.score;
}

static void bleu_item(struct metric *m, double *out)
{
	struct bleu_score b;

	bleu_score_of(m, m->row, true, &b);
	out[0] = b.score;
}

static void numbers(struct jw *w, const char *key, const double *v, unsigned n)
{
	jw_key(w, key);
	jw_arr(w);
	for (unsigned k = 0; k < n; k++)
		jw_number(w, v[k]);
	jw_arr_end(w);
}

static void bleu_json(struct metric *m, struct jw *w)
{
	unsigned n = m->o->bleu.max_order;
	struct bleu_score b;

	bleu_score_of(m, m->sum, false, &b);
	jw_key(w, "score");
	jw_double(w, b.score);
	numbers(w, "precisions", b.precisions, n);
	numbers(w, "counts", b.counts, n);
	numbers(w, "totals", b.totals, n);
	jw_key(w, "bp");
	jw_double(w, b.bp);
	jw_key(w, "ratio");
	jw_double(w, b.ratio);
	jw_key(w, "sys_len");
	jw_number(w, b.sys_len);
	jw_key(w, "ref_len");
	jw_number(w, b.ref_len);
}

static void score_item_json(struct metric *m, struct jw *w)
{
	double v;

	metric_item(m, &v);
	jw_double(w, v);
}

static void bleu_sig(const struct metric *m, struct buf *to)
{
	bleu_signature(&m->o->bleu, to);
}

static void bleu_close(struct metric *m)
{
	bleu_scratch_free(m->own);
}

const struct metric_class metric_bleu = {
	.name = "bleu", .apart = true, .version = "2.6.0", .size = sizeof(struct bleu_scratch), .open = bleu_open, .add = bleu_add, .score = bleu_score,
	.item = bleu_item, .json = bleu_json, .item_json = score_item_json, .signature = bleu_sig, .close = bleu_close,
};

/* --- chrF: n-grams of the answer, of the reference, matched; per order --- */

static void chrf_unpack(const struct metric *m, const double *v, struct chrf_stats *st)
{
	size_t n = m->o->chrf.char_order + m->o->chrf.word_order;

	memcpy(st->hyp, v, n * sizeof *v);
	memcpy(st->ref, v + n, n * sizeof *v);
	memcpy(st->match, v + 2 * n, n * sizeof *v);
}

static int chrf_open(struct metric *m, struct err *e)
{
	static const char *const names[] = { "chrf" };

	(void)e;
	m->names = names;
	m->nvalues = 1;
	m->width = 3 * (size_t)(m->o->chrf.char_order + m->o->chrf.word_order);
	return 0;
}

static int chrf_add(struct metric *m, struct text hyp, const struct text *ref, size_t nref, struct err *e)
{
	size_t n = m->width / 3;
	struct chrf_stats st;

	(void)e;
	memset(&st, 0, sizeof st);
	chrf_segment(m->own, &m->o->chrf, hyp, ref, nref, &st);
	memcpy(m->row, st.hyp, n * sizeof *m->row);
	memcpy(m->row + n, st.ref, n * sizeof *m->row);
	memcpy(m->row + 2 * n, st.match, n * sizeof *m->row);
	return 0;
}

static void chrf_score(const struct metric *m, const double *sum, size_t n, double *out)
{
	struct chrf_stats st;

	(void)n;
	chrf_unpack(m, sum, &st);
	out[0] = chrf_from_stats(&m->o->chrf, &st);
}

static void chrf_item(struct metric *m, double *out)
{
	chrf_score(m, m->row, 1, out);
}

static void chrf_json(struct metric *m, struct jw *w)
{
	struct buf name = { 0 };
	double v;

	chrf_score(m, m->sum, m->n, &v);
	chrf_name(&m->o->chrf, &name);
	jw_key(w, "score");
	jw_double(w, v);
	jw_key(w, "name");
	jw_strn(w, name.p, name.n);
	buf_free(&name);
}

static void chrf_sig(const struct metric *m, struct buf *to)
{
	chrf_signature(&m->o->chrf, to);
}

static void chrf_close(struct metric *m)
{
	chrf_scratch_free(m->own);
}

const struct metric_class metric_chrf = {
	.name = "chrf", .apart = true, .version = "2.6.0", .size = sizeof(struct chrf_scratch), .open = chrf_open, .add = chrf_add, .score = chrf_score,
	.item = chrf_item, .json = chrf_json, .item_json = score_item_json, .signature = chrf_sig, .close = chrf_close,
};

/* --- TER: edits, reference length --- */

static int ter_open(struct metric *m, struct err *e)
{
	static const char *const names[] = { "ter" };

	(void)e;
	m->names = names;
	m->nvalues = 1;
	m->width = 2;
	return 0;
}

static int ter_add(struct metric *m, struct text hyp, const struct text *ref, size_t nref, struct err *e)
{
	struct ter_stats st;
	int rc = ter_segment(m->own, &m->o->ter, hyp, ref, nref, &st, e);

	if (rc == 0) {
		m->row[0] = st.edits;
		m->row[1] = st.ref_len;
	}
	return rc;
}

static void ter_score(const struct metric *m, const double *sum, size_t n, double *out)
{
	struct ter_stats st = { sum[0], sum[1] };

	(void)m;
	(void)n;
	out[0] = ter_from_stats(&st);
}

static void ter_item(struct metric *m, double *out)
{
	ter_score(m, m->row, 1, out);
}

static void ter_members(const struct metric *m, const double *sum, struct jw *w)
{
	double v;

	ter_score(m, sum, 1, &v);
	jw_key(w, "score");
	jw_double(w, v);
	jw_key(w, "num_edits");
	jw_number(w, sum[0]);
	jw_key(w, "ref_length");
	jw_number(w, sum[1]);
}

static void ter_json(struct metric *m, struct jw *w)
{
	ter_members(m, m->sum, w);
}

static void ter_item_json(struct metric *m, struct jw *w)
{
	jw_obj(w);
	ter_members(m, m->row, w);
	jw_obj_end(w);
}

static void ter_sig(const struct metric *m, struct buf *to)
{
	ter_signature(&m->o->ter, to);
}

static void ter_close(struct metric *m)
{
	ter_scratch_free(m->own);
}

const struct metric_class metric_ter = {
	.name = "ter", .apart = true, .version = "2.6.0", .size = sizeof(struct ter_scratch), .lower_is_better = true, .open = ter_open, .add = ter_add,
	.score = ter_score, .item = ter_item, .json = ter_json, .item_json = ter_item_json, .signature = ter_sig, .close = ter_close,
};

/* --- ROUGE: precision, recall, F1 per type; the score is their mean --- */

struct rouge_own {
	struct rouge_scratch s;
	char name[ROUGE_MAX_TYPES][16];
	const char *names[ROUGE_MAX_TYPES];
};

static int rouge_open(struct metric *m, struct err *e)
{
	struct rouge_own *r = m->own;

	(void)e;
	for (unsigned k = 0; k < m->o->rouge.ntypes; k++) {
		rouge_type_name(m->o->rouge.type[k], r->name[k]);
		r->names[k] = r->name[k];
	}
	m->names = r->names;
	m->nvalues = m->o->rouge.ntypes;
	m->width = 3 * m->nvalues;
	return 0;
}

static int rouge_add(struct metric *m, struct text hyp, const struct text *ref, size_t nref, struct err *e)
{
	struct rouge_own *r = m->own;
	struct prf x[ROUGE_MAX_TYPES];
	int rc;

	if ((rc = rouge_segment(&r->s, &m->o->rouge, hyp, ref, nref, x, e)) != 0)
		return rc;
	for (size_t k = 0; k < m->nvalues; k++) {
		m->row[3 * k] = x[k].p;
		m->row[3 * k + 1] = x[k].r;
		m->row[3 * k + 2] = x[k].f;
	}
	return 0;
}

static void rouge_score(const struct metric *m, const double *sum, size_t n, double *out)
{
	for (size_t k = 0; k < m->nvalues; k++)
		out[k] = n ? sum[3 * k + 2] / (double)n : 0;
}

static void rouge_item(struct metric *m, double *out)
{
	rouge_score(m, m->row, 1, out);
}

static void rouge_members(const struct metric *m, const double *sum, size_t n, struct jw *w)
{
	jw_obj(w);
	for (size_t k = 0; k < m->nvalues; k++) {
		jw_key(w, m->names[k]);
		jw_arr(w);
		for (size_t i = 0; i < 3; i++)
			jw_double(w, n ? sum[3 * k + i] / (double)n : 0);
		jw_arr_end(w);
	}
	jw_obj_end(w);
}

static void rouge_json(struct metric *m, struct jw *w)
{
	jw_key(w, "mean_prf");
	rouge_members(m, m->sum, m->n, w);
}

static void rouge_item_json(struct metric *m, struct jw *w)
{
	rouge_members(m, m->row, 1, w);
}

static void rouge_sig(const struct metric *m, struct buf *to)
{
	rouge_signature(&m->o->rouge, to);
}

static void rouge_close(struct metric *m)
{
	rouge_scratch_free(&((struct rouge_own *)m->own)->s);
}

const struct metric_class metric_rouge = {
	.name = "rouge", .apart = true, .version = "rouge_score-0.1.2", .size = sizeof(struct rouge_own), .open = rouge_open, .add = rouge_add, .score = rouge_score,
	.item = rouge_item, .json = rouge_json, .item_json = rouge_item_json, .signature = rouge_sig, .close = rouge_close,
};
