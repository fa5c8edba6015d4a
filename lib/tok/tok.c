/* SPDX-License-Identifier: Apache-2.0 */
/* The tokenizer: opening, encoding, and what it says about itself. */
#include "tok.h"

#include <string.h>
#include <sys/stat.h>

#include "gguf.h"
#include "hash.h"
#include "json.h"
#include "tokimpl.h"
#include "utf8.h"

/* --- opening --- */

static void put_added(struct tok *t, struct tok_scratch *s, size_t i)
{
	struct added *a = &t->added[i];
	struct piece p = { a->text, a->n, NULL, NULL, 0, -1 };

	a->shown = a->text;
	a->nshown = a->n;
	if (!a->normalized) {
		trie_put(&t->raw, a->text, a->n, (int32_t)i);
		return;
	}
	if (norm_apply(t, s, &p, NULL) == 0) {
		trie_put(&t->normal, p.p, p.n, (int32_t)i);
		a->shown = arena_str(&t->arena, p.p, p.n);
		a->nshown = p.n;
	}
}

void tok_ready(struct tok *t)
{
	struct tok_scratch *s = tok_scratch_new(t);

	vocab_names(&t->all, &t->vocab);
	for (size_t i = 0; i < t->nadded; i++)
		vocab_put(&t->all, t->added[i].text, t->added[i].n, t->added[i].id);
	t->added_at = mem_grow(NULL, (size_t)t->all.n + 1, sizeof *t->added_at);
	t->special = mem_new((size_t)t->all.n + 1);
	memset(t->added_at, 0xff, t->all.n * sizeof *t->added_at);
	/* Special tokens go first: of two that are written alike, the first is found. */
	for (int special = 1; special >= 0; special--)
		for (size_t i = 0; i < t->nadded; i++)
			if (t->added[i].special == special && t->added[i].n)
				put_added(t, s, i);
	tok_scratch_free(s);
	for (size_t i = 0; i < t->nadded; i++) {
		t->added_at[t->added[i].id] = (int32_t)i;
		t->special[t->added[i].id] = t->added[i].special;
	}
	for (size_t k = 0; k < t->npre; k++)
		t->pre[k].seek = t->pre[k].scan ? scan_seek(t->pre[k].scan) : NULL;
	if (t->kind == MODEL_BPE)
		bpe_ready(t);
	else if (t->kind != MODEL_SPM)
		model_ready(t);
}

/* XXH3 over id, length, bytes and type of every token, then the merges as pairs of ids in order, unless they follow from scores. */
uint64_t tok_hash(const struct tok *t)
{
	enum { PART = 1 << 16 };
	struct hash_state *h = hash_open(0);
	struct buf b = {0};

	for (uint32_t id = 0; id < t->all.n; id++) {
		uint32_t head[3] = { id, t->all.len[id], t->special[id] || (t->kind == MODEL_SPM && id == t->unk) ? 3 : t->added_at[id] >= 0 ? 4 : 1 };

		if (t->all.text[id] == NULL)
			continue;
		buf_add(&b, head, sizeof head);
		buf_add(&b, t->all.text[id], t->all.len[id]);
		if (b.n >= PART) {
			hash_add(h, b.p, b.n);
			b.n = 0;
		}
	}
	for (size_t k = 0; k < t->nmerges && !t->by_score; k++) {
		buf_add(&b, &t->merge_list[k].left, 2 * sizeof(uint32_t));
		if (b.n >= PART) {
			hash_add(h, b.p, b.n);
			b.n = 0;
		}
	}
	hash_add(h, b.p, b.n);
	buf_free(&b);
	return hash_close(h);
}

void tok_use_template(struct tok *t, const char *source)
{
	for (size_t i = 0; i < t->nadded; i++)
		t->added[i].template = source && t->added[i].n && strstr(source, t->added[i].text) != NULL;
}

static bool ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n >= k && strcmp(s + n - k, end) == 0;
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* A folder: tokenizer.json, else tokenizer.model. */
static int open_folder(struct tok *t, const char *dir, struct err *e)
{
	struct buf b = {0};
	bool json;
	int rc;

	buf_fmt(&b, "%s/tokenizer.json", dir);
	json = is_file(b.p);
	if (!json) {
		b.n = 0;
		buf_fmt(&b, "%s/tokenizer.model", dir);
	}
	if (!json && !is_file(b.p))
		rc = err_set(e, SFT_BADDATA, "%s: no tokenizer there (expected tokenizer.json or tokenizer.model)", dir);
	else
		rc = json ? tok_open_json(t, b.p, e) : tok_open_spm(t, b.p, e);
	buf_free(&b);
	return rc ? rc : tok_config(t, dir, e);
}

