/* SPDX-License-Identifier: Apache-2.0 */
#include "tunetrial.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "mapfile.h"
#include "outfile.h"

double trial_cost(const struct tune_space *s, const struct trial_rung *r)
{
	return r->failed ? NAN : s->metric.lower ? r->value : -r->value;
}

const char *trial_folder(struct tune_space *s, const struct trial *t)
{
	return plan_text(&s->p, "%s/trials/%04zu", s->p.dir, t->number);
}

/* --- trial.json --- */

static double number(const struct json *obj, const char *key)
{
	const struct json *v = json_get(obj, key);

	return v ? json_double(v) : NAN;
}

static void load_rung(struct trial_rung *r, const struct json *v)
{
	const struct json *failed = json_get(v, "failed");

	*r = (struct trial_rung){ failed && failed->type == JSON_BOOL && failed->b, number(v, "value"), number(v, "quality"), number(v, "diversity"),
		number(v, "steps"), number(v, "tokens"), number(v, "trained_tokens"), number(v, "seconds"), number(v, "other_seconds") };
}

static bool same_choices(const struct tune_space *s, const struct trial *t, const struct json *v)
{
	for (size_t i = 0; i < s->ndim; i++) {
		const struct json *x = json_get(v, s->dim[i].name);

		if (t->choice[i].text ? x == NULL || !json_is(x, t->choice[i].text) : x != NULL)
			return false;
	}
	return true;
}

int trial_load(struct tune_space *s, struct trial *t, struct err *e)
{
	const char *path = plan_text(&s->p, "%s/trial.json", trial_folder(s, t));
	const struct json *doc, *rungs;
	int rc;

	t->known = 0;
	if (access(path, F_OK) != 0)
		return 0;
	if ((rc = json_file(s->p.a, path, &doc, e)) != 0)
		return rc;
	if (!json_is(json_get(doc, "schema"), "sft.trial/1"))
		return err_set(e, SFT_BADDATA, "%s: not a trial (expected the schema sft.trial/1)", path);
	if (!same_choices(s, t, json_get(doc, "choices")))
		return err_set(e, SFT_BADDATA, "%s: other choices than this search makes (expected the folder of the same space and version, or another -o)", path);
	rungs = json_get(doc, "rungs");
	for (size_t i = 0; rungs && rungs->type == JSON_ARR && i < rungs->n && i < TUNE_RUNGS; i++)
		load_rung(&t->rung[t->known++], &rungs->item[i]);
	return 0;
}

static void key_number(struct jw *w, const char *key, double v)
{
	jw_key(w, key);
	jw_number(w, v);
}

static void put_rung(struct jw *w, const struct trial_rung *r)
{
	jw_obj(w);
	jw_key(w, "failed");
	jw_bool(w, r->failed);
	jw_key(w, "value");
	jw_double(w, r->value);
	if (!isnan(r->diversity)) {
		jw_key(w, "quality");
		jw_double(w, r->quality);
		jw_key(w, "diversity");
		jw_double(w, r->diversity);
	}
	key_number(w, "steps", r->steps);
	key_number(w, "tokens", r->tokens);
	key_number(w, "trained_tokens", r->trained);
	jw_key(w, "seconds");
	jw_double(w, round(r->seconds * 1000) / 1000);
	jw_key(w, "other_seconds");
	jw_double(w, round(r->other * 1000) / 1000);
	jw_obj_end(w);
}

static void put_commands(struct tune_space *s, const struct trial *t, struct jw *w)
{
	struct trial_commands c = {0};

	trial_commands(s, t, 0, trial_folder(s, t), plan_text(&s->p, "%s/data", s->p.dir), true, &c);
	trial_commands_json(&c, w);
	trial_commands_free(&c);
}

int trial_save(struct tune_space *s, const struct trial *t, struct err *e)
{
	const char *folder = trial_folder(s, t);
	struct buf out = {0};
	struct jw w;
	int rc;

	jw_init(&w, &out);
	jw_obj(&w);
	jw_key(&w, "schema");
	jw_str(&w, "sft.trial/1");
	jw_key(&w, "trial");
	jw_uint(&w, t->number);
	jw_key(&w, "choices");
	jw_obj(&w);
	for (size_t i = 0; i < s->ndim; i++)
		if (t->choice[i].text) {
			jw_key(&w, s->dim[i].name);
			jw_str(&w, t->choice[i].text);
		}
	jw_obj_end(&w);
	jw_key(&w, "commands");
	put_commands(s, t, &w);
	jw_key(&w, "rungs");
	jw_arr(&w);
	for (size_t i = 0; i < t->known; i++)
		put_rung(&w, &t->rung[i]);
	jw_arr_end(&w);
	jw_obj_end(&w);
	buf_ch(&out, '\n');
	if ((rc = out_mkdirs(folder, e)) == 0)
		rc = out_whole(plan_text(&s->p, "%s/trial.json", folder), out.p, out.n, false, e);
	buf_free(&out);
	return rc;
}

