/* SPDX-License-Identifier: Apache-2.0 */
#include "pack.h"

#include <math.h>
#include <string.h>

#include "mem.h"
#include "rng.h"

void pack_reset(struct pack *p)
{
	p->n = p->nout = p->nseg = p->nrival = p->nid = 0;
}

static uint32_t enough(uint32_t have, uint32_t want)
{
	uint32_t cap = have ? have : 256;

	while (cap < want)
		cap *= 2;
	return cap;
}

/* Room for N more tokens, NOUT more outputs and a segment. */
static void room(struct pack *p, uint32_t n, uint32_t nout)
{
	ARRAY_ROOM(p->seg, p->nseg, p->nseg_cap);
	if (p->nout + nout > p->nout_cap) {
		p->nout_cap = enough(p->nout_cap, p->nout + nout);
		p->out = mem_grow(p->out, p->nout_cap, sizeof *p->out);
		p->target = mem_grow(p->target, p->nout_cap, sizeof *p->target);
		p->weight = mem_grow(p->weight, p->nout_cap, sizeof *p->weight);
	}
	if (p->n + n <= p->ntok_cap)
		return;
	p->ntok_cap = enough(p->ntok_cap, p->n + n);
	p->ids = mem_grow(p->ids, p->ntok_cap, sizeof *p->ids);
	p->pos = mem_grow(p->pos, p->ntok_cap, sizeof *p->pos);
	p->key = mem_grow(p->key, p->ntok_cap, sizeof *p->key);
	p->noise = mem_grow(p->noise, p->ntok_cap, sizeof *p->noise);
}

/* N tokens at positions POS.. that see the SHARED rows from PREFIX on and each other. */
static void tokens(struct pack *p, uint32_t prefix, uint32_t shared, const uint32_t *ids, uint32_t n, float noise, uint64_t key)
{
	uint32_t at = p->n;

	if (n == 0)
		return;
	p->seg[p->nseg++] = (struct kern_seg){ .q0 = at, .nq = n, .p0 = prefix, .np = shared, .k0 = at, .nk = n };
	memcpy(p->ids + at, ids, n * sizeof *ids);
	for (uint32_t i = 0; i < n; i++) {
		p->pos[at + i] = shared + i;
		p->key[at + i] = rng_mix(key + shared + i);
		p->noise[at + i] = noise;
	}
	p->n += n;
}

uint32_t pack_prefix(struct pack *p, const uint32_t *ids, uint32_t n)
{
	uint32_t at = p->n;

	room(p, n, 0);
	tokens(p, 0, 0, ids, n, 0, 0);
	return at;
}

void pack_branch(struct pack *p, uint32_t prefix, uint32_t shared, const uint32_t *ids, const uint8_t *mask, uint32_t n, float weight, uint64_t key)
{
	uint32_t at;

	room(p, n - shared, n);
	at = p->n;
	tokens(p, prefix, shared, ids + shared, n - shared, p->neftune / sqrtf((float)n), key);
	for (uint32_t i = 1; i < n; i++) {
		if (mask && !mask[i])
			continue;
		p->out[p->nout] = i - 1 < shared ? prefix + i - 1 : at + (i - 1 - shared);
		p->target[p->nout] = ids[i];
		p->weight[p->nout++] = weight;
	}
}

void pack_add(struct pack *p, const uint32_t *ids, const uint8_t *mask, uint32_t n, float weight, uint64_t key)
{
	pack_branch(p, 0, 0, ids, mask, n, weight, key);
}

void pack_rivals(struct pack *p, uint32_t nout, const uint8_t *mask, uint32_t n, const struct shard_rivals *r, float weight)
{
	uint32_t out = nout, more = r->n ? r->first[r->n] - r->first[0] : 0;

	if (p->nrival + r->n + 1 > p->rival_cap) {
		p->rival_cap = enough(p->rival_cap, p->nrival + r->n + 1);
		p->rival_out = mem_grow(p->rival_out, p->rival_cap, sizeof *p->rival_out);
		p->rival_first = mem_grow(p->rival_first, p->rival_cap, sizeof *p->rival_first);
		p->rival_weight = mem_grow(p->rival_weight, p->rival_cap, sizeof *p->rival_weight);
	}
	if (p->nid + more > p->id_cap) {
		p->id_cap = enough(p->id_cap, p->nid + more);
		p->rival_id = mem_grow(p->rival_id, p->id_cap, sizeof *p->rival_id);
	}
	for (uint32_t i = 1, k = 0; i < n && k < r->n; i++) {
		if (mask && !mask[i])
			continue;
		if (r->at[k] == i) {
			uint32_t ids_here = r->first[k + 1] - r->first[k];

			p->rival_out[p->nrival] = out;
			p->rival_weight[p->nrival] = weight;
			p->rival_first[p->nrival++] = p->nid;
			memcpy(p->rival_id + p->nid, r->id + r->first[k], ids_here * sizeof *r->id);
			p->nid += ids_here;
			k++;
		}
		out++;
	}
	p->rival_first[p->nrival] = p->nid;
}

void pack_batch(const struct pack *p, struct batch *b)
{
	*b = (struct batch){
		.n = p->n, .ids = p->ids, .pos = p->pos, .seg = p->seg, .nseg = p->nseg,
		.nout = p->nout, .out = p->out, .target = p->target, .weight = p->weight,
		.nrival = p->nrival, .rival_out = p->rival_out, .rival_first = p->rival_first, .rival_id = p->rival_id, .rival_weight = p->rival_weight,
		.key = p->key, .noise = p->neftune > 0 ? p->noise : NULL
	};
}

void pack_free(struct pack *p)
{
	mem_free(p->ids);
	mem_free(p->pos);
	mem_free(p->out);
	mem_free(p->target);
	mem_free(p->weight);
	mem_free(p->key);
	mem_free(p->rival_out);
	mem_free(p->rival_first);
	mem_free(p->rival_id);
	mem_free(p->rival_weight);
	mem_free(p->noise);
	mem_free(p->seg);
	memset(p, 0, sizeof *p);
}
