/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TEMPLATE_VALUE_H
#define SFT_TEMPLATE_VALUE_H
/* The template engine's own: values, strings that know who wrote them, and the state of one rendering.
 *
 * Everything a rendering makes lives in its arena and ends with it; nothing is freed one by one.  So an error may leave
 * from any depth: t_raise() sets the message and jumps back to template_render() or template_open(), which is the
 * only place that cleans up.  No function here holds anything but arena memory while it calls another.
 *
 * Values are Python's, as far as templates can tell: ints of 128 bits (beyond: an error), floats, str as UTF-8, list, tuple,
 * dict (in order of insertion), and the views and generators that filters return. */
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "mem.h"

#define T_NOARG     ((size_t)-1)
#define T_TEXT_MAX  ((size_t)64 << 20)    /* bytes of one string or of the output */
#define T_LIVE_MAX  ((size_t)256 << 20)   /* bytes of all values made while rendering */
#define T_STEPS_MAX 10000000u
#define T_PARSE_MAX 200                   /* nesting of the template's text */
#define T_CALL_MAX  100                   /* macros and callers inside each other */
#define T_EVAL_MAX  2500                  /* expressions and statements inside each other, over all calls */
#define T_DATA_MAX  900                   /* lists and maps inside each other, when they are printed or compared */
#define T_RANGE_MAX 100000                /* as Jinja's sandbox */
#define T_WIDTH_MAX (1 << 20)             /* of padding */

enum vtype {
	V_ABSENT,                         /* an argument that was not given; never seen by a template */
	V_UNDEF, V_NONE, V_BOOL, V_INT, V_FLOAT, V_STR,
	V_LIST, V_TUPLE, V_RANGE, V_KEYS, V_VALUES, V_ITEMS, V_GEN,     /* these hold a struct vlist */
	V_MAP, V_NS, V_MACRO, V_METHOD, V_FUNC, V_LOOP, V_CYCLER, V_JOINER
};

struct tctx;
struct value;
struct node;
struct json;
struct template;

enum { T_OWN = -1, T_DATA = -2 };        /* as TEMPLATE_OWN and TEMPLATE_DATA of template.h */

/* Where the bytes up to END came from: the number of a message, T_OWN or T_DATA. */
struct run {
	size_t  end;
	int32_t msg;
};

/* A string: immutable, UTF-8.  RUNS is NULL where all of it comes from MSG. */
struct str {
	const char *p;
	size_t n;
	size_t ncp;                       /* code points; T_NOARG: not counted yet */
	const struct run *runs;
	uint32_t nruns;
	int32_t msg;
	bool safe;                        /* markupsafe's Markup */
};

/* Why something is undefined; the message is made when it is used. */
struct undef {
	enum { UNDEF_NAME, UNDEF_ATTR, UNDEF_ELEMENT, UNDEF_UNSAFE, UNDEF_HINT } why;
	const char *obj;                  /* "dict object" (ATTR, ELEMENT), "dict" (UNSAFE), the text (HINT) */
	const struct str *name;
};

struct value {
	uint8_t type;                     /* enum vtype */
	union {
		bool b;
		__int128 i;
		double f;
		const struct str *s;
		struct vlist *l;
		struct vmap *m;               /* V_MAP, V_NS */
		const struct undef *u;
		struct macro *macro;
		struct method *method;
		const struct func *func;
		struct loop *loop;
		struct cycler *cycler;        /* V_CYCLER, V_JOINER */
	};
};

struct vlist {
	struct value *v;
	size_t n, cap;
	int64_t start, stop, step;        /* V_RANGE */
	bool spent;                       /* V_GEN: was iterated */
	bool group;                       /* V_TUPLE of groupby: has .grouper and .list */
};

struct vmap {
	struct pair { struct value k, v; } *e;
	size_t n, cap;
	uint32_t *slot;                   /* entry + 1, open addressing; NULL while there are few */
	size_t nslots;
};

struct cycler {
	struct vlist *items;              /* V_CYCLER */
	const struct str *sep;            /* V_JOINER */
	size_t at;
};

/* Arguments of a call. */
struct kwarg {
	const struct str *name;
	struct value v;
};
struct args {
	struct value *pos;
	size_t npos;
	struct kwarg *kw;
	size_t nkw;
};

/* A filter, test, method or global function.  PARAMS names its parameters in order, blanks between them, "!" before one
 * that must be given; BOUND then gets them in that order, V_ABSENT where not given.  PARAMS NULL: RAW gets the arguments as they are. */
