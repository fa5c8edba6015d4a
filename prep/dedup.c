/* SPDX-License-Identifier: Apache-2.0 */
#include "dedup.h"

#include <stdatomic.h>
#include <string.h>

#include "batches.h"
#include "progress.h"
#include "recspill.h"
#include "utf8.h"

void dedup_init(struct dedup *d, enum dedup_keep keep, size_t ngram, uint64_t memory, const char *scratch_dir)
{
	memset(d, 0, sizeof *d);
	d->keep = keep;
	d->memory = memory;
	d->scratch_dir = scratch_dir;
	keyset_init(&d->against, false);
	gramset_init(&d->grams, ngram);
	keyset_init(&d->seen, keep != KEEP_FIRST);
}

void dedup_release(struct dedup *d)
{
	keyset_release(&d->against);
	gramset_release(&d->grams);
	keyset_release(&d->seen);
	keyfate_free(d->sorted);
	mem_free(d->key.v);
}

bool dedup_looks_like_turns(const struct dedup *d)
{
	uint64_t duplicates = d->fate[FATE_DUPLICATE];

	return d->key.n && duplicates * 2 > d->read && d->neighbours * 2 > duplicates;
}

/* --- the other file --- */

int dedup_add_grams(struct gramset *g, struct gramscan *w, struct keyer *k, const struct rec *r, struct err *e)
{
	int rc = keyer_columns(k, r->names, e);

	for (size_t i = 0; i < k->n && rc == 0; i++)
		if (k->col[i] != NO_COLUMN)
			rc = gramset_add(g, w, r->f[k->col[i]].p, r->f[k->col[i]].n, e);
	return rc;
}

bool dedup_shares_gram(const struct gramset *g, struct gramscan *w, const struct keyer *k, const struct rec *r)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->col[i] != NO_COLUMN && gramset_shares(g, w, r->f[k->col[i]].p, r->f[k->col[i]].n))
			return true;
	return false;
}

/* Half of the memory is for what is to be kept out. */
static int sort_against(struct dedup *d, struct err *e)
{
	int rc = 0;

	d->sorted = keyfate_new(d->memory / 2, d->scratch_dir);
	for (size_t i = 0; i < keyset_slots(&d->against) && rc == 0; i++) {
		struct hash128 h;

		if (keyset_at(&d->against, i, &h))
			rc = keyfate_against(d->sorted, h, e);
	}
	keyset_release(&d->against);
	return rc;
}

static int add_key(struct dedup *d, struct hash128 h, struct err *e)
{
	bool added;
	int rc;

	if (d->sorted == NULL && keyset_growth(&d->against) > d->memory / 2 && (rc = sort_against(d, e)) != 0)
		return rc;
	return d->sorted ? keyfate_against(d->sorted, h, e) : keyset_add(&d->against, h, &added, NULL, e);
}

static int add_keys(struct dedup *d, struct recin *in, struct keyer *k, struct gramscan *w, struct err *e)
{
	struct rec *r;
	int rc;

	while ((rc = rec_read(in, &r, e)) == 0 && r) {
		struct hash128 h;

		if ((rc = keyer_128(k, r, &h, e)) != 0)
			return err_at(e, in, r);
		if ((rc = add_key(d, h, e)) != 0 || (d->grams.n && (rc = dedup_add_grams(&d->grams, w, k, r, e)) != 0))
			return rc;
	}
	return rc;
}

int dedup_open_against(struct recin **in, const char *file, const struct rec_opts *o, const struct tool *t, struct err *e)
{
	struct rec_opts other = *o;

	other.rejects = other.stats = NULL;
	other.from = REC_AUTO;
	return rec_open(in, &file, 1, &other, t, e);
}