/* --- what came out --- */

struct look {
	const char *key;               /* of an evaluation's line */
	bool lower;
	double until;                  /* steps that count */
	struct trial_rung r;
};

static void look_line(struct look *x, const struct json *v)
{
	double step = number(v, "step"), value = number(v, x->key);

	if (!(step <= x->until))
		return;
	if (json_get(v, "loss")) {
		x->r.steps = step;
		x->r.tokens += number(v, "tokens");
		x->r.trained += number(v, "trained_tokens");
		x->r.seconds = number(v, "seconds");
	}
	if (!isnan(value) && step > 0 && (isnan(x->r.value) || (x->lower ? value < x->r.value : value > x->r.value)))
		x->r.value = value;
}

/* The best evaluation of a log, and what was done up to step X->until. */
static int look_log(struct look *x, const char *path, struct err *e)
{
	struct json_parser *parser;
	struct arena a;
	struct mapfile m;
	int rc = mapfile_open(&m, path, e);

	if (rc)
		return rc;
	parser = json_parser_new();
	arena_init(&a);
	for (size_t at = 0, n; at < m.n && rc == 0; at += n + 1) {
		const char *line = (const char *)m.p + at, *end = memchr(line, '\n', m.n - at);
		const struct json *v;

		n = end ? (size_t)(end - line) : m.n - at;
		arena_reset(&a);
		if (n && (rc = json_parse(parser, &a, line, n, &v, e)) == 0)
			look_line(x, v);
	}
	arena_release(&a);
	json_parser_free(parser);
	mapfile_close(&m);
	return rc ? err_in(e, "%s", path) : 0;
}

bool trial_begun(struct tune_space *s, const struct trial *t)
{
	struct look x = { .key = "val_loss", .until = INFINITY };
	struct err ignored;

	return look_log(&x, plan_text(&s->p, "%s/run/log.jsonl", trial_folder(s, t)), &ignored) == 0 && x.r.steps > 0;
}

/* The value NAME within the figures of a metric: its own member, or the F-measure of a triple.  True where there is one; NaN where it is undefined. */
static bool find_value(const struct json *v, const char *name, double *out)
{
	const struct json *x = json_get(v, name);

	if (x && x->type != JSON_OBJ) {
		*out = x->type == JSON_ARR && x->n == 3 ? json_double(&x->item[2]) : json_double(x);
		return true;
	}
	for (size_t i = 0; v && v->type == JSON_OBJ && i < v->n; i++)
		if (v->member[i].value.type == JSON_OBJ && find_value(&v->member[i].value, name, out))
			return true;
	return false;
}

static int look_figures(struct tune_space *s, const char *path, const struct tune_measure *m, double *out, struct err *e)
{
	const struct json *doc, *of;
	int rc = json_file(s->p.a, path, &doc, e);

	if (rc)
		return rc;
	of = json_get(json_get(doc, "metrics"), m->metric);
	if (find_value(of, m->name, out) || find_value(of, "score", out))
		return 0;
	return err_set(e, SFT_BADDATA, "%s: no %s in it (expected a value of sft eval %s)", path, m->name, m->metric);
}

/* The answers' figures; together with their diversity, in the direction of the metric. */
static int look_answers(struct tune_space *s, const char *folder, struct trial_rung *r, struct err *e)
{
	const char *path = plan_text(&s->p, "%s/figures.json", folder);
	double more;
	int rc = look_figures(s, path, &s->metric, &r->quality, e);

	if (rc)
		return rc;
	r->value = r->quality;
	if (s->diversity.name == NULL)
		return 0;
	if ((rc = look_figures(s, path, &s->diversity, &r->diversity, e)) != 0)
		return rc;
	more = s->diversity_weight * r->diversity;
	r->value += s->diversity.lower == s->metric.lower ? more : -more;
	return 0;
}

int trial_measure(struct tune_space *s, struct trial *t, size_t rung, bool failed, double other, struct err *e)
{
	const char *folder = trial_folder(s, t);
	char key[80] = "val_loss";
	struct look x = { .key = key, .lower = s->metric.lower, .r = { .value = NAN, .quality = NAN, .diversity = NAN } };
	int rc = 0;

	x.until = s->search.kind == TUNE_ASHA ? s->search.rung[rung] : INFINITY;
	if (s->metric.metric && s->prompts == NULL)
		snprintf(key, sizeof key, "val_%.50s", s->metric.name);
	if (s->nsource)
		rc = look_log(&x, plan_text(&s->p, "%s/run/log.jsonl", folder), e);
	if (rc == 0 && s->prompts && !failed)
		rc = look_answers(s, folder, &x.r, e);
	if (rc)
		return rc;
	x.r.other = other + (rung ? t->rung[rung - 1].other : 0);
	x.r.seconds += x.r.other;
	x.r.failed = failed || isnan(x.r.value);
	if (x.r.failed)
		x.r.value = NAN;
	t->rung[rung] = x.r;
	t->known = rung + 1;
	return 0;
}
