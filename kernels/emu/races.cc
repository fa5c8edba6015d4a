/* SPDX-License-Identifier: Apache-2.0 */
/* The race detector: kernels compiled with -fsanitize=thread call these functions at each access, and no library of the sanitizer is linked.  Two accesses
 * to the same bytes, one of them a write, are a race
 * - in one block, of different threads with no barrier between (nor, in one warp, an exchange of the warp);
 * - of different blocks of a launch.
 * What is neither device memory, shared memory, the thread's own nor a constant of the program is host memory, which kernels cannot read. */
#include "emu.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unordered_map>

enum { GRAIN = 2 };                      /* bytes that are told apart: a bf16 */

struct side {
	unsigned launch, block, barriers, exchanges;
	unsigned short thread;
	const void *at;                      /* the code */
};
struct cell {
	struct side read, write;
};
static std::unordered_map<uintptr_t, struct cell> cells;
static unsigned seen_launch;

static bool before(const struct side *s, bool shared)
{
	if (s->launch != emu_launches || (shared && s->block != emu_block_number))
		return true;
	if (s->block != emu_block_number)
		return false;
	return s->thread == emu_cur->number || s->barriers != emu_cur->barriers ||
	       (s->thread / 32 == emu_cur->warp && s->exchanges != emu_cur->exchanges);
}

static void place_of(const void *at, char *out, size_t n)
{
	Dl_info i;

	if (dladdr(at, &i) && i.dli_fbase)
		snprintf(out, n, "%s+0x%zx", i.dli_fname, (size_t)((const char *)at - (const char *)i.dli_fbase));
	else
		snprintf(out, n, "%p", at);
}

static void race(const struct side *s, bool wrote, bool writes, const void *at)
{
	char here[512], there[512];

	place_of(at, here, sizeof here);
	place_of(s->at, there, sizeof there);
	emu_die("race: %s at %s, and thread %u of block %u %s at %s, with no barrier between", writes ? "writes" : "reads", here, s->thread, s->block,
	        wrote ? "wrote" : "read", there);
}

static void see(const void *p, size_t n, bool writes, const void *at)
{
	bool shared;
	struct side me;

	if (emu_cur == NULL || emu_is_argument(p))
		return;
	shared = emu_is_shared(p);
	if (!shared && !emu_is_device(p)) {
		Dl_info i;

		if (!dladdr(p, &i) || writes)
			emu_die("%s host memory", writes ? "writes" : "reads");
		return;
	}
	if (seen_launch != emu_launches) {
		cells.clear();
		seen_launch = emu_launches;
	}
	me = { emu_launches, emu_block_number, emu_cur->barriers, emu_cur->exchanges, (unsigned short)emu_cur->number, at };
	for (uintptr_t a = (uintptr_t)p / GRAIN; a <= ((uintptr_t)p + n - 1) / GRAIN; a++) {
		struct cell *c = &cells[a];

		if (!before(&c->write, shared))
			race(&c->write, true, writes, at);
		if (writes && !before(&c->read, shared))
			race(&c->read, false, true, at);
		(writes ? c->write : c->read) = me;
	}
}

/* --- what the compiler calls --- */

#define SEE(n) \
	void __tsan_read##n(void *p) { see(p, n, false, __builtin_return_address(0)); } \
	void __tsan_write##n(void *p) { see(p, n, true, __builtin_return_address(0)); } \
	void __tsan_unaligned_read##n(void *p) { see(p, n, false, __builtin_return_address(0)); } \
	void __tsan_unaligned_write##n(void *p) { see(p, n, true, __builtin_return_address(0)); }
#pragma GCC diagnostic ignored "-Wmissing-declarations"
extern "C" {
SEE(1) SEE(2) SEE(4) SEE(8) SEE(16)
int __tsan_atomic32_fetch_add(volatile int *p, int v, int) { return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST); }     /* std::shared_ptr's */
void __tsan_init(void) {}
void __tsan_func_entry(void *) {}
void __tsan_func_exit(void) {}
void __tsan_vptr_update(void *, void *) {}
void __tsan_vptr_read(void *) {}
void __tsan_read_range(void *p, size_t n) { if (n) see(p, n, false, __builtin_return_address(0)); }
void __tsan_write_range(void *p, size_t n) { if (n) see(p, n, true, __builtin_return_address(0)); }
}
