/* SPDX-License-Identifier: Apache-2.0 */
/* Where a chat template comes from: a built-in name, a file, a model's folder, a GGUF file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "chat_priv.h"
#include "gguf.h"
#include "hash.h"
#include "opt.h"

#define SOURCE_MAX ((size_t)16 << 20)     /* a template file */

/* What was found; all in an arena. */
struct found {
	struct arena a;
	const char *source, *bos, *eos, *pad;
	size_t n;
};

static int read_file(struct found *f, const char *path, struct err *e)
{
	struct buf b = {0};
	FILE *in = fopen(path, "rb");
	char *room;
	size_t n = 0;

	if (in == NULL)
		return err_sys(e, path);
	do {
		room = buf_room(&b, 65536);
		n = fread(room, 1, 65536, in);
		b.n += n;
	} while (n > 0 && b.n <= SOURCE_MAX);
	int bad = ferror(in);
	fclose(in);
	if (!bad && b.n <= SOURCE_MAX) {
		f->source = arena_str(&f->a, b.p ? b.p : "", b.n);
		f->n = b.n;
	}
	buf_free(&b);
	if (bad)
		return err_sys(e, path);
	return f->source ? 0 : err_set(e, SFT_BADDATA, "%s: too large for a template (limit: 16 MiB)", path);
}

/* "tok" or {"content":"tok",...} */
static const char *token_text(const struct json *v)
{
	if (v != NULL && v->type == JSON_OBJ)
		v = json_get(v, "content");
	return v != NULL && v->type == JSON_STR ? v->s : NULL;
}

/* The template of tokenizer_config.json: a string, or a list of named ones, of which "default" counts. */
static void config_template(struct found *f, const struct json *v)
{
	if (v != NULL && v->type == JSON_STR) {
		f->source = v->s;
		f->n = v->n;
	}
	for (size_t i = 0; v != NULL && v->type == JSON_ARR && i < v->n; i++)
		if (json_is(json_get(&v->item[i], "name"), "default"))
			config_template(f, json_get(&v->item[i], "template"));
}

static int from_config(struct found *f, const char *path, struct err *e)
{
	const struct json *v;
	int rc = json_file(&f->a, path, &v, e);

	if (rc != 0)
		return rc;
	config_template(f, json_get(v, "chat_template"));
	f->bos = token_text(json_get(v, "bos_token"));
	f->eos = token_text(json_get(v, "eos_token"));
	f->pad = token_text(json_get(v, "pad_token"));
	return 0;
}

static int from_folder(struct found *f, const char *dir, struct err *e)
{
	struct buf path = {0};
	int rc = 0;

	buf_fmt(&path, "%s/tokenizer_config.json", dir);
	struct stat st;
	if (stat(path.p, &st) == 0)
		rc = from_config(f, path.p, e);
	path.n = 0;
	buf_fmt(&path, "%s/chat_template.jinja", dir);
	if (rc == 0 && stat(path.p, &st) == 0)
		rc = read_file(f, path.p, e);
	buf_free(&path);
	if (rc == 0 && f->source == NULL)
		rc = err_set(e, SFT_USAGE, "%s: no chat template (expected chat_template.jinja, or chat_template in tokenizer_config.json)", dir);
	return rc;
}

static const char *gguf_token(struct found *f, const struct gguf *g, const char *key)
{
	struct err ignored = {0};
	uint64_t id;
	size_t n, count;
	const char *s;

	if (!gguf_has(g, key) || gguf_u64(g, key, &id, &ignored) != 0 || gguf_strs(g, "tokenizer.ggml.tokens", &count, &ignored) != 0 || id >= count)
		return NULL;
	gguf_strs_at(g, "tokenizer.ggml.tokens", (size_t)id, &s, &n);
	return arena_str(&f->a, s, n);
}

