/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a GGUF file: refused, or every tensor and array it states lies inside them. */
#include <stdint.h>
#include <stdlib.h>

#include "gguf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = {0};
	struct gguf *g;
	const int32_t *v;
	const float *f;
	const char *s;
	size_t n, m;

	if (gguf_bytes(&g, data, size, &e) != 0)
		return 0;
	for (size_t i = 0; i < gguf_count(g); i++) {
		const struct tensor *t = gguf_at(g, i);
		const uint8_t *p = t->data;

		if (p < data || t->bytes > size || p > data + size - t->bytes)
			abort();
	}
	if (gguf_strs(g, "tokenizer.ggml.tokens", &n, &e) == 0 && n > 0)
		gguf_strs_at(g, "tokenizer.ggml.tokens", n - 1, &s, &m);
	(void)gguf_ints(g, "tokenizer.ggml.token_type", &v, &n, &e);
	(void)gguf_f32s(g, "tokenizer.ggml.scores", &f, &n, &e);
	gguf_close(g);
	return 0;
}
