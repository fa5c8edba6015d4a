/* SPDX-License-Identifier: Apache-2.0 */
/* tokenizer.json: the model, the added tokens, and the other parts in turn. */
#include "hfjson.h"

#include <string.h>

#include "hash.h"
#include "hflarge.h"
#include "mapfile.h"

enum { MAX_ID = 1 << 26 };      /* ids in a file are checked against this: tables are made by id */

static int get_id(const struct json *v, uint32_t *id)
{
	int64_t n;

	if (!json_int(v, &n) || n < 0 || n > MAX_ID)
		return -1;
	*id = (uint32_t)n;
	return 0;
}

/* model.vocab, where it is an object. */
static int vocab_object(struct tok *t, const struct hf_large *l, const struct json *vocab, struct err *e)
{
	uint64_t most;

	if (vocab == NULL || vocab->type != JSON_OBJ)
		return err_set(e, SFT_BADDATA, "model.vocab is no object of tokens and ids");
	most = 16 * (uint64_t)vocab->n + (1 << 20);     /* tables are made by id: a wild one costs no gigabytes */
	for (size_t i = 0; !l->vocab && i < vocab->n; i++) {
		const struct json_member *m = &vocab->member[i];
		uint32_t id;

		if (m->nkey > UINT32_MAX / 2)
			return err_set(e, SFT_BADDATA, "model.vocab: a token of %zu bytes", m->nkey);
		if (get_id(&m->value, &id) || id > most)
			return err_set(e, SFT_BADDATA, "model.vocab: '%.100s' has no id (expected 0 to %llu)", m->key, (unsigned long long)most);
		if (id < t->vocab.n && t->vocab.text[id])
			return err_set(e, SFT_BADDATA, "model.vocab: id %u is given twice", id);
		vocab_lend(&t->vocab, m->key, m->nkey, id);
	}
	return 0;
}

/* The tokens of one merge, "a b" or ["a", "b"]; false: it is no pair. */
static bool get_pair(const struct json *v, struct vocab_query q[2])
{
	const char *blank;

	if (v->type == JSON_ARR && v->n == 2 && v->item[0].type == JSON_STR && v->item[1].type == JSON_STR) {
		q[0] = (struct vocab_query){ v->item[0].s, v->item[0].n, 0, -1 };
		q[1] = (struct vocab_query){ v->item[1].s, v->item[1].n, 0, -1 };
		return true;
	}
	if (v->type != JSON_STR || (blank = memchr(v->s, ' ', v->n)) == NULL || memchr(blank + 1, ' ', (size_t)(v->s + v->n - blank - 1)))
		return false;
	q[0] = (struct vocab_query){ v->s, (size_t)(blank - v->s), 0, -1 };
	q[1] = (struct vocab_query){ blank + 1, (size_t)(v->s + v->n - blank - 1), 0, -1 };
	return true;
}

static int missing(size_t i, struct err *e)
{
	return err_set(e, SFT_BADDATA, "model.merges: a token of number %zu is not in the vocabulary", i);
}

static int merges(struct tok *t, const struct json *list, struct err *e)
{
	struct vocab_query q[2];

	t->merge_list = mem_grow(NULL, list->n + 1, sizeof *t->merge_list);
	for (size_t i = 0; i < list->n; i++) {
		if (!get_pair(&list->item[i], q))
			return err_set(e, SFT_BADDATA, "model.merges: number %zu is no pair of tokens", i);
		vocab_find(&t->vocab, q, 2);
		if (q[0].id < 0 || q[1].id < 0)
			return missing(i, e);
		t->merge_list[t->nmerges++] = (struct bpe_merge){ (uint32_t)q[0].id, (uint32_t)q[1].id, (uint32_t)i, 0 };
	}
	return 0;
}

/* Is token ID the text A and then B? */
static inline bool is_both(const struct vocab *v, uint32_t id, const char *a, size_t na, const char *b, size_t nb)
{
	return id < v->n && v->text[id] && v->len[id] == na + nb && memcmp(v->text[id], a, na) == 0 && memcmp(v->text[id] + na, b, nb) == 0;
}

