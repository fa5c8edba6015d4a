/* SPDX-License-Identifier: Apache-2.0 */
#include "perm.h"

#include "rng.h"

enum { ROUNDS = 6 };

void perm_init(struct perm *p, uint64_t n, uint64_t seed, uint64_t stream)
{
	uint64_t x = rng_mix(rng_mix(seed) ^ stream);

	p->n = n;
	p->half = 1;
	while (p->half < 32 && (uint64_t)1 << 2 * p->half < n)
		p->half++;
	for (int i = 0; i < ROUNDS; i++)
		p->key[i] = x = rng_mix(x);
}

static uint64_t network(const struct perm *p, uint64_t x)
{
	uint64_t mask = ((uint64_t)1 << p->half) - 1, l = x >> p->half, r = x & mask;

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t next = l ^ (rng_mix(r ^ p->key[i]) & mask);

		l = r;
		r = next;
	}
	return l << p->half | r;
}

uint64_t perm_at(const struct perm *p, uint64_t i)
{
	do
		i = network(p, i);
	while (i >= p->n);
	return i;
}
