/* SPDX-License-Identifier: Apache-2.0 */
/* Weights without their values: shapes from the configuration, types from what the headers of files say. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gguf.h"
#include "json.h"
#include "kvsplit.h"
#include "mem.h"
#include "safetensors.h"
#include "weights.h"

/* Where types come from. */
struct head {
	struct gguf *g;        /* a GGUF file, or */
	struct safetensors *s; /* the tensors of a folder; NULL: there are none, and all have */
	enum dtype plain;      /* this type, which config.json states */
};

static bool is_matrix(enum param p) { return param_table[p].linear || p >= P_EGATE; }

static enum dtype type_in_folder(const struct weights *w, const struct head *h, struct place at)
{
	const struct tensor *t = NULL;
	char name[96];

	param_hf_name(&w->cfg, at.p, at.layer, at.expert, name);
	if (h->s && (t = st_find(h->s, name)) == NULL && at.p >= P_EGATE) {
		snprintf(name, sizeof name, "model.layers.%u.mlp.experts.%s", at.layer,
			 at.p == P_EDOWN ? "down_proj" : "gate_up_proj");
		t = st_find(h->s, name);
	}
	if (t)
		return t->type;
	return w->cfg.fp8_block && is_matrix(at.p) ? DT_F8_E4M3 : h->plain;
}

/* The second half of weights.c's prepare(): what it copies is known from names alone. */
static void type_in_gguf(const struct weights *w, const struct head *h, struct place at, struct weight *to)
{
	const struct tensor *t;
	struct kv_pair pair;
	char name[96];

	param_gguf_name(at.p, at.layer, name);
	t = gguf_find(h->g, name);
	to->type = t ? t->type : DT_F32;
	to->copied = param_paired(&w->cfg, at.p) || (at.p == P_KVB && t == NULL && kv_split_find(&pair, &w->cfg, h->g, at.layer));
}

static void fill(struct weights *w, const struct head *h)
{
	w->w = mem_new(place_count(&w->cfg) * sizeof *w->w);
	for (size_t i = 0; i < place_count(&w->cfg); i++) {
		struct place at = place_at(&w->cfg, i);
		struct weight *to = &w->w[i];

		if (!param_shape(&w->cfg, at.p, at.layer, &to->rows, &to->cols)) {
			to->rows = to->cols = 0;
			continue;
		}
		if (h->g)
			type_in_gguf(w, h, at, to);
		else
			to->type = type_in_folder(w, h, at);
		to->block = to->type == DT_F8_E4M3 ? w->cfg.fp8_block : 0;
	}
}

/* What config.json calls the type: "bfloat16". */
static enum dtype named_type(const struct json *j)
{
	static const struct {
		const char *name;
		enum dtype type;
	} names[] = {{"bfloat16", DT_BF16}, {"float32", DT_F32}, {"float16", DT_F16}};
	const struct json *v = json_get(j, "torch_dtype");

	v = v ? v : json_get(j, "dtype");
	for (size_t i = 0; v && i < sizeof names / sizeof *names; i++)
		if (json_is(v, names[i].name))
			return names[i].type;
	return DT_BF16;
}

static int read_config(struct weights *w, struct head *h, const char *file, struct err *e)
{
	const struct json *j;
	struct arena a;
	int rc;

	arena_init(&a);
	if ((rc = json_file(&a, file, &j, e)) == 0 && (rc = config_from_json(&w->cfg, j, e)) != 0)
		err_in(e, "%s", file);
	if (rc == 0)
		h->plain = named_type(j);
	arena_release(&a);
	return rc;
}

static bool there(const char *dir, const char *name)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof path, "%s/%s", dir, name) < (int)sizeof path && access(path, F_OK) == 0;
}

static int read_folder(struct weights *w, struct head *h, const char *dir, struct err *e)
{
	char file[PATH_MAX];
	int rc;

	if (snprintf(file, sizeof file, "%s/config.json", dir) >= (int)sizeof file)
		return err_set(e, SFT_BADDATA, "%.60s...: the name is too long", dir);
	if ((rc = read_config(w, h, file, e)) != 0)
		return rc;
	return there(dir, "model.safetensors") || there(dir, "model.safetensors.index.json") ? st_open_dir(&h->s, dir, e) : 0;
}

static int read_gguf(struct weights *w, struct head *h, const char *path, struct err *e)
{
	int rc;

	if ((rc = gguf_open(&h->g, path, e)) != 0)
		return rc;
	w->from_gguf = true;
	if ((rc = config_from_gguf(&w->cfg, h->g, e)) != 0)
		err_in(e, "%s", path);
	w->cfg.rope_divisor = NULL; /* the file's, which is closed again; no size follows from it */
	return rc;
}

int weights_header(struct weights **out, const char *path, struct err *e)
{
	struct weights *w = mem_new(sizeof *w);
	struct head h = {.plain = DT_BF16};
	struct stat st;
	int rc;

	*out = NULL;
	w->path = mem_str(path);
	if (stat(path, &st) != 0)
		rc = err_sys(e, path);
	else if (S_ISDIR(st.st_mode))
		rc = read_folder(w, &h, path, e);
	else if (gguf_is(path))
		rc = read_gguf(w, &h, path, e);
	else
		rc = read_config(w, &h, path, e);
	if (rc == 0)
		fill(w, &h);
	gguf_close(h.g);
	st_close(h.s);
	if (rc != 0)
		weights_close(w);
	else
		*out = w;
	return rc;
}

struct weights_size weights_size(const struct weights *w)
{
	struct weights_size s = {0, 0};

	for (size_t i = 0; i < place_count(&w->cfg); i++) {
		const struct weight *x = &w->w[i];
		size_t bytes, block;

		if (x->rows == 0)
			continue;
		block = dtype_block(x->type);
		bytes = x->rows * ((x->cols + block - 1) / block) * dtype_bytes(x->type);
		s.mapped += bytes;
		s.copied += x->copied ? bytes : 0;
		if (param_is_vector(place_at(&w->cfg, i).p))
			s.copied += x->cols * sizeof(float);
		if (x->block) /* FP8: the scales as f32 */
			s.copied +=
			    (size_t)((x->rows + x->block - 1) / x->block) * ((x->cols + x->block - 1) / x->block) * sizeof(float);
	}
	return s;
}

/* Vectors, and what routes, are never quantised; in FP8 neither are the embedding and the head, as DeepSeek V3 has it. */
void weights_retype(struct weights *w, enum dtype t)
{
	for (size_t i = 0; i < place_count(&w->cfg); i++) {
		enum param p = place_at(&w->cfg, i).p;
		bool plain = param_is_vector(p) || p == P_ROUTER || p == P_SHGATE || (t == DT_F8_E4M3 && !is_matrix(p));

		if (w->w[i].rows == 0)
			continue;
		w->w[i].type = !plain || t == DT_F32 || t == DT_F16 ? t : DT_BF16;
		w->w[i].block = w->w[i].type == DT_F8_E4M3 ? w->cfg.fp8_block ? w->cfg.fp8_block : 128 : 0;
	}
}
