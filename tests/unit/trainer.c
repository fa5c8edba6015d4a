/* SPDX-License-Identifier: Apache-2.0 */
/* Optimiser steps: how a step is cut into micro-steps and passes changes nothing but rounding; whole runs against torch are in
 * tests/golden. */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "json.h"
#include "loaded.h"
#include "mem.h"
#include "test.h"
#include "trainer.h"

static const char *data;
static char dir[] = "trainer.XXXXXX", model[512], shard[64], packed[64], empty[64], weighted[64];

/* The sequences of the model's train_data.json as a shard; REPEAT: the weight of each is 2; MASK 0: none is trained. */
static void write_shard(const char *path, uint32_t pack, float weight, int mask)
{
	const struct json *j = NULL, *mb;
	struct shard_out *o = NULL;
	struct arena a;
	char file[600];

	arena_init(&a);
	snprintf(file, sizeof file, "%s/train_data.json", model);
	CHECK(json_file(&a, file, &j, NULL) == 0 && shard_create(&o, path, 0, "{}", NULL) == 0);
	mb = json_get(j, "micro_batches");
	for (size_t b = 0; mb && b < mb->n; b++)
		for (size_t i = 0; i < 2; i++) {
			const struct json *ids = &json_get(&mb->item[b], "input_ids")->item[i], *m = &json_get(&mb->item[b], "loss_mask")->item[i];
			uint32_t id[256];
			uint8_t on[256];
			int64_t v = 0;

			for (size_t k = 0; k < ids->n; k++) {
				json_int(&ids->item[k], &v);
				id[k] = (uint32_t)v;
				json_int(&m->item[k], &v);
				on[k] = mask && v;
			}
			CHECK(shard_put(o, &(struct shard_seq){ .ids = id, .mask = on, .n = (uint32_t)ids->n, .weight = weight, .id = "", .slice = "",
				.source = "" }, NULL) == 0);
		}
	CHECK(shard_finish(o, pack, NULL) == 0);
	arena_release(&a);
}

struct fixture {
	struct loaded l;
	struct data d;
	struct cursor c;
	struct optim o;
	struct trainer t;
};

/* What the next run draws at random. */
static double dropout;
static float neftune;

static bool set_dropout(struct lora *l)
{
	l->dropout = dropout;
	return false;
}

static int open_optim(struct fixture *f, struct err *e)
{
	size_t n;
	struct optim_part *part = optim_parts_adapter(f->l.lora, 1, &n);
	int rc = optim_init(&f->o, f->l.k, part, n, &(struct optim_opts){ OPTIM_ADAMW, 0.01, 1 }, e);

	mem_free(part);
	return rc;
}

static bool set_up(struct fixture *f, const char *spec, uint64_t batch, uint64_t accumulate, uint32_t micro)
{
	char adapter[600];
	struct err e = {0};

	memset(f, 0, sizeof *f);
	snprintf(adapter, sizeof adapter, "%s/lora", model);
	if (loaded_base(&f->l, &(struct loaded_opts){ .model = model, .device = "cpu", .dtype = 1 }, 2, &e) != 0 ||
	    loaded_adapter(&f->l, adapter, &e) != 0 || set_dropout(f->l.lora) || loaded_model(&f->l, &(struct model_opts){ .train = MODEL_TRAIN_LORA }, &e) != 0 ||
	    data_open(&f->d, &spec, 1, &(struct data_opts){ .vocab = f->l.w->cfg.vocab }, &e) != 0 ||
	    open_optim(f, &e) != 0) {
		test_line(__FILE__, __LINE__, e.msg);
		return false;
	}
	cursor_init(&f->c, f->d.src, f->d.n, CURSOR_SEQUENTIAL, 0);
	f->t = (struct trainer){ .seed = 7, .k = f->l.k, .m = f->l.m, .data = &f->d, .cursor = &f->c, .optim = &f->o, .batch = batch,
		.accumulate = accumulate, .micro = micro };
	f->t.pack.neftune = neftune;
	return true;
}

static void tear_down(struct fixture *f)
{
	trainer_release(&f->t);
	optim_release(&f->o);
	cursor_release(&f->c);
	data_close(&f->d);
	loaded_close(&f->l);
}

/* Three steps of 8 rows at rate 1e-3: the losses, the norms, and a digest of the values. */
static void run(const char *spec, uint64_t batch, uint64_t accumulate, uint32_t micro, double out[7])
{
	struct trainer_step s;
	struct fixture f;

	if (!set_up(&f, spec, batch, accumulate, micro))
		return;
	for (int i = 0; i < 3; i++) {
		CHECK(trainer_step(&f.t, 1e-3, &s, NULL) == 0);
		out[2 * i] = s.loss;
		out[2 * i + 1] = s.norm;
	}
	out[6] = 0;
	for (size_t i = 0; i < f.o.n; i++)
		out[6] += f.l.values[i] * sin((double)i);
	tear_down(&f);
}

static bool same(const double *a, const double *b)
{
	bool ok = true;

	for (int i = 0; i < 7; i++)
		ok = ok && fabs(a[i] - b[i]) <= 2e-5 * fabs(b[i]);
	return ok;
}

static void cuts(void)
{
	double whole[7], part[7];

	run(shard, 8, 1, 1 << 20, whole);
	CHECK(whole[0] > 5 && whole[0] < 12 && whole[4] < whole[0] + 2);
	run(shard, 2, 4, 1 << 20, part);
	CHECK(same(part, whole));
	run(shard, 3, 3, 1 << 20, part);             /* 9 rows a step: another loss */
	CHECK(!same(part, whole));
	run(shard, 8, 1, 30, part);
	CHECK(same(part, whole));
	run(shard, 1, 8, 1, part);                   /* a sequence of its own has a pass even if it is longer */
	CHECK(same(part, whole));
	run(shard, 8, 1, 1 << 20, part);
	CHECK(memcmp(part, whole, sizeof part) == 0);
}

