/* SPDX-License-Identifier: Apache-2.0 */
/* The cpu backend for one instruction set: the including file (cpu_*.c) names it with ISA_OPS and ISA_NAME and is compiled with its
 * flags. */
#include "isa_attn_dx.h"
#include "isa_attn_one.h"
#include "isa_dora.h"
#include "isa_experts.h"
#include "isa_flat.h"
#include "isa_noise.h"
#include "isa_optim.h"
#include "isa_peak.h"
#include "isa_outer.h"
#include "isa_product.h"
#include "isa_rows.h"

const struct kern_ops ISA_OPS = {
	.name = ISA_NAME,
	.fast_bf16 = FAST_BF16,
	.peak = peak,
	.linear = linear,
	.linear_dx = linear_dx,
	.outer = outer,
	.colsum = colsum,
	.rmsnorm = rmsnorm,
	.rmsnorm_again = rmsnorm_again,
	.rmsnorm_dx = rmsnorm_dx,
	.rope = rope,
	.attn = attn_forward,
	.attn_dx = attn_dx,
	.swiglu = swiglu,
	.swiglu_dx = swiglu_dx,
	.embed = embed,
	.embed_dx = embed_dx,
	.rows_get = rows_get,
	.rows_put = rows_put,
	.rows_copy = rows_copy,
	.rows_gather = rows_gather,
	.dora_norm = dora_norm,
	.dora_scale = dora_scale,
	.dora_scale_dx = dora_scale_dx,
	.mla_keys = mla_keys,
	.mla_keys_dx = mla_keys_dx,
	.route = route,
	.route_dx = route_dx,
	.combine = combine,
	.combine_dx = combine_dx,
	.combine_add = combine_add,
	.gated = gated,
	.gated_dx = gated_dx,
	.dropout = dropout,
	.dropout_dx = dropout_dx,
	.noise = noise,
	.xent = xent,
	.rivals = rivals,
	.cast = cast,
	.add = add,
	.scale = scale,
	.sumsq = sumsq,
	.adamw = adamw,
	.sgd = sgd,
	.lion = lion,
	.adafactor = adafactor,
};
