/* SPDX-License-Identifier: Apache-2.0 */
#include "round.h"

#include <string.h>

#include "mapfile.h"
#include "tool.h"

void round_init(struct round *r)
{
	memset(r, 0, sizeof *r);
	arena_init(&r->arena);
}

void round_release(struct round *r)
{
	mem_free(r->rater);
	mem_free(r->label);
	mem_free(r->show);
	mem_free(r->item);
	mem_free(r->merge);
	strmap_free(&r->item_of);
	strmap_free(&r->rater_of);
	strmap_free(&r->label_of);
	arena_release(&r->arena);
	memset(r, 0, sizeof *r);
}

static struct text keep(struct round *r, const char *p, size_t n)
{
	return (struct text){ arena_str(&r->arena, p, n), n };
}

/* --- names --- */

static int add_label(struct round *r, struct text label, char key, struct text hint, struct err *e)
{
	bool added;

	if (label.n == 0)
		return err_set(e, SFT_USAGE, "--labels: an empty label");
	if (key && !(key >= 'a' && key <= 'z') && !(key >= '0' && key <= '9'))
		return err_set(e, SFT_USAGE, "--labels: key '%c' of '%.*s' (expected a digit or a small letter)", key, (int)label.n, label.p);
	for (uint32_t k = 0; key && k < r->nlabels; k++)
		if (r->label[k].key == key)
			return err_set(e, SFT_USAGE, "--labels: key '%c' stands there twice", key);
	strmap_put(&r->label_of, label.p, label.n, r->nlabels, &added);
	if (!added)
		return err_set(e, SFT_USAGE, "--labels: '%.*s' stands there twice", (int)label.n, label.p);
	r->label = mem_grow(r->label, (size_t)r->nlabels + 1, sizeof *r->label);
	r->label[r->nlabels++] = (struct sheet_choice){ keep(r, label.p, label.n), keep(r, hint.p, hint.n), key };
	return 0;
}

/* label TAB key TAB hint */
static int label_line(struct round *r, const char *line, size_t n, struct err *e)
{
	const char *tab = memchr(line, '\t', n), *key = tab ? tab + 1 : line + n, *second;
	size_t left = (size_t)(line + n - key);

	second = left ? memchr(key, '\t', left) : NULL;
	if ((second ? (size_t)(second - key) : left) > 1)
		return err_set(e, SFT_USAGE, "--labels: key '%.*s' (expected one digit or small letter)", (int)(second ? second - key : (long)left), key);
	return add_label(r, text_strip((struct text){ line, tab ? (size_t)(tab - line) : n }), second != key && left ? *key : 0,
	                 second ? (struct text){ second + 1, (size_t)(line + n - second - 1) } : (struct text){ "", 0 }, e);
}

int round_labels(struct round *r, const char *spec, struct err *e)
{
	char end = *spec == '@' ? '\n' : ',';
	const char *text;
	int rc = tool_text_or_file(&r->arena, spec, &text, e);

	while (rc == 0 && *text) {
		size_t n = strcspn(text, end == '\n' ? "\n" : ",");
		size_t line = n && end == '\n' && text[n - 1] == '\r' ? n - 1 : n;

		if (line || end == ',')
			rc = end == ',' ? add_label(r, text_strip((struct text){ text, n }), 0, (struct text){ "", 0 }, e) : label_line(r, text, line, e);
		text += n + (text[n] != '\0');
	}
	if (rc == 0 && r->nlabels < 2)
		rc = err_set(e, SFT_USAGE, "--labels: expected two or more (%u given)", r->nlabels);
	if (rc == 0)
		sheet_keys(r->label, r->nlabels);
	return rc;
}

/* Raters name files and columns. */
static int add_rater(struct round *r, struct text name, struct err *e)
{
	static const char *const taken[] = { "item", "label", "how", "votes", "of", "majority", "resolved", "note", "notes", "rater" };
	bool added, bad = name.n == 0 || name.n > 100 || name.p[0] == '.' || name.p[0] == '-';

	for (size_t k = 0; k < name.n; k++)
		bad |= (unsigned char)name.p[k] < ' ' || strchr("/\\:*?\"<>|", name.p[k]) != NULL;
	for (size_t k = 0; k < sizeof taken / sizeof *taken; k++)
		bad |= strlen(taken[k]) == name.n && memcmp(taken[k], name.p, name.n) == 0;
	if (bad)
		return err_set(e, SFT_USAGE, "--raters: '%.*s' (expected a name for a file and for a column)", (int)name.n, name.p);
	strmap_put(&r->rater_of, name.p, name.n, r->nraters, &added);
	if (!added)
		return err_set(e, SFT_USAGE, "--raters: '%.*s' stands there twice", (int)name.n, name.p);
	r->rater = mem_grow(r->rater, (size_t)r->nraters + 1, sizeof *r->rater);
	r->rater[r->nraters++] = keep(r, name.p, name.n);
	return 0;
}

