/* SPDX-License-Identifier: Apache-2.0 */
/* The shapes that chat data comes in: alpaca, sharegpt, messages, prompt and response. */
#include <string.h>
#include "talk.h"

static const char *const taken[][7] = {
	[SHAPE_ALPACA] = { "instruction", "input", "output", "history", "system", NULL },
	[SHAPE_SHAREGPT] = { "conversations", "system", "tools", NULL },
	[SHAPE_MESSAGES] = { "messages", "tools", NULL },
	[SHAPE_PAIR] = { "prompt", "response", "completion", NULL },
};

bool shape_takes(enum shape shape, const char *key)
{
	if (shape == SHAPE_AUTO || shape == SHAPE_COLUMNS)
		return false;
	for (int i = 0; taken[shape][i]; i++)
		if (strcmp(taken[shape][i], key) == 0)
			return true;
	return false;
}

enum shape shape_of(const struct json *obj)
{
	if (json_get(obj, "messages"))
		return SHAPE_MESSAGES;
	if (json_get(obj, "conversations"))
		return SHAPE_SHAREGPT;
	if (json_get(obj, "instruction") && json_get(obj, "output"))
		return SHAPE_ALPACA;
	if (json_get(obj, "prompt") && (json_get(obj, "response") || json_get(obj, "completion")))
		return SHAPE_PAIR;
	return SHAPE_AUTO;
}

static bool nothing(const struct json *v)
{
	return v == NULL || v->type == JSON_NULL || (v->type == JSON_STR && v->n == 0);
}

/* Member KEY as text; missing and null are an error only where it MUST be there. */
static int text_of(const struct json *obj, const char *key, bool must, struct json *out, struct fault *f)
{
	const struct json *v = json_get(obj, key);

	*out = jtext("", 0);
	if (v != NULL && v->type == JSON_STR)
		*out = *v;
	else if (v != NULL && v->type != JSON_NULL)
		return fault_set(f, "not text", "'%s' is no text", key);
	return must && out->n == 0 ? fault_set(f, "empty text", "'%s' is %s", key, v ? "empty" : "missing") : 0;
}

static struct json joined(struct arena *a, const struct json *x, const char *between, const struct json *y)
{
	size_t mid = strlen(between), n = x->n + mid + y->n;
	char *s = arena_get(a, n + 1);

	memcpy(s, x->s, x->n);
	memcpy(s + x->n, between, mid);
	memcpy(s + x->n + mid, y->s, y->n);
	s[n] = 0;
	return jtext(s, n);
}

/* --- alpaca --- */

static int history(const struct json *v, struct arena *a, struct talk *t, struct fault *f)
{
	if (nothing(v))
		return 0;
	if (v->type != JSON_ARR)
		return fault_set(f, "bad history", "'history' is no list");
	for (size_t i = 0; i < v->n; i++) {
		const struct json *pair = &v->item[i];
		if (pair->type != JSON_ARR || pair->n != 2 || pair->item[0].type != JSON_STR || pair->item[1].type != JSON_STR)
			return fault_set(f, "bad history", "'history' item %zu is no pair of texts", i);
		talk_add(t, a, "user", pair->item[0]);
		talk_add(t, a, "assistant", pair->item[1]);
	}
	return 0;
}

static int read_alpaca(const struct json *obj, struct arena *a, struct talk *t, struct fault *f)
{
	struct json system, instruction, input, output;
	int rc;

	if ((rc = text_of(obj, "system", false, &system, f)) != 0 || (rc = text_of(obj, "instruction", false, &instruction, f)) != 0 ||
	    (rc = text_of(obj, "input", false, &input, f)) != 0 || (rc = text_of(obj, "output", true, &output, f)) != 0)
		return rc;
	if (instruction.n == 0 && input.n == 0)
		return fault_set(f, "empty text", "'instruction' and 'input' are both empty");
	if (system.n)
		talk_add(t, a, "system", system);
	if ((rc = history(json_get(obj, "history"), a, t, f)) != 0)
		return rc;
	talk_add(t, a, "user", instruction.n && input.n ? joined(a, &instruction, "\n", &input) : instruction.n ? instruction : input);
	talk_add(t, a, "assistant", output);
	return 0;
}

