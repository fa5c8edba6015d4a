/* SPDX-License-Identifier: Apache-2.0 */
/* Reading token shards: the file is mapped, and nothing in it is believed before it is checked. */
#include "shard.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "hash.h"
#include "mapfile.h"
#include "mem.h"
#include "shardfmt.h"

bool shard_is(const char *path)
{
	char magic[8];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool is = fd >= 0 && read(fd, magic, sizeof magic) == sizeof magic && memcmp(magic, SHARD_MAGIC, sizeof magic) == 0;

	if (fd >= 0)
		close(fd);
	return is;
}

static int check_ends(struct shard *s, struct err *e)
{
	const struct mapfile *m = &s->map;
	struct shard_head *h = &s->head;
	struct shard_tail *t = &s->tail;

	if (m->n < sizeof *h || memcmp(m->p, SHARD_MAGIC, sizeof h->magic) != 0)
		return err_set(e, SFT_BADDATA, "not a token shard (expected its magic at the beginning)");
	memcpy(h, m->p, sizeof *h);
	if (h->version < 1 || h->version > SHARD_VERSION)
		return err_set(e, SFT_BADDATA, "shard of version %u (expected 1 to %d)", h->version, SHARD_VERSION);
	if (m->n < sizeof *h + sizeof *t)
		return err_set(e, SFT_BADDATA, "the end of the shard is missing (%zu bytes)", m->n);
	memcpy(t, m->p + m->n - sizeof *t, sizeof *t);
	if (memcmp(t->end, SHARD_END, sizeof t->end) != 0)
		return err_set(e, SFT_BADDATA, "the end of the shard is missing (expected its end mark after %zu bytes)", m->n);
	if (t->crc != crc32c(0, t, offsetof(struct shard_tail, crc)) || t->reserved || (h->version == 1 && t->rivals))
		return err_set(e, SFT_BADDATA, "the end of the shard is damaged (its checksum is wrong)");
	if (t->length != m->n)
		return err_set(e, SFT_BADDATA, "the shard has %zu bytes (expected %llu)", m->n, (unsigned long long)t->length);
	if (h->ninfo > m->n - sizeof *h - sizeof *t || t->crc_head != crc32c(0, m->p, sizeof *h + h->ninfo))
		return err_set(e, SFT_BADDATA, "the head of the shard is damaged (its checksum is wrong)");
	s->info = mem_strn((const char *)m->p + sizeof *h, h->ninfo);
	return 0;
}

/* Sizes of the tables against the file's; sets the pointers to them. */
static int find_tables(struct shard *s, struct err *e)
{
	const struct shard_tail *t = &s->tail;
	uint64_t end = s->map.n - sizeof *t, room, need, at = (t->tables + 7) / 8 * 8;

	if (t->tables < sizeof s->head + s->head.ninfo || t->tables > end || at > end)
		return err_set(e, SFT_BADDATA, "the tables of the shard lie outside of it");
	room = end - at;
	if (t->count > UINT32_MAX || t->nblocks > t->count || (t->count > 0) != (t->nblocks > 0) ||
	    t->nrows > t->count || t->rivals > t->count || (t->nrows > 0) != (t->pack > 0) ||
	    t->tokens > (uint64_t)INT64_MAX || t->count > room / sizeof *s->entry)
		return err_set(e, SFT_BADDATA, "the counts in the shard's end cannot be");
	need = t->nblocks * sizeof *s->block + (t->count * sizeof *s->entry + 7) / 8 * 8;
	if (t->nrows)
		need += (t->nrows + 1) * sizeof *s->row + t->count * sizeof *s->seq;
	if (need != room)
		return err_set(e, SFT_BADDATA, "the tables of the shard have %llu bytes (expected %llu)", (unsigned long long)room,
		               (unsigned long long)need);
	if (t->crc_tables != crc32c(0, s->map.p + t->tables, end - t->tables))
		return err_set(e, SFT_BADDATA, "the index of the shard is damaged (its checksum is wrong)");
	s->block = (const void *)(s->map.p + at);
	s->entry = (const void *)(s->block + t->nblocks);
	if (t->nrows) {
		s->row = (const void *)((const char *)s->entry + (t->count * sizeof *s->entry + 7) / 8 * 8);
		s->seq = (const void *)(s->row + t->nrows + 1);
	}
	return 0;
}

