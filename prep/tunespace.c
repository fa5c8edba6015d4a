/* SPDX-License-Identifier: Apache-2.0 */
#include "tunespace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "metric.h"
#include "opt.h"

/* --- options --- */

/* Has V, options of TOOL, the key as one of its own; those of *SET are the search's to set. */
static int check_option(struct tune_space *s, const char *tool, const char *const *set, const struct yaml *at, const char *key, const struct toolopt **out)
{
	const struct tooltable *t;
	const char *near;

	if (tools_options(&s->p.tools, tool, &t, s->p.e) != 0)
		return plan_wrong(&s->p, at, "%s", plan_text(&s->p, "%s", s->p.e->msg));
	*out = tools_find(t, key);
	if (plan_listed(set, key) || (*out && (*out)->letter == 'o'))
		return plan_wrong(&s->p, at, "'%s' of %s is for the search to set", key, tool);
	if (*out)
		return 0;
	near = tools_nearest(t, key);
	return near ? plan_wrong(&s->p, at, "%s has no option '%.60s' (did you mean '%s'?)", tool, key, near)
	            : plan_wrong(&s->p, at, "%s has no option '%.60s' (sft %s -h lists them)", tool, key, tool);
}

static const char *const set_of_train[] = { "model", "data", "val", "adapter", "seed", "resume", "until", "metric", "output", "jobs", "quiet", "recipe", NULL };
static const char *const set_of_others[] = { "model", "adapter", "seed", "output", "jobs", "quiet", "recipe", NULL };

/* Is V more than one value. */
static bool is_searched(const struct yaml *v)
{
	return v->kind == YAML_MAP || (v->kind == YAML_LIST && v->n != 1);
}

/* --- sources --- */

/* `augment: {rate: [0.1, 0.3], keyboard: 0.05}`: what is searched, and what is not. */
static int take_augment(struct tune_space *s, size_t k, const struct yaml *v)
{
	struct tune_source *x = &s->source[k];
	const struct toolopt *o;
	int rc = 0;

	if (v->kind != YAML_MAP)
		return plan_wrong(&s->p, v, "augment: expected options, 'option: value'");
	x->augmented = true;
	for (size_t i = 0; i < v->n && rc == 0; i++)
		if ((rc = check_option(s, "augment", set_of_others, &v->item[i], v->key[i], &o)) == 0)
			rc = value_take(s, plan_text(&s->p, "%s.%s", x->name, v->key[i]),
			                (struct tune_option){ .to = TO_AUGMENT, .key = v->key[i], .source = k, .flag = o->arg == NULL }, &v->item[i]);
	return rc;
}

static int take_source(struct tune_space *s, size_t k, const char *name, const struct yaml *v)
{
	static const char *const keys[] = { "file", "weight", "augment", NULL };
	struct tune_source *x = &s->source[k];
	const struct yaml *file = v->kind == YAML_MAP ? yaml_get(v, "file") : v, *weight = yaml_get(v, "weight"), *augment = yaml_get(v, "augment");
	int rc = plan_name(&s->p, v, name);

	*x = (struct tune_source){ .name = name, .weight = "1" };
	for (size_t i = 0; v->kind == YAML_MAP && i < v->n && rc == 0; i++)
		if (!plan_listed(keys, v->key[i]))
			rc = plan_unknown(&s->p, &v->item[i], v->key[i], keys);
	if (rc == 0 && file == NULL)
		rc = plan_wrong(&s->p, v, "%s has no 'file'", name);
	if (rc || (rc = plan_file(&s->p, file, name)) != 0)
		return rc;
	x->file = file->text;
	if (weight && is_searched(weight)) {
		x->weight = NULL;
		rc = value_take(s, plan_text(&s->p, "%s.weight", name), (struct tune_option){ .to = TO_WEIGHT, .key = "weight", .source = k }, weight);
	} else if (weight) {
		rc = plan_weight(&s->p, weight->kind == YAML_LIST ? &weight->item[0] : weight, &x->weight);
	}
	return rc == 0 && augment ? take_augment(s, k, augment) : rc;
}

static int take_files(struct tune_space *s, const char *key, struct strings *out)
{
	const struct yaml *v = yaml_get(&s->doc, key);
	int rc = 0;

	if (v && v->kind == YAML_TEXT) {
		strings_add(out, v->text);
		return plan_file(&s->p, v, key);
	}
	for (size_t i = 0; v && i < v->n && rc == 0; i++)
		if ((rc = plan_file(&s->p, &v->item[i], key)) == 0)
			strings_add(out, v->item[i].text);
	return rc;
}

