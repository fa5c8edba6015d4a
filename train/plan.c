/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gradsum.h"
#include "mem.h"

void plan_opts_init(struct plan_opts *o)
{
	*o = (struct plan_opts){.batch = 16,
				.accumulate = 2,
				.micro_tokens = 1280,
				.length = 512,
				.trained = 1,
				.epochs = 3,
				.device = "cpu",
				.devices = 1,
				.threads = 1};
}

void plan_assume(struct plan *p, const char *fmt, ...)
{
	va_list ap;

	if (p->nassumed == PLAN_NOTES)
		return;
	va_start(ap, fmt);
	vsnprintf(p->assumed[p->nassumed++], sizeof p->assumed[0], fmt, ap);
	va_end(ap);
}

/* --- what is asked --- */

static int check(const struct plan_opts *o, struct err *e)
{
	bool lora = o->rank || o->alpha > 0 || o->dropout > 0 || o->targets || o->rslora || o->dora;

	if (o->model == NULL)
		return err_set(e, SFT_USAGE, "no model (expected -m with a folder, a config.json or a GGUF file, or $SFT_MODEL)");
	if (o->method != PLAN_LORA && lora)
		return err_set(e, SFT_USAGE, "--rank, --alpha, --dropout, --targets, --rslora and --dora are for --method lora");
	if (o->method != PLAN_PREFIX && o->prefix_len)
		return err_set(e, SFT_USAGE, "--prefix-len is for --method prefix");
	if (o->longest && o->longest < o->length)
		return err_set(e, SFT_USAGE, "--longest %lld is less than --length %lld", (long long)o->longest,
			       (long long)o->length);
	if (o->split && o->devices % o->split)
		return err_set(e, SFT_USAGE, "--split %lld does not divide --devices %lld", (long long)o->split,
			       (long long)o->devices);
	return 0;
}

static int set_base(struct plan *p, struct err *e)
{
	static const struct {
		const char *name;
		enum dtype type;
	} names[] = {
	    {"f32", DT_F32},   {"f16", DT_F16},   {"bf16", DT_BF16}, {"fp8", DT_F8_E4M3}, {"q8_0", DT_Q8_0},
	    {"q6_k", DT_Q6_K}, {"q5_k", DT_Q5_K}, {"q5_1", DT_Q5_1}, {"q5_0", DT_Q5_0},   {"q4_k", DT_Q4_K},
	    {"q4_1", DT_Q4_1}, {"q4_0", DT_Q4_0}, {"q3_k", DT_Q3_K}, {"q2_k", DT_Q2_K},
	};
	const char *word[sizeof names / sizeof *names], *near;
	size_t n = sizeof names / sizeof *names;

	for (size_t i = 0; p->o->base && i < n; i++) {
		word[i] = names[i].name;
		if (strcmp(p->o->base, word[i]) == 0) {
			weights_retype(p->w, names[i].type);
			return 0;
		}
	}
	if (p->o->base == NULL)
		return 0;
	near = opt_nearest(p->o->base, word, n);
	return err_set(e, SFT_USAGE,
		       "--base: '%.40s' is no type of weights (%s%s%sexpected f32, f16, bf16, fp8, q8_0, q6_k, q5_k, q5_1, q5_0, "
		       "q4_k, q4_1, q4_0, q3_k or q2_k)",
		       p->o->base, near ? "did you mean '" : "", near ? near : "", near ? "'? " : "");
}

static int set_adapter(struct plan *p, struct err *e)
{
	const struct plan_opts *o = p->o;
	const struct lora_opts how = {
	    o->rank ? (uint32_t)o->rank : 8, o->alpha > 0 ? o->alpha : 16, o->dropout, o->rslora, o->dora,
	    o->targets ? o->targets : "all"};

	if (o->method == PLAN_PREFIX)
		return prefix_new(&p->lora, &p->w->cfg, o->prefix_len ? (uint32_t)o->prefix_len : 16, e);
	return o->method == PLAN_LORA ? lora_new(&p->lora, &p->w->cfg, &how, e) : 0;
}

/* --- sizes --- */

