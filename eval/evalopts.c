/* SPDX-License-Identifier: Apache-2.0 */
#include "evalopts.h"

#include <stdio.h>
#include <string.h>

#include "linefile.h"
#include "rulefile.h"
#include "utf8.h"

void eval_opts_init(struct eval_opts *o)
{
	memset(o, 0, sizeof *o);
	o->max_order = 4;
	o->smooth_value = -1;
	o->char_order = 6;
	o->beta = 2;
	o->resamples = 1000;
	o->reference = "reference";
	o->prediction = "prediction";
	o->id = "id";
	o->class = "class";
	rec_opts_init(&o->rec);
	metric_opts_init(&o->m);
	arena_init(&o->arena);
}

void eval_opts_release(struct eval_opts *o)
{
	match_rule_free(&o->m.match);
	compliance_free(&o->rules);
	termset_free(o->terms);
	unicode_close(o->unicode);
	arena_release(&o->arena);
}

const struct opt *eval_opts_table(struct eval_opts *o, struct opt table[EVAL_OPTS])
{
	const struct opt all[] = {
		OPT_HEAD("What is compared"),
		OPT_STR(0, "prediction", &o->prediction, "COL", "column of the answers [prediction]"),
		OPT_STR(0, "reference", &o->reference, "COL", "column of the references [reference]"),
		OPT_STR(0, "id", &o->id, "COL", "column that names an item [id, where there is one]"),
		OPT_STR(0, "match", &o->match, "RULE", "exact, strip, normalized, contains or regex:PATTERN [exact on tables, else strip]"),
		OPT_STR(0, "rules", &o->rules_file, "FILE", "compliance: records with rule, pattern, class, name"),
		OPT_LIST(0, "dict", &o->dicts, "FILE", "terms: a dictionary, as for sft-terms; again for more"),
		OPT_STR(0, "class", &o->class, "COL", "compliance: column of an answer's class [class]"),
		OPT_STR(0, "categories", &o->categories, "FILE", "labels to score, one a line, in this order [all]"),
		OPT_HEAD("BLEU"),
		OPT_CHOICE(0, "tokenize", &o->tokenize, "13a|zh|char|intl|none", "tokenizer [13a]"),
		OPT_FLAG(0, "lowercase", &o->lowercase, "ignore case (BLEU and chrF)"),
		OPT_CHOICE(0, "smooth-method", &o->smooth, "exp|floor|add-k|none", "smoothing [exp]"),
		OPT_REAL(0, "smooth-value", &o->smooth_value, "X", "of floor [0.1] and add-k [1]", 0, 1e6),
		OPT_INT(0, "max-ngram-order", &o->max_order, "N", "longest n-gram [4]", 1, BLEU_MAX_ORDER),
		OPT_FLAG(0, "effective-order", &o->effective_order, "leave out orders without n-grams"),
		OPT_HEAD("chrF, TER, ROUGE"),
		OPT_INT(0, "char-order", &o->char_order, "N", "longest character n-gram [6]", 1, CHRF_MAX_ORDER / 2),
		OPT_INT(0, "word-order", &o->word_order, "N", "longest word n-gram [0; chrF++: 2]", 0, CHRF_MAX_ORDER / 2),
		OPT_REAL(0, "beta", &o->beta, "X", "weight of recall [2]", 0, 1e6),
		OPT_FLAG(0, "chrf-whitespace", &o->chrf_whitespace, "count white space too"),
		OPT_FLAG(0, "chrf-eps-smoothing", &o->chrf_eps, "mean of F-scores, as chrF++.py"),
		OPT_FLAG(0, "ter-normalized", &o->ter.normalized, "normalise and cut punctuation"),
		OPT_FLAG(0, "ter-no-punct", &o->ter.no_punct, "drop punctuation"),
		OPT_FLAG(0, "ter-asian-support", &o->ter.asian_support, "the same for CJK text"),
		OPT_FLAG(0, "ter-case-sensitive", &o->ter.case_sensitive, "keep case"),
		OPT_STR(0, "rouge-types", &o->rouge_types, "LIST", "[rouge1,rouge2,rougeL,rougeLsum]"),
		OPT_CHOICE(0, "rouge-tokenizer", &o->rouge_tokenizer, "default|char|cjk-mixed|icu", "tokenizer [default]"),
		OPT_FLAG(0, "stemmer", &o->stemmer, "Porter stems (tokenizer default)"),
		OPT_HEAD("Intervals and output"),
		OPT_FLAG(0, "ci", &o->ci, "95% intervals"),
		OPT_INT(0, "resamples", &o->resamples, "N", "bootstrap resamples [1000]", 10, 1000000),
		OPT_FLAG(0, "json", &o->json, "one JSON object instead of a table"),
		OPT_FLAG(0, "csv", &o->csv, "CSV instead of a table"),
		OPT_END
	};

	_Static_assert(sizeof all <= EVAL_OPTS * sizeof *all, "room in the table");
	memcpy(table, all, sizeof all);
	return table;
}

