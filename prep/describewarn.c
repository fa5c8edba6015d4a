/* SPDX-License-Identifier: Apache-2.0 */
/* What in the data usually ruins a run. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "describe.h"

static void warn(struct describe *d, const struct describe_part *p, const char *kind, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static void warn(struct describe *d, const struct describe_part *p, const char *kind, const char *fmt, ...)
{
	char line[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	ARRAY_ROOM(d->warning, d->nwarnings, d->warnings_cap);
	d->warning[d->nwarnings++] = (struct describe_warning){ kind, p, mem_str(line) };
}

#define COUNT(n) (unsigned long long)(n)

static double percent(uint64_t k, uint64_t n)
{
	return n ? 100.0 * (double)k / (double)n : 0;
}

/* The first characters of a value, at most 60 bytes of whole ones. */
static int clip(const char *s, size_t n)
{
	size_t end = 0;

	while (end < n && end + utf8_size(s + end) <= 60)
		end += utf8_size(s + end);
	return (int)end;
}

static void labels(struct describe *d, const struct describe_part *p)
{
	const struct strmap_entry **rank = tally_ranked(&p->label), *least;
	double even = tally_evenness(&p->label);
	uint64_t few = 0;

	for (size_t i = 0; i < p->label.map.n; i++)
		few += rank[i]->value < (uint64_t)d->o->min_label;
	if (few) {
		least = rank[p->label.map.n - 1];
		warn(d, p, "rare-label", "%llu of %zu labels have fewer than %lld records; '%.*s' has %llu", COUNT(few), p->label.map.n,
		     (long long)d->o->min_label, clip(least->key, least->n), least->key, COUNT(least->value));
	}
	if (even < 0.7)
		warn(d, p, "skewed-labels", "the labels are very uneven (evenness %.2f of 1): '%.*s' is that of %.1f%% of the records", even,
		     clip(rank[0]->key, rank[0]->n), rank[0]->key, percent(rank[0]->value, p->label.n));
	if (strmap_find(&p->label.map, "", 0))
		warn(d, p, "empty-label", "%llu records have no label", COUNT(strmap_find(&p->label.map, "", 0)->value));
	if (p->label.others)
		warn(d, p, "many-labels", "more than %d different labels: is this a column of classes?", TALLY_MAX);
	mem_free(rank);
}

/* Labels of P that the first file lacks: nothing teaches them. */
static void unknown_labels(struct describe *d, const struct describe_part *train, const struct describe_part *p)
{
	const struct strmap_entry *first = NULL;
	uint64_t n = 0;

	for (size_t i = 0; i < p->label.map.n; i++) {
		const struct strmap_entry *x = &p->label.map.e[i];

		if (strmap_find(&train->label.map, x->key, x->n))
			continue;
		first = first ? first : x;
		n++;
	}
	if (n)
		warn(d, p, "unknown-label", "%llu labels are not in %s: '%.*s'%s", COUNT(n), train->name, clip(first->key, first->n), first->key,
		     n > 1 ? " and others" : "");
}

static void answers(struct describe *d, const struct describe_part *p, uint64_t commonest)
{
	uint64_t n = p->answers.n;

	if (p->empty_answers)
		warn(d, p, "empty-answers", "%llu of %llu answers are empty", COUNT(p->empty_answers), COUNT(n));
	if (n > 1 && commonest > n / 2)
		warn(d, p, "one-answer", "%.1f%% of the answers are the same: '%.*s'", percent(commonest, n), clip(p->lead.p, p->lead.n), p->lead.p);
}

static void part(struct describe *d, unsigned k)
{
	const struct describe_part *p = &d->part[k];
	uint64_t near = d->o->no_near ? 0 : d->similar.twice[k];

	if (p->records == 0)
		warn(d, p, "empty", "there are no records");
	if (p->empty_texts)
		warn(d, p, "empty-texts", "%llu of %llu records have no text", COUNT(p->empty_texts), COUNT(p->records));
	if (d->max_len && 100 * p->over_limit > p->records)
		warn(d, p, "over-limit", "%.1f%% of the records are longer than %llu tokens", percent(p->over_limit, p->records), COUNT(d->max_len));
	if (p->has_label) {
		labels(d, p);
		if (k > 0 && d->part[0].has_label)
			unknown_labels(d, &d->part[0], p);
	}
	answers(d, p, d->answers.largest[k]);
	if (100 * d->texts.twice[k] > p->records)
		warn(d, p, "duplicates", "%.1f%% of the records have the text of another before them", percent(d->texts.twice[k], p->records));
	if (10 * near > p->records)
		warn(d, p, "near-duplicates", "%.1f%% of the records nearly have the text of another", percent(near, p->records));
}

/* Records of a later file that an earlier one has: what is measured was learnt. */
static void overlaps(struct describe *d, unsigned a, unsigned b)
{
	const struct describe_part *p = &d->part[b];
	uint64_t exact = d->texts.in[a][b], near = d->o->no_near ? 0 : d->similar.in[a][b];

	if (exact)
		warn(d, p, "overlap", "%llu records (%.1f%%) have a text of %s", COUNT(exact), percent(exact, p->records), d->part[a].name);
	if (near > exact)
		warn(d, p, "near-overlap", "%llu records (%.1f%%) nearly have a text of %s", COUNT(near), percent(near, p->records), d->part[a].name);
}

void describe_warn(struct describe *d)
{
	for (unsigned k = 0; k < d->nparts; k++)
		part(d, k);
	for (unsigned b = 1; b < d->nparts; b++)
		for (unsigned a = 0; a < b; a++)
			overlaps(d, a, b);
}
