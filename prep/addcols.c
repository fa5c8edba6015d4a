/* SPDX-License-Identifier: Apache-2.0 */
#include "addcols.h"

#include <string.h>

void addcols_init(struct addcols *c, const char *const *name, size_t n)
{
	memset(c, 0, sizeof *c);
	c->name = name;
	c->n = n;
	pthread_mutex_init(&c->lock, NULL);
}

void addcols_release(struct addcols *c)
{
	namesets_free(&c->sets);
	pthread_mutex_destroy(&c->lock);
}

const struct names *addcols_names(struct addcols *c, const struct names *in)
{
	const struct names *out;
	struct name *list;
	size_t n;

	if (in == NULL)
		return NULL;
	list = mem_new((in->n + c->n + 1) * sizeof *list);
	for (n = 0; n < in->n; n++)
		list[n] = (struct name){ in->name[n], in->len[n] };
	for (size_t i = 0; i < c->n; i++)
		if (rec_column(in, c->name[i]) < 0)
			list[n++] = (struct name){ c->name[i], strlen(c->name[i]) };
	pthread_mutex_lock(&c->lock);
	out = names_get(&c->sets, list, n);
	pthread_mutex_unlock(&c->lock);
	mem_free(list);
	return out;
}

void addcols_set(struct addcols *c, struct addcols_last *l, const struct rec *r, const struct field *more, struct arena *a, struct rec *out)
{
	if (l->in != r->names) {
		l->in = r->names;
		l->out = addcols_names(c, r->names);
		l->at = mem_grow(l->at, c->n + 1, sizeof *l->at);
		for (size_t i = 0; i < c->n; i++)
			l->at[i] = (uint32_t)rec_column(l->out, c->name[i]);
	}
	*out = *r;
	out->names = l->out;
	out->f = arena_get(a, l->out->n * sizeof *out->f);
	memcpy(out->f, r->f, r->names->n * sizeof *out->f);
	for (size_t i = 0; i < c->n; i++)
		out->f[l->at[i]] = more[i];
}
