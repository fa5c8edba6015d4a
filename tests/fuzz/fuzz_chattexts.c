/* SPDX-License-Identifier: Apache-2.0 */
/* Any JSON as a list of messages: contents that are not touched leave every byte as it was; those that are changed read back changed. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "chattexts.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is(const struct field *f, const char *text, size_t n)
{
	return f->n == n && memcmp(f->p, text, n) == 0;
}

static void change(struct chattexts *c, struct field f, const char *role, struct arena *a)
{
	static const char other[] = "\"\\\n\0 other";
	size_t n;

	if (!chattexts_get(c, &f, role, a))
		return;
	n = c->n;
	for (size_t i = 0; i < n; i += 2)
		c->text[i] = (struct field){ other, sizeof other - 1, FIELD_TEXT };
	chattexts_put(c, &f, a);
	if (!chattexts_get(c, &f, role, a) || c->n != n)
		abort();
	for (size_t i = 0; i < n; i += 2)
		if (!is(&c->text[i], other, sizeof other - 1))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct field f = { (const char *)data, size, FIELD_JSON }, was = f;
	struct chattexts c = {0};
	struct arena a;

	arena_init(&a);
	if (size && utf8_valid(f.p, f.n, NULL) && chattexts_get(&c, &f, NULL, &a)) {
		chattexts_put(&c, &f, &a);
		if (!is(&f, was.p, was.n))
			abort();
		change(&c, was, NULL, &a);
		change(&c, was, "user", &a);
	}
	chattexts_release(&c);
	arena_release(&a);
	return 0;
}
