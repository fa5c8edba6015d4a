/* SPDX-License-Identifier: Apache-2.0 */
/* The figures for people: a column a file, and what has many values below. */
#include <string.h>

#include "describe.h"
#include "textable.h"

enum { TOP = 12, BAR = 40 };

void describe_coverage(const struct describe *d, const struct describe_part *p, int kind, uint64_t *terms, uint64_t *met, uint64_t *found, uint64_t *variants)
{
	const struct dict_found *f = &p->sums.dict[kind];

	*terms = *met = *found = *variants = 0;
	for (uint32_t i = 0; i < termset_count(d->dict[kind]); i++) {
		*terms += !termset_get(d->dict[kind], i)->variant_only;
		*met += f->hits[i] > 0;
		*found += f->hits[i];
		*variants += f->variants[i];
	}
}

/* --- a column a file --- */

typedef void figure(const struct describe *d, unsigned k, struct textable *t);

static void count_cell(struct textable *t, bool known, uint64_t n)
{
	if (known)
		textable_cell(t, "%llu", (unsigned long long)n);
	else
		textable_cell(t, "-");
}

static void share_cell(struct textable *t, uint64_t k, uint64_t n)
{
	textable_cell(t, "%llu (%.1f%%)", (unsigned long long)k, n ? 100.0 * (double)k / (double)n : 0.0);
}

static void lengths_cell(struct textable *t, const struct lengths *l)
{
	if (l->n == 0)
		textable_cell(t, "-");
	else
		textable_cell(t, "%llu / %llu / %llu", (unsigned long long)lengths_quantile(l, 0.5), (unsigned long long)lengths_quantile(l, 0.95),
		              (unsigned long long)l->max);
}

static void coverage_cell(const struct describe *d, unsigned k, struct textable *t, int kind)
{
	uint64_t terms, met, found, variants;

	describe_coverage(d, &d->part[k], kind, &terms, &met, &found, &variants);
	if (kind == DICT_TERMS)
		share_cell(t, met, terms);
	else
		share_cell(t, d->part[k].sums.dict[kind].records, d->part[k].records);
}

static void records(const struct describe *d, unsigned k, struct textable *t) { count_cell(t, true, d->part[k].records); }
static void chars(const struct describe *d, unsigned k, struct textable *t) { count_cell(t, d->part[k].has_text, d->part[k].chars.sum); }
static void char_lengths(const struct describe *d, unsigned k, struct textable *t) { lengths_cell(t, &d->part[k].chars); }
static void words(const struct describe *d, unsigned k, struct textable *t) { count_cell(t, d->part[k].has_text, d->part[k].words.sum); }
static void types(const struct describe *d, unsigned k, struct textable *t) { count_cell(t, d->part[k].has_text, d->part[k].types_seen); }
static void tokens(const struct describe *d, unsigned k, struct textable *t) { count_cell(t, d->part[k].has_tokens, d->part[k].tokens.sum); }
static void token_lengths(const struct describe *d, unsigned k, struct textable *t) { lengths_cell(t, &d->part[k].tokens); }
static void over(const struct describe *d, unsigned k, struct textable *t) { share_cell(t, d->part[k].over_limit, d->part[k].records); }
static void answer_lengths(const struct describe *d, unsigned k, struct textable *t) { lengths_cell(t, &d->part[k].answers); }
static void labels(const struct describe *d, unsigned k, struct textable *t) { count_cell(t, d->part[k].has_label, d->part[k].label.map.n); }
static void exact(const struct describe *d, unsigned k, struct textable *t) { share_cell(t, d->texts.twice[k], d->part[k].records); }
static void near(const struct describe *d, unsigned k, struct textable *t) { share_cell(t, d->similar.twice[k], d->part[k].records); }
static void covered(const struct describe *d, unsigned k, struct textable *t) { coverage_cell(d, k, t, DICT_TERMS); }
static void dialect(const struct describe *d, unsigned k, struct textable *t) { coverage_cell(d, k, t, DICT_DIALECT); }

