/* SPDX-License-Identifier: Apache-2.0 */
/* Chat records from records: task, examples, templates, rendering. */
#include <stdio.h>
#include <string.h>
#include "hash.h"
#include "prompt.h"

/* --- opening --- */

static int read_file(struct arena *a, const char *path, const char **text, struct err *e)
{
	struct buf at = {0};
	int rc;

	buf_fmt(&at, "@%s", path);
	rc = tool_text_or_file(a, arena_str(a, at.p, at.n), text, e);
	buf_free(&at);
	return rc;
}

static int open_template(struct prompt *p, struct err *e)
{
	const char *text;
	int rc;

	if (p->o->template == NULL)
		return 0;
	if ((rc = read_file(&p->a, p->o->template, &text, e)) != 0)
		return rc;
	if (p->o->task && strstr(text, "task") == NULL)
		return err_set(e, SFT_USAGE, "%s does not use the variable task (leave out --task, or --template)", p->o->template);
	if (p->o->shots && strstr(text, "shots") == NULL)
		return err_set(e, SFT_USAGE, "%s does not use the variable shots (leave out --shots, or --template)", p->o->template);
	return template_open(&p->tmpl, p->o->template, text, strlen(text), e);
}

static int open_vars(struct prompt *p, struct err *e)
{
	int rc;

	if (p->o->vars == NULL)
		return 0;
	if ((rc = json_file(&p->a, p->o->vars, &p->vars, e)) != 0)
		return rc;
	if (p->vars->type != JSON_OBJ)
		return err_set(e, SFT_BADDATA, "%s: not a JSON object (expected {\"name\": value, ...})", p->o->vars);
	return 0;
}

/* The talk of a record as it came, with the text that is asked and the answer, where it has them. */
static int read_talk(struct prompt_work *w, const struct json *obj, struct arena *a, struct talk *t, enum shape *shape, struct fault *f)
{
	const struct prompt_opts *o = w->p->o;
	struct json text;

	*shape = o->input ? SHAPE_COLUMNS : o->shape != SHAPE_AUTO ? (enum shape)o->shape : shape_of(obj);
	if (*shape != SHAPE_COLUMNS)
		return shape_read(*shape, obj, w->parser, a, t, f);
	for (int i = 0; i < (o->output ? 2 : 1); i++) {
		const char *column = i ? o->output : o->input;
		if (json_get(obj, column) == NULL)
			return fault_no_column(f, obj, column);
		if (!value_text(json_get(obj, column), &text))
			return fault_set(f, "not text", "column '%s' is no text", column);
		if (text.n == 0)
			return fault_set(f, i ? "empty output" : "empty input", "column '%s' is empty", column);
		talk_add(t, a, i ? "assistant" : "user", text);
	}
	return 0;
}

/* R, which may be gone at the next, as an example: all of it copied into the pool's arena. */
static int add_shot(struct prompt *p, struct prompt_work *w, const struct rec *r, struct fault *f)
{
	struct arena *a = &p->shots.a;
	struct json obj;
	struct talk t = {0};
	struct shot shot = {0};
	struct buf b = {0};
	struct jw text;
	const struct json *copy, *user, *answer = NULL;
	enum shape shape;
	int rc = record_json(w, r, a, &obj, f);

	if (rc != 0)
		return rc;
	jw_init(&text, &b);
	jw_value(&text, &obj);
	rc = json_parse(w->parser, a, arena_str(a, b.p, b.n), b.n, &copy, f->e);
	buf_free(&b);
	if (rc != 0 || (rc = read_talk(w, copy, a, &t, &shape, f)) != 0)
		return rc;
	user = talk_text(&t, talk_find(&t, "user"));
	if (t.n && json_is(json_get(&t.m[t.n - 1], "role"), "assistant"))
		answer = talk_text(&t, t.n - 1);
	if (user == NULL || answer == NULL)
		return fault_set(f, "no example", "an example needs an input and an output (give --input and --output)");
	shot.input = *user;
	shot.output = *answer;
	if (json_get(copy, "id") != NULL)
		shot.id = *json_get(copy, "id");
	shot.record = jwith(a, copy, "input", shot.input);
	shot.record = jwith(a, &shot.record, "output", shot.output);
	shots_add(&p->shots, &shot);
	return 0;
}

