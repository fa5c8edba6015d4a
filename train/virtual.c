/* SPDX-License-Identifier: Apache-2.0 */
/* Prefix tuning inside the model: rows of keys and values that stand before those of every sequence and are trained. */
#include "net.h"

#include "mem.h"

size_t virtual_bytes(const struct model *m)
{
	size_t n = m->lora ? m->lora->prefix : 0;

	return 2 * (size_t)m->cfg.layers * n * sizeof *m->prefix_row + n * m->kd * sizeof *m->prefix_grad;
}

int virtual_open(struct model *m, struct err *e)
{
	uint32_t n = m->lora ? m->lora->prefix : 0, slots = 2 * m->cfg.layers;
	uint32_t *row;

	if (n == 0)
		return 0;
	m->prefix = n;
	m->prefix_row = kern_alloc(m->k, (size_t)slots * n * sizeof *m->prefix_row);
	m->prefix_grad = kern_alloc(m->k, (size_t)n * m->kd * sizeof *m->prefix_grad);
	if (m->prefix_row == NULL || m->prefix_grad == NULL)
		return err_set(e, SFT_SYSTEM, "no memory for a prefix of %u tokens", n);
	row = mem_grow(NULL, (size_t)slots * n, sizeof *row);
	for (uint32_t s = 0; s < slots; s++)
		for (uint32_t j = 0; j < n; j++)
			row[(size_t)s * n + j] = j * slots + s;
	kern_put(m->k, m->prefix_row, row, (size_t)slots * n * sizeof *row);
	mem_free(row);
	return 0;
}

void virtual_close(struct model *m)
{
	kern_free(m->k, m->prefix_row);
	kern_free(m->k, m->prefix_grad);
	mem_free(m->seg);
	mem_free(m->pos);
}

struct batch virtual_batch(struct model *m, const struct batch *b)
{
	struct batch use = *b;
	uint32_t n = m->prefix;

	if (n == 0)
		return use;
	if (b->nseg > m->cap_seg)
		m->seg = mem_grow(m->seg, m->cap_seg = b->nseg, sizeof *m->seg);
	if (b->n > m->cap_pos)
		m->pos = mem_grow(m->pos, m->cap_pos = b->n, sizeof *m->pos);
	for (uint32_t i = 0; i < b->nseg; i++) {
		m->seg[i] = b->seg[i];
		m->seg[i].k0 += n;
		m->seg[i].p0 = 0;                                 /* the prefix, and behind it what the segments share already */
		m->seg[i].np += n;
	}
	for (uint32_t i = 0; i < b->n; i++)
		m->pos[i] = b->pos[i] + n;
	use.seg = m->seg;
	use.pos = m->pos;
	return use;
}

static const uint32_t *rows_of(const struct model *m, uint32_t slot)
{
	return m->prefix_row + (size_t)slot * m->prefix;
}

void virtual_fill(struct model *m, uint32_t l, void *k, void *v)
{
	if (m->prefix == 0)
		return;
	kern_rows_get(m->k, m->prefix, m->kd, m->values, rows_of(m, 2 * l), k, m->o.act);
	kern_rows_get(m->k, m->prefix, m->kd, m->values, rows_of(m, 2 * l + 1), v, m->o.act);
}

void virtual_grads(struct model *m, uint32_t l, const void *dk, const void *dv)
{
	const void *const d[] = { dk, dv };

	for (uint32_t i = 0; i < 2 && m->prefix; i++) {
		kern_cast(m->k, (size_t)m->prefix * m->kd, d[i], m->o.act, m->prefix_grad, DT_F32);
		kern_rows_put(m->k, m->prefix, m->kd, m->prefix_grad, rows_of(m, 2 * l + i), m->grad, true);
	}
}
