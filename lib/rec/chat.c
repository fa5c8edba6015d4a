/* SPDX-License-Identifier: Apache-2.0 */
/* Chat records rendered, and what of the text is trained. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "chat_priv.h"

#define VARS_MAX 8
#define TAG "CONTINUE_FINAL_MESSAGE_TAG "      /* as transformers marks the end of the message that goes on */

/* The variables of a rendering, as a JSON object in an arena. */
struct vars {
	struct json_member m[VARS_MAX];
	size_t n;
	struct json data;           /* variables that the record made up: what they say is data */
};

static const struct json json_null = { .type = JSON_NULL };

static struct json json_text(const char *s, size_t n)
{
	return (struct json){ .type = JSON_STR, .s = s, .n = n };
}

static void var_set(struct vars *v, const char *key, struct json value)
{
	v->m[v->n++] = (struct json_member){ key, strlen(key), value };
}

/* --- messages --- */

static bool has_value(const struct json *v)
{
	return v != NULL && v->type != JSON_NULL;
}

/* M without loss_weight, with reasoning_content and thinking filled in, and TAG behind its content where TAGGED. */
static struct json one_message(const struct json *m, bool tagged, struct arena *a)
{
	const struct json *why = json_get(m, "reasoning_content");
	struct json_member *to;
	struct json out = *m;
	size_t n = 0;

	if (m->type != JSON_OBJ)
		return out;
	if (!has_value(why) && !has_value(why = json_get(m, "thinking")))
		why = json_get(m, "reasoning");
	to = arena_get(a, (m->n + 2) * sizeof *to);
	for (size_t i = 0; i < m->n; i++) {
		const char *key = m->member[i].key;
		if (strcmp(key, "loss_weight") == 0)
			continue;
		to[n] = m->member[i];
		if (has_value(why) && !has_value(&to[n].value) && (strcmp(key, "reasoning_content") == 0 || strcmp(key, "thinking") == 0))
			to[n].value = *why;
		if (tagged && strcmp(key, "content") == 0 && to[n].value.type == JSON_STR) {
			char *s = arena_get(a, to[n].value.n + sizeof TAG);
			memcpy(s, to[n].value.s, to[n].value.n);
			memcpy(s + to[n].value.n, TAG, sizeof TAG);
			to[n].value = json_text(s, to[n].value.n + sizeof TAG - 1);
		}
		n++;
	}
	if (has_value(why) && json_get(m, "reasoning_content") == NULL)
		to[n++] = (struct json_member){ "reasoning_content", 17, *why };
	if (has_value(why) && json_get(m, "thinking") == NULL)
		to[n++] = (struct json_member){ "thinking", 8, *why };
	out.member = to;
	out.n = n;
	return out;
}

/* The text of the last text part gets TAG: the same for a content that is a list. */
static void tag_parts(struct json *m, struct arena *a)
{
	struct json *content = NULL;

	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->member[i].key, "content") == 0 && m->member[i].value.type == JSON_ARR)
			content = (struct json *)&m->member[i].value;      /* a copy of ours, made by one_message */
	for (size_t i = content ? content->n : 0; i-- > 0;) {
		const struct json *text = json_get(&content->item[i], "text");
		if (text == NULL || text->type != JSON_STR)
			continue;
		struct json *items = arena_get(a, content->n * sizeof *items);
		struct json_member *part = arena_get(a, content->item[i].n * sizeof *part);
		memcpy(items, content->item, content->n * sizeof *items);
		memcpy(part, items[i].member, items[i].n * sizeof *part);
		for (size_t k = 0; k < items[i].n; k++)
			if (strcmp(part[k].key, "text") == 0) {
				char *s = arena_get(a, text->n + sizeof TAG);
				memcpy(s, text->s, text->n);
				memcpy(s + text->n, TAG, sizeof TAG);
				part[k].value = json_text(s, text->n + sizeof TAG - 1);
			}
		items[i].member = part;
		content->item = items;
		return;
	}
}

static struct json all_messages(const struct json *messages, bool tagged, struct arena *a)
{
	struct json out = *messages, *to = arena_get(a, messages->n * sizeof *to + 1);

	for (size_t i = 0; i < messages->n; i++) {
		bool last = tagged && i + 1 == messages->n;
		to[i] = one_message(&messages->item[i], last, a);
		if (last && to[i].type == JSON_OBJ)
			tag_parts(&to[i], a);
	}
	out.item = to;
	return out;
}

/* --- variables --- */

/* The special token KEY: the record's own where it names one.  It is the template's own word only where it is the model's, or the
 * model is not known; else it matches no special token, as anything a record says. */
