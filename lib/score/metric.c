/* SPDX-License-Identifier: Apache-2.0 */
#include "metric.h"

#include <math.h>
#include <string.h>

#include "metric_class.h"
#include "opt.h"
#include "resample.h"

static const struct metric_class *const classes[] = {
	&metric_accuracy, &metric_bleu, &metric_calibration, &metric_chrf, &metric_compliance, &metric_distinct, &metric_length, &metric_match, &metric_repetition,
	&metric_rouge, &metric_ter, &metric_terms,
};
enum { NCLASSES = sizeof classes / sizeof *classes };

const char *const *metric_names(void)
{
	static const char *const names[NCLASSES + 1] = { "accuracy", "bleu", "calibration", "chrf", "compliance", "distinct", "length", "match", "repetition",
	                                                 "rouge", "ter", "terms", NULL };

	return names;
}

const char *metric_list(void)
{
	return "accuracy, bleu, calibration, chrf, compliance, distinct, length, match, repetition, rouge, ter, terms";
}

static const struct metric_class *class_of(const char *name)
{
	for (size_t k = 0; k < NCLASSES; k++)
		if (strcmp(classes[k]->name, name) == 0)
			return classes[k];
	return NULL;
}

const char *metric_lacks(const char *name, const struct metric_opts *o)
{
	const struct metric_class *c = class_of(name);

	return c && c->lacks ? c->lacks(o) : NULL;
}

void metric_opts_init(struct metric_opts *o)
{
	memset(o, 0, sizeof *o);
	o->bleu.max_order = 4;
	o->bleu.smooth_value = -1;
	o->chrf.char_order = 6;
	o->chrf.beta = 2;
	o->rouge.ntypes = 4;
	o->rouge.type[0] = 1;
	o->rouge.type[1] = 2;
	o->rouge.type[2] = ROUGE_L;
	o->rouge.type[3] = ROUGE_LSUM;
	o->match.name = "exact";
}