static int take_data(struct tune_space *s)
{
	const struct yaml *v = yaml_get(&s->doc, "data"), *val = yaml_get(&s->doc, "val");
	int rc = 0;

	if (v == NULL)
		return val ? plan_wrong(&s->p, val, "val without data (what is generated is measured on the file of 'generate:')") : 0;
	if (v->kind != YAML_MAP || v->n == 0)
		return plan_wrong(&s->p, v, "data: expected 'NAME: FILE' or 'NAME: {file, weight, augment}'");
	s->source = mem_new(v->n * sizeof *s->source);
	for (; s->nsource < v->n && rc == 0; s->nsource++)
		rc = take_source(s, s->nsource, v->key[s->nsource], &v->item[s->nsource]);
	if (rc == 0 && (rc = take_files(s, "val", &s->val)) == 0 && s->val.n == 0)
		rc = plan_wrong(&s->p, v, "no 'val' (expected validation data: without it nothing is better than anything)");
	return rc;
}

/* --- options of train and generate --- */

/* `train:` is words of every command line; what one method alone has is a choice of one value, made where that method is. */
static int take_fixed(struct tune_space *s, const struct yaml *v)
{
	const char **skip = mem_new(((v ? v->n : 0) + 1) * sizeof *skip);
	struct run_step st = {0};
	const struct toolopt *o;
	size_t n = 0;
	int rc = 0;

	strings_add(&st.argv, "train");
	for (size_t i = 0; v && v->kind == YAML_MAP && i < v->n && rc == 0; i++) {
		rc = check_option(s, "train", set_of_train, &v->item[i], v->key[i], &o);
		if (rc || value_method(v->key[i]) == NULL)
			continue;
		if (v->item[i].kind != YAML_TEXT)
			rc = plan_wrong(&s->p, &v->item[i], "%s: expected one value (what is searched belongs under 'space:')", v->key[i]);
		else
			rc = value_take(s, v->key[i], (struct tune_option){ .to = TO_TRAIN, .key = v->key[i], .flag = o->arg == NULL }, &v->item[i]);
		skip[n++] = v->key[i];
	}
	if (rc == 0)
		rc = step_options(&s->p, &st, v, skip);
	for (size_t i = 1; i < st.argv.n; i++)
		strings_add(&s->train, st.argv.v[i]);
	mem_free(st.argv.v);
	mem_free(st.in.v);
	mem_free(skip);
	return rc;
}

static int take_train(struct tune_space *s)
{
	const struct yaml *v = yaml_get(&s->doc, "train"), *space = yaml_get(&s->doc, "space"), *method = yaml_get(v, "method");
	const struct toolopt *o;
	int rc = 0;

	if ((v || space) && s->nsource == 0)
		return plan_wrong(&s->p, v ? v : space, "options of train without data (expected 'data:')");
	if (space && space->kind != YAML_MAP)
		return plan_wrong(&s->p, space, "space: expected options of train, 'option: values'");
	s->method = method && method->kind == YAML_TEXT ? method->text : yaml_get(space, "method") ? NULL : "lora";
	for (size_t i = 0; space && i < space->n && rc == 0; i++) {
		if ((rc = check_option(s, "train", set_of_train, &space->item[i], space->key[i], &o)) == 0 && yaml_get(v, space->key[i]))
			rc = plan_wrong(&s->p, &space->item[i], "%s stands under train, too", space->key[i]);
		if (rc == 0)
			rc = value_take(s, space->key[i], (struct tune_option){ .to = TO_TRAIN, .key = space->key[i], .flag = o->arg == NULL }, &space->item[i]);
	}
	return rc ? rc : take_fixed(s, v);
}

