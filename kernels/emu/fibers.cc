/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of threads as fibers: a stack each, switched by hand (six registers), so that a barrier costs tens of nanoseconds. */
#include "emu.h"

#include <link.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define FIBER_FROM(fake, to, size) __sanitizer_start_switch_fiber(fake, to, size)
#define FIBER_TO(fake, from, size) __sanitizer_finish_switch_fiber(fake, from, size)
#else
#define FIBER_FROM(fake, to, size) ((void)(fake), (void)(to), (void)(size))
#define FIBER_TO(fake, from, size) ((void)(fake), (void)(from), (void)(size))
#endif

enum { READY, AT_BARRIER, AT_WARP, DONE };
enum { THREADS_MAX = 1024, STACK = 256 << 10 };

struct emu_thread *emu_cur;
dim3 emu_block, emu_block_dim, emu_grid_dim;
struct emu_settings emu_settings;
unsigned emu_launches, emu_block_number;

static struct {
	const char *kernel;
	void (*enter)(void *);
	void *call; size_t call_size;
	struct emu_thread t[THREADS_MAX];
	void *fake[THREADS_MAX];                 /* AddressSanitizer's */
	unsigned threads, alive, waiting, warps;
	unsigned order[THREADS_MAX];
	struct { unsigned waiting, turn; char slot[2][32][EMU_SLOT]; } warp[THREADS_MAX / 32];
	void *sp;                                /* the scheduler's */
	const void *stack; size_t stack_size;
	alignas(128) char shared[EMU_SHARED_MAX + 128];
	size_t shared_used;
	uint64_t seed;
} now;

/* The static shared variables of all kernels: this object's thread-local memory. */
static char *statics;
static size_t nstatics;

static int find_statics(struct dl_phdr_info *i, size_t, void *)
{
	static __thread volatile char touched;          /* so that it is there */
	bool ours = false;
	size_t n = 0;

	touched = 1;
	(void)touched;
	for (int p = 0; p < i->dlpi_phnum; p++) {
		const auto &h = i->dlpi_phdr[p];
		uintptr_t at = i->dlpi_addr + h.p_vaddr;

		ours |= h.p_type == PT_LOAD && (uintptr_t)find_statics >= at && (uintptr_t)find_statics < at + h.p_memsz;
		if (h.p_type == PT_TLS)
			n = h.p_memsz;
	}
	if (!ours)
		return 0;
	statics = (char *)i->dlpi_tls_data;
	nstatics = n;
	return 1;
}

void emu_die(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "emu: %s", now.kernel ? now.kernel : "host");
	if (now.kernel)
		fprintf(stderr, " block (%u,%u,%u) thread (%u,%u,%u)", emu_block.x, emu_block.y, emu_block.z, emu_cur ? emu_cur->tid.x : 0,
		        emu_cur ? emu_cur->tid.y : 0, emu_cur ? emu_cur->tid.z : 0);
	fputs(": ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	fflush(NULL);
	_exit(4);
}

/* --- switching --- */

extern "C" void emu_switch(void **from, void *to);
asm(".text\n"
    ".globl emu_switch\n"
    ".hidden emu_switch\n"
    ".type emu_switch, @function\n"
    "emu_switch:\n"
    "	pushq %rbp\n	pushq %rbx\n	pushq %r12\n	pushq %r13\n	pushq %r14\n	pushq %r15\n"
    "	movq %rsp, (%rdi)\n"
    "	movq %rsi, %rsp\n"
    "	popq %r15\n	popq %r14\n	popq %r13\n	popq %r12\n	popq %rbx\n	popq %rbp\n"
    "	ret\n"
    ".size emu_switch, .-emu_switch\n");

/* Back to the scheduler until this thread is chosen again. */
static void leave(bool for_good)
{
	struct emu_thread *self = emu_cur;

	FIBER_FROM(for_good ? NULL : &now.fake[self->number], now.stack, now.stack_size);
	emu_switch(&self->sp, now.sp);
	FIBER_TO(now.fake[self->number], &now.stack, &now.stack_size);
}

