/* SPDX-License-Identifier: Apache-2.0 */
#include "safetensors.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "mapfile.h"
#include "mem.h"
#include "strmap.h"

enum { HEADER_MAX = 100000000 };        /* bytes, as the reference library has it */

struct safetensors {
	struct arena   arena;           /* names and metadata */
	struct mapfile map;             /* of one file opened by name */
	struct safetensors **part;      /* shards of a folder */
	size_t nparts, capparts;
	struct tensor *t;               /* in the order of names */
	size_t nt;
	struct strmap names;            /* name -> place in t */
	const struct json *meta;        /* __metadata__ or NULL */
};

/* --- one entry of the header --- */

/* A number written with digits only: no sign, fraction or exponent, below 2^64. */
static bool whole(const struct json *v, uint64_t *out)
{
	*out = 0;
	if (v == NULL || v->type != JSON_NUM || v->n == 0)
		return false;
	for (size_t i = 0; i < v->n; i++)
		if (v->s[i] < '0' || v->s[i] > '9' || __builtin_mul_overflow(*out, UINT64_C(10), out) ||
		    __builtin_add_overflow(*out, (uint64_t)(v->s[i] - '0'), out))
			return false;
	return true;
}

static int read_shape(struct tensor *t, const struct json *shape, struct err *e)
{
	if (shape == NULL || shape->type != JSON_ARR)
		return err_set(e, SFT_BADDATA, "no shape (expected an array of sizes)");
	if (shape->n > TENSOR_DIMS)
		return err_set(e, SFT_BADDATA, "shape of %zu dimensions (expected at most %d)", shape->n, TENSOR_DIMS);
	t->ndim = (unsigned)shape->n;
	t->count = 1;
	for (unsigned i = 0; i < t->ndim; i++)
		if (!whole(&shape->item[i], &t->dim[i]))
			return err_set(e, SFT_BADDATA, "dimension %u of the shape is no size (expected 0 to 2^64 - 1)", i);
		else if (__builtin_mul_overflow(t->count, t->dim[i], &t->count))
			return err_set(e, SFT_BADDATA, "shape holds 2^64 values or more");
	return 0;
}

static int read_type(struct tensor *t, const struct json *type, struct err *e)
{
	if (type == NULL || type->type != JSON_STR)
		return err_set(e, SFT_BADDATA, "no dtype (expected F32, F16, BF16...)");
	t->type = dtype_named(type->s, type->n);
	if (dtype_block(t->type) != 1)
		return err_set(e, SFT_BADDATA, "dtype '%.40s' is not known (expected F64 F32 F16 BF16 F8_E4M3 F8_E5M2 F8_E8M0 I8-I64 U8-U64 BOOL)", type->s);
	return 0;
}

/* SIZE bytes of data at DATA. */
static int read_entry(struct tensor *t, const struct json *v, const uint8_t *data, uint64_t size, struct err *e)
{
	const struct json *off = json_get(v, "data_offsets");
	uint64_t begin, end, want;
	int rc;

	if (v->type != JSON_OBJ)
		return err_set(e, SFT_BADDATA, "is no object (expected dtype, shape and data_offsets)");
	if ((rc = read_type(t, json_get(v, "dtype"), e)) != 0 || (rc = read_shape(t, json_get(v, "shape"), e)) != 0)
		return rc;
	if (off == NULL || off->type != JSON_ARR || off->n != 2 || !whole(&off->item[0], &begin) || !whole(&off->item[1], &end))
		return err_set(e, SFT_BADDATA, "no data_offsets (expected two numbers)");
	if (begin > end || end > size)
		return err_set(e, SFT_BADDATA, "data_offsets %" PRIu64 " to %" PRIu64 " (the file has %" PRIu64 " bytes of data)", begin, end, size);
	if (__builtin_mul_overflow(t->count, (uint64_t)dtype_bytes(t->type), &want) || want != end - begin)
		return err_set(e, SFT_BADDATA, "has %" PRIu64 " bytes (expected %" PRIu64 " values of %s)", end - begin, t->count, dtype_name(t->type));
	t->data = data + begin;
	t->bytes = end - begin;
	return 0;
}

/* --- the file as a whole --- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct tensor *)a)->name, ((const struct tensor *)b)->name);
}

static int by_place(const void *a, const void *b)
{
	const struct tensor *x = a, *y = b;

	if (x->data != y->data)
		return (const char *)x->data < (const char *)y->data ? -1 : 1;
	return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

/* The ranges cover the SIZE bytes at DATA, each byte once. */
static int check_cover(struct safetensors *s, const uint8_t *data, uint64_t size, struct err *e)
{
	const uint8_t *at = data;

	if (s->nt)
		qsort(s->t, s->nt, sizeof *s->t, by_place);
	for (size_t i = 0; i < s->nt; i++) {
		const uint8_t *p = s->t[i].data;

		if (p != at)
			return err_set(e, SFT_BADDATA, "tensor '%s' begins at %td of the data (expected %td: %s)", s->t[i].name, p - data, at - data,
			               p < at ? "it overlaps another" : "there is a hole before it");
		at = p + s->t[i].bytes;
	}
	if ((uint64_t)(at - data) != size)
		return err_set(e, SFT_BADDATA, "the tensors end at %td of the data (expected %" PRIu64 ", the end of the file)", at - data, size);
	return 0;
}

