/* SPDX-License-Identifier: Apache-2.0 */
/* sft eval changes [-m BASE] RUN|ADAPTER|MODEL */
#include "changesout.h"
#include "evaltools.h"
#include "outfile.h"
#include "tool.h"

static const char synopsis[] = "sft-eval changes [-m BASE] [options] RUN|ADAPTER|MODEL";
static const char about[] = "Show what training has changed: the norm of the update by layer, matrix and attention head.";

struct settings {
	const char *model, *output;
	bool json, csv;
};

static int show(const struct settings *s, struct tool *t)
{
	struct pool *pool;
	struct changes c;
	struct buf out = { 0 };
	int rc;

	if (t->noperands != 2)
		return err_set(&t->e, SFT_USAGE, "changes: expected one run, adapter or model (%d given)", t->noperands - 1);
	if (s->json && s->csv)
		return err_set(&t->e, SFT_USAGE, "--json and --csv: one of them");
	pool = pool_open((int)t->threads);
	if ((rc = changes_measure(&c, t->operands[1], s->model, pool, &t->e)) == 0) {
		(s->json ? changes_json : s->csv ? changes_csv : changes_text)(&c, &out);
		rc = out_whole(s->output ? s->output : "-", out.p, out.n, false, &t->e);
		changes_free(&c);
	}
	pool_close(pool);
	buf_free(&out);
	return rc;
}

int changes_main(int argc, char **argv)
{
	struct settings s = { .json = false };
	const struct opt options[] = {
		OPT_STR('m', "model", &s.model, "BASE", "model that training began from [the one that the run or adapter names]"),
		OPT_FLAG(0, "json", &s.json, "one JSON object instead of a table"),
		OPT_FLAG(0, "csv", &s.csv, "CSV instead of a table: a line a matrix, and a head"),
		OPT_STR('o', "output", &s.output, "FILE", "write FILE, whole or not at all [standard output]"),
		OPT_END
	};
	const struct opt *tables[] = { options, NULL };
	struct tool t;
	int rc = tool_begin(&t, "sft-eval", synopsis, about, tables, argc, argv);

	if (rc == 0)
		rc = show(&s, &t);
	return tool_end(&t, rc);
}
