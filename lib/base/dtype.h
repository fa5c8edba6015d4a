/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_DTYPE_H
#define SFT_DTYPE_H
/* Element types of tensors in files and in memory.  The numbers are GGUF's type ids where GGUF has the type. */
#include <stddef.h>
#include <stdint.h>

enum dtype {
	DT_F32 = 0, DT_F16 = 1,
	DT_Q4_0 = 2, DT_Q4_1 = 3, DT_Q5_0 = 6, DT_Q5_1 = 7, DT_Q8_0 = 8,
	DT_Q2_K = 10, DT_Q3_K = 11, DT_Q4_K = 12, DT_Q5_K = 13, DT_Q6_K = 14,
	DT_I8 = 24, DT_I16 = 25, DT_I32 = 26, DT_I64 = 27, DT_F64 = 28, DT_BF16 = 30,
	DT_F8_E4M3 = 100, DT_F8_E5M2, DT_F8_E8M0, DT_U8, DT_U16, DT_U32, DT_U64, DT_BOOL,
	DT_NONE = -1
};

/* Values in one block (1 for plain types) and bytes of that block; 0 for an unknown type. */
unsigned dtype_block(enum dtype t);
unsigned dtype_bytes(enum dtype t);
const char *dtype_name(enum dtype t);                 /* "Q4_1"; safetensors names for plain types */
enum dtype dtype_named(const char *name, size_t n);   /* DT_NONE if there is none */

/* N values (a multiple of the block) of SRC, which may be unaligned, as f32.  Exact: every type here
 * is a subset of f32 arithmetic done as the reference dequantiser does it.  False for a type without values (DT_I8...). */
int dtype_to_f32(enum dtype t, const void *src, float *dst, size_t n);

/* N values as T: F32, F16 and BF16 rounded to nearest even; Q8_0 as ggml's reference quantiser has it (N a multiple of 32).  1: done; 0: T is none
 * of these; -1: done, but a finite value became an infinity (or, Q8_0, a value is not finite). */
int dtype_from_f32(enum dtype t, const float *src, void *dst, size_t n);

uint16_t f32_to_bf16(float f);     /* round to nearest even; NaN stays NaN */
float    bf16_to_f32(uint16_t h);
uint16_t f32_to_f16(float f);      /* round to nearest even */
float    f16_to_f32(uint16_t h);

#endif
