/* SPDX-License-Identifier: Apache-2.0 */
/* Models written as Hugging Face folders: the same values, in every type, in one file or many. */
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hfexport.h"
#include "json.h"
#include "mem.h"
#include "outfile.h"
#include "safetensors.h"
#include "test.h"

static const char *data;
static struct pool *pool;

static struct weights *open_model(const char *name)
{
	struct weights *w = NULL;
	struct err e = {0};
	char path[512];

	snprintf(path, sizeof path, name[0] == '.' ? "%.0s%s" : "%s/models/%s", data, name);
	if (weights_open(&w, path, &e) != 0) {
		test_line(__FILE__, __LINE__, e.msg);
		exit(1);
	}
	return w;
}

static const char *word(const char *file, const char *key)
{
	static char out[100];
	const struct json *j;
	struct arena a;

	arena_init(&a);
	out[0] = '\0';
	if (json_file(&a, file, &j, NULL) == 0 && json_get(j, key) && json_get(j, key)->type == JSON_STR)
		snprintf(out, sizeof out, "%s", json_get(j, key)->s);
	arena_release(&a);
	return out;
}

/* Largest distance of values, relative to their size; 9 where the places differ. */
static double distance(const struct weights *a, const struct weights *b)
{
	double worst = 0;

	for (size_t i = 0; i < place_count(&a->cfg); i++) {
		const struct weight *x = &a->w[i], *y = &b->w[i];
		size_t n = (size_t)x->rows * x->cols;
		float *u, *v;

		if ((x->p == NULL) != (y->p == NULL) || (size_t)y->rows * y->cols != n)
			return 9;
		if (x->p == NULL)
			continue;
		u = mem_new(n * sizeof *u);
		v = mem_new(n * sizeof *v);
		dtype_to_f32(x->type, x->p, u, n);
		dtype_to_f32(y->type, y->p, v, n);
		for (size_t k = 0; k < n; k++)
			worst = fmax(worst, fabs((double)u[k] - v[k]) / fmax(fabs((double)u[k]), 1e-3));
		mem_free(u);
		mem_free(v);
	}
	return worst;
}

static double round_trip(const char *name, const struct hf_opts *o, const char *dir)
{
	struct weights *w = open_model(name), *got = NULL;
	struct err e = {0};
	double d = 9;

	if (hf_export(w, NULL, o, dir, &e) != 0 || weights_open(&got, dir, &e) != 0)
		test_line(__FILE__, __LINE__, e.msg);
	else
		d = distance(w, got);
	weights_close(got);
	weights_close(w);
	return d;
}

static void types(void)
{
	static const char *const models[] = { "llama_gqa_tied", "llama_untied_llama3rope", "mistral_sliding", "qwen2", "deepseek_v3", "mixtral", "qwen2_moe" };

	for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
		CHECK(round_trip(models[i], &(struct hf_opts){ DT_F32, 0, pool }, "./f32") == 0);
		CHECK_STR(word("f32/config.json", "dtype"), "float32");
		CHECK(round_trip(models[i], &(struct hf_opts){ DT_NONE, 0, pool }, "./same") == 0);
		CHECK(round_trip(models[i], &(struct hf_opts){ DT_BF16, 0, pool }, "./bf16") <= 0x1p-8);
		CHECK_STR(word("bf16/config.json", "dtype"), "bfloat16");
		CHECK(round_trip(models[i], &(struct hf_opts){ DT_F16, 0, pool }, "./f16") <= 0x1p-11);
		CHECK_STR(word("f16/config.json", "dtype"), "float16");
	}
}

/* What keeps its type keeps its bytes: the reference's own file comes out. */
static void same_bytes(void)
{
	char file[512];

	CHECK(round_trip("mistral_sliding", &(struct hf_opts){ DT_BF16, 0, pool }, "./bits") == 0);
	snprintf(file, sizeof file, "cmp -s bits/model.safetensors %s/models/mistral_sliding/model.safetensors", data);
	CHECK(system(file) == 0);
	CHECK(system("test \"$(ls bits | tr '\\n' ' ')\" = 'config.json model.safetensors '") == 0);
}

