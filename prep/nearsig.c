/* SPDX-License-Identifier: Apache-2.0 */
#include "nearsig.h"

#include <stddef.h>
#include <string.h>

#include "mem.h"
#include "sink.h"
#include "source.h"
#include "utf8.h"

static const char magic[8] = "SFTsig\0\1", fates_magic[8] = "SFTdrp\0\1";

enum { TEXTS = 1, KEYS = 2, IDS = 4, WORDS = 8, BLOCK = 1 << 20, STEP = 1 << 20 };

struct head {
	char magic[8];
	uint32_t flags, shingle;
	double threshold;
	uint64_t rules, records, digest;
	uint32_t numbers, crc;         /* MINHASH_N; CRC-32C of what is before it */
};

struct block {
	uint64_t n;                    /* bytes that follow; 0: the end */
	uint32_t records, crc;         /* CRC-32C of the bytes, going on from that of N and RECORDS */
};

/* Before the key, the signature, the text and the name of a record. */
struct entry {
	uint32_t text, id, chars, out;
};

struct fates_head {
	char magic[8];
	uint64_t records, digest;
};

static uint32_t block_crc(const struct block *b, const char *p)
{
	return crc32c(crc32c(0, b, offsetof(struct block, crc)), p, b->n);
}

/* --- writing --- */

static int put_block(struct sink *to, struct buf *b, uint32_t records, struct err *e)
{
	struct block head = { b->n, records, 0 };
	int rc;

	head.crc = block_crc(&head, b->p ? b->p : "");
	if ((rc = sink_write(to, &head, sizeof head, e)) == 0 && b->n)
		rc = sink_write(to, b->p, b->n, e);
	b->n = 0;
	return rc;
}

static void put_item(struct buf *b, const struct neardup_how *how, const struct neardup_item *r)
{
	struct entry at = { (uint32_t)r->n, (uint32_t)r->nid, r->chars, r->out };

	buf_add(b, &at, sizeof at);
	if (how->keys)
		buf_add(b, &r->key, sizeof r->key);
	if (how->texts) {
		buf_add(b, r->sig, MINHASH_N);
		buf_add(b, r->text, r->n);
	}
	buf_add(b, r->id, r->nid);
}

static int put_items(struct sink *to, struct neardup *d, struct buf *b, struct err *e)
{
	uint32_t in_block = 0;
	int rc = 0;

	for (uint32_t i = d->against; i < d->n && rc == 0; i++) {
		struct neardup_item r;

		if ((rc = neardup_get(d, i, &r, e)) != 0)
			break;
		put_item(b, &d->how, &r);
		in_block++;
		if (b->n < BLOCK && i + 1 < d->n)
			continue;
		rc = put_block(to, b, in_block, e);
		in_block = 0;
	}
	return rc == 0 ? put_block(to, b, 0, e) : rc;
}

int nearsig_write(struct neardup *d, const char *path, const struct nearsig_about *a, struct err *e)
{
	struct head h = { .shingle = a->how.shingles.size, .threshold = a->how.threshold, .rules = a->rules, .records = a->records,
		          .digest = a->digest, .numbers = MINHASH_N };
	struct buf b = {0};
	struct sink *to;
	int rc;

	memcpy(h.magic, magic, sizeof magic);
	h.flags = (a->how.texts ? TEXTS : 0u) | (a->how.keys ? KEYS : 0u) | (a->ids ? IDS : 0u) | (a->how.shingles.words ? WORDS : 0u);
	h.crc = crc32c(0, &h, offsetof(struct head, crc));
	if ((rc = sink_open(&to, path, e)) != 0)
		return rc;
	if ((rc = sink_write(to, &h, sizeof h, e)) == 0)
		rc = put_items(to, d, &b, e);
	buf_free(&b);
	if (rc == 0)
		return sink_close(to, e);
	sink_abandon(to);
	return rc;
}

/* --- reading --- */

struct nearsig {
	struct source *from;
	char *path;
	struct nearsig_about about;
	struct buf block;
	size_t at;
	uint32_t left;                 /* records of the block */
	uint64_t seen;
};

static int damaged(const struct nearsig *s, struct err *e)
{
	return err_set(e, SFT_BADDATA, "%s: damaged at record %llu (expected what sft-dedup --signatures wrote)", s->path,
	               (unsigned long long)s->seen);
}

