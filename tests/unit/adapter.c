/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapter.h"
#include "mapfile.h"
#include "mem.h"
#include "outfile.h"
#include "safetensors.h"
#include "test.h"

static struct model_config cfg;          /* of llama_gqa_tied */

static const char *data_path(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/models/llama_gqa_tied/%s", getenv("DATA") ? getenv("DATA") : "tests/data", name);
	return path;
}

static int load_config(void)
{
	struct err e = {0};
	const struct json *j;
	struct arena a;
	int rc;

	arena_init(&a);
	if ((rc = json_file(&a, data_path("config.json"), &j, &e)) == 0)
		rc = config_from_json(&cfg, j, &e);
	arena_release(&a);
	return rc;
}

static void layout(void)
{
	static const enum param a_then_b[] = { P_WQ, P_WK, P_WV, P_WQ, P_WK, P_WV, P_WO, P_WO, P_GATE, P_UP, P_GATE, P_UP, P_DOWN, P_DOWN };
	static const bool is_b[] = { 0, 0, 0, 1, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1 };
	struct err e = {0};
	struct lora *l;
	size_t at = 0;

	CHECK(lora_new(&l, &cfg, &(struct lora_opts){ 4, 8, 0, false, false, "all" }, &e) == 0);
	CHECK(l->nrows == 14 * cfg.layers && l->site[l->row[0].place].scale == 2 && l->layers == 3);
	for (size_t i = 0; i < l->nrows; i++) {
		const struct lora_row *r = &l->row[i];

		CHECK(place_at(&cfg, r->place).p == a_then_b[i % 14] && (r->part == LORA_B) == is_b[i % 14] && place_at(&cfg, r->place).layer == i / 14);
		CHECK(r->offset == at && (r->part == LORA_B ? l->site[r->place].b : l->site[r->place].a) == at);
		CHECK(r->part == LORA_B ? r->cols == 4 : r->rows == 4);
		at += (size_t)r->rows * r->cols;
	}
	CHECK(l->count == at && l->site[P_NORM1].rank == 0);
	CHECK_STR(l->row[15].name, "base_model.model.model.layers.1.self_attn.k_proj.lora_A.weight");
	CHECK_STR(l->row[27].name, "base_model.model.model.layers.1.mlp.down_proj.lora_B.weight");
	CHECK(l->row[1].rows == 4 && l->row[1].cols == 64 && l->row[4].rows == 16 && l->row[13].rows == 64 && l->row[12].cols == 160);
	lora_free(l);
}

static void targets(void)
{
	struct err e = {0};
	struct lora *l;

	CHECK(lora_new(&l, &cfg, &(struct lora_opts){ 2, 4, 0, true, false, "attention" }, &e) == 0);
	CHECK(l->nrows == 8 * cfg.layers && l->site[P_WO].rank == 2 && l->site[P_GATE].rank == 0 && fabsf(l->site[P_WO].scale - 4 / sqrtf(2)) < 1e-6f);
	lora_free(l);
	CHECK(lora_new(&l, &cfg, &(struct lora_opts){ 2, 4, 0, false, false, "down_proj,q_proj" }, &e) == 0);
	CHECK(l->nrows == 4 * cfg.layers && l->row[0].place == P_WQ && l->row[2].place == P_DOWN);
	lora_free(l);
	CHECK(lora_new(&l, &cfg, &(struct lora_opts){ 2, 4, 0, false, false, "q_proj,norm" }, &e) == SFT_USAGE && strstr(e.msg, "'norm' (expected all, attention, mlp, or some of q_proj, k_proj"));
	CHECK(l == NULL);
	CHECK(lora_new(&l, &cfg, &(struct lora_opts){ 2, 4, 0, false, false, "" }, &e) == SFT_USAGE && lora_new(&l, &cfg, &(struct lora_opts){ 2, 4, 0, false, false, "q_proj," }, &e) == SFT_USAGE);
}

