/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline of sft-tokenize: batches of records are read in order, tokenised by several threads, written in order. */
#include "tokenize.h"

#include <string.h>
#include <unistd.h>

#include "outfile.h"
#include "shardinfo.h"
#include "threads.h"
#include "tokenizekey.h"

enum { BATCH = 256 };

struct batch {
	struct arena arena;
	struct rec rec[BATCH];
	struct sequence seq[BATCH];
	size_t n, bad;              /* records; the one that could not be tokenised (n: none) */
	struct err *why;            /* by record where bad ones are skipped: code 0 is good */
};

struct run {
	const struct tokenize *z;
	const struct rec_opts *r;
	const struct tool *t;
	struct recin *in;
	struct tokenize_key key;
	char *unsorted;             /* where the shard goes before it is sorted; NULL: at once where it belongs */
	struct shard_out *shard;    /* one of the two */
	struct outfile *out;
	struct tokenize_work *work;
	struct progress progress;
	struct tokenize_totals *totals;
	struct err *e;              /* of the write stage */
	struct err read_error;
};

/* --- opening --- */

static int open_template(struct tokenize *z, struct err *e)
{
	const char *source = tok_chat_template(z->tok);
	int rc;

	if (z->o->chat_template == NULL && source == NULL) {
		err_set(&z->chat_error, SFT_USAGE, "the model has no chat template (--chat-template FILE|NAME gives one)");
		return 0;
	}
	rc = chat_open(&z->chat, z->o->chat_template, source, tok_bos_text(z->tok), tok_eos_text(z->tok), tok_pad_text(z->tok), &z->chat_error);
	if (rc && z->o->chat_template)
		return err_set(e, rc, "%s", z->chat_error.msg);
	if (rc == 0)
		tok_use_template(z->tok, chat_source(z->chat));
	return 0;                      /* a model's template is needed only where there are messages */
}

int tokenize_open(struct tokenize *z, const struct tokenize_opts *o, struct err *e)
{
	int rc;

	*z = (struct tokenize){ .o = o, .max_len = (uint64_t)o->max_len };
	if (o->terms.n && (rc = rivals_open(&z->rivals, &o->terms, e)) != 0)
		return rc;
	if (o->model == NULL && !(o->from_ids && o->job == JOB_SHARD))
		return err_set(e, SFT_USAGE, "-m MODEL is needed (a folder, tokenizer.json, *.model or GGUF file)");
	if (o->model) {
		if ((rc = tok_open(&z->tok, o->model, e)) != 0)
			return rc;
		if (!o->from_ids && o->job != JOB_DECODE && (rc = open_template(z, e)) != 0)
			return rc;
		if (z->max_len == 0)
			z->max_len = tok_context(z->tok);
	}
	if (o->pack && z->max_len > (uint64_t)o->pack && o->max_len)
		return err_set(e, SFT_USAGE, "--max-len %lld is over the %lld tokens of a packed row", (long long)o->max_len, (long long)o->pack);
	if (o->pack && (z->max_len == 0 || z->max_len > (uint64_t)o->pack))
		z->max_len = (uint64_t)o->pack;
	return 0;
}

void tokenize_close(struct tokenize *z)
{
	tok_close(z->tok);
	chat_close(z->chat);
	rivals_close(z->rivals);
	*z = (struct tokenize){0};
}

/* --- what the shard says about itself --- */

static char *info(const struct tokenize *z, const struct tokenize_key *key, const struct tool *t)
{
	static const char *const on_long[] = { "drop", "truncate-left", "truncate-right", "stop" };
	static const char *const train_on[] = { "assistant", "last", "all" };
	struct buf b = {0};
	struct jw w;

	jw_init(&w, &b);
	shardinfo_begin(&w, t, NULL);
	if (z->tok)
		shardinfo_hash(&w, "tokenizer", tok_hash(z->tok));
	if (z->chat)
		shardinfo_hash(&w, "template", chat_hash(z->chat));
	if (z->rivals)
		shardinfo_hash(&w, "terms", rivals_hash(z->rivals));
	jw_key(&w, "max_len");
	jw_uint(&w, z->max_len);
	jw_key(&w, "on_long");
	jw_str(&w, on_long[z->o->on_long]);
	jw_key(&w, "train_on");
	jw_str(&w, z->o->from_ids ? "mask" : train_on[z->o->train_on]);
	jw_key(&w, "pack");
	jw_int(&w, z->o->pack);
	jw_key(&w, "sort");
	jw_str(&w, z->o->sort ? "prefix" : "none");
	tokenize_key_put(key, &w);
	jw_obj_end(&w);
	return b.p;
}

