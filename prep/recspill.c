/* SPDX-License-Identifier: Apache-2.0 */
#include "recspill.h"

#include <string.h>

/* Before each record; then for each field a word (length << 1 | is JSON), then the bytes of all of them. */
struct head {
	uint64_t bytes;                /* of what follows */
	uint64_t num, line;
	uint32_t names, file;
};

void recspill_init(struct recspill *s, const char *dir)
{
	memset(s, 0, sizeof *s);
	s->to = scratch_new(dir);
}

void recspill_release(struct recspill *s)
{
	scratch_free(s->to);
	mem_free(s->names);
	mem_free(s->file);
}

/* Neighbours mostly share both, so looking from the end is quick. */
static uint32_t names_number(struct recspill *s, const struct names *names)
{
	for (size_t i = s->nnames; i-- > 0; )
		if (s->names[i] == names)
			return (uint32_t)i;
	ARRAY_ROOM(s->names, s->nnames, s->names_cap);
	s->names[s->nnames] = names;
	return (uint32_t)s->nnames++;
}

static uint32_t file_number(struct recspill *s, const char *file)
{
	for (size_t i = s->nfiles; i-- > 0; )
		if (s->file[i] == file)
			return (uint32_t)i;
	ARRAY_ROOM(s->file, s->nfiles, s->files_cap);
	s->file[s->nfiles] = file;
	return (uint32_t)s->nfiles++;
}

int recspill_put(struct recspill *s, const struct rec *r, struct buf *b, struct err *e)
{
	struct head h = { 0, r->num, r->line, names_number(s, r->names), file_number(s, r->file) };

	b->n = 0;
	buf_add(b, &h, sizeof h);
	for (uint32_t i = 0; i < r->names->n; i++) {
		uint64_t word = (uint64_t)r->f[i].n << 1 | (r->f[i].type == FIELD_JSON);

		buf_add(b, &word, sizeof word);
	}
	for (uint32_t i = 0; i < r->names->n; i++)
		buf_add(b, r->f[i].p, r->f[i].n);
	h.bytes = b->n - sizeof h;
	memcpy(b->p, &h, sizeof h);
	return scratch_write(s->to, b->p, b->n, e);
}

int recspill_rewind(struct recspill *s, struct err *e)
{
	return scratch_rewind(s->to, e);
}

/* R from its head and what follows. */
static void unpack(const struct recspill *s, const struct head *h, const char *words, struct rec *r, struct arena *a)
{
	const char *text;

	*r = (struct rec){ .names = s->names[h->names], .file = s->file[h->file], .num = h->num, .line = h->line };
	r->f = arena_get(a, (r->names->n + 1) * sizeof *r->f);
	text = words + 8 * (size_t)r->names->n;
	for (uint32_t i = 0; i < r->names->n; i++) {
		uint64_t word;

		memcpy(&word, words + 8 * (size_t)i, sizeof word);
		r->f[i] = (struct field){ text, (size_t)(word >> 1), word & 1 ? FIELD_JSON : FIELD_TEXT };
		text += word >> 1;
	}
}

int recspill_get(struct recspill *s, struct rec *r, struct arena *a, bool *more, struct err *e)
{
	struct head h;
	const void *p;
	int rc;

	*more = scratch_left(s->to) != 0;
	if (!*more)
		return 0;
	if ((rc = scratch_read(s->to, sizeof h, &p, e)) != 0)
		return rc;
	memcpy(&h, p, sizeof h);
	if ((rc = scratch_read(s->to, (size_t)h.bytes, &p, e)) != 0)
		return rc;
	unpack(s, &h, p, r, a);
	return 0;
}

uint64_t recspill_place(const struct recspill *s)
{
	return scratch_size(s->to);
}

int recspill_at(struct recspill *s, uint64_t place, struct rec *r, struct arena *a, struct err *e)
{
	struct head h;
	char *p;
	int rc;

	if ((rc = scratch_at(s->to, place, sizeof h, &h, e)) != 0)
		return rc;
	p = arena_get(a, (size_t)h.bytes + 1);
	if ((rc = scratch_at(s->to, place + sizeof h, (size_t)h.bytes, p, e)) == 0)
		unpack(s, &h, p, r, a);
	return rc;
}
