/* SPDX-License-Identifier: Apache-2.0 */
/* sft-augment: records in; the same and changed copies of them, marked as such, out. */
#include <string.h>

#include "augment.h"
#include "weakslices.h"

static const char synopsis[] = "sft-augment --columns COL,... METHOD... [options] [FILE...]";
static const char about[] = "Add changed copies of records: other words, slips of typing, other numbers and names.";

static struct {
	const char *columns, *id, *only, *weak, *slice, *group;
	struct opt_list entities, dialect, synonyms, homophones, held_out;
	bool numbers, punctuation, letter_case, width, only_new;
	double keyboard, rate;
	int64_t copies;
} o = { .rate = 0.3, .copies = 1 };

static const struct opt options[] = {
	OPT_HEAD("Methods, applied in this order"),
	OPT_LIST(0, "entities", &o.entities, "FILE", "names (a dictionary with classes): another one of the class"),
	OPT_FLAG(0, "numbers", &o.numbers, "other digits in numbers"),
	OPT_LIST(0, "dialect", &o.dialect, "FILE", "dictionary: a variant instead of the term"),
	OPT_LIST(0, "synonyms", &o.synonyms, "FILE", "dictionary: term or variant, another of the same entry"),
	OPT_LIST(0, "homophones", &o.homophones, "FILE", "dictionary of what is typed for each other"),
	OPT_REAL(0, "keyboard", &o.keyboard, "F", "slips on this share of the letters a-z [0]", 0, 1),
	OPT_FLAG(0, "punctuation", &o.punctuation, "other signs, none at the end, or the last one twice"),
	OPT_FLAG(0, "case", &o.letter_case, "small letters, capitals, or Capitals At First"),
	OPT_FLAG(0, "width", &o.width, "full-width letters and digits, or the usual ones"),
	OPT_HEAD("Augment"),
	OPT_STR(0, "columns", &o.columns, "COL,...", "texts that are changed (never the label)"),
	OPT_REAL(0, "rate", &o.rate, "F", "share of the words, names and numbers that are changed [0.3]", 0, 1),
	OPT_INT(0, "copies", &o.copies, "N", "copies of each record at most [1]", 1, 100),
	OPT_FLAG(0, "only-new", &o.only_new, "write the copies alone"),
	OPT_STR(0, "id", &o.id, "COL", "ids: copies get -a1, -a2... behind"),
	OPT_STR(0, "only", &o.only, "COL=VALUE,...", "augment records with these values alone (split=train)"),
	OPT_STR(0, "weak", &o.weak, "FILE", "augment the weak slices of FILE alone (JSON of sft eval errors)"),
	OPT_STR(0, "slice", &o.slice, "COL", "--weak: the column that names a record's slice [slice]"),
	OPT_LIST(0, "held-out", &o.held_out, "FILE", "never augment what shares its --group with a record of FILE (repeatable)"),
	OPT_STR(0, "group", &o.group, "COL,...", "columns that --held-out goes by"),
	OPT_END
};

static void more_stats(struct jw *w, void *ctx)
{
	const struct augment *g = ctx;
	const struct augwork *sum = &g->work[0];

	jw_key(w, "copies");
	jw_uint(w, sum->made);
	jw_key(w, "unchanged");
	jw_uint(w, sum->same);
	jw_key(w, "guarded");
	jw_uint(w, sum->guarded);
	jw_key(w, "methods");
	jw_obj(w);
	for (int k = 0; k < AUG_KINDS; k++)
		if (g->use[k]) {
			jw_key(w, augment_names[k]);
			jw_uint(w, sum->used[k]);
		}
	jw_obj_end(w);
}

static int read_dicts(struct augment *g, enum augment_kind k, const struct opt_list *files, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < files->n && rc == 0; i++)
		rc = augment_dict(g, k, files->v[i], e);
	return rc;
}

static int methods(struct augment *g, struct err *e)
{
	int rc;

	g->use[AUG_NUMBERS] = o.numbers;
	g->use[AUG_KEYBOARD] = o.keyboard > 0;
	g->use[AUG_PUNCTUATION] = o.punctuation;
	g->use[AUG_CASE] = o.letter_case;
	g->use[AUG_WIDTH] = o.width;
	if ((rc = read_dicts(g, AUG_ENTITIES, &o.entities, e)) != 0 || (rc = read_dicts(g, AUG_DIALECT, &o.dialect, e)) != 0 ||
	    (rc = read_dicts(g, AUG_SYNONYMS, &o.synonyms, e)) != 0 || (rc = read_dicts(g, AUG_HOMOPHONES, &o.homophones, e)) != 0)
		return rc;
	for (int k = 0; k < AUG_KINDS; k++)
		if (g->use[k])
			return 0;
	return err_set(e, SFT_USAGE, "no method (expected --synonyms FILE, --keyboard F, --numbers or another)");
}

