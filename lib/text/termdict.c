/* SPDX-License-Identifier: Apache-2.0 */
/* Dictionaries of terms, read. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "termset_priv.h"

struct span {
	const char *p;
	size_t n;
};

struct line {
	struct termset *s;
	const char *file;
	uint64_t num;
	struct err *e;
};

static int wrong(const struct line *l, const char *what)
{
	return err_set(l->e, SFT_BADDATA, "%s:%llu: %s", l->file, (unsigned long long)l->num, what);
}

/* Blanks at both ends off; U+3000 counts as one. */
static struct span trim(struct span f)
{
	for (;;) {
		if (f.n && (f.p[0] == ' ' || f.p[0] == '\r')) {
			f.p++;
			f.n--;
		} else if (f.n >= 3 && memcmp(f.p, "\xE3\x80\x80", 3) == 0) {
			f.p += 3;
			f.n -= 3;
		} else if (f.n && (f.p[f.n - 1] == ' ' || f.p[f.n - 1] == '\r')) {
			f.n--;
		} else if (f.n >= 3 && memcmp(f.p + f.n - 3, "\xE3\x80\x80", 3) == 0) {
			f.n -= 3;
		} else {
			return f;
		}
	}
}

/* What is before the first C in *REST, trimmed; *REST goes behind it, or is NULL at the end. */
static struct span cut(struct span *rest, char c)
{
	const char *end = memchr(rest->p, c, rest->n);
	struct span f = { rest->p, end ? (size_t)(end - rest->p) : rest->n };

	if (end)
		*rest = (struct span){ end + 1, rest->n - f.n - 1 };
	else
		*rest = (struct span){ NULL, 0 };
	return trim(f);
}

static bool digits(struct span f)
{
	for (size_t i = 0; i < f.n; i++)
		if (f.p[i] < '0' || f.p[i] > '9')
			return false;
	return f.n > 0;
}

static struct term_form form_of(const struct line *l, struct span f)
{
	return (struct term_form){ arena_str(&l->s->arena, f.p, f.n), f.n, l->file, l->num };
}

static int check_form(const struct line *l, struct span f, const char *what)
{
	char text[80];

	if (f.n && f.n <= TERM_MAX)
		return 0;
	if (f.n)
		snprintf(text, sizeof text, "%s of %zu bytes (expected at most %d)", what, f.n, TERM_MAX);
	else
		snprintf(text, sizeof text, "%s is empty", what);
	return wrong(l, text);
}

static int find_term(const struct line *l, struct span f, struct term **out)
{
	struct termset *s = l->s;
	struct strmap_entry *entry;
	bool added;
	int rc;

	if ((rc = check_form(l, f, "the term")) != 0)
		return rc;
	if (s->n == UINT32_MAX / 2)
		return wrong(l, "too many terms");
	entry = strmap_put(&s->by_text, f.p, f.n, s->n, &added);
	if (added) {
		ARRAY_ROOM(s->term, s->n, s->cap);
		s->term[s->n++] = (struct term){ .form = form_of(l, f), .class = "" };
	}
	*out = &s->term[entry->value];
	return 0;
}

static bool has_variant(const struct term *t, struct span f)
{
	for (uint32_t i = 0; i < t->nvariants; i++)
		if (t->variant[i].n == f.n && memcmp(t->variant[i].text, f.p, f.n) == 0)
			return true;
	return t->form.n == f.n && memcmp(t->form.text, f.p, f.n) == 0;
}

enum { MOST_VARIANTS = 4096 };         /* of one term: they are compared with each other */

static int add_variants(const struct line *l, struct term *t, struct span list)
{
	int rc;

	while (list.p) {
		struct span f = cut(&list, '|');

		if ((rc = check_form(l, f, "a variant")) != 0)
			return rc;
		if (has_variant(t, f))
			continue;
		if (t->nvariants == MOST_VARIANTS)
			return wrong(l, "a term of more than 4096 variants");
		ARRAY_ROOM(t->variant, t->nvariants, t->cap);
		t->variant[t->nvariants++] = form_of(l, f);
	}
	return 0;
}

static int add_frequency(const struct line *l, struct term *t, struct span f)
{
	uint64_t v = 0;

	for (size_t i = 0; i < f.n; i++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(f.p[i] - '0'), &v))
			return wrong(l, "the frequency is too large");
	t->frequency = v;
	return 0;
}

static int add_class(const struct line *l, struct term *t, struct span f)
{
	if (f.n == 0)
		return 0;
	if (*t->class && (strlen(t->class) != f.n || memcmp(t->class, f.p, f.n) != 0))
		return wrong(l, "the term has another class already");
	t->class = arena_str(&l->s->arena, f.p, f.n);
	return 0;
}

static int add_line(const struct line *l, struct span rest)
{
	struct term *t = NULL;
	struct span f;
	int rc;

	if (trim(rest).n == 0 || (rest.n >= 2 && rest.p[0] == '#' && rest.p[1] == ' '))
		return 0;
	if (memchr(rest.p, '\0', rest.n))
		return wrong(l, "a NUL byte");
	if (!utf8_valid(rest.p, rest.n, NULL))
		return wrong(l, "not UTF-8 (expected a dictionary in UTF-8)");
	if ((rc = find_term(l, cut(&rest, '\t'), &t)) != 0 || rest.p == NULL)
		return rc;
	f = cut(&rest, '\t');
	if (digits(f))
		rc = add_frequency(l, t, f);
	else if (f.n)
		rc = add_variants(l, t, f);
	if (rc != 0 || rest.p == NULL)
		return rc;
	f = cut(&rest, '\t');
	if (rest.p)
		return wrong(l, "more than three fields (expected term, variants, class)");
	return add_class(l, t, f);
}

int termset_parse(struct termset *s, const char *name, const char *text, size_t n, struct err *e)
{
	struct line l = { s, arena_str(&s->arena, name, strlen(name)), 0, e };
	struct span rest = { text, n };
	int rc = 0;

	if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		rest = (struct span){ text + 3, n - 3 };
	while (rc == 0 && rest.p && rest.n) {
		const char *end = memchr(rest.p, '\n', rest.n);
		struct span line = { rest.p, end ? (size_t)(end - rest.p) : rest.n };

		rest = end ? (struct span){ end + 1, rest.n - line.n - 1 } : (struct span){ NULL, 0 };
		l.num++;
		rc = add_line(&l, line);
	}
	return rc;
}

int termset_read(struct termset *s, const char *path, struct err *e)
{
	FILE *f = fopen(path, "rb");
	struct buf b = {0};
	int rc = 0;

	if (f == NULL)
		return err_sys(e, path);
	while (rc == 0) {
		size_t got = fread(buf_room(&b, 1 << 16), 1, 1 << 16, f);

		b.n += got;
		if (got == 0)
			break;
		if (b.n > TERMSET_MAX_FILE)
			rc = err_set(e, SFT_BADDATA, "%s: over %d MiB (expected a dictionary)", path, TERMSET_MAX_FILE >> 20);
	}
	if (rc == 0 && ferror(f))
		rc = err_sys(e, path);
	fclose(f);
	if (rc == 0)
		rc = termset_parse(s, path, b.p ? b.p : "", b.n, e);
	buf_free(&b);
	return rc;
}
