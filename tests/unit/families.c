/* SPDX-License-Identifier: Apache-2.0 */
/* Gradients of every family, all weights and adapters, against finite differences of the loss: for each kind of parameter along its gradient, and at
 * single values of it.  (tests/unit/adapted.c has dropout, noise, rivals and magnitudes, test_model.c PyTorch's gradients tensor by tensor.) */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "adapter.h"
#include "loaded.h"
#include "mem.h"
#include "rng.h"
#include "test.h"

enum { TOKENS = 24, SINGLE = 5 };

struct tokens {
	uint32_t ids[TOKENS], pos[TOKENS], out[TOKENS], target[TOKENS];
	float weight[TOKENS];
	struct kern_seg seg[2];
};

/* Two sequences, the second one of weight 2.5 (where WEIGHTED), all tokens but their first ones predicted. */
static struct batch make_batch(struct tokens *t, uint32_t vocab, bool weighted)
{
	struct batch b = { .n = TOKENS, .ids = t->ids, .pos = t->pos, .seg = t->seg, .nseg = 2, .out = t->out, .target = t->target, .weight = t->weight };

	t->seg[0] = (struct kern_seg){ .q0 = 0, .nq = 10, .k0 = 0, .nk = 10 };
	t->seg[1] = (struct kern_seg){ .q0 = 10, .nq = 14, .k0 = 10, .nk = 14 };
	for (uint32_t i = 0; i < TOKENS; i++) {
		t->ids[i] = (uint32_t)(rng_mix(i + 40) % vocab);
		t->pos[i] = i < 10 ? i : i - 10;
		if (i == 0 || i == 10)
			continue;
		t->out[b.nout] = i - 1;
		t->target[b.nout] = t->ids[i];
		t->weight[b.nout++] = weighted && i > 10 ? 2.5f : 1;
	}
	return b;
}

struct trained {
	struct loaded l;
	struct tokens t;
	struct batch b;
	bool smooth;
	float *grad;                   /* [n] */
	size_t n;
};

/* What the gradient is of. */
static double objective(struct trained *x)
{
	struct model_loss sum = {0};
	struct err e = {0};
	float logp[TOKENS];
	double f = 0;

	if (x->smooth) {
		if (model_train(x->l.m, &x->b, &sum, &e) != 0)
			test_line(__FILE__, __LINE__, e.msg);
		return sum.token;
	}
	if (model_logp(x->l.m, &x->b, NULL, NULL, logp, &e) != 0)
		test_line(__FILE__, __LINE__, e.msg);
	for (uint32_t i = 0; i < x->b.nout; i++)
		f -= (double)x->b.weight[i] * logp[i];
	return f;
}

/* Values of one kind: runs of the block. */
struct kind {
	char   name[40];
	size_t nruns, first[512], n[512];
};

static void add_run(struct kind *k, size_t first, size_t n)
{
	if (k->nruns < sizeof k->n / sizeof *k->n)
		k->first[k->nruns] = first, k->n[k->nruns++] = n;
}

static double slope(struct trained *x, const float *v, const struct kind *k, float h, size_t single)
{
	float *p = model_values(x->l.m);
	double f[2];

	for (int s = 0; s < 2; s++) {
		float step = s ? -h : h;

		for (size_t r = 0; r < k->nruns; r++)
			for (size_t i = k->first[r]; i < k->first[r] + k->n[r]; i++)
				if (single == SIZE_MAX || single == i)
					p[i] = v[i] + step * (single == i ? 1 : x->grad[i]);
		f[s] = objective(x);
		for (size_t r = 0; r < k->nruns; r++)
			memcpy(p + k->first[r], v + k->first[r], k->n[r] * sizeof *p);
	}
	return (f[0] - f[1]) / (2 * (double)h);
}

