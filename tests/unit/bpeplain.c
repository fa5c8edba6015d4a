/* SPDX-License-Identifier: Apache-2.0 */
/* BPE against its plain definition: made vocabularies (and real ones where they are), random texts, each twice so that the cache answers too.
 *
 * The definition: the text in pieces as the pre-tokenizer's steps give them one after the other, bytes written as characters; a
 * symbol for each character; then the pair of lowest rank, the leftmost of equal ones, becomes one symbol until no pair is in the list. */
#include "test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"
#include "rng.h"
#include "tokimpl.h"
#include "utf8.h"

enum { TEXTS = 1500, MERGES = 400 };

/* --- the definition --- */

static int by_pair(const void *a, const void *b)
{
	const struct bpe_merge *x = a, *y = b;

	return x->left != y->left ? (x->left < y->left ? -1 : 1) : x->right != y->right ? (x->right < y->right ? -1 : 1) : 0;
}

struct symbol {
	uint32_t id;
	size_t start, end;
};

static void add(struct symbol *s, size_t *n, uint32_t id, size_t start, size_t end)
{
	s[(*n)++] = (struct symbol){ id, start, end };
}

/* Symbols of piece P as the reference makes them. */
static size_t symbols(const struct tok *t, const struct piece *p, struct symbol *s)
{
	size_t n = 0, at = 0;
	bool open = false;

	for (const char *c = p->p, *next = c, *end = c + p->n; c < end; c = next) {
		int64_t id;
		size_t len;

		utf8_get(&next);
		len = (size_t)(next - c);
		if ((id = vocab_id(&t->vocab, c, len)) >= 0) {
			add(s, &n, (uint32_t)id, at, at + len);
			open = false;
		} else if (t->byte_fallback && t->byte_id[(uint8_t)c[0]] >= 0) {
			for (size_t i = 0; i < len; i++)
				add(s, &n, (uint32_t)t->byte_id[(uint8_t)c[i]], at + i, at + i + 1);
			open = false;
		} else if (t->unk >= 0 && open && t->fuse_unk) {
			s[n - 1].end = at + len;
		} else if (t->unk >= 0) {
			add(s, &n, (uint32_t)t->unk, at, at + len);
			open = true;
		} else {
			continue;
		}
		at += len;
	}
	return n;
}

static size_t merge(const struct bpe_merge *sorted, size_t nmerges, struct symbol *s, size_t n)
{
	for (;;) {
		const struct bpe_merge *best = NULL;
		size_t where = 0;

		for (size_t i = 0; i + 1 < n; i++) {
			struct bpe_merge key = { s[i].id, s[i + 1].id, 0, 0 };
			const struct bpe_merge *f = bsearch(&key, sorted, nmerges, sizeof key, by_pair);

			if (f && (best == NULL || f->rank < best->rank)) {
				best = f;
				where = i;
			}
		}
		if (best == NULL)
			return n;
		s[where].id = best->into;
		s[where].end = s[where + 1].end;
		memmove(s + where + 1, s + where + 2, (n - where - 2) * sizeof *s);
		n--;
	}
}

static void plain(const struct tok *t, struct tok_scratch *s, const struct bpe_merge *sorted, const char *text, size_t n, struct tok_ids *out)
{
	struct piece whole = { text, n, NULL, NULL, 0, -1 };
	struct symbol *sym = mem_grow(NULL, 8 * n + 64, sizeof *sym);

	arena_reset(&s->arena);
	s->track = s->align = true;
	s->bytes = false;
	s->a.n = 0;
	CHECK(norm_apply(t, s, &whole, NULL) == 0);
	pieces_add(&s->a, &whole, 0, whole.n);
	CHECK(pre_apply(t, s, NULL) == 0);
	for (size_t k = 0; k < s->a.n; k++) {
		const struct piece *p = &s->a.v[k];
		int64_t id = t->ignore_merges ? vocab_id(&t->vocab, p->p, p->n) : -1;
		size_t m = id >= 0 ? 1 : symbols(t, p, sym);

		if (id >= 0)
			sym[0] = (struct symbol){ (uint32_t)id, 0, p->n };
		else
			m = merge(sorted, t->nmerges, sym, m);
		for (size_t i = 0; i < m; i++)
			ids_add(out, s, p, sym[i].id, sym[i].start, sym[i].end);
	}
	mem_free(sym);
}

