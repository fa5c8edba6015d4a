/* SPDX-License-Identifier: Apache-2.0 */
#include "hfexport.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "configout.h"
#include "json.h"
#include "mapfile.h"
#include "mem.h"
#include "safetensors.h"
#include "tokout.h"
#include "vocabhash.h"

struct export {
	struct weightout to;
	struct hf_opts o;
	const struct weights *w;
	const char *dir;
	struct tensor *t;              /* what is written, in the order of the places */
	size_t *place;                 /* of each */
	char (*name)[96];
	size_t n;
	const struct tensor *part;     /* first tensor of the file being written */
};

/* st_fill: tensor I of the file. */
static int put_tensor(void *ctx, size_t i, struct outfile *f, struct err *e)
{
	struct export *x = ctx;
	const struct tensor *t = &x->part[i];

	return weightout_put(&x->to, x->place[t - x->t], &(struct weight_form){ .name = t->name, .type = t->type }, f, e);
}

/* --- the list of tensors --- */

/* Values that change are rounded to a type that we round to. */
static enum dtype type_of(const struct export *x, size_t place)
{
	enum dtype is = x->w->w[place].type;

	if (x->o.type != DT_NONE)
		return x->o.type;
	if (is == DT_F8_E4M3)
		return DT_BF16;                    /* what its blocks' products are rounded to where it is used */
	if (dtype_block(is) > 1)
		return DT_F32;
	return !weightout_changed(&x->to, place) || is == DT_F16 || is == DT_BF16 ? is : DT_F32;
}

static void list_tensors(struct export *x)
{
	const struct model_config *c = &x->w->cfg;
	size_t places = place_count(c);

	x->t = mem_grow(NULL, places, sizeof *x->t);
	x->place = mem_grow(NULL, places, sizeof *x->place);
	x->name = mem_grow(NULL, places, sizeof *x->name);
	for (size_t i = 0; i < places; i++) {
		struct place at = place_at(c, i);
		const struct weight *w = &x->w->w[i];
		uint64_t count = (uint64_t)w->rows * w->cols;
		struct tensor t = { .name = x->name[x->n], .ndim = 2, .dim = { w->rows, w->cols }, .count = count };

		if (w->p == NULL)
			continue;
		if (param_is_vector(at.p)) {
			t.ndim = 1;
			t.dim[0] = w->cols;
		}
		t.type = type_of(x, i);
		t.bytes = count * dtype_bytes(t.type);
		param_hf_name(c, at.p, at.layer, at.expert, x->name[x->n]);
		x->place[x->n] = i;
		x->t[x->n++] = t;
	}
}

static void release(struct export *x)
{
	mem_free(x->t);
	mem_free(x->place);
	mem_free(x->name);
	weightout_release(&x->to);
}

/* --- files of weights --- */

/* Tensors of the file that begins with tensor FIRST. */
static size_t take(const struct export *x, size_t first)
{
	uint64_t sum = x->t[first].bytes;
	size_t n = 1;

	while (first + n < x->n && sum + x->t[first + n].bytes <= x->o.shard_bytes)
		sum += x->t[first + n++].bytes;
	return n;
}

static size_t count_files(const struct export *x)
{
	size_t files = 0;

	for (size_t i = 0; i < x->n; i += take(x, i))
		files++;
	return files;
}

static void file_name(struct buf *b, size_t file, size_t files)
{
	if (files == 1)
		buf_str(b, "model.safetensors");
	else
		buf_fmt(b, "model-%05zu-of-%05zu.safetensors", file + 1, files);
}