int dedup_against(struct dedup *d, const char *file, const struct rec_opts *o, const struct tool *t, struct err *e)
{
	struct gramscan w = {0};
	struct keyer k;
	struct recin *in;
	int rc;

	if ((rc = dedup_open_against(&in, file, o, t, e)) != 0)
		return rc;
	keyer_init(&k, &d->key, o->unite);
	rc = add_keys(d, in, &k, &w, e);
	keyer_release(&k);
	gramscan_release(&w);
	if (rc == 0)
		return rec_close(in, e);
	rec_abandon(in);
	return rc;
}

/* --- batches --- */

/* Neighbours that go out together. */
struct stretch {
	const struct names *names;
	size_t first;                  /* of its records */
	size_t begin, end;             /* its bytes in the batch's buffer */
	uint64_t records;
};

struct batch {
	struct arena arena;
	struct rec rec[DEDUP_BATCH];
	struct hash128 key[DEDUP_BATCH];
	bool shares[DEDUP_BATCH];      /* an n-gram with --against */
	bool formatted;                /* they are in the buffer, as what is kept goes out at once, and not as it lies */
	size_t end[DEDUP_BATCH];       /* of the record's bytes in the buffer */
	size_t n, bad;                 /* bad: the record that failed; n: none */
	struct buf out;
	struct err e;
};

/* The record that stands for a key so far. */
struct winner {
	uint64_t num;
	uint64_t chars;
};

struct job {
	struct dedup *d;
	struct recin *in;
	struct recout *out;
	struct keyer *keyer;           /* one a thread */
	struct gramscan *scan;
	struct progress progress;
	struct recspill spill;
	struct buf packed;
	uint64_t spilled;              /* records in the spill */
	struct winner *winner;         /* by number of the key */
	size_t winner_cap;
	struct fates fates;            /* of the spilled */
	atomic_bool at_once;           /* what is kept goes out as it comes */
	struct err *e, read_error;
};

static int read_batch(void *ctx, void *item)
{
	struct job *j = ctx;
	struct batch *b = item;

	arena_reset(&b->arena);
	if (rec_read_batch(j->in, &b->arena, b->rec, DEDUP_BATCH, &b->n, &j->read_error) != 0)
		return -1;
	progress_at(&j->progress, rec_count(j->in), rec_share(j->in), NULL);
	return b->n != 0;
}

static void map_batch(void *ctx, void *item, int thread)
{
	struct job *j = ctx;
	struct batch *b = item;

	b->out.n = 0;
	b->e.code = 0;
	b->bad = b->n;
	b->formatted = atomic_load_explicit(&j->at_once, memory_order_relaxed) && !rec_takes_records(j->out);
	for (size_t i = 0; i < b->n; i++) {
		struct rec *r = &b->rec[i];

		if (keyer_128(&j->keyer[thread], r, &b->key[i], &b->e) != 0) {
			err_at(&b->e, j->in, r);
			b->bad = i;
			return;
		}
		b->shares[i] = j->d->grams.n && dedup_shares_gram(&j->d->grams, &j->scan[thread], &j->keyer[thread], r);
		if (b->formatted && rec_format_record(j->out, r, &b->out, &b->e) != 0) {
			b->bad = i;
			return;
		}
		b->end[i] = b->out.n;
	}
}

/* Counts, and why the record is kept out by --against; FATE_KEPT: it is not, as far as is known. */
static enum neardup_fate look(struct dedup *d, struct hash128 key, bool shares)
{
	d->neighbours += d->read && key.hi == d->before.hi && key.lo == d->before.lo;
	d->before = key;
	d->read++;
	if (d->against.n && keyset_has(&d->against, key))
		return FATE_AGAINST;
	return shares ? FATE_GRAM : FATE_KEPT;
}

static int reject(struct job *j, const struct rec *r, enum neardup_fate fate)
{
	return rec_reject(j->in, r, neardup_reasons[fate], j->e);
}

static int put_stretch(struct job *j, const struct batch *b, struct stretch *s)
{
	int rc = 0;

	if (s->records && rec_takes_records(j->out))
		rc = rec_put_records(j->out, b->rec + s->first, s->records, j->e);
	else if (s->records)
		rc = rec_put(j->out, s->names, b->out.p + s->begin, s->end - s->begin, s->records, j->e);
	s->records = 0;
	return rc;
}

