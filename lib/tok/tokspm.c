/* SPDX-License-Identifier: Apache-2.0 */
/* SentencePiece models, by the SentencePiece library: it normalises, cuts and joins; here the names of control symbols are
 * seen to, which it never matches in a text. */
#include <string.h>

#include "hash.h"
#include "mapfile.h"
#include "spm.h"
#include "tokimpl.h"

static void add_part(struct tok *t, bool text, int32_t id)
{
	if (text || id >= 0)
		t->part[t->nparts++] = (struct part){ text, text ? 0 : (uint32_t)id };
}

static const char *name_of(const struct tok *t, int32_t id)
{
	return id >= 0 ? t->all.text[id] : NULL;
}

static int fill(struct tok *t)
{
	uint32_t n = spm_size(t->spm);

	t->kind = MODEL_SPM;
	t->added = mem_new((n + 1) * sizeof *t->added);
	for (uint32_t id = 0; id < n; id++) {
		enum spm_kind kind;
		size_t len;
		const char *text = spm_piece(t->spm, id, &len, &kind);

		vocab_put(&t->vocab, text, len, id);
		if (kind == SPM_UNKNOWN)
			t->unk = id;
		if (kind == SPM_CONTROL && len)
			t->added[t->nadded++] = (struct added){ .text = t->vocab.text[id], .n = len, .id = id, .special = true };
	}
	tok_ready(t);
	t->bos = spm_bos(t->spm);
	t->eos = spm_eos(t->spm);
	t->bos_text = name_of(t, t->bos);
	t->eos_text = name_of(t, t->eos);
	t->pad_text = name_of(t, spm_pad(t->spm));
	t->part = mem_new(3 * sizeof *t->part);
	add_part(t, false, t->bos);
	add_part(t, true, 0);
	add_part(t, false, t->eos);
	if (t->eos >= 0)
		tok_stop(t, (uint32_t)t->eos);
	return 0;
}

int tok_open_spm(struct tok *t, const char *path, struct err *e)
{
	struct mapfile m;
	int rc = mapfile_open(&m, path, e);

	if (rc)
		return rc;
	if (m.n == 0)
		rc = err_set(e, SFT_BADDATA, "an empty file (expected a SentencePiece model)");
	else
		rc = spm_open(&t->spm, m.p, m.n, e);
	if (rc)
		err_in(e, "%s", path);
	t->source = hash64(m.p, m.n, 0);
	mapfile_close(&m);
	return rc ? rc : fill(t);
}

void spm_release(struct tok *t)
{
	if (t->kind == MODEL_SPM)
		spm_close(t->spm);
}

struct putter {
	struct tok_scratch *s;
	const struct piece *p;
	struct tok_ids *out;
};

static void put(void *ctx, uint32_t id, size_t start, size_t end)
{
	struct putter *w = ctx;

	ids_add(w->out, w->s, w->p, id, start, end);
}

static void put_all(void *ctx, const int *ids, size_t n)
{
	struct putter *w = ctx;

	tok_ids_room(w->out, n, false);
	for (size_t i = 0; i < n; i++)
		w->out->id[w->out->n++] = (uint32_t)ids[i];
}

int spm_encode(const struct tok *t, struct tok_scratch *s, const struct piece *whole, unsigned flags, guard_fn *guard, void *ctx,
               struct tok_ids *out, struct err *e)
{
	int rc = 0;

	(void)flags;
	s->a.n = 0;
	if (guard)
		added_split(t, &t->raw, whole, true, guard, ctx, &s->a);
	else
		pieces_add(&s->a, whole, 0, whole->n);
	for (size_t i = 0; rc == 0 && i < s->a.n; i++) {
		struct putter w = { s, &s->a.v[i], out };

		if (w.p->id >= 0)
			put(&w, (uint32_t)w.p->id, 0, w.p->n);
		else
			rc = s->track ? spm_to_places(t->spm, w.p->p, w.p->n, put, &w, e) : spm_to_ids(t->spm, w.p->p, w.p->n, put_all, &w, e);
	}
	return rc;
}

int spm_decode(const struct tok *t, const uint32_t *ids, size_t n, unsigned flags, struct buf *out, struct err *e)
{
	uint32_t *kept = mem_grow(NULL, n + 1, sizeof *kept);
	size_t k = 0;
	int rc;

	for (size_t i = 0; i < n; i++)
		if (!((flags & TOK_SKIP_SPECIAL) && t->special[ids[i]]))
			kept[k++] = ids[i];
	rc = spm_to_text(t->spm, kept, k, out, e);
	mem_free(kept);
	return rc;
}
