/* SPDX-License-Identifier: Apache-2.0 */
/* Tokenizers written in the other form (GGUF metadata, and from these a folder) and read again: the same ids on every golden text, the same hash; and
 * what a form cannot say is refused. */
#include "test.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "json.h"
#include "mapfile.h"
#include "mem.h"
#include "tok.h"
#include "tokout.h"

enum { SPARE = 3 };            /* rows of the model without a token */

static bool is_there(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

static unsigned decoding;       /* of SentencePiece models without special tokens: its library never writes the names of control symbols */

static bool same(const struct tok *a, struct tok_scratch *sa, const struct tok *b, struct tok_scratch *sb, const char *s, size_t n, unsigned flags)
{
	struct tok_ids x = {0}, y = {0};
	struct buf p = {0}, q = {0};
	struct err e = {0};
	bool ok = tok_encode(a, sa, s, n, flags, &x, &e) == tok_encode(b, sb, s, n, flags, &y, &e) && x.n == y.n &&
	          (x.n == 0 || memcmp(x.id, y.id, x.n * sizeof *x.id) == 0);

	ok = ok && tok_decode(a, x.id, x.n, decoding, &p, &e) == 0 && tok_decode(b, y.id, y.n, decoding, &q, &e) == 0 && p.n == q.n && (p.n == 0 || memcmp(p.p, q.p, p.n) == 0);
	tok_ids_free(&x);
	tok_ids_free(&y);
	buf_free(&p);
	buf_free(&q);
	return ok;
}

/* How many of the texts of PATH, lines with "text", A and B cut differently; *N: of how many. */
static size_t different(const struct tok *a, const struct tok *b, const char *path, size_t *n)
{
	struct tok_scratch *sa = tok_scratch_new(a), *sb = tok_scratch_new(b);
	struct json_parser *parser = json_parser_new();
	struct err e = {0};
	struct mapfile m;
	struct arena arena;
	size_t bad = 0;

	arena_init(&arena);
	if (mapfile_open(&m, path, &e) != 0)
		return 1;
	for (const char *p = (const char *)m.p, *end = p + m.n, *nl; p < end; p = nl + 1) {
		const struct json *row, *text;

		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			nl = end;
		arena_reset(&arena);
		if (json_parse(parser, &arena, p, (size_t)(nl - p), &row, &e) != 0 || (text = json_get(row, "text")) == NULL)
			continue;
		++*n;
		bad += !same(a, sa, b, sb, text->s, text->n, 0) || !same(a, sa, b, sb, text->s, text->n, TOK_SPECIAL | TOK_ADD);
	}
	mapfile_close(&m);
	arena_release(&arena);
	json_parser_free(parser);
	tok_scratch_free(sa);
	tok_scratch_free(sb);
	return bad;
}

static int write_vocab(const struct tok *t, const char *path, struct err *e)
{
	struct gguf_meta m = {0};
	int rc;

	gguf_meta_str(&m, "general.architecture", "llama");
	if ((rc = tok_to_gguf(t, tok_vocab_size(t) + SPARE, &m, e)) == 0)
		rc = gguf_write(path, &m, NULL, 0, NULL, NULL, e);
	gguf_meta_free(&m);
	return rc;
}

static void check_forms(const char *name, const struct tok *t, const char *texts, struct err *e)
{
	struct tok *g = NULL, *f = NULL;
	size_t n = 0;

	if (write_vocab(t, "forms.gguf", e) != 0 || tok_open(&g, "forms.gguf", e) != 0 || out_mkdirs("forms", e) != 0 || tok_to_folder(g, "forms", e) != 0 ||
	    tok_open(&f, "forms", e) != 0) {
		printf("not ok tokforms_%s: %s\n", name, e->msg);
		test_bad = 1;
	} else {
		size_t in_gguf = different(t, g, texts, &n), in_folder = different(t, f, texts, &n);

		if (n == 0 || in_gguf || in_folder || tok_hash(g) != tok_hash(t) || tok_hash(f) != tok_hash(t) || tok_vocab_size(g) != tok_vocab_size(t) ||
		    tok_eos(f) != tok_eos(g) || tok_bos(f) != tok_bos(g)) {
			printf("not ok tokforms_%s: of %zu texts %zu differ as GGUF, %zu as folder; hashes %d %d\n", name, n / 2, in_gguf, in_folder,
			       tok_hash(g) == tok_hash(t), tok_hash(f) == tok_hash(t));
			test_bad = 1;
		} else {
			printf("ok tokforms_%s\n", name);
		}
	}
	tok_close(g);
	tok_close(f);
	remove("forms/tokenizer.json");
	remove("forms/tokenizer.model");
	remove("forms/tokenizer_config.json");
	remove("forms");
	remove("forms.gguf");
}

/* SAYS: it is refused, and why; NULL: it goes. */
static void check(const char *name, const char *file, const char *says)
{
	const char *roots[] = { getenv("DATA"), getenv("SHARED") };
	char path[500], texts[500];

	decoding = strncmp(name, "spm_", 4) == 0 ? TOK_SKIP_SPECIAL : 0;
	for (int i = 0; i < 2; i++)
		for (int k = 0; roots[i] && k < 2; k++) {
			struct err e = {0};
			struct tok *t;

			snprintf(path, sizeof path, "%s/tokenizers/%s%s", roots[i], name, file);
			snprintf(texts, sizeof texts, k ? "%s/golden/tokenizers/%s.jsonl" : "%s/tokenizers/golden/%s.jsonl", roots[k] ? roots[k] : ".", name);
			if (!is_there(path) || !is_there(texts))
				continue;
			if (tok_open(&t, path, &e) != 0) {
				printf("not ok tokforms_%s: %s\n", name, e.msg);
				test_bad = 1;
			} else if (says) {
				bool ok = write_vocab(t, "forms.gguf", &e) == SFT_BADDATA && strstr(e.msg, says);

				printf(ok ? "ok tokforms_%s\n" : "not ok tokforms_%s: %s\n", name, e.msg);
				test_bad |= !ok;
			} else {
				check_forms(name, t, texts, &e);
			}
			tok_close(t);
			return;
		}
	printf("skip tokforms_%s: no tokenizer or texts here\n", name);
}

int main(void)
{
	check("smollm2", "", NULL);
	check("qwen3", "", NULL);
	check("deepseek_v3", "", NULL);
	check("mistral_7b", "", NULL);
	check("spm_llama", "/spm_llama.model", NULL);
	check("spm_bpe", "/spm_bpe.model", "normalises characters");
	check("spm_unigram", "/spm_unigram.model", "is no BPE");
	check("mini_falcon_like", "", "the added token 'foo'");
	check("mini_bpe_suffix", "", "no name");
	check("mini_wordlevel", "", "no BPE");
	check("mini_unigram_precompiled", "", "no BPE");
	return test_end();
}
