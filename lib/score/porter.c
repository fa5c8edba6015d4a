/* SPDX-License-Identifier: Apache-2.0 */
#include "porter.h"

#include <stdbool.h>
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
};

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

static bool ends(const struct stem *w, const char *suffix)
{
	size_t k = strlen(suffix);

	return w->n >= k && memcmp(w->s + w->n - k, suffix, k) == 0;
}

/* Take CUT letters off and put TO in their place. */
static void put(struct stem *w, size_t cut, const char *to)
{
	size_t k = strlen(to);

	memcpy(w->s + w->n - cut, to, k);
	w->n = w->n - cut + k;
}

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
		if (ends(w, r->suffix)) {
			size_t k = strlen(r->suffix);
			if (holds(w, w->n - k, r->when))
				put(w, k, r->to);
			return;
		}
}

static void step1a(struct stem *w)
{
	static const struct rule rules[] = {
		{ "sses", "ss", ALWAYS }, { "ies", "i", ALWAYS }, { "ss", "ss", ALWAYS }, { "s", "", ALWAYS }, { NULL, NULL, ALWAYS },
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
		put(w, 3, w->n == 4 ? "ie" : "i");
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
		{ "ational", "ate", M0 }, { "tional", "tion", M0 }, { "enci", "ence", M0 }, { "anci", "ance", M0 },
		{ "izer", "ize", M0 }, { "bli", "ble", M0 }, { "alli", "al", M0 }, { "entli", "ent", M0 }, { "eli", "e", M0 },
		{ "ousli", "ous", M0 }, { "ization", "ize", M0 }, { "ation", "ate", M0 }, { "ator", "ate", M0 },
		{ "alism", "al", M0 }, { "iveness", "ive", M0 }, { "fulness", "ful", M0 }, { "ousness", "ous", M0 },
		{ "aliti", "al", M0 }, { "iviti", "ive", M0 }, { "biliti", "ble", M0 }, { "fulli", "ful", M0 }, { NULL, NULL, M0 },
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
		{ "icate", "ic", M0 }, { "ative", "", M0 }, { "alize", "al", M0 }, { "iciti", "ic", M0 }, { "ical", "ic", M0 },
		{ "ful", "", M0 }, { "ness", "", M0 }, { NULL, NULL, M0 },
	};

	apply(w, rules);
}

static void step4(struct stem *w)
{
	static const struct rule rules[] = {
		{ "al", "", M1 }, { "ance", "", M1 }, { "ence", "", M1 }, { "er", "", M1 }, { "ic", "", M1 }, { "able", "", M1 },
		{ "ible", "", M1 }, { "ant", "", M1 }, { "ement", "", M1 }, { "ment", "", M1 }, { "ent", "", M1 }, { "ion", "", M1_ST },
		{ "ou", "", M1 }, { "ism", "", M1 }, { "ate", "", M1 }, { "iti", "", M1 }, { "ous", "", M1 }, { "ive", "", M1 },
		{ "ize", "", M1 }, { NULL, NULL, M1 },
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
	static const char *const pool[][2] = {
		{ "sky", "sky" }, { "skies", "sky" }, { "dying", "die" }, { "lying", "lie" }, { "tying", "tie" }, { "news", "news" },
		{ "innings", "inning" }, { "inning", "inning" }, { "outings", "outing" }, { "outing", "outing" },
		{ "cannings", "canning" }, { "canning", "canning" }, { "howe", "howe" }, { "proceed", "proceed" },
		{ "exceed", "exceed" }, { "succeed", "succeed" },
	};

	for (size_t i = 0; i < sizeof pool / sizeof *pool; i++)
		if (strlen(pool[i][0]) == w->n && memcmp(pool[i][0], w->s, w->n) == 0) {
			put(w, w->n, pool[i][1]);
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