static int take_generate(struct tune_space *s)
{
	const struct yaml *v = yaml_get(&s->doc, "generate"), *file = yaml_get(v, "file");
	const struct toolopt *o;
	int rc = 0;

	if (v == NULL)
		return 0;
	if (file == NULL)
		return plan_wrong(&s->p, v, "generate has no 'file' (expected chat records to answer)");
	if ((rc = plan_file(&s->p, file, "file")) != 0)
		return rc;
	s->prompts = file->text;
	for (size_t i = 0; i < v->n && rc == 0; i++) {
		if (strcmp(v->key[i], "file") == 0)
			continue;
		if ((rc = check_option(s, "generate", set_of_others, &v->item[i], v->key[i], &o)) == 0)
			rc = value_take(s, plan_text(&s->p, "generate.%s", v->key[i]), (struct tune_option){ .to = TO_GENERATE, .key = v->key[i], .flag = o->arg == NULL },
			                &v->item[i]);
	}
	return rc;
}

/* --- what is better --- */

/* The metric of `sft eval` that gives a value NAME. */
static int find_measure(struct tune_space *s, const struct yaml *v, struct tune_measure *m)
{
	struct metric_opts how;
	struct strings all = {0};
	int rc;

	metric_opts_init(&how);
	*m = (struct tune_measure){ .name = v->text };
	for (const char *const *p = metric_names(); m->metric == NULL && *p; p++) {
		const char *const *names;
		struct metric *one;

		if ((s->prompts == NULL && metric_without_reference(*p)) || metric_open(&one, *p, &how, false, NULL) != 0)
			continue;
		strings_add(&all, *p);
		for (size_t i = 0, n = metric_values(one, &names); i < n; i++)
			strings_add(&all, names[i]);
		for (size_t i = 0; i < all.n && m->metric == NULL; i++)
			if (strcmp(all.v[i], v->text) == 0)
				m->metric = *p;
		m->lower = metric_lower_is_better(one);
		metric_close(one);
	}
	strings_add(&all, "val_loss");
	strings_add(&all, NULL);
	rc = m->metric ? 0 : plan_unknown(&s->p, v, v->text, all.v);
	mem_free(all.v);
	return rc;
}

static int take_metric(struct tune_space *s)
{
	const struct yaml *v = yaml_get(&s->doc, "metric"), *d = yaml_get(&s->doc, "diversity"), *name = yaml_get(d, "metric"), *weight = yaml_get(d, "weight");
	static const char *const keys[] = { "metric", "weight", NULL };
	struct err ignored;
	int rc = 0;

	s->metric = (struct tune_measure){ .name = "val_loss", .lower = true };
	if (v && v->kind != YAML_TEXT)
		return plan_wrong(&s->p, v, "metric: expected a name");
	if (v && strcmp(v->text, "val_loss") != 0 && (rc = find_measure(s, v, &s->metric)) != 0)
		return rc;
	if (s->prompts && s->metric.metric == NULL)
		return plan_wrong(&s->p, v ? v : yaml_get(&s->doc, "generate"), "generate needs a metric of answers (expected 'metric: rougeL' or another value of sft eval)");
	if (d == NULL)
		return 0;
	if (s->prompts == NULL)
		return plan_wrong(&s->p, d, "diversity is of generated answers (expected 'generate:')");
	for (size_t i = 0; d->kind == YAML_MAP && i < d->n && rc == 0; i++)
		if (!plan_listed(keys, d->key[i]))
			rc = plan_unknown(&s->p, &d->item[i], d->key[i], keys);
	if (rc == 0 && (name == NULL || name->kind != YAML_TEXT || weight == NULL || weight->kind != YAML_TEXT || opt_number(weight->text, 1e-9, 1e9, &s->diversity_weight, &ignored) != 0))
		rc = plan_wrong(&s->p, d, "diversity: expected {metric: distinct2, weight: W}, W over 0");
	return rc ? rc : find_measure(s, name, &s->diversity);
}

/* --- search and budget --- */

static int take_number(struct tune_space *s, const struct yaml *v, const char *key, double lo, double hi, bool whole, double *out)
{
	const struct yaml *x = yaml_get(v, key);
	struct err ignored;

	if (x && (x->kind != YAML_TEXT || opt_number(x->text, lo, hi, out, &ignored) != 0 || (whole && floor(*out) != *out)))
		return plan_wrong(&s->p, x, "%s: expected a %snumber, %g to %g", key, whole ? "whole " : "", lo, hi);
	return 0;
}

