/* SPDX-License-Identifier: Apache-2.0 */
/* SentencePiece's precompiled normalisation, as the reference reads it: a double-array trie (Darts) from text to places in a
 * blob of replacements, each ended by NUL. */
#include <string.h>

#include "charsmap.h"

struct charsmap {
	uint8_t *blob;
	size_t ntrie, ntext;        /* units of the trie; bytes of the replacements after it */
};

static int value64(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Bytes of BASE64 into OUT (room for 3/4 of it); their number, or -1. */
static int64_t decode64(const char *base64, size_t n, uint8_t *out)
{
	uint32_t bits = 0;
	int64_t made = 0;

	while (n > 0 && base64[n - 1] == '=')
		n--;
	for (size_t i = 0; i < n; i++) {
		int v = value64(base64[i]);

		if (v < 0)
			return -1;
		bits = bits << 6 | (uint32_t)v;
		if (i % 4)
			out[made++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
	}
	return made;
}

static uint32_t unit(const struct charsmap *m, size_t i)
{
	uint32_t u;

	memcpy(&u, m->blob + 4 + 4 * i, 4);
	return u;
}

int charsmap_new(struct charsmap **out, const char *base64, size_t n, struct err *e)
{
	struct charsmap *m = mem_new(sizeof *m);
	int64_t size;
	uint32_t ntrie;

	*out = m;
	m->blob = mem_new(n + 8);
	size = decode64(base64, n, m->blob);
	if (size >= 4)
		memcpy(&ntrie, m->blob, 4);
	if (size < 4 || ntrie > (uint64_t)size - 4 || ntrie % 4 || ntrie == 0) {
		charsmap_free(m);
		*out = NULL;
		return err_set(e, SFT_BADDATA, "precompiled_charsmap is damaged (expected base64 of a trie and its texts)");
	}
	m->ntrie = ntrie / 4;
	m->ntext = (size_t)size - 4 - ntrie;
	return 0;
}

void charsmap_free(struct charsmap *m)
{
	if (m)
		mem_free(m->blob);
	mem_free(m);
}

static size_t offset_of(uint32_t u)
{
	return (size_t)(u >> 10) << ((u & (1u << 9)) >> 6);
}

const char *charsmap_find(const struct charsmap *m, const char *text, size_t n, size_t *nout)
{
	size_t node = offset_of(unit(m, 0));

	for (size_t i = 0; i < n && text[i]; i++) {
		uint32_t u;

		node ^= (uint8_t)text[i];
		if (node >= m->ntrie)
			return NULL;
		u = unit(m, node);
		if ((u & (1u << 31 | 0xff)) != (uint8_t)text[i])
			return NULL;
		node ^= offset_of(u);
		if (u >> 8 & 1) {          /* the shortest prefix that has a replacement */
			const char *texts = (const char *)m->blob + 4 + 4 * m->ntrie;
			size_t at;

			if (node >= m->ntrie)
				return NULL;
			at = unit(m, node) & 0x7fffffffu;
			if (at > m->ntext)
				return NULL;
			*nout = strnlen(texts + at, m->ntext - at);
			return texts + at;
		}
	}
	return NULL;
}
