/* SPDX-License-Identifier: Apache-2.0 */
#include "figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

double figures_number(const struct json *obj, const char *key)
{
	const struct json *v = json_get(obj, key);

	return v ? json_double(v) : NAN;
}

void figures_range(const struct json *obj, const char *key, double *lo, double *hi)
{
	const struct json *v = json_get(obj, key);

	*lo = *hi = NAN;
	if (v == NULL || v->type != JSON_ARR || v->n != 2)
		return;
	*lo = json_double(&v->item[0]);
	*hi = json_double(&v->item[1]);
}

const struct json *figures_text(const struct json *obj, const char *key)
{
	static const struct json none = { .type = JSON_STR, .s = "?", .n = 1 };
	const struct json *v = json_get(obj, key);

	return v && v->type == JSON_STR ? v : &none;
}

const struct json *figures_list(const struct json *obj, const char *key)
{
	static const struct json none = { .type = JSON_ARR };
	const struct json *v = json_get(obj, key);

	return v && v->type == JSON_ARR ? v : &none;
}

bool figures_lower(const char *name)
{
	static const char *const words[] = { "ter", "perplexity", "mean_nll", "bits_per_byte", "ece",
					     "mce", "brier",      "log_loss", "empty",         "error_rate" };

	for (size_t k = 0; k < sizeof words / sizeof *words; k++)
		if (strcmp(name, words[k]) == 0)
			return true;
	return strncmp(name, "rep", 3) == 0 && name[3] >= '1' && name[3] <= '9';
}

enum figure_scale figures_scale(const char *name)
{
	static const char *const percent[] = { "bleu", "chrf", "ter" };
	static const char *const any[] = { "perplexity", "mean_nll", "bits_per_byte", "log_loss", "chars", "words" };

	for (size_t k = 0; k < sizeof percent / sizeof *percent; k++)
		if (strcmp(name, percent[k]) == 0)
			return FIGURE_PERCENT;
	for (size_t k = 0; k < sizeof any / sizeof *any; k++)
		if (strcmp(name, any[k]) == 0)
			return FIGURE_FREE;
	return FIGURE_UNIT;
}

void figures_p(double p, char to[16])
{
	if (isnan(p))
		strcpy(to, "-");
	else if (p < 0.0001)
		strcpy(to, "< 0.0001");
	else
		snprintf(to, 16, "%.4f", p);
}

int figures_places(const struct figure *f)
{
	return f->scale == FIGURE_UNIT ? 3 : 2;
}

void figures_title(const char *name, char to[64])
{
	static const struct {
		const char *name, *title;
	} known[] = {
		{ "mcc", "Matthews correlation" },
		{ "macro_f1", "Macro F1" },
		{ "weighted_f1", "Weighted F1" },
		{ "micro_f1", "Micro F1" },
		{ "bleu", "BLEU" },
		{ "chrf", "chrF" },
		{ "ter", "TER" },
		{ "rouge1", "ROUGE-1" },
		{ "rouge2", "ROUGE-2" },
		{ "rougeL", "ROUGE-L" },
		{ "rougeLsum", "ROUGE-Lsum" },
		{ "ece", "Expected calibration error" },
		{ "mce", "Largest calibration error" },
		{ "brier", "Brier score" },
		{ "mean_nll", "Mean negative log-likelihood" },
		{ "squad_em", "SQuAD exact match" },
		{ "squad_f1", "SQuAD F1" },
	};

	for (size_t k = 0; k < sizeof known / sizeof *known; k++)
		if (strcmp(name, known[k].name) == 0) {
			strcpy(to, known[k].title);
			return;
		}
	snprintf(to, 64, "%.63s", name);
	for (char *p = to; *p; p++)
		*p = *p == '_' ? ' ' : *p;
	if (*to >= 'a' && *to <= 'z')
		*to = (char)(*to - 'a' + 'A');
}