static int read_shots(struct prompt *p, const struct rec_opts *ro, const struct tool *t, struct err *e)
{
	struct rec_opts o = *ro;
	struct recin *in;
	struct rec *r;
	struct fault f = { NULL, e };
	struct prompt_work w;
	int rc;

	o.rejects = o.stats = o.output = NULL;
	o.on_bad = 0;
	if ((rc = rec_open(&in, &p->o->shots, 1, &o, t, e)) != 0)
		return rc;
	prompt_work_open(&w, p);
	while ((rc = rec_read(in, &r, e)) == 0 && r != NULL)
		if ((rc = add_shot(p, &w, r, &f)) != 0) {
			err_in(e, "%s:%llu", r->file, (unsigned long long)r->line);
			break;
		}
	prompt_work_close(&w);
	if (rc != 0) {
		rec_abandon(in);
		return rc;
	}
	if (p->shots.n == 0) {
		rec_abandon(in);
		return err_set(e, SFT_BADDATA, "%s: no examples", p->o->shots);
	}
	shots_ready(&p->shots, (enum select)p->o->select);
	return rec_close(in, e);
}

static int check(const struct prompt_opts *o, struct err *e)
{
	if (o->output && !o->input)
		return err_set(e, SFT_USAGE, "--output needs --input");
	if (o->input && o->output && strcmp(o->input, o->output) == 0)
		return err_set(e, SFT_USAGE, "--input and --output are the same column");
	if (o->input && o->shape != SHAPE_AUTO)
		return err_set(e, SFT_USAGE, "--input does not go with --from alpaca or sharegpt");
	if (o->k >= 0 && !o->shots)
		return err_set(e, SFT_USAGE, "-k needs --shots FILE");
	if (o->select && !o->shots)
		return err_set(e, SFT_USAGE, "--select needs --shots FILE");
	if (o->render != (o->chat_template != NULL))
		return err_set(e, SFT_USAGE, "%s", o->render ? "--render needs --chat-template FILE|NAME|MODEL" : "--chat-template needs --render");
	return 0;
}

int prompt_open(struct prompt *p, const struct prompt_opts *o, const struct rec_opts *ro, const struct tool *t, struct err *e)
{
	int rc;

	memset(p, 0, sizeof *p);
	arena_init(&p->a);
	shots_init(&p->shots);
	p->o = o;
	if ((rc = check(o, e)) != 0 || (rc = open_vars(p, e)) != 0 || (rc = open_template(p, e)) != 0)
		return rc;
	if (o->shots && (rc = read_shots(p, ro, t, e)) != 0)
		return rc;
	return o->render ? chat_open(&p->chat, o->chat_template, NULL, NULL, NULL, NULL, e) : 0;
}

void prompt_close(struct prompt *p)
{
	template_close(p->tmpl);
	chat_close(p->chat);
	shots_free(&p->shots);
	arena_release(&p->a);
}

static size_t shots_wanted(const struct prompt *p)
{
	return (size_t)(p->o->k < 0 ? 3 : p->o->k);
}

void prompt_work_open(struct prompt_work *w, const struct prompt *p)
{
	*w = (struct prompt_work){ .p = p, .parser = json_parser_new(), .similar = p->shots.similar ? similar_share(p->shots.similar) : NULL };
	w->pick = mem_new((shots_wanted(p) + 1) * sizeof *w->pick);
}

void prompt_work_close(struct prompt_work *w)
{
	namesets_free(&w->sets);
	json_parser_free(w->parser);
	similar_free(w->similar);
	mem_free(w->pick);
}

/* --- one record --- */

/* What is at hand while a record is made. */
struct making {
	const struct prompt *p;
	struct prompt_work *w;
	const struct rec *r;
	struct arena *a;
	struct fault *f;
	struct json obj;
	struct talk t;
	enum shape shape;
	size_t nshots;
	const char *task;           /* what of it opens the user message; NULL: nothing */
};

static void choose_shots(struct making *k)
{
	const struct prompt *p = k->p;
	const struct json *id = json_get(&k->obj, "id"), *input = talk_text(&k->t, talk_find(&k->t, "user"));
	size_t want = shots_wanted(p);
	uint64_t key = id && (id->type == JSON_STR || id->type == JSON_NUM) ? hash64(id->s, id->n, 1) : k->r->num;

	if (p->o->shots == NULL)
		return;
	k->nshots = shots_pick(&p->shots, k->w->similar, (enum select)p->o->select, want, p->o->seed, key, id, input, k->w->pick);
	k->w->fewer += k->nshots < want;
}

