/* SPDX-License-Identifier: Apache-2.0 */
/* The device and its memory: a range of addresses that the host cannot read or write but during launches and copies.  Every allocation begins as NaN and has a
 * guard behind it. */
#include "emu.h"

#include <map>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define __asan_poison_memory_region(p, n) ((void)(p), (void)(n))
#define __asan_unpoison_memory_region(p, n) ((void)(p), (void)(n))
#endif

enum { GUARD = 256 };
static const uint16_t GUARD_WORD = 0x7ff1;         /* NaN as bf16 and, twice, as f32; another than that of unwritten memory */
static const size_t TOTAL = (size_t)8 << 30;       /* of the device, and again of memory that both sides see */

struct area {
	char *base;
	size_t top;                              /* used so far */
	std::map<char *, size_t> live;           /* where, and bytes */
	std::multimap<size_t, char *> spare;     /* freed, by size with its guard */
};
static struct area device, both;
static int open_depth;

static bool inside(const struct area *a, const void *p)
{
	return a->base && (const char *)p >= a->base && (const char *)p < a->base + TOTAL;
}

static void host_looked(int sig, siginfo_t *i, void *context)
{
	(void)sig;
	(void)context;
	if (inside(&device, i->si_addr))
		emu_die("host code reads or writes device memory");
	signal(SIGSEGV, SIG_DFL);
}

static bool reserve(void)
{
	struct sigaction how = {};

	if (device.base)
		return true;
	device.base = (char *)mmap(NULL, 2 * TOTAL, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (device.base == MAP_FAILED) {
		device.base = NULL;
		return false;
	}
	both.base = device.base + TOTAL;
	mprotect(both.base, TOTAL, PROT_READ | PROT_WRITE);
	how.sa_sigaction = host_looked;
	how.sa_flags = SA_SIGINFO;
	sigaction(SIGSEGV, &how, NULL);
	return true;
}

static void protect(int how)
{
	if (device.top)
		mprotect(device.base, device.top, how);
}

void emu_memory_open(void)
{
	if (open_depth++ == 0)
		protect(PROT_READ | PROT_WRITE);
}

void emu_memory_close(void)
{
	if (--open_depth == 0)
		protect(PROT_NONE);
}

static size_t with_guard(size_t bytes)
{
	return ((bytes + 255) & ~(size_t)255) + GUARD;
}

static char guard_byte(size_t i)
{
	return (char)(i % 2 ? GUARD_WORD >> 8 : GUARD_WORD & 0xff);
}

static cudaError_t take(struct area *a, void **p, size_t bytes)
{
	size_t n = with_guard(bytes);
	char *at;

	*p = NULL;
	if (!reserve() || bytes > TOTAL || n > TOTAL - a->top)
		return cudaErrorMemoryAllocation;
	auto it = a->spare.find(n);
	if (it != a->spare.end()) {
		at = it->second;
		a->spare.erase(it);
	} else {
		at = a->base + a->top;
		a->top += (n + 4095) & ~(size_t)4095;
	}
	emu_memory_open();
	if (a == &device)
		mprotect(at, n, PROT_READ | PROT_WRITE);
	__asan_unpoison_memory_region(at, n);
	memset(at, 0xff, n);
	for (size_t i = bytes; i < n; i++)
		at[i] = guard_byte(i);
	__asan_poison_memory_region(at + bytes, n - bytes);
	emu_memory_close();
	a->live[at] = bytes;
	*p = at;
	return cudaSuccess;
}

cudaError_t cudaMalloc(void **p, size_t bytes)
{
	return take(&device, p, bytes);
}

cudaError_t cudaMallocManaged(void **p, size_t bytes)
{
	return take(&both, p, bytes);
}

static bool give_back(struct area *a, void *p)
{
	auto it = a->live.find((char *)p);
	size_t n;

	if (it == a->live.end())
		return false;
	n = with_guard(it->second);
	emu_memory_open();
	emu_guards("cudaFree");
	__asan_unpoison_memory_region(p, n);
	memset(p, 0xff, n);
	__asan_poison_memory_region(p, n);
	emu_memory_close();
	a->live.erase(it);
	a->spare.insert({ n, (char *)p });
	return true;
}

cudaError_t cudaFree(void *p)
{
	if (p == NULL)
		return cudaSuccess;
	cudaDeviceSynchronize();
	if (!give_back(&device, p) && !give_back(&both, p))
		emu_die("cudaFree of what was not allocated");
	return cudaSuccess;
}

cudaError_t cudaMallocHost(void **p, size_t bytes)
{
	*p = malloc(bytes);
	return *p ? cudaSuccess : cudaErrorMemoryAllocation;
}

cudaError_t cudaFreeHost(void *p)
{
	free(p);
	return cudaSuccess;
}

#ifdef __SANITIZE_ADDRESS__
void emu_guards(const char *kernel)                /* AddressSanitizer sees each access itself */
{
	(void)kernel;
}
#else
static void check(const struct area *a, const char *kernel)
{
	for (const auto &it : a->live)
		for (size_t i = it.second; i < with_guard(it.second); i++)
			if (it.first[i] != guard_byte(i))
				emu_die("%s wrote %zu bytes behind an allocation of %zu", kernel, i - it.second, it.second);
}

void emu_guards(const char *kernel)
{
	check(&device, kernel);
	check(&both, kernel);
}
#endif

bool emu_is_device(const void *p)
{
	return inside(&device, p) || inside(&both, p);
}

void emu_argument(const char *kernel, const void *p)
{
	if (p && !emu_is_device(p))
		emu_die("%s was given a pointer to host memory", kernel);
}

/* --- the device --- */

const char *emu_setup(const char *how)
{
	static const struct { const char *word; int order, lazy; } words[] = {
		{ "forward", 0, -1 }, { "reverse", 1, -1 }, { "random", 2, -1 }, { "eager", -1, 0 }, { "lazy", -1, 1 },
	};

	emu_settings = {};
	while (*how) {
		size_t n = strcspn(how, ":"), i = 0;

		while (i < sizeof words / sizeof *words && (strlen(words[i].word) != n || strncmp(how, words[i].word, n) != 0))
			i++;
		if (i == sizeof words / sizeof *words)
			return NULL;
		if (words[i].order >= 0)
			emu_settings.order = words[i].order;
		if (words[i].lazy >= 0)
			emu_settings.lazy = words[i].lazy != 0;
		how += n + (how[n] == ':');
	}
	return how;
}

const char *cudaGetErrorString(cudaError_t e)
{
	return e == cudaSuccess ? "no error" : e == cudaErrorMemoryAllocation ? "out of memory" : "invalid value";
}

cudaError_t cudaGetLastError(void)
{
	return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *n)
{
	*n = 1;
	return cudaSuccess;
}

cudaError_t cudaSetDevice(int n)
{
	return n == 0 ? cudaSuccess : cudaErrorInvalidValue;
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *p, int n)
{
	(void)n;
	memset(p, 0, sizeof *p);
	strcpy(p->name, "emulated");
	p->major = 9;
	p->multiProcessorCount = 4;
	p->totalGlobalMem = TOTAL;
	return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int *v, enum cudaDeviceAttr a, int n)
{
	(void)a;
	(void)n;
	*v = EMU_SHARED_MAX;
	return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t *unused, size_t *total)
{
	*unused = TOTAL - device.top;
	*total = TOTAL;
	return cudaSuccess;
}