/* The F1 of "macro_f1" is a member of the object "macro". */
static double average(const struct json *m, const char *name)
{
	size_t n = strlen(name);
	char key[32];

	if (n < 4 || n - 3 >= sizeof key || strcmp(name + n - 3, "_f1") != 0)
		return NAN;
	memcpy(key, name, n - 3);
	key[n - 3] = '\0';
	return figures_number(json_get(m, key), "f1");
}

/* Value NAME of METRIC, wherever it stands: in a member of its own, as the metric's score, among means. */
static double value_of(const struct json *m, const char *metric, const char *name)
{
	const struct json *prf = json_get(json_get(m, "mean_prf"), name);
	double v = figures_number(m, name);

	if (isnan(v) && strcmp(metric, name) == 0)
		v = figures_number(m, "score");
	if (isnan(v))
		v = average(m, name);
	if (isnan(v))
		v = figures_number(json_get(m, "means"), name);
	if (isnan(v) && prf && prf->type == JSON_ARR && prf->n == 3)
		v = json_double(&prf->item[2]);
	return v;
}

struct list {
	struct figure *f;
	size_t n, cap;
};

static void add(struct list *l, const struct json *m, const char *metric, const char *name)
{
	struct figure f = { metric, name, value_of(m, metric, name), NAN, NAN, figures_scale(name), figures_lower(name) };

	if (isnan(f.v) || figures_find(l->f, l->n, name))
		return;
	figures_range(json_get(m, "ci"), name, &f.lo, &f.hi);
	if (f.scale == FIGURE_UNIT && (fabs(f.v) > 1 || fabs(f.hi) > 1))
		f.scale = FIGURE_FREE;
	ARRAY_ROOM(l->f, l->n, l->cap);
	l->f[l->n++] = f;
}

static void add_members(struct list *l, const struct json *m, const char *metric, const struct json *names)
{
	for (size_t k = 0; names && names->type == JSON_OBJ && k < names->n; k++)
		add(l, m, metric, names->member[k].key);
}

/* Counts are no figures: they say how much was seen, not how good it is. */
static bool is_count(const char *key)
{
	static const char *const counts[] = { "n",         "right",      "tokens",          "sequences",    "bytes",
					      "num_edits", "ref_length", "sys_len",         "ref_len",      "bp",
					      "ratio",     "score",      "mean_confidence", "mean_accuracy" };

	for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
		if (strcmp(key, counts[k]) == 0)
			return true;
	return false;
}

static void read_metric(struct list *l, const char *metric, const struct json *m)
{
	static const char *const averages[] = { "macro_f1", "weighted_f1", "micro_f1" };

	add(l, m, metric, metric);
	for (size_t k = 0; k < m->n; k++)
		if (m->member[k].value.type == JSON_NUM && !is_count(m->member[k].key))
			add(l, m, metric, m->member[k].key);
	for (size_t k = 0; k < sizeof averages / sizeof *averages; k++)
		add(l, m, metric, averages[k]);
	add_members(l, m, metric, json_get(m, "means"));
	add_members(l, m, metric, json_get(m, "mean_prf"));
}

struct figure *figures_read(const struct json *metrics, struct arena *a, size_t *n)
{
	struct list l = { 0 };
	struct figure *f;

	for (size_t k = 0; metrics && metrics->type == JSON_OBJ && k < metrics->n; k++)
		if (metrics->member[k].value.type == JSON_OBJ && strcmp(metrics->member[k].key, "kappa") != 0)
			read_metric(&l, metrics->member[k].key, &metrics->member[k].value);
	f = arena_get(a, (l.n + 1) * sizeof *f);
	if (l.n)
		memcpy(f, l.f, l.n * sizeof *f);
	mem_free(l.f);
	*n = l.n;
	return f;
}

const struct figure *figures_find(const struct figure *f, size_t n, const char *name)
{
	for (size_t k = 0; k < n; k++)
		if (strcmp(f[k].name, name) == 0)
			return &f[k];
	return NULL;
}
