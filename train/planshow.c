/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "mem.h"
#include "plan.h"

/* --- figures as text --- */

static void put_bytes(struct buf *b, double n)
{
	if (n >= 1e12)
		buf_fmt(b, "%8.2f TB", n / 1e12);
	else if (n >= 1e9)
		buf_fmt(b, "%8.2f GB", n / 1e9);
	else
		buf_fmt(b, "%8.1f MB", n / 1e6);
}

static void put_seconds(struct buf *b, double s)
{
	if (s < 120)
		buf_fmt(b, "%.3g s", s);
	else if (s < 7200)
		buf_fmt(b, "%.1f min", s / 60);
	else if (s < 48 * 3600)
		buf_fmt(b, "%.1f hours", s / 3600);
	else
		buf_fmt(b, "%.1f days", s / 86400);
}

static void put_count(struct buf *b, double n)
{
	if (n >= 1e9)
		buf_fmt(b, "%.2f billion", n / 1e9);
	else if (n >= 1e6)
		buf_fmt(b, "%.2f million", n / 1e6);
	else
		buf_fmt(b, "%.0f", n);
}

/* --- what both forms list --- */

struct line {
	const char *key, *text;
	double bytes;
};
enum { LINES = 13 };

static unsigned memory_lines(const struct plan *p, const struct need *n, struct line out[LINES])
{
	const struct acts_size *a = &n->model.acts;
	const struct line all[LINES] = {
	    {"base", "base weights", (double)n->base.mapped},
	    {"copied", "  parts of them copied", (double)n->base.copied},
	    {"values", p->lora ? "adapter" : "all weights as f32", (double)n->model.values},
	    {"gradients", "gradients", (double)n->model.grad},
	    {"sums", "gradients of micro-steps", (double)n->sums},
	    {"optimiser", "optimiser", (double)n->optimiser},
	    {"layers", "activations of layers", (double)a->layers},
	    {"inputs", "inputs of layers, kept", (double)a->inputs},
	    {"work", "values on their way", (double)a->work},
	    {"head", "logits and head", (double)a->head},
	    {"tables", "tables of positions and norms", (double)n->model.tables},
	    {"room", "working memory", p->device.gpu ? 64 << 20 : (double)n->room},
	    {"program", "program", p->device.gpu ? 0.6e9 : (double)n->program},
	};

	memcpy(out, all, sizeof all);
	return LINES;
}

/* --- table --- */

static void table_model(const struct plan *p, struct buf *b)
{
	buf_fmt(b, "model      %s, %u layers, ", p->w->cfg.family, p->w->cfg.layers);
	put_count(b, (double)p->parameters);
	buf_str(b, " parameters");
	if (p->w->cfg.experts) {
		buf_str(b, ", of which ");
		put_count(b, p->flops.active);
		buf_str(b, " multiply a token");
	}
	buf_str(b, "\ntrained    ");
	put_count(b, (double)p->trained);
	buf_fmt(b, " (%.3g%%)\npass       %u tokens, %u of them trained; %.0f passes a step%s\n",
		100 * (double)p->trained / (double)(p->parameters + (p->lora ? p->trained : 0)), p->of.pass.tokens,
		p->of.pass.nout, p->passes, p->o->checkpointing ? ", checkpointed" : "");
}

static void table_memory(const struct plan *p, struct buf *b)
{
	struct line l[LINES];
	unsigned n = memory_lines(p, &p->share, l);

	buf_fmt(b, "\nmemory%s\n", p->split > 1 ? " of the fullest device" : p->o->devices > 1 ? " of each device" : "");
	for (unsigned i = 0; i < n; i++) {
		if (l[i].bytes == 0)
			continue;
		buf_fmt(b, "  %-32s", l[i].text);
		put_bytes(b, l[i].bytes);
		buf_ch(b, '\n');
	}
	buf_fmt(b, "  %-32s", "total");
	put_bytes(b, p->device_bytes);
	buf_fmt(b, "\n  %-32s", p->limit);
	put_bytes(b, p->room);
	if (p->o->devices > 1) {
		buf_fmt(b, "\n  %-32s", "all devices together");
		put_bytes(b, p->device_bytes * (double)p->o->devices);
	}
	buf_ch(b, '\n');
}

