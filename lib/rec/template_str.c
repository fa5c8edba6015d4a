/* SPDX-License-Identifier: Apache-2.0 */
/* Strings of a rendering: UTF-8 with the origin of each stretch, and the limits that every value is held to. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "template_value.h"
#include "utf8.h"

void t_raise(struct tctx *c, const char *fmt, ...)
{
	char msg[1000];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	err_set(c->e, SFT_BADDATA, "%s", msg);
	longjmp(c->fail, 1);
}

void t_step(struct tctx *c, size_t n)
{
	if (n > T_STEPS_MAX - c->steps)
		t_raise(c, "the template takes too long (limit: %u steps)", T_STEPS_MAX);
	c->steps += (uint32_t)n;
}

void *t_get(struct tctx *c, size_t n)
{
	if (n > T_LIVE_MAX - c->live)
		t_raise(c, "the template makes too much data (limit: %zu MiB)", T_LIVE_MAX >> 20);
	c->live += n;
	return arena_get(&c->a, n);
}

/* --- UTF-8 --- */

uint32_t cp_get(const char *s, const char *end, int *len)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = (size_t)(end - s);

	*len = 1;
	if (p[0] < 0x80)
		return p[0];
	if (p[0] < 0xe0 && n > 1) {
		*len = 2;
		return (uint32_t)(p[0] & 31) << 6 | (p[1] & 63);
	}
	if (p[0] < 0xf0 && n > 2) {
		*len = 3;
		return (uint32_t)(p[0] & 15) << 12 | (uint32_t)(p[1] & 63) << 6 | (p[2] & 63);
	}
	if (n > 3) {
		*len = 4;
		return (uint32_t)(p[0] & 7) << 18 | (uint32_t)(p[1] & 63) << 12 | (uint32_t)(p[2] & 63) << 6 | (p[3] & 63);
	}
	return 0xfffd;
}

int cp_put(char out[4], uint32_t cp)
{
	return (int)utf8_put(out, cp);
}

