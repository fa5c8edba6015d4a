/* SPDX-License-Identifier: Apache-2.0 */
/* sft-dedup: records in, the same without duplicates out. */
#include <stdlib.h>
#include <string.h>

#include "dedup.h"

static const char synopsis[] = "sft-dedup [options] [FILE...]";
static const char about[] = "Drop records whose key, or all of whose fields, an earlier record has.";

static struct {
	const char *key;
	int keep;
	struct opt_list against;
} o;

static const struct opt options[] = {
	OPT_HEAD("Duplicates"),
	OPT_STR(0, "key", &o.key, "COL,...", "records are the same if these columns are [all of them]"),
	OPT_CHOICE(0, "keep", &o.keep, "first|last|longest", "which one stays [first]"),
	OPT_LIST(0, "against", &o.against, "FILE", "drop what also stands in FILE (repeatable)"),
	OPT_END
};

static void more_stats(struct jw *w, void *ctx)
{
	const struct dedup *d = ctx;

	jw_key(w, "keys");
	jw_uint(w, d->seen.n);
	jw_key(w, "duplicates");
	jw_uint(w, d->duplicates);
	jw_key(w, "contaminated");
	jw_uint(w, d->contaminated);
}

static void warn(const struct dedup *d, const struct tool *t)
{
	if (dedup_looks_like_turns(d))
		tool_warn(t, "--key %s drops %llu of %llu records and repeats in neighbouring rows: "
		          "this looks like a table of turns (see sft-prompt --dialogue)",
		          o.key, (unsigned long long)d->duplicates, (unsigned long long)d->read);
}

static int dedup_files(struct dedup *d, const struct rec_opts *r, struct tool *t)
{
	struct recin *in = NULL;
	struct recout *out = NULL;
	int rc = 0;

	if (o.key && strcmp(o.key, "all") != 0)
		words_split(&d->key, o.key, &t->arena);
	for (size_t i = 0; i < o.against.n; i++)
		if ((rc = dedup_against(d, o.against.v[i], r, t, &t->e)) != 0)
			return rc;
	if ((rc = rec_open(&in, (const char *const *)t->operands, (size_t)t->noperands, r, t, &t->e)) != 0 ||
	    (rc = rec_create(&out, NULL, rec_format(in), r, t, &t->e)) != 0 ||
	    (rc = dedup_run(d, in, out, r, t, &t->e)) != 0 ||
	    (rc = rec_stats(in, out, r, t, more_stats, d, &t->e)) != 0)
		goto failed;
	rc = rec_finish(out, &t->e);
	out = NULL;
	if (rc == 0) {
		warn(d, t);
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
	const char *tmp = getenv("TMPDIR");
	struct dedup d;
	struct tool t;
	int rc;

	rec_opts_init(&r);
	rec_opts_table(&r, records);
	if ((rc = tool_begin(&t, "sft-dedup", synopsis, about, tables, argc, argv)) == 0) {
		dedup_init(&d, (enum dedup_keep)o.keep, tmp && *tmp ? tmp : "/tmp");
		rc = dedup_files(&d, &r, &t);
		dedup_release(&d);
	}
	return tool_end(&t, rc);
}
