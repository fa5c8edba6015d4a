/* SPDX-License-Identifier: Apache-2.0 */
#include "nearrun.h"

#include <string.h>

#include "batches.h"
#include "dedup.h"
#include "gramset.h"
#include "nearlist.h"
#include "nearsig.h"
#include "progress.h"
#include "recspill.h"
#include "unicode.h"

enum { NEAR_BATCH = 256 };

struct batch {
	struct arena arena;
	struct rec rec[NEAR_BATCH];
	struct neardup_item item[NEAR_BATCH];
	uint8_t sig[NEAR_BATCH][MINHASH_N];
	uint64_t whole[NEAR_BATCH];    /* hash of all fields */
	size_t n, bad;                 /* bad: the record that failed; n: none */
	struct err e;
};

struct mapper {
	struct keyer text, id, key, whole;
	struct gramscan scan;
	uint64_t *h;
	size_t cap;
};

struct job {
	struct near *o;
	struct recin *in;              /* the file of --against that is read, or the input */
	bool against;                  /* the former */
	struct gramset grams;
	struct gramscan scan;          /* of the write stage, as is the key */
	struct keyer key;
	struct unicode *unicode;
	struct minhash *minhash;
	struct mapper *mapper;         /* one a thread */
	struct neardup dup;
	struct recspill spill;
	struct buf packed;
	uint64_t digest;
	struct progress progress;
	struct err *e, read_error;
};

static int read_batch(void *ctx, void *item)
{
	struct job *j = ctx;
	struct batch *b = item;

	arena_reset(&b->arena);
	if (rec_read_batch(j->in, &b->arena, b->rec, NEAR_BATCH, &b->n, &j->read_error) != 0)
		return -1;
	progress_at(&j->progress, rec_count(j->in), rec_share(j->in), NULL);
	return b->n != 0;
}

/* The text of record I: lower case, blanks joined, signed. */
static int sign(struct job *j, struct mapper *m, struct batch *b, size_t i)
{
	struct neardup_item *item = &b->item[i];
	struct field f;
	char *low, *to;
	size_t n;
	int rc;

	if ((rc = keyer_field(&m->text, &b->rec[i], &f, &b->e)) != 0)
		return rc;
	low = arena_get(&b->arena, UNICODE_LOWER_ROOM(f.n));
	n = unicode_lower(j->unicode, f.p, f.n, low);
	to = arena_get(&b->arena, UNICODE_ROOM(n));
	item->n = unicode_squeeze(j->unicode, low, n, to);
	item->text = to;
	item->sig = b->sig[i];
	n = shingle_hashes(&j->o->how.shingles, item->text, item->n, &m->h, &m->cap);
	minhash_sign(j->minhash, m->h, n, b->sig[i]);
	return 0;
}

static bool shares_gram(const struct job *j, struct mapper *m, const struct batch *b, size_t i)
{
	const struct neardup_item *item = &b->item[i];

	return (j->o->how.texts && gramset_shares(&j->grams, &m->scan, item->text, item->n)) ||
	       (j->o->how.keys && dedup_shares_gram(&j->grams, &m->scan, &m->key, &b->rec[i]));
}

/* What only the records of the input need. */
static int map_more(struct job *j, struct mapper *m, struct batch *b, size_t i)
{
	struct neardup_item *item = &b->item[i];
	struct field id;
	int rc;

	if (j->o->id) {
		if ((rc = keyer_field(&m->id, &b->rec[i], &id, &b->e)) != 0)
			return rc;
		item->id = id.p;
		item->nid = id.n;
	}
	if (j->o->keep == KEEP_LONGEST || j->o->signatures) {
		uint64_t chars = dedup_chars(&b->rec[i]);

		item->chars = chars < UINT32_MAX ? (uint32_t)chars : UINT32_MAX;
	}
	if (j->o->signatures && (rc = keyer_64(&m->whole, &b->rec[i], 0, &b->whole[i], &b->e)) != 0)
		return rc;
	item->out = j->grams.n && shares_gram(j, m, b, i) ? NEARDUP_GRAM : NEARDUP_IN;
	return 0;
}