static int write_index(const struct export *x, size_t files, struct err *e)
{
	struct buf path = {0}, text = {0}, name = {0};
	uint64_t sum = 0;
	struct jw w;
	int rc;

	for (size_t i = 0; i < x->n; i++)
		sum += x->t[i].bytes;
	buf_fmt(&path, "%s/model.safetensors.index.json", x->dir);
	jw_init(&w, &text);
	jw_obj(&w);
	jw_key(&w, "metadata");
	jw_obj(&w);
	jw_key(&w, "total_size");
	jw_uint(&w, sum);
	jw_obj_end(&w);
	jw_key(&w, "weight_map");
	jw_obj(&w);
	for (size_t i = 0, file = 0, end = take(x, 0); i < x->n; i++) {
		if (i == end) {
			end += take(x, i);
			file++;
		}
		name.n = 0;
		file_name(&name, file, files);
		jw_key(&w, x->t[i].name);
		jw_str(&w, name.p);
	}
	jw_obj_end(&w);
	jw_obj_end(&w);
	buf_ch(&text, '\n');
	rc = out_whole(path.p, text.p, text.n, true, e);
	buf_free(&path);
	buf_free(&text);
	buf_free(&name);
	return rc;
}

/* The weights of an earlier model in the other layout would be taken for these. */
static void drop_other_layout(const struct export *x, size_t files)
{
	struct buf path = {0};

	buf_fmt(&path, "%s/%s", x->dir, files == 1 ? "model.safetensors.index.json" : "model.safetensors");
	unlink(path.p);
	buf_free(&path);
}

static int write_weights(struct export *x, struct err *e)
{
	size_t files = count_files(x);
	struct buf path = {0};
	int rc = 0;

	for (size_t i = 0, file = 0, n; rc == 0 && i < x->n; i += n, file++) {
		n = take(x, i);
		path.n = 0;
		buf_fmt(&path, "%s/", x->dir);
		file_name(&path, file, files);
		x->part = x->t + i;
		rc = st_write_from(path.p, x->part, n, NULL, put_tensor, x, e);
	}
	if (rc == 0 && files > 1)
		rc = write_index(x, files, e);
	if (rc == 0)
		drop_other_layout(x, files);
	buf_free(&path);
	return rc;
}

/* --- the other files --- */

static int copy_file(const struct export *x, const char *name, struct err *e)
{
	struct buf from = {0}, to = {0};
	struct mapfile m;
	int rc = 0;

	buf_fmt(&from, "%s/%s", x->w->path, name);
	buf_fmt(&to, "%s/%s", x->dir, name);
	if (access(from.p, F_OK) == 0 && (rc = mapfile_open(&m, from.p, e)) == 0) {
		rc = out_whole(to.p, m.p, m.n, true, e);
		mapfile_close(&m);
	}
	buf_free(&from);
	buf_free(&to);
	return rc;
}

static int copy_files(const struct export *x, struct err *e)
{
	static const char *const names[] = {
		"tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
		"merges.txt", "chat_template.jinja", "chat_template.json", "generation_config.json", "LICENSE"
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof names / sizeof *names; i++)
		rc = copy_file(x, names[i], e);
	return rc;
}

static const char *torch_name(enum dtype t)
{
	return t == DT_F32 ? "float32" : t == DT_F16 ? "float16" : "bfloat16";
}

/* The members of J as they were written, but for the element type (two names, by the age of transformers), and for what the new weights no longer
 * have: scales of blocks, and layers that predict further tokens. */
static void put_config(const struct export *x, const struct json *j, struct buf *b)
{
	bool said = x->o.type == DT_NONE;
	const char *comma = "";

	buf_ch(b, '{');
	for (size_t i = 0; i < j->n; i++) {
		const struct json_member *m = &j->member[i];
		bool type = x->o.type != DT_NONE && (strcmp(m->key, "dtype") == 0 || strcmp(m->key, "torch_dtype") == 0);

		if (strcmp(m->key, "quantization_config") == 0)
			continue;
		buf_fmt(b, "%s\n  ", comma);
		comma = ",";
		json_quote(b, m->key, m->nkey);
		buf_str(b, ": ");
		if (type)
			buf_fmt(b, "\"%s\"", torch_name(x->o.type));
		else if (strcmp(m->key, "num_nextn_predict_layers") == 0)
			buf_ch(b, '0');
		else
			buf_add(b, m->value.raw, m->value.nraw);
		said = said || type;
	}
	if (!said)
		buf_fmt(b, "%s\n  \"torch_dtype\": \"%s\"", comma, torch_name(x->o.type));
	buf_str(b, "\n}\n");
}

