/* SPDX-License-Identifier: Apache-2.0 */
#include "yamltree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <yaml.h>

enum { MAX_BYTES = 1 << 20, MAX_KEYS = 4096 };

struct walk {
	struct arena *a;
	const char *name;
	yaml_parser_t parser;
	struct err *e;
};

static int wrong(const struct walk *w, const yaml_event_t *ev, const char *what)
{
	return err_set(w->e, SFT_BADDATA, "%s:%zu: %s", w->name, ev->start_mark.line + 1, what);
}

static int next_event(struct walk *w, yaml_event_t *ev)
{
	const yaml_parser_t *p = &w->parser;

	if (yaml_parser_parse(&w->parser, ev))
		return 0;
	return err_set(w->e, SFT_BADDATA, "%s:%zu: %s", w->name, p->problem_mark.line + 1, p->problem ? p->problem : "not YAML");
}

static bool decorated(const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		return ev->data.scalar.anchor || ev->data.scalar.tag;
	case YAML_MAPPING_START_EVENT:
		return ev->data.mapping_start.anchor || ev->data.mapping_start.tag;
	case YAML_SEQUENCE_START_EVENT:
		return ev->data.sequence_start.anchor || ev->data.sequence_start.tag;
	default:
		return ev->type == YAML_ALIAS_EVENT;
	}
}

static bool is_plain(const yaml_event_t *ev, const char *a, const char *b)
{
	const char *text = (const char *)ev->data.scalar.value;

	return ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && (strcmp(text, a) == 0 || strcmp(text, b) == 0);
}

static int take_scalar(struct walk *w, const yaml_event_t *ev, struct yaml *out)
{
	const char *text = (const char *)ev->data.scalar.value;
	size_t n = ev->data.scalar.length;

	if (memchr(text, '\0', n))
		return wrong(w, ev, "NUL in a scalar");
	out->kind = YAML_TEXT;
	out->text = is_plain(ev, "True", "TRUE") ? "true" : is_plain(ev, "False", "FALSE") ? "false" : arena_str(w->a, text, n);
	return 0;
}

/* A plain nothing: what YAML calls null. */
static bool is_null(const yaml_event_t *ev)
{
	return ev->type == YAML_SCALAR_EVENT && (is_plain(ev, "", "~") || is_plain(ev, "null", "null"));
}

static struct yaml *room(struct walk *w, struct yaml *v)
{
	if (v->n == v->cap) {
		size_t cap = v->cap ? 2 * v->cap : 8;
		struct yaml *item = arena_get(w->a, cap * sizeof *item);
		const char **key = arena_get(w->a, cap * sizeof *key);

		if (v->n) {
			memcpy(item, v->item, v->n * sizeof *item);
			memcpy(key, v->key, v->n * sizeof *key);
		}
		v->item = item;
		v->key = key;
		v->cap = cap;
	}
	v->key[v->n] = NULL;
	return &v->item[v->n++];
}

static int take(struct walk *w, const yaml_event_t *ev, unsigned depth, struct yaml *out);

/* The next event as a value of V, or its end in *END. */
static int take_next(struct walk *w, struct yaml *v, const char *key, unsigned depth, bool *end)
{
	yaml_event_t ev;
	struct yaml *to;
	int rc = next_event(w, &ev);

	if (rc)
		return rc;
	*end = ev.type == YAML_SEQUENCE_END_EVENT || ev.type == YAML_MAPPING_END_EVENT;
	if (!*end && is_null(&ev)) {
		rc = key ? err_set(w->e, SFT_BADDATA, "%s:%zu: '%s' has no value", w->name, ev.start_mark.line + 1, key)
		         : wrong(w, &ev, "an item has no value");
	} else if (!*end) {
		to = room(w, v);
		v->key[v->n - 1] = key;
		rc = take(w, &ev, depth, to);
	}
	yaml_event_delete(&ev);
	return rc;
}

