/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stdbool.h>

#include "test.h"
#include "threads.h"

enum { TASKS = 37 };

struct counted {
	atomic_int done[TASKS];
	atomic_int all;
};

static void count(void *ctx, uint32_t task, int thread)
{
	struct counted *c = ctx;

	(void)thread;
	atomic_fetch_add(&c->done[task], 1);
	atomic_fetch_add(&c->all, 1);
}

/* Each task once, all done on return, for many short jobs in a row and more threads than cores. */
static void every_task_once(void)
{
	struct pool *p = pool_open(5);
	bool ok = true;

	CHECK(pool_size(p) == 5);
	for (int job = 0; job < 3000 && ok; job++) {
		struct counted c = {0};
		uint32_t n = (uint32_t)(job % TASKS);

		pool_run(p, count, &c, n);
		ok = atomic_load(&c.all) == (int)n;
		for (uint32_t i = 0; i < n; i++)
			ok = ok && atomic_load(&c.done[i]) == 1;
	}
	CHECK(ok);
	pool_close(p);
	pool_close(NULL);
}

int main(void)
{
	TEST(every_task_once);
	return test_end();
}
