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

int trainer_step(struct trainer *t, double lr, struct trainer_step *out, struct err *e)
{
	struct cursor_place place = t->cursor->place;
	const struct cursor_item *it;
	size_t n = cursor_next(t->cursor, t->batch * t->accumulate, &it);
	float *grad = model_grad(t->m);
	struct model_loss sum = {0};
	int rc;

	memset(out, 0, sizeof *out);
	for (size_t i = 0; i < n; i++) {
		count_row(data_row(t->data, &it[i]), &out->tokens, &out->trained);
		if (t->term_weight > 0 && (rc = count_terms(t, data_row(t->data, &it[i]), &out->terms, e)) != 0)
			return rc;
	}
	t->term_scale = out->terms ? t->term_weight / (double)out->terms : 0;
	kern_zero(t->k, grad, t->optim->n * sizeof *grad);
	pack_reset(&t->pack);
	share_reset(&t->share_step);
	for (size_t i = 0; i < n; i++) {
		if ((rc = add_row(t, data_row(t->data, &it[i]), 1.0 / (double)out->trained, row_key(t, place, i), e)) != 0)
			return rc;
		if (((i + 1) % t->batch == 0 || i + 1 == n) && (rc = run_micro_step(t, train_pass, &sum, e)) != 0)
			return rc;
	}
	out->term_loss = out->terms ? sum.rival / (double)out->terms : 0;
	out->loss = sum.token / (double)out->trained + t->term_weight * out->term_loss;
	out->norm = optim_norm(t->optim, grad);
	if (!isfinite(out->loss) || !isfinite(out->norm))
		return not_finite(t, out, it, n, e);
	optim_step(t->optim, lr, out->norm, model_values(t->m), grad);
	return 0;
}

void trainer_release(struct trainer *t)
{
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

int trainer_validate(struct trainer *t, const struct data *d, double *loss, struct err *e)
{
	struct model_loss sum = {0};
	int rc = 0;

	t->term_scale = 0;
	pack_reset(&t->pack);
	share_reset(&t->share_step);
	for (size_t f = 0; f < d->n; f++)
		for (uint32_t r = 0; r < d->src[f].n && rc == 0; r++) {
			rc = add_row(t, data_row(d, &(struct cursor_item){ (uint32_t)f, d->src[f].row[r] }), 1, 0, e);
			if (rc == 0 && t->share_step.nseq >= VALIDATED_TOGETHER)
				rc = run_micro_step(t, logp_pass, &sum, e);
		}
	if (rc == 0)
		rc = run_micro_step(t, logp_pass, &sum, e);
	*loss = sum.token / (double)d->trained;
	return rc;
}