static void finished(void)
{
	now.alive--;
	if (now.alive && now.waiting == now.alive)
		emu_die("threads wait at %s:%d that others never reach: they have returned", now.t[now.order[0]].file, now.t[now.order[0]].line);
	emu_cur->state = DONE;
}

static void first_of_fiber(void)
{
	FIBER_TO(NULL, &now.stack, &now.stack_size);
	now.enter(now.call);
	if (emu_cur->ncopies)
		emu_die("returned with copies under way (cp_async_wait)");
	finished();
	leave(true);
}

static void start_fiber(struct emu_thread *t)
{
	void **sp;

	if (t->stack == NULL) {
		t->stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (t->stack == MAP_FAILED)
			emu_die("no memory for the stacks of threads");
	}
#ifdef __SANITIZE_ADDRESS__
	__asan_unpoison_memory_region(t->stack, STACK);
#endif
	sp = (void **)((char *)t->stack + STACK) - 1;          /* where a call would have left a return address: 8 mod 16 */
	*sp = NULL;
	*--sp = (void *)first_of_fiber;
	for (int i = 0; i < 6; i++)
		*--sp = NULL;
	t->sp = sp;
}

static void resume(struct emu_thread *t)
{
	void *fake = NULL;

	emu_cur = t;
	FIBER_FROM(&fake, t->stack, STACK);
	emu_switch(&now.sp, t->sp);
	FIBER_TO(fake, NULL, NULL);
}

/* --- waiting for each other --- */

static void same_place(const struct emu_thread *a, const struct emu_thread *b, const char *what)
{
	if (a->line != b->line || strcmp(a->file, b->file) != 0)
		emu_die("%s at %s:%d while thread %u waits at %s:%d", what, a->file, a->line, b->number, b->file, b->line);
}

void emu_barrier(const char *file, int line)
{
	struct emu_thread *self = emu_cur;

	self->file = file;
	self->line = line;
	if (now.alive < now.threads)
		emu_die("a barrier (%s:%d) after threads have returned", file, line);
	for (unsigned i = 0; now.waiting && i < now.threads; i++)
		if (now.t[i].state == AT_BARRIER) {
			same_place(self, &now.t[i], "a barrier");
			break;
		}
	if (++now.waiting == now.alive) {
		now.waiting = 0;
		for (unsigned i = 0; i < now.threads; i++) {
			now.t[i].state = READY;
			now.t[i].barriers++;
		}
		return;
	}
	self->state = AT_BARRIER;
	leave(false);
}

const char *emu_show(unsigned mask, const void *value, size_t bytes, const char *file, int line)
{
	struct emu_thread *self = emu_cur, *first = &now.t[self->warp * 32];
	auto *w = &now.warp[self->warp];
	unsigned turn = w->turn & 1;

	if (mask != 0xffffffffu)
		emu_die("a mask of %08x at %s:%d (expected all 32 lanes)", mask, file, line);
	if (bytes > EMU_SLOT)
		emu_die("more than %d bytes shown to a warp at %s:%d", EMU_SLOT, file, line);
	self->file = file;
	self->line = line;
	if (bytes)
		memcpy(w->slot[turn][self->lane], value, bytes);
	if (++w->waiting < 32) {
		self->state = AT_WARP;
		leave(false);
		return w->slot[turn][0];
	}
	w->waiting = 0;
	w->turn++;
	for (unsigned i = 0; i < 32; i++) {
		if (&first[i] != self && first[i].state != AT_WARP)
			emu_die("lane %u is not at the warp's exchange (%s:%d)", i, file, line);
		if (&first[i] != self)
			same_place(self, &first[i], "a warp's exchange");
		first[i].state = READY;
		first[i].exchanges++;
	}
	return w->slot[turn][0];
}

void emu_warp_barrier(unsigned mask, const char *file, int line)
{
	emu_show(mask, NULL, 0, file, line);
}

/* --- blocks --- */

void *emu_dynamic(void)
{
	return now.shared;
}

