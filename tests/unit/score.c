/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics: words and stems of the references, and what must hold for any text. */
#include <math.h>
#include <stdlib.h>

#include "compliance.h"
#include "lcs.h"
#include "metric.h"
#include "porter.h"
#include "rng.h"
#include "stats.h"
#include "termset.h"
#include "test.h"

static const char *data;

static struct text text_of(const char *s)
{
	return (struct text){ s, strlen(s) };
}

static bool near(double a, double b)
{
	return fabs(a - b) <= 1e-9 * (1 + fabs(b));
}

/* File NAME of a golden case; NULL, and the test skipped, without the data. */
static char *golden(struct arena *a, const char *name, size_t *n)
{
	char path[512], *p;
	FILE *f;
	long size;

	snprintf(path, sizeof path, "%s/eval/%s", data, name);
	if ((f = fopen(path, "rb")) == NULL)
		return NULL;
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	rewind(f);
	p = arena_get(a, (size_t)size + 1);
	*n = fread(p, 1, (size_t)size, f);
	p[*n] = '\0';
	fclose(f);
	return p;
}

static const struct json *expected(struct arena *a, const char *name)
{
	struct json_parser *p = json_parser_new();
	const struct json *v = NULL;
	size_t n;
	char *s = golden(a, name, &n);
	struct err e = { 0 };

	CHECK(s != NULL && json_parse(p, a, s, n, &v, &e) == 0);
	json_parser_free(p);
	return v ? json_get(v, "results") : NULL;
}

/* Lines of a golden file, one after the other. */
static bool line(const char **p, struct text *t)
{
	const char *lf = strchr(*p, '\n');

	if (lf == NULL)
		return false;
	*t = (struct text){ *p, (size_t)(lf - *p) };
	*p = lf + 1;
	return true;
}

static void same_words(const struct words *w, const struct json *want)
{
	CHECK(want && w->n == want->n);
	for (size_t i = 0; want && i < w->n && i < want->n; i++)
		CHECK(text_equal(w->w[i], (struct text){ want->item[i].s, want->item[i].n }));
}

static void tokenisers(void)
{
	static const char *const name[] = { "13a", "zh", "char", "intl", "none" };
	struct words w = { 0 };
	struct arena a;
	const struct json *r;
	struct text t;
	size_t n, seen = 0;
	const char *input;

	arena_init(&a);
	input = golden(&a, "018-tokenise-sacrebleu/input.txt", &n);
	r = expected(&a, "018-tokenise-sacrebleu/expected.json");
	for (size_t k = 0; r && k < r->n; k++)
		for (int tok = 0; tok < 5; tok++) {
			const struct json *tokens = json_get(&r->item[k], "tokens");
			const char *p = input;

			if (!json_is(json_get(&r->item[k], "tokenize"), name[tok]))
				continue;
			for (size_t i = 0; line(&p, &t); i++, seen++) {
				words_bleu(&w, (enum bleu_tokenizer)tok, false, t);
				same_words(&w, &tokens->item[i]);
			}
		}
	CHECK(seen > 100);
	words_free(&w);
	arena_release(&a);
}

static void stems(void)
{
	struct arena a;
	const struct json *r, *want;
	const char *p;
	struct text t;
	size_t n, i = 0;
	char word[64];

	arena_init(&a);
	p = golden(&a, "032-stem-porter/words.txt", &n);
	r = expected(&a, "032-stem-porter/expected.json");
	want = r ? json_get(&r->item[0], "stems") : NULL;
	for (; want && i < want->n && line(&p, &t) && t.n < sizeof word; i++) {
		memcpy(word, t.p, t.n);
		n = t.n > 3 ? porter_stem(word, t.n) : t.n;
		CHECK(text_equal((struct text){ word, n }, (struct text){ want->item[i].s, want->item[i].n }));
	}
	CHECK(i > 100);
	arena_release(&a);
}

