/* SPDX-License-Identifier: Apache-2.0 */
#include "merge.h"

#include <sys/stat.h>

#include "fold.h"
#include "hfexport.h"
#include "mem.h"

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
	struct stat from, to;
	int rc;

	if (m->o->adapter == NULL)
		return 0;
	if (stat(m->o->adapter, &from) == 0 && stat(m->o->out, &to) == 0 && from.st_dev == to.st_dev && from.st_ino == to.st_ino)
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
		param_hf_name(c, at.p, at.layer, at.expert, name);
		if (!fold_changes(f, i))
			tool_note(m->t, "unchanged: %s", name);
	}
	tool_warn(m->t, "%s: %zu of %zu tensors changed by the adapter", m->o->out, some, all);
}

static int write_folder(const struct merge *m, struct err *e)
{
	const struct fold f = { m->w, m->l, m->values };
	int rc = hf_export(m->w, &(struct hf_values){ &f, changed, rows }, &(struct hf_opts){ m->o->type, 0, m->pool }, m->o->out, e);

	if (rc == 0 && m->l)
		say_what(m, &f);
	return rc;
}

int merge_run(const struct merge_opts *o, const struct tool *t, struct err *e)
{
	struct merge m = { .o = o, .t = t };
	int rc;

	if (o->model == NULL || *o->model == '\0')
		return err_set(e, SFT_USAGE, "no model (expected -m MODEL or $SFT_MODEL)");
	if (o->out == NULL)
		return err_set(e, SFT_USAGE, "no output (expected -o OUT)");
	m.pool = pool_open((int)t->threads);
	if ((rc = weights_open(&m.w, o->model, e)) == 0 && (rc = load_adapter(&m, e)) == 0)
		rc = write_folder(&m, e);
	lora_free(m.l);
	mem_free(m.values);
	weights_close(m.w);
	pool_close(m.pool);
	return rc;
}
