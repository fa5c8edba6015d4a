/* SPDX-License-Identifier: Apache-2.0 */
/* sft-shard: look at, print and check shards; make new ones of them. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shardmix.h"
#include "shardtool.h"

static struct {
	bool json;
	const char *model, *output;
	int64_t n, pack;
} o = { .n = -1, .pack = -1 };

static const struct opt info_options[] = {
	OPT_HEAD("Info"),
	OPT_FLAG(0, "json", &o.json, "one JSON object a shard"),
	OPT_END
};

static const struct opt cat_options[] = {
	OPT_HEAD("Cat"),
	OPT_STR('m', "model", &o.model, "MODEL", "print the text that this model's tokenizer makes of the ids"),
	OPT_STR('o', "output", &o.output, "FILE", "write FILE, whole or not at all [standard output]"),
	OPT_END
};

#define OPT_PACK OPT_INT(0, "pack", &o.pack, "N", "plan rows of at most N tokens, 0: no plan [that of the inputs]", 0, 1 << 24)
#define OPT_SHARD OPT_STR('o', "output", &o.output, "FILE", "write FILE, whole or not at all [standard output]")

static const struct opt mix_options[] = {
	OPT_HEAD("New shard"),
	OPT_PACK,
	OPT_SHARD,
	OPT_END
};

static const struct opt sample_options[] = {
	OPT_HEAD("New shard"),
	OPT_INT('n', "count", &o.n, "N", "how many sequences", 0, UINT32_MAX),
	OPT_PACK,
	OPT_SHARD,
	OPT_END
};

static const struct opt no_options[] = { OPT_END };

static int need_files(struct tool *t)
{
	return t->noperands ? 0 : err_set(&t->e, SFT_USAGE, "no shard named (expected FILE...)");
}

static int info(struct tool *t)
{
	struct buf out = {0};
	int rc = need_files(t);

	for (int i = 0; rc == 0 && i < t->noperands; i++) {
		if (i && !o.json)
			buf_ch(&out, '\n');
		rc = shardtool_info(t->operands[i], o.json, &out, &t->e);
	}
	if (rc == 0)
		fwrite(out.p, 1, out.n, stdout);
	buf_free(&out);
	return rc;
}

/* Record shards (`rec`) as the text that they came from. */
static int cat_records(struct tool *t)
{
	struct recin *in = NULL;
	struct recout *out = NULL;
	struct rec_opts r;
	struct rec *rec;
	int rc;

	rec_opts_init(&r);
	r.output = o.output;
	if ((rc = rec_open(&in, (const char *const *)t->operands, (size_t)t->noperands, &r, t, &t->e)) != 0)
		return rc;
	r.to = rec_format(in);
	if ((rc = rec_create(&out, NULL, rec_format(in), &r, t, &t->e)) == 0) {
		while ((rc = rec_read(in, &rec, &t->e)) == 0 && rec)
			if ((rc = rec_write(out, rec, &t->e)) != 0)
				break;
		if (rc == 0)
			rc = rec_header(out, rec_names(in), &t->e);
		if (rc == 0)
			rc = rec_finish(out, &t->e);
		else
			rec_drop(out);
	}
	if (rc == 0)
		return rec_close(in, &t->e);
	rec_abandon(in);
	return rc;
}

static int cat_shards(struct tool *t)
{
	struct outfile *out = NULL;
	struct tok *tok = NULL;
	int rc = 0;

	if (o.model && (rc = tok_open(&tok, o.model, &t->e)) != 0)
		return rc;
	if ((rc = out_open(&out, o.output, &t->e)) == 0) {
		for (int i = 0; rc == 0 && i < t->noperands; i++)
			rc = shardtool_cat(t->operands[i], tok, out, &t->e);
		if (rc == 0)
			rc = out_close(out, false, &t->e);
		else
			out_abandon(out);
	}
	tok_close(tok);
	return rc;
}

static int cat(struct tool *t)
{
	bool shards = t->noperands > 0 && shard_is(t->operands[0]);
	int rc = need_files(t);

	if (rc)
		return rc;
	for (int i = 1; i < t->noperands; i++)
		if (shard_is(t->operands[i]) != shards)
			return err_set(&t->e, SFT_USAGE, "%s: token shards and records do not go together", t->operands[i]);
	if (!shards && o.model)
		return err_set(&t->e, SFT_USAGE, "-m is for token shards, and %s is none", t->operands[0]);
	return shards ? cat_shards(t) : cat_records(t);
}

