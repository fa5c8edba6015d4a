/* SPDX-License-Identifier: Apache-2.0 */
/* Generation against PyTorch's continuations, and what must not depend on how prompts are put together. */
#include <math.h>
#include <stdlib.h>

#include "decode.h"
#include "json.h"
#include "loaded.h"
#include "mem.h"
#include "pack.h"
#include "test.h"

static const char *data;
static char path[512];

static const char *file(const char *model, const char *name)
{
	snprintf(path, sizeof path, "%s/models/%s/%s", data, model, name);
	return path;
}

static bool set_up(struct loaded *l, struct decoder **d, const char *model, const char *adapter)
{
	char dir[512], sub[512];
	struct err e = {0};

	*d = NULL;
	snprintf(dir, sizeof dir, "%s", file(model, ""));
	snprintf(sub, sizeof sub, "%s", adapter ? file(model, adapter) : "");
	if (loaded_open(l, &(struct loaded_opts){ .model = dir, .adapter = adapter ? sub : NULL, .device = "cpu", .dtype = 1 }, 1, &e) != 0 ||
	    decode_open(d, l->m, &e) != 0)
		test_line(__FILE__, __LINE__, e.msg);
	return *d != NULL;
}

static void tear_down(struct loaded *l, struct decoder *d)
{
	decode_close(d);
	loaded_close(l);
}

static uint32_t ids_of(const struct json *j, uint32_t *out)
{
	int64_t v = 0;

	for (size_t i = 0; i < j->n; i++) {
		json_int(&j->item[i], &v);
		out[i] = (uint32_t)v;
	}
	return (uint32_t)j->n;
}

static const struct decode_opts greedy16 = { .max_tokens = 16, .sample = { .top_p = 1, .repeat_penalty = 1 }, .logprobs = true, .top = 3 };

/* The golden's prompts, TIMES over in one call. */
static void continuations(const char *model, const char *adapter, uint32_t times)
{
	struct decode_request r[DECODE_TOGETHER] = {{0}};
	uint32_t prompt[DECODE_TOGETHER][64], want[64], n = 0;
	const struct json *j = NULL, *prompts, *greedy;
	char name[64] = "expected.json";
	struct loaded l = {0};
	struct decoder *d;
	struct arena a;

	arena_init(&a);
	if (adapter)
		snprintf(name, sizeof name, "%s/expected.json", adapter);
	CHECK(json_file(&a, file(model, name), &j, NULL) == 0);
	prompts = json_get(j, "greedy_prompts");
	greedy = json_get(j, "greedy");
	if (prompts && greedy && set_up(&l, &d, model, adapter)) {
		for (uint32_t t = 0; t < times; t++)
			for (size_t i = 0; i < prompts->n; i++, n++) {
				r[n].prompt = prompt[n];
				r[n].n = ids_of(&prompts->item[i], prompt[n]);
			}
		CHECK(decode_run(d, &greedy16, r, n, NULL) == 0);
		for (uint32_t i = 0; i < n; i++) {
			CHECK(ids_of(&greedy->item[i % prompts->n], want) == 16 && r[i].count == 16 && !r[i].stopped);
			CHECK(r[i].ids && memcmp(r[i].ids, want, sizeof *want * 16) == 0);
			CHECK(r[i].top && r[i].top[0] == want[0] && r[i].top_logp[0] == r[i].logp[0] && r[i].top_logp[1] < r[i].logp[0]);
			decode_request_free(&r[i]);
		}
		tear_down(&l, d);
	} else {
		CHECK(!"a model to try");
	}
	arena_release(&a);
}

static void goldens(void)
{
	continuations("llama_gqa_tied", NULL, 1);
	continuations("llama_gqa_tied", "lora", 1);
	continuations("llama_gqa_tied", "rslora", 4);
	continuations("llama_untied_llama3rope", NULL, 2);
	continuations("mistral_sliding", NULL, 2);
	continuations("qwen2", NULL, 2);
	continuations("qwen3", "lora", 8);
}

static struct loaded l;
static struct decoder *d;

