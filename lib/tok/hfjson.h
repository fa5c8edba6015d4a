/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_HFJSON_H
#define SFT_HFJSON_H
/* Reading tokenizer.json, part by part. */
#include "json.h"
#include "tokimpl.h"

int hf_normalizer(struct tok *t, const struct json *v, struct err *e);       /* hfnorm.c */
int hf_pre_tokenizer(struct tok *t, const struct json *v, struct err *e);    /* hfpre.c */
int hf_pre_regex(struct tok *t, const char *regex, size_t n, struct err *e); /* hfpre.c: a step that isolates matches */
void hf_pre_bytes(struct tok *t);                                            /* hfpre.c: to bytes, without pattern or prefix */
void hf_pre_digits(struct tok *t);                                           /* hfpre.c: digits one by one */
void hf_pre_join(struct tok *t);                                             /* hfpre.c: steps that one scanner does */
int hf_decoder(struct tok *t, const struct json *v, struct err *e);          /* hfdec.c */
int hf_post(struct tok *t, const struct json *v, struct err *e);             /* hfdec.c */

/* What is common to these. */
bool hf_type(const struct json *v, const char *name);                        /* its "type" is NAME */
int  hf_unknown(const struct json *v, const char *what, struct err *e);      /* SFT_BADDATA: "unknown WHAT 'type'" */
/* Member KEY, a string that must be there (need) or is "" otherwise; copied into T's arena. */
int  hf_text(struct tok *t, const struct json *v, const char *key, bool need, const char **s, size_t *n, struct err *e);
int  hf_bool(const struct json *v, const char *key, bool *out, struct err *e);
/* Member KEY {"String": s} or {"Regex": s}: a text, or a compiled pattern (scanner where SCAN is not NULL and knows it). */
int  hf_pattern(struct tok *t, const struct json *v, const char *key, const char **text, size_t *n, struct pattern **pattern,
                scan_fn **scan, struct err *e);

#endif