/* The system message; what is left of the task for the user message. */
static void set_system(struct making *k)
{
	const struct prompt_opts *o = k->p->o;
	size_t at = talk_find(&k->t, "system");
	bool own = at == 0 && k->t.n > 0;
	struct json_member m[] = { JMEMBER("role", jtext("system", 6)), JMEMBER("content", jtext("", 0)) };

	k->task = o->task;
	if (o->system != NULL) {
		m[1].value = jtext(o->system, strlen(o->system));
		if (own)
			k->t.m[0] = jwith(k->a, &k->t.m[0], "content", m[1].value);
		else
			talk_first(&k->t, k->a, jobject(k->a, m, 2));
	} else if (!own && o->task && k->p->tmpl == NULL) {
		m[1].value = jtext(o->task, strlen(o->task));
		talk_first(&k->t, k->a, jobject(k->a, m, 2));
		k->task = NULL;
	}
}

static struct json shots_json(struct making *k)
{
	struct json *v = arena_get(k->a, k->nshots * sizeof *v + 1);

	for (size_t i = 0; i < k->nshots; i++)
		v[i] = k->p->shots.v[k->w->pick[i]].record;
	return (struct json){ .type = JSON_ARR, .n = k->nshots, .item = v };
}

/* The user message by --template. */
static int by_template(struct making *k, const struct json *input, struct json *out)
{
	const struct prompt_opts *o = k->p->o;
	struct template_out text = {0};
	struct json vars = jobject(k->a, NULL, 0);
	int rc;

	for (size_t i = 0; k->p->vars && i < k->p->vars->n; i++)
		vars = jwith(k->a, &vars, k->p->vars->member[i].key, k->p->vars->member[i].value);
	for (size_t i = 0; i < k->obj.n; i++)
		vars = jwith(k->a, &vars, k->obj.member[i].key, k->obj.member[i].value);
	if (input != NULL && json_get(&vars, "input") == NULL)
		vars = jwith(k->a, &vars, "input", *input);
	if (o->task)
		vars = jwith(k->a, &vars, "task", jtext(o->task, strlen(o->task)));
	if (o->system)
		vars = jwith(k->a, &vars, "system", jtext(o->system, strlen(o->system)));
	vars = jwith(k->a, &vars, "shots", shots_json(k));
	rc = template_render(k->p->tmpl, &vars, NULL, &text, k->f->e);
	if (rc == 0)
		*out = jtext(arena_str(k->a, text.text.p, text.text.n), text.text.n);
	else
		k->f->reason = "template error";
	template_out_free(&text);
	return rc;
}

static void add_line(struct buf *b, const char *what, const struct json *text)
{
	buf_str(b, what);
	buf_add(b, text->s, text->n);
	buf_ch(b, '\n');
}

/* Task, examples and INPUT as the user message has them. */
static struct json layout(struct making *k, const struct json *input)
{
	struct buf b = {0};
	struct json out;

	if (k->task != NULL)
		buf_fmt(&b, "%s\n\n", k->task);
	for (size_t i = 0; i < k->nshots; i++) {
		const struct shot *s = &k->p->shots.v[k->w->pick[i]];
		add_line(&b, "input: ", &s->input);
		add_line(&b, "output: ", &s->output);
		buf_ch(&b, '\n');
	}
	if (k->nshots) {
		add_line(&b, "input: ", input);
		buf_str(&b, "output:");
	} else {
		buf_add(&b, input->s, input->n);
	}
	out = jtext(arena_str(k->a, b.p ? b.p : "", b.n), b.n);
	buf_free(&b);
	return out;
}

static int set_user(struct making *k)
{
	size_t at = talk_find(&k->t, "user");
	const struct json *input = talk_text(&k->t, at);
	struct json text;
	int rc;

	if (k->p->tmpl != NULL) {
		struct talk t = {0};
		bool answered = k->t.n && json_is(json_get(&k->t.m[k->t.n - 1], "role"), "assistant");
		if ((rc = by_template(k, input, &text)) != 0)
			return rc;
		if (k->t.n && json_is(json_get(&k->t.m[0], "role"), "system"))
			talk_put(&t, k->a, k->t.m[0]);
		talk_add(&t, k->a, "user", text);
		if (answered)
			talk_put(&t, k->a, k->t.m[k->t.n - 1]);
		t.tools = k->t.tools;
		k->t = t;
		return 0;
	}
	if (k->task == NULL && k->nshots == 0)
		return 0;
	if (input == NULL)
		return fault_set(k->f, "no user text", "no user message with a text to put the task or examples into");
	k->t.m[at] = jwith(k->a, &k->t.m[at], "content", layout(k, input));
	return 0;
}