static int open_file(struct tok *t, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char *dir;
	int rc;

	if (gguf_is(path))
		return tok_open_gguf(t, path, e);
	rc = ends_in(path, ".json") ? tok_open_json(t, path, e) : tok_open_spm(t, path, e);
	if (rc)
		return rc;
	dir = slash ? mem_strn(path, slash == path ? 1 : (size_t)(slash - path)) : mem_str(".");
	rc = tok_config(t, dir, e);
	mem_free(dir);
	return rc;
}

int tok_open(struct tok **out, const char *path, struct err *e)
{
	struct tok *t = mem_new(sizeof *t);
	struct stat st;
	int rc;

	*out = NULL;
	arena_init(&t->arena);
	t->unk = t->bos = t->eos = -1;
	t->sub_prefix = t->word_suffix = "";
	t->all.base = &t->vocab;
	if (stat(path, &st) != 0)
		rc = err_sys(e, path);
	else
		rc = S_ISDIR(st.st_mode) ? open_folder(t, path, e) : open_file(t, path, e);
	if (rc) {
		tok_close(t);
		return rc;
	}
	tok_use_template(t, t->chat_template);
	*out = t;
	return 0;
}

void tok_close(struct tok *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->nnorm; i++) {
		pattern_free(t->norm[i].pattern);
		charsmap_free(t->norm[i].map);
	}
	for (size_t i = 0; i < t->npre; i++)
		pattern_free(t->pre[i].pattern);
	for (size_t i = 0; i < t->ndec; i++)
		pattern_free(t->dec[i].pattern);
	vocab_free(&t->vocab);
	vocab_free(&t->all);
	trie_free(&t->raw);
	trie_free(&t->normal);
	trie_free(&t->pieces);
	trie_free(&t->inner);
	bpe_merges_free(&t->merges);
	vocab_free(&t->raw_bytes);
	spm_release(t);
	mem_free(t->added);
	mem_free(t->added_at);
	mem_free(t->norm);
	mem_free(t->pre);
	mem_free(t->dec);
	mem_free(t->part);
	mem_free(t->merge_list);
	mem_free(t->char_id);
	mem_free(t->id_len);
	mem_free(t->joint);
	mem_free(t->score);
	mem_free(t->stops);
	mem_free(t->special);
	arena_release(&t->arena);
	mem_free(t);
}

struct tok_scratch *tok_scratch_new(const struct tok *t)
{
	struct tok_scratch *s = mem_new(sizeof *s);

	arena_init(&s->arena);
	s->t = t;
	s->matcher = matcher_new();
	return s;
}

void tok_scratch_free(struct tok_scratch *s)
{
	if (s == NULL)
		return;
	arena_release(&s->arena);
	mem_free(s->a.v);
	mem_free(s->b.v);
	bpe_room_free(&s->room);
	matcher_free(s->matcher);
	mem_free(s->cache);
	buf_free(&s->text);
	mem_free(s);
}

void tok_ids_free(struct tok_ids *ids)
{
	mem_free(ids->id);
	mem_free(ids->start);
	mem_free(ids->end);
	*ids = (struct tok_ids){0};
}

/* --- encoding --- */

/* Offsets without the blanks at both ends of their tokens, as ByteLevel and Roberta set them. */
static void trim_offsets(const struct tok *t, struct tok_ids *out, size_t first)
{
	for (size_t i = first; i < out->n; i++) {
		uint32_t leading = 0, trailing = 0;
		const char *name = t->all.text[out->id[i]], *p = name, *end = p + t->all.len[out->id[i]];
		const char *q;

		for (q = p; q < end; leading++) {
			uint32_t c = utf8_get(&q);

			if (c != 0x120 && c != ' ' && (c > 0x20 || c < 9 || (c > 13 && c < 0x20)))
				break;
		}
		for (q = end; q > p; trailing++) {
			uint32_t c = utf8_before(&q);

			if (c != 0x120 && c != ' ' && (c > 0x20 || c < 9 || (c > 13 && c < 0x20)))
				break;
		}
		if (leading == 1 && t->trim_prefix && (i == first || out->start[i] == 0))
			leading = 0;
		for (; leading > 0 && out->start[i] < out->end[i]; leading--)
			out->start[i]++;
		for (; trailing > 0 && out->end[i] > out->start[i]; trailing--)
			out->end[i]--;
	}
}

