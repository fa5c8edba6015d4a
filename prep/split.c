/* SPDX-License-Identifier: Apache-2.0 */
#include "split.h"

#include <string.h>

#include "batches.h"
#include "extsort.h"
#include "progress.h"

void split_init(struct split *s, const char *scratch_dir)
{
	memset(s, 0, sizeof *s);
	s->scratch_dir = scratch_dir;
}

void split_release(struct split *s)
{
	mem_free(s->stratify.v);
	mem_free(s->group.v);
	mem_free(s->key.v);
	strmap_free(&s->classes);
	mem_free(s->class);
	mem_free(s->by_class);
}

enum { SORT = 8 << 20 };               /* bytes for each of the two sorts of groups */

/* What is known of a record while its side is not. */
struct entry {
	uint64_t hash;
	uint64_t bytes;                /* of the formatted record */
	uint32_t class;
	uint32_t names;
};

/* Before the entries of each batch. */
struct head {
	uint64_t records;
	uint64_t bytes;                /* of their text */
};

struct batch {
	struct arena arena;
	struct rec rec[SPLIT_BATCH];
	struct entry entry[SPLIT_BATCH];
	struct field class[SPLIT_BATCH];
	size_t n, bad;                 /* bad: the record that failed; n: none */
	struct buf out;
	struct err e;
};

struct mapper {
	struct keyer rank, group;
	struct keyer class;            /* for its column only */
};

struct job {
	struct split *s;
	struct recin *in;
	struct recout **out;
	struct mapper *mapper;         /* one a thread */
	struct scratch *text, *index;
	uint64_t records;              /* in both */
	uint64_t num, place;           /* the last pass: the next record, the place of its text */
	struct extsort *up, *down;     /* ranks of groups: as they are, and their complements */
	struct split_taker val, test;  /* of groups */
	const struct names **names;    /* by the number in entries */
	size_t nnames, names_cap;
	const struct split_cut *cut;
	struct progress progress;
	struct err *e, read_error;
};

/* --- the first pass --- */

static int read_batch(void *ctx, void *item)
{
	struct job *j = ctx;
	struct batch *b = item;

	arena_reset(&b->arena);
	if (rec_read_batch(j->in, &b->arena, b->rec, SPLIT_BATCH, &b->n, &j->read_error) != 0)
		return -1;
	progress_at(&j->progress, rec_count(j->in), rec_share(j->in), NULL);
	return b->n != 0;
}

static int map_one(struct job *j, struct batch *b, struct mapper *m, size_t i)
{
	const struct split *s = j->s;
	struct rec *r = &b->rec[i];
	size_t before = b->out.n;
	int rc;

	if ((rc = keyer_64(s->group.n ? &m->group : &m->rank, r, s->seed, &b->entry[i].hash, &b->e)) != 0 ||
	    (s->stratify.n && (rc = keyer_field(&m->class, r, &b->class[i], &b->e)) != 0))
		return err_at(&b->e, j->in, r);
	rc = rec_format_record(j->out[SIDE_TRAIN], r, &b->out, &b->e);
	b->entry[i].bytes = b->out.n - before;
	return rc;
}

static void map_batch(void *ctx, void *item, int thread)
{
	struct job *j = ctx;
	struct batch *b = item;

	b->out.n = 0;
	b->e.code = 0;
	b->bad = b->n;
	for (size_t i = 0; i < b->n; i++)
		if (map_one(j, b, &j->mapper[thread], i) != 0) {
			b->bad = i;
			return;
		}
}

static uint32_t names_number(struct job *j, const struct names *names)
{
	for (size_t i = j->nnames; i-- > 0; )
		if (j->names[i] == names)
			return (uint32_t)i;
	ARRAY_ROOM(j->names, j->nnames, j->names_cap);
	j->names[j->nnames] = names;
	return (uint32_t)j->nnames++;
}

static uint32_t class_number(struct split *s, const struct field *f)
{
	bool added = true;
	size_t k = 0;

	if (s->stratify.n)
		k = (size_t)strmap_put(&s->classes, f->p ? f->p : "", f->n, s->nclass, &added)->value;
	else
		added = s->nclass == 0;
	if (added) {
		ARRAY_ROOM(s->class, s->nclass, s->class_cap);
		s->class[s->nclass++] = (struct split_class){0};
	}
	s->class[k].n++;
	return (uint32_t)k;
}

static int put_rank(struct job *j, uint64_t rank, struct err *e)
{
	uint64_t down = ~rank;
	int rc = extsort_put(j->up, &rank, e);

	return rc ? rc : extsort_put(j->down, &down, e);
}

