/* SPDX-License-Identifier: Apache-2.0 */
/* tokenizer.json: the model, the added tokens, and the other parts in turn. */
#include "hfjson.h"

#include <string.h>
#include <unistd.h>

#include "hash.h"
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

/* The two parts of a BPE model that are far larger than all others, as they come: no tree is made of them. */
struct large {
	struct entry {
		const char *text;
		uint32_t n, id;         /* NO_ID: the file has no good one */
	} *entry;
	struct pair {
		const char *left, *right;       /* NULL: no pair of tokens */
		uint32_t nleft, nright;
	} *pair;
	size_t nentries, entries_cap, npairs, pairs_cap;
	size_t text_size;           /* of the file */
};
enum { BYTES_EACH = 64,         /* of a file, for a token and what belongs to it: a guess, for room in huge pages */
       AHEAD = 16 };
static const uint32_t NO_ID = UINT32_MAX;

static void *more_room(void *p, size_t *cap, size_t size, size_t text_size)
{
	void *q = *cap ? NULL : mem_try((text_size / BYTES_EACH + 16) * size);

	*cap = q ? text_size / BYTES_EACH + 16 : 2 * *cap + 16;
	return q ? q : mem_grow(p, *cap, size);
}

static int put_entry(void *ctx, const char *key, size_t n, const struct json *value, struct err *e)
{
	struct large *l = ctx;
	struct entry *m;

	if (n > UINT32_MAX / 2)
		return err_set(e, SFT_BADDATA, "model.vocab: a token of %zu bytes", n);
	if (l->nentries == l->entries_cap)
		l->entry = more_room(l->entry, &l->entries_cap, sizeof *l->entry, l->text_size);
	m = &l->entry[l->nentries++];
	*m = (struct entry){ key, (uint32_t)n, NO_ID };
	get_id(value, &m->id);
	return 0;
}

static int vocab_object(struct tok *t, const struct large *l, const struct json *vocab, struct err *e)
{
	uint64_t most = 16 * (uint64_t)l->nentries + (1 << 20);      /* tables are made by id: a wild one costs no gigabytes */

	if (vocab == NULL || vocab->type != JSON_OBJ)
		return err_set(e, SFT_BADDATA, "model.vocab is no object of tokens and ids");
	vocab_reserve(&t->vocab, (uint32_t)l->nentries);
	for (size_t i = 0; i < l->nentries; i++) {
		const struct entry *m = &l->entry[i];

		if (i + AHEAD < l->nentries)
			vocab_expect(&t->vocab, m[AHEAD].text, m[AHEAD].n);
		if (m->id > most)
			return err_set(e, SFT_BADDATA, "model.vocab: '%s' has no id (expected 0 to %llu)", m->text, (unsigned long long)most);
		if (m->id < t->vocab.n && t->vocab.text[m->id])
			return err_set(e, SFT_BADDATA, "model.vocab: id %u is given twice", m->id);
		vocab_lend(&t->vocab, m->text, m->n, m->id);
		if (t->vocab.count <= i)
			return err_set(e, SFT_BADDATA, "model.vocab: '%.100s' is given twice", m->text);
	}
	return 0;
}

/* One merge: "a b" or ["a", "b"]. */
static int put_pair(void *ctx, const char *key, size_t nkey, const struct json *v, struct err *e)
{
	struct large *l = ctx;
	struct pair *m;
	const char *blank;

	(void)key;
	(void)nkey;
	if (l->npairs == l->pairs_cap)
		l->pair = more_room(l->pair, &l->pairs_cap, sizeof *l->pair, l->text_size);
	m = &l->pair[l->npairs++];
	*m = (struct pair){0};
	if (v->n > UINT32_MAX / 2)
		return err_set(e, SFT_BADDATA, "model.merges: number %zu is too long", l->npairs - 1);
	if (v->type == JSON_ARR && v->n == 2 && v->item[0].type == JSON_STR && v->item[1].type == JSON_STR)
		*m = (struct pair){ v->item[0].s, v->item[1].s, (uint32_t)v->item[0].n, (uint32_t)v->item[1].n };
	else if (v->type == JSON_STR && (blank = memchr(v->s, ' ', v->n)) != NULL && memchr(blank + 1, ' ', (size_t)(v->s + v->n - blank - 1)) == NULL)
		*m = (struct pair){ v->s, blank + 1, (uint32_t)(blank - v->s), (uint32_t)(v->s + v->n - blank - 1) };
	return 0;
}

/* Is token ID the text A and then B? */
static bool is_both(const struct vocab *v, uint32_t id, const char *a, size_t na, const char *b, size_t nb)
{
	return id < v->n && v->text[id] && v->len[id] == na + nb && memcmp(v->text[id], a, na) == 0 && memcmp(v->text[id] + na, b, nb) == 0;
}

