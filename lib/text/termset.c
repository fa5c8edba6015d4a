/* SPDX-License-Identifier: Apache-2.0 */
#include "termset.h"

#include <string.h>

#include "termset_priv.h"

struct termset *termset_new(const struct unicode *u)
{
	struct termset *s = mem_new(sizeof *s);

	s->u = u;
	arena_init(&s->arena);
	return s;
}

void termset_free(struct termset *s)
{
	if (s == NULL)
		return;
	for (uint32_t i = 0; i < s->n; i++)
		mem_free(s->term[i].variant);
	mem_free(s->term);
	mem_free(s->pattern);
	strmap_free(&s->by_text);
	acmatch_free(s->match);
	arena_release(&s->arena);
	mem_free(s);
}

uint32_t termset_count(const struct termset *s)
{
	return s->n;
}

const struct term *termset_get(const struct termset *s, uint32_t i)
{
	return &s->term[i];
}

const struct unicode *termset_unicode(const struct termset *s)
{
	return s->u;
}

/* --- folding --- */

enum { HALF_VOICED = 0xFF9E, HALF_SEMI_VOICED = 0xFF9F, FINAL_SIGMA = 0x3C2, SIGMA = 0x3C3, IDEOGRAPHIC_SPACE = 0x3000 };

/* A full-width or half-width form as its usual one, together with a sound mark behind it. */
static uint32_t narrow(const struct unicode *u, uint32_t c, const char **s, const char *end)
{
	const char *p = *s;
	uint32_t mark, whole;

	c = u->narrow[c - 0xFF00];
	if (p == end)
		return c;
	mark = utf8_get(&p);
	if (mark != HALF_VOICED && mark != HALF_SEMI_VOICED)
		return c;
	whole = unicode_compose(c, u->narrow[mark - 0xFF00]);
	if (whole == 0)
		return c;
	*s = p;
	return whole;
}

static uint32_t fold(const struct unicode *u, const char **s, const char *end)
{
	uint32_t c = utf8_get(s);

	if (c < 0x80)
		return c - 'A' < 26 ? c + 32 : c;
	if (c >= 0xFF00 && c <= 0xFFFF)
		c = narrow(u, c, s, end);
	if (c == IDEOGRAPHIC_SPACE)
		return ' ';
	if (c == FINAL_SIGMA)
		return SIGMA;
	return c < 0x10000 ? u->low[c] : unicode_lower_of(c);
}

void termscan_fold(struct termscan *w, const struct unicode *u, const uint32_t *like, const char *text, size_t n)
{
	const char *s = text, *end = text + n;
	size_t need = utf8_count(text, n) + 1;

	if (w->cap < need) {
		w->cap = need + need / 2 + 64;
		w->ch = mem_grow(w->ch, w->cap, sizeof *w->ch);
	}
	w->n = 0;
	while (s < end) {
		struct termchar *ch = &w->ch[w->n++];

		ch->at = (size_t)(s - text);
		ch->c = fold(u, &s, end);
		if (like && ch->c < 0x10000)
			ch->c = like[ch->c];
	}
	w->ch[w->n] = (struct termchar){ .at = n };
}

void termscan_release(struct termscan *w)
{
	mem_free(w->ch);
	mem_free(w->hit);
	*w = (struct termscan){0};
}

/* Scripts that put no blanks between words, and Korean, whose particles follow without one. */
static bool unspaced(uint32_t c)
{
	static const struct { uint32_t from, to; } range[] = {
		{ 0x0E00, 0x0EFF },    /* Thai, Lao */
		{ 0x1000, 0x109F },    /* Myanmar */
		{ 0x1100, 0x11FF },    /* Hangul Jamo */
		{ 0x1780, 0x17FF },    /* Khmer */
		{ 0x2E80, 0xA4CF },    /* Han, kana, bopomofo, Hangul compatibility, Yi */
		{ 0xA960, 0xA97F }, { 0xAC00, 0xD7FF }, { 0xF900, 0xFAFF }, { 0xFF66, 0xFFDC }, { 0x1B000, 0x1B2FF }, { 0x20000, 0x3FFFF },
	};

	for (size_t i = 0; i < sizeof range / sizeof *range; i++)
		if (c <= range[i].to)
			return c >= range[i].from;
	return false;
}

bool termscan_spaced(const struct unicode *u, uint32_t c)
{
	if (c < 0x80)
		return (c | 32) - 'a' < 26 || c - '0' < 10 || c == '_';
	return (unicode_class(u, c) & (UNI_WORD | UNI_MARK)) && !unspaced(c);
}

static bool may_begin(const struct termscan *w, const struct unicode *u, size_t from)
{
	return from == 0 || !termscan_spaced(u, w->ch[from].c) || !termscan_spaced(u, w->ch[from - 1].c);
}

static bool may_end(const struct termscan *w, const struct unicode *u, size_t to)
{
	return to == w->n || !termscan_spaced(u, w->ch[to - 1].c) || !termscan_spaced(u, w->ch[to].c);
}

bool termscan_whole(const struct termscan *w, const struct unicode *u, size_t from, size_t to)
{
	return may_begin(w, u, from) && may_end(w, u, to);
}

/* --- patterns --- */

