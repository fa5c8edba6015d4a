/* SPDX-License-Identifier: Apache-2.0 */
#include "runplan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "opt.h"

static const char *const part_name[PARTS] = { "train", "val", "test" };

/* --- small things --- */

void strings_add(struct strings *s, const char *text)
{
	ARRAY_ROOM(s->v, s->n, s->cap);
	s->v[s->n++] = text;
}

const char *plan_text(struct run_plan *p, const char *fmt, ...)
{
	struct buf b = {0};
	const char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	va_start(ap, fmt);
	vsnprintf(buf_room(&b, (size_t)n + 1), (size_t)n + 1, fmt, ap);
	va_end(ap);
	text = arena_str(p->a, b.p, (size_t)n);
	buf_free(&b);
	return text;
}

int plan_wrong(const struct run_plan *p, const struct yaml *at, const char *fmt, ...)
{
	char what[700];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	return err_set(p->e, SFT_BADDATA, "%s:%zu: %s", p->path, at->line ? at->line : 1, what);
}

int plan_unknown(const struct run_plan *p, const struct yaml *at, const char *key, const char *const *words)
{
	struct buf list = {0};
	const char *near;
	size_t n = 0;
	int rc;

	for (; words[n]; n++)
		buf_fmt(&list, "%s%s", n ? ", " : "", words[n]);
	near = opt_nearest(key, words, n);
	rc = near ? plan_wrong(p, at, "unknown key '%.60s' (did you mean '%s'?)", key, near)
	          : plan_wrong(p, at, "unknown key '%.60s' (expected %s)", key, list.p);
	buf_free(&list);
	return rc;
}

int plan_name(const struct run_plan *p, const struct yaml *at, const char *name)
{
	size_t good = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return *name && !name[good] && *name != '-' && strlen(name) <= 100
		       ? 0
		       : plan_wrong(p, at, "'%.60s' is no name (expected letters, digits, _ and -)", name);
}

int plan_file(const struct run_plan *p, const struct yaml *v, const char *what)
{
	if (v->kind != YAML_TEXT)
		return plan_wrong(p, v, "%s: expected the name of a file", what);
	return access(v->text, R_OK) == 0 ? 0 : plan_wrong(p, v, "%s: '%.200s' cannot be read (expected a file that is there)", what, v->text);
}

/* --- steps --- */

struct run_step *plan_step(struct run_plan *p, const char *name, const char *tool)
{
	struct run_step *s;
	const char *space = strchr(tool, ' ');

	ARRAY_ROOM(p->step, p->n, p->cap);
	s = &p->step[p->n++];
	*s = (struct run_step){ .name = name };
	strings_add(&s->argv, space ? arena_str(p->a, tool, (size_t)(space - tool)) : tool);
	if (space)
		strings_add(&s->argv, space + 1);
	return s;
}

void step_option(struct run_step *s, const char *name, const char *value)
{
	strings_add(&s->argv, name);
	strings_add(&s->argv, value);
}

void step_input(struct run_step *s, const char *path)
{
	strings_add(&s->argv, path);
	strings_add(&s->in, path);
}

void step_output(struct run_step *s, const char *path)
{
	step_option(s, "-o", path);
	strings_add(&s->out, path);
}

bool plan_listed(const char *const *words, const char *word)
{
	for (; words && *words; words++)
		if (strcmp(*words, word) == 0)
			return true;
	return false;
}

/* One value of an option; a file that it names is an input. */
static int put_value(struct run_plan *p, struct run_step *s, const char *key, const struct yaml *v)
{
	const char *file = v->text + (v->text[0] == '@');

	if (v->text[0] == '@' && access(file, R_OK) != 0)
		return plan_wrong(p, v, "%s: '%.200s' cannot be read (expected a file that is there)", key, file);
	if (*file && access(file, F_OK) == 0)
		strings_add(&s->in, file);
	if (v->text[0] == '-')
		strings_add(&s->argv, plan_text(p, "--%s=%s", key, v->text));
	else
		step_option(s, plan_text(p, "--%s", key), v->text);
	return 0;
}

static int put_flag(struct run_plan *p, struct run_step *s, const char *key, const struct yaml *v)
{
	if (v->kind == YAML_TEXT && strcmp(v->text, "true") == 0)
		strings_add(&s->argv, plan_text(p, "--%s", key));
	else if (v->kind == YAML_TEXT && strcmp(v->text, "false") == 0)
		strings_add(&s->argv, plan_text(p, "--no-%s", key));
	else
		return plan_wrong(p, v, "%s: expected true or false", key);
	return 0;
}

