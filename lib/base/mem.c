/* SPDX-License-Identifier: Apache-2.0 */
#include "mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "err.h"

static _Noreturn void mem_fail(void)
{
	static const char line[] = "sft: out of memory\n";
	ssize_t r = write(2, line, sizeof line - 1);

	(void)r;
	_exit(SFT_SYSTEM);
}

void *mem_new(size_t n)
{
	void *p = calloc(1, n ? n : 1);

	if (p == NULL)
		mem_fail();
	return p;
}

void *mem_grow(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		mem_fail();
	if ((p = realloc(p, bytes ? bytes : 1)) == NULL)
		mem_fail();
	return p;
}

char *mem_strn(const char *s, size_t n)
{
	char *p = mem_new(n + 1);

	if (n)
		memcpy(p, s, n);
	return p;
}

char *mem_str(const char *s)
{
	return mem_strn(s, strlen(s));
}

enum { HUGE = 1 << 21 };

/* N bytes in whole huge pages; NULL if there are none. */
static void *mem_huge(size_t n)
{
	void *p = NULL;

	if (n > SIZE_MAX / 2)
		return NULL;
	if (posix_memalign(&p, HUGE, n) != 0)
		return NULL;
	madvise(p, n, MADV_HUGEPAGE);                      /* where the system leaves that to the program */
	return p;
}

void *mem_try(size_t n)
{
	void *p = NULL;

	if (n >= HUGE)
		p = mem_huge(n);
	else if (posix_memalign(&p, 64, n ? n : 1) != 0)
		return NULL;
	if (p)
		memset(p, 0, n);
	return p;
}

void *mem_more(void *p, size_t had, size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *first;

	if (n > SIZE_MAX / 2 || (p = realloc(p, n ? n : 1)) == NULL)
		return NULL;
	first = (char *)p - (uintptr_t)p % page;
	if (n >= (1u << 21))                               /* all of it, so that it stays one mapping, which can be moved */
		madvise(first, (size_t)((char *)p + n - first), MADV_HUGEPAGE);
	memset((char *)p + had, 0, n - had);
	return p;
}

void mem_free(void *p)
{
	free(p);
}

/* --- arena --- */

struct arena_block {
	struct arena_block *next;
	size_t size;                    /* bytes behind this header */
	_Alignas(16) char data[];
};

enum { ARENA_BLOCK = 64 * 1024 };

void arena_init(struct arena *a)
{
	memset(a, 0, sizeof *a);
}

static void arena_more(struct arena *a, size_t n)
{
	size_t size = a->head ? a->head->size * 2 : ARENA_BLOCK;
	struct arena_block *b;

	if (size > (64u << 20))
		size = 64u << 20;
	if (size < n)
		size = n;
	b = size < HUGE || size > SIZE_MAX / 4 ? NULL : mem_huge(sizeof *b + size);
	if (b == NULL)
		b = mem_grow(NULL, 1, sizeof *b + size);
	b->next = a->head;
	b->size = size;
	a->head = b;
	a->p = b->data;
	a->end = b->data + size;
	a->total += size;
}

void *arena_get(struct arena *a, size_t n)
{
	void *p;

	if (n > SIZE_MAX - 64)
		mem_fail();
	n = (n + 15) & ~(size_t)15;
	if ((size_t)(a->end - a->p) < n)
		arena_more(a, n);
	p = a->p;
	a->p += n;
	return p;
}

char *arena_str(struct arena *a, const char *s, size_t n)
{
	char *p = arena_get(a, n + 1);

	if (n)
		memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

void arena_trim(struct arena *a, void *p, size_t n)
{
	a->p = (char *)p + ((n + 15) & ~(size_t)15);
}

void arena_reset(struct arena *a)
{
	struct arena_block *b = a->head, *next;

	if (b == NULL)
		return;
	for (struct arena_block *o = b->next; o; o = next) {   /* the newest is the largest: keep it */
		next = o->next;
		a->total -= o->size;
		free(o);
	}
	b->next = NULL;
	a->p = b->data;
}

void arena_rewind(struct arena *a, const struct arena *mark)
{
	if (mark->head == NULL) {               /* it was empty: one block is kept */
		arena_reset(a);
		return;
	}
	while (a->head != mark->head) {
		struct arena_block *newest = a->head;

		a->head = newest->next;
		free(newest);
	}
	*a = *mark;
}

void arena_release(struct arena *a)
{
	arena_reset(a);
	free(a->head);
	arena_init(a);
}

/* --- buffer --- */

char *buf_room(struct buf *b, size_t n)
{
	if (n > SIZE_MAX / 4 || b->n > SIZE_MAX / 4)
		mem_fail();
	if (b->cap - b->n <= n) {                          /* one more for the NUL */
		size_t cap = b->cap ? b->cap * 2 : 64;

		while (cap - b->n <= n)
			cap *= 2;
		b->p = mem_grow(b->p, cap, 1);
		b->cap = cap;
	}
	return b->p + b->n;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	char *to = buf_room(b, n);

	if (n)
		memcpy(to, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_ch(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n > 0) {
		vsnprintf(buf_room(b, (size_t)n), (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
}

void buf_free(struct buf *b)
{
	free(b->p);
	memset(b, 0, sizeof *b);
}
