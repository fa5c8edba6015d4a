/* SPDX-License-Identifier: Apache-2.0 */
/* Term consistency: the share of the reference's dictionary terms that the answer uses right. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "metric_class.h"
#include "strmap.h"
#include "termuse.h"

enum { WANTED, RIGHT, VARIANT, MISSING, WIDTH };

struct found {                          /* the distinct terms of a reference */
	uint32_t *term;
	size_t n, cap, right;
};

struct own {
	struct termscan scan;
	struct found now, best;         /* of the reference at hand; of the one that the item is measured by */
	uint64_t stamp, answer;         /* one more for each text; of the answer at hand */
	uint64_t *wanted;               /* by term: the stamp of the reference that has it */
	uint64_t *itself, *variant;     /* of the answer that has it as itself, as a variant */
	uint32_t *which;                /* that variant */
	struct termuse *use;            /* by term */
	struct strmap class_name;       /* -> place in c[] */
	struct termuse_class *c;
	size_t cap;
	uint32_t *class;                /* by term: place in c[] + 1; 0: not seen yet */
	uint64_t hash;                  /* of the dictionary */
};

static int open_(struct metric *m, struct err *e)
{
	static const char *const names[] = { "term_consistency", "term_variants", "term_missing" };
	const struct termset *set = m->o->terms;
	uint32_t n = termset_count(set);
	struct own *o = m->own;

	(void)e;
	m->names = names;
	m->nvalues = 3;
	m->width = WIDTH;
	o->wanted = mem_new((n + 1) * sizeof *o->wanted);
	o->itself = mem_new((n + 1) * sizeof *o->itself);
	o->variant = mem_new((n + 1) * sizeof *o->variant);
	o->which = mem_new((n + 1) * sizeof *o->which);
	o->use = mem_new((n + 1) * sizeof *o->use);
	o->class = mem_new((n + 1) * sizeof *o->class);
	for (uint32_t t = 0; t < n; t++) {
		const struct term *x = termset_get(set, t);

		o->hash = hash64(x->form.text, x->form.n, o->hash + 1);
		for (uint32_t v = 0; v < x->nvariants; v++)
			o->hash = hash64(x->variant[v].text, x->variant[v].n, o->hash);
	}
	return 0;
}

static size_t scan(struct metric *m, struct text t)
{
	struct own *o = m->own;

	return t.n ? termset_scan(m->o->terms, &o->scan, t.p, t.n) : 0;
}

static void read_answer(struct metric *m, struct text hyp)
{
	struct own *o = m->own;
	size_t n = scan(m, hyp);

	o->answer = ++o->stamp;
	for (size_t k = 0; k < n; k++) {
		const struct termhit *h = &o->scan.hit[k];

		if (h->variant == 0) {
			o->itself[h->term] = o->stamp;
		} else if (o->variant[h->term] != o->stamp) {
			o->variant[h->term] = o->stamp;
			o->which[h->term] = h->variant;
		}
	}
}

/* How the answer uses a term that is wanted. */
static int used(const struct own *o, uint32_t t)
{
	return o->variant[t] == o->answer ? VARIANT : o->itself[t] == o->answer ? RIGHT : MISSING;
}

static void read_reference(struct metric *m, struct text ref)
{
	struct own *o = m->own;
	size_t n = scan(m, ref);

	o->stamp++;
	o->now.n = o->now.right = 0;
	for (size_t k = 0; k < n; k++) {
		uint32_t t = o->scan.hit[k].term;

		if (o->wanted[t] == o->stamp)
			continue;
		o->wanted[t] = o->stamp;
		ARRAY_ROOM(o->now.term, o->now.n, o->now.cap);
		o->now.term[o->now.n++] = t;
		o->now.right += used(o, t) == RIGHT;
	}
}

static struct termuse *class_of(struct metric *m, uint32_t t)
{
	struct own *o = m->own;

	if (o->class[t] == 0) {
		const char *name = termset_get(m->o->terms, t)->class;
		bool added;
		struct strmap_entry *x = strmap_put(&o->class_name, name, strlen(name), o->class_name.n, &added);

		if (added) {
			ARRAY_ROOM(o->c, x->value, o->cap);
			o->c[x->value] = (struct termuse_class){ { x->key, x->n }, { 0, 0, 0, 0 } };
		}
		o->class[t] = (uint32_t)x->value + 1;
	}
	return &o->c[o->class[t] - 1].use;
}

static int add(struct metric *m, struct text hyp, const struct text *ref, size_t nref, struct err *e)
{
	struct own *o = m->own;

	(void)e;
	read_answer(m, hyp);
	o->best.n = o->best.right = 0;
	for (size_t r = 0; r < nref; r++) {             /* several references: the one that the answer meets best, the first on a tie */
		read_reference(m, ref[r]);
		if (o->now.n && (o->best.n == 0 || o->now.right * o->best.n > o->best.right * o->now.n)) {
			struct found was = o->best;

			o->best = o->now;
			o->now = was;
		}
	}
	memset(m->row, 0, WIDTH * sizeof *m->row);
	for (size_t k = 0; k < o->best.n; k++) {
		uint32_t t = o->best.term[k];
		struct termuse *all[] = { &o->use[t], class_of(m, t) };
		int how = used(o, t);

		m->row[WANTED]++;
		m->row[how]++;
		for (int i = 0; i < 2; i++) {
			all[i]->n++;
			all[i]->right += how == RIGHT;
			all[i]->variant += how == VARIANT;
			all[i]->missing += how == MISSING;
		}
	}
	return 0;
}

