/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that drop records by the quality of their texts: repetition, symbols, listed words.
 *
 * Repetition: Rae et al. 2021 (Gopher), table A1, as datatrove's GopherRepetitionFilter has it (dup_line_frac,
 * dup_line_char_frac, top_n_grams, dup_n_grams).  Symbols per word: Gopher's quality rules (max_symbol_word_ratio).  Share of
 * special characters and of listed words: data-juicer's special_characters_filter, stopwords_filter, flagged_words_filter. */
#include <string.h>

#include "clean.h"
#include "hash.h"
#include "gramtable.h"

static int need_unicode(struct clean *c, int rc)
{
	if (rc == 0 && c->unicode == NULL)
		c->unicode = unicode_open();
	return rc;
}

static int parse_share(struct clean *c, struct step *s, const char *value, struct err *e)
{
	int rc = opt_number(value, 0, 1, &s->share, e);

	s->why = clean_reason(c, s->kind->name, s->value);
	return need_unicode(c, rc);
}

/* VALUE is "WHAT:SHARE"; *WHAT without the share, in the arena. */
static int split_share(struct clean *c, struct step *s, const char *value, const char **what, struct err *e)
{
	const char *colon = strrchr(value, ':');

	if (colon == NULL || colon == value)
		return err_set(e, SFT_USAGE, "'%s' (expected %s)", value, s->kind->arg);
	*what = arena_str(&c->arena, value, (size_t)(colon - value));
	return parse_share(c, s, colon + 1, e);
}

static int parse_gram(struct clean *c, struct step *s, const char *value, struct err *e)
{
	const char *what = NULL;
	double n = 0;
	int rc;

	if ((rc = split_share(c, s, value, &what, e)) != 0 || (rc = opt_number(what, 1, 100, &n, e)) != 0)
		return rc;
	s->number = (int64_t)n;
	return n == (double)s->number ? 0 : err_set(e, SFT_USAGE, "'%s' is not a whole number", what);
}

static int parse_list(struct clean *c, struct step *s, const char *value, struct err *e)
{
	const char *what = NULL;
	int rc;

	if ((rc = split_share(c, s, value, &what, e)) != 0)
		return rc;
	s->terms = termset_new(c->unicode);
	if ((rc = termset_read(s->terms, what, e)) != 0 || (rc = termset_ready(s->terms, e)) != 0)
		return rc;
	return termset_count(s->terms) ? 0 : err_set(e, SFT_BADDATA, "%s: no words in it", what);
}

/* --- repetition, each text by itself --- */

struct part {
	uint64_t parts, all;
};

/* Lines that came before in the text, and all but empty ones: their number, or their characters. */
static struct part lines(const struct field *f, struct work *w, bool chars)
{
	const char *s = f->p, *end = f->p + f->n;
	struct part d = {0};
	size_t room = 1;

