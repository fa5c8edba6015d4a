/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"
#include "outfile.h"
#include "safetensors.h"
#include "test.h"
#include "weights.h"

static const char *model_dir(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/models/%s", getenv("DATA") ? getenv("DATA") : "tests/data", name);
	return path;
}

static void folders(void)
{
	static const struct { const char *name; enum dtype type; } models[] = {
		{ "llama_gqa_tied", DT_F32 }, { "llama_untied_llama3rope", DT_F16 }, { "qwen2", DT_F32 },
		{ "qwen3", DT_F32 }, { "mistral_sliding", DT_BF16 }
	};

	for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
		struct err e = {0};
		struct safetensors *s;
		struct weights *w;
		const struct weight *q;
		const struct tensor *t;
		uint64_t n = 0;

		CHECK(weights_open(&w, model_dir(models[i].name), &e) == 0);
		CHECK(st_open_dir(&s, model_dir(models[i].name), &e) == 0);
		if (e.code) {
			printf("# %s\n", e.msg);
			continue;
		}
		for (size_t k = 0; k < st_count(s); k++)
			n += st_at(s, k)->count;
		CHECK(weights_parameters(w) == n);
		q = weights_at(w, P_WQ, 1);
		t = st_find(s, "model.layers.1.self_attn.q_proj.weight");
		CHECK(q && t && q->type == models[i].type && q->rows == t->dim[0] && q->cols == t->dim[1] && memcmp(q->p, t->data, t->bytes) == 0);
		CHECK((weights_at(w, P_HEAD, 0) == NULL) == w->cfg.tied);
		CHECK((weights_at(w, P_BQ, 0) != NULL) == w->cfg.qkv_bias && (weights_at(w, P_KNORM, 0) != NULL) == w->cfg.qk_norm);
		q = weights_at(w, P_NORM_OUT, 0);
		CHECK(q && q->rows == 1 && q->cols == w->cfg.hidden && q->f32 && dtype_to_f32(q->type, q->p, (float[1]){0}, 1));
		st_close(s);
		weights_close(w);
	}
}

static void names(void)
{
	const struct model_config c = { .layers = 20 };
	char name[96];

	param_hf_name(&c, P_DOWN, 12, 0, name);
	CHECK_STR(name, "model.layers.12.mlp.down_proj.weight");
	param_hf_name(&c, P_EMBED, 12, 0, name);
	CHECK_STR(name, "model.embed_tokens.weight");
	param_gguf_name(P_WO, 3, name);
	CHECK_STR(name, "blk.3.attn_output.weight");
	param_gguf_name(P_NORM_OUT, 3, name);
	CHECK_STR(name, "output_norm.weight");
}

/* --- folders that do not fit --- */

static void write_model(const char *config, const struct tensor *t, size_t n)
{
	struct err e = {0};

	CHECK(out_mkdirs("m", &e) == 0 && out_whole("m/config.json", config, strlen(config), false, &e) == 0);
	CHECK(st_write("m/model.safetensors", t, n, NULL, &e) == 0);
}

static void refused(const char *says)
{
	struct err e = {0};
	struct weights *w;

	if (weights_open(&w, "m", &e) != SFT_BADDATA || strstr(e.msg, says) == NULL || w != NULL) {
		printf("# %s\n", e.msg);
		CHECK(!"refused as expected");
	}
	weights_close(w);
}

#define CONFIG "{\"model_type\":\"llama\",\"hidden_size\":4,\"num_hidden_layers\":1,\"num_attention_heads\":2,\"intermediate_size\":6,\"vocab_size\":5"