/* How many matrices TARGETS chooses, and whether Q is one of them; -1: refused with the words SAYS. */
static int chosen(const char *targets, size_t q, const char *says)
{
	struct err e = {0};
	struct lora *l;
	int n = 0;

	if (lora_new(&l, &cfg, &(struct lora_opts){ 2, 4, 0, false, false, targets }, &e) != 0)
		return says && strstr(e.msg, says) ? -1 : -2;
	for (size_t i = 0; i < place_count(&cfg); i++)
		n += l->site[i].rank > 0;
	n = l->site[q].rank ? n : 1000 + n;
	lora_free(l);
	return n;
}

static void target_language(void)
{
	size_t q1 = place_index(&cfg, P_WQ, 1, 0), up2 = place_index(&cfg, P_UP, 2, 0);

	CHECK(chosen("mlp", up2, NULL) == 9 && chosen("self_attn.q_proj", q1, NULL) == 3 && chosen("layers.2.mlp.up_proj", up2, NULL) == 1);
	CHECK(chosen("q_proj,mlp.up_proj,layers=1-2", q1, NULL) == 4 && chosen("layers=2,up_proj", up2, NULL) == 1);
	CHECK(chosen("all,layers=0,layers=2", up2, NULL) == 14 && chosen("all,layers=0", q1, NULL) == 1007);
	CHECK(chosen("/.*\\.[12]\\..*(q|up)_proj/", up2, NULL) == 4 && chosen("/.*q_proj|x{2,3}/,up_proj", q1, NULL) == 6);
	CHECK(chosen("/q_proj/", q1, "called '/q_proj/'") == -1 && chosen("/(/", q1, "--targets: pattern") == -1);
	CHECK(chosen("layers=3", q1, "layers 0 to 2") == -1 && chosen("q_proj,layers=2-1", q1, "layers=2-1") == -1 && chosen("layers=x,all", q1, "layers=x") == -1);
	CHECK(chosen("layers=1", q1, "nothing in the layers") == -1 && chosen("experts", q1, "called 'experts'") == -1);
}

/* Ranks and alphas of their own survive a folder. */
static void patterns(void)
{
	struct err e = {0};
	struct lora *l, *again;
	float *p, *p2;
	size_t q = P_WQ, down = place_index(&cfg, P_DOWN, 2, 0);

	l = lora_blank(&cfg);
	l->rank = 4;
	l->alpha = 8;
	for (size_t i = 0; i < place_count(&cfg); i++) {
		enum param at = place_at(&cfg, i).p;

		if (i >= P_LAYER && (at == P_WQ || at == P_DOWN || (at == P_WV && place_at(&cfg, i).layer != 1))) {
			l->site[i].rank = i == down ? 2 : 4;
			l->site[i].alpha = i == q ? 3.5 : 8;
		}
	}
	lora_lay_out(l, &cfg);
	p = malloc(l->count * sizeof *p);
	lora_init(l, NULL, 1, p);
	CHECK(lora_save(l, &cfg, p, "pattern/adapter", &e) == 0);
	CHECK(lora_load(&again, &p2, &cfg, "pattern/adapter", &e) == 0);
	CHECK(again->nrows == l->nrows && again->count == l->count && memcmp(p, p2, l->count * sizeof *p) == 0);
	for (size_t i = 0; i < place_count(&cfg); i++)
		CHECK(again->site[i].rank == l->site[i].rank && (l->site[i].rank == 0 || again->site[i].scale == l->site[i].scale));
	CHECK(again->site[q].scale == 3.5f / 4 && again->site[down].rank == 2 && again->site[down].scale == 4);
	lora_free(l), lora_free(again);
	free(p), mem_free(p2);
}

