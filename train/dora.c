/* SPDX-License-Identifier: Apache-2.0 */
/* DoRA: y = (magnitude / norm) * (W + scale B A) x, with the norms of the rows of W + scale B A taken once a pass (they count as constants on the
 * way back, as PEFT has it).  The matrix itself is never formed. */
#include "net.h"

#include "mem.h"

size_t dora_width(const struct model *m)
{
	size_t width = 0;

	for (size_t i = 0; m->lora && m->lora->dora && i < m->lora->nrows; i++) {
		const struct lora_row *r = &m->lora->row[i];
		size_t n = r->part == LORA_M ? r->cols * (place_at(&m->cfg, r->place).p >= P_EGATE ? m->cfg.top : 1u) : 0;

		width = n > width ? n : width;
	}
	return width;
}

/* The matrix that a row's adapter changes. */
static struct kmat matrix(const struct model *m, const struct lora_row *r)
{
	struct place at = place_at(&m->cfg, r->place);

	return net_expert(m, at.p, at.layer, at.expert);
}

/* Squared norms of the rows of W. */
static int base_norms(struct model *m, const struct lora_row *r, struct err *e)
{
	struct place at = place_at(&m->cfg, r->place);
	struct kmat w = weight_mat(weights_expert(m->w, at.p, at.layer, at.expert));       /* in host memory */
	float *row = mem_try(w.cols * sizeof *row), *out = mem_try(w.rows * sizeof *out);

	for (uint32_t i = 0; row && out && i < w.rows; i++) {
		double sum = 0;

		kmat_values(&w, i, 0, w.cols, row);
		for (uint32_t k = 0; k < w.cols; k++)
			sum += (double)row[k] * row[k];
		out[i] = (float)sum;
	}
	if (row && out)
		kern_put(m->k, m->w2 + r->offset, out, w.rows * sizeof *out);
	mem_free(row);
	mem_free(out);
	return row && out ? 0 : err_set(e, SFT_SYSTEM, "no memory for the norms of a matrix");
}

/* Values that the products with one A take: [rank, out + rank] of the largest. */
static size_t work_size(const struct model *m)
{
	size_t most = 0;

	for (size_t i = 0; m->lora && m->lora->dora && i < m->lora->nrows; i++) {
		const struct lora_row *r = &m->lora->row[i];
		uint32_t rank = r->part == LORA_M ? m->lora->site[r->place].rank : 0;
		size_t n = (size_t)rank * (r->cols + rank);

		most = n > most ? n : most;
	}
	return most;
}

size_t dora_bytes(const struct model *m)
{
	size_t work = work_size(m);

	return work ? (2 * m->lora->count + work) * sizeof(float) : 0;
}

int dora_open(struct model *m, struct err *e)
{
	size_t work = work_size(m);
	int rc = 0;

	if (work == 0)
		return 0;
	m->w2 = kern_alloc(m->k, m->lora->count * sizeof *m->w2);
	m->norm = kern_alloc(m->k, m->lora->count * sizeof *m->norm);
	m->wa = kern_alloc(m->k, work * sizeof *m->wa);
	if (m->w2 == NULL || m->norm == NULL || m->wa == NULL)
		return err_set(e, SFT_SYSTEM, "no memory for the norms of %zu values", m->lora->count);
	for (size_t i = 0; i < m->lora->nrows && rc == 0; i++)
		if (m->lora->row[i].part == LORA_M)
			rc = base_norms(m, &m->lora->row[i], e);
	return rc;
}

void dora_close(struct model *m)
{
	kern_free(m->k, m->w2);
	kern_free(m->k, m->norm);
	kern_free(m->k, m->wa);
}

void dora_norms(struct model *m)
{
	if (m->norm == NULL || (m->norms_ready && !m->o.train))           /* only training changes the values */
		return;
	for (size_t i = 0; i < m->lora->nrows; i++) {
		const struct lora_row *x = &m->lora->row[i];
		const struct lora_site *s = &m->lora->site[x->place];
		const float *a = m->values + s->a;
		struct kmat w = matrix(m, x);
		float *aat = m->wa + (size_t)s->rank * w.rows;
		uint32_t r = s->rank;

		if (x->part != LORA_M)
			continue;
		kern_linear(m->k, &(struct kern_linear){ .t = r, .w = w, .x = a, .ldx = w.cols, .xt = DT_F32, .y = m->wa, .ldy = w.rows, .yt = DT_F32 });
		kern_linear(m->k, &(struct kern_linear){ .t = r, .w = kmat_f32(a, r, w.cols), .x = a, .ldx = w.cols, .xt = DT_F32, .y = aat, .ldy = r, .yt = DT_F32 });
		kern_dora_norm(m->k, w.rows, r, s->scale, m->w2 + x->offset, m->wa, m->values + s->b, aat, m->norm + x->offset);
	}
	m->norms_ready = true;
}
