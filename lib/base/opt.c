/* SPDX-License-Identifier: Apache-2.0 */
#include "opt.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

static bool takes_value(const struct opt *o)
{
	return o->kind != OPT_K_FLAG && o->arg != NULL;
}

/* --- values --- */

int opt_number(const char *text, double min, double max, double *out, struct err *e)
{
	char *end;
	double v;

	errno = 0;
	v = strtod(text, &end);
	if (end == text || *end != '\0' || isnan(v))
		return err_set(e, SFT_USAGE, "'%s' is not a number", text);
	if (v < min || v > max)
		return err_set(e, SFT_USAGE, "%s is out of range (expected %.15g to %.15g)", text, min, max);
	*out = v;
	return 0;
}

int opt_span(const char *text, double min, double max, double *from, double *to, struct err *e)
{
	char *end;
	double v;

	errno = 0;
	v = strtod(text, &end);
	if (end == text || *end != '-' || isnan(v) || v < min || v > max) {
		int rc = opt_number(text, min, max, from, e);

		*to = *from;
		return rc;
	}
	*from = v;
	return opt_number(end + 1, min, max, to, e);
}

static int set_int(const struct opt *o, const char *text, struct err *e)
{
	char *end;
	long long v;

	errno = 0;
	v = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || errno == ERANGE)
		return err_set(e, SFT_USAGE, "'%s' is not a whole number", text);
	if ((double)v < o->min || (double)v > o->max)
		return err_set(e, SFT_USAGE, "%s is out of range (expected %.15g to %.15g)", text, o->min, o->max);
	*(int64_t *)o->to = v;
	return 0;
}

static int set_size(const struct opt *o, const char *text, struct err *e)
{
	static const char units[] = "KMGT";
	char *end;
	double v = strtod(text, &end);
	const char *u;

	if (end == text || !(v >= 0))
		return err_set(e, SFT_USAGE, "'%s' is not a size (expected a number with K, M, G or T)", text);
	if (*end && (u = strchr(units, *end & ~0x20)) != NULL) {
		v *= pow(1024, (double)(u - units + 1));
		end++;
		if (*end == 'i' && end[1] == 'B')
			end += 2;
	}
	if (*end != '\0' || v > 0x1p62)
		return err_set(e, SFT_USAGE, "'%s' is not a size (expected a number with K, M, G or T)", text);
	*(uint64_t *)o->to = (uint64_t)v;
	return 0;
}

static int set_choice(const struct opt *o, const char *text, struct err *e)
{
	size_t n = strlen(text);
	int i = 0;

	for (const char *w = o->arg; ; i++) {
		size_t len = strcspn(w, "|");
		if (len == n && memcmp(w, text, n) == 0) {
			*(int *)o->to = i;
			return 0;
		}
		if (w[len] == '\0')
			break;
		w += len + 1;
	}
	return err_set(e, SFT_USAGE, "'%s' is none of %s", text, o->arg);
}

static int set_value(const struct opt *o, const char *text, struct err *e)
{
	switch (o->kind) {
	case OPT_K_STR:
		*(const char **)o->to = text;
		return 0;
	case OPT_K_INT:
		return set_int(o, text, e);
	case OPT_K_REAL:
		return opt_number(text, o->min, o->max, o->to, e);
	case OPT_K_SIZE:
		return set_size(o, text, e);
	case OPT_K_CHOICE:
		return set_choice(o, text, e);
	case OPT_K_LIST: {
		struct opt_list *l = o->to;
		ARRAY_ROOM(l->v, l->n, l->cap);
		l->v[l->n++] = text;
		return 0;
	}
	case OPT_K_CALL:
		return o->call(o->to, text, e);
	default:
		return err_set(e, SFT_USAGE, "takes no value");
	}
}

/* --- names --- */

