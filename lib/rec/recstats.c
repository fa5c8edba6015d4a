/* SPDX-License-Identifier: Apache-2.0 */
/* --stats: the figures of a run. */
#include "outfile.h"
#include "recin.h"

static const char *format_name(enum rec_format f)
{
	static const char *const names[] = { "auto", "csv", "tsv", "jsonl", "json", "rec", "text" };

	return names[f];
}

static void input_json(const struct recin *in, struct jw *w)
{
	jw_key(w, "input");
	jw_obj(w);
	jw_key(w, "records");
	jw_uint(w, rec_count(in));
	jw_key(w, "bytes");
	jw_uint(w, rec_bytes(in));
	jw_key(w, "format");
	jw_str(w, format_name(rec_format(in)));
	jw_key(w, "encoding");
	jw_str(w, rec_encoding(in));
	jw_key(w, "files");
	jw_arr(w);
	for (size_t i = 0; i < in->nfiles; i++)
		jw_str(w, in->file[i]);
	jw_arr_end(w);
	jw_obj_end(w);
}

int rec_stats(const struct recin *in, const struct recout *out, const struct rec_opts *o, const struct tool *t,
              void (*more)(struct jw *w, void *ctx), void *ctx, struct err *e)
{
	struct buf b = {0};
	struct jw w;
	int rc;

	if (o->stats == NULL)
		return 0;
	jw_init(&w, &b);
	jw_obj(&w);
	jw_key(&w, "schema");
	jw_str(&w, "sft.stats/1");
	tool_json(t, &w);
	jw_key(&w, "options");
	tool_options_json(t, &w);
	jw_key(&w, "seconds");
	jw_double(&w, clock_seconds() - t->start);
	if (in)
		input_json(in, &w);
	jw_key(&w, "output");
	jw_obj(&w);
	jw_key(&w, "records");
	jw_uint(&w, out ? rec_written(out) : 0);
	jw_obj_end(&w);
	if (in)
		reject_json(&in->rejects, &w);
	if (more)
		more(&w, ctx);
	jw_obj_end(&w);
	buf_ch(&b, '\n');
	rc = out_whole(o->stats, b.p, b.n, false, e);
	buf_free(&b);
	return rc;
}