static int take_rungs(struct tune_space *s, const struct yaml *v)
{
	static const char *const steps[] = { "steps", "epochs", "eval-every", NULL };
	const struct yaml *r = yaml_get(v, "rungs");
	struct err ignored;

	if (r == NULL || r->kind != YAML_LIST || r->n < 2 || r->n > TUNE_RUNGS)
		return plan_wrong(&s->p, r ? r : v, "rungs: expected a list of 2 to %d steps", TUNE_RUNGS);
	for (size_t i = 0; i < r->n; i++) {
		double *at = &s->search.rung[i];

		if (r->item[i].kind != YAML_TEXT || opt_number(r->item[i].text, 1, 0x1p53, at, &ignored) != 0 || floor(*at) != *at || (i && *at <= at[-1]))
			return plan_wrong(&s->p, &r->item[i], "rungs: expected steps, each more than the one before");
	}
	s->search.nrungs = r->n;
	for (size_t i = 0; steps[i]; i++) {
		const struct yaml *fixed = yaml_get(yaml_get(&s->doc, "train"), steps[i]), *free = yaml_get(yaml_get(&s->doc, "space"), steps[i]);

		if (fixed || free)
			return plan_wrong(&s->p, fixed ? fixed : free, "%s with asha (its rungs say how long runs are)", steps[i]);
	}
	return 0;
}

static int take_search(struct tune_space *s)
{
	static const char *const keys[] = { "method", "round", "rungs", "keep", "rate", "entropy", NULL }, *const names[] = { "random", "asha", "policy", NULL };
	static const enum tune_kind of[] = { 0, 0, TUNE_ASHA, TUNE_ASHA, TUNE_POLICY, TUNE_POLICY };
	const struct yaml *v = yaml_get(&s->doc, "search"), *method = v && v->kind == YAML_MAP ? yaml_get(v, "method") : v;
	struct tune_opts *o = &s->search;
	double round, keep;
	int kind = 0, rc = 0;

	tune_opts_init(o);
	round = (double)o->round;
	keep = (double)o->keep;
	if (v == NULL)
		return 0;
	if (method == NULL || method->kind != YAML_TEXT)
		return plan_wrong(&s->p, v, "search: expected random, asha or policy, or {method: ...}");
	while (names[kind] && strcmp(names[kind], method->text) != 0)
		kind++;
	if (names[kind] == NULL)
		return plan_unknown(&s->p, method, method->text, names);
	o->kind = (enum tune_kind)kind;
	for (size_t i = 0, k = 0; v->kind == YAML_MAP && i < v->n; i++, k = 0) {
		while (keys[k] && strcmp(keys[k], v->key[i]) != 0)
			k++;
		if (keys[k] == NULL)
			return plan_unknown(&s->p, &v->item[i], v->key[i], keys);
		if (k > 1 && of[k] != o->kind)
			return plan_wrong(&s->p, &v->item[i], "%s is for %s", keys[k], names[of[k]]);
	}
	if ((rc = take_number(s, v, "round", 1, TUNE_ROUND, true, &round)) != 0 || (rc = take_number(s, v, "keep", 2, 100, true, &keep)) != 0 ||
	    (rc = take_number(s, v, "rate", 1e-3, 100, false, &o->rate)) != 0 || (rc = take_number(s, v, "entropy", 0, 1, false, &o->entropy)) != 0)
		return rc;
	o->round = (size_t)round;
	o->keep = (size_t)keep;
	if (o->kind == TUNE_ASHA && s->nsource == 0)
		return plan_wrong(&s->p, v, "asha without data (nothing is trained)");
	return o->kind == TUNE_ASHA ? take_rungs(s, v) : 0;
}

static int take_budget(struct tune_space *s)
{
	static const char *const keys[] = { "runs", "seconds", "tokens", NULL };
	const struct yaml *v = yaml_get(&s->doc, "budget");
	int rc = 0;

	if (v == NULL || v->kind != YAML_MAP || v->n == 0)
		return plan_wrong(&s->p, v ? v : &s->doc, "no budget (expected 'budget: {runs: N}', seconds or tokens)");
	for (size_t i = 0; i < v->n && rc == 0; i++)
		if (!plan_listed(keys, v->key[i]))
			rc = plan_unknown(&s->p, &v->item[i], v->key[i], keys);
	if (rc || (rc = take_number(s, v, "runs", 1, 1e6, true, &s->runs)) != 0 || (rc = take_number(s, v, "seconds", 1, 1e9, false, &s->seconds)) != 0)
		return rc;
	return take_number(s, v, "tokens", 1, 1e15, false, &s->tokens);
}

