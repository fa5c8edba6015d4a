/* SPDX-License-Identifier: Apache-2.0 */
/* The usual rules of when an answer is right, side by side; with several references each rule takes its best one. */
#include <string.h>

#include "intern.h"
#include "metric_class.h"
#include "utf8.h"

enum { EXACT, STRIPPED, CASEFOLD, CONTAINS, NORMALIZED, SQUAD_EM, SQUAD_F1, LAST_NUMBER, NVALUES };

struct own {
	struct answer answer;
	struct unicode *unicode;
	struct buf hyp, ref, tmp;
	struct words hyp_words, ref_words;
	struct intern intern;
	struct ids hyp_ids, ref_ids;
	struct buf hyp_number, ref_number;      /* of the item added last */
	bool hyp_has, ref_has;
};

static int open_(struct metric *m, struct err *e)
{
	static const char *const names[] = { "exact", "exact_stripped", "exact_casefold_nfc", "contains", "normalized", "squad_em", "squad_f1",
	                                     "last_number_match" };
	struct own *o = m->own;

	(void)e;
	m->names = names;
	m->nvalues = m->width = NVALUES;
	o->unicode = unicode_open();
	return 0;
}

/* str.casefold() of the NFC of T, into OUT. */
static int casefold(struct own *o, struct text t, struct buf *out, struct err *e)
{
	bool changed;
	int rc;

	o->tmp.n = out->n = 0;
	if ((rc = unicode_normalize(o->unicode, UNICODE_NFC, t.p ? t.p : "", t.n, &o->tmp, &changed, e)) != 0)
		return rc;
	if (changed)
		t = (struct text){ o->tmp.p, o->tmp.n };
	unicode_case(o->unicode, UNICODE_FOLD, t.p ? t.p : "", t.n, out);
	return 0;
}

/* --- SQuAD --- */

static bool ascii_punctuation(char c)
{
	return c > ' ' && c < 0x7f && memchr("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", c, 32) != NULL;
}

static bool article(const char *p, size_t n)
{
	return (n == 1 && *p == 'a') || (n == 2 && memcmp(p, "an", 2) == 0) || (n == 3 && memcmp(p, "the", 3) == 0);
}

/* normalize_answer() of the official script (Rajpurkar et al. 2016): lower case, no ASCII punctuation, no articles between
 * word boundaries; into W, whose words borrow from BUF. */
static void squad(struct own *o, struct text t, struct buf *buf, struct words *w)
{
	size_t n = 0;

	text_lower(buf, t);
	for (size_t i = 0; i < buf->n; i++)
		if (!ascii_punctuation(buf->p[i]))
			buf->p[n++] = buf->p[i];
	buf->n = n;
	for (const char *p = buf->p, *end = buf->p + n, *next; p < end; p = next) {     /* runs of \w */
		const char *run = p;

		next = p;
		if (!(unicode_class(o->unicode, utf8_get(&next)) & UNI_WORD))
			continue;
		for (p = next; p < end && (unicode_class(o->unicode, utf8_get(&next)) & UNI_WORD); p = next)
			;
		next = p;
		if (article(run, (size_t)(p - run)))
			memset(buf->p + (run - buf->p), ' ', (size_t)(p - run));
	}
	words_split(w, (struct text){ buf->p ? buf->p : "", buf->n });
}

/* F1 over words, as often as they stand there; without words on a side, whether both are without. */
static double word_f1(struct own *o)
{
	size_t nh = o->hyp_words.n, nr = o->ref_words.n, same = 0;
	uint32_t *left;
	double precision, recall;

	if (nh == 0 || nr == 0)
		return nh == nr;
	put_words(&o->intern, &o->hyp_words, &o->hyp_ids);
	find_words(&o->intern, &o->ref_words, &o->ref_ids);
	left = mem_new(nh * sizeof *left);
	for (size_t i = 0; i < nh; i++)
		left[o->hyp_ids.v[i]]++;
	for (size_t i = 0; i < nr; i++)
		if (o->ref_ids.v[i] != INTERN_NONE && left[o->ref_ids.v[i]]) {
			left[o->ref_ids.v[i]]--;
			same++;
		}
	mem_free(left);
	if (same == 0)
		return 0;
	precision = (double)same / (double)nh;
	recall = (double)same / (double)nr;
	return 2 * precision * recall / (precision + recall);
}

static bool same_words(const struct words *a, const struct words *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!text_equal(a->w[i], b->w[i]))
			return false;
	return true;
}

/* --- numbers --- */

static bool digit(struct text t, size_t i)
{
	return i < t.n && t.p[i] >= '0' && t.p[i] <= '9';
}

/* The last match of -?[0-9][0-9,]*(\.[0-9]+)? in T, without its commas. */
static bool last_number(struct text t, struct buf *out)
{
	bool found = false;

	for (size_t i = 0; i < t.n;) {
		size_t from = i, end;

		if (!digit(t, i) && !(t.p[i] == '-' && digit(t, i + 1))) {
			i++;
			continue;
		}
		for (end = i + 1; digit(t, end) || (end < t.n && t.p[end] == ','); end++)
			;
		if (end < t.n && t.p[end] == '.' && digit(t, end + 1))
			for (end++; digit(t, end); end++)
				;
		out->n = 0;
		for (i = from; i < end; i++)
			if (t.p[i] != ',')
				buf_ch(out, t.p[i]);
		found = true;
	}
	return found;
}