static void initial_values(void)
{
	struct err e = {0};
	struct lora *l;
	float *p, *q;
	double sum = 0, sq = 0;
	size_t n = 0, same = 0;

	CHECK(lora_new(&l, &cfg, &(struct lora_opts){ 8, 16, 0, false, false, "all" }, &e) == 0);
	p = malloc(l->count * sizeof *p), q = malloc(l->count * sizeof *q);
	memset(p, 0xff, l->count * sizeof *p);
	lora_init(l, NULL, 5, p);
	lora_init(l, NULL, 6, q);
	for (size_t i = 0; i < l->nrows; i++) {
		const struct lora_row *r = &l->row[i];
		float bound = 1 / sqrtf((float)r->cols);

		for (size_t k = 0; k < (size_t)r->rows * r->cols; k++) {
			float v = p[r->offset + k];

			if (r->part == LORA_B) {
				CHECK(v == 0);
				continue;
			}
			CHECK(fabsf(v) <= bound);
			sum += (double)(v / bound), sq += (double)(v / bound) * (double)(v / bound), n++;
			same += v == q[r->offset + k];
		}
	}
	CHECK(fabs(sum / (double)n) < 0.02 && fabs(sq / (double)n - 1.0 / 3) < 0.01 && same < n / 1000);     /* uniform; other seeds, other values */
	lora_init(l, NULL, 5, q);
	CHECK(memcmp(p, q, l->count * sizeof *p) == 0);
	free(p), free(q);
	lora_free(l);
}

static void round_trip(const char *name, bool rslora)
{
	struct err e = {0};
	struct mapfile a, b;
	struct lora *l, *again;
	float *p, *p2;
	char path[PATH_MAX];

	CHECK(lora_load(&l, &p, &cfg, data_path(name), &e) == 0);
	if (e.code) {
		printf("# %s\n", e.msg);
		return;
	}
	CHECK(l->rank == 4 && l->alpha == 8 && l->rslora == rslora && l->nrows == 14 * cfg.layers);
	CHECK_STR(l->base_name, "llama_gqa_tied");
	CHECK(lora_save(l, &cfg, p, "new/adapter", &e) == 0);
	snprintf(path, sizeof path, "%s/adapter_model.safetensors", data_path(name));
	CHECK(mapfile_open(&a, path, &e) == 0 && mapfile_open(&b, "new/adapter/adapter_model.safetensors", &e) == 0);
	CHECK(a.n == b.n && memcmp(a.p, b.p, a.n) == 0);
	mapfile_close(&a), mapfile_close(&b);
	CHECK(lora_load(&again, &p2, &cfg, "new/adapter", &e) == 0);
	CHECK(again->rank == l->rank && again->alpha == l->alpha && again->rslora == l->rslora && memcmp(p, p2, l->count * sizeof *p) == 0);
	CHECK_STR(again->base_name, "llama_gqa_tied");
	lora_free(l), lora_free(again);
	mem_free(p), mem_free(p2);
}

static void peft_folders(void)
{
	round_trip("lora", false);
	round_trip("rslora", true);
}

/* --- folders that do not fit --- */

static void config_refused(const char *config, const char *says)
{
	struct err e = {0};
	struct lora *l;
	float *p;

	CHECK(out_whole("bad/adapter_config.json", config, strlen(config), false, &e) == 0);
	if (lora_load(&l, &p, &cfg, "bad", &e) != SFT_BADDATA || strstr(e.msg, says) == NULL || l || p) {
		printf("# %s: %s\n", config, e.msg);
		CHECK(!"refused as expected");
	}
}

static void tensors_refused(struct tensor *t, size_t n, const char *says)
{
	CHECK(st_write("bad/adapter_model.safetensors", t, n, NULL, NULL) == 0);
	config_refused("{\"peft_type\":\"LORA\",\"r\":4,\"target_modules\":[\"q_proj\"]}", says);
}

