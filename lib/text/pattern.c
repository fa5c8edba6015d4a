/* SPDX-License-Identifier: Apache-2.0 */
#include "pattern.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
	MATCH_LIMIT = 100000,          /* steps of one search; PCRE2's own default is 100 times that */
	DEPTH_LIMIT = 100000,
	HEAP_KIB = 20000,
	STACK_MAX = 1 << 20,           /* bytes of the JIT's stack */
	MAX_GROUPS = 99
};

struct pattern {
	pcre2_code *code;
	uint32_t groups;
	bool jit;
};

struct matcher {
	pcre2_match_data *data;
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
	int pairs;                     /* groups set by the last match, the whole match included; 0: none */
};

/* --- compiling --- */

static pcre2_compile_context *compile_limits(void)
{
	pcre2_compile_context *c = pcre2_compile_context_create(NULL);

	if (c) {
		pcre2_set_max_pattern_length(c, 64 * 1024);
		pcre2_set_parens_nest_limit(c, 200);
	}
	return c;
}

static int compile_error(int code, size_t at, struct err *e)
{
	PCRE2_UCHAR what[200];

	if (pcre2_get_error_message(code, what, sizeof what) < 0)
		return err_set(e, SFT_USAGE, "pattern, byte %zu: malformed", at + 1);
	return err_set(e, SFT_USAGE, "pattern, byte %zu: %s", at + 1, (char *)what);
}

int pattern_new(struct pattern **out, const char *regex, size_t n, unsigned flags, struct err *e)
{
	uint32_t o = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C;
	pcre2_compile_context *limits = compile_limits();
	struct pattern *p = mem_new(sizeof *p);
	size_t at = 0;
	int code = 0;

	*out = NULL;
	o |= flags & PATTERN_CASELESS ? PCRE2_CASELESS : 0;
	o |= flags & PATTERN_MULTILINE ? PCRE2_MULTILINE : 0;
	o |= flags & PATTERN_DOTALL ? PCRE2_DOTALL : 0;
	p->code = pcre2_compile((PCRE2_SPTR)regex, n, o, &code, &at, limits);
	pcre2_compile_context_free(limits);
	if (p->code == NULL) {
		mem_free(p);
		return compile_error(code, at, e);
	}
	pcre2_pattern_info(p->code, PCRE2_INFO_CAPTURECOUNT, &p->groups);
	if (p->groups > MAX_GROUPS) {
		err_set(e, SFT_USAGE, "pattern: %u groups (at most %d)", p->groups, MAX_GROUPS);
		pattern_free(p);
		return e ? e->code : SFT_USAGE;
	}
	p->jit = pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE) == 0;
	*out = p;
	return 0;
}

void pattern_free(struct pattern *p)
{
	if (p == NULL)
		return;
	pcre2_code_free(p->code);
	mem_free(p);
}

uint32_t pattern_groups(const struct pattern *p)
{
	return p->groups;
}

/* --- searching --- */

struct matcher *matcher_new(void)
{
	struct matcher *m = mem_new(sizeof *m);

	m->data = pcre2_match_data_create(MAX_GROUPS + 1, NULL);
	m->context = pcre2_match_context_create(NULL);
	m->stack = pcre2_jit_stack_create(32 * 1024, STACK_MAX, NULL);
	if (m->context) {
		pcre2_set_match_limit(m->context, MATCH_LIMIT);
		pcre2_set_depth_limit(m->context, DEPTH_LIMIT);
		pcre2_set_heap_limit(m->context, HEAP_KIB);
		if (m->stack)
			pcre2_jit_stack_assign(m->context, NULL, m->stack);
	}
	return m;
}

void matcher_free(struct matcher *m)
{
	if (m == NULL)
		return;
	pcre2_match_data_free(m->data);
	pcre2_match_context_free(m->context);
	pcre2_jit_stack_free(m->stack);
	mem_free(m);
}

static int match_error(int code, struct err *e)
{
	PCRE2_UCHAR what[200];

	switch (code) {
	case PCRE2_ERROR_MATCHLIMIT:
	case PCRE2_ERROR_DEPTHLIMIT:
		return err_set(e, SFT_BADDATA, "the pattern needs more than %d steps on this text (write it so that it backtracks less)", MATCH_LIMIT);
	case PCRE2_ERROR_JIT_STACKLIMIT:
	case PCRE2_ERROR_HEAPLIMIT:
		return err_set(e, SFT_BADDATA, "the pattern needs more memory on this text than the limit of its stack");
	case PCRE2_ERROR_NOMEMORY:
		return err_set(e, SFT_SYSTEM, "pattern: out of memory");
	}
	if (pcre2_get_error_message(code, what, sizeof what) < 0)
		return err_set(e, SFT_BADDATA, "pattern: error %d", code);
	return err_set(e, SFT_BADDATA, "pattern: %s", (char *)what);
}

