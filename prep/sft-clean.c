/* SPDX-License-Identifier: Apache-2.0 */
/* sft-clean: records in, cleaned records out. */
#include <stdlib.h>

#include "clean.h"

static const char synopsis[] = "sft-clean [options] [FILE...]";
static const char about[] = "Clean records: the steps run in the order given on the command line.";

struct report {
	const struct clean *c;
	const struct clean_totals *totals;
};

static void pii_stats(struct jw *w, const struct report *r)
{
	jw_key(w, "pii");
	jw_obj(w);
	for (int i = 0; i < PII_KINDS; i++) {
		jw_key(w, pii_names[i]);
		jw_uint(w, r->totals->pii[i]);
	}
	jw_obj_end(w);
}

static void lang_stats(struct jw *w, const struct report *r)
{
	jw_key(w, "languages");
	jw_obj(w);
	for (int i = 0; i < lang_count(r->c->lang); i++)
		if (r->totals->language[i]) {
			jw_key(w, lang_code(r->c->lang, i));
			jw_uint(w, r->totals->language[i]);
		}
	jw_obj_end(w);
}

static void more_stats(struct jw *w, void *ctx)
{
	const struct report *r = ctx;

	jw_key(w, "steps");
	jw_arr(w);
	for (size_t i = 0; i < r->c->n; i++) {
		jw_obj(w);
		jw_key(w, "step");
		jw_str(w, r->c->step[i].kind->name);
		if (r->c->step[i].value) {
			jw_key(w, "value");
			jw_str(w, r->c->step[i].value);
		}
		jw_key(w, "changed");
		jw_uint(w, r->totals->step[i].changed);
		jw_key(w, "dropped");
		jw_uint(w, r->totals->step[i].dropped);
		jw_obj_end(w);
	}
	jw_arr_end(w);
	if (r->c->masks)
		pii_stats(w, r);
	if (r->c->lang)
		lang_stats(w, r);
}

static int clean_files(struct clean *c, const struct rec_opts *o, struct tool *t)
{
	struct clean_totals *totals = mem_new(sizeof *totals);
	struct report report = { c, totals };
	struct recin *in = NULL;
	struct recout *out = NULL;
	int rc;

	if ((rc = clean_ready(c, &t->e)) != 0 ||
	    (rc = rec_open(&in, (const char *const *)t->operands, (size_t)t->noperands, o, t, &t->e)) != 0 ||
	    (rc = rec_create(&out, NULL, rec_format(in), o, t, &t->e)) != 0 ||
	    (rc = clean_run(c, in, out, o, t, totals, &t->e)) != 0 ||
	    (rc = rec_stats(in, out, o, t, more_stats, &report, &t->e)) != 0 || (rc = rec_settle(in, &t->e)) != 0)
		goto failed;
	rc = rec_finish(out, &t->e);
	out = NULL;
	if (rc == 0) {
		rc = rec_close(in, &t->e);
		in = NULL;
	}
failed:
	rec_drop(out);
	rec_abandon(in);
	mem_free(totals);
	return rc;
}

int main(int argc, char **argv)
{
	static struct clean c;
	static struct opt steps[CLEAN_MAX_OPTIONS], records[20];
	static struct rec_opts o;
	const struct opt *tables[3] = { steps, records, NULL };
	struct tool t;
	int rc;

	clean_init(&c);
	clean_options(&c, steps);
	rec_opts_init(&o);
	rec_opts_table(&o, records);
	if ((rc = tool_begin(&t, "sft-clean", synopsis, about, tables, argc, argv)) == 0)
		rc = clean_files(&c, &o, &t);
	clean_release(&c);
	return tool_end(&t, rc);
}