static void misfits(void)
{
	static const float v[64];
	enum { N = 13 };
	struct tensor t[N], was;
	struct model_config c = { .layers = 1, .hidden = 4, .heads = 2, .kv_heads = 2, .head_dim = 2, .v_dim = 2, .rotated = 2, .ffn = 6, .vocab = 5 };
	static char name[N][96];
	struct err e = {0};
	struct weights *w;
	size_t n = 0;

	for (int p = 0; p < P_COUNT; p++) {
		uint32_t rows, cols;
		bool vector = p == P_NORM1 || p == P_NORM2 || p == P_NORM_OUT;

		if (!param_shape(&c, (enum param)p, 0, &rows, &cols))
			continue;
		param_hf_name(&c, (enum param)p, 0, 0, name[n]);
		t[n] = (struct tensor){ name[n], DT_F32, vector ? 1 : 2, { vector ? cols : rows, cols }, v, sizeof(float) * rows * cols, rows * cols };
		n++;
	}
	CHECK(n == 12);
	write_model(CONFIG "}", t, n);
	CHECK(weights_open(&w, "m", &e) == 0 && weights_parameters(w) == 4 * 5 * 2 + 3 * 4 + 4 * 16 + 3 * 24);
	weights_close(w);
	write_model(CONFIG "}", t, n - 1);
	refused("missing 'model.layers.0.mlp.down_proj.weight'");
	t[n] = t[0], t[n].name = "model.layers.1.mlp.down_proj.weight";
	write_model(CONFIG "}", t, n + 1);
	refused("extra 'model.layers.1.mlp.down_proj.weight'");
	t[n].name = "model.layers.0.self_attn.rotary_emb.inv_freq";           /* old checkpoints have it */
	write_model(CONFIG "}", t, n + 1);
	CHECK(weights_open(&w, "m", &e) == 0);
	weights_close(w);
	was = t[4];
	t[4].dim[0] = 2, t[4].dim[1] = 8;
	write_model(CONFIG "}", t, n);
	refused("misshapen 'model.layers.0.self_attn.q_proj.weight' (has 2 dimensions, [2, 8]; expected [4, 4])");
	t[4] = was;
	t[4].type = DT_I32;
	write_model(CONFIG "}", t, n);
	refused("of type I32");
	t[4] = was;
	write_model(CONFIG "}", t, 2);
	refused("and 6 more");
	write_model(CONFIG ",\"tie_word_embeddings\":true}", t, n);            /* a tied head that the file has all the same */
	CHECK(weights_open(&w, "m", &e) == 0 && weights_at(w, P_HEAD, 0) == NULL);
	weights_close(w);
	write_model("{\"model_type\":\"gpt2\"}", t, n);
	refused("m/config.json: architecture 'gpt2' is not supported");
	CHECK(weights_open(&w, "m/config.json", &e) == SFT_BADDATA && strstr(e.msg, "is no model"));
	CHECK(weights_open(&w, "nowhere", &e) == SFT_SYSTEM);
}

/* --- GGUF --- */

static void u32(struct buf *b, uint32_t v) { buf_add(b, &v, 4); }
static void u64(struct buf *b, uint64_t v) { buf_add(b, &v, 8); }
static void str(struct buf *b, const char *s) { u64(b, strlen(s)); buf_str(b, s); }
static void meta(struct buf *b, const char *key, uint32_t v) { str(b, key); u32(b, 4); u32(b, v); }

/* Bytes of row R of a tensor called NAME: any, but known. */
static void fill_row(unsigned char *p, size_t n, const char *name, uint32_t r)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(r * 31 + i * 7 + strlen(name) + (unsigned char)name[6] * 3);
}

static uint32_t file_row(const struct model_config *c, enum param p, uint32_t r)
{
	uint32_t half = c->head_dim / 2, in = r % c->head_dim, base = r - in;

	if (p != P_WQ && p != P_WK)
		return r;
	return base + (in % 2 ? in / 2 + half : in / 2);       /* which of ours the file has as row r */
}

