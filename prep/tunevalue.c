/* SPDX-License-Identifier: Apache-2.0 */
/* The values of a space: `rank: [4, 8]`, `lr: {log: [1e-5, 1e-2]}`, `alpha: {choices: [8, 16], when: {method: lora}}`. */
#include <math.h>
#include <string.h>

#include "opt.h"
#include "tunespace.h"

/* --- reading --- */

static int take_words(struct tune_space *s, struct tune_dim *d, const struct yaml *v)
{
	if (v->kind == YAML_MAP || v->n > DIM_LEVELS || (v->kind == YAML_LIST && v->n == 0))
		return plan_wrong(&s->p, v, "%s: expected a value, or a list of 1 to %d", d->name, DIM_LEVELS);
	d->kind = DIM_WORDS;
	d->levels = v->kind == YAML_LIST ? v->n : 1;
	d->word = arena_get(s->p.a, d->levels * sizeof *d->word);
	for (size_t i = 0; i < d->levels; i++) {
		const struct yaml *item = v->kind == YAML_LIST ? &v->item[i] : v;

		if (item->kind != YAML_TEXT)
			return plan_wrong(&s->p, item, "%s: expected a list of values", d->name);
		d->word[i] = item->text;
		for (size_t k = 0; k < i; k++)
			if (strcmp(d->word[k], d->word[i]) == 0)
				return plan_wrong(&s->p, item, "%s: '%.40s' is listed twice", d->name, item->text);
	}
	return 0;
}

static int take_range(struct tune_space *s, struct tune_dim *d, enum dim_kind kind, const struct yaml *v)
{
	struct err ignored;
	double end[2];

	for (int i = 0; i < 2; i++)
		if (v->kind != YAML_LIST || v->n != 2 || v->item[i].kind != YAML_TEXT || opt_number(v->item[i].text, -1e300, 1e300, &end[i], &ignored) != 0)
			return plan_wrong(&s->p, v, "%s: expected two numbers, [LOW, HIGH]", d->name);
	if (end[0] > end[1])
		return plan_wrong(&s->p, v, "%s: %s is over %s (expected [LOW, HIGH])", d->name, v->item[0].text, v->item[1].text);
	if (kind == DIM_LOG && end[0] <= 0)
		return plan_wrong(&s->p, v, "%s: a log range from %s (expected numbers over 0)", d->name, v->item[0].text);
	if (kind == DIM_INT && (floor(end[0]) != end[0] || floor(end[1]) != end[1] || fabs(end[0]) > 0x1p53 || fabs(end[1]) > 0x1p53))
		return plan_wrong(&s->p, v, "%s: expected two whole numbers", d->name);
	d->kind = kind;
	d->lo = end[0];
	d->hi = end[1];
	d->levels = dim_range_levels(d);
	return 0;
}

static int take_map(struct tune_space *s, struct tune_dim *d, struct tune_option *o, const struct yaml *v)
{
	static const char *const keys[] = { "linear", "log", "int", "choices", "when", NULL };
	static const enum dim_kind kind[] = { DIM_LINEAR, DIM_LOG, DIM_INT, DIM_WORDS };
	size_t values = 0;
	int rc = 0;

	for (size_t i = 0; i < v->n && rc == 0; i++) {
		size_t k = 0;

		while (keys[k] && strcmp(keys[k], v->key[i]) != 0)
			k++;
		if (keys[k] == NULL)
			return plan_unknown(&s->p, &v->item[i], v->key[i], keys);
		if (k == 4) {
			o->when = &v->item[i];
			continue;
		}
		values++;
		rc = kind[k] == DIM_WORDS ? take_words(s, d, &v->item[i]) : take_range(s, d, kind[k], &v->item[i]);
	}
	if (rc == 0 && values != 1)
		rc = plan_wrong(&s->p, v, "%s: expected one of linear, log, int and choices", d->name);
	return rc;
}

