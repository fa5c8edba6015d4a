/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_EMU_H
#define SFT_EMU_H
/* CUDA on the host, for tests: what the files of the CUDA backend use of it, so that g++ compiles them unchanged.
 *
 * A thread is a fiber (fibers.cc), blocks run one after the other, and a stream is a queue (streams.cc).  Device memory (devmem.cc) is filled with NaN,
 * has guards, and is closed to the host except during launches and copies.  What is misused (a barrier that not all threads reach, a misaligned
 * vector, a pointer to host memory as argument, a write past an allocation) ends the process with a line that says where.  It tells nothing about speed,
 * and nothing about the GPU's own exp, contraction of products or order of sums inside a tensor core. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

/* --- words of the language --- */

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __constant__
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __shared__ static __thread              /* so that all of them lie together, those of templates too */

struct dim3 {
	unsigned x, y, z;
	constexpr dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
};
struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct alignas(8) int2 { int x, y; };
struct alignas(16) int4 { int x, y, z, w; };
struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
static inline uint2 make_uint2(unsigned x, unsigned y) { return { x, y }; }
static inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return { x, y, z, w }; }
static inline int2 make_int2(int x, int y) { return { x, y }; }
static inline int4 make_int4(int x, int y, int z, int w) { return { x, y, z, w }; }
static inline float2 make_float2(float x, float y) { return { x, y }; }
static inline float4 make_float4(float x, float y, float z, float w) { return { x, y, z, w }; }

/* --- the running thread --- */

enum { EMU_SLOT = 64, EMU_COPIES = 256 };        /* bytes a lane can show its warp; copies under way in a thread */

struct emu_thread {
	dim3 tid;
	unsigned number, lane, warp;           /* in the block */
	int state;                             /* fibers.cc */
	void *sp, *stack;
	const char *file; int line;            /* where it waits */
	unsigned barriers, exchanges;          /* passed so far: with others of the block, of the warp */
	unsigned ncopies, group;               /* cp.async */
	struct { void *to; const void *from; unsigned bytes, group; } copy[EMU_COPIES];
};
extern struct emu_thread *emu_cur;
extern dim3 emu_block, emu_block_dim, emu_grid_dim;
#define threadIdx (emu_cur->tid)
#define blockIdx emu_block
#define blockDim emu_block_dim
#define gridDim emu_grid_dim
#define warpSize 32

[[noreturn]] void emu_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void  emu_barrier(const char *file, int line);
void  emu_warp_barrier(unsigned mask, const char *file, int line);
/* All lanes show BYTES; returns the slots of all 32, good until this lane's next but one such call. */
const char *emu_show(unsigned mask, const void *value, size_t bytes, const char *file, int line);
void *emu_dynamic(void);                                  /* dynamic shared memory of the block */
void  emu_aligned(const void *p, size_t n, const char *what);

#define __syncthreads() emu_barrier(__FILE__, __LINE__)
#define __syncwarp(...) emu_warp_barrier(0xffffffffu, __FILE__, __LINE__)
#define SHARED_DYN(type, name) type *name = (type *)emu_dynamic()
#define SHARED_MORE(kernel, bytes) ((void)(bytes))

