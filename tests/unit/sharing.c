/* SPDX-License-Identifier: Apache-2.0 */
/* Sequences that share what they begin with: the plan, and that loss and gradients are those without sharing. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "adapter.h"
#include "loaded.h"
#include "mem.h"
#include "rng.h"
#include "share.h"
#include "test.h"

/* --- random trees of beginnings --- */

/* N sequences: each goes on from the beginning of an earlier one, or anew; some are copies, some beginnings of others. */
static void random_tree(struct share *s, uint64_t seed, uint32_t n, uint32_t vocab)
{
	struct rng r;
	uint32_t ids[200];
	uint8_t mask[200];

	rng_init(&r, seed, 1);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t len = 0, more = (uint32_t)rng_below(&r, 40);

		if (i && rng_below(&r, 4)) {
			const struct share_seq *q = &s->seq[rng_below(&r, i)];

			len = rng_below(&r, 5) ? 1 + (uint32_t)rng_below(&r, q->n) : q->n;
			memcpy(ids, q->ids, len * sizeof *ids);
		}
		more = len + more > 120 ? 120 - len : more;
		for (more += len == 0; more > 0; more--)
			ids[len++] = (uint32_t)rng_below(&r, vocab);
		for (uint32_t k = 0; k < len; k++)
			mask[k] = rng_below(&r, 3) > 0;
		share_add(s, ids, mask, len, 0.01f * (float)(1 + rng_below(&r, 3)), i);
	}
}

/* --- the plan --- */

static void check_plan(const struct share *s, uint64_t *tokens)
{
	char *seen = calloc(s->nseq + 1, 1);
	uint32_t at = 0;

	*tokens = 0;
	for (uint32_t g = 0; g < s->ngroups; g++) {
		const struct share_group *x = &s->group[g];
		const struct share_seq *first = &s->seq[s->order[x->first]];

		CHECK(x->n > 0 && (x->prefix == 0 || (x->n > 1 && x->prefix >= SHARE_LEAST)));
		*tokens += x->prefix;
		for (uint32_t i = x->first; i < x->first + x->n; i++, at++) {
			const struct share_seq *q = &s->seq[s->order[i]];

			CHECK(s->order[i] < s->nseq && !seen[s->order[i]]++);
			CHECK(q->n >= x->prefix && memcmp(q->ids, first->ids, x->prefix * sizeof *q->ids) == 0);
			CHECK(i == x->first || s->order[i] > s->order[i - 1]);
			*tokens += q->n - x->prefix;
		}
		CHECK(g == 0 || s->order[s->group[g - 1].first] < s->order[x->first]);
	}
	CHECK(at == s->nseq);
	free(seen);
}

static void plans(void)
{
	struct share s = {0};
	uint64_t with, without;

	for (uint64_t seed = 0; seed < 200; seed++) {
		share_reset(&s);
		random_tree(&s, seed, 1 + (uint32_t)(seed % 23), 50);
		share_plan(&s, false);
		check_plan(&s, &without);
		CHECK(without == s.ntok && s.ngroups == s.nseq);
		share_plan(&s, true);
		check_plan(&s, &with);
		CHECK(with <= without);
	}
	share_free(&s);
}

/* Two tasks of 40 and 50 tokens in turn, behind 20 that all have in common: two groups, in the order of their first rows. */
static void two_tasks(void)
{
	struct share s = {0};
	uint32_t ids[100];
	uint8_t mask[100] = {0};

	for (uint32_t i = 0; i < 8; i++) {
		uint32_t n = i % 2 ? 70 : 60;

		for (uint32_t k = 0; k < n; k++)
			ids[k] = k < 20 ? k : 100 * (i % 2) + k;
		ids[n] = 1000 + i;
		share_add(&s, ids, mask, n + 1, 1, 0);
	}
	share_plan(&s, true);
	CHECK(s.ngroups == 2 && s.group[0].n == 4 && s.group[0].prefix == 60 && s.group[1].n == 4 && s.group[1].prefix == 70);
	CHECK(s.order[0] == 0 && s.order[1] == 2 && s.order[4] == 1 && s.order[7] == 7);
	share_free(&s);
}

/* --- the same figures --- */

