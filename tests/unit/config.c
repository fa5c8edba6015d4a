/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "mem.h"
#include "test.h"

static int parse(struct model_config *c, const char *text, struct err *e)
{
	struct json_parser *p = json_parser_new();
	const struct json *j;
	struct arena a;
	int rc;

	arena_init(&a);
	e->msg[0] = '\0';
	if ((rc = json_parse(p, &a, text, strlen(text), &j, e)) == 0)
		rc = config_from_json(c, j, e);
	arena_release(&a);
	json_parser_free(p);
	return rc;
}

#define SIZES "\"hidden_size\":64,\"num_hidden_layers\":2,\"num_attention_heads\":4,\"intermediate_size\":128,\"vocab_size\":100"

static int load(struct model_config *c, const char *model, const char *file)
{
	struct err e = {0};
	char path[1024];
	struct arena a;
	const struct json *j;
	int rc;

	snprintf(path, sizeof path, "%s/models/%s/%s", getenv("DATA") ? getenv("DATA") : "tests/data", model, file);
	arena_init(&a);
	if ((rc = json_file(&a, path, &j, &e)) == 0)
		rc = config_from_json(c, j, &e);
	if (rc != 0)
		printf("# %s\n", e.msg);
	arena_release(&a);
	return rc;
}

/* The layouts of transformers 4 and 5 give one model. */
static void both_layouts(void)
{
	static const char *const models[] = { "llama_gqa_tied", "llama_untied_llama3rope", "qwen2", "qwen3", "mistral_sliding" };

	for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
		struct model_config a, b;

		CHECK(load(&a, models[i], "config.json") == 0 && load(&b, models[i], "config.legacy.json") == 0);
		CHECK(memcmp(&a, &b, sizeof a) == 0);
	}
}

static void families(void)
{
	struct model_config c;

	CHECK(load(&c, "llama_gqa_tied", "config.json") == 0);
	CHECK(c.layers == 3 && c.hidden == 64 && c.heads == 8 && c.kv_heads == 2 && c.head_dim == 8 && c.ffn == 160 && c.vocab == 320);
	CHECK(c.tied && !c.qkv_bias && !c.qk_norm && c.window == 0 && c.rms_eps == 1e-5f && c.rope == ROPE_PLAIN && c.bos == 1 && c.eos == 2);
	CHECK(load(&c, "llama_untied_llama3rope", "config.json") == 0);
	CHECK(!c.tied && c.rope == ROPE_LLAMA3 && c.rope_factor == 8 && c.rope_low == 1 && c.rope_high == 4 && c.rope_original == 64 && c.rope_theta == 500000);
	CHECK(load(&c, "qwen2", "config.json") == 0 && c.qkv_bias && !c.qk_norm && c.head_dim == 12 && c.window == 0);
	CHECK(load(&c, "qwen3", "config.json") == 0 && c.qk_norm && !c.qkv_bias && c.head_dim == 24 && !c.tied);
	CHECK(load(&c, "mistral_sliding", "config.json") == 0 && c.window == 7);
	CHECK_STR(c.family, "mistral");
}

static void defaults(void)
{
	struct model_config c;
	struct err e = {0};

	CHECK(parse(&c, "{\"model_type\":\"llama\"," SIZES "}", &e) == 0);
	CHECK(c.kv_heads == 4 && c.head_dim == 16 && c.rms_eps == 1e-6f && c.rope_theta == 10000 && !c.tied && c.bos == -1 && c.max_positions == 2048);
	CHECK(parse(&c, "{\"model_type\":\"mistral\"," SIZES "}", &e) == 0 && c.window == 4096);
	CHECK(parse(&c, "{\"model_type\":\"mistral\",\"sliding_window\":null," SIZES "}", &e) == 0 && c.window == 0);
	CHECK(parse(&c, "{\"model_type\":\"qwen3\"," SIZES "}", &e) == 0 && c.head_dim == 128);
	CHECK(parse(&c, "{\"model_type\":\"qwen2\",\"sliding_window\":9,\"use_sliding_window\":false," SIZES "}", &e) == 0 && c.window == 0);
	CHECK(parse(&c, "{\"model_type\":\"qwen2\",\"sliding_window\":9,\"use_sliding_window\":true,\"max_window_layers\":0," SIZES "}", &e) == 0 && c.window == 9);
	CHECK(parse(&c, "{\"model_type\":\"qwen2\",\"sliding_window\":9,\"use_sliding_window\":true,\"max_window_layers\":28," SIZES "}", &e) == 0 && c.window == 0);
	CHECK(parse(&c, "{\"model_type\":\"qwen2\",\"sliding_window\":9,\"use_sliding_window\":true,\"max_window_layers\":1," SIZES "}", &e) == 0 &&
	      config_window(&c, 0) == 0 && config_window(&c, 1) == 9);
	CHECK(parse(&c, "{\"model_type\":\"qwen3\",\"use_sliding_window\":true,\"layer_types\":[\"sliding_attention\",\"full_attention\"]," SIZES "}", &e) == 0 &&
	      config_window(&c, 0) == 4096 && config_window(&c, 1) == 0);
	CHECK(parse(&c, "{\"model_type\":\"llama\",\"eos_token_id\":[7,8]," SIZES "}", &e) == 0 && c.eos == 7);
	CHECK(parse(&c, "{\"model_type\":\"llama\",\"rope_scaling\":{\"type\":\"linear\",\"factor\":2}," SIZES "}", &e) == 0 && c.rope == ROPE_LINEAR);
}