int round_raters(struct round *r, const char *list, struct err *e)
{
	int rc = 0;

	while (rc == 0 && *list) {
		size_t n = strcspn(list, ",");

		rc = add_rater(r, text_strip((struct text){ list, n }), e);
		list += n + (list[n] != '\0');
	}
	if (rc == 0 && (r->nraters < 2 || r->nraters > 200))
		rc = err_set(e, SFT_USAGE, "--raters: expected two to 200 (%u given)", r->nraters);
	return rc;
}

struct round_item *round_add_item(struct round *r, struct text name)
{
	struct round_item *x;
	bool added;

	strmap_put(&r->item_of, name.p, name.n, r->nitems, &added);
	if (!added)
		return NULL;
	ARRAY_ROOM(r->item, r->nitems, r->items_cap);
	x = &r->item[r->nitems++];
	*x = (struct round_item){ .name = keep(r, name.p, name.n), .show = arena_get(&r->arena, (r->nshow + 1) * sizeof *x->show) };
	for (uint32_t k = 0; k < r->nshow; k++)
		x->show[k] = (struct text){ "", 0 };
	return x;
}

/* --- round.jsonl --- */

static void text_json(struct jw *w, const char *key, struct text t)
{
	jw_key(w, key);
	jw_strn(w, t.p ? t.p : "", t.n);
}

static void head_json(const struct round *r, struct jw *w)
{
	tool_schema_json(w, "sft.round/1");
	jw_key(w, "title");
	jw_str(w, r->title);
	if (r->guidelines) {
		jw_key(w, "guidelines");
		jw_str(w, r->guidelines);
	}
	jw_key(w, "raters");
	jw_arr(w);
	for (uint32_t k = 0; k < r->nraters; k++)
		jw_strn(w, r->rater[k].p, r->rater[k].n);
	jw_arr_end(w);
	jw_key(w, "labels");
	jw_arr(w);
	for (uint32_t k = 0; k < r->nlabels; k++) {
		jw_obj(w);
		text_json(w, "label", r->label[k].label);
		text_json(w, "key", (struct text){ &r->label[k].key, r->label[k].key != 0 });
		text_json(w, "hint", r->label[k].hint);
		jw_obj_end(w);
	}
	jw_arr_end(w);
	jw_key(w, "show");
	jw_arr(w);
	for (uint32_t k = 0; k < r->nshow; k++)
		jw_str(w, r->show[k]);
	jw_arr_end(w);
}

static void item_json(const struct round *r, const struct round_item *x, struct jw *w)
{
	text_json(w, "item", x->name);
	jw_key(w, "raters");
	jw_arr(w);
	for (uint32_t k = 0; k < x->nraters; k++)
		jw_uint(w, x->rater[k]);
	jw_arr_end(w);
	jw_key(w, "show");
	jw_arr(w);
	for (uint32_t k = 0; k < r->nshow; k++)
		jw_strn(w, x->show[k].p, x->show[k].n);
	jw_arr_end(w);
}

void round_format(const struct round *r, struct buf *out)
{
	struct jw w;

	for (uint32_t i = 0; i <= r->nitems; i++) {
		jw_init(&w, out);
		jw_obj(&w);
		if (i == 0)
			head_json(r, &w);
		else
			item_json(r, &r->item[i - 1], &w);
		jw_obj_end(&w);
		buf_ch(out, '\n');
	}
	for (uint32_t k = 0; k < r->nmerges; k++)
		buf_fmt(out, "{\"merge\":%.*s}\n", (int)r->merge[k].n, r->merge[k].p);
}

/* --- reading it --- */

static struct text text_at(const struct json *v)
{
	return v && v->type == JSON_STR ? (struct text){ v->s, v->n } : (struct text){ "", 0 };
}

static int need_list(const struct json *o, const char *key, const struct json **out, struct err *e)
{
	*out = json_get(o, key);
	return *out && (*out)->type == JSON_ARR ? 0 : err_set(e, SFT_BADDATA, "no list '%s' (expected a file of agree make)", key);
}

