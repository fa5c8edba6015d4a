/* SPDX-License-Identifier: Apache-2.0 */
#include "merge.h"

#include <string.h>

#include "configout.h"
#include "fold.h"
#include "ggufexport.h"
#include "hfexport.h"
#include "mem.h"
#include "oddvalues.h"
#include "outfile.h"
#include "tokout.h"
#include "vocabhash.h"

struct merge {
	const struct merge_opts *o;
	const struct tool *t;
	struct weights *w;
	struct lora *l;
	float *values;
	struct pool *pool;
};

static int load_adapter(struct merge *m, struct err *e)
{
	int rc;

	if (m->o->adapter == NULL)
		return 0;
	if (out_same(m->o->adapter, m->o->out))
		return err_set(e, SFT_USAGE, "%s: the folder of the adapter itself (expected another one to write to)", m->o->out);
	if ((rc = lora_load(&m->l, &m->values, &m->w->cfg, m->o->adapter, e)) != 0)
		return rc;
	if (m->l->prefix)
		return err_set(e, SFT_USAGE, "%s: a prefix is no change of weights and cannot be merged (expected LoRA or DoRA; -a takes a prefix where the model is used)",
		               m->o->adapter);
	return 0;
}

static bool changed(const void *fold, size_t place)
{
	return fold_changes(fold, place);
}

static void rows(const void *fold, size_t place, uint32_t first, uint32_t n, float *out)
{
	fold_rows(fold, place, first, n, out);
}

/* How many matrices the adapter changed; with -v the names of those it left alone. */
static void say_what(const struct merge *m, const struct fold *f)
{
	const struct model_config *c = &m->w->cfg;
	size_t all = 0, some = 0;
	char name[96];

	for (size_t i = 0; i < place_count(c); i++) {
		struct place at = place_at(c, i);

		if (m->w->w[i].p == NULL)
			continue;
		all++;
		some += fold_changes(f, i);
		if (m->w->from_gguf)
			param_gguf_name(at.p, at.layer, name);
		else
			param_hf_name(c, at.p, at.layer, at.expert, name);
		if (!fold_changes(f, i))
			tool_note(m->t, "unchanged: %s", name);
	}
	tool_warn(m->t, "%s: %zu of %zu tensors changed by the adapter", m->o->out, some, all);
}

/* A folder's model as a GGUF file, with its vocabulary if it has one; what llama.cpp reads otherwise than this suite is said. */
static int make_gguf(const struct merge *m, const struct weight_values *v, struct err *e)
{
	const struct model_config *c = &m->w->cfg;
	struct tok *t = NULL;
	int rc;

	if (vocab_there(m->w->path) && (rc = tok_open(&t, m->w->path, e)) != 0)
		return rc;
	if ((rc = gguf_make(m->w, v, t, m->o->type, m->pool, m->o->out, e)) == 0) {
		if (t == NULL)
			tool_warn(m->t, "%s: no tokenizer, as %s has none", m->o->out, m->w->path);
		else if (tok_normalizes(t))
			tool_warn(m->t, "%s: llama.cpp does not bring texts to NFC, as this tokenizer does (sft clean --normalize nfc does)", m->o->out);
		if (c->window && strcmp(config_gguf_name(c), "llama") == 0)
			tool_warn(m->t, "%s: llama.cpp has no sliding window in architecture llama (this model's is %u)", m->o->out, c->window);
	}
	tok_close(t);
	return rc;
}

static int write_model(const struct merge *m, bool gguf, struct err *e)
{
	const struct fold f = { m->w, m->l, m->values };
	const struct weight_values v = { &f, changed, rows };
	int rc;

	if (gguf && !m->w->from_gguf)
		rc = make_gguf(m, &v, e);
	else if (gguf)
		rc = gguf_export(m->w, &v, m->o->type, m->pool, m->o->out, e);
	else
		rc = hf_export(m->w, &v, &(struct hf_opts){ m->o->type, 0, m->pool }, m->o->out, e);
	if (rc == 0 && m->l)
		say_what(m, &f);
	if (rc == 0 && m->w->mtp)
		tool_warn(m->t, "%s: left out %zu tensors of the layers that predict further tokens", m->o->out, m->w->mtp);
	return rc;
}

static int check_opts(const struct merge_opts *o, struct err *e)
{
	if (o->model == NULL || *o->model == '\0')
		return err_set(e, SFT_USAGE, "no model (expected -m MODEL or $SFT_MODEL)");
	if (o->out == NULL)
		return err_set(e, SFT_USAGE, "no output (expected -o OUT)");
	if (o->to == MERGE_GGUF_LORA && o->adapter == NULL)
		return err_set(e, SFT_USAGE, "no adapter (--to gguf-lora expects -a ADAPTER)");
	return 0;
}

static int write_out(const struct merge *m, struct err *e)
{
	bool gguf = m->o->to == MERGE_SAME ? m->w->from_gguf : m->o->to == MERGE_GGUF;

	if (m->o->type == DT_Q8_0 && !gguf)
		return err_set(e, SFT_USAGE, "--dtype q8_0 is for GGUF models (expected f32, f16 or bf16)");
	if (m->o->to == MERGE_GGUF_LORA)
		return gguf_lora_export(m->w, m->l, m->values, m->o->type, m->o->out, e);
	return write_model(m, gguf, e);
}

int merge_run(const struct merge_opts *o, const struct tool *t, struct err *e)
{
	struct merge m = { .o = o, .t = t };
	int rc;

	if ((rc = check_opts(o, e)) != 0)
		return rc;
	m.pool = pool_open((int)t->threads);
	if ((rc = weights_open(&m.w, o->model, e)) == 0) {
		odd_values_warn(m.w, m.pool, t);
		rc = load_adapter(&m, e);
	}
	if (rc == 0)
		rc = write_out(&m, e);
	lora_free(m.l);
	mem_free(m.values);
	weights_close(m.w);
	pool_close(m.pool);
	return rc;
}
