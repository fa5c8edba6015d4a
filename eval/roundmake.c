/* SPDX-License-Identifier: Apache-2.0 */
/* sft eval agree make -o DIR --raters ann,bob,cem --labels yes,no FILE */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assign.h"
#include "fieldtext.h"
#include "inputtext.h"
#include "outfile.h"
#include "rounds.h"
#include "roundsheet.h"

struct make {
	struct rec_opts rec;
	struct round r;
	const char *raters, *labels, *item, *show, *title, *guidelines;
	int64_t per_item;
	double overlap;
};

/* --- items --- */

struct reading {
	struct make *m;
	const struct names *names;      /* the columns below are theirs */
	int item;
	uint32_t *show;
	size_t nshow;
	struct inputs *inputs;          /* where --show is not given */
};

static int columns(struct reading *d, const struct rec *rec, struct err *e)
{
	struct make *m = d->m;
	uint32_t at;
	int rc;

	if (d->names == rec->names)
		return 0;
	d->names = rec->names;
	d->item = rec_column(rec->names, "id");
	if (m->item) {
		if ((rc = rec_need(rec->names, m->item, &at, e)) != 0)
			return rc;
		d->item = (int)at;
	}
	if (m->show && (rc = rec_need_list(rec->names, m->show, &d->show, &d->nshow, &m->r.arena, e)) != 0)
		return rc;
	if (m->r.show)
		return d->nshow == m->r.nshow || !m->show ? 0 : err_set(e, SFT_BADDATA, "other columns than before");
	m->r.nshow = m->show ? (uint32_t)d->nshow : 1;
	m->r.show = mem_grow(NULL, (size_t)m->r.nshow + 1, sizeof *m->r.show);
	m->r.show[0] = "text";
	for (uint32_t k = 0; k < d->nshow; k++)
		m->r.show[k] = arena_str(&m->r.arena, rec->names->name[d->show[k]], rec->names->len[d->show[k]]);
	return 0;
}

static int add_item(struct reading *d, const struct rec *rec, struct err *e)
{
	struct round *r = &d->m->r;
	struct round_item *x;
	struct text name, shown;
	struct input input;
	char num[24];
	int rc;

	if ((rc = columns(d, rec, e)) != 0)
		return rc;
	name = d->item >= 0 ? field_text(rec, d->item)
	                    : (struct text){ num, (size_t)snprintf(num, sizeof num, "%llu", (unsigned long long)rec->num) };
	if (name.n == 0)
		return err_set(e, SFT_BADDATA, "an item without a name (expected '%s')", rec->names->name[d->item]);
	if ((x = round_add_item(r, name)) == NULL)
		return err_set(e, SFT_BADDATA, "item '%.*s' stands there twice", (int)name.n, name.p);
	for (uint32_t k = 0; k < d->nshow; k++) {
		const struct field *f = &rec->f[d->show[k]];    /* as it stands */

		shown = field_absent(f) ? (struct text){ "", 0 } : (struct text){ f->p, f->n };
		x->show[k] = (struct text){ arena_str(&r->arena, shown.p, shown.n), shown.n };
	}
	if (d->m->show)
		return 0;
	if ((rc = inputs_read(d->inputs, rec, &input, e)) != 0)
		return rc;
	if (input.text.p == NULL)
		return err_set(e, SFT_BADDATA, "nothing to show (expected messages, or a column input, prompt, question or text, or --show COL,...)");
	x->show[0] = (struct text){ arena_str(&r->arena, input.text.p, input.text.n), input.text.n };
	return 0;
}

static int read_items(struct make *m, struct tool *t)
{
	struct reading d = { .m = m };
	struct recin *in;
	struct rec *rec;
	int rc = rec_open(&in, (const char *const *)t->operands + 2, (size_t)t->noperands - 2, &m->rec, t, &t->e);

	if (rc)
		return rc;
	d.inputs = inputs_new(NULL);
	while ((rc = rec_read(in, &rec, &t->e)) == 0 && rec)
		if ((rc = add_item(&d, rec, &t->e)) != 0) {
			err_in(&t->e, "%s:%llu", rec->file, (unsigned long long)rec->line);
			break;
		}
	if (rc == 0 && m->r.nitems == 0)
		rc = err_set(&t->e, SFT_BADDATA, "no items in the input (expected at least one)");
	if (rc == 0 && m->rec.stats)
		rc = rec_stats(in, NULL, &m->rec, t, NULL, NULL, &t->e);
	inputs_free(d.inputs);
	if (rc) {
		rec_abandon(in);
		return rc;
	}
	return rec_close(in, &t->e);
}