static int parse_head(struct round *r, const struct json *o, struct err *e)
{
	const struct json *raters, *labels, *show;
	int rc;

	if (!json_is(json_get(o, "schema"), "sft.round/1"))
		return err_set(e, SFT_BADDATA, "no round (expected \"schema\":\"sft.round/1\")");
	r->title = keep(r, text_at(json_get(o, "title")).p, text_at(json_get(o, "title")).n).p;
	if (json_get(o, "guidelines"))
		r->guidelines = keep(r, text_at(json_get(o, "guidelines")).p, text_at(json_get(o, "guidelines")).n).p;
	if ((rc = need_list(o, "raters", &raters, e)) != 0 || (rc = need_list(o, "labels", &labels, e)) != 0 || (rc = need_list(o, "show", &show, e)) != 0)
		return rc;
	for (size_t k = 0; rc == 0 && k < raters->n; k++)
		rc = add_rater(r, text_at(&raters->item[k]), e);
	for (size_t k = 0; rc == 0 && k < labels->n; k++) {
		const struct json *x = &labels->item[k];
		struct text key = text_at(json_get(x, "key"));

		rc = add_label(r, text_at(json_get(x, "label")), key.n ? key.p[0] : 0, text_at(json_get(x, "hint")), e);
	}
	r->show = mem_grow(NULL, show->n + 1, sizeof *r->show);
	for (size_t k = 0; k < show->n; k++)
		r->show[r->nshow++] = keep(r, text_at(&show->item[k]).p, text_at(&show->item[k]).n).p;
	return rc == SFT_USAGE ? e->code = SFT_BADDATA : rc;
}

static int parse_item(struct round *r, const struct json *o, struct err *e)
{
	const struct json *raters, *show;
	struct round_item *x;
	int64_t who, last = -1;
	int rc;

	if ((rc = need_list(o, "raters", &raters, e)) != 0 || (rc = need_list(o, "show", &show, e)) != 0)
		return rc;
	if (show->n != r->nshow)
		return err_set(e, SFT_BADDATA, "%zu texts (expected %u)", show->n, r->nshow);
	if ((x = round_add_item(r, text_at(json_get(o, "item")))) == NULL)
		return err_set(e, SFT_BADDATA, "item '%s' stands there twice", text_at(json_get(o, "item")).p);
	for (uint32_t k = 0; k < r->nshow; k++)
		x->show[k] = keep(r, text_at(&show->item[k]).p, text_at(&show->item[k]).n);
	x->rater = arena_get(&r->arena, (raters->n + 1) * sizeof *x->rater);
	for (size_t k = 0; k < raters->n; k++, last = who) {
		if (!json_int(&raters->item[k], &who) || who <= last || who >= r->nraters)
			return err_set(e, SFT_BADDATA, "'raters' (expected numbers of raters, ascending)");
		x->rater[x->nraters++] = (uint32_t)who;
	}
	return 0;
}

static int parse_line(struct round *r, const struct json *o, bool first, struct err *e)
{
	const struct json *merge = json_get(o, "merge");

	if (first)
		return parse_head(r, o, e);
	if (merge == NULL)
		return parse_item(r, o, e);
	if (merge->type != JSON_OBJ)
		return err_set(e, SFT_BADDATA, "'merge' (expected an object)");
	ARRAY_ROOM(r->merge, r->nmerges, r->merges_cap);
	r->merge[r->nmerges++] = keep(r, merge->raw, merge->nraw);
	return 0;
}

int round_parse(struct round *r, const char *text, size_t n, struct err *e)
{
	struct json_parser *p = json_parser_new();
	const struct json *o;
	struct arena a;
	size_t line = 0;
	int rc = n ? 0 : err_set(e, SFT_BADDATA, "empty (expected a file of agree make)");

	arena_init(&a);
	for (size_t at = 0; rc == 0 && at < n; line++) {
		const char *lf = memchr(text + at, '\n', n - at);
		size_t len = lf ? (size_t)(lf - text) - at : n - at;

		arena_reset(&a);
		if ((rc = json_parse(p, &a, text + at, len, &o, e)) != 0 || (rc = parse_line(r, o, line == 0, e)) != 0)
			err_in(e, "line %zu", line + 1);
		at += len + 1;
	}
	arena_release(&a);
	json_parser_free(p);
	return rc;
}

int round_read(struct round *r, const char *dir, struct err *e)
{
	const char *path = round_path(r, dir, "round.jsonl");
	struct mapfile m;
	int rc = mapfile_open(&m, path, e);

	if (rc)
		return rc;
	if ((rc = round_parse(r, (const char *)m.p, m.n, e)) != 0)
		err_in(e, "%s", path);
	mapfile_close(&m);
	return rc;
}

/* --- paths --- */

const char *round_path(struct round *r, const char *dir, const char *name)
{
	size_t n = strlen(dir) + strlen(name) + 2;
	char *path = arena_get(&r->arena, n);

	snprintf(path, n, "%s/%s", dir, name);
	return path;
}

const char *round_sheet(struct round *r, const char *dir, uint32_t rater, const char *ending)
{
	struct buf name = { 0 };
	const char *path;

	buf_fmt(&name, "sheets/%s%s", r->rater[rater].p, ending);
	path = round_path(r, dir, name.p);
	buf_free(&name);
	return path;
}
