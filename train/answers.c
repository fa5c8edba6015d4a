/* SPDX-License-Identifier: Apache-2.0 */
#include "answers.h"

#include <string.h>

#include "decode.h"
#include "mem.h"
#include "metric.h"
#include "tok.h"

/* A row: where its prompt ends and its reference lies. */
struct row {
	uint32_t file, seq;
	uint32_t prompt, end;          /* tokens before the reference; one past it */
};

struct answers {
	struct model *m;
	const struct data *val;
	struct tok *tok;
	const char *name;              /* of the metric, NULL: none */
	struct metric_opts how;
	size_t value;                  /* which of the metric's values */
	bool lower;
	struct row *row;
	size_t n, cap;
	struct shard_buf buf;
};

/* --- rows --- */

static void add_row(struct answers *a, uint32_t file, uint32_t seq, const struct shard_seq *s)
{
	uint32_t end = s->n, from;

	while (end > 0 && !s->mask[end - 1])
		end--;
	for (from = end; from > 0 && s->mask[from - 1]; from--)
		;
	if (from == 0 || end == 0)
		return;
	ARRAY_ROOM(a->row, a->n, a->cap);
	a->row[a->n++] = (struct row){ file, seq, from, end };
}

static int list_rows(struct answers *a, struct err *e)
{
	int rc;

	for (uint32_t f = 0; f < a->val->n; f++)
		for (uint32_t i = 0; i < a->val->src[f].n; i++) {
			struct data_row r = data_row(a->val, &(struct cursor_item){ f, a->val->src[f].row[i] });

			for (uint32_t k = 0; k < r.n; k++) {
				struct shard_seq s;

				if ((rc = shard_get(r.shard, r.seq[k], &a->buf, &s, e)) != 0)
					return err_in(e, "%s", r.path);
				add_row(a, f, r.seq[k], &s);
			}
		}
	return a->n ? 0 : err_set(e, SFT_BADDATA, "no row of the validation data has a prompt and an answer");
}

/* --- the metric --- */

/* Is NAME the metric M or one of its values. */
static bool is_value(struct metric *m, const char *name, size_t *value)
{
	const char *const *names;
	size_t n = metric_values(m, &names);

	for (*value = 0; *value < n; ++*value)
		if (strcmp(names[*value], name) == 0)
			return true;
	*value = 0;
	return strcmp(metric_name(m), name) == 0;
}

static int find_metric(struct answers *a, const char *name, struct err *e)
{
	struct metric *m;

	metric_opts_init(&a->how);
	a->how.match.how = MATCH_STRIP;
	for (const char *const *p = metric_names(); a->name == NULL && *p; p++) {
		if (metric_without_reference(*p) || metric_open(&m, *p, &a->how, false, NULL) != 0)
			continue;
		if (is_value(m, name, &a->value)) {
			a->name = *p;
			a->lower = metric_lower_is_better(m);
		}
		metric_close(m);
	}
	if (a->name)
		return 0;
	return err_set(e, SFT_USAGE, "--metric %s: there is no such metric of an answer and its reference (expected accuracy, bleu, chrf, match, rouge1, rougeL, ter...)", name);
}

/* --- open and close --- */

int answers_open(struct answers **out, const char *model, struct model *m, const struct data *val, const char *metric, struct err *e)
{
	struct answers *a = mem_new(sizeof *a);
	int rc;

	*out = NULL;
	a->m = m;
	a->val = val;
	rc = metric ? find_metric(a, metric, e) : 0;
	if (rc == 0 && tok_open(&a->tok, model, e) != 0)
		rc = err_in(e, "answers to validation data need a tokenizer");
	if (rc == 0)
		rc = list_rows(a, e);
	if (rc != 0)
		answers_close(a);
	else
		*out = a;
	return rc;
}

void answers_close(struct answers *a)
{
	if (a == NULL)
		return;
	tok_close(a->tok);
	shard_buf_free(&a->buf);
	mem_free(a->row);
	mem_free(a);
}

bool answers_lower_is_better(const struct answers *a)
{
	return a->lower;
}

/* --- answering --- */

/* Up to DECODE_TOGETHER rows: their tokens, and the requests over them. */
struct batch_of_rows {
	uint32_t *ids[DECODE_TOGETHER];
	struct decode_request r[DECODE_TOGETHER];
	uint32_t n, stop[16], nstop;
	uint32_t longest;              /* of the references */
};

static void add_stop(struct batch_of_rows *b, uint32_t id)
{
	for (uint32_t i = 0; i < b->nstop; i++)
		if (b->stop[i] == id)
			return;
	if (b->nstop < sizeof b->stop / sizeof *b->stop)
		b->stop[b->nstop++] = id;
}

