/* SPDX-License-Identifier: Apache-2.0 */
/* Ids back to text: the decoders of tokenizer.json, one after the other, over the list of token texts. */
#include <string.h>

#include "tokimpl.h"
#include "utf8.h"

struct str {
	const char *p;
	size_t n;
};
struct list {
	struct arena a;
	struct str *v;
	size_t n, cap;
	struct buf b;               /* being written */
};

static void add(struct list *l, const char *p, size_t n)
{
	ARRAY_ROOM(l->v, l->n, l->cap);
	l->v[l->n++] = (struct str){ p, n };
}

/* What has been written becomes text I. */
static void set(struct list *l, size_t i)
{
	l->v[i] = (struct str){ arena_str(&l->a, l->b.p ? l->b.p : "", l->b.n), l->b.n };
	l->b.n = 0;
}

/* Bytes that are no UTF-8 become U+FFFD, one for each longest beginning of a character, as the reference does it. */
static void add_lossy(struct buf *out, const char *p, size_t n)
{
	while (n > 0) {
		size_t bad, cut = 1, need;
		unsigned char c, second;

		if (utf8_valid(p, n, &bad)) {
			buf_add(out, p, n);
			return;
		}
		buf_add(out, p, bad);
		buf_str(out, "\xEF\xBF\xBD");
		p += bad;
		n -= bad;
		c = (unsigned char)p[0];
		second = n > 1 ? (unsigned char)p[1] : 0;
		need = c >= 0xC2 && c < 0xE0 ? 2 : c >= 0xE0 && c < 0xF0 ? 3 : c >= 0xF0 && c < 0xF5 ? 4 : 1;
		if (need > 2 && (second & 0xC0) == 0x80 && !(c == 0xE0 && second < 0xA0) && !(c == 0xED && second > 0x9F) &&
		    !(c == 0xF0 && second < 0x90) && !(c == 0xF4 && second > 0x8F)) {
			cut = 2;
			if (need == 4 && n > 2 && ((unsigned char)p[2] & 0xC0) == 0x80)
				cut = 3;
		}
		p += cut;
		n -= cut;
	}
}

static void replace_all(struct buf *out, const struct str *s, const char *what, size_t nwhat, const char *with, size_t nwith)
{
	const char *p = s->p, *end = p + s->n, *q;

	while (nwhat && (q = memmem(p, (size_t)(end - p), what, nwhat)) != NULL) {
		buf_add(out, p, (size_t)(q - p));
		buf_add(out, with, nwith);
		p = q + nwhat;
	}
	buf_add(out, p, (size_t)(end - p));
}

/* --- the decoders --- */

static void bytes(struct list *l)
{
	struct buf raw = {0};

	for (size_t i = 0; i < l->n; i++) {
		const char *p = l->v[i].p, *end = p + l->v[i].n;
		size_t before = raw.n;

		while (p < end) {
			int b = char_byte(utf8_get(&p));

			if (b < 0)
				break;
			buf_ch(&raw, (char)b);
			if (p == end)
				p = end + 1;       /* all of it was of the alphabet */
		}
		if (p <= end && l->v[i].n) {
			raw.n = before;
			buf_add(&raw, l->v[i].p, l->v[i].n);
		}
	}
	add_lossy(&l->b, raw.p ? raw.p : "", raw.n);
	buf_free(&raw);
	l->n = 0;
	add(l, "", 0);
	set(l, 0);
}

/* WordPiece's tidying of English. */
static void tidy(struct list *l, size_t i)
{
	static const char *const pairs[][2] = {
		{ " .", "." }, { " ?", "?" }, { " !", "!" }, { " ,", "," }, { " ' ", "'" }, { " n't", "n't" }, { " 'm", "'m" },
		{ " do not", " don't" }, { " 's", "'s" }, { " 've", "'ve" }, { " 're", "'re" }
	};

	for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++) {
		replace_all(&l->b, &l->v[i], pairs[k][0], strlen(pairs[k][0]), pairs[k][1], strlen(pairs[k][1]));
		set(l, i);
	}
}

static void wordpiece(struct list *l, const struct dec *d)
{
	for (size_t i = 0; i < l->n; i++) {
		struct str *s = &l->v[i];

		if (i && s->n >= d->ntext && memcmp(s->p, d->text, d->ntext) == 0) {
			s->p += d->ntext;
			s->n -= d->ntext;
		} else if (i) {
			buf_ch(&l->b, ' ');
			buf_add(&l->b, s->p, s->n);
			set(l, i);
		}
		if (d->cleanup)
			tidy(l, i);
	}
}

static void bpe_suffix(struct list *l, const struct dec *d)
{
	for (size_t i = 0; i < l->n; i++) {
		replace_all(&l->b, &l->v[i], d->text, d->ntext, " ", i + 1 < l->n);
		set(l, i);
	}
}

