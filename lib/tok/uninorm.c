/* SPDX-License-Identifier: Apache-2.0 */
/* Normal forms C, D, KC and KD (Unicode Standard Annex 15), with the tables of the reference. */
#include <string.h>

#include "uniclass.h"
#include "utf8.h"
#include "xform.h"

enum { S_BASE = 0xAC00, L_BASE = 0x1100, V_BASE = 0x1161, T_BASE = 0x11A7, L_COUNT = 19, V_COUNT = 21, T_COUNT = 28,
       S_COUNT = L_COUNT * V_COUNT * T_COUNT };

struct mark {
	uint32_t c;
	int32_t change;
	uint8_t ccc;
};

/* Characters that wait to be put in canonical order, from a starter (or the beginning) on. */
struct pending {
	struct xform *x;
	bool compose;
	struct mark *v;
	size_t n, cap;
};

static uint8_t ccc_of(uint32_t c)
{
	unsigned lo = 0, hi = uni_ccc_n;

	if (c < 0x300)
		return 0;
	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (uni_ccc_runs[mid].last < c)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < uni_ccc_n && uni_ccc_runs[lo].first <= c ? uni_ccc_runs[lo].ccc : 0;
}

static const struct uni_map *map_of(const struct uni_map *map, unsigned n, uint32_t c)
{
	unsigned lo = 0, hi = n;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (map[mid].c < c)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && map[lo].c == c ? &map[lo] : NULL;
}

/* The primary composite of A and B, or 0. */
static uint32_t composite(uint32_t a, uint32_t b)
{
	unsigned lo = 0, hi = uni_compose_n;

	if (a - L_BASE < L_COUNT && b - V_BASE < V_COUNT)
		return S_BASE + ((a - L_BASE) * V_COUNT + (b - V_BASE)) * T_COUNT;
	if (a - S_BASE < S_COUNT && (a - S_BASE) % T_COUNT == 0 && b - T_BASE - 1 < T_COUNT - 1)
		return a + (b - T_BASE);
	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		const struct uni_pair *p = &uni_compose[mid];

		if (p->a < a || (p->a == a && p->b < b))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < uni_compose_n && uni_compose[lo].a == a && uni_compose[lo].b == b ? uni_compose[lo].c : 0;
}

/* Stable order by class of V[0..n-1]. */
static void order(struct mark *v, size_t n)
{
	size_t at[257] = {0};
	struct mark *copy;

	if (n <= 32) {
		for (size_t i = 1; i < n; i++) {
			struct mark m = v[i];
			size_t k = i;

			for (; k > 0 && v[k - 1].ccc > m.ccc; k--)
				v[k] = v[k - 1];
			v[k] = m;
		}
		return;
	}
	copy = mem_grow(NULL, n, sizeof *copy);
	memcpy(copy, v, n * sizeof *v);
	for (size_t i = 0; i < n; i++)
		at[v[i].ccc + 1]++;
	for (int k = 0; k < 256; k++)
		at[k + 1] += at[k];
	for (size_t i = 0; i < n; i++)
		v[at[copy[i].ccc]++] = copy[i];
	mem_free(copy);
}

/* Composition of V, which is in canonical order and begins with a starter: what is not taken into it stays, in order. */
static size_t compose(struct mark *v, size_t n)
{
	size_t kept = 1;
	unsigned last = 0;             /* class of the last mark that was kept */

	for (size_t i = 1; i < n; i++) {
		uint32_t c = kept > 1 && last >= v[i].ccc ? 0 : composite(v[0].c, v[i].c);

		if (c) {
			v[0].c = c;
			v[0].change += v[i].change - 1;
		} else {
			last = v[i].ccc;
			v[kept++] = v[i];
		}
	}
	return kept;
}

/* What waits is complete: put it out. */
static void flush(struct pending *q)
{
	for (size_t i = 0; i < q->n; i++)
		xform_put(q->x, q->v[i].c, q->v[i].change);
	q->n = 0;
}

