/* SPDX-License-Identifier: Apache-2.0 */
/* The real model (samples/get-model), where it is: everything its file states against the reference reader's list. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gguf.h"
#include "json.h"
#include "mem.h"
#include "test.h"
#include "weights.h"

static char path[PATH_MAX];
static struct gguf *g;
static const struct json *want;

static bool same_text(const char *s, size_t n, const struct json *v)
{
	return v->type == JSON_STR && v->n == n && memcmp(s, v->s, n) == 0;
}

/* The first elements and the last ones stand in the list. */
static bool same_array(const char *key, const struct json *v)
{
	const struct json *first = json_get(v, "first"), *last = json_get(v, "last");
	struct err e = {0};
	const int32_t *ints;
	const char *s;
	size_t count, n;
	int64_t want_n, x;
	bool strings = gguf_strs(g, key, &count, &e) == 0;

	if (!strings && gguf_ints(g, key, &ints, &count, &e) != 0)
		return false;
	if (!json_int(json_get(v, "array_length"), &want_n) || (size_t)want_n != count)
		return false;
	for (size_t i = 0; i < first->n + last->n; i++) {
		size_t at = i < first->n ? i : count - last->n + (i - first->n);
		const struct json *w = i < first->n ? &first->item[i] : &last->item[i - first->n];

		if (strings) {
			gguf_strs_at(g, key, at, &s, &n);
			if (!same_text(s, n, w))
				return false;
		} else if (!json_int(w, &x) || x != ints[at]) {
			return false;
		}
	}
	return true;
}

static bool same_value(const char *key, const struct json *v)
{
	struct err e = {0};
	const char *s;
	size_t n;
	double d;
	bool yes;

	switch (v->type) {
	case JSON_OBJ:  return same_array(key, v);
	case JSON_STR:  return gguf_str(g, key, &s, &n, &e) == 0 && same_text(s, n, v);
	case JSON_BOOL: return gguf_bool(g, key, &yes, &e) == 0 && yes == v->b;
	case JSON_NUM:  return gguf_f64(g, key, &d, &e) == 0 && d == json_double(v);
	default:        return false;
	}
}

static void metadata(void)
{
	const struct json *meta = json_get(want, "metadata");
	size_t seen = 0;

	for (size_t i = 0; meta && i < meta->n; i++) {
		const struct json_member *m = &meta->member[i];

		if (strncmp(m->key, "GGUF.", 5) == 0)
			continue;
		if (!same_value(m->key, json_get(&m->value, "value")))
			printf("# %s\n", m->key);
		CHECK(same_value(m->key, json_get(&m->value, "value")));
		seen++;
	}
	CHECK(seen == 33);
}

static void tensors(void)
{
	const struct json *list = json_get(want, "tensors");

	CHECK(list && list->n == gguf_count(g));
	for (size_t i = 0; list && i < list->n; i++) {
		const struct json *row = list->item[i].item;
		const struct tensor *t = gguf_at(g, i);
		int64_t d;

		CHECK(json_is(&row[0], t->name) && json_is(&row[1], dtype_name(t->type)) && row[2].n == t->ndim);
		for (unsigned k = 0; k < t->ndim; k++)
			CHECK(json_int(&row[2].item[k], &d) && (uint64_t)d == t->dim[k]);
	}
}

static void as_a_model(void)
{
	struct err e = {0};
	struct weights *w;
	const struct weight *q;
	float row[576], stored[576];
	const struct tensor *t = gguf_find(g, "blk.7.attn_k.weight");

	CHECK(weights_open(&w, path, &e) == 0);
	if (e.code) {
		printf("# %s\n", e.msg);
		return;
	}
	CHECK(w->cfg.layers == 30 && w->cfg.hidden == 576 && w->cfg.heads == 9 && w->cfg.kv_heads == 3 && w->cfg.head_dim == 64 && w->cfg.ffn == 1536);
	CHECK(w->cfg.vocab == 49152 && w->cfg.tied && w->cfg.rope_theta == 100000 && w->cfg.rope == ROPE_PLAIN && w->cfg.bos == 1 && w->cfg.eos == 2);
	CHECK(weights_parameters(w) == 134515008);
	q = weights_at(w, P_WK, 7);
	CHECK(q && t && q->type == DT_Q4_1);
	for (uint32_t r = 0; q && t && r < 192; r++) {         /* stored row 2i is ours i, stored 2i + 1 is ours 32 + i */
		uint32_t in = r % 64, from = r - in + (in < 32 ? 2 * in : 2 * (in - 32) + 1);

		dtype_to_f32(DT_Q4_1, (const char *)q->p + r * 360, row, 576);
		dtype_to_f32(DT_Q4_1, (const char *)t->data + from * 360, stored, 576);
		CHECK(memcmp(row, stored, sizeof row) == 0);
	}
	weights_close(w);
}

static void find_model(void)
{
	const char *home = getenv("HOME"), *xdg = getenv("XDG_CACHE_HOME"), *own = getenv("SFT_HOME");
	const char *name = "SmolLM2-135M-Instruct.Q4_1.gguf";

	if (own && *own)
		snprintf(path, sizeof path, "%s/%s", own, name);
	else if (xdg && *xdg)
		snprintf(path, sizeof path, "%s/sft/%s", xdg, name);
	else
		snprintf(path, sizeof path, "%s/.cache/sft/%s", home ? home : "", name);
}

int main(void)
{
	struct err e = {0};
	struct arena a;
	char list[PATH_MAX];

	find_model();
	if (access(path, F_OK) != 0) {
		SKIP("smollm2", "the model is not in the cache (samples/get-model gets it)");
		return 0;
	}
	arena_init(&a);
	snprintf(list, sizeof list, "%s/models/smollm2/gguf_meta.json", getenv("DATA") ? getenv("DATA") : "tests/data");
	if (json_file(&a, list, &want, &e) != 0 || gguf_open(&g, path, &e) != 0) {
		printf("not ok smollm2: %s\n", e.msg);
		return 1;
	}
	TEST(metadata);
	TEST(tensors);
	TEST(as_a_model);
	gguf_close(g);
	arena_release(&a);
	return test_end();
}
