/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a table gathered into dialogues. */
#include "turns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "keycols.h"

#define NONE UINT32_MAX

enum role { ROLE_NONE, ROLE_USER, ROLE_ASSISTANT, ROLE_SYSTEM, ROLE_TOOL };
static const char *const role_names[] = { "", "user", "assistant", "system", "tool" };

struct turn {
	uint64_t at;                   /* place of the row in the scratch file */
	double number;
	uint32_t next, speaker;        /* next turn of its dialogue, NONE: the last */
};

struct dialogue {
	uint32_t first, last, n;
	uint64_t bytes;
	const char *reason;            /* NULL: all its rows are turns */
};

struct speaker {
	enum role role;
	const char *file;              /* of the first turn */
	uint64_t line;
};

/* --- roles --- */

static enum role role_called(const char *name)
{
	for (int i = ROLE_USER; i <= ROLE_TOOL; i++)
		if (strcmp(role_names[i], name) == 0)
			return (enum role)i;
	return ROLE_NONE;
}

static int give_role(struct turns *t, const char *word, struct err *e)
{
	const char *equals = strrchr(word, '=');
	enum role role = equals ? role_called(equals + 1) : ROLE_NONE;
	bool added = true;

	if (equals == NULL || equals == word)
		return err_set(e, SFT_USAGE, "--roles: '%s' (expected SPEAKER=ROLE)", word);
	if (role == ROLE_NONE)
		return err_set(e, SFT_USAGE, "--roles: '%s' is no role (expected user, assistant, system or tool)", equals + 1);
	if (equals == word + 1 && *word == '*') {
		added = t->other == ROLE_NONE;
		t->other = (int)role;
	} else {
		strmap_put(&t->given, word, (size_t)(equals - word), role, &added);
	}
	return added ? 0 : err_set(e, SFT_USAGE, "--roles: '%.*s' has two roles", (int)(equals - word), word);
}

/* What a speaker is called in most tables, in any case; "system" is seen to in turns_ready(). */
static enum role usual_role(const char *name)
{
	static const struct { const char *name; enum role role; } usual[] = {
		{ "user", ROLE_USER }, { "human", ROLE_USER }, { "customer", ROLE_USER }, { "client", ROLE_USER }, { "caller", ROLE_USER },
		{ "patient", ROLE_USER }, { "用户", ROLE_USER }, { "客户", ROLE_USER }, { "患者", ROLE_USER },
		{ "assistant", ROLE_ASSISTANT }, { "agent", ROLE_ASSISTANT }, { "bot", ROLE_ASSISTANT }, { "gpt", ROLE_ASSISTANT },
		{ "model", ROLE_ASSISTANT }, { "advisor", ROLE_ASSISTANT }, { "operator", ROLE_ASSISTANT }, { "doctor", ROLE_ASSISTANT },
		{ "助手", ROLE_ASSISTANT }, { "客服", ROLE_ASSISTANT }, { "坐席", ROLE_ASSISTANT }, { "医生", ROLE_ASSISTANT },
		{ "system", ROLE_SYSTEM }, { "tool", ROLE_TOOL },
	};

	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
		if (strcasecmp(usual[i].name, name) == 0)
			return usual[i].role;
	return ROLE_NONE;
}

/* --- rows in --- */

int turns_init(struct turns *t, const struct turns_opts *o, const char *dir, struct err *e)
{
	struct wordlist w = {0};
	int rc = 0;

	memset(t, 0, sizeof *t);
	t->o = *o;
	arena_init(&t->a);
	recspill_init(&t->rows, dir);
	if (o->roles)
		wordlist_split(&w, o->roles, &t->a);
	for (size_t i = 0; i < w.n && rc == 0; i++)
		rc = give_role(t, w.v[i], e);
	mem_free(w.v);
	return rc;
}

