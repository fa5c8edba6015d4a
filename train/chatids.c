/* SPDX-License-Identifier: Apache-2.0 */
#include "chatids.h"

#include <string.h>

#include "mem.h"
#include "vocabhash.h"

struct chatids {
	struct tok *tok;
	struct tok_scratch *scratch;
	struct chat_template *template;
	struct chat_text text;
	struct tok_span *span;
	size_t cap;
	struct arena arena;
};

int chatids_open(struct chatids **out, const char *model, const char *template, struct err *e)
{
	struct chatids *c = mem_new(sizeof *c);
	int rc = tok_open(&c->tok, model, e);

	*out = NULL;
	if (rc == 0) {
		struct tok *t = c->tok;

		c->scratch = tok_scratch_new(t);
		if (template || tok_chat_template(t))
			rc = chat_open(&c->template, template, tok_chat_template(t), tok_bos_text(t), tok_eos_text(t), tok_pad_text(t), e);
		if (rc == 0 && c->template)
			tok_use_template(t, chat_source(c->template));
	}
	if (rc == 0)
		*out = c;
	else
		chatids_close(c);
	return rc;
}

int chatids_maybe(struct chatids **c, const char *model, const char *template, struct err *e)
{
	*c = NULL;
	return vocab_there(model) ? chatids_open(c, model, template, e) : 0;
}

void chatids_close(struct chatids *c)
{
	if (c == NULL)
		return;
	if (c->template)
		chat_close(c->template);
	if (c->scratch)
		tok_scratch_free(c->scratch);
	tok_close(c->tok);
	chat_text_free(&c->text);
	mem_free(c->span);
	arena_release(&c->arena);
	mem_free(c);
}

const struct tok *chatids_tok(const struct chatids *c)
{
	return c->tok;
}

uint64_t chatids_template_hash(const struct chatids *c)
{
	return c->template ? chat_hash(c->template) : 0;
}

static int render(struct chatids *c, const struct json *record, bool generate, enum chat_train train, struct err *e)
{
	if (c->template == NULL)
		return err_set(e, SFT_BADDATA, "the model has no chat template (expected --chat-template)");
	c->text.text.n = 0;
	c->text.nspans = 0;
	arena_reset(&c->arena);
	return chat_render(c->template, record, generate, train, &c->arena, &c->text, e);
}

static int encode(struct chatids *c, struct tok_ids *out, struct err *e)
{
	const struct chat_text *t = &c->text;

	if (t->nspans > c->cap) {
		c->cap = 2 * t->nspans;
		c->span = mem_grow(c->span, c->cap, sizeof *c->span);
	}
	for (size_t i = 0; i < t->nspans; i++)
		c->span[i] = (struct tok_span){ t->span[i].start, t->span[i].end, t->span[i].content };
	return tok_encode_chat(c->tok, c->scratch, t->text.p ? t->text.p : "", t->text.n, c->span, t->nspans, out, e);
}

int chatids_prompt(struct chatids *c, const struct json *record, struct tok_ids *out, struct err *e)
{
	int rc = render(c, record, true, CHAT_ASSISTANT, e);

	return rc ? rc : encode(c, out, e);
}

/* A token is trained where a byte of it is, as sft-tokenize has it. */
static void mask_tokens(const struct chat_text *t, const struct tok_ids *ids, size_t from, struct buf *mask)
{
	size_t k = 0;

	for (size_t i = from; i < ids->n; i++) {
		bool trained = false;

		while (k > 0 && t->span[k - 1].end > ids->start[i])
			k--;
		while (k < t->nspans && t->span[k].end <= ids->start[i])
			k++;
		for (size_t s = k; s < t->nspans && t->span[s].start < ids->end[i]; s++)
			trained |= t->span[s].trained;
		buf_ch(mask, trained);
	}
}

int chatids_whole(struct chatids *c, const struct json *record, enum chat_train train, struct tok_ids *out, struct buf *mask, struct err *e)
{
	size_t from = out->n;
	int rc = render(c, record, false, train, e);

	if (rc == 0 && (rc = encode(c, out, e)) == 0)
		mask_tokens(&c->text, out, from, mask);
	return rc;
}

int chatids_content(struct chatids *c, const char *text, size_t n, struct tok_ids *out, struct err *e)
{
	return tok_encode(c->tok, c->scratch, text, n, 0, out, e);
}

int chatids_text(struct chatids *c, const char *text, size_t n, struct tok_ids *out, struct err *e)
{
	return tok_encode(c->tok, c->scratch, text, n, TOK_ADD, out, e);
}

/* RECORD with an answer of one letter at its end; the nodes are the arena's. */
static const struct json *with_answer(struct arena *a, const struct json *record)
{
	static const struct json role = { .type = JSON_STR, .n = 9, .s = "assistant" }, letter = { .type = JSON_STR, .n = 1, .s = "x" };
	const struct json *old = json_get(record, "messages");
	size_t n = old && old->type == JSON_ARR ? old->n : 0;
	struct json_member *top = arena_get(a, sizeof *top), *answer = arena_get(a, 2 * sizeof *answer);
	struct json *list = arena_get(a, (n + 1) * sizeof *list), *out = arena_get(a, sizeof *out);

	answer[0] = (struct json_member){ .key = "role", .nkey = 4, .value = role };
	answer[1] = (struct json_member){ .key = "content", .nkey = 7, .value = letter };
	if (n)
		memcpy(list, old->item, n * sizeof *list);
	list[n] = (struct json){ .type = JSON_OBJ, .n = 2, .member = answer };
	*top = (struct json_member){ .key = "messages", .nkey = 8, .value = { .type = JSON_ARR, .n = n + 1, .item = list } };
	*out = (struct json){ .type = JSON_OBJ, .n = 1, .member = top };
	return out;
}

int chatids_end(struct chatids *c, const struct json *record, int32_t *id, struct err *e)
{
	struct tok_ids ids = {0};
	struct buf mask = {0};
	struct arena a;
	int rc;

	*id = tok_eos(c->tok);
	arena_init(&a);
	rc = chatids_whole(c, with_answer(&a, record), CHAT_LAST, &ids, &mask, e);
	for (size_t i = ids.n; rc == 0 && i-- > 0; )
		if (mask.p[i] && tok_is_special(c->tok, ids.id[i])) {
			*id = (int32_t)ids.id[i];
			break;
		}
	tok_ids_free(&ids);
	buf_free(&mask);
	arena_release(&a);
	return rc;
}
