/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SPM_H
#define SFT_SPM_H
/* The door to the SentencePiece library (spm.cc); nothing else includes it. */
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "mem.h"

#ifdef __cplusplus
extern "C" {
#endif

struct spm;

enum spm_kind { SPM_NORMAL, SPM_UNKNOWN, SPM_CONTROL, SPM_BYTE, SPM_UNUSED };

int  spm_open(struct spm **out, const void *model, size_t n, struct err *e);     /* the bytes of a .model file */
void spm_close(struct spm *s);                                                    /* NULL is fine */
uint32_t spm_size(const struct spm *s);
const char *spm_piece(const struct spm *s, uint32_t id, size_t *n, enum spm_kind *kind);
int32_t spm_bos(const struct spm *s);           /* -1: none */
int32_t spm_eos(const struct spm *s);
int32_t spm_pad(const struct spm *s);
float   spm_score(const struct spm *s, uint32_t id);
int     spm_bytes(const struct spm *s, struct buf *out, struct err *e);     /* the model as the bytes of a .model file */

/* Ids of TEXT: PUT is given N of them, which are gone when it returns.  Threads may share S. */
int spm_to_ids(const struct spm *s, const char *text, size_t n, void (*put)(void *ctx, const int *ids, size_t n), void *ctx, struct err *e);
/* The same with where they stand: one call of PUT for each, with its bytes of the text. */
int spm_to_places(const struct spm *s, const char *text, size_t n, void (*put)(void *ctx, uint32_t id, size_t start, size_t end), void *ctx, struct err *e);
int spm_to_text(const struct spm *s, const uint32_t *ids, size_t n, struct buf *out, struct err *e);

#ifdef __cplusplus
}
#endif

#endif
