/* SPDX-License-Identifier: Apache-2.0 */
#include "ratingimport.h"

#include <string.h>

#include "fieldtext.h"

struct rating_import {
	struct rating_table *r;
	const struct rating_opts *o;
	struct json_parser *parser;
	struct arena arena;             /* of one record */
};

struct rating_import *rating_import_new(struct rating_table *r, const struct rating_opts *o)
{
	struct rating_import *m = mem_new(sizeof *m);

	m->r = r;
	m->o = o;
	m->parser = json_parser_new();
	arena_init(&m->arena);
	return m;
}

void rating_import_free(struct rating_import *m)
{
	if (m == NULL)
		return;
	json_parser_free(m->parser);
	arena_release(&m->arena);
	mem_free(m);
}

/* --- what both need --- */

/* Field NAME of REC as JSON; *OUT NULL where there is none, or null. */
static int field(struct rating_import *m, const struct rec *rec, const char *name, const struct json **out, struct err *e)
{
	int at = rec_column(rec->names, name), rc;

	*out = NULL;
	if (at < 0)
		return 0;
	if ((rc = field_json(&rec->f[at], m->parser, &m->arena, out, e)) != 0)
		return err_in(e, "'%s'", name);
	if ((*out)->type == JSON_NULL)
		*out = NULL;
	return 0;
}

/* The first of the fields of NAMES (NULL-ended) that is there. */
static int first_field(struct rating_import *m, const struct rec *rec, const char *const *names, const struct json **out, struct err *e)
{
	int rc = 0;

	for (*out = NULL; *names && *out == NULL && rc == 0; names++)
		rc = field(m, rec, *names, out, e);
	return rc;
}

/* A string's text, or a number's or truth value's as it stands; false for anything else, and for the empty string. */
static bool plain(const struct json *v, struct text *out)
{
	if (v == NULL || (v->type != JSON_STR && v->type != JSON_NUM && v->type != JSON_BOOL))
		return false;
	*out = v->type == JSON_STR ? (struct text){ v->s, v->n } : (struct text){ v->raw, v->nraw };
	return out->n > 0;
}

/* The one label in V, a label or a list of labels; *HAS false for an empty list. */
static int one_label(const struct json *v, struct text *out, bool *has, struct err *e)
{
	*has = false;
	while (v && v->type == JSON_ARR && v->n == 1)
		v = v->item;
	if (v == NULL || v->type == JSON_NULL || ((v->type == JSON_ARR || v->type == JSON_STR) && v->n == 0))
		return 0;
	if (v->type == JSON_ARR && plain(v->item, out) && v->item[0].type == JSON_NUM)
		return err_set(e, SFT_BADDATA, "a span of text is labelled, not the item (expected one label an item)");
	if (v->type == JSON_ARR)
		return err_set(e, SFT_BADDATA, "%zu labels: %.*s (expected one label an item)", v->n, (int)(v->nraw < 80 ? v->nraw : 80), v->raw);
	if (!plain(v, out))
		return err_set(e, SFT_BADDATA, "no single label: %.*s (expected a text or a number)", (int)(v->nraw < 80 ? v->nraw : 80), v->raw);
	*has = true;
	return 0;
}

/* --- Label Studio --- */

/* Types of control that give an item one value, and where it stands in "value". */
static const struct {
	const char *type, *value;
} controls[] = { { "choices", "choices" }, { "rating", "rating" }, { "number", "number" }, { "pairwise", "selected" } };

static const char *value_of(const struct json *result)
{
	for (size_t k = 0; k < sizeof controls / sizeof *controls; k++)
		if (json_is(json_get(result, "type"), controls[k].type))
			return controls[k].value;
	return NULL;
}

/* The label of RESULT, a list of what the controls gave; *HAS false where the one that counts gave nothing. */
static int studio_label(const struct rating_import *m, const struct json *result, struct text *out, bool *has, struct err *e)
{
	const struct json *from = NULL, *other = NULL;
	struct text t;
	bool more;
	int rc;

	*has = false;
	for (size_t k = 0; result && result->type == JSON_ARR && k < result->n; k++) {
		const struct json *x = &result->item[k], *name = json_get(x, "from_name"), *value = json_get(x, "value");
		const char *key = value_of(x);

		if (m->o->label ? !json_is(name, m->o->label) : key == NULL) {
			other = name ? name : other;
			continue;
		}
		if (key == NULL)
			return err_set(e, SFT_BADDATA, "'%s' labels parts of the item (expected choices, a rating, a number)", m->o->label);
		if (json_get(value, "start"))
			return err_set(e, SFT_BADDATA, "a part of the item is labelled (expected a choice for the whole of it)");
		if (from && name && !(from->n == name->n && memcmp(from->s, name->s, name->n) == 0))
			return err_set(e, SFT_BADDATA, "labels of '%s' and of '%s' (expected --label NAME to say which counts)", from->s, name->s);
		if ((rc = one_label(json_get(value, key), &t, &more, e)) != 0)
			return name && name->type == JSON_STR ? err_in(e, "'%s'", name->s) : rc;
		if (more && *has)
			return err_set(e, SFT_BADDATA, "two labels of '%s' (expected one)", name ? name->s : "?");
		from = name && name->type == JSON_STR ? name : from;
		*has |= more;
		*out = more ? t : *out;
	}
	if (!*has && other && other->type == JSON_STR && result->n)
		return m->o->label ? 0 : err_set(e, SFT_BADDATA, "'%s' gives no single label (expected choices, a rating, a number)", other->s);
	return 0;
}