struct patterns {
	struct strmap seen;                   /* code points as bytes -> number of the pattern */
	struct termscan w;
	uint32_t *text, *end;
	size_t n, cap, ends_cap;
};

/* F as a pattern; the one that it folds to, if that is there already. */
static struct term_pattern *pattern_put(struct termset *s, struct patterns *p, const struct term_form *f, bool *added)
{
	uint32_t key[TERM_MAX];
	struct strmap_entry *entry;

	termscan_fold(&p->w, s->u, NULL, f->text, f->n);
	for (size_t i = 0; i < p->w.n; i++)
		key[i] = p->w.ch[i].c;
	entry = strmap_put(&p->seen, (const char *)key, p->w.n * sizeof *key, s->npatterns, added);
	if (!*added)
		return &s->pattern[entry->value];
	for (size_t i = 0; i < p->w.n; i++) {
		ARRAY_ROOM(p->text, p->n, p->cap);
		p->text[p->n++] = key[i];
	}
	ARRAY_ROOM(p->end, s->npatterns, p->ends_cap);
	p->end[s->npatterns] = (uint32_t)p->n;
	ARRAY_ROOM(s->pattern, s->npatterns, s->patterns_cap);
	return &s->pattern[s->npatterns++];
}

static int twice(const struct termset *s, const struct term_form *f, uint32_t other, const char *what, struct err *e)
{
	const struct term_form *o = &s->term[other].form;

	return err_set(e, SFT_BADDATA, "%s:%llu: '%.100s' %s '%.100s' (%s:%llu)", f->file, (unsigned long long)f->line, f->text, what,
	               o->text, o->file, (unsigned long long)o->line);
}

static int put_variants(struct termset *s, struct patterns *p, struct err *e)
{
	for (uint32_t t = 0; t < s->n; t++)
		for (uint32_t v = 0; v < s->term[t].nvariants; v++) {
			bool added;
			struct term_pattern *at = pattern_put(s, p, &s->term[t].variant[v], &added);

			if (added)
				*at = (struct term_pattern){ t, v + 1, 0 };
			else if (at->term != t)
				return twice(s, &s->term[t].variant[v], at->term, "is a variant of two terms, the other is", e);
		}
	return 0;
}

static int put_terms(struct termset *s, struct patterns *p, struct err *e)
{
	for (uint32_t t = 0; t < s->n; t++) {
		struct term *term = &s->term[t];
		bool added;
		struct term_pattern *at = pattern_put(s, p, &term->form, &added);

		if (added) {
			*at = (struct term_pattern){ t, 0, 0 };
		} else if (at->term == t) {
			at->respelt = at->variant;
			at->variant = 0;
		} else if (term->nvariants == 0) {
			term->variant_only = true;
		} else {
			return twice(s, &term->form, at->term, "has variants, and stands for", e);
		}
	}
	return 0;
}

int termset_ready(struct termset *s, struct err *e)
{
	struct patterns p = {0};
	int rc;

	if ((rc = put_variants(s, &p, e)) == 0 && (rc = put_terms(s, &p, e)) == 0)
		s->match = acmatch_new(p.text, p.end, s->npatterns);
	strmap_free(&p.seen);
	termscan_release(&p.w);
	mem_free(p.text);
	mem_free(p.end);
	return rc;
}

/* --- finding --- */

/* The longest pattern that begins at each place and ends where a word may end. */
static void mark(const struct termset *s, struct termscan *w)
{
	uint32_t state = 0;

	for (size_t i = w->n; i-- > 0; ) {
		state = acmatch_step(s->match, state, w->ch[i].c);
		w->ch[i].begins = 0;
		if (acmatch_first(s->match, state) == 0 || !may_begin(w, s->u, i))
			continue;
		for (uint32_t k = acmatch_first(s->match, state); k; k = acmatch_next(s->match, k)) {
			uint32_t word = acmatch_word(s->match, k);

			if (!may_end(w, s->u, i + acmatch_length(s->match, word)))
				continue;
			w->ch[i].begins = word + 1;
			break;
		}
	}
}

static struct termhit hit_at(const struct termset *s, const struct termscan *w, size_t i, size_t end, const char *text)
{
	const struct term_pattern *p = &s->pattern[w->ch[i].begins - 1];
	struct termhit h = { w->ch[i].at, w->ch[end].at - w->ch[i].at, p->term, p->variant };
	const struct term_form *f = &s->term[p->term].form;

	if (p->respelt && (f->n != h.n || memcmp(f->text, text + h.at, h.n) != 0))
		h.variant = p->respelt;
	return h;
}

size_t termset_scan(const struct termset *s, struct termscan *w, const char *text, size_t n)
{
	termscan_fold(w, s->u, NULL, text, n);
	mark(s, w);
	w->nhits = 0;
	for (size_t i = 0; i < w->n; ) {
		size_t end;

		if (w->ch[i].begins == 0) {
			i++;
			continue;
		}
		end = i + acmatch_length(s->match, w->ch[i].begins - 1);
		ARRAY_ROOM(w->hit, w->nhits, w->hits_cap);
		w->hit[w->nhits++] = hit_at(s, w, i, end, text);
		i = end;
	}
	return w->nhits;
}
