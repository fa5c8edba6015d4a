/* SPDX-License-Identifier: Apache-2.0 */
/* The CUDA backend from outside: opening a device, its memory, and its table of operations. */
#include "cudakern.h"

#include <stdlib.h>
#include <unistd.h>

#include "cudadoor.h"

enum { STAGE = 1 << 20 };              /* bytes of small host arrays on their way */

void cuda_fail(const char *file, int line, const char *call, const char *why)
{
	const char *slash = strrchr(file, '/');

	fprintf(stderr, "sft: the CUDA device failed: %s (%s:%d: %.*s)\n", why, slash ? slash + 1 : file, line, (int)strcspn(call, "("), call);
	fflush(NULL);
	_exit(SFT_SYSTEM);
}

/* --- memory --- */

static void *device_alloc(struct kern *k, size_t bytes)
{
	void *p = NULL;

	if (cudaMalloc(&p, bytes ? bytes : 1) != cudaSuccess) {
		cudaGetLastError();                            /* it is reported by the caller, and no later call's */
		return NULL;
	}
	CUDA_CHECK(cudaMemsetAsync(p, 0, bytes, cuda_of(k)->stream));
	return p;
}

static void device_wait(struct kern *k)
{
	CUDA_CHECK(cudaStreamSynchronize(cuda_of(k)->stream));
}

static void device_free(struct kern *k, void *p)
{
	if (p == NULL)
		return;
	device_wait(k);
	CUDA_CHECK(cudaFree(p));
}

/* Memory that host and device both see. */
static void *device_both(struct kern *k, size_t bytes)
{
	void *p = NULL;

	(void)k;
	return cudaMallocManaged(&p, bytes ? bytes : 1) == cudaSuccess ? p : NULL;
}

/* Room for BYTES in the ring of what is on its way to the device. */
static size_t stage_room(struct kern *k, size_t bytes)
{
	struct kern_cuda *c = cuda_of(k);
	size_t at = (c->stage_at + 255) & ~(size_t)255;

	if (at + bytes > STAGE) {
		device_wait(k);                                /* what lies there has been read */
		at = 0;
	}
	c->stage_at = at + bytes;
	return at;
}

static void device_put(struct kern *k, void *device, const void *host, size_t bytes)
{
	struct kern_cuda *c = cuda_of(k);
	size_t at;

	if (bytes == 0)
		return;
	if (bytes > STAGE / 4) {
		CUDA_CHECK(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, c->stream));
		device_wait(k);
		return;
	}
	at = stage_room(k, bytes);
	memcpy(c->stage + at, host, bytes);
	CUDA_CHECK(cudaMemcpyAsync(device, c->stage + at, bytes, cudaMemcpyHostToDevice, c->stream));
}

static void device_get(struct kern *k, void *host, const void *device, size_t bytes)
{
	if (bytes)
		CUDA_CHECK(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, cuda_of(k)->stream));
	device_wait(k);
}

static void device_zero(struct kern *k, void *p, size_t bytes)
{
	if (bytes)
		CUDA_CHECK(cudaMemsetAsync(p, 0, bytes, cuda_of(k)->stream));
}

const void *cuda_upload(struct kern *k, const void *host, size_t bytes)
{
	struct kern_cuda *c = cuda_of(k);
	size_t at;

	if (bytes > STAGE)
		cuda_fail(__FILE__, __LINE__, "cuda_upload", "an argument in host memory is too long");
	at = stage_room(k, bytes);
	if (bytes) {
		memcpy(c->stage + at, host, bytes);
		CUDA_CHECK(cudaMemcpyAsync(c->stage_dev + at, c->stage + at, bytes, cudaMemcpyHostToDevice, c->stream));
	}
	return c->stage_dev + at;
}

void *cuda_scratch(struct kern *k, size_t bytes)
{
	struct kern_cuda *c = cuda_of(k);

	if (bytes > c->scratch_size) {
		device_free(k, c->scratch);
		c->scratch_size = bytes;
		CUDA_CHECK(cudaMalloc(&c->scratch, c->scratch_size));
	}
	return c->scratch;
}

static void device_reserve(struct kern *k, size_t bytes)
{
	cuda_scratch(k, bytes);
}

