/* SPDX-License-Identifier: Apache-2.0 */
#include "nearrun.h"

#include <stdio.h>
#include <string.h>

#include "batches.h"
#include "gramset.h"
#include "neardup.h"
#include "progress.h"
#include "recspill.h"
#include "unicode.h"

enum { NEAR_BATCH = 256 };

static const char near_in_against[] = "near --against";

struct batch {
	struct arena arena;
	struct rec rec[NEAR_BATCH];
	struct field text[NEAR_BATCH], id[NEAR_BATCH];
	uint32_t sig[NEAR_BATCH][MINHASH_N];
	bool shares[NEAR_BATCH];       /* an n-gram with --against */
	size_t n, bad;                 /* bad: the record that failed; n: none */
	struct err e;
};

struct mapper {
	struct keyer text, id;
	struct gramscan scan;
	uint64_t *h;
	size_t cap;
};

struct job {
	struct near *o;
	struct recin *in;              /* the file of --against that is read, or the input */
	bool against;                  /* the former */
	struct gramset grams;
	struct gramscan scan;          /* of the write stage */
	struct unicode *unicode;
	struct mapper *mapper;         /* one a thread */
	struct neardup dup;
	struct recspill spill;
	struct buf packed;
	uint32_t *chars;               /* of each record, for the longest */
	size_t chars_cap;
	struct recout *clusters, *pairs;
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

/* Lower case, blanks joined, signed. */
static void sign(struct job *j, struct mapper *m, struct batch *b, size_t i)
{
	struct field *f = &b->text[i];
	char *low = arena_get(&b->arena, UNICODE_LOWER_ROOM(f->n)), *to;
	size_t n = unicode_lower(j->unicode, f->p, f->n, low);

	to = arena_get(&b->arena, UNICODE_ROOM(n));
	f->n = unicode_squeeze(j->unicode, low, n, to);
	f->p = to;
	n = shingle_hashes(&j->o->how, f->p, f->n, &m->h, &m->cap);
	minhash_sign(m->h, n, b->sig[i]);
}

static void map_batch(void *ctx, void *item, int thread)
{
	struct job *j = ctx;
	struct batch *b = item;
	struct mapper *m = &j->mapper[thread];

	b->e.code = 0;
	b->bad = b->n;
	for (size_t i = 0; i < b->n; i++) {
		b->id[i] = (struct field){ "", 0, FIELD_TEXT };
		if (keyer_field(&m->text, &b->rec[i], &b->text[i], &b->e) != 0 ||
		    (j->o->id && !j->against && keyer_field(&m->id, &b->rec[i], &b->id[i], &b->e) != 0)) {
			err_at(&b->e, j->in, &b->rec[i]);
			b->bad = i;
			return;
		}
		sign(j, m, b, i);
		b->shares[i] = j->grams.n && !j->against && gramset_shares(&j->grams, &m->scan, b->text[i].p, b->text[i].n);
	}
}

static void note_chars(struct job *j, const struct rec *r, size_t at)
{
	uint64_t n = dedup_chars(r);

	ARRAY_ROOM(j->chars, at, j->chars_cap);
	j->chars[at] = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

static int put_record(struct job *j, const struct batch *b, size_t i)
{
	const struct field *text = &b->text[i];

	if (j->o->keep == KEEP_LONGEST && !j->against)
		note_chars(j, &b->rec[i], j->dup.n - j->dup.against);
	if (neardup_add(&j->dup, text->p, text->n, b->sig[i], b->id[i].p, b->id[i].n, j->e) != 0)
		return -1;
	if (j->against)
		return j->grams.n ? gramset_add(&j->grams, &j->scan, text->p, text->n, j->e) : 0;
	if (b->shares[i])
		neardup_exclude(&j->dup);
	return recspill_put(&j->spill, &b->rec[i], &j->packed, j->e);
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

/* --- the two lists --- */

static const char *const pair_columns[] = { "a", "b", "jaccard" }, *const cluster_columns[] = { "id", "cluster" };
static const uint32_t pair_lengths[] = { 1, 1, 7 }, cluster_lengths[] = { 2, 7 };
static const struct names pair_names = { 3, (const char **)pair_columns, (uint32_t *)pair_lengths };
static const struct names cluster_names = { 2, (const char **)cluster_columns, (uint32_t *)cluster_lengths };

/* The name of text I as a field: --id, or its number.  NUMBER has room for it; valid until the next call. */
static int name_field(struct job *j, uint32_t i, char number[16], struct field *f, struct err *e)
{
	int rc;

	f->type = FIELD_TEXT;
	if (j->o->id) {
		if ((rc = neardup_id(&j->dup, i, &f->p, &f->n, e)) != 0)
			return rc;
		return 0;
	}
	f->n = (size_t)snprintf(number, 16, "%u", i - j->dup.against);
	f->p = number;
	f->type = FIELD_JSON;
	return 0;
}

static int put_pair(void *ctx, uint32_t a, uint32_t b, double jaccard, struct err *e)
{
	struct job *j = ctx;
	char na[16], nb[16], number[32];
	struct field f[3];
	struct rec r = { .names = &pair_names, .f = f };
	char *copy;
	int rc;

	j->o->pair_count++;
	if ((rc = name_field(j, a, na, &f[0], e)) != 0)
		return rc;
	f[0].p = copy = mem_strn(f[0].p, f[0].n);
	if ((rc = name_field(j, b, nb, &f[1], e)) == 0) {
		f[2] = (struct field){ number, json_double_text(number, jaccard), FIELD_JSON };
		rc = rec_write(j->pairs, &r, e);
	}
	mem_free(copy);
	return rc;
}

static int put_cluster(struct job *j, uint32_t i, struct err *e)
{
	char ni[16], nc[16];
	struct field f[2];
	struct rec r = { .names = &cluster_names, .f = f };
	char *copy;
	int rc;

	if ((rc = name_field(j, i, ni, &f[0], e)) != 0)
		return rc;
	f[0].p = copy = mem_strn(f[0].p, f[0].n);
	if ((rc = name_field(j, neardup_group(&j->dup, i), nc, &f[1], e)) == 0)
		rc = rec_write(j->clusters, &r, e);
	mem_free(copy);
	return rc;
}

/* --- the second pass --- */

static uint32_t chars_of(const struct job *j, uint32_t i)
{
	return j->chars[i - j->dup.against];
}

/* For each group, by its first text: the text that stays. */
static uint32_t *choose(struct job *j)
{
	uint32_t *stays = mem_grow(NULL, j->dup.n + 1, sizeof *stays);

	for (uint32_t i = j->dup.against; i < j->dup.n; i++) {
		uint32_t g;

		if (j->dup.out[i]) {
			j->o->contaminated++;
			j->o->overlaps += j->dup.out[i] == NEARDUP_OTHER;
			continue;
		}
		g = neardup_group(&j->dup, i);
		if (g == i) {
			stays[g] = i;
			j->o->groups++;
		} else if (j->o->keep == KEEP_LAST || (j->o->keep == KEEP_LONGEST && chars_of(j, i) > chars_of(j, stays[g]))) {
			stays[g] = i;
		}
	}
	return stays;
}

static int emit(struct job *j, struct recout *out, const uint32_t *stays, struct err *e)
{
	struct arena a;
	struct rec r;
	bool more = true;
	int rc;

	arena_init(&a);
	rc = recspill_rewind(&j->spill, e);
	for (uint32_t i = j->dup.against; rc == 0 && (rc = recspill_get(&j->spill, &r, &a, &more, e)) == 0 && more; i++) {
		if (j->dup.out[i])
			rc = rec_reject(j->in, &r, j->dup.out[i] == NEARDUP_OTHER ? dedup_shares_gram : near_in_against, e);
		else if (stays[neardup_group(&j->dup, i)] == i)
			rc = rec_write(out, &r, e);
		else
			rc = rec_reject(j->in, &r, "near duplicate", e);
		if (rc == 0 && j->clusters && !j->dup.out[i])
			rc = put_cluster(j, i, e);
		arena_reset(&a);
	}
	arena_release(&a);
	return rc;
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

static int read_all_against(struct job *j, const struct rec_opts *o, const struct tool *t, struct err *e)
{
	int rc = 0;

	j->against = true;
	for (size_t i = 0; i < j->o->nagainst && rc == 0; i++)
		rc = read_against(j, j->o->against[i], o, t, e);
	j->against = false;
	neardup_against(&j->dup);
	return rc;
}

static int passes(struct job *j, struct recout *out, int nthreads, struct err *e)
{
	uint32_t *stays;
	int rc;

	if ((rc = first_pass(j, nthreads, e)) != 0 || (rc = neardup_compare(&j->dup, e)) != 0 ||
	    (rc = neardup_join(&j->dup, j->pairs ? put_pair : NULL, j, e)) != 0)
		return rc;
	j->o->records = j->dup.n - j->dup.against;
	stays = choose(j);
	rc = emit(j, out, stays, e);
	mem_free(stays);
	if (rc == 0 && rec_written(out) == 0)
		rc = rec_header(out, rec_names(j->in), e);
	if (rc == 0 && j->pairs)
		rc = rec_header(j->pairs, &pair_names, e);
	if (rc == 0 && j->clusters)
		rc = rec_header(j->clusters, &cluster_names, e);
	return rc;
}

/* A list of its own beside the output: CSV unless its name says otherwise. */
static int open_list(struct recout **out, const char *path, const struct rec_opts *o, const struct tool *t, struct err *e)
{
	struct rec_opts plain = *o;

	*out = NULL;
	plain.to = REC_AUTO;
	plain.unite = false;
	return path ? rec_create(out, path, REC_CSV, &plain, t, e) : 0;
}

static int finish_list(struct recout **out, int rc, struct err *e)
{
	struct recout *list = *out;

	*out = NULL;
	if (list == NULL || rc) {
		rec_drop(list);
		return rc;
	}
	return rec_finish(list, e);
}

int near_run(struct near *o, struct recin *in, struct recout *out, const struct rec_opts *r, const struct tool *t, struct err *e)
{
	struct job j = { .o = o, .in = in, .e = e };
	struct words text = {0}, id = {0};
	int n = (int)t->threads, rc;

	e->code = 0;
	words_add(&text, o->column);
	words_add(&id, o->id ? o->id : "");
	j.unicode = unicode_open();
	j.mapper = mem_new((size_t)n * sizeof *j.mapper);
	for (int i = 0; i < n; i++) {
		keyer_init(&j.mapper[i].text, &text, r->unite);
		keyer_init(&j.mapper[i].id, &id, r->unite);
	}
	gramset_init(&j.grams, o->ngram);
	neardup_init(&j.dup, o->how, o->threshold, o->scratch_dir);
	recspill_init(&j.spill, o->scratch_dir);
	progress_open(&j.progress, t->name, "records", 0, tool_progress(t));
	if ((rc = read_all_against(&j, r, t, e)) == 0 && (rc = open_list(&j.clusters, o->clusters, r, t, e)) == 0 &&
	    (rc = open_list(&j.pairs, o->pairs, r, t, e)) == 0)
		rc = passes(&j, out, n, e);
	progress_close(&j.progress);
	rc = finish_list(&j.pairs, rc, e);
	rc = finish_list(&j.clusters, rc, e);
	for (int i = 0; i < n; i++) {
		keyer_release(&j.mapper[i].text);
		keyer_release(&j.mapper[i].id);
		mem_free(j.mapper[i].h);
		gramscan_release(&j.mapper[i].scan);
	}
	mem_free(j.mapper);
	gramset_release(&j.grams);
	gramscan_release(&j.scan);
	unicode_close(j.unicode);
	neardup_release(&j.dup);
	recspill_release(&j.spill);
	buf_free(&j.packed);
	mem_free(j.chars);
	mem_free(text.v);
	mem_free(id.v);
	return rc;
}
