/* SPDX-License-Identifier: Apache-2.0 */
/* The emulator itself: right kernels give right results in every schedule, and seeded faults are caught.  Each case runs in a process of its own, which
 * says 0 (the result is right), 1 (it is wrong) or 4 (the emulator ended it with a line).  Compiled twice: emuraces has the race detector. */
#include "cudakern.h"

#include <sys/wait.h>
#include <unistd.h>

#ifdef __SANITIZE_THREAD__
enum { RACES = 1 };
#else
enum { RACES = 0 };
#endif

static cudaStream_t stream, other;

template <typename T> static T *device(size_t n, const T *from)
{
	T *p = NULL;

	cudaMalloc(&p, n * sizeof *p);
	if (from) {
		cudaMemcpyAsync(p, from, n * sizeof *p, cudaMemcpyHostToDevice, stream);
		cudaStreamSynchronize(stream);
	}
	return p;
}

template <typename T> static void host(T *to, const T *from, size_t n)
{
	cudaMemcpyAsync(to, from, n * sizeof *to, cudaMemcpyDeviceToHost, stream);
	cudaStreamSynchronize(stream);
}

/* --- a block's sum, and with one of its two barriers left out --- */

template <int LEFT_OUT> static __global__ void k_sum(const int *x, int *y)
{
	__shared__ int part[4];
	int v = warp_sum(x[blockIdx.x * 128 + threadIdx.x]);

	if (threadIdx.x % 32 == 0)
		part[threadIdx.x / 32] = v;
	if (LEFT_OUT != 1)
		__syncthreads();
	y[blockIdx.x * 128 + threadIdx.x] = part[0] + part[1] + part[2] + part[3];
	if (LEFT_OUT != 2)
		__syncthreads();
	if (threadIdx.x % 32 == 0)
		part[threadIdx.x / 32] = 0;
}

template <int LEFT_OUT> static int sum_case(void)
{
	int x[256], y[256], bad = 0;

	for (int i = 0; i < 256; i++)
		x[i] = i * i % 17;
	int *dx = device(256, x), *dy = device<int>(256, NULL);

	LAUNCH((k_sum<LEFT_OUT>), 2, 128, 0, stream, dx, dy);
	host(y, dy, 256);
	for (int b = 0; b < 2; b++) {
		int want = 0;

		for (int i = 0; i < 128; i++)
			want += x[128 * b + i];
		for (int i = 0; i < 128; i++)
			bad |= y[128 * b + i] != want;
	}
	return bad;
}

/* --- two streams, with and without the event between --- */

static __global__ void k_twice(const float *x, float *y)
{
	y[threadIdx.x] = 2 * x[threadIdx.x];
}

static int event_case(bool wait)
{
	float x[32], y[32];

	for (int i = 0; i < 32; i++)
		x[i] = (float)i;
	float *a = device(32, x), *b = device<float>(32, NULL), *c = device<float>(32, NULL);
	cudaEvent_t e;

	cudaEventCreateWithFlags(&e, cudaEventDisableTiming);
	LAUNCH(k_twice, 1, 32, 0, other, a, b);
	cudaEventRecord(e, other);
	if (wait)
		cudaStreamWaitEvent(stream, e, 0);
	LAUNCH(k_twice, 1, 32, 0, stream, b, c);
	host(y, c, 32);
	return y[5] != 20;
}

static int event_there(void) { return event_case(true); }
static int event_missing(void) { return event_case(false); }

/* --- an index off by one --- */

static __global__ void k_next(float *x, const float *y, int off)
{
	x[threadIdx.x + off] = y[threadIdx.x + (1 - off)];
}

static int off_write(void)
{
	float *x = device<float>(32, NULL), *y = device<float>(40, NULL);

	LAUNCH(k_next, 1, 32, 0, stream, x, y, 1);
	cudaStreamSynchronize(stream);
	return 0;
}

static int off_read(void)
{
	float y[32] = { 1 }, x[32];
	float *dx = device<float>(32, NULL), *dy = device(32, y);

	LAUNCH(k_next, 1, 32, 0, stream, dx, dy, 0);
	host(x, dx, 32);
	return x[31] != x[31];
}

/* --- threads that part --- */

static __global__ void k_part(int *x, int how)
{
	if (how == 0 && threadIdx.x >= 32)
		return;
	if (how == 1 && threadIdx.x < 32)
		__syncthreads();
	else
		__syncthreads();
	x[threadIdx.x] = how == 2 && threadIdx.x < 40 ? __shfl_sync(0x0000ffffu, 1, 0) : 0;
}

