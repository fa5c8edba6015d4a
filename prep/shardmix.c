/* SPDX-License-Identifier: Apache-2.0 */
#include "shardmix.h"

#include "mem.h"
#include "rng.h"
#include "shardinfo.h"

static const uint64_t STREAM = 0x7368617264;   /* "shard": no other use draws these numbers */

struct mix {
	const struct shardmix_opts *o;
	const char *const *files;
	struct shard **in;
	uint64_t *first;            /* [n + 1]: number of each input's first sequence in all of them */
	size_t n;
	uint32_t pack;
	struct shard_out *out;
	struct shard_buf buf;
	struct shardmix_totals *totals;
	struct progress progress;
};

/* --- inputs --- */

static int check_tokenizer(const struct mix *m, size_t i, struct err *e)
{
	uint64_t a = shard_vocab_hash(m->in[0]), b = shard_vocab_hash(m->in[i]);

	if (a == b)
		return 0;
	if (a == 0 || b == 0)
		return err_set(e, SFT_BADDATA, "%s: was made %s a tokenizer (%s: %s one)", m->files[i], b ? "with" : "without", m->files[0], a ? "with" : "without");
	return err_set(e, SFT_BADDATA, "%s: was made with another tokenizer, %016llx (%s: %016llx)", m->files[i], (unsigned long long)b,
	               m->files[0], (unsigned long long)a);
}

static int check_pack(struct mix *m, size_t i, struct err *e)
{
	uint32_t pack = shard_pack(m->in[i]);

	if (m->o->pack >= 0 || shard_count(m->in[i]) == 0)     /* an empty shard keeps no plan */
		return 0;
	for (size_t k = 0; k < i; k++)
		if (shard_count(m->in[k]) && shard_pack(m->in[k]) != pack)
			return err_set(e, SFT_USAGE, "%s: packed for %u tokens (%s: %u); --pack N says for how many all are to be", m->files[i], pack,
			               m->files[k], shard_pack(m->in[k]));
	m->pack = pack;
	return 0;
}

static int open_inputs(struct mix *m, struct err *e)
{
	m->pack = m->o->pack > 0 ? (uint32_t)m->o->pack : 0;
	for (size_t i = 0; i < m->n; i++) {
		int rc = shard_open(&m->in[i], m->files[i], e);

		if (rc || (rc = check_tokenizer(m, i, e)) != 0 || (rc = check_pack(m, i, e)) != 0)
			return rc;
		m->first[i + 1] = m->first[i] + shard_count(m->in[i]);
	}
	if (m->o->job == SHARDMIX_SAMPLE && m->o->n > m->first[m->n])
		return err_set(e, SFT_USAGE, "-n %llu is more than the %llu sequences there are", (unsigned long long)m->o->n,
		               (unsigned long long)m->first[m->n]);
	if (m->first[m->n] >= UINT32_MAX - 1)
		return err_set(e, SFT_BADDATA, "%llu sequences (expected less than 2^32 in one shard)", (unsigned long long)m->first[m->n]);
	return 0;
}

/* --- what the new shard says --- */

static char *info(const struct mix *m, const struct tool *t)
{
	static const char *const command[] = { "merge", "shuffle", "sample" };
	struct buf b = {0};
	struct jw w;

	jw_init(&w, &b);
	shardinfo_begin(&w, t, command[m->o->job]);
	if (m->o->job != SHARDMIX_MERGE) {
		jw_key(&w, "seed");
		jw_uint(&w, m->o->seed);
	}
	jw_key(&w, "pack");
	jw_uint(&w, m->pack);
	jw_key(&w, "inputs");
	jw_arr(&w);
	for (size_t i = 0; i < m->n; i++) {
		jw_obj(&w);
		jw_key(&w, "file");
		jw_str(&w, m->files[i]);
		jw_key(&w, "sequences");
		jw_uint(&w, shard_count(m->in[i]));
		jw_key(&w, "tokens");
		jw_uint(&w, shard_tokens(m->in[i]));
		jw_key(&w, "info");
		shardinfo_copy(&w, m->in[i]);
		jw_obj_end(&w);
	}
	jw_arr_end(&w);
	jw_obj_end(&w);
	return b.p;
}

