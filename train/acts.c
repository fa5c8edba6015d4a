/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of a pass: one block, laid out before it is allocated, so that the plan is the allocation. */
#include "net.h"


#include "mem.h"

/* Rows of logits made at once: 48 MiB of f32, so that the largest vocabulary costs no more than a layer. */
static uint32_t chunk_rows(const struct model *m, uint32_t nout)
{
	uint32_t rows = (uint32_t)((48u << 20) / (sizeof(float) * m->cfg.vocab));

	rows = rows < 16 ? 16 : rows > 1024 ? 1024 : rows;
	return rows < nout ? rows : nout;
}

struct plan {
	char  *base;        /* NULL: only measure */
	size_t used;
};

static void *carve(struct plan *p, size_t count, size_t size)
{
	void *at = p->base ? p->base + p->used : NULL;

	p->used += (count * size + 63) & ~(size_t)63;
	return at;
}

static void plan_layer(const struct model *m, struct acts *a, struct plan *p, size_t t)
{
	const struct model_config *c = &m->cfg;
	size_t es = m->esize, r = m->lora ? m->lora->rank : 0;

	a->x1 = carve(p, t * c->hidden, es);
	a->x2 = carve(p, t * c->hidden, es);
	a->rstd1 = carve(p, t, sizeof(float));
	a->rstd2 = carve(p, t, sizeof(float));
	a->q = carve(p, t * m->qd, es);
	a->k = carve(p, t * m->kvd, es);
	a->v = carve(p, t * m->kvd, es);
	if (c->qk_norm) {
		a->qs = carve(p, t * m->qd, es);
		a->ks = carve(p, t * m->kvd, es);
		a->rstdq = carve(p, t * c->heads, sizeof(float));
		a->rstdk = carve(p, t * c->kv_heads, sizeof(float));
	}
	a->o = carve(p, t * m->qd, es);
	a->lse = carve(p, t * c->heads, sizeof(float));
	a->gate = carve(p, t * c->ffn, es);
	a->up = carve(p, t * c->ffn, es);
	for (int g = 0; g < G_COUNT && r; g++)
		a->side[g] = carve(p, t * GROUP_MAX * r, es);
}

static void plan_backward(struct model *m, struct plan *p, size_t t, size_t nout)
{
	const struct model_config *c = &m->cfg;
	size_t es = m->esize, r = m->lora ? m->lora->rank : 0;

	m->dx = carve(p, t * c->hidden, sizeof(float));
	m->dxn = carve(p, t * c->hidden, sizeof(float));
	m->dy = carve(p, t * c->hidden, es);
	m->dgate = carve(p, t * c->ffn, es);
	m->dup = carve(p, t * c->ffn, es);
	m->dq = carve(p, t * m->qd, es);
	m->dk = carve(p, t * m->kvd, es);
	m->dv = carve(p, t * m->kvd, es);
	m->dout = carve(p, t * m->qd, es);
	m->dside = carve(p, t * GROUP_MAX * r, es);
	m->drows = carve(p, nout * c->hidden, sizeof(float));
	m->dlogits = carve(p, (size_t)m->chunk * c->vocab, es);
}

static size_t lay_out(struct model *m, char *base, uint32_t tokens, uint32_t nout, bool train)
{
	const struct model_config *c = &m->cfg;
	struct plan p = { base, 0 };
	size_t t = tokens, es = m->esize;
	bool spare = !train || m->o.checkpointing;

	m->nacts = spare ? 1 : c->layers;
	m->chunk = chunk_rows(m, nout);
	for (uint32_t l = 0; l < m->nacts; l++)
		plan_layer(m, &m->acts[l], &p, t);
	for (uint32_t l = 0; l < c->layers; l++)
		m->acts[l].xin = train && spare ? carve(&p, t * c->hidden, sizeof(float)) : NULL;
	m->x = carve(&p, t * c->hidden, sizeof(float));
	m->xn = carve(&p, t * c->hidden, es);
	m->h = carve(&p, t * c->ffn, es);
	m->rows = carve(&p, (size_t)nout * c->hidden, sizeof(float));
	m->rows_x = carve(&p, (size_t)nout * c->hidden, es);
	m->rows_n = carve(&p, (size_t)nout * c->hidden, es);
	m->rows_rstd = carve(&p, nout, sizeof(float));
	m->rows_loss = carve(&p, nout, sizeof(float));
	m->logits = carve(&p, (size_t)m->chunk * c->vocab, sizeof(float));
	if (train)
		plan_backward(m, &p, t, nout);
	return p.used;
}

size_t acts_bytes(const struct model *m, uint32_t tokens, uint32_t nout, bool train)
{
	struct model copy = *m;
	size_t bytes;

	copy.acts = mem_new(m->cfg.layers * sizeof *copy.acts);
	bytes = lay_out(&copy, NULL, tokens, nout, train);
	mem_free(copy.acts);
	return bytes;
}

void acts_release(struct model *m)
{
	kern_free(m->k, m->block);
	m->block = NULL;
	m->cap_t = m->cap_out = 0;
}

int acts_reserve(struct model *m, uint32_t tokens, uint32_t nout, bool train, struct err *e)
{
	size_t bytes;

	if (m->block && tokens <= m->cap_t && nout <= m->cap_out && train == m->cap_train)
		return 0;
	if (train == m->cap_train) {                    /* grow only: the next batch may be as large as the last */
		tokens = tokens > m->cap_t ? tokens : m->cap_t;
		nout = nout > m->cap_out ? nout : m->cap_out;
	}
	acts_release(m);
	bytes = acts_bytes(m, tokens, nout, train);
	if ((m->block = kern_alloc(m->k, bytes)) == NULL)
		return err_set(e, SFT_SYSTEM, "no memory for the activations of %u tokens: %.1f GB (a smaller batch, or --checkpointing, needs less)",
		               tokens, (double)bytes / 1e9);
	lay_out(m, m->block, tokens, nout, train);
	m->cap_t = tokens;
	m->cap_out = nout;
	m->cap_train = train;
	return 0;
}

struct acts *acts_of(struct model *m, uint32_t layer)
{
	return &m->acts[m->nacts == 1 ? 0 : layer];
}
