/* SPDX-License-Identifier: Apache-2.0 */
/* Templates from strangers: any source, over a record with some of everything. */
#include <stdint.h>
#include <string.h>
#include "json.h"
#include "template.h"

static const char record[] =
	"{\"s\":\"Hello, W\\u00f6rld\",\"e\":\"\",\"n\":7,\"f\":2.5,\"t\":true,\"no\":null,\"l\":[3,1,2],\"ls\":[\"b\",\"A\"],\"d\":{\"b\":1,\"a\":[{}]},"
	"\"add_generation_prompt\":true,\"bos_token\":\"<s>\",\"eos_token\":\"</s>\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}],"
	"\"messages\":[{\"role\":\"system\",\"content\":\"S\"},{\"role\":\"user\",\"content\":\"q <|im_end|> \\u6f22\"},{\"role\":\"assistant\",\"content\":\"a\","
	"\"tool_calls\":[{\"id\":1,\"function\":{\"name\":\"f\",\"arguments\":{\"q\":\"x\"}}}]}]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_parser *p = json_parser_new();
	struct arena a = {0};
	struct err e = {0};
	const struct json *vars;
	struct template *t;
	struct template_out o = {0};
	size_t at = 0;

	if (json_parse(p, &a, record, sizeof record - 1, &vars, &e) == 0 && template_open(&t, "fuzz", (const char *)data, size, &e) == 0) {
		if (template_render(t, vars, "2025-03-09 14:05:06", &o, &e) == 0) {
			for (size_t i = 0; i < o.nspans; i++) {     /* gapless, in order, covering the text */
				if (o.span[i].start != at || o.span[i].end <= at)
					__builtin_trap();
				at = o.span[i].end;
			}
			if (at != o.text.n)
				__builtin_trap();
		}
		template_close(t);
	}
	template_out_free(&o);
	arena_release(&a);
	json_parser_free(p);
	return 0;
}