/* --- sequences --- */

/* The input that has sequence G of all: the last whose first is not after it. */
static size_t input_of(const struct mix *m, uint64_t g)
{
	size_t low = 0, high = m->n;

	while (high - low > 1) {
		size_t mid = (low + high) / 2;

		if (m->first[mid] <= g)
			low = mid;
		else
			high = mid;
	}
	return low;
}

static int copy(struct mix *m, uint64_t g, struct err *e)
{
	size_t i = input_of(m, g);
	struct shard_seq seq;
	int rc = shard_get(m->in[i], g - m->first[i], &m->buf, &seq, e);

	if (rc)
		return err_in(e, "%s", m->files[i]);
	m->totals->sequences++;
	m->totals->tokens += seq.n;
	progress_at(&m->progress, m->totals->sequences, -1, NULL);
	return shard_put(m->out, &seq, e);
}

static int copy_shuffled(struct mix *m, uint64_t count, struct err *e)
{
	uint32_t *order = mem_try((count + 1) * sizeof *order);
	struct rng r;
	int rc = 0;

	if (order == NULL)
		return err_set(e, SFT_SYSTEM, "no memory for the order of %llu sequences", (unsigned long long)count);
	rng_init(&r, m->o->seed, STREAM);
	rng_permutation(&r, order, (uint32_t)count);
	for (uint64_t i = 0; rc == 0 && i < count; i++)
		rc = copy(m, order[i], e);
	mem_free(order);
	return rc;
}

/* Knuth's selection sampling (The Art of Computer Programming 2, 3.4.2, S): every choice of n is equally likely. */
static int copy_sample(struct mix *m, uint64_t count, struct err *e)
{
	uint64_t wanted = m->o->n;
	struct rng r;
	int rc = 0;

	rng_init(&r, m->o->seed, STREAM + 1);
	for (uint64_t i = 0; rc == 0 && wanted > 0; i++) {
		if (rng_below(&r, count - i) >= wanted)
			continue;
		rc = copy(m, i, e);
		wanted--;
	}
	return rc;
}

static int copy_all(struct mix *m, uint64_t count, struct err *e)
{
	int rc = 0;

	for (uint64_t i = 0; rc == 0 && i < count; i++)
		rc = copy(m, i, e);
	return rc;
}

static int write_out(struct mix *m, const struct tool *t, struct err *e)
{
	static int (*const copiers[])(struct mix *, uint64_t, struct err *) = { copy_all, copy_shuffled, copy_sample };
	uint64_t count = m->first[m->n];
	char *text = info(m, t);
	int rc = shard_create(&m->out, m->o->output, shard_vocab_hash(m->in[0]), text, e);

	mem_free(text);
	if (rc)
		return rc;
	progress_open(&m->progress, t->name, "sequences", m->o->job == SHARDMIX_SAMPLE ? m->o->n : count, tool_progress(t));
	rc = copiers[m->o->job](m, count, e);
	progress_close(&m->progress);
	if (rc == 0)
		return shard_finish(m->out, m->pack, e);
	shard_drop(m->out);
	return rc;
}

int shardmix(const struct shardmix_opts *o, const char *const *files, size_t n, const struct tool *t, struct shardmix_totals *totals, struct err *e)
{
	struct mix m = { .o = o, .files = files, .n = n, .totals = totals };
	int rc;

	*totals = (struct shardmix_totals){0};
	m.in = mem_new(n * sizeof *m.in);
	m.first = mem_new((n + 1) * sizeof *m.first);
	if ((rc = open_inputs(&m, e)) == 0)
		rc = write_out(&m, t, e);
	for (size_t i = 0; i < n; i++)
		shard_close(m.in[i]);
	shard_buf_free(&m.buf);
	mem_free(m.in);
	mem_free(m.first);
	return rc;
}
