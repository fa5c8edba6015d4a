/* SPDX-License-Identifier: Apache-2.0 */
#include "runstate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hash.h"
#include "json.h"
#include "outfile.h"
#include "tool.h"

struct done {
	uint64_t key, made;            /* MADE: hash of what it made; 0: it has begun only */
};

struct file_hash {
	int64_t size, seconds, nanos;
	uint64_t hash;
};

/* --- contents --- */

static int hash_content(const char *path, uint64_t *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct hash_state *h;
	char *room;
	ssize_t n;

	if (fd < 0)
		return err_sys(e, path);
	room = mem_new(1 << 20);
	h = hash_open(0);
	while ((n = read(fd, room, 1 << 20)) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			hash_add(h, room, (size_t)n);
	*out = hash_close(h);
	if (n < 0)
		err_sys(e, path);
	close(fd);
	mem_free(room);
	return n < 0 ? e->code : 0;
}

static int hash_file(struct run_state *s, const char *path, const struct stat *st, uint64_t *out, struct err *e)
{
	struct strmap_entry *x = strmap_put(&s->files, path, strlen(path), 0, NULL);
	struct file_hash *f = (struct file_hash *)(uintptr_t)x->value;
	int rc = 0;

	if (f == NULL || f->size != st->st_size || f->seconds != st->st_mtim.tv_sec || f->nanos != st->st_mtim.tv_nsec) {
		f = arena_get(s->a, sizeof *f);
		*f = (struct file_hash){ st->st_size, st->st_mtim.tv_sec, st->st_mtim.tv_nsec, 0 };
		if ((rc = hash_content(path, &f->hash, e)) == 0)
			x->value = (uintptr_t)f;
	}
	*out = f->hash;
	return rc;
}

static int hash_path(struct run_state *s, const char *path, unsigned depth, uint64_t *out, struct err *e);

static int hash_folder(struct run_state *s, const char *path, unsigned depth, uint64_t *out, struct err *e)
{
	struct dirent **list;
	int n = scandir(path, &list, NULL, alphasort), rc = 0;
	struct buf name = {0};
	uint64_t h = 1, one;

	if (n < 0)
		return err_sys(e, path);
	for (int i = 0; i < n; i++) {
		if (rc == 0 && list[i]->d_name[0] != '.') {
			name.n = 0;
			buf_fmt(&name, "%s/%s", path, list[i]->d_name);
			rc = hash_path(s, name.p, depth + 1, &one, e);
			h = hash64(list[i]->d_name, strlen(list[i]->d_name), h);
			h = hash64(&one, sizeof one, h);
		}
		free(list[i]);
	}
	free(list);
	buf_free(&name);
	*out = h;
	return rc;
}

static int hash_path(struct run_state *s, const char *path, unsigned depth, uint64_t *out, struct err *e)
{
	struct stat st;

	*out = 0;
	if (stat(path, &st) != 0)
		return err_sys(e, path);
	if (S_ISDIR(st.st_mode))
		return depth > 16 ? err_set(e, SFT_BADDATA, "%s: folders too deep", path) : hash_folder(s, path, depth, out, e);
	return hash_file(s, path, &st, out, e);
}

static int hash_all(struct run_state *s, const struct strings *paths, uint64_t *h, struct err *e)
{
	uint64_t one;
	int rc = 0;

	for (size_t i = 0; i < paths->n && rc == 0; i++)
		if ((rc = hash_path(s, paths->v[i], 0, &one, e)) == 0) {
			*h = hash64(paths->v[i], strlen(paths->v[i]) + 1, *h);
			*h = hash64(&one, sizeof one, *h);
		}
	return rc;
}

/* --- the file --- */

static bool hex(const struct json *v, uint64_t *out)
{
	char *end;

	if (v == NULL || v->type != JSON_STR || v->n != 16)
		return false;
	*out = strtoull(v->s, &end, 16);
	return *end == '\0';
}

static void put_hex(struct jw *w, const char *key, uint64_t v)
{
	char text[17];

	snprintf(text, sizeof text, "%016llx", (unsigned long long)v);
	jw_key(w, key);
	jw_str(w, text);
}

static void take_step(struct run_state *s, const struct json_member *m)
{
	struct done *d = arena_get(s->a, sizeof *d);

	*d = (struct done){0};
	if (hex(json_get(&m->value, "key"), &d->key) && (json_get(&m->value, "made") == NULL || hex(json_get(&m->value, "made"), &d->made)))
		strmap_put(&s->steps, m->key, m->nkey, (uintptr_t)d, NULL);
}

static void take_file(struct run_state *s, const struct json_member *m)
{
	struct file_hash *f = arena_get(s->a, sizeof *f);
	const struct json *v = &m->value;

	if (v->type == JSON_ARR && v->n == 4 && json_int(&v->item[0], &f->size) && json_int(&v->item[1], &f->seconds) &&
	    json_int(&v->item[2], &f->nanos) && hex(&v->item[3], &f->hash))
		strmap_put(&s->files, m->key, m->nkey, (uintptr_t)f, NULL);
}

int state_read(struct run_state *s, struct arena *a, const char *path, struct err *e)
{
	const struct json *doc, *steps, *files;
	int rc;

	*s = (struct run_state){ .path = path, .a = a };
	if (access(path, F_OK) != 0)
		return 0;
	if ((rc = json_file(a, path, &doc, e)) != 0)
		return rc;
	if (!json_is(json_get(doc, "schema"), "sft.run/1"))
		return err_set(e, SFT_BADDATA, "%s: not the state of a run (expected the schema sft.run/1)", path);
	steps = json_get(doc, "steps");
	files = json_get(doc, "files");
	for (size_t i = 0; steps && steps->type == JSON_OBJ && i < steps->n; i++)
		take_step(s, &steps->member[i]);
	for (size_t i = 0; files && files->type == JSON_OBJ && i < files->n; i++)
		take_file(s, &files->member[i]);
	return 0;
}

int state_write(struct run_state *s, struct err *e)
{
	struct buf out = {0};
	struct jw w;
	int rc;

	jw_init(&w, &out);
	jw_obj(&w);
	jw_key(&w, "schema");
	jw_str(&w, "sft.run/1");
	jw_key(&w, "steps");
	jw_obj(&w);
	for (size_t i = 0; i < s->steps.n; i++) {
		const struct done *d = (const struct done *)(uintptr_t)s->steps.e[i].value;

		jw_keyn(&w, s->steps.e[i].key, s->steps.e[i].n);
		jw_obj(&w);
		put_hex(&w, "key", d->key);
		if (d->made)
			put_hex(&w, "made", d->made);
		jw_obj_end(&w);
	}
	jw_obj_end(&w);
	jw_key(&w, "files");
	jw_obj(&w);
	for (size_t i = 0; i < s->files.n; i++) {
		const struct file_hash *f = (const struct file_hash *)(uintptr_t)s->files.e[i].value;
		char text[17];

		if (f == NULL)
			continue;
		jw_keyn(&w, s->files.e[i].key, s->files.e[i].n);
		jw_arr(&w);
		jw_int(&w, f->size);
		jw_int(&w, f->seconds);
		jw_int(&w, f->nanos);
		snprintf(text, sizeof text, "%016llx", (unsigned long long)f->hash);
		jw_str(&w, text);
		jw_arr_end(&w);
	}
	jw_obj_end(&w);
	jw_obj_end(&w);
	buf_ch(&out, '\n');
	rc = out_whole(s->path, out.p, out.n, false, e);
	buf_free(&out);
	return rc;
}

void state_release(struct run_state *s)
{
	strmap_free(&s->steps);
	strmap_free(&s->files);
}

/* --- steps --- */

static struct done *find(const struct run_state *s, const struct run_step *step)
{
	const struct strmap_entry *x = strmap_find(&s->steps, step->name, strlen(step->name));

	return x ? (struct done *)(uintptr_t)x->value : NULL;
}

int state_key(struct run_state *s, const struct run_step *step, uint64_t *key, struct err *e)
{
	*key = hash64(SFT_VERSION, strlen(SFT_VERSION), 0);
	for (size_t i = 0; i < step->argv.n; i++)
		*key = hash64(step->argv.v[i], strlen(step->argv.v[i]) + 1, *key);
	return hash_all(s, &step->in, key, e);
}

bool state_done(struct run_state *s, const struct run_step *step, uint64_t key)
{
	const struct done *d = find(s, step);
	uint64_t made = 0;
	struct err ignored;

	return d && d->made && d->key == key && hash_all(s, &step->out, &made, &ignored) == 0 && made == d->made;
}

bool state_begun(const struct run_state *s, const struct run_step *step, uint64_t key)
{
	const struct done *d = find(s, step);

	return d && d->made == 0 && d->key == key;
}

bool state_known(const struct run_state *s, const struct run_step *step)
{
	return find(s, step) != NULL;
}

static int put(struct run_state *s, const struct run_step *step, uint64_t key, uint64_t made, struct err *e)
{
	struct done *d = find(s, step);

	if (d == NULL) {
		d = arena_get(s->a, sizeof *d);
		strmap_put(&s->steps, step->name, strlen(step->name), (uintptr_t)d, NULL);
	}
	*d = (struct done){ key, made };
	return state_write(s, e);
}

int state_begin(struct run_state *s, const struct run_step *step, uint64_t key, struct err *e)
{
	return put(s, step, key, 0, e);
}

int state_finish(struct run_state *s, const struct run_step *step, uint64_t key, struct err *e)
{
	uint64_t made = 0;
	int rc = hash_all(s, &step->out, &made, e);

	return rc ? rc : put(s, step, key, made ? made : 1, e);
}
