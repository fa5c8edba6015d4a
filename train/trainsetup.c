/* SPDX-License-Identifier: Apache-2.0 */
#include "trainrun.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "hash.h"
#include "json.h"
#include "mem.h"
#include "memroom.h"
#include "need.h"
#include "oddvalues.h"
#include "outfile.h"
#include "showrows.h"
#include "vocabhash.h"

/* Streams of random numbers of this file. */
static uint64_t seed_adapter(int64_t seed) { return (uint64_t)seed; }

/* --- model and adapter --- */

static bool names_lora(const struct train_opts *o)
{
	return o->rank || o->alpha > 0 || o->dropout > 0 || o->targets || o->rslora || o->dora;
}

static int new_adapter(struct run *r, struct err *e)
{
	const struct train_opts *o = r->o;
	struct loaded *l = &r->l;
	const struct lora_opts how = { o->rank ? (uint32_t)o->rank : 8, o->alpha > 0 ? o->alpha : 16, o->dropout, o->rslora, o->dora,
		o->targets ? o->targets : "all" };
	int rc;

	if (o->method == TRAIN_PREFIX && names_lora(o))
		return err_set(e, SFT_USAGE, "--rank, --alpha, --dropout, --targets, --rslora and --dora are not for --method prefix");
	if (o->method != TRAIN_PREFIX && o->prefix_len)
		return err_set(e, SFT_USAGE, "--prefix-len is for --method prefix");
	if (o->method == TRAIN_PREFIX)
		rc = prefix_new(&l->lora, &l->w->cfg, o->prefix_len ? (uint32_t)o->prefix_len : 16, e);
	else
		rc = lora_new(&l->lora, &l->w->cfg, &how, e);
	if (rc != 0)
		return rc;
	snprintf(l->lora->base_name, sizeof l->lora->base_name, "%s", o->use.model);
	if ((l->values = mem_try(l->lora->count * sizeof *l->values)) == NULL)
		return err_set(e, SFT_SYSTEM, "no memory for %zu trained values", l->lora->count);
	lora_init(l->lora, l->w, seed_adapter(r->t->seed), l->values);
	return 0;
}

static int old_adapter(struct run *r, struct err *e)
{
	const struct train_opts *o = r->o;

	if (names_lora(o) || o->prefix_len)
		return err_set(e, SFT_USAGE, "--rank, --alpha, --dropout, --targets, --rslora, --dora and --prefix-len with --adapter (an adapter has its own)");
	return loaded_adapter(&r->l, o->use.adapter, e);
}

/* All weights: there is no adapter, and best/ and last/ are folders like the model's. */
static int no_adapter(struct run *r, struct err *e)
{
	const struct train_opts *o = r->o;

	if (o->use.adapter || names_lora(o) || o->prefix_len)
		return err_set(e, SFT_USAGE, "--adapter, --rank, --alpha, --dropout, --targets, --rslora, --dora and --prefix-len are not for --method full");
	if (r->l.w->from_gguf)
		return err_set(e, SFT_USAGE, "%s: a GGUF file cannot be trained whole (expected a Hugging Face folder, or an adapter: --method lora)", o->use.model);
	return 0;
}

static int open_base(struct run *r, struct err *e)
{
	const struct train_opts *o = r->o;
	int rc;

	if (o->data.n == 0)
		return err_set(e, SFT_USAGE, "no data (expected --data FILE)");
	if (o->out == NULL)
		return err_set(e, SFT_USAGE, "no run folder (expected -o RUN)");
	r->full = o->method == TRAIN_FULL;
	if ((rc = loaded_base(&r->l, &o->use, (int)r->t->threads, e)) != 0)
		return rc;
	odd_values_warn(r->l.w, r->l.pool, r->t);
	return r->full ? no_adapter(r, e) : o->use.adapter ? old_adapter(r, e) : new_adapter(r, e);
}

static struct model_opts model_options(const struct run *r)
{
	return (struct model_opts){ .act = r->l.act, .train = r->full ? MODEL_TRAIN_FULL : MODEL_TRAIN_LORA, .smoothing = (float)r->o->smoothing,
		.checkpointing = r->o->checkpointing, .apart = kern_apart(r->l.k) };
}