int value_take(struct tune_space *s, const char *name, struct tune_option o, const struct yaml *v)
{
	struct tune_dim d = { .name = name };
	int rc;

	for (size_t i = 0; i < s->ndim; i++)
		if (strcmp(s->dim[i].name, name) == 0)
			return plan_wrong(&s->p, v, "%s stands here twice", name);
	o.line = v->line;
	if ((rc = v->kind == YAML_MAP ? take_map(s, &d, &o, v) : take_words(s, &d, v)) != 0)
		return rc;
	for (size_t i = 0; o.flag && i < (d.kind == DIM_WORDS ? d.levels : 1); i++)
		if (d.kind != DIM_WORDS || (strcmp(d.word[i], "true") != 0 && strcmp(d.word[i], "false") != 0))
			return plan_wrong(&s->p, v, "%s: expected true and false", name);
	ARRAY_ROOM(s->dim, s->ndim, s->cap);
	ARRAY_ROOM(s->option, s->ndim, s->capo);
	s->dim[s->ndim] = d;
	s->option[s->ndim++] = o;
	return 0;
}

/* --- conditions --- */

/* Options that one method alone has. */
const char *value_method(const char *key)
{
	static const char *const lora[] = { "rank", "alpha", "dropout", "targets", "rslora", "dora", "loraplus-ratio", NULL };

	return plan_listed(lora, key) ? "lora" : strcmp(key, "prefix-len") == 0 ? "prefix" : NULL;
}

static int find_dim(const struct tune_space *s, const struct yaml *at, const char *name, size_t *out)
{
	const char **names;
	int rc;

	for (*out = 0; *out < s->ndim; ++*out)
		if (strcmp(s->dim[*out].name, name) == 0)
			return 0;
	names = mem_new((s->ndim + 1) * sizeof *names);
	for (size_t i = 0; i < s->ndim; i++)
		names[i] = s->dim[i].name;
	rc = plan_unknown(&s->p, at, name, names);
	mem_free(names);
	return rc;
}

static int add_word(const struct tune_space *s, const struct tune_dim *d, const struct yaml *v, struct dim_when *w)
{
	for (size_t k = 0; v->kind == YAML_TEXT && k < d->levels; k++)
		if (strcmp(d->word[k], v->text) == 0) {
			w->levels |= UINT64_C(1) << k;
			return 0;
		}
	return plan_wrong(&s->p, v, "when: '%.40s' is no choice of %s", v->kind == YAML_TEXT ? v->text : "", d->name);
}

/* `when: {NAME: VALUE, NAME: [VALUE, VALUE]}`. */
static int take_when(struct tune_space *s, size_t i)
{
	const struct yaml *v = s->option[i].when;
	int rc = 0;

	if (v->kind != YAML_MAP || v->n == 0 || v->n > DIM_WHEN - 1)
		return plan_wrong(&s->p, v, "when: expected 1 to %d of 'NAME: VALUE'", DIM_WHEN - 1);
	for (size_t k = 0; k < v->n && rc == 0; k++) {
		struct dim_when *w = &s->dim[i].when[k];
		const struct yaml *value = &v->item[k];

		if ((rc = find_dim(s, value, v->key[k], &w->dim)) != 0)
			return rc;
		if (s->dim[w->dim].kind != DIM_WORDS)
			return plan_wrong(&s->p, value, "when: %s is a range (expected one of words)", v->key[k]);
		if (value->kind == YAML_TEXT)
			rc = add_word(s, &s->dim[w->dim], value, w);
		for (size_t j = 0; value->kind != YAML_TEXT && j < value->n && rc == 0; j++)
			rc = add_word(s, &s->dim[w->dim], &value->item[j], w);
	}
	s->dim[i].nwhen = v->n;
	return rc;
}

/* An option of one method is for that method, whether the file says so or not. */
static int mind_method(struct tune_space *s, size_t i)
{
	const char *method = s->option[i].to == TO_TRAIN ? value_method(s->option[i].key) : NULL;
	const struct yaml at = { .line = s->option[i].line };
	struct dim_when *w = &s->dim[i].when[s->dim[i].nwhen];
	size_t m;

	if (method == NULL)
		return 0;
	if (s->method)
		return strcmp(s->method, method) == 0 ? 0 : plan_wrong(&s->p, &at, "%s is for method %s (this space has %s)", s->dim[i].name, method, s->method);
	if (find_dim(s, &at, "method", &m) != 0)
		return s->p.e->code;
	for (size_t k = 0; k < s->dim[m].levels; k++)
		if (strcmp(s->dim[m].word[k], method) == 0) {
			*w = (struct dim_when){ m, UINT64_C(1) << k };
			s->dim[i].nwhen++;
			return 0;
		}
	return plan_wrong(&s->p, &at, "%s is for method %s (which is none of this space's)", s->dim[i].name, method);
}