static int take_key(struct walk *w, const struct yaml *v, const char **key, bool *end)
{
	yaml_event_t ev;
	int rc = next_event(w, &ev);

	if (rc)
		return rc;
	*key = NULL;
	*end = ev.type == YAML_MAPPING_END_EVENT;
	if (!*end && decorated(&ev))
		rc = wrong(w, &ev, "anchors and tags have no use in a recipe");
	else if (!*end && ev.type != YAML_SCALAR_EVENT)
		rc = wrong(w, &ev, "a key that is no text");
	else if (!*end && memchr(ev.data.scalar.value, '\0', ev.data.scalar.length))
		rc = wrong(w, &ev, "NUL in a scalar");
	else if (!*end && v->n == MAX_KEYS)
		rc = wrong(w, &ev, "more than 4096 keys of one mapping");
	else if (!*end) {
		*key = arena_str(w->a, (const char *)ev.data.scalar.value, ev.data.scalar.length);
		if (yaml_get(v, *key))
			rc = err_set(w->e, SFT_BADDATA, "%s:%zu: '%s' is given twice", w->name, ev.start_mark.line + 1, *key);
	}
	yaml_event_delete(&ev);
	return rc;
}

static int take_all(struct walk *w, unsigned depth, struct yaml *out)
{
	const char *key = NULL;
	bool end = false;
	int rc = 0;

	while (rc == 0 && !end) {
		if (out->kind == YAML_MAP && ((rc = take_key(w, out, &key, &end)) != 0 || end))
			break;
		rc = take_next(w, out, key, depth, &end);
	}
	return rc;
}

static int take(struct walk *w, const yaml_event_t *ev, unsigned depth, struct yaml *out)
{
	*out = (struct yaml){ .line = ev->start_mark.line + 1 };
	if (decorated(ev))
		return wrong(w, ev, "anchors and tags have no use in a recipe");
	if (ev->type == YAML_SCALAR_EVENT)
		return take_scalar(w, ev, out);
	if (depth == YAML_DEPTH)
		return wrong(w, ev, "too many levels (expected at most 16)");
	out->kind = ev->type == YAML_MAPPING_START_EVENT ? YAML_MAP : YAML_LIST;
	return take_all(w, depth + 1, out);
}

static int walk(struct walk *w, struct yaml *out)
{
	bool taken = false, end = false;
	int rc = 0;

	while (rc == 0 && !end) {
		yaml_event_t ev;

		if ((rc = next_event(w, &ev)) != 0)
			return rc;
		end = ev.type == YAML_STREAM_END_EVENT;
		if (ev.type == YAML_DOCUMENT_START_EVENT && taken)
			rc = wrong(w, &ev, "a second document (expected one)");
		else if (ev.type == YAML_SCALAR_EVENT || ev.type == YAML_SEQUENCE_START_EVENT || ev.type == YAML_MAPPING_START_EVENT ||
		         ev.type == YAML_ALIAS_EVENT) {
			rc = take(w, &ev, 0, out);
			taken = true;
		}
		yaml_event_delete(&ev);
	}
	return rc;
}

int yaml_parse(struct arena *a, const char *name, const char *text, size_t n, struct yaml *out, struct err *e)
{
	struct walk w = { .a = a, .name = name, .e = e };
	int rc;

	*out = (struct yaml){0};
	if (n > MAX_BYTES)
		return err_set(e, SFT_BADDATA, "%s: more than 1 MiB (expected a recipe)", name);
	if (!yaml_parser_initialize(&w.parser))
		return err_set(e, SFT_SYSTEM, "%s: out of memory", name);
	yaml_parser_set_input_string(&w.parser, (const unsigned char *)text, n);
	rc = walk(&w, out);
	yaml_parser_delete(&w.parser);
	return rc;
}

int yaml_file(struct arena *a, const char *path, struct yaml *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;
	struct buf b = {0};
	ssize_t r = 0;

	if (fd < 0)
		return err_sys(e, path);
	while (b.n <= MAX_BYTES && ((r = read(fd, buf_room(&b, 1 << 16), 1 << 16)) > 0 || (r < 0 && errno == EINTR)))
		b.n += r > 0 ? (size_t)r : 0;
	rc = r < 0 ? err_sys(e, path) : yaml_parse(a, path, b.p ? b.p : "", b.n, out, e);
	close(fd);
	buf_free(&b);
	return rc;
}

const struct yaml *yaml_get(const struct yaml *v, const char *key)
{
	for (size_t i = 0; v && v->kind == YAML_MAP && i < v->n; i++)
		if (strcmp(v->key[i], key) == 0)
			return &v->item[i];
	return NULL;
}
