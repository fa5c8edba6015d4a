/* SPDX-License-Identifier: Apache-2.0 */
#include "keycols.h"

#include <string.h>


void wordlist_add(struct wordlist *w, const char *word)
{
	ARRAY_ROOM(w->v, w->n, w->cap);
	w->v[w->n++] = word;
}

void wordlist_split(struct wordlist *w, const char *list, struct arena *a)
{
	const char *s = list;

	do {
		char *word = arena_get(a, strlen(s) + 1), *to = word;

		for (; *s && *s != ','; s++) {
			if (*s == '\\' && (s[1] == ',' || s[1] == '\\'))
				s++;
			*to++ = *s;
		}
		*to = '\0';
		wordlist_add(w, word);
	} while (*s++);
}

int err_at(struct err *e, const struct recin *in, const struct rec *r)
{
	const char *file = strcmp(r->file, "-") == 0 ? "standard input" : r->file;

	if (rec_names(in))
		return err_in(e, "%s", file);
	return err_in(e, "%s:%llu", file, (unsigned long long)r->line);
}

/* Column NAME, or what is before its last colon; *ROLE: what is behind it. */
static int column_and_role(const struct names *names, const char *name, const char **role)
{
	const char *colon = strrchr(name, ':');
	int at = rec_column(names, name);

	*role = NULL;
	if (at >= 0 || colon == NULL)
		return at;
	for (uint32_t i = 0; i < names->n; i++)
		if (names->len[i] == (size_t)(colon - name) && memcmp(names->name[i], name, names->len[i]) == 0) {
			*role = colon + 1;
			return (int)i;
		}
	return -1;
}

int columns_find(const struct wordlist *w, const struct names *names, bool missing_ok, uint32_t *col, const char **role, size_t *n, struct err *e)
{
	*n = w->n ? w->n : names->n;
	for (size_t i = 0; i < *n; i++) {
		int at = (int)i;

		if (role)
			role[i] = NULL;
		if (w->n)
			at = role ? column_and_role(names, w->v[i], &role[i]) : rec_column(names, w->v[i]);

		if (at < 0 && !missing_ok)
			return rec_need(names, w->v[i], &col[i], e);
		col[i] = at < 0 ? NO_COLUMN : (uint32_t)at;
	}
	return 0;
}

/* --- keys --- */

void keyer_init(struct keyer *k, const struct wordlist *w, bool missing_ok)
{
	*k = (struct keyer){ .words = w, .missing_ok = missing_ok };
}

void keyer_release(struct keyer *k)
{
	mem_free(k->col);
	buf_free(&k->text);
}

int keyer_columns(struct keyer *k, const struct names *names, struct err *e)
{
	size_t room = k->words->n > names->n ? k->words->n : names->n;
	int rc;

	if (k->names == names)
		return 0;
	k->names = NULL;
	k->col = mem_grow(k->col, room + 1, sizeof *k->col);
	if ((rc = columns_find(k->words, names, k->missing_ok, k->col, NULL, &k->n, e)) != 0)
		return rc;
	k->names = names;
	k->seed = 0;
	for (size_t i = 0; k->words->n == 0 && i < names->n; i++)
		k->seed = hash64(names->name[i], names->len[i], k->seed + 1);
	return 0;
}

/* The bytes to hash: one value as it stands, several with their lengths before them. */
static int key_text(struct keyer *k, const struct rec *r, const char **p, size_t *n, struct err *e)
{
	int rc;

	if ((rc = keyer_columns(k, r->names, e)) != 0)
		return rc;
	if (k->n == 1) {
		*p = k->col[0] == NO_COLUMN ? "" : r->f[k->col[0]].p;
		*n = k->col[0] == NO_COLUMN ? 0 : r->f[k->col[0]].n;
		return 0;
	}
	k->text.n = 0;
	for (size_t i = 0; i < k->n; i++) {
		const struct field *f = k->col[i] == NO_COLUMN ? NULL : &r->f[k->col[i]];
		uint64_t len = f ? f->n : 0;

		buf_add(&k->text, &len, sizeof len);
		if (len)
			buf_add(&k->text, f->p, len);
	}
	*p = k->text.p ? k->text.p : "";
	*n = k->text.n;
	return 0;
}

int keyer_128(struct keyer *k, const struct rec *r, struct hash128 *out, struct err *e)
{
	const char *p;
	size_t n;
	int rc;

	if ((rc = key_text(k, r, &p, &n, e)) == 0)
		*out = hash128(p, n, k->seed);
	return rc;
}

/* Each value is hashed with the hash of those before it as the seed: 64 bits lose nothing by that, and nothing is copied. */
int keyer_64(struct keyer *k, const struct rec *r, uint64_t seed, uint64_t *out, struct err *e)
{
	uint64_t h;
	int rc;

	if ((rc = keyer_columns(k, r->names, e)) != 0)
		return rc;
	h = seed + k->seed;
	for (size_t i = 0; i < k->n; i++) {
		const struct field *f = k->col[i] == NO_COLUMN ? NULL : &r->f[k->col[i]];

		h = f ? hash64(f->p, f->n, h) : hash64("", 0, h);
	}
	*out = h;
	return 0;
}

int keyer_field(struct keyer *k, const struct rec *r, struct field *out, struct err *e)
{
	int rc;

	if ((rc = keyer_columns(k, r->names, e)) != 0)
		return rc;
	*out = k->n && k->col[0] != NO_COLUMN ? r->f[k->col[0]] : (struct field){ "", 0, FIELD_TEXT };
	return 0;
}
