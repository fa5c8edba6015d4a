/* SPDX-License-Identifier: Apache-2.0 */
#include "genchoice.h"

#include <string.h>

static int add(struct choice_set *s, const char *p, size_t n, struct err *e)
{
	if (n == 0)
		return err_set(e, SFT_BADDATA, "choice %u is empty", s->n + 1);
	for (uint32_t i = 0; i < s->n; i++)
		if (s->text[i].n == n && memcmp(s->text[i].p, p, n) == 0)
			return err_set(e, SFT_BADDATA, "choice '%.*s' stands there twice", n < 100 ? (int)n : 100, p);
	ARRAY_ROOM(s->text, s->n, s->cap);
	s->text[s->n++] = (struct choice_text){ p, n };
	return 0;
}

static int some(const struct choice_set *s, struct err *e)
{
	return s->n ? 0 : err_set(e, SFT_BADDATA, "no choices");
}

int choice_set_lines(struct choice_set *s, const char *text, struct arena *a, struct err *e)
{
	size_t n;
	int rc;

	s->n = 0;
	text = arena_str(a, text, strlen(text));
	for (; *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		if ((rc = add(s, text, n && text[n - 1] == '\r' ? n - 1 : n, e)) != 0)
			return rc;
	}
	return some(s, e);
}

int choice_set_list(struct choice_set *s, const struct json *v, struct arena *a, struct err *e)
{
	int rc;

	s->n = 0;
	if (v == NULL || v->type != JSON_ARR)
		return err_set(e, SFT_BADDATA, "choices are no list (expected [\"a\",\"b\"...])");
	for (size_t i = 0; i < v->n; i++) {
		if (v->item[i].type != JSON_STR)
			return err_set(e, SFT_BADDATA, "choice %zu is no text", i + 1);
		if ((rc = add(s, arena_str(a, v->item[i].s, v->item[i].n), v->item[i].n, e)) != 0)
			return rc;
	}
	return some(s, e);
}

static void divisors(struct choice_set *s, enum choice_norm norm)
{
	s->divisor = mem_grow(s->divisor, s->n, sizeof *s->divisor);
	for (uint32_t i = 0; i < s->n; i++)
		s->divisor[i] = norm == NORM_TOKENS ? s->c[i].n : norm == NORM_BYTES ? (double)s->text[i].n : 1;
}

int choice_set_encode(struct choice_set *s, struct chatids *c, int32_t end, enum choice_norm norm, struct err *e)
{
	struct tok_ids ids = {0};
	size_t *from = mem_grow(NULL, s->n + 1, sizeof *from);
	struct buf all = {0};
	int rc = 0;

	for (uint32_t i = 0; i < s->n && rc == 0; i++) {
		uint32_t last = (uint32_t)end;

		from[i] = all.n / sizeof last;
		ids.n = 0;
		rc = chatids_content(c, s->text[i].p, s->text[i].n, &ids, e);
		buf_add(&all, ids.id, ids.n * sizeof *ids.id);
		if (end >= 0)
			buf_add(&all, &last, sizeof last);
	}
	from[s->n] = all.n / sizeof *s->ids;
	mem_free(s->ids);
	s->ids = (uint32_t *)(void *)all.p;
	s->c = mem_grow(s->c, s->n, sizeof *s->c);
	for (uint32_t i = 0; i < s->n && rc == 0; i++)
		if (from[i] == from[i + 1])
			rc = err_set(e, SFT_BADDATA, "choice %u has no tokens", i + 1);
		else
			s->c[i] = (struct decode_choice){ .ids = s->ids + from[i], .n = (uint32_t)(from[i + 1] - from[i]) };
	if (rc == 0)
		divisors(s, norm);
	mem_free(from);
	tok_ids_free(&ids);
	return rc;
}

void choice_set_free(struct choice_set *s)
{
	mem_free(s->text);
	mem_free(s->c);
	mem_free(s->ids);
	mem_free(s->divisor);
	memset(s, 0, sizeof *s);
}