static void table_verdict(const struct plan *p, struct buf *b)
{
	if (p->streams)
		buf_str(b, "fits       without the mapped weights: these would be read from the disk again in every pass\n");
	else
		buf_str(b, p->fits ? "fits       yes\n" : "fits       NO\n");
	for (unsigned i = 0; i < p->nadvice; i++)
		buf_fmt(b, "  would fit  %s\n", p->advice[i]);
	if (!p->fits && p->nadvice == 0)
		buf_str(b, "  nothing here would make it fit: shorter rows, a smaller model or larger devices\n");
}

static void table_flops(const struct plan *p, bool verbose, struct buf *b)
{
	const struct plan_flops *f = &p->flops;
	double tokens = (double)(p->o->batch * p->o->accumulate) * (double)p->o->length * p->copies;

	buf_fmt(b, "\narithmetic a token\n  %-32s%8.4g GFLOP\n  %-32s%8.4g GFLOP\n", p->lora ? "4N + 6n + 6TDL" : "6N + 6TDL",
		f->rule / 1e9, "computed", f->sum / 1e9);
	if (verbose) {
		const struct line part[] = {
		    {"", "  layers, there", f->layers},
		    {"", "  layers, there again", f->again},
		    {"", "  layers, back", f->back},
		    {"", "  gradients of weights", f->weights},
		    {"", "  adapters", f->adapters},
		    {"", "  attention", f->attention},
		    {"", "  head", f->head},
		};

		for (size_t i = 0; i < sizeof part / sizeof *part; i++)
			if (part[i].bytes > 0)
				buf_fmt(b, "  %-32s%8.4g GFLOP\n", part[i].text, part[i].bytes / 1e9);
	}
	buf_fmt(b, "  %-32s%8.4g TFLOP\n", "a step", tokens * f->sum / 1e12);
}

static void time_line(struct buf *b, const char *what, double seconds)
{
	buf_fmt(b, "  %-32s  ", what);
	put_seconds(b, seconds);
}

static void table_time(const struct plan *p, bool verbose, struct buf *b)
{
	const struct plan_time *t = &p->time;

	buf_str(b, "\ntime\n");
	time_line(b, "a step", t->step);
	buf_fmt(b, ", %.4g tokens/s, %.0f%% of peak\n", t->tokens_per_s, 100 * t->peak_share);
	if (verbose) {
		const struct line part[] = {
		    {"", "  products", t->products * t->bubble},
		    {"", "  reading weights", t->weights * t->bubble},
		    {"", "  moving values", t->values * t->bubble},
		    {"", "  optimiser", t->optimiser},
		    {"", "  links", t->links},
		};

		for (size_t i = 0; i < sizeof part / sizeof *part; i++)
			if (part[i].bytes > 0) {
				time_line(b, part[i].text, part[i].bytes);
				buf_ch(b, '\n');
			}
	}
	if (t->epoch > 0) {
		time_line(b, "an epoch", t->epoch);
		buf_fmt(b, ", %.0f steps\n", t->steps_epoch);
	}
	if (t->run > 0) {
		time_line(b, "the run", t->run);
		buf_fmt(b, ", %.0f steps\n", t->steps);
	}
	if (p->o->price > 0 && t->run > 0)
		buf_fmt(b, "  %-32s  %.2f\n", "cost", t->run / 3600 * p->o->price * (double)p->o->devices);
}

void plan_table(const struct plan *p, bool verbose, struct buf *b)
{
	table_model(p, b);
	table_memory(p, b);
	table_verdict(p, b);
	table_flops(p, verbose, b);
	table_time(p, verbose, b);
	buf_fmt(b, "\ndisk\n  %-32s", "a checkpoint, of which two stay");
	put_bytes(b, p->disk.state);
	buf_fmt(b, "\n  %-32s", "best/, and as much last/");
	put_bytes(b, p->disk.result);
	buf_fmt(b, "\n  %-32s", "the run's folder");
	put_bytes(b, p->disk.total);
	buf_str(b, "\n\nassumed\n");
	for (unsigned i = 0; i < p->nassumed; i++)
		buf_fmt(b, "- %s\n", p->assumed[i]);
}

/* --- JSON --- */

static void key_double(struct jw *w, const char *key, double v)
{
	jw_key(w, key);
	jw_double(w, v);
}

static void key_bytes(struct jw *w, const char *key, double v)
{
	jw_key(w, key);
	jw_uint(w, (uint64_t)v);
}

