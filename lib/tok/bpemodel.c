/* SPDX-License-Identifier: Apache-2.0 */
/* The BPE model: words to symbols, merging, and the cache of words. */
#include <string.h>

#include "tokimpl.h"
#include "utf8.h"

static const uint32_t NO_ID = UINT32_MAX;

/* --- symbols --- */

/* The id of the symbol of character C at P (N bytes), with the affixes of its place; -1: none. */
static int64_t symbol_id(const struct tok *t, struct tok_scratch *s, uint32_t c, const char *p, size_t n, bool first, bool last)
{
	if (t->char_id && !t->bytes && c < 0x10000)
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

/* The characters of the word [P, END) as symbols. */
static void char_symbols(const struct tok *t, struct tok_scratch *s, const char *p, const char *end)
{
	const char *word = p;
	uint32_t unk = 0;              /* bytes of the unknown stretch that is open */

	for (const char *next = p; p < end; p = next) {
		uint32_t c = utf8_get(&next), n = (uint32_t)(next - p);
		int64_t id = symbol_id(t, s, c, p, n, p == word, next == end);

		if (id >= 0) {
			if (unk)
				bpe_add(&s->room, (uint32_t)t->unk, unk);
			unk = 0;
			bpe_add(&s->room, (uint32_t)id, n);
		} else if (t->byte_fallback && fall_back(t, s, p, n, p == word, next == end)) {
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

/* The characters of a word of bytes: whole where they always become one token first, else byte by byte. */
static void byte_symbols(const struct tok *t, struct tok_scratch *s, const char *p, const char *end)
{
	while (p < end) {
		const char *c = p;
		uint32_t code;

		if ((uint8_t)*p >= 0x80 && t->char_id && (code = utf8_get(&p)) < 0x10000 && t->char_id[code] != NO_ID)
			bpe_add(&s->room, t->char_id[code], (uint32_t)(p - c));
		else
			for (p = c + utf8_size(c); c < p; c++)
				bpe_add(&s->room, t->byte_sym[(uint8_t)*c], 1);
	}
}

/* --- words --- */

static void remember(const struct word *w, const struct bpe_room *r)
{
	uint32_t *id;

	if (w->line == NULL || r->n > WORD_IDS)
		return;
	id = word_put(w->line, w->key, (unsigned)r->n);
	for (size_t i = 0; i < r->n; i++)
		id[i] = r->sym[i].id;
}

/* Ids of W by merging; whole words that are tokens by themselves if the model says so. */
static void merge_word(const struct tok *t, struct tok_scratch *s, const struct word *w, struct tok_ids *out)
{
	const char *text = w->of->p + w->start, *end = text + w->n;
	int64_t whole = -1;
	size_t start = w->start;

	s->room.n = 0;
	if (t->ignore_merges && !w->part)
		whole = vocab_id(s->bytes ? &t->raw_bytes : &t->vocab, text, w->n);
	if (whole >= 0)
		bpe_add(&s->room, (uint32_t)whole, w->n);
	else if (s->bytes)
		byte_symbols(t, s, text, end);
	else
		char_symbols(t, s, text, end);      /* parts are cut only where there are no affixes */
	bpe_merge_all(&t->merges, &s->room);
	remember(w, &s->room);
	for (size_t i = 0; i < s->room.n; i++) {
		ids_add(out, s, w->of, s->room.sym[i].id, start, start + s->room.sym[i].len);
		start += s->room.sym[i].len;
	}
}

/* The ids in SLOT with their offsets; false where these do not follow from the ids (unknown characters, bytes written out). */
static bool put_tracked(const struct tok *t, const struct tok_scratch *s, const struct word *w, const struct word_slot *slot, struct tok_ids *out)
{
	unsigned n = word_nids(slot);
	size_t start = w->start, sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += t->id_len[slot->id[i]];
	if (sum != w->n)
		return false;
	for (unsigned i = 0; i < n; i++) {
		ids_add(out, s, w->of, slot->id[i], start, start + t->id_len[slot->id[i]]);
		start += t->id_len[slot->id[i]];
	}
	return true;
}

void bpe_flush(const struct tok *t, struct tok_scratch *s, struct tok_ids *out)
{
	for (unsigned k = 0; k < s->nwords; k++) {
		const struct word *w = &s->word[k];
		const struct word_slot *slot = w->line ? word_find(w->line, w->key) : NULL;

		if (slot && s->track) {
			if (!put_tracked(t, s, w, slot, out))
				merge_word(t, s, w, out);
		} else if (slot) {
			if (out->n + WORD_IDS > out->cap)
				tok_ids_room(out, WORD_IDS, false);
			memcpy(out->id + out->n, slot->id, sizeof slot->id);
			out->n += word_nids(slot);
		} else {
			merge_word(t, s, w, out);
		}
	}
	s->nwords = 0;
}

/* Bytes [START, END) of P wait for their ids.  PART: of a longer word. */
static inline void queue(const struct tok *t, struct tok_scratch *s, const struct piece *p, size_t start, size_t end, bool part,
                         const struct word_key *key, struct tok_ids *out)
{
	struct word *w;

	if (s->nwords == WORDS)
		bpe_flush(t, s, out);
	w = &s->word[s->nwords++];
	*w = (struct word){ .of = p, .start = (uint32_t)start, .n = (uint32_t)(end - start), .part = part };
	if (end - start > WORD_MAX || s->bytes != t->bytes)     /* bytes written as characters must not be taken for these */
		return;
	w->key = key ? *key : word_key(p->p + start, end - start, p->p, p->p + p->n);
	if (part && t->ignore_merges)
		w->key.hi |= WORD_PART;
	w->line = s->cache + word_place(w->key);
	__builtin_prefetch(w->line);
}

static bool known_char(const struct tok *t, uint32_t c)
{
	return c < 0x10000 && t->char_id[c] != NO_ID;
}

/* The same for words of characters: cut where two known characters stand side by side in no token. */
static size_t char_joints_next(const struct tok *t, const char *text, size_t at, size_t n)
{
	const char *q = text + at;
	uint32_t last = utf8_get(&q);
	bool known = known_char(t, last);

	for (const char *end = text + n; q < end; ) {
		const char *place = q;
		uint32_t c = utf8_get(&q), bit = joint_bit(last, c);
		bool is = known_char(t, c);

		if (known && is && !(t->joint[bit / 64] >> bit % 64 & 1))
			return (size_t)(place - text);
		known = is;
		last = c;
	}
	return n;
}

void bpe_word(const struct tok *t, struct tok_scratch *s, const struct piece *p, size_t start, size_t end, struct tok_ids *out)
{
	struct word_key key;
	size_t next;

	if (t->joint == NULL || s->bytes != t->bytes) {
		queue(t, s, p, start, end, false, NULL, out);
		return;
	}
	if (end - start <= WORD_MAX && s->bytes) {
		key = word_key(p->p + start, end - start, p->p, p->p + p->n);
		if (word_ascii(key)) {
			queue(t, s, p, start, end, false, &key, out);
			return;
		}
	}
	for (size_t at = start; at < end; at = next) {
		next = s->bytes ? byte_joints_next(t, p->p, at, end) : char_joints_next(t, p->p, at, end);
		queue(t, s, p, at, next, next - at != end - start, NULL, out);
	}
}
