/* SPDX-License-Identifier: Apache-2.0 */
#include "sampler.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "mem.h"

void sampler_init(struct sampler *s, uint32_t vocab)
{
	memset(s, 0, sizeof *s);
	s->vocab = vocab;
	s->heap = mem_grow(NULL, vocab, sizeof *s->heap);
	s->prob = mem_grow(NULL, vocab, sizeof *s->prob);
	s->mark = mem_new(vocab * sizeof *s->mark);
}

void sampler_release(struct sampler *s)
{
	mem_free(s->heap);
	mem_free(s->prob);
	mem_free(s->mark);
	memset(s, 0, sizeof *s);
}

static bool before(const float *x, uint32_t a, uint32_t b)
{
	return x[a] > x[b] || (x[a] == x[b] && a < b);
}

/* --- a heap of ids, the likeliest on top: tokens come out in order, as many as are wanted --- */
static void sink(uint32_t *heap, uint32_t n, uint32_t i, const float *x)
{
	uint32_t id = heap[i], c;

	while ((c = 2 * i + 1) < n) {
		if (c + 1 < n && before(x, heap[c + 1], heap[c]))
			c++;
		if (!before(x, heap[c], id))
			break;
		heap[i] = heap[c];
		i = c;
	}
	heap[i] = id;
}

static void heap_build(uint32_t *heap, uint32_t n, const float *x)
{
	for (uint32_t i = 0; i < n; i++)
		heap[i] = i;
	for (uint32_t i = n / 2; i-- > 0; )
		sink(heap, n, i, x);
}

/* The top goes behind the heap's end: after K pops the last K slots hold them, the first popped last. */
static uint32_t heap_pop(uint32_t *heap, uint32_t *n, const float *x)
{
	uint32_t top = heap[0];

	heap[0] = heap[--*n];
	heap[*n] = top;
	sink(heap, *n, 0, x);
	return top;
}

void sampler_top(struct sampler *s, const float *logits, uint32_t k, uint32_t *id)
{
	uint32_t n = s->vocab;

	heap_build(s->heap, n, logits);
	for (uint32_t i = 0; i < k; i++)
		id[i] = heap_pop(s->heap, &n, logits);
}

static uint32_t largest(const float *x, uint32_t n)
{
	uint32_t best = 0;

	for (uint32_t i = 1; i < n; i++)
		if (x[i] > x[best])
			best = i;
	return best;
}

double sampler_logsum(const float *logits, uint32_t vocab)
{
	double top = logits[largest(logits, vocab)], sum = 0;

	for (uint32_t i = 0; i < vocab; i++)
		sum += exp(logits[i] - top);
	return top + log(sum);
}

static void penalise(struct sampler *s, double penalty, float *logits, const uint32_t *seen, uint32_t n)
{
	if (penalty == 1)
		return;
	s->stamp++;
	for (uint32_t i = 0; i < n; i++) {
		float *x = &logits[seen[i]];

		if (s->mark[seen[i]] == s->stamp)
			continue;
		s->mark[seen[i]] = s->stamp;
		*x = (float)(*x < 0 ? *x * penalty : *x / penalty);
	}
}

/* Probability, up to a factor, of a token with logit X where the largest is TOP. */
static double relative(float x, float top, double temperature)
{
	return exp((x - (double)top) / temperature);
}

/* Candidates in order, the likeliest first: ids in the last slots of the heap, their probabilities (up to a factor) in s->prob. */
static uint32_t candidates(struct sampler *s, const struct sampler_opts *o, const float *logits)
{
	uint32_t k = o->top_k && o->top_k < s->vocab ? o->top_k : s->vocab, n = s->vocab, popped = 0, count = 0;
	float top = logits[largest(logits, s->vocab)];
	double all = 0, sum = 0;          /* top-p takes a share of what top-k left, min-p comes after it */

	heap_build(s->heap, n, logits);
	for (; k < s->vocab && popped < k; popped++)
		all += s->prob[popped] = relative(logits[heap_pop(s->heap, &n, logits)], top, o->temperature);
	for (uint32_t i = 0; k == s->vocab && o->top_p < 1 && i < s->vocab; i++)
		all += relative(logits[i], top, o->temperature);
	while (count < k) {
		if (count == popped)
			s->prob[popped++] = relative(logits[heap_pop(s->heap, &n, logits)], top, o->temperature);
		if (s->prob[count] < o->min_p)
			break;
		sum += s->prob[count++];
		if (o->top_p < 1 && sum >= o->top_p * all)
			break;
	}
	return count;
}

/* Nothing is cut off: no order is needed. */
static uint32_t draw_any(const struct sampler *s, double temperature, const float *logits, struct rng *r)
{
	float top = logits[largest(logits, s->vocab)];
	double all = 0, at;

	for (uint32_t i = 0; i < s->vocab; i++)
		all += s->prob[i] = relative(logits[i], top, temperature);
	at = rng_unit(r) * all;
	for (uint32_t i = 0; i < s->vocab; i++)
		if ((at -= s->prob[i]) < 0)
			return i;
	return largest(logits, s->vocab);
}

uint32_t sampler_pick(struct sampler *s, const struct sampler_opts *o, float *logits, const uint32_t *seen, uint32_t n, struct rng *r)
{
	uint32_t count, i;
	double all = 0, at;

	penalise(s, o->repeat_penalty, logits, seen, n);
	if (o->temperature == 0)
		return largest(logits, s->vocab);
	if (o->top_k == 0 && o->top_p >= 1 && o->min_p == 0)
		return draw_any(s, o->temperature, logits, r);
	count = candidates(s, o, logits);
	for (i = 0; i < count; i++)
		all += s->prob[i];
	at = rng_unit(r) * all;
	for (i = 0; i + 1 < count; i++)
		if ((at -= s->prob[i]) < 0)
			break;
	return s->heap[s->vocab - 1 - i];
}
