/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of sft-terms, as JSON and as tables. */
#include <stdlib.h>
#include <string.h>

#include "terms.h"

void terms_replace_json(const struct terms *t, struct jw *w)
{
	uint64_t total = 0;

	jw_key(w, "terms");
	jw_uint(w, termset_count(t->set));
	jw_key(w, "changed");
	jw_uint(w, t->work[0].marked);
	jw_key(w, "replaced");
	jw_obj(w);
	for (uint32_t i = 0; i < termset_count(t->set); i++) {
		const struct term *term = termset_get(t->set, i);
		uint64_t all, variants;

		terms_found(t, i, &all, &variants);
		if (variants == 0)
			continue;
		total += variants;
		jw_key(w, term->form.text);
		jw_obj(w);
		for (uint32_t k = 0; k < term->nvariants; k++)
			if (t->work[0].form[t->base[i] + 1 + k]) {
				jw_key(w, term->variant[k].text);
				jw_uint(w, t->work[0].form[t->base[i] + 1 + k]);
			}
		jw_obj_end(w);
	}
	jw_obj_end(w);
	jw_key(w, "replacements");
	jw_uint(w, total);
}

void terms_check_json(const struct terms *t, struct jw *w)
{
	const struct termwork *sum = &t->work[0];

	jw_key(w, "terms");
	jw_uint(w, termset_count(t->set));
	jw_key(w, "faulty");
	jw_uint(w, sum->marked);
	jw_key(w, "faults");
	jw_obj(w);
	for (int k = 0; k < TERM_FAULTS; k++) {
		jw_key(w, term_fault_names[k]);
		jw_uint(w, sum->fault[k]);
	}
	jw_obj_end(w);
}

/* --- count --- */

struct row {
	const struct terms *t;
	uint32_t term;                 /* or the first of its class */
	uint64_t terms, met;           /* of a class: in the dictionary; in the records */
	uint64_t all, variants;
};

static const char *class_of(const struct row *r)
{
	return termset_get(r->t->set, r->term)->class;
}

static int by_count(const void *x, const void *y)
{
	const struct row *a = x, *b = y;

	if (a->all != b->all)
		return a->all > b->all ? -1 : 1;
	return (a->term > b->term) - (a->term < b->term);
}

/* A row a term that can be found, commonest first. */
static struct row *term_rows(const struct terms *t, size_t *n)
{
	struct row *row = mem_new(((size_t)termset_count(t->set) + 1) * sizeof *row);

	*n = 0;
	for (uint32_t i = 0; i < termset_count(t->set); i++) {
		struct row *r = &row[*n];

		if (termset_get(t->set, i)->variant_only)
			continue;
		*r = (struct row){ .t = t, .term = i, .terms = 1 };
		terms_found(t, i, &r->all, &r->variants);
		r->met = r->all > 0;
		++*n;
	}
	qsort(row, *n, sizeof *row, by_count);
	return row;
}

static void add_row(struct row *to, const struct row *r)
{
	to->terms += r->terms;
	to->met += r->met;
	to->all += r->all;
	to->variants += r->variants;
}

/* A row a class, in the order of the dictionary, and one for them all behind these. */
static struct row *class_rows(const struct terms *t, const struct row *row, size_t rows, size_t *n)
{
	struct strmap seen = {0};
	struct row *out = NULL, all = { .t = t };
	size_t cap = 0;

	*n = 0;
	for (uint32_t i = 0; i < termset_count(t->set); i++) {
		const char *class = termset_get(t->set, i)->class;
		bool added;

		strmap_put(&seen, class, strlen(class), *n, &added);
		if (!added)
			continue;
		ARRAY_ROOM(out, *n, cap);
		out[(*n)++] = (struct row){ .t = t, .term = i };
	}
	for (size_t i = 0; i < rows; i++) {
		const char *class = class_of(&row[i]);

		add_row(&out[strmap_find(&seen, class, strlen(class))->value], &row[i]);
		add_row(&all, &row[i]);
	}
	ARRAY_ROOM(out, *n, cap);
	out[*n] = all;
	strmap_free(&seen);
	return out;
}

