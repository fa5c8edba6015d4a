/* SPDX-License-Identifier: Apache-2.0 */
#include "decodecache.h"

#include <string.h>

#include "mem.h"

int decode_open(struct decoder **d, struct model *m, struct err *e)
{
	uint32_t vocab = model_config(m)->vocab;

	*d = mem_new(sizeof **d);
	(*d)->m = m;
	sampler_init(&(*d)->sampler, vocab);
	if (((*d)->logits = mem_try((size_t)DECODE_TOGETHER * vocab * sizeof(float))) == NULL) {
		decode_close(*d);
		*d = NULL;
		return err_set(e, SFT_SYSTEM, "no memory for logits");
	}
	return 0;
}

void decode_close(struct decoder *d)
{
	if (d == NULL)
		return;
	kv_close(d->kv);
	sampler_release(&d->sampler);
	mem_free(d->prefix);
	mem_free(d->ids);
	mem_free(d->pos);
	mem_free(d->row);
	mem_free(d->seg);
	mem_free(d->out);
	mem_free(d->target);
	mem_free(d->logp);
	mem_free(d->logits);
	mem_free(d);
}

int decoder_rows(struct decoder *d, uint64_t rows, struct err *e)
{
	rows = (rows + 255) & ~(uint64_t)255;
	if (d->kv && rows <= kv_rows(d->kv))
		return 0;
	kv_close(d->kv);
	d->kv = NULL;
	d->nprefix = 0;
	if (rows > UINT32_MAX)
		return err_set(e, SFT_SYSTEM, "no memory for the keys and values of %llu tokens", (unsigned long long)rows);
	return kv_open(&d->kv, d->m, (uint32_t)rows, e);
}

uint32_t decoder_cached(const struct decoder *d, const uint32_t *ids, uint32_t n)
{
	uint32_t i = 0;

	while (i < n && i < d->nprefix && d->prefix[i] == ids[i])
		i++;
	return i;
}

void decoder_hold(struct decoder *d, const uint32_t *ids, uint32_t n)
{
	if (n > d->prefix_cap) {
		d->prefix_cap = n + n / 2 + 64;
		d->prefix = mem_grow(d->prefix, d->prefix_cap, sizeof *d->prefix);
	}
	if (n)
		memcpy(d->prefix, ids, n * sizeof *ids);
	d->nprefix = n;
}

int decoder_prefix(struct decoder *d, const uint32_t *ids, uint32_t n, struct err *e)
{
	int rc;

	for (uint32_t at = decoder_cached(d, ids, n), k; at < n; at += k) {
		k = n - at < PASS_TOKENS ? n - at : PASS_TOKENS;
		d->nprefix = 0;                       /* until its rows are whole again */
		pass_reset(d);
		pass_tokens(d, ids + at, k, at, at, 0, 0);
		if ((rc = pass_run(d, NULL, e)) != 0)
			return rc;
	}
	decoder_hold(d, ids, n);
	return 0;
}

void pass_reset(struct decoder *d)
{
	d->n = d->nseg = d->nout = 0;
}

void pass_tokens(struct decoder *d, const uint32_t *ids, uint32_t n, uint32_t pos, uint32_t row, uint32_t shared, uint32_t own)
{
	if (d->n + n > d->cap) {
		d->cap = 2 * (d->n + n);
		d->ids = mem_grow(d->ids, d->cap, sizeof *d->ids);
		d->pos = mem_grow(d->pos, d->cap, sizeof *d->pos);
		d->row = mem_grow(d->row, d->cap, sizeof *d->row);
	}
	ARRAY_ROOM(d->seg, d->nseg, d->seg_cap);
	d->seg[d->nseg++] = (struct kern_seg){ .q0 = d->n, .nq = n, .p0 = 0, .np = shared, .k0 = own, .nk = row + n - own };
	for (uint32_t i = 0; i < n; i++) {
		d->ids[d->n] = ids[i];
		d->pos[d->n] = pos + i;
		d->row[d->n++] = row + i;
	}
}

void pass_out(struct decoder *d, uint32_t at, uint32_t target)
{
	if (d->nout == d->out_cap) {
		d->out_cap = d->out_cap ? 2 * d->out_cap : 64;
		d->out = mem_grow(d->out, d->out_cap, sizeof *d->out);
		d->target = mem_grow(d->target, d->out_cap, sizeof *d->target);
		d->logp = mem_grow(d->logp, d->out_cap, sizeof *d->logp);
	}
	d->out[d->nout] = at;
	d->target[d->nout++] = target;
}

int pass_run(struct decoder *d, float *logits, struct err *e)
{
	struct batch b = {
		.n = d->n, .ids = d->ids, .pos = d->pos, .seg = d->seg, .nseg = d->nseg, .nout = d->nout, .out = d->out, .target = d->target
	};

	if (logits || d->nout == 0)
		return model_forward(d->m, &b, d->kv, d->row, logits, e);
	return model_logp(d->m, &b, d->kv, d->row, d->logp, e);
}