/* A list is one value with commas where the option takes such, else the option again for each item. */
static int put_list(struct run_plan *p, struct run_step *s, const char *key, const struct toolopt *o, const struct yaml *v)
{
	bool join = strstr(o->arg, ",...") || strcmp(o->arg, "LIST") == 0;
	struct buf all = {0};
	int rc = 0;

	for (size_t i = 0; i < v->n && rc == 0; i++) {
		if (v->item[i].kind != YAML_TEXT)
			rc = plan_wrong(p, &v->item[i], "%s: expected a list of texts", key);
		else if (join)
			buf_fmt(&all, "%s%s", i ? "," : "", v->item[i].text);
		else
			rc = put_value(p, s, key, &v->item[i]);
	}
	if (rc == 0 && join)
		step_option(s, plan_text(p, "--%s", key), arena_str(p->a, all.p ? all.p : "", all.n));
	buf_free(&all);
	return rc;
}

static int put_option(struct run_plan *p, struct run_step *s, const struct tooltable *t, const char *key, const struct yaml *v)
{
	static const char *const own[] = { "recipe", "help", "version", "resume", NULL };
	const struct toolopt *o = tools_find(t, key);
	const char *near;

	for (size_t i = 0; i < s->argv.n; i++)
		if (strncmp(s->argv.v[i], "--", 2) == 0 && strcmp(s->argv.v[i] + 2, key) == 0)
			return plan_wrong(p, v, "'%s' of %s is set by the recipe's other sections", key, t->tool);
	if (plan_listed(own, key) || (o && o->letter == 'o'))
		return plan_wrong(p, v, "'%s' of %s is for sft run to set", key, t->tool);
	if (o == NULL) {
		near = tools_nearest(t, key);
		return near ? plan_wrong(p, v, "%s has no option '%.60s' (did you mean '%s'?)", t->tool, key, near)
		            : plan_wrong(p, v, "%s has no option '%.60s' (sft %s -h lists them)", t->tool, key, t->tool);
	}
	if (v->kind == YAML_MAP)
		return plan_wrong(p, v, "%s: expected a text or a list", key);
	if (o->arg == NULL)
		return put_flag(p, s, key, v);
	return v->kind == YAML_LIST ? put_list(p, s, key, o, v) : put_value(p, s, key, v);
}

int step_options(struct run_plan *p, struct run_step *s, const struct yaml *v, const char *const *skip)
{
	const char *tool = s->argv.v[0];
	const struct tooltable *t;
	int rc = 0;

	if (s->argv.n > 1 && s->argv.v[1][0] != '-' && (strcmp(tool, "terms") == 0 || strcmp(tool, "shard") == 0))
		tool = plan_text(p, "%s %s", tool, s->argv.v[1]);
	if (v && v->kind != YAML_MAP)
		return plan_wrong(p, v, "expected options of %s, 'option: value'", tool);
	if (v == NULL)
		return 0;
	if ((rc = tools_options(&p->tools, tool, &t, p->e)) != 0)
		return plan_wrong(p, v, "%s", plan_text(p, "%s", p->e->msg));
	for (size_t i = 0; i < v->n && rc == 0; i++)
		if (!plan_listed(skip, v->key[i]))
			rc = put_option(p, s, t, v->key[i], &v->item[i]);
	return rc;
}

static void seeded(struct run_plan *p, struct run_step *s)
{
	if (p->seed)
		step_option(s, "--seed", p->seed);
}

/* --- sources --- */

/* The ending of the records in PATH, without what packs them. */
const char *plan_ending(const char *path)
{
	static const char *const known[] = { "csv", "tsv", "jsonl", "json", "rec" };
	size_t n = strlen(path), k;

	if (n > 3 && strcmp(path + n - 3, ".gz") == 0)
		n -= 3;
	else if (n > 4 && strcmp(path + n - 4, ".zst") == 0)
		n -= 4;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (n > (k = strlen(known[i])) && path[n - k - 1] == '.' && memcmp(path + n - k, known[i], k) == 0)
			return known[i];
	return "csv";
}

static int split_step(struct run_plan *p, struct run_source *s, const char *name, const char *folder, const struct yaml *v)
{
	const char *from = s->part[TRAIN], *end = plan_ending(from);
	const struct yaml *val = yaml_get(v, "val"), *test = yaml_get(v, "test");
	bool has[PARTS] = { true, !val || val->kind != YAML_TEXT || atof(val->text) > 0, test && test->kind == YAML_TEXT && atof(test->text) > 0 };
	struct run_step *st;
	int rc;

	if (!s->whole)
		return plan_wrong(p, v, "%s is split twice", s->name);
	st = plan_step(p, name, "split");
	step_option(st, "-o", folder);
	seeded(p, st);
	if ((rc = step_options(p, st, v, NULL)) != 0)
		return rc;
	step_input(st, from);
	for (int k = 0; k < PARTS; k++) {
		if (!has[k])
			continue;
		if (k != TRAIN && s->part[k])
			return plan_wrong(p, v, "the split of %s makes a %s, which it has already", s->name, part_name[k]);
		s->part[k] = plan_text(p, "%s/%s.%s", folder, part_name[k], end);
		strings_add(&st->out, s->part[k]);
	}
	s->whole = false;
	return 0;
}

