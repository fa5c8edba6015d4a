/* SPDX-License-Identifier: Apache-2.0 */
#include "trainer.h"

#include <math.h>
#include <string.h>

#include "mem.h"
#include "rng.h"

enum { VALIDATED_TOGETHER = 64 };      /* sequences that may share a beginning */

/* What a full pack is given to. */
typedef int pass_fn(struct trainer *t, const struct batch *b, struct model_loss *loss, struct err *e);

static int flush(struct trainer *t, pass_fn *pass, struct model_loss *loss, struct err *e)
{
	struct batch b;
	int rc = 0;

	if (t->pack.n) {
		pack_batch(&t->pack, &b);
		rc = pass(t, &b, loss, e);
	}
	pack_reset(&t->pack);
	return rc;
}

/* The sequences of a row into the micro-step.  KEY: the row's random number. */
static int add_row(struct trainer *t, struct data_row row, double scale, uint64_t key, struct err *e)
{
	struct shard_seq seq;
	int rc;

	for (uint32_t i = 0; i < row.n; i++) {
		if (shard_seq_trained(row.shard, row.seq[i]) == 0)
			continue;
		if ((rc = shard_get(row.shard, row.seq[i], &t->buf, &seq, e)) != 0)
			return err_in(e, "%s", row.path);
		share_add(&t->share_step, seq.ids, seq.mask, seq.n, (float)(seq.weight * scale), rng_mix(key + i));
		if (t->term_scale > 0)
			share_rivals(&t->share_step, &seq.rivals);
	}
	return 0;
}

static uint32_t targets(const struct share_seq *q)
{
	uint32_t n = 0;

	for (uint32_t i = 1; i < q->n; i++)
		n += q->mask[i];
	return n;
}

/* The members of a group into the pack, behind what they share; passes that are full go to PASS, and the next begins with that again. */
static int pack_group(struct trainer *t, const struct share_group *g, pass_fn *pass, struct model_loss *loss, struct err *e)
{
	struct share *s = &t->share_step;
	uint32_t prefix = 0, nout;
	bool there = g->prefix == 0;
	int rc;

	for (uint32_t i = g->first; i < g->first + g->n; i++) {
		const struct share_seq *q = &s->seq[s->order[i]];
		uint32_t more = q->n - (there ? g->prefix : 0);

		if (t->pack.n && (t->pack.n + more > t->micro || t->pack.nout + targets(q) > t->micro)) {
			if ((rc = flush(t, pass, loss, e)) != 0)
				return rc;
			there = g->prefix == 0;
		}
		if (!there)
			prefix = pack_prefix(&t->pack, q->ids, g->prefix);
		there = true;
		nout = t->pack.nout;
		pack_branch(&t->pack, prefix, g->prefix, q->ids, q->mask, q->n, q->weight, q->key);
		if (q->rivals.n)
			pack_rivals(&t->pack, nout, q->mask, q->n, &q->rivals, (float)t->term_scale);
	}
	return 0;
}

/* The micro-step to PASS, in as many passes as it takes. */
static int run_micro_step(struct trainer *t, pass_fn *pass, struct model_loss *loss, struct err *e)
{
	int rc = 0;

	share_plan(&t->share_step, t->share);
	for (uint32_t i = 0; rc == 0 && i < t->share_step.ngroups; i++)
		rc = pack_group(t, &t->share_step.group[i], pass, loss, e);
	if (rc == 0)
		rc = flush(t, pass, loss, e);
	share_reset(&t->share_step);
	return rc;
}

static void count_row(struct data_row row, uint64_t *tokens, uint64_t *trained)
{
	for (uint32_t i = 0; i < row.n; i++) {
		uint32_t n = shard_seq_trained(row.shard, row.seq[i]);

		*trained += n;
		*tokens += n ? shard_len(row.shard, row.seq[i]) : 0;
	}
}

/* Positions of a row that have rivals. */
static int count_terms(struct trainer *t, struct data_row row, uint64_t *terms, struct err *e)
{
	struct shard_seq seq;
	int rc;

	if (shard_with_rivals(row.shard) == 0)
		return 0;
	for (uint32_t i = 0; i < row.n; i++) {
		if ((rc = shard_get(row.shard, row.seq[i], &t->buf, &seq, e)) != 0)
			return err_in(e, "%s", row.path);
		*terms += seq.rivals.n;
	}
	return 0;
}

