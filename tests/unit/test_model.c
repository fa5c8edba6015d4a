/* SPDX-License-Identifier: Apache-2.0 */
/* The forward and backward pass against figures from PyTorch (tests/data/models: see its README for how they were made and
 * what float32 rounding costs).  Backend `ref` and the CPU's best one. */
#include <math.h>
#include <stdlib.h>

#include "adapter.h"
#include "merge.h"
#include "json.h"
#include "mem.h"
#include "model.h"
#include "safetensors.h"
#include "test.h"
#include "weights.h"

static const char *data;                 /* tests/data */
static const char *device;
static const char *name;                 /* of the model */
static struct pool *pool;

enum { MAX_T = 1024 };

/* Sequences of one pass, as a batch of rows without padding. */
struct rows {
	uint32_t n, nout, nseg;
	uint32_t ids[MAX_T], pos[MAX_T], out[MAX_T], target[MAX_T];
	float weight[MAX_T];
	struct kern_seg seg[16];
};

static void add_sequence(struct rows *r, const struct json *ids, const struct json *mask, uint32_t first, uint32_t n)
{
	int64_t v = 0, on = 0;

	r->seg[r->nseg++] = (struct kern_seg){ .q0 = r->n, .nq = n, .k0 = r->n, .nk = n };
	for (uint32_t i = 0; i < n; i++) {
		json_int(&ids->item[first + i], &v);
		json_int(&mask->item[first + i], &on);
		if (on && i > 0) {
			r->out[r->nout] = r->n - 1;
			r->target[r->nout++] = (uint32_t)v;
		}
		r->ids[r->n] = (uint32_t)v;
		r->pos[r->n++] = i;
	}
}

static struct batch batch_of(struct rows *r)
{
	for (uint32_t i = 0; i < r->nout; i++)
		r->weight[i] = 1.0f / (float)r->nout;
	return (struct batch){ .n = r->n, .ids = r->ids, .pos = r->pos, .seg = r->seg, .nseg = r->nseg, .nout = r->nout, .out = r->out, .target = r->target,
		.weight = r->weight };
}

static const char *path(const char *fmt, const char *more)
{
	static char buf[8][512];
	static int k;
	char *p = buf[k++ & 7];
	int n = snprintf(p, 512, "%s/models/%s/", data, name);

	snprintf(p + n, 512 - (size_t)n, fmt, more);
	return p;
}

/* Relative L2 distance of G from tensor T (F32). */
static double distance(const float *g, const struct tensor *t)
{
	double d = 0, s = 0;

	for (uint64_t i = 0; i < t->count; i++) {
		float y;
		memcpy(&y, (const char *)t->data + 4 * i, 4);
		d += ((double)g[i] - y) * ((double)g[i] - y);
		s += (double)y * y;
	}
	return sqrt(d) / fmax(sqrt(s), 1e-12);
}

struct fixture {
	struct arena a;
	struct weights *w;
	struct kern *k;
	struct lora *lora;
	float *values;
	struct model *m;
	struct rows r;
};

static int set_up(struct fixture *f, const char *adapter, unsigned train, enum dtype act, bool ckpt)
{
	struct err e = {0};

	memset(f, 0, sizeof *f);
	if (weights_open(&f->w, path("%s", "."), &e) != 0 || kern_open(&f->k, device, pool, &e) != 0 ||
	    (adapter && lora_load(&f->lora, &f->values, &f->w->cfg, path("%s", adapter), &e) != 0) ||
	    model_open(&f->m, f->k, f->w, f->lora, f->values, &(struct model_opts){ .act = act, .train = train, .checkpointing = ckpt }, &e) != 0) {
		test_line(__FILE__, __LINE__, e.msg);
		return -1;
	}
	return 0;
}

static void tear_down(struct fixture *f)
{
	model_close(f->m);
	kern_close(f->k);
	lora_free(f->lora);
	mem_free(f->values);
	weights_close(f->w);
	arena_release(&f->a);
}

static const struct json *load(struct fixture *f, const char *file)
{
	const struct json *j = NULL;
	struct err e = {0};

	if (json_file(&f->a, path("%s", file), &j, &e) != 0)
		test_line(__FILE__, __LINE__, e.msg);
	return j;
}