/* What changes the records that are learnt from, and never those that are measured with. */
static bool train_only(const char *tool)
{
	return strcmp(tool, "augment") == 0 || strcmp(tool, "mix") == 0;
}

static int each_part(struct run_plan *p, struct run_source *s, const char *name, const char *folder, const char *tool, const struct yaml *v)
{
	for (int k = 0; k < PARTS; k++) {
		const char *end = strcmp(tool, "prompt") == 0 ? "jsonl" : s->part[k] ? plan_ending(s->part[k]) : "", *to;
		struct run_step *st;
		int rc;

		if (s->part[k] == NULL || (k != TRAIN && train_only(tool)))
			continue;
		st = plan_step(p, s->part[VAL] || s->part[TEST] ? plan_text(p, "%s/%s", name, part_name[k]) : name, tool);
		to = plan_text(p, "%s/%s.%s", folder, part_name[k], end);
		step_output(st, to);
		seeded(p, st);
		if ((rc = step_options(p, st, v, NULL)) != 0)
			return rc;
		step_input(st, s->part[k]);
		s->part[k] = to;
	}
	return 0;
}

static int describe_step(struct run_plan *p, struct run_source *s, const char *name, const char *folder, const struct yaml *v)
{
	struct run_step *st = plan_step(p, name, "describe");
	int rc;

	step_output(st, plan_text(p, "%s.json", folder));
	strings_add(&st->argv, "--json");
	if ((rc = step_options(p, st, v, NULL)) != 0)
		return rc;
	for (int k = 0; k < PARTS; k++)
		if (s->part[k])
			step_input(st, s->part[k]);
	return 0;
}

/* One item of `steps`: a tool and its options. */
static int source_step(struct run_plan *p, struct run_source *s, size_t number, const struct yaml *v)
{
	static const char *const tools[] = { "clean", "terms replace", "terms check", "dedup", "describe", "split", "augment", "prompt", NULL };
	const char *tool, *name, *folder;

	if (v->kind != YAML_MAP || v->n != 1)
		return plan_wrong(p, v, "expected a tool with its options, '- clean: {...}'");
	tool = v->key[0];
	if (!plan_listed(tools, tool))
		return plan_unknown(p, v, tool, tools);
	name = plan_text(p, "%s/%zu-%.*s", s->name, number, (int)strcspn(tool, " "), tool);
	folder = plan_text(p, "%s/data/%s", p->dir, name);
	if (strcmp(tool, "split") == 0)
		return split_step(p, s, name, folder, &v->item[0]);
	if (strcmp(tool, "describe") == 0)
		return describe_step(p, s, name, folder, &v->item[0]);
	return each_part(p, s, name, folder, tool, &v->item[0]);
}

int plan_weight(const struct run_plan *p, const struct yaml *v, const char **out)
{
	struct err ignored;
	double from, to;

	if (v == NULL)
		return 0;
	if (v->kind != YAML_TEXT || opt_span(v->text, 0, 1e6, &from, &to, &ignored) != 0 || (from == 0 && to == 0))
		return plan_wrong(p, v, "weight '%.40s' (expected a number over 0, or two: 0.5-0.1)", v->kind == YAML_TEXT ? v->text : "");
	*out = v->text;
	return 0;
}

static int take_source(struct run_plan *p, struct run_source *s, const char *name, const struct yaml *v)
{
	static const char *const keys[] = { "file", "val", "test", "weight", "steps", NULL };
	const struct yaml *steps = yaml_get(v, "steps");
	int rc = plan_name(p, v, name);

	*s = (struct run_source){ .name = name, .weight = "1", .whole = true };
	if (rc == 0 && v->kind != YAML_MAP)
		return plan_wrong(p, v, "expected a mapping (file, weight, steps...)");
	for (size_t i = 0; i < v->n && rc == 0; i++) {
		if (!plan_listed(keys, v->key[i]))
			rc = plan_unknown(p, &v->item[i], v->key[i], keys);
		for (int k = 0; k < PARTS && rc == 0; k++)
			if (strcmp(v->key[i], k == TRAIN ? "file" : part_name[k]) == 0 && (rc = plan_file(p, &v->item[i], v->key[i])) == 0)
				s->part[k] = v->item[i].text;
	}
	if (rc == 0 && s->part[TRAIN] == NULL)
		rc = plan_wrong(p, v, "%s has no 'file'", name);
	if (rc == 0)
		rc = plan_weight(p, yaml_get(v, "weight"), &s->weight);
	if (rc == 0 && steps && steps->kind != YAML_LIST)
		rc = plan_wrong(p, steps, "steps: expected a list of '- TOOL: {options}'");
	for (size_t i = 0; rc == 0 && steps && i < steps->n; i++)
		rc = source_step(p, s, i + 1, &steps->item[i]);
	return rc;
}