/* --- data and numbers --- */

static bool has_terms(const struct data *d)
{
	bool any = false;

	for (size_t i = 0; i < d->n; i++)
		any |= shard_with_rivals(d->file[i].shard) > 0;
	return any;
}

/* Weights that move over the run. */
static int check_moving(const struct run *r, struct err *e)
{
	bool lasts = false;

	if (!cursor_moves(r->data.src, r->data.n))
		return 0;
	if (r->o->order == CURSOR_SEQUENTIAL)
		return err_set(e, SFT_USAGE, "--order sequential: the weight of a file moves over the run (expected fixed weights, or --order shuffled)");
	for (size_t i = 0; i < r->data.n; i++)
		lasts |= r->data.src[i].end > 0 && r->data.src[i].n > 0;
	return lasts ? 0 : err_set(e, SFT_USAGE, "--data: all weights end at 0 (expected one above it)");
}

static int open_data(struct run *r, struct err *e)
{
	const struct train_opts *o = r->o;
	const struct model_config *cfg = &r->l.w->cfg;
	struct recshard_opts rec = o->records;
	struct data_opts how = { .vocab = cfg->vocab, .records = &rec };
	int rc;

	rec.model = o->use.model;
	if ((rc = vocab_hash(o->use.model, &how.vocab_hash, e)) != 0 ||
	    (rc = data_open(&r->data, o->data.v, o->data.n, &how, e)) != 0)
		return rc;
	if (o->val.n && (rc = data_open(&r->val, o->val.v, o->val.n, &how, e)) != 0)
		return rc;
	r->has_val = o->val.n > 0;
	if (o->term_weight > 0 && !has_terms(&r->data))
		return err_set(e, SFT_USAGE, "--term-weight: no data has rivals of terms (expected shards of tokenize --terms)");
	if (r->data.untrained)
		tool_warn(r->t, "%llu rows without a trained token are left out", (unsigned long long)r->data.untrained);
	if (r->data.max_len > cfg->max_positions)
		tool_warn(r->t, "the longest sequence has %u tokens, the model's context is %u", r->data.max_len, cfg->max_positions);
	if ((rc = check_moving(r, e)) != 0)
		return rc;
	cursor_init(&r->cursor, r->data.src, r->data.n, (enum cursor_order)o->order, (uint64_t)r->t->seed);
	return 0;
}

/* Micro-steps of a step, of all ranks together. */
static uint64_t micro_steps(const struct train_opts *o)
{
	return (uint64_t)o->accumulate * ranks_size(o->ranks);
}

static void set_numbers(struct run *r)
{
	const struct train_opts *o = r->o;
	uint64_t rows = (uint64_t)o->batch * micro_steps(o), per_epoch, quarter;
	double epochs = o->epochs > 0 ? o->epochs : 3;
	bool moves = cursor_moves(r->data.src, r->data.n);

	if (moves && o->steps)
		cursor_set_horizon_rows(&r->cursor, (uint64_t)o->steps * rows);
	else if (moves)
		cursor_set_horizon(&r->cursor, epochs);
	per_epoch = cursor_steps(&r->cursor, rows, 1);
	quarter = (per_epoch + 3) / 4;
	r->steps = o->steps ? (uint64_t)o->steps : cursor_steps(&r->cursor, rows, epochs);
	r->eval_every = o->eval_every ? (uint64_t)o->eval_every : quarter < 10 ? 10 : quarter;
	r->save_every = o->save_every ? (uint64_t)o->save_every : r->eval_every;
	schedule_init(&r->sched, (enum schedule_kind)o->schedule, r->steps, o->warmup);
	r->lr = o->lr >= 0 ? o->lr : r->full ? 2e-5 : r->l.lora->prefix ? 1e-2 : 2e-4;
	tool_warn(r->t, "%llu optimiser steps of %llu rows (%llu rows an epoch%s, %llu steps)", (unsigned long long)r->steps,
	          (unsigned long long)rows, (unsigned long long)cursor_rows(&r->cursor, 0), moves ? " at first" : "", (unsigned long long)per_epoch);
	if (ranks_size(o->ranks) > 1)
		tool_warn(r->t, "%u ranks, each with %lld of the %llu micro-steps of a step", ranks_size(o->ranks), (long long)o->accumulate,
		          (unsigned long long)micro_steps(o));
	if (r->steps < 50)
		tool_warn(r->t, "fewer than 50 steps seldom teach much: a smaller --batch or --accumulate gives more");
}

