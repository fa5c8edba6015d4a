/* SPDX-License-Identifier: Apache-2.0 */
#include "slicer.h"

#include <stdio.h>
#include <string.h>

#include "inputtext.h"
#include "pattern.h"
#include "termset.h"
#include "unicode.h"

enum dim_kind { DIM_LABEL, DIM_LENGTH, DIM_SCRIPT, DIM_TURNS, DIM_TERM, DIM_TERM_CLASS, DIM_COLUMN, DIM_PATTERN };
static const char *const words[] = { "label", "length", "script", "turns", "term", "term_class" };

struct dim {
	enum dim_kind kind;
	const char *name;               /* as it was given */
	const char *column;             /* DIM_COLUMN; DIM_PATTERN, NULL: of the input */
	struct pattern *pattern;
	int at;                         /* the column in the names at hand, -1: none */
	bool asked, seen;               /* by the user; in some record */
};

struct slicer {
	struct dim dim[SLICER_MAX_DIMS];
	size_t ndims;
	const struct names *names;      /* the columns are theirs */
	struct inputs *inputs;
	struct input input;             /* of the item */
	struct matcher *matcher;
	struct json_parser *parser;
	struct arena options, item;
	const struct termset *terms;
	struct termscan scan;
	uint64_t *stamp, now;           /* by term: the last scan that found it */
};

/* --- dimensions --- */

static int add_dim(struct slicer *s, struct dim d, struct err *e)
{
	for (size_t k = 0; k < s->ndims; k++)
		if (strcmp(s->dim[k].name, d.name) == 0) {
			pattern_free(d.pattern);
			return err_set(e, SFT_USAGE, "slices by '%s' are asked for twice", d.name);
		}
	if (s->ndims == SLICER_MAX_DIMS) {
		pattern_free(d.pattern);
		return err_set(e, SFT_USAGE, "more than %d dimensions (--by, --pattern)", SLICER_MAX_DIMS);
	}
	s->dim[s->ndims++] = d;
	return 0;
}

static int add_named(struct slicer *s, const char *name, bool asked, struct err *e)
{
	struct dim d = { .kind = DIM_COLUMN, .name = name, .column = name, .at = -1, .asked = asked };

	for (int k = DIM_LABEL; k < DIM_COLUMN; k++)
		if (strcmp(name, words[k]) == 0)
			d.kind = (enum dim_kind)k;
	if ((d.kind == DIM_TERM || d.kind == DIM_TERM_CLASS) && s->terms == NULL)
		return err_set(e, SFT_USAGE, "slices by '%s' need a dictionary (expected --terms FILE; col:%s is a column)", name, name);
	if (strncmp(name, "col:", 4) == 0)
		d.column = name + 4;
	return add_dim(s, d, e);
}

static int add_pattern(struct slicer *s, const char *spec, struct err *e)
{
	struct dim d = { .kind = DIM_PATTERN, .name = spec, .at = -1, .asked = true };
	const char *colon = strchr(spec, ':');
	struct pattern_parts parts;
	int rc;

	if (colon == NULL || colon == spec)
		return err_set(e, SFT_USAGE, "--pattern %s: expected COL:/PATTERN/", spec);
	d.column = arena_str(&s->options, spec, (size_t)(colon - spec));
	if (strcmp(d.column, "input") == 0)
		d.column = NULL;
	if ((rc = pattern_split(colon + 1, 1, &s->options, &parts, e)) != 0 ||
	    (rc = pattern_new(&d.pattern, parts.pattern, parts.npattern, parts.flags, e)) != 0)
		return err_in(e, "--pattern %s", spec);
	return add_dim(s, d, e);
}

static int add_list(struct slicer *s, const char *list, bool asked, struct err *e)
{
	int rc = 0;

	for (const char *p = list; rc == 0 && *p; p += *p == ',') {
		size_t n = strcspn(p, ",");

		if (n == 0)
			return err_set(e, SFT_USAGE, "--by %s: an empty name (expected COL,...)", list);
		rc = add_named(s, arena_str(&s->options, p, n), asked, e);
		p += n;
	}
	return rc;
}

int slicer_open(struct slicer **out, const struct slicer_opts *o, struct err *e)
{
	struct slicer *s = mem_new(sizeof *s);
	int rc;

	arena_init(&s->options);
	arena_init(&s->item);
	s->matcher = matcher_new();
	s->parser = json_parser_new();
	s->inputs = inputs_new(o->input);
	s->terms = o->terms;
	if (s->terms)
		s->stamp = mem_new((termset_count(s->terms) + 1) * sizeof *s->stamp);
	rc = add_list(s, o->by ? o->by : "slice,source,label,script,length,turns", o->by != NULL, e);
	if (rc == 0 && s->terms && o->by == NULL)
		rc = add_list(s, "term_class,term", true, e);
	for (size_t k = 0; rc == 0 && o->patterns && k < o->patterns->n; k++)
		rc = add_pattern(s, o->patterns->v[k], e);
	*out = s;
	if (rc) {
		slicer_close(s);
		*out = NULL;
	}
	return rc;
}

