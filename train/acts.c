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

/* Rows of D values behind those of a trained prefix. */
static void *behind(const struct model *m, void *rows, size_t d)
{
	return rows ? net_at(m, rows, m->prefix * d) : NULL;
}

static void plan_attention(const struct model *m, struct acts *a, struct plan *p, size_t t)
{
	const struct model_config *c = &m->cfg;
	size_t es = m->esize;

	a->x1 = carve(p, t * c->hidden, es);
	a->rstd1 = carve(p, t, sizeof(float));
	a->q = carve(p, t * m->qd, es);
	a->k = behind(m, carve(p, (m->prefix + t) * m->kd, es), m->kd);
	a->v = behind(m, carve(p, (m->prefix + t) * m->vd, es), m->vd);
	if (c->qk_norm) {
		a->qs = carve(p, t * m->qd, es);
		a->ks = carve(p, t * m->kd, es);
		a->rstdq = carve(p, t * c->heads, sizeof(float));
		a->rstdk = carve(p, t * c->kv_heads, sizeof(float));
	}
	if (c->kv_rank) {
		a->xqa = carve(p, t * c->q_rank, es);
		a->xkv = carve(p, t * c->kv_rank, es);
		a->rstdqa = carve(p, t, sizeof(float));
		a->rstdkv = carve(p, t, sizeof(float));
	}
	a->o = carve(p, t * m->od, es);
	a->lse = carve(p, t * c->heads, sizeof(float));
}

static void plan_mixture(const struct model *m, struct moe_acts *a, struct plan *p, size_t t)
{
	const struct model_config *c = &m->cfg;
	size_t es = m->esize, s = t * c->top;

	a->scores = carve(p, t * c->experts, sizeof(float));
	a->expert = carve(p, s, sizeof(uint32_t));
	a->weight = carve(p, s, sizeof(float));
	a->slot = carve(p, s, sizeof(uint32_t));
	a->token = carve(p, s, sizeof(uint32_t));
	a->gate = carve(p, s * c->expert_ffn, es);
	a->up = carve(p, s * c->expert_ffn, es);
	a->y = carve(p, s * c->hidden, es);
	a->sgate = carve(p, t * c->shared_ffn, es);
	a->sup = carve(p, t * c->shared_ffn, es);
	a->sz = carve(p, c->shared_gate ? t : 0, sizeof(float));
	a->sy = carve(p, c->shared_gate ? t * c->hidden : 0, es);
}

/* How many rows of a group there are for each token: routed experts see it as often as it chooses some. */
static size_t passes(const struct model_config *c, enum group g)
{
	return g >= G_EXPERT_GATE_UP ? c->top : 1;
}

static uint32_t widest_side(const struct model *m, enum group g, uint32_t first, uint32_t past)
{
	uint32_t w = 0;

	if (m->lora == NULL || m->lora->prefix)
		return 0;
	for (uint32_t l = first; l < past; l++)
		for (uint32_t x = 0; x < (g >= G_EXPERT_GATE_UP ? m->cfg.experts : 1); x++) {
			uint32_t n = group_width(m, g, l, x);

			w = n > w ? n : w;
		}
	return w;
}

/* Room for what layers FIRST..PAST-1 keep; one that stands for all has room for either kind. */
static void plan_layer(const struct model *m, struct acts *a, struct plan *p, size_t t, uint32_t first, uint32_t past)
{
	const struct model_config *c = &m->cfg;
	bool dense = false, mixture = false;

	plan_attention(m, a, p, t);
	a->x2 = carve(p, t * c->hidden, m->esize);
	a->rstd2 = carve(p, t, sizeof(float));
	for (uint32_t l = first; l < past; l++)
		*(config_is_moe(c, l) ? &mixture : &dense) = true;
	a->gate = carve(p, dense ? t * c->ffn : 0, m->esize);
	a->up = carve(p, dense ? t * c->ffn : 0, m->esize);
	if (mixture)
		plan_mixture(m, &a->moe, p, t);
	for (int g = 0; g < G_COUNT; g++) {
		a->side_width[g] = widest_side(m, (enum group)g, first, past);
		a->side[g] = carve(p, t * passes(c, (enum group)g) * a->side_width[g], m->esize);
	}
}