void turns_release(struct turns *t)
{
	recspill_release(&t->rows);
	buf_free(&t->packed);
	mem_free(t->d);
	mem_free(t->t);
	mem_free(t->s);
	strmap_free(&t->ids);
	strmap_free(&t->speakers);
	strmap_free(&t->given);
	strmap_free(&t->left_out);
	namesets_free(&t->sets);
	arena_release(&t->a);
}

/* Field of role I in R (0 dialogue, 1 turn, 2 speaker, 3 text): a text or number that is not empty, else NULL. */
static const struct field *cell(const struct turns *t, const struct rec *r, int i)
{
	const struct field *f = t->col[i] < 0 ? NULL : &r->f[t->col[i]];
	bool number = f && f->type == FIELD_JSON && f->n && (f->p[0] == '-' || (f->p[0] >= '0' && f->p[0] <= '9'));

	return f && f->n && (f->type == FIELD_TEXT || number) ? f : NULL;
}

static void find_columns(struct turns *t, const struct names *names)
{
	const char *const name[TURN_COLUMNS] = { t->o.dialogue, t->o.turn, t->o.speaker, t->o.text };

	if (t->names == names)
		return;
	t->names = names;
	for (int i = 0; i < TURN_COLUMNS; i++)
		t->col[i] = name[i] ? rec_column(names, name[i]) : -1;
}

static int turn_number(const struct turns *t, const struct rec *r, double *number, struct fault *f)
{
	const struct field *cell_of = cell(t, r, 1);
	struct err ignored = {0};
	char text[64];

	if (cell_of == NULL)
		return fault_set(f, "bad turn number", "no number in column '%s'", t->o.turn);
	if (cell_of->n < sizeof text) {
		memcpy(text, cell_of->p, cell_of->n);
		text[cell_of->n] = 0;
		if (opt_number(text, -1e15, 1e15, number, &ignored) == 0)
			return 0;
	}
	return fault_set(f, "bad turn number", "turn '%.*s' is no number (column '%s')", cell_of->n < 60 ? (int)cell_of->n : 60, cell_of->p, t->o.turn);
}

static uint32_t speaker_number(struct turns *t, const struct rec *r, const struct field *name)
{
	bool added;
	uint32_t i = (uint32_t)strmap_put(&t->speakers, name->p, name->n, t->speakers.n, &added)->value;

	if (added) {
		ARRAY_ROOM(t->s, t->ns, t->s_cap);
		t->s[t->ns++] = (struct speaker){ ROLE_NONE, r->file, r->line };
	}
	return i;
}

static struct dialogue *dialogue_of(struct turns *t, const struct field *id)
{
	bool added;
	uint32_t i = (uint32_t)strmap_put(&t->ids, id->p, id->n, t->ids.n, &added)->value;

	if (added) {
		ARRAY_ROOM(t->d, t->nd, t->d_cap);
		t->d[t->nd++] = (struct dialogue){ .first = NONE, .last = NONE };
	}
	return &t->d[i];
}

/* What R says as a turn: its number and speaker. */
static int read_turn(struct turns *t, const struct rec *r, struct turn *turn, struct fault *f)
{
	const struct field *speaker = cell(t, r, 2);

	if (speaker == NULL)
		return fault_set(f, "no speaker", "no speaker (column '%s')", t->o.speaker);
	turn->speaker = speaker_number(t, r, speaker);
	if (cell(t, r, 3) == NULL)
		return fault_set(f, "empty turn", "the turn says nothing (column '%s')", t->o.text);
	return t->o.turn ? turn_number(t, r, &turn->number, f) : 0;
}