static void load_batch(struct fixture *f)
{
	const struct json *b = load(f, "batch.json"), *len = json_get(b, "lengths");

	for (size_t i = 0; b && i < len->n; i++)
		add_sequence(&f->r, &json_get(b, "input_ids")->item[i], &json_get(b, "loss_mask")->item[i], 0, (uint32_t)json_double(&len->item[i]));
}

static double expected_loss(struct fixture *f, const char *file)
{
	return json_double(json_get(load(f, file), "loss"));
}

/* Logits of all rows against expected.safetensors ([2, T, V], padded). */
static void check_logits_named(struct fixture *f, const char *file, const char *tensor)
{
	struct safetensors *st;
	struct err e = {0};
	const struct tensor *t;
	uint32_t v = f->w->cfg.vocab, all[MAX_T];
	struct batch b = batch_of(&f->r);
	float *logits = mem_new((size_t)b.n * v * sizeof *logits);
	double worst = 0;

	for (uint32_t i = 0; i < b.n; i++)
		all[i] = i;
	b.out = all;
	b.nout = b.n;
	b.target = NULL;
	CHECK(st_open(&st, path("%s", file), &e) == 0);
	CHECK(model_forward(f->m, &b, NULL, NULL, logits, &e) == 0);
	t = st_find(st, tensor);
	for (uint32_t s = 0; s < f->r.nseg; s++) {
		const struct kern_seg *g = &f->r.seg[s];
		size_t row0 = t->ndim == 3 ? s * t->dim[1] : g->q0;

		for (size_t i = 0; i < (size_t)g->nq * v; i++) {
			float y;
			memcpy(&y, (const char *)t->data + 4 * (row0 * v + i), 4);
			worst = fmax(worst, fabs((double)logits[(size_t)g->q0 * v + i] - y));
		}
	}
	CHECK(worst < 1e-4);
	st_close(st);
	mem_free(logits);
}

static void check_logits(struct fixture *f, const char *file)
{
	check_logits_named(f, file, "logits");
}

/* A row's values in the order of its file: fused experts' B goes column by column. */
static float *as_in_file(const struct lora_row *r, const float *p)
{
	float *out = mem_grow(NULL, (size_t)r->rows * r->cols, sizeof *out);
	uint32_t n = r->experts ? r->experts : 1, rank = r->cols / n;

	for (uint32_t x = 0; x < n; x++)
		for (uint32_t i = 0; i < r->rows; i++)
			for (uint32_t j = 0; j < rank; j++)
				out[(size_t)i * r->cols + j * n + x] = *p++;
	return out;
}

static void check_lora_grads(struct fixture *f, const char *file)
{
	struct safetensors *st;
	struct err e = {0};
	double worst = 0;

	CHECK(st_open(&st, path("%s", file), &e) == 0);
	for (size_t i = 0; i < f->lora->nrows; i++) {
		const struct tensor *t = st_find(st, f->lora->row[i].name);
		CHECK(t != NULL);
		float *g = as_in_file(&f->lora->row[i], model_grad(f->m) + f->lora->row[i].offset);

		if (t)
			worst = fmax(worst, distance(g, t));
		mem_free(g);
	}
	CHECK(worst < 1e-4);
	st_close(st);
}

static void check_full_grads(struct fixture *f, const char *file)
{
	struct safetensors *st;
	struct err e = {0};
	double worst = 0;
	size_t off = 0;

	CHECK(st_open(&st, path("%s", file), &e) == 0);
	for (size_t i = 0; i < place_count(&f->w->cfg); i++) {
		struct place at = place_at(&f->w->cfg, i);
		char full[96];
		const struct tensor *t;

		if (f->w->w[i].p == NULL || at.p == P_RBIAS)
			continue;
		param_hf_name(&f->w->cfg, at.p, at.layer, at.expert, full);
		t = st_find(st, full);
		CHECK(t != NULL && model_full(f->m, i) == model_values(f->m) + off);
		if (t)
			worst = fmax(worst, distance(model_grad(f->m) + off, t));
		off += (size_t)f->w->w[i].rows * f->w->w[i].cols;
	}
	CHECK(worst < 1e-4);
	CHECK(off == model_trained(f->m));
	st_close(st);
}

