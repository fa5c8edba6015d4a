/* SPDX-License-Identifier: Apache-2.0 */
#include "flatyaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <yaml.h>

#include "strmap.h"

enum { MAX_BYTES = 1 << 20 };

/* What the next event may be. */
enum expect { AT_START, AT_KEY, AT_VALUE, AT_ITEM, AT_END };

struct walk {
	struct arena *a;
	const char *name;
	struct yaml_pair *pair;
	size_t n, cap;
	struct strmap keys;
	const char *key;
	enum expect expect;
	struct err *e;
};

static int wrong(const struct walk *w, const yaml_event_t *ev, const char *what)
{
	return err_set(w->e, SFT_BADDATA, "%s:%zu: %s", w->name, ev->start_mark.line + 1, what);
}

static int take_scalar(struct walk *w, const yaml_event_t *ev)
{
	const char *text = (const char *)ev->data.scalar.value;
	size_t n = ev->data.scalar.length;
	bool plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE, added;

	if (ev->data.scalar.anchor || ev->data.scalar.tag)
		return wrong(w, ev, "anchors and tags have no use in a recipe");
	if (memchr(text, '\0', n))
		return wrong(w, ev, "NUL in a scalar");
	if (w->expect == AT_START)
		return wrong(w, ev, "not a mapping (expected lines 'option: value')");
	if (w->expect == AT_KEY) {
		strmap_put(&w->keys, text, n, 0, &added);
		w->key = arena_str(w->a, text, n);
		w->expect = AT_VALUE;
		return added ? 0 : err_set(w->e, SFT_BADDATA, "%s:%zu: '%s' is given twice", w->name, ev->start_mark.line + 1, w->key);
	}
	if (plain && (n == 0 || strcmp(text, "~") == 0 || strcmp(text, "null") == 0))
		return err_set(w->e, SFT_BADDATA, "%s:%zu: '%s' has no value", w->name, ev->start_mark.line + 1, w->key);
	if (plain && (strcmp(text, "True") == 0 || strcmp(text, "TRUE") == 0))
		text = "true";
	else if (plain && (strcmp(text, "False") == 0 || strcmp(text, "FALSE") == 0))
		text = "false";
	ARRAY_ROOM(w->pair, w->n, w->cap);
	w->pair[w->n++] = (struct yaml_pair){ w->key, arena_str(w->a, text, strlen(text)), ev->start_mark.line + 1 };
	if (w->expect == AT_VALUE)
		w->expect = AT_KEY;
	return 0;
}

static int take_event(struct walk *w, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		return take_scalar(w, ev);
	case YAML_DOCUMENT_START_EVENT:
		return w->expect == AT_END ? wrong(w, ev, "a second document (expected one)") : 0;
	case YAML_MAPPING_START_EVENT:
		if (w->expect != AT_START)
			return wrong(w, ev, "nested mapping (expected a flat list of options)");
		if (ev->data.mapping_start.anchor || ev->data.mapping_start.tag)
			return wrong(w, ev, "anchors and tags have no use in a recipe");
		w->expect = AT_KEY;
		return 0;
	case YAML_SEQUENCE_START_EVENT:
		if (w->expect != AT_VALUE)
			return wrong(w, ev, "a list where none is expected");
		if (ev->data.sequence_start.anchor || ev->data.sequence_start.tag)
			return wrong(w, ev, "anchors and tags have no use in a recipe");
		w->expect = AT_ITEM;
		return 0;
	case YAML_SEQUENCE_END_EVENT:
		w->expect = AT_KEY;
		return 0;
	case YAML_MAPPING_END_EVENT:
		w->expect = AT_END;
		return 0;
	case YAML_ALIAS_EVENT:
		return wrong(w, ev, "anchors and tags have no use in a recipe");
	default:
		return 0;
	}
}

static int walk(struct walk *w, yaml_parser_t *p)
{
	yaml_event_t ev;
	int rc = 0;

	for (bool end = false; rc == 0 && !end; ) {
		if (!yaml_parser_parse(p, &ev))
			return err_set(w->e, SFT_BADDATA, "%s:%zu: %s", w->name, p->problem_mark.line + 1, p->problem ? p->problem : "not YAML");
		end = ev.type == YAML_STREAM_END_EVENT;
		rc = take_event(w, &ev);
		yaml_event_delete(&ev);
	}
	return rc;
}

int yaml_pairs_text(struct arena *a, const char *name, const char *text, size_t n, struct yaml_pair **out, size_t *count, struct err *e)
{
	struct walk w = { .a = a, .name = name, .e = e };
	yaml_parser_t parser;
	int rc;

	*out = NULL;
	*count = 0;
	if (n > MAX_BYTES)
		return err_set(e, SFT_BADDATA, "%s: more than 1 MiB (expected a recipe)", name);
	if (!yaml_parser_initialize(&parser))
		return err_set(e, SFT_SYSTEM, "%s: out of memory", name);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
	rc = walk(&w, &parser);
	yaml_parser_delete(&parser);
	if (rc == 0 && w.n) {
		*out = arena_get(a, w.n * sizeof *w.pair);
		memcpy(*out, w.pair, w.n * sizeof *w.pair);
		*count = w.n;
	}
	mem_free(w.pair);
	strmap_free(&w.keys);
	return rc;
}

int yaml_pairs(struct arena *a, const char *path, struct yaml_pair **out, size_t *count, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;
	struct buf b = {0};
	ssize_t r = 0;

	if (fd < 0)
		return err_sys(e, path);
	while (b.n <= MAX_BYTES && ((r = read(fd, buf_room(&b, 1 << 16), 1 << 16)) > 0 || (r < 0 && errno == EINTR)))
		b.n += r > 0 ? (size_t)r : 0;
	rc = r < 0 ? err_sys(e, path) : yaml_pairs_text(a, path, b.p ? b.p : "", b.n, out, count, e);
	close(fd);
	buf_free(&b);
	return rc;
}