/* Widest input of an adapted layer, all rows of a token taken together. */
static size_t widest_input(const struct model *m)
{
	size_t w = 0;

	for (size_t i = 0; i < m->lora->nrows; i++) {
		const struct lora_row *r = &m->lora->row[i];
		size_t n = r->part == LORA_A ? r->cols * (place_at(&m->cfg, r->place).p >= P_EGATE ? m->cfg.top : 1u) : 0;

		w = n > w ? n : w;
	}
	return w;
}

/* Widest feed-forward row of a token, a mixture's experts taken together. */
static size_t widest_ffn(const struct model_config *c)
{
	size_t w = c->ffn, x = (size_t)c->top * c->expert_ffn;

	w = x > w ? x : w;
	return c->shared_ffn > w ? c->shared_ffn : w;
}

static void plan_work(struct model *m, struct plan *p, size_t t)
{
	const struct model_config *c = &m->cfg;
	size_t es = m->esize;

	m->x = carve(p, t * c->hidden, sizeof(float));
	m->key = carve(p, t, sizeof *m->key);
	m->mag = carve(p, t, sizeof *m->mag);
	if (m->o.apart) {
		m->in_ids = carve(p, t, sizeof *m->in_ids);
		m->in_pos = carve(p, t, sizeof *m->in_pos);
		m->in_row = carve(p, t, sizeof *m->in_row);
	}
	m->xn = carve(p, t * c->hidden, es);
	m->h = carve(p, t * widest_ffn(c), es);
	if (c->kv_rank) {
		m->qa = carve(p, t * c->q_rank, es);
		m->kva = carve(p, t * (c->kv_rank + c->rotated), es);
		m->lat = carve(p, t * c->kv_rank, es);
		m->kvb = carve(p, t * c->heads * (c->head_dim - c->rotated + c->v_dim), es);
	}
	m->dora = carve(p, t * dora_width(m), sizeof(float));
	m->xe = carve(p, c->experts ? t * c->top * c->hidden : 0, es);
}

/* Behind the last layer: the rows that are asked for, and their logits. */
static void plan_head(struct model *m, struct plan *p, size_t nout, bool train)
{
	const struct model_config *c = &m->cfg;
	size_t es = m->esize;

	if (m->o.apart) {
		m->in_out = carve(p, nout, sizeof *m->in_out);
		m->in_target = carve(p, nout, sizeof *m->in_target);
		m->in_weight = carve(p, nout, sizeof *m->in_weight);
		m->in_rival = carve(p, m->chunk, sizeof *m->in_rival);
	}
	m->rows = carve(p, nout * c->hidden, sizeof(float));
	m->rows_x = carve(p, nout * c->hidden, es);
	m->rows_n = carve(p, nout * c->hidden, es);
	m->rows_rstd = carve(p, nout, sizeof(float));
	m->rows_loss = carve(p, nout, sizeof(float));
	m->logits = carve(p, (size_t)m->chunk * c->vocab, sizeof(float));
	if (train) {
		m->drows = carve(p, nout * c->hidden, sizeof(float));
		m->dlogits = carve(p, (size_t)m->chunk * c->vocab, es);
		m->rival_loss = carve(p, m->chunk, sizeof(float));
	}
}

