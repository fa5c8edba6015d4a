/* SPDX-License-Identifier: Apache-2.0 */
#include "threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "mem.h"

int threads_available(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
		return CPU_COUNT(&set);
	return 1;
}

/* --- pool --- */

/* A job is published by a new number in `state`; workers spin a little for it (kernels follow each other within microseconds) and then
 * sleep.  They join a job while it is open, and the caller, when no task is left to begin, closes it and waits for those that joined:
 * a worker that the system has not run meanwhile holds up nobody. */
struct pool {
	int n;
	pthread_t *th;
	pthread_mutex_t m;
	pthread_cond_t wake;
	_Atomic uint64_t state;        /* number of the job << 32 | OPEN | workers that have joined it */
	_Atomic uint32_t next;         /* next task of the job */
	_Atomic bool quit;
	void (*fn)(void *, uint32_t, int);
	void *ctx;
	uint32_t ntasks;
};

#define JOB     ((uint64_t)1 << 32)
#define OPEN    ((uint64_t)1 << 31)
#define JOINED  (OPEN - 1)

struct worker {
	struct pool *p;
	int id;
};

enum { SPINS = 20000 };

static void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

static void take_tasks(struct pool *p, int thread)
{
	uint32_t i;

	while ((i = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed)) < p->ntasks)
		p->fn(p->ctx, i, thread);
}

/* Waits for another job than number SEEN; its number. */
static uint32_t next_job(struct pool *p, uint32_t seen)
{
	for (int spins = 0; spins < SPINS; spins++) {
		uint32_t job = (uint32_t)(atomic_load_explicit(&p->state, memory_order_acquire) / JOB);

		if (job != seen)
			return job;
		relax();
	}
	pthread_mutex_lock(&p->m);
	while (atomic_load(&p->state) / JOB == seen)
		pthread_cond_wait(&p->wake, &p->m);
	pthread_mutex_unlock(&p->m);
	return (uint32_t)(atomic_load(&p->state) / JOB);
}

static bool join(struct pool *p, uint32_t job)
{
	uint64_t s = atomic_load(&p->state);

	while (s / JOB == job && (s & OPEN))
		if (atomic_compare_exchange_weak(&p->state, &s, s + 1))
			return true;
	return false;
}

static void *work(void *arg)
{
	struct worker w = *(struct worker *)arg;
	struct pool *p = w.p;
	uint32_t seen = 0;

	free(arg);
	for (;;) {
		seen = next_job(p, seen);
		if (atomic_load(&p->quit))
			return NULL;
		if (join(p, seen)) {
			take_tasks(p, w.id);
			atomic_fetch_sub_explicit(&p->state, 1, memory_order_release);
		}
	}
}

struct pool *pool_open(int n)
{
	struct pool *p = mem_new(sizeof *p);

	p->n = n > 0 ? n : threads_available();
	p->th = mem_new((size_t)p->n * sizeof *p->th);
	pthread_mutex_init(&p->m, NULL);
	pthread_cond_init(&p->wake, NULL);
	for (int i = 1; i < p->n; i++) {
		struct worker *w = mem_new(sizeof *w);

		*w = (struct worker){ p, i };
		if (pthread_create(&p->th[i], NULL, work, w) != 0) {   /* fewer threads, same results */
			free(w);
			p->n = i;
			break;
		}
	}
	return p;
}

int pool_size(const struct pool *p)
{
	return p->n;
}

static void publish(struct pool *p)
{
	pthread_mutex_lock(&p->m);
	atomic_store(&p->state, (atomic_load(&p->state) / JOB + 1) % JOB * JOB | OPEN);
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->m);
}

void pool_run(struct pool *p, void (*fn)(void *, uint32_t, int), void *ctx, uint32_t ntasks)
{
	if (p->n == 1 || ntasks <= 1) {
		for (uint32_t i = 0; i < ntasks; i++)
			fn(ctx, i, 0);
		return;
	}
	p->fn = fn;
	p->ctx = ctx;
	p->ntasks = ntasks;
	atomic_store(&p->next, 0);
	publish(p);
	take_tasks(p, 0);
	atomic_fetch_and(&p->state, ~OPEN);
	for (int spins = 0; (atomic_load_explicit(&p->state, memory_order_acquire) & JOINED) != 0; spins++) {
		if (spins < SPINS)
			relax();
		else
			sched_yield();
	}
}