int turns_add(struct turns *t, const struct rec *r, bool *kept, struct fault *f)
{
	struct turn turn = { .at = recspill_place(&t->rows), .next = NONE, .speaker = NONE };
	const struct field *id;
	struct dialogue *d;
	int rc, bad;

	find_columns(t, r->names);
	*kept = (id = cell(t, r, 0)) != NULL;
	if (id == NULL)
		return fault_set(f, "no dialogue", "no dialogue is named (column '%s')", t->o.dialogue);
	if (t->nt >= NONE - 1)
		return err_set(f->e, SFT_SYSTEM, "more than 4294967294 turns");
	d = dialogue_of(t, id);
	bad = read_turn(t, r, &turn, f);
	if (bad && d->reason == NULL)
		d->reason = f->reason;
	if ((rc = recspill_put(&t->rows, r, &t->packed, f->e)) != 0)
		return rc;
	ARRAY_ROOM(t->t, t->nt, t->t_cap);
	t->t[t->nt] = turn;
	*(d->first == NONE ? &d->first : &t->t[d->last].next) = (uint32_t)t->nt;
	d->last = (uint32_t)t->nt++;
	d->bytes += t->packed.n;
	d->n++;
	return bad;
}

static void name_unknown(const struct turns *t, struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < t->ns; i++) {
		if (t->s[i].role != ROLE_NONE)
			continue;
		if (n == 0)
			buf_fmt(out, "%s:%llu: unknown speaker", t->s[i].file, (unsigned long long)t->s[i].line);
		if (n < 8)
			buf_fmt(out, "%s '%.60s'", n ? "," : "", t->speakers.e[i].key);
		n++;
	}
	if (n > 8)
		buf_fmt(out, " and %zu more", n - 8);
	if (n)
		buf_str(out, " (give --roles SPEAKER=user,SPEAKER=assistant)");
}

/* In tables of people and dialogue systems "system" answers: so it is the assistant where nobody else is. */
int turns_ready(struct turns *t, struct buf *unknown, struct err *e)
{
	bool answered = false;

	for (size_t i = 0; i < t->ns; i++) {
		const struct strmap_entry *name = &t->speakers.e[i], *given = strmap_find(&t->given, name->key, name->n);
		t->s[i].role = given ? (enum role)given->value : strlen(name->key) == name->n ? usual_role(name->key) : ROLE_NONE;
		if (t->s[i].role == ROLE_NONE)
			t->s[i].role = (enum role)t->other;
		answered |= t->s[i].role == ROLE_ASSISTANT;
	}
	for (size_t i = 0; i < t->ns && !answered; i++)
		if (t->s[i].role == ROLE_SYSTEM && strmap_find(&t->given, t->speakers.e[i].key, t->speakers.e[i].n) == NULL)
			t->s[i].role = ROLE_ASSISTANT;
	name_unknown(t, unknown);
	return recspill_rewind(&t->rows, e);
}

/* --- dialogues out --- */

/* One dialogue at hand. */
struct gathered {
	struct turns *t;
	struct arena *a;
	const struct dialogue *d;
	struct field id;
	const struct turn **turn;      /* d->n, in order */
	struct rec *row;               /* of each */
	struct talk talk;
};

