/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_WEIGHTS_H
#define SFT_WEIGHTS_H
/* The one table of parameters: their place in the model, their names in Hugging Face and GGUF files, their shapes; and the base
 * weights of a model file, mapped.  Frozen matrices stay as the file has them (quantised, bf16). */
#include <stdint.h>
#include "config.h"
#include "dtype.h"
#include "err.h"

/* kind, HF name (after "model.layers.N." for those of a layer), GGUF name (after "blk.N."), rows, cols (1 row: a vector), when it exists */
enum param {
	P_EMBED, P_NORM_OUT, P_HEAD,                                 /* of the model */
	P_NORM1, P_WQ, P_WK, P_WV, P_WO, P_BQ, P_BK, P_BV, P_QNORM, P_KNORM,   /* of a layer */
	P_NORM2, P_GATE, P_UP, P_DOWN,
	P_COUNT,
	P_LAYER = P_NORM1                                            /* first of a layer */
};

struct param_info {
	const char *hf, *gguf;         /* "self_attn.q_proj.weight", "attn_q.weight" */
	bool linear;                   /* a matrix of a linear layer: can carry an adapter */
	const char *leaf;              /* "q_proj": what --targets calls it; NULL where not linear */
};
extern const struct param_info param_table[P_COUNT];
/* Does a model of this configuration have P (P_HEAD: not if tied; biases, head norms: by family), and its shape. */
bool param_shape(const struct model_config *c, enum param p, uint32_t *rows, uint32_t *cols);
/* Full Hugging Face name: "model.layers.3.self_attn.q_proj.weight".  LAYER is ignored for those of the model. */
void param_hf_name(enum param p, uint32_t layer, char out[96]);
void param_gguf_name(enum param p, uint32_t layer, char out[96]);

struct weight {
	const void *p;                 /* as in the file (GGUF q and k rows of `llama` are put back in order in memory of our own) */
	enum dtype  type;
	uint32_t    rows, cols;
	const float *f32;              /* vectors (norms, biases): widened copy; NULL for matrices */
};

struct weights {
	struct model_config cfg;
	char *path;                    /* as the user named it */
	bool  from_gguf;
	struct weight *w;              /* [P_LAYER + layers * (P_COUNT - P_LAYER)] */
	/* owner's own state follows in weights.c */
	void *own;
};

/* PATH: a Hugging Face folder (config.json, safetensors) or a GGUF file.  Missing, extra or misshapen tensors: one error that names
 * them (the first few, and how many more). */
int  weights_open(struct weights **w, const char *path, struct err *e);
void weights_close(struct weights *w);
/* Weight P of LAYER (ignored for P < P_LAYER); NULL where this model has none. */
const struct weight *weights_at(const struct weights *w, enum param p, uint32_t layer);
uint64_t weights_parameters(const struct weights *w);     /* number of values in the model, tied ones once */

#endif
