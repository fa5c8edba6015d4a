/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mapfile.h"
#include "mem.h"
#include "outfile.h"
#include "safetensors.h"
#include "test.h"

static const char *data_dir(void)
{
	return getenv("DATA") ? getenv("DATA") : "tests/data";
}

/* A file of HEADER and N bytes of data, into B. */
static void make(struct buf *b, const char *header, size_t n)
{
	uint64_t len = strlen(header);

	buf_free(b);
	buf_add(b, &len, 8);
	buf_str(b, header);
	for (size_t i = 0; i < n; i++)
		buf_ch(b, (char)i);
}

static char *verdict(const void *p, size_t n)
{
	static char msg[1100];
	struct err e = {0};
	struct safetensors *s;
	char *copy = malloc(n + 1);
	int rc;

	memcpy(copy, p, n);
	copy = realloc(copy, n ? n : 1);               /* exactly so large: reads beyond are seen by the sanitizer */
	rc = st_bytes(&s, copy, n, &e);
	snprintf(msg, sizeof msg, "%d %s", rc, rc ? e.msg : "accepted");
	st_close(s);
	free(copy);
	return msg;
}

struct hostile {
	const char *header;
	size_t data;
	const char *says;              /* NULL: to be accepted */
};

#define T(name, dtype, shape, offs) "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":[" shape "],\"data_offsets\":[" offs "]}"

