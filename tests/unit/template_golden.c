/* SPDX-License-Identifier: Apache-2.0 */
/* The Jinja goldens: tests/data/jinja/cases.jsonl, each rendered over context.json. */
#include <stdlib.h>
#include "json.h"
#include "template.h"
#include "test.h"

static const struct json *load(struct arena *a, const char *name, struct buf *text)
{
	char path[1000];
	const char *data = getenv("DATA");
	struct err e = {0};
	FILE *f;
	char part[4096];
	size_t n;
	const struct json *j = NULL;
	struct json_parser *p = json_parser_new();

	snprintf(path, sizeof path, "%s/jinja/%s", data ? data : "tests/data", name);
	if ((f = fopen(path, "rb")) != NULL) {
		while ((n = fread(part, 1, sizeof part, f)) > 0)
			buf_add(text, part, n);
		fclose(f);
	}
	if (text->n && strstr(name, ".jsonl") == NULL && json_parse(p, a, text->p, text->n, &j, &e) != 0)
		printf("# %s\n", e.msg);
	json_parser_free(p);
	return j;
}

static size_t points(const char *p, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		k += ((unsigned char)p[i] & 0xc0) != 0x80;
	return k;
}

/* Every code point of the spans that the golden gives, and no other, is marked as generated. */
static bool same_spans(const struct json *want, const struct template_out *o)
{
	size_t total = points(o->text.p, o->text.n);
	char *mark = calloc(total + 1, 1);
	bool same = true;

	for (size_t i = 0; want && i < want->n; i++) {
		int64_t from = 0, to = 0;
		json_int(&want->item[i].item[0], &from);
		json_int(&want->item[i].item[1], &to);
		for (int64_t k = from; k < to && k < (int64_t)total; k++)
			mark[k] = 1;
	}
	for (size_t i = 0; i < o->nspans; i++)
		for (size_t k = points(o->text.p, o->span[i].start); k < points(o->text.p, o->span[i].end); k++)
			same &= mark[k] == o->span[i].generation;
	free(mark);
	return same;
}

static void check_case(const struct json *vars, const struct json *c)
{
	const struct json *src = json_get(c, "template"), *want = json_get(c, "expected"), *bad = json_get(c, "error");
	const struct json *now = json_get(c, "now"), *raised = json_get(bad, "raised_by_template");
	struct template *t = NULL;
	struct template_out o = {0};
	struct err e = {0};
	int rc = template_open(&t, "case", src->s, src->n, &e);

	if (rc == 0)
		rc = template_render(t, vars, now ? now->s : NULL, &o, &e);
	if (want != NULL && (rc != 0 || o.text.n != want->n || memcmp(o.text.p, want->s, want->n) != 0)) {
		printf("# %s\n# want %s\n# have %s\n", src->s, want->s, rc ? e.msg : o.text.p);
		CHECK(!"the text differs");
	} else if (want != NULL) {
		CHECK(same_spans(json_get(c, "assistant_spans"), &o));
	}
	if (bad != NULL && rc == 0) {
		printf("# %s\n# gave %s\n", src->s, o.text.p);
		CHECK(!"an error was expected");
	} else if (bad != NULL) {
		CHECK(rc == SFT_BADDATA && strncmp(e.msg, "case:", 5) == 0);
		CHECK(!raised->b || (o.raised && strstr(e.msg, json_get(bad, "message")->s) != NULL));
		if (getenv("SHOW_ERRORS"))
			printf("# %s\n#    want %s\n#    have %s\n", src->s, json_get(bad, "message")->s, e.msg);
	}
	template_out_free(&o);
	template_close(t);
}

static void goldens(void)
{
	struct arena a = {0};
	struct buf context = {0}, cases = {0};
	const struct json *vars = load(&a, "context.json", &context);
	struct json_parser *p = json_parser_new();
	size_t n = 0;

	load(&a, "cases.jsonl", &cases);
	CHECK(vars != NULL && cases.n > 0);
	for (char *line = cases.p, *end; vars && line && (end = strchr(line, '\n')) != NULL; line = end + 1) {
		const struct json *c;
		struct err e = {0};
		if (json_parse(p, &a, line, (size_t)(end - line), &c, &e) != 0) {
			CHECK(!"a case is no JSON");
			break;
		}
		check_case(vars, c);
		n++;
	}
	CHECK(n > 300);
	json_parser_free(p);
	arena_release(&a);
	buf_free(&context);
	buf_free(&cases);
}

int main(void)
{
	TEST(goldens);
	return test_end();
}
