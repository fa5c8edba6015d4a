/* SPDX-License-Identifier: Apache-2.0 */
/* A model on a device: opening it, finding its weights, and passing batches through. */
#include "net.h"

#include <math.h>

#include "mem.h"

/* --- weights --- */

struct kmat net_expert(const struct model *m, enum param p, uint32_t layer, uint32_t expert)
{
	const struct weight *w = weights_expert(m->w, p, layer, expert);

	if (m->full)
		return kmat_f32(m->values + m->full[place_index(&m->cfg, p, layer, expert)], w->rows, w->cols);
	return m->dev ? m->dev[place_index(&m->cfg, p, layer, expert)] : weight_mat(w);
}

struct kmat net_mat(const struct model *m, enum param p, uint32_t layer)
{
	return net_expert(m, p, layer, 0);
}

bool net_has(const struct model *m, enum param p, uint32_t layer)
{
	return weights_at(m->w, p, layer) != NULL;
}

const float *net_vec(const struct model *m, enum param p, uint32_t layer)
{
	const struct weight *w = weights_at(m->w, p, layer);

	if (w == NULL)
		return NULL;
	if (m->full)
		return m->values + m->full[place_index(&m->cfg, p, layer, 0)];
	return m->dev ? m->dev[place_index(&m->cfg, p, layer, 0)].p : w->f32;
}

float *net_grad_of(const struct model *m, const float *value)
{
	return m->grad + (value - m->values);
}

/* The bias of a router moves the choice only: it has no gradient. */
float *net_expert_grad(const struct model *m, enum param p, uint32_t layer, uint32_t expert)
{
	return m->full && p != P_RBIAS && net_has(m, p, layer) ? m->grad + m->full[place_index(&m->cfg, p, layer, expert)] : NULL;
}

float *net_grad(const struct model *m, enum param p, uint32_t layer)
{
	return net_expert_grad(m, p, layer, 0);
}

const struct lora_site *net_site(const struct model *m, enum param p, uint32_t layer, uint32_t expert)
{
	const struct lora_site *s = m->lora && m->lora->site ? &m->lora->site[place_index(&m->cfg, p, layer, expert)] : NULL;

	return s && s->rank ? s : NULL;
}

float *net_m(const struct model *m, enum param p, uint32_t layer, uint32_t expert)
{
	const struct lora_site *s = net_site(m, p, layer, expert);

	return s && s->m != SIZE_MAX ? m->values + s->m : NULL;
}

/* --- opening --- */

/* Places of the weights in the block, in order; those that no training changes come last.  Returns the number of values; *TRAINED: of those before. */
static size_t lay_out_full(struct model *m, size_t *trained)
{
	size_t places = place_count(&m->cfg), at = 0;

	m->full = mem_new(places * sizeof *m->full);
	for (int frozen = 0; frozen < 2; frozen++) {
		for (size_t i = 0; i < places; i++) {
			if ((place_at(&m->cfg, i).p == P_RBIAS) != frozen)
				continue;
			m->full[i] = at;
			at += (size_t)m->w->w[i].rows * m->w->w[i].cols;
		}
		if (!frozen)
			*trained = at;
	}
	return at;
}

/* Full fine-tuning: every weight widened into one block. */
static int widen(struct model *m, struct err *e)
{
	size_t total = lay_out_full(m, &m->ntrained);

	if ((m->values = kern_alloc(m->k, total * sizeof(float))) == NULL)
		return err_set(e, SFT_SYSTEM, "no memory for %.1f million weights", (double)total / 1e6);
	m->nhost = total;
	if (m->o.apart && (m->host = mem_try(total * sizeof(float))) == NULL)
		return err_set(e, SFT_SYSTEM, "no memory for %.1f million weights on the host", (double)total / 1e6);
	for (size_t i = 0; i < place_count(&m->cfg); i++) {
		struct kmat w = weight_mat(&m->w->w[i]);

		for (uint32_t r = 0; w.p && r < w.rows; r++)
			kmat_values(&w, r, 0, w.cols, model_host(m) + m->full[i] + (size_t)r * w.cols);
	}
	model_store(m);
	m->first_trained = -1;
	return 0;
}

