/* SPDX-License-Identifier: Apache-2.0 */
#include "heads.h"

#include <string.h>

bool heads_has(enum param p)
{
	return p == P_WQ || p == P_WK || p == P_WV || p == P_WO || p == P_QB || p == P_KVB;
}

/* Is query head H, or with SHARED heads in all one of the group that key/value head H serves, among HEADS. */
static bool named(const struct model_config *c, const bool *heads, uint32_t h, uint32_t shared)
{
	uint32_t group = c->heads / shared;

	for (uint32_t i = 0; i < group; i++)
		if (heads[h * group + i])
			return true;
	return false;
}

/* Runs that touch become one. */
static void freeze(struct lora *l, size_t first, size_t n)
{
	struct lora_run *last = l->nfrozen ? &l->frozen[l->nfrozen - 1] : NULL;

	if (last && last->first + last->n == first) {
		last->n += n;
		return;
	}
	l->frozen = mem_grow(l->frozen, l->nfrozen + 1, sizeof *l->frozen);
	l->frozen[l->nfrozen++] = (struct lora_run){ first, n };
}

/* Row R of the block: a B by its rows, the A of o by its columns. */
static void freeze_row(struct lora *l, const struct model_config *c, const struct lora_row *r)
{
	enum param p = place_at(c, r->place).p;
	uint32_t n = p == P_WK || p == P_WV ? c->kv_heads : c->heads, out = r->rows / n, in = r->cols / n;

	if (r->part != (p == P_WO ? LORA_A : LORA_B))
		return;
	for (uint32_t i = 0; i < (p == P_WO ? r->rows : 1); i++)
		for (uint32_t h = 0; h < n; h++)
			if (!named(c, l->heads, h, n))
				freeze(l, r->offset + (p == P_WO ? (size_t)i * r->cols + (size_t)h * in : (size_t)h * out * r->cols),
				       p == P_WO ? in : (size_t)out * r->cols);
}

void heads_limit(struct lora *l, const struct model_config *c, bool *heads)
{
	l->heads = heads;
	for (size_t i = 0; i < l->nrows; i++)
		if (heads_has(place_at(c, l->row[i].place).p))
			freeze_row(l, c, &l->row[i]);
}

void heads_text(struct buf *b, const bool *heads, uint32_t n)
{
	const char *comma = "";

	for (uint32_t h = 0, end; h < n; h = end) {
		for (end = h; end < n && heads[end]; end++)
			;
		if (end == h) {
			end = h + 1;
			continue;
		}
		buf_fmt(b, end == h + 1 ? "%s%u" : "%s%u-%u", comma, h, end - 1);
		comma = ",";
	}
}

/* A number below N at *S. */
static bool number(const char **s, uint32_t n, uint32_t *out)
{
	uint64_t v = 0;
	const char *from = *s;

	for (; **s >= '0' && **s <= '9' && v < n; ++*s)
		v = 10 * v + (uint64_t)(**s - '0');
	*out = (uint32_t)v;
	return *s > from && v < n;
}

int heads_read(bool *heads, uint32_t n, const char *text, struct err *e)
{
	const char *s = text;
	uint32_t a, b;

	memset(heads, 0, n * sizeof *heads);
	do {
		bool ok = number(&s, n, &a);

		b = a;
		if (ok && *s == '-') {
			s++;
			ok = number(&s, n, &b) && b >= a;
		}
		if (!ok || (*s && *s != ','))
			return err_set(e, SFT_BADDATA, "heads '%.60s' (expected a list such as 0-3,7 of heads 0 to %u)", text, n - 1);
		for (; a <= b; a++)
			heads[a] = true;
	} while (*s++);
	return 0;
}

bool heads_zero(const struct lora *l, const float *p)
{
	for (size_t i = 0; i < l->nfrozen; i++)
		for (size_t k = l->frozen[i].first; k < l->frozen[i].first + l->frozen[i].n; k++)
			if (p[k] != 0)
				return false;
	return true;
}
