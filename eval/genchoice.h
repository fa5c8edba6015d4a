/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_GENCHOICE_H
#define SFT_GENCHOICE_H
/* The choices a record offers, as text and as token ids. */
#include "chatids.h"
#include "decode.h"
#include "json.h"
#include "mem.h"

struct choice_set {
	struct choice_text { const char *p; size_t n; } *text;    /* [n], in an arena */
	struct decode_choice *c;                                  /* [n]; ids end with the end-of-turn token */
	uint32_t *ids;                                            /* of all of them */
	double *divisor;                                          /* [n] of scores */
	uint32_t n, cap;
};

/* Lines of TEXT, a choice each; an empty line, one that stands twice, or none at all: SFT_BADDATA. */
int  choice_set_lines(struct choice_set *s, const char *text, struct arena *a, struct err *e);
/* V: a JSON list of strings. */
int  choice_set_list(struct choice_set *s, const struct json *v, struct arena *a, struct err *e);
enum choice_norm { NORM_NONE, NORM_TOKENS, NORM_BYTES };

/* Ids of the texts, and what their scores are divided by; END < 0: no token ends them. */
int  choice_set_encode(struct choice_set *s, struct chatids *c, int32_t end, enum choice_norm norm, struct err *e);
void choice_set_free(struct choice_set *s);

#endif
