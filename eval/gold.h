/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_GOLD_H
#define SFT_GOLD_H
/* One label for each item, from what several raters said and what was settled afterwards, each marked with how it came about. */
#include "ratingtable.h"
#include "rec.h"

enum gold_how {
	GOLD_NONE,                      /* nobody rated it */
	GOLD_SINGLE,                    /* one rating */
	GOLD_UNANIMOUS,                 /* two or more, all alike */
	GOLD_MAJORITY,                  /* one category was given most often */
	GOLD_TIE,                       /* several were: no label */
	GOLD_RESOLVED                   /* settled in adjudication */
};
enum { GOLD_HOWS = 6 };
extern const char *const gold_how_name[GOLD_HOWS];

struct gold_item {
	enum gold_how how;
	struct text label;              /* n 0 for none and tie */
	struct text majority;           /* of the ratings, whatever was settled */
	struct text note;               /* of who settled it */
	uint32_t votes, of;             /* ratings that are LABEL, and all */
};

struct gold {
	struct gold_item *v;            /* by item */
	uint64_t count[GOLD_HOWS];
	uint64_t resolved;              /* items with an entry in the list of what was settled */
	uint64_t split;                 /* items not rated alike by all */
	struct arena arena;
};

/* What was settled: a table with the columns item, resolved and, where there is one, note, such as a list of disagreements that somebody
 * has filled in; an empty cell is not settled.  Before gold_decide(), on a zeroed gold with gold_init().  SFT_BADDATA with FILE:LINE: an
 * item that R has not, a label that is no category of R's, an item twice. */
void gold_init(struct gold *g, const struct rating_table *r);
int  gold_read(struct gold *g, const struct rating_table *r, const char *path, const struct tool *t, struct err *e);
void gold_decide(struct gold *g, const struct rating_table *r);
void gold_free(struct gold *g);
/* Does item I stand in the list of disagreements: it is not rated alike by all, or settled. */
bool gold_open(const struct gold *g, const struct rating_table *r, uint32_t i);

/* More columns behind the item's name: what was shown. */
struct gold_columns {
	const char *const *name;
	size_t n;
	struct text (*cell)(void *ctx, uint32_t item, size_t column);
	void *ctx;
};

/* Files in the format of their names (CSV), whole or not at all.  COLS NULL: none.
 *   the gold: item, columns, label, how, votes, of, a column for each rater, note
 *   the list: item, columns, a column for each rater, majority, resolved, note; only items that are not rated alike by all, or are settled
 * SFT_USAGE where a rater is called as another column. */
int gold_write(const struct gold *g, const struct rating_table *r, const struct gold_columns *cols, const char *path, const struct rec_opts *o,
               struct tool *t);
int gold_write_list(const struct gold *g, const struct rating_table *r, const struct gold_columns *cols, const char *path, const struct rec_opts *o,
                    struct tool *t);

/* "how": count, ... as an object's members; and as a line of text. */
void gold_json(const struct gold *g, struct jw *w);
void gold_text(const struct gold *g, struct buf *out);

#endif
