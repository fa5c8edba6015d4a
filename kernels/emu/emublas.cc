/* SPDX-License-Identifier: Apache-2.0 */
#include "emublas.h"

#include <vector>

struct emu_blas {
	cudaStream_t stream;
};

cublasStatus_t cublasCreate(cublasHandle_t *h)
{
	*h = new struct emu_blas();
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy(cublasHandle_t h)
{
	delete h;
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream(cublasHandle_t h, cudaStream_t s)
{
	h->stream = s;
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace(cublasHandle_t h, void *p, size_t bytes)
{
	(void)h;
	(void)bytes;
	emu_argument("cublasSetWorkspace", p);
	return CUBLAS_STATUS_SUCCESS;
}

static float value(const void *p, cudaDataType t, size_t i)
{
	return t == CUDA_R_32F ? ((const float *)p)[i] : bf16_f(((const uint16_t *)p)[i]);
}

/* op(X) [rows, cols], column-major in X, as rows without gaps; TURN: by columns. */
static std::vector<float> plain(const void *x, cudaDataType t, bool trans, int rows, int cols, int ld, bool turn)
{
	std::vector<float> out((size_t)rows * (size_t)cols);

	for (int i = 0; i < rows; i++)
		for (int j = 0; j < cols; j++)
			out[turn ? (size_t)j * (size_t)rows + (size_t)i : (size_t)i * (size_t)cols + (size_t)j] =
				value(x, t, trans ? (size_t)i * (size_t)ld + (size_t)j : (size_t)j * (size_t)ld + (size_t)i);
	return out;
}

/* One column of C at a time, its sums side by side. */
static void product(int m, int n, int k, float alpha, const std::vector<float> &a, const std::vector<float> &b, float beta, void *c, cudaDataType ct, int ldc)
{
	std::vector<float> sum((size_t)m);

	for (int j = 0; j < n; j++) {
		for (float &s : sum)
			s = 0;
		for (int l = 0; l < k; l++) {
			const float *col = &a[(size_t)l * (size_t)m], x = b[(size_t)j * (size_t)k + (size_t)l];

			for (int i = 0; i < m; i++)
				sum[(size_t)i] += col[i] * x;
		}
		for (int i = 0; i < m; i++) {
			size_t at = (size_t)j * (size_t)ldc + (size_t)i;
			float v = alpha * sum[(size_t)i] + (beta != 0 ? beta * value(c, ct, at) : 0);

			if (ct == CUDA_R_32F)
				((float *)c)[at] = v;
			else
				((uint16_t *)c)[at] = f_bf16(v);
		}
	}
}

cublasStatus_t cublasGemmEx(cublasHandle_t h, cublasOperation_t ta, cublasOperation_t tb, int m, int n, int k, const void *alpha, const void *a,
                            cudaDataType at, int lda, const void *b, cudaDataType bt, int ldb, const void *beta, void *c, cudaDataType ct, int ldc,
                            cublasComputeType_t compute, cublasGemmAlgo_t algo)
{
	float al = *(const float *)alpha, be = *(const float *)beta;

	(void)compute;
	(void)algo;
	if (m < 0 || n < 0 || k < 0 || lda < (ta == CUBLAS_OP_N ? m : k) || lda < 1 || ldb < (tb == CUBLAS_OP_N ? k : n) || ldb < 1 || ldc < m || at != bt)
		return CUBLAS_STATUS_INVALID_VALUE;
	if (ct == CUDA_R_16BF && at != CUDA_R_16BF)
		return CUBLAS_STATUS_INVALID_VALUE;
	emu_argument("cublasGemmEx", a);
	emu_argument("cublasGemmEx", b);
	emu_argument("cublasGemmEx", c);
	emu_queue(h->stream, [=] {
		product(m, n, k, al, plain(a, at, ta == CUBLAS_OP_T, m, k, lda, true), plain(b, bt, tb == CUBLAS_OP_T, k, n, ldb, true), be, c, ct, ldc);
		emu_guards("cublasGemmEx");
	});
	return CUBLAS_STATUS_SUCCESS;
}