/* Prompt I: 60 common tokens (LARGE: more than a pass holds), then its own. */
static uint32_t long_prompt(uint32_t i, bool large, uint32_t *out)
{
	uint32_t n = 0, common = large ? 1040 : 60;

	for (; n < common; n++)
		out[n] = 5 + (n * 7919u) % 250;
	for (uint32_t k = 0; k < 3 + i % 5; k++)
		out[n++] = 7 + (i * 31 + k * 17) % 200;
	return n;
}

/* Alone, together, and after others whose beginning is cached: the same answers.  Sampled with the seed of their number. */
static void together(void)
{
	static uint32_t prompt[DECODE_TOGETHER][1300];
	struct decode_request r[DECODE_TOGETHER] = {{0}}, one = {0};
	struct decode_opts o = greedy16;

	o.top = 0;
	for (int how = 0; how < 3; how++) {
		bool large = how == 2;

		o.sample.temperature = how == 1 ? 0.8 : 0;
		o.max_tokens = large ? 3 : 12;
		for (uint32_t i = 0; i < DECODE_TOGETHER; i++) {
			r[i] = (struct decode_request){ .prompt = prompt[i], .n = long_prompt(i, large, prompt[i]), .number = i };
		}
		CHECK(decode_run(d, &o, r, DECODE_TOGETHER, NULL) == 0);
		for (uint32_t i = 0; i < DECODE_TOGETHER; i += large ? 7 : 3) {
			one = (struct decode_request){ .prompt = prompt[i], .n = r[i].n, .number = i };
			CHECK(decode_run(d, &o, &one, 1, NULL) == 0);
			CHECK(one.count == r[i].count && memcmp(one.ids, r[i].ids, one.count * sizeof *one.ids) == 0);
			for (uint32_t k = 0; k < one.count; k++)
				CHECK(fabs(one.logp[k] - r[i].logp[k]) < 1e-4);
			decode_request_free(&one);
		}
		for (uint32_t i = 0; i < DECODE_TOGETHER; i++)
			decode_request_free(&r[i]);
	}
}

static bool ends_at_5(void *ctx, const uint32_t *ids, uint32_t n)
{
	(void)ctx;
	(void)ids;
	return n == 5;
}

static void stopping(void)
{
	uint32_t prompt[100], n = long_prompt(1, false, prompt), third;
	struct decode_request r = { .prompt = prompt, .n = n };
	struct decode_opts o = greedy16;

	CHECK(decode_run(d, &o, &r, 1, NULL) == 0);
	third = r.ids[2];
	decode_request_free(&r);
	o.stop = &third;
	o.nstop = 1;
	CHECK(decode_run(d, &o, &r, 1, NULL) == 0);
	CHECK(r.stopped && r.count <= 3 && r.ids[r.count - 1] == third);
	decode_request_free(&r);
	o.nstop = 0;
	o.ends = ends_at_5;
	CHECK(decode_run(d, &o, &r, 1, NULL) == 0 && r.count == 5 && !r.stopped);
	decode_request_free(&r);
	prompt[4] = 1u << 30;
	CHECK(decode_run(d, &o, &r, 1, NULL) == SFT_SYSTEM || r.ids == NULL);   /* no error to fill: the status is the message's */
	prompt[4] = 5;
	CHECK(decode_run(d, &o, &r, 1, NULL) == 0 && r.count == 5);
	decode_request_free(&r);
}

/* -log p of a choice behind the prompt, by an ordinary pass. */
static double alone(const uint32_t *prompt, uint32_t n, const struct decode_choice *c)
{
	uint32_t *ids = mem_grow(NULL, n + c->n, sizeof *ids);
	uint8_t *mask = mem_new(n + c->n);
	struct pack p = {0};
	float logp[64];
	struct batch b;
	double sum = 0;

	memcpy(ids, prompt, n * sizeof *ids);
	memcpy(ids + n, c->ids, c->n * sizeof *ids);
	memset(mask + n, 1, c->n);
	pack_add(&p, ids, mask, n + c->n, 1, 0);
	pack_batch(&p, &b);
	CHECK(model_logp(l.m, &b, NULL, NULL, logp, NULL) == 0 && b.nout == c->n);
	for (uint32_t i = 0; i < c->n; i++)
		sum += logp[i];
	pack_free(&p);
	mem_free(ids);
	mem_free(mask);
	return sum;
}

