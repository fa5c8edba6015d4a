/* SPDX-License-Identifier: Apache-2.0 */
#include "reject.h"

#include <string.h>

#include "encoding.h"

enum { WAITING_MAX = 8 << 20 };         /* bytes of bad records held back */

int reject_open(struct rejects *r, const char *path, struct err *e)
{
	memset(r, 0, sizeof *r);
	pthread_mutex_init(&r->lock, NULL);
	return path ? out_open(&r->out, path, e) : 0;
}

static void count(struct rejects *r, const char *reason)
{
	for (size_t i = 0; i < r->ncounts; i++)
		if (strcmp(r->count[i].reason, reason) == 0) {
			r->count[i].n++;
			return;
		}
	ARRAY_ROOM(r->count, r->ncounts, r->counts_cap);
	r->count[r->ncounts++] = (struct reject_count){ mem_str(reason), 1 };
}

static void value_out(struct rejects *r, struct jw *w, const char *text, size_t n, bool json)
{
	r->masked.n = 0;
	if (r->mask && r->mask(r->mask_ctx, text, n, json, &r->masked)) {
		text = r->masked.p;
		n = r->masked.n;
	}
	if (json)
		jw_raw(w, text, n);
	else
		jw_strn(w, text, n);
}

static void head(struct jw *w, const char *file, uint64_t line, const char *reason)
{
	jw_obj(w);
	jw_key(w, "file");
	jw_str(w, file);
	jw_key(w, "line");
	jw_uint(w, line);
	jw_key(w, "reason");
	jw_str(w, reason);
	jw_key(w, "record");
}

/* Write the waiting lines of records before NUM. */
static int release(struct rejects *r, uint64_t num, struct err *e)
{
	size_t from = r->wait_at ? r->wait[r->wait_at - 1].end : 0, to = from;

	while (r->wait_at < r->nwaits && r->wait[r->wait_at].num < num)
		to = r->wait[r->wait_at++].end;
	if (to > from && out_write(r->out, r->waiting.p + from, to - from, e) != 0)
		return e->code;
	if (r->wait_at == r->nwaits)
		r->wait_at = r->nwaits = r->waiting.n = 0;
	return 0;
}

int reject_record(struct rejects *r, const struct rec *rec, const char *reason, struct err *e)
{
	struct jw w;
	int rc = 0;

	pthread_mutex_lock(&r->lock);
	count(r, reason);
	if (r->out && (rc = release(r, rec->num, e)) == 0) {
		r->line.n = 0;
		jw_init(&w, &r->line);
		head(&w, rec->file, rec->line, reason);
		jw_obj(&w);
		for (uint32_t i = 0; i < rec->names->n; i++) {
			jw_keyn(&w, rec->names->name[i], rec->names->len[i]);
			value_out(r, &w, rec->f[i].p, rec->f[i].n, rec->f[i].type == FIELD_JSON);
		}
		jw_obj_end(&w);
		jw_obj_end(&w);
		buf_ch(&r->line, '\n');
		rc = out_write(r->out, r->line.p, r->line.n, e);
	}
	pthread_mutex_unlock(&r->lock);
	return rc;
}

/* TEXT as UTF-8. */
static void mend(struct buf *to, const char *text, size_t n)
{
	for (size_t i = 0; i < n; ) {
		size_t good = utf8_prefix(text + i, n - i);

		buf_add(to, text + i, good);
		i += good;
		if (i < n) {
			buf_add(to, "\xef\xbf\xbd", 3);
			i++;
		}
	}
}

int reject_bad(struct rejects *r, const char *file, uint64_t line, uint64_t num, const char *reason, const char *text, size_t n, bool wait, struct err *e)
{
	struct buf good = {0};
	struct jw w;
	int rc = 0;

	while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	pthread_mutex_lock(&r->lock);
	count(r, reason);
	if (r->out) {
		jw_init(&w, &r->waiting);
		head(&w, file, line, reason);
		mend(&good, text, n);
		value_out(r, &w, good.n ? good.p : "", good.n, false);
		jw_obj_end(&w);
		buf_ch(&r->waiting, '\n');
		ARRAY_ROOM(r->wait, r->nwaits, r->waits_cap);
		r->wait[r->nwaits++] = (struct reject_wait){ num, r->waiting.n };
		if (!wait || r->waiting.n > WAITING_MAX)
			rc = release(r, UINT64_MAX, e);
		buf_free(&good);
	}
	pthread_mutex_unlock(&r->lock);
	return rc;
}

void reject_json(const struct rejects *r, struct jw *w)
{
	jw_key(w, "rejected");
	jw_obj(w);
	for (size_t i = 0; i < r->ncounts; i++) {
		jw_key(w, r->count[i].reason);
		jw_uint(w, r->count[i].n);
	}
	jw_obj_end(w);
}

static void free_all(struct rejects *r)
{
	for (size_t i = 0; i < r->ncounts; i++)
		mem_free(r->count[i].reason);
	mem_free(r->count);
	mem_free(r->wait);
	buf_free(&r->line);
	buf_free(&r->masked);
	buf_free(&r->waiting);
	pthread_mutex_destroy(&r->lock);
	memset(r, 0, sizeof *r);
}

int reject_settle(struct rejects *r, struct err *e)
{
	int rc = 0;

	if (r->out && (rc = release(r, UINT64_MAX, e)) != 0)
		out_abandon(r->out);
	else if (r->out)
		rc = out_close(r->out, false, e);
	r->out = NULL;
	return rc;
}

int reject_close(struct rejects *r, struct err *e)
{
	int rc = reject_settle(r, e);

	free_all(r);
	return rc;
}

void reject_abandon(struct rejects *r)
{
	out_abandon(r->out);
	free_all(r);
}