/* --- texts --- */

static uint32_t character(struct rng *r)
{
	switch (rng_below(r, 16)) {
	case 0: return ' ';
	case 1: return "\n\t\r'  "[rng_below(r, 6)];
	case 2: return '0' + (uint32_t)rng_below(r, 10);
	case 3: return "!?.,'-_(<>&\"\\/"[rng_below(r, 14)];
	case 4: return 0x3040 + (uint32_t)rng_below(r, 0xC0);
	case 5: return 0xC0 + (uint32_t)rng_below(r, 0x100);
	case 6: return 0x1F600 + (uint32_t)rng_below(r, 64);
	case 7: return 0x300 + (uint32_t)rng_below(r, 16);
	case 8: return 0x4E00 + (uint32_t)rng_below(r, 0x5200);
	case 9: case 10: case 11: return 0x4E00 + (uint32_t)(rng_below(r, 12) * 37);
	case 12: return 1 + (uint32_t)rng_below(r, 0xD7FF);
	default: return 'a' + (uint32_t)rng_below(r, 6);
	}
}

/* Text of up to N characters, pieces of it said again. */
static void random_text(struct rng *r, size_t n, struct buf *b)
{
	b->n = 0;
	buf_room(b, 1);
	for (size_t i = 0; i < n; i++) {
		char *to = buf_room(b, 64);

		if (b->n > 24 && rng_below(r, 12) == 0) {
			size_t from = rng_below(r, b->n - 24), len = 1 + rng_below(r, 23);

			while (((unsigned char)b->p[from] & 0xC0) == 0x80)
				from--;
			while (((unsigned char)b->p[from + len] & 0xC0) == 0x80)
				len--;
			memcpy(to, b->p + from, len);
			b->n += len;
		} else {
			b->n += utf8_put(to, character(r));
		}
		b->p[b->n] = 0;
	}
}

static bool same(const struct tok_ids *want, const struct tok_ids *got, bool offsets)
{
	return want->n == got->n && (want->n == 0 || memcmp(want->id, got->id, want->n * sizeof *want->id) == 0) &&
	       (!offsets || want->n == 0 || (memcmp(want->start, got->start, want->n * sizeof *want->start) == 0 &&
	                                     memcmp(want->end, got->end, want->n * sizeof *want->end) == 0));
}

struct both {
	struct tok *t;
	struct tok_scratch *plain, *s;
	struct bpe_merge *sorted;
	struct tok_ids want, got;
};

static void compare_text(struct both *b, const char *text, size_t n)
{
	struct err e = {0};

	b->want.n = 0;
	plain(b->t, b->plain, b->sorted, text, n, &b->want);
	for (unsigned pass = 0; pass < 3; pass++) {
		b->got.n = 0;
		CHECK(tok_encode(b->t, b->s, text, n, pass ? TOK_OFFSETS : 0, &b->got, &e) == 0);
		CHECK(same(&b->want, &b->got, pass && !b->t->trim));
	}
	if (test_failed)
		printf("# text: %s\n", text);
}

/* The tokenizer PATH on TEXT (may be NULL) and on random texts. */
static void compare(const char *path, const char *text, unsigned texts)
{
	struct both b = {0};
	struct buf random = {0};
	struct rng r;
	struct err e = {0};

	CHECK(tok_open(&b.t, path, &e) == 0);
	if (test_failed)
		return;
	b.plain = tok_scratch_new(b.t);
	b.s = tok_scratch_new(b.t);
	b.sorted = mem_grow(NULL, b.t->nmerges + 1, sizeof *b.sorted);
	memcpy(b.sorted, b.t->merge_list, b.t->nmerges * sizeof *b.sorted);
	qsort(b.sorted, b.t->nmerges, sizeof *b.sorted, by_pair);
	if (text)
		compare_text(&b, text, strlen(text));
	rng_init(&r, 5, 1);
	for (unsigned k = 0; k < texts && !test_failed; k++) {
		random_text(&r, k % 100 == 99 ? 600 : rng_below(&r, 50), &random);
		compare_text(&b, random.p, random.n);
	}
	mem_free(b.sorted);
	buf_free(&random);
	tok_ids_free(&b.want);
	tok_ids_free(&b.got);
	tok_scratch_free(b.plain);
	tok_scratch_free(b.s);
	tok_close(b.t);
}

