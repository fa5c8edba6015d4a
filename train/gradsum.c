/* SPDX-License-Identifier: Apache-2.0 */
#include "gradsum.h"

#include <string.h>

#include "mem.h"

enum { TOGETHER = 1 << 20 };              /* values that are exchanged at a time: 4 MiB */

/* --- the tree --- */

static uint64_t node_end(struct sum_node s, uint64_t total)
{
	uint64_t end = (s.index + 1) << s.level;

	return end < total ? end : total;
}

static struct sum_node parent(struct sum_node s)
{
	return (struct sum_node){ s.index >> 1, s.level + 1 };
}

static bool is_root(struct sum_node s, uint64_t total)
{
	return s.index == 0 && node_end(s, total) == total;
}

/* At the right edge a left child stands for its parent. */
static struct sum_node risen(struct sum_node s, uint64_t total)
{
	while (!is_root(s, total) && s.index % 2 == 0 && node_end(s, total) == total)
		s = parent(s);
	return s;
}

static bool joins(struct sum_node left, struct sum_node right)
{
	return left.level == right.level && left.index % 2 == 0 && right.index == left.index + 1;
}

/* The largest subtrees that lie in [FIRST, END), left to right; their number. */
static unsigned subtrees(uint64_t first, uint64_t end, uint64_t total, struct sum_node *out)
{
	unsigned n = 0;

	while (first < end) {
		struct sum_node s = { first, 0 };

		while (!is_root(s, total) && s.index % 2 == 0 && node_end(parent(s), total) <= end)
			s = parent(s);
		out[n++] = s;
		first = node_end(s, total);
	}
	return n;
}

unsigned gradsum_parts(const struct ranks *r, uint64_t total)
{
	struct sum_node node[SUM_NODES];
	unsigned most = 0;

	for (unsigned i = 0; i < ranks_size(r); i++) {
		uint64_t first, end;

		ranks_share(r, i, total, &first, &end);
		for (uint64_t k = first + 1; k < end; k++) {
			unsigned n = subtrees(first, k, total, node);

			most = n > most ? n : most;
		}
	}
	return most;
}

/* --- this rank's micro-steps --- */

/* Subtrees of rank I. */
static unsigned subtrees_of(const struct gradsum *g, unsigned i, struct sum_node *out)
{
	uint64_t first, end;

	ranks_share(g->ranks, i, g->total, &first, &end);
	return subtrees(first, end, g->total, out);
}

/* Memory for what is exchanged: all subtrees of this rank to send, a slice of everybody's to receive, and the sum. */
static int need_buffers(struct gradsum *g, struct err *e)
{
	unsigned size = ranks_size(g->ranks), mine = 0, all = 0;
	size_t most = g->n < TOGETHER ? g->n : TOGETHER, send, recv;

	for (unsigned i = 0; i < size; i++) {
		struct sum_node node[SUM_NODES];
		unsigned n = subtrees_of(g, i, node);

		all += n;
		mine = i == ranks_rank(g->ranks) ? n : mine;
	}
	send = mine * most;
	recv = all * (most / size + 1);
	if (g->room < send + recv + most) {
		mem_free(g->send);
		g->room = send + recv + most;
		if ((g->send = mem_try(g->room * sizeof *g->send)) == NULL) {
			g->room = 0;
			return err_set(e, SFT_SYSTEM, "no memory for the gradients that ranks exchange");
		}
	}
	g->recv = g->send + send;
	g->slice = g->recv + recv;
	return 0;
}

int gradsum_begin(struct gradsum *g, uint64_t total, struct err *e)
{
	g->total = total;
	g->nnodes = 0;
	ranks_share(g->ranks, ranks_rank(g->ranks), total, &g->first, &g->end);
	return ranks_size(g->ranks) > 1 ? need_buffers(g, e) : 0;
}

