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

	struct text *line;              /* of the references, where the item is one of lines */
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
	p->line = mem_new(refs->n * sizeof *p->line);
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
		if ((rc = linefile_next(p->refs[k], &p->line[k], &have, e)) != 0)
			break;
		if (have != *more)
			return have ? unequal(p->refs[k], p->hyp, e) : unequal(p->hyp, p->refs[k], e);
	}
	it->ref = p->line;
	it->nref = p->nrefs;
	it->id = it->group = (struct text){ NULL, 0 };
	it->class = (struct text){ "", 0 };
	it->rec = NULL;
	it->score = NULL;
	it->nscores = 0;
	it->file = linefile_path(p->hyp);
	it->line = linefile_lines(p->hyp);
	it->num = p->n;
	p->n += rc == 0 && *more;
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

/* An object, or a list: nothing to compare by its letters. */
static bool is_structure(const struct field *f)
{
	return f->type == FIELD_JSON && f->n > 0 && (f->p[0] == '{' || f->p[0] == '[');
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
static int references(struct pairs *p, const struct field *f, struct arena *a, struct item *it, struct err *e)
{
	const struct json *v;
	struct text *ref;
	int rc;

	it->ref = ref = arena_get(a, sizeof *ref);
	it->nref = 1;
	*ref = as_text(f);
	if (!is_structure(f))
		return 0;
	if (f->p[0] == '{')
		return err_set(e, SFT_BADDATA, "'%s' is an object (expected a text or a list of texts)", p->o->reference);
	if ((rc = field_json(f, p->parser, a, &v, e)) != 0)
		return rc;
	if (v->n == 0)
		return err_set(e, SFT_BADDATA, "'%s' is an empty list (expected a text or a list of texts)", p->o->reference);
	it->ref = ref = arena_get(a, v->n * sizeof *ref);
	it->nref = v->n;
	for (size_t k = 0; k < v->n; k++) {
		if (v->item[k].type == JSON_NULL)
			return err_set(e, SFT_BADDATA, "'%s' has null in its list (expected texts)", p->o->reference);
		if (v->item[k].type == JSON_OBJ || v->item[k].type == JSON_ARR)
			return err_set(e, SFT_BADDATA, "'%s' has more than texts in its list (expected texts)", p->o->reference);
		ref[k] = json_as_text(&v->item[k]);
	}
	return 0;
}

/* {"choice": score, ...} of choice scoring. */
static int choices(struct pairs *p, const struct field *f, struct arena *a, struct item *it, struct err *e)
{
	const struct json *v;
	struct choice_score *score;
	int rc = field_json(f, p->parser, a, &v, e);

	if (rc)
		return rc;
	if (v->type != JSON_OBJ || v->n == 0)
		return err_set(e, SFT_BADDATA, "'scores' is no object with choices (expected {\"choice\": score...})");
	it->score = score = arena_get(a, v->n * sizeof *score);
	it->nscores = v->n;
	for (size_t k = 0; k < v->n; k++) {
		const struct json_member *m = &v->member[k];

		if (m->value.type != JSON_NUM)
			return err_set(e, SFT_BADDATA, "the score of '%.*s' is no number", m->nkey < 100 ? (int)m->nkey : 100, m->key);
		score[k] = (struct choice_score){ { m->key, m->nkey }, json_double(&m->value) };
	}
	return 0;
}

/* R as an item; what is made for it lies in A. */
static int fill(struct pairs *p, const struct rec *r, struct arena *a, struct item *it, struct err *e)
{
	int rc = find_columns(p, r, e);

	if (rc)
		return rc;
	if (is_null(&r->f[p->hyp_col]))
		return err_set(e, SFT_BADDATA, "'%s' is null (expected an answer)", p->o->prediction);
	if (is_structure(&r->f[p->hyp_col]))
		return err_set(e, SFT_BADDATA, "'%s' is an object or a list (expected a text)", p->o->prediction);
	it->ref = NULL;
	it->score = NULL;
	it->nref = it->nscores = 0;
	if (!p->o->no_reference && is_null(&r->f[p->ref_col]))
		return err_set(e, SFT_BADDATA, "'%s' is null (expected a reference)", p->o->reference);
	if (!p->o->no_reference && (rc = references(p, &r->f[p->ref_col], a, it, e)) != 0)
		return rc;
	it->class = p->class_col >= 0 && !is_null(&r->f[p->class_col]) ? as_text(&r->f[p->class_col]) : (struct text){ "", 0 };
	if (p->o->m.scores && (rc = choices(p, &r->f[p->scores_col], a, it, e)) != 0)
		return rc;
	it->hyp = as_text(&r->f[p->hyp_col]);
	it->id = p->id_col >= 0 && !is_null(&r->f[p->id_col]) ? as_text(&r->f[p->id_col]) : (struct text){ NULL, 0 };
	it->group = p->by_col >= 0 ? as_text(&r->f[p->by_col]) : (struct text){ NULL, 0 };
	it->rec = r;
	it->file = r->file;
	it->line = r->line;
	it->num = p->n++;
	return 0;
}

/* The same; a record that cannot be one goes to the rejects where it may (*GOOD false). */
static int fill_or_reject(struct pairs *p, const struct rec *r, struct arena *a, struct item *it, bool *good, struct err *e)
{
	int rc = fill(p, r, a, it, e);

	*good = rc == 0;
	if (rc == 0)
		return 0;
	if (rc != SFT_BADDATA || p->o->rec.on_bad == 0)
		return err_in(e, "%s:%llu", r->file, (unsigned long long)r->line);
	return rec_reject(p->in, r, "no answer or reference", e);
}

static int next_record(struct pairs *p, struct item *it, bool *more, struct err *e)
{
	bool good = false;
	struct rec *r;
	int rc;

	while (!good) {
		if ((rc = rec_read(p->in, &r, e)) != 0)
			return rc;
		*more = r != NULL;
		if (r == NULL)
			return 0;
		arena_reset(&p->arena);
		if ((rc = fill_or_reject(p, r, &p->arena, it, &good, e)) != 0)
			return rc;
	}
	return 0;
}

int pairs_next(struct pairs *p, struct item *it, bool *more, struct err *e)
{
	return p->in ? next_record(p, it, more, e) : next_lines(p, it, more, e);
}

/* --- batches --- */

static struct text copy(struct arena *a, struct text t)
{
	return (struct text){ arena_str(a, t.p, t.n), t.n };
}

static int batch_of_lines(struct pairs *p, struct arena *a, struct item *out, size_t max, size_t *n, struct err *e)
{
	enum { ENOUGH = 128 << 10 };
	bool more;
	int rc;

	for (size_t bytes = 0; *n < max && bytes < ENOUGH; ++*n) {
		struct item *it = &out[*n];
		struct text *ref;

		if ((rc = next_lines(p, it, &more, e)) != 0 || !more)
			return rc;
		it->hyp = copy(a, it->hyp);
		bytes += it->hyp.n;
		ref = arena_get(a, (p->nrefs + 1) * sizeof *ref);
		for (size_t k = 0; k < p->nrefs; k++) {
			ref[k] = copy(a, p->line[k]);
			bytes += ref[k].n;
		}
		it->ref = ref;
	}
	return 0;
}

/* At least one good record, or the end. */
static int batch_of_records(struct pairs *p, struct arena *a, struct item *out, size_t max, size_t *n, struct err *e)
{
	while (*n == 0) {
		struct rec *rec = arena_get(a, max * sizeof *rec);
		size_t got;
		bool good;
		int rc;

		if ((rc = rec_read_batch(p->in, a, rec, max, &got, e)) != 0)
			return rc;
		if (got == 0)
			break;
		for (size_t i = 0; i < got; i++) {
			if ((rc = fill_or_reject(p, &rec[i], a, &out[*n], &good, e)) != 0)
				return rc;
			*n += good;
		}
	}
	return 0;
}

int pairs_batch(struct pairs *p, struct arena *a, struct item *out, size_t max, size_t *n, struct err *e)
{
	*n = 0;
	return p->in ? batch_of_records(p, a, out, max, n, e) : batch_of_lines(p, a, out, max, n, e);
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
	mem_free(p->line);
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
