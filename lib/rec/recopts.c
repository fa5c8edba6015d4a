/* SPDX-License-Identifier: Apache-2.0 */
/* The options of reading and writing records. */
#include <string.h>

#include "rec.h"

void rec_opts_init(struct rec_opts *o)
{
	memset(o, 0, sizeof *o);
	o->delimiter = o->encoding = "auto";
	o->quote = "\"";
	o->max_record = 64u << 20;
}

const struct opt *rec_opts_table(struct rec_opts *o, struct opt table[20])
{
	const struct opt all[] = {
		OPT_HEAD("Records"),
		OPT_STR('o', "output", &o->output, "FILE", "write FILE, whole or not at all [standard output]"),
		OPT_CHOICE(0, "from", &o->from, "auto|csv|tsv|jsonl|json|rec|text", "format of the input [auto]"),
		OPT_CHOICE(0, "to", &o->to, "auto|csv|tsv|jsonl|json|rec", "format of the output [by its name, else the input's]"),
		OPT_STR(0, "encoding", &o->encoding, "NAME", "encoding of the input, by its ICU name [auto]"),
		OPT_STR(0, "delimiter", &o->delimiter, "C", "delimiter of CSV: a character, tab or auto [auto]"),
		OPT_STR(0, "quote", &o->quote, "C", "quote of CSV, or none [\"]"),
		OPT_STR(0, "escape", &o->escape, "C", "character that makes the next one data [none]"),
		OPT_INT(0, "skip-lines", &o->skip_lines, "N", "lines before the header that are no data [0]", 0, 1e9),
		OPT_FLAG(0, "no-header", &o->no_header, "the first row is data; columns are c1, c2..."),
		OPT_FLAG(0, "union", &o->unite, "files may have different columns"),
		OPT_CHOICE(0, "on-bad", &o->on_bad, "stop|skip", "what to do at a bad record [stop]"),
		OPT_STR(0, "rejects", &o->rejects, "FILE", "write what is bad or dropped to FILE, as JSONL"),
		OPT_STR(0, "stats", &o->stats, "FILE", "write figures of the run to FILE, as JSON"),
		OPT_SIZE(0, "max-record", &o->max_record, "SIZE", "longest record in bytes [64M]"),
		OPT_END
	};

	_Static_assert(sizeof all <= 20 * sizeof *table, "room for the options of records");
	memcpy(table, all, sizeof all);
	return table;
}
