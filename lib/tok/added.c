/* SPDX-License-Identifier: Apache-2.0 */
/* Added tokens are cut out of the text before anything else sees it: leftmost, of those the longest. */
#include "tokimpl.h"
#include "uniclass.h"
#include "utf8.h"

/* End of the longest token at P, its number in *WHICH; NULL: none. */
static const char *longest(const struct trie *t, const char *p, const char *end, int32_t *which)
{
	const char *found = NULL;
	uint32_t node = 0;

	while (p < end && (node = trie_step(t, node, (uint8_t)*p)) != 0) {
		p++;
		if (t->value[node] >= 0) {
			found = p;
			*which = t->value[node];
		}
	}
	return found;
}

static bool word_before(const char *start, const char *p)
{
	return p > start && uni_word(utf8_before(&p));
}

static bool word_after(const char *p, const char *end)
{
	return p < end && uni_word(utf8_get(&p));
}

static const char *blanks_before(const char *start, const char *p)
{
	for (const char *q = p; q > start && uni_space(utf8_before(&q)); )
		p = q;
	return p;
}

static const char *blanks_after(const char *p, const char *end)
{
	for (const char *q = p; q < end && uni_space(utf8_get(&q)); )
		p = q;
	return p;
}

/* May A stand at bytes [FROM, TO) of PIECE? */
static bool allowed(const struct piece *piece, const struct added *a, size_t from, size_t to, guard_fn *guard, void *ctx)
{
	if (guard == NULL)
		return true;
	if (piece->from)
		return guard(ctx, a, piece->from[from], piece->to[to - 1]);
	return guard(ctx, a, piece->orig + from, piece->orig + to);
}

void added_split(const struct tok *t, const struct trie *trie, const struct piece *piece, bool special, guard_fn *guard, void *ctx, struct pieces *out)
{
	const char *start = piece->p, *end = start + piece->n, *done = start, *p = start;

	while (trie->nnodes && (p = trie_seek(trie, p, end)) < end) {
		const struct added *a;
		const char *from = p, *to;
		int32_t which = 0;

		if ((to = longest(trie, p, end, &which)) == NULL) {
			p++;
			continue;
		}
		a = &t->added[which];
		p = to;                /* also where the match is turned down, the search goes on behind it */
		if (a->special && !special)
			continue;
		if (!allowed(piece, a, (size_t)(from - start), (size_t)(to - start), guard, ctx))
			continue;
		if (a->single_word && (word_before(start, from) || word_after(to, end)))
			continue;
		if (a->lstrip) {
			from = blanks_before(start, from);
			if (from < done && done < to)
				from = done;
		}
		/* The search goes on behind the token itself: blanks that it takes may be a token too, and then are both. */
		if (a->rstrip)
			to = blanks_after(to, end);
		pieces_add(out, piece, (size_t)(done - start), (size_t)(from - start));
		pieces_add(out, piece, (size_t)(from - start), (size_t)(to - start));
		out->v[out->n - 1].id = a->id;
		done = to;
	}
	pieces_add(out, piece, (size_t)(done - start), piece->n);
}