static size_t distance(const char *a, const char *b)
{
	size_t n = strlen(b), row[64];

	if (n >= 63 || strlen(a) >= 63)
		return 99;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diag = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t best = diag + (a[i - 1] != b[j - 1]);
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diag = row[j];
			row[j] = best;
		}
	}
	return row[n];
}

const char *opt_nearest(const char *name, const char *const *words, size_t n)
{
	size_t limit = strlen(name) / 3 + 1, best = limit + 1;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t d = distance(name, words[i]);
		if (d < best) {
			best = d;
			found = words[i];
		}
	}
	return found;
}

static const struct opt *find(const struct opt *const *tables, const char *name, size_t n, bool *negated)
{
	*negated = false;
	for (int pass = 0; pass < 2; pass++) {
		for (const struct opt *const *t = tables; *t; t++)
			for (const struct opt *o = *t; o->kind != OPT_K_END; o++) {
				if (o->name == NULL || strlen(o->name) != n || memcmp(o->name, name, n) != 0)
					continue;
				if (pass == 1 && o->kind != OPT_K_FLAG)
					continue;
				*negated = pass == 1;
				return o;
			}
		if (n < 4 || memcmp(name, "no-", 3) != 0)
			break;
		name += 3;
		n -= 3;
	}
	return NULL;
}

static const struct opt *find_letter(const struct opt *const *tables, char c)
{
	for (const struct opt *const *t = tables; *t; t++)
		for (const struct opt *o = *t; o->kind != OPT_K_END; o++)
			if (o->letter == c && c)
				return o;
	return NULL;
}

static int unknown(const struct opt *const *tables, const char *name, size_t n, struct err *e)
{
	const char *words[512], *near;
	char *given = mem_strn(name, n);
	size_t k = 0;

	for (const struct opt *const *t = tables; *t; t++)
		for (const struct opt *o = *t; o->kind != OPT_K_END; o++)
			if (o->name && k < 512)
				words[k++] = o->name;
	if ((near = opt_nearest(given, words, k)) != NULL)
		err_set(e, SFT_USAGE, "unknown option --%s (did you mean --%s?)", given, near);
	else
		err_set(e, SFT_USAGE, "unknown option --%s (-h lists them)", given);
	mem_free(given);
	return SFT_USAGE;
}

int opt_set(const struct opt *const *tables, const char *name, const char *value, struct err *e)
{
	bool negated;
	const struct opt *o = find(tables, name, strlen(name), &negated);

	if (o == NULL)
		return unknown(tables, name, strlen(name), e);
	if (!takes_value(o)) {
		bool on = value == NULL || strcmp(value, "true") == 0;

		if (!on && strcmp(value, "false") != 0)
			return err_set(e, SFT_USAGE, "--%s takes true or false", name);
		if (o->kind == OPT_K_FLAG)
			*(bool *)o->to = on != negated;
		else if (on)
			return o->call(o->to, NULL, e);
		return 0;
	}
	if (value == NULL)
		return err_set(e, SFT_USAGE, "--%s needs a value (%s)", name, o->arg);
	return set_value(o, value, e) ? err_in(e, "--%s", name) : 0;
}

/* One option given: VALUE NULL for those that take none. */
static int set_given(void *ctx, const struct opt *o, const char *value, bool negated, struct err *e)
{
	(void)ctx;
	if (o->kind == OPT_K_FLAG)
		*(bool *)o->to = !negated;
	else if (value == NULL)
		return o->call(o->to, NULL, e);
	else if (set_value(o, value, e) != 0)
		return o->name ? err_in(e, "--%s", o->name) : err_in(e, "-%c", o->letter);
	return 0;
}

struct walk {
	int argc;
	char **argv;
	const struct opt *const *tables;
	opt_given *fn;
	void *ctx;
	struct err *e;
};