static void find_first_trained(struct model *m)
{
	m->first_trained = (int32_t)m->cfg.layers;
	if (m->lora && m->lora->prefix)
		m->first_trained = 0;
	for (size_t i = 0; m->lora && m->lora->site && i < place_count(&m->cfg); i++)
		if (m->lora->site[i].rank && (int32_t)place_at(&m->cfg, i).layer < m->first_trained)
			m->first_trained = (int32_t)place_at(&m->cfg, i).layer;
}

static int open_trained(struct model *m, const struct lora *l, float *values, struct err *e)
{
	if (m->o.train == MODEL_TRAIN_FULL) {
		if (widen(m, e) != 0)
			return e->code;
	} else {
		m->lora = l;
		m->values = values;
		m->ntrained = l ? l->count : 0;
		find_first_trained(m);
	}
	if (m->o.train && (m->grad = kern_alloc(m->k, m->ntrained * sizeof(float))) == NULL)
		return err_set(e, SFT_SYSTEM, "no memory for the gradients of %zu values", m->ntrained);
	return 0;
}

/* Positions that the table of angles has when those below N are needed. */
static uint32_t table_length(const struct model *m, uint32_t n)
{
	uint32_t want = m->positions ? m->positions : 256;

	while (want < n)
		want *= 2;
	return want;
}

/* The table of angles for positions below N, made longer when a batch needs it. */
static int need_positions(struct model *m, uint32_t n, struct err *e)
{
	uint32_t want = table_length(m, n);
	size_t bytes = (size_t)want * m->cfg.rotated * sizeof(float);
	float *cs, *table;

	if (n <= m->positions)
		return 0;
	if ((cs = kern_alloc(m->k, bytes)) == NULL || (table = m->o.apart ? mem_try(bytes) : cs) == NULL) {
		kern_free(m->k, cs);
		return err_set(e, SFT_SYSTEM, "no memory for %u positions", want);
	}
	config_rope_table(&m->cfg, want, table);
	if (table != cs) {
		kern_put(m->k, cs, table, bytes);
		mem_free(table);
	}
	kern_free(m->k, m->rope);
	m->rope = cs;
	m->positions = want;
	return 0;
}

/* What follows from shapes alone. */
static void describe(struct model *m, const struct weights *w, const struct model_opts *o)
{
	m->w = w;
	m->o = *o;
	m->cfg = w->cfg;
	m->qd = m->cfg.heads * m->cfg.head_dim;
	m->kd = m->cfg.kv_heads * m->cfg.head_dim;
	m->vd = m->cfg.kv_heads * m->cfg.v_dim;
	m->od = m->cfg.heads * m->cfg.v_dim;
	m->esize = o->act == DT_F32 ? 4 : 2;
}

int model_open(struct model **out, struct kern *k, const struct weights *w, const struct lora *l, float *values,
               const struct model_opts *o, struct err *e)
{
	struct model *m = mem_new(sizeof *m);
	int rc;

	*out = NULL;
	m->k = k;
	describe(m, w, o);
	m->o.apart = kern_apart(k);
	m->attn_scale = (float)(m->cfg.attn_factor / sqrt((double)m->cfg.head_dim));
	m->acts = mem_new(m->cfg.layers * sizeof *m->acts);
	for (uint32_t i = 0; i < m->cfg.layers; i++)
		m->acts[i].moe.first = mem_new((m->cfg.experts + 1) * sizeof(uint32_t));
	if ((rc = open_trained(m, l, values, e)) == 0 && (rc = apart_open(m, e)) == 0 && (rc = dora_open(m, e)) == 0 && (rc = virtual_open(m, e)) == 0)
		rc = need_positions(m, 1, e);
	if (rc != 0)
		model_close(m);
	else
		*out = m;
	return rc;
}

