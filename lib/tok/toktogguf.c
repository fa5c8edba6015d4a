/* SPDX-License-Identifier: Apache-2.0 */
/* The vocabulary as GGUF metadata: tokgguf.c the other way.  Keys and what they mean: llama.cpp's converter. */
#include "tokout.h"

#include <stdio.h>
#include <string.h>

#include "spmproto.h"
#include "tokimpl.h"
#include "utf8.h"

static const char MARK[] = "\xE2\x96\x81";

bool tok_normalizes(const struct tok *t)
{
	return t->nnorm == 1 && t->norm[0].kind == NORM_NFC;
}

static bool is_byte(const char *s, size_t n)
{
	return n == 6 && memcmp(s, "<0x", 3) == 0 && s[5] == '>';
}

/* --- tokens and their types --- */

int32_t tok_type(const struct tok *t, uint32_t id)
{
	bool sp = t->byte_fallback || t->kind == MODEL_SPM;

	if (t->all.text[id] == NULL)
		return TYPE_UNUSED;
	if (sp && id == t->unk)
		return TYPE_UNKNOWN;
	if (t->added_at[id] >= 0)
		return t->special[id] ? TYPE_CONTROL : TYPE_USER;
	return sp && is_byte(t->all.text[id], t->all.len[id]) ? TYPE_BYTE : TYPE_NORMAL;
}

/* What GGUF cannot say of an added token. */
static int check_added(const struct tok *t, struct err *e)
{
	for (size_t i = 0; i < t->nadded; i++) {
		const struct added *a = &t->added[i];

		if (a->lstrip || a->rstrip || a->single_word)
			return err_set(e, SFT_BADDATA, "the added token '%.60s' takes the blanks beside it or stands only as a word (a GGUF vocabulary cannot say so)", a->text);
		if (a->nshown != a->n || memcmp(a->shown, a->text, a->n) != 0)
			return err_set(e, SFT_BADDATA, "the added token '%.60s' is looked for in normal form (a GGUF vocabulary cannot say so)", a->text);
	}
	return 0;
}

static int put_tokens(const struct tok *t, uint32_t rows, struct gguf_meta *m, struct err *e)
{
	int32_t *type;
	char pad[32];

	for (uint32_t id = rows; id < t->all.n; id++)
		if (t->all.text[id])
			return err_set(e, SFT_BADDATA, "token %u '%.60s' has no row in the model's %u token embeddings", id, t->all.text[id], rows);
	type = mem_grow(NULL, (size_t)rows + 1, sizeof *type);
	gguf_meta_strs(m, "tokenizer.ggml.tokens", rows);
	for (uint32_t id = 0; id < rows; id++) {
		bool there = id < t->all.n && t->all.text[id];

		type[id] = there ? tok_type(t, id) : TYPE_UNUSED;
		if (there)
			gguf_meta_strs_put(m, t->all.text[id], t->all.len[id]);
		else
			gguf_meta_strs_put(m, pad, (size_t)snprintf(pad, sizeof pad, "[PAD%u]", id));
	}
	gguf_meta_i32s(m, "tokenizer.ggml.token_type", type, rows);
	mem_free(type);
	return 0;
}

static void put_merges(const struct tok *t, const char *key, struct gguf_meta *m)
{
	struct buf b = {0};

	gguf_meta_strs(m, key, t->nmerges);
	for (size_t i = 0; i < t->nmerges; i++) {
		const struct bpe_merge *x = &t->merge_list[i];

		b.n = 0;
		buf_add(&b, t->vocab.text[x->left], t->vocab.len[x->left]);
		buf_ch(&b, ' ');
		buf_add(&b, t->vocab.text[x->right], t->vocab.len[x->right]);
		gguf_meta_strs_put(m, b.p, b.n);
	}
	buf_free(&b);
}

/* --- what stands around a text, and ends one --- */

static void put_id(struct gguf_meta *m, const char *key, int64_t id)
{
	if (id >= 0)
		gguf_meta_u32(m, key, (uint32_t)id);
}

/* The ids in front of a text and behind it; -1: none.  False: there are more. */
static bool around(const struct tok *t, int64_t *before, int64_t *behind)
{
	bool text = false;

	*before = *behind = -1;
	for (size_t i = 0; i < t->nparts; i++) {
		int64_t *at = text ? behind : before;

		if (t->part[i].text) {
			if (text)
				return false;
			text = true;
		} else {
			if (*at >= 0)
				return false;
			*at = t->part[i].id;
		}
	}
	return true;
}

