/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TARGETS_H
#define SFT_TARGETS_H
/* Which matrices an adapter changes: the language of `--targets`, and the names of modules. */
#include <stdbool.h>
#include "config.h"
#include "err.h"
#include "weights.h"

/* CHOSEN [place_count()] = the linear layers that TARGETS names.  It is a comma list; an item is
 *     all          every linear layer of the blocks but routed experts;  attention, mlp: those of one half
 *     experts      the routed experts (*FUSED is then set)
 *     q_proj       a leaf, wherever it stands outside the routed experts
 *     self_attn.q_proj, layers.3.mlp.up_proj      the end of a module's path, as PEFT's target_modules has it
 *     /REGEX/      PCRE2 that matches the whole path ("model.layers.3.mlp.experts.0.up_proj")
 *     layers=A-B, layers=A    keeps, of all that the others name, these layers; several are taken together
 *     heads=A-B, heads=A      keeps, of all that the others name (where none do: of attention), the matrices of the attention that have heads, and of these the
 *                             heads given: HEADS [c->heads], *LIMITED; several are taken together
 * SFT_USAGE: an item that names nothing, with the names there are; layers or heads the model has not; a malformed pattern. */
int targets_parse(bool *chosen, bool *fused, bool *heads, bool *limited, const struct model_config *c, const char *targets, struct err *e);

/* Can PLACE carry an adapter: it exists in this model and is a linear layer, of a routed expert or not. */
bool targets_can(const struct model_config *c, size_t place);
/* Path of the module at PLACE: "model.layers.3.self_attn.q_proj". */
void targets_module(const struct model_config *c, size_t place, char out[96]);

#endif
