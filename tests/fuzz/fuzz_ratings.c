/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as ratings: a long table, an export of Label Studio or of doccano (the first byte says which): the figures are what figures
 * can be, and JSON. */
#include <math.h>

#include "gold.h"
#include "kappaout.h"
#include "ratingread.h"
#include "records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void possible(struct coef c, double least)
{
	if (c.reason ? !isnan(c.v) : !(c.v >= least && c.v <= 1 + 1e-12))
		abort();
}

static void figures(const struct rating_table *r)
{
	struct kappa_shown s = { .min = NAN, .resamples = 10, .ci = r->t.items < 50 };
	struct kappa_figures f;
	struct json_parser *p = json_parser_new();
	const struct json *doc;
	struct buf out = { 0 };
	struct arena a = { 0 };
	struct err e = { 0 };

	kappa_compute(r, &s, &f);
	possible(f.percent.pooled_pairs, 0);
	possible(f.fleiss, -1);
	possible(f.alpha[0], -1e9);
	for (uint32_t k = 0; k < r->t.ncat; k++)
		possible(f.label[k].agreement, -1e-12);
	kappa_json(r, &f, &s, &out);
	if (json_parse(p, &a, out.p, out.n, &doc, &e) != 0)
		abort();
	kappa_table(r, &f, &s, &out);
	kappa_csv(r, &f, &s, &out);
	kappa_figures_free(&f);
	json_parser_free(p);
	arena_release(&a);
	buf_free(&out);
}

static void gold(const struct rating_table *r)
{
	struct gold g;
	uint64_t all = 0;

	gold_init(&g, r);
	gold_decide(&g, r);
	for (int k = 0; k < GOLD_HOWS; k++)
		all += g.count[k];
	if (all != r->t.items || g.split > g.count[GOLD_MAJORITY] + g.count[GOLD_TIE])
		abort();
	gold_free(&g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rating_opts o = { .source = size ? (enum rating_source)(data[0] % 3) : RATINGS_TABLE };
	struct rating_rule rule = { .repeat = REPEAT_LAST };
	struct tool t = { .name = "fuzz", .quiet = true };
	struct rec_opts plain;
	struct rating_table r;
	struct err e = { 0 };
	struct recin *in;
	const char *name;
	char path[40];
	int fd, rc;

	if (size == 0)
		return 0;
	if (o.source == RATINGS_TABLE) {
		o.item = "item";
		o.label = "label";
		o.rater = data[0] & 4 ? "rater" : NULL;
	}
	rule.anonymous = ratings_anonymous(&o);
	rec_opts_init(&plain);
	plain.from = o.source == RATINGS_TABLE ? REC_CSV : o.source == RATINGS_DOCCANO ? REC_JSONL : REC_JSON;
	fd = fuzz_file(data + 1, size - 1, path);
	name = path;
	rating_table_init(&r);
	if (rec_open(&in, &name, 1, &plain, &t, &e) == 0) {
		rc = ratings_read(&r, in, &o, &e);
		if (rc == 0 && (rc = rating_finish(&r, &rule, &e)) == 0 && r.t.raters <= 100 && r.t.ncat <= 300) {
			figures(&r);
			gold(&r);
		} else if (rc && e.msg[0] == '\0') {
			abort();
		}
		rec_abandon(in);
	}
	rating_table_free(&r);
	close(fd);
	return 0;
}
