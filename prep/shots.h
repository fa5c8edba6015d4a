/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_SHOTS_H
#define SFT_SHOTS_H
/* Examples for few-shot prompts: a pool read once, and a choice of K for each record that depends on the seed and the
 * record alone, never on what was read before it. */
#include <stdint.h>
#include "json.h"
#include "mem.h"
#include "similar.h"
#include "strmap.h"

enum select { SELECT_FIXED, SELECT_RANDOM, SELECT_BALANCED, SELECT_SIMILAR };

struct shot {
	struct json record;         /* the fields, with input and output */
	struct json input, output;
	struct json id;             /* type JSON_NULL: none */
	uint32_t label;             /* number of its output among all outputs */
};

struct shots {
	struct arena a;             /* everything the shots point to */
	struct shot *v;
	size_t n, cap;
	struct strmap labels;
	uint32_t *by_label, *first; /* shots ordered by label; first[l]..first[l+1] are those of label l */
	struct similar *similar;    /* for SELECT_SIMILAR, else NULL */
};

void shots_init(struct shots *s);
void shots_add(struct shots *s, const struct shot *shot);   /* contents are already in s->a */
void shots_ready(struct shots *s, enum select how);         /* after the last one; HOW: what shots_pick() will be asked for */
void shots_free(struct shots *s);

/* K examples (fewer where there are no more) into PICK, never one with the id or the very input of the record.
 * KEY is what the draw depends on beside SEED.  SELECT_SIMILAR takes those whose inputs are most like the record's, none of them a near
 * duplicate of it, the most similar one last, next to the record; SEARCH is then the thread's own (similar_share()).  The number of them. */
size_t shots_pick(const struct shots *s, struct similar *search, enum select how, size_t k, uint64_t seed, uint64_t key, const struct json *id, const struct json *input, uint32_t *pick);

#endif
