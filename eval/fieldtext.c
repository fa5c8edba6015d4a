/* SPDX-License-Identifier: Apache-2.0 */
#include "fieldtext.h"

#include <string.h>

bool field_absent(const struct field *f)
{
	return f->p == NULL || f->n == 0 || (f->type == FIELD_JSON && f->n == 4 && memcmp(f->p, "null", 4) == 0);
}

struct text field_text(const struct rec *r, int at)
{
	if (at < 0 || field_absent(&r->f[at]))
		return (struct text){ "", 0 };
	return text_strip((struct text){ r->f[at].p, r->f[at].n });
}

struct text file_stem(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash && slash[1] ? slash + 1 : path, *dot;
	size_t n = strlen(name);

	if (n > 3 && strcmp(name + n - 3, ".gz") == 0)
		n -= 3;
	else if (n > 4 && strcmp(name + n - 4, ".zst") == 0)
		n -= 4;
	dot = memrchr(name, '.', n);
	return (struct text){ name, dot && dot > name ? (size_t)(dot - name) : n };
}
