/* SPDX-License-Identifier: Apache-2.0 */
#include "formatted.h"


struct formatted_run {
	const struct names *names;
	size_t end;                    /* of its bytes in the text */
	uint64_t records;
};

void formatted_clear(struct formatted *f)
{
	f->text.n = f->n = 0;
}

void formatted_free(struct formatted *f)
{
	buf_free(&f->text);
	mem_free(f->run);
}

int formatted_add(struct formatted *f, struct recout *out, const struct rec *r, struct err *e)
{
	int rc = rec_format_record(out, r, &f->text, e);

	if (rc != 0)
		return rc;
	if (f->n == 0 || f->run[f->n - 1].names != r->names) {
		ARRAY_ROOM(f->run, f->n, f->cap);
		f->run[f->n++] = (struct formatted_run){ r->names, 0, 0 };
	}
	f->run[f->n - 1].end = f->text.n;
	f->run[f->n - 1].records++;
	return 0;
}

int formatted_put(const struct formatted *f, struct recout *out, struct err *e)
{
	size_t from = 0;
	int rc = 0;

	for (size_t i = 0; i < f->n && rc == 0; i++) {
		const struct formatted_run *r = &f->run[i];

		rc = rec_put(out, r->names, f->text.p + from, r->end - from, r->records, e);
		from = r->end;
	}
	return rc;
}