/* The traps that golden/eval's README names. */
static void awkward_words(void)
{
	static const struct {
		enum bleu_tokenizer tok;
		const char *in, *out;
	} cases[] = {
		{ BLEU_13A, "1.,2 a..b", "1 . , 2 a . . b|" }, { BLEU_13A, "&amp;lt; &amp;quot;", "< & quot ;|" }, { BLEU_13A, "ends 3.", "ends 3 .|" },
		{ BLEU_INTL, "ends 3.", "ends 3.|" }, { BLEU_ZH, "ends 3.", "ends 3.|" }, { BLEU_13A, "2-3 a-b", "2 - 3 a-b|" },
		{ BLEU_ZH, "\xe4\xb8\xad\xe6\x96\x87\xe2\x80\xa6", "\xe4\xb8\xad \xe6\x96\x87 \xe2\x80\xa6|" },
		{ BLEU_13A, "a<skipped>b", "ab|" }, { BLEU_CHAR, "a b\xe2\x80\xa8""c", "a b c|" }, { BLEU_NONE, " a\xc2\xa0 b ", "a b|" },
		{ BLEU_13A, "", "|" }, { BLEU_ZH, ".", ".|" }, { BLEU_INTL, "..", ". .|" },
	};
	struct words w = { 0 };
	struct buf b = { 0 };

	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		b.n = 0;
		words_bleu(&w, cases[k].tok, false, text_of(cases[k].in));
		for (size_t i = 0; i < w.n; i++) {
			if (i)
				buf_ch(&b, ' ');
			buf_add(&b, w.w[i].p, w.w[i].n);
		}
		buf_ch(&b, '|');
		CHECK_STR(b.p, cases[k].out);
	}
	text_lower(&b, text_of("\xce\x9f\xce\x94\xce\x9f\xce\xa3 \xe2\x84\xaa \xc4\xb0"));      /* final sigma; Kelvin; dotted I */
	CHECK_STR(b.p, "\xce\xbf\xce\xb4\xce\xbf\xcf\x82 k i\xcc\x87");
	words_free(&w);
	buf_free(&b);
}

/* --- counting --- */

/* The whole table, (n + 1) x (m + 1). */
static size_t slow_lcs(const uint32_t *a, size_t n, const uint32_t *b, size_t m, uint16_t *t)
{
	size_t w = m + 1;

	memset(t, 0, (n + 1) * w * sizeof *t);
	for (size_t i = 1; i <= n; i++)
		for (size_t j = 1; j <= m; j++) {
			uint16_t up = t[(i - 1) * w + j], left = t[i * w + j - 1];
			t[i * w + j] = a[i - 1] == b[j - 1] ? t[(i - 1) * w + j - 1] + 1 : up > left ? up : left;
		}
	return t[n * w + m];
}

/* Bit-parallel against the table, marks against rouge_score's way back, up to N rows and M columns of SYMBOLS symbols. */
static void subsequence(struct lcs *l, struct rng *r, size_t n, size_t m, uint32_t symbols)
{
	uint16_t *t = mem_grow(NULL, (n + 1) * (m + 1), sizeof *t);
	uint32_t *a = mem_grow(NULL, n + 1, sizeof *a), *b = mem_grow(NULL, m + 1, sizeof *b);
	bool *hit = mem_new(n + 1), *want = mem_new(n + 1);
	size_t i, j;
	struct ids rows = { a, n, 0 };

	for (i = 0; i < n; i++)
		a[i] = rng_below(r, 8) ? (uint32_t)rng_below(r, symbols) : INTERN_NONE;
	for (j = 0; j < m; j++)
		b[j] = (uint32_t)rng_below(r, symbols);
	CHECK(lcs_length(l, &rows, b, m, symbols) == slow_lcs(a, n, b, m, t));
	lcs_mark(l, &rows, b, m, symbols, hit);
	for (i = n, j = m; i && j;) {
		if (a[i - 1] == b[j - 1]) {
			want[--i] = true;
			j--;
		} else if (t[i * (m + 1) + j - 1] > t[(i - 1) * (m + 1) + j]) {
			j--;
		} else {
			i--;
		}
	}
	CHECK(memcmp(hit, want, n) == 0);
	mem_free(t);
	mem_free(a);
	mem_free(b);
	mem_free(hit);
	mem_free(want);
}

