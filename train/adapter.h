/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ADAPTER_H
#define SFT_ADAPTER_H
/* Adapters: LoRA (which matrices carry one, where its A and B lie in the block of trained values) and prefix tuning; PEFT folders in and out.
 *
 * All trained values are one block of f32; `lora_row`s say what is where, in file-independent order: per layer the As of q, k, v
 * next to each other (one product serves the three), then their Bs; o; gate and up likewise; down. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "json.h"
#include "opt.h"
#include "rng.h"
#include "weights.h"

enum lora_part { LORA_A, LORA_B, LORA_M, LORA_PREFIX };

struct lora_row {
	char     name[128];        /* as PEFT names it: "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight" */
	uint32_t rows, cols;       /* A: [rank, in]; B: [out, rank]; M (DoRA's magnitudes): [1, out], in files [out];
	                              prefix: [virtual tokens, 2 * layers * kv_heads * head_dim], key and value of layer 0, of layer 1, ... */
	size_t   offset;           /* first value in the block */
	enum param param;
	uint32_t layer;
	enum lora_part part;
};

struct lora {
	uint32_t prefix;           /* prefix tuning: virtual tokens, and nothing else below but row, nrows, count; 0: LoRA */
	uint32_t rank;             /* of all targets */
	double   alpha, dropout;
	bool     rslora, dora;
	bool     target[P_COUNT];  /* which linear layers, in every layer */
	float    scale;            /* alpha / rank, rsLoRA: alpha / sqrt(rank) */
	struct lora_row *row;      /* nrows, in the order of the block */
	size_t   nrows, count;     /* rows; values in the block */
	size_t  *at_a, *at_b, *at_m;   /* [layers * P_COUNT]: offsets, SIZE_MAX where there is none */
	uint32_t layers, kv_heads; /* of the model; the latter for a prefix only */
	char     base_name[256];   /* base_model_name_or_path, for adapter_config.json */
};

/* TARGETS: "all" (every linear layer of a block), "attention", or a comma list of leaf names; an unknown name is SFT_USAGE and lists those there are. */
struct lora_opts {
	uint32_t rank;
	double   alpha;
	bool     rslora, dora;
	const char *targets;
};
int  lora_new(struct lora **l, const struct model_config *c, const struct lora_opts *o, struct err *e);
/* Prefix tuning of N virtual tokens.  SFT_USAGE for latent attention, whose keys and values have no one width. */
int  prefix_new(struct lora **l, const struct model_config *c, uint32_t n, struct err *e);
void lora_free(struct lora *l);
/* PEFT's initial values into block P: A Kaiming-uniform (a = sqrt 5: U(-1/sqrt(in), 1/sqrt(in))), B zero, M the norms of W's rows, a prefix
 * normal with deviation 0.1.  Seeded by (seed, row).  W is looked at for DoRA only. */
void lora_init(const struct lora *l, const struct weights *w, uint64_t seed, float *p);
/* A PEFT folder: adapter_config.json and adapter_model.safetensors (F32, F16, BF16).  *P: its values (mem_free).  Shapes are checked against C; a missing,
 * extra or misshapen tensor, NaN, another peft_type, dora, per-layer ranks: SFT_BADDATA that names it. */
int  lora_load(struct lora **l, float **p, const struct model_config *c, const char *dir, struct err *e);
/* Writes DIR (made if missing) as PEFT reads it; each file whole or not at all, synced. */
int  lora_save(const struct lora *l, const float *p, const char *dir, struct err *e);

/* --- prefix.c, for peft.c --- */
int  prefix_read_config(uint32_t *n, const struct model_config *c, const struct json *j, struct err *e);
void prefix_put_config(struct buf *b, const struct lora *l);

#endif