static void set_token(struct vars *v, const char *key, const char *text, const struct json *kwargs)
{
	const struct json *own = json_get(kwargs, key);

	if (own != NULL && (text == NULL || json_is(own, text)))
		var_set(v, key, *own);
	else if (own == NULL && text != NULL)
		var_set(v, key, json_text(text, strlen(text)));
}

static int check_kwargs(const struct json *kwargs, struct err *e)
{
	static const char *const fixed[] = { "messages", "tools", "documents", "add_generation_prompt", NULL };

	if (!has_value(kwargs))
		return 0;
	if (kwargs->type != JSON_OBJ)
		return err_set(e, SFT_BADDATA, "'kwargs' is no JSON object");
	for (int k = 0; fixed[k]; k++)
		if (json_get(kwargs, fixed[k]) != NULL)
			return err_set(e, SFT_BADDATA, "kwargs must not set '%s'", fixed[k]);
	return 0;
}

static int set_vars(const struct chat_template *c, const struct json *record, bool tagged, struct vars *v, struct arena *a, struct err *e)
{
	const struct json *messages = json_get(record, "messages"), *tools = json_get(record, "tools"), *docs = json_get(record, "documents");
	const struct json *kwargs = json_get(record, "kwargs");

	v->n = 0;
	v->data = has_value(kwargs) ? *kwargs : json_null;
	if (messages == NULL || messages->type != JSON_ARR)
		return err_set(e, SFT_BADDATA, messages ? "'messages' is no list" : "no 'messages' (expected a chat record)");
	var_set(v, "messages", all_messages(messages, tagged, a));
	var_set(v, "tools", tools ? *tools : json_null);
	var_set(v, "documents", docs ? *docs : json_null);
	var_set(v, "add_generation_prompt", (struct json){ .type = JSON_BOOL });
	set_token(v, "bos_token", c->bos, kwargs);
	set_token(v, "eos_token", c->eos, kwargs);
	set_token(v, "pad_token", c->pad, kwargs);
	return check_kwargs(kwargs, e);
}

/* One clock for all renderings of a record. */
static const char *now_of(const struct json *record, char out[32])
{
	const struct json *now = json_get(record, "now");
	time_t t = time(NULL);
	struct tm tm;

	if (now != NULL && now->type == JSON_STR)
		return now->s;
	localtime_r(&t, &tm);
	strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm);
	return out;
}

/* The first N messages, left OPEN for the assistant or not. */
static int render(const struct chat_template *c, struct vars *v, size_t n, bool open, const char *now, struct template_out *o, struct err *e)
{
	struct json obj = { .type = JSON_OBJ, .n = v->n, .member = v->m };
	size_t all = v->m[0].value.n;
	int rc;

	v->m[0].value.n = n;
	v->m[3].value.b = open;
	rc = template_render_data(c->t, &obj, &v->data, now, o, e);
	v->m[0].value.n = all;
	return rc;
}

/* --- spans --- */

static void add_span(struct chat_text *out, size_t start, size_t end, bool content, bool trained)
{
	struct chat_span *last = out->nspans ? &out->span[out->nspans - 1] : NULL;

	if (start >= end)
		return;
	if (last && last->content == content && last->trained == trained) {
		last->end = end;
		return;
	}
	ARRAY_ROOM(out->span, out->nspans, out->cap);
	out->span[out->nspans++] = (struct chat_span){ start, end, content, trained };
}

/* What is trained: bytes FROM..TO of each answer, in order. */
struct range {
	size_t from, to;
};

static void give(const struct template_out *o, const struct range *r, size_t nr, struct chat_text *out)
{
	size_t k = 0;

	out->text.n = 0;
	buf_add(&out->text, o->text.p, o->text.n);
	out->nspans = 0;
	for (size_t i = 0; i < o->nspans; i++) {
		const struct template_span *s = &o->span[i];
		for (size_t at = s->start; at < s->end;) {
			while (k < nr && r[k].to <= at)
				k++;
			bool in = k < nr && r[k].from <= at;
			size_t end = k == nr ? s->end : in ? r[k].to : r[k].from;
			end = end < s->end ? end : s->end;
			add_span(out, at, end, s->message != TEMPLATE_OWN, in);
			at = end;
		}
	}
}

/* --- what is trained --- */

static bool is_answer(const struct json *m)
{
	return json_is(json_get(m, "role"), "assistant");
}

static int weight_of(const struct json *m, size_t i, bool *zero, struct err *e)
{
	const struct json *w = json_get(m, "loss_weight");

	*zero = false;
	if (!has_value(w))
		return 0;
	if (w->type != JSON_NUM)
		return err_set(e, SFT_BADDATA, "message %zu: 'loss_weight' is no number", i);
	*zero = json_double(w) == 0;
	return 0;
}