int gradsum_room(struct gradsum *g, struct err *e)
{
	size_t bytes = g->n * sizeof *g->grad;

	if (g->nnodes) {
		unsigned at = g->nnodes - 1;

		if (at == g->nparts && (g->part[g->nparts++] = kern_alloc(g->k, bytes)) == NULL) {
			g->nparts--;
			return err_set(e, SFT_SYSTEM, "no memory for %.0f MiB of gradients (expected a smaller --accumulate)", (double)bytes / (1 << 20));
		}
		kern_cast(g->k, g->n, g->grad, DT_F32, g->part[at], DT_F32);
	}
	kern_zero(g->k, g->grad, bytes);
	return 0;
}

void gradsum_add(struct gradsum *g, uint64_t i)
{
	struct sum_node s = risen((struct sum_node){ i, 0 }, g->total);

	while (g->nnodes && joins(g->node[g->nnodes - 1], s)) {
		kern_add(g->k, g->n, g->part[--g->nnodes], g->grad);
		s = risen(parent(s), g->total);
	}
	g->node[g->nnodes++] = s;
}

/* --- the rest of the tree --- */

static void add(float *to, const float *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] += from[i];
}

/* Slices of N values of all subtrees lie in RECV, left to right; their sum ends in the first. */
static void add_slices(const struct gradsum *g, size_t n)
{
	struct sum_node node[SUM_NODES], stack[SUM_NODES];
	float *at[SUM_NODES], *from = g->recv;
	unsigned depth = 0;

	for (unsigned i = 0; i < ranks_size(g->ranks); i++) {
		unsigned count = subtrees_of(g, i, node);

		for (unsigned j = 0; j < count; j++, from += n) {
			struct sum_node s = node[j];

			at[depth] = from;
			while (depth && joins(stack[depth - 1], s)) {
				depth--;
				add(at[depth], at[depth + 1], n);
				s = risen(parent(s), g->total);
			}
			stack[depth++] = s;
		}
	}
}

/* Values FIRST .. FIRST + N - 1 of grad. */
static void finish_part(struct gradsum *g, size_t first, size_t n, size_t *nsend, size_t *nrecv)
{
	uint64_t begin, end, mine, at;
	struct sum_node node[SUM_NODES];
	float *to = g->send;

	ranks_share(g->ranks, ranks_rank(g->ranks), n, &at, &end);
	mine = end - at;
	for (unsigned i = 0; i < ranks_size(g->ranks); i++) {
		ranks_share(g->ranks, i, n, &begin, &end);
		for (unsigned j = 0; j < g->nnodes; j++, to += end - begin)
			kern_get(g->k, to, (j + 1 == g->nnodes ? g->grad : g->part[j]) + first + begin, (end - begin) * sizeof *to);
		nsend[i] = g->nnodes * (end - begin);
		nrecv[i] = subtrees_of(g, i, node) * mine;
	}
	ranks_swap(g->ranks, g->send, nsend, g->recv, nrecv);
	add_slices(g, mine);
	memcpy(g->slice + at, g->recv, mine * sizeof *g->slice);
	ranks_gather(g->ranks, g->slice, n, sizeof *g->slice);
	kern_put(g->k, g->grad + first, g->slice, n * sizeof *g->slice);
}

void gradsum_finish(struct gradsum *g)
{
	unsigned size = ranks_size(g->ranks);
	size_t *count, n;

	if (size == 1)
		return;                   /* the last micro-step has joined all */
	count = mem_new(2 * (size_t)size * sizeof *count);
	for (size_t at = 0; at < g->n; at += n) {
		n = g->n - at < TOGETHER ? g->n - at : TOGETHER;
		finish_part(g, at, n, count, count + size);
	}
	mem_free(count);
}

void gradsum_release(struct gradsum *g)
{
	for (unsigned i = 0; i < g->nparts; i++)
		kern_free(g->k, g->part[i]);
	mem_free(g->send);
	g->send = NULL;
	g->nparts = 0;
	g->room = 0;
}
