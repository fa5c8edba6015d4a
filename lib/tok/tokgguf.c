/* SPDX-License-Identifier: Apache-2.0 */
/* Vocabularies in GGUF files: `gpt2` (byte-level BPE with a named pre-tokenizer) and `llama` (SentencePiece BPE by scores). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gguf.h"
#include "hash.h"
#include "hfjson.h"
#include "utf8.h"

enum { MAX_TOKENS = 1 << 26 };

/* --- tokens --- */

/* A row of the model without a token, as converters name it: not one that text or ids can have. */
static bool is_padding(const char *s, size_t n, size_t id)
{
	char name[32];

	return (size_t)snprintf(name, sizeof name, "[PAD%zu]", id) == n && memcmp(name, s, n) == 0;
}

static int get_tokens(struct tok *t, const struct gguf *g, struct err *e)
{
	const int32_t *type = NULL;
	size_t n, ntypes = 0;
	int rc = gguf_strs(g, "tokenizer.ggml.tokens", &n, e);

	if (rc)
		return rc;
	if (gguf_has(g, "tokenizer.ggml.token_type") && (rc = gguf_ints(g, "tokenizer.ggml.token_type", &type, &ntypes, e)) != 0)
		return rc;
	if (n > MAX_TOKENS || (type && ntypes != n))
		return err_set(e, SFT_BADDATA, "%zu tokens but %zu token types", n, ntypes);
	t->added = mem_new((n + 1) * sizeof *t->added);
	for (size_t i = 0; i < n; i++) {
		const char *s;
		size_t len;

		gguf_strs_at(g, "tokenizer.ggml.tokens", i, &s, &len);
		if (!utf8_valid(s, len, NULL))
			return err_set(e, SFT_BADDATA, "token %zu is not UTF-8", i);
		if (type && type[i] == TYPE_UNUSED && is_padding(s, len, i))
			continue;
		vocab_put(&t->vocab, s, len, (uint32_t)i);
		if (type == NULL || (type[i] != TYPE_CONTROL && type[i] != TYPE_USER && type[i] != TYPE_UNKNOWN) || len == 0)
			continue;
		t->added[t->nadded++] = (struct added){ .text = t->vocab.text[i], .n = len, .id = (uint32_t)i, .special = type[i] != TYPE_USER };
	}
	for (size_t i = 0; type && i < n; i++)
		if (type[i] == TYPE_UNKNOWN)
			t->unk = (int64_t)i;
	return 0;
}

static int get_merges(struct tok *t, const struct gguf *g, const char *key, struct err *e)
{
	struct buf both = {0};
	size_t n;
	int rc = gguf_strs(g, key, &n, e);

	if (rc)
		return rc;
	t->merge_list = mem_grow(NULL, n + 1, sizeof *t->merge_list);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const char *s, *blank;
		size_t len;
		int64_t left = -1, right = -1, into = -1;

		gguf_strs_at(g, key, i, &s, &len);
		blank = len ? memchr(s + 1, ' ', len - 1) : NULL;
		if (blank) {
			left = vocab_id(&t->vocab, s, (size_t)(blank - s));
			right = vocab_id(&t->vocab, blank + 1, (size_t)(s + len - blank - 1));
			both.n = 0;
			buf_add(&both, s, (size_t)(blank - s));
			buf_add(&both, blank + 1, (size_t)(s + len - blank - 1));
			into = vocab_id(&t->vocab, both.p, both.n);
		}
		if (left < 0 || right < 0 || into < 0)
			rc = err_set(e, SFT_BADDATA, "%s: number %zu is no pair of tokens that makes a token", key, i);
		else
			t->merge_list[t->nmerges++] = (struct bpe_merge){ (uint32_t)left, (uint32_t)right, (uint32_t)i, (uint32_t)into };
	}
	buf_free(&both);
	return rc;
}

/* --- `llama`: merges follow from scores --- */

struct scored {
	float score;
	uint32_t id;
};

static int by_score(const void *a, const void *b)
{
	const struct scored *x = a, *y = b;

	return x->score < y->score ? 1 : x->score > y->score ? -1 : x->id < y->id ? -1 : x->id > y->id;
}

/* Every way to put token ID together from two tokens is a merge of rank RANK.  Control, unknown and byte tokens are never made of text. */
static void merges_into(struct tok *t, uint32_t id, uint32_t rank, size_t *cap)
{
	const char *p = t->vocab.text[id], *end = p + t->vocab.len[id];

	for (const char *q = p; q < end; ) {
		int64_t left, right;

		utf8_get(&q);
		if (q == end || (left = vocab_id(&t->vocab, p, (size_t)(q - p))) < 0 || (right = vocab_id(&t->vocab, q, (size_t)(end - q))) < 0)
			continue;
		ARRAY_ROOM(t->merge_list, t->nmerges, *cap);
		t->merge_list[t->nmerges++] = (struct bpe_merge){ (uint32_t)left, (uint32_t)right, rank, id };
	}
}