/* A `llama` of one layer whose matrices are Q8_0, q and k rows in the file's order; returns the size of a row of 32. */
static void build_gguf(struct buf *b, const struct model_config *c)
{
	struct buf data = {0};
	uint64_t off = 0;

	buf_add(b, "GGUF", 4), u32(b, 3), u64(b, 11), u64(b, 8);
	str(b, "general.architecture"), u32(b, 8), str(b, "llama");
	meta(b, "llama.block_count", c->layers), meta(b, "llama.embedding_length", c->hidden), meta(b, "llama.feed_forward_length", c->ffn);
	meta(b, "llama.attention.head_count", c->heads), meta(b, "llama.attention.head_count_kv", c->kv_heads), meta(b, "llama.context_length", 64);
	str(b, "llama.attention.layer_norm_rms_epsilon"), u32(b, 6), buf_add(b, &(float){ 1e-5f }, 4);
	for (int p = 0; p < P_COUNT; p++) {
		uint32_t rows, cols;
		bool vector = p == P_NORM1 || p == P_NORM2 || p == P_NORM_OUT;
		unsigned char row[512];
		char name[96];
		size_t n;

		if (!param_shape(c, (enum param)p, 0, &rows, &cols))
			continue;
		n = vector ? cols * 4 : cols / 32 * 34;
		param_gguf_name((enum param)p, 0, name);
		str(b, name), u32(b, vector ? 1 : 2), u64(b, cols);
		if (!vector)
			u64(b, rows);
		u32(b, vector ? 0 : 8), u64(b, off);
		for (uint32_t r = 0; r < rows; r++) {
			fill_row(row, n, name, file_row(c, (enum param)p, r));
			buf_add(&data, row, n);
		}
		while (data.n % 32)
			buf_ch(&data, 0);
		off = data.n;
	}
	while (b->n % 32)
		buf_ch(b, 0);
	buf_add(b, data.p, data.n);
	buf_free(&data);
}

static void gguf_rows_put_back(void)
{
	const struct model_config c = { .layers = 1, .hidden = 64, .heads = 4, .kv_heads = 2, .head_dim = 16, .v_dim = 16, .rotated = 16, .ffn = 96, .vocab = 10, .tied = true };
	static const enum param some[] = { P_EMBED, P_WQ, P_WK, P_WV, P_DOWN };
	struct buf b = {0};
	struct err e = {0};
	struct weights *w;

	build_gguf(&b, &c);
	CHECK(out_whole("x.gguf", b.p, b.n, false, &e) == 0);
	CHECK(weights_open(&w, "x.gguf", &e) == 0);
	if (e.code) {
		printf("# %s\n", e.msg);
		return;
	}
	CHECK(w->from_gguf && w->cfg.tied && w->cfg.vocab == 10 && w->cfg.head_dim == 16 && w->cfg.rms_eps == 1e-5f);
	for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
		const struct weight *x = weights_at(w, some[i], 0);
		size_t n = x ? x->cols / 32 * 34 : 0;
		unsigned char row[512];
		char name[96];

		CHECK(x && x->type == DT_Q8_0);
		param_gguf_name(some[i], 0, name);
		for (uint32_t r = 0; x && r < x->rows; r++) {
			fill_row(row, n, name, r);
			CHECK(memcmp(row, (const char *)x->p + r * n, n) == 0);
		}
	}
	weights_close(w);
	memcpy(b.p + 24 + 8 + 20 + 4 + 8, "lama2", 5);                 /* an architecture that is not known */
	CHECK(out_whole("x.gguf", b.p, b.n, false, &e) == 0);
	CHECK(weights_open(&w, "x.gguf", &e) == SFT_BADDATA && strstr(e.msg, "x.gguf: architecture 'lama2' is not supported"));
	buf_free(&b);
}

int main(void)
{
	char tmp[] = "weights.XXXXXX", back[PATH_MAX], data[PATH_MAX];

	if (realpath(getenv("DATA") ? getenv("DATA") : "tests/data", data))
		setenv("DATA", data, 1);
	if (getcwd(back, sizeof back) == NULL || mkdtemp(tmp) == NULL || chdir(tmp) != 0)
		return 1;
	TEST(folders);
	TEST(names);
	TEST(misfits);
	TEST(gguf_rows_put_back);
	if (chdir(back) != 0 || system("rm -rf weights.??????") != 0)
		return 1;
	return test_end();
}
