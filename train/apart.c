/* SPDX-License-Identifier: Apache-2.0 */
/* Devices with memory of their own: what passes read is put there.  Base weights once, in one block, place by place as the table has them, from the
 * file's map; a batch's arrays with each pass; trained values when the model is opened, and back when somebody wants to see them. */
#include "net.h"

#include "mem.h"
#include "rng.h"

/* --- base weights --- */

/* Where the parts of a place lie, from AT on; returns where the next place begins. */
static size_t lay_out(const struct model *m, size_t place, size_t at, size_t *scale)
{
	const struct weight *w = &m->w->w[place];
	struct kmat mat = weight_mat(w);
	size_t n = param_is_vector(place_at(&m->cfg, place).p) ? w->cols * sizeof(float) : w->rows * kmat_row_bytes(&mat);

	*scale = at + ((n + 255) & ~(size_t)255);
	if (w->block)
		n = *scale - at + (size_t)((w->rows + w->block - 1) / w->block) * ((w->cols + w->block - 1) / w->block) * sizeof(float);
	return at + ((n + 255) & ~(size_t)255);
}

static bool has_own_weights(const struct model *m)
{
	return m->o.apart && m->o.train != MODEL_TRAIN_FULL;             /* trained whole, they lie in the block of values */
}

size_t apart_bytes(const struct model *m)
{
	size_t at = 0, scale;

	for (size_t i = 0; has_own_weights(m) && i < place_count(&m->cfg); i++)
		if (m->w->w[i].rows)
			at = lay_out(m, i, at, &scale);
	return at;
}

/* Hollow weights (weights_header()), for timing a shape: matrices get values in [-1/32, 1/32), vectors and other types stay zero. */
static void put_drawn(struct model *m, char *to, const struct kmat *d)
{
	size_t n = d->type == DT_BF16 ? (size_t)d->rows * d->cols : 0;
	uint16_t some[4096];
	struct rng r;

	rng_init(&r, 1, n);
	for (size_t i = 0; i < sizeof some / sizeof *some; i++)
		some[i] = f32_to_bf16((float)(rng_unit(&r) - 0.5) / 16);
	for (size_t i = 0, k; i < n; i += k) {
		k = n - i < sizeof some / sizeof *some ? n - i : sizeof some / sizeof *some;
		kern_put(m->k, to + i * sizeof *some, some, k * sizeof *some);
	}
}

static void put_place(struct model *m, size_t i, size_t at, size_t scale)
{
	const struct weight *w = &m->w->w[i];
	struct kmat *d = &m->dev[i];

	*d = weight_mat(w);
	d->p = m->weights + at;
	if (w->p == NULL && w->f32 == NULL) {
		d->type = param_is_vector(place_at(&m->cfg, i).p) ? DT_F32 : d->type;
		put_drawn(m, m->weights + at, d);
		return;
	}
	kern_put(m->k, m->weights + at, w->f32 ? (const void *)w->f32 : w->p, w->f32 ? w->cols * sizeof *w->f32 : w->rows * kmat_row_bytes(d));
	if (w->f32)
		d->type = DT_F32;
	if (w->scale) {
		d->scale = (const float *)(const void *)(m->weights + scale);
		kern_put(m->k, m->weights + scale, w->scale, (size_t)((w->rows + w->block - 1) / w->block) * ((w->cols + w->block - 1) / w->block) * sizeof *w->scale);
	}
}

static int put_weights(struct model *m, struct err *e)
{
	size_t bytes = apart_bytes(m), at = 0, scale, end;

	if (!has_own_weights(m))
		return 0;
	if ((m->weights = kern_alloc(m->k, bytes)) == NULL)
		return err_set(e, SFT_SYSTEM, "no memory on the device for the model's %.2f GB", (double)bytes / 1e9);
	m->dev = mem_new(place_count(&m->cfg) * sizeof *m->dev);
	for (size_t i = 0; i < place_count(&m->cfg); i++, at = end) {
		end = at;
		if (m->w->w[i].rows == 0)
			continue;
		end = lay_out(m, i, at, &scale);
		put_place(m, i, at, scale);
	}
	return 0;
}

/* --- trained values --- */

static int put_values(struct model *m, struct err *e)
{
	if (m->lora == NULL)
		return 0;
	m->host = m->values;
	if ((m->values = kern_alloc(m->k, m->ntrained * sizeof(float))) == NULL)
		return err_set(e, SFT_SYSTEM, "no memory on the device for %zu trained values", m->ntrained);
	model_store(m);
	return 0;
}

float *model_host(struct model *m)
{
	return m->o.apart ? m->host : m->values;
}

void model_fetch(struct model *m)
{
	if (m->o.apart && m->host)
		kern_get(m->k, m->host, m->values, m->nhost * sizeof(float));
}

void model_store(struct model *m)
{
	if (m->o.apart && m->host)
		kern_put(m->k, m->values, m->host, m->nhost * sizeof(float));
}

int apart_open(struct model *m, struct err *e)
{
	int rc;

	if (!m->o.apart)
		return 0;
	if (m->full)                                                      /* widen() has made the block on the host */
		return 0;
	m->nhost = m->ntrained;
	if ((rc = put_weights(m, e)) != 0)
		return rc;
	return put_values(m, e);
}

void apart_close(struct model *m)
{
	kern_free(m->k, m->weights);
	kern_free(m->k, m->rivals);
	if (m->o.apart && m->full)
		mem_free(m->host);
	if (m->o.apart && m->lora && m->host)
		kern_free(m->k, m->values);
	mem_free(m->dev);
}

/* --- batches --- */

static const void *put(const struct model *m, void *to, const void *from, size_t bytes)
{
	if (from)
		kern_put(m->k, to, from, bytes);
	return from ? to : NULL;
}

/* Ids, their beginnings and weights, in one block that grows. */
static int put_rivals(struct model *m, struct batch *b, struct err *e)
{
	size_t ids = b->nrival ? b->rival_first[b->nrival] : 0, words = ids + 2 * (size_t)b->nrival + 1;
	uint32_t *at;

	if (b->nrival == 0)
		return 0;
	if (words > m->cap_rivals) {
		kern_free(m->k, m->rivals);
		m->cap_rivals = words + words / 2;
		if ((m->rivals = kern_alloc(m->k, m->cap_rivals * sizeof *m->rivals)) == NULL) {
			m->cap_rivals = 0;
			return err_set(e, SFT_SYSTEM, "no memory on the device for the terms of a batch");
		}
	}
	at = m->rivals;
	b->rival_first = put(m, at, b->rival_first, (b->nrival + 1) * sizeof *at);
	at += b->nrival + 1;
	b->rival_weight = put(m, at, b->rival_weight, b->nrival * sizeof *at);
	b->rival_id = put(m, at + b->nrival, b->rival_id, ids * sizeof *at);
	return 0;
}

int apart_batch(struct model *m, struct batch *b, const uint32_t **kvrow, struct err *e)
{
	if (!m->o.apart)
		return 0;
	b->ids = put(m, m->in_ids, b->ids, b->n * sizeof *b->ids);
	b->pos = put(m, m->in_pos, b->pos, b->n * sizeof *b->pos);
	*kvrow = put(m, m->in_row, *kvrow, b->n * sizeof **kvrow);
	b->out = put(m, m->in_out, b->out, b->nout * sizeof *b->out);
	b->target = put(m, m->in_target, b->target, b->nout * sizeof *b->target);
	b->weight = put(m, m->in_weight, b->weight, b->nout * sizeof *b->weight);
	return put_rivals(m, b, e);
}
