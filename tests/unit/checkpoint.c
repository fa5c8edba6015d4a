/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint.h"
#include "test.h"

enum { N = 5 };
static char dir[] = "checkpoint.XXXXXX";
static float p[N] = { 1, 2, 3, 4, 5 }, m[N] = { .1f, .2f, .3f, .4f, .5f }, v[N] = { 9, 8, 7, 6, 1e-30f };
static float p2[N], m2[N], v2[N];

static struct checkpoint state(uint64_t step)
{
	return (struct checkpoint){ .step = step, .place = { 2, step % 7 }, .has_best = true, .best = 1.0 / 3, .stale = 1,
		.log_length = 1000 + step, .seconds = 12.125, .settings = "{\"lr\":0.001,\"seed\":3}", .n = N, .p = p, .state = { m, v }, .nstate = { N, N } };
}

static struct checkpoint room(const char *settings)
{
	return (struct checkpoint){ .settings = settings, .n = N, .p = p2, .state = { m2, v2 }, .nstate = { N, N } };
}

static const char *file(uint64_t step)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/state/step-%08llu.safetensors", dir, (unsigned long long)step);
	return path;
}

static void none(void)
{
	struct checkpoint c = room("{}");
	bool found = true;

	CHECK(checkpoint_load(dir, &c, &found, NULL) == 0 && !found);
}

static void there_and_back(void)
{
	struct checkpoint c = state(40), d = room(c.settings);
	bool found = false;

	CHECK(checkpoint_save(dir, &c, NULL) == 0);
	CHECK(checkpoint_load(dir, &d, &found, NULL) == 0 && found);
	CHECK(d.step == 40 && d.place.epoch == 2 && d.place.at == 5 && d.best == 1.0 / 3 && d.has_best && d.stale == 1 && !d.finished);
	CHECK(d.log_length == 1040 && d.seconds == 12.125);
	CHECK(memcmp(p, p2, sizeof p) == 0 && memcmp(m, m2, sizeof m) == 0 && memcmp(v, v2, sizeof v) == 0);
}

static void newest(void)
{
	struct checkpoint c, d = room("{\"lr\":0.001,\"seed\":3}");
	bool found = false;

	for (uint64_t s = 50; s <= 100; s += 10) {
		c = state(s);
		c.finished = s == 100;
		p[0] = (float)s;
		CHECK(checkpoint_save(dir, &c, NULL) == 0);
	}
	CHECK(access(file(80), F_OK) != 0 && access(file(90), F_OK) == 0);     /* two are kept */
	CHECK(checkpoint_load(dir, &d, &found, NULL) == 0 && found && d.step == 100 && d.finished && p2[0] == 100);
}

/* A file that is cut short is passed over for the one before. */
static void torn(void)
{
	struct checkpoint d = room("{\"lr\":0.001,\"seed\":3}");
	struct stat st;
	bool found = false;

	CHECK(stat(file(100), &st) == 0);
	for (off_t cut = st.st_size - 1; cut > 0; cut -= 37) {
		CHECK(truncate(file(100), cut) == 0);
		CHECK(checkpoint_load(dir, &d, &found, NULL) == 0 && found && d.step == 90 && p2[0] == 90);
	}
}

static void other_settings(void)
{
	struct checkpoint d = room("{\"lr\":0.002,\"seed\":3}"), few = room("{\"lr\":0.001,\"seed\":3}");
	bool found = true;
	struct err e = {0};

	CHECK(checkpoint_load(dir, &d, &found, &e) == SFT_USAGE && strstr(e.msg, "lr was 0.001, is 0.002"));
	d = room("{\"lr\":0.001,\"seed\":3,\"clip\":1}");
	CHECK(checkpoint_load(dir, &d, &found, &e) == SFT_USAGE && strstr(e.msg, "clip was not set, is 1"));
	few.n = N - 1;
	CHECK(checkpoint_load(dir, &few, &found, &e) == SFT_USAGE && strstr(e.msg, "number of trained values"));
}

int main(void)
{
	char cmd[64];

	if (mkdtemp(dir) == NULL)
		return 1;
	TEST(none);
	TEST(there_and_back);
	TEST(newest);
	TEST(torn);
	TEST(other_settings);
	snprintf(cmd, sizeof cmd, "rm -r %s", dir);
	return system(cmd) != 0 || test_end();
}