static void refusals(void)
{
	static const char *const cases[][2] = {
		{ "{\"model_type\":\"gemma\"," SIZES "}", "architecture 'gemma' is not supported (expected llama" },
		{ "{" SIZES "}", "'model_type' is missing" },
		{ "[1]", "no object" },
		{ "{\"model_type\":\"llama\"}", "'num_hidden_layers' is missing" },
		{ "{\"model_type\":\"llama\",\"num_hidden_layers\":-1}", "num_hidden_layers" },
		{ "{\"model_type\":\"llama\",\"num_hidden_layers\":1e99}", "num_hidden_layers" },
		{ "{\"model_type\":\"llama\",\"num_key_value_heads\":0," SIZES "}", "num_key_value_heads" },
		{ "{\"model_type\":\"llama\",\"num_key_value_heads\":3," SIZES "}", "4 heads share 3" },
		{ "{\"model_type\":\"llama\",\"num_key_value_heads\":8," SIZES "}", "4 heads share 8" },
		{ "{\"model_type\":\"llama\",\"head_dim\":7," SIZES "}", "heads of 7 values" },
		{ "{\"model_type\":\"llama\",\"hidden_act\":\"gelu\"," SIZES "}", "'hidden_act' is 'gelu'" },
		{ "{\"model_type\":\"llama\",\"attention_bias\":true," SIZES "}", "attention_bias" },
		{ "{\"model_type\":\"llama\",\"mlp_bias\":true," SIZES "}", "mlp_bias" },
		{ "{\"model_type\":\"llama\",\"quantization_config\":{}," SIZES "}", "quantization_config" },
		{ "{\"model_type\":\"llama\",\"rope_theta\":0," SIZES "}", "base of the rotary positions" },
		{ "{\"model_type\":\"llama\",\"rms_norm_eps\":-1," SIZES "}", "epsilon" },
		{ "{\"model_type\":\"llama\",\"rope_scaling\":{\"type\":\"dynamic\",\"factor\":2}," SIZES "}", "'dynamic' is not supported" },
		{ "{\"model_type\":\"llama\",\"rope_scaling\":{\"type\":\"linear\"}," SIZES "}", "'factor'" },
		{ "{\"model_type\":\"llama\",\"rope_scaling\":{\"type\":\"linear\",\"factor\":0}," SIZES "}", "factor of the rope scaling is 0" },
		{ "{\"model_type\":\"llama\",\"rope_scaling\":{\"type\":\"llama3\",\"factor\":2,\"low_freq_factor\":4,\"high_freq_factor\":4}," SIZES "}", "llama3 rope scaling" },
		{ "{\"model_type\":\"llama\",\"rope_scaling\":7," SIZES "}", "no object" },
		{ "{\"model_type\":\"llama\",\"bos_token_id\":100," SIZES "}", "'bos_token_id' is no token id" },
		{ "{\"model_type\":\"qwen2\",\"layer_types\":[\"full_attention\",\"local\"]," SIZES "}", "'layer_types' 1 is not known" },
		{ "{\"model_type\":\"qwen2\",\"layer_types\":[\"full_attention\"]," SIZES "}", "1 entries (expected 2" },
	};
	struct model_config c;
	struct err e = {0};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (parse(&c, cases[i][0], &e) != SFT_BADDATA || strstr(e.msg, cases[i][1]) == NULL) {
			printf("# %s: %s\n", cases[i][0], e.msg);
			CHECK(!"refused as expected");
		}
}

/* Row POSITION of the table against values computed apart from this program. */
static void rope_case(struct model_config *c, uint32_t position, const double *want)
{
	float *cs = malloc(sizeof *cs * (position + 1) * c->head_dim);

	config_rope_table(c, position + 1, cs);
	for (uint32_t i = 0; i < c->head_dim; i++) {
		CHECK(fabs((double)cs[(size_t)position * c->head_dim + i] - want[i]) < 2e-7);
		CHECK(fabs((double)cs[i] - (i < c->head_dim / 2 ? c->rope_attention : 0)) < 2e-7);
	}
	free(cs);
}

