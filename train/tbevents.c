/* SPDX-License-Identifier: Apache-2.0 */
#include "tbevents.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hash.h"
#include "mem.h"

struct tbevents {
	int  fd;
	char *path;
	struct buf event, inner, value, record;   /* reused from event to event */
};

/* --- protobuf, as far as it is needed --- */
enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

static void put_varint(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_ch(b, (char)(v | 0x80));
	buf_ch(b, (char)v);
}

static void put_little(struct buf *b, uint64_t v, int bytes)
{
	for (; bytes > 0; bytes--, v >>= 8)
		buf_ch(b, (char)v);
}

static void put_tag(struct buf *b, unsigned field, unsigned wire)
{
	put_varint(b, field << 3 | wire);
}

static void put_bytes(struct buf *b, unsigned field, const void *p, size_t n)
{
	put_tag(b, field, WIRE_BYTES);
	put_varint(b, n);
	buf_add(b, p, n);
}

static void put_double(struct buf *b, unsigned field, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof bits);
	put_tag(b, field, WIRE_64);
	put_little(b, bits, 8);
}

static void put_float(struct buf *b, unsigned field, float v)
{
	uint32_t bits;

	memcpy(&bits, &v, sizeof bits);
	put_tag(b, field, WIRE_32);
	put_little(b, bits, 4);
}

/* --- events --- */
static void event_begin(struct tbevents *t, uint64_t step)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	t->event.n = 0;
	put_double(&t->event, 1, (double)now.tv_sec + 1e-9 * (double)now.tv_nsec);
	if (step) {
		put_tag(&t->event, 2, WIRE_VARINT);
		put_varint(&t->event, step);
	}
}

static uint32_t masked_crc(const void *p, size_t n)
{
	uint32_t c = crc32c(0, p, n);

	return (c >> 15 | c << 17) + 0xa282ead8u;
}

static int event_end(struct tbevents *t, struct err *e)
{
	struct buf *r = &t->record;
	size_t done = 0;
	ssize_t k;

	r->n = 0;
	put_little(r, t->event.n, 8);
	put_little(r, masked_crc(r->p, 8), 4);
	buf_add(r, t->event.p, t->event.n);
	put_little(r, masked_crc(t->event.p, t->event.n), 4);
	while (done < r->n) {
		k = write(t->fd, r->p + done, r->n - done);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_sys(e, t->path);
		done += (size_t)k;
	}
	return 0;
}

static int open_new(struct tbevents *t, const char *dir, struct err *e)
{
	char host[64] = "host";
	struct buf path = {0};

	gethostname(host, sizeof host - 1);
	for (int i = 0; i < 1000; i++) {
		path.n = 0;
		buf_fmt(&path, "%s/events.out.tfevents.%lld.%s.%ld.%d", dir, (long long)time(NULL), host, (long)getpid(), i);
		t->fd = open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
		if (t->fd >= 0 || errno != EEXIST)
			break;
	}
	t->path = path.p;
	return t->fd < 0 ? err_sys(e, t->path) : 0;
}

static int write_head(struct tbevents *t, uint64_t restart, struct err *e)
{
	static const char version[] = "brain.Event:2";
	static const char start[] = { 1 << 3 | WIRE_VARINT, 1 };     /* SessionLog { status: START } */
	int rc;

	event_begin(t, 0);
	put_bytes(&t->event, 3, version, sizeof version - 1);
	if ((rc = event_end(t, e)) != 0 || restart == 0)
		return rc;
	event_begin(t, restart);
	put_bytes(&t->event, 7, start, sizeof start);
	return event_end(t, e);
}

int tb_open(struct tbevents **out, const char *dir, uint64_t restart, struct err *e)
{
	struct tbevents *t = mem_new(sizeof *t);
	int rc;

	*out = NULL;
	if ((rc = open_new(t, dir, e)) == 0 && (rc = write_head(t, restart, e)) == 0)
		*out = t;
	else
		tb_close(t, NULL);
	return rc;
}

int tb_scalars(struct tbevents *t, uint64_t step, const struct tb_scalar *v, size_t n, struct err *e)
{
	t->inner.n = 0;
	for (size_t i = 0; i < n; i++) {
		t->value.n = 0;
		put_bytes(&t->value, 1, v[i].tag, strlen(v[i].tag));
		put_float(&t->value, 2, (float)v[i].value);
		put_bytes(&t->inner, 1, t->value.p, t->value.n);
	}
	event_begin(t, step);
	put_bytes(&t->event, 5, t->inner.p, t->inner.n);
	return event_end(t, e);
}

int tb_close(struct tbevents *t, struct err *e)
{
	int rc = 0;

	if (t == NULL)
		return 0;
	if (t->fd >= 0 && close(t->fd) != 0)
		rc = err_sys(e, t->path);
	buf_free(&t->event);
	buf_free(&t->inner);
	buf_free(&t->value);
	buf_free(&t->record);
	mem_free(t->path);
	mem_free(t);
	return rc;
}
