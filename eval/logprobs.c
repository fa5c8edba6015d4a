/* SPDX-License-Identifier: Apache-2.0 */
#include "logprobs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "strmap.h"

struct reading {
	struct pplstats *p;
	struct recin *in;
	struct json_parser *parser;
	struct arena arena;
	/* of the sequence at hand */
	double nll, tokens;
	struct buf text;
	bool no_text;
	/* a token a record */
	struct strmap seen;
	struct buf seq;
	bool open;
};

/* One log-probability as text. */
static int parse(struct text t, double *v, struct err *e)
{
	char copy[64], *end;

	if (t.n >= sizeof copy)
		return err_set(e, SFT_BADDATA, "a log-probability of %zu bytes (expected a number)", t.n);
	memcpy(copy, t.p, t.n);
	copy[t.n] = '\0';
	*v = strtod(copy, &end);
	if (t.n == 0 || *end || isnan(*v))
		return err_set(e, SFT_BADDATA, "'%.40s' is no log-probability (expected a number, -inf, or null)", copy);
	if (*v > 0)
		return err_set(e, SFT_BADDATA, "log-probability %s (expected at most 0)", copy);
	return 0;
}

static int count(struct reading *r, struct text t, struct err *e)
{
	double v;
	int rc = parse(t, &v, e);

	if (rc)
		return rc;
	r->nll -= v;
	r->tokens++;
	return 0;
}

/* The sequence at hand is whole. */
static void end_sequence(struct reading *r)
{
	struct text t = { r->text.p ? r->text.p : "", r->text.n };

	ppl_add(r->p, r->nll, r->tokens, r->no_text ? NAN : (double)t.n, r->no_text ? NAN : ppl_words(t));
	r->nll = r->tokens = 0;
	r->text.n = 0;
	r->no_text = false;
}

/* --- a token a record --- */

static bool is_null(const struct field *f)
{
	return f->n == 0 || (f->type == FIELD_JSON && f->n == 4 && memcmp(f->p, "null", 4) == 0);
}

static int token(struct reading *r, const struct rec *x, uint32_t seq, uint32_t logprob, struct err *e)
{
	const struct field *s = &x->f[seq], *l = &x->f[logprob];
	int at = rec_column(x->names, "token");
	bool added;

	if (!r->open || r->seq.n != s->n || (s->n && memcmp(r->seq.p, s->p, s->n) != 0)) {
		if (r->open)
			end_sequence(r);
		strmap_put(&r->seen, s->p ? s->p : "", s->n, 0, &added);
		if (!added)
			return err_set(e, SFT_BADDATA, "sequence '%.*s' comes back (expected its tokens in a row)", (int)s->n, s->p);
		r->seq.n = 0;
		buf_add(&r->seq, s->p, s->n);
		r->open = true;
	}
	if (at < 0)
		r->no_text = true;
	else if (!is_null(l))
		buf_add(&r->text, x->f[at].p, x->f[at].n);
	return is_null(l) ? 0 : count(r, (struct text){ l->p, l->n }, e);
}

/* --- a sequence a record, or a line --- */

static int list(struct reading *r, const struct json *v, struct err *e)
{
	int rc = 0;

	if (v->type != JSON_ARR)
		return err_set(e, SFT_BADDATA, "no list (expected log-probabilities, such as [null,-1.5,-0.2])");
	for (size_t i = 0; i < v->n && rc == 0; i++) {
		const struct json *x = &v->item[i];

		if (x->type == JSON_NUM)
			rc = count(r, (struct text){ x->raw, x->nraw }, e);
		else if (x->type == JSON_STR)
			rc = count(r, (struct text){ x->s, x->n }, e);
		else if (x->type != JSON_NULL)
			rc = err_set(e, SFT_BADDATA, "value %zu is no log-probability (expected a number, \"-inf\", or null)", i + 1);
	}
	return rc;
}

/* The text of a record: `text`, or `tokens` one after the other. */
static int text_of(struct reading *r, const struct rec *x, struct err *e)
{
	int text = rec_column(x->names, "text"), tokens = rec_column(x->names, "tokens"), rc;
	const struct json *v;

	r->no_text = text < 0 && tokens < 0;
	if (text >= 0)
		buf_add(&r->text, x->f[text].p, x->f[text].n);
	if (text >= 0 || tokens < 0)
		return 0;
	if ((rc = field_json(&x->f[tokens], r->parser, &r->arena, &v, e)) != 0)
		return rc;
	for (size_t i = 0; v->type == JSON_ARR && i < v->n; i++)
		if (v->item[i].type == JSON_STR)
			buf_add(&r->text, v->item[i].s, v->item[i].n);
	return 0;
}

static int sequence(struct reading *r, const struct rec *x, uint32_t at, bool line, struct err *e)
{
	const struct field *f = &x->f[at];
	const struct json *v;
	int rc;

	arena_reset(&r->arena);
	r->no_text = true;
	rc = f->type == FIELD_JSON ? field_json(f, r->parser, &r->arena, &v, e) : json_parse(r->parser, &r->arena, f->p, f->n, &v, e);
	if (rc || (rc = list(r, v, e)) != 0 || (!line && (rc = text_of(r, x, e)) != 0))
		return rc;
	end_sequence(r);
	return 0;
}

static int record(struct reading *r, const struct rec *x, bool lines, struct err *e)
{
	int at = rec_column(x->names, lines ? "text" : "logprobs");
	uint32_t seq, logprob;
	int rc;

	if (at >= 0)
		return sequence(r, x, (uint32_t)at, lines, e);
	if ((rc = rec_need(x->names, "seq", &seq, e)) != 0 || (rc = rec_need(x->names, "logprob", &logprob, e)) != 0)
		return err_set(e, rc, "%s (expected logprobs, or seq and logprob)", e->msg);
	return token(r, x, seq, logprob, e);
}

static int read_all(struct reading *r, bool lines, struct err *e)
{
	struct rec *x;
	int rc;

	while ((rc = rec_read(r->in, &x, e)) == 0 && x)
		if ((rc = record(r, x, lines, e)) != 0)
			return err_in(e, "%s:%llu", x->file, (unsigned long long)x->line);
	if (rc == 0 && r->open)
		end_sequence(r);
	return rc;
}

int logprobs_read(struct pplstats *p, const struct rec_opts *o, bool lines, const char *const *files, size_t n, struct tool *t, struct err *e)
{
	struct reading r = { .p = p };
	struct rec_opts in = *o;
	int rc;

	in.from = lines ? REC_TEXT : REC_AUTO;
	arena_init(&r.arena);
	r.parser = json_parser_new();
	if ((rc = rec_open(&r.in, files, n, &in, t, e)) == 0 && (rc = read_all(&r, lines, e)) == 0 &&
	    (rc = rec_stats(r.in, NULL, o, t, NULL, NULL, e)) == 0) {
		rc = rec_close(r.in, e);
		r.in = NULL;
	}
	if (rc == 0 && ppl_tokens(p) == 0)
		rc = err_set(e, SFT_BADDATA, "no token counts (expected log-probabilities)");
	rec_abandon(r.in);
	json_parser_free(r.parser);
	arena_release(&r.arena);
	strmap_free(&r.seen);
	buf_free(&r.text);
	buf_free(&r.seq);
	return rc;
}