/* {{name}} or {{ name }} at P, NAME being in VARS: its text, and the bytes it takes in *USED. */
static bool placeholder(const struct json *vars, const char *p, const char *end, struct json *text, size_t *used)
{
	const char *close = end - p > 4 ? memmem(p, (size_t)(end - p < 200 ? end - p : 200), "}}", 2) : NULL, *from = p + 2, *to = close;

	if (close == NULL)
		return false;
	while (from < to && *from == ' ')
		from++;
	while (to > from && to[-1] == ' ')
		to--;
	*used = (size_t)(close + 2 - p);
	for (size_t i = 0; i < vars->n; i++)
		if (vars->member[i].nkey == (size_t)(to - from) && memcmp(vars->member[i].key, from, (size_t)(to - from)) == 0)
			return value_text(&vars->member[i].value, text);
	return false;
}

/* Placeholders of --vars in what the messages say. */
static void fill_in(struct making *k)
{
	for (size_t i = 0; k->p->vars && i < k->t.n; i++) {
		const struct json *c = talk_text(&k->t, i);
		struct buf b = {0};
		struct json text;
		size_t at = 0, used;

		for (size_t j = 0; c && j + 1 < c->n;) {
			if (c->s[j] != '{' || c->s[j + 1] != '{' || !placeholder(k->p->vars, c->s + j, c->s + c->n, &text, &used)) {
				j++;
				continue;
			}
			buf_add(&b, c->s + at, j - at);
			buf_add(&b, text.s, text.n);
			at = j += used;
		}
		if (at > 0) {
			buf_add(&b, c->s + at, c->n - at);
			k->t.m[i] = jwith(k->a, &k->t.m[i], "content", jtext(arena_str(k->a, b.p, b.n), b.n));
		}
		buf_free(&b);
	}
}

static int make_talk(struct making *k)
{
	int rc = read_talk(k->w, &k->obj, k->a, &k->t, &k->shape, k->f);

	if (rc != 0)
		return rc;
	choose_shots(k);
	set_system(k);
	if ((rc = set_user(k)) != 0)
		return rc;
	fill_in(k);
	return 0;
}

static int render(struct making *k, const struct json *chat, struct rec *out)
{
	struct chat_text text = {0};
	int rc = chat_render_record(k->p->chat, chat, k->a, &text, k->f->e);

	if (rc == 0)
		record_one(k->w, k->r, &k->obj, "text", (struct field){ arena_str(k->a, text.text.p, text.text.n), text.text.n, FIELD_TEXT }, k->a, out);
	else
		k->f->reason = "cannot be rendered";
	chat_text_free(&text);
	return rc;
}

/* A chat record that is only to be rendered is taken as it is. */
static bool as_it_is(const struct making *k)
{
	const struct prompt_opts *o = k->p->o;

	return o->render && !o->task && !o->system && !o->input && !o->template && !o->shots && !o->vars && o->shape == SHAPE_AUTO && json_get(&k->obj, "messages");
}

int prompt_record(struct prompt_work *w, const struct rec *r, struct arena *a, struct rec *out, struct fault *f)
{
	struct making k = { .p = w->p, .w = w, .r = r, .a = a, .f = f };
	int rc = record_json(w, r, a, &k.obj, f);

	if (rc != 0)
		return rc;
	if (as_it_is(&k))
		return render(&k, &k.obj, out);
	if ((rc = make_talk(&k)) != 0)
		return rc;
	if (!k.p->o->render)
		return record_chat(w, r, &k.obj, k.shape, &k.t, a, out, f);
	struct json chat = jwith(a, &k.obj, "messages", (struct json){ .type = JSON_ARR, .n = k.t.n, .item = k.t.m });
	return render(&k, k.t.tools ? &(struct json[]){ jwith(a, &chat, "tools", *k.t.tools) }[0] : &chat, out);
}

void prompt_error(struct prompt_work *w, const struct rec *r, const char *msg, struct arena *a, struct rec *out)
{
	struct err ignored = {0};
	struct fault f = { NULL, &ignored };
	struct json obj = { .type = JSON_OBJ };
	size_t n = strlen(msg);

	if (record_json(w, r, a, &obj, &f) != 0)
		obj = (struct json){ .type = JSON_OBJ };
	record_one(w, r, &obj, "error", (struct field){ arena_str(a, msg, n), n, FIELD_TEXT }, a, out);
}