static int write_config(const struct export *x, struct err *e)
{
	struct buf path = {0}, text = {0};
	const struct json *j;
	struct arena a;
	int rc;

	arena_init(&a);
	buf_fmt(&path, "%s/config.json", x->w->path);
	if ((rc = json_file(&a, path.p, &j, e)) == 0) {
		put_config(x, j, &text);
		path.n = 0;
		buf_fmt(&path, "%s/config.json", x->dir);
		rc = out_whole(path.p, text.p, text.n, true, e);
	}
	buf_free(&path);
	buf_free(&text);
	arena_release(&a);
	return rc;
}

static int write_files(struct export *x, struct err *e)
{
	int rc;

	if ((rc = write_weights(x, e)) == 0 && (rc = copy_files(x, e)) == 0)
		rc = write_config(x, e);
	return rc;
}

/* --- from a GGUF file: all but the weights is made of its metadata --- */

static int write_text(const struct export *x, const char *name, const struct buf *text, struct err *e)
{
	struct buf path = {0};
	int rc;

	buf_fmt(&path, "%s/%s", x->dir, name);
	rc = out_whole(path.p, text->p, text->n, true, e);
	buf_free(&path);
	return rc;
}

/* The tokens that end a turn, where there are more than config.json can name. */
static int make_generation(const struct export *x, const struct tok *t, struct err *e)
{
	struct buf text = {0};
	const uint32_t *stop;
	struct jw w;
	size_t n;
	int rc;

	stop = tok_stops(t, &n);
	if (n < 2)
		return 0;
	jw_init(&w, &text);
	jw_obj(&w);
	jw_key(&w, "eos_token_id");
	jw_arr(&w);
	for (size_t i = 0; i < n; i++)
		jw_uint(&w, stop[i]);
	jw_arr_end(&w);
	jw_obj_end(&w);
	buf_ch(&text, '\n');
	rc = write_text(x, "generation_config.json", &text, e);
	buf_free(&text);
	return rc;
}

static int make_tokenizer(const struct export *x, struct err *e)
{
	struct tok *t;
	int rc;

	if (!vocab_there(x->w->path))
		return 0;
	if ((rc = tok_open(&t, x->w->path, e)) != 0)
		return rc;
	if ((rc = tok_to_folder(t, x->dir, e)) != 0)
		err_in(e, "%s: the tokenizer", x->w->path);
	else
		rc = make_generation(x, t, e);
	tok_close(t);
	return rc;
}

/* What can go wrong without a byte written comes first. */
static int make_files(struct export *x, struct err *e)
{
	struct buf config = {0};
	int rc;

	if ((rc = config_to_json(&x->w->cfg, x->t[0].type, &config, e)) != 0)
		err_in(e, "%s", x->w->path);
	else if ((rc = make_tokenizer(x, e)) == 0 && (rc = write_weights(x, e)) == 0)
		rc = write_text(x, "config.json", &config, e);
	buf_free(&config);
	return rc;
}

static int check_folders(const struct export *x, struct err *e)
{
	if (out_same(x->w->path, x->dir))
		return err_set(e, SFT_USAGE, "%s: the folder of the model itself (expected another one to write to)", x->dir);
	return 0;
}

int hf_export(const struct weights *w, const struct weight_values *v, const struct hf_opts *o, const char *dir, struct err *e)
{
	struct export x = { .w = w, .o = *o, .dir = dir };
	int rc;

	if (x.o.shard_bytes == 0)
		x.o.shard_bytes = UINT64_C(5000000000);
	if ((rc = check_folders(&x, e)) != 0 || (rc = out_mkdirs(dir, e)) != 0 || (rc = weightout_open(&x.to, w, v, o->pool, e)) != 0)
		return rc;
	list_tensors(&x);
	if (w->from_gguf)
		rc = make_files(&x, e);
	else
		rc = write_files(&x, e);
	if (rc == 0)
		rc = out_syncdir(dir, e);
	release(&x);
	return rc;
}
