/* SPDX-License-Identifier: Apache-2.0 */
/* sft eval agree history DIR... */
#include <math.h>
#include <string.h>

#include "csvline.h"
#include "outfile.h"
#include "round.h"
#include "rounds.h"
#include "textable.h"
#include "tool.h"

struct history {
	struct round *round;            /* one for each operand */
	const char **name;
	size_t n;
	struct json_parser *parser;
	struct arena arena;
	const char *output;
	bool json, csv;
};

/* "a/round1/" is round1. */
static const char *last_name(struct arena *a, const char *dir)
{
	size_t n = strlen(dir), from;

	while (n > 1 && dir[n - 1] == '/')
		n--;
	for (from = n; from > 0 && dir[from - 1] != '/'; from--)
		;
	return arena_str(a, dir + from, n - from);
}

static double number_at(const struct json *o, const char *key)
{
	return json_double(json_get(o, key));
}

static const char *text_at(const struct json *o, const char *key)
{
	const struct json *v = json_get(o, key);

	return v && v->type == JSON_STR ? v->s : "";
}

/* "yes", "no", or "" where there was no gate. */
static const char *met(const struct json *o)
{
	const struct json *v = json_get(o, "met");

	return v == NULL || v->type != JSON_BOOL ? "" : v->b ? "yes" : "no";
}

/* Columns of the table and of CSV: numbers by their names in a merge. */
static const struct {
	const char *key, *head;
	bool share;
} figures[] = { { "items", "items", false }, { "ratings", "ratings", false }, { "missing", "missing", false },
	        { "percent_agreement", "agreement", true }, { "light", "Cohen", true }, { "fleiss", "Fleiss", true },
	        { "krippendorff", "alpha", true }, { "disagreements", "split", false }, { "resolved", "settled", false }, { "tie", "ties", false } };
enum { FIGURES = sizeof figures / sizeof *figures };

static int each(struct history *h, void (*line)(struct history *h, size_t k, uint32_t merge, const struct json *o, void *to), void *to, struct err *e)
{
	const struct json *o;
	int rc = 0;

	for (size_t k = 0; k < h->n; k++) {
		if (h->round[k].nmerges == 0)
			line(h, k, 0, NULL, to);
		for (uint32_t i = 0; i < h->round[k].nmerges; i++) {
			const struct text *m = &h->round[k].merge[i];

			if ((rc = json_parse(h->parser, &h->arena, m->p, m->n, &o, e)) != 0)
				return err_in(e, "%s", h->name[k]);
			line(h, k, i + 1, o, to);
		}
	}
	return rc;
}

/* --- three forms --- */

static void table_line(struct history *h, size_t k, uint32_t merge, const struct json *o, void *to)
{
	struct textable *t = to;

	textable_cell(t, "%s", h->name[k]);
	textable_cell(t, merge ? "%u" : "-", merge);
	for (size_t f = 0; f < FIGURES; f++)
		textable_number(t, figures[f].share ? "%.4f" : "%.0f", number_at(o, figures[f].key));
	textable_cell(t, "%s", o ? text_at(o, "coefficient") : "not merged yet");
	textable_number(t, "%.4f", number_at(o, "value"));
	textable_number(t, "%.4g", number_at(o, "min"));
	textable_cell(t, "%s", met(o));
	textable_row(t);
}

static int table(struct history *h, struct buf *out, struct err *e)
{
	struct textable t = { 0 };
	int rc;

	textable_head(&t, "round", false);
	textable_head(&t, "merge", true);
	for (size_t f = 0; f < FIGURES; f++)
		textable_head(&t, figures[f].head, true);
	textable_head(&t, "gate", false);
	textable_head(&t, "value", true);
	textable_head(&t, "min", true);
	textable_head(&t, "met", false);
	rc = each(h, table_line, &t, e);
	textable_print(&t, out);
	textable_free(&t);
	return rc;
}