/* --- the metric --- */

static void best(double *v, double x)
{
	if (x > *v)
		*v = x;
}

static bool contains(struct text hyp, struct text ref)
{
	struct text r = text_strip(ref);

	return r.n == 0 || (hyp.n && memmem(hyp.p, hyp.n, r.p, r.n) != NULL);
}

static int against(struct own *o, struct text hyp, struct text ref, bool first, double *v, struct err *e)
{
	static const struct match_rule normalized = { MATCH_NORMALIZED, "normalized", NULL };
	bool same;
	int rc;

	best(&v[EXACT], text_equal(hyp, ref));
	best(&v[STRIPPED], text_equal(text_strip(hyp), text_strip(ref)));
	best(&v[CONTAINS], contains(hyp, ref));
	if ((rc = casefold(o, hyp, &o->hyp, e)) != 0 || (rc = casefold(o, ref, &o->ref, e)) != 0)
		return rc;
	best(&v[CASEFOLD], text_equal((struct text){ o->hyp.p, o->hyp.n }, (struct text){ o->ref.p, o->ref.n }));
	if ((rc = answer_judge(&o->answer, &normalized, hyp, &ref, 1, e)) != 0)
		return rc;
	best(&v[NORMALIZED], o->answer.right);
	squad(o, hyp, &o->hyp, &o->hyp_words);
	squad(o, ref, &o->ref, &o->ref_words);
	best(&v[SQUAD_EM], same_words(&o->hyp_words, &o->ref_words));
	best(&v[SQUAD_F1], word_f1(o));
	if (!last_number(ref, &o->tmp))
		return 0;
	same = o->hyp_has && o->tmp.n == o->hyp_number.n && memcmp(o->tmp.p, o->hyp_number.p, o->tmp.n) == 0;
	if (first || same) {                    /* the number that is shown */
		o->ref_number.n = 0;
		buf_add(&o->ref_number, o->tmp.p, o->tmp.n);
		o->ref_has = true;
	}
	best(&v[LAST_NUMBER], same);
	return 0;
}

static int add(struct metric *m, struct text hyp, const struct text *ref, size_t nref, struct err *e)
{
	struct own *o = m->own;
	int rc = 0;

	memset(m->row, 0, NVALUES * sizeof *m->row);
	o->ref_has = false;
	o->hyp_has = last_number(hyp, &o->hyp_number);
	for (size_t k = 0; k < nref && rc == 0; k++)
		rc = against(o, hyp, ref[k], k == 0, m->row, e);
	return rc;
}

static void score(const struct metric *m, const double *sum, size_t n, double *out)
{
	(void)m;
	for (size_t v = 0; v < NVALUES; v++)
		out[v] = n ? sum[v] / (double)n : 0;
}

static void item(struct metric *m, double *out)
{
	memcpy(out, m->row, NVALUES * sizeof *out);
}

static void json(struct metric *m, struct jw *w)
{
	double v[NVALUES];

	score(m, m->sum, m->n, v);
	jw_key(w, "n");
	jw_uint(w, m->n);
	jw_key(w, "means");
	jw_obj(w);
	for (size_t k = 0; k < NVALUES; k++) {
		jw_key(w, m->names[k]);
		jw_double(w, v[k]);
	}
	jw_obj_end(w);
}

static void number_json(struct jw *w, const char *key, bool has, const struct buf *number)
{
	jw_key(w, key);
	if (has)
		jw_strn(w, number->p, number->n);
	else
		jw_null(w);
}

static void item_json(struct metric *m, struct jw *w)
{
	struct own *o = m->own;

	jw_obj(w);
	for (size_t k = 0; k < NVALUES; k++) {
		jw_key(w, m->names[k]);
		if (k == SQUAD_F1)
			jw_double(w, m->row[k]);
		else
			jw_int(w, m->row[k] > 0);
	}
	number_json(w, "last_number_pred", o->hyp_has, &o->hyp_number);
	number_json(w, "last_number_gold", o->ref_has, &o->ref_number);
	jw_obj_end(w);
}

static void signature(const struct metric *m, struct buf *to)
{
	(void)m;
	buf_str(to, "match:all");
}

static bool share(const struct metric *m, size_t v, double *k)
{
	*k = m->sum[v];
	return v != SQUAD_F1;
}

static void close_(struct metric *m)
{
	struct own *o = m->own;

	answer_free(&o->answer);
	unicode_close(o->unicode);
	buf_free(&o->hyp);
	buf_free(&o->ref);
	buf_free(&o->tmp);
	buf_free(&o->hyp_number);
	buf_free(&o->ref_number);
	words_free(&o->hyp_words);
	words_free(&o->ref_words);
	intern_free(&o->intern);
	mem_free(o->hyp_ids.v);
	mem_free(o->ref_ids.v);
}

const struct metric_class metric_match = {
	.name = "match", .version = "1", .size = sizeof(struct own), .open = open_, .add = add, .score = score, .item = item, .json = json,
	.item_json = item_json, .signature = signature, .share = share, .close = close_,
};
