/* SPDX-License-Identifier: Apache-2.0 */
/* DoRA: y = (magnitude / norm) * (W + scale B A) x, with the norms of the rows of W + scale B A taken once a pass (they count as constants on the
 * way back, as PEFT has it).  The matrix itself is never formed. */
#include "net.h"

#include "mem.h"

uint32_t dora_rows(const struct model *m)
{
	uint32_t rows = 0;

	for (size_t i = 0; m->lora && m->lora->dora && i < m->lora->nrows; i++)
		if (m->lora->row[i].part == LORA_M && m->lora->row[i].cols > rows)
			rows = m->lora->row[i].cols;
	return rows;
}

/* Squared norms of the rows of W. */
static int base_norms(struct model *m, const struct lora_row *r, struct err *e)
{
	struct kmat w = net_mat(m, r->param, r->layer);
	size_t bytes = (size_t)w.cols / dtype_block(w.type) * dtype_bytes(w.type);
	float *row = mem_try(w.cols * sizeof *row), *out = mem_try(w.rows * sizeof *out);

	for (uint32_t i = 0; row && out && i < w.rows; i++) {
		double sum = 0;

		dtype_to_f32(w.type, (const char *)w.p + i * bytes, row, w.cols);
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

int dora_open(struct model *m, struct err *e)
{
	uint32_t rows = dora_rows(m);
	int rc = 0;

	if (rows == 0)
		return 0;
	m->w2 = kern_alloc(m->k, m->lora->count * sizeof *m->w2);
	m->norm = kern_alloc(m->k, m->lora->count * sizeof *m->norm);
	m->wa = kern_alloc(m->k, (size_t)m->lora->rank * (rows + m->lora->rank) * sizeof *m->wa);
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
	uint32_t r;

	if (m->norm == NULL || (m->norms_ready && !m->o.train))           /* only training changes the values */
		return;
	r = m->lora->rank;
	for (size_t i = 0; i < m->lora->nrows; i++) {
		const struct lora_row *x = &m->lora->row[i];
		const float *a = net_a(m, x->param, x->layer);
		struct kmat w = net_mat(m, x->param, x->layer);
		float *aat = m->wa + (size_t)r * w.rows;

		if (x->part != LORA_M)
			continue;
		kern_linear(m->k, &(struct kern_linear){ .t = r, .w = w, .x = a, .ldx = w.cols, .xt = DT_F32, .y = m->wa, .ldy = w.rows, .yt = DT_F32 });
		kern_linear(m->k, &(struct kern_linear){ .t = r, .w = { a, DT_F32, r, w.cols }, .x = a, .ldx = w.cols, .xt = DT_F32, .y = aat, .ldy = r, .yt = DT_F32 });
		kern_dora_norm(m->k, w.rows, r, m->lora->scale, m->w2 + x->offset, m->wa, net_b(m, x->param, x->layer), aat, m->norm + x->offset);
	}
	m->norms_ready = true;
}
