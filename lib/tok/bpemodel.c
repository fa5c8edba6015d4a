/* SPDX-License-Identifier: Apache-2.0 */
/* The BPE model: words to symbols, merging, and the cache of words. */
#include <stdio.h>
#include <string.h>

#include "hash.h"
#include "tokimpl.h"
#include "utf8.h"

enum { JOINT_BITS = 21 };
static const uint32_t NO_ID = UINT32_MAX;

/* --- making ready --- */

static uint32_t joint_bit(uint32_t a, uint32_t b)
{
	return (uint32_t)((((uint64_t)a << 21 | b) * 0x9E3779B97F4A7C15u) >> (64 - JOINT_BITS));
}

/* Characters side by side in some token.  No merge can reach over a place where two known characters stand that are not
 * such a pair: there a word may be cut in two without changing its ids, and short words are what the cache knows. */
static void find_joints(struct tok *t)
{
	t->joint = mem_new((size_t)1 << (JOINT_BITS - 3));
	for (uint32_t id = 0; id < t->vocab.n; id++) {
		const char *p = t->vocab.text[id], *end = p ? p + t->vocab.len[id] : NULL;
		uint32_t last = 0;

		for (bool first = true; p < end; first = false) {
			uint32_t c = utf8_get(&p), bit = joint_bit(last, c);

			if (!first)
				t->joint[bit / 64] |= (uint64_t)1 << bit % 64;
			last = c;
		}
	}
}

bool bpe_raw(const struct tok *t, uint32_t id, char *out, size_t *n)
{
	const char *p = t->vocab.text[id], *end = p + t->vocab.len[id];

	for (*n = 0; p < end; ) {
		int b = char_byte(utf8_get(&p));

		if (b < 0)
			return false;
		out[(*n)++] = (char)b;
	}
	return true;
}

static void find_raw(struct tok *t)
{
	struct buf b = {0};
	size_t n;

	for (uint32_t id = 0; id < t->vocab.n; id++) {
		if (t->vocab.text[id] == NULL)
			continue;
		b.n = 0;
		if (bpe_raw(t, id, buf_room(&b, t->vocab.len[id] + 1), &n))
			strmap_put(&t->raw_map, b.p, n, id, NULL);
	}
	buf_free(&b);
}

/* Does every byte have a symbol, and does the last step hand bytes on? */
static bool is_byte_level(struct tok *t)
{
	bool step = t->npre && t->pre[t->npre - 1].kind == PRE_BYTES;

	for (int b = 0; b < 256; b++) {
		char text[4];
		int64_t id = vocab_id(&t->vocab, text, utf8_put(text, byte_char((uint8_t)b)));

		if (id < 0)
			return false;
		t->byte_sym[b] = (uint32_t)id;
	}
	return step && t->nsub_prefix == 0 && t->nword_suffix == 0;
}

static void find_chars(struct tok *t)
{
	t->char_id = mem_grow(NULL, 0x10000, sizeof *t->char_id);
	memset(t->char_id, 0xff, 0x10000 * sizeof *t->char_id);
	for (uint32_t c = 1; c < 0x10000; c++) {
		char text[4];
		int64_t id = c >= 0xD800 && c < 0xE000 ? -1 : vocab_id(&t->vocab, text, utf8_put(text, c));

		if (id >= 0)
			t->char_id[c] = (uint32_t)id;
	}
}

void bpe_ready(struct tok *t)
{
	for (int b = 0; b < 256; b++) {
		char text[8];

		snprintf(text, sizeof text, "<0x%02X>", b);
		t->byte_id[b] = t->byte_fallback ? vocab_id(&t->vocab, text, 6) : -1;
	}
	bpe_merges_init(&t->merges, t->merge_list, t->nmerges);
	t->bytes = is_byte_level(t);
	if (t->bytes) {
		byte_joints_find(t);
		if (t->ignore_merges)
			find_raw(t);
		if (t->npre == 2 && t->pre[0].kind == PRE_SPLIT && t->pre[0].scan && t->pre[0].behavior == SPLIT_ISOLATED && !t->pre[0].invert)
			t->fast = t->pre[0].scan;
		return;
	}
	if (t->nsub_prefix == 0 && t->nword_suffix == 0) {
		find_chars(t);
		find_joints(t);
	}
}

/* --- symbols --- */

/* The id of the symbol of character C at P (N bytes), with the affixes of its place; -1: none. */
static int64_t symbol_id(const struct tok *t, struct tok_scratch *s, uint32_t c, const char *p, size_t n, bool first, bool last)
{
	if (t->char_id && c < 0x10000)
		return t->char_id[c] == NO_ID ? -1 : (int64_t)t->char_id[c];
	if ((first || !t->nsub_prefix) && (!last || !t->nword_suffix))
		return vocab_id(&t->vocab, p, n);
	s->text.n = 0;
	if (!first)
		buf_add(&s->text, t->sub_prefix, t->nsub_prefix);
	buf_add(&s->text, p, n);
	if (last)
		buf_add(&s->text, t->word_suffix, t->nword_suffix);
	return vocab_id(&t->vocab, s->text.p, s->text.n);
}

