/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that turn one text into another. */
#include <string.h>

#include "clean.h"
#include "striphtml.h"

static size_t lower(const struct step *s, const char *text, size_t n, char *out)
{
	return unicode_lower(s->clean->unicode, text, n, out);
}

static size_t strip_symbols(const struct step *s, const char *text, size_t n, char *out)
{
	return unicode_keep(s->clean->unicode, UNI_WORD | UNI_SPACE | UNI_MARK, text, n, out);
}

static size_t strip_symbols_exact(const struct step *s, const char *text, size_t n, char *out)
{
	return unicode_keep(s->clean->unicode, UNI_WORD | UNI_SPACE, text, n, out);
}

static size_t squeeze_space(const struct step *s, const char *text, size_t n, char *out)
{
	return unicode_squeeze(s->clean->unicode, text, n, out);
}

static size_t fold_width(const struct step *s, const char *text, size_t n, char *out)
{
	return unicode_fold_width(s->clean->unicode, text, n, out);
}

static size_t strip_html(const struct step *s, const char *text, size_t n, char *out)
{
	(void)s;
	return striphtml(text, n, out);
}

/* --- normal forms --- */

static int parse_form(struct clean *c, struct step *s, const char *value, struct err *e)
{
	if (strcmp(value, "nfc") == 0)
		s->choice = UNICODE_NFC;
	else if (strcmp(value, "nfkc") == 0)
		s->choice = UNICODE_NFKC;
	else
		return err_set(e, SFT_USAGE, "'%s' is none of nfc|nfkc", value);
	if (c->unicode == NULL)
		c->unicode = unicode_open();
	return 0;
}

/* What is in the scratch buffer. */
static enum verdict set_text(struct field *f, struct work *w)
{
	f->n = w->scratch.n;
	f->p = arena_str(w->arena, w->scratch.p, f->n);
	return CLEAN_CHANGED;
}

static enum verdict normalize(const struct step *s, struct work *w, struct field *f, void *to)
{
	bool changed;

	(void)to;
	w->scratch.n = 0;
	if (unicode_normalize(s->clean->unicode, (enum unicode_form)s->choice, f->p, f->n, &w->scratch, &changed, &w->e) != 0)
		return CLEAN_BAD;
	return changed ? set_text(f, w) : CLEAN_SAME;
}

/* --- Chinese --- */

static int parse_simplified(struct clean *c, struct step *s, const char *value, struct err *e)
{
	(void)s, (void)value;
	return c->hans ? 0 : hans_open(&c->hans, e);
}

static enum verdict to_simplified(const struct step *s, struct work *w, struct field *f, void *to)
{
	bool changed;

	(void)to;
	w->scratch.n = 0;
	if (hans_simplify(s->clean->hans, f->p, f->n, &w->scratch, &changed, &w->e) != 0)
		return CLEAN_BAD;
	return changed ? set_text(f, w) : CLEAN_SAME;
}

/* --- replacing --- */

static int parse_replace(struct clean *c, struct step *s, const char *value, struct err *e)
{
	struct pattern_parts p;
	int rc;

	if ((rc = pattern_split(value, 2, &c->arena, &p, e)) != 0 ||
	    (rc = pattern_new(&s->pattern, p.pattern, p.npattern, p.flags, e)) != 0)
		return rc;
	return replacement_new(&s->replacement, s->pattern, p.replacement, p.nreplacement, e);
}

static enum verdict replace(const struct step *s, struct work *w, struct field *f, void *to)
{
	uint64_t count;

	(void)to;
	w->scratch.n = 0;
	if (pattern_replace(s->pattern, w->matcher, s->replacement, f->p, f->n, &w->scratch, &count, &w->e) != 0)
		return CLEAN_BAD;
	return count ? set_text(f, w) : CLEAN_SAME;
}

const struct step_kind clean_text_kinds[] = {
	{ .name = "lower", .arg = "COL,...|all", .help = "lower case, as Python's str.lower()", .columns = COLUMNS_VALUE, .map = lower },
	{ .name = "strip-symbols", .arg = "COL,...|all", .help = "keep letters, digits, '_', blanks, combining marks",
	  .columns = COLUMNS_VALUE, .map = strip_symbols },
	{ .name = "strip-symbols-exact", .arg = "COL,...|all", .help = "remove what Python's [^\\w\\s] matches, marks too",
	  .columns = COLUMNS_VALUE, .map = strip_symbols_exact },
	{ .name = "replace", .arg = "COL:/PATTERN/TEXT/", .help = "PCRE2; $1 or ${name} in TEXT; i, m, s after the last /",
	  .columns = COLUMNS_COLON, .parse = parse_replace, .change = replace },
	{ .name = "normalize", .arg = "nfc|nfkc", .help = "Unicode normal form", .columns = COLUMNS_DEFAULT,
	  .parse = parse_form, .change = normalize },
	{ .name = "fold-width", .help = "full-width Latin and half-width kana to the usual forms", .columns = COLUMNS_DEFAULT,
	  .map = fold_width },
	{ .name = "to-simplified", .help = "traditional Chinese to simplified, regional words too", .columns = COLUMNS_DEFAULT,
	  .parse = parse_simplified, .change = to_simplified },
	{ .name = "squeeze-space", .help = "runs of blanks to one space, none at the ends", .columns = COLUMNS_DEFAULT,
	  .map = squeeze_space },
	{ .name = "strip-html", .help = "take out tags, decode &amp; and the like", .columns = COLUMNS_DEFAULT, .map = strip_html },
	{ .name = NULL }
};
