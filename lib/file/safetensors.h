/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SAFETENSORS_H
#define SFT_SAFETENSORS_H
/* safetensors: one file, or a folder with model.safetensors or model.safetensors.index.json and its shards, read by mapping; and
 * the writer.  Rules: cli and formats pages; duplicates, holes, overlaps, lying offsets are refused. */
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "outfile.h"
#include "tensors.h"

struct safetensors;

int  st_open(struct safetensors **s, const char *path, struct err *e);          /* one file */
int  st_bytes(struct safetensors **s, const void *p, size_t n, struct err *e);  /* the bytes of one file; they must outlive S */
int  st_open_dir(struct safetensors **s, const char *dir, struct err *e);       /* a model folder, sharded or not */
void st_close(struct safetensors *s);                                           /* NULL is fine */
size_t st_count(const struct safetensors *s);
const struct tensor *st_at(const struct safetensors *s, size_t i);              /* in the order of names (bytes) */
const struct tensor *st_find(const struct safetensors *s, const char *name);    /* NULL: none */
const char *st_meta(const struct safetensors *s, const char *key);              /* of __metadata__; NULL: none */

/* Write tensors (data in memory, types F32 F16 BF16 F8_E4M3 I64 I32 U8...) to PATH, whole or not at all, synced.  Sorted by element
 * size (largest first; for one size in the reference's order of types), then name: equal input gives the reference writer's bytes.
 * META: pairs "key","value",...,NULL; NULL for {"format":"pt"}. */
int  st_write(const char *path, const struct tensor *t, size_t n, const char *const *meta, struct err *e);

/* The same for tensors that do not lie in memory (T's `data` is not looked at): FILL is called for each in the order of the file and gives the
 * bytes of T[I], all T[I].bytes of them, to out_write(F).  A status of FILL that is not 0 ends the writing and is returned. */
typedef int st_fill(void *ctx, size_t i, struct outfile *f, struct err *e);
int  st_write_from(const char *path, const struct tensor *t, size_t n, const char *const *meta, st_fill *fill, void *ctx, struct err *e);

#endif