/* --- made vocabularies --- */

struct made {
	bool bytes, ignore_merges, shuffled, unk;
	unsigned missing;           /* a byte without a symbol, or 0 */
	const char *pre;            /* JSON */
};

struct train {
	struct buf text[256 + MERGES];  /* of a symbol, as it stands in the vocabulary */
	uint32_t left[MERGES], right[MERGES], nsym, nmerges, nbase;
	uint32_t *corpus;
	size_t n;
};

static uint32_t symbol_of(struct train *t, const char *text, size_t n)
{
	for (uint32_t i = 0; i < t->nsym; i++)
		if (t->text[i].n == n && memcmp(t->text[i].p, text, n) == 0)
			return i;
	buf_add(&t->text[t->nsym], text, n);
	return t->nsym++;
}

/* The pair that is there most often; UINT32_MAX where a symbol ends a text. */
static bool most_frequent(const struct train *t, uint32_t *left, uint32_t *right)
{
	uint32_t *count = mem_new((size_t)t->nsym * t->nsym * sizeof *count), best = 1;
	bool found = false;

	for (size_t i = 0; i + 1 < t->n; i++) {
		uint32_t a = t->corpus[i], b = t->corpus[i + 1];

		if (a != UINT32_MAX && b != UINT32_MAX && ++count[(size_t)a * t->nsym + b] > best) {
			best = count[(size_t)a * t->nsym + b];
			*left = a;
			*right = b;
			found = true;
		}
	}
	mem_free(count);
	return found;
}

static void train_one(struct train *t, uint32_t left, uint32_t right)
{
	size_t k = 0;
	struct buf b = {0};
	uint32_t into;

	buf_add(&b, t->text[left].p, t->text[left].n);
	buf_add(&b, t->text[right].p, t->text[right].n);
	into = symbol_of(t, b.p, b.n);
	buf_free(&b);
	for (size_t i = 0; i < t->n; i++, k++) {
		bool is = i + 1 < t->n && t->corpus[i] == left && t->corpus[i + 1] == right;

		t->corpus[k] = is ? into : t->corpus[i];
		i += is;
	}
	t->n = k;
	t->left[t->nmerges] = left;
	t->right[t->nmerges++] = right;
}

static void train(struct train *t, const struct made *m)
{
	struct rng r;
	struct buf b = {0};

	rng_init(&r, 9, 2);
	t->corpus = mem_grow(NULL, 1 << 18, sizeof *t->corpus);
	for (unsigned c = 0; m->bytes && c < 256; c++) {
		char text[4];

		if (c != m->missing || c == 0)
			symbol_of(t, text, utf8_put(text, byte_char((uint8_t)c)));
	}
	for (int k = 0; k < 400; k++) {
		random_text(&r, 40, &b);
		for (const char *p = b.p, *q = p; p < b.p + b.n; p = q) {
			char text[4];

			if (m->bytes && m->missing && (uint8_t)*p == m->missing)
				t->corpus[t->n++] = UINT32_MAX;
			else if (m->bytes)
				t->corpus[t->n++] = symbol_of(t, text, utf8_put(text, byte_char((uint8_t)*p)));
			else if (t->nsym < 200 && utf8_get(&q) < 0x2FFFF)
				t->corpus[t->n++] = symbol_of(t, p, (size_t)(q - p));
			q = m->bytes ? p + 1 : p + utf8_size(p);
		}
		t->corpus[t->n++] = UINT32_MAX;
	}
	t->nbase = t->nsym;
	for (uint32_t left = 0, right = 0; t->nmerges < MERGES && t->nsym < 256 + MERGES && most_frequent(t, &left, &right); )
		train_one(t, left, right);
	buf_free(&b);
}