static uint64_t device_memory(struct kern *k)
{
	size_t unused = 0, total = 0;

	(void)k;
	CUDA_CHECK(cudaMemGetInfo(&unused, &total));
	return unused;
}

/* --- opening --- */

static void device_close(struct kern *k)
{
	struct kern_cuda *c = cuda_of(k);

	if (c->stream)
		cudaStreamSynchronize(c->stream);
	if (c->blas)
		cuda_blas_close(c->blas);
	cudaFree(c->scratch);
	cudaFree(c->stage_dev);
	cudaFreeHost(c->stage);
	cudaFree(c->sum);
	cudaFreeHost(c->sum_host);
	if (c->stream)
		cudaStreamDestroy(c->stream);
	free(c);
	k->own = NULL;
}

#define OP(ret, name, params, args) .name = cuda_##name,
static const struct kern_ops table = {
#ifdef __CUDACC__
	.name = "cuda",
#else
	.name = "emu",
#endif
	.fast_bf16 = true,
	.peak = NULL,
	.alloc = device_alloc, .free = device_free, .put = device_put, .get = device_get, .zero = device_zero, .wait = device_wait, .memory = device_memory,
	.reserve = device_reserve, .both = device_both,
	.close = device_close,
	KERN_OPS(OP)
};
#undef OP

static cudaError_t start(struct kern_cuda *c)
{
	struct cudaDeviceProp prop;
	int smem = 0;
	cudaError_t rc;

	if ((rc = cudaSetDevice(c->device)) != cudaSuccess || (rc = cudaGetDeviceProperties(&prop, c->device)) != cudaSuccess ||
	    (rc = cudaDeviceGetAttribute(&smem, cudaDevAttrMaxSharedMemoryPerBlockOptin, c->device)) != cudaSuccess)
		return rc;
	c->sms = prop.multiProcessorCount;
	c->cc = 10 * prop.major + prop.minor;
	c->smem_max = (size_t)smem;
	snprintf(c->name, sizeof c->name, "%s", prop.name);
	if ((rc = cudaStreamCreateWithFlags(&c->stream, cudaStreamNonBlocking)) != cudaSuccess ||
	    (rc = cudaMallocHost((void **)&c->stage, STAGE)) != cudaSuccess || (rc = cudaMalloc((void **)&c->stage_dev, STAGE)) != cudaSuccess ||
	    (rc = cudaMallocHost((void **)&c->sum_host, sizeof *c->sum_host)) != cudaSuccess || (rc = cudaMalloc((void **)&c->sum, sizeof *c->sum)) != cudaSuccess)
		return rc;
	return cudaSuccess;
}

static int device_count(void)
{
	int n = 0;

	return cudaGetDeviceCount(&n) == cudaSuccess ? n : 0;
}

/* "" or "N": which device. */
static int device_open(struct kern *k, const char *how, char *msg, size_t room)
{
	struct kern_cuda *c;
	int n = 0;
	cudaError_t rc;

#ifndef __CUDACC__
	if ((how = emu_setup(how)) == NULL)
		return snprintf(msg, room, "device emu is not known so (expected emu, and after colons forward, reverse, random or lazy)");
#endif
	if ((rc = cudaGetDeviceCount(&n)) != cudaSuccess || n == 0)
		return snprintf(msg, room, "no CUDA device: %s (expected a GPU and NVIDIA's driver)", rc != cudaSuccess ? cudaGetErrorString(rc) : "there is none");
	if (strspn(how, "0123456789") != strlen(how) || strlen(how) > 4 || atoi(how) >= n)
		return snprintf(msg, room, "no CUDA device %s (expected 0 to %d)", how, n - 1);
	c = (struct kern_cuda *)calloc(1, sizeof *c);
	c->device = atoi(how);
	k->own = c;
	if ((rc = start(c)) != cudaSuccess || (c->blas = cuda_blas_open(c->stream)) == NULL) {
		snprintf(msg, room, "CUDA device %d does not start: %s", c->device, rc != cudaSuccess ? cudaGetErrorString(rc) : "cuBLAS does not initialise");
		device_close(k);
		return 1;
	}
	k->ops = &table;
	return 0;
}

extern "C" {
extern const struct cuda_door sft_cuda_door;
const struct cuda_door sft_cuda_door = { sizeof(struct kern_ops), OP_COUNT, device_open, device_count };
}
