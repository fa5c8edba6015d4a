/* SPDX-License-Identifier: Apache-2.0 */
/* The writer of safetensors: equal tensors give the bytes of the reference library's writer. */
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "mem.h"
#include "outfile.h"
#include "safetensors.h"

/* The reference sorts by type, the last of its list first, then by name. */
static const enum dtype order[] = {
	DT_BOOL, DT_U8, DT_I8, DT_F8_E5M2, DT_F8_E4M3, DT_F8_E8M0, DT_I16, DT_U16, DT_F16, DT_BF16, DT_I32, DT_U32, DT_F32, DT_F64, DT_I64, DT_U64
};

static size_t rank(enum dtype t)
{
	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		if (order[i] == t)
			return i + 1;
	return 0;
}

static int by_type(const void *a, const void *b)
{
	const struct tensor *x = *(const struct tensor *const *)a, *y = *(const struct tensor *const *)b;
	size_t rx = rank(x->type), ry = rank(y->type);

	return rx != ry ? (rx < ry ? 1 : -1) : strcmp(x->name, y->name);
}

static void put_meta(struct jw *w, const char *const *meta)
{
	static const char *const pt[] = { "format", "pt", NULL };

	jw_key(w, "__metadata__");
	jw_obj(w);
	for (const char *const *m = meta ? meta : pt; m[0]; m += 2) {
		jw_key(w, m[0]);
		jw_str(w, m[1]);
	}
	jw_obj_end(w);
}

static void put_entry(struct jw *w, const struct tensor *t, uint64_t begin)
{
	jw_key(w, t->name);
	jw_obj(w);
	jw_key(w, "dtype");
	jw_str(w, dtype_name(t->type));
	jw_key(w, "shape");
	jw_arr(w);
	for (unsigned i = 0; i < t->ndim; i++)
		jw_uint(w, t->dim[i]);
	jw_arr_end(w);
	jw_key(w, "data_offsets");
	jw_arr(w);
	jw_uint(w, begin);
	jw_uint(w, begin + t->bytes);
	jw_arr_end(w);
	jw_obj_end(w);
}

/* The header with its length before it, padded to a multiple of 8. */
static void build_header(struct buf *b, const struct tensor *const *t, size_t n, const char *const *meta)
{
	uint64_t len = 0, at = 0;
	struct jw w;

	buf_add(b, &len, 8);
	jw_init(&w, b);
	jw_obj(&w);
	put_meta(&w, meta);
	for (size_t i = 0; i < n; at += t[i++]->bytes)
		put_entry(&w, t[i], at);
	jw_obj_end(&w);
	while (b->n % 8)
		buf_ch(b, ' ');
	len = b->n - 8;
	memcpy(b->p, &len, 8);
}

/* What gives the bytes of tensors: FILL with CTX, or the memory they point to. */
struct giver {
	st_fill *fill;
	void *ctx;
	const struct tensor *first;    /* of the caller's list */
};

static int write_tensor(const struct giver *g, const struct tensor *t, struct outfile *f, struct err *e)
{
	uint64_t begin = out_tell(f);
	int rc;

	if (g->fill == NULL)
		return out_write(f, t->data, t->bytes, e);
	if ((rc = g->fill(g->ctx, (size_t)(t - g->first), f, e)) != 0)
		return rc;
	if (out_tell(f) - begin != t->bytes)
		return err_set(e, SFT_SYSTEM, "tensor '%s' came with %llu bytes (expected %zu)", t->name, (unsigned long long)(out_tell(f) - begin), t->bytes);
	return 0;
}

static int write_all(struct outfile *f, const struct buf *head, const struct giver *g, const struct tensor *const *t, size_t n, struct err *e)
{
	int rc = out_write(f, head->p, head->n, e);

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = write_tensor(g, t[i], f, e);
	return rc;
}

static int write_file(const char *path, const struct tensor *t, size_t n, const char *const *meta, const struct giver *g, struct err *e)
{
	const struct tensor **sorted;
	struct outfile *f;
	struct buf head = {0};
	int rc;

	for (size_t i = 0; i < n; i++)
		if (rank(t[i].type) == 0)
			return err_set(e, SFT_USAGE, "%s: tensor '%s' is %s (safetensors has plain types only)", path, t[i].name, dtype_name(t[i].type));
	if ((rc = out_open(&f, path, e)) != 0)
		return rc;
	sorted = mem_grow(NULL, n, sizeof *sorted);
	for (size_t i = 0; i < n; i++)
		sorted[i] = &t[i];
	if (n)
		qsort(sorted, n, sizeof *sorted, by_type);
	build_header(&head, sorted, n, meta);
	if ((rc = write_all(f, &head, g, sorted, n, e)) != 0)
		out_abandon(f);
	else
		rc = out_close(f, true, e);
	buf_free(&head);
	mem_free(sorted);
	return rc;
}

int st_write(const char *path, const struct tensor *t, size_t n, const char *const *meta, struct err *e)
{
	return write_file(path, t, n, meta, &(struct giver){0}, e);
}

int st_write_from(const char *path, const struct tensor *t, size_t n, const char *const *meta, st_fill *fill, void *ctx, struct err *e)
{
	return write_file(path, t, n, meta, &(struct giver){ fill, ctx, t }, e);
}
