/* SPDX-License-Identifier: Apache-2.0 */
#include "shardtool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "shardinfo.h"

static void hash_text(char out[20], uint64_t hash)
{
	snprintf(out, 20, "%016llx", (unsigned long long)hash);
}

/* Tokens at the beginning of sequences that their predecessors have too. */
static uint64_t shared_tokens(const struct shard *s)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < shard_count(s); i++)
		n += shard_shared(s, i);
	return n;
}

static void info_json(const char *file, const struct shard *s, struct buf *out)
{
	char hash[20];
	struct jw w;

	jw_init(&w, out);
	jw_obj(&w);
	jw_key(&w, "schema");
	jw_str(&w, "sft.shard/1");
	jw_key(&w, "file");
	jw_str(&w, file);
	jw_key(&w, "sequences");
	jw_uint(&w, shard_count(s));
	jw_key(&w, "tokens");
	jw_uint(&w, shard_tokens(s));
	jw_key(&w, "trained_tokens");
	jw_uint(&w, shard_trained(s));
	jw_key(&w, "longest");
	jw_uint(&w, shard_max_len(s));
	jw_key(&w, "max_id");
	jw_uint(&w, shard_max_id(s));
	jw_key(&w, "tokenizer");
	hash_text(hash, shard_vocab_hash(s));
	if (shard_vocab_hash(s))
		jw_str(&w, hash);
	else
		jw_null(&w);
	jw_key(&w, "pack");
	jw_uint(&w, shard_pack(s));
	jw_key(&w, "rows");
	jw_uint(&w, shard_rows(s));
	jw_key(&w, "with_rivals");
	jw_uint(&w, shard_with_rivals(s));
	jw_key(&w, "shared_tokens");
	jw_uint(&w, shared_tokens(s));
	jw_key(&w, "info");
	shardinfo_copy(&w, s);
	jw_obj_end(&w);
	buf_ch(out, '\n');
}

static void info_table(const char *file, const struct shard *s, struct buf *out)
{
	uint64_t n = shard_count(s), rows = shard_rows(s), tokens = shard_tokens(s);
	char hash[20];
	struct jw w;

	hash_text(hash, shard_vocab_hash(s));
	buf_fmt(out, "file            %s\n", file);
	buf_fmt(out, "sequences       %llu\n", (unsigned long long)n);
	buf_fmt(out, "tokens          %llu (%.1f a sequence, %u the longest)\n", (unsigned long long)tokens,
	        n ? (double)tokens / (double)n : 0.0, shard_max_len(s));
	buf_fmt(out, "trained tokens  %llu\n", (unsigned long long)shard_trained(s));
	buf_fmt(out, "shared          %llu tokens begin a sequence and its predecessor alike (%.1f%%)\n", (unsigned long long)shared_tokens(s),
	        tokens ? 100.0 * (double)shared_tokens(s) / (double)tokens : 0.0);
	if (shard_with_rivals(s))
		buf_fmt(out, "rivals          %u sequences have some\n", shard_with_rivals(s));
	buf_fmt(out, "largest id      %u\n", shard_max_id(s));
	buf_fmt(out, "tokenizer       %s\n", shard_vocab_hash(s) ? hash : "none (tokenized elsewhere)");
	if (rows)
		buf_fmt(out, "packed          %llu rows of %u tokens, %.1f%% full\n", (unsigned long long)rows, shard_pack(s),
		        100.0 * (double)tokens / ((double)rows * shard_pack(s)));
	buf_str(out, "made by         ");
	jw_init(&w, out);
	shardinfo_copy(&w, s);
	buf_ch(out, '\n');
}

int shardtool_info(const char *file, bool json, struct buf *out, struct err *e)
{
	struct shard *s;
	int rc = shard_open(&s, file, e);

	if (rc)
		return rc;
	if (json)
		info_json(file, s, out);
	else
		info_table(file, s, out);
	shard_close(s);
	return 0;
}

