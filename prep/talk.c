/* SPDX-License-Identifier: Apache-2.0 */
/* Conversations as JSON in an arena. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "opt.h"
#include "talk.h"

int fault_set(struct fault *f, const char *reason, const char *fmt, ...)
{
	char msg[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	f->reason = reason;
	return err_set(f->e, SFT_BADDATA, "%s", msg);
}

int fault_no_column(struct fault *f, const struct json *obj, const char *column)
{
	const char **keys = mem_grow(NULL, obj->n + 1, sizeof *keys), *near;
	int rc;

	for (size_t i = 0; i < obj->n; i++)
		keys[i] = obj->member[i].key;
	near = opt_nearest(column, keys, obj->n);
	if (near)
		rc = fault_set(f, "missing column", "no column '%.100s' (did you mean '%.100s'?)", column, near);
	else
		rc = fault_set(f, "missing column", "no column '%.100s'", column);
	mem_free(keys);
	return rc;
}

struct json jtext(const char *s, size_t n)
{
	return (struct json){ .type = JSON_STR, .s = s, .n = n };
}

struct json jobject(struct arena *a, const struct json_member *m, size_t n)
{
	struct json_member *copy = arena_get(a, n * sizeof *copy + 1);

	if (n)
		memcpy(copy, m, n * sizeof *copy);
	return (struct json){ .type = JSON_OBJ, .n = n, .member = copy };
}

struct json jarray(struct arena *a, const struct json *v, size_t n)
{
	struct json *copy = arena_get(a, n * sizeof *copy + 1);

	if (n)
		memcpy(copy, v, n * sizeof *copy);
	return (struct json){ .type = JSON_ARR, .n = n, .item = copy };
}

struct json jwith(struct arena *a, const struct json *obj, const char *key, struct json value)
{
	struct json_member *m = arena_get(a, (obj->n + 1) * sizeof *m);
	size_t n = obj->n, i = 0;

	if (n)
		memcpy(m, obj->member, n * sizeof *m);
	while (i < n && strcmp(m[i].key, key) != 0)
		i++;
	if (i == n)
		n++;
	m[i] = (struct json_member){ key, strlen(key), value };
	return (struct json){ .type = JSON_OBJ, .n = n, .member = m };
}

void talk_put(struct talk *t, struct arena *a, struct json message)
{
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 8;
		struct json *m = arena_get(a, cap * sizeof *m);
		if (t->n)
			memcpy(m, t->m, t->n * sizeof *m);
		t->m = m;
		t->cap = cap;
	}
	t->m[t->n++] = message;
}

void talk_first(struct talk *t, struct arena *a, struct json message)
{
	talk_put(t, a, message);
	memmove(t->m + 1, t->m, (t->n - 1) * sizeof *t->m);
	t->m[0] = message;
}

void talk_add(struct talk *t, struct arena *a, const char *role, struct json content)
{
	const struct json_member m[] = { JMEMBER("role", jtext(role, strlen(role))), JMEMBER("content", content) };

	talk_put(t, a, jobject(a, m, 2));
}

size_t talk_find(const struct talk *t, const char *role)
{
	size_t i = 0;

	while (i < t->n && !json_is(json_get(&t->m[i], "role"), role))
		i++;
	return i;
}

const struct json *talk_text(const struct talk *t, size_t i)
{
	const struct json *c = i < t->n ? json_get(&t->m[i], "content") : NULL;

	return c != NULL && c->type == JSON_STR ? c : NULL;
}
