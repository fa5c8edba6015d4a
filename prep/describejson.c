/* SPDX-License-Identifier: Apache-2.0 */
/* sft.describe/1. */
#include "describe.h"

static void put_uint(struct jw *w, const char *key, uint64_t v)
{
	jw_key(w, key);
	jw_uint(w, v);
}

static void put_lengths(struct jw *w, const char *key, const struct lengths *l)
{
	static const struct {
		const char *name;
		double q;
	} quantile[] = { { "p5", 0.05 }, { "p25", 0.25 }, { "median", 0.5 }, { "p75", 0.75 }, { "p95", 0.95 }, { "p99", 0.99 } };
	struct histogram h;

	lengths_histogram(l, &h);
	jw_key(w, key);
	jw_obj(w);
	put_uint(w, "total", l->sum);
	jw_key(w, "mean");
	jw_double(w, lengths_mean(l));
	put_uint(w, "min", l->min);
	for (size_t i = 0; i < sizeof quantile / sizeof *quantile; i++)
		put_uint(w, quantile[i].name, lengths_quantile(l, quantile[i].q));
	put_uint(w, "max", l->max);
	jw_key(w, "histogram");
	jw_obj(w);
	put_uint(w, "width", h.width);
	jw_key(w, "counts");
	jw_arr(w);
	for (size_t i = 0; i < h.n; i++)
		jw_uint(w, h.count[i]);
	jw_arr_end(w);
	jw_obj_end(w);
	jw_obj_end(w);
}

static void put_tally(struct jw *w, const char *key, const struct tally *t)
{
	const struct strmap_entry **rank = tally_ranked(t);

	jw_key(w, key);
	jw_obj(w);
	for (size_t i = 0; i < t->map.n; i++) {
		jw_keyn(w, rank[i]->key, rank[i]->n);
		jw_uint(w, rank[i]->value);
	}
	jw_obj_end(w);
	mem_free(rank);
}

static void put_languages(struct jw *w, const struct describe *d, const struct describe_part *p)
{
	jw_key(w, "languages");
	jw_obj(w);
	for (int k = 0; k < lang_count(d->lang); k++)
		if (p->sums.language[k])
			put_uint(w, lang_code(d->lang, k), p->sums.language[k]);
	jw_obj_end(w);
	jw_key(w, "scripts");
	jw_obj(w);
	for (unsigned k = 0; k < d->scripts.n; k++)
		if (p->sums.script[k])
			put_uint(w, d->scripts.name[k], p->sums.script[k]);
	jw_obj_end(w);
}

static void put_coverage(struct jw *w, const char *key, const struct describe *d, const struct describe_part *p, int kind)
{
	uint64_t terms, met, found, variants;

	describe_coverage(d, p, kind, &terms, &met, &found, &variants);
	jw_key(w, key);
	jw_obj(w);
	put_uint(w, "terms", terms);
	put_uint(w, "met", met);
	put_uint(w, "found", found);
	put_uint(w, "variants", variants);
	put_uint(w, "records", p->sums.dict[kind].records);
	jw_obj_end(w);
}

static void put_curve(struct jw *w, const struct describe_part *p)
{
	put_uint(w, "types", p->types_seen);
	jw_key(w, "types_whole");
	jw_bool(w, !p->types_full);
	jw_key(w, "type_token");
	jw_arr(w);
	for (size_t i = 0; i < p->ncurve; i++) {
		jw_arr(w);
		jw_uint(w, p->curve[i].words);
		jw_uint(w, p->curve[i].types);
		jw_arr_end(w);
	}
	jw_arr_end(w);
}

static void put_text(struct jw *w, const struct describe *d, unsigned k)
{
	const struct describe_part *p = &d->part[k];

	put_lengths(w, "characters", &p->chars);
	put_lengths(w, "words", &p->words);
	put_languages(w, d, p);
	put_curve(w, p);
	if (!d->o->no_near)
		put_uint(w, "near_duplicates", d->similar.twice[k]);
	if (d->dict[DICT_TERMS])
		put_coverage(w, "terms", d, p, DICT_TERMS);
	if (d->dict[DICT_DIALECT])
		put_coverage(w, "dialect", d, p, DICT_DIALECT);
}

static void put_part(struct jw *w, const struct describe *d, unsigned k)
{
	const struct describe_part *p = &d->part[k];

	jw_obj(w);
	jw_key(w, "name");
	jw_str(w, p->name);
	jw_key(w, "kind");
	jw_str(w, p->shard ? "shard" : "records");
	put_uint(w, "records", p->records);
	if (p->has_text)
		put_text(w, d, k);
	put_uint(w, "duplicates", d->texts.twice[k]);
	if (p->has_tokens) {
		put_lengths(w, "tokens", &p->tokens);
		put_uint(w, "trained_tokens", p->trained);
	}
	if (d->max_len)
		put_uint(w, "over_limit", p->over_limit);
	if (p->has_answers) {
		put_lengths(w, "answer_characters", &p->answers);
		put_uint(w, "empty_answers", p->empty_answers);
		put_uint(w, "commonest_answer", d->answers.largest[k]);
	}
	if (p->has_label) {
		put_tally(w, "labels", &p->label);
		jw_key(w, "label_evenness");
		jw_double(w, tally_evenness(&p->label));
	}
	if (p->slice.n)
		put_tally(w, "slices", &p->slice);
	if (p->source.n)
		put_tally(w, "sources", &p->source);
	jw_obj_end(w);
}

static void put_overlap(struct jw *w, const struct describe *d, unsigned a, unsigned b)
{
	jw_obj(w);
	jw_key(w, "a");
	jw_str(w, d->part[a].name);
	jw_key(w, "b");
	jw_str(w, d->part[b].name);
	put_uint(w, "exact", d->texts.in[a][b]);
	if (!d->o->no_near)
		put_uint(w, "near", d->similar.in[a][b]);
	jw_obj_end(w);
}

void describe_json(const struct describe *d, struct buf *out)
{
	struct jw w;

	jw_init(&w, out);
	jw_obj(&w);
	jw_key(&w, "schema");
	jw_str(&w, "sft.describe/1");
	if (d->max_len)
		put_uint(&w, "max_len", d->max_len);
	jw_key(&w, "files");
	jw_arr(&w);
	for (unsigned k = 0; k < d->nparts; k++)
		put_part(&w, d, k);
	jw_arr_end(&w);
	jw_key(&w, "overlap");
	jw_arr(&w);
	for (unsigned b = 1; b < d->nparts; b++)
		for (unsigned a = 0; a < b; a++)
			put_overlap(&w, d, a, b);
	jw_arr_end(&w);
	jw_key(&w, "warnings");
	jw_arr(&w);
	for (size_t k = 0; k < d->nwarnings; k++) {
		jw_obj(&w);
		jw_key(&w, "kind");
		jw_str(&w, d->warning[k].kind);
		jw_key(&w, "file");
		jw_str(&w, d->warning[k].part->name);
		jw_key(&w, "text");
		jw_str(&w, d->warning[k].text);
		jw_obj_end(&w);
	}
	jw_arr_end(&w);
	jw_obj_end(&w);
	buf_ch(out, '\n');
}