static struct need_of what_is_needed(const struct run *r)
{
	const struct train_opts *o = r->o;
	uint32_t tokens = need_tokens((uint64_t)o->batch, r->data.max_row, r->data.max_len, (uint64_t)o->micro_tokens);

	return (struct need_of){ .w = r->l.w, .lora = r->l.lora, .model = model_options(r), .optim = (enum optim_kind)o->optim,
		.pass = { tokens, tokens, r->data.max_len }, .sequences = (tokens + r->data.max_len - 1) / r->data.max_len, .parts = gradsum_parts(o->ranks, micro_steps(o)),
		.threads = (int)r->t->threads };
}

/* What a device with memory of its own has to hold, and then the working memory of its operations there. */
static int check_device(const struct run *r, const struct need_of *of, const struct need *n, struct err *e)
{
	uint64_t left = kern_memory(r->l.k);
	char advice[160];

	if (!n->apart)
		return 0;
	if (need_device(n) <= left) {
		kern_reserve(r->l.k, n->room);
		return 0;
	}
	need_advice(of, left, r->data.max_len, advice, sizeof advice);
	return err_set(e, SFT_SYSTEM, "the run would take %.2f GB on the device, and it has %.2f GB left (%s)", (double)need_device(n) / 1e9, (double)left / 1e9, advice);
}

/* Before the large allocations: a run that cannot fit ends here.  The adapter's values are there already. */
static int check_memory(const struct run *r, struct err *e)
{
	struct need_of of = what_is_needed(r);
	size_t have = r->l.lora ? r->l.lora->count * sizeof(float) : 0;
	char advice[160];
	struct need n;
	const char *limit;
	uint64_t left = memroom(&limit);

	need_measure(&n, &of);
	have += n.base.copied + n.program;
	if (left == UINT64_MAX || need_own(&n) <= left + have)
		return check_device(r, &of, &n, e);
	need_advice(&of, left + have, r->data.max_len, advice, sizeof advice);
	return err_set(e, SFT_SYSTEM, "the run would take %.2f GB beside the mapped weights, and the %s leaves %.2f GB (%s)", (double)need_own(&n) / 1e9, limit,
	               (double)(left + have) / 1e9, advice);
}

static size_t trained(const struct run *r)
{
	return r->l.lora ? lora_trained(r->l.lora) : r->optim.n;
}

static void say_plan(const struct run *r)
{
	struct need_of of = what_is_needed(r);
	struct need need;
	size_t n = trained(r);
	uint64_t all = weights_parameters(r->l.w) + (r->full ? 0 : n);
	double mib = 1 << 20;

	need_measure(&need, &of);
	if (need.apart)
		tool_warn(r->t, "on the device: %.0f MiB of weights, %.0f MiB in all", (double)need.model.weights / mib, (double)need_device(&need) / mib);
	if (r->l.w->mtp)
		tool_warn(r->t, "%zu tensors of layers that predict further tokens are left out", r->l.w->mtp);
	tool_warn(r->t, "%zu of %llu parameters trained (%.2f%%)", n, (unsigned long long)all, 100.0 * (double)n / (double)all);
	tool_warn(r->t, "memory beside the weights: %.0f MiB for passes of up to %u tokens, %.1f MiB for trained values, gradients and the optimiser, %.0f MiB for all else; %s, %s",
	          (double)need.model.all / mib, of.pass.tokens, (double)(need.model.values + need.model.grad + need.sums + need.optimiser) / mib,
	          (double)(need.base.copied + need.model.tables + need.room + need.program) / mib, kern_name(r->l.k),
	          r->l.act == DT_F32 ? "f32" : "bf16");
}

