/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that drop records: nulls, patterns, lengths. */
#include <string.h>

#include "clean.h"

/* --- nulls --- */

static bool is_null(const struct clean *c, const struct field *f)
{
	if (f->type == FIELD_JSON)
		return f->n == 4 && memcmp(f->p, "null", 4) == 0;
	if (f->n > c->longest_null)
		return false;
	for (size_t i = 0; i < c->nulls.n; i++)
		if (strlen(c->nulls.v[i]) == f->n && memcmp(c->nulls.v[i], f->p, f->n) == 0)
			return true;
	return false;
}

static enum verdict drop_null(const struct step *s, const struct bound *b, struct work *w, struct rec *r)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct field *f = b->col[i] == NO_COLUMN ? NULL : &r->f[b->col[i]];

		if (f && !is_null(s->clean, f))
			continue;
		w->why = "null";
		return CLEAN_DROP;
	}
	return CLEAN_SAME;
}

/* --- patterns --- */

static int parse_pattern(struct clean *c, struct step *s, const char *value, struct err *e)
{
	struct pattern_parts p;
	int rc;

	s->why = clean_reason(c, s->kind->name, s->value);
	if ((rc = pattern_split(value, 1, &c->arena, &p, e)) != 0)
		return rc;
	return pattern_new(&s->pattern, p.pattern, p.npattern, p.flags, e);
}

static enum verdict find(const struct step *s, struct work *w, struct field *f, void *to)
{
	bool *found = to;

	if (!*found && pattern_find(s->pattern, w->matcher, f->p, f->n, 0, found, &w->e) != 0)
		return CLEAN_BAD;
	return CLEAN_SAME;
}

/* Drops the record where the pattern is in one of the columns, or (DROP false) in none. */
static enum verdict look(const struct step *s, const struct bound *b, struct work *w, struct rec *r, bool drop)
{
	bool found = false;

	w->why = s->why;
	if (each_text(s, b, w, r, true, find, &found) == CLEAN_BAD)
		return CLEAN_BAD;
	return found == drop ? CLEAN_DROP : CLEAN_SAME;
}

static enum verdict keep(const struct step *s, const struct bound *b, struct work *w, struct rec *r)
{
	return look(s, b, w, r, false);
}

static enum verdict drop(const struct step *s, const struct bound *b, struct work *w, struct rec *r)
{
	return look(s, b, w, r, true);
}

/* --- lengths --- */

static int parse_length(struct clean *c, struct step *s, const char *value, struct err *e)
{
	double v;
	int rc = opt_number(value, 0, 1e12, &v, e);

	if (rc == 0 && v != (double)(int64_t)v)
		rc = err_set(e, SFT_USAGE, "'%s' is not a whole number", value);
	s->number = rc ? 0 : (int64_t)v;
	s->why = clean_reason(c, s->kind->name, value);
	return rc;
}

static enum verdict count(const struct step *s, struct work *w, struct field *f, void *to)
{
	(void)s, (void)w;
	*(int64_t *)to += (int64_t)utf8_count(f->p, f->n);
	return CLEAN_SAME;
}

static int64_t characters(const struct step *s, const struct bound *b, struct work *w, struct rec *r)
{
	int64_t n = 0;

	w->why = s->why;
	each_text(s, b, w, r, false, count, &n);
	return n;
}

static enum verdict min_chars(const struct step *s, const struct bound *b, struct work *w, struct rec *r)
{
	return characters(s, b, w, r) < s->number ? CLEAN_DROP : CLEAN_SAME;
}

static enum verdict max_chars(const struct step *s, const struct bound *b, struct work *w, struct rec *r)
{
	return characters(s, b, w, r) > s->number ? CLEAN_DROP : CLEAN_SAME;
}

const struct step_kind clean_filter_kinds[] = {
	{ .name = "drop-null", .arg = "COL,...|all", .help = "drop records where one of these is null (see --null-values)",
	  .columns = COLUMNS_VALUE, .whole = true, .apply = drop_null, .missing_ok = true },
	{ .name = "keep", .arg = "COL:/PATTERN/", .help = "drop records where the pattern is not found", .columns = COLUMNS_COLON,
	  .parse = parse_pattern, .apply = keep },
	{ .name = "drop", .arg = "COL:/PATTERN/", .help = "drop records where the pattern is found", .columns = COLUMNS_COLON,
	  .parse = parse_pattern, .apply = drop },
	{ .name = "min-chars", .arg = "N", .help = "drop records of fewer characters, all texts together", .columns = COLUMNS_DEFAULT,
	  .parse = parse_length, .apply = min_chars },
	{ .name = "max-chars", .arg = "N", .help = "drop records of more characters, all texts together", .columns = COLUMNS_DEFAULT,
	  .parse = parse_length, .apply = max_chars },
	{ .name = NULL }
};