void slicer_close(struct slicer *s)
{
	if (s == NULL)
		return;
	for (size_t k = 0; k < s->ndims; k++)
		pattern_free(s->dim[k].pattern);
	matcher_free(s->matcher);
	json_parser_free(s->parser);
	arena_release(&s->options);
	arena_release(&s->item);
	inputs_free(s->inputs);
	termscan_release(&s->scan);
	mem_free(s->stamp);
	mem_free(s);
}

size_t slicer_dims(const struct slicer *s)
{
	return s->ndims;
}

const char *slicer_dim(const struct slicer *s, size_t d)
{
	return s->dim[d].name;
}

bool slicer_is_pattern(const struct slicer *s, size_t d)
{
	return s->dim[d].kind == DIM_PATTERN;
}

struct text slicer_input(const struct slicer *s)
{
	return s->input.text;
}

static bool is_null(const struct field *f)
{
	return f->type == FIELD_JSON && f->n == 4 && memcmp(f->p, "null", 4) == 0;
}

static void find_columns(struct slicer *s, const struct names *names)
{
	if (s->names == names)
		return;
	for (size_t k = 0; k < s->ndims; k++)
		s->dim[k].at = s->dim[k].kind >= DIM_COLUMN && s->dim[k].column ? rec_column(names, s->dim[k].column) : -1;
	s->names = names;
}

/* --- slices --- */

static struct text range_name(char out[48], uint64_t low, uint64_t high)
{
	if (low == high)
		snprintf(out, 48, "%llu", (unsigned long long)low);
	else
		snprintf(out, 48, "%llu-%llu", (unsigned long long)low, (unsigned long long)high);
	return (struct text){ out, strlen(out) };
}

static struct text length_slice(struct text t, char out[48])
{
	uint64_t n = utf8_count(t.p, t.n), low = 16;

	if (n < 16)
		return range_name(out, n > 0, n ? 15 : 0);
	for (; n >= low * 2; low *= 2)
		;
	return range_name(out, low, low * 2 - 1);
}

static struct text turns_slice(uint64_t turns, char out[48])
{
	uint64_t low = 4;

	if (turns <= 4)
		return range_name(out, turns, turns);
	for (; turns > low * 2; low *= 2)
		;
	return range_name(out, low + 1, low * 2);
}

struct script_count {
	const char *name;
	size_t n;
};

static const char *script_of(uint32_t c)
{
	const char *name = unicode_script(c);

	if (strcmp(name, "Hiragana") == 0 || strcmp(name, "Katakana") == 0)
		return "Japanese";
	return strcmp(name, "Hangul") == 0 ? "Korean" : name;
}