/* Files of at most 64 KiB, or of one tensor; then one file again in the same folder. */
static void shards(void)
{
	struct stat s;
	size_t files = 0;
	char name[64];

	CHECK(round_trip("llama_gqa_tied", &(struct hf_opts){ DT_F32, 0, pool }, "./parts") == 0);
	CHECK(round_trip("llama_gqa_tied", &(struct hf_opts){ DT_F32, 1 << 16, pool }, "./parts") == 0);
	CHECK(access("parts/model.safetensors", F_OK) != 0 && access("parts/model.safetensors.index.json", F_OK) == 0);
	for (size_t n = 1; n < 40 && files == 0; n++) {
		snprintf(name, sizeof name, "parts/model-00001-of-%05zu.safetensors", n);
		files = access(name, F_OK) == 0 ? n : 0;
	}
	CHECK(files > 3);
	for (size_t n = 1; n <= files; n++) {
		snprintf(name, sizeof name, "parts/model-%05zu-of-%05zu.safetensors", n, files);
		CHECK(stat(name, &s) == 0 && (n == 1 || s.st_size < (1 << 16) + 4096));
	}
	CHECK(round_trip("llama_gqa_tied", &(struct hf_opts){ DT_F32, 0, pool }, "./parts") == 0);
	CHECK(access("parts/model.safetensors", F_OK) == 0 && access("parts/model.safetensors.index.json", F_OK) != 0);
}

/* One place has values of its own: its indices, or (ctx[2]) what f16 cannot hold.  ctx: the place, its columns. */
static bool one_place(const void *ctx, size_t place)
{
	return place == *(const size_t *)ctx;
}

static void filled(const void *ctx, size_t place, uint32_t first, uint32_t n, float *out)
{
	const size_t *c = ctx;

	(void)place;
	for (size_t i = 0; i < n * c[1]; i++)
		out[i] = c[2] ? 1e6f : (float)(first * c[1] + i);
}

static void values(void)
{
	struct weights *w = open_model("llama_gqa_tied"), *got = NULL;
	size_t place = place_index(&w->cfg, P_DOWN, 1, 0), ctx[] = { place, w->w[place].cols, 0 };
	struct weight_values v = { ctx, one_place, filled };
	struct err e = {0};
	size_t n = (size_t)w->w[place].rows * w->w[place].cols;

	CHECK(hf_export(w, &v, &(struct hf_opts){ DT_F32, 0, pool }, "./changed", &e) == 0 && weights_open(&got, "./changed", &e) == 0);
	for (size_t i = 0; got && i < n; i++)
		CHECK(((const float *)got->w[place].p)[i] == (float)i);
	CHECK(got && memcmp(got->w[place - 1].p, w->w[place - 1].p, (size_t)w->w[place - 1].rows * w->w[place - 1].cols * 4) == 0);
	weights_close(got);
	ctx[2] = 1;
	CHECK(hf_export(w, &v, &(struct hf_opts){ DT_F16, 0, pool }, "./lost", &e) == SFT_BADDATA && strstr(e.msg, "'model.layers.1.mlp.down_proj.weight' has values that F16 cannot hold"));
	CHECK(access("lost/model.safetensors", F_OK) != 0 && access("lost/config.json", F_OK) != 0);
	weights_close(w);
}

/* The element type has two names; other members stay as they are written. */
static void config(void)
{
	static const char text[] = "{\"x\":1.50, \"torch_dtype\":\"float64\",\n\"y\":[1,\n 2]}\n";
	struct weights *w = open_model("llama_gqa_tied");
	struct err e = {0};
	char old[] = "src";
	struct buf all = {0};
	FILE *f;

	mkdir(old, 0777);
	out_whole("src/config.json", text, strlen(text), false, NULL);
	out_whole("src/merges.txt", "a b\n", 4, false, NULL);
	mem_free(w->path);
	w->path = mem_str(old);
	CHECK(hf_export(w, NULL, &(struct hf_opts){ DT_BF16, 0, pool }, "./cfg", &e) == 0);
	if ((f = fopen("cfg/config.json", "r")) != NULL) {
		all.n = fread(buf_room(&all, 200), 1, 199, f);
		all.p[all.n] = '\0';
		fclose(f);
	}
	CHECK_STR(all.p, "{\n  \"x\": 1.50,\n  \"torch_dtype\": \"bfloat16\",\n  \"y\": [1,\n 2]\n}\n");
	CHECK(access("cfg/merges.txt", F_OK) == 0);
	CHECK(hf_export(w, NULL, &(struct hf_opts){ DT_BF16, 0, pool }, "./src/../src", &e) == SFT_USAGE && strstr(e.msg, "the folder of the model itself"));
	CHECK(hf_export(w, NULL, &(struct hf_opts){ DT_BF16, 0, pool }, "/dev/null/x", &e) == SFT_SYSTEM);
	buf_free(&all);
	weights_close(w);
}

int main(void)
{
	static char dir[] = "hfexport.XXXXXX", full[4096], cmd[64];

	data = getenv("DATA") ? getenv("DATA") : "tests/data";
	data = realpath(data, full);
	if (data == NULL || mkdtemp(dir) == NULL || chdir(dir) != 0)
		return 1;
	pool = pool_open(2);
	TEST(types);
	TEST(same_bytes);
	TEST(shards);
	TEST(values);
	TEST(config);
	pool_close(pool);
	snprintf(cmd, sizeof cmd, "rm -r ../%s", dir);
	return system(cmd) != 0 || test_end();
}
