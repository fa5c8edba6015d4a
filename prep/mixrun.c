/* SPDX-License-Identifier: Apache-2.0 */
/* The two passes of a mix: records to a file with an index; records of the mix from there. */
#include <string.h>

#include "keycols.h"
#include "mix.h"
#include "progress.h"
#include "rng.h"

struct entry {
	uint64_t at, n;                /* bytes of the formatted record */
	uint32_t names, stratum;
};

enum { BATCH = 1024, PUT_BYTES = 256 << 10, STREAM_LAST = 1 << 21 };

struct job {
	struct mix *m;
	struct recin *in;
	struct recout *out;
	struct scratch *text, *index;
	struct addcols_last last;
	const struct names **names;
	size_t nnames, names_cap;
	struct strmap by_names;        /* pointer -> place in names */
	uint64_t *grouped;             /* with slices: numbers of the records, stratum by stratum */
	struct buf line;               /* records that wait to be written */
	uint64_t waiting;
	uint32_t waiting_names;
	struct progress progress;
	struct rec rec[BATCH];
};

/* --- the first pass --- */

static int source_at(struct job *j, const struct rec *r, uint32_t *source)
{
	struct mix *m = j->m;

	while (*source < m->n && strcmp(m->source[*source].file, r->file) != 0) {
		++*source;
		if (*source < m->n)
			m->source[*source].first = scratch_size(j->index) / sizeof(struct entry);
	}
	return *source < m->n ? 0 : -1;
}

static uint32_t stratum_of(struct job *j, const struct rec *r, const struct mix_source *s)
{
	const struct mix *m = j->m;
	int col = m->nslices ? rec_column(r->names, m->slice_column) : -1;
	const struct strmap_entry *slice = col < 0 ? NULL : strmap_find(&m->by_slice, r->f[col].p, r->f[col].n);

	if (slice == NULL)
		return s->stratum;
	m->slice[slice->value].n++;
	return s->stratum + 1 + (uint32_t)slice->value;
}

static uint32_t names_number(struct job *j, const struct names *names)
{
	bool added;
	struct strmap_entry *entry = strmap_put(&j->by_names, (const char *)&names, sizeof names, j->nnames, &added);

	if (added) {
		ARRAY_ROOM(j->names, j->nnames, j->names_cap);
		j->names[j->nnames++] = names;
	}
	return (uint32_t)entry->value;
}

static int keep(struct job *j, const struct rec *r, struct mix_source *s, struct arena *a, struct err *e)
{
	struct mix *m = j->m;
	struct field name = { s->file, strlen(s->file), FIELD_TEXT };
	struct entry at = { .at = scratch_size(j->text), .stratum = stratum_of(j, r, s) };
	struct rec out;
	int rc;

	addcols_set(m->label ? &m->cols : &j->m->plain, &j->last, r, &name, a, &out);
	j->line.n = 0;
	if ((rc = rec_format_record(j->out, &out, &j->line, e)) != 0)
		return rc;
	at.n = j->line.n;
	at.names = names_number(j, out.names);
	s->n++;
	m->stratum[at.stratum].n++;
	if ((rc = scratch_write(j->text, j->line.p, j->line.n, e)) != 0)
		return rc;
	return scratch_write(j->index, &at, sizeof at, e);
}

static int gather(struct job *j, struct err *e)
{
	struct arena a;
	uint32_t source = 0;
	size_t n = 1;
	int rc = 0;

	arena_init(&a);
	while (rc == 0 && n) {
		arena_reset(&a);
		if ((rc = rec_read_batch(j->in, &a, j->rec, BATCH, &n, e)) != 0)
			break;
		progress_at(&j->progress, rec_count(j->in), rec_share(j->in), NULL);
		for (size_t i = 0; i < n && rc == 0; i++) {
			if (source_at(j, &j->rec[i], &source) != 0)
				rc = err_set(e, SFT_SYSTEM, "%s: a record of no source", j->rec[i].file);
			else
				rc = keep(j, &j->rec[i], &j->m->source[source], &a, e);
		}
	}
	arena_release(&a);
	return rc;
}

