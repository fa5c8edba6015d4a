/* SPDX-License-Identifier: Apache-2.0 */
/* sft-dedup: records in, the same without duplicates out. */
#include <string.h>

#include "dedup.h"
#include "nearjoin.h"

static const char synopsis[] = "sft-dedup [options] [FILE...]";
static const char about[] = "Drop records whose key (or whole content) another record has, or whose text is nearly that of another.";

enum { MEMORY_LEAST = 16 << 20 };

static struct {
	const char *key, *near, *id, *clusters, *pairs, *signatures, *drop;
	int keep, unit;
	struct opt_list against;
	double threshold;
	int64_t shingle, ngram;
	uint64_t memory;
	bool join;
} o = { .threshold = 0.8, .shingle = 5, .memory = 1 << 30 };

static const struct opt options[] = {
	OPT_HEAD("Duplicates"),
	OPT_STR(0, "key", &o.key, "COL,...", "records are the same if these columns are [all of them]"),
	OPT_CHOICE(0, "keep", &o.keep, "first|last|longest", "which one stays [first]"),
	OPT_LIST(0, "against", &o.against, "FILE", "drop what also stands in FILE (repeatable)"),
	OPT_INT(0, "ngram", &o.ngram, "N", "drop what shares N words in a row with it, too (13 is usual)", 1, 1000),
	OPT_SIZE(0, "memory", &o.memory, "SIZE", "what takes more goes to files in $TMPDIR [1G]"),
	OPT_HEAD("Near-duplicates"),
	OPT_STR(0, "near", &o.near, "COL", "records are the same if these texts are similar"),
	OPT_REAL(0, "threshold", &o.threshold, "J", "least Jaccard similarity of their shingles [0.8]", 0.05, 1),
	OPT_INT(0, "shingle", &o.shingle, "N", "characters or words of a shingle [5]", 1, 1000),
	OPT_CHOICE(0, "unit", &o.unit, "char|word", "what shingles are made of [char]"),
	OPT_STR(0, "clusters", &o.clusters, "FILE", "write id,cluster of each record"),
	OPT_STR(0, "pairs", &o.pairs, "FILE", "write a,b,jaccard of each pair"),
	OPT_STR(0, "id", &o.id, "COL", "what records are called there [their number, from 0]"),
	OPT_HEAD("Shard by shard"),
	OPT_STR(0, "signatures", &o.signatures, "FILE", "write what --join needs of this shard, and no records"),
	OPT_FLAG(0, "join", &o.join, "the FILEs are signatures of all shards; write DIR/NAME.drop of each (-o DIR)"),
	OPT_STR(0, "drop", &o.drop, "FILE", "drop from this shard what a join found (NAME.drop)"),
	OPT_END
};

/* --- figures --- */

/* What was kept out; of these, what only shares an n-gram. */
static void contaminated_stats(struct jw *w, const uint64_t fate[FATES])
{
	jw_key(w, "contaminated");
	jw_uint(w, fate[FATE_AGAINST] + fate[FATE_GRAM] + fate[FATE_NEAR_AGAINST]);
	if (o.ngram) {
		jw_key(w, "ngram_overlaps");
		jw_uint(w, fate[FATE_GRAM]);
	}
}

static void exact_stats(struct jw *w, void *ctx)
{
	const struct dedup *d = ctx;

	jw_key(w, "keys");
	jw_uint(w, d->fate[FATE_KEPT]);
	jw_key(w, "duplicates");
	jw_uint(w, d->fate[FATE_DUPLICATE]);
	contaminated_stats(w, d->fate);
	jw_key(w, "spilled");
	jw_bool(w, d->sorted != NULL);
}

static void near_stats(struct jw *w, void *ctx)
{
	const struct near *n = ctx;

	if (o.signatures == NULL) {
		jw_key(w, "groups");
		jw_uint(w, n->groups);
		jw_key(w, "duplicates");
		jw_uint(w, n->fate[FATE_DUPLICATE]);
		jw_key(w, "near_duplicates");
		jw_uint(w, n->fate[FATE_NEAR]);
	}
	contaminated_stats(w, n->fate);
	if (n->pairs) {
		jw_key(w, "pairs");
		jw_uint(w, n->pair_count);
	}
}

static void join_stats(struct jw *w, void *ctx)
{
	const struct near *n = ctx;

	jw_key(w, "records");
	jw_uint(w, n->records);
	near_stats(w, ctx);
}

static void warn(const struct dedup *d, const struct tool *t)
{
	if (dedup_looks_like_turns(d))
		tool_warn(t, "--key %s drops %llu of %llu records and repeats in neighbouring rows: "
		          "this looks like a table of turns (see sft-prompt --dialogue)",
		          o.key, (unsigned long long)d->fate[FATE_DUPLICATE], (unsigned long long)d->read);
}

/* --- options --- */

static bool grouping(void)
{
	return o.near || o.signatures;
}

