/* SPDX-License-Identifier: Apache-2.0 */
#include "gramset.h"

#include <string.h>

void gramset_init(struct gramset *g, size_t n)
{
	memset(g, 0, sizeof *g);
	g->n = n;
	if (n == 0)
		return;
	g->unicode = unicode_open();
	keyset_init(&g->set, false);
}

void gramset_release(struct gramset *g)
{
	unicode_close(g->unicode);
	keyset_release(&g->set);
}

void gramscan_release(struct gramscan *w)
{
	textwords_release(&w->words);
	buf_free(&w->low);
}

/* Hashes of the n-grams of TEXT into w->words.gram; how many. */
static size_t grams(const struct gramset *g, struct gramscan *w, const char *text, size_t n)
{
	w->low.n = 0;
	buf_room(&w->low, UNICODE_LOWER_ROOM(n));
	n = unicode_lower(g->unicode, text, n, w->low.p);
	textwords_split(&w->words, g->unicode, w->low.p, n);
	return textwords_grams(&w->words, w->low.p, g->n);
}

static struct hash128 key(uint64_t gram)
{
	return (struct hash128){ gram, gram };
}

int gramset_add(struct gramset *g, struct gramscan *w, const char *text, size_t n, struct err *e)
{
	size_t k = grams(g, w, text, n);
	int rc = 0;
	bool added;

	for (size_t i = 0; i < k && rc == 0; i++)
		rc = keyset_add(&g->set, key(w->words.gram[i]), &added, NULL, e);
	return rc;
}

bool gramset_shares(const struct gramset *g, struct gramscan *w, const char *text, size_t n)
{
	size_t k = grams(g, w, text, n);

	for (size_t i = 0; i < k; i++)
		if (keyset_has(&g->set, key(w->words.gram[i])))
			return true;
	return false;
}