static size_t largest(const struct trained *x, const struct kind *k)
{
	size_t best = k->first[0];

	for (size_t r = 0; r < k->nruns; r++)
		for (size_t i = k->first[r]; i < k->first[r] + k->n[r]; i++)
			if (fabsf(x->grad[i]) > fabsf(x->grad[best]))
				best = i;
	return best;
}

/* Is the slope WANT, to within OFF, for one of two steps: over the larger one a token may come to another expert, which has no derivative. */
static bool agrees(struct trained *x, const float *v, const struct kind *k, double size, size_t single, double want, double off, double *got)
{
	static const double step[] = { 1e-3, 3e-4 };

	for (int i = 0; i < 2; i++) {
		*got = slope(x, v, k, (float)fmin(0.05 / (size * size), step[i] / (single == SIZE_MAX ? size : 1)), single);
		if (fabs(*got - want) <= off)
			return true;
	}
	return false;
}

static void check_kind(struct trained *x, const float *v, const struct kind *k, const char *name)
{
	double squares = 0, got = 0, top;
	size_t at = largest(x, k);

	for (size_t r = 0; r < k->nruns; r++)
		for (size_t i = k->first[r]; i < k->first[r] + k->n[r]; i++)
			squares += (double)x->grad[i] * x->grad[i];
	if (!(squares > 0) || !agrees(x, v, k, sqrt(squares), SIZE_MAX, squares, 5e-3 * squares, &got)) {
		printf("# %s %s: slope %.6g, square of the gradient %.6g\n", name, k->name, got, squares);
		CHECK(!"along the gradient");
	}
	top = fabs((double)x->grad[at]);
	for (uint32_t s = 0; s < SINGLE; s++) {                 /* the largest, then some at random */
		size_t r = rng_mix(s) % k->nruns, i = s ? k->first[r] + rng_mix(s + 100) % k->n[r] : at;

		if (!agrees(x, v, k, sqrt(top), i, (double)x->grad[i], 0.03 * top, &got)) {
			printf("# %s %s, value %zu: slope %.6g, gradient %.6g, the largest %.6g\n", name, k->name, i, got, (double)x->grad[i], top);
			CHECK(!"single value");
		}
	}
}

static bool open_case(struct trained *x, const char *name, const char *targets, unsigned train, float smoothing)
{
	char model[512];
	struct err e = {0};
	struct loaded *l = &x->l;
	int rc;

	memset(x, 0, sizeof *x);
	snprintf(model, sizeof model, "%s/models/%s", getenv("DATA") ? getenv("DATA") : "tests/data", name);
	rc = loaded_base(l, &(struct loaded_opts){ .model = model, .device = "cpu", .dtype = 1 }, 1, &e);
	if (rc == 0 && train == MODEL_TRAIN_LORA) {
		rc = targets ? lora_new(&l->lora, &l->w->cfg, &(struct lora_opts){ .rank = 3, .alpha = 6, .targets = targets }, &e) : prefix_new(&l->lora, &l->w->cfg, 4, &e);
		if (rc == 0) {
			l->values = mem_grow(NULL, l->lora->count, sizeof *l->values);
			lora_init(l->lora, l->w, 5, l->values);
		}
		for (size_t i = 0; rc == 0 && i < l->lora->nrows; i++)
			for (size_t k = 0; l->lora->row[i].part == LORA_B && k < (size_t)l->lora->row[i].rows * l->lora->row[i].cols; k++)
				l->values[l->lora->row[i].offset + k] = 0.05f * (float)((double)(rng_mix(k + i) % 1000) / 500 - 1);
	}
	if (rc != 0 || loaded_model(l, &(struct model_opts){ .train = train, .smoothing = smoothing }, &e) != 0) {
		test_line(__FILE__, __LINE__, e.msg);
		return false;
	}
	x->smooth = smoothing > 0;
	x->b = make_batch(&x->t, l->w->cfg.vocab, !x->smooth);
	x->n = model_trained(l->m);
	x->grad = mem_grow(NULL, x->n, sizeof *x->grad);
	if (model_train(l->m, &x->b, &(struct model_loss){0}, &e) != 0)
		test_line(__FILE__, __LINE__, e.msg);
	memcpy(x->grad, model_grad(l->m), x->n * sizeof *x->grad);
	return true;
}

