/* SPDX-License-Identifier: Apache-2.0 */
#include "ggufput.h"

#include "kvsplit.h"
#include "mem.h"

uint32_t gguf_file_type(enum dtype t)
{
	return t == DT_F32 ? 0 : t == DT_F16 ? 1 : t == DT_Q8_0 ? 7 : 32;
}

int gguf_put_experts(struct weightout *o, size_t first, const struct weight_form *form, struct outfile *f, struct err *e)
{
	const struct model_config *c = &o->w->cfg;
	struct place at = place_at(c, first);
	int rc = 0;

	for (uint32_t k = 0; rc == 0 && k < c->experts; k++)
		rc = weightout_put(o, place_index(c, at.p, at.layer, k), form, f, e);
	return rc;
}

int gguf_put_kv_half(struct weightout *o, size_t place, bool keys, const struct tensor *t, struct outfile *f, struct err *e)
{
	const struct weight *w = &o->w->w[place];
	float *whole = mem_grow(NULL, (size_t)w->rows * w->cols, sizeof *whole), *half = mem_grow(NULL, t->count, sizeof *half);
	char *out = mem_grow(NULL, t->bytes, 1);
	int rc;

	weightout_rows(o, place, 0, w->rows, whole);
	kv_split_half(&o->w->cfg, whole, keys, half);
	if (dtype_from_f32(t->type, half, out, t->count) != 1)
		rc = err_set(e, SFT_BADDATA, "tensor '%s' has values that %s cannot hold (expected a type with a wider range: bf16 or f32)", t->name, dtype_name(t->type));
	else
		rc = out_write(f, out, t->bytes, e);
	mem_free(whole);
	mem_free(half);
	mem_free(out);
	return rc;
}
