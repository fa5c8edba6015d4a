/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_JSON_H
#define SFT_JSON_H
/* JSON, read and written.  json.cc is the door to simdjson; nothing else includes it.
 *
 * A parsed document is a tree of struct json in an arena: valid until the arena is reset, never
 * freed node by node.  Numbers keep their text, so that a value that is passed on is the value that came. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "mem.h"

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUM, JSON_STR, JSON_ARR, JSON_OBJ };

struct json_member;

struct json {
	enum json_type type;
	bool b;                              /* JSON_BOOL */
	size_t n;                            /* bytes of s, items of an array, members of an object */
	union {
		const char *s;                   /* JSON_STR: UTF-8, unescaped, NUL-terminated (may hold NULs: n counts);
		                                    JSON_NUM: the number as written */
		const struct json *item;         /* JSON_ARR */
		const struct json_member *member;/* JSON_OBJ, in the order of the text */
	};
	const char *raw;                     /* this value as it stood in the text given to json_parse (borrowed) */
	size_t nraw;
};

struct json_member {
	const char *key;
	size_t nkey;
	struct json value;
};

/* Parse one document of N bytes.  At most 512 levels; lone surrogates, invalid UTF-8, duplicate keys of one object,
 * anything after the document: SFT_BADDATA, with "byte OFFSET: what" as the message.
 * Thread-safe: parsers are kept in *P, one per thread (json_parser_new). */
struct json_parser;
struct json_parser *json_parser_new(void);
void json_parser_free(struct json_parser *p);
int json_parse(struct json_parser *p, struct arena *a, const char *text, size_t n, const struct json **out, struct err *e);

/* The whole file PATH as one document; the text is kept in the arena too. */
int json_file(struct arena *a, const char *path, const struct json **out, struct err *e);

/* Member KEY of an object; NULL where V is NULL, is no object or has none. */
const struct json *json_get(const struct json *v, const char *key);
bool json_is(const struct json *v, const char *text);      /* is the string TEXT */

/* Typed members, for configuration files.  A missing or null member leaves *OUT as it was and is no error; one of
 * another type or out of range is SFT_BADDATA and names the key. */
int json_get_int(const struct json *obj, const char *key, int64_t min, int64_t max, int64_t *out, struct err *e);
int json_get_double(const struct json *obj, const char *key, double *out, struct err *e);
int json_get_bool(const struct json *obj, const char *key, bool *out, struct err *e);
int json_get_str(const struct json *obj, const char *key, const char **out, struct err *e);

double json_double(const struct json *v);                  /* of JSON_NUM; NaN for others */
bool   json_int(const struct json *v, int64_t *out);       /* true if V is a whole number that fits */

/* Is TEXT valid UTF-8 (no surrogates, nothing over U+10FFFF)?  At several gigabytes a second. */
bool json_utf8(const char *text, size_t n);

/* --- writing: appends to a buffer, commas and colons are put where they belong --- */
struct jw {
	struct buf *to;
	int  depth;
	bool first[64];      /* nothing written yet at this depth */
	bool after_key;
	bool python;         /* ", " and ": " as Python's json.dumps writes them */
};

void jw_init(struct jw *w, struct buf *to);
void jw_obj(struct jw *w);      /* { */
void jw_obj_end(struct jw *w);
void jw_arr(struct jw *w);      /* [ */
void jw_arr_end(struct jw *w);
void jw_key(struct jw *w, const char *key);
void jw_keyn(struct jw *w, const char *key, size_t n);
void jw_str(struct jw *w, const char *s);
void jw_strn(struct jw *w, const char *s, size_t n);
void jw_int(struct jw *w, int64_t v);
void jw_uint(struct jw *w, uint64_t v);
void jw_double(struct jw *w, double v);  /* shortest text that reads back the same; NaN and infinities as null */
void jw_number(struct jw *w, double v);  /* as jw_int() where it is whole and below 9e15, else as jw_double() */
void jw_bool(struct jw *w, bool v);
void jw_null(struct jw *w);
void jw_raw(struct jw *w, const char *json, size_t n);   /* text that is JSON already */
void jw_value(struct jw *w, const struct json *v);       /* a parsed value, numbers as they were written */

/* "s" with quotes and escapes appended to TO; non-ASCII as it is; U+2028 and U+2029 as they are. */
void json_quote(struct buf *to, const char *s, size_t n);

/* Shortest decimal text of V that strtod reads back as V, as Python's repr; at most 32 bytes. */
size_t json_double_text(char out[32], double v);

#endif
