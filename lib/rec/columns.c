/* SPDX-License-Identifier: Apache-2.0 */
/* Columns by name; fields as JSON. */
#include <string.h>

#include "rec.h"

int rec_column(const struct names *names, const char *name)
{
	size_t n = strlen(name);

	for (uint32_t i = 0; names && i < names->n; i++)
		if (names->len[i] == n && memcmp(names->name[i], name, n) == 0)
			return (int)i;
	return -1;
}

int rec_need(const struct names *names, const char *name, uint32_t *at, struct err *e)
{
	int i = rec_column(names, name);
	const char *near;

	if (i >= 0) {
		*at = (uint32_t)i;
		return 0;
	}
	near = names ? opt_nearest(name, names->name, names->n) : NULL;
	if (near)
		return err_set(e, SFT_BADDATA, "no column '%.100s' (did you mean '%.100s'?)", name, near);
	if (names && names->n)
		return err_set(e, SFT_BADDATA, "no column '%.100s' (the first is '%.100s')", name, names->name[0]);
	return err_set(e, SFT_BADDATA, "no column '%.100s'", name);
}

/* Cut the next name off *LIST, \, and \\ unescaped, into the arena. */
static char *next_name(const char **list, struct arena *a)
{
	const char *s = *list;
	char *name = arena_get(a, strlen(s) + 1), *to = name;

	for (; *s && *s != ','; s++) {
		if (*s == '\\' && (s[1] == ',' || s[1] == '\\'))
			s++;
		*to++ = *s;
	}
	*to = '\0';
	*list = *s ? s + 1 : NULL;
	return name;
}

int rec_need_list(const struct names *names, const char *list, uint32_t **at, size_t *n, struct arena *a, struct err *e)
{
	size_t max = 1;
	int rc;

	*n = 0;
	if (strcmp(list, "all") == 0 && rec_column(names, "all") < 0) {
		*at = arena_get(a, (names->n + 1) * sizeof **at);
		for (uint32_t i = 0; i < names->n; i++)
			(*at)[(*n)++] = i;
		return 0;
	}
	for (const char *s = list; *s; s++)
		max += *s == ',';
	*at = arena_get(a, max * sizeof **at);
	while (list) {
		char *name = next_name(&list, a);

		if ((rc = rec_need(names, name, *at + *n, e)) != 0)
			return rc;
		++*n;
	}
	return 0;
}

int field_json(const struct field *f, struct json_parser *p, struct arena *a, const struct json **out, struct err *e)
{
	struct json *v;
	struct buf raw = {0};

	if (f->type == FIELD_JSON)
		return json_parse(p, a, f->p, f->n, out, e);
	v = arena_get(a, sizeof *v);
	*v = (struct json){ .type = JSON_STR, .n = f->n };
	v->s = arena_str(a, f->p, f->n);
	json_quote(&raw, f->p, f->n);
	v->nraw = raw.n;
	v->raw = arena_str(a, raw.p, raw.n);
	buf_free(&raw);
	*out = v;
	return 0;
}