static void method_json(const struct run *r, struct jw *w)
{
	const struct lora *l = r->l.lora;

	jw_key(w, "method");     jw_str(w, r->full ? "full" : l->prefix ? "prefix" : "lora");
	if (r->full)
		return;
	jw_key(w, "prefix_len"); jw_uint(w, l->prefix);
	jw_key(w, "rank");       jw_uint(w, l->rank);
	jw_key(w, "alpha");      jw_double(w, l->alpha);
	jw_key(w, "rslora");     jw_bool(w, l->rslora);
	jw_key(w, "dora");       jw_bool(w, l->dora);
	jw_key(w, "dropout");    jw_double(w, l->dropout);
}

static void write_settings(struct run *r)
{
	static const char *const order[] = { "shuffled", "sequential" }, *const schedule[] = { "cosine", "linear", "constant", "wsd" };
	static const char *const optim[] = { "adamw", "sgd", "lion", "adafactor" };
	const struct train_opts *o = r->o;
	struct jw w;

	jw_init(&w, &r->settings);
	jw_obj(&w);
	jw_key(&w, "parameters");      jw_uint(&w, weights_parameters(r->l.w));
	method_json(r, &w);
	jw_key(&w, "trained");         jw_uint(&w, trained(r));
	jw_key(&w, "data");            jw_uint(&w, r->data.print >> 11);      /* a whole number that JSON readers keep exact */
	jw_key(&w, "order");           jw_str(&w, order[o->order]);
	jw_key(&w, "seed");            jw_int(&w, r->t->seed);
	jw_key(&w, "steps");           jw_uint(&w, r->steps);
	jw_key(&w, "batch");           jw_int(&w, o->batch);
	jw_key(&w, "accumulate");      jw_uint(&w, micro_steps(o));
	jw_key(&w, "micro_tokens");    jw_int(&w, o->micro_tokens);
	jw_key(&w, "lr");              jw_double(&w, r->lr);
	jw_key(&w, "schedule");        jw_str(&w, schedule[o->schedule]);
	jw_key(&w, "warmup");          jw_double(&w, o->warmup);
	jw_key(&w, "optim");           jw_str(&w, optim[o->optim]);
	jw_key(&w, "loraplus_ratio");  jw_double(&w, o->loraplus > 0 ? o->loraplus : 1);
	jw_key(&w, "weight_decay");    jw_double(&w, o->decay);
	jw_key(&w, "clip");            jw_double(&w, o->clip);
	jw_key(&w, "label_smoothing"); jw_double(&w, o->smoothing);
	jw_key(&w, "term_weight");     jw_double(&w, o->term_weight);
	jw_key(&w, "neftune_alpha");   jw_double(&w, o->neftune);
	jw_key(&w, "metric");          jw_str(&w, o->metric ? o->metric : "loss");
	jw_key(&w, "dtype");           jw_str(&w, r->l.act == DT_F32 ? "f32" : "bf16");
	jw_obj_end(&w);
}

static int open_optim(struct run *r, struct err *e)
{
	const struct train_opts *o = r->o;
	const struct optim_opts how = { (enum optim_kind)o->optim, o->decay, o->clip };
	struct optim_part *part;
	size_t n;
	int rc;

	if (o->loraplus > 0 && (r->full || r->l.lora->prefix))
		return err_set(e, SFT_USAGE, "--loraplus-ratio is for --method lora");
	part = r->full ? optim_parts_full(&r->l.w->cfg, &n) : optim_parts_adapter(r->l.lora, o->loraplus > 0 ? o->loraplus : 1, &n);
	rc = optim_init(&r->optim, r->l.k, part, n, &how, e);
	mem_free(part);
	return rc;
}

/* Several files of validation data are several sources: a general and a new domain, say. */
static void open_sources(struct run *r)
{
	r->source = mem_new(r->val.n * sizeof *r->source);
	r->source_loss = mem_new(r->val.n * sizeof *r->source_loss);
	r->c.source = mem_new(r->val.n * sizeof *r->c.source);
	r->c.nsource = r->val.n;
	for (size_t i = 0; i < r->val.n; i++)
		r->source[i] = r->o->val.v[i];
}

static int open_answers(struct run *r, struct err *e)
{
	const struct train_opts *o = r->o;

	if (!r->has_val)
		return err_set(e, SFT_USAGE, "%s looks at answers to validation data (expected --val FILE)", o->metric ? "--metric" : "--sample-every");
	return answers_open(&r->answers, o->use.model, r->l.m, &r->val, o->metric, e);
}

