/* SPDX-License-Identifier: Apache-2.0 */
/* JSON lines, and arrays of objects read element by element. */
#include <string.h>

#include "recin.h"

enum { MAX_NAMES = 256 << 20 };         /* bytes: names are kept as long as the stream */

/* Text of a value that is to stand in one line: as it came, unless it holds line ends. */
static struct field json_field(const struct json *v, struct arena *a)
{
	struct field f = { v->raw, v->nraw, FIELD_JSON };
	struct buf b = {0};
	struct jw w;

	if (v->type == JSON_STR)
		return (struct field){ v->s, v->n, FIELD_TEXT };
	if (memchr(f.p, '\n', f.n) || memchr(f.p, '\r', f.n)) {
		jw_init(&w, &b);
		jw_value(&w, v);
		f.p = arena_str(a, b.p, b.n);
		f.n = b.n;
		buf_free(&b);
	}
	return f;
}

/* The object of N bytes at the window's start as a record. */
static void take_object(struct recin *r, size_t n, struct arena *a, struct rec *rec, enum got *got)
{
	const struct json *v;
	struct err e = {0};

	if (!window_utf8(&r->in.w, n)) {
		*got = input_bad(&r->in, "undecodable bytes", n, "undecodable bytes (expected %s)", r->in.w.encoding);
		return;
	}
	if (json_parse(r->parser, a, window_text(&r->in.w), n, &v, &e) != 0) {
		*got = input_bad(&r->in, "not JSON", n, "%.190s", e.msg);
		return;
	}
	if (v->type != JSON_OBJ) {
		*got = input_bad(&r->in, "not an object", n, "not a JSON object (expected {\"name\": value, ...})");
		return;
	}
	if (v->n > r->keys_cap) {
		r->keys_cap = v->n * 2;
		r->keys = mem_grow(r->keys, r->keys_cap, sizeof *r->keys);
	}
	if (r->sets.arena.total > MAX_NAMES) {
		*got = input_bad(&r->in, "too many names", n, "no two records have the same names, and these take 256 MiB (expected few kinds of records)");
		return;
	}
	rec->f = arena_get(a, v->n * sizeof *rec->f);
	for (size_t i = 0; i < v->n; i++) {
		r->keys[i] = (struct name){ v->member[i].key, v->member[i].nkey };
		if (memchr(r->keys[i].p, '\0', r->keys[i].n)) {
			*got = input_bad(&r->in, "NUL in a name", n, "NUL in a name");
			return;
		}
		rec->f[i] = json_field(&v->member[i].value, a);
	}
	rec->names = names_get(&r->sets, r->keys, v->n);
	rec->line = r->in.line;
	*got = GOT_RECORD;
}

static bool blank(const char *s, size_t n)
{
	while (n && (*s == ' ' || *s == '\t' || *s == '\r'))
		s++, n--;
	return n == 0;
}

int readjsonl_next(struct recin *r, struct arena *a, struct rec *rec, enum got *got, struct err *e)
{
	struct window *w = &r->in.w;
	size_t seen = 0, n, line;
	const char *lf;
	int rc;

	for (;;) {
		while ((lf = memchr(window_text(w) + seen, '\n', window_size(w) - seen)) == NULL && !w->last) {
			seen = window_size(w);
			if (seen > r->o.max_record)
				return input_too_long(r, got, e);
			if ((rc = window_more(w, e)) != 0)
				return rc;
		}
		if (window_size(w) == 0) {
			*got = GOT_END;
			return 0;
		}
		n = lf ? (size_t)(lf - window_text(w)) : window_size(w);
		line = n + (lf != NULL);
		if (n > r->o.max_record)
			return input_too_long(r, got, e);
		if (!blank(window_text(w), n))
			break;
		window_take(w, line);
		r->in.line++;
		seen = 0;
	}
	take_object(r, n, a, rec, got);
	window_take(w, line);
	r->in.line++;
	return 0;
}

/* --- arrays --- */

static int fault(struct recin *r, const char *what, struct err *e)
{
	return err_set(e, SFT_BADDATA, "%s:%llu: %s", r->in.shown, (unsigned long long)r->in.line, what);
}

/* The next byte that is no white space; -1 at the end. */
static int next_byte(struct recin *r, int *c, struct err *e)
{
	struct window *w = &r->in.w;
	int rc;

	for (;;) {
		while (window_size(w)) {
			*c = (unsigned char)*window_text(w);
			if (*c != ' ' && *c != '\t' && *c != '\r' && *c != '\n')
				return 0;
			r->in.line += *c == '\n';
			window_take(w, 1);
		}
		*c = -1;
		if (w->last)
			return 0;
		if ((rc = window_more(w, e)) != 0)
			return rc;
	}
}

/* Length of the value that begins at S, found by its brackets and quotes alone; 0: it does not end within N bytes. */
static size_t value_length(const char *s, size_t n, bool all)
{
	size_t depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (quoted) {
			i += c == '\\';
			if (c != '"')
				continue;
			quoted = false;
			if (depth == 0)
				return i + 1;
		} else if (c == '"') {
			quoted = true;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (c == '}' || c == ']') {
			if (depth == 0)
				return i;
			if (--depth == 0)
				return i + 1;
		} else if (depth == 0 && (c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n')) {
			return i;
		}
	}
	return all && depth == 0 && !quoted ? n : 0;
}

/* To the next element: its first byte is at the window's start, or *END. */
static int next_element(struct recin *r, bool *end, struct err *e)
{
	int rc, c;

	*end = false;
	if (!r->in.begun) {
		if ((rc = next_byte(r, &c, e)) != 0)
			return rc;
		if (c != '[')
			return fault(r, "not a JSON array (expected [)", e);
		window_take(&r->in.w, 1);
	}
	if ((rc = next_byte(r, &c, e)) != 0)
		return rc;
	r->in.w.hold = false;            /* what is taken now is not seen again: on to the value behind it */
	if (r->in.begun && c == ',') {
		window_take(&r->in.w, 1);
		if ((rc = next_byte(r, &c, e)) != 0)
			return rc;
		if (c == ']' || c == ',')
			return fault(r, "a comma without a value behind it", e);
	} else if (r->in.begun && c != ']') {
		return fault(r, c < 0 ? "the array is not closed (expected ])" : "no comma between two values", e);
	}
	if (c < 0)
		return fault(r, "the array is not closed (expected ])", e);
	r->in.begun = true;
	if (c != ']')
		return c == ',' ? fault(r, "a comma without a value before it", e) : 0;
	window_take(&r->in.w, 1);
	if ((rc = next_byte(r, &c, e)) != 0)
		return rc;
	*end = r->in.ended = true;
	return c < 0 ? 0 : fault(r, "text behind the array", e);
}

int readjson_next(struct recin *r, struct arena *a, struct rec *rec, enum got *got, struct err *e)
{
	struct window *w = &r->in.w;
	bool end = r->in.ended;
	size_t n;
	int rc;

	if (!end && (rc = next_element(r, &end, e)) != 0)
		return rc;
	if (end) {
		*got = GOT_END;
		return 0;
	}
	while ((n = value_length(window_text(w), window_size(w), w->last)) == 0) {
		if (w->last)
			return fault(r, "the array is cut off inside a value", e);
		if (window_size(w) > r->o.max_record)
			return fault(r, "a value is longer than --max-record", e);
		if ((rc = window_more(w, e)) != 0)
			return rc;
	}
	take_object(r, n, a, rec, got);
	r->in.line += csv_count_lines(window_text(w), n);
	window_take(w, n);
	return 0;
}