int eval_lines(const char *file, struct arena *a, struct text **line, size_t *n, struct err *e)
{
	struct linefile *f;
	struct text t;
	size_t cap = 0;
	bool more;
	int rc;

	*line = NULL;
	*n = 0;
	if ((rc = linefile_open(&f, file, e)) != 0)
		return rc;
	while ((rc = linefile_next(f, &t, &more, e)) == 0 && more) {
		ARRAY_ROOM(*line, *n, cap);
		(*line)[(*n)++] = (struct text){ arena_str(a, t.p, t.n), t.n };
	}
	linefile_close(f);
	if (rc) {
		mem_free(*line);
		*line = NULL;
	}
	return rc;
}

static int read_categories(struct eval_opts *o, struct err *e)
{
	struct text *line;
	int rc;

	if (o->categories == NULL)
		return 0;
	if ((rc = eval_lines(o->categories, &o->arena, &line, &o->m.nlabels, e)) != 0)
		return rc;
	if (o->m.nlabels == 0)
		rc = err_set(e, SFT_BADDATA, "%s: no categories (expected one a line)", o->categories);
	else
		o->m.labels = memcpy(arena_get(&o->arena, o->m.nlabels * sizeof *line), line, o->m.nlabels * sizeof *line);
	mem_free(line);
	for (size_t i = 0; rc == 0 && i < o->m.nlabels; i++)
		for (size_t k = 0; rc == 0 && k < i; k++)
			if (text_equal(o->m.labels[i], o->m.labels[k]))
				rc = err_set(e, SFT_BADDATA, "%s:%zu: category '%.*s' stands there twice", o->categories, i + 1,
				             (int)o->m.labels[i].n, o->m.labels[i].p);
	return rc;
}

int eval_opts_terms(struct eval_opts *o, const struct opt_list *files, struct termset **out, struct err *e)
{
	int rc = 0;

	*out = NULL;
	if (files->n == 0)
		return 0;
	if (o->unicode == NULL)
		o->unicode = unicode_open();
	*out = termset_new(o->unicode);
	for (size_t k = 0; k < files->n && rc == 0; k++)
		rc = termset_read(*out, files->v[k], e);
	return rc ? rc : termset_ready(*out, e);
}

int eval_opts_finish(struct eval_opts *o, const struct tool *t, struct err *e)
{
	struct metric_opts *m = &o->m;
	int rc;

	m->bleu = (struct bleu_opts){ (enum bleu_tokenizer)o->tokenize, o->lowercase, o->effective_order, (enum bleu_smooth)o->smooth,
	                              o->smooth_value, (unsigned)o->max_order };
	m->chrf = (struct chrf_opts){ (unsigned)o->char_order, (unsigned)o->word_order, o->beta, o->lowercase, o->chrf_whitespace,
	                              o->chrf_eps };
	m->ter = o->ter;
	if (o->json && o->csv)
		return err_set(e, SFT_USAGE, "--json and --csv: one of them");
	if (o->smooth_value >= 0 && (o->smooth == SMOOTH_EXP || o->smooth == SMOOTH_NONE))
		return err_set(e, SFT_USAGE, "--smooth-value is for --smooth-method floor and add-k");
	m->rouge.tokenizer = (enum rouge_tokenizer)o->rouge_tokenizer;
	m->rouge.stem = o->stemmer;
	if (o->stemmer && o->rouge_tokenizer != ROUGE_DEFAULT)
		return err_set(e, SFT_USAGE, "--stemmer is for --rouge-tokenizer default");
	if (o->rouge_types && (rc = rouge_parse_types(o->rouge_types, &m->rouge, e)) != 0)
		return rc;
	if (o->match && (rc = match_rule_parse(&m->match, o->match, e)) != 0)
		return rc;
	if (o->rules_file) {
		if ((rc = rulefile_read(&o->rules, o->rules_file, t, e)) != 0)
			return rc;
		m->rules = &o->rules;
	}
	if ((rc = eval_opts_terms(o, &o->dicts, &o->terms, e)) != 0)
		return rc;
	m->terms = o->terms;
	return read_categories(o, e);
}

int eval_opts_match(struct eval_opts *o, bool table, struct err *e)
{
	if (o->match)
		return 0;                       /* parsed already */
	return match_rule_parse(&o->m.match, table ? "exact" : "strip", e);
}