/* The marks behind the starter are all there. */
static void settle(struct pending *q)
{
	size_t first = q->n && q->v[0].ccc == 0;

	order(q->v + first, q->n - first);
	if (q->compose && first)
		q->n = compose(q->v, q->n);
}

static void add(struct pending *q, uint32_t c, int change)
{
	uint8_t ccc = ccc_of(c);

	if (ccc == 0 && q->n) {
		settle(q);
		if (q->compose && q->n == 1 && q->v[0].ccc == 0) {
			uint32_t both = composite(q->v[0].c, c);

			if (both) {
				q->v[0].c = both;
				q->v[0].change += change - 1;
				return;
			}
		}
		flush(q);
	}
	ARRAY_ROOM(q->v, q->n, q->cap);
	q->v[q->n++] = (struct mark){ c, change, ccc };
}

static void add_decomposed(struct pending *q, uint32_t c, bool compat)
{
	const struct uni_map *m = NULL;

	if (c < 0xA0) {
		add(q, c, 0);
		return;
	}
	if (c - S_BASE < S_COUNT) {
		uint32_t s = c - S_BASE;

		add(q, L_BASE + s / (V_COUNT * T_COUNT), 0);
		add(q, V_BASE + s % (V_COUNT * T_COUNT) / T_COUNT, 1);
		if (s % T_COUNT)
			add(q, T_BASE + s % T_COUNT, 1);
		return;
	}
	if (compat)
		m = map_of(uni_compat, uni_compat_n, c);
	if (m == NULL)
		m = map_of(uni_decomp, uni_decomp_n, c);
	if (m == NULL)
		add(q, c, 0);
	else
		for (unsigned i = 0; i < m->n; i++)
			add(q, uni_decomp_text[m->at + i], i > 0);
}

/* Bytes at P that NFC leaves as they are, up to where a stretch begins that it may change. */
static size_t quick(const char *p, const char *end)
{
	const char *start = p, *safe = p;

	while (p < end) {
		const char *q = p;

		p += utf8_ascii(p, (size_t)(end - p));
		if (p > q)
			safe = p - 1;
		if (p == end)
			break;
		q = p;
		if ((unsigned char)(*p - 0xE4) <= 4)    /* U+4000 to U+8FFF: ideographs, none of which NFC changes */
			p += 3;
		else if (uni_of(utf8_get(&p)) & UC_NFCQ)
			return (size_t)(safe - start);
		safe = q;
	}
	return (size_t)(end - start);
}

bool uninorm_same(const char *p, size_t n)
{
	return quick(p, p + n) == n;
}

/* May the character at P change, or be composed with what is before it? */
static bool goes_on(const char *p, enum norm_form form)
{
	if ((unsigned char)*p < 0x80)
		return false;
	return form != FORM_NFC || (uni_of(utf8_get(&p)) & UC_NFCQ);
}

void uninorm(struct xform *x, enum norm_form form)
{
	struct pending q = { .x = x, .compose = form == FORM_NFC || form == FORM_NFKC };
	const char *p = x->src->p, *end = p + x->src->n;
	bool compat = form == FORM_NFKC || form == FORM_NFKD;

	while (p < end) {
		size_t same = 0;

		if (form == FORM_NFC)
			same = quick(p, end);
		else if (q.n == 0)
			same = utf8_ascii(p, (size_t)(end - p));
		if (form != FORM_NFC && same > 0 && p + same < end)
			same--;                /* a mark may follow the last one */
		if (same) {
			xform_copy(x, same);
			p += same;
		}
		if (p == end)
			break;
		/* From here to the next character that NFC leaves alone and nothing before composes with. */
		do
			add_decomposed(&q, utf8_get(&p), compat);
		while (p < end && goes_on(p, form));
		settle(&q);
		flush(&q);
	}
	mem_free(q.v);
}