static void row(const struct describe *d, struct textable *t, const char *name, bool wanted, figure *f)
{
	if (!wanted)
		return;
	textable_cell(t, "%s", name);
	for (unsigned k = 0; k < d->nparts; k++)
		f(d, k, t);
	textable_row(t);
}

/* Does any file have it? */
static bool any(const struct describe *d, bool (*has)(const struct describe_part *p))
{
	for (unsigned k = 0; k < d->nparts; k++)
		if (has(&d->part[k]))
			return true;
	return false;
}

static bool has_text(const struct describe_part *p) { return p->has_text; }
static bool has_tokens(const struct describe_part *p) { return p->has_tokens; }
static bool has_answers(const struct describe_part *p) { return p->has_answers; }
static bool has_label(const struct describe_part *p) { return p->has_label; }

static void overview(const struct describe *d, struct buf *out)
{
	struct textable t = {0};
	bool text = any(d, has_text);

	textable_head(&t, "", false);
	for (unsigned k = 0; k < d->nparts; k++)
		textable_head(&t, d->part[k].name, true);
	row(d, &t, "records", true, records);
	row(d, &t, "characters", text, chars);
	row(d, &t, "  median / 95% / longest", text, char_lengths);
	row(d, &t, "words", text, words);
	row(d, &t, "  different ones", text, types);
	row(d, &t, "tokens", any(d, has_tokens), tokens);
	row(d, &t, "  median / 95% / longest", any(d, has_tokens), token_lengths);
	row(d, &t, "  over the limit", d->max_len, over);
	row(d, &t, "answers, in characters", any(d, has_answers), answer_lengths);
	row(d, &t, "labels", any(d, has_label), labels);
	row(d, &t, "duplicates", true, exact);
	row(d, &t, "near-duplicates", text && !d->o->no_near, near);
	row(d, &t, "terms covered", d->dict[DICT_TERMS] != NULL, covered);
	row(d, &t, "records with dialect", d->dict[DICT_DIALECT] != NULL, dialect);
	textable_print(&t, out);
	textable_free(&t);
}

/* --- one file --- */

/* Control characters never reach a terminal. */
static void plain(struct buf *out, const char *s)
{
	for (; *s; s++)
		buf_ch(out, (unsigned char)*s < ' ' || *s == 0x7F ? '?' : *s);
}

static void histogram(const struct lengths *l, const char *unit, struct buf *out)
{
	struct histogram h;
	struct textable t = {0};
	uint64_t most = 1;

	lengths_histogram(l, &h);
	for (size_t i = 0; i < h.n; i++)
		most = h.count[i] > most ? h.count[i] : most;
	textable_head(&t, unit, true);
	textable_head(&t, "records", true);
	textable_head(&t, "", false);
	for (size_t i = 0; i < h.n; i++) {
		char bar[BAR + 1];
		size_t n = (size_t)((h.count[i] * BAR + most - 1) / most);

		memset(bar, '#', n);
		bar[n] = '\0';
		textable_cell(&t, "%llu%s", (unsigned long long)(i * h.width), i + 1 == HISTOGRAM_BINS ? "+" : "");
		textable_cell(&t, "%llu", (unsigned long long)h.count[i]);
		textable_cell(&t, "%s", bar);
		textable_row(&t);
	}
	buf_ch(out, '\n');
	textable_print(&t, out);
	textable_free(&t);
}

