/* SPDX-License-Identifier: Apache-2.0 */
/* What each device holds, whether it fits, and what would make it fit. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "memroom.h"
#include "plan.h"

/* A GPU's context and libraries, and the workspace of its products. */
static const double gpu_program = 0.6e9, gpu_room = 64 << 20;
/* Share of a GPU's memory that can be had. */
static const double gpu_usable = 0.97;

/* Bytes of weights of a stage: layers FIRST..PAST-1, the embedding with the first, the head (of a tied model the embedding again)
 * with the last. */
static struct weights_size stage_size(const struct weights *w, uint32_t first, uint32_t past)
{
	struct weights part = *w;
	struct weights_size s;

	part.w = mem_new(place_count(&w->cfg) * sizeof *part.w);
	for (size_t i = 0; i < place_count(&w->cfg); i++) {
		struct place at = place_at(&w->cfg, i);
		bool end = past == w->cfg.layers, here = at.layer >= first && at.layer < past;

		if (at.p < P_LAYER)
			here = at.p == P_EMBED ? first == 0 || (end && w->cfg.tied) : end;
		if (here)
			part.w[i] = w->w[i];
	}
	s = weights_size(&part);
	mem_free(part.w);
	return s;
}

static size_t portion(size_t bytes, uint32_t layers, uint32_t all) { return (size_t)((double)bytes * layers / all + 1); }

/* Layers are dealt out evenly; while one pass is in the last stage the first holds as many as there are stages. */
void plan_share(const struct plan *p, const struct need_of *of, uint32_t split, struct need *out)
{
	uint32_t all = of->w->cfg.layers, layers = (all + split - 1) / split, flying;
	struct need n;

	need_measure(&n, of);
	*out = n;
	if (split < 2)
		return;
	out->base = (struct weights_size){0, 0};
	for (uint32_t first = 0; first < all; first += layers) {
		struct weights_size s = stage_size(of->w, first, first + layers < all ? first + layers : all);

		if (s.mapped + s.copied > out->base.mapped + out->base.copied)
			out->base = s;
	}
	flying = p->passes < split ? (uint32_t)p->passes : split;
	out->optimiser = portion(n.optimiser, layers, all);
	out->model.values = portion(n.model.values, layers, all);
	out->model.grad = portion(n.model.grad, layers, all);
	out->sums = portion(n.sums, layers, all);
	out->model.acts.inputs = flying * portion(n.model.acts.inputs, layers, all);
	if (!of->model.checkpointing)
		out->model.acts.layers = flying * (size_t)layers * n.model.acts.layer;
	out->model.all = out->model.acts.layers + out->model.acts.inputs + out->model.acts.work + out->model.acts.head;
}

/* A GPU has all weights in its memory; on the processor the mapped ones may come and go. */
double plan_device_bytes(const struct plan *p, const struct need *n)
{
	if (!p->device.gpu)
		return (double)need_total(n);
	return (double)(need_total(n) - n->room - n->program) + gpu_room + gpu_program;
}

static bool fits_on(const struct plan *p, const struct need *n)
{
	return (p->device.gpu ? plan_device_bytes(p, n) : (double)need_own(n)) <= p->room;
}

/* --- what would fit --- */

static void advise(struct plan *p, const struct need_of *of, uint32_t split, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static void advise(struct plan *p, const struct need_of *of, uint32_t split, const char *fmt, ...)
{
	struct need n;
	va_list ap;
	char *line;
	size_t at;

	plan_share(p, of, split, &n);
	if (p->nadvice == PLAN_NOTES || !fits_on(p, &n))
		return;
	line = p->advice[p->nadvice++];
	va_start(ap, fmt);
	vsnprintf(line, sizeof p->advice[0], fmt, ap);
	va_end(ap);
	at = strlen(line);
	snprintf(line + at, sizeof p->advice[0] - at, ": %.1f GB",
		 (p->device.gpu ? plan_device_bytes(p, &n) : (double)need_own(&n)) / 1e9);
}

/* W with its matrices in another type. */
static struct weights retyped(const struct weights *w, enum dtype t)
{
	struct weights with = *w;

	with.w = mem_new(place_count(&w->cfg) * sizeof *with.w);
	memcpy(with.w, w->w, place_count(&w->cfg) * sizeof *with.w);
	weights_retype(&with, t);
	return with;
}

static void advise_types(struct plan *p, const struct need_of *of, uint32_t split, const char *with)
{
	static const enum dtype types[] = {DT_F8_E4M3, DT_Q8_0, DT_Q4_0};
	static const char *const name[] = {"fp8", "q8_0", "q4_0"};
	double now = (double)weights_size(p->w).mapped;

	for (size_t i = 0; p->lora && i < sizeof types / sizeof *types; i++) {
		struct weights w = retyped(p->w, types[i]);
		struct need_of other = *of;

		other.w = &w;
		if ((double)weights_size(&w).mapped < 0.95 * now)
			advise(p, &other, split, "--base %s%s", name[i], with);
		mem_free(w.w);
	}
}

static void advise_all(struct plan *p)
{
	struct need_of less = p->of;
	uint32_t row = p->of.pass.positions;

	less.model.checkpointing = true;
	if (!p->of.model.checkpointing)
		advise(p, &less, p->split, "--checkpointing");
	less.pass = (struct pass_size){row, p->of.pass.nout < row ? p->of.pass.nout : row, row};
	less.sequences = 1;
	if (row < p->of.pass.tokens)
		advise(p, &less, p->split, "--checkpointing --micro-tokens %u", row);
	advise_types(p, &p->of, p->split, "");
	if (p->nadvice == 0)
		advise_types(p, &less, p->split, " --checkpointing with the smallest passes");
	for (uint32_t n = p->split * 2; p->nadvice < 4 && p->device.gpu && n <= p->w->cfg.layers; n *= 2)
		advise(p, &less, n, "--split %u --checkpointing with the smallest passes (%u devices hold a copy)", n, n);
	if (p->lora == NULL && p->o->optim == OPTIM_ADAMW) {
		less.optim = OPTIM_ADAFACTOR;
		advise(p, &less, p->split, "--optim adafactor --checkpointing with the smallest passes");
	}
}

/* The fewest devices that hold a copy together, of those that divide their number. */
static uint32_t choose_split(struct plan *p)
{
	uint32_t devices = (uint32_t)p->o->devices, most = p->w->cfg.layers;
	struct need n;

	if (p->o->split > 0 || !p->device.gpu)
		return p->o->split > 0 ? (uint32_t)p->o->split : 1;
	for (uint32_t s = 1; s <= devices && s <= most; s++) {
		if (devices % s)
			continue;
		plan_share(p, &p->of, s, &n);
		if (fits_on(p, &n))
			return s;
	}
	return devices <= most ? devices : 1;
}

void plan_judge(struct plan *p)
{
	p->limit = "device's memory";
	p->room = p->device.gpu ? gpu_usable * p->device.memory : (double)memroom(&p->limit);
	p->split = choose_split(p);
	p->copies = (uint32_t)p->o->devices / p->split;
	need_measure(&p->need, &p->of);
	plan_share(p, &p->of, p->split, &p->share);
	p->device_bytes = plan_device_bytes(p, &p->share);
	p->fits = fits_on(p, &p->share);
	p->streams = p->fits && p->device_bytes > p->room;
	if (!p->fits)
		advise_all(p);
}