static int check(const struct tool *t, const struct rec_opts *r, struct err *e)
{
	bool comparing = o.key || o.near || o.against.n || o.ngram;

	if (o.memory < MEMORY_LEAST)
		return err_set(e, SFT_USAGE, "--memory %llu (expected 16M at least)", (unsigned long long)o.memory);
	if ((o.join != 0) + (o.drop != NULL) + (o.signatures != NULL) > 1)
		return err_set(e, SFT_USAGE, "--signatures, --join and --drop exclude each other (they are three steps)");
	if ((o.join || o.drop) && (comparing || o.id))
		return err_set(e, SFT_USAGE, "--join and --drop go by the signatures (expected --key, --near, --against, --ngram and --id with --signatures)");
	if (o.join && (t->noperands == 0 || r->output == NULL))
		return err_set(e, SFT_USAGE, "--join needs -o DIR and the signature files of all shards");
	if (o.signatures && (r->output || o.clusters || o.pairs))
		return err_set(e, SFT_USAGE, "--signatures writes no records, clusters or pairs (those come with --join)");
	if (o.signatures && !o.near && !o.key)
		return err_set(e, SFT_USAGE, "--signatures needs --near COL, --key COL,... (all: whole records) or both");
	if (o.ngram && o.against.n == 0)
		return err_set(e, SFT_USAGE, "--ngram needs --against");
	if (!o.join && o.near == NULL && (o.clusters || o.pairs || (o.id && !o.signatures)))
		return err_set(e, SFT_USAGE, "--clusters, --pairs and --id need --near");
	return 0;
}

static void set_up_near(struct near *n, const struct wordlist *key, const struct tool *t)
{
	n->column = o.near;
	n->id = o.id;
	n->key = o.key ? key : NULL;
	n->how = (struct neardup_how){ o.near != NULL, o.key != NULL, { (unsigned)o.shingle, o.unit == 1 }, o.threshold };
	n->keep = (enum dedup_keep)o.keep;
	n->against = o.against.v;
	n->nagainst = o.against.n;
	n->ngram = (size_t)o.ngram;
	n->clusters = o.clusters;
	n->pairs = o.pairs;
	n->signatures = o.signatures;
	n->memory = o.memory;
	n->scratch_dir = t->env.tmp;
}

/* --- the ways to run --- */

static int run_exact(struct dedup *d, struct recin *in, struct recout *out, const struct rec_opts *r, struct tool *t)
{
	int rc = 0;

	for (size_t i = 0; i < o.against.n && rc == 0; i++)
		rc = dedup_against(d, o.against.v[i], r, t, &t->e);
	if (rc == 0)
		rc = dedup_run(d, in, out, r, t, &t->e);
	return rc ? rc : rec_stats(in, out, r, t, exact_stats, d, &t->e);
}

static int run_near(struct near *n, struct recin *in, struct recout *out, const struct rec_opts *r, struct tool *t)
{
	int rc = o.drop ? near_drop(n, o.drop, in, out, r, &t->e) : near_run(n, in, out, r, t, &t->e);

	return rc ? rc : rec_stats(in, out, r, t, near_stats, n, &t->e);
}

static int dedup_files(struct dedup *d, const struct rec_opts *r, struct tool *t)
{
	struct near n = {0};
	struct recin *in = NULL;
	struct recout *out = NULL;
	int rc;

	if (o.key && strcmp(o.key, "all") != 0)
		wordlist_split(&d->key, o.key, &t->arena);
	set_up_near(&n, &d->key, t);
	if ((rc = rec_open(&in, (const char *const *)t->operands, (size_t)t->noperands, r, t, &t->e)) != 0 ||
	    (!o.signatures && (rc = rec_create(&out, NULL, rec_format(in), r, t, &t->e)) != 0) ||
	    (rc = grouping() || o.drop ? run_near(&n, in, out, r, t) : run_exact(d, in, out, r, t)) != 0 || (rc = rec_settle(in, &t->e)) != 0)
		goto failed;
	rc = out ? rec_finish(out, &t->e) : 0;
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

static int join_files(const struct rec_opts *r, struct tool *t)
{
	struct near n = {0};
	int rc;

	set_up_near(&n, NULL, t);
	rc = near_join(&n, (const char *const *)t->operands, (size_t)t->noperands, r->output, r, t, &t->e);
	return rc ? rc : rec_stats(NULL, NULL, r, t, join_stats, &n, &t->e);
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
	if ((rc = tool_begin(&t, "sft-dedup", synopsis, about, tables, argc, argv)) == 0 && (rc = check(&t, &r, &t.e)) == 0) {
		dedup_init(&d, (enum dedup_keep)o.keep, grouping() ? 0 : (size_t)o.ngram, o.memory, t.env.tmp);
		rc = o.join ? join_files(&r, &t) : dedup_files(&d, &r, &t);
		dedup_release(&d);
	}
	return tool_end(&t, rc);
}