static void tally(const struct tally *values, const char *name, const char *unit, struct buf *out)
{
	const struct strmap_entry **rank = tally_ranked(values);
	struct textable t = {0};

	textable_head(&t, name, false);
	textable_head(&t, unit, true);
	for (size_t i = 0; i < values->map.n; i++) {
		if (i == TOP / 2 && values->map.n > TOP) {         /* the commonest and the rarest */
			textable_cell(&t, "... %zu more", values->map.n - TOP);
			textable_row(&t);
			i = values->map.n - TOP / 2;
		}
		textable_clip(&t, rank[i]->key, 40);
		textable_cell(&t, "%llu", (unsigned long long)rank[i]->value);
		textable_row(&t);
	}
	if (values->map.n) {
		buf_ch(out, '\n');
		textable_print(&t, out);
	}
	textable_free(&t);
	mem_free(rank);
}

static void languages(const struct describe *d, const struct describe_part *p, struct buf *out)
{
	struct tally language = {0}, script = {0};

	/* as tallies, so that they are ranked alike */
	for (int k = 0; k < lang_count(d->lang); k++)
		if (p->sums.language[k])
			strmap_put(&language.map, lang_code(d->lang, k), strlen(lang_code(d->lang, k)), p->sums.language[k], NULL);
	for (unsigned k = 0; k < d->scripts.n; k++)
		if (p->sums.script[k])
			strmap_put(&script.map, d->scripts.name[k], strlen(d->scripts.name[k]), p->sums.script[k], NULL);
	tally(&language, "language", "records", out);
	tally(&script, "script", "characters", out);
	tally_free(&language);
	tally_free(&script);
}

static void curve(const struct describe_part *p, struct buf *out)
{
	struct textable t = {0};

	textable_head(&t, "words", true);
	textable_head(&t, "different ones", true);
	for (size_t i = p->ncurve > 6 ? p->ncurve - 6 : 0; i < p->ncurve; i++) {
		textable_cell(&t, "%llu", (unsigned long long)p->curve[i].words);
		textable_cell(&t, "%llu", (unsigned long long)p->curve[i].types);
		textable_row(&t);
	}
	buf_ch(out, '\n');
	textable_print(&t, out);
	if (p->types_full)
		buf_str(out, "(more words than --memory has room for: the curve ends here)\n");
	textable_free(&t);
}

static void part(const struct describe *d, const struct describe_part *p, struct buf *out)
{
	buf_str(out, "\n--- ");
	plain(out, p->name);
	buf_ch(out, '\n');
	if (p->has_tokens)
		histogram(&p->tokens, "tokens", out);
	else if (p->has_text)
		histogram(&p->chars, "characters", out);
	if (p->has_text) {
		languages(d, p, out);
		curve(p, out);
	}
	tally(&p->label, "label", "records", out);
	tally(&p->slice, "slice", "records", out);
	tally(&p->source, "source", "records", out);
}

static void overlap(const struct describe *d, struct buf *out)
{
	struct textable t = {0};

	textable_head(&t, "of", false);
	textable_head(&t, "are in", false);
	textable_head(&t, "exactly", true);
	textable_head(&t, "nearly", true);
	for (unsigned b = 1; b < d->nparts; b++)
		for (unsigned a = 0; a < b; a++) {
			textable_clip(&t, d->part[b].name, 60);
			textable_clip(&t, d->part[a].name, 60);
			share_cell(&t, d->texts.in[a][b], d->part[b].records);
			if (d->o->no_near)
				textable_cell(&t, "-");
			else
				share_cell(&t, d->similar.in[a][b], d->part[b].records);
			textable_row(&t);
		}
	buf_ch(out, '\n');
	textable_print(&t, out);
	textable_free(&t);
}

void describe_table(const struct describe *d, struct buf *out)
{
	overview(d, out);
	if (d->nparts > 1)
		overlap(d, out);
	for (unsigned k = 0; k < d->nparts; k++)
		part(d, &d->part[k], out);
	if (d->nwarnings)
		buf_str(out, "\nWarnings\n");
	for (size_t k = 0; k < d->nwarnings; k++) {
		buf_str(out, "  ");
		plain(out, d->warning[k].part->name);
		buf_str(out, ": ");
		plain(out, d->warning[k].text);
		buf_ch(out, '\n');
	}
}