int metric_open(struct metric **out, const char *name, const struct metric_opts *o, bool keep, struct err *e)
{
	const struct metric_class *c = class_of(name);
	struct metric *m;
	const char *near, *lacks;
	int rc;

	*out = NULL;
	if (c == NULL) {
		near = opt_nearest(name, metric_names(), NCLASSES);
		return err_set(e, SFT_USAGE, "no metric '%s'%s%s%s", name, near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
	}
	if ((lacks = metric_lacks(name, o)) != NULL)
		return err_set(e, SFT_USAGE, "%s", lacks);
	m = mem_new(sizeof *m);
	m->c = c;
	m->o = o;
	m->keep = keep;
	m->own = mem_new(m->c->size);
	if ((rc = m->c->open(m, e)) != 0) {
		metric_close(m);
		return rc;
	}
	m->sum = mem_new(m->width * sizeof *m->sum);
	m->row = mem_new(m->width * sizeof *m->row);
	*out = m;
	return 0;
}

void metric_close(struct metric *m)
{
	if (m == NULL)
		return;
	m->c->close(m);
	mem_free(m->own);
	mem_free(m->sum);
	mem_free(m->row);
	mem_free(m->rows);
	mem_free(m);
}

/* Add what stands in m->row. */
static void add_row(struct metric *m, size_t nref)
{
	for (size_t k = 0; k < m->width; k++)
		m->sum[k] += m->row[k];
	if (m->keep) {
		if (m->n == m->cap) {
			m->cap = m->cap ? m->cap * 2 : 256;
			m->rows = mem_grow(m->rows, m->cap, m->width * sizeof *m->rows);
		}
		memcpy(m->rows + m->n * m->width, m->row, m->width * sizeof *m->row);
	}
	m->nref = m->n == 0 || m->nref == nref ? nref : SIZE_MAX;
	m->n++;
}

int metric_add(struct metric *m, struct text hyp, const struct text *ref, size_t nref, struct err *e)
{
	int rc = m->c->add(m, hyp, ref, nref, e);

	if (rc == 0)
		add_row(m, nref);
	return rc;
}

bool metric_apart(const struct metric *m)
{
	return m->c->apart;
}

size_t metric_width(const struct metric *m)
{
	return m->width;
}

int metric_measure(struct metric *m, struct text hyp, const struct text *ref, size_t nref, double *row, struct err *e)
{
	int rc = m->c->add(m, hyp, ref, nref, e);

	if (rc == 0)
		memcpy(row, m->row, m->width * sizeof *row);
	return rc;
}

void metric_take(struct metric *m, const double *row, size_t nref)
{
	memcpy(m->row, row, m->width * sizeof *row);
	add_row(m, nref);
}

void metric_set_class(struct metric *m, struct text class)
{
	m->class = class;
}

void metric_set_scores(struct metric *m, const struct choice_score *s, size_t n)
{
	m->scores = s;
	m->nscores = n;
}

bool metric_without_reference(const char *name)
{
	const struct metric_class *c = class_of(name);

	return c && c->no_reference;
}

bool metric_with_scores(const char *name)
{
	const struct metric_class *c = class_of(name);

	return c && c->scores;
}

bool metric_without(struct metric *m, double *out)
{
	if (m->c->without && out)
		m->c->without(m, out);
	return m->c->without != NULL;
}

void metric_score(struct metric *m, const uint32_t *pick, size_t n, double *out)
{
	double *sum;

	if (m->c->sample) {
		m->c->sample(m, pick, pick ? n : m->n, out);
		return;
	}
	if (pick == NULL) {
		m->c->score(m, m->sum, m->n, out);
		return;
	}
	sum = mem_new(m->width * sizeof *sum);
	for (size_t i = 0; i < n; i++) {
		const double *row = m->rows + pick[i] * m->width;
		for (size_t k = 0; k < m->width; k++)
			sum[k] += row[k];
	}
	m->c->score(m, sum, n, out);
	mem_free(sum);
}

struct metric_draws {
	struct metric *m;
	const uint32_t *item;
	size_t n;
	struct resample_rows *rows;     /* NULL: the metric has its own way */
};

struct metric_draws *metric_draws_open(struct metric *m, const uint32_t *item, size_t n)
{
	struct metric_draws *d = mem_new(sizeof *d);

	*d = (struct metric_draws){ m, item, item ? n : m->n, NULL };
	if (m->c->resample == NULL)
		d->rows = resample_rows_new(m->rows, d->item, d->n, m->width);
	return d;
}

void metric_draws_close(struct metric_draws *d)
{
	resample_rows_free(d->rows);
	mem_free(d);
}

bool metric_draws_apart(const struct metric_draws *d)
{
	return d->rows != NULL;         /* else it has scratch of its own */
}

void metric_draws_score(struct metric_draws *d, const uint8_t *times, size_t lanes, double *out)
{
	struct metric *m = d->m;
	double *sums, *sum;

	if (d->rows == NULL) {
		m->c->resample(m, times, d->item, d->n, lanes, out);
		return;
	}
	sums = mem_new(m->width * (RESAMPLE_LANES + 1) * sizeof *sums);
	sum = sums + m->width * RESAMPLE_LANES;
	resample_sums(d->rows, times, sums);
	for (size_t l = 0; l < lanes; l++) {
		for (size_t k = 0; k < m->width; k++)
			sum[k] = sums[k * RESAMPLE_LANES + l];
		m->c->score(m, sum, d->n, out + l * m->nvalues);
	}
	mem_free(sums);
}

void metric_item(struct metric *m, double *out)
{
	m->c->item(m, out);
}

void metric_item_json(struct metric *m, struct jw *w)
{
	m->c->item_json(m, w);
}

void metric_json(struct metric *m, struct jw *w)
{
	m->c->json(m, w);
}

const char *metric_name(const struct metric *m)
{
	return m->c->name;
}

uint64_t metric_count(const struct metric *m)
{
	return m->n;
}

bool metric_lower_is_better(const struct metric *m)
{
	return m->c->lower_is_better;
}

size_t metric_values(const struct metric *m, const char *const **names)
{
	*names = m->names;
	return m->nvalues;
}

bool metric_share(const struct metric *m, size_t v, double *k)
{
	return m->c->share && m->c->share(m, v, k);
}

void metric_signature(const struct metric *m, uint64_t resamples, uint64_t seed, struct buf *to)
{
	if (m->nref == SIZE_MAX && !m->c->no_reference)
		buf_str(to, "nrefs:var|");
	else if (!m->c->no_reference)
		buf_fmt(to, "nrefs:%zu|", m->nref);
	if (resamples && m->c->without == NULL)
		buf_fmt(to, "bs:%llu|seed:%llu|", (unsigned long long)resamples, (unsigned long long)seed);
	m->c->signature(m, to);
	buf_fmt(to, "|version:%s", m->c->version);
}

void metric_signatures_json(struct metric *const *m, const char *const *name, size_t n, uint64_t resamples, uint64_t seed, struct jw *w)
{
	struct buf sig = { 0 };

	jw_key(w, "signature");
	jw_obj(w);
	for (size_t k = 0; k < n; k++) {
		sig.n = 0;
		metric_signature(m[k], resamples, seed, &sig);
		jw_key(w, name[k]);
		jw_strn(w, sig.p, sig.n);
	}
	jw_obj_end(w);
	buf_free(&sig);
}
