/* SPDX-License-Identifier: Apache-2.0 */
/* The choice of examples. */
#include <string.h>
#include "rng.h"
#include "shots.h"

#define STREAM 0x73686f74            /* "shot" */

void shots_init(struct shots *s)
{
	memset(s, 0, sizeof *s);
	arena_init(&s->a);
}

void shots_add(struct shots *s, const struct shot *shot)
{
	ARRAY_ROOM(s->v, s->n, s->cap);
	s->v[s->n] = *shot;
	s->v[s->n++].label = (uint32_t)strmap_put(&s->labels, shot->output.s, shot->output.n, s->labels.n, NULL)->value;
}

void shots_ready(struct shots *s, enum select how)
{
	size_t nlabels = s->labels.n;
	uint32_t *next = mem_new((nlabels + 1) * sizeof *next);

	s->first = mem_new((nlabels + 1) * sizeof *s->first);
	s->by_label = mem_new((s->n + 1) * sizeof *s->by_label);
	for (size_t i = 0; i < s->n; i++)
		s->first[s->v[i].label + 1]++;
	for (size_t l = 0; l < nlabels; l++)
		s->first[l + 1] += s->first[l];
	memcpy(next, s->first, (nlabels + 1) * sizeof *next);
	for (size_t i = 0; i < s->n; i++)
		s->by_label[next[s->v[i].label]++] = (uint32_t)i;
	mem_free(next);
	if (how != SELECT_SIMILAR)
		return;
	s->similar = similar_new();
	for (size_t i = 0; i < s->n; i++)
		similar_add(s->similar, s->v[i].input.s, s->v[i].input.n);
	similar_ready(s->similar);
}

void shots_free(struct shots *s)
{
	similar_free(s->similar);
	arena_release(&s->a);
	strmap_free(&s->labels);
	mem_free(s->v);
	mem_free(s->first);
	mem_free(s->by_label);
}

static bool same_text(const struct json *a, const struct json *b)
{
	return a->type == b->type && a->n == b->n && memcmp(a->s, b->s, a->n) == 0;
}

static bool is_self(const struct shot *v, const struct json *id, const struct json *input)
{
	if (id != NULL && v->id.type != JSON_NULL && (id->type == JSON_STR || id->type == JSON_NUM) && same_text(&v->id, id))
		return true;
	return input != NULL && same_text(&v->input, input);
}

static bool usable(const struct shots *s, uint32_t i, const uint32_t *pick, size_t n, const struct json *id, const struct json *input)
{
	for (size_t k = 0; k < n; k++)
		if (pick[k] == i || same_text(&s->v[pick[k]].input, &s->v[i].input))
			return false;
	return !is_self(&s->v[i], id, input);
}

/* A usable one of LIST[0..n-1] (NULL: the numbers themselves): the first from a random place on. */
static bool draw(const struct shots *s, const uint32_t *list, size_t n, struct rng *r, uint32_t *pick, size_t *npick, const struct json *id, const struct json *input)
{
	size_t at;

	if (n == 0)
		return false;
	for (int tries = 0; tries < 8; tries++) {        /* mostly the first try will do, and is unbiased */
		at = rng_below(r, n);
		uint32_t i = list ? list[at] : (uint32_t)at;
		if (usable(s, i, pick, *npick, id, input)) {
			pick[(*npick)++] = i;
			return true;
		}
	}
	at = rng_below(r, n);
	for (size_t k = 0; k < n; k++) {
		uint32_t i = list ? list[(at + k) % n] : (uint32_t)((at + k) % n);
		if (usable(s, i, pick, *npick, id, input)) {
			pick[(*npick)++] = i;
			return true;
		}
	}
	return false;
}

static size_t pick_fixed(const struct shots *s, size_t k, const struct json *id, const struct json *input, uint32_t *pick)
{
	size_t n = 0;

	for (uint32_t i = 0; i < s->n && n < k; i++)
		if (usable(s, i, pick, n, id, input))
			pick[n++] = i;
	return n;
}

/* Rounds over the labels in a random order, one example of each; then the whole shuffled, so that place tells no label. */
static size_t pick_balanced(const struct shots *s, size_t k, struct rng *r, const struct json *id, const struct json *input, uint32_t *pick)
{
	uint32_t nlabels = (uint32_t)s->labels.n, *order = mem_new((nlabels + 1) * sizeof *order);
	size_t n = 0, before;

	rng_permutation(r, order, nlabels);
	do {
		before = n;
		for (uint32_t l = 0; l < nlabels && n < k; l++) {
			uint32_t from = s->first[order[l]], to = s->first[order[l] + 1];
			draw(s, s->by_label + from, to - from, r, pick, &n, id, input);
		}
	} while (n < k && n > before);
	for (size_t i = n; i > 1; i--) {
		size_t j = rng_below(r, i);
		uint32_t swap = pick[i - 1];
		pick[i - 1] = pick[j];
		pick[j] = swap;
	}
	mem_free(order);
	return n;
}

static size_t pick_similar(const struct shots *s, struct similar *search, size_t k, const struct json *id, const struct json *input, uint32_t *pick)
{
	size_t n = 0;
	uint32_t i;

	similar_rank(search, input ? input->s : "", input ? input->n : 0);
	while (n < k && similar_next(search, &i))
		if (usable(s, i, pick, n, id, input) && !similar_near(search, s->v[i].input.s, s->v[i].input.n))
			pick[n++] = i;
	for (size_t a = 0, b = n; a + 1 < b; a++) {        /* the most similar one last */
		i = pick[a];
		pick[a] = pick[--b];
		pick[b] = i;
	}
	return n;
}

size_t shots_pick(const struct shots *s, struct similar *search, enum select how, size_t k, uint64_t seed, uint64_t key, const struct json *id, const struct json *input, uint32_t *pick)
{
	struct rng r;
	size_t n = 0;

	if (how == SELECT_FIXED)
		return pick_fixed(s, k, id, input, pick);
	if (how == SELECT_SIMILAR)
		return pick_similar(s, search, k, id, input, pick);
	rng_init(&r, seed, STREAM ^ rng_mix(key));
	if (how == SELECT_BALANCED)
		return pick_balanced(s, k, &r, id, input, pick);
	while (n < k && draw(s, NULL, s->n, &r, pick, &n, id, input))
		;
	return n;
}
