/* SPDX-License-Identifier: Apache-2.0 */
#include "chattexts.h"

#include <string.h>

void chattexts_release(struct chattexts *c)
{
	json_parser_free(c->parser);
	mem_free(c->text);
	mem_free(c->was);
	buf_free(&c->out);
	*c = (struct chattexts){0};
}

static bool is_list(const struct field *f)
{
	const char *p = f->p + 1, *end = f->p + f->n;

	if (f->type != FIELD_JSON || f->n < 4 || *f->p != '[')
		return false;
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
		p++;
	return p < end && *p == '{';
}

static void add(struct chattexts *c, const struct json *content)
{
	ARRAY_ROOM(c->text, c->n, c->cap);
	ARRAY_ROOM(c->was, c->n, c->cap_was);
	c->text[c->n] = (struct field){ content->s, content->n, FIELD_TEXT };
	c->was[c->n++] = content;
}

bool chattexts_get(struct chattexts *c, const struct field *f, const char *role, struct arena *a)
{
	const struct json *list;
	struct err e;

	c->n = 0;
	if (!is_list(f))
		return false;
	if (c->parser == NULL)
		c->parser = json_parser_new();
	if (json_parse(c->parser, a, f->p, f->n, &list, &e) != 0)
		return false;
	for (size_t i = 0; i < list->n; i++) {
		const struct json *m = &list->item[i], *content = json_get(m, "content");

		if (content && content->type == JSON_STR && (role == NULL || json_is(json_get(m, "role"), role)))
			add(c, content);
	}
	return true;
}

void chattexts_put(struct chattexts *c, struct field *f, struct arena *a)
{
	const char *from = f->p;

	c->out.n = 0;
	for (size_t i = 0; i < c->n; i++) {
		const struct json *was = c->was[i];

		if (c->text[i].p == was->s && c->text[i].n == was->n)
			continue;
		buf_add(&c->out, from, (size_t)(was->raw - from));
		json_quote(&c->out, c->text[i].p, c->text[i].n);
		from = was->raw + was->nraw;
	}
	buf_add(&c->out, from, (size_t)(f->p + f->n - from));
	f->p = arena_str(a, c->out.p, c->out.n);
	f->n = c->out.n;
}
