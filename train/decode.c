/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

#include <string.h>

#include "decodecache.h"
#include "mem.h"

/* One request under way. */
struct slot {
	struct decode_request *r;
	uint32_t *seen;             /* prompt and answer, for the repeat penalty: [n + max_tokens] */
	uint32_t own, next;         /* first cache row of its own, row of the next token */
	struct rng rng;
	bool done;
};

void decode_request_free(struct decode_request *r)
{
	mem_free(r->ids);
	mem_free(r->logp);
	mem_free(r->top);
	mem_free(r->top_logp);
	r->ids = r->top = NULL;
	r->logp = r->top_logp = NULL;
}

/* What all prompts begin with, leaving each at least one token of its own; a lone prompt: what the cache has of it. */
static uint32_t common(const struct decoder *d, const struct decode_request *r, uint32_t n)
{
	uint32_t len = n == 1 ? decoder_cached(d, r[0].prompt, r[0].n) : r[0].n, k;

	for (uint32_t i = 0; i < n; i++) {
		for (k = 0; k < len && k < r[i].n && r[i].prompt[k] == r[0].prompt[k]; k++)
			;
		len = k < r[i].n ? k : r[i].n - 1;
	}
	return len;
}

static void slot_init(struct slot *s, struct decode_request *r, const struct decode_opts *o, uint32_t own)
{
	s->r = r;
	s->own = s->next = own;
	s->done = false;
	s->seen = mem_grow(NULL, (size_t)r->n + o->max_tokens, sizeof *s->seen);
	memcpy(s->seen, r->prompt, r->n * sizeof *s->seen);
	rng_init(&s->rng, o->seed, rng_mix(0x6465636f6465 ^ rng_mix(r->number)));
	r->count = 0;
	r->stopped = false;
	r->ids = mem_grow(NULL, o->max_tokens, sizeof *r->ids);
	r->logp = o->logprobs ? mem_grow(NULL, o->max_tokens, sizeof *r->logp) : NULL;
	r->top = o->top ? mem_grow(NULL, (size_t)o->max_tokens * o->top, sizeof *r->top) : NULL;
	r->top_logp = o->top ? mem_grow(NULL, (size_t)o->max_tokens * o->top, sizeof *r->top_logp) : NULL;
}

/* The next token of S from its row of logits. */
static void take_token(struct decoder *d, const struct decode_opts *o, struct slot *s, float *logits)
{
	struct decode_request *r = s->r;
	double sum = o->logprobs || o->top ? sampler_logsum(logits, d->sampler.vocab) : 0;
	uint32_t id;

	if (o->top) {
		uint32_t *top = r->top + (size_t)r->count * o->top;

		sampler_top(&d->sampler, logits, o->top, top);
		for (uint32_t i = 0; i < o->top; i++)
			r->top_logp[(size_t)r->count * o->top + i] = (float)(logits[top[i]] - sum);
	}
	if (o->sample.repeat_penalty != 1 && o->logprobs) {        /* the penalty changes the logits in place: the model's own first */
		float *copy = mem_grow(NULL, d->sampler.vocab, sizeof *copy);

		memcpy(copy, logits, d->sampler.vocab * sizeof *copy);
		id = sampler_pick(&d->sampler, &o->sample, copy, s->seen, r->n + r->count, &s->rng);
		mem_free(copy);
	} else {
		id = sampler_pick(&d->sampler, &o->sample, logits, s->seen, r->n + r->count, &s->rng);
	}
	if (o->logprobs)
		r->logp[r->count] = (float)(logits[id] - sum);
	s->seen[r->n + r->count] = id;
	r->ids[r->count++] = id;
	for (uint32_t i = 0; i < o->nstop; i++)
		r->stopped |= o->stop[i] == id;
	s->done = r->stopped || r->count == o->max_tokens || (o->ends && o->ends(o->ctx, r->ids, r->count));
}

/* The prompts behind the common beginning, some of them a pass; each gives its first token. */
static int prefill(struct decoder *d, const struct decode_opts *o, struct slot *s, uint32_t n, uint32_t shared, struct err *e)
{
	uint32_t waiting[DECODE_TOGETHER], nwaiting = 0, i = 0, k;
	int rc = 0;

	while (i < n && rc == 0) {
		pass_reset(d);
		for (nwaiting = 0; i < n && d->n < PASS_TOKENS; ) {
			struct decode_request *r = s[i].r;
			uint32_t at = shared + s[i].next - s[i].own;      /* tokens of the prompt that are in the cache */

			k = r->n - at < PASS_TOKENS - d->n ? r->n - at : PASS_TOKENS - d->n;
			pass_tokens(d, r->prompt + at, k, at, s[i].next, shared, s[i].own);
			s[i].next += k;
			if (at + k < r->n)
				break;
			pass_out(d, d->n - 1, 0);
			waiting[nwaiting++] = i++;
		}
		rc = pass_run(d, d->logits, e);
		for (k = 0; k < nwaiting && rc == 0; k++)
			take_token(d, o, &s[waiting[k]], d->logits + (size_t)k * d->sampler.vocab);
	}
	return rc;
}

/* One token of each that is not done; *LEFT: how many there were. */
static int step(struct decoder *d, const struct decode_opts *o, struct slot *s, uint32_t n, uint32_t shared, uint32_t *left, struct err *e)
{
	uint32_t at[DECODE_TOGETHER];
	int rc;

	pass_reset(d);
	for (uint32_t i = 0; i < n; i++) {
		struct decode_request *r = s[i].r;

		if (s[i].done)
			continue;
		pass_tokens(d, &r->ids[r->count - 1], 1, r->n + r->count - 1, s[i].next++, shared, s[i].own);
		at[d->nout] = i;
		pass_out(d, d->n - 1, 0);
	}
	if ((*left = d->nout) == 0)
		return 0;
	if ((rc = pass_run(d, d->logits, e)) != 0)
		return rc;
	for (uint32_t i = 0; i < *left; i++)
		take_token(d, o, &s[at[i]], d->logits + (size_t)i * d->sampler.vocab);
	return 0;
}

int decode_run(struct decoder *d, const struct decode_opts *o, struct decode_request *r, uint32_t n, struct err *e)
{
	struct slot s[DECODE_TOGETHER];
	uint32_t shared, left = n;
	uint64_t rows = 0;
	int rc;

	for (uint32_t i = 0; i < n; i++)
		rows += (uint64_t)r[i].n + o->max_tokens;
	if ((rc = decoder_rows(d, rows, e)) != 0)
		return rc;
	shared = common(d, r, n);
	rows = shared;
	for (uint32_t i = 0; i < n; i++) {
		slot_init(&s[i], &r[i], o, (uint32_t)rows);
		rows += (uint64_t)r[i].n - shared + o->max_tokens;
	}
	if ((rc = decoder_prefix(d, r[0].prompt, shared, e)) == 0)
		rc = prefill(d, o, s, n, shared, e);
	while (rc == 0 && left)
		rc = step(d, o, s, n, shared, &left, e);
	for (uint32_t i = 0; i < n; i++)
		mem_free(s[i].seen);
	if (rc != 0)
		for (uint32_t i = 0; i < n; i++)
			decode_request_free(&r[i]);
	return rc;
}
