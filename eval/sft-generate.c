/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "generate.h"

static const char synopsis[] = "sft-generate -m MODEL [-a ADAPTER] [options] [FILE...]";
static const char about[] = "Answer chat records with a language model, or choose among given answers.";

static struct generate_opts o;

static const struct opt options[] = {
	OPT_HEAD("Answers"),
	OPT_INT(0, "max-tokens", &o.max_tokens, "N", "longest answer, in tokens [256]", 1, 1 << 24),
	OPT_REAL(0, "temperature", &o.sample.temperature, "X", "0: always the likeliest token [0]", 0, 1e3),
	OPT_REAL(0, "top-p", &o.sample.top_p, "X", "draw from the likeliest tokens with probability X together [1]", 0, 1),
	OPT_INT(0, "top-k", &o.sample.top_k, "N", "draw from the N likeliest tokens, 0: all [0]", 0, 1 << 30),
	OPT_REAL(0, "min-p", &o.sample.min_p, "X", "draw from tokens at least X times as likely as the likeliest [0]", 0, 1),
	OPT_REAL(0, "repeat-penalty", &o.sample.repeat_penalty, "X", "make tokens seen before less likely [1]", 1e-3, 1e3),
	OPT_LIST(0, "stop", &o.stop, "TEXT", "end an answer before TEXT (repeatable)"),
	OPT_FLAG(0, "no-stop", &o.no_stop, "nothing but --max-tokens ends an answer"),
	OPT_INT(0, "logprobs", &o.logprobs, "N", "write each token's log-probability and N alternatives", 0, 1 << 20),
	OPT_FLAG(0, "ids", &o.ids, "write prediction_ids too"),
	OPT_STR(0, "chat-template", &o.template, "FILE|NAME", "chat template [the model's]"),
	OPT_HEAD("Choices"),
	OPT_STR(0, "choices", &o.choices, "@FILE|COL", "choose the likeliest of the lines of FILE, or of the list in column COL"),
	OPT_FLAG(0, "choices-best", &o.choices_best, "only the likeliest choice, no scores: faster, same choice"),
	OPT_CHOICE(0, "choice-norm", &o.norm, "none|tokens|bytes", "divide a choice's score by its length [none]"),
	OPT_END
};

/* --from knows token ids too. */
static void extend_from(struct opt *records)
{
	for (; records->kind != OPT_K_END; records++)
		if (records->name && strcmp(records->name, "from") == 0)
			records->arg = "auto|csv|tsv|jsonl|json|rec|text|ids";
}

int main(int argc, char **argv)
{
	static struct opt model[6], records[20];
	const struct opt *tables[] = { model, options, records, NULL };
	struct tool_env env;
	struct tool t;
	int rc;

	tool_env(&env);
	generate_opts_init(&o);
	loaded_options(&o.use, env.sft_model, true, model);
	rec_opts_table(&o.rec, records);
	extend_from(records);
	if ((rc = tool_begin(&t, "sft-generate", synopsis, about, tables, argc, argv)) != 0)
		return tool_end(&t, rc);
	o.from_ids = o.rec.from > REC_TEXT;
	rc = generate_run(&o, &t, (const char *const *)t.operands, (size_t)t.noperands, &t.e);
	return tool_end(&t, rc);
}