void pool_close(struct pool *p)
{
	if (p == NULL)
		return;
	atomic_store(&p->quit, true);
	publish(p);
	for (int i = 1; i < p->n; i++)
		pthread_join(p->th[i], NULL);
	pthread_mutex_destroy(&p->m);
	pthread_cond_destroy(&p->wake);
	mem_free(p->th);
	mem_free(p);
}

/* --- ordered map --- */

/* Every thread does all three jobs: it writes what is next to be written, else reads an item and maps it itself, while the item is in
 * its core's cache; it sleeps only where neither can be done.  So the stages need no threads of their own and no hand-over. */
struct lane {
	const struct omap *m;
	void **items;
	bool *mapped;
	int nitems;
	long head, tail;               /* next to read, next to write: running numbers */
	bool reading, writing;         /* some thread is */
	bool end;                      /* nothing is left to read */
	int read_rc, rc;               /* why reading ended; why writing did */
	pthread_mutex_t mx;            /* of all above; held but while an item is worked on */
	pthread_cond_t turn;
};

struct mapper {
	struct lane *l;
	int thread;
};

static bool may_write(const struct lane *l)
{
	return !l->writing && l->tail < l->head && l->mapped[l->tail % l->nitems];
}

static bool may_read(const struct lane *l)
{
	return !l->reading && !l->end && l->rc == 0 && l->head - l->tail < l->nitems;
}

static void write_item(struct lane *l)
{
	int at = (int)(l->tail % l->nitems), rc = l->rc;

	l->writing = true;
	pthread_mutex_unlock(&l->mx);
	if (rc == 0)
		rc = l->m->write(l->m->ctx, l->items[at]);
	pthread_mutex_lock(&l->mx);
	l->writing = false;
	l->rc = rc < 0 ? rc : 0;
	l->mapped[at] = false;
	l->tail++;
	pthread_cond_signal(&l->turn);
}

static void read_item(struct lane *l, int thread)
{
	int at = (int)(l->head % l->nitems), got;

	l->reading = true;
	pthread_mutex_unlock(&l->mx);
	got = l->m->read(l->m->ctx, l->items[at]);
	pthread_mutex_lock(&l->mx);
	l->reading = false;
	if (got <= 0) {
		l->end = true;
		l->read_rc = got;
		pthread_cond_broadcast(&l->turn);
		return;
	}
	l->head++;
	pthread_cond_signal(&l->turn);
	pthread_mutex_unlock(&l->mx);
	l->m->map(l->m->ctx, l->items[at], thread);
	pthread_mutex_lock(&l->mx);
	l->mapped[at] = true;
}

static void *lane_loop(void *arg)
{
	struct mapper *me = arg;
	struct lane *l = me->l;

	pthread_mutex_lock(&l->mx);
	while (may_read(l) || l->reading || l->tail < l->head) {
		if (may_write(l))
			write_item(l);
		else if (may_read(l))
			read_item(l, me->thread);
		else
			pthread_cond_wait(&l->turn, &l->mx);
	}
	pthread_cond_broadcast(&l->turn);
	pthread_mutex_unlock(&l->mx);
	return NULL;
}

static int omap_alone(const struct omap *m, void *item)
{
	int rc;

	while ((rc = m->read(m->ctx, item)) > 0) {
		m->map(m->ctx, item, 0);
		if ((rc = m->write(m->ctx, item)) < 0)
			return rc;
	}
	return rc;
}

int omap_run(const struct omap *m, void **items, int nitems, int nthreads)
{
	struct lane l = { .m = m, .items = items, .nitems = nitems };
	struct mapper *who;
	pthread_t *th;
	int started = 1;               /* the caller is one of them */

	if (nthreads <= 1)
		return omap_alone(m, items[0]);
	l.mapped = mem_new((size_t)nitems * sizeof *l.mapped);
	th = mem_new((size_t)nthreads * sizeof *th);
	who = mem_new((size_t)nthreads * sizeof *who);
	pthread_mutex_init(&l.mx, NULL);
	pthread_cond_init(&l.turn, NULL);
	for (; started < nthreads; started++) {
		who[started] = (struct mapper){ &l, started };
		if (pthread_create(&th[started], NULL, lane_loop, &who[started]) != 0)
			break;
	}
	who[0] = (struct mapper){ &l, 0 };
	lane_loop(&who[0]);
	for (int i = 1; i < started; i++)
		pthread_join(th[i], NULL);
	pthread_mutex_destroy(&l.mx);
	pthread_cond_destroy(&l.turn);
	mem_free(l.mapped);
	mem_free(th);
	mem_free(who);
	return l.rc < 0 ? l.rc : l.read_rc;
}
