/* SPDX-License-Identifier: Apache-2.0 */
#include "tunedb.h"

#include <errno.h>
#include <math.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

enum { PUT_TRIAL, PUT_CHOICE, PUT_RUNG, PUTS };

struct tunedb {
	sqlite3 *db;
	sqlite3_stmt *put[PUTS];
	char *path;
};

static const char schema[] =
	"PRAGMA journal_mode = DELETE;"
	"PRAGMA synchronous = OFF;"
	"CREATE TABLE trials (trial INTEGER PRIMARY KEY, value REAL, failed INTEGER, rung INTEGER, steps INTEGER, tokens INTEGER, trained_tokens INTEGER,"
	" seconds REAL, folder TEXT);"
	"CREATE TABLE choices (trial INTEGER, name TEXT, value TEXT, PRIMARY KEY (trial, name)) WITHOUT ROWID;"
	"CREATE TABLE rungs (trial INTEGER, rung INTEGER, value REAL, quality REAL, diversity REAL, failed INTEGER, steps INTEGER, tokens INTEGER,"
	" trained_tokens INTEGER, seconds REAL, PRIMARY KEY (trial, rung)) WITHOUT ROWID;"
	"BEGIN";

static int wrong(struct tunedb *d, struct err *e)
{
	return err_set(e, SFT_SYSTEM, "%s: %s", d->path, d->db ? sqlite3_errmsg(d->db) : "no memory for SQLite");
}

static int run(struct tunedb *d, const char *sql, struct err *e)
{
	return sqlite3_exec(d->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : wrong(d, e);
}

int tunedb_open(struct tunedb **out, const char *path, struct err *e)
{
	static const char *const put[PUTS] = { "INSERT OR REPLACE INTO trials VALUES (?,?,?,?,?,?,?,?,?)", "INSERT OR REPLACE INTO choices VALUES (?,?,?)",
		"INSERT OR REPLACE INTO rungs VALUES (?,?,?,?,?,?,?,?,?,?)" };
	struct tunedb *d = mem_new(sizeof *d);
	struct buf journal = {0};
	int rc = 0;

	*out = NULL;
	d->path = mem_str(path);
	buf_fmt(&journal, "%s-journal", path);
	if ((unlink(path) != 0 && errno != ENOENT) || (unlink(journal.p) != 0 && errno != ENOENT))
		rc = err_sys(e, path);
	else if (sqlite3_open(path, &d->db) != SQLITE_OK)
		rc = wrong(d, e);
	else
		rc = run(d, schema, e);
	for (int i = 0; i < PUTS && rc == 0; i++)
		if (sqlite3_prepare_v2(d->db, put[i], -1, &d->put[i], NULL) != SQLITE_OK)
			rc = wrong(d, e);
	buf_free(&journal);
	if (rc == 0)
		*out = d;
	else
		tunedb_close(d, NULL);
	return rc;
}

/* Places of a statement, filled one after the other. */
struct row {
	sqlite3_stmt *s;
	int at;
};

static void put_int(struct row *r, double v)
{
	sqlite3_bind_int64(r->s, ++r->at, (sqlite3_int64)v);
}

static void put_real(struct row *r, double v)
{
	++r->at;
	if (isnan(v))
		sqlite3_bind_null(r->s, r->at);
	else
		sqlite3_bind_double(r->s, r->at, v);
}

static void put_text(struct row *r, const char *text)
{
	sqlite3_bind_text(r->s, ++r->at, text, -1, SQLITE_TRANSIENT);
}

static int done(struct tunedb *d, struct row *r, struct err *e)
{
	int rc = sqlite3_step(r->s);

	sqlite3_reset(r->s);
	return rc == SQLITE_DONE ? 0 : wrong(d, e);
}

static void put_counts(struct row *r, const struct trial_rung *g)
{
	put_int(r, g->steps);
	put_int(r, g->tokens);
	put_int(r, g->trained);
	put_real(r, g->seconds);
}

static int put_trial(struct tunedb *d, struct tune_space *s, const struct trial *t, struct err *e)
{
	const struct trial_rung *g = &t->rung[t->known - 1];
	struct row r = { d->put[PUT_TRIAL], 0 };

	put_int(&r, (double)t->number);
	put_real(&r, g->value);
	put_int(&r, g->failed);
	put_int(&r, (double)t->known);
	put_counts(&r, g);
	put_text(&r, plan_text(&s->p, "trials/%04zu", t->number));
	return done(d, &r, e);
}

static int put_rung(struct tunedb *d, const struct trial *t, size_t i, struct err *e)
{
	const struct trial_rung *g = &t->rung[i];
	struct row r = { d->put[PUT_RUNG], 0 };

	put_int(&r, (double)t->number);
	put_int(&r, (double)i + 1);
	put_real(&r, g->value);
	put_real(&r, g->quality);
	put_real(&r, g->diversity);
	put_int(&r, g->failed);
	put_counts(&r, g);
	return done(d, &r, e);
}

int tunedb_put(struct tunedb *d, struct tune_space *s, const struct trial *t, struct err *e)
{
	int rc = put_trial(d, s, t, e);

	for (size_t i = 0; i < s->ndim && rc == 0; i++) {
		struct row r = { d->put[PUT_CHOICE], 0 };

		if (t->choice[i].text == NULL)
			continue;
		put_int(&r, (double)t->number);
		put_text(&r, s->dim[i].name);
		put_text(&r, t->choice[i].text);
		rc = done(d, &r, e);
	}
	for (size_t i = 0; i < t->known && rc == 0; i++)
		rc = put_rung(d, t, i, e);
	return rc;
}

int tunedb_keep(struct tunedb *d, struct err *e)
{
	return run(d, "COMMIT; BEGIN", e);
}

int tunedb_close(struct tunedb *d, struct err *e)
{
	int rc = 0;

	if (d == NULL)
		return 0;
	for (int i = 0; i < PUTS; i++)
		sqlite3_finalize(d->put[i]);
	if (d->db && e)
		rc = run(d, "COMMIT", e);
	if (d->db)
		sqlite3_close(d->db);
	mem_free(d->path);
	mem_free(d);
	return rc;
}