/* The stretches between added tokens: normalised, searched again, cut and encoded. */
static int encode_pieces(const struct tok *t, struct tok_scratch *s, bool special, guard_fn *guard, void *ctx, struct tok_ids *out, struct err *e)
{
	struct pieces swap;
	bool nested;
	int rc = 0;

	if (t->nnorm || t->normal.nnodes) {
		s->b.n = 0;
		for (size_t i = 0; rc == 0 && i < s->a.n; i++) {
			struct piece p = s->a.v[i];

			if (p.id < 0 && (rc = norm_apply(t, s, &p, e)) == 0 && t->normal.nnodes) {
				added_split(t, &t->normal, &p, special, guard, ctx, &s->b);
			} else {
				pieces_add(&s->b, &p, 0, p.n);
				if (p.n)
					s->b.v[s->b.n - 1].id = p.id;
			}
		}
		swap = s->a;
		s->a = s->b;
		s->b = swap;
	}
	s->bytes = t->bytes && (!t->byte_missing || bpe_bytes_known(t, &s->a));
	nested = s->bytes && t->nested;
	if (rc == 0 && !nested)
		rc = pre_apply(t, s, e);
	for (size_t i = 0; rc == 0 && i < s->a.n; i++) {
		const struct piece *p = &s->a.v[i];

		if (p->id >= 0) {
			bpe_flush(t, s, out);
			ids_add(out, s, p, (uint32_t)p->id, 0, p->n);
		} else if (p->n > UINT32_MAX / 2) {
			rc = err_set(e, SFT_BADDATA, "a text of %zu bytes (expected less than 2 GiB)", p->n);
		} else if (nested) {
			bpe_stretch(t, s, p, out);
		} else if (t->kind == MODEL_BPE) {
			bpe_word(t, s, p, 0, p->n, out);
		} else {
			rc = model_word(t, s, p, out, e);
		}
	}
	if (rc == 0)
		bpe_flush(t, s, out);
	return rc;
}

static int encode(const struct tok *t, struct tok_scratch *s, const char *text, size_t n, unsigned flags, guard_fn *guard, void *ctx,
                  struct tok_ids *out, struct err *e)
{
	struct piece whole = { text, n, NULL, NULL, 0, -1 };
	size_t bad;
	int rc;

	if (n > UINT32_MAX / 2)
		return err_set(e, SFT_BADDATA, "a text of %zu bytes (expected less than 2 GiB)", n);
	if (!json_utf8(text, n) && !utf8_valid(text, n, &bad))
		return err_set(e, SFT_BADDATA, "byte %zu of the text is not UTF-8", bad);
	arena_reset(&s->arena);
	s->align = s->track || t->by_origin;
	s->a.n = s->nwords = 0;
	if (t->kind == MODEL_BPE && s->cache == NULL && (s->cache = mem_try(2 * WORD_LINES * sizeof *s->cache)) == NULL)
		return err_set(e, SFT_SYSTEM, "no memory for the cache of words");
	if (t->kind == MODEL_SPM)
		rc = spm_encode(t, s, &whole, flags, guard, ctx, out, e);
	else {
		added_split(t, &t->raw, &whole, flags & TOK_SPECIAL, guard, ctx, &s->a);
		rc = encode_pieces(t, s, flags & TOK_SPECIAL, guard, ctx, out, e);
	}
	return rc;
}

int tok_encode(const struct tok *t, struct tok_scratch *s, const char *text, size_t n, unsigned flags, struct tok_ids *out, struct err *e)
{
	struct piece none = { text, 0, NULL, NULL, 0, -1 };
	size_t k = 0, first;
	int rc;

	s->track = flags & TOK_OFFSETS;
	if ((flags & TOK_ADD) && t->part)
		for (; k < t->nparts && !t->part[k].text; k++)
			ids_add(out, s, &none, t->part[k].id, 0, 0);
	first = out->n;
	rc = encode(t, s, text, n, flags, NULL, NULL, out, e);
	if (rc == 0 && s->track && t->trim)
		trim_offsets(t, out, first);
	if ((flags & TOK_ADD) && t->part)
		for (k++; rc == 0 && k < t->nparts; k++) {
			if (!t->part[k].text)
				ids_add(out, s, &none, t->part[k].id, 0, 0);
			else
				rc = encode(t, s, text, n, flags, NULL, NULL, out, e);
		}
	return rc;
}