/* Which messages are trained, by number. */
static int wanted(const struct json *messages, enum chat_train train, bool *want, struct err *e)
{
	size_t last = messages->n;
	int rc;

	for (size_t i = 0; i < messages->n; i++)
		if (is_answer(&messages->item[i]))
			last = i;
	for (size_t i = 0; i < messages->n; i++) {
		bool zero;
		if ((rc = weight_of(&messages->item[i], i, &zero, e)) != 0)
			return rc;
		want[i] = !zero && (train == CHAT_ALL || (is_answer(&messages->item[i]) && (train == CHAT_ASSISTANT || i == last)));
	}
	return 0;
}

/* All of the text but what messages of weight 0 say. */
static size_t ranges_all(const struct template_out *o, const bool *want, struct range *r)
{
	size_t n = 0;

	for (size_t i = 0; i < o->nspans; i++) {
		if (o->span[i].message >= 0 && !want[o->span[i].message])
			continue;
		if (n && r[n - 1].to == o->span[i].start)
			r[n - 1].to = o->span[i].end;
		else
			r[n++] = (struct range){ o->span[i].start, o->span[i].end };
	}
	return n;
}

/* The number of the K-th answer. */
static size_t answer_at(const struct json *messages, size_t k)
{
	for (size_t i = 0; i < messages->n; i++)
		if (is_answer(&messages->item[i]) && k-- == 0)
			return i;
	return messages->n;
}

/* The stretches that {% generation %} wrote, of the messages that are wanted.  A stretch is of the message whose words it has, and
 * where it has none (an empty answer), of the answer of its number. */
static size_t ranges_generation(const struct template_out *o, const struct json *messages, const bool *want, struct range *r)
{
	size_t n = 0, k = 0;

	for (size_t i = 0; i < o->nspans; k++) {
		size_t from, to, msg = messages->n;
		while (i < o->nspans && !o->span[i].generation)
			i++;
		if (i == o->nspans)
			break;
		from = o->span[i].start;
		for (to = from; i < o->nspans && o->span[i].generation; i++) {
			to = o->span[i].end;
			if (msg == messages->n && o->span[i].message >= 0)
				msg = (size_t)o->span[i].message;
		}
		if (msg == messages->n)
			msg = answer_at(messages, k);
		if (msg < messages->n && want[msg])
			r[n++] = (struct range){ from, to };
	}
	return n;
}

/* The end of O's text without the blanks that the template puts behind it. */
static size_t own_end(const struct template_out *o)
{
	size_t n = o->text.n;

	for (size_t i = o->nspans; i-- > 0 && o->span[i].message == TEMPLATE_OWN;) {
		while (n > o->span[i].start && strchr(" \n\r\t", o->text.p[n - 1]) != NULL && o->text.p[n - 1])
			n--;
		if (n > o->span[i].start)
			break;
	}
	return n;
}

static bool begins(const struct template_out *o, const char *p, size_t n)
{
	return n <= o->text.n && memcmp(o->text.p, p, n) == 0;
}

/* The answer MESSAGE in FULL, by rendering up to it and through it. */
static int range_prefix(const struct chat_template *c, struct vars *v, size_t message, const struct template_out *full, const char *now, struct range *r, struct err *e)
{
	struct template_out before = {0}, with = {0};
	const struct template_out *through = full;
	size_t end;
	int rc = render(c, v, message, true, now, &before, e);

	if (rc == 0 && message + 1 < v->m[0].value.n) {
		rc = render(c, v, message + 1, false, now, &with, e);
		through = &with;
	}
	if (rc != 0) {
		err_in(e, "message %zu: where its answer begins cannot be told, since the messages before it do not render", message);
	} else {
		end = own_end(through);
		if (!begins(through, before.text.p, before.text.n))
			rc = err_set(e, SFT_BADDATA, "message %zu: this template does not write an answer behind what it leaves open for one "
			             "(expected add_generation_prompt to give a prefix, or {%% generation %%} in the template)", message);
		else if (!begins(full, through->text.p, end))
			rc = err_set(e, SFT_BADDATA, "message %zu: this template writes the answer differently once more messages follow "
			             "(try --train-on last, or a template with {%% generation %%})", message);
		*r = (struct range){ before.text.n, end > before.text.n ? end : before.text.n };
	}
	template_out_free(&before);
	template_out_free(&with);
	return rc;
}

static int ranges_prefix(const struct chat_template *c, struct vars *v, const bool *want, const struct template_out *full, const char *now, struct range *r, size_t *n, struct err *e)
{
	int rc = 0;

	*n = 0;
	for (size_t i = 0; i < v->m[0].value.n && rc == 0; i++)
		if (want[i] && (rc = range_prefix(c, v, i, full, now, &r[*n], e)) == 0)
			++*n;
	return rc;
}

