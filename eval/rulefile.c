/* SPDX-License-Identifier: Apache-2.0 */
#include "rulefile.h"

#include <string.h>

#include "rec.h"

static struct text column(const struct rec *r, const char *name)
{
	int at = rec_column(r->names, name);
	const struct field *f = at >= 0 ? &r->f[at] : NULL;

	if (f == NULL || f->p == NULL || (f->type == FIELD_JSON && f->n == 4 && memcmp(f->p, "null", 4) == 0))
		return (struct text){ "", 0 };
	return (struct text){ f->p, f->n };
}

static int add_rule(struct compliance_rules *rules, const struct rec *r, struct err *e)
{
	uint32_t at;
	int rc;

	if ((rc = rec_need(r->names, "rule", &at, e)) != 0 || (rc = rec_need(r->names, "pattern", &at, e)) != 0)
		return err_set(e, SFT_BADDATA, "%s: expected the columns rule and pattern (class, name)", e->msg);
	return compliance_add(rules, column(r, "class"), column(r, "rule"), column(r, "pattern"), column(r, "name"), e);
}

int rulefile_read(struct compliance_rules *rules, const char *path, const struct tool *t, struct err *e)
{
	struct rec_opts o;
	struct recin *in;
	struct rec *r;
	int rc;

	rec_opts_init(&o);
	if ((rc = rec_open(&in, &path, 1, &o, t, e)) != 0)
		return rc;
	while ((rc = rec_read(in, &r, e)) == 0 && r)
		if ((rc = add_rule(rules, r, e)) != 0) {
			err_in(e, "%s:%llu", r->file, (unsigned long long)r->line);
			break;
		}
	if (rc) {
		rec_abandon(in);
		return rc;
	}
	if ((rc = rec_close(in, e)) == 0 && rules->n == 0)
		rc = err_set(e, SFT_BADDATA, "%s: no rules (expected at least one)", path);
	return rc;
}
