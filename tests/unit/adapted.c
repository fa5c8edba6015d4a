/* SPDX-License-Identifier: Apache-2.0 */
/* Gradients of adapters that no reference has figures for, against finite differences of the loss along the gradient itself. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "adapter.h"
#include "loaded.h"
#include "mem.h"
#include "rng.h"
#include "test.h"

enum { TOKENS = 24 };

struct sample {
	const char *model, *targets;
	bool dora, checkpointing;
	double dropout;
	float noise;
};

/* 24 tokens, two sequences, all but their first ones predicted. */
struct tokens {
	uint32_t ids[TOKENS], pos[TOKENS], out[TOKENS], target[TOKENS];
	float weight[TOKENS], noise[TOKENS];
	uint64_t key[TOKENS];
	struct kern_seg seg[2];
};

static struct batch make_batch(struct tokens *t, const struct sample *s, uint32_t vocab)
{
	struct batch b = { .n = TOKENS, .ids = t->ids, .pos = t->pos, .seg = t->seg, .nseg = 2, .out = t->out, .target = t->target, .weight = t->weight,
		.key = t->key, .noise = s->noise > 0 ? t->noise : NULL };

	t->seg[0] = (struct kern_seg){ .q0 = 0, .nq = 10, .k0 = 0, .nk = 10 };
	t->seg[1] = (struct kern_seg){ .q0 = 10, .nq = 14, .k0 = 10, .nk = 14 };
	for (uint32_t i = 0; i < TOKENS; i++) {
		t->ids[i] = (uint32_t)(rng_mix(i) % vocab);
		t->pos[i] = i < 10 ? i : i - 10;
		t->key[i] = rng_mix(100 + i);
		t->noise[i] = s->noise;
		if (i == 0 || i == 10)
			continue;
		t->out[b.nout] = i - 1;
		t->target[b.nout] = t->ids[i];
		t->weight[b.nout++] = 1;
	}
	return b;
}

/* Sum of -log p, and the gradient of the weighted sum into GRAD. */
static double loss(struct loaded *l, const struct batch *b, float *grad)
{
	struct model_loss sum = {0};
	struct err e = {0};

	memset(model_grad(l->m), 0, model_trained(l->m) * sizeof(float));
	if (model_train(l->m, b, &sum, &e) != 0)
		test_line(__FILE__, __LINE__, e.msg);
	if (grad)
		memcpy(grad, model_grad(l->m), model_trained(l->m) * sizeof *grad);
	return sum.token;
}

static bool open_sample(struct loaded *l, const struct sample *s)
{
	char model[512];
	struct err e = {0};

	snprintf(model, sizeof model, "%s/models/%s", getenv("DATA") ? getenv("DATA") : "tests/data", s->model);
	if (loaded_base(l, &(struct loaded_opts){ .model = model, .device = "ref", .dtype = 1 }, 1, &e) != 0 ||
	    lora_new(&l->lora, &l->w->cfg, &(struct lora_opts){ 3, 6, s->dropout, false, s->dora, s->targets }, &e) != 0) {
		test_line(__FILE__, __LINE__, e.msg);
		return false;
	}
	l->values = mem_grow(NULL, l->lora->count, sizeof *l->values);
	lora_init(l->lora, l->w, 5, l->values);
	for (size_t i = 0; i < l->lora->nrows; i++) {
		const struct lora_row *r = &l->lora->row[i];

		for (size_t k = 0; r->part == LORA_B && k < (size_t)r->rows * r->cols; k++)
			l->values[r->offset + k] = 0.05f * (float)((double)(rng_mix(k + i) % 1000) / 500 - 1);
	}
	if (loaded_model(l, &(struct model_opts){ .train = MODEL_TRAIN_LORA, .checkpointing = s->checkpointing }, &e) != 0) {
		test_line(__FILE__, __LINE__, e.msg);
		return false;
	}
	return true;
}

