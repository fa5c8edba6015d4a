/* SPDX-License-Identifier: Apache-2.0 */
/* What is in the data: `sft describe --json`. */
#include <math.h>
#include <string.h>

#include "figures.h"
#include "report.h"
#include "svgcurve.h"

enum { TOP = 20 };

static const struct json *list_of(const struct json *v, const char *key)
{
	static const struct json none = { .type = JSON_ARR };
	const struct json *list = json_get(v, key);

	return list && list->type == JSON_ARR ? list : &none;
}

static void text_cell(struct page *p, const struct json *v, const char *key)
{
	page_cell_json(p, json_get(v, key));
}

/* The NUMBER whose name is the last of a path "tokens.total". */
static void number_cell(struct page *p, const struct json *file, const char *group, const char *key)
{
	page_number(p, 0, figures_number(group ? json_get(file, group) : file, key));
}

static void files(struct page *p, const struct json *doc)
{
	static const struct {
		const char *head, *group, *key;
	} col[] = {
		{ "Records", NULL, "records" },
		{ "Characters", "characters", "total" },
		{ "Words", "words", "total" },
		{ "Different words", NULL, "types" },
		{ "Tokens", "tokens", "total" },
		{ "Over the limit", NULL, "over_limit" },
		{ "Duplicates", NULL, "duplicates" },
		{ "Near-duplicates", NULL, "near_duplicates" },
	};
	const struct json *list = list_of(doc, "files");

	page_table(p, "Files");
	page_head(p, "File", false);
	for (size_t k = 0; k < sizeof col / sizeof *col; k++)
		page_head(p, col[k].head, true);
	for (size_t i = 0; i < list->n; i++) {
		page_row(p);
		text_cell(p, &list->item[i], "name");
		for (size_t k = 0; k < sizeof col / sizeof *col; k++)
			number_cell(p, &list->item[i], col[k].group, col[k].key);
	}
	page_table_end(p);
}

static void overlap(struct page *p, const struct json *doc)
{
	const struct json *list = list_of(doc, "overlap");

	if (list->n == 0)
		return;
	page_table(p, "Records that stand in two files");
	page_head(p, "Of", false);
	page_head(p, "are in", false);
	page_head(p, "exactly", true);
	page_head(p, "nearly", true);
	for (size_t i = 0; i < list->n; i++) {
		page_row(p);
		text_cell(p, &list->item[i], "b");
		text_cell(p, &list->item[i], "a");
		number_cell(p, &list->item[i], NULL, "exact");
		number_cell(p, &list->item[i], NULL, "near");
	}
	page_table_end(p);
}

/* How long the records of one file are. */
static void histogram(struct page *p, const struct json *file, const char *unit)
{
	const struct json *h = json_get(json_get(file, unit), "histogram"), *counts = list_of(h, "counts");
	double width = figures_number(h, "width"), *v;
	struct column_chart c = { .title = "Lengths", .xname = unit, .yname = "records", .bins = counts->n, .nseries = 1 };

	if (counts->n == 0 || counts->n > 1000 || !(width > 0 && width < 1e15))
		return;
	v = mem_new(counts->n * sizeof *v);
	for (size_t i = 0; i < counts->n; i++)
		v[i] = json_double(&counts->item[i]);
	page_figure(p, "Lengths in %s; the last column holds all that are longer", unit);
	c.id = p->id;
	c.desc = "How many records have so many of them.";
	c.to = width * (double)counts->n;
	c.v = v;
	svg_columns(&p->body, &c);
	page_figure_end(p);
	mem_free(v);
}

/* The commonest of some values; they come in that order, or are few. */
static void counts(struct page *p, const struct json *file, const char *key, const char *head, const char *unit)
{
	const struct json *v = json_get(file, key);

	if (v == NULL || v->type != JSON_OBJ || v->n == 0)
		return;
	page_table(p, head);
	page_head(p, head, false);
	page_head(p, unit, true);
	for (size_t i = 0; i < v->n && i < TOP; i++) {
		page_row(p);
		page_cell_text(p, v->member[i].key, v->member[i].nkey);
		page_number(p, 0, json_double(&v->member[i].value));
	}
	if (v->n > TOP) {
		page_row(p);
		page_cell(p, false, "and %zu more", v->n - TOP);
		page_cell(p, true, " ");
	}
	page_table_end(p);
}

static void file_details(struct page *p, const struct json *file)
{
	const struct json *name = json_get(file, "name");

	page_details(p, "%s", name && name->type == JSON_STR ? name->s : "File");
	histogram(p, file, json_get(file, "tokens") ? "tokens" : "characters");
	counts(p, file, "labels", "Label", "Records");
	counts(p, file, "languages", "Language", "Records");
	counts(p, file, "scripts", "Script", "Characters");
	counts(p, file, "slices", "Slice", "Records");
	counts(p, file, "sources", "Source", "Records");
	page_details_end(p);
}

static void warnings(struct page *p, const struct json *doc)
{
	const struct json *list = list_of(doc, "warnings");

	for (size_t i = 0; i < list->n; i++) {
		const struct json *file = json_get(&list->item[i], "file"), *text = json_get(&list->item[i], "text");

		if (file && file->type == JSON_STR && text && text->type == JSON_STR)
			page_say(p, SAY_BAD, "%s: %s", file->s, text->s);
	}
}

void report_describe(struct report *r)
{
	const struct report_input *in;

	for (size_t k = 0; (in = report_nth(r, INPUT_DESCRIBE, k)) != NULL; k++) {
		const struct json *list = list_of(in->doc, "files");

		if (k == 0)
			page_section(&r->page, "describe", "What is in the data");
		if (report_count(r, INPUT_DESCRIBE) > 1)
			page_subheading(&r->page, "%s", in->name);
		warnings(&r->page, in->doc);
		files(&r->page, in->doc);
		overlap(&r->page, in->doc);
		for (size_t i = 0; i < list->n; i++)
			file_details(&r->page, &list->item[i]);
	}
}
