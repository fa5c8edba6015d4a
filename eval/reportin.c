/* SPDX-License-Identifier: Apache-2.0 */
/* The inputs of a report: what each is, and what is kept of it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "changes.h"
#include "report.h"

static const char expected[] =
	"expected JSON with a \"schema\" of this suite, a run folder or its log.jsonl, or records with predictions";

/* --- names --- */

/* TEXT of any bytes as UTF-8. */
static const char *shown(struct report *r, const char *text, size_t n)
{
	struct buf b = { 0 };
	const char *good;

	buf_add(&b, text, n);
	page_mend(&b);
	good = arena_str(&r->arena, b.p ? b.p : "", b.n);
	buf_free(&b);
	return good;
}

/* The last part of PATH, without the endings of record files. */
static const char *short_name(struct report *r, const char *path)
{
	static const char *const endings[] = { ".gz", ".zst", ".jsonl", ".json", ".csv", ".tsv", ".rec" };
	size_t n = strlen(path), from;

	while (n > 1 && path[n - 1] == '/')
		n--;
	for (from = n; from > 0 && path[from - 1] != '/'; from--)
		;
	for (size_t k = 0; k < sizeof endings / sizeof *endings; k++) {
		size_t m = strlen(endings[k]);

		if (n - from > m && memcmp(path + n - m, endings[k], m) == 0)
			n -= m;
	}
	return shown(r, path + from, n - from);
}

/* Inputs of one kind and one name go by their paths. */
static void tell_apart(struct report *r)
{
	struct report_input *last = &r->in[r->n - 1];

	for (size_t k = 0; k + 1 < r->n; k++)
		if (r->in[k].kind == last->kind && strcmp(r->in[k].name, last->name) == 0) {
			last->name = shown(r, last->path, strlen(last->path));
			if (strcmp(r->in[k].path, last->path) != 0)
				r->in[k].name = shown(r, r->in[k].path, strlen(r->in[k].path));
		}
}

/* What the next input, at PATH, is called. */
static const char *name_of(struct report *r, const char *path)
{
	const struct opt_list *names = &r->o->names;

	return r->n < names->n ? shown(r, names->v[r->n], strlen(names->v[r->n])) : short_name(r, path);
}

static struct report_input *add(struct report *r, enum input_kind kind, const char *path)
{
	const struct opt_list *names = &r->o->names;

	ARRAY_ROOM(r->in, r->n, r->cap);
	r->in[r->n] = (struct report_input){ .kind = kind, .path = path };
	r->in[r->n].name = name_of(r, path);
	r->n++;
	if (r->n > names->n)
		tell_apart(r);
	return &r->in[r->n - 1];
}

/* --- one JSON object --- */

static int take_document(struct report *r, const char *path, const struct json *doc, struct err *e)
{
	static const struct {
		const char *schema;
		enum input_kind kind;
	} known[] = {
		{ "sft.eval/1", INPUT_METRICS },  { "sft.errors/1", INPUT_ERRORS },    { "sft.ab/1", INPUT_VOTES },
		{ "sft.stats/1", INPUT_STATS },   { "sft.shard-info/1", INPUT_SHARD }, { "sft.agree/1", INPUT_METRICS },
		{ "sft.rounds/1", INPUT_ROUNDS }, { "sft.describe/1", INPUT_DESCRIBE }, { "sft.changes/1", INPUT_CHANGES },
		{ "sft.tune/1", INPUT_TUNE },
	};
	const struct json *schema = json_get(doc, "schema");
	enum input_kind kind;

	if (schema == NULL || schema->type != JSON_STR)
		return err_set(e, SFT_BADDATA, "%s: JSON without a schema (%s)", path, expected);
	for (size_t k = 0; k < sizeof known / sizeof *known; k++)
		if (json_is(schema, known[k].schema)) {
			kind = known[k].kind;
			if (kind == INPUT_METRICS && json_get(doc, "a"))
				kind = INPUT_COMPARE;
			add(r, kind, path)->doc = doc;
			return 0;
		}
	return err_set(
		e, SFT_BADDATA,
		"%s: schema '%.100s' has no place in a report (expected that of sft eval --json, agree, describe --json, tune --json, --stats or shard info)",
		path, schema->s);
}