/* --- sharegpt --- */

/* {"name","arguments"} as a tool call of a message. */
static int one_call(const struct json *v, struct arena *a, struct json *out, struct fault *f)
{
	const struct json *name = json_get(v, "name"), *args = json_get(v, "arguments");

	if (name == NULL || name->type != JSON_STR)
		return fault_set(f, "bad tool call", "a function_call has no 'name'");
	const struct json_member function[] = { JMEMBER("name", *name), JMEMBER("arguments", args ? *args : jobject(a, NULL, 0)) };
	const struct json_member call[] = { JMEMBER("type", jtext("function", 8)), JMEMBER("function", jobject(a, function, 2)) };
	*out = jobject(a, call, 2);
	return 0;
}

static int function_call(const struct json *text, struct json_parser *p, struct arena *a, struct talk *t, struct fault *f)
{
	const struct json *v;
	struct json *calls;
	struct err ignored = {0};
	size_t n;
	int rc = 0;

	if (json_parse(p, a, text->s, text->n, &v, &ignored) != 0)
		return fault_set(f, "bad tool call", "a function_call is not JSON: %.200s", ignored.msg);
	n = v->type == JSON_ARR ? v->n : 1;
	calls = arena_get(a, (n + 1) * sizeof *calls);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = one_call(v->type == JSON_ARR ? &v->item[i] : v, a, &calls[i], f);
	if (rc != 0)
		return rc;
	const struct json_member m[] = {
		JMEMBER("role", jtext("assistant", 9)), JMEMBER("content", jtext("", 0)), JMEMBER("tool_calls", jarray(a, calls, n))
	};
	talk_put(t, a, jobject(a, m, 3));
	return 0;
}

static const char *sharegpt_role(const struct json *from)
{
	static const char *const roles[][2] = {
		{ "human", "user" }, { "user", "user" }, { "gpt", "assistant" }, { "assistant", "assistant" }, { "chatgpt", "assistant" },
		{ "bing", "assistant" }, { "bard", "assistant" }, { "system", "system" }, { "observation", "tool" },
		{ "function_response", "tool" }, { "tool", "tool" }, { "function_call", "" },
	};

	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (json_is(from, roles[i][0]))
			return roles[i][1];
	return NULL;
}

static int sharegpt_turn(const struct json *turn, size_t i, struct json_parser *p, struct arena *a, struct talk *t, struct fault *f)
{
	const struct json *from = json_get(turn, "from") ? json_get(turn, "from") : json_get(turn, "role");
	const struct json *value = json_get(turn, "value") ? json_get(turn, "value") : json_get(turn, "content");
	const char *role = sharegpt_role(from);

	if (from == NULL || from->type != JSON_STR || value == NULL || value->type != JSON_STR)
		return fault_set(f, "bad turn", "turn %zu has no 'from' and 'value' that are texts", i);
	if (role == NULL)
		return fault_set(f, "unknown speaker", "turn %zu: unknown speaker '%.60s' (expected human, gpt, system, function_call or observation)", i, from->s);
	if (*role == 0)
		return function_call(value, p, a, t, f);
	talk_add(t, a, role, *value);
	return 0;
}

/* Tools as models know them: a bare {"name",...} becomes {"type":"function","function":{...}}. */
static struct json tool_list(const struct json *v, struct arena *a)
{
	struct json *to = arena_get(a, v->n * sizeof *to + 1);

	for (size_t i = 0; i < v->n; i++) {
		to[i] = v->item[i];
		if (json_get(&to[i], "name") != NULL && json_get(&to[i], "function") == NULL) {
			const struct json_member m[] = { JMEMBER("type", jtext("function", 8)), JMEMBER("function", v->item[i]) };
			to[i] = jobject(a, m, 2);
		}
	}
	return (struct json){ .type = JSON_ARR, .n = v->n, .item = to };
}

/* Tools: a list, or JSON text of one. */
static int read_tools(const struct json *v, struct json_parser *p, struct arena *a, struct talk *t, struct fault *f)
{
	struct err ignored = {0};

	if (nothing(v))
		return 0;
	if (v->type == JSON_STR && json_parse(p, a, v->s, v->n, &v, &ignored) != 0)
		return fault_set(f, "bad tools", "'tools' is not JSON: %.200s", ignored.msg);
	if (v->type != JSON_ARR)
		return fault_set(f, "bad tools", "'tools' is no list");
	if (v->n) {
		struct json *tools = arena_get(a, sizeof *tools);
		*tools = tool_list(v, a);
		t->tools = tools;
	}
	return 0;
}

