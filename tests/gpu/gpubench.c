/* SPDX-License-Identifier: Apache-2.0 */
/* What a device of its own memory reaches, as lines of JSON: GB/s and TFLOP/s of operations on large arrays, and LoRA steps of a model of a given shape
 * whose weights are drawn on the device: tokens/s, TFLOP/s, memory against what was reckoned.
 * usage: gpubench DEVICE VALUES                    operations on arrays of so many values
 *        gpubench DEVICE CONFIG.json TOKENS STEPS  steps of one row of TOKENS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "adapter.h"
#include "kern.h"
#include "mem.h"
#include "model.h"
#include "optim.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *room(struct kern *k, size_t bytes)
{
	void *p = kern_alloc(k, bytes);

	if (p == NULL) {
		fprintf(stderr, "gpubench: no memory for %zu bytes\n", bytes);
		exit(4);
	}
	return p;
}

/* F32 values in [-1, 1) and the same as bf16. */
static void draw(struct kern *k, size_t rows, uint32_t n, float *f, void *half)
{
	uint64_t *key = mem_grow(NULL, rows, sizeof *key), *dkey = room(k, rows * sizeof *key);
	float *mag = mem_grow(NULL, rows, sizeof *mag), *dmag = room(k, rows * sizeof *mag);

	for (size_t i = 0; i < rows; i++) {
		key[i] = i * UINT64_C(0x9e3779b97f4a7c15) + 1;
		mag[i] = 1;
	}
	kern_put(k, dkey, key, rows * sizeof *key);
	kern_put(k, dmag, mag, rows * sizeof *mag);
	kern_noise(k, &(struct kern_drop){ .t = (uint32_t)rows, .n = n, .key = dkey }, dmag, f);
	kern_cast(k, rows * n, f, DT_F32, half, DT_BF16);
	kern_free(k, dkey);
	kern_free(k, dmag);
	mem_free(key);
	mem_free(mag);
}

enum { N = 4096, HEADS = 32, KV = 8, DIM = 128 };      /* rows of N values, heads of the attention */

/* Every operation twice: the first warms up. */
static void operations(struct kern *k, size_t values)
{
	uint32_t t = (uint32_t)(values / N > 0 ? values / N : 1), n = values < N ? (uint32_t)values / DIM * DIM : N, heads = n / DIM, seg_n = t < N ? t : N;
	size_t all = (size_t)t * n;
	float *f[4], *norm = room(k, 2 * (size_t)(t + n) * sizeof *norm), *cs = room(k, (size_t)t * DIM * sizeof *cs);
	void *h[6];
	uint32_t *pos = room(k, t * sizeof *pos), *host = mem_new(t * sizeof *host);
	struct kern_seg seg = { 0, seg_n, 0, 0, 0, seg_n };
	struct kern_attn a = { .seg = &seg, .nseg = 1, .heads = heads, .kv_heads = heads, .dk = DIM, .dv = DIM, .scale = 0.09f, .xt = DT_BF16, .ldq = n, .ldk = n, .ldv = n, .ldo = n };
	struct kern_adamw adam = { 1e-3, 0.9, 0.999, 1e-8, 0.01, 1, 0.1, 0.001 };
	struct kern_cost cost[KERN_COSTS];

	for (int i = 0; i < 6; i++)
		h[i] = room(k, all * 2);
	for (int i = 0; i < 4; i++)
		draw(k, t, n, f[i] = room(k, all * 4), h[i]);
	for (uint32_t i = 0; i < t; i++)
		host[i] = i;
	kern_put(k, pos, host, t * sizeof *pos);
	a.q = h[0], a.k = h[1], a.v = h[2], a.o = h[4], a.lse = f[3];
	for (int turn = 0; turn < 2; turn++) {
		if (turn)
			kern_profile_start(k);
		for (int i = 0; i < (turn ? 5 : 1); i++) {
			kern_cast(k, all, f[0], DT_F32, h[4], DT_BF16);
			kern_add(k, all, f[0], f[1]);
			kern_scale(k, all, 0.5f, f[1]);
			kern_sumsq(k, all, f[0]);
			kern_rmsnorm(k, t, n, f[0], n, DT_F32, norm, 1e-5f, h[4], n, DT_BF16, norm + n, h[5]);
			kern_rmsnorm_dx(k, t, n, h[5], n, DT_BF16, norm + n, norm, f[1], n, DT_F32, f[2], n, false, NULL);
			kern_rope(k, t, heads, DIM, DIM / 2, h[4], n, DT_BF16, cs, pos, false, false);
			kern_swiglu(k, all, DT_BF16, h[0], h[1], h[4]);
			kern_swiglu_dx(k, all, DT_BF16, h[0], h[1], h[2], h[4], h[5], NULL);
			kern_adamw(k, all, &adam, f[0], f[1], f[2], f[3]);
			kern_zero(k, f[3], all * 4);
			kern_linear(k, &(struct kern_linear){ .t = t, .w = { .p = h[3], .type = DT_BF16, .rows = n < t ? n : t, .cols = n }, .x = h[0], .ldx = n, .xt = DT_BF16,
				.y = f[2], .ldy = n < t ? n : t, .yt = DT_F32 });
			kern_attn(k, &a);
			kern_attn_dx(k, &a, h[3], n, h[5], f[1], f[2]);
		}
	}
	for (unsigned i = 0, c = kern_profile(k, cost); i < c; i++)
		printf("{\"op\": \"%s\", \"gb_s\": %.1f, \"tflop_s\": %.2f, \"seconds\": %.3g}\n", cost[i].op, cost[i].bytes / cost[i].seconds * 1e-9,
		       cost[i].flops / cost[i].seconds * 1e-12, cost[i].seconds / (double)cost[i].calls);
	mem_free(host);
}

