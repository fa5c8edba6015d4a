/* SPDX-License-Identifier: Apache-2.0 */
#include "rivals.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"

enum { WHOLE = 8 << 10, AROUND = 1 << 10 };    /* bytes: texts taken whole, text to each side of a term to begin with */

struct rivals {
	struct unicode *u;
	struct termset *set;
	struct termrivals *rivals;
	uint64_t hash;
};

/* --- the dictionary --- */

static uint64_t hash_of(const struct termset *set)
{
	struct hash_state *h = hash_open(0);
	uint64_t hash;

	for (uint32_t t = 0; t < termset_count(set); t++) {
		const struct term *term = termset_get(set, t);

		hash_add(h, term->form.text, term->form.n + 1);
		hash_add(h, term->class, strlen(term->class) + 1);
		hash_add(h, &term->nvariants, sizeof term->nvariants);
		for (uint32_t v = 0; v < term->nvariants; v++)
			hash_add(h, term->variant[v].text, term->variant[v].n + 1);
	}
	hash = hash_close(h);
	return hash ? hash : 1;
}

int rivals_open(struct rivals **out, const struct opt_list *files, struct err *e)
{
	struct rivals *r = mem_new(sizeof *r);
	int rc = 0;

	*out = NULL;
	r->u = unicode_open();
	r->set = termset_new(r->u);
	for (size_t i = 0; rc == 0 && i < files->n; i++)
		rc = termset_read(r->set, files->v[i], e);
	if (rc == 0)
		rc = termset_ready(r->set, e);
	if (rc) {
		rivals_close(r);
		return rc;
	}
	r->rivals = termrivals_new(r->set);
	r->hash = hash_of(r->set);
	*out = r;
	return 0;
}

void rivals_close(struct rivals *r)
{
	if (r == NULL)
		return;
	termrivals_free(r->rivals);
	termset_free(r->set);
	unicode_close(r->u);
	mem_free(r);
}

uint64_t rivals_hash(const struct rivals *r) { return r->hash; }

void rivals_work_release(struct rivals_work *w)
{
	termscan_release(&w->scan);
	tok_ids_free(&w->base);
	tok_ids_free(&w->ids);
	buf_free(&w->text);
	mem_free(w->span);
	mem_free(w->found);
	termrival_list_release(&w->rivals);
}

/* --- one term in one text --- */

struct place {
	const struct rivals *r;
	struct rivals_work *w;
	const struct tok *t;
	struct tok_scratch *s;
	const struct chat_text *text;
	const struct tok_ids *ids;     /* of the whole text */
	const struct shard_seq *seq;
	size_t at, end;                /* bytes of the term in it */
	size_t low, high;              /* the part of the text that is tokenised again */
	const struct tok_ids *base;    /* that part's tokens as the text stands */
	size_t first, base_first;      /* first token that holds a byte of the term, in IDS and in BASE */
	size_t last;                   /* behind the last one, in IDS */
};

/* The first token of IDS that ends behind AT. */
static size_t token_at(const struct tok_ids *ids, size_t at)
{
	size_t low = 0, high = ids->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (ids->end[mid] > at)
			high = mid;
		else
			low = mid + 1;
	}
	while (low > 0 && ids->end[low - 1] > at)      /* tokens added without text have odd places */
		low--;
	return low;
}

/* Place X of the whole text in the part, with N bytes where the term stood. */
static size_t moved(const struct place *p, size_t x, size_t n)
{
	if (x < p->low)
		x = p->low;
	if (x > p->high)
		x = p->high;
	return x <= p->at ? x - p->low : x >= p->end ? x - p->low - (p->end - p->at) + n : p->at - p->low + n;
}

/* The part with V, N bytes, in the place of the term, tokenised into OUT. */
static int encode_with(const struct place *p, const char *v, size_t n, struct tok_ids *out, struct err *e)
{
	const struct chat_text *text = p->text;
	struct rivals_work *w = p->w;
	size_t nspans = 0;

	w->text.n = 0;
	buf_add(&w->text, text->text.p + p->low, p->at - p->low);
	buf_add(&w->text, v, n);
	buf_add(&w->text, text->text.p + p->end, p->high - p->end);
	for (size_t i = 0; i < text->nspans; i++) {
		size_t start = moved(p, text->span[i].start, n), end = moved(p, text->span[i].end, n);

		if (start == end)
			continue;
		ARRAY_ROOM(w->span, nspans, w->spans_cap);
		w->span[nspans++] = (struct tok_span){ start, end, text->span[i].content };
	}
	out->n = 0;
	return tok_encode_chat(p->t, p->s, w->text.p, w->text.n, w->span, nspans, out, e);
}