static bool says_something(const struct json *m)
{
	const struct json *content = json_get(m, "content"), *calls = json_get(m, "tool_calls");

	return (has_value(content) && content->n > 0) || (has_value(calls) && calls->n > 0);
}

/* A trained message of which nothing is in the text would be lost in silence: a template without tools drops their calls. */
static int check_heard(const struct template_out *o, const struct json *messages, const bool *want, bool *heard, struct err *e)
{
	memset(heard, 0, messages->n + 1);
	for (size_t i = 0; i < o->nspans; i++)
		if (o->span[i].message >= 0)
			heard[o->span[i].message] = true;
	for (size_t i = 0; i < messages->n; i++)
		if (want[i] && !heard[i] && is_answer(&messages->item[i]) && says_something(&messages->item[i]))
			return err_set(e, SFT_BADDATA, "message %zu: this template writes nothing of what it says%s", i,
			               has_value(json_get(&messages->item[i], "tool_calls")) ? " (it knows no tool calls)" : "");
	return 0;
}

static int find_ranges(const struct chat_template *c, const struct json *record, struct vars *v, enum chat_train train, const struct template_out *o,
                       const char *now, struct arena *a, struct range **r, size_t *n, struct err *e)
{
	const struct json *messages = json_get(record, "messages");
	bool *want = arena_get(a, messages->n + 1);
	int rc = wanted(messages, train, want, e);

	*n = 0;
	if (rc != 0 || (rc = check_heard(o, messages, want, arena_get(a, messages->n + 1), e)) != 0)
		return rc;
	*r = arena_get(a, (o->nspans + messages->n + 1) * sizeof **r);
	if (train == CHAT_ALL)
		*n = ranges_all(o, want, *r);
	else if (o->has_generation)
		*n = ranges_generation(o, messages, want, *r);
	else
		rc = ranges_prefix(c, v, want, o, now, *r, n, e);
	return rc;
}

int chat_render(const struct chat_template *c, const struct json *record, bool generate, enum chat_train train, struct arena *a, struct chat_text *out, struct err *e)
{
	struct template_out o = {0};
	struct vars v;
	struct range *r = NULL;
	char clock[32];
	const char *now = now_of(record, clock);
	size_t n = 0;
	int rc = set_vars(c, record, false, &v, a, e);

	if (rc == 0 && (rc = render(c, &v, v.m[0].value.n, generate, now, &o, e)) == 0) {
		if (!generate)
			rc = find_ranges(c, record, &v, train, &o, now, a, &r, &n, e);
		if (rc == 0)
			give(&o, r, n, out);
	}
	template_out_free(&o);
	return rc;
}

/* --- as the record asks for it --- */

static bool is_true(const struct json *v)
{
	return v != NULL && v->type == JSON_BOOL && v->b;
}

/* Cut O where TAG begins: the last message goes on from there.  A template that trims its messages leaves no blank behind the tag; then
 * those before it go, too. */
static int cut_at_tag(struct template_out *o, struct err *e)
{
	static const char tag[] = TAG;
	size_t n = sizeof tag - 2, at = o->text.n + 1;

	for (size_t i = o->text.n >= n ? o->text.n - n + 1 : 0; i-- > 0 && at > o->text.n;)
		if (memcmp(o->text.p + i, tag, n) == 0)
			at = i;
	if (at > o->text.n)
		return err_set(e, SFT_BADDATA, "continue_final_message: the last message is not in the rendered text");
	if (at + n >= o->text.n || o->text.p[at + n] != ' ')
		while (at > 0 && strchr(" \n\r\t", o->text.p[at - 1]) != NULL)
			at--;
	o->text.n = at;
	o->text.p[at] = 0;
	while (o->nspans && o->span[o->nspans - 1].start >= at)
		o->nspans--;
	if (o->nspans)
		o->span[o->nspans - 1].end = at;
	return 0;
}

int chat_render_record(const struct chat_template *c, const struct json *record, struct arena *a, struct chat_text *out, struct err *e)
{
	struct template_out o = {0};
	struct vars v;
	char clock[32];
	bool tagged = is_true(json_get(record, "continue_final_message")), open = is_true(json_get(record, "add_generation_prompt"));
	int rc;

	if (tagged && open)
		return err_set(e, SFT_BADDATA, "continue_final_message and add_generation_prompt exclude each other");
	if ((rc = set_vars(c, record, tagged, &v, a, e)) != 0)
		return rc;
	rc = render(c, &v, v.m[0].value.n, open, now_of(record, clock), &o, e);
	if (rc == 0 && tagged)
		rc = cut_at_tag(&o, e);
	if (rc == 0)
		give(&o, NULL, 0, out);
	template_out_free(&o);
	return rc;
}

void chat_text_free(struct chat_text *t)
{
	buf_free(&t->text);
	mem_free(t->span);
	memset(t, 0, sizeof *t);
}
