/* SPDX-License-Identifier: Apache-2.0 */
#include "runnew.h"

#include <string.h>

#include "rec.h"
#include "tally.h"
#include "utf8.h"

enum { LOOK = 2000, CLASSES = 200 };

struct column {
	const char *name;
	struct tally values;
	uint64_t chars;
};

struct table {
	struct column *col;
	uint32_t n;
	uint64_t records;
	uint32_t input, output;
	bool classes;                  /* the output is one of few values */
};

static int look(struct table *t, const char *path, const struct tool *tool, struct err *e)
{
	struct rec_opts o;
	struct recin *in;
	struct rec *r;
	int rc;

	rec_opts_init(&o);
	if ((rc = rec_open(&in, &path, 1, &o, tool, e)) != 0)
		return rc;
	while (t->records < LOOK && (rc = rec_read(in, &r, e)) == 0 && r) {
		if (t->records == 0) {
			t->n = r->names->n;
			t->col = mem_new((t->n + 1) * sizeof *t->col);
			for (uint32_t i = 0; i < t->n; i++)
				t->col[i].name = mem_str(r->names->name[i]);
		}
		for (uint32_t i = 0; i < t->n && i < r->names->n; i++) {
			tally_add(&t->col[i].values, r->f[i].p, r->f[i].n);
			t->col[i].chars += utf8_count(r->f[i].p, r->f[i].n);
		}
		t->records++;
	}
	rec_abandon(in);
	return rc;
}

/* The column that is longest, of those whose values seldom repeat; it is asked. */
static uint32_t longest(const struct table *t, uint32_t but)
{
	uint32_t best = t->n;

	for (uint32_t i = 0; i < t->n; i++)
		if (i != but && (best == t->n || t->col[i].chars > t->col[best].chars))
			best = i;
	return best;
}

/* A column of few values that come again: classes.  The fewest but more than one; t->n where there is none. */
static uint32_t class_column(const struct table *t)
{
	uint32_t best = t->n;

	for (uint32_t i = 0; i < t->n; i++) {
		size_t n = t->col[i].values.map.n;

		if (n > 1 && n <= CLASSES && 2 * n <= t->records && (best == t->n || n < t->col[best].values.map.n))
			best = i;
	}
	return best;
}

static void choose(struct table *t)
{
	t->output = class_column(t);
	t->classes = t->output < t->n;
	t->input = longest(t, t->output);
	if (!t->classes) {
		/* of the two longest the one that stands first is asked */
		uint32_t other = longest(t, t->input);

		t->output = other > t->input ? other : t->input;
		t->input = other > t->input ? t->input : other;
	}
}

/* TEXT as a YAML scalar that means just that. */
static void scalar(struct buf *out, const char *text)
{
	json_quote(out, text, strlen(text));   /* a JSON string is a double-quoted scalar */
}

static void line(struct buf *out, const char *key, const char *text, const char *comment)
{
	buf_str(out, key);
	scalar(out, text);
	buf_fmt(out, "%s\n", comment);
}

static void write_data(const struct table *t, const char *path, struct buf *out)
{
	const char *in = t->col[t->input].name, *answer = t->col[t->output].name;

	buf_str(out, "\ndata:                     # one or more sources; weight says how often an epoch takes each\n  main:\n");
	line(out, "    file: ", path, "");
	buf_str(out, "    weight: 1\n    steps:                # any tool for records, with any of its long options, in order\n      - clean:\n");
	buf_str(out, "          drop-null: [");
	scalar(out, in);
	buf_str(out, ", ");
	scalar(out, answer);
	buf_str(out, "]\n          squeeze-space: true\n");
	line(out, "      - dedup:\n          near: ", in, "            # exact and near-duplicates of what is asked");
	buf_str(out, "      - split:\n          val: 0.1\n          test: 0.1\n");
	if (t->classes)
		line(out, "          stratify: ", answer, "");
	buf_str(out, "      - describe:         # warns of what usually ruins a run; drawn in the report\n");
	line(out, "          columns: ", in, "");
	if (t->classes)
		line(out, "          label: ", answer, "");
	buf_str(out, "      - prompt:\n");
	buf_fmt(out, "          task: \"%s\"   # or \"@task.txt\"\n", t->classes ? "Name the class of the text." : "Answer the question.");
	line(out, "          input: ", in, "");
	line(out, "          output: ", answer, "");
	if (t->classes)
		line(out, "          slice: ", answer, "");
}

static void write_training(struct buf *out)
{
	buf_str(out, "\ntrain:                    # for all stages; sft train -h lists the options\n"
	             "  method: lora\n  rank: 8\n  alpha: 16\n  lr: 2e-4\n  batch: 8\n  accumulate: 2\n"
	             "\nstages:                   # in order, each from the best of the one before (or from: NAME, from: model)\n"
	             "  tune:\n    data: [main]          # or {main: 2, other: 1}; without it all sources\n"
	             "    train:\n      epochs: 3\n      patience: 3\n"
	             "# more:                   # other ranks or another method: the stage before is folded into the model first\n"
	             "#   train: {rank: 16, lr: 1e-4, epochs: 1}\n");
}

static void write_measurement(const struct table *t, struct buf *out)
{
	buf_str(out, "\nbaseline: true            # measure the model as it is, too\n\ngenerate:\n");
	buf_fmt(out, "  max-tokens: %d\n", t->classes ? 32 : 256);
	buf_fmt(out, "\neval:\n  metrics: [%s]\n", t->classes ? "accuracy" : "rouge, chrf, bleu");
	if (t->classes)
		buf_str(out, "  by: slice\n");
	buf_str(out, "\nreport:\n  title: \"First run\"\n");
}

int runnew_write(const char *path, const char *model, const struct tool *tool, struct buf *out, struct err *e)
{
	struct table t = {0};
	int rc = look(&t, path, tool, e);

	if (rc == 0 && (t.n < 2 || t.records < 2))
		rc = err_set(e, SFT_BADDATA, "%s: %llu records of %u columns (expected at least two of two: what is asked, what is answered)", path,
		             (unsigned long long)t.records, t.n);
	if (rc == 0) {
		choose(&t);
		buf_str(out, "# A recipe of sft run: man 5 sft-recipe.  sft run --dry-run prints the commands that it stands for.\n");
		line(out, "model: ", model, "");
		buf_str(out, "seed: 0\n");
		write_data(&t, path, out);
		buf_str(out, "\ntokenize: {}              # options of sft tokenize: max-len, on-long, pack...\n");
		write_training(out);
		write_measurement(&t, out);
	}
	for (uint32_t i = 0; i < t.n; i++) {
		tally_free(&t.col[i].values);
		mem_free((void *)t.col[i].name);
	}
	mem_free(t.col);
	return rc;
}