/* Before the first record: sources have a stratum for each slice and one for the rest. */
static void make_strata(struct mix *m)
{
	uint32_t each = 1 + (uint32_t)m->nslices;

	m->nstrata = (uint32_t)m->n * each;
	m->stratum = mem_new(m->nstrata * sizeof *m->stratum);
	for (uint32_t i = 0; i < m->nstrata; i++)
		m->stratum[i] = (struct mix_stratum){ .source = i / each, .factor = i % each ? m->slice[i % each - 1].factor : 1 };
	for (uint32_t i = 0; i < m->n; i++) {
		m->source[i].stratum = i * each;
		m->source[i].nstrata = each;
	}
}

static int entry_at(struct job *j, uint64_t num, struct entry *out, struct err *e)
{
	return scratch_at(j->index, num * sizeof *out, sizeof *out, out, e);
}

/* Calls FN for the entries of records FROM..FROM+N-1, in order. */
static int each_entry(struct job *j, int (*fn)(struct job *j, uint64_t num, const struct entry *at, void *ctx, struct err *e), void *ctx,
                      uint64_t from, uint64_t n, struct err *e)
{
	struct entry some[256];
	int rc = 0;

	while (n && rc == 0) {
		uint64_t k = n < 256 ? n : 256;

		rc = scratch_at(j->index, from * sizeof *some, k * sizeof *some, some, e);
		for (uint64_t i = 0; i < k && rc == 0; i++)
			rc = fn(j, from + i, &some[i], ctx, e);
		from += k;
		n -= k;
	}
	return rc;
}

static int place(struct job *j, uint64_t num, const struct entry *at, void *ctx, struct err *e)
{
	uint64_t *next = ctx;

	(void)e;
	j->grouped[next[at->stratum]++] = num;
	return 0;
}

static int group(struct job *j, struct err *e)
{
	struct mix *m = j->m;
	uint64_t first = 0, *next = mem_new(m->nstrata * sizeof *next);
	int rc = 0;

	for (uint32_t i = 0; i < m->nstrata; i++) {
		next[i] = m->stratum[i].first = first;
		first += m->stratum[i].n;
	}
	if (m->nslices && (j->grouped = mem_try((first + 1) * sizeof *j->grouped)) == NULL)
		rc = err_set(e, SFT_SYSTEM, "no memory for the numbers of %llu records", (unsigned long long)first);
	if (rc == 0 && m->nslices)
		rc = each_entry(j, place, next, 0, first, e);
	mem_free(next);
	return rc;
}

/* --- the second pass --- */

static int put_waiting(struct job *j, struct err *e)
{
	int rc = j->waiting ? rec_put(j->out, j->names[j->waiting_names], j->line.p, j->line.n, j->waiting, e) : 0;

	j->line.n = 0;
	j->waiting = 0;
	return rc;
}

static int put(struct job *j, const struct entry *at, struct err *e)
{
	struct mix *m = j->m;
	uint32_t slice = at->stratum % (1 + (uint32_t)m->nslices);
	int rc;

	if ((j->line.n > PUT_BYTES || j->waiting_names != at->names) && (rc = put_waiting(j, e)) != 0)
		return rc;
	if ((rc = scratch_at(j->text, at->at, at->n, buf_room(&j->line, at->n), e)) != 0)
		return rc;
	j->line.n += at->n;
	j->waiting_names = at->names;
	j->waiting++;
	if (slice)
		m->slice[slice - 1].draw++;
	return 0;
}

static int fetch(struct job *j, struct mix_walk *w, struct err *e)
{
	struct mix *m = j->m;

	for (uint64_t i = 0; i < m->total; i++) {
		uint32_t source, stratum;
		uint64_t k, num;
		struct entry at;
		int rc;

		mix_walk_next(w, &source, &k);
		mix_draw(m, source, k, &stratum, &num);
		num += m->stratum[stratum].first;
		if (j->grouped)
			num = j->grouped[num];
		if ((rc = entry_at(j, num, &at, e)) != 0 || (rc = put(j, &at, e)) != 0)
			return rc;
		progress_at(&j->progress, i + 1, (double)(i + 1) / (double)m->total, NULL);
	}
	return 0;
}

/* One round of a source in its own order: of each stratum all, or in its last round so many as are still wanted, chosen at
 * random on the way (Knuth 3.4.2, S). */
struct round {
	uint64_t *left, *unseen;       /* by stratum: wanted of this round; records not yet passed */
	struct rng rng;
};

