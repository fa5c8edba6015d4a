/* SPDX-License-Identifier: Apache-2.0 */
/* "decoder" and "post_processor" of tokenizer.json. */
#include <string.h>

#include "hfjson.h"
#include "utf8.h"

static struct dec *new_dec(struct tok *t, enum dec_kind kind)
{
	t->dec = mem_grow(t->dec, t->ndec + 1, sizeof *t->dec);
	t->dec[t->ndec] = (struct dec){ .kind = kind };
	return &t->dec[t->ndec++];
}

static int get_char(struct tok *t, const struct json *v, const char *key, uint32_t *c, struct err *e)
{
	const char *s;
	size_t n;
	int rc = hf_text(t, v, key, true, &s, &n, e);

	if (rc == 0 && n == 0)
		return err_set(e, SFT_BADDATA, "\"%s\" is empty (expected a character)", key);
	if (rc == 0)
		*c = utf8_get(&s);
	return rc;
}

static int metaspace(struct tok *t, const struct json *v, struct err *e)
{
	struct dec *d = new_dec(t, DEC_METASPACE);
	const struct json *scheme = json_get(v, "prepend_scheme");
	int rc = get_char(t, v, "replacement", &d->c, e);

	d->prefix = true;
	if (rc == 0)
		rc = hf_bool(v, "add_prefix_space", &d->prefix, e);
	if (scheme && scheme->type == JSON_STR)
		d->prefix = !json_is(scheme, "never");
	return rc;
}

static int strip(struct tok *t, const struct json *v, struct err *e)
{
	struct dec *d = new_dec(t, DEC_STRIP);
	int64_t start = 0, stop = 0;
	int rc = get_char(t, v, "content", &d->c, e);

	if (rc == 0 && (rc = json_get_int(v, "start", 0, INT32_MAX, &start, e)) == 0)
		rc = json_get_int(v, "stop", 0, INT32_MAX, &stop, e);
	d->start = (size_t)start;
	d->stop = (size_t)stop;
	return rc;
}

static int sequence(struct tok *t, const struct json *v, struct err *e)
{
	const struct json *list = json_get(v, "decoders");
	int rc = 0;

	if (list == NULL || list->type != JSON_ARR)
		return err_set(e, SFT_BADDATA, "a Sequence without \"decoders\"");
	for (size_t i = 0; rc == 0 && i < list->n; i++)
		rc = hf_decoder(t, &list->item[i], e);
	return rc;
}

int hf_decoder(struct tok *t, const struct json *v, struct err *e)
{
	struct dec *d;
	int rc;

	if (hf_type(v, "Sequence"))
		return sequence(t, v, e);
	if (hf_type(v, "Metaspace"))
		return metaspace(t, v, e);
	if (hf_type(v, "Strip"))
		return strip(t, v, e);
	if (hf_type(v, "ByteLevel")) {
		new_dec(t, DEC_BYTES);
		return 0;
	}
	if (hf_type(v, "ByteFallback")) {
		new_dec(t, DEC_FALLBACK);
		return 0;
	}
	if (hf_type(v, "Fuse")) {
		new_dec(t, DEC_FUSE);
		return 0;
	}
	if (hf_type(v, "WordPiece")) {
		d = new_dec(t, DEC_WORDPIECE);
		d->cleanup = true;
		rc = hf_text(t, v, "prefix", true, &d->text, &d->ntext, e);
		return rc ? rc : hf_bool(v, "cleanup", &d->cleanup, e);
	}
	if (hf_type(v, "BPEDecoder")) {
		d = new_dec(t, DEC_BPE);
		return hf_text(t, v, "suffix", true, &d->text, &d->ntext, e);
	}
	if (hf_type(v, "Replace")) {
		d = new_dec(t, DEC_REPLACE);
		rc = hf_text(t, v, "content", true, &d->with, &d->nwith, e);
		return rc ? rc : hf_pattern(t, v, "pattern", &d->text, &d->ntext, &d->pattern, NULL, e);
	}
	if (hf_type(v, "CTC")) {
		d = new_dec(t, DEC_CTC);
		d->cleanup = true;
		if ((rc = hf_text(t, v, "pad_token", true, &d->text, &d->ntext, e)) != 0 ||
		    (rc = hf_text(t, v, "word_delimiter_token", true, &d->with, &d->nwith, e)) != 0)
			return rc;
		return hf_bool(v, "cleanup", &d->cleanup, e);
	}
	return hf_unknown(v, "decoder", e);
}

