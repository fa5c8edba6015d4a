/* SPDX-License-Identifier: Apache-2.0 */
#include "hans.h"

#include <opencc/opencc.h>
#include <stdint.h>
#include <string.h>

#include "utf8.h"

enum { TRADITIONAL = 1, SIMPLIFIED = 2 };

/* The planes that hold ideographs, up to the end of the third; a NUL, surrogates and line breaks are none. */
enum { FIRST = 0x2E80, END = 0x32400 };

struct hans {
	opencc_t t2s, tw2sp, hk2s;
	uint8_t kind[END];             /* by code point */
};

static const opencc_t none = (opencc_t)-1;

static bool ideograph(uint32_t c)
{
	return (c >= FIRST && c < 0xA000) || (c >= 0xF900 && c < 0xFB00) || c >= 0x20000;
}

/* OpenCC 1.1.6 makes U+64E1 of U+62AC, and U+6F68 of U+6F40, on its way through the forms of Taiwan and Hong Kong, and none of its tables
 * leads back.  The mainland's standard writes the latter. */
static void repair(char *s, size_t n)
{
	static const char *const wrong[][2] = { { "\u64E1", "\u62AC" }, { "\u6F68", "\u6F40" } };

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		for (char *p = s; (p = memmem(p, n - (size_t)(p - s), wrong[i][0], 3)) != NULL; p += 3)
			memcpy(p, wrong[i][1], 3);
}

/* The N bytes at S, which hold no NUL, through ONE of the conversions; appended to OUT. */
static int convert(opencc_t one, const char *s, size_t n, struct buf *out, struct err *e)
{
	char *made = n ? opencc_convert_utf8(one, s, n) : NULL;

	if (n && made == NULL)
		return err_set(e, SFT_SYSTEM, "OpenCC failed on a text of %zu bytes", n);
	if (made) {
		repair(made, strlen(made));
		buf_str(out, made);
	}
	opencc_convert_utf8_free(made);
	return 0;
}

/* Every ideograph by itself through ONE: those that become another are of KIND. */
static int mark(struct hans *h, opencc_t one, int kind, struct err *e)
{
	struct buf list = {0}, made = {0};
	const char *a, *b, *end;
	int rc;

	for (uint32_t c = FIRST; c < END; c++)
		if (ideograph(c)) {
			char *p = buf_room(&list, 5);
			size_t n = utf8_put(p, c);

			p[n] = '\n';
			list.n += n + 1;
		}
	if ((rc = convert(one, list.p, list.n, &made, e)) == 0) {
		a = list.p;
		b = made.p;
		for (end = list.p + list.n; a < end; a++, b++) {
			uint32_t was = utf8_get(&a), is = utf8_get(&b);

			h->kind[was] |= was != is ? kind : 0;
			while (*b != '\n')
				b++;
		}
	}
	buf_free(&list);
	buf_free(&made);
	return rc;
}

static int open_one(opencc_t *one, const char *name, struct err *e)
{
	*one = opencc_open(name);
	return *one == none ? err_set(e, SFT_SYSTEM, "OpenCC cannot open %s: %.200s", name, opencc_error()) : 0;
}

static void close_one(opencc_t one)
{
	if (one != none)
		opencc_close(one);
}

int hans_open(struct hans **out, struct err *e)
{
	struct hans *h = mem_new(sizeof *h);
	opencc_t back = none;
	int rc;

	h->t2s = h->tw2sp = h->hk2s = none;
	if ((rc = open_one(&h->t2s, "t2s.json", e)) == 0 && (rc = open_one(&h->tw2sp, "tw2sp.json", e)) == 0 &&
	    (rc = open_one(&h->hk2s, "hk2s.json", e)) == 0 && (rc = open_one(&back, "s2t.json", e)) == 0 &&
	    (rc = mark(h, h->t2s, TRADITIONAL, e)) == 0 && (rc = mark(h, h->hk2s, TRADITIONAL, e)) == 0)
		rc = mark(h, back, SIMPLIFIED, e);
	close_one(back);
	if (rc != 0) {
		hans_close(h);
		h = NULL;
	}
	*out = h;
	return rc;
}

void hans_close(struct hans *h)
{
	if (h == NULL)
		return;
	close_one(h->t2s);
	close_one(h->tw2sp);
	close_one(h->hk2s);
	mem_free(h);
}

/* Characters that are traditional alone, and more of them than simplified ones (*MORE)? */
static bool traditional(const struct hans *h, const char *s, size_t n, bool *more)
{
	const char *end = s + n;
	size_t t = 0, k = 0;

	while (s < end) {
		uint32_t c = utf8_get(&s);

		if (c < FIRST || c >= END)
			continue;
		t += h->kind[c] == TRADITIONAL;
		k += h->kind[c] == SIMPLIFIED;
	}
	*more = t >= k;
	return t > 0;
}

/* A piece without NULs, which OpenCC takes for the end. */
static int simplify(const struct hans *h, const char *s, size_t n, bool regional, struct buf *out, struct err *e)
{
	struct buf made = {0};
	int rc;

	if (!regional)
		return convert(h->t2s, s, n, out, e);
	if ((rc = convert(h->tw2sp, s, n, &made, e)) == 0)
		rc = convert(h->hk2s, made.p, made.n, out, e);
	buf_free(&made);
	return rc;
}

int hans_simplify(const struct hans *h, const char *s, size_t n, struct buf *out, bool *changed, struct err *e)
{
	const char *p = s, *end = s + n;
	size_t before = out->n;
	bool regional;
	int rc;

	*changed = false;
	if (!traditional(h, s, n, &regional))
		return 0;
	for (;;) {
		const char *nul = memchr(p, '\0', (size_t)(end - p)), *stop = nul ? nul : end;

		if ((rc = simplify(h, p, (size_t)(stop - p), regional, out, e)) != 0)
			return rc;
		if (nul == NULL)
			break;
		buf_add(out, nul, 1);
		p = nul + 1;
	}
	*changed = out->n - before != n || memcmp(out->p + before, s, n) != 0;
	if (!*changed)
		out->n = before;
	return 0;
}
