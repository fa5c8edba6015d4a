/* SPDX-License-Identifier: Apache-2.0 */
/* cuBLAS, and the only file that knows it. */
#include "cudakern.h"

#ifdef __CUDACC__
#include <cublas_v2.h>
enum { WORKSPACE = 32 << 20 };
#else
#include "emublas.h"
enum { WORKSPACE = 1 };
#endif

struct cuda_blas {
	cublasHandle_t handle;
	void *workspace;               /* given once, so that no call allocates and every run takes the same algorithms */
};

struct cuda_blas *cuda_blas_open(cudaStream_t stream)
{
	struct cuda_blas *b = new struct cuda_blas();

	if (cublasCreate(&b->handle) != CUBLAS_STATUS_SUCCESS) {
		delete b;
		return NULL;
	}
	if (cublasSetStream(b->handle, stream) != CUBLAS_STATUS_SUCCESS || cudaMalloc(&b->workspace, WORKSPACE) != cudaSuccess ||
	    cublasSetWorkspace(b->handle, b->workspace, WORKSPACE) != CUBLAS_STATUS_SUCCESS) {
		cuda_blas_close(b);
		return NULL;
	}
	return b;
}

void cuda_blas_close(struct cuda_blas *b)
{
	cublasDestroy(b->handle);
	cudaFree(b->workspace);
	delete b;
}

static cudaDataType type_of(enum dtype t)
{
	return t == DT_BF16 ? CUDA_R_16BF : CUDA_R_32F;
}

/* A row-major matrix is its transpose to cuBLAS: C^T = op(B)^T op(A)^T. */
void cuda_gemm(struct kern *k, bool ta, bool tb, uint32_t m, uint32_t n, uint32_t kk, float alpha, const void *a, size_t lda, const void *b, size_t ldb,
               enum dtype ab, float beta, void *c, size_t ldc, enum dtype ct)
{
	cublasStatus_t rc;

	if (m == 0 || n == 0)
		return;
	rc = cublasGemmEx(cuda_of(k)->blas->handle, tb ? CUBLAS_OP_T : CUBLAS_OP_N, ta ? CUBLAS_OP_T : CUBLAS_OP_N, (int)n, (int)m, (int)kk, &alpha,
	                  b, type_of(ab), (int)ldb, a, type_of(ab), (int)lda, &beta, c, type_of(ct), (int)ldc, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
	if (rc != CUBLAS_STATUS_SUCCESS)
		cuda_fail(__FILE__, __LINE__, "cublasGemmEx", rc == CUBLAS_STATUS_INVALID_VALUE ? "invalid value" : "cuBLAS failed");
}