/* All files are looked at; the first one that is damaged decides the status. */
static int verify(struct tool *t)
{
	int rc = need_files(t), first = 0;

	for (int i = 0; rc == 0 && i < t->noperands; i++) {
		uint64_t n = 0;
		struct err e = {0};
		int one = shardtool_verify(t->operands[i], &n, &e);

		if (one == 0) {
			printf("%s: whole, %llu sequences\n", t->operands[i], (unsigned long long)n);
			continue;
		}
		if (first == 0)
			t->e = e;
		else
			tool_warn(t, "%s", e.msg);
		first = first ? first : one;
	}
	return rc ? rc : first;
}

static int mix(struct tool *t, enum shardmix_job job)
{
	struct shardmix_opts m = { .job = job, .n = (uint64_t)o.n, .seed = (uint64_t)t->seed, .pack = o.pack, .output = o.output };
	struct shardmix_totals totals;
	int rc = need_files(t);

	if (rc)
		return rc;
	if (job == SHARDMIX_SAMPLE && o.n < 0)
		return err_set(&t->e, SFT_USAGE, "-n N is needed (how many sequences)");
	if ((o.output == NULL || strcmp(o.output, "-") == 0) && isatty(STDOUT_FILENO))
		return err_set(&t->e, SFT_USAGE, "a shard is binary and would go to the terminal (-o FILE.shard)");
	if ((rc = shardmix(&m, (const char *const *)t->operands, (size_t)t->noperands, t, &totals, &t->e)) == 0)
		tool_note(t, "%llu sequences, %llu tokens", (unsigned long long)totals.sequences, (unsigned long long)totals.tokens);
	return rc;
}

static int merge(struct tool *t) { return mix(t, SHARDMIX_MERGE); }
static int shuffle(struct tool *t) { return mix(t, SHARDMIX_SHUFFLE); }
static int sample(struct tool *t) { return mix(t, SHARDMIX_SAMPLE); }

static const struct command {
	const char *name, *synopsis, *about;
	const struct opt *options;
	int (*run)(struct tool *t);
} commands[] = {
	{ "info", "sft-shard info [--json] FILE...", "Print what is in token shards and how they were made.", info_options, info },
	{ "cat", "sft-shard cat [-m MODEL] [-o FILE] FILE...", "Print token shards as JSON lines, or record shards (rec) as text.", cat_options, cat },
	{ "verify", "sft-shard verify FILE...", "Check every byte of token shards; exit status 1 where one is damaged.", no_options, verify },
	{ "merge", "sft-shard merge [--pack N] -o FILE.shard FILE...", "Put token shards one after the other into one.", mix_options, merge },
	{ "shuffle", "sft-shard shuffle [--seed N] [--pack N] -o FILE.shard FILE...", "Put the sequences of token shards into random order.", mix_options, shuffle },
	{ "sample", "sft-shard sample -n N [--seed N] [--pack N] -o FILE.shard FILE...", "Draw some sequences of token shards at random, in their order.", sample_options, sample },
};

static const char synopsis[] = "sft-shard info|cat|verify|merge|shuffle|sample [options] FILE...";
static const char about[] = "Look at shards and make new ones of them; sft-shard COMMAND -h shows the options of each command.";

static int no_command(struct tool *t, int argc, char **argv)
{
	const char *names[sizeof commands / sizeof *commands], *near;
	const struct opt *tables[] = { NULL };
	int rc;

	if ((rc = tool_begin(t, "sft-shard", synopsis, about, tables, argc, argv)) != 0)
		return rc;
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		names[i] = commands[i].name;
	if (t->noperands == 0)
		return err_set(&t->e, SFT_USAGE, "no command (expected info, cat, verify, merge, shuffle or sample)");
	near = opt_nearest(t->operands[0], names, sizeof names / sizeof *names);
	if (near)
		return err_set(&t->e, SFT_USAGE, "no command '%s' (did you mean '%s'?)", t->operands[0], near);
	return err_set(&t->e, SFT_USAGE, "no command '%s' (expected info, cat, verify, merge, shuffle or sample)", t->operands[0]);
}

int main(int argc, char **argv)
{
	struct tool t;
	int rc;

	for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++) {
		const struct command *c = &commands[i];
		const struct opt *tables[] = { c->options, NULL };

		if (strcmp(argv[1], c->name) != 0)
			continue;
		if ((rc = tool_begin(&t, "sft-shard", c->synopsis, c->about, tables, argc - 1, argv + 1)) == 0)
			rc = c->run(&t);
		return tool_end(&t, rc);
	}
	return tool_end(&t, no_command(&t, argc, argv));
}