/* Control characters never reach a terminal. */
static void cell(struct buf *out, const char *text)
{
	for (; *text; text++)
		buf_ch(out, (unsigned char)*text < ' ' || *text == 0x7F ? '?' : *text);
}

static void class_cells(struct buf *out, const char *name, const struct row *r)
{
	cell(out, name);
	buf_fmt(out, "\t%llu\t%llu\t%.4f\t%llu\t%llu\n", (unsigned long long)r->terms, (unsigned long long)r->met,
	        r->terms ? (double)r->met / (double)r->terms : 0.0, (unsigned long long)r->all, (unsigned long long)r->variants);
}

void terms_table(const struct terms *t, uint64_t top, struct buf *out)
{
	const struct termwork *sum = &t->work[0];
	size_t rows, classes;
	struct row *row = term_rows(t, &rows), *class = class_rows(t, row, rows, &classes);

	buf_str(out, "class\tterms\tmet\tcoverage\tfound\tvariants\n");
	for (size_t i = 0; i < classes; i++)
		if (classes > 1 || *class_of(&class[i]))
			class_cells(out, *class_of(&class[i]) ? class_of(&class[i]) : "(none)", &class[i]);
	class_cells(out, "(all)", &class[classes]);
	buf_fmt(out, "\nrecords\twith terms\n%llu\t%llu\n", (unsigned long long)sum->seen, (unsigned long long)sum->marked);
	buf_str(out, "\nterm\tclass\tfound\tvariants\trecords\n");
	for (size_t i = 0; i < rows && i < top && row[i].all; i++) {
		cell(out, termset_get(t->set, row[i].term)->form.text);
		buf_ch(out, '\t');
		cell(out, class_of(&row[i]));
		buf_fmt(out, "\t%llu\t%llu\t%llu\n", (unsigned long long)row[i].all, (unsigned long long)row[i].variants,
		        (unsigned long long)sum->records[row[i].term]);
	}
	mem_free(row);
	mem_free(class);
}

static void row_json(struct jw *w, const char *key, const char *name, const struct row *r, bool class)
{
	jw_obj(w);
	if (name) {
		jw_key(w, key);
		jw_str(w, name);
	}
	if (class) {
		jw_key(w, "terms");
		jw_uint(w, r->terms);
		jw_key(w, "met");
		jw_uint(w, r->met);
	} else {
		jw_key(w, "class");
		jw_str(w, class_of(r));
		jw_key(w, "records");
		jw_uint(w, r->t->work[0].records[r->term]);
	}
	jw_key(w, "found");
	jw_uint(w, r->all);
	jw_key(w, "variants");
	jw_uint(w, r->variants);
	jw_obj_end(w);
}

void terms_json(const struct terms *t, uint64_t top, struct buf *out)
{
	const struct termwork *sum = &t->work[0];
	size_t rows, classes;
	struct row *row = term_rows(t, &rows), *class = class_rows(t, row, rows, &classes);
	struct jw w;

	jw_init(&w, out);
	jw_obj(&w);
	jw_key(&w, "schema");
	jw_str(&w, "sft.terms/1");
	jw_key(&w, "records");
	jw_uint(&w, sum->seen);
	jw_key(&w, "with_terms");
	jw_uint(&w, sum->marked);
	jw_key(&w, "all");
	row_json(&w, NULL, NULL, &class[classes], true);
	jw_key(&w, "classes");
	jw_arr(&w);
	for (size_t i = 0; i < classes; i++)
		row_json(&w, "class", class_of(&class[i]), &class[i], true);
	jw_arr_end(&w);
	jw_key(&w, "top");
	jw_arr(&w);
	for (size_t i = 0; i < rows && i < top && row[i].all; i++)
		row_json(&w, "term", termset_get(t->set, row[i].term)->form.text, &row[i], false);
	jw_arr_end(&w);
	jw_obj_end(&w);
	buf_ch(out, '\n');
	mem_free(row);
	mem_free(class);
}