static bool boundary(const char *p, size_t at)
{
	return ((unsigned char)p[at] & 0xC0) != 0x80;
}

/* Do the part's tokens about the term equal those of the whole, with one to each side? */
static bool same_about(const struct place *p)
{
	size_t from = p->first > 0 ? p->first - 1 : 0, k = p->base_first - (p->first > 0);

	if (p->base_first < (size_t)(p->first > 0))
		return false;
	for (size_t i = from; i < p->last + 1 && i < p->ids->n; i++, k++)
		if (k >= p->base->n || p->base->id[k] != p->ids->id[i] || p->base->start[k] + p->low != p->ids->start[i])
			return false;
	return true;
}

/* The part of the text that decides: all of a short one, else what gives the same tokens as the whole. */
static int choose_part(struct place *p, struct err *e)
{
	size_t n = p->text->text.n, around = AROUND;
	const char *s = p->text->text.p;
	int rc;

	for (; n > WHOLE && 2 * around < n; around *= 4) {
		p->low = p->at > around ? p->at - around : 0;
		p->high = n - p->end > around ? p->end + around : n;
		while (p->low > 0 && !boundary(s, p->low))
			p->low--;
		while (p->high < n && !boundary(s, p->high))
			p->high++;
		if ((rc = encode_with(p, s + p->at, p->end - p->at, &p->w->base, e)) != 0)
			return rc;
		p->base = &p->w->base;
		p->base_first = token_at(p->base, p->at - p->low);
		if (same_about(p))
			return 0;
	}
	p->base = p->ids;
	p->base_first = p->first;
	p->low = 0;
	p->high = n;
	return 0;
}

/* V instead of the term: where do the tokens part? */
static int try_rival(const struct place *p, const struct term_form *v, struct err *e)
{
	struct rivals_work *w = p->w;
	size_t k = 0, i;
	int rc = encode_with(p, v->text, v->n, &w->ids, e);

	if (rc)
		return rc;
	while (k < w->ids.n && k < p->base->n && w->ids.id[k] == p->base->id[k])
		k++;
	if (k < p->base_first || k == w->ids.n || (i = k - p->base_first + p->first) >= p->last || i == 0 || !p->seq->mask[i])
		return 0;
	ARRAY_ROOM(w->found, w->nfound, w->found_cap);
	w->found[w->nfound++] = (uint64_t)i << 32 | w->ids.id[k];
	return 0;
}

/* HIT, in the stretch of text that begins at OFFSET. */
static int each_hit(struct place *p, const struct termhit *hit, size_t offset, struct err *e)
{
	struct termrival_list *list = &p->w->rivals;
	bool any = false;
	int rc = 0;

	p->at = offset + hit->at;
	p->end = p->at + hit->n;
	p->first = p->last = token_at(p->ids, p->at);
	for (; p->last < p->ids->n && p->ids->start[p->last] < p->end; p->last++)
		any |= p->last > 0 && p->seq->mask[p->last];
	if (hit->variant || !any)
		return 0;
	termrivals_of(p->r->rivals, hit->term, list);
	if (list->n)
		rc = choose_part(p, e);
	for (size_t v = 0; rc == 0 && v < list->n; v++)
		rc = try_rival(p, list->form[v], e);
	return rc;
}

/* --- the sequence --- */

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* What was found, each once, in order, into A. */
static void collect(struct rivals_work *w, struct arena *a, struct shard_rivals *out)
{
	uint32_t *at = arena_get(a, w->nfound * sizeof *at), *first = arena_get(a, (w->nfound + 1) * sizeof *first);
	uint32_t *id = arena_get(a, w->nfound * sizeof *id), n = 0, k = 0;

	qsort(w->found, w->nfound, sizeof *w->found, by_number);
	for (size_t i = 0; i < w->nfound; i++) {
		if (i && w->found[i] == w->found[i - 1])
			continue;
		if (n == 0 || at[n - 1] != w->found[i] >> 32) {
			first[n] = k;
			at[n++] = (uint32_t)(w->found[i] >> 32);
		}
		id[k++] = (uint32_t)w->found[i];
	}
	first[n] = k;
	*out = (struct shard_rivals){ n, at, first, id };
}