/* By number; turns of one number keep the order of their rows, which is that of their places. */
static int by_number(const void *x, const void *y)
{
	const struct turn *a = *(const struct turn *const *)x, *b = *(const struct turn *const *)y;

	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

static int load(struct gathered *g, struct err *e)
{
	uint32_t n = 0;
	int rc = 0;

	g->turn = arena_get(g->a, g->d->n * sizeof *g->turn);
	g->row = arena_get(g->a, g->d->n * sizeof *g->row);
	for (uint32_t i = g->d->first; i != NONE; i = g->t->t[i].next)
		g->turn[n++] = &g->t->t[i];
	qsort(g->turn, n, sizeof *g->turn, by_number);
	for (uint32_t i = 0; i < n && rc == 0; i++)
		rc = recspill_at(&g->t->rows, g->turn[i]->at, &g->row[i], g->a, e);
	return rc;
}

static enum role role_of(const struct gathered *g, uint32_t i)
{
	return g->turn[i]->speaker == NONE ? ROLE_NONE : g->t->s[g->turn[i]->speaker].role;
}

static const struct field *text_of(const struct gathered *g, uint32_t i)
{
	find_columns(g->t, g->row[i].names);
	return cell(g->t, &g->row[i], 3);
}

static int check(const struct gathered *g, struct fault *f)
{
	uint32_t n = g->d->n, answers = 0, users = 0;

	if (g->d->reason)
		return fault_set(f, g->d->reason, "a row is no turn: %s", g->d->reason);
	for (uint32_t i = 0; i < n; i++) {
		if (role_of(g, i) == ROLE_NONE)
			return fault_set(f, "unknown speaker", "unknown speaker '%.60s'", g->t->speakers.e[g->turn[i]->speaker].key);
		if (i && g->t->o.turn && g->turn[i]->number == g->turn[i - 1]->number && g->turn[i]->speaker != g->turn[i - 1]->speaker)
			return fault_set(f, "turn number twice", "two speakers have turn number %g", g->turn[i]->number);
		answers += role_of(g, i) == ROLE_ASSISTANT;
		users += role_of(g, i) == ROLE_USER;
	}
	if (answers == 0)
		return fault_set(f, "no answer", "no turn of the assistant");
	return users ? 0 : fault_set(f, "no user", "no turn of the user");
}

/* Turns [I, END) of one role as one message. */
static void add_message(struct gathered *g, uint32_t i, uint32_t end)
{
	struct buf b = {0};
	enum role role = role_of(g, i);

	for (uint32_t k = i; k < end; k++) {
		const struct field *text = text_of(g, k);
		if (k > i)
			buf_ch(&b, '\n');
		buf_add(&b, text->p, text->n);
	}
	talk_add(&g->talk, g->a, role_names[role], jtext(arena_str(g->a, b.p, b.n), b.n));
	g->t->merged += end - i - 1;
	buf_free(&b);
}

static void make_messages(struct gathered *g)
{
	uint32_t n = g->d->n, end;

	while (role_of(g, n - 1) != ROLE_ASSISTANT)
		n--;
	g->t->cut += g->d->n - n;
	for (uint32_t i = 0; i < n; i = end) {
		for (end = i + 1; end < n && role_of(g, end) == role_of(g, i); )
			end++;
		add_message(g, i, end);
	}
}

static struct field json_field(struct arena *a, const struct buf *b)
{
	return (struct field){ arena_str(a, b->p, b->n), b->n, FIELD_JSON };
}

/* Does column NAME say FIRST in all rows? */
static bool constant(const struct gathered *g, const char *name, const struct field *first)
{
	for (uint32_t i = 1; i < g->d->n; i++) {
		int at = rec_column(g->row[i].names, name);
		const struct field *f = at < 0 ? NULL : &g->row[i].f[at];
		if (f == NULL || f->type != first->type || f->n != first->n || memcmp(f->p, first->p, f->n) != 0)
			return false;
	}
	return true;
}

/* Is column NAME part of the chat record already?  (The dialogue's column is only where it is called id.) */
static bool is_part(const struct turns *t, const char *name)
{
	if (strcmp(name, t->o.dialogue) == 0)
		return strcmp(name, "id") == 0;
	return (t->o.turn && strcmp(name, t->o.turn) == 0) || strcmp(name, t->o.speaker) == 0 || strcmp(name, t->o.text) == 0;
}

/* Columns of rows that do not say what the first row has, by name: what is left out is told at the end. */
static void others(const struct gathered *g)
{
	const struct names *first = g->row[0].names;

	for (uint32_t i = 1; i < g->d->n; i++)
		for (uint32_t c = 0; g->row[i].names != first && c < g->row[i].names->n; c++)
			if (rec_column(first, g->row[i].names->name[c]) < 0 && !is_part(g->t, g->row[i].names->name[c]))
				strmap_put(&g->t->left_out, g->row[i].names->name[c], g->row[i].names->len[c], 0, NULL);
}

/* {"id", "messages", what all rows say alike}. */
static int make_record(struct gathered *g, struct rec *out, struct fault *f)
{
	const struct rec *r = &g->row[0];
	struct json messages = { .type = JSON_ARR, .n = g->talk.n, .item = g->talk.m };
	struct name *name = arena_get(g->a, (r->names->n + 2) * sizeof *name);
	struct field *v = arena_get(g->a, (r->names->n + 2) * sizeof *v);
	struct buf b = {0};
	struct jw w;
	size_t n = 2;

	jw_init(&w, &b);
	jw_value(&w, &messages);
	name[0] = (struct name){ "id", 2 };
	name[1] = (struct name){ "messages", 8 };
	v[0] = g->id;
	v[1] = json_field(g->a, &b);
	buf_free(&b);
	for (uint32_t c = 0; c < r->names->n; c++) {
		const char *key = r->names->name[c];
		if (is_part(g->t, key))
			continue;
		if (strcmp(key, "messages") == 0)
			return fault_set(f, "name taken", "column 'messages' has the name of a part of chat records (rename it first: sft clean --rename)");
		if (strcmp(key, "id") != 0 && constant(g, key, &r->f[c])) {
			name[n] = (struct name){ key, r->names->len[c] };
			v[n++] = r->f[c];
		} else if (g->t->o.slice && strcmp(g->t->o.slice, key) == 0) {
			return fault_set(f, "slice differs", "column '%s' of --slice differs within the dialogue", key);
		} else {
			strmap_put(&g->t->left_out, key, r->names->len[c], 0, NULL);
		}
	}
	others(g);
	out->names = names_get(&g->t->sets, name, n);
	out->f = v;
	return 0;
}

/* {"id", "turns": [rows]}: what a bad dialogue was. */
static void make_reject(const struct gathered *g, bool loaded, struct rec *out)
{
	static const struct name names[] = { { "id", 2 }, { "turns", 5 } };
	struct field *v = arena_get(g->a, 2 * sizeof *v);
	struct buf b = {0};
	struct jw w;

	jw_init(&w, &b);
	jw_arr(&w);
	for (uint32_t i = 0; loaded && i < g->d->n; i++) {
		const struct rec *r = &g->row[i];
		jw_obj(&w);
		for (uint32_t c = 0; c < r->names->n; c++) {
			jw_keyn(&w, r->names->name[c], r->names->len[c]);
			if (r->f[c].type == FIELD_JSON)
				jw_raw(&w, r->f[c].p, r->f[c].n);
			else
				jw_strn(&w, r->f[c].p, r->f[c].n);
		}
		jw_obj_end(&w);
	}
	jw_arr_end(&w);
	v[0] = g->id;
	v[1] = json_field(g->a, &b);
	buf_free(&b);
	out->names = names_get(&g->t->sets, names, 2);
	out->f = v;
}

int turns_next(struct turns *t, struct arena *a, struct rec *out, bool *more, struct fault *f)
{
	struct gathered g = { .t = t, .a = a };
	struct rec first;
	int rc;

	*more = t->at < t->nd;
	if (!*more)
		return 0;
	g.d = &t->d[t->at];
	g.id = (struct field){ t->ids.e[t->at].key, t->ids.e[t->at].n, FIELD_TEXT };
	if ((rc = recspill_at(&t->rows, t->t[g.d->first].at, &first, a, f->e)) != 0)
		return rc;
	*out = first;
	out->num = t->at++;
	if (g.d->bytes > t->o.max) {
		make_reject(&g, false, out);
		return fault_set(f, "too long", "%llu bytes in %u turns (expected at most %llu: --max-record)", (unsigned long long)g.d->bytes, g.d->n,
		                 (unsigned long long)t->o.max);
	}
	if ((rc = load(&g, f->e)) != 0)
		return rc;
	if ((rc = check(&g, f)) == 0) {
		make_messages(&g);
		rc = make_record(&g, out, f);
	}
	if (rc == SFT_BADDATA)
		make_reject(&g, true, out);
	return rc;
}