template <typename T> static inline T emu_lane(unsigned mask, T v, unsigned from, const char *file, int line)
{
	T out;

	memcpy(&out, emu_show(mask, &v, sizeof v, file, line) + EMU_SLOT * (from % 32), sizeof out);
	return out;
}
template <typename T> static inline T emu_below(unsigned mask, T v, unsigned delta, const char *file, int line)
{
	return emu_lane(mask, v, emu_cur->lane + delta < 32 ? emu_cur->lane + delta : emu_cur->lane, file, line);
}
template <typename T> static inline T emu_above(unsigned mask, T v, unsigned delta, const char *file, int line)
{
	return emu_lane(mask, v, emu_cur->lane >= delta ? emu_cur->lane - delta : emu_cur->lane, file, line);
}
static inline unsigned emu_ballot(unsigned mask, int yes, const char *file, int line)
{
	const char *all = emu_show(mask, &yes, sizeof yes, file, line);
	unsigned bits = 0;

	for (int i = 0; i < 32; i++) {
		int v;

		memcpy(&v, all + EMU_SLOT * i, sizeof v);
		bits |= (unsigned)(v != 0) << i;
	}
	return bits;
}
#define __shfl_sync(mask, v, lane) emu_lane(mask, v, (unsigned)(lane), __FILE__, __LINE__)
#define __shfl_xor_sync(mask, v, bits) emu_lane(mask, v, emu_cur->lane ^ (unsigned)(bits), __FILE__, __LINE__)
#define __shfl_down_sync(mask, v, d) emu_below(mask, v, (unsigned)(d), __FILE__, __LINE__)
#define __shfl_up_sync(mask, v, d) emu_above(mask, v, (unsigned)(d), __FILE__, __LINE__)
#define __ballot_sync(mask, yes) emu_ballot(mask, yes, __FILE__, __LINE__)
#define __any_sync(mask, yes) (emu_ballot(mask, yes, __FILE__, __LINE__) != 0)
#define __all_sync(mask, yes) (emu_ballot(mask, yes, __FILE__, __LINE__) == 0xffffffffu)

/* --- arithmetic --- */

#define __expf(x) expf(x)
#define __logf(x) logf(x)
#define __fdividef(x, y) ((x) / (y))
#define __ldg(p) (*(p))
static inline float rsqrtf(float x) { return 1 / sqrtf(x); }
static inline double rsqrt(double x) { return 1 / sqrt(x); }
static inline float __uint_as_float(unsigned u) { float f; memcpy(&f, &u, 4); return f; }
static inline unsigned __float_as_uint(float f) { unsigned u; memcpy(&u, &f, 4); return u; }
static inline int __popc(unsigned u) { return __builtin_popcount(u); }
static inline int __ffs(int u) { return __builtin_ffs(u); }
static inline int __clz(int u) { return u ? __builtin_clz((unsigned)u) : 32; }
template <typename T> static inline T min(T a, T b) { return b < a ? b : a; }
template <typename T> static inline T max(T a, T b) { return a < b ? b : a; }
template <typename T> __attribute__((no_sanitize("thread"))) static inline T atomicAdd(T *p, T v)
{
	static_assert(std::is_integral<T>::value, "sums of floats have no fixed order");
	T old = *p;

	*p = old + v;
	return old;
}

static inline float bf16_f(uint16_t h) { return __uint_as_float((unsigned)h << 16); }
static inline uint16_t f_bf16(float f)             /* to nearest even, NaN stays one */
{
	unsigned u = __float_as_uint(f);

	return f != f ? (uint16_t)(u >> 16 | 0x40) : (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}
static inline uint32_t pack_bf16(float lo, float hi) { return f_bf16(lo) | (uint32_t)f_bf16(hi) << 16; }

/* --- the wrappers of cudakern.h: see there --- */

static inline uint4 ldg128(const void *p) { emu_aligned(p, 16, "ldg128"); return *(const uint4 *)p; }
static inline void stg128(void *p, uint4 v) { emu_aligned(p, 16, "stg128"); *(uint4 *)p = v; }
void cp_async16(void *shared, const void *global, uint32_t bytes = 16);
void cp_async_commit(void);
void emu_copies_wait(unsigned n);
template <int N> static inline void cp_async_wait(void) { emu_copies_wait(N); }
void ldmatrix4(uint32_t r[4], const void *row);
void ldmatrix4_t(uint32_t r[4], const void *row);
void ldmatrix2(uint32_t r[2], const void *row);
void ldmatrix2_t(uint32_t r[2], const void *row);
void mma16816(float d[4], const uint32_t a[4], const uint32_t b[2]);

/* --- the runtime --- */

enum cudaError_t { cudaSuccess = 0, cudaErrorInvalidValue = 1, cudaErrorMemoryAllocation = 2 };
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3 };
enum cudaDeviceAttr { cudaDevAttrMaxSharedMemoryPerBlockOptin = 97 };
enum { cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2 };
typedef struct emu_stream *cudaStream_t;
typedef struct emu_event *cudaEvent_t;
struct cudaDeviceProp {
	char name[256];
	int major, minor, multiProcessorCount;
	size_t totalGlobalMem;
};
enum { EMU_SHARED_MAX = 232448 };               /* 227 KB */

