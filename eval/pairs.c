/* SPDX-License-Identifier: Apache-2.0 */
#include "pairs.h"

#include <string.h>

#include "linefile.h"

struct pairs {
	/* records */
	struct recin *in;
	const struct eval_opts *o;
	const char *by;
	const struct names *names;      /* the columns below are theirs */
	uint32_t hyp_col;
	uint32_t scores_col;
	int ref_col, id_col, by_col, class_col;
	struct json_parser *parser;
	struct arena arena;             /* of one item */
	/* lines */
	struct linefile *hyp, **refs;
	size_t nrefs;

	struct text *ref;               /* of the item */
	size_t cap;
	struct choice_score *score;     /* likewise */
	size_t score_cap;
	uint64_t n;
};

int pairs_records(struct pairs **out, const char *const *files, size_t n, const struct eval_opts *o, const char *by,
                  const struct tool *t, struct err *e)
{
	struct pairs *p = mem_new(sizeof *p);
	int rc;

	*out = NULL;
	p->o = o;
	p->by = by;
	arena_init(&p->arena);
	if ((rc = rec_open(&p->in, files, n, &o->rec, t, e)) != 0) {
		mem_free(p);
		return rc;
	}
	p->parser = json_parser_new();
	*out = p;
	return 0;
}

int pairs_lines(struct pairs **out, const char *hyp, const struct opt_list *refs, struct err *e)
{
	struct pairs *p = mem_new(sizeof *p);
	int rc;

	*out = NULL;
	arena_init(&p->arena);
	p->refs = mem_new(refs->n * sizeof *p->refs);
	rc = linefile_open(&p->hyp, hyp, e);
	for (size_t k = 0; rc == 0 && k < refs->n; k++, p->nrefs++)
		rc = linefile_open(&p->refs[k], refs->v[k], e);
	if (rc) {
		pairs_abandon(p);
		return rc;
	}
	p->cap = refs->n;
	p->ref = mem_new(p->cap * sizeof *p->ref);
	*out = p;
	return 0;
}

/* --- lines --- */

static int unequal(const struct linefile *longer, const struct linefile *shorter, struct err *e)
{
	return err_set(e, SFT_BADDATA, "%s:%llu: %s has no such line (expected as many lines in both)", linefile_path(longer),
	               (unsigned long long)linefile_lines(longer), linefile_path(shorter));
}

static int next_lines(struct pairs *p, struct item *it, bool *more, struct err *e)
{
	bool have;
	int rc = linefile_next(p->hyp, &it->hyp, more, e);

	for (size_t k = 0; rc == 0 && k < p->nrefs; k++) {
		if ((rc = linefile_next(p->refs[k], &p->ref[k], &have, e)) != 0)
			break;
		if (have != *more)
			return have ? unequal(p->refs[k], p->hyp, e) : unequal(p->hyp, p->refs[k], e);
	}
	it->ref = p->ref;
	it->nref = p->nrefs;
	it->id = it->group = (struct text){ NULL, 0 };
	it->class = (struct text){ "", 0 };
	it->rec = NULL;
	it->score = NULL;
	it->nscores = 0;
	it->file = linefile_path(p->hyp);
	it->line = linefile_lines(p->hyp);
	return rc;
}

/* --- records --- */

static int find_columns(struct pairs *p, const struct rec *r, struct err *e)
{
	uint32_t at;
	int rc;

	if (p->names == r->names)
		return 0;
	if ((rc = rec_need(r->names, p->o->prediction, &p->hyp_col, e)) != 0)
		return rc;
	p->ref_col = rec_column(r->names, p->o->reference);
	if (p->ref_col < 0 && !p->o->no_reference)
		return rec_need(r->names, p->o->reference, &at, e);
	p->class_col = rec_column(r->names, p->o->class);
	p->id_col = rec_column(r->names, p->o->id);
	p->by_col = p->by ? rec_column(r->names, p->by) : -1;
	if (p->o->m.scores && (rc = rec_need(r->names, "scores", &p->scores_col, e)) != 0)
		return rc;
	p->names = r->names;
	return 0;
}

static bool is_null(const struct field *f)
{
	return f->type == FIELD_JSON && f->n == 4 && memcmp(f->p, "null", 4) == 0;
}

static struct text as_text(const struct field *f)
{
	return (struct text){ f->p ? f->p : "", f->n };
}

static struct text json_as_text(const struct json *v)
{
	return v->type == JSON_STR ? (struct text){ v->s, v->n } : (struct text){ v->raw, v->nraw };
}

