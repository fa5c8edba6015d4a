/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_CHATIDS_H
#define SFT_CHATIDS_H
/* From chat records to token ids by a model's own tokenizer and template: for generating, scoring and training from records.  Not for
 * threads to share. */
#include <stdbool.h>
#include <stdint.h>
#include "chat.h"
#include "err.h"
#include "json.h"
#include "tok.h"

struct chatids;

/* MODEL has its tokenizer with it.  TEMPLATE: a file or a built-in name, NULL: the model's own.  A model without a template is no error
 * until a chat is rendered. */
int  chatids_open(struct chatids **c, const char *model, const char *template, struct err *e);
/* The same, but a model without tokenizer files is no error: *C is NULL then. */
int  chatids_maybe(struct chatids **c, const char *model, const char *template, struct err *e);
void chatids_close(struct chatids *c);
const struct tok *chatids_tok(const struct chatids *c);
uint64_t chatids_template_hash(const struct chatids *c);      /* 0: no template */

/* Ids of RECORD, left open for the assistant's next answer; appended to OUT. */
int  chatids_prompt(struct chatids *c, const struct json *record, struct tok_ids *out, struct err *e);
/* Ids of the whole of RECORD, and MASK [out->n]: 1 where the token belongs to an answer that is trained. */
int  chatids_whole(struct chatids *c, const struct json *record, enum chat_train train, struct tok_ids *out, struct buf *mask, struct err *e);
/* Ids of TEXT as what a message says. */
int  chatids_content(struct chatids *c, const char *text, size_t n, struct tok_ids *out, struct err *e);
/* Ids of TEXT by itself, with what the tokenizer adds (BOS...). */
int  chatids_text(struct chatids *c, const char *text, size_t n, struct tok_ids *out, struct err *e);
/* The token that the template ends an assistant's answer with, as a chat with RECORD's messages shows it: what training teaches a model to
 * end with.  A template that writes none: the model's end token; -1: neither. */
int  chatids_end(struct chatids *c, const struct json *record, int32_t *id, struct err *e);

#endif