template <int HOW> static int part_case(void)
{
	LAUNCH(k_part, 1, 64, 0, stream, device<int>(64, NULL), HOW);
	cudaStreamSynchronize(stream);
	return 0;
}

/* --- memory --- */

static __global__ void k_wide(float *x, int at)
{
	stg128(x + at, ldg128(x + at));
}

static int misaligned(void)
{
	LAUNCH(k_wide, 1, 32, 0, stream, device<float>(64, NULL), 1);
	cudaStreamSynchronize(stream);
	return 0;
}

static int host_pointer(void)
{
	float x[32] = { 0 };

	LAUNCH(k_twice, 1, 32, 0, stream, (const float *)x, device<float>(32, NULL));
	cudaStreamSynchronize(stream);
	return 0;
}

struct inside {
	const float *x;
};
static __global__ void k_inside(struct inside s, float *y)
{
	y[threadIdx.x] = s.x[threadIdx.x];
}

static int host_inside(void)
{
	static float x[32];
	float *heap = (float *)malloc(sizeof x);

	LAUNCH(k_inside, 1, 32, 0, stream, inside{ heap }, device<float>(32, NULL));
	cudaStreamSynchronize(stream);
	return 0;
}

static int host_looks(void)
{
	volatile float *x = device<float>(32, NULL);

	return x[3] == 1;
}

static int unwritten(void)
{
	float y[32];
	float *x = device<float>(32, NULL), *z = device<float>(32, NULL);

	LAUNCH(k_twice, 1, 32, 0, stream, x, z);
	host(y, z, 32);
	return y[0] != y[0];
}

/* --- copies beside the thread --- */

template <bool WAIT> static __global__ void k_copy(const float *x, float *y)
{
	SHARED_DYN(float, room);

	cp_async16(room + 4 * threadIdx.x, x + 4 * threadIdx.x, threadIdx.x == 31 ? 4 : 16);
	cp_async_commit();
	if (WAIT)
		cp_async_wait<0>();
	__syncthreads();
	for (int i = 0; i < 4; i++)
		y[4 * threadIdx.x + i] = room[(4 * threadIdx.x + i + 4) % 128];
	__syncthreads();
	cp_async_wait<0>();
}

template <bool WAIT> static int copy_case(void)
{
	float x[128], y[128];
	int bad = 0;

	for (int i = 0; i < 128; i++)
		x[i] = (float)i;
	float *dy = device<float>(128, NULL);

	LAUNCH((k_copy<WAIT>), 1, 32, 512, stream, device(128, (const float *)x), dy);
	host(y, dy, 128);
	for (int i = 0; i < 128; i++)
		bad |= y[i] != ((i + 4) % 128 <= 124 ? x[(i + 4) % 128] : 0);
	return bad;
}

/* --- tensor cores: d = a b of small integers, a from ldmatrix4, b from ldmatrix2_t --- */

static __global__ void k_mma(const uint16_t *a, const uint16_t *b, float *d)
{
	__shared__ __align__(16) uint16_t sa[16][24], sb[16][8];
	uint32_t fa[4], fb[2], lane = threadIdx.x;
	float acc[4] = { 0, 0, 0, 0 };

	for (int i = (int)lane; i < 256; i += 32)
		sa[i / 16][i % 16] = a[i];
	for (int i = (int)lane; i < 128; i += 32)
		sb[i / 8][i % 8] = b[i];
	__syncthreads();
	ldmatrix4(fa, &sa[lane % 16][lane / 16 * 8]);
	ldmatrix2_t(fb, &sb[lane % 16][0]);
	mma16816(acc, fa, fb);
	for (int i = 0; i < 4; i++)
		d[(lane / 4 + 8 * (i / 2)) * 8 + 2 * (lane % 4) + i % 2] = acc[i];
}

static int mma_case(void)
{
	uint16_t a[256], b[128];
	float d[128];
	int bad = 0;

	for (int i = 0; i < 256; i++)
		a[i] = f_bf16((float)(i * 7 % 11 - 5));
	for (int i = 0; i < 128; i++)
		b[i] = f_bf16((float)(i * 5 % 13 - 6));
	float *dd = device<float>(128, NULL);

	LAUNCH(k_mma, 1, 32, 0, stream, device(256, (const uint16_t *)a), device(128, (const uint16_t *)b), dd);
	host(d, dd, 128);
	for (int r = 0; r < 16; r++)
		for (int c = 0; c < 8; c++) {
			float want = 0;

			for (int k = 0; k < 16; k++)
				want += bf16_f(a[16 * r + k]) * bf16_f(b[8 * k + c]);
			bad |= d[8 * r + c] != want;
		}
	return bad;
}

