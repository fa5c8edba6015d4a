/* SPDX-License-Identifier: Apache-2.0 */
/* Accuracy and what follows from the confusion of labels, as a metric. */
#include <string.h>

#include "metric_class.h"
#include "resample.h"

enum { MAX_MATRIX = 1000 };     /* labels; more, and the matrix is left out of the JSON */

struct own {
	struct answer answer;
	struct labels labels;
	uint32_t *order;        /* of the labels when norder of them were there */
	size_t norder, known;
	struct label_counts *sampled;
	size_t sampled_cap;
};

static int open_(struct metric *m, struct err *e)
{
	static const char *const names[] = { "accuracy", "balanced_accuracy", "mcc", "macro_f1", "weighted_f1", "micro_f1" };
	struct own *a = m->own;

	(void)e;
	m->names = names;
	m->nvalues = sizeof names / sizeof *names;
	m->width = 3;                   /* numbers of the gold and the predicted label; right */
	for (size_t k = 0; k < m->o->nlabels; k++)
		labels_give(&a->labels, m->o->labels[k]);
	return 0;
}

static int add(struct metric *m, struct text hyp, const struct text *ref, size_t nref, struct err *e)
{
	struct own *a = m->own;
	uint32_t gold, pred;
	int rc = answer_judge(&a->answer, &m->o->match, hyp, ref, nref, e);

	if (rc)
		return rc;
	gold = labels_id(&a->labels, a->answer.gold);
	pred = labels_id(&a->labels, a->answer.pred);
	labels_add(&a->labels, gold, pred, a->answer.right);
	m->row[0] = gold;
	m->row[1] = pred;
	m->row[2] = a->answer.right;
	return 0;
}

static void put_order(struct own *a)
{
	if (a->order && a->known == a->labels.name.n)
		return;
	mem_free(a->order);
	a->order = labels_order(&a->labels, &a->norder);
	a->known = a->labels.name.n;
}

static void values(const struct own *a, const struct label_counts *c, size_t n, uint64_t right, double *out)
{
	struct label_scores s;

	labels_scores(&a->labels, c, n, right, a->order, a->norder, &s);
	out[0] = s.accuracy;
	out[1] = s.balanced_accuracy;
	out[2] = s.mcc;
	out[3] = s.macro.f1;
	out[4] = s.weighted.f1;
	out[5] = s.micro.f1;
}

/* Zeroed counts of N samples, one after the other. */
static struct label_counts *sampled_room(struct own *a, size_t n)
{
	put_order(a);
	if (a->sampled_cap < a->known * n) {
		a->sampled_cap = a->known * n;
		a->sampled = mem_grow(a->sampled, a->sampled_cap, sizeof *a->sampled);
	}
	if (a->known)
		memset(a->sampled, 0, a->known * n * sizeof *a->sampled);
	return a->sampled;
}

static inline void count(struct label_counts *c, const double *row, uint64_t times)
{
	c[(size_t)row[0]].gold += times;
	c[(size_t)row[1]].pred += times;
	c[(size_t)row[0]].right += row[2] != 0 ? times : 0;
}

static void sample(struct metric *m, const uint32_t *pick, size_t n, double *out)
{
	struct own *a = m->own;
	struct label_counts *c;
	uint64_t right = 0;

	if (pick == NULL) {
		put_order(a);
		values(a, a->labels.c, n, a->labels.right, out);
		return;
	}
	c = sampled_room(a, 1);
	for (size_t i = 0; i < n; i++) {
		const double *row = m->rows + 3 * (size_t)pick[i];

		count(c, row, 1);
		right += row[2] != 0;
	}
	values(a, c, n, right, out);
}

static void resample_(struct metric *m, const uint8_t *times, const uint32_t *item, size_t n, size_t lanes, double *out)
{
	struct own *a = m->own;
	struct label_counts *c = sampled_room(a, lanes);
	uint64_t right[RESAMPLE_LANES] = { 0 };

	for (size_t i = 0; i < n; i++, times += RESAMPLE_LANES) {
		const double *row = m->rows + 3 * (item ? item[i] : i);

		for (size_t l = 0; l < lanes; l++) {
			count(c + l * a->known, row, times[l]);
			right[l] += row[2] != 0 ? times[l] : 0;
		}
	}
	for (size_t l = 0; l < lanes; l++)
		values(a, c + l * a->known, n, right[l], out + l * m->nvalues);
}

