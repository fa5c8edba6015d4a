/* SPDX-License-Identifier: Apache-2.0 */
/* The second half of a recipe: stages of training, each from the best of the one before, then measurement and the report. */
#include <string.h>

#include "runplan.h"

/* What a stage leaves: a model, and an adapter of it or NULL. */
struct result {
	const char *model, *adapter;
};

struct stage {
	const char *name;
	const struct yaml *v;
	struct yaml options;           /* of train: those of all stages, with its own over them */
	const struct stage *from;      /* NULL: the recipe's model */
	int state;                     /* 0 not planned, 1 being planned, 2 planned */
	struct result result;
	const char *run;
};

struct stages {
	struct run_plan *p;
	struct run_sources *s;
	struct stage *v;
	size_t n;
};

/* --- options of train --- */

/* Those that say what an adapter is; one that goes on keeps its own. */
static const char *const layout[] = { "method", "rank", "alpha", "targets", "rslora", "dora", "prefix-len", NULL };

static const char *const shape[] = { "rank", "alpha", "dropout", "targets", "rslora", "dora", "prefix-len", NULL };

/* A stage that names its method takes over none of another method's options. */
static void merge_options(struct run_plan *p, struct yaml *out, const struct yaml *all, const struct yaml *own)
{
	size_t room = (all ? all->n : 0) + (own ? own->n : 0) + 1;

	*out = (struct yaml){ .kind = YAML_MAP, .line = own ? own->line : all ? all->line : 1 };
	out->item = arena_get(p->a, room * sizeof *out->item);
	out->key = arena_get(p->a, room * sizeof *out->key);
	for (size_t i = 0; all && i < all->n; i++)
		if (!yaml_get(own, all->key[i]) && !(yaml_get(own, "method") && plan_listed(shape, all->key[i]))) {
			out->key[out->n] = all->key[i];
			out->item[out->n++] = all->item[i];
		}
	for (size_t i = 0; own && i < own->n; i++) {
		out->key[out->n] = own->key[i];
		out->item[out->n++] = own->item[i];
	}
}

static bool same_value(const struct yaml *a, const struct yaml *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	if (a->kind != b->kind || a->n != b->n)
		return false;
	if (a->kind == YAML_TEXT)
		return strcmp(a->text, b->text) == 0;
	for (size_t i = 0; i < a->n; i++)
		if (!same_value(&a->item[i], &b->item[i]))
			return false;
	return true;
}

static bool same_layout(const struct stage *a, const struct stage *b)
{
	for (size_t i = 0; layout[i]; i++)
		if (!same_value(yaml_get(&a->options, layout[i]), yaml_get(&b->options, layout[i])))
			return false;
	return true;
}

static bool method_is(const struct stage *s, const char *name)
{
	const struct yaml *m = yaml_get(&s->options, "method");

	return m && m->kind == YAML_TEXT && strcmp(m->text, name) == 0;
}

/* --- data of a stage --- */

static struct run_source *source_named(struct stages *k, const char *name)
{
	for (size_t i = 0; i < k->s->n; i++)
		if (strcmp(k->s->v[i].name, name) == 0)
			return &k->s->v[i];
	return NULL;
}

static int put_source(struct stages *k, struct run_step *st, const struct yaml *at, const char *name, const char *weight)
{
	const struct run_source *s = source_named(k, name);
	const char **names;
	int rc;

	if (s) {
		step_option(st, "--data", plan_text(k->p, "%s:%s", s->shard[TRAIN], weight ? weight : s->weight));
		strings_add(&st->in, s->shard[TRAIN]);
		return 0;
	}
	names = mem_new((k->s->n + 1) * sizeof *names);
	for (size_t i = 0; i < k->s->n; i++)
		names[i] = k->s->v[i].name;
	rc = plan_unknown(k->p, at, name, names);
	mem_free(names);
	return rc;
}

/* `data`: a name, names, or names with weights; without it all sources. */
static int put_data(struct stages *k, struct run_step *st, const struct yaml *v)
{
	int rc = 0;

	for (size_t i = 0; v == NULL && i < k->s->n && rc == 0; i++)
		rc = put_source(k, st, k->p->doc, k->s->v[i].name, NULL);
	if (v && v->kind == YAML_TEXT)
		return put_source(k, st, v, v->text, NULL);
	for (size_t i = 0; v && i < v->n && rc == 0; i++) {
		const char *weight = NULL;

		if (v->kind == YAML_MAP && (rc = plan_weight(k->p, &v->item[i], &weight)) == 0)
			rc = put_source(k, st, &v->item[i], v->key[i], weight);
		else if (v->kind == YAML_LIST)
			rc = v->item[i].kind == YAML_TEXT ? put_source(k, st, &v->item[i], v->item[i].text, NULL)
			                                  : plan_wrong(k->p, &v->item[i], "data: expected names of sources");
	}
	return rc;
}

