/* SPDX-License-Identifier: Apache-2.0 */
#include "extsort.h"

#include <stdbool.h>
#include <string.h>

#include "mem.h"
#include "scratch.h"

enum { FIRST = 1024, WINDOW = 64 << 10, FAN_MAX = 512, DIGITS = 8, VALUES = 256 };

struct run {
	uint64_t at, n;                /* place in the scratch; records */
};

/* A run that is being read. */
struct reader {
	struct run left;
	char *window;
	size_t at, n;                  /* records of the window: which one is next, how many there are */
};

struct extsort {
	size_t size;
	unsigned low;
	uint64_t memory;
	const char *dir;
	char *buf, *other;             /* what is not in a run; room to sort it */
	size_t n, cap, most;           /* records */
	uint64_t count, next;          /* records in all; of a sort in memory, which is next */
	struct scratch *runs;          /* NULL: all is in the buffer */
	struct run *run;
	size_t nruns, runs_cap;
	struct reader *reader;         /* of each run that is merged */
	uint32_t *heap;                /* readers, the least record first */
	size_t nheap;
	char *windows;
	char held[32];                 /* the record that was given last */
};

struct extsort *extsort_new(size_t size, unsigned low, uint64_t memory, const char *dir)
{
	struct extsort *s = mem_new(sizeof *s);

	s->size = size;
	s->low = low;
	s->memory = memory;
	s->dir = dir;
	s->most = (size_t)(memory / 2 / size);
	return s;
}

static void end_merge(struct extsort *s)
{
	mem_free(s->reader);
	mem_free(s->heap);
	mem_free(s->windows);
	s->reader = NULL;
	s->heap = NULL;
	s->windows = NULL;
}

static void free_buffers(struct extsort *s)
{
	mem_free(s->buf);
	mem_free(s->other);
	s->buf = s->other = NULL;
	s->cap = 0;
}

void extsort_reset(struct extsort *s)
{
	end_merge(s);
	scratch_free(s->runs);
	s->runs = NULL;
	s->n = s->nruns = 0;
	s->count = s->next = 0;
}

void extsort_free(struct extsort *s)
{
	if (s == NULL)
		return;
	extsort_reset(s);
	free_buffers(s);
	mem_free(s->run);
	mem_free(s);
}

uint64_t extsort_count(const struct extsort *s)
{
	return s->count;
}

/* --- in memory --- */

static uint64_t key_of(const void *rec)
{
	uint64_t k;

	memcpy(&k, rec, sizeof k);
	return k;
}

/* One pass of the radix sort; SIZE is a constant where this is called, so that the copy is a few moves. */
static inline __attribute__((always_inline)) void scatter(const char *from, char *to, size_t n, size_t size, unsigned shift, size_t *place)
{
	for (size_t i = 0; i < n; i++, from += size)
		memcpy(to + size * place[key_of(from) >> shift & (VALUES - 1)]++, from, size);
}

static void scatter_size(const char *from, char *to, size_t n, size_t size, unsigned shift, size_t *place)
{
	switch (size) {
	case 8:
		scatter(from, to, n, 8, shift, place);
		break;
	case 16:
		scatter(from, to, n, 16, shift, place);
		break;
	case 24:
		scatter(from, to, n, 24, shift, place);
		break;
	default:
		scatter(from, to, n, 32, shift, place);
	}
}

/* From the lowest byte of the key that counts to the highest; a byte that is the same everywhere costs nothing. */
static void sort_buffer(struct extsort *s)
{
	static const size_t none[VALUES];
	size_t count[DIGITS][VALUES];
	unsigned first = s->low / 8;

	memset(count, 0, sizeof count);
	for (size_t i = 0; i < s->n; i++) {
		uint64_t k = key_of(s->buf + i * s->size) >> 8 * first;

		for (unsigned d = first; d < DIGITS; d++, k >>= 8)
			count[d][k & (VALUES - 1)]++;
	}
	for (unsigned d = first; d < DIGITS; d++) {
		size_t place[VALUES], at = 0;
		char *was = s->buf;

		memcpy(place, none, sizeof place);
		for (int v = 0; v < VALUES; v++) {
			place[v] = at;
			at += count[d][v];
		}
		if (s->n == 0 || count[d][key_of(s->buf) >> 8 * d & (VALUES - 1)] == s->n)
			continue;
		scatter_size(s->buf, s->other, s->n, s->size, 8 * d, place);
		s->buf = s->other;
		s->other = was;
	}
}

static void grow(struct extsort *s)
{
	size_t cap = s->cap ? s->cap * 2 : FIRST;

	s->cap = cap < s->most ? cap : s->most;
	s->buf = mem_grow(s->buf, s->cap, s->size);
	mem_free(s->other);
	s->other = mem_grow(NULL, s->cap, s->size);
}

/* --- runs --- */

static void add_run(struct extsort *s, uint64_t at, uint64_t n)
{
	ARRAY_ROOM(s->run, s->nruns, s->runs_cap);
	s->run[s->nruns++] = (struct run){ at, n };
}

