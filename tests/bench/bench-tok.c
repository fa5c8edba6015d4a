/* SPDX-License-Identifier: Apache-2.0 */
/* How fast texts become ids: lines of text, one thread, a cold cache of words each time.  MB per CPU second, best of three.
 * usage: bench-tok [TEXT [MODEL...]]      default: files and tokenizers in $SHARED */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hash.h"
#include "json.h"
#include "tok.h"

static double cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool add_file(struct buf *b, const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t before = b->n;

	if (f == NULL)
		return false;
	for (size_t n; (n = fread(buf_room(b, 1 << 20), 1, 1 << 20, f)) > 0; )
		b->n += n;
	fclose(f);
	if (!json_utf8(b->p + before, b->n - before))
		b->n = before;
	return true;
}

/* Real text in English, Chinese and Cantonese, each file once: nothing that a cache has seen before. */
static void default_text(struct buf *b, const char *shared)
{
	static const char *const files[] = { "banking77/train.csv", "sft_formats/alpaca_zh_demo.json", "sft_formats/alpaca_en_demo.json",
	                                     "zh_finance_qa/consulting_part.json", "zh_finance_qa/computing_part.json",
	                                     "yue_dialogue/ctcpc_sentences.jsonl", "yue_dialogue/hkcancor_12_turns.csv",
	                                     "dialogue_banks/banks_turns.csv" };

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		char path[512];

		snprintf(path, sizeof path, "%s/data/%s", shared, files[i]);
		add_file(b, path);
	}
}

/* All lines, once; the CPU seconds. */
static double once(const struct tok *t, const struct buf *text, struct tok_ids *ids)
{
	struct tok_scratch *s = tok_scratch_new(t);
	double start = cpu();

	ids->n = 0;
	for (const char *p = text->p, *end = p + text->n; p < end; ) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((nl ? nl : end) - p);
		struct err e = {0};

		if (tok_encode(t, s, p, n, 0, ids, &e) != 0) {
			fprintf(stderr, "bench-tok: %s\n", e.msg);
			exit(1);
		}
		p += n + (nl != NULL);
	}
	start = cpu() - start;
	tok_scratch_free(s);
	return start;
}

static void bench(const char *model, const struct buf *text)
{
	struct tok_ids ids = {0};
	struct tok *t;
	double best = 1e9, open = cpu();

	if (tok_open(&t, model, NULL) != 0) {
		printf("%-44s not here\n", model);
		return;
	}
	open = cpu() - open;
	for (int k = 0; k < 3; k++) {
		double s = once(t, text, &ids);

		best = s < best ? s : best;
	}
	printf("%-44s %8.1f %10.3f %10zu  %016llx\n", model, (double)text->n / 1e6 / best, open, ids.n,
	       (unsigned long long)hash64(ids.id, ids.n * sizeof *ids.id, 0));
	tok_ids_free(&ids);
	tok_close(t);
}

int main(int argc, char **argv)
{
	static const char *const models[] = { "qwen3", "deepseek_v3", "smollm2", "mistral_7b", "spm_bpe/spm_bpe.model" };
	const char *shared = getenv("SHARED") ? getenv("SHARED") : "../shared";
	struct buf text = {0};

	if (argc > 1)
		add_file(&text, argv[1]);
	else
		default_text(&text, shared);
	if (text.n == 0) {
		printf("no text here\n");
		return 0;
	}
	printf("%.1f MB of text\n%-44s %8s %10s %10s  %s\n", (double)text.n / 1e6, "tokenizer", "MB/s", "open (s)", "ids", "hash of the ids");
	for (int i = 2; i < argc; i++)
		bench(argv[i], &text);
	for (size_t i = 0; argc < 3 && i < sizeof models / sizeof *models; i++) {
		char path[512];

		snprintf(path, sizeof path, "%s/tokenizers/%s", shared, models[i]);
		bench(path, &text);
	}
	buf_free(&text);
	return 0;
}
