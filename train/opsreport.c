/* SPDX-License-Identifier: Apache-2.0 */
#include "opsreport.h"

#include <stdio.h>
#include <stdlib.h>

double ops_flops(const struct kern *k)
{
	struct kern_cost c[KERN_COSTS];
	unsigned n = kern_profile(k, c);
	double sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += c[i].flops;
	return sum;
}

static int costliest_first(const void *a, const void *b)
{
	double x = ((const struct kern_cost *)a)->seconds, y = ((const struct kern_cost *)b)->seconds;

	return x < y ? 1 : x > y ? -1 : 0;
}

static void put_line(const struct kern_cost *c, double total, double peak, struct buf *out)
{
	double s = c->seconds > 0 ? c->seconds : 1e-9;

	buf_fmt(out, "%-14s %9llu %9.3f %6.1f%%", c->op, (unsigned long long)c->calls, c->seconds, 100 * c->seconds / total);
	if (c->flops > 0)
		buf_fmt(out, " %9.1f", c->flops / s / 1e9);
	else
		buf_fmt(out, " %9s", "");
	if (c->flops > 0 && peak > 0)
		buf_fmt(out, " %7.1f%%", 100 * c->flops / s / peak);
	else
		buf_fmt(out, " %8s", "");
	if (c->bytes > 0)
		buf_fmt(out, " %8.1f\n", c->bytes / s / 1e9);
	else
		buf_str(out, "\n");
}

void ops_table(const struct kern *k, double total, double peak, struct buf *out)
{
	struct kern_cost c[KERN_COSTS], all = { .op = "all" }, between = { .op = "between", .seconds = total };
	unsigned n = kern_profile(k, c);

	total = total > 0 ? total : 1e-9;
	qsort(c, n, sizeof *c, costliest_first);
	buf_fmt(out, "%-14s %9s %9s %7s %9s %8s %8s\n", "operation", "calls", "seconds", "share", "GFLOP/s", "of peak", "GB/s");
	for (unsigned i = 0; i < n; i++) {
		put_line(&c[i], total, peak, out);
		between.seconds -= c[i].seconds;
		all.calls += c[i].calls;
		all.flops += c[i].flops;
	}
	put_line(&between, total, 0, out);
	all.seconds = total;
	put_line(&all, total, peak, out);
	if (peak > 0)
		buf_fmt(out, "peak: %.1f GFLOP/s\n", peak / 1e9);
}