void model_close(struct model *m)
{
	if (m == NULL)
		return;
	acts_release(m);
	apart_close(m);
	dora_close(m);
	virtual_close(m);
	kern_free(m->k, m->rope);
	kern_free(m->k, m->grad);
	if (m->full)
		kern_free(m->k, m->values);
	mem_free(m->full);
	for (uint32_t l = 0; l < m->cfg.layers; l++)
		mem_free(m->acts[l].moe.first);
	mem_free(m->acts);
	mem_free(m);
}

const struct model_config *model_config(const struct model *m)
{
	return &m->cfg;
}

size_t model_trained(const struct model *m)
{
	return m->ntrained;
}

float *model_values(struct model *m)
{
	return m->values;
}

const float *model_full(const struct model *m, size_t place)
{
	return (m->o.apart ? m->host : m->values) + m->full[place];
}

float *model_grad(struct model *m)
{
	return m->grad;
}

void model_freeze(struct model *m)
{
	for (size_t i = 0; m->lora && i < m->lora->nfrozen; i++)
		kern_zero(m->k, m->grad + m->lora->frozen[i].first, m->lora->frozen[i].n * sizeof *m->grad);
}

void model_measure(struct model_size *s, const struct weights *w, const struct lora *l, const struct model_opts *o, const struct pass_size *pass)
{
	struct model m = {0};
	size_t values;

	describe(&m, w, o);
	if (o->train == MODEL_TRAIN_FULL) {
		values = lay_out_full(&m, &m.ntrained);
		mem_free(m.full);
		m.full = NULL;
	} else {
		m.lora = l;
		m.prefix = l ? l->prefix : 0;
		values = m.ntrained = l ? l->count : 0;
	}
	*s = (struct model_size){ .trained = m.ntrained, .values = values * sizeof(float), .grad = o->train ? m.ntrained * sizeof(float) : 0 };
	s->weights = apart_bytes(&m);
	s->tables = (size_t)table_length(&m, pass->positions + m.prefix) * m.cfg.rotated * sizeof(float) + dora_bytes(&m) + virtual_bytes(&m);
	s->all = acts_bytes(&m, pass->tokens, pass->nout, o->train != 0, &s->acts);
}

/* --- passes --- */

static int prepare(struct model *m, const struct batch *b, bool train, struct err *e)
{
	uint32_t last = 0;
	int rc;

	for (uint32_t i = 0; i < b->n; i++) {
		if (b->ids[i] >= m->cfg.vocab)
			return err_set(e, SFT_BADDATA, "token id %u is outside the model's vocabulary of %u", b->ids[i], m->cfg.vocab);
		if (b->pos[i] > last)
			last = b->pos[i];
	}
	for (uint32_t i = 0; b->target && i < b->nout; i++)
		if (b->target[i] >= m->cfg.vocab)
			return err_set(e, SFT_BADDATA, "token id %u is outside the model's vocabulary of %u", b->target[i], m->cfg.vocab);
	if ((rc = need_positions(m, last + 1 + m->prefix, e)) != 0)
		return rc;
	return acts_reserve(m, b->n, b->nout, train, e);
}

/* USE: B as the device sees it. */
static int start(struct model *m, const struct batch *b, struct batch *use, const uint32_t **kvrow, bool train, struct err *e)
{
	int rc = prepare(m, b, train, e);

	if (rc != 0)
		return rc;
	*use = virtual_batch(m, b);
	return apart_batch(m, use, kvrow, e);
}

/* The random numbers of a training pass: none without keys. */
static void set_noise(struct model *m, const struct batch *b)
{
	m->dropping = b->key && m->lora && m->lora->dropout > 0;
	if (b->key)
		kern_put(m->k, m->key, b->key, b->n * sizeof *b->key);
}

static void add_noise(struct model *m, const struct batch *b)
{
	if (b->key == NULL || b->noise == NULL)
		return;
	kern_put(m->k, m->mag, b->noise, b->n * sizeof *b->noise);
	kern_noise(m->k, &(struct kern_drop){ .t = b->n, .n = m->cfg.hidden, .key = m->key }, m->mag, m->x);
}