static void derivative(const struct sample *s)
{
	struct tokens t;
	struct loaded l = {0};
	double squares = 0, step = 2e-3, up, down, slope;
	struct batch b;
	float *g, *v;
	size_t n;

	if (!open_sample(&l, s))
		return;
	b = make_batch(&t, s, l.w->cfg.vocab);
	n = model_trained(l.m);
	g = malloc(n * sizeof *g), v = malloc(n * sizeof *v);
	memcpy(v, l.values, n * sizeof *v);
	loss(&l, &b, g);
	for (size_t i = 0; i < n; i++)
		squares += (double)g[i] * g[i];
	for (size_t i = 0; i < n; i++)
		l.values[i] = v[i] + (float)(step / sqrt(squares)) * g[i];
	up = loss(&l, &b, NULL);
	for (size_t i = 0; i < n; i++)
		l.values[i] = v[i] - (float)(step / sqrt(squares)) * g[i];
	down = loss(&l, &b, NULL);
	slope = (up - down) / (2 * step);
	if (!(squares > 0) || fabs(slope / sqrt(squares) - 1) > 3e-3) {
		printf("# %s %s dora %d dropout %g: slope %.6g, norm of the gradient %.6g\n", s->model, s->targets, s->dora, s->dropout, slope, sqrt(squares));
		CHECK(!"derivative");
	}
	free(g), free(v);
	loaded_close(&l);
}

static void experts(void)
{
	derivative(&(struct sample){ .model = "deepseek_v3", .targets = "experts" });
	derivative(&(struct sample){ .model = "deepseek_v3", .targets = "/.*experts\\.[0-3]\\.(up|down)_proj/,o_proj" });
	derivative(&(struct sample){ .model = "mixtral", .targets = "all,experts" });
	derivative(&(struct sample){ .model = "qwen2_moe", .targets = "experts,mlp", .checkpointing = true });
}

/* Rivals through the chunked head: the gradient of weight * sum of -log(1 - p), against differences of that sum. */
static double rival_loss(struct loaded *l, struct batch *b, float *grad)
{
	struct model_loss sum = {0};
	struct err e = {0};

	memset(model_grad(l->m), 0, model_trained(l->m) * sizeof(float));
	if (model_train(l->m, b, &sum, &e) != 0)
		test_line(__FILE__, __LINE__, e.msg);
	if (grad)
		memcpy(grad, model_grad(l->m), model_trained(l->m) * sizeof *grad);
	return sum.token + 3 * sum.rival;
}

static void rivals(void)
{
	static const uint32_t out[] = { 0, 3, 4, 20 }, first[] = { 0, 2, 3, 6, 7 }, id[] = { 5, 90, 17, 0, 44, 383, 8 };
	static const float three[] = { 3, 3, 3, 3 };
	const struct sample s = { .model = "deepseek_v3", .targets = "all" };
	struct tokens t;
	struct loaded l = {0};
	struct batch b;
	double squares = 0, slope = 0;
	float *g, *v;

	if (!open_sample(&l, &s))
		return;
	b = make_batch(&t, &s, l.w->cfg.vocab);
	b.nrival = 4, b.rival_out = out, b.rival_first = first, b.rival_id = id, b.rival_weight = three;
	g = malloc(l.lora->count * sizeof *g), v = malloc(l.lora->count * sizeof *v);
	memcpy(v, l.values, l.lora->count * sizeof *v);
	rival_loss(&l, &b, g);
	for (size_t i = 0; i < l.lora->count; i++)
		squares += (double)g[i] * g[i];
	for (int sign = 1; sign >= -1; sign -= 2) {
		for (size_t i = 0; i < l.lora->count; i++)
			l.values[i] = v[i] + (float)(sign * 2e-3 / sqrt(squares)) * g[i];
		slope += sign * rival_loss(&l, &b, NULL) / (2 * 2e-3);
	}
	CHECK(fabs(slope / sqrt(squares) - 1) < 3e-3);
	free(g), free(v);
	loaded_close(&l);
}

