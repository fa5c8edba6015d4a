/* SPDX-License-Identifier: Apache-2.0 */
/* Tokenizers against the goldens of the reference: plain text, special tokens parsed, added ones, offsets, and back to text. */
#include "test.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"
#include "mapfile.h"
#include "mem.h"
#include "outfile.h"
#include "rng.h"
#include "tok.h"
#include "utf8.h"

static char test_title[300];

static bool is_there(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

static bool same_ids(const struct json *want, const struct tok_ids *got)
{
	if (want == NULL || want->type != JSON_ARR || want->n != got->n)
		return false;
	for (size_t i = 0; i < want->n; i++) {
		int64_t v;

		if (!json_int(&want->item[i], &v) || v != got->id[i])
			return false;
	}
	return true;
}

/* ids of older SentencePiece versions stand beside those of the newest, where they differ */
static bool is_ids(const struct json *row, const char *key, const struct tok_ids *got, bool around)
{
	const struct json *old = json_get(row, "ids_0_1_97");
	struct tok_ids inner = *got;

	if (same_ids(json_get(row, key), got))
		return true;
	if (old && around && got->n >= 2) {
		inner.id++;
		inner.n -= 2;
	}
	return old && same_ids(old, &inner);
}

/* Offsets in code points against ours in bytes. */
static bool same_offsets(const struct json *want, const struct tok_ids *got, const char *text)
{
	if (want->n != got->n)
		return false;
	for (size_t i = 0; i < want->n; i++) {
		int64_t start, end;

		json_int(&want->item[i].item[0], &start);
		json_int(&want->item[i].item[1], &end);
		if (utf8_count(text, got->start[i]) != (size_t)start || utf8_count(text, got->end[i]) != (size_t)end)
			return false;
	}
	return true;
}

struct tally {
	size_t n, plain, parsed, special, decoded, offsets, noffsets;
	size_t row;                 /* the line that is looked at, from 0 */
};

/* What differs: the text, or (TOK_SHOW=lines) the number of its line for tests/fuzzdiff. */
static void show(const char *what, const struct json *text, const struct tally *y)
{
	const char *how = getenv("TOK_SHOW");

	if (how && strcmp(how, "lines") == 0)
		fprintf(stderr, "differs %s %zu %s\n", test_name, y->row, what);
	else if (how)
		fprintf(stderr, "%s %s: %.*s\n", test_name, what, (int)(text && text->nraw < 200 ? text->nraw : 0), text ? text->raw : "");
}

static void check_ids_row(const struct tok *t, struct tok_scratch *s, const struct json *row, struct tally *y)
{
	const struct json *text = json_get(row, "text"), *off = json_get(row, "offsets"), *dec = json_get(row, "decoded");
	struct tok_ids ids = {0};
	struct buf b = {0};
	struct err e = {0};

	if (text == NULL || json_get(row, "pair"))
		return;
	y->n++;
	if (tok_encode(t, s, text->s, text->n, 0, &ids, &e) == 0 && is_ids(row, "ids_plain", &ids, false))
		y->plain++;
	else
		show("plain", text, y);
	ids.n = 0;
	if (tok_encode(t, s, text->s, text->n, TOK_SPECIAL, &ids, &e) == 0 && is_ids(row, "ids", &ids, false))
		y->parsed++;
	else
		show("parsed", text, y);
	/* The reference decodes its own ids; ours are the same where the line above is right. */
	if (dec && tok_decode(t, ids.id, ids.n, 0, &b, &e) == 0 && b.n == dec->n && (b.n == 0 || memcmp(b.p, dec->s, b.n) == 0))
		y->decoded++;
	else
		show("decoded", text, y);
	ids.n = 0;
	if (tok_encode(t, s, text->s, text->n, TOK_SPECIAL | TOK_ADD | TOK_OFFSETS, &ids, &e) == 0 && is_ids(row, "ids_special", &ids, true))
		y->special++;
	else
		show("special", text, y);
	if (off) {
		y->noffsets++;
		if (same_offsets(off, &ids, text->s))
			y->offsets++;
		else
			show("offsets", text, y);
	}
	tok_ids_free(&ids);
	buf_free(&b);
}

static void check_decode_row(const struct tok *t, const struct json *row, struct tally *y)
{
	static const char *const keys[] = { "decoded", "decoded_skip" };
	const struct json *ids = json_get(row, "ids");
	uint32_t *id = mem_new((ids->n + 1) * sizeof *id);

	for (size_t i = 0; i < ids->n; i++)
		id[i] = (uint32_t)strtoul(ids->item[i].s, NULL, 10);
	for (int k = 0; k < 2; k++) {
		const struct json *want = json_get(row, keys[k]);
		struct buf b = {0};
		struct err e = {0};

		if (want == NULL)
			continue;
		y->n++;
		if (tok_decode(t, id, ids->n, k ? TOK_SKIP_SPECIAL : 0, &b, &e) == 0 && b.n == want->n && (b.n == 0 || memcmp(b.p, want->s, b.n) == 0))
			y->decoded++;
		else
			show(keys[k], want, y);
		buf_free(&b);
	}
	mem_free(id);
}

/* Each line of PATH as JSON. */
static void each_line(const struct tok *t, struct tok_scratch *s, const char *path, bool decode, struct tally *y)
{
	struct json_parser *parser = json_parser_new();
	struct mapfile m;
	struct arena a;
	struct err e = {0};

	arena_init(&a);
	if (mapfile_open(&m, path, &e) != 0)
		return;
	for (const char *p = (const char *)m.p, *end = p + m.n; p < end; ) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const struct json *row;

		if (nl == NULL)
			nl = end;
		arena_reset(&a);
		CHECK(json_parse(parser, &a, p, (size_t)(nl - p), &row, &e) == 0);
		if (decode)
			check_decode_row(t, row, y);
		else
			check_ids_row(t, s, row, y);
		y->row++;
		p = nl + 1;
	}
	mapfile_close(&m);
	arena_release(&a);
	json_parser_free(parser);
}

