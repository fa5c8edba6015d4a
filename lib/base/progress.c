/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

double clock_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

uint64_t rss_peak_bytes(void)
{
	struct rusage u;

	return getrusage(RUSAGE_SELF, &u) == 0 ? (uint64_t)u.ru_maxrss * 1024 : 0;
}

void progress_open(struct progress *p, const char *tool, const char *unit, uint64_t total, enum progress_mode mode)
{
	memset(p, 0, sizeof *p);
	p->tool = tool;
	p->unit = unit;
	p->total = total;
	p->mode = mode;
	p->terminal = isatty(STDERR_FILENO);
	p->start = p->last = clock_seconds();
}

static void left_text(char *out, size_t n, double seconds)
{
	if (seconds < 90)
		snprintf(out, n, "%.0f s left", seconds);
	else if (seconds < 5400)
		snprintf(out, n, "%.0f min left", seconds / 60);
	else
		snprintf(out, n, "%.1f h left", seconds / 3600);
}

void progress_at(struct progress *p, uint64_t done, double share, const char *note)
{
	double now, used, rate;
	char line[256], left[32];
	int n;

	if (p->mode == PROGRESS_OFF)
		return;
	now = clock_seconds();
	if (now - p->last < (p->terminal ? 0.1 : p->mode == PROGRESS_ON ? 5 : 60))
		return;
	p->last = now;
	used = now - p->start;
	rate = used > 0 ? (double)done / used : 0;
	if (share < 0 && p->total)
		share = (double)done / (double)p->total;
	n = snprintf(line, sizeof line, "%s: %llu %s, %.0f/s", p->tool, (unsigned long long)done, p->unit, rate);
	if (share > 0 && share <= 1) {
		left_text(left, sizeof left, used * (1 - share) / share);
		n += snprintf(line + n, sizeof line - (size_t)n, ", %.0f%%, %s", 100 * share, left);
	}
	if (note && (size_t)n < sizeof line)
		snprintf(line + n, sizeof line - (size_t)n, ", %s", note);
	if (p->terminal)
		fprintf(stderr, "\r%s\033[K", line);
	else
		fprintf(stderr, "%s\n", line);
	fflush(stderr);
	p->drawn = p->terminal;
}

void progress_close(struct progress *p)
{
	if (p->drawn)
		fprintf(stderr, "\r\033[K");
	p->drawn = false;
}