static int train_pass(struct trainer *t, const struct batch *b, struct model_loss *loss, struct err *e)
{
	return model_train(t->m, b, loss, e);
}

/* "a.shard:12,40 b.shard:3": rows, numbered from 0, as they stand in their files. */
static void name_rows(const struct trainer *t, const struct cursor_item *it, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++)
		if (i && it[i].source == it[i - 1].source)
			buf_fmt(out, ",%u", it[i].row);
		else
			buf_fmt(out, "%s%s:%u", i ? " " : "", t->data->file[it[i].source].path, it[i].row);
}

/* The random number of item I of a step that began at PLACE: each row of each epoch has one of its own. */
static uint64_t row_key(const struct trainer *t, struct cursor_place place, size_t i)
{
	return rng_mix(rng_mix(rng_mix(t->seed) + place.epoch) + place.at + i);
}

static int not_finite(const struct trainer *t, const struct trainer_step *s, const struct cursor_item *it, size_t n, struct err *e)
{
	struct buf rows = {0};
	int rc;

	name_rows(t, it, n, &rows);
	rc = err_set(e, SFT_BADDATA, "the %s is not finite (loss %g, gradient %g); rows of the step: %s",
	             isfinite(s->loss) ? "gradient" : "loss", s->loss, s->norm, rows.p);
	buf_free(&rows);
	return rc;
}

/* The rows of a step, and where it began. */
struct step_rows {
	struct cursor_place place;
	const struct cursor_item *it;
	size_t n;
	double scale;                  /* of each token's gradient */
};

/* What the step holds, and what a token and a term count in it. */
static int count_step(struct trainer *t, struct step_rows *s, struct trainer_step *out, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->n; i++) {
		struct data_row row = data_row(t->data, &s->it[i]);

		count_row(row, &out->tokens, &out->trained);
		if (t->term_weight > 0)
			rc = count_terms(t, row, &out->terms, e);
	}
	s->scale = 1.0 / (double)out->trained;
	t->term_scale = out->terms ? t->term_weight / (double)out->terms : 0;
	return rc;
}

/* Micro-step I: its gradient into the sum, its loss into *LOSS. */
static int train_micro_step(struct trainer *t, const struct step_rows *s, uint64_t i, struct model_loss *loss, struct err *e)
{
	size_t first = i * t->batch, end = first + t->batch < s->n ? first + t->batch : s->n;
	int rc = gradsum_room(&t->sum, e);

	pack_reset(&t->pack);
	share_reset(&t->share_step);
	for (size_t k = first; rc == 0 && k < end; k++)
		rc = add_row(t, data_row(t->data, &s->it[k]), s->scale, row_key(t, s->place, k), e);
	if (rc == 0 && (rc = run_micro_step(t, train_pass, loss, e)) == 0)
		gradsum_add(&t->sum, i);
	return rc;
}

/* The gradient of the step, what it holds, and the sum of its losses: added up in the order of micro-steps, whoever had them. */
static int sum_step(struct trainer *t, struct step_rows *s, struct trainer_step *out, struct model_loss *loss, struct err *e)
{
	uint64_t micro = (s->n + t->batch - 1) / t->batch;
	struct model_loss *part = mem_new(micro * sizeof *part);
	int rc = count_step(t, s, out, e);

	t->sum.k = t->k;
	t->sum.ranks = t->ranks;
	t->sum.grad = model_grad(t->m);
	t->sum.n = t->optim->n;
	if (rc == 0)
		rc = gradsum_begin(&t->sum, micro, e);
	for (uint64_t i = t->sum.first; rc == 0 && i < t->sum.end; i++)
		rc = train_micro_step(t, s, i, &part[i], e);
	if ((rc = ranks_agree(t->ranks, rc, e)) == 0) {
		gradsum_finish(&t->sum);
		model_freeze(t->m);
		ranks_gather(t->ranks, part, micro, sizeof *part);
		for (uint64_t i = 0; i < micro; i++) {
			loss->token += part[i].token;
			loss->rival += part[i].rival;
		}
	}
	mem_free(part);
	return rc;
}