/* str.isspace() of Python: White_Space and the separators of bidirectional text. */
bool py_isspace(uint32_t cp)
{
	return (cp >= 9 && cp <= 13) || (cp >= 28 && cp <= 32) || cp == 0x85 || cp == 0xa0 || cp == 0x1680 ||
	       (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 || cp == 0x202f || cp == 0x205f || cp == 0x3000;
}

static bool is_lead(char ch)
{
	return ((unsigned char)ch & 0xc0) != 0x80;
}

size_t str_ncp(struct tctx *c, const struct str *s)
{
	size_t n = 0;

	if (s->ncp == T_NOARG) {
		t_step(c, s->n / 256);
		for (size_t i = 0; i < s->n; i++)
			n += is_lead(s->p[i]);
		((struct str *)s)->ncp = n;    /* strings of this rendering only: those of the template are counted when parsed */
	}
	return s->ncp;
}

size_t str_at(struct tctx *c, const struct str *s, size_t cp)
{
	size_t ncp = str_ncp(c, s), i;

	if (ncp == s->n)
		return cp;
	t_step(c, s->n / 256);
	if (cp <= ncp / 2) {
		for (i = 0; cp > 0; cp--)
			for (i++; i < s->n && !is_lead(s->p[i]); i++)
				;
		return i;
	}
	for (i = s->n, cp = ncp - cp; cp > 0; cp--)
		for (i--; i > 0 && !is_lead(s->p[i]); i--)
			;
	return i;
}

/* --- building --- */

static void grow(struct tctx *c, struct sb *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 64;
	char *p;

	if (n > T_TEXT_MAX - b->n)
		t_raise(c, "the template writes too much text (limit: %zu MiB)", T_TEXT_MAX >> 20);
	if (n <= b->cap - b->n)
		return;
	while (cap < b->n + n)
		cap *= 2;
	p = t_get(c, cap);
	if (b->n)
		memcpy(p, b->p, b->n);
	b->p = p;
	b->cap = cap;
}

/* N more bytes at the end come from MSG. */
static void note_run(struct tctx *c, struct sb *b, size_t n, int32_t msg)
{
	if (b->nruns && b->runs[b->nruns - 1].msg == msg) {
		b->runs[b->nruns - 1].end += n;
		return;
	}
	if (b->nruns == b->rcap) {
		size_t cap = b->rcap ? b->rcap * 2 : 4;
		struct run *r = t_get(c, cap * sizeof *r);
		if (b->nruns)
			memcpy(r, b->runs, b->nruns * sizeof *r);
		b->runs = r;
		b->rcap = cap;
	}
	b->runs[b->nruns++] = (struct run){ b->n + n, msg };
}

void sb_add(struct tctx *c, struct sb *b, const char *p, size_t n, int32_t msg)
{
	if (n == 0)
		return;
	grow(c, b, n);
	note_run(c, b, n, msg);
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

void sb_sub(struct tctx *c, struct sb *b, const struct str *s, size_t from, size_t to)
{
	size_t at = from;

	if (s->runs == NULL) {
		sb_add(c, b, s->p + from, to - from, s->msg);
		return;
	}
	for (uint32_t i = 0; i < s->nruns && at < to; i++) {
		size_t end = s->runs[i].end < to ? s->runs[i].end : to;
		if (end <= at)
			continue;
		sb_add(c, b, s->p + at, end - at, s->runs[i].msg);
		at = end;
	}
}

void sb_strv(struct tctx *c, struct sb *b, const struct str *s)
{
	sb_sub(c, b, s, 0, s->n);
}

void sb_lit(struct tctx *c, struct sb *b, const char *s)
{
	sb_add(c, b, s, strlen(s), T_OWN);
}

void sb_fill(struct tctx *c, struct sb *b, const struct str *fill, size_t times)
{
	if (fill->n == 0)
		return;
	if (times > T_TEXT_MAX / fill->n)
		t_raise(c, "the template writes too much text (limit: %zu MiB)", T_TEXT_MAX >> 20);
	for (; times > 0; times--)
		sb_strv(c, b, fill);
}

static struct str *new_str(struct tctx *c, const char *p, size_t n, int32_t msg)
{
	struct str *s = t_get(c, sizeof *s);

	*s = (struct str){ .p = p, .n = n, .ncp = T_NOARG, .msg = n ? msg : T_OWN };
	return s;
}

const struct str *sb_str(struct tctx *c, struct sb *b)
{
	struct str *s = new_str(c, b->n ? b->p : "", b->n, b->nruns ? b->runs[0].msg : T_OWN);

	if (b->nruns > 1) {
		s->runs = b->runs;
		s->nruns = (uint32_t)b->nruns;
	}
	return s;
}

/* --- whole strings --- */

const struct str *str_new(struct tctx *c, const char *p, size_t n, int32_t msg)
{
	char *copy = t_get(c, n + 1);

	memcpy(copy, p, n);
	return new_str(c, copy, n, msg);
}

const struct str *str_lit(struct tctx *c, const char *s)
{
	return new_str(c, s, strlen(s), T_OWN);
}

const struct str *str_slice(struct tctx *c, const struct str *s, size_t from, size_t to)
{
	struct str *t;
	uint32_t first = 0, last;

	if (from == 0 && to == s->n)
		return s;
	t = new_str(c, s->p + from, to - from, s->msg);
	t->safe = s->safe;
	if (s->ncp == s->n)
		t->ncp = t->n;
	if (s->runs == NULL || from >= to)
		return t;
	while (s->runs[first].end <= from)
		first++;
	for (last = first; s->runs[last].end < to; last++)
		;
	t->msg = s->runs[first].msg;
	if (last > first) {
		struct run *r = t_get(c, (last - first + 1) * sizeof *r);
		for (uint32_t i = first; i <= last; i++)
			r[i - first] = (struct run){ (s->runs[i].end < to ? s->runs[i].end : to) - from, s->runs[i].msg };
		t->runs = r;
		t->nruns = last - first + 1;
	}
	return t;
}

/* The bytes of A and B together; where A is the text made last and there is room, B goes behind it in place. */
static char *joined(struct tctx *c, const struct str *a, const struct str *b)
{
	size_t n = a->n + b->n, cap;
	char *p;

	if (n > T_TEXT_MAX)
		t_raise(c, "the template writes too much text (limit: %zu MiB)", T_TEXT_MAX >> 20);
	if (c->tail != NULL && a->p + a->n == c->tail && (size_t)(c->tail_end - c->tail) >= b->n) {
		memcpy(c->tail, b->p, b->n);
		c->tail += b->n;
		return (char *)a->p;
	}
	cap = n < 64 ? n + 32 : n * 2;
	p = t_get(c, cap);
	memcpy(p, a->p, a->n);
	memcpy(p + a->n, b->p, b->n);
	c->tail = p + n;
	c->tail_end = p + cap;
	return p;
}

static uint32_t copy_runs(struct run *r, const struct str *s, size_t off)
{
	if (s->runs == NULL) {
		r[0] = (struct run){ off + s->n, s->msg };
		return 1;
	}
	for (uint32_t i = 0; i < s->nruns; i++)
		r[i] = (struct run){ off + s->runs[i].end, s->runs[i].msg };
	return s->nruns;
}

const struct str *str_concat(struct tctx *c, const struct str *a, const struct str *b)
{
	struct str *s;
	struct run *r;
	uint32_t n;

	if (a->n == 0 && a->safe == b->safe)
		return b;
	if (b->n == 0 && a->safe == b->safe)
		return a;
	s = new_str(c, joined(c, a, b), a->n + b->n, a->n ? a->msg : b->msg);
	s->safe = a->safe && b->safe;
	if (a->ncp != T_NOARG && b->ncp != T_NOARG)
		s->ncp = a->ncp + b->ncp;
	if (a->n == 0 || b->n == 0 || (a->runs == NULL && b->runs == NULL && a->msg == b->msg)) {
		const struct str *whole = a->n ? a : b;
		s->runs = whole->runs;
		s->nruns = whole->nruns;
		return s;
	}
	r = t_get(c, (size_t)((a->runs ? a->nruns : 1) + (b->runs ? b->nruns : 1)) * sizeof *r);
	n = copy_runs(r, a, 0);
	if (b->runs == NULL && r[n - 1].msg == b->msg)
		r[n - 1].end += b->n;
	else
		n += copy_runs(r + n, b, a->n);
	s->runs = r;
	s->nruns = n;
	return s;
}

const struct str *str_safe(struct tctx *c, const struct str *s, bool safe)
{
	struct str *t;

	if (s->safe == safe)
		return s;
	t = t_get(c, sizeof *t);
	*t = *s;
	t->safe = safe;
	return t;
}

const struct str *str_escape(struct tctx *c, const struct str *s)
{
	static const char from[] = "&<>'\"";
	static const char *const to[] = { "&amp;", "&lt;", "&gt;", "&#39;", "&#34;" };
	struct sb b = {0};
	size_t at = 0;

	if (s->safe)
		return s;
	for (size_t i = 0; i < s->n; i++) {
		const char *q = memchr(from, s->p[i], sizeof from - 1);
		if (q == NULL)
			continue;
		sb_sub(c, &b, s, at, i);
		sb_add(c, &b, to[q - from], strlen(to[q - from]), str_origin(s, i));
		at = i + 1;
	}
	if (at == 0)
		return str_safe(c, s, true);
	sb_sub(c, &b, s, at, s->n);
	return str_safe(c, sb_str(c, &b), true);
}

int32_t str_origin(const struct str *s, size_t byte)
{
	if (s->runs == NULL)
		return s->msg;
	for (uint32_t i = 0; i < s->nruns; i++)
		if (byte < s->runs[i].end)
			return s->runs[i].msg;
	return s->runs[s->nruns - 1].msg;
}

size_t str_find(struct tctx *c, const struct str *s, const struct str *sub, size_t from, size_t to)
{
	const char *p;

	if (from > to || sub->n > to - from)
		return T_NOARG;
	t_step(c, (to - from) / 256);
	p = sub->n ? memmem(s->p + from, to - from, sub->p, sub->n) : s->p + from;
	return p ? (size_t)(p - s->p) : T_NOARG;
}

size_t str_rfind(struct tctx *c, const struct str *s, const struct str *sub, size_t from, size_t to)
{
	if (from > to || sub->n > to - from)
		return T_NOARG;
	t_step(c, (to - from) / 64);
	for (size_t i = to - sub->n + 1; i-- > from;)
		if (memcmp(s->p + i, sub->p, sub->n) == 0)
			return i;
	return T_NOARG;
}

bool str_eq(const struct str *a, const struct str *b)
{
	return a->n == b->n && (a->p == b->p || memcmp(a->p, b->p, a->n) == 0);
}

bool str_is(const struct str *a, const char *b)
{
	return a->n == strlen(b) && memcmp(a->p, b, a->n) == 0;
}

static bool has_cp(const struct str *set, uint32_t cp)
{
	int len;

	for (size_t i = 0; i < set->n; i += (size_t)len)
		if (cp_get(set->p + i, set->p + set->n, &len) == cp)
			return true;
	return false;
}

void str_strip(const struct str *s, const struct str *chars, bool left, bool right, size_t *from, size_t *to)
{
	size_t a = 0, b = s->n, i;
	const char *end = s->p + s->n;
	uint32_t cp;
	int len;

	for (; left && a < b; a += (size_t)len) {
		cp = cp_get(s->p + a, end, &len);
		if (!(chars ? has_cp(chars, cp) : py_isspace(cp)))
			break;
	}
	while (right && b > a) {
		for (i = b - 1; i > a && !is_lead(s->p[i]); i--)
			;
		cp = cp_get(s->p + i, end, &len);
		if (!(chars ? has_cp(chars, cp) : py_isspace(cp)))
			break;
		b = i;
	}
	*from = a;
	*to = b;
}