/* The token that merge M makes; LAST: the one that the merge before made. */
static int64_t made_by(const struct tok *t, const struct bpe_merge *m, int64_t last, struct buf *both)
{
	const struct vocab *v = &t->vocab;
	const char *a = v->text[m->left], *b = v->text[m->right];
	size_t na = v->len[m->left], nb = v->len[m->right];

	if (nb < t->nsub_prefix)
		return -1;
	b += t->nsub_prefix;
	nb -= t->nsub_prefix;
	/* Mostly the merges make the tokens one after the other. */
	if (is_both(v, (uint32_t)(last + 1), a, na, b, nb))
		return last + 1;
	both->n = 0;
	buf_add(both, a, na);
	buf_add(both, b, nb);
	return vocab_id(v, both->p, both->n);
}

/* What each merge makes. */
static int merges_make(struct tok *t, struct err *e)
{
	enum { AHEAD = 16 };
	struct buf both = {0};
	int64_t into = -1;
	size_t i;

	for (i = 0; i < t->nmerges; i++) {
		if (i + 2 * AHEAD < t->nmerges) {
			__builtin_prefetch(&t->vocab.text[t->merge_list[i + 2 * AHEAD].left]);
			__builtin_prefetch(&t->vocab.text[t->merge_list[i + 2 * AHEAD].right]);
		}
		if (i + AHEAD < t->nmerges) {
			__builtin_prefetch(t->vocab.text[t->merge_list[i + AHEAD].left]);
			__builtin_prefetch(t->vocab.text[t->merge_list[i + AHEAD].right]);
		}
		if ((into = made_by(t, &t->merge_list[i], into, &both)) < 0)
			break;
		t->merge_list[i].into = (uint32_t)into;
	}
	buf_free(&both);
	return i < t->nmerges ? missing(i, e) : 0;
}

/* "unk_token": its id into t->unk. */
static int unk_token(struct tok *t, const struct json *model, struct err *e)
{
	const char *s;
	size_t n;
	int rc = hf_text(t, model, "unk_token", false, &s, &n, e);

	if (rc == 0 && n)
		t->unk = vocab_id(&t->vocab, s, n);
	return rc;
}

static int model_bpe_json(struct tok *t, const struct hf_large *l, const struct json *m, struct err *e)
{
	const struct json *list;
	int rc;

	t->kind = MODEL_BPE;
	if ((rc = vocab_object(t, l, json_get(m, "vocab"), e)) != 0 ||
	    (rc = hf_text(t, m, "continuing_subword_prefix", false, &t->sub_prefix, &t->nsub_prefix, e)) != 0 ||
	    (rc = hf_text(t, m, "end_of_word_suffix", false, &t->word_suffix, &t->nword_suffix, e)) != 0 ||
	    (rc = hf_bool(m, "fuse_unk", &t->fuse_unk, e)) != 0 || (rc = hf_bool(m, "byte_fallback", &t->byte_fallback, e)) != 0 ||
	    (rc = hf_bool(m, "ignore_merges", &t->ignore_merges, e)) != 0 || (rc = unk_token(t, m, e)) != 0)
		return rc;
	if ((list = json_get(m, "merges")) == NULL || list->type != JSON_ARR)
		return err_set(e, SFT_BADDATA, "model.merges is no list");
	if (!l->merges && (rc = merges(t, list, e)) != 0)
		return rc;
	return merges_make(t, e);
}

static int model_wordpiece_json(struct tok *t, const struct hf_large *l, const struct json *m, struct err *e)
{
	int64_t most = 100;
	int rc;

	t->kind = MODEL_WORDPIECE;
	if ((rc = vocab_object(t, l, json_get(m, "vocab"), e)) != 0 ||
	    (rc = json_get_int(m, "max_input_chars_per_word", 0, INT64_MAX, &most, e)) != 0 || (rc = unk_token(t, m, e)) != 0)
		return rc;
	t->max_chars = (size_t)most;
	if (json_get(m, "continuing_subword_prefix") == NULL) {
		t->sub_prefix = "##";
		t->nsub_prefix = 2;
		return 0;
	}
	return hf_text(t, m, "continuing_subword_prefix", true, &t->sub_prefix, &t->nsub_prefix, e);
}