static void rope_tables(void)
{
	static const double plain[] = { -0.911130262, 0.621609968, 0.995952733, 0.9999595, 0.412118485, 0.78332691, 0.0898785492, 0.0089998785 };
	static const double linear[] = { -0.896758416, 0.935896824, 0.99935207, 0.99999352, -0.442520443, 0.352274233, 0.0359922245, 0.00359999222 };
	static const double llama3[] = { 0.964966028, -0.675939299, 0.972505564, 0.99896145, 0.999960938, 0.999998531, 0.999999945, 0.999999998,
		-0.262374854, -0.736957302, 0.232879643, 0.0455633748, 0.00883871968, 0.00171405026, 0.000332393487, 6.44586586e-05 };
	static const double yarn[] = { -0.0352690829, 0.651296042, 1.09358351, -1.12853315, -0.349938252, -0.484548222, 0.734543614, 1.07256484,
		1.11759783, 1.1319646, 1.13652042, 1.13796237, 1.13841848, 1.13856272, 1.13860834, 1.13862276, 1.13808307, 0.933964913, 0.317099503,
		0.151294147, -1.08352213, 1.03038343, 0.87001303, 0.382206294, 0.21783497, 0.123016854, 0.0692699518, 0.0389698127, 0.021917263,
		0.0123255032, 0.00693123237, 0.00389773486 };
	struct model_config c = { .head_dim = 8, .rotated = 8, .rope_theta = 10000, .rope_factor = 2.5, .rope_attention = 1 };
	const float divisor[4] = { 2.5f, 2.5f, 2.5f, 2.5f };
	struct err e = {0};
	double scaled[32];

	rope_case(&c, 9, plain);
	c.rope_divisor = divisor;
	rope_case(&c, 9, linear);
	c.rope = ROPE_LINEAR;
	rope_case(&c, 9, linear);
	CHECK(parse(&c, "{\"model_type\":\"llama\"," SIZES ",\"rope_theta\":500000,\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8,"
	            "\"low_freq_factor\":1,\"high_freq_factor\":4,\"original_max_position_embeddings\":64}}", &e) == 0);
	rope_case(&c, 50, llama3);
	CHECK(parse(&c, "{\"model_type\":\"llama\"," SIZES ",\"head_dim\":32,\"rope_parameters\":{\"rope_theta\":10000.0,\"rope_type\":\"yarn\",\"factor\":4.0,"
	            "\"original_max_position_embeddings\":256}}", &e) == 0);
	rope_case(&c, 77, yarn);
	CHECK(parse(&c, "{\"model_type\":\"llama\"," SIZES ",\"head_dim\":32,\"rope_parameters\":{\"rope_type\":\"yarn\",\"factor\":4.0,"
	            "\"original_max_position_embeddings\":256,\"mscale\":0.7,\"mscale_all_dim\":1.3}}", &e) == 0);
	for (int i = 0; i < 32; i++)
		scaled[i] = yarn[i] / (0.1 * log(4) + 1) * (0.07 * log(4) + 1) / (0.13 * log(4) + 1);
	rope_case(&c, 77, scaled);
}

/* Tables as transformers makes them (rope.json), in both layouts.  Its frequencies are f32: angles of up to 511 are off by 1e-5 or so. */
static void rope_case_of(const struct json *r, const char *layout)
{
	const struct json *at = json_get(r, "positions"), *part[] = { json_get(r, "cos"), json_get(r, "sin") };
	struct model_config c;
	struct err e = {0};
	double worst = 0;
	float *cs;

	if (config_from_json(&c, json_get(r, layout), &e) != 0) {
		test_line(__FILE__, __LINE__, e.msg);
		return;
	}
	cs = malloc(sizeof *cs * c.max_positions * c.rotated);
	config_rope_table(&c, c.max_positions, cs);
	for (size_t i = 0; i < at->n; i++)
		for (uint32_t k = 0; k < c.rotated; k++) {
			const struct json *row = &part[k >= c.rotated / 2]->item[i];

			CHECK(row->n == c.rotated / 2);
			worst = fmax(worst, fabs((double)cs[(size_t)json_double(&at->item[i]) * c.rotated + k] - json_double(&row->item[k % (c.rotated / 2)])));
		}
	if (!(worst < 4e-5)) {
		printf("# %s, rope kind %d: off by %g\n", layout, (int)c.rope, worst);
		CHECK(!"as transformers");
	}
	free(cs);
}

static void rope_as_transformers(void)
{
	const struct json *j = NULL;
	struct err e = {0};
	char path[1024];
	struct arena a;

	snprintf(path, sizeof path, "%s/models/rope.json", getenv("DATA") ? getenv("DATA") : "tests/data");
	arena_init(&a);
	CHECK(json_file(&a, path, &j, &e) == 0 && j->n == 11);
	for (size_t i = 0; j && i < j->n; i++) {
		rope_case_of(&j->item[i], "config");
		rope_case_of(&j->item[i], "legacy");
	}
	arena_release(&a);
}

int main(void)
{
	TEST(both_layouts);
	TEST(families);
	TEST(defaults);
	TEST(refusals);
	TEST(rope_tables);
	TEST(rope_as_transformers);
	return test_end();
}
