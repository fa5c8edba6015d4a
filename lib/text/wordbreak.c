/* SPDX-License-Identifier: Apache-2.0 */
#include "wordbreak.h"

#include <stdint.h>
#include <unicode/ubrk.h>

#include "mem.h"

struct wordbreak {
	UBreakIterator *it;
	UText text;
	struct wordspan *v;
	size_t n, cap;
};

int wordbreak_open(struct wordbreak **out, struct err *e)
{
	UErrorCode status = U_ZERO_ERROR;
	UBreakIterator *it = ubrk_open(UBRK_WORD, "", NULL, 0, &status);        /* the root locale: the same words everywhere */
	struct wordbreak *b;

	*out = NULL;
	if (U_FAILURE(status))
		return err_set(e, SFT_SYSTEM, "ICU has no word boundaries: %s", u_errorName(status));
	b = mem_new(sizeof *b);
	b->it = it;
	b->text = (UText)UTEXT_INITIALIZER;
	*out = b;
	return 0;
}

void wordbreak_close(struct wordbreak *b)
{
	if (b == NULL)
		return;
	ubrk_close(b->it);
	utext_close(&b->text);
	mem_free(b->v);
	mem_free(b);
}

int wordbreak_words(struct wordbreak *b, const char *text, size_t n, const struct wordspan **v, size_t *count, struct err *e)
{
	UErrorCode status = U_ZERO_ERROR;
	int32_t from, to;

	b->n = 0;
	*count = 0;
	*v = NULL;
	if (n == 0)
		return 0;
	if (n > INT32_MAX)
		return err_set(e, SFT_BADDATA, "a text of 2 GiB or more (expected less, to cut words)");
	utext_openUTF8(&b->text, text, (int64_t)n, &status);
	ubrk_setUText(b->it, &b->text, &status);
	if (U_FAILURE(status))
		return err_set(e, SFT_SYSTEM, "ICU cannot cut words: %s", u_errorName(status));
	for (from = ubrk_first(b->it); (to = ubrk_next(b->it)) != UBRK_DONE; from = to)
		if (ubrk_getRuleStatus(b->it) >= UBRK_WORD_NONE_LIMIT) {
			ARRAY_ROOM(b->v, b->n, b->cap);
			b->v[b->n++] = (struct wordspan){ (size_t)from, (size_t)(to - from) };
		}
	*v = b->v;
	*count = b->n;
	return 0;
}