static void put_label(struct jw *w, const char *key, const char *text)
{
	if (*text == '\0')
		return;
	jw_key(w, key);
	jw_str(w, text);
}

/* [[position,[id,...]],...], as tokenize --from ids reads it. */
static void put_rivals(struct jw *w, const struct shard_rivals *r)
{
	if (r->n == 0)
		return;
	jw_key(w, "rivals");
	jw_arr(w);
	for (uint32_t k = 0; k < r->n; k++) {
		jw_arr(w);
		jw_uint(w, r->at[k]);
		jw_arr(w);
		for (uint32_t i = r->first[k]; i < r->first[k + 1]; i++)
			jw_uint(w, r->id[i]);
		jw_arr_end(w);
		jw_arr_end(w);
	}
	jw_arr_end(w);
}

static int put_sequence(const struct shard_seq *q, const struct tok *tok, struct buf *text, struct buf *out, struct err *e)
{
	struct jw w;
	int rc;

	jw_init(&w, out);
	jw_obj(&w);
	put_label(&w, "id", q->id);
	if (tok) {
		text->n = 0;
		if ((rc = tok_decode(tok, q->ids, q->n, 0, text, e)) != 0)
			return rc;
		jw_key(&w, "text");
		jw_strn(&w, text->p ? text->p : "", text->n);
	} else {
		jw_key(&w, "ids");
		jw_arr(&w);
		for (uint32_t i = 0; i < q->n; i++)
			jw_uint(&w, q->ids[i]);
		jw_arr_end(&w);
		jw_key(&w, "mask");
		jw_arr(&w);
		for (uint32_t i = 0; i < q->n; i++)
			jw_uint(&w, q->mask[i]);
		jw_arr_end(&w);
		put_rivals(&w, &q->rivals);
	}
	put_label(&w, "slice", q->slice);
	put_label(&w, "source", q->source);
	if (q->weight != 1.0f) {
		char shortest[32];

		/* The fewest digits that give the same float: 0.1 was stored as a float and is shown as 0.1. */
		for (int digits = 1; digits < 10; digits++) {
			snprintf(shortest, sizeof shortest, "%.*g", digits, (double)q->weight);
			if (strtof(shortest, NULL) == q->weight)
				break;
		}
		jw_key(&w, "weight");
		jw_raw(&w, shortest, strlen(shortest));
	}
	jw_obj_end(&w);
	buf_ch(out, '\n');
	return 0;
}

int shardtool_cat(const char *file, const struct tok *tok, struct outfile *out, struct err *e)
{
	struct shard *s;
	struct shard_buf buf = {0};
	struct shard_seq seq;
	struct buf line = {0}, text = {0};
	int rc = shard_open(&s, file, e);

	if (rc)
		return rc;
	if (tok && shard_vocab_hash(s) && shard_vocab_hash(s) != tok_hash(tok))
		rc = err_set(e, SFT_BADDATA, "%s: made with another tokenizer than the model's", file);
	for (uint64_t i = 0; rc == 0 && i < shard_count(s); i++) {
		line.n = 0;
		if ((rc = shard_get(s, i, &buf, &seq, e)) != 0 || (rc = put_sequence(&seq, tok, &text, &line, e)) != 0)
			err_in(e, "%s", file);
		else
			rc = out_write(out, line.p, line.n, e);
	}
	shard_buf_free(&buf);
	buf_free(&line);
	buf_free(&text);
	shard_close(s);
	return rc;
}

int shardtool_verify(const char *file, uint64_t *sequences, struct err *e)
{
	struct shard *s;
	int rc = shard_open(&s, file, e);

	if (rc == 0) {
		*sequences = shard_count(s);
		if ((rc = shard_verify(s, e)) != 0)
			err_in(e, "%s", file);
		shard_close(s);
	}
	return rc == SFT_BADDATA ? SFT_GATE : rc;
}
