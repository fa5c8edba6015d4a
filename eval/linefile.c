/* SPDX-License-Identifier: Apache-2.0 */
#include "linefile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "utf8.h"

struct linefile {
	FILE *f;
	const char *path;
	char *line;
	size_t cap;
	uint64_t n;
};

int linefile_open(struct linefile **out, const char *path, struct err *e)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");

	*out = NULL;
	if (f == NULL)
		return err_sys(e, path);
	*out = mem_new(sizeof **out);
	(*out)->f = f;
	(*out)->path = path;
	return 0;
}

int linefile_next(struct linefile *f, struct text *line, bool *more, struct err *e)
{
	ssize_t n;
	size_t bad;
	char *p;

	errno = 0;
	n = getline(&f->line, &f->cap, f->f);
	*more = n >= 0;
	if (n < 0)
		return ferror(f->f) || errno == ENOMEM ? err_sys(e, f->path) : 0;
	p = f->line;
	f->n++;
	if (n && p[n - 1] == '\n')
		n--;
	if (f->n == 1 && n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
		p += 3;
		n -= 3;
	}
	if (!utf8_valid(p, (size_t)n, &bad))
		return err_set(e, SFT_BADDATA, "%s:%llu: byte %zu of the line is not UTF-8", f->path, (unsigned long long)f->n, bad + 1);
	*line = (struct text){ p, (size_t)n };
	return 0;
}

uint64_t linefile_lines(const struct linefile *f)
{
	return f->n;
}

const char *linefile_path(const struct linefile *f)
{
	return f->path;
}

void linefile_close(struct linefile *f)
{
	if (f == NULL)
		return;
	if (f->f != stdin)
		fclose(f->f);
	free(f->line);
	mem_free(f);
}
