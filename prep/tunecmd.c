/* SPDX-License-Identifier: Apache-2.0 */
/* What a trial runs: augmented data, training, answers, their figures. */
#include <string.h>

#include "hash.h"
#include "tunetrial.h"

static void option(struct strings *to, const char *name, const char *value)
{
	strings_add(to, name);
	strings_add(to, value);
}

static void add_all(struct strings *to, const struct strings *words)
{
	for (size_t i = 0; i < words->n; i++)
		strings_add(to, words->v[i]);
}

static struct strings *line(struct trial_commands *out, const char *tool)
{
	ARRAY_ROOM(out->line, out->n, out->cap);
	out->line[out->n] = (struct strings){0};
	strings_add(&out->line[out->n], tool);
	return &out->line[out->n++];
}

void trial_commands_free(struct trial_commands *c)
{
	for (size_t i = 0; i < c->n; i++)
		mem_free(c->line[i].v);
	mem_free(c->line);
}

void trial_commands_json(const struct trial_commands *c, struct jw *w)
{
	jw_arr(w);
	for (size_t i = 0; i < c->n; i++) {
		jw_arr(w);
		jw_str(w, "sft");
		for (size_t k = 0; k < c->line[i].n; k++)
			jw_str(w, c->line[i].v[k]);
		jw_arr_end(w);
	}
	jw_arr_end(w);
}

static void chosen(struct tune_space *s, const struct trial *t, enum tune_target to, size_t source, struct strings *out)
{
	for (size_t i = 0; i < s->ndim; i++)
		if (s->option[i].to == to && (to != TO_AUGMENT || s->option[i].source == source) && t->choice[i].text)
			space_words(s, i, t->choice[i].text, out);
}

static const char *weight(const struct tune_space *s, const struct trial *t, size_t source)
{
	for (size_t i = 0; i < s->ndim; i++)
		if (s->option[i].to == TO_WEIGHT && s->option[i].source == source && t->choice[i].text)
			return t->choice[i].text;
	return s->source[source].weight ? s->source[source].weight : "1";
}

/* The file of source K as T takes it: augmented under a name that says with what, so that trials share it. */
static const char *data_file(struct tune_space *s, const struct trial *t, size_t k, const char *data, struct trial_commands *out)
{
	const struct tune_source *x = &s->source[k];
	const char *seed = s->seed ? s->seed : "0", *path;
	struct strings *l;
	uint64_t h = hash64(seed, strlen(seed) + 1, 0);

	if (!x->augmented)
		return x->file;
	l = line(out, "augment");
	option(l, "--seed", seed);
	chosen(s, t, TO_AUGMENT, k, l);
	strings_add(l, x->file);
	for (size_t i = 0; i < l->n; i++)
		h = hash64(l->v[i], strlen(l->v[i]) + 1, h);
	path = plan_text(&s->p, "%s/%s-%016llx.%s", data, x->name, (unsigned long long)h, plan_ending(x->file));
	option(l, "-o", path);
	return path;
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
	return b == 0 ? a : common_divisor(b, a % b);
}

/* Rungs are seen by evaluations: one at each, and between them at even distances. */
static void rungs(struct tune_space *s, size_t rung, bool to_end, struct strings *l)
{
	const struct tune_opts *o = &s->search;
	uint64_t every = 0;

	for (size_t i = 0; i < o->nrungs; i++)
		every = common_divisor((uint64_t)o->rung[i], every);
	option(l, "--steps", plan_text(&s->p, "%.0f", o->rung[o->nrungs - 1]));
	option(l, "--eval-every", plan_text(&s->p, "%llu", (unsigned long long)every));
	if (!to_end && rung + 1 < o->nrungs)
		option(l, "--until", plan_text(&s->p, "%.0f", o->rung[rung]));
}

static void train(struct tune_space *s, const struct trial *t, size_t rung, const char *folder, const char *data, bool to_end, struct trial_commands *out)
{
	struct strings files = {0}, *l;

	for (size_t k = 0; k < s->nsource; k++)
		if (strcmp(weight(s, t, k), "0") != 0)
			strings_add(&files, plan_text(&s->p, "%s:%s", data_file(s, t, k, data, out), weight(s, t, k)));
	l = line(out, "train");
	option(l, "--model", s->model);
	for (size_t k = 0; k < files.n; k++)                   /* a weight of 0: without it */
		option(l, "--data", files.v[k]);
	for (size_t k = 0; k < s->val.n; k++)
		option(l, "--val", s->val.v[k]);
	option(l, "--seed", s->seed ? s->seed : "0");
	if (s->metric.metric && s->prompts == NULL)
		option(l, "--metric", s->metric.name);
	add_all(l, &s->train);
	chosen(s, t, TO_TRAIN, 0, l);
	if (s->search.kind == TUNE_ASHA)
		rungs(s, rung, to_end, l);
	option(l, "-o", plan_text(&s->p, "%s/run", folder));
	mem_free(files.v);
}

static bool trains_all(const struct tune_space *s, const struct trial *t)
{
	for (size_t i = 0; i < s->ndim; i++)
		if (s->option[i].to == TO_TRAIN && strcmp(s->option[i].key, "method") == 0)
			return strcmp(t->choice[i].text, "full") == 0;
	return s->method && strcmp(s->method, "full") == 0;
}

static void answers(struct tune_space *s, const struct trial *t, const char *folder, struct trial_commands *out)
{
	struct strings *l = line(out, "generate");
	const char *best = plan_text(&s->p, "%s/run/best", folder), *path = plan_text(&s->p, "%s/answers.jsonl", folder);
	bool all = s->nsource > 0 && trains_all(s, t);

	option(l, "--model", all ? best : s->model);
	if (s->nsource > 0 ? !all : s->adapter != NULL)
		option(l, "--adapter", s->nsource > 0 ? best : s->adapter);
	option(l, "--seed", s->seed ? s->seed : "0");
	chosen(s, t, TO_GENERATE, 0, l);
	option(l, "-o", path);
	strings_add(l, s->prompts);
	l = line(out, "eval");
	strings_add(l, s->metric.metric);
	if (s->diversity.name && strcmp(s->diversity.metric, s->metric.metric) != 0)
		strings_add(l, s->diversity.metric);
	strings_add(l, "--json");
	option(l, "-o", plan_text(&s->p, "%s/figures.json", folder));
	strings_add(l, path);
}

void trial_commands(struct tune_space *s, const struct trial *t, size_t rung, const char *folder, const char *data, bool to_end, struct trial_commands *out)
{
	if (s->nsource)
		train(s, t, rung, folder, data, to_end, out);
	if (s->prompts)
		answers(s, t, folder, out);
}
