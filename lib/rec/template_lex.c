/* SPDX-License-Identifier: Apache-2.0 */
/* The lexer: Jinja's rules with trim_blocks (a newline after a block tag goes) and lstrip_blocks (blanks before a block tag
 * that begins a line go).  Line ends become \n, and the last one of the template goes. */
#include <stdlib.h>
#include <string.h>
#include "template_ast.h"

struct lexer {
	struct tctx *c;
	struct template *t;
	const char *p, *end;
	int line;
	bool line_start;                  /* the text before P ends a line */
};

static struct token *emit(struct lexer *x, enum token_kind kind, const char *p, size_t n)
{
	struct template *t = x->t;
	struct token *k;

	if (t->ntok == t->captok) {
		size_t cap = t->captok ? t->captok * 2 : 64;
		struct token *grown = arena_get(&t->a, cap * sizeof *grown);
		if (t->ntok)
			memcpy(grown, t->tok, t->ntok * sizeof *grown);
		t->tok = grown;
		t->captok = cap;
	}
	k = &t->tok[t->ntok++];
	memset(k, 0, sizeof *k);
	k->kind = kind;
	k->p = p;
	k->n = n;
	k->line = x->line;
	return k;
}

static void fail_at(struct lexer *x, const char *what)
{
	x->c->line = x->line;
	t_raise(x->c, "%s", what);
}

static void advance(struct lexer *x, const char *to)
{
	for (; x->p < to; x->p++)
		x->line += *x->p == '\n';
}

static const char *skip_space(const char *p, const char *end)
{
	int len;

	while (p < end && py_isspace(cp_get(p, end, &len)))
		p += len;
	return p;
}

/* P is at "{%", "{{" or "{#": the next such place from P on, or END. */
static const char *next_tag(const char *p, const char *end)
{
	for (; (p = memchr(p, '{', (size_t)(end - p))) != NULL && p + 1 < end; p++)
		if (p[1] == '%' || p[1] == '{' || p[1] == '#')
			return p;
	return end;
}

/* The text from FROM to TO (before a tag with SIGN), without what the tag takes away. */
static void data(struct lexer *x, const char *from, const char *to, char sign, bool is_var)
{
	const char *q = to;

	if (sign == '-') {
		struct str s = { .p = from, .n = (size_t)(to - from) };
		size_t a, b;

		str_strip(&s, NULL, false, true, &a, &b);
		q = from + b;
	} else if (sign != '+' && !is_var) {
		const char *bol = to;
		while (bol > from && bol[-1] != '\n')
			bol--;
		if ((bol > from || x->line_start) && skip_space(bol, to) >= to)
			q = bol;
	}
	if (q > from)
		emit(x, TK_DATA, from, (size_t)(q - from));
	advance(x, to);
}

/* After the closing "%}" or "#}" with SIGN before it, at X->p: takes what it takes. */
static void after_block(struct lexer *x, char sign)
{
	const char *q = x->p;

	if (sign == '-')
		q = skip_space(q, x->end);
	else if (sign != '+' && q < x->end && *q == '\n')
		q++;
	x->line_start = q > x->p && q[-1] == '\n';
	advance(x, q);
}

static void comment(struct lexer *x)
{
	const char *q = x->p + 2;

	while (q + 1 < x->end && !(q[0] == '#' && q[1] == '}'))
		q++;
	if (q + 1 >= x->end)
		fail_at(x, "Missing end of comment tag");
	char sign = q > x->p + 2 && (q[-1] == '-' || q[-1] == '+') ? q[-1] : 0;
	advance(x, q + 2);
	after_block(x, sign);
}

/* Is P at a tag "{%- NAME -%}"?  Gives the signs and its end. */
static bool bare_tag(const char *p, const char *end, const char *name, char *open, char *close, const char **after)
{
	size_t n = strlen(name);

	*open = *close = 0;
	if (end - p < 2 || p[0] != '{' || p[1] != '%')
		return false;
	p += 2;
	if (p < end && (*p == '-' || *p == '+'))
		*open = *p++;
	p = skip_space(p, end);
	if ((size_t)(end - p) < n || memcmp(p, name, n) != 0)
		return false;
	p = skip_space(p + n, end);
	if (p < end && (*p == '-' || *p == '+'))
		*close = *p++;
	if (end - p < 2 || p[0] != '%' || p[1] != '}')
		return false;
	*after = p + 2;
	return true;
}

/* {% raw %} ... {% endraw %}; CLOSE and AFTER are of the opening tag. */
static void raw(struct lexer *x, char close, const char *after)
{
	const char *q, *next;
	char sign, last;

	advance(x, after);
	if (close == '-')
		advance(x, skip_space(x->p, x->end));
	x->line_start = x->p > after && x->p[-1] == '\n';
	for (q = x->p; q < x->end; q++)
		if (*q == '{' && bare_tag(q, x->end, "endraw", &sign, &last, &next)) {
			data(x, x->p, q, sign, false);
			advance(x, next);
			after_block(x, last);
			return;
		}
	fail_at(x, "Missing end of raw directive");
}

