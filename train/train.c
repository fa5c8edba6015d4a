/* SPDX-License-Identifier: Apache-2.0 */
#include "train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hfexport.h"
#include "mem.h"
#include "opsreport.h"
#include "progress.h"
#include "trainrun.h"

void train_opts_init(struct train_opts *o)
{
	*o = (struct train_opts){
		.batch = 16, .accumulate = 2, .micro_tokens = 1280, .lr = -1, .warmup = 0.03, .decay = 0.01, .clip = 1, .patience = 3
	};
}

static double seconds_of(const struct run *r)
{
	return r->seconds_before + clock_seconds() - r->start;
}

static bool all_changed(const void *m, size_t place)
{
	(void)m;
	(void)place;
	return true;
}

struct trained {
	const struct model *m;
	const struct weights *w;
};

static void trained_rows(const void *ctx, size_t place, uint32_t first, uint32_t n, float *out)
{
	const struct trained *t = ctx;
	size_t cols = t->w->w[place].cols;

	memcpy(out, model_full(t->m, place) + first * cols, n * cols * sizeof *out);
}

/* best/ or last/: the adapter, or the model in f32. */
static int save_result(const struct run *r, const char *name, struct err *e)
{
	const struct trained t = { r->l.m, r->l.w };
	struct buf dir = {0};
	int rc;

	if (!r->first)
		return 0;
	buf_fmt(&dir, "%s/%s", r->o->out, name);
	model_fetch(r->l.m);
	if (r->full)
		rc = hf_export(r->l.w, &(struct weight_values){ &t, all_changed, trained_rows }, &(struct hf_opts){ DT_F32, 0, r->l.pool }, dir.p, e);
	else
		rc = lora_save(r->l.lora, &r->l.w->cfg, r->c.p, dir.p, e);
	buf_free(&dir);
	return rc;
}

/* last/ and the state: what a run leaves at any moment is the last whole pair. */
static int save_state(struct run *r, struct err *e)
{
	int rc;

	if (!r->first)
		return 0;
	r->c.place = r->cursor.place;
	r->c.seconds = seconds_of(r);
	optim_fetch(&r->optim);
	if ((rc = save_result(r, "last", e)) != 0 || (rc = runlog_sync(r->log, &r->c.log_length, e)) != 0)
		return rc;
	return checkpoint_save(r->o->out, &r->c, e);
}

/* The loss of all validation data, and of each of its files where they are told apart. */
static int validate(struct run *r, double *loss, struct err *e)
{
	double sum = 0;
	int rc = 0;

	if (r->source == NULL)
		return trainer_validate(&r->tr, &r->val, loss, e);
	for (size_t f = 0; rc == 0 && f < r->val.n; f++) {
		struct data one = data_view(&r->val, f);

		rc = trainer_validate(&r->tr, &one, &r->source_loss[f], e);
		sum += r->source_loss[f] * (double)one.trained;
	}
	*loss = sum / (double)r->val.trained;
	return rc;
}

/* Before the first step: what a source may not be forgotten from. */
static int measure_sources(struct run *r, struct err *e)
{
	struct runlog_eval v = { .step = 0, .nsource = r->val.n, .source = r->source, .source_loss = r->source_loss };
	int rc;

	if (r->source == NULL || r->c.step > 0)
		return 0;
	if ((rc = validate(r, &v.loss, e)) != 0)
		return rc;
	memcpy(r->c.source, r->source_loss, r->val.n * sizeof *r->c.source);
	for (size_t f = 0; f < r->val.n; f++)
		tool_note(r->t, "step 0: %s: validation loss %.4f", r->source[f], r->source_loss[f]);
	return r->first ? runlog_eval(r->log, &v, e) : 0;
}

/* Has a source's loss risen too far: then the run is over. */
static void mind_forgetting(struct run *r)
{
	for (size_t f = 0; r->source && f < r->val.n; f++) {
		double rise = r->source_loss[f] / r->c.source[f] - 1;

		tool_note(r->t, "step %llu: %s: validation loss %.4f (%+.1f%%)", (unsigned long long)r->c.step, r->source[f], r->source_loss[f], 100 * rise);
		if (r->o->max_forgetting > 0 && rise > r->o->max_forgetting && !r->c.finished) {
			r->c.finished = true;
			tool_warn(r->t, "step %llu: %s is being forgotten: its validation loss rose by %.1f%%, from %.4f to %.4f; stopping", (unsigned long long)r->c.step,
			          r->source[f], 100 * rise, r->c.source[f], r->source_loss[f]);
		}
	}
}