static int check_blocks(const struct shard *s, struct err *e)
{
	const struct shard_tail *t = &s->tail;
	uint64_t at = sizeof s->head + s->head.ninfo;

	for (uint64_t b = 0; b < t->nblocks; b++) {
		const struct shard_block *k = &s->block[b];

		if (k->at != at || k->n == 0 || k->n > t->tables - at || k->reserved || k->first >= t->count ||
		    (b == 0 ? k->first != 0 : k->first <= k[-1].first))
			return err_set(e, SFT_BADDATA, "block %llu of the shard's index cannot be", (unsigned long long)b);
		at += k->n;
	}
	if (at != t->tables)
		return err_set(e, SFT_BADDATA, "the blocks of the shard end at %llu (expected %llu)", (unsigned long long)at,
		               (unsigned long long)t->tables);
	return 0;
}

static int check_entries(const struct shard *s, struct err *e)
{
	const struct shard_tail *t = &s->tail;
	uint64_t tokens = 0, trained = 0, b = 0;
	uint32_t longest = 0;

	for (uint64_t i = 0; i < t->count; i++) {
		const struct shard_entry *n = &s->entry[i];

		if (b + 1 < t->nblocks && s->block[b + 1].first == i)
			b++;
		if (n->block != b || n->at >= s->block[b].n || (s->block[b].first == i ? n->at != 0 : n->at <= n[-1].at) || n->n == 0 ||
		    n->trained >= n->n || n->shared > n->n || n->shared > (i ? n[-1].n : 0))
			return err_set(e, SFT_BADDATA, "sequence %llu of the shard's index cannot be", (unsigned long long)i);
		tokens += n->n;
		trained += n->trained;
		longest = n->n > longest ? n->n : longest;
	}
	if (tokens != t->tokens || trained != t->trained || longest != t->max_len)
		return err_set(e, SFT_BADDATA, "the shard's end disagrees with its index");
	return 0;
}

static int check_plan(const struct shard *s, struct err *e)
{
	const struct shard_tail *t = &s->tail;
	uint8_t *seen = mem_new(t->count + 1);
	int rc = s->row[0] == 0 && s->row[t->nrows] == t->count ? 0 : SFT_BADDATA;

	for (uint64_t r = 0; rc == 0 && r < t->nrows; r++) {
		uint64_t tokens = 0;

		if (s->row[r + 1] <= s->row[r] || s->row[r + 1] > t->count)
			rc = SFT_BADDATA;
		for (uint64_t k = s->row[r]; rc == 0 && k < s->row[r + 1]; k++) {
			if (s->seq[k] >= t->count || seen[s->seq[k]]++)
				rc = SFT_BADDATA;
			else
				tokens += s->entry[s->seq[k]].n;
		}
		if (tokens > t->pack)
			rc = SFT_BADDATA;
	}
	mem_free(seen);
	return rc ? err_set(e, rc, "the pack plan of the shard cannot be") : 0;
}

int shard_open(struct shard **out, const char *path, struct err *e)
{
	struct shard *s = mem_new(sizeof *s);
	int rc = mapfile_open(&s->map, path, e);

	*out = NULL;
	if (rc) {
		mem_free(s);
		return rc;
	}
	rc = check_ends(s, e);
	if (rc == 0)
		rc = find_tables(s, e);
	if (rc == 0)
		rc = check_blocks(s, e);
	if (rc == 0)
		rc = check_entries(s, e);
	if (rc == 0 && s->row)
		rc = check_plan(s, e);
	if (rc) {
		shard_close(s);
		return err_in(e, "%s", path);
	}
	s->checked = mem_new((s->tail.nblocks + 1) * sizeof *s->checked);
	*out = s;
	return 0;
}

