/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_CUDAKERN_H
#define SFT_CUDAKERN_H
/* What the files of the CUDA backend (cuda*.cu) share.  nvcc makes sft-cuda.so of them; g++ over emu/ makes sft-emu.so of the same files, for tests on
 * machines without a GPU.
 *
 * Rules, so that both compilers take them and the emulator can watch:
 * - Kernels are static, and so are device functions that have __shared__ variables.
 * - A kernel is started with LAUNCH(kernel, grid, block, shared bytes, stream, arguments...).  A template goes in brackets: LAUNCH((k_add<float>), ...).
 * - Blocks are a multiple of 32 threads and at most 1024; masks of warp functions are full; no thread returns before a barrier that others reach.
 * - Dynamic shared memory is SHARED_DYN(type, name), aligned to 128 bytes; above 48 KB SHARED_MORE(kernel, bytes) comes before the launch.
 * - PTX stands only in this file, in functions that emu.h has too.
 * - Kernel arguments are values and device pointers (also inside structs passed by value); what lies in host memory is brought over by cuda_upload().
 * - No float atomics and no order left to chance: two runs give the same bits.
 * - Host code never looks behind a device pointer, and every call of the runtime stands in CUDA_CHECK(). */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef __CUDACC__
#include <cuda_runtime.h>
#include <cuda_bf16.h>
#else
#include "emu.h"
#endif

extern "C" {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"                        /* kern_linear() and struct kern_linear: fine in C */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include "ops.h"
#pragma GCC diagnostic pop
}

/* State of an opened device: struct kern's OWN. */
struct kern_cuda {
	int device;
	cudaStream_t stream;           /* the operations, in order */
	struct cuda_blas *blas;        /* cudablas.cu */
	void  *scratch; size_t scratch_size;          /* cuda_scratch() */
	char  *stage, *stage_dev; size_t stage_at;    /* cuda_upload(): pinned, and its image on the device */
	double *sum; double *sum_host; /* [1] device, pinned: what sumsq gives back */
	int    sms, cc;                /* processors; 10 * major + minor of the compute capability */
	size_t smem_max;               /* shared memory that a block can ask for */
	char   name[256];
};

static inline struct kern_cuda *cuda_of(struct kern *k)
{
	return (struct kern_cuda *)k->own;
}

/* cudadoor.cu.
 * Device memory for one operation, 256-byte aligned, contents undefined; the next call may give the same again (operations follow each other on one
 * stream).  An operation that needs several pieces asks once and divides. */
void *cuda_scratch(struct kern *k, size_t bytes);
/* A copy on the device of BYTES of host memory, 256-byte aligned, good for what is launched next; the host's may change at once. */
const void *cuda_upload(struct kern *k, const void *host, size_t bytes);
/* One line, and the end of the process with status 4: as mem_new(), for what cannot be reported. */
[[noreturn]] void cuda_fail(const char *file, int line, const char *call, const char *why);

/* cudablas.cu, in terms of row-major matrices:  C [m, n] = alpha * op(A) [m, kk] op(B) [kk, n] + beta * C.
 * op(A) is A [m, kk] (rows of lda), or with TA the transpose of A [kk, m]; likewise B.  Types: A and B both f32, or both bf16; C f32 or (bf16 operands)
 * bf16.  Sums are f32; f32 products are f32 (no TF32). */
void cuda_gemm(struct kern *k, bool ta, bool tb, uint32_t m, uint32_t n, uint32_t kk, float alpha, const void *a, size_t lda, const void *b, size_t ldb,
               enum dtype ab, float beta, void *c, size_t ldc, enum dtype ct);
struct cuda_blas *cuda_blas_open(cudaStream_t stream);      /* NULL: cuBLAS does not start */
void cuda_blas_close(struct cuda_blas *b);

/* The operations, one function for each of KERN_OPS. */
#define OP(ret, name, params, args) ret cuda_##name params;
KERN_OPS(OP)
#undef OP

#define CUDA_CHECK(call) do { \
	cudaError_t cuda_rc_ = (call); \
	if (cuda_rc_ != cudaSuccess) \
		cuda_fail(__FILE__, __LINE__, #call, cudaGetErrorString(cuda_rc_)); \
} while (0)

static inline uint32_t cuda_blocks(size_t n, uint32_t each)     /* blocks of EACH that hold N */
{
	return (uint32_t)((n + each - 1) / each);
}

enum { WARP = 32 };
#define FULL 0xffffffffu

#ifdef __CUDACC__

#define LAUNCH(kernel, grid, block, smem, stream, ...) do { \
	kernel<<<(grid), (block), (smem), (stream)>>>(__VA_ARGS__); \
	CUDA_CHECK(cudaGetLastError()); \
} while (0)
#define SHARED_DYN(type, name) \
	extern __shared__ __align__(128) unsigned char cuda_shared_dyn_[]; \
	type *name = reinterpret_cast<type *>(cuda_shared_dyn_)
#define SHARED_MORE(kernel, bytes) \
	CUDA_CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)(bytes)))

/* --- bf16, kept as uint16_t; two of them in a word, the first in the low half --- */

__device__ __forceinline__ float bf16_f(uint16_t h)
{
	return __uint_as_float((uint32_t)h << 16);
}
__device__ __forceinline__ uint16_t f_bf16(float f)
{
	return __bfloat16_as_ushort(__float2bfloat16_rn(f));
}
__device__ __forceinline__ uint32_t pack_bf16(float lo, float hi)
{
	__nv_bfloat162 v = __floats2bfloat162_rn(lo, hi);

	return *reinterpret_cast<uint32_t *>(&v);
}

