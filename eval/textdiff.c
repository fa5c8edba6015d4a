/* SPDX-License-Identifier: Apache-2.0 */
#include "textdiff.h"

#include "intern.h"
#include "lcs.h"
#include "unicode.h"

struct textdiff {
	bool by_char;
	struct words a, b; /* tokens */
	struct intern intern;
	struct ids ida, idb;
	struct lcs lcs;
	bool *hit_a, *hit_b;
	size_t cap_a, cap_b;
	struct diff_side side_a, side_b;
};

struct textdiff *textdiff_new(bool by_char)
{
	struct textdiff *d = mem_new(sizeof *d);

	d->by_char = by_char;
	return d;
}

void textdiff_free(struct textdiff *d)
{
	if (d == NULL)
		return;
	words_free(&d->a);
	words_free(&d->b);
	intern_free(&d->intern);
	mem_free(d->ida.v);
	mem_free(d->idb.v);
	lcs_free(&d->lcs);
	mem_free(d->hit_a);
	mem_free(d->hit_b);
	mem_free(d->side_a.span);
	mem_free(d->side_b.span);
	mem_free(d);
}

/* --- tokens --- */

enum kind { SINGLE, WORD, SPACE, MARK };

static bool unspaced(uint32_t c)
{
	return (c >= 0xe00 && c <= 0xeff) || (c >= 0x1000 && c <= 0x109f) || (c >= 0x1780 && c <= 0x17ff) ||
	       (c >= 0x2e80 && c <= 0x31ff) || (c >= 0x3400 && c <= 0x9fff) || (c >= 0xf900 && c <= 0xfaff) ||
	       (c >= 0x20000 && c <= 0x3fffd);
}

static enum kind kind_of(uint32_t c)
{
	unsigned class = unicode_class_of(c);

	if (class & UNI_SPACE)
		return SPACE;
	if (class & UNI_MARK)
		return MARK;
	return (class & UNI_WORD) && !unspaced(c) ? WORD : SINGLE;
}

static void cut(struct words *w, struct text t, bool by_char)
{
	enum kind last = SINGLE;

	w->n = 0;
	for (size_t at = 0, next = 0; at < t.n; at = next) {
		enum kind k = kind_of(text_next(t, &next));

		if (w->n > 0 && (k == MARK || (!by_char && k != SINGLE && k == last))) {
			w->w[w->n - 1].n += next - at;
			continue;
		}
		ARRAY_ROOM(w->w, w->n, w->cap);
		w->w[w->n++] = (struct text){ t.p + at, next - at };
		last = k;
	}
}

/* --- marks --- */

static bool *marks(bool **hit, size_t *cap, size_t n)
{
	if (n > *cap || *hit == NULL) {
		*cap = n + 64;
		*hit = mem_grow(*hit, *cap, sizeof **hit);
	}
	for (size_t i = 0; i < n; i++)
		(*hit)[i] = false;
	return *hit;
}

/* The marked tokens of A, in order, are found in B from left to right. */
static void mark_other(struct textdiff *d)
{
	size_t j = 0;

	for (size_t i = 0; i < d->a.n; i++) {
		if (!d->hit_a[i])
			continue;
		while (d->ida.v[i] != d->idb.v[j])
			j++;
		d->hit_b[j++] = true;
	}
}

/* A blank alone between two changes is no reason to break the mark. */
static void join(const struct words *w, bool *hit)
{
	for (size_t i = 1; i + 1 < w->n; i++) {
		const char *p = w->w[i].p;

		if (hit[i] && !hit[i - 1] && !hit[i + 1] && kind_of(utf8_get(&p)) == SPACE)
			hit[i] = false;
	}
}

static const struct diff_side *spans(struct diff_side *s, const struct words *w, const bool *hit)
{
	s->n = 0;
	for (size_t i = 0; i < w->n; i++) {
		if (s->n > 0 && s->span[s->n - 1].same == hit[i]) {
			s->span[s->n - 1].text.n += w->w[i].n;
			continue;
		}
		ARRAY_ROOM(s->span, s->n, s->cap);
		s->span[s->n++] = (struct diff_span){ w->w[i], hit[i] };
	}
	return s;
}

void textdiff(struct textdiff *d, struct text a, struct text b, const struct diff_side **of_a, const struct diff_side **of_b)
{
	cut(&d->a, a, d->by_char);
	cut(&d->b, b, d->by_char);
	intern_begin(&d->intern, d->b.n + 1);
	put_words(&d->intern, &d->b, &d->idb);
	find_words(&d->intern, &d->a, &d->ida);
	marks(&d->hit_a, &d->cap_a, d->a.n);
	marks(&d->hit_b, &d->cap_b, d->b.n);
	lcs_mark(&d->lcs, &d->ida, d->idb.v, d->b.n, d->intern.n, d->hit_a);
	mark_other(d);
	join(&d->a, d->hit_a);
	join(&d->b, d->hit_b);
	*of_a = spans(&d->side_a, &d->a, d->hit_a);
	*of_b = spans(&d->side_b, &d->b, d->hit_b);
}
