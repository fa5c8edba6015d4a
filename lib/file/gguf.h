/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_GGUF_H
#define SFT_GGUF_H
/* GGUF version 2 and 3, read by mapping.  Everything is checked at opening (docs: hostile input): counts, lengths, types, names,
 * offsets, sizes.  Format: ggml docs/gguf.md. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "tensors.h"

struct gguf;

int  gguf_open(struct gguf **g, const char *path, struct err *e);
/* The same for N bytes at P, which stay the caller's and must outlive G. */
int  gguf_bytes(struct gguf **g, const void *p, size_t n, struct err *e);
void gguf_close(struct gguf *g);                        /* NULL is fine */
bool gguf_is(const char *path);                         /* a file that begins with GGUF's magic */

/* The bytes before the tensors' data: metadata and names. */
const void *gguf_head(const struct gguf *g, size_t *n);

size_t gguf_count(const struct gguf *g);
const struct tensor *gguf_at(const struct gguf *g, size_t i);
const struct tensor *gguf_find(const struct gguf *g, const char *name);   /* NULL: none */

/* Metadata as it stands in the file, for copying: entry I < gguf_keys(), in the file's order.  Returns its key; *RAW, *NRAW: its bytes, from the
 * length of the key to the end of the value. */
size_t gguf_keys(const struct gguf *g);
const char *gguf_key_at(const struct gguf *g, size_t i, const void **raw, size_t *nraw);

/* Metadata.  All return 0 and fill *OUT where KEY is there with the type; SFT_BADDATA with the key's name where it is missing
 * or of another type.  gguf_has() says whether it is there at all.  Integers of every width are read by _u64 (negative ones: error). */
bool gguf_has(const struct gguf *g, const char *key);
int  gguf_u64(const struct gguf *g, const char *key, uint64_t *out, struct err *e);
int  gguf_f64(const struct gguf *g, const char *key, double *out, struct err *e);       /* f32, f64 or integer */
int  gguf_bool(const struct gguf *g, const char *key, bool *out, struct err *e);
int  gguf_str(const struct gguf *g, const char *key, const char **s, size_t *n, struct err *e);   /* not NUL-terminated */
/* Arrays: the number of elements; then element I (I < count).  gguf_ints and gguf_f32s convert at the first call and keep the
 * result: not for threads to call at once. */
int  gguf_strs(const struct gguf *g, const char *key, size_t *count, struct err *e);
void gguf_strs_at(const struct gguf *g, const char *key, size_t i, const char **s, size_t *n);
int  gguf_ints(const struct gguf *g, const char *key, const int32_t **v, size_t *count, struct err *e);   /* any integer type, widened or narrowed with a check; owned by g */
int  gguf_f32s(const struct gguf *g, const char *key, const float **v, size_t *count, struct err *e);     /* owned by g */

#endif