static void subsequences(void)
{
	struct lcs l = { 0 };
	struct rng r;

	rng_init(&r, 1, 1);
	for (int k = 0; k < 300; k++)
		subsequence(&l, &r, rng_below(&r, 41), rng_below(&r, 41), 5);
	for (int k = 0; k < 60; k++)
		subsequence(&l, &r, rng_below(&r, 400), rng_below(&r, 400), 1 + (uint32_t)rng_below(&r, 90));
	subsequence(&l, &r, 3500, 700, 30);             /* so long that rows are made again on the way back */
	lcs_free(&l);
}

/* --- properties --- */

static const char *const sample[] = {
	"the cat sat on the mat, quietly .", "a dog barked\nand barked again", "\xe6\x88\x91\xe7\x88\xb1\xe5\x8c\x97\xe4\xba\xac\xe3\x80\x82",
	"3.14 is pi - nearly", "r\xc3\xa9sum\xc3\xa9 \xf0\x9f\x98\x80 \xe2\x80\xa8 end", "one two three four five six seven",
};
enum { NSAMPLE = sizeof sample / sizeof *sample };

static void score_pairs(const char *name, const struct metric_opts *o, const uint32_t *order, bool same, double *out)
{
	struct err e = { 0 };
	struct metric *m;

	CHECK(metric_open(&m, name, o, true, &e) == 0);
	for (uint32_t i = 0; i < NSAMPLE; i++) {
		struct text ref[2] = { text_of(sample[order[i]]), text_of(sample[(order[i] + 1) % NSAMPLE]) };
		CHECK(metric_add(m, same ? ref[0] : text_of(sample[(order[i] + 2) % NSAMPLE]), ref, same ? 1 : 2, &e) == 0);
	}
	metric_score(m, NULL, 0, out);
	metric_close(m);
}

static void identity_is_best(void)
{
	static const uint32_t order[NSAMPLE] = { 0, 1, 2, 3, 4, 5 };
	struct metric_opts o;
	double v[METRIC_MAX_VALUES];

	metric_opts_init(&o);
	o.bleu.tokenize = BLEU_CHAR;            /* so that every text has words of every order */
	o.rouge.tokenizer = ROUGE_CHAR;
	score_pairs("bleu", &o, order, true, v);
	CHECK(near(v[0], 100));
	score_pairs("chrf", &o, order, true, v);
	CHECK(near(v[0], 100));
	score_pairs("ter", &o, order, true, v);
	CHECK(v[0] == 0);
	score_pairs("rouge", &o, order, true, v);
	CHECK(near(v[0], 1) && near(v[1], 1) && near(v[2], 1) && near(v[3], 1));
	score_pairs("accuracy", &o, order, true, v);
	CHECK(v[0] == 1 && v[1] == 1 && v[2] == 1);
}

/* What compliance and terms need. */
struct needs {
	struct compliance_rules rules;
	struct unicode *unicode;
	struct termset *terms;
};

static void needs_open(struct needs *n, struct metric_opts *o)
{
	memset(n, 0, sizeof *n);
	n->unicode = unicode_open();
	n->terms = termset_new(n->unicode);
	CHECK(termset_parse(n->terms, "d", "cat\tcats|tom\tanimal\ndog\thound\tanimal\npi\t3.14\n", 45, NULL) == 0 && termset_ready(n->terms, NULL) == 0);
	CHECK(compliance_add(&n->rules, text_of(""), text_of("required"), text_of("[a-m]{2}"), text_of(""), NULL) == 0);
	o->rules = &n->rules;
	o->terms = n->terms;
}

static void needs_close(struct needs *n)
{
	compliance_free(&n->rules);
	termset_free(n->terms);
	unicode_close(n->unicode);
}

static void order_does_not_count(void)
{
	static const uint32_t one[NSAMPLE] = { 0, 1, 2, 3, 4, 5 }, other[NSAMPLE] = { 4, 2, 0, 5, 3, 1 };
	double a[METRIC_MAX_VALUES], b[METRIC_MAX_VALUES];
	struct metric_opts o;
	struct needs needs;

	metric_opts_init(&o);
	needs_open(&needs, &o);
	o.chrf.word_order = 2;
	for (const char *const *name = metric_names(); *name; name++) {
		struct metric *m;
		const char *const *names;
		size_t n;

		if (metric_lacks(*name, &o))
			continue;
		score_pairs(*name, &o, one, false, a);
		score_pairs(*name, &o, other, false, b);
		metric_open(&m, *name, &o, false, NULL);
		n = metric_values(m, &names);
		for (size_t v = 0; v < n; v++)
			CHECK(near(a[v], b[v]));
		metric_close(m);
	}
	needs_close(&needs);
}

