/* SPDX-License-Identifier: Apache-2.0 */
/* sft eval ab make A B [C...], sft eval ab tally SHEET... */
#include <string.h>

#include "absheet.h"
#include "abtally.h"
#include "evaltools.h"
#include "outfile.h"

static int write_out(const struct rec_opts *o, struct buf *out, struct err *e)
{
	return out_whole(o->output ? o->output : "-", out->p ? out->p : "", out->n, false, e);
}

/* --- make --- */

struct make {
	struct eval_opts o;             /* prediction, id and rec alone */
	const char *key, *input, *page, *title, *guidelines;
	int64_t items;
	int pairs;
};

static int read_system(struct ab_sheet *s, struct make *m, const char *path, const struct tool *t, struct err *e)
{
	struct pairs *in;
	int rc = pairs_records(&in, &path, 1, &m->o, NULL, t, e);

	if (rc)
		return rc;
	if ((rc = ab_read(s, in, path, m->input, e)) != 0) {
		pairs_abandon(in);
		return rc;
	}
	return pairs_close(in, t, e);
}

/* Key and page first: who finds the sheet finds them too. */
static int write_sheet(const struct ab_sheet *s, const struct make *m, struct tool *t)
{
	struct buf sheet = { 0 }, page = { 0 }, key = { 0 };
	const char *guidelines = NULL;
	size_t n;
	struct ab_row *row = ab_rows(s, (uint64_t)t->seed, (uint64_t)m->items, m->pairs == 1, &n);
	int rc = m->guidelines ? tool_text_or_file(&t->arena, m->guidelines, &guidelines, &t->e) : 0;

	ab_sheet_csv(s, row, n, &sheet);
	ab_key_csv(s, row, n, &key);
	if (rc == 0)
		rc = out_whole(m->key, key.p, key.n, false, &t->e);
	if (rc == 0 && m->page) {
		ab_sheet_page(s, row, n, m->title, guidelines, &page);
		rc = out_whole(m->page, page.p, page.n, false, &t->e);
	}
	if (rc == 0)
		rc = write_out(&m->o.rec, &sheet, &t->e);
	mem_free(row);
	buf_free(&sheet);
	buf_free(&page);
	buf_free(&key);
	return rc;
}

static int make_run(struct make *m, struct tool *t)
{
	size_t systems = t->noperands > 2 ? (size_t)t->noperands - 2 : 0;
	struct ab_sheet s;
	int rc = 0;

	if (systems < 2 || systems > AB_MAX_SYSTEMS)
		return err_set(&t->e, SFT_USAGE, "expected two to %d files, ab make A B... (%zu given)", AB_MAX_SYSTEMS, systems);
	if (m->key == NULL)
		return err_set(&t->e, SFT_USAGE, "--key FILE is missing (expected where to write which side is which system)");
	if (m->o.rec.stats)
		return err_set(&t->e, SFT_USAGE, "--stats is for one input (ab make reads several)");
	m->o.no_reference = true;
	ab_init(&s);
	for (size_t k = 0; rc == 0 && k < systems; k++)
		rc = read_system(&s, m, t->operands[k + 2], t, &t->e);
	if (rc == 0)
		rc = write_sheet(&s, m, t);
	ab_release(&s);
	return rc;
}

static int make_main(int argc, char **argv)
{
	struct make m = { .title = "Which answer is better?" };
	struct opt rec[20];
	const struct opt own[] = {
		OPT_HEAD("Sheet"),
		OPT_STR(0, "key", &m.key, "FILE", "write there which side is which system"),
		OPT_STR(0, "page", &m.page, "FILE", "write the sheet as a page to vote in, too (HTML)"),
		OPT_STR(0, "title", &m.title, "TEXT", "heading of the page [Which answer is better?]"),
		OPT_STR(0, "guidelines", &m.guidelines, "TEXT|@FILE", "what voters should go by, shown on the page"),
		OPT_INT(0, "items", &m.items, "N", "so many items, drawn by --seed [0: all]", 0, UINT32_MAX),
		OPT_CHOICE(0, "pairs", &m.pairs, "all|one", "pairs of systems for each item [all]"),
		OPT_STR(0, "prediction", &m.o.prediction, "COL", "column of the answers [prediction]"),
		OPT_STR(0, "id", &m.o.id, "COL", "column that names an item [id, where there is one]"),
		OPT_STR(0, "input", &m.input, "COL", "column of the input [messages; input, prompt, question, text]"),
		OPT_END
	};
	const struct opt *tables[] = { own, NULL, NULL };
	struct tool t;
	int rc;

	eval_opts_init(&m.o);
	tables[1] = rec_opts_table(&m.o.rec, rec);
	rc = tool_begin(&t, "sft-eval", "sft-eval ab make --key FILE [options] A B [C...]", "Write a blind sheet of answers to vote on, as CSV and as a page.",
	                tables, argc, argv);
	if (rc == 0)
		rc = make_run(&m, &t);
	eval_opts_release(&m.o);
	return tool_end(&t, rc);
}