static void json_memory(const struct plan *p, struct jw *w)
{
	struct line l[LINES];
	unsigned n = memory_lines(p, &p->share, l);

	jw_key(w, "memory");
	jw_obj(w);
	for (unsigned i = 0; i < n; i++)
		key_bytes(w, l[i].key, l[i].bytes);
	key_bytes(w, "own", (double)need_own(&p->share));
	key_bytes(w, "total", p->device_bytes);
	key_bytes(w, "available", p->room);
	jw_key(w, "limit");
	jw_str(w, p->limit);
	jw_key(w, "fits");
	jw_bool(w, p->fits);
	jw_key(w, "streams");
	jw_bool(w, p->streams);
	jw_obj_end(w);
}

static void json_flops(const struct plan *p, struct jw *w)
{
	const struct plan_flops *f = &p->flops;

	jw_key(w, "flops_per_token");
	jw_obj(w);
	key_double(w, "rule", f->rule);
	key_double(w, "computed", f->sum);
	key_double(w, "layers", f->layers);
	key_double(w, "again", f->again);
	key_double(w, "back", f->back);
	key_double(w, "weights", f->weights);
	key_double(w, "adapters", f->adapters);
	key_double(w, "attention", f->attention);
	key_double(w, "head", f->head);
	jw_obj_end(w);
}

static void json_time(const struct plan *p, struct jw *w)
{
	const struct plan_time *t = &p->time;

	jw_key(w, "time");
	jw_obj(w);
	key_double(w, "step_s", t->step);
	key_double(w, "products_s", t->products * t->bubble);
	key_double(w, "weights_s", t->weights * t->bubble);
	key_double(w, "values_s", t->values * t->bubble);
	key_double(w, "optimiser_s", t->optimiser);
	key_double(w, "links_s", t->links);
	key_double(w, "tokens_per_s", t->tokens_per_s);
	key_double(w, "share_of_peak", t->peak_share);
	key_bytes(w, "steps", t->steps);
	key_double(w, "epoch_s", t->epoch);
	key_double(w, "run_s", t->run);
	if (p->o->price > 0)
		key_double(w, "cost", t->run / 3600 * p->o->price * (double)p->o->devices);
	jw_obj_end(w);
}

static void json_model(const struct plan *p, struct jw *w)
{
	jw_key(w, "model");
	jw_obj(w);
	jw_key(w, "family");
	jw_str(w, p->w->cfg.family);
	jw_key(w, "layers");
	jw_uint(w, p->w->cfg.layers);
	jw_key(w, "parameters");
	jw_uint(w, p->parameters);
	key_bytes(w, "active", p->flops.active);
	jw_obj_end(w);
	jw_key(w, "trained");
	jw_uint(w, p->trained);
	key_double(w, "trained_share", (double)p->trained / (double)(p->parameters + (p->lora ? p->trained : 0)));
	jw_key(w, "dtype");
	jw_str(w, p->act == DT_F32 ? "f32" : "bf16");
	jw_key(w, "device");
	jw_str(w, p->device.name);
	jw_key(w, "devices");
	jw_int(w, p->o->devices);
	jw_key(w, "split");
	jw_uint(w, p->split);
	jw_key(w, "copies");
	jw_uint(w, p->copies);
	jw_key(w, "pass_tokens");
	jw_uint(w, p->of.pass.tokens);
	jw_key(w, "pass_trained");
	jw_uint(w, p->of.pass.nout);
	key_double(w, "passes", p->passes);
}

void plan_json(const struct plan *p, struct buf *b)
{
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w);
	jw_key(&w, "schema");
	jw_str(&w, "sft.plan/1");
	json_model(p, &w);
	json_memory(p, &w);
	json_flops(p, &w);
	json_time(p, &w);
	jw_key(&w, "disk");
	jw_obj(&w);
	key_bytes(&w, "checkpoint", p->disk.state);
	key_bytes(&w, "result", p->disk.result);
	key_bytes(&w, "total", p->disk.total);
	jw_obj_end(&w);
	jw_key(&w, "advice");
	jw_arr(&w);
	for (unsigned i = 0; i < p->nadvice; i++)
		jw_str(&w, p->advice[i]);
	jw_arr_end(&w);
	jw_key(&w, "assumed");
	jw_arr(&w);
	for (unsigned i = 0; i < p->nassumed; i++)
		jw_str(&w, p->assumed[i]);
	jw_arr_end(&w);
	jw_obj_end(&w);
	buf_ch(b, '\n');
}
