/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_WEIGHTS_H
#define SFT_WEIGHTS_H
/* The one table of parameters: their place in the model, their names in Hugging Face and GGUF files, their shapes; and the base
 * weights of a model file, mapped.  Frozen matrices stay as the file has them (quantised, bf16). */
#include <stdint.h>
#include "config.h"
#include "dtype.h"
#include "err.h"
#include "kmat.h"

/* kind, HF name (after "model.layers.N." for those of a layer), GGUF name (after "blk.N."), rows, cols (1 row: a vector), when it exists */
enum param {
	P_EMBED, P_NORM_OUT, P_HEAD,                                 /* of the model */
	P_NORM1, P_WQ, P_WK, P_WV, P_WO, P_BQ, P_BK, P_BV, P_QNORM, P_KNORM,   /* of a layer */
	P_QA, P_QANORM, P_QB, P_KVA, P_KVANORM, P_KVB,               /* latent attention, in place of q (with q_rank), k and v */
	P_NORM2, P_GATE, P_UP, P_DOWN,                               /* a dense layer */
	P_ROUTER, P_RBIAS, P_SHGATE, P_SGATE, P_SUP, P_SDOWN,        /* a mixture: router, its bias, the shared expert's gate, the shared expert */
	P_EGATE, P_EUP, P_EDOWN,                                     /* one of each for every expert */
	P_COUNT,
	P_LAYER = P_NORM1                                            /* first of a layer */
};

struct param_info {
	const char *hf, *gguf;         /* "self_attn.q_proj.weight", "attn_q.weight" */
	bool linear;                   /* a matrix of a linear layer: can carry an adapter */
	const char *leaf;              /* "q_proj": what --targets calls it; NULL where not linear */
};
extern const struct param_info param_table[P_COUNT];
/* Does a model of this configuration have P in LAYER (ignored for those of the model), and its shape. */
bool param_shape(const struct model_config *c, enum param p, uint32_t layer, uint32_t *rows, uint32_t *cols);
/* Can P carry an adapter in a model of this configuration: a linear layer that some of its layers has. */
bool param_adaptable(const struct model_config *c, enum param p);
/* Is P a vector (a norm, a bias): widened to f32 on opening. */
bool param_is_vector(enum param p);
/* Are the rows of P, in GGUF files of this model, put so that rotated pairs are neighbours (architecture `llama`: q and k). */
bool param_paired(const struct model_config *c, enum param p);
/* Full Hugging Face name: "model.layers.3.self_attn.q_proj.weight".  LAYER is ignored for those of the model, EXPERT for all but those of experts. */
void param_hf_name(const struct model_config *c, enum param p, uint32_t layer, uint32_t expert, char out[96]);
void param_gguf_name(enum param p, uint32_t layer, char out[96]);

/* All places a model has for parameters, in the order of the table: those of the model, then layer by layer, experts last. */
struct place {
	enum param p;
	uint32_t layer, expert;
};
size_t place_count(const struct model_config *c);
struct place place_at(const struct model_config *c, size_t i);
size_t place_index(const struct model_config *c, enum param p, uint32_t layer, uint32_t expert);

struct weight {
	const void *p;                 /* as in the file (GGUF q and k rows of `llama` are put back in order in memory of our own) */
	enum dtype  type;
	uint32_t    rows, cols;
	const float *f32;              /* vectors (norms, biases): widened copy; NULL for matrices */
	const float *scale;            /* FP8 matrices: [ceil(rows / block), ceil(cols / block)] what each block counts; else NULL */
	uint32_t    block;
	bool        copied;            /* P is memory of our own, not the file's */
};
/* The matrix as kernels see it. */
static inline struct kmat weight_mat(const struct weight *w)
{
	return (struct kmat){ .p = w->p, .type = w->type, .rows = w->rows, .cols = w->cols, .scale = w->scale, .block = w->block };
}

struct weights {
	struct model_config cfg;
	char *path;                    /* as the user named it */
	bool  from_gguf;
	size_t mtp;                    /* tensors of layers that predict further tokens (DeepSeek V3), which nothing here uses */
	struct weight *w;              /* [place_count()] */
	/* owner's own state follows in weights.c */
	void *own;
};

/* PATH: a Hugging Face folder (config.json, safetensors) or a GGUF file.  Missing, extra or misshapen tensors: one error that names
 * them (the first few, and how many more). */
int  weights_open(struct weights **w, const char *path, struct err *e);
void weights_close(struct weights *w);
/* Shapes and types alone, every p NULL: for reckoning before anything is loaded.  PATH: a folder (config.json is enough; where there are safetensors
 * their types count), a config.json, or a GGUF file, of which the header is read.  Without tensors the matrices have the type that config.json
 * states (FP8 where it has a quantization_config), else BF16. */
int  weights_header(struct weights **w, const char *path, struct err *e);
/* What weights take: bytes of the file's map that passes read, and bytes of copies (vectors as f32, rows put back in order, FP8's scales). */
struct weights_size {
	size_t mapped, copied;
};
struct weights_size weights_size(const struct weights *w);
/* Hollow weights with their matrices in type T instead. */
void weights_retype(struct weights *w, enum dtype t);
/* Weight P of LAYER (ignored for P < P_LAYER); NULL where this model has none. */
const struct weight *weights_at(const struct weights *w, enum param p, uint32_t layer);
const struct weight *weights_expert(const struct weights *w, enum param p, uint32_t layer, uint32_t expert);
uint64_t weights_parameters(const struct weights *w);     /* number of values in the model, tied ones once */

#endif
