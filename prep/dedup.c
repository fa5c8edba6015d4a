/* SPDX-License-Identifier: Apache-2.0 */
#include "dedup.h"

#include <string.h>

#include "batches.h"
#include "progress.h"
#include "recspill.h"
#include "utf8.h"

const char dedup_in_against[] = "also in --against", dedup_shares_gram[] = "shares an n-gram with --against";

void dedup_init(struct dedup *d, enum dedup_keep keep, size_t ngram, const char *scratch_dir)
{
	memset(d, 0, sizeof *d);
	d->keep = keep;
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
	mem_free(d->key.v);
}

bool dedup_looks_like_turns(const struct dedup *d)
{
	return d->key.n && d->duplicates * 2 > d->read && d->neighbours * 2 > d->duplicates;
}

/* --- the other file --- */

/* The n-grams of R's key columns, which K has just looked up. */
static int add_grams(struct dedup *d, struct gramscan *w, const struct keyer *k, const struct rec *r, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < k->n && rc == 0; i++)
		if (k->col[i] != NO_COLUMN)
			rc = gramset_add(&d->grams, w, r->f[k->col[i]].p, r->f[k->col[i]].n, e);
	return rc;
}

static bool shares_gram(const struct dedup *d, struct gramscan *w, const struct keyer *k, const struct rec *r)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->col[i] != NO_COLUMN && gramset_shares(&d->grams, w, r->f[k->col[i]].p, r->f[k->col[i]].n))
			return true;
	return false;
}

static int add_keys(struct dedup *d, struct recin *in, struct keyer *k, struct gramscan *w, struct err *e)
{
	struct rec *r;
	int rc;

	while ((rc = rec_read(in, &r, e)) == 0 && r) {
		struct hash128 h;
		bool added;

		if ((rc = keyer_128(k, r, &h, e)) != 0)
			return err_at(e, in, r);
		if ((rc = keyset_add(&d->against, h, &added, NULL, e)) != 0 || (d->grams.n && (rc = add_grams(d, w, k, r, e)) != 0))
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

struct stretch {
	const struct names *names;
	size_t begin, end;             /* its bytes in the batch's buffer */
	uint64_t records;
};

struct batch {
	struct arena arena;
	struct rec rec[DEDUP_BATCH];
	struct hash128 key[DEDUP_BATCH];
	bool shares[DEDUP_BATCH];      /* an n-gram with --against */
	size_t end[DEDUP_BATCH];       /* of the record's bytes in the buffer (keeping the first only) */
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
	struct winner *winner;         /* by number of the key */
	size_t winner_cap;
	uint64_t *kept;                /* a bit per record: it stands for its key */
	size_t kept_cap;               /* in words */
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
	for (size_t i = 0; i < b->n; i++) {
		struct rec *r = &b->rec[i];

		if (keyer_128(&j->keyer[thread], r, &b->key[i], &b->e) != 0) {
			err_at(&b->e, j->in, r);
			b->bad = i;
			return;
		}
		b->shares[i] = j->d->grams.n && shares_gram(j->d, &j->scan[thread], &j->keyer[thread], r);
		if (j->d->keep == KEEP_FIRST && rec_format_record(j->out, r, &b->out, &b->e) != 0) {
			b->bad = i;
			return;
		}
		b->end[i] = b->out.n;
	}
}

/* Counts, and why the record is kept out by --against; NULL: it is not. */
static const char *contaminated(struct dedup *d, struct hash128 key, bool shares)
{
	bool same;

	d->neighbours += d->read && key.hi == d->before.hi && key.lo == d->before.lo;
	d->before = key;
	d->read++;
	same = d->against.n && keyset_has(&d->against, key);
	if (!same && !shares)
		return NULL;
	d->contaminated++;
	d->overlaps += !same;
	return same ? dedup_in_against : dedup_shares_gram;
}

static int put_stretch(struct job *j, const struct batch *b, struct stretch *s)
{
	int rc = 0;

	if (s->records)
		rc = rec_put(j->out, s->names, b->out.p + s->begin, s->end - s->begin, s->records, j->e);
	s->records = 0;
	return rc;
}

static const char duplicate[] = "duplicate";

/* Keeping the first: what is new goes out at once, in stretches of neighbours. */
static int keep_first(struct job *j, struct batch *b)
{
	struct stretch s = {0};
	size_t begin = 0;

	for (size_t i = 0; i < b->n; i++)
		keyset_soon(&j->d->seen, b->key[i]);
	for (size_t i = 0; i < b->bad; begin = b->end[i++]) {
		const char *out = contaminated(j->d, b->key[i], b->shares[i]);
		bool added = false;

		if (!out && keyset_add(&j->d->seen, b->key[i], &added, NULL, j->e) != 0)
			return -1;
		if (!added) {
			j->d->duplicates += out == NULL;
			if (rec_reject(j->in, &b->rec[i], out ? out : duplicate, j->e) != 0)
				return -1;
			continue;
		}
		if (s.records && (s.names != b->rec[i].names || s.end != begin) && put_stretch(j, b, &s) != 0)
			return -1;
		if (s.records == 0)
			s = (struct stretch){ b->rec[i].names, begin, begin, 0 };
		s.end = b->end[i];
		s.records++;
	}
	return put_stretch(j, b, &s) ? -1 : 0;
}

static void set_kept(struct job *j, uint64_t num, bool on)
{
	size_t word = (size_t)(num / 64);

	while (word >= j->kept_cap) {
		size_t cap = j->kept_cap ? j->kept_cap * 2 : 1024;

		j->kept = mem_grow(j->kept, cap, sizeof *j->kept);
		memset(j->kept + j->kept_cap, 0, (cap - j->kept_cap) * sizeof *j->kept);
		j->kept_cap = cap;
	}
	if (on)
		j->kept[word] |= 1ull << (num % 64);
	else
		j->kept[word] &= ~(1ull << (num % 64));
}

uint64_t dedup_chars(const struct rec *r)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < r->names->n; i++)
		n += utf8_count(r->f[i].p, r->f[i].n);
	return n;
}

