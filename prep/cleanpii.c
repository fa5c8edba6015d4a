/* SPDX-License-Identifier: Apache-2.0 */
/* --mask-pii. */
#include "clean.h"

static int parse_mask(struct clean *c, struct step *s, const char *value, struct err *e)
{
	(void)s, (void)value, (void)e;
	c->masks = true;
	return 0;
}

static enum verdict mask(const struct step *s, const struct bound *b, struct work *w, struct rec *r)
{
	enum verdict v = CLEAN_SAME;

	(void)s;
	for (size_t i = 0; i < b->n; i++) {
		struct field *f = b->col[i] == NO_COLUMN ? NULL : &r->f[b->col[i]];

		if (f == NULL)
			continue;
		w->scratch.n = 0;
		if (!(f->type == FIELD_JSON ? pii_mask_json : pii_mask)(&w->pii, f->p, f->n, &w->scratch))
			continue;
		f->n = w->scratch.n;
		f->p = arena_str(w->arena, w->scratch.p, f->n);
		v = CLEAN_CHANGED;
	}
	return v;
}

const struct step_kind clean_pii_kinds[] = {
	{ .name = "mask-pii", .help = "[CARD], [ID], [PHONE], [EMAIL], [IBAN] for what is one", .columns = COLUMNS_DEFAULT,
	  .whole = true, .parse = parse_mask, .apply = mask },
	{ .name = NULL }
};