static int choose(struct job *j, uint64_t num, const struct entry *at, void *ctx, struct err *e)
{
	struct round *r = ctx;
	uint64_t *left = &r->left[at->stratum], *unseen = &r->unseen[at->stratum];
	bool take = *left == *unseen || (*left && rng_below(&r->rng, *unseen) < *left);

	(void)num;
	--*unseen;
	*left -= take;
	return take ? put(j, at, e) : 0;
}

static int in_order(struct job *j, const struct mix_source *s, struct round *r, struct err *e)
{
	struct mix *m = j->m;
	uint64_t rounds = 0;
	int rc = 0;

	for (uint32_t i = s->stratum; i < s->stratum + s->nstrata; i++) {
		const struct mix_stratum *t = &m->stratum[i];

		if (t->n && (t->draw + t->n - 1) / t->n > rounds)
			rounds = (t->draw + t->n - 1) / t->n;
	}
	for (uint64_t k = 0; k < rounds && rc == 0; k++) {
		for (uint32_t i = s->stratum; i < s->stratum + s->nstrata; i++) {
			const struct mix_stratum *t = &m->stratum[i];
			uint64_t before = t->n && t->draw / t->n >= k ? k * t->n : t->draw, left = t->draw - before;

			r->left[i] = left < t->n ? left : t->n;
			r->unseen[i] = t->n;
		}
		rc = each_entry(j, choose, r, s->first, s->n, e);
	}
	return rc;
}

static int sequential(struct job *j, struct err *e)
{
	struct mix *m = j->m;
	struct round r = { mem_new(m->nstrata * sizeof *r.left), mem_new(m->nstrata * sizeof *r.unseen), {{0}} };
	int rc = 0;

	rng_init(&r.rng, m->seed, STREAM_LAST);
	for (size_t i = 0; i < m->n && rc == 0; i++)
		rc = in_order(j, &m->source[i], &r, e);
	mem_free(r.left);
	mem_free(r.unseen);
	return rc;
}

static int emit(struct job *j, struct err *e)
{
	struct mix_walk *w;
	int rc;

	j->line.n = 0;
	if (j->m->order == MIX_SEQUENTIAL) {
		rc = sequential(j, e);
	} else {
		w = mix_walk_new(j->m);
		rc = fetch(j, w, e);
		mix_walk_free(w);
	}
	return rc == 0 ? put_waiting(j, e) : rc;
}

/* --- all of it --- */

static int check_slices(const struct mix *m, struct err *e)
{
	for (size_t i = 0; i < m->nslices; i++)
		if (m->slice[i].n)
			return 0;
	return m->nslices == 0 ? 0 : err_set(e, SFT_BADDATA, "no record has one of the %zu slices in '%s' (expected some)", m->nslices, m->slice_column);
}

static int passes(struct job *j, struct err *e)
{
	const struct names *names = rec_names(j->in);
	int rc;

	make_strata(j->m);
	if ((rc = gather(j, e)) != 0 || (rc = check_slices(j->m, e)) != 0 || (rc = mix_plan(j->m, e)) != 0 ||
	    (rc = scratch_rewind(j->text, e)) != 0 || (rc = scratch_rewind(j->index, e)) != 0 || (rc = group(j, e)) != 0 || (rc = emit(j, e)) != 0)
		return rc;
	return rec_header(j->out, j->m->label ? addcols_names(&j->m->cols, names) : addcols_names(&j->m->plain, names), e);
}

int mix_run(struct mix *m, struct recin *in, struct recout *out, const struct tool *t, struct err *e)
{
	struct job *j = mem_new(sizeof *j);
	int rc;

	j->m = m;
	j->in = in;
	j->out = out;
	j->text = scratch_new(m->scratch_dir);
	j->index = scratch_new(m->scratch_dir);
	progress_open(&j->progress, t->name, "records", 0, tool_progress(t));
	rc = passes(j, e);
	progress_close(&j->progress);
	scratch_free(j->text);
	scratch_free(j->index);
	strmap_free(&j->by_names);
	mem_free(j->names);
	mem_free(j->grouped);
	mem_free(j->last.at);
	buf_free(&j->line);
	mem_free(j);
	return rc;
}
