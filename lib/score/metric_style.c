/* SPDX-License-Identifier: Apache-2.0 */
/* How answers are, whatever the references say: length, repetition, variety.  Words are those of wordbreak.h, in lower case.
 *
 *   length      characters (code points) and words, means over items; the share of answers without a word
 *   repetition  share of an answer's n-grams that stood in it before, 1 - distinct / all, mean over the answers that have n-grams of
 *               that order: seq-rep-n of Welleck et al., "Neural text generation with unlikelihood training", ICLR 2020
 *   distinct    distinct n-grams / all n-grams over all answers: distinct-n of Li et al., "A diversity-promoting objective function
 *               for neural conversation models", NAACL 2016.  n-grams are told apart by 64 bits of hash */
#include <math.h>
#include <string.h>

#include "grams.h"
#include "hash.h"
#include "intern.h"
#include "metric_class.h"

/* The lower-cased words of an answer. */
struct said {
	struct words words;
	struct buf low;
};

static int listen(struct said *s, struct text t, struct err *e)
{
	text_lower(&s->low, t);
	return words_icu(&s->words, (struct text){ s->low.p, s->low.n }, e);
}

static void said_free(struct said *s)
{
	words_free(&s->words);
	buf_free(&s->low);
}

static void words_signature(const struct metric *m, struct buf *to)
{
	(void)m;
	buf_str(to, "words:icu");
}

static void json_values(struct metric *m, struct jw *w)
{
	double v[METRIC_MAX_VALUES];

	metric_score(m, NULL, 0, v);
	jw_key(w, "n");
	jw_uint(w, m->n);
	for (size_t k = 0; k < m->nvalues; k++) {
		jw_key(w, m->names[k]);
		jw_double(w, v[k]);
	}
}

static void item_json_values(struct metric *m, struct jw *w)
{
	double v[METRIC_MAX_VALUES];

	m->c->item(m, v);
	jw_obj(w);
	for (size_t k = 0; k < m->nvalues; k++) {
		jw_key(w, m->names[k]);
		if (isnan(v[k]))
			jw_null(w);
		else
			jw_number(w, v[k]);
	}
	jw_obj_end(w);
}

/* --- length --- */

enum { CHARS, WORDS, EMPTY };

static int length_open(struct metric *m, struct err *e)
{
	static const char *const names[] = { "chars", "words", "empty" };

	(void)e;
	m->names = names;
	m->nvalues = m->width = 3;
	return 0;
}

static int length_add(struct metric *m, struct text hyp, const struct text *ref, size_t nref, struct err *e)
{
	struct said *s = m->own;
	int rc = listen(s, hyp, e);

	(void)ref;
	(void)nref;
	m->row[CHARS] = 0;
	for (size_t at = 0; at < hyp.n; m->row[CHARS]++)
		text_next(hyp, &at);
	m->row[WORDS] = (double)s->words.n;
	m->row[EMPTY] = s->words.n == 0;
	return rc;
}

static void length_score(const struct metric *m, const double *sum, size_t n, double *out)
{
	for (size_t v = 0; v < m->nvalues; v++)
		out[v] = n ? sum[v] / (double)n : NAN;
}

static void length_item(struct metric *m, double *out)
{
	length_score(m, m->row, 1, out);
}

static bool length_share(const struct metric *m, size_t v, double *k)
{
	*k = m->sum[EMPTY];
	return v == EMPTY;
}

static void length_close(struct metric *m)
{
	said_free(m->own);
}

const struct metric_class metric_length = {
	.name = "length", .version = "1", .size = sizeof(struct said), .no_reference = true, .open = length_open, .add = length_add,
	.score = length_score, .item = length_item, .json = json_values, .item_json = item_json_values, .signature = words_signature,
	.share = length_share, .close = length_close,
};

/* --- repetition: of orders 2, 3, 4 the share, and whether there are n-grams of that order --- */

enum { REP_ORDERS = 3 };

struct repeats {
	struct said said;
	struct intern intern;
	struct ids ids;
	struct grams grams;
};

