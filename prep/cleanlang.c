/* SPDX-License-Identifier: Apache-2.0 */
/* --lang. */
#include <string.h>

#include "clean.h"

static int unknown_language(const struct clean *c, const char *code, struct err *e)
{
	const char *codes[LANG_MAX];
	struct buf list = {0};
	int n = lang_count(c->lang);

	for (int i = 0; i < n; i++) {
		codes[i] = lang_code(c->lang, i);
		buf_fmt(&list, "%s%s", i ? " " : "", codes[i]);
	}
	err_set(e, SFT_USAGE, "no language '%.20s' (expected of %s)", code, list.p);
	buf_free(&list);
	return SFT_USAGE;
}

static int parse_lang(struct clean *c, struct step *s, const char *value, struct err *e)
{
	struct wordlist codes = {0};
	int rc = 0;

	if (c->unicode == NULL)
		c->unicode = unicode_open();
	if (c->lang == NULL)
		c->lang = lang_open(c->unicode);
	s->languages = arena_get(&c->arena, LANG_MAX * sizeof *s->languages);
	memset(s->languages, 0, LANG_MAX * sizeof *s->languages);
	wordlist_split(&codes, value, &c->arena);
	for (size_t i = 0; i < codes.n && rc == 0; i++) {
		int language = lang_find(c->lang, codes.v[i]);

		if (language < 0)
			rc = unknown_language(c, codes.v[i], e);
		else
			s->languages[language] = true;
	}
	mem_free(codes.v);
	s->reason = arena_get(&c->arena, LANG_MAX * sizeof *s->reason);
	for (int i = 0; i < lang_count(c->lang); i++)
		s->reason[i] = clean_reason(c, "lang", lang_code(c->lang, i));
	return rc;
}

static enum verdict look(const struct step *s, struct work *w, struct field *f, void *to)
{
	(void)to;
	lang_add(s->clean->lang, &w->lang, f->p, f->n);
	return CLEAN_SAME;
}

static enum verdict lang(const struct step *s, const struct bound *b, struct work *w, struct rec *r)
{
	int language;

	lang_begin(&w->lang);
	each_text(s, b, w, r, false, look, NULL);
	language = lang_end(s->clean->lang, &w->lang);
	w->language[language]++;
	w->why = s->reason[language];
	return s->languages[language] ? CLEAN_SAME : CLEAN_DROP;
}

const struct step_kind clean_lang_kinds[] = {
	{ .name = "lang", .arg = "LIST", .help = "drop records in other languages: zh,yue,en,und...", .columns = COLUMNS_DEFAULT,
	  .parse = parse_lang, .apply = lang },
	{ .name = NULL }
};