	for (const char *p = s; (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
		room++;
	gramtable_clear(&w->grams, room);
	while (s < end) {
		const char *stop = memchr(s, '\n', (size_t)(end - s)), *next = stop ? stop + 1 : end;
		uint64_t size;

		stop = stop ? stop : end;
		while (stop > s && strchr(" \t\r", stop[-1]) && stop[-1])
			stop--;
		while (s < stop && (*s == ' ' || *s == '\t'))
			s++;
		size = chars ? utf8_count(s, (size_t)(stop - s)) : 1;
		if (stop > s) {
			d.all += size;
			if (gramtable_add(&w->grams, hash64(s, (size_t)(stop - s), 0)) > 1)
				d.parts += size;
		}
		s = next;
	}
	return d;
}

/* Characters of the words from I on, N of them. */
static uint64_t gram_chars(const struct textwords *w, size_t i, size_t n)
{
	uint64_t k = 0;

	while (n--)
		k += w->v[i++].chars;
	return k;
}

/* Splits F and takes its runs of N words; all characters of words in *ALL. */
static size_t grams(const struct step *s, const struct field *f, struct work *w, uint64_t *all)
{
	size_t n;

	textwords_split(&w->words, s->clean->unicode, f->p, f->n);
	*all = gram_chars(&w->words, 0, w->words.n);
	n = textwords_grams(&w->words, f->p, (size_t)s->number);
	gramtable_clear(&w->grams, n);
	return n;
}

/* Characters in runs that came before; a repeated run is passed over as a whole (datatrove's find_all_duplicate). */
static struct part all_grams(const struct step *s, const struct field *f, struct work *w)
{
	struct part d = {0};
	size_t n = grams(s, f, w, &d.all);

	for (size_t i = 0; i < n; ) {
		if (gramtable_has(&w->grams, w->words.gram[i])) {
			d.parts += gram_chars(&w->words, i, (size_t)s->number);
			i += (size_t)s->number;
		} else {
			gramtable_add(&w->grams, w->words.gram[i++]);
		}
	}
	return d;
}

/* Characters in all copies of one run, of that where they are the most. */
static struct part top_gram(const struct step *s, const struct field *f, struct work *w)
{
	struct part d = {0};
	size_t n = grams(s, f, w, &d.all);

	for (size_t i = 0; i < n; i++) {
		uint64_t copies = gramtable_add(&w->grams, w->words.gram[i]), chars;

		if (copies > 1 && (chars = copies * gram_chars(&w->words, i, (size_t)s->number)) > d.parts)
			d.parts = chars;
	}
	return d;
}

enum { BY_LINES, BY_LINE_CHARS, BY_TOP_GRAM, BY_ALL_GRAMS };

static enum verdict repeats(const struct step *s, struct work *w, struct field *f, void *to)
{
	struct part d;

	(void)to;
	if (f->n == 0)
		return CLEAN_SAME;
	if (s->kind->choice == BY_LINES || s->kind->choice == BY_LINE_CHARS)
		d = lines(f, w, s->kind->choice == BY_LINE_CHARS);
	else
		d = s->kind->choice == BY_TOP_GRAM ? top_gram(s, f, w) : all_grams(s, f, w);
	return (double)d.parts > s->share * (double)d.all ? CLEAN_DROP : CLEAN_SAME;
}

static enum verdict repetition(const struct step *s, const struct bound *b, struct work *w, struct rec *r)
{
	w->why = s->why;
	return each_text(s, b, w, r, false, repeats, NULL);
}

/* --- symbols and listed words, all texts together --- */

/* Of all texts of a record: PARTS of ALL. */
static enum verdict count_special(const struct step *s, struct work *w, struct field *f, void *to)
{
	struct part *d = to;

	(void)w;
	for (const char *p = f->p, *end = f->p + f->n; p < end; d->all++)
		d->parts += (unicode_class(s->clean->unicode, utf8_get(&p)) & (UNI_WORD | UNI_SPACE | UNI_MARK)) == 0;
	return CLEAN_SAME;
}

static enum verdict special(const struct step *s, const struct bound *b, struct work *w, struct rec *r)
{
	struct part d = {0};

	w->why = s->why;
	each_text(s, b, w, r, false, count_special, &d);
	return (double)d.parts > s->share * (double)d.all ? CLEAN_DROP : CLEAN_SAME;
}

/* Number signs and ellipses. */
static uint64_t signs(const struct field *f)
{
	uint64_t k = 0;

	for (size_t i = 0; i < f->n; i++) {
		const char *p = f->p + i;
		bool dots = f->n - i >= 3 && (memcmp(p, "...", 3) == 0 || memcmp(p, "\xE2\x80\xA6", 3) == 0);

		k += *p == '#' || dots;
		i += dots ? 2 : 0;
	}
	return k;
}

static enum verdict count_signs(const struct step *s, struct work *w, struct field *f, void *to)
{
	struct part *d = to;

	d->all += textwords_split(&w->words, s->clean->unicode, f->p, f->n);
	d->parts += signs(f);
	return CLEAN_SAME;
}

static enum verdict signs_per_word(const struct step *s, const struct bound *b, struct work *w, struct rec *r)
{
	struct part d = {0};

	w->why = s->why;
	each_text(s, b, w, r, false, count_signs, &d);
	return (double)d.parts > s->share * (double)d.all ? CLEAN_DROP : CLEAN_SAME;
}

static enum verdict count_listed(const struct step *s, struct work *w, struct field *f, void *to)
{
	struct part *d = to;
	size_t hits = termset_scan(s->terms, &w->scan, f->p, f->n), next = 0;

	d->all += textwords_split(&w->words, s->clean->unicode, f->p, f->n);
	for (size_t k = 0; k < w->words.n; k++) {
		while (next < hits && w->scan.hit[next].at + w->scan.hit[next].n <= w->words.v[k].at)
			next++;
		d->parts += next < hits && w->scan.hit[next].at <= w->words.v[k].at;
	}
	return CLEAN_SAME;
}

/* Share of the words that lie in terms of the list; 0 where there are no words. */
static double listed(const struct step *s, const struct bound *b, struct work *w, struct rec *r)
{
	struct part d = {0};

	w->why = s->why;
	each_text(s, b, w, r, false, count_listed, &d);
	return d.all ? (double)d.parts / (double)d.all : 0;
}

static enum verdict min_listed(const struct step *s, const struct bound *b, struct work *w, struct rec *r)
{
	return listed(s, b, w, r) < s->share ? CLEAN_DROP : CLEAN_SAME;
}

static enum verdict max_listed(const struct step *s, const struct bound *b, struct work *w, struct rec *r)
{
	return listed(s, b, w, r) > s->share ? CLEAN_DROP : CLEAN_SAME;
}

const struct step_kind clean_quality_kinds[] = {
	{ .name = "max-dup-lines", .arg = "F", .help = "drop where more of a text's lines came before in it [Gopher: 0.3]", .columns = COLUMNS_DEFAULT,
	  .parse = parse_share, .apply = repetition, .choice = BY_LINES },
	{ .name = "max-dup-line-chars", .arg = "F", .help = "the same by their characters [0.2]", .columns = COLUMNS_DEFAULT,
	  .parse = parse_share, .apply = repetition, .choice = BY_LINE_CHARS },
	{ .name = "max-top-ngram", .arg = "N:F", .help = "drop where copies of one run of N words are more of it [2:0.2]", .columns = COLUMNS_DEFAULT,
	  .parse = parse_gram, .apply = repetition, .choice = BY_TOP_GRAM },
	{ .name = "max-dup-ngrams", .arg = "N:F", .help = "drop where repeated runs of N words are more of it [5:0.15]", .columns = COLUMNS_DEFAULT,
	  .parse = parse_gram, .apply = repetition, .choice = BY_ALL_GRAMS },
	{ .name = "max-symbols-per-word", .arg = "F", .help = "drop where there are more # and ... than F a word [0.1]", .columns = COLUMNS_DEFAULT,
	  .parse = parse_share, .apply = signs_per_word },
	{ .name = "max-special", .arg = "F", .help = "drop where more is no letter, digit or blank", .columns = COLUMNS_DEFAULT,
	  .parse = parse_share, .apply = special },
	{ .name = "min-listed", .arg = "FILE:F", .help = "drop where fewer words are in a list: stop words", .columns = COLUMNS_DEFAULT,
	  .parse = parse_list, .apply = min_listed },
	{ .name = "max-listed", .arg = "FILE:F", .help = "drop where more words are in a list", .columns = COLUMNS_DEFAULT,
	  .parse = parse_list, .apply = max_listed },
	{ .name = NULL }
};
