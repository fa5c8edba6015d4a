/* SPDX-License-Identifier: Apache-2.0 */
/* The cpu backend for one instruction set: the including file (cpu_*.c) names it with ISA_OPS and ISA_NAME and is compiled with its
 * flags. */
#include "isa_product.h"

const struct kern_ops ISA_OPS = {
	.name = ISA_NAME,
	.fast_bf16 = FAST_BF16,
	.linear = linear,
	.linear_dx = linear_dx,
	.outer = ref_outer,
	.colsum = ref_colsum,
	.rmsnorm = ref_rmsnorm,
	.rmsnorm_again = ref_rmsnorm_again,
	.rmsnorm_dx = ref_rmsnorm_dx,
	.rope = ref_rope,
	.attn = ref_attn,
	.attn_dx = ref_attn_dx,
	.swiglu = ref_swiglu,
	.swiglu_dx = ref_swiglu_dx,
	.embed = ref_embed,
	.embed_dx = ref_embed_dx,
	.rows_get = ref_rows_get,
	.rows_put = ref_rows_put,
	.rows_copy = ref_rows_copy,
	.xent = ref_xent,
	.cast = ref_cast,
	.add = ref_add,
	.scale = ref_scale,
	.sumsq = ref_sumsq,
	.adamw = ref_adamw,
};