static int write_batch(void *ctx, void *item)
{
	struct job *j = ctx;
	struct batch *b = item;
	struct split *s = j->s;
	struct head h = { b->bad, b->out.n };

	j->records += b->bad;
	for (size_t i = 0; i < b->bad; i++) {
		struct entry *at = &b->entry[i];

		at->names = names_number(j, b->rec[i].names);
		if (s->group.n) {
			if (put_rank(j, at->hash, j->e) != 0)
				return -1;
		} else {
			at->class = class_number(s, &b->class[i]);
		}
	}
	if (scratch_write(j->text, b->out.p, b->out.n, j->e) != 0 ||
	    scratch_write(j->index, &h, sizeof h, j->e) != 0 ||
	    scratch_write(j->index, b->entry, b->bad * sizeof *b->entry, j->e) != 0)
		return -1;
	if (b->bad == b->n)
		return 0;
	*j->e = b->e;
	return -1;
}

/* --- deciding --- */

/* The next batch of entries: what is known of them, borrowed until the next call. */
static int next_entries(struct job *j, struct head *h, const struct entry **at, struct err *e)
{
	const void *p;
	int rc;

	if ((rc = scratch_read(j->index, sizeof *h, &p, e)) != 0)
		return rc;
	memcpy(h, p, sizeof *h);
	if ((rc = scratch_read(j->index, (size_t)h->records * sizeof **at, &p, e)) == 0)
		*at = p;
	return rc;
}

/* Calls FN for each entry in order. */
static int each_entry(struct job *j, void (*fn)(struct split_finder *, uint32_t, struct split_rank), struct split_finder *f, struct err *e)
{
	int rc = scratch_rewind(j->index, e);

	for (uint64_t num = 0; rc == 0 && scratch_left(j->index); ) {
		const struct entry *at;
		struct head h;

		if ((rc = next_entries(j, &h, &at, e)) == 0)
			for (uint64_t i = 0; i < h.records; i++)
				fn(f, at[i].class, (struct split_rank){ at[i].hash, num++ });
	}
	return rc;
}

/* Offers T the groups in the order of S, but for those that OTHER has.  FLIP: all bits, or none, that are the other way round in S. */
static int take_groups(struct job *j, struct extsort *s, uint64_t flip, struct split_taker *t, const struct split_taker *other, struct err *e)
{
	uint64_t rank = 0, size = 0;
	const void *p;
	int rc;

	j->s->groups = 0;
	if ((rc = extsort_rewind(s, e)) != 0)
		return rc;
	do {
		uint64_t next = 0;

		if ((rc = extsort_get(s, &p, e)) != 0)
			return rc;
		if (p)
			memcpy(&next, p, sizeof next);
		if (size && (p == NULL || next != rank)) {
			if (other == NULL || !split_took(other, rank ^ flip))
				split_offer(t, rank ^ flip, size);
			j->s->groups++;
			size = 0;
		}
		rank = next;
		size++;
	} while (p);
	return 0;
}

static int decide_groups(struct job *j, struct err *e)
{
	struct split_class all = { .n = j->records };
	int rc;

	if ((rc = split_sizes(&all, 1, j->s->val, j->s->test, e)) != 0)
		return rc;
	j->val.want = all.val;
	j->test.want = all.test;
	if ((rc = take_groups(j, j->up, 0, &j->val, NULL, e)) != 0)
		return rc;
	return take_groups(j, j->down, UINT64_MAX, &j->test, &j->val, e);
}

static int decide(struct job *j, struct split_finder **f, struct err *e)
{
	struct split *s = j->s;
	int rc;

	if (s->group.n)
		return decide_groups(j, e);
	if ((rc = split_sizes(s->class, s->nclass, s->val, s->test, e)) != 0)
		return rc;
	*f = split_finder_new(s->class, s->nclass);
	if ((rc = each_entry(j, split_count, *f, e)) != 0 || (rc = each_entry(j, split_collect, *f, e)) != 0)
		return rc;
	j->cut = split_cuts(*f);
	return 0;
}

static enum side side_of(const struct job *j, const struct entry *at, uint64_t num)
{
	if (j->s->group.n)
		return split_took(&j->val, at->hash) ? SIDE_VAL : split_took(&j->test, at->hash) ? SIDE_TEST : SIDE_TRAIN;
	return split_side(&j->cut[at->class], (struct split_rank){ at->hash, num });
}

/* --- the last pass --- */

/* A batch of the first pass on its way out. */
struct part {
	struct entry entry[SPLIT_BATCH];
	struct head head;
	uint64_t num, place;           /* of its first record; of its text */
	uint8_t side[SPLIT_BATCH];
	struct buf text, out[SIDES];
	uint64_t count[SIDES];
	uint32_t names[SIDES];         /* of the first record that goes there */
	struct err e;
};

static int read_part(void *ctx, void *item)
{
	struct job *j = ctx;
	struct part *b = item;
	const struct entry *at;

	if (scratch_left(j->index) == 0)
		return 0;
	if (next_entries(j, &b->head, &at, &j->read_error) != 0)
		return -1;
	memcpy(b->entry, at, (size_t)b->head.records * sizeof *at);
	b->num = j->num;
	b->place = j->place;
	j->num += b->head.records;
	j->place += b->head.bytes;
	return 1;
}

