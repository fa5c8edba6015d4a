/* SPDX-License-Identifier: Apache-2.0 */
/* tokenizer.json, and vocabularies in GGUF files: any bytes open or are refused; what opened encodes and decodes. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "outfile.h"
#include "tok.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct tok *t)
{
	static const char text[] = "Hello, <unk> w\xC3\xB6rld's 123  e\xCC\x81\xF0\x9F\x91\x8D\n\xE4\xBD\xA0\xE5\xA5\xBD  [MASK] aaaaaaaaaaaaaaaa";
	struct tok_scratch *s = tok_scratch_new(t);
	struct tok_span span[] = { { 0, 10, false }, { 10, 30, true }, { 30, sizeof text - 1, false } };
	struct tok_ids ids = {0};
	struct buf b = {0};

	for (unsigned flags = 0; flags < 8; flags++)
		tok_encode(t, s, text, sizeof text - 1, flags, &ids, NULL);
	tok_encode_chat(t, s, text, sizeof text - 1, span, 3, &ids, NULL);
	tok_decode(t, ids.id, ids.n, 0, &b, NULL);
	tok_decode(t, ids.id, ids.n, TOK_SKIP_SPECIAL, &b, NULL);
	buf_free(&b);
	tok_ids_free(&ids);
	tok_scratch_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	struct tok *t;

	snprintf(path, sizeof path, "/tmp/fuzz-%ld.tokenizer.json", (long)getpid());
	if (out_whole(path, data, size, false, NULL) == 0 && tok_open(&t, path, NULL) == 0) {
		use(t);
		tok_close(t);
	}
	unlink(path);
	return 0;
}
