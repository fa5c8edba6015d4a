/* SPDX-License-Identifier: Apache-2.0 */
/* sft eval perplexity -m MODEL [-a ADAPTER] FILE... */
#include <stdio.h>
#include <string.h>

#include "chat.h"
#include "evaltools.h"
#include "logprobs.h"
#include "outfile.h"
#include "perplexity.h"

static const char synopsis[] = "sft-eval perplexity -m MODEL [-a ADAPTER] | --from logprobs [options] [FILE...]";
static const char about[] = "Perplexity and bits per byte of a model on chat records, lines of text or token ids, or from logged log-probabilities.";

enum { FROM_IDS = REC_TEXT + 1, FROM_LOGPROBS, FROM_LINES };

struct settings {
	struct perplexity_opts o;
	bool json, csv, ci;
	int64_t resamples;
};

/* What the figures depend on. */
static void signature(const struct settings *s, bool logged, struct jw *w)
{
	static const char *const counts[] = { "assistant", "last", "all" };
	const struct perplexity_opts *o = &s->o;

	jw_key(w, "model");
	if (logged)
		jw_null(w);
	else
		jw_str(w, o->use.model);
	jw_key(w, "adapter");
	if (logged || o->use.adapter == NULL)
		jw_null(w);
	else
		jw_str(w, o->use.adapter);
	jw_key(w, "counts");
	jw_str(w, logged ? "logprobs" : o->from_ids ? "mask" : o->from_text ? "all" : counts[o->train]);
}

static void print_json(const struct settings *s, bool logged, const struct pplstats *p, uint64_t resamples, uint64_t seed, struct buf *out)
{
	struct jw w;

	jw_init(&w, out);
	jw_obj(&w);
	tool_schema_json(&w, "sft.eval/1");
	jw_key(&w, "n");           jw_uint(&w, p->n);
	jw_key(&w, "metrics");     jw_obj(&w);
	jw_key(&w, "perplexity");  jw_obj(&w);
	ppl_json(p, resamples, seed, &w);
	jw_obj_end(&w);
	jw_obj_end(&w);
	jw_key(&w, "signature");   jw_obj(&w);
	jw_key(&w, "perplexity");  jw_obj(&w);
	signature(s, logged, &w);
	jw_obj_end(&w);
	jw_obj_end(&w);
	jw_obj_end(&w);
	buf_ch(out, '\n');
}

static int read_figures(struct settings *s, bool logged, struct pplstats *p, struct tool *t)
{
	const char *const *files = (const char *const *)t->operands + 1;
	size_t n = (size_t)t->noperands - 1;

	if (s->json && s->csv)
		return err_set(&t->e, SFT_USAGE, "--json and --csv: one of them");
	if (logged && (s->o.use.model || s->o.use.adapter || s->o.logprobs))
		return err_set(&t->e, SFT_USAGE, "--from logprobs needs no model (expected neither -m, -a nor --token-logprobs)");
	if (logged)
		return logprobs_read(p, &s->o.rec, s->o.rec.from == FROM_LINES, files, n, t, &t->e);
	s->o.from_ids = s->o.rec.from == FROM_IDS;
	s->o.from_text = s->o.rec.from == REC_TEXT;
	if (s->o.use.model == NULL)
		s->o.use.model = t->env.sft_model;
	return perplexity_run(&s->o, t, files, n, p, &t->e);
}

static int measure(struct settings *s, struct tool *t)
{
	bool logged = s->o.rec.from == FROM_LOGPROBS || s->o.rec.from == FROM_LINES;
	uint64_t resamples = s->ci ? (uint64_t)s->resamples : 0, seed = (uint64_t)t->seed;
	struct pplstats p = { 0 };
	struct buf out = { 0 };
	int rc = read_figures(s, logged, &p, t);

	if (rc == 0) {
		if (s->json)
			print_json(s, logged, &p, resamples, seed, &out);
		else
			(s->csv ? ppl_csv : ppl_text)(&p, resamples, seed, &out);
		rc = out_whole(s->o.rec.output ? s->o.rec.output : "-", out.p, out.n, false, &t->e);
	}
	ppl_free(&p);
	buf_free(&out);
	return rc;
}

int perplexity_main(int argc, char **argv)
{
	struct settings s = { .resamples = 1000 };
	struct opt model[6], records[20];
	const struct opt options[] = {
		OPT_HEAD("Perplexity"),
		OPT_STR(0, "token-logprobs", &s.o.logprobs, "FILE", "write each token's log-probability, a JSON array a sequence"),
		OPT_CHOICE(0, "train-on", &s.o.train, "assistant|last|all", "which tokens of a chat count [assistant]"),
		OPT_STR(0, "chat-template", &s.o.template, "FILE|NAME", "chat template [the model's]"),
		OPT_FLAG(0, "ci", &s.ci, "95% intervals, by a bootstrap over sequences"),
		OPT_INT(0, "resamples", &s.resamples, "N", "bootstrap resamples [1000]", 10, 1000000),
		OPT_FLAG(0, "json", &s.json, "one JSON object instead of a table"),
		OPT_FLAG(0, "csv", &s.csv, "CSV instead of a table"),
		OPT_END
	};
	const struct opt *tables[] = { model, options, records, NULL };
	struct tool t;
	int rc;

	rec_opts_init(&s.o.rec);
	rec_opts_table(&s.o.rec, records);
	for (struct opt *r = records; r->kind != OPT_K_END; r++)
		if (r->name && strcmp(r->name, "from") == 0)
			r->arg = "auto|csv|tsv|jsonl|json|rec|text|ids|logprobs|logprob-lines";
	loaded_options(&s.o.use, NULL, true, model);
	if ((rc = tool_begin(&t, "sft-eval", synopsis, about, tables, argc, argv)) == 0)
		rc = measure(&s, &t);
	return tool_end(&t, rc);
}