/* Rows can share what they begin with unless each draws random numbers of its own there, or virtual tokens stand before them. */
static bool shares(const struct run *r)
{
	const struct lora *l = r->l.lora;

	return !r->o->apart && r->o->neftune == 0 && (l == NULL || (l->dropout == 0 && l->prefix == 0));
}

static int open_training(struct run *r, struct err *e)
{
	int rc;

	set_numbers(r);
	if ((rc = open_optim(r, e)) != 0)
		return rc;
	if ((r->o->metric || r->o->sample_every) && (rc = open_answers(r, e)) != 0)
		return rc;
	r->tr = (struct trainer){ .k = r->l.k, .m = r->l.m, .data = &r->data, .cursor = &r->cursor, .optim = &r->optim,
		.ranks = r->o->ranks, .batch = (uint64_t)r->o->batch, .accumulate = micro_steps(r->o), .micro = (uint32_t)r->o->micro_tokens, .seed = (uint64_t)r->t->seed, .share = shares(r), .term_weight = r->o->term_weight };
	r->tr.pack.neftune = (float)(r->o->neftune / sqrt((double)r->l.w->cfg.hidden));
	say_plan(r);
	if ((rc = show_rows(&r->data, r->o->use.model, r->t, e)) != 0)
		return rc;
	write_settings(r);
	if (r->has_val && (r->val.n > 1 || r->o->max_forgetting > 0))
		open_sources(r);
	else if (r->o->max_forgetting > 0)
		return err_set(e, SFT_USAGE, "--max-forgetting looks at validation data (expected --val FILE)");
	if (r->o->profile || tool_progress(r->t) != PROGRESS_OFF)         /* nobody else is told the share of it */
		r->peak = kern_peak(r->l.k, r->l.act);
	kern_profile_start(r->l.k);
	return 0;
}

static int open_model(struct run *r, struct err *e)
{
	struct model_opts how = model_options(r);

	return loaded_model(&r->l, &how, e);
}

/* --- the run folder --- */

/* The command lines that a RUN/config.json of earlier holds, as JSON without its brackets. */
static void earlier_commands(const char *path, struct buf *out)
{
	const struct json *j = NULL, *list;
	struct arena a;

	arena_init(&a);
	if (access(path, F_OK) == 0 && json_file(&a, path, &j, NULL) == 0 && (list = json_get(j, "commands")) && list->type == JSON_ARR)
		for (size_t i = 0; i < list->n; i++) {
			buf_add(out, list->item[i].raw, list->item[i].nraw);
			buf_ch(out, ',');
		}
	arena_release(&a);
}

static void command_json(const struct tool *t, struct buf *out)
{
	struct jw w;

	jw_init(&w, out);
	jw_arr(&w);
	jw_str(&w, t->name);
	for (int i = 1; i < t->argc; i++)
		jw_str(&w, t->argv[i]);
	jw_arr_end(&w);
}

static int write_config(const struct run *r, struct err *e)
{
	struct buf path = {0}, commands = {0}, text = {0};
	struct jw w;
	int rc;

	buf_fmt(&path, "%s/config.json", r->o->out);
	buf_ch(&commands, '[');
	if (r->resumed)
		earlier_commands(path.p, &commands);
	command_json(r->t, &commands);
	buf_ch(&commands, ']');
	jw_init(&w, &text);
	jw_obj(&w);
	jw_key(&w, "schema");           jw_str(&w, "sft.run/1");
	jw_key(&w, "tool");             jw_str(&w, r->t->name);
	jw_key(&w, "version");          jw_str(&w, SFT_VERSION);
	jw_key(&w, "commands");         jw_raw(&w, commands.p, commands.n);
	jw_key(&w, "model");            jw_str(&w, r->o->use.model);
	jw_key(&w, "device");           jw_str(&w, kern_name(r->l.k));
	jw_key(&w, "ranks");            jw_uint(&w, ranks_size(r->o->ranks));
	jw_key(&w, "rows");             jw_uint(&w, r->data.rows);
	jw_key(&w, "tokens");           jw_uint(&w, r->data.tokens);
	jw_key(&w, "trained_tokens");   jw_uint(&w, r->data.trained);
	jw_key(&w, "eval_every");       jw_uint(&w, r->eval_every);
	jw_key(&w, "patience");         jw_int(&w, r->o->patience);
	jw_key(&w, "settings");         jw_raw(&w, r->settings.p, r->settings.n);
	jw_obj_end(&w);
	buf_ch(&text, '\n');
	rc = out_whole(path.p, text.p, text.n, false, e);
	buf_free(&path);
	buf_free(&commands);
	buf_free(&text);
	return rc;
}

