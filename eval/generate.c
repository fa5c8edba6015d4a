/* SPDX-License-Identifier: Apache-2.0 */
#include "generate.h"

#include <string.h>

#include "chatids.h"
#include "genchoice.h"
#include "genrecord.h"
#include "oddvalues.h"
#include "progress.h"

/* One record under way. */
struct item {
	struct rec *r;
	const struct json *record, *question, *reference;
	struct tok_ids prompt;
	struct decode_request q;
	bool rejected;
};

struct gen {
	const struct generate_opts *o;
	struct tool *t;
	struct loaded l;
	struct chatids *c;              /* NULL: the model has no tokenizer (--from ids only) */
	struct decoder *d;
	struct recin *in;
	struct recout *out;
	struct genout names;
	struct json_parser *parser;
	struct arena arena, kept;       /* of the batch, of the run */
	struct rec rec[DECODE_TOGETHER];
	struct item item[DECODE_TOGETHER];
	size_t n;
	struct decode_opts how;
	uint32_t eos;                   /* where there is no tokenizer */
	uint32_t longest_stop;
	struct choice_set choices;      /* of the file, or of the record under way */
	bool choices_done;              /* those of the file are encoded */
	int32_t end;                    /* end-of-turn token, -1: none */
	bool end_known;
	struct buf text;                /* scratch */
	uint64_t long_ones;
};

void generate_opts_init(struct generate_opts *o)
{
	memset(o, 0, sizeof *o);
	rec_opts_init(&o->rec);
	o->max_tokens = 256;
	o->sample.top_p = o->sample.repeat_penalty = 1;
	o->logprobs = -1;
}

/* --- questions --- */

static int read_ids(struct item *it, struct err *e)
{
	const struct json *ids = json_get(it->record, "ids");
	int64_t v;

	if (ids == NULL || ids->type != JSON_ARR || ids->n == 0)
		return err_set(e, SFT_BADDATA, "no ids (expected a list of token ids under \"ids\")");
	it->prompt.n = 0;
	for (size_t i = 0; i < ids->n; i++) {
		if (!json_int(&ids->item[i], &v) || v < 0 || v > INT32_MAX)
			return err_set(e, SFT_BADDATA, "id %zu is no token id", i + 1);
		ARRAY_ROOM(it->prompt.id, it->prompt.n, it->prompt.cap);
		it->prompt.id[it->prompt.n++] = (uint32_t)v;
	}
	return 0;
}

static int read_item(struct gen *g, struct item *it, struct err *e)
{
	int rc = genrecord_json(it->r, g->parser, &g->arena, &it->record, e);

	it->reference = NULL;
	it->rejected = false;
	if (rc != 0)
		return rc;
	it->question = it->record;
	if (g->o->from_ids)
		return read_ids(it, e);
	if ((rc = genrecord_question(it->record, &g->arena, &it->question, &it->reference, e)) != 0)
		return rc;
	it->prompt.n = 0;
	if ((rc = chatids_prompt(g->c, it->question, &it->prompt, e)) == 0 && it->prompt.n == 0)
		rc = err_set(e, SFT_BADDATA, "the template leaves nothing of the messages");
	return rc;
}

static int check_vocab(const struct gen *g, const struct item *it, struct err *e)
{
	uint32_t vocab = model_config(g->l.m)->vocab;

	for (size_t i = 0; i < it->prompt.n; i++)
		if (it->prompt.id[i] >= vocab)
			return err_set(e, SFT_BADDATA, "token id %u (the model's vocabulary has %u)", it->prompt.id[i], vocab);
	return 0;
}