/* Dropout and noise: other numbers at each step and with another size, the same however a step is cut. */
static void random_parts(void)
{
	double plain[7], whole[7], part[7];

	run(shard, 8, 1, 1 << 20, plain);
	for (int i = 0; i < 3; i++) {
		dropout = i == 1 ? 0 : 0.3;
		neftune = i == 0 ? 0 : 0.5f;
		run(shard, 8, 1, 1 << 20, whole);
		CHECK(!same(plain, whole));
		run(shard, 2, 4, 30, part);
		CHECK(same(part, whole));
		run(shard, 8, 1, 1 << 20, part);
		CHECK(memcmp(part, whole, sizeof part) == 0);
	}
	dropout = 0;
	neftune = 0;
}

/* All sequences of weight 2: twice the gradient, the loss as it is. */
static void weights(void)
{
	double one[7], two[7];

	run(shard, 8, 1, 1 << 20, one);
	run(weighted, 8, 1, 1 << 20, two);
	CHECK(two[0] == one[0] && fabs(two[1] - 2 * one[1]) < 1e-4 * one[1]);
}

/* Rows of a pack plan: all of it in one step is all sequences in one step, in another order. */
static void packs(void)
{
	struct trainer_step a, b;
	struct fixture f;

	if (!set_up(&f, shard, 16, 1, 1 << 20))
		return;
	CHECK(f.d.rows == 16 && trainer_step(&f.t, 1e-3, &a, NULL) == 0 && f.c.place.epoch == 1);
	tear_down(&f);
	if (!set_up(&f, packed, 16, 1, 1 << 20))
		return;
	CHECK(f.d.rows < 16 && f.d.max_row <= 64 && trainer_step(&f.t, 1e-3, &b, NULL) == 0 && f.c.place.epoch == 1);
	CHECK(a.tokens == b.tokens && a.trained == b.trained && fabs(a.loss - b.loss) < 1e-5 && fabs(a.norm - b.norm) < 1e-4 * a.norm);
	tear_down(&f);
}

static void validation(void)
{
	struct trainer_step s;
	struct fixture f;
	double loss = 0, cut = 0;

	if (!set_up(&f, shard, 16, 1, 1 << 20))
		return;
	CHECK(trainer_validate(&f.t, &f.d, &loss, NULL) == 0);
	f.t.micro = 40;
	CHECK(trainer_validate(&f.t, &f.d, &cut, NULL) == 0 && fabs(cut - loss) < 1e-5);
	CHECK(trainer_step(&f.t, 0, &s, NULL) == 0 && fabs(s.loss - loss) < 1e-5);
	tear_down(&f);
}

/* A model that is broken: the step says which rows, and leaves the values alone. */
static void not_a_number(void)
{
	struct trainer_step s;
	struct fixture f;
	struct err e = {0};
	float before;

	if (!set_up(&f, shard, 2, 2, 1 << 20))
		return;
	f.l.values[0] = NAN;
	before = f.l.values[9];
	CHECK(trainer_step(&f.t, 1e-3, &s, &e) == SFT_BADDATA && strstr(e.msg, "not finite") && strstr(e.msg, "plain.shard:0,1,2,3"));
	CHECK(f.l.values[9] == before && f.o.t == 0);
	tear_down(&f);
}

static void refused(void)
{
	const char *spec[] = { shard, empty }, *twice;
	char with[100];
	struct data d;
	struct err e = {0};

	CHECK(data_open(&d, &spec[1], 1, &(struct data_opts){ .vocab = 500 }, &e) == SFT_BADDATA && strstr(e.msg, "no sequence has a trained token"));
	CHECK(data_open(&d, spec, 2, &(struct data_opts){ .vocab = 500 }, &e) == 0 && d.rows == 16 && d.untrained == 16);
	data_close(&d);
	CHECK(data_open(&d, spec, 1, &(struct data_opts){ .vocab = 100 }, &e) == SFT_BADDATA && strstr(e.msg, "vocabulary has 100"));
	snprintf(with, sizeof with, "%s:2.5", shard);
	twice = with;
	CHECK(data_open(&d, &twice, 1, &(struct data_opts){ .vocab = 500 }, &e) == 0 && d.src[0].weight == 2.5);
	data_close(&d);
	snprintf(with, sizeof with, "%s:0", shard);
	CHECK(data_open(&d, &twice, 1, &(struct data_opts){ .vocab = 500 }, &e) == SFT_USAGE);
	snprintf(with, sizeof with, "%s:x", shard);
	CHECK(data_open(&d, &twice, 1, &(struct data_opts){ .vocab = 500 }, &e) == SFT_SYSTEM);
}

int main(void)
{
	char cmd[64];

	data = getenv("DATA") ? getenv("DATA") : "tests/data";
	snprintf(model, sizeof model, "%s/models/llama_gqa_tied", data);
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(shard, sizeof shard, "%s/plain.shard", dir);
	snprintf(packed, sizeof packed, "%s/packed.shard", dir);
	snprintf(empty, sizeof empty, "%s/empty.shard", dir);
	snprintf(weighted, sizeof weighted, "%s/weighted.shard", dir);
	write_shard(shard, 0, 1, 1);
	write_shard(packed, 64, 1, 1);
	write_shard(empty, 0, 1, 0);
	write_shard(weighted, 0, 2, 1);
	TEST(cuts);
	TEST(random_parts);
	TEST(weights);
	TEST(packs);
	TEST(validation);
	TEST(not_a_number);
	TEST(refused);
	snprintf(cmd, sizeof cmd, "rm -r %s", dir);
	return system(cmd) != 0 || test_end();
}