static void metaspace(struct list *l, const struct dec *d)
{
	for (size_t i = 0; i < l->n; i++) {
		for (const char *p = l->v[i].p, *end = p + l->v[i].n, *q = p; p < end; p = q) {
			if (utf8_get(&q) != d->c)
				buf_add(&l->b, p, (size_t)(q - p));
			else if (i > 0 || !d->prefix)
				buf_ch(&l->b, ' ');
		}
		set(l, i);
	}
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte of "<0x0A>", or -1. */
static int fallback_byte(const struct str *s)
{
	if (s->n != 6 || memcmp(s->p, "<0x", 3) != 0 || s->p[5] != '>' || hex(s->p[3]) < 0 || hex(s->p[4]) < 0)
		return -1;
	return hex(s->p[3]) * 16 + hex(s->p[4]);
}

/* Runs of byte tokens: their characters, or U+FFFD for each byte where the run as a whole is no UTF-8. */
static void fallback(struct list *l)
{
	size_t kept = 0;
	struct buf run = {0};

	for (size_t i = 0; i < l->n; ) {
		int b = fallback_byte(&l->v[i]);

		if (b < 0) {
			l->v[kept++] = l->v[i++];
			continue;
		}
		for (run.n = 0; i < l->n && (b = fallback_byte(&l->v[i])) >= 0; i++)
			buf_ch(&run, (char)b);
		if (utf8_valid(run.p, run.n, NULL))
			buf_add(&l->b, run.p, run.n);
		else
			for (size_t k = 0; k < run.n; k++)
				buf_str(&l->b, "\xEF\xBF\xBD");
		set(l, kept++);
	}
	l->n = kept;
	buf_free(&run);
}

static void join(struct list *l, const char *between)
{
	for (size_t i = 0; i < l->n; i++) {
		if (i)
			buf_str(&l->b, between);
		buf_add(&l->b, l->v[i].p, l->v[i].n);
	}
	l->n = 0;
	add(l, "", 0);
	set(l, 0);
}

static void strip(struct list *l, const struct dec *d)
{
	for (size_t i = 0; i < l->n; i++) {
		const char *p = l->v[i].p, *end = p + l->v[i].n;

		for (size_t k = 0; k < d->start && p < end; k++) {
			const char *q = p;

			if (utf8_get(&q) != d->c)
				break;
			p = q;
		}
		for (size_t k = 0; k < d->stop && end > p; k++) {
			const char *q = end;

			if (utf8_before(&q) != d->c)
				break;
			end = q;
		}
		l->v[i] = (struct str){ p, (size_t)(end - p) };
	}
}

static int replace(struct list *l, const struct dec *d, struct err *e)
{
	struct matcher *m = d->pattern ? matcher_new() : NULL;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		const struct str *s = &l->v[i];
		size_t at = 0, start = 0, end = 0;
		bool found;

		if (d->pattern == NULL) {
			replace_all(&l->b, s, d->text, d->ntext, d->with, d->nwith);
			set(l, i);
			continue;
		}
		rc = pattern_find(d->pattern, m, s->p, s->n, 0, &found, e);
		while (rc == 0 && found) {
			matcher_span(m, 0, &start, &end);
			buf_add(&l->b, s->p + at, start - at);
			buf_add(&l->b, d->with, d->nwith);
			at = end;
			rc = pattern_next(d->pattern, m, s->p, s->n, &found, e);
		}
		buf_add(&l->b, s->p + at, s->n - at);
		set(l, i);
	}
	matcher_free(m);
	return rc;
}

static void ctc(struct list *l, const struct dec *d)
{
	size_t kept = 0;
	struct str last = { NULL, 0 };

	for (size_t i = 0; i < l->n; i++) {
		struct str s = l->v[i];
		bool twice = last.p && last.n == s.n && memcmp(last.p, s.p, s.n) == 0;

		last = s;
		if (twice)
			continue;
		l->v[kept] = s;
		replace_all(&l->b, &s, d->text, d->ntext, "", 0);
		set(l, kept);
		if (d->cleanup) {
			tidy(l, kept);
			replace_all(&l->b, &l->v[kept], d->with, d->nwith, " ", 1);
			set(l, kept);
		}
		if (l->v[kept].n)
			kept++;
	}
	l->n = kept;
}

static int apply(struct list *l, const struct dec *d, struct err *e)
{
	switch (d->kind) {
	case DEC_BYTES: bytes(l); break;
	case DEC_WORDPIECE: wordpiece(l, d); break;
	case DEC_METASPACE: metaspace(l, d); break;
	case DEC_BPE: bpe_suffix(l, d); break;
	case DEC_FALLBACK: fallback(l); break;
	case DEC_FUSE: join(l, ""); break;
	case DEC_STRIP: strip(l, d); break;
	case DEC_CTC: ctc(l, d); break;
	case DEC_REPLACE: return replace(l, d, e);
	}
	return 0;
}

int dec_apply(const struct tok *t, const uint32_t *ids, size_t n, unsigned flags, struct buf *out, struct err *e)
{
	struct list l = {0};
	int rc = 0;

	arena_init(&l.a);
	for (size_t i = 0; i < n; i++) {
		const struct added *a = t->added_at[ids[i]] >= 0 ? &t->added[t->added_at[ids[i]]] : NULL;

		if (a == NULL && t->all.text[ids[i]])
			add(&l, t->all.text[ids[i]], t->all.len[ids[i]]);
		/* A special token is known by its text: one that normalising changes is none any more. */
		else if (a && !((flags & TOK_SKIP_SPECIAL) && a->special && a->nshown == a->n && memcmp(a->shown, a->text, a->n) == 0))
			add(&l, a->shown, a->nshown);
	}
	for (size_t k = 0; rc == 0 && k < t->ndec; k++)
		rc = apply(&l, &t->dec[k], e);
	join(&l, t->no_decoder ? " " : "");
	if (rc == 0)
		buf_add(out, l.v[0].p, l.v[0].n);
	mem_free(l.v);
	buf_free(&l.b);
	arena_release(&l.a);
	return rc;
}