/* The record as the object that it is, parsed anew into the arena of the report. */
static int document_of(struct report *r, const struct rec *rec, const struct json **doc, struct err *e)
{
	struct buf text = { 0 };
	struct jw w;
	char *kept;

	jw_init(&w, &text);
	jw_obj(&w);
	for (uint32_t k = 0; k < rec->names->n; k++) {
		jw_keyn(&w, rec->names->name[k], rec->names->len[k]);
		if (rec->f[k].type == FIELD_JSON)
			jw_raw(&w, rec->f[k].p, rec->f[k].n);
		else
			jw_strn(&w, rec->f[k].p, rec->f[k].n);
	}
	jw_obj_end(&w);
	kept = arena_str(&r->arena, text.p, text.n);
	buf_free(&text);
	return json_parse(r->parser, &r->arena, kept, strlen(kept), doc, e);
}

static int take_object(struct report *r, struct recin *in, const char *path, const struct rec *rec, struct err *e)
{
	const struct json *doc;
	struct rec *more;
	int rc = document_of(r, rec, &doc, e);

	if (rc)
		return err_in(e, "%s", path);
	if ((rc = rec_read(in, &more, e)) != 0)
		return rc;
	if (more)
		return err_set(e, SFT_BADDATA, "%s:%llu: a second object (expected one JSON object with a schema)", path,
			       (unsigned long long)more->line);
	return take_document(r, path, doc, e);
}

/* --- logs and predictions --- */

static int take_log(struct report *r, struct recin *in, const char *path, struct rec *rec, struct err *e)
{
	struct run_log *log = arena_get(&r->arena, sizeof *log);
	int rc = 0;

	run_log_init(log);
	if (r->o->stages)
		run_join_stage(&r->join, name_of(r, r->folder ? r->folder : path));
	while (rc == 0 && rec) {
		if ((rc = run_log_add(log, rec, NULL, e)) != 0 || (r->o->stages && (rc = run_join_add(&r->join, rec, e)) != 0))
			return err_in(e, "%s:%llu", rec->file, (unsigned long long)rec->line);
		rc = rec_read(in, &rec, e);
	}
	if (rc == 0)
		add(r, INPUT_RUN, path)->log = log;
	return rc;
}

static int take_predictions(struct report *r, const char *path, const struct rec *rec, struct err *e)
{
	struct report_input *x;

	if (strcmp(path, "-") == 0)
		return err_set(e, SFT_BADDATA, "predictions on standard input (expected a file: it is read more than once)");
	x = add(r, INPUT_PREDICTIONS, path);
	x->references = rec_column(rec->names, r->o->eval.reference) >= 0;
	x->scores = rec_column(rec->names, "scores") >= 0;
	x->ids = rec_column(rec->names, r->o->eval.id) >= 0;
	return 0;
}

static int take_records(struct report *r, struct recin *in, const char *path, struct err *e)
{
	bool text = rec_format(in) != REC_CSV && rec_format(in) != REC_TSV;
	struct rec *rec;
	int rc = rec_read(in, &rec, e);

	if (rc)
		return rc;
	if (rec == NULL)
		return err_set(e, SFT_BADDATA, "%s: nothing in it (%s)", path, expected);
	if (text && rec_column(rec->names, "schema") >= 0)
		return take_object(r, in, path, rec, e);
	if (run_log_is(rec))
		return take_log(r, in, path, rec, e);
	if (rec_column(rec->names, r->o->eval.prediction) >= 0)
		return take_predictions(r, path, rec, e);
	return err_set(e, SFT_BADDATA, "%s: neither figures nor a log, and no column '%s' (%s)", path, r->o->eval.prediction,
		       expected);
}

static int take_stream(struct report *r, const char *path, struct err *e)
{
	struct recin *in;
	int rc = rec_open(&in, &path, 1, &r->o->eval.rec, r->t, e);

	if (rc)
		return rc;
	if ((rc = take_records(r, in, path, e)) == 0)
		return rec_close(in, e);
	rec_abandon(in);
	return rc;
}

