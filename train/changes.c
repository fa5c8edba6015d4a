/* SPDX-License-Identifier: Apache-2.0 */
#include "changes.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "adapter.h"
#include "fold.h"
#include "json.h"
#include "mem.h"

struct measuring {
	struct changes *c;
	const struct model_config *cfg;
	const struct weights *w, *to;   /* base; what it was trained to (full), else NULL */
	const struct lora *l;
	const float *p;                 /* values of L */
	size_t *place;                  /* of each change */
};

/* --- what there is --- */

/* "q_proj" of "self_attn.q_proj.weight". */
static void set_name(struct change *x, enum param p)
{
	const char *s = param_table[p].leaf ? param_table[p].leaf : param_table[p].hf, *end = strstr(s, ".weight"), *from = s;
	size_t n = end ? (size_t)(end - s) : strlen(s);

	for (size_t i = 0; i < n && !param_table[p].leaf; i++)
		if (s[i] == '.' && strncmp(s + i, ".bias", 5) != 0)
			from = s + i + 1;
	snprintf(x->name, sizeof x->name, "%.*s", (int)(n - (size_t)(from - s)), from);
}

/* Heads of a matrix; of their parts of o the columns. */
static uint32_t heads_of(const struct model_config *c, enum param p)
{
	switch (p) {
	case P_WQ: case P_QB: case P_WO: case P_KVB:
		return c->heads;
	case P_WK: case P_WV:
		return c->kv_heads;
	default:
		return 0;
	}
}

static struct change *add(struct measuring *m, struct place at, uint32_t nheads)
{
	struct changes *c = m->c;
	struct change *x = &c->v[c->n++];

	*x = (struct change){ .p = at.p, .layer = at.p < P_LAYER ? UINT32_MAX : at.layer, .expert = at.expert, .nheads = nheads };
	x->head = mem_new((nheads + 1) * sizeof *x->head);
	return x;
}

static void list(struct measuring *m)
{
	size_t n = place_count(m->cfg);

	m->c->v = mem_new(n * sizeof *m->c->v);
	m->place = mem_new(n * sizeof *m->place);
	for (size_t i = 0; i < n; i++) {
		struct place at = place_at(m->cfg, i);
		uint32_t rows, cols;

		if ((m->l && m->l->site[i].rank == 0) || !param_shape(m->cfg, at.p, at.layer, &rows, &cols))
			continue;
		m->place[m->c->n] = i;
		set_name(add(m, at, heads_of(m->cfg, at.p)), at.p);
	}
}

/* --- LoRA: by products of rank x rank --- */

/* G += X X^T over columns FROM..TO of X [rank, cols]. */
static void gram_a(const float *x, uint32_t rank, size_t cols, size_t from, size_t to, double *g)
{
	for (uint32_t i = 0; i < rank; i++)
		for (uint32_t j = 0; j <= i; j++) {
			double sum = 0;

			for (size_t k = from; k < to; k++)
				sum += (double)x[i * cols + k] * x[j * cols + k];
			g[i * rank + j] += sum;
			g[j * rank + i] = g[i * rank + j];
		}
}

/* G += X^T X over rows FROM..TO of X [rows, rank]. */
static void gram_b(const float *x, uint32_t rank, size_t from, size_t to, double *g)
{
	for (size_t k = from; k < to; k++)
		for (uint32_t i = 0; i < rank; i++)
			for (uint32_t j = 0; j < rank; j++)
				g[i * rank + j] += (double)x[k * rank + i] * x[k * rank + j];
}

static double dot(const double *a, const double *b, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum > 0 ? sum : 0;       /* rounding */
}

static void by_grams(const struct measuring *m, struct change *x, size_t place)
{
	const struct lora_site *s = &m->l->site[place];
	const float *a = m->p + s->a, *b = m->p + s->b;
	size_t nn = (size_t)s->rank * s->rank, parts = x->nheads ? x->nheads : 1;
	double *whole = mem_new(nn * sizeof *whole), *part = mem_new(nn * sizeof *part), scale = (double)s->scale * s->scale;
	uint32_t rows, cols;

	param_shape(m->cfg, x->p, x->layer == UINT32_MAX ? 0 : x->layer, &rows, &cols);
	if (x->p == P_WO)
		gram_b(b, s->rank, 0, rows, whole);
	else
		gram_a(a, s->rank, cols, 0, cols, whole);
	for (size_t h = 0; h < parts; h++) {
		memset(part, 0, nn * sizeof *part);
		if (x->p == P_WO)
			gram_a(a, s->rank, cols, h * cols / parts, (h + 1) * cols / parts, part);
		else
			gram_b(b, s->rank, h * rows / parts, (h + 1) * rows / parts, part);
		x->head[h] = scale * dot(whole, part, nn);
		x->square += x->head[h];
	}
	mem_free(whole);
	mem_free(part);
}