static int read_meta(struct safetensors *s, const struct json *meta, struct err *e)
{
	if (meta->type != JSON_OBJ)
		return err_set(e, SFT_BADDATA, "__metadata__ is no object (expected text for each name)");
	for (size_t i = 0; i < meta->n; i++)
		if (meta->member[i].value.type != JSON_STR)
			return err_set(e, SFT_BADDATA, "__metadata__ '%.60s' is no text", meta->member[i].key);
	s->meta = meta;
	return 0;
}

static int read_header(struct safetensors *s, const struct json *head, const uint8_t *data, uint64_t size, struct err *e)
{
	int rc;

	if (head->type != JSON_OBJ)
		return err_set(e, SFT_BADDATA, "the header is no object");
	s->t = mem_grow(NULL, head->n, sizeof *s->t);
	for (size_t i = 0; i < head->n; i++) {
		const struct json_member *m = &head->member[i];

		if (memchr(m->key, '\0', m->nkey))
			return err_set(e, SFT_BADDATA, "the name of tensor %zu holds a NUL (expected text)", i);
		if (strcmp(m->key, "__metadata__") == 0) {
			if ((rc = read_meta(s, &m->value, e)) != 0)
				return rc;
			continue;
		}
		memset(&s->t[s->nt], 0, sizeof *s->t);
		s->t[s->nt].name = m->key;
		if ((rc = read_entry(&s->t[s->nt], &m->value, data, size, e)) != 0)
			return err_in(e, "tensor '%.200s'", m->key);
		s->nt++;
	}
	return check_cover(s, data, size, e);
}

static void index_names(struct safetensors *s)
{
	if (s->nt)
		qsort(s->t, s->nt, sizeof *s->t, by_name);
	for (size_t i = 0; i < s->nt; i++)
		strmap_put(&s->names, s->t[i].name, strlen(s->t[i].name), i, NULL);
}

static int parse(struct safetensors *s, const uint8_t *p, size_t n, struct err *e)
{
	struct json_parser *parser;
	const struct json *head;
	uint64_t len;
	int rc;

	if (n < 8)
		return err_set(e, SFT_BADDATA, "%zu bytes (expected a safetensors file: at least 8)", n);
	memcpy(&len, p, 8);
	if (len > HEADER_MAX || len > n - 8)
		return err_set(e, SFT_BADDATA, "header of %" PRIu64 " bytes (expected a safetensors file: at most %d, and no more than the %zu that follow)",
		               len, HEADER_MAX, n - 8);
	parser = json_parser_new();
	rc = json_parse(parser, &s->arena, (const char *)p + 8, len, &head, e);
	json_parser_free(parser);
	if (rc != 0)
		return err_in(e, "header");
	if ((rc = read_header(s, head, p + 8 + len, n - 8 - len, e)) == 0)
		index_names(s);
	return rc;
}

int st_bytes(struct safetensors **out, const void *p, size_t n, struct err *e)
{
	struct safetensors *s = mem_new(sizeof *s);
	int rc = parse(s, p, n, e);

	*out = NULL;
	if (rc != 0)
		st_close(s);
	else
		*out = s;
	return rc;
}

int st_open(struct safetensors **out, const char *path, struct err *e)
{
	struct mapfile m;
	int rc;

	*out = NULL;
	if ((rc = mapfile_open(&m, path, e)) != 0)
		return rc;
	if ((rc = st_bytes(out, m.p, m.n, e)) != 0) {
		mapfile_close(&m);
		return err_in(e, "%s", path);
	}
	(*out)->map = m;
	return 0;
}

/* --- folders --- */

/* Does PATH lead to a file under folder DIR, links followed? */
static bool is_under(const char *path, const char *dir)
{
	char *p = realpath(path, NULL), *d = realpath(dir, NULL);
	size_t n = d ? strlen(d) : 0;
	bool yes = p && d && strncmp(p, d, n) == 0 && p[n] == '/';

	free(p);
	free(d);
	return yes;
}

/* A shard that the index names: a plain name, and no link that leads out of the folder, unless into the blobs of the
 * Hugging Face cache that the folder is part of (cache/models--X/snapshots/REVISION/NAME -> ../../blobs/HASH). */