static void score(const struct metric *m, const double *sum, size_t n, double *out)
{
	(void)m;
	(void)n;
	for (int v = 0; v < 3; v++)
		out[v] = sum[WANTED] > 0 ? sum[RIGHT + v] / sum[WANTED] : NAN;
}

static void item(struct metric *m, double *out)
{
	score(m, m->row, 1, out);
}

/* --- reports --- */

const struct termuse_class *termuse_classes(const struct metric *m, size_t *n)
{
	const struct own *o = m->own;

	if (m->c != &metric_terms)
		return NULL;
	*n = o->class_name.n;
	return o->c;
}

static int worse(const void *a, const void *b)
{
	const struct termuse_term *x = a, *y = b;
	uint64_t wx = x->use.n - x->use.right, wy = y->use.n - y->use.right;

	if (wx != wy)
		return wx < wy ? 1 : -1;
	if (x->use.n != y->use.n)
		return x->use.n < y->use.n ? 1 : -1;
	return strcmp(x->term->form.text, y->term->form.text);
}

struct termuse_term *termuse_terms(const struct metric *m, size_t *n)
{
	const struct own *o = m->own;
	struct termuse_term *v = NULL;
	size_t cap = 0;

	*n = 0;
	for (uint32_t t = 0; t < termset_count(m->o->terms); t++)
		if (o->use[t].n) {
			ARRAY_ROOM(v, *n, cap);
			v[(*n)++] = (struct termuse_term){ termset_get(m->o->terms, t), o->use[t] };
		}
	if (*n)
		qsort(v, *n, sizeof *v, worse);
	return v;
}

static void use_json(const struct termuse *u, struct jw *w)
{
	jw_key(w, "n");
	jw_uint(w, u->n);
	jw_key(w, "right");
	jw_uint(w, u->right);
	jw_key(w, "variant");
	jw_uint(w, u->variant);
	jw_key(w, "missing");
	jw_uint(w, u->missing);
	jw_key(w, "consistency");
	jw_double(w, (double)u->right / (double)u->n);
}

static void lists_json(struct metric *m, struct jw *w)
{
	struct own *o = m->own;
	struct termuse_term *v;
	size_t n;

	jw_key(w, "per_class");
	jw_arr(w);
	for (size_t k = 0; k < o->class_name.n; k++) {
		jw_obj(w);
		jw_key(w, "class");
		jw_strn(w, o->c[k].name.p, o->c[k].name.n);
		use_json(&o->c[k].use, w);
		jw_obj_end(w);
	}
	jw_arr_end(w);
	v = termuse_terms(m, &n);
	jw_key(w, "per_term");
	jw_arr(w);
	for (size_t k = 0; k < n; k++) {
		jw_obj(w);
		jw_key(w, "term");
		jw_strn(w, v[k].term->form.text, v[k].term->form.n);
		use_json(&v[k].use, w);
		jw_obj_end(w);
	}
	jw_arr_end(w);
	mem_free(v);
}

static void json(struct metric *m, struct jw *w)
{
	static const char *const counts[WIDTH] = { "terms", "right", "variant", "missing" };
	double v[3];

	score(m, m->sum, m->n, v);
	jw_key(w, "n");
	jw_uint(w, m->n);
	for (int k = 0; k < WIDTH; k++) {
		jw_key(w, counts[k]);
		jw_uint(w, (uint64_t)m->sum[k]);
	}
	for (int k = 0; k < 3; k++) {
		jw_key(w, m->names[k]);
		jw_double(w, v[k]);
	}
	if (m->sum[WANTED] == 0) {
		jw_key(w, "reason");
		jw_str(w, "no reference has a term of the dictionary");
	}
	lists_json(m, w);
}

static void item_json(struct metric *m, struct jw *w)
{
	const struct own *o = m->own;

	jw_obj(w);
	jw_key(w, "terms");
	jw_uint(w, o->best.n);
	jw_key(w, "right");
	jw_uint(w, o->best.right);
	for (int how = VARIANT; how <= MISSING; how++) {
		jw_key(w, how == VARIANT ? "variants" : "missing");
		jw_arr(w);
		for (size_t k = 0; k < o->best.n; k++) {
			const struct term *x = termset_get(m->o->terms, o->best.term[k]);
			const struct term_form *said = how == VARIANT ? &x->variant[o->which[o->best.term[k]] - 1] : &x->form;

			if (used(o, o->best.term[k]) == how)
				jw_strn(w, said->text, said->n);
		}
		jw_arr_end(w);
	}
	jw_obj_end(w);
}

static void signature(const struct metric *m, struct buf *to)
{
	buf_fmt(to, "dict:%u %08x", (unsigned)termset_count(m->o->terms), (unsigned)(((struct own *)m->own)->hash >> 32));
}

static const char *lacks(const struct metric_opts *o)
{
	return o->terms ? NULL : "terms needs a dictionary (expected --dict FILE)";
}

static void close_(struct metric *m)
{
	struct own *o = m->own;

	termscan_release(&o->scan);
	mem_free(o->now.term);
	mem_free(o->best.term);
	mem_free(o->wanted);
	mem_free(o->itself);
	mem_free(o->variant);
	mem_free(o->which);
	mem_free(o->use);
	mem_free(o->class);
	strmap_free(&o->class_name);
	mem_free(o->c);
}

const struct metric_class metric_terms = {
	.name = "terms", .version = "1", .size = sizeof(struct own), .lacks = lacks, .open = open_, .add = add, .score = score, .item = item,
	.json = json, .item_json = item_json, .signature = signature, .close = close_,
};