static int put_extras(const struct tok *t, struct gguf_meta *m, struct err *e)
{
	static const char *const ends[] = { "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id" };
	int64_t before, behind, bos = t->bos, eos = t->eos;
	size_t other = 0;

	if (!around(t, &before, &behind) || (bos >= 0 && before >= 0 && before != bos) || (eos >= 0 && behind >= 0 && behind != eos))
		return err_set(e, SFT_BADDATA, "the tokenizer puts other tokens around a text than its bos and eos (a GGUF vocabulary cannot say so)");
	put_id(m, "tokenizer.ggml.bos_token_id", bos >= 0 ? bos : before);
	put_id(m, "tokenizer.ggml.eos_token_id", eos >= 0 ? eos : behind);
	if (t->pad_text)
		put_id(m, "tokenizer.ggml.padding_token_id", vocab_id(&t->all, t->pad_text, strlen(t->pad_text)));
	if (t->unk >= 0 && (t->byte_fallback || t->kind == MODEL_SPM))
		put_id(m, "tokenizer.ggml.unknown_token_id", t->unk);
	gguf_meta_bool(m, "tokenizer.ggml.add_bos_token", before >= 0);
	gguf_meta_bool(m, "tokenizer.ggml.add_eos_token", behind >= 0);
	for (size_t i = 0; i < t->nstops; i++) {
		if ((int64_t)t->stops[i] == eos || (eos < 0 && (int64_t)t->stops[i] == behind))
			continue;
		if (other == sizeof ends / sizeof *ends)
			return err_set(e, SFT_BADDATA, "%zu tokens end a turn (a GGUF vocabulary has three)", t->nstops);
		put_id(m, ends[other++], t->stops[i]);
	}
	if (t->chat_template)
		gguf_meta_str(m, "tokenizer.chat_template", t->chat_template);
	return 0;
}

/* --- `gpt2` --- */

static int gpt2(const struct tok *t, uint32_t rows, struct gguf_meta *m, struct err *e)
{
	const char *pre = gguf_pre_name(t);
	int rc;

	if (pre == NULL)
		return err_set(e, SFT_BADDATA, "its pre-tokenizer has no name in GGUF files (known: gpt-2, smollm, llama-bpe, qwen2, gpt-4o, tekken, deepseek-v3, falcon and their like)");
	if (t->nnorm && !tok_normalizes(t))
		return err_set(e, SFT_BADDATA, "its normalizer changes texts in a way that a GGUF vocabulary cannot say (known: none, or NFC)");
	if (t->unk >= 0 && t->byte_missing)
		return err_set(e, SFT_BADDATA, "bytes without a token become the unknown one (a GGUF vocabulary of kind gpt2 cannot say so)");
	gguf_meta_str(m, "tokenizer.ggml.model", "gpt2");
	gguf_meta_str(m, "tokenizer.ggml.pre", pre);
	if ((rc = put_tokens(t, rows, m, e)) != 0)
		return rc;
	put_merges(t, "tokenizer.ggml.merges", m);
	if (t->nnorm)
		gguf_meta_str(m, "sft.tokenizer.normalizer", "nfc");
	return 0;
}

/* --- `llama` --- */

/* In how many ways is token ID made of two tokens. */
static size_t ways(const struct tok *t, uint32_t id)
{
	const char *p = t->vocab.text[id], *end = p + t->vocab.len[id];
	size_t n = 0;

	for (const char *q = p; q < end; ) {
		utf8_get(&q);
		n += q < end && vocab_id(&t->vocab, p, (size_t)(q - p)) >= 0 && vocab_id(&t->vocab, q, (size_t)(end - q)) >= 0;
	}
	return n;
}

