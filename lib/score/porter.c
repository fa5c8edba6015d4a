/* SPDX-License-Identifier: Apache-2.0 */
#include "porter.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A word while its suffixes come off: s[0..n-1]. */
struct stem {
	char *s;
	size_t n;
};

enum condition { ALWAYS, M0, M1, M1_ST };    /* none; m > 0; m > 1; m > 1 and the stem ends in s or t */

struct rule {
	const char *suffix, *to;
	enum condition when;
	uint8_t n, nto;                 /* their lengths */
};
#define RULE(suffix, to, when) { suffix, to, when, sizeof suffix - 1, sizeof to - 1 }
#define RULES_END { NULL, NULL, ALWAYS, 0, 0 }

static bool vowel_letter(char c)
{
	return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u';
}

/* Is letter I a consonant?  A y is one unless it follows a consonant. */
static bool consonant(const struct stem *w, size_t i)
{
	bool flip = false;

	if (vowel_letter(w->s[i]))
		return false;
	while (i > 0 && w->s[i] == 'y') {
		flip = !flip;
		i--;
	}
	return (w->s[i] == 'y' || !vowel_letter(w->s[i])) != flip;
}

/* m of the first N letters: how often a consonant follows a vowel. */
static unsigned measure(const struct stem *w, size_t n)
{
	bool prev = true, cons;
	unsigned m = 0;

	for (size_t i = 0; i < n; i++, prev = cons) {
		cons = w->s[i] == 'y' ? i == 0 || !prev : !vowel_letter(w->s[i]);
		m += i > 0 && !prev && cons;
	}
	return m;
}

static bool has_vowel(const struct stem *w, size_t n)
{
	bool prev = true, cons;

	for (size_t i = 0; i < n; i++, prev = cons) {
		cons = w->s[i] == 'y' ? i == 0 || !prev : !vowel_letter(w->s[i]);
		if (!cons)
			return true;
	}
	return false;
}

/* *o: ends consonant-vowel-consonant, the last not w, x, y; or, NLTK's addition, is a vowel and a consonant. */
static bool ends_cvc(const struct stem *w, size_t n)
{
	if (n >= 3)
		return consonant(w, n - 3) && !consonant(w, n - 2) && consonant(w, n - 1) && !strchr("wxy", w->s[n - 1]);
	return n == 2 && !consonant(w, 0) && consonant(w, 1);
}

/* Does W end in the K >= 1 letters of SUFFIX?  Most suffixes are told by their last letter. */
static inline bool ends_in(const struct stem *w, const char *suffix, size_t k)
{
	return w->n >= k && w->s[w->n - 1] == suffix[k - 1] && memcmp(w->s + w->n - k, suffix, k) == 0;
}
#define ends(w, suffix) ends_in(w, suffix, sizeof suffix - 1)

/* Take CUT letters off and put the K of TO in their place. */
static inline void put_in(struct stem *w, size_t cut, const char *to, size_t k)
{
	memcpy(w->s + w->n - cut, to, k);
	w->n = w->n - cut + k;
}
#define put(w, cut, to) put_in(w, cut, to, sizeof to - 1)

static bool holds(const struct stem *w, size_t n, enum condition c)
{
	switch (c) {
	case M0:    return measure(w, n) > 0;
	case M1:    return measure(w, n) > 1;
	case M1_ST: return n > 0 && measure(w, n) > 1 && (w->s[n - 1] == 's' || w->s[n - 1] == 't');
	default:    return true;
	}
}

/* The first rule whose suffix stands at the end decides, whether or not its condition holds. */
static void apply(struct stem *w, const struct rule *r)
{
	for (; r->suffix; r++)
		if (ends_in(w, r->suffix, r->n)) {
			if (holds(w, w->n - r->n, r->when))
				put_in(w, r->n, r->to, r->nto);
			return;
		}
}

static void step1a(struct stem *w)
{
	static const struct rule rules[] = {
		RULE("sses", "ss", ALWAYS), RULE("ies", "i", ALWAYS), RULE("ss", "ss", ALWAYS), RULE("s", "", ALWAYS), RULES_END,
	};

	if (w->n == 4 && ends(w, "ies"))
		put(w, 3, "ie");
	else
		apply(w, rules);
}

/* After -ed or -ing has gone. */
static void step1b_tidy(struct stem *w)
{
	char last = w->s[w->n - 1];

	if (ends(w, "at") || ends(w, "bl") || ends(w, "iz"))
		put(w, 0, "e");
	else if (w->n >= 2 && last == w->s[w->n - 2] && consonant(w, w->n - 1))
		w->n -= last != 'l' && last != 's' && last != 'z';
	else if (measure(w, w->n) == 1 && ends_cvc(w, w->n))
		put(w, 0, "e");
}