void emu_aligned(const void *p, size_t n, const char *what)
{
	if ((uintptr_t)p % n)
		emu_die("%s at an address that is no multiple of %zu", what, n);
}

static bool within(const void *p, const void *base, size_t n)
{
	return (const char *)p >= (const char *)base && (const char *)p < (const char *)base + n;
}

bool emu_is_shared(const void *p)
{
	return within(p, now.shared, sizeof now.shared) || within(p, statics, nstatics);
}

bool emu_is_argument(const void *p)
{
	return within(p, now.call, now.call_size) || within(p, now.warp, sizeof now.warp) || within(p, now.t, sizeof now.t) || within(p, emu_cur->stack, STACK);
}

static uint64_t draw(void)
{
	now.seed ^= now.seed << 13;
	now.seed ^= now.seed >> 7;
	now.seed ^= now.seed << 17;
	return now.seed;
}

/* The numbers 0 .. N-1 in the order that the settings ask for. */
static void schedule(unsigned *order, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		order[i] = emu_settings.order == 1 ? n - 1 - i : i;
	for (unsigned i = n; emu_settings.order == 2 && i > 1; i--)
		std::swap(order[i - 1], order[draw() % i]);
}

static void fresh_shared(void)
{
	memset(now.shared, 0xff, now.shared_used);
	memset(statics, 0xff, nstatics);
}

static void run_block(void)
{
	fresh_shared();
	now.alive = now.threads;
	now.waiting = 0;
	schedule(now.order, now.threads);
	for (unsigned i = 0; i < now.threads; i++) {
		struct emu_thread *t = &now.t[i];

		t->state = READY;
		t->ncopies = t->group = t->barriers = t->exchanges = 0;
		start_fiber(t);
	}
	for (unsigned w = 0; w < now.threads / 32; w++)
		now.warp[w].waiting = now.warp[w].turn = 0;
	while (now.alive) {
		bool ran = false;

		for (unsigned i = 0; i < now.threads; i++)
			if (now.t[now.order[i]].state == READY) {
				ran = true;
				resume(&now.t[now.order[i]]);
			}
		if (!ran)
			for (unsigned i = 0; i < now.threads; i++)
				if ((emu_cur = &now.t[i])->state != DONE)
					emu_die("waits at %s:%d for others that never come", emu_cur->file, emu_cur->line);
	}
}

void emu_run(const char *kernel, dim3 grid, dim3 block, size_t shared, void (*enter)(void *), void *call, size_t size)
{
	size_t blocks = (size_t)grid.x * grid.y * grid.z;
	std::vector<unsigned> order(blocks);

	now.kernel = kernel;
	if (statics == NULL)
		dl_iterate_phdr(find_statics, NULL);
	now.enter = enter;
	now.call = call;
	now.call_size = size;
	emu_launches++;
	now.threads = block.x * block.y * block.z;
	now.shared_used = shared;
	now.seed = now.seed ? now.seed : 88172645463325252u;
	emu_cur = NULL;
	emu_block = dim3(0, 0, 0);
	if (now.threads == 0 || now.threads > THREADS_MAX || now.threads % 32 || shared > EMU_SHARED_MAX || grid.y > 65535 || grid.z > 65535 || blocks == 0)
		emu_die("started with a grid of (%u,%u,%u), %u threads and %zu bytes of shared memory", grid.x, grid.y, grid.z, now.threads, shared);
	emu_block_dim = block;
	emu_grid_dim = grid;
	for (unsigned i = 0; i < now.threads; i++) {
		now.t[i].number = i;
		now.t[i].lane = i % 32;
		now.t[i].warp = i / 32;
		now.t[i].tid = dim3(i % block.x, i / block.x % block.y, i / block.x / block.y);
	}
	schedule(order.data(), (unsigned)blocks);
	for (size_t i = 0; i < blocks; i++) {
		unsigned b = order[i];

		emu_block_number = b;
		emu_block = dim3(b % grid.x, b / grid.x % grid.y, b / grid.x / grid.y);
		run_block();
	}
	emu_cur = NULL;
	emu_guards(kernel);
	now.kernel = NULL;
}
