/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TOKUSE_H
#define SFT_TOKUSE_H
/* A tokenizer that opened, whatever its file was: it encodes a text of N bytes, 30 or more, with and without a chat's spans, and decodes. */
#include "tok.h"

static void tok_use(const struct tok *t, const char *text, size_t n)
{
	struct tok_scratch *s = tok_scratch_new(t);
	struct tok_span span[] = { { 0, 10, false }, { 10, 30, true }, { 30, n, false } };
	struct tok_ids ids = {0};
	struct buf b = {0};

	for (unsigned flags = 0; flags < 8; flags++)
		tok_encode(t, s, text, n, flags, &ids, NULL);
	tok_encode_chat(t, s, text, n, span, 3, &ids, NULL);
	tok_decode(t, ids.id, ids.n, 0, &b, NULL);
	tok_decode(t, ids.id, ids.n, TOK_SKIP_SPECIAL, &b, NULL);
	buf_free(&b);
	tok_ids_free(&ids);
	tok_scratch_free(s);
}

#endif
