/* SPDX-License-Identifier: Apache-2.0 */
#include "pack.h"

#include <math.h>
#include <string.h>

#include "mem.h"
#include "rng.h"

void pack_reset(struct pack *p)
{
	p->n = p->nout = p->nseg = 0;
}

static void room(struct pack *p, uint32_t n)
{
	uint32_t cap = p->ntok_cap ? p->ntok_cap : 256;

	if (p->nseg == p->nseg_cap) {
		p->nseg_cap = p->nseg_cap ? 2 * p->nseg_cap : 16;
		p->seg = mem_grow(p->seg, p->nseg_cap, sizeof *p->seg);
	}
	if (p->n + n <= p->ntok_cap)
		return;
	while (cap < p->n + n)
		cap *= 2;
	p->ntok_cap = cap;
	p->ids = mem_grow(p->ids, cap, sizeof *p->ids);
	p->pos = mem_grow(p->pos, cap, sizeof *p->pos);
	p->out = mem_grow(p->out, cap, sizeof *p->out);
	p->target = mem_grow(p->target, cap, sizeof *p->target);
	p->weight = mem_grow(p->weight, cap, sizeof *p->weight);
	p->key = mem_grow(p->key, cap, sizeof *p->key);
	p->noise = mem_grow(p->noise, cap, sizeof *p->noise);
}

void pack_add(struct pack *p, const uint32_t *ids, const uint8_t *mask, uint32_t n, float weight, uint64_t key)
{
	uint32_t at;

	room(p, n);
	at = p->n;
	p->seg[p->nseg++] = (struct kern_seg){ .q0 = at, .nq = n, .k0 = at, .nk = n };
	memcpy(p->ids + at, ids, n * sizeof *ids);
	for (uint32_t i = 0; i < n; i++) {
		p->pos[at + i] = i;
		p->key[at + i] = rng_mix(key + i);
		p->noise[at + i] = p->neftune / sqrtf((float)n);
		if (i == 0 || (mask && !mask[i]))
			continue;
		p->out[p->nout] = at + i - 1;
		p->target[p->nout] = ids[i];
		p->weight[p->nout++] = weight;
	}
	p->n += n;
}

void pack_batch(const struct pack *p, struct batch *b)
{
	*b = (struct batch){
		.n = p->n, .ids = p->ids, .pos = p->pos, .seg = p->seg, .nseg = p->nseg,
		.nout = p->nout, .out = p->out, .target = p->target, .weight = p->weight,
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
	mem_free(p->noise);
	mem_free(p->seg);
	memset(p, 0, sizeof *p);
}