static void put_text(FILE *f, const char *p, size_t n)
{
	putc('"', f);
	for (size_t i = 0; i < n; i++)
		if (p[i] == '"' || p[i] == '\\' || (unsigned char)p[i] < 0x20)
			fprintf(f, "\\u%04x", (unsigned char)p[i]);
		else
			putc(p[i], f);
	putc('"', f);
}

static void write_tokenizer(const char *path, const struct made *m)
{
	struct train *t = mem_new(sizeof *t);
	FILE *f = fopen(path, "w");
	struct rng r;

	train(t, m);
	rng_init(&r, 3, 3);
	for (uint32_t i = t->nmerges; m->shuffled && i-- > 1; ) {      /* merges whose sides come later in the list */
		uint32_t k = (uint32_t)rng_below(&r, i + 1), left = t->left[i], right = t->right[i];

		t->left[i] = t->left[k];
		t->right[i] = t->right[k];
		t->left[k] = left;
		t->right[k] = right;
	}
	fprintf(f, "{\"added_tokens\":[],\"normalizer\":null,\"pre_tokenizer\":%s,\"model\":{\"type\":\"BPE\",\"ignore_merges\":%s,", m->pre,
	        m->ignore_merges ? "true" : "false");
	if (m->unk)
		fprintf(f, "\"unk_token\":\"<unk>\",\"fuse_unk\":true,");
	if (!m->bytes && !m->unk)
		fprintf(f, "\"byte_fallback\":true,");
	fprintf(f, "\"vocab\":{");
	for (uint32_t i = 0; i < t->nsym; i++) {
		fprintf(f, i ? "," : "");
		put_text(f, t->text[i].p, t->text[i].n);
		fprintf(f, ":%u", i);
	}
	fprintf(f, ",\"<unk>\":%u", t->nsym);
	for (unsigned b = 0; !m->bytes && !m->unk && b < 256; b++)
		fprintf(f, ",\"<0x%02X>\":%u", b, t->nsym + 1 + b);
	fprintf(f, "},\"merges\":[");
	for (uint32_t i = 0; i < t->nmerges; i++) {
		fprintf(f, i ? ",[" : "[");
		put_text(f, t->text[t->left[i]].p, t->text[t->left[i]].n);
		putc(',', f);
		put_text(f, t->text[t->right[i]].p, t->text[t->right[i]].n);
		putc(']', f);
	}
	fprintf(f, "]}}\n");
	CHECK(fclose(f) == 0);
	for (size_t i = 0; i < sizeof t->text / sizeof *t->text; i++)
		buf_free(&t->text[i]);
	mem_free(t->corpus);
	mem_free(t);
}

#define BYTES "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}"
#define GPT2 "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":true}"
#define QWEN "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"behavior\":\"Isolated\",\"invert\":false,\"pattern\":{\"Regex\":" \
	"\"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+\"}}," \
	BYTES "]}"
/* Digits, Chinese and kana by themselves: the steps of DeepSeek, less the last. */
#define STEPS "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"behavior\":\"Isolated\",\"invert\":false,\"pattern\":{\"Regex\":\"\\\\p{N}{1,3}\"}}," \
	"{\"type\":\"Split\",\"behavior\":\"Isolated\",\"invert\":false,\"pattern\":{\"Regex\":\"[一-龥぀-ゟ゠-ヿ]+\"}},{\"type\":\"Digits\",\"individual_digits\":true}," GPT2 "]}"

static bool new_path(char *path)
{
	int fd = mkstemps(path, 5);

	CHECK(fd >= 0);
	return fd >= 0 && close(fd) == 0;
}

static void made(const struct made *m)
{
	char path[] = "/tmp/bpeplain-XXXXXX.json";

	if (!new_path(path))
		return;
	write_tokenizer(path, m);
	compare(path, NULL, TEXTS);
	unlink(path);
}

/* Bytes written as characters. */
static size_t written(char *out, const uint8_t *p, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		k += utf8_put(out + k, byte_char(p[i]));
	return k;
}