/* DIR has NAME.jsonl, and perhaps NAME.decode.jsonl; KIND is for the name of the test. */
static void golden(const char *kind, const char *name, const char *tokenizer, const char *dir)
{
	struct err e = {0};
	struct tok *t;
	char path[600];
	struct tally y = {0}, d = {0};
	struct tok_scratch *s;

	snprintf(test_title, sizeof test_title, "tok_%s%s", kind, name);
	test_name = test_title;
	test_failed = 0;
	if (tok_open(&t, tokenizer, &e) != 0) {
		printf("not ok %s: %s\n", test_name, e.msg);
		test_bad = 1;
		return;
	}
	s = tok_scratch_new(t);
	snprintf(path, sizeof path, "%s/%s.jsonl", dir, name);
	each_line(t, s, path, false, &y);
	snprintf(path, sizeof path, "%s/%s.decode.jsonl", dir, name);
	if (is_there(path))
		each_line(t, s, path, true, &d);
	if (y.n == 0 || y.plain != y.n || y.parsed != y.n || y.special != y.n || y.decoded != y.n || d.decoded != d.n || y.offsets != y.noffsets) {
		printf("not ok %s: of %zu plain %zu, parsed %zu, added %zu, decoded %zu; offsets %zu/%zu; odd ids %zu/%zu\n", test_name, y.n, y.plain,
		       y.parsed, y.special, y.decoded, y.offsets, y.noffsets, d.decoded, d.n);
		test_bad = 1;
	} else {
		printf("ok %s\n", test_name);
	}
	tok_scratch_free(s);
	tok_close(t);
}

/* The tokenizer NAME lies in our data or beside the project; else it is skipped. */
static void find_and_check(const char *name, const char *file)
{
	const char *roots[] = { getenv("DATA"), getenv("SHARED") };
	static const char *const goldens[] = { "tokenizers/golden", "golden/tokenizers" };
	char tokenizer[500], dir[500], probe[600], fuzz[500];

	snprintf(fuzz, sizeof fuzz, "%s/tokenizers/fuzz", roots[0] ? roots[0] : ".");
	for (int i = 0; i < 2; i++)
		for (int k = 0; roots[i] && k < 2; k++) {
			snprintf(tokenizer, sizeof tokenizer, "%s/tokenizers/%s%s%s", roots[i], name, *file ? "/" : "", file);
			snprintf(dir, sizeof dir, "%s/%s", roots[k], goldens[k]);
			snprintf(probe, sizeof probe, "%s/%s.jsonl", dir, name);
			if (roots[k] && is_there(tokenizer) && is_there(probe)) {
				golden("", name, tokenizer, dir);
				snprintf(probe, sizeof probe, "%s/%s.jsonl", fuzz, name);
				if (is_there(probe))           /* what tests/fuzzdiff once found */
					golden("fuzz_", name, tokenizer, fuzz);
				return;
			}
		}
	printf("skip tok_%s: no tokenizer or golden here\n", name);
}