static int read_sharegpt(const struct json *obj, struct json_parser *p, struct arena *a, struct talk *t, struct fault *f)
{
	const struct json *turns = json_get(obj, "conversations");
	struct json system;
	int rc;

	if (turns == NULL || turns->type != JSON_ARR || turns->n == 0)
		return fault_set(f, "no turns", "'conversations' is %s", turns == NULL ? "missing" : turns->type != JSON_ARR ? "no list" : "empty");
	if ((rc = text_of(obj, "system", false, &system, f)) != 0 || (rc = read_tools(json_get(obj, "tools"), p, a, t, f)) != 0)
		return rc;
	if (system.n)
		talk_add(t, a, "system", system);
	for (size_t i = 0; i < turns->n && rc == 0; i++)
		rc = sharegpt_turn(&turns->item[i], i, p, a, t, f);
	return rc;
}

/* --- messages --- */

/* A content that is a list of text parts ({"type":"text","text"|"value"}) as one string; anything else stays as it is. */
static struct json flat(const struct json *content, struct arena *a)
{
	struct buf b = {0};
	struct json out = *content;

	if (content->type != JSON_ARR || content->n == 0)
		return out;
	for (size_t i = 0; i < content->n; i++) {
		const struct json *part = &content->item[i], *text = json_get(part, "text") ? json_get(part, "text") : json_get(part, "value");
		if (!json_is(json_get(part, "type"), "text") || text == NULL || text->type != JSON_STR) {
			buf_free(&b);
			return out;
		}
		buf_add(&b, text->s, text->n);
	}
	out = jtext(arena_str(a, b.p ? b.p : "", b.n), b.n);
	buf_free(&b);
	return out;
}

static int read_messages(const struct json *obj, struct json_parser *p, struct arena *a, struct talk *t, struct fault *f)
{
	const struct json *list = json_get(obj, "messages");

	if (list == NULL || list->type != JSON_ARR || list->n == 0)
		return fault_set(f, "no messages", "'messages' is %s", list == NULL ? "missing" : list->type != JSON_ARR ? "no list" : "empty");
	for (size_t i = 0; i < list->n; i++) {
		const struct json *m = &list->item[i], *role = json_get(m, "role"), *content = json_get(m, "content");
		if (role == NULL || role->type != JSON_STR || role->n == 0)
			return fault_set(f, "bad message", "message %zu has no 'role' that is a text", i);
		if (content == NULL && json_get(m, "tool_calls") == NULL)
			return fault_set(f, "bad message", "message %zu has no 'content'", i);
		talk_put(t, a, content ? jwith(a, m, "content", flat(content, a)) : *m);
	}
	return read_tools(json_get(obj, "tools"), p, a, t, f);
}

static int read_pair(const struct json *obj, struct arena *a, struct talk *t, struct fault *f)
{
	struct json prompt, answer;
	int rc;

	if ((rc = text_of(obj, "prompt", true, &prompt, f)) != 0 ||
	    (rc = text_of(obj, json_get(obj, "response") ? "response" : "completion", true, &answer, f)) != 0)
		return rc;
	talk_add(t, a, "user", prompt);
	talk_add(t, a, "assistant", answer);
	return 0;
}

int shape_read(enum shape shape, const struct json *obj, struct json_parser *p, struct arena *a, struct talk *t, struct fault *f)
{
	switch (shape) {
	case SHAPE_ALPACA: return read_alpaca(obj, a, t, f);
	case SHAPE_SHAREGPT: return read_sharegpt(obj, p, a, t, f);
	case SHAPE_MESSAGES: return read_messages(obj, p, a, t, f);
	case SHAPE_PAIR: return read_pair(obj, a, t, f);
	default:
		return fault_set(f, "unknown shape", "no messages in this record (expected --input COL, or messages, conversations, "
		                 "instruction and output, or prompt and response)");
	}
}
