/* SPDX-License-Identifier: Apache-2.0 */
/* The normalisers of tokenizer.json. */
#include <string.h>

#include "charsmap.h"
#include "uniclass.h"
#include "utf8.h"
#include "xform.h"

/* --- removing characters --- */

typedef bool keep_fn(uint32_t c);
typedef uint32_t map_fn(uint32_t c);

/* Drop what KEEP turns down; the rest goes through MAP. */
static void filter(struct xform *x, keep_fn *keep, map_fn *map)
{
	const char *p = x->src->p, *end = p + x->src->n, *q = p;

	while (q < end) {              /* what is dropped at the very beginning */
		p = q;
		if (keep(utf8_get(&q)))
			break;
		p = q;
	}
	xform_skip(x, (size_t)(p - x->src->p));
	while (p < end) {
		uint32_t c = utf8_get(&p);
		int64_t dropped = 0;

		while (p < end) {
			q = p;
			if (keep(utf8_get(&q)))
				break;
			dropped++;
			p = q;
		}
		xform_put(x, map ? map(c) : c, -dropped);
	}
}

static bool no_accent(uint32_t c) { return !UC_IN(uni_accent, c); }
static bool no_bert_accent(uint32_t c) { return c < 0x300 || !UC_IN(uni_bert_accent, c); }
static bool no_bert_control(uint32_t c) { return !UC_IN(uni_bert_control, c); }
static uint32_t bert_blank(uint32_t c) { return uni_space(c) ? ' ' : c; }