/* Chat records to shards: those that are learnt from and validated with. */
static int tokenize_source(struct run_plan *p, struct run_source *s)
{
	for (int k = TRAIN; k <= VAL; k++) {
		struct run_step *st;
		int rc;

		if (s->part[k] == NULL)
			continue;
		st = plan_step(p, plan_text(p, "%s/tokenize/%s", s->name, part_name[k]), "tokenize");
		step_option(st, "--model", p->model);
		strings_add(&st->in, p->model);
		s->shard[k] = plan_text(p, "%s/data/%s/%s.shard", p->dir, s->name, part_name[k]);
		step_output(st, s->shard[k]);
		if ((rc = step_options(p, st, yaml_get(p->doc, "tokenize"), NULL)) != 0)
			return rc;
		step_input(st, s->part[k]);
	}
	return 0;
}

/* --- the recipe --- */

static int scalar(struct run_plan *p, const char *key, const char **out)
{
	const struct yaml *v = yaml_get(p->doc, key);

	if (v && v->kind != YAML_TEXT)
		return plan_wrong(p, v, "%s: expected a text", key);
	*out = v ? v->text : *out;
	return 0;
}

static int check_keys(struct run_plan *p)
{
	static const char *const keys[] = { "model", "seed", "data", "tokenize", "train", "stages", "baseline", "generate", "eval", "perplexity",
	                                    "report", NULL };
	int rc = 0;

	if (p->doc->kind != YAML_MAP)
		return plan_wrong(p, p->doc, "not a recipe (expected model, data, stages...)");
	for (size_t i = 0; i < p->doc->n && rc == 0; i++)
		if (!plan_listed(keys, p->doc->key[i]))
			rc = plan_unknown(p, &p->doc->item[i], p->doc->key[i], keys);
	if (rc || (rc = scalar(p, "model", &p->model)) != 0 || (rc = scalar(p, "seed", &p->seed)) != 0)
		return rc;
	if (p->model == NULL)
		return plan_wrong(p, p->doc, "no 'model' (expected a Hugging Face folder or a GGUF file)");
	return plan_file(p, yaml_get(p->doc, "model"), "model");
}

int plan_make(struct run_plan *p)
{
	struct run_sources s = {0};
	struct yaml doc;
	const struct yaml *data;
	int rc = yaml_file(p->a, p->path, &doc, p->e);

	if (rc)
		return rc;
	p->doc = &doc;
	p->tools.a = p->a;
	if ((rc = check_keys(p)) != 0)
		return rc;
	data = yaml_get(&doc, "data");
	if (data == NULL || data->kind != YAML_MAP || data->n == 0)
		return plan_wrong(p, data ? data : &doc, "no data (expected 'data:' with 'NAME: {file: FILE}')");
	s.v = mem_new(data->n * sizeof *s.v);
	for (; s.n < data->n && rc == 0; s.n++)
		if ((rc = take_source(p, &s.v[s.n], data->key[s.n], &data->item[s.n])) == 0)
			rc = tokenize_source(p, &s.v[s.n]);
	if (rc == 0)
		rc = plan_stages(p, &s);
	mem_free(s.v);
	p->doc = NULL;
	return rc;
}

void plan_release(struct run_plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		mem_free(p->step[i].argv.v);
		mem_free(p->step[i].in.v);
		mem_free(p->step[i].out.v);
	}
	mem_free(p->step);
	tools_release(&p->tools);
}

/* --- as shell --- */

static void quote(struct buf *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,:=@%+";

	if (*word && word[strspn(word, plain)] == '\0') {
		buf_str(out, word);
		return;
	}
	buf_ch(out, '\'');
	for (; *word; word++)
		if (*word == '\'')
			buf_str(out, "'\\''");
		else
			buf_ch(out, *word);
	buf_ch(out, '\'');
}

void plan_print_words(const struct strings *words, struct buf *out)
{
	for (size_t i = 0; i < words->n; i++) {
		buf_ch(out, ' ');
		quote(out, words->v[i]);
	}
	buf_ch(out, '\n');
}

void plan_print(const struct run_step *s, struct buf *out)
{
	buf_str(out, "sft");
	plan_print_words(&s->argv, out);
}
