/* SPDX-License-Identifier: Apache-2.0 */
/* Any valid text goes through every metric and tokeniser; scores are finite and within their range. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "compliance.h"
#include "metric.h"
#include "termset.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one(const char *name, const struct metric_opts *o, struct text hyp, const struct text *ref)
{
	double v[METRIC_MAX_VALUES];
	const char *const *names;
	struct metric *m;
	size_t n;

	if (metric_lacks(name, o))
		return;
	if (metric_open(&m, name, o, false, NULL) != 0 || metric_add(m, hyp, ref, 2, NULL) != 0)
		abort();
	metric_score(m, NULL, 0, v);
	n = metric_values(m, &names);
	for (size_t k = 0; k < n; k++)
		if (!isfinite(v[k]) && !isnan(v[k]))    /* NaN: no n-grams, no terms */
			abort();
		else if ( v[k] < -1 || (v[k] > 100 + 1e-9 && !metric_lower_is_better(m) && strcmp(name, "length") != 0))
			abort();
	metric_close(m);
}

/* Made once, and kept. */
static const struct termset *dictionary(void)
{
	static const char text[] = "a\tb|cc\tx\n\xe4\xb8\xad\t\xe4\xb8\xad\xe4\xb8\xad\n1\t22\n";
	static struct termset *set;

	if (set == NULL) {
		set = termset_new(unicode_open());
		if (termset_parse(set, "d", text, sizeof text - 1, NULL) != 0 || termset_ready(set, NULL) != 0)
			abort();
	}
	return set;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data + 1;
	struct metric_opts o;
	struct compliance_rules rules = { 0 };
	struct text hyp, ref[2], none = { "", 0 };
	size_t n = size ? size - 1 : 0;

	if (n < 1 || n > 2000 || !utf8_valid(p, n, NULL))
		return 0;
	metric_opts_init(&o);
	o.bleu.tokenize = (enum bleu_tokenizer)(data[0] % 5);
	o.bleu.lowercase = o.chrf.lowercase = data[0] & 1;
	o.chrf.word_order = data[0] >> 1 & 3;
	o.rouge.tokenizer = (enum rouge_tokenizer)(data[0] % 4);
	o.rouge.stem = data[0] & 2;
	o.ter = (struct ter_words){ data[0] & 1, data[0] & 2, data[0] & 4, data[0] & 8 };
	o.match.how = (enum match_how)(data[0] % 4);
	hyp.p = p;                              /* the text in two: at a character near its middle */
	for (hyp.n = n / 2; hyp.n > 0 && ((unsigned char)p[hyp.n] & 0xc0) == 0x80; hyp.n--)
		;
	ref[0] = (struct text){ p + hyp.n, n - hyp.n };
	ref[1] = (struct text){ p, n };
	if (compliance_add(&rules, none, (struct text){ "required", 8 }, (struct text){ "a|\\p{L}+$", 8 }, none, NULL) != 0)
		abort();
	o.rules = &rules;
	o.terms = dictionary();
	for (const char *const *name = metric_names(); *name; name++)
		one(*name, &o, hyp, ref);
	compliance_free(&rules);
	return 0;
}