static int repetition_open(struct metric *m, struct err *e)
{
	static const char *const names[REP_ORDERS] = { "rep2", "rep3", "rep4" };

	(void)e;
	m->names = names;
	m->nvalues = REP_ORDERS;
	m->width = 2 * REP_ORDERS;
	return 0;
}

static int repetition_add(struct metric *m, struct text hyp, const struct text *ref, size_t nref, struct err *e)
{
	struct repeats *r = m->own;
	size_t shorter, n;
	int rc = listen(&r->said, hyp, e);

	(void)ref;
	(void)nref;
	if (rc)
		return rc;
	put_words(&r->intern, &r->said.words, &r->ids);
	shorter = r->intern.n;                          /* distinct n-grams of the orders below */
	for (unsigned k = 0; k < REP_ORDERS; k++, shorter = n) {
		uint64_t all = grams_total(r->ids.n, k + 2);

		grams_answer(&r->grams, r->ids.v, r->ids.n, k + 2);
		n = r->grams.n;
		m->row[2 * k] = all ? 1 - (double)(n - shorter) / (double)all : 0;
		m->row[2 * k + 1] = all > 0;
	}
	return 0;
}

static void repetition_score(const struct metric *m, const double *sum, size_t n, double *out)
{
	(void)m;
	(void)n;
	for (size_t k = 0; k < REP_ORDERS; k++)
		out[k] = sum[2 * k + 1] > 0 ? sum[2 * k] / sum[2 * k + 1] : NAN;
}

static void repetition_item(struct metric *m, double *out)
{
	repetition_score(m, m->row, 1, out);
}

static void repetition_close(struct metric *m)
{
	struct repeats *r = m->own;

	said_free(&r->said);
	intern_free(&r->intern);
	mem_free(r->ids.v);
	grams_free(&r->grams);
}

const struct metric_class metric_repetition = {
	.name = "repetition", .version = "1", .size = sizeof(struct repeats), .lower_is_better = true, .no_reference = true, .open = repetition_open,
	.add = repetition_add, .score = repetition_score, .item = repetition_item, .json = json_values, .item_json = item_json_values,
	.signature = words_signature, .close = repetition_close,
};

/* --- distinct: of orders 1, 2, 3 the number of n-grams; the n-grams themselves are in tables --- */

enum { DIST_ORDERS = 3 };
#define SHARED UINT32_MAX               /* more than one item has it */

struct gramseen {
	uint64_t hash;                  /* 0: a free slot */
	uint32_t item, stamp;           /* the only item that has it, or SHARED; the item that was read last with it */
};

struct variety_set {
	struct gramseen *slot;
	size_t nslots, n;
};

struct variety {
	struct said said;
	struct variety_set set[DIST_ORDERS];
	uint64_t *hash;                 /* of the words of the answer */
	size_t hash_cap;
};

static int distinct_open(struct metric *m, struct err *e)
{
	static const char *const names[DIST_ORDERS] = { "distinct1", "distinct2", "distinct3" };

	(void)e;
	m->names = names;
	m->nvalues = DIST_ORDERS;
	m->width = 2 * DIST_ORDERS;     /* n-grams; distinct ones within the item */
	return 0;
}

static struct gramseen *seen_at(const struct variety_set *s, uint64_t h)
{
	size_t i = h & (s->nslots - 1);

	while (s->slot[i].hash && s->slot[i].hash != h)
		i = (i + 1) & (s->nslots - 1);
	return &s->slot[i];
}

static void more_room(struct variety_set *s)
{
	struct variety_set old = *s;

	s->nslots = old.nslots ? old.nslots * 2 : 1024;
	s->slot = mem_new(s->nslots * sizeof *s->slot);
	for (size_t i = 0; i < old.nslots; i++)
		if (old.slot[i].hash)
			*seen_at(s, old.slot[i].hash) = old.slot[i];
	mem_free(old.slot);
}

/* One n-gram of item ITEM; true if the item did not have it before. */
static bool see(struct variety_set *s, uint64_t h, uint32_t item)
{
	struct gramseen *x;

	if (2 * s->n >= s->nslots)
		more_room(s);
	h += h == 0;
	x = seen_at(s, h);
	if (x->hash == 0) {
		*x = (struct gramseen){ h, item, item };
		s->n++;
		return true;
	}
	if (x->stamp == item)
		return false;
	x->stamp = item;
	x->item = SHARED;
	return true;
}

