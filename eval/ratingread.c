/* SPDX-License-Identifier: Apache-2.0 */
#include "ratingread.h"

#include <string.h>

#include "fieldtext.h"
#include "ratingimport.h"

struct table_reader {
	struct rating_table *r;
	const struct rating_opts *o;
	const struct names *names;      /* the columns below are theirs */
	uint32_t item_col, rater_col, label_col, *wide;
	int wide_item;
	size_t nwide;
	struct rating *row;             /* nwide, of one record */
	struct arena arena;
};

static struct text text_of(const struct field *f)
{
	return (struct text){ f->p ? f->p : "", f->n };
}

/* --- wide --- */

static int wide_columns(struct table_reader *d, const struct names *names, struct err *e)
{
	int rc;

	if (d->names == names)
		return 0;
	if ((rc = rec_need_list(names, d->o->raters, &d->wide, &d->nwide, &d->arena, e)) != 0)
		return rc;
	if (d->nwide < 2)
		return err_set(e, SFT_USAGE, "--raters names one column (agreement needs two raters)");
	for (size_t k = 0; k < d->nwide; k++)
		if (rating_rater(d->r, (struct text){ names->name[d->wide[k]], names->len[d->wide[k]] }) != k)
			return err_set(e, SFT_USAGE, "--raters: '%s' stands there twice", names->name[d->wide[k]]);
	d->wide_item = -1;
	if (d->o->item) {
		if ((rc = rec_need(names, d->o->item, &d->item_col, e)) != 0)
			return rc;
		d->wide_item = (int)d->item_col;
	}
	d->row = arena_get(&d->arena, d->nwide * sizeof *d->row);
	d->names = names;
	return 0;
}

static int wide_record(struct table_reader *d, const struct rec *rec, struct err *e)
{
	uint32_t before = d->r->items;
	size_t n = 0;
	int rc = wide_columns(d, rec->names, e);

	if (rc)
		return rc;
	if (d->wide_item >= 0) {
		struct text name = text_of(&rec->f[d->wide_item]);

		if (rating_item(d->r, name) < before)
			return err_set(e, SFT_BADDATA, "item '%.*s' stands in two records (expected one record an item in a wide table)", (int)name.n, name.p);
	} else {
		rating_next_item(d->r);
	}
	for (size_t k = 0; k < d->nwide; k++)
		if (!field_absent(&rec->f[d->wide[k]]))
			d->row[n++] = (struct rating){ (uint32_t)k, rating_label(d->r, text_of(&rec->f[d->wide[k]]), rec->file, rec->line) };
	rating_row(d->r, d->row, n);
	return 0;
}

/* --- long --- */

static int long_record(struct table_reader *d, const struct rec *rec, struct err *e)
{
	const struct field *item, *rater;
	uint32_t item_at, rater_at;
	int rc;

	if (d->names != rec->names) {
		if ((rc = rec_need(rec->names, d->o->item, &d->item_col, e)) != 0 || (rc = rec_need(rec->names, d->o->label, &d->label_col, e)) != 0)
			return rc;
		if (d->o->rater && (rc = rec_need(rec->names, d->o->rater, &d->rater_col, e)) != 0)
			return rc;
		d->names = rec->names;
	}
	item = &rec->f[d->item_col];
	if (field_absent(item))
		return err_set(e, SFT_BADDATA, "'%s' is empty (expected the name of an item)", d->o->item);
	rater = d->o->rater ? &rec->f[d->rater_col] : NULL;
	if (rater && field_absent(rater))
		return err_set(e, SFT_BADDATA, "'%s' is empty (expected the name of a rater)", d->o->rater);
	item_at = rating_item(d->r, text_of(item));
	rater_at = rater ? rating_rater(d->r, text_of(rater)) : 0;
	if (!field_absent(&rec->f[d->label_col]))
		rating_add(d->r, item_at, rater_at, text_of(&rec->f[d->label_col]), rec->file, rec->line);
	return 0;
}

/* --- all --- */

bool ratings_anonymous(const struct rating_opts *o)
{
	return o->source == RATINGS_TABLE && !o->raters && !o->rater;
}

static int check_columns(const struct rating_opts *o, struct err *e)
{
	if (o->source == RATINGS_LABEL_STUDIO && (o->raters || o->rater))
		return err_set(e, SFT_USAGE, "--raters and --rater are for tables (a Label Studio export says who completed an annotation)");
	if (o->source == RATINGS_DOCCANO && o->raters)
		return err_set(e, SFT_USAGE, "--raters is for tables (doccano exports a file for each member)");
	if (o->source == RATINGS_TABLE && (o->raters ? o->label || o->rater : !o->item || !o->label))
		return err_set(e, SFT_USAGE, "name the columns: --item, --rater and --label of a long table, or --raters COL,... of a wide one");
	return 0;
}

int ratings_read(struct rating_table *r, struct recin *in, const struct rating_opts *o, struct err *e)
{
	struct table_reader d = { .r = r, .o = o };
	struct rating_import *import;
	struct rec *rec;
	int rc = check_columns(o, e);

	if (rc)
		return rc;
	arena_init(&d.arena);
	import = o->source == RATINGS_TABLE ? NULL : rating_import_new(r, o);
	while ((rc = rec_read(in, &rec, e)) == 0 && rec) {
		rc = import ? rating_import_record(import, rec, e) : o->raters ? wide_record(&d, rec, e) : long_record(&d, rec, e);
		if (rc) {
			rc = rc == SFT_BADDATA ? err_in(e, "%s:%llu", rec->file, (unsigned long long)rec->line) : rc;
			break;
		}
	}
	rating_import_free(import);
	arena_release(&d.arena);
	return rc;
}
