/* SPDX-License-Identifier: Apache-2.0 */
/* Scoring given answers: the prompt once, then every choice as a continuation that sees the prompt's rows of the cache. */
#include "decodecache.h"
#include "mem.h"

/* First tokens are predicted by the prompt's last one: a target that several choices begin with is asked for once.
 * FIRST[i]: its place among the outputs of the pass. */
static void ask_first(struct decoder *d, uint32_t last, const struct decode_choice *c, uint32_t nc, uint32_t *first)
{
	for (uint32_t i = 0, k; i < nc; i++) {
		for (k = 0; k < d->nout && d->target[k] != c[i].ids[0]; k++)
			;
		if (k == d->nout)
			pass_out(d, last, c[i].ids[0]);
		first[i] = k;
	}
}

/* The rest of choice C: its tokens but the last one in, each predicting the next. */
static void ask_rest(struct decoder *d, const struct decode_choice *c, uint32_t n, uint32_t *row)
{
	uint32_t at = d->n;

	if (c->n < 2)
		return;
	pass_tokens(d, c->ids, c->n - 1, n, *row, n, *row);
	for (uint32_t i = 1; i < c->n; i++)
		pass_out(d, at + i - 1, c->ids[i]);
	*row += c->n - 1;
}

/* Choices from C[I] on in a pass that holds the prompt's last tokens (the first pass), or nothing yet; returns where the next begins. */
static uint32_t fill(struct decoder *d, const struct decode_choice *c, uint32_t nc, uint32_t i, uint32_t n, uint32_t row)
{
	do
		ask_rest(d, &c[i++], n, &row);
	while (i < nc && d->n + c[i].n <= PASS_TOKENS);
	return i;
}

static void collect(const struct decoder *d, struct decode_choice *c, uint32_t from, uint32_t to, uint32_t at)
{
	for (uint32_t i = from; i < to; i++)
		for (uint32_t k = 1; k < c[i].n; k++)
			c[i].score += d->logp[at++];
}

int decode_choices(struct decoder *d, const uint32_t *prompt, uint32_t n, struct decode_choice *c, uint32_t nc, struct err *e)
{
	uint32_t *first = mem_grow(NULL, nc, sizeof *first), cached, at, nfirst, next;
	uint64_t rows = n;
	int rc;

	for (uint32_t i = 0; i < nc; i++)
		rows += c[i].n;
	if ((rc = decoder_rows(d, rows, e)) != 0)
		goto done;
	/* all but what fits into the first pass with the choices, and at least the last token of the prompt goes there */
	cached = decoder_cached(d, prompt, n - 1);
	at = n - cached > PASS_TOKENS ? n - PASS_TOKENS : cached;
	if ((rc = decoder_prefix(d, prompt, at, e)) != 0)
		goto done;
	pass_reset(d);
	pass_tokens(d, prompt + at, n - at, at, at, 0, 0);
	ask_first(d, d->n - 1, c, nc, first);
	nfirst = d->nout;
	for (uint32_t i = 0; i < nc; i = next) {
		next = fill(d, c, nc, i, n, n);
		if (d->n && (rc = pass_run(d, NULL, e)) != 0)
			goto done;
		for (uint32_t k = 0; k < nc && i == 0; k++)
			c[k].score = d->logp[first[k]];
		collect(d, c, i, next, i == 0 ? nfirst : 0);
		pass_reset(d);
	}
	decoder_hold(d, prompt, n);
done:
	mem_free(first);
	return rc;
}
