/* SPDX-License-Identifier: Apache-2.0 */
#include "flatyaml.h"

#include <string.h>

#include "yamltree.h"

/* The pairs of KEY: a scalar, or a list of them. */
static int flatten(const char *name, const char *key, const struct yaml *v, struct yaml_pair *pair, size_t *n, struct err *e)
{
	if (v->kind == YAML_MAP)
		return err_set(e, SFT_BADDATA, "%s:%zu: nested mapping (expected a flat list of options)", name, v->line);
	if (v->kind == YAML_TEXT) {
		pair[(*n)++] = (struct yaml_pair){ key, v->text, v->line };
		return 0;
	}
	for (size_t i = 0; i < v->n; i++) {
		int rc = v->item[i].kind == YAML_LIST
			       ? err_set(e, SFT_BADDATA, "%s:%zu: a list where none is expected", name, v->item[i].line)
			       : flatten(name, key, &v->item[i], pair, n, e);

		if (rc)
			return rc;
	}
	return 0;
}

static int pairs_of(struct arena *a, const char *name, const struct yaml *doc, struct yaml_pair **out, size_t *count, struct err *e)
{
	size_t room = 1;
	int rc = 0;

	*out = NULL;
	*count = 0;
	if (doc->kind == YAML_NONE)
		return 0;
	if (doc->kind == YAML_LIST)
		return err_set(e, SFT_BADDATA, "%s:%zu: a list where none is expected", name, doc->line);
	if (doc->kind == YAML_TEXT)
		return err_set(e, SFT_BADDATA, "%s:%zu: not a mapping (expected lines 'option: value')", name, doc->line);
	for (size_t i = 0; i < doc->n; i++)
		room += doc->item[i].n + 1;
	*out = arena_get(a, room * sizeof **out);
	for (size_t i = 0; i < doc->n && rc == 0; i++)
		rc = flatten(name, doc->key[i], &doc->item[i], *out, count, e);
	return rc;
}

int yaml_pairs_text(struct arena *a, const char *name, const char *text, size_t n, struct yaml_pair **out, size_t *count, struct err *e)
{
	struct yaml doc;
	int rc = yaml_parse(a, name, text, n, &doc, e);

	return rc ? rc : pairs_of(a, name, &doc, out, count, e);
}

int yaml_pairs(struct arena *a, const char *path, struct yaml_pair **out, size_t *count, struct err *e)
{
	struct yaml doc;
	int rc = yaml_file(a, path, &doc, e);

	return rc ? rc : pairs_of(a, path, &doc, out, count, e);
}
