/* SPDX-License-Identifier: Apache-2.0 */
/* Drives a fuzz entry without a fuzzing engine: every file named (or in a folder named), then mutations of them, seeded, for some seconds.
 * usage: FUZZER [-t SECONDS] [-s SEED] FILE|FOLDER...
 * The input at work is kept in crash-NAME until it has been survived, so that a crash leaves its cause behind.
 * (With clang, link the entry with -fsanitize=fuzzer instead of this file.) */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	uint8_t *p;
	size_t n;
};

enum { MOST = 1 << 16 };

static struct input *seeds;
static size_t nseeds;
static uint64_t state = 1;
static char keep[300];

static uint64_t draw(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % n;
}

static void try_it(const uint8_t *p, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1);           /* no byte to spare: an overrun is seen */
	FILE *f = fopen(keep, "wb");

	if (f) {
		fwrite(p, 1, n, f);
		fclose(f);
	}
	if (n)
		memcpy(exact, p, n);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	unlink(keep);
}

static void add_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p = malloc(MOST);

	if (f == NULL || p == NULL)
		exit(2);
	seeds = realloc(seeds, (nseeds + 1) * sizeof *seeds);
	seeds[nseeds++] = (struct input){ p, fread(p, 1, MOST, f) };
	fclose(f);
}

static void add(const char *path)
{
	struct stat st;
	struct dirent *d;
	DIR *dir;

	if (stat(path, &st) != 0)
		return;
	if (!S_ISDIR(st.st_mode)) {
		add_file(path);
		return;
	}
	for (dir = opendir(path); dir && (d = readdir(dir)) != NULL; ) {
		char more[4096];
		if (d->d_name[0] == '.')
			continue;
		snprintf(more, sizeof more, "%s/%s", path, d->d_name);
		add(more);
	}
	if (dir)
		closedir(dir);
}

/* A stretch of another seed laid over P from AT on. */
static size_t splice(uint8_t *p, size_t n, size_t at)
{
	const struct input *o = &seeds[draw(nseeds)];
	size_t from = o->n ? draw(o->n) : 0, len = draw(o->n - from + 1);

	if (len > MOST - at)
		len = MOST - at;
	memcpy(p + at, o->p + from, len);
	return at + len > n ? at + len : n;
}

static size_t mutate(uint8_t *p, size_t n)
{
	static const uint64_t odd[] = { 0, 1, 0x7f, 0x80, 0xff, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff, 0xffffffffffffffff };
	size_t at = n ? draw(n) : 0, len;

	switch (draw(7)) {
	case 0:
		if (n)
			p[at] ^= (uint8_t)(1u << draw(8));
		return n;
	case 1:
		if (n)
			p[at] = (uint8_t)draw(256);
		return n;
	case 2:                                       /* a number that breaks sums */
		len = (size_t)1 << draw(4);
		if (at + len <= n)
			memcpy(p + at, &odd[draw(10)], len);
		return n;
	case 3:                                       /* cut */
		return at;
	case 4:                                       /* take something out */
		len = draw(n - at + 1);
		memmove(p + at, p + at + len, n - at - len);
		return n - len;
	case 5:                                       /* say it twice */
		len = draw(n - at + 1);
		if (len > MOST - n)
			len = MOST - n;
		memmove(p + at + len, p + at, n - at);
		return n + len;
	default:
		return splice(p, n, at);
	}
}

int main(int argc, char **argv)
{
	static uint8_t work[MOST];
	long seconds = 5, runs = 0;
	const char *base = strrchr(argv[0], '/');
	time_t end;

	base = base ? base + 1 : argv[0];
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-t") == 0 && i + 1 < argc)
			seconds = atol(argv[++i]);
		else if (strcmp(argv[i], "-s") == 0 && i + 1 < argc)
			state = (uint64_t)atoll(argv[++i]) * 2 + 1;
		else
			add(argv[i]);
	}
	snprintf(keep, sizeof keep, "crash-%s", base);
	if (nseeds == 0) {
		seeds = calloc(1, sizeof *seeds);
		seeds[nseeds++].p = calloc(1, MOST);
	}
	for (size_t i = 0; i < nseeds; i++)
		try_it(seeds[i].p, seeds[i].n);
	for (end = time(NULL) + seconds; time(NULL) < end; runs++) {
		const struct input *s = &seeds[draw(nseeds)];
		size_t n = s->n;

		memcpy(work, s->p, n);
		for (uint64_t k = draw(6) + 1; k > 0; k--)
			n = mutate(work, n);
		try_it(work, n);
	}
	printf("ok %s: %zu seeds, %ld mutations\n", base, nseeds, runs);
	return 0;
}
