/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "report.h"

static const char synopsis[] = "sft-report [options] [FILE|RUN...]";
static const char about[] = "Draw figures, training runs and predictions as one self-contained HTML page.";

/* Those options of records that say how to read: what is written is a page. */
static void reading_only(struct opt *table)
{
	static const char *const others[] = { "to", "union", "rejects", "stats" };
	struct opt *kept = table;

	for (; table->kind != OPT_K_END; table++) {
		bool keep = true;

		for (size_t k = 0; k < sizeof others / sizeof *others; k++)
			keep &= table->name == NULL || strcmp(table->name, others[k]) != 0;
		if (keep)
			*kept++ = *table;
	}
	*kept = *table;
}

int main(int argc, char **argv)
{
	struct report_opts o = { .examples = 30 };
	struct opt records[20];
	const struct opt own[] = {
		OPT_HEAD("Page"),
		OPT_STR(0, "title", &o.title, "TEXT", "heading of the page [Report]"),
		OPT_LIST(0, "name", &o.names, "TEXT",
			 "what the next FILE is called (repeatable, in the order of the files) [its name]"),
		OPT_FLAG(0, "date", &o.date, "say on which day the page was made"),
		OPT_FLAG(0, "stages", &o.stages, "the runs are stages of one, in their order: one curve"),
		OPT_STR(0, "log", &o.log, "FILE", "write the logs of the stages as one, as JSONL"),
		OPT_STR('m', "model", &o.model, "BASE", "model that runs and adapters began from [the one that each names]"),
		OPT_HEAD("Predictions"),
		OPT_INT(0, "examples", &o.examples, "N", "predictions that are shown [30]", 0, 10000),
		OPT_CHOICE(0, "diff", &o.diff, "words|chars",
			   "what is marked where an answer differs from its reference [words]"),
		OPT_STR(0, "id", &o.eval.id, "COL", "column that pairs the items of several files [id, where there is one]"),
		OPT_STR(0, "input", &o.input, "COL",
			"column that is shown as the question [the messages, else input, prompt, question, text]"),
		OPT_STR(0, "prediction", &o.eval.prediction, "COL", "column of the answers [prediction]"),
		OPT_STR(0, "reference", &o.eval.reference, "COL", "column of the references [reference]"),
		OPT_STR(0, "match", &o.eval.match, "RULE",
			"when an answer is right: exact, strip, normalized, contains or regex:PATTERN [strip]"),
		OPT_LIST(0, "metric", &o.metrics, "NAME,...",
			 "what predictions are scored by, where no metrics are given [accuracy]"),
		OPT_STR(0, "by", &o.by, "COL", "score them for each value of a column, too"),
		OPT_INT(0, "resamples", &o.eval.resamples, "N", "bootstrap resamples for their intervals [1000]", 10, 1000000),
		OPT_END
	};
	const struct opt *tables[] = { own, records, NULL };
	struct tool t;
	int rc;

	eval_opts_init(&o.eval);
	rec_opts_table(&o.eval.rec, records);
	reading_only(records);
	rc = tool_begin(&t, "sft-report", synopsis, about, tables, argc, argv);
	if (rc == 0)
		rc = report_run(&o, &t, (const char *const *)t.operands, (size_t)t.noperands);
	eval_opts_release(&o.eval);
	return tool_end(&t, rc);
}
