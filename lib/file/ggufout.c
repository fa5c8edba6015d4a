/* SPDX-License-Identifier: Apache-2.0 */
#include "ggufout.h"

#include <string.h>

enum { V_U32 = 4, V_I32 = 5, V_F32 = 6, V_BOOL = 7, V_STR = 8, V_ARRAY = 9, ALIGN = 32, NAME_MOST = 63, DIMS_MOST = 4 };

static void put_u32(struct buf *b, uint32_t v) { buf_add(b, &v, sizeof v); }
static void put_u64(struct buf *b, uint64_t v) { buf_add(b, &v, sizeof v); }

static void put_str(struct buf *b, const char *s)
{
	put_u64(b, strlen(s));
	buf_str(b, s);
}

/* --- metadata --- */

static void begin(struct gguf_meta *m, const char *key, uint32_t type)
{
	put_str(&m->b, key);
	put_u32(&m->b, type);
	m->n++;
}

void gguf_meta_str(struct gguf_meta *m, const char *key, const char *s)
{
	begin(m, key, V_STR);
	put_str(&m->b, s);
}

void gguf_meta_u32(struct gguf_meta *m, const char *key, uint32_t v)
{
	begin(m, key, V_U32);
	put_u32(&m->b, v);
}

void gguf_meta_f32(struct gguf_meta *m, const char *key, float v)
{
	begin(m, key, V_F32);
	buf_add(&m->b, &v, sizeof v);
}

void gguf_meta_bool(struct gguf_meta *m, const char *key, bool v)
{
	begin(m, key, V_BOOL);
	buf_ch(&m->b, v);
}

static void begin_array(struct gguf_meta *m, const char *key, uint32_t type, size_t n)
{
	begin(m, key, V_ARRAY);
	put_u32(&m->b, type);
	put_u64(&m->b, n);
}

void gguf_meta_i32s(struct gguf_meta *m, const char *key, const int32_t *v, size_t n)
{
	begin_array(m, key, V_I32, n);
	buf_add(&m->b, v, n * sizeof *v);
}

void gguf_meta_f32s(struct gguf_meta *m, const char *key, const float *v, size_t n)
{
	begin_array(m, key, V_F32, n);
	buf_add(&m->b, v, n * sizeof *v);
}

void gguf_meta_strs(struct gguf_meta *m, const char *key, size_t n)
{
	begin_array(m, key, V_STR, n);
}

void gguf_meta_strs_put(struct gguf_meta *m, const char *s, size_t n)
{
	put_u64(&m->b, n);
	buf_add(&m->b, s, n);
}

void gguf_meta_copy(struct gguf_meta *m, const struct gguf *g, size_t i)
{
	const void *raw;
	size_t n;
	uint64_t align;
	const char *key = gguf_key_at(g, i, &raw, &n);

	if (strcmp(key, "general.alignment") == 0 && gguf_u64(g, key, &align, NULL) == 0)
		m->align = (uint32_t)align;
	buf_add(&m->b, raw, n);
	m->n++;
}

void gguf_meta_free(struct gguf_meta *m)
{
	buf_free(&m->b);
	memset(m, 0, sizeof *m);
}

/* --- the file --- */

static uint64_t padded(uint64_t n, uint32_t align)
{
	return (n + align - 1) & ~((uint64_t)align - 1);
}

/* Entries of the tensors; dims are innermost first in the file. */
static int put_infos(struct buf *b, const struct tensor *t, size_t n, uint32_t align, struct err *e)
{
	uint64_t at = 0;

	for (size_t i = 0; i < n; i++) {
		if (strlen(t[i].name) > NAME_MOST || t[i].ndim > DIMS_MOST || t[i].type >= DT_F8_E4M3)
			return err_set(e, SFT_USAGE, "tensor '%.100s' cannot stand in a GGUF file (expected a name of at most 63 bytes, 4 dimensions, a type of GGUF's)", t[i].name);
		put_str(b, t[i].name);
		put_u32(b, t[i].ndim);
		for (unsigned k = t[i].ndim; k-- > 0; )
			put_u64(b, t[i].dim[k]);
		put_u32(b, (uint32_t)t[i].type);
		put_u64(b, at);
		at = padded(at + t[i].bytes, align);
	}
	return 0;
}

static int put_padding(struct outfile *f, uint32_t align, struct err *e)
{
	static const char zeros[256];
	uint64_t left = padded(out_tell(f), align) - out_tell(f);
	int rc = 0;

	for (uint64_t n; rc == 0 && left; left -= n) {
		n = left < sizeof zeros ? left : sizeof zeros;
		rc = out_write(f, zeros, n, e);
	}
	return rc;
}

static int put_tensor(struct outfile *f, const struct tensor *t, size_t i, uint32_t align, gguf_fill *fill, void *ctx, struct err *e)
{
	uint64_t first = out_tell(f);
	int rc;

	if ((rc = fill(ctx, i, f, e)) != 0)
		return rc;
	if (out_tell(f) - first != t[i].bytes)
		return err_set(e, SFT_SYSTEM, "tensor '%s' came with %llu bytes (expected %zu)", t[i].name, (unsigned long long)(out_tell(f) - first), t[i].bytes);
	return put_padding(f, align, e);
}

int gguf_write(const char *path, const struct gguf_meta *m, const struct tensor *t, size_t n, gguf_fill *fill, void *ctx, struct err *e)
{
	uint32_t align = m->align ? m->align : ALIGN;
	struct outfile *f = NULL;
	struct buf head = {0};
	int rc;

	buf_str(&head, "GGUF");
	put_u32(&head, 3);
	put_u64(&head, n);
	put_u64(&head, m->n);
	buf_add(&head, m->b.p, m->b.n);
	if ((rc = put_infos(&head, t, n, align, e)) != 0 || (rc = out_open(&f, path, e)) != 0) {
		buf_free(&head);
		return rc;
	}
	rc = out_write(f, head.p, head.n, e);
	if (rc == 0)
		rc = put_padding(f, align, e);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = put_tensor(f, t, i, align, fill, ctx, e);
	if (rc == 0)
		rc = out_close(f, true, e);
	else
		out_abandon(f);
	buf_free(&head);
	return rc;
}
