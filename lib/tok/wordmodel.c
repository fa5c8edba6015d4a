/* SPDX-License-Identifier: Apache-2.0 */
/* WordPiece, WordLevel and Unigram; BPE is in bpemodel.c. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tokimpl.h"
#include "utf8.h"

void tok_ids_room(struct tok_ids *out, size_t n, bool offsets)
{
	size_t cap = out->cap ? out->cap : 64;

	while (cap < out->n + n)
		cap *= 2;
	if (cap > out->cap || out->id == NULL)
		out->id = mem_grow(out->id, cap, sizeof *out->id);
	if ((offsets && out->start == NULL) || (out->start && cap > out->cap)) {
		out->start = mem_grow(out->start, cap, sizeof *out->start);
		out->end = mem_grow(out->end, cap, sizeof *out->end);
	}
	out->cap = cap;
}

void ids_add(struct tok_ids *out, const struct tok_scratch *s, const struct piece *p, uint32_t id, size_t start, size_t end)
{
	tok_ids_room(out, 1, s->track);
	if (s->track) {
		if (p->from) {
			out->start[out->n] = start < p->n ? p->from[start] : (uint32_t)p->orig;
			out->end[out->n] = end > start ? p->to[end - 1] : out->start[out->n];
		} else {
			while (start > 0 && start < p->n && ((unsigned char)p->p[start] & 0xC0) == 0x80)
				start--;
			while (end < p->n && ((unsigned char)p->p[end] & 0xC0) == 0x80)
				end++;
			out->start[out->n] = (uint32_t)(p->orig + start);
			out->end[out->n] = (uint32_t)(p->orig + end);
		}
	}
	out->id[out->n++] = id;
}

/* --- making ready --- */

void model_ready(struct tok *t)
{
	struct vocab *v = &t->vocab;

	for (int b = 0; b < 256; b++) {
		char text[8];

		snprintf(text, sizeof text, "<0x%02X>", b);
		t->byte_id[b] = t->byte_fallback ? vocab_id(v, text, 6) : -1;
	}
	t->min_score = INFINITY;
	for (uint32_t id = 0; id < v->n; id++) {
		const char *text = v->text[id];
		size_t n = text ? v->len[id] : 0;

		if (text == NULL)
			continue;
		if (t->kind == MODEL_UNIGRAM && t->score[id] < t->min_score)
			t->min_score = t->score[id];
		if (t->kind == MODEL_WORDLEVEL)
			continue;
		trie_put(&t->pieces, text, n, (int32_t)vocab_id(v, text, n));
		if (t->kind == MODEL_WORDPIECE && n > t->nsub_prefix && memcmp(text, t->sub_prefix, t->nsub_prefix) == 0)
			trie_put(&t->inner, text + t->nsub_prefix, n - t->nsub_prefix, (int32_t)id);
	}
}

/* Longest token of TRIE at TEXT: its bytes and id; 0: none. */
static size_t longest(const struct trie *t, const char *text, size_t n, uint32_t *id)
{
	uint32_t node = 0;
	size_t found = 0;

	for (size_t i = 0; t->nnodes && i < n && (node = trie_step(t, node, (uint8_t)text[i])) != 0; i++)
		if (t->value[node] >= 0) {
			found = i + 1;
			*id = (uint32_t)t->value[node];
		}
	return found;
}

static int unknown(const struct tok *t, struct tok_scratch *s, const struct piece *p, struct tok_ids *out, struct err *e)
{
	if (t->unk < 0)
		return err_set(e, SFT_BADDATA, "a word is not in the vocabulary and there is no unknown token");
	ids_add(out, s, p, (uint32_t)t->unk, 0, p->n);
	return 0;
}

int model_wordpiece(const struct tok *t, struct tok_scratch *s, const struct piece *p, struct tok_ids *out, struct err *e)
{
	size_t before = out->n, at = 0;

	if (utf8_count(p->p, p->n) > t->max_chars)
		return unknown(t, s, p, out, e);
	while (at < p->n) {
		uint32_t id = 0;
		size_t n = longest(at ? &t->inner : &t->pieces, p->p + at, p->n - at, &id);

		if (n == 0) {
			out->n = before;
			return unknown(t, s, p, out, e);
		}
		ids_add(out, s, p, id, at, at + n);
		at += n;
	}
	return 0;
}

