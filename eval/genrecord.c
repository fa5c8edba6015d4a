/* SPDX-License-Identifier: Apache-2.0 */
#include "genrecord.h"

#include <string.h>

int genrecord_json(const struct rec *r, struct json_parser *p, struct arena *a, const struct json **out, struct err *e)
{
	uint32_t n = r->names->n;
	struct json_member *m = arena_get(a, (n ? n : 1) * sizeof *m);
	struct json *obj = arena_get(a, sizeof *obj);
	const struct json *v;
	int rc;

	for (uint32_t i = 0; i < n; i++) {
		if ((rc = field_json(&r->f[i], p, a, &v, e)) != 0)
			return err_in(e, "%s", r->names->name[i]);
		m[i] = (struct json_member){ .key = r->names->name[i], .nkey = r->names->len[i], .value = *v };
	}
	*obj = (struct json){ .type = JSON_OBJ, .n = n, .member = m };
	*out = obj;
	return 0;
}

static const struct json null_value = { .type = JSON_NULL, .raw = "null", .nraw = 4 };

static const struct json *content_of(const struct json *message)
{
	const struct json *c = json_get(message, "content");

	return c ? c : &null_value;
}

/* The contents of messages FROM..: the one, or a list of all. */
static const struct json *contents(const struct json *messages, size_t from, struct arena *a)
{
	size_t n = messages->n - from;
	struct json *list, *out;

	if (n == 0)
		return NULL;
	if (n == 1)
		return content_of(&messages->item[from]);
	list = arena_get(a, n * sizeof *list);
	out = arena_get(a, sizeof *out);
	for (size_t i = 0; i < n; i++)
		list[i] = *content_of(&messages->item[from + i]);
	*out = (struct json){ .type = JSON_ARR, .n = n, .item = list };
	return out;
}

int genrecord_question(const struct json *record, struct arena *a, const struct json **question, const struct json **reference, struct err *e)
{
	const struct json *messages = json_get(record, "messages");
	struct json_member *m = arena_get(a, (record->n + 1) * sizeof *m);
	struct json *out = arena_get(a, sizeof *out);
	size_t n;

	if (messages == NULL || messages->type != JSON_ARR)
		return err_set(e, SFT_BADDATA, "no messages (expected a chat record: a list under \"messages\")");
	for (n = messages->n; n > 0 && json_is(json_get(&messages->item[n - 1], "role"), "assistant"); n--)
		;
	if (n == 0)
		return err_set(e, SFT_BADDATA, "no message to answer (expected one that is not the assistant's)");
	*reference = contents(messages, n, a);
	memcpy(m, record->member, record->n * sizeof *m);
	for (size_t i = 0; i < record->n; i++)
		if (&record->member[i].value == messages)
			m[i].value = (struct json){ .type = JSON_ARR, .n = n, .item = messages->item };
	*out = (struct json){ .type = JSON_OBJ, .n = record->n, .member = m };
	*question = out;
	return 0;
}

/* --- records out --- */

static int field_named(const struct genfield *field, uint32_t n, const char *name)
{
	for (uint32_t i = 0; i < n; i++)
		if (field[i].name && strcmp(field[i].name, name) == 0)
			return (int)i;
	return -1;
}

static struct genout_names *add_set(struct genout *g, const struct names *from, uint32_t added, const struct genfield *field, uint32_t n)
{
	struct genout_names *s;
	uint32_t k = from->n;

	ARRAY_ROOM(g->set, g->n, g->cap);
	s = g->set[g->n++] = mem_new(sizeof *s);
	*s = (struct genout_names){ .from = from, .added = added };
	s->names.name = mem_grow(NULL, from->n + n, sizeof *s->names.name);
	s->names.len = mem_grow(NULL, from->n + n, sizeof *s->names.len);
	s->source = mem_grow(NULL, from->n + n, sizeof *s->source);
	for (uint32_t i = 0; i < from->n; i++) {
		int at = field_named(field, n, from->name[i]);

		s->names.name[i] = mem_strn(from->name[i], from->len[i]);
		s->names.len[i] = from->len[i];
		s->source[i] = at < 0 ? i : from->n + (uint32_t)at;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (field[i].name == NULL || rec_column(from, field[i].name) >= 0)
			continue;
		s->names.name[k] = mem_str(field[i].name);
		s->names.len[k] = (uint32_t)strlen(field[i].name);
		s->source[k++] = from->n + i;
	}
	s->names.n = k;
	return s;
}

void genout_record(struct genout *g, const struct rec *r, const struct genfield *field, uint32_t n, struct arena *a, struct rec *out)
{
	struct genout_names *s = NULL;
	uint32_t added = 0;

	for (uint32_t i = 0; i < n; i++)
		added |= field[i].name ? 1u << i : 0;
	for (size_t i = 0; i < g->n && !s; i++)
		if (g->set[i]->from == r->names && g->set[i]->added == added)
			s = g->set[i];
	if (s == NULL)
		s = add_set(g, r->names, added, field, n);
	*out = *r;
	out->names = &s->names;
	out->f = arena_get(a, s->names.n * sizeof *out->f);
	for (uint32_t i = 0; i < s->names.n; i++)
		out->f[i] = s->source[i] < r->names->n ? r->f[s->source[i]] : field[s->source[i] - r->names->n].value;
}

void genout_free(struct genout *g)
{
	for (size_t k = 0; k < g->n; k++) {
		for (uint32_t i = 0; i < g->set[k]->names.n; i++)
			mem_free((void *)g->set[k]->names.name[i]);
		mem_free(g->set[k]->names.name);
		mem_free(g->set[k]->names.len);
		mem_free(g->set[k]->source);
		mem_free(g->set[k]);
	}
	mem_free(g->set);
}