static int hex_value(const char *p, int n, uint32_t *out)
{
	uint32_t v = 0;

	for (int i = 0; i < n; i++) {
		int d = p[i] >= '0' && p[i] <= '9' ? p[i] - '0' : (p[i] | 32) >= 'a' && (p[i] | 32) <= 'f' ? (p[i] | 32) - 'a' + 10 : -1;
		if (d < 0)
			return -1;
		v = v * 16 + (uint32_t)d;
	}
	*out = v;
	return 0;
}

/* One escape at P (after the backslash) of Python's string literals; appends to TO, returns the bytes read. */
static size_t escape(struct lexer *x, const char *p, const char *end, char *to, size_t *n)
{
	static const char from[] = "\\'\"abfnrtv", into[] = "\\'\"\a\b\f\n\r\t\v";
	const char *known = memchr(from, *p, sizeof from - 1);
	int digits = *p == 'x' ? 2 : *p == 'u' ? 4 : *p == 'U' ? 8 : 0;
	uint32_t cp = 0;
	size_t used = 1;

	if (*p == '\n')
		return 1;
	if (known) {
		to[(*n)++] = into[known - from];
		return 1;
	}
	if (digits) {
		if (end - p <= digits || hex_value(p + 1, digits, &cp) != 0)
			fail_at(x, "truncated escape in a string");
		used = (size_t)digits + 1;
	} else if (*p >= '0' && *p <= '7') {
		for (used = 0; used < 3 && p + used < end && p[used] >= '0' && p[used] <= '7'; used++)
			cp = cp * 8 + (uint32_t)(p[used] - '0');
	} else {
		to[(*n)++] = '\\';
		return 0;
	}
	if (cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
		fail_at(x, "an escape names no character");
	*n += (size_t)cp_put(to + *n, cp);
	return used;
}

static void string(struct lexer *x)
{
	char quote = *x->p;
	const char *q = x->p + 1;
	char *to;
	size_t n = 0;

	while (q < x->end && *q != quote)
		q += *q == '\\' ? 2 : 1;
	if (q >= x->end)
		fail_at(x, quote == '"' ? "unexpected char '\"'" : "unexpected char \"'\"");
	to = arena_get(&x->t->a, (size_t)(q - x->p) * 2);
	for (const char *s = x->p + 1; s < q;) {
		if (*s == '\\')
			s += 1 + escape(x, s + 1, q, to, &n);
		else
			to[n++] = *s++;
	}
	emit(x, TK_STR, to, n);
	advance(x, q + 1);
}

static bool digit(const char *p, const char *end)
{
	return p < end && *p >= '0' && *p <= '9';
}

/* (\d+_)*\d+ */
static const char *digits(const char *p, const char *end)
{
	while (digit(p, end) || (p < end && *p == '_' && digit(p + 1, end)))
		p++;
	return p;
}

static void number(struct lexer *x)
{
	const char *p = x->p, *q = digits(p, x->end), *e;
	bool is_float = false;
	int base = 10;
	char text[64];
	size_t n = 0;
	struct token *k;

	if (*p == '0' && p + 1 < x->end && strchr("xXoObB", p[1])) {
		base = (p[1] | 32) == 'x' ? 16 : (p[1] | 32) == 'o' ? 8 : 2;
		for (q = p + 2; q < x->end && (cp_is((unsigned char)*q, CC_WORD)) && (unsigned char)*q < 128; q++)
			;
		p += 2;
	} else {
		if (q < x->end && *q == '.' && digit(q + 1, x->end) && x->p[-1] != '.') {
			q = digits(q + 1, x->end);
			is_float = true;
		}
		if (q < x->end && (*q | 32) == 'e') {
			e = q + 1;
			if (e < x->end && (*e == '+' || *e == '-'))
				e++;
			if (digit(e, x->end)) {
				q = digits(e, x->end);
				is_float = true;
			}
		}
	}
	if (!is_float && base == 10 && *p == '0' && q - p > 1 && strspn(p, "0_") < (size_t)(q - p))
		fail_at(x, "a whole number must not begin with 0");
	for (; p < q && n < sizeof text - 1; p++)
		if (*p != '_')
			text[n++] = *p;
	text[n] = 0;
	k = emit(x, is_float ? TK_FLOAT : TK_INT, x->p, (size_t)(q - x->p));
	if (is_float)
		k->v = v_float(strtod(text, NULL));
	else {
		__int128 i;
		if (p < q || !py_parse_int(text, n, base, &i))
			fail_at(x, "a number that is malformed or too large");
		k->v = v_int(i);
	}
	x->p = q;
}

static void name(struct lexer *x)
{
	const char *q = x->p;
	int len;

	for (; q < x->end; q += len)
		if (!cp_is(cp_get(q, x->end, &len), CC_IDENT))
			break;
	emit(x, TK_NAME, x->p, (size_t)(q - x->p));
	x->p = q;
}

static void operator(struct lexer *x, char *stack, int *depth)
{
	static const char two[] = "//**==!=>=<=", one[] = "+-/*%~[](){}><=.:|,;";
	char a = *x->p, b = x->p + 1 < x->end ? x->p[1] : 0;

	for (const char *q = two; *q; q += 2)
		if (q[0] == a && q[1] == b) {
			emit(x, TK_OP, x->p, 2)->op = OP2(a, b);
			x->p += 2;
			return;
		}
	if (!memchr(one, a, sizeof one - 1))
		fail_at(x, "unexpected character in a tag");
	if (a == '(' || a == '[' || a == '{') {
		if (*depth >= T_PARSE_MAX)
			fail_at(x, "brackets nested too deep (at most 200 levels)");
		stack[(*depth)++] = (char)(a == '(' ? ')' : a == '[' ? ']' : '}');
	} else if (a == ')' || a == ']' || a == '}') {
		if (*depth == 0 || stack[--*depth] != a)
			fail_at(x, "a closing bracket that closes nothing");
	}
	emit(x, TK_OP, x->p, 1)->op = a;
	x->p++;
}

/* The inside of {% %} or {{ }}, to its end. */
static void inside(struct lexer *x, bool is_var)
{
	char stack[T_PARSE_MAX], close = is_var ? '}' : '%';
	int depth = 0, len;

	while (x->p < x->end) {
		char sign = 0;
		const char *q = x->p;
		uint32_t cp = cp_get(q, x->end, &len);

		if (depth == 0) {
			if (q + 2 < x->end && (*q == '-' || (*q == '+' && !is_var)) && q[1] == close && q[2] == '}')
				sign = *q++;
			if (q + 1 < x->end && q[0] == close && q[1] == '}') {
				emit(x, is_var ? TK_VAR_END : TK_BLOCK_END, q, 2);
				x->p = q + 2;
				if (!is_var)
					after_block(x, sign);
				else {
					q = sign == '-' ? skip_space(x->p, x->end) : x->p;
					x->line_start = q > x->p && q[-1] == '\n';
					advance(x, q);
				}
				return;
			}
		}
		if (py_isspace(cp))
			advance(x, q + len);
		else if (*q >= '0' && *q <= '9')
			number(x);
		else if (*q == '\'' || *q == '"')
			string(x);
		else if (cp_is(cp, CC_IDSTART))
			name(x);
		else
			operator(x, stack, &depth);
	}
	fail_at(x, "unexpected 'end of template' (a tag is not closed)");
}

/* \r\n and \r become \n; the last newline goes.  A copy in the template's arena. */
static void source(struct lexer *x, const char *src, size_t n)
{
	char *to = arena_get(&x->t->a, n + 1), *q = to;

	for (size_t i = 0; i < n; i++) {
		if (src[i] == '\r') {
			*q++ = '\n';
			if (i + 1 < n && src[i + 1] == '\n')
				i++;
		} else {
			*q++ = src[i];
		}
	}
	if (q > to && q[-1] == '\n')
		q--;
	*q = 0;
	x->p = to;
	x->end = q;
}

void template_lex(struct tctx *c, struct template *t, const char *src, size_t n)
{
	struct lexer x = { .c = c, .t = t, .line = 1, .line_start = true };

	source(&x, src, n);
	while (x.p < x.end) {
		const char *tag = next_tag(x.p, x.end), *after;
		char sign = tag + 2 < x.end && (tag[2] == '-' || tag[2] == '+') ? tag[2] : 0, last;
		bool is_var = tag < x.end && tag[1] == '{';

		if (tag >= x.end) {
			emit(&x, TK_DATA, x.p, (size_t)(x.end - x.p));
			advance(&x, x.end);
			break;
		}
		data(&x, x.p, tag, sign, is_var);
		if (tag[1] == '#') {
			comment(&x);
		} else if (tag[1] == '%' && bare_tag(tag, x.end, "raw", &sign, &last, &after)) {
			raw(&x, last, after);
		} else {
			emit(&x, is_var ? TK_VAR : TK_BLOCK, tag, 2);
			x.p = tag + (sign ? 3 : 2);
			inside(&x, is_var);
		}
	}
	emit(&x, TK_EOF, x.end, 0);
}