/* All there are, whatever is trained on: what is forgotten is seen. */
static void put_validation(struct stages *k, struct run_step *st)
{
	for (size_t i = 0; i < k->s->n; i++)
		if (k->s->v[i].shard[VAL]) {
			step_option(st, "--val", k->s->v[i].shard[VAL]);
			strings_add(&st->in, k->s->v[i].shard[VAL]);
		}
}

/* --- one stage --- */

/* Where S begins: with the adapter before it, or with a model that has it folded in. */
static int begin_from(struct stages *k, struct stage *s, struct result *from)
{
	struct run_plan *p = k->p;
	struct run_step *st;

	*from = s->from ? s->from->result : (struct result){ p->model, NULL };
	if (from->adapter == NULL || (same_layout(s, s->from) && !method_is(s, "full")))
		return 0;
	if (method_is(s->from, "prefix"))
		return plan_wrong(p, s->v, "%s trains something else than the prefix of %s, which cannot be folded into the model", s->name, s->from->name);
	st = plan_step(p, plan_text(p, "%s/merge", s->name), "merge");
	step_option(st, "--model", from->model);
	step_option(st, "--adapter", from->adapter);
	strings_add(&st->in, from->model);
	strings_add(&st->in, from->adapter);
	step_option(st, "--to", "hf");
	from->model = plan_text(p, "%s/stages/%s-base", p->dir, s->name);
	from->adapter = NULL;
	step_output(st, from->model);
	return 0;
}

static int train_step(struct stages *k, struct stage *s, const struct result *from)
{
	struct run_plan *p = k->p;
	struct run_step *st = plan_step(p, plan_text(p, "%s/train", s->name), "train");
	int rc;

	step_option(st, "--model", from->model);
	strings_add(&st->in, from->model);
	if (from->adapter) {
		step_option(st, "--adapter", from->adapter);
		strings_add(&st->in, from->adapter);
	}
	if ((rc = put_data(k, st, yaml_get(s->v, "data"))) != 0)
		return rc;
	put_validation(k, st);
	if (p->seed)
		step_option(st, "--seed", p->seed);
	step_option(st, "-o", s->run);
	st->folder = s->run;
	strings_add(&st->out, plan_text(p, "%s/best", s->run));
	strings_add(&st->out, plan_text(p, "%s/log.jsonl", s->run));
	return step_options(p, st, &s->options, from->adapter ? layout : NULL);
}

static int plan_stage(struct stages *k, struct stage *s)
{
	struct result from;
	int rc = 0;

	if (s->state == 2)
		return 0;
	if (s->state == 1)
		return plan_wrong(k->p, s->v, "stage %s begins from itself: a cycle of 'from'", s->name);
	s->state = 1;
	if (s->from && (rc = plan_stage(k, (struct stage *)s->from)) != 0)
		return rc;
	s->run = plan_text(k->p, "%s/stages/%s", k->p->dir, s->name);
	if ((rc = begin_from(k, s, &from)) != 0 || (rc = train_step(k, s, &from)) != 0)
		return rc;
	s->result = (struct result){ from.model, plan_text(k->p, "%s/best", s->run) };
	if (method_is(s, "full"))
		s->result = (struct result){ s->result.adapter, NULL };
	s->state = 2;
	return 0;
}

/* --- the stages --- */

static int find_from(struct stages *k, struct stage *s)
{
	const struct yaml *v = yaml_get(s->v, "from");
	const char **names;
	int rc;

	s->from = s > k->v ? s - 1 : NULL;
	if (v == NULL)
		return 0;
	if (v->kind != YAML_TEXT)
		return plan_wrong(k->p, v, "from: expected the name of a stage, or 'model'");
	s->from = NULL;
	if (strcmp(v->text, "model") == 0)
		return 0;
	for (size_t i = 0; i < k->n && !s->from; i++)
		if (strcmp(k->v[i].name, v->text) == 0)
			s->from = &k->v[i];
	if (s->from)
		return 0;
	names = mem_new((k->n + 2) * sizeof *names);
	for (size_t i = 0; i < k->n; i++)
		names[i] = k->v[i].name;
	names[k->n] = "model";
	rc = plan_unknown(k->p, v, v->text, names);
	mem_free(names);
	return rc;
}