/* The reference: a text, or an array of texts. */
static int references(struct pairs *p, const struct field *f, size_t *n, struct err *e)
{
	const struct json *v;
	int rc;

	*n = 1;
	if (p->cap == 0)
		p->ref = mem_grow(p->ref, p->cap = 4, sizeof *p->ref);
	p->ref[0] = as_text(f);
	if (f->type != FIELD_JSON || f->n == 0 || f->p[0] != '[')
		return 0;
	if ((rc = field_json(f, p->parser, &p->arena, &v, e)) != 0)
		return rc;
	if (v->n == 0)
		return err_set(e, SFT_BADDATA, "'%s' is an empty list (expected a text or a list of texts)", p->o->reference);
	if (v->n > p->cap)
		p->ref = mem_grow(p->ref, p->cap = v->n, sizeof *p->ref);
	for (*n = 0; *n < v->n; ++*n) {
		if (v->item[*n].type == JSON_NULL)
			return err_set(e, SFT_BADDATA, "'%s' has null in its list (expected texts)", p->o->reference);
		p->ref[*n] = json_as_text(&v->item[*n]);
	}
	return 0;
}

/* {"choice": score, ...} of choice scoring. */
static int choices(struct pairs *p, const struct field *f, size_t *n, struct err *e)
{
	const struct json *v;
	int rc = field_json(f, p->parser, &p->arena, &v, e);

	*n = 0;
	if (rc)
		return rc;
	if (v->type != JSON_OBJ || v->n == 0)
		return err_set(e, SFT_BADDATA, "'scores' is no object with choices (expected {\"choice\": score...})");
	if (v->n > p->score_cap)
		p->score = mem_grow(p->score, p->score_cap = v->n, sizeof *p->score);
	for (; *n < v->n; ++*n) {
		const struct json_member *m = &v->member[*n];

		if (m->value.type != JSON_NUM)
			return err_set(e, SFT_BADDATA, "the score of '%.*s' is no number", m->nkey < 100 ? (int)m->nkey : 100, m->key);
		p->score[*n] = (struct choice_score){ { m->key, m->nkey }, json_double(&m->value) };
	}
	return 0;
}

static int fill(struct pairs *p, const struct rec *r, struct item *it, struct err *e)
{
	int rc = find_columns(p, r, e);

	if (rc)
		return rc;
	if (is_null(&r->f[p->hyp_col]))
		return err_set(e, SFT_BADDATA, "'%s' is null (expected an answer)", p->o->prediction);
	arena_reset(&p->arena);
	it->nref = it->nscores = 0;
	if (!p->o->no_reference && is_null(&r->f[p->ref_col]))
		return err_set(e, SFT_BADDATA, "'%s' is null (expected a reference)", p->o->reference);
	if (!p->o->no_reference && (rc = references(p, &r->f[p->ref_col], &it->nref, e)) != 0)
		return rc;
	it->class = p->class_col >= 0 && !is_null(&r->f[p->class_col]) ? as_text(&r->f[p->class_col]) : (struct text){ "", 0 };
	if (p->o->m.scores && (rc = choices(p, &r->f[p->scores_col], &it->nscores, e)) != 0)
		return rc;
	it->score = p->score;
	it->hyp = as_text(&r->f[p->hyp_col]);
	it->ref = p->ref;
	it->id = p->id_col >= 0 && !is_null(&r->f[p->id_col]) ? as_text(&r->f[p->id_col]) : (struct text){ NULL, 0 };
	it->group = p->by_col >= 0 ? as_text(&r->f[p->by_col]) : (struct text){ NULL, 0 };
	it->rec = r;
	it->file = r->file;
	it->line = r->line;
	return 0;
}

static int next_record(struct pairs *p, struct item *it, bool *more, struct err *e)
{
	struct rec *r;
	int rc;

	for (;;) {
		if ((rc = rec_read(p->in, &r, e)) != 0)
			return rc;
		*more = r != NULL;
		if (r == NULL || (rc = fill(p, r, it, e)) == 0)
			return 0;
		if (rc != SFT_BADDATA || p->o->rec.on_bad == 0)
			return err_in(e, "%s:%llu", r->file, (unsigned long long)r->line);
		if ((rc = rec_reject(p->in, r, "no answer or reference", e)) != 0)
			return rc;
	}
}

int pairs_next(struct pairs *p, struct item *it, bool *more, struct err *e)
{
	int rc = p->in ? next_record(p, it, more, e) : next_lines(p, it, more, e);

	it->num = p->n;
	p->n += rc == 0 && *more;
	return rc;
}

bool pairs_table(const struct pairs *p)
{
	enum rec_format f = p->in ? rec_format(p->in) : REC_TEXT;

	return f == REC_CSV || f == REC_TSV;
}

static void release(struct pairs *p)
{
	linefile_close(p->hyp);
	for (size_t k = 0; k < p->nrefs; k++)
		linefile_close(p->refs[k]);
	mem_free(p->refs);
	mem_free(p->ref);
	mem_free(p->score);
	json_parser_free(p->parser);
	arena_release(&p->arena);
	mem_free(p);
}

int pairs_close(struct pairs *p, const struct tool *t, struct err *e)
{
	int rc = 0;

	if (p->in && p->o->rec.stats)
		rc = rec_stats(p->in, NULL, &p->o->rec, t, NULL, NULL, e);
	if (rc == 0 && p->in)
		rc = rec_close(p->in, e);
	else
		rec_abandon(p->in);
	release(p);
	return rc;
}

void pairs_abandon(struct pairs *p)
{
	if (p == NULL)
		return;
	rec_abandon(p->in);
	release(p);
}