/* --- the folder --- */

static void remove_folder(struct round *r, const char *dir)
{
	for (uint32_t k = 0; k < r->nraters; k++) {
		unlink(round_sheet(r, dir, k, ".csv"));
		unlink(round_sheet(r, dir, k, ".html"));
	}
	unlink(round_path(r, dir, "round.jsonl"));
	rmdir(round_path(r, dir, "sheets"));
	rmdir(dir);
}

static int write_files(struct make *m, const char *dir, struct tool *t)
{
	struct round *r = &m->r;
	struct round_orders o;
	struct buf out = { 0 };
	int rc = out_mkdirs(round_path(r, dir, "sheets"), &t->e);

	round_orders(r, (uint64_t)t->seed, &o);
	for (uint32_t k = 0; rc == 0 && k < r->nraters; k++) {
		out.n = 0;
		round_sheet_csv(r, &o, k, &out);
		if ((rc = out_whole(round_sheet(r, dir, k, ".csv"), out.p, out.n, false, &t->e)) != 0)
			break;
		out.n = 0;
		round_sheet_page(r, &o, k, &out);
		rc = out_whole(round_sheet(r, dir, k, ".html"), out.p, out.n, false, &t->e);
	}
	out.n = 0;
	round_format(r, &out);
	if (rc == 0)
		rc = out_whole(round_path(r, dir, "round.jsonl"), out.p, out.n, false, &t->e);
	buf_free(&out);
	round_orders_free(&o);
	return rc;
}

/* All of it under another name, which becomes DIR when it is whole. */
static int write_folder(struct make *m, struct tool *t)
{
	struct buf dir = { 0 }, part = { 0 };
	int rc;

	buf_str(&dir, m->rec.output);
	while (dir.n > 1 && dir.p[dir.n - 1] == '/')
		dir.p[--dir.n] = '\0';
	buf_fmt(&part, "%s.%ld.part", dir.p, (long)getpid());
	rc = write_files(m, part.p, t);
	if (rc == 0 && rename(part.p, dir.p) != 0)
		rc = errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR
		             ? err_set(&t->e, SFT_USAGE, "-o %s: is there already (expected a new folder for a new round)", dir.p)
		             : err_sys(&t->e, dir.p);
	if (rc)
		remove_folder(&m->r, part.p);
	buf_free(&dir);
	buf_free(&part);
	return rc;
}

/* --- the run --- */

static void summary(const struct round *r, const char *dir, struct buf *out)
{
	uint64_t load[200] = { 0 }, all = 0;

	for (uint32_t i = 0; i < r->nitems; i++)
		for (uint32_t k = 0; k < r->item[i].nraters; k++, all++)
			load[r->item[i].rater[k]]++;
	buf_fmt(out, "%u items, %llu labels to give:", r->nitems, (unsigned long long)all);
	for (uint32_t k = 0; k < r->nraters; k++)
		buf_fmt(out, "%s %s %llu", k ? "," : "", r->rater[k].p, (unsigned long long)load[k]);
	buf_fmt(out, "\nsheets (CSV, and a page each) in %s/sheets\n", dir);
}