static const struct hostile cases[] = {
	{ "{}", 0, NULL },
	{ "{}      ", 0, NULL },
	{ "{\"__metadata__\":{\"format\":\"pt\"}}", 0, NULL },
	{ "{" T("a", "F32", "2", "0,8") "}", 8, NULL },
	{ "{" T("b", "F32", "1", "4,8") "," T("a", "U8", "4", "0,4") "}", 8, NULL },        /* not in the order of offsets */
	{ "{" T("a", "F32", "", "0,4") "}", 4, NULL },                                      /* a scalar */
	{ "{" T("a", "F32", "0,5", "0,0") "," T("b", "U8", "1", "0,1") "," T("c", "F32", "0", "1,1") "}", 1, NULL },
	{ "{" T("a", "U8", "1", "0,1") "," T("b", "F32", "1", "1,5") "}", 5, NULL },        /* not aligned */
	{ "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"more\":{}}}", 1, NULL },
	{ "{" T("a", "F32", "2", "0,8") "}", 9, "expected 9, the end of the file" },
	{ "{" T("a", "F32", "2", "0,8") "}", 7, "the file has 7 bytes" },
	{ "{" T("a", "F32", "2", "0,8") "," T("a", "F32", "2", "0,8") "}", 8, "header" },   /* twice */
	{ "{" T("a", "F32", "2", "0,8") "," T("b", "F32", "2", "4,12") "}", 12, "overlaps" },
	{ "{" T("a", "F32", "2", "0,8") "," T("b", "F32", "2", "0,8") "}", 8, "overlaps" },
	{ "{" T("a", "F32", "2", "0,8") "," T("b", "F32", "1", "12,16") "}", 16, "hole" },
	{ "{" T("a", "F32", "1", "4,8") "}", 8, "hole" },
	{ "{" T("a", "F32", "1", "8,4") "}", 8, "data_offsets 8 to 4" },
	{ "{" T("a", "F32", "3", "0,8") "}", 8, "has 8 bytes (expected 3 values of F32" },
	{ "{" T("a", "F32", "2", "0,18446744073709551615") "}", 8, "data_offsets" },
	{ "{" T("a", "F32", "2", "0,18446744073709551616") "}", 8, "no data_offsets" },
	{ "{" T("a", "F32", "2", "-8,0") "}", 8, "no data_offsets" },
	{ "{" T("a", "F32", "2", "0,8.0") "}", 8, "no data_offsets" },
	{ "{" T("a", "F32", "2", "0,8e0") "}", 8, "no data_offsets" },
	{ "{" T("a", "F32", "2", "0,8,8") "}", 8, "no data_offsets" },
	{ "{" T("a", "F32", "4294967296,4294967296", "0,0") "}", 0, "2^64 values" },
	{ "{" T("a", "F32", "4294967296,4294967296,0", "0,0") "}", 0, "2^64 values" },      /* before the zero */
	{ "{" T("a", "F32", "4611686018427387904", "0,0") "}", 0, "has 0 bytes" },          /* 2^62 values: bytes overflow */
	{ "{" T("a", "F32", "-1", "0,0") "}", 0, "dimension 0" },
	{ "{" T("a", "F32", "\"1\"", "0,4") "}", 4, "dimension 0" },
	{ "{" T("a", "U8", "1,1,1,1,1,1,1,1,1", "0,1") "}", 1, "9 dimensions" },
	{ "{" T("a", "f32", "1", "0,4") "}", 4, "dtype 'f32'" },
	{ "{" T("a", "Q4_0", "32", "0,18") "}", 18, "dtype 'Q4_0'" },
	{ "{" T("a", "", "1", "0,4") "}", 4, "dtype ''" },
	{ "{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "no dtype" },
	{ "{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,4]}}", 4, "no shape" },
	{ "{\"a\":{\"dtype\":\"U8\",\"shape\":[4]}}", 4, "no data_offsets" },
	{ "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4, "header" },
	{ "{\"a\":7}", 0, "no object" },
	{ "{\"a\\u0000b\":7}", 0, "NUL" },
	{ "{\"__metadata__\":{\"n\":7}}", 0, "no text" },
	{ "{\"__metadata__\":[]}", 0, "no object" },
	{ "[]", 0, "no object" },
	{ "{} x", 0, "header" },
	{ "{", 0, "header" },
	{ "", 0, "header" },
	{ "{\"\xff\":7}", 0, "header" },
};

static void hostile_files(void)
{
	struct buf b = {0};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct hostile *h = &cases[i];
		const char *v;

		make(&b, h->header, h->data);
		v = verdict(b.p, b.n);
		if (h->says ? strncmp(v, "3 ", 2) || !strstr(v, h->says) : v[0] != '0') {
			printf("# %s: %s\n", h->header, v);
			CHECK(!"as expected");
		}
	}
	make(&b, "{}\0\0", 0);                                /* padded with NUL */
	buf_add(&b, "\0\0", 2), b.p[0] = 4;
	CHECK(verdict(b.p, b.n)[0] == '3');
	buf_free(&b);
}

static void hostile_lengths(void)
{
	struct buf b = {0};
	const uint64_t bad[] = { 0, 100000001, UINT64_MAX, UINT64_C(1) << 63, 9 };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		make(&b, "{}      ", 0);
		memcpy(b.p, &bad[i], 8);
		CHECK(verdict(b.p, b.n)[0] == '3');
	}
	make(&b, "{" T("a", "F32", "2", "0,8") "," T("b", "U8", "3", "8,11") "}", 11);
	for (size_t n = 0; n < b.n; n++)
		CHECK(verdict(b.p, n)[0] == '3');
	for (size_t i = 0; i < b.n; i++)                      /* any byte may be wrong: read or refused, nothing else */
		for (int v = 0; v < 256; v += 5) {
			char was = b.p[i];

			b.p[i] = (char)v;
			CHECK(verdict(b.p, b.n)[0] == '3' || verdict(b.p, b.n)[0] == '0');
			b.p[i] = was;
		}
	buf_free(&b);
}

static void reads_in_order_of_names(void)
{
	struct buf b = {0};
	struct err e = {0};
	struct safetensors *s;
	const struct tensor *t;

	make(&b, "{\"__metadata__\":{\"format\":\"pt\",\"x\":\"y\"}," T("b", "F32", "1", "4,8") "," T("a", "U8", "2,2", "0,4") "}", 8);
	CHECK(st_bytes(&s, b.p, b.n, &e) == 0 && st_count(s) == 2);
	CHECK(strcmp(st_at(s, 0)->name, "a") == 0 && strcmp(st_at(s, 1)->name, "b") == 0);
	t = st_find(s, "b");
	CHECK(t && t->type == DT_F32 && ((const char *)t->data)[0] == 4 && t->bytes == 4);
	CHECK(st_find(s, "c") == NULL && st_find(s, "__metadata__") == NULL);
	CHECK_STR(st_meta(s, "x"), "y");
	CHECK(st_meta(s, "z") == NULL);
	st_close(s);
	buf_free(&b);
}

