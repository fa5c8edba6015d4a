/* SPDX-License-Identifier: Apache-2.0 */
/* tokenizer.json, and vocabularies in GGUF files: any bytes open or are refused; what opened encodes and decodes. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "outfile.h"
#include "tokuse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char text[] = "Hello, <unk> w\xC3\xB6rld's 123  e\xCC\x81\xF0\x9F\x91\x8D\n\xE4\xBD\xA0\xE5\xA5\xBD  [MASK] aaaaaaaaaaaaaaaa";
	char path[64];
	struct tok *t;

	snprintf(path, sizeof path, "/tmp/fuzz-%ld.tokenizer.json", (long)getpid());
	if (out_whole(path, data, size, false, NULL) == 0 && tok_open(&t, path, NULL) == 0) {
		tok_use(t, text, sizeof text - 1);
		tok_close(t);
	}
	unlink(path);
	return 0;
}