/* A sample of all items, each once, is the whole. */
static void sample_is_whole(void)
{
	static const uint32_t pick[NSAMPLE] = { 5, 4, 3, 2, 1, 0 };
	struct metric_opts o;
	struct needs needs;

	metric_opts_init(&o);
	needs_open(&needs, &o);
	for (const char *const *name = metric_names(); *name; name++) {
		double a[METRIC_MAX_VALUES], b[METRIC_MAX_VALUES];
		const char *const *names;
		struct metric *m;

		if (metric_lacks(*name, &o))
			continue;
		CHECK(metric_open(&m, *name, &o, true, NULL) == 0);
		for (uint32_t i = 0; i < NSAMPLE; i++) {
			struct text ref = text_of(sample[i]);
			metric_add(m, text_of(sample[i / 2]), &ref, 1, NULL);
		}
		metric_score(m, NULL, 0, a);
		metric_score(m, pick, NSAMPLE, b);
		for (size_t v = 0; v < metric_values(m, &names) && !metric_without(m, NULL); v++)
			CHECK(near(a[v], b[v]));
		metric_close(m);
	}
	needs_close(&needs);
}

/* Sums of binomials divided exactly, rounded once (Python's fractions). */
static void fisher_and_holm(void)
{
	double p[] = { 0.01, NAN, 0.04, 0.03, 0.005 };

	CHECK(near(stats_fisher(3, 4, 4, 8), 0.24285714285714285));
	CHECK(near(stats_fisher(30, 100, 120, 1000), 2.281378510136865e-07));
	CHECK(near(stats_fisher(11, 12, 500, 1000), 0.0030304799947951278));
	CHECK(stats_fisher(0, 5, 3, 9) == 1 && stats_fisher(4, 9, 4, 9) == 1 && stats_fisher(5, 6, 4, 9) == 0);
	stats_holm(p, 5);                       /* R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") = 0.03 0.06 0.06 0.02 */
	CHECK(near(p[0], 0.03) && isnan(p[1]) && near(p[2], 0.06) && near(p[3], 0.06) && near(p[4], 0.02));
}

static void unknown_metric(void)
{
	struct metric_opts o;
	struct metric *m;
	struct err e = { 0 };

	metric_opts_init(&o);
	CHECK(metric_open(&m, "blue", &o, false, &e) == SFT_USAGE && m == NULL && strstr(e.msg, "'bleu'"));
}

/* --- matching --- */

static bool right(const char *rule, const char *hyp, const char *ref)
{
	struct match_rule r;
	struct answer a = { 0 };
	struct text t = text_of(ref);
	struct err e = { 0 };
	bool is;

	CHECK(match_rule_parse(&r, rule, &e) == 0);
	CHECK(answer_judge(&a, &r, text_of(hyp), &t, 1, &e) == 0);
	is = a.right;
	answer_free(&a);
	match_rule_free(&r);
	return is;
}

static void matching(void)
{
	struct match_rule r;
	struct err e = { 0 };

	CHECK(right("exact", "yes", "yes") && !right("exact", "yes ", "yes"));
	CHECK(right("strip", "\xe3\x80\x80yes\n", " yes") && !right("strip", "Yes", "yes"));
	CHECK(right("normalized", "The  Answer: Yes!", "answer yes") && right("normalized", "\xef\xbc\xa1\xe3\x80\x82", "a. A"));
	CHECK(!right("normalized", "then", "n") && right("normalized", "", "the"));
	CHECK(right("contains", "it is Paris.", " Paris ") && !right("contains", "Pari", "Paris") && right("contains", "x", ""));
	CHECK(right("regex:(-?\\d+)\\D*$", "so 7, then 42.", "#### 42") && !right("regex:\\d+", "none", "none"));
	CHECK(right("regex:answer: (\\w+)", "answer: yes, it is", "yes"));
	CHECK(match_rule_parse(&r, "exakt", &e) == SFT_USAGE && strstr(e.msg, "exact"));
	CHECK(match_rule_parse(&r, "regex:(", &e) == SFT_USAGE);
}

