/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_GGUFOUT_H
#define SFT_GGUFOUT_H
/* The writer of GGUF (version 3): metadata, some of it perhaps taken over from another file, and tensors that need not lie in memory. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "gguf.h"
#include "mem.h"
#include "outfile.h"
#include "tensors.h"

/* Metadata in the making; `struct gguf_meta m = {0}` is empty.  Keys are the caller's to keep apart. */
struct gguf_meta {
	struct buf b;                  /* entries, as they stand in the file */
	uint64_t n;
	uint32_t align;                /* of tensors; 0: 32 */
};
void gguf_meta_str(struct gguf_meta *m, const char *key, const char *s);
void gguf_meta_u32(struct gguf_meta *m, const char *key, uint32_t v);
void gguf_meta_f32(struct gguf_meta *m, const char *key, float v);
void gguf_meta_bool(struct gguf_meta *m, const char *key, bool v);
void gguf_meta_i32s(struct gguf_meta *m, const char *key, const int32_t *v, size_t n);
void gguf_meta_f32s(struct gguf_meta *m, const char *key, const float *v, size_t n);
/* N texts: begun by the first, each then given to the second, before any other entry. */
void gguf_meta_strs(struct gguf_meta *m, const char *key, size_t n);
void gguf_meta_strs_put(struct gguf_meta *m, const char *s, size_t n);
/* Entry I of G, byte for byte; general.alignment is heeded. */
void gguf_meta_copy(struct gguf_meta *m, const struct gguf *g, size_t i);
void gguf_meta_free(struct gguf_meta *m);

/* Gives the bytes of T[I], all T[I].bytes of them, to out_write(F). */
typedef int gguf_fill(void *ctx, size_t i, struct outfile *f, struct err *e);

/* Write the tensors T (name of 1 to 63 bytes, type, dims row-major and at most 4, bytes; `data` is not looked at) in this order to PATH, whole or
 * not at all, synced.  FILL is called for each in turn; a status of it that is not 0 ends the writing and is returned. */
int gguf_write(const char *path, const struct gguf_meta *m, const struct tensor *t, size_t n, gguf_fill *fill, void *ctx, struct err *e);

#endif