/* --- the pipeline --- */

static int read_batch(void *ctx, void *item)
{
	struct run *r = ctx;
	struct batch *b = item;

	arena_reset(&b->arena);
	if (rec_read_batch(r->in, &b->arena, b->rec, BATCH, &b->n, &r->read_error) != 0)
		return -1;
	if (b->n == 0)
		return 0;
	progress_at(&r->progress, rec_count(r->in), rec_share(r->in), NULL);
	return 1;
}

static void map_batch(void *ctx, void *item, int thread)
{
	struct run *r = ctx;
	struct batch *b = item;

	b->bad = b->n;
	for (size_t i = 0; i < b->n; i++) {
		b->why[i].code = 0;
		if (tokenize_record(r->z, &r->work[thread], &b->rec[i], &b->arena, &b->seq[i], &b->why[i]) == 0)
			continue;
		if (r->r->on_bad == 0) {   /* what comes after it is not wanted */
			b->bad = i;
			return;
		}
	}
}

static int put(struct run *r, const struct sequence *s)
{
	struct tokenize_totals *t = r->totals;
	int rc;

	if (r->out) {
		t->sequences++;
		t->tokens += s->seq.n;
		return out_write(r->out, s->text, s->ntext, r->e);
	}
	if ((rc = shard_put(r->shard, &s->seq, r->e)) != 0)
		return rc;
	t->sequences++;
	t->tokens += s->seq.n;
	t->truncated += s->truncated;
	t->term_positions += s->seq.rivals.n;
	if (s->seq.n > t->longest)
		t->longest = s->seq.n;
	for (uint32_t i = 1; i < s->seq.n; i++)
		t->trained += s->seq.mask[i];
	return 0;
}

static const char *place(const struct rec *r)
{
	return strcmp(r->file, "-") == 0 ? "standard input" : r->file;
}

static int write_batch(void *ctx, void *item)
{
	struct run *r = ctx;
	struct batch *b = item;

	for (size_t i = 0; i < b->n; i++) {
		const struct rec *rec = &b->rec[i];
		const char *why = b->seq[i].why;
		int rc;

		if (i == b->bad) {
			err_set(r->e, b->why[i].code, "%s:%llu: %s", place(rec), (unsigned long long)rec->line, b->why[i].msg);
			return -1;
		}
		if (b->why[i].code) {
			tool_note(r->t, "%s:%llu: %s", place(rec), (unsigned long long)rec->line, b->why[i].msg);
			why = "cannot be tokenized";
		}
		rc = why ? rec_reject(r->in, rec, why, r->e) : put(r, &b->seq[i]);
		if (rc)
			return -1;
	}
	return 0;
}

static int run_pipeline(struct run *r, const struct tool *t, struct err *e)
{
	const struct omap pipeline = { r, read_batch, map_batch, write_batch };
	int nthreads = (int)t->threads, nitems = nthreads + 1, rc;
	void **items = mem_new((size_t)nitems * sizeof *items);

	r->work = mem_new((size_t)nthreads * sizeof *r->work);
	for (int i = 0; i < nthreads; i++)
		tokenize_work_open(r->z, &r->work[i]);
	for (int i = 0; i < nitems; i++) {
		struct batch *b = items[i] = mem_new(sizeof *b);

		arena_init(&b->arena);
		b->why = mem_new(BATCH * sizeof *b->why);
	}
	progress_open(&r->progress, t->name, "records", 0, tool_progress(t));
	rc = omap_run(&pipeline, items, nitems, nthreads);
	progress_close(&r->progress);
	for (int i = 0; i < nitems; i++) {
		struct batch *b = items[i];

		arena_release(&b->arena);
		mem_free(b->why);
		mem_free(b);
	}
	for (int i = 0; i < nthreads; i++)
		tokenize_work_close(&r->work[i]);
	mem_free(r->work);
	mem_free(items);
	if (rc == 0)
		return 0;
	if (r->read_error.code)
		return err_set(e, r->read_error.code, "%s", r->read_error.msg);
	return e->code ? e->code : SFT_SYSTEM;
}