/* --- the whole --- */

static int scalar(struct tune_space *s, const char *key, bool file, const char **out)
{
	const struct yaml *v = yaml_get(&s->doc, key);

	if (v && v->kind != YAML_TEXT)
		return plan_wrong(&s->p, v, "%s: expected a text", key);
	*out = v ? v->text : NULL;
	return v && file ? plan_file(&s->p, v, key) : 0;
}

static int take_head(struct tune_space *s)
{
	static const char *const keys[] = { "model", "adapter", "seed", "data", "val", "metric", "diversity", "search", "budget", "train", "space", "generate", NULL };
	const struct yaml *adapter = yaml_get(&s->doc, "adapter");
	struct err ignored;
	double seed = 0;
	int rc = 0;

	if (s->doc.kind != YAML_MAP)
		return plan_wrong(&s->p, &s->doc, "not a space (expected model, data, val, search, budget, space...)");
	for (size_t i = 0; i < s->doc.n && rc == 0; i++)
		if (!plan_listed(keys, s->doc.key[i]))
			rc = plan_unknown(&s->p, &s->doc.item[i], s->doc.key[i], keys);
	if (rc || (rc = scalar(s, "model", true, &s->model)) != 0 || (rc = scalar(s, "adapter", true, &s->adapter)) != 0 || (rc = scalar(s, "seed", false, &s->seed)) != 0)
		return rc;
	if (s->model == NULL)
		return plan_wrong(&s->p, &s->doc, "no 'model' (expected a Hugging Face folder or a GGUF file)");
	if (adapter && yaml_get(&s->doc, "data"))
		return plan_wrong(&s->p, adapter, "an adapter with data (expected one of them: it is for searching the settings of generate alone)");
	if (s->seed && (opt_number(s->seed, 0, 0x1p53, &seed, &ignored) != 0 || floor(seed) != seed))
		return plan_wrong(&s->p, yaml_get(&s->doc, "seed"), "seed: expected a whole number");
	return 0;
}

int space_read(struct tune_space *s)
{
	int rc = yaml_file(s->p.a, s->p.path, &s->doc, s->p.e);

	if (rc)
		return rc;
	s->p.doc = &s->doc;
	s->p.tools.a = s->p.a;
	if ((rc = take_head(s)) != 0 || (rc = take_data(s)) != 0 || (rc = take_train(s)) != 0 || (rc = take_generate(s)) != 0 || (rc = take_metric(s)) != 0 ||
	    (rc = take_search(s)) != 0 || (rc = take_budget(s)) != 0)
		return rc;
	if (s->nsource == 0 && s->prompts == NULL)
		return plan_wrong(&s->p, &s->doc, "nothing to search (expected 'data:' and 'space:', or 'generate:')");
	if (s->ndim == 0)
		return plan_wrong(&s->p, &s->doc, "nothing to search (expected 'space:' with 'option: values')");
	if ((rc = value_order(s)) != 0 || (rc = value_check(s)) != 0)
		return rc;
	s->search.dim = s->dim;
	s->search.ndim = s->ndim;
	s->search.seed = s->seed ? (uint64_t)strtoull(s->seed, NULL, 10) : 0;
	return 0;
}

void space_release(struct tune_space *s)
{
	mem_free(s->source);
	mem_free(s->val.v);
	mem_free(s->train.v);
	mem_free(s->dim);
	mem_free(s->option);
	plan_release(&s->p);
}

/* --- which search it is --- */

static uint64_t hash_yaml(const struct yaml *v, uint64_t h)
{
	h = hash64(&v->kind, sizeof v->kind, h);
	if (v->kind == YAML_TEXT)
		return hash64(v->text, strlen(v->text) + 1, h);
	for (size_t i = 0; i < v->n; i++) {
		if (v->kind == YAML_MAP)
			h = hash64(v->key[i], strlen(v->key[i]) + 1, h);
		h = hash_yaml(&v->item[i], h);
	}
	return h;
}

uint64_t space_key(const struct tune_space *s)
{
	uint64_t h = 0;

	for (size_t i = 0; i < s->doc.n; i++)
		if (strcmp(s->doc.key[i], "budget") != 0) {
			h = hash64(s->doc.key[i], strlen(s->doc.key[i]) + 1, h);
			h = hash_yaml(&s->doc.item[i], h);
		}
	return h;
}