/* N bytes behind what B has, or as many as there are.  Memory grows with what comes, not with what a length claims. */
static int read_up_to(struct source *from, struct buf *b, uint64_t n, struct err *e)
{
	size_t got = 1;
	int rc = 0;

	while (n && got && rc == 0) {
		size_t want = n < STEP ? (size_t)n : STEP;

		rc = source_read(from, buf_room(b, want), want, &got, e);
		b->n += got;
		n -= got;
	}
	return rc;
}

static int read_exactly(struct nearsig *s, uint64_t n, struct err *e)
{
	int rc;

	s->block.n = 0;
	if ((rc = read_up_to(s->from, &s->block, n, e)) != 0)
		return rc;
	return s->block.n == n ? 0 : damaged(s, e);
}

static int read_head(struct nearsig *s, struct err *e)
{
	struct nearsig_about *a = &s->about;
	struct head h;
	int rc;

	if ((rc = read_up_to(s->from, &s->block, sizeof h, e)) != 0)
		return rc;
	if (s->block.n < sizeof h || memcmp(s->block.p, magic, sizeof magic) != 0)
		return err_set(e, SFT_BADDATA, "%s: not a signature file of this version (expected what sft-dedup --signatures wrote)", s->path);
	memcpy(&h, s->block.p, sizeof h);
	if (h.crc != crc32c(0, &h, offsetof(struct head, crc)) || h.flags > (TEXTS | KEYS | IDS | WORDS) || (h.flags & (TEXTS | KEYS)) == 0 ||
	    h.numbers != MINHASH_N || h.shingle < 1 || !(h.threshold >= 0.05 && h.threshold <= 1))
		return damaged(s, e);
	a->how = (struct neardup_how){ h.flags & TEXTS, h.flags & KEYS, { h.shingle, h.flags & WORDS }, h.threshold };
	a->ids = h.flags & IDS;
	a->rules = h.rules;
	a->records = h.records;
	a->digest = h.digest;
	return 0;
}