static bool nmt_keep(uint32_t c)
{
	return !((c >= 1 && c <= 8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F);
}

static uint32_t nmt_blank(uint32_t c)
{
	if (c == 9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 || (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 ||
	    c == 0x2581 || c == 0xFEFF || c == 0xFFFD)
		return ' ';
	return c;
}

static bool chinese(uint32_t c)
{
	return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
	       (c >= 0x2A700 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) || (c >= 0xF900 && c <= 0xFAFF) ||
	       (c >= 0x2F800 && c <= 0x2FA1F);
}

/* --- the steps --- */

static void put_text(struct xform *x, const char *text, size_t n, int64_t first)
{
	for (const char *p = text; p < text + n; first = 1)
		xform_put(x, utf8_get(&p), first);
}

static void lower(struct xform *x)
{
	for (const char *p = x->src->p, *end = p + x->src->n; p < end; ) {
		uint32_t out[2];
		unsigned n = uni_to_lower(utf8_get(&p), out);

		for (unsigned i = 0; i < n; i++)
			xform_put(x, out[i], i > 0);
	}
}

static void around_chinese(struct xform *x)
{
	for (const char *p = x->src->p, *end = p + x->src->n; p < end; ) {
		uint32_t c = utf8_get(&p);
		bool is = chinese(c);

		if (is)
			xform_put(x, ' ', 1);
		xform_put(x, c, 0);
		if (is)
			xform_put(x, ' ', 1);
	}
}

static void bytes(struct xform *x)
{
	for (const char *p = x->src->p, *end = p + x->src->n; p < end; ) {
		size_t n = utf8_size(p);

		for (size_t i = 0; i < n; i++)
			xform_put(x, byte_char((uint8_t)p[i]), i > 0);
		p += n;
	}
}

static void prepend(struct xform *x, const struct norm *m)
{
	const char *p = x->src->p;

	put_text(x, m->text, m->ntext, 0);
	xform_put(x, utf8_get(&p), m->ntext > 0);
	xform_copy(x, x->src->n - x->at);
}

static void strip(struct xform *x, const struct norm *m)
{
	const char *p = x->src->p, *end = p + x->src->n, *q;
	int64_t trailing = 0;

	for (q = p; m->left && q < end && uni_space(utf8_get(&q)); p = q)
		;
	xform_skip(x, (size_t)(p - x->src->p));
	for (q = end; m->right && q > p && uni_space(utf8_before(&q)); trailing++)
		end = q;
	if (end == p)
		return;
	q = end;
	utf8_before(&q);
	xform_copy(x, (size_t)(q - p));
	xform_put(x, utf8_get(&q), -trailing);
}

static int replace(struct xform *x, const struct norm *m, struct matcher *matcher, struct err *e)
{
	const char *p = x->src->p;
	size_t n = x->src->n, at = 0, start, end;
	bool found = false;
	int rc = 0;

	if (m->pattern)
		rc = pattern_find(m->pattern, matcher, p, n, 0, &found, e);
	while (rc == 0) {
		if (m->pattern) {
			if (!found || !matcher_span(matcher, 0, &start, &end))
				break;
		} else {
			const char *q = at < n ? memmem(p + at, n - at, m->text, m->ntext) : NULL;

			if (q == NULL)
				break;
			start = (size_t)(q - p);
			end = start + m->ntext;
		}
		xform_copy(x, start - at);
		xform_skip(x, end - start);
		put_text(x, m->with, m->nwith, 1);
		at = end;
		if (m->pattern)
			rc = pattern_next(m->pattern, matcher, p, n, &found, e);
	}
	if (rc == 0)
		xform_copy(x, n - at);
	return rc;
}

/* The character put last, which what is taken away behind it belongs to. */
struct held {
	uint32_t c;
	int64_t change;
	bool there;
};

static void hold(struct xform *x, struct held *h, uint32_t c, int64_t change)
{
	if (h->there)
		xform_put(x, h->c, h->change);
	*h = (struct held){ c, change, true };
}

/* The next N bytes by their replacement; false where they have none.  What is added stands for the last character, what is
 * taken away belongs to the last one; at the very beginning the reference forgets to count it, and so do we. */
static bool mapped(struct xform *x, struct held *h, const struct charsmap *map, const char *p, size_t n)
{
	size_t nwith;
	const char *with = charsmap_find(map, p, n, &nwith);
	int64_t old, made, i = 0;

	if (with == NULL || !utf8_valid(with, nwith, NULL))
		return false;
	old = (int64_t)utf8_count(p, n);
	made = (int64_t)utf8_count(with, nwith);
	for (const char *q = with; q < with + nwith; i++)
		hold(x, h, utf8_get(&q), i >= old ? 1 : 0);
	if (made < old && h->there)
		h->change += made - old;
	return true;
}

static void precompiled(struct xform *x, const struct charsmap *map)
{
	struct held h = {0};

	for (const char *p = x->src->p, *end = p + x->src->n; p < end; ) {
		const char *g = grapheme_end(p, end);

		if (g - p < 6 && mapped(x, &h, map, p, (size_t)(g - p))) {
			p = g;
			continue;
		}
		while (p < g) {
			const char *q = p;
			uint32_t c = utf8_get(&p);

			if (!mapped(x, &h, map, q, (size_t)(p - q)))
				hold(x, &h, c, 0);
		}
	}
	if (h.there)
		xform_put(x, h.c, h.change);
}

/* --- running them --- */

/* One step without parameters of its own. */
static void step(struct tok_scratch *s, struct piece *p, void (*fn)(struct xform *x))
{
	struct xform x;

	xform_begin(&x, s, p);
	fn(&x);
	xform_end(&x, p);
}

static void step_filter(struct tok_scratch *s, struct piece *p, keep_fn *keep, map_fn *map)
{
	struct xform x;

	xform_begin(&x, s, p);
	filter(&x, keep, map);
	xform_end(&x, p);
}

static void step_form(struct tok_scratch *s, struct piece *p, enum norm_form form)
{
	struct xform x;

	if (form == FORM_NFC && uninorm_same(p->p, p->n))
		return;
	if (utf8_ascii(p->p, p->n) == p->n)
		return;
	xform_begin(&x, s, p);
	uninorm(&x, form);
	xform_end(&x, p);
}

static void bert(struct tok_scratch *s, struct piece *p, const struct norm *m)
{
	if (m->clean)
		step_filter(s, p, no_bert_control, bert_blank);
	if (m->chinese)
		step(s, p, around_chinese);
	if (m->accents) {
		step_form(s, p, FORM_NFD);
		step_filter(s, p, no_bert_accent, NULL);
	}
	if (m->lower)
		step(s, p, lower);
}

static int apply(struct tok_scratch *s, const struct norm *m, struct piece *p, struct err *e)
{
	struct xform x;
	int rc = 0;

	switch (m->kind) {
	case NORM_NFC: step_form(s, p, FORM_NFC); break;
	case NORM_NFD: step_form(s, p, FORM_NFD); break;
	case NORM_NFKC: step_form(s, p, FORM_NFKC); break;
	case NORM_NFKD: step_form(s, p, FORM_NFKD); break;
	case NORM_LOWER: step(s, p, lower); break;
	case NORM_BYTES: step(s, p, bytes); break;
	case NORM_STRIP_ACCENTS: step_filter(s, p, no_accent, NULL); break;
	case NORM_NMT: step_filter(s, p, nmt_keep, nmt_blank); break;
	case NORM_BERT: bert(s, p, m); break;
	default:
		if (m->kind == NORM_PREPEND && p->n == 0)
			break;
		xform_begin(&x, s, p);
		if (m->kind == NORM_PREPEND)
			prepend(&x, m);
		else if (m->kind == NORM_STRIP)
			strip(&x, m);
		else if (m->kind == NORM_REPLACE)
			rc = replace(&x, m, s->matcher, e);
		else
			precompiled(&x, m->map);
		xform_end(&x, p);
	}
	return rc;
}

int norm_apply(const struct tok *t, struct tok_scratch *s, struct piece *p, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < t->nnorm; i++)
		rc = apply(s, &t->norm[i], p, e);
	return rc;
}