/* --- DoRA and trained weights: by the rows of the difference --- */

static void base_row(const struct weight *w, uint32_t row, float *out)
{
	struct kmat mat = weight_mat(w);

	if (w->f32)
		memcpy(out, w->f32 + (size_t)row * w->cols, w->cols * sizeof *out);
	else
		kmat_values(&mat, row, 0, w->cols, out);
}

static void by_rows(const struct measuring *m, struct change *x, size_t place)
{
	const struct weight *w = &m->w->w[place];
	const struct fold fold = { m->w, m->l, m->p };
	float *was = mem_grow(NULL, w->cols, sizeof *was), *is = mem_grow(NULL, w->cols, sizeof *is);
	size_t parts = x->nheads ? x->nheads : 1;

	for (uint32_t r = 0; r < w->rows; r++) {
		base_row(w, r, was);
		if (m->to)
			base_row(&m->to->w[place], r, is);
		else
			fold_rows(&fold, place, r, 1, is);
		for (uint32_t j = 0; j < w->cols; j++) {
			double d = (double)is[j] - was[j];

			x->head[x->p == P_WO ? j * parts / w->cols : r * parts / w->rows] += d * d;
		}
	}
	for (size_t h = 0; h < parts; h++)
		x->square += x->head[h];
	mem_free(was);
	mem_free(is);
}

static void one(void *ctx, uint32_t task, int thread)
{
	const struct measuring *m = ctx;

	(void)thread;
	(m->to || m->l->dora ? by_rows : by_grams)(m, &m->c->v[task], m->place[task]);
}

/* --- a prefix: its own keys and values --- */

static void prefix(struct measuring *m)
{
	const struct lora_row *row = m->l->row;
	uint32_t heads = m->l->kv_heads, width = row->cols / (2 * m->l->layers), dim = width / heads;

	m->c->v = mem_new(2 * m->l->layers * sizeof *m->c->v);
	for (uint32_t k = 0; k < 2 * m->l->layers; k++) {
		struct change *x = add(m, (struct place){ k % 2 ? P_WV : P_WK, k / 2, 0 }, heads);

		snprintf(x->name, sizeof x->name, "%s", k % 2 ? "prefix_value" : "prefix_key");
		for (uint32_t t = 0; t < row->rows; t++)
			for (uint32_t j = 0; j < width; j++) {
				double v = m->p[row->offset + (size_t)t * row->cols + (size_t)k * width + j];

				x->head[j / dim] += v * v;
			}
		for (uint32_t h = 0; h < heads; h++)
			x->square += x->head[h];
	}
}

/* --- sums --- */

static void add_up(struct changes *c)
{
	c->head = mem_new(((size_t)c->layers * c->heads + 1) * sizeof *c->head);
	for (size_t k = 0; k < c->n; k++) {
		const struct change *x = &c->v[k];

		c->square += x->square;
		if (x->nheads == 0)
			continue;
		c->in_heads += x->square;
		for (uint32_t h = 0; h < c->heads; h++)         /* heads / nheads of them read one of keys and values */
			c->head[(size_t)x->layer * c->heads + h] += x->head[(size_t)h * x->nheads / c->heads] * x->nheads / c->heads;
	}
}

/* --- files --- */

static bool there(const char *dir, const char *name)
{
	struct buf b = { 0 };
	bool is;

	buf_fmt(&b, "%s/%s", dir, name);
	is = access(b.p, F_OK) == 0;
	buf_free(&b);
	return is;
}

bool changes_are_in(const char *path)
{
	return there(path, "best") || there(path, "adapter_config.json");
}

/* The base that PATH itself names, by member KEY of FILE in it. */
static int named_base(struct changes *c, const char *path, const char *file, const char *key, struct err *e)
{
	const struct json *doc;
	const char *name = NULL;
	struct arena a;
	struct buf b = { 0 };
	int rc;

	arena_init(&a);
	buf_fmt(&b, "%s/%s", path, file);
	if ((rc = json_file(&a, b.p, &doc, e)) == 0 && (rc = json_get_str(doc, key, &name, e)) == 0 && name)
		c->base = mem_str(name);
	buf_free(&b);
	arena_release(&a);
	return rc;
}

