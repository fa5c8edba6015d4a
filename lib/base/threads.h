/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_THREADS_H
#define SFT_THREADS_H
/* Two shapes of parallel work, both with results that do not depend on the number of threads.
 *
 * pool_run: numbered tasks of one call (kernels).  The calling thread works too.
 * omap_run: a stream of items mapped by N threads and written in order (records).
 *
 * One caller at a time per pool. */
#include <stdint.h>

struct pool;

/* N threads in all, the caller's included; N <= 0: as many as the process may run on. */
struct pool *pool_open(int n);
int          pool_size(const struct pool *p);
void         pool_close(struct pool *p);          /* NULL is fine */

/* fn(ctx, task, thread) for each task 0..ntasks-1, each once, on any thread (0..size-1; 0 is the caller);
 * returns when all are done.  Tasks are handed out in ascending order. */
void pool_run(struct pool *p, void (*fn)(void *ctx, uint32_t task, int thread), void *ctx, uint32_t ntasks);

/* Cores this process may run on. */
int threads_available(void);

/* A pipeline: READ fills an item (1 filled, 0 end, <0 stop), MAP works on it on one of N threads (0..n-1; 0 is the caller), WRITE takes it
 * in the order read (0 go on, <0 stop).  READ is never called by two threads at once, nor is WRITE; each may be called on any of
 * the threads, and an item is reused after its WRITE.  What was read before READ stopped is still written.
 * ITEMS: nthreads + 1 keep all threads busy where items take about as long as each other.  Returns 0, or the first negative value. */
struct omap {
	void *ctx;
	int (*read)(void *ctx, void *item);
	void (*map)(void *ctx, void *item, int thread);
	int (*write)(void *ctx, void *item);
};
int omap_run(const struct omap *m, void **items, int nitems, int nthreads);

#endif
