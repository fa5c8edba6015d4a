/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a backend, memory, and the doors from kern.h to its table. */
#include <string.h>

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
	for (size_t i = 0; found == NULL && i < sizeof all / sizeof *all; i++)
		if (strcmp(device, all[i]->name) == 0 || (strcmp(device, "cpu") == 0 && machine_has(all[i])))
			found = all[i];
	if (found == NULL)
		return err_set(e, SFT_USAGE, "device %s is not known (expected cpu, cpu:generic, cpu:avx2, cpu:avx512, cpu:avx512bf16 or ref)",
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
	mem_free(k->scratch);
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

/* --- memory: the processor's own --- */

void *kern_alloc(struct kern *k, size_t bytes)
{
	(void)k;
	return mem_try(bytes);
}

void kern_free(struct kern *k, void *p)
{
	(void)k;
	mem_free(p);
}

void kern_put(struct kern *k, void *device, const void *host, size_t bytes)
{
	(void)k;
	if (bytes > 0)
		memcpy(device, host, bytes);
}

void kern_get(struct kern *k, void *host, const void *device, size_t bytes)
{
	(void)k;
	if (bytes > 0)
		memcpy(host, device, bytes);
}

void kern_zero(struct kern *k, void *p, size_t bytes)
{
	(void)k;
	if (bytes > 0)
		memset(p, 0, bytes);
}

/* --- the operations --- */

#define OP(ret, name, params, args) ret kern_##name params { return k->ops->name args; }
KERN_OPS(OP)