/* --- post-processors --- */

static void add_part(struct tok *t, bool text, uint32_t id)
{
	t->part = mem_grow(t->part, t->nparts + 1, sizeof *t->part);
	t->part[t->nparts++] = (struct part){ text, id };
}

/* ["[SEP]", 102] */
static int pair_id(const struct json *v, const char *key, uint32_t *id, struct err *e)
{
	const struct json *p = json_get(v, key);
	int64_t n;

	if (p == NULL || p->type != JSON_ARR || p->n != 2 || !json_int(&p->item[1], &n) || n < 0 || n > INT32_MAX)
		return err_set(e, SFT_BADDATA, "\"%s\" is not [token, id]", key);
	*id = (uint32_t)n;
	return 0;
}

static int bert_like(struct tok *t, const struct json *v, struct err *e)
{
	uint32_t sep = 0, cls = 0;
	int rc;

	if ((rc = pair_id(v, "sep", &sep, e)) != 0 || (rc = pair_id(v, "cls", &cls, e)) != 0)
		return rc;
	add_part(t, false, cls);
	add_part(t, true, 0);
	add_part(t, false, sep);
	return 0;
}

/* A special token of the template: the ids that "special_tokens" gives for it. */
static int template_token(struct tok *t, const struct json *v, const struct json *name, struct err *e)
{
	const struct json *ids;
	int64_t id;

	if (name == NULL || name->type != JSON_STR)
		return err_set(e, SFT_BADDATA, "a SpecialToken of the template has no \"id\"");
	ids = json_get(json_get(json_get(v, "special_tokens"), name->s), "ids");
	if (ids == NULL || ids->type != JSON_ARR)
		return err_set(e, SFT_BADDATA, "the template's token '%s' is not in \"special_tokens\"", name->s);
	for (size_t i = 0; i < ids->n; i++) {
		if (!json_int(&ids->item[i], &id) || id < 0 || id > INT32_MAX)
			return err_set(e, SFT_BADDATA, "the template's token '%s' has no id", name->s);
		add_part(t, false, (uint32_t)id);
	}
	return 0;
}

static int template(struct tok *t, const struct json *v, struct err *e)
{
	const struct json *single = json_get(v, "single");
	int rc = 0;

	if (single == NULL || single->type != JSON_ARR)
		return err_set(e, SFT_BADDATA, "TemplateProcessing without \"single\"");
	for (size_t i = 0; rc == 0 && i < single->n; i++) {
		const struct json *token = json_get(&single->item[i], "SpecialToken");

		if (token)
			rc = template_token(t, v, json_get(token, "id"), e);
		else if (json_get(&single->item[i], "Sequence"))
			add_part(t, true, 0);
		else
			rc = err_set(e, SFT_BADDATA, "a part of the template is neither SpecialToken nor Sequence");
	}
	return rc;
}

int hf_post(struct tok *t, const struct json *v, struct err *e)
{
	const struct json *list;
	int rc = 0;

	if (v == NULL || v->type == JSON_NULL)
		return 0;
	if (hf_type(v, "Sequence")) {
		list = json_get(v, "processors");
		for (size_t i = 0; rc == 0 && list && list->type == JSON_ARR && i < list->n; i++)
			rc = hf_post(t, &list->item[i], e);
		return rc;
	}
	if (hf_type(v, "ByteLevel") || hf_type(v, "RobertaProcessing")) {
		bool trim = true, prefix = true;

		if ((rc = hf_bool(v, "trim_offsets", &trim, e)) != 0 || (rc = hf_bool(v, "add_prefix_space", &prefix, e)) != 0)
			return rc;
		t->trim |= trim;
		t->trim_prefix |= prefix;
		return hf_type(v, "ByteLevel") ? 0 : bert_like(t, v, e);
	}
	if (hf_type(v, "BertProcessing"))
		return bert_like(t, v, e);
	if (hf_type(v, "TemplateProcessing"))
		return template(t, v, e);
	return hf_unknown(v, "post_processor", e);
}