static void map_batch(void *ctx, void *item, int thread)
{
	struct job *j = ctx;
	struct batch *b = item;
	struct mapper *m = &j->mapper[thread];

	b->e.code = 0;
	b->bad = b->n;
	for (size_t i = 0; i < b->n; i++) {
		b->item[i] = (struct neardup_item){ .text = "", .id = "" };
		if ((j->o->how.texts && sign(j, m, b, i) != 0) ||
		    (j->o->how.keys && keyer_128(&m->key, &b->rec[i], &b->item[i].key, &b->e) != 0) || (!j->against && map_more(j, m, b, i) != 0)) {
			err_at(&b->e, j->in, &b->rec[i]);
			b->bad = i;
			return;
		}
	}
}

/* The n-grams of record I of a file to compare with. */
static int add_grams(struct job *j, const struct batch *b, size_t i)
{
	const struct neardup_item *item = &b->item[i];
	int rc;

	if (j->o->how.texts && (rc = gramset_add(&j->grams, &j->scan, item->text, item->n, j->e)) != 0)
		return rc;
	return j->o->how.keys ? dedup_add_grams(&j->grams, &j->scan, &j->key, &b->rec[i], j->e) : 0;
}

static int put_record(struct job *j, const struct batch *b, size_t i)
{
	if (neardup_add(&j->dup, &b->item[i], j->e) != 0)
		return -1;
	if (j->against)
		return j->grams.n ? add_grams(j, b, i) : 0;
	j->digest = nearsig_digest(j->digest, b->whole[i]);
	return j->o->signatures ? 0 : recspill_put(&j->spill, &b->rec[i], &j->packed, j->e);
}

static int write_batch(void *ctx, void *item)
{
	struct job *j = ctx;
	struct batch *b = item;

	for (size_t i = 0; i < b->bad; i++)
		if (put_record(j, b, i) != 0)
			return -1;
	if (b->bad == b->n)
		return 0;
	*j->e = b->e;
	return -1;
}

static void release_batch(void *item)
{
	struct batch *b = item;

	arena_release(&b->arena);
}

static int first_pass(struct job *j, int nthreads, struct err *e)
{
	const struct omap pipeline = { j, read_batch, map_batch, write_batch };

	return batches_run(&pipeline, sizeof(struct batch), release_batch, nthreads, &j->read_error, e);
}

/* The texts of one file of --against. */
static int read_against(struct job *j, const char *file, const struct rec_opts *o, const struct tool *t, struct err *e)
{
	struct recin *input = j->in;
	int rc;

	if ((rc = dedup_open_against(&j->in, file, o, t, e)) == 0) {
		if ((rc = first_pass(j, (int)t->threads, e)) != 0)
			rec_abandon(j->in);
		else
			rc = rec_close(j->in, e);
	}
	j->in = input;
	return rc;
}

static int read_all(struct job *j, const struct rec_opts *o, const struct tool *t, struct err *e)
{
	int rc = 0;

	j->against = true;
	for (size_t i = 0; i < j->o->nagainst && rc == 0; i++)
		rc = read_against(j, j->o->against[i], o, t, e);
	j->against = false;
	neardup_against(&j->dup);
	return rc == 0 ? first_pass(j, (int)t->threads, e) : rc;
}

/* --- the second pass --- */

static int emit(struct job *j, struct nearlist *lists, struct recout *out, struct err *e)
{
	struct arena a;
	struct rec r;
	bool more = true;
	int rc;

	arena_init(&a);
	rc = recspill_rewind(&j->spill, e);
	for (uint32_t i = j->dup.against; rc == 0 && (rc = recspill_get(&j->spill, &r, &a, &more, e)) == 0 && more; i++) {
		enum neardup_fate fate = neardup_fate(&j->dup, i);

		j->o->fate[fate]++;
		j->o->groups += fate == FATE_KEPT;
		rc = fate == FATE_KEPT ? rec_write(out, &r, e) : rec_reject(j->in, &r, neardup_reasons[fate], e);
		if (rc == 0)
			rc = nearlist_cluster(lists, i, e);
		arena_reset(&a);
	}
	arena_release(&a);
	return rc;
}