static bool never_text(int32_t type)
{
	return type == TYPE_UNKNOWN || type == TYPE_CONTROL || type == TYPE_BYTE;
}

static int merges_by_score(struct tok *t, const struct gguf *g, struct err *e)
{
	const int32_t *type = NULL;
	const float *score;
	struct scored *order;
	size_t n, ntokens, ntypes, cap = 0;
	uint32_t rank = 0;
	int rc = gguf_f32s(g, "tokenizer.ggml.scores", &score, &n, e);

	if (rc)
		return rc;
	if ((rc = gguf_strs(g, "tokenizer.ggml.tokens", &ntokens, e)) != 0)
		return rc;
	if (n != ntokens)
		return err_set(e, SFT_BADDATA, "tokenizer.ggml.scores has %zu values (expected one for each of %zu tokens)", n, ntokens);
	if (gguf_has(g, "tokenizer.ggml.token_type") && (rc = gguf_ints(g, "tokenizer.ggml.token_type", &type, &ntypes, e)) != 0)
		return rc;
	n = t->vocab.n;                /* the rest are rows without a token */
	order = mem_new((n + 1) * sizeof *order);
	t->score = mem_new((n + 1) * sizeof *t->score);
	for (size_t i = 0; i < n; i++)
		t->score[i] = (double)score[i];
	for (size_t i = 0; i < n; i++)
		order[i] = (struct scored){ score[i], (uint32_t)i };
	qsort(order, n, sizeof *order, by_score);
	for (size_t i = 0; i < n; i++) {
		rank += i > 0 && order[i].score < order[i - 1].score;
		if (t->vocab.text[order[i].id] && (type == NULL || !never_text(type[order[i].id])))
			merges_into(t, order[i].id, rank, &cap);
	}
	mem_free(order);
	return 0;
}

static struct norm *add_norm(struct tok *t, enum norm_kind kind)
{
	t->norm = mem_grow(t->norm, t->nnorm + 1, sizeof *t->norm);
	t->norm[t->nnorm] = (struct norm){ .kind = kind };
	return &t->norm[t->nnorm++];
}

static int open_llama(struct tok *t, const struct gguf *g, struct err *e)
{
	static const char mark[] = "\xE2\x96\x81";
	bool prefix = true;
	struct norm *m;
	int rc;

	if (gguf_has(g, "tokenizer.ggml.add_space_prefix") && (rc = gguf_bool(g, "tokenizer.ggml.add_space_prefix", &prefix, e)) != 0)
		return rc;
	t->byte_fallback = true;
	t->fuse_unk = true;
	t->by_score = !gguf_has(g, "sft.tokenizer.merges");
	if ((rc = t->by_score ? merges_by_score(t, g, e) : get_merges(t, g, "sft.tokenizer.merges", e)) != 0)
		return rc;
	if (prefix) {
		m = add_norm(t, NORM_PREPEND);
		m->text = mark;
		m->ntext = 3;
	}
	m = add_norm(t, NORM_REPLACE);
	m->text = " ";
	m->ntext = 1;
	m->with = mark;
	m->nwith = 3;
	t->dec = mem_new(4 * sizeof *t->dec);
	t->dec[t->ndec++] = (struct dec){ .kind = DEC_REPLACE, .text = mark, .ntext = 3, .with = " ", .nwith = 1 };
	t->dec[t->ndec++] = (struct dec){ .kind = DEC_FALLBACK };
	t->dec[t->ndec++] = (struct dec){ .kind = DEC_FUSE };
	if (prefix)
		t->dec[t->ndec++] = (struct dec){ .kind = DEC_STRIP, .c = ' ', .start = 1 };
	return 0;
}

/* --- what the file says beside --- */

static void add_stop(struct tok *t, const struct gguf *g, const char *key)
{
	uint64_t id;

	if (gguf_has(g, key) && gguf_u64(g, key, &id, NULL) == 0 && id < t->all.n)
		tok_stop(t, (uint32_t)id);
}

static int32_t get_id(const struct tok *t, const struct gguf *g, const char *key)
{
	uint64_t id;

	return gguf_has(g, key) && gguf_u64(g, key, &id, NULL) == 0 && id < t->all.n ? (int32_t)id : -1;
}

static const char *text_of(const struct tok *t, int32_t id)
{
	return id >= 0 ? t->all.text[id] : NULL;
}

