/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that are served by a shared object beside the program: opened only when one is asked for, so nothing else ever loads cuBLAS. */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cudadoor.h"
#include "mem.h"
#include "ops.h"

/* NAME.so beside this program or (a test's) in ../bin, for the caller to free; NULL: it is not there. */
static char *object_path(const char *name)
{
	static const char *const where[] = { "", "../bin/" };
	char here[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", here, sizeof here - 1);

	while (n > 0 && here[n - 1] != '/')
		n--;
	for (int i = 0; n > 0 && i < 2; i++) {
		struct buf b = {0};

		buf_fmt(&b, "%.*s%s%s", (int)n, here, where[i], name);
		if (access(b.p, R_OK) == 0)
			return b.p;
		buf_free(&b);
	}
	return NULL;
}

/* The object stays open until the process ends: CUDA cannot be taken out of one. */
static const struct cuda_door *door_of(const char *name, struct err *e)
{
	char *path = object_path(name);
	const struct cuda_door *d = NULL;
	void *so;

	if (path == NULL)
		err_set(e, SFT_SYSTEM, "there is no %s (expected a build with CUDA: make CUDA=1)", name);
	else if ((so = dlopen(path, RTLD_NOW | RTLD_LOCAL)) == NULL)
		err_set(e, SFT_SYSTEM, "%s does not load: %s", name, dlerror());
	else if ((d = dlsym(so, CUDA_DOOR)) == NULL || d->size != sizeof(struct kern_ops) || d->ops != OP_COUNT) {
		d = NULL;
		err_set(e, SFT_SYSTEM, "%s is of another version than this program", name);
	}
	mem_free(path);
	return d;
}

/* The driver is looked for first: where there is none, cuBLAS is not worth its loading. */
int cuda_devices(void)
{
	const struct cuda_door *d = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL) ? door_of("sft-cuda.so", NULL) : NULL;

	return d ? d->count() : 0;
}

int cuda_open(struct kern *k, const char *device, struct err *e)
{
	size_t n = strcspn(device, ":");
	const char *how = device + n + (device[n] == ':');
	const struct cuda_door *d;
	struct buf name = {0};
	char msg[256];

	buf_fmt(&name, "sft-%.*s.so", (int)n, device);
	d = door_of(name.p, e);
	buf_free(&name);
	if (d == NULL)
		return SFT_SYSTEM;
	if (d->open(k, how, msg, sizeof msg) != 0)
		return err_set(e, SFT_SYSTEM, "%s", msg);
	return 0;
}
