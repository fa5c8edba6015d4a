/* SPDX-License-Identifier: Apache-2.0 */
#include "describe.h"

#include <stdio.h>
#include <string.h>

#include "batches.h"
#include "progress.h"

enum { BATCH = 256 };

/* --- one file, in order, on N threads --- */

struct batch {
	struct arena arena;
	struct rec rec[BATCH];
	struct shard_seq seq[BATCH];
	struct fact fact[BATCH];
	size_t n;
	struct err e;
};

struct job {
	struct describe *d;
	unsigned part;
	struct recin *in;              /* or */
	struct shard *shard;
	uint64_t next;                 /* sequence */
	struct shard_buf buf;
	struct describe_work *work;    /* one a thread */
	struct progress progress;
	struct err *e, read_error;
};

/* The next sequences, unpacked and copied. */
static int read_sequences(struct job *j, struct batch *b)
{
	for (b->n = 0; b->n < BATCH && j->next < shard_count(j->shard); b->n++, j->next++) {
		struct shard_seq *s = &b->seq[b->n];
		uint32_t *ids;
		int rc = shard_get(j->shard, j->next, &j->buf, s, &j->read_error);

		if (rc) {
			err_in(&j->read_error, "%s", j->d->part[j->part].path);
			return -1;
		}
		ids = arena_get(&b->arena, (size_t)s->n * sizeof *ids);
		memcpy(ids, s->ids, (size_t)s->n * sizeof *ids);
		s->ids = ids;
		s->slice = arena_str(&b->arena, s->slice, strlen(s->slice));
		s->source = arena_str(&b->arena, s->source, strlen(s->source));
	}
	progress_at(&j->progress, j->next, (double)j->next / (double)(shard_count(j->shard) + !shard_count(j->shard)), NULL);
	return b->n != 0;
}

static int read_batch(void *ctx, void *item)
{
	struct job *j = ctx;
	struct batch *b = item;

	arena_reset(&b->arena);
	if (j->shard)
		return read_sequences(j, b);
	if (rec_read_batch(j->in, &b->arena, b->rec, BATCH, &b->n, &j->read_error) != 0)
		return -1;
	progress_at(&j->progress, rec_count(j->in), rec_share(j->in), NULL);
	return b->n != 0;
}

static void map_batch(void *ctx, void *item, int thread)
{
	struct job *j = ctx;
	struct batch *b = item;
	struct describe_work *w = &j->work[thread];
	int rc = 0;

	b->e.code = 0;
	for (size_t i = 0; i < b->n && rc == 0; i++) {
		memset(&b->fact[i], 0, sizeof b->fact[i]);
		b->fact[i].text = "";
		if (j->shard)
			rc = describe_sequence(j->d, w, &b->seq[i], &b->arena, &b->fact[i], &b->e);
		else if ((rc = describe_record(j->d, w, &b->rec[i], &b->arena, &b->fact[i], &b->e)) != 0)
			err_at(&b->e, j->in, &b->rec[i]);
	}
}

static int write_batch(void *ctx, void *item)
{
	struct job *j = ctx;
	struct batch *b = item;

	if (b->e.code) {
		*j->e = b->e;
		return -1;
	}
	for (size_t i = 0; i < b->n; i++)
		if (describe_put(j->d, j->part, &b->fact[i], j->e) != 0)
			return -1;
	return 0;
}

static void release_batch(void *item)
{
	arena_release(&((struct batch *)item)->arena);
}

/* --- what is put in order --- */

static bool curve_wants(uint64_t words)
{
	while (words >= 10 && words % 10 == 0)
		words /= 10;
	return words == 1 || words == 2 || words == 5;
}

static void curve_add(struct describe_part *p, uint64_t words)
{
	ARRAY_ROOM(p->curve, p->ncurve, p->curve_cap);
	p->curve[p->ncurve++] = (struct curve_point){ words, p->types_seen };
}

