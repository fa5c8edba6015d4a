/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a recipe: what comes is a tree of UTF-8 with keys that differ, or an error; flat ones give their pairs. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "flatyaml.h"
#include "utf8.h"
#include "yamltree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t look(const struct yaml *v, unsigned depth)
{
	size_t texts = v->kind == YAML_TEXT;

	if (depth > YAML_DEPTH || v->kind == YAML_NONE || v->line == 0)
		abort();
	if (v->kind == YAML_TEXT && !utf8_valid(v->text, strlen(v->text), NULL))
		abort();
	for (size_t i = 0; i < v->n; i++) {
		if ((v->kind == YAML_MAP) != (v->key[i] != NULL) || (v->key[i] && yaml_get(v, v->key[i]) != &v->item[i]))
			abort();
		texts += look(&v->item[i], depth + 1);
	}
	return texts;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct yaml_pair *pair;
	struct arena a;
	struct yaml doc;
	struct err e = {0};
	size_t n, texts;

	arena_init(&a);
	if (yaml_parse(&a, "recipe", text, size, &doc, &e) == 0) {
		texts = doc.kind == YAML_NONE ? 0 : look(&doc, 0);
		if (yaml_pairs_text(&a, "recipe", text, size, &pair, &n, &e) == 0 && n != texts)
			abort();
	} else if (e.msg[0] == '\0' || yaml_pairs_text(&a, "recipe", text, size, &pair, &n, &e) == 0) {
		abort();
	}
	arena_release(&a);
	return 0;
}