/* The token that pair M makes; LAST: the one that the pair before made. */
static int64_t made_by(const struct tok *t, const struct pair *m, int64_t last, struct buf *both)
{
	/* Mostly the merges make the tokens one after the other. */
	if (t->nsub_prefix == 0 && is_both(&t->vocab, (uint32_t)(last + 1), m->left, m->nleft, m->right, m->nright))
		return last + 1;
	if (m->nright < t->nsub_prefix)
		return -1;
	both->n = 0;
	buf_add(both, m->left, m->nleft);
	buf_add(both, m->right + t->nsub_prefix, m->nright - t->nsub_prefix);
	return vocab_id(&t->vocab, both->p ? both->p : "", both->n);
}

static int merges(struct tok *t, const struct large *l, const struct json *list, struct err *e)
{
	enum { BATCH = 32 };
	struct vocab_query q[2 * BATCH];
	struct buf both = {0};
	int64_t into = -1;
	int rc = 0;

	if (list == NULL || list->type != JSON_ARR)
		return err_set(e, SFT_BADDATA, "model.merges is no list");
	if ((t->merge_list = mem_try((l->npairs + 1) * sizeof *t->merge_list)) == NULL)
		return err_set(e, SFT_SYSTEM, "no memory for %zu merges", l->npairs);
	for (size_t i = 0; rc == 0 && i < l->npairs; i++) {
		const struct pair *m = &l->pair[i];
		size_t k = i % BATCH, n = 0;

		if (k == 0) {
			for (; n < BATCH && i + n < l->npairs; n++) {
				q[2 * n] = (struct vocab_query){ m[n].left ? m[n].left : "", m[n].nleft, 0, -1 };
				q[2 * n + 1] = (struct vocab_query){ m[n].left ? m[n].right : "", m[n].nright, 0, -1 };
			}
			vocab_find(&t->vocab, q, 2 * n);
		}
		if (m->left)
			into = made_by(t, m, into, &both);
		if (m->left == NULL)
			rc = err_set(e, SFT_BADDATA, "model.merges: number %zu is no pair of tokens", i);
		else if (q[2 * k].id < 0 || q[2 * k + 1].id < 0 || into < 0)
			rc = err_set(e, SFT_BADDATA, "model.merges: a token of number %zu is not in the vocabulary", i);
		else
			t->merge_list[t->nmerges++] = (struct bpe_merge){ (uint32_t)q[2 * k].id, (uint32_t)q[2 * k + 1].id, (uint32_t)i, (uint32_t)into };
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

static int model_bpe_json(struct tok *t, const struct large *l, const struct json *m, struct err *e)
{
	int rc;

	t->kind = MODEL_BPE;
	if ((rc = vocab_object(t, l, json_get(m, "vocab"), e)) != 0 ||
	    (rc = hf_text(t, m, "continuing_subword_prefix", false, &t->sub_prefix, &t->nsub_prefix, e)) != 0 ||
	    (rc = hf_text(t, m, "end_of_word_suffix", false, &t->word_suffix, &t->nword_suffix, e)) != 0 ||
	    (rc = hf_bool(m, "fuse_unk", &t->fuse_unk, e)) != 0 || (rc = hf_bool(m, "byte_fallback", &t->byte_fallback, e)) != 0 ||
	    (rc = hf_bool(m, "ignore_merges", &t->ignore_merges, e)) != 0 || (rc = unk_token(t, m, e)) != 0)
		return rc;
	return merges(t, l, json_get(m, "merges"), e);
}

static int model_wordpiece_json(struct tok *t, const struct large *l, const struct json *m, struct err *e)
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

static int model_json(struct tok *t, const struct large *l, const struct json *m, struct err *e)
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

static int load(struct tok *t, const struct large *l, const struct json *v, struct err *e)
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

/* Bytes behind a mapping of N bytes that may be read: the rest of its last page. */
static size_t room_behind(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return n % page ? page - n % page : 0;
}

/* The tokenizer's arena holds what is parsed: the vocabulary keeps the texts of its tokens there. */
int tok_open_json(struct tok *t, const char *path, struct err *e)
{
	struct large l = {0};
	const struct json_flow flow[] = { { "model", "vocab", JSON_OBJ, put_entry, &l }, { "model", "merges", JSON_ARR, put_pair, &l } };
	struct json_parser *p;
	const struct json *v;
	struct mapfile m;
	int rc = mapfile_open(&m, path, e);

	if (rc)
		return rc;
	l.text_size = m.n;
	p = json_parser_new();
	rc = json_parse_flow(p, &t->arena, m.n ? (const char *)m.p : "", m.n, room_behind(m.n), flow, 2, &v, e);
	json_parser_free(p);
	if (rc == 0) {
		t->source = hash64(v->raw, v->nraw, 0);
		rc = load(t, &l, v, e);
	}
	mem_free(l.entry);
	mem_free(l.pair);
	mapfile_close(&m);
	return rc ? err_in(e, "%s", path) : 0;
}