static int put_words(struct describe *d, struct describe_part *p, const struct fact *f, struct err *e)
{
	uint64_t seen = p->words.sum;
	bool added;
	int rc;

	lengths_add(&p->words, f->nwords);
	for (size_t i = 0; i < f->nwords && !p->types_full; i++) {
		if (keyset_bytes(&p->types) + keyset_growth(&p->types) > d->o->memory / 4) {
			p->types_full = true;
			break;
		}
		if ((rc = keyset_add(&p->types, f->word[i], &added, NULL, e)) != 0)
			return rc;
		p->types_seen += added;
		if (curve_wants(++seen))
			curve_add(p, seen);
	}
	return 0;
}

/* Boyer and Moore's majority vote: one candidate, in one pass. */
static int put_answer(struct describe *d, unsigned part, const struct field *f, struct err *e)
{
	struct describe_part *p = &d->part[part];
	size_t n = f->n;

	p->has_answers = true;
	while (n && strchr(" \t\r\n", f->p[n - 1]))
		n--;
	lengths_add(&p->answers, utf8_count(f->p, n));
	if (n == 0) {
		p->empty_answers++;
		return 0;
	}
	if (p->lead_votes == 0) {
		p->lead.n = 0;
		buf_add(&p->lead, f->p, n);
	}
	if (p->lead.n == n && memcmp(p->lead.p, f->p, n) == 0)
		p->lead_votes++;
	else
		p->lead_votes--;
	return shared_put(&d->answers, hash64(f->p, n, 0), part, e);
}

int describe_put(struct describe *d, unsigned part, const struct fact *f, struct err *e)
{
	struct describe_part *p = &d->part[part];
	int rc = 0;

	p->records++;
	if (f->has_tokens) {
		p->has_tokens = true;
		lengths_add(&p->tokens, f->tokens);
		p->trained += f->trained;
		p->over_limit += d->max_len && f->tokens > d->max_len;
	}
	if (f->has_text) {
		p->has_text = true;
		p->empty_texts += f->n == 0;
		lengths_add(&p->chars, f->chars);
		rc = put_words(d, p, f, e);
	}
	if (d->o->label && !p->shard) {
		p->has_label = true;
		tally_add(&p->label, f->label.p ? f->label.p : "", f->label.n);
	}
	if (f->slice.p)
		tally_add(&p->slice, f->slice.p, f->slice.n);
	if (f->source.p)
		tally_add(&p->source, f->source.p, f->source.n);
	if (rc == 0 && f->answer.p)
		rc = put_answer(d, part, &f->answer, e);
	if (rc == 0)
		rc = shared_put(&d->texts, f->key, part, e);
	if (rc == 0 && f->has_text && !d->o->no_near) {
		const struct neardup_item item = { .text = f->text, .n = f->n, .sig = f->sig, .id = "" };

		rc = neardup_add(&d->near, &item, e);
	}
	return rc;
}

/* --- the files --- */

static int run_part(struct describe *d, struct job *j, struct err *e)
{
	const struct omap pipeline = { j, read_batch, map_batch, write_batch };
	struct describe_part *p = &d->part[j->part];
	int n = (int)d->t->threads, rc;

	keyset_init(&p->types, false);
	sums_open(&p->sums, d->dict);
	progress_open(&j->progress, d->t->name, j->shard ? "sequences" : "records", 0, tool_progress(d->t));
	rc = batches_run(&pipeline, sizeof(struct batch), release_batch, n, &j->read_error, e);
	progress_close(&j->progress);
	for (int i = 0; i < n; i++) {
		sums_add(&p->sums, &j->work[i].sums, d->dict);
		sums_clear(&j->work[i].sums, d->dict);
		j->work[i].names = NULL;
	}
	if (p->words.sum && !p->types_full && !curve_wants(p->words.sum))
		curve_add(p, p->words.sum);
	keyset_release(&p->types);
	d->near_end[j->part] = d->near.n;
	return rc;
}