static int model_unigram_json(struct tok *t, const struct json *m, struct err *e)
{
	const struct json *vocab = json_get(m, "vocab");
	int64_t unk = -1;
	int rc;

	t->kind = MODEL_UNIGRAM;
	if (vocab == NULL || vocab->type != JSON_ARR || vocab->n > MAX_ID)
		return err_set(e, SFT_BADDATA, "model.vocab is no list of [token, score]");
	t->score = mem_grow(NULL, vocab->n + 1, sizeof *t->score);
	for (size_t i = 0; i < vocab->n; i++) {
		const struct json *v = &vocab->item[i];

		if (v->type != JSON_ARR || v->n != 2 || v->item[0].type != JSON_STR || v->item[1].type != JSON_NUM)
			return err_set(e, SFT_BADDATA, "model.vocab: number %zu is no [token, score]", i);
		vocab_put(&t->vocab, v->item[0].s, v->item[0].n, (uint32_t)i);
		t->score[i] = json_double(&v->item[1]);
	}
	if ((rc = json_get_int(m, "unk_id", 0, INT32_MAX, &unk, e)) != 0 || (rc = hf_bool(m, "byte_fallback", &t->byte_fallback, e)) != 0)
		return rc;
	if (unk >= (int64_t)vocab->n)
		return err_set(e, SFT_BADDATA, "model.unk_id is %lld (expected less than the %zu tokens)", (long long)unk, vocab->n);
	t->unk = unk;
	return 0;
}

static int model_json(struct tok *t, const struct hf_large *l, const struct json *m, struct err *e)
{
	int rc;

	/* Older files have no type: what is there tells. */
	if (hf_type(m, "BPE") || (json_get(m, "type") == NULL && json_get(m, "merges")))
		return model_bpe_json(t, l, m, e);
	if (hf_type(m, "WordPiece") || (json_get(m, "type") == NULL && json_get(m, "continuing_subword_prefix")))
		return model_wordpiece_json(t, l, m, e);
	if (hf_type(m, "Unigram") || (json_get(m, "type") == NULL && json_get(m, "unk_id")))
		return model_unigram_json(t, m, e);
	if (!hf_type(m, "WordLevel"))
		return hf_unknown(m, "model", e);
	t->kind = MODEL_WORDLEVEL;
	rc = vocab_object(t, l, json_get(m, "vocab"), e);
	return rc ? rc : unk_token(t, m, e);
}

/* The id of an added token: the model's where it has the text, else the next free one, as the reference counts (it does not
 * look at the id in the file).  *MAX: the largest so far, -1 none. */
static uint32_t added_id(struct tok *t, const char *text, size_t n, int64_t *max)
{
	int64_t id = vocab_id(&t->vocab, text, n), size = (int64_t)t->vocab.count;

	if (id < 0 && (id = vocab_id(&t->all, text, n)) < 0)
		id = *max >= 0 && (*max >= size || size == 0) ? *max + 1 : size;
	if (id > *max)
		*max = id;
	vocab_put(&t->all, text, n, (uint32_t)id);
	return (uint32_t)id;
}

static int added_json(struct tok *t, const struct json *list, struct err *e)
{
	int64_t max = -1;
	int rc = 0;

	if (list == NULL || list->type == JSON_NULL)
		return 0;
	if (list->type != JSON_ARR)
		return err_set(e, SFT_BADDATA, "added_tokens is no list");
	t->added = mem_new((list->n + 1) * sizeof *t->added);
	for (size_t i = 0; rc == 0 && i < list->n; i++) {
		const struct json *v = &list->item[i];
		struct added *a = &t->added[t->nadded];
		uint32_t id;

		a->normalized = true;
		if (get_id(json_get(v, "id"), &id))
			return err_set(e, SFT_BADDATA, "added_tokens: number %zu has no id (expected 0 to %d)", i, MAX_ID);
		if ((rc = hf_text(t, v, "content", true, &a->text, &a->n, e)) != 0 || (rc = hf_bool(v, "single_word", &a->single_word, e)) != 0 ||
		    (rc = hf_bool(v, "lstrip", &a->lstrip, e)) != 0 || (rc = hf_bool(v, "rstrip", &a->rstrip, e)) != 0 ||
		    (rc = hf_bool(v, "special", &a->special, e)) != 0)
			return err_in(e, "added_tokens: number %zu", i);
		a->normalized = !a->special;
		if ((rc = hf_bool(v, "normalized", &a->normalized, e)) != 0)
			return err_in(e, "added_tokens: number %zu", i);
		if (a->n == 0)
			continue;
		a->id = added_id(t, a->text, a->n, &max);
		t->nadded++;
	}
	return rc;
}