int rivals_find(const struct rivals *r, struct rivals_work *w, const struct tok *t, struct tok_scratch *s, const struct chat_text *text,
                const struct tok_ids *ids, struct arena *a, struct shard_seq *seq, struct err *e)
{
	struct place p = { .r = r, .w = w, .t = t, .s = s, .text = text, .ids = ids, .seq = seq };
	int rc = 0;

	w->nfound = 0;
	for (size_t i = 0; rc == 0 && i < text->nspans; i++) {
		size_t start = text->span[i].start, n;
		bool trained = text->span[i].trained;

		if (!text->span[i].content)
			continue;
		for (; i + 1 < text->nspans && text->span[i + 1].content; i++)
			trained |= text->span[i + 1].trained;
		if (!trained)
			continue;
		n = termset_scan(r->set, &w->scan, text->text.p + start, text->span[i].end - start);
		for (size_t k = 0; rc == 0 && k < n; k++)
			rc = each_hit(&p, &w->scan.hit[k], start, e);
	}
	if (rc == 0 && w->nfound)
		collect(w, a, &seq->rivals);
	return rc;
}

/* --- rivals that come as JSON --- */

static size_t count_ids(const struct json *list)
{
	size_t n = 0;

	for (size_t k = 0; list->type == JSON_ARR && k < list->n; k++)
		if (list->item[k].type == JSON_ARR && list->item[k].n == 2 && list->item[k].item[1].type == JSON_ARR)
			n += list->item[k].item[1].n;
	return n;
}

int rivals_read(const struct json *list, uint32_t max, struct arena *a, struct shard_seq *seq, struct err *e)
{
	size_t most = list->type == JSON_ARR ? list->n : 0;
	uint32_t *at = arena_get(a, (most + 1) * sizeof *at), *first = arena_get(a, (most + 1) * sizeof *first), n = 0;
	uint32_t *id = arena_get(a, (count_ids(list) + 1) * sizeof *id), k = 0;

	if (list->type != JSON_ARR)
		return err_set(e, SFT_BADDATA, "'rivals' is no list (expected [[position,[id,...]],...])");
	for (; n < list->n; n++) {
		const struct json *pair = &list->item[n], *ids = pair->item + 1;
		int64_t where, v = -1, last;

		if (pair->type != JSON_ARR || pair->n != 2 || !json_int(pair->item, &where) || ids->type != JSON_ARR || ids->n == 0)
			return err_set(e, SFT_BADDATA, "'rivals': number %u is no [position,[id,...]]", n);
		if (where <= (n ? at[n - 1] : 0) || where >= seq->n || !seq->mask[where])
			return err_set(e, SFT_BADDATA, "'rivals': position %lld (expected ascending ones, trained, none 0)", (long long)where);
		at[n] = (uint32_t)where;
		first[n] = k;
		for (size_t i = 0; i < ids->n; i++) {
			last = v;
			if (!json_int(&ids->item[i], &v) || v <= last || v > max || v == seq->ids[where])
				return err_set(e, SFT_BADDATA, "'rivals': position %lld: bad id (expected ascending ones of the vocabulary, not the token there)",
				               (long long)where);
			id[k++] = (uint32_t)v;
		}
	}
	first[n] = k;
	seq->rivals = (struct shard_rivals){ n, at, first, id };
	return 0;
}

void rivals_cut(struct shard_seq *seq, uint32_t from, struct arena *a)
{
	const struct shard_rivals r = seq->rivals;
	uint32_t *at = arena_get(a, (r.n + 1) * sizeof *at), k = 0, n = 0;

	if (r.n == 0)
		return;
	while (k < r.n && r.at[k] <= from)             /* the first of what stays is predicted by nothing */
		k++;
	for (uint32_t i = k; i < r.n && r.at[i] - from < seq->n; i++)
		at[n++] = r.at[i] - from;
	/* the ids stay where they are: offsets into them need not begin at 0 */
	seq->rivals = (struct shard_rivals){ n, at, r.first + k, r.id };
}
