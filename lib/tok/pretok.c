/* SPDX-License-Identifier: Apache-2.0 */
/* The pre-tokenizers of tokenizer.json: stretches of text are cut into words, one step after the other. */
#include <string.h>

#include "uniclass.h"
#include "utf8.h"
#include "xform.h"

/* Matches of a pattern in a stretch, and what lies between them: put together as the behaviour says, as they come. */
struct cutter {
	const struct piece *p;
	struct pieces *out;
	enum behavior behavior;
	bool invert;
	size_t done;                /* up to here the matches have been seen */
	size_t start, end;          /* the part that is being put together */
	bool open, was_match;
};

static void part_flush(struct cutter *c)
{
	if (c->open)
		pieces_add(c->out, c->p, c->start, c->end);
	c->open = false;
}

/* Bytes [START, END): a match or what is between two. */
static void part(struct cutter *c, size_t start, size_t end, bool match)
{
	bool join = false;

	match ^= c->invert;
	switch (c->behavior) {
	case SPLIT_REMOVED:
		if (!match)
			pieces_add(c->out, c->p, start, end);
		return;
	case SPLIT_ISOLATED: break;
	case SPLIT_CONTIGUOUS: join = match == c->was_match; break;
	case SPLIT_PREVIOUS: join = match && !c->was_match; break;
	case SPLIT_NEXT: join = !match && c->was_match; break;
	}
	if (join && c->open) {
		c->end = end;
	} else {
		part_flush(c);
		c->start = start;
		c->end = end;
		c->open = true;
	}
	c->was_match = match;
}

static void match(struct cutter *c, size_t start, size_t end)
{
	if (c->done != start)
		part(c, c->done, start, false);
	part(c, start, end, true);
	c->done = end;
}

static void by_scan(struct cutter *c, const struct pre *pre)
{
	const char *start = c->p->p, *end = start + c->p->n, *q;

	for (const char *p = start; p < end; ) {
		if (pre->seek && (p = pre->seek(p, end)) == end)
			break;
		q = pre->scan(p, end);
		if (q == NULL) {
			utf8_get(&p);
			continue;
		}
		match(c, (size_t)(p - start), (size_t)(q - start));
		p = q;
	}
}

static void by_class(struct cutter *c, bool (*is)(uint32_t c))
{
	const char *start = c->p->p, *end = start + c->p->n;

	for (const char *p = start; p < end; ) {
		const char *q = p;

		if (is(utf8_get(&p)))
			match(c, (size_t)(q - start), (size_t)(p - start));
	}
}

static void by_text(struct cutter *c, const char *text, size_t n)
{
	const char *start = c->p->p, *end = start + c->p->n, *q;

	for (const char *p = start; n > 0 && (q = memmem(p, (size_t)(end - p), text, n)) != NULL; p = q + n)
		match(c, (size_t)(q - start), (size_t)(q - start) + n);
}

static int by_pattern(struct cutter *c, const struct pattern *pattern, struct matcher *m, struct err *e)
{
	bool found;
	int rc = pattern_find(pattern, m, c->p->p, c->p->n, 0, &found, e);

	while (rc == 0 && found) {
		size_t start = 0, end = 0;

		matcher_span(m, 0, &start, &end);
		match(c, start, end);
		rc = pattern_next(pattern, m, c->p->p, c->p->n, &found, e);
	}
	return rc;
}

static int split(const struct pre *pre, struct tok_scratch *s, const struct piece *p, struct pieces *out, struct err *e)
{
	/* MergedWithNext begins as if a part that is no match had gone before; with the others the same holds. */
	struct cutter c = { .p = p, .out = out, .behavior = pre->behavior, .invert = pre->invert };
	int rc = 0;

	if (pre->scan)
		by_scan(&c, pre);
	else if (pre->is)
		by_class(&c, pre->is);
	else if (pre->pattern)
		rc = by_pattern(&c, pre->pattern, s->matcher, e);
	else
		by_text(&c, pre->text, pre->ntext);
	if (c.done != p->n)
		part(&c, c.done, p->n, false);
	part_flush(&c);
	return rc;
}

/* --- steps that change the text --- */

static void prefix_space(struct tok_scratch *s, const struct piece *p, struct pieces *out)
{
	struct piece q = *p;
	struct xform x;
	const char *c = p->p;

	if (*c != ' ') {
		xform_begin(&x, s, p);
		xform_put(&x, ' ', 0);
		xform_put(&x, utf8_get(&c), 1);
		xform_copy(&x, p->n - x.at);
		xform_end(&x, &q);
	}
	pieces_add(out, &q, 0, q.n);
}