static void choices(void)
{
	static uint32_t prompt[1300];
	enum { C = 12 };
	uint32_t ids[C][64], n;
	struct decode_choice c[C];

	for (uint32_t round = 0; round < 6; round++) {
		n = round == 0 ? 1 : long_prompt(round, round == 5, prompt);
		prompt[0] = 5;
		for (uint32_t i = 0; i < C; i++) {
			c[i] = (struct decode_choice){ .ids = ids[i], .n = round == 3 ? 1 : i == 7 ? 60 : 1 + i % 4 };
			for (uint32_t k = 0; k < c[i].n; k++)
				ids[i][k] = 3 + (i / 3 * 5 + k * i) % 100;
		}
		CHECK(decode_choices(d, prompt, n, c, C, NULL) == 0);
		for (uint32_t i = 0; i < C; i += round == 5 ? 7 : 1)
			CHECK(fabs(c[i].score - alone(prompt, n, &c[i])) < 1e-4 * (1 + c[i].n));
	}
}

/* So many that they take several passes. */
static void many_choices(void)
{
	enum { C = 300 };
	static uint32_t ids[C][8], prompt[100];
	static struct decode_choice c[C];
	uint32_t n = long_prompt(2, false, prompt);

	for (uint32_t i = 0; i < C; i++) {
		c[i] = (struct decode_choice){ .ids = ids[i], .n = 8 };
		for (uint32_t k = 0; k < 8; k++)
			ids[i][k] = (i * 8 + k * 3) % 250;
	}
	CHECK(decode_choices(d, prompt, n, c, C, NULL) == 0);
	for (uint32_t i = 0; i < C; i += 23)
		CHECK(fabs(c[i].score - alone(prompt, n, &c[i])) < 1e-3);
}

/* Choices out of so few tokens that many begin alike, whole ones others' beginnings, with and without a divisor. */
static void best_choice(void)
{
	enum { C = 60 };
	static uint32_t ids[C][6], prompt[1300];
	struct decode_choice c[C];
	double divide[C];
	uint32_t n, want, got, alike = 0;

	for (uint32_t round = 0; round < 24; round++) {
		n = round == 0 ? 1 : long_prompt(round, round == 5, prompt);
		prompt[0] = 5;
		for (uint32_t i = 0; i < C; i++) {
			c[i] = (struct decode_choice){ .ids = ids[i], .n = 1 + (i + round) % (round % 3 == 2 ? 6 : 3) };
			for (uint32_t k = 0; k < c[i].n; k++)
				ids[i][k] = 3 + (k < 2 ? i / (round % 4 < 2 ? 4 : 30) * 7 + k * round : i * (k + 1)) % 200;
			divide[i] = round % 2 ? c[i].n : 1;
		}
		CHECK(decode_best(d, prompt, n, c, C, round % 2 ? divide : NULL, &got, NULL) == 0 && got < C);
		double score = c[got].score, most = -INFINITY;

		CHECK(decode_choices(d, prompt, n, c, C, NULL) == 0);
		for (uint32_t i = want = 0; i < C; i++)
			if (c[i].score / divide[i] > most)
				most = c[want = i].score / divide[i];
		/* to rounding, for choices of the same tokens differ in nothing else */
		CHECK(fabs(score - c[got].score) < 1e-3 && fabs(c[got].score / divide[got] - most) < 1e-4);
		alike += got == want;
	}
	CHECK(alike >= 20);
}

int main(void)
{
	data = getenv("DATA") ? getenv("DATA") : "tests/data";
	TEST(goldens);
	if (!set_up(&l, &d, "llama_gqa_tied", "lora"))
		return 1;
	TEST(together);
	TEST(stopping);
	TEST(choices);
	TEST(many_choices);
	TEST(best_choice);
	tear_down(&l, d);
	return test_end();
}