/* --- statistics --- */

static void intervals(void)
{
	double lo, hi;

	stats_wilson(114, 200, &lo, &hi);
	CHECK(near(lo, 0.5007048776415267) && near(hi, 0.6366567766656558));
	stats_wilson(0, 10, &lo, &hi);
	CHECK(lo == 0 && hi < 0.3);
	stats_wilson(10, 10, &lo, &hi);
	CHECK(lo > 0.7 && hi == 1);
	stats_wilson(0, 0, &lo, &hi);
	CHECK(lo == 0 && hi == 1);
	CHECK(stats_mcnemar(0, 0) == 1 && stats_mcnemar(5, 5) == 1);
	CHECK(near(stats_mcnemar(6, 20), 0.009355306625366211) && near(stats_mcnemar(20, 6), 0.009355306625366211));
	CHECK(near(stats_mcnemar(0, 10), 2 / 1024.));
	CHECK(stats_mcnemar(400000, 600000) < 1e-300 && stats_mcnemar(500000, 500010) > 0.9);
	CHECK(stats_quantile((double[]){ 1, 2, 3, 4 }, 4, 0.5) == 2.5 && isnan(stats_quantile(NULL, 0, 0.5)));
}

/* sacreBLEU's resamples, number by number, give its scores and its p-value. */
static void resamples_of_sacrebleu(void)
{
	static const char dir[] = "061-significance-bleu-paired";
	struct metric_opts o;
	struct metric *m[2];
	struct arena a;
	const struct json *r, *want;
	const char *hyp[2], *ref;
	double diffs[1000], v[2], whole[2], p = NAN;
	uint32_t pick[64];
	char name[80], *idx, *end;
	size_t n, rows = 0;
	struct text h, t;

	arena_init(&a);
	metric_opts_init(&o);
	for (int k = 0; k < 2; k++) {
		snprintf(name, sizeof name, "%s/%s.txt", dir, k ? "new" : "base");
		hyp[k] = golden(&a, name, &n);
		snprintf(name, sizeof name, "%s/ref0.txt", dir);
		ref = golden(&a, name, &n);
		metric_open(&m[k], "bleu", &o, true, NULL);
		while (hyp[k] && ref && line(&hyp[k], &h) && line(&ref, &t))
			metric_add(m[k], h, &t, 1, NULL);
		metric_score(m[k], NULL, 0, &whole[k]);
	}
	snprintf(name, sizeof name, "%s/indices.csv", dir);
	idx = golden(&a, name, &n);
	r = expected(&a, "061-significance-bleu-paired/expected.json");
	want = r ? json_get(&r->item[0], "double_precision_with_indices") : NULL;
	for (; idx && *idx && rows < 1000; rows++) {
		for (n = 0; n < 64 && *idx && *idx != '\n'; idx = end + (*end == ','))
			pick[n++] = (uint32_t)strtoul(idx, &end, 10);
		idx += *idx == '\n';
		for (int k = 0; k < 2; k++)
			metric_score(m[k], pick, n, &v[k]);
		if (rows < 10 && want) {
			CHECK(near(v[0], json_double(&json_get(want, "base_scores_first10")->item[rows])));
			CHECK(near(v[1], json_double(&json_get(want, "new_scores_first10")->item[rows])));
		}
		diffs[rows] = v[1] - v[0];
	}
	CHECK(rows == 1000);
	if (want)
		p = json_double(json_get(want, "p_value"));
	CHECK(near(stats_paired_p(diffs, rows, whole[1] - whole[0]), p));
	metric_close(m[0]);
	metric_close(m[1]);
	arena_release(&a);
}

int main(void)
{
	data = getenv("DATA") ? getenv("DATA") : "tests/data";
	TEST(tokenisers);
	TEST(stems);
	TEST(awkward_words);
	TEST(subsequences);
	TEST(identity_is_best);
	TEST(order_does_not_count);
	TEST(sample_is_whole);
	TEST(unknown_metric);
	TEST(matching);
	TEST(fisher_and_holm);
	TEST(intervals);
	TEST(resamples_of_sacrebleu);
	return test_end();
}
