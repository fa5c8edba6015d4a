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

/* SPEC: a built-in name (chat_builtin), a template file, a model (a folder with chat_template.jinja or tokenizer_config.json, or a
 * GGUF file, whose special tokens are used where BOS, EOS, PAD are NULL), or NULL with SOURCE the model's own template.
 * SFT_USAGE where SPEC is nothing of these or there is no template at all; SFT_BADDATA "NAME:LINE: what" where it cannot be parsed. */
int  chat_open(struct chat_template **c, const char *spec, const char *source, const char *bos, const char *eos, const char *pad, struct err *e);
void chat_close(struct chat_template *c);
uint64_t chat_hash(const struct chat_template *c);       /* of the template's source */
const char *chat_source(const struct chat_template *c);
/* The text of built-in template NAME, or NULL; all names: chat_builtins[i], NULL at the end. */
const char *chat_builtin(const char *name);
extern const char *const chat_builtins[];

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

/* RECORD is a chat record ({"messages":[...], "tools":..., "documents":..., "kwargs":{...}, "now":...}) as a JSON object; kwargs are more
 * variables, which may not take the place of those named here; what they say counts as content.  A special token that kwargs name
 * is used, but is the template's own word only where it is that of C or C has none.  A message's reasoning_content, thinking
 * and reasoning are filled from one another first, as transformers does; loss_weight is not shown to the template.
 *
 * GENERATE: leave the text open for the assistant (add_generation_prompt), nothing is trained then.  Otherwise what is trained
 * follows from TRAIN, "loss_weight" of the messages (0: not trained), the template's generation spans, or where it has none
 * from rendering prefixes: an answer is what the text up to it, left open, is continued with, through the end-of-turn token; blanks that
 * the template puts behind that are not trained.  SFT_BADDATA where one of these texts is no prefix of the whole: the template
 * writes a turn differently once others follow, and would be trained on what is never served; and where nothing of what a trained
 * message says is in the text.
 * What is left in A is OUT's to use only until A is reset.  Threads may share C. */
int chat_render(const struct chat_template *c, const struct json *record, bool generate, enum chat_train train,
                struct arena *a, struct chat_text *out, struct err *e);

/* The same as the record itself asks for it: its add_generation_prompt and continue_final_message.  Nothing is trained. */
int chat_render_record(const struct chat_template *c, const struct json *record, struct arena *a, struct chat_text *out, struct err *e);

#endif