/* HOW: "lazy", "reverse"... between colons; what follows them (a device's number), or NULL where a word is not known. */
const char *emu_setup(const char *how);
extern struct emu_settings {
	int order;                              /* of threads and blocks: 0 forward, 1 reverse, 2 at random */
	bool lazy;                              /* streams do nothing before they are waited for */
} emu_settings;

const char *cudaGetErrorString(cudaError_t e);
cudaError_t cudaGetLastError(void);
cudaError_t cudaGetDeviceCount(int *n);
cudaError_t cudaSetDevice(int n);
cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *p, int n);
cudaError_t cudaDeviceGetAttribute(int *v, enum cudaDeviceAttr a, int n);
cudaError_t cudaMemGetInfo(size_t *unused, size_t *total);
cudaError_t cudaMalloc(void **p, size_t bytes);
cudaError_t cudaMallocManaged(void **p, size_t bytes);
cudaError_t cudaFree(void *p);
cudaError_t cudaMallocHost(void **p, size_t bytes);
cudaError_t cudaFreeHost(void *p);
template <typename T> static inline cudaError_t cudaMalloc(T **p, size_t bytes) { return cudaMalloc((void **)p, bytes); }
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind, cudaStream_t s);
cudaError_t cudaMemsetAsync(void *p, int value, size_t bytes, cudaStream_t s);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *s, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t s);
cudaError_t cudaStreamSynchronize(cudaStream_t s);
cudaError_t cudaDeviceSynchronize(void);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *e, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t e);
cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s);
cudaError_t cudaEventSynchronize(cudaEvent_t e);
cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned flags);

/* --- between the emulator's files --- */

void emu_queue(cudaStream_t s, std::function<void()> work);      /* with the device's memory open while it runs */
/* ENTER(CALL): what a thread does.  CALL, of SIZE bytes, holds its arguments. */
void emu_run(const char *kernel, dim3 grid, dim3 block, size_t shared, void (*enter)(void *), void *call, size_t size);
bool emu_is_shared(const void *p);               /* the block's shared memory, static or dynamic */
bool emu_is_device(const void *p);
bool emu_is_argument(const void *p);             /* of the kernel that runs */
extern unsigned emu_launches, emu_block_number;  /* kernels started so far; the running block's number */
void emu_memory_open(void);
void emu_memory_close(void);
void emu_guards(const char *kernel);             /* dies if something was written behind an allocation */
void emu_argument(const char *kernel, const void *p);            /* dies unless it lies in device memory */

template <typename P> static inline void emu_argument_of(const char *kernel, const P &p)
{
	if constexpr (std::is_pointer<P>::value)
		emu_argument(kernel, (const void *)p);
	else
		(void)kernel, (void)p;
}
template <typename... P> struct emu_call {
	void (*kernel)(P...);
	std::tuple<P...> args;

	static void enter(void *p)
	{
		struct emu_call *c = (struct emu_call *)p;

		std::apply(c->kernel, c->args);
	}
};
template <typename... P, typename... A>
static inline void emu_launch(const char *name, void (*kernel)(P...), dim3 grid, dim3 block, size_t shared, cudaStream_t s, A &&...args)
{
	auto call = std::make_shared<emu_call<P...>>(emu_call<P...>{ kernel, std::tuple<P...>(static_cast<P>(args)...) });

	(emu_argument_of<P>(name, static_cast<P>(args)), ...);
	emu_queue(s, [=] { emu_run(name, grid, block, shared, emu_call<P...>::enter, call.get(), sizeof *call); });
}
#define LAUNCH(kernel, grid, block, smem, stream, ...) emu_launch(#kernel, kernel, (grid), (block), (smem), (stream), __VA_ARGS__)

#endif