static void random_numbers(void)
{
	derivative(&(struct sample){ .model = "llama_gqa_tied", .targets = "all", .dropout = 0.25 });
	derivative(&(struct sample){ .model = "deepseek_v3", .targets = "all,experts", .dropout = 0.25, .noise = 0.02f });
	derivative(&(struct sample){ .model = "deepseek_v3", .targets = "all,experts", .dropout = 0.25, .checkpointing = true });
}

/* DoRA's norms count as constants on the way back, so only magnitudes and what has no magnitude can be compared: one direction of its own. */
static void magnitudes_of(const char *model, const char *targets)
{
	const struct sample s = { .model = model, .targets = targets, .dora = true };
	struct tokens t;
	struct loaded l = {0};
	struct batch b;
	double squares = 0, slope = 0, step;
	float *g, *v;

	if (!open_sample(&l, &s))
		return;
	b = make_batch(&t, &s, l.w->cfg.vocab);
	CHECK(!l.lora->fused);
	g = malloc(l.lora->count * sizeof *g), v = malloc(l.lora->count * sizeof *v);
	memcpy(v, l.values, l.lora->count * sizeof *v);
	loss(&l, &b, g);
	for (size_t i = 0; i < l.lora->nrows; i++)
		for (size_t k = 0; k < (size_t)l.lora->row[i].rows * l.lora->row[i].cols; k++)
			if (l.lora->row[i].part == LORA_M)
				squares += (double)g[l.lora->row[i].offset + k] * g[l.lora->row[i].offset + k];
			else
				g[l.lora->row[i].offset + k] = 0;
	step = 1e-3 / sqrt(squares);
	for (int sign = 1; sign >= -1; sign -= 2) {
		for (size_t i = 0; i < l.lora->count; i++)
			l.values[i] = v[i] + (float)(sign * step) * g[i];
		slope += sign * loss(&l, &b, NULL) / (2 * step);
	}
	if (!(squares > 0) || fabs(slope / squares - 1) > 3e-3) {
		printf("# %s %s: slope %.6g, square of the magnitudes' gradient %.6g\n", model, targets, slope, squares);
		CHECK(!"magnitudes");
	}
	free(g), free(v);
	loaded_close(&l);
}

static void magnitudes(void)
{
	static const char *const dense[] = { "llama_gqa_tied", "llama_untied_llama3rope", "mistral_sliding", "qwen2", "qwen3" },
		*const mixed[] = { "mixtral", "qwen2_moe", "deepseek_v2_lite" };

	magnitudes_of("deepseek_v3", "experts,kv_b_proj");
	for (size_t i = 0; i < sizeof dense / sizeof *dense; i++)
		magnitudes_of(dense[i], "all");
	for (size_t i = 0; i < sizeof mixed / sizeof *mixed; i++)
		magnitudes_of(mixed[i], "all,experts");
}

/* With checkpointing what is drawn on the way back is what was drawn on the way there. */
static void same_bits(void)
{
	struct sample s = { .model = "deepseek_v3", .targets = "all,experts", .dropout = 0.5, .noise = 0.1f };
	float *g[2];
	double sum[2];
	size_t n = 0;

	for (int i = 0; i < 2; i++) {
		struct loaded l = {0};
		struct tokens t;
		struct batch b;

		s.checkpointing = i;
		if (!open_sample(&l, &s))
			return;
		b = make_batch(&t, &s, l.w->cfg.vocab);
		n = model_trained(l.m);
		g[i] = malloc(n * sizeof **g);
		sum[i] = loss(&l, &b, g[i]);
		loaded_close(&l);
	}
	CHECK(sum[0] == sum[1] && memcmp(g[0], g[1], n * sizeof **g) == 0);
	free(g[0]), free(g[1]);
}

int main(void)
{
	TEST(experts);
	TEST(rivals);
	TEST(random_numbers);
	TEST(magnitudes);
	TEST(same_bits);
	return test_bad;
}