static int search(const struct pattern *p, struct matcher *m, const char *text, size_t n, size_t from, uint32_t how,
                  bool *found, struct err *e)
{
	int rc;

	*found = false;
	m->pairs = 0;
	if (m->data == NULL || m->context == NULL)
		return err_set(e, SFT_SYSTEM, "pattern: out of memory");
	if (text == NULL)
		text = "";
	if (p->jit && (how & PCRE2_ANCHORED) == 0)         /* the JIT does not anchor at run time */
		rc = pcre2_jit_match(p->code, (PCRE2_SPTR)text, n, from, how, m->data, m->context);
	else
		rc = pcre2_match(p->code, (PCRE2_SPTR)text, n, from, how | PCRE2_NO_UTF_CHECK, m->data, m->context);
	if (rc == PCRE2_ERROR_NOMATCH)
		return 0;
	if (rc < 0)
		return match_error(rc, e);
	*found = true;
	m->pairs = rc;
	return 0;
}

int pattern_find(const struct pattern *p, struct matcher *m, const char *text, size_t n, size_t from, bool *found, struct err *e)
{
	return search(p, m, text, n, from, 0, found, e);
}

int pattern_next(const struct pattern *p, struct matcher *m, const char *text, size_t n, bool *found, struct err *e)
{
	const size_t *v = pcre2_get_ovector_pointer(m->data);
	size_t end = v[1];
	int rc;

	if (v[0] != v[1])                                  /* after "b" of "ab", an empty match at its end is one more */
		return search(p, m, text, n, end, 0, found, e);
	rc = search(p, m, text, n, end, PCRE2_NOTEMPTY_ATSTART | PCRE2_ANCHORED, found, e);
	if (rc != 0 || *found)
		return rc;
	if (end >= n)
		return 0;
	do
		end++;
	while (end < n && ((unsigned char)text[end] & 0xC0) == 0x80);
	return search(p, m, text, n, end, 0, found, e);
}

bool matcher_span(const struct matcher *m, uint32_t group, size_t *start, size_t *end)
{
	const size_t *v = pcre2_get_ovector_pointer(m->data);

	if ((int64_t)group >= m->pairs || v[2 * group] == PCRE2_UNSET)
		return false;
	*start = v[2 * group];
	*end = v[2 * group + 1];
	if (*start > *end)                                 /* \K in a lookahead can do this */
		*end = *start;
	return true;
}

/* --- replacing --- */

struct piece {
	int group;                     /* -1: text */
	size_t at, n;                  /* of text, in r->text */
};

struct replacement {
	struct buf text;
	struct piece *piece;
	size_t n, cap;
};

static void put_text(struct replacement *r, char c)
{
	if (r->n == 0 || r->piece[r->n - 1].group >= 0) {
		ARRAY_ROOM(r->piece, r->n, r->cap);
		r->piece[r->n++] = (struct piece){ -1, r->text.n, 0 };
	}
	buf_ch(&r->text, c);
	r->piece[r->n - 1].n++;
}

static int put_group(struct replacement *r, const struct pattern *p, long group, struct err *e)
{
	if (group < 0 || group > (long)p->groups)
		return err_set(e, SFT_USAGE, "replacement: no group $%ld (the pattern has %u)", group, p->groups);
	ARRAY_ROOM(r->piece, r->n, r->cap);
	r->piece[r->n++] = (struct piece){ (int)group, 0, 0 };
	return 0;
}

/* "{name}" or "{12}" at S, which begins after the dollar. */
static int put_braced(struct replacement *r, const struct pattern *p, const char *s, size_t n, size_t *used, struct err *e)
{
	const char *close = memchr(s, '}', n);
	char name[64];
	size_t len;
	int group;

	if (close == NULL || close == s + 1 || (size_t)(close - s) > sizeof name)
		return err_set(e, SFT_USAGE, "replacement: '${' without a name and '}'");
	len = (size_t)(close - s) - 1;
	memcpy(name, s + 1, len);
	name[len] = '\0';
	*used = len + 2;
	if (strspn(name, "0123456789") == len && len <= 3)
		return put_group(r, p, atol(name), e);
	if ((group = pcre2_substring_number_from_name(p->code, (PCRE2_SPTR)name)) < 0)
		return err_set(e, SFT_USAGE, "replacement: no group named '%s'", name);
	return put_group(r, p, group, e);
}

static int put_dollar(struct replacement *r, const struct pattern *p, const char *s, size_t n, size_t *used, struct err *e)
{
	*used = 1;
	if (n == 0)
		return err_set(e, SFT_USAGE, "replacement: '$' at the end (a dollar is written $$)");
	if (*s == '{')
		return put_braced(r, p, s, n, used, e);
	if (*s == '$') {
		put_text(r, '$');
		return 0;
	}
	if (*s == '&')
		return put_group(r, p, 0, e);
	if (!isdigit((unsigned char)*s))
		return err_set(e, SFT_USAGE, "replacement: '$%c' (expected $1, ${name} or $$)", *s);
	if (n > 1 && isdigit((unsigned char)s[1]) && (s[0] - '0') * 10 + s[1] - '0' <= (int)p->groups) {
		*used = 2;
		return put_group(r, p, (s[0] - '0') * 10 + s[1] - '0', e);
	}
	return put_group(r, p, *s - '0', e);
}