/* Merges as scores: what is made earlier has the higher one.  Not so where a token is made now and then again, or not in every way that there is. */
static int scores_of_merges(const struct tok *t, float *score, uint32_t rows, struct err *e)
{
	size_t *made = mem_new(((size_t)t->vocab.n + 1) * sizeof *made), rank = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < t->nmerges; i++) {
		uint32_t id = t->merge_list[i].into;

		if (i && t->merge_list[i - 1].into != id && made[id])
			rc = err_set(e, SFT_BADDATA, "token '%.60s' is merged at two places of the order (scores of a GGUF vocabulary cannot say so)", t->vocab.text[id]);
		rank += made[id]++ == 0;
		if (id < rows)
			score[id] = -(float)rank;
	}
	for (uint32_t id = 0; rc == 0 && id < t->vocab.n; id++) {
		int32_t type = t->vocab.text[id] ? tok_type(t, id) : TYPE_UNUSED;

		if (type != TYPE_NORMAL && type != TYPE_USER)
			continue;
		if (made[id] != ways(t, id))
			rc = err_set(e, SFT_BADDATA, "token '%.60s' is merged in %zu ways of %zu (scores of a GGUF vocabulary cannot say so)", t->vocab.text[id], made[id], ways(t, id));
		else if (!made[id] && id < rows)
			score[id] = -(float)(t->nmerges + 1);
	}
	mem_free(made);
	return rc;
}

/* " " -> "▁", perhaps with one in front; *PREFIX: so. */
static bool llama_norm(const struct tok *t, bool *prefix)
{
	const struct norm *n = t->norm;

	*prefix = t->nnorm == 2 && n->kind == NORM_PREPEND && n->ntext == 3 && memcmp(n->text, MARK, 3) == 0;
	n += *prefix;
	return t->nnorm == (*prefix ? 2 : 1) && n->kind == NORM_REPLACE && n->pattern == NULL && n->ntext == 1 && n->text[0] == ' ' && n->nwith == 3 &&
	       memcmp(n->with, MARK, 3) == 0;
}

static int llama_of_json(const struct tok *t, float *score, uint32_t rows, bool *prefix, struct err *e)
{
	if (!llama_norm(t, prefix) || t->npre || t->nsub_prefix || t->nword_suffix || t->ignore_merges || !t->fuse_unk)
		return err_set(e, SFT_BADDATA, "it is no SentencePiece BPE as GGUF vocabularies have it (expected blanks replaced by '%s', perhaps one put in front of every stretch, and no pre-tokenizer)", MARK);
	return scores_of_merges(t, score, rows, e);
}

static int llama_of_spm(const struct tok *t, float *score, uint32_t rows, bool *prefix, struct err *e)
{
	struct spm_facts f;
	int rc = spm_facts(t->spm, &f, e);

	if (rc)
		return rc;
	if (!f.bpe || !f.byte_fallback || f.charsmap || f.strips || f.suffix || f.user)
		return err_set(e, SFT_BADDATA, "the SentencePiece model %s (a GGUF vocabulary of kind llama cannot say so)",
		               !f.bpe ? "is no BPE" : !f.byte_fallback ? "has no bytes for what it does not know" : f.charsmap ? "normalises characters" :
		               f.strips ? "takes away blanks" : f.suffix ? "puts the blank behind words" : "has symbols of its user");
	*prefix = f.prefix;
	for (uint32_t id = 0; id < t->vocab.n && id < rows; id++)
		score[id] = spm_score(t->spm, id);
	return 0;
}

static int llama(const struct tok *t, uint32_t rows, struct gguf_meta *m, struct err *e)
{
	float *score = mem_new(((size_t)rows + 1) * sizeof *score);
	bool prefix = false;
	int rc = t->kind == MODEL_SPM ? llama_of_spm(t, score, rows, &prefix, e) : llama_of_json(t, score, rows, &prefix, e);

	gguf_meta_str(m, "tokenizer.ggml.model", "llama");
	gguf_meta_str(m, "tokenizer.ggml.pre", "default");
	if (rc == 0)
		rc = put_tokens(t, rows, m, e);
	gguf_meta_f32s(m, "tokenizer.ggml.scores", score, rows);
	gguf_meta_bool(m, "tokenizer.ggml.add_space_prefix", prefix);
	if (rc == 0 && t->kind == MODEL_BPE)
		put_merges(t, "sft.tokenizer.merges", m);
	mem_free(score);
	return rc;
}

int tok_to_gguf(const struct tok *t, uint32_t rows, struct gguf_meta *m, struct err *e)
{
	int rc;

	if (t->kind == MODEL_BPE && (rc = check_added(t, e)) != 0)
		return rc;
	if (t->kind == MODEL_SPM || (t->kind == MODEL_BPE && t->byte_fallback))
		rc = llama(t, rows, m, e);
	else if (t->kind == MODEL_BPE)
		rc = gpt2(t, rows, m, e);
	else
		rc = err_set(e, SFT_BADDATA, "it is no BPE (GGUF vocabularies of kind gpt2 and llama are)");
	return rc ? rc : put_extras(t, m, e);
}