/* --- keys that outgrow the memory --- */

static bool outgrown(const struct job *j)
{
	return keyset_growth(&j->d->seen) + 2 * j->winner_cap * sizeof *j->winner > j->d->memory - keyset_bytes(&j->d->against);
}

/* All keys so far go to the sort, and those to come will. */
static int outgrow(struct job *j)
{
	struct dedup *d = j->d;
	int rc = 0;

	if (d->sorted == NULL)
		d->sorted = keyfate_new(d->memory / 2, d->scratch_dir);
	for (size_t i = 0; i < keyset_slots(&d->seen) && rc == 0; i++) {
		const struct winner *w = d->seen.number ? &j->winner[d->seen.number[i]] : NULL;
		struct hash128 h;

		if (!keyset_at(&d->seen, i, &h))
			continue;
		rc = w ? keyfate_put(d->sorted, h, w->num, w->chars, false, j->e) : keyfate_written(d->sorted, h, j->e);
	}
	keyset_release(&d->seen);
	mem_free(j->winner);
	j->winner = NULL;
	atomic_store_explicit(&j->at_once, false, memory_order_relaxed);
	return rc;
}

/* --- keeping --- */

/* Keeping the first: what is new goes out at once, in stretches of neighbours.  Returns where it stopped, as the keys have outgrown
 * the memory or for an error. */
static size_t keep_first(struct job *j, struct batch *b)
{
	struct stretch s = {0};
	size_t begin = 0, i;

	for (i = 0; i < b->bad && !outgrown(j); begin = b->end[i++]) {
		enum neardup_fate fate = look(j->d, b->key[i], b->shares[i]);
		bool added = false;

		if (i + KEYSET_AHEAD < b->bad)
			keyset_soon(&j->d->seen, b->key[i + KEYSET_AHEAD]);
		if (fate == FATE_KEPT && keyset_add(&j->d->seen, b->key[i], &added, NULL, j->e) != 0)
			return i;
		if (fate == FATE_KEPT && !added)
			fate = FATE_DUPLICATE;
		j->d->fate[fate]++;
		if (fate != FATE_KEPT) {
			if (reject(j, &b->rec[i], fate) != 0)
				return i;
			continue;
		}
		if (s.records && (s.names != b->rec[i].names || s.first + s.records != i) && put_stretch(j, b, &s) != 0)
			return i;
		if (s.records == 0)
			s = (struct stretch){ b->rec[i].names, i, begin, begin, 0 };
		s.end = b->end[i];
		s.records++;
	}
	put_stretch(j, b, &s);
	return i;
}

uint64_t dedup_chars(const struct rec *r)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < r->names->n; i++)
		n += utf8_count(r->f[i].p, r->f[i].n);
	return n;
}

/* NUM is the place of a record among the spilled ones. */
static int weigh(struct job *j, struct hash128 key, uint64_t num, uint64_t chars)
{
	uint32_t k;
	bool added;

	if (keyset_add(&j->d->seen, key, &added, &k, j->e) != 0)
		return -1;
	if (added) {
		ARRAY_ROOM(j->winner, k, j->winner_cap);
	} else {
		if (j->d->keep == KEEP_LONGEST && chars <= j->winner[k].chars) {
			fates_set(&j->fates, num, FATE_DUPLICATE);
			return 0;
		}
		fates_set(&j->fates, j->winner[k].num, FATE_DUPLICATE);
	}
	j->winner[k] = (struct winner){ num, chars };
	return 0;
}