static int put_escape(struct replacement *r, const char *s, size_t n, struct err *e)
{
	static const char from[] = "ntr", to[] = "\n\t\r";
	const char *at;

	if (n == 0)
		return err_set(e, SFT_USAGE, "replacement: '\\' at the end");
	if ((at = strchr(from, *s)) != NULL && *s)
		put_text(r, to[at - from]);
	else if (ispunct((unsigned char)*s))
		put_text(r, *s);
	else
		return err_set(e, SFT_USAGE, "replacement: '\\%c' (expected \\n, \\t, \\r or \\\\; groups are $1)", *s);
	return 0;
}

int replacement_new(struct replacement **out, const struct pattern *p, const char *text, size_t n, struct err *e)
{
	struct replacement *r = mem_new(sizeof *r);
	int rc = 0;

	*out = NULL;
	for (size_t i = 0; i < n && rc == 0; i++) {
		size_t used = 1;

		if (text[i] == '$') {
			rc = put_dollar(r, p, text + i + 1, n - i - 1, &used, e);
			i += used;
		} else if (text[i] == '\\') {
			rc = put_escape(r, text + i + 1, n - i - 1, e);
			i++;
		} else {
			put_text(r, text[i]);
		}
	}
	if (rc) {
		replacement_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

void replacement_free(struct replacement *r)
{
	if (r == NULL)
		return;
	buf_free(&r->text);
	mem_free(r->piece);
	mem_free(r);
}

static void expand(const struct replacement *r, const struct matcher *m, const char *text, struct buf *out)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct piece *q = &r->piece[i];
		size_t start, end;

		if (q->group < 0)
			buf_add(out, r->text.p + q->at, q->n);
		else if (matcher_span(m, (uint32_t)q->group, &start, &end))
			buf_add(out, text + start, end - start);
	}
}

int pattern_replace(const struct pattern *p, struct matcher *m, const struct replacement *r, const char *text, size_t n,
                    struct buf *out, uint64_t *count, struct err *e)
{
	size_t done = 0, start, end;
	bool found;
	int rc;

	*count = 0;
	rc = pattern_find(p, m, text, n, 0, &found, e);
	while (rc == 0 && found && matcher_span(m, 0, &start, &end)) {
		if (start > done)
			buf_add(out, text + done, start - done);
		expand(r, m, text, out);
		done = end;
		++*count;
		rc = pattern_next(p, m, text, n, &found, e);
	}
	if (rc == 0 && *count)
		buf_add(out, text + done, n - done);
	return rc;
}

/* --- "/PATTERN/REPLACEMENT/flags" --- */

/* One part up to delimiter D: into A without the backslashes before D.  *S ends behind the delimiter. */
static int take_part(const char **s, char d, struct arena *a, const char **part, size_t *n, struct err *e)
{
	char *to = arena_get(a, strlen(*s) + 1);

	*part = to;
	for (; **s != d; ++*s) {
		if (**s == '\0')
			return err_set(e, SFT_USAGE, "no closing '%c' (expected %cPATTERN%c...)", d, d, d);
		if (**s == '\\' && (*s)[1] == d)
			++*s;
		else if (**s == '\\' && (*s)[1])
			*to++ = *(*s)++;
		*to++ = **s;
	}
	++*s;
	*to = '\0';
	*n = (size_t)(to - *part);
	return 0;
}

int pattern_split(const char *text, int parts, struct arena *a, struct pattern_parts *out, struct err *e)
{
	const char *s = text;
	char d = *s;
	int rc;

	memset(out, 0, sizeof *out);
	if (!ispunct((unsigned char)d) || d == '\\')
		return err_set(e, SFT_USAGE, "'%s' (expected /PATTERN/%s)", text, parts == 2 ? "REPLACEMENT/" : "");
	s++;
	if ((rc = take_part(&s, d, a, &out->pattern, &out->npattern, e)) != 0)
		return rc;
	if (parts == 2 && (rc = take_part(&s, d, a, &out->replacement, &out->nreplacement, e)) != 0)
		return rc;
	for (; *s; s++) {
		if (*s == 'i')
			out->flags |= PATTERN_CASELESS;
		else if (*s == 'm')
			out->flags |= PATTERN_MULTILINE;
		else if (*s == 's')
			out->flags |= PATTERN_DOTALL;
		else
			return err_set(e, SFT_USAGE, "'%s' after the last '%c' (expected i, m, s or nothing)", s, d);
	}
	return 0;
}
