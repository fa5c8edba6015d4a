/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SLICER_H
#define SFT_SLICER_H
/* Which slices an item belongs to, along several dimensions:
 *
 *   label       the reference
 *   length      characters of the input: 0, 1-15, 16-31, 32-63, ... (doubling)
 *   script      Unicode scripts with at least a tenth of the input's letters, "Han+Latin"; kana make it Japanese, Hangul Korean
 *               (with the Han beside them); "none" without letters
 *   turns       messages of the user: 0, 1, 2, 3, 4, 5-8, 9-16, ... (doubling)
 *   term        the terms of a dictionary that stand in the input, each a slice; "(none)" without
 *   term_class  their classes
 *   COL         the value of a column; each value of a JSON list; col:NAME for a column that is called as one of the above
 *   pattern     COL:/PATTERN/FLAGS: one slice, the items where the column (or "input") has a match
 *
 * The input is a column, or what the messages say that are not the assistant's. */
#include "pairs.h"
#include "termset.h"

enum { SLICER_MAX_DIMS = 64 };

struct slicer_opts {
	const char *by;                 /* list of dimensions; NULL: slice,source,label,script,length,turns, those that there are */
	const char *input;              /* column; NULL: messages, else input, prompt, question or text */
	const struct opt_list *patterns;
	const struct termset *terms;    /* NULL: no slices by them; else they are among those that there are */
};

struct slicer;

/* SFT_USAGE for a malformed pattern, slices by terms without a dictionary, a dimension named twice, too many of them. */
int  slicer_open(struct slicer **s, const struct slicer_opts *o, struct err *e);
void slicer_close(struct slicer *s);            /* NULL is fine */

size_t slicer_dims(const struct slicer *s);
const char *slicer_dim(const struct slicer *s, size_t d);       /* "label", "region", "text:/[0-9]/" */
bool slicer_is_pattern(const struct slicer *s, size_t d);

/* Call PUT for each slice that IT belongs to; LABEL is its reference as it was compared.  SFT_BADDATA where a column that was
 * asked for is missing (JSON records may lack one), where messages are no messages, where a pattern needs too many steps. */
int  slicer_item(struct slicer *s, const struct item *it, struct text label, void (*put)(void *ctx, size_t dim, struct text value), void *ctx,
                 struct err *e);
/* The input of the last item, borrowed until the next; p NULL where it has none. */
struct text slicer_input(const struct slicer *s);
/* After the last item: SFT_BADDATA where no record had a column that was asked for. */
int  slicer_finish(const struct slicer *s, struct err *e);

#endif