/* --- 128 bits at once; both addresses 16-byte aligned --- */

__device__ __forceinline__ uint4 ldg128(const void *p)                 /* global, read only in this kernel */
{
	return __ldg(reinterpret_cast<const uint4 *>(p));
}
__device__ __forceinline__ void stg128(void *p, uint4 v)
{
	*reinterpret_cast<uint4 *>(p) = v;
}

/* --- copies from global to shared memory that run beside the thread --- */

__device__ __forceinline__ uint32_t shared_address(const void *p)
{
	return (uint32_t)__cvta_generic_to_shared(p);
}
/* 16 bytes, of which only the first BYTES (0 to 16) are read; the rest is 0. */
__device__ __forceinline__ void cp_async16(void *shared, const void *global, uint32_t bytes = 16)
{
	asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" :: "r"(shared_address(shared)), "l"(global), "r"(bytes) : "memory");
}
__device__ __forceinline__ void cp_async_commit(void)                  /* those since the last commit are a group */
{
	asm volatile("cp.async.commit_group;" ::: "memory");
}
/* Until at most the last N groups of this thread are under way (a barrier shows them to the others). */
template <int N> __device__ __forceinline__ void cp_async_wait(void)
{
	asm volatile("cp.async.wait_group %0;" :: "n"(N) : "memory");
}

/* --- tensor cores --- */

/* Four 8 x 8 matrices of bf16 from shared memory: lane l gives the address (16-byte aligned) of row l % 8 of matrix l / 8; r[i] is of matrix i row
 * lane / 4, columns 2 * (lane % 4) and the next; with _t of its transpose. */
__device__ __forceinline__ void ldmatrix4(uint32_t r[4], const void *row)
{
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
	             : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(shared_address(row)) : "memory");
}
__device__ __forceinline__ void ldmatrix4_t(uint32_t r[4], const void *row)
{
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
	             : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(shared_address(row)) : "memory");
}
/* The same of two matrices; lanes 0 to 15 give the addresses. */
__device__ __forceinline__ void ldmatrix2(uint32_t r[2], const void *row)
{
	asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];" : "=r"(r[0]), "=r"(r[1]) : "r"(shared_address(row)) : "memory");
}
__device__ __forceinline__ void ldmatrix2_t(uint32_t r[2], const void *row)
{
	asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];" : "=r"(r[0]), "=r"(r[1]) : "r"(shared_address(row)) : "memory");
}
/* d [16, 8] += a [16, 16] b [16, 8], bf16 with f32 sums.  With g = lane / 4 and c = 2 * (lane % 4):
 *     a[0]: row g, columns c c+1;   a[1]: row g + 8;   a[2]: row g, columns c + 8 ...;   a[3]: row g + 8, columns c + 8 ...
 *     b[0]: rows c c+1 of column g;  b[1]: rows c + 8 ...;   d[0] d[1]: row g, columns c c+1;  d[2] d[3]: row g + 8. */
__device__ __forceinline__ void mma16816(float d[4], const uint32_t a[4], const uint32_t b[2])
{
	asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
	             : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

#endif

/* --- values of either act type --- */

template <typename T> __device__ __forceinline__ float act_f(T v);
template <> __device__ __forceinline__ float act_f<float>(float v) { return v; }
template <> __device__ __forceinline__ float act_f<uint16_t>(uint16_t v) { return bf16_f(v); }
template <typename T> __device__ __forceinline__ T f_act(float v);
template <> __device__ __forceinline__ float f_act<float>(float v) { return v; }
template <> __device__ __forceinline__ uint16_t f_act<uint16_t>(float v) { return f_bf16(v); }

/* --- sums over a warp and a block, in a fixed order; every thread has the result --- */

template <typename T> __device__ __forceinline__ T warp_sum(T v)
{
	for (int d = WARP / 2; d > 0; d /= 2)
		v += __shfl_xor_sync(FULL, v, d);
	return v;
}
__device__ __forceinline__ float warp_max(float v)
{
	for (int d = WARP / 2; d > 0; d /= 2)
		v = fmaxf(v, __shfl_xor_sync(FULL, v, d));
	return v;
}
/* ROOM: shared memory for a value of each warp, 33 of them; the block has threads in x only. */
template <typename T> __device__ __forceinline__ T block_sum(T v, T *room)
{
	int warp = (int)threadIdx.x / WARP, lane = (int)threadIdx.x % WARP, warps = (int)blockDim.x / WARP;

	v = warp_sum(v);
	__syncthreads();                               /* of what used ROOM before */
	if (lane == 0)
		room[warp] = v;
	__syncthreads();
	if (warp == 0) {
		v = warp_sum(lane < warps ? room[lane] : T(0));
		if (lane == 0)
			room[WARP] = v;
	}
	__syncthreads();
	return room[WARP];
}
__device__ __forceinline__ float block_max(float v, float *room)
{
	int warp = (int)threadIdx.x / WARP, lane = (int)threadIdx.x % WARP, warps = (int)blockDim.x / WARP;

	v = warp_max(v);
	__syncthreads();
	if (lane == 0)
		room[warp] = v;
	__syncthreads();
	if (warp == 0) {
		v = warp_max(lane < warps ? room[lane] : -INFINITY);
		if (lane == 0)
			room[WARP] = v;
	}
	__syncthreads();
	return room[WARP];
}

#endif
