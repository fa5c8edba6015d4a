/* SPDX-License-Identifier: Apache-2.0 */
/* sft-describe: what is in records, chat records and shards, and what would ruin a run. */
#include "describe.h"
#include "outfile.h"

static const char synopsis[] = "sft-describe [options] [FILE...]";
static const char about[] = "Say what is in the data: lengths, languages, labels, duplicates, overlap of splits; and warn of what ruins runs.";

enum { MEMORY_LEAST = 16 << 20 };

static struct describe_opts o = { .slice = "slice", .source = "source", .min_label = 10, .memory = 1 << 30, .threshold = 0.8 };

static const struct opt options[] = {
	OPT_HEAD("Data"),
	OPT_STR(0, "columns", &o.columns, "COL,...|all", "where the text is [all but those named below, and id]"),
	OPT_STR(0, "label", &o.label, "COL", "count these values as classes"),
	OPT_STR(0, "answer", &o.answer, "COL", "what is to be learnt [the last answer of messages]"),
	OPT_STR(0, "slice", &o.slice, "COL", "count these values, where they are [slice]"),
	OPT_STR(0, "source", &o.source, "COL", "the same [source]"),
	OPT_LIST(0, "terms", &o.terms, "DICT", "how much of this dictionary the texts cover (repeatable)"),
	OPT_LIST(0, "dialect", &o.dialect, "DICT", "in how many records its variants stand (repeatable)"),
	OPT_HEAD("Tokens"),
	OPT_STR('m', "model", &o.model, "MODEL", "folder, tokenizer.json, *.model or GGUF file: count tokens"),
	OPT_STR(0, "chat-template", &o.chat_template, "FILE|NAME", "for chat records [the model's]"),
	OPT_INT(0, "max-len", &o.max_len, "N", "count records of more tokens [the model's context]", 1, 1 << 28),
	OPT_HEAD("Duplicates"),
	OPT_REAL(0, "threshold", &o.threshold, "J", "least Jaccard similarity of near-duplicates [0.8]", 0.05, 1),
	OPT_FLAG(0, "no-near", &o.no_near, "look for equal texts only"),
	OPT_SIZE(0, "memory", &o.memory, "SIZE", "what takes more goes to files in $TMPDIR [1G]"),
	OPT_HEAD("Output"),
	OPT_FLAG(0, "json", &o.json, "one JSON object instead of tables"),
	OPT_INT(0, "min-label", &o.min_label, "N", "warn of labels with fewer records [10]", 0, 1 << 30),
	OPT_FLAG(0, "strict", &o.strict, "exit 1 if there is a warning"),
	OPT_END
};

static void stats(struct jw *w, void *ctx)
{
	const struct describe *d = ctx;
	uint64_t records = 0;

	for (unsigned k = 0; k < d->nparts; k++)
		records += d->part[k].records;
	jw_key(w, "records");
	jw_uint(w, records);
	jw_key(w, "warnings");
	jw_uint(w, d->nwarnings);
}

static int describe(struct describe *d, const struct rec_opts *r, struct tool *t)
{
	struct buf out = {0};
	int rc;

	if ((rc = describe_run(d, &o, r, t, (const char *const *)t->operands, (size_t)t->noperands)) != 0 ||
	    (rc = rec_stats(NULL, NULL, r, t, stats, d, &t->e)) != 0)
		return rc;
	(o.json ? describe_json : describe_table)(d, &out);
	rc = out_whole(r->output, out.p, out.n, false, &t->e);
	buf_free(&out);
	if (rc == 0 && o.strict && d->nwarnings)
		rc = err_set(&t->e, SFT_GATE, "%zu warnings (--strict)", d->nwarnings);
	return rc;
}

int main(int argc, char **argv)
{
	static struct opt records[20];
	static struct rec_opts r;
	static struct describe d;
	const struct opt *tables[] = { options, records, NULL };
	struct tool t;
	int rc;

	rec_opts_init(&r);
	rec_opts_table(&r, records);
	if ((rc = tool_begin(&t, "sft-describe", synopsis, about, tables, argc, argv)) == 0 && o.memory < MEMORY_LEAST) {
		rc = err_set(&t.e, SFT_USAGE, "--memory %llu (expected 16M at least)", (unsigned long long)o.memory);
	} else if (rc == 0) {
		rc = describe(&d, &r, &t);
		describe_release(&d);
	}
	return tool_end(&t, rc);
}