/* Who completed annotation A: the e-mail of a person, else the id. */
static int studio_rater(const struct json *a, struct text *out, struct err *e)
{
	const struct json *who = json_get(a, "completed_by");

	if (who && who->type == JSON_OBJ)
		who = json_get(who, "email") && json_get(who, "email")->n ? json_get(who, "email") : json_get(who, "id");
	if (!plain(who, out))
		return err_set(e, SFT_BADDATA, "an annotation without 'completed_by' (expected who labelled)");
	return 0;
}

static int studio_item(struct rating_import *m, const struct rec *rec, struct text *out, struct err *e)
{
	const char *name = m->o->item ? m->o->item : "id";
	const struct json *data, *id = NULL;
	int rc;

	if ((rc = field(m, rec, "data", &data, e)) != 0)
		return rc;
	if (m->o->item)
		id = json_get(data, name);
	if (id == NULL && (rc = field(m, rec, name, &id, e)) != 0)
		return rc;
	return plain(id, out) ? 0 : err_set(e, SFT_BADDATA, "a task without '%s' (expected its name)", name);
}

static int studio_record(struct rating_import *m, const struct rec *rec, struct err *e)
{
	static const char *const names[] = { "annotations", "completions", NULL };      /* the second: before version 1.0 */
	const struct json *list;
	struct text name, rater, label;
	uint32_t item;
	bool has;
	int rc;

	if ((rc = first_field(m, rec, names, &list, e)) != 0)
		return rc;
	if (list == NULL || list->type != JSON_ARR)
		return err_set(e, SFT_BADDATA, "no list 'annotations' (expected the export called JSON; JSON-MIN and CSV are tables: --item id --rater annotator --label NAME)");
	if ((rc = studio_item(m, rec, &name, e)) != 0)
		return rc;
	item = rating_item(m->r, name);
	for (size_t k = 0; k < list->n; k++) {
		const struct json *a = &list->item[k], *cancelled = json_get(a, "was_cancelled");

		if (cancelled && cancelled->type == JSON_BOOL && cancelled->b)
			continue;
		if ((rc = studio_label(m, json_get(a, "result"), &label, &has, e)) != 0 || (has && (rc = studio_rater(a, &rater, e)) != 0))
			return rc;
		if (has)
			rating_add(m->r, item, rating_rater(m->r, rater), label, rec->file, rec->line);
	}
	return 0;
}

/* --- doccano --- */

/* Before version 1.0: annotations of several people in one record, labels and people by number. */
static int doccano_annotations(struct rating_import *m, const struct rec *rec, uint32_t item, const struct json *list, struct err *e)
{
	struct text label, rater;

	for (size_t k = 0; k < list->n; k++) {
		const struct json *a = &list->item[k], *name = json_get(a, "label_name"), *who = json_get(a, "user_name");

		if (json_get(a, "start_offset"))
			return err_set(e, SFT_BADDATA, "a span of text is labelled, not the item (expected one label an item)");
		if (!plain(name ? name : json_get(a, "label"), &label) || !plain(who ? who : json_get(a, "user"), &rater))
			return err_set(e, SFT_BADDATA, "an annotation without label or user");
		rating_add(m->r, item, rating_rater(m->r, rater), label, rec->file, rec->line);
	}
	return 0;
}

static int doccano_record(struct rating_import *m, const struct rec *rec, struct err *e)
{
	const char *const ids[] = { m->o->item ? m->o->item : "id", m->o->item ? NULL : "doc_id", NULL };
	const char *const labels[] = { m->o->label ? m->o->label : "label", m->o->label ? NULL : "labels", "cats", NULL };
	const char *const raters[] = { m->o->rater ? m->o->rater : "username", NULL };
	const struct json *id, *label, *rater, *list;
	struct text name, who, t;
	uint32_t item;
	bool has;
	int rc;

	if ((rc = first_field(m, rec, ids, &id, e)) != 0 || (rc = first_field(m, rec, labels, &label, e)) != 0 ||
	    (rc = first_field(m, rec, raters, &rater, e)) != 0 || (rc = field(m, rec, "annotations", &list, e)) != 0)
		return rc;
	if (!plain(id, &name))
		return err_set(e, SFT_BADDATA, "a record without '%s' (expected the item's name)", ids[0]);
	item = rating_item(m->r, name);
	if (label == NULL && list && list->type == JSON_ARR)
		return doccano_annotations(m, rec, item, list, e);
	if (rec_column(rec->names, labels[0]) < 0 && label == NULL)
		return err_set(e, SFT_BADDATA, "no '%s' (expected a JSONL export of doccano)", labels[0]);
	if (m->o->rater && !plain(rater, &who))
		return err_set(e, SFT_BADDATA, "'%s' is empty (expected the name of a rater)", m->o->rater);
	if ((rc = one_label(label, &t, &has, e)) != 0 || !has)
		return rc;
	if (!plain(rater, &who))
		who = file_stem(rec->file);           /* "export/ann.jsonl" is of ann */
	rating_add(m->r, item, rating_rater(m->r, who), t, rec->file, rec->line);
	return 0;
}

int rating_import_record(struct rating_import *m, const struct rec *rec, struct err *e)
{
	arena_reset(&m->arena);
	return m->o->source == RATINGS_LABEL_STUDIO ? studio_record(m, rec, e) : doccano_record(m, rec, e);
}