static int find_files(struct changes *c, const char *path, const char *base, struct err *e)
{
	struct buf b = { 0 };
	bool run = there(path, "best");
	int rc = 0;

	buf_fmt(&b, "%s%s", path, run ? path[strlen(path) - 1] == '/' ? "best" : "/best" : "");
	c->path = b.p;
	if (base)
		c->base = mem_str(base);
	else if (run && there(path, "config.json"))
		rc = named_base(c, path, "config.json", "model", e);
	else if (there(c->path, "adapter_config.json"))
		rc = named_base(c, c->path, "adapter_config.json", "base_model_name_or_path", e);
	if (rc == 0 && (c->base == NULL || access(c->base, R_OK) != 0))
		rc = err_set(e, SFT_USAGE, "%s: its base model%s%s%s (expected -m MODEL)", path, c->base ? " '" : " is not named", c->base ? c->base : "",
		             c->base ? "' is not there" : "");
	return rc;
}

static int same_shape(const struct weights *a, const struct weights *b, struct err *e)
{
	if (place_count(&a->cfg) == place_count(&b->cfg))
		for (size_t i = 0; i < place_count(&a->cfg); i++) {
			if (a->w[i].rows != b->w[i].rows || a->w[i].cols != b->w[i].cols)
				break;
			if (i + 1 == place_count(&a->cfg))
				return 0;
		}
	return err_set(e, SFT_BADDATA, "%s: has other matrices than %s (expected the model it was trained from)", b->path, a->path);
}

static int adapter(struct measuring *m, struct pool *pool, struct err *e)
{
	struct weights *w = NULL;
	struct lora *l = NULL;
	float *p = NULL;
	int rc = weights_header(&w, m->c->base, e);

	if (rc == 0)
		rc = lora_load(&l, &p, &w->cfg, m->c->path, e);
	if (rc == 0 && l->dora) {               /* its update depends on the matrices */
		weights_close(w);
		w = NULL;
		rc = weights_open(&w, m->c->base, e);
	}
	if (rc == 0) {
		*m = (struct measuring){ .c = m->c, .cfg = &w->cfg, .w = w, .l = l, .p = p };
		m->c->method = l->prefix ? "prefix" : l->dora ? "dora" : "lora";
		m->c->layers = w->cfg.layers;
		m->c->heads = w->cfg.heads;
		m->c->kv_heads = w->cfg.kv_heads;
		if (l->prefix)
			prefix(m);
		else {
			list(m);
			pool_run(pool, one, m, (uint32_t)m->c->n);
		}
	}
	lora_free(l);
	mem_free(p);
	weights_close(w);
	return rc;
}

static int whole(struct measuring *m, struct pool *pool, struct err *e)
{
	struct weights *w = NULL, *to = NULL;
	int rc;

	if ((rc = weights_open(&w, m->c->base, e)) == 0 && (rc = weights_open(&to, m->c->path, e)) == 0 && (rc = same_shape(w, to, e)) == 0) {
		*m = (struct measuring){ .c = m->c, .cfg = &w->cfg, .w = w, .to = to };
		m->c->method = "full";
		m->c->layers = w->cfg.layers;
		m->c->heads = w->cfg.heads;
		m->c->kv_heads = w->cfg.kv_heads;
		list(m);
		pool_run(pool, one, m, (uint32_t)m->c->n);
	}
	weights_close(w);
	weights_close(to);
	return rc;
}

int changes_measure(struct changes *c, const char *path, const char *base, struct pool *pool, struct err *e)
{
	struct measuring m = { .c = c };
	int rc;

	memset(c, 0, sizeof *c);
	if ((rc = find_files(c, path, base, e)) == 0)
		rc = (there(c->path, "adapter_config.json") ? adapter : whole)(&m, pool, e);
	if (rc == 0)
		add_up(c);
	else
		changes_free(c);
	mem_free(m.place);
	return rc;
}

void changes_free(struct changes *c)
{
	for (size_t k = 0; k < c->n; k++)
		mem_free(c->v[k].head);
	mem_free(c->v);
	mem_free(c->head);
	mem_free(c->path);
	mem_free(c->base);
	memset(c, 0, sizeof *c);
}
