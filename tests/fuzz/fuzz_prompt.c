/* SPDX-License-Identifier: Apache-2.0 */
/* Any JSON lines as chat records of any shape, and as a table of turns: what comes out has messages and is UTF-8. */
#include "records.h"
#include "prompt.h"
#include "turns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void sound(const struct rec *r, const struct err *e, int rc)
{
	if (rc != 0 && (rc != SFT_BADDATA || e->msg[0] == '\0'))
		abort();
	for (uint32_t i = 0; rc == 0 && i < r->names->n; i++)
		if (!json_utf8(r->f[i].p, r->f[i].n))
			abort();
	if (rc == 0 && rec_column(r->names, "messages") < 0)
		abort();
}

static void shapes(struct prompt_work *w, struct recin *in, struct arena *a)
{
	struct err e = {0};
	struct fault f = { NULL, &e };
	struct rec *r, made;

	while (rec_read(in, &r, &e) == 0 && r) {
		arena_reset(a);
		sound(&made, &e, prompt_record(w, r, a, &made, &f));
	}
}

/* Every row that has a dialogue is in one that comes out, good or bad. */
static void table(struct prompt_work *w, struct recin *in, struct arena *a)
{
	const struct turns_opts o = { "d", "n", "who", "said", "*=user", NULL, 1000 };
	struct err e = {0};
	struct fault f = { NULL, &e };
	struct buf unknown = {0};
	struct turns t;
	struct rec *r, made, chat;
	bool kept, more = true;
	int rc;

	if (turns_init(&t, &o, "/tmp", &e) != 0)
		abort();
	while (rec_read(in, &r, &e) == 0 && r)
		if ((rc = turns_add(&t, r, &kept, &f)) != 0 && rc != SFT_BADDATA)
			abort();
	if (turns_ready(&t, &unknown, &e) != 0 || unknown.n)
		abort();
	while (more) {
		arena_reset(a);
		rc = turns_next(&t, a, &chat, &more, &f);
		if (more)
			sound(&chat, &e, rc);
		if (more && rc == 0)
			sound(&made, &e, prompt_record(w, &chat, a, &made, &f));
	}
	if (t.at != t.nd)
		abort();
	buf_free(&unknown);
	turns_release(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct prompt_opts po = { .task = "Answer.", .k = -1 };
	struct tool t = { .name = "fuzz", .quiet = true };
	struct err e = {0};
	struct arena a = {0};
	struct rec_opts o;
	struct prompt p;
	struct prompt_work w;
	struct recin *in;
	char path[40];
	const char *file = path;
	int fd = fuzz_file(data, size, path);

	rec_opts_init(&o);
	o.from = REC_JSONL;
	o.on_bad = 1;
	if (prompt_open(&p, &po, &o, &t, &e) != 0)
		abort();
	prompt_work_open(&w, &p);
	for (int turns = 0; turns < 2; turns++) {
		if (rec_open(&in, &file, 1, &o, &t, &e) != 0)
			continue;
		(turns ? table : shapes)(&w, in, &a);
		rec_abandon(in);
	}
	prompt_work_close(&w);
	prompt_close(&p);
	arena_release(&a);
	close(fd);
	return 0;
}