struct func {
	const char *name, *params;
	struct value (*bound)(struct tctx *c, struct value self, struct value *a);
	struct value (*raw)(struct tctx *c, struct value self, const struct args *a);
};

struct method {
	struct value self;
	const struct func *f;
};

/* A string being built. */
struct sb {
	char *p;
	size_t n, cap;
	struct run *runs;
	size_t nruns, rcap;
};

struct scope {
	struct scope *up;
	struct binding { int id; struct value v; } *b;
	int n, cap;
	bool kept;                        /* a macro or caller remembers it: not to be reused */
};

struct loop {
	const struct node *node;
	struct vlist *items;
	size_t at;                        /* current item, 0-based */
	int depth;                        /* 0-based */
	struct scope *outer;
	struct value changed;             /* last arguments of loop.changed() */
};

struct macro {
	const struct node *node;          /* N_MACRO, N_CALLBLOCK */
	struct scope *scope;
};

/* A stretch that {% generation %} wrote: where the root output stood, and how many code points. */
struct genspan {
	size_t start, ncp;
};

/* One rendering. */
struct tctx {
	const struct template *t;
	const struct json *vars, *data;   /* data may be NULL */
	struct value *global;             /* by name id; V_ABSENT until it is looked up */
	struct arena a;
	size_t live;
	uint32_t steps;
	int line, depth, calls;
	const char *now;
	struct sb root, *out;             /* the output, and where output goes now */
	char *tail, *tail_end;            /* the last text made, and the end of its room: `x = x + y` need not copy x */
	struct genspan *gen;
	size_t ngen, gencap;
	bool raised, entered;
	jmp_buf fail;
	struct err *e;
};

