/* SPDX-License-Identifier: Apache-2.0 */
/* What the other files of a model's folder say: tokenizer_config.json, special_tokens_map.json, generation_config.json,
 * config.json, chat_template.jinja.  None of them changes an id; what TOK_ADD puts around a text, only of a tokenizer.model. */
#include <string.h>
#include <sys/stat.h>

#include "json.h"
#include "mapfile.h"
#include "tokimpl.h"
#include "utf8.h"

void tok_stop(struct tok *t, uint32_t id)
{
	for (size_t i = 0; i < t->nstops; i++)
		if (t->stops[i] == id)
			return;
	t->stops = mem_grow(t->stops, t->nstops + 1, sizeof *t->stops);
	t->stops[t->nstops++] = id;
}

static bool there(const char *dir, const char *name, struct buf *path)
{
	struct stat st;

	path->n = 0;
	buf_fmt(path, "%s/%s", dir, name);
	return stat(path->p, &st) == 0 && S_ISREG(st.st_mode);
}

/* A special token: its text, or an object with "content". */
static const char *token_text(struct tok *t, const struct json *v)
{
	if (v && v->type == JSON_OBJ)
		v = json_get(v, "content");
	return v && v->type == JSON_STR ? arena_str(&t->arena, v->s, v->n) : NULL;
}

static void set_token(struct tok *t, const struct json *v, const char *key, const char **text, int32_t *id)
{
	const char *s = token_text(t, json_get(v, key));

	if (s == NULL || *text)
		return;
	*text = s;
	if (id)
		*id = (int32_t)vocab_id(&t->all, s, strlen(s));
}

/* "chat_template": a text, or a list of named ones, of which "default" counts. */
static void set_template(struct tok *t, const struct json *v)
{
	const struct json *c = json_get(v, "chat_template");

	if (c && c->type == JSON_ARR)
		for (size_t i = 0; i < c->n; i++)
			if (json_is(json_get(&c->item[i], "name"), "default")) {
				c = json_get(&c->item[i], "template");
				break;
			}
	if (c && c->type == JSON_STR && t->chat_template == NULL)
		t->chat_template = arena_str(&t->arena, c->s, c->n);
}

/* "eos_token_id": a number or a list of them. */
static void set_stops(struct tok *t, const struct json *v)
{
	const struct json *ids = json_get(v, "eos_token_id");
	int64_t id;

	if (ids && ids->type == JSON_ARR) {
		for (size_t i = 0; i < ids->n; i++)
			if (json_int(&ids->item[i], &id) && id >= 0 && id < t->all.n)
				tok_stop(t, (uint32_t)id);
	} else if (ids && json_int(ids, &id) && id >= 0 && id < t->all.n) {
		tok_stop(t, (uint32_t)id);
	}
}

/* "max_position_embeddings" of config.json, of the text part where there are several. */
static void set_context(struct tok *t, const struct json *v)
{
	const struct json *n = json_get(v, "max_position_embeddings");
	int64_t most;

	if (n == NULL)
		n = json_get(json_get(v, "text_config"), "max_position_embeddings");
	if (n && json_int(n, &most) && most > 0)
		t->context = (uint64_t)most;
}

/* tokenizer.model does not say what stands around a text; transformers' LlamaTokenizer puts bos in front unless told otherwise. */
static void set_around(struct tok *t, const struct json *v)
{
	const struct json *b = json_get(v, "add_bos_token"), *e = json_get(v, "add_eos_token");
	bool bos = b == NULL || b->type != JSON_BOOL || b->b, eos = e && e->type == JSON_BOOL && e->b;

	if (t->kind != MODEL_SPM)
		return;
	t->nparts = 0;
	if (bos && t->bos >= 0)
		t->part[t->nparts++] = (struct part){ false, (uint32_t)t->bos };
	t->part[t->nparts++] = (struct part){ true, 0 };
	if (eos && t->eos >= 0)
		t->part[t->nparts++] = (struct part){ false, (uint32_t)t->eos };
}

static int read_template(struct tok *t, const char *path, struct err *e)
{
	struct mapfile m;
	int rc = mapfile_open(&m, path, e);

	if (rc)
		return rc;
	if (!utf8_valid((const char *)m.p, m.n, NULL))
		rc = err_set(e, SFT_BADDATA, "%s: not UTF-8", path);
	else
		t->chat_template = arena_str(&t->arena, m.p ? (const char *)m.p : "", m.n);
	mapfile_close(&m);
	return rc;
}

int tok_config(struct tok *t, const char *dir, struct err *e)
{
	static const char *const files[] = { "tokenizer_config.json", "special_tokens_map.json", "generation_config.json", "config.json" };
	struct buf path = {0};
	struct arena a;
	int rc = 0;

	arena_init(&a);
	if (there(dir, "chat_template.jinja", &path))
		rc = read_template(t, path.p, e);
	for (int i = 0; rc == 0 && i < 4; i++) {
		const struct json *v;

		if (!there(dir, files[i], &path) || (rc = json_file(&a, path.p, &v, e)) != 0)
			continue;
		if (i < 2) {
			set_token(t, v, "bos_token", &t->bos_text, &t->bos);
			set_token(t, v, "eos_token", &t->eos_text, &t->eos);
			set_token(t, v, "pad_token", &t->pad_text, NULL);
			set_template(t, v);
		}
		if (i == 0)
			set_around(t, v);
		if (i == 2 || (i == 3 && t->nstops == 0))
			set_stops(t, v);
		if (i == 3)
			set_context(t, v);
	}
	if (rc == 0 && t->eos >= 0)
		tok_stop(t, (uint32_t)t->eos);
	arena_release(&a);
	buf_free(&path);
	return rc;
}