static int run_records(struct describe *d, struct job *j, struct err *e)
{
	int rc = rec_open(&j->in, &d->part[j->part].path, 1, d->rec, d->t, e);

	if (rc)
		return rc;
	if ((rc = run_part(d, j, e)) == 0)
		return rec_close(j->in, e);
	rec_abandon(j->in);
	return rc;
}

static int run_shard(struct describe *d, struct job *j, struct err *e)
{
	const char *path = d->part[j->part].path;
	int rc = shard_open(&j->shard, path, e);

	if (rc)
		return rc;
	if (d->tokenizer && shard_vocab_hash(j->shard) && shard_vocab_hash(j->shard) != tok_hash(d->tokenize.tok))
		rc = err_set(e, SFT_BADDATA, "%s: made with another tokenizer than that of -m %s", path, d->o->model);
	if (rc == 0)
		rc = run_part(d, j, e);
	shard_buf_free(&j->buf);
	shard_close(j->shard);
	return rc;
}

static int run_parts(struct describe *d, struct err *e)
{
	int n = (int)d->t->threads, rc = 0;
	struct describe_work *work = mem_new((size_t)n * sizeof *work);

	for (int i = 0; i < n; i++)
		describe_work_open(d, &work[i]);
	for (unsigned k = 0; k < d->nparts && rc == 0; k++) {
		struct job j = { .d = d, .part = k, .work = work, .e = e };

		rc = d->part[k].shard ? run_shard(d, &j, e) : run_records(d, &j, e);
	}
	for (int i = 0; i < n; i++)
		describe_work_close(d, &work[i]);
	mem_free(work);
	return rc;
}

/* The groups of near-duplicates, counted like equal texts. */
static int count_similar(struct describe *d, struct err *e)
{
	unsigned part = 0;
	int rc;

	if ((rc = neardup_compare(&d->near, e)) != 0 || (rc = neardup_join(&d->near, NULL, NULL, e)) != 0)
		return rc;
	for (uint32_t i = 0; i < d->near.n && rc == 0; i++) {
		while (i >= d->near_end[part])
			part++;
		rc = shared_put(&d->similar, neardup_group(&d->near, i), part, e);
	}
	return rc ? rc : shared_count(&d->similar, e);
}

/* --- what is needed --- */

/* Files of one name are called by their paths. */
static void name_parts(struct describe *d)
{
	for (unsigned k = 0; k < d->nparts; k++) {
		struct describe_part *p = &d->part[k];
		const char *slash = strrchr(p->path, '/');

		p->name = strcmp(p->path, "-") == 0 ? "standard input" : slash && slash[1] ? slash + 1 : p->path;
	}
	for (unsigned k = 0; k < d->nparts; k++)
		for (unsigned i = 0; i < k; i++)
			if (strcmp(d->part[i].name, d->part[k].name) == 0) {
				d->part[i].name = d->part[i].path;
				d->part[k].name = d->part[k].path;
			}
}

static int take_files(struct describe *d, const char *const *files, size_t n, struct err *e)
{
	static const char *const input[] = { "-" };

	if (n > SHARED_FILES)
		return err_set(e, SFT_USAGE, "%zu files (expected at most %d: sft shard merge or cat make one of several)", n, SHARED_FILES);
	if (n > 1 && d->rec->rejects)
		return err_set(e, SFT_USAGE, "--rejects is for one FILE");
	files = n ? files : input;
	d->nparts = n ? (unsigned)n : 1;
	d->part = mem_new(d->nparts * sizeof *d->part);
	d->near_end = mem_new(d->nparts * sizeof *d->near_end);
	for (unsigned k = 0; k < d->nparts; k++) {
		d->part[k].path = files[k];
		d->part[k].shard = strcmp(files[k], "-") != 0 && shard_is(files[k]);
	}
	name_parts(d);
	return 0;
}