static void to_bytes(struct tok_scratch *s, const struct piece *p, struct pieces *out)
{
	struct piece q;
	struct xform x;

	xform_begin(&x, s, p);
	for (const char *c = p->p, *end = c + p->n; c < end; ) {
		size_t n = utf8_size(c);

		for (size_t i = 0; i < n; i++)
			xform_put(&x, byte_char((uint8_t)c[i]), i > 0);
		c += n;
	}
	xform_end(&x, &q);
	pieces_add(out, &q, 0, q.n);
}

static void metaspace(const struct pre *pre, struct tok_scratch *s, const struct piece *p, struct pieces *out)
{
	char mark[4];
	size_t nmark = utf8_put(mark, pre->replacement);
	struct pre cut = { .kind = PRE_SPLIT, .text = mark, .ntext = nmark, .behavior = SPLIT_NEXT };
	struct piece q;
	struct xform x;

	xform_begin(&x, s, p);
	for (const char *c = p->p, *end = c + p->n; c < end; ) {
		const char *blank = memchr(c, ' ', (size_t)(end - c));
		size_t n = (size_t)((blank ? blank : end) - c);

		xform_copy(&x, n);
		c += n;
		if (blank) {
			xform_skip(&x, 1);
			xform_put(&x, pre->replacement, 1);
			c++;
		}
	}
	xform_end(&x, &q);
	if (pre->prefix && !(pre->first_only && (p->from ? p->from[0] : p->orig) != 0) && (q.n < nmark || memcmp(q.p, mark, nmark) != 0)) {
		struct piece before = q;
		const char *c = q.p;

		xform_begin(&x, s, &before);
		xform_put(&x, pre->replacement, 0);
		xform_put(&x, utf8_get(&c), 1);
		xform_copy(&x, before.n - x.at);
		xform_end(&x, &q);
	}
	if (pre->split)
		split(&cut, s, &q, out, NULL);
	else
		pieces_add(out, &q, 0, q.n);
}

/* --- the others --- */

static void scripts(const struct piece *p, struct pieces *out)
{
	const char *start = p->p, *end = start + p->n;
	size_t from = SIZE_MAX;        /* blanks before the first script are lost, as in the reference */
	unsigned last = UINT32_MAX;

	for (const char *c = start; c < end; ) {
		size_t at = (size_t)(c - start);
		unsigned g = uni_script(utf8_get(&c));

		if (g == 0)
			continue;
		if (g != last) {
			if (from != SIZE_MAX)
				pieces_add(out, p, from, at);
			from = at;
		}
		last = g;
	}
	if (from != SIZE_MAX)
		pieces_add(out, p, from, p->n);
}

static void fixed(const struct pre *pre, const struct piece *p, struct pieces *out)
{
	const char *start = p->p, *end = start + p->n;

	for (const char *c = start; c < end; ) {
		size_t from = (size_t)(c - start);

		for (uint32_t i = 0; i < pre->length && c < end; i++)
			c += utf8_size(c);
		pieces_add(out, p, from, (size_t)(c - start));
	}
}

static int step(const struct pre *pre, struct tok_scratch *s, const struct piece *p, struct pieces *out, struct err *e)
{
	switch (pre->kind) {
	case PRE_SPLIT: return split(pre, s, p, out, e);
	case PRE_PREFIX: prefix_space(s, p, out); break;
	case PRE_BYTES:
		if (s->bytes)              /* the model takes the bytes themselves */
			pieces_add(out, p, 0, p->n);
		else
			to_bytes(s, p, out);
		break;
	case PRE_METASPACE: metaspace(pre, s, p, out); break;
	case PRE_SCRIPTS: scripts(p, out); break;
	case PRE_FIXED: fixed(pre, p, out); break;
	}
	return 0;
}

int pre_apply(const struct tok *t, struct tok_scratch *s, struct err *e)
{
	int rc = 0;

	for (size_t k = 0; rc == 0 && k < t->npre; k++) {
		struct pieces swap = s->a;

		s->b.n = 0;
		for (size_t i = 0; rc == 0 && i < s->a.n; i++) {
			if (s->a.v[i].id >= 0) {
				pieces_add(&s->b, &s->a.v[i], 0, s->a.v[i].n);
				s->b.v[s->b.n - 1].id = s->a.v[i].id;
			} else {
				rc = step(&t->pre[k], s, &s->a.v[i], &s->b, e);
			}
		}
		s->a = s->b;
		s->b = swap;
	}
	return rc;
}
