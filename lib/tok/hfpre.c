/* SPDX-License-Identifier: Apache-2.0 */
/* "pre_tokenizer" of tokenizer.json. */
#include <string.h>

#include "hfjson.h"
#include "uniclass.h"
#include "utf8.h"

static const char GPT2[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

static bool is_space(uint32_t c) { return uni_space(c); }
static bool is_digit(uint32_t c) { return c < 0x80 ? c >= '0' && c <= '9' : UC_IN(uni_digit, c); }

static bool is_punct(uint32_t c)
{
	if (c < 0x80)
		return (c > 0x20 && c < '0') || (c > '9' && c < 'A') || (c > 'Z' && c < 'a') || (c > 'z' && c < 0x7F);
	return UC_IN(uni_punct, c);
}

static struct pre *new_pre(struct tok *t, enum pre_kind kind)
{
	t->pre = mem_grow(t->pre, t->npre + 1, sizeof *t->pre);
	t->pre[t->npre] = (struct pre){ .kind = kind, .behavior = SPLIT_ISOLATED };
	return &t->pre[t->npre++];
}

static struct pre *new_class(struct tok *t, bool (*is)(uint32_t c), enum behavior behavior)
{
	struct pre *p = new_pre(t, PRE_SPLIT);

	p->is = is;
	p->behavior = behavior;
	return p;
}

static int get_behavior(const struct json *v, enum behavior *out, struct err *e)
{
	static const char *const names[] = { "Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous" };
	const struct json *b = json_get(v, "behavior");

	if (b == NULL)
		return 0;
	for (int i = 0; i < 5; i++)
		if (json_is(b, names[i])) {
			*out = (enum behavior)i;
			return 0;
		}
	return err_set(e, SFT_BADDATA, "unknown behavior '%s'", b->type == JSON_STR ? b->s : "?");
}

int hf_pre_regex(struct tok *t, const char *regex, size_t n, struct err *e)
{
	struct pre *p = new_pre(t, PRE_SPLIT);

	p->regex = arena_str(&t->arena, regex, n);
	p->scan = scan_known(regex, n);
	return p->scan ? 0 : pattern_translate(regex, n, &p->pattern, e);
}

void hf_pre_bytes(struct tok *t)
{
	new_pre(t, PRE_BYTES);
}

void hf_pre_digits(struct tok *t)
{
	new_class(t, is_digit, SPLIT_ISOLATED);
}

/* Digits one by one and then GPT-2's pattern: one scanner knows both. */
void hf_pre_join(struct tok *t)
{
	for (size_t i = 0; i + 1 < t->npre; i++) {
		struct pre *a = &t->pre[i], *b = a + 1;

		if (a->kind != PRE_SPLIT || a->is != is_digit || a->behavior != SPLIT_ISOLATED || b->kind != PRE_SPLIT || b->scan == NULL ||
		    b->behavior != SPLIT_ISOLATED || b->invert || scan_after_digits(b->scan) == NULL)
			continue;
		b->scan = scan_after_digits(b->scan);
		b->digits = true;
		memmove(a, b, (t->npre - i - 1) * sizeof *a);
		t->npre--;
	}
}

static int byte_level(struct tok *t, const struct json *v, struct err *e)
{
	bool prefix = true, regex = true;
	int rc;

	if ((rc = hf_bool(v, "add_prefix_space", &prefix, e)) != 0 || (rc = hf_bool(v, "use_regex", &regex, e)) != 0)
		return rc;
	if (prefix)
		new_pre(t, PRE_PREFIX);
	if (regex && (rc = hf_pre_regex(t, GPT2, sizeof GPT2 - 1, e)) != 0)
		return rc;
	new_pre(t, PRE_BYTES);
	return 0;
}

/* "replacement", "prepend_scheme" or the older "add_prefix_space". */
static int metaspace(struct tok *t, const struct json *v, struct err *e)
{
	struct pre *p = new_pre(t, PRE_METASPACE);
	const struct json *scheme = json_get(v, "prepend_scheme");
	const char *mark;
	size_t n;
	int rc;

	p->prefix = p->split = true;
	if ((rc = hf_text(t, v, "replacement", true, &mark, &n, e)) != 0 || (rc = hf_bool(v, "add_prefix_space", &p->prefix, e)) != 0 ||
	    (rc = hf_bool(v, "split", &p->split, e)) != 0)
		return rc;
	if (n == 0)
		return err_set(e, SFT_BADDATA, "Metaspace with an empty replacement");
	p->replacement = utf8_get(&mark);
	if (scheme && scheme->type == JSON_STR) {
		p->prefix = !json_is(scheme, "never");
		p->first_only = json_is(scheme, "first");
		t->by_origin |= p->first_only;
	}
	return 0;
}

static int digits(struct tok *t, const struct json *v, struct err *e)
{
	bool one = false;
	int rc = hf_bool(v, "individual_digits", &one, e);

	if (rc == 0)
		new_class(t, is_digit, one ? SPLIT_ISOLATED : SPLIT_CONTIGUOUS);
	return rc;
}

static int split(struct tok *t, const struct json *v, struct err *e)
{
	struct pre *p = new_pre(t, PRE_SPLIT);
	const struct json *regex = json_get(json_get(v, "pattern"), "Regex");
	int rc;

	if (regex && regex->type == JSON_STR)
		p->regex = arena_str(&t->arena, regex->s, regex->n);
	if ((rc = get_behavior(v, &p->behavior, e)) != 0 || (rc = hf_bool(v, "invert", &p->invert, e)) != 0)
		return rc;
	return hf_pattern(t, v, "pattern", &p->text, &p->ntext, &p->pattern, &p->scan, e);
}

static int delimiter(struct tok *t, const struct json *v, struct err *e)
{
	struct pre *p = new_pre(t, PRE_SPLIT);
	int rc = hf_text(t, v, "delimiter", true, &p->text, &p->ntext, e);

	p->behavior = SPLIT_REMOVED;
	return rc == 0 && p->ntext == 0 ? err_set(e, SFT_BADDATA, "CharDelimiterSplit with an empty delimiter") : rc;
}

static int sequence(struct tok *t, const struct json *v, struct err *e)
{
	const struct json *list = json_get(v, "pretokenizers");
	int rc = 0;

	if (list == NULL || list->type != JSON_ARR)
		return err_set(e, SFT_BADDATA, "a Sequence without \"pretokenizers\"");
	for (size_t i = 0; rc == 0 && i < list->n; i++)
		rc = hf_pre_tokenizer(t, &list->item[i], e);
	return rc;
}

int hf_pre_tokenizer(struct tok *t, const struct json *v, struct err *e)
{
	struct pre *p;
	int64_t length = 5;
	int rc;

	if (v == NULL || v->type == JSON_NULL)
		return 0;
	if (hf_type(v, "Sequence"))
		return sequence(t, v, e);
	if (hf_type(v, "ByteLevel"))
		return byte_level(t, v, e);
	if (hf_type(v, "Metaspace"))
		return metaspace(t, v, e);
	if (hf_type(v, "Digits"))
		return digits(t, v, e);
	if (hf_type(v, "Split"))
		return split(t, v, e);
	if (hf_type(v, "CharDelimiterSplit"))
		return delimiter(t, v, e);
	if (hf_type(v, "Punctuation")) {
		p = new_class(t, is_punct, SPLIT_ISOLATED);
		return get_behavior(v, &p->behavior, e);
	}
	if (hf_type(v, "FixedLength")) {
		rc = json_get_int(v, "length", 1, INT32_MAX, &length, e);
		new_pre(t, PRE_FIXED)->length = (uint32_t)length;
		return rc;
	}
	if (hf_type(v, "Whitespace")) {
		p = new_pre(t, PRE_SPLIT);
		p->scan = scan_words;
		p->behavior = SPLIT_REMOVED;
		p->invert = true;
	} else if (hf_type(v, "WhitespaceSplit")) {
		new_class(t, is_space, SPLIT_REMOVED);
	} else if (hf_type(v, "BertPreTokenizer")) {
		new_class(t, is_space, SPLIT_REMOVED);
		new_class(t, is_punct, SPLIT_ISOLATED);
	} else if (hf_type(v, "UnicodeScripts")) {
		new_pre(t, PRE_SCRIPTS);
	} else {
		return hf_unknown(v, "pre_tokenizer", e);
	}
	return 0;
}
