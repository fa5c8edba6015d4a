/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as JSON: refused with a place inside them, or a tree that the writer turns into JSON of the same tree. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct json *v, const char *text, size_t n)
{
	if (v->raw < text || v->nraw == 0 || v->nraw > n || v->raw > text + n - v->nraw)
		abort();
	for (size_t i = 0; v->type == JSON_ARR && i < v->n; i++)
		check(v->item + i, text, n);
	for (size_t i = 0; v->type == JSON_OBJ && i < v->n; i++)
		check(&v->member[i].value, text, n);
	if (v->type == JSON_STR && (!json_utf8(v->s, v->n) || v->s[v->n] != '\0'))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_parser *p = json_parser_new();
	struct arena a = {0};
	struct err e = {0};
	struct buf once = {0}, twice = {0};
	const struct json *v;
	struct jw w;

	if (json_parse(p, &a, (const char *)data, size, &v, &e) != 0) {
		size_t at = strtoul(e.msg + 5, NULL, 10);

		if (strncmp(e.msg, "byte ", 5) != 0 || at > size)
			abort();
	} else {
		check(v, (const char *)data, size);
		jw_init(&w, &once);
		jw_value(&w, v);
		if (json_parse(p, &a, once.p, once.n, &v, &e) != 0)
			abort();
		jw_init(&w, &twice);
		jw_value(&w, v);
		if (once.n != twice.n || memcmp(once.p, twice.p, once.n) != 0)
			abort();
	}
	buf_free(&once);
	buf_free(&twice);
	arena_release(&a);
	json_parser_free(p);
	return 0;
}
