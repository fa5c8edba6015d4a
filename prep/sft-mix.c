/* SPDX-License-Identifier: Apache-2.0 */
/* sft-mix: several files of records in, one mix of them out. */
#include <string.h>

#include "mix.h"

static const char synopsis[] = "sft-mix [options] FILE[:WEIGHT]...";
static const char about[] = "Mix files of records in a ratio: so many of each, small ones more than once.";

static struct {
	int64_t total;
	int order;
	const char *weak, *slice;
	double limit;
	bool source;
} o = { .slice = "slice", .limit = 4 };

static const struct opt options[] = {
	OPT_HEAD("Mix"),
	OPT_INT(0, "total", &o.total, "N", "records of the mix [as many as need none to come twice]", 1, 1LL << 48),
	OPT_CHOICE(0, "order", &o.order, "shuffled|progressive|sequential", "all mixed; from the first file to the last; one by one [shuffled]"),
	OPT_FLAG(0, "source", &o.source, "add the field `source`: the file's name"),
	OPT_STR(0, "weak", &o.weak, "FILE", "errors by slice (JSON): draw more of the weak ones"),
	OPT_STR(0, "slice", &o.slice, "COL", "the field that names a record's slice [slice]"),
	OPT_REAL(0, "weak-limit", &o.limit, "F", "a slice is drawn at most F times as often [4]", 1, 1000),
	OPT_END
};

static void sources_json(struct jw *w, const struct mix *m)
{
	jw_key(w, "sources");
	jw_arr(w);
	for (size_t i = 0; i < m->n; i++) {
		const struct mix_source *s = &m->source[i];

		jw_obj(w);
		jw_key(w, "file");
		jw_str(w, s->file);
		jw_key(w, "weight");
		jw_double(w, s->weight);
		jw_key(w, "records");
		jw_uint(w, s->n);
		jw_key(w, "drawn");
		jw_uint(w, s->draw);
		jw_key(w, "epochs");
		jw_double(w, s->n ? (double)s->draw / (double)s->n : 0);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

static void more_stats(struct jw *w, void *ctx)
{
	const struct mix *m = ctx;

	sources_json(w, m);
	if (m->nslices == 0)
		return;
	jw_key(w, "slices");
	jw_arr(w);
	for (size_t i = 0; i < m->nslices; i++) {
		jw_obj(w);
		jw_key(w, "slice");
		jw_str(w, m->slice[i].name);
		jw_key(w, "factor");
		jw_double(w, m->slice[i].factor);
		jw_key(w, "records");
		jw_uint(w, m->slice[i].n);
		jw_key(w, "drawn");
		jw_uint(w, m->slice[i].draw);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

static void say(const struct mix *m, const struct tool *t)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct mix_source *s = &m->source[i];

		tool_note(t, "%s: %llu of %llu records, %.2f epochs", s->file, (unsigned long long)s->draw, (unsigned long long)s->n,
		          s->n ? (double)s->draw / (double)s->n : 0.0);
	}
}

static int mix_files(struct mix *m, const struct rec_opts *r, struct tool *t)
{
	const char **files = arena_get(&t->arena, ((size_t)t->noperands + 1) * sizeof *files);
	struct recin *in = NULL;
	struct recout *out = NULL;
	int rc;

	for (size_t i = 0; i < m->n; i++)
		files[i] = m->source[i].file;
	if ((rc = rec_open(&in, files, m->n, r, t, &t->e)) != 0 || (rc = rec_create(&out, NULL, rec_format(in), r, t, &t->e)) != 0 ||
	    (rc = mix_run(m, in, out, t, &t->e)) != 0 || (rc = rec_stats(in, out, r, t, more_stats, m, &t->e)) != 0)
		goto failed;
	rc = rec_finish(out, &t->e);
	out = NULL;
	if (rc == 0) {
		say(m, t);
		rc = rec_close(in, &t->e);
		in = NULL;
	}
failed:
	rec_drop(out);
	rec_abandon(in);
	return rc;
}

static int set_up(struct mix *m, struct tool *t)
{
	int rc = 0;

	if (t->noperands == 0)
		return err_set(&t->e, SFT_USAGE, "no file named (expected FILE[:WEIGHT]...)");
	m->total = (uint64_t)o.total;
	m->order = (enum mix_order)o.order;
	m->seed = (uint64_t)t->seed;
	m->label = o.source;
	m->slice_column = o.slice;
	m->limit = o.limit;
	for (int i = 0; i < t->noperands && rc == 0; i++)
		rc = mix_add(m, t->operands[i], &t->e);
	return rc == 0 && o.weak ? mix_weak(m, o.weak, &t->e) : rc;
}

int main(int argc, char **argv)
{
	static struct opt records[20];
	static struct rec_opts r;
	const struct opt *tables[3] = { options, records, NULL };
	struct mix m;
	struct tool t;
	int rc;

	rec_opts_init(&r);
	rec_opts_table(&r, records);
	if ((rc = tool_begin(&t, "sft-mix", synopsis, about, tables, argc, argv)) == 0) {
		mix_init(&m, t.env.tmp);
		if ((rc = set_up(&m, &t)) == 0)
			rc = mix_files(&m, &r, &t);
		mix_release(&m);
	}
	return tool_end(&t, rc);
}
