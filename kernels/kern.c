/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a backend, memory, and the doors from kern.h to its table. */
#include <string.h>
#include <time.h>

#include "mem.h"
#include "ops.h"

static const struct kern_ops ops_ref = {
	.name = "ref",
#define OP(ret, name, params, args) .name = ref_##name,
	KERN_OPS(OP)
#undef OP
};

static bool machine_has(const struct kern_ops *o)
{
#if defined(__x86_64__)
	bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
	              __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd");

	if (o == &ops_avx2)
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
	if (o == &ops_avx512)
		return avx512;
	if (o == &ops_avx512bf16)
		return avx512 && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bf16");
#endif
	(void)o;
	return true;
}

/* Is DEVICE NAME, or NAME:...? */
static bool named(const char *device, const char *name)
{
	size_t n = strlen(name);

	return strncmp(device, name, n) == 0 && (device[n] == '\0' || device[n] == ':');
}

static int open_door(struct kern **k, const char *device, struct pool *pool, struct err *e)
{
	struct kern *new = mem_new(sizeof *new);
	int rc;

	new->pool = pool;
	if ((rc = cuda_open(new, device, e)) != 0)
		mem_free(new);
	else
		*k = new;
	return rc;
}

int kern_open(struct kern **k, const char *device, struct pool *pool, struct err *e)
{
	static const struct kern_ops *const all[] = {   /* best first */
#if defined(__x86_64__)
		&ops_avx512bf16, &ops_avx512, &ops_avx2,
#endif
		&ops_generic, &ops_ref
	};
	const struct kern_ops *found = NULL;

	*k = NULL;
	if (strcmp(device, "auto") == 0)
		device = cuda_devices() > 0 ? "cuda" : "cpu";
	if (named(device, "cuda") || strncmp(device, "emu", 3) == 0)
		return open_door(k, device, pool, e);
	for (size_t i = 0; found == NULL && i < sizeof all / sizeof *all; i++)
		if (strcmp(device, all[i]->name) == 0 || (strcmp(device, "cpu") == 0 && machine_has(all[i])))
			found = all[i];
	if (found == NULL)
		return err_set(e, SFT_USAGE, "device %s is not known (expected auto, cuda, cuda:N, cpu, cpu:generic, cpu:avx2, cpu:avx512, cpu:avx512bf16 or ref)",
		               device);
	if (!machine_has(found))
		return err_set(e, SFT_SYSTEM, "this machine has not what device %s needs (expected one with that instruction set)", device);
	*k = mem_new(sizeof **k);
	(*k)->ops = found;
	(*k)->pool = pool;
	return 0;
}

void kern_close(struct kern *k)
{
	if (k == NULL)
		return;
	if (k->ops->close)
		k->ops->close(k);
	mem_free(k->scratch);
	mem_free(k->cost);
	mem_free(k);
}

const char *kern_name(const struct kern *k)
{
	return k->ops->name;
}

bool kern_fast_bf16(const struct kern *k)
{
	return k->ops->fast_bf16;
}

double kern_peak(struct kern *k, enum dtype xt)
{
	return k->ops->peak ? k->ops->peak(k, xt) : 0;
}

/* --- profile --- */

void kern_profile_start(struct kern *k)
{
	static const char *const name[] = {
#define OP(ret, name, params, args) #name,
		KERN_OPS(OP)
#undef OP
	};

	_Static_assert((int)OP_COUNT <= (int)KERN_COSTS, "KERN_COSTS");
	mem_free(k->cost);
	k->cost = mem_new(KERN_COSTS * sizeof *k->cost);
	for (int i = 0; i < OP_COUNT; i++)
		k->cost[i].op = name[i];
}

unsigned kern_profile(const struct kern *k, struct kern_cost out[KERN_COSTS])
{
	unsigned n = 0;

	for (int i = 0; k->cost && i < OP_COUNT; i++)
		if (k->cost[i].calls)
			out[n++] = k->cost[i];
	return n;
}

void *kern_scratch(struct kern *k, size_t bytes)
{
	if (bytes + 64 > k->scratch_size) {
		mem_free(k->scratch);
		k->scratch_size = bytes + bytes / 8 + 64;
		if ((k->scratch = mem_try(k->scratch_size)) == NULL)
			k->scratch = mem_new(k->scratch_size);         /* says so and ends */
	}
	return (void *)(((uintptr_t)k->scratch + 63) & ~(uintptr_t)63);
}

/* --- memory: the processor's own, unless the backend has another --- */

void *kern_alloc(struct kern *k, size_t bytes)
{
	return k->ops->alloc ? k->ops->alloc(k, bytes) : mem_try(bytes);
}

void kern_free(struct kern *k, void *p)
{
	if (k->ops->alloc)
		k->ops->free(k, p);
	else
		mem_free(p);
}

void kern_put(struct kern *k, void *device, const void *host, size_t bytes)
{
	if (k->ops->alloc)
		k->ops->put(k, device, host, bytes);
	else if (bytes > 0)
		memcpy(device, host, bytes);
}

void kern_get(struct kern *k, void *host, const void *device, size_t bytes)
{
	if (k->ops->alloc)
		k->ops->get(k, host, device, bytes);
	else if (bytes > 0)
		memcpy(host, device, bytes);
}

void kern_zero(struct kern *k, void *p, size_t bytes)
{
	if (k->ops->alloc)
		k->ops->zero(k, p, bytes);
	else if (bytes > 0)
		memset(p, 0, bytes);
}

uint64_t kern_memory(struct kern *k)
{
	return k->ops->memory ? k->ops->memory(k) : UINT64_MAX;
}

void kern_reserve(struct kern *k, size_t bytes)
{
	if (k->ops->reserve)
		k->ops->reserve(k, bytes);
}

bool kern_apart(const struct kern *k)
{
	return k->ops->alloc != NULL;
}

void kern_wait(struct kern *k)
{
	if (k->ops->wait)
		k->ops->wait(k);
}

/* --- the operations --- */

/* A call under way: its cost is noted when it goes out of scope. */
struct call {
	struct kern *k;
	enum kern_op op;
	struct kern_work work;
	double start;
};

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void call_done(const struct call *c)
{
	struct kern_cost *cost;

	if (c->k->cost == NULL)
		return;
	kern_wait(c->k);
	cost = &c->k->cost[c->op];
	cost->calls++;
	cost->seconds += seconds_now() - c->start;
	cost->flops += c->work.flops;
	cost->bytes += c->work.bytes;
}

#define OP(ret, name, params, args) \
ret kern_##name params \
{ \
	__attribute__((cleanup(call_done))) struct call c = { .k = k, .op = OP_##name }; \
	if (k->cost) { \
		c.work = work_##name args; \
		c.start = seconds_now(); \
	} \
	return k->ops->name args; \
}
KERN_OPS(OP)