static int check_shard_name(const char *dir, const struct json *name, char path[PATH_MAX], struct err *e)
{
	char blobs[PATH_MAX];

	if (name->type != JSON_STR || name->n == 0 || strlen(name->s) != name->n || strchr(name->s, '/') || name->s[0] == '.')
		return err_set(e, SFT_BADDATA, "weight_map names '%.100s' (expected a file in the same folder)", name->type == JSON_STR ? name->s : "no file");
	if (snprintf(path, PATH_MAX, "%s/%s", dir, name->s) >= PATH_MAX || snprintf(blobs, PATH_MAX, "%s/../../blobs", dir) >= PATH_MAX)
		return err_set(e, SFT_BADDATA, "the name of a shard is too long");
	if (access(path, F_OK) == 0 && !is_under(path, dir) && !is_under(path, blobs))
		return err_set(e, SFT_BADDATA, "'%.100s' is a link that leads out of the folder (expected a file in it)", name->s);
	return 0;
}

/* The shard called NAME, opened when it is named first; FILES maps names to places in s->part. */
static int open_shard(struct safetensors *s, struct strmap *files, const char *dir, const char *index, const struct json *name, struct safetensors **part, struct err *e)
{
	const struct strmap_entry *f = name->type == JSON_STR ? strmap_find(files, name->s, name->n) : NULL;
	char path[PATH_MAX];
	int rc;

	if (f != NULL) {
		*part = s->part[f->value];
		return 0;
	}
	if ((rc = check_shard_name(dir, name, path, e)) != 0)
		return err_in(e, "%s", index);
	if ((rc = st_open(part, path, e)) != 0)
		return rc;
	strmap_put(files, name->s, name->n, s->nparts, NULL);
	ARRAY_ROOM(s->part, s->nparts, s->capparts);
	s->part[s->nparts++] = *part;
	return 0;
}

static int read_index(struct safetensors *s, const char *dir, const char *path, struct strmap *files, struct err *e)
{
	const struct json *root, *map;
	int rc;

	if ((rc = json_file(&s->arena, path, &root, e)) != 0)
		return rc;
	map = json_get(root, "weight_map");
	if (map == NULL || map->type != JSON_OBJ)
		return err_set(e, SFT_BADDATA, "%s: no weight_map (expected a file name for each tensor)", path);
	s->t = mem_grow(NULL, map->n, sizeof *s->t);
	for (size_t i = 0; i < map->n; i++) {
		const struct json_member *m = &map->member[i];
		const struct tensor *t;
		struct safetensors *part = NULL;

		if ((rc = open_shard(s, files, dir, path, &m->value, &part, e)) != 0)
			return rc;
		if ((t = st_find(part, m->key)) == NULL)
			return err_set(e, SFT_BADDATA, "%s: tensor '%.200s' is not in %.100s, where the index has it", path, m->key, m->value.s);
		s->t[s->nt++] = *t;
	}
	index_names(s);
	return 0;
}

int st_open_dir(struct safetensors **out, const char *dir, struct err *e)
{
	char path[PATH_MAX];
	struct strmap files = {0};
	struct safetensors *s;
	int rc;

	*out = NULL;
	if (snprintf(path, sizeof path, "%s/model.safetensors.index.json", dir) >= (int)sizeof path)
		return err_set(e, SFT_BADDATA, "%.60s...: the name is too long", dir);
	path[strlen(path) - strlen(".index.json")] = '\0';
	if (access(path, F_OK) == 0)
		return st_open(out, path, e);
	strcat(path, ".index.json");
	if (access(path, F_OK) != 0)
		return err_set(e, SFT_BADDATA, "%s: no model.safetensors and no model.safetensors.index.json (pickled .bin files are not read: convert them to safetensors)", dir);
	s = mem_new(sizeof *s);
	if ((rc = read_index(s, dir, path, &files, e)) != 0)
		st_close(s);
	else
		*out = s;
	strmap_free(&files);
	return rc;
}

void st_close(struct safetensors *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->nparts; i++)
		st_close(s->part[i]);
	mem_free(s->part);
	mem_free(s->t);
	strmap_free(&s->names);
	arena_release(&s->arena);
	mapfile_close(&s->map);
	mem_free(s);
}

size_t st_count(const struct safetensors *s)
{
	return s->nt;
}

const struct tensor *st_at(const struct safetensors *s, size_t i)
{
	return &s->t[i];
}

const struct tensor *st_find(const struct safetensors *s, const char *name)
{
	const struct strmap_entry *f = strmap_find(&s->names, name, strlen(name));

	return f ? &s->t[f->value] : NULL;
}

const char *st_meta(const struct safetensors *s, const char *key)
{
	const struct json *v = s->meta ? json_get(s->meta, key) : NULL;

	return v ? v->s : NULL;
}
