/* SPDX-License-Identifier: Apache-2.0 */
#include "likelier.h"

#include <math.h>
#include <string.h>

#include "chatids.h"
#include "decode.h"
#include "genrecord.h"
#include "json.h"
#include "oddvalues.h"
#include "outfile.h"
#include "progress.h"
#include "termrivals.h"
#include "words.h"

/* Characters behind the term that are scored with it: what a rival that is longer, shorter or a beginning of it is told apart by. */
enum { BEHIND = 4 };

struct job {
	const struct likelier_opts *o;
	struct tool *t;
	struct loaded l;
	struct chatids *c;
	struct decoder *d;
	struct recin *in;
	struct outfile *items;
	struct json_parser *parser;
	struct arena arena;
	struct termrivals *rivals;
	struct termrival_list list;
	struct termscan scan;
	struct tok_ids prompt, before, said;   /* the question; it and the answer up to where the forms part; all forms one after the other */
	struct buf text;
	struct decode_choice *form;            /* [1 + list.n]: the term, then its rivals */
	size_t *from;                          /* [as many + 1] of each in said */
	size_t cap;
	struct likelier *sum;
};

/* --- one place --- */

static size_t behind(const char *p, size_t n, size_t at)
{
	for (int i = 0; i < BEHIND && at < n; i++)
		for (at++; at < n && ((unsigned char)p[at] & 0xC0) == 0x80; at++)
			;
	return at;
}

/* The answer with FORM where HIT stands, up to a little behind it, added to j->said. */
static int say(struct job *j, struct text answer, const struct termhit *hit, const char *form, size_t n, struct err *e)
{
	size_t end = hit->at + hit->n, to = behind(answer.p, answer.n, end);

	j->text.n = 0;
	buf_add(&j->text, answer.p, hit->at);
	buf_add(&j->text, form, n);
	buf_add(&j->text, answer.p + end, to - end);
	return chatids_content(j->c, j->text.p, j->text.n, &j->said, e);
}

/* Tokens that all N forms begin with; at least one is left of each. */
static size_t alike(const struct job *j, size_t n)
{
	size_t k = j->from[1] - j->from[0], i;

	for (size_t f = 0; f < n; f++) {
		const uint32_t *a = j->said.id + j->from[0], *b = j->said.id + j->from[f];
		size_t len = j->from[f + 1] - j->from[f];

		for (i = 0; i < k && i < len && a[i] == b[i]; i++)
			;
		k = i < len ? i : len ? len - 1 : 0;
	}
	return k;
}

static int forms(struct job *j, struct text answer, const struct termhit *hit, struct err *e)
{
	size_t n = j->list.n + 1;
	int rc;

	if (n >= j->cap) {
		j->cap = 2 * n;
		j->form = mem_grow(j->form, j->cap, sizeof *j->form);
		j->from = mem_grow(j->from, j->cap + 1, sizeof *j->from);
	}
	j->said.n = 0;
	for (size_t f = 0; f < n; f++) {
		const struct term_form *r = f ? j->list.form[f - 1] : NULL;

		j->from[f] = j->said.n;
		if ((rc = say(j, answer, hit, r ? r->text : answer.p + hit->at, r ? r->n : hit->n, e)) != 0)
			return rc;
	}
	j->from[n] = j->said.n;
	return 0;
}

static int score(struct job *j, size_t n, struct err *e)
{
	size_t k = alike(j, n);
	const uint32_t *id = j->said.id;

	j->before.n = 0;
	for (size_t i = 0; i < j->prompt.n + k; i++) {
		ARRAY_ROOM(j->before.id, j->before.n, j->before.cap);
		j->before.id[j->before.n++] = i < j->prompt.n ? j->prompt.id[i] : id[j->from[0] + i - j->prompt.n];
	}
	for (size_t f = 0; f < n; f++)
		j->form[f] = (struct decode_choice){ .ids = id + j->from[f] + k, .n = (uint32_t)(j->from[f + 1] - j->from[f] - k) };
	return decode_choices(j->d, j->before.id, (uint32_t)j->before.n, j->form, (uint32_t)n, e);
}

static void count(struct likelier_count *c, const struct decode_choice *form, size_t n)
{
	double most = -INFINITY;

	for (size_t f = 1; f < n; f++) {
		c->won += form[0].score > form[f].score;
		most = fmax(most, form[f].score);
	}
	c->pairs += n - 1;
	c->places++;
	c->right += form[0].score > most;
	c->margin += form[0].score - most;
}

static int write_item(struct job *j, const struct json *record, const struct termhit *hit, struct err *e)
{
	const struct term *term = termset_get(j->o->terms, hit->term);
	const struct json *id = json_get(record, "id");
	struct buf b = {0};
	struct jw w;
	int rc;

	jw_init(&w, &b);
	jw_obj(&w);
	jw_key(&w, "record");
	jw_uint(&w, j->sum->records);
	if (id) {
		jw_key(&w, "id");
		jw_value(&w, id);
	}
	jw_key(&w, "at");    jw_uint(&w, hit->at);
	jw_key(&w, "term");  jw_strn(&w, term->form.text, term->form.n);
	jw_key(&w, "class"); jw_str(&w, term->class);
	jw_key(&w, "score"); jw_double(&w, j->form[0].score);
	jw_key(&w, "rivals");
	jw_obj(&w);
	for (size_t f = 0; f < j->list.n; f++) {
		jw_keyn(&w, j->list.form[f]->text, j->list.form[f]->n);
		jw_double(&w, j->form[f + 1].score);
	}
	jw_obj_end(&w);
	jw_obj_end(&w);
	buf_ch(&b, '\n');
	rc = out_write(j->items, b.p, b.n, e);
	buf_free(&b);
	return rc;
}