static int distinct_add(struct metric *m, struct text hyp, const struct text *ref, size_t nref, struct err *e)
{
	struct variety *v = m->own;
	size_t n;
	int rc = listen(&v->said, hyp, e);

	(void)ref;
	(void)nref;
	if (rc)
		return rc;
	if (m->n >= SHARED)
		return err_set(e, SFT_BADDATA, "distinct: more than 4294967294 items");
	n = v->said.words.n;
	if (n > v->hash_cap) {
		v->hash_cap = n + n / 2;
		v->hash = mem_grow(v->hash, v->hash_cap, sizeof *v->hash);
	}
	for (size_t i = 0; i < n; i++)
		v->hash[i] = hash64(v->said.words.w[i].p, v->said.words.w[i].n, 0);
	memset(m->row, 0, m->width * sizeof *m->row);
	for (size_t k = 0; k < DIST_ORDERS; k++) {
		m->row[2 * k] = (double)grams_total(n, (unsigned)k + 1);
		for (size_t i = 0; i + k < n; i++)
			m->row[2 * k + 1] += see(&v->set[k], k ? hash64(v->hash + i, (k + 1) * sizeof *v->hash, k) : v->hash[i], (uint32_t)m->n);
	}
	return 0;
}

static void distinct_whole(struct metric *m, const uint32_t *pick, size_t n, double *out)
{
	const struct variety *v = m->own;

	(void)pick;                     /* metric_without() says that there are no samples of this */
	(void)n;
	for (size_t k = 0; k < DIST_ORDERS; k++)
		out[k] = m->sum[2 * k] > 0 ? (double)v->set[k].n / m->sum[2 * k] : NAN;
}

static void distinct_item(struct metric *m, double *out)
{
	for (size_t k = 0; k < DIST_ORDERS; k++)
		out[k] = m->row[2 * k] > 0 ? m->row[2 * k + 1] / m->row[2 * k] : NAN;
}

static void distinct_without(struct metric *m, double *out)
{
	const struct variety *v = m->own;

	memset(out, 0, m->n * DIST_ORDERS * sizeof *out);
	for (size_t k = 0; k < DIST_ORDERS; k++) {
		const struct variety_set *s = &v->set[k];

		for (size_t i = 0; i < s->nslots; i++)  /* n-grams that no other item has */
			if (s->slot[i].hash && s->slot[i].item != SHARED)
				out[s->slot[i].item * DIST_ORDERS + k]++;
		for (size_t i = 0; i < m->n; i++) {
			double all = m->sum[2 * k] - m->rows[i * m->width + 2 * k], *x = &out[i * DIST_ORDERS + k];

			*x = all > 0 ? ((double)s->n - *x) / all : NAN;
		}
	}
}

static void distinct_json(struct metric *m, struct jw *w)
{
	const struct variety *v = m->own;

	json_values(m, w);
	jw_key(w, "ngrams");
	jw_arr(w);
	for (size_t k = 0; k < DIST_ORDERS; k++)
		jw_number(w, m->sum[2 * k]);
	jw_arr_end(w);
	jw_key(w, "distinct_ngrams");
	jw_arr(w);
	for (size_t k = 0; k < DIST_ORDERS; k++)
		jw_uint(w, v->set[k].n);
	jw_arr_end(w);
}

static void distinct_close(struct metric *m)
{
	struct variety *v = m->own;

	said_free(&v->said);
	for (size_t k = 0; k < DIST_ORDERS; k++)
		mem_free(v->set[k].slot);
	mem_free(v->hash);
}

const struct metric_class metric_distinct = {
	.name = "distinct", .version = "1", .size = sizeof(struct variety), .no_reference = true, .open = distinct_open, .add = distinct_add,
	.sample = distinct_whole, .without = distinct_without, .item = distinct_item, .json = distinct_json, .item_json = item_json_values,
	.signature = words_signature, .close = distinct_close,
};
