/* SPDX-License-Identifier: Apache-2.0 */
/* A sequence for the eye: every token, the trained ones marked. */
#include <stdio.h>
#include <string.h>

#include "tokenize.h"
#include "utf8.h"

#define TRAINED_1 "\033[30;42m"
#define TRAINED_2 "\033[30;102m"
#define PLAIN_1   "\033[0m"
#define PLAIN_2   "\033[90m"
#define RESET     "\033[0m"

/* The text of a token; control characters as escapes, so that nothing of the data reaches a terminal raw. */
static void put_text(struct buf *out, const char *s, size_t n)
{
	for (const char *p = s, *end = s + n, *q = p; p < end; p = q) {
		uint32_t c = utf8_get(&q);

		if (c == '\n')
			buf_str(out, "\\n");
		else if (c == '\t')
			buf_str(out, "\\t");
		else if (c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069))
			buf_fmt(out, "\\u%04X", (unsigned)c);
		else
			buf_add(out, p, (size_t)(q - p));
	}
}

/* What must not be said at position I: the texts of its rivals. */
static int put_rivals(const struct tokenize *z, const struct shard_rivals *r, uint32_t *k, uint32_t i, struct buf *text, struct buf *out, struct err *e)
{
	int rc = 0;

	while (*k < r->n && r->at[*k] < i)
		++*k;
	if (*k == r->n || r->at[*k] != i)
		return 0;
	buf_str(out, "    not:");
	for (uint32_t m = r->first[*k]; rc == 0 && m < r->first[*k + 1]; m++) {
		text->n = 0;
		rc = tok_decode(z->tok, &r->id[m], 1, 0, text, e);
		buf_fmt(out, m > r->first[*k] ? " | %u " : " %u ", r->id[m]);
		put_text(out, text->p ? text->p : "", text->n);
	}
	return rc;
}

int tokenize_show(const struct tokenize *z, const struct shard_seq *seq, uint64_t number, struct buf *out, struct err *e)
{
	uint32_t trained = 0, rival = 0;
	struct buf text = {0};
	int rc = 0;

	for (uint32_t i = 1; i < seq->n; i++)
		trained += seq->mask[i];
	buf_fmt(out, "record %llu: %u tokens, %u trained\n", (unsigned long long)number, seq->n, trained);
	for (uint32_t i = 0; rc == 0 && i < seq->n; i++) {
		text.n = 0;
		if (z->tok)
			rc = tok_decode(z->tok, &seq->ids[i], 1, 0, &text, e);
		if (rc)
			break;
		if (z->o->color)
			buf_str(out, seq->mask[i] ? i % 2 ? TRAINED_2 : TRAINED_1 : i % 2 ? PLAIN_2 : PLAIN_1);
		else
			buf_fmt(out, "%c %6u  ", seq->mask[i] ? '+' : ' ', seq->ids[i]);
		if (z->tok)
			put_text(out, text.p ? text.p : "", text.n);
		else if (z->o->color)
			buf_fmt(out, "%u ", seq->ids[i]);
		if (!z->o->color && z->tok)
			rc = put_rivals(z, &seq->rivals, &rival, i, &text, out, e);
		if (!z->o->color || (text.n && text.p[text.n - 1] == '\n'))
			buf_str(out, z->o->color ? RESET "\n" : "\n");
	}
	if (z->o->color)
		buf_str(out, RESET "\n");
	buf_free(&text);
	return rc;
}
