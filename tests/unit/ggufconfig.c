/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration that a GGUF file's metadata state. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "mem.h"
#include "test.h"

enum { U32 = 4, F32 = 6, STR = 8 };

/* One key: of type F32 with X, STR with S, U32 with X. */
struct key {
	const char *name;
	uint32_t type;
	double x;
	const char *s;
};

static void u32(struct buf *b, uint32_t v) { buf_add(b, &v, 4); }
static void u64(struct buf *b, uint64_t v) { buf_add(b, &v, 8); }
static void str(struct buf *b, const char *s) { u64(b, strlen(s)); buf_str(b, s); }

static void put(struct buf *b, const struct key *k)
{
	float f = (float)k->x;

	str(b, k->name);
	u32(b, k->type);
	if (k->type == STR)
		str(b, k->s);
	else if (k->type == F32)
		buf_add(b, &f, 4);
	else
		u32(b, (uint32_t)k->x);
}

static const struct key base[] = {
	{ "general.architecture", STR, 0, "llama" }, { "llama.block_count", U32, 2, NULL }, { "llama.embedding_length", U32, 32, NULL },
	{ "llama.attention.head_count", U32, 4, NULL }, { "llama.feed_forward_length", U32, 64, NULL }, { "llama.context_length", U32, 128, NULL },
};
enum { BASE = sizeof base / sizeof *base };

/* The base with keys of MORE in place of its own or added; a key without a type is left out.  FREQS: rope_freqs.weight, 4 values. */
static int parse(struct model_config *c, const struct key *more, size_t n, const float *freqs, struct err *e)
{
	struct buf b = {0}, kv = {0};
	struct gguf *g = NULL;
	uint64_t count = 0;
	int rc;

	for (size_t i = 0; i < BASE + n; i++) {
		const struct key *k = i < BASE ? &base[i] : &more[i - BASE];
		bool replaced = false;

		for (size_t m = 0; m < n && i < BASE; m++)
			replaced = replaced || strcmp(more[m].name, k->name) == 0;
		if (replaced || k->type == 0)
			continue;
		put(&kv, k);
		count++;
	}
	buf_add(&b, "GGUF", 4), u32(&b, 3), u64(&b, freqs ? 2 : 1), u64(&b, count);
	buf_add(&b, kv.p, kv.n);
	str(&b, "token_embd.weight"), u32(&b, 2), u64(&b, 32), u64(&b, 5), u32(&b, 8), u64(&b, 0);      /* Q8_0: 170 bytes, 192 with the pad */
	if (freqs)
		str(&b, "rope_freqs.weight"), u32(&b, 1), u64(&b, 4), u32(&b, 0), u64(&b, 192);
	while (b.n % 32)
		buf_ch(&b, 0);
	memset(buf_room(&b, 192), 0, 192);
	b.n += 192;
	if (freqs)
		buf_add(&b, freqs, 16);
	e->msg[0] = '\0';
	if ((rc = gguf_bytes(&g, b.p, b.n, e)) == 0 && (rc = config_from_gguf(c, g, e)) == 0 && freqs && c->rope_divisor) {
		float cs[16];

		config_rope_table(c, 2, cs);                   /* while the file is there */
		for (int i = 0; i < 4; i++)
			CHECK(fabs((double)cs[8 + i] - cos(pow(c->rope_theta, -i / 4.0) / (double)freqs[i])) < 1e-7);
	}
	gguf_close(g);
	buf_free(&b);
	buf_free(&kv);
	return rc;
}

static void defaults(void)
{
	struct model_config c;
	struct err e = {0};

	CHECK(parse(&c, NULL, 0, NULL, &e) == 0);
	CHECK(c.layers == 2 && c.hidden == 32 && c.heads == 4 && c.kv_heads == 4 && c.head_dim == 8 && c.ffn == 64 && c.vocab == 5 && c.tied);
	CHECK(c.rope_theta == 10000 && c.rope == ROPE_PLAIN && c.max_positions == 128 && c.bos == -1 && c.window == 0 && c.rope_divisor == NULL);
}

