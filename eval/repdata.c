/* SPDX-License-Identifier: Apache-2.0 */
/* What the tools before did to the data: --stats of each, and shards. */
#include <math.h>
#include <string.h>

#include "figures.h"
#include "report.h"
#include "svgrange.h"

static const char *tool_of(const struct report_input *in)
{
	const struct json *tool = json_get(in->doc, "tool");

	return tool && tool->type == JSON_STR ? tool->s : in->name;
}

/* Records in and out, tool by tool. */
static void picture(struct report *r, size_t n)
{
	static const char *const sets[] = { "records in", "records out" };
	struct range_row *row = mem_new(2 * n * sizeof *row);
	struct range_chart c = {
		.row = row, .n = 2 * n, .lo = 0, .hi = NAN, .mark = NAN, .places = 0, .title = "Records in and out of each tool"
	};

	for (size_t k = 0; k < n; k++) {
		const struct report_input *in = report_nth(r, INPUT_STATS, k);

		row[2 * k] = (struct range_row){
			tool_of(in), strlen(tool_of(in)), 0, figures_number(json_get(in->doc, "input"), "records"), NAN, NAN, NULL
		};
		row[2 * k + 1] =
			(struct range_row){ NULL, 0, 1, figures_number(json_get(in->doc, "output"), "records"), NAN, NAN, NULL };
	}
	page_figure(&r->page, "Records in and out of each tool");
	page_legend(&r->page, sets, 2);
	c.id = r->page.id;
	c.desc = "Two bars for each tool. The numbers stand in the table below.";
	svg_ranges(&r->page.body, &c);
	page_figure_end(&r->page);
	mem_free(row);
}

static void rejected(struct page *p, const struct json *reasons)
{
	struct buf list = { 0 };

	for (size_t k = 0; reasons && reasons->type == JSON_OBJ && k < reasons->n; k++) {
		buf_str(&list, k ? "; " : "");
		buf_add(&list, reasons->member[k].key, reasons->member[k].nkey);
		buf_fmt(&list, ": %.0f", json_double(&reasons->member[k].value));
	}
	page_cell_text(p, list.p ? list.p : "", list.n);
	buf_free(&list);
}

static void table(struct report *r, size_t n)
{
	struct page *p = &r->page;

	page_table(p, "Tools and records");
	page_head(p, "Tool", false);
	page_head(p, "File", false);
	page_head(p, "In", true);
	page_head(p, "Out", true);
	page_head(p, "Seconds", true);
	page_head(p, "Rejected or dropped", false);
	for (size_t k = 0; k < n; k++) {
		const struct report_input *in = report_nth(r, INPUT_STATS, k);

		page_row(p);
		page_cell(p, false, "%s", tool_of(in));
		page_cell(p, false, "%s", in->name);
		page_number(p, 0, figures_number(json_get(in->doc, "input"), "records"));
		page_number(p, 0, figures_number(json_get(in->doc, "output"), "records"));
		page_number(p, 2, figures_number(in->doc, "seconds"));
		rejected(p, json_get(in->doc, "rejected"));
	}
	page_table_end(p);
}

/* The plain members of a shard's figures. */
static void shards(struct report *r, size_t n)
{
	struct page *p = &r->page;

	for (size_t k = 0; k < n; k++) {
		const struct report_input *in = report_nth(r, INPUT_SHARD, k);

		page_details(p, "Shard %s", in->name);
		page_table(p, "Shard");
		page_head(p, "Figure", false);
		page_head(p, "Value", false);
		for (size_t i = 0; in->doc->type == JSON_OBJ && i < in->doc->n; i++) {
			const struct json *v = &in->doc->member[i].value;

			if (v->type == JSON_OBJ || v->type == JSON_ARR || strcmp(in->doc->member[i].key, "schema") == 0)
				continue;
			page_row(p);
			page_cell(p, false, "%s", in->doc->member[i].key);
			page_cell_json(p, v);
		}
		page_table_end(p);
		page_details_end(p);
	}
}

void report_data(struct report *r)
{
	size_t tools = report_count(r, INPUT_STATS), nshards = report_count(r, INPUT_SHARD);

	if (tools + nshards)
		page_section(&r->page, "data", "Data");
	if (tools) {
		picture(r, tools);
		table(r, tools);
	}
	shards(r, nshards);
}