static void item(struct metric *m, double *out)
{
	for (size_t k = 0; k < m->nvalues; k++)
		out[k] = m->row[2];
}

static void item_json(struct metric *m, struct jw *w)
{
	struct own *a = m->own;

	jw_obj(w);
	jw_key(w, "right");
	jw_bool(w, a->answer.right);
	jw_key(w, "gold");
	jw_strn(w, a->answer.gold.p, a->answer.gold.n);
	jw_key(w, "predicted");
	jw_strn(w, a->answer.pred.p, a->answer.pred.n);
	jw_obj_end(w);
}

static void prf_members(struct jw *w, const struct prf_scores *x)
{
	jw_key(w, "precision");
	jw_double(w, x->precision);
	jw_key(w, "recall");
	jw_double(w, x->recall);
	jw_key(w, "f1");
	jw_double(w, x->f1);
}

static void average(struct jw *w, const char *key, const struct prf_scores *x)
{
	jw_key(w, key);
	jw_obj(w);
	prf_members(w, x);
	jw_obj_end(w);
}

static void per_class(const struct own *a, struct jw *w)
{
	jw_key(w, "per_class");
	jw_arr(w);
	for (size_t i = 0; i < a->norder; i++) {
		const struct label_counts *c = &a->labels.c[a->order[i]];
		const struct strmap_entry *name = &a->labels.name.e[a->order[i]];
		struct prf_scores x = labels_prf(c);

		jw_obj(w);
		jw_key(w, "label");
		jw_strn(w, name->key, name->n);
		prf_members(w, &x);
		jw_key(w, "support");
		jw_uint(w, c->gold);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

static void matrix(const struct own *a, struct jw *w)
{
	jw_key(w, "confusion_matrix");
	if (a->norder > MAX_MATRIX) {
		jw_null(w);
		jw_key(w, "reason");
		jw_str(w, "more than 1000 labels: no confusion matrix");
		return;
	}
	jw_arr(w);
	for (size_t i = 0; i < a->norder; i++) {
		jw_arr(w);
		for (size_t j = 0; j < a->norder; j++)
			jw_uint(w, labels_cell(&a->labels, a->order[i], a->order[j]));
		jw_arr_end(w);
	}
	jw_arr_end(w);
}

static void json(struct metric *m, struct jw *w)
{
	struct own *a = m->own;
	struct label_scores s;

	put_order(a);
	labels_scores(&a->labels, a->labels.c, a->labels.n, a->labels.right, a->order, a->norder, &s);
	jw_key(w, "n");
	jw_uint(w, a->labels.n);
	jw_key(w, "right");
	jw_uint(w, a->labels.right);
	jw_key(w, "accuracy");
	jw_double(w, s.accuracy);
	jw_key(w, "balanced_accuracy");
	jw_double(w, s.balanced_accuracy);
	jw_key(w, "mcc");
	jw_double(w, s.mcc);
	average(w, "micro", &s.micro);
	average(w, "macro", &s.macro);
	average(w, "weighted", &s.weighted);
	jw_key(w, "labels");
	jw_arr(w);
	for (size_t i = 0; i < a->norder; i++)
		jw_strn(w, a->labels.name.e[a->order[i]].key, a->labels.name.e[a->order[i]].n);
	jw_arr_end(w);
	per_class(a, w);
	matrix(a, w);
}

const struct labels *metric_labels(struct metric *m, const uint32_t **order, size_t *n)
{
	struct own *a = m->own;

	if (m->c != &metric_accuracy)
		return NULL;
	put_order(a);
	*order = a->order;
	*n = a->norder;
	return &a->labels;
}

static void signature(const struct metric *m, struct buf *to)
{
	buf_fmt(to, "match:%s", m->o->match.name);
	if (m->o->nlabels)
		buf_fmt(to, "|labels:%zu given", m->o->nlabels);
}

static bool share(const struct metric *m, size_t v, double *k)
{
	*k = (double)((struct own *)m->own)->labels.right;
	return v == 0;
}

static void close_(struct metric *m)
{
	struct own *a = m->own;

	answer_free(&a->answer);
	labels_free(&a->labels);
	mem_free(a->order);
	mem_free(a->sampled);
}

const struct metric_class metric_accuracy = {
	.name = "accuracy", .version = "scikit-learn-1.9.1", .size = sizeof(struct own), .open = open_, .add = add, .sample = sample, .resample = resample_, .item = item,
	.json = json, .item_json = item_json, .signature = signature, .share = share, .close = close_,
};
