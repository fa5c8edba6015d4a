/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TALK_H
#define SFT_TALK_H
/* A conversation being made: messages as JSON in an arena, whatever shape the record had. */
#include <stdbool.h>
#include <stddef.h>
#include "err.h"
#include "json.h"
#include "mem.h"

struct talk {
	struct json *m;             /* messages: objects */
	size_t n, cap;
	const struct json *tools;   /* NULL: none */
};

/* What is wrong with a record: a short constant reason to count by, and the message in E. */
struct fault {
	const char *reason;
	struct err *e;
};
int fault_set(struct fault *f, const char *reason, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* OBJ has no member COLUMN: "missing column", with the nearest that it has. */
int fault_no_column(struct fault *f, const struct json *obj, const char *column);

enum shape { SHAPE_AUTO, SHAPE_ALPACA, SHAPE_SHAREGPT, SHAPE_MESSAGES, SHAPE_PAIR, SHAPE_COLUMNS };

/* The shape that the fields of OBJ tell, or SHAPE_AUTO: none that is known. */
enum shape shape_of(const struct json *obj);
/* Is KEY a field that SHAPE turns into messages or tools? */
bool shape_takes(enum shape shape, const char *key);
/* The messages of OBJ in T (empty before), as it has SHAPE (not SHAPE_COLUMNS).  What is wrong is SFT_BADDATA with a reason in F. */
int shape_read(enum shape shape, const struct json *obj, struct json_parser *p, struct arena *a, struct talk *t, struct fault *f);

/* Builders; strings are borrowed. */
struct json jtext(const char *s, size_t n);
struct json jobject(struct arena *a, const struct json_member *m, size_t n);
struct json jarray(struct arena *a, const struct json *v, size_t n);
#define JMEMBER(key, value) ((struct json_member){ (key), sizeof(key) - 1, (value) })
/* OBJ with member KEY set to VALUE: replaced, or added at the end. */
struct json jwith(struct arena *a, const struct json *obj, const char *key, struct json value);

void talk_add(struct talk *t, struct arena *a, const char *role, struct json content);
void talk_put(struct talk *t, struct arena *a, struct json message);          /* at the end */
void talk_first(struct talk *t, struct arena *a, struct json message);        /* at the beginning */
/* The number of the first message with ROLE, or T->n. */
size_t talk_find(const struct talk *t, const char *role);
/* The content of message I where it is a string, else NULL. */
const struct json *talk_text(const struct talk *t, size_t i);

#endif
