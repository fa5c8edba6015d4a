/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "mem.h"
#include "outfile.h"
#include "safetensors.h"

enum { KEEP = 2 };

static char *state_path(const char *run, uint64_t step)
{
	struct buf b = {0};

	buf_fmt(&b, "%s/state/step-%08" PRIu64 ".safetensors", run, step);
	return b.p;
}

static int newest_first(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* Steps of the checkpoints there are, newest first; for the caller to free. */
static uint64_t *list_steps(const char *run, size_t *n)
{
	struct buf dir = {0};
	uint64_t *step = NULL;
	size_t cap = 0;
	struct dirent *d;
	DIR *f;

	*n = 0;
	buf_fmt(&dir, "%s/state", run);
	f = opendir(dir.p);
	buf_free(&dir);
	if (f == NULL)
		return NULL;
	while ((d = readdir(f)) != NULL) {
		uint64_t s;
		int end = 0;

		if (sscanf(d->d_name, "step-%" SCNu64 ".safetensors%n", &s, &end) != 1 || end == 0 || d->d_name[end])
			continue;
		ARRAY_ROOM(step, *n, cap);
		step[(*n)++] = s;
	}
	closedir(f);
	if (*n)
		qsort(step, *n, sizeof *step, newest_first);
	return step;
}

/* --- writing --- */
static void state_json(const struct checkpoint *c, struct buf *out)
{
	struct jw w;

	jw_init(&w, out);
	jw_obj(&w);
	jw_key(&w, "schema");     jw_str(&w, "sft.state/1");
	jw_key(&w, "step");       jw_uint(&w, c->step);
	jw_key(&w, "epoch");      jw_uint(&w, c->place.epoch);
	jw_key(&w, "row");        jw_uint(&w, c->place.at);
	jw_key(&w, "best");
	if (c->has_best)
		jw_double(&w, c->best);
	else
		jw_null(&w);
	jw_key(&w, "stale");      jw_uint(&w, c->stale);
	jw_key(&w, "sources");
	jw_arr(&w);
	for (size_t i = 0; i < c->nsource; i++)
		jw_double(&w, c->source[i]);
	jw_arr_end(&w);
	jw_key(&w, "finished");   jw_bool(&w, c->finished);
	jw_key(&w, "log_length"); jw_uint(&w, c->log_length);
	jw_key(&w, "seconds");    jw_double(&w, c->seconds);
	jw_key(&w, "settings");   jw_raw(&w, c->settings, strlen(c->settings));
	jw_obj_end(&w);
}

static struct tensor vector(const char *name, const float *p, size_t n)
{
	return (struct tensor){ .name = name, .type = DT_F32, .ndim = 1, .dim = { n }, .data = p, .bytes = n * sizeof *p, .count = n };
}

/* The newest KEEP stay. */
static void drop_old(const char *run)
{
	size_t n;
	uint64_t *step = list_steps(run, &n);

	for (size_t i = KEEP; i < n; i++) {
		char *path = state_path(run, step[i]);

		unlink(path);
		mem_free(path);
	}
	mem_free(step);
}

int checkpoint_save(const char *run, const struct checkpoint *c, struct err *e)
{
	const struct tensor t[] = { vector("values", c->p, c->n), vector("moment1", c->state[0], c->nstate[0]), vector("moment2", c->state[1], c->nstate[1]) };
	char *path = state_path(run, c->step);
	struct buf json = {0}, dir = {0};
	int rc;

	buf_fmt(&dir, "%s/state", run);
	state_json(c, &json);
	if ((rc = out_mkdirs(dir.p, e)) == 0) {
		const char *meta[] = { "state", json.p, NULL };

		rc = st_write(path, t, c->nstate[1] ? 3 : c->nstate[0] ? 2 : 1, meta, e);
	}
	if (rc == 0 && (rc = out_syncdir(dir.p, e)) == 0)
		drop_old(run);
	buf_free(&dir);
	buf_free(&json);
	mem_free(path);
	return rc;
}

/* --- reading --- */
static int need_u64(const struct json *j, const char *key, uint64_t *out, struct err *e)
{
	int64_t v = -1;
	int rc = json_get_int(j, key, 0, INT64_MAX, &v, e);

	if (rc == 0 && v < 0)
		rc = err_set(e, SFT_BADDATA, "no \"%s\"", key);
	*out = (uint64_t)v;
	return rc;
}

static int read_state(const struct json *j, struct checkpoint *c, struct err *e)
{
	const struct json *best = json_get(j, "best"), *sources = json_get(j, "sources");
	int rc;

	if (!json_is(json_get(j, "schema"), "sft.state/1"))
		return err_set(e, SFT_BADDATA, "not a state of this version");
	if ((rc = need_u64(j, "step", &c->step, e)) != 0 || (rc = need_u64(j, "epoch", &c->place.epoch, e)) != 0 ||
	    (rc = need_u64(j, "row", &c->place.at, e)) != 0 || (rc = need_u64(j, "stale", &c->stale, e)) != 0 ||
	    (rc = need_u64(j, "log_length", &c->log_length, e)) != 0 ||
	    (rc = json_get_bool(j, "finished", &c->finished, e)) != 0 || (rc = json_get_double(j, "seconds", &c->seconds, e)) != 0)
		return rc;
	if (c->nsource && (sources == NULL || sources->type != JSON_ARR || sources->n != c->nsource))
		return err_set(e, SFT_USAGE, "--resume with other validation data: %zu sources in the checkpoint, now %zu",
		               sources && sources->type == JSON_ARR ? sources->n : 0, c->nsource);
	for (size_t i = 0; i < c->nsource; i++)
		c->source[i] = json_double(&sources->item[i]);
	c->has_best = best && best->type == JSON_NUM;
	c->best = c->has_best ? json_double(best) : 0;
	return 0;
}

static bool same_value(const struct json *a, const struct json *b)
{
	return a && b && a->nraw == b->nraw && memcmp(a->raw, b->raw, a->nraw) == 0;
}

/* Both ways: a setting that only one side has differs too. */
static int same_settings(const struct json *was, const struct json *now, struct err *e)
{
	for (int side = 0; side < 2; side++) {
		const struct json *a = side ? now : was, *b = side ? was : now;

		for (size_t i = 0; a && a->type == JSON_OBJ && i < a->n; i++) {
			const struct json *x = json_get(was, a->member[i].key), *y = json_get(now, a->member[i].key);

			if (!same_value(json_get(b, a->member[i].key), &a->member[i].value))
				return err_set(e, SFT_USAGE, "--resume with other settings: %s was %.*s, is %.*s", a->member[i].key,
				               x ? (int)x->nraw : 7, x ? x->raw : "not set", y ? (int)y->nraw : 7, y ? y->raw : "not set");
		}
	}
	return 0;
}

static int read_vector(const struct safetensors *s, const char *name, float *out, size_t n, struct err *e)
{
	const struct tensor *t = n ? st_find(s, name) : NULL;

	if (n == 0)
		return 0;
	if (t == NULL || t->type != DT_F32 || t->count != n)
		return err_set(e, SFT_USAGE, "--resume with another number of trained values: %llu in the checkpoint, now %zu",
		               t ? (unsigned long long)t->count : 0, n);
	memcpy(out, t->data, n * sizeof *out);
	return 0;
}

/* SFT_BADDATA: not a whole checkpoint. */
static int load_file(const char *path, struct checkpoint *c, struct err *e)
{
	struct json_parser *p = json_parser_new();
	const struct json *j = NULL, *now = NULL;
	struct safetensors *s = NULL;
	struct arena a;
	const char *meta;
	int rc;

	arena_init(&a);
	if ((rc = st_open(&s, path, e)) != 0)
		goto done;
	if ((meta = st_meta(s, "state")) == NULL) {
		rc = err_set(e, SFT_BADDATA, "no state in its metadata");
		goto done;
	}
	if ((rc = json_parse(p, &a, meta, strlen(meta), &j, e)) != 0 || (rc = read_state(j, c, e)) != 0 ||
	    (rc = json_parse(p, &a, c->settings, strlen(c->settings), &now, e)) != 0 ||
	    (rc = same_settings(json_get(j, "settings"), now, e)) != 0)
		goto done;
	if ((rc = read_vector(s, "values", c->p, c->n, e)) == 0 && (rc = read_vector(s, "moment1", c->state[0], c->nstate[0], e)) == 0)
		rc = read_vector(s, "moment2", c->state[1], c->nstate[1], e);
done:
	st_close(s);
	arena_release(&a);
	json_parser_free(p);
	return rc;
}

int checkpoint_load(const char *run, struct checkpoint *c, bool *found, struct err *e)
{
	size_t n;
	uint64_t *step = list_steps(run, &n);
	struct err why = {0};
	int rc = SFT_BADDATA;

	for (size_t i = 0; i < n && rc == SFT_BADDATA; i++) {
		char *path = state_path(run, step[i]);

		rc = load_file(path, c, &why);
		mem_free(path);
	}
	mem_free(step);
	*found = rc == 0;
	return rc == 0 || rc == SFT_BADDATA ? 0 : err_set(e, rc, "%s", why.msg);
}