static bool ready(const struct tune_dim *d, const size_t *place)
{
	for (size_t k = 0; k < d->nwhen; k++)
		if (place[d->when[k].dim] == SIZE_MAX)
			return false;
	return true;
}

int value_order(struct tune_space *s)
{
	struct tune_dim *dim = mem_new((s->ndim + 1) * sizeof *dim);
	struct tune_option *option = mem_new((s->ndim + 1) * sizeof *option);
	size_t *place = mem_new((s->ndim + 1) * sizeof *place), n = 0, before;
	int rc = 0;

	for (size_t i = 0; i < s->ndim && rc == 0; i++) {
		place[i] = SIZE_MAX;
		if ((s->option[i].when == NULL || (rc = take_when(s, i)) == 0))
			rc = mind_method(s, i);
	}
	do {
		before = n;
		for (size_t i = 0; i < s->ndim && rc == 0; i++)
			if (place[i] == SIZE_MAX && ready(&s->dim[i], place)) {
				dim[n] = s->dim[i];
				option[n] = s->option[i];
				for (size_t k = 0; k < dim[n].nwhen; k++)
					dim[n].when[k].dim = place[dim[n].when[k].dim];
				place[i] = n++;
			}
	} while (n > before);
	for (size_t i = 0; i < s->ndim && rc == 0 && n < s->ndim; i++)
		if (place[i] == SIZE_MAX)
			rc = plan_wrong(&s->p, s->option[i].when, "%s depends on itself: a cycle of 'when'", s->dim[i].name);
	if (rc == 0) {
		memcpy(s->dim, dim, n * sizeof *dim);
		memcpy(s->option, option, n * sizeof *option);
	}
	mem_free(dim);
	mem_free(option);
	mem_free(place);
	return rc;
}

/* --- values --- */

void space_words(struct tune_space *s, size_t i, const char *text, struct strings *out)
{
	const struct tune_option *o = &s->option[i];

	if (o->flag)
		strings_add(out, plan_text(&s->p, strcmp(text, "true") == 0 ? "--%s" : "--no-%s", o->key));
	else if (text[0] == '-')
		strings_add(out, plan_text(&s->p, "--%s=%s", o->key, text));
	else {
		strings_add(out, plan_text(&s->p, "--%s", o->key));
		strings_add(out, text);
	}
}

/* A weight over 0; or 0, without the source, where another one is always there. */
static int check_weight(struct tune_space *s, size_t i, const char *text)
{
	const struct yaml v = { .kind = YAML_TEXT, .text = text, .line = s->option[i].line };
	const char *weight;

	for (size_t k = 0; k < s->nsource && strcmp(text, "0") == 0; k++)
		if (s->source[k].weight)
			return 0;
	return plan_weight(&s->p, &v, &weight);
}

int value_check(struct tune_space *s)
{
	static const char *const tools[] = { [TO_TRAIN] = "train", [TO_AUGMENT] = "augment", [TO_GENERATE] = "generate" };
	int rc = 0;

	for (size_t i = 0; i < s->ndim && rc == 0; i++) {
		const struct tune_dim *d = &s->dim[i];
		const struct yaml at = { .line = s->option[i].line };
		struct strings words = {0};
		struct err e = {0};

		for (size_t k = 0; k < d->levels && rc == 0; k++) {
			const char *text = dim_text(s->p.a, d, d->kind == DIM_WORDS ? ((double)k + 0.5) / (double)d->levels : k == 0 ? 0 : 1 - 1e-12);

			if (s->option[i].to == TO_WEIGHT)
				rc = check_weight(s, i, text);
			else
				space_words(s, i, text, &words);
		}
		strings_add(&words, NULL);
		if (rc == 0 && s->option[i].to != TO_WEIGHT && tools_check(&s->p.tools, tools[s->option[i].to], words.v, &e) != 0)
			rc = plan_wrong(&s->p, &at, "%s: %s", d->name, e.msg);
		mem_free(words.v);
	}
	return rc;
}