static void plan_backward(struct model *m, struct plan *p, size_t t)
{
	const struct model_config *c = &m->cfg;
	size_t es = m->esize, side = 0, shared = 0;

	for (int g = 0; g < G_COUNT; g++) {
		size_t w = passes(c, (enum group)g) * widest_side(m, (enum group)g, 0, c->layers);

		side = w > side ? w : side;
		shared = g == G_EXPERT_GATE_UP && m->lora && m->lora->fused ? w : shared;
	}
	m->dx = carve(p, t * c->hidden, sizeof(float));
	m->dxn = carve(p, t * c->hidden, sizeof(float));
	m->dy = carve(p, t * c->hidden, es);
	m->dgate = carve(p, t * widest_ffn(c), es);
	m->dup = carve(p, t * widest_ffn(c), es);
	m->dq = carve(p, t * m->qd, es);
	m->dk = behind(m, carve(p, (m->prefix + t) * m->kd, es), m->kd);
	m->dv = behind(m, carve(p, (m->prefix + t) * m->vd, es), m->vd);
	m->dout = carve(p, t * m->od, es);
	if (c->kv_rank) {
		m->dqa = carve(p, t * c->q_rank, es);
		m->dkva = carve(p, t * (c->kv_rank + c->rotated), es);
		m->dlat = carve(p, t * c->kv_rank, es);
	}
	if (c->experts) {
		m->dye = carve(p, t * c->top * c->hidden, es);
		m->dxe = carve(p, t * c->top * c->hidden, sizeof(float));
		m->dweight = carve(p, t * c->top, sizeof(float));
		m->dlogits_route = carve(p, t * c->experts, sizeof(float));
		m->small = carve(p, t * c->experts, es);
	}
	m->dside = carve(p, t * side, es);
	m->dshared = carve(p, t * shared, sizeof(float));
	if (m->lora && m->lora->dropout > 0) {
		m->xdrop = carve(p, t * widest_input(m), es);
		m->dxdrop = carve(p, t * widest_input(m), sizeof(float));
	}
}

static size_t lay_out(struct model *m, char *base, uint32_t tokens, uint32_t nout, bool train, struct acts_size *size)
{
	uint32_t layers = m->cfg.layers;
	struct plan p = { base, 0 };
	bool spare = !train || m->o.checkpointing;
	size_t at = 0;

	*size = (struct acts_size){0};
	m->nacts = spare ? 1 : layers;
	m->chunk = chunk_rows(m, nout);
	for (uint32_t l = 0; l < m->nacts; l++) {
		plan_layer(m, &m->acts[l], &p, tokens, l, spare ? layers : l + 1);
		size->layer = p.used - at > size->layer ? p.used - at : size->layer;
		at = p.used;
	}
	size->layers = at;
	for (uint32_t l = 0; l < layers; l++)
		m->acts[l].xin = train && spare ? carve(&p, (size_t)tokens * m->cfg.hidden, sizeof(float)) : NULL;
	size->inputs = p.used - at;
	at = p.used;
	plan_work(m, &p, tokens);
	if (train)
		plan_backward(m, &p, tokens);
	size->work = p.used - at;
	at = p.used;
	plan_head(m, &p, nout, train);
	size->head = p.used - at;
	return p.used;
}

size_t acts_bytes(const struct model *m, uint32_t tokens, uint32_t nout, bool train, struct acts_size *size)
{
	struct model copy = *m;
	size_t bytes;

	copy.acts = mem_new(m->cfg.layers * sizeof *copy.acts);
	bytes = lay_out(&copy, NULL, tokens, nout, train, size);
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
	struct acts_size size;
	size_t bytes;

	if (m->block && tokens <= m->cap_t && nout <= m->cap_out && train == m->cap_train)
		return 0;
	if (train == m->cap_train) {                    /* grow only: the next batch may be as large as the last */
		tokens = tokens > m->cap_t ? tokens : m->cap_t;
		nout = nout > m->cap_out ? nout : m->cap_out;
	}
	acts_release(m);
	bytes = acts_bytes(m, tokens, nout, train, &size);
	if ((m->block = kern_alloc(m->k, bytes)) == NULL)
		return err_set(e, SFT_SYSTEM, "no memory for the activations of %u tokens: %.1f GB (a smaller batch, or --checkpointing, needs less)",
		               tokens, (double)bytes / 1e9);
	lay_out(m, m->block, tokens, nout, train, &size);
	m->cap_t = tokens;
	m->cap_out = nout;
	m->cap_train = train;
	return 0;
}

struct acts *acts_of(struct model *m, uint32_t layer)
{
	return &m->acts[m->nacts == 1 ? 0 : layer];
}