static int take_stage(struct stages *k, struct stage *s, const char *name, const struct yaml *v)
{
	static const char *const keys[] = { "data", "from", "train", NULL };
	const struct yaml *all = yaml_get(k->p->doc, "train"), *own = yaml_get(v, "train");
	int rc = plan_name(k->p, v, name);

	s->name = name;
	s->v = v;
	if (rc == 0 && v->kind != YAML_MAP)
		rc = plan_wrong(k->p, v, "expected a mapping (data, from, train)");
	for (size_t i = 0; i < v->n && rc == 0; i++)
		if (!plan_listed(keys, v->key[i]))
			rc = plan_unknown(k->p, &v->item[i], v->key[i], keys);
	if (rc == 0 && ((own && own->kind != YAML_MAP) || (all && all->kind != YAML_MAP)))
		rc = plan_wrong(k->p, own ? own : all, "train: expected options, 'option: value'");
	if (rc == 0)
		merge_options(k->p, &s->options, all, own);
	return rc;
}

/* --- measurement --- */

/* The test records, or those for validation where there are none. */
static void put_tests(struct stages *k, struct run_step *st)
{
	bool any = false;

	for (size_t i = 0; i < k->s->n; i++)
		any |= k->s->v[i].part[TEST] != NULL;
	for (size_t i = 0; i < k->s->n; i++)
		if (k->s->v[i].part[any ? TEST : VAL])
			step_input(st, k->s->v[i].part[any ? TEST : VAL]);
}

static bool has_tests(const struct stages *k)
{
	for (size_t i = 0; i < k->s->n; i++)
		if (k->s->v[i].part[TEST] || k->s->v[i].part[VAL])
			return true;
	return false;
}

static void put_model(struct run_step *st, const struct result *r)
{
	step_option(st, "--model", r->model);
	strings_add(&st->in, r->model);
	if (r->adapter) {
		step_option(st, "--adapter", r->adapter);
		strings_add(&st->in, r->adapter);
	}
}

static int eval_step(struct run_plan *p, const char *name, const char *answers, const char *out)
{
	static const char *const skip[] = { "metrics", NULL };
	const struct yaml *v = yaml_get(p->doc, "eval"), *m = yaml_get(v, "metrics");
	struct run_step *st = plan_step(p, name, "eval");
	int rc;

	if (m == NULL || (m->kind == YAML_LIST && m->n == 0) || m->kind == YAML_MAP)
		return plan_wrong(p, m ? m : v, "eval needs metrics (expected 'metrics: [accuracy, ...]')");
	if (m->kind == YAML_TEXT)
		strings_add(&st->argv, m->text);
	for (size_t i = 0; m->kind == YAML_LIST && i < m->n; i++) {
		if (m->item[i].kind != YAML_TEXT)
			return plan_wrong(p, &m->item[i], "metrics: expected names");
		strings_add(&st->argv, m->item[i].text);
	}
	strings_add(&st->argv, "--json");
	step_output(st, out);
	if ((rc = step_options(p, st, v, skip)) != 0)
		return rc;
	step_input(st, answers);
	return 0;
}

/* Answers of model R and their figures, which go into SHOWN. */
static int measure(struct stages *k, const char *what, const struct result *r, struct strings *shown)
{
	struct run_plan *p = k->p;
	const char *answers = plan_text(p, "%s/%s.jsonl", p->dir, what), *figures = plan_text(p, "%s/%s-eval.json", p->dir, what);
	struct run_step *st = plan_step(p, plan_text(p, "%s/generate", what), "generate");
	int rc;

	put_model(st, r);
	if (p->seed)
		step_option(st, "--seed", p->seed);
	step_output(st, answers);
	if ((rc = step_options(p, st, yaml_get(p->doc, "generate"), NULL)) != 0)
		return rc;
	put_tests(k, st);
	strings_add(shown, answers);
	if (yaml_get(p->doc, "eval") == NULL)
		return 0;
	strings_add(shown, figures);
	return eval_step(p, plan_text(p, "%s/eval", what), answers, figures);
}