static bool is_better(const struct run *r, double value)
{
	if (!r->c.has_best)
		return true;
	return r->o->metric == NULL || answers_lower_is_better(r->answers) ? value < r->c.best : value > r->c.best;
}

/* Did PATIENCE evaluations bring nothing better. */
static void stop_early(struct run *r)
{
	if (r->o->patience == 0 || r->c.stale < (uint64_t)r->o->patience || r->c.step >= r->steps)
		return;
	r->c.finished = true;
	tool_warn(r->t, "step %llu: no better validation %s in %lld evaluations, stopping early", (unsigned long long)r->c.step,
	          r->o->metric ? r->o->metric : "loss", (long long)r->o->patience);
}

/* Validation loss and metric; the best so far goes to best/; PATIENCE evaluations without a better one finish the run. */
static int evaluate(struct run *r, struct err *e)
{
	struct runlog_eval v = { .step = r->c.step, .metric = r->o->metric, .nsource = r->source ? r->val.n : 0, .source = r->source,
		.source_loss = r->source_loss };
	char more[96] = "";
	double value;
	int rc;

	if ((rc = validate(r, &v.loss, e)) != 0 || (v.metric && (rc = answers_score(r->answers, &v.value, e)) != 0))
		return rc;
	value = v.metric ? v.value : v.loss;
	v.best = is_better(r, value);
	if (v.best && (rc = save_result(r, "best", e)) != 0)
		return rc;
	r->c.best = v.best ? value : r->c.best;
	r->c.stale = v.best ? 0 : r->c.stale + 1;
	r->c.has_best = true;
	stop_early(r);
	mind_forgetting(r);
	if (v.metric)
		snprintf(more, sizeof more, ", %.60s %.4f", v.metric, v.value);
	tool_note(r->t, "step %llu: validation loss %.4f, perplexity %.3f%s%s", (unsigned long long)r->c.step, v.loss, exp(v.loss), more,
	          v.best ? ", the best so far" : "");
	return r->first ? runlog_eval(r->log, &v, e) : 0;
}

/* --- samples --- */

enum { SAMPLES = 3 };

struct samples {
	const struct run *r;
	struct runlog_sample s[SAMPLES];
	struct arena a;
	size_t n;
};

static void see_sample(void *ctx, const char *prompt, const char *reference, const char *answer)
{
	struct samples *x = ctx;
	struct err shown;              /* control characters of data are made visible in it */

	err_set(&shown, 0, "answers '%.200s' where '%.200s' was expected", answer, reference);
	tool_note(x->r->t, "step %llu: %s", (unsigned long long)x->r->c.step, shown.msg);
	x->s[x->n++] = (struct runlog_sample){ arena_str(&x->a, prompt, strlen(prompt)), arena_str(&x->a, reference, strlen(reference)),
		arena_str(&x->a, answer, strlen(answer)) };
}

static int sample(struct run *r, struct err *e)
{
	struct samples x = { .r = r };
	int rc;

	arena_init(&x.a);
	if ((rc = answers_show(r->answers, SAMPLES, see_sample, &x, e)) == 0)
		rc = runlog_samples(r->log, r->c.step, x.s, x.n, e);
	arena_release(&x.a);
	return rc;
}

static int one_step(struct run *r, struct trainer_step *s, struct err *e)
{
	double lr = r->lr * schedule_factor(&r->sched, r->c.step), begin = clock_seconds(), used;
	int rc;

	if ((rc = trainer_step(&r->tr, lr, s, e)) != 0)
		return err_in(e, "step %llu", (unsigned long long)r->c.step + 1);
	used = clock_seconds() - begin;
	r->c.step++;
	r->c.finished = r->c.step >= r->steps;
	if (!r->first)
		return 0;
	return runlog_step(r->log, &(struct runlog_step){
		.step = r->c.step, .epoch = cursor_epochs(&r->cursor), .loss = s->loss, .grad_norm = s->norm, .lr = lr, .tokens = s->tokens,
		.trained = s->trained, .terms = s->terms, .term_loss = s->term_loss, .tokens_per_s = used > 0 ? (double)s->tokens / used : 0, .rss = rss_peak_bytes(), .seconds = seconds_of(r)
	}, e);
}