/* One pass with all of S, whose plan is made. */
static double train(struct loaded *l, const struct share *s, float *grad, uint32_t *tokens)
{
	struct pack p = {0};
	struct batch b;
	struct err e = {0};
	struct model_loss loss = {0};

	for (uint32_t g = 0; g < s->ngroups; g++) {
		const struct share_group *x = &s->group[g];
		uint32_t prefix = x->prefix ? pack_prefix(&p, s->seq[s->order[x->first]].ids, x->prefix) : 0;

		for (uint32_t i = x->first; i < x->first + x->n; i++) {
			const struct share_seq *q = &s->seq[s->order[i]];

			pack_branch(&p, prefix, x->prefix, q->ids, q->mask, q->n, q->weight, q->key);
		}
	}
	pack_batch(&p, &b);
	*tokens = b.n;
	memset(model_grad(l->m), 0, model_trained(l->m) * sizeof *grad);
	if (model_train(l->m, &b, &loss, &e) != 0)
		test_line(__FILE__, __LINE__, e.msg);
	memcpy(grad, model_grad(l->m), model_trained(l->m) * sizeof *grad);
	pack_free(&p);
	return loss.token;
}

static double distance(const float *a, const float *b, size_t n)
{
	double d = 0, sum = 0;

	for (size_t i = 0; i < n; i++) {
		d += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
		sum += (double)b[i] * b[i];
	}
	return sqrt(d / sum);
}

static void same_figures(const char *name, const char *device, unsigned method, bool checkpointing)
{
	char model[512];
	struct loaded l = {0};
	struct share s = {0};
	struct err e = {0};
	uint32_t few, all, saved = 0;
	float *g[2];

	snprintf(model, sizeof model, "%s/models/%s", getenv("DATA") ? getenv("DATA") : "tests/data", name);
	if (loaded_base(&l, &(struct loaded_opts){ .model = model, .device = device, .dtype = 1 }, 2, &e) != 0 ||
	    (method == MODEL_TRAIN_LORA && lora_new(&l.lora, &l.w->cfg, &(struct lora_opts){ 3, 6, 0, false, false, "all" }, &e) != 0)) {
		test_line(__FILE__, __LINE__, e.msg);
		return;
	}
	if (l.lora) {
		l.values = mem_grow(NULL, l.lora->count, sizeof *l.values);
		for (size_t i = 0; i < l.lora->count; i++)
			l.values[i] = 0.05f * (float)((double)(rng_mix(i) % 1000) / 500 - 1);
	}
	if (loaded_model(&l, &(struct model_opts){ .train = method, .checkpointing = checkpointing }, &e) != 0)
		test_line(__FILE__, __LINE__, e.msg);
	g[0] = malloc(model_trained(l.m) * sizeof **g), g[1] = malloc(model_trained(l.m) * sizeof **g);
	for (uint64_t seed = 0; seed < 12; seed++) {
		double a, b;

		share_reset(&s);
		random_tree(&s, 1000 + seed, 9, l.w->cfg.vocab);
		share_plan(&s, true);
		a = train(&l, &s, g[0], &few);
		share_plan(&s, false);
		b = train(&l, &s, g[1], &all);
		saved += all - few;
		CHECK(fabs(a / b - 1) < 1e-6 && distance(g[0], g[1], model_trained(l.m)) < 1e-5);
	}
	CHECK(saved > 500);
	free(g[0]), free(g[1]);
	share_free(&s);
	loaded_close(&l);
}

static void grouped(void)  { same_figures("llama_gqa_tied", "cpu", MODEL_TRAIN_LORA, false); }
static void norms(void)    { same_figures("qwen3", "cpu:generic", MODEL_TRAIN_LORA, true); }
static void window(void)   { same_figures("mistral_sliding", "cpu", MODEL_TRAIN_LORA, false); }
static void latent(void)   { same_figures("deepseek_v3", "cpu", MODEL_TRAIN_LORA, false); }
static void everything(void) { same_figures("llama_untied_llama3rope", "cpu", MODEL_TRAIN_FULL, false); }
static void defined(void)  { same_figures("qwen2", "ref", MODEL_TRAIN_LORA, false); }

int main(void)
{
	TEST(plans);
	TEST(two_tasks);
	TEST(grouped);
	TEST(norms);
	TEST(window);
	TEST(latent);
	TEST(everything);
	TEST(defined);
	return test_end();
}
