/* SPDX-License-Identifier: Apache-2.0 */
#include "gguf.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "mapfile.h"
#include "mem.h"
#include "strmap.h"

enum { V_U8, V_I8, V_U16, V_I16, V_U32, V_I32, V_F32, V_BOOL, V_STR, V_ARR, V_U64, V_I64, V_F64, V_TYPES };
enum { KEY_MAX = 65535, NAME_MAX_BYTES = 63, DIMS_MAX = 4, ALIGN_MAX = 65536 };

static const uint8_t value_bytes[V_TYPES] = { 1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8 };
static const char *const value_name[V_TYPES] = { "u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "string", "array", "u64", "i64", "f64" };

struct kv {
	uint32_t type;                 /* V_*; of an array, that of its elements */
	bool     array;
	size_t   count;                /* elements; 1 for a scalar */
	const uint8_t *p;              /* the value; of strings, the length word of the first */
	const uint8_t *raw;            /* the whole entry, from the length word of its key on */
	size_t   nraw;
	const uint8_t **str;           /* array of strings: the length word of each */
	int32_t *ints;                 /* made by gguf_ints */
	float   *f32s;                 /* made by gguf_f32s */
};

struct gguf {
	struct mapfile map;
	struct kv *kv;
	size_t nkv, capkv;
	struct strmap keys;            /* key -> place in kv */
	struct tensor *t;
	size_t nt, capt;
	struct strmap names;           /* tensor name -> place in t */
	const void *head;              /* the bytes before the data section */
	size_t nhead;
};

/* --- reading bytes: whatever is read is checked against what is left --- */

struct rd {
	const uint8_t *p;
	size_t n, at;
	struct err *e;
};

static int rd_bad(const struct rd *r, const char *what, uint64_t found, const char *expected)
{
	return err_set(r->e, SFT_BADDATA, "byte %zu: %s %" PRIu64 " (expected %s)", r->at, what, found, expected);
}

/* N bytes that must be there; NULL and the message otherwise. */
static const uint8_t *rd_take(struct rd *r, uint64_t n, const char *what)
{
	const uint8_t *p = r->p + r->at;

	if (n > r->n - r->at) {
		err_set(r->e, SFT_BADDATA, "byte %zu: %s needs %" PRIu64 " bytes (%zu are left)", r->at, what, n, r->n - r->at);
		return NULL;
	}
	r->at += n;
	return p;
}

static int rd_u32(struct rd *r, uint32_t *out, const char *what)
{
	const uint8_t *p = rd_take(r, sizeof *out, what);

	if (p == NULL)
		return SFT_BADDATA;
	memcpy(out, p, sizeof *out);
	return 0;
}

static int rd_u64(struct rd *r, uint64_t *out, const char *what)
{
	const uint8_t *p = rd_take(r, sizeof *out, what);

	if (p == NULL)
		return SFT_BADDATA;
	memcpy(out, p, sizeof *out);
	return 0;
}

static uint64_t u64_at(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* A string that names something: not empty, at most MAX bytes, without NUL. */
static int rd_name(struct rd *r, size_t max, const char *what, const char **s, size_t *n)
{
	size_t start = r->at;
	uint64_t len;
	int rc;

	if ((rc = rd_u64(r, &len, what)) != 0)
		return rc;
	if (len == 0 || len > max) {
		r->at = start;
		return rd_bad(r, what, len, max == KEY_MAX ? "a length of 1 to 65535" : "a length of 1 to 63");
	}
	if ((*s = (const char *)rd_take(r, len, what)) == NULL)
		return SFT_BADDATA;
	if (memchr(*s, '\0', len))
		return err_set(r->e, SFT_BADDATA, "byte %zu: %s holds a NUL (expected text)", start, what);
	*n = len;
	return 0;
}

/* --- metadata --- */

static int read_strings(struct rd *r, struct kv *v)
{
	uint64_t len;
	int rc;

	if (v->count > (r->n - r->at) / 8)
		return rd_bad(r, "strings in array:", v->count, "no more than the file can hold");
	if (v->array)
		v->str = mem_grow(NULL, v->count, sizeof *v->str);
	for (size_t i = 0; i < v->count; i++) {
		if (v->array)
			v->str[i] = r->p + r->at;
		if ((rc = rd_u64(r, &len, "length of a string")) != 0)
			return rc;
		if (rd_take(r, len, "string") == NULL)
			return SFT_BADDATA;
	}
	return 0;
}

static int read_value(struct rd *r, struct kv *v)
{
	uint64_t count = 1;
	int rc;

	if ((rc = rd_u32(r, &v->type, "type of a value")) != 0)
		return rc;
	if (v->type == V_ARR) {
		v->array = true;
		if ((rc = rd_u32(r, &v->type, "type of an array")) != 0 || (rc = rd_u64(r, &count, "length of an array")) != 0)
			return rc;
		if (v->type == V_ARR)
			return err_set(r->e, SFT_BADDATA, "byte %zu: an array of arrays (expected an array of plain values)", r->at);
	}
	if (v->type >= V_TYPES)
		return rd_bad(r, "value of type", v->type, "0 to 12");
	v->count = count;
	v->p = r->p + r->at;
	if (v->type == V_STR)
		return read_strings(r, v);
	if (count > (r->n - r->at) / value_bytes[v->type])
		return rd_bad(r, "elements in array:", count, "no more than the file can hold");
	r->at += count * value_bytes[v->type];
	for (size_t i = 0; v->type == V_BOOL && i < count; i++)
		if (v->p[i] > 1)
			return rd_bad(r, "bool with value", v->p[i], "0 or 1");
	return 0;
}

static int read_kv(struct gguf *g, struct rd *r)
{
	const char *key;
	size_t n, start = r->at;
	bool added;
	int rc;

	if ((rc = rd_name(r, KEY_MAX, "key", &key, &n)) != 0)
		return rc;
	strmap_put(&g->keys, key, n, g->nkv, &added);
	if (!added)
		return err_set(r->e, SFT_BADDATA, "byte %zu: key '%.*s' appears twice", start, (int)(n > 200 ? 200 : n), key);
	ARRAY_ROOM(g->kv, g->nkv, g->capkv);
	memset(&g->kv[g->nkv], 0, sizeof *g->kv);
	if ((rc = read_value(r, &g->kv[g->nkv++])) != 0)
		return err_in(r->e, "key '%.*s'", (int)(n > 200 ? 200 : n), key);
	g->kv[g->nkv - 1].raw = r->p + start;
	g->kv[g->nkv - 1].nraw = r->at - start;
	return 0;
}

static int read_alignment(const struct gguf *g, uint32_t *out, struct err *e)
{
	const struct strmap_entry *s = strmap_find(&g->keys, "general.alignment", 17);
	const struct kv *v;

	*out = 32;
	if (s == NULL)
		return 0;
	v = &g->kv[s->value];
	if (v->array || v->type != V_U32)
		return err_set(e, SFT_BADDATA, "general.alignment is %s %s (expected u32)", v->array ? "an array of" : "of type", value_name[v->type]);
	memcpy(out, v->p, sizeof *out);
	if (*out == 0 || (*out & (*out - 1)) != 0 || *out > ALIGN_MAX)
		return err_set(e, SFT_BADDATA, "general.alignment is %" PRIu32 " (expected a power of two up to 65536)", *out);
	return 0;
}

/* --- tensors --- */

static int read_dims(struct rd *r, struct tensor *t)
{
	uint32_t ndim;
	int rc;

	if ((rc = rd_u32(r, &ndim, "number of dimensions")) != 0)
		return rc;
	if (ndim > DIMS_MAX)
		return rd_bad(r, "number of dimensions", ndim, "0 to 4");
	t->ndim = ndim;
	t->count = 1;
	for (unsigned i = 0; i < ndim; i++) {
		uint64_t d;

		if ((rc = rd_u64(r, &d, "dimension")) != 0)
			return rc;
		if (d == 0 || __builtin_mul_overflow(t->count, d, &t->count) || t->count > INT64_MAX)
			return rd_bad(r, "dimension", d, "at least 1, and fewer than 2^63 values in all");
		t->dim[ndim - 1 - i] = d;
	}
	return 0;
}

static int read_type(struct rd *r, struct tensor *t)
{
	uint32_t type;
	uint64_t row = t->ndim ? t->dim[t->ndim - 1] : 1;
	unsigned block;
	int rc;

	if ((rc = rd_u32(r, &type, "type of a tensor")) != 0)
		return rc;
	block = type < DT_F8_E4M3 ? dtype_block((enum dtype)type) : 0;      /* from there on the numbers are our own */
	if (block == 0)
		return rd_bad(r, "tensor type", type, "F32 0, F16 1, BF16 30, Q4_0 to Q8_0 2 3 6 7 8, Q2_K to Q6_K 10-14 or plain 24-28");
	if (row % block != 0)
		return rd_bad(r, "row length", row, "a multiple of the type's block");
	t->type = (enum dtype)type;
	if (__builtin_mul_overflow(t->count / block, (uint64_t)dtype_bytes(t->type), &t->bytes))
		return rd_bad(r, "number of values", t->count, "a size below 2^64 bytes");
	return 0;
}

/* One entry; *NEXT is where its data must begin, and then where the next one's must. */
static int read_info(struct gguf *g, struct rd *r, uint32_t align, uint64_t *next)
{
	struct tensor *t;
	const char *name;
	size_t n, start = r->at;
	uint64_t off, end;
	bool added;
	int rc;

	if ((rc = rd_name(r, NAME_MAX_BYTES, "name of a tensor", &name, &n)) != 0)
		return rc;
	strmap_put(&g->names, name, n, g->nt, &added);
	if (!added)
		return err_set(r->e, SFT_BADDATA, "byte %zu: tensor '%.*s' appears twice", start, (int)n, name);
	ARRAY_ROOM(g->t, g->nt, g->capt);
	t = memset(&g->t[g->nt++], 0, sizeof *t);
	if ((rc = read_dims(r, t)) != 0 || (rc = read_type(r, t)) != 0 || (rc = rd_u64(r, &off, "offset")) != 0)
		return err_in(r->e, "tensor '%.*s'", (int)n, name);
	if (off != *next)
		return err_set(r->e, SFT_BADDATA, "byte %zu: tensor '%.*s' has offset %" PRIu64 " (expected %" PRIu64 ", right after the one before)",
		               r->at - 8, (int)n, name, off, *next);
	if (__builtin_add_overflow(off, (uint64_t)t->bytes, &end) || __builtin_add_overflow(end, (uint64_t)align - 1, next))
		return err_set(r->e, SFT_BADDATA, "tensor '%.*s' ends beyond 2^64 bytes", (int)n, name);
	*next &= ~((uint64_t)align - 1);
	t->data = (const void *)(uintptr_t)off;            /* the offset for now: the data section is not known yet */
	return 0;
}

/* Names and data pointers, when all entries are known.  The map's copies of names are NUL-terminated. */
static int place(struct gguf *g, const struct rd *r, uint32_t align)
{
	uint64_t data = ((uint64_t)r->at + align - 1) & ~((uint64_t)align - 1);

	g->head = r->p;
	g->nhead = r->at;
	for (size_t i = 0; i < g->nt; i++) {
		struct tensor *t = &g->t[i];
		uint64_t off = (uintptr_t)t->data;

		t->name = g->names.e[i].key;
		if (data > r->n || off > r->n - data || t->bytes > r->n - data - off)
			return err_set(r->e, SFT_BADDATA, "tensor '%s' needs %zu bytes from byte %" PRIu64 " on (the file has %zu; is it cut short?)",
			               t->name, t->bytes, data + off, r->n);
		t->data = r->p + data + off;
	}
	return 0;
}

static int read_head(struct rd *r, uint64_t *tensors, uint64_t *kvs)
{
	const uint8_t *magic = rd_take(r, 4, "magic");
	uint32_t version;
	int rc;

	if (magic == NULL)
		return SFT_BADDATA;
	if (memcmp(magic, "GGUF", 4) != 0)
		return err_set(r->e, SFT_BADDATA, "begins with %02x %02x %02x %02x (expected GGUF's magic 47 47 55 46)", magic[0], magic[1], magic[2], magic[3]);
	if ((rc = rd_u32(r, &version, "version")) != 0)
		return rc;
	if (version != 2 && version != 3)
		return err_set(r->e, SFT_BADDATA, "GGUF version %" PRIu32 "%s (expected 2 or 3)", version,
		               version && (version & 0xffff) == 0 ? ", a big-endian file" : "");
	if ((rc = rd_u64(r, tensors, "number of tensors")) != 0 || (rc = rd_u64(r, kvs, "number of keys")) != 0)
		return rc;
	if (*tensors > (r->n - r->at) / 24)
		return rd_bad(r, "number of tensors", *tensors, "no more than the file can hold");
	if (*kvs > (r->n - r->at) / 14)
		return rd_bad(r, "number of keys", *kvs, "no more than the file can hold");
	return 0;
}

static int read_all(struct gguf *g, struct rd *r)
{
	uint64_t tensors = 0, kvs = 0, next = 0;
	uint32_t align;
	int rc;

	if ((rc = read_head(r, &tensors, &kvs)) != 0)
		return rc;
	for (uint64_t i = 0; i < kvs; i++)
		if ((rc = read_kv(g, r)) != 0)
			return rc;
	if ((rc = read_alignment(g, &align, r->e)) != 0)
		return rc;
	for (uint64_t i = 0; i < tensors; i++)
		if ((rc = read_info(g, r, align, &next)) != 0)
			return rc;
	return place(g, r, align);
}

int gguf_bytes(struct gguf **out, const void *p, size_t n, struct err *e)
{
	struct gguf *g = mem_new(sizeof *g);
	struct rd r = { p, n, 0, e };
	int rc = read_all(g, &r);

	*out = NULL;
	if (rc != 0)
		gguf_close(g);
	else
		*out = g;
	return rc;
}

int gguf_open(struct gguf **out, const char *path, struct err *e)
{
	struct mapfile m;
	int rc;

	*out = NULL;
	if ((rc = mapfile_open(&m, path, e)) != 0)
		return rc;
	if ((rc = gguf_bytes(out, m.p, m.n, e)) != 0) {
		mapfile_close(&m);
		return err_in(e, "%s", path);
	}
	(*out)->map = m;
	return 0;
}

void gguf_close(struct gguf *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < g->nkv; i++) {
		mem_free(g->kv[i].str);
		mem_free(g->kv[i].ints);
		mem_free(g->kv[i].f32s);
	}
	mem_free(g->kv);
	mem_free(g->t);
	strmap_free(&g->keys);
	strmap_free(&g->names);
	mapfile_close(&g->map);
	mem_free(g);
}

bool gguf_is(const char *path)
{
	char magic[4];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool is = fd >= 0 && read(fd, magic, 4) == 4 && memcmp(magic, "GGUF", 4) == 0;

	if (fd >= 0)
		close(fd);
	return is;
}

const void *gguf_head(const struct gguf *g, size_t *n)
{
	*n = g->nhead;
	return g->head;
}

size_t gguf_count(const struct gguf *g)
{
	return g->nt;
}

const struct tensor *gguf_at(const struct gguf *g, size_t i)
{
	return &g->t[i];
}

const struct tensor *gguf_find(const struct gguf *g, const char *name)
{
	const struct strmap_entry *s = strmap_find(&g->names, name, strlen(name));

	return s ? &g->t[s->value] : NULL;
}

/* --- typed metadata --- */

static struct kv *find_kv(const struct gguf *g, const char *key)
{
	const struct strmap_entry *s = strmap_find(&g->keys, key, strlen(key));

	return s ? &g->kv[s->value] : NULL;
}

static int wrong(const char *key, const struct kv *v, const char *expected, struct err *e)
{
	if (v == NULL)
		return err_set(e, SFT_BADDATA, "key '%s' is missing (expected %s)", key, expected);
	return err_set(e, SFT_BADDATA, "key '%s' is %s %s (expected %s)", key, v->array ? "an array of" : "of type", value_name[v->type], expected);
}

static bool is_int(uint32_t type)
{
	return type <= V_I32 || type == V_U64 || type == V_I64;
}

/* Element I of an integer value; *NEGATIVE says how to read the bits. */
static uint64_t int_at(const struct kv *v, size_t i, bool *negative)
{
	const uint8_t *p = v->p + i * value_bytes[v->type];
	bool is_signed = v->type == V_I8 || v->type == V_I16 || v->type == V_I32 || v->type == V_I64;
	unsigned bits = 8u * value_bytes[v->type];
	uint64_t x = 0;

	memcpy(&x, p, value_bytes[v->type]);
	*negative = is_signed && x >> (bits - 1) & 1;
	if (*negative && bits < 64)
		x |= ~UINT64_C(0) << bits;
	return x;
}

size_t gguf_keys(const struct gguf *g)
{
	return g->nkv;
}

const char *gguf_key_at(const struct gguf *g, size_t i, const void **raw, size_t *nraw)
{
	*raw = g->kv[i].raw;
	*nraw = g->kv[i].nraw;
	return g->keys.e[i].key;
}

bool gguf_has(const struct gguf *g, const char *key)
{
	return find_kv(g, key) != NULL;
}

int gguf_u64(const struct gguf *g, const char *key, uint64_t *out, struct err *e)
{
	const struct kv *v = find_kv(g, key);
	bool negative;

	if (v == NULL || v->array || !is_int(v->type))
		return wrong(key, v, "an integer", e);
	*out = int_at(v, 0, &negative);
	if (negative)
		return err_set(e, SFT_BADDATA, "key '%s' is %" PRId64 " (expected no negative number)", key, (int64_t)*out);
	return 0;
}

int gguf_f64(const struct gguf *g, const char *key, double *out, struct err *e)
{
	const struct kv *v = find_kv(g, key);
	bool negative;
	uint64_t x;
	float f;

	if (v == NULL || v->array || !(is_int(v->type) || v->type == V_F32 || v->type == V_F64))
		return wrong(key, v, "a number", e);
	if (v->type == V_F32) {
		memcpy(&f, v->p, sizeof f);
		*out = f;
	} else if (v->type == V_F64) {
		memcpy(out, v->p, sizeof *out);
	} else {
		x = int_at(v, 0, &negative);
		*out = negative ? (double)(int64_t)x : (double)x;
	}
	return 0;
}

int gguf_bool(const struct gguf *g, const char *key, bool *out, struct err *e)
{
	const struct kv *v = find_kv(g, key);

	if (v == NULL || v->array || v->type != V_BOOL)
		return wrong(key, v, "a bool", e);
	*out = *v->p != 0;
	return 0;
}

int gguf_str(const struct gguf *g, const char *key, const char **s, size_t *n, struct err *e)
{
	const struct kv *v = find_kv(g, key);

	if (v == NULL || v->array || v->type != V_STR)
		return wrong(key, v, "a string", e);
	*n = u64_at(v->p);
	*s = (const char *)v->p + 8;
	return 0;
}

int gguf_strs(const struct gguf *g, const char *key, size_t *count, struct err *e)
{
	const struct kv *v = find_kv(g, key);

	if (v == NULL || !v->array || v->type != V_STR)
		return wrong(key, v, "an array of strings", e);
	*count = v->count;
	return 0;
}

void gguf_strs_at(const struct gguf *g, const char *key, size_t i, const char **s, size_t *n)
{
	const struct kv *v = find_kv(g, key);

	*n = u64_at(v->str[i]);
	*s = (const char *)v->str[i] + 8;
}

int gguf_ints(const struct gguf *g, const char *key, const int32_t **out, size_t *count, struct err *e)
{
	struct kv *v = find_kv(g, key);

	if (v == NULL || !v->array || !is_int(v->type))
		return wrong(key, v, "an array of integers", e);
	if (v->ints == NULL && (v->ints = mem_try(v->count * sizeof *v->ints)) == NULL)
		return err_set(e, SFT_SYSTEM, "no memory for the %zu integers of key '%s'", v->count, key);
	for (size_t i = 0; i < v->count; i++) {
		bool negative;
		uint64_t x = int_at(v, i, &negative);

		if (negative ? (int64_t)x < INT32_MIN : x > INT32_MAX)
			return err_set(e, SFT_BADDATA, "key '%s': element %zu is out of range (expected 32 bits)", key, i);
		v->ints[i] = (int32_t)x;
	}
	*out = v->ints;
	*count = v->count;
	return 0;
}

int gguf_f32s(const struct gguf *g, const char *key, const float **out, size_t *count, struct err *e)
{
	struct kv *v = find_kv(g, key);

	if (v == NULL || !v->array || v->type != V_F32)
		return wrong(key, v, "an array of f32", e);
	if (v->f32s == NULL) {
		if ((v->f32s = mem_try(v->count * sizeof *v->f32s)) == NULL)
			return err_set(e, SFT_SYSTEM, "no memory for the %zu numbers of key '%s'", v->count, key);
		if (v->count)
			memcpy(v->f32s, v->p, v->count * sizeof *v->f32s);
	}
	*out = v->f32s;
	*count = v->count;
	return 0;
}