static void set_pass(struct plan *p)
{
	const struct plan_opts *o = p->o;
	uint32_t length = (uint32_t)o->length, most = o->longest ? (uint32_t)o->longest : length, tokens, nout;
	double rows;

	tokens = o->longest > o->length ? need_tokens((uint64_t)o->batch, most, most, (uint64_t)o->micro_tokens)
					: need_rows((uint64_t)o->batch, length, (uint64_t)o->micro_tokens);
	rows = floor((double)tokens / length) < 1 ? 1 : floor((double)tokens / length);
	nout = (uint32_t)ceil(tokens * o->trained);
	p->passes = (double)o->accumulate * ceil((double)o->batch / rows);
	p->of = (struct need_of){
	    .w = p->w,
	    .lora = p->lora,
	    .optim = (enum optim_kind)o->optim,
	    .pass = {tokens, nout ? nout : 1, most},
	    .model = {.act = p->act, .train = p->lora ? MODEL_TRAIN_LORA : MODEL_TRAIN_FULL, .checkpointing = o->checkpointing},
	    .sequences = (tokens + most - 1) / most,
	    .parts = gradsum_parts(NULL, (uint64_t)o->accumulate),
	    .threads = o->threads};
}

static void set_disk(struct plan *p)
{
	double values = 4 * (double)p->trained;

	p->disk.state = values + (double)p->need.optimiser;
	p->disk.result = p->lora ? values : (double)p->need.model.values; /* all weights are written as f32 */
	p->disk.total = 2 * p->disk.state + 2 * p->disk.result;
}

/* --- what is assumed --- */

static void assume_time(struct plan *p)
{
	const struct device *d = &p->device;
	double peak = p->act == DT_F32 ? d->f32 : d->bf16;

	plan_assume(p, "%s: %.4g TFLOP/s %s and %.4g GB/s %s, of which products reach %.0f%%%s", d->name, peak / 1e12,
		    d->gpu && p->act == DT_F32 ? "TF32"
		    : p->act == DT_F32         ? "f32"
					       : "bf16",
		    d->bandwidth / 1e9, d->gpu ? "by its data sheet" : "measured just now", 100 * d->efficiency,
		    p->o->efficiency > 0 ? " (--efficiency)" : "");
	plan_assume(
	    p,
	    "reading weights hides behind products where those take longer; values, the optimiser and links hide behind nothing");
	plan_assume(p, "rows share no beginnings, and none is dropped; evaluations, checkpoints and loading are not in the time");
	if (d->gpu)
		plan_assume(p, "time for turning a quantised base into bf16 is not counted");
	if (p->copies > 1)
		plan_assume(p,
			    "%u copies of the model, each with rows of its own: a step takes %lld x %lld x %u rows; gradients "
			    "are summed at %.3g GB/s",
			    p->copies, (long long)p->o->batch, (long long)p->o->accumulate, p->copies, plan_link(p) / 1e9);
}

static void assume(struct plan *p)
{
	const struct plan_opts *o = p->o;

	plan_assume(p, "rows of %lld tokens%s, %.0f%% of them trained", (long long)o->length,
		    o->longest > o->length ? " on average" : "", 100 * o->trained);
	if (!p->w->from_gguf && p->o->base == NULL && p->w->cfg.fp8_block == 0)
		plan_assume(p, "base weights have the type that the files or config.json state");
	if (o->base)
		plan_assume(p, "matrices of the base are %s; norms, biases and routers are not quantised", o->base);
	if (p->w->cfg.further)
		plan_assume(p, "layers that predict further tokens are left out");
	if (p->lora == NULL)
		plan_assume(p, "all weights are trained as f32, with f32 gradients and state");
	if (p->split > 1)
		plan_assume(p,
			    "%u devices hold a copy together, layer by layer, as stages of a pipeline; sft train does not split "
			    "a model yet, it only repeats it",
			    p->split);
	if (p->device.gpu)
		plan_assume(p, "0.6 GB for a device's context and libraries, 64 MiB of workspace, 97%% of the memory to be had");
	assume_time(p);
}

/* --- all of it --- */

int plan_reckon(struct plan *p, const struct plan_opts *o, struct err *e)
{
	bool bf16;
	int rc;

	memset(p, 0, sizeof *p);
	p->o = o;
	if ((rc = check(o, e)) != 0)
		return rc;
	bf16 = o->dtype == 2 || (o->dtype == 0 && device_fast_bf16(o->device, o->threads));
	p->act = bf16 ? DT_BF16 : DT_F32;
	if ((rc = device_find(&p->device, o->device, o->threads, p->act, e)) != 0 ||
	    (rc = weights_header(&p->w, o->model, e)) != 0 || (rc = set_base(p, e)) != 0 || (rc = set_adapter(p, e)) != 0)
		return rc;
	if (o->efficiency > 0)
		p->device.efficiency = o->efficiency;
	p->parameters = weights_parameters(p->w);
	set_pass(p);
	plan_judge(p);
	p->trained = p->lora ? lora_trained(p->lora) : p->need.model.trained;
	plan_count(p);
	plan_clock(p);
	set_disk(p);
	assume(p);
	return 0;
}

void plan_free(struct plan *p)
{
	lora_free(p->lora);
	weights_close(p->w);
}
