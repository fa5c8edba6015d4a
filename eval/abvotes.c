/* SPDX-License-Identifier: Apache-2.0 */
#include "abvotes.h"

#include <stdlib.h>
#include <string.h>

#include "bradley.h"
#include "fieldtext.h"

#define NO_KEY UINT64_MAX

struct columns {
	const struct names *names;
	int row, id, left, right, winner, voter;
};

static void find_columns(struct columns *c, const struct names *names)
{
	if (c->names == names)
		return;
	c->names = names;
	c->row = rec_column(names, "row");
	c->id = rec_column(names, "id");
	c->left = rec_column(names, "model_a");
	c->right = rec_column(names, "model_b");
	c->winner = rec_column(names, "winner");
	c->voter = rec_column(names, "voter");
}

static int number_of(struct strmap *m, struct text name, size_t limit, uint32_t *out, struct err *e)
{
	struct strmap_entry *x = strmap_put(m, name.p, name.n, m->n, NULL);

	*out = (uint32_t)x->value;
	return m->n <= limit ? 0 : err_set(e, SFT_BADDATA, "more than %zu systems", limit);
}

/* --- the key --- */

static int key_row(struct ab_votes *v, const struct rec *r, struct err *e)
{
	uint32_t row_at, left_at, right_at, left, right;
	struct text name;
	bool added;
	int rc;

	if ((rc = rec_need(r->names, "row", &row_at, e)) != 0 || (rc = rec_need(r->names, "left", &left_at, e)) != 0 ||
	    (rc = rec_need(r->names, "right", &right_at, e)) != 0 ||
	    (rc = number_of(&v->system, field_text(r, (int)left_at), BRADLEY_MAX, &left, e)) != 0 ||
	    (rc = number_of(&v->system, field_text(r, (int)right_at), BRADLEY_MAX, &right, e)) != 0)
		return rc;
	if (left == right)
		return err_set(e, SFT_BADDATA, "left and right are one system");
	name = field_text(r, (int)row_at);
	strmap_put(&v->row, name.p, name.n, v->row.n, &added);
	if (!added)
		return err_set(e, SFT_BADDATA, "row '%.*s' stands there twice", (int)name.n, name.p);
	ARRAY_ROOM(v->key, v->nkey, v->key_cap);
	v->key[v->nkey++] = (uint64_t)left << 16 | right;
	return 0;
}

int ab_read_key(struct ab_votes *v, struct recin *in, struct err *e)
{
	struct rec *r;
	int rc;

	while ((rc = rec_read(in, &r, e)) == 0 && r)
		if ((rc = key_row(v, r, e)) != 0)
			return err_in(e, "%s:%llu", r->file, (unsigned long long)r->line);
	return rc;
}

/* --- votes --- */

static bool is(struct text t, const char *word)
{
	return t.n == strlen(word) && strncasecmp(t.p, word, t.n) == 0;
}

/* Words first, then the names of the systems. */
static int winner_of(const struct ab_votes *v, struct text t, uint32_t left, uint32_t right, enum ab_winner *out, struct err *e)
{
	static const struct {
		const char *word;
		enum ab_winner winner;
	} words[] = { { "left", AB_LEFT }, { "right", AB_RIGHT }, { "tie", AB_TIE }, { "a", AB_LEFT }, { "b", AB_RIGHT }, { "model_a", AB_LEFT },
	              { "model_b", AB_RIGHT }, { "tie (bothbad)", AB_TIE } };
	const struct strmap_entry *x;

	for (size_t k = 0; k < sizeof words / sizeof *words; k++)
		if (is(t, words[k].word)) {
			*out = words[k].winner;
			return 0;
		}
	x = v->nkey ? NULL : strmap_find(&v->system, t.p, t.n);
	if (x && (x->value == left || x->value == right)) {
		*out = x->value == left ? AB_LEFT : AB_RIGHT;
		return 0;
	}
	return err_set(e, SFT_BADDATA, "winner '%.*s' (expected %s)", (int)t.n, t.p, v->nkey ? "left, right or tie" : "a, b or tie");
}

/* A row of a table is an id (or a line) and two systems, in whichever order they stand. */
static uint32_t table_row(struct ab_votes *v, struct text id, uint64_t line, uint32_t left, uint32_t right)
{
	uint32_t pair[2] = { left < right ? left : right, left < right ? right : left };
	struct buf key = { 0 };
	uint32_t row;

	if (id.n)
		buf_add(&key, id.p, id.n);
	else
		buf_fmt(&key, "%llu", (unsigned long long)line);
	buf_ch(&key, '\0');                     /* messages end here */
	buf_add(&key, pair, sizeof pair);
	row = (uint32_t)strmap_put(&v->row, key.p, key.n, v->row.n, NULL)->value;
	buf_free(&key);
	return row;
}

/* The systems of a vote, from the key, the columns, or A and B; and its row. */
static int sides(struct ab_votes *v, const struct columns *c, const struct rec *r, struct ab_vote *x, uint32_t *left, uint32_t *right, struct err *e)
{
	struct text row = field_text(r, c->row >= 0 ? c->row : c->id);
	struct strmap_entry *at;
	int rc;

	if (v->nkey) {
		if (c->row < 0)
			return err_set(e, SFT_BADDATA, "no column 'row' (expected a sheet of ab make)");
		if ((at = strmap_find(&v->row, row.p, row.n)) == NULL)
			return err_set(e, SFT_BADDATA, "row '%.*s' is not in the key", (int)row.n, row.p);
		x->row = (uint32_t)at->value;
		*left = (uint32_t)(v->key[at->value] >> 16);
		*right = (uint32_t)(v->key[at->value] & 0xffff);
		return 0;
	}
	if (c->left < 0 && c->right < 0 && c->row >= 0 && c->id < 0)
		return err_set(e, SFT_BADDATA, "a sheet of ab make needs its key (expected --key FILE)");
	if ((rc = number_of(&v->system, c->left >= 0 ? field_text(r, c->left) : (struct text){ "A", 1 }, BRADLEY_MAX, left, e)) != 0 ||
	    (rc = number_of(&v->system, c->right >= 0 ? field_text(r, c->right) : (struct text){ "B", 1 }, BRADLEY_MAX, right, e)) != 0)
		return rc;
	x->row = table_row(v, row, r->line, *left, *right);
	return *left == *right ? err_set(e, SFT_BADDATA, "a vote between a system and itself") : 0;
}

