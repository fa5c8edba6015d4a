/* SPDX-License-Identifier: Apache-2.0 */
/* sft-dedup: records in, the same without duplicates out. */
#include <string.h>

#include "dedup.h"
#include "nearrun.h"

static const char synopsis[] = "sft-dedup [options] [FILE...]";
static const char about[] = "Drop records whose key (or whole content) another record has, or whose text is nearly that of another.";

static struct {
	const char *key;
	int keep;
	struct opt_list against;
	double threshold;
	int64_t shingle, ngram;
	int unit;
	struct near near;
} o = { .threshold = 0.8, .shingle = 5 };

static const struct opt options[] = {
	OPT_HEAD("Duplicates"),
	OPT_STR(0, "key", &o.key, "COL,...", "records are the same if these columns are [all of them]"),
	OPT_CHOICE(0, "keep", &o.keep, "first|last|longest", "which one stays [first]"),
	OPT_LIST(0, "against", &o.against, "FILE", "drop what also stands in FILE (repeatable)"),
	OPT_INT(0, "ngram", &o.ngram, "N", "drop what shares N words in a row with it, too (13 is usual)", 1, 1000),
	OPT_HEAD("Near-duplicates"),
	OPT_STR(0, "near", &o.near.column, "COL", "records are the same if these texts are similar"),
	OPT_REAL(0, "threshold", &o.threshold, "J", "least Jaccard similarity of their shingles [0.8]", 0.05, 1),
	OPT_INT(0, "shingle", &o.shingle, "N", "characters or words of a shingle [5]", 1, 1000),
	OPT_CHOICE(0, "unit", &o.unit, "char|word", "what shingles are made of [char]"),
	OPT_STR(0, "clusters", &o.near.clusters, "FILE", "write id,cluster of each record"),
	OPT_STR(0, "pairs", &o.near.pairs, "FILE", "write a,b,jaccard of each pair"),
	OPT_STR(0, "id", &o.near.id, "COL", "what records are called there [their number, from 0]"),
	OPT_END
};

/* Of the contaminated: those that only share an n-gram. */
static void overlap_stats(struct jw *w, uint64_t overlaps)
{
	if (o.ngram == 0)
		return;
	jw_key(w, "ngram_overlaps");
	jw_uint(w, overlaps);
}

static void more_stats(struct jw *w, void *ctx)
{
	const struct dedup *d = ctx;

	jw_key(w, "keys");
	jw_uint(w, d->seen.n);
	jw_key(w, "duplicates");
	jw_uint(w, d->duplicates);
	jw_key(w, "contaminated");
	jw_uint(w, d->contaminated);
	overlap_stats(w, d->overlaps);
}

static void warn(const struct dedup *d, const struct tool *t)
{
	if (dedup_looks_like_turns(d))
		tool_warn(t, "--key %s drops %llu of %llu records and repeats in neighbouring rows: "
		          "this looks like a table of turns (see sft-prompt --dialogue)",
		          o.key, (unsigned long long)d->duplicates, (unsigned long long)d->read);
}

static void near_stats(struct jw *w, void *ctx)
{
	const struct near *n = ctx;

	jw_key(w, "groups");
	jw_uint(w, n->groups);
	jw_key(w, "near_duplicates");
	jw_uint(w, n->records - n->groups - n->contaminated);
	if (n->nagainst) {
		jw_key(w, "contaminated");
		jw_uint(w, n->contaminated);
		overlap_stats(w, n->overlaps);
	}
	if (n->pairs) {
		jw_key(w, "pairs");
		jw_uint(w, n->pair_count);
	}
}

static int prepare(struct dedup *d, const struct rec_opts *r, struct tool *t)
{
	int rc = 0;

	if (o.near.column && o.key)
		return err_set(&t->e, SFT_USAGE, "--near does not go with --key (run one after the other)");
	if (o.ngram && o.against.n == 0)
		return err_set(&t->e, SFT_USAGE, "--ngram needs --against");
	if (o.near.column == NULL && (o.near.clusters || o.near.pairs || o.near.id))
		return err_set(&t->e, SFT_USAGE, "--clusters, --pairs and --id need --near");
	o.near.how = (struct shingling){ (unsigned)o.shingle, o.unit == 1 };
	o.near.threshold = o.threshold;
	o.near.keep = d->keep;
	o.near.against = o.against.v;
	o.near.nagainst = o.against.n;
	o.near.ngram = (size_t)o.ngram;
	o.near.scratch_dir = d->scratch_dir;
	if (o.key && strcmp(o.key, "all") != 0)
		words_split(&d->key, o.key, &t->arena);
	for (size_t i = 0; o.near.column == NULL && i < o.against.n && rc == 0; i++)
		rc = dedup_against(d, o.against.v[i], r, t, &t->e);
	return rc;
}

static int run(struct dedup *d, struct recin *in, struct recout *out, const struct rec_opts *r, struct tool *t)
{
	int rc;

	if (o.near.column == NULL) {
		rc = dedup_run(d, in, out, r, t, &t->e);
		return rc ? rc : rec_stats(in, out, r, t, more_stats, d, &t->e);
	}
	rc = near_run(&o.near, in, out, r, t, &t->e);
	return rc ? rc : rec_stats(in, out, r, t, near_stats, &o.near, &t->e);
}

static int dedup_files(struct dedup *d, const struct rec_opts *r, struct tool *t)
{
	struct recin *in = NULL;
	struct recout *out = NULL;
	int rc;

	if ((rc = prepare(d, r, t)) != 0 ||
	    (rc = rec_open(&in, (const char *const *)t->operands, (size_t)t->noperands, r, t, &t->e)) != 0 ||
	    (rc = rec_create(&out, NULL, rec_format(in), r, t, &t->e)) != 0 ||
	    (rc = run(d, in, out, r, t)) != 0 || (rc = rec_settle(in, &t->e)) != 0)
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
	struct dedup d;
	struct tool t;
	int rc;

	rec_opts_init(&r);
	rec_opts_table(&r, records);
	if ((rc = tool_begin(&t, "sft-dedup", synopsis, about, tables, argc, argv)) == 0) {
		dedup_init(&d, (enum dedup_keep)o.keep, o.near.column ? 0 : (size_t)o.ngram, t.env.tmp);
		rc = dedup_files(&d, &r, &t);
		dedup_release(&d);
	}
	return tool_end(&t, rc);
}
