/* SPDX-License-Identifier: Apache-2.0 */
/* tokenizer.json: the model, the added tokens, and the other parts in turn. */
#include "hfjson.h"

#include <string.h>

#include "hash.h"

enum { MAX_ID = 1 << 26 };      /* ids in a file are checked against this: tables are made by id */

static int get_id(const struct json *v, uint32_t *id)
{
	int64_t n;

	if (!json_int(v, &n) || n < 0 || n > MAX_ID)
		return -1;
	*id = (uint32_t)n;
	return 0;
}

static int vocab_object(struct tok *t, const struct json *vocab, struct err *e)
{
	uint64_t most = vocab ? 16 * (uint64_t)vocab->n + (1 << 20) : 0;      /* tables are made by id: a wild one costs no gigabytes */
	uint32_t id;

	if (vocab == NULL || vocab->type != JSON_OBJ)
		return err_set(e, SFT_BADDATA, "model.vocab is no object of tokens and ids");
	for (size_t i = 0; i < vocab->n; i++) {
		if (get_id(&vocab->member[i].value, &id) || id > most)
			return err_set(e, SFT_BADDATA, "model.vocab: '%s' has no id (expected 0 to %llu)", vocab->member[i].key, (unsigned long long)most);
		if (id < t->vocab.n && t->vocab.text[id])
			return err_set(e, SFT_BADDATA, "model.vocab: id %u is given twice", id);
		vocab_put(&t->vocab, vocab->member[i].key, vocab->member[i].nkey, id);
	}
	return 0;
}

/* One merge: "a b" or ["a", "b"]. */
static int merge_parts(const struct json *v, const char **a, size_t *na, const char **b, size_t *nb)
{
	const char *blank;

	if (v->type == JSON_ARR && v->n == 2 && v->item[0].type == JSON_STR && v->item[1].type == JSON_STR) {
		*a = v->item[0].s;
		*na = v->item[0].n;
		*b = v->item[1].s;
		*nb = v->item[1].n;
		return 0;
	}
	if (v->type != JSON_STR || (blank = memchr(v->s, ' ', v->n)) == NULL || memchr(blank + 1, ' ', (size_t)(v->s + v->n - blank - 1)))
		return -1;
	*a = v->s;
	*na = (size_t)(blank - v->s);
	*b = blank + 1;
	*nb = v->n - *na - 1;
	return 0;
}

static int merges(struct tok *t, const struct json *list, struct err *e)
{
	struct buf both = {0};
	int rc = 0;

	if (list == NULL || list->type != JSON_ARR)
		return err_set(e, SFT_BADDATA, "model.merges is no list");
	t->merge_list = mem_grow(NULL, list->n + 1, sizeof *t->merge_list);
	for (size_t i = 0; rc == 0 && i < list->n; i++) {
		const char *a, *b;
		size_t na, nb;
		int64_t left, right, into;

		if (merge_parts(&list->item[i], &a, &na, &b, &nb)) {
			rc = err_set(e, SFT_BADDATA, "model.merges: number %zu is no pair of tokens", i);
			break;
		}
		left = vocab_id(&t->vocab, a, na);
		right = vocab_id(&t->vocab, b, nb);
		both.n = 0;
		buf_add(&both, a, na);
		if (nb >= t->nsub_prefix)
			buf_add(&both, b + t->nsub_prefix, nb - t->nsub_prefix);
		into = vocab_id(&t->vocab, both.p ? both.p : "", both.n);
		if (left < 0 || right < 0 || into < 0 || nb < t->nsub_prefix)
			rc = err_set(e, SFT_BADDATA, "model.merges: a token of number %zu is not in the vocabulary", i);
		else
			t->merge_list[t->nmerges++] = (struct bpe_merge){ (uint32_t)left, (uint32_t)right, (uint32_t)i, (uint32_t)into };
	}
	buf_free(&both);
	return rc;
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

static int model_bpe_json(struct tok *t, const struct json *m, struct err *e)
{
	int rc;

	t->kind = MODEL_BPE;
	if ((rc = vocab_object(t, json_get(m, "vocab"), e)) != 0 ||
	    (rc = hf_text(t, m, "continuing_subword_prefix", false, &t->sub_prefix, &t->nsub_prefix, e)) != 0 ||
	    (rc = hf_text(t, m, "end_of_word_suffix", false, &t->word_suffix, &t->nword_suffix, e)) != 0 ||
	    (rc = hf_bool(m, "fuse_unk", &t->fuse_unk, e)) != 0 || (rc = hf_bool(m, "byte_fallback", &t->byte_fallback, e)) != 0 ||
	    (rc = hf_bool(m, "ignore_merges", &t->ignore_merges, e)) != 0 || (rc = unk_token(t, m, e)) != 0)
		return rc;
	return merges(t, json_get(m, "merges"), e);
}

static int model_wordpiece_json(struct tok *t, const struct json *m, struct err *e)
{
	int64_t most = 100;
	int rc;

	t->kind = MODEL_WORDPIECE;
	if ((rc = vocab_object(t, json_get(m, "vocab"), e)) != 0 ||
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

static int model_json(struct tok *t, const struct json *m, struct err *e)
{
	int rc;

	/* Older files have no type: what is there tells. */
	if (hf_type(m, "BPE") || (json_get(m, "type") == NULL && json_get(m, "merges")))
		return model_bpe_json(t, m, e);
	if (hf_type(m, "WordPiece") || (json_get(m, "type") == NULL && json_get(m, "continuing_subword_prefix")))
		return model_wordpiece_json(t, m, e);
	if (hf_type(m, "Unigram") || (json_get(m, "type") == NULL && json_get(m, "unk_id")))
		return model_unigram_json(t, m, e);
	if (!hf_type(m, "WordLevel"))
		return hf_unknown(m, "model", e);
	t->kind = MODEL_WORDLEVEL;
	rc = vocab_object(t, json_get(m, "vocab"), e);
	return rc ? rc : unk_token(t, m, e);
}

/* The id of an added token: the model's where it has the text, else the next free one, as the reference counts (it does not
 * look at the id in the file).  *MAX: the largest so far, -1 none. */
static uint32_t added_id(struct tok *t, const char *text, size_t n, int64_t *max)
{
	int64_t id = vocab_id(&t->vocab, text, n), size = (int64_t)t->vocab.map.n;

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

static int load(struct tok *t, const struct json *v, struct err *e)
{
	int rc;

	if (v->type != JSON_OBJ || json_get(v, "model") == NULL)
		return err_set(e, SFT_BADDATA, "no tokenizer (expected an object with \"model\")");
	if ((rc = model_json(t, json_get(v, "model"), e)) != 0 || (rc = added_json(t, json_get(v, "added_tokens"), e)) != 0 ||
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

int tok_open_json(struct tok *t, const char *path, struct err *e)
{
	struct arena a;
	const struct json *v;
	int rc;

	arena_init(&a);
	if ((rc = json_file(&a, path, &v, e)) == 0) {
		t->source = hash64(v->raw, v->nraw, 0);
		if ((rc = load(t, v, e)) != 0)
			err_in(e, "%s", path);
	}
	arena_release(&a);
	return rc;
}
