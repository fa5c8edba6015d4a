/* SPDX-License-Identifier: Apache-2.0 */
#include "need.h"

#include <stdio.h>
#include <string.h>

#include "mem.h"

/* Measured: code and libraries of sft-train as far as they are touched, and the heap after its tokenizer was read and closed. */
enum { PROGRAM = 14 << 20 };

uint32_t need_tokens(uint64_t batch, uint32_t row, uint32_t sequence, uint64_t micro)
{
	uint64_t all = batch * row, most = micro > sequence ? micro : sequence;

	return (uint32_t)(all < most ? all : most);
}

uint32_t need_rows(uint64_t batch, uint32_t row, uint64_t micro)
{
	uint64_t fit = micro / row;

	return (uint32_t)(fit > batch ? batch : fit ? fit : 1) * row;
}

static size_t optimiser(const struct need_of *of)
{
	struct optim_part *part;
	size_t n, state[2];

	part = of->lora ? optim_parts_adapter(of->lora, 1, &n) : optim_parts_full(&of->w->cfg, &n);
	optim_measure(part, n, of->optim, state);
	mem_free(part);
	return (state[0] + state[1]) * sizeof(float);
}

static void at_least(size_t *most, size_t n) { *most = n > *most ? n : *most; }

/* Working memory of the largest operation; those on routed experts see no more rows than all tokens' choices. */
static size_t room(const struct need_of *of)
{
	const struct model_config *c = &of->w->cfg;
	enum dtype xt = of->model.act;
	uint32_t t = of->pass.tokens, chunk = of->pass.nout < 256 ? of->pass.nout : 256;
	size_t most =
	    kern_room_attn(of->threads, of->sequences, of->pass.positions, c->heads, c->kv_heads, c->head_dim, c->v_dim);

	for (size_t i = 0; i < place_count(c); i++) {
		struct place at = place_at(c, i);
		const struct weight *w = &of->w->w[i];
		bool head = at.p == (c->tied ? P_EMBED : P_HEAD);
		uint32_t rows = head ? chunk : t;

		if (w->rows == 0 || at.expert > 0 || (!head && !param_table[at.p].linear && at.p < P_EGATE))
			continue;
		at_least(&most, kern_room_linear(of->threads, rows, w->rows, w->cols, xt, head ? DT_F32 : xt));
		at_least(&most, kern_room_linear(of->threads, rows, w->cols, w->rows, xt, DT_F32));
		if (of->lora == NULL)
			at_least(&most, kern_room_outer(of->threads, rows, w->rows, w->cols, xt));
	}
	return most;
}

/* The same of a device with memory of its own. */
static size_t room_apart(const struct need_of *of)
{
	const struct model_config *c = &of->w->cfg;
	uint32_t t = of->pass.tokens, chunk = of->pass.nout < 256 ? of->pass.nout : 256, rank = of->lora ? of->lora->rank : 0;
	size_t most = 0;

	for (size_t i = 0; i < place_count(c); i++) {
		struct place at = place_at(c, i);
		const struct weight *w = &of->w->w[i];
		bool head = at.p == (c->tied ? P_EMBED : P_HEAD);

		if (w->rows && at.expert == 0 && (head || at.p != P_EMBED))
			at_least(&most, kern_room_apart(head ? chunk : t, w->rows, w->cols, rank, c->heads, of->model.act));
	}
	return most;
}

void need_measure(struct need *n, const struct need_of *of)
{
	*n = (struct need){.base = weights_size(of->w), .optimiser = optimiser(of), .room = of->model.apart ? room_apart(of) : room(of), .apart = of->model.apart,
			   .program = PROGRAM};
	model_measure(&n->model, of->w, of->lora, &of->model, &of->pass);
	n->sums = of->parts * n->model.grad;
}

size_t need_device(const struct need *n)
{
	return n->apart ? n->model.weights + n->optimiser + n->model.values + n->model.grad + n->sums + n->model.tables + n->model.all + n->room : 0;
}

size_t need_own(const struct need *n)
{
	if (n->apart)                     /* values and state have images here, for checkpoints */
		return n->base.copied + n->optimiser + n->model.values + n->program;
	return n->base.copied + n->optimiser + n->model.values + n->model.grad + n->sums + n->model.tables + n->model.all + n->room +
	       n->program;
}

size_t need_total(const struct need *n) { return n->base.mapped + need_own(n); }

/* --- what would fit --- */

static bool fits(const struct need_of *of, size_t room_left, size_t *own)
{
	struct need n;

	need_measure(&n, of);
	*own = n.apart ? need_device(&n) : need_own(&n);
	return *own <= room_left;
}

void need_advice(const struct need_of *of, size_t room_left, uint32_t row, char *out, size_t n)
{
	struct need_of with = *of;
	uint32_t less = row < of->pass.tokens ? row : of->pass.tokens;
	size_t own;

	for (int i = 1; i < 4; i++) {
		with.model.checkpointing = of->model.checkpointing || (i & 1);
		with.pass.tokens = i & 2 ? less : of->pass.tokens;
		with.pass.nout = with.pass.nout > with.pass.tokens ? with.pass.tokens : with.pass.nout;
		with.sequences = i & 2 ? 1 : of->sequences;
		if (!fits(&with, room_left, &own))
			continue;
		snprintf(out, n, "%s%s", with.model.checkpointing && !of->model.checkpointing ? "--checkpointing" : "",
			 i == 3 && !of->model.checkpointing ? " and " : "");
		if (i & 2)
			snprintf(out + strlen(out), n - strlen(out), "--micro-tokens %u", less);
		snprintf(out + strlen(out), n - strlen(out), " takes %.2f GB", (double)own / 1e9);
		return;
	}
	if (of->lora == NULL)
		snprintf(out, n, "no split of the passes does: --method lora, or --optim adafactor, takes less");
	else
		snprintf(out, n, "no split of the passes does: shorter rows, or a smaller model, take less");
}
