/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_CONFIGOUT_H
#define SFT_CONFIGOUT_H
/* A model's configuration in the form of either kind of file.  What the form cannot say is SFT_BADDATA, with what it is. */
#include "config.h"
#include "dtype.h"
#include "ggufout.h"
#include "mem.h"

/* config.json, as transformers of either layout of the rope settings read it; TYPE: what it says the weights are. */
int config_to_json(const struct model_config *c, enum dtype type, struct buf *out, struct err *e);

/* general.architecture and the keys below it, as today's llama.cpp reads them: latent attention with kv_b in two (kvsplit.h). */
int config_to_gguf(const struct model_config *c, struct gguf_meta *m, struct err *e);
const char *config_gguf_name(const struct model_config *c);     /* the architecture */
/* Divisors of the frequencies [rotated / 2] for rope_freqs.weight; false: the model needs none. */
bool config_rope_divisors(const struct model_config *c, float *out);

#endif
