/* SPDX-License-Identifier: Apache-2.0 */
/* What the names of pre-tokenizers in GGUF files (tokenizer.ggml.pre) stand for.  The patterns are those of the models' own
 * tokenizer.json; that a text is cut by one after the other, that some take whole words from the vocabulary before they merge, and what
 * `default` means are llama.cpp's rules (src/llama-vocab.cpp). */
#include <string.h>

#include "hfjson.h"

#define CONTRACTED "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define WORDS(letters, others, numbers) "[^\\r\\n\\p{L}\\p{N}]?" letters "+|" numbers "| ?[^\\s" others "\\p{N}]+[\\r\\n]*"
#define BLANKS "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define CL100K(numbers) CONTRACTED "|" WORDS("\\p{L}", "\\p{L}", numbers) BLANKS
#define GPT2 "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
#define UPPER "\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}"
#define LOWER "\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}"
#define CASED(end, numbers) "[^\\r\\n\\p{L}\\p{N}]?[" UPPER "]*[" LOWER "]+" end "|[^\\r\\n\\p{L}\\p{N}]?[" UPPER "]+[" LOWER "]*" end "|" numbers \
	"| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*" BLANKS
#define BLOOM " ?[^(\\s|.,!?\xE2\x80\xA6\xE3\x80\x82\xEF\xBC\x8C\xE3\x80\x81\xE0\xA5\xA4\xDB\x94\xD8\x8C)]+"
#define CJK "[\xE4\xB8\x80-\xE9\xBE\xA5\xE0\xA0\x80-\xE4\xB8\x80\xEA\xB0\x80-\xED\x9F\xBF]+"

enum { WHOLE = 1, BOS = 2 };           /* ignore_merges; a BOS token unless the file says no */

/* NAMES is a list with blanks around each; "digits" cuts numbers one by one. */
static const struct {
	const char *names;
	unsigned flags;
	const char *step[5];
} pres[] = {
	{ " default ", 0, { "[\\p{P}\\$\\+<=>\\^~\\|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]" } },
	{ " gpt-2 gpt2 mpt olmo jais jina-es jina-de jina-v1-en jina-v2-es jina-v2-de jina-v2-en jina-v2-code phi-2 roberta-bpe gigachat a.x-4.0 mellum "
	  "modern-bert exaone4 trillion granite-docling ", 0, { GPT2 } },
	{ " smollm starcoder refact command-r codeshell exaone minerva-7b mellum2 ", 0, { "digits", GPT2 } },
	{ " llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano ", WHOLE | BOS, { CL100K("\\p{N}{1,3}") } },
	{ " dbrx smaug-bpe chatglm-bpe glm4 ", 0, { CL100K("\\p{N}{1,3}") } },
	{ " qwen2 stablelm2 deepseek-r1-qwen megrez kormo f2llmv2 hunyuan solar-open grok-2 ", 0, { CL100K("\\p{N}") } },
	{ " qwen35 ", 0, { CONTRACTED "|" WORDS("[\\p{L}\\p{M}]", "\\p{L}\\p{M}", "\\p{N}") BLANKS } },
	{ " gpt-4o llama4 kanana2 talkie minimax-m2 ", 0, { CASED(CONTRACTED "?", "\\p{N}{1,3}") } },
	{ " tekken ", WHOLE | BOS, { CASED("", "\\p{N}") } },
	{ " deepseek-v3 hunyuan-dense joyai-llm ", 0, { "\\p{N}{1,3}",
	  "[\xE4\xB8\x80-\xE9\xBE\xA5\xE3\x81\x80-\xE3\x82\x9F\xE3\x82\xA0-\xE3\x83\xBF]+",
	  "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|"
	  "\\s*[\r\n]+|\\s+(?!\\S)|\\s+" } },
	{ " deepseek-coder ", 0, { "[\r\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", CJK, "digits" } },
	{ " falcon ", 0, { "[\\p{P}\\$\\+<=>\\^~\\|`]+", GPT2, "[0-9][0-9][0-9]" } },
	{ " poro-chat bloom gpt3-finnish ", 0, { BLOOM } },
	{ " viking ", 0, { BLOOM, "digits" } },
};

static bool named(const char *names, const char *name, size_t n)
{
	for (const char *p = names; (p = memmem(p, strlen(p), name, n)) != NULL; p++)
		if (p[-1] == ' ' && p[n] == ' ')
			return true;
	return false;
}

/* Steps of two pre-tokenizers that do the same. */
static bool same_step(const struct pre *a, const struct pre *b)
{
	if (a->kind != b->kind || a->is != b->is || a->behavior != b->behavior || a->invert != b->invert || a->digits != b->digits || a->ntext != b->ntext)
		return false;
	if (a->kind != PRE_SPLIT)
		return a->kind == PRE_BYTES;
	return a->is || (a->scan && a->scan == b->scan) || (a->regex && b->regex && strcmp(a->regex, b->regex) == 0);
}

static bool same_steps(const struct tok *a, const struct tok *b)
{
	size_t i = 0;

	if (a->npre != b->npre || a->ignore_merges != b->ignore_merges)
		return false;
	while (i < a->npre && same_step(&a->pre[i], &b->pre[i]))
		i++;
	return i == a->npre;
}

const char *gguf_pre_name(const struct tok *t)
{
	static const char *const said[] = { "default", "gpt-2", "smollm", "llama-bpe", "dbrx", "qwen2", "qwen35", "gpt-4o", "tekken", "deepseek-v3", "deepseek-coder",
	                                    "falcon", "bloom", "viking" };

	for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
		struct tok other = {0};
		bool same;

		arena_init(&other.arena);
		same = gguf_pre(&other, said[i], strlen(said[i]), NULL) == 0 && same_steps(t, &other);
		for (size_t k = 0; k < other.npre; k++)
			pattern_free(other.pre[k].pattern);
		mem_free(other.pre);
		arena_release(&other.arena);
		if (same)
			return said[i];
	}
	return NULL;
}

int gguf_pre(struct tok *t, const char *name, size_t n, struct err *e)
{
	size_t i = 0;
	int rc = 0;

	while (i < sizeof pres / sizeof *pres && (n == 0 || memchr(name, ' ', n) || !named(pres[i].names, name, n)))
		i++;
	if (i == sizeof pres / sizeof *pres)
		return err_set(e, SFT_BADDATA, "tokenizer.ggml.pre: unknown pre-tokenizer '%.*s' (known: gpt-2, smollm, llama-bpe, qwen2, gpt-4o, tekken, "
		               "deepseek-v3, falcon and their like)", (int)(n < 60 ? n : 60), name);
	t->ignore_merges = pres[i].flags & WHOLE;
	t->adds_bos = pres[i].flags & BOS;
	for (int k = 0; rc == 0 && k < 5 && pres[i].step[k]; k++) {
		if (strcmp(pres[i].step[k], "digits") == 0)
			hf_pre_digits(t);
		else
			rc = hf_pre_regex(t, pres[i].step[k], strlen(pres[i].step[k]), e);
	}
	hf_pre_join(t);
	hf_pre_bytes(t);
	return rc;
}
