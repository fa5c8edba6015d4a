/* SPDX-License-Identifier: Apache-2.0 */
#include "data.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "hash.h"
#include "mem.h"
#include "opt.h"

static uint64_t row_count(const struct shard *s)
{
	return shard_pack(s) ? shard_rows(s) : shard_count(s);
}

static struct data_row row_at(const struct data_file *f, const uint32_t *row)
{
	struct data_row r = { f->path, f->shard, row, 1 };

	if (shard_pack(f->shard))
		shard_row(f->shard, *row, &r.seq, &r.n);
	return r;
}

struct data_row data_row(const struct data *d, const struct cursor_item *it)
{
	return row_at(&d->file[it->source], &it->row);
}

/* "FILE:0.5" or "FILE:0.5-0.1" into path and weights; a colon that no number follows belongs to the name, and so does one of a file so named. */
static int split_spec(const char *spec, char **path, struct cursor_source *s, struct err *e)
{
	const char *colon = strrchr(spec, ':');

	s->weight = s->end = 1;
	if (colon && access(spec, F_OK) != 0 && opt_span(colon + 1, 0, 1e6, &s->weight, &s->end, NULL) == 0) {
		*path = mem_strn(spec, (size_t)(colon - spec));
		return s->weight > 0 || s->end > 0 ? 0 : err_set(e, SFT_USAGE, "--data %s: the weight is 0 (expected a number above it)", spec);
	}
	s->weight = s->end = 1;
	*path = mem_str(spec);
	return 0;
}

/* Lists the rows with a trained token, and counts. */
static void list_rows(struct data *d, size_t i)
{
	struct data_file *f = &d->file[i];
	uint64_t n = row_count(f->shard);
	struct cursor_source *src = &d->src[i];

	f->row = mem_grow(NULL, n ? n : 1, sizeof *f->row);
	for (uint32_t r = 0; r < n; r++) {
		struct data_row row = row_at(f, &r);
		uint64_t tokens = 0, trained = 0;

		for (uint32_t k = 0; k < row.n; k++) {
			uint32_t both[2] = { shard_len(f->shard, row.seq[k]), shard_seq_trained(f->shard, row.seq[k]) };

			tokens += both[0];
			trained += both[1];
			d->print = hash64(both, sizeof both, d->print);
		}
		if (trained == 0) {
			d->untrained++;
			continue;
		}
		f->row[src->n++] = r;
		d->tokens += tokens;
		d->trained += trained;
		if (tokens > d->max_row)
			d->max_row = (uint32_t)tokens;
	}
	src->row = f->row;
	d->rows += src->n;
	d->print = hash64(&src->weight, sizeof src->weight, d->print);
	if (src->end != src->weight)
		d->print = hash64(&src->end, sizeof src->end, d->print);
	if (shard_max_len(f->shard) > d->max_len)
		d->max_len = shard_max_len(f->shard);
}

static int check_fit(const struct data_file *f, const struct data_opts *o, struct err *e)
{
	uint64_t theirs = shard_vocab_hash(f->shard);

	if (shard_count(f->shard) >= UINT32_MAX)
		return err_set(e, SFT_BADDATA, "%s: more than %u sequences (split it)", f->path, UINT32_MAX - 1);
	if (shard_count(f->shard) && shard_max_id(f->shard) >= o->vocab)
		return err_set(e, SFT_BADDATA, "%s: token id %u (the model's vocabulary has %u)", f->path, shard_max_id(f->shard), o->vocab);
	if (theirs && o->vocab_hash && theirs != o->vocab_hash)
		return err_set(e, SFT_BADDATA, "%s: made with another tokenizer (vocabulary %016" PRIx64 ", the model's is %016" PRIx64 ")",
		               f->path, theirs, o->vocab_hash);
	return 0;
}

static int open_file(struct data_file *f, const struct data_opts *o, struct err *e)
{
	char *made;
	int rc;

	if (o->records == NULL || access(f->path, R_OK) != 0 || shard_is(f->path))
		return shard_open(&f->shard, f->path, e);
	if ((rc = recshard_get(o->records, f->path, &made, e)) == 0)
		rc = shard_open(&f->shard, made, e);
	mem_free(made);
	return rc;
}

int data_open(struct data *d, const char *const *spec, size_t n, const struct data_opts *o, struct err *e)
{
	int rc = 0;

	memset(d, 0, sizeof *d);
	d->file = mem_new(n * sizeof *d->file);
	d->src = mem_new(n * sizeof *d->src);
	for (size_t i = 0; i < n && rc == 0; i++) {
		d->n++;
		if ((rc = split_spec(spec[i], &d->file[i].path, &d->src[i], e)) == 0 &&
		    (rc = open_file(&d->file[i], o, e)) == 0 &&
		    (rc = check_fit(&d->file[i], o, e)) == 0)
			list_rows(d, i);
	}
	if (rc == 0 && d->rows == 0)
		rc = err_set(e, SFT_BADDATA, "%s: no sequence has a trained token", spec[0]);
	if (rc != 0)
		data_close(d);
	return rc;
}

void data_close(struct data *d)
{
	for (size_t i = 0; i < d->n; i++) {
		shard_close(d->file[i].shard);
		mem_free(d->file[i].row);
		mem_free(d->file[i].path);
	}
	mem_free(d->file);
	mem_free(d->src);
	memset(d, 0, sizeof *d);
}

struct data data_view(const struct data *d, size_t f)
{
	struct data v = *d;

	v.file = d->file + f;
	v.src = d->src + f;
	v.n = 1;
	v.rows = d->src[f].n;
	v.tokens = v.trained = 0;
	for (uint32_t i = 0; i < d->src[f].n; i++) {
		struct data_row r = data_row(d, &(struct cursor_item){ (uint32_t)f, d->src[f].row[i] });

		for (uint32_t k = 0; k < r.n; k++) {
			v.tokens += shard_len(r.shard, r.seq[k]);
			v.trained += shard_seq_trained(r.shard, r.seq[k]);
		}
	}
	return v;
}