static bool has_log(const char *run)
{
	struct buf b = {0};
	bool yes;

	buf_fmt(&b, "%s/log.jsonl", run);
	yes = access(b.p, F_OK) == 0;
	buf_free(&b);
	return yes;
}

static int load_state(struct run *r, struct err *e)
{
	struct checkpoint *c = &r->c;
	int rc;

	*c = (struct checkpoint){ .nsource = c->nsource, .source = c->source, .settings = r->settings.p, .n = r->optim.n, .p = model_host(r->l.m), .state = { r->optim.host[0], r->optim.host[1] },
		.nstate = { r->optim.nstate[0], r->optim.nstate[1] } };
	if (!r->o->resume)
		return has_log(r->o->out) ? err_set(e, SFT_USAGE, "%s holds a run already (--resume goes on with it)", r->o->out) : 0;
	if ((rc = checkpoint_load(r->o->out, c, &r->resumed, e)) != 0 || !r->resumed)
		return rc;
	model_store(r->l.m);
	optim_store(&r->optim);
	cursor_seek(&r->cursor, c->place);
	r->optim.t = c->step;
	r->seconds_before = c->seconds;
	return 0;
}

static int open_folder(struct run *r, struct err *e)
{
	int rc;

	if ((rc = out_mkdirs(r->o->out, e)) != 0 || (rc = write_config(r, e)) != 0)
		return rc;
	if (!r->resumed)
		return runlog_create(&r->log, r->o->out, e);
	tool_warn(r->t, "%s: going on after step %llu", r->o->out, (unsigned long long)r->c.step);
	return runlog_resume(&r->log, r->o->out, r->c.log_length, r->c.step, e);
}

/* Of all that the ranks must have alike. */
static uint64_t fingerprint(const struct run *r)
{
	struct buf b = {0};
	uint64_t h;

	buf_fmt(&b, "%s %s %llu", r->settings.p, kern_name(r->l.k), (unsigned long long)r->c.step);
	h = hash64(b.p, b.n, 0);
	buf_free(&b);
	return h;
}

/* Everything that does not write.  Records become shards in the cache: the first rank makes them, the others find them there. */
static int open_all(struct run *r, struct err *e)
{
	struct ranks *ranks = r->o->ranks;
	int rc = ranks_agree(ranks, open_base(r, e), e);

	for (int turn = 0; turn < 2 && rc == 0; turn++)
		rc = ranks_agree(ranks, r->first == (turn == 0) ? open_data(r, e) : 0, e);
	if (rc == 0 && (rc = check_memory(r, e)) == 0 && (rc = open_model(r, e)) == 0 && (rc = open_training(r, e)) == 0)
		rc = load_state(r, e);
	if ((rc = ranks_agree(ranks, rc, e)) == 0)
		rc = ranks_alike(ranks, fingerprint(r), e);
	return rc;
}

int run_open(struct run *r, const struct train_opts *o, const struct tool *t, struct err *e)
{
	int rc;

	memset(r, 0, sizeof *r);
	r->o = o;
	r->t = t;
	r->first = ranks_rank(o->ranks) == 0;
	if ((rc = open_all(r, e)) != 0)
		return rc;
	return ranks_agree(o->ranks, r->first ? open_folder(r, e) : 0, e);
}

void run_close(struct run *r)
{
	runlog_close(r->log, NULL);
	answers_close(r->answers);
	mem_free(r->source);
	mem_free(r->source_loss);
	mem_free(r->c.source);
	trainer_release(&r->tr);
	optim_release(&r->optim);
	cursor_release(&r->cursor);
	data_close(&r->data);
	data_close(&r->val);
	loaded_close(&r->l);
	buf_free(&r->settings);
}