/* Is the run to pause here. */
static bool paused(const struct run *r)
{
	return r->o->until && r->c.step >= (uint64_t)r->o->until;
}

/* What stands behind the progress line.  The share of the peak is that of all operations since the loop began, SECONDS ago. */
static void write_note(const struct run *r, double loss, double seconds, char *note, size_t n)
{
	int k = snprintf(note, n, "step %llu of %llu, loss %.4f", (unsigned long long)r->c.step, (unsigned long long)r->steps, loss);

	if (r->peak > 0 && seconds > 0 && k > 0 && (size_t)k < n)
		snprintf(note + k, n - (size_t)k, ", %.0f%% of peak", 100 * ops_flops(r->l.k) / seconds / r->peak);
}

static void print_profile(const struct run *r, double seconds)
{
	struct buf b = {0};

	ops_table(r->l.k, seconds, r->peak, &b);
	fwrite(b.p, 1, b.n, stderr);
	buf_free(&b);
}

static int loop(struct run *r, const volatile sig_atomic_t *stop, struct err *e)
{
	uint64_t first = r->c.step, saved = first, tokens = 0, last = r->o->until && (uint64_t)r->o->until < r->steps ? (uint64_t)r->o->until : r->steps;
	struct progress bar;
	struct trainer_step s = {0};
	double begin = clock_seconds();
	char note[96];
	int rc = 0;

	if ((rc = measure_sources(r, e)) != 0)
		return rc;
	progress_open(&bar, r->t->name, "tokens", 0, tool_progress(r->t));
	while (!r->c.finished && rc == 0 && !paused(r) && !ranks_any(r->o->ranks, *stop)) {
		if ((rc = one_step(r, &s, e)) != 0)
			break;
		tokens += s.tokens;
		write_note(r, s.loss, clock_seconds() - begin, note, sizeof note);
		progress_at(&bar, tokens, (double)(r->c.step - first) / (double)(last - first), note);
		if (r->has_val && (r->c.step % r->eval_every == 0 || r->c.finished))
			rc = evaluate(r, e);
		if (rc == 0 && r->first && r->o->sample_every && r->c.step % (uint64_t)r->o->sample_every == 0)
			rc = sample(r, e);
		if (rc == 0 && (r->c.step % r->save_every == 0 || r->c.finished)) {
			rc = save_state(r, e);
			saved = r->c.step;
		}
	}
	progress_close(&bar);
	if (r->o->profile && r->first)
		print_profile(r, clock_seconds() - begin);
	return rc == 0 && saved != r->c.step ? save_state(r, e) : rc;
}

static int finish(struct run *r, struct err *e)
{
	int rc = 0;

	if (!r->has_val && (rc = save_result(r, "best", e)) != 0)
		return rc;
	if (r->c.has_best)
		tool_warn(r->t, "%llu steps in %.0f s, best validation %s %.4f: %s/best", (unsigned long long)r->c.step, seconds_of(r),
		          r->o->metric ? r->o->metric : "loss", r->c.best, r->o->out);
	else
		tool_warn(r->t, "%llu steps in %.0f s: %s/last", (unsigned long long)r->c.step, seconds_of(r), r->o->out);
	return 0;
}

int train_run(const struct train_opts *o, const struct tool *t, const volatile sig_atomic_t *stop, bool *stopped, struct err *e)
{
	struct run r;
	int rc = run_open(&r, o, t, e);

	*stopped = false;
	if (rc == 0) {
		r.start = clock_seconds();
		rc = loop(&r, stop, e);
	}
	if (rc == 0 && !r.c.finished) {
		*stopped = true;
		tool_warn(t, "stopped after step %llu of %llu (--resume goes on)", (unsigned long long)r.c.step, (unsigned long long)r.steps);
	} else if (rc == 0) {
		rc = finish(&r, e);
	}
	if (rc == 0) {
		rc = runlog_close(r.log, e);
		r.log = NULL;
	}
	run_close(&r);
	return rc;
}
