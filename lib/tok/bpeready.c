/* SPDX-License-Identifier: Apache-2.0 */
/* The BPE model made ready: the merges' table, symbols of characters and bytes, places where words may be cut. */
#include <stdio.h>
#include <string.h>

#include "tokimpl.h"
#include "utf8.h"

static const uint32_t NO_ID = UINT32_MAX;

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

static void find_lengths(struct tok *t)
{
	for (uint32_t id = 0; id < t->vocab.n; id++)
		t->id_len[id] = t->vocab.text[id] ? t->vocab.len[id] : 0;
	for (int b = 0; b < 256; b++)
		if (t->byte_id[b] >= 0)
			t->id_len[t->byte_id[b]] = 1;
	if (t->unk >= 0)
		t->id_len[t->unk] = 0;
}

bool bpe_raw(const struct tok *t, uint32_t id, char *out, size_t *n)
{
	const char *p = t->vocab.text[id], *end = p + t->vocab.len[id];

	char *to = out;

	while (p < end) {
		uint8_t c = (uint8_t)*p++;

		if (c > 0x20 && c < 0x7f) {
			*to++ = (char)c;
			continue;
		}
		/* The others are characters of two bytes, from U+00A1 to U+0143. */
		if (c < 0xC2 || c > 0xC5 || ((uint8_t)*p & 0xC0) != 0x80 || t->raw_of[(c - 0xC2) << 6 | (*p & 0x3F)] < 0)
			return false;
		*to++ = (char)t->raw_of[(c - 0xC2) << 6 | (*p++ & 0x3F)];
	}
	*n = (size_t)(to - out);
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
			vocab_put(&t->raw_bytes, b.p, n, id);
	}
	buf_free(&b);
}

/* Does the last step hand bytes on to a model of bytes?  All that occur in text have symbols, or nearly all. */
static bool is_byte_level(struct tok *t)
{
	if (t->npre == 0 || t->pre[t->npre - 1].kind != PRE_BYTES || t->nsub_prefix || t->nword_suffix)
		return false;
	for (uint32_t c = 0x80; c < 0x180; c++)
		t->raw_of[c - 0x80] = (int16_t)char_byte(c);
	for (int b = 0; b < 256; b++) {
		char text[4];
		int64_t id = vocab_id(&t->vocab, text, utf8_put(text, byte_char((uint8_t)b)));

		t->byte_sym[b] = id < 0 ? NO_ID : (uint32_t)id;
		t->byte_missing |= id < 0;
	}
	return true;
}

/* Do all steps before the bytes cut at what a scanner or a class of characters finds, and keep it? */
static bool is_nested(const struct tok *t)
{
	for (size_t k = 0; k + 1 < t->npre; k++) {
		const struct pre *p = &t->pre[k];

		if (p->kind != PRE_SPLIT || (p->scan == NULL && p->is == NULL) || p->behavior != SPLIT_ISOLATED || p->invert)
			return false;
	}
	return true;
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
	t->id_len = mem_new((size_t)t->vocab.n * sizeof *t->id_len + 1);
	if (t->bytes) {
		byte_joints_find(t);
		if (t->ignore_merges)
			find_raw(t);
		t->nested = is_nested(t);
		return;
	}
	if (t->nsub_prefix == 0 && t->nword_suffix == 0) {
		find_chars(t);
		find_joints(t);
		find_lengths(t);
	}
}