static int groups(struct job *j, struct nearlist *lists, struct recout *out, struct err *e)
{
	int rc;

	if ((rc = neardup_join(&j->dup, nearlist_pair(lists), lists, e)) != 0 || (rc = neardup_choose(&j->dup, j->o->keep, e)) != 0 ||
	    (rc = nearlist_write_pairs(lists, e)) != 0 || (rc = emit(j, lists, out, e)) != 0)
		return rc;
	j->o->pair_count = nearlist_pair_count(lists);
	return rec_written(out) == 0 ? rec_header(out, rec_names(j->in), e) : 0;
}

/* What is the same in all shards of a set. */
static uint64_t rules(const struct near *o)
{
	uint64_t h = hash64(o->column ? o->column : "", o->column ? strlen(o->column) : 0, o->ngram);

	for (size_t i = 0; o->key && i < o->key->n; i++)
		h = hash64(o->key->v[i], strlen(o->key->v[i]), h);
	return h;
}

static int write_signatures(struct job *j, struct err *e)
{
	const struct nearsig_about about = { j->o->how, j->o->id != NULL, rules(j->o), j->o->records, j->digest };

	for (uint32_t i = j->dup.against; i < j->dup.n; i++)
		if (neardup_out(&j->dup, i))
			j->o->fate[neardup_fate(&j->dup, i)]++;
	return nearsig_write(&j->dup, j->o->signatures, &about, e);
}

static int passes(struct job *j, struct recout *out, const struct rec_opts *r, const struct tool *t, struct err *e)
{
	struct nearlist lists;
	int rc = nearlist_open(&lists, &j->dup, j->o->id != NULL, j->o->clusters, j->o->pairs, r, t, e);

	if (rc == 0 && (rc = read_all(j, r, t, e)) == 0 && (rc = neardup_compare(&j->dup, e)) == 0) {
		j->o->records = j->dup.n - j->dup.against;
		rc = j->o->signatures ? write_signatures(j, e) : groups(j, &lists, out, e);
	}
	return nearlist_close(&lists, rc, e);
}

/* --- all of it --- */

static void start_mappers(struct job *j, const struct wordlist *text, const struct wordlist *id, bool unite, int n)
{
	static const struct wordlist all = {0};

	keyer_init(&j->key, j->o->key ? j->o->key : &all, unite);
	j->mapper = mem_new((size_t)n * sizeof *j->mapper);
	for (int i = 0; i < n; i++) {
		keyer_init(&j->mapper[i].text, text, unite);
		keyer_init(&j->mapper[i].id, id, unite);
		keyer_init(&j->mapper[i].key, j->o->key ? j->o->key : &all, unite);
		keyer_init(&j->mapper[i].whole, &all, unite);
	}
}

static void end_mappers(struct job *j, int n)
{
	for (int i = 0; i < n; i++) {
		keyer_release(&j->mapper[i].text);
		keyer_release(&j->mapper[i].id);
		keyer_release(&j->mapper[i].key);
		keyer_release(&j->mapper[i].whole);
		mem_free(j->mapper[i].h);
		gramscan_release(&j->mapper[i].scan);
	}
	mem_free(j->mapper);
	keyer_release(&j->key);
}

int near_run(struct near *o, struct recin *in, struct recout *out, const struct rec_opts *r, const struct tool *t, struct err *e)
{
	struct job j = { .o = o, .in = in, .e = e };
	struct wordlist text = {0}, id = {0};
	int rc;

	e->code = 0;
	wordlist_add(&text, o->column ? o->column : "");
	wordlist_add(&id, o->id ? o->id : "");
	start_mappers(&j, &text, &id, r->unite, (int)t->threads);
	j.unicode = unicode_open();
	j.minhash = minhash_new();
	gramset_init(&j.grams, o->ngram);
	neardup_init(&j.dup, &o->how, o->memory, o->scratch_dir);
	recspill_init(&j.spill, o->scratch_dir);
	progress_open(&j.progress, t->name, "records", 0, tool_progress(t));
	rc = passes(&j, out, r, t, e);
	progress_close(&j.progress);
	end_mappers(&j, (int)t->threads);
	gramset_release(&j.grams);
	gramscan_release(&j.scan);
	unicode_close(j.unicode);
	minhash_free(j.minhash);
	neardup_release(&j.dup);
	recspill_release(&j.spill);
	buf_free(&j.packed);
	mem_free(text.v);
	mem_free(id.v);
	return rc;
}