static int take_rows(struct answers *a, const struct row *row, uint32_t n, struct batch_of_rows *b, struct err *e)
{
	size_t nstop;
	const uint32_t *stop = tok_stops(a->tok, &nstop);
	struct shard_seq s;
	int rc;

	memset(b, 0, sizeof *b);
	for (size_t i = 0; i < nstop; i++)
		add_stop(b, stop[i]);
	for (; b->n < n; b->n++) {
		const struct row *q = &row[b->n];

		if ((rc = shard_get(a->val->file[q->file].shard, q->seq, &a->buf, &s, e)) != 0)
			return err_in(e, "%s", a->val->file[q->file].path);
		b->ids[b->n] = mem_grow(NULL, q->end, sizeof **b->ids);
		memcpy(b->ids[b->n], s.ids, q->end * sizeof **b->ids);
		b->r[b->n] = (struct decode_request){ .prompt = b->ids[b->n], .n = q->prompt, .number = b->n };
		b->longest = q->end - q->prompt > b->longest ? q->end - q->prompt : b->longest;
		if (tok_is_special(a->tok, s.ids[q->end - 1]))        /* the template's own end of turn */
			add_stop(b, s.ids[q->end - 1]);
	}
	return 0;
}

static void free_rows(struct batch_of_rows *b)
{
	for (uint32_t i = 0; i < DECODE_TOGETHER; i++) {
		mem_free(b->ids[i]);
		decode_request_free(&b->r[i]);
	}
}

static int answer_rows(struct answers *a, struct decoder *d, const struct row *row, uint32_t n, struct batch_of_rows *b, struct err *e)
{
	struct decode_opts o = { .stop = b->stop };
	int rc = take_rows(a, row, n, b, e);

	o.max_tokens = 2 * b->longest + 16;
	o.nstop = b->nstop;
	o.sample.repeat_penalty = 1;
	o.sample.top_p = 1;
	return rc != 0 ? rc : decode_run(d, &o, b->r, n, e);
}

/* Text of IDS without special tokens, and its end. */
static int text_of(const struct answers *a, const uint32_t *ids, uint32_t n, unsigned flags, struct buf *out, struct err *e)
{
	int rc;

	out->n = 0;
	rc = tok_decode(a->tok, ids, n, flags, out, e);
	buf_ch(out, '\0');
	out->n--;
	return rc;
}

typedef int answers_take(void *ctx, const struct buf *prompt, const struct buf *reference, const struct buf *answer, struct err *e);

/* The first COUNT rows, answered and told to TAKE in order.  The decoder is new each time: the weights have changed. */
static int answer_all(struct answers *a, size_t count, answers_take *take, void *ctx, struct err *e)
{
	struct buf prompt = {0}, reference = {0}, answer = {0};
	struct batch_of_rows b;
	struct decoder *d;
	int rc = decode_open(&d, a->m, e);

	for (size_t i = 0; rc == 0 && i < count; i += b.n) {
		uint32_t n = count - i < DECODE_TOGETHER ? (uint32_t)(count - i) : DECODE_TOGETHER;

		rc = answer_rows(a, d, &a->row[i], n, &b, e);
		for (uint32_t k = 0; rc == 0 && k < n; k++) {
			const struct row *q = &a->row[i + k];

			if ((rc = text_of(a, b.ids[k], q->prompt, 0, &prompt, e)) == 0 &&
			    (rc = text_of(a, b.ids[k] + q->prompt, q->end - q->prompt, TOK_SKIP_SPECIAL, &reference, e)) == 0 &&
			    (rc = text_of(a, b.r[k].ids, b.r[k].count - b.r[k].stopped, TOK_SKIP_SPECIAL, &answer, e)) == 0)
				rc = take(ctx, &prompt, &reference, &answer, e);
		}
		free_rows(&b);
	}
	decode_close(d);
	buf_free(&prompt);
	buf_free(&reference);
	buf_free(&answer);
	return rc;
}

static int take_score(void *ctx, const struct buf *prompt, const struct buf *reference, const struct buf *answer, struct err *e)
{
	const struct text ref = { reference->p, reference->n };

	(void)prompt;
	return metric_add(ctx, (struct text){ answer->p, answer->n }, &ref, 1, e);
}

int answers_score(struct answers *a, double *value, struct err *e)
{
	double all[METRIC_MAX_VALUES];
	struct metric *m;
	int rc;

	if ((rc = metric_open(&m, a->name, &a->how, false, e)) != 0)
		return rc;
	if ((rc = answer_all(a, a->n, take_score, m, e)) == 0) {
		metric_score(m, NULL, 0, all);
		*value = all[a->value];
	}
	metric_close(m);
	return rc;
}

struct show {
	answers_see *see;
	void *ctx;
};

static int take_show(void *ctx, const struct buf *prompt, const struct buf *reference, const struct buf *answer, struct err *e)
{
	const struct show *s = ctx;

	(void)e;
	s->see(s->ctx, prompt->p, reference->p, answer->p);
	return 0;
}

int answers_show(struct answers *a, uint32_t count, answers_see *see, void *ctx, struct err *e)
{
	struct show s = { see, ctx };

	return answer_all(a, count < a->n ? count : a->n, take_show, &s, e);
}