static int add_vote(struct ab_votes *v, const struct columns *c, const struct rec *r, bool several, struct err *e)
{
	struct text winner = field_text(r, c->winner), who = field_text(r, c->voter);
	struct ab_vote x = { 0 };
	uint32_t left = 0, right = 0;
	int rc;

	if (c->winner < 0)
		return err_set(e, SFT_BADDATA, "no column 'winner' (expected a sheet of ab make, or model_a, model_b, winner)");
	if ((rc = sides(v, c, r, &x, &left, &right, e)) != 0)
		return rc;
	if (winner.n == 0) {
		v->empty++;
		return 0;
	}
	if ((rc = winner_of(v, winner, left, right, &x.winner, e)) != 0)
		return rc;
	if (c->voter < 0)
		who = (struct text){ r->file, strlen(r->file) };
	v->named |= c->voter >= 0 || several;
	x.voter = (uint32_t)strmap_put(&v->voter, who.p, who.n, v->voter.n, NULL)->value;
	v->left += x.winner == AB_LEFT;
	v->right += x.winner == AB_RIGHT;
	v->ties += x.winner == AB_TIE;
	x.left = (uint16_t)left;
	x.right = (uint16_t)right;
	if (!v->nkey && left > right) {         /* votes on one row look the same way */
		x.left = (uint16_t)right;
		x.right = (uint16_t)left;
		x.winner = x.winner == AB_TIE ? AB_TIE : x.winner == AB_LEFT ? AB_RIGHT : AB_LEFT;
	}
	ARRAY_ROOM(v->v, v->n, v->cap);
	v->v[v->n++] = x;
	return 0;
}

static int by_row(const void *a, const void *b)
{
	const struct ab_vote *x = a, *y = b;

	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return (x->voter > y->voter) - (x->voter < y->voter);
}

int ab_read_votes(struct ab_votes *v, struct recin *in, bool several, struct err *e)
{
	struct columns c = { 0 };
	struct rec *r;
	int rc;

	while ((rc = rec_read(in, &r, e)) == 0 && r) {
		find_columns(&c, r->names);
		if ((rc = add_vote(v, &c, r, several, e)) != 0)
			return err_in(e, "%s:%llu", r->file, (unsigned long long)r->line);
	}
	if (rc || v->n == 0)
		return rc;
	qsort(v->v, v->n, sizeof *v->v, by_row);
	for (size_t k = 1; k < v->n && (v->named || v->nkey); k++)
		if (by_row(&v->v[k - 1], &v->v[k]) == 0)
			return err_set(e, SFT_BADDATA, "voter '%s' has two votes on row '%s'", v->voter.e[v->v[k].voter].key, v->row.e[v->v[k].row].key);
	return 0;
}

int ab_count(struct ab_votes *v, struct err *e)
{
	size_t n = v->system.n;

	if (v->n == 0)
		return err_set(e, SFT_BADDATA, "no votes (expected a winner in at least one row)");
	if (n < 2)
		return err_set(e, SFT_BADDATA, "votes on one system only (expected two or more)");
	v->wins = mem_new(n * n * sizeof *v->wins);
	v->tied = mem_new(n * n * sizeof *v->tied);
	for (size_t k = 0; k < v->n; k++) {
		const struct ab_vote *x = &v->v[k];

		if (x->winner == AB_TIE) {
			v->tied[x->left * n + x->right]++;
			v->tied[x->right * n + x->left]++;
		} else if (x->winner == AB_LEFT) {
			v->wins[x->left * n + x->right]++;
		} else {
			v->wins[x->right * n + x->left]++;
		}
	}
	return 0;
}

/* --- agreement --- */

void ab_ratings(const struct ab_votes *v, struct ratings *t)
{
	bool shared = false;

	memset(t, 0, sizeof *t);
	for (size_t k = 1; k < v->n; k++)
		shared |= v->v[k].row == v->v[k - 1].row;
	if (!v->named || v->voter.n < 2 || !shared)
		return;
	t->items = (uint32_t)v->row.n;
	t->raters = (uint32_t)v->voter.n;
	t->ncat = 3;
	t->start = mem_new(((size_t)t->items + 1) * sizeof *t->start);
	t->r = mem_new(v->n * sizeof *t->r);
	for (size_t k = 0, row = 0; k < v->n; k++) {
		while (row <= v->v[k].row)
			t->start[row++] = k;
		t->r[k] = (struct rating){ v->v[k].voter, (uint32_t)v->v[k].winner };
	}
	for (size_t row = v->v[v->n - 1].row + 1; row <= t->items; row++)
		t->start[row] = v->n;
}

void ab_votes_free(struct ab_votes *v)
{
	strmap_free(&v->system);
	strmap_free(&v->voter);
	strmap_free(&v->row);
	mem_free(v->v);
	mem_free(v->key);
	mem_free(v->wins);
	mem_free(v->tied);
	memset(v, 0, sizeof *v);
}