/* --- blocks that write the same --- */

static __global__ void k_same(float *x, int *n)
{
	x[threadIdx.x] += 1;
	if (threadIdx.x == 0)
		atomicAdd(n, 1);
}

static int blocks_race(void)
{
	float zero[32] = { 0 };
	int none = 0;

	LAUNCH(k_same, 2, 32, 0, stream, device(32, (const float *)zero), device(1, (const int *)&none));
	cudaStreamSynchronize(stream);
	return 0;
}

/* --- running them --- */

enum { ALL = 6 };
static const char *const setting[ALL] = { "forward", "reverse", "random", "forward:lazy", "reverse:lazy", "random:lazy" };

struct fault {
	const char *name;
	int (*run)(void);
	int want;                      /* 0: right in all settings; 1: wrong in at least one of them; 4: ended in all */
	const char *says;              /* 4: a part of the line */
	bool detector;                 /* only with the race detector, which then ends it */
};

static const struct fault all[] = {
	{ "sum", sum_case<0>, 0, NULL, false },
	{ "sum, first barrier removed", sum_case<1>, 1, "race", false },
	{ "sum, second barrier removed", sum_case<2>, 1, "race", false },
	{ "event", event_there, 0, NULL, false },
	{ "event missing", event_missing, 1, NULL, false },
	{ "write off by one", off_write, 4, "wrote 0 bytes behind an allocation of 128", false },
	{ "read off by one", off_read, 1, NULL, false },
	{ "threads returned", part_case<0>, 4, "returned", false },
	{ "two barriers", part_case<1>, 4, "a barrier at", false },
	{ "partial mask", part_case<2>, 4, "a mask of", false },
	{ "misaligned vector", misaligned, 4, "ldg128 at an address", false },
	{ "host pointer", host_pointer, 4, "given a pointer to host memory", false },
	{ "host pointer in a struct", host_inside, 4, "reads host memory", true },
	{ "host looks", host_looks, 4, "host code reads or writes device memory", false },
	{ "unwritten memory", unwritten, 1, NULL, false },
	{ "copy", copy_case<true>, 0, NULL, false },
	{ "copy without a wait", copy_case<false>, 1, NULL, false },
	{ "tensor core", mma_case, 0, NULL, false },
	{ "blocks race", blocks_race, 4, "race", true },
};

/* The status of FAULT in SETTING, and what it said. */
static int outcome(const struct fault *f, const char *how, char *said, size_t room)
{
	int pipes[2], status = 0;
	ssize_t n, got = 0;
	pid_t pid;

	fflush(stdout);
	if (pipe(pipes) != 0 || (pid = fork()) < 0)
		return -1;
	if (pid == 0) {
		dup2(pipes[1], 2);
		emu_setup(how);
		cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
		cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking);
		_exit(f->run());
	}
	close(pipes[1]);
	while (got + 1 < (ssize_t)room && (n = read(pipes[0], said + got, room - 1 - (size_t)got)) > 0)
		got += n;
	said[got] = '\0';
	close(pipes[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(void)
{
	int bad = 0;

	for (const struct fault &f : all) {
		int want = RACES && f.says && strcmp(f.says, "race") == 0 ? 4 : f.want, seen = 0;
		char said[4096] = "";

		if (f.detector && !RACES)
			continue;
		for (int i = 0; i < ALL; i++) {
			int got = outcome(&f, setting[i], said, sizeof said);
			bool as_told = got != 4 || (f.says && strstr(said, f.says));

			seen += got == want && as_told;
			if ((want != 1 && got != want) || !as_told || (want == 1 && got > 1)) {
				printf("not ok %s, %s: status %d, %d expected; %s\n", f.name, setting[i], got, want, said);
				bad = 1;
				break;
			}
		}
		if (seen == 0)
			printf("not ok %s: in no setting as expected\n", f.name);
		else if (seen == ALL || want == 1)
			printf("ok %s\n", f.name);
		bad |= seen == 0;
	}
	return bad;
}
