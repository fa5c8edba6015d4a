/* SPDX-License-Identifier: Apache-2.0 */
#include "spmproto.h"

#include <string.h>

/* --- reading --- */

struct field {
	uint64_t number, value;        /* value: of a varint */
	const uint8_t *p;              /* of a string or message */
	size_t n;
};

static bool varint(const uint8_t **p, const uint8_t *end, uint64_t *v)
{
	*v = 0;
	for (int shift = 0; *p < end && shift < 64; shift += 7) {
		uint8_t c = *(*p)++;

		*v |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80)
			return true;
	}
	return false;
}

/* The next field of a message; false at its end, or where it is broken (*BAD). */
static bool next(const uint8_t **p, const uint8_t *end, struct field *f, bool *bad)
{
	uint64_t tag, skip = 0;

	*f = (struct field){0};
	if (*p == end)
		return false;
	*bad = true;
	if (!varint(p, end, &tag))
		return false;
	f->number = tag >> 3;
	switch (tag & 7) {
	case 0:
		*bad = !varint(p, end, &f->value);
		return !*bad;
	case 1:
		skip = 8;
		break;
	case 2:
		if (!varint(p, end, &skip))
			return false;
		break;
	case 5:
		skip = 4;
		break;
	default:
		return false;
	}
	if (skip > (uint64_t)(end - *p))
		return false;
	f->p = *p;
	f->n = (size_t)skip;
	*p += skip;
	*bad = false;
	return true;
}

enum { PIECES = 1, TRAINER, NORMALIZER };              /* of the model */
enum { PIECE_TYPE = 3, USER_DEFINED = 4 };
enum { MODEL_TYPE = 3, BPE = 2, WS_SUFFIX = 24, BYTE_FALLBACK = 35, UNK_ID = 40, BOS_ID, EOS_ID, PAD_ID };
enum { CHARSMAP = 2, DUMMY_PREFIX, EXTRA_BLANKS, ESCAPE };

static void inner(struct spm_facts *f, const struct field *of, bool *bad)
{
	const uint8_t *p = of->p, *end = p + of->n;
	struct field x;

	while (next(&p, end, &x, bad)) {
		if (of->number == PIECES && x.number == PIECE_TYPE)
			f->user |= x.value == USER_DEFINED;
		else if (of->number == TRAINER && x.number == MODEL_TYPE)
			f->bpe = x.value == BPE;
		else if (of->number == TRAINER && x.number == WS_SUFFIX)
			f->suffix = x.value;
		else if (of->number == TRAINER && x.number == BYTE_FALLBACK)
			f->byte_fallback = x.value;
		else if (of->number == NORMALIZER && x.number == CHARSMAP)
			f->charsmap = x.n > 0;
		else if (of->number == NORMALIZER && x.number == DUMMY_PREFIX)
			f->prefix = x.value;
		else if (of->number == NORMALIZER && x.number == EXTRA_BLANKS)
			f->strips = x.value;
	}
}

int spm_facts(const struct spm *s, struct spm_facts *f, struct err *e)
{
	struct buf b = {0};
	const uint8_t *p, *end;
	struct field x;
	bool bad = false;
	int rc = spm_bytes(s, &b, e);

	*f = (struct spm_facts){ .prefix = true, .strips = true };      /* what it means where the file says nothing */
	p = (const uint8_t *)b.p;
	end = p + b.n;
	while (rc == 0 && !bad && next(&p, end, &x, &bad))
		if (x.p)
			inner(f, &x, &bad);
	buf_free(&b);
	return rc == 0 && bad ? err_set(e, SFT_BADDATA, "a broken SentencePiece model") : rc;
}

/* --- writing --- */

static void put_varint(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_ch(b, (char)(v | 0x80));
	buf_ch(b, (char)v);
}

static void put_number(struct buf *b, unsigned field, int64_t v)
{
	put_varint(b, field << 3);
	put_varint(b, (uint64_t)v);
}

static void put_bytes(struct buf *b, unsigned field, const void *p, size_t n)
{
	put_varint(b, field << 3 | 2);
	put_varint(b, n);
	buf_add(b, p, n);
}

void spm_put(struct buf *b, const char *text, size_t n, float score, int kind)
{
	struct buf one = {0};

	put_bytes(&one, 1, text, n);
	put_varint(&one, 2 << 3 | 5);
	buf_add(&one, &score, sizeof score);
	put_number(&one, PIECE_TYPE, kind);
	put_bytes(b, PIECES, one.p, one.n);
	buf_free(&one);
}

void spm_put_end(struct buf *b, bool prefix, int32_t unk, int32_t bos, int32_t eos, int32_t pad)
{
	struct buf one = {0};

	put_number(&one, MODEL_TYPE, BPE);
	put_number(&one, BYTE_FALLBACK, 1);
	put_number(&one, UNK_ID, unk);
	put_number(&one, BOS_ID, bos);
	put_number(&one, EOS_ID, eos);
	put_number(&one, PAD_ID, pad);
	put_bytes(b, TRAINER, one.p, one.n);
	one.n = 0;
	put_bytes(&one, 1, "identity", 8);
	put_number(&one, DUMMY_PREFIX, prefix);
	put_number(&one, EXTRA_BLANKS, 0);
	put_number(&one, ESCAPE, 1);
	put_bytes(b, NORMALIZER, one.p, one.n);
	buf_free(&one);
}