/* Leaves the rows b->out, behind the last norm, in m->rows_n. */
static void run(struct model *m, const struct batch *b, struct kv_cache *cache, const uint32_t *kvrow)
{
	dora_norms(m);
	kern_embed(m->k, b->n, net_mat(m, P_EMBED, 0), b->ids, m->x);
	add_noise(m, b);
	for (uint32_t l = 0; l < m->cfg.layers; l++) {
		if (m->acts[l].xin)
			kern_cast(m->k, (size_t)b->n * m->cfg.hidden, m->x, DT_F32, m->acts[l].xin, DT_F32);
		attention_forward(m, l, b, cache, kvrow);
		mlp_forward(m, l, b->n);
	}
	head_norm(m, b);
}

int model_forward(struct model *m, const struct batch *batch, struct kv_cache *cache, const uint32_t *kvrow, float *logits, struct err *e)
{
	struct batch b;
	int rc = start(m, batch, &b, &kvrow, false, e);

	if (rc != 0)
		return rc;
	run(m, &b, cache, kvrow);
	if (logits)
		head_logits(m, &b, logits);
	return 0;
}

int model_logp(struct model *m, const struct batch *batch, struct kv_cache *cache, const uint32_t *kvrow, float *logp, struct err *e)
{
	struct batch b;
	int rc = start(m, batch, &b, &kvrow, false, e);

	if (rc != 0)
		return rc;
	run(m, &b, cache, kvrow);
	head_logp(m, &b, logp);
	return 0;
}

int model_train(struct model *m, const struct batch *batch, struct model_loss *loss, struct err *e)
{
	size_t nx = (size_t)batch->n * m->cfg.hidden;
	struct batch b;
	const uint32_t *none = NULL;
	float *gembed;
	int rc;

	if ((rc = start(m, batch, &b, &none, true, e)) != 0)
		return rc;
	set_noise(m, &b);
	run(m, &b, NULL, NULL);
	head_train(m, &b, loss);
	for (uint32_t l = m->cfg.layers; l-- > 0 && (int32_t)l >= m->first_trained; ) {
		if (m->acts[l].xin) {
			kern_cast(m->k, nx, m->acts[l].xin, DT_F32, m->x, DT_F32);
			attention_forward(m, l, &b, NULL, NULL);
			mlp_forward(m, l, b.n);
		}
		mlp_backward(m, l, b.n);
		attention_backward(m, l, &b, (int32_t)l > m->first_trained);
	}
	m->dropping = false;
	if ((gembed = net_grad(m, P_EMBED, 0)) != NULL)
		kern_embed_dx(m->k, b.n, m->cfg.hidden, m->dx, b.ids, gembed);
	return 0;
}

/* --- cache --- */

int kv_open(struct kv_cache **out, struct model *m, uint32_t rows, struct err *e)
{
	struct kv_cache *c = mem_new(sizeof *c);

	*out = NULL;
	c->k = m->k;
	c->rows = rows;
	c->layers = m->cfg.layers;
	c->kbytes = (((size_t)(rows + m->prefix) * m->kd * m->esize) + 63) & ~(size_t)63;
	c->vbytes = (((size_t)(rows + m->prefix) * m->vd * m->esize) + 63) & ~(size_t)63;
	if ((c->block = kern_alloc(m->k, c->layers * (c->kbytes + c->vbytes))) == NULL) {
		mem_free(c);
		return err_set(e, SFT_SYSTEM, "no memory for the keys and values of %u tokens", rows);
	}
	for (uint32_t l = 0; l < c->layers; l++) {
		char *keys = c->block + l * (c->kbytes + c->vbytes);

		virtual_fill(m, l, keys, keys + c->kbytes);
	}
	*out = c;
	return 0;
}

void kv_close(struct kv_cache *c)
{
	if (c == NULL)
		return;
	kern_free(c->k, c->block);
	mem_free(c);
}

uint32_t kv_rows(const struct kv_cache *c)
{
	return c->rows;
}