/* The kinds of what is trained: parameters by name (all weights), matrices and parts (adapters). */
static size_t kinds_of(struct trained *x, struct kind *k)
{
	const struct model_config *c = &x->l.w->cfg;
	size_t n = 0;

	for (size_t i = 0; x->l.lora == NULL && i < place_count(c); i++) {
		enum param p = place_at(c, i).p;
		const float *at = model_full(x->l.m, i);

		if (x->l.w->w[i].p == NULL || p == P_RBIAS)
			continue;
		snprintf(k[p].name, sizeof k[p].name, "parameter %d", (int)p);
		add_run(&k[p], (size_t)(at - model_values(x->l.m)), (size_t)x->l.w->w[i].rows * x->l.w->w[i].cols);
	}
	for (size_t i = 0; x->l.lora && i < x->l.lora->nrows; i++) {
		const struct lora_row *r = &x->l.lora->row[i];
		struct kind *to = &k[r->part == LORA_PREFIX ? 0 : 2 * place_at(c, r->place).p + (r->part == LORA_B)];

		snprintf(to->name, sizeof to->name, "adapter %d %c", r->part == LORA_PREFIX ? 0 : (int)place_at(c, r->place).p, "ABMP"[r->part]);
		add_run(to, r->offset, (size_t)r->rows * r->cols);
	}
	for (size_t i = 0; i < 2 * P_COUNT; i++)
		if (k[i].nruns)
			k[n++] = k[i];
	return n;
}

static void check_case(const char *name, const char *targets, unsigned train, float smoothing)
{
	struct trained x;
	struct kind *k = mem_new(2 * P_COUNT * sizeof *k);
	float *v;
	size_t n;

	if (open_case(&x, name, targets, train, smoothing)) {
		n = kinds_of(&x, k);
		CHECK(n > 0);
		v = mem_grow(NULL, x.n, sizeof *v);
		memcpy(v, model_values(x.l.m), x.n * sizeof *v);
		for (size_t i = 0; i < n; i++)
			check_kind(&x, v, &k[i], name);
		mem_free(v);
	}
	mem_free(x.grad);
	mem_free(k);
	loaded_close(&x.l);
}

static const struct { const char *name, *targets; bool prefix; } family[] = {
	{ "llama_gqa_tied", "all", true }, { "llama_untied_llama3rope", "all", true }, { "mistral_sliding", "all", true }, { "qwen2", "all", true },
	{ "qwen3", "all", true }, { "mixtral", "all,experts", true }, { "qwen2_moe", "all,experts", true }, { "deepseek_v2_lite", "all,experts", false },
	{ "deepseek_v3", "all,experts", false },
};
enum { FAMILIES = sizeof family / sizeof *family };

static void all_weights(void)
{
	for (int i = 0; i < FAMILIES; i++)
		check_case(family[i].name, NULL, MODEL_TRAIN_FULL, 0);
}

static void label_smoothing(void)
{
	for (int i = 0; i < FAMILIES; i++)
		check_case(family[i].name, family[i].targets, MODEL_TRAIN_LORA, 0.2f);
}

static void adapters(void)
{
	for (int i = 0; i < FAMILIES; i++)
		check_case(family[i].name, family[i].targets, MODEL_TRAIN_LORA, 0);
}

static void prefixes(void)
{
	for (int i = 0; i < FAMILIES; i++)
		if (family[i].prefix)
			check_case(family[i].name, NULL, MODEL_TRAIN_LORA, 0);
}

int main(void)
{
	TEST(all_weights);
	TEST(adapters);
	TEST(label_smoothing);
	TEST(prefixes);
	return test_end();
}