int model_wordlevel(const struct tok *t, struct tok_scratch *s, const struct piece *p, struct tok_ids *out, struct err *e)
{
	int64_t id = vocab_id(&t->vocab, p->p, p->n);

	if (id < 0)
		return unknown(t, s, p, out, e);
	ids_add(out, s, p, (uint32_t)id, 0, p->n);
	return 0;
}

/* --- Unigram --- */

/* The best way to a place in the word. */
struct way {
	double score;
	uint32_t from;              /* where its last token begins; UINT32_MAX: no way yet */
	uint32_t id;
};

static void try_way(struct way *to, double score, uint32_t from, uint32_t id)
{
	if (to->from == UINT32_MAX || score > to->score)
		*to = (struct way){ score, from, id };
}

static int find_ways(const struct tok *t, const struct piece *p, struct way *way, struct err *e)
{
	for (size_t i = 1; i <= p->n; i++)
		way[i].from = UINT32_MAX;
	way[0].score = 0;
	for (size_t at = 0; at < p->n; at += utf8_size(p->p + at)) {
		size_t one = utf8_size(p->p + at);
		uint32_t node = 0;
		bool single = false;

		for (size_t i = at; t->pieces.nnodes && i < p->n && (node = trie_step(&t->pieces, node, (uint8_t)p->p[i])) != 0; i++) {
			int32_t id = t->pieces.value[node];

			if (id < 0)
				continue;
			try_way(&way[i + 1], t->score[id] + way[at].score, (uint32_t)at, (uint32_t)id);
			single |= i + 1 - at == one;
		}
		if (single)
			continue;
		if (t->unk < 0)
			return err_set(e, SFT_BADDATA, "a character is not in the vocabulary and there is no unknown token");
		try_way(&way[at + one], t->min_score - 10 + way[at].score, (uint32_t)at, (uint32_t)t->unk);
	}
	return 0;
}

/* Bytes [START, END): a token, or what was unknown as bytes where every byte has a token. */
static void put_unigram(const struct tok *t, struct tok_scratch *s, const struct piece *p, size_t start, size_t end, struct tok_ids *out)
{
	int64_t id = vocab_id(&t->vocab, p->p + start, end - start);
	bool all = t->byte_fallback;

	for (size_t i = start; id < 0 && all && i < end; i++)
		all = t->byte_id[(uint8_t)p->p[i]] >= 0;
	if (id >= 0 || !all) {
		ids_add(out, s, p, (uint32_t)(id >= 0 ? id : t->unk), start, end);
		return;
	}
	for (size_t i = start; i < end; i++)
		ids_add(out, s, p, (uint32_t)t->byte_id[(uint8_t)p->p[i]], start, end);
}

int model_unigram(const struct tok *t, struct tok_scratch *s, const struct piece *p, struct tok_ids *out, struct err *e)
{
	struct way *way;
	uint32_t *cut;                 /* ends of the tokens, last first */
	size_t n = 0, start = 0;
	int rc;

	if (p->n >= UINT32_MAX / 2)
		return err_set(e, SFT_BADDATA, "a text of %zu bytes (expected less than 2 GiB)", p->n);
	way = mem_try((p->n + 1) * (sizeof *way + sizeof *cut));
	if (way == NULL)
		return err_set(e, SFT_SYSTEM, "no memory for a text of %zu bytes", p->n);
	cut = (uint32_t *)(way + p->n + 1);
	rc = find_ways(t, p, way, e);
	for (uint32_t at = (uint32_t)p->n; rc == 0 && at > 0; at = way[at].from) {
		bool unk = t->unk >= 0 && way[at].id == (uint32_t)t->unk;

		/* Unknown neighbours are one token. */
		if (!(unk && n && t->unk >= 0 && way[cut[n - 1]].id == (uint32_t)t->unk && way[cut[n - 1]].from == at))
			cut[n++] = at;
		else
			way[cut[n - 1]].from = way[at].from;
	}
	while (rc == 0 && n > 0) {
		put_unigram(t, s, p, start, cut[n - 1], out);
		start = cut[--n];
	}
	mem_free(way);
	return rc;
}

int model_word(const struct tok *t, struct tok_scratch *s, const struct piece *p, struct tok_ids *out, struct err *e)
{
	switch (t->kind) {
	case MODEL_BPE: bpe_word(t, s, p, 0, p->n, out); return 0;
	case MODEL_WORDPIECE: return model_wordpiece(t, s, p, out, e);
	case MODEL_UNIGRAM: return model_unigram(t, s, p, out, e);
	default: return model_wordlevel(t, s, p, out, e);
	}
}
