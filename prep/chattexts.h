/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_CHATTEXTS_H
#define SFT_CHATTEXTS_H
/* The texts of a list of messages: what steps on text see of a chat record.
 *
 * A column is such a list where it is a JSON array of objects; its texts are their `content`s, as far as these are strings, of all
 * messages or of those of one role (a column that is named NAME:ROLE; see columns_find()). */
#include <stdbool.h>
#include <stddef.h>

#include "json.h"
#include "rec.h"

/* What a thread works with; zeroed it is ready. */
struct chattexts {
	struct json_parser *parser;
	struct field *text;            /* n texts, in order: a caller may point them elsewhere */
	const struct json **was;       /* as they came, in the arena given last */
	size_t n, cap, cap_was;
	struct buf out;
};
void chattexts_release(struct chattexts *c);

/* The texts of F in C->text, those of ROLE alone where it is not NULL.  False, and none, where F is no list of messages. */
bool chattexts_get(struct chattexts *c, const struct field *f, const char *role, struct arena *a);
/* F, which the texts came from, with the texts as they are now; whatever else stands there stays as it was written. */
void chattexts_put(struct chattexts *c, struct field *f, struct arena *a);

#endif
