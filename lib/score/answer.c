/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"

#include <string.h>

#include "opt.h"

int match_rule_parse(struct match_rule *r, const char *name, struct err *e)
{
	static const char *const words[] = { "exact", "strip", "normalized", "contains", "regex:PATTERN" };

	memset(r, 0, sizeof *r);
	r->name = name;
	for (unsigned k = 0; k < MATCH_REGEX; k++)
		if (strcmp(name, words[k]) == 0) {
			r->how = (enum match_how)k;
			return 0;
		}
	if (strncmp(name, "regex:", 6) == 0) {
		r->how = MATCH_REGEX;
		if (pattern_new(&r->regex, name + 6, strlen(name + 6), 0, e) != 0)
			return err_in(e, "--match");
		return 0;
	}
	const char *near = opt_nearest(name, words, 5);
	return err_set(e, SFT_USAGE, "--match: no rule '%s'%s%s%s (expected exact, strip, normalized, contains or regex:PATTERN)", name,
	               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

void match_rule_free(struct match_rule *r)
{
	pattern_free(r->regex);
	memset(r, 0, sizeof *r);
}

static bool article(struct text w)
{
	return (w.n == 1 && w.p[0] == 'a') || (w.n == 2 && memcmp(w.p, "an", 2) == 0) || (w.n == 3 && memcmp(w.p, "the", 3) == 0);
}

/* T in SQuAD's normal form, into OUT. */
static int normalize(struct answer *a, struct text t, struct buf *out, struct err *e)
{
	struct words w = { 0 };
	struct text low;
	bool changed;
	int rc;

	if (a->unicode == NULL)
		a->unicode = unicode_open();
	a->tmp.n = 0;
	if ((rc = unicode_normalize(a->unicode, UNICODE_NFKC, t.p, t.n, &a->tmp, &changed, e)) != 0)
		return rc;
	if (changed)
		t = (struct text){ a->tmp.p, a->tmp.n };
	text_lower(out, t);
	low = (struct text){ out->p, 0 };
	for (size_t at = 0, next; at < out->n; at = next) {     /* marks out, in place */
		uint32_t c;
		char kind;

		next = at;
		c = text_next((struct text){ out->p, out->n }, &next);
		kind = c < 0x80 && (c == '$' || c == '+' || c == '<' || c == '=' || c == '>' || c == '^' || c == '`' || c == '|' || c == '~')
		               ? 'P' : unicode_category(c)[0];
		if (kind != 'P') {
			memmove(out->p + low.n, out->p + at, next - at);
			low.n += next - at;
		}
	}
	words_split(&w, low);
	out->n = 0;
	for (size_t i = 0; i < w.n; i++)
		if (!article(w.w[i])) {
			size_t n = w.w[i].n;
			if (out->n)
				out->p[out->n++] = ' ';
			memmove(out->p + out->n, w.w[i].p, n);  /* never ahead of where it is read */
			out->n += n;
		}
	words_free(&w);
	return 0;
}

/* What RE finds in T; FOUND tells. */
static int extract(struct answer *a, const struct match_rule *r, struct text t, struct text *out, bool *found, struct err *e)
{
	size_t start, end;
	int rc;

	if (a->matcher == NULL)
		a->matcher = matcher_new();
	if ((rc = pattern_find(r->regex, a->matcher, t.p ? t.p : "", t.n, 0, found, e)) != 0 || !*found)
		return rc;
	if (pattern_groups(r->regex) == 0 || !matcher_span(a->matcher, 1, &start, &end))
		matcher_span(a->matcher, 0, &start, &end);
	*out = (struct text){ t.p + start, end - start };
	return 0;
}

static int reduce(struct answer *a, const struct match_rule *r, struct text t, struct buf *buf, struct text *out, bool *found,
                  struct err *e)
{
	int rc = 0;

	*found = true;
	*out = t;
	switch (r->how) {
	case MATCH_EXACT: break;
	case MATCH_STRIP:
	case MATCH_CONTAINS: *out = text_strip(t); break;
	case MATCH_REGEX: rc = extract(a, r, t, out, found, e); break;
	case MATCH_NORMALIZED:
		rc = normalize(a, t, buf, e);
		*out = (struct text){ buf->p, buf->n };
	}
	return rc;
}

static bool holds(const struct match_rule *r, struct text gold, struct text pred)
{
	if (r->how == MATCH_CONTAINS)
		return gold.n == 0 || (pred.n && memmem(pred.p, pred.n, gold.p, gold.n) != NULL);
	return text_equal(gold, pred);
}

int answer_judge(struct answer *a, const struct match_rule *r, struct text hyp, const struct text *ref, size_t nref, struct err *e)
{
	struct text gold;
	bool found, ignored;
	int rc;

	a->right = false;
	if ((rc = reduce(a, r, hyp, &a->pred_buf, &a->pred, &found, e)) != 0)
		return rc;
	if (!found)
		a->pred = (struct text){ "", 0 };
	for (size_t k = 0; k < nref && !a->right; k++) {
		if ((rc = reduce(a, r, ref[k], &a->gold_buf, &gold, &ignored, e)) != 0)
			return rc;
		a->right = found && holds(r, gold, a->pred);
		if (a->right || k == 0)
			a->gold = gold;
	}
	if (!a->right && nref > 1)                      /* the buffer holds the last reference: the first again */
		rc = reduce(a, r, ref[0], &a->gold_buf, &a->gold, &ignored, e);
	if (a->right)
		a->pred = a->gold;                      /* "contains": the label that was found */
	return rc;
}

void answer_free(struct answer *a)
{
	buf_free(&a->gold_buf);
	buf_free(&a->pred_buf);
	buf_free(&a->tmp);
	matcher_free(a->matcher);
	unicode_close(a->unicode);
	memset(a, 0, sizeof *a);
}