static void refused_folders(void)
{
	static const char *const configs[][2] = {
		{ "{\"r\":4}", "'peft_type' is missing" }, { "{\"peft_type\":\"IA3\"}", "'peft_type' is 'IA3'" },
		{ "{\"peft_type\":\"LORA\",\"r\":0}", "r" }, { "{\"peft_type\":\"LORA\",\"r\":4,\"use_qalora\":true}", "'use_qalora'" },
		{ "{\"peft_type\":\"LORA\",\"r\":4,\"rank_pattern\":{\"q_proj\":2}}", "q_proj.lora_A.weight' is [4, 64] (expected [2, 64])" },
		{ "{\"peft_type\":\"LORA\",\"r\":4,\"rank_pattern\":{\"q_proj\":2.5}}", "gives model.layers.0.self_attn.q_proj rank 2.5" },
		{ "{\"peft_type\":\"LORA\",\"r\":4,\"rank_pattern\":{\"q_proj\":-1}}", "'rank_pattern' gives 'q_proj' -1" },
		{ "{\"peft_type\":\"LORA\",\"r\":4,\"alpha_pattern\":{\"(\":1}}", "'alpha_pattern' has '(', which is no regular expression" },
		{ "{\"peft_type\":\"LORA\",\"r\":4,\"modules_to_save\":[\"lm_head\"]}", "'modules_to_save'" },
		{ "{\"peft_type\":\"LORA\",\"r\":4,\"init_lora_weights\":\"pissa\"}", "'pissa'" },
		{ "{\"peft_type\":\"LORA\",\"r\":4,\"bias\":\"all\"}", "'bias'" }, { "{\"peft_type\":\"LORA\",\"r\":4,\"lora_alpha\":-1}", "'lora_alpha' is -1" },
		{ "{\"peft_type\":\"LORA\",\"r\":4,\"target_modules\":[\"wte\"]}", "'wte', which is no linear layer" },
		{ "{\"peft_type\":\"LORA\"}", "is [4, 64] (expected [8, 64])" },                       /* r is 8 where it is missing */
		{ "[]", "no object" }, { "{", "adapter_config.json" },
	};
	static float nans[64 * 4];
	struct err e = {0};
	struct lora *l;
	struct safetensors *s;
	struct tensor t[8];
	char path[PATH_MAX];
	float *p;
	size_t n = 0;

	nans[7] = NAN;
	CHECK(out_mkdirs("bad", &e) == 0);
	CHECK(lora_load(&l, &p, &cfg, "bad", &e) == SFT_SYSTEM);
	CHECK(out_whole("bad/adapter_model.bin", "x", 1, false, &e) == 0);
	config_refused("{\"peft_type\":\"LORA\"}", "pickled");
	snprintf(path, sizeof path, "%s/adapter_model.safetensors", data_path("lora"));
	CHECK(st_open(&s, path, &e) == 0);
	for (size_t i = 0; i < st_count(s); i++)
		if (strstr(st_at(s, i)->name, "q_proj"))
			t[n++] = *st_at(s, i);
	CHECK(n == 6 && st_write("bad/adapter_model.safetensors", t, n, NULL, &e) == 0);
	for (size_t i = 0; i < sizeof configs / sizeof *configs; i++)
		config_refused(configs[i][0], configs[i][1]);
	config_refused("{\"peft_type\":\"LORA\",\"r\":4,\"target_modules\":[\"q_proj\",\"v_proj\"]}", "'v_proj', but adapter_model.safetensors has no tensors");
	tensors_refused(t, 5, "is missing");
	t[6] = t[0], t[6].name = "base_model.model.model.embed_tokens.lora_embedding_A";
	tensors_refused(t, 7, "'base_model.model.model.embed_tokens.lora_embedding_A' does not belong");
	t[6].name = "base_model.model.model.layers.3.self_attn.q_proj.lora_A.weight";
	tensors_refused(t, 7, "does not belong");
	t[1].data = nans;
	tensors_refused(t, 6, "holds 1 values that are infinite or no numbers");
	t[0].type = DT_I32;
	tensors_refused(t, 6, "is I32 (expected F32, F16 or BF16)");
	tensors_refused(t, 0, "no tensors of a LoRA adapter");
	st_close(s);
}

int main(void)
{
	char tmp[] = "adapter.XXXXXX", back[PATH_MAX], data[PATH_MAX];

	if (realpath(getenv("DATA") ? getenv("DATA") : "tests/data", data))
		setenv("DATA", data, 1);
	if (load_config() != 0 || getcwd(back, sizeof back) == NULL || mkdtemp(tmp) == NULL || chdir(tmp) != 0)
		return 1;
	TEST(layout);
	TEST(targets);
	TEST(target_language);
	TEST(patterns);
	TEST(initial_values);
	TEST(peft_folders);
	TEST(refused_folders);
	if (chdir(back) != 0 || system("rm -rf adapter.??????") != 0)
		return 1;
	return test_end();
}
