/* SPDX-License-Identifier: Apache-2.0 */
#include "runread.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void run_log_init(struct run_log *l)
{
	memset(l, 0, sizeof *l);
	l->first_step = l->last_step = l->first_loss = l->last_loss = l->least_val = l->best_step = l->last_val = l->most_grad =
		NAN;
}

bool run_log_is(const struct rec *r)
{
	if (rec_column(r->names, "resumed") >= 0 && (r->names->n == 1 || rec_column(r->names, "stage") >= 0))
		return true;
	return rec_column(r->names, "step") >= 0 && (rec_column(r->names, "loss") >= 0 || rec_column(r->names, "val_loss") >= 0);
}

double run_log_number(const struct rec *r, const char *name)
{
	int at = rec_column(r->names, name);
	char text[64], *end;
	double v;

	if (at < 0 || r->f[at].n == 0 || r->f[at].n >= sizeof text)
		return NAN;
	memcpy(text, r->f[at].p, r->f[at].n);
	text[r->f[at].n] = '\0';
	v = strtod(text, &end);
	return *end == '\0' && isfinite(v) ? v : NAN;
}

/* Value NAME at STEP onto its curve. */
static double point(struct run_log *l, struct thin *t, const struct rec *r, const char *name, double step)
{
	double v = run_log_number(r, name);

	if (rec_column(r->names, name) < 0)
		return NAN;
	if (isnan(v))
		l->undefined++;
	else
		thin_add(t, step, v);
	return v;
}

static void add_step(struct run_log *l, const struct rec *r, const struct run_base *base, double step)
{
	double loss = point(l, &l->loss, r, "loss", step), grad = point(l, &l->grad, r, "grad_norm", step), v;

	point(l, &l->lr, r, "lr", step);
	l->steps++;
	l->first_loss = isnan(l->first_loss) ? loss : l->first_loss;
	l->last_loss = isnan(loss) ? l->last_loss : loss;
	l->most_grad = isnan(l->most_grad) || grad > l->most_grad ? grad : l->most_grad;
	l->seconds = isnan(v = run_log_number(r, "seconds")) ? l->seconds : v + (base ? base->seconds : 0);
	l->tokens += isnan(v = run_log_number(r, "tokens")) ? 0 : v;
	l->trained += isnan(v = run_log_number(r, "trained_tokens")) ? 0 : v;
	l->rss = isnan(v = run_log_number(r, "rss_bytes")) ? l->rss : v;
}

static void add_eval(struct run_log *l, const struct rec *r, double step)
{
	double v = point(l, &l->val, r, "val_loss", step);

	l->evals++;
	l->last_val = isnan(v) ? l->last_val : v;
	if (isnan(l->least_val) || v < l->least_val) {
		l->least_val = v;
		l->best_step = step;
	}
}

/* The stage that a line is of: that of BASE, or what a joined log says. */
static void see_stage(struct run_log *l, const struct rec *r, const struct run_base *base)
{
	int at = rec_column(r->names, "stage");
	const char *name = base ? base->stage : at >= 0 ? r->f[at].p : NULL;
	size_t n = base ? strlen(base->stage) : at >= 0 ? r->f[at].n : 0;
	const struct run_stage *last = l->nstages ? &l->stage[l->nstages - 1] : NULL;

	n = n < RUN_NAME ? n : RUN_NAME - 1;
	while (n && n == RUN_NAME - 1 && ((unsigned char)name[n] & 0xC0) == 0x80)       /* no character is cut in two */
		n--;
	if (name == NULL || l->nstages == RUN_MARKS || (last && strlen(last->name) == n && memcmp(last->name, name, n) == 0))
		return;
	l->stage[l->nstages].from = isnan(l->last_step) ? 0 : l->last_step;
	memcpy(l->stage[l->nstages].name, name, n);
	l->stage[l->nstages++].name[n] = '\0';
}

int run_log_add(struct run_log *l, const struct rec *r, const struct run_base *base, struct err *e)
{
	bool resumed = rec_column(r->names, "resumed") >= 0;
	double step = run_log_number(r, resumed ? "resumed" : "step") + (base ? base->steps : 0);

	if (isnan(step))
		return err_set(e, SFT_BADDATA, "no step (expected a line of a training log: \"step\" and a number)");
	see_stage(l, r, base);
	if (resumed) {
		if (l->nresumed < RUN_MARKS)
			l->resumed[l->nresumed] = step;
		l->nresumed++;
		return 0;
	}
	if (step < l->last_step)
		return err_set(e, SFT_BADDATA, "step %.0f after step %.0f (expected them in order)", step, l->last_step);
	l->first_step = isnan(l->first_step) ? step : l->first_step;
	l->last_step = step;
	if (rec_column(r->names, "loss") >= 0)
		add_step(l, r, base, step);
	if (rec_column(r->names, "val_loss") >= 0)
		add_eval(l, r, step);
	return 0;
}
