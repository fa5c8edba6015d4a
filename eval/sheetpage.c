/* SPDX-License-Identifier: Apache-2.0 */
#include "sheetpage.h"

#include <stdio.h>
#include <string.h>

#include "hash.h"
#include "htmlpage.h"

void sheet_keys(struct sheet_choice *choice, size_t n)
{
	static const char keys[] = "1234567890abcdefghijklmnopqrstuvwxyz";

	for (size_t k = 0, at = 0; k < n; k++) {
		bool taken = true;

		for (; choice[k].key == 0 && taken && keys[at]; at += taken) {
			taken = false;
			for (size_t j = 0; j < n; j++)
				taken |= choice[j].key == keys[at];
		}
		if (choice[k].key == 0 && keys[at])
			choice[k].key = keys[at++];
	}
}

void sheet_part(struct jw *w, const char *name, struct text text)
{
	jw_arr(w);
	jw_str(w, name);
	jw_strn(w, text.p ? text.p : "", text.n);
	jw_arr_end(w);
}

static void text_or_null(struct jw *w, const char *key, const char *text)
{
	jw_key(w, key);
	if (text)
		jw_str(w, text);
	else
		jw_null(w);
}

static void choices_json(const struct sheet *s, struct jw *w)
{
	jw_key(w, "choices");
	jw_arr(w);
	for (size_t k = 0; k < s->nchoices; k++) {
		const struct sheet_choice *c = &s->choice[k];

		jw_obj(w);
		jw_key(w, "label");
		jw_strn(w, c->label.p, c->label.n);
		jw_key(w, "key");
		jw_strn(w, &c->key, c->key != 0);
		jw_key(w, "hint");
		jw_strn(w, c->hint.p ? c->hint.p : "", c->hint.n);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

static void sheet_json(const struct sheet *s, struct jw *w)
{
	text_or_null(w, "title", s->title);
	text_or_null(w, "guidelines", s->guidelines);
	text_or_null(w, "who", s->who);
	text_or_null(w, "file", s->file);
	text_or_null(w, "whoColumn", s->who_column);
	text_or_null(w, "idColumn", s->id_column);
	text_or_null(w, "answerColumn", s->answer_column);
	choices_json(s, w);
	jw_key(w, "rows");
	jw_arr(w);
	for (size_t i = 0; i < s->rows; i++)
		s->row(s->ctx, i, w);
	jw_arr_end(w);
}

void sheet_page(const struct sheet *s, struct buf *out)
{
	struct buf json = { 0 };
	char id[24];
	struct jw w;

	jw_init(&w, &json);
	jw_obj(&w);
	sheet_json(s, &w);
	snprintf(id, sizeof id, "%016llx", (unsigned long long)hash64(json.p, json.n, 0));
	jw_key(&w, "id");
	jw_str(&w, id);
	jw_obj_end(&w);

	html_begin(out, s->title, sheet_css);
	buf_str(out, sheet_html);
	html_data(out, "data", json.p, json.n);
	html_end(out, sheet_js);
	buf_free(&json);
}
