/* SPDX-License-Identifier: Apache-2.0 */
#include "runlog.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"
#include "mem.h"
#include "tbevents.h"

struct runlog {
	int  fd;
	char *path;
	uint64_t length;
	struct buf line;
	struct jw  w;
	struct tbevents *tb;
};

static struct jw *line_begin(struct runlog *l)
{
	l->line.n = 0;
	jw_init(&l->w, &l->line);
	jw_obj(&l->w);
	return &l->w;
}

static int line_end(struct runlog *l, struct err *e)
{
	size_t done = 0;
	ssize_t k;

	jw_obj_end(&l->w);
	buf_ch(&l->line, '\n');
	while (done < l->line.n) {
		k = write(l->fd, l->line.p + done, l->line.n - done);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_sys(e, l->path);
		done += (size_t)k;
	}
	l->length += l->line.n;
	return 0;
}

static void key_double(struct jw *w, const char *key, double v)  { jw_key(w, key); jw_double(w, v); }
static void key_uint(struct jw *w, const char *key, uint64_t v)  { jw_key(w, key); jw_uint(w, v); }

/* Open DIR/log.jsonl and keep its first LENGTH bytes, or what there is of them. */
static int open_log(struct runlog *l, const char *dir, uint64_t length, struct err *e)
{
	struct buf b = {0};
	struct stat st;

	buf_fmt(&b, "%s/log.jsonl", dir);
	l->path = b.p;
	l->fd = open(l->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (l->fd < 0 || fstat(l->fd, &st) != 0)
		return err_sys(e, l->path);
	l->length = (uint64_t)st.st_size < length ? (uint64_t)st.st_size : length;
	return ftruncate(l->fd, (off_t)l->length) != 0 ? err_sys(e, l->path) : 0;
}

static int runlog_open(struct runlog **out, const char *dir, uint64_t length, uint64_t restart, struct err *e)
{
	struct runlog *l = mem_new(sizeof *l);
	int rc;

	*out = NULL;
	l->fd = -1;
	if ((rc = open_log(l, dir, length, e)) == 0 && (rc = tb_open(&l->tb, dir, restart, e)) == 0)
		*out = l;
	else
		runlog_close(l, NULL);
	return rc;
}

int runlog_create(struct runlog **l, const char *dir, struct err *e)
{
	return runlog_open(l, dir, 0, 0, e);
}

int runlog_resume(struct runlog **l, const char *dir, uint64_t length, uint64_t step, struct err *e)
{
	int rc = runlog_open(l, dir, length, step + 1, e);

	if (rc == 0) {
		key_uint(line_begin(*l), "resumed", step);
		if ((rc = line_end(*l, e)) != 0) {
			runlog_close(*l, NULL);
			*l = NULL;
		}
	}
	return rc;
}

int runlog_step(struct runlog *l, const struct runlog_step *s, struct err *e)
{
	const struct tb_scalar v[] = {
		{ "train/loss", s->loss }, { "train/grad_norm", s->grad_norm }, { "train/lr", s->lr },
		{ "train/epoch", s->epoch }, { "train/tokens_per_s", s->tokens_per_s }
	};
	struct jw *w = line_begin(l);
	int rc;

	key_uint(w, "step", s->step);
	key_double(w, "epoch", s->epoch);
	key_double(w, "loss", s->loss);
	key_double(w, "grad_norm", s->grad_norm);
	key_double(w, "lr", s->lr);
	key_uint(w, "tokens", s->tokens);
	key_uint(w, "trained_tokens", s->trained);
	if (s->terms) {
		key_uint(w, "terms", s->terms);
		key_double(w, "term_loss", s->term_loss);
	}
	key_double(w, "tokens_per_s", round(s->tokens_per_s * 10) / 10);
	key_uint(w, "rss_bytes", s->rss);
	key_double(w, "seconds", round(s->seconds * 1000) / 1000);
	rc = line_end(l, e);
	return rc ? rc : tb_scalars(l->tb, s->step, v, sizeof v / sizeof *v, e);
}

int runlog_eval(struct runlog *l, const struct runlog_eval *v, struct err *e)
{
	char name[64];
	const struct tb_scalar s[] = { { "val/loss", v->loss }, { "val/perplexity", exp(v->loss) }, { name, v->value } };
	struct jw *w = line_begin(l);
	int rc;

	key_uint(w, "step", v->step);
	key_double(w, "val_loss", v->loss);
	key_double(w, "val_perplexity", exp(v->loss));
	if (v->metric) {
		snprintf(name, sizeof name, "val_%.50s", v->metric);
		key_double(w, name, v->value);
		name[3] = '/';
	}
	if (v->nsource) {
		jw_key(w, "val_sources");
		jw_obj(w);
		for (size_t i = 0; i < v->nsource; i++)
			key_double(w, v->source[i], v->source_loss[i]);
		jw_obj_end(w);
	}
	jw_key(w, "best");
	jw_bool(w, v->best);
	rc = line_end(l, e);
	return rc ? rc : tb_scalars(l->tb, v->step, s, v->metric ? 3 : 2, e);
}

int runlog_samples(struct runlog *l, uint64_t step, const struct runlog_sample *s, size_t n, struct err *e)
{
	struct jw *w = line_begin(l);

	key_uint(w, "step", step);
	jw_key(w, "samples");
	jw_arr(w);
	for (size_t i = 0; i < n; i++) {
		jw_obj(w);
		jw_key(w, "prompt");     jw_str(w, s[i].prompt);
		jw_key(w, "reference");  jw_str(w, s[i].reference);
		jw_key(w, "prediction"); jw_str(w, s[i].answer);
		jw_obj_end(w);
	}
	jw_arr_end(w);
	return line_end(l, e);
}

int runlog_sync(struct runlog *l, uint64_t *length, struct err *e)
{
	*length = l->length;
	return fdatasync(l->fd) != 0 && errno != EINVAL ? err_sys(e, l->path) : 0;
}

int runlog_close(struct runlog *l, struct err *e)
{
	int rc;

	if (l == NULL)
		return 0;
	rc = tb_close(l->tb, e);
	if (l->fd >= 0 && close(l->fd) != 0 && rc == 0)
		rc = err_sys(e, l->path);
	buf_free(&l->line);
	mem_free(l->path);
	mem_free(l);
	return rc;
}