static double train_once(struct fixture *f)
{
	struct batch b = batch_of(&f->r);
	struct err e = {0};
	struct model_loss loss = {0};

	CHECK(model_train(f->m, &b, &loss, &e) == 0);
	return loss.token / b.nout;
}

static void base_model(void)
{
	struct fixture f;

	if (set_up(&f, NULL, MODEL_TRAIN_FULL, DT_F32, false) != 0)
		return;
	load_batch(&f);
	check_logits(&f, "expected.safetensors");
	CHECK(fabs(train_once(&f) - expected_loss(&f, "expected.json")) < 2e-5);
	check_full_grads(&f, "grads.safetensors");
	tear_down(&f);
}

static void adapter(const char *which, bool ckpt)
{
	struct fixture f;
	char file[64];

	if (set_up(&f, which, MODEL_TRAIN_LORA, DT_F32, ckpt) != 0)
		return;
	load_batch(&f);
	snprintf(file, sizeof file, "%s/expected.safetensors", which);
	check_logits(&f, file);
	snprintf(file, sizeof file, "%s/expected.json", which);
	CHECK(fabs(train_once(&f) - expected_loss(&f, file)) < 2e-5);
	snprintf(file, sizeof file, "%s/grads.safetensors", which);
	check_lora_grads(&f, file);
	tear_down(&f);
}

static void lora(void)   { adapter("lora", false); }
static void rslora(void) { adapter("rslora", false); }
static void dora(void)   { adapter("dora", false); }
static void lora_experts(void)       { adapter("lora_experts", false); }
static void lora_experts_split(void) { adapter("lora_experts_split", false); }
static void experts_checkpointing(void) { adapter("lora_experts", true); }
static void prefix(void) { adapter("prefix", false); }
static void prefix_checkpointing(void) { adapter("prefix", true); }
static void lora_checkpointing(void) { adapter("lora", true); }

/* The adapter folded into the weights, written and read again. */
static void merged(const char *which)
{
	struct tool t = { .quiet = true, .threads = 2 };
	static const char dir[] = "merged-model";
	char file[64], cmd[64];
	struct fixture f = {0};
	struct err e = {0};
	struct merge_opts o = { .model = path("%s", "."), .adapter = path("%s", which), .out = dir, .type = DT_F32 };

	if (merge_run(&o, &t, &e) != 0 || weights_open(&f.w, dir, &e) != 0 || kern_open(&f.k, device, pool, &e) != 0 ||
	    model_open(&f.m, f.k, f.w, NULL, NULL, &(struct model_opts){ .act = DT_F32 }, &e) != 0) {
		test_line(__FILE__, __LINE__, e.msg);
		return;
	}
	load_batch(&f);
	snprintf(file, sizeof file, "%s/expected.safetensors", which);
	check_logits_named(&f, file, "merged_logits");
	tear_down(&f);
	snprintf(cmd, sizeof cmd, "rm -r %s", dir);
	CHECK(system(cmd) == 0);
}

static void merged_lora(void)   { merged("lora"); }
static void merged_rslora(void) { merged("rslora"); }
static void merged_dora(void)   { merged("dora"); }
static void merged_experts(void)       { merged("lora_experts"); }

/* Three sequences in one row give the logits, loss and gradients of the same sequences apart. */
static void packing(void)
{
	struct fixture f;
	const struct json *p, *ids, *mask, *of;

	if (set_up(&f, NULL, MODEL_TRAIN_FULL, DT_F32, false) != 0)
		return;
	p = load(&f, "packing/expected.json");
	ids = json_get(p, "input_ids");
	mask = json_get(p, "loss_mask");
	of = json_get(p, "sequence_index");
	CHECK(ids && mask && of);
	if (ids->n && ids->item[0].type == JSON_ARR) {
		ids = ids->item;
		mask = mask->item;
		of = of->item;
	}
	for (uint32_t i = 0, n; i < ids->n; i += n) {
		for (n = 1; i + n < ids->n && json_double(&of->item[i + n]) == json_double(&of->item[i]); n++)
			;
		add_sequence(&f.r, ids, mask, i, n);
	}
	check_logits(&f, "packing/expected.safetensors");
	CHECK(fabs(train_once(&f) - json_double(json_get(p, "loss"))) < 2e-5);
	check_full_grads(&f, "packing/grads.safetensors");
	tear_down(&f);
}