void shard_close(struct shard *s)
{
	if (s == NULL)
		return;
	mapfile_close(&s->map);
	mem_free(s->info);
	mem_free((void *)s->checked);
	mem_free(s);
}

uint64_t shard_count(const struct shard *s) { return s->tail.count; }
uint64_t shard_tokens(const struct shard *s) { return s->tail.tokens; }
uint64_t shard_trained(const struct shard *s) { return s->tail.trained; }
uint32_t shard_max_id(const struct shard *s) { return s->tail.max_id; }
uint32_t shard_max_len(const struct shard *s) { return s->tail.max_len; }
uint32_t shard_with_rivals(const struct shard *s) { return s->tail.rivals; }
uint64_t shard_vocab_hash(const struct shard *s) { return s->head.vocab_hash; }
const char *shard_info_json(const struct shard *s) { return s->info; }
uint32_t shard_len(const struct shard *s, uint64_t i) { return s->entry[i].n; }
uint32_t shard_seq_trained(const struct shard *s, uint64_t i) { return s->entry[i].trained; }
uint32_t shard_shared(const struct shard *s, uint64_t i) { return s->entry[i].shared; }
uint32_t shard_pack(const struct shard *s) { return s->tail.pack; }
uint64_t shard_rows(const struct shard *s) { return s->tail.nrows; }

void shard_row(const struct shard *s, uint64_t row, const uint32_t **seqs, uint32_t *n)
{
	*seqs = s->seq + s->row[row];
	*n = (uint32_t)(s->row[row + 1] - s->row[row]);
}

/* First tokens that A and B have in common. */
static uint32_t common(const struct shard_seq *a, const struct shard_seq *b)
{
	uint32_t n = 0;

	while (n < a->n && n < b->n && a->ids[n] == b->ids[n])
		n++;
	return n;
}

int shard_verify(const struct shard *s, struct err *e)
{
	struct shard_buf buf[2] = {{0}};
	struct shard_seq seq[2] = {{0}};
	uint64_t after = (s->tail.tables + 7) / 8 * 8;
	uint32_t max_id = 0, rivals = 0;
	int rc = 0;

	for (uint32_t b = 0; rc == 0 && b < s->tail.nblocks; b++) {
		atomic_store(&s->checked[b], 0);       /* what was right when it was read may not be now */
		rc = shard_check_block(s, b, e);
	}
	for (uint64_t i = 0; rc == 0 && i < s->tail.count; i++) {
		struct shard_seq *now = &seq[i % 2];

		if ((rc = shard_get(s, i, &buf[i % 2], now, e)) != 0)
			break;
		for (uint32_t t = 0; t < now->n; t++)
			max_id = now->ids[t] > max_id ? now->ids[t] : max_id;
		for (uint32_t k = 0; now->rivals.n && k < now->rivals.first[now->rivals.n]; k++)
			max_id = now->rivals.id[k] > max_id ? now->rivals.id[k] : max_id;
		rivals += now->rivals.n > 0;
		if (common(now, &seq[(i + 1) % 2]) != shard_shared(s, i))
			rc = err_set(e, SFT_BADDATA, "sequence %llu: the index is wrong about its predecessor", (unsigned long long)i);
	}
	for (uint64_t at = s->tail.tables; rc == 0 && at < after; at++)
		if (s->map.p[at])
			rc = err_set(e, SFT_BADDATA, "a byte between blocks and index is not zero");
	if (rc == 0 && max_id != s->tail.max_id)
		rc = err_set(e, SFT_BADDATA, "the largest id is %u (the shard says %u)", max_id, s->tail.max_id);
	if (rc == 0 && rivals != s->tail.rivals)
		rc = err_set(e, SFT_BADDATA, "%u sequences have rivals (the shard says %u)", rivals, s->tail.rivals);
	shard_buf_free(&buf[0]);
	shard_buf_free(&buf[1]);
	return rc;
}