/* --- records --- */

static int each_answer(struct job *j, const struct json *record, struct text answer, struct err *e)
{
	size_t hits = termset_scan(j->o->terms, &j->scan, answer.p, answer.n);
	int rc = 0;

	for (size_t k = 0; k < hits && rc == 0; k++) {
		const struct termhit *hit = &j->scan.hit[k];

		if (hit->variant)
			continue;
		termrivals_of(j->rivals, hit->term, &j->list);
		if (j->list.n == 0)
			continue;
		if ((rc = forms(j, answer, hit, e)) != 0 || (rc = score(j, j->list.n + 1, e)) != 0)
			break;
		count(&j->sum->all, j->form, j->list.n + 1);
		count(&j->sum->term[hit->term], j->form, j->list.n + 1);
		if (j->items)
			rc = write_item(j, record, hit, e);
	}
	return rc;
}

static int each_record(struct job *j, const struct rec *r, struct err *e)
{
	const struct json *record, *question, *reference;
	int rc;

	arena_reset(&j->arena);
	if ((rc = genrecord_json(r, j->parser, &j->arena, &record, e)) != 0 ||
	    (rc = genrecord_question(record, &j->arena, &question, &reference, e)) != 0)
		return rc;
	if (reference && reference->type == JSON_ARR && reference->n)
		reference = &reference->item[reference->n - 1];
	if (reference == NULL || reference->type != JSON_STR)
		return err_set(e, SFT_BADDATA, "no answer (expected an assistant's message, a text, at the end)");
	j->prompt.n = 0;
	if ((rc = chatids_prompt(j->c, question, &j->prompt, e)) != 0)
		return rc;
	j->sum->records++;
	return each_answer(j, record, (struct text){ reference->s, reference->n }, e);
}

static int read_all(struct job *j, struct err *e)
{
	struct progress bar;
	struct rec *r;
	int rc;

	progress_open(&bar, j->t->name, "records", 0, tool_progress(j->t));
	while ((rc = rec_read(j->in, &r, e)) == 0 && r) {
		if ((rc = each_record(j, r, e)) == SFT_BADDATA && j->o->rec.on_bad == 1)
			rc = rec_reject(j->in, r, "no usable chat", e);
		else if (rc != 0)
			err_in(e, "%s:%llu", r->file, (unsigned long long)r->line);
		if (rc != 0)
			break;
		progress_at(&bar, rec_count(j->in), rec_share(j->in), NULL);
	}
	progress_close(&bar);
	return rc;
}

static int set_up(struct job *j, const char *const *files, size_t n, struct err *e)
{
	const struct likelier_opts *o = j->o;
	int rc;

	if ((rc = loaded_open(&j->l, &o->use, (int)j->t->threads, e)) != 0)
		return rc;
	odd_values_warn(j->l.w, j->l.pool, j->t);
	if ((rc = decode_open(&j->d, j->l.m, e)) != 0 || (rc = chatids_open(&j->c, o->use.model, o->template, e)) != 0 ||
	    (rc = rec_open(&j->in, files, n, &o->rec, j->t, e)) != 0)
		return rc;
	return o->items ? out_open(&j->items, o->items, e) : 0;
}

static int finish(struct job *j, struct err *e)
{
	struct outfile *f = j->items;
	int rc = 0;

	j->items = NULL;
	if (f)
		rc = out_close(f, false, e);
	if (rc == 0)
		rc = rec_stats(j->in, NULL, &j->o->rec, j->t, NULL, NULL, e);
	if (rc == 0) {
		rc = rec_close(j->in, e);
		j->in = NULL;
	}
	if (rc == 0 && j->sum->all.places == 0)
		rc = err_set(e, SFT_BADDATA, "no answer has a term with rivals (expected one; the dictionaries have %u terms)", termset_count(j->o->terms));
	return rc;
}

int likelier_run(const struct likelier_opts *o, struct tool *t, const char *const *files, size_t n, struct likelier *out, struct err *e)
{
	struct job j = { .o = o, .t = t, .sum = out };
	int rc;

	*out = (struct likelier){ .term = mem_new((termset_count(o->terms) + 1) * sizeof *out->term) };
	arena_init(&j.arena);
	j.parser = json_parser_new();
	j.rivals = termrivals_new(o->terms);
	if ((rc = set_up(&j, files, n, e)) == 0 && (rc = read_all(&j, e)) == 0)
		rc = finish(&j, e);
	out_abandon(j.items);
	rec_abandon(j.in);
	decode_close(j.d);
	chatids_close(j.c);
	loaded_close(&j.l);
	json_parser_free(j.parser);
	arena_release(&j.arena);
	termrivals_free(j.rivals);
	termrival_list_release(&j.list);
	termscan_release(&j.scan);
	tok_ids_free(&j.prompt);
	tok_ids_free(&j.before);
	tok_ids_free(&j.said);
	buf_free(&j.text);
	mem_free(j.form);
	mem_free(j.from);
	return rc;
}

void likelier_free(struct likelier *l)
{
	mem_free(l->term);
	l->term = NULL;
}