static int walk_long(const struct walk *w, int *i)
{
	const char *name = w->argv[*i] + 2, *eq = strchr(name, '=');
	size_t n = eq ? (size_t)(eq - name) : strlen(name);
	bool negated;
	const struct opt *o = find(w->tables, name, n, &negated);

	if (o == NULL)
		return unknown(w->tables, name, n, w->e);
	if (!takes_value(o)) {
		if (eq)
			return err_set(w->e, SFT_USAGE, "--%.*s takes no value", (int)n, name);
		return w->fn(w->ctx, o, NULL, negated, w->e);
	}
	if (eq == NULL && *i + 1 >= w->argc)
		return err_set(w->e, SFT_USAGE, "--%s needs a value (%s)", o->name, o->arg);
	return w->fn(w->ctx, o, eq ? eq + 1 : w->argv[++*i], false, w->e);
}

static int walk_short(const struct walk *w, int *i)
{
	for (const char *s = w->argv[*i] + 1; *s; s++) {
		const struct opt *o = find_letter(w->tables, *s);
		int rc;

		if (o == NULL)
			return err_set(w->e, SFT_USAGE, "unknown option -%c (-h lists them)", *s);
		if (takes_value(o)) {
			const char *v = s[1] ? s + 1 : *i + 1 < w->argc ? w->argv[++*i] : NULL;
			if (v == NULL)
				return err_set(w->e, SFT_USAGE, "-%c needs a value (%s)", *s, o->arg);
			return w->fn(w->ctx, o, v, false, w->e);
		}
		if ((rc = w->fn(w->ctx, o, NULL, false, w->e)) != 0)
			return rc;
	}
	return 0;
}

/* OPERANDS, if not NULL, receives the operands; it may be ARGV itself. */
static int walk(const struct walk *w, char **operands, int *noperands)
{
	int n = 0, rc = 0;
	bool ended = false;

	for (int i = 1; i < w->argc && rc == 0; i++) {
		char *a = w->argv[i];

		if (ended || a[0] != '-' || a[1] == '\0') {
			if (operands)
				operands[n] = a;
			n++;
		} else if (strcmp(a, "--") == 0) {
			ended = true;
		} else {
			rc = a[1] == '-' ? walk_long(w, &i) : walk_short(w, &i);
		}
	}
	if (noperands)
		*noperands = n;
	return rc;
}

int opt_parse(int argc, char **argv, const struct opt *const *tables, int *noperands, struct err *e)
{
	struct walk w = { argc, argv, tables, set_given, NULL, e };

	return walk(&w, argv, noperands);
}

int opt_each(int argc, char **argv, const struct opt *const *tables, opt_given *fn, void *ctx, struct err *e)
{
	struct walk w = { argc, argv, tables, fn, ctx, e };

	return walk(&w, NULL, NULL);
}

const struct opt *opt_find(const struct opt *const *tables, const char *name)
{
	bool negated;
	const struct opt *o = find(tables, name, strlen(name), &negated);

	return negated ? NULL : o;
}

/* --- usage --- */

void opt_usage(FILE *f, const char *synopsis, const char *about, const struct opt *const *tables)
{
	fprintf(f, "usage: %s\n%s\n", synopsis, about);
	for (const struct opt *const *t = tables; *t; t++)
		for (const struct opt *o = *t; o->kind != OPT_K_END; o++) {
			char left[80];
			int n;

			if (o->kind == OPT_K_HEAD) {
				fprintf(f, "\n%s:\n", o->help);
				continue;
			}
			if (o->help == NULL)
				continue;
			n = o->name == NULL ? snprintf(left, sizeof left, "  -%c", o->letter)
			    : o->letter ? snprintf(left, sizeof left, "  -%c, --%s", o->letter, o->name)
			    : snprintf(left, sizeof left, "      --%s", o->name);
			if (o->arg && n < 60)
				snprintf(left + n, sizeof left - (size_t)n, " %s", o->arg);
			if (strlen(left) > 29)
				fprintf(f, "%s\n%30s%s\n", left, "", o->help);
			else
				fprintf(f, "%-30s%s\n", left, o->help);
		}
}
