/* SPDX-License-Identifier: Apache-2.0 */
/* Between records and JSON: what comes in as an object, what goes out as fields. */
#include <string.h>
#include "prompt.h"

int record_json(struct prompt_work *w, const struct rec *r, struct arena *a, struct json *out, struct fault *f)
{
	struct json_member *m = arena_get(a, r->names->n * sizeof *m + 1);
	const struct json *v;

	for (uint32_t i = 0; i < r->names->n; i++) {
		if (field_json(&r->f[i], w->parser, a, &v, f->e) != 0) {
			f->reason = "not JSON";
			return err_in(f->e, "field '%s'", r->names->name[i]);
		}
		m[i] = (struct json_member){ r->names->name[i], r->names->len[i], *v };
	}
	*out = (struct json){ .type = JSON_OBJ, .n = r->names->n, .member = m };
	return 0;
}

bool value_text(const struct json *v, struct json *out)
{
	*out = jtext("", 0);
	if (v == NULL || v->type == JSON_NULL)
		return true;
	if (v->type == JSON_BOOL)
		*out = v->b ? jtext("true", 4) : jtext("false", 5);
	else if (v->type == JSON_STR || v->type == JSON_NUM)
		*out = jtext(v->s, v->n);
	else
		return false;
	return true;
}

static struct field json_field(const struct json *v, struct arena *a)
{
	struct buf b = {0};
	struct jw w;
	struct field f = { v->s, v->n, FIELD_TEXT };

	if (v->type == JSON_STR)
		return f;
	jw_init(&w, &b);
	jw_value(&w, v);
	f = (struct field){ arena_str(a, b.p, b.n), b.n, FIELD_JSON };
	buf_free(&b);
	return f;
}

/* Fields being gathered. */
struct gather {
	struct name *name;
	struct field *f;
	size_t n;
};

static void add(struct gather *g, const char *name, size_t len, struct field f)
{
	g->name[g->n] = (struct name){ name, len };
	g->f[g->n++] = f;
}

static void finish(struct prompt_work *w, const struct rec *r, const struct gather *g, struct rec *out)
{
	*out = *r;
	out->names = names_get(&w->sets, g->name, g->n);
	out->f = g->f;
}

static struct gather gather(struct arena *a, size_t n)
{
	return (struct gather){ arena_get(a, n * sizeof(struct name)), arena_get(a, n * sizeof(struct field)), 0 };
}

static bool used_up(const struct prompt_opts *o, enum shape shape, const char *key)
{
	if (shape == SHAPE_COLUMNS)
		return strcmp(key, o->input) == 0 || (o->output && strcmp(key, o->output) == 0);
	return shape_takes(shape, key);
}

int record_chat(struct prompt_work *w, const struct rec *r, const struct json *obj, enum shape shape, const struct talk *t, struct arena *a, struct rec *out, struct fault *f)
{
	struct gather g = gather(a, r->names->n + 4);
	struct json messages = { .type = JSON_ARR, .n = t->n, .item = t->m }, slice;
	int id = rec_column(r->names, "id");

	if (id >= 0 && !used_up(w->p->o, shape, "id"))
		add(&g, "id", 2, r->f[id]);
	add(&g, "messages", 8, json_field(&messages, a));
	if (t->tools != NULL)
		add(&g, "tools", 5, json_field(t->tools, a));
	if (w->p->o->slice != NULL) {
		if (json_get(obj, w->p->o->slice) == NULL)
			return fault_no_column(f, obj, w->p->o->slice);
		if (!value_text(json_get(obj, w->p->o->slice), &slice))
			return fault_set(f, "not text", "column '%s' of --slice is no text", w->p->o->slice);
		add(&g, "slice", 5, (struct field){ slice.s, slice.n, FIELD_TEXT });
	}
	for (uint32_t i = 0; i < r->names->n; i++) {
		const char *key = r->names->name[i];
		if ((int)i == id || used_up(w->p->o, shape, key) || (w->p->o->slice && strcmp(key, "slice") == 0))
			continue;
		if (strcmp(key, "messages") == 0 || strcmp(key, "tools") == 0)
			return fault_set(f, "name taken", "column '%s' has the name of a part of chat records (rename it first: sft clean --rename)", key);
		add(&g, key, r->names->len[i], r->f[i]);
	}
	finish(w, r, &g, out);
	return 0;
}

void record_one(struct prompt_work *w, const struct rec *r, const struct json *obj, const char *key, struct field value, struct arena *a, struct rec *out)
{
	struct gather g = gather(a, 2);
	const struct json *id = json_get(obj, "id");

	if (id != NULL)
		add(&g, "id", 2, json_field(id, a));
	add(&g, key, strlen(key), value);
	finish(w, r, &g, out);
}
