/* SPDX-License-Identifier: Apache-2.0 */
/* How much memory there is, from made trees of /proc and /sys: control groups of version 2 and 1, nested, with pages that can be read again. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memroom.h"
#include "test.h"

static char root[] = "memroom.XXXXXX";
static const char machine[] = "memory that is available", group[] = "memory limit of the control group";

/* TEXT into the file NAME of the tree; folders on the way are made. */
static void put(const char *name, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", root, name);
	for (char *p = path + strlen(root) + 1; (p = strchr(p, '/')) != NULL; *p++ = '/') {
		*p = 0;
		if (mkdir(path, 0777) != 0 && errno != EEXIST)
			test_line(__FILE__, __LINE__, path);
	}
	f = fopen(path, "w");
	CHECK(f != NULL);
	if (f) {
		fputs(text, f);
		fclose(f);
	}
}

static void clear(void)
{
	char cmd[64];

	snprintf(cmd, sizeof cmd, "rm -rf %s/*", root);
	CHECK(system(cmd) == 0);
}

static void is(uint64_t bytes, const char *what)
{
	const char *limit;
	uint64_t got = memroom_under(root, &limit);

	if (got != bytes || strcmp(limit, what) != 0) {
		printf("# %llu bytes by the %s (expected %llu by the %s)\n", (unsigned long long)got, limit, (unsigned long long)bytes, what);
		CHECK(!"memory");
	}
}

static void without_groups(void)
{
	is(UINT64_MAX, "memory");
	put("proc/meminfo", "MemTotal:       16000000 kB\nMemFree:          200000 kB\nMemAvailable:    8000000 kB\n");
	is(8000000ull * 1024, machine);
	put("proc/self/cgroup", "0::/\n");                         /* a group without files of memory */
	is(8000000ull * 1024, machine);
	clear();
}

static void version_2(void)
{
	put("proc/meminfo", "MemAvailable:    8000000 kB\n");
	put("proc/self/cgroup", "0::/user.slice/job\n");
	put("sys/fs/cgroup/user.slice/job/memory.max", "1000000000\n");
	put("sys/fs/cgroup/user.slice/job/memory.current", "300000000\n");
	is(700000000, group);
	put("sys/fs/cgroup/user.slice/job/memory.stat", "anon 1\nactive_file 50000000\ninactive_file 100000000\nslab 7\n");
	is(850000000, group);
	put("sys/fs/cgroup/user.slice/memory.max", "500000000\n");    /* the group above has less */
	put("sys/fs/cgroup/user.slice/memory.current", "480000000\n");
	is(20000000, group);
	put("sys/fs/cgroup/user.slice/memory.max", "max\n");
	is(850000000, group);
	put("sys/fs/cgroup/user.slice/job/memory.max", "max\n");
	is(8000000ull * 1024, machine);
	put("sys/fs/cgroup/user.slice/job/memory.max", "1000\n");     /* full already, and more */
	put("sys/fs/cgroup/user.slice/job/memory.stat", "");
	is(0, group);
	put("sys/fs/cgroup/user.slice/job/memory.max", "20000000000\n");   /* more than the machine has */
	is(8000000ull * 1024, machine);
	clear();
}

/* In a container the group that the process sees is the root of its own tree. */
static void version_2_own_root(void)
{
	put("proc/meminfo", "MemAvailable:    8000000 kB\n");
	put("proc/self/cgroup", "0::/\n");
	put("sys/fs/cgroup/memory.max", "536870912\n");
	put("sys/fs/cgroup/memory.current", "36870912\n");
	is(500000000, group);
	clear();
}

static void version_1(void)
{
	put("proc/meminfo", "MemAvailable:    8000000 kB\n");
	put("proc/self/cgroup", "12:cpu,cpuacct:/other\n9:memory:/slurm/job_7\n0::/\n");
	put("sys/fs/cgroup/memory/slurm/job_7/memory.limit_in_bytes", "2000000000\n");
	put("sys/fs/cgroup/memory/slurm/job_7/memory.usage_in_bytes", "500000000\n");
	put("sys/fs/cgroup/memory/slurm/job_7/memory.stat", "cache 1\ntotal_inactive_file 300000000\ntotal_active_file 100000000\n");
	is(1900000000, group);
	put("sys/fs/cgroup/memory/slurm/memory.limit_in_bytes", "9223372036854771712\n");
	put("sys/fs/cgroup/memory/slurm/memory.usage_in_bytes", "700000000\n");
	is(1900000000, group);
	put("sys/fs/cgroup/memory/memory.limit_in_bytes", "1000000000\n");
	put("sys/fs/cgroup/memory/memory.usage_in_bytes", "900000000\n");
	is(100000000, group);
	clear();
}

static void broken(void)
{
	put("proc/meminfo", "MemAvailable: many\n");
	put("proc/self/cgroup", "no colons\n0::\n9:memory:/a\n");
	put("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "");
	put("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "5\n");
	is(UINT64_MAX, "memory");
	clear();
}

/* Of this machine: something, by one of the known limits. */
static void here(void)
{
	const char *limit;

	CHECK(memroom(&limit) > 0 && limit != NULL);
}

int main(void)
{
	char cmd[64];

	if (mkdtemp(root) == NULL)
		return 1;
	TEST(without_groups);
	TEST(version_2);
	TEST(version_2_own_root);
	TEST(version_1);
	TEST(broken);
	TEST(here);
	snprintf(cmd, sizeof cmd, "rm -rf %s", root);
	return system(cmd) != 0 || test_end();
}
