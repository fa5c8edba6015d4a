/* SPDX-License-Identifier: Apache-2.0 */
/* "normalizer" of tokenizer.json, and what the other parts share. */
#include <string.h>

#include "hfjson.h"

bool hf_type(const struct json *v, const char *name)
{
	return json_is(json_get(v, "type"), name);
}

int hf_unknown(const struct json *v, const char *what, struct err *e)
{
	const struct json *type = json_get(v, "type");

	if (type && type->type == JSON_STR)
		return err_set(e, SFT_BADDATA, "unknown %s '%s'", what, type->s);
	return err_set(e, SFT_BADDATA, "a %s without a type (expected an object with \"type\")", what);
}

int hf_text(struct tok *t, const struct json *v, const char *key, bool need, const char **s, size_t *n, struct err *e)
{
	const struct json *m = json_get(v, key);

	*s = "";
	*n = 0;
	if (m == NULL || m->type == JSON_NULL)
		return need ? err_set(e, SFT_BADDATA, "no \"%s\" (expected a string)", key) : 0;
	if (m->type != JSON_STR)
		return err_set(e, SFT_BADDATA, "\"%s\" is no string", key);
	*s = arena_str(&t->arena, m->s, m->n);
	*n = m->n;
	return 0;
}

int hf_bool(const struct json *v, const char *key, bool *out, struct err *e)
{
	return json_get_bool(v, key, out, e);
}

int hf_pattern(struct tok *t, const struct json *v, const char *key, const char **text, size_t *n, struct pattern **pattern, scan_fn **scan,
               struct err *e)
{
	const struct json *p = json_get(v, key), *regex = json_get(p, "Regex"), *string = json_get(p, "String");

	if (p && p->type == JSON_STR)
		string = p;
	if (string && string->type == JSON_STR) {
		*text = arena_str(&t->arena, string->s, string->n);
		*n = string->n;
		return *n ? 0 : err_set(e, SFT_BADDATA, "\"%s\" is empty", key);
	}
	if (regex == NULL || regex->type != JSON_STR)
		return err_set(e, SFT_BADDATA, "no \"%s\" (expected {\"String\": ...} or {\"Regex\": ...})", key);
	if (scan && (*scan = scan_known(regex->s, regex->n)) != NULL)
		return 0;
	return pattern_translate(regex->s, regex->n, pattern, e);
}

static struct norm *new_norm(struct tok *t, enum norm_kind kind)
{
	t->norm = mem_grow(t->norm, t->nnorm + 1, sizeof *t->norm);
	t->norm[t->nnorm] = (struct norm){ .kind = kind };
	return &t->norm[t->nnorm++];
}

static int bert(struct tok *t, const struct json *v, struct err *e)
{
	struct norm *m = new_norm(t, NORM_BERT);
	const struct json *accents = json_get(v, "strip_accents");
	int rc;

	m->clean = m->chinese = m->lower = true;
	if ((rc = hf_bool(v, "clean_text", &m->clean, e)) != 0 || (rc = hf_bool(v, "handle_chinese_chars", &m->chinese, e)) != 0 ||
	    (rc = hf_bool(v, "lowercase", &m->lower, e)) != 0)
		return rc;
	m->accents = accents && accents->type == JSON_BOOL ? accents->b : m->lower;
	return 0;
}

static int sequence(struct tok *t, const struct json *v, struct err *e)
{
	const struct json *list = json_get(v, "normalizers");
	int rc = 0;

	if (list == NULL || list->type != JSON_ARR)
		return err_set(e, SFT_BADDATA, "a Sequence without \"normalizers\"");
	for (size_t i = 0; rc == 0 && i < list->n; i++)
		rc = hf_normalizer(t, &list->item[i], e);
	return rc;
}

int hf_normalizer(struct tok *t, const struct json *v, struct err *e)
{
	static const struct { const char *name; enum norm_kind kind; } plain[] = {
		{ "NFC", NORM_NFC }, { "NFD", NORM_NFD }, { "NFKC", NORM_NFKC }, { "NFKD", NORM_NFKD }, { "Lowercase", NORM_LOWER },
		{ "StripAccents", NORM_STRIP_ACCENTS }, { "Nmt", NORM_NMT }, { "ByteLevel", NORM_BYTES }
	};
	struct norm *m;
	const char *map;
	size_t n;
	int rc;

	if (v == NULL || v->type == JSON_NULL)
		return 0;
	if (hf_type(v, "Sequence"))
		return sequence(t, v, e);
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (hf_type(v, plain[i].name)) {
			new_norm(t, plain[i].kind);
			return 0;
		}
	if (hf_type(v, "BertNormalizer"))
		return bert(t, v, e);
	if (hf_type(v, "Prepend")) {
		m = new_norm(t, NORM_PREPEND);
		return hf_text(t, v, "prepend", true, &m->text, &m->ntext, e);
	}
	if (hf_type(v, "Strip")) {
		m = new_norm(t, NORM_STRIP);
		m->left = m->right = true;
		rc = hf_bool(v, "strip_left", &m->left, e);
		return rc ? rc : hf_bool(v, "strip_right", &m->right, e);
	}
	if (hf_type(v, "Replace")) {
		m = new_norm(t, NORM_REPLACE);
		rc = hf_text(t, v, "content", true, &m->with, &m->nwith, e);
		return rc ? rc : hf_pattern(t, v, "pattern", &m->text, &m->ntext, &m->pattern, NULL, e);
	}
	if (hf_type(v, "Precompiled")) {
		if ((rc = hf_text(t, v, "precompiled_charsmap", false, &map, &n, e)) != 0 || n == 0)
			return rc;
		m = new_norm(t, NORM_PRECOMPILED);
		return charsmap_new(&m->map, map, n, e);
	}
	return hf_unknown(v, "normalizer", e);
}