static int from_gguf(struct found *f, const char *path, struct err *e)
{
	struct gguf *g;
	const char *s;
	int rc = gguf_open(&g, path, e);

	if (rc != 0)
		return rc;
	if (!gguf_has(g, "tokenizer.chat_template")) {
		rc = err_set(e, SFT_USAGE, "%s: no chat template (expected tokenizer.chat_template in its metadata)", path);
	} else if ((rc = gguf_str(g, "tokenizer.chat_template", &s, &f->n, e)) == 0) {
		f->source = arena_str(&f->a, s, f->n);
		f->bos = gguf_token(f, g, "tokenizer.ggml.bos_token_id");
		f->eos = gguf_token(f, g, "tokenizer.ggml.eos_token_id");
		f->pad = gguf_token(f, g, "tokenizer.ggml.padding_token_id");
	} else {
		rc = err_in(e, "%s", path);
	}
	gguf_close(g);
	return rc;
}

static int unknown(const char *spec, struct err *e)
{
	size_t n = 0;
	const char *near;
	struct buf names = {0};

	for (; chat_builtins[n] != NULL; n++)
		buf_fmt(&names, "%s%s", n ? " " : "", chat_builtins[n]);
	near = opt_nearest(spec, chat_builtins, n);
	if (near != NULL)
		err_set(e, SFT_USAGE, "no chat template '%s' (did you mean '%s'?)", spec, near);
	else
		err_set(e, SFT_USAGE, "no chat template '%s' (expected a file, a model, or one of %s)", spec, names.p);
	buf_free(&names);
	return SFT_USAGE;
}

static int find(struct found *f, const char *spec, struct err *e)
{
	struct stat st;
	size_t n = strlen(spec);
	const char *text = chat_builtin(spec);

	if (text != NULL) {
		f->source = text;
		f->n = strlen(text);
		return 0;
	}
	if (stat(spec, &st) != 0)
		return errno == ENOENT || errno == ENOTDIR ? unknown(spec, e) : err_sys(e, spec);
	if (S_ISDIR(st.st_mode))
		return from_folder(f, spec, e);
	if (gguf_is(spec))
		return from_gguf(f, spec, e);
	if (n > 5 && strcmp(spec + n - 5, ".json") == 0) {
		int rc = from_config(f, spec, e);
		return rc == 0 && f->source == NULL ? err_set(e, SFT_USAGE, "%s: no chat_template in it", spec) : rc;
	}
	return read_file(f, spec, e);
}

static char *own(const char *given, const char *found)
{
	return given ? mem_str(given) : found ? mem_str(found) : NULL;
}

int chat_open(struct chat_template **out, const char *spec, const char *source, const char *bos, const char *eos, const char *pad, struct err *e)
{
	struct found f = {0};
	struct chat_template *c = NULL;
	struct template *t;
	int rc = 0;

	*out = NULL;
	arena_init(&f.a);
	if (spec != NULL) {
		rc = find(&f, spec, e);
	} else if (source != NULL) {
		f.source = source;
		f.n = strlen(source);
	} else {
		rc = err_set(e, SFT_USAGE, "the model has no chat template (give --chat-template FILE or NAME)");
	}
	if (rc == 0)
		rc = template_open(&t, spec ? spec : "chat template", f.source, f.n, e);
	if (rc == 0) {
		c = mem_new(sizeof *c);
		c->t = t;
		c->source = mem_strn(f.source, f.n);
		c->hash = hash64(f.source, f.n, 0);
		c->bos = own(bos, f.bos);
		c->eos = own(eos, f.eos);
		c->pad = own(pad, f.pad);
	}
	arena_release(&f.a);
	*out = c;
	return rc;
}

void chat_close(struct chat_template *c)
{
	if (c == NULL)
		return;
	template_close(c->t);
	mem_free(c->source);
	mem_free(c->bos);
	mem_free(c->eos);
	mem_free(c->pad);
	mem_free(c);
}

uint64_t chat_hash(const struct chat_template *c)
{
	return c->hash;
}

const char *chat_source(const struct chat_template *c)
{
	return c->source;
}