/* --- folders, and JSON over several lines --- */

/* What a run changed; a base that cannot be had is no failure of the report. */
static int run_changes(struct report *r, struct report_input *x, struct err *e)
{
	int rc = changes_are_in(x->path) ? report_changes_of(r, x->path, &x->changes, e) : 0;

	if (rc == 0 || rc == SFT_SYSTEM)
		return rc;
	x->why = shown(r, e->msg, strlen(e->msg));
	e->code = 0;
	return 0;
}

/* Does the folder have a file of that name, which says what it is? */
static bool holds(const char *path, const char *name)
{
	struct buf b = { 0 };
	bool is;

	buf_fmt(&b, "%s/%s", path, name);
	is = access(b.p, F_OK) == 0;
	buf_free(&b);
	return is;
}

static int take_adapter(struct report *r, const char *path, struct err *e)
{
	const struct json *doc;
	int rc = report_changes_of(r, path, &doc, e);

	if (rc == 0)
		add(r, INPUT_CHANGES, path)->doc = doc;
	return rc;
}

/* A search has its figures in tune.json, its runs in folders of their own. */
static int take_search(struct report *r, const char *path, struct err *e)
{
	struct buf file = { 0 };
	const struct json *doc;
	int rc;

	buf_fmt(&file, "%s/tune.json", path);
	rc = json_file(&r->arena, file.p, &doc, e);
	if (rc == 0)
		rc = take_document(r, path, doc, e);
	buf_free(&file);
	return rc;
}

static int take_run(struct report *r, const char *path, struct err *e)
{
	struct buf log = { 0 }, config = { 0 };
	const struct json *doc = NULL;
	int rc = 0;

	buf_fmt(&log, "%s/log.jsonl", path);
	buf_fmt(&config, "%s/config.json", path);
	if (access(log.p, F_OK) != 0)
		rc = err_set(e, SFT_BADDATA, "%s: no log.jsonl in this folder (expected a run folder, or that of an adapter or a search)", path);
	if (rc == 0 && access(config.p, F_OK) == 0)
		rc = json_file(&r->arena, config.p, &doc, e);
	r->folder = path;
	if (rc == 0)
		rc = take_stream(r, arena_str(&r->arena, log.p, log.n), e);
	r->folder = NULL;
	if (rc == 0 && r->in[r->n - 1].kind != INPUT_RUN)
		rc = err_set(e, SFT_BADDATA, "%s: no log of a training run (expected steps with loss)", log.p);
	if (rc == 0) {
		struct report_input *x = &r->in[r->n - 1];

		x->doc = doc;
		x->path = path;
		if (r->n > r->o->names.n) {
			x->name = short_name(r, path);
			tell_apart(r);
		}
		rc = run_changes(r, x, e);
	}
	buf_free(&log);
	buf_free(&config);
	return rc;
}

/* Does the file begin with a line that is "{" alone: an object over several lines, which is no line of JSONL? */
static bool is_spread(const char *path)
{
	char head[64];
	FILE *f = fopen(path, "rb");
	size_t n, k = 0;

	if (f == NULL)
		return false; /* whoever opens it next says why */
	n = fread(head, 1, sizeof head, f);
	fclose(f);
	k += n >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	if (k == n || head[k++] != '{')
		return false;
	while (k < n && (head[k] == ' ' || head[k] == '\r' || head[k] == '\t'))
		k++;
	return k < n && head[k] == '\n';
}

int report_take(struct report *r, const char *path, struct err *e)
{
	const struct json *doc;
	struct stat st;
	int rc;

	if (strcmp(path, "-") == 0)
		return take_stream(r, path, e);
	if (stat(path, &st) != 0)
		return err_sys(e, path);
	if (S_ISDIR(st.st_mode)) {
		if (holds(path, "tune.json"))
			return take_search(r, path, e);
		return holds(path, "adapter_config.json") ? take_adapter(r, path, e) : take_run(r, path, e);
	}
	if (!S_ISREG(st.st_mode) || !is_spread(path))
		return take_stream(r, path, e);
	rc = json_file(&r->arena, path, &doc, e);
	return rc ? rc : take_document(r, path, doc, e);
}