int trainer_step(struct trainer *t, double lr, struct trainer_step *out, struct err *e)
{
	struct step_rows s = { .place = t->cursor->place };
	float *grad = model_grad(t->m);
	struct model_loss sum = {0};
	int rc;

	memset(out, 0, sizeof *out);
	s.n = cursor_next(t->cursor, t->batch * t->accumulate, &s.it);
	if ((rc = sum_step(t, &s, out, &sum, e)) != 0)
		return rc;
	out->term_loss = out->terms ? sum.rival / (double)out->terms : 0;
	out->loss = sum.token / (double)out->trained + t->term_weight * out->term_loss;
	out->norm = optim_norm(t->optim, grad);
	if (!isfinite(out->loss) || !isfinite(out->norm))
		return ranks_agree(t->ranks, not_finite(t, out, s.it, s.n, e), e);
	optim_step(t->optim, lr, out->norm, model_values(t->m), grad);
	return 0;
}

void trainer_release(struct trainer *t)
{
	gradsum_release(&t->sum);
	pack_free(&t->pack);
	share_free(&t->share_step);
	shard_buf_free(&t->buf);
}

static int logp_pass(struct trainer *t, const struct batch *b, struct model_loss *loss, struct err *e)
{
	float *logp = mem_grow(NULL, b->nout, sizeof *logp);
	int rc = model_logp(t->m, b, NULL, NULL, logp, e);

	for (uint32_t i = 0; rc == 0 && i < b->nout; i++)
		loss->token -= logp[i];
	mem_free(logp);
	return rc;
}

static uint32_t trained_sequences(struct data_row row)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < row.n; i++)
		n += shard_seq_trained(row.shard, row.seq[i]) > 0;
	return n;
}

/* Validation data in chunks of VALIDATED_TOGETHER sequences, or a few more; rank r takes chunk r, r + size, ... */
struct validation {
	struct model_loss *loss;       /* [n] of the chunks of this rank */
	size_t n, cap;
	uint64_t chunk;                /* the one that is being filled */
	uint32_t nseq;                 /* with so many sequences */
};

static bool is_mine(const struct trainer *t, const struct validation *v)
{
	return v->chunk % ranks_size(t->ranks) == ranks_rank(t->ranks);
}

static int end_chunk(struct trainer *t, struct validation *v, struct err *e)
{
	int rc = 0;

	if (is_mine(t, v)) {
		ARRAY_ROOM(v->loss, v->n, v->cap);
		v->loss[v->n] = (struct model_loss){0};
		rc = run_micro_step(t, logp_pass, &v->loss[v->n++], e);
	}
	v->chunk++;
	v->nseq = 0;
	return rc;
}

static int validate_row(struct trainer *t, struct validation *v, struct data_row row, struct err *e)
{
	int rc = is_mine(t, v) ? add_row(t, row, 1, 0, e) : 0;

	v->nseq += trained_sequences(row);
	return rc == 0 && v->nseq >= VALIDATED_TOGETHER ? end_chunk(t, v, e) : rc;
}

/* The losses of all ranks' chunks, added up in the order of the chunks. */
static double sum_chunks(const struct trainer *t, const struct validation *v)
{
	unsigned size = ranks_size(t->ranks);
	size_t each = (v->chunk + size - 1) / size;
	struct model_loss *all = mem_new(size * each * sizeof *all);
	double sum = 0;

	if (v->n)
		memcpy(all + ranks_rank(t->ranks) * each, v->loss, v->n * sizeof *all);
	ranks_gather(t->ranks, all, size * each, sizeof *all);
	for (uint64_t c = 0; c < v->chunk; c++)
		sum += all[c % size * each + c / size].token;
	mem_free(all);
	return sum;
}

int trainer_validate(struct trainer *t, const struct data *d, double *loss, struct err *e)
{
	struct validation v = {0};
	int rc = 0;

	t->term_scale = 0;
	pack_reset(&t->pack);
	share_reset(&t->share_step);
	for (size_t f = 0; f < d->n; f++)
		for (uint32_t r = 0; r < d->src[f].n && rc == 0; r++)
			rc = validate_row(t, &v, data_row(d, &(struct cursor_item){ (uint32_t)f, d->src[f].row[r] }), e);
	if (rc == 0)
		rc = end_chunk(t, &v, e);
	if ((rc = ranks_agree(t->ranks, rc, e)) == 0)
		*loss = sum_chunks(t, &v) / (double)d->trained;
	mem_free(v.loss);
	return rc;
}