/* --- limits and errors --- */
_Noreturn void t_raise(struct tctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void t_undefined(struct tctx *c, const struct undef *u);   /* the error of using U */
void  t_step(struct tctx *c, size_t n);
void  t_nest(struct tctx *c);                                         /* one level of data deeper; the caller takes c->depth back */
void *t_get(struct tctx *c, size_t n);                               /* arena memory, not zeroed, counted */

/* --- strings (template_str.c) --- */
const struct str *str_new(struct tctx *c, const char *p, size_t n, int32_t msg);  /* copies */
const struct str *str_lit(struct tctx *c, const char *s);            /* borrows S, the template's own */
const struct str *str_slice(struct tctx *c, const struct str *s, size_t from, size_t to);  /* bytes; shares */
const struct str *str_concat(struct tctx *c, const struct str *a, const struct str *b);
const struct str *str_safe(struct tctx *c, const struct str *s, bool safe);
const struct str *str_escape(struct tctx *c, const struct str *s);   /* HTML; S itself where it is safe */
size_t  str_ncp(struct tctx *c, const struct str *s);
size_t  str_at(struct tctx *c, const struct str *s, size_t cp);      /* byte offset of code point CP <= ncp */
int32_t str_origin(const struct str *s, size_t byte);
size_t  str_find(struct tctx *c, const struct str *s, const struct str *sub, size_t from, size_t to);  /* T_NOARG: none */
size_t  str_rfind(struct tctx *c, const struct str *s, const struct str *sub, size_t from, size_t to);
bool    str_eq(const struct str *a, const struct str *b);
bool    str_is(const struct str *a, const char *b);
/* The code point at P (which must not be END) and its length in bytes. */
uint32_t cp_get(const char *p, const char *end, int *len);
int     cp_put(char out[4], uint32_t cp);
bool    py_isspace(uint32_t cp);
void    str_strip(const struct str *s, const struct str *chars, bool left, bool right, size_t *from, size_t *to);

void sb_add(struct tctx *c, struct sb *b, const char *p, size_t n, int32_t msg);
void sb_sub(struct tctx *c, struct sb *b, const struct str *s, size_t from, size_t to);
void sb_strv(struct tctx *c, struct sb *b, const struct str *s);
void sb_lit(struct tctx *c, struct sb *b, const char *s);
void sb_fill(struct tctx *c, struct sb *b, const struct str *fill, size_t times);
const struct str *sb_str(struct tctx *c, struct sb *b);

/* --- values (template_value.c) --- */
struct value v_str(const struct str *s);
struct value v_lit(struct tctx *c, const char *s);
struct value v_int(__int128 i);
struct value v_float(double f);
struct value v_bool(bool b);
struct value v_none(void);
struct value v_list(struct tctx *c, enum vtype t, size_t cap);
struct value v_map(struct tctx *c);
struct value v_undef_name(struct tctx *c, const struct str *name);
struct value v_undef_attr(struct tctx *c, struct value obj, const struct str *name);
struct value v_undef_element(struct tctx *c, struct value obj, struct value key);
struct value v_undef_hint(struct tctx *c, const char *hint);
void   list_add(struct tctx *c, struct vlist *l, struct value v);
struct value *map_find(struct tctx *c, const struct vmap *m, struct value k);
void   map_put(struct tctx *c, struct vmap *m, struct value k, struct value v);
struct value *map_name(struct tctx *c, const struct vmap *m, const char *k);
bool   v_seq(struct value v);                                        /* holds a struct vlist */
bool   v_true(struct value v);
const char *v_type(struct value v);                                  /* Python's name of the type */
bool   v_equal(struct tctx *c, struct value a, struct value b);
int    v_compare(struct tctx *c, struct value a, struct value b, const char *op);   /* <0 0 >0; 2: unordered (NaN) */
size_t v_len(struct tctx *c, struct value v);
struct vlist *v_iter(struct tctx *c, struct value v);                /* the items; borrowed, not to be changed */
bool   v_iterable(struct value v);
bool   v_number(struct value v, double *f);                          /* bool, int or float */
bool   v_integer(struct value v, __int128 *i);                       /* bool or int */
int64_t v_index(struct tctx *c, struct value v, const char *what);   /* an int that fits, or an error */

/* --- text of values (template_text.c) --- */
const struct str *v_text(struct tctx *c, struct value v);            /* Python's str() */
const struct str *v_repr(struct tctx *c, struct value v);
void   v_write(struct tctx *c, struct sb *b, struct value v);        /* str(), appended */
size_t py_float(char out[40], double f);                             /* repr of a float */
size_t py_int(char out[48], __int128 i);
bool   py_parse_int(const char *s, size_t n, int base, __int128 *out);
bool   py_parse_float(const char *s, size_t n, double *out);
struct value f_tojson(struct tctx *c, struct value self, struct value *a);

/* --- letters (template_case.c) --- */
enum cased { CASE_UPPER, CASE_LOWER, CASE_TITLE, CASE_CAPITAL, CASE_SWAP, CASE_FOLD };
const struct str *str_case(struct tctx *c, const struct str *s, enum cased how);
enum cclass { CC_ALPHA, CC_DIGIT, CC_DECIMAL, CC_NUMERIC, CC_UPPER, CC_LOWER, CC_TITLE, CC_PRINT, CC_WORD, CC_IDENT, CC_IDSTART };
bool   cp_is(uint32_t cp, enum cclass k);

/* --- operations (template_op.c) --- */
struct value op_binary(struct tctx *c, int op, struct value a, struct value b);
struct value op_unary(struct tctx *c, int op, struct value a);
bool   op_compare(struct tctx *c, int op, struct value a, struct value b);
bool   op_in(struct tctx *c, struct value a, struct value b);
struct value v_getattr(struct tctx *c, struct value obj, const struct str *name);
struct value v_getitem(struct tctx *c, struct value obj, struct value key);
struct value v_slice(struct tctx *c, struct value obj, struct value from, struct value to, struct value step);

/* --- calls (template_call.c) --- */
struct value call_func(struct tctx *c, const struct func *f, struct value self, const struct args *a);
struct value v_call(struct tctx *c, struct value f, const struct args *a);
struct value filter_call(struct tctx *c, const struct str *name, struct value in, const struct args *a);
bool   test_call(struct tctx *c, const struct str *name, struct value in, const struct args *a);
const struct func *filter_find(const char *name, size_t n);
const struct func *test_find(const char *name, size_t n);
const struct func *method_find(enum vtype t, const struct str *name);
bool   method_unsafe(enum vtype t, const struct str *name);          /* would change a list or dict */
const struct func *global_find(const struct str *name);
const struct func *func_find(const struct func *table, const char *name, size_t n);
struct value format_percent(struct tctx *c, const struct str *fmt, struct value arg);
struct value format_braces(struct tctx *c, const struct str *fmt, const struct args *a);
struct value format_spec(struct tctx *c, struct value v, const char *spec, size_t n);
struct value call_macro(struct tctx *c, struct macro *m, const struct args *a);
struct value call_loop(struct tctx *c, struct loop *l, const struct args *a);
struct value now_text(struct tctx *c, const struct str *fmt);

extern const struct func text_filters[], list_filters[], str_methods[], map_methods[], list_methods[];

#endif
