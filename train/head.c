/* SPDX-License-Identifier: Apache-2.0 */
/* Behind the last layer: the last norm, logits and loss, only at the rows that are asked for, a chunk of rows at a time. */
#include "net.h"

#include "mem.h"

static struct kmat head_matrix(const struct model *m)
{
	return net_mat(m, m->cfg.tied ? P_EMBED : P_HEAD, 0);
}

static char *row(const struct model *m, void *p, uint32_t i)
{
	return (char *)p + (size_t)i * m->cfg.hidden * m->esize;
}

void head_norm(struct model *m, const struct batch *b)
{
	uint32_t h = m->cfg.hidden;

	kern_rows_get(m->k, b->nout, h, m->x, b->out, m->rows, DT_F32);
	kern_rmsnorm(m->k, b->nout, h, m->rows, h, DT_F32, net_vec(m, P_NORM_OUT, 0), m->cfg.rms_eps,
	             m->rows_n, h, m->o.act, m->rows_rstd, m->rows_x);
}

static void chunk_logits(struct model *m, uint32_t first, uint32_t n)
{
	kern_linear(m->k, &(struct kern_linear){ .t = n, .w = head_matrix(m), .x = row(m, m->rows_n, first), .ldx = m->cfg.hidden,
		.xt = m->o.act, .y = m->logits, .ldy = m->cfg.vocab, .yt = DT_F32 });
}

static uint32_t chunk_size(const struct model *m, const struct batch *b, uint32_t first)
{
	return b->nout - first < m->chunk ? b->nout - first : m->chunk;
}

void head_logits(struct model *m, const struct batch *b, float *logits)
{
	for (uint32_t i = 0, n; i < b->nout; i += n) {
		n = chunk_size(m, b, i);
		chunk_logits(m, i, n);
		kern_get(m->k, logits + (size_t)i * m->cfg.vocab, m->logits, (size_t)n * m->cfg.vocab * sizeof *logits);
	}
}

void head_logp(struct model *m, const struct batch *b, float *logp)
{
	for (uint32_t i = 0, n; i < b->nout; i += n) {
		n = chunk_size(m, b, i);
		chunk_logits(m, i, n);
		kern_xent(m->k, n, m->cfg.vocab, m->logits, m->cfg.vocab, b->target + i, NULL, 0, NULL, 0, DT_F32, m->rows_loss + i);
	}
	kern_get(m->k, logp, m->rows_loss, b->nout * sizeof *logp);
	for (uint32_t i = 0; i < b->nout; i++)
		logp[i] = -logp[i];
}

/* In the order of rows and in double: the same figure for every number of threads. */
static double sum_loss(struct model *m, uint32_t n)
{
	float part[256];
	double sum = 0;

	for (uint32_t i = 0, k; i < n; i += k) {
		k = n - i < 256 ? n - i : 256;
		kern_get(m->k, part, m->rows_loss + i, k * sizeof *part);
		for (uint32_t j = 0; j < k; j++)
			sum += part[j];
	}
	return sum;
}

/* The rivals at outputs FIRST .. FIRST + N - 1, whose logits and gradients are at hand; *DONE of all have been seen. */
static void chunk_rivals(struct model *m, const struct batch *b, uint32_t first, uint32_t n, uint32_t *done, double *loss)
{
	uint32_t v = m->cfg.vocab, k = *done, *row = mem_grow(NULL, n, sizeof *row);
	float *each = mem_grow(NULL, n, sizeof *each);

	while (*done < b->nrival && b->rival_out[*done] < first + n) {
		row[*done - k] = b->rival_out[*done] - first;
		++*done;
	}
	if (*done > k) {
		if (m->o.apart)
			kern_put(m->k, m->in_rival, row, (*done - k) * sizeof *row);
		kern_rivals(m->k, &(struct kern_rivals){ .m = *done - k, .n = v, .row = m->o.apart ? m->in_rival : row, .first = b->rival_first + k, .id = b->rival_id, .logits = m->logits, .ldl = v,
			.weight = b->rival_weight + k, .dlogits = m->dlogits, .ldd = v, .dt = m->o.act, .loss = m->rival_loss });
		kern_get(m->k, each, m->rival_loss, (*done - k) * sizeof *each);
	}
	for (uint32_t i = 0; i < *done - k; i++)
		*loss += each[i];
	mem_free(row);
	mem_free(each);
}

void head_train(struct model *m, const struct batch *b, struct model_loss *loss)
{
	uint32_t h = m->cfg.hidden, v = m->cfg.vocab;
	float *ghead = net_grad(m, m->cfg.tied ? P_EMBED : P_HEAD, 0);
	struct kmat w = head_matrix(m);
	uint32_t rivals = 0;

	for (uint32_t i = 0, n; i < b->nout; i += n) {
		n = chunk_size(m, b, i);
		chunk_logits(m, i, n);
		kern_xent(m->k, n, v, m->logits, v, b->target + i, b->weight + i, m->o.smoothing, m->dlogits, v, m->o.act, m->rows_loss + i);
		if (rivals < b->nrival)
			chunk_rivals(m, b, i, n, &rivals, &loss->rival);
		if (ghead)
			kern_outer(m->k, n, v, h, 1, m->o.act, m->dlogits, v, row(m, m->rows_n, i), h, ghead, h);
		kern_linear_dx(m->k, &(struct kern_linear_dx){ .t = n, .w = w, .dy = m->dlogits, .lddy = v, .xt = m->o.act, .alpha = 1,
			.dx = m->drows + (size_t)i * h, .lddx = h, .yt = DT_F32 });
	}
	loss->token += sum_loss(m, b->nout);
	kern_zero(m->k, m->rows, (size_t)b->nout * h * sizeof(float));
	kern_rmsnorm_dx(m->k, b->nout, h, m->rows_x, h, m->o.act, m->rows_rstd, net_vec(m, P_NORM_OUT, 0), m->drows, h, DT_F32,
	                m->rows, h, false, net_grad(m, P_NORM_OUT, 0));
	kern_zero(m->k, m->dx, (size_t)b->n * h * sizeof(float));
	kern_rows_put(m->k, b->nout, h, m->rows, b->out, m->dx, true);
}