/* --- rendered chats --- */

struct chat_guard {
	const struct tok *t;
	const char *text;
	const struct tok_span *span;
	size_t nspans, at;          /* matches come in order: AT only goes forward, but for a normalised stretch */
	const uint8_t *written;     /* by place in `added`: the template writes it in this text */
};

/* A match that touches what a message says stands only if it is a plain added token that the template does not write. */
static bool chat_allows(void *ctx, const struct added *a, size_t start, size_t end)
{
	struct chat_guard *g = ctx;

	while (g->at > 0 && g->span[g->at - 1].end > start)
		g->at--;
	while (g->at < g->nspans && g->span[g->at].end <= start)
		g->at++;
	for (size_t k = g->at; k < g->nspans && g->span[k].start < end; k++)
		if (g->span[k].content && (a->special || a->template || (g->written && g->written[a - g->t->added])))
			return false;
	return true;
}

/* Tokens of TRIE that stand in [P, END), also those inside longer ones. */
static void mark_written(const struct trie *trie, const char *p, const char *end, uint8_t *written)
{
	for (; trie->nnodes && p < end; p++) {
		uint32_t node = 0;

		if (!trie->start[(uint8_t)*p])
			continue;
		for (const char *q = p; q < end && (node = trie_step(trie, node, (uint8_t)*q)) != 0; q++)
			if (trie->value[node] >= 0)
				written[trie->value[node]] = 1;
	}
}

/* Which added tokens the template's own words hold. */
static uint8_t *written_by_template(const struct tok *t, const char *text, const struct tok_span *spans, size_t nspans)
{
	uint8_t *written = mem_new(t->nadded + 1);

	for (size_t k = 0; k < nspans; k++) {
		size_t start = spans[k].start;

		if (spans[k].content)
			continue;
		while (k + 1 < nspans && !spans[k + 1].content)
			k++;
		mark_written(&t->raw, text + start, text + spans[k].end, written);
		mark_written(&t->normal, text + start, text + spans[k].end, written);
	}
	return written;
}

int tok_encode_chat(const struct tok *t, struct tok_scratch *s, const char *text, size_t n, const struct tok_span *spans, size_t nspans,
                    struct tok_ids *out, struct err *e)
{
	uint8_t *written = written_by_template(t, text, spans, nspans);
	struct chat_guard g = { t, text, spans, nspans, 0, written };
	int rc;

	s->track = true;
	rc = encode(t, s, text, n, TOK_SPECIAL, chat_allows, &g, out, e);
	mem_free(written);
	return rc;
}

int tok_decode(const struct tok *t, const uint32_t *ids, size_t n, unsigned flags, struct buf *out, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] >= t->all.n)
			return err_set(e, SFT_BADDATA, "id %u is outside the vocabulary (expected at most %u)", ids[i], t->all.n - 1);
	return t->kind == MODEL_SPM ? spm_decode(t, ids, n, flags, out, e) : dec_apply(t, ids, n, flags, out, e);
}

/* --- what it says about itself --- */

uint32_t tok_vocab_size(const struct tok *t) { return t->all.n; }
bool tok_is_special(const struct tok *t, uint32_t id) { return id < t->all.n && t->special[id]; }
uint64_t tok_source(const struct tok *t) { return t->source; }
int32_t tok_bos(const struct tok *t) { return t->bos; }
int32_t tok_eos(const struct tok *t) { return t->eos; }
const char *tok_bos_text(const struct tok *t) { return t->bos_text; }
const char *tok_eos_text(const struct tok *t) { return t->eos_text; }
const char *tok_pad_text(const struct tok *t) { return t->pad_text; }
uint64_t tok_context(const struct tok *t) { return t->context; }
const char *tok_chat_template(const struct tok *t) { return t->chat_template; }

const uint32_t *tok_stops(const struct tok *t, size_t *n)
{
	*n = t->nstops;
	return t->stops;
}

const char *tok_name(const struct tok *t, uint32_t id, size_t *n)
{
	if (id >= t->all.n || t->all.text[id] == NULL)
		return NULL;
	*n = t->all.len[id];
	return t->all.text[id];
}

int32_t tok_find(const struct tok *t, const char *name, size_t n)
{
	return (int32_t)vocab_id(&t->all, name, n);
}