static uint64_t context_length(const struct gguf *g)
{
	struct buf key = {0};
	const char *arch;
	uint64_t most = 0;
	size_t n;

	if (!gguf_has(g, "general.architecture") || gguf_str(g, "general.architecture", &arch, &n, NULL) != 0)
		return 0;
	buf_add(&key, arch, n);
	buf_str(&key, ".context_length");
	if (!gguf_has(g, key.p) || gguf_u64(g, key.p, &most, NULL) != 0)
		most = 0;
	buf_free(&key);
	return most;
}

static int get_extras(struct tok *t, const struct gguf *g, struct err *e)
{
	bool add_bos = t->adds_bos || (t->kind == MODEL_BPE && !t->bytes), add_eos = false;
	const char *s;
	size_t n;
	int rc = 0;

	t->context = context_length(g);
	t->bos = get_id(t, g, "tokenizer.ggml.bos_token_id");
	t->eos = get_id(t, g, "tokenizer.ggml.eos_token_id");
	t->bos_text = text_of(t, t->bos);
	t->eos_text = text_of(t, t->eos);
	t->pad_text = text_of(t, get_id(t, g, "tokenizer.ggml.padding_token_id"));
	add_stop(t, g, "tokenizer.ggml.eos_token_id");
	add_stop(t, g, "tokenizer.ggml.eot_token_id");
	add_stop(t, g, "tokenizer.ggml.eom_token_id");
	if (gguf_has(g, "tokenizer.chat_template")) {
		if ((rc = gguf_str(g, "tokenizer.chat_template", &s, &n, e)) != 0)
			return rc;
		t->chat_template = arena_str(&t->arena, s, n);
	}
	if (gguf_has(g, "tokenizer.ggml.add_bos_token"))
		rc = gguf_bool(g, "tokenizer.ggml.add_bos_token", &add_bos, e);
	if (rc == 0 && gguf_has(g, "tokenizer.ggml.add_eos_token"))
		rc = gguf_bool(g, "tokenizer.ggml.add_eos_token", &add_eos, e);
	t->part = mem_new(3 * sizeof *t->part);
	if (add_bos && t->bos >= 0)
		t->part[t->nparts++] = (struct part){ false, (uint32_t)t->bos };
	t->part[t->nparts++] = (struct part){ true, 0 };
	if (add_eos && t->eos >= 0)
		t->part[t->nparts++] = (struct part){ false, (uint32_t)t->eos };
	return rc;
}

/* What only files written here say: see tokout.h. */
static int get_normalizer(struct tok *t, const struct gguf *g, struct err *e)
{
	const char *s;
	size_t n;
	int rc;

	if (!gguf_has(g, "sft.tokenizer.normalizer"))
		return 0;
	if ((rc = gguf_str(g, "sft.tokenizer.normalizer", &s, &n, e)) != 0)
		return rc;
	if (n != 3 || memcmp(s, "nfc", 3) != 0)
		return err_set(e, SFT_BADDATA, "sft.tokenizer.normalizer: unknown kind '%.*s' (expected nfc)", (int)(n < 60 ? n : 60), s);
	add_norm(t, NORM_NFC);
	return 0;
}

static int load(struct tok *t, const struct gguf *g, struct err *e)
{
	const char *model, *pre = "default";
	size_t n, npre = 7;
	int rc;

	t->kind = MODEL_BPE;
	if ((rc = gguf_str(g, "tokenizer.ggml.model", &model, &n, e)) != 0 || (rc = get_tokens(t, g, e)) != 0)
		return rc;
	if (n == 5 && memcmp(model, "llama", 5) == 0) {
		rc = open_llama(t, g, e);
	} else if (n == 4 && memcmp(model, "gpt2", 4) == 0) {
		if (gguf_has(g, "tokenizer.ggml.pre") && (rc = gguf_str(g, "tokenizer.ggml.pre", &pre, &npre, e)) != 0)
			return rc;
		if ((rc = get_merges(t, g, "tokenizer.ggml.merges", e)) == 0)
			rc = gguf_pre(t, pre, npre, e);
		if (rc == 0)
			rc = get_normalizer(t, g, e);
		t->dec = mem_new(sizeof *t->dec);
		t->dec[t->ndec++] = (struct dec){ .kind = DEC_BYTES };
	} else {
		rc = err_set(e, SFT_BADDATA, "tokenizer.ggml.model: unknown kind '%.*s' (expected gpt2 or llama)", (int)(n < 60 ? n : 60), model);
	}
	if (rc)
		return rc;
	tok_ready(t);
	return get_extras(t, g, e);
}

int tok_open_gguf(struct tok *t, const char *path, struct err *e)
{
	struct gguf *g;
	const void *head;
	size_t n;
	int rc = gguf_open(&g, path, e);

	if (rc)
		return rc;
	if ((rc = load(t, g, e)) != 0)
		err_in(e, "%s", path);
	head = gguf_head(g, &n);
	t->source = hash64(head, n, 0);
	gguf_close(g);
	return rc;
}
