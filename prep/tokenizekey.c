/* SPDX-License-Identifier: Apache-2.0 */
#include "tokenizekey.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "hash.h"
#include "shardinfo.h"

struct tokenize_input {
	const char *file;
	bool regular;               /* else nothing more is known */
	struct stat st;
	uint64_t hash;
};

/* --- inputs --- */

static int hash_file(struct tokenize_input *in, struct buf *chunk, struct err *e)
{
	enum { CHUNK = 1 << 18 };
	struct hash_state *h;
	ssize_t n = 0;
	int fd;

	if (stat(in->file, &in->st) == 0 && !S_ISREG(in->st.st_mode))
		return 0;              /* opening a pipe would take its writer's reader away */
	fd = open(in->file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &in->st) != 0)
		return err_sys(e, in->file);
	in->regular = true;
	h = hash_open(0);
	chunk->n = 0;
	buf_room(chunk, CHUNK);
	while ((n = read(fd, chunk->p, CHUNK)) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			hash_add(h, chunk->p, (size_t)n);
	in->hash = hash_close(h);
	if (n < 0)
		err_sys(e, in->file);
	close(fd);
	return n < 0 ? SFT_SYSTEM : 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

int tokenize_key_held(const struct tokenize_key *k, struct err *e)
{
	for (size_t i = 0; i < k->n; i++) {
		struct stat now;

		if (k->in[i].regular && (stat(k->in[i].file, &now) != 0 || !same_file(&now, &k->in[i].st)))
			return err_set(e, SFT_BADDATA, "%s: changed while it was read", k->in[i].file);
	}
	return 0;
}

/* --- the rest --- */

/* The options that were given, but for those that change nothing in the shard or are known better: the model, the template and
 * the dictionary by what they hold. */
static void put_options(struct jw *w, const struct tool *t)
{
	static const char *const left_out[] = { "jobs", "output", "if-changed", "progress", "no-progress", "quiet", "verbose", "color",
	                                        "seed", "recipe", "model", "chat-template", "terms" };
	struct json_parser *p = json_parser_new();
	const struct json *given;
	struct buf text = {0};
	struct arena a;
	struct jw all;

	arena_init(&a);
	jw_init(&all, &text);
	tool_options_json(t, &all);
	jw_obj(w);
	if (json_parse(p, &a, text.p, text.n, &given, NULL) == 0)
		for (size_t i = 0; i < given->n; i++) {
			bool out = false;

			for (size_t k = 0; k < sizeof left_out / sizeof *left_out; k++)
				out |= strcmp(given->member[i].key, left_out[k]) == 0;
			if (out)
				continue;
			jw_key(w, given->member[i].key);
			jw_value(w, &given->member[i].value);
		}
	jw_obj_end(w);
	arena_release(&a);
	buf_free(&text);
	json_parser_free(p);
}

static void put_text(struct jw *w, const char *text)
{
	if (text)
		jw_str(w, text);
	else
		jw_null(w);
}

static void put_template(struct jw *w, const struct tokenize *z)
{
	char day[32] = "";
	time_t now = time(NULL);
	struct tm tm;

	jw_str(w, chat_source(z->chat));
	put_text(w, tok_bos_text(z->tok));
	put_text(w, tok_eos_text(z->tok));
	put_text(w, tok_pad_text(z->tok));
	if (strstr(chat_source(z->chat), "strftime_now") && localtime_r(&now, &tm))
		strftime(day, sizeof day, "%Y-%m-%d %Z", &tm);
	jw_str(w, day);
}

static uint64_t key_of(const struct tokenize_key *k, const struct tokenize *z, const struct tool *t)
{
	struct buf b = {0};
	uint64_t key;
	struct jw w;

	jw_init(&w, &b);
	jw_arr(&w);
	jw_str(&w, SFT_VERSION);
	for (size_t i = 0; i < k->n; i++) {
		jw_str(&w, k->in[i].file);
		jw_uint(&w, k->in[i].hash);
	}
	put_options(&w, t);
	jw_uint(&w, z->max_len);
	if (z->tok) {
		jw_uint(&w, tok_source(z->tok));
		jw_uint(&w, tok_hash(z->tok));
	}
	if (z->chat)
		put_template(&w, z);
	if (z->rivals)
		jw_uint(&w, rivals_hash(z->rivals));
	jw_arr_end(&w);
	key = hash64(b.p, b.n, 0);
	buf_free(&b);
	return key;
}

int tokenize_key_open(struct tokenize_key *k, const struct tokenize *z, const char *const *files, size_t n, const struct tool *t, struct err *e)
{
	struct buf chunk = {0};
	int rc = 0;

	*k = (struct tokenize_key){ .n = n, .known = n > 0 };
	k->in = mem_new((n + 1) * sizeof *k->in);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		k->in[i].file = files[i];
		if (strcmp(files[i], "-") != 0)
			rc = hash_file(&k->in[i], &chunk, e);
		k->known &= k->in[i].regular;
	}
	buf_free(&chunk);
	if (rc)
		tokenize_key_close(k);
	else if (k->known)
		k->key = key_of(k, z, t);
	return rc;
}

void tokenize_key_close(struct tokenize_key *k)
{
	mem_free(k->in);
	*k = (struct tokenize_key){0};
}

/* --- in the shard --- */

static void key_text(const struct tokenize_key *k, char out[20])
{
	snprintf(out, 20, "%016llx", (unsigned long long)k->key);
}

bool tokenize_key_is(const struct tokenize_key *k, const char *path)
{
	struct json_parser *p;
	const struct json *info;
	struct shard *s;
	struct arena a;
	char want[20];
	bool is;

	if (!k->known || !shard_is(path) || shard_open(&s, path, NULL) != 0)
		return false;
	key_text(k, want);
	p = json_parser_new();
	arena_init(&a);
	is = json_parse(p, &a, shard_info_json(s), strlen(shard_info_json(s)), &info, NULL) == 0 && json_is(json_get(info, "key"), want);
	arena_release(&a);
	json_parser_free(p);
	shard_close(s);
	return is;
}

void tokenize_key_put(const struct tokenize_key *k, struct jw *w)
{
	jw_key(w, "inputs");
	jw_arr(w);
	for (size_t i = 0; i < k->n; i++) {
		jw_obj(w);
		jw_key(w, "file");
		jw_str(w, k->in[i].file);
		if (k->in[i].regular) {
			jw_key(w, "bytes");
			jw_uint(w, (uint64_t)k->in[i].st.st_size);
			shardinfo_hash(w, "hash", k->in[i].hash);
		}
		jw_obj_end(w);
	}
	jw_arr_end(w);
	if (k->known)
		shardinfo_hash(w, "key", k->key);
}