/* Symbols of an unknown character as bytes; false where a byte has no token. */
static bool fall_back(const struct tok *t, struct tok_scratch *s, const char *p, size_t n, bool first, bool last)
{
	const char *affix[3] = { first ? "" : t->sub_prefix, p, last ? t->word_suffix : "" };
	size_t len[3] = { first ? 0 : t->nsub_prefix, n, last ? t->nword_suffix : 0 };

	for (int k = 0; k < 3; k++)
		for (size_t i = 0; i < len[k]; i++)
			if (t->byte_id[(uint8_t)affix[k][i]] < 0)
				return false;
	for (int k = 0; k < 3; k++)
		for (size_t i = 0; i < len[k]; i++)
			bpe_add(&s->room, (uint32_t)t->byte_id[(uint8_t)affix[k][i]], 1);
	return true;
}

/* The characters [P, END) of a word that lasts from WORD to STOP as symbols. */
static void char_symbols(const struct tok *t, struct tok_scratch *s, const char *p, const char *end, const char *word, const char *stop)
{
	uint32_t unk = 0;              /* bytes of the unknown stretch that is open */

	for (const char *next = p; p < end; p = next) {
		uint32_t c = utf8_get(&next), n = (uint32_t)(next - p);
		int64_t id = symbol_id(t, s, c, p, n, p == word, next == stop);

		if (id >= 0) {
			if (unk)
				bpe_add(&s->room, (uint32_t)t->unk, unk);
			unk = 0;
			bpe_add(&s->room, (uint32_t)id, n);
		} else if (t->byte_fallback && fall_back(t, s, p, n, p == word, next == stop)) {
			continue;
		} else if (t->unk >= 0) {
			if (unk && !t->fuse_unk) {
				bpe_add(&s->room, (uint32_t)t->unk, unk);
				unk = 0;
			}
			unk += n;
		}
	}
	if (unk)
		bpe_add(&s->room, (uint32_t)t->unk, unk);
}

/* --- words --- */

static bool cached(const struct tok_scratch *s, const char *p, size_t n, struct cache_slot **slot, struct tok_ids *out)
{
	struct cache_slot *c = &s->cache[hash64(p, n, 0) >> (64 - CACHE_BITS)];

	*slot = c;
	if (c->n != n || memcmp(c->key, p, n) != 0)
		return false;
	if (out->n + CACHE_IDS > out->cap)
		tok_ids_room(out, CACHE_IDS, false);
	memcpy(out->id + out->n, c->id, sizeof c->id);
	out->n += c->nids;
	return true;
}

static void remember(struct cache_slot *c, const char *p, size_t n, const struct bpe_room *r)
{
	if (r->n > CACHE_IDS)
		return;
	c->n = (uint8_t)n;
	c->nids = (uint8_t)r->n;
	memcpy(c->key, p, n);
	for (size_t i = 0; i < r->n; i++)
		c->id[i] = r->sym[i].id;
}

/* Bytes [START, END) of the word P: symbols, merged, to ids. */
static void encode_part(const struct tok *t, struct tok_scratch *s, const struct piece *p, size_t start, size_t end, struct tok_ids *out)
{
	const char *text = p->p + start;
	size_t n = end - start;
	struct cache_slot *slot = NULL;
	bool known = n <= CACHE_KEY && !s->track && t->nsub_prefix == 0 && t->nword_suffix == 0;

	if (known && cached(s, text, n, &slot, out))
		return;
	s->room.n = 0;
	if (t->bytes)
		for (size_t i = 0; i < n; i++)
			bpe_add(&s->room, t->byte_sym[(uint8_t)text[i]], 1);
	else
		char_symbols(t, s, text, text + n, p->p, p->p + p->n);
	bpe_merge_all(&t->merges, &s->room);
	if (known)
		remember(slot, text, n, &s->room);
	for (size_t i = 0; i < s->room.n; i++) {
		ids_add(out, s, p, s->room.sym[i].id, start, start + s->room.sym[i].len);
		start += s->room.sym[i].len;
	}
}

static bool known_char(const struct tok *t, uint32_t c)
{
	return c < 0x10000 && t->char_id[c] != NO_ID;
}

int model_bpe(const struct tok *t, struct tok_scratch *s, const struct piece *p, struct tok_ids *out, struct err *e)
{
	const struct strmap_entry *whole = NULL;
	size_t start = 0;
	bool known = false;            /* the character before the place */
	uint32_t last = 0;

	if (p->n > UINT32_MAX / 2)
		return err_set(e, SFT_BADDATA, "a text of %zu bytes (expected less than 2 GiB)", p->n);
	if (t->ignore_merges)
		whole = strmap_find(t->bytes ? &t->raw_map : &t->vocab.map, p->p, p->n);
	if (whole) {
		ids_add(out, s, p, (uint32_t)whole->value, 0, p->n);
		return 0;
	}
	if (t->joint == NULL) {
		encode_part(t, s, p, 0, p->n, out);
		return 0;
	}
	if (t->bytes) {
		for (size_t next; start < p->n; start = next) {
			next = byte_joints_next(t, p->p, start, p->n);
			encode_part(t, s, p, start, next, out);
		}
		return 0;
	}
	for (const char *q = p->p, *end = q + p->n; q < end; ) {
		size_t at = (size_t)(q - p->p);
		uint32_t c = utf8_get(&q), bit = joint_bit(last, c);
		bool is = known_char(t, c);

		if (at > start && known && is && !(t->joint[bit / 64] >> bit % 64 & 1)) {
			encode_part(t, s, p, start, at, out);
			start = at;
		}
		known = is;
		last = c;
	}
	if (p->n > start)
		encode_part(t, s, p, start, p->n, out);
	return 0;
}
