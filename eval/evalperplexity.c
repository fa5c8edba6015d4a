/* SPDX-License-Identifier: Apache-2.0 */
/* sft eval perplexity -m MODEL [-a ADAPTER] FILE... */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "chat.h"
#include "evaltools.h"
#include "outfile.h"
#include "perplexity.h"

static const char synopsis[] = "sft-eval perplexity -m MODEL [-a ADAPTER] [options] [FILE...]";
static const char about[] = "Perplexity of a model on chat records, lines of text or token ids.";

enum { FROM_IDS = REC_TEXT + 1 };

static void show(const struct perplexity_opts *o, const struct loaded_opts *use, const struct perplexity *p, bool json, struct buf *out)
{
	static const char *const counts[] = { "assistant", "last", "all" };
	double nll = p->sum / (double)p->tokens;
	struct jw w;

	if (!json) {
		buf_fmt(out, "perplexity  %.4f\nmean_nll    %.6f\ntokens      %llu\nsequences   %llu\n", exp(nll), nll,
		        (unsigned long long)p->tokens, (unsigned long long)p->n);
		return;
	}
	jw_init(&w, out);
	jw_obj(&w);
	jw_key(&w, "schema");      jw_str(&w, "sft.eval/1");
	jw_key(&w, "version");     jw_str(&w, SFT_VERSION);
	jw_key(&w, "n");           jw_uint(&w, p->n);
	jw_key(&w, "metrics");     jw_obj(&w);
	jw_key(&w, "perplexity");  jw_obj(&w);
	jw_key(&w, "perplexity");  jw_double(&w, exp(nll));
	jw_key(&w, "mean_nll");    jw_double(&w, nll);
	jw_key(&w, "tokens");      jw_uint(&w, p->tokens);
	jw_obj_end(&w);
	jw_obj_end(&w);
	jw_key(&w, "signature");   jw_obj(&w);
	jw_key(&w, "perplexity");  jw_obj(&w);
	jw_key(&w, "model");       jw_str(&w, use->model);
	jw_key(&w, "adapter");
	if (use->adapter)
		jw_str(&w, use->adapter);
	else
		jw_null(&w);
	jw_key(&w, "counts");      jw_str(&w, o->from_ids ? "mask" : o->from_text ? "all" : counts[o->train]);
	jw_obj_end(&w);
	jw_obj_end(&w);
	jw_obj_end(&w);
	buf_ch(out, '\n');
}

static int measure(struct perplexity_opts *o, bool json, struct tool *t)
{
	struct perplexity p;
	struct buf text = {0};
	const char *path = o->rec.output;
	int rc;

	o->from_ids = o->rec.from == FROM_IDS;
	o->from_text = o->rec.from == REC_TEXT;
	if (o->use.model == NULL)
		o->use.model = t->env.sft_model;
	if ((rc = perplexity_run(o, t, (const char *const *)t->operands + 1, (size_t)t->noperands - 1, &p, &t->e)) != 0)
		return rc;
	show(o, &o->use, &p, json, &text);
	rc = out_whole(path ? path : "-", text.p, text.n, false, &t->e);
	buf_free(&text);
	return rc;
}

int perplexity_main(int argc, char **argv)
{
	struct perplexity_opts o = {0};
	bool json = false;
	struct opt model[6], records[20];
	const struct opt options[] = {
		OPT_HEAD("Perplexity"),
		OPT_STR(0, "token-logprobs", &o.logprobs, "FILE", "write each token's log-probability, a JSON array a sequence"),
		OPT_CHOICE(0, "train-on", &o.train, "assistant|last|all", "which tokens of a chat count [assistant]"),
		OPT_STR(0, "chat-template", &o.template, "FILE|NAME", "chat template [the model's]"),
		OPT_FLAG(0, "json", &json, "one JSON object in place of lines"),
		OPT_END
	};
	const struct opt *tables[] = { model, options, records, NULL };
	struct tool t;
	int rc;

	rec_opts_init(&o.rec);
	rec_opts_table(&o.rec, records);
	for (struct opt *r = records; r->kind != OPT_K_END; r++)
		if (r->name && strcmp(r->name, "from") == 0)
			r->arg = "auto|csv|tsv|jsonl|json|rec|text|ids";
	loaded_options(&o.use, NULL, true, model);
	if ((rc = tool_begin(&t, "sft-eval", synopsis, about, tables, argc, argv)) == 0)
		rc = measure(&o, json, &t);
	return tool_end(&t, rc);
}