/* Judged in the second pass: the records of a batch from I on. */
static int spill(struct job *j, struct batch *b, size_t i)
{
	for (; i < b->bad; i++) {
		struct rec *r = &b->rec[i];
		enum neardup_fate fate = look(j->d, b->key[i], b->shares[i]);
		uint64_t chars = j->d->keep == KEEP_LONGEST ? dedup_chars(r) : 0, num = j->spilled++;

		if (fate != FATE_KEPT)
			fates_set(&j->fates, num, fate);
		if (j->d->sorted == NULL && outgrown(j) && outgrow(j) != 0)
			return -1;
		if (j->d->sorted) {
			if (fate != FATE_AGAINST && keyfate_put(j->d->sorted, b->key[i], num, chars, fate == FATE_GRAM, j->e) != 0)
				return -1;
		} else if (fate == FATE_KEPT && weigh(j, b->key[i], num, chars) != 0) {
			return -1;
		}
		if (recspill_put(&j->spill, r, &j->packed, j->e) != 0)
			return -1;
	}
	return 0;
}

static int write_batch(void *ctx, void *item)
{
	struct job *j = ctx;
	struct batch *b = item;
	size_t from = 0;

	if (j->d->keep == KEEP_FIRST && j->d->sorted == NULL) {
		from = keep_first(j, b);
		if (j->e->code || (from < b->bad && outgrow(j) != 0))
			return -1;
	}
	if (from < b->bad && spill(j, b, from) != 0)
		return -1;
	if (b->bad == b->n)
		return 0;
	*j->e = b->e;
	return -1;
}

/* The second pass: what stands for its key goes out. */
static int unspill(struct job *j, struct err *e)
{
	struct arena a;
	struct rec r;
	bool more = true;
	int rc = 0;

	if (j->d->sorted)
		rc = keyfate_decide(j->d->sorted, j->d->keep, &j->fates, e);
	arena_init(&a);
	if (rc == 0)
		rc = recspill_rewind(&j->spill, e);
	for (uint64_t num = 0; rc == 0 && (rc = recspill_get(&j->spill, &r, &a, &more, e)) == 0 && more; num++) {
		enum neardup_fate fate = fates_get(&j->fates, num);

		j->d->fate[fate]++;
		rc = fate == FATE_KEPT ? rec_write(j->out, &r, e) : reject(j, &r, fate);
		arena_reset(&a);
	}
	arena_release(&a);
	return rc;
}

static void release_batch(void *item)
{
	struct batch *b = item;

	arena_release(&b->arena);
	buf_free(&b->out);
}

static int run(struct job *j, int nthreads, struct err *e)
{
	const struct omap pipeline = { j, read_batch, map_batch, write_batch };

	return batches_run(&pipeline, sizeof(struct batch), release_batch, nthreads, &j->read_error, e);
}

int dedup_run(struct dedup *d, struct recin *in, struct recout *out, const struct rec_opts *o, const struct tool *t, struct err *e)
{
	struct job j = { .d = d, .in = in, .out = out, .e = e };
	int n = (int)t->threads, rc;

	e->code = 0;
	j.keyer = mem_new((size_t)n * sizeof *j.keyer);
	j.scan = mem_new((size_t)n * sizeof *j.scan);
	for (int i = 0; i < n; i++)
		keyer_init(&j.keyer[i], &d->key, o->unite);
	recspill_init(&j.spill, d->scratch_dir);
	atomic_init(&j.at_once, d->keep == KEEP_FIRST && d->sorted == NULL);
	progress_open(&j.progress, t->name, "records", 0, tool_progress(t));
	rc = run(&j, n, e);
	if (rc == 0)
		rc = unspill(&j, e);
	progress_close(&j.progress);
	if (rc == 0 && rec_written(out) == 0 && rec_names(in))
		rc = rec_header(out, rec_names(in), e);
	for (int i = 0; i < n; i++) {
		keyer_release(&j.keyer[i]);
		gramscan_release(&j.scan[i]);
	}
	recspill_release(&j.spill);
	buf_free(&j.packed);
	mem_free(j.keyer);
	mem_free(j.scan);
	mem_free(j.winner);
	fates_release(&j.fates);
	return rc;
}