/* What the reference library wrote comes out with the same bytes. */
static void writes_as_reference(const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct err e = {0};
	struct safetensors *s;
	struct tensor *t;
	struct mapfile a, b;

	snprintf(path, sizeof path, "%s/models/%s/%s", data_dir(), dir, name);
	CHECK(st_open(&s, path, &e) == 0);
	if (e.code)
		return;
	t = mem_grow(NULL, st_count(s), sizeof *t);
	for (size_t i = 0; i < st_count(s); i++)
		t[i] = *st_at(s, i);
	CHECK(st_write("out.safetensors", t, st_count(s), NULL, &e) == 0);
	CHECK(mapfile_open(&a, path, &e) == 0 && mapfile_open(&b, "out.safetensors", &e) == 0);
	CHECK(a.n == b.n && memcmp(a.p, b.p, a.n) == 0);
	mapfile_close(&a), mapfile_close(&b);
	mem_free(t);
	st_close(s);
	unlink("out.safetensors");
}

static void round_trips(void)
{
	writes_as_reference("llama_gqa_tied/lora", "adapter_model.safetensors");
	writes_as_reference("llama_untied_llama3rope", "model.safetensors");
	writes_as_reference("mistral_sliding", "model.safetensors");
}

static void writes_mixed_types(void)
{
	static const float f[2] = { 1, 2 };
	static const int64_t l[1] = { 7 };
	static const uint16_t h[1] = { 0x3f80 };
	const struct tensor t[] = {
		{ "z", DT_BF16, 1, { 1 }, h, 2, 1 }, { "y\"", DT_F32, 2, { 1, 2 }, f, 8, 2 }, { "x", DT_I64, 0, { 0 }, l, 8, 1 },
		{ "w", DT_F16, 1, { 1 }, h, 2, 1 }, { "empty", DT_F32, 1, { 0 }, f, 0, 0 },
	};
	const struct tensor q = { "q", DT_Q4_0, 1, { 32 }, f, 18, 32 };
	static const char want[] = "{\"__metadata__\":{\"k\":\"v\"},\"x\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
		"\"empty\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[8,8]},\"y\\\"\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[8,16]},"
		"\"z\":{\"dtype\":\"BF16\",\"shape\":[1],\"data_offsets\":[16,18]},\"w\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[18,20]}}";
	const char *meta[] = { "k", "v", NULL };
	struct err e = {0};
	struct mapfile m;

	CHECK(st_write("out.safetensors", t, 5, meta, &e) == 0);
	CHECK(mapfile_open(&m, "out.safetensors", &e) == 0);
	CHECK(m.n > 8 + sizeof want && memcmp(m.p + 8, want, sizeof want - 1) == 0 && m.p[0] % 8 == 0);
	mapfile_close(&m);
	unlink("out.safetensors");
	CHECK(st_write("out.safetensors", &q, 1, NULL, &e) == SFT_USAGE && access("out.safetensors", F_OK) != 0);
	CHECK(st_write("/nonexistent/x", t, 5, NULL, &e) == SFT_SYSTEM);
}

/* --- folders --- */

static void put(const char *path, const struct buf *b)
{
	CHECK(out_whole(path, b->p, b->n, false, NULL) == 0);
}

static void index_case(const char *map, const char *says)
{
	struct buf b = {0};
	struct err e = {0};
	struct safetensors *s;
	int rc;

	buf_fmt(&b, "{\"metadata\":{\"total_size\":1},\"weight_map\":%s}", map);
	put("m/model.safetensors.index.json", &b);
	rc = st_open_dir(&s, "m", &e);
	if (says == NULL ? rc != 0 : rc != SFT_BADDATA || !strstr(e.msg, says)) {
		printf("# %s: %d %s\n", map, rc, e.msg);
		CHECK(!"as expected");
	}
	st_close(s);
	buf_free(&b);
}

