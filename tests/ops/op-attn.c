/* SPDX-License-Identifier: Apache-2.0 */
/* Attention of every backend against ref: packed rows, shared keys, caches, windows, groups of heads, odd head sizes. */
#include "trial.h"

static const enum dtype act[2] = { DT_F32, DT_BF16 };

struct setting {
	uint32_t heads, kv_heads, dk, dv, window, nseg;
	struct kern_seg seg[4];
	uint32_t queries, keys;        /* rows of the matrices */
};

static const struct setting settings[] = {
	{ 1, 1, 1, 1, 0, 1, { { 0, 1, 0, 0, 0, 1 } }, 1, 1 },
	{ 2, 2, 8, 8, 0, 1, { { 0, 5, 0, 0, 0, 5 } }, 5, 5 },
	{ 6, 2, 24, 24, 0, 3, { { 0, 17, 0, 0, 0, 17 }, { 17, 1, 0, 0, 17, 1 }, { 19, 100, 0, 0, 19, 100 } }, 120, 119 },
	{ 3, 1, 64, 64, 0, 2, { { 0, 300, 0, 0, 0, 300 }, { 300, 70, 0, 0, 300, 70 } }, 370, 370 },
	{ 4, 2, 33, 17, 0, 1, { { 1, 67, 0, 0, 2, 67 } }, 70, 72 },
	{ 2, 1, 20, 70, 0, 1, { { 0, 90, 0, 0, 0, 90 } }, 90, 90 },
	{ 2, 1, 100, 64, 0, 1, { { 0, 40, 0, 0, 0, 40 } }, 40, 40 },
	{ 2, 2, 192, 128, 0, 2, { { 0, 45, 0, 0, 0, 45 }, { 45, 20, 0, 30, 45, 20 } }, 65, 65 },                /* latent attention */
	{ 4, 2, 16, 16, 7, 2, { { 0, 50, 0, 0, 0, 50 }, { 50, 3, 0, 0, 50, 3 } }, 53, 53 },
	{ 2, 2, 16, 16, 200, 1, { { 0, 620, 0, 0, 0, 620 } }, 620, 620 },
	{ 6, 3, 16, 16, 0, 2, { { 0, 1, 0, 0, 0, 40 }, { 1, 3, 0, 0, 40, 577 } }, 4, 620 },                    /* decoding */
	{ 4, 2, 24, 24, 0, 4, { { 0, 33, 0, 0, 0, 33 }, { 33, 9, 0, 33, 33, 9 }, { 42, 20, 0, 33, 42, 20 }, { 62, 1, 5, 20, 62, 1 } }, 63, 63 },
	{ 2, 1, 16, 16, 12, 3, { { 0, 10, 0, 0, 0, 10 }, { 10, 9, 0, 10, 10, 9 }, { 19, 30, 0, 10, 19, 30 } }, 49, 49 },   /* shared, window */
	{ 1, 1, 8, 8, 0, 2, { { 0, 10, 0, 5, 5, 12 }, { 10, 0, 0, 0, 18, 2 } }, 10, 22 },
	{ 1, 1, 16, 16, 0, 1, { { 0, 1100, 0, 0, 0, 1100 } }, 1100, 1100 },
	{ 8, 1, 2, 3, 40, 1, { { 0, 2500, 0, 0, 0, 2500 } }, 2500, 2500 },                                     /* the way back in rounds */
};

struct args {
	struct kern_attn a;
	void *dout;
	float *lse;
	size_t nq, nk, nv;             /* values of dq, dk, dv */
};

/* OUT: o; the log-sum-exps are compared by the way back. */
static void run_attn(struct kern *k, void *ctx, void *out)
{
	struct kern_attn a = ((struct args *)ctx)->a;

	a.o = out;
	a.lse = NULL;
	kern_attn(k, &a);
}

static void run_lse(struct kern *k, void *ctx, void *out)
{
	struct kern_attn a = ((struct args *)ctx)->a;

	a.o = trial_new((a.ldo * 2500 + 64) * sizeof(float));
	a.lse = out;
	kern_attn(k, &a);
	trial_free(a.o);
}

static void run_attn_dx(struct kern *k, void *ctx, void *out)
{
	struct args *c = ctx;
	size_t s = trial_size(c->a.xt);

	kern_attn_dx(k, &c->a, c->dout, c->a.ldo, out, (char *)out + c->nq * s, (char *)out + (c->nq + c->nk) * s);
}

static void one(const struct setting *s, enum dtype t, bool back)
{
	struct args c = { .a = { .seg = s->seg, .nseg = s->nseg, .heads = s->heads, .kv_heads = s->kv_heads, .dk = s->dk, .dv = s->dv, .scale = 0.4f,
		.window = s->window, .xt = t, .ldq = s->heads * s->dk + 2, .ldk = s->kv_heads * s->dk + 1, .ldv = s->kv_heads * s->dv + 3,
		.ldo = s->heads * s->dv + 1 } };
	size_t no = s->queries * c.a.ldo, nlse = (size_t)s->queries * s->heads;
	void *q = trial_values(s->queries * c.a.ldq, t, 1), *k = trial_values(s->keys * c.a.ldk, t, 1), *v = trial_values(s->keys * c.a.ldv, t, 1);
	void *o = trial_values(no, t, 1), *nans, *dout = trial_values(no, t, 1);
	float *lse = trial_new((nlse + 1) * sizeof *lse);

	c.nq = s->queries * c.a.ldq;
	c.nk = s->keys * c.a.ldk;
	c.nv = s->keys * c.a.ldv;
	nans = trial_nans(no + nlse + c.nq + c.nk + c.nv, DT_F32);
	c.a.q = q;
	c.a.k = k;
	c.a.v = v;
	c.dout = dout;
	if (back) {
		c.a.o = o;
		c.a.lse = lse;
		kern_attn(trial_ref, &c.a);
		trial("attn_dx", run_attn_dx, &c, nans, c.nq + c.nk + c.nv, t, t == DT_BF16 ? 1e-2 : 2e-6);
	} else {
		trial("attn", run_attn, &c, nans, no, t, t == DT_BF16 ? 5e-3 : 1e-6);
		trial("attn", run_lse, &c, nans, nlse, DT_F32, t == DT_BF16 ? 1e-5 : 1e-6);
	}
	trial_free(q);
	trial_free(k);
	trial_free(v);
	trial_free(o);
	trial_free(nans);
	trial_free(dout);
	trial_free(lse);
}

int main(int argc, char **argv)
{
	trial_open(argc, argv);
	for (int back = 0; back < 2; back++) {
		for (int x = 0; x < 2 && trial_wants(back ? "attn_dx" : "attn"); x++)
			for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
				if (settings[i].queries <= trial_rows)
					one(&settings[i], act[x], back);
		trial_lines(back ? "attn_dx" : "attn");
	}
	trial_close();
	return test_end();
}