int nearsig_open(struct nearsig **out, const char *path, struct err *e)
{
	struct nearsig *s = mem_new(sizeof *s);
	int rc;

	*out = NULL;
	s->path = mem_str(path);
	if ((rc = source_open(&s->from, path, e)) != 0 || (rc = read_head(s, e)) != 0) {
		nearsig_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

const struct nearsig_about *nearsig_about(const struct nearsig *s)
{
	return &s->about;
}

static int next_block(struct nearsig *s, struct err *e)
{
	struct block b;
	int rc;

	if ((rc = read_exactly(s, sizeof b, e)) != 0)
		return rc;
	memcpy(&b, s->block.p, sizeof b);
	if ((rc = read_exactly(s, b.n, e)) != 0)
		return rc;
	if (b.crc != block_crc(&b, s->block.p) || (b.n == 0) != (b.records == 0))
		return damaged(s, e);
	s->left = b.records;
	s->at = 0;
	return 0;
}

/* The next N bytes of the block, or NULL. */
static const char *take(struct nearsig *s, size_t n)
{
	const char *p = s->block.p + s->at;

	if (n > s->block.n - s->at)
		return NULL;
	s->at += n;
	return p;
}

static int take_item(struct nearsig *s, struct neardup_item *r, struct err *e)
{
	const struct neardup_how *how = &s->about.how;
	const char *head = take(s, sizeof(struct entry)), *p;
	struct entry at;

	if (head == NULL)
		return damaged(s, e);
	memcpy(&at, head, sizeof at);
	*r = (struct neardup_item){ .text = "", .n = at.text, .nid = at.id, .chars = at.chars, .out = (enum neardup_out)at.out };
	if (at.out > NEARDUP_SIMILAR || (at.text && !how->texts))
		return damaged(s, e);
	if (how->keys) {
		if ((p = take(s, sizeof r->key)) == NULL)
			return damaged(s, e);
		memcpy(&r->key, p, sizeof r->key);
	}
	if (how->texts && ((r->sig = (const uint8_t *)take(s, MINHASH_N)) == NULL || (r->text = take(s, at.text)) == NULL ||
	                   !utf8_valid(r->text, at.text, NULL)))
		return damaged(s, e);
	r->id = take(s, at.id);
	return r->id && utf8_valid(r->id, at.id, NULL) ? 0 : damaged(s, e);
}

/* Nothing may follow. */
static int at_end(struct nearsig *s, struct err *e)
{
	char more;
	size_t got;
	int rc = source_read(s->from, &more, 1, &got, e);

	if (rc == 0 && (got || s->seen != s->about.records))
		rc = damaged(s, e);
	return rc;
}

int nearsig_next(struct nearsig *s, struct neardup_item *r, bool *more, struct err *e)
{
	int rc;

	*more = false;
	if (s->left == 0) {
		if (s->at != s->block.n && s->seen)
			return damaged(s, e);
		if ((rc = next_block(s, e)) != 0)
			return rc;
		if (s->left == 0)
			return at_end(s, e);
	}
	if ((rc = take_item(s, r, e)) != 0)
		return rc;
	s->left--;
	s->seen++;
	*more = true;
	return 0;
}

void nearsig_close(struct nearsig *s)
{
	if (s == NULL)
		return;
	source_close(s->from);
	buf_free(&s->block);
	mem_free(s->path);
	mem_free(s);
}

/* --- verdicts --- */

int nearsig_put_fates(const char *path, const struct nearsig_about *about, const uint8_t *fate, struct err *e)
{
	struct fates_head h = { .records = about->records, .digest = about->digest };
	struct sink *to;
	uint32_t crc;
	int rc;

	memcpy(h.magic, fates_magic, sizeof fates_magic);
	crc = crc32c(crc32c(0, &h, sizeof h), fate, about->records);
	if ((rc = sink_open(&to, path, e)) != 0)
		return rc;
	if ((rc = sink_write(to, &h, sizeof h, e)) == 0 && (rc = sink_write(to, fate, about->records, e)) == 0 &&
	    (rc = sink_write(to, &crc, sizeof crc, e)) == 0)
		return sink_close(to, e);
	sink_abandon(to);
	return rc;
}

static int read_fates(const char *path, struct source *from, struct buf *b, struct fates_head *h, struct err *e)
{
	uint32_t crc = 0, is;
	char more;
	size_t got;
	int rc;

	if ((rc = read_up_to(from, b, sizeof *h, e)) != 0)
		return rc;
	if (b->n < sizeof *h || memcmp(b->p, fates_magic, sizeof fates_magic) != 0)
		return err_set(e, SFT_BADDATA, "%s: not a file of verdicts (expected what sft-dedup --join wrote)", path);
	memcpy(h, b->p, sizeof *h);
	is = crc32c(0, h, sizeof *h);
	b->n = 0;
	if ((rc = read_up_to(from, b, h->records, e)) != 0)
		return rc;
	if (b->n != h->records)
		return err_set(e, SFT_BADDATA, "%s: cut off after %zu of %llu verdicts", path, b->n, (unsigned long long)h->records);
	is = crc32c(is, b->p ? b->p : "", b->n);
	if ((rc = read_up_to(from, b, sizeof crc, e)) != 0 || (rc = source_read(from, &more, 1, &got, e)) != 0)
		return rc;
	if (b->n == h->records + sizeof crc)
		memcpy(&crc, b->p + h->records, sizeof crc);
	if (got || b->n != h->records + sizeof crc || crc != is)
		return err_set(e, SFT_BADDATA, "%s: damaged (the checksum is another)", path);
	for (size_t i = 0; i < h->records; i++)
		if ((uint8_t)b->p[i] >= FATES)
			return err_set(e, SFT_BADDATA, "%s: damaged at record %zu", path, i);
	return 0;
}

int nearsig_get_fates(const char *path, uint8_t **fate, uint64_t *records, uint64_t *digest, struct err *e)
{
	struct buf b = {0};
	struct fates_head h;
	struct source *from;
	int rc;

	*fate = NULL;
	if ((rc = source_open(&from, path, e)) != 0)
		return rc;
	rc = read_fates(path, from, &b, &h, e);
	source_close(from);
	if (rc) {
		buf_free(&b);
		return rc;
	}
	*records = h.records;
	*digest = h.digest;
	*fate = (uint8_t *)b.p;
	return 0;
}