/* --- tally --- */

struct tally {
	struct rec_opts rec;
	const char *key;
	bool json, csv;
};

static int read_key(struct ab_votes *v, const struct tally *o, const struct tool *t, struct err *e)
{
	struct rec_opts plain;
	struct recin *in;
	int rc;

	rec_opts_init(&plain);
	if ((rc = rec_open(&in, &o->key, 1, &plain, t, e)) != 0)
		return rc;
	if ((rc = ab_read_key(v, in, e)) != 0) {
		rec_abandon(in);
		return rc;
	}
	return rec_close(in, e);
}

static int read_votes(struct ab_votes *v, const struct tally *o, struct tool *t, struct err *e)
{
	size_t n = t->noperands > 2 ? (size_t)t->noperands - 2 : 0;
	struct recin *in;
	int rc = rec_open(&in, (const char *const *)t->operands + 2, n, &o->rec, t, e);

	if (rc)
		return rc;
	if ((rc = ab_read_votes(v, in, n > 1, e)) == 0 && o->rec.stats)
		rc = rec_stats(in, NULL, &o->rec, t, NULL, NULL, e);
	if (rc) {
		rec_abandon(in);
		return rc;
	}
	return rec_close(in, e);
}

static int tally_run(const struct tally *o, struct tool *t)
{
	struct ab_votes v = { 0 };
	struct ab_tally figures;
	struct buf out = { 0 };
	int rc = 0;

	if (o->json && o->csv)
		return err_set(&t->e, SFT_USAGE, "--json and --csv: one of them");
	if (o->key)
		rc = read_key(&v, o, t, &t->e);
	if (rc == 0 && (rc = read_votes(&v, o, t, &t->e)) == 0 && (rc = ab_count(&v, &t->e)) == 0) {
		ab_tally(&figures, &v);
		(o->json ? ab_tally_json : o->csv ? ab_tally_csv : ab_tally_text)(&figures, &out);
		rc = write_out(&o->rec, &out, &t->e);
		ab_tally_free(&figures);
	}
	buf_free(&out);
	ab_votes_free(&v);
	return rc;
}

static int tally_main(int argc, char **argv)
{
	struct tally o = { .key = NULL };
	struct opt rec[20];
	const struct opt own[] = {
		OPT_HEAD("Votes"),
		OPT_STR(0, "key", &o.key, "FILE", "what ab make wrote there"),
		OPT_FLAG(0, "json", &o.json, "one JSON object instead of a table"),
		OPT_FLAG(0, "csv", &o.csv, "CSV instead of a table: a line per pair"),
		OPT_END
	};
	const struct opt *tables[] = { own, NULL, NULL };
	struct tool t;
	int rc;

	rec_opts_init(&o.rec);
	tables[1] = rec_opts_table(&o.rec, rec);
	rc = tool_begin(&t, "sft-eval", "sft-eval ab tally [--key FILE] [options] [FILE...]", "Count the votes of sheets, or of a table of battles.",
	                tables, argc, argv);
	if (rc == 0)
		rc = tally_run(&o, &t);
	return tool_end(&t, rc);
}

int ab_main(int argc, char **argv)
{
	static const struct opt none[] = { OPT_END };
	const struct opt *tables[] = { none, NULL };
	struct tool t;
	int rc;

	if (argc > 2 && strcmp(argv[2], "make") == 0)
		return make_main(argc, argv);
	if (argc > 2 && strcmp(argv[2], "tally") == 0)
		return tally_main(argc, argv);
	rc = tool_begin(&t, "sft-eval", "sft-eval ab make | tally ...", "Blind comparison by people: make a sheet, tally the votes.", tables, argc, argv);
	if (rc == 0)
		rc = err_set(&t.e, SFT_USAGE, "ab: expected make or tally next");
	return tool_end(&t, rc);
}
