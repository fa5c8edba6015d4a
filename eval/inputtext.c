/* SPDX-License-Identifier: Apache-2.0 */
#include "inputtext.h"

#include <string.h>

struct inputs {
	const char *column;
	const struct names *names;      /* the columns are theirs */
	int at, messages_at;
	struct json_parser *parser;
	struct arena arena;
	struct buf text;                /* from messages */
};

struct inputs *inputs_new(const char *column)
{
	struct inputs *in = mem_new(sizeof *in);

	in->column = column;
	in->parser = json_parser_new();
	arena_init(&in->arena);
	return in;
}

void inputs_free(struct inputs *in)
{
	if (in == NULL)
		return;
	json_parser_free(in->parser);
	arena_release(&in->arena);
	buf_free(&in->text);
	mem_free(in);
}

static bool is_null(const struct field *f)
{
	return f->type == FIELD_JSON && f->n == 4 && memcmp(f->p, "null", 4) == 0;
}

static int find_columns(struct inputs *in, const struct names *names, struct err *e)
{
	static const char *const usual[] = { "input", "prompt", "question", "text" };
	uint32_t at;
	int rc;

	if (in->names == names)
		return 0;
	in->messages_at = rec_column(names, "messages");
	in->at = -1;
	if (in->column) {
		if ((rc = rec_need(names, in->column, &at, e)) != 0)
			return rc;
		in->at = (int)at;
	}
	for (size_t k = 0; in->messages_at < 0 && in->at < 0 && k < sizeof usual / sizeof *usual; k++)
		in->at = rec_column(names, usual[k]);
	in->names = names;
	return 0;
}

static int read_messages(struct inputs *in, const struct field *f, struct input *out, struct err *e)
{
	const struct json *list;
	int rc;

	arena_reset(&in->arena);
	if ((rc = field_json(f, in->parser, &in->arena, &list, e)) != 0)
		return rc;
	if (list->type != JSON_ARR)
		return err_set(e, SFT_BADDATA, "messages is no list (expected [{\"role\",\"content\"},...])");
	in->text.n = 0;
	out->chat = true;
	for (size_t k = 0; k < list->n; k++) {
		const struct json *role = json_get(&list->item[k], "role"), *content = json_get(&list->item[k], "content");

		if (role == NULL || role->type != JSON_STR)
			return err_set(e, SFT_BADDATA, "message %zu has no role (expected a text)", k + 1);
		out->turns += json_is(role, "user");
		if (json_is(role, "assistant") || content == NULL || content->type != JSON_STR)
			continue;
		if (in->text.n)
			buf_ch(&in->text, '\n');
		buf_add(&in->text, content->s, content->n);
	}
	if (in->at < 0)
		out->text = (struct text){ in->text.n ? in->text.p : "", in->text.n };
	return 0;
}

int inputs_read(struct inputs *in, const struct rec *r, struct input *out, struct err *e)
{
	int rc;

	*out = (struct input){ { NULL, 0 }, false, 0 };
	if ((rc = find_columns(in, r->names, e)) != 0)
		return rc;
	if (in->at >= 0 && !is_null(&r->f[in->at]))
		out->text = (struct text){ r->f[in->at].p ? r->f[in->at].p : "", r->f[in->at].n };
	return in->messages_at >= 0 && !is_null(&r->f[in->messages_at]) ? read_messages(in, &r->f[in->messages_at], out, e) : 0;
}