/* The next batch; bad records are rejected, or end the run. */
static int read_batch(struct gen *g, struct err *e)
{
	int rc;

	arena_reset(&g->arena);
	if ((rc = rec_read_batch(g->in, &g->arena, g->rec, DECODE_TOGETHER, &g->n, e)) != 0)
		return rc;
	for (size_t i = 0; i < g->n; i++) {
		struct item *it = &g->item[i];

		it->r = &g->rec[i];
		if ((rc = read_item(g, it, e)) == 0)
			rc = check_vocab(g, it, e);
		if (rc == SFT_BADDATA && g->o->rec.on_bad == 1) {
			it->rejected = true;
			rc = rec_reject(g->in, it->r, g->o->from_ids ? "no usable ids" : "no usable messages", e);
		} else if (rc != 0) {
			err_in(e, "%s:%llu", it->r->file, (unsigned long long)it->r->line);
		}
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* --- answers --- */

/* Where in the text of IDS a stop text begins; the text's length where none does. */
static size_t find_stop(struct gen *g, const uint32_t *ids, uint32_t n, struct buf *text)
{
	size_t at;

	text->n = 0;
	buf_add(text, "", 0);
	if (tok_decode(chatids_tok(g->c), ids, n, TOK_SKIP_SPECIAL, text, NULL) != 0)
		return 0;
	at = text->n;
	for (size_t i = 0; i < g->o->stop.n; i++) {
		const char *stop = g->o->stop.v[i];
		const char *p = text->n ? memmem(text->p, text->n, stop, strlen(stop)) : NULL;

		if (p && (size_t)(p - text->p) < at)
			at = (size_t)(p - text->p);
	}
	return at;
}

/* A stop text that is complete ends in the last token: only the last few are looked at. */
static bool ends(void *ctx, const uint32_t *ids, uint32_t n)
{
	struct gen *g = ctx;
	uint32_t k = n < g->longest_stop + 4 ? n : g->longest_stop + 4;

	return find_stop(g, ids + n - k, k, &g->text) < g->text.n;
}

static int answer_batch(struct gen *g, struct err *e)
{
	struct decode_request q[DECODE_TOGETHER];
	uint32_t n = 0, limit = model_config(g->l.m)->max_positions;
	int rc;

	for (size_t i = 0; i < g->n; i++) {
		struct item *it = &g->item[i];

		if (it->rejected)
			continue;
		g->long_ones += limit && it->prompt.n + (size_t)g->how.max_tokens > limit;
		q[n++] = (struct decode_request){ .prompt = it->prompt.id, .n = (uint32_t)it->prompt.n, .number = it->r->num };
	}
	if ((rc = decode_run(g->d, &g->how, q, n, e)) != 0)
		return rc;
	n = 0;
	for (size_t i = 0; i < g->n; i++)
		if (!g->item[i].rejected)
			g->item[i].q = q[n++];
	return 0;
}

/* --- records out --- */

static struct field json_field(struct arena *a, struct buf *b)
{
	struct field f = { arena_str(a, b->p ? b->p : "", b->n), b->n, FIELD_JSON };

	buf_free(b);
	return f;
}

static struct field value_field(struct arena *a, const struct json *v)
{
	struct buf b = {0};
	struct jw w;

	if (v->type == JSON_STR)
		return (struct field){ v->s, v->n, FIELD_TEXT };
	jw_init(&w, &b);
	jw_value(&w, v);
	return json_field(a, &b);
}

static struct field ids_field(struct arena *a, const uint32_t *ids, uint32_t n)
{
	struct buf b = {0};
	struct jw w;

	jw_init(&w, &b);
	jw_arr(&w);
	for (uint32_t i = 0; i < n; i++)
		jw_uint(&w, ids[i]);
	jw_arr_end(&w);
	return json_field(a, &b);
}

static void put_token(struct gen *g, struct jw *w, uint32_t id, double logp)
{
	jw_key(w, "id");
	jw_uint(w, id);
	if (g->c) {
		g->text.n = 0;
		buf_add(&g->text, "", 0);
		tok_decode(chatids_tok(g->c), &id, 1, 0, &g->text, NULL);
		jw_key(w, "token");
		jw_strn(w, g->text.p, g->text.n);
	}
	jw_key(w, "logprob");
	jw_double(w, logp);
}

static struct field logprobs_field(struct gen *g, const struct decode_request *q)
{
	struct buf b = {0};
	struct jw w;

	jw_init(&w, &b);
	jw_arr(&w);
	for (uint32_t i = 0; i < q->count; i++) {
		jw_obj(&w);
		put_token(g, &w, q->ids[i], q->logp[i]);
		jw_key(&w, "top");
		jw_arr(&w);
		for (uint32_t k = 0; k < g->how.top; k++) {
			jw_obj(&w);
			put_token(g, &w, q->top[(size_t)i * g->how.top + k], q->top_logp[(size_t)i * g->how.top + k]);
			jw_obj_end(&w);
		}
		jw_arr_end(&w);
		jw_obj_end(&w);
	}
	jw_arr_end(&w);
	return json_field(&g->arena, &b);
}

enum { F_MESSAGES, F_PREDICTION, F_REFERENCE, F_SCORES, F_IDS, F_LOGPROBS, F_COUNT };

/* What every output record has: the question, and the reference beside it. */
static void common_fields(struct gen *g, const struct item *it, struct genfield *f)
{
	memset(f, 0, F_COUNT * sizeof *f);
	if (it->reference == NULL)
		return;
	f[F_MESSAGES] = (struct genfield){ "messages", value_field(&g->arena, json_get(it->question, "messages")) };
	f[F_REFERENCE] = (struct genfield){ "reference", value_field(&g->arena, it->reference) };
}

static int put(struct gen *g, const struct item *it, const struct genfield *f, struct err *e)
{
	struct rec r;

	genout_record(&g->names, it->r, f, F_COUNT, &g->arena, &r);
	return rec_write(g->out, &r, e);
}

static int put_answer(struct gen *g, struct item *it, struct err *e)
{
	struct genfield f[F_COUNT];
	struct decode_request *q = &it->q;
	struct buf text = {0};
	size_t n;
	int rc;

	common_fields(g, it, f);
	if (g->c) {
		n = find_stop(g, q->ids, q->count - (q->stopped ? 1 : 0), &text);
		f[F_PREDICTION] = (struct genfield){ "prediction", { arena_str(&g->arena, text.p, n), n, FIELD_TEXT } };
	}
	if (g->o->from_ids || g->o->ids)
		f[F_IDS] = (struct genfield){ "prediction_ids", ids_field(&g->arena, q->ids, q->count) };
	if (g->how.logprobs)
		f[F_LOGPROBS] = (struct genfield){ "logprobs", logprobs_field(g, q) };
	rc = put(g, it, f, e);
	buf_free(&text);
	decode_request_free(q);
	return rc;
}

/* --- choices --- */

static int find_end(struct gen *g, const struct item *it, struct err *e)
{
	int rc = 0;

	if (g->end_known)
		return 0;
	g->end = tok_eos(chatids_tok(g->c));
	if (!g->o->from_ids)
		rc = chatids_end(g->c, it->question, &g->end, e);
	g->end_known = rc == 0;
	return rc;
}

static int need_choices(struct gen *g, const struct item *it, struct err *e)
{
	int rc;

	if (g->choices_done)
		return 0;
	if ((rc = find_end(g, it, e)) != 0)
		return rc;
	if (g->o->choices[0] != '@' && (rc = choice_set_list(&g->choices, json_get(it->record, g->o->choices), &g->arena, e)) != 0)
		return err_in(e, "%s", g->o->choices);
	g->choices_done = g->o->choices[0] == '@';
	return choice_set_encode(&g->choices, g->c, g->end, (enum choice_norm)g->o->norm, e);
}

static double normed(const struct gen *g, uint32_t i)
{
	return g->choices.c[i].score / g->choices.divisor[i];
}

/* The choice with the highest score; the scores of all, but with --choices-best. */
static int choose(struct gen *g, const struct item *it, uint32_t *best, struct field *scores, struct err *e)
{
	const struct choice_set *s = &g->choices;
	struct buf b = {0};
	struct jw w;
	int rc;

	if (g->o->choices_best)
		return decode_best(g->d, it->prompt.id, (uint32_t)it->prompt.n, s->c, s->n, s->divisor, best, e);
	if ((rc = decode_choices(g->d, it->prompt.id, (uint32_t)it->prompt.n, s->c, s->n, e)) != 0)
		return rc;
	jw_init(&w, &b);
	jw_obj(&w);
	for (uint32_t i = 0; i < s->n; i++) {
		jw_keyn(&w, s->text[i].p, s->text[i].n);
		jw_double(&w, normed(g, i));
		if (normed(g, i) > normed(g, *best))
			*best = i;
	}
	jw_obj_end(&w);
	*scores = json_field(&g->arena, &b);
	return 0;
}

static int put_choice(struct gen *g, const struct item *it, struct err *e)
{
	const struct choice_set *s = &g->choices;
	struct genfield f[F_COUNT];
	struct field scores = {0};
	uint32_t best = 0;
	int rc = choose(g, it, &best, &scores, e);

	if (rc != 0)
		return rc;
	common_fields(g, it, f);
	f[F_PREDICTION] = (struct genfield){ "prediction", { s->text[best].p, s->text[best].n, FIELD_TEXT } };
	if (!g->o->choices_best)
		f[F_SCORES] = (struct genfield){ "scores", scores };
	if (g->o->from_ids || g->o->ids)
		f[F_IDS] = (struct genfield){ "prediction_ids", ids_field(&g->arena, s->c[best].ids, s->c[best].n) };
	return put(g, it, f, e);
}

static int choose_batch(struct gen *g, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < g->n && rc == 0; i++) {
		struct item *it = &g->item[i];

		if (it->rejected)
			continue;
		if ((rc = need_choices(g, it, e)) == 0)
			rc = put_choice(g, it, e);
		if (rc != 0)
			err_in(e, "%s:%llu", it->r->file, (unsigned long long)it->r->line);
	}
	return rc;
}

/* --- the run --- */

static int set_stops(struct gen *g, struct err *e)
{
	const struct generate_opts *o = g->o;
	int32_t eos = model_config(g->l.m)->eos;
	size_t n = 0;

	for (size_t i = 0; i < o->stop.n; i++) {
		if (o->stop.v[i][0] == 0)
			return err_set(e, SFT_USAGE, "--stop with an empty text");
		if (strlen(o->stop.v[i]) > g->longest_stop)
			g->longest_stop = (uint32_t)strlen(o->stop.v[i]);
	}
	if (o->stop.n && (o->no_stop || g->c == NULL))
		return err_set(e, SFT_USAGE, o->no_stop ? "--stop with --no-stop" : "--stop with a model that has no tokenizer");
	if (o->no_stop)
		return 0;
	if (g->c) {
		g->how.stop = tok_stops(chatids_tok(g->c), &n);
		g->how.nstop = (uint32_t)n;
	}
	if (n == 0 && eos >= 0) {
		g->eos = (uint32_t)eos;
		g->how.stop = &g->eos;
		g->how.nstop = 1;
	}
	g->how.ends = o->stop.n ? ends : NULL;
	g->how.ctx = g;
	return 0;
}

static int set_up(struct gen *g, struct err *e)
{
	const struct generate_opts *o = g->o;
	const char *text;
	int rc;

	if (o->choices_best && o->choices == NULL)
		return err_set(e, SFT_USAGE, "--choices-best without --choices");
	if ((rc = loaded_open(&g->l, &o->use, (int)g->t->threads, e)) != 0)
		return rc;
	odd_values_warn(g->l.w, g->l.pool, g->t);
	if ((rc = decode_open(&g->d, g->l.m, e)) != 0)
		return rc;
	if (o->from_ids && o->choices == NULL)
		rc = chatids_maybe(&g->c, o->use.model, o->template, e);
	else
		rc = chatids_open(&g->c, o->use.model, o->template, e);
	if (rc != 0)
		return rc;
	g->how = (struct decode_opts){ .max_tokens = (uint32_t)o->max_tokens, .seed = (uint64_t)g->t->seed, .logprobs = o->logprobs >= 0,
		.top = o->logprobs > 0 ? (uint32_t)o->logprobs : 0,
		.sample = { .temperature = o->sample.temperature, .top_k = (uint32_t)o->sample.top_k, .top_p = o->sample.top_p,
			.min_p = o->sample.min_p, .repeat_penalty = o->sample.repeat_penalty } };
	if (g->how.top > g->l.w->cfg.vocab)
		g->how.top = g->l.w->cfg.vocab;
	if (o->choices && o->choices[0] == '@') {
		if ((rc = tool_text_or_file(&g->kept, o->choices, &text, e)) != 0)
			return rc;
		if ((rc = choice_set_lines(&g->choices, text, &g->kept, e)) != 0)
			return err_in(e, "%s", o->choices + 1);
	}
	return set_stops(g, e);
}

static int run(struct gen *g, struct err *e)
{
	struct progress bar;
	int rc;

	progress_open(&bar, g->t->name, "records", 0, tool_progress(g->t));
	while ((rc = read_batch(g, e)) == 0 && g->n) {
		if (g->o->choices) {
			rc = choose_batch(g, e);
		} else if ((rc = answer_batch(g, e)) == 0) {
			for (size_t i = 0; i < g->n && rc == 0; i++)
				rc = g->item[i].rejected ? 0 : put_answer(g, &g->item[i], e);
		}
		if (rc != 0)
			break;
		progress_at(&bar, rec_count(g->in), rec_share(g->in), NULL);
	}
	progress_close(&bar);
	return rc;
}

static int finish(struct gen *g, struct err *e)
{
	int rc = rec_stats(g->in, g->out, &g->o->rec, g->t, NULL, NULL, e);

	if (rc == 0 && (rc = rec_settle(g->in, e)) == 0) {
		rc = rec_finish(g->out, e);
		g->out = NULL;
	}
	if (rc == 0) {
		rc = rec_close(g->in, e);
		g->in = NULL;
	}
	if (g->long_ones)
		tool_warn(g->t, "%llu records could grow beyond the model's context of %u tokens", (unsigned long long)g->long_ones,
		          model_config(g->l.m)->max_positions);
	return rc;
}

static void release(struct gen *g)
{
	rec_drop(g->out);
	rec_abandon(g->in);
	genout_free(&g->names);
	choice_set_free(&g->choices);
	for (int i = 0; i < DECODE_TOGETHER; i++)
		tok_ids_free(&g->item[i].prompt);
	decode_close(g->d);
	chatids_close(g->c);
	loaded_close(&g->l);
	json_parser_free(g->parser);
	buf_free(&g->text);
	arena_release(&g->arena);
	arena_release(&g->kept);
}

int generate_run(const struct generate_opts *o, struct tool *t, const char *const *files, size_t n, struct err *e)
{
	struct gen g = { .o = o, .t = t };
	struct rec_opts in = o->rec;
	int rc;

	if (o->from_ids)
		in.from = REC_AUTO;
	arena_init(&g.arena);
	arena_init(&g.kept);
	g.parser = json_parser_new();
	if ((rc = set_up(&g, e)) == 0 && (rc = rec_open(&g.in, files, n, &in, t, e)) == 0 &&
	    (rc = rec_create(&g.out, NULL, REC_JSONL, &in, t, e)) == 0 && (rc = run(&g, e)) == 0)
		rc = finish(&g, e);
	release(&g);
	return rc;
}