static int read_dictionaries(struct describe *d, struct err *e)
{
	const struct opt_list *const list[DICTS] = { &d->o->terms, &d->o->dialect };
	int rc = 0;

	for (int k = 0; k < DICTS && rc == 0; k++) {
		if (list[k]->n == 0)
			continue;
		d->dict[k] = termset_new(d->unicode);
		for (size_t i = 0; i < list[k]->n && rc == 0; i++)
			rc = termset_read(d->dict[k], list[k]->v[i], e);
		if (rc == 0)
			rc = termset_ready(d->dict[k], e);
	}
	return rc;
}

static int open_tokenizer(struct describe *d, struct err *e)
{
	bool shards = true;
	int rc;

	for (unsigned k = 0; k < d->nparts; k++)
		shards &= d->part[k].shard;
	d->max_len = (uint64_t)d->o->max_len;
	if (d->o->model == NULL)
		return d->max_len && !shards ? err_set(e, SFT_USAGE, "--max-len counts tokens (expected -m MODEL, or shards)") : 0;
	d->tokenize_opts = (struct tokenize_opts){ .model = d->o->model, .chat_template = d->o->chat_template, .max_len = 1 << 28,
	                                           .job = JOB_SHARD };
	if ((rc = tokenize_open(&d->tokenize, &d->tokenize_opts, e)) != 0)
		return rc;
	d->tokenizer = true;
	if (d->max_len == 0)
		d->max_len = tok_context(d->tokenize.tok);
	return 0;
}

int describe_run(struct describe *d, const struct describe_opts *o, const struct rec_opts *r, struct tool *t, const char *const *files, size_t n)
{
	const struct neardup_how how = { .texts = true, .shingles = { .size = 5 }, .threshold = o->threshold };
	struct err *e = &t->e;
	int rc;

	d->o = o;
	d->t = t;
	d->rec = r;
	arena_init(&d->arena);
	d->unicode = unicode_open();
	d->lang = lang_open(d->unicode);
	d->minhash = minhash_new();
	scripts_open(&d->scripts);
	neardup_init(&d->near, &how, o->memory / 4, t->env.tmp);
	shared_init(&d->texts, o->memory / 8, t->env.tmp);
	shared_init(&d->similar, o->memory / 8, t->env.tmp);
	shared_init(&d->answers, o->memory / 8, t->env.tmp);
	if (o->columns && strcmp(o->columns, "all") != 0)
		wordlist_split(&d->columns, o->columns, &d->arena);
	if ((rc = take_files(d, files, n, e)) != 0 || (rc = read_dictionaries(d, e)) != 0 || (rc = open_tokenizer(d, e)) != 0 ||
	    (rc = run_parts(d, e)) != 0 || (rc = shared_count(&d->texts, e)) != 0 || (rc = shared_count(&d->answers, e)) != 0 ||
	    (!o->no_near && (rc = count_similar(d, e)) != 0))
		return rc;
	describe_warn(d);
	return 0;
}

static void release_part(struct describe_part *p)
{
	lengths_free(&p->chars);
	lengths_free(&p->words);
	lengths_free(&p->tokens);
	lengths_free(&p->answers);
	tally_free(&p->label);
	tally_free(&p->slice);
	tally_free(&p->source);
	sums_release(&p->sums);
	mem_free(p->curve);
	buf_free(&p->lead);
}

void describe_release(struct describe *d)
{
	for (unsigned k = 0; k < d->nparts; k++)
		release_part(&d->part[k]);
	for (size_t k = 0; k < d->nwarnings; k++)
		mem_free(d->warning[k].text);
	for (int k = 0; k < DICTS; k++)
		termset_free(d->dict[k]);
	if (d->tokenizer)
		tokenize_close(&d->tokenize);
	shared_release(&d->texts);
	shared_release(&d->similar);
	shared_release(&d->answers);
	neardup_release(&d->near);
	minhash_free(d->minhash);
	lang_close(d->lang);
	unicode_close(d->unicode);
	mem_free(d->columns.v);
	mem_free(d->part);
	mem_free(d->near_end);
	mem_free(d->warning);
	arena_release(&d->arena);
}