/* SmolLM2's GGUF below DIR, where samples/get-model puts it. */
static bool find_gguf(const char *dir, int depth, char out[600])
{
	DIR *d = depth > 0 ? opendir(dir) : NULL;
	struct dirent *f;
	bool found = false;

	while (d && !found && (f = readdir(d)) != NULL) {
		size_t n = strlen(f->d_name);

		if (f->d_name[0] == '.')
			continue;
		snprintf(out, 600, "%.300s/%.250s", dir, f->d_name);
		if (n > 5 && strncmp(f->d_name, "SmolLM2", 7) == 0 && strcmp(f->d_name + n - 5, ".gguf") == 0)
			found = true;
		else if (f->d_type == DT_DIR) {
			char below[600];

			snprintf(below, sizeof below, "%.590s", out);
			found = find_gguf(below, depth - 1, out);
		}
	}
	if (d)
		closedir(d);
	return found;
}

/* The GGUF file gives the same ids as tokenizer.json, and has the same hash. */
static void gguf(void)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME"), *data = getenv("DATA"), *shared = getenv("SHARED");
	char cache[400], path[600], dir[600];
	struct tok *a, *b;
	struct err e = {0};

	if (xdg && *xdg)
		snprintf(cache, sizeof cache, "%.300s/sft", xdg);
	else
		snprintf(cache, sizeof cache, "%.300s/.cache/sft", home ? home : "");
	if (!find_gguf(cache, 5, path)) {
		printf("skip tok_gguf: no SmolLM2 in the cache (samples/get-model fetches it)\n");
		return;
	}
	snprintf(dir, sizeof dir, "%s/tokenizers/golden", data ? data : ".");
	golden("gguf_", "smollm2", path, dir);
	snprintf(dir, sizeof dir, "%s/tokenizers/smollm2", shared ? shared : ".");
	if (!is_there(dir)) {
		printf("skip tok_hash: no smollm2 folder here\n");
		return;
	}
	test_name = "tok_hash";
	test_failed = 0;
	CHECK(tok_open(&a, path, &e) == 0);
	CHECK(tok_open(&b, dir, &e) == 0);
	CHECK(tok_hash(a) == tok_hash(b) && tok_hash(a) != 0);
	CHECK(tok_vocab_size(a) == 49152 && tok_eos(a) == 2 && tok_chat_template(a) != NULL && tok_context(a) == 8192);
	if (!test_failed)
		printf("ok %s\n", test_name);
	tok_close(a);
	tok_close(b);
}

/* The vocabulary and the merges read directly and read through a tree, as is done where the key is written with an escape: the same
 * tokenizer, or the same refusal, whatever byte of the file is another one. */