/* The Hugging Face cache keeps the files of a snapshot as links to ../../blobs. */
static void hub_cache(const struct buf *b)
{
	static const char index[] = "{\"weight_map\":{\"b\":\"two.safetensors\"}}";
	struct err e = {0};
	struct safetensors *s;

	CHECK(out_mkdirs("hub/snapshots/abc", &e) == 0 && out_mkdirs("hub/blobs", &e) == 0);
	put("hub/blobs/123", b);
	CHECK(symlink("../../blobs/123", "hub/snapshots/abc/two.safetensors") == 0);
	CHECK(out_whole("hub/snapshots/abc/model.safetensors.index.json", index, strlen(index), false, &e) == 0);
	CHECK(st_open_dir(&s, "hub/snapshots/abc", &e) == 0 && st_count(s) == 1);
	st_close(s);
}

static void folders(void)
{
	struct buf b = {0};
	struct err e = {0};
	struct safetensors *s;

	CHECK(out_mkdirs("m", &e) == 0);
	CHECK(st_open_dir(&s, "m", &e) == SFT_BADDATA && strstr(e.msg, "no model.safetensors"));
	make(&b, "{" T("a", "U8", "1", "0,1") "," T("extra", "U8", "1", "1,2") "}", 2);
	put("m/one.safetensors", &b);
	put("outside.safetensors", &b);
	make(&b, "{" T("b", "U8", "1", "0,1") "}", 1);
	put("m/two.safetensors", &b);
	index_case("{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}", NULL);
	index_case("{\"a\":\"two.safetensors\"}", "'a' is not in two.safetensors");
	index_case("{\"a\":\"../outside.safetensors\"}", "in the same folder");
	index_case("{\"a\":\"..\"}", "in the same folder");
	index_case("{\"a\":\"/etc/passwd\"}", "in the same folder");
	index_case("{\"a\":\"one.safetensors\\u0000x\"}", "in the same folder");
	index_case("{\"a\":7}", "in the same folder");
	index_case("[]", "no weight_map");
	CHECK(symlink("../outside.safetensors", "m/link") == 0);
	index_case("{\"a\":\"link\"}", "leads out");
	CHECK(symlink("one.safetensors", "m/inner") == 0);
	index_case("{\"a\":\"inner\"}", NULL);
	hub_cache(&b);
	put("m/model.safetensors", &b);                        /* the whole file comes before the index */
	CHECK(st_open_dir(&s, "m", &e) == 0 && st_count(s) == 1 && st_find(s, "b"));
	st_close(s);
	buf_free(&b);
}

static void sharded_model(void)
{
	char dir[PATH_MAX];
	struct err e = {0};
	struct safetensors *s;

	snprintf(dir, sizeof dir, "%s/models/qwen2", data_dir());
	CHECK(st_open_dir(&s, dir, &e) == 0);
	CHECK(e.code == 0 && st_find(s, "model.embed_tokens.weight") && st_find(s, "model.layers.0.self_attn.q_proj.bias"));
	for (size_t i = 1; e.code == 0 && i < st_count(s); i++)
		CHECK(strcmp(st_at(s, i - 1)->name, st_at(s, i)->name) < 0);
	st_close(s);
}

int main(void)
{
	char tmp[] = "st.XXXXXX", back[PATH_MAX], data[PATH_MAX];

	if (realpath(data_dir(), data))
		setenv("DATA", data, 1);
	if (getcwd(back, sizeof back) == NULL || mkdtemp(tmp) == NULL || chdir(tmp) != 0)
		return 1;
	TEST(hostile_files);
	TEST(hostile_lengths);
	TEST(reads_in_order_of_names);
	TEST(round_trips);
	TEST(writes_mixed_types);
	TEST(folders);
	TEST(sharded_model);
	if (chdir(back) != 0 || system("rm -rf st.??????") != 0)
		return 1;
	return test_end();
}