/* Token by token through the cache gives the logits of the whole row at once. */
static void cache(void)
{
	struct fixture f;
	struct err e = {0};
	struct kv_cache *kv;
	uint32_t n, v, zero = 0;
	float *whole, *one;
	double worst = 0;

	if (set_up(&f, NULL, 0, DT_F32, false) != 0)
		return;
	load_batch(&f);
	n = f.r.seg[0].nq;
	v = f.w->cfg.vocab;
	whole = mem_new((size_t)n * v * sizeof *whole);
	one = mem_new(v * sizeof *one);
	CHECK(model_forward(f.m, &(struct batch){ .n = n, .ids = f.r.ids, .pos = f.r.pos, .seg = f.r.seg, .nseg = 1, .nout = n, .out = f.r.pos }, NULL, NULL, whole, &e) == 0);
	CHECK(kv_open(&kv, f.m, n + 3, &e) == 0);
	for (uint32_t i = 0; i < n; i++) {
		struct kern_seg s = { .q0 = 0, .nq = 1, .k0 = 3, .nk = i + 1 };
		uint32_t at = 3 + i;

		CHECK(model_forward(f.m, &(struct batch){ .n = 1, .ids = f.r.ids + i, .pos = &i, .seg = &s, .nseg = 1, .nout = 1, .out = &zero }, kv, &at, one, &e) == 0);
		for (uint32_t j = 0; j < v; j++)
			worst = fmax(worst, fabs((double)one[j] - whole[(size_t)i * v + j]));
	}
	CHECK(worst < 1e-4);
	kv_close(kv);
	mem_free(whole);
	mem_free(one);
	tear_down(&f);
}

/* bf16 stays near f32, and nothing depends on the number of threads. */
static void bfloat16(void)
{
	struct fixture f, g;
	struct pool *mine = pool;
	double a, b;

	if (set_up(&f, "lora", MODEL_TRAIN_LORA, DT_BF16, false) != 0)
		return;
	load_batch(&f);
	a = train_once(&f);
	CHECK(fabs(a - expected_loss(&f, "lora/expected.json")) < 0.1);
	pool = pool_open(3);
	if (set_up(&g, "lora", MODEL_TRAIN_LORA, DT_BF16, true) == 0) {
		load_batch(&g);
		b = train_once(&g);
		CHECK(a == b);
		CHECK(memcmp(model_grad(f.m), model_grad(g.m), model_trained(f.m) * sizeof(float)) == 0);
		tear_down(&g);
	}
	pool_close(pool);
	pool = mine;
	tear_down(&f);
}

int main(void)
{
	static const char *const devices[] = { "ref", "cpu" };

	data = getenv("DATA") ? getenv("DATA") : "tests/data";
	pool = pool_open(1);
	for (int d = 0; d < 2; d++) {
		device = devices[d];
		name = "llama_gqa_tied";
		TEST(base_model);
		TEST(lora);
		TEST(rslora);
		TEST(merged_lora);
		TEST(merged_rslora);
		TEST(prefix);
		TEST(prefix_checkpointing);
		TEST(lora_checkpointing);
		TEST(packing);
		TEST(cache);
		TEST(bfloat16);
		name = "llama_untied_llama3rope";
		TEST(base_model);
		name = "qwen2";
		TEST(base_model);
		TEST(lora);
		TEST(dora);
		TEST(merged_lora);
		TEST(merged_dora);
		name = "qwen3";
		TEST(base_model);
		TEST(lora);
		TEST(merged_lora);
		TEST(packing);
		name = "mistral_sliding";
		TEST(base_model);
		name = "deepseek_v3";
		TEST(base_model);
		TEST(lora);
		TEST(merged_lora);
		TEST(lora_experts);
		TEST(lora_experts_split);
		TEST(experts_checkpointing);
		TEST(merged_experts);
		TEST(lora_checkpointing);
		TEST(packing);
		TEST(cache);
		TEST(bfloat16);
		name = "deepseek_v2_lite";
		TEST(base_model);
		name = "qwen2_moe";
		TEST(base_model);
		name = "mixtral";
		TEST(base_model);
	}
	pool_close(pool);
	return test_end();
}