static void step1b(struct stem *w)
{
	size_t cut;

	if (ends(w, "ied")) {
		put_in(w, 3, "ie", w->n == 4 ? 2 : 1);
		return;
	}
	if (ends(w, "eed")) {
		if (measure(w, w->n - 3) > 0)
			put(w, 3, "ee");
		return;
	}
	cut = ends(w, "ed") ? 2 : ends(w, "ing") ? 3 : 0;
	if (cut == 0 || !has_vowel(w, w->n - cut))
		return;
	w->n -= cut;
	step1b_tidy(w);
}

static void step1c(struct stem *w)
{
	if (ends(w, "y") && w->n > 2 && consonant(w, w->n - 2))
		w->s[w->n - 1] = 'i';
}

static void step2(struct stem *w)
{
	static const struct rule rules[] = {
		RULE("ational", "ate", M0), RULE("tional", "tion", M0), RULE("enci", "ence", M0), RULE("anci", "ance", M0),
		RULE("izer", "ize", M0), RULE("bli", "ble", M0), RULE("alli", "al", M0), RULE("entli", "ent", M0), RULE("eli", "e", M0),
		RULE("ousli", "ous", M0), RULE("ization", "ize", M0), RULE("ation", "ate", M0), RULE("ator", "ate", M0),
		RULE("alism", "al", M0), RULE("iveness", "ive", M0), RULE("fulness", "ful", M0), RULE("ousness", "ous", M0),
		RULE("aliti", "al", M0), RULE("iviti", "ive", M0), RULE("biliti", "ble", M0), RULE("fulli", "ful", M0), RULES_END,
	};

	while (ends(w, "alli") && measure(w, w->n - 4) > 0)
		put(w, 4, "al");
	if (ends(w, "logi") && measure(w, w->n - 3) > 0)       /* the stem here keeps its l */
		w->n -= 1;
	else
		apply(w, rules);
}

static void step3(struct stem *w)
{
	static const struct rule rules[] = {
		RULE("icate", "ic", M0), RULE("ative", "", M0), RULE("alize", "al", M0), RULE("iciti", "ic", M0), RULE("ical", "ic", M0),
		RULE("ful", "", M0), RULE("ness", "", M0), RULES_END,
	};

	apply(w, rules);
}

static void step4(struct stem *w)
{
	static const struct rule rules[] = {
		RULE("al", "", M1), RULE("ance", "", M1), RULE("ence", "", M1), RULE("er", "", M1), RULE("ic", "", M1), RULE("able", "", M1),
		RULE("ible", "", M1), RULE("ant", "", M1), RULE("ement", "", M1), RULE("ment", "", M1), RULE("ent", "", M1), RULE("ion", "", M1_ST),
		RULE("ou", "", M1), RULE("ism", "", M1), RULE("ate", "", M1), RULE("iti", "", M1), RULE("ous", "", M1), RULE("ive", "", M1),
		RULE("ize", "", M1), RULES_END,
	};

	apply(w, rules);
}

static void step5(struct stem *w)
{
	if (ends(w, "e")) {
		unsigned m = measure(w, w->n - 1);
		if (m > 1 || (m == 1 && !ends_cvc(w, w->n - 1)))
			w->n--;
	}
	if (ends(w, "ll") && measure(w, w->n - 1) > 1)
		w->n--;
}

static bool irregular(struct stem *w)
{
	static const struct rule pool[] = {
		RULE("sky", "sky", ALWAYS), RULE("skies", "sky", ALWAYS), RULE("dying", "die", ALWAYS), RULE("lying", "lie", ALWAYS), RULE("tying", "tie", ALWAYS), RULE("news", "news", ALWAYS),
		RULE("innings", "inning", ALWAYS), RULE("inning", "inning", ALWAYS), RULE("outings", "outing", ALWAYS), RULE("outing", "outing", ALWAYS),
		RULE("cannings", "canning", ALWAYS), RULE("canning", "canning", ALWAYS), RULE("howe", "howe", ALWAYS), RULE("proceed", "proceed", ALWAYS),
		RULE("exceed", "exceed", ALWAYS), RULE("succeed", "succeed", ALWAYS),
	};

	for (size_t i = 0; i < sizeof pool / sizeof *pool; i++)
		if (pool[i].n == w->n && memcmp(pool[i].suffix, w->s, w->n) == 0) {
			put_in(w, w->n, pool[i].to, pool[i].nto);
			return true;
		}
	return false;
}

size_t porter_stem(char *word, size_t n)
{
	struct stem w = { word, n };

	if (irregular(&w) || n <= 2)
		return w.n;
	step1a(&w);
	step1b(&w);
	step1c(&w);
	step2(&w);
	step3(&w);
	step4(&w);
	step5(&w);
	return w.n;
}