static void opens_alike(void)
{
	static const char text[] = "{\"version\":\"1.0\", \"model\":{\"type\":\"BPE\",\"unk_token\":null,\"%s\":\n  {\"a\":0,\"b\": 1 ,\"\\\"\":2, \"\\u00e9\":3,"
		"\"\xC3\xA0\":4,\"ab\":5,\"aba\":6,\"\xC3\xA0\\u00E9\":7,\"a\\\\\":8,\"\\\\\":10},\"merges\": [[\"a\",\"b\"],\n[ \"ab\" , \"a\" ],\"\\u00e0 \xC3\xA9\","
		"\"a \\\\\"]},\"added_tokens\":[{\"id\":9,\"content\":\"<s>\",\"special\":true}]}";
	static const char *const key[] = { "vocab", "voc\\u0061b" };
	static const char with[] = "\"\\,:[]{}0129abun -\n\x1f\x80\xC3\xED";
	size_t opened = 0;
	struct rng r;

	rng_init(&r, 11, 0);
	for (int k = 0; k < 1500 && !test_failed; k++) {
		size_t at = rng_below(&r, sizeof text - 1), more = rng_below(&r, 3);
		char byte = with[rng_below(&r, sizeof with - 1)];
		uint64_t hash[2] = {0};
		int rc[2];

		for (int i = 0; i < 2; i++) {
			struct buf b = {0}, file = {0};
			struct err e = {0};
			struct tok *t;
			size_t gap;
			const char *place = strstr(text, "%s");

			buf_add(&b, text, sizeof text - 1);
			if (k > 0 && (at < (size_t)(place - text) || at > (size_t)(place - text) + 2)) {
				if (more < 2)
					b.p[at] = byte;                 /* another byte; or one is missing */
				else
					memmove(b.p + at, b.p + at + 1, b.n-- - at);
			}
			gap = (size_t)(strstr(b.p, "%s") - b.p);
			buf_add(&file, b.p, gap);
			buf_str(&file, key[i]);
			buf_add(&file, b.p + gap + 2, b.n - gap - 2);
			CHECK(out_whole("alike.json", file.p, file.n, false, &e) == 0);
			if ((rc[i] = tok_open(&t, "alike.json", &e)) == 0)
				hash[i] = tok_hash(t);
			tok_close(t);
			buf_free(&b);
			buf_free(&file);
		}
		CHECK(rc[0] == rc[1] && hash[0] == hash[1]);
		CHECK(k > 0 || rc[0] == 0);
		opened += rc[0] == 0;
	}
	CHECK(opened > 100 && opened < 1000);
	unlink("alike.json");
}

/* What a message says forges nothing: not a control token, not an added token that the template writes. */
static void chat_is_safe(void)
{
	static const char text[] = "<|endoftext|>[>>TITLE<<]<|endoftext|> >>TITLE<< x    y<|pad|>";
	struct tok_span span[] = { { 0, 13, false }, { 13, 57, true }, { 57, sizeof text - 1, false } };
	struct tok_ids ids = {0};
	struct err e = {0};
	struct tok *t;
	struct tok_scratch *s;
	char path[600];
	size_t special = 0, indents = 0, titles = 0;

	snprintf(path, sizeof path, "%s/tokenizers/mini_falcon_like", getenv("DATA") ? getenv("DATA") : ".");
	CHECK(tok_open(&t, path, &e) == 0);
	if (test_failed)
		return;
	s = tok_scratch_new(t);
	span[1].end = span[2].start = (size_t)(strstr(text, "<|pad|>") - text);
	CHECK(tok_encode_chat(t, s, text, sizeof text - 1, span, 3, &ids, &e) == 0);
	for (size_t i = 0; i < ids.n; i++) {
		special += tok_is_special(t, ids.id[i]);
		indents += ids.id[i] == 2500;          /* four blanks: a plain added token that the template does not write */
		titles += ids.id[i] == 2502;
	}
	CHECK(ids.id[0] == 0 && ids.id[ids.n - 1] == 1 && special == 2 && indents == 1 && titles == 0);
	for (size_t i = 1; i < ids.n; i++)
		CHECK(ids.start[i] <= ids.end[i] && ids.start[i] >= ids.start[i - 1]);
	for (int writes = 0; writes < 2; writes++) {   /* another template: that which it writes counts, in this text or not */
		tok_use_template(t, writes ? "{{ x }}    {{ y }}" : "{{ x }}");
		ids.n = indents = 0;
		CHECK(tok_encode_chat(t, s, text, sizeof text - 1, span, 3, &ids, &e) == 0);
		for (size_t i = 0; i < ids.n; i++)
			indents += ids.id[i] == 2500;
		CHECK(indents == (writes ? 0 : 1));
	}
	tok_ids_free(&ids);
	tok_scratch_free(s);
	tok_close(t);
}

/* A long piece is merged as a short one is: the same ids however it is cut, and in time. */
static void long_words(void)
{
	enum { N = 1 << 20 };
	struct tok_ids all = {0}, half = {0};
	struct err e = {0};
	struct tok *t;
	struct tok_scratch *s;
	char path[600], *text = mem_new(N + 1);

	snprintf(path, sizeof path, "%s/tokenizers/mini_falcon_like", getenv("DATA") ? getenv("DATA") : ".");
	CHECK(tok_open(&t, path, &e) == 0);
	if (test_failed)
		return;
	s = tok_scratch_new(t);
	memset(text, 'e', N);
	CHECK(tok_encode(t, s, text, N, 0, &all, &e) == 0);
	CHECK(tok_encode(t, s, text, N / 2, 0, &half, &e) == 0);
	CHECK(all.n == 2 * half.n && memcmp(all.id, half.id, half.n * sizeof *half.id) == 0);
	text[7] = (char)0xff;
	CHECK(tok_encode(t, s, text, N, 0, &all, &e) == SFT_BADDATA);
	tok_ids_free(&all);
	tok_ids_free(&half);
	tok_scratch_free(s);
	tok_close(t);
	mem_free(text);
}