static int check(struct make *m, struct tool *t)
{
	struct err *e = &t->e;
	int rc;

	if (m->rec.output == NULL || m->raters == NULL || m->labels == NULL)
		return err_set(e, SFT_USAGE, "%s is missing (expected agree make -o DIR --raters NAME,... --labels LABEL,... FILE)",
		               m->rec.output == NULL ? "-o DIR" : m->raters == NULL ? "--raters" : "--labels");
	if (access(m->rec.output, F_OK) == 0)
		return err_set(e, SFT_USAGE, "-o %s: is there already (expected a new folder for a new round)", m->rec.output);
	if ((rc = round_raters(&m->r, m->raters, e)) != 0 || (rc = round_labels(&m->r, m->labels, e)) != 0)
		return rc;
	if (m->per_item > (int64_t)m->r.nraters)
		return err_set(e, SFT_USAGE, "--per-item %lld: there are %u raters", (long long)m->per_item, m->r.nraters);
	m->r.title = m->title;
	return m->guidelines ? tool_text_or_file(&m->r.arena, m->guidelines, &m->r.guidelines, e) : 0;
}

/* Tables of this round have a column for each of these. */
static int check_names(const struct round *r, struct err *e)
{
	static const char *const own[] = { "rater", "item", "label", "note", "notes", "how", "votes", "of", "majority", "resolved" };

	for (uint32_t k = 0; k < r->nshow; k++) {
		bool taken = strmap_find(&r->rater_of, r->show[k], strlen(r->show[k])) != NULL;

		for (size_t j = 0; j < sizeof own / sizeof *own; j++)
			taken |= strcmp(own[j], r->show[k]) == 0;
		if (taken)
			return err_set(e, SFT_USAGE, "--show: '%s' is a column of the sheet itself, or a rater (expected another name)", r->show[k]);
	}
	return 0;
}

static int make_run(struct make *m, struct tool *t)
{
	struct round *r = &m->r;
	struct assignment a = { 0 };
	struct buf out = { 0 };
	int rc;

	if ((rc = check(m, t)) != 0 || (rc = read_items(m, t)) != 0 || (rc = check_names(r, &t->e)) != 0)
		return rc;
	assign_raters(&a, r->nitems, r->nraters, (uint32_t)m->per_item, (uint32_t)ceil(m->overlap * r->nitems), (uint64_t)t->seed);
	for (uint32_t i = 0; i < r->nitems; i++) {
		r->item[i].rater = a.rater + a.start[i];
		r->item[i].nraters = (uint32_t)(a.start[i + 1] - a.start[i]);
	}
	if ((rc = write_folder(m, t)) == 0 && !t->quiet) {
		summary(r, m->rec.output, &out);
		rc = out_whole("-", out.p, out.n, false, &t->e);
	}
	buf_free(&out);
	assign_free(&a);
	return rc;
}

int round_make_main(int argc, char **argv)
{
	struct make m = { .title = "Labels", .per_item = 2, .overlap = 1 };
	struct opt rec[20];
	const struct opt own[] = {
		OPT_HEAD("Round"),
		OPT_STR(0, "raters", &m.raters, "NAME,...", "who labels"),
		OPT_STR(0, "labels", &m.labels, "LABEL,...|@FILE", "the labels, in order; in a file, lines of label, key and hint, with tabs"),
		OPT_INT(0, "per-item", &m.per_item, "N", "raters for an item [2]", 1, 200),
		OPT_REAL(0, "overlap", &m.overlap, "SHARE", "share of the items that so many label; the others have one rater [1]", 0, 1),
		OPT_HEAD("Sheets"),
		OPT_STR(0, "item", &m.item, "COL", "column that names an item [id, where there is one]"),
		OPT_STR(0, "show", &m.show, "COL,...", "columns to show [messages; input, prompt, question, text]"),
		OPT_STR(0, "title", &m.title, "TEXT", "heading of the page [Labels]"),
		OPT_STR(0, "guidelines", &m.guidelines, "TEXT|@FILE", "what raters should go by, shown on the page"),
		OPT_END
	};
	const struct opt *tables[] = { own, NULL, NULL };
	struct tool t;
	int rc;

	round_init(&m.r);
	rec_opts_init(&m.rec);
	tables[1] = rec_opts_table(&m.rec, rec);
	rc = tool_begin(&t, "sft-eval", "sft-eval agree make -o DIR --raters NAME,... --labels LABEL,... [options] [FILE...]",
	                "Write the sheets of a round of annotation.", tables, argc, argv);
	if (rc == 0)
		rc = make_run(&m, &t);
	round_release(&m.r);
	return tool_end(&t, rc);
}
