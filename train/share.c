/* SPDX-License-Identifier: Apache-2.0 */
#include "share.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

void share_reset(struct share *s)
{
	s->nseq = 0;
	s->ntok = 0;
	s->ngroups = 0;
	arena_reset(&s->rivals);
}

void share_free(struct share *s)
{
	mem_free(s->seq);
	mem_free(s->ids);
	mem_free(s->mask);
	mem_free(s->order);
	mem_free(s->group);
	arena_release(&s->rivals);
	memset(s, 0, sizeof *s);
}

/* Room for N more tokens; sequences point into the buffers and are led along. */
static void room(struct share *s, uint32_t n)
{
	size_t at = 0;

	if (s->ntok + n <= s->cap_tok)
		return;
	s->cap_tok = 2 * (s->ntok + n);
	s->ids = mem_grow(s->ids, s->cap_tok, sizeof *s->ids);
	s->mask = mem_grow(s->mask, s->cap_tok, sizeof *s->mask);
	for (uint32_t i = 0; i < s->nseq; at += s->seq[i++].n) {
		s->seq[i].ids = s->ids + at;
		s->seq[i].mask = s->mask + at;
	}
}

void share_add(struct share *s, const uint32_t *ids, const uint8_t *mask, uint32_t n, float weight, uint64_t key)
{
	room(s, n);
	ARRAY_ROOM(s->seq, s->nseq, s->cap_seq);
	s->seq[s->nseq++] = (struct share_seq){ .ids = s->ids + s->ntok, .mask = s->mask + s->ntok, .n = n, .weight = weight, .key = key };
	memcpy(s->ids + s->ntok, ids, n * sizeof *ids);
	memcpy(s->mask + s->ntok, mask, n);
	s->ntok += n;
}

static uint32_t *copy(struct share *s, const uint32_t *p, uint32_t n)
{
	return memcpy(arena_get(&s->rivals, n * sizeof *p), p, n * sizeof *p);
}

void share_rivals(struct share *s, const struct shard_rivals *r)
{
	if (r->n)
		s->seq[s->nseq - 1].rivals = (struct shard_rivals){ r->n, copy(s, r->at, r->n), copy(s, r->first, r->n + 1), copy(s, r->id, r->first[r->n]) };
}

/* --- the plan --- */

static uint32_t common(const struct share_seq *a, const struct share_seq *b)
{
	uint32_t n = a->n < b->n ? a->n : b->n, i = 0;

	while (i < n && a->ids[i] == b->ids[i])
		i++;
	return i;
}

/* By tokens, a shorter one before what it begins; of equals the first. */
static int by_tokens(const void *x, const void *y, void *seqs)
{
	uint32_t i = *(const uint32_t *)x, j = *(const uint32_t *)y;
	const struct share_seq *a = (const struct share_seq *)seqs + i, *b = (const struct share_seq *)seqs + j;
	uint32_t k = common(a, b);

	if (k < a->n && k < b->n)
		return a->ids[k] < b->ids[k] ? -1 : 1;
	return a->n != b->n ? (a->n < b->n ? -1 : 1) : i < j ? -1 : i > j;
}

/* The cuts of the sorted sequences that save the most tokens.  BEST[j]: saved by the first j; FROM[j]: where their last group begins; LENGTH[j]: what that has in common. */
static void cut(const struct share *s, uint64_t *best, uint32_t *from, uint32_t *length)
{
	best[0] = 0;
	for (uint32_t j = 1; j <= s->nseq; j++) {
		uint32_t shared = UINT32_MAX;

		best[j] = best[j - 1];
		from[j] = j - 1;
		length[j] = 0;
		for (uint32_t i = j - 1; i > 0; i--) {
			uint32_t c = common(&s->seq[s->order[i - 1]], &s->seq[s->order[i]]);
			uint64_t saved;

			shared = c < shared ? c : shared;
			if (shared < SHARE_LEAST)
				break;
			saved = best[i - 1] + (uint64_t)(j - i) * shared;
			if (saved > best[j]) {
				best[j] = saved;
				from[j] = i - 1;
				length[j] = shared;
			}
		}
	}
}

static int by_number(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return a < b ? -1 : a > b;
}

static int by_first(const void *x, const void *y, void *order)
{
	uint32_t a = ((const uint32_t *)order)[((const struct share_group *)x)->first], b = ((const uint32_t *)order)[((const struct share_group *)y)->first];

	return a < b ? -1 : a > b;
}

static void plan_groups(struct share *s)
{
	uint64_t *best = mem_grow(NULL, s->nseq + 1, sizeof *best);
	uint32_t *from = mem_grow(NULL, 2 * ((size_t)s->nseq + 1), sizeof *from), *length = from + s->nseq + 1;

	qsort_r(s->order, s->nseq, sizeof *s->order, by_tokens, s->seq);
	cut(s, best, from, length);
	for (uint32_t j = s->nseq; j > 0; j = from[j]) {
		s->group[s->ngroups++] = (struct share_group){ from[j], j - from[j], length[j] };
		qsort(s->order + from[j], j - from[j], sizeof *s->order, by_number);
	}
	qsort_r(s->group, s->ngroups, sizeof *s->group, by_first, s->order);
	mem_free(best);
	mem_free(from);
}

void share_plan(struct share *s, bool on)
{
	if (s->nseq > s->cap_plan) {
		s->cap_plan = s->nseq;
		s->order = mem_grow(s->order, s->cap_plan, sizeof *s->order);
		s->group = mem_grow(s->group, s->cap_plan, sizeof *s->group);
	}
	s->ngroups = 0;
	for (uint32_t i = 0; i < s->nseq; i++)
		s->order[i] = i;
	if (on && s->nseq > 1) {
		plan_groups(s);
		return;
	}
	for (uint32_t i = 0; i < s->nseq; i++)
		s->group[s->ngroups++] = (struct share_group){ i, 1, 0 };
}