/* A random text of code points; PLAIN: of those that NFC leaves as they are (but for U+00C9, an added token that
 * mini_falcon_like writes differently). */
static size_t random_text(struct rng *r, bool plain, char out[4 * 64])
{
	static const uint32_t range[][2] = { { 0, 0xC8 }, { 0x410, 0x44F }, { 0x4E00, 0x9FFF }, { 0xAC00, 0xD7A3 }, { 0xE000, 0xE0FF }, { 0x1F600, 0x1F64F },
		{ 0x20, 0x7E }, { 0x20000, 0x2A6DF }, { 0xFFF0, 0xFFFF }, { 0x10FF00, 0x10FFFF } };
	size_t n = 0;

	for (uint32_t k = 1 + rng_below(r, 63); k > 0; k--) {
		uint32_t which = rng_below(r, 10), c = range[which][0] + rng_below(r, range[which][1] - range[which][0] + 1);

		if (!plain && rng_below(r, 2)) {
			c = rng_below(r, 0x110000);
			c = c >= 0xD800 && c < 0xE000 ? c & 0x7FF : c;
		}
		n += utf8_put(out + n, c);
	}
	return n;
}

/* decode(encode(x)) = x for byte-level BPE, on any text; and the offsets cover the text from its first byte to its last. */
static bool round_trips(const char *tokenizer, bool plain)
{
	struct tok_ids ids = {0};
	struct buf back = {0};
	struct err e = {0};
	struct tok_scratch *s;
	struct tok *t;
	struct rng r;
	bool good = tok_open(&t, tokenizer, &e) == 0;

	if (!good)
		return false;
	s = tok_scratch_new(t);
	rng_init(&r, 7, 0);
	for (int k = 0; good && k < 20000; k++) {
		char text[4 * 64];
		size_t n = random_text(&r, plain, text), end = 0;

		ids.n = back.n = 0;
		good = tok_encode(t, s, text, n, k % 2 ? TOK_OFFSETS : 0, &ids, &e) == 0 && tok_decode(t, ids.id, ids.n, 0, &back, &e) == 0 && back.n == n &&
		       memcmp(back.p, text, n) == 0;
		for (size_t i = 0; good && k % 2 && i < ids.n; i++) {
			good = ids.start[i] <= end && ids.end[i] > ids.start[i] && ids.end[i] >= end;
			end = ids.end[i];
		}
		good = good && (k % 2 == 0 || end == n);
	}
	tok_ids_free(&ids);
	buf_free(&back);
	tok_scratch_free(s);
	tok_close(t);
	return good;
}

static void round_trip(void)
{
	char path[600];

	snprintf(path, sizeof path, "%s/tokenizers/mini_falcon_like", getenv("DATA") ? getenv("DATA") : ".");
	CHECK(round_trips(path, true));
	snprintf(path, sizeof path, "%s/tokenizers/deepseek_v3", getenv("SHARED") ? getenv("SHARED") : ".");
	if (is_there(path))            /* it has no normaliser: any text comes back */
		CHECK(round_trips(path, false));
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "smollm2", "qwen3", "deepseek_v3", "mistral_7b", "mini_bert_wordpiece", "mini_bpe_suffix",
		"mini_falcon_like", "mini_unigram_precompiled", "mini_wordlevel" };

	if (argc == 4) {               /* NAME TOKENIZER FOLDER: another tokenizer's goldens */
		golden("", argv[1], argv[2], argv[3]);
		return test_end();
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		find_and_check(names[i], "");
	find_and_check("spm_bpe", "spm_bpe.model");
	find_and_check("spm_unigram", "spm_unigram.model");
	find_and_check("spm_llama", "spm_llama.model");
	gguf();
	TEST(opens_alike);
	TEST(chat_is_safe);
	TEST(long_words);
	TEST(round_trip);
	return test_end();
}