static int open_output(struct run *r, const char *path, const struct tool *t, struct err *e)
{
	char *text;
	int rc;

	if (r->z->o->job != JOB_SHARD)
		return out_open(&r->out, path, e);
	text = info(r->z, &r->key, t);
	if (r->z->o->sort)
		r->unsorted = tokenize_sort_path(path);
	rc = shard_create(&r->shard, r->unsorted ? r->unsorted : path, r->z->tok ? tok_hash(r->z->tok) : 0, text, e);
	mem_free(text);
	return rc;
}

static void more_stats(struct jw *w, void *ctx)
{
	const struct tokenize_totals *t = ctx;

	jw_key(w, "sequences");
	jw_uint(w, t->sequences);
	jw_key(w, "tokens");
	jw_uint(w, t->tokens);
	jw_key(w, "trained_tokens");
	jw_uint(w, t->trained);
	jw_key(w, "longest");
	jw_uint(w, t->longest);
	jw_key(w, "truncated");
	jw_uint(w, t->truncated);
	jw_key(w, "term_positions");
	jw_uint(w, t->term_positions);
}

/* Is there nothing to do?  Also the files beside the shard that the run is to write must be there. */
static bool unchanged(const struct run *r, const char *path)
{
	return r->z->o->if_changed && tokenize_key_is(&r->key, path) && (r->r->stats == NULL || access(r->r->stats, F_OK) == 0) &&
	       (r->r->rejects == NULL || access(r->r->rejects, F_OK) == 0);
}

static int finish_shard(struct run *r, const char *path, struct err *e)
{
	struct shard_out *out = r->shard;
	uint32_t pack = (uint32_t)r->z->o->pack;
	int rc = tokenize_key_held(&r->key, e);

	if (rc)
		return rc;
	r->shard = NULL;
	if (r->unsorted == NULL)
		return shard_finish(out, pack, e);
	rc = shard_finish(out, 0, e);
	return rc ? rc : tokenize_sort(r->unsorted, path, pack, e);
}

static int finish(struct run *r, const char *path, struct err *e)
{
	struct outfile *out = r->out;

	if (r->shard)
		return finish_shard(r, path, e);
	r->out = NULL;
	return out_close(out, false, e);
}

static int tokenize_stream(struct run *r, const char *const *files, size_t n, const char *path, const struct tool *t, struct err *e)
{
	int rc;

	if ((rc = rec_open(&r->in, files, n, r->r, t, e)) != 0)
		return rc;
	if ((rc = open_output(r, path, t, e)) == 0 && (rc = run_pipeline(r, t, e)) == 0 &&
	    (rc = rec_stats(r->in, NULL, r->r, t, more_stats, r->totals, e)) == 0 && (rc = rec_settle(r->in, e)) == 0 &&
	    (rc = finish(r, path, e)) == 0)
		return rec_close(r->in, e);
	shard_drop(r->shard);
	out_abandon(r->out);
	rec_abandon(r->in);
	return rc;
}

int tokenize_files(const struct tokenize *z, const char *const *files, size_t n, const char *path, const struct rec_opts *o,
                   const struct tool *t, struct tokenize_totals *totals, struct err *e)
{
	struct run r = { .z = z, .r = o, .t = t, .totals = totals, .e = e };
	int rc = 0;

	*totals = (struct tokenize_totals){0};
	if (z->o->job == JOB_SHARD)
		rc = tokenize_key_open(&r.key, z, files, n, t, e);
	if (rc == 0 && z->o->if_changed && !r.key.known)
		rc = err_set(e, SFT_USAGE, "--if-changed needs its input in files by name");
	if (rc == 0 && unchanged(&r, path))
		totals->unchanged = true;
	else if (rc == 0)
		rc = tokenize_stream(&r, files, n, path, t, e);
	tokenize_key_close(&r.key);
	mem_free(r.unsorted);
	return rc;
}
