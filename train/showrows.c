/* SPDX-License-Identifier: Apache-2.0 */
#include "showrows.h"

#include "mem.h"
#include "tok.h"
#include "vocabhash.h"

enum { SHOWN = 3, MOST = 800 };        /* sequences; bytes of a text: a message has room for them */

/* Tokens FIRST..END-1, which the loss counts or not, appended to OUT. */
static int put_run(const struct tok *t, const struct shard_seq *seq, uint32_t first, uint32_t end, struct buf *out, struct err *e)
{
	int rc = 0;

	if (seq->mask[first])
		buf_str(out, "\xC2\xAB");
	if (t)
		rc = tok_decode(t, seq->ids + first, end - first, 0, out, e);
	for (uint32_t i = first; t == NULL && i < end; i++)
		buf_fmt(out, "%s%u", i ? " " : "", seq->ids[i]);
	if (seq->mask[first])
		buf_str(out, "\xC2\xBB");
	return rc;
}

/* Where a text that is too long is cut: ends of characters, MOST / 2 bytes from either end. */
static void cut_middle(struct buf *b)
{
	size_t head = MOST / 2, tail = b->n > MOST ? b->n - MOST / 2 : b->n;
	struct buf out = {0};

	if (b->n <= MOST)
		return;
	while (head > 0 && ((unsigned char)b->p[head] & 0xC0) == 0x80)
		head--;
	while (tail < b->n && ((unsigned char)b->p[tail] & 0xC0) == 0x80)
		tail++;
	buf_add(&out, b->p, head);
	buf_str(&out, " ... ");
	buf_add(&out, b->p + tail, b->n - tail);
	buf_free(b);
	*b = out;
}

static int show_one(const struct data_row *row, uint32_t number, const struct tok *t, const struct tool *tool, struct err *e)
{
	struct shard_buf room = {0};
	struct shard_seq seq;
	struct buf text = {0};
	int rc = shard_get(row->shard, number, &room, &seq, e);

	for (uint32_t i = 0, end; rc == 0 && i < seq.n; i = end) {
		for (end = i + 1; end < seq.n && seq.mask[end] == seq.mask[i]; )
			end++;
		rc = put_run(t, &seq, i, end, &text, e);
	}
	if (rc == 0) {
		cut_middle(&text);
		tool_note(tool, "%s: sequence %u, %u tokens, %u trained: %s", row->path, number, seq.n, seq.trained, text.p);
	}
	buf_free(&text);
	shard_buf_free(&room);
	return rc;
}

int show_rows(const struct data *d, const char *model, const struct tool *t, struct err *e)
{
	struct tok *tok = NULL;
	unsigned shown = 0;
	int rc = 0;

	if (!t->verbose || t->quiet)
		return 0;
	if (vocab_there(model) && (rc = tok_open(&tok, model, e)) != 0)
		return rc;
	for (uint32_t i = 0; rc == 0 && shown < SHOWN && i < d->src[0].n; i++) {
		struct data_row row = data_row(d, &(struct cursor_item){ 0, d->src[0].row[i] });

		for (uint32_t k = 0; rc == 0 && shown < SHOWN && k < row.n; k++, shown++)
			rc = show_one(&row, row.seq[k], tok, t, e);
	}
	tok_close(tok);
	return rc;
}
