/* SPDX-License-Identifier: Apache-2.0 */
/* sft eval likelier -m MODEL [-a ADAPTER] --dict FILE... FILE... */
#include <string.h>

#include "evaltools.h"
#include "likelier.h"
#include "outfile.h"
#include "stats.h"
#include "textable.h"

static const char synopsis[] = "sft-eval likelier -m MODEL [-a ADAPTER] --dict FILE [options] [FILE...]";
static const char about[] = "How often a dictionary's terms are likelier than what could be taken for them, where the answers of chat records have them.";

struct settings {
	struct likelier_opts o;
	struct opt_list dicts;
	bool json;
	double fail_under;              /* below 0: no gate */
};

static double share(uint64_t k, uint64_t n)
{
	return (double)k / (double)n;
}

static void count_json(const struct likelier_count *c, struct jw *w)
{
	double lo, hi;

	stats_wilson((double)c->right, (double)c->places, &lo, &hi);
	jw_key(w, "likelier");     jw_double(w, share(c->right, c->places));
	jw_key(w, "likelier_ci");
	jw_arr(w);
	jw_double(w, lo);
	jw_double(w, hi);
	jw_arr_end(w);
	jw_key(w, "pairs_won");    jw_double(w, share(c->won, c->pairs));
	jw_key(w, "mean_margin");  jw_double(w, c->margin / (double)c->places);
	jw_key(w, "places");       jw_uint(w, c->places);
	jw_key(w, "pairs");        jw_uint(w, c->pairs);
}

static void print_json(const struct settings *s, const struct likelier *l, struct buf *out)
{
	struct jw w;

	jw_init(&w, out);
	jw_obj(&w);
	tool_schema_json(&w, "sft.eval/1");
	jw_key(&w, "n");           jw_uint(&w, l->records);
	jw_key(&w, "metrics");     jw_obj(&w);
	jw_key(&w, "likelier");    jw_obj(&w);
	count_json(&l->all, &w);
	jw_key(&w, "by_term");     jw_obj(&w);
	for (uint32_t t = 0; t < termset_count(s->o.terms); t++)
		if (l->term[t].places) {
			const struct term *term = termset_get(s->o.terms, t);

			jw_keyn(&w, term->form.text, term->form.n);
			jw_obj(&w);
			count_json(&l->term[t], &w);
			jw_obj_end(&w);
		}
	jw_obj_end(&w);
	jw_obj_end(&w);
	jw_obj_end(&w);
	jw_key(&w, "signature");   jw_obj(&w);
	jw_key(&w, "likelier");    jw_obj(&w);
	jw_key(&w, "model");       jw_str(&w, s->o.use.model);
	jw_key(&w, "adapter");
	if (s->o.use.adapter)
		jw_str(&w, s->o.use.adapter);
	else
		jw_null(&w);
	jw_obj_end(&w);
	jw_obj_end(&w);
	jw_obj_end(&w);
	buf_ch(out, '\n');
}

static void print_text(const struct likelier *l, struct buf *out)
{
	const struct likelier_count *c = &l->all;
	struct textable t = {0};
	double lo, hi;

	stats_wilson((double)c->right, (double)c->places, &lo, &hi);
	textable_head(&t, "metric", false);
	textable_head(&t, "value", true);
	textable_head(&t, "low", true);
	textable_head(&t, "high", true);
	textable_cell(&t, "likelier");
	textable_number(&t, "%.4f", share(c->right, c->places));
	textable_number(&t, "%.4f", lo);
	textable_number(&t, "%.4f", hi);
	textable_row(&t);
	textable_cell(&t, "pairs_won");
	textable_number(&t, "%.4f", share(c->won, c->pairs));
	textable_row(&t);
	textable_cell(&t, "mean_margin");
	textable_number(&t, "%.4f", c->margin / (double)c->places);
	textable_row(&t);
	textable_print(&t, out);
	textable_free(&t);
	buf_fmt(out, "\n%llu records, %llu places where a term stands, %llu pairs of a term and a rival\n", (unsigned long long)l->records,
	        (unsigned long long)c->places, (unsigned long long)c->pairs);
}

static int read_terms(const struct settings *s, struct termset *set, struct err *e)
{
	int rc = 0;

	if (s->dicts.n == 0)
		return err_set(e, SFT_USAGE, "no dictionary (expected --dict FILE)");
	for (size_t i = 0; i < s->dicts.n && rc == 0; i++)
		rc = termset_read(set, s->dicts.v[i], e);
	return rc ? rc : termset_ready(set, e);
}

static int measure(struct settings *s, struct tool *t)
{
	struct unicode *u = unicode_open();
	struct termset *set = termset_new(u);
	struct likelier l = {0};
	struct buf out = {0};
	int rc = read_terms(s, set, &t->e);

	s->o.terms = set;
	if (s->o.use.model == NULL)
		s->o.use.model = t->env.sft_model;
	if (rc == 0)
		rc = likelier_run(&s->o, t, (const char *const *)t->operands + 1, (size_t)t->noperands - 1, &l, &t->e);
	if (rc == 0) {
		if (s->json)
			print_json(s, &l, &out);
		else
			print_text(&l, &out);
		rc = out_whole(s->o.rec.output ? s->o.rec.output : "-", out.p, out.n, false, &t->e);
	}
	if (rc == 0 && share(l.all.right, l.all.places) < s->fail_under)
		rc = err_set(&t->e, SFT_GATE, "likelier is %.4f (expected at least %g)", share(l.all.right, l.all.places), s->fail_under);
	likelier_free(&l);
	termset_free(set);
	unicode_close(u);
	buf_free(&out);
	return rc;
}

int likelier_main(int argc, char **argv)
{
	struct settings s = { .fail_under = -1 };
	struct opt model[6], records[20];
	const struct opt options[] = {
		OPT_HEAD("Terms"),
		OPT_LIST(0, "dict", &s.dicts, "FILE", "term dictionary (repeatable)"),
		OPT_STR(0, "items", &s.o.items, "FILE", "write the scores of each place, JSONL"),
		OPT_STR(0, "chat-template", &s.o.template, "FILE|NAME", "chat template [the model's]"),
		OPT_REAL(0, "fail-under", &s.fail_under, "F", "exit 1 if a smaller share of the terms is likelier than each rival", 0, 1),
		OPT_FLAG(0, "json", &s.json, "one JSON object instead of a table"),
		OPT_END
	};
	const struct opt *tables[] = { model, options, records, NULL };
	struct tool t;
	int rc;

	rec_opts_init(&s.o.rec);
	rec_opts_table(&s.o.rec, records);
	loaded_options(&s.o.use, NULL, true, model);
	if ((rc = tool_begin(&t, "sft-eval", synopsis, about, tables, argc, argv)) == 0)
		rc = measure(&s, &t);
	return tool_end(&t, rc);
}
