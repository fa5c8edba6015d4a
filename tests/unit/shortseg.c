/* SPDX-License-Identifier: Apache-2.0 */
/* Matches of short answers as sets of places against the trie and the LCS of answers of any length. */
#include "grams.h"
#include "intern.h"
#include "lcs.h"
#include "rng.h"
#include "shortseg.h"
#include "test.h"

enum { MOST = 80, ORDERS = 6, LONGEST = 40 };

/* Up to N words of few kinds, so that they repeat: 1 to LONGEST bytes that differ in one, the first, the last or another. */
static void some_words(struct rng *r, struct buf *text, struct words *w, size_t n)
{
	text->n = 0;
	for (size_t i = 0; i < n; i++) {
		size_t len = 1 + rng_below(r, rng_below(r, 2) ? 4 : LONGEST), at = rng_below(r, 3);
		char word[LONGEST];

		memset(word, 'x', sizeof word);
		word[at == 0 ? 0 : at == 1 ? len - 1 : len / 2] = "ab\0"[rng_below(r, 3)];
		buf_add(text, word, len);
		buf_ch(text, ' ');
	}
	words_split(w, (struct text){ text->p ? text->p : "", text->n });
}

struct both {
	struct shortseg s;
	struct intern intern;
	struct grams grams;
	struct lcs lcs;
	struct ids hyp, ref;
	struct words answer, reference[3];
	struct buf text[4];
};

/* One answer and NREF references. */
static void compare(struct both *b, struct rng *r, size_t nref, unsigned max)
{
	uint64_t taken[SHORTSEG_ORDERS] = { 0 }, match[ORDERS] = { 0 };

	some_words(r, &b->text[3], &b->answer, rng_below(r, MOST));
	CHECK(shortseg_answer(&b->s, &b->answer) == (b->answer.n <= SHORTSEG_WORDS));
	if (b->answer.n > SHORTSEG_WORDS)
		return;
	put_words(&b->intern, &b->answer, &b->hyp);
	grams_answer(&b->grams, b->hyp.v, b->hyp.n, max);
	for (size_t k = 0; k < nref; k++) {
		some_words(r, &b->text[k], &b->reference[k], rng_below(r, MOST));
		shortseg_reference(&b->s, &b->reference[k]);
		shortseg_grams(&b->s, max, taken);
		find_words(&b->intern, &b->reference[k], &b->ref);
		grams_reference(&b->grams, b->ref.v, b->ref.n, match);
		CHECK(shortseg_lcs(&b->s) == lcs_length(&b->lcs, &b->ref, b->hyp.v, b->hyp.n, b->intern.n));
	}
	for (unsigned o = 0; o < max; o++)
		CHECK((uint64_t)__builtin_popcountll(taken[o]) == match[o]);
}

static void as_for_any_length(void)
{
	struct both b = { 0 };
	struct rng r;

	rng_init(&r, 3, 3);
	for (int k = 0; k < 4000; k++)
		compare(&b, &r, 1 + rng_below(&r, 3), 1 + (unsigned)rng_below(&r, ORDERS));
	shortseg_free(&b.s);
	intern_free(&b.intern);
	grams_free(&b.grams);
	lcs_free(&b.lcs);
	mem_free(b.hyp.v);
	mem_free(b.ref.v);
	words_free(&b.answer);
	for (int k = 0; k < 3; k++)
		words_free(&b.reference[k]);
	for (int k = 0; k < 4; k++)
		buf_free(&b.text[k]);
}

static void full_answer(void)
{
	struct shortseg s = { 0 };
	struct words w = { 0 };
	char text[2 * SHORTSEG_WORDS];
	uint64_t taken[2] = { 0 };

	for (int i = 0; i < SHORTSEG_WORDS; i++)
		memcpy(text + 2 * i, "w ", 2);
	words_split(&w, (struct text){ text, sizeof text });
	CHECK(shortseg_answer(&s, &w));
	shortseg_reference(&s, &w);
	shortseg_grams(&s, 2, taken);
	CHECK(taken[0] == UINT64_MAX && taken[1] == UINT64_MAX >> 1 && shortseg_lcs(&s) == SHORTSEG_WORDS);
	words_free(&w);
	shortseg_free(&s);
}

int main(void)
{
	TEST(as_for_any_length);
	TEST(full_answer);
	return test_end();
}
