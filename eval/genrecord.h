/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_GENRECORD_H
#define SFT_GENRECORD_H
/* Records on their way through generate: what the model is asked, and the record that comes out. */
#include <stdbool.h>
#include "json.h"
#include "mem.h"
#include "rec.h"

/* R's fields as a JSON object in A. */
int genrecord_json(const struct rec *r, struct json_parser *p, struct arena *a, const struct json **out, struct err *e);

/* The question in RECORD: the object with "messages" but for the assistant messages at their end, whose contents are *REFERENCE: one value,
 * an array where there are several, NULL where there is none.  SFT_BADDATA: no messages, or none before the answer. */
int genrecord_question(const struct json *record, struct arena *a, const struct json **question, const struct json **reference, struct err *e);

/* What is added to a record: name and JSON text. */
struct genfield {
	const char *name;
	struct field value;
};

/* Output records: names are kept for as long as the stream, one set for each set that came and that was added. */
struct genout {
	struct genout_names {
		const struct names *from;
		uint32_t added;         /* bits of FIELD that were given */
		struct names names;
		uint32_t *source;       /* [names.n]: field of the input, or from->n + number in FIELD */
	} **set;                    /* each by itself: records point to their names */
	size_t n, cap;
};
/* R with FIELD [n <= 32] put over fields of the same name or at the end; those with a NULL name are not given.  *OUT's fields are A's. */
void genout_record(struct genout *g, const struct rec *r, const struct genfield *field, uint32_t n, struct arena *a, struct rec *out);
void genout_free(struct genout *g);

#endif