/* Keeping another: NUM is the place of R among the spilled records. */
static int weigh(struct job *j, const struct rec *r, struct hash128 key, uint64_t num)
{
	struct winner now = { num, j->d->keep == KEEP_LONGEST ? dedup_chars(r) : 0 };
	uint32_t k;
	bool added;

	if (keyset_add(&j->d->seen, key, &added, &k, j->e) != 0)
		return -1;
	if (added) {
		ARRAY_ROOM(j->winner, k, j->winner_cap);
	} else {
		j->d->duplicates++;
		if (j->d->keep == KEEP_LONGEST && now.chars <= j->winner[k].chars)
			return 0;
		set_kept(j, j->winner[k].num, false);
	}
	j->winner[k] = now;
	set_kept(j, num, true);
	return 0;
}

static int spill(struct job *j, struct batch *b)
{
	for (size_t i = 0; i < b->bad; i++) {
		struct rec *r = &b->rec[i];
		const char *out = contaminated(j->d, b->key[i], b->shares[i]);

		if (out) {
			if (rec_reject(j->in, r, out, j->e) != 0)
				return -1;
			continue;
		}
		if (weigh(j, r, b->key[i], j->d->read - j->d->contaminated - 1) != 0 || recspill_put(&j->spill, r, &j->packed, j->e) != 0)
			return -1;
	}
	return 0;
}

static int write_batch(void *ctx, void *item)
{
	struct job *j = ctx;
	struct batch *b = item;

	if ((j->d->keep == KEEP_FIRST ? keep_first(j, b) : spill(j, b)) != 0)
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
	uint64_t place = 0;
	int rc;

	arena_init(&a);
	rc = recspill_rewind(&j->spill, e);
	for (; rc == 0 && (rc = recspill_get(&j->spill, &r, &a, &more, e)) == 0 && more; place++) {
		if (j->kept[place / 64] >> (place % 64) & 1)
			rc = rec_write(j->out, &r, e);
		else
			rc = rec_reject(j->in, &r, duplicate, e);
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
	progress_open(&j.progress, t->name, "records", 0, tool_progress(t));
	rc = run(&j, n, e);
	if (rc == 0 && d->keep != KEEP_FIRST)
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
	mem_free(j.kept);
	return rc;
}