/* The pair 2 3 stands before 1 2, and both before what makes 3: when 2 is whole, 3 is not yet, and 1 takes it. */
static void pairs_before_characters(void)
{
	static const uint8_t text[] = "\u4e00\u65e5\u8a9e";
	static const uint8_t at[][3] = { { 3, 6, 9 }, { 0, 3, 6 }, { 0, 1, 2 }, { 0, 2, 3 }, { 3, 4, 5 }, { 3, 5, 6 }, { 6, 7, 8 }, { 6, 8, 9 } };
	char path[] = "/tmp/bpeplain-XXXXXX.json", name[64];
	FILE *f;

	if (!new_path(path) || (f = fopen(path, "w")) == NULL)
		return;
	fprintf(f, "{\"added_tokens\":[],\"normalizer\":null,\"pre_tokenizer\":%s,\"model\":{\"type\":\"BPE\",\"vocab\":{", BYTES);
	for (unsigned c = 0; c < 256; c++) {
		uint8_t byte = (uint8_t)c;

		put_text(f, name, written(name, &byte, 1));
		fprintf(f, ":%u,", c);
	}
	for (unsigned k = 0; k < 8; k++) {
		put_text(f, name, written(name, text + at[k][0], (size_t)(at[k][2] - at[k][0])));
		fprintf(f, k < 7 ? ":%u," : ":%u},\"merges\":[", 256 + k);
	}
	for (unsigned k = 0; k < 8; k++) {
		putc('[', f);
		put_text(f, name, written(name, text + at[k][0], (size_t)(at[k][1] - at[k][0])));
		putc(',', f);
		put_text(f, name, written(name, text + at[k][1], (size_t)(at[k][2] - at[k][1])));
		fputs(k < 7 ? "]," : "]]}}\n", f);
	}
	CHECK(fclose(f) == 0);
	compare(path, (const char *)text, 100);
	unlink(path);
}

static void bytes_in_order(void) { made(&(struct made){ .bytes = true, .pre = QWEN }); }
static void bytes_one_word(void) { made(&(struct made){ .bytes = true, .pre = BYTES }); }
static void bytes_out_of_order(void) { made(&(struct made){ .bytes = true, .shuffled = true, .pre = QWEN }); }
static void bytes_whole_words(void) { made(&(struct made){ .bytes = true, .ignore_merges = true, .shuffled = true, .pre = GPT2 }); }
static void bytes_missing(void) { made(&(struct made){ .bytes = true, .missing = 0xB8, .pre = GPT2 }); }
static void bytes_in_steps(void) { made(&(struct made){ .bytes = true, .pre = STEPS }); }
static void characters(void) { made(&(struct made){ .pre = "null" }); }
static void characters_out_of_order(void) { made(&(struct made){ .shuffled = true, .pre = "null" }); }
static void characters_whole_words(void) { made(&(struct made){ .ignore_merges = true, .shuffled = true, .pre = "{\"type\":\"WhitespaceSplit\"}" }); }
static void characters_unknown(void) { made(&(struct made){ .unk = true, .pre = "null" }); }

static void real(void)
{
	static const char *const names[] = { "qwen3", "deepseek_v3", "smollm2", "mistral_7b" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char path[600];
		struct stat st;

		snprintf(path, sizeof path, "%s/tokenizers/%s/tokenizer.json", getenv("SHARED") ? getenv("SHARED") : ".", names[i]);
		test_name = names[i];
		test_failed = 0;
		if (stat(path, &st) != 0) {
			printf("skip %s: no such tokenizer here\n", names[i]);
			continue;
		}
		compare(path, NULL, TEXTS / 3);
		if (!test_failed)
			printf("ok %s\n", names[i]);
	}
}

int main(void)
{
	TEST(bytes_in_order);
	TEST(bytes_one_word);
	TEST(bytes_out_of_order);
	TEST(pairs_before_characters);
	TEST(bytes_whole_words);
	TEST(bytes_missing);
	TEST(bytes_in_steps);
	TEST(characters);
	TEST(characters_out_of_order);
	TEST(characters_whole_words);
	TEST(characters_unknown);
	real();
	return test_end();
}