struct steps {
	struct weights *w;
	struct lora *l;
	struct model *m;
	struct optim o;
	struct batch b;
	double seconds, flops;
};

static void one_row(struct batch *b, uint32_t n, uint32_t vocab)
{
	uint32_t *ids = mem_grow(NULL, 4 * (size_t)n, sizeof *ids), *pos = ids + n, *out = pos + n, *target = out + n;
	float *weight = mem_grow(NULL, n, sizeof *weight);
	struct kern_seg *seg = mem_new(sizeof *seg);

	for (uint32_t i = 0; i < n; i++) {
		ids[i] = (i * 7919u + 13) % vocab;
		target[i] = ((i + 1) * 7919u + 13) % vocab;
		pos[i] = out[i] = i;
		weight[i] = 1 / (float)n;
	}
	*seg = (struct kern_seg){ 0, n, 0, 0, 0, n };
	*b = (struct batch){ .n = n, .ids = ids, .pos = pos, .seg = seg, .nseg = 1, .nout = n, .out = out, .target = target, .weight = weight };
}

static int prepare(struct steps *s, struct kern *k, const char *config, struct err *e)
{
	const struct lora_opts how = { .rank = 16, .alpha = 32, .targets = "all" };
	struct optim_part *part;
	float *values;
	size_t n;
	int rc;

	if ((rc = weights_header(&s->w, config, e)) != 0 || (rc = lora_new(&s->l, &s->w->cfg, &how, e)) != 0)
		return rc;
	if ((values = mem_try(s->l->count * sizeof *values)) == NULL)
		return err_set(e, SFT_SYSTEM, "no memory for the adapter");
	lora_init(s->l, s->w, 1, values);
	if ((rc = model_open(&s->m, k, s->w, s->l, values, &(struct model_opts){ .act = DT_BF16, .train = MODEL_TRAIN_LORA, .checkpointing = true }, e)) != 0)
		return rc;
	part = optim_parts_adapter(s->l, 1, &n);
	return optim_init(&s->o, k, part, n, &(struct optim_opts){ OPTIM_ADAMW, 0.01, 1 }, e);
}

static int step(struct steps *s, struct kern *k, double *loss, struct err *e)
{
	struct model_loss sum = {0};
	int rc;

	kern_zero(k, model_grad(s->m), model_trained(s->m) * sizeof(float));
	if ((rc = model_train(s->m, &s->b, &sum, e)) == 0)
		optim_step(&s->o, 1e-4, optim_norm(&s->o, model_grad(s->m)), model_values(s->m), model_grad(s->m));
	*loss = sum.token / s->b.nout;
	return rc;
}

static int training(struct kern *k, const char *config, uint32_t tokens, int count, struct err *e)
{
	struct steps s = {0};
	struct kern_cost cost[KERN_COSTS];
	struct model_size size;
	struct pass_size pass = { tokens, tokens, tokens };
	uint64_t before = kern_memory(k), after;
	double loss = 0, start, planned;
	int rc;

	if ((rc = prepare(&s, k, config, e)) != 0)
		return rc;
	one_row(&s.b, tokens, s.w->cfg.vocab);
	if ((rc = step(&s, k, &loss, e)) != 0)
		return rc;
	kern_wait(k);
	start = now();
	for (int i = 0; i < count && rc == 0; i++)
		rc = step(&s, k, &loss, e);
	kern_wait(k);
	s.seconds = (now() - start) / count;
	after = kern_memory(k);
	kern_profile_start(k);
	if (rc == 0)
		rc = step(&s, k, &loss, e);
	for (unsigned i = 0, c = kern_profile(k, cost); i < c; i++)
		s.flops += cost[i].flops;
	model_measure(&size, s.w, s.l, &(struct model_opts){ .act = DT_BF16, .train = MODEL_TRAIN_LORA, .checkpointing = true, .apart = true }, &pass);
	planned = (double)(size.weights + size.values + size.grad + size.tables + size.all + (s.o.nstate[0] + s.o.nstate[1]) * sizeof(float));
	printf("{\"step\": \"%s\", \"tokens\": %u, \"tokens_s\": %.1f, \"tflop_s\": %.3f, \"loss\": %.4f, \"planned_gb\": %.3f, \"used_gb\": %.3f}\n", config, tokens,
	       tokens / s.seconds, s.flops / s.seconds * 1e-12, loss, planned * 1e-9, (double)(before - after) * 1e-9);
	return rc;
}

int main(int argc, char **argv)
{
	struct pool *pool = pool_open(1);
	struct kern *k;
	struct err e = {0};
	int rc;

	if (argc != 3 && argc != 5)
		return 2;
	if ((rc = kern_open(&k, argv[1], pool, &e)) == 0) {
		if (argc == 3)
			operations(k, strtoull(argv[2], NULL, 10));
		else
			rc = training(k, argv[2], (uint32_t)atoi(argv[3]), atoi(argv[4]), &e);
	}
	if (rc != 0)
		fprintf(stderr, "gpubench: %s\n", e.msg);
	kern_close(k);
	pool_close(pool);
	return rc;
}