static int perplexity(struct stages *k, const struct result *r, struct strings *shown)
{
	struct run_plan *p = k->p;
	struct run_step *st = plan_step(p, "perplexity", "eval");
	const char *out = plan_text(p, "%s/perplexity.json", p->dir);
	int rc;

	strings_add(&st->argv, "perplexity");
	put_model(st, r);
	strings_add(&st->argv, "--json");
	step_output(st, out);
	if ((rc = step_options(p, st, yaml_get(p->doc, "perplexity"), NULL)) != 0)
		return rc;
	put_tests(k, st);
	strings_add(shown, out);
	return 0;
}

/* Does each stage begin where the one before it ended? */
static bool one_after_another(const struct stages *k)
{
	for (size_t i = 1; i < k->n; i++)
		if (k->v[i].from != &k->v[i - 1])
			return false;
	return k->n > 1;
}

static int report(struct stages *k, const struct strings *shown)
{
	struct run_plan *p = k->p;
	const struct yaml *v = yaml_get(p->doc, "report");
	size_t before = p->n;
	struct run_step *st = plan_step(p, "report", "report");
	int rc;

	step_output(st, plan_text(p, "%s/report.html", p->dir));
	if ((rc = step_options(p, st, v, NULL)) != 0)
		return rc;
	if (one_after_another(k)) {
		const char *log = plan_text(p, "%s/log.jsonl", p->dir);

		strings_add(&st->argv, "--stages");
		step_option(st, "--log", log);
		strings_add(&st->out, log);
	}
	for (size_t i = 0; i < shown->n; i++)
		step_input(st, shown->v[i]);
	for (size_t i = 0; i < k->n; i++) {
		strings_add(&st->argv, k->v[i].run);
		strings_add(&st->in, plan_text(p, "%s/log.jsonl", k->v[i].run));
	}
	for (size_t i = 0; i < before; i++)
		if (strcmp(p->step[i].argv.v[0], "describe") == 0)
			step_input(st, p->step[i].out.v[0]);
	return 0;
}

static int measurements(struct stages *k, const struct result *last)
{
	struct run_plan *p = k->p;
	const struct yaml *v = yaml_get(p->doc, "baseline"), *eval = yaml_get(p->doc, "eval"), *generate = yaml_get(p->doc, "generate");
	const struct result base = { p->model, NULL };
	struct strings shown = {0};
	int rc = 0;

	if (v && !(v->kind == YAML_TEXT && (strcmp(v->text, "true") == 0 || strcmp(v->text, "false") == 0)))
		return plan_wrong(p, v, "baseline: expected true or false");
	if ((eval || generate || yaml_get(p->doc, "perplexity")) && !has_tests(k))
		return plan_wrong(p, eval ? eval : p->doc, "nothing to measure with (expected a source with 'test' or 'val', or a split)");
	if (v && strcmp(v->text, "true") == 0)
		rc = measure(k, "before", &base, &shown);
	if (rc == 0 && (eval || generate))
		rc = measure(k, "after", last, &shown);
	if (rc == 0 && yaml_get(p->doc, "perplexity"))
		rc = perplexity(k, last, &shown);
	if (rc == 0)
		rc = report(k, &shown);
	mem_free(shown.v);
	return rc;
}

int plan_stages(struct run_plan *p, struct run_sources *s)
{
	static const struct yaml empty = { .kind = YAML_MAP, .line = 1 };
	const struct yaml *v = yaml_get(p->doc, "stages");
	struct stages k = { .p = p, .s = s, .n = v ? v->n : 1 };
	int rc = 0;

	if (v && (v->kind != YAML_MAP || v->n == 0))
		return plan_wrong(p, v, "stages: expected 'NAME: {data, from, train}'");
	k.v = mem_new(k.n * sizeof *k.v);
	for (size_t i = 0; i < k.n && rc == 0; i++)
		rc = v ? take_stage(&k, &k.v[i], v->key[i], &v->item[i]) : take_stage(&k, &k.v[i], "run", &empty);
	for (size_t i = 0; i < k.n && rc == 0; i++)
		rc = find_from(&k, &k.v[i]);
	for (size_t i = 0; i < k.n && rc == 0; i++)
		rc = plan_stage(&k, &k.v[i]);
	if (rc == 0)
		rc = measurements(&k, &k.v[k.n - 1].result);
	mem_free(k.v);
	return rc;
}