static size_t count_scripts(struct text t, struct script_count *count, size_t max, size_t *letters)
{
	const char *p = t.p, *end = t.p + t.n;
	size_t n = 0, k;

	*letters = 0;
	while (p < end) {
		uint32_t c = utf8_get(&p);
		const char *name;

		if (c < 0x80 ? !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') : unicode_category(c)[0] != 'L')
			continue;
		name = c < 0x80 ? "Latin" : script_of(c);
		if (strcmp(name, "Common") == 0 || strcmp(name, "Inherited") == 0)
			continue;
		for (k = 0; k < n && strcmp(count[k].name, name) != 0; k++)
			;
		if (k == n && n < max)
			count[n++] = (struct script_count){ name, 0 };
		if (k < n)
			count[k].n++;
		++*letters;
	}
	return n;
}

/* Han beside kana or Hangul is theirs. */
static void join_han(struct script_count *count, size_t n)
{
	size_t han = n, with = n;

	for (size_t k = 0; k < n; k++) {
		if (strcmp(count[k].name, "Han") == 0)
			han = k;
		else if ((strcmp(count[k].name, "Japanese") == 0 || strcmp(count[k].name, "Korean") == 0) && (with == n || count[k].n > count[with].n))
			with = k;
	}
	if (han == n || with == n || count[with].n * 10 < count[han].n)
		return;
	count[with].n += count[han].n;
	count[han].n = 0;
}

static struct text script_slice(struct slicer *s, struct text t)
{
	struct script_count count[24];
	size_t letters, n = count_scripts(t, count, sizeof count / sizeof *count, &letters), at = 0;
	char *out = arena_get(&s->item, 512);

	join_han(count, n);
	for (;;) {                              /* those with a tenth or more, by name */
		size_t next = n;

		for (size_t k = 0; k < n; k++)
			if (count[k].n && count[k].n * 10 >= letters && (next == n || strcmp(count[k].name, count[next].name) < 0))
				next = k;
		if (next == n)
			break;
		at += (size_t)snprintf(out + at, 512 - at, "%s%s", at ? "+" : "", count[next].name);
		count[next].n = 0;
	}
	if (at == 0)
		at = (size_t)snprintf(out, 512, letters ? "many" : "none");
	return (struct text){ out, at };
}

static int column_slices(struct slicer *s, const struct field *f, size_t d, void (*put)(void *ctx, size_t dim, struct text value), void *ctx,
                         struct err *e)
{
	const struct json *v;
	int rc;

	if (f->type != FIELD_JSON || f->n == 0 || f->p[0] != '[') {
		put(ctx, d, (struct text){ f->p ? f->p : "", f->n });
		return 0;
	}
	if ((rc = field_json(f, s->parser, &s->item, &v, e)) != 0)
		return rc;
	for (size_t k = 0; k < v->n; k++) {
		const struct json *x = &v->item[k];
		struct text t = x->type == JSON_STR ? (struct text){ x->s, x->n } : (struct text){ x->raw, x->nraw };
		bool twice = false;

		for (size_t i = 0; i < k && !twice; i++) {
			const struct json *y = &v->item[i];
			twice = text_equal(t, y->type == JSON_STR ? (struct text){ y->s, y->n } : (struct text){ y->raw, y->nraw });
		}
		if (!twice)                     /* an item counts once in a slice */
			put(ctx, d, t);
	}
	return 0;
}

/* The distinct terms of T, or their distinct classes. */
static void term_slices(struct slicer *s, struct text t, size_t d, void (*put)(void *ctx, size_t dim, struct text value), void *ctx)
{
	bool classes = s->dim[d].kind == DIM_TERM_CLASS;
	size_t n = t.n ? termset_scan(s->terms, &s->scan, t.p, t.n) : 0;

	s->now++;
	for (size_t k = 0; k < n; k++) {
		const struct term *x = termset_get(s->terms, s->scan.hit[k].term);
		bool twice = s->stamp[s->scan.hit[k].term] == s->now;

		s->stamp[s->scan.hit[k].term] = s->now;
		for (size_t i = 0; i < k && classes && !twice; i++)
			twice = strcmp(termset_get(s->terms, s->scan.hit[i].term)->class, x->class) == 0;
		if (twice)
			continue;
		if (classes)
			put(ctx, d, x->class[0] ? (struct text){ x->class, strlen(x->class) } : (struct text){ "(no class)", 10 });
		else
			put(ctx, d, (struct text){ x->form.text, x->form.n });
	}
	if (n == 0)
		put(ctx, d, (struct text){ "(none)", 6 });
}

static int one_dim(struct slicer *s, size_t d, const struct rec *r, struct text label, void (*put)(void *ctx, size_t dim, struct text value),
                   void *ctx, struct err *e)
{
	struct dim *x = &s->dim[d];
	const struct field *f = x->at >= 0 && !is_null(&r->f[x->at]) ? &r->f[x->at] : NULL;
	struct text t = f ? (struct text){ f->p ? f->p : "", f->n } : x->column || x->kind != DIM_PATTERN ? (struct text){ NULL, 0 } : s->input.text;
	char name[48];
	bool found;
	int rc;

	if (x->kind == DIM_LENGTH || x->kind == DIM_SCRIPT || x->kind == DIM_TERM || x->kind == DIM_TERM_CLASS)
		t = s->input.text;
	if (x->kind == DIM_LABEL ? label.p == NULL : x->kind == DIM_TURNS ? !s->input.chat : t.p == NULL)
		return 0;
	x->seen = true;
	switch (x->kind) {
	case DIM_LABEL: put(ctx, d, label); break;
	case DIM_LENGTH: put(ctx, d, length_slice(t, name)); break;
	case DIM_SCRIPT: put(ctx, d, script_slice(s, t)); break;
	case DIM_TURNS: put(ctx, d, turns_slice(s->input.turns, name)); break;
	case DIM_TERM:
	case DIM_TERM_CLASS: term_slices(s, t, d, put, ctx); break;
	case DIM_COLUMN: return column_slices(s, f, d, put, ctx, e);
	case DIM_PATTERN:
		if ((rc = pattern_find(x->pattern, s->matcher, t.p, t.n, 0, &found, e)) != 0)
			return rc;
		if (found)
			put(ctx, d, (struct text){ "", 0 });
	}
	return 0;
}

int slicer_item(struct slicer *s, const struct item *it, struct text label, void (*put)(void *ctx, size_t dim, struct text value), void *ctx,
                struct err *e)
{
	int rc;

	arena_reset(&s->item);
	find_columns(s, it->rec->names);
	if ((rc = inputs_read(s->inputs, it->rec, &s->input, e)) != 0)
		return rc;
	for (size_t d = 0; d < s->ndims; d++)
		if ((rc = one_dim(s, d, it->rec, label, put, ctx, e)) != 0)
			return rc;
	return 0;
}

int slicer_finish(const struct slicer *s, struct err *e)
{
	for (size_t d = 0; d < s->ndims; d++) {
		const struct dim *x = &s->dim[d];

		if (!x->asked || x->seen)
			continue;
		if (x->kind >= DIM_COLUMN && x->column)
			return err_set(e, SFT_BADDATA, "no record has a value in column '%s' (slices by %s)", x->column, x->name);
		return err_set(e, SFT_BADDATA, "no record has what slices by %s need (expected messages, or --input COL)", x->name);
	}
	return 0;
}