static void csv_line(struct history *h, size_t k, uint32_t merge, const struct json *o, void *to)
{
	struct csvline *c = to;

	csv_str(c, h->name[k]);
	csv_uint(c, merge);
	for (size_t f = 0; f < FIGURES; f++)
		if (figures[f].share || o == NULL)
			csv_real(c, number_at(o, figures[f].key));
		else
			csv_uint(c, (uint64_t)number_at(o, figures[f].key));
	csv_str(c, o ? text_at(o, "coefficient") : "");
	csv_real(c, number_at(o, "value"));
	csv_real(c, number_at(o, "min"));
	csv_str(c, met(o));
	csv_end(c);
}

static int csv(struct history *h, struct buf *out, struct err *e)
{
	struct csvline c = { out, false };

	csv_str(&c, "round");
	csv_str(&c, "merge");
	for (size_t f = 0; f < FIGURES; f++)
		csv_str(&c, figures[f].key);
	csv_str(&c, "coefficient");
	csv_str(&c, "value");
	csv_str(&c, "min");
	csv_str(&c, "met");
	csv_end(&c);
	return each(h, csv_line, &c, e);
}

static int json(struct history *h, struct buf *out)
{
	struct jw w;

	jw_init(&w, out);
	jw_obj(&w);
	tool_schema_json(&w, "sft.rounds/1");
	jw_key(&w, "rounds");
	jw_arr(&w);
	for (size_t k = 0; k < h->n; k++) {
		jw_obj(&w);
		jw_key(&w, "round");
		jw_str(&w, h->name[k]);
		jw_key(&w, "merges");
		jw_arr(&w);
		for (uint32_t i = 0; i < h->round[k].nmerges; i++)
			jw_raw(&w, h->round[k].merge[i].p, h->round[k].merge[i].n);
		jw_arr_end(&w);
		jw_obj_end(&w);
	}
	jw_arr_end(&w);
	jw_obj_end(&w);
	buf_ch(out, '\n');
	return 0;
}

static int history_run(struct history *h, struct tool *t)
{
	struct buf out = { 0 };
	int rc = 0;

	if (h->json && h->csv)
		return err_set(&t->e, SFT_USAGE, "--json and --csv: one of them");
	if (t->noperands < 3)
		return err_set(&t->e, SFT_USAGE, "which rounds? (expected agree history DIR...)");
	h->round = mem_new((size_t)(t->noperands - 2) * sizeof *h->round);
	h->name = mem_new((size_t)(t->noperands - 2) * sizeof *h->name);
	for (int k = 2; rc == 0 && k < t->noperands; k++) {
		round_init(&h->round[h->n]);
		h->name[h->n] = last_name(&h->arena, t->operands[k]);
		rc = round_read(&h->round[h->n++], t->operands[k], &t->e);
	}
	if (rc == 0)
		rc = h->json ? json(h, &out) : h->csv ? csv(h, &out, &t->e) : table(h, &out, &t->e);
	if (rc == 0)
		rc = out_whole(h->output ? h->output : "-", out.p, out.n, false, &t->e);
	buf_free(&out);
	return rc;
}

int round_history_main(int argc, char **argv)
{
	struct history h = { 0 };
	const struct opt own[] = {
		OPT_HEAD("Output"),
		OPT_STR('o', "output", &h.output, "FILE", "write FILE, whole or not at all [standard output]"),
		OPT_FLAG(0, "json", &h.json, "one JSON object instead of a table"),
		OPT_FLAG(0, "csv", &h.csv, "CSV instead of a table: a line per merge"),
		OPT_END
	};
	const struct opt *tables[] = { own, NULL };
	struct tool t;
	int rc;

	arena_init(&h.arena);
	h.parser = json_parser_new();
	rc = tool_begin(&t, "sft-eval", "sft-eval agree history [options] DIR...", "Agreement round by round.", tables, argc, argv);
	if (rc == 0)
		rc = history_run(&h, &t);
	for (size_t k = 0; k < h.n; k++)
		round_release(&h.round[k]);
	mem_free(h.round);
	mem_free(h.name);
	json_parser_free(h.parser);
	arena_release(&h.arena);
	return tool_end(&t, rc);
}