/* Each side's records, one after the other. */
static void map_part(void *ctx, void *item, int thread)
{
	struct job *j = ctx;
	struct part *b = item;
	const void *text;
	const char *p;

	(void)thread;
	b->e.code = 0;
	for (int k = 0; k < SIDES; k++)
		b->out[k].n = b->count[k] = 0;
	b->text.n = 0;
	if (scratch_view(j->text, b->place, (size_t)b->head.bytes, buf_room(&b->text, (size_t)b->head.bytes), &text, &b->e) != 0)
		return;
	p = text;
	for (size_t i = 0; i < b->head.records; i++) {
		const struct entry *at = &b->entry[i];
		enum side side = side_of(j, at, b->num + i);

		b->side[i] = (uint8_t)side;
		if (b->count[side]++ == 0)
			b->names[side] = at->names;
		buf_add(&b->out[side], p, (size_t)at->bytes);
		p += at->bytes;
	}
	scratch_done(j->text, b->place, (size_t)b->head.bytes);
}

static int write_part(void *ctx, void *item)
{
	struct job *j = ctx;
	struct part *b = item;

	if (b->e.code) {
		*j->e = b->e;
		return -1;
	}
	for (int k = 0; k < SIDES; k++) {
		j->s->count[k] += b->count[k];
		if (b->count[k] && rec_put(j->out[k], j->names[b->names[k]], b->out[k].p, b->out[k].n, b->count[k], j->e) != 0)
			return -1;
	}
	for (size_t i = 0; j->s->by_class && i < b->head.records; i++)
		j->s->by_class[b->entry[i].class][b->side[i]]++;
	return 0;
}

static void release_part(void *item)
{
	struct part *b = item;

	buf_free(&b->text);
	for (int k = 0; k < SIDES; k++)
		buf_free(&b->out[k]);
}

static int last_pass(struct job *j, int nthreads, struct err *e)
{
	const struct omap pipeline = { j, read_part, map_part, write_part };
	int rc;

	if ((rc = scratch_rewind(j->index, e)) != 0 || (rc = scratch_rewind(j->text, e)) != 0)
		return rc;
	return batches_run(&pipeline, sizeof(struct part), release_part, nthreads, &j->read_error, e);
}

static int headers(struct job *j, struct err *e)
{
	const struct names *names = rec_names(j->in);
	int rc = 0;

	for (int i = 0; i < SIDES && names && rc == 0; i++)
		if (j->out[i] && rec_written(j->out[i]) == 0)
			rc = rec_header(j->out[i], names, e);
	return rc;
}

/* --- all of it --- */

static void release_batch(void *item)
{
	struct batch *b = item;

	arena_release(&b->arena);
	buf_free(&b->out);
}

static int first_pass(struct job *j, int nthreads, struct err *e)
{
	const struct omap pipeline = { j, read_batch, map_batch, write_batch };

	return batches_run(&pipeline, sizeof(struct batch), release_batch, nthreads, &j->read_error, e);
}

static int passes(struct job *j, int nthreads, struct err *e)
{
	struct split_finder *f = NULL;
	int rc;

	if ((rc = first_pass(j, nthreads, e)) == 0 && (rc = decide(j, &f, e)) == 0) {
		if (j->s->stratify.n)
			j->s->by_class = mem_new((j->s->nclass + 1) * sizeof *j->s->by_class);
		rc = last_pass(j, nthreads, e);
	}
	split_finder_free(f);
	return rc == 0 ? headers(j, e) : rc;
}

int split_run(struct split *s, struct recin *in, struct recout *out[SIDES], const struct rec_opts *o, const struct tool *t, struct err *e)
{
	struct job j = { .s = s, .in = in, .out = out, .e = e };
	int n = (int)t->threads, rc;

	e->code = 0;
	j.text = scratch_new(s->scratch_dir);
	j.index = scratch_new(s->scratch_dir);
	j.up = extsort_new(sizeof(uint64_t), 0, SORT, s->scratch_dir);
	j.down = extsort_new(sizeof(uint64_t), 0, SORT, s->scratch_dir);
	j.mapper = mem_new((size_t)n * sizeof *j.mapper);
	for (int i = 0; i < n; i++) {
		keyer_init(&j.mapper[i].rank, &s->key, o->unite);
		keyer_init(&j.mapper[i].group, &s->group, o->unite);
		keyer_init(&j.mapper[i].class, &s->stratify, o->unite);
	}
	progress_open(&j.progress, t->name, "records", 0, tool_progress(t));
	rc = passes(&j, n, e);
	progress_close(&j.progress);
	for (int i = 0; i < n; i++) {
		keyer_release(&j.mapper[i].rank);
		keyer_release(&j.mapper[i].group);
		keyer_release(&j.mapper[i].class);
	}
	mem_free(j.mapper);
	mem_free(j.names);
	scratch_free(j.text);
	scratch_free(j.index);
	extsort_free(j.up);
	extsort_free(j.down);
	return rc;
}
