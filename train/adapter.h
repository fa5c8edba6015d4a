/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ADAPTER_H
#define SFT_ADAPTER_H
/* Adapters: LoRA (which matrices carry one, where its A and B lie in the block of trained values) and prefix tuning; PEFT folders in and out.
 *
 * All trained values are one block of f32.  A `lora_site` says where the adapter of one matrix lies in it; a `lora_row` says which tensor of
 * a PEFT folder a run of it is.  The order does not depend on files: per layer the As of q, k, v next to each other (one product serves the
 * three), then their Bs; o; gate and up likewise; down; then the experts. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "json.h"
#include "opt.h"
#include "rng.h"
#include "weights.h"

enum lora_part { LORA_A, LORA_B, LORA_M, LORA_PREFIX };

/* The adapter of one place of the model (place_at()). */
struct lora_site {
	uint32_t rank;             /* 0: this place carries none, and nothing below counts */
	double   alpha;
	float    scale;            /* alpha / rank, rsLoRA: alpha / sqrt(rank) */
	size_t   a, b, m;          /* offsets: A [rank, in], B [out, rank], magnitudes [out] (SIZE_MAX without DoRA).  The gate and the up of
	                              a fused expert have one A */
};

/* A tensor of the adapter's file. */
struct lora_row {
	char     name[128];        /* as PEFT names it: "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight" */
	uint32_t rows, cols;       /* A: [rank, in]; B: [out, rank]; M (DoRA's magnitudes): [1, out], in files [out];
	                              prefix: [virtual tokens, 2 * layers * kv_heads * head_dim], key and value of layer 0, of layer 1, ... */
	uint32_t experts;          /* B of fused experts: column j * experts + e of the file is column j of expert e, and the block has
	                              [experts][rows][cols / experts]; 0: it lies as in the file */
	size_t   offset;           /* first value in the block */
	size_t   place;            /* of the matrix; of the first expert's gate or down where experts are fused */
	enum lora_part part;
};

/* Values of the block that stay 0. */
struct lora_run {
	size_t first, n;
};

struct lora {
	uint32_t prefix;           /* prefix tuning: virtual tokens, and nothing else below but row, nrows, count; 0: LoRA */
	uint32_t rank;             /* of a site where nothing else is said; so is alpha */
	double   alpha, dropout;
	bool     rslora, dora;
	bool     fused;            /* experts as PEFT's target_parameters has them: gate and up one matrix, all experts one tensor */
	struct lora_site *site;    /* [place_count()] */
	struct lora_row *row;      /* nrows, in the order of the block */
	size_t   nrows, count;     /* rows; values in the block */
	bool    *heads;            /* [heads of the model] those it is limited to (heads.h); NULL: all */
	struct lora_run *frozen;   /* nfrozen, ascending: what belongs to the others */
	size_t   nfrozen;
	uint32_t layers, kv_heads; /* of the model; the latter for a prefix only */
	char     base_name[256];   /* base_model_name_or_path, for adapter_config.json */
};

struct lora_opts {
	uint32_t rank;
	double   alpha, dropout;
	bool     rslora, dora;
	const char *targets;       /* as targets_parse() reads it */
};
int  lora_new(struct lora **l, const struct model_config *c, const struct lora_opts *o, struct err *e);
/* Prefix tuning of N virtual tokens.  SFT_USAGE for latent attention, whose keys and values have no one width. */
int  prefix_new(struct lora **l, const struct model_config *c, uint32_t n, struct err *e);
void lora_free(struct lora *l);
/* Values of the block that are trained: all but the frozen ones. */
size_t lora_trained(const struct lora *l);
/* PEFT's initial values into block P: A Kaiming-uniform (a = sqrt 5: U(-1/sqrt(in), 1/sqrt(in))), B zero, M the norms of W's rows, a prefix
 * normal with deviation 0.1.  Seeded by (seed, row).  W is looked at for DoRA only. */
void lora_init(const struct lora *l, const struct weights *w, uint64_t seed, float *p);
/* A PEFT folder: adapter_config.json and adapter_model.safetensors (F32, F16, BF16).  *P: its values (mem_free).  Which matrices it adapts is what
 * its tensors say; ranks and alphas are the configuration's, its patterns included.  Shapes are checked against C; a missing, extra or misshapen
 * tensor, NaN, another peft_type: SFT_BADDATA that names it. */
int  lora_load(struct lora **l, float **p, const struct model_config *c, const char *dir, struct err *e);
/* Writes DIR (made if missing) as PEFT reads it; each file whole or not at all, synced. */
int  lora_save(const struct lora *l, const struct model_config *c, const float *p, const char *dir, struct err *e);

/* --- for peft.c: an adapter put together by hand --- */

/* Sites without a rank.  The caller gives some of them a rank and an alpha, says what the adapter is (fused, rslora, dora), and lays it out:
 * then scales, offsets and rows are there. */
struct lora *lora_blank(const struct model_config *c);
void lora_lay_out(struct lora *l, const struct model_config *c);

/* --- prefix.c, for peft.c --- */
int  prefix_read_config(uint32_t *n, const struct model_config *c, const struct json *j, struct err *e);
void prefix_put_config(struct buf *b, const struct lora *l);

#endif
