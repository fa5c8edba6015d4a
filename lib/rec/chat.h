/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_CHAT_H
#define SFT_CHAT_H
/* Chat records: messages with roles, rendered by a chat template, with who said what.  One rendering for training, scoring and
 * generation: the text a model is trained on is the text it is served with. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "json.h"
#include "mem.h"
#include "template.h"

struct chat_template;

/* SPEC: a file, a built-in name (chatml, llama3, ...), or NULL with SOURCE the model's own template.  BOS, EOS, PAD texts may be NULL. */
int  chat_open(struct chat_template **c, const char *spec, const char *source, const char *bos, const char *eos, const char *pad, struct err *e);
void chat_close(struct chat_template *c);
uint64_t chat_hash(const struct chat_template *c);       /* of the template's source */

enum chat_train { CHAT_ASSISTANT, CHAT_LAST, CHAT_ALL };

struct chat_span {
	size_t start, end;          /* bytes of text */
	bool   content;             /* what a message says: matches no special token */
	bool   trained;             /* part of an assistant's answer, end-of-turn included */
};

struct chat_text {
	struct buf text;
	struct chat_span *span;     /* gapless, in order */
	size_t nspans, cap;
};
void chat_text_free(struct chat_text *t);

/* RECORD is a chat record ({"messages":[...], "tools":..., ...}) as a JSON object.  GENERATE: leave the text open for the assistant
 * (add_generation_prompt), nothing is trained then.  Otherwise what is trained follows from TRAIN, "loss_weight" of the messages
 * (0: not trained), the template's generation spans, or where it has none from rendering prefixes. */
int chat_render(const struct chat_template *c, const struct json *record, bool generate, enum chat_train train,
                struct arena *a, struct chat_text *out, struct err *e);

#endif