static void values(void)
{
	const struct key some[] = {
		{ "llama.attention.head_count_kv", U32, 2, NULL }, { "llama.attention.key_length", U32, 16, NULL }, { "llama.attention.value_length", U32, 16, NULL },
		{ "llama.rope.freq_base", F32, 5e5, NULL }, { "llama.attention.layer_norm_rms_epsilon", F32, 1e-5, NULL }, { "llama.vocab_size", U32, 5, NULL },
		{ "tokenizer.ggml.eos_token_id", U32, 4, NULL }, { "llama.expert_count", U32, 0, NULL }, { "llama.attention.sliding_window", U32, 9, NULL },
	};
	const struct key yarn[] = {
		{ "llama.rope.scaling.type", STR, 0, "yarn" }, { "llama.rope.scaling.factor", F32, 4, NULL },
		{ "llama.rope.scaling.original_context_length", U32, 32, NULL }
	};
	const struct key linear[] = { { "llama.rope.scaling.type", STR, 0, "linear" }, { "llama.rope.scaling.factor", F32, 2, NULL } };
	const float freqs[4] = { 1, 1, 4, 8 };
	struct model_config c;
	struct err e = {0};

	CHECK(parse(&c, some, sizeof some / sizeof *some, NULL, &e) == 0);
	CHECK(c.kv_heads == 2 && c.head_dim == 16 && c.rope_theta == 5e5 && c.rms_eps == 1e-5f && c.eos == 4 && c.window == 9);
	CHECK(parse(&c, yarn, 3, NULL, &e) == 0 && c.rope == ROPE_YARN && c.rope_factor == 4 && c.rope_original == 32);
	CHECK(fabs(c.rope_attention - (0.1 * log(4) + 1)) < 1e-12);
	CHECK(parse(&c, linear, 2, NULL, &e) == 0 && c.rope == ROPE_LINEAR && c.rope_factor == 2 && c.rope_attention == 1);
	CHECK(parse(&c, NULL, 0, freqs, &e) == 0 && c.rope_divisor);
}

static void refusals(void)
{
	static const struct { struct key key; const char *says; } cases[] = {
		{ { "general.architecture", STR, 0, "gemma" }, "'gemma' is not supported" },
		{ { "general.architecture", U32, 1, NULL }, "of type u32 (expected a string)" },
		{ { "llama.block_count", 0, 0, NULL }, "'llama.block_count' is missing" },
		{ { "llama.block_count", U32, 100000, NULL }, "is 100000 (expected 1 to 1024)" },
		{ { "llama.attention.head_count", U32, 0, NULL }, "head_count' is 0" },
		{ { "llama.attention.head_count", U32, 5, NULL }, "'llama.attention.key_length' is missing" },
		{ { "llama.attention.head_count_kv", U32, 3, NULL }, "share 3" },
		{ { "llama.attention.head_count_kv", F32, 2, NULL }, "expected an integer" },
		{ { "llama.attention.value_length", U32, 4, NULL }, "4 value" },
		{ { "llama.rope.dimension_count", U32, 4, NULL }, "4 rotated" },
		{ { "llama.expert_count", U32, 8, NULL }, "expert_used_count' is missing" },
		{ { "llama.vocab_size", U32, 6, NULL }, "(expected 5, the rows" },
		{ { "llama.rope.scaling.type", STR, 0, "longrope" }, "'longrope' is not supported" },
		{ { "tokenizer.ggml.eos_token_id", U32, 5, NULL }, "is 5 (expected 0 to 4)" },
		{ { "llama.rope.freq_base", F32, -1, NULL }, "base of the rotary positions" },
		{ { "llama.rope.freq_base", F32, NAN, NULL }, "base of the rotary positions" },
		{ { "llama.attention.layer_norm_rms_epsilon", F32, NAN, NULL }, "epsilon" },
	};
	const float bad[4] = { 1, 0, 1, 1 };
	struct model_config c;
	struct err e = {0};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (parse(&c, &cases[i].key, 1, NULL, &e) != SFT_BADDATA || strstr(e.msg, cases[i].says) == NULL) {
			printf("# %s: %s\n", cases[i].key.name, e.msg);
			CHECK(!"refused as expected");
		}
	CHECK(parse(&c, NULL, 0, bad, &e) == SFT_BADDATA && strstr(e.msg, "rope_freqs.weight"));
}

int main(void)
{
	TEST(defaults);
	TEST(values);
	TEST(refusals);
	return test_end();
}
