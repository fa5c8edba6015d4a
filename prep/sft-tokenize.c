/* SPDX-License-Identifier: Apache-2.0 */
/* sft-tokenize: chat records in; a token shard, ids or text out. */
#include <string.h>
#include <unistd.h>

#include "outfile.h"
#include "tokenize.h"

static const char synopsis[] = "sft-tokenize -m MODEL -o FILE.shard [options] [FILE...]";
static const char about[] = "Turn chat records into token ids with a loss mask; or show, print or decode ids.";

enum { FROM_IDS = REC_TEXT + 1 };

static struct tokenize_opts o;
static struct rec_opts r;
static struct opt records[20];

static const struct opt options[] = {
	OPT_HEAD("Tokenizer"),
	OPT_STR('m', "model", &o.model, "MODEL", "folder, tokenizer.json, *.model or GGUF file [$SFT_MODEL]"),
	OPT_STR(0, "chat-template", &o.chat_template, "FILE|NAME", "chat template [the model's]"),
	OPT_HEAD("Shard"),
	OPT_INT(0, "max-len", &o.max_len, "N", "longest sequence, in tokens [the model's context]", 1, 1 << 28),
	OPT_CHOICE(0, "on-long", &o.on_long, "drop|truncate-left|truncate-right|stop", "what to do with a longer one [drop]"),
	OPT_CHOICE(0, "train-on", &o.train_on, "assistant|last|all", "whose words the loss counts [assistant]"),
	OPT_INT(0, "pack", &o.pack, "N", "plan rows of at most N tokens from whole sequences", 1, 1 << 24),
	OPT_CHOICE(0, "sort", &o.sort, "none|prefix", "sequences that begin alike follow each other [none]"),
	OPT_LIST(0, "terms", &o.terms, "DICT", "store which tokens would go on to a term's rivals"),
	OPT_FLAG(0, "if-changed", &o.if_changed, "do nothing where FILE.shard is what would come out"),
	OPT_HEAD("Instead of a shard"),
	OPT_FLAG(0, "show", &o.show, "print the tokens, the trained ones marked"),
	OPT_FLAG(0, "ids", &o.ids, "print a JSON array of ids for each record"),
	OPT_FLAG(0, "decode", &o.decode, "turn {\"ids\"} records into {\"text\"}"),
	OPT_FLAG(0, "parse-special", &o.parse_special, "names of special tokens in a text are special"),
	OPT_FLAG(0, "add-special", &o.add_special, "add what the tokenizer adds (BOS...)"),
	OPT_FLAG(0, "skip-special", &o.skip_special, "leave special tokens out of decoded text"),
	OPT_END
};

/* --from knows one format more here. */
static void records_table(void)
{
	rec_opts_init(&r);
	rec_opts_table(&r, records);
	for (struct opt *k = records; k->kind != OPT_K_END; k++)
		if (k->name && strcmp(k->name, "from") == 0)
			k->arg = "auto|csv|tsv|jsonl|json|rec|text|ids";
}

static int check(struct tool *t)
{
	if (o.show + o.ids + o.decode > 1)
		return err_set(&t->e, SFT_USAGE, "--show, --ids and --decode exclude each other");
	o.job = o.decode ? JOB_DECODE : o.ids ? JOB_IDS : o.show ? JOB_SHOW : JOB_SHARD;
	if ((o.parse_special || o.add_special) && !o.ids && !o.show)
		return err_set(&t->e, SFT_USAGE, "--%s is for --ids and --show", o.parse_special ? "parse-special" : "add-special");
	if (o.skip_special && !o.decode)
		return err_set(&t->e, SFT_USAGE, "--skip-special is for --decode");
	o.from_ids = r.from == FROM_IDS;
	if (o.terms.n && (o.from_ids || o.ids || o.decode))
		return err_set(&t->e, SFT_USAGE, "--terms is for a shard of chat records, and --show");
	if (o.from_ids)
		r.from = REC_AUTO;
	if (o.model == NULL)
		o.model = t->env.sft_model;
	if (o.job == JOB_SHARD && (r.output == NULL || strcmp(r.output, "-") == 0) && isatty(STDOUT_FILENO))
		return err_set(&t->e, SFT_USAGE, "a shard is binary and would go to the terminal (-o FILE.shard)");
	if ((o.sort || o.if_changed) && (o.job != JOB_SHARD || r.output == NULL || strcmp(r.output, "-") == 0))
		return err_set(&t->e, SFT_USAGE, "--%s is for a shard in a file (-o FILE.shard)", o.sort ? "sort" : "if-changed");
	o.color = tool_color(t, STDOUT_FILENO) && (r.output == NULL || strcmp(r.output, "-") == 0);
	return 0;
}

static void report(const struct tokenize *z, const struct tool *t, const char *path, const struct tokenize_totals *k)
{
	if (o.job != JOB_SHARD)
		return;
	if (k->unchanged) {
		tool_note(t, "%s: nothing has changed", path);
		return;
	}
	if (k->truncated)
		tool_warn(t, "%llu sequences were cut to %llu tokens", (unsigned long long)k->truncated, (unsigned long long)z->max_len);
	if (o.terms.n)
		tool_note(t, "%llu positions of terms have rivals", (unsigned long long)k->term_positions);
	tool_note(t, "%llu sequences, %llu tokens, %llu trained; the longest has %llu", (unsigned long long)k->sequences,
	          (unsigned long long)k->tokens, (unsigned long long)k->trained, (unsigned long long)k->longest);
}

static int each_file(const struct tokenize *z, struct tool *t)
{
	static const char *const endings[] = { "shard", "ids", "txt", "jsonl" };      /* by o.job */
	const char *const *files = (const char *const *)t->operands;
	size_t n = (size_t)t->noperands;
	struct tokenize_totals totals;
	char **paths;
	int rc = out_places(r.output, files, n, endings[o.job], &paths, &t->e);

	for (size_t i = 0; rc == 0 && i < n; i++)
		if ((rc = tokenize_files(z, &files[i], 1, paths[i], &r, t, &totals, &t->e)) == 0)
			report(z, t, paths[i], &totals);
	out_places_free(paths, n);
	return rc;
}

static int run(struct tool *t)
{
	struct tokenize_totals totals;
	struct tokenize z;
	int rc;

	if ((rc = check(t)) != 0)
		return rc;
	rc = tokenize_open(&z, &o, &t->e);
	if (rc == 0 && out_is_folder(r.output, (size_t)t->noperands))
		rc = each_file(&z, t);
	else if (rc == 0 && (rc = tokenize_files(&z, (const char *const *)t->operands, (size_t)t->noperands, r.output, &r, t, &totals, &t->e)) == 0)
		report(&z, t, r.output, &totals);
	tokenize_close(&z);
	return rc;
}

int main(int argc, char **argv)
{
	const struct opt *tables[] = { options, records, NULL };
	struct tool t;
	int rc;

	records_table();
	if ((rc = tool_begin(&t, "sft-tokenize", synopsis, about, tables, argc, argv)) == 0)
		rc = run(&t);
	return tool_end(&t, rc);
}