static int put_run(struct extsort *s, struct err *e)
{
	sort_buffer(s);
	if (s->runs == NULL)
		s->runs = scratch_new(s->dir);
	add_run(s, scratch_size(s->runs), s->n);
	if (scratch_write(s->runs, s->buf, s->n * s->size, e) != 0)
		return e->code;
	s->n = 0;
	return 0;
}

int extsort_put(struct extsort *s, const void *rec, struct err *e)
{
	int rc;

	if (s->n == s->most && (rc = put_run(s, e)) != 0)
		return rc;
	if (s->n == s->cap)
		grow(s);
	memcpy(s->buf + s->n++ * s->size, rec, s->size);
	s->count++;
	return 0;
}

static int fill(struct extsort *s, struct reader *r, struct err *e)
{
	size_t room = WINDOW / s->size, n = r->left.n < room ? (size_t)r->left.n : room;
	int rc = scratch_at(s->runs, r->left.at, n * s->size, r->window, e);

	r->at = 0;
	r->n = n;
	r->left.at += n * s->size;
	r->left.n -= n;
	return rc;
}

static bool before(const struct extsort *s, uint32_t a, uint32_t b)
{
	const struct reader *x = &s->reader[a], *y = &s->reader[b];
	uint64_t p = key_of(x->window + x->at * s->size) >> s->low, q = key_of(y->window + y->at * s->size) >> s->low;

	return p != q ? p < q : a < b;
}

static void sink(struct extsort *s, size_t i)
{
	for (;;) {
		size_t least = i, child = 2 * i + 1;
		uint32_t was = s->heap[i];

		for (size_t c = child; c < child + 2 && c < s->nheap; c++)
			if (before(s, s->heap[c], s->heap[least]))
				least = c;
		if (least == i)
			return;
		s->heap[i] = s->heap[least];
		s->heap[least] = was;
		i = least;
	}
}

static int begin_merge(struct extsort *s, const struct run *run, size_t n, struct err *e)
{
	int rc = 0;

	end_merge(s);
	s->reader = mem_new(n * sizeof *s->reader);
	s->heap = mem_new(n * sizeof *s->heap);
	s->windows = mem_grow(NULL, n, WINDOW);
	s->nheap = n;
	for (size_t i = 0; i < n && rc == 0; i++) {
		s->reader[i].left = run[i];
		s->reader[i].window = s->windows + i * WINDOW;
		s->heap[i] = (uint32_t)i;
		rc = fill(s, &s->reader[i], e);
	}
	for (size_t i = n / 2; rc == 0 && i-- > 0; )
		sink(s, i);
	return rc;
}

static int next_merged(struct extsort *s, const void **rec, struct err *e)
{
	struct reader *r;
	int rc = 0;

	*rec = NULL;
	if (s->nheap == 0)
		return 0;
	r = &s->reader[s->heap[0]];
	memcpy(s->held, r->window + r->at++ * s->size, s->size);
	*rec = s->held;
	if (r->at == r->n && r->left.n == 0)
		s->heap[0] = s->heap[--s->nheap];
	else if (r->at == r->n)
		rc = fill(s, r, e);
	if (rc == 0 && s->nheap)
		sink(s, 0);
	return rc;
}

/* FAN runs and more become one each, until one merge can read all that are left. */
static int merge_runs(struct extsort *s, size_t fan, struct err *e)
{
	struct run *run = s->run;
	size_t n = s->nruns;
	struct scratch *to = scratch_new(s->dir), *from = s->runs;
	const void *rec;
	int rc = 0;

	s->run = NULL;
	s->nruns = s->runs_cap = 0;
	for (size_t i = 0; i < n && rc == 0; i += fan) {
		uint64_t at = scratch_size(to);

		rc = begin_merge(s, run + i, n - i < fan ? n - i : fan, e);
		while (rc == 0 && (rc = next_merged(s, &rec, e)) == 0 && rec)
			rc = scratch_write(to, rec, s->size, e);
		add_run(s, at, (scratch_size(to) - at) / s->size);
	}
	mem_free(run);
	scratch_free(from);
	s->runs = to;
	return rc ? rc : scratch_rewind(to, e);
}

int extsort_rewind(struct extsort *s, struct err *e)
{
	size_t fan = (size_t)(s->memory / WINDOW);
	int rc;

	s->next = 0;
	if (s->runs == NULL) {
		sort_buffer(s);
		return 0;
	}
	fan = fan < 2 ? 2 : fan > FAN_MAX ? FAN_MAX : fan;
	if (s->n) {
		if ((rc = put_run(s, e)) != 0 || (rc = scratch_rewind(s->runs, e)) != 0)
			return rc;
		free_buffers(s);
	}
	while (s->nruns > fan)
		if ((rc = merge_runs(s, fan, e)) != 0)
			return rc;
	return begin_merge(s, s->run, s->nruns, e);
}

int extsort_get(struct extsort *s, const void **rec, struct err *e)
{
	if (s->runs)
		return next_merged(s, rec, e);
	*rec = s->next < s->n ? s->buf + s->next++ * s->size : NULL;
	return 0;
}
