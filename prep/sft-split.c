/* SPDX-License-Identifier: Apache-2.0 */
/* sft-split: records in; train, val and test files out. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "outfile.h"
#include "split.h"

static const char synopsis[] = "sft-split [--val F] [--test F] [options] -o DIR [FILE...]";
static const char about[] = "Split records into DIR/train, DIR/val and DIR/test, with the ending of their format.";

static struct {
	double val, test;
	const char *stratify, *group, *key;
} o = { .val = 0.1 };

static const struct opt options[] = {
	OPT_HEAD("Split"),
	OPT_REAL(0, "val", &o.val, "F", "share for val, or records if 1 or more [0.1]", 0, 0x1p53),
	OPT_REAL(0, "test", &o.test, "F", "share for test, or records if 1 or more [0]", 0, 0x1p53),
	OPT_STR(0, "stratify", &o.stratify, "COL", "the same shares of each value of this column"),
	OPT_STR(0, "group", &o.group, "COL", "records with one value of this column stay together"),
	OPT_STR(0, "key", &o.key, "COL,...", "what a record is ranked by [all its text]"),
	OPT_END
};

static const char *const side_names[SIDES] = { "train", "val", "test" };

struct files {
	char path[SIDES][4096];
	struct recout *out[SIDES];
};

static const char *ending(enum rec_format f)
{
	switch (f) {
	case REC_TSV:
		return "tsv";
	case REC_JSONL:
		return "jsonl";
	case REC_JSON:
		return "json";
	case REC_REC:
		return "rec";
	case REC_TEXT:
		return "txt";
	default:
		return "csv";
	}
}

static int check(const struct rec_opts *r, struct err *e)
{
	if (r->output == NULL || strcmp(r->output, "-") == 0)
		return err_set(e, SFT_USAGE, "-o DIR is needed (a folder for the parts)");
	if (o.stratify && o.group)
		return err_set(e, SFT_USAGE, "--stratify and --group exclude each other (a group may hold several values)");
	if (o.key && o.group)
		return err_set(e, SFT_USAGE, "--key and --group exclude each other (records are ranked by their group)");
	if ((o.val >= 1 && o.val != floor(o.val)) || (o.test >= 1 && o.test != floor(o.test)))
		return err_set(e, SFT_USAGE, "--val and --test are shares below 1 or whole counts");
	if (o.val < 1 && o.test < 1 && o.val + o.test > 1)
		return err_set(e, SFT_USAGE, "--val %g and --test %g are more than all there is", o.val, o.test);
	return 0;
}

static int create(struct files *f, const struct rec_opts *r, enum rec_format input, const struct tool *t, struct err *e)
{
	enum rec_format format = r->to ? (enum rec_format)r->to : input;
	const bool wanted[SIDES] = { true, o.val > 0, o.test > 0 };
	int rc;

	if ((rc = out_mkdirs(r->output, e)) != 0)
		return rc;
	for (int i = 0; i < SIDES && rc == 0; i++) {
		if (!wanted[i])
			continue;
		snprintf(f->path[i], sizeof f->path[i], "%s/%s.%s", r->output, side_names[i], ending(format));
		rc = rec_create(&f->out[i], f->path[i], format, r, t, e);
	}
	return rc;
}

/* All of them, or none: where one cannot be finished, those that were are removed. */
static int finish(struct files *f, struct err *e)
{
	int rc = 0;

	for (int i = 0; i < SIDES && rc == 0; i++) {
		struct recout *out = f->out[i];

		f->out[i] = NULL;
		if (out && (rc = rec_finish(out, e)) != 0)
			while (i-- > 0)
				if (f->path[i][0])
					unlink(f->path[i]);
		if (rc)
			break;
	}
	return rc;
}

static void more_stats(struct jw *w, void *ctx)
{
	const struct split *s = ctx;

	for (int i = 0; i < SIDES; i++) {
		jw_key(w, side_names[i]);
		jw_uint(w, s->count[i]);
	}
	if (s->group.n) {
		jw_key(w, "groups");
		jw_uint(w, s->groups);
	}
	if (s->by_class == NULL)
		return;
	jw_key(w, "classes");
	jw_obj(w);
	for (size_t k = 0; k < s->classes.n; k++) {
		jw_keyn(w, s->classes.e[k].key, s->classes.e[k].n);
		jw_arr(w);
		for (int i = 0; i < SIDES; i++)
			jw_uint(w, s->by_class[k][i]);
		jw_arr_end(w);
	}
	jw_obj_end(w);
}

static void say(const struct split *s, const struct tool *t)
{
	if (s->count[SIDE_TRAIN] == 0 && s->count[SIDE_VAL] + s->count[SIDE_TEST] > 0)
		tool_warn(t, "nothing is left for train: %llu val, %llu test", (unsigned long long)s->count[SIDE_VAL],
		          (unsigned long long)s->count[SIDE_TEST]);
	tool_note(t, "%llu train, %llu val, %llu test", (unsigned long long)s->count[SIDE_TRAIN],
	          (unsigned long long)s->count[SIDE_VAL], (unsigned long long)s->count[SIDE_TEST]);
}

static int split_files(struct split *s, const struct rec_opts *r, struct tool *t)
{
	struct files f = {0};
	struct recin *in = NULL;
	int rc;

	if (o.stratify)
		wordlist_add(&s->stratify, o.stratify);
	if (o.group)
		wordlist_add(&s->group, o.group);
	if (o.key && strcmp(o.key, "all") != 0)
		wordlist_split(&s->key, o.key, &t->arena);
	s->val = o.val;
	s->test = o.test;
	s->seed = (uint64_t)t->seed;
	if ((rc = rec_open(&in, (const char *const *)t->operands, (size_t)t->noperands, r, t, &t->e)) != 0 ||
	    (rc = create(&f, r, rec_format(in), t, &t->e)) != 0 ||
	    (rc = split_run(s, in, f.out, r, t, &t->e)) != 0 ||
	    (rc = rec_stats(in, f.out[SIDE_TRAIN], r, t, more_stats, s, &t->e)) != 0 ||
	    (rc = rec_settle(in, &t->e)) != 0 ||
	    (rc = finish(&f, &t->e)) != 0)
		goto failed;
	say(s, t);
	rc = rec_close(in, &t->e);
	in = NULL;
failed:
	for (int i = 0; i < SIDES; i++)
		rec_drop(f.out[i]);
	rec_abandon(in);
	return rc;
}

int main(int argc, char **argv)
{
	static struct opt records[20];
	static struct rec_opts r;
	const struct opt *tables[3] = { options, records, NULL };
	struct split s;
	struct tool t;
	int rc;

	rec_opts_init(&r);
	rec_opts_table(&r, records);
	if ((rc = tool_begin(&t, "sft-split", synopsis, about, tables, argc, argv)) == 0 && (rc = check(&r, &t.e)) == 0) {
		split_init(&s, t.env.tmp);
		rc = split_files(&s, &r, &t);
		split_release(&s);
	}
	return tool_end(&t, rc);
}