static int load(struct tok *t, const struct hf_large *l, const struct json *v, struct err *e)
{
	int rc;

	if (v->type != JSON_OBJ || json_get(v, "model") == NULL)
		return err_set(e, SFT_BADDATA, "no tokenizer (expected an object with \"model\")");
	if ((rc = model_json(t, l, json_get(v, "model"), e)) != 0 || (rc = added_json(t, json_get(v, "added_tokens"), e)) != 0 ||
	    (rc = hf_normalizer(t, json_get(v, "normalizer"), e)) != 0 || (rc = hf_pre_tokenizer(t, json_get(v, "pre_tokenizer"), e)) != 0 ||
	    (rc = hf_post(t, json_get(v, "post_processor"), e)) != 0)
		return rc;
	hf_pre_join(t);
	t->no_decoder = json_get(v, "decoder") == NULL || json_get(v, "decoder")->type == JSON_NULL;
	if (!t->no_decoder && (rc = hf_decoder(t, json_get(v, "decoder"), e)) != 0)
		return rc;
	tok_ready(t);
	for (size_t k = 0; k < t->nparts; k++)
		if (!t->part[k].text && t->part[k].id >= t->all.n)
			return err_set(e, SFT_BADDATA, "post_processor: id %u is outside the vocabulary", t->part[k].id);
	return 0;
}

/* Does the tree V know of what was read into T directly, and of nothing else in its place? */
static bool agrees(const struct hf_large *l, const struct json *v)
{
	const struct json *model = json_get(v, "model"), *vocab = json_get(model, "vocab"), *list = json_get(model, "merges");

	if (vocab == NULL || vocab->n > 0)
		return false;
	return l->merges ? list && list->n == 0 && (hf_type(model, "BPE") || json_get(model, "type") == NULL) : list == NULL;
}

/* TEXT of N bytes as a tree, without what could be read into T directly. */
static int parse(struct tok *t, struct hf_large *l, const char *text, size_t n, const struct json **v, struct err *e)
{
	struct json_parser *p = json_parser_new();
	int rc = 0;

	if (hf_large_read(t, l, text, n) && (json_parse(p, &t->arena, l->rest.p, l->rest.n, v, NULL) != 0 || !agrees(l, *v)))
		hf_large_drop(t, l);
	if (!l->vocab)
		rc = json_parse(p, &t->arena, text, n, v, e);
	json_parser_free(p);
	return rc;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* XXH3 of the document, without what blanks are around it. */
static uint64_t source_of(const char *text, size_t n)
{
	for (; n > 0 && is_blank(text[n - 1]); n--)
		;
	for (; n > 0 && is_blank(*text); n--)
		text++;
	return hash64(text, n, 0);
}

/* The tokenizer's arena holds what is parsed: the vocabulary keeps the texts of its tokens there. */
int tok_open_json(struct tok *t, const char *path, struct err *e)
{
	struct hf_large l;
	const struct json *v;
	struct mapfile m;
	int rc = mapfile_open(&m, path, e);

	if (rc)
		return rc;
	if ((rc = parse(t, &l, m.n ? (const char *)m.p : "", m.n, &v, e)) == 0) {
		t->source = source_of((const char *)m.p, m.n);
		rc = load(t, &l, v, e);
	}
	buf_free(&l.rest);
	mapfile_close(&m);
	return rc ? err_in(e, "%s", path) : 0;
}
