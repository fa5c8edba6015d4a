/* SPDX-License-Identifier: Apache-2.0 */
/* Methods that follow a dictionary: other words for the same thing, other things of the same kind. */
#include <string.h>

#include "augment.h"

/* FORM for the N bytes at S: a word with a capital keeps it, unless it is all capitals. */
static void put_form(struct buf *out, const char *s, size_t n, const struct term_form *form)
{
	size_t at = out->n;

	buf_add(out, form->text, form->n);
	if (s[0] >= 'A' && s[0] <= 'Z' && form->text[0] >= 'a' && form->text[0] <= 'z' && n > 1 && !(s[1] >= 'A' && s[1] <= 'Z'))
		out->p[at] = (char)(form->text[0] - 32);
}

/* Calls FORM for each hit: what to put there, or NULL to leave it. */
static bool rewrite(const struct augment *g, enum augment_kind k, struct augwork *w, const char *s, size_t n, struct buf *out,
                    const struct term_form *(*form)(const struct augment *g, enum augment_kind k, struct augwork *w, const struct termhit *h))
{
	size_t hits = termset_scan(g->dict[k], &w->scan, s, n), from = 0, before = out->n;

	for (size_t i = 0; i < hits; i++) {
		const struct termhit *h = &w->scan.hit[i];
		const struct term_form *f = form(g, k, w, h);

		if (f == NULL)
			continue;
		buf_add(out, s + from, h->at - from);
		put_form(out, s + h->at, h->n, f);
		from = h->at + h->n;
	}
	buf_add(out, s + from, n - from);
	return out->n - before != n || (n && memcmp(out->p + before, s, n) != 0);
}

static const struct term_form *form_of(const struct term *t, uint32_t i)
{
	return i ? &t->variant[i - 1] : &t->form;
}

/* Another form of the same term. */
static const struct term_form *other_form(const struct augment *g, enum augment_kind k, struct augwork *w, const struct termhit *h)
{
	const struct term *t = termset_get(g->dict[k], h->term);
	uint32_t other;

	if (t->nvariants == 0 || rng_unit(&w->rng) >= g->rate)
		return NULL;
	other = (uint32_t)rng_below(&w->rng, t->nvariants);
	return form_of(t, other < h->variant ? other : other + 1);
}

bool augment_forms(const struct augment *g, enum augment_kind k, struct augwork *w, const char *s, size_t n, struct buf *out)
{
	return rewrite(g, k, w, s, n, out, other_form);
}

/* The dialect's word, where the standard's stands. */
static const struct term_form *dialect_form(const struct augment *g, enum augment_kind k, struct augwork *w, const struct termhit *h)
{
	const struct term *t = termset_get(g->dict[k], h->term);

	if (h->variant || t->nvariants == 0 || rng_unit(&w->rng) >= g->rate)
		return NULL;
	return &t->variant[rng_below(&w->rng, t->nvariants)];
}

bool augment_dialect(const struct augment *g, enum augment_kind k, struct augwork *w, const char *s, size_t n, struct buf *out)
{
	return rewrite(g, k, w, s, n, out, dialect_form);
}

/* Another entity of the class, the same for the same one all over a copy. */
static const struct term_form *other_entity(const struct augment *g, enum augment_kind k, struct augwork *w, const struct termhit *h)
{
	const struct augment_class *c = &g->class[g->entity_class[h->term]];
	uint64_t x = rng_mix(w->copy + h->term);
	uint32_t other;

	if (c->n < 2 || (double)(x >> 11) * 0x1p-53 >= g->rate)
		return NULL;
	other = c->first + (uint32_t)(rng_mix(x) % (c->n - 1));
	if (other >= g->entity_at[h->term])
		other++;
	return &termset_get(g->dict[k], g->entity[other])->form;
}

bool augment_entities(const struct augment *g, enum augment_kind k, struct augwork *w, const char *s, size_t n, struct buf *out)
{
	return rewrite(g, k, w, s, n, out, other_entity);
}
