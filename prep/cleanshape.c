/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that change which columns there are, their order and their names. */
#include <string.h>

#include "clean.h"

static enum verdict select_columns(const struct step *s, const struct bound *b, struct work *w, struct rec *r)
{
	struct field *f = arena_get(w->arena, b->n * sizeof *f + 1);
	size_t n = 0;

	(void)s;
	for (size_t i = 0; i < b->n; i++)
		if (b->col[i] != NO_COLUMN)
			f[n++] = r->f[b->col[i]];
	r->f = f;
	return CLEAN_CHANGED;
}

static int select_bind(struct clean *c, const struct step *s, const struct names *in, struct bound *b, struct err *e)
{
	const char **list = mem_grow(NULL, b->n + 1, sizeof *list);
	size_t n = 0;
	int rc;

	(void)s;
	for (size_t i = 0; i < b->n; i++)
		if (b->col[i] != NO_COLUMN)
			list[n++] = in->name[b->col[i]];
	rc = clean_names(c, list, n, &b->after, e);
	mem_free(list);
	return rc;
}

/* "A=B,C=D": the columns are A and C, the new names B and D. */
static int rename_parse(struct clean *c, struct step *s, const char *value, struct err *e)
{
	struct wordlist pairs = {0};
	int rc = 0;

	wordlist_split(&pairs, value, &c->arena);
	for (size_t i = 0; i < pairs.n && rc == 0; i++) {
		const char *eq = strchr(pairs.v[i], '=');

		if (eq == NULL || eq == pairs.v[i] || eq[1] == '\0') {
			rc = err_set(e, SFT_USAGE, "'%s' (expected OLD=NEW)", pairs.v[i]);
			break;
		}
		wordlist_add(&s->columns, arena_str(&c->arena, pairs.v[i], (size_t)(eq - pairs.v[i])));
		wordlist_add(&s->renamed, eq + 1);
	}
	mem_free(pairs.v);
	mem_free(s->seen);
	s->seen = mem_new(s->columns.n + 1);
	return rc;
}

static int rename_bind(struct clean *c, const struct step *s, const struct names *in, struct bound *b, struct err *e)
{
	const char **list = mem_grow(NULL, in->n + 1, sizeof *list);
	int rc;

	if (in->n)
		memcpy(list, in->name, in->n * sizeof *list);
	for (size_t i = 0; i < b->n; i++)
		if (b->col[i] != NO_COLUMN)
			list[b->col[i]] = s->renamed.v[i];
	rc = clean_names(c, list, in->n, &b->after, e);
	mem_free(list);
	return rc;
}

static enum verdict rename_columns(const struct step *s, const struct bound *b, struct work *w, struct rec *r)
{
	(void)s;
	(void)w;
	(void)b;
	(void)r;                        /* clean_apply() sets the names behind each step */
	return CLEAN_CHANGED;
}

const struct step_kind clean_shape_kinds[] = {
	{ .name = "select", .arg = "COL,...", .help = "these columns alone, in this order", .columns = COLUMNS_VALUE,
	  .whole = true, .bind = select_bind, .apply = select_columns },
	{ .name = "rename", .arg = "OLD=NEW,...", .help = "new names for columns", .columns = COLUMNS_NONE,
	  .whole = true, .parse = rename_parse, .bind = rename_bind, .apply = rename_columns },
	{ .name = NULL }
};
