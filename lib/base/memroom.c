/* SPDX-License-Identifier: Apache-2.0 */
#include "memroom.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The number behind KEY (the whole file: NULL) in a file of the kernel's; false: none there. */
static bool read_number(const char *path, const char *key, uint64_t *out)
{
	unsigned long long v;
	bool found = false;
	char line[256];
	size_t n = key ? strlen(key) : 0;
	FILE *f = fopen(path, "r");

	while (f && !found && fgets(line, sizeof line, f))
		found = (key == NULL || strncmp(line, key, n) == 0) && sscanf(line + n, " %llu", &v) == 1;
	if (f)
		fclose(f);
	if (found)
		*out = v;
	return found;
}

static bool under(const char *root, const char *name, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s%s", root, name) < PATH_MAX;
}

static void bound(uint64_t *least, uint64_t room, const char **limit, const char *name)
{
	if (room < *least) {
		*least = room;
		*limit = name;
	}
}

static uint64_t difference(uint64_t a, uint64_t b) { return a > b ? a - b : 0; }

static void of_address_space(const char *root, uint64_t *least, const char **limit)
{
	struct rlimit r;
	uint64_t pages;
	char path[PATH_MAX];

	if (getrlimit(RLIMIT_AS, &r) == 0 && r.rlim_cur != RLIM_INFINITY && under(root, "/proc/self/statm", path) && read_number(path, NULL, &pages))
		bound(least, difference(r.rlim_cur, pages * (uint64_t)sysconf(_SC_PAGESIZE)), limit,
		      "limit of the address space");
}

static void of_machine(const char *root, uint64_t *least, const char **limit)
{
	uint64_t kib;
	char path[PATH_MAX];

	if (under(root, "/proc/meminfo", path) && read_number(path, "MemAvailable:", &kib))
		bound(least, kib * 1024, limit, "memory that is available");
}

/* One group: DIR with the files MAX and NOW; FILES: the key of memory.stat for pages that can be read again. */
static void of_group(const char *dir, const char *max, const char *now, const char *const files[2], uint64_t *least,
		     const char **limit)
{
	char path[PATH_MAX];
	uint64_t most, used, file[2] = {0, 0};

	if (snprintf(path, sizeof path, "%s/%s", dir, max) >= (int)sizeof path || !read_number(path, NULL, &most))
		return;
	if (snprintf(path, sizeof path, "%s/%s", dir, now) >= (int)sizeof path || !read_number(path, NULL, &used))
		return;
	if (snprintf(path, sizeof path, "%s/memory.stat", dir) < (int)sizeof path)
		for (int i = 0; i < 2; i++)
			(void)read_number(path, files[i], &file[i]);
	bound(least, difference(most, difference(used, file[0] + file[1])), limit, "memory limit of the control group");
}

/* The group and all above it.  MOUNT: where the hierarchy is, under ROOT. */
static void of_groups(const char *root, const char *mount, char *group, const char *max, const char *now, const char *const files[2],
		      uint64_t *least, const char **limit)
{
	char dir[PATH_MAX];

	for (;;) {
		char *slash = strrchr(group, '/');

		if (snprintf(dir, sizeof dir, "%s%s%s", root, mount, group) < (int)sizeof dir)
			of_group(dir, max, now, files, least, limit);
		if (slash == NULL)
			return;
		*slash = 0;
	}
}

static void of_control_groups(const char *root, uint64_t *least, const char **limit)
{
	static const char *const two[2] = {"inactive_file ", "active_file "}, *const one[2] = {"total_inactive_file ",
											       "total_active_file "};
	char line[PATH_MAX];
	FILE *f = under(root, "/proc/self/cgroup", line) ? fopen(line, "r") : NULL;

	while (f && fgets(line, sizeof line, f)) {
		char *names = strchr(line, ':'), *group = names ? strchr(names + 1, ':') : NULL;

		if (group == NULL)
			continue;
		*group++ = 0;
		group[strcspn(group, "\n")] = 0;
		if (names[1] == 0)
			of_groups(root, "/sys/fs/cgroup", group, "memory.max", "memory.current", two, least, limit);
		else if (strcmp(names + 1, "memory") == 0)
			of_groups(root, "/sys/fs/cgroup/memory", group, "memory.limit_in_bytes", "memory.usage_in_bytes", one,
				  least, limit);
	}
	if (f)
		fclose(f);
}

uint64_t memroom_under(const char *root, const char **limit)
{
	uint64_t least = UINT64_MAX;

	*limit = "memory";
	of_machine(root, &least, limit);
	of_control_groups(root, &least, limit);
	of_address_space(root, &least, limit);
	return least;
}

uint64_t memroom(const char **limit) { return memroom_under("", limit); }
