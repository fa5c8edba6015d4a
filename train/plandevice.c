/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that a plan can be made for.  Source of the figures: the vendors' data sheets, dense rates. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "kern.h"
#include "mem.h"
#include "opt.h"
#include "plan.h"
#include "progress.h"

#define GB 1e9
#define TERA 1e12

/* Links: NVLink one way, or PCIe 4.0 x16 where there is none.  Efficiency: of products alone; what moves memory is reckoned
 * apart. */
static const struct device gpus[] = {
    {"a10", 24 * GB, 125 * TERA, 62.5 * TERA, 600 * GB, 25 * GB, true, 0.5},
    {"a100", 80 * GB, 312 * TERA, 156 * TERA, 2039 * GB, 300 * GB, true, 0.5},
    {"a100-40", 40 * GB, 312 * TERA, 156 * TERA, 1555 * GB, 300 * GB, true, 0.5},
    {"h100", 80 * GB, 989 * TERA, 494.5 * TERA, 3350 * GB, 450 * GB, true, 0.5},
    {"h100-pcie", 80 * GB, 756 * TERA, 378 * TERA, 2000 * GB, 50 * GB, true, 0.5},
    {"h200", 141 * GB, 989 * TERA, 494.5 * TERA, 4800 * GB, 450 * GB, true, 0.5},
    {"l4", 24 * GB, 121 * TERA, 60 * TERA, 300 * GB, 25 * GB, true, 0.5},
    {"l40s", 48 * GB, 362 * TERA, 183 * TERA, 864 * GB, 25 * GB, true, 0.5},
    {"3090", 24 * GB, 71 * TERA, 35.6 * TERA, 936 * GB, 25 * GB, true, 0.5},
    {"4090", 24 * GB, 165 * TERA, 82.6 * TERA, 1008 * GB, 25 * GB, true, 0.5},
};
enum { GPUS = sizeof gpus / sizeof *gpus };

/* Bytes/s of y += x over arrays that no cache holds: the best of three. */
static double measure_bandwidth(struct kern *k)
{
	size_t n = 8u << 20;
	float *x = kern_alloc(k, n * sizeof *x), *y = kern_alloc(k, n * sizeof *y);
	double best = 0;

	for (int i = 0; x && y && i < 3; i++) {
		double start = clock_seconds(), rate;

		kern_add(k, n, x, y);
		rate = 12.0 * (double)n / (clock_seconds() - start);
		best = rate > best ? rate : best;
	}
	kern_free(k, x);
	kern_free(k, y);
	return best > 0 ? best : 10 * GB;
}

static int measure(struct device *d, int threads, enum dtype act, struct err *e)
{
	struct pool *pool = pool_open(threads);
	struct kern *k;
	int rc;

	if ((rc = kern_open(&k, "cpu", pool, e)) == 0) {
		double peak = 0;

		for (int i = 0; i < 3; i++) /* the best of three: others may be at work */
			peak = fmax(peak, kern_peak(k, act));
		*d = (struct device){.name = "cpu", .link = 10 * GB, .efficiency = 0.8, .bandwidth = measure_bandwidth(k)};
		d->bf16 = d->f32 = peak > 0 ? peak : 10 * GB * threads;
		d->memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
		kern_close(k);
	}
	pool_close(pool);
	return rc;
}

bool device_fast_bf16(const char *name, int threads)
{
	struct pool *pool;
	struct kern *k;
	bool fast = true;

	if (strcmp(name, "cpu") != 0)
		return true;
	pool = pool_open(threads > 0 ? 1 : 0);
	if (kern_open(&k, "cpu", pool, NULL) == 0) {
		fast = kern_fast_bf16(k);
		kern_close(k);
	}
	pool_close(pool);
	return fast;
}

int device_find(struct device *d, const char *name, int threads, enum dtype act, struct err *e)
{
	const char *names[GPUS + 1], *near;
	struct buf all = {0};

	if (strcmp(name, "cpu") == 0)
		return measure(d, threads, act, e);
	for (size_t i = 0; i < GPUS; i++) {
		if (strcmp(gpus[i].name, name) == 0) {
			*d = gpus[i];
			return 0;
		}
		names[i] = gpus[i].name;
		buf_fmt(&all, ", %s", names[i]);
	}
	names[GPUS] = "cpu";
	near = opt_nearest(name, names, GPUS + 1);
	err_set(e, SFT_USAGE, "--device: '%.40s' is not known (%s%s%sexpected cpu%s)", name, near ? "did you mean '" : "",
		near ? near : "", near ? "'? " : "", all.p);
	buf_free(&all);
	return SFT_USAGE;
}