static int only(struct augment *g, struct tool *t)
{
	const char *equals = o.only ? strchr(o.only, '=') : NULL;

	if (o.only == NULL)
		return 0;
	if (equals == NULL || equals == o.only)
		return err_set(&t->e, SFT_USAGE, "--only '%s' (expected COL=VALUE,...)", o.only);
	g->only_column = arena_str(&t->arena, o.only, (size_t)(equals - o.only));
	wordlist_split(&g->only_values, equals + 1, &t->arena);
	return 0;
}

/* --weak: the slices whose error rate is over the mean. */
static int weak(struct augment *g, struct tool *t)
{
	struct weak_slices w;
	int rc;

	if (o.weak == NULL)
		return o.slice ? err_set(&t->e, SFT_USAGE, "--slice is for --weak FILE") : 0;
	if ((rc = weak_read(&w, o.weak, &t->arena, &t->e)) != 0)
		return rc;
	for (size_t k = 0; k < w.n; k++)
		if (w.v[k].rate * w.all > w.errors)
			strmap_put(&g->weak, w.v[k].name, strlen(w.v[k].name), k, NULL);
	g->weak_column = o.slice ? o.slice : "slice";
	return g->weak.n ? 0 : err_set(&t->e, SFT_BADDATA, "%s: no slice is weaker than the mean (nothing to augment)", o.weak);
}

static int set_up(struct augment *g, const struct rec_opts *r, struct tool *t)
{
	int rc;

	if (o.columns == NULL)
		return err_set(&t->e, SFT_USAGE, "--columns COL,... is needed (the texts to change)");
	if ((o.group == NULL) != (o.held_out.n == 0))
		return err_set(&t->e, SFT_USAGE, "--held-out FILE and --group COL go together");
	g->rate = o.rate;
	g->keyboard = o.keyboard;
	g->copies = o.copies;
	g->only_new = o.only_new;
	g->id = o.id;
	g->missing_ok = r->unite;
	g->seed = (uint64_t)t->seed;
	wordlist_split(&g->columns, o.columns, &t->arena);
	if (o.group)
		wordlist_split(&g->group, o.group, &t->arena);
	if ((rc = only(g, t)) != 0 || (rc = weak(g, t)) != 0 || (rc = methods(g, &t->e)) != 0 || (rc = augment_ready(g, (int)t->threads, &t->e)) != 0)
		return rc;
	for (size_t i = 0; i < o.held_out.n && rc == 0; i++)
		rc = augment_hold_out(g, o.held_out.v[i], r, t, &t->e);
	return rc;
}

static int augment_files(struct augment *g, const struct rec_opts *r, struct tool *t)
{
	struct recpipe p = { .ctx = g, .map = augment_record };
	struct recin *in = NULL;
	struct recout *out = NULL;
	int rc;

	if ((rc = rec_open(&in, (const char *const *)t->operands, (size_t)t->noperands, r, t, &t->e)) != 0 ||
	    (rc = rec_create(&out, NULL, rec_format(in), r, t, &t->e)) != 0)
		goto failed;
	p.in = in;
	p.out = out;
	if ((rc = recpipe_run(&p, t, &t->e)) != 0 || (rc = rec_header(out, addcols_names(&g->cols, rec_names(in)), &t->e)) != 0)
		goto failed;
	augment_sum(g);
	if ((rc = rec_stats(in, out, r, t, more_stats, g, &t->e)) != 0)
		goto failed;
	rc = rec_finish(out, &t->e);
	out = NULL;
	if (rc == 0) {
		tool_note(t, "%llu copies of %llu records; %llu left alone", (unsigned long long)g->work[0].made,
		          (unsigned long long)g->work[0].seen, (unsigned long long)g->work[0].guarded);
		rc = rec_close(in, &t->e);
		in = NULL;
	}
failed:
	rec_drop(out);
	rec_abandon(in);
	return rc;
}

int main(int argc, char **argv)
{
	static struct opt records[20];
	static struct rec_opts r;
	const struct opt *tables[3] = { options, records, NULL };
	struct augment g;
	struct tool t;
	int rc;

	rec_opts_init(&r);
	rec_opts_table(&r, records);
	if ((rc = tool_begin(&t, "sft-augment", synopsis, about, tables, argc, argv)) == 0) {
		augment_init(&g);
		if ((rc = set_up(&g, &r, &t)) == 0)
			rc = augment_files(&g, &r, &t);
		augment_release(&g);
	}
	return tool_end(&t, rc);
}
